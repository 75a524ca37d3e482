"""Cells that once broke the reading of claims, each with a sentence on what used to happen."""

from decimal import Decimal

import pandas as pd
import pytest

from msk_reserves.claims.defects import ClaimDataError
from tests.worlds.claim_files import ledger_texts, load, summary_texts, typed


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        # A signalling NaN raises when it is compared; the test for missing values let that through.
        ("body_part", Decimal("sNaN"), "`body_part`: text is needed; got sNaN"),
        ("weekly_wage", Decimal("sNaN"), "`weekly_wage`: the number must be finite; got sNaN"),
        # An empty object among texts left an empty list of flawed rows of the wrong type.
        ("claim_id", pd.NaT, "claims row 2, `claim_id`: the cell must not be empty"),
        # A dollar amount that no float sum survives was taken as given.
        ("weekly_wage", 1e300, r"`weekly_wage`: is beyond what is possible; got 1e\+300"),
    ],
)
def test_an_odd_object_is_reported(column: str, cell: object, message: str) -> None:
    """Odd objects in a frame are defects, not exceptions of another library."""
    tables = typed(ledger_texts())
    values = list(tables["claims"][column].astype(object))
    values[0] = cell
    tables["claims"][column] = pd.Series(values, dtype=object)
    with pytest.raises(ClaimDataError, match=message):
        load(tables)


def test_days_off_of_an_age_of_the_world_are_reported() -> None:
    """`days_off` near 2**63 ran over the calendar when the book was built."""
    tables = typed(summary_texts())
    tables["claims"].loc[0, "days_off"] = 9.2e18
    with pytest.raises(ClaimDataError, match="`days_off`: is beyond what is possible"):
        load(tables)


def test_a_month_is_no_valuation_date() -> None:
    """'June' was understood as the first of June of the year 1."""
    with pytest.raises(ValueError, match="`date` must be a date such as '2025-06-30', got 'June'"):
        load(typed(ledger_texts())).as_of("June")
