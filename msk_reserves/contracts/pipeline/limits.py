"""How much of a pool's result counts: corridors, minimum rates, sharing, and limits of gain and loss."""

from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, not_negative, share
from msk_reserves.contracts.amounts import Pool, PoolTerm, all_hold, percent, rule

RATE_ROUNDING = 1e-12
"""By what share of the target price a result may miss a minimum rate and still meet it: rounding only."""

Bands = tuple[tuple[float, float, float], ...]
"""Bands of |spending / target - 1|: from, to, the bearer's share."""


@dataclass(frozen=True, slots=True)
class Corridor(PoolTerm):
    """The bearer's share of a result depends on how far spending is from the target price.

    Attributes
    ----------
    bands : from, to and the bearer's share, in shares of the target price, in order; outside them its share is 0.
    gain_bands : other bands for gains; the same when None.

    Examples
    --------
    >>> Corridor(((0.0, 0.05, 1.0), (0.05, 0.10, 0.5))).describe()
    "the bearer's share is 100% from 0% to 5%, 50% from 5% to 10%, then none"
    """

    bands: Bands
    gain_bands: Bands | None = None

    def __post_init__(self) -> None:
        all_hold(
            lambda: _check_bands(self.bands, "corridor.bands"),
            lambda: None if self.gain_bands is None else _check_bands(self.gain_bands, "corridor.gain_bands"),
        )

    def apply(self, pool: Pool) -> Pool:
        """Return the pool with the bearer's share of the result."""
        bands = self.bands if self.gain_bands is None else self.gain_bands
        gain = _within(np.maximum(pool.amount, 0.0), pool.target, bands)
        return pool.owing(gain - _within(np.maximum(-pool.amount, 0.0), pool.target, self.bands))

    def describe(self) -> str:
        """Return the bands."""
        losses = _bands_in_words(self.bands)
        if self.gain_bands is None:
            return f"the bearer's share is {losses}"
        return f"the bearer's share of losses is {losses}; of gains {_bands_in_words(self.gain_bands)}"


@dataclass(frozen=True, slots=True)
class MinimumRate(PoolTerm):
    """A result smaller than a share of the target price is nobody's: no gain and no loss.

    Attributes
    ----------
    savings : the least gain that counts, a share of the target price.
    losses : the least loss that counts.
    first_dollar : whether a result that counts does so from its first dollar, or only beyond the rate.

    Examples
    --------
    >>> MinimumRate(savings=0.02, losses=0.02).describe()
    'a gain counts from 2%, a loss from 2% of the target price on, then from its first dollar'
    """

    savings: float
    losses: float = 0.0
    first_dollar: bool = True

    def __post_init__(self) -> None:
        all_hold(
            lambda: share(self.savings, "minimum_rate.savings"),
            lambda: share(self.losses, "minimum_rate.losses"),
        )

    def apply(self, pool: Pool) -> Pool:
        """Return the pool with small results forgotten."""
        rate = np.where(pool.amount >= 0, self.savings, self.losses) * pool.target
        met = np.abs(pool.amount) >= rate - RATE_ROUNDING * np.abs(pool.target)
        counted = pool.amount if self.first_dollar else pool.amount - np.sign(pool.amount) * rate
        return pool.owing(np.where(met, counted, 0.0))

    def describe(self) -> str:
        """Return the rates."""
        rest = "then from its first dollar" if self.first_dollar else "and only beyond it"
        rates = f"a gain counts from {percent(self.savings)}, a loss from {percent(self.losses)}"
        return f"{rates} of the target price on, {rest}"


@dataclass(frozen=True, slots=True)
class Sharing(PoolTerm):
    """The bearer has a share of gains and bears a share of losses.

    Attributes
    ----------
    gain : its share of a gain.
    loss : its share of a loss; 0 for a contract without downside.

    Examples
    --------
    >>> Sharing(gain=0.5, loss=0.3).describe()
    'the bearer has 50% of a gain and bears 30% of a loss'
    """

    gain: float
    loss: float = 0.0

    def __post_init__(self) -> None:
        all_hold(lambda: share(self.gain, "sharing.gain"), lambda: share(self.loss, "sharing.loss"))

    def apply(self, pool: Pool) -> Pool:
        """Return the pool with the bearer's share."""
        return pool.owing(np.where(pool.amount >= 0, self.gain, self.loss) * pool.amount)

    def describe(self) -> str:
        """Return the shares."""
        return f"the bearer has {percent(self.gain)} of a gain and bears {percent(self.loss)} of a loss"


@dataclass(frozen=True, slots=True)
class GainLossLimit(PoolTerm):
    """Stop-gain and stop-loss: a result counts up to shares of the target price.

    Attributes
    ----------
    gain : the largest gain, a share of the pool's target price.
    loss : the largest loss; 0 for a contract without downside.

    Examples
    --------
    >>> GainLossLimit(gain=0.2, loss=0.2).describe()
    'a gain is at most 20% of the target price, a loss 20%'
    """

    gain: float
    loss: float

    def __post_init__(self) -> None:
        all_hold(
            lambda: not_negative(self.gain, "gain_loss_limit.gain"),
            lambda: not_negative(self.loss, "gain_loss_limit.loss"),
        )

    def apply(self, pool: Pool) -> Pool:
        """Return the pool with a limited result."""
        return pool.owing(np.clip(pool.amount, -self.loss * pool.target, self.gain * pool.target))

    def describe(self) -> str:
        """Return the limits."""
        return f"a gain is at most {percent(self.gain)} of the target price, a loss {percent(self.loss)}"


def _within(result: Floats, target: Floats, bands: Bands) -> Floats:
    """Return the share of a result (not negative) that lies in the bands."""
    parts = [part * np.clip(result - low * target, 0.0, (high - low) * target) for low, high, part in bands]
    inside: Floats = np.sum(parts, axis=0)
    return inside


def _check_bands(bands: Bands, name: str) -> None:
    """Refuse bands that are empty, run backwards or overlap, and shares outside [0, 1]."""
    rule(holds=bool(bands), sentence=f"`{name}` must have a band, got none")
    before = 0.0
    for band in bands:
        rule(holds=len(band) == 3, sentence=f"`{name}` must be triples (from, to, share), got {band!r}")
        low, high, part = band
        rule(holds=low < high, sentence=f"`{name}` must run upwards, got the band from {low!r} to {high!r}")
        rule(holds=low >= before, sentence=f"`{name}` must not overlap; the band from {low!r} begins below {before!r}")
        share(part, f"{name} share")
        before = high


def _bands_in_words(bands: Bands) -> str:
    """Return the bands as a phrase."""
    return (
        ", ".join(f"{percent(part)} from {percent(low)} to {percent(high)}" for low, high, part in bands)
        + ", then none"
    )
