"""What a settlement is: every step's amounts by episode and by pool, and the accounts they move."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.amounts import Flow, accounts_of
from msk_reserves.contracts.table import EpisodeTable

SHOWN = 12
"""Pools shown by `print`; tables hold all of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Amounts after a step.

    Attributes
    ----------
    name : the step; a term's title and, where it is another, what it changed.
    dollars : shape (n_episodes,) or (n_groups,), read-only; figures that are no dollars say so by their name.
    """

    name: str
    dollars: Floats

    def __post_init__(self) -> None:
        self.dollars.flags.writeable = False


@dataclass(frozen=True, slots=True, eq=False)
class Settlement:
    """What payer and bearer owe each other for some episodes, and how it came about.

    Attributes
    ----------
    agreement : the terms.
    table : the episodes.
    episode_steps : amounts by episode, in order; the last is each episode's part of the result.
    category_names, category_steps : amounts by pool and category, before results are netted.
    pool_names, pool_steps : amounts by pool after each term; the last two are result and what is due.
    result : gain of the bearer, negative a loss; dollars, shape (n_pools,).
    due : what the payer has still to pay the bearer, negative what the bearer pays back; dollars, shape (n_pools,).
        Retrospective: the result. Prospective: what changes hands beside the price, such as stop-loss and refund.
    flows : every payment, by pool.
    """

    agreement: Agreement
    table: EpisodeTable
    episode_steps: tuple[Step, ...]
    category_names: tuple[str, ...]
    category_steps: tuple[Step, ...]
    pool_names: tuple[str, ...]
    pool_steps: tuple[Step, ...]
    result: Floats
    due: Floats
    flows: tuple[Flow, ...]

    def __post_init__(self) -> None:
        self.result.flags.writeable = False
        self.due.flags.writeable = False

    def accounts(self) -> Mapping[str, Floats]:
        """Return what each account receives less what it pays, dollars by pool; the four add to zero."""
        return accounts_of(self.flows, self.due.shape)

    def gross_flow(self) -> float:
        """Return the dollars moved in all, both ways counted."""
        return float(sum(np.abs(flow.dollars).sum() for flow in self.flows))

    def by_episode(self) -> pd.DataFrame:
        """Return the steps by episode, a row an episode; the result of a pool is split by target price."""
        words = {name: list(self.table.words[name]) for name in ("episode_id", "pool", "year", "category")}
        return pd.DataFrame({**words, **_columns(self.episode_steps)})

    def by_category(self) -> pd.DataFrame:
        """Return the steps by pool and category, a row each."""
        return pd.DataFrame({"category": list(self.category_names), **_columns(self.category_steps)})

    def by_pool(self) -> pd.DataFrame:
        """Return the steps by pool, a row each, result and what is due in the last columns."""
        return pd.DataFrame({"pool": list(self.pool_names), **_columns(self.pool_steps)})

    def by_account(self) -> pd.DataFrame:
        """Return what each account receives less what it pays, a row a pool."""
        return pd.DataFrame({"pool": list(self.pool_names), **self.accounts()})

    def __str__(self) -> str:
        count = f"{len(self.table):,} episodes, {len(self.pool_names):,} pool{'s' if len(self.pool_names) != 1 else ''}"
        lines = [str(self.agreement), "", f"{count}; dollars: the bearer's result, and what is due to it"]
        shown = self.pool_names[:SHOWN]
        wide = max(len(step.name) for step in self.pool_steps)
        across = max(14, *(len(name) + 2 for name in shown))
        lines.append(" " * wide + "".join(f"{name:>{across}}" for name in shown))
        lines += [
            f"{step.name:<{wide}}" + "".join(f"{value:>{across},.2f}" for value in step.dollars[: len(shown)])
            for step in self.pool_steps
        ]
        if len(shown) < len(self.pool_names):
            lines.append(f"and {len(self.pool_names) - len(shown):,} more pools")
        balance = ", ".join(f"{name} {dollars.sum():,.2f}" for name, dollars in self.accounts().items())
        lines.append(f"accounts, received less paid: {balance}")
        lines.append(
            "a pool's result is shown by episode in proportion to target price; payments for outcomes are its own"
        )
        return "\n".join(lines)


def true_up(first: Settlement, again: Settlement) -> Mapping[str, float]:
    """Return what is still due by pool when episodes are settled again, dollars; positive to the bearer.

    Parameters
    ----------
    first : the settlement that has been paid.
    again : the same pools with later episodes or costs.

    Raises
    ------
    ValueError
        If the agreements or the pools differ.
    """
    if first.agreement != again.agreement:
        raise ValueError(f"`again` must be of the agreement {first.agreement.name!r}, got {again.agreement.name!r}")
    if first.pool_names != again.pool_names:
        raise ValueError(f"`again` must have the pools {first.pool_names}, got {again.pool_names}")
    return {name: float(due) for name, due in zip(first.pool_names, again.due - first.due, strict=True)}


def _columns(steps: tuple[Step, ...]) -> dict[str, Floats]:
    """Return steps as columns, a later one of the same name numbered."""
    found: dict[str, Floats] = {}
    for step in steps:
        name, again = step.name, 2
        while name in found:
            name, again = f"{step.name} ({again})", again + 1
        found[name] = step.dollars
    return found
