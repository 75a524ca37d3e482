"""Laws of the bearer's side: margin and account, prices as new contracts, and its default as the payer's loss."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

import msk_reserves as msk
from tests.worlds.agreements import agreements, drawn_episodes
from tests.worlds.episodes import make_episodes

SEEDS = st.integers(0, 10**6)
SHARES = st.floats(0.0, 1.0)
SOME = settings(max_examples=25, deadline=None)
SCENARIOS, CLAIMS = 20, 8
ROUNDING = 1e-9
"""Share of the gross flow that rounding of doubles may leave."""


def contract_of(agreement: msk.Agreement, seed: int, credit: msk.Credit | None = None) -> msk.AgreementOnClaims:
    """Return the agreement on made claims that carry every column."""
    drawn = drawn_episodes(seed, CLAIMS).drop(columns=["episode_id", "cost", "day_back"])
    columns = drawn.assign(claim_id=[f"C{place}" for place in range(CLAIMS)])
    return msk.AgreementOnClaims(agreement, episodes=columns, credit=credit)


def margin_of(contract: msk.AgreementOnClaims, seed: int) -> msk.BearerMargin:
    """Return the margin on made futures."""
    episodes = make_episodes(seed, contract.scopes(), n_scenarios=SCENARIOS, n_claims=CLAIMS)
    found = contract.margin(contract.per_episode(episodes).sums, SCENARIOS, 2)
    assert found is not None
    return found


@given(agreements(), SEEDS)
@SOME
def test_the_margin_is_the_bearers_account(agreement: msk.Agreement, seed: int) -> None:
    """It is what the bearer receives less what it pays in every future, and the margin at the agreed price."""
    contract = contract_of(agreement, seed)
    episodes = make_episodes(seed, contract.scopes(), n_scenarios=SCENARIOS, n_claims=CLAIMS)
    settled = contract.reconcile(contract.per_episode(episodes).sums, SCENARIOS)
    found = margin_of(contract, seed)
    assert settled is not None
    slack = ROUNDING * settled.gross_flow().max()
    np.testing.assert_allclose(found.margin, settled.accounts()["bearer"].sum(axis=1), rtol=0, atol=slack)
    np.testing.assert_allclose(found.at(1.0), found.margin, rtol=0, atol=slack)
    assert found.mean() == pytest.approx(found.margin.mean())
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(found)).margin, found.margin)


@given(SEEDS, st.floats(5_000.0, 50_000.0), st.floats(0.1, 4.0), SHARES, SHARES, st.sampled_from(["pool", "category"]))
@SOME
def test_a_price_times_a_factor_is_a_contract_at_that_price(
    seed: int, dollars: float, factor: float, loss: float, back: float, pooling: str
) -> None:
    """Without a new simulation the margin at another price is that of the contract at that price."""

    def priced(price: float) -> msk.Agreement:
        terms = (
            msk.FixedPrice(price),
            msk.Discount(0.03),
            msk.StopLoss(40_000.0),
            msk.Refund(back, 120),
            msk.Milestone(msk.Goal("quickdash_gain", 10.8), 700.0),
            msk.QualityScale(0.3, 0.2),
            msk.GainLossLimit(0.4, loss),
        )
        return msk.Agreement("priced", terms, pooling=pooling)

    one, other = (margin_of(contract_of(priced(price), seed), seed) for price in (dollars, factor * dollars))
    np.testing.assert_allclose(one.at(factor), other.margin, rtol=1e-9, atol=1e-6)


@given(SEEDS, st.floats(0.02, 0.98), st.floats(0.0, 50_000.0))
@settings(max_examples=8, deadline=None)
def test_prices_found_do_what_they_are_for(seed: int, chance: float, capital: float) -> None:
    """At the break-even price the mean margin is nothing; at the price of ruin its chance holds, a cent lower not."""
    terms = (msk.FixedPrice(20_000.0), msk.Refund(0.2, 120), msk.GainLossLimit(3.0, 3.0))
    found = margin_of(contract_of(msk.Agreement("sought", terms), seed), seed)
    price = found.price_of_an_episode()
    even = found.break_even_price()
    assert found.at(even / price).mean() == pytest.approx(0.0, abs=1e-3)
    least = found.price_at_ruin(chance, capital)
    if not np.isnan(least):
        assert (found.at(least / price) < -capital).mean() <= chance
        assert (found.at((least - 0.01) / price) < -capital).mean() > chance
    assert found.chance_of_ruin(capital) <= found.chance_of_ruin()


def test_a_bearer_without_downside_has_no_break_even_price() -> None:
    """A contract that only ever pays has no price at which it breaks even, and says so; nor has one priced apart."""
    upside = msk.Agreement("upside", (msk.FixedPrice(9_000.0), msk.Sharing(0.5)), timing="retrospective")
    apart = msk.Agreement("apart", (msk.FixedPrice(9_000.0), msk.Withhold(0.1)), pooling="episode")
    for agreement in (upside, apart):
        found = margin_of(contract_of(agreement, 3), 3)
        assert np.isnan(found.break_even_price())
    with pytest.raises(ValueError, match="the price of 'apart' cannot be changed"):
        found.at(2.0)
    assert "chance of a loss" in repr(found)
    assert "nan" in found.to_frame()["apart"].map(str).to_list()


@given(SEEDS, st.floats(0.001, 0.5), st.floats(0.0, 0.9), st.floats(0.0, 0.09))
@SOME
def test_wrong_way_risk_keeps_the_chance_and_raises_the_loss(seed: int, chance: float, low: float, more: float) -> None:
    """The mean chance of failure is the one given; the closer failure goes with loss, the more is lost on average."""
    margin = np.random.default_rng(seed).normal(1e5, 1e6, (400, 2))
    debts = np.maximum(-margin, 0.0)
    graded = [msk.Credit(chance, 0.6, wrong_way=rho) for rho in (0.0, low, low + more)]
    chances = [credit.chances(margin) for credit in graded]
    # 400 midpoints stand for a normal distribution: the mean of a chance misses by what lies between them.
    np.testing.assert_allclose([one.mean() for one in chances], chance, atol=2e-3)
    lost = [float((one * credit.lost(debts)).mean()) for one, credit in zip(chances, graded, strict=True)]
    assert lost[0] <= lost[1] * (1 + 1e-2)
    assert lost[1] <= lost[2] * (1 + 1e-9)
    assert lost[0] == pytest.approx(
        msk.expected_default_loss(debts.ravel(), probability=chance, loss_given_default=0.6)
    )


@given(agreements(), SEEDS, SHARES, st.floats(0.0, 30_000.0))
@SOME
def test_a_certain_default_loses_what_is_exposed(
    agreement: msk.Agreement, seed: int, severity: float, collateral: float
) -> None:
    """A bearer that fails for certain costs the payer, in each future, its loss on what lies beyond the collateral."""
    plain, failing = (contract_of(agreement, seed, credit) for credit in (None, msk.Credit(1.0, severity, collateral)))
    episodes = make_episodes(seed, plain.scopes(), n_scenarios=SCENARIOS, n_claims=CLAIMS)
    sums = plain.per_episode(episodes).sums
    sound, failed = (one.reconcile(sums, SCENARIOS, np.random.default_rng(1)) for one in (plain, failing))
    assert sound is not None
    assert failed is not None
    left = np.maximum(-sound.due, 0.0)
    if agreement.timing == "prospective":
        left = left + sum(_pooled(sums, "left", sound.pool_names))
    lost = severity * np.maximum(left - collateral, 0.0)
    slack = ROUNDING * sound.gross_flow().max()
    np.testing.assert_allclose(sound.accounts()["payer"] - failed.accounts()["payer"], lost, rtol=0, atol=slack)
    np.testing.assert_allclose(failed.not_by_claim - sound.not_by_claim, lost, rtol=0, atol=slack)


def _pooled(sums: object, name: str, pools: tuple[str, ...]) -> list[np.ndarray]:
    """Return a sum by pool, a term for each line of the pools."""
    assert isinstance(sums, dict)
    return [
        np.where(np.array(pools) == pool, np.broadcast_to(dollars, SCENARIOS)[:, None], 0.0)
        for (pool, _, _, of), dollars in sums.items()
        if of == name
    ]


def test_a_bearer_prints_as_a_table() -> None:
    """The figures come as text, frame and HTML, with chances as percentages."""
    found = margin_of(contract_of(msk.Agreement("shown", (msk.FixedPrice(9_000.0),)), 3), 3)
    html = found._repr_html_() if hasattr(found, "_repr_html_") else ""
    assert f"{found.chance_of_ruin():.1%}" in html
    assert isinstance(found.to_frame(), pd.DataFrame)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"probability": 1.5}, r"`credit.probability` must lie in \[0, 1\], got 1.5"),
        ({"loss_given_default": -0.1}, "`credit.loss_given_default` must lie in"),
        ({"collateral": -1.0}, "`credit.collateral` must not be negative"),
        ({"wrong_way": 1.0}, r"`credit.wrong_way` must lie in \[0, 1\), got 1.0"),
    ],
)
def test_impossible_credit_is_refused(wrong: dict[str, float], said: str) -> None:
    """Each rule is held at construction with argument and value."""
    with pytest.raises(ValueError, match=said):
        msk.Credit(**{"probability": 0.1, "loss_given_default": 0.5, **wrong})
