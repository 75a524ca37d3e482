"""Cumulative hazards of very many stays: the law that is slow to evaluate is read from a table by draw."""

from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.recovery.laws.families import FAMILIES, GENERALIZED_GAMMA, cumulative_hazard
from msk_reserves.recovery.laws.spline import basis, is_spline
from msk_reserves.recovery.path.draws import LawDraws, TransitionDraws

LOW, HIGH, NODES = -20.0, 16.0, 480
"""Grid of the standardised log time w: below it next to nobody has left, beyond it next to nobody is there."""

LEAST_LOG = -800.0
"""Where the hazard is zero to machine precision its log is held here."""


@dataclass(frozen=True, slots=True, eq=False)
class QuickMove:
    """Draws of one move with its tables.

    Attributes
    ----------
    move : the draws.
    row : row of the table of each draw, -1 where its law needs none; shape (n_draws,).
    scale : scale of the law of each draw that has a table; shape (n_draws,).
    table : ln H over the grid of w, shape (n_rows, NODES).
    """

    move: TransitionDraws
    row: Integers
    scale: Floats
    table: Floats


def quickened(move: TransitionDraws) -> QuickMove:
    """Tabulate the draws of a move that follow the generalized gamma law, whose hazard is incomplete gamma ratios."""
    row = np.full(len(move.law_of_draw), -1, dtype=np.int64)
    scale, tables = np.ones(len(row)), [np.zeros((0, NODES))]
    w = np.linspace(LOW, HIGH, NODES)
    for code, law in enumerate(move.laws):
        at = np.flatnonzero(move.law_of_draw == code)
        if law.family != GENERALIZED_GAMMA.name or not len(at):
            continue
        row[at] = sum(map(len, tables)) + np.arange(len(at))
        scale[at] = law.scale[at]
        with np.errstate(divide="ignore"):
            hazard = cumulative_hazard(FAMILIES[law.family], np.exp(w)[None, :], 0.0, 1.0, law.shape[at, None])
            tables.append(np.maximum(np.log(hazard), LEAST_LOG))
    return QuickMove(move, row, scale, np.minimum(np.vstack(tables), -LEAST_LOG))


def collected_from(quick: QuickMove, age: Floats, ahead: Floats, location: Floats, draw: Integers) -> Floats:
    """Return the hazard collected from each row's age on.

    Parameters
    ----------
    quick : QuickMove
        The move.
    age, location, draw : numpy.ndarray, shape (n_rows,)
        Days so far, location and draw of each row.
    ahead : numpy.ndarray, shape (n_nodes,)
        Further days, from 0.

    Returns
    -------
    numpy.ndarray, shape (n_nodes, n_rows)
        For the tabulated law by the cubic through the four nodes of ln H around each w.
    """
    reached = np.empty((len(ahead), len(age)))
    codes = quick.move.law_of_draw[draw]
    for code, law in enumerate(quick.move.laws):
        rows = np.flatnonzero(codes == code)
        if len(rows):
            some = age[rows], location[rows], draw[rows]
            reached[:, rows] = np.minimum(_reached(quick, law, ahead, some), 1e300)
    return np.asarray(reached - reached[0])


def _reached(quick: QuickMove, law: LawDraws, ahead: Floats, rows: tuple[Floats, Floats, Integers]) -> Floats:
    """Return the hazard of one law by the age and further days of rows of (age, location, draw)."""
    age, location, draw = rows
    if is_spline(law.family):
        return _along_spline(law, ahead, rows)
    days = age + ahead[:, None]
    if law.family == GENERALIZED_GAMMA.name:
        return _looked_up(quick, days, location, draw)
    every, which = np.broadcast_to(location, days.shape), np.broadcast_to(draw, days.shape)
    return law.compute("accumulate", days.ravel(), every.ravel(), which.ravel()).reshape(days.shape)


def _along_spline(law: LawDraws, ahead: Floats, rows: tuple[Floats, Floats, Integers]) -> Floats:
    """Return hazards of a spline, whose cubics are the same for rows of one age: draws of a claim, all fresh stays."""
    age, location, draw = rows
    ages, place = np.unique(age, return_inverse=True)
    with np.errstate(divide="ignore"):
        log_days = np.log(ages + ahead[:, None])
    begun = np.isfinite(log_days)
    cubics = basis(np.where(begun, log_days, 0.0).ravel(), np.log(law.cuts)).reshape(-1, *log_days.shape)
    log_hazard = np.broadcast_to(location, (len(ahead), len(age))).copy()
    for cubic, curve in zip(cubics, law.curve.T, strict=True):
        log_hazard += cubic[:, place] * curve[draw]
    with np.errstate(over="ignore"):
        return np.where(begun[:, place], np.exp(log_hazard), 0.0)


def _looked_up(quick: QuickMove, days: Floats, location: Floats, draw: Integers) -> Floats:
    """Return hazards of the tabulated law, `days` of shape (n_nodes, n_rows)."""
    with np.errstate(divide="ignore"):
        w = (np.log(days) - location) / quick.scale[draw]
    place = np.clip((w - LOW) * ((NODES - 1) / (HIGH - LOW)), 0.0, NODES - 1.0)
    node = np.clip(place.astype(np.int64), 1, NODES - 3)
    flat, at = quick.table.ravel(), quick.row[draw] * NODES + node
    before, here, after, last = flat[at - 1], flat[at], flat[at + 1], flat[at + 2]
    x = place - node
    slope = 0.5 * (after - before)
    second, third = before - 2.5 * here + 2.0 * after - 0.5 * last, 0.5 * (last - before) + 1.5 * (here - after)
    value = here + x * (slope + x * (second + x * third))
    # Below the table nobody has left, as from a move that is not open to a claim.
    return np.asarray(np.where(w > LOW, np.exp(np.minimum(value, 700.0)), 0.0))
