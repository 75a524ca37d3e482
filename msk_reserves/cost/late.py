"""What is assumed of payments late in a state, where too few are seen to tell, and of the end of death benefits."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from msk_reserves._checks import Floats, finite
from msk_reserves.claims.book import Assumption
from msk_reserves.claims.vocabulary import STATE_CODE
from msk_reserves.cost.cells import CellGrid

DEATH_BENEFIT_DAYS = 3640.0
"""Days after a death for which dependants are owed benefits: 520 weeks. Statutes range from some 300 weeks to the life
of a spouse, and no file of a few years shows an end."""

BENEFIT_DECLINE = 0.5
"""What remains after a year of a rate of benefits, or of expense on the way back to work, that too few payments show:
awards and partial benefits are paid out and end, disputes and case management too: late in a state fewer are still
running (judgement, the same as for late moves between states)."""

_JUDGED = {
    "benefits": (BENEFIT_DECLINE, "judgement: awards are paid out and end, as late moves between states do"),
    "expense": (BENEFIT_DECLINE, "judgement: legal bills and case management end with the dispute and the return"),
    "death_weeks": (
        DEATH_BENEFIT_DAYS / 7.0,
        "judgement: statutes range from some 300 weeks to the life of a spouse",
    ),
}


@dataclass(frozen=True, slots=True)
class LatePayments:
    """What remains of payments late in a state where too few show it, and how long death benefits are owed.

    It rules accounts fitted on dated payments.

    Attributes
    ----------
    benefits : what remains after a year of a rate of benefits, other than for permanent total disability or death.
    expense : the same of expense on the way back to work.
    death_weeks : weeks from a death for which dependants are owed benefits; infinite for life.
    source : where figures other than the defaults come from; printed with them.

    Examples
    --------
    >>> [one.value for one in LatePayments(death_weeks=400).assumptions("indemnity")][0]
    'owed for 400 weeks from the death'
    """

    benefits: float = BENEFIT_DECLINE
    expense: float = BENEFIT_DECLINE
    death_weeks: float = DEATH_BENEFIT_DAYS / 7.0
    source: str = "given by the user"

    def __post_init__(self) -> None:
        for name in ("benefits", "expense"):
            if not 0 < finite(getattr(self, name), name) <= 1:
                raise ValueError(
                    f"`{name}` must lie above 0 and not exceed 1, what remains of a rate (0.5 for a half, 1 for all of "
                    f"it), got {getattr(self, name)!r}"
                )
        if self.death_weeks != np.inf and finite(self.death_weeks, "death_weeks") <= 0:
            raise ValueError(f"`death_weeks` must be above zero, or infinite for life, got {self.death_weeks!r}")

    @property
    def death_days(self) -> float:
        """Days from a death for which dependants are owed benefits."""
        return 7.0 * self.death_weeks

    def declines(self, account: str) -> float:
        """Return what remains after a year of a rate that dies out in an account."""
        return self.expense if account == "expense" else self.benefits

    def end_a_bin(self, grid: CellGrid) -> CellGrid:
        """Return the grid with a bin that begins where death benefits end."""
        if self.death_days in grid.edges:
            return grid
        return CellGrid(tuple(sorted((*grid.bin_edges, self.death_days))), grid.band_edges)

    def ended(self, rates: Floats, grid: CellGrid, account: str) -> Floats:
        """Return rates of the cells of a grid as those of the grid that `end_a_bin` makes of it.

        Both parts of the bin that it cuts have the bin's rate, but for benefits of the dead, which end there: so where
        they end moves nothing else.

        Parameters
        ----------
        rates : units a day by cell of `grid`, shape (..., n_cells).
        grid : the cells they were fitted on.
        account : "medical", "indemnity" or "expense".
        """
        fine = self.end_a_bin(grid)
        whole = np.searchsorted(grid.bin_edges, fine.bin_edges, side="right") - 1
        spread: Floats = rates.reshape(*rates.shape[:-1], *grid.shape)[..., whole]
        if account == "indemnity":
            spread[..., STATE_CODE["dead"], :, :, :] *= np.array(fine.bin_edges) < self.death_days
        return spread.reshape(*rates.shape[:-1], fine.n_cells)

    def joined(self, by_cell: sp.csr_array, grid: CellGrid) -> sp.csr_array:
        """Return sums by claim and cell of the grid that `end_a_bin` makes as sums by cell of `grid` itself."""
        fine = self.end_a_bin(grid)
        if fine is grid:
            return by_cell
        whole = np.searchsorted(grid.bin_edges, fine.bin_edges, side="right") - 1
        group, bin_ = np.divmod(np.arange(fine.n_cells), fine.n_bins)
        entries = (np.ones(fine.n_cells), (np.arange(fine.n_cells), group * grid.n_bins + whole[bin_]))
        return sp.csr_array(by_cell @ sp.csr_array(entries, shape=(fine.n_cells, grid.n_cells)))

    def assumptions(self, account: str) -> tuple[Assumption, ...]:
        """Return what is assumed of an account, as it is printed."""
        weeks = "for life" if np.isinf(self.death_weeks) else f"for {self.death_weeks:,.6g} weeks from the death"
        told = {
            "indemnity": (
                ("death_weeks", "death benefits", f"owed {weeks}"),
                (
                    "benefits",
                    "benefits late in a state, where few payments show them",
                    f"fall to {self.benefits:.0%} a year, but for permanent total and death benefits",
                ),
            ),
            "expense": (
                (
                    "expense",
                    "expense late in a state on the way back to work, where few payments show it",
                    f"falls to {self.expense:.0%} a year",
                ),
            ),
        }
        return tuple(Assumption(name, value, self._whose(figure)) for figure, name, value in told.get(account, ()))

    def _whose(self, figure: str) -> str:
        """Return whose a figure is: a judgement of the library where it is the default."""
        default, judgement = _JUDGED[figure]
        return judgement if getattr(self, figure) == default else self.source
