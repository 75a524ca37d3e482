"""Laws of declared states and of twins: tables of stays, the clock that goes on, what cannot be known beforehand."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from msk_reserves.claims.defects import ClaimDataError
from msk_reserves.claims.states import STANDARD_STATES, StateSpace
from msk_reserves.claims.vocabulary import STATES
from msk_reserves.cost.fit import fit_cost
from msk_reserves.recovery.answers.remaining import remaining_days
from msk_reserves.recovery.laws.cure import CURES
from msk_reserves.recovery.laws.fit import LAWS
from msk_reserves.recovery.path.effects import effects_of
from msk_reserves.recovery.path.mixture import present_stay
from msk_reserves.recovery.path.model import Recovery, fit_path, fit_recovery
from msk_reserves.reserves.forecast import forecast
from tests.worlds.attorneys import AttorneyWorld, stays_seen
from tests.worlds.forecasts import ledger_book
from tests.worlds.recovery import recovery_book

ILLNESS = StateSpace(
    names=("ill", "well", "gone", "ill_insured"),
    off_work=("ill", "ill_insured"),
    working=("well",),
    deaths=("gone",),
    absorbing=("gone",),
    twins=(("ill", "ill_insured"),),
    mark="insured",
    moves=(("ill", "well"), ("well", "ill"), ("ill", "gone"), ("well", "gone")),
)

Row = tuple[object, ...]
NAMES = ["claim_id", "state", "start", "stop", "next_state"]


def table(rows: Sequence[Row], names: Sequence[str] = ()) -> pd.DataFrame:
    """Make a table of stays."""
    return pd.DataFrame(list(rows), columns=[*NAMES, *names], dtype=object)


def same_fits(one: Recovery, two: Recovery, *, rtol: float = 1e-6) -> None:
    """Both have the same moves with the same laws and estimates."""
    assert [(move.origin, move.target) for move in one.fitted] == [(move.origin, move.target) for move in two.fitted]
    for a, b in zip(one.fitted, two.fitted, strict=True):
        assert a.events == pytest.approx(b.events)
        assert a.exposure == pytest.approx(b.exposure)
        for left, right in zip(a.candidates, b.candidates, strict=True):
            assert left.weight == pytest.approx(right.weight)
            np.testing.assert_allclose(left.fit.theta, right.fit.theta, rtol=rtol, atol=rtol)


@pytest.fixture(scope="module")
def seen() -> pd.DataFrame:
    """Stays of 500 claims with relapse, late entry and attorneys."""
    return stays_seen(AttorneyWorld(), 500, seed=3)


@pytest.fixture(scope="module")
def recovery(seen: pd.DataFrame) -> Recovery:
    """The path fitted to them."""
    return fit_path(seen, covariates=["x"], candidates=("weibull", "piecewise"))


def test_a_book_and_a_table_of_its_stays_give_the_same_recovery() -> None:
    """`fit_recovery` of a book equals `fit_path` of its stays written as rows in time."""
    book = recovery_book(500, 4)
    spells = book.spells
    names = np.array(STATES, dtype=object)
    stop = pd.Series(spells.days).groupby(spells.claim).cumsum().to_numpy()
    rows = book.claims.iloc[spells.claim].reset_index(drop=True)
    rows = rows.assign(state=names[spells.state], start=stop - spells.days, stop=stop)
    rows["next_state"] = [None if code < 0 else STATES[code] for code in spells.next_state]
    rows["observed_from"] = spells.observed_from
    rows = rows[rows["stop"] > rows["start"]]
    bare = fit_recovery(book, covariates=[], candidates=("weibull",))
    same_fits(bare, fit_path(rows, covariates=[], candidates=("weibull",)))
    # Ages are measured from the mean over rows there, over claims here: only constants differ.
    laws = ("weibull", "lognormal")
    one, two = (
        fit_recovery(book, covariates=["age"], candidates=laws),
        fit_path(rows, covariates=["age"], candidates=laws),
    )
    place = one.transitions["off_work", "back_at_work"].candidates[0].fit.names.index("age, decades")
    slopes = [each.transitions["off_work", "back_at_work"].candidates[0].fit.theta[place] for each in (one, two)]
    assert slopes[0] == pytest.approx(slopes[1], rel=1e-6)


def test_the_order_of_rows_and_the_length_of_rows_do_not_matter(seen: pd.DataFrame, recovery: Recovery) -> None:
    """Rows shuffled, and stays cut in two rows at any day, give the same recovery."""
    rng = np.random.default_rng(5)
    shuffled = seen.sample(frac=1.0, random_state=7)
    same_fits(recovery, fit_path(shuffled, covariates=["x"], candidates=("weibull", "piecewise")))
    cut = rng.random(len(seen)) < 0.5
    middle = seen["start"] + rng.uniform(0.2, 0.8, len(seen)) * (seen["stop"] - seen["start"])
    first = seen[cut].assign(stop=middle[cut], next_state=None)
    second = seen[cut].assign(start=middle[cut])
    pieces = pd.concat([seen[~cut], first, second])
    two = fit_path(pieces, covariates=[], candidates=("weibull",))
    one = fit_path(seen, covariates=[], candidates=("weibull",))
    for a, b in zip(one.fitted, two.fitted, strict=True):
        np.testing.assert_allclose(a.candidates[0].fit.theta, b.candidates[0].fit.theta, rtol=1e-5, atol=1e-6)


def test_a_weight_of_two_is_two_claims(seen: pd.DataFrame) -> None:
    """Weights of two equal every claim told twice, in moves, days, laws and estimates."""
    again = seen.assign(claim_id=seen["claim_id"] + " again")
    doubled = fit_path(pd.concat([seen, again]), covariates=[], candidates=("weibull", "piecewise"))
    same_fits(fit_path(seen.assign(weight=2.0), covariates=[], candidates=("weibull", "piecewise")), doubled)


def test_all_defects_of_a_table_are_told_together() -> None:
    """Each rule of the rows is broken once; the error lists every one with its row, in order."""
    rows = [
        ("A", "ill", 0, 10, "well"),
        ("A", "well", 10, 20, "ill"),
        ("A", "ill", 18, 30, None),  # row 4 overlaps
        ("B", "ill", 0, 10, "well"),
        ("B", "well", 12, 20, None),  # row 6 leaves a gap
        ("C", "ill", 0, 10, "well"),
        ("C", "ill", 10, 20, None),  # row 8 is not where the row before moved
        ("D", "ill", 5, 5, "well"),  # row 9 has no length
        ("E", "sick", 0, 9, "well"),  # row 10 is in no declared state
        ("F", "gone", 0, 9, "well"),  # row 11 leaves what is never left
        ("G", "well", 0, 9, "well"),  # row 12 makes a move that is not declared
        ("H", "ill", 0, 9, None),
        ("H", "well", 9, 19, None),  # row 14 moved without saying so
        ("I", "ill", "soon", 9, None),  # row 15 holds text
        (None, "ill", 0, 9, None),  # row 16 is nobody's
        ("J", "ill", 0, 9, "cured"),  # row 17 moves to no declared state
        ("K", "ill_insured", 0, 9, "ill"),  # row 18 goes back from a twin
    ]
    with pytest.raises(ClaimDataError) as told:
        fit_path(table(rows), space=ILLNESS)
    places = [(defect.row, defect.column) for defect in told.value.defects]
    assert places == [
        (4, "start"), (6, "start"), (8, "state"), (9, "stop"), (10, "state"), (11, "next_state"), (12, "next_state"),
        (14, "state"), (15, "start"), (16, "claim_id"), (17, "next_state"), (18, "next_state"),
    ]  # fmt: skip
    assert "stays row 4 (claim A), `start`: the rows of a claim must not overlap; got 18" in str(told.value)
    more = table([("A", "ill", 0, 9, "well", -1.0, 10.0, np.nan)], ["observed_from", "interval", "weight"])
    with pytest.raises(ClaimDataError) as told:
        fit_path(more, space=ILLNESS)
    assert [defect.column for defect in told.value.defects] == ["observed_from", "weight", "interval"]
    with pytest.raises(ClaimDataError, match="3 defects"):
        fit_path(pd.DataFrame({"claim_id": ["A"], "state": ["ill"]}), space=ILLNESS)
    with pytest.raises(ClaimDataError, match="at least one row"):
        fit_path(table([]), space=ILLNESS)
    with pytest.raises(ValueError, match="at least one stay that ended"):
        fit_path(table([("A", "ill", 0, 9, None)]), space=ILLNESS)


def test_a_space_that_contradicts_itself_is_refused_whole() -> None:
    """Every contradiction of a declaration is in one error."""
    with pytest.raises(ValueError, match="contradict") as told:
        StateSpace(
            names=("a", "b", "b"),
            off_work=("a", "z"),
            working=("a",),
            absorbing=("a",),
            twins=(("a", "b"),),
            moves=(("a", "b"),),
        )
    for said in (
        "different",
        "'z', not in `names`",
        "both in `off_work`",
        "neither",
        "never left",
        "leaves 'a'",
        "a twin",
    ):
        assert said in str(told.value)
    with pytest.raises(ValueError, match="pair each state once"):
        StateSpace(names=("a", "b", "c"), twins=(("a", "b"), ("b", "c")))


@given(st.sampled_from(STATES), st.sampled_from(STATES))
def test_the_moves_of_a_book_s_states(origin: str, target: str) -> None:
    """Nobody leaves death or loses an attorney; the clock goes on to the own twin alone."""
    base, twin = STANDARD_STATES.base_of, STANDARD_STATES.twin_of
    allowed = STANDARD_STATES.allows(origin, target)
    assert allowed == (origin != "dead" and not (base[origin] != origin and target in twin))
    assert STANDARD_STATES.continues(origin, target) == (twin.get(origin) == target)


def test_declared_states_answer_and_reserves_refuse_them() -> None:
    """A recovery of other states has its moves, draws and table; what needs a book's states says so."""
    rng = np.random.default_rng(2)
    ill, well = np.ceil(rng.exponential(20, 400)), np.ceil(rng.exponential(60, 400))
    names = [f"C{row}" for row in range(400)]
    rows: list[Row] = [(name, "ill", 0, a, "well") for name, a in zip(names, ill, strict=True)]
    rows += [(name, "well", a, a + b, "ill") for name, a, b in zip(names, ill, well, strict=True)]
    rows += [(name, "ill", a + b, a + b + 5, None) for name, a, b in zip(names, ill, well, strict=True)]
    own = fit_path(table(rows), space=ILLNESS, candidates=("exponential",))
    assert set(own.transitions) == {("ill", "well"), ("well", "ill")}
    rate = own.transitions["ill", "well"]
    assert np.exp(-rate.candidates[0].fit.theta[0]) == pytest.approx(400 / (ill.sum() + 5 * 400), rel=1e-6)
    assert own.draw(10, 1).transitions_from("well")[0].target == "ill"
    assert "ill" in repr(own)
    with pytest.raises(ValueError, match="fitted on the states of a book"):
        remaining_days(own, recovery_book(100, 1))
    book = ledger_book()
    with pytest.raises(ValueError, match=r"fitted on the states of a book.*it has the states ill, well, gone"):
        forecast(book, own, fit_cost(book), scenarios=40)


