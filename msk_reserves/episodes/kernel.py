"""The inner loop: one future at a time, stay by stay, compiled.

Each future is a few dozen numbers that live in registers, so nothing of size claims x scenarios is written but the sums
themselves, and the compiled loop runs outside the interpreter's lock, so threads scale.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE, STATES
from msk_reserves.episodes.randomness import FIRST, GOLDEN, HALF_STEP, SECOND, STEP

TAKEOVER_STATES = ("off_work", "relapse", "after_surgery", "modified_duty")
"""States in which an episode may be taken over, and whose end closes a window until return or MMI."""

MOST_STAYS = 25
"""A path of more moves than this stays where it is: a bound that real paths do not reach."""

PIECES, LOG, LOGISTIC, TABLE = range(4)
"""How a law turns a cumulative hazard h into the standardised log time w: rates by piece; w = ln h; w = ln(e^h - 1);
a table of w over ln h."""

N_STATES = len(STATES)
BACK, AFTER_SURGERY = STATE_CODE["back_at_work"], STATE_CODE["after_surgery"]
OFF_WORK: Booleans = np.isin(np.arange(N_STATES), [STATE_CODE[name] for name in OFF_WORK_STATES])
IN_WINDOW: Booleans = np.isin(np.arange(N_STATES), [STATE_CODE[name] for name in TAKEOVER_STATES])

Compiled = Callable[..., Any]

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
"""The loop allocates nothing, so the counting of references to arrays, three quarters of its time, is left out."""


class Laws(NamedTuple):
    """Draws of every exit's law; exits are numbered by the state they leave, J in all.

    Attributes
    ----------
    first, last : exits of each state, a range; shape (n_states,).
    target : state each exit leads to, shape (J,).
    kind, scale, row : how the hazard is inverted, scale and row of `table`; shape (J, n_draws).
    table : w on an even grid of ln h from `low` by `step`, shape (n_rows, n_nodes).
    cuts, n_cuts : ends of the pieces, shapes (J, n_cuts) and (J,).
    reached, rate : cumulative hazard at the start of each piece, and rate in it; shape (J, n_draws, n_cuts + 1).
    coefficients : constant and coefficients of the predictor of each exit, shape (J, n_draws, 1 + n_columns).
    """

    first: Integers
    last: Integers
    target: Integers
    kind: Integers
    scale: Floats
    row: Integers
    table: Floats
    low: float
    step: float
    cuts: Floats
    n_cuts: Integers
    reached: Floats
    rate: Floats
    coefficients: Floats


class Claims(NamedTuple):
    """The claims of a block where they stand; shape (n_claims,) unless said otherwise.

    Attributes
    ----------
    design : covariates, shape (n_claims, n_columns).
    location : room for the predictor of each exit of the claim and draw at hand, shape (J,).
    so_far : cumulative hazard of each exit of the present state, shape (n_exits, n_claims, n_draws).
    stays : probability of not leaving by that exit before the horizon, of the same shape.
    """

    keys: npt.NDArray[np.uint64]
    state: Integers
    began: Floats
    days_off: Floats
    days_off_before: Floats
    operated: Booleans
    window_open: Booleans
    triggered: Floats
    design: Floats
    location: Floats
    so_far: Floats
    stays: Floats


class Money(NamedTuple):
    """Payments along a stay of A components, and the scopes that count parts of them.

    Attributes
    ----------
    start, rate : payments up to the start of a bin, and a day in it; shape (A, n_draws, n_groups, n_bins).
    edge : start of each bin in days worth, shape (A, n_bins).
    growth : growth of the price level a day, shape (A,).
    bin_of_day : bin of each whole day in a state; the last entry serves all later days.
    bands : days off before a stay at which its band begins.
    shares : share of a group's payments inside each scope, shape (n_scopes, A, n_groups).
    window_days : length of each scope's window, -1 until return or MMI.
    """

    start: Floats
    rate: Floats
    edge: Floats
    growth: Floats
    bin_of_day: Integers
    bands: Floats
    shares: Floats
    window_days: Integers


class Sums(NamedTuple):
    """What is added up along each future; shape (n_claims, n_scenarios), with components and scopes in front.

    Attributes
    ----------
    expected : expected payments by component, before multipliers of claim, draw and scenario.
    scoped : the same inside each scope.
    scoped_days_off : days off inside each scope's window.
    days_off : days off work.
    days_to_leave : days until the worker leaves being off work in the present spell.
    day_back : days until the worker is back at full duty, infinite if not before the horizon.
    """

    expected: Floats
    scoped: Floats
    scoped_days_off: Floats
    days_off: Floats
    days_to_leave: Floats
    day_back: Floats


def _inlined(function: Compiled) -> Compiled:
    """Compile a function into the loop itself: a call would count references to every array it is handed."""
    compiled: Compiled = njit(**OPTIONS, inline="always")(function)
    return compiled


def _compiled(function: Compiled) -> Compiled:
    """Compile the loop; the result is kept on disk, so that only the first run on a machine waits for it."""
    compiled: Compiled = njit(**OPTIONS, cache=True)(function)
    return compiled


def _uniform(key: np.uint64, scenario: int, slot: int) -> float:
    """Return the uniform number of one slot of one future, as `randomness.uniforms` does."""
    counter = (np.uint64(slot) << np.uint64(40)) + np.uint64(scenario)
    bits = key + counter * GOLDEN
    bits = (bits ^ (bits >> np.uint64(30))) * FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * SECOND
    bits = bits ^ (bits >> np.uint64(31))
    return float(bits >> np.uint64(11)) * STEP + HALF_STEP


def _between(table: Floats, row: int, place: float) -> float:
    """Return a table's value at a fractional node, by the cubic through the four nodes around it."""
    node = min(max(int(place), 1), table.shape[1] - 3)
    x = place - node
    before, here, after, last = table[row, node - 1], table[row, node], table[row, node + 1], table[row, node + 2]
    slope = 0.5 * (after - before)
    second = before - 2.5 * here + 2.0 * after - 0.5 * last
    third = 0.5 * (last - before) + 1.5 * (here - after)
    return float(here + x * (slope + x * (second + x * third)))


