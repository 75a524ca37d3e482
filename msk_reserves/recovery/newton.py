"""Newton's method for likelihoods of a few parameters: ridge where not concave, halving where a step does not climb."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.recovery.likelihood import Evaluation

DECREMENT_TOLERANCE = 1e-6
"""Half of g' V g at the end is the log-likelihood still to gain; this much is a thousandth of a standard error."""

EIGENVALUE_FLOOR = 1e-9
"""Smallest eigenvalue of the information, scaled to unit diagonal, that still counts as identified."""


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Where Newton stopped: parameters, covariance, value, whether it is a maximum and why (not)."""

    theta: Floats
    covariance: Floats
    loglik: float
    converged: bool
    reason: str


def maximise(
    evaluate: Callable[[Floats], Evaluation],
    value: Callable[[Floats], float],
    start: Floats,
    bounds: Floats,
    *,
    iterations: int = 60,
) -> Optimum:
    """Climb from `start`; `bounds` is the largest size each parameter may take, shape (n_parameters,)."""
    theta = start
    here = evaluate(theta)
    for _ in range(iterations):
        if not _usable(here):
            break
        step = _step(here)
        if 0.5 * float(here.gradient @ step) < 0.01 * DECREMENT_TOLERANCE and _information(here) is not None:
            break
        theta, moved = _line_search(value, theta, step, here.loglik)
        if not moved:
            break
        here = evaluate(theta)
        if (np.abs(theta) > bounds).any():
            break
    return _verdict(theta, here, bounds)


def _usable(here: Evaluation) -> bool:
    """Whether value, gradient and Hessian are all finite."""
    return bool(np.isfinite(here.loglik) and np.isfinite(here.gradient).all() and np.isfinite(here.hessian).all())


def _step(here: Evaluation) -> Floats:
    """Return the Newton step, every direction of wrong curvature turned uphill and of none damped."""
    spread = np.sqrt(np.maximum(np.abs(np.diag(here.hessian)), 1e-12))
    values, vectors = np.linalg.eigh(-here.hessian / np.outer(spread, spread))
    damped = np.maximum(np.abs(values), 1e-8)
    step = vectors @ ((vectors.T @ (here.gradient / spread)) / damped) / spread
    return np.asarray(step)


def _line_search(value: Callable[[Floats], float], theta: Floats, step: Floats, loglik: float) -> tuple[Floats, bool]:
    """Return the first point along the step, halving, that does not lose; and whether there was one."""
    length = min(1.0, 5.0 / max(float(np.max(np.abs(step))), 1e-300))
    for _ in range(30):
        trial = theta + length * step
        if value(trial) >= loglik - 1e-10 * abs(loglik):
            return trial, True
        length *= 0.5
    return theta, False


def _information(here: Evaluation) -> Floats | None:
    """Return the covariance if the information is safely positive definite, else None."""
    diagonal = -np.diag(here.hessian)
    if not _usable(here) or (diagonal <= 0).any():
        return None
    spread = np.sqrt(diagonal)
    scaled = -here.hessian / np.outer(spread, spread)
    if float(np.linalg.eigvalsh(scaled)[0]) < EIGENVALUE_FLOOR:
        return None
    inverse = np.linalg.inv(scaled) / np.outer(spread, spread)
    return np.asarray(0.5 * (inverse + inverse.T))


def _verdict(theta: Floats, here: Evaluation, bounds: Floats) -> Optimum:
    """Judge the last point: inside its bounds, curved down in every direction, and nothing left to climb."""
    covariance = _information(here)
    nothing = np.full((len(theta), len(theta)), np.nan)
    if not _usable(here):
        return Optimum(theta, nothing, float("-inf"), converged=False, reason="the likelihood could not be computed")
    if (np.abs(theta) > bounds).any():
        worst = int(np.argmax(np.abs(theta) / bounds))
        reason = f"parameter {worst} ran off to {theta[worst]:.3g}"
        return Optimum(theta, nothing, here.loglik, converged=False, reason=reason)
    if covariance is None:
        reason = "the information is not positive definite"
        return Optimum(theta, nothing, here.loglik, converged=False, reason=reason)
    left = 0.5 * float(here.gradient @ covariance @ here.gradient)
    converged = left < DECREMENT_TOLERANCE
    reason = f"log-likelihood still to gain {left:.1g}, information positive definite"
    return Optimum(theta, covariance, here.loglik, converged=converged, reason=reason)
