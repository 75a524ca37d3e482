"""Royston-Parmar splines: ln of the cumulative hazard as a natural cubic spline of ln days, plus a covariate part."""

from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.recovery.laws.likelihood import Evaluation
from msk_reserves.recovery.laws.newton import Optimum, maximise
from msk_reserves.recovery.laws.products import crossed, linear, summed
from msk_reserves.recovery.observations import Observations

SPLINES = {"rp0": 0, "rp1": 1, "rp2": 2, "rp3": 3}
"""Names of the splines with their numbers of inner knots; without one it is the Weibull law."""

RISING_NODES = 200
"""Points between the outer knots at which a spline must rise."""

_BISECTIONS = 30
_MOST_STEPS = 300


def is_spline(family: str) -> bool:
    """Whether a law of this name is a spline."""
    return family in SPLINES


def default_knots(data: Observations, inner: int) -> Floats:
    """Return the knots in days: quantiles of ln days of the exits at even probabilities from 0 to 1.

    Exits known to a window count at its middle. Weights count as so many stays.
    """
    used = data.exited & (data.weights > 0)
    x = np.log(np.where(data.in_window, 0.5 * (data.lower + data.days), data.days)[used])
    order = np.argsort(x, kind="stable")
    x, upto = x[order], np.cumsum(data.weights[used][order])
    place = np.linspace(0.0, 1.0, inner + 2) * max(float(upto[-1]) - 1.0, 0.0)
    below = np.minimum(np.searchsorted(upto, np.floor(place) + 1e-9, side="right"), len(x) - 1)
    above = np.minimum(np.searchsorted(upto, np.floor(place) + 1.0 + 1e-9, side="right"), len(x) - 1)
    return np.asarray(np.exp(x[below] + (place - np.floor(place)) * (x[above] - x[below])))


def basis(log_days: Floats, log_knots: Floats) -> Floats:
    """Return the basis 1, x, v_1, ..., v_k at x = ln days, shape (2 + k, n); linear in x beyond the outer knots.

    v_j = (x - k_j)+^3 - l_j (x - k_min)+^3 - (1 - l_j) (x - k_max)+^3 with l_j = (k_max - k_j) / (k_max - k_min)
    (Royston and Parmar, Statistics in Medicine 21 (2002) 2175, section 2.3).
    """
    x = np.asarray(log_days, dtype=np.float64)
    first, last = log_knots[0], log_knots[-1]
    rows = [np.ones_like(x), x]
    for knot in log_knots[1:-1]:
        share = (last - knot) / (last - first)
        ends = share * _cubed(x - first) + (1.0 - share) * _cubed(x - last)
        # Far right the cubes cancel to a line; written as that line it keeps its digits.
        slope = 3.0 * (last - knot) * (knot - first)
        middle = (first + knot + last) / 3.0
        rows.append(np.where(x > last, slope * (middle - x), _cubed(x - knot) - ends))
    return np.stack(rows)


def basis_slope(log_days: Floats, log_knots: Floats) -> Floats:
    """Return the derivative of `basis` by ln days, shape (2 + k, n)."""
    x = np.asarray(log_days, dtype=np.float64)
    first, last = log_knots[0], log_knots[-1]
    rows = [np.zeros_like(x), np.ones_like(x)]
    for knot in log_knots[1:-1]:
        share = (last - knot) / (last - first)
        inside = 3.0 * (_squared(x - knot) - share * _squared(x - first))
        rows.append(np.where(x > last, -3.0 * (last - knot) * (knot - first), inside))
    return np.stack(rows)


def _cubed(x: Floats) -> Floats:
    """Return the cube of the positive part."""
    positive = np.maximum(x, 0.0)
    return np.asarray(positive * positive * positive)


def _squared(x: Floats) -> Floats:
    """Return the square of the positive part."""
    return np.asarray(np.maximum(x, 0.0) ** 2)


