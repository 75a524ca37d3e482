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
class Steps:
    """The cells of a grid one after the other, and the nodes of stays by the cell in which they began.

    A row of weights holds the mean, over s in a cell, of the hat function of each node at T - s, T the end of the same
    or a later cell. So for a function F given at the nodes and straight between them, and mass m_n spread evenly over
    each cell, the convolution at T is m @ weights @ F.

    Attributes
    ----------
    before : for the cell numbered l, weights at its end for what began in the l cells before it, shape (l, l + 2).
    joined : for each cell, which cohorts of the cell before, and the latest cell as one more, are one: neighbours
        together no wider than the cell itself; ones and zeros, shape (n_cohorts, n_cohorts before + 1).
    cohort : `before` of what is joined, as if spread evenly; shape (n_cohorts, l + 2).
    drift : how far the weights of cohorts moved while the cell went by, of the same shapes; rows sum to zero.
    own : weights at its end for what began in the cell itself, shape (n_cells, n_nodes).
    own_part : those of a function times the days in the stay, in widths of the cell.
    at_risk, at_risk_part : those of the integral over the stay so far, in widths of the cell, of a function, and of it
        times the days in the stay.
    rise_part : those of the integral of the days in the stay over the rise of a function.
    """

    before: tuple[Floats, ...]
    joined: tuple[Floats, ...]
    cohort: tuple[Floats, ...]
    drift: tuple[Floats, ...]
    own: Floats
    own_part: Floats
    at_risk: Floats
    at_risk_part: Floats
    rise_part: Floats


@lru_cache(maxsize=8)
def _steps(nodes: tuple[float, ...]) -> Steps:
    """Return the steps of a grid with some nodes."""
    days = np.array(nodes)
    width = np.diff(days)
    before, moved = [], []
    own = np.zeros((len(width), len(days)))
    earlier = np.zeros((0, 1))
    for last in range(1, len(days)):
        x = (days[last] - days[: last + 1])[:, None]
        integral = np.zeros((last + 1, last + 1))
        rising = np.clip(x - days[:last], 0.0, width[:last])
        integral[:, 1:] += rising**2 / (2.0 * width[:last])
        integral[:, :-1] += rising - rising**2 / (2.0 * width[:last])
        hats = (integral[:-1] - integral[1:]) / width[:last, None]
        before.append(hats[:-1])
        moved.append(hats[:-1].copy())
        moved[-1][:, :last] -= earlier
        own[last - 1, : last + 1] = hats[-1]
        earlier = hats
    part = days / width[:, None]
    # What has been in its stay for longer than each node but the last.
    beyond = np.cumsum(own[:, :0:-1], axis=1)[:, ::-1]
    middle, lengths = 0.5 * (part[:, 1:] + part[:, :-1]), np.diff(part, axis=1)
    at_risk, at_risk_part, rise_part = (np.zeros_like(own) for _ in range(3))
    for table, by_part in ((at_risk, 0.5 * beyond * lengths), (at_risk_part, 0.5 * beyond * lengths * middle)):
        table[:, 1:] += by_part
        table[:, :-1] += by_part
    rise_part[:, 1:] += beyond * middle
    rise_part[:, :-1] -= beyond * middle
    tables = (own, own * part, at_risk, at_risk_part, rise_part)
    joined, shares = _joined(width)
    cohort: list[Floats] = [a @ b for a, b in zip(shares, before, strict=True)]
    drift: list[Floats] = [a @ b for a, b in zip(shares, moved, strict=True)]
    for one in (*before, *joined, *cohort, *drift, *tables):
        one.flags.writeable = False
    return Steps(tuple(before), tuple(joined), tuple(cohort), tuple(drift), *tables)


def _joined(width: Floats) -> tuple[list[Floats], list[Floats]]:
    """Return by cell which cohorts are one, as `Steps.joined`, and the share of each earlier cell in its cohort."""
    joined, shares = [], []
    groups: list[list[int]] = []
    for cell in range(len(width)):
        groups = [*groups, [cell - 1]] if cell else []
        together: list[list[int]] = []
        part_of = []
        for group in groups:
            if together and width[[*together[-1], *group]].sum() <= width[cell]:
                together[-1] = [*together[-1], *group]
            else:
                together.append(group)
            part_of.append(len(together) - 1)
        groups = together
        share = np.zeros((len(groups), cell))
        for row, group in enumerate(groups):
            share[row, group] = width[group] / width[group].sum()
        joined.append((np.arange(len(groups))[:, None] == np.array(part_of)[None, :]).astype(np.float64))
        shares.append(share)
    return joined, shares


def steps(grid: Grid) -> Steps:
    """Return the cells of a grid with the weights of convolutions at the end of each."""
    return _steps(tuple(grid.nodes.tolist()))
