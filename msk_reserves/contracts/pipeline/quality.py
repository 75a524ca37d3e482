"""What quality does to a result: gates, scales, discounts that shift, withheld prices; and scores put together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, finite, frozen, share
from msk_reserves.contracts.amounts import Pool, PoolTerm, all_hold, averaged, percent, rule
from msk_reserves.contracts.table import EpisodeTable

BEST = 100.0
"""The best score of a scale of quality."""

Check = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityTerm(PoolTerm):
    """A term that reads a score of quality: the mean over the pool's episodes of a column.

    A score measured once for a pool stands in every row; scores by category are so weighted by their episodes.

    Attributes
    ----------
    measure : the column.
    neutral : what a pool without a score counts as; such a pool is an error when None.
    """

    measure: str = "quality_score"
    neutral: float | None = None

    def __post_init__(self) -> None:
        all_hold(*self.checks())

    def checks(self) -> Sequence[Check]:
        """Return the checks every such term has."""
        kind = self.title.replace(" ", "_")
        return (
            lambda: rule(holds=bool(self.measure), sentence=f"`{kind}.measure` must name the score, got ''"),
            lambda: None if self.neutral is None else finite(self.neutral, f"{kind}.neutral"),
        )

    def needs(self) -> tuple[str, ...]:
        """Return the score."""
        return (self.measure,)

    def sums(self, table: EpisodeTable) -> Mapping[str, Floats]:
        """Return what the mean score needs."""
        return averaged(table, self.measure)

    def score(self, pool: Pool) -> Floats:
        """Return the score of each pool, shape (..., n_groups)."""
        return pool.mean(self.measure, self.neutral)


@dataclass(frozen=True, slots=True)
class QualityGate(QualityTerm):
    """Below a score there is no gain; a loss stays.

    Attributes
    ----------
    at_least : the score.

    Examples
    --------
    >>> QualityGate(5.0).describe()
    'no gain below a quality_score of 5'
    """

    at_least: float

    def checks(self) -> Sequence[Check]:
        """Return the checks of the gate too."""
        return (*QualityTerm.checks(self), lambda: finite(self.at_least, "quality_gate.at_least"))

    def apply(self, pool: Pool) -> Pool:
        """Return the pool without gains where the gate is shut."""
        shut = self.score(pool) < self.at_least
        return pool.owing(np.where(shut, np.minimum(pool.amount, 0.0), pool.amount))

    def describe(self) -> str:
        """Return the gate."""
        return f"no gain below a {self.measure} of {self.at_least:g}"


@dataclass(frozen=True, slots=True)
class QualityScale(QualityTerm):
    """Quality cuts a gain and eases a loss; neither turns into the other.

    Attributes
    ----------
    gain_at_risk : the share of a gain that is lost at a score of 0, nothing at the best.
    loss_relief : the share of a loss that is forgiven at the best score, nothing at 0.
    best : the best score.

    Notes
    -----
    gain x (1 - gain_at_risk (1 - q)), loss x (1 - loss_relief q), with q the score over the best one.

    Examples
    --------
    >>> QualityScale(gain_at_risk=0.1, loss_relief=0.15).describe()
    'quality_score cuts up to 10% of a gain and forgives up to 15% of a loss'
    """

    gain_at_risk: float
    loss_relief: float
    best: float = BEST

    def checks(self) -> Sequence[Check]:
        """Return the checks of the scale too."""
        return (
            *QualityTerm.checks(self),
            lambda: share(self.gain_at_risk, "quality_scale.gain_at_risk"),
            lambda: share(self.loss_relief, "quality_scale.loss_relief"),
            lambda: rule(holds=self.best > 0, sentence=f"`quality_scale.best` must be above zero, got {self.best!r}"),
        )

    def apply(self, pool: Pool) -> Pool:
        """Return the pool with the result scaled."""
        q = np.clip(self.score(pool) / self.best, 0.0, 1.0)
        cut = np.where(pool.amount >= 0, self.gain_at_risk * (1.0 - q), self.loss_relief * q)
        return pool.owing(pool.amount * (1.0 - cut))

    def describe(self) -> str:
        """Return the scale."""
        cuts = f"{self.measure} cuts up to {percent(self.gain_at_risk)} of a gain"
        return f"{cuts} and forgives up to {percent(self.loss_relief)} of a loss"


@dataclass(frozen=True, slots=True)
class DiscountShift(QualityTerm):
    """The discount that counts depends on quality: the target price moves, and with it gain or loss.

    Attributes
    ----------
    bands : pairs of the score from which a discount holds and the discount, upwards; below the first score the price's
        own discount stays.
    loss_bands : other bands for pools whose result under their own discount is a loss; the same when None.

    Notes
    -----
    It comes before terms that change the result, since it goes back to the price without discount.

    Examples
    --------
    >>> DiscountShift(((5.0, 0.03), (6.9, 0.02), (15.0, 0.015))).describe()
    'the discount is 3% from a quality_score of 5 on, 2% from 6.9, 1.5% from 15'
    """

    bands: tuple[tuple[float, float], ...]
    loss_bands: tuple[tuple[float, float], ...] | None = None

    def checks(self) -> Sequence[Check]:
        """Return the checks of the bands too."""
        return (
            *QualityTerm.checks(self),
            lambda: _check_steps(self.bands, "discount_shift.bands"),
            lambda: None if self.loss_bands is None else _check_steps(self.loss_bands, "discount_shift.loss_bands"),
        )

    def _target(self, pool: Pool, bands: tuple[tuple[float, float], ...]) -> Floats:
        """Return the target price under the discount of each pool's band."""
        score, target = self.score(pool), pool.target
        for from_score, discount in bands:
            target = np.where(score >= from_score, pool.undiscounted * (1.0 - discount), target)
        return target

    def apply(self, pool: Pool) -> Pool:
        """Return the pool at the shifted price."""
        target = self._target(pool, self.bands)
        if self.loss_bands is not None:
            target = np.where(pool.amount < 0, self._target(pool, self.loss_bands), target)
        return pool.repriced(target)

    def describe(self) -> str:
        """Return the bands."""
        steps = [f"{percent(discount)} from {score:g}" for score, discount in self.bands]
        first = steps[0].replace("from ", f"from a {self.measure} of ") + " on"
        other = (
            ""
            if self.loss_bands is None
            else "; for losses "
            + ", ".join(f"{percent(discount)} from {score:g}" for score, discount in self.loss_bands)
        )
        return "the discount is " + ", ".join([first, *steps[1:]]) + other


