"""Terms, agreements and episodes that cannot be: each refused with the term, the rule and the value."""

from collections.abc import Callable

import pandas as pd
import pytest

import msk_reserves as msk
from tests.worlds.settled import frame, pooled

GOAL = msk.Goal("quickdash_gain", 10.8)

REFUSED: list[tuple[Callable[[], object], str]] = [
    (lambda: msk.FixedPrice(-1), "`fixed_price.dollars` must not be negative, got -1"),
    (lambda: msk.CaseRate("tier", {}), "`case_rate.dollars` must have a price, got none"),
    (lambda: msk.CaseRate("tier", {"low": -5}), "`case_rate.dollars.low` must not be negative, got -5"),
    (lambda: msk.PerMember(-2), "`per_member.dollars` must not be negative"),
    (lambda: msk.BaseAndWarranty(1, 1, 1.5), r"`base_and_warranty.warranty` must lie in \[0, 1\], got 1.5"),
    (lambda: msk.FeeSchedule(-0.1), "`fee_schedule.share` must not be negative"),
    (lambda: msk.Baseline(()), "`baseline.weights` must have a weight, got none"),
    (lambda: msk.Baseline((0.5, 0.4)), r"`baseline.weights` must add to 1, got \[0.5, 0.4\]"),
    (lambda: msk.Baseline((1.0,), own_share=2), "`baseline.own_share` must lie in"),
    (lambda: msk.Baseline((1.0,), trend_level="state"), "`baseline.trend_level` must be one of cell, national, none"),
    (lambda: msk.PriceTrend(""), "`price_trend.column` must name a column"),
    (lambda: msk.Correction("a", "b", limit=3), "`correction.limit` must lie in"),
    (lambda: msk.Discount(1.2), "`discount.share` must lie in"),
    (msk.RiskMultipliers, "`risk_multipliers` needs `multipliers` or a `column`"),
    (lambda: msk.RiskMultipliers({"x": 0.0}), "`risk_multipliers.multipliers.x` must be above zero"),
    (msk.OutlierCap, "`outlier_cap` needs one of `dollars` and `column`, got None and ''"),
    (lambda: msk.OutlierCap(-1), "`outlier_cap.dollars` must be above zero, got -1"),
    (lambda: msk.StopLoss(100, limit=50), "`stop_loss.limit` must lie above the attachment of 100, got 50"),
    (
        lambda: msk.Corridor(((0.0, 0.1, 1.0), (0.05, 0.2, 0.5))),
        "must not overlap; the band from 0.05 begins",
    ),
    (lambda: msk.Corridor(((0.1, 0.05, 1.0),)), "`corridor.bands` must run upwards, got the band from 0.1 to 0.05"),
    (lambda: msk.Corridor(()), "`corridor.bands` must have a band"),
    (lambda: msk.Corridor(((0.0, 0.1, 2.0),)), "`corridor.bands share` must lie in"),
    (lambda: msk.MinimumRate(-0.02), "`minimum_rate.savings` must lie in"),
    (lambda: msk.Sharing(1.5), "`sharing.gain` must lie in"),
    (lambda: msk.GainLossLimit(0.1, -0.1), "`gain_loss_limit.loss` must not be negative, got -0.1"),
    (lambda: msk.QualityGate(5, measure=""), "`quality_gate.measure` must name the score, got ''"),
    (lambda: msk.QualityScale(2, 0), "`quality_scale.gain_at_risk` must lie in"),
    (lambda: msk.QualityScale(0.1, 0.1, best=0), "`quality_scale.best` must be above zero"),
    (lambda: msk.DiscountShift(()), "`discount_shift.bands` must have a step"),
    (lambda: msk.DiscountShift(((6.0, 0.02), (5.0, 0.03))), r"must have rising scores, got \[6.0, 5.0\]"),
    (lambda: msk.Withhold(0.1, own_weight=1.1), "`withhold.own_weight` must lie in"),
    (lambda: msk.Milestone(GOAL, -1), "`milestone.dollars` must not be negative"),
    (lambda: msk.Milestone(GOAL, 1, "steps"), "`milestone.schedule` must be one of cliff, linear; got 'steps'"),
    (lambda: msk.Milestone(msk.Goal("day_back", 9, downwards=True), 1, "linear"), "needs a goal upwards from 0"),
    (lambda: msk.FeesAtRisk(GOAL, 0.3, 0.0), "`fees_at_risk.goal_share` must be above zero"),
    (lambda: msk.FeesAtRisk(GOAL, 0.3, 0.5, unmeasured="met"), "`fees_at_risk.unmeasured` must be one of"),
    (lambda: msk.LowVolume(0), "`low_volume.at_least` must be a whole number of at least 1, got 0"),
    (lambda: msk.PostEpisode(0), "`post_episode.days` must be a whole number of at least 1"),
    (lambda: msk.Gainsharing(2), "`gainsharing.share` must lie in"),
    (lambda: msk.AdministrativeLoad(-1), "`administrative_load.dollars` must not be negative"),
    (lambda: msk.ReviewFee(2), "`review_fee.share` must lie in"),
    (lambda: msk.RepaymentDefault(2), "`repayment_default.loss_given_default` must lie in"),
    (lambda: msk.PrepaidDefault(2), "`prepaid_default.loss_given_default` must lie in"),
    (lambda: msk.composite_score([1], [1, 2]), "`volumes` must have a number for each of the 1 scores, got 2"),
    (lambda: msk.composite_score([1], [0]), "`volumes` must not be negative, nor all zero"),
    (lambda: msk.expected_default_loss(1, probability=2, loss_given_default=1), "`probability` must lie in"),
    (lambda: msk.Agreement("", (msk.FixedPrice(1),)), "`name` must be a word or words, got ''"),
    (lambda: msk.Agreement("a", ()), "`terms` must begin with the one base of the price, got none"),
    (lambda: msk.Agreement("a", (msk.Discount(0.1), msk.FixedPrice(1))), "`terms` must begin with the one base"),
    (lambda: msk.Agreement("a", (msk.FixedPrice(1), msk.AsBilled())), r"got \['fixed price', 'as billed'\]"),
    (lambda: msk.Agreement("a", (msk.FixedPrice(1),), pooling="all"), "`pooling` must be one of"),
    (lambda: msk.Agreement("a", (msk.FixedPrice(1),), timing="later"), "`timing` must be one of"),
    (lambda: msk.Agreement("a", (msk.FixedPrice(1),), true_ups=(14,)), "`true_ups` must follow a retrospective"),
    (lambda: pooled(1, msk.Sharing(0.5), msk.OutlierCap(5)), "'outlier cap' .episode. must not come after 'sharing'"),
    (lambda: pooled(1, msk.PrepaidDefault(0.5)), "`prepaid_default` needs a price paid before the care"),
    (lambda: pooled(1, msk.Correction("prospective_trend", "realised_trend")), "`correction` needs a factor"),
    (lambda: pooled(1, msk.DiscountShift(((5.0, 0.03),))), "`discount_shift` needs a `discount` in the price"),
    (
        lambda: msk.Agreement("a", (msk.FixedPrice(1), msk.LowVolume(3)), pooling="episode"),
        "`pooling` 'episode' nets nothing",
    ),
]


