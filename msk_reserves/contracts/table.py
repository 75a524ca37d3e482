"""Episodes as a table: the columns that terms of a contract may read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats

WORDS = ("episode_id", "pool", "year", "category", "cell")
"""Columns that are words whatever they look like."""

DOLLARS = (
    "cost", "post_cost", "post_limit", "schedule", "outlier_cap", "outlier_floor", "spent_by_seller", "carried_loss",
    "agreed_price", "cost_so_far",
)  # fmt: skip
"""Columns of dollars: not negative and, where a term reads them, not blank."""

ALL = "all"
"""What `pool`, `year` and `category` say when the episodes do not have them."""


class EpisodeDataError(ValueError):
    """Episodes that cannot be settled; the message has a line for every defect."""


@dataclass(frozen=True, slots=True, eq=False)
class EpisodeTable:
    """Episodes that have ended, a row each, as columns.

    Attributes
    ----------
    numbers : columns of numbers, NaN where blank; each of shape (..., n_episodes), read-only. Leading axes are futures.
    words : columns of words, `episode_id`, `pool`, `year` and `category` always among them; each of n_episodes.

    Examples
    --------
    >>> import pandas as pd
    >>> table = EpisodeTable.of(pd.DataFrame({"episode_id": ["a", "b"], "cost": [21_000.0, 95_000.0]}))
    >>> len(table), table.number("cost").tolist(), table.words["pool"]
    (2, [21000.0, 95000.0], ('all', 'all'))
    """

    numbers: Mapping[str, Floats]
    words: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        views = {name: column.view() for name, column in self.numbers.items()}
        for column in views.values():
            column.flags.writeable = False
        object.__setattr__(self, "numbers", views)

    def __len__(self) -> int:
        return len(self.words["episode_id"])

    @classmethod
    def of(cls, episodes: pd.DataFrame) -> "EpisodeTable":
        """Return the table of a frame with a row an episode.

        Parameters
        ----------
        episodes : the columns `episode_id` and `cost` (dollars of care in scope, in the window, under fee for
            service), and whatever else a contract's terms read.

        Raises
        ------
        EpisodeDataError
            If a column is missing, an id comes twice or is blank, or dollars are blank, negative or not numbers; every
            defect has a line.
        """
        wrong = [f"the column `{name}` is missing" for name in ("episode_id", "cost") if name not in episodes.columns]
        if wrong:
            raise EpisodeDataError("\n".join(wrong))
        words = {name: _words(episodes, name) for name in WORDS if name in episodes.columns}
        wrong += _ids(words["episode_id"])
        numbers: dict[str, Floats] = {}
        for name in (str(column) for column in episodes.columns if column not in WORDS):
            values, bad = _numbers(episodes[name])
            if name in DOLLARS:
                wrong += [f"row {row + 1}: `{name}` must be a number of dollars, got {value!r}" for row, value in bad]
                wrong += _dollars(values, name)
            if bad and name not in DOLLARS:
                words[name] = _words(episodes, name)
            else:
                numbers[name] = values
        if wrong:
            raise EpisodeDataError("\n".join(wrong))
        blank = (ALL,) * len(episodes)
        return cls(numbers, {**dict.fromkeys(("pool", "year", "category"), blank), **words})

    def number(self, name: str) -> Floats:
        """Return a column of numbers, shape (n_episodes,); NaN where blank."""
        if name in self.words:
            raise EpisodeDataError(f"the column `{name}` must hold numbers, got {self.words[name][0]!r} in it")
        return self.numbers[name]

    def filled(self, name: str) -> Floats:
        """Return a column of numbers, none of them blank; shape (n_episodes,).

        Raises
        ------
        EpisodeDataError
            If a cell is blank, with the first row that is.
        """
        column = self.number(name)
        if np.isnan(column).any():
            raise EpisodeDataError(f"the column `{name}` must not be blank; it is for {self._first(np.isnan(column))}")
        return column

    def above_zero(self, name: str) -> Floats:
        """Return a column of numbers by which may be divided: none blank, all above zero; shape (n_episodes,).

        Raises
        ------
        EpisodeDataError
            If a cell is blank or not above zero, with the first row that is.
        """
        column = self.filled(name)
        if not (column > 0).all():
            raise EpisodeDataError(f"the column `{name}` must be above zero; it is not for {self._first(column <= 0)}")
        return column

    def valued(self, name: str, values: Mapping[str, float]) -> Floats:
        """Return the value of each episode's word in a column, NaN where the word has none; shape (n_episodes,)."""
        column = self.words[name] if name in self.words else tuple(f"{value:g}" for value in self.numbers[name])
        codes, words = pd.factorize(np.array(column, dtype=object))
        found: Floats = np.array([values.get(word, np.nan) for word in words], dtype=np.float64)[codes]
        return found

    def _first(self, bad: Booleans) -> str:
        """Name the first episode for which something does not hold."""
        row = int(np.argmax(bad.reshape(-1, len(self)).any(axis=0)))
        return f"episode {self.words['episode_id'][row]!r}"

    def __contains__(self, name: str) -> bool:
        return name in self.numbers or name in self.words

    def joined(self, cells: pd.DataFrame) -> "EpisodeTable":
        """Return the episodes with the columns of their price cell added.

        Parameters
        ----------
        cells : a row a cell, with the column `cell` and columns of numbers (baseline means, trends, outlier caps).

        Raises
        ------
        EpisodeDataError
            If the episodes or the cells have no `cell`, a cell comes twice, an episode's cell is not there, or both
            have the same column.
        """
        if "cell" not in self.words or "cell" not in cells.columns:
            raise EpisodeDataError("the column `cell` is missing; both the episodes and the cells need it to be joined")
        names = [str(cell) for cell in cells["cell"]]
        twice = sorted({name for name in names if names.count(name) > 1})
        wrong = [f"the cell {name!r} comes twice in the cells" for name in twice]
        lost = sorted(set(self.words["cell"]) - set(names))
        wrong += [f"the cell {name!r} of the episodes is not among the cells" for name in lost]
        added = [str(column) for column in cells.columns if column != "cell"]
        wrong += [f"the column `{name}` is in the episodes and in the cells" for name in added if name in self]
        if wrong:
            raise EpisodeDataError("\n".join(wrong))
        place = self.valued("cell", {name: float(row) for row, name in enumerate(names)}).astype(np.int64)
        columns: dict[str, Floats] = {}
        for name in added:
            values, bad = _numbers(cells[name])
            wrong += [f"cells, row {row + 1}: `{name}` must be a number, got {value!r}" for row, value in bad]
            columns[name] = values[place]
        if wrong:
            raise EpisodeDataError("\n".join(wrong))
        return EpisodeTable({**self.numbers, **columns}, self.words)

    def frame(self, columns: Sequence[str]) -> pd.DataFrame:
        """Return some columns as a frame."""
        return pd.DataFrame({name: self.words[name] if name in self.words else self.numbers[name] for name in columns})


