"""Indemnity along a path: what the law owes for each stay, by benefit and by date."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, not_negative
from msk_reserves.claims.benefit_law import BenefitLaw, benefit_law, cautions, warn_of
from msk_reserves.claims.benefit_rules import BENEFITS, BenefitRule
from msk_reserves.claims.vocabulary import OFF_WORK_STATES
from msk_reserves.cost.award import Award, permanent_partial_award
from msk_reserves.cost.compensation_rate import NET_SHARE, compensation_rate
from msk_reserves.cost.life_streams import Outlook, paid_for_life, paid_to_dependants
from msk_reserves.cost.life_table import LifeTable, life_table
from msk_reserves.cost.weekly_streams import DAYS_A_YEAR, Payment, partial_payments, total_payments
from msk_reserves.cost.worker import FINAL_STATES, MODIFIED_DUTY, InjuredWorker, Stay, joined, starts


@dataclass(frozen=True, slots=True, eq=False)
class Indemnity:
    """What the law owes one worker along one path; expectations where a benefit is paid for life.

    Attributes
    ----------
    payments : dollars of each benefit by stretch of days since the injury.
    award : the permanent partial award, or None without a rating.
    assumptions : what was assumed and what must be said of the rules used, a sentence each.
    """

    payments: tuple[Payment, ...]
    award: Award | None
    assumptions: tuple[str, ...]

    @property
    def total(self) -> float:
        """Dollars of all benefits."""
        return float(sum(payment.dollars for payment in self.payments))

    def by_benefit(self) -> dict[str, float]:
        """Return dollars of each benefit, zero where nothing is owed."""
        owed = dict.fromkeys(BENEFITS, 0.0)
        for payment in self.payments:
            owed[payment.benefit] += payment.dollars
        return owed

    def by_year(self, benefit: str | None = None, *, since_day: float = 0.0) -> Floats:
        """Return dollars for the days of each year from a day since the injury on, shape (n_years,).

        What is for days before is left out. The result is what `present_value` takes.
        """
        since = not_negative(since_day, "since_day")
        chosen = [one for one in self.payments if benefit in (None, one.benefit) and one.to_day >= since]
        if not chosen:
            return np.zeros(0)
        begin, end, dollars = (
            np.array([getattr(one, name) for one in chosen]) for name in ("from_day", "to_day", "dollars")
        )
        edges = since + DAYS_A_YEAR * np.arange(np.floor((end.max() - since) / DAYS_A_YEAR) + 2.0)
        within = np.minimum(end[:, None], edges[1:]) - np.maximum(begin[:, None], edges[:-1])
        length = (end - begin)[:, None]
        at_once = (begin[:, None] >= edges[:-1]) & (begin[:, None] < edges[1:])
        shares = np.divide(np.maximum(within, 0.0), length, out=at_once.astype(np.float64), where=length > 0)
        return np.asarray((dollars[:, None] * shares).sum(axis=0))

    def to_frame(self) -> pd.DataFrame:
        """Return the payments as a frame, a row each: benefit, from_day, to_day (since the injury), dollars."""
        names = ("benefit", "from_day", "to_day", "dollars")
        return pd.DataFrame({name: [getattr(one, name) for one in self.payments] for name in names})

    def __str__(self) -> str:
        parts = [f"{name.replace('_', ' ')} {dollars:,.2f}" for name, dollars in self.by_benefit().items() if dollars]
        lines = [f"Indemnity of {self.total:,.2f} dollars: {', '.join(parts) or 'nothing owed'}"]
        return "\n".join(lines + [f"  {sentence}" for sentence in self.assumptions])


def indemnity(
    worker: InjuredWorker,
    stays: Sequence[Stay],
    law: BenefitLaw | None = None,
    *,
    rating: float = 0.0,
    rated_day: float | None = None,
    earning_capacity: float | None = None,
    first_day: float = 0.0,
    lives: LifeTable | None = None,
    wage_growth: float = 0.035,
    price_growth: float = 0.025,
    warn: bool = True,
) -> Indemnity:
    """Return the indemnity that the law owes a worker along a path.

    Temporary total benefits are owed in the states off work, temporary partial ones on modified duty, permanent total
    ones in `permanent_total`, those of dependants in `dead`. A permanent partial award is paid from the day of rating
    until its weeks are over, or a settlement, permanent total disability or death; nothing is owed after a settlement,
    whose price is no statute's. A last stay without end is worth its expectation over all ages at death.

    Parameters
    ----------
    worker : InjuredWorker
        The worker.
    stays : sequence of Stay
        The path, one stay after the other.
    law : BenefitLaw, optional
        The law; by default `benefit_law()`.
    rating : float
        Impairment rating as a share; 0 for none.
    rated_day : float, optional
        Days from the injury to the rating; by default the first day of `mmi`, else the end of temporary benefits.
    earning_capacity : float, optional
        Dollars a week the worker can still earn, where awards are for wages lost: the share lost then stands for the
        rating; by default the wage less the rating.
    first_day : float
        Days from the injury to the first stay.
    lives : LifeTable, optional
        Who dies when; by default `life_table()`.
    wage_growth, price_growth : float
        Growth a year of what benefits are tied to; they are told with the result.
    warn : bool
        Whether to warn of rules of low confidence; they are told with the result in any case.

    Returns
    -------
    Indemnity
        Dollars by benefit and by date, not discounted.

    Raises
    ------
    ValueError
        If the path is none, or an age or a degree of disability is needed and not known.

    Examples
    --------
    >>> worker = InjuredWorker("TX", "2025-11-01", 900.0, body_part="shoulder", age=45.0, sex="male")
    >>> path = [Stay("off_work", 84), Stay("modified_duty", 28, earnings=600.0), Stay("back_at_work", 700)]
    >>> print(indemnity(worker, path, rating=0.05))
    Indemnity of 17,850.00 dollars: temporary total 7,560.00, temporary partial 840.00, permanent partial 9,450.00
    """
    rules = benefit_law() if law is None else law
    outlook = Outlook(life_table() if lives is None else lives, wage_growth, price_growth)
    stays = joined(stays)
    begins = starts(stays, first_day)
    path, days = _until_settled(stays, begins)
    paid, weeks = total_payments(rules, worker, path, days)
    paid += partial_payments(rules, worker, path, days)
    award = None
    if rating or earning_capacity is not None:
        award = permanent_partial_award(
            rules, worker, rating, earning_capacity=earning_capacity, temporary_weeks=weeks, warn=False
        )
        paid += _award_payments(rules, worker, award, (stays, begins), rated_day, outlook)
    for stay, start in zip(path, days, strict=True):
        if stay.state == "permanent_total":
            rule = rules.steps(worker.jurisdiction, "permanent_total", worker.injury_date, warn=False)[0]
            paid += paid_for_life("permanent_total", rule, _weekly(worker, rule), worker, start, stay.days, outlook)
        elif stay.state == "dead" and (worker.jurisdiction, "death") in rules.rules:
            paid += paid_to_dependants(rules, worker, start, stay.days, outlook)
    said = _said(rules, worker, path, award)
    if warn:
        warn_of(said)
    paid = [payment for payment in paid if payment.dollars]
    return Indemnity(tuple(paid), award, (*said, *_assumed(rules, worker, paid, outlook)))


def _until_settled(stays: Sequence[Stay], days: Sequence[float]) -> tuple[list[Stay], list[float]]:
    """Return the stays before a settlement, with their first days."""
    states = [stay.state for stay in stays]
    place = states.index("settled") if "settled" in states else len(states)
    return list(stays[:place]), list(days[:place])


def _weekly(worker: InjuredWorker, rule: BenefitRule) -> float:
    """Return the weekly benefit of a total disability."""
    return float(
        compensation_rate(
            rule,
            worker.weekly_wage,
            spendable_wage=worker.spendable_wage,
            spouse=worker.has_spouse,
            children=worker.n_children(),
        )
    )


def _award_payments(
    law: BenefitLaw,
    worker: InjuredWorker,
    award: Award,
    path: tuple[Sequence[Stay], Sequence[float]],
    rated_day: float | None,
    outlook: Outlook,
) -> list[Payment]:
    """Return the payments of an award from the rating to its end, or to what ends it."""
    stays = list(zip(*path, strict=True))
    rated = _rated(stays) if rated_day is None else not_negative(rated_day, "rated_day")
    until = min((start for stay, start in stays if stay.state in FINAL_STATES), default=np.inf)
    left = until - rated
    if award.basis == "none" or left <= 0:
        return []
    if award.basis == "dollars":
        return [Payment("permanent_partial", rated, rated, award.dollars)]
    if np.isinf(award.weeks):
        rule = law.steps(worker.jurisdiction, "permanent_partial", worker.injury_date, warn=False)[0]
        return paid_for_life("permanent_partial", rule, award.weekly, worker, rated, left, outlook)
    days = min(7.0 * award.weeks, left)
    paid = [Payment("permanent_partial", rated, rated + days, award.weekly * days / 7.0)]
    if award.pension and left > days:
        rule = law.steps(worker.jurisdiction, "permanent_total", worker.injury_date, warn=False)[0]
        paid += paid_for_life("permanent_partial", rule, award.pension, worker, rated + days, left - days, outlook)
    return paid


def _rated(stays: Sequence[tuple[Stay, float]]) -> float:
    """Return the first day of medical improvement without a return, else the end of temporary benefits."""
    improved = [start for stay, start in stays if stay.state.startswith("mmi")]
    if improved:
        return improved[0]
    ends = [start + stay.days for stay, start in stays if stay.state in (*OFF_WORK_STATES, *MODIFIED_DUTY)]
    return max(ends, default=stays[0][1])


def _said(law: BenefitLaw, worker: InjuredWorker, path: Sequence[Stay], award: Award | None) -> tuple[str, ...]:
    """Return what must be said of the rules that the states of a path call for."""
    states = {stay.state for stay in path}
    called = {
        "temporary_total": states & set(OFF_WORK_STATES),
        "temporary_partial": states & set(MODIFIED_DUTY),
        "permanent_total": states & {"permanent_total"},
        "death": states & {"dead"},
    }
    said: list[str] = []
    for benefit in (name for name, seen in called.items() if seen):
        if (worker.jurisdiction, benefit) in law.rules:
            steps = law.steps(worker.jurisdiction, benefit, worker.injury_date, warn=False)
            said += cautions(steps, worker.injury_date)
        else:
            name = f"{worker.jurisdiction} {benefit.replace('_', ' ')}"
            said.append(f"{name}: no rule is known, nothing is counted; give your own row")
    return (*said, *(award.cautions if award else ()))


def _assumed(law: BenefitLaw, worker: InjuredWorker, paid: Sequence[Payment], outlook: Outlook) -> tuple[str, ...]:
    """Return what else was assumed for the benefits that are owed."""
    benefits = sorted({payment.benefit for payment in paid})
    used = [law.steps(worker.jurisdiction, name, worker.injury_date, warn=False)[0] for name in benefits]
    told = []
    if np.isnan(worker.spendable_wage) and any(rule.wage_base == "after_tax" for rule in used):
        told.append(f"spendable earnings taken as {NET_SHARE:.0%} of the wage")
    grows = {rule.escalation_index for rule in used if rule.benefit in ("permanent_total", "death")}
    growth = {"wages": outlook.wage_growth, "prices": outlook.price_growth}
    told += [f"{name} grow by {growth[name]:.1%} a year" for name in sorted(grows & set(growth))]
    if any(rule.benefit in ("permanent_total", "death") for rule in used):
        told.append(str(outlook.lives))
    return tuple(told)
