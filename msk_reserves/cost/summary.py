"""Payment rates from totals to date: a regression of what was paid on the days spent so far."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy import optimize

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.book import ClaimBook
from msk_reserves.cost.cells import KIND_OF_STATE, KINDS, CellGrid
from msk_reserves.cost.design import Design, design_matrix
from msk_reserves.cost.rates import PaymentRates
from msk_reserves.cost.relativities import Relativities, fit_relativities

MIN_CLAIMS, MIN_SHARE = 100, 0.05
"""Claims (or, if fewer, share of the claims) that must have spent days in a bin for it to have a rate of its own."""

OFF_WORK_BREAKS = (0.0, 14.0, 56.0, 182.0, 730.0)
OTHER_BREAKS = (0.0, 91.0, 730.0)
"""Where a new rate may begin. Totals tell stretches apart only by claims that ended in them; nearly every stay after
a return is long, so its first weeks cannot be told from each other."""

MEAN_FLOOR = 0.1
"""Smallest working mean of a claim, as a share of the average: a day off work must not outweigh a year."""

PERSISTENT_SHARE = 0.5
"""Share of the variance of paid over expected, at the average claim, that is taken as the claim's own level."""

_ROUNDS = 8
_DRAWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class SummaryEvidence:
    """The regression behind a fit, to be weighed anew in each bootstrap draw.

    Attributes
    ----------
    days : days times relativity by coarse cell over working mean, shape (n_claims, n_columns).
    paid : payments over working mean, shape (n_claims,).
    working_mean : units, shape (n_claims,).
    column_of_cell : coarse cell of each cell, -1 where never seen, shape (n_cells,).
    """

    days: Floats
    paid: Floats
    working_mean: Floats
    column_of_cell: Integers

    def draw(self, n_draws: int, rng: np.random.Generator) -> Floats:
        """Draw rates by the Bayesian bootstrap over claims (Rubin 1981), shape (n_draws, n_cells)."""
        terms = regression_terms(self.days, self.paid, self.working_mean)
        draws = np.empty((n_draws, len(self.column_of_cell)))
        for begin in range(0, n_draws, _DRAWS_AT_ONCE):
            weights = rng.standard_exponential((min(_DRAWS_AT_ONCE, n_draws - begin), len(self.paid)))
            for row, sums in enumerate(weights @ terms):
                rates = balanced_rates(sums, self.days.shape[1])
                draws[begin + row] = spread_over_cells(rates, self.column_of_cell)
        return draws


def coarse_columns(days: sp.csr_array, grid: CellGrid) -> Integers:
    """Choose coarse cells, kind of state by band by bins, that enough claims have spent days in.

    A band of earlier days off with too few claims takes the coarse cells of the nearest band with enough.

    Returns
    -------
    numpy.ndarray
        The column of each cell, -1 for kinds with too few claims, and for times after a return that nobody has reached;
        shape (n_cells,).
    """
    kind_of_cell = np.repeat(KIND_OF_STATE, grid.n_cells // len(KIND_OF_STATE))
    band_of_cell = np.arange(grid.n_cells) // grid.n_bins % grid.n_bands
    column_of_cell = np.full(grid.n_cells, -1, dtype=np.int64)
    seen = sp.csc_array(days > 0)
    needed = min(MIN_CLAIMS, max(MIN_SHARE * days.shape[0], 1.0))
    column = 0
    for kind in range(len(KINDS)):
        breaks = np.searchsorted(grid.bin_edges, OFF_WORK_BREAKS if kind == 0 else OTHER_BREAKS)
        known: dict[int, Integers] = {}
        for band in range(grid.n_bands):
            cells = np.flatnonzero((kind_of_cell == kind) & (band_of_cell == band)).reshape(-1, grid.n_bins)
            counts = np.array([len(np.unique(seen[:, here].nonzero()[0])) for here in cells.T])
            enough = counts >= needed
            if enough[0]:
                starts = enough & np.isin(np.arange(grid.n_bins), breaks)
                known[band] = column + np.cumsum(starts) - 1
                column = int(known[band][-1]) + 1
        for band in range(grid.n_bands) if known else ():
            nearest = min((abs(other - band), other) for other in known)[1]
            cells = np.flatnonzero((kind_of_cell == kind) & (band_of_cell == band)).reshape(-1, grid.n_bins)
            column_of_cell[cells] = known[nearest]
        if kind != 0:
            # Totals show nothing of care later after a return than anyone is; years of a rate drawn from noise would.
            cells = np.flatnonzero(kind_of_cell == kind).reshape(-1, grid.n_bins)
            unseen = np.array([seen[:, here].nnz == 0 for here in cells.T])
            column_of_cell[cells[:, unseen]] = -1
    return column_of_cell


def spread_over_cells(rates: Floats, column_of_cell: Integers) -> Floats:
    """Return the rate of each cell from those of the coarse cells; 0 where never seen."""
    spread: Floats = np.r_[rates, 0.0][column_of_cell]
    return spread


def regression_terms(days: Floats, paid: Floats, working_mean: Floats) -> Floats:
    """Return what each claim adds to the normal equations and to the totals, so that any weights are one product.

    Parameters
    ----------
    days, paid, working_mean : as in `SummaryEvidence`.

    Returns
    -------
    numpy.ndarray
        Products of columns (upper triangle), products with `paid`, days and payments undivided; one row a claim.
    """
    upper, lower = np.triu_indices(days.shape[1])
    parts = (days[:, upper] * days[:, lower], days * paid[:, None], days * working_mean[:, None])
    return np.concatenate((*parts, (paid * working_mean)[:, None]), axis=1)


def balanced_rates(sums: Floats, n_columns: int) -> Floats:
    """Return non-negative rates by weighted least squares of relative errors, then set to reproduce the total paid.

    Parameters
    ----------
    sums : weighted sums of the rows of `regression_terms`.
    n_columns : coarse cells.

    Returns
    -------
    numpy.ndarray
        Units a day, shape (n_columns,).
    """
    size = n_columns * (n_columns + 1) // 2
    normal = np.zeros((n_columns, n_columns))
    normal[np.triu_indices(n_columns)] = sums[:size]
    # Days are never negative, so the empty lower triangle is the smaller of the two.
    normal = np.maximum(normal, normal.T)
    target, days = sums[size : size + n_columns], sums[size + n_columns : -1]
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-300))
    root = np.linalg.cholesky(normal / np.outer(scale, scale) + 1e-10 * np.eye(n_columns))
    rates = optimize.nnls(root.T, np.linalg.solve(root, target / scale))[0] / scale
    fitted, total = float(days @ rates), float(sums[-1])
    balanced: Floats = rates * (total / fitted if fitted > 0 and total > 0 else 0.0)
    return balanced


