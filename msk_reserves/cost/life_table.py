"""How long people live: probabilities of death by age and sex, and the years lived between two times."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats, frozen, positive
from msk_reserves.claims.columns import Table
from msk_reserves.claims.defects import Findings
from msk_reserves.claims.plain_table import read_plain_table
from msk_reserves.claims.schema import Column
from msk_reserves.claims.sources import Source

SEXES = ("male", "female")

SexAnswer = Callable[[Floats], Floats]
"""What is asked of the share alive at each age of one sex."""

FEDERAL_TABLE = (
    "period life table 2017 of the United States Social Security area, Office of the Chief Actuary, "
    "2020 Trustees Report; a work of the federal government, in the public domain"
)
"""Source of the table in the package: the last year before the pandemic that could be checked line by line."""

COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "age": Column("number", "required", high=130.0, whole=True),
        "male": Column("number", "required", high=1.0),
        "female": Column("number", "required", high=1.0),
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class LifeTable:
    """Probabilities of death within a year, by age and sex.

    Between birthdays deaths are spread evenly; whoever outlives the last age of the table dies within one more year.

    Attributes
    ----------
    first_age : age of the first entry, whole years.
    male, female : probability that a person of each age dies within the year, shape (n_ages,).
    source : where the figures come from.
    """

    first_age: int
    male: Floats
    female: Floats
    source: str

    def __post_init__(self) -> None:
        for name in SEXES:
            values = frozen(getattr(self, name), name)
            if not len(values) or ((values < 0) | (values > 1)).any():
                raise ValueError(f"`{name}` must hold probabilities of at least one age, got {values}")
            object.__setattr__(self, name, values)
        if len(self.male) != len(self.female):
            raise ValueError(
                f"`male` and `female` must have the same ages, got {len(self.male)} and {len(self.female)}"
            )

    def __str__(self) -> str:
        return f"Deaths by age and sex, {self.first_age} to {self.last_age}: {self.source}"

    @property
    def last_age(self) -> int:
        """Age of the last entry."""
        return self.first_age + len(self.male) - 1

    def scaled(self, factor: float) -> "LifeTable":
        """Return the table with every probability multiplied, at most 1: impaired lives, or longer ones.

        Examples
        --------
        >>> life_table().scaled(1.5).male[40].round(6)
        np.float64(0.003723)
        """
        by = positive(factor, "factor")
        male, female = (np.minimum(by * getattr(self, name), 1.0) for name in SEXES)
        return LifeTable(self.first_age, male, female, f"{self.source}, times {factor:g}")

    def survival(self, age: npt.ArrayLike, sex: npt.ArrayLike, years: npt.ArrayLike) -> Floats:
        """Return the probability that a person of an age lives so many years more.

        Parameters
        ----------
        age : array_like
            Years, within the table.
        sex : array_like of str
            "male", "female", or "" where unknown: the mean of both.
        years : array_like
            Years from now; infinite years give 0.

        Returns
        -------
        numpy.ndarray
            Probabilities, in the broadcast shape.

        Raises
        ------
        ValueError
            If an age is outside the table, a sex unknown, or years negative.

        Examples
        --------
        >>> life_table().survival(65.0, ["male", "female"], 20.0).round(4).tolist()
        [0.4351, 0.5537]
        """
        start, years_on = self._checked(age, years)
        return self._by_sex(sex, lambda alive: self._at(alive, start + years_on) / self._at(alive, start))

    def years_lived(self, age: npt.ArrayLike, sex: npt.ArrayLike, since: npt.ArrayLike, until: npt.ArrayLike) -> Floats:
        """Return the expected years a person lives between two times: the integral of survival.

        Parameters
        ----------
        age, sex : array_like
            As in `survival`.
        since, until : array_like
            Years from now; infinite is the end of the table.

        Returns
        -------
        numpy.ndarray
            Years, in the broadcast shape; 0 where `until` is not after `since`.

        Examples
        --------
        >>> life_table().years_lived(65.0, ["male", "female", ""], 0.0, np.inf).round(2).tolist()
        [17.89, 20.45, 19.17]
        """
        start, first = self._checked(age, since)
        _, last = self._checked(age, until)

        def lived(alive: Floats) -> Floats:
            between = self._area(alive, start + np.maximum(first, last)) - self._area(alive, start + first)
            return np.asarray(between / self._at(alive, start))

        return self._by_sex(sex, lived)

    def _checked(self, age: npt.ArrayLike, years: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return ages and years as arrays that the table can answer for."""
        ages, on = np.asarray(age, dtype=np.float64), np.asarray(years, dtype=np.float64)
        outside = ~((ages >= self.first_age) & (ages <= self.last_age))
        if outside.any():
            raise ValueError(
                f"`age` must lie in the life table, {self.first_age} to {self.last_age}, got {ages[outside].flat[0]}"
            )
        if not (on >= 0).all():
            raise ValueError(f"years from now must not be negative, got {on[~(on >= 0)].flat[0]}")
        return ages, np.minimum(on, self.last_age + 1.0 - ages)

    def _by_sex(self, sex: npt.ArrayLike, answer: SexAnswer) -> Floats:
        """Return an answer for each sex, the mean of both where it is unknown."""
        given = np.asarray(sex, dtype=str)
        bad = ~np.isin(given, (*SEXES, ""))
        if bad.any():
            raise ValueError(f"`sex` must be male, female or empty, got {str(given[bad].flat[0])!r}")
        men, women = (answer(self._alive(name)) for name in SEXES)
        weight = np.select([given == "male", given == "female"], [1.0, 0.0], 0.5)
        mixed: Floats = np.asarray(weight * men + (1.0 - weight) * women)
        return mixed

    def _alive(self, sex: str) -> Floats:
        """Return the share of the first age alive at each age, and none a year after the last, shape (n_ages + 1,)."""
        alive: Floats = np.asarray(np.cumprod(1.0 - np.append(0.0, getattr(self, sex))), dtype=np.float64)
        alive[-1] = 0.0
        return alive

    def _at(self, alive: Floats, age: Floats) -> Floats:
        """Return the share alive at any age."""
        return np.asarray(np.interp(age - self.first_age, np.arange(len(alive)), alive))

    def _area(self, alive: Floats, age: Floats) -> Floats:
        """Return the years lived before an age by one person of the first age: exact, since survival is linear."""
        whole = np.minimum(np.floor(age - self.first_age).astype(np.int64), len(alive) - 1)
        before = np.append(0.0, np.cumsum((alive[1:] + alive[:-1]) / 2.0))
        part = age - self.first_age - whole
        return np.asarray(before[whole] + part * (alive[whole] + self._at(alive, age)) / 2.0)


