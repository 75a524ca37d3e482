"""Comparing groups without a law: the log-rank test, and differences of restricted means."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from msk_reserves._checks import Floats, Integers, finite, level, one_of
from msk_reserves.recovery.curves.counting import (
    GroupCounts,
    PlacedStays,
    count_groups,
    grouped,
    parts,
    place_stays,
    read_only,
    refuse_fractions,
)
from msk_reserves.recovery.curves.curves import degrees_and_p
from msk_reserves.recovery.curves.nonparametric import kaplan_meier
from msk_reserves.recovery.observations import exit_flags


@dataclass(frozen=True, slots=True, eq=False)
class LogRankTest:
    """Whether groups leave at the same rate.

    Attributes
    ----------
    statistic : chi-squared statistic.
    degrees_of_freedom : groups less one.
    p_value : chance of a larger statistic if all groups left at the same rate.
    groups : labels.
    observed : exits of each group; shape (n_groups,).
    expected : exits each would have had at the common rate; shape (n_groups,).
    rho : exponent of the weight S(t-)^rho of an exit; 0 is the log-rank test.
    n_strata : strata within which the groups were compared.
    variance : "hypergeometric" or "robust".
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    groups: tuple[Any, ...]
    observed: Floats
    expected: Floats
    rho: float
    n_strata: int
    variance: str

    def __repr__(self) -> str:
        exits = ", ".join(
            f"{name} {seen:,.6g} exits where {due:,.6g} were expected"
            for name, seen, due in zip(self.groups[:4], self.observed, self.expected, strict=False)
        )
        kind = "Log-rank test" if self.rho == 0 else f"Test with weights S^{self.rho:g}"
        within = f" within {self.n_strata:,} strata" if self.n_strata > 1 else ""
        return (
            f"{kind} of {len(self.groups)} groups{within}: chi-squared {self.statistic:.4f} on "
            f"{degrees_and_p(self.degrees_of_freedom, self.p_value)}; {exits}"
        )

    def to_frame(self) -> pd.DataFrame:
        """Return a row a group: group, observed, expected."""
        return pd.DataFrame({"group": self.groups, "observed": self.observed, "expected": self.expected})


def log_rank_test(
    days: npt.ArrayLike,
    exited: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    rho: float = 0.0,
    variance: str = "hypergeometric",
    cluster: npt.ArrayLike | None = None,
) -> LogRankTest:
    """Test whether two or more groups leave a state at the same rate.

    Parameters
    ----------
    days, exited, entry : as in `kaplan_meier`.
    group : array_like, shape (n_stays,)
        Label of the group of each stay.
    weights : array_like, optional
        Weights; whole ones are repeated stays. Others (of sampling or propensity) need the robust variance.
    strata : array_like, optional
        Labels of strata; groups are compared within each, and the comparisons added.
    rho : float
        Exits weigh S(t-)^rho, S the curve of the stratum: 0 the log-rank test, 1 that of Peto and Peto.
    variance : {"hypergeometric", "robust"}
        Given the exits at each time, or from the sum over clusters of squared scores.
    cluster : array_like, optional
        With the robust variance, labels of what is independent, such as employers; by default each stay.

    Returns
    -------
    LogRankTest

    Raises
    ------
    ValueError
        If there is one group, nobody left, or weights that are no counts come with the hypergeometric variance.

    Notes
    -----
    U_g = sum of w (d_g - Y_g d/Y), with covariance the sum of w^2 d (Y-d)/(Y-1) Y_g/Y (1{g=h} - Y_h/Y)
    (Mantel 1966; Harrington & Fleming, Biometrika 69 (1982) 553). The robust score of a stay sums
    w (1{its group is g} - Y_g/Y) (1{it leaves} - d/Y) over the times it is at risk (Lin & Wei, JASA 84 (1989) 1074).

    Examples
    --------
    >>> log_rank_test([1, 2, 3, 4], [1, 1, 1, 1], ["a", "a", "b", "b"])
    Log-rank test of 2 groups: chi-squared 2.8824 on 1 degree of freedom, p = 0.0896; a 2 exits ...
    """
    one_of(variance, ("hypergeometric", "robust"), "variance")
    if cluster is not None and variance != "robust":
        raise ValueError("`cluster` needs `variance='robust'`: the hypergeometric variance takes stays as independent")
    stays = place_stays(days, exit_flags(exited).astype(np.int64), entry, weights)
    if variance != "robust":
        refuse_fractions(stays.weights, "give `variance='robust'`")
    names, code = two_or_more(group, len(stays))
    _, stratum = grouped(np.zeros(len(stays), np.int64) if strata is None else strata, "strata", len(stays))
    _, whose = grouped(np.arange(len(stays)) if cluster is None else cluster, "cluster", len(stays))
    m, strata_rows = len(names), parts(stratum)
    observed, expected, score, spread = np.zeros(m), np.zeros(m), np.zeros(m), np.zeros((m, m))
    pulls = np.zeros((int(whose.max()) + 1, m))
    for chosen in strata_rows:
        inside, codes = stays.rows(chosen), code[chosen]
        counts = count_groups(inside, codes, m, 1)
        weigh = _weigh(counts, finite(rho, "rho"))
        left = counts.exits[:, 0]
        due = counts.at_risk * _ratio(left.sum(axis=0), counts.at_risk.sum(axis=0))
        observed += left.sum(axis=1)
        expected += due.sum(axis=1)
        score += (left - due) @ weigh
        if variance == "robust":
            np.add.at(pulls, whose[chosen], _scores(inside, codes, counts, weigh))
        else:
            spread += _hypergeometric(counts, weigh)
    if variance == "robust":
        spread = pulls.T @ pulls
    statistic, degrees, p_value = chi_squared(score, spread, np.flatnonzero(expected > 0), "exited")
    return LogRankTest(
        statistic, degrees, p_value, names, read_only(observed), read_only(expected), rho, len(strata_rows), variance
    )


