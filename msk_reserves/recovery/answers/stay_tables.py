"""Stays of a semi-Markov process on a grid of days ahead: where in the stay one still is, and how it has ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats
from msk_reserves.recovery.answers.grids import Grid
from msk_reserves.recovery.path.entry import ENTRY_WEEKS

MOST_HAZARD = 1e6
"""Cumulative hazards are cut here, where nothing survives: differences of what would overflow stay finite."""

Hazard = Callable[[Floats], Floats]
"""Cumulative hazard of one kind of exit after days in a state; returns the shape it is given, or one more axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """One kind of exit as the tables of stays take it.

    Attributes
    ----------
    origin, target : names of the states.
    hazard : cumulative hazard at the grid's nodes, given the stay so far, or that a path has lasted so far where the
        move is forward; shape (n_nodes, n_rows).
    continues : whether the clock of the stay goes on in the target.
    forward : whether the hazard runs on the days since the claim's path began, not on those in the stay.
    """

    origin: str
    target: str
    hazard: Floats
    continues: bool = False
    forward: bool = False


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
    late : whether a clock stands beyond the longest seen, shape (n_nodes, n_rows), or (n_nodes, 1) if alike in all.
    """

    entry: str
    places: tuple[str, ...]
    held: Floats
    targets: tuple[str, ...]
    left: Floats
    late: Booleans

    def ever_late(self, n_nodes: int) -> bool:
        """Whether a clock stands beyond the longest seen at any of the first nodes."""
        return bool(self.late[:n_nodes].any())

    def within_data(self) -> "Stay":
        """Return the stay without the moves made when it had lasted longer than any seen."""
        if not self.late.any():
            return self
        # Once late, always late.
        last = np.maximum(np.sum(~self.late, axis=0) - 1, 0)
        told = np.minimum(np.arange(len(self.late))[:, None], last)
        left = np.take_along_axis(self.left, np.broadcast_to(told, self.left.shape[1:])[None], axis=1)
        return Stay(self.entry, self.places, self.held, self.targets, left, self.late)


@dataclass(frozen=True, slots=True, eq=False)
class ForwardStay:
    """A stay that begins later and may end by moves on the clock of the path: what becomes of it depends on when.

    Attributes
    ----------
    entry : the state it begins in.
    places : states in which it may be held, each after those it may come from.
    moves : moves out of each place.
    targets : states in which the next stay begins.
    late : whether the clock of the stay stands beyond the longest seen, by days in it; shape (n_nodes, 1).
    path_late : whether that of the path does, by days ahead; shape (n_nodes, n_rows).
    told : whether moves made when either is late are left out.
    """

    entry: str
    places: tuple[str, ...]
    moves: tuple[tuple[Move, ...], ...]
    targets: tuple[str, ...]
    late: Booleans
    path_late: Booleans
    told: bool = False

    def ever_late(self, n_nodes: int) -> bool:
        """Whether a clock stands beyond the longest seen at any of the first nodes."""
        return bool(self.late[:n_nodes].any() or self.path_late[:n_nodes].any())

    def within_data(self) -> "ForwardStay":
        """Return the stay without the moves made when a clock had gone on for longer than any seen."""
        return replace(self, told=True)


@dataclass(frozen=True, slots=True, eq=False)
class SteppedStay:
    """A stay that begins later whose hazards depend on how late on the path it does, in steps.

    Attributes
    ----------
    entry : the state it begins in.
    steps : the steps of `ENTRY_WEEKS` in which it may begin, ascending without a gap.
    kinds : the stay that begins in each.
    since_start : days since the path of each row began, today; shape (n_rows,).
    """

    entry: str
    steps: tuple[int, ...]
    kinds: "tuple[Stay | ForwardStay, ...]"
    since_start: Floats

    @property
    def places(self) -> tuple[str, ...]:
        """States in which it may be held."""
        return self.kinds[0].places

    @property
    def targets(self) -> tuple[str, ...]:
        """States in which the next stay begins."""
        return self.kinds[0].targets

    def ever_late(self, n_nodes: int) -> bool:
        """Whether a clock stands beyond the longest seen at any of the first nodes."""
        return self.kinds[0].ever_late(n_nodes)

    def within_data(self) -> "SteppedStay":
        """Return the stay without the moves made when a clock had gone on for longer than any seen."""
        return replace(self, kinds=tuple(one.within_data() for one in self.kinds))

    def shares(self, nodes: Floats) -> Floats:
        """Return the share of each cell of days ahead that lies in each step, (n_steps, n_cells, n_rows)."""
        edges = 7.0 * np.array([*ENTRY_WEEKS[1:], np.inf])[list(self.steps)]
        begun = np.minimum(edges[:, None] - self.since_start, nodes[-1])[:, None, :]
        upper = np.clip(begun, nodes[:-1, None], nodes[1:, None])
        lower = np.concatenate([np.broadcast_to(nodes[:-1, None], upper[:1].shape), upper[:-1]])
        return np.asarray((upper - lower) / np.diff(nodes)[:, None])


Later = Stay | ForwardStay | SteppedStay
"""A stay that begins later."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Longest seen by state left, in days; a state absent has no limit.

    Attributes
    ----------
    stays : of its stays.
    paths : days since the path began, of those at risk of the moves that run on them.
    """

    stays: Mapping[str, float]
    paths: Mapping[str, float]

    def late(self, state: str, in_stay: Floats, since_start: Floats) -> Booleans:
        """Return whether either clock, arrays of days that broadcast, stands beyond the longest seen in a state."""
        stay_late = in_stay > self.stays.get(state, np.inf)
        return np.asarray(stay_late | (since_start > self.paths.get(state, np.inf)))


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
    late : numpy.ndarray of bool, shape (n_nodes, n_rows) or (n_nodes, 1)
        Whether a clock stands beyond the longest seen.

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
    cumulative_hazard : hazard collected after days in the state, or since the path began; an array to an array of the
        same shape.
    continues : whether the clock of the stay goes on in the target.
    forward : whether days count from the start of the path.
    """

    origin: str
    target: str
    cumulative_hazard: Hazard
    continues: bool = False
    forward: bool = False


