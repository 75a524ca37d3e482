"""Where a worker came from tells what death and settlement cost, and benefits end."""

from dataclasses import replace

import numpy as np
import pytest

from msk_reserves._checks import Floats
from msk_reserves.claims.spells import Spells
from msk_reserves.claims.vocabulary import STATE_CODE, STILL_IN_STATE
from msk_reserves.cost.cells import CellGrid, banded, marked
from msk_reserves.cost.credible import credible_rates
from msk_reserves.cost.late import BENEFIT_DECLINE, DEATH_BENEFIT_DAYS, LatePayments
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
    fitted = credible_rates(paid, days, GRID, 30.0, account="indemnity")
    rate = LatePayments().ended(fitted, GRID, "indemnity").reshape(GRID.shape)[STATE_CODE["dead"]]
    owed = np.array(GRID.bin_edges) < DEATH_BENEFIT_DAYS
    assert (rate[0] == 0).all()
    np.testing.assert_allclose(rate[1][:, owed], 0.01)
    assert (rate[1][:, ~owed] == 0).all()
    assert 0 < owed.sum() < GRID.n_bins


@pytest.mark.parametrize("part", [0.25, 0.8, 1.0])
def test_the_user_says_what_remains_of_late_benefits_and_expense(part: float) -> None:
    """Each account falls by its own figure, whatever the other's; care does not."""
    seen = np.array(GRID.bin_edges) < 365.0
    days, paid = (cells("off_work", 0, np.where(seen, amount, 0.0)) for amount in (5_000.0, 50.0))
    middle = 0.5 * (np.array(GRID.bin_edges)[:-1] + np.array(GRID.bin_edges)[1:])
    bins = np.flatnonzero(~seen)[:-1]
    years = (middle[bins[1:]] - middle[bins[:-1]]) / 365.25
    late = {"indemnity": LatePayments(benefits=part), "expense": LatePayments(expense=part)}
    for given, assumed in late.items():
        for account in ("indemnity", "expense", "medical"):
            rate = credible_rates(paid, days, GRID, 30.0, account=account, late=assumed).reshape(GRID.shape)
            fallen = rate[STATE_CODE["off_work"], 0, 0]
            expected = 1.0 if account == "medical" else (part if account == given else BENEFIT_DECLINE) ** years
            np.testing.assert_allclose(fallen[bins[1:]] / fallen[bins[:-1]], expected)


@pytest.mark.parametrize("weeks", [300.0, 520.0, np.inf])
def test_death_benefits_end_when_the_user_says(weeks: float) -> None:
    """A bin begins where they end, whatever the grid; for life they never do."""
    late = LatePayments(death_weeks=weeks)
    for grid in (GRID, CellGrid((0.0, 365.0), (28.0,))):
        with_end = late.end_a_bin(grid)
        assert with_end.n_bins == grid.n_bins + int(np.isfinite(weeks) and 7.0 * weeks not in grid.bin_edges)
        days = np.zeros(grid.shape)
        days[STATE_CODE["dead"], 1] = 100.0
        fitted = credible_rates((0.01 * days).ravel(), days.ravel(), grid, 30.0, account="indemnity", late=late)
        owed = np.array(with_end.bin_edges) < 7.0 * weeks
        after = late.ended(fitted, grid, "indemnity").reshape(with_end.shape)[STATE_CODE["dead"], 1]
        np.testing.assert_allclose(after, np.broadcast_to(np.where(owed, 0.01, 0.0), after.shape))


def test_late_payments_are_printed_with_whose_they_are() -> None:
    """Defaults are judgements of the library; other figures the user's, by the source that is named."""
    death, late = LatePayments().assumptions("indemnity")
    assert (death.value, late.value[:16]) == ("owed for 520 weeks from the death", "fall to 50% a ye")
    assert all(one.source.startswith("judgement: ") for one in (death, late))
    own = LatePayments(death_weeks=np.inf, source="statute of the state")
    deaths, benefits = own.assumptions("indemnity")
    assert (deaths.value, deaths.source) == ("owed for life", "statute of the state")
    assert benefits.source.startswith("judgement: ")
    (expense,) = LatePayments(expense=0.9).assumptions("expense")
    assert (expense.value, expense.source) == ("falls to 90% a year", "given by the user")
    assert LatePayments().assumptions("medical") == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0.0, 0.5, 520.0), "`benefits` must lie above 0 and not exceed 1.*got 0.0"),
        ((0.5, 1.2, 520.0), "`expense` must lie above 0 and not exceed 1.*got 1.2"),
        ((0.5, 0.5, -1.0), "`death_weeks` must be above zero, or infinite for life, got -1.0"),
        ((0.5, 0.5, np.nan), "`death_weeks` must be a finite number"),
    ],
)
def test_late_payments_that_cannot_be_are_refused(given: tuple[float, float, float], message: str) -> None:
    """Each rule says the value that came."""
    with pytest.raises(ValueError, match=message):
        LatePayments(*given)


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
