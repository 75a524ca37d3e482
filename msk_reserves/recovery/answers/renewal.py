"""Where a worker is later: occupation of the states of a semi-Markov process, by renewal equations.

With `N_k(T)` the expected number of stays in state k begun within T days, `F_ik` the probability that a stay begun in i
has ended by a move to k, and `S_ij` that it is still held in j, for a claim found in the stay 0:

    N_k(T) = F_0k(T) + sum_i int_0^T F_ik(T - s) dN_i(s)
    P_j(T) = S_0j(T) + sum_i int_0^T S_ij(T - s) dN_i(s)

(Markov renewal equations; Çinlar 1969.) The numbers N are spread evenly over each
cell of the grid and F, S are straight between nodes, which is of second order in the width of the cells. Whatever the
width, the P_j add up to one, since S and F of each stay do. Stays that may end by moves on the clock of the path have
no such tables, and are followed by the cell in which they began (`cohorts`). Where hazards depend on how late a stay
began, in steps, stays of a state are as many kinds as there are steps, and a cell in two of them begins stays of both,
in proportion to its parts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.recovery.answers.cohorts import Cohorts, cohorts_of
from msk_reserves.recovery.answers.grids import Grid, Steps, steps
from msk_reserves.recovery.answers.moves_within import factored
from msk_reserves.recovery.answers.stay_tables import ForwardStay, Later, Stay, SteppedStay


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
    fresh: Mapping[str, Later],
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
    fresh : mapping of str to Stay, ForwardStay or SteppedStay
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
    >>> from msk_reserves.recovery.answers.grids import graded_grid
    >>> from msk_reserves.recovery.answers.stay_tables import KnownMove, known_stays
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
    total = np.zeros((3 * len(states), n, now.held.shape[2]))
    where, values = _channels(now, index, n)
    total[where] += values
    if followed:
        _follow(grid, followed, index, total)
    begun, occupation, late = total.reshape(3, len(states), *total.shape[1:])
    # Who enters a state that is followed no further stays in it.
    ends = sorted(set(index.values()) - {index[stay.entry] for stay in followed})
    occupation[ends] += begun[ends]
    return Ahead(states, occupation, late, begun)


def _channels(stay: Stay, index: Mapping[str, int], n: int) -> tuple[Integers, Floats]:
    """Return what one stay contributes to: rows of (begun, occupation, late) by state, and its tables stacked."""
    targets, places = ([index[name] for name in names] for names in (stay.targets, stay.places))
    rows, parts = [targets, [len(index) + row for row in places]], [stay.left[:, :n], stay.held[:, :n]]
    if stay.late[:n].any():
        rows.append([2 * len(index) + row for row in places])
        parts.append(stay.held[:, :n] * stay.late[:n])
    return np.array([row for group in rows for row in group], dtype=np.int64), np.concatenate(parts)


@dataclass(slots=True, eq=False)
class _Tabled:
    """Stays whose tables do not depend on when they begin.

    Attributes
    ----------
    cells : the grid.
    where : rows they contribute to.
    values : their tables, shape (n_channels, n_nodes, n_rows).
    entries : what comes, by the end of each cell, of one that begins in it, shape (n_cells, n_channels, n_rows).
    begun : how many began by cell, shape (n_cells, n_rows).
    span : the first cell in which they may begin, and the one after the last.
    """

    cells: Steps
    where: Integers
    values: Floats
    entries: Floats
    begun: Floats
    span: tuple[int, int]

    def advance(self, cell: int) -> Floats:
        """Return what has come, at the end of a cell, of stays begun before it, as `Cohorts.advance`."""
        first, last = self.span[0], min(self.span[1], cell)
        if first >= last:
            return np.zeros((len(self.where), self.begun.shape[1]))
        weights, nodes = self.cells.before[cell][first:last], slice(0, cell + 2)
        if (first, last) != (0, cell):
            # Days in the stay that none of these has lasted weigh nothing.
            some = np.flatnonzero(weights.any(axis=0))
            nodes = slice(some[0], some[-1] + 1)
        spread = weights[:, nodes].T @ self.begun[first:last]
        return np.asarray(np.einsum("cqr,qr->cr", self.values[:, nodes], spread))

    def enter(self, cell: int, entered: Floats) -> None:
        """Take in the stays that begin in a cell."""
        self.begun[cell] = entered


@dataclass(slots=True, eq=False)
class _ByStep:
    """Stays of one state by the step in which they begin.

    Attributes
    ----------
    kinds : the stays that begin in each step.
    shares : the share of each cell that lies in each, shape (n_kinds, n_cells, n_rows).
    where : rows they contribute to.
    entries : what comes, by the end of each cell, of one that begins in it, shape (n_cells, n_channels, n_rows).
    """

    kinds: "tuple[_Tabled | Cohorts, ...]"
    shares: Floats
    where: Integers
    entries: Floats

    def advance(self, cell: int) -> Floats:
        """Return what has come, at the end of a cell, of stays begun before it, as `Cohorts.advance`."""
        come = self.kinds[0].advance(cell)
        for one in self.kinds[1:]:
            come = come + one.advance(cell)
        return come

    def enter(self, cell: int, entered: Floats) -> None:
        """Take in the stays that begin in a cell, those of a cell in two steps in proportion to its parts."""
        for one, share in zip(self.kinds, self.shares[:, cell], strict=True):
            one.enter(cell, share * entered)


def _flow(stay: Later, index: Mapping[str, int], shape: tuple[int, int], grid: Grid) -> "_Tabled | Cohorts | _ByStep":
    """Return the stays of a state, none begun yet; `shape` is (n_nodes, n_rows)."""
    n = shape[0]
    if not isinstance(stay, SteppedStay):
        return _of_kind(stay, index, shape, steps(grid), (0, n - 1))
    shares = stay.shares(grid.nodes[:n])
    reached = [np.flatnonzero(share.any(axis=1)) for share in shares]
    used = [row for row, cells in enumerate(reached) if len(cells)]
    spans = [(int(reached[row][0]), int(reached[row][-1]) + 1) for row in used]
    kinds = tuple(
        _of_kind(stay.kinds[row], index, shape, steps(grid), span) for row, span in zip(used, spans, strict=True)
    )
    entries = np.zeros_like(kinds[0].entries)
    for one, row, (first, last) in zip(kinds, used, spans, strict=True):
        entries[first:last] += shares[row, first:last, None] * one.entries[first:last]
    return _ByStep(kinds, shares[used], kinds[0].where, entries)


def _of_kind(
    stay: Stay | ForwardStay, index: Mapping[str, int], shape: tuple[int, int], cells: Steps, span: tuple[int, int]
) -> "_Tabled | Cohorts":
    """Return stays of one kind, none begun yet."""
    if isinstance(stay, ForwardStay):
        return cohorts_of(stay, index, shape, cells, span)
    n = shape[0]
    where, values = _channels(stay, index, n)
    entries = np.matmul(cells.own[: n - 1, :n], values).transpose(1, 0, 2)
    return _Tabled(cells, where, values, entries, np.zeros((n - 1, values.shape[2])), span)


def _follow(grid: Grid, stays: Sequence[Later], index: Mapping[str, int], total: Floats) -> None:
    """Add to `total`, shape (3 n_states, n_nodes, n_rows), what comes of the stays entered, cell by cell.

    What enters one state in a cell may leave it for the next within the same cell, so the numbers that enter in a cell
    solve a linear system in each row.
    """
    n, n_rows = total.shape[1:]
    entry = [index[stay.entry] for stay in stays]
    flows = [_flow(stay, index, (n, n_rows), grid) for stay in stays]
    place = {state: row for row, state in enumerate(entry)}
    at_once = factored(
        len(flows),
        n - 1,
        {
            (place[state], row): one.entries[:, channel]
            for row, one in enumerate(flows)
            for channel, state in enumerate(one.where.tolist())
            if state in place
        },
    )
    for cell in range(n - 1):
        for one in flows:
            total[one.where, cell + 1] += one.advance(cell)
        entered = at_once.solved(cell, total[entry, cell + 1] - total[entry, cell])
        for one, new in zip(flows, entered, strict=True):
            one.enter(cell, new)
            total[one.where, cell + 1] += one.entries[cell] * new


def _reachable(
    now: Stay, fresh: Mapping[str, Later], stop_at: Collection[str]
) -> tuple[tuple[str, ...], tuple[Later, ...]]:
    """Return the states that can be reached, and the stays followed on from those entered."""
    states = dict.fromkeys((*now.places, *now.targets))
    followed: dict[str, Later] = {}
    waiting = list(now.targets)
    while waiting:
        name = waiting.pop(0)
        if name in followed or name in stop_at or name not in fresh:
            continue
        followed[name] = fresh[name]
        states |= dict.fromkeys((*fresh[name].places, *fresh[name].targets))
        waiting += fresh[name].targets
    return tuple(states), tuple(followed.values())
