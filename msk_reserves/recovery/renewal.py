"""Where a worker is later: occupation of the states of a clock-reset process, by renewal equations.

With `N_k(T)` the expected number of stays in state k begun within T days, `F_ik` the probability that a stay begun in i
has ended by a move to k, and `S_ij` that it is still held in j, for a claim found in the stay 0:

    N_k(T) = F_0k(T) + sum_i int_0^T F_ik(T - s) dN_i(s)
    P_j(T) = S_0j(T) + sum_i int_0^T S_ij(T - s) dN_i(s)

(Markov renewal equations; Çinlar 1969.) The numbers N are spread evenly over each
cell of the grid and F, S are straight between nodes, which is of second order in the width of the cells. Whatever the
width, the P_j add up to one, since S and F of each stay do.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.recovery.stay_tables import Grid, Stay, mean_hats


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """What the renewal equations say of each row, by days ahead.

    Attributes
    ----------
    states : names of the states that can be reached, the present one first.
    occupation : probability of being in each, shape (n_states, n_nodes, n_rows).
    late : the part of it in stays that have lasted longer than any seen in their state, of the same shape.
    begun : expected number of stays begun in each since today, of the same shape.
    """

    states: tuple[str, ...]
    occupation: Floats
    late: Floats
    begun: Floats

    def of(self, names: Collection[str]) -> Floats:
        """Return the probability of being in any of some states, shape (n_nodes, n_rows)."""
        return np.asarray(self.occupation[self._rows(names)].sum(axis=0))

    def late_of(self, names: Collection[str]) -> Floats:
        """Return the part of `of` in stays longer than any seen."""
        return np.asarray(self.late[self._rows(names)].sum(axis=0))

    def begun_in(self, names: Collection[str]) -> Floats:
        """Return the expected number of stays begun in any of some states, shape (n_nodes, n_rows)."""
        return np.asarray(self.begun[self._rows(names)].sum(axis=0))

    def _rows(self, names: Collection[str]) -> list[int]:
        """Numbers of the states named."""
        return [row for row, name in enumerate(self.states) if name in names]


def solve_renewal(
    grid: Grid,
    now: Stay,
    fresh: Mapping[str, Stay],
    *,
    stop_at: Collection[str] = (),
    nodes: int | None = None,
) -> Ahead:
    """Solve the renewal equations of claims found in one stay.

    Parameters
    ----------
    grid : Grid
        Days ahead.
    now : Stay
        The stay at hand, given how long it has lasted.
    fresh : mapping of str to Stay
        Stays that begin in each state; a state absent is never left.
    stop_at : collection of str
        States in which paths are followed no further: who enters stays, so that `begun` counts first arrivals.
    nodes : int, optional
        Nodes to solve for, all by default.

    Returns
    -------
    Ahead

    Examples
    --------
    >>> from msk_reserves.recovery.stay_tables import KnownMove, graded_grid, known_stays
    >>> moves = [
    ...     KnownMove("off_work", "back_at_work", lambda days: days / 50.0),
    ...     KnownMove("back_at_work", "off_work", lambda days: days / 200.0),
    ... ]
    >>> grid = graded_grid(364.0)
    >>> ahead = solve_renewal(grid, *known_stays(moves, grid, state="off_work"))
    >>> round(float(ahead.of(["off_work"])[-1, 0]), 3)
    0.2
    """
    n = len(grid.nodes) if nodes is None else nodes
    states, followed = _reachable(now, fresh, stop_at)
    index = {name: row for row, name in enumerate(states)}
    shape = (len(states), n, now.held.shape[2])
    occupation, late, begun = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    _add(occupation, index, now.places, now.held[:, :n])
    _add(late, index, now.places, now.held[:, :n] * now.late[:n, None])
    _add(begun, index, now.targets, now.left[:, :n])
    entered = np.zeros((n - 1, len(followed), shape[2]))
    who = [index[stay.entry] for stay in followed]
    for last, hats in enumerate(mean_hats(grid)[: n - 1], start=1):
        spread = np.zeros((last + 1, len(followed), shape[2]))
        if last > 1 and followed:
            flat = entered[: last - 1].reshape(last - 1, -1)
            spread = (hats[:-1].T @ flat).reshape(spread.shape)
        entered[last - 1] = _entries(followed, index, spread, hats[-1], begun[:, last - 1 : last + 1])
        spread += hats[-1][:, None, None] * entered[last - 1]
        begun[who, last] = begun[who, last - 1] + entered[last - 1]
        for row, stay in enumerate(followed):
            weights = spread[:, row]
            held = stay.held[:, : last + 1]
            _add_at(occupation, index, stay.places, last, np.einsum("jqr,qr->jr", held, weights))
            if stay.late[: last + 1].any():
                begin = int(np.argmax(stay.late))
                beyond = np.einsum("jqr,qr->jr", held[:, begin:], weights[begin:])
                _add_at(late, index, stay.places, last, beyond)
    ends = [row for row, name in enumerate(states) if name not in {*now.places, *_held_in(followed)}]
    occupation[ends] = begun[ends]
    for name in {*now.places, *_held_in(followed)} & _unfollowed(states, followed):
        occupation[index[name]] += begun[index[name]]
    return Ahead(states, occupation, late, begun)


def _entries(
    followed: tuple[Stay, ...], index: Mapping[str, int], spread: Floats, own: Floats, begun: Floats
) -> Floats:
    """Return the stays begun in the latest cell in each state followed, shape (n_followed, n_rows).

    What enters one state in the cell may leave it for the next within the same cell, so the numbers solve a linear
    system in each row. `begun` (n_states, 2, n_rows) is filled in for the states not followed.
    """
    place = {stay.entry: row for row, stay in enumerate(followed)}
    within = np.zeros((len(followed), len(followed), begun.shape[2]))
    ends: list[tuple[int, int, Floats]] = []
    for row, stay in enumerate(followed):
        past = np.einsum("tqr,qr->tr", stay.left[:, : len(own)], spread[:, row])
        at_once = np.einsum("tqr,q->tr", stay.left[:, : len(own)], own)
        for name, flow, quick in zip(stay.targets, past, at_once, strict=True):
            begun[index[name], 1] += flow
            if name in place:
                within[place[name], row] += quick
            else:
                ends.append((index[name], row, quick))
    if not followed:
        return np.zeros((0, begun.shape[2]))
    who = [index[stay.entry] for stay in followed]
    known = begun[who, 1] - begun[who, 0]
    system = np.eye(len(followed)) - np.moveaxis(within, 2, 0)
    entered = np.linalg.solve(system, np.ascontiguousarray(known.T)[:, :, None])[:, :, 0].T
    for state, row, quick in ends:
        begun[state, 1] += quick * entered[row]
    return np.asarray(entered)


def _reachable(
    now: Stay, fresh: Mapping[str, Stay], stop_at: Collection[str]
) -> tuple[tuple[str, ...], tuple[Stay, ...]]:
    """Return the states that can be reached, and the stays followed on from those entered."""
    states = dict.fromkeys((*now.places, *now.targets))
    followed: dict[str, Stay] = {}
    waiting = list(now.targets)
    while waiting:
        name = waiting.pop(0)
        if name in followed or name in stop_at or name not in fresh:
            continue
        followed[name] = fresh[name]
        states |= dict.fromkeys((*fresh[name].places, *fresh[name].targets))
        waiting += fresh[name].targets
    return tuple(states), tuple(followed.values())


def _held_in(followed: tuple[Stay, ...]) -> set[str]:
    """Return every state in which a stay followed may be held."""
    return {place for stay in followed for place in stay.places}


def _unfollowed(states: tuple[str, ...], followed: tuple[Stay, ...]) -> set[str]:
    """Return the states whose entries are not followed: who enters stays."""
    return set(states) - {stay.entry for stay in followed}


def _add(total: Floats, index: Mapping[str, int], names: tuple[str, ...], part: Floats) -> None:
    """Add arrays to the rows of the states named."""
    for name, values in zip(names, part, strict=True):
        total[index[name]] += values


def _add_at(total: Floats, index: Mapping[str, int], names: tuple[str, ...], node: int, part: Floats) -> None:
    """Add values at one node to the rows of the states named."""
    for name, values in zip(names, part, strict=True):
        total[index[name], node] += values
