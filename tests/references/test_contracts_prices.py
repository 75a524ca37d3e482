"""Target prices of published and worked examples, with their intermediate amounts.

Inputs are taken from the rules named in each docstring; the arithmetic is written out by hand beside them. Amounts are
compared to the last printed digit.
"""

import pandas as pd
import pytest

import msk_reserves as msk
from tests.worlds.settled import episode, frame, pooled, steps

PRINTED = 5e-4
"""Half of the last of three printed decimals."""

YEARS = {"regional_1": 24_000, "regional_2": 25_000, "regional_3": 26_000}
NATION = {"national_1": 22_000, "national_2": 23_100, "national_3": 24_200}
FACTORS = {"prospective_trend": 1.04, "prospective_normalization": 0.97}

PRELIMINARY: tuple[msk.EpisodeTerm, ...] = (
    msk.Baseline((0.17, 0.33, 0.50), trend_level="national"),
    msk.PriceTrend(),
    msk.Discount(0.02),
    msk.Normalization(),
)


def test_preliminary_price_of_a_benchmark_with_national_trend() -> None:
    """TEAM's preliminary price (42 CFR 512.540): three baseline years, weights 17/33/50, trend 1.04, discount 2 %.

    24,000 x 24,200/22,000 = 26,400; 25,000 x 24,200/23,100 = 26,190.476; 26,000. Weighted 26,130.857;
    x 1.04 = 27,176.091; x 0.98 = 26,632.570; x 0.97 = 25,833.593.
    """
    agreement = msk.Agreement("preliminary", PRELIMINARY, timing="retrospective")
    found = episode(msk.settle(agreement, frame([26_000], **YEARS, **NATION, **FACTORS)))
    assert found["regional year 1 in last year's dollars"] == pytest.approx(26_400, abs=PRINTED)
    assert found["regional year 2 in last year's dollars"] == pytest.approx(26_190.476, abs=PRINTED)
    assert found["regional year 3 in last year's dollars"] == pytest.approx(26_000, abs=PRINTED)
    assert found["price after baseline"] == pytest.approx(4_488 + 8_642.857 + 13_000, abs=PRINTED)
    assert found["price after price trend"] == pytest.approx(27_176.091, abs=PRINTED)
    assert found["price after discount"] == pytest.approx(26_632.570, abs=PRINTED)
    assert found["price after normalization"] == pytest.approx(25_833.593, abs=PRINTED)


def test_the_trend_of_the_cell_itself_makes_weights_inert() -> None:
    """Each year brought to the last by the cell's own ratio is the last year: 26,000 whatever the weights."""
    for weights in ((0.17, 0.33, 0.50), (0.8, 0.1, 0.1)):
        terms = (msk.Baseline(weights, trend_level="cell"),)
        found = episode(msk.settle(msk.Agreement("cell", terms), frame([26_000], **YEARS)))
        assert found["price after baseline"] == pytest.approx(26_000, rel=1e-14)


def test_reconciliation_price_with_both_limits_binding() -> None:
    """TEAM's price after the year: realised trend within 3 % and final normalization within 5 % of the prospective.

    Multipliers 1.06 x 1.15 x 1.03 x 1.01 x 1.08 = 1.369576. Normalization: raw 0.90, floor 0.97 x 0.95 = 0.9215.
    Trend: realised 0.98, floor 1.04 x 0.97 = 1.0088. 26,130.857 x 1.0088 x 0.98 x 1.369576 x 0.9215 = 32,603.649;
    without limits 30,933.879. The product of the multipliers is printed with six decimals.
    """
    multipliers = {"hcc_1": 1.06, "age_85": 1.15, "economic": 1.03, "beds": 1.01, "fracture": 1.08}
    realised = {"realised_trend": 0.98, "final_normalization": 0.90, **dict.fromkeys(multipliers, 1), **FACTORS}
    rows = frame([30_000], **YEARS, **NATION, **realised)

    def price(trend: float | None, normalization: float | None) -> dict[str, float]:
        terms = (
            *PRELIMINARY,
            msk.Correction("prospective_trend", "realised_trend", trend),
            msk.RiskMultipliers(multipliers),
            msk.Correction("prospective_normalization", "final_normalization", normalization),
        )
        return episode(msk.settle(msk.Agreement("TEAM", terms, timing="retrospective"), rows))

    limited = price(0.03, 0.05)
    assert limited["realised_trend that counts"] == pytest.approx(1.0088, rel=1e-12)
    assert limited["final_normalization that counts"] == pytest.approx(0.9215, rel=1e-12)
    assert limited["product of risk multipliers"] == pytest.approx(1.369576, abs=5e-7)
    assert limited["price after normalization"] == pytest.approx(25_833.593, abs=PRINTED)
    assert limited["price after correction to final_normalization"] == pytest.approx(32_603.649, abs=PRINTED)
    assert price(None, None)["price after correction to final_normalization"] == pytest.approx(30_933.879, abs=PRINTED)


