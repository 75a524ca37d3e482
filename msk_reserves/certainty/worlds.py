"""Care and contract of fee for service and of a bundle, in four worlds on the same random numbers."""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from msk_reserves._checks import Floats, Integers, whole
from msk_reserves.certainty.four_worlds import WORLDS, FourWorlds
from msk_reserves.certainty.remaining import causes_of, taken_over, whole_window
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.agreements.bearer import BearerMargin, Credit
from msk_reserves.contracts.agreements.futures import added_sums
from msk_reserves.contracts.agreements.on_claims import AgreementOnClaims
from msk_reserves.contracts.fixed_price import InForce
from msk_reserves.contracts.terms import Contract, Sums, owed_under
from msk_reserves.cost.record import Cost
from msk_reserves.episodes.engine import run_blocks
from msk_reserves.episodes.plan import MOST_DRAWS, Plan, make_plan
from msk_reserves.episodes.randomness import generator
from msk_reserves.episodes.response import CareResponse, responding
from msk_reserves.episodes.scope import Scope
from msk_reserves.episodes.simulate import simulate_block
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.reserves.distribution import PARTS, ReserveDistribution
from msk_reserves.reserves.forecast import HORIZON_DAYS
from msk_reserves.reserves.pooled import Run, check_components, on_claims, settle_pools
from msk_reserves.reserves.reduce import CLAIM_FIGURES

DRAWS, WITHIN = 50, 200
"""Parameter draws, and scenarios behind each, where neither is given: enough for intervals over the draws."""

SELLER_FAILS, AT_THE_END = "seller's default", "settled by pool, and default"
"""Causes of what comes back to the payer once all claims are in, by a fixed price and by an agreement that pools."""


def four_worlds(
    book: ClaimBook,
    recovery: Recovery,
    cost: Cost,
    contracts: Mapping[str, Contract | Agreement],
    response: CareResponse | None = None,
    credit: Credit | None = None,
    *,
    scenarios: int = DRAWS * WITHIN,
    draws: int = DRAWS,
    seed: int = 20260101,
    systemic: SystemicRisk | None = None,
    in_force: InForce | None = None,
    executor: Executor | None = None,
) -> FourWorlds:
    """Value the same claims under fee-for-service care and contract, the bundle's contract, its care, and both.

    Parameters
    ----------
    book : the claims as of the valuation date.
    recovery, cost : models fitted to claims; usually to the same book.
    contracts : two by name, the one left and the one entered.
    response : how care differs for the claims that the second contract takes over; the same care when not given.
    credit : how likely the seller is to fail and what is then lost; no failure when not given.
    scenarios : futures a claim, a multiple of `draws`.
    draws : parameter draws behind them, a multiple of 5 up to 500; 20 draws with 200 scenarios each are the least for
        intervals.
    seed : reproduces every number; the same in every world.
    systemic : the systemic risk assumed; the printed default when not given.
    in_force : terms of the bundles claims are already in.
    executor : any `concurrent.futures` executor; threads on all cores when not given.

    Returns
    -------
    FourWorlds
        The reserve in each world, the split of what changes, and what remains by cause.

    Raises
    ------
    ValueError
        If there are not two contracts, or `scenarios` and `draws` do not fit; of the response as `responding` raises.

    Notes
    -----
    Every claim has the same random numbers in every world. Care differs from the valuation date on and only on claims
    taken over, so that the others are simulated once. A seller of a fixed price that fails leaves the loss given
    default of all it still owes, care and refunds.
    """
    if len(contracts) != 2:
        raise ValueError(f"`contracts` must be two, the one left and the one entered, got {len(contracts)}")
    recovery.check_states_of_a_book()
    terms = {name: on_claims(one) for name, one in contracts.items()}
    (before, _), (after, second) = terms.items()
    if isinstance(second, AgreementOnClaims):
        terms[f"{after}, whose bearer may fail"] = replace(second, credit=credit)
    own, care = in_force or InForce(), response or CareResponse()
    scopes = _scopes((*terms.values(), own), whole_window(second))
    plan = plan_with(book, recovery, cost, scopes, scenarios=scenarios, draws=draws, seed=seed, systemic=systemic)
    check_components({**terms, "in_force": own}, plan.missing)
    rows = np.flatnonzero(taken_over(second, plan.takeover))
    work = partial(_block, contracts=tuple(terms.values()), in_force=own)
    rest, usual = (_run(plan, at, work, executor) for at in (np.setdiff1d(np.arange(plan.n_claims), rows), rows))
    cared = _run(responding(plan, care), rows, work, executor) if care.effects else usual
    (neither, transfer, *_), _ = _settled(terms, own, plan, rest.and_also(usual))
    together = rest.and_also(cared)
    (behaviour, both, *third), margin = _settled(terms, own, plan, together)
    failing = third[0] if third else _left_by(both, _lost(credit, margin, plan))
    worlds = dict(zip(WORLDS, (neither, transfer, behaviour, both, failing), strict=True))
    more = np.sum(list(failing.values()), axis=0) - np.sum(list(together.causes.values()), axis=0)
    return FourWorlds(
        before=before,
        after=after,
        reserves={name: ReserveDistribution(name, one, plan.missing, plan.n_draws) for name, one in worlds.items()},
        causes={**together.causes, AT_THE_END if third else SELLER_FAILS: more},
        response=care,
        credit=credit,
        n_claims=plan.n_claims,
        taken_over=len(rows),
    )


