"""Benefits for life, to an age, or to dependants after a death: expectations, year by year."""

from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, Integers, finite
from msk_reserves.claims.benefit_law import BenefitLaw
from msk_reserves.claims.benefit_rules import BenefitRule
from msk_reserves.cost.compensation_rate import compensation_rate
from msk_reserves.cost.life_table import LifeTable
from msk_reserves.cost.weekly_streams import DAYS_A_YEAR, Payment
from msk_reserves.cost.worker import DEPENDENT_AGE, InjuredWorker

WEEKS_A_YEAR = DAYS_A_YEAR / 7.0


@dataclass(frozen=True, slots=True)
class Outlook:
    """How long people live and how fast wages and prices grow: what benefits for life depend on beside the law.

    Attributes
    ----------
    lives : who dies when.
    wage_growth, price_growth : a year, 0.03 for 3 %.
    """

    lives: LifeTable
    wage_growth: float
    price_growth: float

    def __post_init__(self) -> None:
        for name in ("wage_growth", "price_growth"):
            if finite(getattr(self, name), name) <= -1:
                raise ValueError(f"`{name}` must be above -1, got {getattr(self, name)!r}")

    def factors(self, rule: BenefitRule, year: Floats) -> Floats:
        """Return what a benefit has grown to in each year since it began."""
        index = {"": 0.0, "fixed": rule.escalation, "wages": self.wage_growth, "prices": self.price_growth}
        growth = np.fmin(index[rule.escalation_index], rule.escalation)
        rises = np.maximum(np.floor(year + 1e-9) - rule.escalation_from_year + 1.0, 0.0)
        return np.asarray((1.0 + growth) ** rises)


def paid_for_life(
    benefit: str,
    rule: BenefitRule,
    weekly: float,
    worker: InjuredWorker,
    start: float,
    days: float,
    outlook: Outlook,
) -> list[Payment]:
    """Return the yearly payments of a weekly benefit from a day since the injury on.

    For a finite number of days the worker is known to be alive; without end each year counts with the share of it that
    the worker is expected to live.

    Raises
    ------
    ValueError
        If the worker's age is needed and not known.
    """
    age = worker.age + start / DAYS_A_YEAR
    if np.isnan(age) and (np.isinf(days) or np.isfinite(rule.limit_age)):
        raise ValueError(f"`age` of the worker is needed for {benefit!r}: it is paid for life or to an age; got none")
    ends = [days / DAYS_A_YEAR, rule.max_weeks / WEEKS_A_YEAR, rule.limit_age - age]
    if np.isinf(days):
        ends.append(outlook.lives.last_age + 1.0 - age)
    end = float(max(np.nanmin(ends), 0.0))
    begins = np.arange(np.ceil(end), dtype=np.float64)
    amounts = weekly * WEEKS_A_YEAR * outlook.factors(rule, begins)
    until = _until_spent(begins, np.minimum(begins + 1.0, end), amounts, rule.limit_dollars)
    lived = until - begins
    if np.isinf(days):
        lived = outlook.lives.years_lived(age, worker.sex, begins, until)
    return _yearly(benefit, start, begins, until, amounts * lived)


def paid_to_dependants(
    law: BenefitLaw, worker: InjuredWorker, start: float, days: float, outlook: Outlook
) -> list[Payment]:
    """Return burial and the payments to spouse and children after a death on a day since the injury.

    The spouse is paid for life and each child to the limit of age; after the spouse's death the children alone are. Who
    marries again is not counted, and a limit in dollars is reached as if the spouse lived.
    """
    rule = law.steps(worker.jurisdiction, "death", worker.injury_date, warn=False)[0]
    at_death = start / DAYS_A_YEAR
    limit_age = DEPENDENT_AGE if np.isnan(rule.limit_age) else rule.limit_age
    left = np.array([limit_age - age - at_death for age in worker.children])
    spouse_age = worker.spouse_age + at_death
    spouse_end = outlook.lives.last_age + 1.0 - spouse_age if worker.has_spouse else 0.0
    needed = max(spouse_end, *left, 0.0)
    end = float(np.nanmin([needed, rule.max_weeks / WEEKS_A_YEAR, days / DAYS_A_YEAR]))
    times = np.concatenate([np.arange(np.ceil(end) + 1.0), left])
    edges = np.asarray(np.unique(np.clip(times, 0.0, end)), dtype=np.float64)
    begins, until = edges[:-1], edges[1:]
    children = (begins[:, None] < left - 1e-9).sum(axis=1)
    factors = WEEKS_A_YEAR * outlook.factors(rule, begins)
    alone = np.where(children > 0, _to_family(rule, worker, 0, children), 0.0) * factors
    together = _to_family(rule, worker, 1, children) * factors if worker.has_spouse else alone
    until = _until_spent(begins, until, together, rule.limit_dollars)
    lived = np.zeros(len(begins))
    if worker.has_spouse:
        lived = outlook.lives.years_lived(spouse_age, worker.spouse_sex, begins, until)
    dollars = together * lived + alone * (until - begins - lived)
    burial = [Payment("death", start, start, rule.burial)] if rule.burial else []
    return burial + _yearly("death", start, begins, until, dollars)


def _to_family(rule: BenefitRule, worker: InjuredWorker, spouse: int, children: Integers) -> Floats:
    """Return the weekly benefit of a family by its number of children."""
    return compensation_rate(
        rule,
        np.full(len(children), worker.weekly_wage),
        spendable_wage=worker.spendable_wage,
        spouse=spouse,
        children=children,
    )


def _until_spent(begins: Floats, until: Floats, amounts: Floats, limit: float) -> Floats:
    """Return the end of each stretch, no later than when payments reach a limit of dollars."""
    if np.isnan(limit):
        return until
    before = np.append(0.0, np.cumsum(amounts * (until - begins))[:-1])
    left = np.maximum(limit - before, 0.0)
    most = np.divide(left, amounts, out=np.full(len(amounts), np.inf), where=amounts > 0)
    return np.asarray(np.minimum(until, begins + most))


def _yearly(benefit: str, start: float, begins: Floats, until: Floats, dollars: Floats) -> list[Payment]:
    """Return the payments of stretches in years since a day."""
    days = start + DAYS_A_YEAR * np.column_stack([begins, until])
    return [
        Payment(benefit, float(one), float(other), float(paid))
        for (one, other), paid in zip(days, dollars, strict=True)
        if other > one
    ]
