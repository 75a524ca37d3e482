"""Weekly benefits over days: in steps by weeks paid, with waiting days, limits and changing amounts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.benefit_law import BenefitLaw, in_force
from msk_reserves.claims.benefit_rules import BenefitRule
from msk_reserves.claims.schema import calendar_day
from msk_reserves.claims.vocabulary import OFF_WORK_STATES
from msk_reserves.cost.benefits import temporary_total
from msk_reserves.cost.compensation_rate import compensation_rate
from msk_reserves.cost.worker import MODIFIED_DUTY, InjuredWorker, Stay

DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Payment:
    """Dollars of one benefit for the days from one day since the injury to another."""

    benefit: str
    from_day: float
    to_day: float
    dollars: float


def total_payments(
    law: BenefitLaw, worker: InjuredWorker, stays: Sequence[Stay], starts: Sequence[float]
) -> tuple[list[Payment], float]:
    """Return the temporary total benefits of the stays off work, and the weeks paid.

    Days off count over all stays: the waiting period and the limit of weeks are met once.
    """
    steps = law.steps(worker.jurisdiction, "temporary_total", worker.injury_date, warn=False)
    first = steps[0]
    last_day = DAYS_A_YEAR * first.limit_years
    payments, off, paid = [], 0.0, 0.0
    for stay, start in zip(stays, starts, strict=True):
        if stay.state not in OFF_WORK_STATES:
            continue
        cuts = np.concatenate([_off_cuts(steps) - off, _day_cuts(law, worker, first) - start, [last_day - start]])
        for begin, end in _between(0.0, stay.days, cuts):
            before, after = temporary_total(
                [off + begin, off + end], 7.0, first.waiting_days, first.retro_days, first.max_weeks
            )
            if start + begin < last_day or np.isnan(last_day):
                held = _steps_on(law, worker, steps, start + begin)
                dollars = _over_steps(held, [_rate(step, worker) for step in held], float(before), float(after))
                payments.append(Payment("temporary_total", start + begin, start + end, dollars))
                paid += float(after - before) / 7.0
        off += stay.days
    return payments, paid


def partial_payments(
    law: BenefitLaw, worker: InjuredWorker, stays: Sequence[Stay], starts: Sequence[float]
) -> list[Payment]:
    """Return the temporary partial benefits of the stays on modified duty; none where no rule is known."""
    if (worker.jurisdiction, "temporary_partial") not in law.rules:
        return []
    steps = law.steps(worker.jurisdiction, "temporary_partial", worker.injury_date, warn=False)
    last_day = DAYS_A_YEAR * np.nan_to_num(steps[0].limit_years, nan=np.inf)
    payments, spent = [], 0.0
    for stay, start in zip(stays, starts, strict=True):
        if stay.state not in MODIFIED_DUTY:
            continue
        weekly = [_rate(step, worker, stay.earnings, stay.degree) for step in steps]
        limit = np.fmin(spent + min(stay.days, max(last_day - start, 0.0)), 7.0 * steps[0].max_weeks)
        cuts = np.array([7.0 * step.from_week - spent for step in steps] + [limit - spent])
        for begin, end in _between(0.0, stay.days, cuts):
            if spent + begin < limit:
                dollars = _over_steps(steps, weekly, spent + begin, spent + end)
                payments.append(Payment("temporary_partial", start + begin, start + end, dollars))
        spent += stay.days
    return payments


def _rate(step: BenefitRule, worker: InjuredWorker, earnings: float = 0.0, degree: float = np.nan) -> float:
    """Return the weekly benefit of a step for a worker."""
    return float(
        compensation_rate(
            step,
            worker.weekly_wage,
            spendable_wage=worker.spendable_wage,
            spouse=worker.has_spouse,
            children=worker.n_children(),
            earnings=earnings,
            degree=degree,
        )
    )


def _over_steps(steps: Sequence[BenefitRule], weekly: Sequence[float], before: float, after: float) -> float:
    """Return dollars for the paid days between two counts of them, each at the rate of its step."""
    begins = 7.0 * np.array([step.from_week for step in steps])
    ends = np.append(begins[1:], np.inf)
    within = np.minimum(after, ends) - np.maximum(before, begins)
    return float((np.maximum(within, 0.0) * np.asarray(weekly)).sum() / 7.0)


def _off_cuts(steps: Sequence[BenefitRule]) -> Floats:
    """Return the days off at which what a day brings may change: waiting, retroactive, each step, the limit."""
    first = steps[0]
    paid = 7.0 * np.array([*(step.from_week for step in steps), first.max_weeks])
    return np.concatenate([[first.waiting_days, first.retro_days], paid, paid + first.waiting_days])


def _day_cuts(law: BenefitLaw, worker: InjuredWorker, first: BenefitRule) -> Floats:
    """Return the days since the injury on which amounts change; none where they stay those of the injury."""
    if first.amounts_at == "injury":
        return np.empty(0)
    injured = calendar_day(worker.injury_date, "injury_date")
    rules = law.rules[worker.jurisdiction, "temporary_total"]
    return np.array([rule.effective_from - injured for rule in rules])


def _steps_on(
    law: BenefitLaw, worker: InjuredWorker, steps: tuple[BenefitRule, ...], day: float
) -> tuple[BenefitRule, ...]:
    """Return the steps whose amounts hold on a day since the injury."""
    if steps[0].amounts_at == "injury":
        return steps
    on = calendar_day(worker.injury_date, "injury_date") + day
    return in_force(law.rules[worker.jurisdiction, "temporary_total"], on)


def _between(begin: float, end: float, cuts: Floats) -> list[tuple[float, float]]:
    """Return the stretches between two times, cut where asked."""
    inside = np.unique(cuts[(cuts > begin) & (cuts < end)])
    edges = [begin, *inside.tolist(), end]
    return [(one, other) for one, other in pairwise(edges) if other > one]
