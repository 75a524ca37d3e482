"""A block's claims made ready for the inner loop, and the loop run."""

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.episodes.arrays import Claims, Laws, Room, Sums
from msk_reserves.episodes.kernel import walk_block
from msk_reserves.episodes.plan import Plan
from msk_reserves.episodes.randomness import Keys
from msk_reserves.episodes.states import PATH_STATES
from msk_reserves.recovery.path.draws import TransitionDraws


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
    clocks = plan.days_in_state, plan.days_since_start
    claims = claims_where(plan.keys, plan.state, clocks, plan.design, plan.exits)._replace(
        days_off=plan.days_off,
        days_off_before=plan.days_off_before,
        operated=plan.operated,
        relapsed=plan.relapsed,
        window_open=plan.window_open,
        triggered=plan.takeover.days_since_trigger,
    )
    room = room_of(plan.laws, n_growths=len(plan.money.growths), n_components=n_parts)
    walk_block(PATH_STATES, plan.laws, claims, plan.money, room, sums, plan.per_draw, plan.horizon_days)
    return sums


def claims_where(
    keys: Keys,
    state: Integers,
    clocks: tuple[Floats, Floats],
    design: Floats,
    moves: tuple[TransitionDraws, ...],
) -> Claims:
    """Return claims as the inner loops read them, with no days off and no bundle so far.

    The clocks are the days in the state, and those since the claim's path began.
    """
    none, no = np.zeros(len(keys)), np.zeros(len(keys), dtype=np.bool_)
    return Claims(
        keys=keys,
        state=state.astype(np.int64),
        began=np.asarray(clocks[0], dtype=np.float64),
        since_start=np.asarray(clocks[1], dtype=np.float64),
        days_off=none,
        days_off_before=none,
        operated=no,
        relapsed=no,
        window_open=no,
        triggered=none,
        design=design,
        log_factor=_log_factor(design, moves),
    )


def _log_factor(design: Floats, moves: tuple[TransitionDraws, ...]) -> Floats:
    """Return the log factor of each claim's employer on the exits that share one, shape (n_claims, n_draws)."""
    for move in moves:
        if move.factors is not None:
            return move.factors.of(design)
    return np.zeros((len(design), max((len(move.law_of_draw) for move in moves), default=0)))


def room_of(laws: Laws, *, n_growths: int, n_components: int) -> Room:
    """Return room for what an inner loop keeps of one future; no two loops may share it."""
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("location", "so_far", "stays"), (2, len(laws.target)))
    shapes |= dict.fromkeys(("before", "paid"), (n_components,))
    columns = {name: np.zeros(shapes.get(name, (n_growths,))) for name in Room._fields if name != "located"}
    return Room(located=np.zeros((2, len(laws.first)), dtype=np.bool_), **columns)
