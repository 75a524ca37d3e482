"""Benchmark prices: a baseline of past years and the factors that carry it to the year that is settled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from msk_reserves._checks import Floats, not_negative, one_of, positive, share
from msk_reserves.contracts.amounts import PRICE, EpisodeAmounts, EpisodeTerm, all_hold, percent, rule
from msk_reserves.contracts.prices.bases import PriceBase

LEVELS = ("cell", "national", "none")
"""Where the trend between baseline years is measured: in the cell itself, in the nation, or not at all."""

WEIGHTS_TOLERANCE = 1e-9
"""By how much weights of baseline years may miss 1: rounding only."""


@dataclass(frozen=True, slots=True)
class Baseline(PriceBase):
    """Mean cost of an episode in past years, in dollars of the last of them.

    The columns `regional_1`, `regional_2`, ... hold the means of the region's baseline years, the oldest first;
    `own_1`, ... those of the bearer; `national_1`, ... those of the nation.

    Attributes
    ----------
    weights : of the baseline years, the oldest first; they add to 1.
    own_share : weight of the bearer's own history against the region's.
    trend_level : where the ratio of the last year's mean to each year's is taken: `cell` (the same means, which makes
        the weights inert), `national`, or `none`.

    Notes
    -----
    B = sum_k w_k m_k f_k with f_k = n_K / n_k, where m are the means of the cell and n those of the trend's level.

    Examples
    --------
    >>> Baseline((0.17, 0.33, 0.5), trend_level="national").needs()[:4]
    ('national_1', 'national_2', 'national_3', 'regional_1')
    """

    weights: tuple[float, ...]
    own_share: float = 0.0
    trend_level: str = "none"

    def __post_init__(self) -> None:
        all_hold(
            lambda: rule(holds=bool(self.weights), sentence="`baseline.weights` must have a weight, got none"),
            *(lambda w=weight: not_negative(w, "baseline.weights") for weight in self.weights),
            lambda: rule(
                holds=abs(sum(self.weights) - 1.0) <= WEIGHTS_TOLERANCE,
                sentence=f"`baseline.weights` must add to 1, got {list(self.weights)}",
            ),
            lambda: share(self.own_share, "baseline.own_share"),
            lambda: one_of(self.trend_level, LEVELS, "baseline.trend_level"),
        )

    def _levels(self) -> dict[str, float]:
        """Return the levels that count, with their weight."""
        both = {"regional": 1.0 - self.own_share, "own": self.own_share}
        return {level: weight for level, weight in both.items() if weight > 0}

    def _columns(self, level: str) -> list[str]:
        """Return the columns of a level's means."""
        return [f"{level}_{year}" for year in range(1, len(self.weights) + 1)]

    def needs(self) -> tuple[str, ...]:
        """Return the columns of means."""
        levels = [*(["national"] if self.trend_level == "national" else []), *self._levels()]
        return tuple(column for level in levels for column in self._columns(level))

    def _years(self, amounts: EpisodeAmounts, level: str) -> list[Floats]:
        """Return each baseline year's mean of a level in dollars of the last."""
        means = [amounts.table.filled(column) for column in self._columns(level)]
        if self.trend_level == "none":
            return means
        of = "national" if self.trend_level == "national" else level
        measured = [amounts.table.above_zero(column) for column in self._columns(of)]
        return [mean * measured[-1] / one for mean, one in zip(means, measured, strict=True)]

    def details(self, amounts: EpisodeAmounts) -> Mapping[str, Floats]:
        """Return each year's mean in dollars of the last, and the weighted mean of each level."""
        found: dict[str, Floats] = {}
        for level in self._levels():
            years = self._years(amounts, level)
            found |= {f"{level} year {place} in last year's dollars": mean for place, mean in enumerate(years, start=1)}
            found[f"{level} baseline"] = self._weighted(years)
        return found

    def _weighted(self, years: list[Floats]) -> Floats:
        """Return the weighted mean of the years."""
        mean: Floats = np.sum([weight * year for weight, year in zip(self.weights, years, strict=True)], axis=0)
        return mean

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the baseline of each episode's cell."""
        parts = [weight * self._weighted(self._years(amounts, level)) for level, weight in self._levels().items()]
        return amounts.based(np.sum(parts, axis=0))

    def describe(self) -> str:
        """Return years, levels and trend."""
        years = f"{len(self.weights)} baseline years weighted {'/'.join(percent(w) for w in self.weights)}"
        if len(self.weights) == 1:
            years = "one baseline year"
        whose = {0.0: "of the region", 1.0: "of its own"}.get(self.own_share)
        whose = whose or f"{percent(self.own_share)} of its own, the rest of the region"
        trend = {"cell": "; brought to the last by the cell's own ratio", "national": "; by the nation's ratio"}
        return f"{years}, {whose}{trend.get(self.trend_level, '')}"


class PriceFactor(EpisodeTerm):
    """A factor on the target price."""

    __slots__ = ()

    stage: ClassVar[int] = PRICE


