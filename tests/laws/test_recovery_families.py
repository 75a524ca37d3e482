"""Laws that hold for every family of days, far into the tails, and for every estimator."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import integrate

from msk_reserves.recovery.laws.families import (
    EXPONENTIAL,
    FAMILIES,
    GENERALIZED_GAMMA,
    LOGLOGISTIC,
    LOGNORMAL,
    WEIBULL,
    cumulative_hazard,
    days_at_hazard,
    hazard,
    log_survival,
    moment,
)
from msk_reserves.recovery.laws.residual import conditional_survival, residual_mean, residual_quantile

QUICK = settings(max_examples=60, deadline=None)
# Inverse of the incomplete gamma ratio and five Newton steps agree to about 1e-12; rounding of days to doubles and back
# loses some digits where the hazard is steep.
INVERSE_RTOL = 1e-8
hazards = st.floats(-25.0, 6.55).map(lambda power: float(np.exp(power)))
scales = st.floats(0.2, 3.0)
shapes = st.one_of(st.floats(-2.0, 2.0), st.floats(-0.04, 0.04), st.just(0.0))


@pytest.mark.parametrize("name", FAMILIES)
@QUICK
@given(wanted=hazards, scale=scales, shape=shapes)
def test_days_at_hazard_inverts_cumulative_hazard(name: str, wanted: float, scale: float, shape: float) -> None:
    """H(days at h) = h from 1e-11 to 700, where the survival itself is down to 1e-304."""
    family = FAMILIES[name]
    sigma = scale if family.free_scale else 1.0
    w = family.inverse_hazard(np.array([wanted]), np.array([shape]))
    found = float(-family.log_survival(w, np.array([shape]))[0])
    np.testing.assert_allclose(found, wanted, rtol=INVERSE_RTOL)
    days = days_at_hazard(family, wanted, 3.0, sigma, shape)
    if 1e-280 < days < 1e280:
        np.testing.assert_allclose(cumulative_hazard(family, days, 3.0, sigma, shape), wanted, rtol=1e-6)


@pytest.mark.parametrize("shape", [-1.5, -0.4, -0.031, -0.029, -1e-4, 0.0, 1e-4, 0.029, 0.031, 0.5, 1.0, 2.5])
def test_generalized_gamma_survival_is_the_integral_of_its_density(shape: float) -> None:
    """Quadrature of the density gives the survival, through the change of method near Q = 0."""
    q = np.array(shape)

    def relative(v: float, at: float) -> float:
        here, there = (GENERALIZED_GAMMA.log_density(np.array(x), q) for x in (v, at))
        return float(np.exp(here - there))

    for w in (-1.0, 0.0, 1.0, 1.5):
        start = np.array(w)
        area = integrate.quad(relative, w, w + 8, args=(w,), limit=300)[0]
        area += integrate.quad(relative, w + 8, w + (400 if shape < 0 else 30), args=(w,), limit=300)[0]
        expected = np.log(area) + GENERALIZED_GAMMA.log_density(start, q)
        np.testing.assert_allclose(GENERALIZED_GAMMA.log_survival(start, q), expected, atol=3e-9)


@pytest.mark.parametrize(("name", "shape"), [("weibull", 1.0), ("lognormal", 0.0)])
def test_generalized_gamma_nests_its_members(name: str, shape: float) -> None:
    """Q = 1 is the Weibull, Q = 0 the lognormal: survival and density, body and tails."""
    w = np.linspace(-6, 6.3, 200)
    q = np.array(shape)
    np.testing.assert_allclose(
        GENERALIZED_GAMMA.log_survival(w, q), FAMILIES[name].log_survival(w, q), rtol=1e-9, atol=1e-15
    )
    np.testing.assert_allclose(GENERALIZED_GAMMA.log_density(w, q), FAMILIES[name].log_density(w, q), rtol=1e-9)


@pytest.mark.parametrize("shape", [-0.03, 0.03])
def test_generalized_gamma_is_smooth_where_the_method_changes(shape: float) -> None:
    """Survival on the two sides of |Q| = 0.03 differs by no more than a billionth, from 1e-300 to 1 - 1e-15."""
    w = np.linspace(-8, 30, 200)
    inside = GENERALIZED_GAMMA.log_survival(w, np.array(shape * (1 - 1e-13)))
    outside = GENERALIZED_GAMMA.log_survival(w, np.array(shape * (1 + 1e-13)))
    np.testing.assert_allclose(inside, outside, rtol=1e-7)


@pytest.mark.parametrize("name", FAMILIES)
@QUICK
@given(scale=scales, shape=shapes, age=st.floats(0, 800), ahead=st.floats(0.1, 800))
def test_survival_falls_and_conditions(name: str, scale: float, shape: float, age: float, ahead: float) -> None:
    """Survival never rises; S(a + u)/S(a) x S(a + u + v)/S(a + u) = S(a + u + v)/S(a)."""
    family = FAMILIES[name]
    law = (3.5, scale if family.free_scale else 1.0, shape)
    log_s = log_survival(family, np.linspace(0, 2000, 60), *law)
    assert log_s[0] == 0.0
    assert (np.diff(log_s) <= 1e-12).all()
    first = conditional_survival(family, age, ahead, *law)
    second = conditional_survival(family, age + ahead, 50.0, *law)
    both = conditional_survival(family, age, ahead + 50.0, *law)
    np.testing.assert_allclose(first * second, both, rtol=1e-7, atol=1e-300)
    assert 0.0 <= first <= 1.0


@pytest.mark.parametrize("name", FAMILIES)
def test_hazard_is_the_slope_of_the_cumulative_hazard(name: str) -> None:
    """Central differences of H give h."""
    family = FAMILIES[name]
    law = (3.0, 0.7 if family.free_scale else 1.0, -0.6)
    days = np.geomspace(0.5, 3000, 40)
    step = 1e-5 * days
    slope = (cumulative_hazard(family, days + step, *law) - cumulative_hazard(family, days - step, *law)) / (2 * step)
    np.testing.assert_allclose(hazard(family, days, *law), slope, rtol=1e-6)


@QUICK
@given(age=st.floats(0, 5000), location=st.floats(1, 6))
def test_exponential_has_no_memory(age: float, location: float) -> None:
    """Residual mean, median and survival of an exponential do not depend on age."""
    scale = np.exp(location)
    np.testing.assert_allclose(residual_quantile(EXPONENTIAL, age, 0.5, location), scale * np.log(2), rtol=1e-6)
    np.testing.assert_allclose(conditional_survival(EXPONENTIAL, age, 30.0, location), np.exp(-30 / scale), rtol=1e-6)
    if age < 300 * scale:
        np.testing.assert_allclose(residual_mean(EXPONENTIAL, age, location), scale, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("weibull", 0.0), ("lognormal", 0.0), ("loglogistic", 0.0), ("gengamma", -0.8), ("gengamma", 0.6)],
)
def test_residual_mean_without_horizon_is_its_limit(name: str, shape: float) -> None:
    """The closed form equals the quadrature to a far horizon plus little."""
    family, law = FAMILIES[name], (3.0, 0.3, shape)
    closed = residual_mean(family, 25.0, *law)
    np.testing.assert_allclose(residual_mean(family, 25.0, *law, horizon=20_000.0), closed, rtol=1e-4)
    assert residual_mean(family, 25.0, *law, horizon=60.0) < closed
    np.testing.assert_allclose(residual_mean(family, 0.0, *law), moment(family, 1, *law), rtol=1e-12)


def test_missing_moments_are_infinite_and_refused() -> None:
    """A log-logistic with scale 1 or more has no mean, one with 1/2 or more no variance; no NaN, no silent number."""
    assert moment(LOGLOGISTIC, 1, 3.0, 1.0) == np.inf
    assert moment(LOGLOGISTIC, 2, 3.0, 0.6) == np.inf
    assert np.isfinite(moment(LOGLOGISTIC, 1, 3.0, 0.6))
    assert moment(GENERALIZED_GAMMA, 1, 3.0, 1.25, -0.836) == np.inf
    with pytest.raises(ValueError, match="`horizon` must be given"):
        residual_mean(LOGLOGISTIC, 10.0, 3.0, 1.2)
    assert residual_mean(LOGLOGISTIC, 10.0, 3.0, 1.2, horizon=728.0) > 0
    with pytest.raises(ValueError, match="`horizon` must lie after `age`"):
        residual_mean(WEIBULL, 10.0, 3.0, 1.2, horizon=5.0)
    with pytest.raises(ValueError, match="`age` and `ahead`"):
        conditional_survival(LOGNORMAL, -1.0, 3.0, 1.2)


def test_generalized_gamma_far_beyond_the_range_of_doubles() -> None:
    """Where e^(Qw) overflows the survival is zero, ln S minus infinity, and nothing is undefined on the way."""
    shape = np.array([0.5, 0.5, 0.4, -0.5, -0.5])
    values = GENERALIZED_GAMMA.log_survival(np.array([40.0, 2_000.0, 8_000.0, 3_000.0, 90_000.0]), shape)
    assert np.isfinite(values[[0, 3, 4]]).all()
    assert np.isneginf(values[1:3]).all()
