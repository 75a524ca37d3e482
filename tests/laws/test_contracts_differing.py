"""Two settlements of the same episodes: nothing is told of equals, and of others the first step that differs."""

import pandas as pd
from hypothesis import given, settings, strategies as st

import msk_reserves as msk
from tests.worlds.agreements import agreements, drawn_episodes
from tests.worlds.settled import frame, pooled


@given(agreements(), st.integers(0, 10**6))
@settings(max_examples=15, deadline=None)
def test_a_settlement_does_not_differ_from_itself(agreement: msk.Agreement, seed: int) -> None:
    """The same episodes in another order are the same settlement."""
    episodes = drawn_episodes(seed)
    assert msk.where_they_differ(msk.settle(agreement, episodes), msk.settle(agreement, episodes.iloc[::-1])).empty


def test_the_first_step_that_differs_is_told() -> None:
    """A cost, a cap and a score differ, an episode is missing: each is found where it begins, with what it does."""
    terms = (msk.OutlierCap(column="outlier_cap"), msk.QualityScale(0.1, 0.1))
    ours = frame([80.0, 90.0, 130.0, 70.0], pool=["a", "a", "b", "c"], outlier_cap=120.0, quality_score=50.0)
    theirs = ours.assign(cost=[81.0, 90.0, 130.0, 70.0], outlier_cap=[120.0, 120.0, 110.0, 120.0])
    theirs.loc[3, "quality_score"] = 100.0
    theirs = pd.concat([theirs, frame([1.0], pool="d", outlier_cap=120.0, quality_score=50.0).assign(episode_id="new")])
    contract = pooled(100.0, *terms)
    found = msk.where_they_differ(msk.settle(contract, ours), msk.settle(contract, theirs))
    told = {(row.level, row.name_): row.step for row in found.rename(columns={"name": "name_"}).itertuples()}
    assert told == {
        ("episode", "e1"): "cost",
        ("episode", "e3"): "spending after outlier cap",
        ("episode", "new"): "not among the others",
        ("category", "a, all"): "spending",
        ("category", "b, all"): "spending",
        ("category", "d, all"): "not among the others",
        ("pool", "a"): "spending",
        ("pool", "b"): "spending",
        ("pool", "c"): "quality scale",
        ("pool", "d"): "not among the others",
    }
    of_c = found[(found["level"] == "pool") & (found["name"] == "c")].iloc[0]
    assert (of_c["first"], of_c["second"], of_c["result_first"], of_c["result_second"]) == (28.5, 30.0, 28.5, 30.0)
