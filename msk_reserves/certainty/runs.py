"""Runs of plans with many scenarios a draw: dollars added up by contract, without figures by claim."""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from msk_reserves._checks import Floats, Integers, whole
from msk_reserves.certainty.remaining import causes_of
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.contracts.agreements.bearer import BearerMargin
from msk_reserves.contracts.agreements.futures import added_sums
from msk_reserves.contracts.terms import Contract, Sums, owed_under
from msk_reserves.cost.record import Cost
from msk_reserves.episodes.engine import run_blocks
from msk_reserves.episodes.plan import MOST_DRAWS, Plan, make_plan
from msk_reserves.episodes.scope import Scope
from msk_reserves.episodes.simulate import simulate_block
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.reserves.forecast import HORIZON_DAYS
from msk_reserves.reserves.pooled import settle_pools

DRAWS, WITHIN = 50, 200
"""Parameter draws, and scenarios behind each, where neither is given: enough for intervals over the draws."""


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


def scopes_of(contracts: tuple[Contract, ...], more: tuple[Scope, ...]) -> tuple[Scope, ...]:
    """Return what contracts count, and more, each once."""
    return tuple(dict.fromkeys((*(scope for one in contracts for scope in one.scopes()), *more)))


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """What some claims add to each contract.

    Attributes
    ----------
    dollars : by contract and component, shape (n_contracts, 3, n_scenarios).
    sums : what contracts that pool need, one for each and one for the bundles in force.
    causes : dollars by cause under one contract, where asked for; each of shape (n_scenarios,).
    """

    dollars: Floats
    sums: tuple[Sums, ...]
    causes: Mapping[str, Floats]

    def and_also(self, other: "Totals") -> "Totals":
        """Return the totals with those of other claims."""
        causes = dict(self.causes)
        for name, dollars in other.causes.items():
            causes[name] = causes[name] + dollars if name in causes else dollars
        sums = tuple(added_sums(pair) for pair in zip(self.sums, other.sums, strict=True))
        return Totals(self.dollars + other.dollars, sums, causes)


def add_up(plan: Plan, *, contracts: tuple[Contract, ...], in_force: Contract, causes_under: int = -1) -> Totals:
    """Simulate a block and add up what is owed under every contract, by cause under one of them.

    Parameters
    ----------
    plan : the block's part of the forecast.
    contracts : terms of the claims that are not in a bundle.
    in_force : terms of those that are.
    causes_under : place of the contract whose causes are told; none when negative.
    """
    episodes = simulate_block(plan)
    own = in_force.per_episode(episodes) if episodes.takeover.bundled.any() else None
    dollars, sums, causes = np.empty((len(contracts), len(COMPONENTS), plan.scenarios)), [], {}
    for place, contract in enumerate(contracts):
        owed = owed_under(contract, own, episodes)
        dollars[place] = [owed.component(name).sum(axis=1) for name in COMPONENTS]
        sums.append(owed.sums)
        if place == causes_under:
            causes = dict(causes_of(contract, owed, episodes))
    sums.append({} if own is None else own.sums)
    return Totals(dollars, tuple(sums), causes)


def run_rows(plan: Plan, rows: Integers, work: "partial[Totals]", executor: Executor | None) -> Totals:
    """Run the blocks of some claims and add them up in a fixed order.

    Parameters
    ----------
    plan : the futures of all claims.
    rows : the claims to run.
    work : `add_up` with its contracts.
    executor : any `concurrent.futures` executor; threads on all cores when None.
    """
    contracts = work.keywords["contracts"]
    found = Totals(np.zeros((len(contracts), len(COMPONENTS), plan.scenarios)), ({},) * (len(contracts) + 1), {})
    if len(rows):
        for _, block in run_blocks(plan.of(rows), work, executor=executor, progress=False):
            found = found.and_also(block)
    return found


def settled(
    terms: Mapping[str, Contract], in_force: Contract, plan: Plan, found: Totals
) -> tuple[list[dict[str, Floats]], Mapping[str, BearerMargin]]:
    """Settle pools and return dollars by component under each contract, and margins of those who bear a risk.

    Parameters
    ----------
    terms : contracts by name.
    in_force : terms of the bundles claims are already in.
    plan : the futures.
    found : what all claims add.
    """
    totals = found.dollars.copy()
    _, margins = settle_pools(totals, found.sums, terms, in_force, plan)
    owed = []
    for place, contract in enumerate(terms.values()):
        by_component = dict(zip(COMPONENTS, totals[place], strict=True))
        owed.append(dict(contract.settle({name: by_component[name] for name in plan.components})))
    return owed, margins
