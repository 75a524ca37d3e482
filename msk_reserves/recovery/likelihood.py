"""Likelihood of location-scale laws with weights, left truncation and windows, and its exact first two derivatives."""

from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Booleans, Floats
from msk_reserves.recovery.families import Family
from msk_reserves.recovery.observations import Observations

_SHAPE_STEP = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A log-likelihood with its gradient and Hessian at one parameter vector."""

    loglik: float
    gradient: Floats
    hessian: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Observations prepared for repeated evaluation: logs of time in units of the median, rows by kind.

    Attributes
    ----------
    design : covariates with the constant first; shape (n, p).
    log_days, log_lower, log_entry : natural logs, shape (n_exact or n_open,), (n_window,), (n_entered,); days in the
        order exact, still running, window (as the windows' right ends).
    exact, open_, window, entered : row numbers by kind.
    no_lower : whether a window starts at zero.
    weights : shape (n,).
    jacobian : what ln f loses for each unit of time, sum of weights of exact exits times their ln days.
    """

    design: Floats
    log_days: Floats
    log_lower: Floats
    log_entry: Floats
    exact: Booleans
    open_: Booleans
    window: Booleans
    entered: Booleans
    no_lower: Booleans
    weights: Floats
    jacobian: float


def prepare(data: Observations, unit: float) -> Rows:
    """Return the rows of `data` with time measured in `unit` days."""
    window = data.in_window
    exact = data.exited & ~window
    lower = data.lower[window]
    no_lower = lower <= 0
    return Rows(
        design=np.column_stack([np.ones(len(data)), data.design]),
        log_days=np.log(data.days / unit),
        log_lower=np.log(np.where(no_lower, unit, lower) / unit),
        log_entry=np.log(data.entry[data.entry > 0] / unit),
        exact=exact,
        open_=~data.exited,
        window=window,
        entered=data.entry > 0,
        no_lower=no_lower,
        weights=data.weights,
        jacobian=float(np.sum(data.weights[exact] * np.log(data.days[exact]))),
    )


def _survival_terms(family: Family, w: Floats, shape: Floats) -> tuple[Floats, Floats, Floats]:
    """Return ln S(w) and its first two derivatives: -h and -h (g' + h) with h = f/S, g = ln f."""
    log_s = family.log_survival(w, shape)
    slope, _ = family.density_slopes(w, shape)
    hazard = np.exp(family.log_density(w, shape) - log_s)
    return log_s, -hazard, -hazard * (slope + hazard)


def _window_terms(
    family: Family, lower: Floats, upper: Floats, shape: Floats, no_lower: Booleans
) -> tuple[Floats, ...]:
    """Return ln[S(l) - S(u)] and its derivatives by location (times scale) and log scale, in units of scale.

    The five derivatives are, with D = S(l) - S(u) and the sums running over the two ends with sign:
    D_m = [f], D_s = [w f], D_mm = -[f'], D_ms = -[f + w f'], D_ss = -[w (f + w f')].
    """
    log_low = np.where(no_lower, 0.0, family.log_survival(lower, shape))
    log_up = family.log_survival(upper, shape)
    gap = np.minimum(log_up - log_low, -1e-300)
    log_d = log_low + np.log(-np.expm1(gap))
    sums = np.zeros((5, len(lower)))
    for w, sign, off in ((lower, 1.0, no_lower), (upper, -1.0, np.zeros(len(upper), dtype=bool))):
        ratio = np.where(off, 0.0, sign * np.exp(family.log_density(w, shape) - log_d))
        bend = ratio * family.density_slopes(w, shape)[0]
        sums += np.stack([ratio, w * ratio, -bend, -(ratio + w * bend), -w * (ratio + w * bend)])
    m, s, mm, ms, ss = sums
    return log_d, m, s, mm - m * m, ms - m * s, ss - s * s


