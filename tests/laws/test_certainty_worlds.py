"""Laws of the four worlds: what moves nothing changes nothing, shares add up, and causes make the total."""

from functools import cache

import numpy as np
import pytest

import msk_reserves as msk
from msk_reserves.certainty.four_worlds import BEHAVIOUR, BOTH, DEFAULT, NEITHER, TRANSFER, WORLDS, FourWorlds
from msk_reserves.certainty.worlds import SELLER_FAILS
from msk_reserves.contracts.agreements.bearer import Credit
from msk_reserves.episodes.response import COST, RETURN, CareResponse, Effect
from tests.worlds.valued import ledger

FFS = msk.FeeForService()
FASTER = CareResponse((Effect(RETURN, 1.8, log_sd=0.2), Effect("medical", 0.9, COST)), "scenario", "a test")


def bundle_at(price: float, exclusions: tuple[str, ...] = ("pharmacy",)) -> msk.FixedPriceBundle:
    """Return the bundle entered."""
    return msk.FixedPriceBundle(
        price=price,
        exclusions=exclusions,
        stop_loss=msk.StopLoss(attachment=30_000),
        refund=msk.Refund(share=0.2, not_back_by_days=182),
    )


@cache
def worlds(
    price: float = 15_000.0,
    response: CareResponse | None = None,
    credit: Credit | None = None,
    *,
    draws: int = 20,
    scenarios: int = 400,
    exclusions: tuple[str, ...] = ("pharmacy",),
) -> FourWorlds:
    """Return the worlds of the ledger book."""
    book, recovery, cost = ledger()
    bundle = bundle_at(price, exclusions)
    contracts: dict[str, msk.Contract | msk.Agreement] = {"ffs": FFS, "bundle": bundle}
    return msk.four_worlds(book, recovery, cost, contracts, response, credit, draws=draws, scenarios=scenarios, seed=3)


def dollars(found: FourWorlds, world: str, part: str = "total") -> np.ndarray:
    """Return the scenarios of one world."""
    return np.asarray(found.reserves[world].scenarios(part))


def test_without_response_and_default_there_is_transfer_only() -> None:
    """The worlds of the bundle's care are those of the usual care to the last bit, and only transfer has a share."""
    found = worlds()
    np.testing.assert_array_equal(dollars(found, BEHAVIOUR), dollars(found, NEITHER))
    np.testing.assert_array_equal(dollars(found, BOTH), dollars(found, TRANSFER))
    np.testing.assert_array_equal(dollars(found, DEFAULT), dollars(found, BOTH))
    for measure in ("mean", "variance", "tail"):
        split = found.split(measure)
        assert (split.behaviour, split.default) == (0.0, 0.0)
    assert "never fails in these figures" in str(found)
    assert "care is the same under every contract" in str(found)


def test_a_contract_that_moves_nothing_changes_nothing() -> None:
    """Fee for service against itself: every fall is exactly zero, with intervals of zero."""
    book, recovery, cost = ledger()
    contracts: dict[str, msk.Contract | msk.Agreement] = {"ffs": FFS, "same": FFS}
    found = msk.four_worlds(book, recovery, cost, contracts, FASTER, draws=20, scenarios=4_000, seed=3)
    assert found.taken_over == 0
    assert not found.to_frame()[["fall", "low", "high"]].to_numpy().any()
    assert found.gain().reason == "changes nothing"


def test_the_worlds_of_usual_care_are_those_of_a_forecast() -> None:
    """With as many draws, both contracts' reserves are the forecast's, up to the order of summation."""
    book, recovery, cost = ledger()
    found = worlds(draws=100)
    bundle = bundle_at(15_000.0)
    reserves = msk.forecast(book, recovery, cost, {"ffs": FFS, "bundle": bundle}, scenarios=400, seed=3).reserves
    for world, name in ((NEITHER, "ffs"), (TRANSFER, "bundle")):
        for part in ("medical", "indemnity", "expense"):
            np.testing.assert_allclose(dollars(found, world, part), reserves[name].scenarios(part), rtol=1e-9)


