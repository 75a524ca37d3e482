"""The spliced severity against worked values, published values and scipy's fit of the tail."""

import numpy as np
import pytest
from scipy import stats

from msk_reserves.cost.spliced import (
    SplicedSeverity,
    limited_expected_value,
    severity_mean,
    severity_quantile,
    severity_tail_mean,
    survival,
)
from msk_reserves.cost.spliced_fit import fit_excess, fit_spliced, threshold_sensitivity

WORKED = SplicedSeverity("lognormal", (9.5, 1.0), 50_000.0, 0.06, 0.4, 30_000.0)
PRINTED = 1e-6
"""Worked values are given to four decimals of tens of thousands; published ones to seven digits."""


def test_worked_values() -> None:
    """Mean, limited mean and 99 % quantile of a lognormal body with a Pareto tail, integrated independently."""
    assert severity_mean(WORKED) == pytest.approx(20_284.4339, rel=PRINTED)
    assert limited_expected_value(WORKED, 250_000.0) == pytest.approx(19_857.1524, rel=PRINTED)
    assert severity_quantile(WORKED, 0.99) == pytest.approx(128_575.44, rel=PRINTED)


def test_danish_fire_tail() -> None:
    """Quantile and tail mean at 99 % of the Danish fire losses from their published tail.

    McNeil (1997), Estimating the tails of loss severity distributions using extreme value theory, ASTIN Bulletin 27:
    threshold 10, shape 0.49681, scale 6.97455, 109 exceedances of 2,167 losses give 27.28488 and 58.21091. The inputs
    are printed to five decimals.
    """
    danish = SplicedSeverity("lognormal", (0.7, 0.7), 10.0, 109 / 2167, 0.49681, 6.97455)
    assert severity_quantile(danish, 0.99) == pytest.approx(27.28488, rel=1e-5)
    assert severity_tail_mean(danish, 0.99) == pytest.approx(58.21091, rel=1e-4)


@pytest.mark.parametrize("body", ["lognormal", "gamma"])
@pytest.mark.parametrize("limit", [5_000.0, 50_000.0, 400_000.0])
def test_limited_mean_is_the_integral_of_survival(body: str, limit: float) -> None:
    """E min(X, c) equals the area under the survival curve, by the trapezoid rule on 400,000 steps."""
    parameters = (9.5, 1.0) if body == "lognormal" else (1.6, 9_000.0)
    severity = SplicedSeverity(body, parameters, 50_000.0, 0.06, 0.4, 30_000.0)
    grid = np.linspace(0.0, limit, 400_001)
    assert limited_expected_value(severity, limit) == pytest.approx(
        np.trapezoid(survival(severity, grid), grid), rel=1e-6
    )


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.3, 0.6])
def test_tail_fit_is_as_likely_as_scipys(shape: float) -> None:
    """The profile fit finds a likelihood no lower than scipy's general search, within 1e-6 an observation."""
    excess = stats.genpareto(shape, scale=3.0).rvs(600, random_state=17)
    found = fit_excess(excess)
    theirs = stats.genpareto.fit(excess, floc=0.0)

    def loglikelihood(xi: float, beta: float) -> float:
        return float(stats.genpareto(xi, scale=beta).logpdf(excess).mean())

    assert loglikelihood(*found) > loglikelihood(theirs[0], theirs[2]) - 1e-6


def test_fit_recovers_what_was_drawn_and_caps_the_shape() -> None:
    """20,000 draws give body and tail back within four standard errors; a shape of 0.9 is cut to the cap."""
    draws = severity_quantile(WORKED, np.random.default_rng(5).random(20_000))
    fit = fit_spliced(draws, threshold_level=0.94)
    assert fit.exceedances == 1200
    assert not fit.capped
    # Standard error of the shape: (1 + xi) / sqrt(n) (Smith 1987), of mu about sigma / sqrt(n).
    assert fit.severity.tail_shape == pytest.approx(0.4, abs=4 * 1.4 / np.sqrt(1200))
    assert fit.severity.parameters == pytest.approx((9.5, 1.0), abs=4 / np.sqrt(10_000))
    wild = stats.genpareto(0.9, scale=1.0).ppf((np.arange(4_000) + 0.5) / 4_000)
    capped = fit_spliced(wild)
    assert capped.capped
    assert capped.severity.tail_shape == 0.7
    assert "capped" in str(capped)


def test_gamma_body_and_sensitivity_table() -> None:
    """A gamma body is found again, and the table of thresholds has a row for each and agrees on the mean."""
    truth = SplicedSeverity("gamma", (2.0, 5_000.0), 20_000.0, 0.06, 0.2, 8_000.0)
    draws = severity_quantile(truth, np.random.default_rng(8).random(20_000))
    fit = fit_spliced(draws, threshold_level=0.94, body="gamma")
    assert fit.severity.parameters == pytest.approx(truth.parameters, rel=0.1)
    table = threshold_sensitivity(draws, body="gamma")
    assert list(table.index) == [0.90, 0.925, 0.95, 0.975]
    np.testing.assert_allclose(table["mean"], draws.mean(), rtol=0.01)


def test_impossible_severities_are_refused() -> None:
    """A tail without a mean, an unknown body, too few amounts and zeros are named."""
    with pytest.raises(ValueError, match="`tail_shape` must be below 1"):
        SplicedSeverity("lognormal", (9.5, 1.0), 50_000.0, 0.06, 1.0, 30_000.0)
    with pytest.raises(ValueError, match="`body` must be one of lognormal, gamma"):
        SplicedSeverity("normal", (9.5, 1.0), 50_000.0, 0.06, 0.4, 30_000.0)
    with pytest.raises(ValueError, match="`amounts` must hold at least 200 values"):
        fit_spliced(np.ones(10))
    with pytest.raises(ValueError, match="`amounts` must be above zero"):
        fit_spliced(np.zeros(500))
    with pytest.raises(ValueError, match=r"`probability` must lie in \[0, 1\)"):
        severity_quantile(WORKED, 1.0)
