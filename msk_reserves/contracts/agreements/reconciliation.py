"""What is settled at the end of a year, in every future: result, receivable or payable, and all accounts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.amounts import Flow, accounts_of

DAYS_OF_A_MONTH = 365.25 / 12
"""Days of a month of a settlement's lag."""


@dataclass(frozen=True, slots=True, eq=False)
class Reconciliation:
    """What payer and bearer owe each other by pool, in every future; nominal dollars of whole episodes.

    What was paid before the valuation date, and episodes that ended before it, are in every figure.

    Attributes
    ----------
    agreement : the terms.
    pool_names : pool and year.
    years : the year of each pool, `all` where it has none.
    episodes : how many, shape (n_pools,).
    target : sum of target prices, shape (n_scenarios, n_pools).
    result : gain of the bearer, negative a loss, its default included; shape (n_scenarios, n_pools).
    due : what the payer has still to pay the bearer beside the price, negative what it receives; shape
        (n_scenarios, n_pools).
    not_by_claim : what the payer still pays that belongs to no claim by itself; shape (n_scenarios, n_pools).
    at_settlement : what the payer pays when it is settled, to the bearer and aside; the same shape.
    flows : every payment, shape (n_scenarios, n_pools) or one that broadcasts to it.
    """

    agreement: Agreement
    pool_names: tuple[str, ...]
    years: tuple[str, ...]
    episodes: Floats
    target: Floats
    result: Floats
    due: Floats
    not_by_claim: Floats
    at_settlement: Floats
    flows: tuple[Flow, ...]

    def __post_init__(self) -> None:
        for array in (self.episodes, self.target, self.result, self.due, self.not_by_claim, self.at_settlement):
            array.flags.writeable = False

    def accounts(self) -> Mapping[str, Floats]:
        """Return what each account receives less what it pays, shape (n_scenarios, n_pools); the four add to zero."""
        return accounts_of(self.flows, self.due.shape)

    def gross_flow(self) -> Floats:
        """Return the dollars moved, both ways counted, shape (n_scenarios,)."""
        moved = [np.broadcast_to(np.abs(flow.dollars), self.due.shape).sum(axis=1) for flow in self.flows]
        total: Floats = np.sum(moved, axis=0)
        return total

    def receivable(self) -> Floats:
        """Return what the payer receives at reconciliation, all pools together; shape (n_scenarios,)."""
        dollars: Floats = np.maximum(-self.due, 0.0).sum(axis=1)
        return dollars

    def payable(self) -> Floats:
        """Return what the payer pays at reconciliation, all pools together; shape (n_scenarios,)."""
        dollars: Floats = np.maximum(self.due, 0.0).sum(axis=1)
        return dollars

    def when(self) -> str:
        """Return when money changes hands, in words."""
        if self.agreement.timing == "prospective":
            return "beside the price, which is paid before the care"
        later = "".join(f", again after {months:g}" for months in self.agreement.true_ups)
        return f"{self.agreement.lag_months:g} months after the year{later}"

    def days_ahead(self, valuation: pd.Timestamp | None) -> Floats:
        """Return the days from the valuation to each pool's settlement, shape (n_pools,).

        That is so many months after the end of the pool's year, of the year of the valuation where it has none; and at
        once where that has passed. Without a date only the months count.

        Parameters
        ----------
        valuation : the valuation date, None where there is none.
        """
        lag = self.agreement.lag_months * DAYS_OF_A_MONTH
        if valuation is None:
            return np.full(len(self.years), lag)
        ends = [int(year) if year.isdigit() and len(year) == 4 else valuation.year for year in self.years]
        days = [(pd.Timestamp(year=end, month=12, day=31) - valuation).days + lag for end in ends]
        return np.maximum(np.array(days, dtype=np.float64), 0.0)

    def to_frame(self) -> pd.DataFrame:
        """Return a row a pool: episodes, means of target price and result, and what is due with its 90 % band."""
        low, high = np.quantile(self.due, [0.05, 0.95], axis=0)
        return pd.DataFrame(
            {
                "episodes": self.episodes,
                "target price": self.target.mean(axis=0),
                "result": self.result.mean(axis=0),
                "chance of a loss": (self.result < 0).mean(axis=0),
                "payable": np.maximum(self.due, 0.0).mean(axis=0),
                "receivable": np.maximum(-self.due, 0.0).mean(axis=0),
                "due": self.due.mean(axis=0),
                "due 5 %": low,
                "due 95 %": high,
            },
            index=pd.Index(self.pool_names, name="pool"),
        )

    def __repr__(self) -> str:
        low, high = np.quantile(self.due.sum(axis=1), [0.05, 0.95])
        return (
            f"{self.agreement.name}: {self.episodes.sum():,.0f} episodes; at reconciliation ({self.when()}) the payer "
            f"pays {self.payable().mean():,.0f} and receives {self.receivable().mean():,.0f} dollars on average; "
            f"90 % predictive band of what is due to the bearer {low:,.0f} to {high:,.0f}"
        )

    def _repr_html_(self) -> str:
        html: str = self.to_frame().style.format("{:,.0f}").format("{:.1%}", subset=["chance of a loss"]).to_html()
        return html
