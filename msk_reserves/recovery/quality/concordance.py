"""Concordance of predicted risk with the order in which stays end."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats, Integers, frozen, one_of, positive
from msk_reserves.recovery.quality.censoring import LEAST_WATCHED, watched
from msk_reserves.recovery.quality.scores import LIMIT


@dataclass(frozen=True, slots=True, eq=False)
class Concordance:
    """How often the higher predicted risk leaves first.

    Attributes
    ----------
    estimate : share of comparable pairs in which it does, equal risks counted half.
    standard_error : infinitesimal-jackknife error, weights for the ends of observation taken as known.
    pairs : weighted number of comparable pairs.
    method : "harrell" or "uno".
    truncation : last day whose exits count; infinite for all.
    """

    estimate: float
    standard_error: float
    pairs: float
    method: str
    truncation: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % confidence limits."""
        width = LIMIT * self.standard_error
        return max(self.estimate - width, 0.0), min(self.estimate + width, 1.0)

    def __repr__(self) -> str:
        until = "" if np.isinf(self.truncation) else f" to day {self.truncation:g}"
        return f"concordance {self.estimate:.4f} (error {self.standard_error:.4f}, {self.method.title()}{until})"


def concordance(
    risk: npt.ArrayLike,
    days: npt.ArrayLike,
    exited: npt.ArrayLike,
    *,
    cause: int = 1,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    method: str = "harrell",
    truncation: float | None = None,
) -> Concordance:
    """Measure how well a risk orders the exits.

    Parameters
    ----------
    risk : array_like, shape (n_stays,)
        Higher where the exit is expected sooner.
    days, exited : array_like, shape (n_stays,)
        Days when each stay ended or observation did; 0 for a stay still running, else the code of its exit.
    cause : int
        Code of the exit predicted.
    entry : array_like, optional
        Left truncation, days: a stay is compared with the exits of (entry, days]. Harrell's only.
    weights : array_like, optional
        Weights; whole weights count as repeated stays.
    method : {"harrell", "uno"}
        Harrell's counts each exit against all still at risk, other exits being ends of observation; what it estimates
        depends on how long stays are watched. Uno's weighs by the chance of being watched so that it does not, and a
        stay that ended otherwise counts as one that never ends by `cause`.
    truncation : float, optional
        Last day whose exits count. Uno's needs that more than 5 % are still watched then.

    Returns
    -------
    Concordance

    Raises
    ------
    ValueError
        If stays are malformed, no pair can be compared, Uno's is asked for with delayed entry, or its weights are too
        large.

    Notes
    -----
    A pair is comparable if one leaves while the other is at risk; at a tie of days the one still running stayed longer,
    and two exits on one day are not compared. Sources: Harrell and others, Statistics in Medicine 15 (1996) 361; Uno
    and others, Statistics in Medicine 30 (2011) 1105; competing exits: Wolbers and others, Biostatistics 15 (2014) 526.
    Counted in n log n.

    Examples
    --------
    >>> concordance([3.0, 1.0, 2.0], [1, 2, 3], [1, 1, 0]).estimate
    0.6666666666666666
    """
    one_of(method, ("harrell", "uno"), "method")
    last = float("inf") if truncation is None else positive(truncation, "truncation")
    begin = np.zeros(len(np.asarray(days))) if entry is None else frozen(entry, "entry")
    stays = watched(days, exited, weights=weights)
    score = frozen(risk, "risk")
    if not len(score) == len(begin) == len(stays):
        raise ValueError(f"`risk` and `entry` must have one entry a stay, got {len(score)} and {len(begin)}")
    if (begin >= stays.days).any():
        row = int(np.argmax(begin >= stays.days))
        raise ValueError(f"`days` must lie after `entry`; entry {row} is {stays.days[row]:g}")
    if method == "uno" and (begin > 0).any():
        raise ValueError("`entry` must be absent with Uno's concordance: its weights take every stay to be seen from 0")
    mine = (stays.exit == cause) & (stays.days <= last) & (stays.weights > 0)
    inverse = np.ones(len(stays))
    if method == "uno":
        share = stays.still_watched(stays.days)
        if mine.any() and float(share[mine].min()) <= LEAST_WATCHED:
            raise ValueError(f"`truncation` must leave more than {LEAST_WATCHED:.0%} watched; choose an earlier day")
        inverse = 1.0 / np.maximum(share, LEAST_WATCHED)
    never = (stays.exit > 0) & (stays.exit != cause) & (method == "uno")
    _, rank = np.unique(score, return_inverse=True)
    both = _compared(_Pairs(stays.days, begin, stays.weights, rank.astype(np.int64), mine, never, inverse))
    right, pairs = both
    total = float(stays.weights @ pairs) / 2
    if total <= 0:
        raise ValueError("`exited` must hold an exit while others were at risk; no pair can be compared")
    estimate = float(stays.weights @ right) / 2 / total
    error = float(np.sqrt(stays.weights @ (right - estimate * pairs) ** 2)) / total
    return Concordance(estimate, error, total, method, last)


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Stays as pairs are counted: exits that count (`mine`), stays that never end by the cause, inverse weights."""

    days: Floats
    entry: Floats
    weights: Floats
    rank: Integers
    mine: npt.NDArray[np.bool_]
    never: npt.NDArray[np.bool_]
    inverse: Floats


def _compared(who: _Pairs) -> tuple[Floats, Floats]:
    """Return for each stay the weight of its concordant pairs and of all its pairs, in both parts it can play."""
    right, pairs = np.zeros(len(who.days)), np.zeros(len(who.days))
    # An exit on a day comes before an end of observation on that day.
    ended = who.mine | who.never
    times, place = np.unique(who.days, return_inverse=True)
    key = 2 * place + ~ended
    first = 2 * np.searchsorted(times, who.entry, side="right")
    exits = np.flatnonzero(who.mine)
    exits = exits[np.argsort(who.days[exits], kind="stable")]
    # As one who stays longer: against the exits after entry and before the own end.
    low, high = (np.searchsorted(key[exits], edge, side="left") for edge in (first, key))
    squared = (who.weights * who.inverse**2)[exits]
    _add(right, pairs, slice(None), _sums(who.rank[exits], squared, (low, high), who.rank), higher=True, factor=1.0)
    # As one who leaves: against all who end later, less those who enter later.
    for edge, sign in ((key, 1.0), (first, -1.0)):
        order = np.argsort(edge, kind="stable")
        begin = np.searchsorted(edge[order], key[exits], side="right")
        ends = np.full(len(exits), len(order))
        found = _sums(who.rank[order], who.weights[order], (begin, ends), who.rank[exits])
        _add(right, pairs, exits, found, higher=False, factor=sign * who.inverse[exits] ** 2)
    _never(right, pairs, who, exits)
    return right, pairs


def _never(right: Floats, pairs: Floats, who: _Pairs, exits: Integers) -> None:
    """Add pairs of an exit with a stay that had ended otherwise by then."""
    gone = np.flatnonzero(who.never)
    if not len(gone):
        return
    gone = gone[np.argsort(who.days[gone], kind="stable")]
    once = who.weights * who.inverse
    low = np.searchsorted(who.days[exits], who.days[gone], side="left")
    ends = np.full(len(gone), len(exits))
    found = _sums(who.rank[exits], once[exits], (low, ends), who.rank[gone])
    _add(right, pairs, gone, found, higher=True, factor=who.inverse[gone])
    until = np.searchsorted(who.days[gone], who.days[exits], side="right")
    found = _sums(who.rank[gone], once[gone], (np.zeros_like(until), until), who.rank[exits])
    _add(right, pairs, exits, found, higher=False, factor=who.inverse[exits])


def _add(
    right: Floats,
    pairs: Floats,
    rows: slice | Integers,
    found: tuple[Floats, Floats, Floats],
    *,
    higher: bool,
    factor: Floats | float,
) -> None:
    """Add counted pairs: concordant where the other's risk is higher (or lower), half where equal."""
    below, equal, total = found
    concordant = total - below - equal if higher else below
    right[rows] += factor * (concordant + 0.5 * equal)
    pairs[rows] += factor * total