@pytest.mark.parametrize(
    ("own_share", "benchmark", "price", "result"),
    [(2 / 3, 26_000, 25_220, 720), (1 / 3, 25_000, 24_250, -250), (0.0, 24_000, 23_280, -1_220)],
)
def test_blend_of_own_and_regional_history(own_share: float, benchmark: float, price: float, result: float) -> None:
    """CJR's benchmark moves from 2/3 own to regional only (42 CFR 510.300): own 27,000, region 24,000, cost 24,500.

    With a discount of 3 % a hospital of unchanged cost goes from +720 by -250 to -1,220 an episode.
    """
    terms = (msk.Baseline((1.0,), own_share=own_share), msk.Discount(0.03))
    rows = frame([24_500], own_1=27_000, regional_1=24_000)
    found = episode(msk.settle(msk.Agreement("CJR", terms, timing="retrospective"), rows))
    assert found["price after baseline"] == pytest.approx(benchmark, abs=1e-9)
    assert found["price after discount"] == pytest.approx(price, abs=1e-9)
    assert found["target price less spending"] == pytest.approx(result, abs=1e-9)


def test_published_factor_between_baseline_years() -> None:
    """Milliman's walk through TEAM's price: a first year of 20,000 and a last of 25,000 give a factor of 1.25."""
    terms = (msk.Baseline((1.0, 0.0), trend_level="national"),)
    rows = frame([1], regional_1=8_000, regional_2=1, national_1=20_000, national_2=25_000)
    assert episode(msk.settle(msk.Agreement("factor", terms), rows))["price after baseline"] == pytest.approx(10_000)


def test_a_price_with_half_the_expected_complications() -> None:
    """ProvenCare's coronary bypass: 38,000 and half of 15,000 is 45,500 where fee for service expects 53,000.

    The payer saves 14.15 %; the bearer gains where complications fall by more than half.
    """
    terms = (msk.BaseAndWarranty(38_000, expected_complications=15_000, warranty=0.5),)
    found = msk.settle(msk.Agreement("ProvenCare", terms), frame([38_000 + 7_500]))
    assert episode(found)["price after base and warranty"] == 45_500
    assert -found.accounts()["payer"].sum() == 45_500
    assert pytest.approx(0.1415, abs=5e-5) == 1 - 45_500 / 53_000
    assert found.result.tolist() == [0.0]


def test_an_allowance_for_complications_that_is_not_used_is_kept() -> None:
    """PROMETHEUS for heart failure: 9,800 of routine and 10,300 of complications is a budget of 20,100.

    With complications of 4,000 the provider keeps 6,300 (Robert Wood Johnson Foundation, the fundamentals).
    """
    terms = (msk.BaseAndWarranty(9_800, expected_complications=10_300, warranty=1.0),)
    found = msk.settle(msk.Agreement("PROMETHEUS", terms), frame([9_800 + 4_000]))
    assert steps(found)["target price"] == 20_100
    assert found.result.tolist() == [6_300.0]


