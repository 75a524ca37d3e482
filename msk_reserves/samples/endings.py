"""What closes a claim's life: settlement, death, and the length of the award."""

from dataclasses import dataclass, fields

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.samples.draws import lognormal, stream, whole_days
from msk_reserves.samples.first_stay import FirstStay
from msk_reserves.samples.settings import NEVER, Settings
from msk_reserves.samples.stays import DEATH, MMI, PERMANENT_TOTAL, RETURN, SETTLEMENT, Stays, may_settle
from msk_reserves.samples.workers import JURISDICTIONS, Workers

# States where a settlement leaves medical care open, or nearly always does.
MEDICAL_STAYS_OPEN = [JURISDICTIONS.index(code) for code in ("MA", "NJ")]
RELEASE_SHARE = 0.85
AWARD_WEEKS = 450.0
"""Weeks of award for the whole person; a scheduled member's weeks and its rating vary about the same product."""


@dataclass(frozen=True, slots=True, eq=False)
class Endings:
    """How each claim's life goes on after its last stay; every column has shape (n_claims,).

    Attributes
    ----------
    exit : how the last stay ends (`RETURN` for a medical-only claim).
    final_day : the day from which the worker is back, rated, settled, totally disabled or dead for good.
    back_day : first return to full duty, `NEVER` where there is none.
    window_end : first return to full duty or other exit: where a bundle's window ends.
    settlement_day : `NEVER` where there is none. releases_medical : whether it ends medical care too.
    death_day : death from any cause, `NEVER` beyond the horizon.
    award_day : first payment of the permanent partial award. award_weeks : its length, 0 for none.
    represented : whether an attorney is retained before the life's end.
    """

    exit: Integers
    final_day: Integers
    back_day: Integers
    window_end: Integers
    settlement_day: Integers
    releases_medical: Booleans
    death_day: Integers
    award_day: Integers
    award_weeks: Floats
    represented: Booleans

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).flags.writeable = False


def _death_days(workers: Workers, end_day: int, rng: np.random.Generator) -> Integers:
    """Draw deaths from any cause: Gompertz, 0.2 % a year at 40, 0.5 % at 50, 1.3 % at 60 (US life tables, rounded)."""
    growth, level = 0.095, 0.002
    hazard_now = level * np.exp(growth * (workers.age - 40))
    years = np.log1p(growth * rng.exponential(size=len(workers)) / hazard_now) / growth
    day = workers.injury_day + np.minimum(years * 365.25, NEVER / 2).astype(np.int64)
    return np.where(day <= end_day, day, NEVER)


def _settlements(
    workers: Workers, first: FirstStay, exit_: Integers, final_day: Integers, rng: np.random.Generator
) -> Integers:
    """Draw settlements after the last stay: frequent for represented, impaired workers."""
    n = len(workers)
    represented = first.attorney_day < NEVER
    chance = np.select(
        [exit_ == MMI, exit_ == PERMANENT_TOTAL, first.impaired],
        [np.where(represented, 0.65, 0.30), np.full(n, 0.15), np.where(represented, 0.45, 0.06)],
        np.where(represented, 0.25, 0.004),
    )
    possible = workers.lost_time & may_settle(workers) & (exit_ != SETTLEMENT) & (exit_ != DEATH)
    settled = possible & (rng.random(n) < chance)
    lag = np.where(exit_ == RETURN, lognormal(rng, 420.0, 0.6, n), lognormal(rng, 400.0, 0.6, n))
    lag = np.where(exit_ == PERMANENT_TOTAL, lag + 365, lag)
    # Nobody settles before the attorney who brings it about.
    day = np.maximum(final_day, np.where(represented, first.attorney_day, 0)) + whole_days(lag, at_least=14)
    return np.where(settled, day, np.where(exit_ == SETTLEMENT, final_day, NEVER))


def _first_of(claim: Integers, day: Integers, n: int) -> Integers:
    """Return the first day by claim, `NEVER` where there is none."""
    first = np.full(n, NEVER)
    np.minimum.at(first, claim, day)
    return first


def draw_endings(workers: Workers, first: FirstStay, stays: Stays, settings: Settings) -> Endings:
    """Draw what follows the last stay of every claim."""
    rng = stream(settings.seed, "endings")
    n = len(workers)
    exit_, final_day = np.full(n, RETURN), workers.injury_day.copy()
    exit_[stays.claim[stays.last]] = stays.exit[stays.last]
    final_day[stays.claim[stays.last]] = stays.back_day[stays.last]
    full = (stays.exit == RETURN) & ~stays.fails
    back_day = _first_of(stays.claim[full], stays.back_day[full], n)
    ends = full | (stays.exit != RETURN)
    death_day = _death_days(workers, settings.end_day, rng)
    killed = exit_ == DEATH
    death_day[killed] = final_day[killed]
    # A natural death while still on the way back would need its own stay; it is put off until the life has settled.
    death_day = np.where(~killed & (death_day <= final_day), NEVER, death_day)
    settlement_day = _settlements(workers, first, exit_, final_day, rng)
    settlement_day = np.where((settlement_day > death_day) | (settlement_day > settings.end_day), NEVER, settlement_day)
    keeps_medical = np.isin(workers.jurisdiction, MEDICAL_STAYS_OPEN)
    rated = np.isin(exit_, (MMI, PERMANENT_TOTAL))
    lag = np.where(rated, 30 + np.rint(90 * rng.random(n)), np.clip(np.rint(lognormal(rng, 320.0, 0.35, n)), 120, 720))
    award = first.impaired & np.isin(exit_, (RETURN, MMI))
    award_day = np.where(rated, final_day, np.minimum(back_day, final_day)) + lag.astype(np.int64)
    return Endings(
        exit=exit_,
        final_day=final_day,
        back_day=back_day,
        window_end=_first_of(stays.claim[ends], stays.back_day[ends], n),
        settlement_day=settlement_day,
        releases_medical=~keeps_medical & (rng.random(n) < RELEASE_SHARE),
        death_day=death_day,
        award_day=np.where(award, award_day, NEVER),
        award_weeks=np.where(award, first.impairment * AWARD_WEEKS * np.where(exit_ == MMI, 1.3, 1.0), 0.0),
        represented=first.attorney_day < NEVER,
    )
