"""The ratchet in a region that is simulated: several years of prices set anew from what episodes happened to cost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, not_negative, share, whole
from msk_reserves.contracts.agreements.rebasing import Rebasing
from msk_reserves.contracts.amounts import Pool, PoolTerm, all_hold, rule

SAVER, BYSTANDER = "saver", "bystander"
"""Who is followed: one who saves from the first year on, and one beside it who does not."""


@dataclass(frozen=True, slots=True)
class SavingRegion:
    """The bearers of a region and what their episodes cost, as shares of the mean cost before the first year.

    Attributes
    ----------
    saving : share of the earlier cost that savers no longer spend from the first year on.
    region_share : share of the region's spending that saves, the bearer's own part in it.
    own_episodes : of the bearer a year.
    region_episodes : of the region a year.
    spread : coefficient of variation of the cost of an episode.
    common_spread : that of a factor on all costs of a year, the same for bearer and region.

    Notes
    -----
    The cost of an episode is gamma, so that the mean of n of them is gamma of shape n / spread^2. Costs are net of the
    trend that prices and costs share.

    Examples
    --------
    >>> SavingRegion(saving=0.05, region_share=0.25).own_episodes
    200
    """

    saving: float
    region_share: float = 0.0
    own_episodes: int = 200
    region_episodes: int = 5_000
    spread: float = 0.8
    common_spread: float = 0.0

    def __post_init__(self) -> None:
        all_hold(
            lambda: share(self.saving, "region.saving"),
            lambda: share(self.region_share, "region.region_share"),
            lambda: whole(self.own_episodes, "region.own_episodes", at_least=1),
            lambda: whole(self.region_episodes, "region.region_episodes", at_least=1),
            lambda: not_negative(self.spread, "region.spread"),
            lambda: not_negative(self.common_spread, "region.common_spread"),
        )

    def means(self, random: np.random.Generator, shape: tuple[int, int], episodes: int) -> Floats:
        """Return how far the mean cost of so many episodes lies off its expectation, as a factor of mean 1."""
        return _gamma(random, shape, self.spread**2 / episodes)


@dataclass(frozen=True, slots=True, eq=False)
class Ratchet:
    """Margins of several years under prices that follow past costs.

    Attributes
    ----------
    rebasing : how they follow.
    region : who saves, and how costs vary.
    discount : the payer's share of the price.
    margins : of saver and bystander: what they keep of each year, as shares of the cost before the first year; shape
        (n_scenarios, n_years).
    prices : their prices, in the same units and shape.
    """

    rebasing: Rebasing
    region: SavingRegion
    discount: float
    margins: Mapping[str, Floats]
    prices: Mapping[str, Floats]

    def __post_init__(self) -> None:
        for array in (*self.margins.values(), *self.prices.values()):
            array.flags.writeable = False

    def kept(self) -> float:
        """Return what the saver keeps on average, as a share of what a price that is never set anew would leave it.

        NaN where saving does not exceed the discount, so that such a price would leave nothing.
        """
        yearly = self.region.saving - self.discount
        total = self.margins[SAVER].sum(axis=1).mean()
        return float(total / (yearly * self.margins[SAVER].shape[1])) if yearly > 0 else float("nan")

    def to_frame(self) -> pd.DataFrame:
        """Return a row a year and one for all: mean price and margin, its 90 % band and the chance of a loss."""
        found = {}
        for who, margin in self.margins.items():
            years = {f"year {place}": margin[:, place - 1] for place in range(1, margin.shape[1] + 1)}
            price = [*self.prices[who].mean(axis=0), self.prices[who].sum(axis=1).mean()]
            rows = {
                name: [values.mean(), *np.quantile(values, [0.05, 0.95]), (values < 0).mean()]
                for name, values in {**years, "all": margin.sum(axis=1)}.items()
            }
            columns = ["margin", "margin 5 %", "margin 95 %", "chance of a loss"]
            frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
            frame.insert(0, "price", price)
            found[who] = frame
        return pd.concat(found, names=["who", "year"])

    def __repr__(self) -> str:
        lines = []
        for who, margin in self.margins.items():
            years = ", ".join(f"{100 * value:.2f}" for value in margin.mean(axis=0))
            total = margin.sum(axis=1)
            lines.append(
                f"{who}: mean margin by year {years}; {100 * total.mean():.2f} in all, chance of a loss in all "
                f"{(total < 0).mean():.1%}"
            )
        return "\n".join(["margins in % of the cost of a year before the first", *lines])

    def _repr_html_(self) -> str:
        html: str = self.to_frame().style.format("{:.2%}").to_html()
        return html


def simulate_ratchet(
    rebasing: Rebasing,
    region: SavingRegion,
    *,
    discount: float,
    terms: Sequence[PoolTerm] = (),
    years: int = 5,
    scenarios: int = 10_000,
    seed: int = 20260101,
) -> Ratchet:
    """Follow a saver and a bystander through years of prices set anew from costs as they happened.

    Parameters
    ----------
    rebasing : lag, weights, level, limit of the trend and floor.
    region : who saves, how many episodes there are, and how their costs vary.
    discount : the payer's share of the price.
    terms : terms of pools applied to each year's result, such as sharing and limits; none that reads columns.
    years : to look at.
    scenarios : histories.
    seed : reproduces every number.

    Returns
    -------
    Ratchet
        Margins and prices of both by year, in every history.

    Raises
    ------
    ValueError
        If a share is out of range, or a term reads a column.

    Notes
    -----
    Saver and bystander have the same region and the same luck, so that their difference is what saving does. Without
    variation of costs each history is that of `margin_by_year`. What is random in a baseline is random in the price:
    few episodes of one's own make an own-history price a lottery of its own.

    Examples
    --------
    >>> own = Rebasing((0.17, 0.33, 0.5), own_share=1.0)
    >>> found = simulate_ratchet(own, SavingRegion(saving=0.05, spread=0.0), discount=0.02, scenarios=1)
    >>> (100 * found.margins["saver"][0]).round(2).tolist()
    [3.0, 3.0, 0.55, -1.07, -1.9]
    """
    all_hold(
        lambda: whole(years, "years", at_least=1),
        lambda: whole(scenarios, "scenarios", at_least=1),
        lambda: whole(seed, "seed"),
        *(
            lambda one=term: rule(
                holds=not one.needs(), sentence=f"`terms`: {one.title!r} reads {one.needs()}, which no year has"
            )
            for term in terms
        ),
    )
    random = np.random.default_rng(seed)
    before = rebasing.lag + len(rebasing.weights)
    shape = (scenarios, before + years)
    started = np.arange(before + years) >= before
    common = _gamma(random, shape, region.common_spread**2)
    luck = region.means(random, shape, region.own_episodes) * common
    around = region.means(random, shape, region.region_episodes) * common
    regional = around * np.where(started, 1.0 - region.region_share * region.saving, 1.0)
    margins, prices = {}, {}
    for who, saved in ((SAVER, region.saving), (BYSTANDER, 0.0)):
        own = luck * np.where(started, 1.0 - saved, 1.0)
        prices[who] = rebasing.prices(own, regional, discount=discount, first=before)
        margins[who] = _settled(prices[who], own[:, before:], region.own_episodes, terms)
    return Ratchet(rebasing, region, discount, margins, prices)


def _settled(price: Floats, cost: Floats, episodes: int, terms: Sequence[PoolTerm]) -> Floats:
    """Return what the bearer keeps of an episode each year after the terms."""
    none = np.zeros_like(price)
    pool = Pool(
        names=tuple(f"year {place}" for place in range(1, price.shape[1] + 1)),
        target=episodes * price,
        undiscounted=episodes * price,
        spending=episodes * cost,
        outcome=none,
        episodes=np.full_like(price, float(episodes)),
        sums={},
        amount=episodes * (price - cost),
    )
    for term in terms:
        pool = term.apply(pool)
    kept: Floats = pool.amount / episodes
    return kept


def _gamma(random: np.random.Generator, shape: tuple[int, int], variance: float) -> Floats:
    """Return factors of mean 1 with this variance."""
    return random.gamma(1.0 / variance, variance, shape) if variance > 0 else np.ones(shape)
