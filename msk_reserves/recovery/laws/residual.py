"""How much longer: residual time of a stay that has already lasted, for one law."""

import numpy as np
import numpy.typing as npt
from scipy import special

from msk_reserves._checks import Floats, level, not_negative, positive
from msk_reserves.recovery.laws.families import Family, cumulative_hazard, days_at_hazard, moment

DEFAULT_HORIZON = 3640.0
"""Ten years of 52 weeks."""

HALF_YEAR = 182.0
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
    >>> from msk_reserves.recovery.laws.families import EXPONENTIAL
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
    >>> from msk_reserves.recovery.laws.families import EXPONENTIAL
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
    >>> from msk_reserves.recovery.laws.families import LOGNORMAL
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
