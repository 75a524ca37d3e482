"""Which exit a stay ends by, and when: the first of independent latent exits, inlined into the inner loops."""

import math

from msk_reserves.episodes.arrays import Claims, Laws, Room
from msk_reserves.episodes.compiled import inlined
from msk_reserves.episodes.hazards import collected_by, exit_days_of
from msk_reserves.episodes.randomness import uniform_of
from msk_reserves.recovery.path.entry import ENTRY_SCORES, ENTRY_WEEKS

MOST_STAYS = 25
"""A path of more moves than this stays where it is: a bound that real paths do not reach."""


def _entry(laws: Laws, since_start: float, moves: int) -> int:
    """Return the row of `Room` of a stay: 0 of the present one, then those of stays that begin, by how late they do."""
    if moves == 0 or laws.entry_column < 0:
        return min(moves, 1)
    entry = 0
    for weeks in ENTRY_WEEKS:
        entry += since_start >= 7.0 * weeks
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
        age = claims.since_start[claim] if laws.forward[exit_] else began
        location = room.location[0, exit_]
        if later and laws.entry_column >= 0:
            for shape in range(len(ENTRY_SCORES)):
                column = laws.entry_column + shape
                differs = ENTRY_SCORES[shape][later - 1] - claims.design[claim, column]
                location += laws.coefficients[draw, column + 1, exit_] * differs
        room.location[later, exit_] = location
        reached = 0.0
        for ahead in range(2):
            room.so_far[later, exit_] = reached
            reached = collected_by(laws, exit_, draw, location, age + ahead * end)
        room.stays[later, exit_] = math.exp(room.so_far[later, exit_] - reached)


def _prepare(laws: Laws, claims: Claims, room: Room, place: tuple[int, int], end: float) -> None:
    """Work out the predictors of a claim under a draw, and where its present stay stands in the hazards."""
    claim, draw = place
    for exit_ in range(len(laws.target)):
        room.location[0, exit_] = (
            laws.coefficients[draw, 0, exit_] + laws.shared[draw, exit_] * claims.log_factor[claim, draw]
        )
    for column in range(claims.design.shape[1]):
        value = claims.design[claim, column]
        # Most columns say whether something is so, and most of them that it is not.
        if value != 0.0:
            for exit_ in range(len(laws.target)):
                room.location[0, exit_] += laws.coefficients[draw, column + 1, exit_] * value
    for entry in range(len(room.located)):
        for state in range(len(laws.first)):
            room.located[entry, state] = False
    locate_exits(laws, claims, room, place, (claims.state[claim], claims.began[claim], 0), end)


def _leaves(laws: Laws, claims: Claims, room: Room, place: tuple[int, int, int]) -> bool:
    """Say whether a future leaves the present stay before the horizon."""
    claim, scenario, _ = place
    state = claims.state[claim]
    for exit_ in range(laws.first[state], laws.last[state]):
        if uniform_of(claims.keys[claim], scenario, laws.target[exit_]) > room.stays[0, exit_]:
            return True
    return False


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
    later = entry_of(laws, claims.since_start[claim] + limits[1] - limits[0] - began, moves)
    if later and not room.located[later, state]:
        locate_exits(laws, claims, room, (claim, draw), (state, 0.0, later), limits[1])
        room.located[later, state] = True
    for exit_ in range(laws.first[state], laws.last[state]):
        uniform = uniform_of(claims.keys[claim], scenario, moves * len(laws.first) + laws.target[exit_])
        location, so_far = room.location[later, exit_], room.so_far[later, exit_]
        age = began
        if laws.forward[exit_]:
            age = claims.since_start[claim] + limits[1] - limits[0]
        if later and age > 0.0:
            so_far = collected_by(laws, exit_, draw, location, age)
        elif uniform <= room.stays[later, exit_]:
            continue
        # Compared at the age: taken as days ahead, a day at the limit could by rounding come before it.
        most = age + best
        day = exit_days_of(laws, exit_, draw, location, so_far - math.log(uniform), most)
        if day < most:
            # Rounding may put the exit just before the age reached; it is then at it.
            best, chosen = max(day - age, 0.0), exit_
    return best, chosen


entry_of = inlined(_entry)
locate_exits = inlined(_locate)
prepare_exits = inlined(_prepare)
leaves_in_time = inlined(_leaves)
next_exit_of = inlined(_next_exit)
