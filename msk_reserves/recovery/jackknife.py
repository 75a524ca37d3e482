"""Infinitesimal-jackknife error of the Aalen-Johansen estimate: how each stay pulls on it, squared and summed."""

from typing import Protocol

import numpy as np

from msk_reserves._checks import Floats, Integers

_BLOCK = 2_000_000


class _Stays(Protocol):
    """Days, cause, entry and weight of each stay."""

    @property
    def days(self) -> Floats: ...
    @property
    def cause(self) -> Integers: ...
    @property
    def entry(self) -> Floats: ...
    @property
    def weights(self) -> Floats: ...


def incidence_error(times: Floats, at_risk: Floats, exits: Floats, who: tuple[_Stays, tuple[int, ...]]) -> Floats:
    """Return the root of the sum over stays of (weight x influence)^2, by cause and time.

    Parameters
    ----------
    times, at_risk : numpy.ndarray, shape (n_times,)
        Exit times and numbers at risk.
    exits : numpy.ndarray, shape (n_causes, n_times)
        Exits by cause.
    who : tuple
        The stays, and the codes of the causes in the order of `exits`.

    Returns
    -------
    numpy.ndarray
        Standard errors, shape (n_causes, n_times).

    Notes
    -----
    The influence of a stay on F_k(t) follows by differentiating sum S(s-) d_k/Y in its weight: an exit by cause k adds
    S(s-)/Y, each time at risk takes S(s-) d_k/Y^2, and both change S thereafter (Efron, JASA 76 (1981) 312).
    """
    stays, causes = who
    left = exits.sum(axis=0)
    survival = np.cumprod(1.0 - left / at_risk)
    before = np.concatenate([[1.0], survival[:-1]])
    remain = at_risk - left
    inverse = np.where(remain > 1e-12 * at_risk, 1.0 / np.where(remain > 0, remain, 1.0), 0.0)
    a = np.concatenate([[0.0], np.cumsum(left / at_risk * inverse)])
    enter = np.searchsorted(times, stays.entry, side="right")
    end = np.searchsorted(times, stays.days, side="right")
    gone = stays.cause > 0
    shift = np.where(gone, inverse[end - 1], 0.0) - (a[end] - a[enter])
    result = np.zeros_like(exits)
    for row, cause in enumerate(causes):
        step = before * exits[row] / at_risk
        f = np.concatenate([[0.0], np.cumsum(step)])
        b = np.concatenate([[0.0], np.cumsum(step / at_risk)])
        c = np.concatenate([[0.0], np.cumsum(a[:-1] * step)])
        own = np.where(stays.cause == cause, before[end - 1] / at_risk[end - 1], 0.0)
        pull = (enter, end, own, shift, stays.weights)
        result[row] = _summed(f, b, (a, c), pull)
    return result


def _summed(
    f: Floats,
    b: Floats,
    cumulated: tuple[Floats, Floats],
    pull: tuple[Integers, Integers, Floats, Floats, Floats],
) -> Floats:
    """Return the root sum of squared influences at every time, in blocks of stays; index 0 is before the first time."""
    a, c = cumulated
    enter, end, own, shift, weights = pull
    total = np.zeros(len(f) - 1)
    width = max(1, _BLOCK // len(total))
    at = np.arange(1, len(f))
    for first in range(0, len(enter), width):
        block = slice(first, first + width)
        e, x = enter[block, None], end[block, None]
        m = np.clip(at[None, :], e, x)
        over = at[None, :] >= x
        moved = (c[m] - c[e]) - a[e] * (f[m] - f[e]) - shift[block, None] * (f[np.maximum(at[None, :], x)] - f[x])
        influence = moved + np.where(over, own[block, None], 0.0) - (b[m] - b[e])
        total += ((weights[block, None] * influence) ** 2).sum(axis=0)
    return np.asarray(np.sqrt(total))