@pytest.mark.parametrize("law", [law for law in LAWS if law not in CURES])
def test_a_twin_has_the_law_of_its_state_with_the_mark(seen: pd.DataFrame, law: str) -> None:
    """Out of a twin the same law with the mark's own coefficient: hazards, or days, are multiplied by its effect."""
    recovery = fit_path(seen, covariates=["x"], candidates=(law,))
    base = recovery.transitions["off_work", "back_at_work"]
    twin = recovery.transitions["off_work_represented", "back_at_work_represented"]
    assert base.candidates is twin.candidates
    assert (base.mark, twin.mark) == (0.0, 1.0)
    fitted = base.candidates[0]
    assert fitted.fit.family == law
    effect = float(fitted.fit.theta[fitted.fit.names.index("represented")])
    assert abs(effect) > 0.1
    # Whatever its weight, refused or not: the two moves as this law alone has them.
    alone = [replace(one, candidates=(replace(fitted, weight=1.0),)) for one in (base, twin)]
    plain, marked = replace(recovery, fitted=tuple(alone)).point().moves
    days, zero = np.array([3.0, 30.0, 300.0]), np.zeros(3, dtype=np.int64)
    at_base, at_twin = (np.repeat(one.location(np.ones((1, 1)))[0], 3) for one in (plain, marked))
    by_hazard = np.exp(effect) * plain.cumulative_hazard(days, at_base, zero)
    by_time = plain.cumulative_hazard(days * np.exp(-effect), at_base, zero)
    wanted = by_hazard if effects_of(alone)["measure"].eq("hazard ratio").all() else by_time
    np.testing.assert_allclose(marked.cumulative_hazard(days, at_twin, zero), wanted, rtol=1e-9)
    assert not np.allclose(by_hazard, by_time)


