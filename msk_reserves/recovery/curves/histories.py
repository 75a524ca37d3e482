"""Histories of claims through states: rows checked, cut to a span of days, and counted at the days of the moves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers, frozen

NO_MOVE = -1
"""Code of the target of a row that ends without a move."""


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """Rows (start, stop] of claims in states, in the order claim, then time; columns have shape (n_rows,).

    Attributes
    ----------
    states : names, by code.
    claim : place of the claim among the claims.
    start, stop : days between which the row was under observation.
    origin : code of the state held.
    target : code of the state moved to at `stop`, or `NO_MOVE`.
    weights : weight of the row.
    """

    states: tuple[str, ...]
    claim: Integers
    start: Floats
    stop: Floats
    origin: Integers
    target: Integers
    weights: Floats

    def __len__(self) -> int:
        return len(self.claim)

    def rows(self, chosen: Booleans) -> "Histories":
        """Return some of the rows."""
        columns = ("claim", "start", "stop", "origin", "target", "weights")
        return replace(self, **{name: getattr(self, name)[chosen] for name in columns})

    def between(self, first: float, last: float) -> "Histories":
        """Return what was seen after day `first` up to day `last`; a move later than `last` is none."""
        kept = self.rows((self.stop > first) & (self.start < last))
        later = kept.stop > last
        return replace(
            kept,
            start=np.maximum(kept.start, first),
            stop=np.minimum(kept.stop, last),
            target=np.where(later, NO_MOVE, kept.target),
        )


def histories(
    claim: npt.ArrayLike,
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    from_state: npt.ArrayLike,
    to_state: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
    states: Sequence[str] | None = None,
) -> Histories:
    """Check rows of claims in states and put them in order.

    Parameters
    ----------
    claim : array_like, shape (n_rows,)
        Claim of each row, any label.
    start, stop : array_like, shape (n_rows,)
        Days between which the claim was seen in `from_state`: at risk in (start, stop].
    from_state, to_state : array_like, shape (n_rows,)
        State held, and state moved to at `stop`; None, NaN or "" where no move was seen.
    weights : array_like, optional
        Weights, one where absent.
    states : sequence of str, optional
        All states in the order wanted; by default those that occur, in alphabetical order.

    Returns
    -------
    Histories

    Raises
    ------
    ValueError
        If columns differ in length, a row does not end after it starts, or a claim's rows overlap or contradict.

    Examples
    --------
    >>> rows = histories(["a", "a"], [0, 4], [4, 9], ["off", "back"], ["back", None])
    >>> rows.states, rows.target.tolist()
    (('back', 'off'), [0, -1])
    """
    begin, end = frozen(start, "start"), frozen(stop, "stop")
    weight = np.ones(len(end)) if weights is None else frozen(weights, "weights")
    labels = np.asarray(claim, dtype=object) if not isinstance(claim, np.ndarray) else claim
    held, moved = _names(from_state, "from_state"), _names(to_state, "to_state")
    columns = {"claim": labels, "start": begin, "from_state": held, "to_state": moved, "weights": weight}
    for name, column in columns.items():
        if np.shape(column) != (len(end),):
            raise ValueError(f"`{name}` must have one entry a row: `stop` has {len(end)}, got {np.shape(column)}")
    if not len(end):
        raise ValueError("`stop` must have at least one row, got none")
    names, origin, target = _coded(held, moved, states)
    codes, who = pd.factorize(labels)
    for broken, what in (
        (begin < 0, "`start` must not be negative"),
        (end <= begin, "`stop` must lie after `start`"),
        (weight < 0, "`weights` must not be negative"),
        (codes < 0, "`claim` must be known"),
    ):
        if broken.any():
            row = int(np.argmax(broken))
            raise ValueError(f"{what}; row {row} is {begin[row]:g} to {end[row]:g}, weight {weight[row]:g}")
    order = np.lexsort((begin, codes))
    rows = Histories(
        names, codes[order], begin[order], end[order], origin[order], target[order], np.asarray(weight[order])
    )
    _refuse_contradictions(rows, who)
    # A row that ends in the state it was in is no move.
    return replace(rows, target=np.where(rows.target == rows.origin, NO_MOVE, rows.target))


def _names(column: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """Return state names as objects, None where there is none."""
    values = np.array(column, dtype=object)
    if values.ndim != 1:
        raise ValueError(f"`{name}` must have 1 dimension, got shape {values.shape}")
    missing = pd.isna(values) | (values == "")
    if name == "from_state" and missing.any():
        raise ValueError(f"`from_state` must name a state; row {int(np.argmax(missing))} is {values[missing][0]!r}")
    values[missing] = None
    return values


def _coded(
    held: npt.NDArray[Any], moved: npt.NDArray[Any], states: Sequence[str] | None
) -> tuple[tuple[str, ...], Integers, Integers]:
    """Return the states and the codes of both columns, `NO_MOVE` where there is none."""
    codes, found = pd.factorize(np.concatenate([held, moved]))
    seen = [str(name) for name in found]
    names = tuple(sorted(seen)) if states is None else tuple(states)
    unknown = [name for name in seen if name not in names]
    if unknown:
        raise ValueError(f"`states` must hold every state of the rows; {', '.join(unknown)} is not in it")
    place = np.array([names.index(name) for name in seen] + [NO_MOVE], dtype=np.int64)
    both = place[codes]
    return names, both[: len(held)], both[len(held) :]


def _refuse_contradictions(rows: Histories, who: npt.NDArray[Any]) -> None:
    """Refuse rows of one claim that overlap, or that follow at once in a state that was not moved to."""
    same = rows.claim[1:] == rows.claim[:-1]
    overlap = same & (rows.start[1:] < rows.stop[:-1])
    expected = np.where(rows.target[:-1] == NO_MOVE, rows.origin[:-1], rows.target[:-1])
    jump = same & (rows.start[1:] == rows.stop[:-1]) & (rows.origin[1:] != expected)
    for broken, what in ((overlap, "be in one state at a time"), (jump, "go on in the state it moved to")):
        if broken.any():
            row = int(np.argmax(broken))
            now, then = rows.states[rows.origin[row]], rows.states[rows.origin[row + 1]]
            raise ValueError(
                f"`claim` {who[rows.claim[row]]!r} must {what}: it is {now} to day {rows.stop[row]:g} and {then} from "
                f"day {rows.start[row + 1]:g} ({int(broken.sum())} such pairs of rows in all)"
            )


@dataclass(frozen=True, slots=True, eq=False)
class MoveCounts:
    """Counts at the days of the moves.

    Attributes
    ----------
    times : days on which somebody moved; shape (n_times,).
    at_risk : weight in each state just before; shape (n_times, n_states).
    moves : weight of the moves, from and to; shape (n_times, n_states, n_states).
    first, past : places in `times` of the first at which each row is at risk and of the one after its last; (n_rows,).
    """

    times: Floats
    at_risk: Floats
    moves: Floats
    first: Integers
    past: Integers


def count_moves(rows: Histories) -> MoveCounts:
    """Count who is at risk and who moves at every day with a move."""
    moved = (rows.target != NO_MOVE) & (rows.weights > 0)
    times = np.unique(rows.stop[moved])
    first = np.searchsorted(times, rows.start, side="right")
    past = np.searchsorted(times, rows.stop, side="right")
    at_risk, moves = weighed(rows, (first, past), len(times), rows.weights)
    return MoveCounts(times, at_risk, moves, first, past)


def weighed(rows: Histories, span: tuple[Integers, Integers], n_times: int, weights: Floats) -> tuple[Floats, Floats]:
    """Return the sums of `weights` over those at risk and over those who move, by time."""
    first, past = span
    m = len(rows.states)
    cells = (n_times + 1) * m
    ahead = np.bincount(past * m + rows.origin, weights, cells) - np.bincount(first * m + rows.origin, weights, cells)
    # Summed from the last day backwards, so that the small risk sets of late days are exact.
    at_risk = np.cumsum(ahead.reshape(-1, m)[::-1], axis=0)[::-1][1:]
    moved = rows.target != NO_MOVE
    cell = ((past[moved] - 1) * m + rows.origin[moved]) * m + rows.target[moved]
    moves = np.asarray(np.bincount(cell, weights[moved], n_times * m * m).reshape(n_times, m, m), dtype=np.float64)
    return np.maximum(at_risk, moves.sum(axis=2)), moves
