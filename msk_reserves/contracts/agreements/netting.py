"""Adding up: episodes into categories, categories into pools, and terms applied to the sums."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, Integers
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.agreements.settlement import Step
from msk_reserves.contracts.amounts import (
    BEARER,
    CATEGORY,
    LAST,
    PAYER,
    POOL,
    PROVIDERS,
    EpisodeAmounts,
    Flow,
    Pool,
    PoolTerm,
)
from msk_reserves.contracts.table import ALL, EpisodeTable

SMALL_PRODUCT = 4_096
"""Members times groups up to which futures are added by a matrix of zeros and ones, several times as fast."""


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
    def of(cls, columns: Sequence[Sequence[Hashable] | Integers], name: Callable[[int], str]) -> "Grouping":
        """Return the grouping of members that agree in all columns; `name` is what the group of a member is called."""
        place = np.zeros(len(columns[0]), dtype=np.int64)
        for column in columns:
            codes, values = pd.factorize(np.array(column, dtype=object))
            # Codes again after each column, so that their product never grows beyond members times values.
            place = pd.factorize(place * len(values) + codes)[0]
        first = np.unique(place, return_index=True)[1]
        return cls(tuple(name(int(member)) for member in first), place, first)

    def added(self, values: Floats) -> Floats:
        """Return sums over the members of each group; shape (..., n_members) to (..., n_groups)."""
        if len(self.names) == 1:
            total: Floats = values.sum(axis=-1, keepdims=True)
            return total
        if np.array_equal(self.place, np.arange(len(self.names))):
            return values
        if values.ndim > 1 and len(self.place) * len(self.names) <= SMALL_PRODUCT:
            product: Floats = values @ (self.place[:, None] == np.arange(len(self.names))).astype(np.float64)
            return product
        order = np.argsort(self.place, kind="stable")
        starts = np.searchsorted(self.place[order], np.arange(len(self.names)))
        sums: Floats = np.add.reduceat(values[..., order], starts, axis=-1)
        return sums

    def within(self, finer: "Grouping") -> "Grouping":
        """Return the grouping of the members of `finer`, whose groups are the members of this one."""
        return Grouping(self.names, self.place[finer.place], finer.first[self.first])

    def split(self, amount: Floats, weights: Floats) -> Floats:
        """Return each member's part of its group's amount by weight, equal parts where the group has none.

        Parameters
        ----------
        amount : shape (..., n_groups).
        weights : not negative, shape (..., n_members).
        """
        total = self.added(weights)[..., self.place]
        count = np.bincount(self.place)[self.place]
        part = np.where(total > 0, weights / np.where(total > 0, total, 1.0), 1.0 / count)
        return amount[..., self.place] * part


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


def pool_name(pool: str, year: str) -> str:
    """Return what a pool and year are called together.

    Examples
    --------
    >>> pool_name("north", "2026"), pool_name("north", "all")
    ('north 2026', 'north')
    """
    return pool if year == ALL else f"{pool} {year}"


def groups_of(agreement: Agreement, table: EpisodeTable) -> Groups:
    """Return how an agreement adds up its episodes."""
    pool, year, category = (table.words[name] for name in ("pool", "year", "category"))

    def named(row: int) -> str:
        return pool_name(pool[row], year[row])

    if agreement.pooling == "episode":
        lines = Grouping.of([table.words["episode_id"]], table.words["episode_id"].__getitem__)
    else:
        lines = Grouping.of([pool, year, category], lambda row: f"{named(row)}, {category[row]}")
    line_pool = [[column[row] for row in lines.first] for column in (pool, year)]
    if agreement.pooling == "pool":
        netted = Grouping.of(line_pool, lambda line: named(int(lines.first[line])))
    else:
        netted = Grouping.of([np.arange(len(lines.names))], lines.names.__getitem__)
    first = lines.first[netted.first]
    pools = Grouping.of(
        [[column[row] for row in first] for column in (pool, year)], lambda group: named(int(first[group]))
    )
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
            steps += [Step(f"{flow.name}, paid aside", flow.dollars) for flow in after.flows[len(pool.flows) :]]
        pool = after
    return pool, steps, moved


@dataclass(frozen=True, slots=True, eq=False)
class Netted:
    """Results after the terms of categories and pools.

    Attributes
    ----------
    groups : sums over what is netted.
    pools : the same by pool and year.
    line_steps, net_steps : amounts after each term, by line and by netted group.
    moved : what each term moved between payer and bearer, by pool.
    """

    groups: Pool
    pools: Pool
    line_steps: list[Step]
    net_steps: list[Step]
    moved: list[Step]


def netted(agreement: Agreement, opening: Pool, groups: Groups) -> Netted:
    """Return the results after the terms of categories and, netted, those of pools.

    Parameters
    ----------
    agreement : the terms.
    opening : sums by line, before any of these terms.
    groups : what lines belong to.
    """
    lines, line_steps, moved_lines = applied(opening, agreement.of_pools(CATEGORY))
    nets, net_steps, moved_nets = applied(added_up(lines, groups.netted), agreement.of_pools(POOL))
    moved = [Step(step.name, groups.pools.added(groups.netted.added(step.dollars))) for step in moved_lines]
    moved += [Step(step.name, groups.pools.added(step.dollars)) for step in moved_nets]
    return Netted(nets, added_up(nets, groups.pools), line_steps, net_steps, moved)


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """Results after the last terms, by pool and year.

    Attributes
    ----------
    with_outcome : sums with the payments for outcomes.
    final : sums after the last terms; its amount is the bearer's result.
    last_steps : amounts after each of them.
    due : what the payer has still to pay the bearer, negative what the bearer pays back; dollars.
    flows : every payment.
    """

    with_outcome: Pool
    final: Pool
    last_steps: list[Step]
    due: Floats
    flows: tuple[Flow, ...]


def closed(
    agreement: Agreement, pools: Pool, *, target: Floats, spending: Floats, cost: Floats, moved: Sequence[Step]
) -> Closed:
    """Return the results with payments for outcomes and after the last terms.

    Parameters
    ----------
    agreement : the terms.
    pools : sums by pool after the terms of pools.
    target, spending : the same before any of those terms, dollars.
    cost : dollars of care by pool, whether it counts or not.
    moved : what terms have moved between payer and bearer, by pool.
    """
    with_outcome = pools.owing(pools.amount + pools.outcome)
    final, last_steps, moved_last = applied(with_outcome, agreement.of_pools(LAST))
    every = [*moved, Step("payments for outcomes", pools.outcome), *moved_last]
    flows = (*_care(agreement, cost, target, spending, every), *final.flows)
    # A price paid before the care has left the payer, and the bearer has paid for the care: the rest is still due.
    prepaid = target - cost if agreement.timing == "prospective" else np.zeros_like(cost)
    return Closed(with_outcome, final, last_steps, final.amount - prepaid, flows)


def _care(agreement: Agreement, cost: Floats, target: Floats, spending: Floats, moved: Sequence[Step]) -> list[Flow]:
    """Return the payments for care, for the price, and what each term moved between payer and bearer."""
    if agreement.timing == "prospective":
        flows = [
            Flow("price", PAYER, BEARER, target),
            Flow("care", BEARER, PROVIDERS, cost),
            Flow("care that does not count", PAYER, BEARER, cost - spending),
        ]
    else:
        flows = [
            Flow("care", PAYER, PROVIDERS, cost),
            Flow("target price less spending", PAYER, BEARER, target - spending),
        ]
    return [*flows, *(Flow(step.name, PAYER, BEARER, step.dollars) for step in moved)]
