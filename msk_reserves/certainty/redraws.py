"""Intervals from parameter redraws: a figure computed anew under each draw, chance within the draw taken out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from msk_reserves._checks import Floats, level
from msk_reserves.certainty.measures import paired

LEAST_DRAWS = 20
"""Draws of the parameters from which an interval over them is given."""

LEAST_WITHIN = 200
"""Scenarios behind each draw from which figures of each are told: with fewer a tail has no scenario to stand on."""

Statistic = Callable[..., Floats]
"""Figures of dollars under two contracts, or in several worlds, on the same scenarios."""


def enough(n_scenarios: int, n_draws: int) -> bool:
    """Say whether figures of each draw can be told.

    Examples
    --------
    >>> enough(10_000, 500), enough(10_000, 50)
    (False, True)
    """
    return n_draws >= LEAST_DRAWS and n_scenarios // n_draws >= LEAST_WITHIN


def redrawn(statistic: Statistic, dollars: Sequence[Floats], n_draws: int, *, jointly: bool = True) -> Floats:
    """Return figures under each parameter draw, the noise of the scenarios within it taken out.

    Parameters
    ----------
    statistic : figures, shape (k,), from the dollars of each world as its arguments.
    dollars : dollars by scenario in each world, those of one draw in a row; each of shape (n_scenarios,).
    n_draws : draws behind them.
    jointly : whether figures keep what they have to do with one another; else each loses its own noise alone, as
        figures of different kinds should.

    Returns
    -------
    numpy.ndarray, shape (n_draws, k)
        Figures about their mean, drawn together so far that their covariance is that of the parameters alone.

    Raises
    ------
    ValueError
        If the scenarios do not pair, or there are too few draws or too few scenarios a draw.

    Notes
    -----
    The covariance of the figures is that of the parameters plus that of the noise. The latter is a quarter of the mean
    outer product of the difference between the two halves of a draw's scenarios; it is taken out but for one standard
    error of what is left where nothing is, 2 / sqrt(n_draws) of it, so that chance does not take out what the
    parameters do. Figures are mapped by the linear map of optimal transport between the two normal laws (Dowson and
    Landau, Journal of Multivariate Analysis 12 (1982) 450); for one figure it is the constrained shrinkage of Louis,
    Journal of the American Statistical Association 79 (1984) 393.
    """
    for other in dollars[1:]:
        paired(dollars[0], other)
    scenarios = len(dollars[0])
    if not enough(scenarios, n_draws) or scenarios % n_draws:
        raise ValueError(
            f"`n_draws` of {n_draws} behind {scenarios:,} scenarios tells nothing of each draw: {LEAST_DRAWS} draws "
            f"with {LEAST_WITHIN} scenarios each are the least"
        )
    rows = [one.reshape(n_draws, -1) for one in dollars]
    half = rows[0].shape[1] // 2
    found = _by_draw(statistic, rows)
    first = _by_draw(statistic, [one[:, :half] for one in rows])
    second = _by_draw(statistic, [one[:, half : 2 * half] for one in rows])
    noise = (first - second) / 2
    if jointly:
        return without_noise(found, noise)
    return np.column_stack([without_noise(found[:, [one]], noise[:, [one]]) for one in range(found.shape[1])])


def _by_draw(statistic: Statistic, rows: Sequence[Floats]) -> Floats:
    """Return the figures of each draw."""
    return np.array([statistic(*one) for one in zip(*rows, strict=True)])


def without_noise(found: Floats, noise: Floats) -> Floats:
    """Return figures drawn together about their mean, so that their covariance loses that of the noise.

    Parameters
    ----------
    found : figures, shape (n_draws, k).
    noise : draws of their noise, of mean zero, shape (n_draws, k).

    Examples
    --------
    >>> without_noise(np.array([[-1.0], [1.0]]), np.array([[0.0], [0.0]])).ravel().round(9).tolist()
    [-1.0, 1.0]
    """
    centre, centred = found.mean(axis=0), found - found.mean(axis=0)
    spread = centred.std(axis=0)
    unit = np.where(spread > 0, spread, 1.0)
    whole = centred.T @ centred / (len(found) - 1) / np.outer(unit, unit)
    n = len(found)
    # One standard error of the difference at no spread stays, lest chance takes out all, and the noise of the centre.
    taken = 1 - 2 / np.sqrt(n) - 1 / n
    true = whole - taken * noise.T @ noise / len(noise) / np.outer(unit, unit)
    root, inverse = _roots(whole)
    inner, _ = _roots(root @ _at_least_zero(true) @ root)
    # Figures that move together exactly leave directions without spread; the generalised inverse drops them.
    mapped: Floats = centre + (centred / unit) @ (inverse @ inner @ inverse) * unit
    return mapped


def _at_least_zero(matrix: Floats) -> Floats:
    """Return the nearest matrix without negative eigenvalues."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return np.asarray(vectors * np.maximum(values, 0.0) @ vectors.T)


