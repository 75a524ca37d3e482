"""Where Newton starts, and from how many places: least squares, nested laws, and a part of a large file first."""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from scipy import special

from msk_reserves._checks import Floats
from msk_reserves.recovery.laws.families import GENERALIZED_GAMMA, LOGNORMAL, WEIBULL, Family
from msk_reserves.recovery.laws.likelihood import OPEN, Rows, evaluate, thinned, value_only
from msk_reserves.recovery.laws.newton import Optimum, maximise
from msk_reserves.recovery.laws.products import crossed, linear, summed

SHAPE_STARTS = (-1.0, -0.5, 0.01, 0.5, 1.0)
"""Starts of Q for the generalized gamma: 0.01 and 1 begin at the lognormal and Weibull optima, the others compete."""

THINNED_FROM = 10_000
"""Stays from which the start is sought on a part of them."""

SUBSAMPLE = 2_000
"""Most exits, and most stays still running, of that part, about; each stands for those left out by its weight."""

CURE_SUBSAMPLE = 5_000
"""The same for a mixture cure, whose summits a smaller part may confuse."""

FLATS_BELOW = 1_000
"""Stays below which the generalized gamma climbs from every start, its surface having several summits."""

START_GAIN = 1e-2
"""Log-likelihood the last step of a start's climb may promise: a start need not be exact."""

LAST_GAIN = 1e-3
"""The same of a climb from a start near the maximum: what is left to gain is of the order of its square."""

SAME_END = 1.0
"""Difference of log-likelihoods within which two climbs that found no maximum count as ended in one place."""

NONE_KNOWN: Mapping[str, Floats] = MappingProxyType({})

_LIMITS = {"location": 2000.0, "log_scale": 3.0, "shape": 8.0, "logit_cured": 15.0}
_SPREADS = (1.0, 0.3, 3.0, 0.1)


def _bounds(family: Family, rows: Rows, size: int, *, cured: bool) -> Floats:
    """Return the size beyond which a parameter counts as having run off, shape (n_parameters,)."""
    bounds = np.full(size, _LIMITS["location"])
    place = len(rows.location)
    if family.free_scale:
        bounds[place] = _LIMITS["log_scale"]
        place += len(rows.log_scale)
    if cured or family.free_shape:
        bounds[place] = _LIMITS["logit_cured" if cured else "shape"]
    return bounds


def _ran_off(family: Family, rows: Rows, best: Optimum, *, cured: bool) -> bool:
    """Say whether a climb left the range of its parameters, as where the likelihood rises for ever."""
    return bool((np.abs(best.theta) > _bounds(family, rows, len(best.theta), cured=cured)).any())


def climb(family: Family, rows: Rows, start: Floats, *, cured: bool = False, last: float = 0.0) -> Optimum:
    """Run Newton for a law from one start; `last` as in `maximise`."""
    best = maximise(
        lambda theta: evaluate(family, rows, theta, cured=cured),
        lambda theta: value_only(family, rows, theta, cured=cured),
        start,
        _bounds(family, rows, len(start), cured=cured),
        last=last,
    )
    if cured and not best.converged and best.theta[-len(rows.third)] < -_LIMITS["logit_cured"]:
        return replace(best, reason="the share that never ends goes to zero")
    return best


def search(
    family: Family, rows: Rows, cured_share: float | None = None, nested: Mapping[str, Floats] = NONE_KNOWN
) -> Optimum:
    """Find a start, on a part of a large file, and climb from it.

    Parameters
    ----------
    family : Family
        The law; of the stays that end, with `cured_share`.
    rows : Rows
        The stays.
    cured_share : float, optional
        A first guess at the share that never ends, for a mixture cure.
    nested : mapping, optional
        Parameters of laws nested in a generalized gamma, by name, where they have been fitted to the same stays.

    Returns
    -------
    Optimum
        The generalized gamma's is never below its nested laws': it starts from them.
    """
    if len(rows.weights) >= THINNED_FROM:
        cured = cured_share is not None
        some = thinned(rows, CURE_SUBSAMPLE if cured else SUBSAMPLE)
        start = _searched(family, some, cured_share, nested, last=START_GAIN)
        if start.converged or cured:
            best = climb(family, rows, start.theta, cured=cured, last=LAST_GAIN)
            if best.converged or cured or _ran_off(family, rows, best, cured=cured):
                return best
    return _searched(family, rows, cured_share, nested)


