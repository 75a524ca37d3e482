"""Where a worker came from tells what death and settlement cost, and benefits end."""

from dataclasses import replace

import numpy as np
import pytest

from msk_reserves._checks import Floats
from msk_reserves.claims.spells import Spells
from msk_reserves.claims.vocabulary import STATE_CODE, STILL_IN_STATE
from msk_reserves.cost.cells import CellGrid, banded, marked
from msk_reserves.cost.credible import BENEFIT_DECLINE, DEATH_BENEFIT_DAYS, credible_rates
from msk_reserves.episodes.walk import walk
from tests.worlds.moves import drawn_moves, plan_of_moves

GRID = CellGrid()


def stays(*paths: tuple[str, ...]) -> Spells:
    """Return claims that spent thirty days in each of some states, operated on from the start."""
    claim = np.repeat(np.arange(len(paths)), [len(path) for path in paths])
    state = np.array([STATE_CODE[name] for path in paths for name in path])
    n = len(claim)
    return Spells(
        claim=claim,
        state=state,
        entered=np.arange(n) * 30,
        days=np.full(n, 30.0),
        next_state=np.where(np.append(claim[1:] == claim[:-1], [False]), np.append(state[1:], [0]), STILL_IN_STATE),
        observed_from=np.zeros(n),
        interval=np.zeros(n),
        days_off_before=np.zeros(n),
        operated=np.ones(n, dtype=np.bool_),
    )


def cells(state: str, mark: int, amount: "np.typing.ArrayLike") -> Floats:
    """Return a table of all cells, zero but for one state and mark, bin by bin."""
    table = np.zeros(GRID.shape)
    table[STATE_CODE[state], mark, 0] = amount
    return table.ravel()


def test_origin_marks_the_dead_and_the_settled() -> None:
    """Death while off work and settlement without a return are marked; others are not, though operated on."""
    told = marked(
        stays(
            ("off_work", "dead"),
            ("off_work", "back_at_work", "dead"),
            ("off_work", "mmi_represented", "settled"),
            ("off_work", "back_at_work", "settled"),
        )
    )
    assert told.tolist() == [True, True, True, True, False, True, True, True, True, True, False]


def test_death_benefits_follow_deaths_of_the_injury_and_end() -> None:
    """Dependants are owed benefits after the marked deaths alone, at one rate, for 520 weeks."""
    bins: Floats = np.ones(GRID.n_bins)
    days = cells("dead", 1, 400.0 * bins) + cells("dead", 0, 900.0 * bins)
    paid = cells("dead", 1, 4.0 * bins)
    rate = credible_rates(paid, days, GRID, 30.0, account="indemnity").reshape(GRID.shape)[STATE_CODE["dead"]]
    owed = np.array(GRID.bin_edges) < DEATH_BENEFIT_DAYS
    assert (rate[0] == 0).all()
    np.testing.assert_allclose(rate[1][:, owed], 0.01)
    assert (rate[1][:, ~owed] == 0).all()
    assert 0 < owed.sum() < GRID.n_bins


def test_benefits_that_few_payments_show_die_out() -> None:
    """Where nothing was seen, a rate of awards falls by the stated share a year; one of medical care stays."""
    seen = np.array(GRID.bin_edges) < 365.0
    days, paid = cells("mmi", 0, np.where(seen, 5_000.0, 0.0)), cells("mmi", 0, np.where(seen, 50.0, 0.0))
    middle = 0.5 * (np.array(GRID.bin_edges)[:-1] + np.array(GRID.bin_edges)[1:])
    late = np.flatnonzero(~seen)[:-1]
    rates = {
        benefits: credible_rates(paid, days, GRID, 30.0, account="indemnity" if benefits else "medical").reshape(
            GRID.shape
        )[STATE_CODE["mmi"], 0, 0]
        for benefits in (True, False)
    }
    years = (middle[late[1:]] - middle[late[:-1]]) / 365.25
    np.testing.assert_allclose(rates[True][late[1:]] / rates[True][late[:-1]], BENEFIT_DECLINE**years)
    np.testing.assert_allclose(rates[False][late[1:]] / rates[False][late[:-1]], 1.0)


def test_the_settled_lie_in_bands_of_how_long_they_had_been_where_they_were() -> None:
    """By the days in the state left, a twin's with those before it; the last band is of workers without an attorney."""
    spells = stays(
        ("off_work", "back_at_work", "back_at_work_represented", "settled"),
        ("off_work", "back_at_work", "settled"),
        ("relapse", "mmi_represented", "settled", "dead"),
    )
    columns = {name: getattr(spells, name) for name in Spells.__slots__}
    columns["days"] = np.array([30.0, 30, 400, 30, 30, 30, 30, 30, 100, 30, 30])
    days, last = banded(Spells(**columns))
    settled = spells.state == STATE_CODE["settled"]
    assert days[settled].tolist() == [400.0, 30.0, 100.0]
    assert last.tolist() == [False] * 6 + [True] + [True, True, False, True]


@pytest.mark.parametrize(
    ("state", "day", "band"),
    [
        ("back_at_work_represented", 20.0, 0),
        ("back_at_work_represented", 50.0, 1),
        ("mmi_represented", 200.0, 3),
        ("back_at_work", 200.0, GRID.n_bands - 1),
    ],
)
def test_a_simulated_settlement_lies_in_the_band_of_its_stay(state: str, day: float, band: int) -> None:
    """Futures settled at once are paid at the rate of the days in the state left, or of workers without an attorney."""
    at_once = drawn_moves({(state, "settled"): ("exponential", (np.log(1e-3),))})
    plan = plan_of_moves(at_once, state=state, ages=(day, day), n_claims=2, scenarios=20, horizon_days=100.0)
    payments = np.zeros_like(plan.money.payments)
    bands = np.arange(GRID.n_groups) % GRID.n_bands
    settled = np.arange(GRID.n_groups) // (2 * GRID.n_bands) == STATE_CODE["settled"]
    # One rate in all bins of days of the first component, a power of ten by band.
    payments[:, settled, :, 0, 1] = (10.0 ** bands[settled])[:, None, None]
    found = walk(replace(plan, money=plan.money._replace(payments=payments))).expected[0]
    np.testing.assert_allclose(found, 100.0 * 10.0**band, rtol=0.02)
