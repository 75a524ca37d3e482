"""Adding up: episodes into categories, categories into pools, and terms applied to the sums."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.agreements.settlement import Step
from msk_reserves.contracts.amounts import EpisodeAmounts, Pool, PoolTerm
from msk_reserves.contracts.table import ALL, EpisodeTable


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Which group each member belongs to.

    Attributes
    ----------
    names : of the groups, in the order in which they first appear.
    place : the group of each member, shape (n_members,).
    first : the first member of each group, shape (n_groups,).
    """

    names: tuple[str, ...]
    place: Integers
    first: Integers

    @classmethod
    def of(cls, keys: Sequence[Hashable], names: Sequence[str]) -> "Grouping":
        """Return the grouping of members by key; `names` are what their groups are called."""
        seen: dict[Hashable, int] = {}
        place = np.array([seen.setdefault(key, len(seen)) for key in keys], dtype=np.int64)
        first = np.full(len(seen), -1, dtype=np.int64)
        for member, group in reversed(list(enumerate(place))):
            first[group] = member
        return cls(tuple(names[int(member)] for member in first), place, first)

    def added(self, values: Floats) -> Floats:
        """Return sums over the members of each group; shape (..., n_members) to (..., n_groups)."""
        order = np.argsort(self.place, kind="stable")
        starts = np.searchsorted(self.place[order], np.arange(len(self.names)))
        sums: Floats = np.add.reduceat(values[..., order], starts, axis=-1)
        return sums


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The three levels at which results are added up.

    Attributes
    ----------
    lines : of episodes: a pool, year and category each, or an episode each where nothing is netted.
    netted : of lines: over what results are netted.
    pools : of netted groups: a pool and year each.
    """

    lines: Grouping
    netted: Grouping
    pools: Grouping


def groups_of(agreement: Agreement, table: EpisodeTable) -> Groups:
    """Return how an agreement adds up its episodes."""
    rows = list(zip(table.words["pool"], table.words["year"], strict=True))
    pool_names = [pool if year == ALL else f"{pool} {year}" for pool, year in rows]
    if agreement.pooling == "episode":
        lines = Grouping.of(table.words["episode_id"], table.words["episode_id"])
    else:
        categories = table.words["category"]
        full = [f"{name}, {category}" for name, category in zip(pool_names, categories, strict=True)]
        lines = Grouping.of(list(zip(rows, categories, strict=True)), full)
    of_lines = [rows[row] for row in lines.first]
    named = [pool_names[row] for row in lines.first]
    alone = list(range(len(of_lines)))
    netted = Grouping.of(of_lines, named) if agreement.pooling == "pool" else Grouping.of(alone, lines.names)
    pools = Grouping.of([of_lines[line] for line in netted.first], [named[line] for line in netted.first])
    return Groups(lines, netted, pools)


def totals(agreement: Agreement, amounts: EpisodeAmounts, lines: Grouping) -> Pool:
    """Return the sums over the episodes of each line, with everything the agreement's terms ask for."""
    wanted: dict[str, Floats] = {}
    for term in agreement.terms:
        if isinstance(term, PoolTerm):
            wanted |= term.sums(amounts.table)
    target, spending = lines.added(amounts.target), lines.added(amounts.spending)
    return Pool(
        names=lines.names,
        target=target,
        undiscounted=lines.added(amounts.undiscounted),
        spending=spending,
        outcome=lines.added(amounts.outcome),
        episodes=lines.added(np.ones(len(amounts.table))),
        sums={name: lines.added(column) for name, column in wanted.items()},
        amount=target - spending,
    )


def added_up(pool: Pool, grouping: Grouping) -> Pool:
    """Return the sums of groups over larger groups."""
    kept = ("target", "undiscounted", "spending", "outcome", "episodes", "amount")
    return replace(
        pool,
        names=grouping.names,
        sums={name: grouping.added(column) for name, column in pool.sums.items()},
        flows=tuple(replace(flow, dollars=grouping.added(flow.dollars)) for flow in pool.flows),
        **{name: grouping.added(getattr(pool, name)) for name in kept},
    )


def applied(pool: Pool, terms: Sequence[PoolTerm]) -> tuple[Pool, list[Step], list[Step]]:
    """Return the pool after the terms, the amounts after each, and what each moved between payer and bearer."""
    steps, moved = [], []
    for term in terms:
        after = term.apply(pool)
        if after.target is not pool.target:
            steps.append(Step(f"target price after {term.title}", after.target))
        if after.amount is not pool.amount:
            steps.append(Step(term.title, after.amount))
            moved.append(Step(term.title, after.amount - pool.amount))
        else:
            steps += [Step(flow.name, flow.dollars) for flow in after.flows[len(pool.flows) :]]
        pool = after
    return pool, steps, moved
