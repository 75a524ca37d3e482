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

MIN_CLAIMS = 100
"""Claims that must have spent days in a bin for it to have a rate of its own; else it joins the bin before."""

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
        The column of each cell, -1 for kinds with too few claims, shape (n_cells,).
    """
    kind_of_cell = np.repeat(KIND_OF_STATE, grid.n_cells // len(KIND_OF_STATE))
    band_of_cell = np.arange(grid.n_cells) // grid.n_bins % grid.n_bands
    column_of_cell = np.full(grid.n_cells, -1, dtype=np.int64)
    seen = sp.csc_array(days > 0)
    column = 0
    for kind in range(len(KINDS)):
        breaks = np.searchsorted(grid.bin_edges, OFF_WORK_BREAKS if kind == 0 else OTHER_BREAKS)
        known: dict[int, Integers] = {}
        for band in range(grid.n_bands):
            cells = np.flatnonzero((kind_of_cell == kind) & (band_of_cell == band)).reshape(-1, grid.n_bins)
            counts = np.array([len(np.unique(seen[:, here].nonzero()[0])) for here in cells.T])
            enough = counts >= MIN_CLAIMS
            if enough[0]:
                starts = enough & np.isin(np.arange(grid.n_bins), breaks)
                known[band] = column + np.cumsum(starts) - 1
                column = int(known[band][-1]) + 1
        for band in range(grid.n_bands) if known else ():
            nearest = min((abs(other - band), other) for other in known)[1]
            cells = np.flatnonzero((kind_of_cell == kind) & (band_of_cell == band)).reshape(-1, grid.n_bins)
            column_of_cell[cells] = known[nearest]
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
    y = np.where(used, np.nan_to_num(paid), 0.0)
    average = float(y[used].mean()) if used.any() else 0.0
    beta, covariance = np.zeros(columns.shape[1]), np.zeros((columns.shape[1], columns.shape[1]))
    centre = columns[used].mean(axis=0) if used.any() else np.zeros(columns.shape[1])
    rates, multiplier = np.zeros(coarse.shape[1]), np.ones(len(y))
    mean = np.full(len(y), max(average, 0.0))
    for _ in range(_ROUNDS if average > 0 and coarse.shape[1] else 0):
        working = np.maximum(mean, MEAN_FLOOR * average)
        scaled = np.where(used, multiplier / working, 0.0)[:, None] * coarse
        rates = balanced_rates(regression_terms(scaled, y / working, working).sum(axis=0), coarse.shape[1])
        expected = np.where(used, coarse @ rates, 0.0)
        centre = (expected @ columns) / expected.sum() if expected.sum() > 0 else centre
        beta, covariance = fit_relativities(
            columns - centre, y, np.maximum(expected, MEAN_FLOOR * average) * used, power=2
        )
        multiplier = np.exp((columns - centre) @ beta)
        mean = expected * multiplier
    working = np.maximum(mean, MEAN_FLOOR * max(average, 1e-9))
    scaled = np.where(used, multiplier / working, 0.0)[:, None] * coarse
    if average > 0 and coarse.shape[1]:
        rates = balanced_rates(regression_terms(scaled, y / working, working).sum(axis=0), coarse.shape[1])
    rate = spread_over_cells(rates, column_of_cell)
    expected = np.where(used, multiplier * (coarse @ rates), 0.0)
    return PaymentRates(
        account=account,
        unit=unit,
        rate=rate,
        days=np.asarray(days[used].sum(axis=0)).ravel(),
        paid=np.zeros(grid.n_cells),
        claim_paid=y,
        claim_expected=expected,
        relativities=Relativities(design, centre, beta, covariance),
        dispersion=_assumed_dispersion(y, expected),
        evidence=SummaryEvidence(scaled, y / working, working, column_of_cell),
    )


def _coarse_days(days: sp.csr_array, column_of_cell: Integers) -> Floats:
    """Return the days by coarse cell, shape (n_claims, n_columns)."""
    n_columns = int(column_of_cell.max(initial=-1)) + 1
    seen = column_of_cell >= 0
    indicator = np.zeros((len(column_of_cell), n_columns))
    indicator[np.flatnonzero(seen), column_of_cell[seen]] = 1.0
    coarse: Floats = np.asarray(days @ indicator)
    return coarse


def _assumed_dispersion(paid: Floats, expected: Floats) -> float:
    """Return the dispersion under which half the variance at the average claim is the claim's own lasting level.

    One total a claim cannot tell a costly claim from a costly month; the split is an assumption and is printed.
    """
    used = expected > 0
    if not used.any():
        return 0.0
    squares = (paid[used] - expected[used]) ** 2
    squares = np.minimum(squares, np.quantile(squares, 0.999))
    return float((1.0 - PERSISTENT_SHARE) * squares.sum() / expected[used].sum())
