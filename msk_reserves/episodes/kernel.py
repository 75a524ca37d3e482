"""The inner loop: one future at a time, stay by stay, compiled.

Each future is a few dozen numbers that live in registers, so nothing of size claims x scenarios is written but the sums
themselves, and the compiled loop runs outside the interpreter's lock, so threads scale. Draws of the parameters come
first and claims second: the numbers of one draw stay in the nearest memory while all claims of a block use them.
"""

import math

from msk_reserves._checks import Floats
from msk_reserves.episodes import arrays, compiled, exits, hazards, randomness
from msk_reserves.episodes.arrays import DAY_BACK, DAYS_OFF, DAYS_TO_LEAVE, Claims, Laws, Money, PathStates, Room
from msk_reserves.episodes.compiled import Compiled, inlined, kept
from msk_reserves.episodes.exits import MOST_STAYS, next_exit_of, prepare_exits, sort_futures
from msk_reserves.recovery.path import entry


def _worth(growth: float, days: float) -> float:
    """Return the days that payments over some days are worth when they grow at a rate a day, as `money.worth` does."""
    # The quotient does not wait for the exponential.
    return days if growth == 0.0 else math.expm1(growth * days) * (1.0 / growth)


def _paid_by(money: Money, component: int, draw: int, group: int, bin_: int, worth: float) -> float:
    """Return the expected payments of a component up to a day of a stay, at the prices of the stay's first day."""
    begin, rate = money.payments[draw, group, bin_, component, 0], money.payments[draw, group, bin_, component, 1]
    return float(begin + rate * worth)


def _bin(money: Money, days: float) -> int:
    """Return the bin of a day of a stay."""
    return int(money.bin_of_day[min(int(days), len(money.bin_of_day) - 1)])


def _add_payments(money: Money, room: Room, draw: int, stay: tuple[int, float, float]) -> None:
    """Add the expected payments of a stay (group, days at start and end), and keep them for the scopes."""
    group, began, ended = stay
    first, last = bin_of(money, began), bin_of(money, ended)
    for step in range(len(money.growths)):
        room.gained[step] = worth_of(money.growths[step], ended - began)
        room.worth_after[step] = room.worth[step] + room.rise[step] * room.gained[step]
    for component in range(len(money.growth_of)):
        step = money.growth_of[component]
        before = 0.0
        if began > 0.0:
            before = paid_by(money, component, draw, group, first, room.worth[step])
        paid = paid_by(money, component, draw, group, last, room.worth_after[step]) - before
        room.before[component], room.paid[component] = before, paid * room.level[step]
        room.expected[component] += room.paid[component]


def _add_scoped(
    states: PathStates,
    money: Money,
    room: Room,
    draw: int,
    stay: tuple[int, int, float, float, float],
    window: tuple[bool, float],
) -> None:
    """Add what falls inside each scope's window to the sums of one future."""
    state, group, began, ended, time = stay
    is_open, triggered = window
    for scope in range(len(money.window_days)):
        days, ahead = money.window_days[scope], money.until[scope] - time
        if ahead <= 0.0 or (days < 0 and not (is_open and states.in_window[state])):
            continue
        if days < 0 and began + ahead >= ended:
            for component in range(len(money.growth_of)):
                share = money.shares[scope, component, group]
                room.scoped[scope, component] += share * room.paid[component]
            if states.off_work[state]:
                room.scoped_days_off[scope] += ended - began
            continue
        until = min(began + ahead, ended)
        if days >= 0:
            until = min(began + days - triggered - time, until)
        if until <= began:
            continue
        last = bin_of(money, until)
        for component in range(len(money.growth_of)):
            step = money.growth_of[component]
            worth = room.worth[step] + room.rise[step] * worth_of(money.growths[step], until - began)
            inside = paid_by(money, component, draw, group, last, worth) - room.before[component]
            share = money.shares[scope, component, group]
            room.scoped[scope, component] += share * inside * room.level[step]
        if states.off_work[state]:
            room.scoped_days_off[scope] += until - began


def _age_prices(laws: Laws, money: Money, room: Room, exit_: int) -> None:
    """Move the price levels on over an exit: to a stay of the same clock, or to one that begins."""
    for step in range(len(money.growths)):
        rise = room.rise[step] * (1.0 + money.growths[step] * room.gained[step])
        if laws.continues[exit_]:
            room.worth[step], room.rise[step] = room.worth_after[step], rise
        else:
            room.level[step], room.worth[step], room.rise[step] = room.level[step] * rise, 0.0, 1.0


def _group(states: PathStates, money: Money, state: int, operated: int, days: float, last: int) -> int:
    """Return the group of cost cells of a stay, as `CellGrid.group` does, by the days that tell its band."""
    band = 0
    if not states.off_work[state]:
        while band < len(money.bands) and days >= money.bands[band]:
            band += 1
        if last:
            band = len(money.bands) + 1
    return (2 * state + operated) * (len(money.bands) + 2) + band


