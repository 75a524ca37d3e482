"""A block of futures: what a contract is applied to."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.episodes.scope import Scope

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False)
class Takeover:
    """What a contract may know of each claim on the valuation date; every array has shape (n_claims,).

    Attributes
    ----------
    claims : the claims' rows of the book, with their covariates.
    eligible : off work or on modified duty, not settled, not in a bundle: may be taken over on the valuation date.
    bundled : already in a bundle, whose own terms stay in force.
    unpaid_price : dollars of the price of the bundle in force not yet paid; 0 for the others.
    days_since_trigger : days since the bundle in force was triggered; 0 for the others.
    """

    claims: "pd.DataFrame"
    eligible: Booleans
    bundled: Booleans
    unpaid_price: Floats
    days_since_trigger: Floats

    def of(self, rows: Integers) -> "Takeover":
        """Return the same for some of the claims."""
        return Takeover(
            claims=self.claims.iloc[rows],
            eligible=self.eligible[rows],
            bundled=self.bundled[rows],
            unpaid_price=self.unpaid_price[rows],
            days_since_trigger=self.days_since_trigger[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Episodes:
    """Futures of some claims from the valuation date to the horizon, under fee for service.

    Dollars are nominal and unpaid on the valuation date. Every array has shape (n_scenarios, n_claims), read-only.

    Attributes
    ----------
    takeover : the claims and where they stand.
    medical, indemnity, expense : dollars of each component.
    in_scope : dollars inside a scope's categories and window, by scope and component.
    days_off : days off work still to come, all spells.
    days_to_leave : days until the worker leaves being off work in the present spell; 0 for a worker who is not.
    day_back : days until the worker is back at full duty; 0 for one who is, infinite if not before the horizon.
    """

    takeover: Takeover
    medical: Floats
    indemnity: Floats
    expense: Floats
    in_scope: Mapping[Scope, Mapping[str, Floats]]
    days_off: Floats
    days_to_leave: Floats
    day_back: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    @property
    def shape(self) -> tuple[int, int]:
        """Scenarios and claims."""
        n_scenarios, n_claims = self.medical.shape
        return n_scenarios, n_claims

    def component(self, name: str) -> Floats:
        """Return the dollars of one component, shape (n_scenarios, n_claims)."""
        if name not in COMPONENTS:
            raise ValueError(f"`name` must be one of {', '.join(COMPONENTS)}; got {name!r}")
        dollars: Floats = getattr(self, name)
        return dollars

    def inside(self, scope: Scope) -> Mapping[str, Floats]:
        """Return the dollars inside a scope by component, each of shape (n_scenarios, n_claims).

        Raises
        ------
        ValueError
            If the engine was not asked to count this scope.
        """
        if scope not in self.in_scope:
            raise ValueError(
                f"these episodes were not simulated with the scope {scope}; pass its contract to `forecast`"
            )
        return self.in_scope[scope]
