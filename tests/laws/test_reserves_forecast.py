"""Laws of forecasts: what may and what may not change a claim's future, and how totals add up."""

from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from operator import attrgetter
from typing import Any

import distributed
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.interpolate import CubicSpline

import msk_reserves as msk
from msk_reserves.claims.vocabulary import COMPONENTS, OFF_WORK_STATES, STATE_CODE, STATES
from msk_reserves.episodes.engine import blocks, run_blocks
from msk_reserves.episodes.laws import laws_of
from msk_reserves.episodes.plan import Plan, draws_for, make_plan
from msk_reserves.episodes.randomness import key_of, uniforms
from msk_reserves.episodes.simulate import simulate_block
from msk_reserves.episodes.walk import walk
from msk_reserves.reserves.distribution import PARTS
from tests.worlds.valued import LEDGER_DATE, ledger, simple

CONTRACTS: dict[str, msk.Contract] = {"ffs": msk.FeeForService(), "bundle": msk.FixedPriceBundle(price=20_000)}
SCOPES = (*msk.InForce().scopes(), msk.FixedPriceBundle(price=1, window_days=90, exclusions=["opioid"]).covered())


def plan_of(scenarios: int = 200, seed: int = 3) -> Plan:
    """Return a plan for the ledger book."""
    book, recovery, cost = ledger()
    return make_plan(book, recovery, cost, scopes=SCOPES, scenarios=scenarios, seed=seed, systemic=msk.SystemicRisk())


def dollars(episodes: msk.Episodes) -> np.ndarray:
    """Return all dollars of a block, shape (3 + scopes x 3, n_scenarios, n_claims)."""
    parts = [episodes.component(name) for name in COMPONENTS]
    parts += [inside[name] for inside in episodes.in_scope.values() for name in COMPONENTS]
    return np.array([*parts, episodes.days_off, episodes.days_to_leave, np.minimum(episodes.day_back, 1e9)])


def test_a_claims_futures_do_not_depend_on_the_others() -> None:
    """Alone, reversed, or among all, a claim has the same futures to the last bit.

    So too where the others' window is open and its own is not, and a block of it alone need not count their scope.
    """
    plan = plan_of()
    rows = np.concatenate([np.flatnonzero(plan.window_open)[:3], np.flatnonzero(~plan.window_open)[::37]])
    together = dollars(simulate_block(plan.of(rows)))
    reverse = dollars(simulate_block(plan.of(rows[::-1])))
    np.testing.assert_array_equal(together, reverse[:, :, ::-1])
    for place, row in enumerate(rows):
        np.testing.assert_array_equal(dollars(simulate_block(plan.of(np.array([row]))))[:, :, 0], together[:, :, place])


def test_removing_claims_from_the_book_changes_no_other() -> None:
    """Given the same models, a book without every other claim has the same futures for those that stay."""
    _, recovery, cost = ledger()
    tables = msk.generate_world(700, seed=5).cut(LEDGER_DATE)
    kept = set(tables["claims"]["claim_id"].iloc[::2])
    fewer = {name: table[table["claim_id"].isin(kept)].reset_index(drop=True) for name, table in tables.items()}
    small = msk.load_tables(fewer["claims"], events=fewer["events"], payments=fewer["payments"]).as_of(LEDGER_DATE)
    plan = plan_of()
    own = make_plan(small, recovery, cost, scopes=SCOPES, scenarios=200, seed=3, systemic=msk.SystemicRisk())
    places = np.array([plan.claim_ids.index(name) for name in own.claim_ids])
    chosen = np.arange(0, own.n_claims, 5)
    np.testing.assert_array_equal(
        dollars(simulate_block(own.of(chosen))), dollars(simulate_block(plan.of(places[chosen])))
    )


def test_every_claim_is_in_one_block() -> None:
    """Blocks deal each claim once."""
    plan = plan_of()
    assert sorted(np.concatenate(list(blocks(plan))).tolist()) == list(range(plan.n_claims))


