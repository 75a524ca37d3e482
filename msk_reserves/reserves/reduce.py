"""One block of futures reduced to what a forecast keeps: totals by scenario, and moments by claim."""

from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.vocabulary import COMPONENTS, STATE_CODE
from msk_reserves.contracts.terms import Contract, Sums, owed_under
from msk_reserves.episodes.plan import Plan
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.simulate import simulate_block
from msk_reserves.episodes.states import IN_WINDOW
from msk_reserves.reserves.late_reports import LateReports

CLAIM_FIGURES = ("mean", "sd", "p05", "p50", "p95")
WORKER_FIGURES = ("days_remaining_mean", "days_remaining_p50", "probability_back_in_26_weeks")
HALF_YEAR = 182


@dataclass(frozen=True, slots=True, eq=False)
class BlockTotals:
    """What one block adds to a forecast.

    Attributes
    ----------
    totals : dollars over the block's claims, shape (n_contracts, 3, n_scenarios).
    claims : figures of `CLAIM_FIGURES` by claim, contract and part (components, then total);
        shape (n_contracts, 4, n_claims, 5).
    workers : figures of `WORKER_FIGURES`, NaN for workers who are neither off work nor on modified duty; shape
        (n_claims, 3).
    sums : what contracts that pool need added up; one for each contract, and one for the bundles in force.
    targets : mean target prices under each of these, NaN for a claim that is not in a pool; shape
        (n_contracts + 1, n_claims).
    closed : dollars on the files now closed, under the first contract, shape (3, n_scenarios).
    unreported : dollars of the unreported claims that the block's claims stand for and, last, their number, shape
        (4, n_scenarios); zero where they are not asked for.
    """

    totals: Floats
    claims: Floats
    workers: Floats
    sums: tuple[Sums, ...]
    targets: Floats
    closed: Floats
    unreported: Floats


def reduce_block(
    plan: Plan, *, contracts: tuple[Contract, ...], in_force: Contract, late: LateReports | None = None
) -> BlockTotals:
    """Simulate a block, apply every contract to the same futures, and reduce.

    Parameters
    ----------
    plan : the block's part of the forecast.
    contracts : terms for the claims that are not in a bundle.
    in_force : terms of those that are.
    late : claims not yet reported, if asked for.
    """
    episodes = simulate_block(plan)
    own = in_force.per_episode(episodes) if episodes.takeover.bundled.any() else None
    sums: list[Sums] = []
    targets = np.full((len(contracts) + 1, plan.n_claims), np.nan)
    unreported = np.zeros((len(COMPONENTS) + 1, plan.scenarios))
    if late is not None:
        unreported[:] = late.totals(plan.takeover.claims.index.to_numpy(), plan.keys, episodes)
    totals = np.empty((len(contracts), len(COMPONENTS), plan.scenarios))
    claims = np.empty((len(contracts), len(COMPONENTS) + 1, plan.n_claims, len(CLAIM_FIGURES)))
    first: list[Floats] = []
    for place, contract in enumerate(contracts):
        owed = owed_under(contract, own, episodes)
        sums.append(owed.sums)
        targets[place] = np.nan if owed.target is None else owed.target
        dollars = [owed.component(name) for name in COMPONENTS]
        if first and all(one is known for one, known in zip(dollars, first, strict=False)):
            totals[place], claims[place] = totals[0], claims[0]
            continue
        dollars.append(dollars[0] + dollars[1] + dollars[2])
        for part, values in enumerate(dollars):
            known = (first[part].T, claims[0, part]) if first else None
            claims[place, part] = _figures(values.T, known)
            if part < len(COMPONENTS):
                totals[place, part] = values.sum(axis=1)
        first = first or dollars
    closed = _on_closed(plan, first[: len(COMPONENTS)])
    sums.append({} if own is None else own.sums)
    if own is not None and own.target is not None:
        targets[-1] = own.target
    return BlockTotals(totals, claims, _worker_figures(plan, episodes), tuple(sums), targets, closed, unreported)


def _on_closed(plan: Plan, dollars: list[Floats]) -> Floats:
    """Return the dollars on files now closed by component, shape (3, n_scenarios)."""
    files = plan.state == STATE_CODE["closed"]
    if not files.any():
        return np.zeros((len(dollars), plan.scenarios))
    return np.array([values[:, files].sum(axis=1) for values in dollars])


def _figures(values: Floats, known: tuple[Floats, Floats] | None) -> Floats:
    """Return mean, deviation and quantiles of each claim; `values` has shape (n_claims, n_scenarios).

    A contract leaves most claims as the first one has them: their figures are taken over, since sorting is what costs.
    """
    if known is None:
        return _figures_of(values)
    figures = known[1].copy()
    other = np.flatnonzero((values != known[0]).any(axis=1))
    if len(other):
        figures[other] = _figures_of(values[other])
    return figures


def _figures_of(values: Floats) -> Floats:
    """Return the figures of every row."""
    figures = np.empty((len(values), len(CLAIM_FIGURES)))
    figures[:, 0] = values.mean(axis=1)
    centred = values - figures[:, [0]]
    figures[:, 1] = np.sqrt(np.einsum("ij,ij->i", centred, centred) / (values.shape[1] - 1))
    figures[:, 2:] = _quantiles(values, (0.05, 0.5, 0.95))
    return figures


def _quantiles(values: Floats, probabilities: tuple[float, ...]) -> Floats:
    """Return linearly interpolated quantiles of each row, as `numpy.quantile` defines them.

    Whole rows are sorted: the sort runs in vector registers and is faster than a selection, which does not.
    """
    places = np.multiply(probabilities, values.shape[1] - 1)
    result = np.zeros((len(values), len(probabilities)))
    zeros = values.shape[1] - np.count_nonzero(values, axis=1)
    rest = np.flatnonzero((zeros <= places[-1] + 1) | (values.min(axis=1) < 0))
    lower = np.floor(places).astype(np.int64)
    upper = np.minimum(lower + 1, values.shape[1] - 1)
    ordered = np.sort(values[rest], axis=1)
    result[rest] = ordered[:, lower] + (places - lower) * (ordered[:, upper] - ordered[:, lower])
    return result


def _worker_figures(plan: Plan, episodes: Episodes) -> Floats:
    """Return days off still to come in the present spell, and the chance of full duty within 26 weeks.

    Nothing is said of workers who are neither off work nor on modified duty.
    """
    figures = np.full((plan.n_claims, len(WORKER_FIGURES)), np.nan)
    rows = np.flatnonzero(IN_WINDOW[plan.state])
    days = episodes.days_to_leave.T[rows]
    figures[rows, 0] = days.mean(axis=1)
    figures[rows, 1] = _quantiles(days, (0.5,))[:, 0]
    figures[rows, 2] = (episodes.day_back.T[rows] <= HALF_YEAR).mean(axis=1)
    return figures
