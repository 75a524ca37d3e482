"""What a certain amount would be worth in the place of an uncertain one."""

import numpy as np
from scipy import special, stats

from msk_reserves._checks import Floats, finite, frozen, positive

WORST = 10
"""Scenarios that may not make up more than half of an exponential mean: it would be theirs, not the distribution's."""


def certainty_equivalent(values: Floats, risk_aversion: float, *, most: float | None = None) -> float:
    """Return the certain cost that exponential utility holds equal to the uncertain one, (1/a) ln E exp(a Y).

    Parameters
    ----------
    values : dollars by scenario, shape (n_scenarios,).
    risk_aversion : a, per dollar; a loss of 1/a dollars weighs e times as much at the margin.
    most : the greatest amount the payer can owe, as by a stop-loss or a policy's limit; larger values count as this.

    Returns
    -------
    float
        Dollars; the mean or more. A fixed price adds to it as it is.

    Raises
    ------
    ValueError
        If there is no limit: the cost of claims has lognormal or Pareto tails, whose exponential mean is infinite for
        every a > 0, so that the figure of a simulation would be an accident of its worst scenario. Also if the worst
        ten scenarios make up more than half of the mean.

    Notes
    -----
    Gerber, An Introduction to Mathematical Risk Theory (1979), section 5.4.

    Examples
    --------
    >>> round(certainty_equivalent(np.repeat([0.0, 10_000.0], 50), 1e-4, most=10_000.0), 2)
    6201.15
    """
    a, dollars = positive(risk_aversion, "risk_aversion"), frozen(values, "values")
    if most is None:
        raise ValueError(
            "`most` is not given: without a limit on what may be owed the certainty equivalent is infinite, since "
            "lognormal and Pareto tails have no exponential mean; give the limit of the stop-loss or policy"
        )
    capped = np.minimum(dollars, finite(most, "most"))
    logs = np.sort(a * capped)[::-1]
    whole = special.logsumexp(logs)
    # Scenarios as dear as the limit are a mass the distribution has, not an accident.
    worst = logs[:WORST][logs[:WORST] < a * most]
    if len(worst) and len(logs) > 2 * WORST and special.logsumexp(worst) - whole > np.log(0.5):
        raise ValueError(
            f"`risk_aversion` of {a:g} rests on the {len(worst)} worst of {len(logs):,} scenarios, which make up "
            f"{np.exp(special.logsumexp(worst) - whole):.0%} of the exponential mean; take a smaller one or more "
            "scenarios"
        )
    return float((whole - np.log(len(logs))) / a)


def gamma_certainty_equivalent(shape: float, scale: float, risk_aversion: float) -> float:
    """Return the certainty equivalent of a gamma cost, -(k/a) ln(1 - a theta), dollars.

    Parameters
    ----------
    shape, scale : k and theta; the mean is k theta.
    risk_aversion : a, per dollar.

    Raises
    ------
    ValueError
        If a theta is 1 or more: the exponential mean is infinite.

    Examples
    --------
    >>> round(gamma_certainty_equivalent(4, 2_500, 1e-4), 4)
    11507.2829
    """
    k, theta, a = positive(shape, "shape"), positive(scale, "scale"), positive(risk_aversion, "risk_aversion")
    if a * theta >= 1:
        raise ValueError(
            f"`risk_aversion` must be below 1 / scale = {1 / theta:g}, got {a:g}: the certainty equivalent of a gamma "
            "cost is infinite from there on"
        )
    return float(-k / a * np.log1p(-a * theta))


def wang_price(values: Floats, loading: float) -> float:
    """Return the mean under the normal distortion of survival, Phi(Phi^-1(S) + loading), dollars.

    Parameters
    ----------
    values : dollars by scenario, shape (n_scenarios,).
    loading : how far the normal score of each survival probability is moved; 0 gives the mean, above it weighs the
        dear scenarios more.

    Returns
    -------
    float
        Exists wherever the mean of a lognormal does: exp(mu + loading sigma + sigma^2 / 2).

    Notes
    -----
    Wang, Journal of Risk and Insurance 67 (2000) 15, equation 12.

    Examples
    --------
    >>> round(wang_price(np.array([0.0, 100.0]), 0.0), 6)
    50.0
    """
    ordered = np.sort(frozen(values, "values"))
    at_least = 1 - np.arange(len(ordered)) / len(ordered)
    weighed = stats.norm.cdf(stats.norm.ppf(at_least) + finite(loading, "loading"))
    weights = weighed - np.append(weighed[1:], 0.0)
    return float(weights @ ordered)
