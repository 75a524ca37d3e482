"""Dollars of a synthetic world that are not care grow with its wages."""

import numpy as np
import pandas as pd

import msk_reserves as msk
from msk_reserves.samples.settings import BASE_DAY

GROWTH = 0.06


def test_legal_bills_follow_wages() -> None:
    """In a world whose wages grow, each legal bill is that of the world whose wages stand still, at the day's wages.

    A settlement's own bill is priced on the day of the settlement, a month before it is paid, and bills of less than
    a hundred dollars are left out for their rounding to cents.
    """
    still, growing = (msk.generate_world(400, seed=11, wage_trend=trend).tables["payments"] for trend in (0.0, GROWTH))
    still, growing = (table[table["category"] == "legal"] for table in (still, growing))
    assert len(still) == len(growing) > 100
    np.testing.assert_array_equal(still["date"].to_numpy(), growing["date"].to_numpy())
    large = still["amount"].to_numpy() > 100.0
    day = (pd.to_datetime(still["date"]) - pd.Timestamp("1970-01-01")).dt.days.to_numpy()[large]
    ratio = growing["amount"].to_numpy()[large] / still["amount"].to_numpy()[large]
    level = (1.0 + GROWTH) ** ((day - BASE_DAY) / 365.25)
    assert (ratio <= level * 1.0003).all()
    assert (ratio >= level * (1.0 + GROWTH) ** (-30.0 / 365.25) * 0.9997).all()
    assert level.max() / level.min() > 1.3
