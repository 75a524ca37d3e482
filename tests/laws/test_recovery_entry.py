"""Laws of hazards that depend on how late a stay began: the walk, the equations and random paths say the same."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import msk_reserves as msk
from msk_reserves._checks import Floats
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE, STATES
from msk_reserves.episodes.paths import simulate_paths
from msk_reserves.recovery.answers.grids import Grid, graded_grid
from msk_reserves.recovery.answers.paths import Uniforms, simulate_paths as random_paths
from msk_reserves.recovery.answers.prognosis import predicted_occupation, state_probabilities
from msk_reserves.recovery.answers.renewal import solve_renewal
from msk_reserves.recovery.answers.standing import Block, Standing, blocks
from msk_reserves.recovery.answers.stay_tables import Seen, SteppedStay
from msk_reserves.recovery.path.draws import RecoveryDraws, TransitionDraws, law_draws
from msk_reserves.recovery.path.entry import ENTRY_SCORES, entered, entry_columns, entry_steps
from msk_reserves.recovery.path.model import Recovery
from tests.worlds.moves import FORWARD, MOVES, ONSETS, WHERE

DAYS = (14.0, 91.0, 182.0, 728.0)
N_CLAIMS, SCENARIOS = 10, 2_000
COLUMN = 1
"""The first column of how late a stay began; a covariate that no move reads comes before."""

EFFECTS: Mapping[tuple[str, str], tuple[int, float]] = {
    ("off_work", "mmi"): (2, 0.4),
    ("back_at_work", "relapse"): (0, 0.9),
    ("relapse", "back_at_work"): (1, 0.5),
    ("relapse_represented", "settled"): (2, -0.6),
    ("mmi", "settled"): (1, -0.4),
}
"""Shape and size of the effect on ln days of each move that has one."""

ON_PATH = tuple(move for move in FORWARD if move not in EFFECTS)


def late_moves(forward: Collection[tuple[str, str]] = (), *, times: float = 1.0) -> RecoveryDraws:
    """Return the known process with the effects, multiplied by `times`."""
    each = []
    for move, (family, theta) in MOVES.items():
        shape, size = EFFECTS.get(move, (-1, 0.0))
        inserted = (theta[0], times * size, *theta[1:]) if shape >= 0 else theta
        each.append(
            TransitionDraws(
                *move,
                columns=(COLUMN + shape,) if shape >= 0 else (),
                laws=(law_draws(family, np.array([inserted]), np.zeros(0)),),
                law_of_draw=np.zeros(1, dtype=np.int64),
                continues=move in ONSETS,
                forward=move in forward,
            )
        )
    return RecoveryDraws(None, 1, tuple(each), COLUMN)


def design_at(age: float, since_start: float) -> Floats:
    """Return the design of one claim."""
    return entered(np.ones((1, 1 + len(ENTRY_SCORES))), COLUMN, np.array([since_start - age]))


def block_of(drawn: RecoveryDraws, where: tuple[str, float, float], grid: Grid) -> Block:
    """Return the tables of one claim."""
    state, age, since_start = where
    standing = Standing(
        STATES,
        ("C-0",),
        np.array([STATE_CODE[state]]),
        np.array([age]),
        np.array([since_start]),
        np.array([np.nan]),
        design_at(age, since_start),
        drawn.entry_column,
    )
    (found,) = blocks(standing, drawn, Seen({}, {}), grid)
    return found


@pytest.mark.parametrize("forward", [(), ON_PATH])
@pytest.mark.parametrize("where", WHERE)
def test_the_walk_agrees_with_the_equations(
    where: tuple[str, float, float], forward: Collection[tuple[str, str]]
) -> None:
    """From several states, ages and days since the start, shares of 20,000 futures within 4 simulation errors.

    The grid of the equations, and cells in which two steps of lateness meet, may add 0.001 to that.
    """
    drawn, (state, age, since_start) = late_moves(forward), where
    (found,) = simulate_paths(
        drawn,
        np.repeat(design_at(age, since_start), N_CLAIMS, axis=0),
        claim_ids=tuple(f"C-{row}" for row in range(N_CLAIMS)),
        state=np.full(N_CLAIMS, STATE_CODE[state]),
        days_in_state=np.full(N_CLAIMS, age),
        days_since_start=np.full(N_CLAIMS, since_start),
        days_ahead=DAYS,
        scenarios=SCENARIOS,
        seed=5,
    )
    shares, n = found.occupation().mean(axis=0), N_CLAIMS * SCENARIOS
    grid = graded_grid(DAYS[-1], DAYS, cells=120)
    block = block_of(drawn, where, grid)
    ahead = solve_renewal(grid, block.now, block.fresh)
    for place, day in enumerate(DAYS):
        for name in STATES:
            chance = float(ahead.of([name])[grid.at(day), 0])
            allowed = 4.0 * np.sqrt(max(chance * (1 - chance), 0.0) / n) + 0.001
            assert abs(shares[place, STATE_CODE[name]] - chance) <= allowed, f"{name} after {day:g} days"


@pytest.mark.parametrize("forward", [(), ON_PATH])
def test_random_paths_agree_with_the_equations(forward: Collection[tuple[str, str]]) -> None:
    """State at each day within 4.5 errors of 20,000 paths and 0.001, mean days off within 4.5 errors and half a day."""
    n, grid = 20_000, graded_grid(DAYS[-1], DAYS, cells=120)
    for place, where in enumerate(WHERE[1:3]):
        block = block_of(late_moves(forward), where, grid)
        assert {type(stay) for stay in block.fresh.values()} >= {SteppedStay}
        rng = np.random.default_rng(place)
        uniforms = Uniforms(rng.random((1, n)), rng.random((25, 3, 1, n)))
        walked = random_paths(grid, block.now, block.fresh, uniforms, counted=OFF_WORK_STATES, days=DAYS)
        ahead = solve_renewal(grid, block.now, block.fresh)
        for at, day in enumerate(DAYS):
            for code, name in enumerate(walked.states):
                chance, share = float(ahead.of([name])[grid.at(day), 0]), (walked.state[at] == code).mean()
                assert abs(share - chance) < 4.5 * np.sqrt(max(chance * (1 - chance), 0.0) / n) + 0.001, (day, name)
        mean = float(grid.weights @ ahead.of(OFF_WORK_STATES)[:, 0])
        assert abs(walked.days.mean() - mean) < 4.5 * walked.days.std() / np.sqrt(n) + 0.5


@pytest.mark.parametrize("forward", [(), ON_PATH])
def test_an_effect_of_nothing_is_no_effect(forward: Collection[tuple[str, str]]) -> None:
    """Stays told apart by steps that make no difference lead where they did, to 1e-12, and shares add up to one."""
    grid = graded_grid(DAYS[-1])
    none, plain = late_moves(forward, times=0.0), replace(late_moves(forward, times=0.0), entry_column=-1)
    for where in WHERE:
        one, two = (block_of(drawn, where, grid) for drawn in (none, plain))
        # Who was represented when hurt, or has improved, has no later stay that depends on the step.
        several = where[0] not in ("off_work_represented", "mmi")
        assert any(isinstance(stay, SteppedStay) for stay in one.fresh.values()) == several
        apart, whole = (solve_renewal(grid, each.now, each.fresh) for each in (one, two))
        np.testing.assert_allclose(apart.occupation, whole.occupation, atol=1e-12)
        np.testing.assert_allclose(apart.begun, whole.begun, atol=1e-12)
        real = block_of(late_moves(forward), where, grid)
        late = solve_renewal(grid, real.now, real.fresh)
        np.testing.assert_allclose(late.occupation.sum(axis=0), 1.0, atol=1e-12)
        assert (late.occupation > -1e-12).all()
        assert (np.diff(late.begun, axis=1) > -1e-12).all()
        assert np.abs(late.occupation - whole.occupation).max() > (0.005 if where[0] == "back_at_work" else -1.0)


def test_cells_are_shared_out_among_the_steps() -> None:
    """The shares of a cell add up to one, and stays that begin in its middle are of a step that has a share in it."""
    grid, since = graded_grid(728.0), np.array([0.0, 60.0, 300.0, 800.0])
    block = block_of(late_moves(), ("back_at_work", 0.0, 0.0), grid)
    stay = block.fresh["relapse"]
    assert isinstance(stay, SteppedStay)
    shares = replace(stay, since_start=since).shares(grid.nodes)
    np.testing.assert_allclose(shares.sum(axis=0), 1.0, atol=1e-12)
    middle = 0.5 * (grid.nodes[1:] + grid.nodes[:-1])
    step = entry_steps(since[None, :] + middle[:, None])
    cells, rows = np.indices(step.shape)
    assert (shares[step, cells, rows] >= 0.5 - 1e-9).sum() >= step.size


@cache
def shipped() -> tuple[ClaimBook, Recovery]:
    """Return the shipped shoulder sample and its recovery, in which late relapses differ from early ones."""
    book = msk.load_sample("shoulder").as_of("2025-06-30")
    recovery = msk.fit_recovery(book, candidates=("weibull",), covariates=())
    # No move runs on the days since the path began, so that late entry alone asks for them.
    return book, replace(recovery, fitted=tuple(replace(move, forward=False) for move in recovery.fitted))


def test_a_table_of_workers_says_how_late_their_stays_began() -> None:
    """Claims described by hand are answered as the book's own; without the days since the start they are refused."""
    book, recovery = shipped()
    assert any(entry_columns(recovery.design.entry_column).intersection(move.columns) for move in recovery.fitted)
    position = book.position
    begun = position.days_since_start - position.days_in_state
    late = np.flatnonzero((position.state == STATE_CODE["back_at_work"]) & (begun > 100.0))[:3]
    assert len(late) == 3
    table = book.claims.iloc[late].assign(
        state="back_at_work",
        days_in_state=position.days_in_state[late],
        days_since_start=position.days_since_start[late],
    )
    draws = recovery.draw(5, 1)
    one = state_probabilities(recovery, book, DAYS, claims=table["claim_id"].tolist(), draws=draws)
    two = state_probabilities(recovery, table, DAYS, draws=draws)
    np.testing.assert_array_equal(one.probability, two.probability)
    with pytest.raises(ValueError, match="depends on how late a stay began and back_at_work may be entered later"):
        state_probabilities(recovery, table.drop(columns="days_since_start"), DAYS, draws=draws)


def test_what_is_predicted_from_a_day_of_ones_choice_began_then() -> None:
    """Relapses as of some day of the path, at the estimates, are those of a table that says so."""
    book, recovery = shipped()
    some = book.claims["claim_id"].iloc[:4].tolist()
    table = book.claims.iloc[:4].assign(state="relapse", days_in_state=30.0, days_since_start=600.0)
    states, found = predicted_occupation(
        recovery, book, DAYS, state="relapse", days_in_state=30.0, days_since_start=600.0, claims=some
    )
    again, by_hand = predicted_occupation(
        recovery, table, DAYS, state="relapse", days_in_state=30.0, days_since_start=600.0
    )
    sooner, early = predicted_occupation(recovery, book, DAYS, state="relapse", days_in_state=30.0, claims=some)
    assert states == again == sooner
    np.testing.assert_array_equal(found, by_hand)
    assert np.abs(found - early).max() > 0.005
