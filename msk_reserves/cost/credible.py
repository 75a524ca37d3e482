"""Payment rates of cells, each as close to its own experience as that experience is credible."""

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.cost.cells import KIND_OF_STATE, KINDS, CellGrid

CELL_CV = 3.0
"""Coefficient of variation of a cell's rate about that of its parent, before payments are seen."""

BIN_CV = 3.0
"""The same for the rate of a bin of days about that of the bin before."""


LIFELONG = ("permanent total", "dead")
"""Kinds of state in which benefits are paid at one rate for as long as they are owed, whatever the days so far."""


def credible_rates(paid: Floats, days: Floats, grid: CellGrid, dispersion: float, *, lifelong: bool = False) -> Floats:
    """Return the payment rate of each cell, its experience weighed against its parent's.

    A cell with expected payments m at its parent's rate has the credibility m / (m + K), K the dispersion over the
    squared coefficient of variation about the parent: a gamma prior. Parents, from the bottom: the
    cell over all bands of earlier days off; over operated or not; over the states of its kind; the same kind in the
    bin before; the kind over all bins. Where benefits are lifelong, kinds in `LIFELONG` have one rate. Then each
    kind's rates are scaled so that they reproduce its payments: credibility moves dollars between the cells of a kind
    and never into or out of it.

    Parameters
    ----------
    paid : payments by cell, shape (..., n_cells).
    days : days by cell, each claim's times its relativity, shape (..., n_cells).
    grid : the cells.
    dispersion : variance over mean of payments, in the units of `paid`.
    lifelong : whether the payments are benefits owed for life in the kinds of `LIFELONG`.

    Returns
    -------
    numpy.ndarray
        Payments a day, never negative, shape (..., n_cells).
    """
    y = paid.reshape(*paid.shape[:-1], *grid.shape)
    e = days.reshape(*days.shape[:-1], *grid.shape)
    shrink = dispersion / CELL_CV**2
    rates = np.zeros_like(e)
    for kind in range(len(KINDS)):
        states = kind == KIND_OF_STATE
        own_y, own_e = y[..., states, :, :, :], e[..., states, :, :, :]
        if lifelong and KINDS[kind] in LIFELONG:
            days_in_all = own_e.sum((-4, -3, -2, -1))
            one = np.where(
                days_in_all > 0, own_y.sum((-4, -3, -2, -1)) / np.where(days_in_all > 0, days_in_all, 1.0), 0.0
            )
            rates[..., states, :, :, :] = np.maximum(one, 0.0)[..., None, None, None, None]
            continue
        bins = _bin_rates(own_y.sum((-4, -3, -2)), own_e.sum((-4, -3, -2)), dispersion / BIN_CV**2)
        by_state = _toward(own_y.sum((-3, -2)), own_e.sum((-3, -2)), bins[..., None, :], shrink)
        by_operated = _toward(own_y.sum(-2), own_e.sum(-2), by_state[..., None, :], shrink)
        by_band = _toward(own_y, own_e, by_operated[..., None, :], shrink)
        total = own_y.sum((-4, -3, -2, -1))
        fitted = (by_band * own_e).sum((-4, -3, -2, -1))
        factor = np.where((total > 0) & (fitted > 0), total / np.where(fitted > 0, fitted, 1.0), 1.0)
        rates[..., states, :, :, :] = by_band * factor[..., None, None, None, None]
    return rates.reshape(days.shape)


def _toward(paid: Floats, days: Floats, parent: Floats, shrink: float) -> Floats:
    """Return rates between their own experience and the parent's."""
    expected = parent * days
    weight = np.where(expected + shrink > 0, expected + shrink, 1.0)
    rate: Floats = np.where(expected > 0, np.maximum(parent * (paid + shrink) / weight, 0.0), parent)
    return rate


def _bin_rates(paid: Floats, days: Floats, shrink: float) -> Floats:
    """Return the rate of each bin of a kind of state, drawn toward that of the bin before."""
    all_days = days.sum(-1)
    parent = np.maximum(np.where(all_days > 0, paid.sum(-1) / np.where(all_days > 0, all_days, 1.0), 0.0), 0.0)
    rates = np.zeros_like(days)
    for column in range(days.shape[-1]):
        rates[..., column] = _toward(paid[..., column], days[..., column], parent, shrink)
        # A bin without payments says little about the next one; the last positive rate stays the parent.
        parent = np.where(rates[..., column] > 0, rates[..., column], parent)
    return rates