def fit_summary(
    account: str, unit: str, book: ClaimBook, days: sp.csr_array, paid: Floats, grid: CellGrid, design: Design
) -> PaymentRates:
    """Fit rates and relativities of one account on totals to date, in turn until they agree.

    Each claim, open or closed, enters with what it has cost so far at its days so far, so nothing is assumed of closed
    claims. The error is taken proportional to the mean (gamma); the level is then set so that all claims together
    reproduce what was paid.

    Parameters
    ----------
    account, unit, book, days, grid, design : as in `fit_ledger`.
    paid : units paid to date, shape (n_claims,); NaN leaves a claim out.
    """
    columns = design_matrix(design, book.claims)
    column_of_cell = coarse_columns(days, grid)
    coarse = _coarse_days(days, column_of_cell)
    used: Booleans = np.isfinite(paid) & (coarse.sum(axis=1) > 0)
    totals = np.where(used, np.nan_to_num(paid), 0.0)
    coarse = np.where(used[:, None], coarse, 0.0)
    relativities = Relativities(design, *_no_effects(columns.shape[1]))
    rates, expected = np.zeros(coarse.shape[1]), np.zeros(len(totals))
    evidence = SummaryEvidence(coarse, totals, np.ones(len(totals)), column_of_cell)
    if totals.sum() > 0:
        floor = MEAN_FLOOR * float(totals[used].mean())
        mean = np.full(len(totals), floor / MEAN_FLOOR)
        for step in range(_ROUNDS + 1):
            multiplier = np.exp((columns - relativities.centre) @ relativities.coefficients)
            working = np.maximum(mean, floor)
            scaled = (multiplier / working)[:, None] * coarse
            evidence = SummaryEvidence(scaled, totals / working, working, column_of_cell)
            rates = balanced_rates(regression_terms(scaled, totals / working, working).sum(axis=0), coarse.shape[1])
            mean = expected = multiplier * (coarse @ rates)
            if step < _ROUNDS:
                relativities = _relativities(design, columns, totals, coarse @ rates, floor)
    return PaymentRates(
        account=account,
        unit=unit,
        rate=spread_over_cells(rates, column_of_cell),
        days=np.asarray(days[used].sum(axis=0)).ravel(),
        paid=np.zeros(grid.n_cells),
        claim_paid=totals,
        claim_expected=expected,
        relativities=relativities,
        dispersion=(1.0 - PERSISTENT_SHARE) * _winsorised(totals, expected) / max(float(expected.sum()), 1e-300),
        level_variance=PERSISTENT_SHARE * _winsorised(totals, expected) / max(float((expected**2).sum()), 1e-300),
        evidence=evidence,
    )


def _no_effects(n_columns: int) -> tuple[Floats, Floats, Floats]:
    """Return centre, coefficients and covariance of relativities that are all 1."""
    return np.zeros(n_columns), np.zeros(n_columns), np.zeros((n_columns, n_columns))


def _relativities(design: Design, columns: Floats, totals: Floats, expected: Floats, floor: float) -> Relativities:
    """Return the relativities given what the path alone leads one to expect."""
    centre = (expected @ columns) / expected.sum()
    offset = np.where(expected > 0, np.maximum(expected, floor), 0.0)
    return Relativities(design, centre, *fit_relativities(columns - centre, totals, offset, power=2))


def _coarse_days(days: sp.csr_array, column_of_cell: Integers) -> Floats:
    """Return the days by coarse cell, shape (n_claims, n_columns)."""
    n_columns = int(column_of_cell.max(initial=-1)) + 1
    seen = column_of_cell >= 0
    indicator = np.zeros((len(column_of_cell), n_columns))
    indicator[np.flatnonzero(seen), column_of_cell[seen]] = 1.0
    coarse: Floats = np.asarray(days @ indicator)
    return coarse


def _winsorised(paid: Floats, expected: Floats) -> float:
    """Return the sum of squared residuals, those of one claim in a thousand cut back to the next.

    One total a claim cannot tell a costly claim from a costly month: half of this sum is taken as the claims' own
    lasting levels and half as chance, an assumption that is printed.
    """
    squares = np.where(expected > 0, (paid - expected) ** 2, 0.0)
    return float(np.minimum(squares, np.quantile(squares, 0.999)).sum())
