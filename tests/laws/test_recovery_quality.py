"""What must hold of calibration, residuals and the verdict whatever the claims."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.part import part_of_book
from msk_reserves.claims.spells import Spells
from msk_reserves.claims.vocabulary import STATE_CODE
from msk_reserves.recovery.curves.nonparametric import aalen_johansen
from msk_reserves.recovery.laws.families import FAMILIES, cumulative_hazard
from msk_reserves.recovery.path.model import Recovery, fit_recovery
from msk_reserves.recovery.path.transitions import stays_at_risk, stays_of
from msk_reserves.recovery.quality.calibration import calibration
from msk_reserves.recovery.quality.cox_snell import cox_snell
from msk_reserves.recovery.quality.group_check import predicted_and_observed
from msk_reserves.recovery.quality.judged import judged_stays
from msk_reserves.recovery.quality.occupation_check import occupation_check
from msk_reserves.recovery.quality.proportionality import proportionality
from msk_reserves.recovery.quality.verdict import assess_held_out, assess_recovery
from tests.worlds.recovery import recovery_book

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=20, deadline=None)
BOOK = recovery_book(700, 21)
RECOVERY = fit_recovery(BOOK, candidates=("lognormal", "weibull"))


def _sample(seed: int) -> tuple[Floats, Floats, Integers]:
    """Predictions (tied), days (tied) and exits of sixty stays."""
    rng = np.random.default_rng(seed)
    days, code = rng.integers(1, 25, 60).astype(np.float64), rng.choice([0, 1, 2], 60, p=[0.3, 0.5, 0.2])
    days[:2], code[:2] = (1.0, 30.0), (1, 0)
    return rng.integers(1, 9, 60) / 10.0, days, code.astype(np.int64)


def _figures(share: Floats, days: Floats, code: Integers, weights: Floats) -> Floats:
    """Every figure of a calibration in one row, groups in order."""
    found = calibration(share, days, code, 12.0, weights=weights, groups=4)
    line = [found.intercept, found.intercept_error, found.slope, found.slope_error, *found.ratio_interval]
    return np.concatenate([line, found.groups.to_frame().to_numpy(dtype=np.float64).ravel()])


@FEW
@given(seed=SEEDS)
def test_calibration_does_not_tell_a_weight_from_repetition_nor_an_order(seed: int) -> None:
    """Whole weights count as repeated stays, in any order."""
    share, days, code = _sample(seed)
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 4, 60)
    again = rng.permutation(np.repeat(np.arange(60), weights))
    expected = _figures(share, days, code, weights.astype(np.float64))
    np.testing.assert_allclose(
        _figures(share[again], days[again], code[again], np.ones(len(again))), expected, rtol=1e-6, atol=1e-9
    )


@FEW
@given(seed=SEEDS)
def test_the_share_seen_is_aalen_johansens(seed: int) -> None:
    """Overall and in each group; predictions equal to it have a ratio of one and no shift."""
    share, days, code = _sample(seed)
    found = calibration(share, days, code, 12.0, groups=3)
    assert found.overall.share[0] == pytest.approx(float(aalen_johansen(days, code).at(12.0, 1)), rel=1e-12)
    right = calibration(np.full(60, found.overall.share[0]), days, code, 12.0)
    assert right.observed_over_expected == pytest.approx(1.0, rel=1e-12)
    assert right.intercept == pytest.approx(0.0, abs=1e-8)
    assert found.groups.stays.sum() == 60


@FEW
@given(seed=SEEDS, unit=st.floats(0.1, 50.0))
def test_constancy_of_effects_does_not_depend_on_the_unit_of_time(seed: int, unit: float) -> None:
    """The test with log days is the same in weeks, for stays in any order."""
    rng = np.random.default_rng(seed)
    days, left = rng.integers(1, 60, 80).astype(np.float64), rng.random(80) < 0.7
    design = np.column_stack([rng.random(80) < 0.5, rng.normal(size=80)])
    order = rng.permutation(80)
    one = proportionality(days, left, design)
    other = proportionality(days[order] * unit, left[order], design[order])
    np.testing.assert_allclose(other.chi_square, one.chi_square, rtol=1e-6, atol=1e-9)


def test_predicted_exits_and_staying_are_everything() -> None:
    """Predictions of all moves out of a state sum to one less survival; they grow with the day."""
    every = [move.target for move in RECOVERY.transitions_from("off_work")]
    parts = [judged_stays(RECOVERY, BOOK, targets=(name,)).predicted for name in every]
    whole = judged_stays(RECOVERY, BOOK, targets=every).predicted
    np.testing.assert_allclose(np.sum(parts, axis=0), whole, rtol=1e-9)
    assert (np.diff(whole, axis=1) >= 0).all()
    assert (whole <= 1).all()


def test_stays_are_judged_from_the_day_most_are_watched() -> None:
    """With entry on day 3 for all, stays begin there; those entered later are left out and counted."""
    judged = judged_stays(RECOVERY, BOOK)
    assert judged.stays.start == 3.0
    spells = BOOK.spells
    late = np.array(spells.observed_from)
    some = np.flatnonzero((spells.state == STATE_CODE["off_work"]) & (spells.days > 20))[:50]
    late[some] = 20.0
    columns = {name: getattr(spells, name) for name in Spells.__slots__}
    moved = replace(BOOK, spells=Spells(**(columns | {"observed_from": late})))
    assert judged_stays(RECOVERY, moved).left_out == judged.left_out + 50
    assert len(judged_stays(RECOVERY, moved, start=20.0).stays) == int((judged.stays.days > 20).sum())


def _with_attorneys(book: ClaimBook) -> ClaimBook:
    """Return a book in which every third first stay longer than 30 days saw an attorney retained on day 20."""
    spells = book.spells
    split = np.flatnonzero((spells.state == STATE_CODE["off_work"]) & (spells.days > 30))[::3]
    row = np.sort(np.concatenate([np.arange(len(spells)), split]))
    second = np.append(False, row[1:] == row[:-1])
    first = np.append(second[1:], False)
    columns = {name: getattr(spells, name)[row] for name in Spells.__slots__}
    twin = STATE_CODE["off_work_represented"]
    columns["state"] = np.where(second, twin, columns["state"])
    columns["days"] = np.where(first, 20.0, columns["days"])
    columns["next_state"] = np.where(first, twin, columns["next_state"])
    columns["observed_from"] = np.where(second, 20.0, columns["observed_from"])
    return replace(book, spells=Spells(**columns))


def test_an_attorney_does_not_end_the_stay_that_is_judged() -> None:
    """Stays are the same with attorneys retained in them, and represented from the day they are."""
    book = _with_attorneys(BOOK)
    recovery = fit_recovery(book, candidates=("lognormal", "weibull"), covariates=("age",))
    judged, plain = judged_stays(recovery, book), judged_stays(RECOVERY, BOOK)
    np.testing.assert_array_equal(judged.stays.days, plain.stays.days)
    np.testing.assert_array_equal(judged.stays.exit, plain.stays.exit)
    assert not judged.represented.any()
    later = judged_stays(recovery, book, start=25.0)
    split = int((book.spells.state == STATE_CODE["off_work_represented"]).sum())
    assert int(later.represented.sum()) == split
    frame = predicted_and_observed(later, book, ("represented",)).to_frame()
    assert set(frame["level"]) == {"represented", "not represented"}
    # Moves seen and expected are those of the whole stays: the day of the attorney is no exit.
    residuals = cox_snell(recovery, book)
    assert residuals.seen.sum() == cox_snell(RECOVERY, BOOK).seen.sum()
    assert residuals.expected.sum() == pytest.approx(residuals.seen.sum(), rel=0.05)


def test_groups_make_the_whole() -> None:
    """Stays of the groups of a covariate sum to all; levels known only later are refused."""
    judged = judged_stays(RECOVERY, BOOK)
    check = predicted_and_observed(judged, BOOK)
    frame = check.to_frame()
    for (_, _), part in frame.groupby(["by", "days"]):
        assert part["stays"].sum() == len(judged.stays)
        assert (part["stays"] * part["predicted"]).sum() > 0
    assert set(frame["by"]) == {"body_part", "age", "arrangement", "represented"}
    few = BOOK.claims.assign(part=np.where(np.arange(len(BOOK)) % 50 == 0, "hip", BOOK.claims["body_part"]))
    few["part"] = few["part"].mask(np.arange(len(BOOK)) % 60 == 1, "toe")
    levels = set(predicted_and_observed(judged, replace(BOOK, claims=few), ("part",)).to_frame()["level"])
    assert "other" in levels
    assert not levels & {"hip", "toe"}, "levels with few stays are shown as one"
    with pytest.raises(ValueError, match="'attorney' is learned later"):
        predicted_and_observed(judged, BOOK, ("attorney",))
    with pytest.raises(ValueError, match="there is none of colour"):
        predicted_and_observed(judged, BOOK, ("colour",))


def test_unknown_ages_and_few_claims_are_groups_of_their_own() -> None:
    """A missing value is a level named unknown, and nothing is dropped."""
    claims = BOOK.claims.assign(age=BOOK.claims["age"].mask(np.arange(len(BOOK)) < 40))
    judged = judged_stays(RECOVERY, BOOK)
    frame = predicted_and_observed(judged, replace(BOOK, claims=claims), ("age", "weekly_wage")).to_frame()
    first = frame[frame["days"] == 91.0]
    assert "unknown" in set(first.loc[first["by"] == "age", "level"])
    assert (first.groupby("by")["stays"].sum() == len(judged.stays)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"state": "closed"}, "`targets` must name moves out of 'closed'"),
        ({"targets": ("settled",)}, "`targets` must be one of"),
        ({"horizons": (3.0,)}, "`horizons` must ascend from beyond the start, 3"),
        ({"start": "soon"}, "`start` must be one of auto"),
        ({"start": 5_000.0, "horizons": (6_000.0,)}, "none is watched from day 5000 on"),
    ],
)
def test_what_cannot_be_judged_is_refused(options: dict[str, object], message: str) -> None:
    """Each defect has its sentence."""
    call: object = judged_stays
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call(RECOVERY, BOOK, **options)


def test_residuals_refuse_what_they_cannot_answer() -> None:
    """Bands that do not ascend, and states without moves."""
    with pytest.raises(ValueError, match="`band_days` must ascend"):
        cox_snell(RECOVERY, BOOK, band_days=(10.0, 5.0))
    with pytest.raises(ValueError, match="`state` must have moves in the recovery; 'settled' has none"):
        cox_snell(RECOVERY, BOOK, state="settled")


def test_calibration_refuses_what_nobody_saw() -> None:
    """Days beyond the last watched, predictions outside [0, 1], horizons before the start."""
    with pytest.raises(ValueError, match="`horizon` must not lie beyond the last day watched, 3"):
        calibration([0.5, 0.5], [2.0, 3.0], [1, 0], 9.0)
    with pytest.raises(ValueError, match=r"`predicted` must lie in \[0, 1\]"):
        calibration([1.5, 0.5], [2.0, 3.0], [1, 0], 2.5)
    with pytest.raises(ValueError, match="`horizon` must lie beyond `start`, 1"):
        calibration([0.5, 0.5], [2.0, 3.0], [1, 0], 1.0, start=1.0)
    with pytest.raises(ValueError, match="one entry a stay"):
        calibration([0.5], [2.0, 3.0], [1, 0], 2.5)


def test_effects_that_run_off_are_refused() -> None:
    """A covariate that orders the exits completely has no finite effect."""
    with pytest.raises(ValueError, match="`design` must leave the partial likelihood a maximum"):
        proportionality([1, 2, 3, 4], [1, 1, 1, 1], [[4.0], [3.0], [2.0], [1.0]])
    with pytest.raises(ValueError, match="`transform` must be one of"):
        proportionality([1, 2, 3], [1, 1, 0], [[0.0], [1.0], [0.0]], transform="rank")


def test_the_verdict_names_every_check_with_its_rule() -> None:
    """One row a check: value, rule, source, outcome; a sentence that counts them; a table for a notebook."""
    found = assess_recovery(RECOVERY, BOOK)
    frame = found.to_frame()
    assert list(frame.columns) == ["check", "value", "rule", "source", "outcome"]
    assert frame["check"].is_unique
    assert (frame[["value", "rule", "source"]].map(len) > 0).to_numpy().all()
    assert set(frame["outcome"]) <= {"pass", "caution", "fail"}
    needed = {"laws converged", "returns to work seen", "spread over laws", "moments exist", "Brier skill"}
    needed |= {"calibration at 13 weeks", "calibration at 26 weeks", "calibration at 52 weeks", "exits late in a stay"}
    assert needed <= set(frame["check"])
    assert f"{len(frame)} checks on the claims it was fitted to" in found.verdict
    assert "claims it had not seen" in replace(found, held_out=True).verdict
    assert found.verdict in repr(found)
    assert "<table" in found._repr_html_()  # the notebook's own hook
    assert found.path is not None
    for one in (*found.judged, *found.groups, *found.residuals, found.path):
        assert repr(one)
    for shown in (found.groups[0], found.residuals[0], found.judged[0].calibration(91.0), found.path):
        assert "<table" in shown._repr_html_()


def _spoiled(how: str) -> Recovery:
    """Return a recovery with one thing wrong."""
    if how == "beyond":
        return replace(RECOVERY, beyond_data=(("off_work", 0.6), *RECOVERY.beyond_data[1:]))
    back = RECOVERY.transitions["off_work", "back_at_work"]
    one = back.kept()[0]
    fit = replace(one.fit, converged=False) if how == "converged" else one.fit
    moved = replace(back, events=5.0 if how == "few" else back.events, candidates=(replace(one, fit=fit, weight=1.0),))
    return replace(RECOVERY, fitted=tuple(moved if move is back else move for move in RECOVERY.fitted))


@pytest.mark.parametrize(
    ("how", "check"),
    [
        ("beyond", "mean stay off work beyond the data"),
        ("converged", "laws converged"),
        ("few", "returns to work seen"),
    ],
)
def test_a_recovery_with_a_defect_fails(how: str, check: str) -> None:
    """Most of the mean beyond the data, a law that did not converge, five returns: each forbids reserving."""
    found = assess_recovery(_spoiled(how), BOOK)
    outcomes = {one.name: one.outcome for one in found.checks}
    assert outcomes[check] == "fail"
    assert found.outcome == "fail"
    assert found.verdict.startswith("Not to be reserved on as it is: ")


def test_too_few_stays_are_not_judged() -> None:
    """Fewer than 100 first stays off work are refused, with their number."""
    with pytest.raises(ValueError, match="`book` must hold 100 first stays off work or more"):
        assess_recovery(RECOVERY, recovery_book(80, 3))
    alone = replace(RECOVERY, fitted=tuple(move for move in RECOVERY.fitted if move.target != "back_at_work"))
    with pytest.raises(ValueError, match="`recovery` must have a move from off_work back to work"):
        assess_recovery(alone, BOOK)


def test_other_claims_without_a_covariate_are_compared_by_what_they_have() -> None:
    """Columns the book lacks are passed over."""
    judged = judged_stays(RECOVERY, BOOK)
    bare = replace(BOOK, claims=pd.DataFrame({"claim_id": BOOK.claims["claim_id"]}))
    assert set(predicted_and_observed(judged, bare).to_frame()["by"]) == {"represented"}


def test_parts_of_a_book_make_the_whole() -> None:
    """Claims, stays and positions of two parts are those of the book; rows that do not ascend are refused."""
    first = np.arange(0, len(BOOK), 3)
    parts = [part_of_book(BOOK, first), part_of_book(BOOK, np.setdiff1d(np.arange(len(BOOK)), first))]
    assert sum(map(len, parts)) == len(BOOK)
    assert sum(len(one.spells) for one in parts) == len(BOOK.spells)
    for one in parts:
        ids = one.claims["claim_id"].to_numpy()[one.spells.claim]
        whole = BOOK.claims["claim_id"].to_numpy()[BOOK.spells.claim]
        np.testing.assert_array_equal(one.spells.days, BOOK.spells.days[np.isin(whole, ids)])
        assert len(one.position) == len(one.paid) == len(one)
    with pytest.raises(ValueError, match="`rows` must ascend"):
        part_of_book(BOOK, np.array([3, 1]))


def test_claims_held_out_are_chosen_one_by_one() -> None:
    """The model is fitted to the rest; which claims are held out does not depend on the others."""
    fitted: list[ClaimBook] = []

    def fit(book: ClaimBook) -> Recovery:
        fitted.append(book)
        return fit_recovery(book, candidates=("lognormal",), covariates=("age",))

    found = assess_held_out(BOOK, fit, share=0.4, seed=2)
    assert found.held_out
    assert len(fitted[0]) / len(BOOK) == pytest.approx(0.6, abs=0.08)
    half = part_of_book(BOOK, np.arange(len(BOOK) // 2))
    assess_held_out(half, fit, share=0.4, seed=2)
    known = set(fitted[0].claims["claim_id"]) & set(half.claims["claim_id"])
    assert set(fitted[1].claims["claim_id"]) == known
    with pytest.raises(ValueError, match="`share` must lie strictly between 0 and 1"):
        assess_held_out(BOOK, fit, share=1.0)


def test_shares_along_the_path_are_everything() -> None:
    """Predicted and seen shares sum to one on each day; averaging fewer claims widens the error."""
    few, all_ = (occupation_check(RECOVERY, BOOK, most_claims=n) for n in (20, len(BOOK)))
    for table in (few.predicted, all_.predicted, all_.observed):
        np.testing.assert_allclose(table.sum(axis=1), 1.0, rtol=1e-6)
    assert (few.standard_error >= all_.standard_error - 1e-12).all()
    known = all_.n_claims * np.maximum(all_.predicted, all_.observed) >= 10
    assert np.isnan(all_.z[~known]).all()
    assert all_.n_claims == int((judged_stays(RECOVERY, BOOK).stays.days > 3).sum())
    with pytest.raises(ValueError, match="`horizons` must not lie beyond the last day seen"):
        occupation_check(RECOVERY, BOOK, (91.0, 9_000.0))


class _Tabled:
    """A model of one's own: the same cumulative hazard for every claim."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def cumulative_hazard(self, claims: pd.DataFrame, days: Floats) -> Floats:
        """Return a hazard that falls with the days."""
        return np.tile(self.factor * np.log1p(days / 30.0), (len(claims), 1))


