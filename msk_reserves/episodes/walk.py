"""A block's claims made ready for the inner loop, and the loop run."""

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.episodes.arrays import DAY_BACK, DAYS_OFF, DAYS_TO_LEAVE, Claims, Laws, Room, Sums
from msk_reserves.episodes.kernel import walk_block
from msk_reserves.episodes.money import worth
from msk_reserves.episodes.plan import Plan
from msk_reserves.episodes.randomness import Keys
from msk_reserves.episodes.states import PATH_STATES
from msk_reserves.recovery.path.draws import TransitionDraws
from msk_reserves.recovery.path.entry import ENTRY_WEEKS

ENTRIES = 1 + len(ENTRY_WEEKS)
"""Rows of `Room`: the present stay, and stays that begin, by how late they do."""


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
    n_parts, n_scopes = len(plan.components), len(plan.scopes)
    sums = _sums(np.empty((_width(n_parts, n_scopes), plan.n_claims, plan.scenarios)), n_parts, n_scopes)
    clocks, (level, so_far, rise) = (plan.days_in_state, plan.days_since_start), _prices(plan)
    claims = claims_where(plan.keys, plan.state, clocks, plan.design, plan.exits)._replace(
        days_off=plan.days_off,
        operated=plan.operated,
        relapsed=plan.relapsed,
        band_days=plan.band_days,
        band_last=plan.band_last,
        window_open=plan.window_open,
        triggered=plan.takeover.days_since_trigger,
        level=level,
        worth=so_far,
        rise=rise,
    )
    sizes = {"n_growths": len(plan.money.growths), "n_components": n_parts, "n_scopes": n_scopes}
    room = room_of(plan.laws, n_futures=plan.per_draw, **sizes)
    walk_block(PATH_STATES, plan.laws, claims, plan.money, room, sums.values, plan.per_draw, plan.horizon_days)
    return sums


def _prices(plan: Plan) -> tuple[Floats, Floats, Floats]:
    """Return `level`, `worth` and `rise` of each claim: price levels are 1 on the valuation date."""
    growths, began = plan.money.growths, plan.days_in_state
    columns = [worth(began, growth) for growth in growths]
    rise = np.exp(began[:, None] * growths)
    return 1.0 / rise, np.array(columns).reshape(-1, len(began)).T.copy(), rise


def _width(n_components: int, n_scopes: int) -> int:
    """Return how many numbers are added up along a future."""
    return n_components * (1 + n_scopes) + n_scopes + 3


def _sums(values: Floats, n_components: int, n_scopes: int) -> Sums:
    """Name the parts of what is added up along futures, which lie one after the other in the first axis."""
    expected, scoped, scoped_days, days = np.split(
        values, np.cumsum([n_components, n_components * n_scopes, n_scopes]).tolist()
    )
    scoped = scoped.reshape(n_scopes, n_components, *values.shape[1:])
    return Sums(values, expected, scoped, scoped_days, days[DAYS_OFF], days[DAYS_TO_LEAVE], days[DAY_BACK])


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
    no_prices = np.zeros((len(keys), 0))
    filled = np.count_nonzero(design, axis=1)
    # Stable: claims add up their columns in the order of the design, whatever the others of the block have.
    columns = np.argsort(design == 0.0, axis=1, kind="stable")[:, : max(filled, default=0)]
    return Claims(
        keys=keys,
        state=state.astype(np.uint8),
        began=np.asarray(clocks[0], dtype=np.float64),
        since_start=np.asarray(clocks[1], dtype=np.float64),
        days_off=none,
        operated=no,
        relapsed=no,
        band_days=none,
        band_last=no,
        window_open=no,
        triggered=none,
        design=design,
        columns=columns.astype(np.uint16),
        filled=filled,
        level=no_prices,
        worth=no_prices,
        rise=no_prices,
        log_factor=_log_factor(design, moves),
    )


def _log_factor(design: Floats, moves: tuple[TransitionDraws, ...]) -> Floats:
    """Return the log factor of each claim's employer on the exits that share one, shape (n_claims, n_draws)."""
    for move in moves:
        if move.factors is not None:
            return move.factors.of(design)
    return np.zeros((len(design), max((len(move.law_of_draw) for move in moves), default=0)))


def room_of(laws: Laws, *, n_growths: int = 0, n_components: int = 0, n_scopes: int = 0, n_futures: int = 0) -> Room:
    """Return room for what an inner loop keeps of one future, and of those of a draw; no two loops may share it."""
    total = np.zeros(_width(n_components, n_scopes))
    parts = _sums(total, n_components, n_scopes)
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(("location", "so_far", "stays"), (ENTRIES, len(laws.target)))
    shapes |= dict.fromkeys(("before", "paid"), (n_components,))
    others = "located", "leaving", "followed"
    columns = {name: np.zeros(shapes.get(name, (n_growths,))) for name in Room._fields if name not in others}
    columns |= {"total": total, "expected": parts.expected, "scoped": parts.scoped}
    columns |= {"scoped_days_off": parts.scoped_days_off, "days": total[-3:]}
    return Room(
        located=np.zeros((ENTRIES, len(laws.first)), dtype=np.bool_),
        leaving=np.zeros(n_futures, dtype=np.int64),
        followed=np.zeros(n_futures, dtype=np.int64),
        **columns,
    )
