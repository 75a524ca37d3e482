"""Laws of agreements on simulated futures: the dollars are those of a settlement, and each has an account."""

import pickle
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

import msk_reserves as msk
from msk_reserves.claims.vocabulary import CATEGORY_NAMES, COMPONENTS
from msk_reserves.contracts.agreements.futures import added_sums
from msk_reserves.contracts.agreements.reconciliation import Reconciliation
from msk_reserves.contracts.amounts import ACCOUNTS
from msk_reserves.contracts.terms import Owed
from msk_reserves.episodes.engine import run_blocks
from msk_reserves.episodes.plan import make_plan
from msk_reserves.episodes.simulate import simulate_block
from msk_reserves.reserves.pooled import in_force_on
from tests.worlds.agreements import agreements, drawn_episodes
from tests.worlds.episodes import make_episodes, some_claims
from tests.worlds.valued import ledger

SEEDS = st.integers(0, 10**6)
SOME = settings(max_examples=40, deadline=None)
ROUNDING = 1e-9
"""Share of the gross flow that rounding of doubles may leave."""

CREDITS = st.builds(
    msk.Credit,
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    collateral=st.floats(0.0, 20_000.0),
    wrong_way=st.floats(0.0, 0.9),
)

SCENARIOS, CLAIMS = 5, 12
SCOPE = ("medical", "indemnity")


def columns_of(seed: int) -> pd.DataFrame:
    """Return what terms read of each claim, by claim; its cost and day of return are the futures' own."""
    drawn = drawn_episodes(seed, CLAIMS).drop(columns=["episode_id", "cost", "day_back"])
    return drawn.assign(claim_id=[f"C{place}" for place in range(CLAIMS)])


def on_claims(
    agreement: msk.Agreement, seed: int, ended: pd.DataFrame | None = None, credit: msk.Credit | None = None
) -> msk.AgreementOnClaims:
    """Return the agreement on the claims of a made block."""
    return msk.AgreementOnClaims(agreement, scope=SCOPE, episodes=columns_of(seed), ended=ended, credit=credit)


def applied(contract: msk.AgreementOnClaims, episodes: msk.Episodes) -> tuple[list[Owed], Reconciliation]:
    """Return what is owed on two blocks of the claims, and what is settled on both."""
    parts = np.array_split(np.arange(episodes.shape[1]), 2)
    owed = [contract.per_episode(some_claims(episodes, rows)) for rows in parts]
    found = contract.reconcile(added_sums(one.sums for one in owed), episodes.shape[0], np.random.default_rng(5))
    assert found is not None
    return owed, found


def exported(contract: msk.AgreementOnClaims, episodes: msk.Episodes, scenario: int) -> pd.DataFrame:
    """Return the episodes of one future as an episode file has them."""
    rows = np.flatnonzero(episodes.takeover.eligible)
    inside = episodes.inside(contract.covered())
    back = episodes.day_back[scenario, rows]
    assert contract.episodes is not None
    known = contract.episodes.iloc[rows].rename(columns={"claim_id": "episode_id"}).reset_index(drop=True)
    return known.assign(
        cost=sum(inside[name][scenario, rows] for name in COMPONENTS),
        day_back=np.where(np.isfinite(back), back, np.nan),
    )


@given(agreements(), SEEDS)
@SOME
def test_futures_and_files_give_the_same_dollars(agreement: msk.Agreement, seed: int) -> None:
    """Every future, written as an episode file and settled, has the result and accounts it has in the simulator."""
    ended = drawn_episodes(seed + 1, 4).assign(episode_id=list("abcd"))
    contract = on_claims(agreement, seed, ended)
    episodes = make_episodes(seed, contract.scopes(), n_scenarios=SCENARIOS, n_claims=CLAIMS)
    _, found = applied(contract, episodes)
    accounts = found.accounts()
    for scenario in range(SCENARIOS):
        file = pd.concat([exported(contract, episodes, scenario), ended], ignore_index=True)
        settled = msk.settle(agreement, file)
        place = [found.pool_names.index(name) for name in settled.pool_names]
        slack = ROUNDING * settled.gross_flow()
        np.testing.assert_allclose(found.result[scenario, place], settled.result, rtol=0, atol=slack)
        np.testing.assert_allclose(found.due[scenario, place], settled.due, rtol=0, atol=slack)
        for name in ACCOUNTS:
            np.testing.assert_allclose(accounts[name][scenario, place], settled.accounts()[name], rtol=0, atol=slack)


