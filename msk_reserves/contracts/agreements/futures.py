"""Simulated episodes added up by pool, block after block, and settled on their sums."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.agreements.bearer import RepricingError
from msk_reserves.contracts.agreements.netting import Closed, Grouping, Netted, closed, groups_of, netted, totals
from msk_reserves.contracts.agreements.settlement import Step
from msk_reserves.contracts.amounts import BEARER, PAYER, POOL, EpisodeAmounts, Flow, Pool, PoolTerm
from msk_reserves.contracts.table import ALL, EpisodeTable
from msk_reserves.contracts.terms import SumKey, Sums

SUM, FLOW = "sum", "flow"
"""What the names of a term's own sums, and of payments already made out, begin with."""

MARK = "\t"
"""What parts the words of such a name: no word holds it."""


def episode_futures(agreement: Agreement, table: EpisodeTable) -> tuple[EpisodeAmounts, Floats]:
    """Return the amounts of each episode, and its payments for outcomes were the price nothing.

    Parameters
    ----------
    agreement : the terms.
    table : the episodes, numbers of shape (n_episodes,) or (n_scenarios, n_episodes).
    """
    amounts = EpisodeAmounts.opening(table)
    for term in agreement.price:
        amounts = term.apply(amounts)
    free, after = amounts.times(0.0), agreement.of_episodes[len(agreement.price) :]
    for term in after:
        amounts = term.apply(amounts)
    if not np.any(amounts.outcome):
        return amounts, np.zeros(len(table))
    for term in after:
        free = term.apply(free)
    return amounts, free.outcome


def result_apart(agreement: Agreement, amounts: EpisodeAmounts) -> Netted | None:
    """Return each episode's result after the terms of pools where nothing is netted; None where sums are enough."""
    if agreement.pooling != "episode" or not agreement.of_pools(POOL):
        return None
    groups = groups_of(agreement, amounts.table)
    return netted(agreement, totals(agreement, amounts, groups.lines), groups)


def own_dollars(agreement: Agreement, amounts: EpisodeAmounts, apart: Netted | None) -> Floats:
    """Return what the payer owes the bearer for each episode whatever the others cost, beside a price paid before.

    Parameters
    ----------
    agreement : the terms.
    amounts : of each episode after the terms that act on it alone.
    apart : its result after the terms of pools, where nothing is netted.
    """
    prospective = agreement.timing == "prospective"
    cost = amounts.table.filled("cost")
    if agreement.pooling != "episode" or (apart is None and prospective):
        uncounted = prospective and amounts.spending is not cost
        return amounts.outcome + (cost - amounts.spending) if uncounted else amounts.outcome
    result = amounts.target - amounts.spending if apart is None else apart.groups.amount
    own = result + amounts.outcome
    return own - (amounts.target - cost) if prospective else own


def line_sums(
    agreement: Agreement,
    amounts: EpisodeAmounts,
    apart: Netted | None,
    *,
    outcome_apart: Floats,
    so_far: Floats,
    own: Floats,
) -> dict[SumKey, Floats]:
    """Return the sums of some episodes that add up over blocks, by pool, year and category.

    Parameters
    ----------
    agreement : the terms.
    amounts : of each episode after the terms that act on it alone.
    apart : results where nothing is netted.
    outcome_apart : payments for outcomes were the price nothing.
    so_far : dollars of its care that were given before the valuation.
    own : what is owed for each episode by itself.
    """
    table, size = amounts.table, len(amounts.table)
    paid = np.any(amounts.outcome)
    begun = np.any(so_far)
    columns = {
        "target": amounts.target,
        "undiscounted": amounts.undiscounted,
        "spending": amounts.spending,
        "outcome": amounts.outcome if paid else np.zeros(size),
        "outcome apart": outcome_apart,
        "cost": table.filled("cost"),
        "left": np.maximum(amounts.spending - so_far, 0.0) if begun else amounts.spending,
        "own": own if np.any(own) else np.zeros(size),
        "episodes": np.ones(size),
    }
    for term in (term for term in agreement.terms if isinstance(term, PoolTerm)):
        columns |= {SUM + MARK + name: column for name, column in term.sums(table).items()}
    pool, year, category = (table.words[name] for name in ("pool", "year", "category"))
    if apart is not None:
        columns |= {"priced": apart.groups.target, "result": apart.groups.amount}
        category = (ALL,) * size
    lines = Grouping.of([pool, year, category], str)
    found: dict[SumKey, Floats] = {}
    once: dict[int, Floats] = {}
    for name, column in columns.items():
        # Several names may stand for one array: spending without a cap is the cost, and all of it is left.
        if id(column) not in once:
            once[id(column)] = lines.added(column)
        for place, row in enumerate(lines.first):
            found[pool[row], year[row], category[row], name] = np.array(once[id(column)][..., place], ndmin=1)
    if apart is not None:
        made = [Flow(step.name, PAYER, BEARER, step.dollars) for step in apart.moved]
        for flow in (*made, *apart.pools.flows):
            for place, row in enumerate(lines.first):
                key = (pool[row], year[row], ALL, MARK.join((FLOW, flow.name, flow.source, flow.into)))
                found[key] = found.get(key, 0.0) + np.array(flow.dollars[..., place], ndmin=1)
    return found


