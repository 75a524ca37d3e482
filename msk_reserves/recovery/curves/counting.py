"""Counting for curves without a law: who is at risk and who leaves, on a grid of days, in few passes over the stays."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers, frozen, not_negative, one_of

AUTOMATIC_START_AT_RISK = 10.0
"""With `start="auto"` curves begin where the risk set first holds ten."""

Places = npt.NDArray[np.signedinteger[Any]]
"""Places on a grid of times, 32 bits where they are whole days: half the memory to pass over."""

_BLOCK = 65_536
_LARGEST_COUNTED_DAY = 1_000_000
_LARGEST_COUNTED_CODE = 63
_NOBODY = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class PlacedStays:
    """Checked stays, placed on a grid of times; columns have shape (n_stays,).

    Attributes
    ----------
    grid : times, rising from 0: every day where days and entries are whole, else the times that occur; shape (n_grid,).
    end : place on the grid where the stay ended or observation did.
    enter : place on the grid of its entry, None where every stay is seen from 0.
    cause : 0 for a stay still running, else the code of its exit.
    weights : weights, None where all are one.
    """

    grid: Floats
    end: Places
    enter: Places | None
    cause: Places
    weights: Floats | None

    def __len__(self) -> int:
        return len(self.end)

    def rows(self, chosen: Booleans | Integers) -> "PlacedStays":
        """Return some of the stays on the same grid."""
        return replace(
            self,
            end=self.end[chosen],
            enter=None if self.enter is None else self.enter[chosen],
            cause=self.cause[chosen],
            weights=None if self.weights is None else self.weights[chosen],
        )


def refuse_fractions(weights: Floats | None, instead: str) -> None:
    """Refuse weights that are not whole where errors take them for counts of stays, and say what to do instead."""
    if weights is not None and (weights % 1 != 0).any():
        raise ValueError(f"`weights` that are not whole are no counts of stays: {instead}")


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Weighted counts on the exit times: those at risk just before, and the exits by cause.

    Attributes
    ----------
    places : places of the exit times on the grid of the stays; shape (n_times,).
    times, at_risk : shape (n_times,).
    exits : shape (n_causes, n_times).
    causes : codes of the causes.
    start : day from which curves of these counts may speak: the condition, or the first day under observation.
    last_observed : longest time seen.
    """

    places: Integers
    times: Floats
    at_risk: Floats
    exits: Floats
    causes: tuple[int, ...]
    start: float
    last_observed: float


