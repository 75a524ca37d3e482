"""Medical care along the path: heavy at first, an operation's bills, lingering visits, care for life."""

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.vocabulary import CATEGORY_CODE
from msk_reserves.samples.draws import MEDICAL_SHOCK, Entries, cents, joined, lognormal, stream, whole_days
from msk_reserves.samples.endings import Endings
from msk_reserves.samples.first_stay import FirstStay
from msk_reserves.samples.injuries import INJURY, of_injury
from msk_reserves.samples.services import PHASES, Services, Stretches, draw_services, stretches
from msk_reserves.samples.settings import BASE_DAY, NEVER, Settings
from msk_reserves.samples.stays import MMI, PERMANENT_TOTAL, RETURN, Stays, score_of_care
from msk_reserves.samples.workers import Workers

CARE_SIGMA, CARE_SIGMA_SURGICAL = 0.62, 0.42
DURATION_CORRELATION = 0.20
TAIL_SHARE, TAIL_FROM, TAIL_ALPHA = 0.012, 2.5, 2.2
"""A few claims cost a Pareto multiple: alpha 2.0 to 2.3 is the judgement for large claims."""

ACUTE_DAYS, LINGERING_DAYS = 60.0, 170.0
STEADY_PART = 0.35
"""Part of the first day's rate that goes on for as long as the worker is off."""
BACK_PART = 0.5
"""Rate of care once back at work, against the rate just before."""

SURGERY_LINES = {"facility": 0.55, "surgeon": 0.19, "anesthesia": 0.07, "implant_dme": 0.11, "imaging": 0.03}
"""Shares of an operation's bills on its day; the rest is a second facility bill."""
VOID_SHARE = 0.006


def care_level(workers: Workers, first: FirstStay, seed: int) -> Floats:
    """Return each claim's multiple of its injury's care, median about 1; shape (n_claims,)."""
    rng = stream(seed, "care tail")
    score = score_of_care(first, DURATION_CORRELATION, seed)
    level = np.exp(np.where(first.surgical, CARE_SIGMA_SURGICAL, CARE_SIGMA) * score)
    tail = workers.lost_time & (rng.random(len(workers)) < TAIL_SHARE)
    return level * np.where(tail, TAIL_FROM * (1 + rng.pareto(TAIL_ALPHA, len(workers))), 1.0)


def _first_rate(workers: Workers, first: FirstStay) -> Floats:
    """Return dollars a day on the first day off, before the claim's own multiple."""
    injury = workers.injury
    plain = INJURY["care_factor"] * INJURY["medical_median"] / 75
    operated = INJURY["care_factor_surgical"] * INJURY["medical_median_surgical"] / 480
    return np.where(first.surgical, operated[injury], plain[injury])


def _while_off(stays: Stays, rate: Floats, chronic: Booleans) -> list[Stretches]:
    """Care in the stays off work: a decaying part and one that lasts as long as the stay."""
    strength = rate[stays.claim] * np.where(stays.days_before > 0, 0.8, 1.0)
    days = stays.days.astype(np.float64)
    phase = np.where(chronic[stays.claim], PHASES.index("chronic"), PHASES.index("acute"))
    return [
        stretches(stays.claim, stays.start_day, days, strength, decay_days=ACUTE_DAYS, phase="acute"),
        stretches(stays.claim, stays.start_day, days, STEADY_PART * strength, phase=phase),
    ]


def _lingering(stays: Stays, rate: Floats, rng: np.random.Generator) -> Stretches:
    """Care after each return: half the rate just before it, dying away within two or three years."""
    back = stays.exit == RETURN
    claim, end = stays.claim[back], stays.end_day[back]
    then = rate[claim] * (np.exp(-stays.days[back] / ACUTE_DAYS) + STEADY_PART) * BACK_PART
    following = np.r_[stays.start_day[1:], NEVER][: len(stays)][back]
    until = np.where(stays.last[back], NEVER, following)
    length = np.minimum(np.minimum(lognormal(rng, 420.0, 0.6, len(claim)), 1000), until - end)
    return stretches(claim, end, length, then, decay_days=LINGERING_DAYS, phase="lingering")


def _operations(
    workers: Workers, first: FirstStay, level: Floats, rng: np.random.Generator
) -> tuple[Services, Stretches]:
    """Bills of the day of the operation, and the therapy after it."""
    claim = np.flatnonzero(first.surgical)
    size = (INJURY["care_factor_surgical"] * INJURY["medical_median_surgical"])[workers.injury[claim]] * level[claim]
    lines, part = np.array(list(SURGERY_LINES)), np.array(list(SURGERY_LINES.values()))
    noise = rng.gamma(12.0, 1 / 12.0, (len(claim), len(lines)))
    bills = Services(
        claim=np.repeat(claim, len(lines)),
        day=np.repeat(first.surgery_day[claim], len(lines)),
        category=np.tile([CATEGORY_CODE[name] for name in lines], len(claim)),
        amount=(0.58 * size[:, None] * part * noise / part.sum()).ravel(),
        units=np.full(len(claim) * len(lines), np.nan),
    )
    off_after = first.start_day[claim] + first.days[claim] - first.surgery_day[claim]
    days = np.minimum(off_after + 120.0, 420.0)
    therapy = stretches(claim, first.surgery_day[claim], days, 0.17 * size / 90, decay_days=90.0, phase="after_surgery")
    return bills, therapy


