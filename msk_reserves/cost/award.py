"""Permanent partial awards: from a rating to weeks at a weekly rate, a sum, or a share of the wages lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from msk_reserves._checks import not_negative, share
from msk_reserves.claims.benefit_law import BenefitLaw, cautions, warn_of
from msk_reserves.claims.benefit_rules import AwardRule, BenefitRule
from msk_reserves.cost.compensation_rate import compensation_rate
from msk_reserves.cost.worker import InjuredWorker

SCHEDULED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "shoulder": ("shoulder", "arm", "whole"),
        "elbow": ("elbow", "arm", "whole"),
        "wrist_hand": ("hand", "arm", "whole"),
        "upper_extremity": ("arm", "whole"),
        "hip": ("hip", "leg", "whole"),
        "knee": ("knee", "leg", "whole"),
        "ankle_foot": ("foot", "leg", "whole"),
        "lower_extremity": ("leg", "whole"),
        "low_back": ("back", "whole"),
        "neck": ("back", "whole"),
    }
)
"""Parts by which a body part may be rated, the first that the jurisdiction's table has; all others by the person."""


@dataclass(frozen=True, slots=True)
class Award:
    """What a rating is worth.

    Attributes
    ----------
    part : the part rated.
    basis : "weeks", "dollars" or "wage_loss"; "none" where the law has no row.
    weeks : weeks paid; infinite where paid for life or to an age.
    weekly : dollars a week.
    dollars : a sum paid at once.
    limit_age : age at which payment ends; NaN for none.
    pension : dollars a week for life after the weeks.
    cautions : what must be said of the rules used.
    """

    part: str
    basis: str
    weeks: float
    weekly: float
    dollars: float
    limit_age: float
    pension: float
    cautions: tuple[str, ...]

    @property
    def value(self) -> float:
        """Dollars in all, infinite where paid without a limit of weeks."""
        if self.pension > 0:
            return np.inf
        return self.dollars + (self.weeks * self.weekly if self.weekly > 0 else 0.0)

    def __str__(self) -> str:
        paid = (
            f"{self.weeks:,.2f} weeks at {self.weekly:,.2f} dollars" if self.weekly else f"{self.dollars:,.2f} dollars"
        )
        return f"Award by {self.basis.replace('_', ' ')} for {self.part}: {paid}"


def permanent_partial_award(
    law: BenefitLaw,
    worker: InjuredWorker,
    rating: float,
    *,
    earning_capacity: float | None = None,
    temporary_weeks: float = 0.0,
    warn: bool = True,
) -> Award:
    """Return the permanent partial award for a rating.

    Weeks, or dollars, add up over the bands of ratings: ``sum_b w_b (points within b)``; or they are those of the
    band reached. The weekly rate is that of the tier which the weeks reach: in Maryland below 75, below 250, and
    above, where weeks grow by a third. Where the award is for wages lost, the weekly benefit is a share of the wage
    less earning capacity.

    Parameters
    ----------
    law : BenefitLaw
        The law.
    worker : InjuredWorker
        The worker.
    rating : float
        Impairment rating as a share: of the part, of the person, or of earning capacity, as the jurisdiction rates.
    earning_capacity : float, optional
        Dollars a week the worker can still earn, where awards are for wages lost: the share lost then stands for the
        rating; by default the wage less the rating.
    temporary_weeks : float
        Weeks of temporary total benefits, taken off the award where the law does so.
    warn : bool
        Whether to warn of rules of low confidence.

    Returns
    -------
    Award
        Weeks, weekly rate, or sum.

    Raises
    ------
    ValueError
        If the rating is not a share, another number is negative, or an age is needed and not known.

    Examples
    --------
    >>> from msk_reserves.claims.benefit_law import benefit_law
    >>> worker = InjuredWorker("TX", "2025-11-01", 900.0, body_part="low_back")
    >>> print(permanent_partial_award(benefit_law(), worker, 0.10))
    Award by weeks for whole: 30.00 weeks at 630.00 dollars
    """
    share(rating, "rating")
    capacity = worker.weekly_wage * (1.0 - rating) if earning_capacity is None else earning_capacity
    lost = 1.0 - min(not_negative(capacity, "earning_capacity") / max(worker.weekly_wage, 1e-9), 1.0)
    weeks_before = not_negative(temporary_weeks, "temporary_weeks")
    part, bands = _bands(law, worker)
    if not bands or (worker.jurisdiction, "permanent_partial") not in law.rules:
        return _nothing(part, worker, warn=warn)
    # Rounded, so that 0.3 of a wage lost by subtraction is in the band that ends at 30 per cent.
    points = round(100.0 * (lost if bands[0].basis == "wage_loss" else rating), 9)
    reached = max((band for band in bands if band.from_rating < points), key=lambda b: b.from_rating, default=bands[0])
    weeks = _weeks(bands, reached, points)
    steps = law.steps(worker.jurisdiction, "permanent_partial", worker.injury_date, warn=False)
    rule = max((step for step in steps if step.from_week <= weeks), key=lambda step: step.from_week, default=steps[0])
    weeks = np.fmin(weeks * rule.weeks_factor * _by_age(reached, worker), rule.max_weeks)
    if rule.deduct_temporary:
        weeks = max(weeks - weeks_before, 0.0)
    said = cautions((rule, reached), worker.injury_date)
    if warn:
        warn_of(said)
    if reached.basis == "dollars":
        dollars = _by_points(bands, reached, points, "dollars_per_point")
        return Award(part, reached.basis, 0.0, 0.0, dollars, np.nan, 0.0, said)
    weekly = _weekly(rule, reached, worker, rating, capacity)
    pension = _pension(reached, worker, points)
    return Award(part, reached.basis, float(weeks) if points else 0.0, weekly, 0.0, rule.limit_age, pension, said)


