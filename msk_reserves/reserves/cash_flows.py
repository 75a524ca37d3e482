"""When unpaid cost falls due: dollars by future quarter, component and scenario, and what they are worth today."""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, one_of, positive, whole
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.agreements.futures import added_sums
from msk_reserves.contracts.agreements.on_claims import AgreementOnClaims
from msk_reserves.contracts.agreements.reconciliation import Reconciliation
from msk_reserves.contracts.fixed_price import InForce
from msk_reserves.contracts.terms import Contract, FeeForService, Owed, Sums
from msk_reserves.cost.record import Cost
from msk_reserves.episodes.engine import run_blocks
from msk_reserves.episodes.plan import Plan, make_plan
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.scope import ALL_CARE, Scope
from msk_reserves.episodes.simulate import simulate_block
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.reserves.discount import YEAR, DiscountCurve
from msk_reserves.reserves.distribution import ReserveDistribution
from msk_reserves.reserves.forecast import HORIZON_DAYS
from msk_reserves.reserves.pooled import IN_FORCE, MEDICAL, check_components, in_force_on, on_claims, reconciled

QUARTER = YEAR / 4.0
"""Days of a quarter."""


@dataclass(frozen=True, slots=True, eq=False)
class CashFlows:
    """Unpaid cost of reported claims by the quarter in which it is paid, nominal dollars, in scenario order.

    Attributes
    ----------
    edges : days from the valuation date at which quarters begin, and the horizon; shape (n_quarters + 1,).
    dollars : by contract, shape (n_components, n_quarters, n_scenarios).
    components : the components there are.
    missing : why the others are absent.
    n_draws : parameter draws behind the scenarios.
    """

    edges: Floats
    dollars: Mapping[str, Floats]
    components: tuple[str, ...]
    missing: Mapping[str, str]
    n_draws: int

    def __post_init__(self) -> None:
        for values in (self.edges, *self.dollars.values()):
            values.flags.writeable = False

    @property
    def middles(self) -> Floats:
        """Days from the valuation date to the middle of each quarter, when its payments are taken to be made."""
        middles: Floats = 0.5 * (self.edges[1:] + self.edges[:-1])
        return middles

    def discounted(self, contract: str, curve: DiscountCurve | None = None) -> ReserveDistribution:
        """Return the distribution of unpaid cost at its worth today, each quarter discounted from its middle.

        Parameters
        ----------
        contract : name of the contract.
        curve : spot rates; without one the dollars are nominal.
        """
        one_of(contract, self.dollars, "contract")
        factor = np.ones(len(self.middles)) if curve is None else curve.factor(self.middles)
        worth = np.einsum("cqs,q->cs", self.dollars[contract], factor)
        totals = dict(zip(self.components, worth, strict=True))
        name = contract if curve is None else f"{contract}, discounted"
        return ReserveDistribution(name, totals, self.missing, self.n_draws)

    def duration(self, contract: str, curve: DiscountCurve) -> float:
        """Return the mean time to payment, weighed by worth today, years (Macaulay 1938)."""
        one_of(contract, self.dollars, "contract")
        worth = self.dollars[contract].mean(axis=2).sum(axis=0) * curve.factor(self.middles)
        if worth.sum() <= 0:
            raise ValueError(f"`contract` {contract!r} must owe more than nothing to have a duration")
        return float(worth @ self.middles / worth.sum() / YEAR)

    def by_quarter(self, contract: str, curve: DiscountCurve | None = None) -> pd.DataFrame:
        """Return the mean dollars of each quarter by component and in total, and with a curve their worth today."""
        one_of(contract, self.dollars, "contract")
        mean = self.dollars[contract].mean(axis=2)
        table = pd.DataFrame(mean.T, columns=list(self.components))
        table["total"] = mean.sum(axis=0)
        if curve is not None:
            table["discounted"] = table["total"] * curve.factor(self.middles)
        table.insert(0, "from day", self.edges[:-1])
        return table.set_index(pd.RangeIndex(1, len(table) + 1, name="quarter"))

    def side_by_side(self, curve: DiscountCurve) -> pd.DataFrame:
        """Return mean and 90 % band nominal and discounted, one row a contract and component, dollars."""
        rows = {}
        for contract in self.dollars:
            nominal, worth = self.discounted(contract), self.discounted(contract, curve)
            for part in nominal.parts():
                rows[contract, part] = {
                    f"{kind}, {figure}": value
                    for kind, one in (("nominal", nominal), ("discounted", worth))
                    for figure, value in zip(
                        ("mean", "5 %", "95 %"), (one.mean(part), *one.band(0.9, part)), strict=True
                    )
                }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index=["contract", "component"])

    def __repr__(self) -> str:
        lines = [f"cash flows to {self.edges[-1]:,.0f} days ahead by quarter, nominal dollars"]
        for name in self.dollars:
            table = self.by_quarter(name)["total"]
            lines.append(f"{name}: {table.sum():,.0f}, of which {table.head(4).sum():,.0f} in the first year")
        return "\n".join(lines)


