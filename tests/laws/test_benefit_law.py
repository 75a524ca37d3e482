"""Laws of the benefit rules: what the table holds, how rows replace rows, what is refused, and rates in wage."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves.claims.benefit_law import BenefitWarning, benefit_law, cautions
from msk_reserves.claims.benefit_rules import BENEFITS, BenefitRule
from msk_reserves.claims.defects import LAW_RULES, ClaimDataError
from msk_reserves.claims.statutes import JURISDICTIONS, statutory_rule, weekly_benefit
from msk_reserves.cost.compensation_rate import compensation_rate

CODES = st.sampled_from(JURISDICTIONS)
WAGES = st.floats(0.0, 20_000.0)
RULES = st.sampled_from([rule for steps in benefit_law().rules.values() for rule in steps])
TODAY = "2026-11-01"


@settings(deadline=None, max_examples=80)
@given(CODES, WAGES)
def test_temporary_total_is_the_benefit_that_books_are_filled_with(code: str, wage: float) -> None:
    """A single worker is granted what `weekly_benefit` grants: the two tables hold one truth."""
    step = benefit_law().steps(code, "temporary_total", TODAY, warn=False)[0]
    plain = statutory_rule(code)
    assert float(compensation_rate(step, wage)) == pytest.approx(float(weekly_benefit(wage, code)), rel=1e-5)
    for name in ("weekly_minimum", "weekly_maximum", "waiting_days", "retro_days", "max_weeks"):
        np.testing.assert_equal(getattr(step, name), getattr(plain, name))


@settings(deadline=None, max_examples=150)
@given(RULES, WAGES, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_rates_respect_their_bounds_at_every_wage(rule: BenefitRule, wage: float, kept: float, degree: float) -> None:
    """No benefit exceeds its maximum; a total benefit is at least the minimum that the wage allows."""
    benefit = float(compensation_rate(rule, wage, earnings=kept * wage, degree=degree, spouse=1, children=2))
    assert 0.0 <= benefit <= np.nan_to_num(rule.weekly_maximum, nan=np.inf)
    if rule.formula == "wage":
        floor = min(np.nan_to_num(rule.weekly_minimum), rule.minimum_wage_share * wage)
        assert benefit >= min(floor, np.nan_to_num(rule.weekly_maximum, nan=np.inf)) - 1e-9


@settings(deadline=None, max_examples=100)
@given(RULES, WAGES, WAGES, st.floats(0.0, 1.0))
def test_rates_rise_with_the_wage_and_fall_with_earnings(
    rule: BenefitRule, one: float, other: float, kept: float
) -> None:
    """A higher wage never brings less, and higher earnings never more."""
    low, high = sorted((one, other))
    less, more = compensation_rate(rule, [low, high], earnings=kept * low, degree=0.5)
    assert less <= more + 1e-9
    idle, busy = compensation_rate(rule, high, earnings=[low, high], degree=0.5)
    assert busy <= idle + 1e-9


def test_every_jurisdiction_has_temporary_and_permanent_total_benefits() -> None:
    """The law knows 53 jurisdictions; what it knows of partial benefits and deaths is counted, so that loss is seen."""
    law = benefit_law()
    known = {benefit: {code for code, kind in law.rules if kind == benefit} for benefit in BENEFITS}
    assert known["temporary_total"] == known["permanent_total"] == set(JURISDICTIONS)
    assert known["temporary_partial"] == set(JURISDICTIONS) - {"KY"}
    awarded = {code for code, _ in law.awards}
    assert awarded == known["permanent_partial"]
    assert set(JURISDICTIONS) - awarded == {"NJ", "ND"}
    assert len(known["death"]) == 13
    assert all(rule.source for rules in law.rules.values() for rule in rules)
    assert all(band.source for bands in law.awards.values() for band in bands)
    assert "53 jurisdictions" in str(law)


def test_the_rule_is_that_of_the_day_of_injury() -> None:
    """A rule holds from its first day until the next begins; before the first of all, the first holds, with a word."""
    law = benefit_law()
    found = {
        day: law.steps("TX", "temporary_total", day, warn=False)[0].weekly_maximum
        for day in ("2020-01-01", "2024-10-01", "2025-09-30", "2025-10-01", "2030-01-01")
    }
    assert found == {"2020-01-01": 1219, "2024-10-01": 1219, "2025-09-30": 1219, "2025-10-01": 1271, "2030-01-01": 1271}
    with pytest.warns(BenefitWarning, match=r"TX temporary total: no rule as old as the injury, one from 2024-10-01"):
        law.steps("TX", "temporary_total", "2020-01-01")


def test_low_confidence_is_warned_about() -> None:
    """Whoever asks for a doubtful rule is told its source, or its age; a sound one passes in silence."""
    with pytest.warns(BenefitWarning, match=r"LA temporary total: of low confidence \(recalled, unconfirmed\)"):
        benefit_law().steps("LA", "temporary_total", "2025-01-02")
    with pytest.warns(BenefitWarning, match=r"NY temporary total: the maximum is one from 2025-07-01, long before"):
        benefit_law().steps("NY", "temporary_total", TODAY)
    assert cautions(benefit_law().steps("NY", "temporary_total", "2025-11-01"), "2025-11-01") == ()


def test_a_row_of_ones_own_takes_the_place_of_all_steps_of_its_date() -> None:
    """Ohio's two steps of 2025 give way to one row; those of 2023 and other jurisdictions stay."""
    own = pd.DataFrame(
        {"jurisdiction": ["OH"], "benefit": ["temporary_total"], "effective_from": ["2025-01-01"], "rate": [0.5],
         "confidence": ["high"], "source": ["counsel"]}
    )  # fmt: skip
    law = benefit_law(own)
    (step,) = law.steps("OH", "temporary_total", "2025-06-01")
    assert (step.rate, step.source) == (0.5, "counsel")
    assert np.isnan(step.weekly_maximum)
    assert len(law.steps("OH", "temporary_total", "2023-06-01")) == 2
    assert law.rules["TX", "temporary_total"] == benefit_law().rules["TX", "temporary_total"]
    assert law.awards == benefit_law().awards


