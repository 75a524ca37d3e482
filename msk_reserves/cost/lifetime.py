"""Payments for life as expectations over every year of death, and what they are worth today."""

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats, finite, not_negative
from msk_reserves.cost.life_table import LifeTable


def lifetime_payments(
    table: LifeTable,
    age: float,
    sex: str,
    annual: float = 1.0,
    *,
    escalation: float = 0.0,
    whole_year_of_death: bool = False,
) -> Floats:
    """Return the expected payments of each year to a person paid for life.

    The payment of year k is ``annual (1 + escalation)^k`` times the share of that year expected to be lived: an
    expectation over all ages at death. Where payments escalate, the payments up to the expected age at death are less,
    by four tenths in the example of Sherman and Diss (2005), "Estimating the workers' compensation tail", Proceedings
    of the Casualty Actuarial Society 92, section 8.

    Parameters
    ----------
    table : LifeTable
        Who dies when.
    age : float
        Years today.
    sex : str
        "male", "female" or "" where unknown.
    annual : float
        Dollars of the first year.
    escalation : float
        Growth of the payment a year: 0.03 for 3 %.
    whole_year_of_death : bool
        Whether the year of death is paid in full, as care is in the example; a pension ends with death.

    Returns
    -------
    numpy.ndarray
        Dollars, shape (n_years,), to the end of the table.

    Raises
    ------
    ValueError
        If the age lies outside the table, `annual` is negative or `escalation` not above -1.

    Examples
    --------
    >>> from msk_reserves.cost.life_table import life_table
    >>> for escalation in (0.0, 0.03):
    ...     print(lifetime_payments(life_table(), 45.0, "male", 26_000.0, escalation=escalation).sum().round())
    885485.0
    1654198.0
    """
    not_negative(annual, "annual")
    if finite(escalation, "escalation") <= -1:
        raise ValueError(f"`escalation` must be above -1, got {escalation!r}")
    table.survival(age, sex, 0.0)
    year = np.arange(np.ceil(table.last_age + 1 - age), dtype=np.float64)
    paid = table.survival(age, sex, year) if whole_year_of_death else table.years_lived(age, sex, year, year + 1.0)
    return np.asarray(annual * (1.0 + escalation) ** year * paid)


def present_value(payments: npt.ArrayLike, rate: npt.ArrayLike) -> float:
    """Return what payments by year are worth today, each paid in the middle of its year.

    ``sum_t payment_t / (1 + rate_t)^(t + 1/2)``.

    Parameters
    ----------
    payments : array_like
        Dollars of each year from today, shape (n_years,).
    rate : array_like
        Interest a year, one for all years or the spot rate of each.

    Raises
    ------
    ValueError
        If a number is not finite or a rate is not above -1.

    Examples
    --------
    >>> round(present_value([1000.0, 1000.0, 1000.0], 0.04), 4)
    2830.0487
    """
    return float(_discounted(payments, rate).sum())


def macaulay_duration(payments: npt.ArrayLike, rate: npt.ArrayLike) -> float:
    """Return the mean time of payments by year, weighted by what each is worth today, years.

    Raises
    ------
    ValueError
        As `present_value`, or if the payments are worth nothing.

    Examples
    --------
    >>> round(macaulay_duration([1000.0, 1000.0, 1000.0], 0.04), 6)
    1.47386
    """
    worth = _discounted(payments, rate)
    if worth.sum() <= 0:
        raise ValueError(f"`payments` must be worth more than nothing, got {worth.sum()}")
    return float((worth * (np.arange(len(worth)) + 0.5)).sum() / worth.sum())


def _discounted(payments: npt.ArrayLike, rate: npt.ArrayLike) -> Floats:
    """Return each year's payment discounted from the middle of its year."""
    flows, rates = np.atleast_1d(np.asarray(payments, dtype=np.float64)), np.asarray(rate, dtype=np.float64)
    if not np.isfinite(flows).all() or flows.ndim != 1:
        raise ValueError(f"`payments` must be finite dollars by year, got {flows}")
    if not (np.isfinite(rates) & (rates > -1)).all() or rates.shape not in {(), flows.shape}:
        raise ValueError(f"`rate` must be one number above -1, or one a year, got {rates}")
    worth: Floats = flows / (1.0 + rates) ** (np.arange(len(flows)) + 0.5)
    return worth
