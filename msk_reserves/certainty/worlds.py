"""Care and contract of fee for service and of a bundle, in four worlds on the same random numbers."""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.certainty.four_worlds import WORLDS, FourWorlds
from msk_reserves.certainty.remaining import taken_over, whole_window
from msk_reserves.certainty.runs import DRAWS, WITHIN, add_up, plan_with, run_rows, scopes_of, settled
from msk_reserves.claims.book import ClaimBook
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.agreements.bearer import BearerMargin, Credit
from msk_reserves.contracts.agreements.on_claims import AgreementOnClaims
from msk_reserves.contracts.fixed_price import InForce
from msk_reserves.contracts.terms import Contract
from msk_reserves.cost.record import Cost
from msk_reserves.episodes.plan import Plan
from msk_reserves.episodes.randomness import generator
from msk_reserves.episodes.response import CareResponse, responding
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.reserves.distribution import ReserveDistribution
from msk_reserves.reserves.pooled import check_components, on_claims

SELLER_FAILS, AT_THE_END = "seller's default", "settled by pool, and default"
"""Causes of what comes back to the payer once all claims are in, by a fixed price and by an agreement that pools."""


def four_worlds(
    book: ClaimBook,
    recovery: Recovery,
    cost: Cost,
    contracts: Mapping[str, Contract | Agreement],
    response: CareResponse | None = None,
    credit: Credit | None = None,
    *,
    scenarios: int = DRAWS * WITHIN,
    draws: int = DRAWS,
    seed: int = 20260101,
    systemic: SystemicRisk | None = None,
    in_force: InForce | None = None,
    executor: Executor | None = None,
) -> FourWorlds:
    """Value the same claims under fee-for-service care and contract, the bundle's contract, its care, and both.

    Parameters
    ----------
    book : the claims as of the valuation date.
    recovery, cost : models fitted to claims; usually to the same book.
    contracts : two by name, the one left and the one entered.
    response : how care differs for the claims that the second contract takes over; the same care when not given.
    credit : how likely the seller is to fail and what is then lost; no failure when not given.
    scenarios : futures a claim, a multiple of `draws`.
    draws : parameter draws behind them, a multiple of 5 up to 500; 20 draws with 200 scenarios each are the least for
        intervals.
    seed : reproduces every number; the same in every world.
    systemic : the systemic risk assumed; the printed default when not given.
    in_force : terms of the bundles claims are already in.
    executor : any `concurrent.futures` executor; threads on all cores when not given.

    Returns
    -------
    FourWorlds
        The reserve in each world, the split of what changes, and what remains by cause.

    Raises
    ------
    ValueError
        If there are not two contracts, or `scenarios` and `draws` do not fit; of the response as `responding` raises.

    Notes
    -----
    Every claim has the same random numbers in every world. Care differs from the valuation date on and only on claims
    taken over, so that the others are simulated once. A seller of a fixed price that fails leaves the loss given
    default of all it still owes, care and refunds.
    """
    if len(contracts) != 2:
        raise ValueError(f"`contracts` must be two, the one left and the one entered, got {len(contracts)}")
    recovery.check_states_of_a_book()
    terms = {name: on_claims(one) for name, one in contracts.items()}
    (before, _), (after, second) = terms.items()
    if isinstance(second, AgreementOnClaims):
        terms[f"{after}, whose bearer may fail"] = replace(second, credit=credit)
    own, care = in_force or InForce(), response or CareResponse()
    scopes = scopes_of((*terms.values(), own), whole_window(second))
    plan = plan_with(book, recovery, cost, scopes, scenarios=scenarios, draws=draws, seed=seed, systemic=systemic)
    check_components({**terms, "in_force": own}, plan.missing)
    rows = np.flatnonzero(taken_over(second, plan.takeover))
    work = partial(add_up, contracts=tuple(terms.values()), in_force=own, causes_under=1)
    rest, usual = (run_rows(plan, at, work, executor) for at in (np.setdiff1d(np.arange(plan.n_claims), rows), rows))
    cared = run_rows(responding(plan, care), rows, work, executor) if care.effects else usual
    (neither, transfer, *_), _ = settled(terms, own, plan, rest.and_also(usual))
    together = rest.and_also(cared)
    (behaviour, both, *third), margins = settled(terms, own, plan, together)
    failing = third[0] if third else _left_by(both, _lost(credit, margins.get(after), plan))
    worlds = dict(zip(WORLDS, (neither, transfer, behaviour, both, failing), strict=True))
    more = np.sum(list(failing.values()), axis=0) - np.sum(list(together.causes.values()), axis=0)
    return FourWorlds(
        before=before,
        after=after,
        reserves={name: ReserveDistribution(name, one, plan.missing, plan.n_draws) for name, one in worlds.items()},
        causes={**together.causes, AT_THE_END if third else SELLER_FAILS: more},
        response=care,
        credit=credit,
        n_claims=plan.n_claims,
        taken_over=len(rows),
    )


def _lost(credit: Credit | None, margin: BearerMargin | None, plan: Plan) -> Floats:
    """Return what a failing seller of a fixed price leaves to the payer, dollars by scenario."""
    if credit is None or margin is None:
        return np.zeros(plan.scenarios)
    chances = credit.chances(margin.margin[:, None])[:, 0]
    fails = generator(plan.seed, "default of a bearer").random(plan.scenarios) < chances
    return np.where(fails, credit.lost(margin.price - margin.margin), 0.0)


def _left_by(both: Mapping[str, Floats], lost: Floats) -> dict[str, Floats]:
    """Return the dollars of the last world once what a seller leaves behind is added to medical."""
    return {name: dollars + lost if name == "medical" else dollars for name, dollars in both.items()}