@given(agreements(), SEEDS, CREDITS)
@SOME
def test_accounts_add_to_zero_and_the_payers_is_the_reserve(
    agreement: msk.Agreement, seed: int, credit: msk.Credit
) -> None:
    """In every future the accounts add to zero; what the payer is out of is what the reserve held for its episodes.

    That is the reserve's identity when all has been paid: what is owed by claim and by pool, less the care outside.
    Bearers that fail are in both.
    """
    contract = on_claims(agreement, seed, credit=credit)
    episodes = make_episodes(seed, contract.scopes(), n_scenarios=SCENARIOS, n_claims=CLAIMS)
    owed, found = applied(contract, episodes)
    slack = ROUNDING * (found.gross_flow().max() + episodes.medical.sum())
    accounts = found.accounts()
    assert np.abs(np.sum([accounts[name] for name in ACCOUNTS], axis=0)).max() <= slack
    held = np.sum([one.component(name).sum(axis=1) for one in owed for name in COMPONENTS], axis=0)
    held = held + found.not_by_claim.sum(axis=1)
    rows = np.flatnonzero(episodes.takeover.eligible)
    inside = episodes.inside(contract.covered())
    outside = np.sum(
        [episodes.component(name).sum(axis=1) - inside[name][:, rows].sum(axis=1) for name in COMPONENTS], axis=0
    )
    np.testing.assert_allclose(held - outside, -accounts["payer"].sum(axis=1), rtol=0, atol=slack)


def shared(claims: pd.DataFrame) -> msk.AgreementOnClaims:
    """Return savings shared by body part and year, with quality, limits, and care after the year's end to settle."""
    terms = (
        msk.FixedPrice(9_000.0),
        msk.Discount(0.02),
        msk.OutlierCap(40_000.0),
        msk.QualityScale(0.1, 0.1),
        msk.GainLossLimit(0.2, 0.2),
        msk.AdministrativeLoad(150.0),
    )
    scores = {"shoulder": 80.0}
    columns = claims[["claim_id"]].assign(
        pool=claims["body_part"], year="2025", quality_score=claims["body_part"].map(scores).fillna(40.0)
    )
    return msk.AgreementOnClaims(msk.Agreement("shared", terms, timing="retrospective"), episodes=columns)


def test_a_forecast_settles_its_own_episodes() -> None:
    """What a forecast reconciles in a scenario is what `settle` says of the same futures collected block by block."""
    book, recovery, cost = ledger()
    contract = shared(book.claims)
    result = msk.forecast(book, recovery, cost, {"ffs": msk.FeeForService(), "shared": contract}, scenarios=100, seed=4)
    found, ffs, pooled = (result.reconciliations["shared"], *result.reserves.values())
    scopes = tuple(dict.fromkeys((*contract.scopes(), *msk.InForce().scopes())))
    plan = make_plan(book, recovery, cost, scopes=scopes, scenarios=100, seed=4, systemic=msk.SystemicRisk())
    costs = np.zeros((100, len(book)))
    for rows, episodes in run_blocks(plan, simulate_block):
        costs[:, rows] = episodes.inside(contract.covered())["medical"]
    taken = np.flatnonzero(plan.takeover.eligible)
    assert contract.episodes is not None
    columns = contract.episodes.iloc[taken].rename(columns={"claim_id": "episode_id"})
    for scenario in (0, 57, 99):
        settled = msk.settle(contract.agreement, columns.assign(cost=costs[scenario, taken]))
        place = [found.pool_names.index(name) for name in settled.pool_names]
        np.testing.assert_allclose(found.due[scenario, place], settled.due, rtol=1e-9)
        load = 150.0 * len(taken)
        assert pooled.scenarios()[scenario] == pytest.approx(ffs.scenarios()[scenario] + settled.due.sum() + load)
    assert len(found.pool_names) > 2
    assert (found.receivable() > 0).any()
    assert (found.payable() > 0).any()
    means = result.claims[1, 3, :, 0].sum(), result.claims[1, 0, :, 0].sum()
    assert means == pytest.approx((pooled.mean(), pooled.mean("medical")), rel=1e-10)
    assert "at reconciliation" in str(result)