def _row_terms(family: Family, rows: Rows, mu: Floats, scale: float, shape: Floats) -> Floats:
    """Return, by row, value and derivatives (m, s, mm, ms, ss) by location x scale and log scale; shape (6, n)."""
    terms = np.zeros((6, len(mu)))
    w = (rows.log_days - mu) / scale
    at = rows.exact
    slope, bend = family.density_slopes(w[at], shape)
    terms[:, at] = _chain(w[at], family.log_density(w[at], shape) - np.log(scale), slope, bend)
    terms[2, at] -= 1.0
    at = rows.open_
    terms[:, at] = _chain(w[at], *_survival_terms(family, w[at], shape))
    at = rows.window
    if at.any():
        lower = (rows.log_lower - mu[at]) / scale
        terms[:, at] = _window_terms(family, lower, w[at], shape, rows.no_lower)
    at = rows.entered
    if at.any():
        w_entry = (rows.log_entry - mu[at]) / scale
        terms[:, at] -= _chain(w_entry, *_survival_terms(family, w_entry, shape))
    return terms


def _chain(w: Floats, value: Floats, first: Floats, second: Floats) -> Floats:
    """Turn a term of w and its derivatives into those by location (times scale) and log scale; shape (6, n)."""
    return np.stack([value, -first, -w * first, second, first + w * second, w * first + w * w * second])


def _at_shape(family: Family, rows: Rows, theta: Floats, shape: float, *, curved: bool) -> Evaluation:
    """Evaluate at a fixed shape; gradient and Hessian are by coefficients and, if free, log scale."""
    p = rows.design.shape[1]
    scale = float(np.exp(theta[p])) if family.free_scale else 1.0
    mu = rows.design @ theta[:p]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        value, m, s, mm, ms, ss = _row_terms(family, rows, mu, scale, np.asarray(shape)) * rows.weights
        gradient = np.concatenate([rows.design.T @ m / scale, [s.sum()]])
        hessian = np.zeros((p + 1, p + 1))
        if curved:
            hessian[:p, :p] = rows.design.T @ (rows.design * (mm / scale**2)[:, None])
            hessian[:p, p] = hessian[p, :p] = rows.design.T @ ms / scale
            hessian[p, p] = ss.sum()
    size = p + int(family.free_scale)
    return Evaluation(float(value.sum()) - rows.jacobian, gradient[:size], hessian[:size, :size])


def evaluate(family: Family, rows: Rows, theta: Floats) -> Evaluation:
    """Evaluate the log-likelihood of sum w {d ln f + (1-d) ln S + i ln[S(l)-S(u)] - ln S(e)} with two derivatives.

    Parameters
    ----------
    family : Family
        The law.
    rows : Rows
        The stays.
    theta : numpy.ndarray
        Coefficients of the location (constant first), then ln scale if free, then the shape Q if free.

    Returns
    -------
    Evaluation
        Exact derivatives; those by Q are central differences of exact ones, error about 1e-8 relative.
    """
    if not family.free_shape:
        return _at_shape(family, rows, theta, 0.0, curved=True)
    rest, q = theta[:-1], float(theta[-1])
    here = _at_shape(family, rows, rest, q, curved=True)
    up = _at_shape(family, rows, rest, q + _SHAPE_STEP, curved=False)
    down = _at_shape(family, rows, rest, q - _SHAPE_STEP, curved=False)
    with np.errstate(invalid="ignore"):
        # Far from any law both sides overflow; the step is then refused as not finite.
        cross = (up.gradient - down.gradient) / (2 * _SHAPE_STEP)
    slope = (up.loglik - down.loglik) / (2 * _SHAPE_STEP)
    # Twice the step for the curvature would not help: rounding in the sum, about 1e-10, is what limits it.
    bend = (up.loglik - 2 * here.loglik + down.loglik) / _SHAPE_STEP**2
    hessian = np.block([[here.hessian, cross[:, None]], [cross[None, :], np.array([[bend]])]])
    return Evaluation(here.loglik, np.append(here.gradient, slope), hessian)


def value_only(family: Family, rows: Rows, theta: Floats) -> float:
    """Return the log-likelihood alone, minus infinity where it cannot be computed."""
    shape = float(theta[-1]) if family.free_shape else 0.0
    rest = theta[:-1] if family.free_shape else theta
    value = _at_shape(family, rows, rest, shape, curved=False).loglik
    return value if np.isfinite(value) else -np.inf
