"""What contracts that pool owe once all claims are in: added to totals, and shown by claim."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.agreements.netting import Grouping
from msk_reserves.contracts.agreements.on_claims import AgreementOnClaims
from msk_reserves.contracts.agreements.reconciliation import Reconciliation
from msk_reserves.contracts.terms import Contract, Sums

MEDICAL = COMPONENTS.index("medical")
"""Place of the component that holds what contracts add, as it holds the price of a bundle."""

MOVED_FIGURES = (0, 2, 3, 4)
"""Places of mean and quantiles among the figures of a claim; the deviation stays that of the claim by itself."""


def on_claims(contract: Contract | Agreement) -> Contract:
    """Return an agreement as the contract it is on claims that carry what its terms read, any other unchanged."""
    return AgreementOnClaims(contract) if isinstance(contract, Agreement) else contract


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


def reconciled(contract: Contract, sums: Sums, scenarios: int) -> Reconciliation | None:
    """Return what a contract settles in every future; None for one without pools, or without an episode."""
    return contract.reconcile(sums, scenarios) if isinstance(contract, AgreementOnClaims) else None


def add_pooled(
    found: Reconciliation, pools: tuple[str, ...], target: Floats, *, totals: Floats, claims: Floats
) -> None:
    """Add what is owed by pool to the totals and, by target price, to the figures of the pool's claims.

    Parameters
    ----------
    found : what is settled.
    pools : pool of each claim that is in one.
    target : mean target price of each claim, NaN for one that is not in a pool; shape (n_claims,).
    totals : dollars by component, shape (3, n_scenarios); changed.
    claims : figures by part, claim and kind, shape (4, n_claims, 5); changed.
    """
    totals[MEDICAL] += found.not_by_claim.sum(axis=1)
    rows = np.flatnonzero(~np.isnan(target))
    if not len(rows):
        return
    grouping = Grouping.of([pools], pools.__getitem__)
    of_pool = found.not_by_claim.mean(axis=0)[[found.pool_names.index(name) for name in grouping.names]]
    part = grouping.split(of_pool, target[rows])
    for kind in MOVED_FIGURES:
        claims[MEDICAL, rows, kind] += part
        claims[-1, rows, kind] += part


def pools_of(contract: Contract, target: Floats, table: pd.DataFrame) -> tuple[str, ...]:
    """Return the pool of each claim that is in one under a contract."""
    rows = np.flatnonzero(~np.isnan(target))
    return contract.pool_names(table.iloc[rows]) if isinstance(contract, AgreementOnClaims) and len(rows) else ()
