"""However a table is corrupted, it is reported as a defect or holds valid cells that are used as given."""

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from hypothesis import given, settings, strategies as st

from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.defects import ClaimDataError
from msk_reserves.claims.schema import SNAPSHOT_COLUMNS
from tests.worlds.claim_files import NUMBERS, ledger_texts, load, summary_texts, typed, write_csv

DATE = "2099-12-31"

WORDS = (
    "", " ", "NA", "None", "0", "-1", "1", "1e3", "1e400", "-0", "+7", ".5", "5.", "1_000", "1,5", "\u0661", "0x10",
    "inf", "2024-02-30", "2024-02-29", "20240229", "2024-W05-1", "0000-00-00", "1899-12-31", "2024-02-29T00:00",
    "bundle", "C-1", "C-3", "c-3", "off_work", "death", "reopen", "CA", "ca", "true", "=1+1", "\x00", "a\nb", '"',
    "\ufeff",
)  # fmt: skip

NASTY_TEXT = st.one_of(
    st.sampled_from(WORDS),
    st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r"), max_size=8),
    st.floats(allow_nan=True).map(repr),
    st.dates().map(str),
)

ODD: tuple[object, ...] = (
    pd.NA,
    pd.NaT,
    np.float32(3),
    np.datetime64("2024-01-01"),
    b"x",
    (1,),
    [2],
    {},
    1j,
    dt.timedelta(1),
)

NASTY_OBJECT = st.one_of(
    NASTY_TEXT,
    st.floats(),
    st.integers(-(10**400), 10**400),
    st.booleans(),
    st.none(),
    st.dates(),
    st.datetimes(),
    st.sampled_from(ODD),
    st.decimals(),
)


def read_or_report(tables: dict[str, pd.DataFrame], folder: Path | None) -> ClaimBook | None:
    """Read tables into a book, from files if a folder is given; None where defects are reported, each in words."""
    try:
        return (load(write_csv(tables, folder)) if folder else load(tables)).as_of(DATE)
    except ClaimDataError as error:
        defects = error.defects
    assert defects
    assert all(defect.rule and defect.remedy and str(defect) for defect in defects)
    return None


def corrupt(
    data: st.DataObject, tables: dict[str, pd.DataFrame], cells: st.SearchStrategy[object]
) -> tuple[str, str, int]:
    """Put one drawn value into one drawn cell, and say where."""
    name = data.draw(st.sampled_from(sorted(tables)))
    column = data.draw(st.sampled_from(list(tables[name])))
    row = data.draw(st.integers(0, len(tables[name]) - 1))
    values = list(tables[name][column].astype(object))
    values[row] = data.draw(cells)
    series = pd.Series(values, dtype=object)
    tables[name][column] = series
    return name, column, row


@settings(max_examples=100, deadline=None)
@given(data=st.data(), ledger=st.booleans())
def test_a_corrupt_csv_is_reported_or_used_as_given(data: st.DataObject, *, ledger: bool) -> None:
    """Any text in any cell of any CSV: a report, or the number that the text says."""
    tables = ledger_texts() if ledger else summary_texts()
    name, column, row = corrupt(data, tables, NASTY_TEXT)
    with TemporaryDirectory() as folder:
        book = read_or_report(tables, Path(folder))
    if book is None:
        return
    used = not ledger or column not in SNAPSHOT_COLUMNS
    cell = tables[name].loc[row, column]
    if name == "claims" and column in NUMBERS and cell and used:
        claim = book.claims["claim_id"] == tables["claims"].loc[row, "claim_id"]
        held = book.claims.loc[claim, column].item()
        # A covariate of numbers and text stays text, and a decision says so.
        assert held == cell if column == "tenure" and isinstance(held, str) else held == float(cell)
    if name == "payments" and column == "amount":
        assert book.payments is not None
        assert float(cell) in book.payments.amount


@settings(max_examples=100, deadline=None)
@given(data=st.data(), ledger=st.booleans())
def test_a_corrupt_frame_is_reported_or_used_as_given(data: st.DataObject, *, ledger: bool) -> None:
    """Any object in any cell of any frame: a report, or the very value."""
    tables = typed(ledger_texts() if ledger else summary_texts())
    name, column, row = corrupt(data, tables, NASTY_OBJECT)
    book = read_or_report(tables, None)
    if book is None:
        return
    cell = tables[name].loc[row, column]
    if name == "claims" and column in NUMBERS and not isinstance(cell, str) and pd.notna(cell):
        claim = book.claims["claim_id"] == tables["claims"].loc[row, "claim_id"]
        assert book.claims.loc[claim, column].item() == float(cell)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_a_corrupt_structure_is_reported_or_harmless(data: st.DataObject) -> None:
    """Columns dropped, renamed, doubled or of another type, rows dropped or doubled: a report, or a book."""
    tables = typed(ledger_texts())
    name = data.draw(st.sampled_from(sorted(tables)))
    column = data.draw(st.sampled_from(list(tables[name])))
    table = tables[name]
    kind = data.draw(st.sampled_from(("drop", "rename", "double", "type", "rows", "copies", "constant")))
    if kind == "drop":
        table = table.drop(columns=column)
    elif kind == "rename":
        table = table.rename(columns={column: data.draw(st.one_of(NASTY_TEXT, st.integers(), st.none()))})
    elif kind == "double":
        table = pd.concat([table, table[[column]]], axis=1)
    elif kind == "type":
        table[column] = table[column].astype(data.draw(st.sampled_from((object, str, "string", "category"))))
    elif kind == "rows":
        table = table.iloc[: data.draw(st.integers(0, len(table)))]
    elif kind == "copies":
        table = pd.concat([table, table])
    else:
        table[column] = data.draw(st.sampled_from((0, 1.5, True, "x", None, pd.NaT, pd.Timedelta(1), 1j)))
    tables[name] = table
    book = read_or_report(tables, None)
    assert book is None or list(book.claims["claim_id"]) == sorted(tables["claims"]["claim_id"])


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_setting_aside_never_meets_a_defect_of_a_cell(data: st.DataObject) -> None:
    """With `on_defect="set_aside"` a corrupt cell of a ledger costs at most its claim, never the reading."""
    tables = ledger_texts()
    del tables["exposure"]
    _, column, _ = corrupt(data, tables, NASTY_TEXT)
    with TemporaryDirectory() as folder:
        read = load(write_csv(tables, Path(folder)), on_defect="set_aside")
    lost = 1 if column != "claim_id" else 2
    assert len(read) + len(read.set_aside.claim_ids) >= 3
    assert len(read) >= len(ledger_texts()["claims"]) - lost
