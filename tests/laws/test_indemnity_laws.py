"""Laws of indemnity along a path: in its length, its parts, its unit of money, and in lives."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves.claims.benefit_law import BenefitLaw, BenefitWarning, benefit_law
from msk_reserves.claims.benefit_rules import AwardRule, BenefitRule
from msk_reserves.claims.statutes import JURISDICTIONS
from msk_reserves.claims.vocabulary import BODY_PARTS
from msk_reserves.cost.award import permanent_partial_award
from msk_reserves.cost.indemnity import indemnity
from msk_reserves.cost.life_table import life_table
from msk_reserves.cost.lifetime import present_value
from msk_reserves.cost.worker import InjuredWorker, Stay

LAW = benefit_law()
CODES = st.sampled_from(JURISDICTIONS)
DAYS = st.floats(0.0, 1_500.0)
RATINGS = st.floats(0.0, 1.0)
WAGES = st.floats(50.0, 5_000.0)


def worker_of(code: str, wage: float = 1000.0, part: str = "low_back") -> InjuredWorker:
    """Return a worker with a spouse and two children."""
    return InjuredWorker(
        code, "2026-03-02", wage, body_part=part, age=40.0, sex="female", spouse_age=42.0, spouse_sex="male",
        children=(3.0, 16.5),
    )  # fmt: skip


def path_of(off: float, modified: float, again: float, last: str, days: float) -> list[Stay]:
    """Return a path with a relapse that ends in a given state."""
    return [
        Stay("off_work", off),
        Stay("modified_duty", modified, earnings=400.0, degree=0.4),
        Stay("back_at_work", 50.0),
        Stay("after_surgery", again),
        Stay(last, days),
    ]


def doubled(law: BenefitLaw) -> BenefitLaw:
    """Return a law with every amount of dollars doubled."""

    def rule(one: BenefitRule) -> BenefitRule:
        names = ("weekly_maximum", "weekly_minimum", "wage_cap", "limit_dollars", "burial")
        return replace(one, **{name: 2 * getattr(one, name) for name in names})

    def band(one: AwardRule) -> AwardRule:
        return replace(one, dollars_per_point=2 * one.dollars_per_point)

    rules = {key: tuple(rule(one) for one in steps) for key, steps in law.rules.items()}
    return BenefitLaw(rules, {key: tuple(band(one) for one in bands) for key, bands in law.awards.items()})


TWICE = doubled(LAW)


@settings(deadline=None, max_examples=100)
@given(CODES, st.sampled_from(["off_work", "modified_duty", "permanent_total", "dead", "mmi"]), DAYS, DAYS, DAYS)
def test_a_longer_path_never_lowers_indemnity(code: str, last: str, first: float, one: float, other: float) -> None:
    """However the last stay is lengthened, what is owed does not fall, and neither does any benefit."""
    short, long = sorted((one, other))
    owed = []
    for days in (short, long):
        path = [Stay("off_work", first), Stay("back_at_work", 20), Stay(last, days, 500.0, 0.5)]
        owed.append(indemnity(worker_of(code), path, LAW, warn=False).by_benefit())
    assert all(owed[0][name] <= owed[1][name] + 1e-6 for name in owed[0])


@settings(deadline=None, max_examples=60)
@given(CODES, st.sampled_from(BODY_PARTS), DAYS, DAYS, RATINGS)
def test_longer_disability_never_lowers_benefits_and_award_together(
    code: str, part: str, one: float, other: float, rating: float
) -> None:
    """Weeks of temporary benefits may be taken off an award, but no more is taken off than was paid."""
    owed = [
        indemnity(
            worker_of(code, part=part), [Stay("off_work", days)], LAW, rating=rating, rated_day=1600.0, warn=False
        ).total
        for days in sorted((one, other))
    ]
    assert owed[0] <= owed[1] + 1e-6


@settings(deadline=None, max_examples=100)
@given(CODES, DAYS, DAYS, st.sampled_from(["permanent_total", "dead", "mmi"]), WAGES, RATINGS)
def test_doubling_every_dollar_doubles_every_benefit(
    code: str, off: float, modified: float, last: str, wage: float, rating: float
) -> None:
    """Wages, earnings and statutory amounts in half dollars give the same benefits in half dollars."""
    path = path_of(off, modified, 30.0, last, np.inf)
    twice = [replace(stay, earnings=2 * stay.earnings) for stay in path]
    one = indemnity(worker_of(code, wage), path, LAW, rating=rating, warn=False).by_benefit()
    other = indemnity(worker_of(code, 2 * wage), twice, TWICE, rating=rating, warn=False).by_benefit()
    for name, dollars in one.items():
        assert other[name] == pytest.approx(2 * dollars, rel=1e-9, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(CODES, DAYS, DAYS, st.floats(0.0, 1.0), RATINGS)
def test_a_stay_cut_in_two_is_worth_the_same(code: str, off: float, modified: float, cut: float, rating: float) -> None:
    """Two stays one after the other in one state are one stay."""
    path = path_of(off, modified, 100.0, "permanent_total", 1000.0)
    parts = [replace(stay, days=part * stay.days) for stay in path for part in (cut, 1.0 - cut)]
    whole, cut_up = (
        indemnity(worker_of(code), stays, LAW, rating=rating, rated_day=off, warn=False).by_benefit()
        for stays in (path, parts)
    )
    for name, dollars in whole.items():
        assert cut_up[name] == pytest.approx(dollars, rel=1e-9, abs=1e-6)


@settings(deadline=None, max_examples=60)
@given(CODES, DAYS, DAYS, st.sampled_from(["permanent_total", "dead", "mmi"]), RATINGS, st.floats(0.0, 3_000.0))
def test_dates_lose_no_dollar(code: str, off: float, modified: float, last: str, rating: float, since: float) -> None:
    """Benefits, years and rows of the frame add to the total, and money worth nothing less later is worth the total."""
    found = indemnity(worker_of(code), path_of(off, modified, 30.0, last, np.inf), LAW, rating=rating, warn=False)
    assert sum(found.by_benefit().values()) == pytest.approx(found.total)
    assert found.by_year().sum() == pytest.approx(found.total)
    frame = found.to_frame()
    assert frame["dollars"].sum() == pytest.approx(found.total)
    assert (frame["from_day"] <= frame["to_day"]).all()
    assert present_value(found.by_year(), 0.0) == pytest.approx(found.total)
    assert found.by_year(since_day=since).sum() <= found.total + 1e-6
    assert (found.by_year() >= 0).all()


@settings(deadline=None, max_examples=80)
@given(CODES, st.floats(10.0, 20_000.0), st.floats(0.0, 1_000.0))
def test_weekly_bounds_hold_along_a_path(code: str, wage: float, days: float) -> None:
    """Temporary total benefits are at most the maximum for the days off, and no days off more than the limit."""
    steps = LAW.steps(code, "temporary_total", "2026-03-02", warn=False)
    found = indemnity(worker_of(code, wage), [Stay("off_work", days)], LAW, warn=False)
    weeks = np.fmin(days / 7, steps[0].max_weeks)
    assert found.total <= max(step.weekly_maximum for step in steps) * weeks + 1e-6
    if days > np.nan_to_num(steps[0].retro_days, nan=np.inf) and days <= 84 and wage < 5_000:
        floor = min(np.nan_to_num(steps[0].weekly_minimum), steps[0].minimum_wage_share * wage)
        assert found.total >= floor * weeks - 1e-6


@settings(deadline=None, max_examples=60)
@given(CODES, st.sampled_from(BODY_PARTS), RATINGS, RATINGS, WAGES)
def test_a_higher_rating_never_brings_fewer_dollars(
    code: str, part: str, one: float, other: float, wage: float
) -> None:
    """In every jurisdiction and for every part an award rises with its rating."""
    low, high = sorted((one, other))
    values = [
        permanent_partial_award(LAW, worker_of(code, wage, part), rating, warn=False).value for rating in (low, high)
    ]
    assert values[0] <= values[1] + 1e-6


@pytest.mark.parametrize("jurisdiction", ["TX", "GA", "FL", "CA"])
def test_benefits_for_life_are_expectations_over_paths(jurisdiction: str) -> None:
    """Without an end the benefit is that of each year of death, weighed by its probability; not that at the mean age.

    Deaths are spread evenly within a year, and a benefit is constant within it: a death in the middle of each year
    stands for all of that year.
    """
    worker = worker_of(jurisdiction)
    lives = life_table()
    alive = lives.survival(40.0, "female", np.arange(81.0))

    def until(years: float) -> float:
        return indemnity(worker, [Stay("permanent_total", 365.25 * years)], LAW, warn=False).total

    expected = sum((one - other) * until(year + 0.5) for year, (one, other) in enumerate(pairwise(alive)))
    found = indemnity(worker, [Stay("permanent_total", np.inf)], LAW, warn=False).total
    # To an age, the year in which it falls is cut: nobody dies on the birthday itself.
    assert found == pytest.approx(expected, rel=1e-9)
    at_mean = until(float(lives.years_lived(40.0, "female", 0.0, np.inf)))
    assert found > at_mean * 1.05 if jurisdiction in {"TX", "CA"} else found <= at_mean * (1 + 1e-9)


def test_waiting_and_award_begin_where_the_path_says() -> None:
    """Payments lie in the days they are for: the award from the rating on, the first benefit after the waiting days."""
    path = [Stay("off_work", 10), Stay("back_at_work", 300)]
    frame = indemnity(worker_of("TX"), path, rating=0.1, first_day=5.0).to_frame()
    assert frame["from_day"].tolist() == [12.0, 15.0]
    assert frame["to_day"].tolist() == [15.0, 15.0 + 30 * 7]


def test_what_is_not_known_is_said() -> None:
    """Rules of low confidence, rules that are missing and growth assumed are told with the result, and warned about."""
    path = [Stay("off_work", 30), Stay("modified_duty", 30, 300.0), Stay("permanent_total", np.inf)]
    with pytest.warns(BenefitWarning) as caught:
        found = indemnity(worker_of("KY"), path)
    told = "\n".join(found.assumptions)
    assert "KY temporary partial: no rule is known, nothing is counted; give your own row" in told
    assert "KY permanent total: of low confidence" in told
    assert "period life table 2017" in told
    assert {str(one.message) for one in caught} == set(found.assumptions[: len(caught)])
    with pytest.warns(BenefitWarning, match="NJ award for whole: no rule is known"):
        assert permanent_partial_award(LAW, worker_of("NJ"), 0.1).value == 0.0
    grown = indemnity(worker_of("CA"), path, wage_growth=0.05)
    assert "wages grow by 5.0% a year" in grown.assumptions
    assert "spendable earnings taken as 77% of the wage" in indemnity(worker_of("MI"), path, warn=False).assumptions
    assert indemnity(worker_of("TX"), [Stay("back_at_work", 3)]).total == 0.0


def test_impossible_paths_and_workers_are_refused() -> None:
    """Errors name the argument, the rule and the value."""
    with pytest.raises(ValueError, match="`stays` must hold at least one stay"):
        indemnity(worker_of("TX"), [])
    with pytest.raises(
        ValueError, match="`stays` must end with the first without end or in death, got one after stay 1"
    ):
        indemnity(worker_of("TX"), [Stay("dead", 5), Stay("off_work", 5)])
    with pytest.raises(ValueError, match="`days` of a stay in 'off_work' must be finite"):
        Stay("off_work", np.inf)
    with pytest.raises(ValueError, match="`state` must be one of"):
        Stay("resting", 5)
    with pytest.raises(ValueError, match="`age` of the worker is needed for 'permanent_total'"):
        indemnity(replace(worker_of("TX"), age=np.nan), [Stay("permanent_total", np.inf)])
    with pytest.raises(ValueError, match="`degree` must lie in"):
        indemnity(worker_of("NY"), [Stay("modified_duty", 5, 100.0)])
    with pytest.raises(ValueError, match="`rating` must lie in"):
        permanent_partial_award(LAW, worker_of("TX"), 10.0)
    with pytest.raises(ValueError, match="`jurisdiction` must be one of"):
        worker_of("ZZ")
