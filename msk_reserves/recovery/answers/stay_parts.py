"""Random exits from parts of stays, by moves on the clock of the stay and by moves on that of the path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.recovery.answers.stay_tables import MOST_HAZARD, Move


@dataclass(frozen=True, slots=True, eq=False)
class _Clock:
    """Moves that run on one clock.

    Attributes
    ----------
    targets : codes of the states moved to, shape (n_moves,).
    continues : whether the clock of the stay goes on there, shape (n_moves,).
    up_to : cumulative hazard of each move or one before it, shape (n_moves, n_rows, n_nodes).
    total : the last of them padded to a power of two with infinity, shape (n_rows, width).
    """

    targets: Integers
    continues: Booleans
    up_to: Floats
    total: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The part of a stay spent in one of its places, with the moves out of it by clock.

    Attributes
    ----------
    on_stay : moves on the clock of the stay, hazards by days in it; None without any.
    on_path : moves on that of the path, hazards by days ahead; None without any.
    """

    on_stay: _Clock | None
    on_path: _Clock | None


def part_of(moves: Sequence[Move], code: Mapping[str, int]) -> Part:
    """Return the part of a stay spent in a place with some moves out of it; `code` numbers the states."""
    reset, forward = ([one for one in moves if one.forward == wanted] for wanted in (False, True))
    return Part(_clock(reset, code), _clock(forward, code))


def _clock(moves: Sequence[Move], code: Mapping[str, int]) -> _Clock | None:
    """Lay moves out for sampling."""
    if not moves:
        return None
    hazards = np.array([np.minimum(one.hazard, MOST_HAZARD).T for one in moves])
    up_to = np.cumsum(hazards, axis=0)
    n_rows, n_nodes = up_to.shape[1:]
    total = np.full((n_rows, 1 << (n_nodes - 1).bit_length()), np.inf)
    total[:, :n_nodes] = up_to[-1]
    targets = np.array([code[one.target] for one in moves], dtype=np.int64)
    return _Clock(targets, np.array([one.continues for one in moves], dtype=np.bool_), up_to, total)


def part_exits(
    part: Part,
    nodes: Floats,
    row: Integers,
    began: tuple[Floats, Floats],
    uniforms: tuple[Floats, Floats, Floats],
) -> tuple[Floats, Integers, Booleans]:
    """Return days to the exit of each part, the state moved to, and whether the stay goes on there.

    Parameters
    ----------
    part : Part
        The part.
    nodes : numpy.ndarray, shape (n_nodes,)
        Days of the tables.
    row : numpy.ndarray, shape (n,)
        Row of each part.
    began : tuple of numpy.ndarray, shape (n,)
        Days ahead at which the clock of the stay began, and at which the part did.
    uniforms : tuple of numpy.ndarray, shape (n,)
        Numbers in (0, 1): of the first exit on the clock of the stay, of the state moved to, and of the first exit on
        the clock of the path.

    Returns
    -------
    numpy.ndarray, numpy.ndarray, numpy.ndarray
        Of shape (n,); infinite, -1 and False where the part outlasts the grid.

    Notes
    -----
    On each clock, at age a, the exit is at the age whose cumulative hazard is H(a) - ln U, hazards being constant
    between nodes; the earlier of the two is the exit.
    """
    days, target = np.full(len(row), np.inf), np.full(len(row), -1, dtype=np.int64)
    stays_on = np.zeros(len(row), dtype=np.bool_)
    ages = (began[1] - began[0], began[1])
    for clock, age, uniform in zip((part.on_stay, part.on_path), ages, (uniforms[0], uniforms[2]), strict=True):
        if clock is None:
            continue
        ahead, cell = _first_exit(clock, nodes, row, age, uniform)
        first = np.flatnonzero(ahead < days)
        chosen = _chosen(clock, len(nodes), row[first], cell[first], uniforms[1][first])
        days[first], target[first], stays_on[first] = ahead[first], clock.targets[chosen], clock.continues[chosen]
    return days, target, stays_on


def _first_exit(clock: _Clock, nodes: Floats, row: Integers, age: Floats, uniform: Floats) -> tuple[Floats, Integers]:
    """Return days from an age to the first exit on a clock, and the cell of the tables it is in."""
    total, width = clock.total.ravel(), clock.total.shape[1]
    at = np.clip(np.searchsorted(nodes, age, side="right") - 1, 0, len(nodes) - 2)
    part = (age - nodes[at]) / (nodes[at + 1] - nodes[at])
    before, after = total[row * width + at], total[row * width + at + 1]
    wanted = before + part * (after - before) - np.log(uniform)
    cell = np.zeros(len(row), dtype=np.int64)
    step = width >> 1
    while step:
        cell += step * (total[row * width + cell + step] <= wanted)
        step >>= 1
    ends = cell < len(nodes) - 1
    cell = np.minimum(cell, len(nodes) - 2)
    before, after = total[row * width + cell], total[row * width + cell + 1]
    part = (wanted - before) / np.where(after > before, after - before, 1.0)
    day = nodes[cell] + np.clip(part, 0.0, 1.0) * (nodes[cell + 1] - nodes[cell])
    return np.where(ends, np.maximum(day - age, 0.0), np.inf), cell


def _chosen(clock: _Clock, n_nodes: int, row: Integers, cell: Integers, uniform: Floats) -> Integers:
    """Return the number of the move made in a cell, each in proportion to its hazard over it."""
    flat, place = clock.up_to.reshape(len(clock.targets), -1), row * n_nodes + cell
    wanted = uniform * (flat[-1, place + 1] - flat[-1, place])
    chosen = np.zeros(len(row), dtype=np.int64)
    for one in flat[:-1]:
        chosen += one[place + 1] - one[place] <= wanted
    return chosen
