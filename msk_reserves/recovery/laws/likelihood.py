"""Likelihood of location-scale laws with weights, left truncation and windows, and its exact first two derivatives."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.recovery.laws.families import Family
from msk_reserves.recovery.laws.products import crossed, linear, summed
from msk_reserves.recovery.laws.terms import LawTerms, terms_of
from msk_reserves.recovery.observations import Observations

ROWS_AT_ONCE = 8192
"""Rows of one pass: with their columns they stay in the cache nearest to the processor."""

EXACT, OPEN, WINDOW = range(3)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """A log-likelihood with its gradient and Hessian at one parameter vector."""

    loglik: float
    gradient: Floats
    hessian: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Stays prepared for repeated evaluation, those of one kind in a row; n stays in all.

    Attributes
    ----------
    location : covariates of the location, the constant first; shape (p, n).
    log_scale : the same for ln scale; shape (q, n).
    third : the same for the cured share's logit; shape (c, n). A generalized gamma's Q is constant.
    log_days, log_entry, log_lower : natural logs in units of the median, minus infinity for zero; shape (n,).
    weights : shape (n,).
    blocks : kind, whether entered late, first row and row after the last, of each block.
    jacobian : what ln f loses for each unit of time, sum of weights of exact exits times their ln days.
    """

    location: Floats
    log_scale: Floats
    third: Floats
    log_days: Floats
    log_entry: Floats
    log_lower: Floats
    weights: Floats
    blocks: tuple[tuple[int, bool, int, int], ...]
    jacobian: float


