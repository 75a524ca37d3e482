"""Agreements and episodes drawn at random: any terms, in any order their stages allow."""

from collections.abc import Sequence
from copy import copy

import numpy as np
import pandas as pd
from hypothesis import strategies as st

import msk_reserves as msk

Term = msk.EpisodeTerm | msk.PoolTerm

DOLLARS = (
    "cost",
    "post_cost",
    "post_limit",
    "outlier_cap",
    "spent_by_seller",
    "schedule",
    "carried_loss",
    "regional_1",
)
"""Columns of dollars of the drawn episodes."""

IN_DOLLARS = ("dollars", "attachment", "limit", "base", "expected_complications")
"""Fields of terms that are dollars."""

SHARES = st.floats(0.0, 1.0)
PRICES = st.floats(1_000.0, 100_000.0)
GOAL = msk.Goal("quickdash_gain", 10.8)

BASES: tuple[st.SearchStrategy[Term], ...] = (
    st.builds(msk.FixedPrice, PRICES),
    st.builds(msk.FeeSchedule, st.floats(0.1, 2.0)),
    st.builds(msk.BaseAndWarranty, PRICES, expected_complications=PRICES, warranty=SHARES),
    st.just(msk.Baseline((1.0,))),
)
FACTORS: tuple[st.SearchStrategy[Term], ...] = (
    st.builds(msk.Discount, st.floats(0.0, 0.2)),
    st.just(msk.PriceTrend()),
    st.builds(lambda factor: msk.RiskMultipliers({"dear": factor}), st.floats(0.5, 2.0)),
)
OF_SPENDING: tuple[st.SearchStrategy[Term], ...] = (
    st.builds(msk.OutlierCap, PRICES),
    st.just(msk.OutlierCap(column="outlier_cap")),
    st.builds(msk.StopLoss, PRICES, SHARES),
    st.builds(msk.PrepaidDefault, SHARES),
)
OF_OUTCOMES: tuple[st.SearchStrategy[Term], ...] = (
    st.builds(msk.Refund, SHARES, st.integers(1, 400)),
    st.builds(msk.Milestone, st.just(GOAL), PRICES, st.sampled_from(["cliff", "linear"])),
)
CONTINUOUS: tuple[st.SearchStrategy[Term], ...] = (
    st.builds(msk.Sharing, SHARES, SHARES),
    st.builds(msk.GainLossLimit, SHARES, SHARES),
    st.builds(msk.QualityGate, st.floats(0.0, 100.0)),
    st.builds(msk.QualityScale, SHARES, SHARES),
    st.builds(msk.Withhold, SHARES),
    st.builds(msk.FeesAtRisk, st.just(GOAL), SHARES, st.floats(0.1, 1.0), st.sampled_from(["cliff", "linear"])),
    st.just(msk.PostEpisode()),
    st.just(msk.CarriedLoss()),
    st.builds(lambda inner, part: msk.Corridor(((0.0, 0.05, inner), (0.05, 0.3, part))), SHARES, SHARES),
    st.builds(lambda rate: msk.MinimumRate(rate, rate, first_dollar=False), st.floats(0.0, 0.1)),
)
WITH_EDGES: tuple[st.SearchStrategy[Term], ...] = (*CONTINUOUS, st.builds(msk.MinimumRate, SHARES, SHARES))
OF_LAST: tuple[st.SearchStrategy[Term], ...] = (
    st.builds(msk.RepaymentDefault, SHARES),
    st.builds(msk.Gainsharing, SHARES),
    st.builds(msk.AdministrativeLoad, st.floats(0.0, 1_000.0), st.booleans()),
    st.builds(msk.ReviewFee, SHARES),
)


def some(kinds: Sequence[st.SearchStrategy[Term]], most: int = 3) -> st.SearchStrategy[list[Term]]:
    """Draw up to so many terms of these kinds, in any order."""
    return st.lists(st.one_of(*kinds), max_size=most)


@st.composite
def agreements(draw: st.DrawFn, *, of_pools: Sequence[st.SearchStrategy[Term]] = WITH_EDGES) -> msk.Agreement:
    """Draw an agreement of any terms, in any order their stages allow."""
    pooling = draw(st.sampled_from(["pool", "category", "episode"]))
    rare: list[Term] = [] if pooling == "episode" else draw(some([st.builds(msk.LowVolume, st.integers(1, 60))], 1))
    terms = [
        draw(st.one_of(*BASES)),
        *draw(some(FACTORS)),
        *draw(some((*OF_SPENDING, *OF_OUTCOMES))),
        *rare,
        *draw(some(of_pools)),
        *draw(some(OF_LAST)),
    ]
    prepaid = any(isinstance(term, msk.PrepaidDefault) for term in terms)
    timing = "prospective" if prepaid else draw(st.sampled_from(["prospective", "retrospective"]))
    return msk.Agreement("drawn", tuple(terms), pooling=pooling, timing=timing)


def drawn_episodes(seed: int, size: int = 12) -> pd.DataFrame:
    """Return episodes of two pools and two categories with every column that terms read."""
    rng = np.random.default_rng(seed)
    pools, categories = rng.choice(["north", "south"], size), rng.choice(["joint", "spine"], size)
    failed = {"north": 0.0, "south": 1.0}
    return pd.DataFrame(
        {
            "episode_id": [f"e{place}" for place in range(size)],
            "pool": pools,
            "category": categories,
            "cost": rng.lognormal(10.0, 0.8, size),
            "regional_1": rng.lognormal(10.0, 0.3, size),
            "prospective_trend": rng.uniform(0.9, 1.1, size),
            "dear": rng.integers(0, 2, size),
            "schedule": rng.lognormal(10.0, 0.5, size),
            "outlier_cap": rng.lognormal(10.5, 0.2, size),
            "post_cost": rng.lognormal(7.0, 1.0, size),
            "post_limit": rng.lognormal(7.0, 1.0, size),
            "spent_by_seller": rng.lognormal(9.0, 1.0, size),
            "carried_loss": rng.lognormal(7.0, 1.0, size),
            "defaulted": [failed[pool] for pool in pools],
            "baseline_episodes": np.where(categories == "joint", 48, 12),
            "quality_score": rng.uniform(0.0, 100.0, size),
            "quickdash_gain": np.where(rng.random(size) < 0.2, np.nan, rng.normal(12.0, 10.0, size)),
            "day_back": np.where(rng.random(size) < 0.2, np.nan, rng.integers(1, 500, size)),
        }
    )


def in_other_dollars(agreement: msk.Agreement, factor: float) -> msk.Agreement:
    """Return the same agreement in dollars worth 1 / factor of these."""

    def changed(term: Term) -> Term:
        other = copy(term)
        for name in IN_DOLLARS:
            if isinstance(getattr(term, name, None), int | float):
                object.__setattr__(other, name, factor * getattr(term, name))
        return other

    return msk.Agreement(
        agreement.name,
        tuple(changed(term) for term in agreement.terms if isinstance(term, msk.EpisodeTerm | msk.PoolTerm)),
        pooling=agreement.pooling,
        timing=agreement.timing,
    )
