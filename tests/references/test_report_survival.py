"""The curves of time off work against figures worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.read import load_tables
from msk_reserves.recovery.path.model import fit_recovery
from msk_reserves.report.survival_plot import first_stays, fitted_share, plot_survival

DAYS = [5, 8, 8, 10, 12, 15, 20, 20, 30, 40, 60, 90]
RETURNED = [1, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1]

CLOSED_FORM_RTOL = 2e-4
"""The fit stops within about 2e-5 of the log rate, which at a cumulative hazard of 6 is 1.2e-4 of the share."""


def twelve() -> ClaimBook:
    """Return twelve claims seen from their first day off."""
    claims = pd.DataFrame(
        {
            "claim_id": [f"H-{row:02d}" for row in range(12)],
            "body_part": "knee",
            "days_off": np.array(DAYS, dtype=np.float64),
            "returned": RETURNED,
            "weekly_benefit": 600.0,
            "waiting_days": 0.0,
            "retro_days": 0.0,
            "max_weeks": 500.0,
            "medical_paid": 1_000.0,
        }
    )
    return load_tables(claims, undated=True, entry_rule="none").as_of(None)


def test_observed_curve_by_hand() -> None:
    """Kaplan-Meier by hand: 11/12 at day 5, times 9/11 at day 8, times 7/8 at day 12 after one left unobserved."""
    axes = plot_survival(None, twelve())
    line = axes.lines[0]
    days, share = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
    at = {day: share[np.flatnonzero(days == day)[0]] for day in (5.0, 8.0, 12.0)}
    assert at[5.0] == pytest.approx(11 / 12)
    assert at[8.0] == pytest.approx(11 / 12 * 9 / 11)
    assert at[12.0] == pytest.approx(11 / 12 * 9 / 11 * 7 / 8)


def test_number_at_risk_by_hand() -> None:
    """Under each mark stands the count of stays longer than it: 12 on day 0, 6 after day 15, 1 after day 60."""
    axes = plot_survival(None, twelve())
    told = {
        text.get_position()[0]: text.get_text() for text in axes.texts if text.get_text().replace(",", "").isdigit()
    }
    assert {day: told[day] for day in (0, 14, 28, 42, 56, 84)} == {0: "12", 14: "7", 28: "4", 42: "2", 56: "2", 84: "1"}


def test_fitted_curve_of_a_constant_rate() -> None:
    """Exits at a constant rate: the fitted share is exp(-rate x days), the rate being exits over days off."""
    book = twelve()
    recovery = fit_recovery(book, candidates=("exponential",), covariates=())
    rate = sum(RETURNED) / sum(DAYS)
    claim, _, _, _ = first_stays(book)
    days = np.array([3.0, 10.0, 50.0, 200.0])
    expected = np.exp(-rate * (days - 3.0))
    np.testing.assert_allclose(fitted_share(recovery, book, claim, days), expected, rtol=CLOSED_FORM_RTOL)


def test_stays_over_before_they_could_be_seen_are_left_out() -> None:
    """With a waiting period of seven days the stay of five days is not among the first stays."""
    claims = pd.DataFrame(
        {
            "claim_id": ["W-1", "W-2"], "body_part": "knee", "days_off": [5.0, 9.0], "returned": 1,
            "weekly_benefit": 600.0, "waiting_days": 7.0, "retro_days": 14.0, "max_weeks": 500.0, "medical_paid": 0.0,
        }
    )  # fmt: skip
    _, days, ended, entry = first_stays(load_tables(claims, undated=True).as_of(None))
    assert (days.tolist(), ended.tolist(), entry.tolist()) == ([9.0], [True], [7.0])
