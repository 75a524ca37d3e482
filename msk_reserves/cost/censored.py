"""The mean cost of a claim when many claims are still open, which closed claims alone cannot tell."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats, Integers, frozen, positive

LEAST_WEIGHT = 0.05
"""Smallest chance of still being observed that an estimate may divide by."""


@dataclass(frozen=True, slots=True)
class CensoredCost:
    """The mean cost to a horizon, corrected for open claims, beside the two means that are not.

    Attributes
    ----------
    mean : inverse-probability weighted mean (Bang and Tsiatis 2000), dollars.
    standard_error : of `mean`, dollars.
    partitioned : the same by intervals, which also uses what open claims cost so far; NaN without a history of costs.
    closed_only : mean of the claims complete at the horizon: biased low, since costly claims stay open.
    paid_to_date : mean of everything paid so far: biased low, since open claims have more to come.
    n_claims, n_complete : claims in all, and those whose cost to the horizon is known.
    """

    mean: float
    standard_error: float
    partitioned: float
    closed_only: float
    paid_to_date: float
    n_claims: int
    n_complete: int

    def __str__(self) -> str:
        partitioned = "" if np.isnan(self.partitioned) else f" ({self.partitioned:,.0f} by intervals)"
        return (
            f"mean cost {self.mean:,.0f} dollars{partitioned}, standard error {self.standard_error:,.0f}; "
            f"uncorrected: closed claims {self.closed_only:,.0f}, paid to date {self.paid_to_date:,.0f}; "
            f"{self.n_complete:,} of {self.n_claims:,} claims complete"
        )


def mean_cost(
    days: npt.ArrayLike,
    closed: npt.ArrayLike,
    cost: npt.ArrayLike,
    *,
    horizon: float | None = None,
    edges: npt.ArrayLike | None = None,
    interval_costs: npt.ArrayLike | None = None,
) -> CensoredCost:
    """Estimate the mean cost of a claim from open and closed claims.

    A complete claim counts for as many claims as its chance of being observed that long leaves unseen: the weight is
    1 / K(T-), K the Kaplan-Meier curve of the time to the end of observation, ends of claims first at ties (Bang and
    Tsiatis 2000, Biometrika 87, eq. 3 and their variance; by intervals Lin and others 1997, Biometrics 53).
    Observation must end for reasons that have nothing to do with the cost: calendar date, never "no activity".

    Parameters
    ----------
    days : array_like
        Days from the start of the claim to its end or to the end of observation, shape (n_claims,).
    closed : array_like of bool
        Whether the claim had ended, shape (n_claims,).
    cost : array_like
        Dollars up to then (up to `horizon`, where one is given), shape (n_claims,).
    horizon : float, optional
        Days after which cost no longer counts; a claim observed that long is complete.
    edges : array_like, optional
        Ends of the intervals of `interval_costs`, days, increasing, shape (n_intervals,); the last is the horizon.
    interval_costs : array_like, optional
        Dollars paid in each interval, shape (n_claims, n_intervals).

    Returns
    -------
    CensoredCost
        The corrected mean and the two uncorrected.

    Raises
    ------
    ValueError
        If shapes differ, no claim is complete, or a weight would rest on under 5 % of claims still observed.

    Examples
    --------
    >>> print(mean_cost([1, 2, 3, 4, 5, 6], [1, 0, 1, 0, 1, 1], [10, 8, 30, 15, 60, 90]).mean.__round__(6))
    54.791667
    """
    observed = frozen(days, "days")
    ended = np.asarray(closed).astype(np.bool_)
    paid = frozen(cost, "cost")
    if not observed.shape == ended.shape == paid.shape:
        raise ValueError(f"`days`, `closed` and `cost` must match, got {observed.shape}, {ended.shape}, {paid.shape}")
    time = observed if horizon is None else np.minimum(observed, positive(horizon, "horizon"))
    complete = ended if horizon is None else ended | (observed >= horizon)
    if not complete.any():
        raise ValueError("`closed` must hold at least one claim complete at the `horizon`; all are open")
    seen = _still_observed(time, complete, time)
    _check_weights(seen[complete])
    mean = float((paid[complete] / seen[complete]).sum() / len(paid))
    return CensoredCost(
        mean=mean,
        standard_error=_standard_error(time, complete, paid, seen, mean),
        partitioned=_partitioned(observed, ended, edges, interval_costs),
        closed_only=float(paid[complete].mean()),
        paid_to_date=float(paid.mean()),
        n_claims=len(paid),
        n_complete=int(complete.sum()),
    )


def _check_weights(seen: Floats) -> None:
    """Refuse weights that rest on a handful of claims."""
    if seen.min() <= LEAST_WEIGHT:
        raise ValueError(
            f"`horizon` must leave more than {LEAST_WEIGHT:.0%} of claims still observed, "
            f"got {seen.min():.1%}; choose an earlier horizon"
        )


def _still_observed(time: Floats, complete: Booleans, at: Floats) -> Floats:
    """Return the Kaplan-Meier chance that observation lasts to just before each `at`."""
    ends, lost = np.unique(time[~complete], return_counts=True)
    ordered = np.sort(time)
    at_risk = len(time) - np.searchsorted(ordered, ends, side="left")
    # At a tie the claim ends before observation does, so those complete then have left the risk set.
    finished = np.sort(time[complete])
    tied = np.searchsorted(finished, ends, side="right") - np.searchsorted(finished, ends, side="left")
    steps: Floats = np.r_[1.0, 1.0 - lost / (at_risk - tied)]
    curve: Floats = np.cumprod(steps, dtype=np.float64)
    chance: Floats = curve[np.searchsorted(ends, at, side="left")]
    return chance


def _standard_error(time: Floats, complete: Booleans, paid: Floats, seen: Floats, mean: float) -> float:
    """Return the standard error of Bang and Tsiatis (2000, section 2)."""
    n = len(time)
    weight = np.where(complete, 1.0 / np.where(complete, seen, 1.0), 0.0)
    order = np.argsort(time, kind="stable")
    first: Integers = np.searchsorted(time[order], time, side="left")

    def beyond(values: Floats) -> Floats:
        """Sum `values` over claims observed at least as long as each claim."""
        tail: Floats = np.cumsum(values[order][::-1])[::-1][first]
        return tail

    alive = np.maximum(beyond(weight), 1e-300)
    spread = beyond(weight * paid**2) / alive - (beyond(weight * paid) / alive) ** 2
    among_complete = (weight * (paid - mean) ** 2).sum() / n
    from_censoring = (np.where(complete, 0.0, 1.0) * np.maximum(spread, 0.0) / seen**2).sum() / n
    return float(np.sqrt((among_complete + from_censoring) / n))


def _partitioned(
    observed: Floats, ended: Booleans, edges: npt.ArrayLike | None, interval_costs: npt.ArrayLike | None
) -> float:
    """Return the mean as a sum over intervals, each weighted by its own chance of being seen to its end."""
    if edges is None or interval_costs is None:
        return float("nan")
    ends = frozen(edges, "edges")
    costs = frozen(interval_costs, "interval_costs", ndim=2)
    if costs.shape != (len(observed), len(ends)):
        raise ValueError(f"`interval_costs` must have shape {(len(observed), len(ends))}, got {costs.shape}")
    if (np.diff(ends) <= 0).any():
        raise ValueError(f"`edges` must increase, got {ends.tolist()}")
    limited = np.minimum(observed, ends[-1])
    over = ended | (observed >= ends[-1])
    total = 0.0
    for end, paid in zip(ends, costs.T, strict=True):
        time = np.minimum(observed, end)
        complete = ended | (observed >= end)
        seen = _still_observed(limited, over, time)
        _check_weights(seen[complete])
        total += float((paid[complete] / seen[complete]).sum())
    return total / len(observed)
