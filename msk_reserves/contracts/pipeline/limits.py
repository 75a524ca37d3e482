"""How much of a pool's result counts: corridors, minimum rates, sharing, and limits of gain and loss."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, not_negative, share
from msk_reserves.contracts.amounts import Pool, PoolTerm, all_hold, averaged, percent, rule
from msk_reserves.contracts.table import EpisodeTable

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
class TieredSharing(PoolTerm):
    """The bearer's share of a gain depends on where it stands, such as its rank of price; losses are not shared.

    Attributes
    ----------
    measure : the column of its place, the same in all rows of a pool.
    tiers : pairs of the place from which a share holds and the share, upwards; below the first there is none.

    Examples
    --------
    >>> TieredSharing("percentile", ((0.0, 0.8), (33.0, 0.65), (66.0, 0.5))).describe()
    'of a gain the bearer has 80% from a percentile of 0 on, 65% from 33, 50% from 66; of a loss nothing'
    """

    measure: str
    tiers: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        places = [place for place, _ in self.tiers]
        all_hold(
            lambda: rule(holds=bool(self.measure), sentence="`tiered_sharing.measure` must name a column, got ''"),
            lambda: rule(holds=bool(self.tiers), sentence="`tiered_sharing.tiers` must have a tier, got none"),
            lambda: rule(
                holds=places == sorted(set(places)),
                sentence=f"`tiered_sharing.tiers` must have rising places, got {places}",
            ),
            *(lambda p=part: share(p, "tiered_sharing.tiers share") for _, part in self.tiers),
        )

    def needs(self) -> tuple[str, ...]:
        """Return the column of the place."""
        return (self.measure,)

    def sums(self, table: EpisodeTable) -> Mapping[str, Floats]:
        """Return what the mean place needs."""
        return averaged(table, self.measure)

    def apply(self, pool: Pool) -> Pool:
        """Return the pool with the share of its tier."""
        place = pool.mean(self.measure)
        part = np.zeros_like(pool.amount)
        for start, of_gain in self.tiers:
            part = np.where(place >= start, of_gain, part)
        return pool.owing(part * np.maximum(pool.amount, 0.0))

    def describe(self) -> str:
        """Return the tiers."""
        steps = [f"{percent(part)} from {place:g}" for place, part in self.tiers]
        first = steps[0].replace("from ", f"from a {self.measure} of ") + " on"
        return f"of a gain the bearer has {', '.join([first, *steps[1:]])}; of a loss nothing"


@dataclass(frozen=True, slots=True)
class GainLossLimit(PoolTerm):
    """Stop-gain and stop-loss: a result counts up to shares of the target price, or of another sum of dollars.

    Attributes
    ----------
    gain : the largest gain, a share of the pool's target price.
    loss : the largest loss; 0 for a contract without downside.
    base : a column of dollars whose sum the shares are of; "" for the target price.

    Examples
    --------
    >>> GainLossLimit(gain=0.2, loss=0.2).describe()
    'a gain is at most 20% of the target price, a loss 20%'
    """

    gain: float
    loss: float
    base: str = ""

    def __post_init__(self) -> None:
        all_hold(
            lambda: not_negative(self.gain, "gain_loss_limit.gain"),
            lambda: not_negative(self.loss, "gain_loss_limit.loss"),
        )

    def needs(self) -> tuple[str, ...]:
        """Return the column of the base, where there is one."""
        return (self.base,) if self.base else ()

    def sums(self, table: EpisodeTable) -> Mapping[str, Floats]:
        """Return the base."""
        return {self.base: table.filled(self.base)} if self.base else {}

    def apply(self, pool: Pool) -> Pool:
        """Return the pool with a limited result."""
        base = pool.sums[self.base] if self.base else pool.target
        return pool.owing(np.clip(pool.amount, -self.loss * base, self.gain * base))

    def describe(self) -> str:
        """Return the limits."""
        of = self.base or "the target price"
        return f"a gain is at most {percent(self.gain)} of {of}, a loss {percent(self.loss)}"


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