def test_a_twin_and_its_state_are_drawn_together(recovery: Recovery) -> None:
    """Draws of both moves use the same laws and covariate effects in every draw; the mark's effect varies."""
    moves = recovery.draw(200, 5).moves
    one, two = (
        next(move for move in moves if (move.origin, move.target) == (f"off_work{end}", f"back_at_work{end}"))
        for end in ("", "_represented")
    )
    assert np.array_equal(one.law_of_draw, two.law_of_draw)
    fit = recovery.transitions["off_work", "back_at_work"].candidates[0].fit
    code = [law.family for law in one.laws].index("weibull")
    mine = one.law_of_draw == code
    a, b = one.laws[code].coefficients[mine], two.laws[code].coefficients[mine]
    np.testing.assert_array_equal(a[:, 1:], b[:, 1:])
    effect = b[:, 0] - a[:, 0]
    place = fit.names.index("represented")
    error = float(fit.standard_error[place])
    assert effect.mean() == pytest.approx(float(fit.theta[place]), abs=4.5 * error / np.sqrt(mine.sum()))
    assert effect.std() == pytest.approx(error, rel=4.5 / np.sqrt(2 * mine.sum()))


def test_a_mark_with_too_few_exits_is_borrowed(seen: pd.DataFrame) -> None:
    """With fewer than five exits of represented workers the twin moves less than its state, but is drawn toward it."""
    marked = seen["state"].str.endswith("_represented") & seen["next_state"].notna()
    few = seen.copy()
    few.loc[few.index[marked][4:], "next_state"] = None
    keep = few.groupby("claim_id")["next_state"].transform(
        lambda column: column.shift(fill_value="start").notna().cumprod()
    )
    recovery = fit_path(few[keep.astype(bool)], covariates=[], candidates=("weibull",))
    twins = {pair: move for pair, move in recovery.transitions.items() if pair[0].endswith("_represented")}
    assert all(move.borrows for move in twins.values())
    told = {decision.rule: decision for decision in recovery.decisions}["represented borrowed"]
    assert told.count == len(twins)
    assert "off_work to back_at_work" in told.meaning
    at = {(one.origin, one.target): one for one in recovery.point().moves}
    none, zero = np.zeros((1, 0)), np.zeros(1, dtype=np.int64)

    def collected(origin: str, target: str, days: float) -> float:
        move = at[origin, target]
        return float(move.cumulative_hazard(np.array([days]), move.location(none)[:, 0], zero)[0])

    # Four exits or none of some hundred: nearly all of the twin's exits were taken away, its days at risk were not.
    ratio = collected("off_work_represented", "back_at_work_represented", 100.0) / collected(
        "off_work", "back_at_work", 100.0
    )
    assert 0.0 < ratio < 0.3


