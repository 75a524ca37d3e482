"""Claims whose payments follow known rates in known cells, coarser than those the model fits."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.book import ClaimBook, Payments, SetAside
from msk_reserves.claims.spells import Position, Spells
from msk_reserves.claims.vocabulary import CATEGORY_CODE, STATE_CODE
from msk_reserves.cost.cells import CellGrid, stay_groups

GRID = CellGrid((0.0, 14.0, 28.0, 56.0, 91.0, 182.0, 365.0, 730.0, 1461.0), (28.0, 182.0))
VALUATION_DAY = 20_000
WEEKLY_BENEFIT = 700.0
PAYMENT_SIZE = 400.0
"""Mean of an exponential payment; payments arriving at random then have a dispersion of twice that."""

OFF_WORK, BACK, MMI = (STATE_CODE[name] for name in ("off_work", "back_at_work", "mmi"))


@dataclass(frozen=True, slots=True, eq=False)
class PathWorld:
    """The book as of the valuation, and what the model has to find.

    Attributes
    ----------
    book : the claims.
    rates : dollars a day by cell for a claim of relativity 1 and level 1, shape (n_cells,).
    relativity, level : of each claim, shape (n_claims,).
    full_days_off : days off work when the spell ends, seen or not, shape (n_claims,).
    ends_in : state after it, shape (n_claims,).
    """

    book: ClaimBook
    rates: Floats
    relativity: Floats
    level: Floats
    full_days_off: Floats
    ends_in: Integers

    def future_days(self, rows: Integers, days_after: float, grid: CellGrid = GRID) -> Floats:
        """Return the days in each cell from the valuation on, for claims off work, shape (n_rows, n_cells)."""
        off = grid.days_in_bins(self.book.position.days_off[rows], self.full_days_off[rows])
        after = grid.days_in_bins(np.zeros(len(rows)), np.full(len(rows), days_after))
        days = np.zeros((len(rows), grid.n_groups, grid.n_bins))
        days[:, int(grid.group(OFF_WORK, 0, 0))] = off
        days[np.arange(len(rows)), grid.group(self.ends_in[rows], 0, self.full_days_off[rows])] += after
        return days.reshape(len(rows), grid.n_cells)

    def off_work(self) -> Integers:
        """Return the rows of the claims off work on the valuation date."""
        return np.flatnonzero(self.book.position.off_work())


def true_rates() -> Floats:
    """Return medical dollars a day by cell: high at first, higher after longer absences, lasting for the impaired."""
    rates = np.zeros(GRID.shape)
    rates[OFF_WORK] = [200, 120, 90, 70, 50, 40, 30, 25, 20]
    rates[BACK, :, 0] = [30, 15, 8, 4, 2, 1, 0.5, 0.2, 0.1]
    rates[BACK, :, 1] = [50, 25, 14, 8, 4, 2, 1, 0.5, 0.2]
    rates[BACK, :, 2] = [60, 35, 24, 14, 9, 6, 4, 2, 1]
    rates[MMI] = [80, 60, 40, 30, 20, 12, 10, 10, 10]
    return rates.reshape(GRID.n_cells)


def path_world(n_claims: int, seed: int, *, depth: str = "ledger", kappa: float = 2.0) -> PathWorld:
    """Return claims of five years, one absence each, then back at work or (one in five) at their medical end.

    Parameters
    ----------
    n_claims : claims.
    seed : reproduces the world.
    depth : "ledger" or "summary".
    kappa : shape of the gamma law, of mean 1, of the claims' levels.
    """
    draw = np.random.default_rng(seed)
    start = VALUATION_DAY - draw.integers(1, 1826, n_claims)
    full = np.maximum(np.ceil(60 * draw.weibull(0.8, n_claims)), 1.0)
    ends_in = np.where(draw.random(n_claims) < 0.2, MMI, BACK)
    level = draw.gamma(kappa, 1 / kappa, n_claims)
    claims = pd.DataFrame(
        {
            "claim_id": [f"c{row:05d}" for row in range(n_claims)],
            "body_part": np.where(draw.random(n_claims) < 0.4, "knee", "shoulder"),
            "age": draw.integers(20, 65, n_claims).astype(float),
            "arrangement": "ffs",
            "start_day": start,
            "bundle_trigger_date": np.full(n_claims, np.datetime64("NaT"), dtype="datetime64[s]"),
            "weekly_benefit": WEEKLY_BENEFIT,
            "waiting_days": 7.0,
            "retro_days": 14.0,
            "max_weeks": np.nan,
        }
    )
    relativity = np.where(claims["body_part"] == "knee", 0.7, 1.2)
    spells, last = _spells(start, full, ends_in)
    payments = _payments(spells, relativity * level, draw)
    total = np.bincount(payments.claim, payments.amount, minlength=n_claims)
    book = ClaimBook(
        valuation_date=pd.Timestamp("1970-01-01") + pd.Timedelta(days=VALUATION_DAY),
        valuation_day=VALUATION_DAY,
        depth=depth,
        claims=claims,
        spells=spells,
        position=_position(spells, last, np.minimum(full, VALUATION_DAY - start)),
        paid=pd.DataFrame({"medical": total, "indemnity": np.nan, "expense": np.nan}),
        payments=payments if depth == "ledger" else None,
        decisions=(),
        assumptions=(),
        inputs=(),
        set_aside=SetAside(),
    )
    return PathWorld(book, true_rates(), relativity, level, full, ends_in)


def _spells(start: Integers, full: Floats, ends_in: Integers) -> tuple[Spells, Booleans]:
    """Return the stays, and which is the last of its claim."""
    done = full < VALUATION_DAY - start
    claim = np.repeat(np.arange(len(start)), 1 + done)
    first = np.r_[True, claim[1:] != claim[:-1]]
    off = np.minimum(full, VALUATION_DAY - start)
    entered = np.where(first, start[claim], start[claim] + off[claim]).astype(np.int64)
    spells = Spells(
        claim=claim,
        state=np.where(first, OFF_WORK, ends_in[claim]),
        entered=entered,
        days=np.where(first, off[claim], VALUATION_DAY - entered).astype(float),
        next_state=np.where(first & done[claim], ends_in[claim], -1),
        observed_from=np.zeros(len(claim)),
        interval=np.zeros(len(claim)),
        days_off_before=np.where(first, 0.0, off[claim]),
        operated=np.zeros(len(claim), dtype=np.bool_),
    )
    return spells, np.r_[claim[1:] != claim[:-1], True]


def _position(spells: Spells, last: Booleans, days_off: Floats) -> Position:
    """Return where the last stays stand."""
    return Position(
        state=spells.state[last],
        days_in_state=spells.days[last],
        days_off=days_off.astype(float),
        operated=spells.operated[last],
        represented=np.zeros(int(last.sum()), dtype=np.bool_),
        days_off_before=spells.days_off_before[last],
        days_since_start=(spells.since_start() + spells.days)[last],
    )


def _payments(spells: Spells, multiplier: Floats, draw: np.random.Generator) -> Payments:
    """Return payments at random times in each stay and bin, at the true rates times the claim's multiplier."""
    days = GRID.days_in_bins(np.zeros(len(spells)), spells.days)
    rates = true_rates().reshape(-1, GRID.n_bins)[stay_groups(spells, GRID)]
    counts = draw.poisson(days * rates * multiplier[spells.claim][:, None] / PAYMENT_SIZE)
    stay, place = np.nonzero(counts)
    stay, place = (np.repeat(index, counts[stay, place]) for index in (stay, place))
    when = np.array(GRID.bin_edges)[place] + draw.random(len(stay)) * days[stay, place]
    day = spells.entered[stay] + np.floor(when).astype(np.int64)
    order = np.lexsort((day, spells.claim[stay]))
    care = np.array([CATEGORY_CODE["facility"], CATEGORY_CODE["physical_therapy"]])
    return Payments(
        claim=spells.claim[stay][order],
        day=day[order],
        category=draw.choice(care, len(stay)),
        amount=draw.exponential(PAYMENT_SIZE, len(stay)),
    )