def read_only(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return an array of one's own making as read-only."""
    values.flags.writeable = False
    return values


def cause_codes(cause: npt.ArrayLike) -> Integers:
    """Return cause codes as integers, or say which is not a code."""
    codes = np.asarray(cause)
    if codes.ndim != 1:
        raise ValueError(f"`cause` must have 1 dimension, got shape {codes.shape}")
    if codes.dtype.kind not in "iub" and not (np.isfinite(codes) & (codes == np.floor(codes))).all():
        raise ValueError("`cause` must hold whole codes: 0 for a stay still running, else the kind of exit")
    if len(codes) and codes.min() < 0:
        raise ValueError(f"`cause` must not hold negative codes, got {codes.min()}")
    return codes.astype(np.int64, copy=False)


def place_stays(
    days: npt.ArrayLike, cause: Integers, entry: npt.ArrayLike | None, weights: npt.ArrayLike | None
) -> PlacedStays:
    """Check stays and place them on a grid of days.

    Raises
    ------
    ValueError
        If shapes differ, numbers are not finite, days or weights are negative, or a stay ended by its entry.
    """
    whole, later = _whole_days(days), None if entry is None else _whole_days(entry)
    end: Places
    enter: Places | None
    if whole is not None and (entry is None or later is not None):
        (end, longest), enter = whole, None if later is None else later[0]
        grid = np.arange(longest + 1, dtype=np.float64)
    else:
        t = frozen(days, "days")
        e = np.zeros(1) if entry is None else np.maximum(frozen(entry, "entry"), 0.0)
        grid = np.unique(np.concatenate([[0.0], t, e]))
        end = np.searchsorted(grid, t)
        enter = None if entry is None else np.searchsorted(grid, e)
        _refuse(t < 0, "days", "not be negative", t)
    weight = None if weights is None else frozen(weights, "weights")
    for name, column in (("exited or cause", cause), ("entry", enter), ("weights", weight)):
        if column is not None and len(column) != len(end):
            raise ValueError(f"`{name}` must have one entry a stay: `days` has {len(end)}, got {len(column)}")
    if weight is not None:
        _refuse(weight < 0, "weights", "not be negative", weight)
    if enter is not None:
        late = enter >= end
        if late.any():
            t = np.asarray(days, dtype=np.float64)
            rule = "lie after `entry`; drop the stays that could not have been seen"
            _refuse(late & (np.asarray(entry, dtype=np.float64) > 0), "days", rule, t)
    return PlacedStays(grid, end, enter, cause, weight)


def _whole_days(values: npt.ArrayLike) -> tuple[npt.NDArray[np.int32], int] | None:
    """Return times as integers and the latest; None unless all are whole, not negative and small enough to count by."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"times must have 1 dimension, got shape {array.shape}")
    if array.dtype.kind not in "iubf":
        return None
    # What is no number becomes some whole one, and differs from it.
    with np.errstate(invalid="ignore"):
        days = array.astype(np.int32)
        if np.count_nonzero(days != array):
            return None
    # Read without their sign, negative days are the largest of all.
    latest = int(days.view(np.uint32).max(initial=0))
    return (days, latest) if latest < _LARGEST_COUNTED_DAY else None


def _refuse(broken: Booleans, name: str, rule: str, values: Floats) -> None:
    """Raise for the first broken row, if there is one."""
    if broken.any():
        row = int(np.argmax(broken))
        raise ValueError(f"`{name}` must {rule}; entry {row} is {values[row]:g} ({int(broken.sum())} in all)")


def conditioned(stays: PlacedStays, start: float | str) -> tuple[PlacedStays, Counts]:
    """Return the stays that last beyond `start`, seen from there, and their counts.

    Raises
    ------
    ValueError
        If nobody left, or the risk set empties while others enter later.
    """
    if isinstance(start, str):
        one_of(start, ("auto",), "start")
        first = _automatic_start(stays)
    else:
        first = not_negative(start, "start")
    if first > 0:
        stays = _beyond(stays, first)
    return stays, count(stays, first)


def _beyond(stays: PlacedStays, first: float) -> PlacedStays:
    """Return the stays that last beyond day `first`, entered there or later."""
    place = int(np.searchsorted(stays.grid, first))
    if place == len(stays.grid) or stays.grid[place] != first:
        stays = replace(
            stays,
            grid=np.insert(stays.grid, place, first),
            end=stays.end + (stays.end >= place),
            enter=None if stays.enter is None else stays.enter + (stays.enter >= place),
        )
    kept = stays.rows(stays.end > place)
    return replace(kept, enter=np.full(len(kept), place) if kept.enter is None else np.maximum(kept.enter, place))


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """Counts on the whole grid: ended by code (n_codes, n_grid), left, at risk; codes, exit places, first watched."""

    codes: Integers
    ended: npt.NDArray[Any]
    left: npt.NDArray[Any]
    running: npt.NDArray[Any]
    places: Integers
    first: int


def _tally(stays: PlacedStays) -> _Tally:
    """Count on every day of the grid in one pass over the exits and one over the entries."""
    n_grid = len(stays.grid)
    codes, cause = _coded(stays.cause)
    width = len(codes)
    # In the type of the codes, or 32 bits if that is shorter.
    step = np.int32(n_grid)

    def ended(block: slice) -> npt.NDArray[Any]:
        cell = cause[block] * step
        cell += stays.end[block]
        return np.bincount(cell, None if stays.weights is None else stays.weights[block], width * n_grid)

    table = _summed(ended, len(stays)).reshape(width, n_grid)
    left = table[1] if width == 2 else table[1:].sum(axis=0)
    places = (left > 0).nonzero()[0]
    if not len(places):
        raise ValueError(f"`exited` must hold at least one exit with weight; none of {len(stays)} stays ended")
    gone = table[0] + left
    watched, at_once = 0, 0
    if stays.enter is not None:
        entered = _entered(stays, stays.enter)
        watched = int(stays.enter.min() if stays.weights is None else np.argmax(entered > 0))
        gone -= entered
        # Entry on day 0 means seen from the beginning, a stay that ends on day 0 included; any other is at risk after.
        at_once = entered[0]
    # Summed from the last day backwards, so that the small risk sets of late days are exact.
    running = gone[::-1].cumsum()[::-1]
    running[0] += at_once
    return _Tally(codes, table, left, running, places, watched)


def _entered(stays: PlacedStays, enter: Places) -> npt.NDArray[Any]:
    """Count entries on every day of the grid."""
    weights = stays.weights
    return _summed(
        lambda block: np.bincount(enter[block], None if weights is None else weights[block], len(stays.grid)),
        len(stays),
    )


def _summed(counted: Callable[[slice], npt.NDArray[Any]], n: int) -> npt.NDArray[Any]:
    """Return the sum of the counts of blocks of `n` stays, each small enough to stay at hand in the processor."""
    total = counted(slice(0, _BLOCK))
    for first in range(_BLOCK, n, _BLOCK):
        total += counted(slice(first, first + _BLOCK))
    return total


def count(stays: PlacedStays, start: float = 0.0) -> Counts:
    """Count those at risk and the exits by cause at each exit time, and refuse a risk set that empties too early."""
    tally = _tally(stays)
    places = tally.places
    at_risk = tally.running[places].astype(np.float64, copy=False)
    left = tally.left[places].astype(np.float64, copy=False)
    if stays.enter is not None:
        _refuse_emptied(stays.grid, tally, at_risk, left)
    ended = left[None] if len(tally.codes) == 2 else tally.ended[1:, places]
    kept = [row for row in range(len(ended)) if len(ended) == 1 or ended[row].any()]
    watched = tally.running if tally.running[-1] > 0 else tally.running[: np.flatnonzero(tally.running > 0)[-1] + 1]
    return Counts(
        places=places,
        times=stays.grid[places],
        at_risk=at_risk,
        exits=(ended if len(kept) == len(ended) else ended[kept]).astype(np.float64, copy=False),
        causes=tuple(int(tally.codes[row + 1]) for row in kept),
        start=max(start, float(stays.grid[tally.first])),
        last_observed=float(stays.grid[len(watched) - 1]),
    )


def _coded(cause: Places) -> tuple[Integers, Places]:
    """Return the possible codes, 0 first, and the place of each stay's code among them."""
    highest = int(cause.max(initial=0))
    if highest <= _LARGEST_COUNTED_CODE:
        return np.arange(highest + 1), cause
    codes = np.unique(np.append(cause, 0))
    return codes, np.searchsorted(codes, cause)


def _automatic_start(stays: PlacedStays) -> float:
    """Return the last exit time before the risk set first holds `AUTOMATIC_START_AT_RISK`."""
    tally = _tally(stays)
    enough = tally.running[tally.places] >= AUTOMATIC_START_AT_RISK
    if not enough.any():
        raise ValueError(f"`start`='auto' needs a day with {AUTOMATIC_START_AT_RISK:g} at risk; there is none")
    first = int(np.argmax(enough))
    return float(stays.grid[tally.places[first - 1]]) if first else 0.0


def _refuse_emptied(grid: Floats, tally: _Tally, at_risk: Floats, left: Floats) -> None:
    """Refuse counts whose risk set empties between the first day under observation and the last exit."""
    running, first, places = tally.running, tally.first, tally.places
    watched = running[first + 1 : places[-1] + 1]
    emptied = left[:-1] >= (1.0 - _NOBODY) * at_risk[:-1]
    if emptied.any():
        place = places[np.argmax(emptied)]
        raise ValueError(
            f"`entry` leaves {running[place]:g} at risk on day {grid[place]:g} and all of them left, while others "
            f"enter later: the curve would stay at zero. Condition on a later day: `start='auto'`, or a day from "
            f"{grid[place]:g} on"
        )
    # Whole counts are exact; sums of weights leave some rounding where nobody is.
    nobody = 0.0 if running.dtype.kind == "i" else _NOBODY * running.max()
    if len(watched) and watched.min() <= nobody:
        empty = np.flatnonzero(watched <= nobody) + first + 1
        raise ValueError(
            f"`entry` leaves nobody at risk after day {grid[empty[0] - 1]:g}, and the last exit is later: a curve "
            f"cannot pass days on which nobody was watched. Condition on a later day: `start={grid[empty[-1]]:g}`"
        )


@dataclass(frozen=True, slots=True, eq=False)
class GroupCounts:
    """Counts of several groups at the times when anybody in any of them left.

    Attributes
    ----------
    places : places of the times on the grid; shape (n_times,).
    at_risk : weight at risk just before; shape (n_groups, n_times).
    exits : weight that left by each code from 1 on; shape (n_groups, n_codes, n_times).
    """

    places: Integers
    at_risk: Floats
    exits: Floats


def count_groups(stays: PlacedStays, group: Integers, n_groups: int, n_codes: int) -> GroupCounts:
    """Count by group (codes below `n_groups`) at every time when somebody left; causes are codes up to `n_codes`."""
    n_grid, width = len(stays.grid), n_codes + 1
    cell = (group * width + stays.cause) * n_grid + stays.end
    flat = np.bincount(cell, stays.weights, n_groups * width * n_grid)
    table = flat.astype(np.float64, copy=False).reshape(n_groups, width, n_grid)
    gone = table.sum(axis=1)
    at_once = np.zeros(n_groups)
    if stays.enter is not None:
        entered = np.bincount(group * n_grid + stays.enter, stays.weights, n_groups * n_grid).reshape(n_groups, n_grid)
        gone -= entered
        at_once += entered[:, 0]
    running = np.cumsum(gone[:, ::-1], axis=1)[:, ::-1]
    running[:, 0] += at_once
    places = np.flatnonzero(table[:, 1:].any(axis=(0, 1)))
    exits = table[:, 1:, places]
    return GroupCounts(places, np.maximum(running[:, places], exits.sum(axis=1)), exits)


def grouped(labels: npt.ArrayLike, name: str, n: int) -> tuple[tuple[Any, ...], Integers]:
    """Return the labels that occur, in order, and the code of each row among them."""
    values = np.asarray(labels)
    if values.shape != (n,):
        raise ValueError(f"`{name}` must have one entry a stay: `days` has {n}, got shape {values.shape}")
    missing = pd.isna(values)
    if missing.any():
        raise ValueError(f"`{name}` must be known for every stay; row {int(np.argmax(missing))} is not")
    found, codes = np.unique(values.astype(str) if values.dtype == object else values, return_inverse=True)
    return tuple(found.tolist()), np.asarray(codes, dtype=np.int64)


def parts(codes: Integers) -> list[Integers]:
    """Return the rows of each code, 0 first."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes))[:-1])
