"""Stays under way, by the cell of days ahead in which they began: what of them is held, and has left, as days go by.

A stay begun s days ahead has lasted T - s days at T, its claim's path A + T: the hazards of moves on the clock of the
stay depend on the one, those of moves on the clock of the path (clock forward) on the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.recovery.answers.grids import Step
from msk_reserves.recovery.answers.stay_tables import MOST_HAZARD, ForwardStay, Move, Stay, stay_table

_NO_HAZARD = 1e-300


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Moves out of one place as the cohorts take them; tables have the shape (n_nodes, n_rows).

    Attributes
    ----------
    on_stay : (number of the target or place moved to, whether it is a place, cumulative hazard) of each reset move.
    on_path : the same of forward moves, hazards by cell; shape (n_cells, n_rows).
    stay_hazard, path_hazard : their sums.
    """

    on_stay: tuple[tuple[int, bool, Floats], ...]
    on_path: tuple[tuple[int, bool, Floats], ...]
    stay_hazard: Floats
    path_hazard: Floats


@dataclass(slots=True, eq=False)
class Cohorts:
    """Stays of one kind.

    Attributes
    ----------
    stay : the kind.
    where : rows of (begun, occupation, late) by state that they contribute to: by target, place and place.
    places : moves by place.
    first : what becomes of a stay in its first place under its reset moves alone.
    held : probability held by place and cell of beginning, shape (n_places, n_cells, n_rows).
    gone : probability gone to each target, shape (n_targets, n_rows).
    newest : what comes at once of one stay that begins in the cell looked at last, shape (n_channels, n_rows).
    """

    stay: ForwardStay
    where: Integers
    places: tuple[_Place, ...]
    first: Stay
    held: Floats
    gone: Floats
    newest: Floats

    def advance(self, step: Step) -> Floats:
        """Let a cell go by and return what has come of stays begun before it by its end.

        Returns
        -------
        numpy.ndarray, shape (n_channels, n_rows)
            Probability gone to each target, held in each place, and the part of that in late stays.
        """
        last, drift = step.last, step.drift
        late = self._late(last, step.before)
        inflow: dict[int, Floats] = {}
        left_at = np.ones(1)
        for row, place in enumerate(self.places):
            lost = drift @ place.stay_hazard[: last + 1]
            lost += place.path_hazard[last - 1]
            np.maximum(lost, _NO_HAZARD, out=lost)
            old, ended = self.held[row, : last - 1], np.expm1(-lost)
            exposed = ended / -lost
            # Time at risk in units of the cell: exits of each kind are its hazard times this.
            unit = old * exposed
            old += old * ended
            if row in inflow:
                later = lost * left_at
                kept = np.expm1(-later) / -later
                unit += inflow[row] * (1.0 - kept) / lost
                old += inflow[row] * kept
            # The faster a place is left the sooner in the cell: twice the mean part of it still to go, to first order.
            left_at = np.minimum(1.0 + lost / 6.0, 2.0)
            out = unit * (1.0 - late) if self.stay.told and late is not None else unit
            by_age, in_all = drift.T @ out, out.sum(axis=0)
            for to, stays_on, table in place.on_stay:
                if stays_on:
                    inflow[to] = inflow.get(to, 0.0) + unit * (drift @ table[: last + 1])
                else:
                    self.gone[to] += np.einsum("qr,qr->r", by_age, table[: last + 1])
            for to, stays_on, table in place.on_path:
                if stays_on:
                    inflow[to] = inflow.get(to, 0.0) + unit * table[last - 1]
                else:
                    self.gone[to] += in_all * table[last - 1]
        held = self.held[:, : last - 1]
        there_late = np.zeros((len(held), held.shape[2])) if late is None else np.einsum("psr,sr->pr", held, late)
        return np.concatenate([self.gone, held.sum(axis=1), there_late])

    def at_once(self, step: Step) -> Floats:
        """Return the same of a stay that begins in the cell, spread evenly over it."""
        n, m = len(self.gone), len(step.own)
        found = np.zeros((len(self.where), self.gone.shape[1]))
        flows = self._first_exits(step, found)
        for row, place in enumerate(self.places[1:], start=1):
            flow = flows.pop(row, None)
            if flow is None:
                continue
            on_stay = [(to, on, 2.0 * (step.own @ table[:m])) for to, on, table in place.on_stay]
            hazards = [*on_stay, *((to, on, table[step.last - 1]) for to, on, table in place.on_path)]
            total = sum((hazard for _, _, hazard in hazards), start=np.full(found.shape[1], _NO_HAZARD))
            # Who came after part of the cell has on average half of the rest to go.
            rest = total * np.maximum(1.0 - 0.5 * (step.parts[:-1] + step.parts[1:]), 1e-3)[:, None]
            lost = flow * (1.0 + np.expm1(-rest) / rest)
            found[n + row] += (flow - lost).sum(axis=0)
            for to, stays_on, hazard in hazards:
                out = lost * (hazard / total)
                if stays_on:
                    flows[to] = flows.get(to, 0.0) + out
                else:
                    found[to] += out.sum(axis=0)
        late = self._late(step.last, step.own[None, :])
        if late is not None:
            found[n + len(self.places) :] = found[n : n + len(self.places)] * late
            found[:n] *= 1.0 - late if self.stay.told else 1.0
        self.newest = found
        return found

    def _first_exits(self, step: Step, found: Floats) -> dict[int, Floats]:
        """Fill in what one stay begun in the cell comes to in its first place; return what flows on to other places.

        The flows are by place and cell of days in the stay, shape (m - 1, n_rows).
        """
        n, m, place = len(self.gone), len(step.own), self.places[0]
        on_path = np.exp(-step.parts[:, None] * place.path_hazard[step.last - 1])
        there = self.first.held[0, :m] * on_path
        found[n] = step.own @ there
        exposed = (0.5 * step.beyond * np.diff(step.parts))[:, None] * (there[1:] + there[:-1])
        weights = (0.5 * step.beyond)[:, None] * (on_path[1:] + on_path[:-1])
        exits = [
            (to, stays_on, weights * np.diff(left[:m], axis=0))
            for (to, stays_on, _), left in zip(place.on_stay, self.first.left, strict=True)
        ]
        exits += [(to, stays_on, exposed * table[step.last - 1]) for to, stays_on, table in place.on_path]
        total = sum((out.sum(axis=0) for _, _, out in exits), start=np.zeros(found.shape[1]))
        scale = np.divide(1.0 - found[n], total, out=np.zeros_like(total), where=total > 0)
        flows: dict[int, Floats] = {}
        for to, stays_on, out in exits:
            if stays_on:
                flows[to] = flows.get(to, 0.0) + scale * out
            else:
                found[to] += scale * out.sum(axis=0)
        return flows

    def enter(self, step: Step, entered: Floats) -> None:
        """Take in the stays that begin in the cell for which `at_once` was asked."""
        n = len(self.gone)
        self.gone += self.newest[:n] * entered
        self.held[:, step.last - 1] = self.newest[n : n + len(self.places)] * entered

    def _late(self, last: int, weights: Floats) -> Floats | None:
        """Return the part of stays begun in each cell that is late at node `last`, None where none is.

        `weights` are those of the nodes, by cell.
        """
        on_stay, on_path = self.stay.late[: weights.shape[1]], self.stay.path_late[last]
        if not (on_stay.any() or on_path.any()):
            return None
        found: Floats = np.maximum(weights @ on_stay.astype(np.float64), on_path.astype(np.float64))
        return found


