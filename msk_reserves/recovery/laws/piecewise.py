"""Piecewise-exponential rates: constant hazard by piece times a covariate factor, as a Poisson fit on exposure."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.recovery.laws.likelihood import Evaluation
from msk_reserves.recovery.laws.newton import Optimum, maximise
from msk_reserves.recovery.laws.products import crossed, linear, summed
from msk_reserves.recovery.observations import Observations, alike

PIECEWISE = "piecewise"
CUT_WEEKS = (1, 2, 4, 8, 13, 26, 39, 52, 78, 104, 130, 156, 182, 208, 260)
"""Ends of the pieces in weeks, the spacing of termination-rate tables; the last piece is open."""

MINIMUM_EVENTS = 5.0
MINIMUM_EXPECTED = 2.0
"""A piece with fewer exits than the first, and fewer than the second expected of it at the rate over all pieces, is
merged with the next, up to the last piece with exits enough. Where exits were expected and few came, it stays."""

PRIOR_EVENTS = 0.5
"""Weight, in exits, of what is expected of a piece with fewer than `MINIMUM_EVENTS`: what `remains` of the rate
of the piece before, from middle to middle."""

DECLINE = 0.5
"""What remains of a rate after a year, or a doubling, where nothing else is asked for."""

YEAR = 365.25
LATE_YEARS = (1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10)
"""Ends of the pieces after the exits that tell something, so that late rates can decline. They are not merged: a rate
constant over the years in which little was seen and those after them would not decline at all."""


def default_cuts() -> Floats:
    """Return the ends of the default pieces in days: two and four days, then the weeks."""
    return np.concatenate([[2.0, 4.0], 7.0 * np.array(CUT_WEEKS, dtype=np.float64)])


@dataclass(frozen=True, slots=True)
class Fading:
    """How a rate falls where too few exits show it, so too beyond the longest stay seen.

    Attributes
    ----------
    kind : "never"; "by year", by a part every year, as what dies out (judgement: the hazard of reopening halves
        yearly); or "by doubling", by a part whenever the days double, as do returns to work: the hazard of a
        log-logistic law goes with 1 / days in the end.
    part : what remains after a year, or a doubling.

    Examples
    --------
    >>> [fading.remains(365.25, 1461.0) for fading in (NEVER, BY_YEAR, BY_DOUBLING)]
    [1.0, 0.125, 0.25]
    """

    kind: Literal["never", "by year", "by doubling"]
    part: float = DECLINE

    def remains(self, earlier: float, later: float) -> float:
        """Return what remains of a rate from one day to a later one."""
        if self.kind == "never":
            return 1.0
        times = (later - earlier) / YEAR if self.kind == "by year" else float(np.log2(later / earlier))
        return float(self.part**times)


NEVER, BY_YEAR, BY_DOUBLING = Fading("never"), Fading("by year"), Fading("by doubling")


def merged_cuts(data: Observations, cuts: Floats) -> Floats:
    """Return the cuts left after merging pieces that tell too little (see `MINIMUM_EVENTS`), and the years after them.

    Pieces are merged up to the last one with `MINIMUM_EVENTS` exits, or up to the last exit where there are not so
    many; the ends of `LATE_YEARS` follow. That little happens late is what the years ahead hang on.
    """
    exits = data.exited
    if data.in_window.any():
        # Where exits are known to a window, nothing is known inside it.
        width = float((data.days - data.lower)[data.in_window].max())
        cuts = cuts[cuts >= width]
    piece = np.searchsorted(cuts, data.days[exits], side="left")
    count = np.bincount(piece, weights=data.weights[exits], minlength=len(cuts) + 1)
    rows = np.zeros(len(data), dtype=np.int64)
    time = summed_exposure(data.entry, data.days, cuts, (data.weights, rows, 1))[:, 0]
    expected = time * count.sum() / time.sum()
    kept, told = [0.0], 0
    held = np.zeros(2)
    for end, seen in zip(cuts, np.c_[count, expected][:-1], strict=True):
        held += seen
        if held[0] >= MINIMUM_EVENTS or held[1] >= MINIMUM_EXPECTED:
            kept.append(float(end))
            told = len(kept) - 1 if held[0] >= MINIMUM_EVENTS else told
            held = np.zeros(2)
    last = kept[told] if told else float(data.days[exits].max(initial=0.0))
    ends = np.array([end for end in kept[1:] if end <= last])
    late = YEAR * np.array(LATE_YEARS, dtype=np.float64)
    return np.concatenate([ends, late[late > last]])


def exposure(start: Floats, end: Floats, cuts: Floats) -> Floats:
    """Return the days of (start, end] in each piece, shape (n, n_pieces)."""
    left = np.concatenate([[0.0], cuts])
    right = np.concatenate([cuts, [np.inf]])
    return np.asarray(np.maximum(np.minimum(end[:, None], right) - np.maximum(start[:, None], left), 0.0))


def summed_exposure(start: Floats, end: Floats, cuts: Floats, given: tuple[Floats, Integers, int]) -> Floats:
    """Return `exposure` summed over stays, shape (n_pieces, n_rows), given their weights, rows and number of rows."""
    weights, row, n_rows = given
    left, pieces = np.concatenate([[0.0], cuts]), len(cuts) + 1
    width = np.append(np.diff(left), 0.0)[:, None]

    def until(days: Floats) -> Floats:
        """Return the days by piece up to some day, in all."""
        piece = np.searchsorted(cuts, days, side="left")
        at, size = piece * n_rows + row, pieces * n_rows
        ending = np.bincount(at, weights=weights, minlength=size).reshape(pieces, n_rows)
        inside = np.bincount(at, weights=weights * (days - left[piece]), minlength=size).reshape(pieces, n_rows)
        beyond = ending[::-1].cumsum(axis=0)[::-1] - ending
        return np.asarray(inside + beyond * width)

    return np.maximum(until(end) - until(start), 0.0) if start.any() else until(end)


def cumulative_at_cuts(rates: Floats, cuts: Floats) -> Floats:
    """Return the cumulative hazard at the start of each piece; rates (..., n_pieces), result the same shape."""
    widths = np.diff(np.concatenate([[0.0], cuts]))
    total = np.cumsum(rates[..., :-1] * widths, axis=-1)
    return np.concatenate([np.zeros((*rates.shape[:-1], 1)), total], axis=-1)


def baseline_hazard(days: Floats, rates: Floats, cuts: Floats) -> Floats:
    """Return the cumulative hazard at `days` without covariates, rates of shape (n_pieces,)."""
    piece = np.searchsorted(cuts, days, side="left")
    left = np.concatenate([[0.0], cuts])
    return np.asarray(cumulative_at_cuts(rates, cuts)[piece] + rates[piece] * (days - left[piece]))


def fit_piecewise(
    data: Observations, cuts: Floats, start: Floats | None = None, *, fading: Fading = BY_YEAR
) -> tuple[Optimum, int]:
    """Maximise the exact likelihood of rates by piece, as `fit_cells` does."""
    return fit_cells(cells_of(data, cuts, fading), start)


def fit_cells(cells: "Cells", start: Floats | None = None) -> tuple[Optimum, int]:
    """Maximise the exact likelihood: exits at a day as Poisson counts, exits in a window by 1 - e^{-a} over it.

    Pieces with few exits carry a gamma prior; the log-likelihood returned is without it. Returned beside the optimum is
    the number of parameters that the data rule.
    """
    begin = _start(cells) if start is None else start
    bounds = np.full(len(begin), 200.0)
    best = maximise(lambda theta: _evaluate(cells, theta), lambda theta: _evaluate(cells, theta).loglik, begin, bounds)
    plain = replace(cells, prior=np.zeros_like(cells.prior))
    return replace(best, loglik=_evaluate(plain, best.theta).loglik), len(begin) - int((cells.prior[0] > 0).sum())


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Stays spread over the pieces, those of equal covariates together: all that the likelihood asks of them.

    Attributes
    ----------
    design : covariates of each row, shape (p, n_rows).
    at_risk : days before an exit or a window by piece, times weights, shape (n_pieces, n_rows).
    count : weight of the exits known to the day by piece; shape (n_pieces,).
    exits : weight of those by row; shape (n_rows,).
    in_window : days by piece of each window that holds an exit, shape (n_pieces, n_windows).
    window_row, window_weight : row and weight of each window; shape (n_windows,).
    prior : exits and days of the prior of each piece, shape (2, n_pieces).
    """

    design: Floats
    at_risk: Floats
    count: Floats
    exits: Floats
    in_window: Floats
    window_row: Integers
    window_weight: Floats
    prior: Floats


