"""Exact simulation of a known process, the tables' own paths and the renewal equations agree."""

import numpy as np
import pytest

from msk_reserves.recovery.answers.grids import graded_grid
from msk_reserves.recovery.answers.paths import Uniforms, simulate_paths
from msk_reserves.recovery.answers.renewal import solve_renewal
from msk_reserves.recovery.answers.stay_tables import known_stays
from tests.worlds.known_path import OFF, STATES, known_moves, simulate_known

DAYS = (30.0, 182.0, 600.0)
AGES = (0.0, 14.0, 91.0, 364.0)
N = 20_000
STAYS = 25


@pytest.mark.parametrize("state", [name for name in STATES if name != "mmi"])
def test_simulated_paths_agree_from_every_state_and_age(state: str) -> None:
    """Shares of 20,000 exact paths lie within 4 simulation errors of the probabilities, and mean days off too.

    Of some 400 comparisons a right solution would fail one with probability 0.03; the seeds are fixed. 6e-5 is allowed
    for the grid, whose own error was at most that, against a simulation error of up to 3.5e-3.
    """
    grid = graded_grid(DAYS[-1], DAYS, cells=150)
    ahead = solve_renewal(grid, *known_stays(known_moves(), grid, state=state, age=AGES))
    mean = grid.weights @ ahead.of(OFF)
    for row, age in enumerate(AGES):
        seen, off = simulate_known(np.random.default_rng([7, STATES.index(state), row]), (state, age), N, DAYS)
        for place, day in enumerate(DAYS):
            for name, chance in zip(ahead.states, ahead.occupation[:, grid.at(day), row], strict=True):
                share = (seen[place] == STATES.index(name)).mean()
                assert abs(share - chance) < 4.0 * np.sqrt(chance * (1 - chance) / N) + 6e-5, (age, day, name)
        assert abs(off.mean() - mean[row]) < 4.0 * off.std() / np.sqrt(N) + 0.01


def test_paths_on_the_tables_agree_with_the_equations_and_with_exact_paths() -> None:
    """State at each day and mean days off within 4.5 errors of the equations; quantiles of days off of exact paths."""
    grid = graded_grid(DAYS[-1], DAYS)
    now, fresh = known_stays(known_moves(), grid, state="off_work", age=[0.0, 60.0])
    rng = np.random.default_rng(3)
    uniforms = Uniforms(rng.random((2, N)), rng.random((STAYS, 3, 2, N)))
    walked = simulate_paths(grid, now, fresh, uniforms, counted=OFF, days=DAYS)
    ahead = solve_renewal(grid, now, fresh)
    for place, day in enumerate(DAYS):
        for code, name in enumerate(walked.states):
            chance = ahead.of([name])[grid.at(day)]
            share = (walked.state[place] == code).mean(axis=1)
            assert (np.abs(share - chance) < 4.5 * np.sqrt(chance * (1 - chance) / N) + 1e-3).all(), (day, name)
    for row, age in enumerate((0.0, 60.0)):
        _, off = simulate_known(np.random.default_rng(row), ("off_work", age), N, DAYS)
        for probability in (0.1, 0.5, 0.9):
            at = np.quantile(walked.days[row], probability)
            # Two samples: root two times the error of a share, and the grid's own error.
            error = np.sqrt(2 * probability * (1 - probability) / N)
            assert abs((off <= at).mean() - probability) < 4.5 * error + 1e-3
    assert (walked.first_days <= walked.days).all()
