"""Whether effects on a hazard stay the same as days go by: the score test of a Cox model with delayed entry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, special

from msk_reserves._checks import Floats, Integers, one_of
from msk_reserves.recovery.observations import Observations, observations

TRANSFORMS = ("log", "km", "identity")
_STEPS = 40
_SINGULAR = 1e12


@dataclass(frozen=True, slots=True, eq=False)
class Proportionality:
    """Test that each covariate multiplies the hazard by the same factor at all days.

    Attributes
    ----------
    names : the covariates, then "all".
    chi_square, degrees, p_value : of each; shape (n_covariates + 1,).
    drift : one-step estimate of the change of each column's log hazard ratio with one unit of the transformed days;
        shape (n_columns,).
    columns : names of the columns.
    coefficients : log hazard ratios were they constant (Cox, Efron's ties); shape (n_columns,).
    transform : of the days: "log", "km" (one less Kaplan-Meier just before) or "identity".
    exits : weighted exits.
    """

    names: tuple[str, ...]
    chi_square: Floats
    degrees: Integers
    p_value: Floats
    drift: Floats
    columns: tuple[str, ...]
    coefficients: Floats
    transform: str
    exits: float

    def to_frame(self) -> pd.DataFrame:
        """Return a row a covariate: covariate, chi_square, degrees, p_value."""
        return pd.DataFrame(
            {
                "covariate": self.names,
                "chi_square": self.chi_square,
                "degrees": self.degrees,
                "p_value": self.p_value,
            }
        )

    def __repr__(self) -> str:
        told = ", ".join(f"{name} p {p:.3g}" for name, p in zip(self.names, self.p_value, strict=True))
        return f"Proportional hazards over {self.exits:,.6g} exits ({self.transform} days): {told}"


def proportionality(
    days: npt.ArrayLike,
    exited: npt.ArrayLike,
    design: npt.ArrayLike,
    *,
    names: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[int]] | None = None,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    transform: str = "log",
) -> Proportionality:
    """Test for effects that change with the days since the stay began.

    Parameters
    ----------
    days, exited, entry, weights, design : array_like
        The stays, as in `observations`.
    names : sequence of str, optional
        Names of the columns of `design`.
    groups : mapping of str to sequence of int, optional
        Columns tested together, by the name of the covariate they are levels of; each column alone by default.
    transform : {"log", "km", "identity"}
        What the effects may drift with.

    Returns
    -------
    Proportionality

    Raises
    ------
    ValueError
        If the stays are malformed, or the partial likelihood has no maximum.

    Notes
    -----
    Cox's partial likelihood with Efron's treatment of ties, maximised by Newton's method, and the score test of adding
    each covariate times the transformed days (Grambsch and Therneau, Biometrika 81 (1994) 515, with the full
    information matrix as in version 3 of R's `survival`).

    Examples
    --------
    >>> proportionality([1, 2, 3, 4, 5, 6], [1, 1, 1, 1, 1, 0], [[0.0], [1.0], [1.0], [0.0], [1.0], [0.0]]).degrees
    array([1, 1])
    """
    data = observations(days, exited, entry=entry, weights=weights, design=design)
    width = data.design.shape[1]
    if not width:
        raise ValueError("`design` must have at least one column")
    labels = tuple(f"x{place + 1}" for place in range(width)) if names is None else tuple(names)
    if len(labels) != width:
        raise ValueError(f"`names` must name the {width} column(s) of `design`, got {labels}")
    return tested(data, labels, groups or {name: [place] for place, name in enumerate(labels)}, transform)


def tested(
    data: Observations, labels: tuple[str, ...], groups: Mapping[str, Sequence[int]], transform: str
) -> Proportionality:
    """Test checked stays; arguments as in `proportionality`."""
    one_of(transform, TRANSFORMS, "transform")
    times = np.unique(data.days[data.exited & (data.weights > 0)])
    coefficients, score, information = _cox(data, times)
    g = _transformed(data, times, transform)
    g = g - np.average(g, weights=np.maximum(np.trace(information, axis1=1, axis2=2), 1e-300))
    gained = score.T @ g
    inner = information.sum(axis=0)
    cross = np.tensordot(g, information, axes=1)
    outer = np.tensordot(g**2, information, axes=1) - cross @ np.linalg.solve(inner, cross)
    rows = [_chi_square(gained, outer, list(columns)) for columns in (*groups.values(), range(len(labels)))]
    chi, degrees = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=np.int64)
    return Proportionality(
        names=(*groups, "all"),
        chi_square=_read_only(chi),
        degrees=degrees,
        p_value=_read_only(special.chdtrc(degrees, chi)),
        drift=_read_only(gained / np.maximum(np.diag(outer), 1e-300)),
        columns=labels,
        coefficients=_read_only(coefficients),
        transform=transform,
        exits=data.events,
    )


def _chi_square(gained: Floats, outer: Floats, columns: list[int]) -> tuple[float, int]:
    """Return the score statistic of some columns, NaN where the exits do not tell them apart."""
    part = outer[np.ix_(columns, columns)]
    if np.linalg.cond(part) > _SINGULAR:
        return float("nan"), len(columns)
    return float(gained[columns] @ np.linalg.solve(part, gained[columns])), len(columns)


def _transformed(data: Observations, times: Floats, transform: str) -> Floats:
    """Return the transformed exit days, shape (n_times,)."""
    if transform == "log":
        return np.log(times)
    if transform == "identity":
        return np.array(times)
    risk = _at_risk(data, times, data.weights[:, None])[:, 0]
    gone = data.exited & (data.weights > 0)
    left = np.bincount(np.searchsorted(times, data.days[gone]), data.weights[gone], len(times))
    return np.concatenate([[0.0], 1.0 - np.cumprod(1.0 - left / risk)[:-1]])


def _summed(place: Integers, table: Floats, n: int) -> Floats:
    """Return sums of the rows of `table`, shape (n_rows, n_columns), by their place; shape (n, n_columns)."""
    rows = np.arange(len(place) + 1)
    return np.asarray(sparse.csr_array((np.ones(len(place)), place, rows), shape=(len(place), n)).T @ table)


def _at_risk(data: Observations, times: Floats, table: Floats) -> Floats:
    """Return sums of the rows of `table` over those at risk at each of `times`; shape (n_times, n_columns)."""
    begin = np.searchsorted(times, data.entry, side="right")
    end = np.searchsorted(times, data.days, side="right")
    n = len(times) + 1
    # From the end, so that what is left of small late risk sets is not a difference of large sums.
    later, not_yet = (np.cumsum(_summed(place, table, n)[:0:-1], axis=0)[::-1] for place in (end, begin))
    return np.asarray(later - not_yet)


def _cox(data: Observations, times: Floats) -> tuple[Floats, Floats, Floats]:
    """Return coefficients, and score and information by exit time: (n_times, p) and (n_times, p, p)."""
    beta = np.zeros(data.design.shape[1])
    # Centred, so that hazards of stays far from zero neither overflow nor vanish.
    data = replace(data, design=data.design - np.average(data.design, axis=0, weights=data.weights))
    value, score, information = _partial(data, times, beta)
    first = np.diag(information.sum(axis=0))
    for _ in range(_STEPS):
        total = information.sum(axis=0)
        # An effect that runs off leaves the exits without information on it.
        if np.linalg.cond(total) > _SINGULAR or (np.diag(total) < first / _SINGULAR**0.5).any():
            break
        step = np.linalg.solve(total, score.sum(axis=0))
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            found = _partial(data, times, beta + step)
            while not found[0] >= value - 1e-9 * abs(value) and np.abs(step).max() > 1e-12:
                step = 0.5 * step
                found = _partial(data, times, beta + step)
        beta, (value, score, information) = beta + step, found
        if np.abs(step).max() < 1e-8:
            return beta, score, information
    raise ValueError("`design` must leave the partial likelihood a maximum: an effect runs off, or columns coincide")


def _partial(data: Observations, times: Floats, beta: Floats) -> tuple[float, Floats, Floats]:
    """Return the partial log-likelihood with Efron's ties, and its score and information by exit time.

    With d exits on a day, the l-th of them leaves a risk set less l/d of all d: sums over l of powers of one over the
    risk are taken once a day, and what depends on covariates is linear or quadratic in them.
    """
    x, p = data.design, data.design.shape[1]
    factor = data.weights * np.exp(x @ beta)
    upper = np.triu_indices(p)
    table = np.column_stack([factor, x * factor[:, None], x[:, upper[0]] * x[:, upper[1]] * factor[:, None]])
    risk = _at_risk(data, times, table)
    gone = data.exited & (data.weights > 0)
    place = np.searchsorted(times, data.days[gone])
    tied = _summed(place, table[gone], len(times))
    count, mass = np.bincount(place, minlength=len(times)), np.bincount(place, data.weights[gone], len(times))
    day = np.repeat(np.arange(len(times)), count)
    share = (np.arange(len(day)) - np.repeat(np.cumsum(count) - count, count)) / count[day]
    rest = risk[day, 0] - share * tied[day, 0]
    each = (mass / count)[day]
    once, twice = each / rest, each / rest**2
    a, b, c, d, e = (
        np.bincount(day, column, len(times))[:, None]
        for column in (once, once * share, twice, twice * share, twice * share**2)
    )
    score = _summed(place, x[gone] * data.weights[gone, None], len(times)) - (
        a * risk[:, 1 : p + 1] - b * tied[:, 1 : p + 1]
    )
    s, t = risk[:, 1 : p + 1], tied[:, 1 : p + 1]
    i, j = upper
    packed = a * risk[:, p + 1 :] - b * tied[:, p + 1 :] - c * s[:, i] * s[:, j]
    packed += d * (s[:, i] * t[:, j] + t[:, i] * s[:, j]) - e * t[:, i] * t[:, j]
    information = np.zeros((len(times), p, p))
    information[:, i, j] = information[:, j, i] = packed
    return float(data.weights[gone] @ (x[gone] @ beta) - each @ np.log(rest)), score, information


def _read_only(values: Floats) -> Floats:
    """Return an array that can no longer be written to and may hold NaN."""
    values.flags.writeable = False
    return values
