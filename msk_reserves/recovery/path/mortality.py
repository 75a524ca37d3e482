"""Deaths where a file of a few years shows next to none: the population's mortality."""

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.claims.book import Assumption

AT_FORTY = 0.002
GROWTH = 0.095
"""Deaths a year at 40, and how fast they grow with a year of age: Gompertz's law through 0.2 % at 40, 0.5 % at 50 and
1.3 % at 60, rounded figures of United States life tables for both sexes."""

YEARS = 10.0
"""Years after the injury over which a worker's mortality is averaged: the length of a forecast."""

POPULATION_MORTALITY = Assumption(
    "deaths in states that go on for life",
    f"population mortality, {AT_FORTY:.1%} a year at 40 and growing by {np.expm1(GROWTH):.0%} with each year of age, "
    "counts as two exits",
    "rounded United States life tables; injured workers may die sooner",
)


def population_mortality(workers: pd.DataFrame) -> Floats | None:
    """Return deaths a day that the population leads one to expect of each worker, shape (n_rows,).

    The mean of Gompertz's hazard over the ten years after the injury; a worker of unknown age counts as the mean age.
    None where there is no column `age`, or no age is known.

    Examples
    --------
    >>> (365.25 * population_mortality(pd.DataFrame({"age": [40.0, 60.0]}))).round(4).tolist()
    [0.0033, 0.0223]
    """
    if "age" not in workers or not pd.api.types.is_numeric_dtype(workers["age"]):
        return None
    age = workers["age"].to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isnan(age).all():
        return None
    known = np.where(np.isnan(age), np.nanmean(age), age)
    over_years = np.expm1(GROWTH * YEARS) / (GROWTH * YEARS)
    return np.asarray(AT_FORTY * over_years * np.exp(GROWTH * (known - 40.0)) / 365.25)
