"""A block's claims made ready for the inner loop, and the loop run."""

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.episodes.arrays import Claims, Sums
from msk_reserves.episodes.kernel import walk_block
from msk_reserves.episodes.plan import Plan
from msk_reserves.episodes.states import PATH_STATES
from msk_reserves.recovery.draws import TransitionDraws


def walk(plan: Plan) -> Sums:
    """Simulate every future of a block's claims and add up what happens along it.

    Parameters
    ----------
    plan : the block's part of the forecast.

    Returns
    -------
    Sums
        Days and expected payments, shape (n_claims, n_scenarios) by component and scope.
    """
    shape = (plan.n_claims, plan.scenarios)
    n_parts, n_scopes = len(plan.components), len(plan.scopes)
    sums = Sums(
        expected=np.zeros((n_parts, *shape)),
        scoped=np.zeros((n_scopes, n_parts, *shape)),
        scoped_days_off=np.zeros((n_scopes, *shape)),
        days_off=np.zeros(shape),
        days_to_leave=np.zeros(shape),
        day_back=np.full(shape, np.inf),
    )
    walk_block(PATH_STATES, plan.laws, _claims(plan), plan.money, sums, plan.per_draw, plan.horizon_days)
    return sums


def _claims(plan: Plan) -> Claims:
    """Work out where each claim stands in the hazards of its own exits, once a claim and draw."""
    n_most = int((plan.laws.last - plan.laws.first).max(initial=0))
    so_far = np.zeros((n_most, plan.n_claims, plan.n_draws))
    stays = np.ones_like(so_far)
    for place, exit_ in enumerate(plan.exits):
        origin = int(np.searchsorted(plan.laws.last, place, side="right"))
        mine = np.flatnonzero(plan.state == origin)
        if not len(mine):
            continue
        own = place - plan.laws.first[origin]
        location = exit_.location(plan.design[mine])
        so_far[own, mine] = _collected(exit_, plan.days_in_state[mine], location)
        by_horizon = _collected(exit_, plan.days_in_state[mine] + plan.horizon_days, location)
        stays[own, mine] = np.exp(so_far[own, mine] - by_horizon)
    return Claims(
        keys=plan.keys,
        state=plan.state.astype(np.int64),
        began=plan.days_in_state,
        days_off=plan.days_off,
        days_off_before=plan.days_off_before,
        operated=plan.operated,
        window_open=plan.window_open,
        triggered=plan.takeover.days_since_trigger,
        design=plan.design,
        location=np.empty(len(plan.exits)),
        so_far=so_far,
        stays=stays,
    )


def _collected(exit_: TransitionDraws, days: Floats, location: Floats) -> Floats:
    """Return the hazard collected after so many days by each claim in each draw, shape (n_claims, n_draws)."""
    n_claims, n_draws = location.shape
    draw = np.tile(np.arange(n_draws), n_claims)
    hazard = exit_.cumulative_hazard(np.repeat(days, n_draws), location.ravel(), draw)
    return hazard.reshape(n_claims, n_draws)
