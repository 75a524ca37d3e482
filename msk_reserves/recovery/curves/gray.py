"""Gray's test: whether groups leave by one of several causes in the same shares over time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats, finite
from msk_reserves.recovery.curves.comparison import chi_squared, two_or_more
from msk_reserves.recovery.curves.counting import (
    GroupCounts,
    cause_codes,
    count_groups,
    grouped,
    parts,
    place_stays,
    read_only,
)
from msk_reserves.recovery.curves.curves import degrees_and_p


@dataclass(frozen=True, slots=True, eq=False)
class GrayTest:
    """Whether the share gone by one cause is the same in all groups.

    Attributes
    ----------
    statistic : chi-squared statistic.
    degrees_of_freedom : groups less one.
    p_value : chance of a larger statistic if the shares were the same.
    of_cause : code of the cause compared.
    groups : labels.
    scores : exits of each group by the cause, less those due at the common rate; shape (n_groups,).
    covariance : covariance of the scores; shape (n_groups, n_groups).
    rho : exponent of the weight (1 - F(t-))^rho of an exit.
    n_strata : strata within which the groups were compared.
    """

    statistic: float
    degrees_of_freedom: int
    p_value: float
    of_cause: int
    groups: tuple[Any, ...]
    scores: Floats
    covariance: Floats
    rho: float
    n_strata: int

    def __repr__(self) -> str:
        within = f" within {self.n_strata:,} strata" if self.n_strata > 1 else ""
        most = self.groups[int(np.argmax(self.scores))]
        return (
            f"Gray's test of {len(self.groups)} groups{within}, share gone by cause {self.of_cause}: chi-squared "
            f"{self.statistic:.4f} on {degrees_and_p(self.degrees_of_freedom, self.p_value)}; most above the common "
            f"share is {most}"
        )


def gray_test(
    days: npt.ArrayLike,
    cause: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    of_cause: int = 1,
    entry: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    rho: float = 0.0,
) -> GrayTest:
    """Test whether the share gone by one cause develops alike in two or more groups.

    Parameters
    ----------
    days : array_like, shape (n_stays,)
        Days when each stay ended or observation did.
    cause : array_like of int, shape (n_stays,)
        0 for a stay still running, else the code of its exit.
    group : array_like, shape (n_stays,)
        Label of the group of each stay.
    of_cause : int
        The cause whose shares are compared; all others compete with it.
    entry : array_like, optional
        Days before which a stay could not have been seen.
    strata : array_like, optional
        Labels of strata; groups are compared within each, and the comparisons added.
    rho : float
        Exits weigh (1 - F(t-))^rho, F the common share; 0 weighs all alike.

    Returns
    -------
    GrayTest

    Raises
    ------
    ValueError
        If stays are malformed, nobody left by the cause, there is one group, or a group's risk set empties while
        others enter later.

    Notes
    -----
    With H_g = Y_g / S_g(t-) and R_g = H_g (1 - F_g(t-)), the score of a group is the sum of w (d_g - R_g d / R)
    (Gray, Annals of Statistics 16 (1988) 1141). Where all F_g are F it is, to first order, the sum over groups k of
    the integral of a_gk (dX_k + X_k dF/(1 - F)), with X_k the error of F_k and a_gk = w H_g (1{g = k} - H_k/H). Let
    c_gk be the integral of a_gk dF/(1 - F) and D_gk what is left of it after t: an exit by the cause enters with
    a_gk + D_gk (1 - (1 - F)/S_k), another exit with -D_gk (1 - F)/S_k, each times S_k(t-)/Y_k. The covariance sums
    the squares times the exits due, less for exits of one day, which are hypergeometric. With delayed entry H_g still
    estimates how many would be watched if nobody left, and the same holds.

    Examples
    --------
    >>> gray_test([1, 2, 3, 4, 5, 6], [1, 1, 2, 2, 1, 0], ["a", "a", "a", "b", "b", "b"])
    Gray's test of 2 groups, share gone by cause 1: chi-squared 2.4381 on 1 degree of freedom, p = 0.118; ...
    """
    codes = cause_codes(cause)
    if not (codes == of_cause).any() or of_cause == 0:
        seen = ", ".join(map(str, np.unique(codes[codes > 0]).tolist())) or "none"
        raise ValueError(f"`of_cause` must be a cause by which somebody left ({seen}); got {of_cause!r}")
    kind = np.where(codes == of_cause, 1, np.where(codes > 0, 2, 0))
    stays = place_stays(days, kind, entry, None)
    names, code = two_or_more(group, len(stays))
    _, stratum = grouped(np.zeros(len(stays), np.int64) if strata is None else strata, "strata", len(stays))
    m, strata_rows = len(names), parts(stratum)
    scores, covariance, live = np.zeros(m), np.zeros((m, m)), np.zeros(m, dtype=np.bool_)
    for chosen in strata_rows:
        counts = count_groups(stays.rows(chosen), code[chosen], m, 2)
        if not counts.exits[:, 0].any():
            continue
        _refuse_emptied(counts, stays.grid, names)
        score, spread = _score(counts, finite(rho, "rho"))
        scores += score
        covariance += spread
        live |= (counts.at_risk * counts.exits[:, 0].sum(axis=0)).any(axis=1)
    statistic, degrees, p_value = chi_squared(scores, covariance, np.flatnonzero(live), "cause")
    return GrayTest(
        statistic, degrees, p_value, of_cause, names, read_only(scores), read_only(covariance), rho, len(strata_rows)
    )


def _refuse_emptied(counts: GroupCounts, grid: Floats, names: tuple[Any, ...]) -> None:
    """Refuse a group of which everybody at risk left before others of it are seen."""
    remain = counts.at_risk - counts.exits.sum(axis=1)
    emptied = np.cumsum((remain <= 0) & (counts.at_risk > 0), axis=1)[:, :-1] > 0
    again = emptied & (counts.at_risk[:, 1:] > 0)
    if again.any():
        group = int(np.argmax(again.any(axis=1)))
        day = grid[counts.places[int(np.argmax(emptied[group]))]]
        raise ValueError(
            f"`entry` leaves a risk set of group {names[group]} that all left by day {day:g}, while others enter "
            "later: keep the stays that last beyond a day with more at risk, and have them enter there or later"
        )


def _score(counts: GroupCounts, rho: float) -> tuple[Floats, Floats]:
    """Return the scores of one stratum and their covariance."""
    y, first, other = counts.at_risk, counts.exits[:, 0], counts.exits[:, 1]
    m = len(y)
    live = y > 0
    rows = np.where(live, y, 1.0)
    after = np.cumprod(1.0 - np.where(live, (first + other) / rows, 0.0), axis=1)
    before = np.concatenate([np.ones((m, 1)), after[:, :-1]], axis=1)
    share = np.cumsum(before * np.where(live, first / rows, 0.0), axis=1)
    share_before = np.concatenate([np.zeros((m, 1)), share[:, :-1]], axis=1)
    h = np.where(live, y / np.where(live, before, 1.0), 0.0)
    r = h * (1.0 - share_before)
    h_all, r_all, seen = h.sum(axis=0), r.sum(axis=0), first.sum(axis=0)
    common = np.cumsum(seen / h_all)
    stay_before = 1.0 - np.concatenate([[0.0], common[:-1]])
    weigh = np.where(stay_before > 0, stay_before, 1.0) ** rho
    scores = (first - seen * r / np.where(r_all > 0, r_all, 1.0)) @ weigh
    # Axes of what follows: group whose score it is, group whose exits they are, time.
    a = weigh * h[:, None, :] * (np.eye(m)[:, :, None] - h / h_all)
    c = np.cumsum(a * seen / (h_all * np.where(stay_before > 0, stay_before, 1.0)), axis=2)
    ahead = c[:, :, -1:] - c
    stays_on = after > 0
    ratio = np.where(stays_on, (1.0 - common) / np.where(stays_on, after, 1.0), 0.0)
    by_cause, by_other = a + ahead * (1.0 - ratio), -ahead * ratio
    due = np.where(live, before * seen / (h_all * rows), 0.0) * _tied(seen, h_all * before)
    others = np.where(live & stays_on, before**2 * other / rows**2, 0.0) * _tied(other, y)
    spread = np.einsum("gkt,hkt,kt->gh", by_cause, by_cause, due)
    spread += np.einsum("gkt,hkt,kt->gh", by_other, by_other, others)
    return scores, spread


def _tied(exits: Floats, at_risk: Floats) -> Floats:
    """Return the factor by which exits of one day vary less than independent ones."""
    return np.where(exits > 1, 1.0 - (exits - 1) / np.where(at_risk > 1, at_risk - 1, 1.0), 1.0)