def quarter_edges(horizon_days: float) -> Floats:
    """Return the days at which quarters ahead begin, and the horizon.

    Examples
    --------
    >>> quarter_edges(200.0).tolist()
    [0.0, 91.3125, 182.625, 200.0]
    """
    return np.append(np.arange(0.0, horizon_days, QUARTER), horizon_days)


def timed_scopes(scopes: tuple[Scope, ...], edges: Floats) -> tuple[Scope, ...]:
    """Return what the engine must count for cash flows: all care, and each scope, up to the end of each quarter."""
    ends = edges[1:-1].tolist()
    return tuple(_until(scope, end) for scope in (ALL_CARE, *scopes) for end in ends)


def cash_flows(
    book: ClaimBook,
    recovery: Recovery,
    cost: Cost,
    contracts: Mapping[str, Contract | Agreement] | None = None,
    *,
    scenarios: int = 2_000,
    seed: int = 20260101,
    systemic: SystemicRisk | None = None,
    in_force: InForce | AgreementOnClaims | None = None,
    horizon_days: float = HORIZON_DAYS,
    executor: Executor | None = None,
    progress: bool | None = None,
) -> CashFlows:
    """Simulate every reported claim as `forecast` does and tell in which quarter each dollar falls due.

    Given the same arguments the futures are those of `forecast`, and quarters add up to its totals. Every contract is
    applied to the futures as they are by the end of each quarter, and the differences are what falls due in it: the
    price of a bundle at once, what a stop-loss pays when the care exceeds it, what has accrued in the first quarter.
    What depends on how long a worker stays off, as a refund, falls due in the first quarter too. Under an agreement the
    price, or care as billed, comes first, and all that is due beside it when its pool is settled: in the quarter that
    lies so many months after the pool's year, or the last one.

    Parameters
    ----------
    book, recovery, cost, contracts, scenarios, seed, systemic, in_force, horizon_days, executor, progress : as in
        `forecast`, but for fewer scenarios: it is several times the work.

    Returns
    -------
    CashFlows
        Dollars by contract, component, quarter and scenario.

    Raises
    ------
    ValueError
        As `forecast`.
    """
    given = {"fee for service": FeeForService()} if contracts is None else contracts
    terms = {name: on_claims(one) for name, one in given.items()}
    own = in_force_on(in_force, book) if isinstance(in_force, AgreementOnClaims) else in_force or InForce()
    if not len(book) or not terms:
        raise ValueError("`book` and `contracts` must hold at least one claim and one contract, got none")
    recovery.check_states_of_a_book()
    edges = quarter_edges(positive(horizon_days, "horizon_days"))
    scopes = tuple(dict.fromkeys(scope for one in (*terms.values(), own) for scope in one.scopes()))
    plan = make_plan(
        book,
        recovery,
        cost,
        scopes=(*scopes, *timed_scopes(scopes, edges)),
        scenarios=scenarios,
        seed=whole(seed, "seed"),
        systemic=systemic or SystemicRisk(),
        horizon_days=horizon_days,
    )
    check_components({**terms, IN_FORCE: own}, plan.missing)
    found = np.zeros((len(terms), len(COMPONENTS), len(edges) - 1, scenarios))
    sums: list[Sums] = [{} for _ in range(len(terms) + 1)]
    work = partial(flows_of, contracts=tuple(terms.values()), in_force=own, edges=edges)
    for _, (block, kept) in run_blocks(plan, work, executor=executor, progress=progress):
        found += block
        sums = [added_sums(pair) for pair in zip(sums, kept, strict=True)]
    for place, contract in enumerate((*terms.values(), own)):
        settled = reconciled(contract, sums[place], plan)
        if settled is not None:
            _settle(found[place : place + 1] if place < len(terms) else found, settled, edges, book)
    places = [place for place, name in enumerate(COMPONENTS) if name in plan.components]
    dollars = {name: found[place][places] for place, name in enumerate(terms)}
    return CashFlows(edges, dollars, tuple(COMPONENTS[place] for place in places), plan.missing, plan.n_draws)