def read_episodes(source: str | Path) -> EpisodeTable:
    """Return the episodes of a CSV file.

    Parameters
    ----------
    source : path of a CSV file with the columns of `EpisodeTable.of`.

    Raises
    ------
    EpisodeDataError
        If there is no such file or its rows have defects; every line names the file.
    """
    try:
        return EpisodeTable.of(read_rows(source))
    except EpisodeDataError as error:
        raise EpisodeDataError("\n".join(f"{source}: {line}" for line in str(error).split("\n"))) from error


def read_rows(source: str | Path) -> pd.DataFrame:
    """Return the rows of a CSV file as words, so that no id loses its zeros: price cells, services, episodes.

    Parameters
    ----------
    source : path of the file.

    Raises
    ------
    EpisodeDataError
        If there is no such file or it is not CSV.
    """
    if not Path(source).is_file():
        raise EpisodeDataError(f"there is no file {str(source)!r}; give a CSV file with a row an episode")
    try:
        return pd.read_csv(source, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise EpisodeDataError(f"not a CSV file: {error}") from error


def _words(frame: pd.DataFrame, name: str) -> tuple[str, ...]:
    """Return a column as words, blanks as empty."""
    column = frame[name]
    return tuple(column.astype(object).where(column.notna(), "").astype(str))


def _numbers(column: pd.Series) -> tuple[Floats, list[tuple[int, object]]]:
    """Return a column as numbers, blanks as NaN, and the rows that are neither."""
    if pd.api.types.is_numeric_dtype(column):
        read = column.to_numpy(dtype=np.float64, na_value=np.nan, copy=True)
        given = ~np.isnan(read)
    else:
        filled = column.notna() & (column.astype(str).str.strip() != "")
        read = pd.to_numeric(column.where(filled), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        given = filled.to_numpy(dtype=np.bool_)
    bad = np.flatnonzero(given & ~np.isfinite(read))
    return read, [(int(row), column.iloc[int(row)]) for row in bad]


def _ids(ids: tuple[str, ...]) -> list[str]:
    """Return what is wrong with the ids."""
    if not ids:
        return ["there are no episodes"]
    column = pd.Series(ids)
    blank = column.str.strip() == ""
    wrong = [f"row {row + 1}: `episode_id` is blank" for row in np.flatnonzero(blank)]
    again = np.flatnonzero(column.duplicated() & ~blank)
    return wrong + [
        f"row {row + 1}: `episode_id` {ids[row]!r} is that of row {ids.index(ids[row]) + 1} too" for row in again
    ]


def _dollars(values: Floats, name: str) -> list[str]:
    """Return what is wrong with a column of dollars."""
    wrong = [f"row {row + 1}: `{name}` must not be negative, got {values[row]:g}" for row in np.flatnonzero(values < 0)]
    if name == "cost":
        wrong += [f"row {row + 1}: `cost` is blank" for row in np.flatnonzero(np.isnan(values))]
    return wrong
