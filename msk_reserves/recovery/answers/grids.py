"""Grids of days ahead on which the states of a process are solved."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from msk_reserves._checks import Floats, frozen, positive, whole

CELLS = 48
"""Cells of the default grid; four times as many move answers by some thousandths."""

FINE_DAYS = 10.0
"""Days ahead from which the cells of the default grid widen in proportion to the days."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One cell of a grid, and the nodes of stays begun in it and in the cells before, at its end.

    Row n of a matrix holds the mean, over s in cell n, of the hat function of each node at T - s. So for a function F
    given at the nodes and straight between them, and mass m_n spread evenly over each cell, the convolution at T is
    m @ matrix @ F.

    Attributes
    ----------
    last : number l of the node T at which the cell ends.
    before : weights of the nodes for what began in the cells before it, shape (l - 1, l + 1); rows sum to one.
    drift : how far they moved while it went by, of the same shape; rows sum to zero.
    own : weights of the nodes for what began in it, of the first nodes only; sum to one. Shape (m,).
    beyond : what of it has been in its stay for longer than each of those nodes but the last, shape (m - 1,).
    parts : days of those nodes in widths of the cell, shape (m,).
    """

    last: int
    before: Floats
    drift: Floats
    own: Floats
    beyond: Floats
    parts: Floats


@lru_cache(maxsize=8)
def _steps(nodes: tuple[float, ...]) -> tuple[Step, ...]:
    """Return the steps of a grid with some nodes."""
    days = np.array(nodes)
    width = np.diff(days)
    found: list[Step] = []
    earlier = np.zeros((0, 1))
    for last in range(1, len(days)):
        x = (days[last] - days[: last + 1])[:, None]
        integral = np.zeros((last + 1, last + 1))
        rising = np.clip(x - days[:last], 0.0, width[:last])
        integral[:, 1:] += rising**2 / (2.0 * width[:last])
        integral[:, :-1] += rising - rising**2 / (2.0 * width[:last])
        hats = (integral[:-1] - integral[1:]) / width[:last, None]
        drift = hats[:-1].copy()
        drift[:, :last] -= earlier
        own = hats[-1, : np.flatnonzero(hats[-1])[-1] + 1]
        beyond, parts = np.cumsum(own[:0:-1])[::-1], days[: len(own)] / width[last - 1]
        for table in (hats, drift, beyond, parts):
            table.flags.writeable = False
        found.append(Step(last, hats[:-1], drift, own, beyond, parts))
        earlier = hats
    return tuple(found)


def steps(grid: Grid) -> tuple[Step, ...]:
    """Return the cells of a grid in order, each with the matrices of a convolution at its end."""
    return _steps(tuple(grid.nodes.tolist()))
