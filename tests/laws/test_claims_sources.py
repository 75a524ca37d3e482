"""The same tables give the same book from CSV, Parquet, frames, DuckDB and SQLite; and what a summary shows of it."""

import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pytest
import sqlalchemy as sa

from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.read import read_sql
from msk_reserves.claims.sources import frame_hash
from msk_reserves.claims.summary import summarise_data
from msk_reserves.claims.tables import ClaimTables
from tests.worlds.claim_files import (
    assert_same_book,
    ledger_texts,
    load,
    summary_texts,
    typed,
    write_csv,
)

DATE = "2024-06-30"


def sql(connection: object) -> ClaimTables:
    """Read all tables by one query each."""
    return read_sql(
        connection,
        claims="select * from claims",
        events="select * from events",
        payments="select * from payments",
        case_reserves="select * from case_reserves",
        scores="select * from scores",
        exposure="select * from exposure",
    )


def plain(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Write dates as ISO text, as SQLite holds them."""
    out = {name: table.copy() for name, table in tables.items()}
    for table in out.values():
        for column in table.select_dtypes("datetime"):
            table[column] = table[column].dt.strftime("%Y-%m-%d")
    return out


@pytest.fixture(name="expected", scope="module")
def book_of_frames() -> ClaimBook:
    """The book that pandas frames give."""
    return load(typed(ledger_texts())).as_of(DATE)


def test_csv_gives_the_book_of_the_frames(expected: ClaimBook, tmp_path: Path) -> None:
    """Text read strictly from CSV equals typed frames."""
    assert_same_book(load(write_csv(ledger_texts(), tmp_path)).as_of(DATE), expected)


def test_csv_with_a_byte_order_mark_and_blank_lines(expected: ClaimBook, tmp_path: Path) -> None:
    """What spreadsheets add to a CSV changes nothing."""
    paths = write_csv(ledger_texts(), tmp_path)
    for path in paths.values():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n")
    assert_same_book(load(paths).as_of(DATE), expected)


def test_parquet_gives_the_book_of_the_frames(expected: ClaimBook, tmp_path: Path) -> None:
    """Parquet equals frames, an index written with it included."""
    paths = {}
    for name, table in typed(ledger_texts()).items():
        paths[name] = tmp_path / f"{name}.parquet"
        (table.set_index("claim_id") if "claim_id" in table else table).to_parquet(paths[name])
    assert_same_book(load(paths).as_of(DATE), expected)


def test_duckdb_gives_the_book_of_the_frames(expected: ClaimBook) -> None:
    """Queries on DuckDB, with real dates, equal frames."""
    with duckdb.connect() as base:
        for name, table in typed(ledger_texts()).items():
            base.register("shown", table)
            base.execute(f"create table {name} as select * from shown")
        base.execute(
            "create or replace table payments as select * replace (amount::decimal(12, 2) as amount) from payments"
        )
        assert isinstance(base.execute("select amount from payments").fetchall()[0][0], Decimal)
        assert_same_book(sql(base).as_of(DATE), expected)


def test_sqlite_gives_the_book_of_the_frames(expected: ClaimBook, tmp_path: Path) -> None:
    """Queries through sqlite3, a SQLAlchemy engine and a SQLAlchemy connection equal frames."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'claims.db'}")
    for name, table in plain(typed(ledger_texts())).items():
        table.to_sql(name, engine, index=False)
    assert_same_book(sql(engine).as_of(DATE), expected)
    with engine.connect() as connection:
        assert_same_book(sql(connection).as_of(DATE), expected)
    engine.dispose()
    base = sqlite3.connect(tmp_path / "claims.db")
    assert_same_book(sql(base).as_of(DATE), expected)
    base.close()


@pytest.mark.parametrize("kind", ["category", "string", "decimal", "nullable", "seconds", "objects"])
def test_other_types_of_the_same_cells_give_the_same_book(kind: str, expected: ClaimBook) -> None:
    """Categories, nullable numbers, decimals, dates of other resolution or as objects hold the same cells."""
    tables = typed(ledger_texts())
    claims = tables["claims"]
    if kind in {"category", "string"}:
        for column in ("claim_id", "body_part", "jurisdiction", "sex"):
            claims[column] = claims[column].astype(kind)
    elif kind == "decimal":
        claims["weekly_wage"] = pd.Series([Decimal(str(wage)) for wage in claims["weekly_wage"]], dtype=object)
    elif kind == "nullable":
        claims["age"] = claims["age"].astype("Int64")
        claims["tenure"] = claims["tenure"].astype("Float64")
    elif kind == "seconds":
        claims["injury_date"] = claims["injury_date"].astype("datetime64[s]")
    else:
        claims["injury_date"] = pd.Series([stamp.date() for stamp in claims["injury_date"]], dtype=object)
        claims["report_date"] = claims["report_date"].astype(object)
        claims["age"] = claims["age"].astype(object)
    assert_same_book(load(tables).as_of(DATE), expected)


