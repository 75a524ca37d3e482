"""The cells in which cost is paid: where the worker is, whether operated, how long off before, how long there."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.spells import Spells
from msk_reserves.claims.states import BASE_CODE
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE, STATES, with_represented

KINDS = ("off work", "modified duty", "working", "mmi", "settled", "permanent total", "dead", "closed", "reopened")
"""Kinds of state whose rates inform each other where one of them is rarely seen."""

_KIND_NAMES = {
    **dict.fromkeys(OFF_WORK_STATES, "off work"),
    "modified_duty": "modified duty",
    **dict.fromkeys(("at_work", "back_at_work"), "working"),
    "mmi": "mmi",
    "settled": "settled",
    "permanent_total": "permanent total",
    "dead": "dead",
    "closed": "closed",
    "reopened": "reopened",
}
KIND_OF_STATE: Integers = np.array([KINDS.index(_KIND_NAMES[STATES[code]]) for code in BASE_CODE])
KIND_OF_STATE.flags.writeable = False

REPRESENTED: Booleans = np.not_equal(BASE_CODE, np.arange(len(STATES)))
REPRESENTED.flags.writeable = False
"""Whether the worker has an attorney in each state."""

CARE_ENDS = with_represented("back_at_work", "mmi", "settled", "permanent_total", "dead", "closed")
"""States at whose entry the default window of a bundle closes: return to full duty or medical end."""


BIN_EDGES = (
    0.0, 7.0, 14.0, 21.0, 28.0, 42.0, 56.0, 70.0, 84.0, 98.0, 112.0, 126.0, 140.0, 161.0, 182.0, 227.0, 273.0, 319.0,
    365.0, 456.0, 547.0, 638.0, 730.0, 913.0, 1096.0, 1461.0, 1826.0, 3640.0,
)  # fmt: skip
"""Fine where cost falls fast: a constant rate over a bin in which cost falls overstates what open claims still owe."""


@dataclass(frozen=True, slots=True)
class CellGrid:
    """How the path is cut into cells of about constant cost a day.

    A group is (state, operated or not, band of the days off before the stay); its index is
    `(2 * state + operated) * n_bands + band`. A cell is a group and a bin of the days in the state; its index is
    `group * n_bins + bin`. For the dead and the settled "operated" stands for where they came from, see `ORIGIN_MARK`;
    for the settled the bands are of how long they had been there, see `banded`.

    Attributes
    ----------
    bin_edges : lower edges of the bins, days in the state; the last bin has no end.
    band_edges : days off before the stay at which the next band begins; stays off work are always in band 0. The last
        band holds what follows a relapse, however long off before: awards and settlements are not paid twice.
    """

    bin_edges: tuple[float, ...] = BIN_EDGES
    band_edges: tuple[float, ...] = (28.0, 91.0, 182.0, 365.0)

    def __post_init__(self) -> None:
        if self.bin_edges[:1] != (0.0,) or any(np.diff(self.bin_edges) <= 0):
            raise ValueError(f"`bin_edges` must begin at 0 and increase, got {self.bin_edges}")
        if any(np.diff((0.0, *self.band_edges)) <= 0):
            raise ValueError(f"`band_edges` must be above 0 and increase, got {self.band_edges}")

    @property
    def edges(self) -> tuple[float, ...]:
        """Edges of the bins, infinity last."""
        return (*self.bin_edges, np.inf)

    @property
    def n_bins(self) -> int:
        """Bins of the days in a state."""
        return len(self.bin_edges)

    @property
    def n_bands(self) -> int:
        """Bands of the days off before a stay."""
        return len(self.band_edges) + 2

    @property
    def n_groups(self) -> int:
        """Groups of cells."""
        return len(STATES) * 2 * self.n_bands

    @property
    def n_cells(self) -> int:
        """Cells."""
        return self.n_groups * self.n_bins

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """State, operated, band, bin: the shape cells take as an array."""
        return len(STATES), 2, self.n_bands, self.n_bins

    def group(
        self,
        state: npt.ArrayLike,
        operated: npt.ArrayLike,
        days_off_before: npt.ArrayLike,
        relapsed: npt.ArrayLike = 0,
    ) -> Integers:
        """Return the group of stays entered operated or not after so many days off, before or after a relapse.

        The arguments broadcast.

        Examples
        --------
        >>> CellGrid().group([1, 5], [0, 0], [200.0, 200.0]).tolist()
        [12, 63]
        """
        codes = np.asarray(state, dtype=np.int64)
        off_work = np.isin(codes, [STATE_CODE[name] for name in OFF_WORK_STATES])
        band = np.searchsorted(self.band_edges, np.asarray(days_off_before, dtype=np.float64), side="right")
        band = np.where(np.asarray(relapsed, dtype=np.bool_), self.n_bands - 1, band)
        group: Integers = (2 * codes + np.asarray(operated, dtype=np.int64)) * self.n_bands + np.where(
            off_work, 0, band
        )
        return group

    def cell(self, group: npt.ArrayLike, days_in_state: npt.ArrayLike) -> Integers:
        """Return the cell of a group after so many days in the state; the arguments broadcast."""
        days = np.asarray(days_in_state, dtype=np.float64)
        position = np.searchsorted(self.bin_edges, days, side="right") - 1
        cell: Integers = np.asarray(group, dtype=np.int64) * self.n_bins + np.maximum(position, 0)
        return cell

    def days_in_bins(self, begin: npt.ArrayLike, end: npt.ArrayLike) -> Floats:
        """Return the days that stays spend in each bin between `begin` and `end` days in the state.

        Shape (n_stays, n_bins).

        Examples
        --------
        >>> CellGrid().days_in_bins([0.0], [30.0])[0, :4].tolist()
        [7.0, 7.0, 7.0, 7.0]
        """
        lower = np.array(self.bin_edges)
        upper = np.r_[lower[1:], np.inf]
        first = np.asarray(begin, dtype=np.float64)[:, None]
        last = np.asarray(end, dtype=np.float64)[:, None]
        days: Floats = np.clip(np.minimum(last, upper) - np.maximum(first, lower), 0.0, None)
        return days


def _origin_mark() -> Integers:
    """Build the table of `ORIGIN_MARK`."""
    table = np.full((len(STATES), len(STATES)), -1, dtype=np.int64)
    for state, origins in (("dead", OFF_WORK_STATES), ("settled", with_represented("mmi", "permanent_total"))):
        table[STATE_CODE[state]] = np.isin(np.arange(len(STATES)), [STATE_CODE[name] for name in origins])
    table.flags.writeable = False
    return table


ORIGIN_MARK: Integers = _origin_mark()
"""What sets apart stays of one state and band, by state entered and state left: 1 or 0, or -1 where it is whether the
worker has been operated on. A death while off work is taken for a consequence of the injury, which dependants are owed
benefits for; one after the way back has ended rarely is. A settlement of a worker who did not return buys out more than
one of a worker who did, and leaves more care to pay for."""


def marked(spells: Spells) -> Booleans:
    """Return what sets apart stays of one state and band, shape (n_spells,); see `ORIGIN_MARK`."""
    left = np.append([0], spells.state[:-1])
    follows = np.append([False], spells.claim[1:] == spells.claim[:-1])
    mark = ORIGIN_MARK[spells.state, left]
    # Who was never seen in another state came from none that would mark them.
    apart: Booleans = np.where(mark < 0, spells.operated, (mark == 1) & follows)
    return apart


def marked_now(book: ClaimBook) -> Booleans:
    """Return the same of where each claim stands, shape (n_claims,)."""
    spells, position = book.spells, book.position
    now = np.array(position.operated)
    by_origin: Booleans = np.asarray((ORIGIN_MARK >= 0).all(axis=1))
    came = by_origin[spells.state] & (spells.state == position.state[spells.claim])
    now[spells.claim[came]] = marked(spells)[came]
    return now


def relapsed(spells: Spells) -> Booleans:
    """Return whether the worker has been off work again after a return by the begin of each stay, shape (n_spells,)."""
    again = np.cumsum(np.isin(spells.state, [STATE_CODE[name] for name in with_represented("relapse")]))
    before = np.append([0], again[:-1])[np.searchsorted(spells.claim, spells.claim, side="left")]
    so_far: Booleans = again > before
    return so_far


def relapsed_now(book: ClaimBook) -> Booleans:
    """Return the same of where each claim stands, shape (n_claims,)."""
    now = np.zeros(len(book), dtype=np.bool_)
    np.logical_or.at(now, book.spells.claim, relapsed(book.spells))
    return now


def banded(spells: Spells) -> tuple[Floats, Booleans]:
    """Return the days by which each stay lies in its band and whether it lies in the last, each of shape (n_spells,).

    These are the days off work before the stay, and whether it follows a relapse. Of the settled they are the days in
    the state that they left, and whether they had no attorney there: a settlement buys out what is still due of an
    award, which is being paid down, and what the dispute is worth.
    """
    settled = np.equal(spells.state, STATE_CODE["settled"])
    follows = settled & np.append([False], spells.claim[1:] == spells.claim[:-1])
    left = np.append([0], spells.state[:-1])
    days = np.where(follows, np.append([0.0], stay_days(spells)[:-1]), spells.days_off_before)
    alone = follows & ~REPRESENTED[left]
    return days, np.where(settled, alone, relapsed(spells))


def banded_now(book: ClaimBook) -> tuple[Floats, Booleans]:
    """Return the same of where each claim stands, each of shape (n_claims,)."""
    spells, position = book.spells, book.position
    days, last = np.array(position.days_off_before), relapsed_now(book)
    every = banded(spells)
    here = (spells.state == STATE_CODE["settled"]) & (position.state[spells.claim] == STATE_CODE["settled"])
    days[spells.claim[here]], last[spells.claim[here]] = every[0][here], every[1][here]
    return days, last


def stay_groups(spells: Spells, grid: CellGrid) -> Integers:
    """Return the group of each stay, shape (n_spells,)."""
    return grid.group(spells.state, marked(spells), *banded(spells))


def stay_days(spells: Spells) -> Floats:
    """Return the days of each stay; the middle of the interval where only an interval is known."""
    days: Floats = spells.days - spells.interval / 2.0
    return days


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Calendar days in which a claim's care is paid by the seller of a bundle, hence not seen; shape (n_claims,).

    Attributes
    ----------
    begins : first such day, infinite for a claim without.
    ends : first day after it, infinite while the window is open.
    """

    begins: Floats
    ends: Floats

    def __post_init__(self) -> None:
        self.begins.flags.writeable = False
        self.ends.flags.writeable = False


