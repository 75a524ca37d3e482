"""Checks of a recovery on worlds whose hazards are known: true predictions pass, wrong ones do not."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from msk_reserves._checks import Floats
from msk_reserves.recovery.quality.concordance import concordance
from msk_reserves.recovery.quality.cox_snell import cox_snell
from msk_reserves.recovery.quality.judged import judged_stays
from msk_reserves.recovery.quality.proportionality import proportionality
from msk_reserves.recovery.quality.verdict import assess_recovery
from tests.worlds.recovery import recovery_book
from tests.worlds.true_recovery import true_recovery

BOOKS = range(40)
TRUTH = true_recovery(recovery_book(3_000, 1))


def allowed(n: int, level: float, *, alarm: float = 0.001) -> float:
    """Most misses of `n` that chance alone exceeds in fewer than one of a thousand tests."""
    return float(stats.binom.ppf(1 - alarm, n, level))


def test_true_predictions_are_calibrated() -> None:
    """40 books of 500 claims: 95 % intervals of ratio and slope miss 1, and group tests reject, as often as they say.

    Each of the three counts is exceeded by chance in one test of a thousand; the books share nothing.
    """
    missed: Counter[str] = Counter()
    for seed in BOOKS:
        book = recovery_book(500, 300 + seed)
        judged = judged_stays(TRUTH, book, targets=("back_at_work",), horizons=(91.0,))
        found = judged.calibration(91.0, groups=5)
        for name, (low, high) in (("ratio", found.ratio_interval), ("slope", found.slope_interval)):
            missed[name] += not low <= 1 <= high
        missed["groups"] += found.group_p_value < 0.05
    assert all(missed[name] <= allowed(len(BOOKS), 0.05) for name in ("ratio", "slope", "groups")), missed


def test_residuals_of_the_truth_are_exponential() -> None:
    """Windows of a day, 3,000 claims: bands reject at 1 in 1,000 only, the residuals' hazard follows the diagonal."""
    book = recovery_book(3_000, 17, interval=1.0)
    found = cox_snell(TRUTH, book)
    assert found.p_value > 0.001
    curve = found.curve()
    at = np.array([0.25, 0.5, 1.0, 2.0])
    error = np.interp(at, curve.times, curve.standard_error)
    # Four points, each within four errors: one false alarm in four thousand.
    assert (np.abs(curve(at) - at) < 4 * error).all()


def test_the_truth_has_the_best_score() -> None:
    """Brier score over 20 books: worse by four errors if shifted by .4, or with three times the effect of age.

    The concordance does not see the shift, and is the same by the third decimal.
    """
    worse: dict[str, list[float]] = {"shift": [], "effect": []}
    for seed in BOOKS[:20]:
        book = recovery_book(500, 300 + seed)
        truth = judged_stays(TRUTH, book)
        for name, wrong in (("shift", {"shift": 0.4}), ("effect", {"effect": 0.36})):
            moved = judged_stays(true_recovery(TRUTH, **wrong), book)
            worse[name].append(moved.brier().integrated - truth.brier().integrated)
            if name == "shift" and seed == BOOKS[0]:
                assert moved.concordance(182.0).estimate == pytest.approx(truth.concordance(182.0).estimate, abs=1e-3)
    for gains in worse.values():
        assert np.mean(gains) > 4 * np.std(gains) / np.sqrt(len(gains))


def test_the_verdict_knows_the_truth_from_a_wrong_recovery() -> None:
    """Four books: the truth fails no check of chance; returns two thirds slower fail calibration in every one.

    A chance check fails by accident with a chance below 1 in 1,000, and there are seven a book.
    """
    names = {"calibration by group", "states along the path", "exits off work by duration", "exits late in a stay"}
    for seed in range(4):
        book = recovery_book(800, 500 + seed, interval=1.0)
        outcomes = {one.name: one.outcome for one in assess_recovery(TRUTH, book, held_out=True).checks}
        chance = {name for name in outcomes if name in names or name.startswith("calibration at")}
        assert len(chance) == 7
        assert not [name for name in chance if outcomes[name] == "fail"]
        wrong = assess_recovery(true_recovery(TRUTH, shift=0.5), book, held_out=True)
        failed = {one.name for one in wrong.checks if one.outcome == "fail"}
        assert {"calibration at 13 weeks", "states along the path"} <= failed
        assert wrong.verdict.startswith("Not to be reserved on as it is: ")


def _stays(rng: np.random.Generator, drift: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Days, exits, entries and covariates with the hazard exp(.5 x) t^(drift x) of an indicator, delayed entry."""
    n = 250
    x = (rng.random(n) < 0.5).astype(np.float64)
    power = 1 + drift * x
    days = (power * rng.exponential(size=n) * np.exp(-0.5 * x)) ** (1 / power)
    entry = np.where(rng.random(n) < 0.3, rng.exponential(0.3, n), 0.0)
    end = rng.uniform(0.5, 3.0, n)
    seen = (days > entry) & (end > entry)
    watched = np.minimum(days, end)[seen]
    return watched, (days <= end)[seen].astype(np.float64), entry[seen], np.column_stack([x, rng.normal(size=n)])[seen]


def test_drift_of_an_effect_is_found_and_constancy_is_not_accused() -> None:
    """150 samples: p-values of constant effects are uniform (Kolmogorov-Smirnov at 1 in 1,000), drifts mostly found."""
    rng = np.random.default_rng(5)
    null, found = [], 0
    for _ in range(150):
        days, exits, entry, design = _stays(rng, 0.0)
        null.append(proportionality(days, exits, design, entry=entry).p_value)
    for _ in range(50):
        days, exits, entry, design = _stays(rng, 0.8)
        test = proportionality(days, exits, design, entry=entry)
        found += bool(test.p_value[0] < 0.05)
        assert test.drift[0] > -1.0
    for column in np.array(null).T:
        assert stats.kstest(column, "uniform").pvalue > 0.001
    assert found >= 25


def test_weighted_concordance_does_not_depend_on_censoring() -> None:
    """Uno's concordance under heavy censoring is that of all stays seen whole, within four errors; Harrell's is off."""
    rng = np.random.default_rng(8)
    n = 6_000
    risk = rng.normal(size=n)
    # The risk orders early exits only: later ones come from everybody alike.
    days = np.where(rng.random(n) < 0.5, rng.exponential(np.exp(-1.5 * risk)), 1 + rng.exponential(size=n))
    end = rng.exponential(1.0, n)
    whole = concordance(risk, days, np.ones(n), truncation=2.0)
    watched, left = np.minimum(days, end), days <= end
    uno = concordance(risk, watched, left, method="uno", truncation=2.0)
    harrell = concordance(risk, watched, left, truncation=2.0)
    assert abs(uno.estimate - whole.estimate) < 4 * uno.standard_error
    assert abs(harrell.estimate - whole.estimate) > 4 * harrell.standard_error