def test_inputs_carry_the_hash_of_their_content(tmp_path: Path) -> None:
    """A file is hashed by its bytes, a frame by its cells: one cell changed changes the hash, the index does not."""
    paths = write_csv(ledger_texts(), tmp_path)
    files = load(paths).inputs
    assert [file.table for file in files] == list(paths)
    assert all(len(file.sha256) == 64 for file in files)
    frame = typed(ledger_texts())["claims"]
    assert frame_hash(frame) == frame_hash(frame.set_index(frame["claim_id"]))
    for column in frame:
        other = frame.copy()
        other[column] = other[column].shift(1)
        assert frame_hash(frame) != frame_hash(other)


def test_what_is_no_table_and_no_connection_is_refused() -> None:
    """Wrong kinds of source are named."""
    with pytest.raises(TypeError, match="`claims` must be a path to CSV or Parquet or a pandas DataFrame, got list"):
        load({"claims": [1]})
    with pytest.raises(ValueError, match=r"`claims` must be a file ending in \.csv, \.parquet or \.pq"):
        load({"claims": Path(__file__)})
    with pytest.raises(TypeError, match="`connection` must be a SQLAlchemy engine"):
        read_sql(object(), claims="select 1")


def test_columns_of_no_use_are_told(tmp_path: Path) -> None:
    """Columns a table ignores, and snapshot columns beside a ledger, are decisions that can be read."""
    tables = ledger_texts()
    tables["payments"]["check_no"] = "1"
    tables["claims"]["medical_paid"] = "1"
    read = load(write_csv(tables, tmp_path))
    assert {decision.rule for decision in read.decisions} == {"payments_columns_ignored", "snapshot_columns_unused"}
    assert "check_no" in str(read.check())
    assert "medical_paid" not in read.as_of(DATE).claims


def test_a_covariate_that_mixes_numbers_and_text_stays_text(tmp_path: Path) -> None:
    """One word among numbers makes a further column of a file text, which is told; without it the column is numbers."""
    tables = ledger_texts()
    tables["claims"].loc[3, "tenure"] = "long"
    book = load(write_csv(tables, tmp_path)).as_of(DATE)
    assert list(book.claims["tenure"]) == ["10", None, "long", "3.5"]
    assert [d.count for d in book.decisions if d.rule == "tenure_of_numbers_and_text"] == [2]
    early = load(write_csv(tables, tmp_path)).as_of("2023-04-30")
    assert early.claims["tenure"].dtype == float


def test_the_summary_adds_up(expected: ClaimBook) -> None:
    """Claims, stays, dollars and empty cells of the summary are those of the book."""
    summary = summarise_data(expected)
    assert summary.claims_by_state["claims"].to_dict() == {
        "at_work": 1,
        "reopened": 1,
        "settled": 1,
        "off_work_represented": 1,
    }
    assert summary.exposure["stays"].sum() == len(expected.spells)
    assert summary.exposure.loc["relapse", "days at risk"] == 184
    # C-1 58 - 7 days of waiting, C-2 417 - 3 represented from 15 May 2023 on, C-3 40 - 3.
    off_work = summary.exposure.loc[["off_work", "off_work_represented"], "days at risk"]
    assert off_work.sum() == 51 + 414 + 37
    assert off_work["off_work_represented"] == 412
    assert summary.paid.loc[2023].to_dict() == {"medical": 55775.75, "indemnity": 1200.0, "expense": 2500.0}
    assert summary.missing.loc["age", "empty"] == 1
    for shown in (str(summary), summary._repr_html_()):
        assert "disability_start" in shown
        assert "55,775.75" in shown


def test_the_summary_of_a_snapshot_does_not_make_zeros_of_unknowns() -> None:
    """Paid by accident year; a component that no claim states is unknown."""
    summary = summarise_data(load(typed(summary_texts())).as_of(DATE))
    assert summary.paid.loc[2023, "medical"] == 46200.75
    assert summary.paid["expense"].isna().all()
    assert "unknown" in str(summary)
    undated = summarise_data(load(typed(summary_texts()), undated=True).as_of(None))
    assert undated.paid["medical"].to_dict() == {"undated": 46200.75}


def test_tables_show_themselves() -> None:
    """Tables and their check print as a sentence and as HTML."""
    tables = load(typed(ledger_texts()))
    assert repr(tables) == "4 claims at ledger depth, read from pandas frame"
    assert tables._repr_html_().startswith("<table><caption>4 claims")
    assert "no defect" in tables.check()._repr_html_()