def bundle_windows(book: ClaimBook) -> Window:
    """Return the default window of the claims already bundled: from the trigger until return to full duty or MMI.

    A worker who is back at the trigger has no window: it ends as it begins.
    """
    begins = np.full(len(book), np.inf)
    ends = np.full(len(book), np.inf)
    if book.valuation_date is None or "bundle_trigger_date" not in book.claims:
        return Window(begins, ends)
    trigger = book.claims["bundle_trigger_date"]
    days = ((trigger - np.datetime64("1970-01-01")) / np.timedelta64(1, "D")).to_numpy(
        dtype=np.float64, na_value=np.inf
    )
    bundled = (book.claims["arrangement"] == "bundle").to_numpy(dtype=np.bool_)
    begins[bundled] = days[bundled]
    spells = book.spells
    closes = np.isin(spells.state, [STATE_CODE[name] for name in CARE_ENDS])
    reached = np.maximum(spells.entered.astype(np.float64), begins[spells.claim])
    closes &= (spells.entered + spells.days > begins[spells.claim]) | (spells.entered >= begins[spells.claim])
    np.minimum.at(ends, spells.claim[closes], reached[closes])
    return Window(begins, ends)


def exposure(
    book: ClaimBook, grid: CellGrid, unseen: Window | None = None, *, dead_until: float = np.inf
) -> sp.csr_array:
    """Return the days each claim has spent in each cell, less the days in `unseen` and those long after a death.

    Parameters
    ----------
    book : the claims.
    grid : the cells.
    unseen : calendar days that do not count.
    dead_until : days after a death that do.

    Returns
    -------
    scipy.sparse.csr_array
        Days, shape (n_claims, n_cells).
    """
    spells = book.spells
    days, began = stay_days(spells), spells.began()
    days = np.where(spells.state == STATE_CODE["dead"], np.minimum(days, dead_until), days)
    in_bins = grid.days_in_bins(began, days)
    if unseen is not None:
        begin = np.clip(unseen.begins[spells.claim] - spells.entered, began, days)
        end = np.clip(unseen.ends[spells.claim] - spells.entered, began, days)
        in_bins = np.maximum(in_bins - grid.days_in_bins(begin, end), 0.0)
    cells = stay_groups(spells, grid)[:, None] * grid.n_bins + np.arange(grid.n_bins)
    stay, column = np.nonzero(in_bins)
    entries = (in_bins[stay, column], (spells.claim[stay], cells[stay, column]))
    return sp.csr_array(entries, shape=(len(book), grid.n_cells))