def test_a_model_of_ones_own_is_judged_like_any_other() -> None:
    """One that is far too fast fails; nothing is asked of its laws."""
    own = RECOVERY.with_transition("off_work", "back_at_work", _Tabled(3.0), BOOK)
    found = assess_recovery(own, BOOK)
    outcomes = {one.name: one.outcome for one in found.checks}
    assert outcomes["calibration at 13 weeks"] == "fail"
    assert outcomes["laws converged"] == outcomes["moments exist"] == "pass"


def test_residuals_run_on_the_clock_of_the_move() -> None:
    """Of a move on the days since the path began: its law's hazard between entry and end of the stay on that clock."""
    recovery = fit_recovery(BOOK, candidates=("lognormal",), covariates=())
    move = replace(recovery.transitions["relapse", "back_at_work"], forward=True)
    found = cox_snell(replace(recovery, fitted=(move,)), BOOK, state="relapse")
    group = next(one for one in stays_at_risk(stays_of(BOOK))[0] if one.state == "relapse")
    (law,) = move.kept()
    design = recovery.design.of_stays(BOOK.claims, group.row, group.since)[:, list(move.columns)]
    assert design.any(), "an effect of how late the relapse came, by stay"
    at = law.fit.theta[0] + design @ law.fit.theta[1:-1], law.fit.scale, law.fit.shape
    until, entry = (
        cumulative_hazard(FAMILIES["lognormal"], group.since + days, *at) for days in (group.days, group.entry)
    )
    known = group.interval == 0
    assert known.sum() > 50
    assert (group.since[known] > 10).any()
    np.testing.assert_allclose(found.residual[known], (until - entry)[known], rtol=1e-9)
    np.testing.assert_allclose(found.expected.sum(), (until - entry).sum(), rtol=0.05)


def test_judged_stays_run_on_the_clock_of_the_move() -> None:
    """A first stay is told the same on both clocks; a relapse is not, and is given the days of its path."""
    first = replace(RECOVERY, fitted=tuple(replace(one, forward=True) for one in RECOVERY.fitted))
    same, plain = judged_stays(first, BOOK), judged_stays(RECOVERY, BOOK)
    np.testing.assert_array_equal(same.predicted, plain.predicted)
    other, plain = (judged_stays(each, BOOK, state="relapse", horizons=(60.0,)) for each in (first, RECOVERY))
    assert np.abs(other.predicted - plain.predicted).max() > 0.05
