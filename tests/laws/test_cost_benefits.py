"""Laws of the statutory benefit: in wage, in days, and in the number of claims."""

import numpy as np
from hypothesis import given, settings, strategies as st

from msk_reserves.claims.statutes import JURISDICTIONS, statutory_rule, weekly_benefit
from msk_reserves.cost.benefits import temporary_total

CODES = st.sampled_from(JURISDICTIONS)
WAGES = st.floats(0.0, 20_000.0)
DAYS = st.floats(0.0, 4_000.0)
OPTIONAL_DAYS = st.one_of(st.just(np.nan), st.floats(0.0, 60.0))


@settings(deadline=None, max_examples=100)
@given(CODES, WAGES)
def test_benefit_lies_between_minimum_and_maximum(code: str, wage: float) -> None:
    """At any wage the benefit is at most the maximum and the wage, and at least the minimum the wage allows."""
    rule = statutory_rule(code)
    benefit = float(weekly_benefit(wage, code))
    floor = min(np.nan_to_num(rule.weekly_minimum), rule.minimum_wage_share * wage)
    assert floor - 1e-9 <= benefit <= min(rule.weekly_maximum, wage) + 1e-9


@settings(deadline=None, max_examples=100)
@given(CODES, WAGES, WAGES)
def test_benefit_never_falls_with_the_wage(code: str, one: float, other: float) -> None:
    """A higher wage never brings a lower benefit."""
    low, high = weekly_benefit(sorted((one, other)), code)
    assert low <= high


@settings(deadline=None, max_examples=100)
@given(DAYS, DAYS, st.floats(0.0, 10.0), OPTIONAL_DAYS, st.one_of(st.just(np.nan), st.floats(0.0, 500.0)))
def test_benefit_never_falls_with_days_off(one: float, other: float, wait: float, retro: float, weeks: float) -> None:
    """A longer absence never brings less, and never more than its days or the limit pay."""
    few, many = sorted((one, other))
    less, more = temporary_total([few, many], 700.0, wait, retro, weeks)
    assert 0.0 <= less <= more <= 100.0 * np.fmin(many, 7.0 * weeks) + 1e-6


@settings(deadline=None, max_examples=50)
@given(st.lists(DAYS, min_size=1, max_size=30), st.floats(1.0, 3_000.0))
def test_benefit_of_many_is_that_of_each(days: list[float], benefit: float) -> None:
    """One call for an array equals a call a claim, and the benefit is proportional to the weekly rate."""
    together = temporary_total(days, benefit, 7, 14, 104)
    apart = [float(temporary_total(day, benefit, 7, 14, 104)) for day in days]
    np.testing.assert_array_equal(together, apart)
    np.testing.assert_allclose(temporary_total(days, 2 * benefit, 7, 14, 104), 2 * together, rtol=1e-12)
