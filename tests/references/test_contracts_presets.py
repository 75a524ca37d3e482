"""Every contract that comes with the library, settled on episodes whose result is worked out by hand.

The calculation stands beside each case. Amounts are whole dollars and compared to a hundredth of a cent, which leaves
room for weights written with sixteen digits only.
"""

import numpy as np
import pandas as pd
import pytest

import msk_reserves as msk
from tests.worlds.settled import frame

CENT = 1e-4

NEUTRAL: dict[str, object] = {
    "prospective_trend": 1.0,
    "realised_trend": 1.0,
    "prospective_normalization": 1.0,
    "final_normalization": 1.0,
    "risk_multiplier": 1.0,
    "outlier_cap": 60_000,
    "outlier_floor": 5_000,
    "post_cost": 900,
    "post_limit": 1_000,
    "baseline_episodes": 48,
    "carried_loss": 0.0,
    **{f"{level}_{year}": 26_000 for level in ("regional", "own", "national") for year in (1, 2, 3)},
}
"""Factors of one, means of 26,000 everywhere, and nothing over a limit."""

Case = tuple[str, list[float], dict[str, object], float]

TEAM = 25_480.0
"""26,000 less 2 %: the target price of an episode of TEAM with factors of one."""

CASES: list[Case] = [
    # T = 100 x 25,480 = 2,548,000; R = -200,000; score 50. Track 3: relief 5 %, -190,000, limit 509,600.
    ("team-track-3", [TEAM + 2_000] * 100, {"quality_score": 50}, -190_000),
    # Track 2: relief 7.5 %, -185,000, limited to 5 % of T = -127,400. Track 1 has no loss.
    ("team-track-2", [TEAM + 2_000] * 100, {"quality_score": 50}, -127_400),
    ("team-track-1", [TEAM + 2_000] * 100, {"quality_score": 50}, 0),
    # R = 600,000, cut by 5 % to 570,000: limits of 20, 5 and 10 % of T.
    ("team-track-3", [TEAM - 6_000] * 100, {"quality_score": 50}, 509_600),
    ("team-track-2", [TEAM - 6_000] * 100, {"quality_score": 50}, 127_400),
    ("team-track-1", [TEAM - 6_000] * 100, {"quality_score": 50}, 254_800),
    # One episode of 95,000 counts 60,000: R = -34,520 x 0.95, no score being neutral at 50; post-episode 50 too much.
    ("team-track-3", [95_000, *[TEAM] * 9], {"quality_score": np.nan, "post_cost": 1_005}, -32_794 - 50),
    # A category of 12 baseline episodes has no loss.
    ("team-track-3", [TEAM + 2_000] * 100, {"quality_score": 50, "baseline_episodes": 12}, 0),
    # CABG is discounted by 1.5 %: 25,610 an episode; trend down 10 % counts 3 %: 24,841.70; cost 24,000, score 100.
    ("team-track-3", [24_000] * 10, {"quality_score": 100, "category": "CABG", "realised_trend": 0.9}, 8_417),
    # 26,000 less 3 % is 25,220, cost 25,420: good quality has 2 %, 25,480: +60 each; poor quality a loss, no gain.
    ("cjr-original", [25_420] * 100, {"quality_score": 10}, 6_000),
    ("cjr-original", [25_420] * 100, {"quality_score": 3}, -20_000),
    ("cjr-original", [25_120] * 100, {"quality_score": 3}, 0),
    # One year's 26,000 x 0.95 = 24,700; excellent quality has no discount: +700; limit 20 % is slack.
    ("cjr-extension", [24_000] * 100, {"quality_score": 18, "realised_trend": 0.95}, 70_000),
    # 26,000 x 0.98 = 25,480; loss of 10,000 limited to 20 %: 5,096 an episode.
    ("cjr-x-proposed", [35_480] * 10, {"quality_score": 10}, -50_960),
    # 26,000 x 0.97 = 25,220; 1,220 x 120 = 146,400, score 80: x 0.98.
    ("bpci-advanced", [24_000] * 120, {"quality_score": 80}, 143_472),
    # A cost of 1,000 counts the floor of 5,000: 20,220, limited to 20 %: 5,044.
    ("bpci-advanced", [1_000], {"quality_score": 100}, 5_044),
    # 26,000 less 2 %: 25,480 - 24,000 = 1,480.
    ("bpci-model-2", [24_000] * 10, {}, 14_800),
    # Savings 2,000 x 10 less 5,000 carried = 15,000, above 3 % of 260,000; lowest prices have 80 %: 12,000;
    # score 60 cuts 2 %: 11,760; a quarter of 40,000 Part B: 10,000.
    (
        "maryland-eqip",
        [24_000] * 10,
        {"price_percentile": 10, "carried_loss": 500, "quality_score": 60, "part_b": 4_000},
        10_000,
    ),
    # 10 x 10,000 less 97,000: 3 % counts; 75 % of 3,000 = 2,250.
    ("mssp-enhanced", [9_700] * 10, {"agreed_price": 10_000, "quality_score": 80}, 2_250),
    # A loss of 3,000: 75 % = 2,250; the best score bears 40 %: 1,200.
    ("mssp-enhanced", [10_300] * 10, {"agreed_price": 10_000, "quality_score": 100}, -1_200),
    ("mssp-basic-e", [10_300] * 10, {"agreed_price": 10_000}, -900),
    # 38,000 + 7,500 less 41,000 where 40 elements were met, no gain where 39 were.
    ("provencare", [41_000, 41_000], {"elements_met": [40, 39]}, 4_500),
    # 9,800 + 5,150 = 14,950 less 13,800; of 15 % = 2,242.50 earned 0.7 x 80 % + 0.3 x 60 % = 74 %.
    ("prometheus", [13_800], {"quality_score": 80, "others_score": 60}, 1_150 - 0.26 * 2_242.5),
    ("surgical-fixed-price", [24_000], {"schedule": 40_000}, 2_000),
    # 52,000 less 25,000; 52,000 less 100,000 of 150,000, and a fifth of the price back.
    ("guaranteed-msk-bundle", [25_000, 150_000], {"day_back": [100, np.nan]}, 27_000 - 48_000 - 10_400),
    ("catastrophic-outcome-plan", [900_000, 2_400_000], {"agreed_price": 1_500_000}, -300_000),
    # 10,000 members x 12 x 2.50 = 300,000; 54 of 100 reach the goal of 60 %: 291,000; cost 250,000.
    (
        "msk-per-member",
        [2_500] * 100,
        {"member_months": 1_200, "quickdash_gain": [12.0] * 54 + [np.nan] * 46},
        41_000,
    ),
    # 12,000 less 10,000, half of 1,000 for half the gain, 1,500 for the return.
    ("msk-case-rate", [10_000], {"tier": "procedure", "odi_gain": 5, "day_back": 150}, 4_000),
    # 26,000 less 24,000, half shared, below 10 %; the gate shuts at 55 %.
    ("msk-shared-savings", [24_000] * 10, {"function_share": 0.65}, 10_000),
    ("msk-shared-savings", [24_000] * 10, {"function_share": 0.55}, 0),
    ("lifetime-implant-warranty", [20_000, 170_000], {}, 3_000 - 127_000),
    ("workers-compensation-ffs", [8_000], {"schedule": 10_000, "case_management_hours": 6}, 0),
]


