"""Payments by date and their worth today against figures worked by hand."""

import numpy as np
import pytest

from msk_reserves.reserves.cash_flows import CashFlows
from msk_reserves.reserves.discount import YEAR, DiscountCurve


def yearly(*dollars: float) -> CashFlows:
    """Return flows of medical dollars by year, the same in two scenarios."""
    flows = np.array(dollars)[None, :, None] * np.ones((1, 1, 2))
    missing = {"indemnity": "not there", "expense": "not there"}
    return CashFlows(YEAR * np.arange(len(dollars) + 1.0), {"ffs": flows}, ("medical",), missing, 2)


def test_three_years_at_four_per_cent() -> None:
    """1,000 a year for three years at 4 % from the middle of each year: 1000 (1.04^-.5 + 1.04^-1.5 + 1.04^-2.5).

    That is 2,830.0487, and the mean time to payment weighed by it is 1.473860 years; tolerance of the printed figures.
    """
    flows, curve = yearly(1_000.0, 1_000.0, 1_000.0), DiscountCurve((0.04,))
    assert flows.discounted("ffs", curve).mean("medical") == pytest.approx(2_830.0487, abs=5e-5)
    assert flows.discounted("ffs").mean("medical") == pytest.approx(3_000.0, rel=1e-12)
    assert flows.duration("ffs", curve) == pytest.approx(1.473860, abs=5e-7)


def test_a_rising_curve() -> None:
    """2 % for a payment in half a year, 3 % half way from one year to two: 100 / 1.02^.5 + 200 / 1.03^1.5.

    By hand 99.014754 + 191.326073 = 290.340828, each rate being that of the middle of its year; tolerance of the
    figures written out.
    """
    flows, curve = yearly(100.0, 200.0), DiscountCurve((0.02, 0.04))
    assert flows.discounted("ffs", curve).mean() == pytest.approx(290.340828, abs=1e-6)
    table = flows.by_quarter("ffs", curve)
    assert table["discounted"].tolist() == pytest.approx([99.014754, 191.326073], abs=1e-6)
    both = flows.side_by_side(curve)
    assert both.loc[("ffs", "total"), "nominal, mean"] == pytest.approx(300.0, rel=1e-12)
    assert both.loc[("ffs", "total"), "discounted, 95 %"] == pytest.approx(290.340828, abs=1e-6)


def test_a_curve_without_rates_or_with_wild_ones_is_refused() -> None:
    """The rule and the value that came are named."""
    with pytest.raises(ValueError, match="`rates` must hold at least one rate"):
        DiscountCurve(())
    with pytest.raises(ValueError, match=r"`rates` must be above -1 \(0.03 for 3 % a year\), got -2"):
        DiscountCurve((0.03, -2))
    assert str(DiscountCurve((0.03,), "treasury")) == "3.00% a year (treasury)"
