"""Bundles in force: the price that is paid, and the care that is no longer seen."""

import numpy as np

from msk_reserves._checks import Booleans, Floats
from msk_reserves.samples.draws import Entries, cents, joined, paid, stream
from msk_reserves.samples.endings import Endings
from msk_reserves.samples.first_stay import FirstStay
from msk_reserves.samples.injuries import of_injury
from msk_reserves.samples.settings import BASE_DAY, NEVER, Settings
from msk_reserves.samples.workers import Workers


def bundle_prices(workers: Workers, first: FirstStay, settings: Settings) -> Floats:
    """Return the price of each claim's bundle in the dollars of its trigger, NaN for fee for service."""
    price = of_injury("bundle_price", workers.injury)
    bundled = first.trigger_day < NEVER
    trend = (1 + settings.medical_trend) ** ((np.where(bundled, first.trigger_day, BASE_DAY) - BASE_DAY) / 365.25)
    return np.where(bundled, np.round(price * trend, -1), np.nan)


def covered(medical: Entries, first: FirstStay, endings: Endings) -> Booleans:
    """Whether a bundle covers each service: all care from the trigger until full duty or another end of the path."""
    trigger, end = first.trigger_day[medical.claim], endings.window_end[medical.claim]
    return (medical.service_day >= trigger) & (medical.service_day < end)


def draw_bundle_fees(price: Floats, first: FirstStay, settings: Settings) -> Entries:
    """Pay each price: at once after a month, or half then and half three months later."""
    rng = stream(settings.seed, "bundle fees")
    claim = np.flatnonzero(first.trigger_day < NEVER)
    whole = rng.random(len(claim)) < 0.6
    day = first.trigger_day[claim] + rng.integers(20, 41, len(claim))
    half = cents(price[claim] / 2)
    once = paid(claim, day, "bundle_fee", np.where(whole, price[claim], half))
    later = paid(claim, day + 90, "bundle_fee", cents(price[claim] - half)).where(~whole)
    return joined([once, later])
