"""Laws of settlements over agreements and episodes of any kind."""

from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

import msk_reserves as msk
from msk_reserves.contracts.amounts import ACCOUNTS
from tests.worlds.agreements import CONTINUOUS, DOLLARS, agreements, drawn_episodes, in_other_dollars
from tests.worlds.episodes import make_episodes
from tests.worlds.settled import frame, pooled, steps

SEEDS = st.integers(0, 10**6)
SHARES = st.floats(0.0, 1.0)
ROUNDING = 1e-9
"""Share of the gross flow that rounding of doubles may leave."""

SOME = settings(max_examples=25, deadline=None)


def result_of(contract: msk.Agreement, episodes: pd.DataFrame) -> float:
    """Return the result of all pools together."""
    return float(msk.settle(contract, episodes).result.sum())


class Tithe(msk.PoolTerm):
    """A tenth of a gain is not paid."""

    def apply(self, pool: msk.Pool) -> msk.Pool:
        """Return nine tenths of the amount."""
        return pool.owing(0.9 * pool.amount)

    def describe(self) -> str:
        """Return the words."""
        return "a tenth is given away"


@given(agreements(), SEEDS)
@SOME
def test_every_dollar_leaves_one_account_and_enters_another(agreement: msk.Agreement, seed: int) -> None:
    """The four accounts of each pool add to zero, and each holds what it must by itself, default and load included."""
    episodes = drawn_episodes(seed)
    found = msk.settle(agreement, episodes)
    accounts, slack = found.accounts(), ROUNDING * found.gross_flow()
    paid_before = found.by_pool()["target price"].sum() if agreement.timing == "prospective" else episodes["cost"].sum()
    assert abs(np.sum([accounts[name] for name in ACCOUNTS], axis=0)).max() <= slack
    aside = dict.fromkeys(ACCOUNTS, 0.0)
    for flow in found.flows:
        if {flow.source, flow.into} & {"deadweight"} or flow.name == "gainsharing":
            aside[flow.source] -= float(flow.dollars.sum())
            aside[flow.into] += float(flow.dollars.sum())
    cost, due = float(episodes["cost"].sum()), float(found.result.sum())
    expected = {"payer": -cost - due, "bearer": due, "providers": cost, "deadweight": 0.0}
    assert aside["payer"] - accounts["payer"].sum() == pytest.approx(paid_before + found.due.sum(), abs=slack)
    for name in ACCOUNTS:
        assert accounts[name].sum() == pytest.approx(expected[name] + aside[name], abs=slack)


@given(agreements(), SEEDS)
@SOME
def test_what_is_shown_by_episode_adds_up_to_the_result(agreement: msk.Agreement, seed: int) -> None:
    """The split by target price keeps each pool's amount."""
    found = msk.settle(agreement, drawn_episodes(seed))
    by_pool = found.by_episode().groupby("pool")["result"].sum()
    for name, due in zip(found.pool_names, found.result, strict=True):
        assert by_pool[name] == pytest.approx(due, abs=ROUNDING * found.gross_flow())


@given(agreements(of_pools=CONTINUOUS), SEEDS, st.floats(0.0, 50_000.0), st.integers(0, 11))
@SOME
def test_spending_more_never_pays_and_costs_at_most_itself(
    agreement: msk.Agreement, seed: int, more: float, which: int
) -> None:
    """Without edges (minimum rates from the first dollar), a dollar of cost lowers the result by at most a dollar."""
    before = drawn_episodes(seed)
    after = before.assign(cost=before["cost"] + np.where(np.arange(len(before)) == which, more, 0.0))
    change = result_of(agreement, after) - result_of(agreement, before)
    slack = ROUNDING * msk.settle(agreement, after).gross_flow()
    assert -more - slack <= change <= slack


@given(agreements(), SEEDS, SHARES, SHARES)
@SOME
def test_a_limit_binds_last_and_twice_is_once(agreement: msk.Agreement, seed: int, gain: float, loss: float) -> None:
    """A limit at the end of the pool's terms holds, and the same limit again changes nothing."""
    limit = msk.GainLossLimit(gain, loss)
    of_pools = [term for term in agreement.terms if term.stage < 4]
    once, twice = (
        msk.settle(
            msk.Agreement("limited", (*of_pools, *[limit] * times), pooling="pool", timing=agreement.timing),
            drawn_episodes(seed),
        ).by_pool()
        for times in (1, 2)
    )
    result = once.filter(like="gain loss limit").iloc[:, -1]
    target = once["target price"]
    assert (result <= gain * target * (1 + ROUNDING)).all()
    assert (result >= -loss * target * (1 + ROUNDING)).all()
    assert twice["result"].tolist() == once["result"].tolist()


