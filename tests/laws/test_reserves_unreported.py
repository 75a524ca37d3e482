"""Laws of claims not yet reported: what they may depend on, how they add up, and when a book cannot tell."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import msk_reserves as msk
from msk_reserves.claims.book import Assumption
from msk_reserves.claims.vocabulary import COMPONENTS, STATE_CODE
from msk_reserves.episodes.plan import Plan, make_plan
from msk_reserves.episodes.simulate import simulate_block
from msk_reserves.reserves.late_reports import LateReports, late_reports
from msk_reserves.reserves.report_lag import LagUnknownError
from msk_reserves.reserves.unreported import accident_periods
from tests.worlds.forecasts import undated_book
from tests.worlds.valued import LEDGER_DATE, ledger

SCENARIOS = 200


@pytest.fixture(scope="module")
def found() -> msk.Forecast:
    """Return a forecast of the ledger book."""
    book, recovery, cost = ledger()
    contracts: Mapping[str, msk.Contract] = {"ffs": msk.FeeForService(), "b": msk.FixedPriceBundle(price=20_000)}
    return msk.forecast(book, recovery, cost, contracts, scenarios=SCENARIOS, seed=4)


@pytest.fixture(scope="module")
def planned() -> tuple[Plan, LateReports, msk.UnreportedClaims]:
    """Return the plan of that forecast, and its claims not yet reported."""
    book, recovery, cost = ledger()
    plan = make_plan(book, recovery, cost, scenarios=SCENARIOS, seed=4, systemic=msk.SystemicRisk())
    return plan, *late_reports(book, cost, scenarios=SCENARIOS, seed=4, systemic=msk.SystemicRisk())


def exposed(*periods: tuple[str, str, float]) -> pd.DataFrame:
    """Return a table of exposure as read."""
    frame = pd.DataFrame(periods, columns=["period_start", "period_end", "payroll"])
    frame["full_time_equivalents"] = np.nan
    return frame.astype({"period_start": "datetime64[us]", "period_end": "datetime64[us]"})


def test_reported_lines_do_not_move(found: msk.Forecast) -> None:
    """With and without the line of claims not yet reported all other figures are the same to the last bit."""
    book, recovery, cost = ledger()
    without = msk.forecast(book, recovery, cost, {"ffs": msk.FeeForService()}, scenarios=SCENARIOS, seed=4, ibnr=False)
    assert without.ibnr is None
    assert without.ibnr_reason == "not asked for"
    np.testing.assert_array_equal(without.reserves["ffs"].scenarios(), found.reserves["ffs"].scenarios())
    np.testing.assert_array_equal(without.claims[0], found.claims[0])


def test_it_is_printed_beside_and_apart(found: msk.Forecast) -> None:
    """The text has the line with its band, the manifest the method and what was assumed."""
    assert found.ibnr is not None
    low, high = found.ibnr.count_band()
    assert f"{found.ibnr.counts.mean():,.1f} expected, 90 % predictive band {low:,.0f} to {high:,.0f}" in str(found)
    assert "claims not yet reported" in found.manifest.methods
    assert {one.name for one in found.ibnr.assumptions()} <= {one.name for one in found.manifest.assumptions}
    both = found.with_unreported("b")
    np.testing.assert_allclose(
        both.scenarios(), found.reserves["b"].scenarios() + found.ibnr.reserve.scenarios(), rtol=1e-12
    )
    assert f"b, reported or not: mean {both.mean():,.0f} dollars" in str(found)
    totals = np.sum([found.ibnr.reserve.scenarios(name) for name in COMPONENTS], axis=0)
    np.testing.assert_allclose(found.ibnr.reserve.scenarios(), totals, rtol=1e-12)


def test_blocks_do_not_matter(planned: tuple[Plan, LateReports, msk.UnreportedClaims]) -> None:
    """What the claims of a block stand for is the same alone, among all, and in any order."""
    plan, late, _ = planned
    rows = np.arange(0, plan.n_claims, 9)
    found = late.totals(rows, plan.keys[rows], simulate_block(plan.of(rows)))
    parts = [late.totals(half, plan.keys[half], simulate_block(plan.of(half))) for half in (rows[::-2], rows[-2::-2])]
    np.testing.assert_allclose(parts[0] + parts[1], found, rtol=1e-12, atol=1e-6)
    assert found[-1].sum() > 0


def test_numbers_drawn_are_those_expected(
    found: msk.Forecast, planned: tuple[Plan, LateReports, msk.UnreportedClaims]
) -> None:
    """The mean number by scenario is the sum over periods and lags, within the simulation error (false alarm 1e-5).

    Given the draws the number is Poisson, so that its variance is the mean plus the variance between draws.
    """
    plan, late, unreported = planned
    assert found.ibnr is not None
    shares = unreported.lag.draw(400, np.random.default_rng(1))
    rates = unreported.draw_rates(shares, np.random.default_rng(2))
    by_lag, when = unreported.expected_by_lag(shares, rates, np.array([8, 31, 91, 366]))
    missing = 1.0 - unreported.share_reported(shares)
    np.testing.assert_allclose(
        by_lag.sum(axis=1), (rates * unreported.periods.exposure * missing).sum(axis=1), rtol=1e-9
    )
    assert (np.diff(when) < 0).all()
    assert (late.band[unreported.claims] >= -1).all()
    mean = found.ibnr.counts.mean()
    error = np.sqrt(mean / SCENARIOS + by_lag.sum(axis=1).var() * (1 / plan.n_draws + 1 / 400))
    assert abs(mean - by_lag.sum(axis=1).mean()) < stats.norm.isf(5e-6) * error


def test_units_of_exposure_do_not_matter() -> None:
    """Payroll in thousands gives the counts of payroll in dollars."""
    book, _, _ = ledger()
    years = [(f"{year}-01-01", f"{year}-12-31", 1e6 * (1 + 0.1 * (year - 2018))) for year in range(2018, 2025)]
    dollars = msk.claims_not_yet_reported(replace(book, exposure=exposed(*years)))
    thousands = msk.claims_not_yet_reported(replace(book, exposure=exposed(*((a, b, c / 1e3) for a, b, c in years))))
    for name in ("not reported, mean", "not reported, sd"):
        np.testing.assert_allclose(dollars.to_frame()[name], thousands.to_frame()[name], rtol=1e-9)
    assert dollars.periods.basis == "payroll by period"


def test_exposure_known_by_the_date_alone_counts() -> None:
    """A book keeps the periods that had ended; the days since count at the last one's rate a day."""
    tables = msk.generate_world(60, seed=5).cut(LEDGER_DATE)
    table = exposed(("2018-01-01", "2023-12-31", 2_191.0), ("2024-01-01", "2024-12-31", 366.0))
    read = msk.load_tables(
        tables["claims"], events=tables["events"], payments=tables["payments"],
        exposure=table[["period_start", "period_end", "payroll"]],
    )  # fmt: skip
    early = read.as_of("2024-06-30")
    assert early.exposure is not None
    assert len(early.exposure) == 1
    periods = accident_periods(early)
    assert periods.exposure.tolist() == pytest.approx([2_191.0, 182.0])
    assert periods.basis == "payroll by period, the 182 days since the last at its rate"
    assert len(accident_periods(read.as_of("2024-12-31"))) == 2


