"""Reading the tables of a claim department: every defect found in one pass, nothing repaired."""

from collections.abc import Mapping
from typing import Unpack

import numpy as np

from msk_reserves._checks import Integers, one_of
from msk_reserves.claims.book import InputFile
from msk_reserves.claims.columns import Table, parse_table
from msk_reserves.claims.defects import Findings
from msk_reserves.claims.frames import assemble
from msk_reserves.claims.relations import check_child, check_claims, check_exposure, owners
from msk_reserves.claims.schema import TABLES, Reading, ReadingRules
from msk_reserves.claims.sources import Source, query_frame, read_sheet
from msk_reserves.claims.tables import ClaimTables


def load_tables(
    claims: Source,
    *,
    events: Source | None = None,
    payments: Source | None = None,
    case_reserves: Source | None = None,
    scores: Source | None = None,
    exposure: Source | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    **options: Unpack[Reading],
) -> ClaimTables:
    """Read and check the tables of the data model.

    A table is a path to a CSV file (UTF-8, comma, header) or a Parquet file, or a pandas frame. In a CSV every cell is
    text and numbers and dates are read strictly; in the other sources a number must be a number and only text may be
    text. With `events` the tables are at ledger depth, without at summary depth.

    Parameters
    ----------
    claims : path or pandas.DataFrame
        One row a claim.
    events, payments, case_reserves, scores, exposure : path or pandas.DataFrame, optional
        The further tables.
    columns : mapping, optional
        By table, the user's column names to ours: ``{"claims": {"ClaimNumber": "claim_id"}}``.
    categories : mapping, optional
        The user's payment codes to our categories. Ours are understood without it.
    events_map : mapping, optional
        The user's event codes to our events.
    on_defect : {"raise", "set_aside"}
        Whether a defect stops the reading, or leaves its claim out of every table. A defect of a whole table or column
        stops it always.
    undated : bool
        Whether a summary table has no dates; `as_of` then takes None only.
    days_off_interval : float
        Width in days of the unit in which `days_off` was counted; 0 where it is exact, 7 for weeks.
    days_off_clock : {"first_day_off", "after_waiting"}
        What `days_off` counts from at summary depth.
    entry_rule : {"waiting", "none", "report", "takeover", "trigger"}
        From when on a stay could have been in the file (left truncation): after the waiting period; from the first
        day; from the report; from `takeover_date`, when the file began with open claims; from the bundle's trigger for
        bundled claims. The last two never come before the end of the waiting period.
    takeover_date : date, optional
        With `entry_rule="takeover"`.
    stable_days : float
        A return that lasts less than these days before the worker is off again does not count; 14 by default.

    Returns
    -------
    ClaimTables
        The checked tables.

    Raises
    ------
    ClaimDataError
        If anything is wrong with any table; it lists everything that is.
    ValueError, TypeError
        If an option is.

    Examples
    --------
    >>> import pandas as pd
    >>> claims = pd.DataFrame({
    ...     "claim_id": ["C-1", "C-2"], "body_part": ["shoulder", "knee"], "injury_date": ["2024-01-02", "2024-02-01"],
    ...     "weekly_wage": [900.0, 1200.0], "jurisdiction": ["CA", "TX"], "days_off": [40.0, 60.0],
    ...     "returned": [1, 0], "medical_paid": [5200.0, 800.0]})
    >>> tables = load_tables(claims)
    >>> tables
    2 claims at summary depth, read from pandas frame
    >>> tables.as_of("2024-06-30")
    2 claims as of 2024-06-30, summary depth, 1 workers off work
    """
    rules = ReadingRules(**options)
    given = (claims, events, payments, case_reserves, scores, exposure)
    sources = {name: source for name, source in zip(TABLES, given, strict=True) if source is not None}
    if rules.undated and len(sources) > 1:
        raise ValueError(f"`undated` tables hold claims alone, got also {', '.join(list(sources)[1:])}")
    found = Findings()
    tables = _parse_all(sources, columns or {}, rules, found)
    owner = _check_all(tables, found)
    inputs = tuple(
        InputFile(name, table.sheet.origin, len(table), table.sheet.sha256) for name, table in tables.items()
    )
    return assemble(tables, owner, inputs, rules, found)


def _parse_all(
    sources: Mapping[str, Source], columns: Mapping[str, Mapping[str, str]], rules: ReadingRules, found: Findings
) -> dict[str, Table]:
    """Read and parse every table, each on its own."""
    for name in columns:
        one_of(name, TABLES, "columns")
    tables = {}
    for name, source in sources.items():
        sheet = read_sheet(source, name, columns.get(name, {}), found)
        tables[name] = parse_table(sheet, rules, found, ledger="events" in sources)
    if sources and not len(tables["claims"]) and tables["claims"].sheet.columns:
        found.whole("no_rows", "claims", "", "a header without rows")
    if "payments" in tables and "events" not in tables:
        found.whole("payments_without_events", "payments", "", f"{len(tables['payments']):,} payments")
    return tables


def _check_all(tables: Mapping[str, Table], found: Findings) -> dict[str, Integers]:
    """Check the rules between columns and tables; return the claim row of each row of each table."""
    claims = tables["claims"]
    check_claims(claims, found)
    owner = {"claims": np.arange(len(claims))}
    for name, table in tables.items():
        if name == "exposure":
            check_exposure(table, found)
        elif name != "claims":
            owner[name] = owners(table, claims)
            check_child(table, claims, owner[name], found)
    return owner


def read_sql(
    connection: object,
    *,
    claims: str,
    events: str | None = None,
    payments: str | None = None,
    case_reserves: str | None = None,
    scores: str | None = None,
    exposure: str | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    **options: Unpack[Reading],
) -> ClaimTables:
    """Read the tables by SQL queries, then go on as `load_tables` does.

    Parameters
    ----------
    connection : SQLAlchemy engine or connection, DuckDB connection, or sqlite3.Connection
        Where the queries run. It is left open.
    claims, events, payments, case_reserves, scores, exposure : str
        The query of each table.
    columns : mapping, optional
        As in `load_tables`.
    **options
        As in `load_tables`.

    Returns
    -------
    ClaimTables
        The checked tables. Dates may come as dates or as ISO text; numbers must come as numbers.

    Raises
    ------
    ClaimDataError
        If anything is wrong with any table.

    Examples
    --------
    >>> import sqlite3
    >>> base = sqlite3.connect(":memory:")
    >>> row = "select 'C-1' claim_id, 'knee' body_part, '2024-01-02' injury_date, 900.0 weekly_wage, 'CA' jurisdiction"
    >>> read_sql(base, claims=row + ", 12.0 days_off, 1 returned, 300.0 medical_paid")
    1 claim at summary depth, read from SQL query
    >>> base.close()
    """
    given = (claims, events, payments, case_reserves, scores, exposure)
    queries = {name: query for name, query in zip(TABLES, given, strict=True) if query is not None}
    frames = {name: query_frame(connection, query) for name, query in queries.items()}
    for frame in frames.values():
        frame.attrs["origin"] = "SQL query"
    return load_tables(
        frames["claims"],
        events=frames.get("events"),
        payments=frames.get("payments"),
        case_reserves=frames.get("case_reserves"),
        scores=frames.get("scores"),
        exposure=frames.get("exposure"),
        columns=columns,
        **options,
    )
