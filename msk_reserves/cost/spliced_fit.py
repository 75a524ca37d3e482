"""Fitting a severity with a Pareto tail, and how much the answer leans on where the tail begins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, stats

from msk_reserves._checks import Floats, frozen, level, one_of, whole
from msk_reserves.cost.spliced import SplicedSeverity, severity_mean, severity_quantile, severity_tail_mean


@dataclass(frozen=True, slots=True)
class SplicedFit:
    """A fitted severity and how the tail was found.

    Attributes
    ----------
    severity : the distribution.
    exceedances : amounts above the threshold.
    fitted_shape : shape of the tail before the cap.
    capped : whether the cap was used.
    """

    severity: SplicedSeverity
    exceedances: int
    fitted_shape: float
    capped: bool

    def __str__(self) -> str:
        cap = f"; the fitted shape {self.fitted_shape:.3f} was capped" if self.capped else ""
        return f"{self.severity}, from {self.exceedances:,} amounts above the threshold{cap}"


def fit_spliced(
    amounts: npt.ArrayLike,
    *,
    threshold_level: float = 0.95,
    body: str = "lognormal",
    min_exceedances: int = 50,
    shape_cap: float = 0.7,
) -> SplicedFit:
    """Fit body and tail by maximum likelihood on each side of an empirical quantile.

    Parameters
    ----------
    amounts : array_like
        Positive amounts, shape (n,).
    threshold_level : float, optional
        The tail begins at this quantile, or lower so that `min_exceedances` amounts lie above.
    body : str, optional
        "lognormal" or "gamma".
    min_exceedances : int, optional
        Fewest amounts a tail is fitted on.
    shape_cap : float, optional
        Largest shape of the tail kept; beyond it the mean rests on amounts nobody has seen.

    Returns
    -------
    SplicedFit
        The distribution and its diagnostics.

    Raises
    ------
    ValueError
        If an amount is not positive, or fewer than four times `min_exceedances` are given.

    Examples
    --------
    >>> amounts = np.random.default_rng(1).lognormal(9.0, 1.0, 4000)
    >>> fit_spliced(amounts).exceedances
    200
    """
    values = frozen(amounts, "amounts")
    needed = 4 * whole(min_exceedances, "min_exceedances", at_least=5)
    if len(values) < needed:
        raise ValueError(f"`amounts` must hold at least {needed} values to fit a tail, got {len(values)}")
    if values.min() <= 0:
        raise ValueError(f"`amounts` must be above zero, got {values.min()}; model the zeros apart")
    tail_level = min(level(threshold_level, "threshold_level"), 1.0 - min_exceedances / len(values))
    threshold = float(np.quantile(values, tail_level))
    excess = values[values > threshold] - threshold
    shape, scale = fit_excess(excess)
    kept = min(shape, shape_cap)
    if shape > shape_cap:
        scale = _scale_given_shape(excess, kept)
    parameters = _fit_body(values[values <= threshold], threshold, one_of(body, ("lognormal", "gamma"), "body"))
    tail_share = len(excess) / len(values)
    severity = SplicedSeverity(body, parameters, threshold, tail_share, kept, scale)
    return SplicedFit(severity, len(excess), shape, shape > shape_cap)


def threshold_sensitivity(
    amounts: npt.ArrayLike, levels: Sequence[float] = (0.90, 0.925, 0.95, 0.975), *, body: str = "lognormal"
) -> pd.DataFrame:
    """Return how tail and mean move with the threshold: one row a quantile the tail was begun at.

    Columns: threshold, exceedances, shape, capped, scale, mean, q99, tail_mean_99 (dollars).
    """
    rows = []
    for threshold_level in levels:
        fit = fit_spliced(amounts, threshold_level=threshold_level, body=body)
        severity = fit.severity
        rows.append(
            {
                "threshold": severity.threshold,
                "exceedances": fit.exceedances,
                "shape": fit.fitted_shape,
                "capped": fit.capped,
                "scale": severity.tail_scale,
                "mean": severity_mean(severity),
                "q99": float(severity_quantile(severity, 0.99)),
                "tail_mean_99": severity_tail_mean(severity, 0.99),
            }
        )
    return pd.DataFrame(rows, index=pd.Index(levels, name="threshold_level"))


def fit_excess(excess: npt.ArrayLike) -> tuple[float, float]:
    """Return shape and scale of the generalized Pareto law most likely to have given the excesses.

    The likelihood is profiled over theta = xi / beta, which leaves a search in one dimension (Davison 1984).

    Examples
    --------
    >>> shape, scale = fit_excess(stats.genpareto(0.4, scale=3.0).ppf((np.arange(4000) + 0.5) / 4000))
    >>> round(shape, 2), round(scale, 2)
    (0.4, 3.0)
    """
    values = frozen(excess, "excess")
    mean = values.mean()

    def loss(theta: float) -> float:
        shape = float(np.log1p(theta * values).mean())
        if shape < -0.9:  # the likelihood is unbounded from here on (Smith 1985)
            return float("inf")
        if abs(shape) < 1e-10:
            return float(np.log(mean) + 1.0)
        return float(np.log(shape / theta) + shape + 1.0)

    # The largest excess bounds theta from below: beyond it the law would not reach that far.
    low = -(1.0 - 1e-6) / values.max()
    grid = np.r_[low * (1.0 - np.geomspace(1e-3, 0.999, 60)), np.geomspace(1e-6, 1e3, 60) / mean]
    best = int(np.argmin([loss(float(theta)) for theta in grid]))
    bounds = (float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)]))
    theta = float(optimize.minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x)
    shape = float(np.log1p(theta * values).mean())
    return (shape, shape / theta) if abs(shape) > 1e-8 else (0.0, float(mean))


def _scale_given_shape(excess: Floats, shape: float) -> float:
    """Return the most likely scale of a tail whose shape is given."""

    def loss(log_scale: float) -> float:
        scale = np.exp(log_scale)
        return float(log_scale + (1.0 + 1.0 / shape) * np.log1p(shape * excess / scale).mean())

    centre = float(np.log(excess.mean()))
    return float(np.exp(optimize.minimize_scalar(loss, bounds=(centre - 6, centre + 3), method="bounded").x))


def _fit_body(values: Floats, threshold: float, body: str) -> tuple[float, float]:
    """Return the most likely parameters of a body seen only up to the threshold."""
    logs = np.log(values)

    def unpack(free: Floats) -> tuple[float, float]:
        return (float(free[0]), float(np.exp(free[1]))) if body == "lognormal" else (float(np.exp(free[0])), free[1])

    def loss(free: Floats) -> float:
        if body == "lognormal":
            law = stats.norm(free[0], np.exp(free[1]))
            return float(-(law.logpdf(logs) - law.logcdf(np.log(threshold))).mean())
        law = stats.gamma(np.exp(free[0]), scale=np.exp(free[1]))
        return float(-(law.logpdf(values) - law.logcdf(threshold)).mean())

    if body == "lognormal":
        start = np.array([logs.mean(), np.log(logs.std() + 1e-9)])
    else:
        squared_cv = values.var() / values.mean() ** 2
        start = np.array([-np.log(squared_cv), np.log(values.mean() * squared_cv)])
    found = optimize.minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12})
    first, second = unpack(found.x)
    return first, second if body == "lognormal" else float(np.exp(second))
