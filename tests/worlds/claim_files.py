"""Small sound tables, as the text a CSV file would hold, for tests to read, corrupt and cut."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Unpack

import numpy as np
import pandas as pd

from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.read import load_tables
from msk_reserves.claims.schema import Reading
from msk_reserves.claims.tables import ClaimTables

Texts = Mapping[str, pd.DataFrame]

NUMBERS = frozenset(
    (
        "age", "weekly_wage", "weekly_benefit", "bundle_price", "waiting_days", "retro_days", "max_weeks", "days_off",
        "returned", "medical_paid", "indemnity_paid", "tenure", "releases_medical", "amount", "units", "billed",
        "outstanding", "score", "payroll",
    )
)  # fmt: skip

LEDGER_TEXT = {
    "claims": """\
claim_id,injury_date,report_date,disability_start,body_part,age,weekly_wage,jurisdiction,\
arrangement,bundle_trigger_date,bundle_price,sex,tenure
C-3,2023-01-10,2023-01-12,2023-01-11,shoulder,44,900,CA,ffs,,,f,3.5
C-1,2023-02-01,,2023-02-02,knee,51,1100.50,TX,bundle,2023-03-01,38000,m,10
C-10,2023-03-05,2023-03-20,,low_back,,750,FL,,,,m,
C-2,2023-05-01,2023-05-02,2023-05-10,knee,29,1500,CA,ffs,,,,0
""",
    "events": """\
claim_id,date,event,recorded_date,releases_medical
C-3,2023-01-11,off_work,2023-01-12,
C-3,2023-02-20,surgery,2023-03-01,
C-3,2023-06-01,return_to_work,2023-06-05,
C-3,2023-08-01,off_work,,
C-3,2024-02-01,settlement,2024-02-10,1
C-1,2023-02-02,off_work,,
C-1,2023-04-01,modified_duty,2023-04-03,
C-1,2023-05-01,return_to_work,,
C-1,2023-06-01,close,,
C-1,2023-09-01,reopen,,
C-2,2023-05-15,attorney,2023-07-01,
""",
    "payments": """\
claim_id,date,category,amount,service_date,units,billed,recorded_date
C-3,2023-02-01,ttd,1200,,,,
C-3,2023-03-15,facility,18000.25,2023-02-20,1,40000,2023-03-16
C-3,2023-04-01,facility,-500,2023-02-20,,,
C-1,2023-03-02,bundle_fee,38000,,,,
C-10,2023-03-25,evaluation,180,2023-03-06,1,300,
C-2,2023-06-01,physical_therapy,95.5,2023-05-20,2,200,2023-06-20
C-2,2023-07-01,legal,2500,,,,
""",
    "case_reserves": """\
claim_id,date,component,outstanding
C-3,2023-06-30,medical,20000
C-2,2023-06-30,indemnity,0
""",
    "scores": """\
claim_id,date,instrument,score
C-3,2023-02-01,quickdash,61.4
C-2,2023-06-01,koos_jr,48
""",
    "exposure": """\
period_start,period_end,payroll
2023-01-01,2023-12-31,12500000
""",
}

SUMMARY_TEXT = {
    "claims": """\
claim_id,injury_date,disability_start,body_part,age,weekly_wage,jurisdiction,days_off,returned,\
medical_paid,indemnity_paid,sex
S-2,2023-01-10,2023-01-12,shoulder,44,900,CA,40,1,5200.75,900,f
S-1,2023-02-01,,knee,51,1100.50,TX,300,0,41000,,m
S-3,2023-03-05,,low_back,,750,FL,0,1,0,0,m
"""
}


def texts(content: Mapping[str, str]) -> dict[str, pd.DataFrame]:
    """Read tables of text cells, the empty cell as ''."""
    return {
        name: pd.read_csv(StringIO(text), dtype=object, keep_default_na=False, na_filter=False)
        for name, text in content.items()
    }


def ledger_texts() -> dict[str, pd.DataFrame]:
    """Return sound tables at ledger depth, all cells text."""
    return texts(LEDGER_TEXT)


def summary_texts() -> dict[str, pd.DataFrame]:
    """Return a sound table at summary depth, all cells text."""
    return texts(SUMMARY_TEXT)


def write_csv(tables: Texts, folder: Path) -> dict[str, Path]:
    """Write tables as CSV files."""
    paths = {name: folder / f"{name}.csv" for name in tables}
    for name, table in tables.items():
        table.to_csv(paths[name], index=False)
    return paths


def typed(tables: Texts) -> dict[str, pd.DataFrame]:
    """Give text tables the types a data frame would have: floats, dates, text with None."""
    out = {}
    for name, table in tables.items():
        frame = table.copy()
        for column in frame:
            filled = frame[column].where(frame[column] != "", None)
            if column in NUMBERS:
                frame[column] = pd.to_numeric(filled).astype(np.float64)
            elif str(column).endswith(("date", "start", "end")):
                frame[column] = pd.to_datetime(filled)
            else:
                frame[column] = filled
        out[name] = frame
    return out


def load(
    tables: Mapping[str, pd.DataFrame] | Mapping[str, Path],
    columns: Mapping[str, Mapping[str, str]] | None = None,
    **options: Unpack[Reading],
) -> ClaimTables:
    """Load tables given by name."""
    return load_tables(
        tables["claims"],
        events=tables.get("events"),
        payments=tables.get("payments"),
        case_reserves=tables.get("case_reserves"),
        scores=tables.get("scores"),
        exposure=tables.get("exposure"),
        columns=columns,
        **options,
    )


def assert_same_book(one: ClaimBook, other: ClaimBook, *, decisions: bool = True) -> None:
    """Fail unless two books hold the same, cell by cell; where they were read from does not matter."""
    pd.testing.assert_frame_equal(one.claims, other.claims)
    pd.testing.assert_frame_equal(one.paid, other.paid)
    for left, right in ((one.spells, other.spells), (one.position, other.position), (one.payments, other.payments)):
        assert (left is None) == (right is None)
        for name in getattr(left, "__slots__", ()):
            np.testing.assert_array_equal(getattr(left, name), getattr(right, name), err_msg=name, strict=True)
    assert one.set_aside == other.set_aside
    if decisions:
        assert one.decisions == other.decisions
        assert one.assumptions == other.assumptions
