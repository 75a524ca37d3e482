"""Reading a table that is not of claims, such as one of laws or lives, as strictly as those of claims."""

from collections.abc import Callable, Mapping

from msk_reserves.claims.columns import Table, parse_columns
from msk_reserves.claims.defects import ClaimDataError, Findings
from msk_reserves.claims.frames import list_defects
from msk_reserves.claims.schema import Column
from msk_reserves.claims.sources import Source, read_sheet


def read_plain_table(
    source: Source, name: str, columns: Mapping[str, Column], *, check: Callable[[Table, Findings], None]
) -> Table:
    """Return a table with every cell parsed.

    Parameters
    ----------
    source : path of a CSV or Parquet file, or pandas.DataFrame
        The table.
    name : str
        What its defects call it.
    columns : mapping
        Its columns.
    check : callable
        Notes what is wrong between cells; called whatever is wrong with single cells, so that all is told at once.

    Raises
    ------
    ClaimDataError
        If anything is wrong with the table; it lists everything that is.
    """
    found = Findings()
    sheet = read_sheet(source, name, {}, found)
    table = parse_columns(sheet, columns, found)
    if sheet.columns and not len(table):
        found.whole("no_rows", name, "", "a header without rows")
    if len(table):
        check(table, found)
    if found.items:
        raise ClaimDataError(list_defects({name: table}, found))
    return table
