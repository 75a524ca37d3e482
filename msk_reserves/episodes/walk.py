"""A block's claims made ready for the inner loop, and the loop run."""

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.episodes.arrays import Claims, Room, Sums
from msk_reserves.episodes.kernel import walk_block
from msk_reserves.episodes.plan import Plan
from msk_reserves.episodes.states import PATH_STATES


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
    room = room_for(plan)
    walk_block(PATH_STATES, plan.laws, claims_of(plan), plan.money, room, sums, plan.per_draw, plan.horizon_days)
    return sums


def claims_of(plan: Plan) -> Claims:
    """Return a block's claims as the inner loops read them."""
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
        log_factor=_log_factor(plan),
    )


def _log_factor(plan: Plan) -> Floats:
    """Return the log factor of each claim's employer on the exits that share one, shape (n_claims, n_draws)."""
    for exit_ in plan.exits:
        if exit_.factors is not None:
            return exit_.factors.of(plan.design)
    return np.zeros((plan.n_claims, plan.n_draws))


def room_for(plan: Plan) -> Room:
    """Return room for what an inner loop keeps of one future; no two loops may share it."""
    by_exit, by_growth = len(plan.laws.target), len(plan.money.growths)
    sizes = dict.fromkeys(("location", "stays", "first_location", "so_far", "first_stays"), by_exit)
    sizes |= dict.fromkeys(("before", "paid"), len(plan.components))
    arrays = {name: np.zeros(sizes.get(name, by_growth)) for name in Room._fields if name != "located"}
    return Room(located=np.zeros(len(plan.laws.first), dtype=np.bool_), **arrays)