@cache
def life_table() -> LifeTable:
    """Return the life table of the package: the Social Security Administration's of 2017.

    Examples
    --------
    >>> table = life_table()
    >>> table.first_age, table.last_age, float(table.female[45])
    (0, 119, 0.002029)
    """
    with (files("msk_reserves.cost") / "life_table.csv").open(encoding="utf-8") as lines:
        figures = np.loadtxt(lines, delimiter=",", skiprows=1)
    return LifeTable(int(figures[0, 0]), figures[:, 1], figures[:, 2], FEDERAL_TABLE)


def read_life_table(table: Source, *, source: str) -> LifeTable:
    """Read a life table of one's own.

    Parameters
    ----------
    table : path of a CSV or Parquet file, or pandas.DataFrame
        Columns `age` (whole years, one after the other), `male` and `female` (probability of death within the year).
    source : str
        Where the figures come from, shown with every result.

    Raises
    ------
    ClaimDataError
        If anything is wrong with the table; it lists everything that is.

    Examples
    --------
    >>> import pandas as pd
    >>> figures = pd.DataFrame({"age": [60, 61], "male": [0.012, 1.0], "female": [0.007, 1.0]})
    >>> read_life_table(figures, source="an example").survival(60.0, "male", 1.0).round(3).tolist()
    0.988
    """
    read = read_plain_table(table, "life_table", COLUMNS, check=_check_ages)
    male, female = (read.values[name] for name in SEXES)
    return LifeTable(int(read.values["age"][0]), male, female, source)


def _check_ages(table: Table, found: Findings) -> None:
    """Note every age that does not follow the one before."""
    ages = table.values["age"]
    wrong = np.flatnonzero(np.diff(ages) != 1) + 1
    known = wrong[~np.isnan(ages[wrong]) & ~np.isnan(ages[wrong - 1])]
    found.cells("age_not_next", table.sheet.table, "age", known, ages[known].tolist())
