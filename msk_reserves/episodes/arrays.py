"""The arrays the inner loop reads and adds to."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats, Integers


class PathStates(NamedTuple):
    """What each state counts as; shape (n_states,).

    Attributes
    ----------
    off_work : the worker is off work.
    in_window : an episode until return or MMI stays open.
    back : the worker is back at full duty.
    operated : the worker has been operated on by entering it.
    """

    off_work: Booleans
    in_window: Booleans
    back: Booleans
    operated: Booleans


class Laws(NamedTuple):
    """Draws of every exit's law; exits are numbered by the state they leave, J in all.

    Attributes
    ----------
    first, last : exits of each state, a range; shape (n_states,).
    target : state each exit leads to, shape (J,).
    continues : whether the clock of the stay goes on after it, shape (J,).
    kind, scale, row : how the hazard is inverted, scale and row of `table`; shape (J, n_draws).
    plateau : share that never leaves by this exit, 0 where all do in the end; shape (J, n_draws).
    table : w on an even grid of ln h from `low` by `step`, shape (n_rows, n_nodes); increasing.
    cuts, n_cuts : ends of the pieces, shapes (J, n_cuts) and (J,).
    reached, rate : cumulative hazard at the start of each piece, and rate in it; shape (J, n_draws, n_cuts + 1).
    coefficients : constant and coefficients of the predictor of each exit, shape (J, n_draws, 1 + n_columns).
    """

    first: Integers
    last: Integers
    target: Integers
    continues: Booleans
    kind: Integers
    scale: Floats
    row: Integers
    plateau: Floats
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
