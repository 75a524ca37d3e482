"""Some claims of a book as a book of their own."""

from dataclasses import replace

import numpy as np

from msk_reserves._checks import Integers
from msk_reserves.claims.book import ClaimBook, Payments
from msk_reserves.claims.spells import Position, Spells


def part_of_book(book: ClaimBook, rows: Integers) -> ClaimBook:
    """Return the book of some of its claims: their stays, positions and payments, with all that was decided.

    Parameters
    ----------
    book : ClaimBook
        The claims.
    rows : numpy.ndarray of int, shape (n_kept,)
        Rows of the claims kept, ascending.

    Returns
    -------
    ClaimBook
        With the claims numbered anew; decisions, assumptions, inputs and claims set aside are those of the whole.

    Raises
    ------
    ValueError
        If rows do not ascend or lie outside the book.
    """
    kept = np.asarray(rows, dtype=np.int64)
    if len(kept) and ((np.diff(kept) <= 0).any() or kept[0] < 0 or kept[-1] >= len(book)):
        raise ValueError(f"`rows` must ascend within the book's {len(book):,} claims, got {kept[:5].tolist()} ...")
    place = np.full(len(book), -1, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    stays = place[book.spells.claim] >= 0
    columns = {name: getattr(book.spells, name)[stays] for name in Spells.__slots__}
    paid = book.payments
    if paid is not None:
        mine = place[paid.claim] >= 0
        paid = Payments(place[paid.claim[mine]], paid.day[mine], paid.category[mine], paid.amount[mine])
    return replace(
        book,
        claims=book.claims.iloc[kept].reset_index(drop=True),
        spells=Spells(**(columns | {"claim": place[columns["claim"]]})),
        position=Position(**{name: getattr(book.position, name)[kept] for name in Position.__slots__}),
        paid=book.paid.iloc[kept].reset_index(drop=True),
        payments=paid,
    )
