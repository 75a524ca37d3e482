"""Splines and mixture cures find what was put in; the generalized gamma never falls behind the laws it contains."""

import itertools

import numpy as np
import pytest
from scipy import stats

from msk_reserves._checks import Booleans, Floats
from msk_reserves.recovery.laws.fit import fit_family, fit_law
from msk_reserves.recovery.observations import observations
from msk_reserves.recovery.path.draws import law_draws

# Two-sided false-alarm rate of one comparison below.
FALSE_ALARM = 1e-4


def mixed_stays(n: int, *, standardised: bool, truncated: bool) -> tuple[Floats, Booleans, Floats, Floats]:
    """Whole days of a mixture of a Weibull and a lognormal with eight covariates, raw or standardised."""
    rng = np.random.default_rng(19)
    design = rng.standard_normal((n, 8))
    effect = design @ rng.normal(0, 0.15, 8)
    noise = np.where(rng.random(n) < 0.6, np.log(rng.exponential(size=n)) / 0.9, 1.3 * rng.standard_normal(n))
    days = np.ceil(np.exp(3.4 + effect + noise))
    censor = rng.integers(10, 800, n).astype(np.float64)
    entry = np.where(rng.random(n) < 0.23, rng.integers(1, 40, n), 0.0) * truncated
    seen = np.minimum(days, censor) > entry
    raw = 40.0 + 12.0 * design
    columns = design if standardised else raw
    return np.minimum(days, censor)[seen], (days <= censor)[seen], entry[seen], columns[seen]


@pytest.mark.parametrize(
    ("n", "standardised", "truncated"),
    [*itertools.product([1_000, 5_000], [False, True], [False, True]), (25_000, False, True)],
)
def test_generalized_gamma_is_never_behind_its_members(n: int, *, standardised: bool, truncated: bool) -> None:
    """It converges, with covariates raw or standardised, right-censored or entered late, at least as likely as both."""
    days, exited, entry, design = mixed_stays(n, standardised=standardised, truncated=truncated)
    fits = {
        name: fit_family(name, days, exited, entry=entry, design=design)
        for name in ("gengamma", "weibull", "lognormal")
    }
    assert all(fit.converged for fit in fits.values())
    assert fits["gengamma"].loglik >= max(fits["weibull"].loglik, fits["lognormal"].loglik)


def test_a_cured_share_comes_back_under_late_entry() -> None:
    """30 % never end, half are seen from day 20 only: intervals of the share cover as often as chance allows (1e-4)."""
    rng = np.random.default_rng(29)
    hits = 0
    for _ in range(150):
        n = 500
        days = np.exp(3.0 + 0.7 * rng.standard_normal(n))
        days[rng.random(n) < 0.3] = np.inf
        entry = np.where(rng.random(n) < 0.5, 20.0, 0.0)
        seen = days > entry
        censor = rng.uniform(100, 600, n)
        last, exited = np.minimum(days, censor)[seen], (days <= censor)[seen]
        fit = fit_law("cure_lognormal", observations(last, exited, entry=entry[seen]), ())
        assert fit.converged
        hits += int(abs(fit.theta[-1] - np.log(0.3 / 0.7)) < 1.6448536 * fit.standard_error[-1])
    low, high = stats.binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], 150, 0.9)
    assert low <= hits <= high


def test_a_cured_share_depends_on_its_covariate() -> None:
    """Log odds -1 and -1 + 1.2 by group, latency shared: each within 4.5 standard errors (1e-5 each)."""
    rng = np.random.default_rng(31)
    n = 20_000
    group = rng.integers(0, 2, n).astype(np.float64)
    days = 40.0 * rng.weibull(1.3, n)
    days[rng.random(n) < 1 / (1 + np.exp(1.0 - 1.2 * group))] = np.inf
    censor = rng.uniform(100, 700, n)
    fit = fit_family("cure_weibull", np.minimum(days, censor), days <= censor, cure_design=group[:, None])
    truth = [np.log(40.0), -np.log(1.3), -1.0, 1.2]
    np.testing.assert_array_less(np.abs(fit.theta - truth) / fit.standard_error, 4.5)


def test_a_spline_finds_a_hazard_that_rises_and_falls() -> None:
    """A mixture of an early and a late law under entry and weeks: survival within .01 everywhere, n = 20,000.

    One standard error of a survival at this size is .0035; the rest is what two knots cannot bend to.
    """
    rng = np.random.default_rng(37)
    n = 20_000
    early = rng.random(n) < 0.5
    flag = rng.integers(0, 2, n).astype(np.float64)
    wanted = rng.exponential(size=n) * np.exp(-0.5 * flag)
    grid = np.geomspace(0.01, 20_000, 40_000)
    base = 0.5 * np.exp(-((grid / 20) ** 1.6)) + 0.5 * np.exp(-((grid / 150) ** 1.2))
    days = np.interp(wanted, -np.log(base), grid)
    entry = np.where(early, 3.0, 7.0)
    end = 7 * np.ceil(days / 7)
    exited = end <= 728
    last = np.minimum(end, 728.0)
    seen = (days > entry) & (last > entry)
    fit = fit_family(
        "rp3",
        last[seen],
        exited[seen],
        entry=entry[seen],
        interval=np.where(exited, 7.0, 0.0)[seen],
        design=flag[seen, None],
    )
    assert fit.converged
    assert abs(fit.theta[-1] - 0.5) < 4.5 * fit.standard_error[-1]
    ages = np.array([10.0, 20.0, 40.0, 90.0, 180.0, 360.0])
    law, zero = law_draws(fit.family, fit.theta[None, :], fit.cuts), np.zeros(len(ages))
    at = [law.compute("accumulate", one, zero, zero.astype(np.int64)) for one in (ages, np.full(6, 7.0))]
    truth = np.interp(ages, grid, base) / np.interp(7.0, grid, base)
    np.testing.assert_allclose(np.exp(at[1] - at[0]), truth, atol=0.01)


def test_an_effect_that_fades_is_found_by_the_scale() -> None:
    """Own scale by group: ln scale -.3 and -.3 + .4, location 3.3 and 3.3 - .5, each within 4.5 errors (1e-5 each)."""
    rng = np.random.default_rng(41)
    n = 20_000
    group = rng.integers(0, 2, n).astype(np.float64)
    days = np.exp(3.3 - 0.5 * group + np.exp(-0.3 + 0.4 * group) * rng.logistic(size=n))
    censor = rng.uniform(20, 600, n)
    columns = group[:, None]
    fit = fit_family("loglogistic", np.minimum(days, censor), days <= censor, design=columns, shape_design=columns)
    np.testing.assert_array_less(np.abs(fit.theta - [3.3, -0.5, -0.3, 0.4]) / fit.standard_error, 4.5)
