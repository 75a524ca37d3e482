"""Stays under way, by the cell of days ahead in which they began: what of them is held, and has left, as days go by.

A stay begun s days ahead has lasted T - s days at T, its claim's path A + T: the hazards of moves on the clock of the
stay depend on the one, those of moves on the clock of the path (clock forward) on the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.recovery.answers.entries import Place, entries_of, place_of
from msk_reserves.recovery.answers.grids import Steps
from msk_reserves.recovery.answers.stay_tables import ForwardStay, stay_table


@dataclass(slots=True, eq=False)
class Cohorts:
    """Stays of one kind.

    Attributes
    ----------
    stay : the kind.
    cells : the grid.
    where : rows of (begun, occupation, late) by state that they contribute to: by target, place and place.
    places : moves by place.
    entries : what comes, by the end of each cell, of one stay that begins in it, shape (n_cells, n_channels, n_rows).
    held : probability held by place and cohort, those of the earliest cells first; shape (n_places, n_cells, n_rows).
    gone : probability gone to each target, shape (n_targets, n_rows).
    span : the first cell in which stays of the kind may begin, and the one after the last.
    begun : whether each cohort may hold any.
    """

    stay: ForwardStay
    cells: Steps
    where: Integers
    places: tuple[Place, ...]
    entries: Floats
    held: Floats
    gone: Floats
    span: tuple[int, int]
    begun: Booleans

    def advance(self, cell: int) -> Floats:
        """Let a cell go by and return what has come of stays begun before it by its end.

        Returns
        -------
        numpy.ndarray, shape (n_channels, n_rows)
            Probability gone to each target, held in each place, and the part of that in late stays.
        """
        self._join(cell)
        some = np.flatnonzero(self.begun)
        if not len(some):
            return np.zeros((len(self.where), self.held.shape[2]))
        cohorts, late = slice(some[0], some[-1] + 1), self._late(cell)
        drift, late = self.cells.drift[cell][cohorts], None if late is None else late[cohorts]
        inflow: dict[int, Floats] = {}
        left_at = np.ones(1)
        for row, place in enumerate(self.places):
            # The hazard collected in the cell, below zero.
            lost = drift @ place.stay_fall[: cell + 2]
            lost += place.path_fall[cell]
            # Time at risk in units of the cell: exits of each kind are its hazard times this.
            unit = np.expm1(lost)
            unit /= lost
            old = self.held[row, cohorts]
            unit *= old
            old += unit * lost
            if row in inflow:
                kept = np.expm1(lost * left_at)
                kept /= lost * left_at
                old += inflow[row] * kept
                kept -= 1.0
                kept /= lost
                unit += inflow[row] * kept
            if place.goes_on:
                # The faster a place is left the sooner in the cell: twice the mean part still to go, to first order.
                left_at = np.minimum(1.0 - lost / 6.0, 2.0)
            out = unit * (1.0 - late) if self.stay.told and late is not None else unit
            by_age, in_all = drift.T @ out, out.sum(axis=0)
            for to, stays_on, table in place.on_stay:
                if stays_on:
                    inflow[to] = inflow.get(to, 0.0) + unit * (drift @ table[: cell + 2])
                else:
                    self.gone[to] += np.einsum("qr,qr->r", by_age, table[: cell + 2])
            for to, stays_on, table in place.on_path:
                if stays_on:
                    inflow[to] = inflow.get(to, 0.0) + unit * table[cell]
                else:
                    self.gone[to] += in_all * table[cell]
        held = self.held[:, cohorts]
        there_late = np.zeros((len(held), held.shape[2])) if late is None else np.einsum("psr,sr->pr", held, late)
        return np.concatenate([self.gone, held.sum(axis=1), there_late])

    def enter(self, cell: int, entered: Floats) -> None:
        """Take in the stays that begin in a cell."""
        n = len(self.gone)
        self.gone += self.entries[cell, :n] * entered
        latest = len(self.cells.joined[cell])
        self.held[:, latest] = self.entries[cell, n : n + len(self.places)] * entered
        self.begun = np.append(self.begun, self.span[0] <= cell < self.span[1])

    def _join(self, cell: int) -> None:
        """Join cohorts of neighbouring cells that a cell no longer needs to tell apart."""
        n, before = self.cells.joined[cell].shape
        if n < before:
            self.held[:, :n] = self.cells.joined[cell] @ self.held[:, :before]
            self.begun = self.cells.joined[cell] @ self.begun > 0

    def _late(self, cell: int) -> Floats | None:
        """Return the part of each cohort that is late at the end of a cell, None where none is."""
        on_stay, on_path = self.stay.late[: cell + 2], self.stay.path_late[cell + 1]
        if not (on_stay.any() or on_path.any()):
            return None
        weights = self.cells.cohort[cell]
        found: Floats = np.maximum(weights @ on_stay.astype(np.float64), on_path.astype(np.float64))
        return found


def cohorts_of(
    stay: ForwardStay, index: Mapping[str, int], shape: tuple[int, int], cells: Steps, span: tuple[int, int]
) -> Cohorts:
    """Return cohorts of one kind of stay, none begun yet.

    Parameters
    ----------
    stay : ForwardStay
        The kind.
    index : mapping of str to int
        Number of each state.
    shape : tuple of int
        (n_nodes, n_rows).
    cells : Steps
        The grid.
    span : tuple of int
        The first cell in which such stays may begin, and the one after the last.
    """
    n = shape[0]
    targets, numbers = [index[name] for name in stay.targets], [index[name] for name in stay.places]
    rows = (targets, [len(index) + row for row in numbers], [2 * len(index) + row for row in numbers])
    reset = [replace(one, hazard=one.hazard[:n], continues=False) for one in stay.moves[0] if not one.forward]
    places = tuple(place_of(moves, stay, shape) for moves in stay.moves)
    return Cohorts(
        stay=stay,
        cells=cells,
        where=np.array([row for group in rows for row in group], dtype=np.int64),
        places=places,
        entries=entries_of(stay, places, stay_table(stay.entry, reset, shape, stay.late[:n]), cells),
        held=np.zeros((len(numbers), n - 1, shape[1])),
        gone=np.zeros((len(targets), shape[1])),
        span=span,
        begun=np.zeros(0, dtype=np.bool_),
    )
