"""The standardised generalized gamma law, safe near the lognormal limit and far in both tails."""

from collections.abc import Callable

import numpy as np
from scipy import special

from msk_reserves._checks import Floats

NEAR_LOGNORMAL = 0.03
"""Below this |Q| the uniform expansion for large order is exact to about 1e-9; incomplete gamma ratios lose digits."""

_LOG_2PI_HALF = 0.5 * float(np.log(2.0 * np.pi))
_UNDERFLOW = 1e-250

# Series of the first two coefficients of the uniform expansion, in ascending powers of eta (N. M. Temme, SIAM J. Math.
# Anal. 10 (1979) 757; DLMF 8.12.10).
_C0 = (
    -1 / 3, 1 / 12, -2 / 135, 1 / 864, 1 / 2835, -139 / 777600, 1 / 25515, -571 / 261273600, -281 / 151559100,
    8.29671134095308601e-7, -1.76659527368260793e-7,
)  # fmt: skip
_C1 = (
    -1 / 540, -1 / 288, 1 / 378, -77 / 77760, 1 / 4860, -4.01877572016460905e-7, -1.80985503344899778e-5,
    7.64916091608111009e-6, -1.61209008945634461e-6,
)  # fmt: skip


def _stirling_remainder(k: Floats) -> Floats:
    """Return ln Gamma(k) - [(k - 1/2) ln k - k + ln(2 pi)/2], without cancellation for large k."""
    inverse = 1.0 / np.maximum(k, 10.0)
    square = inverse * inverse
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))))
    small = np.minimum(k, 10.0)
    direct = special.gammaln(small) - (small - 0.5) * np.log(small) + small - _LOG_2PI_HALF
    return np.asarray(np.where(k > 10.0, series, direct))


def _exponential_remainder(x: Floats) -> Floats:
    """Return exp(x) - 1 - x to full relative precision."""
    series = x * x * (0.5 + x * (1 / 6 + x * (1 / 24 + x * (1 / 120 + x * (1 / 720 + x / 5040)))))
    with np.errstate(over="ignore", invalid="ignore"):
        direct = np.expm1(x) - x
    return np.asarray(np.where(np.abs(x) < 0.02, series, direct))


def log_density(w: Floats, shape: Floats) -> Floats:
    """Return ln f of the standardised variable w; with k = 1/Q^2 it is -ln(2 pi)/2 - r(k) - k (e^{Qw} - 1 - Qw)."""
    size = np.maximum(np.abs(shape), 1e-30)
    q = np.where(np.asarray(shape) < 0, -size, size)
    k = q**-2.0
    return np.asarray(-_LOG_2PI_HALF - _stirling_remainder(k) - k * _exponential_remainder(q * w))


def density_slopes(w: Floats, shape: Floats) -> tuple[Floats, Floats]:
    """Return the first and second derivative of `log_density` in w: (1 - e^{Qw})/Q and -e^{Qw}."""
    size = np.maximum(np.abs(shape), 1e-30)
    q = np.where(np.asarray(shape) < 0, -size, size)
    with np.errstate(over="ignore"):
        return np.asarray(-np.expm1(q * w) / q), np.asarray(-np.exp(q * w))


def _correction(eta: Floats, excess: Floats, q: Floats) -> Floats:
    """Return c0 + Q^2 c1 of the uniform expansion, by series near eta = 0 and in closed form of e^{Qw} - 1 beyond."""
    result = np.array(np.polynomial.polynomial.polyval(eta, _C0) + q**2 * np.polynomial.polynomial.polyval(eta, _C1))
    wide = np.abs(eta) > 0.4
    if wide.any():
        far, x = eta[wide], excess[wide]
        c1 = far**-3.0 - x**-3.0 - x**-2.0 - 1.0 / (12.0 * x)
        result[wide] = 1.0 / x - 1.0 / far + q[wide] ** 2 * c1
    return np.asarray(result)


