"""Strict parsing of one raw column: a cell is used as it stands, or reported."""

import datetime as dt
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.defects import Told
from msk_reserves.claims.sources import Cells, TextCells

NA_WORDS = frozenset(("na", "n/a", "nan", "null", "nat", "<na>", "#n/a"))
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?", re.ASCII)
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
UNIX_EPOCH = dt.date(1970, 1, 1)
FIRST_DAY = (dt.date(1900, 1, 1) - UNIX_EPOCH).days
PAST_LAST_DAY = (dt.date(2100, 1, 1) - UNIX_EPOCH).days

Flaw = tuple[str, Integers | None, Sequence[object]]
"""Code of the rule broken, rows (None for the whole column), values."""


@dataclass(slots=True, eq=False)
class Parsed:
    """A column parsed: numbers and dates as floats with NaN where empty or unusable, text as codes with -1."""

    values: Any
    flaws: list[Flaw] = field(default_factory=list)

    def flaw(self, code: str, bad: Booleans, shown: Callable[[Integers], Sequence[object]]) -> None:
        """Note the rows where `bad` holds."""
        rows = np.flatnonzero(bad)
        if len(rows):
            self.flaws.append((code, rows, shown(rows)))


def is_empty(value: object) -> bool:
    """Whether a cell of a frame counts as empty."""
    return (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or value == ""
        or (isinstance(value, float) and math.isnan(value))
    )


def empty_cells(cells: Cells) -> Booleans:
    """Whether each cell of a raw column is empty, shape (n_rows,)."""
    if isinstance(cells, TextCells):
        return cells.codes < 0
    if cells.dtype == object:
        return np.array([is_empty(value) for value in cells], dtype=np.bool_)
    empty: Booleans = cells.isna().to_numpy(dtype=np.bool_)
    return empty


def parse_numbers(cells: Cells) -> Parsed:
    """Parse numbers: finite floats, NaN where the cell is empty."""
    if isinstance(cells, TextCells):
        parsed = _by_word(cells, _number_word if cells.from_file else _refuse_number_word)
    elif isinstance(cells.dtype, np.dtype) and cells.dtype.kind in "iuf":
        parsed = Parsed(cells.to_numpy(dtype=np.float64, copy=True))
    elif pd.api.types.is_bool_dtype(cells.dtype):
        return Parsed(np.full(len(cells), np.nan), [("boolean_column", None, [cells.dtype])])
    elif pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_complex_dtype(cells.dtype):
        parsed = Parsed(cells.to_numpy(dtype=np.float64, na_value=np.nan))
    elif cells.dtype == object:
        parsed = _by_cell(cells, _number_cell)
    else:
        return Parsed(np.full(len(cells), np.nan), [("unusable_column", None, [cells.dtype])])
    values: Floats = parsed.values
    infinite = np.isinf(values)
    parsed.flaw("not_finite", infinite, lambda rows: values[rows].tolist())
    parsed.values = np.where(infinite, np.nan, values)
    return parsed


def parse_dates(cells: Cells) -> Parsed:
    """Parse dates: days since 1970-01-01 as floats, NaN where the cell is empty."""
    if isinstance(cells, TextCells):
        parsed = _by_word(cells, _date_word)
        wrong = any(code == "not_iso_date" for code, _, _ in parsed.flaws)
        if wrong and np.isfinite(parsed.values).any():
            parsed.flaws = [
                ("mixed_dates" if code == "not_iso_date" else code, rows, shown) for code, rows, shown in parsed.flaws
            ]
    elif isinstance(cells.dtype, pd.DatetimeTZDtype):
        return Parsed(np.full(len(cells), np.nan), [("zoned_dates", None, [cells.dtype])])
    elif isinstance(cells.dtype, np.dtype) and cells.dtype.kind == "M":
        stamps = cells.to_numpy()
        days = stamps.astype("datetime64[D]")
        parsed = Parsed(np.where(np.isnat(stamps), np.nan, days.astype(np.int64).astype(np.float64)))
        timed = ~np.isnat(stamps) & (days.astype(stamps.dtype) != stamps)
        parsed.flaw("time_of_day", timed, lambda rows: [Told(value) for value in stamps[rows]])
    elif cells.dtype == object:
        parsed = _by_cell(cells, _date_cell)
    elif cells.isna().all():
        return Parsed(np.full(len(cells), np.nan))
    else:
        return Parsed(np.full(len(cells), np.nan), [("not_a_date", None, [cells.dtype])])
    for code, bad in (("early_date", parsed.values < FIRST_DAY), ("late_date", parsed.values >= PAST_LAST_DAY)):
        parsed.flaw(code, bad, lambda rows: [iso(day) for day in parsed.values[rows]])
        parsed.values = np.where(bad, np.nan, parsed.values)
    return parsed


