"""Claims still to come: next year's episodes at the beginning of their benefits, like those of a book."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Integers, finite, not_negative, positive, whole
from msk_reserves.claims.book import Assumption, ClaimBook
from msk_reserves.claims.read import load_tables
from msk_reserves.claims.schema import DERIVED, SNAPSHOT_COLUMNS
from msk_reserves.cost.record import Trends
from msk_reserves.episodes.randomness import generator
from msk_reserves.reserves.unreported import claims_not_yet_reported

LEAST_MODELS = 30
"""Claims of a profile that new ones are drawn from, at least."""

_ANEW = (*DERIVED, *SNAPSHOT_COLUMNS, "injury_date", "report_date", "disability_start", "arrangement",
         "bundle_trigger_date", "bundle_price")  # fmt: skip


def new_claims(
    book: ClaimBook,
    n: int,
    *,
    profile: Mapping[str, Sequence[object]] | None = None,
    years: float = 3.0,
    days_off: float | None = None,
    wage_growth: float | None = None,
    seed: int = 20260101,
) -> ClaimBook:
    """Return a book of claims that begin on the valuation date, drawn from the lost-time claims of another.

    Parameters
    ----------
    book : the claims they are like, dated.
    n : how many.
    profile : values that columns of the claims must have, such as `{"body_part": ["shoulder"]}`; all claims when not
        given.
    years : claims injured within these years before the valuation date are drawn from.
    days_off : days off work so far; the waiting period of each claim when not given, from which on a claim is in an
        indemnity file and the recovery model knows it.
    wage_growth : growth of wages and benefits a year, from the injury drawn to the valuation date; that of the cost
        model's default trend when not given.
    seed : reproduces the draw.

    Returns
    -------
    ClaimBook
        Fee for service, nothing paid, off work, for models fitted to `book`. What care cost in the days off so far is
        not in it.

    Raises
    ------
    ValueError
        If the book is undated, a column is unknown, or fewer than thirty claims have the profile.
    """
    if book.valuation_date is None:
        raise ValueError("`book` is undated: claims that begin on its valuation date need one")
    growth = Trends().wage if wage_growth is None else finite(wage_growth, "wage_growth")
    rows = _models(book, profile or {}, positive(years, "years"))
    drawn = generator(seed, "new claims").choice(rows, size=whole(n, "n", at_least=1))
    source = book.claims.iloc[drawn].reset_index(drop=True)
    age = (book.valuation_day - source["injury_day"].to_numpy(dtype=np.float64)) / 365.25
    claims = source.drop(columns=[name for name in _ANEW if name in source])
    for name in ("weekly_wage", "weekly_benefit"):
        claims[name] = np.round(claims[name].to_numpy(dtype=np.float64, na_value=np.nan) * (1 + growth) ** age, 2)
    so_far = claims["waiting_days"].to_numpy(dtype=np.float64, na_value=0.0)
    if days_off is not None:
        so_far = np.full(len(claims), not_negative(days_off, "days_off"))
    began = book.valuation_date - pd.to_timedelta(np.floor(so_far), unit="D")
    claims = claims.assign(
        claim_id=[f"new-{place:06d}" for place in range(len(claims))],
        injury_date=began,
        disability_start=began,
        report_date=book.valuation_date,
        arrangement="ffs",
    )
    events = pd.DataFrame({"claim_id": claims["claim_id"], "date": began, "event": "off_work"})
    payments = pd.DataFrame({"claim_id": pd.Series(dtype=object), "date": pd.Series(dtype="datetime64[ns]"),
                             "category": pd.Series(dtype=object), "amount": pd.Series(dtype=np.float64)})  # fmt: skip
    made = load_tables(claims, events=events.assign(recorded_date=book.valuation_date), payments=payments)
    found = made.as_of(str(book.valuation_date.date()))
    like = Assumption(
        "new claims",
        f"{n:,} drawn from {len(rows):,} lost-time claims of the last {years:g} years"
        + "".join(f", {name} in {', '.join(map(str, values))}" for name, values in (profile or {}).items())
        + f"; wages grow {growth:.1%} a year",
        "given by the user" if profile else "the book",
    )
    return replace(found, assumptions=(*found.assumptions, like))


def _models(book: ClaimBook, profile: Mapping[str, Sequence[object]], years: float) -> Integers:
    """Return the rows of the claims that new ones are drawn from."""
    injured = book.claims["injury_day"].to_numpy(dtype=np.float64)
    kept: Booleans = _lost_time(book) & (injured > book.valuation_day - 365.25 * years)
    for column, values in profile.items():
        if column not in book.claims:
            raise ValueError(f"`profile` names the column {column!r}, which the claims do not have")
        kept &= book.claims[column].isin(list(values)).to_numpy(dtype=np.bool_)
    if kept.sum() < LEAST_MODELS:
        raise ValueError(
            f"`profile` leaves {int(kept.sum())} lost-time claims of the last {years:g} years to draw from; at least "
            f"{LEAST_MODELS} are needed: widen it, or take more `years`"
        )
    return np.flatnonzero(kept)


def _lost_time(book: ClaimBook) -> Booleans:
    """Say which claims have had more days off work than their waiting period, shape (n_claims,)."""
    waiting = np.nan_to_num(book.column("waiting_days"))
    return np.asarray(book.position.days_off > waiting)


@dataclass(frozen=True, slots=True)
class Frequency:
    """How many claims an exposure gives: gamma rates of periods, Poisson counts.

    Attributes
    ----------
    mean, variance : of the number of claims.
    basis : where the exposure of the past comes from, in words.
    """

    mean: float
    variance: float
    basis: str

    def __str__(self) -> str:
        return f"{self.mean:,.0f} claims (standard deviation {np.sqrt(self.variance):,.0f}); {self.basis}"


def expected_claims(book: ClaimBook, exposure: float, *, lost_time: bool = True) -> Frequency:
    """Return how many claims an exposure gives, by the rates of the book's accident periods.

    Parameters
    ----------
    book : the claims, dated; its exposure by period where it has one, else every day counts alike.
    exposure : of the time to come, in the same unit; days where the book has none.
    lost_time : whether only claims with days off beyond their waiting period are counted.

    Returns
    -------
    Frequency
        Mean e a / b and variance of it + e^2 a / b^2, rates of periods being gamma (a, b) with what is not yet reported
        counted in.
    """
    known = claims_not_yet_reported(book)
    shape, rate = known.prior()
    part = float(_lost_time(book).mean()) if lost_time else 1.0
    mean = part * positive(exposure, "exposure") * shape / rate
    return Frequency(mean, mean + mean**2 / shape, known.periods.basis)
