"""Everything a block of futures needs, drawn and tabulated once for all claims."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers, positive, whole
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.cost.benefits import accrued_unpaid
from msk_reserves.cost.cells import banded_now, marked_now, relapsed_now
from msk_reserves.cost.record import Cost
from msk_reserves.episodes.arrays import Laws, Money
from msk_reserves.episodes.laws import exits, laws_of
from msk_reserves.episodes.money import money_of
from msk_reserves.episodes.randomness import Keys, keys_of
from msk_reserves.episodes.record import Takeover
from msk_reserves.episodes.scope import Scope
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.episodes.takeover import takeover, window_open
from msk_reserves.recovery.path.draws import TransitionDraws
from msk_reserves.recovery.path.model import Recovery

MOST_DRAWS = 500
"""Draws of the parameters behind a forecast, each serving the same number of scenarios."""

FACTOR_RANGE = 16.0
"""Largest -log(1 - u) of the quantile table of a claim's own cost factor."""

BY_CLAIM = (
    "keys", "design", "factor", "window_open",
    "state", "days_in_state", "days_since_start", "days_off", "operated", "relapsed", "band_days", "band_last",
    "weekly_benefit", "waiting_days", "retro_days", "max_weeks", "accrued",
)  # fmt: skip
"""Arrays of a plan with one row a claim."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A forecast before its blocks are run; immutable, and small enough to send to another process.

    Attributes
    ----------
    scenarios, n_draws : futures a claim, and parameter draws behind them; each draw serves as many in a row.
    exits, laws : the moves between states, and their draws as the inner loop reads them.
    components : the components the data can show, in the order of the tables of `money`.
    money : payments along a stay.
    relativity : multiplier of each component by claim and draw, shape (n_claims, n_draws).
    dispersion : variance of a payment total over its mean, by component, in units (weekly benefits for indemnity).
    missing : why a component is absent.
    scopes : what the contracts count.
    design : covariates of the recovery model, shape (n_claims, n_covariates).
    systemic : common factors, shape (n_scenarios, 3).
    factor : quantile table of each claim's own cost factor, on an even grid of -log(1 - u).
    takeover : what contracts may know of the claims.
    window_open : whether an episode until return or MMI is running or may begin on the valuation date.
    state, days_in_state, days_since_start, days_off : where each claim stands, as in `Position`.
    operated : whether operated on; of the dead and the settled, where they came from (`cost.cells.ORIGIN_MARK`).
    relapsed : whether off work again after a return, now or before.
    band_days, band_last : what the band of the present stay is told by, as in `cost.cells.banded`.
    weekly_benefit, waiting_days, retro_days, max_weeks : the statutory rule of each claim.
    accrued : temporary total benefits accrued but unpaid, dollars.
    """

    scenarios: int
    n_draws: int
    seed: int
    horizon_days: float
    claim_ids: tuple[str, ...]
    keys: Keys
    exits: tuple[TransitionDraws, ...]
    laws: Laws
    components: tuple[str, ...]
    money: Money
    relativity: Mapping[str, Floats]
    dispersion: Mapping[str, float]
    missing: Mapping[str, str]
    scopes: tuple[Scope, ...]
    design: Floats
    systemic: Floats
    factor: Floats
    takeover: Takeover
    window_open: Booleans
    state: Integers
    days_in_state: Floats
    days_since_start: Floats
    days_off: Floats
    operated: Booleans
    relapsed: Booleans
    band_days: Floats
    band_last: Booleans
    weekly_benefit: Floats
    waiting_days: Floats
    retro_days: Floats
    max_weeks: Floats
    accrued: Floats

    def of(self, rows: Integers) -> "Plan":
        """Return the plan of some claims only: what one block needs, and no more to send to another process."""
        by_claim = {name: getattr(self, name)[rows] for name in BY_CLAIM}
        relativity = {name: values[rows] for name, values in self.relativity.items()}
        claim_ids = tuple(self.claim_ids[row] for row in rows)
        return replace(self, claim_ids=claim_ids, relativity=relativity, takeover=self.takeover.of(rows), **by_claim)

    def without(self, scopes: tuple[Scope, ...]) -> "Plan":
        """Return the plan with some scopes not counted."""
        kept = [place for place, scope in enumerate(self.scopes) if scope not in scopes]
        by_scope = {name: getattr(self.money, name)[kept] for name in ("shares", "window_days", "until")}
        money = self.money._replace(**by_scope)
        return replace(self, scopes=tuple(self.scopes[place] for place in kept), money=money)

    @property
    def n_claims(self) -> int:
        """Number of claims."""
        return len(self.claim_ids)

    @property
    def per_draw(self) -> int:
        """Scenarios each parameter draw serves."""
        return self.scenarios // self.n_draws


