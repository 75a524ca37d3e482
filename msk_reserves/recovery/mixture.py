"""Hazards of a move averaged over its laws, given survival to an age."""

from collections.abc import Sequence

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.recovery.draws import TransitionDraws, law_draws
from msk_reserves.recovery.transitions import Transition

GRID_NODES = 240


def grid_to(horizon: float) -> Floats:
    """Return days from 0 to `horizon`, dense near 0 where hazards change fastest; shape (n_nodes,)."""
    return np.asarray(horizon * np.linspace(0.0, 1.0, GRID_NODES) ** 3)


def all_exits(moves: Sequence[Transition], design: Floats, age: Floats, ahead: Floats) -> Floats:
    """Return -ln of the probability of escaping each move for `ahead` more days, given none by `age`.

    Parameters
    ----------
    moves : sequence of Transition
        Moves out of one state.
    design : numpy.ndarray, shape (n_claims, n_columns)
        The book's design.
    age : numpy.ndarray, shape (n_claims,)
        Days in the state so far.
    ahead : numpy.ndarray, shape (1, n_nodes) or (n_claims, n_nodes)
        Further days.

    Returns
    -------
    numpy.ndarray, shape (n_moves, n_claims, n_nodes)
        -ln of the sum over laws of weight x S(age + ahead) / S(age): what draws that pick a law by its weight give.
    """
    until = age[:, None] + ahead
    result = np.zeros((len(moves), *until.shape))
    for row, move in enumerate(moves):
        escaped = np.zeros(until.shape)
        for one in move.kept():
            law = law_draws(one.fit.family, one.fit.theta[None, :], one.fit.cuts)
            alone = TransitionDraws(move.origin, move.target, move.columns, (law,), np.zeros(1, dtype=np.int64))
            location = alone.location(design)[:, 0]
            spread = np.repeat(location, until.shape[1])
            draw = np.zeros(until.size, dtype=np.int64)
            later = alone.cumulative_hazard(until.ravel(), spread, draw).reshape(until.shape)
            now = alone.cumulative_hazard(age, location, np.zeros(len(age), dtype=np.int64))
            escaped += one.weight * np.exp(-(later - now[:, None]))
        with np.errstate(divide="ignore"):
            # A state escaped with probability zero to machine precision; a finite number keeps differences finite.
            result[row] = np.minimum(-np.log(escaped), 745.0)
    return result
