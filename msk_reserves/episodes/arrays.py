"""The arrays the inner loop reads and adds to."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats, Integers

Codes = npt.NDArray[np.uint8]
"""Numbers that places are looked up by. Unsigned, so that no look-up has to ask whether it counts from the end."""


class PathStates(NamedTuple):
    """What each state counts as; shape (n_states,) but for the last.

    Attributes
    ----------
    off_work : the worker is off work.
    in_window : an episode until return or MMI stays open.
    back : the worker is back at full duty.
    operated : the worker has been operated on by entering it.
    relapse : the worker is off work again.
    settled : the claim has been settled.
    represented : the worker has an attorney.
    origin_mark : what sets apart stays by the state entered and the state left, -1 for whether operated on; shape
        (n_states, n_states).
    """

    off_work: Booleans
    in_window: Booleans
    back: Booleans
    operated: Booleans
    relapse: Booleans
    settled: Booleans
    represented: Booleans
    origin_mark: Integers


class Laws(NamedTuple):
    """Draws of every exit's law; exits are numbered by the state they leave, J in all.

    Attributes
    ----------
    first, last : exits of each state, a range; shape (n_states,).
    target : state each exit leads to, shape (J,).
    continues : whether the clock of the stay goes on after it, shape (J,).
    forward : whether its days count from the start of the claim's path, shape (J,).
    kind, scale, row : how the hazard is inverted, scale and row of `table`; shape (n_draws, J).
    plateau : share that never leaves by this exit, 0 where all do in the end; shape (n_draws, J).
    table : w on an even grid of ln h from `low` by `step`, shape (n_rows, n_nodes); increasing.
    cuts, n_cuts : ends of the pieces, shapes (J, n_cuts) and (J,).
    reached, rate : cumulative hazard at the start of each piece, infinite beyond the last, and rate in it; shape
        (n_draws, J, n_cuts + 1).
    coefficients : constant and coefficients of the predictor of each exit, shape (n_draws, J, 1 + n_columns).
    entry_column : first column of the design that says how late a stay began, -1 for none.
    shared : what the predictor gains by one of a claim's log factor, 0 for an exit without; shape (n_draws, J).
    """

    first: Integers
    last: Integers
    target: Codes
    continues: Booleans
    forward: Booleans
    kind: Codes
    scale: Floats
    row: npt.NDArray[np.uint32]
    plateau: Floats
    table: Floats
    low: float
    step: float
    cuts: Floats
    n_cuts: Codes
    reached: Floats
    rate: Floats
    coefficients: Floats
    entry_column: int
    shared: Floats


class Claims(NamedTuple):
    """The claims of a block where they stand; shape (n_claims,) unless said otherwise.

    Attributes
    ----------
    keys : keys of their random numbers.
    state, began, since_start : where they are, for how many days, and days since their paths began.
    days_off : days off work so far.
    operated : whether operated on.
    relapsed : whether off work again after a return, now or before.
    band_days, band_last : what the band of the present stay is told by, as in `cost.cells.banded`.
    window_open : whether an episode until return or MMI is running or may begin.
    triggered : days since the bundle in force was triggered.
    design : covariates, shape (n_claims, n_columns).
    columns, filled : the columns of the design in which each claim has a number other than zero, shape (n_claims,
        most), and how many these are.
    level, worth, rise : as in `Room` on the valuation date, shape (n_claims, n_growths).
    log_factor : log factor of the claim's employer on some exits, shape (n_claims, n_draws).
    """

    keys: npt.NDArray[np.uint64]
    state: Codes
    began: Floats
    since_start: Floats
    days_off: Floats
    operated: Booleans
    relapsed: Booleans
    band_days: Floats
    band_last: Booleans
    window_open: Booleans
    triggered: Floats
    design: Floats
    columns: npt.NDArray[np.uint16]
    filled: Integers
    level: Floats
    worth: Floats
    rise: Floats
    log_factor: Floats


DAYS_OFF, DAYS_TO_LEAVE, DAY_BACK = range(3)
"""Places of the days among what is added up along a future."""


class Room(NamedTuple):
    """What the loop keeps of the claim, draw, future and stay at hand.

    Attributes
    ----------
    located : whether the exits of a state have been located for the claim and draw, shape (n_entries, n_states), first
        for the claim's present stay and then for stays that begin, by how late they do; so all that follows.
    location, so_far, stays : location of each exit's law, or the hazard ratio of pieces, its cumulative hazard at the
        age of the stay, and the probability of not leaving by it before the horizon; shape (n_entries, J).
    level, worth, rise : of each growth, the price level of the stay's first day, what payments since are worth at it,
        and the level now over it; shape (n_growths,).
    gained, worth_after : what payments over a stretch of the stay are worth at the level of its first day, and worth at
        its end; shape (n_growths,).
    before, paid : payments before the stretch, and in it; shape (A,).
    total : what the future has added up so far, shape (n_sums,); the four that follow are parts of it.
    expected, scoped, scoped_days_off, days : as in `Sums`, of one future; the last holds `DAYS_OFF` and so on.
    leaving, followed : which futures of the claim and draw leave the present stay before the horizon, and those to be
        followed; shape (n_futures,).
    """

    location: Floats
    located: Booleans
    so_far: Floats
    stays: Floats
    level: Floats
    worth: Floats
    rise: Floats
    gained: Floats
    worth_after: Floats
    before: Floats
    paid: Floats
    total: Floats
    expected: Floats
    scoped: Floats
    scoped_days_off: Floats
    days: Floats
    leaving: Integers
    followed: Integers


class Money(NamedTuple):
    """Payments along a stay of A components, and the scopes that count parts of them.

    Attributes
    ----------
    payments : payments up to a day of a stay are the first plus the second for each day worth, by the bin of the day;
        shape (n_draws, n_groups, n_bins, A, 2).
    growths : the different growths of price levels a day, shape (n_growths,).
    growth_of : which of them each component has, shape (A,).
    bin_of_day : bin of each whole day in a state; the last entry serves all later days.
    bands : days off before a stay at which its band begins.
    shares : share of a group's payments inside each scope, shape (n_scopes, A, n_groups).
    window_days : length of each scope's window, -1 until return or MMI.
    until : days ahead at which each scope's window closes at the latest, infinite for never.
    """

    payments: npt.NDArray[np.float32]
    growths: Floats
    growth_of: Codes
    bin_of_day: npt.NDArray[np.uint16]
    bands: Floats
    shares: Floats
    window_days: Integers
    until: Floats


class Sums(NamedTuple):
    """What is added up along each future; shape (n_claims, n_scenarios), with components and scopes in front.

    Attributes
    ----------
    values : all of it, shape (n_sums, n_claims, n_scenarios); the rest are parts of it.
    expected : expected payments by component, before multipliers of claim, draw and scenario.
    scoped : the same inside each scope.
    scoped_days_off : days off inside each scope's window.
    days_off : days off work.
    days_to_leave : days until the worker leaves being off work in the present spell.
    day_back : days until the worker is back at full duty, infinite if not before the horizon.
    """

    values: Floats
    expected: Floats
    scoped: Floats
    scoped_days_off: Floats
    days_off: Floats
    days_to_leave: Floats
    day_back: Floats
