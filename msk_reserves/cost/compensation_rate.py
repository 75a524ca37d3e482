"""The compensation rate: dollars a week that a rule of the law grants for a wage."""

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats
from msk_reserves.claims.benefit_rules import BenefitRule
from msk_reserves.claims.statutes import within_bounds

NET_SHARE = 0.77
"""Share of gross pay taken to be left after taxes where spendable earnings are not given."""


def compensation_rate(
    rule: BenefitRule,
    weekly_wage: npt.ArrayLike,
    *,
    spendable_wage: npt.ArrayLike = np.nan,
    spouse: npt.ArrayLike = 0,
    children: npt.ArrayLike = 0,
    earnings: npt.ArrayLike = 0.0,
    degree: npt.ArrayLike = np.nan,
) -> Floats:
    """Return the weekly benefit of a rule.

    With wage ``w`` (spendable where the law is after tax, and no more than the wage cap) and rate ``r`` with its parts
    for dependants, the formulas are ``r w``; ``r (s w - e)`` for a loss of wages, where the loss ``w - e`` is at least
    the rule's least; ``r w - e`` where every dollar earned is taken off; and ``r w d`` by degree of disability. What
    comes out is held to the rule's share of the wage, its minimum (of total benefits) and its maximum. The arguments
    broadcast.

    Parameters
    ----------
    rule : BenefitRule
        A step of a benefit, from `BenefitLaw.steps`.
    weekly_wage : array_like
        Average weekly wage before the injury, dollars.
    spendable_wage : array_like
        The same after taxes; where NaN, 77 % of it.
    spouse, children : array_like
        Whether there is a spouse (0 or 1), and the number of dependent children.
    earnings : array_like
        Dollars a week earned, or able to be earned, since the injury, before taxes.
    degree : array_like
        Degree of disability, a share; needed by the formula "degree" alone.

    Returns
    -------
    numpy.ndarray
        Dollars a week, in the broadcast shape.

    Raises
    ------
    ValueError
        If a wage is negative or not finite, earnings are negative, or a degree is needed and not in [0, 1].

    Examples
    --------
    >>> from msk_reserves.claims.benefit_law import benefit_law
    >>> law = benefit_law()
    >>> (total,) = law.steps("WA", "temporary_total", "2024-08-01")
    >>> compensation_rate(total, 1000.0, spouse=[0, 1, 1, 1], children=[0, 0, 2, 9]).tolist()
    [600.0, 650.0, 690.0, 750.0]
    >>> (partial,) = law.steps("FL", "temporary_partial", "2025-02-01")
    >>> compensation_rate(partial, 1000.0, earnings=[0.0, 400.0, 900.0]).round(2).tolist()
    [640.0, 320.0, 0.0]
    """
    wages, earned = np.asarray(weekly_wage, dtype=np.float64), np.asarray(earnings, dtype=np.float64)
    for name, values in (("weekly_wage", wages), ("earnings", earned)):
        bad = ~(np.isfinite(values) & (values >= 0))
        if bad.any():
            raise ValueError(f"`{name}` must be finite and not negative, got {values[bad].flat[0]}")
    net = _net_share(rule, wages, spendable_wage)
    base = net * np.fmin(wages, rule.wage_cap)
    dependants = rule.spouse_rate * np.asarray(spouse) + rule.child_rate * np.asarray(children)
    rate = np.fmin(rule.rate + dependants, rule.rate_cap)
    benefit = _by_formula(rule, rate, base, net * earned, degree)
    benefit = np.fmin(benefit, rule.benefit_wage_share * base) + np.zeros_like(earned)
    return within_bounds(
        benefit,
        wages,
        weekly_minimum=rule.weekly_minimum if rule.formula == "wage" else np.nan,
        minimum_wage_share=rule.minimum_wage_share,
        weekly_maximum=rule.weekly_maximum,
    )


def _net_share(rule: BenefitRule, wages: Floats, spendable_wage: npt.ArrayLike) -> Floats:
    """Return the share of gross pay that counts: all of it, or what taxes leave where the law is after tax."""
    if rule.wage_base == "gross":
        return np.ones_like(wages)
    spendable = np.asarray(spendable_wage, dtype=np.float64)
    bad = np.isinf(spendable) | (spendable < 0) | (spendable > wages)
    if bad.any():
        first = np.broadcast_to(spendable, bad.shape)[bad][0]
        raise ValueError(f"`spendable_wage` must lie between 0 and `weekly_wage`, got {first}")
    shares = np.divide(spendable, wages, out=np.full(np.broadcast(spendable, wages).shape, np.nan), where=wages > 0)
    return np.where(np.isnan(shares), NET_SHARE, shares)


def _by_formula(rule: BenefitRule, rate: Floats, base: Floats, earned: Floats, degree: npt.ArrayLike) -> Floats:
    """Return the benefit before its bounds."""
    if rule.formula == "wage_loss":
        enough = (base - earned) >= rule.least_loss * base
        return np.asarray(np.where(enough, rate * np.maximum(rule.wage_share * base - earned, 0.0), 0.0))
    if rule.formula == "benefit_less_earnings":
        return np.maximum(rate * base - earned, 0.0)
    if rule.formula == "degree":
        degrees = np.asarray(degree, dtype=np.float64)
        bad = ~((degrees >= 0) & (degrees <= 1))
        if bad.any():
            raise ValueError(f"`degree` must lie in [0, 1] for this benefit, got {degrees[bad].flat[0]}")
        return np.asarray(rate * base * degrees)
    return np.asarray(rate * base)
