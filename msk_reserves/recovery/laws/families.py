"""Laws of time in a state: location-log-scale families, each a record of functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import special

from msk_reserves._checks import Floats, one_of, whole
from msk_reserves.recovery.laws import generalized_gamma

BY_CLAIM = "by_claim"
"""Name of a law tabulated claim by claim: rates by row of the table, the location being the row."""

_LOG_2PI_HALF = 0.5 * float(np.log(2.0 * np.pi))

Three = tuple[Floats, Floats, Floats]
"""A value and its first two derivatives."""


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A law of days, ln days = location + scale x w, with w of a fixed standard law; functions of (w, shape).

    Attributes
    ----------
    name : the name candidates are called by.
    title : the name in sentences.
    free_scale : whether the scale is estimated (the exponential's is 1).
    free_shape : whether a shape Q is estimated (the generalized gamma alone).
    log_survival : ln S of w.
    log_density : ln of the density of w.
    survival_terms : ln S with its first and second derivative in w, at once and fast.
    density_terms : the same of the log-density.
    inverse_hazard : the w at which -ln S equals a given number.
    log_moment : ln E[exp(r w)] for order r x scale; NaN or infinite where it does not exist.
    """

    name: str
    title: str
    free_scale: bool
    free_shape: bool
    log_survival: Callable[[Floats, Floats], Floats]
    log_density: Callable[[Floats, Floats], Floats]
    survival_terms: Callable[[Floats, Floats], Three]
    density_terms: Callable[[Floats, Floats], Three]
    inverse_hazard: Callable[[Floats, Floats], Floats]
    log_moment: Callable[[Floats, Floats], Floats]

    def __repr__(self) -> str:
        return f"{self.title} law"

    def __reduce__(self) -> tuple[Callable[[str], "Family"], tuple[str]]:
        return family_named, (self.name,)


def family_named(name: str) -> Family:
    """Return the location-scale family called `name`, or raise `ValueError` that lists them."""
    return FAMILIES[one_of(name, FAMILIES, "family")]


def _weibull_survival(w: Floats, _shape: Floats) -> Three:
    """Return -e^w, which is its own derivative."""
    fall = -np.exp(w)
    return fall, fall, fall


def _weibull_density(w: Floats, _shape: Floats) -> Three:
    """Return w - e^w, 1 - e^w and -e^w."""
    growth = np.exp(w)
    return w - growth, 1.0 - growth, -growth


def _normal_survival(w: Floats, _shape: Floats) -> Three:
    """Return ln Phi(-w) through the scaled complementary error function; its slope is minus the inverse Mills ratio."""
    # Below -37 the survival is one to the last digit, and the scaled function would overflow.
    x = np.maximum(w, -36.0) * np.sqrt(0.5)
    scaled = special.erfcx(x)
    rate = np.sqrt(2.0 / np.pi) / scaled
    return np.log(0.5 * scaled) - x * x, -rate, -rate * (rate - w)


def _normal_density(w: Floats, _shape: Floats) -> Three:
    """Return -w^2/2 - ln(2 pi)/2, -w and -1."""
    return -0.5 * w * w - _LOG_2PI_HALF, -w, np.full(np.shape(w), -1.0)


def _logistic_density(w: Floats, _shape: Floats) -> Floats:
    """Return w - 2 ln(1 + e^w)."""
    return np.asarray(w - 2.0 * np.logaddexp(0.0, w))


def _logistic_survival(w: Floats, _shape: Floats) -> Three:
    """Return -ln(1 + e^w), -p and -p (1 - p) with p = 1 / (1 + e^-w)."""
    small = np.exp(-np.abs(w))
    both = 1.0 + small
    p = np.where(w > 0.0, 1.0, small) / both
    return -(np.maximum(w, 0.0) + np.log(both)), -p, -small / (both * both)


def _logistic_density_terms(w: Floats, shape: Floats) -> Three:
    """Return w - 2 ln(1 + e^w), 1 - 2 p and -2 p (1 - p)."""
    log_s, first, second = _logistic_survival(w, shape)
    return w + 2.0 * log_s, 1.0 + 2.0 * first, 2.0 * second


