"""Temporary total benefits against a worked table."""

import numpy as np
import pytest

from msk_reserves.cost.benefits import temporary_total

CENT = 0.005
"""The table is worked to the cent."""


def test_worked_table() -> None:
    """600 a week, 7 waiting days, retroactive from 14, at most 104 weeks: worked by hand from the statute's words."""
    days = [5, 7, 8, 10, 13, 14, 28, 728, 800]
    owed = [0.0, 0.0, 85.71, 257.14, 514.29, 1200.0, 2400.0, 62_400.0, 62_400.0]
    np.testing.assert_allclose(temporary_total(days, 600.0, 7, 14, 104), owed, atol=CENT)


def test_no_retroactive_day_and_no_limit() -> None:
    """A missing trigger never pays the waiting days; a missing limit never stops the benefit."""
    found = temporary_total([3, 10, 4000], 700.0, 3, np.nan, np.nan)
    np.testing.assert_allclose(found, [0.0, 700.0, 399_700.0], atol=CENT)


def test_trigger_equal_to_waiting_period() -> None:
    """Where the seventh day is the last waiting day and the trigger, it is the eighth that pays all."""
    np.testing.assert_allclose(temporary_total([7, 8], 700.0, 7, 7, np.nan), [0.0, 800.0], atol=CENT)


@pytest.mark.parametrize("days", [-1.0, np.nan])
def test_impossible_days_are_refused(days: float) -> None:
    """A negative or missing number of days is not a benefit of zero."""
    with pytest.raises(ValueError, match="`days_off` must be numbers that are not negative"):
        temporary_total([10.0, days], 600.0, 7, 14, 104)
