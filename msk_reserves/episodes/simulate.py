"""From expected payments along a path to dollars: one block of episodes."""

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.cost.benefits import temporary_total
from msk_reserves.episodes.arrays import Sums
from msk_reserves.episodes.plan import FACTOR_RANGE, Plan
from msk_reserves.episodes.randomness import exponentials, generator
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.walk import walk

FACTOR_SLOT = 2**20
"""Slot of the random number behind a claim's own cost factor, beyond those of any path."""


def simulate_block(plan: Plan) -> Episodes:
    """Simulate every future of a block's claims under fee for service.

    A pure function: the same plan gives the same numbers in any process, and a claim's numbers do not depend on the
    claims it shares a block with.

    Parameters
    ----------
    plan : the block's part of the forecast.

    Returns
    -------
    Episodes
        The futures, shape (n_scenarios, n_claims).
    """
    sums = walk(plan)
    shape = (plan.n_claims, plan.scenarios)
    dollars = {name: np.zeros(shape) for name in COMPONENTS}
    scoped = [{name: np.zeros(shape) for name in COMPONENTS} for _ in plan.scopes]
    for row in range(plan.n_claims):
        paid = _payments(plan, row, sums)
        for name in plan.components:
            dollars[name][row] = paid[name]
            for index, parts in enumerate(scoped):
                parts[name][row] = _inside(paid[name], sums, plan.components.index(name), index, row)
        if "indemnity" in plan.components:
            _add_temporary_total(plan, row, sums, dollars["indemnity"], [parts["indemnity"] for parts in scoped])
    return Episodes(
        takeover=plan.takeover,
        medical=dollars["medical"].T,
        indemnity=dollars["indemnity"].T,
        expense=dollars["expense"].T,
        in_scope={
            scope: {name: parts[name].T for name in COMPONENTS}
            for scope, parts in zip(plan.scopes, scoped, strict=True)
        },
        days_off=sums.days_off.T,
        days_to_leave=sums.days_to_leave.T,
        day_back=sums.day_back.T,
    )


def _payments(plan: Plan, row: int, sums: Sums) -> dict[str, Floats]:
    """Return one claim's payments by component, temporary total benefits apart; each of shape (n_scenarios,)."""
    noise = generator(plan.seed, f"{plan.claim_ids[row]}/payments")
    paid = {}
    for place, name in enumerate(plan.components):
        unit = plan.weekly_benefit[row] if name == "indemnity" else 1.0
        mean = sums.expected[place, row] * np.repeat(plan.relativity[name][row], plan.per_draw)
        if name == "medical":
            mean *= _own_factor(plan, row)
        mean = compound(mean, plan.dispersion[name], noise)
        mean *= unit
        mean *= plan.systemic[:, COMPONENTS.index(name)]
        paid[name] = mean
    return paid


def _own_factor(plan: Plan, row: int) -> Floats:
    """Draw a claim's own medical cost factor given what has been paid on it, shape (n_scenarios,)."""
    table = plan.factor[row]
    keys = np.full(plan.scenarios, plan.keys[row], dtype=np.uint64)
    place = exponentials(keys, np.arange(plan.scenarios, dtype=np.uint64), FACTOR_SLOT)
    place *= (len(table) - 1) / FACTOR_RANGE
    lower = np.minimum(place.astype(np.int64), len(table) - 2)
    drawn: Floats = table[lower] + (table[lower + 1] - table[lower]) * np.minimum(place - lower, 1.0)
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


def _inside(paid: Floats, sums: Sums, component: int, scope: int, row: int) -> Floats:
    """Return the part of a claim's payments inside a scope, in the proportion its path gives it."""
    covered, expected = sums.scoped[scope, component, row], sums.expected[component, row]
    if not covered.any():
        return np.zeros_like(paid)
    share = np.divide(covered, expected, out=np.zeros_like(expected), where=expected > 0)
    inside: Floats = paid * share
    return inside


def _add_temporary_total(plan: Plan, row: int, sums: Sums, indemnity: Floats, inside: list[Floats]) -> None:
    """Add one claim's temporary total benefits still to be paid, and the part inside each scope.

    What had accrued on the valuation date is owed whatever happens; days to come follow from the path by statute.
    """
    indemnity[row] += plan.accrued[row]
    if not sums.days_off[row].any():
        return
    rule = (plan.weekly_benefit[row], plan.waiting_days[row], plan.retro_days[row], plan.max_weeks[row])
    so_far = float(temporary_total(np.array([plan.days_off[row]]), *rule)[0])
    shock = plan.systemic[:, COMPONENTS.index("indemnity")]
    indemnity[row] += (temporary_total(plan.days_off[row] + sums.days_off[row], *rule) - so_far) * shock
    for index, scope in enumerate(plan.scopes):
        if "ttd" in scope.categories:
            covered = plan.days_off[row] + sums.scoped_days_off[index, row]
            inside[index][row] += (temporary_total(covered, *rule) - so_far) * shock
