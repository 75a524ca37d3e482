"""The fitted payment rates of one account, however they were found."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.cost.cells import KIND_OF_STATE, KINDS, CellGrid
from msk_reserves.cost.relativities import Relativities


class Evidence(Protocol):
    """What a fit keeps so that its uncertainty can be drawn."""

    def draw(self, n_draws: int, rng: np.random.Generator) -> Floats:
        """Draw rates, shape (n_draws, n_cells)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PaymentRates:
    """What one account pays a day in each cell of the path.

    Attributes
    ----------
    account : "medical", "indemnity" (temporary total benefits apart) or "expense".
    unit : "dollars", or "weekly benefits" of the claim.
    rate : units a day at the price level of the valuation date, shape (n_cells,).
    days, paid : what was seen in each cell, shape (n_cells,); `paid` is zero throughout at summary depth.
    claim_paid : units paid on each claim in the days seen, shape (n_claims,).
    claim_expected : units expected for the same days, shape (n_claims,); 0 where nothing was seen.
    relativities : multipliers by claim.
    dispersion : variance over mean of a claim's payments given its own level, in units.
    level_variance : variance of the claims' own levels where it is assumed; NaN where payments by cell tell it.
    evidence : what draws of the rates are made from.
    """

    account: str
    unit: str
    rate: Floats
    days: Floats
    paid: Floats
    claim_paid: Floats
    claim_expected: Floats
    relativities: Relativities
    dispersion: float
    level_variance: float
    evidence: Evidence

    def __post_init__(self) -> None:
        for array in (self.rate, self.days, self.paid, self.claim_paid, self.claim_expected):
            array.flags.writeable = False

    def __str__(self) -> str:
        share = self.claim_paid.sum() / max(float(self.claim_expected.sum()), 1e-300)
        return (
            f"{self.account}: {self.claim_paid.sum():,.0f} {self.unit} paid, {share:.1%} of expected; "
            f"dispersion {self.dispersion:,.4g} {self.unit}; relativities by {self.relativities.design}"
        )


def rate_table(rates: PaymentRates, grid: CellGrid) -> pd.DataFrame:
    """Return the units paid a day by kind of state and days in the state, weighed by the days seen.

    A bin in which a kind was never seen is NaN; kinds and bins seen nowhere are left out.
    """
    expected = (rates.rate * rates.days).reshape(grid.shape)
    days = rates.days.reshape(grid.shape)
    rows = np.full((len(KINDS), grid.n_bins), np.nan)
    for kind in range(len(KINDS)):
        states = kind == KIND_OF_STATE
        seen = days[states].sum((0, 1, 2))
        rows[kind] = np.where(seen > 0, expected[states].sum((0, 1, 2)) / np.where(seen > 0, seen, 1.0), np.nan)
    columns = pd.Index([f"{edge:g}" for edge in grid.bin_edges], name="days in state from")
    table = pd.DataFrame(rows, index=pd.Index(KINDS, name=rates.account), columns=columns)
    return table.dropna(how="all").dropna(how="all", axis="columns")
