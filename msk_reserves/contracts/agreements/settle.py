"""Settling actual episodes: the terms of an agreement in their order, every intermediate amount kept."""

import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.contracts.agreements.agreement import Agreement, agreement_of
from msk_reserves.contracts.agreements.netting import Groups, closed, groups_of, netted, totals
from msk_reserves.contracts.agreements.settlement import Settlement, Step
from msk_reserves.contracts.amounts import EpisodeAmounts, Pool
from msk_reserves.contracts.table import EpisodeDataError, EpisodeTable
from msk_reserves.contracts.terms import Contract


def settle(
    contract: Agreement | Contract, episodes: EpisodeTable | pd.DataFrame, *, cells: pd.DataFrame | None = None
) -> Settlement:
    """Reconcile actual episodes under a contract, and keep every step's amount by episode and by pool.

    Parameters
    ----------
    contract : an `Agreement`, a `FixedPriceBundle` or `FeeForService`.
    episodes : an `EpisodeTable`, or a frame that can be one: `episode_id`, `cost`, `pool`, `year`, `category` and
        whatever the terms read.
    cells : figures of each price cell (baseline means, trends, caps), joined by the column `cell`; None when the
        episodes carry them.

    Returns
    -------
    Settlement
        The bearer's result and what is due by pool, with every step and the accounts.

    Raises
    ------
    EpisodeDataError
        If a column that a term reads is missing or blank; every missing column has a line.

    Notes
    -----
    Two pure steps. Each episode: target price, spending that counts, payments for its outcome. Each pool and year: the
    sums of target price less spending, changed by the terms of categories, netted, changed by those of the pool; then
    outcomes are added and the last terms apply. What remains of care is paid to providers, by the payer where
    settlement is retrospective, by the bearer where the price is prospective.

    Examples
    --------
    >>> import pandas as pd
    >>> from msk_reserves import FixedPriceBundle, StopLoss
    >>> bundle = FixedPriceBundle(52_000, stop_loss=StopLoss(100_000))
    >>> settle(bundle, pd.DataFrame({"episode_id": ["a", "b"], "cost": [25_000, 200_000]})).result.tolist()
    [-21000.0]
    """
    agreement = agreement_of(contract)
    table = episodes if isinstance(episodes, EpisodeTable) else EpisodeTable.of(episodes)
    if cells is not None:
        table = table.joined(cells)
    wanted = agreement.needs().items()
    missing = [f"the column `{name}` is missing; {why!r} reads it" for name, why in wanted if name not in table]
    if missing:
        raise EpisodeDataError("\n".join(missing))
    amounts, episode_steps = episode_amounts(agreement, table)
    groups = groups_of(agreement, table)
    return _settled(agreement, amounts, episode_steps, groups)


def episode_amounts(agreement: Agreement, table: EpisodeTable) -> tuple[EpisodeAmounts, list[Step]]:
    """Return the amounts of each episode after the terms that act on it alone, and every step on the way.

    Parameters
    ----------
    agreement : the terms.
    table : the episodes, with every column the terms read.
    """
    cost = table.filled("cost")
    amounts = EpisodeAmounts.opening(table)
    steps = [Step("cost", cost)]
    for term in agreement.of_episodes:
        after = term.apply(amounts)
        steps += [Step(name, figures) for name, figures in term.details(amounts).items()]
        if after.target is not amounts.target:
            steps.append(Step(f"price after {term.title}", after.target))
        if after.spending is not amounts.spending:
            steps.append(Step(f"spending after {term.title}", after.spending))
        if after.outcome is not amounts.outcome:
            steps.append(Step(term.title, after.outcome - amounts.outcome))
        amounts = after
    steps.append(Step("target price less spending", amounts.target - amounts.spending))
    return amounts, steps


def _settled(agreement: Agreement, amounts: EpisodeAmounts, steps: list[Step], groups: Groups) -> Settlement:
    """Add up, apply the terms of each level, and put the record together."""

    def by_pool(of_lines: Floats) -> Floats:
        return groups.pools.added(groups.netted.added(of_lines))

    opening = totals(agreement, amounts, groups.lines)
    net = netted(agreement, opening, groups)
    cost = by_pool(groups.lines.added(amounts.table.filled("cost")))
    target, spending = by_pool(opening.target), by_pool(opening.spending)
    end = closed(agreement, net.pools, target=target, spending=spending, cost=cost, moved=net.moved)
    pool_steps = [Step(step.name, by_pool(step.dollars)) for step in [*_opening(opening), *net.line_steps]]
    pool_steps += [Step(step.name, groups.pools.added(step.dollars)) for step in net.net_steps]
    if amounts.outcome.any():
        pool_steps.append(Step("with payments for outcomes", end.with_outcome.amount))
    pool_steps += [*end.last_steps, Step("result", end.final.amount), Step("due", end.due)]
    line_steps = [*_opening(opening), *net.line_steps, *(net.net_steps if agreement.pooling == "category" else [])]
    alone = agreement.pooling == "episode"
    of_net = groups.netted.within(groups.lines)
    parts = of_net.split(net.groups.amount, amounts.target) + amounts.outcome
    parts = parts + groups.pools.within(of_net).split(end.final.amount - end.with_outcome.amount, amounts.target)
    return Settlement(
        agreement=agreement,
        table=amounts.table,
        episode_steps=(*steps, *(net.net_steps if alone else []), Step("result", parts)),
        category_names=() if alone else opening.names,
        category_steps=() if alone else tuple(line_steps),
        pool_names=end.final.names,
        pool_steps=tuple(pool_steps),
        result=end.final.amount.copy(),
        due=end.due.copy(),
        flows=end.flows,
    )


def _opening(pool: Pool) -> list[Step]:
    """Return the steps before any term of a pool."""
    return [
        Step("target price", pool.target),
        Step("spending", pool.spending),
        Step("target price less spending", pool.target - pool.spending),
    ]
