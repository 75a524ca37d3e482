"""What a contract is: terms in two pure steps, and the plainest of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.scope import Scope


@dataclass(frozen=True, slots=True, eq=False)
class Owed:
    """What the payer still pays on each claim, dollars; every array has shape (n_scenarios, n_claims).

    Attributes
    ----------
    medical, indemnity, expense : by component; a bundle's price counts as medical.
    """

    medical: Floats
    indemnity: Floats
    expense: Floats

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


def owed_under(contract: Contract, in_force: Contract, episodes: Episodes) -> Owed:
    """Return what is owed when `contract` values the claims of a block and bundles in force keep their own terms.

    Parameters
    ----------
    contract : terms for the claims that are not in a bundle.
    in_force : terms of the claims that are.
    episodes : the futures.
    """
    owed = contract.per_episode(episodes)
    bundled = episodes.takeover.bundled
    if not bundled.any():
        return owed
    own = in_force.per_episode(episodes)
    parts = [np.where(bundled, own.component(name), owed.component(name)) for name in COMPONENTS]
    return Owed(*parts)
