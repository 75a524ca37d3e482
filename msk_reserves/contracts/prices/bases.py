"""What a price starts from: a fixed price, a case rate, a fee by month, a warranty, a fee schedule, what is billed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from msk_reserves._checks import not_negative, share
from msk_reserves.contracts.amounts import PRICE, EpisodeAmounts, EpisodeTerm, all_hold, percent, rule
from msk_reserves.contracts.fixed_price import PriceTable
from msk_reserves.contracts.table import EpisodeDataError


class PriceBase(EpisodeTerm):
    """What a target price starts from; every contract has exactly one, and it comes first."""

    __slots__ = ()

    stage: ClassVar[int] = PRICE


@dataclass(frozen=True, slots=True)
class FixedPrice(PriceBase):
    """One price an episode.

    Attributes
    ----------
    dollars : the price.

    Examples
    --------
    >>> FixedPrice(38_000).describe()
    '$38,000 an episode'
    """

    dollars: float

    def __post_init__(self) -> None:
        not_negative(self.dollars, "fixed_price.dollars")

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the price for every episode."""
        return amounts.based(np.full_like(amounts.spending, self.dollars))

    def describe(self) -> str:
        """Return the price."""
        return f"${self.dollars:,.0f} an episode"


@dataclass(frozen=True, slots=True)
class CaseRate(PriceBase):
    """A price by one column of the episodes, such as a tier or a category.

    Attributes
    ----------
    by : the column.
    dollars : the price for each of its values.

    Examples
    --------
    >>> CaseRate("category", {"shoulder": 38_000.0, "knee": 31_000.0}).describe()
    'by category: shoulder $38,000, knee $31,000'
    """

    by: str
    dollars: Mapping[str, float]

    def __post_init__(self) -> None:
        all_hold(
            lambda: rule(holds=bool(self.by), sentence="`case_rate.by` must name a column, got ''"),
            lambda: rule(holds=bool(self.dollars), sentence="`case_rate.dollars` must have a price, got none"),
            *(lambda v=value, k=key: not_negative(v, f"case_rate.dollars.{k}") for key, value in self.dollars.items()),
        )

    def needs(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.by,)

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return each episode's price."""
        prices = amounts.table.valued(self.by, self.dollars)
        if np.isnan(prices).any():
            who = amounts.table.words["episode_id"][int(np.argmax(np.isnan(prices)))]
            raise EpisodeDataError(
                f"no price is agreed for `{self.by}` of episode {who!r}; priced are {', '.join(self.dollars)}"
            )
        return amounts.based(prices)

    def describe(self) -> str:
        """Return the prices."""
        return f"by {self.by}: " + ", ".join(f"{key} ${value:,.0f}" for key, value in self.dollars.items())


@dataclass(frozen=True, slots=True)
class TabledPrice(PriceBase):
    """A price by several columns of the episodes, the `PriceTable` of a fixed-price bundle.

    Attributes
    ----------
    table : the prices.
    """

    table: PriceTable

    def needs(self) -> tuple[str, ...]:
        """Return the table's columns."""
        return self.table.columns

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return each episode's price."""
        prices = self.table.of(amounts.table.frame(self.table.columns))
        if np.isnan(prices).any():
            who = amounts.table.words["episode_id"][int(np.argmax(np.isnan(prices)))]
            raise EpisodeDataError(f"`price_table` names no price for episode {who!r}; add its combination of values")
        return amounts.based(prices)

    def describe(self) -> str:
        """Return the columns of the table."""
        return f"a price by {', '.join(self.table.columns)}"


@dataclass(frozen=True, slots=True)
class PerMember(PriceBase):
    """A fee for each member and month; a row of the episodes is then a member or a cohort.

    Attributes
    ----------
    dollars : the fee per member and month.

    Examples
    --------
    >>> PerMember(2.5).describe()
    '$2.50 per member and month'
    """

    dollars: float

    def __post_init__(self) -> None:
        not_negative(self.dollars, "per_member.dollars")

    def needs(self) -> tuple[str, ...]:
        """Return the column of member months."""
        return ("member_months",)

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return fee times member months."""
        return amounts.based(self.dollars * amounts.table.filled("member_months"))

    def describe(self) -> str:
        """Return the fee."""
        return f"${self.dollars:,.2f} per member and month"


@dataclass(frozen=True, slots=True)
class BaseAndWarranty(PriceBase):
    """A price of the planned care, and a share of what complications used to cost, for which the bearer then pays.

    Attributes
    ----------
    base : dollars of the planned care.
    expected_complications : mean dollars of complications an episode before the contract.
    warranty : the share of them in the price; 0 pays nothing for the warranty.

    Examples
    --------
    >>> BaseAndWarranty(38_000, expected_complications=15_000, warranty=0.5).price()
    45500.0
    """

    base: float
    expected_complications: float
    warranty: float

    def __post_init__(self) -> None:
        all_hold(
            lambda: not_negative(self.base, "base_and_warranty.base"),
            lambda: not_negative(self.expected_complications, "base_and_warranty.expected_complications"),
            lambda: share(self.warranty, "base_and_warranty.warranty"),
        )

    def price(self) -> float:
        """Return the price an episode, dollars."""
        return self.base + self.warranty * self.expected_complications

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the price for every episode."""
        return amounts.based(np.full_like(amounts.spending, self.price()))

    def describe(self) -> str:
        """Return the sum."""
        warranty = f"{percent(self.warranty)} of expected complications of ${self.expected_complications:,.0f}"
        return f"${self.base:,.0f} and {warranty} = ${self.price():,.0f} an episode"


@dataclass(frozen=True, slots=True)
class FeeSchedule(PriceBase):
    """A share of what a fee schedule, or the payer's usual price, allows for the episode.

    Attributes
    ----------
    share : of the column `schedule`.

    Examples
    --------
    >>> FeeSchedule(0.8).describe()
    '80% of the fee schedule'
    """

    share: float

    def __post_init__(self) -> None:
        not_negative(self.share, "fee_schedule.share")

    def needs(self) -> tuple[str, ...]:
        """Return the column of scheduled dollars."""
        return ("schedule",)

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the share of the scheduled dollars."""
        return amounts.based(self.share * amounts.table.filled("schedule"))

    def describe(self) -> str:
        """Return the share."""
        return f"{percent(self.share)} of the fee schedule"


@dataclass(frozen=True, slots=True)
class AgreedPrice(PriceBase):
    """The price each episode brings along, agreed for it alone.

    Attributes
    ----------
    column : where it stands.

    Examples
    --------
    >>> AgreedPrice().describe()
    'agreed for each episode (agreed_price)'
    """

    column: str = "agreed_price"

    def __post_init__(self) -> None:
        rule(holds=bool(self.column), sentence="`agreed_price.column` must name a column, got ''")

    def needs(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.column,)

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return each episode's price."""
        return amounts.based(amounts.table.filled(self.column))

    def describe(self) -> str:
        """Return the column."""
        return f"agreed for each episode ({self.column})"


@dataclass(frozen=True, slots=True)
class AsBilled(PriceBase):
    """Fee for service: the price is what is billed, and nobody bears a risk.

    Examples
    --------
    >>> AsBilled().describe()
    'as billed'
    """

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return what was spent."""
        return amounts.based(amounts.spending)

    def describe(self) -> str:
        """Return the words."""
        return "as billed"
