"""Everything a block of futures needs, drawn and tabulated once for all claims."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats, Integers, positive, whole
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import CATEGORIES, COMPONENTS, STATE_CODE
from msk_reserves.cost.benefits import accrued_unpaid
from msk_reserves.cost.cells import CellGrid, bundle_windows
from msk_reserves.cost.record import Cost
from msk_reserves.episodes.randomness import Keys, key_of
from msk_reserves.episodes.record import Takeover
from msk_reserves.episodes.scope import Scope
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.recovery.draws import RecoveryDraws
from msk_reserves.recovery.model import Recovery

SCENARIOS_PER_DRAW = 20
"""Futures simulated with each draw of the parameters (methods: 500 outer draws of 20 for 10,000 scenarios)."""

TAKEOVER_STATES = ("off_work", "relapse", "after_surgery", "modified_duty")
"""States in which an episode may be taken over, and whose end closes a window until return or MMI."""


BY_CLAIM = (
    "keys", "design", "factor", "window_open", "state", "days_in_state", "days_off", "days_off_before", "operated",
    "weekly_benefit", "waiting_days", "retro_days", "max_weeks", "accrued",
)  # fmt: skip
"""Arrays of a plan with one row a claim."""


@dataclass(frozen=True, slots=True, eq=False)
class RateTable:
    """Payments of one component accumulated along a stay, by parameter draw and group of cells.

    In a stay that began `u` days ago the expected payments so far, at the price level of the stay's first day, are
    `start[bin] + rate[bin] * (y(u) - edge[bin])` with y(u) = (exp(growth u) - 1) / growth, the time that a payment
    growing at `growth` a day is worth (y(u) = u without growth).

    Attributes
    ----------
    start, rate : shape (n_draws, n_groups, n_bins), dollars and dollars a day (weekly benefits for indemnity).
    edge : y at the lower edge of each bin, shape (n_bins,).
    growth : growth of the price level, a day.
    relativity : multiplier by claim and draw, shape (n_claims, n_draws).
    dispersion : variance of a payment total over its mean, in the units of the rate.
    """

    start: Floats
    rate: Floats
    edge: Floats
    growth: float
    relativity: Floats
    dispersion: float


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A forecast before its blocks are run; immutable, and small enough to send to another process.

    Attributes
    ----------
    draws : parameter draws of the recovery model; draw d serves scenarios d * per_draw to (d + 1) * per_draw.
    grid : cells of the cost model.
    tables : payments along a stay, by component; a component the data cannot show is absent.
    missing : why a component is absent.
    shares : share of each component inside each scope, by group of cells; shape (n_scopes, n_groups).
    design : covariates of the recovery model, shape (n_claims, n_covariates).
    systemic : common factors, shape (n_scenarios, 3).
    factor : quantile table of each claim's own cost factor, on an even grid of -log(1 - u).
    window_open : whether an episode until return or MMI is running or may begin on the valuation date.
    """

    scenarios: int
    n_draws: int
    seed: int
    horizon_days: float
    claim_ids: tuple[str, ...]
    keys: Keys
    draws: RecoveryDraws
    grid: CellGrid
    tables: Mapping[str, RateTable]
    missing: Mapping[str, str]
    scopes: tuple[Scope, ...]
    shares: Mapping[str, Floats]
    design: Floats
    systemic: Floats
    factor: Floats
    factor_step: float
    takeover: Takeover
    window_open: Booleans
    state: Integers
    days_in_state: Floats
    days_off: Floats
    days_off_before: Floats
    operated: Booleans
    weekly_benefit: Floats
    waiting_days: Floats
    retro_days: Floats
    max_weeks: Floats
    accrued: Floats

    def of(self, rows: Integers) -> "Plan":
        """Return the plan of some claims only: what one block needs, and no more to send to another process."""
        by_claim = {name: getattr(self, name)[rows] for name in BY_CLAIM}
        tables = {name: replace(table, relativity=table.relativity[rows]) for name, table in self.tables.items()}
        claim_ids = tuple(self.claim_ids[row] for row in rows)
        return replace(self, claim_ids=claim_ids, tables=tables, takeover=self.takeover.of(rows), **by_claim)

    @property
    def n_claims(self) -> int:
        """Number of claims."""
        return len(self.claim_ids)

    @property
    def draw_of_scenario(self) -> npt.NDArray[np.int64]:
        """Parameter draw of each scenario, shape (n_scenarios,)."""
        return np.arange(self.scenarios, dtype=np.int64) * self.n_draws // self.scenarios


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
    recovery, cost : models fitted to them.
    scopes : what the contracts to be valued count.
    scenarios : futures a claim; a multiple of 20, so that each parameter draw serves as many.
    seed : reproduces everything.
    systemic : common factors.
    horizon_days : how far each future goes.

    Raises
    ------
    ValueError
        If the number of scenarios is not a positive multiple of 20.
    """
    whole(scenarios, "scenarios", at_least=2 * SCENARIOS_PER_DRAW)
    positive(horizon_days, "horizon_days")
    if scenarios % SCENARIOS_PER_DRAW:
        raise ValueError(f"`scenarios` must be a multiple of {SCENARIOS_PER_DRAW}, got {scenarios}")
    n_draws = scenarios // SCENARIOS_PER_DRAW
    claim_ids = tuple(book.claims["claim_id"])
    position = book.position
    cost_draws = cost.draw(n_draws, seed)
    tables = {
        name: _table(
            cost.grid,
            cost_draws.rates[name],
            cost.growth(name),
            cost_draws.relativity(name, book),
            cost_draws.dispersion[name],
        )
        for name in COMPONENTS
        if cost.accounts[name] is not None
    }
    return Plan(
        scenarios=scenarios,
        n_draws=n_draws,
        seed=seed,
        horizon_days=float(horizon_days),
        claim_ids=claim_ids,
        keys=np.array([key_of(seed, name) for name in claim_ids], dtype=np.uint64),
        draws=recovery.draw(n_draws, seed),
        grid=cost.grid,
        tables=tables,
        missing={name: cost.reasons[name] for name in COMPONENTS if cost.accounts[name] is None},
        scopes=tuple(scopes),
        shares={name: _shares(cost, name, scopes) for name in COMPONENTS},
        design=recovery.design.matrix(book.claims),
        systemic=systemic.draw(scenarios, seed),
        factor=cost_draws.factor_table,
        factor_step=16.0 / (cost_draws.factor_table.shape[1] - 1),
        takeover=takeover(book),
        window_open=window_open(book),
        state=position.state,
        days_in_state=position.days_in_state,
        days_off=position.days_off,
        days_off_before=position.days_off_before,
        operated=position.operated,
        weekly_benefit=book.column("weekly_benefit"),
        waiting_days=book.column("waiting_days"),
        retro_days=book.column("retro_days"),
        max_weeks=book.column("max_weeks"),
        accrued=accrued_unpaid(book),
    )


def takeover(book: ClaimBook) -> Takeover:
    """Say which claims may be taken over by a bundle on the valuation date, and which are in one already."""
    bundled = (book.claims["arrangement"] == "bundle").to_numpy(dtype=bool)
    may = np.isin(book.position.state, [STATE_CODE[name] for name in TAKEOVER_STATES])
    price = np.where(bundled, np.nan_to_num(book.column("bundle_price")), 0.0)
    return Takeover(
        claims=book.claims,
        eligible=may & ~bundled,
        bundled=bundled,
        unpaid_price=np.maximum(price - _paid_on_price(book, price), 0.0),
        days_since_trigger=np.where(bundled, book.valuation_day - bundle_windows(book).begins, 0.0),
    )


def window_open(book: ClaimBook) -> Booleans:
    """Say for which claims an episode until return or MMI is running, or may begin, on the valuation date.

    The worker must be off work or on modified duty; under a bundle in force without a break since its trigger.
    """
    may = np.isin(book.position.state, [STATE_CODE[name] for name in TAKEOVER_STATES])
    running: Booleans = may & np.isinf(bundle_windows(book).ends)
    return running


def _paid_on_price(book: ClaimBook, price: Floats) -> Floats:
    """Return what has been paid on each bundle's price; at summary depth a price counts as paid at its trigger."""
    if book.payments is None:
        return price
    fee = book.payments.category == list(CATEGORIES).index("bundle_fee")
    paid = np.bincount(book.payments.claim[fee], weights=book.payments.amount[fee], minlength=len(book))
    return np.asarray(paid, dtype=np.float64)


def _table(grid: CellGrid, rates: Floats, growth: float, relativity: Floats, dispersion: float) -> RateTable:
    """Accumulate the rates of each group over its bins of time in the state."""
    rate = rates.reshape(len(rates), grid.n_groups, grid.n_bins)
    lower = np.asarray(grid.bin_edges, dtype=np.float64)
    edge = np.expm1(growth * lower) / growth if growth else lower
    start = np.zeros_like(rate)
    np.cumsum(rate[..., :-1] * np.diff(edge), axis=-1, out=start[..., 1:])
    return RateTable(start, rate, edge, growth, relativity, dispersion)


def _shares(cost: Cost, component: str, scopes: Sequence[Scope]) -> Floats:
    """Return the share of a component's dollars inside each scope, by group; shape (n_scopes, n_groups)."""
    return np.array([cost.share(component, scope.covers(component)) for scope in scopes], dtype=np.float64)
