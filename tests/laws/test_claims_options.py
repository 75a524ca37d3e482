"""Options of a reading: setting defective claims aside, mapping the user's own codes, and what is refused."""

from pathlib import Path

import numpy as np
import pytest

from msk_reserves.claims.defects import ClaimDataError
from msk_reserves.claims.schema import Reading
from tests.worlds.claim_files import ledger_texts, load, summary_texts, typed, write_csv


def test_set_aside_keeps_the_rest_and_counts_the_dollars(tmp_path: Path) -> None:
    """Defective claims leave every table; ids, dollars and reasons are kept; rows of no claim count too."""
    tables = ledger_texts()
    tables["claims"].loc[0, "age"] = "-1"
    tables["payments"].loc[4, "claim_id"] = "C-99"
    read = load(write_csv(tables, tmp_path), on_defect="set_aside")
    book = read.as_of("2024-12-31")
    assert list(book.claims["claim_id"]) == ["C-1", "C-10", "C-2"]
    assert book.set_aside.claim_ids == ("C-3",)
    assert book.set_aside.paid == 1200 + 18000.25 - 500 + 180
    assert [reason.split(":")[0] for reason in book.set_aside.reasons] == ["claims, `age`", "payments, `claim_id`"]
    assert "1 claims set aside, 18,880.25 dollars" in str(read.check())
    assert book.payments is not None
    assert len(book.payments) == 3


def test_set_aside_takes_both_of_a_doubled_claim() -> None:
    """Neither row of a doubled id is believed."""
    tables = typed(ledger_texts())
    tables["claims"].loc[0, "claim_id"] = "C-1"
    with pytest.raises(ClaimDataError):
        load(tables)
    book = load(tables, on_defect="set_aside").as_of("2024-12-31")
    assert list(book.claims["claim_id"]) == ["C-10", "C-2"]


def test_set_aside_at_summary_depth_and_past_the_date() -> None:
    """Summary rows are set aside while reading and on the date, their paid dollars counted."""
    tables = typed(summary_texts())
    tables["claims"].loc[0, "age"] = 200.0
    book = load(tables, on_defect="set_aside").as_of("2023-06-30")
    assert list(book.claims["claim_id"]) == ["S-3"]
    assert book.set_aside.claim_ids == ("S-1", "S-2")
    assert book.set_aside.paid == 5200.75 + 900 + 41000


def test_a_defect_of_a_whole_table_is_never_set_aside() -> None:
    """Structure is not a matter of single claims."""
    tables = typed(ledger_texts())
    del tables["claims"]["body_part"]
    with pytest.raises(ClaimDataError, match="claims, `body_part`: the column is required"):
        load(tables, on_defect="set_aside")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_defect": "ignore"}, "`on_defect` must be one of raise, set_aside"),
        ({"entry_rule": "takeover"}, "`takeover_date` must be given"),
        ({"entry_rule": "late"}, "`entry_rule` must be one of"),
        ({"categories": {"A1": "ambulance"}}, "`categories\\['A1'\\]` must be one of"),
        ({"undated": True}, "`undated` tables hold claims alone"),
        ({"stable_days": np.nan}, "`stable_days` must be a finite number"),
        ({"days_off_interval": -7.0}, "`days_off_interval` must not be negative"),
    ],
)
def test_a_bad_option_is_refused(options: Reading, message: str) -> None:
    """An option outside its choices is an error of its own."""
    with pytest.raises(ValueError, match=message):
        load(typed(ledger_texts()), **options)


def test_the_users_own_codes_come_in_by_mapping() -> None:
    """Codes of payments and events are mapped; a mapped code equals ours."""
    tables = typed(ledger_texts())
    tables["payments"]["category"] = tables["payments"]["category"].replace("ttd", "IND-01")
    tables["events"]["event"] = tables["events"]["event"].replace("close", "CL")
    tables["claims"] = tables["claims"].rename(columns={"body_part": "Part"})
    read = load(
        tables, categories={"IND-01": "ttd"}, events_map={"CL": "close"}, columns={"claims": {"Part": "body_part"}}
    )
    assert read.as_of("2024-12-31").paid["indemnity"].sum() == 1200.0