def _sums(
    rank: Integers, weights: Floats, span: tuple[Integers, Integers], asked: Integers
) -> tuple[Floats, Floats, Floats]:
    """Return the weight below, at and in all of each asked rank, among entries low to high of a sequence.

    A wavelet matrix: one pass a bit of the ranks, each a stable partition by that bit, all questions at once.
    """
    low, high = (np.asarray(edge, dtype=np.int64) for edge in span)
    summed = np.concatenate([[0.0], np.cumsum(weights)])
    total = summed[high] - summed[low]
    bits = int(max(rank.max(initial=0), asked.max(initial=0))).bit_length()
    values, weight = rank, weights
    below = np.zeros(len(asked))
    for bit in range(bits - 1, -1, -1):
        one = (values >> bit) & 1
        zeros = np.concatenate([[0], np.cumsum(1 - one)])
        mass = np.concatenate([[0.0], np.cumsum(weight * (1 - one))])
        up = ((asked >> bit) & 1).astype(bool)
        below += np.where(up, mass[high] - mass[low], 0.0)
        low, high = (np.where(up, zeros[-1] + edge - zeros[edge], zeros[edge]) for edge in (low, high))
        order = np.argsort(one, kind="stable")
        values, weight = values[order], weight[order]
    last = np.concatenate([[0.0], np.cumsum(weight)])
    return below, last[high] - last[low], total