def _roots(matrix: Floats) -> tuple[Floats, Floats]:
    """Return the symmetric root of a covariance and its generalised inverse."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    kept = values > 1e-10 * max(float(values.max()), 1e-300)
    roots = np.sqrt(np.where(kept, values, 0.0))
    inverse = np.where(kept, 1.0 / np.where(kept, roots, 1.0), 0.0)
    return np.asarray(vectors * roots @ vectors.T), np.asarray(vectors * inverse @ vectors.T)


def joint_interval(figures: Floats, level_: float = 0.9) -> tuple[tuple[float, float], ...]:
    """Return intervals that hold all figures of a draw at once with probability `level_`, one a figure.

    Parameters
    ----------
    figures : figures by draw, shape (n_draws, k).
    level_ : share of draws inside all intervals.

    Returns
    -------
    tuple of (low, high)
        From order statistics of equal rank in each figure (Besag, Green, Higdon and Mengersen, Statistical Science 10
        (1995) 3, section 6.3), between ranks where the share asks for it.

    Examples
    --------
    >>> joint_interval(np.arange(1.0, 4.0)[:, None], 0.5)
    ((1.0, 3.0),)
    """
    wanted, n = level(level_, "level_"), len(figures)
    # Mean ranks: a figure that is the same in every draw is never extreme. Ranks count among n + 1, since the truth
    # would be one more draw; so does the share of draws inside.
    place = stats.rankdata(figures, axis=0) / (n + 1)
    outward = np.maximum(place, 1 - place).max(axis=1)
    edge = float(np.quantile(outward, min(wanted * (n + 1) / n, 1.0), method="weibull"))
    low, high = np.quantile(figures, [1 - edge, edge], axis=0, method="weibull")
    return tuple((float(a), float(b)) for a, b in zip(low, high, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class PairInterval:
    """The change of the mean and the tail removed under each parameter draw: where both may lie, and what follows.

    Attributes
    ----------
    pairs : change of the mean and tail removed by draw, dollars, chance within the draw taken out; shape (n_draws, 2).
    level : of the intervals.
    mean_change, tail_removed : interval of each, which hold both at once with that level.
    price : interval of dollars of mean for a dollar of tail over the draws that have one; None where none has.
    chances : probability of each verdict over the draws.
    """

    pairs: Floats
    level: float
    mean_change: tuple[float, float]
    tail_removed: tuple[float, float]
    price: tuple[float, float] | None
    chances: Mapping[str, float]

    def __post_init__(self) -> None:
        self.pairs.flags.writeable = False

    def __str__(self) -> str:
        (a, b), (c, d) = self.mean_change, self.tail_removed
        told = ", ".join(f"{name} {chance:.0%}" for name, chance in self.chances.items() if chance > 0)
        price = "" if self.price is None else f"; where it has a price, ${self.price[0]:,.2f} to ${self.price[1]:,.2f}"
        return (
            f"{self.level:.0%} joint interval over {len(self.pairs):,} parameter draws: mean change {signed(a)} to "
            f"{signed(b)}, tail removed {signed(c)} to {signed(d)}; {told}{price}"
        )

    def __repr__(self) -> str:
        return str(self)


PRICED, DOMINATES, NO_CERTAINTY, NOTHING = "has a price", "dominates", "buys no certainty", "changes nothing"
"""What a pair of mean change and tail removed amounts to."""


def verdict(mean_change: float, tail_removed: float) -> str:
    """Return what a change of the mean and a tail removed amount to.

    Parameters
    ----------
    mean_change : mean after less mean before, dollars.
    tail_removed : tail mean less mean, before less after, dollars.

    Examples
    --------
    >>> verdict(10.0, 40.0), verdict(-10.0, 40.0), verdict(10.0, -5.0), verdict(0.0, 0.0)
    ('has a price', 'dominates', 'buys no certainty', 'changes nothing')
    """
    if tail_removed == 0 and mean_change == 0:
        return NOTHING
    if tail_removed <= 0:
        return NO_CERTAINTY
    return PRICED if mean_change > 0 else DOMINATES


def pair_interval(pairs: Floats, level_: float = 0.9) -> PairInterval:
    """Return the joint interval of mean change and tail removed, and the probability of each verdict.

    Parameters
    ----------
    pairs : change of the mean and tail removed by draw, as `redrawn` makes them; shape (n_draws, 2).
    level_ : of the intervals.

    Examples
    --------
    >>> found = pair_interval(np.column_stack([np.arange(1.0, 102.0), np.full(101, 50.0)]))
    >>> found.chances["has a price"], found.tail_removed
    (1.0, (50.0, 50.0))
    """
    verdicts = [verdict(float(change), float(removed)) for change, removed in pairs]
    priced = np.array([one == PRICED for one in verdicts])
    tail = (1 - level(level_, "level_")) / 2
    price = None
    if priced.any():
        low, high = np.quantile(pairs[priced, 0] / pairs[priced, 1], [tail, 1 - tail])
        price = (float(low), float(high))
    change, removed = joint_interval(pairs, level_)
    chances = {name: verdicts.count(name) / len(verdicts) for name in (PRICED, DOMINATES, NO_CERTAINTY, NOTHING)}
    return PairInterval(np.array(pairs), level_, change, removed, price, chances)


def signed(dollars: float) -> str:
    """Return dollars with their sign in front.

    Examples
    --------
    >>> signed(-1234.5), signed(10.0)
    ('-$1,234', '+$10')
    """
    return f"{'-' if dollars < 0 else '+'}${abs(dollars):,.0f}"