def _settle(found: Floats, settled: Reconciliation, edges: Floats, book: ClaimBook) -> None:
    """Add what is paid when pools are settled to the quarters in which they are."""
    days = settled.days_ahead(book.valuation_date)
    quarters = np.clip(np.searchsorted(edges, days, side="right") - 1, 0, len(edges) - 2)
    for pool, quarter in enumerate(quarters):
        found[:, MEDICAL, quarter] += settled.at_settlement[:, pool]


def flows_of(
    plan: Plan, *, contracts: tuple[Contract, ...], in_force: Contract, edges: Floats
) -> tuple[Floats, tuple[Sums, ...]]:
    """Simulate a block and return its dollars by quarter, and what agreements need added up.

    Parameters
    ----------
    plan : the block's part, counting `timed_scopes`.
    contracts, in_force : terms for the claims that are not in a bundle, and of those that are.
    edges : as from `quarter_edges`.

    Returns
    -------
    tuple
        Dollars paid before anything is settled, shape (n_contracts, 3, n_quarters, n_scenarios), and the sums of each
        contract and of the bundles in force.
    """
    episodes = simulate_block(plan)
    reached = np.empty((len(contracts), len(COMPONENTS), len(edges) - 1, plan.scenarios))
    scopes = tuple(scope for scope in plan.scopes if scope.window.until is None)
    plain = [episodes.component(name).sum(axis=1) for name in COMPONENTS]
    changed = []
    for place, total in enumerate(_owed(contracts, in_force, episodes)):
        reached[place, :, -1] = total
        # On most blocks nothing but fee for service is in question.
        changed += [] if np.array_equal(total, plain) else [place]
    for quarter, end in enumerate(edges[1:-1].tolist()):
        so_far = _so_far(plan, episodes, scopes, end)
        reached[:, :, quarter] = [so_far.component(name).sum(axis=1) for name in COMPONENTS]
        owed = _owed(tuple(contracts[place] for place in changed), in_force, so_far)
        reached[changed, :, quarter] = owed
    reached[:, :, 1:] -= reached[:, :, :-1].copy()
    pooled = (one.per_episode(episodes).sums if isinstance(one, AgreementOnClaims) else {} for one in contracts)
    own = in_force.per_episode(episodes).sums if isinstance(in_force, AgreementOnClaims) else {}
    return reached, (*pooled, own)


def _owed(contracts: tuple[Contract, ...], in_force: Contract, episodes: Episodes) -> Floats:
    """Return what is paid on a block under each contract before it is settled, shape (n_contracts, 3, n_scenarios)."""
    found = np.empty((len(contracts), len(COMPONENTS), episodes.shape[0]))
    bundled = episodes.takeover.bundled
    own = _paid(in_force, episodes) if contracts and bundled.any() else None
    for place, contract in enumerate(contracts):
        owed = _paid(contract, episodes)
        parts = {
            name: owed.component(name) if own is None else np.where(bundled, own.component(name), owed.component(name))
            for name in COMPONENTS
        }
        settled = contract.settle({name: dollars.sum(axis=1) for name, dollars in parts.items()})
        found[place] = [settled[name] for name in COMPONENTS]
    return found


def _paid(contract: Contract, episodes: Episodes) -> Owed:
    """Return what is paid under a contract before it is settled."""
    if isinstance(contract, AgreementOnClaims):
        return contract.before_settlement(episodes)
    return contract.per_episode(episodes)


def _so_far(plan: Plan, episodes: Episodes, scopes: tuple[Scope, ...], end: float) -> Episodes:
    """Return the futures with the dollars that fall due by a day ahead; what has accrued falls due at once."""
    known = episodes.inside(_until(ALL_CARE, end))
    return replace(
        episodes,
        medical=known["medical"],
        indemnity=known["indemnity"] + plan.accrued * ("indemnity" in plan.components),
        expense=known["expense"],
        in_scope={scope: episodes.inside(_until(scope, end)) for scope in scopes},
    )


def _until(scope: Scope, end: float) -> Scope:
    """Return a scope that counts what falls due by a day ahead."""
    return replace(scope, window=replace(scope.window, until=end))
