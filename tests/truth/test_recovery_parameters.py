"""Known parameters are found again from truncated stays known to the week, with honest errors."""

import numpy as np
import pytest
from scipy import stats

from msk_reserves._checks import Floats
from msk_reserves.recovery.curves.nonparametric import aalen_johansen, kaplan_meier
from msk_reserves.recovery.laws.families import FAMILIES, days_at_hazard
from msk_reserves.recovery.laws.fit import FittedFamily, fit_family

# Two-sided false-alarm rate of one comparison below.
FALSE_ALARM = 1e-4


def fitted(name: str, **given: Floats) -> FittedFamily:
    """Fit a law to columns gathered by name."""
    more = {key: given[key] for key in ("entry", "interval", "weights", "design") if key in given}
    return fit_family(name, given["days"], given["exited"], names=None, **more)


def stays(name: str, n: int, rng: np.random.Generator, *, shape: float = 0.0, week: float = 7.0) -> dict[str, Floats]:
    """Stays with entry at 3 or 7 days, censored at random, exits known to the week; constant 3.3, effect .25."""
    design = rng.standard_normal((n, 1))
    family = FAMILIES[name]
    sigma = 0.9 if family.free_scale else 1.0
    t = days_at_hazard(family, rng.exponential(size=n), 3.3 + 0.25 * design[:, 0], sigma, shape)
    censor = week * np.ceil(rng.uniform(20, 300, n) / week)
    end = week * np.ceil(t / week)
    exited = end <= censor
    entry = np.where(rng.random(n) < 0.5, 3.0, 7.0)
    days = np.where(exited, end, censor)
    seen = (t > entry) & (days > entry)
    width = np.where(exited, week, 0.0)
    full = {"days": days, "exited": exited.astype(float), "entry": entry, "interval": width, "design": design}
    return {key: column[seen] for key, column in full.items()}


@pytest.mark.parametrize(
    ("name", "shape"),
    [("exponential", 0.0), ("weibull", 0.0), ("lognormal", 0.0), ("loglogistic", 0.0), ("gengamma", -0.5)],
)
def test_parameters_come_back(name: str, shape: float) -> None:
    """One large sample: every parameter within 4.5 standard errors (false alarm 1e-5 each), which are small."""
    data = stays(name, 20_000, np.random.default_rng(11), shape=shape)
    fit = fitted(name, **data)
    family = FAMILIES[name]
    truth = [3.3, 0.25, *([np.log(0.9)] * family.free_scale), *([shape] * family.free_shape)]
    assert fit.converged
    np.testing.assert_array_less(np.abs(fit.theta - truth) / fit.standard_error, 4.5)
    assert (fit.standard_error < 0.1).all()


@pytest.mark.parametrize("name", ["weibull", "lognormal", "loglogistic"])
def test_intervals_cover(name: str) -> None:
    """The 90 % intervals of each parameter hold the truth in 200 samples as often as chance allows (0.01 % each)."""
    rng = np.random.default_rng(23)
    truth = np.array([3.3, 0.25, np.log(0.9)])
    hits = np.zeros(3)
    for _ in range(200):
        fit = fitted(name, **stays(name, 300, rng))
        assert fit.converged
        hits += np.abs(fit.theta - truth) < 1.6448536 * fit.standard_error
    low, high = stats.binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], 200, 0.9)
    assert (hits >= low).all(), hits
    assert (hits <= high).all(), hits


def test_piecewise_finds_a_changing_rate() -> None:
    """Rates .03 to day 28, .01 to day 91, .004 after, hazard ratio e^.5, exits known to the week."""
    rng = np.random.default_rng(31)
    n = 20_000
    design = rng.integers(0, 2, (n, 1)).astype(float)
    wanted = rng.exponential(size=n) * np.exp(-0.5 * design[:, 0])
    early, middle = 0.03 * 28, 0.03 * 28 + 0.01 * 63
    t = np.where(wanted < early, wanted / 0.03, 28 + (wanted - early) / 0.01)
    t = np.where(wanted > middle, 91 + (wanted - middle) / 0.004, t)
    end = 7 * np.ceil(t / 7)
    exited = end <= 364
    days = np.where(exited, end, 364.0)
    fit = fit_family("piecewise", days, exited, interval=np.where(exited, 7.0, 0.0), design=design)
    starts = np.concatenate([[0.0], fit.cuts])
    truth = np.log(np.where(starts < 28, 0.03, np.where(starts < 91, 0.01, 0.004)))
    error = np.abs(fit.theta - np.append(truth, 0.5)) / fit.standard_error
    assert fit.converged
    assert (fit.cuts < 364).sum() >= 6
    # What lies beyond the year seen is assumed to decline.
    np.testing.assert_array_less(error[np.append(starts < 364, True)], 4.5)


def test_ignoring_entry_would_be_wrong() -> None:
    """The same stays without their entry give a constant too high by more than six standard errors."""
    data = stays("weibull", 20_000, np.random.default_rng(5))
    data.pop("entry")
    fit = fitted("weibull", **data)
    assert (fit.theta[0] - 3.3) / fit.standard_error[0] > 6


def test_incidence_intervals_cover() -> None:
    """Delta 90 % intervals of the share back at day 30 hold the truth in 300 samples of 150 competing exits."""
    rng = np.random.default_rng(41)
    truth = 2 / 3 * (1 - np.exp(-30 * 0.03))
    hits = {"delta": 0, "infinitesimal_jackknife": 0}
    for _ in range(300):
        days = rng.exponential(1 / 0.03, 150)
        cause = np.where(rng.random(150) < 2 / 3, 1, 2)
        censor = rng.uniform(10, 120, 150)
        seen = np.where(days <= censor, cause, 0)
        for variance in hits:
            curves = aalen_johansen(np.minimum(days, censor), seen, variance=variance)
            error = float(curves.standard_error_at(30.0, 1))
            hits[variance] += int(abs(float(curves.at(30.0, 1)) - truth) < 1.6448536 * error)
    low, high = stats.binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], 300, 0.9)
    assert all(low <= count <= high for count in hits.values()), hits


def test_left_truncated_curve_is_unbiased() -> None:
    """With entry respected, the curve given survival to day 7 lies on the law's, within 4.5 errors at five days."""
    rng = np.random.default_rng(51)
    days = 40 * rng.weibull(0.8, 8_000)
    entry = rng.uniform(0, 60, 8_000)
    seen = days > entry
    curve = kaplan_meier(days[seen], np.ones(int(seen.sum())), entry=entry[seen], start=7.0)
    for day in (10.0, 20.0, 40.0, 80.0, 120.0):
        place = int(np.searchsorted(curve.times, day, side="right")) - 1
        truth = np.exp((7 / 40) ** 0.8 - (day / 40) ** 0.8)
        assert abs(curve.survival[place] - truth) < 4.5 * curve.standard_error[place]
