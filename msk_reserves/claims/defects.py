"""What can be wrong with a table, and the error that lists all of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Integers

SHOWN = 50
"""Defects printed in an error before the rest are only counted."""

RULES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # The table as a whole
        "unreadable": ("the file could not be read", "save it as CSV in UTF-8 or as Parquet"),
        "ragged_row": ("every row must have one cell for each column of the header", "correct the row"),
        "no_rows": ("the table must have at least one row", "check the extract"),
        "missing_column": ("the column is required", "add it, or name yours through `columns`"),
        "misspelt_column": ("the column is unknown and looks like a misspelling", "rename it, or map it by `columns`"),
        "duplicate_column": ("a column name may occur only once", "drop or rename one of them"),
        "nameless_column": ("a column name must be text and not empty", "give the column a name"),
        "reserved_column": ("the name is one that the library itself fills in", "rename the column"),
        "mapped_column_absent": ("`columns` names a column that the table does not have", "correct the mapping"),
        "payments_without_events": (
            "payments need the dated events of the same claims",
            "give `events`, or put paid dollars in `medical_paid` and its like",
        ),
        "no_exposure_measure": ("exposure needs `payroll` or `full_time_equivalents`", "add one of the two columns"),
        "boolean_column": ("a column of true and false is not a column of numbers", "write 0 and 1"),
        "numbers_for_text": ("the column must hold text", "convert it to text, leading zeros included"),
        "zoned_dates": ("dates must not carry a time zone", "convert to local dates and drop the zone"),
        "unusable_column": ("the column holds neither numbers, nor text, nor dates", "convert the column"),
        # One cell
        "empty_cell": ("the cell must not be empty", "fill it in"),
        "na_word": ("a word for 'missing' is not an empty cell", "leave the cell empty"),
        "padded_text": ("text must not begin or end with white space", "strip the spaces"),
        "text_for_number": ("a number is needed, without currency signs or thousands separators", "write 1234.5"),
        "boolean_cell": ("true or false is not a number", "write 0 or 1"),
        "not_finite": ("the number must be finite", "correct it, or leave the cell empty if unknown"),
        "negative": ("must not be negative", "correct it, or leave the cell empty if unknown"),
        "not_above_zero": ("must be above zero", "correct it, or leave the cell empty if unknown"),
        "too_large": ("is beyond what is possible", "correct it, or leave the cell empty if unknown"),
        "not_whole": ("must be a whole number", "correct it"),
        "not_flag": ("must be 0 or 1", "write 0 or 1"),
        "not_iso_date": ("dates are written YYYY-MM-DD", "rewrite the date"),
        "mixed_dates": ("the column mixes ways to write a date; all must be YYYY-MM-DD", "rewrite the date"),
        "impossible_date": ("there is no such day", "correct the date"),
        "early_date": ("dates before 1900 are not believed", "correct it, or leave the cell empty if unknown"),
        "late_date": ("dates from 2100 on stand for something else", "leave the cell empty if there is no date"),
        "time_of_day": ("a date must not carry a time of day", "drop the time"),
        "not_a_date": ("a date is needed", "write YYYY-MM-DD"),
        "not_text": ("text is needed", "convert it to text"),
        "unknown_word": ("the word is unknown", "use a word of the data model"),
        "unmapped_code": ("the code is unknown", "map it to one of ours through `categories` or `events_map`"),
        "mixed_types": ("the column mixes text and numbers", "convert the column to one of them"),
        # Claims
        "duplicate_claim": ("`claim_id` must be unique", "keep one row a claim"),
        "report_before_injury": ("must not be before `injury_date`", "correct one of the two dates"),
        "start_before_injury": ("must not be before `injury_date`", "correct one of the two dates"),
        "trigger_before_injury": ("must not be before `injury_date`", "correct one of the two dates"),
        "bundle_without_trigger": ("a bundled claim needs `bundle_trigger_date`", "fill it in, or write ffs"),
        "bundle_without_price": ("a bundled claim needs `bundle_price`", "fill it in, or write ffs"),
        "trigger_without_bundle": ("only a claim with `arrangement` bundle has a trigger", "write bundle, or empty it"),
        "price_without_bundle": (
            "only a claim with `arrangement` bundle has a bundle price",
            "write bundle, or empty it",
        ),
        "no_wage": ("`weekly_wage` or `weekly_benefit` must be given", "fill in one of the two"),
        "no_jurisdiction": (
            "`jurisdiction` must be given where the benefit and the waiting rule are not",
            "fill it in, or give all of `weekly_benefit`, `waiting_days`, `retro_days` and `max_weeks`",
        ),
        "beyond_as_of": (
            "a summary row is a snapshot and must not run past the as-of date",
            "value at the date of the extract, or correct the row",
        ),
        # Tables of a claim
        "unknown_claim": ("no such `claim_id` in claims", "add the claim or correct the id"),
        "before_injury": ("must not be before `injury_date` of the claim", "correct one of the two dates"),
        "recorded_before": ("nothing is recorded before its `date`", "correct one of the two dates"),
        "after_death": ("nothing moves a worker after death", "correct the date or the event"),
        "return_without_off": (
            "a worker who was never off work cannot return",
            "add the missing event, or drop this one",
        ),
        "off_before_start": ("no day off work may come before `disability_start`", "correct one of the two dates"),
        "end_before_start": ("disability must not end before `disability_start`", "correct one of the two dates"),
        "no_disability_start": ("a claim with an off_work event needs `disability_start`", "fill it in"),
        "reopen_without_close": ("a file that was not closed cannot reopen", "add the closing, or drop this event"),
        "release_without_settlement": ("only a settlement releases medical", "empty the cell"),
        "service_after_payment": (
            "service more than a year after its payment is not believed",
            "correct one of the dates",
        ),
        "score_range": ("the score lies outside its instrument's scale", "correct the score or the instrument"),
        "end_before_period": ("must not be before `period_start`", "correct one of the two dates"),
    }
)
"""Rule and remedy of every defect of a table of claims, by its code."""

LAW_RULES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "age_not_next": ("each age must be the one before plus 1", "give every age once, in order"),
        "rule_twice": ("the same rule is given a second time", "keep one row"),
        "no_first_step": ("a rule that starts later needs one that starts at 0", "add the row of the first step"),
        "minimum_above_maximum": ("must not be above `weekly_maximum`", "correct one of the two amounts"),
        "retro_before_waiting": ("must not be before the end of `waiting_days`", "correct one of the two"),
        "cap_below_rate": ("must not be below `rate`", "correct one of the two shares"),
        "fixed_without_rate": ("a fixed escalation needs `escalation`", "give the growth a year, 0.03 for 3 %"),
        "award_of_nothing": (
            "an award needs weeks, dollars, or a loss of wages",
            "give `weeks_per_point`, `dollars_per_point` or `weeks`, or the basis wage_loss",
        ),
    }
)
"""The same of tables of lives and laws, where they have rules of their own."""


def rule_of(code: str) -> tuple[str, str]:
    """Return the rule and the remedy of a defect."""
    return RULES[code] if code in RULES else LAW_RULES[code]


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing wrong with one table.

    Attributes
    ----------
    code : key of `RULES` or `LAW_RULES`.
    table, column : where.
    row : row of the file, the header being row 1; None for a defect of the whole table.
    claim : the claim concerned, or None.
    rule, value, remedy : the rule broken, the value that came, what to do.
    """

    code: str
    table: str
    column: str
    row: int | None
    claim: str | None
    rule: str
    value: str
    remedy: str

    def __str__(self) -> str:
        row = "" if self.row is None else f" row {self.row}"
        claim = "" if self.claim is None else f" (claim {self.claim})"
        where = f", `{self.column}`" if self.column else ""
        return f"{self.table}{row}{claim}{where}: {self.rule}; got {self.value}; {self.remedy}"


