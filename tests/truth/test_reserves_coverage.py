"""A small run of the coverage study: enough to notice bands that do not hold what they say.

The full study is `make coverage`; its last result is docs/coverage.md.
"""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
from scipy import stats

from benchmarks.coverage import WORLDS, Outcome

PORTFOLIOS = 12
CLAIMS = 1_200
ALARM = 0.001


@pytest.fixture(scope="module", params=list(WORLDS))
def outcomes(request: pytest.FixtureRequest) -> list[Outcome]:
    """Return the portfolios of one world, forecast as a user would."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return list(pool.map(partial(WORLDS[request.param], n_claims=CLAIMS), range(50, 50 + PORTFOLIOS)))


def test_ninety_per_cent_bands_hold(outcomes: list[Outcome]) -> None:
    """Right bands of the total hold at least as many of 12 as the binomial law gives with probability 99.9 %."""
    held = sum(0.05 <= one.transform["total"] <= 0.95 for one in outcomes)
    assert held >= stats.binom.ppf(ALARM, PORTFOLIOS, 0.9)


def test_the_mean_is_not_far_off(outcomes: list[Outcome]) -> None:
    """Mean forecast and mean outcome of the total differ by less than 3 % or t standard errors (false alarm 0.1 %)."""
    actual = np.array([one.actual["total"] for one in outcomes])
    error = np.array([one.mean["total"] for one in outcomes]) - actual
    standard_error = error.std(ddof=1) / np.sqrt(PORTFOLIOS)
    allowed = max(0.03 * actual.mean(), stats.t.isf(ALARM / 2, PORTFOLIOS - 1) * standard_error)
    assert abs(error.mean()) < allowed
