"""The temporary total benefit the law owes for days off work, and the part of it not yet paid."""

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats
from msk_reserves.claims.book import ClaimBook, Decision
from msk_reserves.claims.vocabulary import CATEGORY_CODE, OFF_WORK_STATES, STATE_CODE

LAG_DAYS = 56.0
"""Days after leaving off work within which benefits for those days may still be on their way."""


def temporary_total(
    days_off: npt.ArrayLike,
    weekly_benefit: npt.ArrayLike,
    waiting_days: npt.ArrayLike,
    retro_days: npt.ArrayLike,
    max_weeks: npt.ArrayLike,
) -> Floats:
    """Return the temporary total disability benefit owed for a number of days off work.

    Nothing is owed up to the waiting period. From the retroactive day on every day counts, before it the days after
    the waiting period; the days paid stop at the limit of weeks. The arguments broadcast.

    Parameters
    ----------
    days_off : array_like
        Days off work so far.
    weekly_benefit : array_like
        Dollars a week.
    waiting_days : array_like
        Days not paid at first.
    retro_days : array_like
        Days off from which on the waiting days are paid too; NaN where never.
    max_weeks : array_like
        Weeks paid at most; NaN where no limit.

    Returns
    -------
    numpy.ndarray
        Dollars, in the broadcast shape.

    Raises
    ------
    ValueError
        If a number of days off is negative or not a number.

    Examples
    --------
    >>> temporary_total([5, 10, 14, 800], 600.0, 7, 14, 104).round(2).tolist()
    [0.0, 257.14, 1200.0, 62400.0]
    """
    days = np.asarray(days_off, dtype=np.float64)
    if not (days >= 0).all():
        raise ValueError(f"`days_off` must be numbers that are not negative, got {days[~(days >= 0)].flat[0]}")
    waiting = np.asarray(waiting_days, dtype=np.float64)
    paid_days = np.maximum(days - waiting, 0.0)
    # A NaN in `retro_days` compares false, so the waiting days are then never paid.
    retroactive = (days >= np.asarray(retro_days, dtype=np.float64)) & (days > waiting)
    paid_days = np.where(retroactive, days, paid_days)
    limited = np.fmin(paid_days, 7.0 * np.asarray(max_weeks, dtype=np.float64))
    owed: Floats = np.asarray(limited * (np.asarray(weekly_benefit, dtype=np.float64) / 7.0))
    return owed


def statutory_to_date(book: ClaimBook) -> Floats:
    """Return the temporary total benefit owed for the days off so far, dollars, shape (n_claims,)."""
    columns = [book.column(name) for name in ("weekly_benefit", "waiting_days", "retro_days", "max_weeks")]
    return temporary_total(book.position.days_off, *columns)


def accrued_unpaid(book: ClaimBook) -> Floats:
    """Return the temporary total benefit already owed but not yet paid.

    The statute for the days off so far less the `ttd` paid so far (at summary depth: less all indemnity paid), between
    zero and eight weekly benefits, for workers off work or who left that state within 56 days and whose claim is not
    settled; zero for the others: an older difference is a dispute or a data error, not a payment on its way.

    Parameters
    ----------
    book : ClaimBook
        The claims.

    Returns
    -------
    numpy.ndarray
        Dollars, shape (n_claims,).
    """
    if book.payments is None:
        paid = book.paid["indemnity"].to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        temporary = book.payments.category == CATEGORY_CODE["ttd"]
        paid = np.bincount(book.payments.claim[temporary], book.payments.amount[temporary], minlength=len(book))
    difference = np.nan_to_num(statutory_to_date(book) - paid, nan=0.0)
    limit = 8.0 * np.nan_to_num(book.column("weekly_benefit"), nan=0.0)
    accrued: Floats = np.where(_may_be_on_its_way(book), np.clip(difference, 0.0, limit), 0.0)
    return accrued


def accrued_decision(book: ClaimBook) -> Decision:
    """Return how many claims carry an accrued, unpaid benefit, and its sum, as a printable decision."""
    amounts = accrued_unpaid(book)
    meaning = f"{amounts.sum():,.0f} dollars owed for days off already passed, at most 8 weekly benefits a claim"
    return Decision("temporary total benefits accrued but unpaid", int((amounts > 0).sum()), meaning)


def _may_be_on_its_way(book: ClaimBook) -> Booleans:
    """Whether each worker is off work or stopped being off lately, and is not settled."""
    off_work = np.isin(book.spells.state, [STATE_CODE[name] for name in OFF_WORK_STATES])
    since = book.valuation_day - (book.spells.entered[off_work] + book.spells.days[off_work])
    lately = np.zeros(len(book), dtype=np.bool_)
    # Days of an undated book lie on each claim's own clock, which the valuation date is not on.
    if book.valuation_date is not None:
        lately[book.spells.claim[off_work][since <= LAG_DAYS]] = True
    unsettled = book.position.state != STATE_CODE["settled"]
    owed: Booleans = (book.position.off_work() | lately) & unsettled
    return owed
