"""What each jurisdiction's law says of temporary total disability: rate, bounds, waiting and duration."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats


@dataclass(frozen=True, slots=True)
class StatutoryRule:
    """The rule of one jurisdiction, as the package's table states it.

    Attributes
    ----------
    code : two-letter state, `FECA` or `LHWCA`.
    name : the jurisdiction in words.
    rate : share of `wage_base` replaced, as the law states it.
    wage_base : "gross", "gross_monthly" (a monthly wage, taken as weekly) or "after_tax".
    gross_rate : share of the gross weekly wage; differs from `rate` where the base is after tax: 77 % of gross pay is
        then assumed to be left after taxes, since the tables of net pay are not in a claim file.
    weekly_maximum : largest weekly benefit, dollars.
    maximum_effective : date or year from which that maximum held.
    weekly_minimum : smallest weekly benefit, dollars; NaN where the law or the table has none.
    minimum_wage_share : share of the wage above which the minimum may not lift the benefit.
    waiting_days : days off work that are not paid at first.
    retro_days : days off work from which on the waiting days are paid too; NaN where never.
    max_weeks : weeks of benefits at most; NaN where no limit is known.
    confidence : "high", "medium" or "low": the weakest of maximum, its age, retroactive trigger and formula.
    source : where the maximum comes from.
    note : what the row leaves out, assumes or derives.
    """

    code: str
    name: str
    rate: float
    wage_base: str
    gross_rate: float
    weekly_maximum: float
    maximum_effective: str
    weekly_minimum: float
    minimum_wage_share: float
    waiting_days: float
    retro_days: float
    max_weeks: float
    confidence: str
    source: str
    note: str

    def __str__(self) -> str:
        def dollars(value: float) -> str:
            return "none" if np.isnan(value) else f"{value:,.2f}"

        retro = "never paid" if np.isnan(self.retro_days) else f"paid from {self.retro_days:g} days off on"
        limit = "no limit" if np.isnan(self.max_weeks) else f"at most {self.max_weeks:g} weeks"
        return (
            f"{self.name}: {self.rate:.2%} of {self.wage_base.replace('_', ' ')} wage, minimum "
            f"{dollars(self.weekly_minimum)}, maximum {dollars(self.weekly_maximum)} dollars a week "
            f"({self.maximum_effective}); {self.waiting_days:g} waiting days, {retro}; {limit}; "
            f"confidence {self.confidence}"
        )


def _rule(row: Mapping[str, str]) -> StatutoryRule:
    """Build a rule from a row of the table; an empty cell is NaN."""

    def number(name: str) -> float:
        return float(row[name]) if row[name] else np.nan

    return StatutoryRule(
        code=row["code"],
        name=row["name"],
        rate=number("rate"),
        wage_base=row["wage_base"],
        gross_rate=number("gross_rate"),
        weekly_maximum=number("weekly_maximum"),
        maximum_effective=row["maximum_effective"],
        weekly_minimum=number("weekly_minimum"),
        minimum_wage_share=number("minimum_wage_share"),
        waiting_days=number("waiting_days"),
        retro_days=number("retro_days"),
        max_weeks=number("max_weeks"),
        confidence=row["confidence"],
        source=row["source"],
        note=row["note"],
    )


@cache
def statutory_table() -> Mapping[str, StatutoryRule]:
    """Return the rule of every jurisdiction, by code, in the table's order.

    Examples
    --------
    >>> len(statutory_table())
    53
    """
    text = (files("msk_reserves.claims") / "statutes.csv").read_text(encoding="utf-8")
    return MappingProxyType({row["code"]: _rule(row) for row in csv.DictReader(text.splitlines())})


JURISDICTIONS: tuple[str, ...] = tuple(statutory_table())
"""The codes a claim may carry: the states, the District of Columbia, `FECA` and `LHWCA`."""


def statutory_rule(code: str) -> StatutoryRule:
    """Return the rule of one jurisdiction.

    Raises
    ------
    ValueError
        If the code is not in the table.

    Examples
    --------
    >>> rule = statutory_rule("CA")
    >>> rule.waiting_days, rule.retro_days, rule.max_weeks
    (3.0, 14.0, 104.0)
    """
    rule = statutory_table().get(code)
    if rule is None:
        raise ValueError(
            f"`code` must be a two-letter state, FECA or LHWCA, got {code!r}; "
            "otherwise give `weekly_benefit`, `waiting_days`, `retro_days` and `max_weeks` with the claim"
        )
    return rule


def weekly_benefit(weekly_wage: npt.ArrayLike, jurisdiction: str | npt.ArrayLike) -> Floats:
    """Return the weekly temporary total benefit that the law grants for a wage.

    The benefit is `gross_rate` times the wage, lifted to the minimum (which may not exceed `minimum_wage_share` of the
    wage) and cut at the maximum.

    Parameters
    ----------
    weekly_wage : array_like
        Average weekly wage before the injury, dollars; NaN gives NaN.
    jurisdiction : str or array_like of str
        One code for all, or one a wage; broadcast against `weekly_wage`.

    Returns
    -------
    numpy.ndarray
        Dollars a week, in the broadcast shape.

    Raises
    ------
    ValueError
        If a wage is negative or infinite, or a code is not in the table.

    Examples
    --------
    >>> weekly_benefit([900.0, 10_000.0, 100.0], "TX").tolist()
    [630.0, 1271.0, 100.0]
    """
    wages = np.asarray(weekly_wage, dtype=np.float64)
    bad = np.isinf(wages) | (wages < 0)
    if bad.any():
        raise ValueError(f"`weekly_wage` must be finite and not negative, got {wages[bad].flat[0]}")
    codes, place = np.unique(np.asarray(jurisdiction, dtype=str), return_inverse=True)
    rules = [statutory_rule(str(code)) for code in codes]
    where = place.reshape(np.shape(jurisdiction))

    def column(name: str) -> Floats:
        values: Floats = np.array([getattr(rule, name) for rule in rules], dtype=np.float64)[where]
        return values

    return within_bounds(
        column("gross_rate") * wages,
        wages,
        weekly_minimum=column("weekly_minimum"),
        minimum_wage_share=column("minimum_wage_share"),
        weekly_maximum=column("weekly_maximum"),
    )


def within_bounds(
    benefit: npt.ArrayLike,
    wage: npt.ArrayLike,
    *,
    weekly_minimum: npt.ArrayLike,
    minimum_wage_share: npt.ArrayLike,
    weekly_maximum: npt.ArrayLike,
) -> Floats:
    """Return a weekly benefit lifted to its minimum, as far as the wage allows, and cut at its maximum.

    Dollars a week; a bound of NaN does not bind.

    Examples
    --------
    >>> within_bounds([600.0, 80.0], [900.0, 120.0], weekly_minimum=250.0, minimum_wage_share=1.0,
    ...               weekly_maximum=np.nan).tolist()
    [600.0, 120.0]
    """
    floor = np.fmin(np.nan_to_num(np.asarray(weekly_minimum)), np.asarray(minimum_wage_share) * np.asarray(wage))
    maximum = np.asarray(weekly_maximum, dtype=np.float64)
    # A benefit that is not known stays so, whatever its bounds.
    lifted = np.maximum(np.asarray(benefit, dtype=np.float64), floor)
    return np.asarray(np.minimum(lifted, np.where(np.isnan(maximum), np.inf, maximum)))
