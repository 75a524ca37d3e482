"""The first days off work: acute, chronic or operated on, with attorneys and bundles on the way."""

from dataclasses import dataclass, fields

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.samples.draws import lognormal, stream, whole_days
from msk_reserves.samples.injuries import of_injury
from msk_reserves.samples.settings import NEVER, Settings
from msk_reserves.samples.workers import ATTORNEY_RATIO, COVARIATE_SD, MEAN_LOG_TIME_RATIO, Workers

# Temporary disability of those who never return ends at maximum medical improvement, long after the others are back.
NEVER_BACK_DAYS, NEVER_BACK_SIGMA = 420.0, 0.45
NEVER_BACK_DAYS_SURGICAL = 510.0
OFF_WORK_BEFORE_SURGERY = 0.5
SURGICAL_RECOVERY = 1.05
"""Recovery as a multiple of the injury's median: covariates shorten the mean, attorneys prolong it."""
AWARD_LEVEL = 0.85
"""Part of the calibration's award shares: settlements bring the rest."""
ATTORNEY_LEVEL = 1.22
ATTORNEY_SLOWS = 1.25
"""Time ratio of the days that remain once an attorney is retained while off work."""


@dataclass(frozen=True, slots=True, eq=False)
class FirstStay:
    """The first stay off work and what was fixed with it; every column has shape (n_claims,).

    Attributes
    ----------
    start_day : first full day off work (`NEVER` for a medical-only claim).
    days : days off work in the first stay, at least 1.
    chronic, surgical, impaired, never_back : which kind of claim it is, known to the world alone.
    impairment : whole-person impairment, a share; 0 where there is none.
    surgery_day, attorney_day, trigger_day : when each came about, `NEVER` where it did not.
    score : standard normal score behind the duration, correlated with the claim's care.
    """

    start_day: Integers
    days: Integers
    chronic: Booleans
    surgical: Booleans
    impaired: Booleans
    never_back: Booleans
    impairment: Floats
    surgery_day: Integers
    attorney_day: Integers
    trigger_day: Integers
    score: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).flags.writeable = False


@dataclass(frozen=True, slots=True, eq=False)
class _Kind:
    """What kind of claim each is, shape (n_claims,)."""

    surgical: Booleans
    chronic: Booleans
    never_back: Booleans
    impaired: Booleans
    working_until_surgery: Booleans


def _kinds(workers: Workers, rng: np.random.Generator) -> _Kind:
    """Draw the mixture: operated on or not, acute or chronic, back at work or never, impaired or not."""
    n, injury = len(workers), workers.injury
    health = np.exp(workers.log_time_ratio - MEAN_LOG_TIME_RATIO - COVARIATE_SD**2 / 2)
    surgical = workers.lost_time & (rng.random(n) < of_injury("surgery", injury))
    chronic = workers.lost_time & ~surgical & (rng.random(n) < of_injury("chronic_share", injury) * health)
    never = np.where(surgical, of_injury("never_back_surgical", injury), of_injury("never_back", injury))
    never_back = workers.lost_time & (rng.random(n) < np.minimum(never * health, 0.9))
    award = np.where(surgical, of_injury("award_surgical", injury), of_injury("award", injury))
    impaired = workers.lost_time & ((rng.random(n) < AWARD_LEVEL * award) | never_back)
    return _Kind(surgical, chronic, never_back, impaired, surgical & (rng.random(n) >= OFF_WORK_BEFORE_SURGERY))