def cells_of(data: Observations, cuts: Floats, fading: Fading) -> Cells:
    """Spread stays over the pieces between cuts; `fading` rules the prior of those with few exits."""
    used = data.weights > 0
    window, days, lower = data.in_window[used], data.days[used], data.lower[used]
    weights, entry, until = data.weights[used], data.entry[used], np.where(window, lower, days)
    design, row = alike(data.design[used])
    n_rows, pieces = design.shape[1], len(cuts) + 1
    exact = np.flatnonzero(data.exited[used] & ~window)
    piece = np.searchsorted(cuts, days[exact], side="left")
    if n_rows < len(days):
        at_risk = summed_exposure(entry, until, cuts, (weights, row, n_rows))
    else:
        at_risk = exposure(entry, until, cuts).T * weights
    cells = Cells(
        design=np.ascontiguousarray(design),
        at_risk=np.ascontiguousarray(at_risk),
        count=np.bincount(piece, weights=weights[exact], minlength=pieces).astype(np.float64),
        exits=np.bincount(row[exact], weights=weights[exact], minlength=n_rows).astype(np.float64),
        in_window=np.ascontiguousarray(exposure(lower[window], days[window], cuts).T),
        window_row=row[window],
        window_weight=weights[window],
        prior=np.zeros((2, pieces)),
    )
    count, time = _counts(cells)
    return replace(cells, prior=_prior(count, time, cuts, fading))