@dataclass(frozen=True, slots=True)
class ColumnFactor(PriceFactor):
    """A factor that each episode or its price cell brings along.

    Attributes
    ----------
    column : where it stands.
    """

    column: str

    def __post_init__(self) -> None:
        rule(holds=bool(self.column), sentence=f"`{self.title.replace(' ', '_')}.column` must name a column, got ''")

    def needs(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.column,)

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the price times the factor."""
        return amounts.times(amounts.table.filled(self.column))

    def describe(self) -> str:
        """Return the factor."""
        return f"times {self.column}"


@dataclass(frozen=True, slots=True)
class PriceTrend(ColumnFactor):
    """The factor from the baseline to the year that is settled.

    Attributes
    ----------
    column : `prospective_trend`, known before the year, or `realised_trend`, known after it.

    Examples
    --------
    >>> PriceTrend().describe()
    'times prospective_trend'
    """

    column: str = "prospective_trend"


@dataclass(frozen=True, slots=True)
class Normalization(ColumnFactor):
    """The factor that keeps risk adjustment from adding dollars to the nation's prices.

    Attributes
    ----------
    column : `prospective_normalization`, or `final_normalization` where nothing was known before the year.

    Examples
    --------
    >>> Normalization().needs()
    ('prospective_normalization',)
    """

    column: str = "prospective_normalization"


@dataclass(frozen=True, slots=True)
class Correction(PriceFactor):
    """A prospective factor put right after the year, within a limit around it.

    Attributes
    ----------
    prospective : column of the factor that the price has been multiplied by.
    final : column of the factor as it turned out.
    limit : by what share of the prospective factor the final one may differ; not limited when None.

    Notes
    -----
    The price is multiplied by clip(final, (1 - limit) prospective, (1 + limit) prospective) / prospective.

    Examples
    --------
    >>> Correction("prospective_trend", "realised_trend", limit=0.03).describe()
    'in place of prospective_trend, within 3% of it'
    """

    prospective: str
    final: str
    limit: float | None = None

    def __post_init__(self) -> None:
        all_hold(
            lambda: rule(
                holds=bool(self.prospective) and bool(self.final),
                sentence=f"`correction` must name two columns, got {self.prospective!r} and {self.final!r}",
            ),
            lambda: None if self.limit is None else share(self.limit, "correction.limit"),
        )

    @property
    def title(self) -> str:
        """What is corrected to what."""
        return f"correction to {self.final}"

    def needs(self) -> tuple[str, ...]:
        """Return both columns."""
        return (self.prospective, self.final)

    def _limited(self, amounts: EpisodeAmounts) -> Floats:
        """Return the final factor within its limit."""
        before, after = amounts.table.above_zero(self.prospective), amounts.table.filled(self.final)
        if self.limit is None:
            return after
        limited: Floats = np.clip(after, (1.0 - self.limit) * before, (1.0 + self.limit) * before)
        return limited

    def details(self, amounts: EpisodeAmounts) -> Mapping[str, Floats]:
        """Return the factor that counts."""
        return {f"{self.final} that counts": self._limited(amounts)}

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the price with the final factor in place of the prospective one."""
        return amounts.times(self._limited(amounts) / amounts.table.filled(self.prospective))

    def describe(self) -> str:
        """Return the columns and the limit."""
        within = "" if self.limit is None else f", within {percent(self.limit)} of it"
        return f"in place of {self.prospective}{within}"


@dataclass(frozen=True, slots=True)
class Discount(PriceFactor):
    """The payer's share of the target price, taken before anything is settled.

    Attributes
    ----------
    share : the discount.
    by_category : discounts of categories that have another.

    Examples
    --------
    >>> Discount(0.02, {"CABG": 0.015}).describe()
    'less 2% (CABG 1.5%)'
    """

    share: float
    by_category: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        all_hold(
            lambda: share(self.share, "discount.share"),
            *(lambda v=value, k=key: share(v, f"discount.by_category.{k}") for key, value in self.by_category.items()),
        )

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the price less its discount."""
        own = amounts.table.valued("category", self.by_category)
        return amounts.discounted(np.where(np.isnan(own), self.share, own))

    def describe(self) -> str:
        """Return the shares."""
        other = ", ".join(f"{key} {percent(value)}" for key, value in self.by_category.items())
        return f"less {percent(self.share)}" + (f" ({other})" if other else "")


@dataclass(frozen=True, slots=True)
class RiskMultipliers(PriceFactor):
    """Factors for what makes an episode dearer.

    Attributes
    ----------
    multipliers : the factor for each column; where the column is x, the price is multiplied by its x-th power, so that
        a flag of 0 or 1 has or has not the factor.
    column : a column with the product ready; "" when there is none.

    Examples
    --------
    >>> RiskMultipliers({"age_85": 1.15, "hcc_4": 1.06}).describe()
    'times age_85 1.15, hcc_4 1.06'
    """

    multipliers: Mapping[str, float] = field(default_factory=dict)
    column: str = ""

    def __post_init__(self) -> None:
        all_hold(
            lambda: rule(
                holds=bool(self.multipliers) or bool(self.column),
                sentence="`risk_multipliers` needs `multipliers` or a `column` that holds their product, got neither",
            ),
            *(
                lambda v=value, k=key: positive(v, f"risk_multipliers.multipliers.{k}")
                for key, value in self.multipliers.items()
            ),
        )

    def needs(self) -> tuple[str, ...]:
        """Return the columns."""
        return (*self.multipliers, *([self.column] if self.column else []))

    def _product(self, amounts: EpisodeAmounts) -> Floats:
        """Return the product of an episode's factors."""
        product = np.ones_like(amounts.target)
        for name, factor in self.multipliers.items():
            product = product * factor ** amounts.table.filled(name)
        return product * amounts.table.filled(self.column) if self.column else product

    def details(self, amounts: EpisodeAmounts) -> Mapping[str, Floats]:
        """Return the product."""
        return {"product of risk multipliers": self._product(amounts)}

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the price times the product."""
        return amounts.times(self._product(amounts))

    def describe(self) -> str:
        """Return the factors."""
        words = [f"{name} {factor:g}" for name, factor in self.multipliers.items()]
        return "times " + ", ".join([*words, *([self.column] if self.column else [])])
