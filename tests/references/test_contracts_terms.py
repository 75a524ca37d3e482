"""Terms that no published example exercises, each worked by hand; whole dollars, rounding of doubles only."""

import pytest

import msk_reserves as msk
from tests.worlds.settled import frame, pooled, steps

CENT = 1e-6


def result_of(term: msk.EpisodeTerm | msk.PoolTerm, spending: float, **columns: object) -> float:
    """Return the result of one episode of 100,000 under one term."""
    return float(msk.settle(pooled(100_000, term), frame([spending], **columns)).result[0])


@pytest.mark.parametrize(
    ("spending", "first_dollar", "beyond"),
    [(99_000, 0, 0), (97_000, 3_000, 1_000), (103_000, 0, 0), (106_000, -6_000, -1_000)],
)
def test_minimum_rates_of_their_own_for_gains_and_losses(spending: float, first_dollar: float, beyond: float) -> None:
    """A gain counts from 2 %, a loss from 5 %: from the first dollar, or only what lies beyond the rate."""
    assert result_of(msk.MinimumRate(0.02, 0.05), spending) == pytest.approx(first_dollar, abs=CENT)
    assert result_of(msk.MinimumRate(0.02, 0.05, first_dollar=False), spending) == pytest.approx(beyond, abs=CENT)


@pytest.mark.parametrize(("spending", "due"), [(80_000, 10_000), (110_000, -8_000)])
def test_a_corridor_of_its_own_for_gains(spending: float, due: float) -> None:
    """Losses: 80 % up to 10 %. Gains: nothing to 10 %, then all of the next 10 %: 10,000 of 20,000."""
    corridor = msk.Corridor(((0.0, 0.1, 0.8),), gain_bands=((0.1, 0.2, 1.0),))
    assert result_of(corridor, spending) == pytest.approx(due, abs=CENT)


@pytest.mark.parametrize(("spending", "due"), [(96_000, 2_000), (98_500, 500)])
def test_another_discount_for_repayments(spending: float, due: float) -> None:
    """100,000 less 3 % is 97,000. A gain of 1,000 moves to 2 %: 98,000; a loss of 1,500 to 1 %: 99,000."""
    terms = (
        msk.FixedPrice(100_000),
        msk.Discount(0.03),
        msk.DiscountShift(((5.0, 0.02),), loss_bands=((5.0, 0.01),)),
    )
    agreement = msk.Agreement("shift", terms, timing="retrospective")
    found = steps(msk.settle(agreement, frame([spending], quality_score=8)))
    assert found["result"] == pytest.approx(due, abs=CENT)
    assert found["target price after discount shift"] == pytest.approx(spending + due, abs=CENT)


@pytest.mark.parametrize(("spending", "due"), [(90_000, 6_000), (98_000, 0), (107_000, -7_000)])
def test_carried_losses_come_off_gains_only(spending: float, due: float) -> None:
    """4,000 carried: a gain of 10,000 leaves 6,000, one of 2,000 nothing, a loss stays."""
    assert result_of(msk.CarriedLoss(), spending, carried_loss=4_000) == pytest.approx(due, abs=CENT)


@pytest.mark.parametrize(("spending", "due"), [(3_000, 95_000), (50_000, 50_000), (90_000, 40_000)])
def test_winsorized_spending(spending: float, due: float) -> None:
    """A floor of 5,000 and a cap of 60,000."""
    term = msk.OutlierCap(column="outlier_cap", floor_column="outlier_floor")
    assert result_of(term, spending, outlier_cap=60_000, outlier_floor=5_000) == pytest.approx(due, abs=CENT)


@pytest.mark.parametrize(("spending", "due"), [(50_000, 50_000), (90_000, 34_000), (150_000, -18_000)])
def test_a_layer_with_a_limit(spending: float, due: float) -> None:
    """The payer pays 80 % from 60,000 to 100,000: 24,000 of 90,000, 32,000 of 150,000."""
    assert result_of(msk.StopLoss(60_000, 0.8, limit=100_000), spending) == pytest.approx(due, abs=CENT)


