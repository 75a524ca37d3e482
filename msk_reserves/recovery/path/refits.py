"""Refits of moves with few exits under random weights of employers, made once with the fit and drawn from later."""

import os
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from math import ceil

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.recovery.laws.fit import FittedFamily, refit
from msk_reserves.recovery.laws.piecewise import PIECEWISE
from msk_reserves.recovery.observations import Observations
from msk_reserves.recovery.path.randomness import keyed_generator
from msk_reserves.recovery.path.transitions import Transition

REFITS = 60
"""Refits under random weights behind the draws of a move, in the proportion of its laws; more draws reuse them in
turn."""

SHAPE_REFITS = 20
"""Most of them of a generalized gamma, whose refits cost some ten times as much."""

REFIT_SEED = 20260101
"""Seed of the weights: what the stays tell is part of the fit, which has no seed of its own."""


def with_refits(moves: Sequence[Transition], executor: Executor | None = None) -> tuple[Transition, ...]:
    """Return the moves, those drawn by refits with the refits of each of their laws.

    Moves that share their laws, as those of a state and of its twin do, share the refits.
    """
    few = {id(one.candidates): one for one in reversed(moves) if one.method == "bootstrap"}
    pool = ThreadPoolExecutor(os.cpu_count() or 1) if executor is None else nullcontext(executor)
    with pool as workers:
        found = dict(zip(few, workers.map(_refits_of, few.values()), strict=True))
    return tuple(replace(one, refits=found[id(one.candidates)]) if one.method == "bootstrap" else one for one in moves)


def _refits_of(move: Transition) -> tuple[Floats, ...]:
    """Refit every law that carries weight, shape (n_refits, n_parameters); none of rates by piece, which are gamma."""
    rng, found = keyed_generator(REFIT_SEED, move.name), []
    for one in move.kept():
        n = min(ceil(REFITS * one.weight), SHAPE_REFITS if "Q" in one.fit.names else REFITS)
        found.append(_refits(move, one.fit, 0 if one.fit.family == PIECEWISE else n, rng))
    return tuple(found)


def _refits(move: Transition, fit: FittedFamily, n: int, rng: np.random.Generator) -> Floats:
    """Refit a law under Exp(1) weights of employers (the Bayesian bootstrap, Rubin 1981); converged refits only."""
    stays = move.data
    _, member = np.unique(move.cluster, return_inverse=True)
    data, place = _distinct(stays)
    found: list[Floats] = []
    for _ in range(n):
        pull = rng.standard_exponential(int(member.max()) + 1)[member]
        weights = np.asarray(np.bincount(place, stays.weights * pull / pull.mean(), len(data)), dtype=np.float64)
        weighted = Observations(data.days, data.exited, data.entry, data.lower, weights, data.design)
        again = refit(fit, weighted, move.names)
        if again.converged:
            found.append(again.theta)
    result = np.array(found).reshape(len(found), len(fit.theta))
    result.flags.writeable = False
    return result


def _distinct(data: Observations) -> tuple[Observations, Integers]:
    """Return the different stays and which of them each stay is: whole days without covariates are few."""
    columns = np.column_stack([data.days, data.exited, data.entry, data.lower, data.design])
    _, first, place = np.unique(columns, axis=0, return_index=True, return_inverse=True)
    different = Observations(
        data.days[first],
        data.exited[first],
        data.entry[first],
        data.lower[first],
        data.weights[first],
        data.design[first],
    )
    return different, np.asarray(place.ravel())
