"""Maximum likelihood for one law of days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import special

from msk_reserves._checks import Floats, one_of
from msk_reserves.recovery.laws.cure import CURES, beyond_last_exit, is_cure, no_plateau
from msk_reserves.recovery.laws.families import BY_CLAIM, FAMILIES, WEIBULL, Family
from msk_reserves.recovery.laws.likelihood import prepare
from msk_reserves.recovery.laws.newton import Optimum
from msk_reserves.recovery.laws.piecewise import BY_YEAR, PIECEWISE, Fading, default_cuts, fit_piecewise, merged_cuts
from msk_reserves.recovery.laws.search import LAST_GAIN, climb, search
from msk_reserves.recovery.laws.spline import SPLINES, default_knots, first_curve, fit_spline, is_spline
from msk_reserves.recovery.observations import Observations, columns_beside, grouped, observations

LAWS = (*FAMILIES, PIECEWISE, *SPLINES, *CURES)
"""Names of every law that can be fitted."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedFamily:
    """A law fitted to days, on the unconstrained scale.

    Attributes
    ----------
    family : name of the law, one of `LAWS`.
    names : name of each parameter; shape (n_parameters,).
    theta : the estimates. Location-scale laws: constant and coefficients of the location of ln days, of ln scale, then
        Q or, of a mixture cure, coefficients of the logit of the share that never ends. Piecewise: ln rate per day by
        piece, then log hazard ratios. Splines of ln H: coefficients of 1, ln days and each inner knot's cubic, then log
        hazard ratios, then effects on the slope.
    covariance : inverse of the observed information; shape (n_parameters, n_parameters).
    loglik : log-likelihood, days as the unit.
    aic : 2 x parameters - 2 x loglik.
    events : weighted exits.
    converged : whether a maximum was reached; only then is `covariance` finite.
    reason : the evidence for it.
    cuts : ends of the pieces in days, the last open, or knots of a spline in days; empty for other laws.
    tilt : columns of the covariates that also move the shape, or whose effect changes with time (`laws.tilt`).
    bands : days after which their effect on piecewise rates changes.
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
    tilt: tuple[int, ...] = ()
    bands: Floats = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        for array in (self.theta, self.covariance, self.cuts, self.bands):
            array.flags.writeable = False

    def __repr__(self) -> str:
        state = "converged" if self.converged else f"not converged ({self.reason})"
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in zip(self.names, self.theta, strict=True))
        return f"{self.title} law fitted to {self.events:,.6g} exits: {numbers}; AIC {self.aic:,.2f}, {state}"

    @property
    def title(self) -> str:
        """The law's name in sentences."""
        if self.family == PIECEWISE:
            return "piecewise exponential"
        if is_spline(self.family):
            return f"hazard spline {self.family}"
        if self.family == BY_CLAIM:
            return self.reason
        return f"{CURES[self.family].title} cure" if is_cure(self.family) else FAMILIES[self.family].title

    @property
    def measure(self) -> str:
        """What exp of a covariate's effect is: "hazard ratio", or "time ratio", what the days are multiplied by."""
        return "hazard ratio" if self.family == PIECEWISE or is_spline(self.family) else "time ratio"

    @property
    def standard_error(self) -> Floats:
        """Standard errors of the parameters, shape (n_parameters,)."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def scale(self) -> float:
        """Scale sigma of ln days (1 where the law fixes it), its covariates at zero."""
        return float(np.exp(self.theta[self.names.index("log_scale")])) if "log_scale" in self.names else 1.0

    @property
    def shape(self) -> float:
        """Shape Q of the generalized gamma, 0 elsewhere."""
        return float(self.theta[self.names.index("Q")]) if "Q" in self.names else 0.0

    @property
    def plateau(self) -> float:
        """Share that never ends in a mixture cure, its covariates at zero; 0 elsewhere."""
        return float(special.expit(self.theta[self.names.index("logit_cured")])) if is_cure(self.family) else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """Covariates of other parameters than the location: columns (n_stays, q) with their names.

    Attributes
    ----------
    shape, shape_names : of ln scale, or of a spline's slope.
    cure, cure_names : of the logit of the share that never ends.
    """

    shape: Floats | None = None
    shape_names: tuple[str, ...] = ()
    cure: Floats | None = None
    cure_names: tuple[str, ...] = ()


NOTHING_BESIDE = Beside()

NOTHING_KNOWN: Mapping[str, FittedFamily] = MappingProxyType({})


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
    shape_design: npt.ArrayLike | None = None,
    cure_design: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
) -> FittedFamily:
    """Fit a law of days by maximum likelihood.

    Parameters
    ----------
    family : str or Family
        "exponential", "weibull", "lognormal", "loglogistic", "gengamma"; "piecewise" (rates by week 1, 2, 4, 8, 13, 26,
        52, 78, 104, 156, 260; neighbours merged until each piece has five exits); "rp0" to "rp3" (ln H a natural cubic
        spline of ln days with that many inner knots, at quantiles of the exits); "cure_weibull", "cure_lognormal" or
        "cure_loglogistic" (a share never ends, the others follow the law).
    days, exited, entry, interval, weights, design : array_like
        The stays, as in `observations`.
    names : sequence of str, optional
        Names of the covariates.
    shape_design : array_like, shape (n_stays, q), optional
        Covariates of ln scale, or of a spline's slope, so that the effect of a covariate may change with time.
    cure_design : array_like, shape (n_stays, c), optional
        Covariates of the logit of the share that never ends.
    strata : array_like, shape (n_stays,), optional
        Labels; each stratum gets its own constant and its own ln scale (or slope), and shares the effects of `design`.

    Returns
    -------
    FittedFamily
        Check `converged` before use.

    Raises
    ------
    ValueError
        If the stays are not fit for it, `family` is unknown, `names` does not match `design`, covariates are given for
        a parameter the law does not have, or a mixture cure is asked for where there is no plateau.

    Notes
    -----
    Newton's method on analytic derivatives, time measured in units of its median, from least squares on ln days and,
    for the generalized gamma, from its nested laws and several Q (Prentice, Biometrika 61 (1974) 539, for the law).
    With a covariate z of ln scale, ln days = x b + exp(g + z d) w. With one of a spline's slope,
    ln H = s(ln t) + x b + z d (ln t - m), m half way between the outer knots: the log hazard ratio moves with ln t.

    Examples
    --------
    >>> fit_family("exponential", [2.0, 4.0, 6.0], [1, 1, 0])
    exponential law fitted to 2 exits: constant 1.792; AIC 13.17, converged
    """
    data = observations(days, exited, entry=entry, interval=interval, weights=weights, design=design)
    name = one_of(family.name if isinstance(family, Family) else family, LAWS, "family")
    width = data.design.shape[1]
    labels = tuple(f"x{i + 1}" for i in range(width)) if names is None else tuple(names)
    if len(labels) != width:
        raise ValueError(f"`names` must name the {width} column(s) of `design`, got {labels}")
    shape, shape_names = columns_beside(data, shape_design, "shape_design", "log_scale")
    cure, cure_names = columns_beside(data, cure_design, "cure_design", "logit_cured")
    if strata is not None:
        data, labels, shape, shape_names = _stratified(data, labels, strata, (shape, shape_names))
    _check_beside(name, shape, cure)
    if is_cure(name) and (reason := no_plateau(data)):
        raise ValueError(f"`family` must not be {name!r} for these stays: {reason}; take the law without cure")
    return fit_law(name, data, labels, beside=Beside(shape, shape_names, cure, cure_names))


def _check_beside(name: str, shape: Floats | None, cure: Floats | None) -> None:
    """Refuse covariates of a parameter the law does not have."""
    if shape is not None and name in {PIECEWISE, "exponential"}:
        raise ValueError(f"`shape_design` and `strata` need a law with a scale or slope; {name!r} has neither")
    if cure is not None and not is_cure(name):
        raise ValueError(f"`cure_design` needs a mixture cure, one of {', '.join(CURES)}; got {name!r}")


def _stratified(
    data: Observations, labels: tuple[str, ...], strata: npt.ArrayLike, shape: tuple[Floats | None, tuple[str, ...]]
) -> tuple[Observations, tuple[str, ...], Floats | None, tuple[str, ...]]:
    """Add an indicator of each stratum but the first to the location and to the shape."""
    codes = np.asarray(strata)
    if codes.shape != (len(data),):
        raise ValueError(f"`strata` must have one label a stay: `days` has {len(data)}, got shape {codes.shape}")
    levels = np.unique(codes)
    flags = (codes[:, None] == levels[None, 1:]).astype(np.float64)
    added = tuple(f"stratum {level}" for level in levels[1:])
    wider = observations(
        data.days,
        data.exited,
        entry=data.entry,
        interval=data.days - data.lower,
        weights=data.weights,
        design=np.column_stack([data.design, flags]),
    )
    columns = flags if shape[0] is None else np.column_stack([shape[0], flags])
    beside, names = columns_beside(data, columns, "strata", "log_scale")
    given = len(names) - len(added)
    return wider, (*labels, *added), beside, (*names[:given], *(f"log_scale {one}" for one in added))


def fit_law(
    name: str,
    data: Observations,
    labels: tuple[str, ...],
    *,
    fading: Fading = BY_YEAR,
    beside: Beside = NOTHING_BESIDE,
    known: Mapping[str, FittedFamily] = NOTHING_KNOWN,
) -> FittedFamily:
    """Fit any law of `LAWS` by name to checked data.

    `fading` rules piecewise rates with few exits; `known` are fits of other laws to the same data, by name: splines
    begin at the Weibull law's, the generalized gamma at those of the laws it contains.
    """
    if name == PIECEWISE:
        return piecewise_to_data(data, labels, merged_cuts(data, default_cuts()), fading=fading)
    if is_spline(name):
        return spline_to_data(
            data, labels, default_knots(data, SPLINES[name]), beside=beside, weibull=known.get("weibull")
        )
    family = CURES[name] if is_cure(name) else FAMILIES[name]
    return fit_to_data(family, data, labels, cured=is_cure(name), beside=beside, known=known)


def refit(fit: FittedFamily, data: Observations, labels: tuple[str, ...]) -> FittedFamily:
    """Fit the same law to other weights of the same stays, from the estimates, on the same cuts or knots."""
    if fit.family == PIECEWISE:
        return piecewise_to_data(data, labels, fit.cuts)
    if is_spline(fit.family):
        return spline_to_data(data, labels, fit.cuts, start=fit.theta)
    family = CURES[fit.family] if is_cure(fit.family) else FAMILIES[fit.family]
    return fit_to_data(family, data, labels, fit.theta, cured=is_cure(fit.family))


def fit_to_data(
    family: Family,
    data: Observations,
    labels: tuple[str, ...],
    start: Floats | None = None,
    *,
    cured: bool = False,
    beside: Beside = NOTHING_BESIDE,
    known: Mapping[str, FittedFamily] = NOTHING_KNOWN,
) -> FittedFamily:
    """Fit a location-scale law to checked data; `start`, where given, replaces the search for one.

    `known` are fits of other laws to the same data, by name.
    """
    whole = grouped(data) if beside is NOTHING_BESIDE else data
    unit = _median(data)
    rows = prepare(whole, unit, shape_design=beside.shape, cure_design=beside.cure)
    if start is None:
        nested = {name: _in_unit(fit.theta, unit) for name, fit in known.items() if name in FAMILIES}
        best = search(family, rows, beyond_last_exit(data) if cured else None, nested)
    else:
        best = climb(family, rows, _in_unit(start, unit), cured=cured, last=LAST_GAIN)
    plain = known.get(family.name) if cured else None
    if plain is not None and best.loglik < plain.loglik:
        best = replace(best, converged=False, reason="the share that never ends goes to zero")
    theta = np.array(best.theta)
    theta[0] += np.log(unit)
    scale = ("log_scale", *beside.shape_names) if family.free_scale else ()
    third = ("logit_cured", *beside.cure_names) if cured else ("Q",) if family.free_shape else ()
    name = f"cure_{family.name}" if cured else family.name
    return _record(name, ("constant", *labels, *scale, *third), best, theta, data, np.zeros(0))


def _in_unit(theta: Floats, unit: float) -> Floats:
    """Return parameters of a location-scale law of days for time measured in `unit` days."""
    moved = np.array(theta)
    moved[0] -= np.log(unit)
    return moved


def piecewise_to_data(
    data: Observations, labels: tuple[str, ...], cuts: Floats, *, fading: Fading = BY_YEAR
) -> FittedFamily:
    """Fit piecewise-exponential rates to checked data on the given cuts; `fading` rules pieces with few exits."""
    best, ruled = fit_piecewise(data, cuts, fading=fading)
    names = (*(f"log_rate_{i + 1}" for i in range(len(cuts) + 1)), *labels)
    record = _record(PIECEWISE, names, best, best.theta, data, np.array(cuts, dtype=np.float64))
    return replace(record, aic=2.0 * ruled - 2.0 * best.loglik)


def spline_to_data(
    data: Observations,
    labels: tuple[str, ...],
    knots: Floats,
    *,
    beside: Beside = NOTHING_BESIDE,
    start: Floats | None = None,
    weibull: FittedFamily | None = None,
) -> FittedFamily:
    """Fit a spline of ln H to checked data on the given knots in days; it starts at the effects of the Weibull law."""
    extra = len(beside.shape_names)
    if start is None:
        weibull = weibull or fit_to_data(WEIBULL, data, labels)
        start = np.zeros(len(knots) + len(labels) + extra)
        start[:2] = -weibull.theta[0] / weibull.scale, 1.0 / weibull.scale
        effects = -weibull.theta[1:-1] / weibull.scale
        start[len(knots) : len(knots) + len(labels)] = effects
        if len(knots) > 2 and (np.diff(knots) > 0).all():
            start[: len(knots)] = first_curve(data, knots, np.exp(data.design @ effects), start[: len(knots)])
    best = fit_spline(data if extra else grouped(data), knots, start, beside.shape)
    slopes = tuple(name.replace("log_scale", "slope") for name in beside.shape_names)
    names = (*(f"gamma_{i}" for i in range(len(knots))), *labels, *slopes)
    return _record(f"rp{len(knots) - 2}", names, best, best.theta, data, np.array(knots))


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


def unfitted(name: str, data: Observations, reason: str) -> FittedFamily:
    """Return the record of a law that was not fitted, with the reason."""
    nothing = Optimum(np.zeros(0), np.zeros((0, 0)), -np.inf, converged=False, reason=reason)
    return _record(name, (), nothing, np.zeros(0), data, np.zeros(0))


def _median(data: Observations) -> float:
    """Return the median of the exits' days, the unit inside the optimiser."""
    return float(np.median(data.days[data.exited & (data.weights > 0)]))
