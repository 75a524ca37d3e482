"""What a claim has cost so far says of what it will cost: claim-level credibility with a heavy tail."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from msk_reserves._checks import Floats, Integers, positive
from msk_reserves.claims.book import ClaimBook
from msk_reserves.cost.rates import PaymentRates
from msk_reserves.cost.spliced_fit import fit_excess

TABLE_NODES = 257
TABLE_END = 16.0
"""The quantile tables stand on an even grid of -log(1 - u) from 0 to here: a claim in nine million lies beyond."""

SHAPE_CAP = 0.7
MIN_EXCEEDANCES = 50
MIN_GROUP = 30
"""Fewest claims among which credibility may move expected cost from one to another."""

_SEARCH_NODES = 480
"""Levels, even in the logarithm over the whole prior, on which a posterior is looked for."""

_NODES = 256
"""Levels, even in the logarithm where a claim's posterior has mass, on which it is then integrated."""

_NEGLIGIBLE = 25.0
"""A level whose log density is this far below the highest is left out: 1e-11 of it."""

_CHUNK = 4096
_EXPONENT: Floats = np.linspace(0.0, TABLE_END, TABLE_NODES)


@dataclass(frozen=True, slots=True)
class FactorPrior:
    """The distribution of the claims' own cost levels before their payments are seen: gamma body, Pareto tail, mean 1.

    Attributes
    ----------
    variance_of_body : variance of the gamma body (one over kappa).
    tail_begins, tail_shape, tail_scale : Pareto tail above this level, before `unit` divides; NaN without one.
    tail_share : probability of the tail, 0 without one.
    exceedances : claims the tail was fitted on.
    lowest, largest : levels between which it is integrated, before `unit` divides; levels below count as it.
    unit : what levels are divided by so that their mean is 1.
    """

    variance_of_body: float
    tail_begins: float
    tail_shape: float
    tail_scale: float
    tail_share: float
    exceedances: int
    lowest: float
    largest: float
    unit: float = 1.0

    def log_levels(self, n: int) -> Floats:
        """Return n logarithms of levels, even from the lowest to the largest, shape (n,)."""
        return np.linspace(np.log(self.lowest / self.unit), np.log(self.largest / self.unit), n)

    def log_density(self, log_level: Floats) -> Floats:
        """Return the log density of the log level, in the shape of `log_level`."""
        shape = 1.0 / self.variance_of_body
        log_level = log_level + np.log(self.unit)
        level = np.exp(log_level)
        body = shape * (np.log(shape) + log_level - level) - special.gammaln(shape)
        if self.tail_share == 0.0:
            return np.asarray(body)
        inside = np.log1p(-self.tail_share) - np.log(special.gammainc(shape, shape * self.tail_begins))
        excess = np.maximum(level - self.tail_begins, 0.0) / self.tail_scale
        beyond = excess
        if self.tail_shape != 0:
            beyond = np.log(np.maximum(1.0 + self.tail_shape * excess, 1e-300)) / self.tail_shape
        tail = np.log(self.tail_share / self.tail_scale) + log_level - (1.0 + self.tail_shape) * beyond
        density: Floats = np.where(level < self.tail_begins, body + inside, tail)
        return density

    def __str__(self) -> str:
        body = f"claims' own levels: gamma body of variance {self.variance_of_body:.3g}"
        if self.tail_share == 0.0:
            return f"{body}, no Pareto tail ({self.exceedances} claims are too few to fit one)"
        return (
            f"{body}, Pareto tail of shape {self.tail_shape:.2f} above {self.tail_begins:.2f} "
            f"fitted on {self.exceedances} claims"
        )