def parse_text(cells: Cells) -> tuple[TextCells, list[Flaw]]:
    """Take a column of text; words for 'missing' and padded text are flaws."""
    if not isinstance(cells, TextCells):
        empty = TextCells(np.full(len(cells), -1, dtype=np.int64), (), from_file=False)
        if empty_cells(cells).all():
            return empty, []
        if pd.api.types.is_numeric_dtype(cells.dtype):
            return empty, [("numbers_for_text", None, [cells.dtype])]
        kept = [value if isinstance(value, str) or is_empty(value) else None for value in cells]
        flawed = [place for place, value in enumerate(cells) if not (isinstance(value, str) or is_empty(value))]
        codes, words = pd.factorize(pd.Series([value or None for value in kept], dtype=object))
        text = TextCells(codes.astype(np.int64), tuple(words), from_file=False)
        odd: list[Flaw] = [("not_text", np.array(flawed, dtype=np.int64), [cells.iloc[place] for place in flawed])]
        return text, [*(odd if flawed else []), *_text_flaws(text)]
    return cells, _text_flaws(cells)


def _text_flaws(cells: TextCells) -> list[Flaw]:
    """Find words for 'missing' and padded words."""
    flaws: list[Flaw] = []
    tests: dict[str, Callable[[str], bool]] = {
        "na_word": lambda word: word.lower() in NA_WORDS,
        "padded_text": lambda word: word != word.strip(),
    }
    for code, test in tests.items():
        bad = np.array([test(word) for word in cells.words] + [False])
        rows = np.flatnonzero(bad[cells.codes])
        if len(rows):
            flaws.append((code, rows, cells.at(rows)))
    return flaws


def parse_words(cells: Cells, words: Sequence[str], mapping: Mapping[str, str]) -> Parsed:
    """Parse words of a vocabulary, the user's own first mapped to ours: codes, -1 where empty or unknown."""
    text, flaws = parse_text(cells)
    place = {word: code for code, word in enumerate(words)}
    codes = np.array([place.get(mapping.get(word, word), -2) for word in text.words] + [-1], dtype=np.int64)
    values = codes[text.codes]
    named = {int(row) for code, rows, _ in flaws if rows is not None for row in rows}
    parsed = Parsed(np.maximum(values, -1), list(flaws))
    unknown = values == -2
    unknown[list(named)] = False
    parsed.flaw("unmapped_code" if words[0] in {"off_work", "facility"} else "unknown_word", unknown, text.at)
    return parsed


def iso(day: float) -> Told:
    """Return a day since 1970-01-01 in ISO form."""
    return Told(np.datetime64(int(day), "D"))


def _by_word(cells: TextCells, parse: Callable[[str], float | str]) -> Parsed:
    """Parse each different word once; `parse` returns a number or the code of a flaw."""
    outcomes = [parse(word) for word in cells.words]
    table = np.array([value if isinstance(value, float) else np.nan for value in outcomes] + [np.nan])
    parsed = Parsed(table[cells.codes])
    for code in sorted({value for value in outcomes if isinstance(value, str)}):
        bad = np.array([value == code for value in outcomes] + [False])
        parsed.flaw(code, bad[cells.codes], cells.at)
    return parsed


def _by_cell(cells: pd.Series, parse: Callable[[object], float | str]) -> Parsed:
    """Parse each cell of an object column; `parse` returns a number or the code of a flaw."""
    outcomes = [np.nan if is_empty(value) else parse(value) for value in cells]
    parsed = Parsed(np.array([value if isinstance(value, float) else np.nan for value in outcomes]))
    for code in sorted({value for value in outcomes if isinstance(value, str)}):
        bad = np.array([value == code for value in outcomes])
        parsed.flaw(code, bad, lambda rows: [cells.iloc[row] for row in rows])
    return parsed


def _number_word(word: str) -> float | str:
    """Read a number written as text in a file."""
    if NUMBER.fullmatch(word):
        return float(word)
    if word.lower() in NA_WORDS:
        return "na_word"
    return "not_finite" if word.lower().lstrip("+-") in {"inf", "infinity"} else "text_for_number"


def _refuse_number_word(word: str) -> str:
    """Refuse text in a column of numbers of a frame."""
    return "na_word" if word.lower() in NA_WORDS else "text_for_number"


def _number_cell(value: object) -> float | str:
    """Take a number out of an object column."""
    if isinstance(value, bool | np.bool_):
        return "boolean_cell"
    if isinstance(value, int | float | Decimal | np.integer | np.floating):
        try:
            number = float(value)
        except (OverflowError, ValueError):
            return "not_finite"
        # A float that is NaN is an empty cell and never comes here; a Decimal NaN does.
        return "not_finite" if math.isnan(number) else number
    return _refuse_number_word(value) if isinstance(value, str) else "text_for_number"


def _date_word(word: str) -> float | str:
    """Read an ISO date."""
    if ISO_DATE.fullmatch(word):
        try:
            return float((dt.date.fromisoformat(word) - UNIX_EPOCH).days)
        except ValueError:
            return "impossible_date"
    return "na_word" if word.lower() in NA_WORDS else "not_iso_date"


def _date_cell(value: object) -> float | str:
    """Take a date out of an object column."""
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None or (value.hour, value.minute, value.second, value.microsecond) != (0, 0, 0, 0):
            return "time_of_day"
        return float((value.date() - UNIX_EPOCH).days)
    if isinstance(value, dt.date):
        return float((value - UNIX_EPOCH).days)
    return _date_word(value) if isinstance(value, str) else "not_a_date"
