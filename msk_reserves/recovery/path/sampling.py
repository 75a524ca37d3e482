"""How parameters are drawn: from a normal law, by refits under random weights, or from a gamma posterior."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.recovery.laws.fit import FittedFamily
from msk_reserves.recovery.laws.piecewise import PIECEWISE
from msk_reserves.recovery.laws.spline import is_spline, rising, slopes
from msk_reserves.recovery.laws.tilt import at_level, levels_of
from msk_reserves.recovery.observations import Observations
from msk_reserves.recovery.path.draws import LawDraws, TransitionDraws, collected, placed
from msk_reserves.recovery.path.employers import Carried, EmployerFrailty, FactorDraws, draw_factors
from msk_reserves.recovery.path.randomness import keyed_generator
from msk_reserves.recovery.path.transitions import Transition

CENTRING_STAYS = 32
"""Stays on which draws are held to expect the exits that the estimate expects."""


def draw_moves(
    moves: Sequence[Transition],
    n: int,
    seed: int,
    carried: Mapping[str, Sequence[Carried]] = MappingProxyType({}),
    factors: FactorDraws | None = None,
) -> tuple[TransitionDraws, ...]:
    """Draw `n` parameter vectors of every move, each from a law picked by its weight.

    Moves that share their laws, as those of a state and of its twin do, share the draws. Where employers have factors,
    `carried` holds by name what the moves these multiply carry, as in `_drawn`.
    """
    drawn: dict[tuple[str, int], tuple[Integers, tuple[Floats, ...]]] = {}
    found = []
    for move in moves:
        # Only the very same laws: one of the two moves may have been given others.
        shared = move.name, id(move.candidates)
        if shared not in drawn:
            drawn[shared] = _drawn(move, n, seed, carried.get(move.name, ()))
        law_of_draw, thetas = drawn[shared]
        for part in move.opened():
            laws = tuple(part.law(one.fit, theta) for one, theta in zip(part.kept(), thetas, strict=True))
            found.append(replace(_of_move(part, laws, law_of_draw), factors=factors if part.name in carried else None))
    return tuple(found)


def _drawn(
    transition: Transition, n: int, seed: int, carried: Sequence[Carried]
) -> tuple[Integers, tuple[Floats, ...]]:
    """Return the law of each draw and parameters of every law, shape (n, n_parameters).

    Where employers have factors, `carried` holds what not knowing these adds to the covariance of each law.
    """
    rng = keyed_generator(seed, transition.name)
    kept = transition.kept()
    law_of_draw = _laws(np.array([one.weight for one in kept]), n, rng)
    thetas = []
    for code, one in enumerate(kept):
        theta = np.tile(one.fit.theta, (n, 1))
        mine = np.flatnonzero(law_of_draw == code)
        if len(mine) and carried:
            spread = carried[code].spread
            given = replace(one.fit, covariance=one.fit.covariance - spread)
            values, vectors = np.linalg.eigh(spread)
            root = vectors * np.sqrt(np.maximum(values, 0.0))
            unknown = rng.standard_normal((len(mine), len(spread))) @ root.T
            theta[mine] = _parameters(transition, code, len(mine), given, rng) + unknown
        elif len(mine):
            theta[mine] = _parameters(transition, code, len(mine), one.fit, rng)
        thetas.append(theta)
    return law_of_draw, tuple(thetas)


def draw_employers(frailty: EmployerFrailty, moves: Mapping[str, Transition], n: int, seed: int) -> FactorDraws:
    """Draw the employers' factors given the parameters that `draw_moves` draws with the same seed.

    The hazard of an employer under a draw is taken from its value and slope at the estimates, on the log scale.
    """
    hazard = np.zeros((len(frailty.numbers), n))
    for name, carried in zip(frailty.moves, frailty.carried, strict=True):
        law_of_draw, thetas = _drawn(moves[name], n, seed, carried)
        for code, one in enumerate(moves[name].kept()):
            mine = np.flatnonzero(law_of_draw == code)
            moved = carried[code].gradient @ (thetas[code][mine] - one.fit.theta).T
            level = np.maximum(carried[code].hazard, 1e-12)[:, None]
            hazard[:, mine] += level * np.exp(np.clip(moved / level, -2.0, 2.0))
    return draw_factors(frailty, hazard, keyed_generator(seed, "employers"), seed)


def point_draws(moves: Sequence[Transition]) -> tuple[TransitionDraws, ...]:
    """Return the estimates of the best law of each move (least AIC of those kept) as a single draw."""
    found = []
    for move in moves:
        best = min(move.kept(), key=lambda one: one.fit.aic).fit
        found += [
            _of_move(part, (part.law(best, best.theta[None, :]),), np.zeros(1, dtype=np.int64))
            for part in move.opened()
        ]
    return tuple(found)


def _of_move(transition: Transition, laws: tuple[LawDraws, ...], law_of_draw: Integers) -> TransitionDraws:
    """Put the draws of a move together."""
    return TransitionDraws(
        origin=transition.origin,
        target=transition.target,
        columns=transition.read,
        laws=laws,
        law_of_draw=law_of_draw,
        continues=transition.continues,
        forward=transition.forward,
        factors=transition.factors,
    )


def _laws(weights: Floats, n: int, rng: np.random.Generator) -> Integers:
    """Assign laws to draws, systematically so that shares are as near the weights as n allows, in random order."""
    points = (np.arange(n) + rng.random()) / n
    code = np.searchsorted(np.cumsum(weights), points, side="right")
    return np.asarray(rng.permutation(np.minimum(code, len(weights) - 1)).astype(np.int64))


def _parameters(transition: Transition, code: int, n: int, fit: FittedFamily, rng: np.random.Generator) -> Floats:
    """Draw parameter vectors of the law kept in place `code`, shape (n, n_parameters)."""
    if transition.method == "given":
        return np.tile(fit.theta, (n, 1))
    if transition.method == "gamma" and fit.family != PIECEWISE:
        shape, rate = transition.prior
        return -np.log(np.maximum(rng.gamma(shape, 1.0 / rate, size=(n, 1)), 1e-300))
    if fit.family == PIECEWISE:
        return _centred_by_mark(transition, fit, _piecewise_parameters(fit, n, rng))
    if transition.refits and len(transition.refits[code]):
        refits = _centred_by_mark(transition, fit, transition.refits[code][:n])
        return refits[np.arange(n) % len(refits)]
    root = np.linalg.cholesky(fit.covariance)
    theta = np.asarray(fit.theta + rng.standard_normal((n, len(fit.theta))) @ root.T)
    theta = _rising(fit, theta, transition.data) if is_spline(fit.family) else theta
    return _centred_by_mark(transition, fit, theta)


def _rising(fit: FittedFamily, theta: Floats, data: Observations) -> Floats:
    """Return draws of a spline brought toward the estimate until they rise at every level that the stays have."""
    size, log_knots = len(fit.cuts), np.log(fit.cuts)
    if not fit.tilt:
        theta[:, :size] = rising(theta[:, :size], fit.theta[:size], log_knots)
        return theta
    levels = [level for level, _ in levels_of(fit, data.design)]
    for _ in range(60):
        curves = [at_level(fit, theta, level)[:, :size] for level in levels]
        falls = np.any([(slopes(curve, log_knots) <= 0).any(axis=1) for curve in curves], axis=0)
        if not falls.any():
            break
        theta[falls] = 0.5 * (theta[falls] + fit.theta)
    return theta


def _centred_by_mark(transition: Transition, fit: FittedFamily, theta: Floats) -> Floats:
    """Return draws centred for a state by their level, and then for its twin by the effect of the mark."""
    data, days = transition.data, transition.fading.kind == "by doubling"
    if transition.mark is None:
        return centred(fit, theta, data, days=days)
    marked = data.design[:, 0] == 1.0
    theta = centred(fit, theta, data.of(~marked), days=days)
    return centred(fit, theta, data.of(marked), by_mark=True, days=days)


def centred(
    fit: FittedFamily, theta: Floats, data: Observations, *, by_mark: bool = False, days: bool = False
) -> Floats:
    """Return draws moved by one number, so that on average they expect what the estimate expects of the data.

    Hazards are exponentials of what is drawn, so that draws around an estimate expect more exits than it does: about
    half an exit more for every covariate. Parameter uncertainty is to widen a forecast, not to move it. The number is
    added to log hazards, or to the location of ln days. Of most moves a forecast counts how many there are; of returns
    to work it counts the days until they come, which go with one over the hazard.

    Parameters
    ----------
    fit : FittedFamily
        The law fitted.
    theta : numpy.ndarray, shape (n_draws, n_parameters)
        Draws about its estimate.
    data : Observations
        The stays it was fitted to; some of them tell enough, taken in proportion to the exits expected of each.
    by_mark : bool
        Whether the first covariate, 1 for all these stays, is moved in place of the level.
    days : bool
        Whether the mean of one over the hazard is held, not that of the hazard.

    Returns
    -------
    numpy.ndarray, shape (n_draws, n_parameters)
    """
    alone = _collected(fit, fit.theta[None, :], data)[:, 0]
    reached = np.cumsum(data.weights * alone)
    even = (np.arange(CENTRING_STAYS) + 0.5) / CENTRING_STAYS
    picked = np.searchsorted(reached, even * reached[-1])
    few = Observations(*(getattr(data, name)[picked] for name in Observations.__slots__))
    place, step = _level(fit, by_mark=by_mark)
    moved = 0.0
    # A factor on the hazard is exact at once, a location of ln days is not.
    for _ in range(1 if step == 1.0 else 2):
        ratio = (_collected(fit, theta + moved * place, few) / alone[picked, None]).mean(axis=0)
        moved -= step * float(-np.log((1.0 / ratio).mean()) if days else np.log(ratio.mean()))
    return np.asarray(theta + moved * place)


def _level(fit: FittedFamily, *, by_mark: bool) -> tuple[Floats, float]:
    """Return which parameters one number moves, and by how much for a hazard e times as high."""
    place = np.zeros(len(fit.theta))
    pieces = fit.family == PIECEWISE
    before = len(fit.cuts) + 1 if pieces else len(fit.cuts) if is_spline(fit.family) else 1
    if by_mark:
        place[before] = 1.0
    else:
        place[: before if pieces else 1] = 1.0
    return place, 1.0 if pieces or is_spline(fit.family) else -fit.scale


def _collected(fit: FittedFamily, theta: Floats, data: Observations) -> Floats:
    """Return the hazard each stay collects while it is watched under each draw, shape (n_stays, n_draws)."""
    parts, every = placed(fit, theta, data.design), np.ones(len(data), dtype=np.bool_)
    hazard, late = collected(parts, data.days, every), data.entry > 0
    if late.any():
        hazard[late] -= collected(parts, data.entry, late)
    return hazard


def _piecewise_parameters(fit: FittedFamily, n: int, rng: np.random.Generator) -> Floats:
    """Draw piecewise rates, shape (n, n_parameters): covariate effects normal, the rates given them gamma.

    Given the effects the rates of a Poisson likelihood are independent gamma (their conjugate law), each with the
    fitted mean; a normal law for ln rates would overstate the mean of a rate that rests on few exits.
    """
    pieces = len(fit.cuts) + 1
    effects = fit.covariance[pieces:, pieces:]
    root = np.linalg.cholesky(effects) if len(effects) else effects
    moved = rng.standard_normal((n, len(effects))) @ root.T
    cross = fit.covariance[:pieces, pieces:]
    slope = np.linalg.solve(effects, cross.T).T if len(effects) else cross
    shape = 1.0 / np.maximum(np.diag(fit.covariance[:pieces, :pieces] - slope @ cross.T), 1e-12)
    noise = np.log(np.maximum(rng.gamma(shape, size=(n, pieces)), 1e-300) / shape)
    return np.hstack([fit.theta[:pieces] + moved @ slope.T + noise, fit.theta[pieces:] + moved])
