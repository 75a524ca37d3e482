"""Infinitesimal-jackknife error of the Aalen-Johansen estimate: how each stay pulls on it, squared and summed."""

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.recovery.curves.counting import Counts, PlacedStays


def incidence_error(stays: PlacedStays, counts: Counts) -> Floats:
    """Return the root of the sum over stays of (weight x influence)^2, by cause and time.

    Parameters
    ----------
    stays : PlacedStays
        The stays on their grid.
    counts : Counts
        Their counts on the exit times.

    Returns
    -------
    numpy.ndarray
        Standard errors, shape (n_causes, n_times).

    Notes
    -----
    The influence of a stay on F_k(t) follows by differentiating sum S(s-) d_k/Y in its weight: an exit by cause k adds
    S(s-)/Y, each time at risk takes S(s-) d_k/Y^2, and both change S thereafter (Efron, JASA 76 (1981) 312). Before
    its exit a stay's influence at t is g(t) - a(e) F_k(t) + delta(e), where e is its entry; after its exit it is
    alpha + beta F_k(t). The sums of squares are therefore sums of six and of three moments, cumulated over time: the
    work is of the order of stays plus times, whatever their product.
    """
    y, left = counts.at_risk, counts.exits.sum(axis=0)
    before = np.concatenate([[1.0], np.cumprod(1.0 - left / y)[:-1]])
    remain = y - left
    inverse = np.where(remain > 1e-12 * y, 1.0 / np.where(remain > 0, remain, 1.0), 0.0)
    a = np.concatenate([[0.0], np.cumsum(left / y * inverse)])
    reached = np.zeros(len(stays.grid) + 1, dtype=np.int64)
    reached[counts.places + 1] = 1
    passed = np.cumsum(reached)[1:]
    end = passed[stays.end]
    enter = np.zeros_like(end) if stays.enter is None else passed[stays.enter]
    if counts.places[0] == 0 and stays.enter is not None:
        # Who is seen from day 0 is at risk of an exit on that day.
        enter = np.where(stays.enter == 0, 0, enter)
    weights = np.ones(len(end)) if stays.weights is None else stays.weights
    gone = (stays.cause > 0) & (weights > 0)
    shift = np.where(gone, inverse[end - 1], 0.0) - (a[end] - a[enter])
    result = np.empty_like(counts.exits)
    for row, cause in enumerate(counts.causes):
        step = before * counts.exits[row] / y
        own = np.where(gone & (stays.cause == cause), before[end - 1] / y[end - 1], 0.0)
        path = _path(step, y, a)
        result[row] = _root_sum(path, (enter, end), (weights**2, own, shift))
    return result


def _path(step: Floats, y: Floats, a: Floats) -> tuple[Floats, Floats, Floats]:
    """Return F_k and g after each number of times, counted from their last value, and `a`.

    Only differences of them matter; from the end they are small where the survivors, and what is asked of them, are.
    """
    f = np.concatenate([[0.0], np.cumsum(step)])
    g = np.concatenate([[0.0], np.cumsum(a[:-1] * step - step / y)])
    return f - f[-1], g - g[-1], a


def _root_sum(
    path: tuple[Floats, Floats, Floats], span: tuple[Integers, Integers], pull: tuple[Floats, Floats, Floats]
) -> Floats:
    """Return the root sum of squared influences after each time."""
    f, g, a = path
    enter, end = span
    square, own, shift = pull
    n = len(f)
    delta = a * f - g
    entered = np.bincount(enter, square, n)
    at_exit = [np.bincount(end, square * factor[enter], n) for factor in (np.ones(n), a, delta)]
    at_exit += [np.bincount(end, square * factor[enter], n) for factor in (a * a, a * delta, delta * delta)]
    factors = (np.ones(n), a, delta, a * a, a * delta, delta * delta)
    one, s_a, s_d, s_aa, s_ad, s_dd = (
        np.cumsum(entered * factor - gone) for factor, gone in zip(factors, at_exit, strict=True)
    )
    total = one * g * g + s_aa * f * f + s_dd - 2 * g * f * s_a + 2 * g * s_d - 2 * f * s_ad
    alpha = g[end] - g[enter] - a[enter] * (f[end] - f[enter]) + shift * f[end] + own
    fixed, mixed, moving = (
        np.cumsum(np.bincount(end, square * value, n)) for value in (alpha * alpha, alpha * shift, shift * shift)
    )
    total += fixed - 2 * f * mixed + f * f * moving
    # Before the first exit by the cause there is nothing to pull on, whatever rounding leaves.
    return np.where(f[1:] > f[0], np.sqrt(np.maximum(total[1:], 0.0)), 0.0)
