"""The inner loop: one future at a time, stay by stay, compiled.

Each future is a few dozen numbers that live in registers, so nothing of size claims x scenarios is written but the sums
themselves, and the compiled loop runs outside the interpreter's lock, so threads scale.
"""

import math

import numpy as np

from msk_reserves.episodes import arrays, compiled, hazards
from msk_reserves.episodes.arrays import Claims, Laws, Money, PathStates, Sums
from msk_reserves.episodes.compiled import Compiled, inlined, kept
from msk_reserves.episodes.hazards import collected_by, exit_days_of
from msk_reserves.episodes.randomness import FIRST, GOLDEN, HALF_STEP, SECOND, STEP

MOST_STAYS = 25
"""A path of more moves than this stays where it is: a bound that real paths do not reach."""


def _uniform(key: np.uint64, scenario: int, slot: int) -> float:
    """Return the uniform number of one slot of one future, as `randomness.uniforms` does."""
    counter = (np.uint64(slot) << np.uint64(40)) + np.uint64(scenario)
    bits = key + counter * GOLDEN
    bits = (bits ^ (bits >> np.uint64(30))) * FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * SECOND
    bits = bits ^ (bits >> np.uint64(31))
    return float(bits >> np.uint64(11)) * STEP + HALF_STEP


def _locate(laws: Laws, claims: Claims, claim: int, draw: int) -> None:
    """Work out the predictor of every exit for one claim and draw."""
    for exit_ in range(len(laws.target)):
        value = laws.coefficients[exit_, draw, 0]
        for column in range(claims.design.shape[1]):
            value += laws.coefficients[exit_, draw, column + 1] * claims.design[claim, column]
        claims.location[exit_] = value


def _first_exit(laws: Laws, claims: Claims, claim: int, scenario: int, draw: int) -> tuple[float, int]:
    """Return days to the first exit from the present state and its number, -1 for none before the horizon."""
    state = claims.state[claim]
    best, chosen = math.inf, -1
    for exit_ in range(laws.first[state], laws.last[state]):
        uniform = uniform_of(claims.keys[claim], scenario, laws.target[exit_])
        own = exit_ - laws.first[state]
        if uniform <= claims.stays[own, claim, draw]:
            continue
        hazard = claims.so_far[own, claim, draw] - math.log(uniform)
        day = exit_days_of(laws, exit_, draw, claims.location[exit_], hazard)
        # Rounding may put the exit just before the valuation date; it is then on it.
        day = max(day - claims.began[claim], 0.0)
        if day < best:
            best, chosen = day, exit_
    return best, chosen


def _later_exit(
    laws: Laws, claims: Claims, place: tuple[int, int, int], stay: tuple[int, float, int], most: float
) -> tuple[float, int]:
    """Return days to the first exit of the path's next stay and its number, -1 if it lasts `most` days.

    The stay (state, days in it so far, number of moves made) begins at the age reached where the clock goes on.
    """
    claim, scenario, draw = place
    state, began, step = stay
    best, chosen = most, -1
    if step == MOST_STAYS:
        return best, chosen
    for exit_ in range(laws.first[state], laws.last[state]):
        uniform = uniform_of(claims.keys[claim], scenario, step * len(laws.first) + laws.target[exit_])
        hazard = -math.log(uniform)
        if began > 0.0:
            hazard += collected_by(laws, exit_, draw, claims.location[exit_], began)
        day = max(exit_days_of(laws, exit_, draw, claims.location[exit_], hazard) - began, 0.0)
        if day < best:
            best, chosen = day, exit_
    return best, chosen


def _worth(days: float, growth: float) -> float:
    """Return the days that payments over the first `days` are worth when they grow at `growth` a day."""
    if growth == 0.0:
        return days
    return math.expm1(growth * days) / growth


def _accumulated(money: Money, component: int, draw: int, group: int, days: float, worth: float) -> float:
    """Return the expected payments of a component in the first `days` of a stay, at the prices of its first day."""
    bin_ = money.bin_of_day[min(int(days), len(money.bin_of_day) - 1)]
    return float(
        money.start[component, draw, group, bin_]
        + money.rate[component, draw, group, bin_] * (worth - money.edge[component, bin_])
    )


