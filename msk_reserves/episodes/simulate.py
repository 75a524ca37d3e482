"""From expected payments along a path to dollars: one block of episodes."""

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.cost.benefits import temporary_total
from msk_reserves.episodes.arrays import Sums
from msk_reserves.episodes.payments import Terms, pay_block
from msk_reserves.episodes.plan import FACTOR_RANGE, Plan
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.scope import Scope
from msk_reserves.episodes.walk import walk


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
    scopes, closed = plan.scopes, tuple(scope for scope in plan.scopes if not _opens(plan, scope))
    if closed:
        plan = plan.without(closed)
    sums = walk(plan)
    pay_block(_terms(plan), sums, np.zeros(plan.scenarios, dtype=np.bool_))
    dollars = _by_component(plan, sums.expected)
    scoped = [_by_component(plan, parts) for parts in sums.scoped]
    if "indemnity" in plan.components:
        _add_temporary_total(plan, sums, dollars["indemnity"], [parts["indemnity"] for parts in scoped])
    nothing = dict.fromkeys(COMPONENTS, np.broadcast_to(0.0, (plan.scenarios, plan.n_claims)))
    counted = {
        scope: {name: parts[name].T for name in COMPONENTS} for scope, parts in zip(plan.scopes, scoped, strict=True)
    }
    return Episodes(
        takeover=plan.takeover,
        medical=dollars["medical"].T,
        indemnity=dollars["indemnity"].T,
        expense=dollars["expense"].T,
        in_scope={scope: counted.get(scope, nothing) for scope in scopes},
        days_off=sums.days_off.T,
        days_to_leave=sums.days_to_leave.T,
        day_back=sums.day_back.T,
    )


def _opens(plan: Plan, scope: Scope) -> bool:
    """Say whether any of the claims may still have a day inside a scope's window: of most blocks none has."""
    if scope.window.days is None:
        return bool(plan.window_open.any())
    return bool((plan.takeover.days_since_trigger < scope.window.days).any())


def _terms(plan: Plan) -> Terms:
    """Return what turns a block's expected payments into dollars."""
    names, no_unit = plan.components, np.ones(plan.n_claims)
    has_factor = np.array([name == "medical" for name in names], dtype=np.int64)
    relativity = np.array([plan.relativity[name] for name in names], dtype=np.float32)
    return Terms(
        keys=plan.keys,
        relativity=relativity,
        factor=plan.factor,
        largest=relativity.max(axis=2) * np.where(has_factor[:, None], plan.factor[:, -1], 1.0),
        nodes_a_unit=(plan.factor.shape[1] - 1) / FACTOR_RANGE,
        has_factor=has_factor,
        dispersion=np.array([plan.dispersion[name] for name in names], dtype=np.float64),
        unit=np.array([plan.weekly_benefit if name == "indemnity" else no_unit for name in names]),
        systemic=np.ascontiguousarray(plan.systemic[:, [COMPONENTS.index(name) for name in names]].T),
    )


def _by_component(plan: Plan, values: Floats) -> dict[str, Floats]:
    """Return arrays of shape (n_claims, n_scenarios) by component, zero for one the data cannot show."""
    shape = (plan.n_claims, plan.scenarios)
    known = dict(zip(plan.components, values, strict=True))
    return {name: known[name] if name in known else np.zeros(shape) for name in COMPONENTS}


def _add_temporary_total(plan: Plan, sums: Sums, indemnity: Floats, inside: list[Floats]) -> None:
    """Add temporary total benefits still to be paid, and the part inside each scope.

    What had accrued on the valuation date is owed whatever happens; days to come follow from the path by statute.
    """
    indemnity += plan.accrued[:, None]
    # Most futures have no day off work; of truth values those are found eight times as fast as of numbers.
    claim, scenario = np.divmod(np.flatnonzero(sums.days_off > 0.0), plan.scenarios)
    columns = (plan.days_off, plan.weekly_benefit, plan.waiting_days, plan.retro_days, plan.max_weeks)
    so_far = temporary_total(*columns)[claim]
    days_off, *rule = (column[claim] for column in columns)
    shock = plan.systemic[scenario, COMPONENTS.index("indemnity")]
    owed = temporary_total(days_off + sums.days_off[claim, scenario], *rule)
    indemnity[claim, scenario] += (owed - so_far) * shock
    for index, scope in enumerate(plan.scopes):
        if "ttd" in scope.categories:
            covered = days_off + sums.scoped_days_off[index, claim, scenario]
            inside[index][claim, scenario] += (temporary_total(covered, *rule) - so_far) * shock