def _bands(law: BenefitLaw, worker: InjuredWorker) -> tuple[str, tuple[AwardRule, ...]]:
    """Return the first part that the jurisdiction rates for a body part, with its bands."""
    parts = SCHEDULED.get(worker.body_part, ("whole",))
    for part in parts:
        bands = law.bands(worker.jurisdiction, part, worker.injury_date)
        if bands:
            return part, bands
    return parts[-1], ()


def _nothing(part: str, worker: InjuredWorker, *, warn: bool) -> Award:
    """Return an award of nothing, saying that no row is known."""
    said = (f"{worker.jurisdiction} award for {part}: no rule is known, nothing is counted; give your own row",)
    if warn:
        warn_of(said)
    return Award(part, "none", 0.0, 0.0, 0.0, np.nan, 0.0, said)


def _weeks(bands: Sequence[AwardRule], reached: AwardRule, points: float) -> float:
    """Return the weeks of a rating; infinite where no band says."""
    if not np.isnan(reached.weeks):
        return reached.weeks
    if all(np.isnan(band.weeks_per_point) for band in bands):
        return np.inf
    return _by_points(bands, reached, points, "weeks_per_point")


def _by_points(bands: Sequence[AwardRule], reached: AwardRule, points: float, name: str) -> float:
    """Return weeks or dollars for the points within each band, or all points at the figure of the band reached."""
    if reached.whole_rating:
        return points * float(getattr(reached, name))
    begins = np.array([band.from_rating for band in bands])
    each = np.nan_to_num(np.array([getattr(band, name) for band in bands]))
    within = np.clip(points - begins, 0.0, np.diff(np.append(begins, np.inf)))
    return float((each * within).sum())


def _by_age(reached: AwardRule, worker: InjuredWorker) -> float:
    """Return what the weeks are multiplied by for the worker's age: Colorado's factor, 1 elsewhere."""
    if np.isnan(reached.young_factor):
        return 1.0
    if np.isnan(worker.age):
        raise ValueError(f"`age` of the worker is needed for an award in {worker.jurisdiction}, got none")
    return float(1.0 + (reached.young_factor - 1.0) * np.clip((60.0 - np.floor(worker.age)) / 40.0, 0.0, 1.0))


def _pension(reached: AwardRule, worker: InjuredWorker, points: float) -> float:
    """Return the weekly pension for life of a high rating; 0 where the law has none."""
    if np.isnan(reached.pension_rate):
        return 0.0
    wage = float(np.fmin(worker.weekly_wage, reached.pension_wage_cap))
    return reached.pension_rate * max(points - reached.pension_from, 0.0) * wage


def _weekly(rule: BenefitRule, reached: AwardRule, worker: InjuredWorker, rating: float, capacity: float) -> float:
    """Return the weekly rate of an award."""
    loss = reached.basis == "wage_loss"
    weekly = compensation_rate(
        replace(rule, formula="wage_loss") if loss else rule,
        worker.weekly_wage,
        spendable_wage=worker.spendable_wage,
        spouse=worker.has_spouse,
        children=worker.n_children(),
        earnings=min(capacity, worker.weekly_wage) if loss else 0.0,
    )
    factor = 1.0 if np.isnan(reached.weekly_factor) else reached.weekly_factor * rating
    return float(weekly) * factor