def _exit_days(laws: Laws, exit_: int, draw: int, location: float, hazard: float) -> float:
    """Return the days in a state at which an exit's cumulative hazard reaches `hazard`."""
    kind = laws.kind[exit_, draw]
    if kind == PIECES:
        left = hazard * math.exp(-location)
        piece = 0
        while piece < laws.n_cuts[exit_] and laws.reached[exit_, draw, piece + 1] <= left:
            piece += 1
        rate = laws.rate[exit_, draw, piece]
        if rate <= 0.0:
            return math.inf
        began = 0.0 if piece == 0 else laws.cuts[exit_, piece - 1]
        return float(began + (left - laws.reached[exit_, draw, piece]) / rate)
    if kind == LOG:
        w = math.log(hazard)
    elif kind == LOGISTIC:
        w = hazard + math.log(-math.expm1(-hazard))
    else:
        place = (math.log(hazard) - laws.low) / laws.step
        w = between_of(laws.table, laws.row[exit_, draw], place)
    return math.exp(min(location + laws.scale[exit_, draw] * w, 700.0))


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
    laws: Laws, claims: Claims, place: tuple[int, int, int], state: int, step: int, most: float
) -> tuple[float, int]:
    """Return days to the first exit of a stay that has just begun and its number, -1 if it lasts `most` days."""
    claim, scenario, draw = place
    best, chosen = most, -1
    if step == MOST_STAYS:
        return best, chosen
    for exit_ in range(laws.first[state], laws.last[state]):
        uniform = uniform_of(claims.keys[claim], scenario, step * N_STATES + laws.target[exit_])
        day = exit_days_of(laws, exit_, draw, claims.location[exit_], -math.log(uniform))
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
    if OFF_WORK[state]:
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
            elif share > 0.0 and is_open and IN_WINDOW[state]:
                sums.scoped[scope, component, claim, scenario] += share * paid
    if OFF_WORK[state]:
        for scope in range(n_scopes):
            until = ended if is_open else began
            if money.window_days[scope] >= 0:
                until = min(max(began + money.window_days[scope] - triggered - time, began), ended)
            sums.scoped_days_off[scope, claim, scenario] += until - began


def _group(money: Money, state: int, operated: int, days_off: float) -> int:
    """Return the group of cost cells of a stay, as `CellGrid.group` does."""
    band = 0
    if not OFF_WORK[state]:
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
    is_open, still_off = claims.window_open[claim], OFF_WORK[state]
    group = group_of(money, state, operated, claims.days_off_before[claim])
    for step in range(1, MOST_STAYS + 2):
        if chosen < 0:
            lasted = end - time
        window = (is_open, claims.triggered[claim])
        add_stay_to(money, sums, place, (state, group, began, began + lasted, time), window)
        if state == BACK:
            sums.day_back[claim, scenario] = min(sums.day_back[claim, scenario], time)
        time += lasted
        if OFF_WORK[state]:
            days_off += lasted
            if still_off:
                sums.days_to_leave[claim, scenario] = time
        if chosen < 0:
            break
        state, began = laws.target[chosen], 0.0
        operated = 1 if state == AFTER_SURGERY else operated
        is_open = is_open and IN_WINDOW[state]
        still_off = still_off and OFF_WORK[state]
        group = group_of(money, state, operated, days_off)
        lasted, chosen = later_exit_of(laws, claims, place, state, step, end - time)


def _walk(laws: Laws, claims: Claims, money: Money, sums: Sums, per_draw: int, end: float) -> None:
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
            follow_future(laws, claims, money, sums, (claim, scenario, draw), (lasted, chosen), end)


between_of = _inlined(_between)
uniform_of = _inlined(_uniform)
exit_days_of = _inlined(_exit_days)
locate_exits = _inlined(_locate)
first_exit_of = _inlined(_first_exit)
later_exit_of = _inlined(_later_exit)
worth_of = _inlined(_worth)
accumulated_of = _inlined(_accumulated)
add_stay_to = _inlined(_add_stay)
group_of = _inlined(_group)
copy_of = _inlined(_copy)
follow_future = _inlined(_follow)
walk_block = _compiled(_walk)
