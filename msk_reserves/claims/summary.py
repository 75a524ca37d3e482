"""What an actuary asks of a book first: how many claims stand where, what was paid, what is missing."""

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.claims.as_of import COMPONENT_OF
from msk_reserves.claims.book import Assumption, ClaimBook, Decision, SetAside
from msk_reserves.claims.vocabulary import COMPONENTS, STATES, STILL_IN_STATE


@dataclass(frozen=True, slots=True, eq=False)
class DataSummary:
    """A book in tables.

    Attributes
    ----------
    title : the book in a sentence.
    claims_by_state : number of claims standing in each state.
    exposure : by state, the stays, those ended, and the days at risk (left truncation taken off).
    paid : dollars by component, by calendar year at ledger depth, by accident year at summary depth.
    missing : empty cells of each column of claims, and their share.
    decisions, assumptions, set_aside : as in the book.
    """

    title: str
    claims_by_state: pd.DataFrame
    exposure: pd.DataFrame
    paid: pd.DataFrame
    missing: pd.DataFrame
    decisions: tuple[Decision, ...]
    assumptions: tuple[Assumption, ...]
    set_aside: SetAside

    def __str__(self) -> str:
        parts = [self.title]
        for name, table in self._tables().items():
            shown = table.to_string(float_format=lambda value: f"{value:,.2f}", na_rep="unknown")
            parts.append(f"{name}\n{shown}")
        return "\n\n".join([*parts, *(f"{name}\n" + "\n".join(lines) for name, lines in self._notes().items())])

    def _repr_html_(self) -> str:
        tables = "".join(
            f"<h4>{name}</h4>" + table.to_html(float_format=lambda value: f"{value:,.2f}", na_rep="unknown", border=0)
            for name, table in self._tables().items()
        )
        notes = "".join(
            f"<h4>{name}</h4><ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>"
            for name, lines in self._notes().items()
        )
        return f"<p>{html.escape(self.title)}</p>{tables}{notes}"

    def _tables(self) -> dict[str, pd.DataFrame]:
        """Name the tables as they are shown."""
        return {
            "Claims by state": self.claims_by_state,
            "Exposure": self.exposure,
            "Paid, dollars": self.paid,
            "Missing values": self.missing,
        }

    def _notes(self) -> dict[str, list[str]]:
        """Put decisions, assumptions and what was set aside into lines."""
        away = self.set_aside
        aside = [f"{len(away.claim_ids):,} claims, {away.paid:,.2f} dollars paid", *away.reasons]
        return {
            "Decisions": [f"{d.meaning}: {d.count:,}" for d in self.decisions] or ["none"],
            "Assumptions": [f"{a.name}: {a.value} ({a.source})" for a in self.assumptions] or ["none"],
            "Set aside": aside if away.reasons else ["nothing"],
        }


def summarise_data(book: ClaimBook) -> DataSummary:
    """Return what a book holds: claims by state, exposure, paid, missing values, what was decided and left out.

    Parameters
    ----------
    book : ClaimBook
        The book.

    Returns
    -------
    DataSummary
        Tables that print as text and show in a notebook.

    Examples
    --------
    >>> from msk_reserves.claims.read import load_tables
    >>> claims = pd.DataFrame({
    ...     "claim_id": ["C-1", "C-2"], "body_part": ["shoulder", "knee"], "injury_date": ["2024-01-02", "2024-02-01"],
    ...     "weekly_wage": [900.0, 1200.0], "jurisdiction": ["CA", "TX"], "days_off": [40.0, 60.0],
    ...     "returned": [1, 0], "medical_paid": [5200.0, 800.0]})
    >>> summary = summarise_data(load_tables(claims).as_of("2024-06-30"))
    >>> summary.claims_by_state["claims"].to_dict()
    {'off_work': 1, 'back_at_work': 1}
    >>> summary.paid["medical"].to_dict()
    {2024: 6000.0}
    """
    counts = np.bincount(book.position.state, minlength=len(STATES))
    stand = pd.DataFrame({"claims": counts, "share": counts / max(len(book), 1)}, index=pd.Index(STATES, name="state"))
    return DataSummary(
        title=repr(book),
        claims_by_state=stand[counts > 0],
        exposure=_exposure(book),
        paid=_paid_by_year(book),
        missing=_missing(book),
        decisions=book.decisions,
        assumptions=book.assumptions,
        set_aside=book.set_aside,
    )


def _exposure(book: ClaimBook) -> pd.DataFrame:
    """Count stays, ends and days at risk by state."""
    spells, n = book.spells, len(STATES)
    at_risk: Floats = np.maximum(spells.days - spells.observed_from, 0.0)
    table = pd.DataFrame(
        {
            "stays": np.bincount(spells.state, minlength=n),
            "ended": np.bincount(spells.state[spells.next_state != STILL_IN_STATE], minlength=n),
            "days at risk": np.bincount(spells.state, weights=at_risk, minlength=n),
        },
        index=pd.Index(STATES, name="state"),
    )
    return table[table["stays"] > 0]


def _paid_by_year(book: ClaimBook) -> pd.DataFrame:
    """Add up dollars by component and calendar year, or accident year where payments have no dates."""
    if book.payments is not None:
        years = book.payments.day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
        component = np.array(COMPONENTS, dtype=object)[COMPONENT_OF[book.payments.category]]
        long = pd.DataFrame({"calendar year": years, "component": component, "amount": book.payments.amount})
        table = long.pivot_table(
            index="calendar year", columns="component", values="amount", aggfunc="sum", fill_value=0.0
        )
        return table.reindex(columns=list(COMPONENTS), fill_value=0.0)
    if book.valuation_date is None:
        years = pd.Index(["undated"] * len(book), name="accident year")
    else:
        years = pd.Index(book.claims["injury_date"].dt.year, name="accident year")
    # A year in which a component is unknown for every claim is unknown, not zero.
    return book.paid.groupby(years.to_numpy()).sum(min_count=1).rename_axis(years.name)


def _missing(book: ClaimBook) -> pd.DataFrame:
    """Count the empty cells of each column of claims."""
    empty = book.claims.isna().sum()
    return pd.DataFrame({"empty": empty, "share": empty / max(len(book), 1)})[empty > 0]
