"""Where a worker came from tells what death and settlement cost, and benefits end."""

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.spells import Spells
from msk_reserves.claims.vocabulary import STATE_CODE, STILL_IN_STATE
from msk_reserves.cost.cells import CellGrid, marked
from msk_reserves.cost.credible import BENEFIT_DECLINE, DEATH_BENEFIT_DAYS, credible_rates

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
    rate = credible_rates(paid, days, GRID, 30.0, lifelong=True).reshape(GRID.shape)[STATE_CODE["dead"]]
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
        benefits: credible_rates(paid, days, GRID, 30.0, lifelong=benefits).reshape(GRID.shape)[STATE_CODE["mmi"], 0, 0]
        for benefits in (True, False)
    }
    years = (middle[late[1:]] - middle[late[:-1]]) / 365.25
    np.testing.assert_allclose(rates[True][late[1:]] / rates[True][late[:-1]], BENEFIT_DECLINE**years)
    np.testing.assert_allclose(rates[False][late[1:]] / rates[False][late[:-1]], 1.0)