@dataclass(frozen=True, slots=True, eq=False)
class ClaimFactor:
    """The cost level of each claim given what it has cost so far.

    Attributes
    ----------
    claim_ids : claims of the table, in its order.
    prior : the distribution before payments are seen.
    mean : posterior mean of each claim, balanced within its group, shape (n_claims,).
    inverse : quantiles of each claim's level on the grid of -log(1 - u), shape (n_claims, 257).
    prior_inverse : the same for a claim not in the table, shape (257,).
    groups : how many groups credibility was balanced within.
    """

    claim_ids: tuple[str, ...]
    prior: FactorPrior
    mean: Floats
    inverse: Floats
    prior_inverse: Floats
    groups: int

    def __post_init__(self) -> None:
        for array in (self.mean, self.inverse, self.prior_inverse):
            array.flags.writeable = False

    def table(self, book: ClaimBook) -> Floats:
        """Return the quantile tables of the claims of `book`, by claim id, the prior's for those unknown.

        Shape (n_claims, 257).
        """
        ids = tuple(book.claims["claim_id"])
        if ids == self.claim_ids:
            return self.inverse
        place = {claim_id: row for row, claim_id in enumerate(self.claim_ids)}
        rows = np.array([place.get(claim_id, len(self.claim_ids)) for claim_id in ids], dtype=np.int64)
        table: Floats = np.vstack([self.inverse, self.prior_inverse])[rows]
        return table


def gamma_prior(kappa: float, *, largest: float = 50.0) -> FactorPrior:
    """Return the gamma prior of mean 1 and variance 1 / kappa.

    Examples
    --------
    >>> prior = gamma_prior(2.0)
    >>> mean, variance = posterior_moments(prior, np.array([6500.0]), np.array([4000.0]), 500.0)
    >>> round(float(mean[0]), 3), round(float(variance[0]), 3)
    (1.5, 0.15)
    """
    shape = positive(kappa, "kappa")
    return _scaled(shape, (np.nan, np.nan, np.nan, 0.0), 0, largest)


def fit_prior(
    paid: Floats, expected: Floats, dispersion: float, *, level_variance: float = float("nan")
) -> FactorPrior:
    """Fit the prior: a gamma body by moments and, where enough claims show one, a Pareto tail.

    The variance solves Var(P/e) = phi/e + 1/kappa over claims, each weighed by its precision (Buhlmann
    and Straub 1970). The tail is fitted on P/e of the quarter of claims with the largest e, drawn toward 1 so that
    their variance is that of the level alone, above a quantile with at least 50 claims beyond it; its shape is at most
    0.7. Body and tail together are scaled to mean 1.

    Parameters
    ----------
    paid, expected : units by claim, shape (n_claims,); claims with nothing expected are left out.
    dispersion : variance over mean of payments.
    level_variance : variance of the levels where it is assumed; estimated where NaN.
    """
    used = expected > 0
    ratio, e = np.maximum(paid[used], 0.0) / expected[used], expected[used]
    if len(ratio) < MIN_GROUP:
        return gamma_prior(1.0)
    assumed = np.isfinite(level_variance)
    variance = float(np.clip(level_variance, 0.02, 10.0)) if assumed else _level_variance(ratio, e, dispersion)
    large = e >= np.quantile(e, 0.75)
    noise = dispersion / e[large]
    level = 1.0 + (ratio[large] - 1.0) * np.sqrt(variance / (variance + noise))
    level = level[level > 0]
    largest = max(50.0, 3.0 * float(level.max(initial=1.0)))
    if len(level) < 5 * MIN_EXCEEDANCES:
        return _scaled(1.0 / variance, (np.nan, np.nan, np.nan, 0.0), len(level), largest)
    begins = float(np.quantile(level, min(0.95, 1.0 - MIN_EXCEEDANCES / len(level))))
    excess = level[level > begins] - begins
    shape, scale = fit_excess(excess)
    if shape > SHAPE_CAP:
        # With the shape cut, the scale keeps the mean excess that was seen.
        shape, scale = SHAPE_CAP, float(excess.mean()) * (1.0 - SHAPE_CAP)
    return _scaled(1.0 / variance, (begins, shape, scale, len(excess) / len(level)), len(excess), largest)