def pivot(log_knots: Floats) -> float:
    """Return the ln days at which a covariate of the slope changes nothing: half way between the outer knots."""
    return float(0.5 * (log_knots[0] + log_knots[-1]))


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Stays with their predictors as columns; d parameters.

    Attributes
    ----------
    level : predictor of ln H at the days, shape (d, n).
    rise : its derivative by ln days at exits known to the day, shape (d, n_exact).
    before, start : predictor at entries and at left ends of windows, shape (d, n_entered) and (d, n_window).
    exact, window, entered : the stays these are of; no_lower : windows that begin at zero.
    weights : shape (n,).
    seen : sum of weight times predictor of ln H over exits known to the day; shape (d,).
    jacobian : sum of weight times ln days over those.
    """

    level: Floats
    rise: Floats
    before: Floats
    start: Floats
    exact: Integers
    window: Integers
    entered: Integers
    no_lower: Booleans
    weights: Floats
    seen: Floats
    jacobian: float


def _prepared(data: Observations, log_knots: Floats, turn: Floats, shape: Floats) -> _Rows:
    """Return predictors on a basis turned by the matrix `turn`; `shape` holds covariates of the slope, (n, q)."""
    window = data.in_window
    exact, inside = np.flatnonzero(data.exited & ~window), np.flatnonzero(window)
    entered = np.flatnonzero(data.entry > 0)
    no_lower = data.lower[inside] <= 0

    def turned(values: Floats) -> Floats:
        return np.stack([linear(row, values) for row in turn])

    def predictors(days: Floats, at: Integers) -> Floats:
        x = np.log(days)
        return np.vstack([turned(basis(x, log_knots)), data.design[at].T, shape[at].T * (x - pivot(log_knots))])

    log_exact = np.log(data.days[exact])
    flat = np.zeros((data.design.shape[1], len(exact)))
    level, weight = predictors(data.days, np.arange(len(data))), np.where(data.exited & ~window, data.weights, 0.0)
    return _Rows(
        level=level,
        rise=np.vstack([turned(basis_slope(log_exact, log_knots)), flat, shape[exact].T]),
        before=predictors(data.entry[entered], entered),
        start=predictors(np.where(no_lower, data.days[inside], data.lower[inside]), inside),
        exact=exact,
        window=inside,
        entered=entered,
        no_lower=no_lower,
        weights=data.weights,
        seen=summed(level, weight),
        jacobian=float(data.weights[exact] @ log_exact),
    )


def _evaluate(rows: _Rows, theta: Floats) -> Evaluation:
    """Return value, gradient and Hessian of sum w {d [ln s' - ln t + ln H] - H + i ln(e^-H(l) - e^-H(u)) + H(e)}."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        log_h = linear(theta, rows.level)
        outside = np.array(rows.weights)
        outside[rows.window] = 0.0
        collected = outside * np.exp(log_h)
        gradient = -summed(rows.level, collected)
        hessian = -crossed(rows.level * collected, rows.level)
        w, slope = rows.weights[rows.exact], linear(theta, rows.rise)
        value = float(w @ (np.log(slope) + log_h[rows.exact]) - collected.sum()) - rows.jacobian
        gradient += summed(rows.rise, w / slope) + rows.seen
        hessian -= crossed(rows.rise * (w / slope**2), rows.rise)
        if len(rows.entered):
            already = rows.weights[rows.entered] * np.exp(linear(theta, rows.before))
            value += float(already.sum())
            gradient += summed(rows.before, already)
            hessian += crossed(rows.before * already, rows.before)
        if len(rows.window):
            more = _windows(rows, theta, np.exp(log_h[rows.window]))
            value, gradient, hessian = value + more[0], gradient + more[1], hessian + more[2]
    return Evaluation(value, gradient, hessian)


def _windows(rows: _Rows, theta: Floats, until: Floats) -> tuple[float, Floats, Floats]:
    """Return sum w ln(e^-H(l) - e^-H(u)) over windows with its derivatives; `until` is H(u)."""
    w = rows.weights[rows.window]
    ends = rows.level[:, rows.window]
    since = np.where(rows.no_lower, 0.0, np.exp(linear(theta, rows.start)))
    gap = np.maximum(until - since, 1e-300)
    inside = -np.expm1(-gap)
    low, up = since / inside, until * np.exp(-gap) / inside
    slope = ends * up - rows.start * low
    hessian = crossed(ends * (w * up * (1.0 - until)), ends)
    hessian -= crossed(rows.start * (w * low * (1.0 - since)), rows.start) + crossed(slope * w, slope)
    return float(w @ (np.log(inside) - since)), summed(slope, w), hessian


def first_curve(data: Observations, knots: Floats, ratios: Floats, weibull: Floats) -> Floats:
    """Return where the climb begins: the spline nearest to ln of Breslow's cumulative hazard at the exits.

    Parameters
    ----------
    data : Observations
        The stays.
    knots : numpy.ndarray, shape (2 + k,)
        Knots in days.
    ratios : numpy.ndarray, shape (n_stays,)
        First hazard ratios.
    weibull : numpy.ndarray, shape (2 + k,)
        A spline that rises, to which one that falls is brought.

    Returns
    -------
    numpy.ndarray, shape (2 + k,)
        Coefficients.
    """
    log_knots = np.log(knots)
    left = data.exited & (data.weights > 0)
    days, place = np.unique(data.days[left], return_inverse=True)
    weight, exits = data.weights * ratios, np.bincount(place, weights=data.weights[left])
    at_risk = _from(days, data.days, weight) - _from(days, data.entry, weight)
    root, values = np.sqrt(exits), basis(np.log(days), log_knots)
    hazard = np.log(np.cumsum(exits / at_risk))
    curve = np.linalg.lstsq((values * root).T, hazard * root, rcond=None)[0]
    return np.asarray(rising(curve[None], weibull, log_knots)[0])


def _from(days: Floats, times: Floats, weights: Floats) -> Floats:
    """Return the weight of the `times` no earlier than each of the days."""
    order = np.argsort(times, kind="stable")
    upto = np.concatenate([[0.0], np.cumsum(weights[order])])
    return np.asarray(upto[-1] - upto[np.searchsorted(times[order], days, side="left")])


def fit_spline(data: Observations, knots: Floats, start: Floats, shape: Floats | None = None) -> Optimum:
    """Maximise the likelihood of a spline on given knots.

    Parameters
    ----------
    data : Observations
        The stays.
    knots : numpy.ndarray, shape (2 + k,)
        Knots in days, rising.
    start : numpy.ndarray
        Where to begin, laid out as the result.
    shape : numpy.ndarray, shape (n_stays, q), optional
        Covariates of the slope: each adds its value times (ln days - pivot) to ln H.

    Returns
    -------
    Optimum
        Coefficients of 1, x, v_1, ..., v_k; log hazard ratios; effects on the slope. Not converged, with the reason,
        where knots coincide or the spline falls somewhere between the outer knots, where it would be no law.
    """
    log_knots = np.log(knots)
    extra = np.zeros((len(data), 0)) if shape is None else shape
    size = len(knots)
    if not (np.diff(log_knots) > 1e-9).all():
        missing = np.full((len(start), len(start)), np.nan)
        return Optimum(start, missing, -np.inf, converged=False, reason="knots coincide: too many exits on one day")
    among = data.exited & (data.weights > 0)
    values = basis(np.log(data.days[among]), log_knots) * np.sqrt(data.weights[among])
    # On a basis without correlation among the exits Newton's matrix is well conditioned whatever the unit of time.
    gram = crossed(values, values) / data.weights[among].sum()
    root = np.linalg.cholesky(gram + 1e-14 * np.diag(np.diag(gram)))
    turn = np.eye(len(start))
    turn[:size, :size] = np.linalg.inv(root)
    rows = _prepared(data, log_knots, turn[:size, :size], extra)
    bounds = np.full(len(start), 1e4)
    begin: Floats = np.asarray(np.linalg.solve(turn.T, start), dtype=np.float64)
    # Where every stay is entered late, H at entry is told by curvature alone, and the way along that ridge is long.
    best = maximise(
        lambda phi: _evaluate(rows, phi), lambda phi: _finite(rows, phi), begin, bounds, iterations=_MOST_STEPS
    )
    theta = turn.T @ best.theta
    reason, converged = best.reason, best.converged
    if converged and not _rises(theta, log_knots, extra):
        reason, converged = "the cumulative hazard falls somewhere between the outer knots", False
    return Optimum(theta, turn.T @ best.covariance @ turn, best.loglik, converged=converged, reason=reason)


def _finite(rows: _Rows, theta: Floats) -> float:
    """Return the log-likelihood, minus infinity where the spline falls at an exit."""
    value = _evaluate(rows, theta).loglik
    return value if np.isfinite(value) else -np.inf


def _rises(theta: Floats, log_knots: Floats, shape: Floats) -> bool:
    """Whether the spline rises throughout, for every stay's covariates of the slope."""
    tilt = float((shape @ theta[len(theta) - shape.shape[1] :]).min()) if shape.shape[1] else 0.0
    return bool((slopes(theta[None, : len(log_knots)], log_knots) + tilt > 0).all())


def slopes(curve: Floats, log_knots: Floats) -> Floats:
    """Return the slopes of splines by ln days at many points between the outer knots, shape (n_curves, n_points)."""
    points = np.union1d(np.linspace(log_knots[0], log_knots[-1], RISING_NODES), log_knots)
    return np.asarray(curve @ basis_slope(points, log_knots))


def rising(curve: Floats, estimate: Floats, log_knots: Floats) -> Floats:
    """Return drawn curves that all rise: one that falls is brought half way to the estimate until it does.

    Curves that rise form a convex set, so this ends. Shapes: (n_draws, 2 + k) and (2 + k,).
    """
    result = np.array(curve)
    for _ in range(60):
        falls = (slopes(result, log_knots) <= 0).any(axis=1)
        if not falls.any():
            break
        result[falls] = 0.5 * (result[falls] + estimate)
    return result


def log_cumulative_hazard(curve: Floats, log_knots: Floats, log_days: Floats) -> Floats:
    """Return ln H of a stay without covariates; curve (n, 2 + k) or (2 + k,), log_days (n,), result (n,)."""
    return np.asarray((np.atleast_2d(curve).T * basis(log_days, log_knots)).sum(axis=0))


def log_slope(curve: Floats, log_knots: Floats, log_days: Floats) -> Floats:
    """Return the derivative of ln H by ln days; shapes as in `log_cumulative_hazard`."""
    return np.asarray((np.atleast_2d(curve).T * basis_slope(log_days, log_knots)).sum(axis=0))


def log_days_at(curve: Floats, log_knots: Floats, log_hazard: Floats) -> Floats:
    """Return the ln days at which ln H reaches `log_hazard`, the inverse of `log_cumulative_hazard`.

    Beyond the outer knots ln H is a line. Between them the interval is found from the values at the knots, then Newton
    steps that leave what is known to hold the answer are replaced by bisection.
    """
    curves = np.broadcast_to(np.atleast_2d(curve), (len(log_hazard), curve.shape[-1]))
    at_knots = curves @ basis(log_knots, log_knots)
    first, last = at_knots[:, 0], at_knots[:, -1]
    below = log_knots[0] + (log_hazard - first) / curves[:, 1]
    end = np.full(len(curves), log_knots[-1])
    above = end + (log_hazard - last) / log_slope(curves, log_knots, end)
    x = np.where(log_hazard <= first, below, above)
    at = np.flatnonzero((log_hazard > first) & (log_hazard < last))
    if not len(at):
        return x
    piece = np.minimum((at_knots[at] <= log_hazard[at, None]).sum(axis=1), len(log_knots) - 1)
    low, high = log_knots[piece - 1], log_knots[piece]
    inner, middle = curves[at], 0.5 * (low + high)
    for _ in range(_BISECTIONS):
        off = log_cumulative_hazard(inner, log_knots, middle) - log_hazard[at]
        low, high = np.where(off < 0, middle, low), np.where(off < 0, high, middle)
        step = middle - off / log_slope(inner, log_knots, middle)
        # The ends count as inside: at the answer itself rounding puts the step on one of them.
        middle = np.where((step >= low) & (step <= high), step, 0.5 * (low + high))
        if np.max(np.abs(off)) < 1e-13:
            break
    x[at] = middle
    return np.asarray(x)
