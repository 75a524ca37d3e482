"""Reconciliations of worked and published examples, every step's amount beside the hand calculation.

Amounts are whole dollars and compared to a millionth of one: only rounding of doubles may differ.
"""

import pytest

import msk_reserves as msk
from tests.worlds.settled import frame, pooled, steps

CENT = 1e-6

TRACK_1 = (msk.QualityScale(gain_at_risk=0.10, loss_relief=0.0), msk.GainLossLimit(gain=0.10, loss=0.0))
TRACK_2 = (msk.QualityScale(gain_at_risk=0.10, loss_relief=0.15), msk.GainLossLimit(gain=0.05, loss=0.05))
TRACK_3 = (msk.QualityScale(gain_at_risk=0.10, loss_relief=0.10), msk.GainLossLimit(gain=0.20, loss=0.20))


def settled(target: float, spending: float, *terms: msk.EpisodeTerm | msk.PoolTerm, **columns: object) -> list[float]:
    """Return difference, amount after each term and result, for one pool."""
    found = steps(msk.settle(pooled(target, *terms), frame([spending], **columns)))
    return list(found.values())[2:]


def test_an_outlier_cap_comes_before_the_pool() -> None:
    """Six episodes at 27,000, one of which cost 95,000; cap 60,000; track 3 with a score of 50.

    Spending 202,500 is capped to 167,500; 162,000 - 167,500 = -5,500; relief of 5 % leaves -5,225. Without the cap
    -40,500, eased to -38,475, limited to 20 % of 162,000: -32,400.
    """
    rows = frame([21_000, 19_500, 23_000, 95_000, 18_000, 26_000], quality_score=50)
    capped = steps(msk.settle(pooled(27_000, msk.OutlierCap(60_000), *TRACK_3), rows))
    assert capped["spending"] == 167_500
    assert capped["target price"] == 162_000
    assert list(capped.values())[2:] == pytest.approx([-5_500, -5_225, -5_225, -5_225], abs=CENT)
    uncapped = steps(msk.settle(pooled(27_000, *TRACK_3), rows))
    assert uncapped["spending"] == 202_500
    assert list(uncapped.values())[2:] == pytest.approx([-40_500, -38_475, -32_400, -32_400], abs=CENT)


def test_a_gain_of_track_3() -> None:
    """Target 2,600,000, spending 2,340,000: 260,000; a score of 60 takes 4 %: 249,600."""
    assert settled(2.6e6, 2.34e6, *TRACK_3, quality_score=60) == pytest.approx(
        [260e3, 249.6e3, 249.6e3, 249.6e3], abs=CENT
    )


def test_the_stop_gain_of_track_1_binds() -> None:
    """Target 1,000,000, spending 850,000, a score of 100: 150,000 is limited to 100,000."""
    assert settled(1e6, 850e3, *TRACK_1, quality_score=100) == pytest.approx([150e3, 150e3, 100e3, 100e3], abs=CENT)


def test_quality_before_the_limit_is_not_the_limit_before_quality() -> None:
    """With a score of 50: min(142,500, 100,000) = 100,000; the other way 100,000 x 0.95 = 95,000."""
    quality, limit = TRACK_1
    assert settled(1e6, 850e3, quality, limit, quality_score=50)[1:] == pytest.approx([142_500, 100e3, 100e3], abs=CENT)
    assert settled(1e6, 850e3, limit, quality, quality_score=50)[1:] == pytest.approx([100e3, 95e3, 95e3], abs=CENT)


def test_track_1_has_no_loss() -> None:
    """Spending of 1,090,000 against 1,000,000 owes nothing."""
    assert settled(1e6, 1.09e6, *TRACK_1, quality_score=80)[-1] == 0


def test_a_loss_is_eased_and_limited() -> None:
    """Spending 1,080,000 of 1,000,000, a score of 80. Track 2: -70,400, limit -50,000; track 3: -73,600."""
    assert settled(1e6, 1.08e6, *TRACK_2, quality_score=80) == pytest.approx([-80e3, -70_400, -50e3, -50e3], abs=CENT)
    assert settled(1e6, 1.08e6, *TRACK_3, quality_score=80) == pytest.approx(
        [-80e3, -73_600, -73_600, -73_600], abs=CENT
    )


def test_care_after_the_window_inside_and_outside_the_limit() -> None:
    """Target 1,200,000, spending 1,500,000, a score of 0, 15,000 too much after the window; limit 240,000.

    Outside the limit -255,000, inside it -240,000.
    """
    quality, limit = TRACK_3
    post = msk.PostEpisode(30)
    columns = {"quality_score": 0, "post_cost": 65_000, "post_limit": 50_000}
    assert settled(1.2e6, 1.5e6, quality, limit, post, **columns) == pytest.approx(
        [-300e3, -300e3, -240e3, -255e3, -255e3], abs=CENT
    )
    assert settled(1.2e6, 1.5e6, quality, post, limit, **columns)[-1] == pytest.approx(-240e3, abs=CENT)


def test_a_limited_loss_and_relief_do_not_commute() -> None:
    """With a score of 100: max(-270,000, -240,000) = -240,000; the limit first gives -240,000 x 0.9 = -216,000."""
    quality, limit = TRACK_3
    assert settled(1.2e6, 1.5e6, quality, limit, quality_score=100)[-1] == pytest.approx(-240e3, abs=CENT)
    assert settled(1.2e6, 1.5e6, limit, quality, quality_score=100)[-1] == pytest.approx(-216e3, abs=CENT)


