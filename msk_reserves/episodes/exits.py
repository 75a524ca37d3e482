"""Which exit a stay ends by, and when: the first of independent latent exits, inlined into the inner loops."""

import math

from msk_reserves.episodes.arrays import Claims, Laws, Room
from msk_reserves.episodes.compiled import inlined
from msk_reserves.episodes.hazards import collected_by, exit_days_of
from msk_reserves.episodes.randomness import uniform_of

MOST_STAYS = 25
"""A path of more moves than this stays where it is: a bound that real paths do not reach."""


def _locate(laws: Laws, claims: Claims, claim: int, draw: int, exit_: int) -> float:
    """Return the predictor of an exit for one claim and draw."""
    value = laws.coefficients[exit_, draw, 0] + laws.shared[exit_, draw] * claims.log_factor[claim, draw]
    for column in range(claims.design.shape[1]):
        value += laws.coefficients[exit_, draw, column + 1] * claims.design[claim, column]
    return float(value)


def _prepare(laws: Laws, claims: Claims, room: Room, claim: int, draw: int, end: float) -> None:
    """Work out where a claim stands in the hazards of its present state, under one draw.

    An exit whose uniform number lies below the probability of not leaving by it before the horizon needs no more work.
    """
    for state in range(len(laws.first)):
        room.located[state] = False
    state, began = claims.state[claim], claims.began[claim]
    for exit_ in range(laws.first[state], laws.last[state]):
        location = locate_exit(laws, claims, claim, draw, exit_)
        so_far = collected_by(laws, exit_, draw, location, began)
        room.first_location[exit_], room.so_far[exit_] = location, so_far
        room.first_stays[exit_] = math.exp(so_far - collected_by(laws, exit_, draw, location, began + end))


def _first_exit(laws: Laws, claims: Claims, room: Room, place: tuple[int, int, int], most: float) -> tuple[float, int]:
    """Return days to the first exit from the present state and its number, -1 if it lasts `most` days."""
    claim, scenario, draw = place
    state, began = claims.state[claim], claims.began[claim]
    best, chosen = most, -1
    for exit_ in range(laws.first[state], laws.last[state]):
        uniform = uniform_of(claims.keys[claim], scenario, laws.target[exit_])
        if uniform <= room.first_stays[exit_]:
            continue
        hazard = room.so_far[exit_] - math.log(uniform)
        # Rounding may put the exit just before the valuation date; it is then on it.
        day = max(exit_days_of(laws, exit_, draw, room.first_location[exit_], hazard, began + best) - began, 0.0)
        if day < best:
            best, chosen = day, exit_
    return best, chosen


def _later_exit(
    laws: Laws,
    claims: Claims,
    room: Room,
    place: tuple[int, int, int],
    stay: tuple[int, float, int],
    limits: tuple[float, float],
) -> tuple[float, int]:
    """Return days to the first exit of the path's next stay and its number, -1 if it lasts as long as the path.

    The stay (state, days in it so far, number of moves made) begins at the age reached where the clock goes on. The
    limits are the days left to the horizon and all days to it.
    """
    claim, scenario, draw = place
    state, began, moves = stay
    best, chosen = limits[0], -1
    if moves == MOST_STAYS:
        return best, chosen
    if not room.located[state]:
        for exit_ in range(laws.first[state], laws.last[state]):
            room.location[exit_] = locate_exit(laws, claims, claim, draw, exit_)
            room.stays[exit_] = math.exp(-collected_by(laws, exit_, draw, room.location[exit_], limits[1]))
        room.located[state] = True
    for exit_ in range(laws.first[state], laws.last[state]):
        uniform = uniform_of(claims.keys[claim], scenario, moves * len(laws.first) + laws.target[exit_])
        location, so_far = room.location[exit_], 0.0
        if began > 0.0:
            so_far = collected_by(laws, exit_, draw, location, began)
        elif uniform <= room.stays[exit_]:
            continue
        day = exit_days_of(laws, exit_, draw, location, so_far - math.log(uniform), began + best) - began
        if day < best:
            best, chosen = max(day, 0.0), exit_
    return best, chosen


locate_exit = inlined(_locate)
prepare_exits = inlined(_prepare)
first_exit_of = inlined(_first_exit)
later_exit_of = inlined(_later_exit)
