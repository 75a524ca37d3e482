"""Every defect is found, named with its place, value and remedy, all in one pass; nothing is coerced."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from msk_reserves.claims.defects import RULES, ClaimDataError, Defect
from tests.worlds.claim_files import ledger_texts, load, summary_texts, typed, write_csv

CELLS = [
    # table, row, column, cell, code, what the message says
    ("claims", 0, "claim_id", "", "empty_cell", "claims row 2, `claim_id`: the cell must not be empty"),
    ("claims", 0, "claim_id", "C-1", "duplicate_claim", "row 3 (claim C-1), `claim_id`: `claim_id` must be unique"),
    ("claims", 0, "claim_id", " C-3", "padded_text", "must not begin or end with white space; got ' C-3'"),
    ("claims", 0, "claim_id", "NA", "na_word", "a word for 'missing' is not an empty cell; got 'NA'"),
    ("claims", 0, "sex", "null", "na_word", "`sex`: a word for 'missing'"),
    (
        "claims",
        0,
        "injury_date",
        "",
        "empty_cell",
        "claims row 2 (claim C-3), `injury_date`: the cell must not be empty",
    ),
    ("claims", 0, "injury_date", "01/10/2023", "mixed_dates", "mixes ways to write a date"),
    ("claims", 0, "injury_date", "2023-1-10", "mixed_dates", "got '2023-1-10'; rewrite the date"),
    ("claims", 0, "injury_date", "2023-02-30", "impossible_date", "there is no such day; got '2023-02-30'"),
    ("claims", 0, "injury_date", "1823-01-10", "early_date", "before 1900 are not believed; got 1823-01-10"),
    ("claims", 0, "report_date", "2999-12-31", "late_date", "from 2100 on stand for something else; got 2999-12-31"),
    ("claims", 0, "report_date", "2023-01-09", "report_before_injury", "got 2023-01-09 with `injury_date` 2023-01-10"),
    ("claims", 0, "disability_start", "2023-01-09", "start_before_injury", "`disability_start`: must not be before"),
    (
        "claims",
        1,
        "bundle_trigger_date",
        "2023-01-31",
        "trigger_before_injury",
        "`bundle_trigger_date`: must not be before",
    ),
    ("claims", 0, "body_part", "sholder", "unknown_word", "`body_part`: the word is unknown; got 'sholder'"),
    ("claims", 0, "body_part", "", "empty_cell", "`body_part`: the cell must not be empty"),
    ("claims", 0, "age", "-4", "negative", "`age`: must not be negative; got -4.0"),
    ("claims", 0, "age", "144", "too_large", "`age`: is beyond what is possible; got 144.0"),
    ("claims", 0, "age", "forty", "text_for_number", "`age`: a number is needed"),
    ("claims", 0, "age", "n/a", "na_word", "got 'n/a'; leave the cell empty"),
    ("claims", 0, "weekly_wage", "0", "not_above_zero", "`weekly_wage`: must be above zero; got 0.0"),
    ("claims", 0, "weekly_wage", "-900", "negative", "`weekly_wage`: must not be negative; got -900.0"),
    ("claims", 0, "weekly_wage", "1,000", "text_for_number", "thousands separators; got '1,000'; write 1234.5"),
    ("claims", 0, "weekly_wage", "$900", "text_for_number", "currency signs"),
    ("claims", 0, "weekly_wage", "9OO", "text_for_number", "got '9OO'"),
    ("claims", 0, "weekly_wage", "inf", "not_finite", "`weekly_wage`: the number must be finite; got 'inf'"),
    ("claims", 0, "weekly_wage", "1e999", "not_finite", "the number must be finite; got inf"),
    ("claims", 0, "weekly_wage", "", "no_wage", "`weekly_wage` or `weekly_benefit` must be given"),
    ("claims", 0, "jurisdiction", "XX", "unknown_word", "`jurisdiction`: the word is unknown; got 'XX'"),
    ("claims", 0, "jurisdiction", "", "no_jurisdiction", "`jurisdiction` must be given where the benefit"),
    ("claims", 0, "arrangement", "bundled", "unknown_word", "`arrangement`: the word is unknown; got 'bundled'"),
    ("claims", 1, "bundle_trigger_date", "", "bundle_without_trigger", "a bundled claim needs `bundle_trigger_date`"),
    ("claims", 1, "bundle_price", "", "bundle_without_price", "a bundled claim needs `bundle_price`"),
    ("claims", 1, "bundle_price", "0", "not_above_zero", "`bundle_price`: must be above zero"),
    (
        "claims",
        1,
        "arrangement",
        "ffs",
        "trigger_without_bundle",
        "only a claim with `arrangement` bundle has a trigger",
    ),
    ("claims", 1, "arrangement", "ffs", "price_without_bundle", "bundle has a bundle price; got 38000.0"),
    ("claims", 1, "disability_start", "", "no_disability_start", "with an off_work event needs `disability_start`"),
    ("events", 0, "claim_id", "C-99", "unknown_claim", "events row 2 (claim C-99), `claim_id`: no such `claim_id`"),
    ("events", 0, "event", "offwork", "unmapped_code", "map it to one of ours through `categories` or `events_map`"),
    ("events", 0, "date", "", "empty_cell", "events row 2 (claim C-3), `date`: the cell must not be empty"),
    ("events", 0, "date", "2023-01-01", "before_injury", "got 2023-01-01 with `injury_date` 2023-01-10"),
    ("events", 0, "date", "2023-01-10", "off_before_start", "no day off work may come before `disability_start`"),
    ("events", 0, "recorded_date", "2023-01-10", "recorded_before", "nothing is recorded before its `date`"),
    (
        "events",
        0,
        "event",
        "death",
        "after_death",
        "nothing moves a worker after death; got surgery on 2023-02-20, death on",
    ),
    ("events", 10, "event", "return_to_work", "ok", ""),
    ("events", 9, "date", "2023-05-31", "reopen_without_close", "a file that was not closed cannot reopen"),
    ("events", 0, "releases_medical", "1", "release_without_settlement", "only a settlement releases medical"),
    ("events", 4, "releases_medical", "2", "not_flag", "`releases_medical`: must be 0 or 1; got 2.0"),
    ("events", 4, "releases_medical", "yes", "text_for_number", "`releases_medical`: a number is needed"),
    ("payments", 0, "claim_id", "C-4", "unknown_claim", "payments row 2 (claim C-4), `claim_id`: no such `claim_id`"),
    ("payments", 0, "claim_id", "", "empty_cell", "payments row 2, `claim_id`: the cell must not be empty"),
    (
        "payments",
        0,
        "category",
        "TTD01",
        "unmapped_code",
        "payments row 2 (claim C-3), `category`: the code is unknown",
    ),
    ("payments", 0, "amount", "", "empty_cell", "`amount`: the cell must not be empty"),
    ("payments", 0, "amount", "nan", "na_word", "`amount`: a word for 'missing'"),
    ("payments", 0, "date", "2023-01-09", "before_injury", "`date`: must not be before `injury_date` of the claim"),
    ("payments", 1, "service_date", "2023-01-09", "before_injury", "`service_date`: must not be before `injury_date`"),
    ("payments", 1, "service_date", "2025-02-20", "service_after_payment", "more than a year after its payment"),
    ("payments", 1, "units", "-1", "negative", "`units`: must not be negative"),
    ("payments", 1, "billed", "-0.01", "negative", "`billed`: must not be negative; got -0.01"),
    ("payments", 1, "recorded_date", "2023-03-14", "recorded_before", "`recorded_date`: nothing is recorded before"),
    ("case_reserves", 0, "component", "med", "unknown_word", "case_reserves row 2 (claim C-3), `component`: the word"),
    ("case_reserves", 0, "outstanding", "-1", "negative", "`outstanding`: must not be negative; got -1.0"),
    ("case_reserves", 0, "date", "2022-06-30", "before_injury", "case_reserves row 2"),
    ("scores", 0, "instrument", "dash", "unknown_word", "`instrument`: the word is unknown; got 'dash'"),
    (
        "scores",
        0,
        "score",
        "100.5",
        "score_range",
        "the score lies outside its instrument's scale; got 100.5 on quickdash",
    ),
    ("scores", 0, "score", "-1", "score_range", "got -1 on quickdash"),
    ("exposure", 0, "period_end", "2022-12-31", "end_before_period", "must not be before `period_start`"),
    ("exposure", 0, "payroll", "-1", "negative", "exposure row 2, `payroll`: must not be negative"),
]

SUMMARY_CELLS = [
    (0, "days_off", "", "empty_cell", "`days_off`: the cell must not be empty"),
    (0, "days_off", "-1", "negative", "`days_off`: must not be negative"),
    (0, "returned", "", "empty_cell", "`returned`: the cell must not be empty"),
    (0, "returned", "2", "not_flag", "`returned`: must be 0 or 1; got 2.0"),
    (0, "returned", "0.5", "not_flag", "`returned`: must be 0 or 1; got 0.5"),
    (0, "medical_paid", "-5", "negative", "`medical_paid`: must not be negative"),
]


def defects_of(call: Callable[[], object]) -> tuple[Defect, ...]:
    """Return the defects that a reading raises."""
    with pytest.raises(ClaimDataError) as caught:
        call()
    assert str(caught.value).startswith(f"{len(caught.value.defects):,} defect")
    return caught.value.defects


def says(defects: tuple[Defect, ...], code: str, fragment: str) -> bool:
    """Whether a defect of this code carries the fragment in its message."""
    return any(defect.code == code and fragment in str(defect) for defect in defects)


@pytest.mark.parametrize(("table", "row", "column", "cell", "code", "fragment"), CELLS)
def test_a_bad_cell_is_named(
    table: str, row: int, column: str, cell: str, code: str, fragment: str, tmp_path: Path
) -> None:
    """One corrupted cell of a sound ledger raises the defect it is, with place, value and remedy."""
    tables = ledger_texts()
    tables[table].loc[row, column] = cell
    paths = write_csv(tables, tmp_path)
    if code == "ok":
        load(paths)
        return
    assert says(defects_of(lambda: load(paths)), code, fragment)


@pytest.mark.parametrize(("row", "column", "cell", "code", "fragment"), SUMMARY_CELLS)
def test_a_bad_cell_of_a_summary_is_named(
    row: int, column: str, cell: str, code: str, fragment: str, tmp_path: Path
) -> None:
    """The same at summary depth."""
    tables = summary_texts()
    tables["claims"].loc[row, column] = cell
    assert says(defects_of(lambda: load(write_csv(tables, tmp_path))), code, fragment)


@pytest.mark.parametrize(
    ("events", "code", "fragment"),
    [
        (["2023-03-10,return_to_work"], "return_without_off", "a worker who was never off work cannot return"),
        (["2023-03-10,off_work"], "no_disability_start", "off_work on 2023-03-10"),
        (["2023-03-10,close", "2023-03-09,reopen"], "reopen_without_close", "reopen on 2023-03-09"),
        (["2023-03-10,death", "2023-03-11,surgery"], "after_death", "surgery on 2023-03-11, death on 2023-03-10"),
    ],
)
def test_an_impossible_sequence_is_named(events: list[str], code: str, fragment: str) -> None:
    """Events that cannot follow each other are defects of the later event."""
    tables = ledger_texts()
    rows = [("C-10", *line.split(","), "", "") for line in events]
    tables["events"] = pd.DataFrame(rows, columns=tables["events"].columns, dtype=object)
    assert says(defects_of(lambda: load(typed(tables))), code, fragment)


def test_an_end_before_the_start_is_named() -> None:
    """Maximum medical improvement, settlement, permanent total or death before the first day off is a defect."""
    tables = ledger_texts()
    tables["events"].loc[10, ["date", "event", "recorded_date"]] = ["2023-05-05", "mmi", ""]
    assert says(
        defects_of(lambda: load(typed(tables))), "end_before_start", "mmi on 2023-05-05, disability_start 2023-05-10"
    )


def test_claims_in_full_and_payments_by_void_are_no_defects() -> None:
    """Negative payments, medical-only claims and modified duty without lost time are used as given."""
    tables = ledger_texts()
    tables["events"].loc[10, ["claim_id", "event"]] = ["C-10", "modified_duty"]
    book = load(typed(tables)).as_of("2024-12-31")
    assert book.paid["medical"].sum() == 18000.25 - 500 + 38000 + 180 + 95.5


TYPED = [
    ("claims", "age", ["44", "51", "29", "33"], "text_for_number", "`age`: a number is needed"),
    ("claims", "age", [44.0, True, 29.0, 33.0], "boolean_cell", "true or false is not a number; got True"),
    ("claims", "age", [True, False, True, True], "boolean_column", "got a column of bool; write 0 and 1"),
    ("claims", "age", [44.0, float("inf"), 29.0, 33.0], "not_finite", "the number must be finite; got inf"),
    (
        "claims",
        "age",
        pd.Series([44.0, 10**400, 29.0, 33.0], dtype=object),
        "not_finite",
        "`age`: the number must be finite",
    ),
    ("claims", "age", [44j, 1j, 2j, 3j], "unusable_column", "got a column of complex128"),
    ("claims", "claim_id", [1, 2, 3, 4], "numbers_for_text", "convert it to text, leading zeros included"),
    ("claims", "claim_id", ["C-3", 7, "C-10", "C-2"], "not_text", "text is needed; got 7"),
    ("claims", "tenure", [1.0, "two", 3.0, 4.0], "mixed_types", "mixes text and numbers; got 'two'"),
    ("claims", "tenure", [True, False, True, True], "boolean_column", "`tenure`: a column of true and false"),
    ("claims", "injury_date", [20230110, 20230201, 20230305, 20230501], "not_a_date", "a date is needed"),
    ("claims", "injury_date", pd.to_datetime(["2023-01-10 08:30"] * 4), "time_of_day", "got 2023-01-10T08:30"),
    (
        "claims",
        "injury_date",
        pd.to_datetime(["2023-01-10"] * 4, utc=True),
        "zoned_dates",
        "must not carry a time zone",
    ),
    ("claims", "injury_date", ["2023/01/10"] * 4, "not_iso_date", "dates are written YYYY-MM-DD; got '2023/01/10'"),
    ("claims", "sex", [(1,), (2,), (3,), (4,)], "unusable_column", "got (1,)"),
]


@pytest.mark.parametrize(("table", "column", "values", "code", "fragment"), TYPED)
def test_a_frame_of_the_wrong_type_is_named(table: str, column: str, values: object, code: str, fragment: str) -> None:
    """In a frame, numbers are numbers, text is text and dates are dates; nothing is converted."""
    tables = typed(ledger_texts())
    tables[table][column] = values
    assert says(defects_of(lambda: load(tables)), code, fragment)


def renamed(column: str, name: str) -> Callable[[dict[str, pd.DataFrame]], None]:
    """Return a corruption that renames a column of claims."""

    def corrupt(tables: dict[str, pd.DataFrame]) -> None:
        tables["claims"] = tables["claims"].rename(columns={column: name})

    return corrupt


def dropped(table: str, *columns: str) -> Callable[[dict[str, pd.DataFrame]], None]:
    """Return a corruption that drops columns."""

    def corrupt(tables: dict[str, pd.DataFrame]) -> None:
        tables[table] = tables[table].drop(columns=list(columns))

    return corrupt


STRUCTURE = [
    (dropped("claims", "body_part"), "missing_column", "claims, `body_part`: the column is required"),
    (dropped("claims", "claim_id"), "missing_column", "claims, `claim_id`: the column is required"),
    (dropped("claims", "weekly_wage"), "missing_column", "neither `weekly_wage` nor `weekly_benefit`"),
    (dropped("claims", "jurisdiction"), "missing_column", "no `jurisdiction`, and no waiting rule"),
    (dropped("events", "date"), "missing_column", "events, `date`: the column is required"),
    (dropped("exposure", "payroll"), "no_exposure_measure", "exposure needs `payroll` or `full_time_equivalents`"),
    (renamed("body_part", "BodyPart"), "misspelt_column", "got 'BodyPart', close to `body_part`"),
    (renamed("report_date", "reported_date"), "misspelt_column", "got 'reported_date', close to `report_date`"),
    (renamed("sex", "start_day"), "reserved_column", "the name is one that the library itself fills in"),
    (renamed("sex", "tenure"), "duplicate_column", "a column name may occur only once; got 'tenure'"),
    (renamed("sex", ""), "nameless_column", "a column name must be text and not empty; got ''"),
    (lambda tables: tables.pop("events"), "payments_without_events", "put paid dollars in `medical_paid`"),
    (lambda tables: tables.update(claims=tables["claims"].iloc[:0]), "no_rows", "must have at least one row"),
]


@pytest.mark.parametrize(("corrupt", "code", "fragment"), STRUCTURE)
def test_a_table_of_the_wrong_shape_is_named(
    corrupt: Callable[[dict[str, pd.DataFrame]], None], code: str, fragment: str
) -> None:
    """Missing, misspelt, doubled and reserved columns, and tables that do not go together, are defects."""
    tables = typed(ledger_texts())
    corrupt(tables)
    assert says(defects_of(lambda: load(tables)), code, fragment)


def test_a_mapped_column_must_be_there() -> None:
    """A name in `columns` that the table lacks is a defect, not a silent no-op."""
    tables = typed(ledger_texts())
    found = defects_of(lambda: load(tables, columns={"claims": {"ClaimNo": "claim_id"}}))
    assert says(found, "mapped_column_absent", "`columns` names a column that the table does not have; got 'ClaimNo'")


@pytest.mark.parametrize(
    ("content", "code", "fragment"),
    [
        (b"", "unreadable", "the file could not be read; got the file is empty"),
        (b"claim_id,age\n\xff\xfe,3\n", "unreadable", "save it as CSV in UTF-8"),
        (b"claim_id,age\nC-1,3,4\n", "ragged_row", "got 3 cells in row 2, not 2; correct the row"),
    ],
)
def test_a_broken_file_is_named(content: bytes, code: str, fragment: str, tmp_path: Path) -> None:
    """A file that is no CSV in UTF-8, or has rows of the wrong length, is a defect."""
    path = tmp_path / "claims.csv"
    path.write_bytes(content)
    assert says(defects_of(lambda: load({"claims": path})), code, fragment)


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    """A Parquet file that is none is a defect."""
    path = tmp_path / "claims.parquet"
    path.write_text("claim_id\n", encoding="utf-8")
    assert says(defects_of(lambda: load({"claims": path})), "unreadable", "as Parquet")


def test_rows_are_numbered_as_in_the_file(tmp_path: Path) -> None:
    """Row numbers count the header, blank lines and ragged rows of the file."""
    path = tmp_path / "claims.csv"
    path.write_text("claim_id,age\nC-1,3\n\nC-2,4,5\nC-3,-1\n", encoding="utf-8")
    found = defects_of(lambda: load({"claims": path}))
    assert [(d.row, d.claim) for d in found if d.code == "negative"] == [(5, "C-3")]


def test_all_defects_of_all_tables_come_at_once(tmp_path: Path) -> None:
    """One reading reports every table's defects together, sorted by table and row."""
    tables = ledger_texts()
    for table, column in (("claims", "age"), ("payments", "amount"), ("scores", "score"), ("exposure", "payroll")):
        tables[table].loc[0, column] = "x"
    tables["claims"].loc[2, "age"] = "-1"
    tables["events"].loc[3, "claim_id"] = "C-77"
    found = defects_of(lambda: load(write_csv(tables, tmp_path)))
    assert [(d.table, d.row, d.code) for d in found] == [
        ("claims", 2, "text_for_number"),
        ("claims", 4, "negative"),
        ("events", 5, "unknown_claim"),
        ("payments", 2, "text_for_number"),
        ("scores", 2, "text_for_number"),
        ("exposure", 2, "text_for_number"),
    ]


