"""Payments for outcomes: milestones an episode reaches, and fees at risk on what share of a pool reaches them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, finite, not_negative, one_of, share
from msk_reserves.contracts.amounts import (
    MEASURED,
    EpisodeAmounts,
    EpisodeTerm,
    Pool,
    PoolTerm,
    all_hold,
    percent,
    rule,
)
from msk_reserves.contracts.table import EpisodeTable

SCHEDULES = ("cliff", "linear")
"""How a payment is earned: all at the goal or nothing, or in proportion up to it."""

UNMEASURED = ("not reached", "left out")
"""What an episode without the measure counts as."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A threshold of a measure to be reached, upwards or downwards.

    Attributes
    ----------
    measure : the column, such as `day_back`, `quickdash_gain`, `odi_gain` or `koos_jr_gain`.
    threshold : to be reached.
    downwards : whether at most the threshold is wanted (days to return) or at least (gain of a score).

    Examples
    --------
    >>> Goal("day_back", 182, downwards=True).describe(), Goal("quickdash_gain", 10.8).describe()
    ('day_back of at most 182', 'quickdash_gain of at least 10.8')
    """

    measure: str
    threshold: float
    downwards: bool = False

    def __post_init__(self) -> None:
        all_hold(
            lambda: rule(holds=bool(self.measure), sentence="`goal.measure` must name a column, got ''"),
            lambda: finite(self.threshold, "goal.threshold"),
        )

    def reached(self, table: EpisodeTable) -> Floats:
        """Return 1 where the goal is reached, 0 where not, NaN where it is not measured; shape (n_episodes,)."""
        column = table.number(self.measure)
        met = column <= self.threshold if self.downwards else column >= self.threshold
        return np.where(np.isnan(column), np.nan, met.astype(np.float64))

    def approached(self, table: EpisodeTable) -> Floats:
        """Return how much of the way to a goal upwards from 0 was made, in [0, 1]; NaN where not measured."""
        made: Floats = np.clip(table.number(self.measure) / self.threshold, 0.0, 1.0)
        return made

    def describe(self) -> str:
        """Return the goal."""
        return f"{self.measure} of at {'most' if self.downwards else 'least'} {self.threshold:g}"


@dataclass(frozen=True, slots=True)
class Milestone(EpisodeTerm):
    """The payer pays the bearer for an episode that reaches a goal.

    Attributes
    ----------
    goal : what is to be reached; an episode without the measure has not reached it.
    dollars : paid an episode.
    schedule : `cliff`, all or nothing, or `linear`, in proportion to the way made from 0 to the goal.

    Examples
    --------
    >>> Milestone(Goal("quickdash_gain", 10.8), dollars=1_500).describe()
    '$1,500 for quickdash_gain of at least 10.8'
    """

    goal: Goal
    dollars: float
    schedule: str = "cliff"

    def __post_init__(self) -> None:
        all_hold(
            lambda: not_negative(self.dollars, "milestone.dollars"),
            lambda: one_of(self.schedule, SCHEDULES, "milestone.schedule"),
            lambda: rule(
                holds=self.schedule == "cliff" or (self.goal.threshold > 0 and not self.goal.downwards),
                sentence=f"`milestone.schedule` 'linear' needs a goal upwards from 0, got {self.goal.describe()}",
            ),
        )

    def needs(self) -> tuple[str, ...]:
        """Return the goal's column."""
        return (self.goal.measure,)

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the amounts with the payment where it is earned."""
        of = self.goal.reached if self.schedule == "cliff" else self.goal.approached
        return amounts.paying(self.dollars * np.nan_to_num(of(amounts.table)))

    def describe(self) -> str:
        """Return payment, goal and schedule."""
        how = "" if self.schedule == "cliff" else ", in proportion to the way made"
        return f"${self.dollars:,.0f} for {self.goal.describe()}{how}"


@dataclass(frozen=True, slots=True)
class FeesAtRisk(PoolTerm):
    """A share of the price is earned by the share of a pool's episodes that reach a goal.

    Attributes
    ----------
    goal : what an episode is to reach.
    share_at_risk : of the target price.
    goal_share : the share of episodes with which all of it is earned.
    schedule : `cliff`, nothing below that share, or `linear`, in proportion.
    unmeasured : whether an episode without the measure has `not reached` the goal or is `left out`.

    Notes
    -----
    With a measure whose error is as large as the gain that matters, an episode's own cliff pays on noise; the share of
    a cohort does so less.

    Examples
    --------
    >>> FeesAtRisk(Goal("quickdash_gain", 10.8), share_at_risk=0.3, goal_share=0.6).describe()
    '30% of the price is earned, in proportion, as 60% of episodes have quickdash_gain of at least 10.8'
    """

    goal: Goal
    share_at_risk: float
    goal_share: float
    schedule: str = "linear"
    unmeasured: str = "not reached"

    def __post_init__(self) -> None:
        all_hold(
            lambda: share(self.share_at_risk, "fees_at_risk.share_at_risk"),
            lambda: share(self.goal_share, "fees_at_risk.goal_share"),
            lambda: rule(
                holds=self.goal_share > 0,
                sentence=f"`fees_at_risk.goal_share` must be above zero, got {self.goal_share!r}",
            ),
            lambda: one_of(self.schedule, SCHEDULES, "fees_at_risk.schedule"),
            lambda: one_of(self.unmeasured, UNMEASURED, "fees_at_risk.unmeasured"),
        )

    def needs(self) -> tuple[str, ...]:
        """Return the goal's column."""
        return (self.goal.measure,)

    @property
    def _name(self) -> str:
        """Name of the sum of episodes that reached the goal."""
        return f"{self.goal.describe()}, {self.unmeasured} if blank"

    def sums(self, table: EpisodeTable) -> Mapping[str, Floats]:
        """Return where the goal was reached and where it was measured."""
        reached = self.goal.reached(table)
        measured = np.ones_like(reached) if self.unmeasured == "not reached" else (~np.isnan(reached)).astype(float)
        return {self._name: np.nan_to_num(reached), self._name + MEASURED: measured}

    def apply(self, pool: Pool) -> Pool:
        """Return the pool less what of the price was not earned."""
        reached = pool.mean(self._name)
        part = np.minimum(reached / self.goal_share, 1.0)
        earned = part if self.schedule == "linear" else (reached >= self.goal_share).astype(np.float64)
        return pool.owing(pool.amount - self.share_at_risk * pool.target * (1.0 - earned))

    def describe(self) -> str:
        """Return share, schedule and goal."""
        how = "in proportion, " if self.schedule == "linear" else "all or nothing, "
        goal = f"{percent(self.goal_share)} of episodes have {self.goal.describe()}"
        return f"{percent(self.share_at_risk)} of the price is earned, {how}as {goal}"