def days_off(workers: Workers, kind: _Kind, score: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return days off until the operation and in all, were there neither attorney nor bundle; shape (n_claims,).

    The calibration's spread is that of the whole population, so the part that the covariates explain is taken out of
    it before it multiplies the score.
    """
    n, injury = len(workers), workers.injury
    waits = kind.surgical & ~kind.working_until_surgery
    before = np.where(waits, lognormal(rng, 14.0, 0.7, n), 0.0)
    median = np.where(kind.chronic, of_injury("chronic_median", injury), of_injury("acute_median", injury))
    median = np.where(kind.surgical, SURGICAL_RECOVERY * of_injury("surgical_median", injury), median)
    sigma = np.where(kind.chronic, of_injury("chronic_sigma", injury), of_injury("acute_sigma", injury))
    sigma = np.where(kind.surgical, of_injury("surgical_sigma", injury), sigma)
    recovery = median * np.exp(np.sqrt(sigma**2 - COVARIATE_SD**2) * score + workers.log_time_ratio)
    plateau = np.where(kind.surgical, NEVER_BACK_DAYS_SURGICAL, NEVER_BACK_DAYS)
    plateau = lognormal(rng, plateau, NEVER_BACK_SIGMA, n)
    return before, before + np.where(kind.never_back, plateau, recovery)


def _attorneys(workers: Workers, kind: _Kind, days: Floats, rng: np.random.Generator) -> Floats:
    """Draw days from the first day off to an attorney, infinite for none: late, and mostly in lasting claims."""
    n = len(workers)
    lean = np.where(kind.impaired, 1.7, 1.1) * ATTORNEY_RATIO[workers.jurisdiction] * ATTORNEY_LEVEL
    early = rng.random(n) < 0.08
    onset = np.where(early, np.floor(3 * rng.random(n)), lognormal(rng, 95.0, 1.1, n))
    # An award in dispute brings attorneys long after the return; other claims only shortly after.
    until = days + np.where(kind.impaired, 240.0, 30.0)
    chance = np.minimum(of_injury("attorney", workers.injury) * lean, 0.95)
    return np.where(workers.lost_time & (rng.random(n) < chance) & (onset < until), onset, np.inf)


def _stretched(days: Floats, since: Floats, ratio: float) -> Floats:
    """Multiply by `ratio` the part of `days` that lies after `since`."""
    beyond = np.maximum(days - since, 0.0)
    return days + (ratio - 1) * beyond


def _bundles(workers: Workers, settings: Settings, start: Integers, days: Floats, rng: np.random.Generator) -> Floats:
    """Draw days from the first day off to the bundle's trigger, infinite for fee for service."""
    n = len(workers)
    referral = np.maximum(3 + np.rint(lognormal(rng, 18.0, 0.6, n)), workers.report_day + 2 - start)
    eligible = np.flatnonzero(workers.lost_time & (referral < days - 1))
    wanted = min(round(settings.bundled_share * int(workers.lost_time.sum())), len(eligible))
    chosen = rng.choice(eligible, size=wanted, replace=False)
    trigger = np.full(n, np.inf)
    trigger[chosen] = referral[chosen]
    return trigger


def draw_first_stay(workers: Workers, settings: Settings) -> FirstStay:
    """Draw the first stay off work of every lost-time claim."""
    rng = stream(settings.seed, "first stay")
    n = len(workers)
    kind = _kinds(workers, rng)
    gap = np.where(rng.random(n) < 0.65, 0.0, lognormal(rng, 5.0, 1.3, n))
    gap = 1 + np.minimum(np.where(kind.working_until_surgery, lognormal(rng, 120.0, 0.7, n), gap), 540)
    start = np.where(workers.lost_time, workers.injury_day + whole_days(gap), NEVER)
    score = rng.standard_normal(n)
    surgery, days = days_off(workers, kind, score, rng)
    attorney = _attorneys(workers, kind, days, rng)
    since = np.where(kind.never_back, np.inf, attorney)
    surgery, days = _stretched(surgery, since, ATTORNEY_SLOWS), _stretched(days, since, ATTORNEY_SLOWS)
    trigger = _bundles(workers, settings, start, days, stream(settings.seed, "bundles"))
    faster = np.where(kind.never_back, np.inf, trigger)
    surgery = _stretched(surgery, faster, settings.bundle_time_ratio)
    days = np.where(workers.lost_time, np.maximum(np.rint(_stretched(days, faster, settings.bundle_time_ratio)), 1), 0)

    def day(after: Floats) -> Integers:
        return np.where(np.isfinite(after), start + np.rint(np.where(np.isfinite(after), after, 0)), NEVER).astype(int)

    size = rng.gamma(2.0, of_injury("impairment", workers.injury) / 2.0)
    return FirstStay(
        start_day=start,
        days=days.astype(np.int64),
        chronic=kind.chronic,
        surgical=kind.surgical,
        impaired=kind.impaired,
        never_back=kind.never_back,
        impairment=np.where(kind.impaired, np.clip(size, 0.01, 0.6), 0.0),
        surgery_day=day(np.where(kind.surgical, np.minimum(np.rint(surgery), days - 1), np.inf)),
        attorney_day=day(attorney),
        trigger_day=day(trigger),
        score=score,
    )
