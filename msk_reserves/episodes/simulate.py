"""From expected payments along a path to dollars: one block of episodes."""

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.cost.benefits import temporary_total
from msk_reserves.episodes.paths import walk
from msk_reserves.episodes.plan import Plan
from msk_reserves.episodes.randomness import exponentials, generator
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.sums import Sums

FACTOR_SLOT = 2**20
"""Slot of the random number behind a claim's own cost factor, beyond those of any path."""


def simulate_block(plan: Plan) -> Episodes:
    """Simulate every future of a block's claims under fee for service.

    A pure function: the same plan gives the same numbers in any process, and a claim's numbers do not depend on the
    claims it shares a block with.

    Parameters
    ----------
    plan : the block's part of the forecast, its claims in the order of their states.

    Returns
    -------
    Episodes
        The futures, shape (n_scenarios, n_claims).
    """
    sums = walk(plan)
    shape = (plan.n_claims, plan.scenarios)
    medical = np.zeros(shape)
    indemnity = np.zeros(shape)
    expense = np.zeros(shape)
    scoped = [{name: np.zeros(shape) for name in COMPONENTS} for _ in plan.scopes]
    for row in range(plan.n_claims):
        own = slice(row * plan.scenarios, (row + 1) * plan.scenarios)
        paid = _payments(plan, row, own, sums)
        covered = [_inside(paid, own, sums, index) for index in range(len(plan.scopes))]
        benefit, benefit_inside = _temporary_total(plan, row, own, sums)
        medical[row], indemnity[row], expense[row] = paid["medical"], paid["indemnity"] + benefit, paid["expense"]
        for index, inside in enumerate(covered):
            for name in COMPONENTS:
                scoped[index][name][row] = inside[name] + (benefit_inside[index] if name == "indemnity" else 0.0)
    return Episodes(
        takeover=plan.takeover,
        medical=medical.T,
        indemnity=indemnity.T,
        expense=expense.T,
        in_scope={
            scope: {name: dollars.T for name, dollars in parts.items()}
            for scope, parts in zip(plan.scopes, scoped, strict=True)
        },
        days_off=sums.days_off.reshape(shape).T,
        days_to_leave=sums.days_to_leave.reshape(shape).T,
        day_back=sums.day_back.reshape(shape).T,
    )


def _payments(plan: Plan, row: int, own: slice, sums: Sums) -> dict[str, Floats]:
    """Return one claim's payments by component, temporary total benefits apart; each of shape (n_scenarios,)."""
    noise = generator(plan.seed, f"{plan.claim_ids[row]}/payments")
    factor = _own_factor(plan, row)
    paid = {}
    for index, name in enumerate(COMPONENTS):
        if name not in plan.tables:
            paid[name] = np.zeros(plan.scenarios)
            continue
        table = plan.tables[name]
        unit = plan.weekly_benefit[row] if name == "indemnity" else 1.0
        mean = sums.expected[name][own] * table.relativity[row].repeat(plan.scenarios // plan.n_draws)
        if name == "medical":
            mean *= factor
        paid[name] = compound(mean, table.dispersion, noise) * unit * plan.systemic[:, index]
    return paid


def _own_factor(plan: Plan, row: int) -> Floats:
    """Draw a claim's own medical cost factor given what has been paid on it, shape (n_scenarios,)."""
    keys = np.full(plan.scenarios, plan.keys[row], dtype=np.uint64)
    waited = exponentials(keys, np.arange(plan.scenarios, dtype=np.uint64), FACTOR_SLOT) / plan.factor_step
    last = plan.factor.shape[1] - 2
    lower = np.minimum(waited.astype(np.int64), last)
    table = plan.factor[row]
    drawn: Floats = table[lower] + (table[lower + 1] - table[lower]) * np.minimum(waited - lower, 1.0)
    return drawn


def compound(mean: Floats, dispersion: float, noise: np.random.Generator) -> Floats:
    """Draw totals of a Poisson number of exponential payments with the given means.

    The total has variance `dispersion * mean` and an atom at zero: the compound Poisson case of the Tweedie family
    (Jorgensen and Paes de Souza 1994, Scandinavian Actuarial Journal, section 2) with exponential severities.

    Parameters
    ----------
    mean : expected totals, shape (m,).
    dispersion : variance over mean; 0 returns the means.
    noise : where the randomness comes from.

    Returns
    -------
    numpy.ndarray
        Totals, shape (m,).
    """
    if dispersion <= 0:
        return mean
    severity = dispersion / 2
    count = noise.poisson(mean / severity)
    paid = np.flatnonzero(count)
    total = np.zeros_like(mean)
    total[paid] = severity * noise.standard_gamma(count[paid])
    return total


def _inside(paid: dict[str, Floats], own: slice, sums: Sums, index: int) -> dict[str, Floats]:
    """Return the part of a claim's payments inside one scope, in the proportion its path gives it."""
    inside = {}
    for name in COMPONENTS:
        if name not in sums.expected:
            inside[name] = np.zeros_like(paid[name])
            continue
        expected = sums.expected[name][own]
        share = np.divide(sums.scoped[index][name][own], expected, out=np.zeros_like(expected), where=expected > 0)
        inside[name] = paid[name] * share
    return inside


def _temporary_total(plan: Plan, row: int, own: slice, sums: Sums) -> tuple[Floats, list[Floats]]:
    """Return temporary total benefits still to be paid, and the part inside each scope; shape (n_scenarios,)."""
    if "indemnity" not in plan.tables:
        return np.zeros(plan.scenarios), [np.zeros(plan.scenarios) for _ in plan.scopes]
    rule = (plan.weekly_benefit[row], plan.waiting_days[row], plan.retro_days[row], plan.max_weeks[row])
    so_far = float(temporary_total(np.array([plan.days_off[row]]), *rule)[0])
    shock = plan.systemic[:, 1]
    future = temporary_total(plan.days_off[row] + sums.days_off[own], *rule) - so_far
    inside = []
    for index, scope in enumerate(plan.scopes):
        if "ttd" in scope.categories:
            covered = temporary_total(plan.days_off[row] + sums.scoped_days_off[index][own], *rule) - so_far
            inside.append(covered * shock)
        else:
            inside.append(np.zeros(plan.scenarios))
    return (future * shock) + plan.accrued[row], inside