def posterior(prior: FactorPrior, paid: Floats, expected: Floats, dispersion: float) -> tuple[Floats, Floats]:
    """Return levels and their probabilities given what was paid, each of shape (n_claims, 256).

    The kernel is that of overdispersed Poisson payments, z^(P/phi) exp(-z e/phi); under a gamma prior
    the posterior is the gamma with shape kappa + P/phi and rate kappa + e/phi. Each claim has levels of its own, even
    in the logarithm where its posterior has mass: on a grid common to all, a claim of many payments would fall between
    two levels. On such a grid the trapezoid rule is exact to rounding for a smooth density.
    """
    scale = dispersion if dispersion > 0 else 1.0
    shape, rate = np.maximum(paid, 0.0) / scale, expected / scale

    def log_kernel(log_level: Floats) -> Floats:
        kernel: Floats = shape[:, None] * log_level - rate[:, None] * np.exp(log_level) + prior.log_density(log_level)
        return kernel

    search = prior.log_levels(_SEARCH_NODES)
    found = log_kernel(np.broadcast_to(search, (1, _SEARCH_NODES)))
    held = found > found.max(axis=1, keepdims=True) - _NEGLIGIBLE
    first = np.maximum(np.argmax(held, axis=1) - 1, 0)
    last = np.minimum(_SEARCH_NODES - np.argmax(held[:, ::-1], axis=1), _SEARCH_NODES - 1)
    log_level = search[first][:, None] + np.linspace(0.0, 1.0, _NODES) * (search[last] - search[first])[:, None]
    density = log_kernel(log_level)
    density = np.exp(density - density.max(axis=1, keepdims=True))
    # Below the lowest level the density of the log level falls as exp((kappa + P/phi) log z).
    step = log_level[:, 1] - log_level[:, 0]
    below = np.where(first == 0, density[:, 0] / (step * (1.0 / prior.variance_of_body + shape)), 0.0)
    density[:, 0] = 0.5 * density[:, 0] + below
    density[:, -1] *= 0.5
    weight: Floats = density / density.sum(axis=1, keepdims=True)
    return np.exp(log_level), weight


def posterior_moments(prior: FactorPrior, paid: Floats, expected: Floats, dispersion: float) -> tuple[Floats, Floats]:
    """Return mean and variance of each claim's level given what was paid, each of shape (n_claims,)."""
    level, weight = posterior(prior, paid, expected, dispersion)
    mean: Floats = np.sum(weight * level, axis=1)
    # Centred, because the difference of two squares rounds below zero where one level has all the weight.
    variance: Floats = np.sum(weight * (level - mean[:, None]) ** 2, axis=1)
    return mean, variance


def fit_factor(
    book: ClaimBook, rates: PaymentRates, future: Floats, labels: Sequence[npt.NDArray[np.int64]]
) -> ClaimFactor:
    """Fit the prior, update it claim by claim, and balance the updates within groups of alike claims.

    The rates of late cells are already those of the claims that reach them, so a costly past is partly in the rates
    of a claim's cell. Within each group of claims now in like cells the levels are therefore scaled to a mean of 1,
    weighed by expected payments: credibility moves dollars between the claims of a group, never the group's total.

    Parameters
    ----------
    book : the claims.
    rates : the account fitted to them, with what was paid and expected so far.
    future : weights of the balance: units expected a day from now on, shape (n_claims,).
    labels : group of each claim, finest first; a group below 30 claims joins its parent's remainder.
    """
    paid, expected, dispersion = rates.claim_paid, rates.claim_expected, rates.dispersion
    prior = fit_prior(paid, expected, dispersion, level_variance=rates.level_variance)
    inverse = np.empty((len(book), TABLE_NODES))
    for begin in range(0, len(book), _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        inverse[rows] = _quantile_table(*posterior(prior, paid[rows], expected[rows], dispersion))
    mean = inverse @ _mean_weights()
    group = merged_groups(labels, len(book))
    weights = np.maximum(future, 0.0)
    top = np.bincount(group, weights * mean)
    bottom = np.bincount(group, weights)
    plain = np.bincount(group, mean) / np.maximum(np.bincount(group), 1)
    level = np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), plain)[group]
    prior_inverse = _quantile_table(*posterior(prior, np.zeros(1), np.zeros(1), 1.0))[0]
    return ClaimFactor(
        claim_ids=tuple(book.claims["claim_id"]),
        prior=prior,
        mean=mean / level,
        inverse=inverse / level[:, None],
        prior_inverse=prior_inverse / float(prior_inverse @ _mean_weights()),
        groups=len(np.unique(group)),
    )