def episodes(costs: list[float], columns: dict[str, object]) -> pd.DataFrame:
    """Return episodes with neutral columns but for those given."""
    return frame(costs, **{**NEUTRAL, **columns})


@pytest.mark.parametrize(("name", "costs", "columns", "result"), CASES, ids=[f"{c[0]}: {c[3]:,.0f}" for c in CASES])
def test_a_preset_settles_for_what_its_terms_say(
    name: str, costs: list[float], columns: dict[str, object], result: float
) -> None:
    """The bearer's result, and accounts that add to zero."""
    found = msk.settle(msk.read_agreement(name), episodes(costs, columns))
    assert found.result.sum() == pytest.approx(result, abs=CENT)
    assert sum(account.sum() for account in found.accounts().values()) == pytest.approx(
        0.0, abs=1e-9 * found.gross_flow()
    )


def test_fee_for_service_spends_on_what_buys_no_care() -> None:
    """A quarter of 2,000 taken off bills and six hours at 110: 1,160 that nobody is treated with."""
    agreement = msk.read_agreement("workers-compensation-ffs")
    rows = episodes([8_000], {"schedule": 10_000, "case_management_hours": 6})
    assert msk.settle(agreement, rows).by_account().loc[0].tolist()[1:] == [-9_160, 0, 8_000, 1_160]


def test_every_preset_has_a_case_and_a_term_sheet() -> None:
    """None comes without a settlement worked by hand; each prints its terms, and every value not confirmed."""
    assert {case[0] for case in CASES} == set(msk.preset_names())
    for name in msk.preset_names():
        agreement = msk.read_agreement(name)
        sheet = str(agreement)
        assert all(term.describe() in sheet for term in agreement.terms)
        assert all(str(one) in sheet for one in agreement.provenance if one.status != "read")
        assert all(one.status in ("read", "assumption", "secondary", "recalled") for one in agreement.provenance)
