"""The tables as read and checked, and the book they give on a date."""

import html
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.as_of import assumptions_of, ledger_view
from msk_reserves.claims.book import ClaimBook, Decision, InputFile, SetAside
from msk_reserves.claims.cells import iso
from msk_reserves.claims.defects import RULES, ClaimDataError, Defect, describe
from msk_reserves.claims.schema import ReadingRules, calendar_day
from msk_reserves.claims.snapshot import runs_past, snapshot_view


@dataclass(frozen=True, slots=True, eq=False)
class CheckReport:
    """What a reading found and decided: the tables, the decisions, the defects set aside."""

    inputs: tuple[InputFile, ...]
    decisions: tuple[Decision, ...]
    set_aside: SetAside
    defects: tuple[Defect, ...]

    def __str__(self) -> str:
        lines = [
            f"{file.table}: {file.rows:,} rows from {file.origin}, sha256 {file.sha256[:16]}…" for file in self.inputs
        ]
        lines += [f"{decision.meaning} ({decision.count:,})" for decision in self.decisions]
        if self.defects:
            away = self.set_aside
            lines.append(
                f"{len(away.claim_ids):,} claims set aside, {away.paid:,.2f} dollars paid on what was left out"
            )
            lines.append(describe(self.defects))
        else:
            lines.append("no defect")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


