"""Where tables come from: CSV, Parquet, pandas frames and SQL, all brought to one raw form."""

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from msk_reserves._checks import Integers
from msk_reserves.claims.defects import Findings

Source: TypeAlias = str | Path | pd.DataFrame


@dataclass(frozen=True, slots=True, eq=False)
class TextCells:
    """A column of text, each different word held once.

    Attributes
    ----------
    codes : place in `words` of each cell, -1 where the cell is empty; shape (n_rows,).
    words : the words that occur.
    from_file : whether all cells of the source are text, so that a number may be written as text.
    """

    codes: Integers
    words: tuple[str, ...]
    from_file: bool

    def at(self, rows: Integers) -> list[str]:
        """Return the words of some rows; an empty cell gives ''."""
        return ["" if code < 0 else self.words[code] for code in self.codes[rows].tolist()]


Cells: TypeAlias = TextCells | pd.Series
"""A raw column: text, or a pandas series of anything else."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A table as it came: raw columns by name, and the row of the file behind each row."""

    table: str
    origin: str
    sha256: str
    row_numbers: Integers
    columns: Mapping[str, Cells]

    def __len__(self) -> int:
        return len(self.row_numbers)


def read_sheet(source: Source, table: str, renamed: Mapping[str, str], found: Findings) -> Sheet:
    """Read one table into raw columns under our names; `renamed` maps the user's column names to ours."""
    if isinstance(source, pd.DataFrame):
        names = list(source.columns)
        cells = [_cells(source.iloc[:, place]) for place in range(len(names))]
        origin = str(source.attrs.get("origin", "pandas frame"))
        sha256, numbers = frame_hash(source), np.arange(len(source), dtype=np.int64) + 2
    elif isinstance(source, str | Path):
        path = Path(source)
        with path.open("rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        origin = path.name
        try:
            names, cells, numbers = _read_file(path, table, found)
        except (pa.ArrowException, UnicodeDecodeError, csv.Error) as problem:
            found.whole("unreadable", table, "", str(problem).splitlines()[0])
            names, cells, numbers = [], [], np.empty(0, dtype=np.int64)
    else:
        raise TypeError(
            f"`{table}` must be a path to CSV or Parquet or a pandas DataFrame, got {type(source).__name__}"
        )
    return Sheet(table, origin, sha256, numbers, _named(names, cells, table, renamed, found))


def _named(
    names: list[Any], cells: list[Cells], table: str, renamed: Mapping[str, str], found: Findings
) -> dict[str, Cells]:
    """Bring raw columns under our names, noting names that are missing, doubled or not text."""
    for name in renamed:
        if name not in names and names:
            found.whole("mapped_column_absent", table, name, repr(name))
    columns: dict[str, Cells] = {}
    for name, cell in zip(names, cells, strict=True):
        if not isinstance(name, str) or not name.strip():
            found.whole("nameless_column", table, str(name), repr(name))
            continue
        ours = renamed.get(name, name)
        if ours in columns:
            found.whole("duplicate_column", table, ours, repr(name))
        columns.setdefault(ours, cell)
    return columns


def _read_file(path: Path, table: str, found: Findings) -> tuple[list[Any], list[Cells], Integers]:
    """Read a file by its suffix: names, raw columns, row numbers."""
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _read_csv(path, table, found)
    if suffix in {".parquet", ".pq"}:
        frame = pa.parquet.ParquetFile(path).read().to_pandas()
        if any(name is not None for name in frame.index.names):
            frame = frame.reset_index()
        cells = [_cells(frame.iloc[:, place]) for place in range(frame.shape[1])]
        return list(frame.columns), cells, np.arange(len(frame), dtype=np.int64) + 2
    raise ValueError(f"`{table}` must be a file ending in .csv, .parquet or .pq, got {path.name!r}")


def _read_csv(path: Path, table: str, found: Findings) -> tuple[list[Any], list[Cells], Integers]:
    """Read a CSV with every cell as text; rows of the wrong length are noted, blank lines passed over."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header = next(csv.reader(stream), [])
    if not header:
        raise csv.Error("the file is empty")
    ragged: list[int] = []

    def note(row: pa.csv.InvalidRow) -> str:
        ragged.append(int(row.number))
        found.whole("ragged_row", table, "", f"{row.actual_columns} cells in row {row.number}, not {len(header)}")
        return "skip"

    content = pa.csv.read_csv(
        path,
        # Row numbers of ragged rows are known only without threads.
        read_options=pa.csv.ReadOptions(use_threads=False),
        parse_options=pa.csv.ParseOptions(invalid_row_handler=note, newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pa.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False, quoted_strings_can_be_null=False
        ),
    )
    numbers = np.delete(np.arange(2, content.num_rows + len(ragged) + 2), np.array(ragged, dtype=np.int64) - 2)
    columns = [_encoded(content.column(place)) for place in range(content.num_columns)]
    written = np.any([column.codes >= 0 for column in columns], axis=0)
    cells: list[Cells] = [TextCells(column.codes[written], column.words, from_file=True) for column in columns]
    return content.column_names, cells, numbers[written].astype(np.int64)


def _encoded(column: pa.ChunkedArray) -> TextCells:
    """Encode an Arrow column of text."""
    encoded = column.combine_chunks().dictionary_encode()
    codes: Integers = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return _without_empty(codes, encoded.dictionary.to_pylist(), from_file=True)


def _without_empty(codes: Integers, words: list[str], *, from_file: bool) -> TextCells:
    """Give the empty word the code -1."""
    if "" in words:
        codes = np.where(codes == words.index(""), -1, codes)
    return TextCells(codes, tuple(words), from_file)


def _cells(series: pd.Series) -> Cells:
    """Bring a pandas column to raw form: text is encoded, anything else kept."""
    values = series.astype(object) if isinstance(series.dtype, pd.CategoricalDtype) else series
    values = values.reset_index(drop=True)
    kind = values.dtype.kind if isinstance(values.dtype, np.dtype) else ""
    if kind in set("iufbMmc"):
        return values
    found = pd.api.types.infer_dtype(values, skipna=True)
    if found == "string":
        codes, words = pd.factorize(values)
        return _without_empty(codes.astype(np.int64), [str(word) for word in words], from_file=False)
    if found == "empty":
        return pd.Series(np.full(len(values), np.nan))
    return values


def frame_hash(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of a frame's content: names, kinds and cells, whatever the index.

    Numbers and times enter by their bytes, everything else by the codes and the printed form of its values.

    Examples
    --------
    >>> frame_hash(pd.DataFrame({"a": [1]})) == frame_hash(pd.DataFrame({"a": [1]}, index=[7]))
    True
    >>> frame_hash(pd.DataFrame({"a": [1]})) == frame_hash(pd.DataFrame({"a": ["1"]}))
    False
    """
    digest = hashlib.sha256()
    for place, name in enumerate(frame.columns):
        series = frame.iloc[:, place]
        digest.update(f"{name!r}\x00{series.dtype}\x00{len(series)}\x00".encode(errors="surrogatepass"))
        if isinstance(series.dtype, np.dtype) and series.dtype.kind in "iufbMm":
            digest.update(np.ascontiguousarray(series.to_numpy()).tobytes())
            continue
        text = pd.api.types.infer_dtype(series, skipna=False) == "string"
        codes, words = pd.factorize(series if text else pd.Series([repr(value) for value in series], dtype=object))
        digest.update(b"text" if text else b"printed")
        digest.update(codes.astype(np.int64).tobytes())
        digest.update("\x00".join(words).encode(errors="surrogatepass"))
    return digest.hexdigest()


def query_frame(connection: object, query: str) -> pd.DataFrame:
    """Run a query on a SQLAlchemy engine or connection, or on a DuckDB or sqlite3 connection."""
    if hasattr(connection, "exec_driver_sql"):
        result = connection.exec_driver_sql(query)
        return pd.DataFrame([tuple(row) for row in result.fetchall()], columns=list(result.keys()))
    if hasattr(connection, "connect") and hasattr(connection, "dialect"):
        with connection.connect() as opened:
            return query_frame(opened, query)
    if hasattr(connection, "execute"):
        cursor = connection.execute(query)
        names = [entry[0] for entry in cursor.description]
        return pd.DataFrame(cursor.fetchall(), columns=names)
    raise TypeError(
        "`connection` must be a SQLAlchemy engine or connection, or a DuckDB or sqlite3 connection, "
        f"got {type(connection).__name__}"
    )