class ClaimDataError(ValueError):
    """The tables cannot be used as they are; `defects` holds everything that was found.

    Parameters
    ----------
    defects : sequence of Defect
        All defects of all tables; the message prints the first fifty and counts the rest.

    Examples
    --------
    >>> rule, remedy = RULES["negative"]
    >>> defect = Defect("negative", "claims", "age", 5, "C-3", rule, "-4.0", remedy)
    >>> print(ClaimDataError([defect]))
    1 defect in the tables:
      claims row 5 (claim C-3), `age`: must not be negative; got -4.0; correct it, or leave the cell empty if unknown
    """

    defects: tuple[Defect, ...]

    def __init__(self, defects: Sequence[Defect]) -> None:
        self.defects = tuple(defects)
        super().__init__(describe(self.defects))


def describe(defects: Sequence[Defect]) -> str:
    """Return the defects as lines of text, the first fifty in full."""
    n = len(defects)
    lines = [f"{n:,} defect{'' if n == 1 else 's'} in the tables:"]
    lines += [f"  {defect}" for defect in defects[:SHOWN]]
    if n > SHOWN:
        lines.append(f"  … and {n - SHOWN:,} more, in `defects` of this error")
    return "\n".join(lines)


class Told(str):
    """A value put into words by the library, shown without the quotes of a cell's own text."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """One rule broken in one column: the rows (positions in the table as read) and their values."""

    code: str
    table: str
    column: str
    rows: Integers | None
    values: tuple[str, ...]


@dataclass(slots=True)
class Findings:
    """Everything found so far; the one collector that a reading passes along."""

    items: list[Finding] = field(default_factory=list)

    def whole(self, code: str, table: str, column: str, value: str) -> None:
        """Note a defect of a whole table or column."""
        self.items.append(Finding(code, table, column, None, (value,)))

    def cells(self, code: str, table: str, column: str, rows: npt.ArrayLike, values: Iterable[object]) -> None:
        """Note defects of single rows, given by position; nothing is noted where there are none."""
        where = np.asarray(rows, dtype=np.int64)
        if len(where):
            self.items.append(Finding(code, table, column, where, tuple(_shown(value) for value in values)))


def _shown(value: object) -> str:
    """Return a value as an error prints it: a cell's text in quotes, long text cut."""
    text = repr(value) if isinstance(value, str) and not isinstance(value, Told) else str(value)
    return text if len(text) <= 80 else text[:77] + "…'"
