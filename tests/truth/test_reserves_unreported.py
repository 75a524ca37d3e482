"""Claims not yet reported where the truth is known: counts inside their bands, and the cost of late reports apart."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import msk_reserves as msk
from msk_reserves._checks import Floats
from msk_reserves.claims.book import ClaimBook
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.takeover import takeover
from msk_reserves.reserves.late_reports import LateReports, weights
from msk_reserves.reserves.unreported import UnreportedClaims
from tests.worlds.valued import ledger

FILES, DRAWS = 24, 150
DAYS = 1_200
ALARM = 0.001


def file_of_claims(seed: int) -> tuple[ClaimBook, int]:
    """Return a file of claims with known lags, and how many were not reported.

    Six in ten are reported after an exponential time of 3 days, the others after one of 45: no law that is fitted. The
    rate of claims differs from quarter to quarter by 15 %.
    """
    draw = np.random.default_rng(seed)
    book, _, _ = ledger()
    first = book.valuation_day - DAYS + 1
    rate = np.repeat(1.2 * np.exp(0.15 * draw.standard_normal(14)), 91)[:DAYS]
    injury = first + np.repeat(np.arange(DAYS), draw.poisson(rate))
    slow = draw.random(len(injury)) < 0.4
    report = injury + np.floor(draw.exponential(np.where(slow, 45.0, 3.0))).astype(np.int64)
    known = report <= book.valuation_day
    day = np.datetime64(0, "D") + report[known].astype("timedelta64[D]")
    claims = pd.DataFrame(
        {"injury_day": injury[known], "report_day": report[known], "report_date": day.astype("datetime64[us]")}
    )
    return replace(book, claims=claims), int((~known).sum())


def drawn(unreported: UnreportedClaims, seed: int) -> Floats:
    """Return draws of the number of claims not yet reported."""
    rng = np.random.default_rng(seed)
    shares = unreported.lag.draw(DRAWS, rng)
    rates = unreported.draw_rates(shares, rng)
    expected, _ = unreported.expected_by_lag(shares, rates, np.array([31]))
    counts: Floats = rng.poisson(expected.sum(axis=1)).astype(np.float64)
    return counts


def test_counts_lie_in_their_bands_as_often_as_they_should() -> None:
    """Of 24 files the number lies in the 90 % band in a binomial number, its place uniform, its mean unbiased.

    False alarm 0.1 % each: binomial region, Kolmogorov-Smirnov distance of the randomised place, t statistic.
    """
    place, error = np.empty(FILES), np.empty(FILES)
    coin = np.random.default_rng(99)
    for file in range(FILES):
        book, actual = file_of_claims(1_000 + file)
        counts = drawn(msk.claims_not_yet_reported(book), file)
        below, same = (counts < actual).mean(), (counts == actual).mean()
        place[file] = below + coin.random() * same
        error[file] = (counts.mean() - actual) / counts.std()
    held = int(((place > 0.05) & (place < 0.95)).sum())
    assert stats.binom.ppf(ALARM / 2, FILES, 0.9) <= held <= stats.binom.isf(ALARM / 2, FILES, 0.9)
    assert stats.kstest(place, "uniform").pvalue > ALARM
    assert abs(error.mean()) < stats.t.isf(ALARM / 2, FILES - 1) * error.std(ddof=1) / np.sqrt(FILES)


def test_late_reports_cost_what_late_reports_cost() -> None:
    """Where claims reported late cost nine times as much the unreported ones do, in the proportions of their lags.

    500 claims cost 1,000 and are in the first band, 100 cost 9,000 and are in the second; 3 and 2 are expected of the
    bands: 3 x 1,000 + 2 x 9,000 = 21,000. Each claim's dollars are the same in every scenario, so the total is compound
    Poisson with variance 3 x 1,000^2 + 2 x 9,000^2 a scenario; false alarm 0.1 %.
    """
    n, scenarios, n_draws = 600, 20_000, 100
    keys = np.random.default_rng(3).integers(0, 2**63, n).astype(np.uint64)
    band = np.repeat([0, 1], [500, 100])
    cost = np.where(band == 0, 1_000.0, 9_000.0)
    weight = weights(keys, n_draws)
    total = np.array([weight[band == one].sum(axis=0) for one in (0, 1)]).T
    late = LateReports(
        band=band,
        a_weight=np.array([3.0, 2.0]) / total,
        paid=np.c_[0.4 * cost, np.zeros((n, 2))],
        growth=np.ones((n, 3)),
        systemic=np.ones((scenarios, 3)),
    )
    nothing = np.zeros((1, 1))
    futures = Episodes(
        takeover=takeover(ledger()[0]),
        medical=np.broadcast_to(0.6 * cost, (scenarios, n)), indemnity=np.broadcast_to(nothing, (scenarios, n)),
        expense=np.broadcast_to(nothing, (scenarios, n)), in_scope={}, days_off=nothing, days_to_leave=nothing,
        day_back=nothing,
    )  # fmt: skip
    found = late.totals(np.arange(n), keys, futures)
    error = np.sqrt((3 * 1_000.0**2 + 2 * 9_000.0**2) / scenarios)
    assert abs(found[0].mean() - 21_000.0) < stats.norm.isf(ALARM / 2) * error
    assert found[-1].mean() == pytest.approx(5.0, abs=stats.norm.isf(ALARM / 2) * np.sqrt(5 / scenarios))
    assert found[-1].var(ddof=1) == pytest.approx(
        5.0, abs=stats.norm.isf(ALARM / 2) * np.sqrt((5 + 2 * 25) / scenarios)
    )