def _prior(count: Floats, time: Floats, cuts: Floats, fading: Fading) -> Floats:
    """Return exits and days of the prior of each piece; none where the piece has exits enough."""
    ends = np.concatenate([[0.0], cuts, [cuts[-1] + YEAR if len(cuts) else YEAR]])
    middle = 0.5 * (ends[:-1] + ends[1:])
    rate = float(count.sum() / time.sum())
    prior = np.zeros((2, len(count)))
    for piece in range(len(count)):
        if piece:
            rate *= fading.remains(float(middle[piece - 1]), float(middle[piece]))
        if count[piece] < MINIMUM_EVENTS:
            prior[:, piece] = PRIOR_EVENTS, PRIOR_EVENTS / rate
        rate = (count[piece] + prior[0, piece]) / (time[piece] + prior[1, piece])
    return prior


def _counts(cells: Cells) -> tuple[Floats, Floats]:
    """Return exits and days by piece, windows counted by their share of each piece."""
    inside = cells.window_weight
    count = cells.count + summed(cells.in_window / cells.in_window.sum(axis=0), inside)
    return count, cells.at_risk.sum(axis=1) + 0.5 * summed(cells.in_window, inside)


def _start(cells: Cells) -> Floats:
    """Return ln of exits over exposure by piece, those of the prior included."""
    count, time = _counts(cells)
    exits, days = cells.prior
    return np.concatenate([np.log((count + exits) / (time + days)), np.zeros(len(cells.design))])


def _evaluate(cells: Cells, theta: Floats) -> Evaluation:
    """Return value, gradient and Hessian by ln rates and log hazard ratios."""
    pieces = len(cells.count)
    alpha, beta = theta[:pieces], theta[pieces:]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        rates = np.exp(alpha)
        log_ratio = linear(beta, cells.design)
        value, gradient, hessian = _survived(cells.at_risk, rates, np.exp(log_ratio), cells.design)
        moved = summed(cells.design, cells.exits)
        value += float(cells.count @ alpha + moved @ beta)
        gradient[:pieces] += cells.count
        gradient[pieces:] += moved
        exits, days = cells.prior
        value += float(exits @ alpha - days @ rates)
        gradient[:pieces] += exits - days * rates
        hessian[np.arange(pieces), np.arange(pieces)] -= days * rates
        if len(cells.window_row):
            more = _left(cells, rates, np.exp(log_ratio[cells.window_row]))
            value, gradient, hessian = value + more[0], gradient + more[1], hessian + more[2]
    return Evaluation(value, gradient, hessian)


def _survived(days: Floats, rates: Floats, factor: Floats, design: Floats) -> tuple[float, Floats, Floats]:
    """Return minus the sum of factors times cumulative hazards and its derivatives; `days` by piece (n_pieces, n)."""
    by_piece = rates * summed(days, factor)
    total = factor * linear(rates, days)
    cross = -rates[:, None] * crossed(days, design * factor)
    gradient = np.concatenate([-by_piece, -summed(design, total)])
    square = -crossed(design, design * total)
    return -float(total.sum()), gradient, np.block([[np.diag(-by_piece), cross], [cross.T, square]])


def _left(cells: Cells, rates: Floats, ratios: Floats) -> tuple[float, Floats, Floats]:
    """Return the sum of ln(1 - e^{-a}) over windows, a the hazard collected in each, with its derivatives."""
    days, weights, design = cells.in_window, cells.window_weight, cells.design[:, cells.window_row]
    a = ratios * linear(rates, days)
    first = weights / np.expm1(a)
    second = first / np.expm1(-a)
    _, gradient, hessian = _survived(days, rates, first * ratios, design)
    slopes = np.concatenate([days * rates[:, None] * ratios, design * a])
    curved: Floats = crossed(slopes, slopes * second) - hessian
    return float(weights @ np.log(-np.expm1(-a))), -gradient, curved
