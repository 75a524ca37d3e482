"""What a contract is: terms in two pure steps, and the plainest of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.scope import Scope

SumKey = tuple[str, str, str, str]
"""What a sum is of: pool, year, category, and its name."""

Sums = Mapping[SumKey, Floats]
"""Sums over claims that a contract needs of all of them, each of shape (n_scenarios,), or a single number as (1,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Owed:
    """What the payer still pays on each claim, dollars; every array has shape (n_scenarios, n_claims).

    Attributes
    ----------
    medical, indemnity, expense : by component; a bundle's price counts as medical.
    sums : what must be added up over all claims before the rest can be said, of a contract that pools.
    target : mean target price of each claim, by which what is pooled is shown by claim, NaN for a claim that is not in
        a pool; shape (n_claims,), or None.
    """

    medical: Floats
    indemnity: Floats
    expense: Floats
    sums: Sums = field(default_factory=dict)
    target: Floats | None = None

    def component(self, name: str) -> Floats:
        """Return the dollars of one component."""
        dollars: Floats = getattr(self, name)
        return dollars


@runtime_checkable
class Contract(Protocol):
    """The door for a contract of one's own: a name, the care it counts, and two pure steps.

    `per_episode` turns a block of futures into amounts that add over claims. `settle` acts on one scenario's totals
    by component once all claims are in, for contracts that pool; a contract that does not returns them unchanged.
    """

    @property
    def name(self) -> str:
        """Name by which results are keyed."""

    def scopes(self) -> tuple[Scope, ...]:
        """Return the scopes the engine must count for `per_episode`."""

    def per_episode(self, episodes: Episodes) -> Owed:
        """Return what is owed on each claim."""

    def settle(self, totals: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return the totals by component after settlement of the pool, each of shape (n_scenarios,)."""

    def describe(self) -> str:
        """Return the terms as a sentence."""


@dataclass(frozen=True, slots=True)
class FeeForService:
    """Every service is paid as it is billed; the benefits the law owes are paid as they fall due.

    Examples
    --------
    >>> FeeForService().describe()
    'every service is paid as billed'
    """

    name: str = "fee for service"

    def scopes(self) -> tuple[Scope, ...]:
        """Return no scope: nothing needs counting apart."""
        return ()

    def per_episode(self, episodes: Episodes) -> Owed:
        """Return exactly what was simulated."""
        return Owed(episodes.medical, episodes.indemnity, episodes.expense)

    def settle(self, totals: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return the totals unchanged."""
        return totals

    def describe(self) -> str:
        """Return the terms as a sentence."""
        return "every service is paid as billed"


def owed_under(contract: Contract, own: Owed | None, episodes: Episodes) -> Owed:
    """Return what is owed when `contract` values the claims of a block and bundles in force keep their own terms.

    Parameters
    ----------
    contract : terms for the claims that are not in a bundle.
    own : what is owed under the terms of those that are; None where no claim is in one.
    episodes : the futures.
    """
    owed = contract.per_episode(episodes)
    if own is None:
        return owed
    bundled = episodes.takeover.bundled
    medical, indemnity, expense = (np.where(bundled, own.component(name), owed.component(name)) for name in COMPONENTS)
    return Owed(medical, indemnity, expense, sums=owed.sums, target=owed.target)
