"""Laws of simulated paths: they agree with the renewal equations, and with the paths of a forecast."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pytest

from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE, STATES
from msk_reserves.episodes.paths import SimulatedPaths, simulate_paths
from msk_reserves.episodes.randomness import key_of
from msk_reserves.episodes.walk import walk
from msk_reserves.recovery.answers.grids import graded_grid
from msk_reserves.recovery.answers.renewal import solve_renewal
from msk_reserves.recovery.answers.stay_tables import KnownMove, known_stays
from tests.worlds.moves import FORWARD, MOVES, ONSETS, WHERE, drawn_moves, known_moves, plan_of_moves

DAYS = (14.0, 91.0, 182.0, 728.0)

N = 20_000


def paths(
    state: str,
    age: float,
    *,
    since_start: float | None = None,
    forward: Collection[tuple[str, str]] = (),
    days: tuple[float, ...] = DAYS,
    scenarios: int = 2_000,
) -> SimulatedPaths:
    """Return paths of ten claims that have been in a state for `age` days."""
    (found,) = simulate_paths(
        drawn_moves(MOVES, continuing=ONSETS, forward=forward),
        np.zeros((10, 0)),
        claim_ids=tuple(f"C-{row}" for row in range(10)),
        state=np.full(10, STATE_CODE[state]),
        days_in_state=np.full(10, age),
        days_since_start=np.full(10, age if since_start is None else since_start),
        days_ahead=days,
        scenarios=scenarios,
        seed=5,
    )
    return found


@pytest.mark.parametrize("state", sorted({origin for origin, _ in MOVES}))
@pytest.mark.parametrize("age", [0.0, 75.0])
def test_paths_agree_with_the_renewal_equations(state: str, age: float) -> None:
    """From every state and two ages, shares of 20,000 futures are within 4 simulation errors of the probabilities.

    The grid of the equations is fine enough for its own error to stay below 0.0005, which is allowed beside.
    """
    _agree(known_moves(), (state, age, age), paths(state, age))


@pytest.mark.parametrize(
    ("state", "age", "since_start"),
    WHERE,
)
def test_paths_agree_where_moves_run_on_the_clock_of_the_path(state: str, age: float, since_start: float) -> None:
    """With attorneys, improvement and settlement on the days since the start, bounds as above."""
    found = paths(state, age, since_start=since_start, forward=FORWARD)
    _agree(known_moves(FORWARD), (state, age, since_start), found)


def _agree(moves: Sequence[KnownMove], where: tuple[str, float, float], found: SimulatedPaths) -> None:
    """Hold the shares of futures in each state against the renewal equations."""
    grid = graded_grid(DAYS[-1], DAYS, cells=120)
    state, age, since_start = where
    ahead = solve_renewal(grid, *known_stays(moves, grid, state=state, age=age, since_start=since_start))
    shares = found.occupation().mean(axis=0)
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(DAYS)))
    for place, day in enumerate(DAYS):
        for name in STATES:
            chance = float(ahead.of([name])[grid.at(day), 0])
            allowed = 4.0 * np.sqrt(chance * (1 - chance) / N) + 0.0005
            assert abs(shares[place, STATE_CODE[name]] - chance) <= allowed, f"{name} after {day:g} days"


@pytest.mark.parametrize(("since_start", "forward"), [(20.0, ()), (90.0, FORWARD)])
def test_paths_are_those_of_a_forecast(since_start: float, forward: Collection[tuple[str, str]]) -> None:
    """With the same keys the paths are the forecast's own: days off to its horizon agree future by future."""
    drawn, ages = drawn_moves(MOVES, continuing=ONSETS, forward=forward), (20.0, since_start)
    plan = plan_of_moves(drawn, state="off_work", ages=ages, n_claims=10, scenarios=200, horizon_days=728.0)
    found = paths("off_work", 20.0, since_start=since_start, forward=forward, days=(100.0, 728.0), scenarios=200)
    plan = replace(plan, keys=np.array([key_of(5, f"C-{row}") for row in range(10)], dtype=np.uint64))
    np.testing.assert_allclose(found.days_off[:, :, 1], walk(plan).days_off, rtol=1e-6)
    off = np.isin(found.state, [STATE_CODE[name] for name in OFF_WORK_STATES])
    assert (np.diff(found.days_off, axis=2) >= 0).all()
    assert (found.days_off[off[:, :, 0], 0] > 0).all()


def test_days_must_increase_and_draws_divide_the_scenarios() -> None:
    """What cannot be simulated is refused, with the value that came."""
    with pytest.raises(ValueError, match="`days_ahead` must increase from above 0"):
        paths("off_work", 0.0, days=(10.0, 10.0))
    with pytest.raises(ValueError, match="`scenarios` must be a multiple of the 5 draws, got 42"):
        paths("off_work", 0.0, scenarios=42)