@pytest.mark.parametrize(("made", "said"), REFUSED, ids=[said[:50] for _, said in REFUSED])
def test_what_cannot_be_is_refused(made: Callable[[], object], said: str) -> None:
    """The error names the term, its rule and the value that came."""
    with pytest.raises(ValueError, match=said):
        made()


def test_every_rule_broken_has_a_line() -> None:
    """Two wrong numbers of a term and three rules of an agreement are all told at once."""
    with pytest.raises(ValueError, match="gain_at_risk") as caught:
        msk.QualityScale(2, 3)
    assert len(str(caught.value).split("\n")) == 2
    with pytest.raises(ValueError, match="pooling") as caught:
        msk.Agreement("", (msk.Sharing(0.5),), pooling="none")
    assert len(str(caught.value).split("\n")) == 3


WRONG: list[tuple[pd.DataFrame, str]] = [
    (pd.DataFrame({"cost": [1.0]}), "the column `episode_id` is missing"),
    (frame([1.0, -2.0]), "row 2: `cost` must not be negative, got -2"),
    (frame([1.0]).assign(cost=["1k"]), "row 1: `cost` must be a number of dollars, got '1k'"),
    (frame([1.0]).assign(cost=[""]), "row 1: `cost` is blank"),
    (frame([1.0, 2.0]).assign(episode_id=["a", "a"]), "row 2: `episode_id` 'a' is that of row 1 too"),
    (frame([1.0, 2.0]).assign(episode_id=["a", " "]), "row 2: `episode_id` is blank"),
    (frame([]), "there are no episodes"),
    (frame([1.0]), "the column `quality_score` is missing; 'quality gate' reads it"),
    (frame([1.0], quality_score="good"), "the column `quality_score` must hold numbers, got 'good'"),
    (frame([1.0], quality_score=float("nan")), "no episode of 'all' has the measure `quality_score`"),
    (
        frame([1.0, 2.0], quality_score=5, outlier_cap=[1.0, None]),
        "must not be blank; it is for episode 'e2'",
    ),
]


@pytest.mark.parametrize(("episodes", "said"), WRONG, ids=[said[:50] for _, said in WRONG])
def test_episodes_that_cannot_be_settled_are_refused(episodes: pd.DataFrame, said: str) -> None:
    """The error names the column, the rule, and the row or episode."""
    terms: list[msk.EpisodeTerm | msk.PoolTerm] = [msk.QualityGate(5)]
    if "outlier_cap" in episodes:
        terms = [msk.OutlierCap(column="outlier_cap"), *terms]
    with pytest.raises(msk.EpisodeDataError, match=said):
        msk.settle(pooled(1.0, *terms), episodes)


def test_cells_that_do_not_fit_are_refused() -> None:
    """A cell that is not there, one that comes twice and a column on both sides are told together."""
    episodes = frame([1.0, 2.0], cell=["470", "469"], trend=1.0)
    cells = pd.DataFrame({"cell": ["470", "470"], "trend": [1.0, 1.0]})
    with pytest.raises(msk.EpisodeDataError) as caught:
        msk.settle(pooled(1.0), episodes, cells=cells)
    assert str(caught.value).split("\n") == [
        "the cell '470' comes twice in the cells",
        "the cell '469' of the episodes is not among the cells",
        "the column `trend` is in the episodes and in the cells",
    ]


def test_true_ups_compare_like_with_like() -> None:
    """Another agreement or other pools cannot be trued up."""
    first = msk.settle(pooled(10.0), frame([5.0]))
    with pytest.raises(ValueError, match="`again` must be of the agreement"):
        msk.true_up(first, msk.settle(pooled(11.0), frame([5.0])))
    with pytest.raises(ValueError, match="`again` must have the pools"):
        msk.true_up(first, msk.settle(pooled(10.0), frame([5.0], pool="other")))
