"""Laws of occupation probabilities: they add up, forget nothing they should not, and ignore the unit of time."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves.recovery.answers.grids import graded_grid, grid_of
from msk_reserves.recovery.answers.renewal import solve_renewal
from msk_reserves.recovery.answers.stay_tables import Seen, known_stays
from msk_reserves.recovery.laws.families import WEIBULL as WEIBULL_LAW
from msk_reserves.recovery.laws.residual import residual_mean
from tests.worlds.known_path import OFF, STATES, faster, known_moves, weibull_move

HORIZON = 900.0


@settings(max_examples=25, deadline=None)
@given(
    state=st.sampled_from([name for name in STATES if name != "mmi"]),
    ages=st.lists(st.floats(0.0, 2_000.0), min_size=1, max_size=4),
    stretch=st.floats(0.05, 20.0),
)
def test_occupation_adds_up_to_one(state: str, ages: list[float], stretch: float) -> None:
    """From every state and age, at every node and however coarse the grid, to 1e-12."""
    moves = [faster(move, stretch) for move in known_moves()]
    grid = graded_grid(HORIZON, cells=20)
    ahead = solve_renewal(grid, *known_stays(moves, grid, state=state, age=ages))
    np.testing.assert_allclose(ahead.occupation.sum(axis=0), 1.0, atol=1e-12)
    assert (ahead.occupation > -1e-12).all()


@settings(max_examples=20, deadline=None)
@given(age=st.floats(0.0, 3_000.0), shape=st.floats(0.5, 3.0))
def test_competing_exits_and_survival_add_up_to_one(age: float, shape: float) -> None:
    """Of one stay, with a state in which it continues: held anywhere or left anywhere, nothing else."""
    moves = [
        weibull_move("off_work", "back_at_work", shape, 90.0),
        weibull_move("off_work", "mmi", 1.3, 400.0),
        weibull_move("off_work", "off_work_represented", 1.0, 150.0, continues=True),
        weibull_move("off_work_represented", "mmi", 1.0, 300.0),
    ]
    now, _ = known_stays(moves, graded_grid(HORIZON), state="off_work", age=age)
    np.testing.assert_allclose(now.held.sum(axis=0) + now.left.sum(axis=0), 1.0, atol=1e-12)
    assert (np.diff(now.left, axis=1) >= 0).all()


def test_constant_rates_forget_the_age() -> None:
    """With exponential stays the answer is the same at every age."""
    moves = [weibull_move("off_work", "back_at_work", 1.0, 50.0), weibull_move("back_at_work", "off_work", 1.0, 300.0)]
    grid = graded_grid(HORIZON)
    ahead = solve_renewal(grid, *known_stays(moves, grid, state="off_work", age=[0.0, 10.0, 1_000.0]))
    np.testing.assert_allclose(ahead.occupation[:, :, 1:], ahead.occupation[:, :, :1].repeat(2, axis=2), atol=1e-12)


def test_the_unit_of_time_does_not_matter() -> None:
    """In weeks the probabilities are those in days, and the days off a seventh, to 1e-8."""
    grid = graded_grid(HORIZON)
    weeks = grid_of(grid.nodes / 7.0)
    in_weeks = [faster(move, 7.0) for move in known_moves()]
    one = solve_renewal(grid, *known_stays(known_moves(), grid, state="off_work", age=40.0))
    two = solve_renewal(weeks, *known_stays(in_weeks, weeks, state="off_work", age=40.0 / 7.0))
    np.testing.assert_allclose(two.occupation, one.occupation, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(7.0 * weeks.weights @ two.of(OFF), grid.weights @ one.of(OFF), rtol=1e-8)


def test_an_attorney_without_effect_changes_nothing() -> None:
    """A twin with the same exits splits the state it belongs to and moves nobody, also for a stay half over."""
    plain = [weibull_move("off_work", "back_at_work", 0.8, 90.0), weibull_move("back_at_work", "off_work", 0.7, 700.0)]
    split = [
        *plain,
        weibull_move("off_work", "off_work_represented", 1.2, 150.0, continues=True),
        weibull_move("off_work_represented", "back_at_work", 0.8, 90.0),
    ]
    grid = graded_grid(HORIZON, cells=96)
    for age in (0.0, 60.0):
        without = solve_renewal(grid, *known_stays(plain, grid, state="off_work", age=age))
        with_ = solve_renewal(grid, *known_stays(split, grid, state="off_work", age=age))
        # The inflow of a cell is spread evenly over it: an error of second order, measured at 1e-5 here.
        np.testing.assert_allclose(with_.of(["off_work", "off_work_represented"]), without.of(["off_work"]), atol=1e-4)
        assert with_.of(["off_work_represented"]).max() > 0.05


def test_residual_mean_of_a_single_stay_is_that_of_its_law() -> None:
    """The integral of the occupation is the restricted mean of the law, at entry and later, to 2e-4."""
    grid = graded_grid(3_640.0)
    moves = [weibull_move("off_work", "back_at_work", 1.3168399982896235, 417.7586472606239)]
    for age in (0.0, 180.0, 1_000.0):
        now, fresh = known_stays(moves, grid, state="off_work", age=age)
        mean = grid.weights @ solve_renewal(grid, now, fresh).of(["off_work"])[:, 0]
        law = residual_mean(WEIBULL_LAW, age, np.log(417.7586472606239), 1 / 1.3168399982896235, horizon=age + 3_640.0)
        assert mean == pytest.approx(law, rel=2e-4)


def test_twice_the_cells_leave_a_quarter_of_the_error() -> None:
    """The method is of second order: against a grid of 384 cells the error falls threefold at least by doubling."""
    found = {}
    for cells in (48, 96, 384):
        grid = graded_grid(HORIZON, cells=cells)
        solved = solve_renewal(grid, *known_stays(known_moves(), grid, state="off_work", age=30.0))
        found[cells] = float(grid.weights @ solved.of(OFF)[:, 0]), solved.occupation[:, -1, 0]
    for part in (0, 1):
        coarse, fine = (np.abs(np.subtract(found[cells][part], found[384][part])).max() for cells in (48, 96))
        assert fine < coarse / 3.0


def test_first_arrivals_grow_to_one_and_bound_the_occupation() -> None:
    """Stopped at full duty, arrivals there never fall and exceed the chance of being there."""
    grid = graded_grid(HORIZON)
    now, fresh = known_stays(known_moves(), grid, state="off_work", age=[0.0, 100.0])
    stopped = solve_renewal(grid, now, fresh, stop_at=["back_at_work"])
    free = solve_renewal(grid, now, fresh)
    arrived = stopped.begun_in(["back_at_work"])
    assert (np.diff(arrived, axis=0) >= -1e-12).all()
    assert (arrived >= free.of(["back_at_work"]) - 1e-12).all()
    np.testing.assert_allclose(stopped.of(["back_at_work"]), arrived, atol=1e-14)
    part = solve_renewal(grid, now, fresh, stop_at=["back_at_work"], nodes=20)
    np.testing.assert_allclose(part.occupation, stopped.occupation[:, :20], atol=1e-14)


def test_late_time_is_what_lies_beyond_the_longest_stay_seen() -> None:
    """With 200 days the longest stay seen, late occupation of a first stay is its survival beyond them."""
    moves = [weibull_move("off_work", "back_at_work", 0.8, 120.0)]
    grid = graded_grid(HORIZON, (150.0,))
    now, fresh = known_stays(moves, grid, state="off_work", age=50.0, seen=Seen({"off_work": 200.0}, {}))
    ahead = solve_renewal(grid, now, fresh)
    beyond = grid.nodes > 150.0
    np.testing.assert_array_equal(ahead.late[0][~beyond], 0.0)
    np.testing.assert_array_equal(ahead.late[0][beyond], ahead.occupation[0][beyond])
    np.testing.assert_array_equal(now.within_data().left[0, -1], now.left[0, grid.at(150.0)])


def test_what_cannot_be_solved_is_refused() -> None:
    """Grids that do not increase, ages below zero, days that are no node and stays that continue in a circle."""
    with pytest.raises(ValueError, match="`nodes` must increase from 0"):
        grid_of([0.0, 1.0, 1.0, 2.0])
    grid = graded_grid(HORIZON)
    with pytest.raises(ValueError, match="`days` must be a node"):
        grid.at(123.456)
    with pytest.raises(ValueError, match="`age` must be days"):
        known_stays(known_moves(), grid, state="off_work", age=-1.0)
    circle = [weibull_move("a", "b", 1.0, 9.0, continues=True), weibull_move("b", "a", 1.0, 9.0, continues=True)]
    with pytest.raises(ValueError, match="must not lead back"):
        known_stays(circle, grid, state="a")
