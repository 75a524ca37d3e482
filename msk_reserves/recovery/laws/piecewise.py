"""Piecewise-exponential rates: constant hazard by piece times a covariate factor, as a Poisson fit on exposure."""

from dataclasses import dataclass, replace

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.recovery.laws.likelihood import Evaluation
from msk_reserves.recovery.laws.newton import Optimum, maximise
from msk_reserves.recovery.observations import Observations

PIECEWISE = "piecewise"
CUT_WEEKS = (1, 2, 4, 8, 13, 26, 39, 52, 78, 104, 130, 156, 182, 208, 260)
"""Ends of the pieces in weeks, the spacing of termination-rate tables; the last piece is open."""

MINIMUM_EVENTS = 5.0
MINIMUM_EXPECTED = 2.0
"""A piece with fewer exits than the first, and fewer than the second expected of it at the rate over all pieces, is
merged with the next, up to the last piece with exits enough. Where exits were expected and few came, it stays."""

PRIOR_EVENTS = 0.5
"""Weight, in exits, of what is expected of a piece with fewer than `MINIMUM_EVENTS`: the rate of the piece before,
brought down by `DECLINE` a year from middle to middle."""

DECLINE = 0.5
"""What remains after a year of a rate that too few exits show, so too beyond the longest stay seen: relapses, late
settlements and reopenings die out (judgement: the hazard of reopening halves yearly). 1 for moves that do not."""

YEAR = 365.25
LATE_YEARS = (1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10)
"""Ends of the pieces after the exits that tell something, so that late rates can decline. They are not merged: a rate
constant over the years in which little was seen and those after them would not decline at all."""


def default_cuts() -> Floats:
    """Return the ends of the default pieces in days: two and four days, then the weeks."""
    return np.concatenate([[2.0, 4.0], 7.0 * np.array(CUT_WEEKS, dtype=np.float64)])


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
    time = data.weights @ exposure(data.entry, data.days, cuts)
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
    data: Observations, cuts: Floats, start: Floats | None = None, *, decline: float = DECLINE
) -> tuple[Optimum, int]:
    """Maximise the exact likelihood: exits at a day as Poisson counts, exits in a window by 1 - e^{-a} over it.

    Pieces with few exits carry a gamma prior; the log-likelihood returned is without it. Returned beside the optimum is
    the number of parameters that the data rule.
    """
    cells = _cells(data, cuts, decline)
    begin = _start(cells) if start is None else start
    bounds = np.full(len(begin), 200.0)
    best = maximise(lambda theta: _evaluate(cells, theta), lambda theta: _evaluate(cells, theta).loglik, begin, bounds)
    plain = replace(cells, prior=np.zeros_like(cells.prior))
    return replace(best, loglik=_evaluate(plain, best.theta).loglik), len(begin) - int((cells.prior[0] > 0).sum())


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """Every stay with weight, spread over the pieces.

    Attributes
    ----------
    design, weights : covariates (n, p) and weights (n,).
    at_risk : days by piece before an exit or a window, shape (n, n_pieces).
    window : whether the exit is known to a window; shape (n,).
    in_window : days by piece of the windows, shape (n_windows, n_pieces).
    exact : rows of exits known to the day; piece : the piece of each.
    prior : exits and days of the prior of each piece, shape (2, n_pieces).
    """

    design: Floats
    weights: Floats
    at_risk: Floats
    window: Booleans
    in_window: Floats
    exact: Integers
    piece: Integers
    prior: Floats


def _cells(data: Observations, cuts: Floats, decline: float) -> _Cells:
    """Spread the stays over the pieces."""
    used = data.weights > 0
    window, days, lower = data.in_window[used], data.days[used], data.lower[used]
    exact = np.flatnonzero(data.exited[used] & ~window)
    cells = _Cells(
        design=data.design[used],
        weights=data.weights[used],
        at_risk=exposure(data.entry[used], np.where(window, lower, days), cuts),
        window=window,
        in_window=exposure(lower[window], days[window], cuts),
        exact=exact,
        piece=np.searchsorted(cuts, days[exact], side="left").astype(np.int64),
        prior=np.zeros((2, len(cuts) + 1)),
    )
    count, time = _counts(cells)
    return replace(cells, prior=_prior(count, time, cuts, decline))


