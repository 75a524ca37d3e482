"""Which categories an account's payments are made of, by group of cells."""

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.vocabulary import CATEGORY_NAMES
from msk_reserves.cost.cells import KIND_OF_STATE, KINDS, CellGrid

PRIOR_PAYMENTS = 100.0
"""Payments at which a group's own mix counts as much as its parent's."""


def category_shares(cell: Integers, category: Integers, amount: Floats, grid: CellGrid) -> Floats:
    """Return the share of each category in the payments of each group of cells.

    A group's mix is weighed against that of its kind of state, and that against the mix of all, by the number of
    payments; a category whose payments sum below zero counts as zero.

    Parameters
    ----------
    cell : cell of each payment, shape (n_payments,).
    category : code of its category.
    amount : dollars.
    grid : the cells.

    Returns
    -------
    numpy.ndarray
        Rows that sum to 1, shape (n_groups, n_categories).
    """
    n = len(CATEGORY_NAMES)
    flat = (cell // grid.n_bins) * n + category
    dollars = np.bincount(flat, amount, minlength=grid.n_groups * n).reshape(grid.n_groups, n)
    payments = np.bincount(flat, minlength=grid.n_groups * n).reshape(grid.n_groups, n).sum(axis=1)
    everything = _mix(dollars.sum(axis=0), np.full(n, 1.0 / n), np.inf)
    kind_of_group = np.repeat(KIND_OF_STATE, grid.n_groups // len(KIND_OF_STATE))
    shares = np.empty((grid.n_groups, n))
    for kind in range(len(KINDS)):
        groups = np.flatnonzero(kind_of_group == kind)
        parent = _mix(dollars[groups].sum(axis=0), everything, float(payments[groups].sum()))
        for group in groups:
            shares[group] = _mix(dollars[group], parent, float(payments[group]))
    return shares


def _mix(dollars: Floats, parent: Floats, payments: float) -> Floats:
    """Return the mix of `dollars` weighed against the parent's by the number of payments."""
    positive = np.maximum(dollars, 0.0)
    if positive.sum() <= 0:
        return parent
    weight = 1.0 if np.isinf(payments) else payments / (payments + PRIOR_PAYMENTS)
    mixed: Floats = weight * positive / positive.sum() + (1.0 - weight) * parent
    return mixed