def test_the_frames_of_a_law_make_the_same_law() -> None:
    """Written out as frames and read again, every rule and every band is what it was."""
    law = benefit_law()
    again = benefit_law(law.rules_frame(), law.awards_frame())
    assert [str(rule) for steps in again.rules.values() for rule in steps] == [
        str(rule) for steps in law.rules.values() for rule in steps
    ]
    pd.testing.assert_frame_equal(again.rules_frame(), law.rules_frame())
    pd.testing.assert_frame_equal(again.awards_frame(), law.awards_frame())


def test_the_order_of_rows_does_not_matter() -> None:
    """A law read from its rows in another order answers alike."""
    law = benefit_law()
    mixed = benefit_law(law.rules_frame().iloc[::-1], law.awards_frame().sample(frac=1.0, random_state=1))
    for key, steps in law.rules.items():
        assert [str(step) for step in mixed.rules[key]] == [str(step) for step in steps]
    for key, bands in law.awards.items():
        assert [repr(band) for band in mixed.awards[key]] == [repr(band) for band in bands]


def test_every_defect_of_a_table_of_rules_is_told_at_once(tmp_path: Path) -> None:
    """Each rule between cells, an unknown word, text, a share above one and a lost cell: all with file, row, column."""
    path = tmp_path / "mine.csv"
    path.write_text(
        "jurisdiction,benefit,from_week,rate,rate_cap,weekly_maximum,weekly_minimum,waiting_days,retro_days,"
        "escalation_index,confidence\n"
        "TX,temporary_total,0,0.7,,800,900,7,3,,high\n"
        "TX,temporary_total,0,0.7,0.6,,,,,fixed,high\n"
        "OH,temporary_total,12,0.7,,,,,,,high\n"
        "ZZ,death,0,1.5,,x,,,,,sure\n"
        "FL,death,,,,,,,,,low\n",
        encoding="utf-8",
    )
    with pytest.raises(ClaimDataError) as raised:
        benefit_law(path)
    told = {(defect.table, defect.row, defect.column, defect.code) for defect in raised.value.defects}
    assert told == {
        ("mine.csv", 2, "weekly_minimum", "minimum_above_maximum"),
        ("mine.csv", 2, "retro_days", "retro_before_waiting"),
        ("mine.csv", 3, "from_week", "rule_twice"),
        ("mine.csv", 3, "rate_cap", "cap_below_rate"),
        ("mine.csv", 3, "escalation", "fixed_without_rate"),
        ("mine.csv", 4, "from_week", "no_first_step"),
        ("mine.csv", 5, "jurisdiction", "unknown_word"),
        ("mine.csv", 5, "rate", "too_large"),
        ("mine.csv", 5, "weekly_maximum", "text_for_number"),
        ("mine.csv", 5, "confidence", "unknown_word"),
        ("mine.csv", 6, "rate", "empty_cell"),
    }
    assert "mine.csv row 5, `jurisdiction`: the word is unknown; got 'ZZ'" in str(raised.value)


def test_every_defect_of_a_table_of_awards_is_told_at_once() -> None:
    """An award of nothing, bands given twice or without a first, a part nobody rates."""
    awards = pd.DataFrame(
        {"jurisdiction": ["TX", "TX", "OH", "OH"], "part": ["arm", "arm", "leg", "tail"],
         "from_rating": [0.0, 0.0, 10.0, 120.0], "basis": ["weeks", "weeks", "weeks", "dollars"],
         "weeks_per_point": [3.0, 3.0, np.nan, np.nan], "dollars_per_point": [np.nan, np.nan, np.nan, 5.0],
         "confidence": "high"}
    )  # fmt: skip
    with pytest.raises(ClaimDataError) as raised:
        benefit_law(awards=awards)
    told = {(defect.row, defect.column, defect.code) for defect in raised.value.defects}
    assert told == {
        (3, "from_rating", "rule_twice"),
        (4, "basis", "award_of_nothing"),
        (4, "from_rating", "no_first_step"),
        (5, "part", "unknown_word"),
        (5, "from_rating", "too_large"),
    }


def test_every_rule_of_the_catalogue_is_tested() -> None:
    """The defects that only tables of lives and laws have are those of the tests here and of life tables."""
    assert set(LAW_RULES) == {
        "age_not_next", "rule_twice", "no_first_step", "minimum_above_maximum", "retro_before_waiting",
        "cap_below_rate", "fixed_without_rate", "award_of_nothing",
    }  # fmt: skip


def test_unanswerable_questions_are_refused() -> None:
    """A benefit without a rule, wages that are none, and a degree left out are refused by name."""
    law = benefit_law()
    with pytest.raises(ValueError, match="there is no rule of 'death' for 'CA'"):
        law.steps("CA", "death", TODAY)
    (step,) = law.steps("NY", "temporary_partial", TODAY, warn=False)
    with pytest.raises(ValueError, match="`degree` must lie in"):
        compensation_rate(step, 900.0)
    with pytest.raises(ValueError, match="`weekly_wage` must be finite and not negative, got -1"):
        compensation_rate(step, [-1.0], degree=0.5)
    (after_tax,) = law.steps("MI", "temporary_total", TODAY, warn=False)
    with pytest.raises(ValueError, match="`spendable_wage` must lie between 0 and `weekly_wage`, got 950"):
        compensation_rate(after_tax, 900.0, spendable_wage=950.0)