def test_causes_make_the_total_and_shares_add_up() -> None:
    """What is left by cause adds up in every scenario; Euler shares to one; Shapley shares to the whole change."""
    found = worlds(response=FASTER, credit=Credit(0.1, 0.6))
    np.testing.assert_allclose(np.sum(list(found.causes.values()), axis=0), dollars(found, DEFAULT), rtol=1e-9)
    left = found.remaining()
    assert left["share of variance"].sum() == pytest.approx(1.0)
    assert left["share of tail"].sum() == pytest.approx(1.0)
    assert left.at["care excluded", "mean"] > 0
    assert left.at["above the stop-loss", "mean"] > 0
    for measure, part in (("mean", "total"), ("variance", "medical"), ("tail", "indemnity")):
        split = found.split(measure, part)
        table = found.to_frame(part)
        assert table.loc[(measure, "together"), "fall"] == pytest.approx(split.whole)
        assert split.whole == pytest.approx(split.transfer + split.behaviour + split.default)


def test_without_exclusions_nothing_is_excluded() -> None:
    """All medical in the window is in scope then."""
    found = worlds(exclusions=())
    np.testing.assert_allclose(found.causes["care excluded"], 0.0, atol=1e-6)


def test_a_price_shifts_the_mean_by_transfer_alone() -> None:
    """A thousand dollars more a claim raise the mean by transfer, less what is refunded; no cause of spread moves."""
    cheap, dear = worlds(0.0), worlds(1_000.0)
    for measure in ("variance", "tail"):
        assert dear.split(measure).behaviour == cheap.split(measure).behaviour == 0.0
    risen = dollars(dear, BOTH, "medical").mean() - dollars(cheap, BOTH, "medical").mean()
    assert 0.8 * 1_000 * cheap.taken_over <= risen <= 1_000 * cheap.taken_over
    assert cheap.split("mean").transfer - dear.split("mean").transfer == pytest.approx(risen)


def test_faster_care_falls_to_behaviour() -> None:
    """Indemnity, which the contract does not touch, falls by behaviour alone; transfer of it is nothing."""
    found = worlds(response=FASTER)
    split = found.split("mean", "indemnity")
    assert split.behaviour > 0
    assert split.transfer == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_array_equal(dollars(found, BOTH, "indemnity"), dollars(found, BEHAVIOUR, "indemnity"))


def test_a_seller_sure_to_fail_leaves_all_it_owes() -> None:
    """With probability one the loss given default of care and refunds comes back in every scenario; it only adds."""
    sound, gone, half = worlds(), worlds(credit=Credit(1.0, 1.0)), worlds(credit=Credit(1.0, 0.5))
    lost = dollars(gone, DEFAULT) - dollars(gone, BOTH)
    assert (lost > 0).all()
    np.testing.assert_allclose(dollars(half, DEFAULT) - dollars(half, BOTH), 0.5 * lost, rtol=1e-6)
    # What the seller owes is what the payer saves by the contract before its price, with the refunds.
    saved = dollars(sound, NEITHER) - dollars(sound, TRANSFER) + 15_000.0 * sound.taken_over
    np.testing.assert_allclose(lost, saved, rtol=1e-6)
    np.testing.assert_allclose(gone.causes[SELLER_FAILS], lost, rtol=1e-6)
    assert gone.split("mean").default < 0


def test_intervals_come_with_draws_that_have_scenarios() -> None:
    """With 20 draws of 200 scenarios every fall has an interval; with fewer it is not made up."""
    few = worlds().to_frame()
    assert few[["low", "high"]].isna().all(axis=None)
    many = worlds(response=FASTER, scenarios=4_000).to_frame("indemnity")
    assert (many["low"] <= many["high"]).all()
    assert many.loc[("mean", "behaviour"), "low"] > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"contracts": {"ffs": FFS}}, "`contracts` must be two"),
        ({"draws": 7}, "`draws` must be a whole number of at least 10"),
        ({"draws": 12}, "`draws` must be a multiple of 5"),
        ({"draws": 20, "scenarios": 90}, "`scenarios` must be a multiple of `draws`"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(change: dict[str, object], message: str) -> None:
    """Two contracts, draws in fives, scenarios in draws."""
    book, recovery, cost = ledger()
    given: dict[str, object] = {"contracts": {"ffs": FFS, "same": FFS}, "draws": 20, "scenarios": 400, "seed": 1}
    call: object = msk.four_worlds
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call(book, recovery, cost, **(given | change))


def test_every_world_is_there() -> None:
    """Five reserves, in the order of the split."""
    assert tuple(worlds().reserves) == WORLDS
