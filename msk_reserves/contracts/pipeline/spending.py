"""What of an episode's cost counts: outlier caps, winsorizing, and what a failed seller leaves to the payer."""

from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import positive, share
from msk_reserves.contracts.amounts import EpisodeAmounts, EpisodeTerm, all_hold, percent, rule


@dataclass(frozen=True, slots=True)
class OutlierCap(EpisodeTerm):
    """An episode counts at most its cap, and at least its floor where there is one; the payer bears the rest.

    Attributes
    ----------
    dollars : one cap for all episodes, or None.
    column : the column of each episode's or cell's cap, such as a percentile of its cell; "" when `dollars` is given.
    floor_column : the column of a floor (winsorizing); "" for none.

    Examples
    --------
    >>> OutlierCap(60_000).describe()
    'an episode counts at most $60,000'
    """

    dollars: float | None = None
    column: str = ""
    floor_column: str = ""

    def __post_init__(self) -> None:
        all_hold(
            lambda: None if self.dollars is None else positive(self.dollars, "outlier_cap.dollars"),
            lambda: rule(
                holds=(self.dollars is None) == bool(self.column),
                sentence=f"`outlier_cap` needs one of `dollars` and `column`, got {self.dollars!r} and {self.column!r}",
            ),
        )

    def needs(self) -> tuple[str, ...]:
        """Return the columns of cap and floor."""
        return tuple(name for name in (self.column, self.floor_column) if name)

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the amounts with capped spending."""
        cap = amounts.table.filled(self.column) if self.dollars is None else self.dollars
        capped = np.minimum(amounts.spending, cap)
        if self.floor_column:
            capped = np.maximum(capped, amounts.table.filled(self.floor_column))
        return amounts.counting(capped)

    def describe(self) -> str:
        """Return the cap."""
        cap = self.column if self.dollars is None else f"${self.dollars:,.0f}"
        return f"an episode counts at most {cap}" + (f" and at least {self.floor_column}" if self.floor_column else "")


@dataclass(frozen=True, slots=True)
class PrepaidDefault(EpisodeTerm):
    """The seller of a prepaid episode fails: what it had not yet spent, the payer pays again, less what is recovered.

    The column `defaulted` is 1 where it failed during the episode and 0 elsewhere; `spent_by_seller` holds the dollars
    it had spent until then.

    Attributes
    ----------
    loss_given_default : the share that is not recovered.

    Examples
    --------
    >>> PrepaidDefault(0.6).describe()
    'if the seller fails, the payer loses 60% of the care still to be given'
    """

    loss_given_default: float

    def __post_init__(self) -> None:
        share(self.loss_given_default, "prepaid_default.loss_given_default")

    def needs(self) -> tuple[str, ...]:
        """Return the columns of failure and of what was spent."""
        return ("defaulted", "spent_by_seller")

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the amounts with the lost care no longer the bearer's."""
        table = amounts.table
        left = np.maximum(amounts.spending - table.filled("spent_by_seller"), 0.0)
        return amounts.counting(amounts.spending - self.loss_given_default * table.filled("defaulted") * left)

    def describe(self) -> str:
        """Return the loss."""
        return f"if the seller fails, the payer loses {percent(self.loss_given_default)} of the care still to be given"
