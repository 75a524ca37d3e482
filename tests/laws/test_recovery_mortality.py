"""States that go on for life end by death, though a file shows none."""

import numpy as np
import pandas as pd
import pytest

from msk_reserves.recovery.path.model import fit_path
from msk_reserves.recovery.path.mortality import mortality_of


def table(deaths: int, years: float, age: float | None) -> pd.DataFrame:
    """Return a hundred workers, off work for forty days and then at medical improvement for some years."""
    rows: list[tuple[object, ...]] = []
    for worker in range(100):
        dies = worker < deaths
        rows.append((f"W{worker:03d}", "off_work", 0, 40, "mmi", age))
        rows.append((f"W{worker:03d}", "mmi", 40, 40 + 365.25 * years, "dead" if dies else None, age))
    return pd.DataFrame(rows, columns=["claim_id", "state", "start", "stop", "next_state", "age"])


def rate(deaths: int, years: float, age: float = 50.0) -> float:
    """Return the fitted deaths a day at medical improvement."""
    recovery = fit_path(table(deaths, years, age), covariates=[])
    law = recovery.transitions["mmi", "dead"].kept()[0].fit
    return float(np.exp(-law.theta[0]))


@pytest.mark.parametrize(("deaths", "years"), [(0, 0.5), (0, 5.0), (4, 2.0)])
def test_the_rate_lies_between_the_file_s_and_the_population_s(deaths: int, years: float) -> None:
    """Two exits of the population's mortality are added to the deaths and days of the file."""
    expected = mortality_of(pd.DataFrame({"age": [50.0]}))
    assert expected is not None
    own, days = float(expected[0]), 100 * 365.25 * years
    assert rate(deaths, years) == pytest.approx((2.0 + deaths) / (2.0 / own + days), rel=1e-9)


def test_the_old_die_sooner() -> None:
    """Twenty years of age multiply the population's mortality by e^1.9."""
    assert rate(0, 0.01, 60.0) / rate(0, 0.01, 40.0) == pytest.approx(np.exp(1.9), rel=0.02)


def test_without_ages_only_deaths_seen_are_moves() -> None:
    """A file without ages has no mortality but its own."""
    recovery = fit_path(table(0, 2.0, None).drop(columns="age"), covariates=[])
    assert ("mmi", "dead") not in recovery.transitions