def cohorts_of(stay: ForwardStay, index: Mapping[str, int], shape: tuple[int, int]) -> Cohorts:
    """Return cohorts of one kind of stay, none begun yet.

    Parameters
    ----------
    stay : ForwardStay
        The kind.
    index : mapping of str to int
        Number of each state.
    shape : tuple of int
        (n_nodes, n_rows).
    """
    n = shape[0]
    targets, places = [index[name] for name in stay.targets], [index[name] for name in stay.places]
    rows = (targets, [len(index) + row for row in places], [2 * len(index) + row for row in places])
    reset = [replace(one, hazard=one.hazard[:n], continues=False) for one in stay.moves[0] if not one.forward]
    return Cohorts(
        stay=stay,
        where=np.array([row for group in rows for row in group], dtype=np.int64),
        places=tuple(_place(moves, stay, shape) for moves in stay.moves),
        first=stay_table(stay.entry, reset, shape, stay.late[:n]),
        held=np.zeros((len(places), n - 1, shape[1])),
        gone=np.zeros((len(targets), shape[1])),
        newest=np.zeros((0, shape[1])),
    )


def _place(moves: Sequence[Move], stay: ForwardStay, shape: tuple[int, int]) -> _Place:
    """Lay the moves out of a place out."""
    on_stay, on_path = [], []
    for one in moves:
        to = stay.places.index(one.target) if one.continues else stay.targets.index(one.target)
        table = np.minimum(one.hazard[: shape[0]], MOST_HAZARD)
        if one.forward:
            on_path.append((to, one.continues, np.diff(table, axis=0)))
        else:
            on_stay.append((to, one.continues, table))
    stay_hazard = np.zeros(shape) + sum(table for _, _, table in on_stay)
    path_hazard = np.zeros((shape[0] - 1, shape[1])) + sum(table for _, _, table in on_path)
    return _Place(tuple(on_stay), tuple(on_path), stay_hazard, path_hazard)