def prepare(
    data: Observations, unit: float, *, shape_design: Floats | None = None, cure_design: Floats | None = None
) -> Rows:
    """Return the stays of `data` with time measured in `unit` days, covariates of ln scale and cured share beside."""
    kind = np.where(data.exited, np.where(data.lower < data.days, WINDOW, EXACT), OPEN)
    code = 2 * kind + (data.entry > 0)
    order: Integers = np.argsort(code.astype(np.int8), kind="stable").astype(np.int64)
    counts = np.bincount(code, minlength=6)
    ends = np.cumsum(counts)
    blocks = tuple(
        (place // 2, bool(place % 2), int(end - count), int(end))
        for place, (count, end) in enumerate(zip(counts, ends, strict=True))
        if count
    )
    exact = kind == EXACT
    with np.errstate(divide="ignore"):
        log_days = np.log(data.days)
        log_unit = float(np.log(unit))
        return Rows(
            location=_by_column(data.design, order),
            log_scale=_by_column(shape_design, order),
            third=_by_column(cure_design, order),
            log_days=log_days[order] - log_unit,
            log_entry=np.log(data.entry[order]) - log_unit,
            log_lower=np.log(data.lower[order]) - log_unit,
            weights=data.weights[order],
            blocks=blocks,
            jacobian=float(data.weights[exact] @ log_days[exact]),
        )


def thinned(rows: Rows, most: int) -> Rows:
    """Return some of the rows, evenly spaced, each with the weight of those it stands for: enough to choose a start.

    Of the exits and of the stays still running each at most about `most`, for exits may be few and are what tells.
    """
    running = sum(last - first for kind, _, first, last in rows.blocks if kind == OPEN)
    step = {True: max(running // most, 1), False: max((len(rows.weights) - running) // most, 1)}
    picked = [np.arange(first, last, step[kind == OPEN]) for kind, _, first, last in rows.blocks]
    times = [np.full(len(one), float(step[kind == OPEN])) for (kind, *_), one in zip(rows.blocks, picked, strict=True)]
    ends = np.cumsum([len(one) for one in picked])
    blocks = tuple(
        (kind, entered, int(end) - len(one), int(end))
        for (kind, entered, _, _), one, end in zip(rows.blocks, picked, ends, strict=True)
    )
    at = np.concatenate(picked)
    return replace(
        rows,
        location=rows.location[:, at],
        log_scale=rows.log_scale[:, at],
        third=rows.third[:, at],
        log_days=rows.log_days[at],
        log_entry=rows.log_entry[at],
        log_lower=rows.log_lower[at],
        weights=rows.weights[at] * np.concatenate(times),
        blocks=blocks,
        jacobian=0.0,
    )


def _by_column(design: Floats | None, order: Integers) -> Floats:
    """Return the columns of a design as rows, a constant first and the stays in the given order."""
    n = len(order)
    if design is None or not design.shape[1]:
        return np.broadcast_to(np.ones(1), (1, n))
    result = np.empty((1 + design.shape[1], n))
    for start in range(0, n, ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        result[0, part] = 1.0
        result[1:, part] = design[order[part]].T
    return result


def _parts(rows: Rows) -> Iterator[tuple[int, bool, slice]]:
    """Yield kind, whether entered late, and rows of each pass."""
    for kind, entered, first, last in rows.blocks:
        for start in range(first, last, ROWS_AT_ONCE):
            yield kind, entered, slice(start, min(start + ROWS_AT_ONCE, last))


class Terms(NamedTuple):
    """What rows add to a log-likelihood, with derivatives by location (times scale) m, ln scale s and third r."""

    value: Floats
    m: Floats
    s: Floats
    r: Floats
    mm: Floats
    ms: Floats
    ss: Floats
    mr: Floats
    sr: Floats
    rr: Floats


def evaluate(family: Family, rows: Rows, theta: Floats, *, cured: bool = False, derivatives: bool = True) -> Evaluation:
    """Evaluate the log-likelihood of sum w {d ln f + (1-d) ln S + i ln[S(l)-S(u)] - ln S(e)} with two derivatives.

    Parameters
    ----------
    family : Family
        The law; with `cured` the law of the stays that end.
    rows : Rows
        The stays.
    theta : numpy.ndarray
        Coefficients of the location (constant first), then of ln scale if free, then the shape Q if free or the
        coefficients of the logit of the cured share.
    cured : bool, optional
        Whether a share of the stays never ends.
    derivatives : bool, optional
        Whether they are wanted; zero otherwise.

    Returns
    -------
    Evaluation
        Exact derivatives; those by Q are central differences of exact ones, error about 1e-8 relative.
    """
    p = len(rows.location)
    q = len(rows.log_scale) if family.free_scale else 0
    c = len(rows.third) if cured else int(family.free_shape)
    beta, gamma, delta = theta[:p], theta[p : p + q], theta[p + q :]
    total = _Total((p, q, c))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        reach = _reach(rows, beta, gamma) if family.free_shape else (0.0, 0.0)
        shape = float(delta[0]) if family.free_shape else 0.0
        law = terms_of(family, shape, reach, len(rows.weights), cured=cured, derivatives=derivatives)
        for block in _parts(rows):
            part = block[2]
            log_scale = _linear(rows.log_scale, part, gamma)
            logit = _linear(rows.third, part, delta) if cured else np.zeros(())
            terms = _row_terms(law, rows, block, (linear(beta, rows.location[:, part]), log_scale, logit))
            total.value += float(rows.weights[part] @ terms.value)
            if derivatives:
                total.add(terms, rows, part, np.exp(-log_scale))
    return total.evaluation(rows.jacobian)


def value_only(family: Family, rows: Rows, theta: Floats, *, cured: bool = False) -> float:
    """Return the log-likelihood alone, minus infinity where it cannot be computed."""
    value = evaluate(family, rows, theta, cured=cured, derivatives=False).loglik
    return value if np.isfinite(value) else -np.inf


class _Total:
    """The sums over passes: value, gradient, and the upper half of the Hessian."""

    def __init__(self, sizes: tuple[int, int, int]) -> None:
        p, q, c = sizes
        self.value = 0.0
        self.at = (slice(0, p), slice(p, p + q), slice(p + q, p + q + c))
        self.gradient = np.zeros(p + q + c)
        self.hessian = np.zeros((p + q + c, p + q + c))

    def add(self, terms: Terms, rows: Rows, part: slice, inverse: Floats) -> None:
        """Add the derivatives of one pass; `inverse` is one over the scale."""
        weights = rows.weights[part]
        designs = (rows.location[:, part], rows.log_scale[:, part], rows.third[:, part])
        second = ((terms.mm, terms.ms, terms.mr), (terms.ss, terms.sr), (terms.rr,))
        for one, first in enumerate((terms.m, terms.s, terms.r)):
            if self.at[one].start == self.at[one].stop:
                continue
            factor = weights if one else weights * inverse
            self.gradient[self.at[one]] += summed(designs[one], first * factor)
            for other in range(one, 3):
                if self.at[other].start < self.at[other].stop:
                    bend = second[one][other - one] * factor
                    both = _crossed(designs[one], bend if other else bend * inverse, designs[other])
                    self.hessian[self.at[one], self.at[other]] += both

    def evaluation(self, jacobian: float) -> Evaluation:
        """Return the sums."""
        upper = np.triu(self.hessian)
        return Evaluation(self.value - jacobian, self.gradient, upper + np.triu(upper, 1).T)


def _crossed(left: Floats, weights: Floats, right: Floats) -> Floats:
    """Return left diag(weights) right'; a design of one row is the constant."""
    if len(right) == 1:
        return summed(left, weights)[:, None]
    return crossed(left * weights, right)


def _linear(design: Floats, part: slice, coefficients: Floats) -> Floats:
    """Return a linear predictor of some rows; a constant alone stays a scalar, none at all is zero."""
    if len(coefficients) <= 1:
        return np.asarray(coefficients.sum())
    return linear(coefficients, design[:, part])


def _reach(rows: Rows, beta: Floats, gamma: Floats) -> tuple[float, float]:
    """Return bounds of the standardised log times of all rows."""
    low, high = np.inf, -np.inf
    for _, entered, part in _parts(rows):
        inverse = np.exp(-_linear(rows.log_scale, part, gamma))
        mu = linear(beta, rows.location[:, part])
        first = np.minimum(rows.log_lower[part], rows.log_entry[part]) if entered else rows.log_lower[part]
        first = np.where(np.isneginf(first), rows.log_days[part], first)
        low = min(low, float(((first - mu) * inverse).min()))
        high = max(high, float(((rows.log_days[part] - mu) * inverse).max()))
    return low, high


def _row_terms(
    law: LawTerms, rows: Rows, block: tuple[int, bool, slice], predictors: tuple[Floats, Floats, Floats]
) -> Terms:
    """Return what the rows of one pass add."""
    kind, entered, part = block
    mu, log_scale, logit = predictors
    inverse = np.exp(-log_scale)
    w = (rows.log_days[part] - mu) * inverse
    if kind == EXACT:
        terms = _chain(w, law.density(w, logit))
        terms = terms._replace(value=terms.value - log_scale, s=terms.s - 1.0)
    elif kind == OPEN:
        terms = _chain(w, law.survival(w, logit))
    else:
        lower = rows.log_lower[part]
        zero = np.isneginf(lower)
        start = (np.where(zero, rows.log_days[part], lower) - mu) * inverse
        terms = _between(_chain(start, law.survival(start, logit)), _chain(w, law.survival(w, logit)), zero)
    if entered:
        e = (rows.log_entry[part] - mu) * inverse
        before = _chain(e, law.survival(e, logit))
        terms = Terms(*(now - then for now, then in zip(terms, before, strict=True)))
    return terms


def _chain(w: Floats, given: tuple[Floats, ...]) -> Terms:
    """Turn a term of w and a third predictor into one of location (times scale), ln scale and that predictor."""
    value, first, second, third, cross, bend = given
    outward = w * first
    bent = first + w * second
    return Terms(value, -first, -outward, third, second, bent, w * bent, -cross, -w * cross, bend)


def _between(low: Terms, up: Terms, no_lower: Booleans) -> Terms:
    """Return ln[S(l) - S(u)] with its derivatives from those of ln S at both ends, a and b.

    With D = S(l) - S(u) the first are g = (S(l) a' - S(u) b') / D, the second
    (S(l) (a'' + a' a') - S(u) (b'' + b' b')) / D - g g.
    """
    start = np.where(no_lower, 0.0, low.value)
    log_d = start + np.log(-np.expm1(np.minimum(up.value - start, -1e-300)))
    left, right = np.where(no_lower, 0.0, np.exp(start - log_d)), np.exp(up.value - log_d)
    g = [left * a - right * b for a, b in zip(low[1:4], up[1:4], strict=True)]
    second = []
    for place, (one, other) in enumerate(((0, 0), (0, 1), (1, 1), (0, 2), (1, 2), (2, 2))):
        a = low[4 + place] + low[1 + one] * low[1 + other]
        b = up[4 + place] + up[1 + one] * up[1 + other]
        second.append(left * a - right * b - g[one] * g[other])
    return Terms(log_d, *g, *second)