def test_a_bundle_is_the_agreement_it_reads_as() -> None:
    """A fixed price with stop-loss and refund reserves the same dollars as bundle and as agreement."""
    book, recovery, cost = ledger()
    bundle = msk.FixedPriceBundle(9_000, stop_loss=msk.StopLoss(20_000), refund=msk.Refund(0.2, 90))
    terms = (msk.FixedPrice(9_000), msk.StopLoss(20_000), msk.Refund(0.2, 90))
    contracts: dict[str, msk.Contract | msk.Agreement] = {
        "ffs": msk.FeeForService(),
        "bundle": bundle,
        "terms": msk.Agreement("terms", terms, pooling="episode"),
    }
    result = msk.forecast(book, recovery, cost, contracts, scenarios=100, seed=4)
    for part in COMPONENTS:
        one, other = (result.reserves[name].scenarios(part) for name in ("bundle", "terms"))
        np.testing.assert_allclose(other, one, rtol=1e-9)
    np.testing.assert_allclose(result.claims[2], result.claims[1], rtol=1e-9, atol=1e-6)
    assert result.taken_over["bundle"] == result.taken_over["terms"] == result.reconciliations["terms"].episodes.sum()
    # What the payer pays more than the care costs, the seller makes.
    more = result.reserves["bundle"].scenarios() - result.reserves["ffs"].scenarios()
    for name in ("bundle", "terms"):
        np.testing.assert_allclose(result.bearers[name].margin, more, atol=1e-6)
    one, other = (result.bearers[name].to_frame()[name] for name in ("bundle", "terms"))
    np.testing.assert_allclose(one, other, rtol=1e-9)
    assert set(result.bearers) == {"bundle", "terms"}


@pytest.mark.parametrize("timing", ["prospective", "retrospective"])
def test_an_agreement_in_force_counts_what_was_paid(timing: str) -> None:
    """Care so far and ended episodes are settled, and what has been paid of the price is not owed again.

    One more dollar spent before the valuation lowers the bearer's result by a dollar and, with a stop-loss, is the
    payer's above it; care and price to come are as before.
    """
    episodes = make_episodes(3, msk.InForce().scopes(), n_scenarios=4, n_claims=6, bundled=2)
    agreement = msk.Agreement("begun", (msk.AgreedPrice(), msk.StopLoss(60_000.0)), timing=timing)
    own = pd.DataFrame({"claim_id": ["C4", "C5"], "pool": "north"})
    ended = pd.DataFrame({"episode_id": ["old"], "cost": [41_000.0], "agreed_price": [30_000.0], "pool": ["north"]})

    def found(so_far: float) -> tuple[np.ndarray, Reconciliation]:
        contract = msk.AgreementOnClaims(
            agreement, episodes=own.assign(cost_so_far=so_far), ended=ended, settled={"north": -500.0}, begun=True
        )
        owed = contract.per_episode(episodes)
        reconciled = contract.reconcile(owed.sums, 4)
        assert reconciled is not None
        return owed.medical.sum(axis=1) + reconciled.not_by_claim.sum(axis=1), reconciled

    inside = episodes.inside(msk.InForce().scopes()[0])["medical"][:, 4:]
    outside = episodes.medical.sum(axis=1) - inside.sum(axis=1)
    for so_far in (0.0, 25_000.0):
        held, reconciled = found(so_far)
        cost = inside + so_far
        above = np.maximum(cost - 60_000.0, 0.0)
        counted = 3 * 30_000.0 - (cost - above).sum(axis=1) - 41_000.0
        np.testing.assert_allclose(reconciled.result[:, 0], counted, rtol=1e-12)
        if timing == "prospective":
            # Of two prices of 30,000, 10,000 each is unpaid; the bearer's repayment of 500 has been received.
            np.testing.assert_allclose(held, outside + 20_000.0 + above.sum(axis=1) + 500.0, rtol=1e-12)
        else:
            np.testing.assert_allclose(held, outside + inside.sum(axis=1) + counted + 500.0, rtol=1e-12)
        assert reconciled.episodes.tolist() == [3.0]


