"""Cumulative hazards of exits and their inverses, as they are inlined into the inner loop.

Every kind of law has both directions: a stay whose clock goes on is left conditional on the days already spent, at
H(exit) = H(days spent) + an exponential number.
"""

import math

from msk_reserves._checks import Floats
from msk_reserves.episodes.arrays import Laws
from msk_reserves.episodes.compiled import inlined

PIECES, LOG, LOGISTIC, TABLE, SPLINE, BY_ROW = range(6)
"""How a law turns a cumulative hazard h into days. By rates of pieces; or with ln days = location + scale x w, where
w = ln h, w = ln(e^h - 1), or w is read from a table over ln h; or with ln h = location + a table over ln days, the
location being a log hazard ratio; or from the row of a table over ln h that the location names. A spline is smooth in
ln days and may be all but flat, so that a table of its inverse would miss its bends."""

FIRST_LOG_DAY, LAST_LOG_DAY = -25.0, 15.0
"""Range of ln days of a spline's table: from where nothing has been collected to 9,000 years."""

LONGEST = 700.0
"""Largest ln days: beyond it doubles overflow, and any horizon is passed long before."""


def _between(table: Floats, row: int, place: float) -> float:
    """Return a table's value at a fractional node, by the cubic through the four nodes around it."""
    node = min(max(int(place), 1), table.shape[1] - 3)
    x = place - node
    before, here, after, last = table[row, node - 1], table[row, node], table[row, node + 1], table[row, node + 2]
    slope = 0.5 * (after - before)
    second = before - 2.5 * here + 2.0 * after - 0.5 * last
    third = 0.5 * (last - before) + 1.5 * (here - after)
    return float(here + x * (slope + x * (second + x * third)))


def _node_of(table: Floats, row: int, w: float) -> float:
    """Return the fractional node at which a table has the value `w`, the inverse of `_between` inside the table.

    Below the table nothing has been collected yet, which is said by minus infinity; above it the last node answers.
    """
    lower, upper = 1, table.shape[1] - 2
    if w < table[row, lower]:
        return -math.inf
    if w >= table[row, upper]:
        return float(upper)
    # Halving without a branch: which half is anybody's guess.
    width = upper - lower
    while width > 1:
        half = width // 2
        lower += half * (table[row, lower + half] <= w)
        width -= half
    before, here, after, last = table[row, lower - 1], table[row, lower], table[row, lower + 1], table[row, lower + 2]
    slope = 0.5 * (after - before)
    second = before - 2.5 * here + 2.0 * after - 0.5 * last
    third = 0.5 * (last - before) + 1.5 * (here - after)
    x = (w - here) / (after - here)
    for _ in range(4):
        off = here + x * (slope + x * (second + x * third)) - w
        step = off / (slope + x * (2.0 * second + 3.0 * x * third))
        x = min(max(x - step, 0.0), 1.0)
        # What a step of Newton's leaves is of the order of its square.
        if abs(step) < 1e-6:
            break
    return float(lower + x)


def _law(laws: Laws, exit_: int, draw: int, location: float) -> tuple[int, int, float]:
    """Return kind, row of the table and location of an exit's law; one tabulated by row is a table at location 0."""
    kind, row = laws.kind[draw, exit_], laws.row[draw, exit_]
    if kind == BY_ROW:
        return TABLE, row + int(location), 0.0
    return kind, row, location


def _standing(laws: Laws, exit_: int, draw: int, location: float) -> float:
    """Return a law's location as the two functions below take it: that of pieces is their hazard ratio, e^location."""
    return math.exp(location) if laws.kind[draw, exit_] == PIECES else location


def _exit_days(laws: Laws, exit_: int, draw: int, location: float, hazard: float, most: float) -> float:
    """Return the days in a state at which an exit's cumulative hazard reaches `hazard`.

    Infinite if it never does; where that is after `most` days any number of at least `most` will do.
    """
    kind, row, location = law_of(laws, exit_, draw, location)
    plateau = laws.plateau[draw, exit_]
    if plateau > 0.0:
        # The share of those who can leave that has left: S = plateau + (1 - plateau) x S of those who can.
        left = -math.expm1(-hazard) / (1.0 - plateau)
        if left >= 1.0:
            return math.inf
        hazard = -math.log1p(-left)
    if kind == PIECES:
        wanted = hazard / location
        # Counted over all pieces: that needs no branch, and several fit in one register.
        piece = -1
        for place in range(laws.reached.shape[2]):
            piece += laws.reached[draw, exit_, place] <= wanted
        piece = min(piece, laws.n_cuts[exit_])
        rate = laws.rate[draw, exit_, piece]
        if rate <= 0.0:
            return math.inf
        began = 0.0 if piece == 0 else laws.cuts[exit_, piece - 1]
        return float(began + (wanted - laws.reached[draw, exit_, piece]) / rate)
    if kind == LOG:
        w = math.log(hazard)
    elif kind == LOGISTIC:
        w = hazard + math.log(-math.expm1(-hazard))
    elif kind == TABLE:
        w = between_of(laws.table, row, (math.log(hazard) - laws.low) / laws.step)
    else:
        step = (LAST_LOG_DAY - FIRST_LOG_DAY) / (laws.table.shape[1] - 1)
        w, limit = math.log(hazard) - location, math.log(most)
        # Most exits come too late, which one look into the table tells; the search for the day takes many.
        if FIRST_LOG_DAY < limit < LAST_LOG_DAY and w >= between_of(laws.table, row, (limit - FIRST_LOG_DAY) / step):
            return most
        w = FIRST_LOG_DAY + step * node_of(laws.table, row, w)
        location = 0.0
    return float(math.exp(min(location + laws.scale[draw, exit_] * w, LONGEST)))


def _collected(laws: Laws, exit_: int, draw: int, location: float, days: float) -> float:
    """Return an exit's cumulative hazard after `days` in a state, the inverse of `_exit_days`."""
    if days <= 0.0:
        return 0.0
    kind, row, location = law_of(laws, exit_, draw, location)
    if kind == PIECES:
        piece = 0
        for place in range(laws.cuts.shape[1]):
            piece += laws.cuts[exit_, place] < days
        began = 0.0 if piece == 0 else laws.cuts[exit_, piece - 1]
        hazard = location * (laws.reached[draw, exit_, piece] + laws.rate[draw, exit_, piece] * (days - began))
    elif kind == SPLINE:
        step = (LAST_LOG_DAY - FIRST_LOG_DAY) / (laws.table.shape[1] - 1)
        place = (math.log(days) - FIRST_LOG_DAY) / step
        hazard = math.exp(location + between_of(laws.table, row, place))
    else:
        w = (math.log(days) - location) / laws.scale[draw, exit_]
        if kind == LOG:
            hazard = math.exp(w)
        elif kind == LOGISTIC:
            hazard = math.log1p(math.exp(-abs(w))) + max(w, 0.0)
        else:
            hazard = math.exp(laws.low + laws.step * node_of(laws.table, row, w))
    plateau = laws.plateau[draw, exit_]
    if plateau > 0.0:
        hazard = -math.log1p((1.0 - plateau) * math.expm1(-hazard))
    return float(hazard)


law_of = inlined(_law)
standing_of = inlined(_standing)
between_of = inlined(_between)
node_of = inlined(_node_of)
exit_days_of = inlined(_exit_days)
collected_by = inlined(_collected)
