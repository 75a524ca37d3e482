"""Laws of simulated paths: they agree with the renewal equations, and with the paths of a forecast."""

from dataclasses import replace

import numpy as np
import pytest

from msk_reserves._checks import Floats
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE, STATES
from msk_reserves.episodes.paths import SimulatedPaths, simulate_paths
from msk_reserves.episodes.randomness import key_of
from msk_reserves.episodes.walk import walk
from msk_reserves.recovery.answers.renewal import solve_renewal
from msk_reserves.recovery.answers.stay_tables import KnownMove, graded_grid, known_stays
from msk_reserves.recovery.path.draws import TransitionDraws
from tests.worlds.moves import Moves, drawn_moves, plan_of_moves

DAYS = (14.0, 91.0, 182.0, 728.0)

MOVES: Moves = {
    ("off_work", "back_at_work"): ("lognormal", (4.0, 0.2)),
    ("off_work", "modified_duty"): ("weibull", (4.6, -0.2)),
    ("off_work", "mmi"): ("loglogistic", (6.4, -0.5)),
    ("off_work", "off_work_represented"): ("weibull", (4.8, 0.3)),
    ("off_work_represented", "back_at_work_represented"): ("gengamma", (4.9, 0.1, 0.6)),
    ("off_work_represented", "mmi_represented"): ("exponential", (6.0,)),
    ("modified_duty", "back_at_work"): ("weibull", (3.6, 0.1)),
    ("modified_duty", "relapse"): ("lognormal", (5.0, 0.2)),
    ("back_at_work", "relapse"): ("weibull", (6.8, 0.3)),
    ("back_at_work", "closed"): ("weibull", (4.5, -0.3)),
    ("back_at_work_represented", "settled"): ("weibull", (5.5, -0.2)),
    ("relapse", "back_at_work"): ("lognormal", (4.2, 0.0)),
    ("relapse", "relapse_represented"): ("exponential", (5.5,)),
    ("relapse_represented", "settled"): ("lognormal", (5.6, -0.1)),
    ("mmi", "settled"): ("exponential", (5.8,)),
    ("mmi_represented", "settled"): ("weibull", (5.4, -0.1)),
    ("closed", "reopened"): ("exponential", (8.0,)),
}
"""A known process with relapses, twins and a law of every family, without covariates."""

ONSETS = tuple(move for move in MOVES if move[1] == f"{move[0]}_represented")
N = 20_000


def paths(state: str, age: float, *, days: tuple[float, ...] = DAYS, scenarios: int = 2_000) -> SimulatedPaths:
    """Return paths of ten claims that have been in a state for `age` days."""
    (found,) = simulate_paths(
        drawn_moves(MOVES, continuing=ONSETS),
        np.zeros((10, 0)),
        claim_ids=tuple(f"C-{row}" for row in range(10)),
        state=np.full(10, STATE_CODE[state]),
        days_in_state=np.full(10, age),
        days_since_start=np.full(10, age),
        days_ahead=days,
        scenarios=scenarios,
        seed=5,
    )
    return found


def known(move: TransitionDraws) -> KnownMove:
    """Return a move as the renewal equations take it."""

    def hazard(days: Floats) -> Floats:
        flat, location = days.ravel(), move.laws[0].coefficients[0, 0]
        draw = np.zeros(len(flat), dtype=np.int64)
        return move.cumulative_hazard(flat, np.full(len(flat), location), draw).reshape(days.shape)

    return KnownMove(move.origin, move.target, hazard, move.continues)


@pytest.mark.parametrize("state", sorted({origin for origin, _ in MOVES}))
@pytest.mark.parametrize("age", [0.0, 75.0])
def test_paths_agree_with_the_renewal_equations(state: str, age: float) -> None:
    """From every state and two ages, shares of 20,000 futures are within 4 simulation errors of the probabilities.

    The grid of the equations is fine enough for its own error to stay below 0.0005, which is allowed beside.
    """
    grid = graded_grid(DAYS[-1], DAYS, cells=120)
    moves = [known(move) for move in drawn_moves(MOVES, continuing=ONSETS, n_draws=1).moves]
    ahead = solve_renewal(grid, *known_stays(moves, grid, state=state, age=age))
    shares = paths(state, age).occupation().mean(axis=0)
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(DAYS)))
    for place, day in enumerate(DAYS):
        for name in STATES:
            chance = float(ahead.of([name])[grid.at(day), 0])
            allowed = 4.0 * np.sqrt(chance * (1 - chance) / N) + 0.0005
            assert abs(shares[place, STATE_CODE[name]] - chance) <= allowed, f"{name} after {day:g} days"


def test_paths_are_those_of_a_forecast() -> None:
    """With the same keys the paths are the forecast's own: days off to its horizon agree future by future."""
    drawn = drawn_moves(MOVES, continuing=ONSETS)
    plan = plan_of_moves(drawn, state="off_work", age=20.0, n_claims=10, scenarios=200, horizon_days=728.0)
    found = paths("off_work", 20.0, days=(100.0, 728.0), scenarios=200)
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
