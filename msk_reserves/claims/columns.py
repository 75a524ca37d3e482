"""The rules of one table on its own: its columns, and each of its cells."""

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.cells import (
    PLAIN_NUMBER,
    Parsed,
    is_empty,
    parse_dates,
    parse_numbers,
    parse_text,
    parse_words,
)
from msk_reserves.claims.defects import Findings, Told
from msk_reserves.claims.schema import COVARIATES, DERIVED, Column, ReadingRules, columns_of
from msk_reserves.claims.sources import Cells, Sheet, TextCells


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table with every cell parsed.

    Attributes
    ----------
    sheet : the table as it came.
    ids : `claim_id` of each row; empty text for a table without.
    values : numbers and dates (days since 1970-01-01) as floats with NaN, words as codes with -1; every column of the
        data model is there, empty where the source has none.
    texts : the columns of free text that the source has.
    given : the columns of the data model that the source has.
    covariates : further columns of claims, as pandas columns of numbers or text.
    ignored : further columns of any other table.
    """

    sheet: Sheet
    ids: TextCells
    values: Mapping[str, Floats]
    texts: Mapping[str, TextCells]
    given: frozenset[str]
    covariates: Mapping[str, pd.Series]
    ignored: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.sheet)

    def missing(self, name: str) -> Booleans:
        """Whether each cell of a column is empty."""
        values = self.values[name]
        empty: Booleans = np.isnan(values) if values.dtype.kind == "f" else values < 0
        return empty


def parse_table(sheet: Sheet, rules: ReadingRules, found: Findings, *, ledger: bool) -> Table:
    """Parse every cell of a table of claims, noting whatever breaks a rule of its own column."""
    columns = columns_of(sheet.table, ledger=ledger, undated=rules.undated)
    return parse_columns(sheet, columns, found, rules.words_map)


def parse_columns(
    sheet: Sheet,
    columns: Mapping[str, Column],
    found: Findings,
    words_map: Callable[[str], Mapping[str, str]] = lambda _: {},
) -> Table:
    """Parse every cell of a table of the given columns; `words_map` gives the user's words for ours in a column."""
    further = _check_names(sheet, columns, found)
    ids = TextCells(np.full(len(sheet), -1, dtype=np.int64), (), from_file=False)
    values: dict[str, Floats] = {}
    texts: dict[str, TextCells] = {}
    for name, column in columns.items():
        cells = sheet.columns.get(name)
        if cells is None and column.kind == "text":
            continue
        if cells is None:
            values[name] = np.full(len(sheet), -1 if column.kind == "word" else np.nan)
            if column.kind == "word":
                values[name] = values[name].astype(np.int64)
            continue
        if column.kind == "id":
            ids, flaws = parse_text(cells)
            parsed = Parsed(ids.codes, flaws)
        elif column.kind == "text":
            texts[name], flaws = parse_text(cells)
            parsed = Parsed(texts[name].codes, flaws)
        else:
            parsed = _parse(cells, column, words_map(name))
            values[name] = parsed.values
        _note(sheet, name, parsed, found)
        if column.need == "required":
            _check_filled(sheet, name, parsed, found)
    covariates = {name: _covariate(sheet, name, found) for name in further} if sheet.table == "claims" else {}
    ignored = () if sheet.table == "claims" else tuple(further)
    given = frozenset(columns) & frozenset(sheet.columns)
    return Table(sheet, ids, values, texts, given, covariates, ignored)


def _parse(cells: Cells, column: Column, mapping: Mapping[str, str]) -> Parsed:
    """Parse one column by its kind and hold it to its limits."""
    if column.kind == "date":
        return parse_dates(cells)
    if column.kind == "word":
        return parse_words(cells, column.words, mapping)
    parsed = parse_numbers(cells)
    values: Floats = parsed.values
    broken: dict[str, Booleans] = {}
    if column.kind == "flag":
        broken["not_flag"] = ~np.isin(values, (0.0, 1.0)) & ~np.isnan(values)
    else:
        broken["negative"] = (values < column.low) & (column.low == 0)
        broken["not_above_zero"] = (values == 0) & column.above_zero
        broken["too_large"] = (values > column.high) | ((values < column.low) & (column.low < 0))
        broken["not_whole"] = (values != np.floor(values)) & ~np.isnan(values) & column.whole
    for code, bad in broken.items():
        parsed.flaw(code, bad, lambda rows: values[rows].tolist())
    return parsed


def _note(sheet: Sheet, name: str, parsed: Parsed, found: Findings) -> None:
    """Pass the flaws of a column on to the findings."""
    for code, rows, values in parsed.flaws:
        if rows is None:
            found.whole(code, sheet.table, name, f"a column of {values[0]}")
        else:
            found.cells(code, sheet.table, name, rows, values)


