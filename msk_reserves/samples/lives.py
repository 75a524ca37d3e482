"""One life a claim: everything drawn, before it becomes tables."""

from dataclasses import dataclass

from msk_reserves._checks import Floats
from msk_reserves.samples.benefits_paid import draw_indemnity, draw_legal
from msk_reserves.samples.bundles import bundle_prices, covered, draw_bundle_fees
from msk_reserves.samples.care import care_level, draw_care
from msk_reserves.samples.draws import Entries, joined
from msk_reserves.samples.endings import Endings, draw_endings
from msk_reserves.samples.expense import draw_expense
from msk_reserves.samples.first_stay import FirstStay, draw_first_stay
from msk_reserves.samples.settings import Settings
from msk_reserves.samples.stays import Stays, draw_stays
from msk_reserves.samples.workers import Workers, draw_workers


@dataclass(frozen=True, slots=True, eq=False)
class Lives:
    """The claims of a world from injury to the end.

    Attributes
    ----------
    settings : the terms of the world.
    workers, first, stays, endings : who was hurt, the first days off, all of them, and what came after.
    level : each claim's multiple of its injury's care; shape (n_claims,).
    price : price of each claim's bundle in dollars, NaN for fee for service; shape (n_claims,).
    """

    settings: Settings
    workers: Workers
    first: FirstStay
    stays: Stays
    endings: Endings
    level: Floats
    price: Floats

    def __len__(self) -> int:
        return len(self.workers)


def draw_lives(settings: Settings) -> Lives:
    """Draw the path of every claim."""
    workers = draw_workers(settings)
    first = draw_first_stay(workers, settings)
    stays = draw_stays(workers, first, settings.seed)
    endings = draw_endings(workers, first, stays, settings)
    level = care_level(workers, first, settings.seed)
    return Lives(settings, workers, first, stays, endings, level, bundle_prices(workers, first, settings))


def draw_ledger(lives: Lives) -> tuple[Entries, Entries]:
    """Draw what the payer pays to the world's end, and the care that bundles cover, before the calendar shocks."""
    settings, workers, first, stays, endings = (
        lives.settings,
        lives.workers,
        lives.first,
        lives.stays,
        lives.endings,
    )
    care = draw_care(workers, first, stays, endings, settings, lives.level)
    hidden = covered(care, first, endings)
    medical = joined([care.where(~hidden), draw_bundle_fees(lives.price, first, settings)])
    pieces = [
        medical,
        draw_indemnity(workers, first, stays, endings, settings),
        draw_expense(workers, stays, medical, settings),
        draw_legal(first, endings, settings),
    ]
    return _in_order(joined(pieces), settings), _in_order(care.where(hidden), settings)


def _in_order(entries: Entries, settings: Settings) -> Entries:
    """Return the entries paid by the world's end, in the order claim, day, category."""
    entries = entries.in_order()
    return entries.where(entries.day <= settings.end_day)