@given(st.floats(-5e5, 5e5), SHARES, SHARES, st.floats(0.0, 100.0), st.floats(0.0, 100.0))
@SOME
def test_gate_and_scale_never_turn_a_result_around(
    result: float, risk: float, relief: float, score: float, at_least: float
) -> None:
    """A gain stays a gain or becomes nothing, a loss stays a loss or becomes nothing, and neither grows."""
    for term in (msk.QualityScale(risk, relief), msk.QualityGate(at_least)):
        found = steps(msk.settle(pooled(1e6, term), frame([1e6 - result], quality_score=score)))
        difference = found["target price less spending"]
        assert found["result"] * difference >= 0
        assert abs(found["result"]) <= abs(difference)


@given(st.floats(-9e5, 9e5), SHARES, SHARES, st.floats(0.0, 100.0), st.floats(0.01, 0.5), st.floats(0.01, 0.5))
@SOME
def test_the_order_of_quality_and_limit_matters_where_the_limit_binds(
    result: float, risk: float, relief: float, score: float, gain: float, loss: float
) -> None:
    """Quality first moves at least as many dollars as the limit first, and the same where no limit binds.

    Where the limit binds on the result after quality, the difference is what quality takes off the limit.
    """
    quality, limit = msk.QualityScale(risk, relief), msk.GainLossLimit(gain, loss)
    episodes = frame([1e6 - result], quality_score=score)
    first, last, whole = (
        float(msk.settle(pooled(1e6, *terms), episodes).result[0])
        for terms in ((quality, limit), (limit, quality), (quality,))
    )
    bound = 1e6 * (gain if result > 0 else loss)
    kept = 1.0 - (risk * (1.0 - score / 100.0) if result >= 0 else relief * score / 100.0)
    assert abs(first) >= abs(last) - 1e-6
    if abs(whole) >= bound:
        assert abs(first) - abs(last) == pytest.approx(bound * (1.0 - kept), abs=1e-6)
    elif abs(result) <= bound:
        assert first == pytest.approx(last, abs=1e-6)


@given(agreements(), SEEDS, st.floats(0.01, 100.0))
@SOME
def test_other_dollars_are_the_same_contract(agreement: msk.Agreement, seed: int, factor: float) -> None:
    """Every amount of contract and episodes times a factor multiplies the result and every account by it."""
    episodes = drawn_episodes(seed)
    other = episodes.assign(**{name: factor * episodes[name] for name in DOLLARS})
    first, second = msk.settle(agreement, episodes), msk.settle(in_other_dollars(agreement, factor), other)
    np.testing.assert_allclose(second.result, factor * first.result, rtol=1e-7, atol=ROUNDING * second.gross_flow())


@given(agreements(), SEEDS)
@SOME
def test_netting_is_addition_and_few_episodes_never_cost_the_bearer(agreement: msk.Agreement, seed: int) -> None:
    """Before terms of a pool, netted results are the sum of the categories'; a low-volume rule lowers nothing."""
    terms = tuple(term for term in agreement.terms if term.stage < 2)
    plain, apart = (
        msk.settle(msk.Agreement("plain", terms, pooling=pooling), drawn_episodes(seed))
        for pooling in ("pool", "category")
    )
    np.testing.assert_allclose(plain.result, apart.result, rtol=0, atol=ROUNDING * plain.gross_flow())
    spared = msk.settle(msk.Agreement("spared", (*terms, msk.LowVolume(31))), drawn_episodes(seed))
    assert (spared.result >= plain.result - ROUNDING * plain.gross_flow()).all()


@given(st.floats(1.0, 1e5), st.floats(0.0, 1e5), st.floats(0.0, 0.5), SEEDS)
@SOME
def test_prices_that_are_the_same_price(base: float, complications: float, discount: float, seed: int) -> None:
    """No warranty is the base; a baseline of its last year alone, discounted, is that year's mean less the discount."""
    episodes = drawn_episodes(seed).assign(regional_1=1.0, regional_2=2.0, regional_3=base)
    free = msk.Agreement("free", (msk.BaseAndWarranty(base, complications, warranty=0.0),))
    last = msk.Agreement("last", (msk.Baseline((0.0, 0.0, 1.0), trend_level="cell"), msk.Discount(discount)))
    fixed, less = (msk.Agreement("fixed", (msk.FixedPrice(dollars),)) for dollars in (base, base * (1.0 - discount)))
    assert result_of(free, episodes) == pytest.approx(result_of(fixed, episodes), rel=1e-12, abs=1e-6)
    assert result_of(last, episodes) == pytest.approx(result_of(less, episodes), rel=1e-12, abs=1e-6)