def test_a_category_with_few_episodes_has_no_loss() -> None:
    """Joints 900/870 (48 baseline episodes), hip fractures 520/560 (35), fusions 600/690 thousand (12): -10,000.

    Netted without the rule the three are -100,000; the fusions' loss of 90,000 does not count.
    """
    terms = (msk.CaseRate("category", {"LEJR": 900e3, "SHFFT": 520e3, "fusion": 600e3}), msk.LowVolume(31))
    rows = frame([870e3, 560e3, 690e3], category=["LEJR", "SHFFT", "fusion"], baseline_episodes=[48, 35, 12])
    found = msk.settle(msk.Agreement("few", terms, timing="retrospective"), rows)
    by_category = found.by_category().set_index("category")
    assert by_category["target price less spending"].tolist() == [30e3, -40e3, -90e3]
    assert by_category["low volume"].tolist() == [30e3, -40e3, 0]
    assert steps(found)["target price less spending"] == -100e3
    assert found.result.tolist() == [-10e3]


def test_a_composite_score() -> None:
    """Volumes 150, 150, 100 weigh 72, 50 and 88 by 0.375, 0.375 and 0.25: 67.75."""
    assert msk.composite_score([72, 50, 88], [150, 150, 100]) == 67.75


@pytest.mark.parametrize(("score", "result"), [(5.5, -15_000), (10.0, 10_000), (18.0, 22_500)])
def test_quality_sets_the_discount_and_turns_the_sign(score: float, result: float) -> None:
    """CJR: benchmark 25,000, cost 24,400, 100 episodes. Discounts of 3, 2 and 1.5 %: -15,000, 10,000, 22,500."""
    terms = (
        msk.FixedPrice(25_000),
        msk.Discount(0.03),
        msk.DiscountShift(((5.0, 0.03), (6.9, 0.02), (15.0, 0.015)), measure="points"),
    )
    agreement = msk.Agreement("CJR", terms, timing="retrospective")
    assert msk.settle(agreement, frame([24_400] * 100, points=score)).result == pytest.approx([result], abs=CENT)


@pytest.mark.parametrize(
    ("gain", "loss", "most", "least"),
    [
        (0.05, 0.0, 121_250, 0),
        (0.05, 0.05, 121_250, -121_250),
        (0.10, 0.10, 242_500, -242_500),
        (0.2, 0.2, 485e3, -485e3),
    ],
)
def test_limits_by_year_of_the_joint_replacement_model(gain: float, loss: float, most: float, least: float) -> None:
    """CJR's target of 2,425,000 and results of 30 %: limits of 5, 10 and 20 %, no loss in the first year."""
    limit = msk.GainLossLimit(gain, loss)
    assert settled(2.425e6, 0.7 * 2.425e6, limit)[-1] == pytest.approx(most, abs=CENT)
    assert settled(2.425e6, 1.3 * 2.425e6, limit)[-1] == pytest.approx(least, abs=CENT)


def test_a_published_true_up() -> None:
    """A first result of 150,000 with a stop-gain of 100,000 pays 100,000 (Singletrack Analytics, on CJR's first year).

    Run-out of 50,000 leaves 100,000; run-out of 60,000 leaves 90,000, so that 10,000 comes back.
    """
    agreement = pooled(2e6, msk.GainLossLimit(gain=0.05, loss=0.0))
    first, more, most = (msk.settle(agreement, frame([1.85e6 + late])) for late in (0, 50e3, 60e3))
    assert [one.result[0] for one in (first, more, most)] == pytest.approx([100e3, 100e3, 90e3], abs=CENT)
    assert msk.true_up(first, more) == {"all": pytest.approx(0, abs=CENT)}
    assert msk.true_up(first, most) == {"all": pytest.approx(-10e3, abs=CENT)}


@pytest.mark.parametrize(
    ("spending", "result"),
    [(9.85e6, 0), (9.8e6, 100e3), (9.7e6, 150e3), (7.5e6, 1e6), (10.15e6, 0), (10.3e6, -90e3), (10.5e6, -100e3)],
)
def test_minimum_rates_shares_and_limits(spending: float, result: float) -> None:
    """Benchmark 10 million; minimum rates 2 %; half of gains up to 10 %, 30 % of losses up to 1 %."""
    terms = (msk.MinimumRate(0.02, 0.02), msk.Sharing(gain=0.5, loss=0.3), msk.GainLossLimit(gain=0.10, loss=0.01))
    assert settled(10e6, spending, *terms)[-1] == pytest.approx(result, abs=CENT)


@pytest.mark.parametrize(("spending", "bears"), [(1.03e6, 30e3), (1.08e6, 65e3), (1.15e6, 75e3), (0.88e6, -75e3)])
def test_a_corridor(spending: float, bears: float) -> None:
    """Target 1,000,000: the bearer has all within 5 %, half from 5 to 10 %, nothing beyond."""
    corridor = msk.Corridor(((0.0, 0.05, 1.0), (0.05, 0.10, 0.5)))
    assert settled(1e6, spending, corridor)[-1] == pytest.approx(-bears, abs=CENT)