@pytest.mark.parametrize(("place", "due"), [(10.0, 8_000), (33.0, 6_500), (90.0, 5_000)])
def test_shares_by_rank(place: float, due: float) -> None:
    """Of a gain of 10,000 the lowest third has 80 %, the next 65 %, the last half."""
    term = msk.TieredSharing("rank", ((0.0, 0.8), (33.0, 0.65), (66.0, 0.5)))
    assert result_of(term, 90_000, rank=place) == pytest.approx(due, abs=CENT)
    assert result_of(term, 110_000, rank=place) == 0


def test_who_pays_what_changes_nothing_between_payer_and_bearer() -> None:
    """Half of a gain of 10,000 goes to providers; 300 of the bearer's administration, 50 an hour of the payer's."""
    terms = (
        msk.FixedPrice(100_000),
        msk.Gainsharing(0.5),
        msk.AdministrativeLoad(300, payer=False),
        msk.AdministrativeLoad(50, per="hours"),
    )
    found = msk.settle(msk.Agreement("aside", terms, timing="retrospective"), frame([90_000], hours=4))
    assert found.result.tolist() == [10_000]
    accounts = {name: float(dollars[0]) for name, dollars in found.accounts().items()}
    assert accounts == {"payer": -100_200, "bearer": 4_700, "providers": 95_000, "deadweight": 500}


def test_milestones_in_proportion_and_all_or_nothing() -> None:
    """Goals of 10 points: 4 points earn 400 of 1,000 in proportion, 12 points all; blanks and setbacks nothing."""
    rows = frame([100_000] * 4, pool=["a", "b", "c", "d"], odi_gain=[4.0, 12.0, None, -3.0])
    for schedule, due in (("linear", [400, 1_000, 0, 0]), ("cliff", [0, 1_000, 0, 0])):
        milestone = msk.Milestone(msk.Goal("odi_gain", 10.0), 1_000, schedule)
        assert msk.settle(pooled(100_000, milestone), rows).result.tolist() == pytest.approx(due, abs=CENT)


@pytest.mark.parametrize(("unmeasured", "due"), [("not reached", -15_000), ("left out", 0)])
def test_episodes_without_a_measure(unmeasured: str, due: float) -> None:
    """Of four episodes two reach the goal, one has no measure and one does not: 2 of 4, or 2 of 3, against 2 of 3.

    30 % of 200,000 is at risk: 60,000 x (1 - 0.5 / (2/3)) = 15,000.
    """
    rows = frame([50_000] * 4, odi_gain=[11.0, 15.0, None, 2.0])
    term = msk.FeesAtRisk(msk.Goal("odi_gain", 10.0), share_at_risk=0.3, goal_share=2 / 3, unmeasured=unmeasured)
    assert msk.settle(pooled(50_000, term), rows).result == pytest.approx([due], abs=CENT)


def test_years_and_pools_are_settled_apart() -> None:
    """One pool in two years and another in one: three results, a gain of one year does not meet the other's loss."""
    rows = frame([90.0, 120.0, 100.0], pool=["a", "a", "b"], year=[2026, 2027, 2026])
    found = msk.settle(pooled(100.0, msk.Sharing(0.5, 0.25)), rows)
    assert dict(zip(found.pool_names, found.result, strict=True)) == {"a 2026": 5.0, "a 2027": -5.0, "b 2026": 0.0}


@pytest.mark.parametrize(("pooling", "due"), [("pool", 5.0), ("category", 10.0), ("episode", 20.0)])
def test_over_what_results_are_netted(pooling: str, due: float) -> None:
    """Half of gains only. Joints 30 and -10, spines 10 and -20: 10 netted, 20 by category, 40 each apart."""
    terms = (msk.FixedPrice(100.0), msk.Sharing(gain=0.5))
    rows = frame([70.0, 110.0, 90.0, 120.0], category=["joint", "joint", "spine", "spine"])
    found = msk.settle(msk.Agreement("netting", terms, pooling=pooling, timing="retrospective"), rows)
    assert found.result == pytest.approx([due], abs=CENT)
