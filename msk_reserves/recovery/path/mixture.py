"""Hazards of a move averaged over its laws, given survival to an age."""

from collections.abc import Sequence

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.recovery.path.draws import TransitionDraws
from msk_reserves.recovery.path.selection import LONG_RUN, Candidate
from msk_reserves.recovery.path.transitions import AtRisk, Transition

GRID_NODES = 240


def grid_to(horizon: float) -> Floats:
    """Return days from 0 to `horizon`, dense near 0 where hazards change fastest; shape (n_nodes,)."""
    return np.asarray(horizon * np.linspace(0.0, 1.0, GRID_NODES) ** 3)


def all_exits(moves: Sequence[Transition], design: Floats, clocks: tuple[Floats, Floats], ahead: Floats) -> Floats:
    """Return -ln of the probability of escaping each move for `ahead` more days, given none so far.

    Parameters
    ----------
    moves : sequence of Transition
        Moves out of one state.
    design : numpy.ndarray, shape (n_claims, n_columns)
        The book's design.
    clocks : tuple of numpy.ndarray, shape (n_claims,)
        Days in the state so far, and days since the claim's path began, on which forward moves run.
    ahead : numpy.ndarray, shape (1, n_nodes) or (n_claims, n_nodes)
        Further days.

    Returns
    -------
    numpy.ndarray, shape (n_moves, n_claims, n_nodes)
        -ln of the sum over laws of weight x S(age + ahead) / S(age), the age being the move's clock: what draws that
        pick a law by its weight give.
    """
    result = np.zeros((len(moves), *(clocks[0][:, None] + ahead).shape))
    for row, move in enumerate(moves):
        age = clocks[1] if move.forward else clocks[0]
        until = age[:, None] + ahead
        escaped = np.zeros(until.shape)
        for one in move.kept():
            # A claim belongs to one part of the move; the others collect nothing.
            escaped += one.weight * np.exp(-sum(_part(part, one, design, age, until) for part in move.opened()))
        with np.errstate(divide="ignore"):
            # A state escaped with probability zero to machine precision; a finite number keeps differences finite.
            result[row] = np.minimum(-np.log(escaped), 745.0)
    return result


def _part(move: Transition, one: Candidate, design: Floats, age: Floats, until: Floats) -> Floats:
    """Return the hazard that one law of a move collects from each claim's age on, shape of `until`."""
    law = move.law(one.fit, one.fit.theta[None, :])
    alone = TransitionDraws(
        move.origin, move.target, move.read, (law,), np.zeros(1, dtype=np.int64), factors=move.factors
    )
    location = alone.location(design)[:, 0]
    spread = np.repeat(location, until.shape[1])
    later = alone.cumulative_hazard(until.ravel(), spread, np.zeros(until.size, dtype=np.int64)).reshape(until.shape)
    return np.asarray(later - alone.cumulative_hazard(age, location, np.zeros(len(age), dtype=np.int64))[:, None])


def present_stay(
    fitted: Sequence[Transition], state: str, design: Floats, clocks: tuple[Floats, Floats], ahead: Floats
) -> tuple[Floats, dict[str, Floats]]:
    """Return the probability of staying on, moves to a twin not being ends of a stay, and of having left by each move.

    Parameters
    ----------
    fitted : sequence of Transition
        Every move of the recovery.
    state : str
        The state held.
    design : numpy.ndarray, shape (n_claims, n_columns)
        The design.
    clocks : tuple of numpy.ndarray, shape (n_claims,)
        Days in the state so far, and days since the claim's path began.
    ahead : numpy.ndarray, shape (n_nodes,)
        Further days, ascending from 0, near enough for hazards to change little between them.

    Returns
    -------
    tuple of numpy.ndarray, shape (n_claims, n_nodes), and dict of the same
        The probability of the state or its twin, and by name of the state moved to the probability of having left.

    Notes
    -----
    With the twin, P(t) = S(t) + integral of S(v) a(v) S'(t) / S'(v) dv, a the hazard of the move to the twin and S' the
    survival there; that move is taken at the middle of the hazard between two nodes.
    """
    own, n = [one for one in fitted if one.origin == state], len(design)
    lost, left = _between_nodes(own, design, clocks, ahead)
    held, gone = np.ones(n), np.zeros((len(own), n, len(ahead)))
    staying = np.ones((n, len(ahead)))
    onward = [row for row, one in enumerate(own) if one.continues]
    after = [one for one in fitted if onward and one.origin == own[onward[0]].target]
    lost_there, left_there = _between_nodes(after, design, clocks, ahead)
    there, gone_there = np.zeros(n), np.zeros((len(after), n, len(ahead)))
    for node in range(1, len(ahead)):
        step = held * -np.expm1(-lost[:, node - 1])
        gone[:, :, node] = gone[:, :, node - 1] + step * left[:, :, node - 1]
        come = (step * left[onward, :, node - 1]).sum(axis=0)
        remain = np.exp(-0.5 * lost_there[:, node - 1])
        kept = (there * remain + come) * remain
        gone_there[:, :, node] = gone_there[:, :, node - 1] + (there + come - kept) * left_there[:, :, node - 1]
        held, there = held - step, kept
        staying[:, node] = held + there
    by_move: dict[str, Floats] = {}
    for one, probability in (*zip(own, gone, strict=True), *zip(after, gone_there, strict=True)):
        if not one.continues:
            by_move[one.target] = by_move.get(one.target, 0.0) + probability
    return staying, by_move


def _between_nodes(
    moves: Sequence[Transition], design: Floats, clocks: tuple[Floats, Floats], ahead: Floats
) -> tuple[Floats, Floats]:
    """Return the hazard of all moves between nodes, shape (n_claims, n_nodes - 1), and the share of each in it."""
    steps = np.diff(all_exits(moves, design, clocks, ahead[None, :]), axis=2)
    total = steps.sum(axis=0)
    return total, steps / np.where(total > 0, total, 1.0)


def share_beyond(fitted: Sequence[Transition], group: AtRisk, design: Floats) -> float:
    """Return the share of the mean stay, to ten years, beyond the longest stay seen.

    Covariates (`design` has a row a stay), how late stays began among them, are at their average, and so are the days
    from the start of the path to the stay.
    """
    middle = design.mean(axis=0, keepdims=True)
    clocks = np.zeros(1), np.array([np.average(group.since, weights=group.weight)])
    longest = min(float(group.days.max()), LONG_RUN)
    ages = np.unique(np.concatenate([grid_to(LONG_RUN), [longest]]))
    survival = present_stay(fitted, group.state, middle, clocks, ages)[0][0]
    areas = 0.5 * (survival[1:] + survival[:-1]) * np.diff(ages)
    return float(areas[ages[1:] > longest].sum() / areas.sum())