def draws_for(scenarios: int) -> int:
    """Return how many parameter draws serve a number of scenarios: the most that divide it and serve four or more.

    Raises
    ------
    ValueError
        If `scenarios` is below 40 or not a multiple of 20.

    Examples
    --------
    >>> [draws_for(n) for n in (400, 2_000, 10_000, 20_000)]
    [100, 500, 500, 500]
    """
    whole(scenarios, "scenarios", at_least=40)
    if scenarios % 20:
        raise ValueError(f"`scenarios` must be a multiple of 20, got {scenarios}")
    return max(n for n in range(1, min(MOST_DRAWS, scenarios // 4) + 1) if scenarios % n == 0)


def make_plan(
    book: ClaimBook,
    recovery: Recovery,
    cost: Cost,
    *,
    scopes: Sequence[Scope] = (),
    scenarios: int = 10_000,
    seed: int,
    systemic: SystemicRisk,
    horizon_days: float = 3640.0,
) -> Plan:
    """Draw parameters and shocks, and tabulate payments, for every claim of a book.

    Parameters
    ----------
    book : the claims.
    recovery, cost : models fitted to claims.
    scopes : what the contracts to be valued count.
    scenarios : futures a claim, a multiple of 20.
    seed : reproduces everything.
    systemic : common factors.
    horizon_days : how far each future goes.

    Raises
    ------
    ValueError
        If the number of scenarios or the horizon will not do.
    """
    positive(horizon_days, "horizon_days")
    n_draws, claim_ids = draws_for(scenarios), tuple(book.claims["claim_id"])
    components = tuple(name for name in COMPONENTS if cost.accounts[name] is not None)
    position, (band_days, band_last) = book.position, banded_now(book)
    design = recovery.design.matrix(book.claims, position.days_since_start - position.days_in_state)
    with ThreadPoolExecutor(1) as beside:
        # Each has random numbers of its own, so that neither waits for the other.
        paying = beside.submit(_payments, book, cost, components, scopes, n_draws=n_draws, seed=seed)
        moves = recovery.draw(n_draws, seed)
        laws = laws_of(moves, design.shape[1])
        payments = paying.result()
    return Plan(
        scenarios=scenarios,
        n_draws=n_draws,
        seed=seed,
        horizon_days=float(horizon_days),
        claim_ids=claim_ids,
        keys=keys_of(seed, claim_ids),
        exits=exits(moves),
        laws=laws,
        components=components,
        money=payments.money,
        relativity=payments.relativity,
        dispersion=payments.dispersion,
        missing={name: cost.reasons[name] for name in COMPONENTS if name not in components},
        scopes=tuple(scopes),
        design=design,
        systemic=systemic.draw(scenarios, seed),
        factor=payments.factor,
        takeover=takeover(book),
        window_open=window_open(book),
        state=position.state,
        days_in_state=position.days_in_state,
        days_since_start=position.days_since_start,
        days_off=position.days_off,
        operated=marked_now(book),
        relapsed=relapsed_now(book),
        band_days=band_days,
        band_last=band_last,
        weekly_benefit=book.column("weekly_benefit"),
        waiting_days=book.column("waiting_days"),
        retro_days=book.column("retro_days"),
        max_weeks=book.column("max_weeks"),
        accrued=accrued_unpaid(book),
    )


class _Payments(NamedTuple):
    """What the cost model says of payments, as `Plan` holds it."""

    money: Money
    relativity: Mapping[str, Floats]
    dispersion: Mapping[str, float]
    factor: Floats


def _payments(
    book: ClaimBook, cost: Cost, components: tuple[str, ...], scopes: Sequence[Scope], *, n_draws: int, seed: int
) -> _Payments:
    """Draw the cost model's parameters and tabulate payments."""
    drawn = cost.draw(n_draws, seed)
    return _Payments(
        money=money_of(cost, drawn, components, scopes),
        relativity={name: drawn.relativity(name, book).astype(np.float32) for name in components},
        dispersion=drawn.dispersion,
        factor=np.ones((len(book), 2)) if cost.factor is None else cost.factor.table(book),
    )
