"""Stays of a clock-reset process on a grid of days ahead: where in the stay one still is, and how it has ended."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from msk_reserves._checks import Booleans, Floats, frozen, positive, whole

CELLS = 48
"""Cells of the default grid; four times as many move answers by some thousandths."""

FINE_DAYS = 10.0
"""Days ahead from which the cells of the default grid widen in proportion to the days."""

MOST_HAZARD = 1e6
"""Cumulative hazards are cut here, where nothing survives: differences of what would overflow stay finite."""

Hazard = Callable[[Floats], Floats]
"""Cumulative hazard of one kind of exit after days in a state; returns the shape it is given, or one more axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Days ahead at which a process is solved.

    Attributes
    ----------
    nodes : increasing, the first 0, the last the horizon; shape (n_nodes,).
    weights : weights of the integral over all days of a curve known at the nodes, that of the cubic spline through it;
        shape (n_nodes,).
    """

    nodes: Floats
    weights: Floats

    def at(self, days: float) -> int:
        """Return the node of a day that is one, or raise `ValueError`."""
        place = int(np.searchsorted(self.nodes, days))
        if place == len(self.nodes) or self.nodes[place] != days:
            raise ValueError(f"`days` must be a node of the grid, which ends at {self.nodes[-1]:g}; got {days!r}")
        return place


def grid_of(nodes: npt.ArrayLike) -> Grid:
    """Return a grid with the nodes given.

    Parameters
    ----------
    nodes : array_like
        Days ahead, increasing, the first 0; four at least.

    Returns
    -------
    Grid

    Raises
    ------
    ValueError
        If they are not that.

    Examples
    --------
    >>> round(float(grid_of([0, 1, 2, 3]).weights.sum()), 12)
    3.0
    """
    days = frozen(nodes, "nodes")
    if len(days) < 4 or days[0] != 0 or (np.diff(days) <= 0).any():
        raise ValueError(f"`nodes` must increase from 0, four at least; got {days[:5]}")
    weights = np.asarray(CubicSpline(days, np.eye(len(days))).integrate(0.0, days[-1]))
    weights.flags.writeable = False
    return Grid(days, weights)


def graded_grid(horizon: float, at: Sequence[float] = (), *, cells: int = CELLS) -> Grid:
    """Return a grid that is fine near 0, where hazards change fastest, and widens in proportion to the days.

    Parameters
    ----------
    horizon : float
        The last day ahead.
    at : sequence of float
        Days that must be nodes; those beyond the horizon are left out.
    cells : int
        Cells before `at` is taken in.

    Returns
    -------
    Grid
        Nodes `c (exp(g x) - 1)`, x from 0 to 1, with c = `FINE_DAYS` (or the horizon, if that is less) and g such that
        the last is the horizon; a node within a quarter of a cell of a day asked for gives way to it.

    Examples
    --------
    >>> graded_grid(364.0, (182.0,)).at(182.0) > 0
    True
    """
    last = positive(horizon, "horizon")
    fine = min(FINE_DAYS, last)
    nodes = fine * np.expm1(np.log1p(last / fine) * np.linspace(0.0, 1.0, whole(cells, "cells", at_least=3) + 1))
    nodes[-1] = last
    wanted = np.unique([day for day in at if 0 < day < last])
    if len(wanted):
        near = np.abs(nodes[:, None] - wanted[None, :]).min(axis=1)
        keep = near > 0.25 * np.gradient(nodes)
        keep[[0, -1]] = True
        nodes = np.union1d(nodes[keep], wanted)
    return grid_of(nodes)


@lru_cache(maxsize=8)
def _mean_hats(nodes: tuple[float, ...]) -> tuple[Floats, ...]:
    """Return for each node T a matrix: mean over s in each cell up to T of each node's hat function at T - s."""
    days = np.array(nodes)
    width = np.diff(days)
    found = []
    for last in range(1, len(days)):
        x = (days[last] - days[: last + 1])[:, None]
        integral = np.zeros((last + 1, last + 1))
        rising = np.clip(x - days[:last], 0.0, width[:last])
        integral[:, 1:] += rising**2 / (2.0 * width[:last])
        integral[:, :-1] += rising - rising**2 / (2.0 * width[:last])
        matrix = (integral[:-1] - integral[1:]) / width[:last, None]
        matrix.flags.writeable = False
        found.append(matrix)
    return tuple(found)


