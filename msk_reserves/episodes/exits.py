"""Which exit a stay ends by, and when: the first of independent latent exits, inlined into the inner loops."""

import math

from msk_reserves.episodes.arrays import Claims, Laws, Room
from msk_reserves.episodes.compiled import inlined
from msk_reserves.episodes.hazards import collected_by, exit_days_of, standing_of
from msk_reserves.episodes.randomness import uniform_of
from msk_reserves.recovery.path.entry import ENTRY_SCORES, ENTRY_WEEKS

MOST_STAYS = 25
"""A path of more moves than this stays where it is: a bound that real paths do not reach."""


A_MOMENT = 1e-6
"""Days, a tenth of a second: more than rounding makes of a stay's clocks."""


def _entry(laws: Laws, since_start: float, moves: int) -> int:
    """Return the row of `Room` of a stay: 0 of the present one, then those of stays that begin, by how late they do."""
    if moves == 0 or laws.entry_column < 0:
        return min(moves, 1)
    entry = 0
    for weeks in ENTRY_WEEKS:
        # A stay that began on the very day did so whatever rounding has made of its clocks.
        entry += since_start >= 7.0 * weeks - A_MOMENT
    return max(entry, 1)


def _locate(
    laws: Laws, claims: Claims, room: Room, place: tuple[int, int], stay: tuple[int, float, int], end: float
) -> None:
    """Work out where a claim stands, under one draw, in the hazards of a state it has been in for `began` days.

    The stay is (state, days in it so far, its row of `Room`). An exit whose uniform number lies below the probability
    of not leaving by it before the horizon needs no more work.
    """
    claim, draw = place
    state, began, later = stay
    for exit_ in range(laws.first[state], laws.last[state]):
        location = standing_of(laws, exit_, draw, predictor_of(laws, claims, place, exit_, later))
        # On the clock of the path a later stay stands no earlier than the claim does now.
        age = claims.since_start[claim] if laws.forward[exit_] else began
        so_far = collected_by(laws, exit_, draw, location, age)
        reached = collected_by(laws, exit_, draw, location, age + end)
        room.location[later, exit_], room.so_far[later, exit_] = location, so_far
        room.stays[later, exit_] = math.exp(so_far - reached)


def _predictor(laws: Laws, claims: Claims, place: tuple[int, int], exit_: int, later: int) -> float:
    """Return the predictor of an exit for a claim under a draw, for stays of one row of `Room`.

    Most columns of a design say whether something is so, and most of them that it is not: those that differ from zero
    are listed.
    """
    claim, draw = place
    predictor = laws.coefficients[draw, exit_, 0] + laws.shared[draw, exit_] * claims.log_factor[claim, draw]
    for listed in range(claims.filled[claim]):
        column = claims.columns[claim, listed]
        predictor += laws.coefficients[draw, exit_, column + 1] * claims.design[claim, column]
    if later and laws.entry_column >= 0:
        for shape in range(len(ENTRY_SCORES)):
            column = laws.entry_column + shape
            differs = ENTRY_SCORES[shape][later - 1] - claims.design[claim, column]
            predictor += laws.coefficients[draw, exit_, column + 1] * differs
    return float(predictor)


def _prepare(laws: Laws, claims: Claims, room: Room, place: tuple[int, int], end: float) -> None:
    """Begin with a claim under a draw: work out where its present stay stands in the hazards, and nothing else yet."""
    claim, _ = place
    for entry in range(len(room.located)):
        for state in range(len(laws.first)):
            room.located[entry, state] = False
    locate_exits(laws, claims, room, place, (claims.state[claim], claims.began[claim], 0), end)


def _sort_futures(laws: Laws, claims: Claims, room: Room, claim: int, first: int) -> tuple[int, int]:
    """List which futures of a claim and draw need to be followed, of those from the `first` on.

    They are one for all that stay where they are up to the horizon, which are the same, and those that do not. Returns
    how many are listed and how many stay.
    """
    state, key, n = claims.state[claim], claims.keys[claim], len(room.leaving)
    for future in range(n):
        room.leaving[future] = 0
    # Exit by exit, since loops without a branch run in vector registers.
    for exit_ in range(laws.first[state], laws.last[state]):
        target, stays = laws.target[exit_], room.stays[0, exit_]
        for future in range(n):
            room.leaving[future] |= uniform_of(key, first + future, target) > stays
    staying = n
    for future in range(n):
        staying -= room.leaving[future]
    listed = min(staying, 1)
    for future in range(n):
        if room.leaving[future]:
            room.followed[listed] = future
            listed += 1
        elif staying:
            room.followed[0] = future
    return listed, staying


def _next_exit(
    laws: Laws,
    claims: Claims,
    room: Room,
    place: tuple[int, int, int],
    stay: tuple[int, float, int],
    limits: tuple[float, float],
) -> tuple[float, int]:
    """Return days to the first exit of a stay and its number, -1 if it lasts to the horizon.

    The stay (state, days in it so far, number of moves made) begins at the age reached where the clock goes on. The
    limits are the days left to the horizon and all days to it. Exits on the clock of the path are at the days since it
    began.
    """
    claim, scenario, draw = place
    state, began, moves = stay
    best, chosen = limits[0], -1
    if moves == MOST_STAYS:
        return best, chosen
    ahead = limits[1] - limits[0]
    since_start = claims.since_start[claim] + ahead
    later = entry_of(laws, since_start - began, moves)
    located = not later or began <= ahead
    if later and not room.located[later, state]:
        locate_exits(laws, claims, room, (claim, draw), (state, 0.0, later), limits[1])
        room.located[later, state] = True
    for exit_ in range(laws.first[state], laws.last[state]):
        uniform = uniform_of(claims.keys[claim], scenario, moves * len(laws.first) + laws.target[exit_])
        # A stay that began before today and goes on in a twin may last longer than the stays that were located.
        if uniform <= room.stays[later, exit_] and (located or laws.forward[exit_]):
            continue
        location, so_far = room.location[later, exit_], room.so_far[later, exit_]
        age = since_start if laws.forward[exit_] else began
        if later and age > 0.0:
            so_far = collected_by(laws, exit_, draw, location, age)
        # Compared at the age: taken as days ahead, a day at the limit could by rounding come before it.
        most = age + best
        day = exit_days_of(laws, exit_, draw, location, so_far - math.log(uniform), most)
        if day < most:
            # Rounding may put the exit just before the age reached; it is then at it.
            best, chosen = max(day - age, 0.0), exit_
    return best, chosen


entry_of = inlined(_entry)
predictor_of = inlined(_predictor)
locate_exits = inlined(_locate)
prepare_exits = inlined(_prepare)
sort_futures = inlined(_sort_futures)
next_exit_of = inlined(_next_exit)