def _check_filled(sheet: Sheet, name: str, parsed: Parsed, found: Findings) -> None:
    """Note the empty cells of a column that must be filled; unusable cells are noted already."""
    if any(rows is None for _, rows, _ in parsed.flaws):
        return
    empty = np.isnan(parsed.values) if parsed.values.dtype.kind == "f" else parsed.values < 0
    for _, rows, _ in parsed.flaws:
        empty[rows] = False
    where = np.flatnonzero(empty)
    found.cells("empty_cell", sheet.table, name, where, [Told("an empty cell")] * len(where))


def _check_names(sheet: Sheet, columns: Mapping[str, Column], found: Findings) -> list[str]:
    """Note missing, misspelt and reserved names; return the columns the data model does not know."""
    if not sheet.columns:
        return []
    further = []
    absent = [name for name in columns if name not in sheet.columns]
    misspelt = set()
    for name in sheet.columns:
        if name in columns:
            continue
        if sheet.table == "claims" and name in DERIVED:
            found.whole("reserved_column", sheet.table, name, repr(name))
            continue
        meant = [] if name in COVARIATES else _resembles(name, absent)
        if meant:
            misspelt.add(meant[0])
            found.whole("misspelt_column", sheet.table, name, f"{name!r}, close to `{meant[0]}`")
        else:
            further.append(name)
    for name in absent:
        if columns[name].need != "optional" and name not in misspelt:
            found.whole("missing_column", sheet.table, name, f"columns {', '.join(map(str, sheet.columns))}")
    return further


def _resembles(name: str, absent: list[str]) -> list[str]:
    """Return the absent column that a name may stand for: the same but for case and spaces, or nearly so."""
    plain = "_".join(name.lower().replace("-", " ").split())
    for column in absent:
        if plain.replace("_", "") == column.replace("_", ""):
            return [column]
    # Short names resemble too much ("wage" is not "age").
    return difflib.get_close_matches(plain, [column for column in absent if len(column) > 4], n=1, cutoff=0.85)


def _covariate(sheet: Sheet, name: str, found: Findings) -> pd.Series:
    """Take a further column of claims as a column of numbers or text."""
    cells = sheet.columns[name]
    if isinstance(cells, TextCells):
        parsed = parse_text(cells)
        _note(sheet, name, Parsed(cells.codes, [flaw for flaw in parsed[1] if flaw[0] == "na_word"]), found)
        return text_column(cells)
    if pd.api.types.is_bool_dtype(cells.dtype):
        found.whole("boolean_column", sheet.table, name, f"a column of {cells.dtype}")
    elif pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_complex_dtype(cells.dtype):
        numbers = parse_numbers(cells)
        _note(sheet, name, numbers, found)
        return pd.Series(numbers.values)
    elif cells.dtype == object:
        return _object_covariate(sheet, name, cells, found)
    else:
        found.whole("unusable_column", sheet.table, name, f"a column of {cells.dtype}")
    return pd.Series(np.full(len(cells), np.nan))


def _object_covariate(sheet: Sheet, name: str, cells: pd.Series, found: Findings) -> pd.Series:
    """Take a covariate of Python objects: all numbers, or a defect."""
    texts = np.array([isinstance(value, str) and not is_empty(value) for value in cells])
    if texts.any():
        rows: Integers = np.flatnonzero(texts)
        found.cells("mixed_types", sheet.table, name, rows, [cells.iloc[row] for row in rows])
    numbers = parse_numbers(cells)
    _note(sheet, name, Parsed(numbers.values, [f for f in numbers.flaws if f[0] != "text_for_number"]), found)
    odd = [
        row
        for code, rows, _ in numbers.flaws
        if code == "text_for_number" and rows is not None
        for row in rows.tolist()
        if not texts[row]
    ]
    found.cells("unusable_column", sheet.table, name, odd, [cells.iloc[row] for row in odd])
    return pd.Series(numbers.values)


def text_column(cells: TextCells) -> pd.Series:
    """Return text as a pandas column: numbers where a file's every cell is one, else text with None where empty."""
    used = np.unique(cells.codes[cells.codes >= 0])
    numeric = cells.from_file and all(PLAIN_NUMBER.fullmatch(cells.words[code]) for code in used)
    if numeric:
        table = np.full(len(cells.words) + 1, np.nan)
        table[used] = [float(cells.words[code]) for code in used]
        return pd.Series(table[cells.codes])
    words = np.array([*cells.words, None], dtype=object)
    return pd.Series(words[cells.codes], dtype=object)
