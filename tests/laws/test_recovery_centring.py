"""Laws of parameter draws: on average they expect the exits that the estimate expects of the stays fitted to."""

from functools import cache

import numpy as np
import pytest

from msk_reserves._checks import Floats
from msk_reserves.recovery.laws.fit import FittedFamily, fit_family
from msk_reserves.recovery.laws.spline import is_spline
from msk_reserves.recovery.observations import Observations, observations
from msk_reserves.recovery.path.draws import law_draws
from msk_reserves.recovery.path.sampling import centred

LAWS = ("weibull", "lognormal", "gengamma", "rp2", "piecewise")
N, N_DRAWS, N_COVARIATES = 300, 400, 4
TOLERANCE = 0.005
"""Draws are held on 32 stays in proportion to the exits expected of each; the others lie between these."""


@cache
def fitted(name: str) -> tuple[FittedFamily, Observations]:
    """Return a law fitted to 300 stays, some left-truncated, and the stays."""
    rng = np.random.default_rng(4)
    design = (rng.random((N, N_COVARIATES)) < 0.4).astype(np.float64)
    true = np.exp(4.0 + design @ np.array([0.5, -0.4, 0.2, 0.0]) + 0.8 * rng.standard_normal(N))
    entry, end = np.where(rng.random(N) < 0.3, 7.0, 0.0), rng.uniform(40.0, 400.0, N)
    days, exited = np.minimum(true, end), true <= end
    keep = days > entry
    columns = days[keep], exited[keep]
    fit = fit_family(name, *columns, entry=entry[keep], design=design[keep])
    return fit, observations(*columns, entry=entry[keep], design=design[keep])


def expected(fit: FittedFamily, theta: Floats, data: Observations) -> Floats:
    """Return the exits expected of the stays under each row of parameters."""
    law = law_draws(fit.family, theta, fit.cuts)
    location = data.design @ law.coefficients[:, law.constant :].T
    location = (location + law.coefficients[:, 0] if law.constant else location).ravel()
    draw = np.tile(np.arange(len(theta)), len(data))
    until, entry = (
        law.compute("accumulate", np.repeat(days, len(theta)), location, draw) for days in (data.days, data.entry)
    )
    found: Floats = (until - entry).reshape(len(data), len(theta)).sum(axis=0)
    return found


def drawn(fit: FittedFamily, *, off: float) -> Floats:
    """Return draws from the normal law of an estimate, their log hazards moved by `off`."""
    rng = np.random.default_rng(7)
    # Half the spread: splines then rise in every draw.
    theta = fit.theta + 0.5 * rng.standard_normal((N_DRAWS, len(fit.theta))) @ np.linalg.cholesky(fit.covariance).T
    if fit.family == "piecewise":
        theta[:, : len(fit.cuts) + 1] += off
    else:
        theta[:, 0] += off if is_spline(fit.family) else -off * fit.scale
    return np.asarray(theta)


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("off", [0.0, 0.4, -0.4])
def test_draws_expect_on_average_what_the_estimate_expects(name: str, off: float) -> None:
    """Of the stays fitted to, within half a percent; draws known to be off by e to the 0.4 are brought back."""
    fit, data = fitted(name)
    raw = drawn(fit, off=off)
    before, after = (expected(fit, theta, data) for theta in (raw, centred(fit, raw, data)))
    estimate = expected(fit, fit.theta[None, :], data)[0]
    assert abs(after.mean() / estimate - 1.0) < TOLERANCE
    assert abs(before.mean() / estimate - 1.0) > 0.25 or off == 0.0


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("off", [0.0, 0.4])
def test_draws_of_returns_expect_the_days_that_the_estimate_expects(name: str, off: float) -> None:
    """Of them the mean of one over the exits expected is held, so that of the exits lies above the estimate's."""
    fit, data = fitted(name)
    by_days = expected(fit, centred(fit, drawn(fit, off=off), data, days=True), data)
    estimate = expected(fit, fit.theta[None, :], data)[0]
    assert abs((estimate / by_days).mean() - 1.0) < TOLERANCE
    assert by_days.mean() > estimate


@pytest.mark.parametrize("name", LAWS)
def test_centring_moves_all_draws_by_one_number(name: str) -> None:
    """Draws keep their differences, and centred draws stay where they are, to a thousandth."""
    fit, data = fitted(name)
    raw = drawn(fit, off=0.2)
    once = centred(fit, raw, data)
    np.testing.assert_allclose(once - once.mean(axis=0), raw - raw.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(centred(fit, once, data), once, atol=1e-3)