def _lifelong(workers: Workers, first: FirstStay, endings: Endings, end_day: int, level: Floats) -> Stretches:
    """Care for life of the permanently impaired, constant in real terms, until death or a release."""
    released = np.where(endings.releases_medical, endings.settlement_day, NEVER)
    until = np.minimum(np.minimum(released, endings.death_day), end_day)
    heavy = of_injury("impairment", workers.injury) / 0.07
    yearly = np.select(
        [endings.exit == PERMANENT_TOTAL, endings.exit == MMI, first.impairment >= 0.10],
        [7_000.0 * heavy, 2_400.0 * heavy, np.full(len(workers), 600.0)],
        0.0,
    )
    claim = np.flatnonzero(yearly > 0)
    rate = (yearly * np.sqrt(level))[claim] / 365.25
    start = endings.final_day[claim]
    return stretches(claim, start, (until[claim] - start).astype(np.float64), rate, phase="lifelong")


def _medical_only(workers: Workers, rng: np.random.Generator) -> Services:
    """A few bills in the weeks after an injury without a day off: median 700 dollars, sigma 1.1."""
    claim = np.flatnonzero(~workers.lost_time)
    counts = 1 + rng.poisson(1.5, len(claim))
    row = np.repeat(np.arange(len(claim)), counts)
    weight = rng.gamma(2.0, 1.0, len(row))
    total = lognormal(rng, 700.0, 1.1, len(claim))
    amount = total[row] * weight / np.bincount(row, weight, len(claim))[row]
    names = rng.choice(["evaluation", "imaging", "physical_therapy", "pharmacy"], size=len(row), p=[0.5, 0.2, 0.2, 0.1])
    codes = np.array([CATEGORY_CODE[name] for name in names], dtype=np.int64)
    return Services(
        claim=claim[row],
        day=workers.injury_day[claim][row] + np.floor(rng.exponential(12.0, len(row))).astype(np.int64),
        category=codes,
        amount=amount,
        units=np.where(codes == CATEGORY_CODE["physical_therapy"], 1.0, np.nan),
    )


def _stretches_of_care(
    workers: Workers, first: FirstStay, stays: Stays, rate: Floats, rng: np.random.Generator
) -> list[Stretches]:
    """Care from the injury until the claim's life has settled, the operation's own apart."""
    lost = np.flatnonzero(workers.lost_time)
    working = first.start_day[lost] - workers.injury_day[lost]
    again, day = stays.recurrence_claim, stays.recurrence_day
    return [
        stretches(
            lost,
            workers.injury_day[lost],
            np.full(len(lost), 28.0),
            1.5 * rate[lost],
            decay_days=6.0,
            phase="first_weeks",
        ),
        stretches(lost, workers.injury_day[lost], (working - 1).astype(np.float64), 0.35 * rate[lost], phase="acute"),
        *_while_off(stays, rate, first.chronic),
        _lingering(stays, rate, rng),
        stretches(again, day, np.full(len(again), 200.0), 0.7 * rate[again], decay_days=40.0, phase="lingering"),
    ]


def draw_care(
    workers: Workers, first: FirstStay, stays: Stays, endings: Endings, settings: Settings, level: Floats
) -> Entries:
    """Draw every medical payment of every life, before the calendar shocks, as if all were fee for service."""
    rng = stream(settings.seed, "care")
    rate = _first_rate(workers, first) * level
    bills, therapy = _operations(workers, first, level, rng)
    care = _stretches_of_care(workers, first, stays, rate, rng)
    care += [therapy, _lifelong(workers, first, endings, settings.end_day, level)]
    services = [draw_services(piece, rng) for piece in care]
    return _paid([bills, *services, _medical_only(workers, rng)], workers, endings, settings, rng)


def _paid(
    services: list[Services], workers: Workers, endings: Endings, settings: Settings, rng: np.random.Generator
) -> Entries:
    """Price the services at their dates, pay them some weeks later, and void a few."""

    def column(name: str) -> Floats:
        return np.concatenate([getattr(piece, name) for piece in services])

    claim, day = column("claim").astype(np.int64), column("day").astype(np.int64)
    lag = whole_days(np.minimum(lognormal(rng, 30.0, 0.6, len(claim)), 365), at_least=3)
    released = np.where(endings.releases_medical, endings.settlement_day, NEVER)
    price = (1 + settings.medical_trend) ** ((day - BASE_DAY) / 365.25)
    entries = Entries(
        claim=claim,
        day=np.maximum(day, workers.report_day[claim]) + lag,
        category=column("category").astype(np.int64),
        amount=cents(np.maximum(column("amount") * price, 5.0)),
        service_day=day,
        units=column("units"),
        shock=np.full(len(claim), MEDICAL_SHOCK),
        shock_day=day,
    )
    entries = entries.where((day <= endings.death_day[claim]) & (day < released[claim]))
    return joined([entries, _voids(entries, rng)])


def _voids(entries: Entries, rng: np.random.Generator) -> Entries:
    """Take a few payments back within weeks."""
    voided = entries.where(np.flatnonzero(rng.random(len(entries)) < VOID_SHARE))
    later: Integers = voided.day + rng.integers(7, 60, len(voided))
    return Entries(
        voided.claim,
        later,
        voided.category,
        -voided.amount,
        voided.service_day,
        voided.units,
        voided.shock,
        voided.shock_day,
    )