def test_measures_of_the_futures_are_read_where_they_are_given() -> None:
    """A function of the block gives what the engine does not simulate; a milestone pays where it reaches the goal."""
    agreement = msk.Agreement(
        "goals", (msk.FixedPrice(10.0), msk.Milestone(msk.Goal("gain", 8.0), dollars=100.0)), timing="retrospective"
    )
    contract = msk.AgreementOnClaims(agreement, measured={"gain": _gains})
    episodes = make_episodes(1, contract.scopes())
    rows = np.flatnonzero(episodes.takeover.eligible)
    owed = contract.per_episode(episodes).medical - episodes.medical
    np.testing.assert_allclose(owed[:, rows], 100.0 * (_gains(episodes)[:, rows] >= 8.0), atol=1e-9)


def _gains(episodes: msk.Episodes) -> np.ndarray:
    """Return a score that rises by the claim."""
    gains: np.ndarray = np.broadcast_to(np.arange(episodes.shape[1]) * 4.0, episodes.shape)
    return gains


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda a: msk.AgreementOnClaims(a, episodes=pd.DataFrame({"pool": [1]})),
            "`episodes` needs the column `claim_id`",
        ),
        (
            lambda a: msk.AgreementOnClaims(a, episodes=pd.DataFrame({"claim_id": ["C1", "C1"]})),
            "`episodes` has the claim 'C1' twice",
        ),
        (lambda a: msk.AgreementOnClaims(a, scope=["dental"]), "`scope` must name components"),
        (lambda a: _owed(msk.AgreementOnClaims(a)), "the column `quality_score` is missing; 'quality gate' reads it"),
        (
            lambda a: _owed(
                msk.AgreementOnClaims(a, episodes=pd.DataFrame({"claim_id": ["C1"], "quality_score": [1]}))
            ),
            r"`episodes` has no row for the claims \['C0', 'C2', 'C3'\]",
        ),
        (
            lambda a: _owed(msk.AgreementOnClaims(a, measured={"quality_score": _gains}, settled={"west": 1.0})),
            r"`settled` names the pools \['west'\]; there are all",
        ),
    ],
)
def test_what_cannot_be_applied_is_refused(make: Callable[[msk.Agreement], object], said: str) -> None:
    """Claims without what a term reads, and pools that are not there, are named with what to do."""
    agreement = msk.Agreement("gated", (msk.FixedPrice(1.0), msk.QualityGate(5.0)))
    with pytest.raises(ValueError, match=said):
        make(agreement)


def _owed(contract: msk.AgreementOnClaims) -> object:
    """Apply a contract to a made block and settle it."""
    episodes = make_episodes(1, contract.scopes())
    return contract.reconcile(contract.per_episode(episodes).sums, episodes.shape[0])


@pytest.mark.parametrize("name", msk.preset_names())
def test_every_preset_is_simulated_for_the_dollars_it_settles(name: str) -> None:
    """Each contract of the library, applied to futures, has in every one the dollars of an episode file."""
    agreement = msk.read_agreement(name)
    draw = np.random.default_rng(7)
    names = [f"{level}_{year}" for level in ("regional", "own", "national") for year in (1, 2, 3)]
    factors = ("realised_trend", "final_normalization", "prospective_normalization", "risk_multiplier")
    columns = columns_of(7).assign(
        **{name: draw.uniform(2e4, 3e4, CLAIMS) for name in names},
        **dict.fromkeys(factors, 1.01),
        year="2026",
        tier="surgery",
        schedule=draw.uniform(2e4, 5e4, CLAIMS),
        agreed_price=draw.uniform(2e4, 5e4, CLAIMS),
        outlier_floor=5_000.0,
        others_score=60.0,
        function_share=0.65,
        elements_met=40.0,
        price_percentile=10.0,
        part_b=4_000.0,
        member_months=12.0,
        case_management_hours=6.0,
        odi_gain=draw.uniform(0.0, 20.0, CLAIMS),
    )
    contract = msk.AgreementOnClaims(agreement, episodes=columns)
    episodes = make_episodes(7, contract.scopes(), n_scenarios=SCENARIOS, n_claims=CLAIMS)
    _, found = applied(contract, episodes)
    for scenario in range(SCENARIOS):
        settled = msk.settle(agreement, exported(contract, episodes, scenario))
        place = [found.pool_names.index(pool) for pool in settled.pool_names]
        slack = ROUNDING * settled.gross_flow()
        np.testing.assert_allclose(found.due[scenario, place], settled.due, rtol=0, atol=slack)
        np.testing.assert_allclose(found.result[scenario, place], settled.result, rtol=0, atol=slack)