# Dask advises against sending tens of megabytes with a task (2026): here a block's share of the plan is that large.
@pytest.mark.filterwarnings("ignore:Sending large graph")
def test_workers_of_every_kind_give_the_same_reserve() -> None:
    """Threads, processes and a Dask cluster give the same totals to the last bit."""
    book, recovery, cost = simple()

    def totals(executor: Executor | None) -> np.ndarray:
        result = msk.forecast(book, recovery, cost, CONTRACTS, scenarios=2_000, seed=9, executor=executor)
        return np.array([result.reserves[name].scenarios() for name in CONTRACTS])

    expected = totals(None)
    with ThreadPoolExecutor(3) as threads:
        np.testing.assert_array_equal(totals(threads), expected)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        np.testing.assert_array_equal(totals(processes), expected)
    make_cluster: Callable[..., Any] = distributed.LocalCluster
    with make_cluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        client: Any = cluster.get_client()
        np.testing.assert_array_equal(totals(client.get_executor()), expected)
        client.close()


def test_totals_are_sums_of_components_and_of_claims() -> None:
    """The total adds the components scenario by scenario, and means of claims add up to the mean of the book."""
    book, recovery, cost = ledger()
    result = msk.forecast(book, recovery, cost, CONTRACTS, scenarios=200, seed=4)
    for place, reserve in enumerate(result.reserves.values()):
        parts = np.sum([reserve.scenarios(name) for name in COMPONENTS], axis=0)
        np.testing.assert_allclose(reserve.scenarios(), parts, rtol=1e-12)
        for part, name in enumerate(PARTS):
            assert result.claims[place, part, :, 0].sum() == pytest.approx(reserve.mean(name), rel=1e-10)


def test_fee_for_service_pays_what_was_simulated() -> None:
    """Without bundles in force the reserve is the sum of the simulated dollars."""
    book, recovery, cost = simple()
    result = msk.forecast(book, recovery, cost, scenarios=200, seed=4)
    plan = make_plan(book, recovery, cost, scopes=SCOPES[:1], scenarios=200, seed=4, systemic=msk.SystemicRisk())
    medical = np.sum([episodes.medical.sum(axis=1) for _, episodes in run_blocks(plan, simulate_block)], axis=0)
    np.testing.assert_allclose(result.reserves["fee for service"].scenarios("medical"), medical, rtol=1e-12)


def test_nothing_after_the_date_changes_a_number() -> None:
    """Tables cut beforehand, and tables that go on for years, give the same forecast to the last bit."""
    world = msk.generate_world(400, seed=8)
    date = pd.Timestamp("2023-06-30")

    def valued(tables: dict[str, pd.DataFrame]) -> np.ndarray:
        book = msk.load_tables(tables["claims"], events=tables["events"], payments=tables["payments"]).as_of(date)
        recovery = msk.fit_recovery(book)
        result = msk.forecast(book, recovery, msk.fit_cost(book, recovery), CONTRACTS, scenarios=100, seed=2)
        return np.array([result.reserves[name].scenarios(part) for name in CONTRACTS for part in COMPONENTS])

    np.testing.assert_array_equal(valued(dict(world.cut(date))), valued(dict(world.cut("2025-06-30"))))