def test_the_present_stay_goes_on_in_the_twin(recovery: Recovery) -> None:
    """Staying and leaving sum to one; without the move to the twin it is the survival of the state alone."""
    days = np.linspace(0.0, 400.0, 401)
    design, age = np.zeros((3, 1)), np.array([0.0, 20.0, 90.0])
    clocks = age, age
    staying, left = present_stay(recovery.fitted, "off_work", design, clocks, days)
    np.testing.assert_allclose(staying + sum(left.values()), 1.0, atol=1e-12)
    assert {"back_at_work", "back_at_work_represented"} <= set(left)
    twin, _ = present_stay(recovery.fitted, "off_work_represented", design, clocks, days)
    # Represented workers stay longer in this world, so a worker who may become one lies between.
    alone = [one for one in recovery.fitted if not one.continues]
    without, _ = present_stay(alone, "off_work", design, clocks, days)
    assert (without[:, 50] < staying[:, 50]).all()
    assert (staying[:, 50] < twin[:, 50]).all()
    finer, _ = present_stay(recovery.fitted, "off_work", design, clocks, np.linspace(0.0, 400.0, 4001))
    np.testing.assert_allclose(staying, finer[:, ::10], atol=2e-4)


def test_effects_are_told_with_their_errors(recovery: Recovery) -> None:
    """The table of effects holds the ratio, its error and its limits; the recovery prints the mark's."""
    effects = recovery.effects()
    row = effects[(effects["from"] == "off_work") & (effects["covariate"] == "represented")].iloc[0]
    assert row["lower"] < row["ratio"] < row["upper"]
    assert np.log(row["upper"] / row["lower"]) == pytest.approx(2 * 1.959964 * row["standard_error"], rel=1e-6)
    assert set(effects["measure"]) <= {"time ratio", "hazard ratio"}
    assert "represented" in repr(recovery)
    apart = [one.origin for one in recovery.fitted if one.origin.endswith("_represented") and not one.shared]
    assert set(effects["from"][effects["from"].str.endswith("_represented")]) <= set(apart)
    assert len(replace(recovery, fitted=()).effects()) == 0
