"""Products in pieces are products; covariates alike are told from others; moves may be fitted side by side."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, strategies as st

from msk_reserves._checks import Floats
from msk_reserves.recovery.laws.piecewise import exposure, summed_exposure
from msk_reserves.recovery.laws.products import applied, crossed, linear, summed
from msk_reserves.recovery.observations import alike
from msk_reserves.recovery.path.model import fit_path
from tests.worlds.attorneys import AttorneyWorld, stays_seen


@pytest.mark.parametrize("n", [0, 1, 500, 9_001])
@pytest.mark.parametrize(("p", "q"), [(0, 2), (1, 1), (3, 20), (40, 25)])
def test_products_in_pieces_are_the_products(n: int, p: int, q: int) -> None:
    """Sums of up to 9,001 products of numbers around one differ by rounding: 1e-10 is a thousand times that."""
    rng = np.random.default_rng(n + p)
    left, right, weights, coefficients = (rng.normal(size=size) for size in ((p, n), (q, n), n, (p, q)))
    np.testing.assert_allclose(linear(coefficients[:, 0], left), coefficients[:, 0] @ left, atol=1e-10)
    np.testing.assert_allclose(summed(left, weights), left @ weights, atol=1e-10)
    np.testing.assert_allclose(crossed(left, right), left @ right.T, atol=1e-10)
    np.testing.assert_allclose(applied(np.ascontiguousarray(left.T), coefficients), left.T @ coefficients, atol=1e-10)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 0.3]))
def test_rows_alike_are_the_rows_of_the_design(seed: int, step: float) -> None:
    """Whatever is grouped, each row is the one it is said to be."""
    rng = np.random.default_rng(seed)
    design: Floats = step * rng.integers(-1, 2, (200, 2)).astype(np.float64)
    rows, which = alike(design)
    np.testing.assert_array_equal(rows[:, which].T, design)
    assert rows.shape[1] == (9 if step == 1.0 else 200)


@given(st.integers(0, 2**32 - 1))
def test_days_by_piece_add_up_by_row(seed: int) -> None:
    """Sums of 300 stays of up to 100 days: rounding stays below 1e-8 days."""
    rng = np.random.default_rng(seed)
    start = np.where(rng.random(300) < 0.5, 0.0, rng.uniform(0, 50, 300))
    end, weights, row = start + rng.uniform(0, 50, 300), rng.random(300), rng.integers(0, 4, 300)
    cuts = np.array([2.0, 10.0, 40.0, 300.0])
    found = summed_exposure(start, end, cuts, (weights, row, 4))
    by_stay = exposure(start, end, cuts) * weights[:, None]
    expected = np.stack([by_stay[row == code].sum(axis=0) for code in range(4)], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_moves_fitted_side_by_side_are_those_fitted_one_by_one() -> None:
    """The number of threads changes nothing, not even the last digit."""
    stays = stays_seen(AttorneyWorld(), 300, seed=3)
    fits = []
    for threads in (1, 3):
        with ThreadPoolExecutor(threads) as executor:
            fits.append(fit_path(stays, covariates=["x"], candidates=("weibull", "piecewise"), executor=executor))
    one, other = fits
    assert [move.name for move in one.fitted] == [move.name for move in other.fitted]
    for mine, theirs in zip(one.fitted, other.fitted, strict=True):
        for a, b in zip(mine.candidates, theirs.candidates, strict=True):
            assert (a.weight, a.refused) == (b.weight, b.refused)
            np.testing.assert_array_equal(a.fit.theta, b.fit.theta)
