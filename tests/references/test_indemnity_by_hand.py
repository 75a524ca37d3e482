"""Indemnity along paths by hand: every kind of benefit and award, in some twenty jurisdictions."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from msk_reserves.claims.benefit_law import benefit_law
from msk_reserves.cost.award import permanent_partial_award
from msk_reserves.cost.indemnity import indemnity
from msk_reserves.cost.life_table import LifeTable
from msk_reserves.cost.worker import InjuredWorker, Stay

pytestmark = pytest.mark.filterwarnings("ignore::msk_reserves.claims.benefit_law.BenefitWarning")

CENT = 0.006
"""Worked to the cent, from shares and amounts rounded to eight digits and cents."""

WEEKS_A_YEAR = 365.25 / 7

ALIVE = LifeTable(0, np.zeros(120), np.zeros(120), "nobody dies")

# Years lived between two ages by men of the period life table 2017, from its printed columns T(x) and l(x):
# T(45) = 3,197,616; T(70) = 1,045,847; T(75) = 704,804; l(45) = 93,890.
TO_70 = (3_197_616 - 1_045_847) / 93_890
TO_75 = (3_197_616 - 704_804) / 93_890
FOR_LIFE = 3_197_616 / 93_890

PRINTED = 2e-5
"""Printed T(x) and l(x) are whole persons and years of 100,000 born."""


def of(jurisdiction: str, part: str = "low_back", *, wage: float = 900.0, day: str = "2026-03-02") -> InjuredWorker:
    """Return a man of 45."""
    return InjuredWorker(jurisdiction, day, wage, body_part=part, age=45.0, sex="male")


@pytest.mark.parametrize(
    ("worker", "days", "dollars"),
    [
        (of("TX"), 7, 0.00),  # seven days of waiting
        (of("TX"), 10, 270.00),  # 630 x 3/7
        (of("TX"), 14, 1260.00),  # retroactive on the 14th day: 630 x 2
        (of("TX"), 800, 65_520.00),  # 104 weeks x 630
        (of("CA", wage=1200.0), 10, 800.00),  # three days of waiting: 800 x 7/7
        (of("CA", wage=1200.0), 13, 1142.86),  # 800 x 10/7
        (of("HI"), 30, 2314.29),  # never retroactive: 600 x 27/7
        (of("NE"), 41, 2914.29),  # retroactive after six weeks only: 600 x 34/7
        (of("NE"), 42, 3600.00),  # 600 x 6
        (of("OH"), 140, 12_576.00),  # 12 x 648 + 8 x 600
        (of("ID", wage=2000.0), 399, 54_162.00),  # 57 weeks: 52 x 972 + 5 x 723.60
        (of("MN"), 1000, 78_000.00),  # 130 weeks x 600
        (of("MA"), 1200, 84_240.00),  # 156 weeks x 540
    ],
)  # fmt: skip
def test_temporary_total_along_a_stay(worker: InjuredWorker, days: float, dollars: float) -> None:
    """Waiting days, the retroactive day, steps and the limit of weeks."""
    found = indemnity(worker, [Stay("off_work", days)])
    assert found.by_benefit()["temporary_total"] == pytest.approx(dollars, abs=CENT)


def test_days_off_count_over_all_stays() -> None:
    """Six days off and, after a return, eight more: fourteen in all, so that all are paid, 2 x 630."""
    path = [Stay("off_work", 6), Stay("back_at_work", 100), Stay("relapse", 8), Stay("back_at_work", 10)]
    assert indemnity(of("TX"), path).total == pytest.approx(1260.0, abs=CENT)


def test_benefits_end_years_after_the_injury() -> None:
    """California pays for five years from the injury: of 600 days off from day 1,500 on, 326.25 at 600 a week."""
    found = indemnity(of("CA"), [Stay("off_work", 600)], first_day=1500)
    assert found.total == pytest.approx(600 * (5 * 365.25 - 1500) / 7, abs=CENT)


def test_amounts_of_the_day_of_payment() -> None:
    """Where amounts float, a stay over New Year is paid at both maxima, waiting days at that of the day they fall due.

    Off work from 25 December for 14 days at 1,000 a week, 60 %: four paid days at 500 in the old year (days 4 to 7),
    and in the new year seven at 550 and the three waiting days, due on the 14th day: 4/7 x 500 + 10/7 x 550.
    """
    rows = pd.DataFrame(
        {"jurisdiction": "WA", "benefit": "temporary_total", "effective_from": ["2025-01-01", "2026-01-01"],
         "rate": 0.6, "weekly_maximum": [500.0, 550.0], "waiting_days": 3, "retro_days": 14, "amounts_at": "payment",
         "confidence": "high"}
    )  # fmt: skip
    found = indemnity(of("WA", wage=1000.0, day="2025-12-25"), [Stay("off_work", 14)], benefit_law(rows))
    assert found.total == pytest.approx(4 / 7 * 500 + 10 / 7 * 550, abs=CENT)


def test_temporary_partial_along_a_path() -> None:
    """Georgia: 12 weeks off at 600, then 400 weeks at modified duty of which 350 are paid: 2/3 x (900 - 600) = 200."""
    path = [Stay("off_work", 84), Stay("modified_duty", 2800, earnings=600.0)]
    owed = indemnity(of("GA"), path).by_benefit()
    assert owed["temporary_total"] == pytest.approx(12 * 600, abs=CENT)
    assert owed["temporary_partial"] == pytest.approx(350 * 200, abs=CENT)


def test_partial_weeks_count_over_all_stays() -> None:
    """Georgia: 200 weeks at modified duty, a return, and 200 more: 350 weeks are paid, at 200 dollars."""
    stay = Stay("modified_duty", 1400, earnings=600.0)
    found = indemnity(of("GA"), [stay, Stay("back_at_work", 30), stay])
    assert found.total == pytest.approx(350 * 200, abs=CENT)
    assert found.to_frame()["to_day"].max() == 1400 + 30 + 1050


def test_benefits_lie_in_the_days_that_they_are_for() -> None:
    """Oklahoma never pays its three waiting days: 156 weeks are over on day 1,095; Ohio steps down on 84."""
    frame = indemnity(of("OK"), [Stay("off_work", 1200)]).to_frame()
    assert (frame["from_day"].min(), frame["to_day"].max()) == (3.0, 1095.0)
    assert frame["dollars"].sum() == pytest.approx(156 * 630, abs=CENT)
    ohio = indemnity(of("OH"), [Stay("off_work", 140)]).to_frame()
    assert ohio["dollars"][ohio["from_day"] >= 84].sum() == pytest.approx(8 * 600, abs=CENT)
    assert 84.0 in set(ohio["from_day"])


@pytest.mark.parametrize(
    ("worker", "rating", "dollars"),
    [
        # Impairment, so many weeks a point
        (of("TX"), 0.05, 15 * 630.00),  # 3 weeks a point at 70 %
        (of("WV"), 0.10, 40 * 600.00),  # 4 weeks a point
        (of("OH"), 0.10, 20 * 410.33),  # 2 weeks a point, at most a third of the state average
        (of("UT"), 0.10, 31.2 * 586.00),  # 312 weeks of the person, at most two thirds of 879
        (of("MT"), 0.10, 40 * 517.00),  # 400 weeks, at most half of 1,034
        (of("VT"), 0.10, 55 * 600.00),  # the spine has 550 weeks
        (of("VT", "knee"), 0.10, 40.5 * 600.00),  # all else 405
        # Impairment in bands
        (of("FL"), 0.12, 26 * 450.00),  # 10 x 2 + 2 x 3 weeks at 3/4 of 600
        (of("FL"), 0.25, 85 * 450.00),  # 10 x 2 + 5 x 3 + 5 x 4 + 5 x 6
        # The rating schedule of California: 29.25 + 20 + 50 + 1.5 weeks, at most 290
        (of("CA"), 0.25, 100.75 * 290.00),
        (of("CA"), 0.10, 30.25 * 290.00),  # 9.75 x 3 + 0.25 x 4, as the Labor Code illustrates
        (of("CA", wage=200.0), 0.10, 30.25 * 160.00),  # 133.33, lifted to 160
        # Schedules: the shoulder decides
        (of("NY", "shoulder"), 0.10, 31.2 * 600.00),  # the arm: 312 weeks
        (of("IL", "shoulder"), 0.10, 50 * 540.00),  # the person: 500 weeks at 60 %
        (of("IA", "shoulder"), 0.10, 40 * 554.40),  # 400 weeks at 80 % of 693, the assumed net
        (of("KS", "shoulder"), 0.10, 22.5 * 600.00),  # 225 weeks
        (of("MO", "shoulder"), 0.10, 23.2 * 600.00),  # 232 weeks
        (of("MO", "knee"), 0.10, 16 * 600.00),  # 160 weeks
        (of("WI", "knee"), 0.10, 42.5 * 438.00),  # 425 weeks, at most 438
        (of("VA", "wrist_hand"), 0.10, 15 * 600.00),  # the hand: 150 weeks
        (of("AL", "upper_extremity"), 0.10, 22.2 * 220.00),  # 222 weeks, at most 220
        (of("AZ", "upper_extremity"), 0.10, 26 * 495.00),  # 60 months at 55 %
        (of("AZ", "upper_extremity", wage=2000.0), 0.10, 26 * 638.5115),  # 55 % of 5,030.32 a month / 4.333
        # Tiers by weeks awarded
        (of("MD", "upper_extremity"), 0.20, 60 * 256.68),  # 60 weeks: a third of 900, at most 16.7 % of 1,537
        (of("MD", "upper_extremity"), 0.30, 90 * 511.82),  # 90 weeks: 600, at most 33.3 %
        (of("MD", "shoulder"), 0.60, 400 * 600.00),  # 300 weeks become 400, at 600
        # The rating multiplies the week
        (of("KY"), 0.08, 425 * 600 * 0.08 * 0.85),
        (of("KY"), 0.20, 425 * 600 * 0.20 * 1.00),
        (of("KY"), 0.60, 520 * 600 * 0.60 * 1.70),
        (of("NM"), 0.30, 500 * 600 * 0.30),
        (of("NM"), 0.85, 700 * 600 * 0.85),
        # Wage-earning capacity, its duration by the loss
        (of("NY"), 0.30, 250 * 180.00),  # 2/3 x 270 for more than 15 to 30 %
        (of("NY"), 0.55, 350 * 330.00),  # 2/3 x 495 for more than 50 to 60 %
        (of("PA"), 0.40, 500 * 240.00),  # 2/3 x 360
        (of("LA"), 0.40, 520 * 240.00),
        # Dollars whatever the wage
        (of("AK", day="2024-03-01"), 0.10, 17_700.00),  # 177,000
        (of("OR"), 0.10, 13_314.80),  # ten times the state average wage of 1,331.48
        (of("MA", "upper_extremity"), 0.10, 8_266.66),  # 43 x 1,922.48 x 10 %
        (of("HI"), 0.10, 37_065.60),  # 31.2 weeks at 1,188
        (of("ID"), 0.10, 29_700.00),  # 50 weeks at 55 % of 1,080
        (of("CO", "upper_extremity"), 0.10, 9_117.26),  # 20.8 weeks at 438.33
        (of("CO"), 0.10, 52 * 600.00),  # 40 weeks times 1.3 at age 45
        (of("IN", "upper_extremity"), 0.20, 17_500.00),  # ten of fifty degrees at 1,750
        (of("IN", "upper_extremity"), 1.00, 114_090.00),  # 10 x 1,750 + 25 x 1,952 + 15 x 3,186
        (of("IN"), 0.60, 154_690.00),  # the same and 10 x 4,060
        (of("WA", "shoulder"), 0.10, 15_859.94),  # of an arm, 158,599.41
        # Dollars of the band, times the rating
        (of("MN", day="2019-03-01"), 0.08, 6_720.00),  # 84,000 x 8 %
        (of("MN"), 0.08, 9_744.00),  # 121,800 x 8 %
        (of("MN"), 0.055, 6_699.00),  # 5.5 % is in the second band
        (of("MN"), 0.05, 5_713.00),  # 114,260 x 5 %
    ],
)  # fmt: skip
def test_permanent_partial_awards(worker: InjuredWorker, rating: float, dollars: float) -> None:
    """Impairment, schedules, tiers, multipliers, wage loss and sums: one case of each family at least."""
    award = permanent_partial_award(benefit_law(), worker, rating)
    assert award.value == pytest.approx(dollars, abs=CENT, rel=2e-7)
    path = [Stay("off_work", 3), Stay("mmi", 30_000)]
    found = indemnity(worker, path, rating=rating)
    assert found.by_benefit()["permanent_partial"] == pytest.approx(dollars, abs=CENT, rel=2e-7)


def test_a_high_rating_brings_a_pension_for_life() -> None:
    """California at 80 %: 593.25 weeks at 290, then 1.5 % of 515.38 for each of 20 points, 154.61 a week, for life.

    29.25 + 20 + 50 + 30 + 140 + 160 + 10.25 x 16 weeks; a man of 45 who dies in the course of his 120th year has 74.5
    years in all.
    """
    award = permanent_partial_award(benefit_law(), of("CA"), 0.80)
    assert (award.weeks, award.weekly) == (593.25, 290.0)
    found = indemnity(of("CA"), [Stay("mmi", np.inf)], rating=0.80, lives=ALIVE, wage_growth=0.0)
    pension = 0.015 * 20 * 515.38 * (74.5 * WEEKS_A_YEAR - 593.25)
    assert found.total == pytest.approx(593.25 * 290 + pension, rel=1e-7)


@pytest.mark.parametrize(
    ("jurisdiction", "capacity", "dollars"),
    [
        ("PA", 500.0, 500 * 400 * 2 / 3),  # 2/3 x 400 for 500 weeks
        ("NY", 630.0, 250 * 270 * 2 / 3),  # 30 % lost: 250 weeks
        ("NY", 620.0, 275 * 280 * 2 / 3),  # 31.1 % lost: 275 weeks
        ("NY", 900.0, 0.0),  # nothing lost
        ("TX", 500.0, 15 * 630.0),  # the impairment counts, not the wages
    ],
)
def test_earning_capacity_known(jurisdiction: str, capacity: float, dollars: float) -> None:
    """Where wages lost are paid, what can still be earned decides, whatever the impairment of 5 %."""
    award = permanent_partial_award(benefit_law(), of(jurisdiction), 0.05, earning_capacity=capacity)
    assert award.value == pytest.approx(dollars, rel=1e-7)
    found = indemnity(of("PA"), [Stay("mmi", 5000)], earning_capacity=500.0)
    assert found.total == pytest.approx(500 * 400 * 2 / 3, rel=1e-7)


def test_temporary_weeks_are_taken_off_the_schedule() -> None:
    """Kansas: ten weeks off at 600, and of 20 weeks for a tenth of a leg ten remain."""
    owed = indemnity(of("KS", "knee"), [Stay("off_work", 70), Stay("mmi", 500)], rating=0.1).by_benefit()
    assert owed["temporary_total"] == pytest.approx(6_000.0, abs=CENT)
    assert owed["permanent_partial"] == pytest.approx(6_000.0, abs=CENT)


def test_an_award_to_an_age() -> None:
    """Nevada: 0.6 % of the wage a point, 54 a week for ten points, to age 70 or death."""
    found = indemnity(of("NV"), [Stay("mmi", np.inf)], rating=0.10)
    assert found.total == pytest.approx(54 * WEEKS_A_YEAR * TO_70, rel=PRINTED)


@pytest.mark.parametrize(
    ("jurisdiction", "dollars"),
    [
        ("GA", 600 * WEEKS_A_YEAR * FOR_LIFE),  # for life
        ("FL", 600 * WEEKS_A_YEAR * TO_75),  # to age 75
    ],
)
def test_permanent_total_for_life(jurisdiction: str, dollars: float) -> None:
    """An expectation over all ages at death: the years lived by the printed table."""
    found = indemnity(of(jurisdiction), [Stay("permanent_total", np.inf)])
    assert found.total == pytest.approx(dollars, rel=PRINTED)


@pytest.mark.parametrize(
    ("jurisdiction", "factor"),
    [
        ("TX", 675 * (1 + 1.03 + 1.03**2 + 1.03**3)),  # 75 %, 3 % more each year
        ("MN", 600 * (1 + 1 + 1 + 1.03)),  # wages, at most 3 %, from the third year
        ("MA", 540 * (1 + 1 + 1.02 + 1.02**2)),  # prices, from the second year
        ("CA", 600 * (1 + 1.04 + 1.04**2 + 1.04**3)),  # wages
        ("GA", 600 * 4),  # none
    ],
)
def test_permanent_total_grows_by_its_rule(jurisdiction: str, factor: float) -> None:
    """Four years alive: the weekly benefit of each year, with wages growing by 4 % and prices by 2 %."""
    path = [Stay("permanent_total", 4 * 365.25)]
    found = indemnity(of(jurisdiction), path, wage_growth=0.04, price_growth=0.02)
    assert found.total == pytest.approx(factor * WEEKS_A_YEAR, rel=1e-6)
    years = found.by_year()
    np.testing.assert_allclose(years.sum(), found.total)
    assert len(years[years > 0]) == 4


def test_permanent_total_for_so_many_weeks() -> None:
    """Indiana pays 500 weeks; a man who cannot die has them all."""
    found = indemnity(of("IN"), [Stay("permanent_total", np.inf)], lives=ALIVE)
    assert found.total == pytest.approx(500 * 600, rel=1e-7)


SPOUSE: dict[str, Any] = {"spouse_age": 40.0, "spouse_sex": "female"}


@pytest.mark.parametrize(
    ("jurisdiction", "family", "dollars"),
    [
        ("AL", SPOUSE, 500 * 450 + 6_500),  # 50 % for one dependant, 500 weeks
        ("AL", {**SPOUSE, "children": (2.0,)}, 500 * 600 + 6_500),  # two thirds for two, both all the time
        ("FL", SPOUSE, 150_000 + 7_500),  # 50 %, at most 150,000 dollars
        ("GA", {"children": (10.0,)}, 600 * 400 + 7_500),  # 400 weeks, fewer than the child's eight years
        ("NC", {"children": (15.0,)}, 600 * WEEKS_A_YEAR * 3 + 10_000),  # three years to 18, fewer than 500 weeks
        ("TX", {}, 10_000),  # nobody left but the burial
    ],
)  # fmt: skip
def test_death_benefits(jurisdiction: str, family: dict[str, Any], dollars: float) -> None:
    """Spouse and children, the limits in weeks and dollars, and burial, where nobody else dies."""
    worker = replace(of(jurisdiction), **family)
    assert indemnity(worker, [Stay("dead", np.inf)], lives=ALIVE).total == pytest.approx(dollars, rel=2e-7)


def test_a_child_grows_up() -> None:
    """Longshore: two thirds while the child of 16 is under 18, then half: two years at 800, two at 600, and burial."""
    worker = replace(of("LHWCA", wage=1200.0), spouse_age=40.0, spouse_sex="female", children=(16.0,))
    found = indemnity(worker, [Stay("dead", 4 * 365.25)], lives=ALIVE, wage_growth=0.0)
    assert found.total == pytest.approx(WEEKS_A_YEAR * 2 * (800 + 600) + 3_000, rel=1e-6)


def test_a_widow_is_paid_for_life() -> None:
    """New York: two thirds for the life of a wife of 45, 37.80 years by the printed table, and burial."""
    worker = replace(of("NY"), spouse_age=45.0, spouse_sex="female")
    found = indemnity(worker, [Stay("dead", np.inf)])
    assert found.total == pytest.approx(600 * WEEKS_A_YEAR * 37.80 + 12_500, rel=2e-4)


def test_what_ends_an_award() -> None:
    """Twenty weeks of an award, a settlement after ten: ten are paid by statute, and nothing after."""
    path = [Stay("off_work", 14), Stay("mmi", 70), Stay("settled", np.inf)]
    owed = indemnity(of("OH"), path, rating=0.10).by_benefit()
    assert owed["permanent_partial"] == pytest.approx(10 * 410.33, abs=CENT)
