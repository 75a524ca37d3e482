"""Maximum likelihood for one law of days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats
from msk_reserves.recovery.families import (
    FAMILIES,
    GENERALIZED_GAMMA,
    LOGNORMAL,
    WEIBULL,
    Family,
    family_named,
)
from msk_reserves.recovery.likelihood import Rows, evaluate, prepare, value_only
from msk_reserves.recovery.newton import DECREMENT_TOLERANCE, Optimum, maximise
from msk_reserves.recovery.observations import Observations, observations
from msk_reserves.recovery.piecewise import DECLINE, PIECEWISE, default_cuts, fit_piecewise, merged_cuts

SHAPE_STARTS = (-1.0, -0.5, 0.01, 0.5, 1.0)
"""Starts of Q for the generalized gamma: 0.01 and 1 begin at the lognormal and Weibull optima, the others compete."""

REFIT_TOLERANCE = 1e-3
"""Log-likelihood a refit under random weights may leave to gain."""

_SUBSAMPLE = 4000
_LIMITS = {"location": 200.0, "log_scale": 3.0, "shape": 8.0}


@dataclass(frozen=True, slots=True, eq=False)
class FittedFamily:
    """A law fitted to days, on the unconstrained scale.

    Attributes
    ----------
    family : name of the law; "piecewise" for piecewise-exponential rates.
    names : name of each parameter; shape (n_parameters,).
    theta : the estimates. Location-scale laws: constant and coefficients of the location of ln days, ln scale, Q.
        Piecewise: ln rate per day by piece, then log hazard ratios.
    covariance : inverse of the observed information; shape (n_parameters, n_parameters).
    loglik : log-likelihood, days as the unit.
    aic : 2 x parameters - 2 x loglik.
    events : weighted exits.
    converged : whether a maximum was reached; only then is `covariance` finite.
    reason : the evidence for it.
    cuts : ends of the pieces in days, the last open; empty for location-scale laws.
    """

    family: str
    names: tuple[str, ...]
    theta: Floats
    covariance: Floats
    loglik: float
    aic: float
    events: float
    converged: bool
    reason: str
    cuts: Floats

    def __post_init__(self) -> None:
        for array in (self.theta, self.covariance, self.cuts):
            array.flags.writeable = False

    def __repr__(self) -> str:
        title = "piecewise-exponential" if self.family == PIECEWISE else FAMILIES[self.family].title
        state = "converged" if self.converged else f"not converged ({self.reason})"
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in zip(self.names, self.theta, strict=True))
        return f"{title} law fitted to {self.events:,.6g} exits: {numbers}; AIC {self.aic:,.2f}, {state}"

    @property
    def standard_error(self) -> Floats:
        """Standard errors of the parameters, shape (n_parameters,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def scale(self) -> float:
        """Scale sigma of ln days (1 where the law fixes it)."""
        return float(np.exp(self.theta[self.names.index("log_scale")])) if "log_scale" in self.names else 1.0

    @property
    def shape(self) -> float:
        """Shape Q of the generalized gamma, 0 elsewhere."""
        return float(self.theta[self.names.index("Q")]) if "Q" in self.names else 0.0


def fit_family(
    family: str | Family,
    days: npt.ArrayLike,
    exited: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    interval: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    design: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> FittedFamily:
    """Fit a law of days by maximum likelihood.

    Parameters
    ----------
    family : str or Family
        "exponential", "weibull", "lognormal", "loglogistic", "gengamma" or "piecewise" (rates by week 1, 2, 4, 8, 13,
        26, 52, 78, 104, 156, 260; neighbours merged until each piece has five exits).
    days, exited, entry, interval, weights, design : array_like
        The stays, as in `observations`.
    names : sequence of str, optional
        Names of the covariates.

    Returns
    -------
    FittedFamily
        Check `converged` before use.

    Raises
    ------
    ValueError
        If the stays are not fit for it, `family` is unknown or `names` does not match `design`.

    Notes
    -----
    Newton's method on analytic derivatives, time measured in units of its median, from least squares on ln days and,
    for the generalized gamma, from its nested laws and several Q (Prentice, Biometrika 61 (1974) 539, for the law).

    Examples
    --------
    >>> fit_family("exponential", [2.0, 4.0, 6.0], [1, 1, 0])
    exponential law fitted to 2 exits: constant 1.792; AIC 13.17, converged
    """
    data = observations(days, exited, entry=entry, interval=interval, weights=weights, design=design)
    width = data.design.shape[1]
    labels = tuple(f"x{i + 1}" for i in range(width)) if names is None else tuple(names)
    if len(labels) != width:
        raise ValueError(f"`names` must name the {width} column(s) of `design`, got {labels}")
    name = family.name if isinstance(family, Family) else family
    if name == PIECEWISE:
        return piecewise_to_data(data, labels, merged_cuts(data, default_cuts()))
    return fit_to_data(family_named(name), data, labels)


def fit_to_data(
    family: Family, data: Observations, labels: tuple[str, ...], start: Floats | None = None
) -> FittedFamily:
    """Fit a location-scale law to checked data; `start`, where given, replaces the search for one."""
    unit = _median(data)
    rows = prepare(data, unit)
    shift = np.zeros(len(data.design[0]) + 3)
    shift[0] = np.log(unit)
    if start is None:
        best = _search(family, data, rows)
    else:
        # A refit is one of many draws: a fortieth of a standard error is near enough.
        best = _climb(family, rows, start - shift[: len(start)], tolerance=REFIT_TOLERANCE)
    names = ("constant", *labels, *(["log_scale"] * family.free_scale), *(["Q"] * family.free_shape))
    return _record(family.name, names, best, best.theta + shift[: len(best.theta)], data, np.zeros(0))


def piecewise_to_data(
    data: Observations, labels: tuple[str, ...], cuts: Floats, *, decline: float = DECLINE
) -> FittedFamily:
    """Fit piecewise-exponential rates to checked data on the given cuts; `decline` rules pieces with few exits."""
    best, ruled = fit_piecewise(data, cuts, decline=decline)
    names = (*(f"log_rate_{i + 1}" for i in range(len(cuts) + 1)), *labels)
    record = _record(PIECEWISE, names, best, best.theta, data, np.array(cuts, dtype=np.float64))
    return replace(record, aic=2.0 * ruled - 2.0 * best.loglik)


def _record(
    family: str, names: tuple[str, ...], best: Optimum, theta: Floats, data: Observations, cuts: Floats
) -> FittedFamily:
    """Return the fit as a record."""
    return FittedFamily(
        family=family,
        names=names,
        theta=np.array(theta),
        covariance=np.array(best.covariance),
        loglik=best.loglik,
        aic=2.0 * len(theta) - 2.0 * best.loglik,
        events=data.events,
        converged=best.converged,
        reason=best.reason,
        cuts=cuts,
    )


def _median(data: Observations) -> float:
    """Return the median of the exits' days, the unit inside the optimiser."""
    return float(np.median(data.days[data.exited & (data.weights > 0)]))


def _bounds(family: Family, p: int) -> Floats:
    """Return the size beyond which a parameter counts as having run off, shape (n_parameters,)."""
    free = [_LIMITS["log_scale"]] * family.free_scale + [_LIMITS["shape"]] * family.free_shape
    return np.array([_LIMITS["location"] * 10] * p + free)


def _climb(family: Family, rows: Rows, start: Floats, *, tolerance: float = DECREMENT_TOLERANCE) -> Optimum:
    """Run Newton for a family from one start."""
    bounds = _bounds(family, rows.design.shape[1])
    return maximise(
        lambda theta: evaluate(family, rows, theta),
        lambda theta: value_only(family, rows, theta),
        start,
        bounds,
        tolerance=tolerance,
    )


def _search(family: Family, data: Observations, rows: Rows) -> Optimum:
    """Climb from each start in turn: with truncation the surface has flats, and a bad end is not the answer."""
    if family.free_shape:
        return _search_shape(data, rows)
    base, spread = _least_squares(data, rows)
    found: list[Optimum] = []
    for factor in (1.0, 0.3, 3.0, 0.1):
        start = np.append(base, np.log(spread * factor)) if family.free_scale else base
        found.append(_climb(family, rows, start))
        if found[-1].converged:
            return found[-1]
    return max(found, key=lambda one: one.loglik)


def _least_squares(data: Observations, rows: Rows) -> tuple[Floats, float]:
    """Return coefficients and residual spread of ln days on the covariates, among exits (all stays if too few)."""
    use = data.exited & (data.weights > 0)
    if use.sum() <= rows.design.shape[1] + 1:
        use = data.weights > 0
    root = np.sqrt(data.weights[use])
    x, y = rows.design[use], rows.log_days[use]
    coefficients = np.asarray(np.linalg.lstsq(x * root[:, None], y * root, rcond=None)[0])
    residual = (y - x @ coefficients) * root
    spread = float(np.sqrt((residual**2).sum() / max((root**2).sum(), 1e-12)))
    return coefficients, max(spread, 0.05)


def _search_shape(data: Observations, rows: Rows) -> Optimum:
    """Fit the generalized gamma from its nested laws and from several Q, tried first on a part of a large file."""
    few = data if len(data) <= _SUBSAMPLE else _thinned(data, len(data) // _SUBSAMPLE)
    part = rows if few is data else prepare(few, _median(data))
    nested = {1.0: _search(WEIBULL, few, part), 0.01: _search(LOGNORMAL, few, part)}
    better = max(nested.values(), key=lambda one: one.loglik).theta
    others = [np.append(better, q) for q in SHAPE_STARTS if q not in nested]
    highest = max(others, key=lambda start: value_only(GENERALIZED_GAMMA, part, start))
    starts = [*(np.append(one.theta, q) for q, one in nested.items()), highest]
    tried = [_climb(GENERALIZED_GAMMA, part, start) for start in starts]
    best = max(tried, key=lambda one: (one.converged, one.loglik))
    return best if part is rows else _climb(GENERALIZED_GAMMA, rows, best.theta)


def _thinned(data: Observations, step: int) -> Observations:
    """Return every `step`-th stay: enough to choose a start, and the same every time."""
    return Observations(
        data.days[::step],
        data.exited[::step],
        data.entry[::step],
        data.lower[::step],
        data.weights[::step],
        data.design[::step],
    )