@given(agreements(), SEEDS)
@settings(max_examples=10, deadline=None)
def test_what_is_kept_of_pools_does_not_grow_with_claims(agreement: msk.Agreement, seed: int) -> None:
    """Sums of one block and of many have the same names, at most a number a future; contracts can be sent."""
    contract = pickle.loads(pickle.dumps(on_claims(agreement, seed)))
    episodes = make_episodes(seed, contract.scopes(), n_scenarios=SCENARIOS, n_claims=CLAIMS)
    whole = contract.per_episode(episodes).sums
    blocks = [contract.per_episode(some_claims(episodes, np.array([row]))).sums for row in range(CLAIMS)]
    many = added_sums(blocks)
    assert set(many) == set(whole)
    assert max(dollars.size for dollars in many.values()) <= SCENARIOS
    scale = max(float(np.abs(dollars).max()) for dollars in whole.values())
    for key, dollars in whole.items():
        assert np.abs(many[key] - dollars).max() <= ROUNDING * scale


def test_an_agreement_in_force_is_the_bundle_in_force() -> None:
    """The price agreed for each claim, all medical until return or MMI, reserves the same as terms and as bundle."""
    book, recovery, cost = ledger()
    contracts: dict[str, msk.Contract | msk.Agreement] = {
        "ffs": msk.FeeForService(),
        "bundle": msk.FixedPriceBundle(9_000),
    }
    terms = msk.AgreementOnClaims(msk.Agreement("agreed", (msk.AgreedPrice(),), pooling="episode"))
    plain, agreed = (
        msk.forecast(book, recovery, cost, contracts, scenarios=40, seed=4, in_force=own) for own in (None, terms)
    )
    assert agreed.bundled > 20
    for name in contracts:
        for part in COMPONENTS:
            one, other = (found.reserves[name].scenarios(part) for found in (plain, agreed))
            np.testing.assert_allclose(other, one, rtol=1e-9)
    assert "care so far of episodes in force" in {one.name for one in agreed.manifest.assumptions}
    assert agreed.reconciliations["in force"].episodes.sum() == agreed.bundled


def test_care_of_a_ledger_counts_in_retrospect() -> None:
    """Payments of covered categories from the trigger to the window's end are the cost so far of a bundled claim."""
    book, _, _ = ledger()
    assert book.payments is not None
    agreement = msk.Agreement("in retrospect", (msk.AgreedPrice(),), timing="retrospective")
    contract = in_force_on(msk.AgreementOnClaims(agreement, scope=["medical", "expense"], window_days=400), book)
    assert contract.begun
    assert contract.episodes is not None
    found = contract.episodes.set_index("claim_id")["cost_so_far"]
    paid = pd.DataFrame(
        {
            "claim_id": book.claims["claim_id"].to_numpy()[book.payments.claim],
            "day": pd.to_datetime(book.payments.day, unit="D"),
            "category": np.array(CATEGORY_NAMES)[book.payments.category],
            "amount": book.payments.amount,
        }
    ).merge(book.claims[["claim_id", "bundle_trigger_date"]], on="claim_id")
    since = (paid["day"] - paid["bundle_trigger_date"]).dt.days
    inside = paid["category"].isin(contract.covered().categories) & (since >= 0) & (since < 400)
    expected = paid[inside].groupby("claim_id")["amount"].sum().reindex(found.index).fillna(0.0).clip(lower=0.0)
    np.testing.assert_allclose(found, expected)
    assert (found > 0).sum() > 3
    given = found.rename("cost_so_far").reset_index().assign(cost_so_far=1.0)
    kept = in_force_on(msk.AgreementOnClaims(agreement, episodes=given), book)
    assert kept.episodes is given