def _near_lognormal(w: Floats, shape: Floats) -> Floats:
    """Return ln S for small |Q|: S = Phi(-z) + Q phi(z) (c0 + c1 Q^2), z^2/2 = (e^{Qw} - 1 - Qw)/Q^2, eta = Q z."""
    size = np.maximum(np.abs(shape), 1e-30)
    q = np.where(shape < 0, -size, size)
    z = np.sign(w) * np.sqrt(2.0 * _exponential_remainder(q * w)) / size
    step = q * _correction(q * z, np.expm1(q * w), q)
    log_phi = -0.5 * z * z - _LOG_2PI_HALF
    upper, lower = special.log_ndtr(-z), special.log_ndtr(z)
    # Below the median through F, above through S: each keeps its relative accuracy.
    right = upper + np.log1p(np.where(z < 0.0, 0.0, step * np.exp(log_phi - upper)))
    left = np.log1p(-np.where(z < 0.0, np.exp(lower) - step * np.exp(log_phi), 0.0))
    return np.asarray(np.where(z < 0.0, left, right))


def _tail(w: Floats, shape: Floats) -> Floats:
    """Return ln S far right, by repeated integration by parts of the density (four terms of a Mills series)."""
    with np.errstate(over="ignore"):
        d = np.expm1(shape * w) / shape
        # e^{Qw} / d^2, without dividing infinity by infinity where e^{Qw} overflows.
        first = (0.5 * shape / np.sinh(0.5 * shape * w)) ** 2
        ratio = 1.0 - first * (1.0 + shape / d * (1.0 + shape / d)) + first * first * (3.0 + 10.0 * shape / d)
        return np.asarray(log_density(w, shape) - np.log(d) + np.log(ratio - 15.0 * first**3))


def log_survival(w: Floats, shape: Floats) -> Floats:
    """Return ln S of the standardised variable: ln of the upper (Q > 0) or lower (Q < 0) incomplete gamma ratio."""
    w, shape = np.broadcast_arrays(np.asarray(w, dtype=np.float64), np.asarray(shape, dtype=np.float64))
    near = np.abs(shape) < NEAR_LOGNORMAL
    safe = np.where(near, 1.0, shape)
    k = safe**-2.0
    with np.errstate(over="ignore", divide="ignore", under="ignore"):
        u = k * np.exp(safe * w)
        below = np.asarray(w < 0.0)
        ratio = np.where(near, 0.5, 0.0)
        # Below the body's middle through F, above through S; which incomplete gamma ratio that is depends on the sign.
        for upper in (True, False):
            at = ((below == (safe < 0)) == upper) & ~near
            ratio[at] = (special.gammaincc if upper else special.gammainc)(k[at], u[at])
        result = np.where(below, np.log1p(-ratio), np.log(ratio))
    far = ~below & (ratio < _UNDERFLOW) & ~near
    if far.any():
        result[far] = _tail(w[far], safe[far])
    if near.any():
        result[near] = _near_lognormal(w[near], shape[near])
    return np.asarray(result)


def inverse_hazard(hazard: Floats, shape: Floats) -> Floats:
    """Return the w at which -ln S(w) equals `hazard`."""
    hazard, shape = np.broadcast_arrays(np.asarray(hazard, dtype=np.float64), np.asarray(shape, dtype=np.float64))
    near = np.abs(shape) < NEAR_LOGNORMAL
    safe = np.where(near, 1.0, shape)
    k = safe**-2.0
    early = hazard < 0.5
    with np.errstate(divide="ignore", under="ignore", over="ignore"):
        # The incomplete gamma ratio that vanishes with u is S where Q < 0 and F where Q > 0.
        log_lower = np.where(safe > 0, np.log(-np.expm1(-hazard)), -hazard)
        log_upper = np.where(safe > 0, -hazard, np.log(-np.expm1(-hazard)))
        use_lower = early == (safe > 0)
        u = np.where(
            use_lower,
            special.gammaincinv(k, np.exp(log_lower)),
            special.gammainccinv(k, np.exp(log_upper)),
        )
        log_u = np.where(u < 1e-12, (log_lower + special.gammaln(k + 1.0)) / k, np.log(np.maximum(u, 1e-300)))
        w = np.array((log_u - np.log(k)) / safe)
    if near.any():
        w[near] = _newton(hazard[near], shape[near], *_lognormal_start(hazard[near], shape[near]))
    far = (hazard > 500.0) & (shape > 0) & ~near
    if far.any():
        w[far] = _newton(hazard[far], shape[far], np.log1p(hazard[far] * shape[far] ** 2) / shape[far], 40)
    return np.asarray(w)


