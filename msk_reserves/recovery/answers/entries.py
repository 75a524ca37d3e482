"""What comes of stays in the very cell of days ahead in which they begin."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.recovery.answers.grids import Steps
from msk_reserves.recovery.answers.stay_tables import MOST_HAZARD, ForwardStay, Move, Stay

NO_HAZARD = 1e-300
"""Hazards over a cell are this at least, so that they can be divided by."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Moves out of one place of a stay; tables have the shape (n_nodes, n_rows).

    Attributes
    ----------
    on_stay : (number of the target or place moved to, whether it is a place, cumulative hazard) of each reset move.
    on_path : the same of forward moves, hazards by cell; shape (n_cells, n_rows).
    path_hazard : the sum of the latter.
    stay_fall, path_fall : less the sums, the second not quite zero, so that it can be divided by.
    goes_on : whether the stay may go on in another place.
    """

    on_stay: tuple[tuple[int, bool, Floats], ...]
    on_path: tuple[tuple[int, bool, Floats], ...]
    path_hazard: Floats
    stay_fall: Floats
    path_fall: Floats
    goes_on: bool


def place_of(moves: Sequence[Move], stay: ForwardStay, shape: tuple[int, int]) -> Place:
    """Lay the moves out of a place of a stay out, on (n_nodes, n_rows)."""
    tables: tuple[dict[tuple[int, bool], Floats], ...] = ({}, {})
    for one in moves:
        to = stay.places.index(one.target) if one.continues else stay.targets.index(one.target)
        table = np.minimum(one.hazard[: shape[0]], MOST_HAZARD)
        table = np.diff(table, axis=0) if one.forward else table
        # Of a move with laws by level there are several, all but one without hazard.
        known = tables[one.forward]
        known[to, one.continues] = known.get((to, one.continues), 0.0) + table
    on_stay, on_path = ([(*key, table) for key, table in each.items()] for each in tables)
    stay_hazard = np.zeros(shape) + sum(table for _, _, table in on_stay)
    path_hazard = np.zeros((shape[0] - 1, shape[1])) + sum(table for _, _, table in on_path)
    goes_on = any(one.continues for one in moves)
    return Place(tuple(on_stay), tuple(on_path), path_hazard, -stay_hazard, -NO_HAZARD - path_hazard, goes_on)


def entries_of(stay: ForwardStay, places: Sequence[Place], first: Stay, cells: Steps) -> Floats:
    """Return what has come, at the end of each cell, of one stay that begins in it, spread evenly over it.

    Parameters
    ----------
    stay : ForwardStay
        The kind of stay.
    places : sequence of Place
        The moves out of its places.
    first : Stay
        What becomes of it in its first place under its reset moves alone.
    cells : Steps
        The grid.

    Returns
    -------
    numpy.ndarray, shape (n_cells, n_channels, n_rows)
        Probability gone to each target, held in each place, and the part of that in late stays.

    Notes
    -----
    Forward moves are taken as constant over the cell. Of those who stay, leave, or are at risk under the reset moves
    alone, they spare the share (1 - exp(-2 D m)) / (2 D m), D their hazard and m the mean days in the stay in widths of
    the cell: right to the second order of D.
    """
    path = places[0].path_hazard
    n_nodes, n, n_places = len(path) + 1, len(stay.targets), len(places)
    own, at_risk, rise_part = (table[: n_nodes - 1, :n_nodes] for table in (cells.own, cells.at_risk, cells.rise_part))
    found = np.zeros((n_nodes - 1, n + 2 * n_places, path.shape[1]))
    there = first.held[0]
    found[:, n] = _spared(own @ there, cells.own_part[: n_nodes - 1, :n_nodes] @ there, path)
    exposed, exposed_part = at_risk @ there, cells.at_risk_part[: n_nodes - 1, :n_nodes] @ there
    when = exposed_part / np.maximum(exposed, NO_HAZARD)
    exposed = _spared(exposed, exposed_part, path)
    exits: list[tuple[int, bool, Floats, Floats]] = []
    for (to, stays_on, _), left in zip(places[0].on_stay, first.left, strict=True):
        gone, gone_part = own @ left, rise_part @ left
        exits.append((to, stays_on, _spared(gone, gone_part, path), gone_part / np.maximum(gone, NO_HAZARD)))
    exits += [(to, stays_on, exposed * table, when) for to, stays_on, table in places[0].on_path]
    total = np.zeros_like(path) + sum(out for _, _, out, _ in exits)
    scale = np.divide(1.0 - found[:, n], total, out=np.zeros_like(total), where=total > 0)
    for to, stays_on, out, part in exits:
        if stays_on:
            _flow_on(found, places, (to, scale * out, part), own, n)
        else:
            found[:, to] += scale * out
    on_stay, on_path = (table[:n_nodes].astype(np.float64) for table in (stay.late, stay.path_late))
    late = np.maximum(own @ on_stay, on_path[1:])[:, None]
    if late.any():
        found[:, n + n_places :] = found[:, n : n + n_places] * late
        found[:, :n] *= 1.0 - late if stay.told else 1.0
    return found


def _spared(share: Floats, by_part: Floats, hazard: Floats) -> Floats:
    """Return what forward moves spare of a share, given its integral over the days in the stay."""
    lost = np.maximum(2.0 * hazard * by_part / np.maximum(share, NO_HAZARD), NO_HAZARD)
    return np.asarray(share * (-np.expm1(-lost) / lost))


def _flow_on(
    found: Floats, places: Sequence[Place], flow: tuple[int, Floats, Floats], own: Floats, n_targets: int
) -> None:
    """Let a flow to another place of the stay, after some part of the cell, be held there or go on from it."""
    row, inflow, part = flow
    place = places[row]
    hazards = [(to, stays_on, 2.0 * (own @ table)) for to, stays_on, table in place.on_stay] + list(place.on_path)
    total = NO_HAZARD + sum((hazard for _, _, hazard in hazards), start=np.zeros_like(inflow))
    rest = total * np.maximum(1.0 - part, 1e-3)
    lost = inflow * (1.0 + np.expm1(-rest) / rest)
    found[:, n_targets + row] += inflow - lost
    for to, stays_on, hazard in hazards:
        out = lost * (hazard / total)
        if stays_on:
            _flow_on(found, places, (to, out, 0.5 * (1.0 + part)), own, n_targets)
        else:
            found[:, to] += out
