"""Newton's method for likelihoods of a few parameters: ridge where not concave, halving where a step does not climb."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.recovery.laws.likelihood import Evaluation

DECREMENT_TOLERANCE = 1e-6
"""Half of g' V g at the end is the log-likelihood still to gain; this much is a thousandth of a standard error."""

LEAST_CURVATURE = 1e-8
"""Smallest size of an eigenvalue of the information, scaled alike, that a step is divided by."""

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
    last: float = 0.0,
) -> Optimum:
    """Climb from `start`; `bounds` is the largest size each parameter may take, shape (n_parameters,).

    A step that promises no more than `last` of the log-likelihood ends the climb, without a look at where it leads:
    what it leaves to gain is of the order of the square of what it gained.
    """
    theta = start
    here = evaluate(theta)
    for _ in range(iterations):
        if not _usable(here):
            break
        step = _step(here)
        gain = 0.5 * float(here.gradient @ step)
        if gain < last:
            there = Evaluation(here.loglik + gain, np.zeros(len(theta)), here.hessian)
            ended = _verdict(theta + step, there, bounds)
            if ended.converged:
                return replace(ended, reason=f"last gain {gain:.1g}")
        if gain < 0.01 * DECREMENT_TOLERANCE and _information(here) is not None:
            break
        length = min(1.0, 5.0 / max(float(np.max(np.abs(step))), 1e-300))
        there = evaluate(theta + length * step)
        if not there.loglik >= here.loglik - _rounding(here):
            length = _shortened(value, theta, step, (0.5 * length, here))
            if length == 0.0:
                break
            there = evaluate(theta + length * step)
        theta, here = theta + length * step, there
        if (np.abs(theta) > bounds).any():
            break
    return _verdict(theta, here, bounds)


def _usable(here: Evaluation) -> bool:
    """Whether value, gradient and Hessian are all finite."""
    return bool(np.isfinite(here.loglik) and np.isfinite(here.gradient).all() and np.isfinite(here.hessian).all())


def _step(here: Evaluation) -> Floats:
    """Return the Newton step, every direction of wrong curvature turned uphill and of none damped."""
    spread = np.sqrt(np.maximum(np.abs(np.diag(here.hessian)), 1e-12))
    scaled, uphill = -here.hessian / np.outer(spread, spread), here.gradient / spread
    inverse = _inverse(scaled)
    if inverse is not None:
        return np.asarray(inverse @ uphill / spread)
    values, vectors = np.linalg.eigh(scaled)
    damped = np.maximum(np.abs(values), LEAST_CURVATURE)
    return np.asarray(vectors @ ((vectors.T @ uphill) / damped) / spread)


def _inverse(scaled: Floats) -> Floats | None:
    """Return the inverse of a matrix whose eigenvalues are all above `LEAST_CURVATURE`, without looking for them."""
    try:
        np.linalg.cholesky(scaled)
        # What rounding lets the first take as positive definite may still be singular to the second.
        inverse = np.asarray(np.linalg.inv(scaled), dtype=np.float64)
    except np.linalg.LinAlgError:
        return None
    # The largest eigenvalue of the inverse is at most its norm.
    return inverse if float(np.linalg.norm(inverse)) * LEAST_CURVATURE < 1.0 else None


def _rounding(here: Evaluation) -> float:
    """Return what a log-likelihood of this size may lose to rounding alone."""
    return 1e-10 * abs(here.loglik)


def _shortened(value: Callable[[Floats], float], theta: Floats, step: Floats, given: tuple[float, Evaluation]) -> float:
    """Return the first length, halving, at which the step does not lose; 0 where there is none."""
    length, here = given
    for _ in range(30):
        if value(theta + length * step) >= here.loglik - _rounding(here):
            return length
        length *= 0.5
    return 0.0


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
    """Judge the last point: inside its bounds and told more closely than these, curved down, nothing left to climb."""
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
    wide = np.sqrt(np.diag(covariance)) / bounds
    if wide.max() > 1.0:
        # Along such a ridge the climb stops where rounding lets it, and draws would be of anything.
        worst = int(np.argmax(wide))
        reason = f"parameter {worst} could be anything: standard error {wide[worst] * bounds[worst]:.3g}"
        return Optimum(theta, nothing, here.loglik, converged=False, reason=reason)
    left = 0.5 * float(here.gradient @ covariance @ here.gradient)
    converged = left < DECREMENT_TOLERANCE
    reason = f"log-likelihood still to gain {left:.1g}, information positive definite"
    return Optimum(theta, covariance, here.loglik, converged=converged, reason=reason)
