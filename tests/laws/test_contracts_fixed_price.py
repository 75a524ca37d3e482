"""Laws of fixed-price bundles on any futures."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.contracts.fixed_price import FixedPriceBundle, InForce, PriceTable, Refund, StopLoss
from msk_reserves.contracts.terms import Contract, FeeForService, owed_under
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.scope import Scope
from tests.worlds.episodes import make_episodes

SEEDS = st.integers(0, 10**6)
PRICES = st.floats(0, 200_000)


def total(contract: Contract, episodes: Episodes) -> np.ndarray:
    """Return what is owed in all, shape (n_scenarios, n_claims)."""
    owed = contract.per_episode(episodes)
    return np.asarray(np.sum([owed.component(name) for name in COMPONENTS], axis=0))


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_fee_for_service_pays_exactly_what_is_simulated(seed: int) -> None:
    """Every component passes through untouched."""
    episodes = make_episodes(seed, ())
    owed = FeeForService().per_episode(episodes)
    for name in COMPONENTS:
        assert owed.component(name) is episodes.component(name)


@given(SEEDS, PRICES)
@settings(max_examples=25, deadline=None)
def test_without_extras_in_scope_medical_is_certain(seed: int, price: float) -> None:
    """What is owed less the care out of scope is the price, in every scenario."""
    bundle = FixedPriceBundle(price=price)
    episodes = make_episodes(seed, bundle.scopes())
    outside = episodes.medical - episodes.in_scope[bundle.covered()]["medical"]
    inside = (bundle.per_episode(episodes).medical - outside)[:, episodes.takeover.eligible]
    np.testing.assert_allclose(inside, price, rtol=0, atol=1e-6)


@given(SEEDS, PRICES, st.floats(0, 50_000))
@settings(max_examples=25, deadline=None)
def test_raising_the_price_shifts_the_mean_and_nothing_else(seed: int, price: float, more: float) -> None:
    """Without a refund, each eligible claim owes exactly the difference of prices more."""
    episodes = make_episodes(seed, FixedPriceBundle(price=price).scopes())
    change = total(FixedPriceBundle(price=price + more), episodes) - total(FixedPriceBundle(price=price), episodes)
    expected = np.where(episodes.takeover.eligible, more, 0.0)
    np.testing.assert_allclose(change, np.broadcast_to(expected, change.shape), atol=1e-6)


@given(SEEDS, st.floats(1_000, 100_000), st.floats(0, 50_000), st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_a_higher_attachment_never_costs_the_payer_more(seed: int, low: float, more: float, share: float) -> None:
    """The payer's part falls as the stop-loss attaches higher, and rises with the payer's share."""
    scope = FixedPriceBundle(price=1.0).scopes()
    episodes = make_episodes(seed, scope)

    def owed(attachment: float, part: float) -> np.ndarray:
        return total(FixedPriceBundle(price=1.0, stop_loss=StopLoss(attachment, part)), episodes)

    assert (owed(low + more, share) <= owed(low, share) + 1e-9).all()
    assert (owed(low, share) <= owed(low, 1.0) + 1e-9).all()


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_everything_beyond_a_stop_loss_at_nothing_comes_back(seed: int) -> None:
    """With the payer paying all covered care above one cent and a price of nothing, fee for service is left."""
    bundle = FixedPriceBundle(price=0.0, stop_loss=StopLoss(attachment=0.01))
    episodes = make_episodes(seed, bundle.scopes())
    np.testing.assert_allclose(total(bundle, episodes), total(FeeForService(), episodes), atol=0.011)


@given(SEEDS, st.floats(0, 1), st.integers(1, 400))
@settings(max_examples=25, deadline=None)
def test_refund_returns_its_share_when_the_worker_is_late(seed: int, share: float, days: int) -> None:
    """The refund is the share of the price in the scenarios without full duty by the date, and nothing elsewhere."""
    plain = FixedPriceBundle(price=40_000)
    episodes = make_episodes(seed, plain.scopes())
    refunding = FixedPriceBundle(price=40_000, refund=Refund(share=share, not_back_by_days=days))
    returned = total(plain, episodes) - total(refunding, episodes)
    late = (episodes.day_back > days) & episodes.takeover.eligible
    np.testing.assert_allclose(returned, np.where(late, share * 40_000, 0.0), atol=1e-6)


def test_a_claim_that_may_not_be_taken_over_stays_fee_for_service() -> None:
    """Neither the claim that is not eligible nor the one whose body part is not admitted changes."""
    bundle = FixedPriceBundle(price=5.0, eligible={"body_part": ["knee"]})
    episodes = make_episodes(3, bundle.scopes())
    untouched = ~(episodes.takeover.eligible & bundle.admits(episodes.takeover.claims))
    assert untouched.any()
    np.testing.assert_array_equal(bundle.per_episode(episodes).medical[:, untouched], episodes.medical[:, untouched])


def test_bundles_in_force_keep_their_own_terms() -> None:
    """Whatever contract values the rest, a bundled claim owes its unpaid price and the care out of scope."""
    bundle, in_force = FixedPriceBundle(price=5.0), InForce()
    scopes = tuple(dict.fromkeys((*bundle.scopes(), *in_force.scopes())))
    episodes = make_episodes(4, scopes)
    bundled = episodes.takeover.bundled
    outside = (episodes.medical - episodes.in_scope[in_force.terms.covered()]["medical"])[:, bundled]
    for contract in (FeeForService(), bundle):
        owed = owed_under(contract, in_force.per_episode(episodes), episodes)
        np.testing.assert_allclose(owed.medical[:, bundled], outside + 10_000.0)


def test_a_refund_whose_date_has_passed_brings_nothing() -> None:
    """A bundle in force triggered 50 days ago cannot refund for not being back by day 40."""
    early = InForce(FixedPriceBundle(price=0.0, refund=Refund(0.5, 40)), stated=True)
    plain = InForce()
    episodes = make_episodes(5, plain.scopes())
    np.testing.assert_array_equal(early.per_episode(episodes).medical, plain.per_episode(episodes).medical)


def test_price_table_prices_by_column() -> None:
    """Each claim takes the price of its own body part; one without a price is refused by name."""
    table = PriceTable(("body_part",), {("shoulder",): 10.0, ("knee",): 20.0})
    bundle = FixedPriceBundle(price=table)
    episodes = make_episodes(6, bundle.scopes())
    assert bundle.prices(episodes.takeover.claims).tolist() == [10.0, 20.0] * 3
    with pytest.raises(ValueError, match=r"`price` names no price for the eligible claims \['C1', 'C3'\]"):
        FixedPriceBundle(price=PriceTable(("body_part",), {("shoulder",): 10.0})).per_episode(episodes)


def test_a_scope_not_simulated_is_refused() -> None:
    """A contract whose scope the engine did not count fails with the reason, not with a wrong number."""
    episodes = make_episodes(7, FixedPriceBundle(price=1.0).scopes())
    with pytest.raises(ValueError, match="were not simulated with the scope"):
        FixedPriceBundle(price=1.0, exclusions=["opioid"]).per_episode(episodes)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: FixedPriceBundle(price=-1), "`price` must not be negative, got -1"),
        (lambda: FixedPriceBundle(price=float("nan")), "`price` must be a finite number, got nan"),
        (lambda: FixedPriceBundle(price={"C1": -2.0}), r"`price\['C1'\]` must not be negative"),
        (lambda: FixedPriceBundle(price=1, scope=["dental"]), "`scope` must name components .* got 'dental'"),
        (lambda: FixedPriceBundle(price=1, exclusions=["medical"]), "covers nothing; name what is covered"),
        (lambda: FixedPriceBundle(price=1, window_days=0), "`window_days` must be a whole number of at least 1, got 0"),
        (lambda: StopLoss(attachment=0), "`stop_loss.attachment` must be above zero, got 0"),
        (lambda: StopLoss(attachment=1, share=1.5), r"`stop_loss.share` must lie in \[0, 1\], got 1.5"),
        (lambda: Refund(share=0.5, not_back_by_days=0), "`refund.not_back_by_days` must be a whole number"),
        (lambda: PriceTable(("body_part",), {("a", "b"): 1.0}), "needs a value for each of"),
    ],
)
def test_impossible_terms_are_refused(make: object, said: str) -> None:
    """Each rule of the terms is held at construction, and the message says argument, rule and value."""
    assert callable(make)
    with pytest.raises(ValueError, match=said):
        make()


def test_scope_reads_like_a_term_sheet() -> None:
    """A scope prints what it covers and for how long."""
    assert str(Scope.of(["medical"])) == "all medical until return or MMI"
    assert "medical but opioid" in str(Scope.of(["medical"], exclusions=["opioid"]))
    assert "case_management" in str(Scope.of(["medical", "case_management"]))
