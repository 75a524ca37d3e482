"""Expense that follows care and time off: nurse case managers, bill review, network fees."""

import numpy as np

from msk_reserves.claims.vocabulary import CATEGORY_CODE
from msk_reserves.samples.draws import MEDICAL_SHOCK, NO_DAY, Entries, cents, joined, lognormal, paid, spread, stream
from msk_reserves.samples.settings import BASE_DAY, Settings
from msk_reserves.samples.stays import Stays
from msk_reserves.samples.workers import Workers

MANAGED_SHARE = 0.45
MANAGED_FROM_DAY = 21
HOURLY_FEE = 115.0
BILL_REVIEW_SHARE, NETWORK_SHARE = 0.055, 0.025
"""Shares of medical paid: cost containment is 15 to 25 % of medical with case management."""
QUARTER = 91


def _case_management(workers: Workers, stays: Stays, settings: Settings) -> Entries:
    """Hours of a nurse every four weeks, on some of the stays that last."""
    rng = stream(settings.seed, "case management")
    managed = (rng.random(len(workers)) < MANAGED_SHARE)[stays.claim] & (stays.days > MANAGED_FROM_DAY)
    stay = np.flatnonzero(managed)
    row, place = spread(np.minimum(-(-(stays.days[stay] - MANAGED_FROM_DAY) // 28), 26))
    day = stays.start_day[stay][row] + MANAGED_FROM_DAY + 28 * place
    hours = np.maximum(np.rint(2 * lognormal(rng, 3.0 / (1 + 0.05 * place), 0.4, len(row))) / 2, 0.5)
    fee = HOURLY_FEE * (1 + settings.wage_trend) ** ((day - BASE_DAY) / 365.25)
    claim = stays.claim[stay][row]
    entries = paid(claim, np.maximum(day, workers.report_day[claim]) + 14, "case_management", cents(hours * fee))
    return Entries(
        entries.claim, entries.day, entries.category, entries.amount,
        np.full(len(entries), NO_DAY), hours, entries.shock, entries.shock_day,
    )  # fmt: skip


def _share_of_medical(medical: Entries, category: str, part: float) -> Entries:
    """A share of each quarter's medical by claim, billed three weeks after the quarter's last payment."""
    quarter = medical.day // QUARTER
    order = np.lexsort((medical.day, quarter, medical.claim))
    claim, quarter, day, amount = medical.claim[order], quarter[order], medical.day[order], medical.amount[order]
    if not len(order):
        return paid(claim, day, category, amount)
    starts = np.flatnonzero(np.r_[True, (np.diff(claim) != 0) | (np.diff(quarter) != 0)])
    ends = np.r_[starts[1:], len(claim)] - 1
    fee = cents(part * np.add.reduceat(amount, starts))
    entries = paid(claim[ends], day[ends] + 21, category, fee, shock=MEDICAL_SHOCK)
    return entries.where(fee > 0)


def draw_expense(workers: Workers, stays: Stays, medical: Entries, settings: Settings) -> Entries:
    """Draw case management and the fees on the medical that the payer pays, bundle prices apart, before the shocks."""
    care = medical.where(medical.category != CATEGORY_CODE["bundle_fee"])
    fees = [
        _share_of_medical(care, "bill_review", BILL_REVIEW_SHARE),
        _share_of_medical(care, "network_fee", NETWORK_SHARE),
    ]
    return joined([_case_management(workers, stays, settings), *fees])
