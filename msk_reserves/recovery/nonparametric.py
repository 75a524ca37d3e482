"""Kaplan-Meier, Nelson-Aalen and Aalen-Johansen with delayed entry, ties and weights."""

from dataclasses import dataclass
from typing import NoReturn

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats, Integers, frozen, not_negative, one_of
from msk_reserves.recovery.curves import CumulativeHazard, CumulativeIncidence, SurvivalCurve
from msk_reserves.recovery.jackknife import incidence_error
from msk_reserves.recovery.observations import exit_flags

AUTOMATIC_START_AT_RISK = 10.0
"""With `start="auto"` curves begin where the risk set first holds ten."""

_LARGEST_COUNTED_DAY = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Weighted counts on the exit times: those at risk just before, and the exits by cause.

    Attributes
    ----------
    times, at_risk : shape (n_times,).
    exits : shape (n_causes, n_times).
    causes : codes of the causes.
    last_observed : longest time seen.
    """

    times: Floats
    at_risk: Floats
    exits: Floats
    causes: tuple[int, ...]
    last_observed: float


@dataclass(frozen=True, slots=True, eq=False)
class Stays:
    """Checked input of an estimator: days, cause (0 running), entry and weight of each stay; shape (n_stays,)."""

    days: Floats
    cause: Integers
    entry: Floats
    weights: Floats


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
        Weights; whole weights count as repeated stays in the Greenwood error.
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
        If stays are malformed, nobody left, causes are mixed, or early exits of a whole small risk set would hold the
        curve at zero while others enter later.

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
    stays, counts, begin = _counted(days, exit_flags(exited).astype(np.int64), entry, weights, start)
    left = counts.exits[0]
    survival = np.cumprod(1.0 - left / counts.at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.cumsum(left / (counts.at_risk * (counts.at_risk - left)))
        error = np.where(survival > 0, survival * np.sqrt(spread), np.nan)
    if variance != "greenwood":
        error = incidence_error(counts.times, counts.at_risk, counts.exits, (stays, counts.causes))[0]
    return SurvivalCurve(
        times=frozen(counts.times, "days"),
        at_risk=frozen(counts.at_risk, "weights"),
        exits=frozen(left, "exited"),
        survival=frozen(survival, "survival"),
        standard_error=_read_only(error),
        variance=variance,
        start=begin,
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

    Parameters, errors and counting are those of `kaplan_meier`. Ties are taken as they come (no smoothing). Source:
    Aalen, Annals of Statistics 6 (1978) 701.

    Examples
    --------
    >>> nelson_aalen([1, 2], [1, 1]).hazard.tolist()
    [0.5, 1.5]
    """
    _, counts, begin = _counted(days, exit_flags(exited).astype(np.int64), entry, weights, start)
    left = counts.exits[0]
    return CumulativeHazard(
        times=frozen(counts.times, "days"),
        at_risk=frozen(counts.at_risk, "weights"),
        exits=frozen(left, "exited"),
        hazard=frozen(np.cumsum(left / counts.at_risk), "hazard"),
        standard_error=frozen(np.sqrt(np.cumsum(left / counts.at_risk**2)), "hazard"),
        start=begin,
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
        As in `kaplan_meier`; also if codes are negative or not whole.

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
    stays, counts, begin = _counted(days, _cause_codes(cause), entry, weights, start)
    y = counts.at_risk
    left = counts.exits.sum(axis=0)
    survival = np.cumprod(1.0 - left / y)
    before = np.concatenate([[1.0], survival[:-1]])
    incidence = np.cumsum(before * counts.exits / y, axis=1)
    if variance == "delta":
        error = np.stack([_delta_error(f, d, left, y, before) for f, d in zip(incidence, counts.exits, strict=True)])
    else:
        error = incidence_error(counts.times, y, counts.exits, (stays, counts.causes))
    return CumulativeIncidence(
        times=frozen(counts.times, "days"),
        at_risk=frozen(y, "weights"),
        causes=counts.causes,
        exits=frozen(counts.exits, "cause", ndim=2),
        incidence=frozen(incidence, "incidence", ndim=2),
        survival=frozen(survival, "survival"),
        standard_error=_read_only(error),
        variance=variance,
        start=begin,
        last_observed=counts.last_observed,
    )


def _delta_error(f: Floats, d_k: Floats, d: Floats, y: Floats, before: Floats) -> Floats:
    """Return the delta standard error of one cause, (F(t) - F(s))^2 expanded so that one pass serves all t."""
    open_ = y > d
    a = np.where(open_, d / np.where(open_, y * (y - d), 1.0), 0.0)
    b = before * d_k / y**2
    own = before**2 * d_k * (y - d_k) / y**3
    total = f**2 * np.cumsum(a) - 2 * f * np.cumsum(a * f) + np.cumsum(a * f**2)
    total += np.cumsum(own) - 2 * (f * np.cumsum(b) - np.cumsum(b * f))
    return np.asarray(np.sqrt(np.maximum(total, 0.0)))


def _read_only(values: Floats) -> Floats:
    """Return a read-only copy that may hold NaN."""
    copy = np.array(values, dtype=np.float64)
    copy.flags.writeable = False
    return copy


def _cause_codes(cause: npt.ArrayLike) -> Integers:
    """Return cause codes as integers, or say which is not a code."""
    codes = np.asarray(cause)
    if codes.ndim != 1:
        raise ValueError(f"`cause` must have 1 dimension, got shape {codes.shape}")
    if codes.dtype.kind not in "iub" and not (np.isfinite(codes) & (codes == np.floor(codes))).all():
        raise ValueError("`cause` must hold whole codes: 0 for a stay still running, else the kind of exit")
    if len(codes) and codes.min() < 0:
        raise ValueError(f"`cause` must not hold negative codes, got {codes.min()}")
    return np.asarray(codes.astype(np.int64))


def _counted(
    days: npt.ArrayLike,
    cause: Integers,
    entry: npt.ArrayLike | None,
    weights: npt.ArrayLike | None,
    start: float | str,
) -> tuple[Stays, Counts, float]:
    """Check the stays, condition on `start`, count, and refuse a risk set that dies out early."""
    t = frozen(days, "days")
    begin = np.zeros(len(t)) if entry is None else frozen(entry, "entry")
    weight = np.ones(len(t)) if weights is None else frozen(weights, "weights")
    for name, column in (("exited or cause", cause), ("entry", begin), ("weights", weight)):
        if len(column) != len(t):
            raise ValueError(f"`{name}` must have one entry a stay: `days` has {len(t)}, got {len(column)}")
    _check(t, begin, weight)
    stays = Stays(t, cause, begin, weight)
    if isinstance(start, str):
        one_of(start, ("auto",), "start")
        first = _automatic_start(count(stays))
    else:
        first = not_negative(start, "start")
    if first > 0:
        keep = t > first
        stays = Stays(t[keep], cause[keep], np.maximum(begin[keep], first), weight[keep])
    counts = count(stays)
    _refuse_collapse(counts)
    return stays, counts, first


def _check(days: Floats, entry: Floats, weights: Floats) -> None:
    """Refuse negative days or weights and stays that ended by their entry."""
    for broken, name, rule, values in (
        (days < 0, "days", "not be negative", days),
        (weights < 0, "weights", "not be negative", weights),
        (
            (days <= entry) & (entry > 0),
            "days",
            "lie after `entry`; drop the stays that could not have been seen",
            days,
        ),
    ):
        if broken.any():
            row = int(np.argmax(broken))
            raise ValueError(f"`{name}` must {rule}; entry {row} is {values[row]:g} ({int(broken.sum())} in all)")


def count(stays: Stays) -> Counts:
    """Count those at risk and the exits by cause at each exit time: by bincount on whole days, by sorting otherwise."""
    gone = (stays.cause > 0) & (stays.weights > 0)
    if not gone.any():
        raise ValueError(f"`exited` must hold at least one exit with weight; none of {len(stays.days)} stays ended")
    whole = bool(_is_whole(stays.days) and _is_whole(stays.entry))
    if whole:
        end, enter = stays.days.astype(np.int64), stays.entry.astype(np.int64)
        grid = np.arange(int(end.max()) + 1, dtype=np.float64)
    else:
        grid = np.unique(np.concatenate([stays.days, stays.entry]))
        end, enter = np.searchsorted(grid, stays.days), np.searchsorted(grid, stays.entry)
    ended = np.bincount(end, weights=stays.weights, minlength=len(grid))
    running = stays.weights.sum() - np.concatenate([[0.0], np.cumsum(ended)[:-1]])
    late = stays.entry > 0
    if late.any():
        entered = np.bincount(enter[late], weights=stays.weights[late], minlength=len(grid))
        running -= entered.sum() - np.concatenate([[0.0], np.cumsum(entered)[:-1]])
    codes = np.unique(stays.cause[gone])
    place = np.searchsorted(codes, stays.cause[gone])
    flat = np.bincount(place * len(grid) + end[gone], weights=stays.weights[gone], minlength=len(codes) * len(grid))
    exits: Floats = flat.reshape(len(codes), len(grid)).astype(np.float64)
    used = exits.sum(axis=0) > 0
    return Counts(
        grid[used], running[used], exits[:, used], tuple(int(code) for code in codes), float(stays.days.max())
    )


def _is_whole(values: Floats) -> Booleans:
    """Whether all values are whole days small enough to count by index."""
    return np.asarray((values == np.floor(values)).all() and (values.max(initial=0.0) < _LARGEST_COUNTED_DAY))


def _automatic_start(counts: Counts) -> float:
    """Return the last exit time before the risk set first holds `AUTOMATIC_START_AT_RISK`."""
    enough = counts.at_risk >= AUTOMATIC_START_AT_RISK
    if not enough.any():
        raise ValueError(f"`start`='auto' needs a day with {AUTOMATIC_START_AT_RISK:g} at risk; there is none")
    first = int(np.argmax(enough))
    return float(counts.times[first - 1]) if first else 0.0


def _refuse_collapse(counts: Counts) -> None:
    """Refuse curves that fall to zero before the last exit, because everybody then at risk left."""
    emptied = counts.at_risk[:-1] - counts.exits.sum(axis=0)[:-1] <= 1e-9 * counts.at_risk[:-1]
    if emptied.any():
        _collapse(float(counts.times[np.argmax(emptied)]), float(counts.at_risk[np.argmax(emptied)]))


def _collapse(day: float, at_risk: float) -> NoReturn:
    """Say where the risk set emptied and what to do."""
    raise ValueError(
        f"`entry` leaves {at_risk:g} at risk on day {day:g} and all of them left, while others enter later: the curve "
        f"would stay at zero. Condition on a later day: `start='auto'`, or a day from {day:g} on"
    )