def payment_cells(book: ClaimBook, grid: CellGrid) -> Integers:
    """Return the cell in which each payment was paid, shape (n_payments,).

    That is the stay begun last on or before the day of payment, so the time from care to payment is carried by the
    rates. A payment before the first stay counts with its first bin, one after the last with the last bin reached.

    Raises
    ------
    ValueError
        If the book has no payments or a claim with payments has no stay.
    """
    if book.payments is None:
        raise ValueError("`book` must be at ledger depth: the payments of a summary carry no dates")
    spells, payments = book.spells, book.payments
    stay_key = _calendar_key(spells.claim, spells.entered + spells.began().astype(np.int64))
    stay = np.searchsorted(stay_key, _calendar_key(payments.claim, payments.day), side="right") - 1
    stay = np.maximum(stay, np.searchsorted(spells.claim, payments.claim, side="left"))
    stay = np.minimum(stay, len(spells) - 1)
    missing: Booleans = spells.claim[stay] != payments.claim
    if missing.any():
        raise ValueError(
            f"`book.spells` must hold a stay of every paid claim; row {payments.claim[missing][0]} has none"
        )
    reached = np.maximum(stay_days(spells)[stay] - 0.5, 0.0)
    days_in_state = np.clip(payments.day - spells.entered[stay], 0.0, reached)
    return grid.cell(stay_groups(spells, grid)[stay], days_in_state)


def _calendar_key(claim: Integers, day: Integers) -> Integers:
    """Return one number that orders by claim, then by day, for days within 1,400 years of 1970."""
    key: Integers = claim * 2**21 + (day + 2**20)
    return key