def test_a_long_list_is_cut_in_the_message_only(tmp_path: Path) -> None:
    """The message prints fifty defects and counts the rest; the error holds them all."""
    tables = ledger_texts()
    tables["scores"] = pd.concat([tables["scores"]] * 60, ignore_index=True).assign(score="x")
    with pytest.raises(ClaimDataError, match=r"120 defects in the tables(.|\n)*and 70 more") as caught:
        load(write_csv(tables, tmp_path))
    assert len(caught.value.defects) == 120


def test_the_catalogue_is_tested() -> None:
    """Every rule of the catalogue has a case in this file, and there are more than forty-five."""
    tested = {case[4] for case in CELLS} | {case[3] for case in SUMMARY_CELLS} | {case[3] for case in TYPED}
    tested |= {case[1] for case in STRUCTURE} | {"return_without_off", "end_before_start", "mapped_column_absent"}
    tested |= {"unreadable", "ragged_row", "beyond_as_of", "not_whole"}
    assert set(RULES) == tested - {"ok"}
    assert len(RULES) >= 45


def test_a_waiting_period_is_whole_days() -> None:
    """A waiting period of a fraction of a day is a defect."""
    tables = typed(summary_texts())
    tables["claims"]["waiting_days"] = 3.5
    assert says(defects_of(lambda: load(tables)), "not_whole", "`waiting_days`: must be a whole number; got 3.5")


def test_a_snapshot_may_not_run_past_its_date() -> None:
    """All summary rows that run past the as-of date are named together."""
    tables = load(typed(summary_texts()))
    found = defects_of(lambda: tables.as_of("2023-02-10"))
    assert [(d.row, d.claim, d.value) for d in found] == [
        (3, "S-1", "2023-11-28 with as-of date 2023-02-10"),
        (2, "S-2", "2023-02-21 with as-of date 2023-02-10"),
        (4, "S-3", "2023-03-05 with as-of date 2023-02-10"),
    ]