@dataclass(frozen=True, slots=True, eq=False)
class ClaimTables:
    """The checked tables of the data model; made by `load_tables` and `read_sql`.

    Attributes
    ----------
    depth : "summary" or "ledger".
    claims : one row a claim in the order of `claim_id`, benefits filled in from the statutory table.
    events, payments, case_reserves, scores : dated rows by claim position, with `day` and `known_day` (the later of
        the date and its recording) in days since 1970-01-01; None where not given.
    exposure : payroll or full-time equivalents by period, or None.
    rules : the options of the reading.
    decisions, inputs, set_aside, defects : what was decided, read, left out and why.
    filled : which benefit cells the statutory table filled, a column each.
    row_numbers : row of the file of each claim, the header being row 1.
    file_text : further columns of claims that came as text of a file.
    """

    depth: str
    claims: pd.DataFrame
    events: pd.DataFrame | None
    payments: pd.DataFrame | None
    case_reserves: pd.DataFrame | None
    scores: pd.DataFrame | None
    exposure: pd.DataFrame | None
    rules: ReadingRules
    decisions: tuple[Decision, ...]
    inputs: tuple[InputFile, ...]
    set_aside: SetAside
    defects: tuple[Defect, ...]
    filled: pd.DataFrame
    row_numbers: Integers
    file_text: frozenset[str]

    def __len__(self) -> int:
        return len(self.claims)

    def __repr__(self) -> str:
        away = len(self.set_aside.claim_ids)
        return (
            f"{len(self):,} claim{'' if len(self) == 1 else 's'} at {self.depth} depth, read from "
            f"{', '.join(dict.fromkeys(file.origin for file in self.inputs))}"
            + (f", {away:,} set aside" if away else "")
        )

    def _repr_html_(self) -> str:
        rows = [(file.table, f"{file.rows:,}", file.origin, file.sha256[:16]) for file in self.inputs]
        body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        head = "<tr><th>table</th><th>rows</th><th>origin</th><th>sha256</th></tr>"
        return f"<table><caption>{html.escape(repr(self))}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"

    def check(self) -> CheckReport:
        """Return what the reading found and decided."""
        return CheckReport(self.inputs, self.decisions, self.set_aside, self.defects)

    def as_of(self, date: "str | pd.Timestamp | None") -> ClaimBook:
        """Return the book as it stood on the evening of a date.

        At ledger depth it holds what had happened and been recorded by then, of the claims reported by then. A summary
        table is a snapshot: its date is the one given, and a row that runs past it is a defect.

        Parameters
        ----------
        date : date, or None for tables declared undated
            The valuation date.

        Returns
        -------
        ClaimBook
            Claims, stays, positions, payments; every rule applied counted in `decisions`.

        Raises
        ------
        ClaimDataError
            If a summary row runs past the date.
        ValueError
            If the date is not one, or the tables are undated and a date is given, or the reverse, or no claim was
            reported by then.
        """
        if self.rules.undated != (date is None):
            rule = "None: these tables are undated" if self.rules.undated else "a date: these tables are dated"
            raise ValueError(f"`date` must be {rule}, got {date!r}")
        day = None if date is None else calendar_day(date, "date")
        tables = self if day is None or self.depth == "ledger" else self._within(day)
        if tables.events is not None and day is not None:
            view = ledger_view(tables.claims, tables.events, tables.payments, self.rules, day, self.file_text)
        else:
            view = snapshot_view(tables.claims, self.rules, day, self.file_text)
        filled = tables.filled.iloc[view.rows]
        return ClaimBook(
            valuation_date=None if date is None else pd.Timestamp(date),
            valuation_day=0 if day is None else day,
            depth=self.depth,
            claims=view.claims,
            spells=view.spells,
            position=view.position,
            paid=view.paid,
            payments=view.payments,
            decisions=(*self.decisions, *view.decisions),
            assumptions=assumptions_of(view.claims, filled.reset_index(drop=True), self.rules, self.depth),
            inputs=self.inputs,
            set_aside=tables.set_aside,
            exposure=self._exposure_ended(date),
        )

    def _exposure_ended(self, date: "str | pd.Timestamp | None") -> pd.DataFrame | None:
        """Return the exposure of the periods that had ended on the evening of a date; None of undated tables."""
        if self.exposure is None or date is None:
            return None
        return self.exposure[self.exposure["period_end"] <= pd.Timestamp(date)].reset_index(drop=True)

    def _within(self, day: int) -> "ClaimTables":
        """Return the tables without summary rows that run past `day`, or raise them all."""
        past = runs_past(self.claims, self.rules, day)
        rows = np.flatnonzero(~np.isnan(past))
        if not len(rows):
            return self
        rule, remedy = RULES["beyond_as_of"]
        ids = self.claims["claim_id"].to_numpy()
        defects = tuple(
            Defect(
                code="beyond_as_of",
                table="claims",
                column="days_off",
                row=int(self.row_numbers[row]),
                claim=str(ids[row]),
                rule=rule,
                value=f"{iso(past[row])} with as-of date {iso(day)}",
                remedy=remedy,
            )
            for row in rows
        )
        if self.rules.on_defect == "raise" or len(rows) == len(self):
            raise ClaimDataError(defects)
        return self._without(rows, defects)

    def _without(self, rows: Integers, defects: tuple[Defect, ...]) -> "ClaimTables":
        """Return summary tables with some claims set aside."""
        gone = self.claims.iloc[rows]
        dollars: Floats = gone[["medical_paid", "indemnity_paid", "expense_paid"]].to_numpy(dtype=np.float64)
        ids = tuple(sorted({*self.set_aside.claim_ids, *gone["claim_id"]}))
        reasons = (*self.set_aside.reasons, f"claims, `days_off`: {defects[0].rule} ({len(defects):,})")
        kept = np.setdiff1d(np.arange(len(self)), rows)
        return ClaimTables(
            depth=self.depth,
            claims=self.claims.iloc[kept].reset_index(drop=True),
            events=None,
            payments=None,
            case_reserves=self.case_reserves,
            scores=self.scores,
            exposure=self.exposure,
            rules=self.rules,
            decisions=self.decisions,
            inputs=self.inputs,
            set_aside=SetAside(ids, self.set_aside.paid + float(np.nansum(dollars)), reasons),
            defects=(*self.defects, *defects),
            filled=self.filled.iloc[kept].reset_index(drop=True),
            row_numbers=self.row_numbers[kept],
            file_text=self.file_text,
        )
