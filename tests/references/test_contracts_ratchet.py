"""The ratchet of rebased prices: margins by year to two decimals of a percent, worked by hand.

Cost is 1 before the first year and 0.95 after it for those who save; the discount is 2 %; baseline years are weighted
17/33/50 and end two years before the year priced. In the third year, on own history, the benchmark is
0.17 + 0.33 + 0.50 x 0.95 = 0.975, the price 0.98 x 0.975 = 0.9555 and the margin 0.55 %.
"""

import math

import numpy as np
import pandas as pd
import pytest

import msk_reserves as msk
from msk_reserves.contracts.services import days_inside
from tests.worlds.settled import frame, pooled

PRINTED = 0.005 + 1e-9
"""Half of the last printed decimal of a percent; rounding may fall on it."""

OWN = msk.Rebasing((0.17, 0.33, 0.50), own_share=1.0)
REGION = msk.Rebasing((0.17, 0.33, 0.50))
LIMITED = msk.Rebasing((0.17, 0.33, 0.50), retrospective_limit=0.03)

TABLE = [
    (msk.Rebasing(()), 0.0, True, [3.00, 3.00, 3.00, 3.00, 3.00], 15.00),
    (OWN, 0.0, True, [3.00, 3.00, 0.55, -1.07, -1.90], 3.58),
    (msk.Rebasing(own_share=1.0, floor=0.97), 0.0, True, [3.00, 3.00, 0.55, 0.06, 0.06], 6.67),
    (REGION, 0.05, True, [3.00, 3.00, 2.88, 2.80, 2.76], 14.43),
    (LIMITED, 0.05, True, [2.76] * 5, 13.78),
    (REGION, 0.25, True, [3.00, 3.00, 2.39, 1.98, 1.78], 12.15),
    (LIMITED, 0.25, True, [1.78] * 5, 8.88),
    (REGION, 1.0, True, [3.00, 3.00, 0.55, -1.07, -1.90], 3.58),
    (LIMITED, 1.0, True, [0.06, 0.06, -1.90, -1.90, -1.90], -5.58),
    (LIMITED, 0.25, False, [-3.225] * 5, -16.125),
]


@pytest.mark.parametrize(("rebasing", "region_share", "saver", "margins", "total"), TABLE)
def test_margins_by_year(
    rebasing: msk.Rebasing, region_share: float, *, saver: bool, margins: list[float], total: float
) -> None:
    """Each design leaves the margins of the table, to two decimals of a percent of the earlier cost."""
    found = 100 * msk.margin_by_year(rebasing, saving=0.05, discount=0.02, region_share=region_share, saver=saver)
    np.testing.assert_allclose(found, margins, rtol=0, atol=PRINTED)
    assert found.sum() == pytest.approx(total, abs=PRINTED)


@pytest.mark.parametrize(("rebasing", "region_share", "saver", "margins", "total"), TABLE)
def test_a_simulated_region_without_chance_is_the_table(
    rebasing: msk.Rebasing, region_share: float, *, saver: bool, margins: list[float], total: float
) -> None:
    """Histories in which costs do not vary have the margins of the table, saver and bystander side by side."""
    region = msk.SavingRegion(saving=0.05, region_share=region_share, spread=0.0)
    found = msk.simulate_ratchet(rebasing, region, discount=0.02, scenarios=3)
    of = 100 * found.margins["saver" if saver else "bystander"]
    np.testing.assert_allclose(of, [margins] * 3, rtol=0, atol=PRINTED)
    if saver:
        assert found.kept() == pytest.approx(total / 15.0, abs=PRINTED / 15.0)


def test_a_blend_lies_between_own_history_and_region() -> None:
    """With half of its own history, a quarter of the region saving, and a floor at 99 % of the first benchmark.

    In the third year own history is .975 and the region's .5 + .5 x .9875 = .99375 of the earlier cost, the benchmark
    .984375, below the floor of .99: the price is .98 x .99 = .9702 and the margin 2.02 %. Without the floor it is .98 x
    .984375 - .95 = 1.47 %, in the fourth year, with .9585 and .989625, .98 x .9740625 - .95 = .46 %.
    """
    floored, free = (msk.Rebasing(own_share=0.5, floor=floor) for floor in (0.99, 0.0))
    found, loose = (
        100 * msk.margin_by_year(one, saving=0.05, discount=0.02, region_share=0.25) for one in (floored, free)
    )
    np.testing.assert_allclose(found, [3.00, 3.00, 2.02, 2.02, 2.02], rtol=0, atol=PRINTED)
    np.testing.assert_allclose(loose[:4], [3.00, 3.00, 1.47, 0.46], rtol=0, atol=PRINTED)


@pytest.mark.parametrize(("region_share", "saving"), [(0.0, 0.0200), (0.25, 0.0265), (0.5, 0.0392), (1.0, 1.0)])
def test_break_even_saving(region_share: float, saving: float) -> None:
    """D / (1 - (1 - d) s) at d = 2 %, to the printed four decimals; at that saving the margin is nothing."""
    found = msk.break_even_saving(0.02, region_share)
    assert found == pytest.approx(saving, abs=5e-5)
    free = msk.Rebasing(retrospective_limit=math.inf)
    if region_share < 1.0:
        margins = msk.margin_by_year(free, saving=found, discount=0.02, region_share=region_share)
        np.testing.assert_allclose(margins, 0.0, atol=1e-12)
    assert msk.break_even_saving(0.02, region_share, rebasing=free) == pytest.approx(found, abs=1e-9)


def test_break_even_saving_on_own_history() -> None:
    """Five years at weights 17/33/50 leave 5 (.98 - 1) + 5 x - .98 x (.5 + .83 + 1) of a saving x: x = .1 / 2.7166.

    The baselines of years three to five hold .50, .83 and 1 of the saving.
    """
    assert msk.break_even_saving(0.02, 0.0, rebasing=OWN) == pytest.approx(0.1 / (5 - 0.98 * 2.33), abs=1e-9)


def test_a_stay_that_straddles_the_end_of_the_window() -> None:
    """30 days in a nursing facility at 450 dollars, 18 of them inside: 13,500 becomes 8,100.

    The days after the window count 12 x 450 = 5,400; a service that is not prorated counts by its first day.
    """
    window = msk.EpisodeWindow(30, clock="day of discharge", prorated=("snf",), excluded=("drug",), post_days=30)
    services = pd.DataFrame(
        [
            ("e1", "snf", 13, 42, 13_500.0),
            ("e1", "therapy", 30, 31, 200.0),
            ("e1", "therapy", 31, 31, 90.0),
            ("e1", "drug", 5, 5, 77.0),
        ],
        columns=["episode_id", "category", "from_day", "to_day", "dollars"],
    )
    found = msk.cost_of_services(frame([0.0]).drop(columns="cost"), services, window)
    assert days_inside(np.array([13.0]), np.array([42.0]), -math.inf, 30.0).tolist() == [0.6]
    assert found["cost"].tolist() == pytest.approx([8_100 + 200])
    assert found["post_cost"].tolist() == pytest.approx([5_400 + 90])
    assert msk.settle(pooled(10_000.0), found).result == pytest.approx([1_700.0])
