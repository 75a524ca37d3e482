"""Kaplan-Meier, Nelson-Aalen and Aalen-Johansen with delayed entry, ties and weights."""

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats, one_of
from msk_reserves.recovery.curves.counting import cause_codes, conditioned, place_stays, read_only, refuse_fractions
from msk_reserves.recovery.curves.curves import CumulativeHazard, CumulativeIncidence, SurvivalCurve
from msk_reserves.recovery.curves.jackknife import incidence_error
from msk_reserves.recovery.observations import exit_flags

_JACKKNIFE = "give `variance='infinitesimal_jackknife'`"


def kaplan_meier(
    days: npt.ArrayLike,
    exited: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    start: float | str = 0.0,
    variance: str = "greenwood",
) -> SurvivalCurve:
    """Estimate the share still in a state, day by day.

    Parameters
    ----------
    days : array_like, shape (n_stays,)
        Days when each stay ended or observation did.
    exited : array_like, shape (n_stays,)
        Whether it ended (0/1 or booleans); codes of several causes are refused.
    entry : array_like, optional
        Days before which a stay could not have been seen; a stay is at risk in (entry, days].
    weights : array_like, optional
        Weights; the Greenwood error takes whole ones, as repeated stays, the jackknife any.
    start : float or "auto"
        Condition on staying beyond this day; "auto" begins where ten are at risk.
    variance : {"greenwood", "infinitesimal_jackknife"}
        Which standard error; the jackknife treats each row as one independent stay whatever its weight.

    Returns
    -------
    SurvivalCurve

    Raises
    ------
    ValueError
        If stays are malformed, nobody left, causes are mixed, weights that are no counts come with the Greenwood error,
        or early exits of a whole small risk set would hold the curve at zero while others enter later.

    Notes
    -----
    S(t) = product of 1 - d/Y over exit times up to t (Kaplan & Meier, JASA 53 (1958) 457); Greenwood's variance is
    S(t)^2 times the sum of d / (Y (Y - d)).

    Examples
    --------
    >>> curve = kaplan_meier([2, 3, 3, 5], [1, 1, 0, 1])
    >>> curve.survival.tolist()
    [0.75, 0.5, 0.0]
    """
    one_of(variance, ("greenwood", "infinitesimal_jackknife"), "variance")
    stays, counts = conditioned(place_stays(days, exit_flags(exited).view(np.int8), entry, weights), start)
    if variance == "greenwood":
        refuse_fractions(stays.weights, _JACKKNIFE)
    left = counts.exits[0]
    gone = left / counts.at_risk
    survival = (1.0 - gone).cumprod()
    if variance == "greenwood":
        with np.errstate(divide="ignore", invalid="ignore"):
            # Where the last at risk have left this is 0 times infinity: no number.
            error = survival * np.sqrt((gone / (counts.at_risk - left)).cumsum())
    else:
        error = incidence_error(stays, counts)[0]
    return SurvivalCurve(
        times=read_only(counts.times),
        at_risk=read_only(counts.at_risk),
        exits=read_only(left),
        survival=read_only(survival),
        standard_error=read_only(error),
        variance=variance,
        start=counts.start,
        last_observed=counts.last_observed,
    )


def nelson_aalen(
    days: npt.ArrayLike,
    exited: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    start: float | str = 0.0,
) -> CumulativeHazard:
    """Estimate the cumulative hazard, the sum of d/Y over exit times, with variance the sum of d/Y^2.

    Parameters, errors and counting are those of `kaplan_meier`. Ties are taken as they come (no smoothing). The error
    takes weights for repeated stays, and is NaN where they are not whole. Source: Aalen, Annals of Statistics 6 (1978)
    701.

    Examples
    --------
    >>> nelson_aalen([1, 2], [1, 1]).hazard.tolist()
    [0.5, 1.5]
    """
    stays, counts = conditioned(place_stays(days, exit_flags(exited).view(np.int8), entry, weights), start)
    left = counts.exits[0]
    error = np.sqrt(np.cumsum(left / counts.at_risk**2))
    if stays.weights is not None and (stays.weights % 1 != 0).any():
        error = np.full(len(error), np.nan)
    return CumulativeHazard(
        times=read_only(counts.times),
        at_risk=read_only(counts.at_risk),
        exits=read_only(left),
        hazard=read_only(np.cumsum(left / counts.at_risk)),
        standard_error=read_only(error),
        start=counts.start,
        last_observed=counts.last_observed,
    )


