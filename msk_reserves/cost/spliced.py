"""A severity with a lognormal or gamma body and a generalized Pareto tail."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

from msk_reserves._checks import Floats, finite, level, one_of, positive, share


@dataclass(frozen=True, slots=True)
class SplicedSeverity:
    """Amounts up to a threshold follow a truncated body, amounts above it a generalized Pareto tail.

    Attributes
    ----------
    body : "lognormal" with parameters (mu, sigma) or "gamma" with (shape, scale in dollars).
    parameters : the two parameters of the body.
    threshold : where the tail begins, dollars.
    tail_share : probability of an amount above the threshold.
    tail_shape : shape of the tail (xi); the mean exists below 1, the variance below 1/2.
    tail_scale : scale of the tail (beta), dollars.
    """

    body: str
    parameters: tuple[float, float]
    threshold: float
    tail_share: float
    tail_shape: float
    tail_scale: float

    def __post_init__(self) -> None:
        one_of(self.body, ("lognormal", "gamma"), "body")
        finite(self.parameters[0], "parameters[0]")
        positive(self.parameters[1], "parameters[1]")
        positive(self.threshold, "threshold")
        share(self.tail_share, "tail_share")
        positive(self.tail_scale, "tail_scale")
        if finite(self.tail_shape, "tail_shape") >= 1:
            raise ValueError(f"`tail_shape` must be below 1, or there is no mean; got {self.tail_shape!r}")

    def __str__(self) -> str:
        return (
            f"{self.body} body {self.parameters[0]:.4g}, {self.parameters[1]:.4g} up to {self.threshold:,.4g}; "
            f"{self.tail_share:.2%} above, Pareto tail of shape {self.tail_shape:.3f} and scale {self.tail_scale:,.4g}"
        )


def survival(severity: SplicedSeverity, amount: npt.ArrayLike) -> Floats:
    """Return the probability of more than `amount`, in its shape.

    Examples
    --------
    >>> severity = SplicedSeverity("lognormal", (9.5, 1.0), 50_000.0, 0.06, 0.4, 30_000.0)
    >>> round(float(survival(severity, 50_000.0)), 4)
    0.06
    """
    at = np.maximum(np.asarray(amount, dtype=np.float64), 0.0)
    below = _body(severity).cdf(np.minimum(at, severity.threshold)) / _body(severity).cdf(severity.threshold)
    above = _excess_survival(severity, np.maximum(at - severity.threshold, 0.0))
    total: Floats = np.where(at < severity.threshold, 1.0 - (1.0 - severity.tail_share) * below, above)
    return total


def limited_expected_value(severity: SplicedSeverity, limit: npt.ArrayLike) -> Floats:
    """Return the expected amount limited to `limit`, E min(X, c).

    The closed form of Klugman, Panjer and Willmot (Loss Models, appendix A) for the body and the tail.

    Parameters
    ----------
    severity : SplicedSeverity
        The distribution.
    limit : array_like
        Dollars; infinity gives the mean.

    Returns
    -------
    numpy.ndarray
        Dollars, in the shape of `limit`.

    Examples
    --------
    >>> severity = SplicedSeverity("lognormal", (9.5, 1.0), 50_000.0, 0.06, 0.4, 30_000.0)
    >>> round(float(limited_expected_value(severity, 250_000.0)), 4)
    19857.1524
    """
    at = np.maximum(np.asarray(limit, dtype=np.float64), 0.0)
    inside = np.minimum(at, severity.threshold)
    body_weight = (1.0 - severity.tail_share) / _body(severity).cdf(severity.threshold)
    partial = body_weight * _partial_mean(severity, inside)
    excess = np.maximum(at - severity.threshold, 0.0)
    with np.errstate(invalid="ignore"):
        tail = severity.tail_share * _excess_mean(severity, excess)
    expected: Floats = np.asarray(partial + inside * survival(severity, inside) + tail)
    return expected


def severity_mean(severity: SplicedSeverity) -> float:
    """Return the mean, dollars.

    Examples
    --------
    >>> severity = SplicedSeverity("lognormal", (9.5, 1.0), 50_000.0, 0.06, 0.4, 30_000.0)
    >>> round(severity_mean(severity), 4)
    20284.4339
    """
    return float(limited_expected_value(severity, np.inf))


def severity_quantile(severity: SplicedSeverity, probability: npt.ArrayLike) -> Floats:
    """Return the amounts (value at risk) below which each `probability` lies, dollars, in its shape.

    Examples
    --------
    >>> severity = SplicedSeverity("lognormal", (9.5, 1.0), 50_000.0, 0.06, 0.4, 30_000.0)
    >>> round(float(severity_quantile(severity, 0.99)), 2)
    128575.44
    """
    q = np.asarray(probability, dtype=np.float64)
    if not ((q >= 0) & (q < 1)).all():
        raise ValueError(f"`probability` must lie in [0, 1), got {q[~((q >= 0) & (q < 1))].flat[0]}")
    body_mass = 1.0 - severity.tail_share
    inside = np.minimum(q, body_mass) / body_mass if body_mass > 0 else np.zeros_like(q)
    below = _body(severity).ppf(inside * _body(severity).cdf(severity.threshold))
    xi, beta = severity.tail_shape, severity.tail_scale
    ratio = np.where(q > body_mass, (1.0 - q) / max(severity.tail_share, 1e-300), 1.0)
    above = severity.threshold + (beta / xi * (ratio**-xi - 1.0) if abs(xi) > 1e-9 else -beta * np.log(ratio))
    quantile: Floats = np.where(q <= body_mass, below, above)
    return quantile


def severity_tail_mean(severity: SplicedSeverity, probability: float) -> float:
    """Return the mean of the amounts beyond the quantile at `probability` (tail value at risk), dollars.

    Above the threshold this is (VaR + beta - xi u) / (1 - xi), McNeil (1997, ASTIN Bulletin 27, p. 117).
    """
    q = level(probability, "probability")
    value_at_risk = float(severity_quantile(severity, q))
    beyond = severity_mean(severity) - float(limited_expected_value(severity, value_at_risk))
    return value_at_risk + beyond / (1.0 - q)


def _body(severity: SplicedSeverity) -> stats.rv_continuous:
    """Return the law of the body before it is cut at the threshold."""
    first, second = severity.parameters
    return (
        stats.lognorm(second, scale=np.exp(first)) if severity.body == "lognormal" else stats.gamma(first, scale=second)
    )


def _partial_mean(severity: SplicedSeverity, at: Floats) -> Floats:
    """Return E[X; X <= at] of the body before it is cut."""
    first, second = severity.parameters
    if severity.body == "gamma":
        partial: Floats = np.asarray(first * second * special.gammainc(first + 1.0, at / second))
        return partial
    with np.errstate(divide="ignore"):
        z = (np.log(at) - first) / second
    return np.asarray(np.exp(first + second**2 / 2) * special.ndtr(z - second))


def _excess_survival(severity: SplicedSeverity, excess: Floats) -> Floats:
    """Return the probability of an amount more than `excess` above the threshold."""
    tail = stats.genpareto(severity.tail_shape, scale=severity.tail_scale)
    beyond: Floats = np.asarray(severity.tail_share * tail.sf(excess))
    return beyond


def _excess_mean(severity: SplicedSeverity, excess: Floats) -> Floats:
    """Return E min(excess over the threshold, `excess`) given an amount above it."""
    xi, beta = severity.tail_shape, severity.tail_scale
    if abs(xi) < 1e-9:
        mean: Floats = np.asarray(-beta * np.expm1(-excess / beta))
        return mean
    reach = np.maximum(1.0 + xi * excess / beta, 0.0)
    return np.asarray(beta / (1.0 - xi) * (1.0 - reach ** (1.0 - 1.0 / xi)))
