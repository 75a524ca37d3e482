"""Who may be taken over by a bundle on the valuation date, and who is in one already."""

import numpy as np

from msk_reserves._checks import Booleans, Floats
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import CATEGORY_CODE
from msk_reserves.cost.cells import bundle_windows
from msk_reserves.episodes.record import Takeover
from msk_reserves.episodes.states import IN_WINDOW


def takeover(book: ClaimBook) -> Takeover:
    """Say which claims may be taken over by a bundle on the valuation date, and which are in one already."""
    bundled = (book.claims["arrangement"] == "bundle").to_numpy(dtype=np.bool_)
    price = np.where(bundled, np.nan_to_num(book.column("bundle_price")), 0.0)
    return Takeover(
        claims=book.claims,
        eligible=IN_WINDOW[book.position.state] & ~bundled,
        bundled=bundled,
        unpaid_price=np.maximum(price - _paid_on_price(book, price), 0.0),
        days_since_trigger=np.where(bundled, book.valuation_day - bundle_windows(book).begins, 0.0),
    )


def window_open(book: ClaimBook) -> Booleans:
    """Say for which claims an episode until return or MMI is running, or may begin, on the valuation date.

    The worker must be off work or on modified duty; under a bundle in force without a break since its trigger.
    """
    running: Booleans = IN_WINDOW[book.position.state] & np.isinf(bundle_windows(book).ends)
    return running


def _paid_on_price(book: ClaimBook, price: Floats) -> Floats:
    """Return what has been paid on each bundle's price; at summary depth a price counts as paid at its trigger."""
    if book.payments is None:
        return price
    fee = book.payments.category == CATEGORY_CODE["bundle_fee"]
    paid = np.bincount(book.payments.claim[fee], weights=book.payments.amount[fee], minlength=len(book))
    return np.asarray(paid, dtype=np.float64)
