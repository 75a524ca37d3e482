"""Deaths where a file of a few years shows next to none: the population's mortality, or a life table's."""

from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.claims.book import Assumption

AT_FORTY = 0.002
GROWTH = 0.095
"""Deaths a year at 40, and how fast they grow with a year of age: Gompertz's law through 0.2 % at 40, 0.5 % at 50 and
1.3 % at 60, rounded figures of United States life tables for both sexes."""

YEARS = 10.0
"""Years after the injury over which a worker's mortality is averaged: the length of a forecast."""

_SEX = {"M": "male", "F": "female"}


@runtime_checkable
class Mortality(Protocol):
    """A life table: anything that knows how likely people are to live so many years more, and its source."""

    @property
    def source(self) -> str:
        """Where the figures come from; printed with them."""
        ...

    def survival(self, age: npt.ArrayLike, sex: npt.ArrayLike, years: npt.ArrayLike) -> Floats:
        """Return the probability of living so many years more, by age and sex ("male", "female", "" where unknown)."""
        ...


def mortality_of(workers: pd.DataFrame, table: Mortality | None = None) -> Floats | None:
    """Return deaths a day expected of each worker, shape (n_rows,).

    The mean hazard over the ten years after the injury, of Gompertz's law or of a life table; a worker of unknown age
    counts as the mean age. None where there is no column `age`, or no age is known.

    Raises
    ------
    ValueError
        If the table does not reach ten years beyond the oldest worker.

    Examples
    --------
    >>> (365.25 * mortality_of(pd.DataFrame({"age": [40.0, 60.0]}))).round(4).tolist()
    [0.0033, 0.0223]
    """
    if "age" not in workers or not pd.api.types.is_numeric_dtype(workers["age"]):
        return None
    age = workers["age"].to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isnan(age).all():
        return None
    known = np.where(np.isnan(age), np.nanmean(age), age)
    if table is not None:
        return _of_table(table, known, workers)
    over_years = np.expm1(GROWTH * YEARS) / (GROWTH * YEARS)
    return np.asarray(AT_FORTY * over_years * np.exp(GROWTH * (known - 40.0)) / 365.25)


def _of_table(table: Mortality, age: Floats, workers: pd.DataFrame) -> Floats:
    """Return the mean hazard a day over the years to come that a life table has."""
    sex = workers["sex"].map(_SEX).fillna("") if "sex" in workers else pd.Series("", index=workers.index)
    alive = table.survival(age, sex.to_numpy(dtype=str), YEARS)
    if not (alive > 0).all():
        raise ValueError(
            f"`mortality` must reach {YEARS:g} years beyond the oldest worker; nobody of age {age[alive <= 0][0]:g} "
            "lives so long by it"
        )
    return np.asarray(-np.log(alive) / (YEARS * 365.25))


def mortality_assumed(table: Mortality | None, deaths: Floats) -> Assumption:
    """Return what is assumed of deaths, `deaths` being those expected a day of each worker, as it is printed."""
    if table is None:
        growth = f"growing by {np.expm1(GROWTH):.0%} with each year of age"
        value = f"population mortality, {AT_FORTY:.1%} a year at 40 and {growth}"
        source = "rounded United States life tables; injured workers may die sooner"
    else:
        value = f"a life table, {365.25 * deaths.mean():.2%} a year of these workers on average over {YEARS:g} years"
        source = f"given by the user: {table.source}"
    return Assumption("deaths in states that go on for life", f"{value}, counts as two exits", source)