def _prior(count: Floats, time: Floats, cuts: Floats, decline: float) -> Floats:
    """Return exits and days of the prior of each piece; none where the piece has exits enough."""
    ends = np.concatenate([[0.0], cuts, [cuts[-1] + YEAR if len(cuts) else YEAR]])
    middle = 0.5 * (ends[:-1] + ends[1:])
    rate = float(count.sum() / time.sum())
    prior = np.zeros((2, len(count)))
    for piece in range(len(count)):
        if piece:
            rate *= decline ** ((middle[piece] - middle[piece - 1]) / YEAR)
        if count[piece] < MINIMUM_EVENTS:
            prior[:, piece] = PRIOR_EVENTS, PRIOR_EVENTS / rate
        rate = (count[piece] + prior[0, piece]) / (time[piece] + prior[1, piece])
    return prior


def _counts(cells: _Cells) -> tuple[Floats, Floats]:
    """Return exits and days by piece, windows counted by their share of each piece."""
    pieces = cells.at_risk.shape[1]
    count = np.bincount(cells.piece, weights=cells.weights[cells.exact], minlength=pieces).astype(np.float64)
    inside = cells.weights[cells.window]
    count += inside @ (cells.in_window / cells.in_window.sum(axis=1, keepdims=True))
    return count, np.asarray(cells.weights @ cells.at_risk + 0.5 * (inside @ cells.in_window))


def _start(cells: _Cells) -> Floats:
    """Return ln of exits over exposure by piece, those of the prior included."""
    count, time = _counts(cells)
    exits, days = cells.prior
    return np.concatenate([np.log((count + exits) / (time + days)), np.zeros(cells.design.shape[1])])


def _evaluate(cells: _Cells, theta: Floats) -> Evaluation:
    """Return value, gradient and Hessian by ln rates and log hazard ratios."""
    pieces = cells.at_risk.shape[1]
    alpha, beta = theta[:pieces], theta[pieces:]
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        rates = np.exp(alpha)
        factor = cells.weights * np.exp(cells.design @ beta)
        value, gradient, hessian = _survived(cells.at_risk, rates, factor, cells.design)
        w, x = cells.weights[cells.exact], cells.design[cells.exact]
        value += float(w @ (alpha[cells.piece] + x @ beta))
        gradient[:pieces] += np.bincount(cells.piece, weights=w, minlength=pieces)
        gradient[pieces:] += w @ x
        exits, days = cells.prior
        value += float(exits @ alpha - days @ rates)
        gradient[:pieces] += exits - days * rates
        hessian[np.arange(pieces), np.arange(pieces)] -= days * rates
        if cells.window.any():
            x = cells.design[cells.window]
            more = _left(cells.in_window, rates, (cells.weights[cells.window], np.exp(x @ beta)), x)
            value, gradient, hessian = value + more[0], gradient + more[1], hessian + more[2]
    return Evaluation(value, gradient, hessian)


def _survived(days: Floats, rates: Floats, factor: Floats, design: Floats) -> tuple[float, Floats, Floats]:
    """Return minus the sum of factors times cumulative hazards and its derivatives; `days` by piece (n, n_pieces)."""
    by_piece = rates * (factor @ days)
    total = factor * (days @ rates)
    cross = -rates[:, None] * (days.T @ (design * factor[:, None]))
    gradient = np.concatenate([-by_piece, -total @ design])
    square = -design.T @ (design * total[:, None])
    return -float(total.sum()), gradient, np.block([[np.diag(-by_piece), cross], [cross.T, square]])


def _left(
    days: Floats, rates: Floats, weights_and_ratios: tuple[Floats, Floats], design: Floats
) -> tuple[float, Floats, Floats]:
    """Return the sum of ln(1 - e^{-a}) over windows, a the hazard collected in each, with its derivatives."""
    weights, ratios = weights_and_ratios
    a = ratios * (days @ rates)
    first = weights / np.expm1(a)
    second = first / np.expm1(-a)
    _, gradient, hessian = _survived(days, rates, first * ratios, design)
    slopes = np.concatenate([days * rates * ratios[:, None], design * a[:, None]], axis=1)
    curved: Floats = slopes.T @ (slopes * second[:, None]) - hessian
    return float(weights @ np.log(-np.expm1(-a))), -gradient, curved