def _add_stay(
    states: PathStates,
    money: Money,
    sums: Sums,
    place: tuple[int, int, int],
    stay: tuple[int, int, float, float, float],
    window: tuple[bool, float],
) -> None:
    """Add a stay (state, group, days at start and end, time since the valuation) to the sums of one future."""
    claim, scenario, draw = place
    state, group, began, ended, time = stay
    is_open, triggered = window
    if states.off_work[state]:
        sums.days_off[claim, scenario] += ended - began
    n_scopes = len(money.window_days)
    known, worth_before, worth_after, level = math.nan, 0.0, 0.0, 1.0
    for component in range(len(money.growth)):
        growth = money.growth[component]
        if growth != known:
            # Components often share their growth, and exponentials are what a stay costs.
            known, worth_before, worth_after = growth, worth_of(began, growth), worth_of(ended, growth)
            level = math.exp(growth * (time - began))
        before = accumulated_of(money, component, draw, group, began, worth_before)
        paid = (accumulated_of(money, component, draw, group, ended, worth_after) - before) * level
        sums.expected[component, claim, scenario] += paid
        for scope in range(n_scopes):
            share = money.shares[scope, component, group]
            if share > 0.0 and money.window_days[scope] >= 0:
                until = min(max(began + money.window_days[scope] - triggered - time, began), ended)
                inside = accumulated_of(money, component, draw, group, until, worth_of(until, growth)) - before
                sums.scoped[scope, component, claim, scenario] += share * inside * level
            elif share > 0.0 and is_open and states.in_window[state]:
                sums.scoped[scope, component, claim, scenario] += share * paid
    if states.off_work[state]:
        for scope in range(n_scopes):
            until = ended if is_open else began
            if money.window_days[scope] >= 0:
                until = min(max(began + money.window_days[scope] - triggered - time, began), ended)
            sums.scoped_days_off[scope, claim, scenario] += until - began


def _group(states: PathStates, money: Money, state: int, operated: int, days_off: float) -> int:
    """Return the group of cost cells of a stay, as `CellGrid.group` does."""
    band = 0
    if not states.off_work[state]:
        while band < len(money.bands) and days_off >= money.bands[band]:
            band += 1
    return (2 * state + operated) * (len(money.bands) + 1) + band


def _copy(sums: Sums, claim: int, source: int, scenario: int) -> None:
    """Give a future what another one of the same claim and draw has: both stay where they are to the horizon."""
    for component in range(len(sums.expected)):
        sums.expected[component, claim, scenario] = sums.expected[component, claim, source]
    for scope in range(len(sums.scoped_days_off)):
        sums.scoped_days_off[scope, claim, scenario] = sums.scoped_days_off[scope, claim, source]
        for component in range(len(sums.expected)):
            sums.scoped[scope, component, claim, scenario] = sums.scoped[scope, component, claim, source]
    sums.days_off[claim, scenario] = sums.days_off[claim, source]
    sums.days_to_leave[claim, scenario] = sums.days_to_leave[claim, source]
    sums.day_back[claim, scenario] = sums.day_back[claim, source]


def _follow(
    states: PathStates,
    laws: Laws,
    claims: Claims,
    money: Money,
    sums: Sums,
    place: tuple[int, int, int],
    exit_: tuple[float, int],
    end: float,
) -> None:
    """Follow one future from its first exit to the horizon `end`."""
    claim, scenario, _ = place
    lasted, chosen = exit_
    state, began, time = claims.state[claim], claims.began[claim], 0.0
    days_off, operated = claims.days_off[claim], int(claims.operated[claim])
    is_open, still_off = claims.window_open[claim], states.off_work[state]
    group = group_of(states, money, state, operated, claims.days_off_before[claim])
    for step in range(1, MOST_STAYS + 2):
        if chosen < 0:
            lasted = end - time
        window = (is_open, claims.triggered[claim])
        add_stay_to(states, money, sums, place, (state, group, began, began + lasted, time), window)
        if states.back[state]:
            sums.day_back[claim, scenario] = min(sums.day_back[claim, scenario], time)
        time += lasted
        if states.off_work[state]:
            days_off += lasted
            if still_off:
                sums.days_to_leave[claim, scenario] = time
        if chosen < 0:
            break
        began = began + lasted if laws.continues[chosen] else 0.0
        state = laws.target[chosen]
        operated = 1 if states.operated[state] else operated
        is_open = is_open and states.in_window[state]
        still_off = still_off and states.off_work[state]
        group = group_of(states, money, state, operated, days_off)
        lasted, chosen = later_exit_of(laws, claims, place, (state, began, step), end - time)


def _walk(stamp: int) -> Compiled:
    """Return the loop over a block; `stamp` is what `kept` tells its parts by."""

    def walk(
        states: PathStates, laws: Laws, claims: Claims, money: Money, sums: Sums, per_draw: int, end: float
    ) -> int:
        """Follow every future of a block and add up what happens along it."""
        for claim in range(len(claims.keys)):
            same, draw = -1, -1
            for scenario in range(sums.days_off.shape[1]):
                if scenario // per_draw != draw:
                    draw, same = scenario // per_draw, -1
                    locate_exits(laws, claims, claim, draw)
                lasted, chosen = first_exit_of(laws, claims, claim, scenario, draw)
                if chosen < 0 or lasted >= end:
                    if same >= 0:
                        copy_of(sums, claim, same, scenario)
                        continue
                    lasted, chosen, same = end, -1, scenario
                place = (claim, scenario, draw)
                follow_future(states, laws, claims, money, sums, place, (lasted, chosen), end)
        return stamp

    return walk


uniform_of = inlined(_uniform)
locate_exits = inlined(_locate)
first_exit_of = inlined(_first_exit)
later_exit_of = inlined(_later_exit)
worth_of = inlined(_worth)
accumulated_of = inlined(_accumulated)
add_stay_to = inlined(_add_stay)
group_of = inlined(_group)
copy_of = inlined(_copy)
follow_future = inlined(_follow)
walk_block = kept(_walk, arrays, compiled, hazards)
