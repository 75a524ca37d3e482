"""Payment rates of cells, each as close to its own experience as that experience is credible."""

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.cost.cells import KIND_OF_STATE, KINDS, CellGrid
from msk_reserves.cost.late import LatePayments

CELL_CV = 3.0
"""Coefficient of variation of a cell's rate about that of its parent, before payments are seen."""

BIN_CV = 3.0
"""The same for the rate of a bin of days about that of the bin before."""

YEAR = 365.25

LIFELONG = ("permanent total", "dead")
"""Kinds of state in which benefits are paid at one rate for as long as they are owed, whatever the days so far."""

DIES_OUT: dict[str, tuple[str, ...]] = {
    "medical": (),
    "indemnity": tuple(kind for kind in KINDS if kind not in LIFELONG),
    "expense": ("off work", "modified duty", "working"),
}
"""Kinds of state in which what an account pays comes to an end, as fast as `LatePayments` says. Legal bills and case
management follow the way back to work; fees on medical care go on for as long as that does."""

TAIL_CLAIMS = 30
TAIL_FROM = 365.0
"""Claims that must have been seen in a bin from so many days in the state on for it to have a rate of its own. The last
bin has no end, and the few that got there first are not those that will."""


def credible_rates(
    paid: Floats,
    days: Floats,
    grid: CellGrid,
    dispersion: float,
    *,
    seen: Integers | None = None,
    account: str = "medical",
    late: LatePayments | None = None,
) -> Floats:
    """Return the payment rate of each cell, its experience weighed against its parent's.

    A cell with expected payments m at its parent's rate has the credibility m / (m + K), K the dispersion over the
    squared coefficient of variation about the parent: a gamma prior. Parents, from the bottom: the
    cell over all bands of earlier days off; over operated or not; over the states of its kind; the same kind in the
    bin before; the kind over all bins. The bins of a kind after the last that `TAIL_CLAIMS` claims reached are one
    with it. In the kinds of `DIES_OUT` the parent of a bin is what `late` leaves of the bin before.
    Of indemnity all bins of the kinds in `LIFELONG` are one, with one rate for the totally disabled,
    and one each for deaths while off work and other deaths (see `cells.marked`). Then each
    kind's rates are scaled so that they reproduce its payments: credibility moves dollars between the cells of a kind
    and never into or out of it.

    Parameters
    ----------
    paid : payments by cell, shape (..., n_cells).
    days : days by cell, each claim's times its relativity, shape (..., n_cells).
    grid : the cells.
    dispersion : variance over mean of payments, in the units of `paid`.
    seen : claims seen in each cell, shape (n_cells,); without it every bin has a rate of its own.
    account : "medical", "indemnity" or "expense". Benefits are owed for life in the kinds of `LIFELONG`; what dies out
        ends when it is paid out, so that its last bins are never one with earlier ones.
    late : what is assumed of late payments; the judgements when not given. Where death benefits end is no matter here:
        `LatePayments.ended` sees to it.

    Returns
    -------
    numpy.ndarray
        Payments a day, never negative, shape (..., n_cells).
    """
    y = paid.reshape(*paid.shape[:-1], *grid.shape)
    e = days.reshape(*days.shape[:-1], *grid.shape)
    rates = np.zeros_like(e)
    lifelong, assumed = account == "indemnity", late or LatePayments()
    for kind, name in enumerate(KINDS):
        states, fades = np.equal(KIND_OF_STATE, kind), name in DIES_OUT[account]
        fading = _fading(grid, assumed.declines(account)) if fades else np.ones(grid.n_bins)
        tail = _tail(None if fades else seen, states, grid)
        if lifelong and name in LIFELONG:
            tail = 0
        own_y, own_e = (_joined(part[..., states, :, :, :], tail) for part in (y, e))
        if lifelong and name == "dead":
            fitted = _of_the_dead(own_y.sum((-4, -2), keepdims=True), own_e.sum((-4, -2), keepdims=True))
        elif lifelong and name in LIFELONG:
            own_y, own_e = (part.sum((-4, -3, -2), keepdims=True) for part in (own_y, own_e))
            fitted = _laddered(own_y, own_e, dispersion, fading)
        else:
            fitted = _laddered(own_y, own_e, dispersion, fading)
        bin_ = np.minimum(np.arange(grid.n_bins), tail)
        rates[..., states, :, :, :] = fitted[..., bin_]
    return rates.reshape(days.shape)


