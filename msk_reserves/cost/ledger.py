"""Payment rates from dated payments: what is paid a day in each cell of the path, and how surely it is known."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.book import ClaimBook
from msk_reserves.cost.cells import CellGrid
from msk_reserves.cost.credible import credible_rates
from msk_reserves.cost.design import Design, design_matrix
from msk_reserves.cost.late import LatePayments
from msk_reserves.cost.rates import PaymentRates
from msk_reserves.cost.relativities import Relativities, fit_relativities

_ROUNDS = 3
"""Alternations of rates and relativities; a fourth moves no rate of the test worlds by a thousandth."""

_DRAWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class LedgerEvidence:
    """Days and payments by claim and cell behind a fit, to be weighed anew in each bootstrap draw.

    Attributes
    ----------
    days : days times relativity, shape (n_claims, n_cells), sparse.
    paid : payments at the price level of the valuation date, shape (n_claims, n_cells), sparse.
    grid : the cells.
    dispersion : variance over mean of payments.
    seen : claims seen in each cell, shape (n_cells,).
    account : "medical", "indemnity" or "expense".
    weight : dollars of a unit of each claim over their mean, shape (n_claims,).
    late : what is assumed of late payments.
    """

    days: sp.csr_array
    paid: sp.csr_array
    grid: CellGrid
    dispersion: float
    seen: Integers
    account: str
    weight: Floats
    late: LatePayments

    def draw(self, n_draws: int, rng: np.random.Generator) -> Floats:
        """Draw rates by the Bayesian bootstrap over claims (Rubin 1981), shape (n_draws, n_cells).

        The cells are those with a bin that begins where death benefits end. Each draw weighs the claims by independent
        standard exponentials and fits the rates anew.
        """
        n_claims = self.days.shape[0]
        draws = np.empty((n_draws, self.late.end_a_bin(self.grid).n_cells))
        for begin in range(0, n_draws, _DRAWS_AT_ONCE):
            size = min(_DRAWS_AT_ONCE, n_draws - begin)
            weights = rng.standard_exponential((size, n_claims))
            weights *= self.weight / weights.mean(axis=1, keepdims=True)
            paid, days = (self.paid.T @ weights.T).T, (self.days.T @ weights.T).T
            rates = credible_rates(
                paid, days, self.grid, self.dispersion, seen=self.seen, account=self.account, late=self.late
            )
            draws[begin : begin + size] = self.late.ended(rates, self.grid, self.account)
        return draws


def fit_ledger(
    account: str,
    unit: tuple[str, Floats],
    book: ClaimBook,
    days: sp.csr_array,
    paid: sp.csr_array,
    grid: CellGrid,
    design: Design,
    late: LatePayments,
) -> PaymentRates:
    """Fit rates and relativities of one account in turn until they agree.

    The expected payments of claim i are rho_i times the sum over cells of rate times days. Given the relativities rho
    the rates are ratios of totals with credibility; given the rates the relativities are a quasi-Poisson regression
    of claim totals.

    Parameters
    ----------
    account : "medical", "indemnity" or "expense".
    unit : "dollars" or "weekly benefits", and the dollars of one for each claim, shape (n_claims,). Claims weigh by
        them: the rates reproduce the dollars paid, though a settlement is not in proportion to the benefit.
    book : the claims.
    days : exposure by cell of the grid with a bin that begins where death benefits end, shape (n_claims, n_cells).
    paid : payments in `unit` at the price level of the valuation date, by the same cells.
    grid : the cells that rates are fitted on, without that bin.
    design : factors of the relativities.
    late : what is assumed of late payments.
    """
    columns = design_matrix(design, book.claims)
    by_cell = [np.asarray(part.sum(axis=0)).ravel() for part in (days, paid)]
    days, paid = late.joined(days, grid), late.joined(paid, grid)
    name, dollars = unit
    weight = np.nan_to_num(dollars / np.nanmean(dollars))
    totals = np.asarray(paid.sum(axis=1)).ravel()
    centre = np.zeros(columns.shape[1])
    beta, covariance = np.zeros(columns.shape[1]), np.zeros((columns.shape[1], columns.shape[1]))
    dispersion, weighed = 0.0, days
    paid_by_cell = np.asarray(paid.T @ weight).ravel()
    seen = np.bincount(days.indices, minlength=grid.n_cells).astype(np.int64)

    def rates_at(weighed: sp.csr_array, dispersion: float) -> Floats:
        e = weighed.T @ weight
        return credible_rates(paid_by_cell, e, grid, dispersion, seen=seen, account=account, late=late)

    for step in range(_ROUNDS + 1):
        multiplier = np.exp((columns - centre) @ beta)
        weighed = sp.csr_array(sp.diags_array(multiplier) @ days)
        rate = rates_at(weighed, dispersion)
        dispersion = estimate_dispersion(paid, weighed, rate)
        if step < _ROUNDS:
            expected = weight * (days @ rate)
            centre = (expected @ columns) / expected.sum() if expected.sum() > 0 else centre
            beta, covariance = fit_relativities(columns - centre, weight * totals, expected, power=1)
    rate = rates_at(weighed, dispersion)
    return PaymentRates(
        account=account,
        unit=name,
        rate=late.ended(rate, grid, account),
        days=by_cell[0],
        paid=by_cell[1],
        claim_paid=totals,
        claim_expected=np.asarray(weighed @ rate).ravel(),
        relativities=Relativities(design, centre, beta, covariance),
        dispersion=dispersion,
        level_variance=float("nan"),
        evidence=LedgerEvidence(weighed, paid, grid, dispersion, seen, account, weight, late),
    )


def estimate_dispersion(paid: sp.csr_array, days: sp.csr_array, rate: Floats) -> float:
    """Estimate variance over mean of a claim's payments in a stretch of its path, given the claim's own level.

    With m the expected payments of a cell, e of the claim, P its payments and p = m / e, the residual Y - p P has
    variance phi Z m (1 - p) whatever the claim's level Z, which P / e estimates without bias. The estimate is the
    ratio of the sums of squared residuals and of their expectations: weighed by dollars, as a reserve is, not by
    cells, whose smallest would dominate a Pearson statistic. Squares of the one claim in a thousand with the largest
    are cut back to the next, so that a single catastrophic claim does not set it.

    Parameters
    ----------
    paid, days : payments and days times relativity, shape (n_claims, n_cells).
    rate : payments a day, shape (n_cells,).

    Returns
    -------
    float
        phi, in the units of `paid`; 0 where nothing can be said.
    """
    mean = sp.csr_array(days @ sp.diags_array(rate))
    expected = np.asarray(mean.sum(axis=1)).ravel()
    used = expected > 0
    safe = np.where(used, expected, 1.0)
    level = np.where(used, np.asarray(paid.sum(axis=1)).ravel() / safe, 0.0)
    residual = sp.csr_array(paid - sp.diags_array(level) @ mean)
    squares = np.where(used, np.asarray(residual.multiply(residual).sum(axis=1)).ravel(), 0.0)
    spread = expected - np.asarray(mean.multiply(mean).sum(axis=1)).ravel() / safe
    if not used.any():
        return 0.0
    squares = np.minimum(squares, np.quantile(squares, 0.999))
    denominator = float((np.maximum(level, 0.0) * spread).sum())
    return float(squares.sum() / denominator) if denominator > 0 else 0.0