def _logistic_inverse(hazard: Floats, _shape: Floats) -> Floats:
    """Return ln(e^h - 1) without overflow."""
    with np.errstate(divide="ignore"):
        return np.asarray(hazard + np.log(-np.expm1(-hazard)))


def _log(hazard: Floats, _shape: Floats) -> Floats:
    """Return ln h, minus infinity at zero."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(hazard))


def _logistic_moment(order: Floats, _shape: Floats) -> Floats:
    """Return ln[pi r / sin(pi r)], infinite from r = 1."""
    r = np.asarray(order, dtype=np.float64)
    inside = np.where((r < 1.0) & (r > 0.0), r, 0.5)
    return np.asarray(np.where(r >= 1.0, np.inf, np.where(r == 0.0, 0.0, -np.log(np.sinc(inside)))))


def _gengamma_moment(order: Floats, shape: Floats) -> Floats:
    """Return ln of Gamma(k + r/Q) / Gamma(k) x k^{-r/Q}, k = Q^-2; infinite where r |Q| >= 1 and Q < 0."""
    r, q = np.broadcast_arrays(np.asarray(order, dtype=np.float64), np.asarray(shape, dtype=np.float64))
    near = np.abs(q) < 1e-5
    safe = np.where(near, 1.0, q)
    k = safe**-2.0
    exists = (k + r / safe > 0.0) | near
    argument = np.where(exists, k + r / safe, 1.0)
    value = special.gammaln(argument) - special.gammaln(k) - r / safe * np.log(k)
    return np.asarray(np.where(near, 0.5 * r * r, np.where(exists, value, np.inf)))


WEIBULL = Family(
    name="weibull",
    title="Weibull",
    free_scale=True,
    free_shape=False,
    log_survival=lambda w, _shape: -np.exp(w),
    log_density=lambda w, _shape: w - np.exp(w),
    survival_terms=_weibull_survival,
    density_terms=_weibull_density,
    inverse_hazard=_log,
    log_moment=lambda order, _shape: np.asarray(special.gammaln(1.0 + order)),
)
EXPONENTIAL = Family(
    name="exponential",
    title="exponential",
    free_scale=False,
    free_shape=False,
    log_survival=WEIBULL.log_survival,
    log_density=WEIBULL.log_density,
    survival_terms=_weibull_survival,
    density_terms=_weibull_density,
    inverse_hazard=WEIBULL.inverse_hazard,
    log_moment=WEIBULL.log_moment,
)
LOGNORMAL = Family(
    name="lognormal",
    title="lognormal",
    free_scale=True,
    free_shape=False,
    log_survival=lambda w, _shape: np.asarray(special.log_ndtr(-w)),
    log_density=lambda w, _shape: -0.5 * w * w - _LOG_2PI_HALF,
    survival_terms=_normal_survival,
    density_terms=_normal_density,
    inverse_hazard=lambda hazard, _shape: np.asarray(-special.ndtri_exp(-np.asarray(hazard))),
    log_moment=lambda order, _shape: np.asarray(0.5 * order**2),
)
LOGLOGISTIC = Family(
    name="loglogistic",
    title="log-logistic",
    free_scale=True,
    free_shape=False,
    log_survival=lambda w, _shape: -np.logaddexp(0.0, w),
    log_density=_logistic_density,
    survival_terms=_logistic_survival,
    density_terms=_logistic_density_terms,
    inverse_hazard=_logistic_inverse,
    log_moment=_logistic_moment,
)
GENERALIZED_GAMMA = Family(
    name="gengamma",
    title="generalized gamma",
    free_scale=True,
    free_shape=True,
    log_survival=generalized_gamma.log_survival,
    log_density=generalized_gamma.log_density,
    survival_terms=generalized_gamma.survival_terms,
    density_terms=generalized_gamma.density_terms,
    inverse_hazard=generalized_gamma.inverse_hazard,
    log_moment=_gengamma_moment,
)

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {family.name: family for family in (EXPONENTIAL, WEIBULL, LOGNORMAL, LOGLOGISTIC, GENERALIZED_GAMMA)}
)
"""The location-scale families by name."""


def _standardised(days: npt.ArrayLike, location: npt.ArrayLike, scale: npt.ArrayLike) -> Floats:
    """Return w = (ln days - location) / scale, minus infinity at day zero."""
    with np.errstate(divide="ignore"):
        return np.asarray((np.log(np.asarray(days, dtype=np.float64)) - np.asarray(location)) / np.asarray(scale))


def log_survival(
    family: Family,
    days: npt.ArrayLike,
    location: npt.ArrayLike,
    scale: npt.ArrayLike = 1.0,
    shape: npt.ArrayLike = 0.0,
) -> Floats:
    """Return ln of the probability of staying longer than `days`, accurate far beyond underflow of S itself.

    Parameters
    ----------
    family : Family
        The law.
    days, location, scale, shape : array_like
        Days, location mu, scale sigma and shape Q (the generalized gamma's), broadcast together.

    Returns
    -------
    numpy.ndarray
        ln S, of the broadcast shape.

    Examples
    --------
    >>> round(float(log_survival(WEIBULL, 10.0, np.log(5.0), 0.5)), 6)
    -4.0
    """
    w = _standardised(days, location, scale)
    at_zero = np.isneginf(w)
    with np.errstate(over="ignore"):
        value = family.log_survival(np.where(at_zero, 0.0, w), np.asarray(shape, dtype=np.float64))
    return np.asarray(np.where(at_zero, 0.0, value))


def cumulative_hazard(
    family: Family,
    days: npt.ArrayLike,
    location: npt.ArrayLike,
    scale: npt.ArrayLike = 1.0,
    shape: npt.ArrayLike = 0.0,
) -> Floats:
    """Return H = -ln S; arguments as in `log_survival`.

    Examples
    --------
    >>> round(float(cumulative_hazard(LOGLOGISTIC, 5.0, np.log(5.0), 0.5)), 6)
    0.693147
    """
    return np.asarray(-log_survival(family, days, location, scale, shape))


def hazard(
    family: Family,
    days: npt.ArrayLike,
    location: npt.ArrayLike,
    scale: npt.ArrayLike = 1.0,
    shape: npt.ArrayLike = 0.0,
) -> Floats:
    """Return the hazard per day at `days` > 0; arguments as in `log_survival`.

    Examples
    --------
    >>> round(float(hazard(EXPONENTIAL, 3.0, np.log(20.0))), 6)
    0.05
    """
    t = np.asarray(days, dtype=np.float64)
    w = _standardised(t, location, scale)
    q = np.asarray(shape, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        log_h = family.log_density(w, q) - family.log_survival(w, q) - np.log(np.asarray(scale) * t)
        return np.asarray(np.exp(log_h))


def days_at_hazard(
    family: Family,
    accumulated: npt.ArrayLike,
    location: npt.ArrayLike,
    scale: npt.ArrayLike = 1.0,
    shape: npt.ArrayLike = 0.0,
) -> Floats:
    """Return the days at which the cumulative hazard reaches `accumulated`, the inverse of `cumulative_hazard`.

    Examples
    --------
    >>> round(float(days_at_hazard(LOGNORMAL, np.log(2.0), np.log(30.0), 1.2)), 6)
    30.0
    """
    w = family.inverse_hazard(np.asarray(accumulated, dtype=np.float64), np.asarray(shape, dtype=np.float64))
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(np.asarray(location) + np.asarray(scale) * w))


def moment(family: Family, order: int, location: float, scale: float = 1.0, shape: float = 0.0) -> float:
    """Return E[days^order], infinite where the moment does not exist.

    A log-logistic mean exists only for scale < 1; a generalized gamma's with Q < 0 only for order x scale x |Q| < 1.

    Examples
    --------
    >>> round(moment(LOGNORMAL, 1, 1.23325, 1.2614), 2)
    7.61
    >>> moment(LOGLOGISTIC, 2, 1.26, 0.698)
    inf
    """
    power = whole(order, "order", at_least=1)
    with np.errstate(over="ignore"):
        log_moment = family.log_moment(np.asarray(power * scale), np.asarray(shape, dtype=np.float64))
        return float(np.exp(power * location + log_moment))