def _note(sums: Floats, claim: int, scenario: int, total: Floats) -> None:
    """Write down what one future has added up."""
    for place in range(len(total)):
        sums[place, claim, scenario] = total[place]


def _note_all(sums: Floats, claim: int, first: int, room: Room) -> None:
    """Write down what one future has added up for all those of its claim and draw, from the `first` on."""
    for place in range(len(room.total)):
        total, futures = room.total[place], sums[place, claim, first : first + len(room.leaving)]
        for future in range(len(room.leaving)):
            futures[future] = total


def _begin(claims: Claims, room: Room, claim: int) -> None:
    """Begin to add up a future."""
    for step in range(len(room.level)):
        room.level[step], room.worth[step] = claims.level[claim, step], claims.worth[claim, step]
        room.rise[step] = claims.rise[claim, step]
    for place in range(len(room.total)):
        room.total[place] = 0.0
    room.days[DAY_BACK] = math.inf


def _follow(
    states: PathStates,
    laws: Laws,
    claims: Claims,
    money: Money,
    room: Room,
    place: tuple[int, int, int],
    end: float,
) -> None:
    """Follow one future to the horizon, `end` days ahead."""
    claim, _, draw = place
    state, began, time = claims.state[claim], claims.began[claim], 0.0
    days_off, operated = claims.days_off[claim], int(claims.operated[claim])
    is_open, still_off = claims.window_open[claim], states.off_work[state]
    again = int(claims.relapsed[claim])
    group = group_of(states, money, state, operated, claims.band_days[claim], int(claims.band_last[claim]))
    begin_future(claims, room, claim)
    for moves in range(MOST_STAYS + 1):
        lasted, chosen = next_exit_of(laws, claims, room, place, (state, began, moves), (end - time, end))
        ended = began + lasted
        add_payments_to(money, room, draw, (group, began, ended))
        window = (is_open, claims.triggered[claim])
        add_scoped_to(states, money, room, draw, (state, group, began, ended, time), window)
        if states.back[state]:
            room.days[DAY_BACK] = min(room.days[DAY_BACK], time)
        time += lasted
        if states.off_work[state]:
            days_off += lasted
            room.days[DAYS_OFF] += lasted
            if still_off:
                room.days[DAYS_TO_LEAVE] = time
        if chosen < 0:
            break
        age_prices(laws, money, room, chosen)
        began = ended if laws.continues[chosen] else 0.0
        left, state = state, laws.target[chosen]
        operated = 1 if states.operated[state] else operated
        if states.origin_mark[state, left] >= 0:
            # As `marked` in the cells of cost: for the dead and the settled it is where they came from.
            operated = states.origin_mark[state, left]
        is_open = is_open and states.in_window[state]
        still_off = still_off and states.off_work[state]
        again = 1 if states.relapse[state] else again
        if states.settled[state]:
            # As `banded` in the cells of cost: how long where they were, and whether without an attorney.
            group = group_of(states, money, state, operated, ended, 0 if states.represented[left] else 1)
        else:
            group = group_of(states, money, state, operated, days_off, again)


def _walk(stamp: int) -> Compiled:
    """Return the loop over a block; `stamp` is what `kept` tells its parts by."""

    def walk(
        states: PathStates,
        laws: Laws,
        claims: Claims,
        money: Money,
        room: Room,
        sums: Floats,
        per_draw: int,
        end: float,
    ) -> int:
        """Follow every future of a block and add up what happens along it."""
        for draw in range(sums.shape[2] // per_draw):
            for claim in range(len(claims.keys)):
                prepare_exits(laws, claims, room, (claim, draw), end)
                first = draw * per_draw
                listed, staying = sort_futures(laws, claims, room, claim, first)
                for place in range(listed):
                    scenario = first + room.followed[place]
                    follow_future(states, laws, claims, money, room, (claim, scenario, draw), end)
                    if place == 0 and staying > 0:
                        note_all(sums, claim, first, room)
                    else:
                        note_of(sums, claim, scenario, room.total)
        return stamp

    return walk


worth_of = inlined(_worth)
paid_by = inlined(_paid_by)
bin_of = inlined(_bin)
add_payments_to = inlined(_add_payments)
add_scoped_to = inlined(_add_scoped)
age_prices = inlined(_age_prices)
group_of = inlined(_group)
begin_future = inlined(_begin)
note_of = inlined(_note)
note_all = inlined(_note_all)
follow_future = inlined(_follow)
walk_block = kept(_walk, arrays, compiled, entry, exits, hazards, randomness)
