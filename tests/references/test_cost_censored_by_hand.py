"""The censored mean cost against a six-claim dataset worked by hand."""

import numpy as np
import pytest

from msk_reserves.cost.censored import mean_cost

DAYS = [1, 2, 3, 4, 5, 6]
CLOSED = [True, False, True, False, True, True]
COST = [10.0, 8.0, 30.0, 15.0, 60.0, 90.0]
EXACT = 1e-12
"""Rational arithmetic on six claims; only rounding error remains."""


def test_six_claims_by_hand() -> None:
    """Observation lasts with chance 1, 4/5 and 8/15, so the mean is (10 + 30/.8 + 60/(8/15) + 90/(8/15)) / 6.

    Bang and Tsiatis (2000); the Kaplan-Meier mass version of Lin and others (1997) gives the same on these claims.
    """
    found = mean_cost(DAYS, CLOSED, COST)
    assert found.mean == pytest.approx((10 + 30 / 0.8 + 60 * 15 / 8 + 90 * 15 / 8) / 6, rel=EXACT)
    assert found.mean == pytest.approx(54.791667, abs=5e-7)
    assert found.closed_only == pytest.approx(47.5, rel=EXACT)
    assert found.paid_to_date == pytest.approx(35.5, rel=EXACT)
    assert (found.n_complete, found.n_claims) == (4, 6)


def test_without_open_claims_the_mean_is_the_mean() -> None:
    """Nothing censored: every estimate is the plain mean, and its standard error s / sqrt(n) with divisor n."""
    costs = np.array([5.0, 7.0, 9.0, 100.0])
    found = mean_cost([1, 2, 3, 4], [True] * 4, costs)
    assert found.mean == found.closed_only == found.paid_to_date == pytest.approx(costs.mean(), rel=EXACT)
    assert found.standard_error == pytest.approx(costs.std() / 2.0, rel=EXACT)


def test_one_interval_is_the_plain_estimate() -> None:
    """A partition into one interval to the horizon equals the estimate without a history."""
    whole = mean_cost(DAYS, CLOSED, COST, horizon=6.0)
    parted = mean_cost(DAYS, CLOSED, COST, horizon=6.0, edges=[6.0], interval_costs=np.array(COST)[:, None])
    assert parted.partitioned == pytest.approx(whole.mean, rel=EXACT)
    assert np.isnan(whole.partitioned)


def test_impossible_inputs_are_refused() -> None:
    """Shapes, no complete claim, and weights that would rest on hardly any claim are named."""
    with pytest.raises(ValueError, match="`days`, `closed` and `cost` must match"):
        mean_cost([1, 2], [True], [1.0, 2.0])
    with pytest.raises(ValueError, match="at least one claim complete"):
        mean_cost([1, 2], [False, False], [1.0, 2.0])
    many = np.arange(1.0, 101.0)
    with pytest.raises(ValueError, match="choose an earlier horizon"):
        mean_cost(many, many == 100.0, many)
    with pytest.raises(ValueError, match="`edges` must increase"):
        mean_cost(DAYS, CLOSED, COST, edges=[3.0, 3.0], interval_costs=np.ones((6, 2)))
