"""Indemnity as it is paid: temporary benefits by statute, awards by instalments, settlements, benefits for life."""

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.samples.draws import (
    INDEMNITY_SHOCK,
    Entries,
    cents,
    joined,
    lognormal,
    paid,
    spread,
    stream,
    whole_days,
)
from msk_reserves.samples.endings import Endings
from msk_reserves.samples.first_stay import FirstStay
from msk_reserves.samples.injuries import of_injury
from msk_reserves.samples.settings import BASE_DAY, NEVER, Settings
from msk_reserves.samples.stays import DEATH, MMI, PERMANENT_TOTAL, Stays
from msk_reserves.samples.workers import Workers

PAY_PERIOD = 14
INSTALMENT_WEEKS = 4
MODIFIED_WAGE_LOSS = 0.35
"""Part of the wage lost on modified duty."""


def temporary_total(
    days_off: Floats, weekly_benefit: Floats, waiting_days: Floats, retro_days: Floats, max_weeks: Floats
) -> Floats:
    """Return the temporary total benefit that the law owes for days off work so far, dollars rounded to cents.

    Nothing while D is within the waiting period, all of D once it has reached the retroactive day, D less the waiting
    days between; never more than the limit of weeks (NaN: none).

    Examples
    --------
    >>> days = np.array([5.0, 8, 10, 13, 14, 28, 800])
    >>> temporary_total(days, *(np.full(7, x) for x in (600.0, 7.0, 14.0, 104.0))).tolist()
    [0.0, 85.71, 257.14, 514.29, 1200.0, 2400.0, 62400.0]
    """
    retroactive = days_off >= np.where(np.isnan(retro_days), np.inf, retro_days)
    owed = np.where(retroactive, days_off, np.maximum(days_off - waiting_days, 0))
    # A waiting period is over only once exceeded, whatever the retroactive day says.
    owed = np.where(days_off <= waiting_days, 0.0, owed)
    return cents(weekly_benefit / 7 * np.minimum(owed, np.where(np.isnan(max_weeks), np.inf, 7 * max_weeks)))