@dataclass(frozen=True, slots=True)
class Withhold(QualityTerm):
    """A share of the price is held back and paid as it is earned by scores.

    Attributes
    ----------
    held : the share of the target price.
    own_weight : weight of the bearer's own score; the rest is that of the other providers.
    others_measure : the column of the others' score.
    best : the best score.

    Examples
    --------
    >>> Withhold(0.15, own_weight=0.7).describe()
    '15% of the price is held back and earned by quality_score (70%) and others_score (30%)'
    """

    held: float
    own_weight: float = 1.0
    others_measure: str = "others_score"
    best: float = BEST

    def checks(self) -> Sequence[Check]:
        """Return the checks of the shares too."""
        return (
            *QualityTerm.checks(self),
            lambda: share(self.held, "withhold.held"),
            lambda: share(self.own_weight, "withhold.own_weight"),
            lambda: rule(holds=self.best > 0, sentence=f"`withhold.best` must be above zero, got {self.best!r}"),
        )

    def needs(self) -> tuple[str, ...]:
        """Return the scores."""
        return (self.measure, *([self.others_measure] if self.own_weight < 1 else []))

    def sums(self, table: EpisodeTable) -> Mapping[str, Floats]:
        """Return what the mean scores need."""
        return {name: column for measure in self.needs() for name, column in averaged(table, measure).items()}

    def apply(self, pool: Pool) -> Pool:
        """Return the pool less what of the price was not earned."""
        earned = self.own_weight * self.score(pool)
        if self.own_weight < 1:
            earned = earned + (1.0 - self.own_weight) * pool.mean(self.others_measure, self.neutral)
        return pool.owing(pool.amount - self.held * pool.target * (1.0 - np.clip(earned / self.best, 0.0, 1.0)))

    def describe(self) -> str:
        """Return the share and who earns it."""
        own = f"{self.measure} ({percent(self.own_weight)})"
        others = f" and {self.others_measure} ({percent(1 - self.own_weight)})" if self.own_weight < 1 else ""
        return f"{percent(self.held)} of the price is held back and earned by {own}{others}"


def composite_score(scores: Sequence[float] | Floats, volumes: Sequence[float] | Floats) -> float:
    """Return one score of several, weighted by the episodes each measure applies to.

    Parameters
    ----------
    scores : on one scale.
    volumes : episodes a measure applies to; not all zero.

    Raises
    ------
    ValueError
        If the lengths differ, a volume is negative, or all are zero.

    Notes
    -----
    sum_m v_m s_m / sum_m v_m, the volume-weighted score of CMS's models.

    Examples
    --------
    >>> composite_score([72, 50, 88], [150, 150, 100])
    67.75
    """
    values, weights = frozen(scores, "scores"), frozen(volumes, "volumes")
    if values.shape != weights.shape:
        raise ValueError(f"`volumes` must have a number for each of the {len(values)} scores, got {len(weights)}")
    if (weights < 0).any() or not weights.sum() > 0:
        raise ValueError(f"`volumes` must not be negative, nor all zero, got {weights.tolist()}")
    return float(weights @ values / weights.sum())


def _check_steps(bands: tuple[tuple[float, float], ...], name: str) -> None:
    """Refuse steps that are empty or do not run upwards, and discounts outside [0, 1]."""
    rule(holds=bool(bands), sentence=f"`{name}` must have a step, got none")
    for band in bands:
        rule(holds=len(band) == 2, sentence=f"`{name}` must be pairs (score, discount), got {band!r}")
        share(band[1], f"{name} discount")
    scores = [score for score, _ in bands]
    rule(holds=scores == sorted(set(scores)), sentence=f"`{name}` must have rising scores, got {scores}")
