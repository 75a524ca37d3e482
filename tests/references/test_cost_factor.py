"""Claim-level credibility and relativities against closed forms and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm

from msk_reserves.cost import relativities
from msk_reserves.cost.factor import gamma_prior, posterior_moments
from msk_reserves.cost.relativities import fit_relativities

GRID = 1e-6
"""Levels end at 50, beyond which a prior of shape 0.8 has 1e-10 of its mean; below, the rule is exact."""


def test_worked_posterior() -> None:
    """Prior shape 2, dispersion 500, expected 4,000, paid 6,500: level 1.5, variance 0.15; so for the future.

    Conjugate gamma updating of an overdispersed Poisson total: shape 2 + 13, rate 2 + 8.
    """
    mean, variance = posterior_moments(gamma_prior(2.0), np.array([6500.0]), np.array([4000.0]), 500.0)
    assert mean[0] == pytest.approx(1.5, rel=GRID)
    assert variance[0] == pytest.approx(0.15, rel=GRID)
    assert 3000.0 * mean[0] == pytest.approx(4500.0, rel=GRID)
    assert 500.0 * 3000.0 * mean[0] + 3000.0**2 * variance[0] == pytest.approx(3.6e6, rel=GRID)


@pytest.mark.parametrize("kappa", [0.8, 2.0, 6.0])
def test_gamma_conjugacy(kappa: float) -> None:
    """Under a gamma prior the levels give the posterior mean (kappa + P/phi) / (kappa + e/phi)."""
    paid = np.array([0.0, 2_000.0, 9_000.0, 30_000.0])
    expected = np.array([3_000.0, 2_000.0, 4_000.0, 9_000.0])
    mean, _ = posterior_moments(gamma_prior(kappa), paid, expected, 700.0)
    np.testing.assert_allclose(mean, (kappa + paid / 700.0) / (kappa + expected / 700.0), rtol=GRID)


@pytest.mark.parametrize(
    ("power", "family"), [(1, sm.families.Poisson()), (2, sm.families.Gamma(sm.families.links.Log()))]
)
def test_relativities_equal_statsmodels(
    monkeypatch: pytest.MonkeyPatch, power: int, family: sm.families.Family
) -> None:
    """Without a prior the coefficients and their sandwich errors equal statsmodels' GLM with HC0 errors."""
    rng = np.random.default_rng(21)
    columns = rng.integers(0, 2, (800, 3)).astype(float)
    expected = rng.lognormal(8.0, 0.5, 800)
    paid = expected * np.exp(columns @ [0.4, -0.3, 0.1]) * rng.gamma(2.0, 0.5, 800)
    oracle = sm.GLM(paid, sm.add_constant(columns), family=family, offset=np.log(expected)).fit(
        cov_type="HC0", tol=1e-12
    )
    monkeypatch.setattr(relativities, "PRIOR_SD", 1e6)
    beta, covariance = fit_relativities(columns, paid, expected, power=power)
    np.testing.assert_allclose(beta, oracle.params[1:], atol=1e-7)
    # With the log link the gamma's observed information (theirs) differs from the expected one (here) by a sampling
    # error of order 1 / sqrt(800) times the correlation of residuals and columns; for the Poisson they are equal.
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), oracle.bse[1:], rtol=1e-5 if power == 1 else 0.01)
