"""What contracts owe and their bearers make once all claims are in: added to totals, and shown by claim."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.claims.book import Assumption, ClaimBook
from msk_reserves.claims.vocabulary import CATEGORY_CODE, COMPONENTS
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.agreements.bearer import BearerMargin, bundle_margin
from msk_reserves.contracts.agreements.netting import Grouping
from msk_reserves.contracts.agreements.on_claims import AgreementOnClaims
from msk_reserves.contracts.agreements.reconciliation import Reconciliation
from msk_reserves.contracts.fixed_price import FixedPriceBundle
from msk_reserves.contracts.terms import Contract, Sums
from msk_reserves.cost.cells import bundle_windows
from msk_reserves.episodes.plan import Plan
from msk_reserves.episodes.randomness import generator

MEDICAL = COMPONENTS.index("medical")
"""Place of the component that holds what contracts add, as it holds the price of a bundle."""

MOVED_FIGURES = (0, 2, 3, 4)
"""Places of mean and quantiles among the figures of a claim; the deviation stays that of the claim by itself."""

IN_FORCE = "in force"
"""What results of an agreement in force are keyed by."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """All blocks of a forecast put together; arrays as in `BlockTotals`, of all claims.

    Attributes
    ----------
    totals, claims, workers, targets : as there.
    sums : what contracts need added up, one for each and one for the bundles in force.
    closed : dollars on files now closed under the first contract, shape (3, n_scenarios).
    unreported : dollars of unreported claims by component and, last, their number, shape (4, n_scenarios).
    """

    totals: Floats
    claims: Floats
    workers: Floats
    targets: Floats
    sums: tuple[Sums, ...]
    closed: Floats
    unreported: Floats


def on_claims(contract: Contract | Agreement) -> Contract:
    """Return an agreement as the contract it is on claims that carry what its terms read, any other unchanged."""
    return AgreementOnClaims(contract) if isinstance(contract, Agreement) else contract


def in_force_on(contract: AgreementOnClaims, book: ClaimBook) -> AgreementOnClaims:
    """Return an agreement as the terms of the claims in a bundle already, with the care its ledger shows.

    In retrospect the payer has paid for care as billed: payments of what is covered, from the trigger to the window's
    end, are the cost so far. Before, the bearer has: only who knows its books can say (`cost_so_far`).

    Parameters
    ----------
    contract : the agreement.
    book : the claims.
    """
    begun = replace(contract, begun=True)
    given = contract.episodes
    if (
        begun.agreement.timing == "prospective"
        or book.payments is None
        or (given is not None and "cost_so_far" in given)
    ):
        return begun
    covered, window = contract.covered(), bundle_windows(book)
    days = covered.window.days
    ends = window.ends if days is None else window.begins + days
    paid = book.payments
    counts = np.isin(paid.category, [CATEGORY_CODE[name] for name in covered.categories])
    counts &= (paid.day >= window.begins[paid.claim]) & (paid.day < ends[paid.claim])
    so_far = np.bincount(paid.claim[counts], weights=paid.amount[counts], minlength=len(book))
    # Refunds may exceed what is left of the bills; care given is not negative.
    known = pd.DataFrame({"claim_id": book.claims["claim_id"].astype(str), "cost_so_far": np.maximum(so_far, 0.0)})
    if given is None:
        return replace(begun, episodes=known)
    own = given.assign(claim_id=given["claim_id"].astype(str))
    return replace(begun, episodes=own.merge(known, on="claim_id", how="left"))


def check_components(contracts: Mapping[str, Contract], missing: Mapping[str, str]) -> None:
    """Refuse agreements on care that the data cannot show.

    Raises
    ------
    ValueError
        If a component in the scope of an agreement is missing.
    """
    for name, contract in contracts.items():
        if isinstance(contract, AgreementOnClaims):
            for component, reason in missing.items():
                if component == "medical" or contract.covered().covers(component):
                    raise ValueError(f"`contracts`: {name!r} counts {component}, which is not in the claims: {reason}")


def settle_pools(
    totals: Floats, sums: tuple[Sums, ...], contracts: Mapping[str, Contract], in_force: Contract, plan: Plan
) -> tuple[dict[str, Reconciliation], dict[str, BearerMargin]]:
    """Settle what is pooled, add it to totals, and return it with the margins of those who bear a risk.

    Parameters
    ----------
    totals : dollars by contract and component, shape (n_contracts, 3, n_scenarios); changed.
    sums : what contracts need added up over all claims, one for each and one for the bundles in force.
    contracts : terms of the claims that are not in a bundle.
    in_force : terms of those that are.
    plan : the forecast.
    """
    settled, margins = {}, {}
    for place, (name, contract) in enumerate((*contracts.items(), (IN_FORCE, in_force))):
        margin = margin_of(contract, sums[place], plan)
        if margin is not None:
            margins[name] = replace(margin, contract=name)
        found = reconciled(contract, sums[place], plan)
        if found is not None:
            settled[name] = found
            totals[_under(place, len(contracts)), MEDICAL] += found.not_by_claim.sum(axis=1)
    return settled, margins


def share_pools(
    run: Run, settled: Mapping[str, Reconciliation], contracts: Mapping[str, Contract], in_force: Contract, plan: Plan
) -> None:
    """Add what was settled by pool to the figures of the pool's claims, by target price.

    Parameters
    ----------
    run : the blocks together; its figures by claim are changed.
    settled : what `settle_pools` returned.
    contracts, in_force, plan : as there.
    """
    for place, (name, contract) in enumerate((*contracts.items(), (IN_FORCE, in_force))):
        if name in settled and isinstance(contract, AgreementOnClaims):
            pools = _pools_of(contract, run.targets[place], plan.takeover.claims)
            for under in _under(place, len(contracts)):
                _share(settled[name], pools, run.targets[place], run.claims[under])


def _under(place: int, n_contracts: int) -> list[int]:
    """Return the contracts that terms count under: bundles in force, which come last, keep theirs under every one."""
    return [place] if place < n_contracts else list(range(n_contracts))


def reconciled(contract: Contract, sums: Sums, plan: Plan) -> Reconciliation | None:
    """Return what a contract settles in every future; None for one without pools, or without an episode."""
    if not isinstance(contract, AgreementOnClaims):
        return None
    return contract.reconcile(sums, plan.scenarios, generator(plan.seed, "default of a bearer"))


def margin_of(contract: Contract, sums: Sums, plan: Plan) -> BearerMargin | None:
    """Return the margin of who bears the risk of a contract; None where nobody does, or of no claim."""
    if isinstance(contract, AgreementOnClaims):
        return contract.margin(sums, plan.scenarios, plan.n_draws)
    if isinstance(contract, FixedPriceBundle):
        return bundle_margin(contract.name, sums, plan.scenarios, plan.n_draws)
    return None


def _share(found: Reconciliation, pools: tuple[str, ...], target: Floats, claims: Floats) -> None:
    """Add what is settled to the figures of the claims in a pool.

    `pools` are those of the claims that have a target price, which is NaN for the others; `claims` has the shape
    (4, n_claims, 5).
    """
    rows = np.flatnonzero(~np.isnan(target))
    if not len(rows):
        return
    grouping = Grouping.of([pools], pools.__getitem__)
    of_pool = found.not_by_claim.mean(axis=0)[[found.pool_names.index(name) for name in grouping.names]]
    part = grouping.split(of_pool, target[rows])
    for kind in MOVED_FIGURES:
        claims[MEDICAL, rows, kind] += part
        claims[-1, rows, kind] += part


def assumptions_of(contracts: Mapping[str, Contract], in_force: Contract) -> list[Assumption]:
    """Return what is assumed of bearers, and of care that agreements in force have seen already."""
    found = []
    for name, contract in (*contracts.items(), (IN_FORCE, in_force)):
        if isinstance(contract, AgreementOnClaims) and contract.credit is not None:
            found.append(Assumption(f"default of the bearer, {name}", contract.credit.describe(), "given by the user"))
    if isinstance(in_force, AgreementOnClaims) and (
        in_force.episodes is None or "cost_so_far" not in in_force.episodes
    ):
        found.append(Assumption("care so far of episodes in force", "none", "assumed: no column `cost_so_far`"))
    return found


def _pools_of(contract: AgreementOnClaims, target: Floats, table: pd.DataFrame) -> tuple[str, ...]:
    """Return the pool of each claim that is in one."""
    rows = np.flatnonzero(~np.isnan(target))
    return contract.pool_names(table.iloc[rows]) if len(rows) else ()
