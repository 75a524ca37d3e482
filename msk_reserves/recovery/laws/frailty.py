"""Shared gamma frailty: one factor on the hazards of all stays of a group, and its credibility update."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from msk_reserves._checks import Floats, not_negative, positive

LEAST_VARIANCE, MOST_VARIANCE = 1e-5, 20.0
"""Limits between which the variance of the factor is looked for; at the first it counts as none."""


@dataclass(frozen=True, slots=True)
class GammaVariance:
    """The variance of a gamma factor with mean one, estimated from exits and hazard by group.

    Attributes
    ----------
    theta : the variance, 0 where none is found.
    log_error : standard error of its logarithm, infinite where none is found.
    scale : what every hazard is multiplied by for the factors to average one.
    gain : rise of the log-likelihood over a variance of zero.
    """

    theta: float
    log_error: float
    scale: float
    gain: float

    @property
    def p_value(self) -> float:
        """Likelihood-ratio test of no variance: half a chi-square of one degree, zero being the edge of its range."""
        return 0.5 * float(stats.chi2.sf(2.0 * max(self.gain, 0.0), 1)) if self.gain > 0 else 1.0


def frailty_loglik(
    theta: float, exits: npt.ArrayLike, hazard: npt.ArrayLike, hazard_at_entry: npt.ArrayLike = 0.0
) -> Floats:
    """Return what each group adds to the log-likelihood, apart from the sum of the log hazards of its exits.

    Parameters
    ----------
    theta : float
        Variance of the factor, which is gamma with mean one; 0 for none.
    exits : array_like, shape (n_groups,)
        Exits D of the group.
    hazard : array_like, shape (n_groups,)
        Cumulative hazard H of all its stays without the factor, up to where each was last seen.
    hazard_at_entry : array_like, shape (n_groups,)
        The same up to where each could first be seen, for groups that are in the data only because all of their
        stays lasted that long. Where groups are seen anyway, and only short stays are missing, leave it at zero and
        count `hazard` from entry.

    Returns
    -------
    numpy.ndarray, shape (n_groups,)
        ln of theta^D G(1/theta + D) / G(1/theta) (1 + theta H)^-(1/theta + D) (1 + theta H_entry)^(1/theta), with G the
        gamma function (Klein 1992, Biometrics 48, 795, with left truncation as in van den Berg and Drepper 2016).

    Examples
    --------
    >>> frailty_loglik(0.5, [1.0], [3.0]).round(4).tolist()
    [-2.7489]
    """
    d, h, e = (np.asarray(one, dtype=np.float64) for one in (exits, hazard, hazard_at_entry))
    if not_negative(theta, "theta") < LEAST_VARIANCE / 2:
        return np.asarray(e - h)
    shape = 1.0 / theta
    rising = special.gammaln(shape + d) - special.gammaln(shape) + d * np.log(theta)
    return np.asarray(rising - (shape + d) * np.log1p(theta * h) + shape * np.log1p(theta * e))


def frailty_mean(theta: float, exits: npt.ArrayLike, hazard: npt.ArrayLike) -> Floats:
    """Return the factor expected of each group given its exits and hazard: credibility for durations.

    Parameters
    ----------
    theta, exits, hazard : variance, exits and hazard, as in `frailty_loglik`.

    Returns
    -------
    numpy.ndarray
        (1 + theta D) / (1 + theta H), which is the average 1 and the group's own D / H, the latter with the
        credibility theta H / (1 + theta H).

    Examples
    --------
    >>> float(frailty_mean(0.5, 1.0, 3.0))
    0.6
    """
    d, h = np.asarray(exits, dtype=np.float64), np.asarray(hazard, dtype=np.float64)
    return np.asarray((1.0 + not_negative(theta, "theta") * d) / (1.0 + theta * h))


def frailty_survival(theta: float, exits: npt.ArrayLike, hazard: npt.ArrayLike, hazard_ahead: npt.ArrayLike) -> Floats:
    """Return the probability that a stay of a group outlasts `hazard_ahead`, given what the group has shown.

    Parameters
    ----------
    theta, exits, hazard : variance, exits and hazard, as in `frailty_loglik`.
    hazard_ahead : array_like
        Cumulative hazard still ahead of the stay, without the factor.

    Returns
    -------
    numpy.ndarray
        (1 + theta dH / (1 + theta H))^-(1/theta + D).

    Examples
    --------
    >>> round(float(frailty_survival(0.5, 1.0, 3.0, 0.4)), 7)
    0.7938322
    """
    d, h, more = (np.asarray(one, dtype=np.float64) for one in (exits, hazard, hazard_ahead))
    shape = 1.0 / positive(theta, "theta")
    return np.asarray(np.exp(-(shape + d) * np.log1p(theta * more / (1.0 + theta * h))))


def fit_variance(exits: Floats, hazard: Floats, *, scaled: bool) -> GammaVariance:
    """Estimate the variance of the factor by maximum likelihood, from exits and hazard by group.

    Parameters
    ----------
    exits, hazard : numpy.ndarray, shape (n_groups,)
        Exits and cumulative hazard without the factor.
    scaled : bool
        Whether the level of all hazards is estimated along (that of one variance makes the factors average one).

    Returns
    -------
    GammaVariance
    """
    total = float(exits.sum())
    # Without variance the level that fits is exits over hazard.
    level = total / float(hazard.sum()) if scaled else 1.0
    base = total * np.log(level) - level * float(hazard.sum())

    def at(log_theta: float) -> tuple[float, float]:
        theta = float(np.exp(log_theta))
        scale = _scale(theta, exits, hazard, level) if scaled else 1.0
        return total * np.log(scale) + float(frailty_loglik(theta, exits, scale * hazard).sum()), scale

    low, high = float(np.log(LEAST_VARIANCE)), float(np.log(MOST_VARIANCE))
    grid = np.linspace(low, high, 30)
    start = int(np.argmax([at(one)[0] for one in grid]))
    bounds = (grid[max(start - 1, 0)], grid[min(start + 1, len(grid) - 1)])
    best = optimize.minimize_scalar(lambda one: -at(one)[0], bounds=bounds, method="bounded", options={"xatol": 1e-7})
    value, scale = at(float(best.x))
    if value <= base + 1e-7 or best.x < low + 1e-3:
        return GammaVariance(0.0, np.inf, level, 0.0)
    step = 0.02
    curvature = (at(best.x + step)[0] - 2.0 * value + at(best.x - step)[0]) / step**2
    error = 1.0 / np.sqrt(-curvature) if curvature < 0 else np.inf
    return GammaVariance(float(np.exp(best.x)), float(error), scale, float(value - base))


def _scale(theta: float, exits: Floats, hazard: Floats, start: float) -> float:
    """Return the level c at which the sum of (D - c H) / (1 + theta c H) is zero: there the factors average one."""
    log_c = np.log(start)
    for _ in range(100):
        h = np.exp(log_c) * hazard
        value = ((exits - h) / (1.0 + theta * h)).sum()
        slope = -(h * (1.0 + theta * exits) / (1.0 + theta * h) ** 2).sum()
        step = np.clip(-value / slope, -1.0, 1.0)
        log_c += step
        if abs(step) < 1e-12:
            break
    return float(np.exp(log_c))
