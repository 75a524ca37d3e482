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

NEAR = {"second generator": 0.03, "sample generator": 0.12}
"""Share of the mean outcome by which the mean forecast may be off. The aim is 3 % in both worlds. In the sample
generator's the forecast is known to be too high by more (docs/coverage.md has by how much, docs/methods.md why); there
the test only keeps it from getting worse, and the figure is to come down with the bias."""


@pytest.fixture(scope="module", params=list(WORLDS))
def world(request: pytest.FixtureRequest) -> tuple[str, list[Outcome]]:
    """Return the name of a world, and its portfolios forecast as a user would."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        judged = pool.map(partial(WORLDS[request.param], n_claims=CLAIMS), range(50, 50 + PORTFOLIOS))
        return request.param, list(judged)


def test_ninety_per_cent_bands_hold(world: tuple[str, list[Outcome]]) -> None:
    """Right bands of the total hold at least as many of 12 as the binomial law gives with probability 99.9 %."""
    _, outcomes = world
    held = sum(0.05 <= one.transform["total"] <= 0.95 for one in outcomes)
    assert held >= stats.binom.ppf(ALARM, PORTFOLIOS, 0.9)


def test_the_mean_is_not_far_off(world: tuple[str, list[Outcome]]) -> None:
    """Mean forecast and mean outcome differ by less than the share allowed or t standard errors (false alarm 0.1 %)."""
    name, outcomes = world
    actual = np.array([one.actual["total"] for one in outcomes])
    error = np.array([one.mean["total"] for one in outcomes]) - actual
    standard_error = error.std(ddof=1) / np.sqrt(PORTFOLIOS)
    allowed = max(NEAR[name] * actual.mean(), stats.t.isf(ALARM / 2, PORTFOLIOS - 1) * standard_error)
    assert abs(error.mean()) < allowed