def _periods(
    start: Integers, days: Integers, rng: np.random.Generator
) -> tuple[Integers, Integers, Integers, Integers]:
    """Cut stays into pay periods: the stay, days at the period's begin and end, and the day it is paid."""
    lag = rng.integers(3, 8, len(start))
    row, place = spread(-(-days // PAY_PERIOD))
    begin = place * PAY_PERIOD
    return row, begin, np.minimum(begin + PAY_PERIOD, days[row]), start[row] + begin + PAY_PERIOD + lag[row]


def _temporary(workers: Workers, stays: Stays, rng: np.random.Generator) -> list[Entries]:
    """Pay temporary total benefits every second week, and partial ones on modified duty."""
    row, begin, end, day = _periods(stays.start_day, stays.days, rng)
    claim = stays.claim[row]
    law = (workers.weekly_benefit, workers.waiting_days, workers.retro_days, workers.max_weeks)
    rule = tuple(column[claim] for column in law)
    before = stays.days_before[row]
    owed = temporary_total((before + end).astype(float), *rule) - temporary_total((before + begin).astype(float), *rule)
    total = paid(claim, np.maximum(day, workers.report_day[claim] + 10), "ttd", cents(owed))
    row, begin, end, day = _periods(stays.end_day, stays.modified_days, rng)
    claim = stays.claim[row]
    weekly = np.minimum(2 / 3 * MODIFIED_WAGE_LOSS * workers.weekly_wage, workers.weekly_benefit)[claim]
    partial = cents(weekly / 7 * (end - begin))
    return [total, paid(claim, np.maximum(day, workers.report_day[claim] + 10), "tpd", partial)]


def award_rate(workers: Workers) -> Floats:
    """Return dollars a week of a permanent partial award, shape (n_claims,)."""
    return 0.85 * workers.weekly_benefit


def _awards(workers: Workers, endings: Endings) -> Entries:
    """Pay permanent partial awards: what has accrued since recovery at once, the rest every four weeks."""
    claim = np.flatnonzero(endings.award_day < NEVER)
    start = endings.award_day[claim]
    accrued = (start - np.minimum(endings.back_day[claim], endings.final_day[claim])) / 7
    weeks = endings.award_weeks[claim]
    at_once = np.minimum(np.maximum(accrued, INSTALMENT_WEEKS), weeks)
    row, place = spread(1 + np.ceil((weeks - at_once) / INSTALMENT_WEEKS).astype(np.int64))
    left = weeks[row] - at_once[row] - INSTALMENT_WEEKS * (place - 1)
    size = np.where(place == 0, at_once[row], np.minimum(left, INSTALMENT_WEEKS))
    day = start[row] + 7 * INSTALMENT_WEEKS * place
    entries = paid(claim[row], day, "ppd", cents(size * award_rate(workers)[claim][row]), shock=INDEMNITY_SHOCK)
    until = np.minimum(endings.settlement_day, endings.death_day)[claim][row]
    return entries.where((day < until) & (entries.amount > 0))


def _price(day: Integers, settings: Settings) -> Floats:
    """Return the level of wages on each day over that of the base day, which dollars of the base day grow with."""
    level: Floats = (1 + settings.wage_trend) ** ((day - BASE_DAY) / 365.25)
    return level


def _settlements(
    workers: Workers,
    first: FirstStay,
    endings: Endings,
    awards: Entries,
    settings: Settings,
    rng: np.random.Generator,
) -> Entries:
    """Pay settlements: the award still due, the value of released care, and what the dispute itself is worth."""
    n = len(workers)
    price = _price(workers.injury_day, settings)
    promised = endings.award_weeks * award_rate(workers)
    due = np.maximum(promised - np.bincount(awards.claim, awards.amount, n), 0)
    heavy = of_injury("impairment", workers.injury) / 0.07
    lasting = np.isin(endings.exit, (MMI, PERMANENT_TOTAL))
    released = np.where(endings.releases_medical & lasting, 5_000.0 * heavy, 0.0)
    dispute = np.where(endings.represented, lognormal(rng, 9_000.0, 0.8, n), lognormal(rng, 3_000.0, 0.6, n))
    lost_years = np.where(lasting, lognormal(rng, 14_000.0, 0.7, n), 0.0)
    claim = np.flatnonzero(endings.settlement_day < NEVER)
    day = endings.settlement_day[claim]
    value = 0.9 * due + price * (released + dispute + lost_years)
    value = value * np.where(endings.exit == PERMANENT_TOTAL, 4.0, 1.0)
    real = workers.weekly_wage / price
    wages = real / np.mean(real) if n else value
    value = np.where(first.impaired, value, 0.6 * value) * wages**0.5
    later = day + rng.integers(3, 21, len(claim))
    return paid(claim, later, "settlement", cents(value[claim]), shock=INDEMNITY_SHOCK)


def _for_life(workers: Workers, endings: Endings, end_day: int, rng: np.random.Generator) -> list[Entries]:
    """Pay the permanently disabled every second week, dependants for ten years, and some retraining."""
    claim = np.flatnonzero(endings.exit == PERMANENT_TOTAL)
    until = np.minimum(np.minimum(endings.settlement_day, endings.death_day)[claim], end_day)
    row, place = spread(np.maximum((until - endings.final_day[claim]) // PAY_PERIOD, 0))
    day = endings.final_day[claim][row] + PAY_PERIOD * (place + 1) + 5
    life = paid(claim[row], day, "ptd", cents(2 * workers.weekly_benefit[claim][row]))
    claim = np.flatnonzero(endings.exit == DEATH)
    row, place = spread(np.full(len(claim), 131))
    amount = np.where(place == 0, 10_000.0, cents(4 * workers.weekly_benefit[claim][row]))
    dependants = paid(claim[row], endings.death_day[claim][row] + 14 + 28 * place, "death_benefit", amount)
    chosen = (endings.exit == MMI) & (rng.random(len(workers)) < 0.06)
    claim = np.flatnonzero(chosen)
    fees = cents(lognormal(rng, 1_500.0, 0.5, 4 * len(claim)))
    day = np.repeat(endings.final_day[claim], 4) + np.tile(45 * np.arange(1, 5), len(claim))
    training = paid(np.repeat(claim, 4), day, "vocational_rehabilitation", fees)
    return [life, dependants, training]


def draw_indemnity(workers: Workers, first: FirstStay, stays: Stays, endings: Endings, settings: Settings) -> Entries:
    """Draw every indemnity payment of every life, before the calendar shocks; temporary benefits are never shocked."""
    rng = stream(settings.seed, "indemnity")
    awards = _awards(workers, endings)
    pieces = [
        *_temporary(workers, stays, rng),
        awards,
        _settlements(workers, first, endings, awards, settings, rng),
        *_for_life(workers, endings, settings.end_day, rng),
    ]
    entries = joined(pieces)
    return entries.where(entries.amount > 0)


def draw_legal(first: FirstStay, endings: Endings, settings: Settings) -> Entries:
    """Draw defence costs: a bill every two months while represented, and one with the settlement."""
    rng = stream(settings.seed, "legal")
    claim = np.flatnonzero(endings.represented)
    begin = first.attorney_day[claim]
    settled = endings.settlement_day[claim]
    quiet = endings.final_day[claim] + whole_days(lognormal(rng, 200.0, 0.6, len(claim)), at_least=30)
    months = np.maximum(np.minimum(settled, quiet) - begin, 60) // 60
    row, place = spread(np.minimum(months, 18))
    billed = begin[row] + 60 * (place + 1)
    dispute = lognormal(rng, 1.0, 0.6, len(claim))
    amount = cents(_price(billed, settings) * dispute[row] * lognormal(rng, 900.0, 0.6, len(row)))
    bills = paid(claim[row], billed, "legal", amount, shock=INDEMNITY_SHOCK)
    bills = bills.where(bills.day <= np.minimum(settled[row] + 60, NEVER))
    closing = np.flatnonzero(settled < NEVER)
    fee = cents(_price(settled[closing], settings) * lognormal(rng, 2_200.0, 0.5, len(closing)))
    return joined([bills, paid(claim[closing], settled[closing] + 30, "legal", fee, shock=INDEMNITY_SHOCK)])
