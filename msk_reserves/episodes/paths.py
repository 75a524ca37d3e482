"""Paths from the valuation date to the horizon, drawn stay by stay for a block of claims."""

from dataclasses import dataclass, fields

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.vocabulary import STATE_CODE, STATES
from msk_reserves.episodes.plan import Plan
from msk_reserves.episodes.randomness import exponentials
from msk_reserves.episodes.sums import BACK, IN_WINDOW, OFF_WORK, Stay, Sums
from msk_reserves.recovery.draws import TransitionDraws

MOST_STAYS = 25
"""A path of more moves than this stays where it is (methods: a bound that real paths never reach)."""

AFTER_SURGERY = STATE_CODE["after_surgery"]


@dataclass(frozen=True, slots=True, eq=False)
class Walkers:
    """Futures that have just entered a state; every array has one element a future.

    Attributes
    ----------
    element : index into the block's sums.
    state : code of the state entered.
    time : days from the valuation.
    days_off : days off work on the claim so far, before and after the valuation.
    operated : whether an operation has taken place.
    window_open : whether the episode until return or MMI is still running.
    still_off : whether the worker has not left being off work since the valuation.
    """

    element: Integers
    state: Integers
    time: Floats
    days_off: Floats
    operated: Booleans
    window_open: Booleans
    still_off: Booleans

    def __len__(self) -> int:
        return len(self.element)

    def of_state(self, state: int) -> "Walkers":
        """Return the futures in one state."""
        rows = np.flatnonzero(self.state == state)
        return Walkers(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


class Block:
    """Some claims of a plan, and the look-ups from their futures to their parameters."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.draw_of_scenario = plan.draw_of_scenario
        self.locations: dict[tuple[str, str], Floats] = {}

    def location(self, state: str, exit_: TransitionDraws) -> Floats:
        """Return the predictor of one transition, shape (n_claims of the block, n_draws)."""
        key = (state, exit_.target)
        if key not in self.locations:
            self.locations[key] = exit_.location(self.plan.design)
        return self.locations[key]

    def hazard_drawn(self, claim: Integers, scenario: Integers, step: int, target: str) -> Floats:
        """Return the exponential number that one transition of one step of each future waits for."""
        keys = self.plan.keys[claim]
        return exponentials(keys, scenario.astype(np.uint64), step * len(STATES) + STATE_CODE[target])


def walk(plan: Plan) -> Sums:
    """Simulate every future of a block's claims and add up what happens along it.

    Parameters
    ----------
    plan : the block's part of the forecast, its claims in the order of their states.

    Returns
    -------
    Sums
        Days and expected payments, one element a future.
    """
    block = Block(plan)
    sums = Sums(plan, plan.n_claims)
    states, first = np.unique(plan.state, return_index=True)
    last = np.append(first[1:], plan.n_claims)
    moved = [_first_stays(block, sums, range(a, b), int(s)) for s, a, b in zip(states, first, last, strict=True)]
    for step in range(1, MOST_STAYS + 1):
        walkers = _joined(moved)
        if not len(walkers):
            break
        moved = [_next_stays(block, sums, walkers.of_state(state), step) for state in np.unique(walkers.state)]
    return sums


def _first_stays(block: Block, sums: Sums, local: range, state: int) -> Walkers:
    """Continue the stays in one state that the valuation date cut, and return the futures that leave it.

    All futures of a claim share its time in the state, so the chance of leaving before the horizon needs one figure a
    claim and parameter draw; only the futures that do leave are looked at one by one.
    """
    plan = block.plan
    rows = slice(local.start, local.stop)
    repeat = plan.scenarios // plan.n_draws
    everyone = slice(local.start * plan.scenarios, local.stop * plan.scenarios)
    began = np.repeat(plan.days_in_state[rows], plan.n_draws)
    group = plan.grid.group(np.full(len(local), state), plan.operated[rows], plan.days_off_before[rows])
    whole = Stay(
        state=state,
        group=np.repeat(group, plan.n_draws),
        draw=np.tile(np.arange(plan.n_draws), len(local)),
        began=began,
        ended=began + plan.horizon_days,
        time=np.zeros(len(began)),
        window_open=np.repeat(plan.window_open[rows], plan.n_draws),
        triggered=np.repeat(plan.takeover.days_since_trigger[rows], plan.n_draws),
    )
    sums.add(everyone, whole, repeat=repeat)
    if state == BACK:
        sums.day_back[everyone] = 0.0
    day, target = _first_exits(block, local, whole, repeat)
    leaves = np.flatnonzero(target >= 0)
    element = leaves + everyone.start
    cell = leaves // repeat
    part = whole.take(cell, ended=np.maximum(day[leaves], began[cell]))
    sums.reset(element)
    claim = element // plan.scenarios
    before = Walkers(
        element=element,
        state=np.full(len(element), state),
        time=part.time,
        days_off=plan.days_off[claim],
        operated=plan.operated[claim],
        window_open=part.window_open,
        still_off=np.full(len(element), bool(OFF_WORK[state])),
    )
    if state == BACK:
        sums.day_back[element] = 0.0
    if OFF_WORK[state]:
        sums.days_to_leave[everyone] = plan.horizon_days
    return _moved(sums, before, part, target[leaves])


def _first_exits(block: Block, local: range, whole: Stay, repeat: int) -> tuple[Floats, Integers]:
    """Return days in the state at the exit and the state moved to (-1: stays to the horizon), one a future."""
    plan, state = block.plan, STATES[whole.state]
    n_futures = len(local) * plan.scenarios
    best, target = np.full(n_futures, np.inf), np.full(n_futures, -1)
    claim, scenario = np.divmod(np.arange(n_futures), plan.scenarios)
    for exit_ in plan.draws.transitions_from(state):
        location = block.location(state, exit_)[local.start : local.stop].ravel()
        so_far = exit_.cumulative_hazard(whole.began, location, whole.draw)
        by_horizon = exit_.cumulative_hazard(whole.ended, location, whole.draw) - so_far
        waited = block.hazard_drawn(claim + local.start, scenario, 0, exit_.target)
        leaves = np.flatnonzero(waited < np.repeat(by_horizon, repeat))
        cell = leaves // repeat
        day = exit_.exit_days(so_far[cell] + waited[leaves], location[cell], whole.draw[cell])
        sooner = day < best[leaves]
        best[leaves[sooner]] = day[sooner]
        target[leaves[sooner]] = STATE_CODE[exit_.target]
    return best, target


def _next_stays(block: Block, sums: Sums, walkers: Walkers, step: int) -> Walkers:
    """Draw the stays of futures that have just entered one state, and return those that leave it by the horizon."""
    plan, state = block.plan, int(walkers.state[0])
    left = plan.horizon_days - walkers.time
    claim, scenario = np.divmod(walkers.element, plan.scenarios)
    draw = block.draw_of_scenario[scenario]
    best, target = left.copy(), np.full(len(walkers), -1)
    exits = plan.draws.transitions_from(STATES[state]) if step < MOST_STAYS else ()
    for exit_ in exits:
        location = block.location(STATES[state], exit_)[claim, draw]
        waited = block.hazard_drawn(claim, scenario, step, exit_.target)
        day = exit_.exit_days(waited, location, draw)
        sooner = day < best
        best = np.where(sooner, day, best)
        target[sooner] = STATE_CODE[exit_.target]
    stay = Stay(
        state=state,
        group=plan.grid.group(walkers.state, walkers.operated, walkers.days_off),
        draw=draw,
        began=np.zeros(len(walkers)),
        ended=best,
        time=walkers.time,
        window_open=walkers.window_open,
        triggered=plan.takeover.days_since_trigger[claim],
    )
    if state == BACK:
        sums.day_back[walkers.element] = np.minimum(sums.day_back[walkers.element], walkers.time)
    return _moved(sums, walkers, stay, target)


def _moved(sums: Sums, before: Walkers, stay: Stay, target: Integers) -> Walkers:
    """Add the stays to the sums and return the futures that moved on, in the state they moved to."""
    sums.add(before.element, stay)
    lasted = stay.ended - stay.began
    time = before.time + lasted
    off = bool(OFF_WORK[stay.state])
    leaves_off = before.still_off & ~np.where(target >= 0, OFF_WORK[target], off)
    if off:
        # Until the spell off work is seen to end, it lasts as long as has been walked so far.
        sums.days_to_leave[before.element[before.still_off]] = time[before.still_off]
    on = np.flatnonzero(target >= 0)
    return Walkers(
        element=before.element[on],
        state=target[on],
        time=time[on],
        days_off=(before.days_off + lasted * off)[on],
        operated=(before.operated | (target == AFTER_SURGERY))[on],
        window_open=(before.window_open & IN_WINDOW[target])[on],
        still_off=(before.still_off & ~leaves_off)[on],
    )


def _joined(parts: list[Walkers]) -> Walkers:
    """Put futures of several states together."""
    names = [field.name for field in fields(Walkers)]
    return Walkers(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