def mean_hats(grid: Grid) -> tuple[Floats, ...]:
    """Return, for each node T but the first, the matrix of the convolution at T.

    Row n holds the mean, over s in cell n, of the hat function of each node at T - s. So for a function F given at the
    nodes and straight between them, and mass m_n spread evenly over each cell, the convolution at T is m @ matrix @ F.

    Returns
    -------
    tuple of numpy.ndarray
        For the node numbered l from 1 on, shape (l, l + 1); rows sum to one.
    """
    return _mean_hats(tuple(grid.nodes.tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """One kind of exit as the tables of stays take it.

    Attributes
    ----------
    origin, target : names of the states.
    hazard : cumulative hazard at the grid's nodes, given the stay so far; shape (n_nodes, n_rows).
    continues : whether the clock of the stay goes on in the target.
    """

    origin: str
    target: str
    hazard: Floats
    continues: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Stay:
    """What becomes of a stay, by days ahead, for each row (a claim, a draw of the parameters, or both).

    A stay that continues in another state on the same clock, as on retaining an attorney, is one stay in two places.

    Attributes
    ----------
    entry : the state it begins in.
    places : states in which it may be held, `entry` first.
    held : probability of being there still, shape (n_places, n_nodes, n_rows).
    targets : states in which the next stay begins.
    left : probability of having gone there, shape (n_targets, n_nodes, n_rows).
    late : whether the clock of the stay stands beyond the longest seen, shape (n_nodes,).
    """

    entry: str
    places: tuple[str, ...]
    held: Floats
    targets: tuple[str, ...]
    left: Floats
    late: Booleans

    def within_data(self) -> "Stay":
        """Return the stay without the moves made when it had lasted longer than any seen."""
        if not self.late.any():
            return self
        begin = int(np.argmax(self.late))
        left = self.left.copy()
        left[:, begin:] = left[:, [max(begin - 1, 0)]]
        return Stay(self.entry, self.places, self.held, self.targets, left, self.late)


def stay_table(entry: str, moves: Sequence[Move], shape: tuple[int, int], late: Booleans) -> Stay:
    """Return what becomes of a stay that begins, or is found, in a state.

    Parameters
    ----------
    entry : str
        The state.
    moves : sequence of Move
        Moves out of it and out of the states in which it may continue.
    shape : tuple of int
        (n_nodes, n_rows).
    late : numpy.ndarray of bool, shape (n_nodes,)
        Whether the clock stands beyond the longest stay seen.

    Returns
    -------
    Stay
        With `held` and `left` adding up to one at every node.

    Raises
    ------
    ValueError
        If moves that continue lead back to where they came from.

    Notes
    -----
    In a cell each hazard is taken as constant at its mean and what flows in from the state before as spread evenly, so
    that with D the hazards of all exits over the cell, S what was there and I what flowed in, there remain
    `S e^-D + I (1 - e^-D) / D`; what left is the rest, shared in proportion to the hazards over the cell.
    """
    places = _places(entry, moves)
    held = np.zeros((len(places), *shape))
    held[0, 0] = 1.0
    flows = {name: np.zeros((shape[0] - 1, shape[1])) for name in places[1:]}
    exits: dict[str, Floats] = {}
    for row, place in enumerate(places):
        out = [one for one in moves if one.origin == place]
        steps = [np.diff(np.minimum(one.hazard, MOST_HAZARD), axis=0) for one in out]
        total = np.sum(steps, axis=0) if steps else np.zeros((shape[0] - 1, shape[1]))
        gone = _hold(held[row], total, flows.get(place))
        unit = np.divide(gone, total, out=np.zeros_like(gone), where=total > 0)
        for one, step in zip(out, steps, strict=True):
            into = flows if one.continues else exits
            into[one.target] = into.get(one.target, 0.0) + unit * step
    targets = tuple(exits)
    left = np.zeros((len(targets), *shape))
    for row, name in enumerate(targets):
        np.cumsum(exits[name], axis=0, out=left[row, 1:])
    return Stay(entry, places, held, targets, left, late)


def _places(entry: str, moves: Sequence[Move]) -> tuple[str, ...]:
    """Return the states a stay may be held in, each after those it may come from."""
    order = [entry]
    links = [(one.origin, one.target) for one in moves if one.continues]
    reached = {entry}
    while more := {target for origin, target in links if origin in reached} - reached:
        reached |= more
    waiting = reached - {entry}
    while waiting:
        ready = sorted(name for name in waiting if all(a in order for a, b in links if b == name and a in reached))
        if not ready or any(b == entry and a in reached for a, b in links):
            raise ValueError(f"moves that continue a stay must not lead back; those from {entry!r} do")
        order += ready
        waiting -= set(ready)
    return tuple(order)


def _hold(held: Floats, total: Floats, inflow: Floats | None) -> Floats:
    """Fill in who is still there at each node and return who left in each cell; `held` starts as given at node 0."""
    if inflow is None:
        np.multiply(held[0], np.exp(-np.cumsum(total, axis=0)), out=held[1:])
        return held[:-1] * -np.expm1(-total)
    stays, share = np.exp(-total), np.ones_like(total)
    np.divide(-np.expm1(-total), total, out=share, where=total > 0)
    for cell in range(len(total)):
        held[cell + 1] = held[cell] * stays[cell] + inflow[cell] * share[cell]
    return np.maximum(held[:-1] + inflow - held[1:], 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class KnownMove:
    """A move of a process that is known rather than fitted.

    Attributes
    ----------
    origin, target : names of the states.
    cumulative_hazard : hazard collected after days in the state, an array to an array of the same shape.
    continues : whether the clock of the stay goes on in the target.
    """

    origin: str
    target: str
    cumulative_hazard: Hazard
    continues: bool = False


def known_stays(
    moves: Sequence[KnownMove],
    grid: Grid,
    *,
    state: str,
    age: npt.ArrayLike = 0.0,
    longest: Mapping[str, float] | None = None,
) -> tuple[Stay, dict[str, Stay]]:
    """Return the tables of a known process: the stay at hand, and fresh stays in every state.

    Parameters
    ----------
    moves : sequence of KnownMove
        All moves.
    grid : Grid
        Days ahead.
    state : str
        State now.
    age : array_like
        Days in it so far, one for each row of the answer.
    longest : mapping of str to float, optional
        Longest stay seen by state; unlimited where absent.

    Returns
    -------
    Stay, dict of str to Stay

    Examples
    --------
    >>> ends = KnownMove("off_work", "back_at_work", lambda days: days / 50.0)
    >>> now, fresh = known_stays([ends], graded_grid(100.0), state="off_work", age=30.0)
    >>> round(float(now.held[0, -1, 0]), 6), sorted(fresh)
    (0.135335, ['off_work'])
    """
    ages = np.atleast_1d(np.asarray(age, dtype=np.float64))
    if ages.ndim != 1 or (ages < 0).any():
        raise ValueError(f"`age` must be days, not negative, in one dimension; got {age!r}")
    limit = {} if longest is None else longest
    days = grid.nodes[:, None]
    shape = (len(grid.nodes), len(ages))
    later = [
        Move(one.origin, one.target, one.cumulative_hazard(ages + days) - one.cumulative_hazard(ages), one.continues)
        for one in moves
    ]
    anew = [
        Move(one.origin, one.target, np.broadcast_to(one.cumulative_hazard(days), shape), one.continues)
        for one in moves
    ]
    oldest = float(ages.min())
    now = stay_table(state, later, shape, grid.nodes + oldest > limit.get(state, np.inf))
    fresh = fresh_stays(anew, grid, shape, limit)
    return now, fresh


def fresh_stays(
    moves: Sequence[Move],
    grid: Grid,
    shape: tuple[int, int],
    longest: Mapping[str, float],
    within: Collection[str] = (),
) -> dict[str, Stay]:
    """Return the tables of stays that begin in each state that is ever left, or in those of `within` if given."""
    origins = dict.fromkeys(one.origin for one in moves)
    return {
        name: stay_table(name, moves, shape, grid.nodes > longest.get(name, np.inf))
        for name in origins
        if not within or name in within
    }
