"""What concerns a category or a pool: few episodes, care after the window, shares passed on, a failed bearer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from msk_reserves._checks import Floats, not_negative, share, whole
from msk_reserves.contracts.amounts import (
    BEARER,
    CATEGORY,
    DEADWEIGHT,
    LAST,
    PAYER,
    PROVIDERS,
    Pool,
    PoolTerm,
    averaged,
    percent,
    rule,
)
from msk_reserves.contracts.table import EpisodeTable


@dataclass(frozen=True, slots=True)
class LowVolume(PoolTerm):
    """A category with few episodes in the baseline period has no loss; a gain stays.

    Attributes
    ----------
    at_least : episodes in the baseline period from which a loss counts.
    measure : the column with that number, the same in all rows of a category and pool.

    Examples
    --------
    >>> LowVolume(31).describe()
    'a category with fewer than 31 baseline_episodes has no loss'
    """

    at_least: int
    measure: str = "baseline_episodes"

    stage: ClassVar[int] = CATEGORY

    def __post_init__(self) -> None:
        whole(self.at_least, "low_volume.at_least", at_least=1)

    def needs(self) -> tuple[str, ...]:
        """Return the column of baseline episodes."""
        return (self.measure,)

    def sums(self, table: EpisodeTable) -> Mapping[str, Floats]:
        """Return what the mean of the column needs."""
        return averaged(table, self.measure)

    def apply(self, pool: Pool) -> Pool:
        """Return the categories without losses where episodes were few."""
        few = pool.mean(self.measure) < self.at_least
        return pool.owing(np.where(few, np.maximum(pool.amount, 0.0), pool.amount))

    def describe(self) -> str:
        """Return the number."""
        return f"a category with fewer than {self.at_least} {self.measure} has no loss"


@dataclass(frozen=True, slots=True)
class PostEpisode(PoolTerm):
    """Care in the days after the window is watched: what exceeds its limit on average, the bearer owes.

    The columns `post_cost` and `post_limit` hold each episode's dollars in those days and the limit of its region
    (mean and so many standard deviations). Before a `GainLossLimit` the excess is inside that limit, after it outside.

    Attributes
    ----------
    days : after the window.

    Examples
    --------
    >>> PostEpisode(30).describe()
    'care in the 30 days after the window above post_limit, on average, is owed'
    """

    days: int = 30

    def __post_init__(self) -> None:
        whole(self.days, "post_episode.days", at_least=1)

    def needs(self) -> tuple[str, ...]:
        """Return the columns of cost and limit."""
        return ("post_cost", "post_limit")

    def sums(self, table: EpisodeTable) -> Mapping[str, Floats]:
        """Return cost and limit."""
        return {name: table.filled(name) for name in self.needs()}

    def apply(self, pool: Pool) -> Pool:
        """Return the pool less the excess."""
        return pool.owing(pool.amount - np.maximum(pool.sums["post_cost"] - pool.sums["post_limit"], 0.0))

    def describe(self) -> str:
        """Return the days."""
        return f"care in the {self.days} days after the window above post_limit, on average, is owed"


@dataclass(frozen=True, slots=True)
class Gainsharing(PoolTerm):
    """The bearer passes a share of its gain to those who gave the care.

    Attributes
    ----------
    share : of a gain.

    Examples
    --------
    >>> Gainsharing(0.5).describe()
    'the bearer passes 50% of its gain to providers'
    """

    share: float

    stage: ClassVar[int] = LAST

    def __post_init__(self) -> None:
        share(self.share, "gainsharing.share")

    def apply(self, pool: Pool) -> Pool:
        """Return the pool with the payment to providers."""
        return pool.passing(self.title, BEARER, PROVIDERS, self.share * np.maximum(pool.amount, 0.0))

    def describe(self) -> str:
        """Return the share."""
        return f"the bearer passes {percent(self.share)} of its gain to providers"


@dataclass(frozen=True, slots=True)
class AdministrativeLoad(PoolTerm):
    """Dollars an episode that buy no care: transition, reporting, case management by the hour, review of bills.

    Attributes
    ----------
    dollars : an episode, or a unit of `per`.
    payer : whether the payer bears them, or the bearer.
    per : a column of units, such as hours of case management; "" for each episode.

    Examples
    --------
    >>> AdministrativeLoad(250).describe()
    'the payer spends $250 an episode on administration'
    """

    dollars: float
    payer: bool = True
    per: str = ""

    stage: ClassVar[int] = LAST

    def __post_init__(self) -> None:
        not_negative(self.dollars, "administrative_load.dollars")

    def needs(self) -> tuple[str, ...]:
        """Return the column of units, where there is one."""
        return (self.per,) if self.per else ()

    def sums(self, table: EpisodeTable) -> Mapping[str, Floats]:
        """Return the units."""
        return {self.per: table.filled(self.per)} if self.per else {}

    def apply(self, pool: Pool) -> Pool:
        """Return the pool with the dollars spent."""
        units = pool.sums[self.per] if self.per else pool.episodes
        return pool.passing(self.title, PAYER if self.payer else BEARER, DEADWEIGHT, self.dollars * units)

    def describe(self) -> str:
        """Return the dollars."""
        who = "payer" if self.payer else "bearer"
        unit = f"for each of {self.per}" if self.per else "an episode"
        return f"the {who} spends ${self.dollars:,.0f} {unit} on administration"


@dataclass(frozen=True, slots=True)
class ReviewFee(PoolTerm):
    """Review of bills is paid a share of what it takes off them: of `schedule` less `cost`, where that is a saving.

    Attributes
    ----------
    share : of the savings.

    Examples
    --------
    >>> ReviewFee(0.25).describe()
    'review of bills costs the payer 25% of what cost falls short of the schedule'
    """

    share: float

    stage: ClassVar[int] = LAST

    def __post_init__(self) -> None:
        share(self.share, "review_fee.share")

    def needs(self) -> tuple[str, ...]:
        """Return the column of charges before review."""
        return ("schedule",)

    def sums(self, table: EpisodeTable) -> Mapping[str, Floats]:
        """Return the savings."""
        return {"review savings": np.maximum(table.filled("schedule") - table.filled("cost"), 0.0)}

    def apply(self, pool: Pool) -> Pool:
        """Return the pool with the fee."""
        return pool.passing(self.title, PAYER, DEADWEIGHT, self.share * pool.sums["review savings"])

    def describe(self) -> str:
        """Return the share."""
        return f"review of bills costs the payer {percent(self.share)} of what cost falls short of the schedule"


@dataclass(frozen=True, slots=True)
class RepaymentDefault(PoolTerm):
    """A bearer that has failed repays only part of what it owes.

    The column `defaulted` is 1 in every row of a pool whose bearer has failed, else 0.

    Attributes
    ----------
    loss_given_default : the share that is not repaid.

    Examples
    --------
    >>> RepaymentDefault(0.6).describe()
    'a bearer that has failed does not repay 60% of what it owes'
    """

    loss_given_default: float

    stage: ClassVar[int] = LAST

    def __post_init__(self) -> None:
        share(self.loss_given_default, "repayment_default.loss_given_default")

    def needs(self) -> tuple[str, ...]:
        """Return the column of failure."""
        return ("defaulted",)

    def sums(self, table: EpisodeTable) -> Mapping[str, Floats]:
        """Return what the mean of the column needs."""
        return averaged(table, "defaulted")

    def apply(self, pool: Pool) -> Pool:
        """Return the pool with what is repaid of a debt."""
        failed = (pool.mean("defaulted") > 0).astype(np.float64)
        lost = self.loss_given_default * failed * np.minimum(pool.amount, 0.0)
        return pool.owing(pool.amount - lost)

    def describe(self) -> str:
        """Return the share."""
        return f"a bearer that has failed does not repay {percent(self.loss_given_default)} of what it owes"


@dataclass(frozen=True, slots=True)
class CarriedLoss(PoolTerm):
    """A loss of earlier years, without downside then, is set off against a gain; what is left is carried on.

    The column `carried_loss` holds each episode's part of the pool's carried dollars: they are added up.

    Examples
    --------
    >>> CarriedLoss().describe()
    'losses carried from earlier years come off a gain first'
    """

    def needs(self) -> tuple[str, ...]:
        """Return the column of carried dollars."""
        return ("carried_loss",)

    def sums(self, table: EpisodeTable) -> Mapping[str, Floats]:
        """Return the carried dollars."""
        return {"carried_loss": table.filled("carried_loss")}

    def apply(self, pool: Pool) -> Pool:
        """Return the pool with gains set off."""
        left = np.maximum(pool.amount - pool.sums["carried_loss"], 0.0)
        return pool.owing(np.where(pool.amount > 0, left, pool.amount))

    def describe(self) -> str:
        """Return the rule."""
        return "losses carried from earlier years come off a gain first"


def expected_default_loss(
    remaining_cost: float | Floats, *, probability: float | Floats, loss_given_default: float
) -> float:
    """Return the expected loss if the seller of prepaid care fails with care still to be given.

    Parameters
    ----------
    remaining_cost : what the seller has still to spend, dollars; one number, or one by scenario.
    probability : that it fails; by scenario too where it fails more often when care is dear (wrong-way risk).
    loss_given_default : the share that is not recovered.

    Returns
    -------
    float
        The mean over scenarios of probability x loss given default x max(remaining cost, 0), dollars.

    Raises
    ------
    ValueError
        If a probability or the loss given default lies outside [0, 1].

    Examples
    --------
    >>> round(expected_default_loss(26_500, probability=0.02, loss_given_default=0.6), 6)
    318.0
    """
    share(loss_given_default, "loss_given_default")
    chance = np.asarray(probability, dtype=np.float64)
    rule(
        holds=bool(((chance >= 0) & (chance <= 1)).all()),
        sentence=f"`probability` must lie in [0, 1], got {probability!r}",
    )
    exposed = np.maximum(np.asarray(remaining_cost, dtype=np.float64), 0.0)
    return float(np.mean(chance * loss_given_default * exposed))