def plan_with(
    book: ClaimBook,
    recovery: Recovery,
    cost: Cost,
    scopes: tuple[Scope, ...],
    *,
    scenarios: int,
    draws: int,
    seed: int,
    systemic: SystemicRisk | None = None,
) -> Plan:
    """Return a plan with a stated number of parameter draws, so that each has many scenarios behind it.

    Parameters
    ----------
    book, recovery, cost : claims and the models fitted to them.
    scopes : what contracts count.
    scenarios : futures a claim, a multiple of `draws`.
    draws : parameter draws, a multiple of 5 up to 500.
    seed : reproduces everything.
    systemic : common factors; the printed default when not given.

    Raises
    ------
    ValueError
        If the numbers do not fit.
    """
    whole(seed, "seed")
    if whole(draws, "draws", at_least=10) % 5 or draws > MOST_DRAWS:
        raise ValueError(f"`draws` must be a multiple of 5 from 10 to {MOST_DRAWS}, got {draws}")
    if whole(scenarios, "scenarios", at_least=4 * draws) % draws:
        raise ValueError(f"`scenarios` must be a multiple of `draws` = {draws}, got {scenarios}")
    risk = systemic or SystemicRisk()
    # A plan of four scenarios a draw has these draws; more scenarios need nothing but common factors of their own.
    few = make_plan(
        book, recovery, cost, scopes=scopes, scenarios=4 * draws, seed=seed, systemic=risk, horizon_days=HORIZON_DAYS
    )
    return replace(few, scenarios=scenarios, systemic=risk.draw(scenarios, seed))


def _scopes(contracts: tuple[Contract, ...], more: tuple[Scope, ...]) -> tuple[Scope, ...]:
    """Return what contracts count, each once."""
    return tuple(dict.fromkeys((*(scope for one in contracts for scope in one.scopes()), *more)))


@dataclass(frozen=True, slots=True, eq=False)
class _Totals:
    """What some claims add to each contract: dollars by component, sums for pools, and causes under the second."""

    dollars: Floats
    sums: tuple[Sums, ...]
    causes: Mapping[str, Floats]

    def and_also(self, other: "_Totals") -> "_Totals":
        """Return the totals with those of other claims."""
        causes = dict(self.causes)
        for name, dollars in other.causes.items():
            causes[name] = causes[name] + dollars if name in causes else dollars
        sums = tuple(added_sums(pair) for pair in zip(self.sums, other.sums, strict=True))
        return _Totals(self.dollars + other.dollars, sums, causes)


def _block(plan: Plan, *, contracts: tuple[Contract, ...], in_force: Contract) -> _Totals:
    """Simulate a block and add up what is owed under every contract."""
    episodes = simulate_block(plan)
    own = in_force.per_episode(episodes) if episodes.takeover.bundled.any() else None
    dollars, sums, causes = np.empty((len(contracts), len(COMPONENTS), plan.scenarios)), [], {}
    for place, contract in enumerate(contracts):
        owed = owed_under(contract, own, episodes)
        dollars[place] = [owed.component(name).sum(axis=1) for name in COMPONENTS]
        sums.append(owed.sums)
        if place == 1:
            causes = dict(causes_of(contract, owed, episodes))
    sums.append({} if own is None else own.sums)
    return _Totals(dollars, tuple(sums), causes)


def _run(plan: Plan, rows: Integers, work: "partial[_Totals]", executor: Executor | None) -> _Totals:
    """Run the blocks of some claims and add them up in a fixed order."""
    contracts = work.keywords["contracts"]
    found = _Totals(np.zeros((len(contracts), len(COMPONENTS), plan.scenarios)), ({},) * (len(contracts) + 1), {})
    if len(rows):
        for _, block in run_blocks(plan.of(rows), work, executor=executor, progress=False):
            found = found.and_also(block)
    return found


def _settled(
    terms: Mapping[str, Contract], in_force: Contract, plan: Plan, found: _Totals
) -> tuple[list[dict[str, Floats]], BearerMargin | None]:
    """Settle pools and return dollars by component under each contract, and the margin of the second one's bearer."""
    shape = (len(terms), len(PARTS), plan.n_claims, len(CLAIM_FIGURES))
    nothing = np.empty((0, 0))
    run = Run(
        totals=found.dollars.copy(),
        claims=np.zeros(shape),
        workers=nothing,
        targets=np.full((len(terms) + 1, plan.n_claims), np.nan),
        sums=found.sums,
        closed=nothing,
        unreported=nothing,
    )
    _, margins = settle_pools(run, terms, in_force, plan)
    settled = []
    for place, contract in enumerate(terms.values()):
        by_component = dict(zip(COMPONENTS, run.totals[place], strict=True))
        settled.append(dict(contract.settle({name: by_component[name] for name in plan.components})))
    return settled, margins.get(list(terms)[1])


def _lost(credit: Credit | None, margin: BearerMargin | None, plan: Plan) -> Floats:
    """Return what a failing seller of a fixed price leaves to the payer, dollars by scenario."""
    if credit is None or margin is None:
        return np.zeros(plan.scenarios)
    chances = credit.chances(margin.margin[:, None])[:, 0]
    fails = generator(plan.seed, "default of a bearer").random(plan.scenarios) < chances
    return np.where(fails, credit.lost(margin.price - margin.margin), 0.0)


def _left_by(both: Mapping[str, Floats], lost: Floats) -> dict[str, Floats]:
    """Return the dollars of the last world once what a seller leaves behind is added to medical."""
    return {name: dollars + lost if name == "medical" else dollars for name, dollars in both.items()}
