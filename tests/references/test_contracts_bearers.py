"""Both sides of a fixed price, and what the bearer's default costs, worked by hand."""

import numpy as np
import pandas as pd
import pytest

import msk_reserves as msk
from msk_reserves.contracts.agreements.bearer import bundle_margin
from tests.worlds.episodes import episodes_costing
from tests.worlds.settled import frame

COSTS = [25_000.0] * 10 + [45_000.0] * 6 + [90_000.0] * 3 + [200_000.0]
"""Twenty episodes that are the distribution {25,000: .50, 45,000: .30, 90,000: .15, 200,000: .05}."""

LATE = [100.0] * 18 + [300.0, np.nan]
"""Two of twenty workers are not back within 182 days: one late, one not at all."""


def each(*, refund: bool) -> pd.DataFrame:
    """Return each episode settled by itself under a price of 52,000 with a stop-loss at 100,000."""
    bundle = msk.FixedPriceBundle(
        52_000, stop_loss=msk.StopLoss(100_000), refund=msk.Refund(0.2, 182) if refund else None, name="bundle"
    )
    rows = frame(COSTS, day_back=LATE, pool=[f"p{place}" for place in range(20)])
    return msk.settle(bundle, rows).by_account()


def test_a_fixed_price_on_both_sides_of_the_table() -> None:
    """Cost has mean 49,500 and standard deviation 41,046; the vendor bears up to 100,000.

    The vendor expects 44,500 (25,588), the payer an excess of 5,000 (21,794): the payer's mean is 57,000, its standard
    deviation falls to 53.1 % of fee for service, the vendor's margin is 7,500. Figures are printed to the dollar.
    """
    costs, accounts = np.array(COSTS), each(refund=False)
    payer, bearer = -accounts["payer"].to_numpy(), accounts["bearer"].to_numpy()
    assert (costs.mean(), costs.std()) == pytest.approx((49_500, 41_046), abs=0.5)
    assert payer.mean() == pytest.approx(57_000, abs=1e-6)
    assert (payer - 52_000).std() == pytest.approx(21_794, abs=0.5)
    assert payer.std() / costs.std() == pytest.approx(0.531, abs=5e-4)
    assert bearer.mean() == pytest.approx(7_500, abs=1e-6)
    assert bearer.std() == pytest.approx(25_588, abs=0.5)
    assert 52_000 - bearer.mean() == pytest.approx(44_500, abs=1e-6)
    assert accounts["providers"].to_numpy() == pytest.approx(costs)
    # 200 claims: means times 200, deviations times the root of 200, in millions with the printed decimals.
    million = 1e6
    assert (200 * costs.mean() / million, 200**0.5 * costs.std() / million) == pytest.approx((9.90, 0.580), abs=5e-4)
    assert (200 * payer.mean() / million, 200**0.5 * payer.std() / million) == pytest.approx((11.40, 0.308), abs=5e-4)


def test_a_refund_lowers_the_payers_mean_by_its_share() -> None:
    """A refund of 20 % with one worker in ten not back costs 1,040 an episode: the payer's mean is 55,960."""
    bundle = msk.FixedPriceBundle(52_000, stop_loss=msk.StopLoss(100_000), refund=msk.Refund(0.2, 182))
    # Beside the price, 100,000 above the stop-loss is due to the vendor, and it pays two refunds of 10,400 back.
    assert msk.settle(bundle, frame(COSTS, day_back=LATE)).due.tolist() == pytest.approx([100_000 - 20_800])
    payer = -each(refund=True)["payer"].to_numpy()
    assert payer.mean() == pytest.approx(55_960, abs=1e-6)
    assert pytest.approx(4_316) == 0.2 * 52_000 * 0.415


def test_expected_loss_of_a_prepaid_price() -> None:
    """The vendor has spent 18,000 of a price of 52,000 and expects to spend 26,500 more: 2 % x 60 % x 26,500 = 318."""
    assert 52_000 - 18_000 == 34_000
    assert 44_500 - 18_000 == 26_500
    assert msk.expected_default_loss(26_500, probability=0.02, loss_given_default=0.6) == pytest.approx(318)


def test_a_failed_seller_leaves_its_care_to_the_payer() -> None:
    """Of 44,500 the seller had spent 18,000 when it failed; 60 % of the other 26,500 is lost: 15,900.

    The payer has paid 52,000 and pays 15,900 again; providers have their 44,500; the failed seller is out of as much.
    """
    terms = (msk.FixedPrice(52_000), msk.PrepaidDefault(0.6))
    rows = frame([44_500, 44_500], spent_by_seller=18_000, defaulted=[1, 0], pool=["failed", "sound"])
    found = msk.settle(msk.Agreement("prepaid", terms), rows).by_account().set_index("pool")
    assert found.loc["failed"].tolist() == pytest.approx([-67_900, 23_400, 44_500, 0])
    assert found.loc["sound"].tolist() == pytest.approx([-52_000, 7_500, 44_500, 0])