def known_stays(
    moves: Sequence[KnownMove],
    grid: Grid,
    *,
    state: str,
    age: npt.ArrayLike = 0.0,
    since_start: npt.ArrayLike | None = None,
    seen: Seen | None = None,
) -> tuple[Stay, dict[str, Stay | ForwardStay]]:
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
    since_start : array_like, optional
        Days since the path began, those in the state by default.
    seen : Seen, optional
        Longest seen by state; unlimited by default.

    Returns
    -------
    Stay, dict of str to Stay or ForwardStay

    Examples
    --------
    >>> from msk_reserves.recovery.answers.grids import graded_grid
    >>> ends = KnownMove("off_work", "back_at_work", lambda days: days / 50.0)
    >>> now, fresh = known_stays([ends], graded_grid(100.0), state="off_work", age=30.0)
    >>> round(float(now.held[0, -1, 0]), 6), sorted(fresh)
    (0.135335, ['off_work'])
    """
    ages = np.atleast_1d(np.asarray(age, dtype=np.float64))
    if ages.ndim != 1 or (ages < 0).any():
        raise ValueError(f"`age` must be days, not negative, in one dimension; got {age!r}")
    started = ages if since_start is None else np.asarray(since_start, dtype=np.float64) + np.zeros_like(ages)
    if (started < ages).any():
        raise ValueError(f"`since_start` must not be less than `age`; got {since_start!r} and {age!r}")
    limits, days, shape = Seen({}, {}) if seen is None else seen, grid.nodes[:, None], (len(grid.nodes), len(ages))

    def further(move: KnownMove, begun: Floats) -> Move:
        """Return a move by days ahead of stays, or paths, begun some days ago."""
        collected = move.cumulative_hazard(begun + days) - move.cumulative_hazard(begun)
        hazard = np.broadcast_to(collected, shape)
        return Move(move.origin, move.target, hazard, move.continues, move.forward)

    now = [further(one, started if one.forward else ages) for one in moves]
    later = [further(one, started if one.forward else np.zeros(1)) for one in moves]
    present = stay_table(state, now, shape, limits.late(state, ages + days, started + days))
    return present, fresh_stays(later, grid, limits, started)


def fresh_stays(moves: Sequence[Move], grid: Grid, seen: Seen, since_start: Floats) -> dict[str, Stay | ForwardStay]:
    """Return the tables of stays that begin in each state that is ever left, of rows so many days into their paths."""
    shape = (len(grid.nodes), len(since_start))
    return {
        name: _fresh(name, moves, grid, seen, since_start, shape) for name in dict.fromkeys(m.origin for m in moves)
    }


def stepped_stays(
    by_step: Mapping[int, Sequence[Move]], grid: Grid, seen: Seen, since_start: Floats
) -> dict[str, Later]:
    """Return the same where moves depend on the step of `ENTRY_WEEKS` in which a stay begins.

    Parameters
    ----------
    by_step : mapping of int to sequence of Move
        The moves of stays begun in each step that can be reached, in one order; the very same where they do not depend
        on it.
    grid : Grid
        Days ahead.
    seen : Seen
        Longest seen by state.
    since_start : numpy.ndarray, shape (n_rows,)
        Days since the path of each row began.

    Returns
    -------
    dict of str to Stay, ForwardStay or SteppedStay
    """
    first, *others = by_step.values()
    plain = fresh_stays(first, grid, seen, since_start)
    found: dict[str, Later] = dict(plain)
    depend = {one.origin for moves in others for one, base in zip(moves, first, strict=True) if one is not base}
    shape = (len(grid.nodes), len(since_start))
    for name, stay in plain.items():
        if depend.intersection(_places(name, first)):
            rest = (_fresh(name, moves, grid, seen, since_start, shape) for moves in others)
            found[name] = SteppedStay(name, tuple(by_step), (stay, *rest), since_start)
    return found


def _fresh(
    name: str, moves: Sequence[Move], grid: Grid, seen: Seen, since_start: Floats, shape: tuple[int, int]
) -> Stay | ForwardStay:
    """Return the table of stays that begin in one state."""
    places, none = _places(name, moves), np.zeros(1)
    ahead = grid.nodes[:, None]
    late = seen.late(name, ahead, none)
    by_place = tuple(tuple(one for one in moves if one.origin == place) for place in places)
    every = [one for out in by_place for one in out]
    if not any(one.forward for one in every):
        return stay_table(name, moves, shape, late)
    targets = tuple(dict.fromkeys(one.target for one in every if not one.continues))
    return ForwardStay(name, places, by_place, targets, late, seen.late(name, none, since_start + ahead))