def two_or_more(group: npt.ArrayLike, n: int) -> tuple[tuple[Any, ...], Integers]:
    """Return the labels and codes of groups, or refuse a single one."""
    names, code = grouped(group, "group", n)
    if len(names) < 2:
        raise ValueError(f"`group` must name two groups or more, got {', '.join(map(str, names)) or 'none'}")
    return names, code


def chi_squared(score: Floats, spread: Floats, live: Integers, name: str) -> tuple[float, int, float]:
    """Return statistic, degrees of freedom and p of scores that sum to zero, over the groups that were at risk."""
    if len(live) < 2:
        raise ValueError(f"`{name}` must leave two groups at risk when somebody leaves; there are {len(live)}")
    free = live[:-1]
    statistic = float(score[free] @ np.linalg.lstsq(spread[np.ix_(free, free)], score[free], rcond=None)[0])
    return statistic, len(free), float(special.gammaincc(len(free) / 2, statistic / 2))


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return a ratio, 0 where nobody is at risk."""
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), 0.0)


def _weigh(counts: GroupCounts, rho: float) -> Floats:
    """Return S(t-)^rho at each time, S the curve of all groups together."""
    rate = _ratio(counts.exits[:, 0].sum(axis=0), counts.at_risk.sum(axis=0))
    before = np.concatenate([[1.0], np.cumprod(1.0 - rate)])[: len(rate)]
    weigh: Floats = np.where(before > 0, before**rho, 0.0) if rho else np.ones(len(rate))
    return weigh


def _hypergeometric(counts: GroupCounts, weigh: Floats) -> Floats:
    """Return the covariance of the scores given the exits at each time."""
    y, left = counts.at_risk.sum(axis=0), counts.exits[:, 0].sum(axis=0)
    each = weigh**2 * left * _ratio(y - left, np.where(y > 1, y - 1, 0.0))
    shares = counts.at_risk / y
    return np.asarray(np.diag(shares @ each) - (shares * each) @ shares.T)


def _scores(stays: PlacedStays, code: Integers, counts: GroupCounts, weigh: Floats) -> Floats:
    """Return weight times robust score of each stay, shape (n_stays, n_groups)."""
    y, left = counts.at_risk.sum(axis=0), counts.exits[:, 0].sum(axis=0)
    apart = np.eye(len(counts.at_risk))[:, :, None] - counts.at_risk / y
    due = np.cumsum(weigh * apart * left / y, axis=2)
    due = np.concatenate([np.zeros((*due.shape[:2], 1)), due], axis=2)
    past = np.searchsorted(counts.places, stays.end, side="right")
    first = np.zeros_like(past)
    if stays.enter is not None:
        # Who is seen from day 0 is at risk of an exit on that day.
        first = np.where(stays.enter > 0, np.searchsorted(counts.places, stays.enter, side="right"), 0)
    at_exit = (weigh * apart)[code, :, np.maximum(past - 1, 0)]
    scores: Floats = np.where((stays.cause > 0)[:, None], at_exit, 0.0) - (due[code, :, past] - due[code, :, first])
    if stays.weights is not None:
        scores *= stays.weights[:, None]
    return scores


@dataclass(frozen=True, slots=True, eq=False)
class RestrictedMeanDifference:
    """How much longer groups stay, on average up to a horizon, than the first of them.

    Attributes
    ----------
    groups : labels; the first is the reference.
    means : mean of min(days, horizon) of each group, beyond `start`; shape (n_groups,).
    standard_errors : their standard errors; shape (n_groups,).
    start, horizon : days between which days are counted.
    """

    groups: tuple[Any, ...]
    means: Floats
    standard_errors: Floats
    start: float
    horizon: float

    @property
    def differences(self) -> Floats:
        """Means less that of the reference, without the reference; shape (n_groups - 1,)."""
        return np.asarray(self.means[1:] - self.means[0])

    @property
    def difference_errors(self) -> Floats:
        """Standard errors of `differences`; shape (n_groups - 1,)."""
        return np.asarray(np.hypot(self.standard_errors[1:], self.standard_errors[0]))

    def __repr__(self) -> str:
        row = self.to_frame().iloc[0]
        more = f", and {len(self.groups) - 2} more groups" if len(self.groups) > 2 else ""
        return (
            f"Mean days from {self.start:,.6g} to {self.horizon:,.6g}: {self.groups[1]} {self.means[1]:,.4f} less "
            f"{self.groups[0]} {self.means[0]:,.4f} is {row['difference']:,.4f}, 95 % confidence {row['low']:,.4f} to "
            f"{row['high']:,.4f}, p = {row['p_value']:.3g}{more}"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>" + str(self.to_frame().to_html(index=False, float_format=lambda x: f"{x:.4g}"))

    def to_frame(self, band_level: float = 0.95) -> pd.DataFrame:
        """Return a row a group after the first: group, mean, difference, standard_error, low, high, p_value.

        Limits are a confidence interval of the difference of means, p that of no difference, both normal.
        """
        z = float(special.ndtri(0.5 + level(band_level, "band_level") / 2))
        change, error = self.differences, self.difference_errors
        p = 2 * special.ndtr(-np.abs(change) / np.where(error > 0, error, np.nan))
        columns = (self.groups[1:], self.means[1:], change, error, change - z * error, change + z * error, p)
        names = ("group", "mean", "difference", "standard_error", "low", "high", "p_value")
        return pd.DataFrame(dict(zip(names, columns, strict=True)))


def restricted_mean_difference(
    days: npt.ArrayLike,
    exited: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    horizon: float,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    start: float = 0.0,
) -> RestrictedMeanDifference:
    """Compare groups by mean days in the state up to a horizon.

    Parameters
    ----------
    days, exited, entry : as in `kaplan_meier`.
    group : array_like, shape (n_stays,)
        Label of the group of each stay; the first in order is the reference.
    weights : array_like, optional
        Whole weights, that count as repeated stays.
    horizon : float
        Day up to which days count; not beyond the last day seen in any group.
    start : float
        Condition on staying beyond this day; where a group is watched only from a later day on, that day for all.

    Returns
    -------
    RestrictedMeanDifference

    Raises
    ------
    ValueError
        As in `kaplan_meier` and `SurvivalCurve.restricted_mean`, in any group; also if there is one group.

    Notes
    -----
    Each mean is the area under a Kaplan-Meier curve (Irwin 1949); the difference of independent means has the sum of
    their variances (Royston & Parmar, BMC Med. Res. Methodol. 13 (2013) 152).

    Examples
    --------
    >>> compared = restricted_mean_difference([1, 2, 3, 4], [1, 1, 1, 1], ["a", "a", "b", "b"], horizon=4)
    >>> compared.differences.tolist()
    [2.0]
    """
    t, out = np.asarray(days), np.asarray(exited)
    names, code = two_or_more(group, len(t))
    e, w = (None if column is None else np.asarray(column) for column in (entry, weights))
    refuse_fractions(w, "compare `state_occupation(...).mean_time()` of the groups, whose errors suit any weights")
    for name, column in (("exited", out), ("entry", e), ("weights", w)):
        if column is not None and column.shape != t.shape:
            raise ValueError(f"`{name}` must have one entry a stay: `days` has {len(t)}, got shape {column.shape}")

    def curves(begin: float) -> list[Any]:
        return [
            kaplan_meier(
                t[part],
                out[part],
                entry=None if e is None else e[part],
                weights=None if w is None else w[part],
                start=begin,
            )
            for part in parts(code)
        ]

    made = curves(start)
    common = max(curve.start for curve in made)
    if any(curve.start < common for curve in made):
        made = curves(common)
    means = np.array([curve.restricted_mean(horizon) for curve in made])
    return RestrictedMeanDifference(
        names, read_only(means[:, 0].copy()), read_only(means[:, 1].copy()), common, float(horizon)
    )
