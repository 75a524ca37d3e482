"""Levels of claims that once came out wrong, each with a sentence on what used to happen."""

import numpy as np
import pytest

from msk_reserves.cost.factor import gamma_prior, posterior_moments


@pytest.mark.parametrize(
    ("kappa", "paid", "expected", "dispersion"),
    [
        # 480 levels common to all claims stood 7 % apart, twice the posterior's deviation: the mean was 0.4 % too high.
        (0.30078125, 63_040.0, 8_348.0, 50.0),
        # Four hundred times as many payments: no level but the nearest had any weight.
        (0.30078125, 63_040.0 * 400, 8_348.0 * 400, 50.0),
    ],
)
def test_a_claim_of_many_payments_does_not_fall_between_levels(
    kappa: float, paid: float, expected: float, dispersion: float
) -> None:
    """The mean is (kappa + P/phi) / (kappa + e/phi), the variance that over (kappa + e/phi): the conjugate gamma's."""
    mean, variance = posterior_moments(gamma_prior(kappa), np.array([paid]), np.array([expected]), dispersion)
    rate = kappa + expected / dispersion
    assert mean[0] == pytest.approx((kappa + paid / dispersion) / rate, rel=1e-6)
    assert variance[0] == pytest.approx(mean[0] / rate, rel=1e-4)
