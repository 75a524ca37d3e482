"""The statutory table against figures published by the jurisdictions."""

import numpy as np
import pytest

from msk_reserves.claims.statutes import JURISDICTIONS, statutory_rule, statutory_table, weekly_benefit

CENT = 0.005
"""The authorities publish dollars and cents."""

PUBLISHED = {
    "CA": (1764.11, 264.61, 3, 14, 104),  # California DIR release 2025-116; Labor Code 4652, 4656
    "MA": (1922.48, 384.50, 5, 21, 156),  # Massachusetts rate history, 1 October 2025
    "NJ": (1159.00, 309.00, 7, 7, 400),  # New Jersey Department of Labor, 2025
    "NY": (1222.42, 325.00, 7, 14, np.nan),  # New York schedule of 1 July 2025
    "TX": (1271.00, 191.00, 7, 14, 104),  # Texas state average weekly wage notice, 1 October 2025
    "LHWCA": (1926.58, 481.65, 3, 14, np.nan),  # US Department of Labor, 1 October 2023: 200 % and 50 % of 963.29
}


@pytest.mark.parametrize("code", sorted(PUBLISHED))
def test_published_figures_stand_in_the_table(code: str) -> None:
    """Maximum, minimum, waiting, retroactive trigger and limit equal what the jurisdiction published."""
    rule = statutory_rule(code)
    found = (rule.weekly_maximum, rule.weekly_minimum, rule.waiting_days, rule.retro_days, rule.max_weeks)
    np.testing.assert_allclose(found, PUBLISHED[code], atol=CENT)


def test_every_jurisdiction_has_a_usable_rule() -> None:
    """Fifty states, the District, federal employees and longshore, each with sane numbers and a source."""
    assert len(JURISDICTIONS) == len(set(JURISDICTIONS)) == 53
    for code, rule in statutory_table().items():
        assert code == rule.code
        assert 0.45 < rule.gross_rate <= 0.75
        assert rule.weekly_maximum > 600
        assert np.isnan(rule.weekly_minimum) or rule.weekly_minimum < rule.weekly_maximum
        assert rule.waiting_days in {3, 4, 5, 7}
        assert np.isnan(rule.retro_days) or rule.retro_days >= rule.waiting_days
        assert rule.confidence in {"high", "medium", "low"}
        assert rule.source
        assert rule.wage_base in {"gross", "gross_monthly", "after_tax"}


def test_doubtful_rules_say_so() -> None:
    """The conflict over Louisiana's trigger and the maxima of 2018 carry low confidence and a note."""
    for code in ("LA", "VT", "SD", "UT", "RI", "FECA"):
        assert statutory_rule(code).confidence == "low"
        assert statutory_rule(code).note


def test_after_tax_states_use_the_stated_share_of_net_pay() -> None:
    """The gross rate of an after-tax base is 77 % of the stated rate; of a gross base, the rate itself."""
    after_tax = {code for code, rule in statutory_table().items() if rule.wage_base == "after_tax"}
    assert after_tax == {"AK", "CT", "IA", "MI"}
    for code, rule in statutory_table().items():
        assert rule.gross_rate == pytest.approx(rule.rate * (0.77 if code in after_tax else 1.0), rel=1e-6)


def test_worked_benefits() -> None:
    """Two thirds, the maximum, the minimum and Pennsylvania's 90 % of a low wage, by hand."""
    wages = np.array([900.0, 3000.0, 300.0, 400.0, 100.0])
    found = weekly_benefit(wages, ["CA", "CA", "CA", "PA", "TX"])
    np.testing.assert_allclose(found, [600.0, 1764.11, 264.61, 360.0, 100.0], atol=CENT)


def test_rule_prints_as_a_sentence() -> None:
    """A rule without retroactive period and limit says so in words."""
    sentence = str(statutory_rule("HI"))
    assert "3 waiting days, never paid" in sentence
    assert "no limit" in sentence


def test_unknown_jurisdictions_and_wages_are_refused() -> None:
    """Errors name the argument, the value and the way out."""
    with pytest.raises(ValueError, match="`code` must be a two-letter state, FECA or LHWCA, got 'ZZ'"):
        weekly_benefit(900.0, "ZZ")
    with pytest.raises(ValueError, match="`weekly_wage` must be finite and not negative, got -1"):
        weekly_benefit([900.0, -1.0], "CA")