def test_a_failed_bearer_repays_a_part() -> None:
    """A debt of 100,000 of which 60 % is not repaid leaves 40,000; a gain is not touched."""
    terms = (msk.FixedPrice(1e6), msk.RepaymentDefault(0.6))
    rows = frame([1.1e6, 1.1e6, 0.9e6], pool=["failed", "sound", "failed with a gain"], defaulted=[1, 0, 1])
    found = msk.settle(msk.Agreement("owing", terms, timing="retrospective"), rows)
    assert found.result == pytest.approx([-40e3, -100e3, 100e3])


@pytest.mark.parametrize("refund", [False, True])
def test_prices_of_a_bearer_that_pays_up_to_a_limit(*, refund: bool) -> None:
    """Twenty futures of one claim that cost as above, under a price of 52,000 with a stop-loss at 100,000.

    The bearer's cost is 25,000, 45,000, 90,000 or 100,000 with chances .50, .30, .15, .05: mean 44,500, the break-even
    price. At 52,000 it loses in a fifth of futures, (0.15 x 38,000 + 0.05 x 48,000) / 0.2 = 40,500 on average; the
    worst 5 % is a loss of 48,000. A loss has at most a 5 % chance from 90,000 on, at most a 25 % chance from 45,000 on,
    and at most a 5 % chance of more than 30,000 of capital from 60,000 on. With a fifth of the price back from one
    worker in ten the break-even price is 44,500 / 0.98 = 45,408.16.
    """
    stop, back_to = msk.StopLoss(100_000), msk.Refund(0.2, 182) if refund else None
    bundle = msk.FixedPriceBundle(52_000, stop_loss=stop, refund=back_to)
    terms = (msk.FixedPrice(52_000), stop, *([] if back_to is None else [back_to]))
    contract = msk.AgreementOnClaims(msk.Agreement("terms", terms))
    back = np.nan_to_num(np.array(LATE), nan=np.inf)[:, None]
    episodes = episodes_costing(np.array(COSTS)[:, None], bundle.covered(), back=back)
    found = (
        bundle_margin("bundle", bundle.per_episode(episodes).sums, 20, 20),
        contract.margin(contract.per_episode(episodes).sums, 20, 20),
    )
    for one in found:
        assert one is not None
        assert one.break_even_price() == pytest.approx(45_408.163 if refund else 44_500, abs=1e-2)
        if not refund:
            assert one.mean() == pytest.approx(7_500)
            assert one.chance_of_ruin() == pytest.approx(0.2)
            assert one.mean_loss() == pytest.approx(40_500)
            assert one.tail_mean(0.95) == pytest.approx(-48_000)
            assert one.price_at_ruin(0.05) == pytest.approx(90_000, abs=0.01)
            assert one.price_at_ruin(0.25) == pytest.approx(45_000, abs=0.01)
            assert one.price_at_ruin(0.05, capital=30_000) == pytest.approx(60_000, abs=0.01)


def test_default_of_a_seller_that_has_spent_a_part() -> None:
    """Of a cost of mean 44,500 the seller has spent 18,000: it expects 26,500 more, and 2 % x 60 % of it is lost: 318.

    What comes before the valuation is not lost again; the payer still owes what is unpaid of the price, 26,000.
    """
    terms = msk.Agreement("prepaid", (msk.AgreedPrice(), msk.StopLoss(100_000)))
    so_far = pd.DataFrame({"claim_id": ["C0"], "cost_so_far": [18_000.0]})
    contract = msk.AgreementOnClaims(terms, episodes=so_far, credit=msk.Credit(0.02, 0.6), begun=True)
    episodes = episodes_costing(np.array(COSTS)[:, None] - 18_000.0, contract.covered(), begun=True)
    owed = contract.per_episode(episodes)
    margin = contract.margin(owed.sums, 20, 20)
    assert margin is not None
    assert margin.default_loss == pytest.approx(318.0)
    assert margin.mean() == pytest.approx(7_500.0)
    above = np.maximum(np.array(COSTS) - 100_000.0, 0.0)
    assert owed.medical[:, 0] == pytest.approx(26_000.0 + above)


def test_chances_of_failure_under_wrong_way_risk() -> None:
    """With p = 2 % and a correlation of one half, three futures have normal scores of plus, no and minus .967422.

    Phi((-2.053749 + 0.5 x .967422) / .866025) = Phi(-1.812924) = 3.4922 %; Phi(-2.371465) = .8859 %; Phi(-2.930006) =
    .1695 %, from tables of the normal distribution to the printed digits.
    """
    found = msk.Credit(0.02, 0.6, wrong_way=0.5).chances(np.array([[-10.0], [0.0], [10.0]]))
    assert found[:, 0] == pytest.approx([0.034922, 0.008859, 0.001695], abs=3e-6)
