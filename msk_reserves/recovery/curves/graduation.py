"""Rates of a row of neighbouring bands, smoothed: Whittaker-Henderson graduation of Poisson counts."""

import numpy as np
from scipy import optimize

from msk_reserves._checks import Floats

ROUGHEST, SMOOTHEST = 1e-3, 1e6
"""Smallest and largest weight of the penalty that is tried; at the second the rates are all but log-linear."""

_STEPS = 50


def graduated_rates(exits: Floats, exposure: Floats) -> tuple[Floats, Floats]:
    """Return smoothed rates by band, drawn toward the neighbouring bands as far as their own exits are few.

    Parameters
    ----------
    exits, exposure : numpy.ndarray, shape (n_bands,)
        Exits and time at risk of consecutive bands; at least one exit, and no exits without exposure.

    Returns
    -------
    tuple of two numpy.ndarray, shape (n_bands,)
        Exits per unit of exposure, and the credibility of each band's own rate: the share of a small change of it that
        its smoothed log rate takes up.

    Notes
    -----
    The log rates maximise the Poisson likelihood less lambda/2 times the sum of their squared second differences
    (first differences where fewer than three bands saw an exit). Lambda maximises the marginal likelihood of the
    counts, Laplace's approximation (Biessy 2023, "Revisiting Whittaker-Henderson smoothing", arXiv 2306.06932).

    Examples
    --------
    >>> rates, credibility = graduated_rates(np.array([8.0, 6.0, 5.0]), np.array([100.0, 100.0, 100.0]))
    >>> rates.round(4).tolist(), credibility.round(2).tolist()
    ([0.0789, 0.0621, 0.0489], [0.87, 0.34, 0.79])
    """
    order = 2 if (exits > 0).sum() > 2 else 1
    if len(exits) <= order:
        return np.full(len(exits), exits.sum() / exposure.sum()), exposure / exposure.sum()
    differences = np.diff(np.eye(len(exits)), n=order, axis=0)
    penalty = differences.T @ differences

    def loss(log_weight: float) -> float:
        return -_marginal(exits, exposure, np.exp(log_weight) * penalty, order)

    best = optimize.minimize_scalar(loss, bounds=(np.log(ROUGHEST), np.log(SMOOTHEST)), method="bounded")
    weighed = np.exp(best.x) * penalty
    rates = np.exp(_log_rates(exits, exposure, weighed))
    pull = np.linalg.solve(np.diag(exposure * rates) + weighed, np.diag(exposure * rates))
    return np.asarray(rates), np.diag(pull).copy()


def _log_rates(exits: Floats, exposure: Floats, penalty: Floats) -> Floats:
    """Return the log rates of the greatest penalised likelihood, by Newton steps halved until they climb."""

    def value(eta: Floats) -> float:
        return float(exits @ eta - exposure @ np.exp(eta) - 0.5 * eta @ penalty @ eta)

    eta = np.full(len(exits), np.log(exits.sum() / exposure.sum()))
    for _ in range(_STEPS):
        expected = exposure * np.exp(eta)
        gradient = exits - expected - penalty @ eta
        step = np.linalg.solve(np.diag(expected) + penalty, gradient)
        gain = float(gradient @ step)
        if gain < 1e-12:
            break
        length, here = 1.0, value(eta)
        while value(eta + length * step) < here - 1e-12 * abs(here) and length > 1e-6:
            length *= 0.5
        eta = eta + length * step
    return eta


def _marginal(exits: Floats, exposure: Floats, penalty: Floats, order: int) -> float:
    """Return the log marginal likelihood of a penalty, up to a constant."""
    eta = _log_rates(exits, exposure, penalty)
    expected = exposure * np.exp(eta)
    _, curvature = np.linalg.slogdet(np.diag(expected) + penalty)
    rank = np.linalg.eigvalsh(penalty)[order:]
    fitted = float(exits @ eta - expected.sum() - 0.5 * eta @ penalty @ eta)
    return fitted + 0.5 * float(np.log(rank).sum()) - 0.5 * float(curvature)
