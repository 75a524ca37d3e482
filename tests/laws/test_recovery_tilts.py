"""Laws of levels in the shape and of effects that change with time: each claim has the plain law of its own level."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from msk_reserves._checks import Floats
from msk_reserves.recovery.laws.fit import piecewise_to_data
from msk_reserves.recovery.laws.piecewise import default_cuts
from msk_reserves.recovery.laws.tilt import cut_at_bands
from msk_reserves.recovery.observations import observations
from msk_reserves.recovery.path.mixture import all_exits
from msk_reserves.recovery.path.model import Recovery, fit_path, fit_recovery
from msk_reserves.recovery.path.tilts import AskLevels
from msk_reserves.recovery.path.transitions import Transition
from msk_reserves.recovery.quality.verdict import assess_recovery
from tests.worlds.attorneys import AttorneyWorld, stays_seen
from tests.worlds.recovery import recovery_book

N_DRAWS = 8
DAYS = np.array([3.0, 40.0, 120.0, 700.0])


@pytest.fixture(scope="module")
def seen() -> pd.DataFrame:
    """Stays of 900 claims with relapse, late entry and attorneys, each of one of three levels that change nothing."""
    table = stays_seen(AttorneyWorld(), 900, seed=3)
    number = pd.factorize(table["claim_id"])[0]
    return table.assign(kind=np.array(["p", "q", "r"])[np.minimum(number % 5, 2)])


@pytest.fixture(scope="module")
def shaped(seen: pd.DataFrame) -> Recovery:
    """The path with the levels in the shape."""
    laws = ("weibull", "loglogistic", "rp1", "piecewise", "exponential")
    return fit_path(seen, covariates=["x"], candidates=laws, shape="kind", weighting="bic")


@pytest.fixture(scope="module")
def turning(seen: pd.DataFrame) -> Recovery:
    """The path with effects of the levels that change with time."""
    return fit_path(seen, covariates=["x"], candidates=("weibull", "rp1", "piecewise"), varying="kind")


def collected(recovery: Recovery, claims: pd.DataFrame, origin: str, target: str) -> Floats:
    """Return the hazard every part of a move collects of claims by `DAYS`, (n_parts, n_claims, n_draws, n_days)."""
    design, found = recovery.design.matrix(claims), []
    for move in recovery.draw(N_DRAWS, 5).moves:
        if (move.origin, move.target) == (origin, target):
            place = np.repeat(move.location(design).ravel(), len(DAYS))
            draw = np.repeat(np.tile(np.arange(N_DRAWS), len(claims)), len(DAYS))
            days = np.tile(DAYS, len(claims) * N_DRAWS)
            found.append(move.cumulative_hazard(days, place, draw).reshape(len(claims), N_DRAWS, len(DAYS)))
    return np.array(found)


def test_each_claim_leaves_by_one_part_of_a_move(shaped: Recovery, turning: Recovery) -> None:
    """Of the parts of a move, out of a state or its twin, one alone has hazard for a claim, in every draw."""
    claims = pd.DataFrame({"x": [0.0, 0.0, 0.0, 0.0], "kind": ["p", "q", "r", "new"]})
    for recovery in (shaped, turning):
        for origin, target in (
            ("off_work", "back_at_work"), ("off_work_represented", "back_at_work_represented")
        ):  # fmt: skip
            parts = collected(recovery, claims, origin, target)
            assert len(parts) == 3
            assert ((parts > 1e-9).sum(axis=0) == 1)[..., 1:].all()
            whole = parts.sum(axis=0)
            np.testing.assert_array_equal(parts.max(axis=0), whole)
            most_frequent = recovery.design.terms[-1].names[0][-1]
            np.testing.assert_array_equal(whole[3], whole["pqr".index(most_frequent)])


def test_a_shape_by_level_is_the_law_with_that_scale(shaped: Recovery) -> None:
    """The hazard of a level is that written out by hand: Weibull with ln scale g + d, location with its covariates."""
    move = shaped.transitions["off_work_represented", "back_at_work_represented"]
    fit = next(one.fit for one in move.candidates if one.fit.family == "weibull")
    alone = Recovery((_only(move, "weibull"),), shaped.design, (), "single", (), shaped.space)
    claims = pd.DataFrame({"x": [1.0, 1.0, 1.0], "kind": ["p", "q", "r"]})
    value = dict(zip(fit.names, fit.theta, strict=True))
    x = shaped.design.matrix(claims)[:, shaped.design.names.index("x")]
    design, zero = shaped.design.matrix(claims), np.zeros(len(DAYS), dtype=np.int64)
    for row, kind in enumerate("pqr"):
        place = value["constant"] + value["represented"] + value["x"] * x[row] + value.get(f"kind is {kind}", 0.0)
        scale = np.exp(value["log_scale"] + value.get(f"log_scale kind is {kind}", 0.0))
        expected = np.exp((np.log(DAYS) - place) / scale)
        hazard = sum(
            part.cumulative_hazard(DAYS, np.full(len(DAYS), part.location(design)[row, 0]), zero)
            for part in alone.point().moves
        )
        np.testing.assert_allclose(hazard, expected, rtol=1e-10)
    escaped = all_exits(alone.fitted, shaped.design.matrix(claims), (np.zeros(3), np.zeros(3)), DAYS[None, :])
    assert escaped.shape == (1, 3, len(DAYS))
    np.testing.assert_allclose(escaped[0, 2], np.minimum(expected, 745.0), rtol=1e-9)


def test_rates_by_piece_do_not_tell_stays_from_their_parts() -> None:
    """Cut at the ends of bands, late entry and windows included, stays give the same fit."""
    rng = np.random.default_rng(4)
    n = 600
    days = np.ceil(rng.exponential(90.0, n)) + 1.0
    entry = np.where(rng.random(n) < 0.3, np.floor(days * rng.random(n)), 0.0)
    data = observations(
        days,
        rng.random(n) < 0.8,
        entry=entry,
        interval=np.minimum(7.0, days - entry),
        design=rng.standard_normal((n, 1)),
    )
    parts, band = cut_at_bands(data, np.array([28.0, 91.0]))
    assert len(parts) > n
    assert set(band) == {0, 1, 2}
    one, two = (piecewise_to_data(each, ("x",), default_cuts()[4:9]) for each in (data, parts))
    assert two.loglik == pytest.approx(one.loglik, abs=1e-7)
    np.testing.assert_allclose(two.theta, one.theta, atol=1e-6)


def test_laws_that_cannot_carry_it_are_listed_with_the_reason(shaped: Recovery, turning: Recovery) -> None:
    """Every kept law carries what was asked; moves too rare for it are named."""
    for recovery, reason in ((shaped, "has no scale or slope"), (turning, "its effects are the same at all times")):
        frame = recovery.to_frame()
        mine = frame[(frame["from"] == "off_work") & (frame["to"] == "back_at_work")]
        assert mine["note"].str.contains(reason).any()
        for move in recovery.fitted:
            assert all(bool(one.fit.tilt) == bool(move.cells) for one in move.kept())
        assert "Shape, or effects over time, by kind." in repr(recovery)
        assert {one.rule for one in recovery.decisions} >= {"plain shape"}


def test_one_move_alone_may_have_it(seen: pd.DataFrame) -> None:
    """A mapping gives it to the moves it names, and the twin of their state."""
    move = ("off_work", "back_at_work")
    recovery = fit_path(seen, covariates=["x"], candidates=("weibull", "rp1"), shape={move: ["kind"]})
    having = {(one.origin, one.target) for one in recovery.fitted if one.cells}
    assert having == {move, ("off_work_represented", "back_at_work_represented")}


def asked(table: pd.DataFrame, argument: str, value: AskLevels, *, frailty: str | None = None) -> Recovery:
    """Fit the path with one of the two arguments."""
    shape, varying = (value if argument == name else () for name in ("shape", "varying"))
    return fit_path(table, shape=shape, varying=varying, frailty=frailty)


def test_what_cannot_be_had_is_refused(seen: pd.DataFrame) -> None:
    """Absent columns, columns learned later, numbers, too many combinations, employers' factors, unknown moves."""
    for argument in ("shape", "varying"):
        refused: tuple[tuple[AskLevels, str], ...] = (
            ("colour", f"`{argument}` must name columns of the claims; there is no 'colour'"),
            ("attorney", f"`{argument}` must be known when the stay begins; 'attorney' is learned later"),
            ("x", f"`{argument}` must name columns of categories; 'x' holds numbers"),
            ({("off_work", "moon"): "kind"}, f"`{argument}` must be keyed by moves"),
        )
        for value, words in refused:
            with pytest.raises(ValueError, match=words):
                asked(seen.assign(attorney="x"), argument, value)
        with pytest.raises(ValueError, match=f"`{argument}` must be left out with `frailty`"):
            asked(seen, argument, "kind", frailty="auto")
    many = seen.assign(one=(seen.index % 20).astype(str), two=(seen.index % 7).astype(str))
    with pytest.raises(ValueError, match="at most 60 combinations of levels; one, two make 140"):
        fit_path(many, shape=("one", "two"))


def test_a_verdict_is_given_on_them() -> None:
    """The checks of a recovery with levels in the shape are those of one without, on its book."""
    book = recovery_book(700, 21)
    sex = np.where(np.arange(len(book)) % 3 == 0, "f", "m")
    book = replace(book, claims=book.claims.assign(sex=sex))
    ours = fit_recovery(book, candidates=("weibull", "lognormal", "rp1"), shape="sex", varying=())
    theirs = fit_recovery(book, candidates=("weibull", "lognormal", "rp1"))
    assert any(move.cells for move in ours.fitted)
    names = [[check.name for check in assess_recovery(one, book).checks] for one in (ours, theirs)]
    assert set(names[0]) == set(names[1])


def _only(move: Transition, family: str) -> Transition:
    """Return a move with one law."""
    one = next(one for one in move.candidates if one.fit.family == family)
    return replace(move, candidates=(replace(one, weight=1.0, refused=""),), shared="")