def _lognormal_start(hazard: Floats, shape: Floats) -> tuple[Floats, int]:
    """Return a start for Newton (the normal quantile bent to second order in Q) and the steps it needs."""
    z = -special.ndtri_exp(-hazard)
    q = shape * z
    return np.asarray(z * (1.0 - q / 6.0 + q * q / 36.0) - shape / 3.0), 5 if np.max(np.abs(q)) > 0.1 else 3


def _newton(hazard: Floats, shape: Floats, w: Floats, steps: int) -> Floats:
    """Return w with -ln S(w) = hazard, by Newton on ln H (nearly straight in w) from a start close by."""
    for _ in range(steps):
        log_s = log_survival(w, shape)
        slope = np.exp(log_density(w, shape) - log_s) / -log_s
        w = w - np.log(-log_s / hazard) / slope
    return np.asarray(w)


Interpolated = Callable[[Floats], tuple[Floats, Floats, Floats]]
"""A function of w that returns a value and its first two derivatives."""


def interpolated(grid: Floats, value: Floats, first: Floats, second: Floats) -> Interpolated:
    """Return the piecewise quintic through a function and two derivatives on an even grid, exact to rounding if fine.

    On each interval the polynomial of degree five takes both ends' values and derivatives (Hermite); its error is the
    sixth power of the step times the sixth derivative over 46,080.
    """
    step = float(grid[1] - grid[0])
    d, c = first * step, second * step**2
    rise, d0, d1, c0, c1 = value[1:] - value[:-1], d[:-1], d[1:], c[:-1], c[1:]
    a2 = 0.5 * c0
    a3 = 10.0 * rise - 6.0 * d0 - 4.0 * d1 - 1.5 * c0 + 0.5 * c1
    a4 = -15.0 * rise + 8.0 * d0 + 7.0 * d1 + 1.5 * c0 - c1
    a5 = 6.0 * rise - 3.0 * (d0 + d1) - 0.5 * (c0 - c1)
    table = np.stack([value[:-1], d0, a2, a3, a4, a5])
    low, last = float(grid[0]), len(grid) - 2

    def read(w: Floats) -> tuple[Floats, Floats, Floats]:
        place = (w - low) / step
        node = np.clip(place.astype(np.int64), 0, last)
        x = place - node
        k0, k1, k2, k3, k4, k5 = (row[node] for row in table)
        here = k0 + x * (k1 + x * (k2 + x * (k3 + x * (k4 + x * k5))))
        slope = k1 + x * (2.0 * k2 + x * (3.0 * k3 + x * (4.0 * k4 + x * (5.0 * k5))))
        bend = 2.0 * k2 + x * (6.0 * k3 + x * (12.0 * k4 + x * (20.0 * k5)))
        return here, slope / step, bend / step**2

    return read


def survival_terms(w: Floats, shape: Floats) -> tuple[Floats, Floats, Floats]:
    """Return ln S and its first two derivatives by w."""
    log_s = log_survival(w, shape)
    slope, _ = density_slopes(w, shape)
    rate = np.exp(log_density(w, shape) - log_s)
    return log_s, -rate, -rate * (slope + rate)


def density_terms(w: Floats, shape: Floats) -> tuple[Floats, Floats, Floats]:
    """Return ln f and its first two derivatives by w."""
    return (log_density(w, shape), *density_slopes(w, shape))