def _searched(
    family: Family,
    rows: Rows,
    cured_share: float | None = None,
    nested: Mapping[str, Floats] = NONE_KNOWN,
    *,
    last: float = 0.0,
) -> Optimum:
    """Climb from each start in turn: with truncation the surface has flats, and a bad end is not the answer."""
    if family.free_shape:
        return _search_shape(rows, nested, last)
    base, spread = _least_squares(rows)
    cured = cured_share is not None
    shares = () if cured_share is None else (min(max(cured_share, 0.05), 0.9), 0.5)
    found: list[Optimum] = []
    for factor in _SPREADS:
        law = np.zeros(len(base) + len(rows.log_scale) * family.free_scale)
        law[: len(base)] = base
        if family.free_scale:
            law[len(base)] = np.log(spread * factor)
        logits = [np.append(special.logit(share), np.zeros(len(rows.third) - 1)) for share in shares]
        starts = [np.concatenate([law, logit]) for logit in logits or [np.zeros(0)]]
        found += [climb(family, rows, start, cured=cured, last=last) for start in starts]
        # A mixture may have two summits, so that it is climbed from two spreads.
        if any(one.converged for one in found) and (not cured or factor != _SPREADS[0]):
            break
        if factor != _SPREADS[0] and _end_alike(found):
            break
    return max(found, key=lambda one: (one.converged, one.loglik))


def _end_alike(found: list[Optimum]) -> bool:
    """Say whether two climbs, neither to a maximum, came as high as each other: a third would not find one either."""
    first, second = sorted((one.loglik for one in found), reverse=True)[:2]
    return not any(one.converged for one in found) and first - second < SAME_END


def _least_squares(rows: Rows) -> tuple[Floats, float]:
    """Return coefficients and residual spread of ln days on the covariates, among exits (all stays if too few)."""
    ended = np.zeros(len(rows.weights), dtype=bool)
    for kind, _, first, last in rows.blocks:
        ended[first:last] = kind != OPEN
    use = ended & (rows.weights > 0)
    if use.sum() <= len(rows.location) + 1:
        use = rows.weights > 0
    root = np.sqrt(rows.weights[use])
    x, y = rows.location[:, use] * root, rows.log_days[use] * root
    coefficients = np.asarray(np.linalg.lstsq(crossed(x, x), summed(x, y), rcond=None)[0])
    residual = y - linear(coefficients, x)
    spread = float(np.sqrt((residual**2).sum() / max((root**2).sum(), 1e-12)))
    return coefficients, max(spread, 0.05)


def _search_shape(rows: Rows, nested: Mapping[str, Floats], last: float) -> Optimum:
    """Fit the generalized gamma from its nested laws and from several Q."""
    inner = {
        q: climb(law, rows, nested[law.name], last=last) if law.name in nested else _searched(law, rows, last=last)
        for q, law in ((1.0, WEIBULL), (0.01, LOGNORMAL))
    }
    floor = max(one.loglik for one in inner.values())
    better = max(inner.values(), key=lambda one: one.loglik).theta
    others = [np.append(better, q) for q in SHAPE_STARTS if q not in inner]
    highest = max(others, key=lambda start: value_only(GENERALIZED_GAMMA, rows, start))
    starts = [*(np.append(one.theta, q) for q, one in inner.items()), highest]
    starts.sort(key=lambda start: -value_only(GENERALIZED_GAMMA, rows, start))
    tried: list[Optimum] = []
    for start in starts:
        tried.append(climb(GENERALIZED_GAMMA, rows, start, last=last))
        # With many stays the surface has one summit, and the best start leads there, or off where it rises for ever.
        ended = tried[-1].converged or _ran_off(GENERALIZED_GAMMA, rows, tried[-1], cured=False)
        if ended and len(rows.weights) >= FLATS_BELOW and tried[-1].loglik >= floor:
            return tried[-1]
    return max(tried, key=lambda one: (one.converged, one.loglik))
