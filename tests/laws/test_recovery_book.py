"""Laws of the recovery of a book: reproducible, keyed draws; rules for thin moves; residual time that adds up."""

import pickle
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.spells import Spells
from msk_reserves.claims.states import STANDARD_STATES
from msk_reserves.claims.vocabulary import STATE_CODE
from msk_reserves.recovery.laws.fit import FittedFamily
from msk_reserves.recovery.laws.piecewise import exposure
from msk_reserves.recovery.path.covariates import covariate_design
from msk_reserves.recovery.path.draws import TransitionDraws
from msk_reserves.recovery.path.model import Recovery, fit_recovery
from msk_reserves.recovery.path.sampling import draw_moves
from msk_reserves.recovery.path.selection import law_weights
from tests.worlds.recovery import recovery_book


@cache
def small() -> tuple[ClaimBook, Recovery]:
    """A book of 900 claims and its recovery."""
    book = recovery_book(900, 4)
    return book, fit_recovery(book)


def same(one: TransitionDraws, two: TransitionDraws) -> bool:
    """Whether two sets of draws hold the same numbers."""
    laws = all(
        np.array_equal(a.coefficients, b.coefficients) and np.array_equal(a.scale, b.scale)
        for a, b in zip(one.laws, two.laws, strict=True)
    )
    return laws and np.array_equal(one.law_of_draw, two.law_of_draw)


def test_draws_are_reproducible_and_keyed_by_move() -> None:
    """The same seed gives the same draws, another seed others, and a move's draws ignore which other moves exist."""
    _, recovery = small()
    draws, again, other = recovery.draw(40, 7), recovery.draw(40, 7), recovery.draw(40, 8)
    fewer = replace(recovery, fitted=recovery.fitted[2:]).draw(40, 7)
    assert all(same(one, two) for one, two in zip(draws.moves, again.moves, strict=True))
    assert not any(same(one, two) for one, two in zip(draws.moves, other.moves, strict=True))
    assert all(same(one, two) for one, two in zip(draws.moves[2:], fewer.moves, strict=True))


def test_recovery_and_draws_travel() -> None:
    """Both survive pickling, arrays are read-only, and the mapping of moves cannot be changed."""
    book, recovery = small()
    twin = pickle.loads(pickle.dumps(recovery))  # a round trip of our own bytes
    draws = pickle.loads(pickle.dumps(recovery.draw(5, 1)))
    assert repr(twin) == repr(recovery)
    assert draws.transitions_from("off_work")[0].location(recovery.design.matrix(book.claims)).shape == (900, 5)
    assert not recovery.fitted[0].candidates[0].fit.theta.flags.writeable
    assert type(recovery.transitions).__name__ == "mappingproxy"


@pytest.mark.parametrize("action", ["hazard", "cumulative_hazard"])
def test_draws_sorted_by_law_equal_draws_one_by_one(action: str) -> None:
    """Elements of mixed draws computed together equal each computed alone; exit_days inverts them."""
    book, recovery = small()
    draws = recovery.draw(30, 3)
    design = recovery.design.matrix(book.claims)
    rng = np.random.default_rng(1)
    for move in draws.moves:
        draw = rng.integers(0, 30, 200)
        location = move.location(design)[rng.integers(0, 900, 200), draw]
        days = rng.exponential(80, 200) + 0.5
        together = getattr(move, action)(days, location, draw)
        alone = [
            float(getattr(move, action)(days[i : i + 1], location[i : i + 1], draw[i : i + 1])[0]) for i in range(200)
        ]
        np.testing.assert_allclose(together, alone, rtol=1e-12)
        hazard = move.cumulative_hazard(days, location, draw)
        np.testing.assert_allclose(move.exit_days(hazard, location, draw), days, rtol=1e-7)


def test_hazard_is_the_slope_of_cumulative_hazard() -> None:
    """Central differences of H give h in every draw of every move."""
    book, recovery = small()
    design = recovery.design.matrix(book.claims)
    for move in recovery.draw(20, 5).moves:
        draw = np.arange(20)
        location = move.location(design)[3]
        days = np.linspace(3.3, 500.7, 20)
        step = 1e-4
        up, down = (move.cumulative_hazard(days + sign * step, location, draw) for sign in (1, -1))
        np.testing.assert_allclose(move.hazard(days, location, draw), (up - down) / (2 * step), rtol=1e-4)


def test_residual_draws_follow_the_conditional_survival() -> None:
    """Exit days drawn given 60 days off follow S(60 + u)/S(60) (KS, false alarm 1e-4)."""
    book, recovery = small()
    move = recovery.point().transitions_from("off_work")[0]
    location = np.full(4_000, move.location(recovery.design.matrix(book.claims))[10, 0])
    zero = np.zeros(4_000, dtype=np.int64)
    start = move.cumulative_hazard(np.full(4_000, 60.0), location, zero)
    days = move.exit_days(start + np.random.default_rng(9).exponential(size=4_000), location, zero)
    uniform = np.exp(start - move.cumulative_hazard(days, location, zero))
    assert (days > 60).all()
    assert stats.kstest(uniform, "uniform").pvalue > 1e-4


