"""How much longer: residual time of a stay that has already lasted, and of every worker off work."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from msk_reserves._checks import Floats, Integers, finite, level, not_negative, positive
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE, with_represented
from msk_reserves.recovery.families import Family, cumulative_hazard, days_at_hazard, moment
from msk_reserves.recovery.mixture import grid_to, present_stay
from msk_reserves.recovery.model import Recovery

DEFAULT_HORIZON = 3640.0
"""Ten years of 52 weeks."""

HALF_YEAR = 182.0
_CLAIMS_AT_ONCE = 2000
_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(200)


def conditional_survival(
    family: Family,
    age: npt.ArrayLike,
    ahead: npt.ArrayLike,
    location: npt.ArrayLike,
    scale: npt.ArrayLike = 1.0,
    shape: npt.ArrayLike = 0.0,
) -> Floats:
    """Return S(age + ahead) / S(age): the chance of `ahead` more days after `age` days.

    Parameters
    ----------
    family : Family
        The law.
    age, ahead : array_like
        Days so far and days ahead, not negative.
    location, scale, shape : array_like
        Parameters, broadcast with the days.

    Returns
    -------
    numpy.ndarray

    Examples
    --------
    >>> from msk_reserves.recovery.families import EXPONENTIAL
    >>> round(float(conditional_survival(EXPONENTIAL, 100.0, 10.0, np.log(10.0))), 6)
    0.367879
    """
    a, u = np.asarray(age, dtype=np.float64), np.asarray(ahead, dtype=np.float64)
    if (a < 0).any() or (u < 0).any():
        raise ValueError("`age` and `ahead` must not be negative")
    later = cumulative_hazard(family, a + u, location, scale, shape)
    return np.asarray(np.exp(cumulative_hazard(family, a, location, scale, shape) - later))


def residual_quantile(
    family: Family,
    age: npt.ArrayLike,
    probability: float,
    location: npt.ArrayLike,
    scale: npt.ArrayLike = 1.0,
    shape: npt.ArrayLike = 0.0,
) -> Floats:
    """Return the further days within which a stay of `age` days ends with `probability`.

    The answer counts from `age`: u with S(age + u) = (1 - probability) S(age). Arguments as in `conditional_survival`.

    Examples
    --------
    >>> from msk_reserves.recovery.families import EXPONENTIAL
    >>> round(float(residual_quantile(EXPONENTIAL, 500.0, 0.5, np.log(10.0))), 4)
    6.9315
    """
    a = np.asarray(age, dtype=np.float64)
    more = -np.log1p(-level(probability, "probability"))
    target = cumulative_hazard(family, a, location, scale, shape) + more
    return np.asarray(days_at_hazard(family, target, location, scale, shape) - a)


def residual_mean(
    family: Family,
    age: float,
    location: float,
    scale: float = 1.0,
    shape: float = 0.0,
    *,
    horizon: float | None = None,
) -> float:
    """Return the expected further days of a stay of `age` days, counted up to the stay's day `horizon`.

    Parameters
    ----------
    family : Family
        The law.
    age : float
        Days so far.
    location, scale, shape : float
        Parameters.
    horizon : float, optional
        Day of the stay up to which time counts; without it the mean must exist.

    Returns
    -------
    float
        The integral of S(t)/S(age) from `age` to `horizon`.

    Raises
    ------
    ValueError
        If there is no horizon and the mean is infinite, or the horizon is not after `age`.

    Notes
    -----
    Without a horizon: E[T; T > a] / S(a) - a in closed form (incomplete gamma or beta ratios). With one: 200-node
    Gauss-Legendre quadrature in the fourth root of time.

    Examples
    --------
    >>> from msk_reserves.recovery.families import LOGNORMAL
    >>> round(residual_mean(LOGNORMAL, 26.0, 1.23325, 1.2614), 3)
    25.263
    """
    a = not_negative(age, "age")
    if horizon is None:
        if not np.isfinite(moment(family, 1, location, scale, shape)):
            raise ValueError(f"`horizon` must be given: the mean of this {family!r} does not exist (scale {scale:g})")
        beyond = _mean_share_beyond(family, a, location, scale, shape) * moment(family, 1, location, scale, shape)
        return float(beyond * np.exp(cumulative_hazard(family, a, location, scale, shape)) - a)
    tau = positive(horizon, "horizon")
    if tau <= a:
        raise ValueError(f"`horizon` must lie after `age`, {a:g}; got {tau:g}")
    root = 0.5 * (_NODES + 1.0)
    ahead = (tau - a) * root**4
    height = conditional_survival(family, a, ahead, location, scale, shape)
    return float(0.5 * (tau - a) * np.sum(_NODE_WEIGHTS * 4.0 * root**3 * height))


def _mean_share_beyond(family: Family, age: float, location: float, scale: float, shape: float) -> float:
    """Return E[T; T > age] / E[T]."""
    if age == 0:
        return 1.0
    w = (np.log(age) - location) / scale
    if family.name == "lognormal" or (family.free_shape and abs(shape) < 1e-6):
        return float(special.ndtr(scale - w))
    if family.name == "loglogistic":
        return float(special.betainc(1.0 - scale, 1.0 + scale, special.expit(-w)))
    q = shape if family.free_shape else 1.0
    k = q**-2.0
    u = k * np.exp(q * w)
    ratio = special.gammaincc if q > 0 else special.gammainc
    return float(ratio(k + scale / q, u))


def remaining_days(
    recovery: Recovery,
    book: ClaimBook,
    *,
    horizon_days: float = DEFAULT_HORIZON,
    levels: Sequence[float] = (0.5,),
    ahead: Sequence[float] = (),
) -> pd.DataFrame:
    """Return how much longer each worker off work stays in the present state.

    Parameters
    ----------
    recovery : Recovery
        The fitted hazards, on whose design columns `book` must have.
    book : ClaimBook
        The claims; those off work are answered for.
    horizon_days : float
        Further days counted at most, from the valuation date.
    levels : sequence of float
        Quantiles wanted, in (0, 1).
    ahead : sequence of float
        Further days at which the share still there is wanted.

    Returns
    -------
    pandas.DataFrame
        A row a worker off work, in the book's order: claim_id, state, days_in_state, `days_remaining_mean` (counted to
        the horizon), `days_remaining_p50` and so on (infinite beyond the horizon), `still_off_in_<days>_days`, and
        `probability_back_in_26_weeks` (that the stay ends by full return to work within 182 days).

    Notes
    -----
    Estimates without parameter uncertainty, each move averaged over its laws by their weights. The stay in the present
    state ends with any move, an operation among them (which restarts the clock); what follows is the simulation's.
    """
    recovery.check_states_of_a_book()
    horizon = positive(horizon_days, "horizon_days")
    wanted = tuple(level(one, "levels") for one in levels)
    points = tuple(not_negative(finite(one, "ahead"), "ahead") for one in ahead)
    rows = np.flatnonzero(book.position.off_work())
    design = recovery.design.matrix(book.claims)
    parts: list[pd.DataFrame] = []
    for state in OFF_WORK_STATES:
        mine = rows[book.position.state[rows] == STATE_CODE[state]]
        for first in range(0, len(mine), _CLAIMS_AT_ONCE):
            block = mine[first : first + _CLAIMS_AT_ONCE]
            parts.append(_block(recovery, book, (state, block, design[block]), (horizon, wanted, points)))
    if not parts:
        parts.append(_block(recovery, book, ("off_work", rows, design[rows]), (horizon, wanted, points)))
    return pd.concat(parts).sort_index().reset_index(drop=True)


def _block(
    recovery: Recovery,
    book: ClaimBook,
    who: tuple[str, Integers, Floats],
    asked: tuple[float, tuple[float, ...], tuple[float, ...]],
) -> pd.DataFrame:
    """Answer for the claims of one state, rows of the result indexed by the claims' rows."""
    state, block, design = who
    horizon, levels, points = asked
    age = book.position.days_in_state[block]
    nodes = np.unique(np.concatenate([grid_to(horizon), grid_to(HALF_YEAR), np.array(points)]))
    survival, gone = present_stay(recovery.fitted, state, design, age, nodes)
    with np.errstate(divide="ignore"):
        total = np.minimum(-np.log(survival), 745.0)
    inside = nodes <= horizon
    frame = pd.DataFrame({"claim_id": book.claims["claim_id"].to_numpy()[block]}, index=block)
    frame["state"] = state
    frame["days_in_state"] = age
    frame["days_remaining_mean"] = np.trapezoid(survival[:, inside], nodes[inside], axis=1)
    for probability in levels:
        name = f"days_remaining_p{100 * probability:02.0f}"
        frame[name] = _crossing(nodes[inside], total[:, inside], -np.log1p(-probability))
    for point in points:
        frame[f"still_off_in_{point:g}_days"] = survival[:, np.searchsorted(nodes, point)]
    half_year = np.searchsorted(nodes, HALF_YEAR)
    returned = [gone[name][:, half_year] for name in with_represented("back_at_work") if name in gone]
    frame["probability_back_in_26_weeks"] = np.sum(returned, axis=0) if returned else 0.0
    return frame


def _crossing(nodes: Floats, total: Floats, wanted: float) -> Floats:
    """Return where each row of the cumulative hazard reaches `wanted`, straight between nodes, infinite if nowhere."""
    reached = total >= wanted
    at = np.maximum(np.argmax(reached, axis=1), 1)
    row = np.arange(len(total))
    low, high = total[row, at - 1], total[row, at]
    part = np.where(high > low, (wanted - low) / np.where(high > low, high - low, 1.0), 1.0)
    found = nodes[at - 1] + part * (nodes[at] - nodes[at - 1])
    return np.where(reached.any(axis=1), found, np.inf)
