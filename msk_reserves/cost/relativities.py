"""How much dearer or cheaper one claim is than another on the same path: log-linear multipliers."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.claims.book import ClaimBook
from msk_reserves.cost.design import Design, design_matrix

PRIOR_SD = 0.5
"""Standard deviation of a log relativity before the claims are seen: two thirds lie within a factor of 1.65."""


@dataclass(frozen=True, slots=True, eq=False)
class Relativities:
    """Multipliers exp(x beta) of the payment rates, and how well they are known.

    Attributes
    ----------
    design : the factors and their levels.
    centre : mean of the columns weighted by expected payments, shape (n_columns,); taken off before multiplying, so
        that the level of the rates and the relativities are estimated independently.
    coefficients : log relativities, shape (n_columns,).
    covariance : their sandwich covariance, shape (n_columns, n_columns).
    """

    design: Design
    centre: Floats
    coefficients: Floats
    covariance: Floats

    def __post_init__(self) -> None:
        for array in (self.centre, self.coefficients, self.covariance):
            array.flags.writeable = False

    def table(self) -> pd.DataFrame:
        """Return one row a level: relativity to the reference and its 90 % interval."""
        error = 1.6449 * np.sqrt(np.maximum(np.diag(self.covariance), 0.0))
        columns = {
            "relativity": np.exp(self.coefficients),
            "low": np.exp(self.coefficients - error),
            "high": np.exp(self.coefficients + error),
        }
        return pd.DataFrame(columns, index=pd.Index(self.design.columns, name="level"))


def no_relativities() -> Relativities:
    """Return relativities of 1 for every claim."""
    return Relativities(Design(()), np.zeros(0), np.zeros(0), np.zeros((0, 0)))


def relativity(relativities: Relativities, book: ClaimBook) -> Floats:
    """Return the fitted multiplier of each claim, shape (n_claims,)."""
    centred = design_matrix(relativities.design, book.claims) - relativities.centre
    multipliers: Floats = np.exp(centred @ relativities.coefficients)
    return multipliers


def relativity_draws(relativities: Relativities, coefficients: Floats, book: ClaimBook) -> Floats:
    """Return the multipliers of each claim under drawn coefficients, shape (n_claims, n_draws).

    Each is divided by exp(x V x / 2), so that the mean over the draws is the fitted multiplier and parameter
    uncertainty widens a reserve without moving it.
    """
    centred = design_matrix(relativities.design, book.claims) - relativities.centre
    excess = 0.5 * np.einsum("ij,jk,ik->i", centred, relativities.covariance, centred)
    draws: Floats = np.exp(centred @ coefficients.T - excess[:, None])
    return draws


def fit_relativities(columns: Floats, paid: Floats, expected: Floats, *, power: int) -> tuple[Floats, Floats]:
    """Regress claim totals on covariates, log link, with the expected payments of the path as offset.

    Quasi-Poisson (`power` 1, variance proportional to the mean) or gamma (`power` 2, to its square), with an intercept
    and a normal prior of standard deviation 0.5 on each coefficient, which keeps thin levels near 1. The covariance is
    the sandwich of White (1982, Econometrica 50, theorem 3.2), valid whatever the variance is.

    Parameters
    ----------
    columns : covariates, shape (n_claims, n_columns).
    paid : totals, shape (n_claims,); may be negative.
    expected : offsets, shape (n_claims,); claims without are left out.
    power : 1 or 2.

    Returns
    -------
    tuple of numpy.ndarray
        Coefficients (n_columns,), and their covariance (n_columns, n_columns).
    """
    used = expected > 0
    x = np.c_[np.ones(int(used.sum())), columns[used]]
    y, offset = paid[used], expected[used]
    k = x.shape[1]
    if k == 1 or y.sum() <= 0:
        return np.zeros(k - 1), np.zeros((k - 1, k - 1))
    beta = np.zeros(k)
    beta[0] = np.log(y.sum() / offset.sum())
    mean = offset * np.exp(x @ beta)
    scale = (
        float(((y - mean) ** 2 / mean**power).sum() / len(y))
        if power == 2
        else (float(((y - mean) ** 2).sum() / mean.sum()))
    )
    prior = np.diag(np.r_[0.0, np.full(k - 1, scale / PRIOR_SD**2)])
    for _ in range(100):
        mean = offset * np.exp(x @ beta)
        residual = (y - mean) / mean ** (power - 1)
        information = (x * (mean ** (2 - power))[:, None]).T @ x + prior
        step = np.linalg.solve(information, x.T @ residual - prior @ beta)
        beta = beta + step * min(1.0, 1.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-9:
            break
    scores = x * residual[:, None]
    bread = np.linalg.inv(information)
    covariance = bread @ (scores.T @ scores) @ bread
    return np.asarray(beta[1:]), np.asarray(covariance[1:, 1:])
