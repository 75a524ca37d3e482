"""The ratchet: what becomes of a margin when the price is set anew from recent years, own or the region's."""

from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, finite, not_negative, share, whole
from msk_reserves.contracts.amounts import all_hold, rule

HALVINGS = 50
"""Steps of the search for a saving."""

LARGEST_SAVING = 1.0 - 1e-9
"""Where that search ends: a region that spends nothing has no trend."""


@dataclass(frozen=True, slots=True)
class Rebasing:
    """How a benchmark follows past cost.

    Attributes
    ----------
    weights : of the baseline years, the oldest first; they add to 1. Empty for a benchmark that is never set anew.
    lag : years from the last baseline year to the year that is priced.
    own_share : weight of the bearer's own history against the region's.
    retrospective_limit : by what share the trend of the region as it turned out may move the price after the year;
        None for a price without that correction, infinite for one without a limit.
    floor : the least benchmark, a share of the first one.

    Notes
    -----
    With own cost c and regional mean r, both 1 before the first year:
    b_t = sum_k w_k (alpha c_k + (1 - alpha) r_k), the years k ending at t - lag; b_t >= floor x b_1;
    P_t = (1 - d) b_t clip(r_t / r'_t, 1 - l, 1 + l), where r' is the weighted mean of the region alone.
    Where the limit does not bind and alpha is 0, P_t = (1 - d) r_t: the baseline drops out.

    Examples
    --------
    >>> Rebasing((0.17, 0.33, 0.5), own_share=1.0).lag
    2
    """

    weights: tuple[float, ...] = (0.17, 0.33, 0.50)
    lag: int = 2
    own_share: float = 0.0
    retrospective_limit: float | None = None
    floor: float = 0.0

    def __post_init__(self) -> None:
        all_hold(
            lambda: rule(
                holds=not self.weights or (min(self.weights) >= 0 and abs(sum(self.weights) - 1.0) < 1e-9),
                sentence=f"`rebasing.weights` must not be negative and add to 1, got {list(self.weights)}",
            ),
            lambda: whole(self.lag, "rebasing.lag", at_least=1),
            lambda: share(self.own_share, "rebasing.own_share"),
            lambda: rule(
                holds=self.retrospective_limit is None or self.retrospective_limit >= 0,
                sentence=f"`rebasing.retrospective_limit` must not be negative, got {self.retrospective_limit!r}",
            ),
            lambda: not_negative(self.floor, "rebasing.floor"),
        )

    def prices(self, own: Floats, region: Floats, *, discount: float, first: int) -> Floats:
        """Return the price of each year from `first` on.

        Parameters
        ----------
        own, region : mean cost of an episode by year, dollars or shares of one cost; shape (..., n_years).
        discount : the payer's share of the price.
        first : place of the first year priced; the baseline years before it must be there.

        Returns
        -------
        numpy.ndarray
            Shape (..., n_years - first), in the units of the costs.

        Raises
        ------
        ValueError
            If the years before `first` do not hold the first baseline, or a share is out of range.
        """
        share(discount, "discount")
        reach = self.lag + len(self.weights) - 1 if self.weights else 1
        rule(holds=first >= reach, sentence=f"`first` must leave {reach} years of baseline before it, got {first}")
        rule(
            holds=own.shape == region.shape and own.ndim > 0,
            sentence=f"`own` and `region` must be years of equal number, got {own.shape} and {region.shape}",
        )
        priced = np.arange(first, own.shape[-1])
        mixed = self.own_share * own + (1.0 - self.own_share) * region
        benchmark, regional = self._baseline(mixed, priced), self._baseline(region, priced)
        benchmark = np.maximum(benchmark, self.floor * benchmark[..., :1])
        if self.retrospective_limit is not None:
            trend = region[..., priced] / regional
            benchmark = benchmark * np.clip(trend, 1.0 - self.retrospective_limit, 1.0 + self.retrospective_limit)
        prices: Floats = (1.0 - discount) * benchmark
        return prices

    def _baseline(self, cost: Floats, priced: np.ndarray) -> Floats:
        """Return the weighted mean of the baseline years of each year priced."""
        if not self.weights:
            return np.repeat(cost[..., [priced[0] - 1]], len(priced), axis=-1)
        back = self.lag + np.arange(len(self.weights))[::-1]
        mean: Floats = cost[..., priced[:, None] - back] @ np.array(self.weights)
        return mean


def margin_by_year(
    rebasing: Rebasing,
    *,
    saving: float,
    discount: float,
    region_share: float = 0.0,
    years: int = 5,
    saver: bool = True,
) -> Floats:
    """Return the margin of each year when cost falls once, in the first year, and stays there.

    Parameters
    ----------
    rebasing : how the price follows.
    saving : share of the earlier cost that savers no longer spend.
    discount : the payer's share of the price.
    region_share : share of the region's spending that saves.
    years : to look at.
    saver : whether the bearer is one of those who save.

    Returns
    -------
    numpy.ndarray
        Price less cost, as shares of the cost before the first year; shape (years,).

    Raises
    ------
    ValueError
        If a share lies outside [0, 1].

    Examples
    --------
    A bearer priced on its own last years keeps a quarter of what it saves for good:

    >>> own = Rebasing((0.17, 0.33, 0.5), own_share=1.0)
    >>> (100 * margin_by_year(own, saving=0.05, discount=0.02)).round(2).tolist()
    [3.0, 3.0, 0.55, -1.07, -1.9]
    """
    all_hold(
        lambda: share(saving, "saving"),
        lambda: share(region_share, "region_share"),
        lambda: whole(years, "years", at_least=1),
    )
    before = rebasing.lag + len(rebasing.weights)
    started = np.arange(before + years) >= before
    own = np.where(started & saver, 1.0 - saving, 1.0)
    region = np.where(started, 1.0 - region_share * saving, 1.0)
    margins: Floats = rebasing.prices(own, region, discount=discount, first=before) - own[before:]
    return margins


def break_even_saving(
    discount: float, region_share: float, *, rebasing: Rebasing | None = None, years: int = 5
) -> float:
    """Return the saving from which a bearer breaks even over the years, a share of cost; 1 where it never does.

    Parameters
    ----------
    discount : the payer's share of the price.
    region_share : share of the region's spending that saves as much; the more do, the lower the price.
    rebasing : how the price follows; when None by the region as it turns out, without a limit.
    years : over which margins are added up.

    Raises
    ------
    ValueError
        If a share lies outside [0, 1].

    Notes
    -----
    By the region as it turns out, (1 - d)(1 - s x) = 1 - x gives x = d / (1 - (1 - d) s) in every year; at s = 1 that
    is 1: never. Otherwise the least saving at which margins add up to nothing is sought by halving.

    Examples
    --------
    >>> round(break_even_saving(0.02, 0.25), 4)
    0.0265
    >>> round(break_even_saving(0.02, 0.0, rebasing=Rebasing(own_share=1.0)), 4)
    0.0368
    """
    share(finite(discount, "discount"), "discount")
    share(region_share, "region_share")
    if discount == 0:
        return 0.0
    if rebasing is None:
        return discount / (1.0 - (1.0 - discount) * region_share)

    def total(saving: float) -> float:
        found = margin_by_year(rebasing, saving=saving, discount=discount, region_share=region_share, years=years)
        return float(found.sum())

    low, high = 0.0, LARGEST_SAVING
    if total(high) <= 0:
        return 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if total(middle) >= 0 else (middle, high)
    return high