@pytest.mark.parametrize(("schedule", "revenue"), [("linear", 291_000), ("cliff", 210_000)])
def test_a_fee_by_month_with_a_part_at_risk(schedule: str, revenue: float) -> None:
    """10,000 members x $2.50 x 12 months = 300,000, 30 % at risk; 54 % of episodes reach what 60 % should.

    In proportion 210,000 + 90,000 x 0.9 = 291,000, all or nothing 210,000.
    """
    rows = frame([0.0] * 100, member_months=1_200, quickdash_gain=[12.0] * 54 + [8.0] * 46)
    terms = (
        msk.PerMember(2.5),
        msk.FeesAtRisk(msk.Goal("quickdash_gain", 10.8), share_at_risk=0.3, goal_share=0.6, schedule=schedule),
    )
    found = msk.settle(msk.Agreement("by month", terms), rows)
    assert steps(found)["target price"] == 300_000
    assert found.result[0] == pytest.approx(revenue, abs=1e-6)


def test_a_share_of_the_usual_price() -> None:
    """An outpatient bundle at 20 % below the payer's average of 40,000 costs 32,000."""
    found = msk.settle(msk.Agreement("outpatient", (msk.FeeSchedule(0.8),)), frame([24_000], schedule=40_000))
    assert episode(found)["price after fee schedule"] == 32_000
    assert found.result.tolist() == [8_000.0]


def test_gain_and_loss_of_a_discounted_target_price() -> None:
    """BPCI Advanced: 120 episodes at 30,000 less 3 % is 3,492,000; a score of 80.

    Spending 3,312,000: +180,000 x 0.98 = 176,400. Spending 3,600,000: -108,000 x 0.92 = -99,360. With a discount of
    2 % the gain before quality is 216,000.
    """
    scale = msk.QualityScale(gain_at_risk=0.10, loss_relief=0.10)

    def settled(cost: float, discount: float) -> dict[str, float]:
        terms = (msk.FixedPrice(30_000), msk.Discount(discount), scale)
        agreement = msk.Agreement("BPCI Advanced", terms, timing="retrospective")
        return steps(msk.settle(agreement, frame([cost] * 120, quality_score=80)))

    gain, loss = settled(27_600, 0.03), settled(30_000, 0.03)
    assert gain["target price"] == pytest.approx(3_492_000)
    assert gain["target price less spending"] == pytest.approx(180_000)
    assert gain["result"] == pytest.approx(176_400)
    assert loss["target price less spending"] == pytest.approx(-108_000)
    assert loss["result"] == pytest.approx(-99_360)
    assert settled(27_600, 0.02)["target price less spending"] == pytest.approx(216_000)


def test_pooled_helper_settles_one_target_price() -> None:
    """The world of these tests is what it says: five episodes at 100 with cost 90 leave 50."""
    assert msk.settle(pooled(100.0), frame([90.0] * 5)).result.tolist() == [50.0]


def test_cells_of_baseline_episodes() -> None:
    """Two cells, two years, worked by hand; caps at the median so that they bite.

    Cell a: 10, 20 | 30, 40 thousand: median 25; capped means 15 and 25. Cell b: 5 | 7, 9 thousand: median 7, means 5
    and 7. Days after the window of a: 100, 300, 100, 300: mean 200, deviation 200/sqrt(3), limit 200 + 2 x 115.470.
    """
    baseline = pd.DataFrame(
        {
            "cell": ["a", "a", "a", "a", "b", "b", "b"],
            "year": [2022, 2022, 2023, 2023, 2022, 2023, 2023],
            "cost": [10_000, 20_000, 30_000, 40_000, 5_000, 7_000, 9_000],
            "post_cost": [100, 300, 100, 300, 0, 0, 0],
        }
    )
    found = msk.price_cells(baseline, percentile=0.5, deviations=2.0).set_index("cell")
    assert found["outlier_cap"].tolist() == [25_000, 7_000]
    assert found["regional_1"].tolist() == [15_000, 5_000]
    assert found["regional_2"].tolist() == [25_000, 7_000]
    assert found["baseline_episodes"].tolist() == [4, 3]
    assert found["post_limit"].tolist() == pytest.approx([200 + 2 * 115.470, 0], abs=1e-3)
    with pytest.raises(msk.EpisodeDataError, match="the cell 'b' has no episode in 2022"):
        msk.price_cells(baseline.drop(index=4))
    with pytest.raises(msk.EpisodeDataError, match="row 1: `cost` must be dollars, got -1"):
        msk.price_cells(baseline.assign(cost=-1).head(1))