def test_the_order_of_stays_does_not_matter() -> None:
    """The same stays in another order give the same recovery."""
    book, recovery = small()
    order = np.random.default_rng(3).permutation(len(book.spells))
    spells = Spells(*(getattr(book.spells, name)[order] for name in Spells.__slots__))
    mixed = fit_recovery(replace(book, spells=spells))
    for one, two in zip(recovery.fitted, mixed.fitted, strict=True):
        assert [c.weight for c in one.candidates] == [c.weight for c in two.candidates]
        for a, b in zip(one.kept(), two.kept(), strict=True):
            np.testing.assert_allclose(a.fit.theta, b.fit.theta, rtol=1e-3, atol=1e-4)


def test_the_fewer_the_exits_the_simpler_the_law() -> None:
    """From 30 exits all laws, from 10 four, below a constant rate or declining pieces; ten exits per column."""
    _, recovery = small()
    seen = {"normal": 0, "bootstrap": 0, "gamma": 0}
    for move in recovery.fitted:
        laws = {one.fit.family for one in move.candidates if len(one.fit.theta)}
        assert all(one.note() for one in move.candidates if not len(one.fit.theta))
        seen[move.method] += 1
        assert sum(one.weight for one in move.candidates) == pytest.approx(1.0)
        assert len(move.columns) <= max(move.events // 10 - 1, 0)
        if move.events >= 30:
            assert {"weibull", "lognormal", "loglogistic", "gengamma", "piecewise"} <= laws
        elif move.events >= 10:
            assert laws == {"weibull", "lognormal", "piecewise", "exponential"}
        else:
            assert laws <= {"exponential", "piecewise"}
            known = move.target == "dead" and move.origin in STANDARD_STATES.lifelong
            assert f"gamma prior of {2 if known else 0.5:g} exits" in move.candidates[0].fit.reason
    assert seen["normal"] > 0
    assert seen["gamma"] > 0


def test_a_thin_rate_lies_between_its_own_and_its_parents() -> None:
    """Relapses that plateau, made rare, are drawn toward the rate of first stays that plateau."""
    book, _ = small()
    spells = book.spells
    rare = (spells.state == STATE_CODE["relapse"]) & (spells.next_state == STATE_CODE["mmi"])
    drop = np.flatnonzero(rare)[3:]
    following = np.array(spells.next_state)
    following[drop] = STATE_CODE["settled"]
    recovery = fit_recovery(replace(book, spells=replace(spells, next_state=following)))
    move = recovery.transitions["relapse", "mmi"]
    parent = recovery.transitions["off_work", "mmi"]
    rate = float(np.exp(-move.candidates[0].fit.theta[0]))
    ends = sorted((move.events / move.exposure, parent.events / parent.exposure))
    assert move.method == "gamma"
    assert ends[0] < rate < ends[1]
    constant = replace(move, candidates=(replace(move.candidates[0], weight=1.0),))
    thin = draw_moves((constant,), 4_000, 1)[0]
    rates = np.exp(-thin.laws[0].coefficients[:, 0])
    assert rates.mean() == pytest.approx(rate, abs=4.5 * rates.std() / np.sqrt(4_000))
    assert rates.std() / rates.mean() == pytest.approx(1 / np.sqrt(0.5 + 3), rel=0.08)


def test_thin_pieces_borrow_their_level_too() -> None:
    """Three exits where the parent's rate makes one expect others: the pieces expect a number between the two.

    The level is that of the constant rate, (0.5 + D) / (0.5 / parent + E) by hand, and a parent that moves as often
    changes nothing.
    """
    book, _ = small()
    spells = book.spells
    rare = (spells.state == STATE_CODE["relapse"]) & (spells.next_state == STATE_CODE["mmi"])
    following = np.array(spells.next_state)
    following[np.flatnonzero(rare)[3:]] = STATE_CODE["settled"]
    recovery = fit_recovery(replace(book, spells=replace(spells, next_state=following)))
    move, parent = recovery.transitions["relapse", "mmi"], recovery.transitions["off_work", "mmi"]
    constant, pieces = (one.fit for one in move.candidates)
    rate = parent.events / parent.exposure
    by_hand = (0.5 + 3) / (0.5 / rate + move.exposure)
    assert float(np.exp(-constant.theta[0])) == pytest.approx(by_hand, rel=1e-9)
    expected = float((exposure(move.data.entry, move.data.days, pieces.cuts) @ np.exp(pieces.theta)).sum())
    ends = sorted((3.0, rate * move.exposure))
    assert ends[0] < expected < ends[1]
    # Pieces with few exits have a prior of their own, which moves their sum a little.
    assert expected == pytest.approx(by_hand * move.exposure, rel=0.25)


def test_stays_without_information_are_counted() -> None:
    """A stay over before it could be seen is left out, one that ended at once counts half a day; both are counted."""
    book, _ = small()
    days = np.array(book.spells.days)
    work = np.flatnonzero((book.spells.state == STATE_CODE["back_at_work"]) & (book.spells.next_state >= 0))[:4]
    days[work] = 0.0
    recovery = fit_recovery(replace(book, spells=replace(book.spells, days=days)))
    counts = {one.rule: one.count for one in recovery.decisions}
    unseen = (days <= book.spells.observed_from) & ~np.isin(np.arange(len(days)), work)
    assert counts == {"half a day": 4, "unseen stay": int(unseen.sum())}
    assert recovery.transitions["back_at_work", "relapse"].data.days.min() == 0.5


def test_weights_of_laws() -> None:
    """Equal within 7 of the best AIC, by BIC, or the best alone; refused laws get nothing."""
    fit = small()[1].fitted[0].candidates[0].fit

    def law(aic: float, parameters: int) -> FittedFamily:
        theta = np.zeros(parameters)
        names = tuple(f"p{i}" for i in range(parameters))
        nothing = np.zeros((parameters, parameters))
        return replace(fit, names=names, theta=theta, covariance=nothing, aic=aic)

    fits = [law(100, 2), law(106.9, 2), law(107.1, 2), law(90, 3)]
    plausible = [True, True, True, False]
    np.testing.assert_allclose(law_weights(fits, plausible, "equal_within_7", 50), [0.5, 0.5, 0, 0])
    np.testing.assert_allclose(law_weights(fits, plausible, "single", 50), [1, 0, 0, 0])
    bic = law_weights(fits, plausible, "bic", 50)
    np.testing.assert_allclose(bic[1] / bic[0], np.exp(-3.45))
    assert bic[3] == 0
    with pytest.raises(ValueError, match="`weighting` must be one of"):
        law_weights(fits, plausible, "bma", 50)
    with pytest.raises(ValueError, match="`plausible` must hold at least one law"):
        law_weights(fits, [False] * 4, "bic", 50)


def test_covariates_are_those_known_at_the_start() -> None:
    """Outcomes and attorneys are refused, absent columns named, missing ages counted as average, rare levels pooled."""
    book, _ = small()
    for later in ("attorney", "medical_paid", "returned"):
        with pytest.raises(ValueError, match="must be known when the stay begins"):
            fit_recovery(book, covariates=[later])
    with pytest.raises(ValueError, match="there is no 'horoscope'"):
        fit_recovery(book, covariates=["horoscope"])
    with pytest.raises(ValueError, match="keyed by moves"):
        fit_recovery(book, covariates={("off_work", "cured"): ["age"]})
    claims = book.claims.assign(age=book.claims["age"].where(book.claims.index > 9))
    design = covariate_design(claims)
    assert "10 claims without age count as average" in repr(design)
    assert (design.matrix(claims)[:10, list(design.names).index("age, decades")] == 0).all()
    assert not any("hip" in name for name in design.names)
    with pytest.raises(ValueError, match="missing age"):
        design.matrix(claims.drop(columns="age"))
    assert covariate_design(pd.DataFrame({"age": [40.0, 40.0]})).terms == ()


def test_options_are_checked() -> None:
    """Unknown laws and weightings, and books without a single exit, are refused with what to do."""
    book, recovery = small()
    with pytest.raises(ValueError, match="`candidates` must be one of"):
        fit_recovery(book, candidates=("gompertz",))
    with pytest.raises(ValueError, match="`candidates` must name at least one law"):
        fit_recovery(book, candidates=())
    with pytest.raises(ValueError, match="`weighting` must be one of"):
        fit_recovery(book, weighting="bma")
    running = replace(book.spells, next_state=np.full(len(book.spells), -1))
    with pytest.raises(ValueError, match="`book` must hold at least one stay that ended"):
        fit_recovery(replace(book, spells=running))
    with pytest.raises(ValueError, match="`n` must be a whole number"):
        recovery.draw(0, 1)
    with pytest.raises(ValueError, match="`seed` must be a whole number"):
        recovery.draw(1, -1)


def test_the_table_shows_itself() -> None:
    """The recovery prints what was fitted, and a row a move and law."""
    _, recovery = small()
    frame = recovery.to_frame()
    assert "moves of" in repr(recovery)
    assert "<table" in recovery._repr_html_()
    columns = {"from", "to", "moves", "days_at_risk", "covariates", "clock", "draws", "law", "weight", "aic", "note"}
    assert set(frame.columns) == columns
    move = recovery.fitted[0]
    ahead = replace(recovery, fitted=(replace(move, forward=True), *recovery.fitted[1:]))
    assert ahead.to_frame()["clock"].iloc[0] == "forward"
    assert f"not on those in the stay: {move.origin} to {move.target}" in repr(ahead)
    assert frame.groupby(["from", "to"])["weight"].sum().to_numpy() == pytest.approx(1.0)