@given(agreements(), SEEDS, st.randoms(use_true_random=False))
@SOME
def test_pools_do_not_know_each_other_nor_the_order_of_rows(
    agreement: msk.Agreement, seed: int, shuffle: Random
) -> None:
    """A pool alone, or with its rows in another order, has the result it has among others."""
    episodes = drawn_episodes(seed)
    order = list(range(len(episodes)))
    shuffle.shuffle(order)
    together = msk.settle(agreement, episodes)
    mixed = msk.settle(agreement, episodes.iloc[order])
    due = dict(zip(mixed.pool_names, mixed.result, strict=True))
    for name, amount in zip(together.pool_names, together.result, strict=True):
        alone = msk.settle(agreement, episodes[episodes["pool"] == name])
        assert alone.result == pytest.approx([amount], abs=ROUNDING * together.gross_flow())
        assert due[name] == pytest.approx(amount, abs=ROUNDING * together.gross_flow())


@given(SEEDS, st.floats(0, 200_000), st.floats(1, 100_000), SHARES, SHARES, st.integers(1, 400))
@settings(max_examples=25, deadline=None)
def test_a_bundle_settles_for_what_it_owes_on_simulated_episodes(
    seed: int, price: float, attachment: float, part: float, back: float, days: int
) -> None:
    """The payer's dollars of a fixed-price bundle are the same settled as a table and applied to the futures."""
    bundle = msk.FixedPriceBundle(
        price, stop_loss=msk.StopLoss(attachment, part), refund=msk.Refund(back, days), scope=("medical",)
    )
    episodes = make_episodes(seed, bundle.scopes())
    taken = episodes.takeover.eligible
    inside = episodes.inside(bundle.covered())["medical"][:, taken]
    outside = episodes.medical[:, taken] - inside
    applied = bundle.per_episode(episodes).medical[:, taken] - outside
    back_on = episodes.day_back[:, taken]
    table = frame(inside.ravel().tolist(), day_back=np.where(np.isfinite(back_on), back_on, np.nan).ravel())
    ids = table["episode_id"]
    settled = msk.settle(bundle, table.assign(pool=ids)).by_account()
    np.testing.assert_allclose(-settled["payer"], applied.ravel(), rtol=1e-12, atol=1e-6)


def test_a_table_of_episodes_is_its_own() -> None:
    """What happens to a frame after it was read does not reach the table, whose columns cannot be written."""
    rows = frame([80.0, 90.0])
    table = msk.EpisodeTable.of(rows)
    rows.loc[0, "cost"] = 0.0
    assert table.number("cost").tolist() == [80.0, 90.0]
    with pytest.raises(ValueError, match="read-only"):
        table.number("cost")[0] = 0.0


def test_a_term_of_ones_own_takes_its_place_in_the_pipeline() -> None:
    """A class with `apply` and `describe` is a term: it is settled, shown and printed like any other."""
    tithe = Tithe()
    found = msk.settle(pooled(100.0, tithe, msk.GainLossLimit(0.05, 0.05)), frame([80.0, 90.0]))
    assert steps(found)["tithe"] == pytest.approx(27.0)
    assert found.result == pytest.approx([10.0])
    assert "tithe: a tenth is given away" in str(found)


@given(agreements(), SEEDS)
@SOME
def test_futures_stacked_are_futures_apart(agreement: msk.Agreement, seed: int) -> None:
    """Episodes whose numbers have an axis of futures in front are settled future by future."""
    first = drawn_episodes(seed)
    others = [first, *(first.assign(**drawn_episodes(seed + place)[[*DOLLARS]]) for place in (1, 2))]
    tables = [msk.EpisodeTable.of(one) for one in others]
    numbers = {name: np.stack([table.numbers[name] for table in tables]) for name in tables[0].numbers}
    stacked = msk.settle(agreement, msk.EpisodeTable(numbers, tables[0].words))
    apart = [msk.settle(agreement, table) for table in tables]
    slack = ROUNDING * max(one.gross_flow() for one in apart)
    np.testing.assert_allclose(stacked.result, [one.result for one in apart], rtol=0, atol=slack)
    np.testing.assert_allclose(
        stacked.episode_steps[-1].dollars, [one.episode_steps[-1].dollars for one in apart], rtol=0, atol=slack
    )
