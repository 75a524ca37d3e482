"""How a stretch of care becomes dated services with a bill each."""

from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.vocabulary import CATEGORY_CODE
from msk_reserves.samples.draws import spread

# Dollars of a typical bill by category, 2025; a bill of therapy covers a few visits.
BILL = {
    "evaluation": 240.0,
    "physical_therapy": 420.0,
    "imaging": 850.0,
    "injection": 1_100.0,
    "pharmacy": 190.0,
    "opioid": 130.0,
    "behavioral_health": 260.0,
    "facility": 1_900.0,
    "implant_dme": 450.0,
    "other_medical": 260.0,
}

# Shares of the dollars by phase of care. Judgement: service_mix of low back without surgery for `acute` (physical
# medicine first, then evaluation and imaging), therapy after operations, drugs and visits in lasting care.
PHASES = ("first_weeks", "acute", "chronic", "after_surgery", "lingering", "lifelong")
_SHARES: dict[str, tuple[float, ...]] = {
    "evaluation": (0.38, 0.24, 0.25, 0.16, 0.28, 0.34),
    "physical_therapy": (0.12, 0.40, 0.26, 0.58, 0.34, 0.08),
    "imaging": (0.24, 0.12, 0.11, 0.05, 0.07, 0.05),
    "injection": (0.00, 0.05, 0.12, 0.02, 0.08, 0.08),
    "pharmacy": (0.05, 0.06, 0.10, 0.05, 0.11, 0.28),
    "opioid": (0.02, 0.03, 0.04, 0.03, 0.02, 0.06),
    "behavioral_health": (0.00, 0.01, 0.04, 0.01, 0.02, 0.03),
    "facility": (0.15, 0.05, 0.04, 0.05, 0.04, 0.04),
    "implant_dme": (0.02, 0.02, 0.02, 0.03, 0.02, 0.02),
    "other_medical": (0.02, 0.02, 0.02, 0.02, 0.02, 0.02),
}
PHASE_SHARES = np.array([_SHARES[name] for name in BILL]).T
BILL_SHAPE = 1.6
"""Gamma shape of one bill about its mean."""
STEADY = np.inf
"""`decay_days` of a rate that does not decay."""


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """Stretches of care at an exponentially decaying rate; every column has shape (n_stretches,).

    Attributes
    ----------
    claim : row of the claim.
    start_day, days : when the stretch begins and how long it lasts.
    rate : dollars of 2025 a day at its beginning.
    decay_days : mean life of the rate, `STEADY` for a constant one.
    phase : row of `PHASES`.
    """

    claim: Integers
    start_day: Integers
    days: Floats
    rate: Floats
    decay_days: Floats
    phase: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Services:
    """Dated services in dollars of 2025; every column has shape (n_services,)."""

    claim: Integers
    day: Integers
    category: Integers
    amount: Floats
    units: Floats


def stretches(
    claim: Integers, start: Integers, days: Floats, rate: Floats, *, decay_days: float = STEADY, phase: str | Integers
) -> Stretches:
    """Build stretches of one decay; those without length are left out."""
    number = np.full(len(claim), PHASES.index(phase)) if isinstance(phase, str) else phase
    kept = (days > 0) & (rate > 0)
    n = int(kept.sum())
    return Stretches(claim[kept], start[kept], days[kept], rate[kept], np.full(n, decay_days), number[kept])


def draw_services(care: Stretches, rng: np.random.Generator) -> Services:
    """Draw the services of every stretch: a Poisson number at the rate's own times, each with a gamma bill.

    The rate at a time depends on the stretch's start alone, never on when it will end: what is paid so far tells of
    the claim's frailty and not of its future.
    """
    steady = np.isinf(care.decay_days)
    life = np.where(steady, 1.0, care.decay_days)
    reach = np.where(steady, care.days, life * -np.expm1(-care.days / life))
    prices = np.array(list(BILL.values()))
    # Dearer claims have more bills and dearer ones: bills grow with the square root of the rate.
    dearness = np.clip(np.sqrt(care.rate / 60.0), 0.5, 6.0)
    by_count = PHASE_SHARES / prices
    counts = rng.poisson(care.rate * reach / dearness * by_count.sum(axis=1)[care.phase])
    row, _ = spread(counts.astype(np.int64))
    u = rng.random(len(row))
    used = np.where(steady, 0.0, reach / life)[row]
    after = np.where(steady[row], u * care.days[row], -life[row] * np.log1p(-u * used))
    cumulative = np.cumsum(by_count / by_count.sum(axis=1, keepdims=True), axis=1)
    kind = (rng.random(len(row))[:, None] > cumulative[care.phase[row]][:, :-1]).sum(axis=1)
    amount = prices[kind] * dearness[row] * rng.gamma(BILL_SHAPE, 1 / BILL_SHAPE, len(row))
    codes = np.array([CATEGORY_CODE[name] for name in BILL])
    therapy = codes[kind] == CATEGORY_CODE["physical_therapy"]
    return Services(
        claim=care.claim[row],
        day=care.start_day[row] + np.minimum(np.floor(after), care.days[row]).astype(np.int64),
        category=codes[kind],
        amount=amount,
        units=np.where(therapy, np.maximum(np.rint(amount / dearness[row] / 140.0), 1), np.nan),
    )