def test_quarters_cover_every_day_once() -> None:
    """Without exposure the periods are calendar quarters from the first injury to the valuation date."""
    book, _, _ = ledger()
    periods = accident_periods(book)
    assert periods.begins[0] == book.claims["injury_day"].min()
    assert periods.ends[-1] == book.valuation_day + 1
    np.testing.assert_array_equal(periods.begins[1:], periods.ends[:-1])
    starts = pd.to_datetime(periods.begins[1:], unit="D")
    assert (starts.is_quarter_start).all()
    assert periods.reported.sum() == len(book)


def test_books_that_cannot_tell_say_why() -> None:
    """No dates, no report dates, a take-over, gaps in the exposure, all reported at once: each has its reason."""
    book, _, _ = ledger()
    no_report = replace(book, claims=book.claims.assign(report_date=pd.NaT))
    at_once = replace(book, claims=book.claims.assign(report_day=book.claims["injury_day"]))
    taken = replace(book, assumptions=(*book.assumptions, Assumption("entry_rule", "takeover", "test")))
    gap = exposed(("2018-01-01", "2018-12-31", 1.0), ("2020-01-01", "2024-12-31", 1.0))
    reasons = {
        "carry no dates": undated_book(),
        "carry no report dates": no_report,
        "open at a take-over": taken,
        "leave days between": replace(book, exposure=gap),
        "no period that had ended": replace(book, exposure=gap.iloc[:0]),
        "on the day of the injury": at_once,
    }
    for reason, one in reasons.items():
        with pytest.raises(LagUnknownError, match=reason):
            msk.claims_not_yet_reported(one)


def test_no_report_dates_no_line() -> None:
    """A forecast of a book without report dates says so, in the text and in place of the figures."""
    book, recovery, cost = ledger()
    bare = replace(book, claims=book.claims.assign(report_date=pd.NaT))
    result = msk.forecast(bare, recovery, cost, scenarios=40, seed=1)
    assert result.ibnr is None
    with pytest.raises(
        ValueError, match="claims not yet reported are not in this forecast: the claims carry no report"
    ):
        result.with_unreported("fee for service")
    assert "claims not yet reported are not in any figure: the claims carry no report dates" in str(result)
    near = msk.forecast(book, recovery, cost, scenarios=40, seed=1, horizon_days=365.0)
    assert near.ibnr is None
    assert near.ibnr_reason.startswith("what they cost within 365 days is not known")


def test_too_few_to_stand_for_them_is_said() -> None:
    """Where what was paid is not known the number is, and the cost is not: there is no line, and not one of nothing."""
    book, _, cost = ledger()
    unknown = replace(book, paid=book.paid * np.nan)
    assert msk.claims_not_yet_reported(unknown).to_frame()["not reported, mean"].sum() > 0
    with pytest.raises(LagUnknownError, match="only 0 claims out of a bundle tell both their lag and what was paid"):
        late_reports(unknown, cost, scenarios=SCENARIOS, seed=4, systemic=msk.SystemicRisk())


def test_closed_files_are_the_part_of_the_reserve_on_them(found: msk.Forecast) -> None:
    """The means of the files now closed add up to their line, under every contract, and the line is printed."""
    closed = found.book.position.state == STATE_CODE["closed"]
    assert closed.any()
    for place, name in enumerate(COMPONENTS):
        for contract in range(len(found.reserves)):
            means = found.claims[contract, place, closed, 0]
            assert found.closed_files.mean(name) == pytest.approx(means.sum(), rel=1e-9)
        assert (found.closed_files.scenarios(name) <= found.reserves["ffs"].scenarios(name) + 1e-6).all()
    assert f"of this on {closed.sum():,} files now closed: mean {found.closed_files.mean():,.0f}" in str(found)