def _of_the_dead(paid: Floats, days: Floats) -> Floats:
    """Return the benefits a day after deaths of the injury and after others, shape (..., 1, 2, 1, 1).

    The two have nothing in common that one could borrow from the other: what nobody was seen to be owed after other
    deaths is nothing.
    """
    own: Floats = np.where(days > 0, np.maximum(paid, 0.0) / np.where(days > 0, days, 1.0), 0.0)
    return own


def _fading(grid: CellGrid, part: float) -> Floats:
    """Return what remains in each bin of the rate of the bin before, `part` of it a year; shape (n_bins,)."""
    begin = np.array(grid.bin_edges)
    end = np.append(begin[1:], begin[-1] + YEAR)
    return np.asarray(part ** (np.diff(0.5 * (begin + end), prepend=0.0) / YEAR))


def _tail(seen: Integers | None, states: Booleans, grid: CellGrid) -> int:
    """Return the first bin of the tail: the last that enough claims reached, the very last without counts."""
    if seen is None:
        return grid.n_bins - 1
    reached = seen.reshape(grid.shape)[states].sum((0, 1, 2)) >= TAIL_CLAIMS
    early = np.array(grid.bin_edges) <= TAIL_FROM
    return int(np.flatnonzero(reached | early).max())


def _joined(part: Floats, tail: int) -> Floats:
    """Return sums by bin with the bins from `tail` on as one."""
    whole: Floats = np.concatenate([part[..., :tail], part[..., tail:].sum(-1, keepdims=True)], axis=-1)
    return whole


def _laddered(paid: Floats, days: Floats, dispersion: float, fading: Floats) -> Floats:
    """Return the rates of the cells of one kind (states, operated, bands, bins), scaled to reproduce its payments."""
    shrink = dispersion / CELL_CV**2
    bins = _bin_rates(paid.sum((-4, -3, -2)), days.sum((-4, -3, -2)), dispersion / BIN_CV**2, fading)
    by_state = _within(paid.sum((-3, -2)), days.sum((-3, -2)), bins[..., None, :], shrink)
    by_operated = _within(paid.sum(-2), days.sum(-2), by_state[..., None, :], shrink)
    by_band = _within(paid, days, by_operated[..., None, :], shrink)
    total = paid.sum((-4, -3, -2, -1))
    fitted = (by_band * days).sum((-4, -3, -2, -1))
    factor = np.where((total > 0) & (fitted > 0), total / np.where(fitted > 0, fitted, 1.0), 1.0)
    scaled: Floats = by_band * factor[..., None, None, None, None]
    return scaled


def _toward(paid: Floats, days: Floats, parent: Floats, shrink: float) -> Floats:
    """Return rates between their own experience and the parent's."""
    expected = parent * days
    rate: Floats = np.array(np.broadcast_to(parent, expected.shape))
    np.divide(parent * (paid + shrink), expected + shrink, out=rate, where=expected > 0)
    return np.maximum(rate, 0.0, out=rate)


def _within(paid: Floats, days: Floats, parent: Floats, shrink: float) -> Floats:
    """Return rates by bin of the parts of a whole, between their own experience and the whole's at the part's level.

    The level is the part's payments in all bins over those expected at the whole's rates, as credible as these are
    many: a part that is dearer in the bins where much was seen is dearer in those where little was.
    """
    parent = np.broadcast_to(parent, days.shape)
    level = _toward(paid.sum(-1), (parent * days).sum(-1), np.ones(days.shape[:-1]), shrink)
    return _toward(paid, days, parent * level[..., None], shrink)


def _bin_rates(paid: Floats, days: Floats, shrink: float, fading: Floats) -> Floats:
    """Return the rate of each bin of a kind of state, drawn toward what `fading` leaves of that of the bin before."""
    all_days = days.sum(-1)
    parent = np.maximum(np.where(all_days > 0, paid.sum(-1) / np.where(all_days > 0, all_days, 1.0), 0.0), 0.0)
    rates = np.zeros_like(days)
    for column in range(days.shape[-1]):
        parent = parent * fading[column] if column else parent
        rates[..., column] = _toward(paid[..., column], days[..., column], parent, shrink)
        # A bin without payments says little about the next one; the last positive rate stays the parent.
        parent = np.where(rates[..., column] > 0, rates[..., column], parent)
    return rates