def added_sums(parts: Iterable[Sums]) -> dict[SumKey, Floats]:
    """Return sums of several blocks together; memory does not grow with their number."""
    found: dict[SumKey, Floats] = {}
    for part in parts:
        for key, dollars in part.items():
            found[key] = found[key] + dollars if key in found else dollars
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Sums put together: a line is a pool, year and category.

    Attributes
    ----------
    words : the pool, the year and the category of each line.
    sums : by name, each of shape (n_scenarios, n_lines), read-only.
    """

    words: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
    sums: Mapping[str, Floats]

    @classmethod
    def of(cls, sums: Sums, scenarios: int) -> "Lines":
        """Return sums of all blocks put together, lines in order of their names.

        Parameters
        ----------
        sums : of `line_sums` over all episodes.
        scenarios : how many futures.
        """
        lines = sorted({key[:3] for key in sums})
        found = {}
        for name in dict.fromkeys(key[3] for key in sums):
            columns = [np.broadcast_to(sums[(*line, name)], scenarios) for line in lines]
            found[name] = np.stack(columns, axis=-1)
            found[name].flags.writeable = False
        pool, year, category = (tuple(line[place] for line in lines) for place in range(3))
        return cls((pool, year, category), found)


@dataclass(frozen=True, slots=True, eq=False)
class SettledFutures:
    """What is settled on sums by pool and year; arrays of shape (n_scenarios, n_pools).

    Attributes
    ----------
    names, years : of the pools.
    end : results after the last terms, what is due, and every payment.
    target : target prices.
    episodes : how many.
    left : care that counts and is still to be given, dollars.
    own : what is owed for episodes by themselves.
    """

    names: tuple[str, ...]
    years: tuple[str, ...]
    end: Closed
    target: Floats
    episodes: Floats
    left: Floats
    own: Floats


def settle_futures(agreement: Agreement, lines: Lines, *, factor: float = 1.0) -> SettledFutures:
    """Settle sums of simulated episodes.

    Parameters
    ----------
    agreement : the terms.
    lines : sums over all episodes.
    factor : by which every target price is multiplied first.

    Raises
    ------
    RepricingError
        If prices are changed where terms of pools have been applied to each episode apart.
    """
    found, (pool, year, category) = lines.sums, lines.words
    ids = tuple(f"{place}" for place in range(len(pool)))
    words = {"episode_id": ids, "pool": pool, "year": year, "category": category}
    groups = groups_of(agreement, EpisodeTable({}, words))
    target = factor * found["target"]
    outcome = found["outcome apart"] + factor * (found["outcome"] - found["outcome apart"])
    opening = Pool(
        names=groups.lines.names,
        target=target,
        undiscounted=factor * found["undiscounted"],
        spending=found["spending"],
        outcome=outcome,
        episodes=found["episodes"],
        sums={name.removeprefix(SUM + MARK): found[name] for name in found if name.startswith(SUM + MARK)},
        amount=target - found["spending"],
    )

    def by_pool(of_lines: Floats) -> Floats:
        return groups.pools.added(groups.netted.added(of_lines))

    if "result" not in found:
        net = netted(agreement, opening, groups)
        pools, moved = net.pools, net.moved
    elif factor != 1.0:
        raise RepricingError(
            f"the price of {agreement.name!r} cannot be changed after its episodes were added up, since its terms of "
            "pools apply to each apart; forecast it at the other price"
        )
    else:
        pools, moved = _made_out(groups.pools.names, opening, found)
    end = closed(
        agreement, pools, target=by_pool(target), spending=by_pool(found["spending"]), cost=by_pool(found["cost"]),
        moved=moved,
    )  # fmt: skip
    first = groups.lines.first[groups.netted.first[groups.pools.first]]
    return SettledFutures(
        names=pools.names,
        years=tuple(year[int(line)] for line in first),
        end=end,
        target=by_pool(target),
        episodes=by_pool(found["episodes"]),
        left=by_pool(found["left"]),
        own=by_pool(found["own"]),
    )


def _made_out(names: tuple[str, ...], opening: Pool, found: Mapping[str, Floats]) -> tuple[Pool, list[Step]]:
    """Return the pools after terms that were applied to each episode, and what those moved."""
    moved, aside = [], []
    for name, dollars in found.items():
        kind, *words = name.split(MARK)
        if kind == FLOW and (words[1], words[2]) == (PAYER, BEARER):
            moved.append(Step(words[0], dollars))
        elif kind == FLOW:
            aside.append(Flow(words[0], words[1], words[2], dollars))
    pools = Pool(
        names=names,
        target=found["priced"],
        undiscounted=opening.undiscounted,
        spending=opening.spending,
        outcome=opening.outcome,
        episodes=opening.episodes,
        sums=opening.sums,
        amount=found["result"],
        flows=tuple(aside),
    )
    return pools, moved