def test_the_seed_reproduces_and_another_differs() -> None:
    """The same seed gives the same scenarios, another seed others."""
    book, recovery, cost = simple()
    first, again, other = (
        msk.forecast(book, recovery, cost, scenarios=100, seed=seed).reserves["fee for service"].scenarios()
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_remaining_days_follow_the_conditional_law() -> None:
    """Given days off already, simulated remaining days have S(a + u) / S(a) averaged over the draws (KS, 0.1 %)."""
    book, recovery, cost = simple()
    plan = make_plan(book, recovery, cost, scenarios=20_000, seed=6, systemic=msk.SystemicRisk())
    off = np.flatnonzero(plan.state == STATE_CODE["off_work"])[:5]
    days = walk(plan.of(off)).days_to_leave
    exit_ = plan.exits[[one.target for one in plan.exits].index("back_at_work")]
    location = exit_.location(plan.design[off])
    for place, row in enumerate(off):
        age = plan.days_in_state[row]
        draw = np.repeat(np.arange(plan.n_draws), plan.per_draw)
        where = location[place][draw]
        began = exit_.cumulative_hazard(np.full(len(draw), age), where, draw)
        ended = exit_.cumulative_hazard(age + days[place], where, draw)
        # What each future waited for is standard exponential, whatever its draw and age.
        inside = days[place] < plan.horizon_days
        assert inside.mean() > 0.9
        reached = np.where(inside, -np.expm1(began - ended), 1.0)
        ceiling = -np.expm1(began - exit_.cumulative_hazard(np.full(len(draw), age + plan.horizon_days), where, draw))
        assert stats.kstest((reached / ceiling)[inside], "uniform").pvalue > 0.001 / len(off)


def test_the_inner_loop_draws_the_library_s_random_numbers() -> None:
    """The compiled loop and `uniforms` agree: a claim leaves exactly when its uniform says so."""
    plan = plan_of(400)
    row = int(np.flatnonzero(plan.state == STATE_CODE["off_work"])[0])
    one = plan.of(np.array([row]))
    keys = np.full(one.scenarios, key_of(3, one.claim_ids[0]), dtype=np.uint64)
    scenario = np.arange(one.scenarios, dtype=np.uint64)
    draw = np.repeat(np.arange(one.n_draws), one.per_draw)
    first = np.full(one.scenarios, np.inf)
    off = set(OFF_WORK_STATES)
    leaving = np.zeros(one.scenarios, dtype=bool)
    for exit_ in [exit_ for exit_ in one.exits if exit_.origin == "off_work"]:
        waited = -np.log(uniforms(keys, scenario, STATE_CODE[exit_.target]))
        where = exit_.location(one.design)[0][draw]
        age = float(one.days_since_start[0] if exit_.forward else one.days_in_state[0])
        so_far = exit_.cumulative_hazard(np.full(len(draw), age), where, draw)
        day = exit_.exit_days(so_far + waited, where, draw) - age
        leaving = np.where(day < first, exit_.target not in off, leaving)
        first = np.minimum(first, day)
    simulated = walk(one).days_to_leave[0]
    directly = leaving & (first < one.horizon_days)
    assert directly.sum() > 100
    # The loop reads lognormal and generalized gamma laws from a table: within 1e-4 of the day in the state.
    np.testing.assert_allclose(
        simulated[directly], first[directly], rtol=1e-4, atol=1e-4 * (one.days_in_state[0] + 100)
    )


def test_tables_of_laws_invert_the_laws() -> None:
    """The tabulated standard laws agree with the exact inverse within 1e-5 in ln days."""
    plan = plan_of(400)
    laws = laws_of(ledger()[1].draw(plan.n_draws, 3), plan.design.shape[1])
    hazard = np.exp(np.linspace(np.log(1e-9), np.log(50.0), 400))
    checked = 0
    for place, exit_ in enumerate(plan.exits):
        for draw in range(0, plan.n_draws, 17):
            family = exit_.laws[int(exit_.law_of_draw[draw])].family
            if family not in {"lognormal", "gengamma"}:
                continue
            where = np.zeros(len(hazard))
            exact = np.log(exit_.exit_days(hazard, where, np.full(len(hazard), draw)))
            row = laws.table[laws.row[draw, place]]
            w = CubicSpline(laws.low + laws.step * np.arange(len(row)), row)(np.log(hazard))
            usable = np.isfinite(exact) & (np.abs(exact) < 20)
            np.testing.assert_allclose(laws.scale[draw, place] * w[usable], exact[usable], atol=1e-5 * laws.scale.max())
            checked += 1
    assert checked > 5


def test_scenarios_must_suit_the_draws() -> None:
    """Scenario counts that no whole number of draws divides are refused with the rule and the value."""
    assert draws_for(10_000) == 500
    for wrong in (0, 30, 10_010):
        with pytest.raises(ValueError, match=f"`scenarios` must be .*{wrong}"):
            draws_for(wrong)


def test_no_call_touches_the_global_generator() -> None:
    """Fits, draws, answers and a forecast leave numpy's global state as it was, and do not depend on it."""
    state, sow = (attrgetter(name)(np.random) for name in ("get_state", "seed"))
    book, _, cost = simple()
    some = book.claims["claim_id"][book.position.off_work()].tolist()[:20]
    seen = []
    for seed in (1, 2):
        sow(seed)
        before = repr(state())
        recovery = msk.fit_recovery(book, covariates=(), candidates=("weibull", "piecewise"))
        told = msk.remaining_days(recovery, book, claims=some, draws=10, paths=20, seed=3).to_frame()
        total = msk.forecast(book, recovery, cost, scenarios=40, seed=1).reserves["fee for service"].to_frame()
        assert repr(state()) == before
        seen.append((told, total))
    for one, other in zip(*seen, strict=True):
        pd.testing.assert_frame_equal(one, other)


def test_the_decline_of_late_rates_is_printed() -> None:
    """What is assumed of rates that too few exits show stands in the manifest, with its source."""
    book, recovery, cost = simple()
    (late,) = [
        one
        for one in msk.forecast(book, recovery, cost, scenarios=40, seed=1).manifest.assumptions
        if one.name.startswith("late rates")
    ]
    assert "50% a year" in late.value
    assert late.source


def test_an_empty_book_or_no_contract_is_refused() -> None:
    """Nothing to forecast, or nothing to value it under, is said at once."""
    book, recovery, cost = simple()
    with pytest.raises(ValueError, match="`contracts` is empty"):
        msk.forecast(book, recovery, cost, {}, scenarios=100)
    with pytest.raises(ValueError, match="`seed` must be a whole number"):
        msk.forecast(book, recovery, cost, scenarios=100, seed=-1)


def test_a_bundle_makes_medical_in_its_window_certain() -> None:
    """For a claim taken over, medical before the first return or MMI is replaced by the price in every scenario."""
    book, recovery, cost = ledger()
    plan = make_plan(book, recovery, cost, scopes=SCOPES[:1], scenarios=400, seed=3, systemic=msk.SystemicRisk())
    eligible = np.flatnonzero(plan.takeover.eligible)[:6]
    episodes = simulate_block(plan.of(eligible))
    owed = CONTRACTS["bundle"].per_episode(episodes)
    outside = episodes.medical - episodes.in_scope[SCOPES[0]]["medical"]
    np.testing.assert_allclose(owed.medical, 20_000 + outside, rtol=1e-12)
    assert (episodes.in_scope[SCOPES[0]]["medical"].mean(axis=0) > 0).all()
    assert (episodes.in_scope[SCOPES[0]]["medical"] <= episodes.medical + 1e-9).all()


def test_a_window_of_days_longer_than_the_horizon_covers_everything() -> None:
    """A window as long as the horizon holds all medical and all days off."""
    book, recovery, cost = simple()
    scope = msk.Scope.of(["medical", "indemnity"], window=msk.Window(days=4_000))
    plan = make_plan(book, recovery, cost, scopes=(scope,), scenarios=200, seed=3, systemic=msk.SystemicRisk())
    episodes = simulate_block(plan.of(np.flatnonzero(plan.takeover.eligible)[:10]))
    np.testing.assert_allclose(episodes.in_scope[scope]["medical"], episodes.medical, rtol=1e-5)
    sums = walk(plan.of(np.flatnonzero(plan.takeover.eligible)[:10]))
    np.testing.assert_allclose(sums.scoped_days_off[0], sums.days_off, rtol=1e-9)


def test_every_state_has_a_future() -> None:
    """Each state the book holds is simulated to the horizon without a number that is not one."""
    plan = plan_of(40)
    seen = {STATES[code] for code in np.unique(plan.state)}
    assert len(seen) >= 7
    result = dollars(simulate_block(plan.of(np.arange(plan.n_claims))))
    assert np.isfinite(result).all()
    assert (result >= 0).all()