def aalen_johansen(
    days: npt.ArrayLike,
    cause: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    start: float | str = 0.0,
    variance: str = "delta",
) -> CumulativeIncidence:
    """Estimate, day by day, the share that has left by each of several causes.

    Parameters
    ----------
    days, entry, weights, start : as in `kaplan_meier`.
    cause : array_like of int, shape (n_stays,)
        0 for a stay still running, else the code of its exit.
    variance : {"delta", "infinitesimal_jackknife"}
        Which standard error. They agree closely without delayed entry and differ with it.

    Returns
    -------
    CumulativeIncidence

    Raises
    ------
    ValueError
        As in `kaplan_meier`, the delta error in the place of Greenwood's; also if codes are negative or not whole.

    Notes
    -----
    F_k(t) = sum of S(s-) d_k/Y (Aalen & Johansen, Scand. J. Statist. 5 (1978) 141). The delta variance is the sum of
    (F_k(t) - F_k(s))^2 d/(Y(Y-d)) + S(s-)^2 d_k (Y-d_k)/Y^3 - 2 (F_k(t) - F_k(s)) S(s-) d_k/Y^2. Ties are exact;
    nothing is jittered.

    Examples
    --------
    >>> curves = aalen_johansen([2, 3, 3, 5], [1, 2, 0, 1])
    >>> curves.incidence.tolist()
    [[0.25, 0.25, 0.75], [0.0, 0.25, 0.25]]
    """
    one_of(variance, ("delta", "infinitesimal_jackknife"), "variance")
    stays, counts = conditioned(place_stays(days, cause_codes(cause), entry, weights), start)
    if variance == "delta":
        refuse_fractions(stays.weights, _JACKKNIFE)
    y = counts.at_risk
    left = counts.exits.sum(axis=0)
    survival = np.cumprod(1.0 - left / y)
    before = np.concatenate([[1.0], survival[:-1]])
    incidence = np.cumsum(before * counts.exits / y, axis=1)
    if variance == "delta":
        error = _delta_error(incidence, counts.exits, left, y, before)
    else:
        error = incidence_error(stays, counts)
    return CumulativeIncidence(
        times=read_only(counts.times),
        at_risk=read_only(y),
        causes=counts.causes,
        labels=tuple(f"cause {code}" for code in counts.causes),
        exits=read_only(counts.exits),
        incidence=read_only(incidence),
        survival=read_only(survival),
        standard_error=read_only(error),
        variance=variance,
        start=counts.start,
        last_observed=counts.last_observed,
    )


def _delta_error(f: Floats, exits: Floats, left: Floats, y: Floats, before: Floats) -> Floats:
    """Return the delta standard errors by cause, (F(t) - F(s))^2 expanded so that one pass serves all t."""
    open_ = y > left
    a = np.where(open_, left / np.where(open_, y * (y - left), 1.0), 0.0)
    b = before * exits / y**2
    own = before**2 * exits * (y - exits) / y**3
    # With A, B, the sums to t of a and b: f^2 A - 2 f sum(a f) + sum(a f^2) + sum(own) - 2 (f B - sum(b f)).
    total = f * (f * a.cumsum() - 2.0 * (a * f + b).cumsum(axis=1)) + (f * (a * f + 2.0 * b) + own).cumsum(axis=1)
    return np.asarray(np.sqrt(np.maximum(total, 0.0)))