def merged_groups(labels: Sequence[npt.NDArray[np.int64]], n_claims: int) -> Integers:
    """Return the group of each claim: its finest label with at least 30 claims still unplaced, else the last group."""
    group = np.full(n_claims, -1, dtype=np.int64)
    n_groups = 0
    for label in labels:
        open_rows = np.flatnonzero(group < 0)
        _, place, count = np.unique(label[open_rows], return_inverse=True, return_counts=True)
        large = count >= MIN_GROUP
        code = np.where(large, n_groups + np.cumsum(large) - 1, -1)
        group[open_rows] = code[place.ravel()]
        n_groups += int(large.sum())
    group[group < 0] = n_groups
    return np.unique(group, return_inverse=True)[1].astype(np.int64)


def describe(factor: ClaimFactor) -> pd.DataFrame:
    """Return the spread of the claims' levels: quantiles of the posterior means, and of the prior."""
    levels = np.array([0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    prior = np.interp(-np.log1p(-levels), _EXPONENT, factor.prior_inverse)
    columns = {"before payments": prior, "given payments (means)": np.quantile(factor.mean, levels)}
    return pd.DataFrame(columns, index=pd.Index(levels, name="share of claims below"))


def _level_variance(ratio: Floats, expected: Floats, dispersion: float) -> float:
    """Return the variance of the claims' levels by moments, weighed by precision, within [0.02, 10]."""
    noise = dispersion / expected
    variance = 1.0
    for _ in range(50):
        weight = 1.0 / (variance + noise) ** 2
        # Cut as in the dispersion, for the same reason.
        square = np.minimum((ratio - 1.0) ** 2, np.quantile((ratio - 1.0) ** 2, 0.999))
        moment = float((weight * (square - noise)).sum() / weight.sum())
        update = float(np.clip(moment, 0.02, 10.0))
        if abs(update - variance) < 1e-9:
            break
        variance = update
    return variance


def _scaled(kappa: float, tail: tuple[float, float, float, float], exceedances: int, largest: float) -> FactorPrior:
    """Return gamma body and Pareto tail (begins, shape, scale, share), scaled to mean 1."""
    lowest = max(float(stats.gamma(kappa, scale=1.0 / kappa).ppf(1e-7)), 1e-12)
    prior = FactorPrior(1.0 / kappa, *tail, exceedances, lowest, largest)
    # Fine, since the density jumps where the tail begins.
    log_level = prior.log_levels(64 * _SEARCH_NODES)
    weight = np.exp(prior.log_density(log_level))
    weight[0] += weight[0] / (kappa * (log_level[1] - log_level[0]))
    return replace(prior, unit=float(weight @ np.exp(log_level) / weight.sum()))


def _quantile_table(level: Floats, weight: Floats) -> Floats:
    """Return quantiles on the grid of -log(1 - u) for distributions on levels, one a row, exact in the mean."""
    # Survival at a node is counted with half the node's own weight, so that the curve runs through the middle of it.
    beyond = np.cumsum(weight[:, ::-1], axis=1)[:, ::-1] - 0.5 * weight
    exponent = -np.log(np.maximum(beyond, 1e-300))
    log_level = np.log(level)
    table = np.empty((len(weight), TABLE_NODES))
    for row, (curve, values) in enumerate(zip(exponent, log_level, strict=True)):
        table[row] = np.exp(np.interp(_EXPONENT, curve, values))
    table *= (np.sum(weight * level, axis=1) / (table @ _mean_weights()))[:, None]
    return table


def _mean_weights() -> Floats:
    """Return weights that integrate a quantile table, linear between its nodes and constant beyond, exactly."""
    step = TABLE_END / (TABLE_NODES - 1)
    alive = np.exp(-_EXPONENT)
    left = alive[:-1] * (1.0 - -np.expm1(-step) / step)
    right = alive[:-1] * (-np.expm1(-step) / step - np.exp(-step))
    weights = np.zeros(TABLE_NODES)
    weights[:-1] += left
    weights[1:] += right
    weights[-1] += alive[-1]
    return weights
