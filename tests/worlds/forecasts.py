"""Forecasts made by hand: random numbers in the shape of a forecast, on a small book that was really read."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.claims.book import Assumption, ClaimBook, Decision
from msk_reserves.claims.read import load_tables
from msk_reserves.claims.states import BASE_CODE
from msk_reserves.claims.vocabulary import COMPONENTS, STATE_CODE
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.reserves.cash_flows import QUARTER, CashFlows
from msk_reserves.reserves.distribution import PARTS, ReserveDistribution
from msk_reserves.reserves.forecast import Forecast
from msk_reserves.reserves.late_reports import NAME, NotYetReported
from msk_reserves.reserves.manifest import Manifest, valuation, versions
from msk_reserves.reserves.unreported import claims_not_yet_reported
from tests.worlds.simple import VALUATION, simple_world

N_SCENARIOS, N_DRAWS = 400, 20


@cache
def ledger_book(n_claims: int = 240) -> ClaimBook:
    """Return a small book at ledger depth."""
    world = simple_world(n_claims, 11)
    return load_tables(world.claims, events=world.events, payments=world.payments).as_of(VALUATION)


@cache
def undated_book() -> ClaimBook:
    """Return a small undated book at summary depth, with one claim set aside and expense unknown."""
    draw = np.random.default_rng(5)
    n = 60
    claims = pd.DataFrame(
        {
            "claim_id": [f"U-{row:03d}" for row in range(n)],
            "body_part": draw.choice(["knee", "shoulder"], n),
            "days_off": np.ceil(draw.exponential(40, n)),
            "returned": (draw.random(n) < 0.85).astype(int),
            "weekly_wage": np.where(np.arange(n) == 7, -1.0, 900.0),
            "jurisdiction": "KY",
            "medical_paid": np.round(draw.lognormal(8, 1, n), 2),
            "indemnity_paid": np.round(draw.lognormal(7, 1, n), 2),
        }
    )
    return load_tables(claims, undated=True, on_defect="set_aside").as_of(None)


def made_forecast(
    book: ClaimBook | None = None,
    *,
    names: tuple[str, ...] = ("ffs", "bundle"),
    missing: Mapping[str, str] = MappingProxyType({}),
    certain: str | None = None,
    seed: int = 1,
) -> Forecast:
    """Return a forecast of random numbers.

    Parameters
    ----------
    book : the claims; the small ledger book when not given.
    names : the contracts.
    missing : components that are not there, and why.
    certain : a component without any spread under every contract.
    seed : reproduces it.
    """
    claims = ledger_book() if book is None else book
    draw = np.random.default_rng(seed)
    known = [name for name in COMPONENTS if name not in missing]
    base = {name: draw.lognormal(15 - place, 0.12, N_SCENARIOS) for place, name in enumerate(known)}
    reserves = {}
    for place, name in enumerate(names):
        totals = {part: dollars.copy() for part, dollars in base.items()}
        totals["medical"] = totals["medical"] * (1 - 0.3 * place) + place * 1.5e6
        if certain is not None:
            totals[certain] = np.full(N_SCENARIOS, 250_000.0)
        reserves[name] = ReserveDistribution(name, totals, missing, N_DRAWS)
    return Forecast(
        book=claims,
        reserves=reserves,
        claims=_claim_figures(draw, len(names), len(claims), missing),
        workers=_worker_figures(draw, claims),
        taken_over={name: 12 * place for place, name in enumerate(names)},
        bundled=3,
        systemic=SystemicRisk(),
        closed_files=ReserveDistribution("files now closed", {p: 0.1 * d for p, d in base.items()}, missing, N_DRAWS),
        ibnr=_unreported(draw, claims, missing),
        ibnr_reason="apart" if claims.valuation_date is not None else "the claims carry no dates",
        manifest=_manifest(claims, names),
    )


def _unreported(draw: np.random.Generator, claims: ClaimBook, missing: Mapping[str, str]) -> NotYetReported | None:
    """Return a reserve for claims not yet reported of random numbers; none of an undated book."""
    if claims.valuation_date is None:
        return None
    totals = {part: draw.lognormal(11, 0.4, N_SCENARIOS) for part in COMPONENTS if part not in missing}
    reserve = ReserveDistribution(NAME, totals, missing, N_DRAWS)
    return NotYetReported(reserve, draw.poisson(7.0, N_SCENARIOS).astype(float), claims_not_yet_reported(claims))


def made_flows(forecast: Forecast, *, seed: int = 1) -> CashFlows:
    """Return cash flows of random numbers for the contracts of a forecast, over six quarters."""
    draw = np.random.default_rng(seed)
    reserve = next(iter(forecast.reserves.values()))
    parts = tuple(name for name in COMPONENTS if name in reserve.totals)
    dollars = {name: draw.lognormal(10, 0.3, (len(parts), 6, N_SCENARIOS)) for name in forecast.reserves}
    return CashFlows(QUARTER * np.arange(7.0), dollars, parts, reserve.missing, N_DRAWS)


def _worker_figures(draw: np.random.Generator, claims: ClaimBook) -> Floats:
    """Return days off still to come and chances of return, NaN for workers neither off work nor on modified duty."""
    figures: Floats = np.c_[draw.exponential(90, (len(claims), 2)), draw.random(len(claims))]
    state = claims.position.state
    figures[~(claims.position.off_work() | (BASE_CODE[state] == STATE_CODE["modified_duty"]))] = np.nan
    return figures


def _claim_figures(draw: np.random.Generator, n_contracts: int, n_claims: int, missing: Mapping[str, str]) -> Floats:
    """Return figures by claim, contract and part, in order: quantiles ascend and the mean lies among them."""
    figures = np.empty((n_contracts, len(PARTS), n_claims, 5))
    quantiles = np.sort(draw.lognormal(8, 1.2, (n_contracts, len(PARTS), n_claims, 3)), axis=-1)
    figures[..., 2:] = quantiles
    figures[..., 0] = quantiles.mean(axis=-1)
    figures[..., 1] = quantiles.std(axis=-1)
    for part in missing:
        figures[:, PARTS.index(part)] = 0.0
    return figures


def _manifest(book: ClaimBook, names: tuple[str, ...]) -> Manifest:
    """Return a manifest with something of everything."""
    return Manifest(
        as_of=valuation(book),
        seed=7,
        scenarios=N_SCENARIOS,
        parameter_draws=N_DRAWS,
        horizon_days=3640.0,
        versions=versions(),
        inputs=book.inputs,
        methods={"recovery": "method of recovery", "cost": "method of cost", "paths": "method of paths"},
        contracts={name: f"terms of {name}" for name in names},
        assumptions=(*book.assumptions, Assumption("medical trend", "3.5 % a year", "judgement of a test")),
        decisions=(*book.decisions, Decision("rule of a test", 17, "what the rule means")),
    )
