"""Gamma frailty against closed forms, the negative binomial law and quadrature."""

import numpy as np
import pytest
from scipy import integrate, special, stats

from msk_reserves.recovery.laws.frailty import fit_variance, frailty_loglik, frailty_mean, frailty_survival

# Seven digits are printed.
PRINTED_ATOL = 5e-8
# Adaptive quadrature to relative 1e-10 of a smooth integrand.
QUADRATURE_RTOL = 1e-8


def test_credibility_by_hand() -> None:
    """Variance .5, one exit, hazard 3: mean (1 + .5) / (1 + 1.5) = .6, survival of .4 more 1.08^-3 = .7938322."""
    assert float(frailty_mean(0.5, 1.0, 3.0)) == 0.6
    np.testing.assert_allclose(frailty_survival(0.5, 1.0, 3.0, 0.4), 0.7938322, atol=PRINTED_ATOL)


@pytest.mark.parametrize("age", [0.0, 10.0, 200.0])
def test_constant_rates_mixed_by_a_gamma_are_lomax(age: float) -> None:
    """Rate 1/50 with variance .3: the mean still to come is (50 + .3 a) / (1 - .3), a straight line in the age.

    The Lomax law's, by quadrature of (1 + .3 u / (50 + .3 a))^(-1/.3) (Johnson, Kotz & Balakrishnan 1994, chapter 20).
    """
    theta, mean = 0.3, 50.0

    def still(u: float) -> float:
        return float(frailty_survival(theta, 0.0, age / mean, u / mean))

    found = integrate.quad(still, 0, np.inf, epsrel=1e-10, limit=200)[0]
    np.testing.assert_allclose(found, (mean + theta * age) / (1 - theta), rtol=QUADRATURE_RTOL)


def test_exits_given_hazard_are_negative_binomial() -> None:
    """D given H is negative binomial with size 1/theta and mean H: its log probability, less H^D / D!, is ours."""
    exits, hazard, theta = np.arange(8.0), np.linspace(0.2, 6.0, 8), 0.35
    law = stats.nbinom.logpmf(exits, 1 / theta, 1 / (1 + theta * hazard))
    ours = frailty_loglik(theta, exits, hazard) + exits * np.log(hazard)
    np.testing.assert_allclose(law, ours - special.gammaln(exits + 1.0), atol=1e-12)


@pytest.mark.parametrize("entered", [0.0, 0.7])
def test_likelihood_with_truncation_is_its_integral(entered: float) -> None:
    """The integral over the factor of Z^D e^(-Z H), over that of e^(-Z H_entry): quadrature of the gamma density."""
    theta, exits, hazard = 0.6, 3.0, 2.2
    prior = stats.gamma(1 / theta, scale=theta)
    top = integrate.quad(lambda z: prior.pdf(z) * z**exits * np.exp(-z * hazard), 0, np.inf, epsrel=1e-10)[0]
    bottom = integrate.quad(lambda z: prior.pdf(z) * np.exp(-z * entered), 0, np.inf, epsrel=1e-10)[0]
    ours = float(frailty_loglik(theta, exits, hazard, entered))
    np.testing.assert_allclose(ours, np.log(top / bottom), rtol=QUADRATURE_RTOL)


def test_no_variance_is_the_limit() -> None:
    """As the variance goes to nothing the likelihood is that of independent stays, the mean one, survival e^-dH."""
    exits, hazard = np.array([0.0, 2.0, 5.0]), np.array([0.5, 1.0, 3.0])
    np.testing.assert_allclose(frailty_loglik(2e-5, exits, hazard), frailty_loglik(0.0, exits, hazard), atol=3e-4)
    np.testing.assert_allclose(frailty_mean(0.0, exits, hazard), 1.0)
    np.testing.assert_allclose(frailty_survival(1e-9, exits, hazard, 0.4), np.exp(-0.4), rtol=1e-6)


def test_variance_of_underdispersed_exits_is_zero() -> None:
    """Exits that vary less than Poisson counts give no variance, no gain and p 1; the level still fits."""
    found = fit_variance(np.full(50, 4.0), np.full(50, 2.0), scaled=True)
    assert (found.theta, found.gain, found.p_value) == (0.0, 0.0, 1.0)
    np.testing.assert_allclose(found.scale, 2.0)


def test_variance_is_at_the_top_of_the_likelihood() -> None:
    """The estimate beats its neighbours in variance and level, and its error is the curvature there."""
    rng = np.random.default_rng(2)
    hazard = rng.gamma(2, 2, 150)
    exits = rng.poisson(hazard * rng.gamma(4, 0.25, 150)).astype(float)
    found = fit_variance(exits, hazard, scaled=True)

    def value(theta: float, scale: float) -> float:
        return float(exits.sum() * np.log(scale) + frailty_loglik(theta, exits, scale * hazard).sum())

    top = value(found.theta, found.scale)
    around = [(a, b) for a in (0.97, 1.0, 1.03) for b in (0.98, 1.0, 1.02) if (a, b) != (1.0, 1.0)]
    assert all(value(found.theta * a, found.scale * b) < top for a, b in around)
    np.testing.assert_allclose(frailty_mean(found.theta, exits, found.scale * hazard).mean(), 1.0, atol=1e-9)
