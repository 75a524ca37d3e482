"""Risk measures of a reserve against closed forms and small hand calculations."""

from statistics import NormalDist

import numpy as np
import pytest

from msk_reserves.certainty.gain import compare, price_of_certainty
from msk_reserves.reserves.distribution import ReserveDistribution


def reserve(values: np.ndarray, *, n_draws: int = 10) -> ReserveDistribution:
    """Return a reserve of one component."""
    return ReserveDistribution("x", {"medical": values}, {}, n_draws)


def lattice(quantile: object, n: int) -> np.ndarray:
    """Return the quantiles of a law at the midpoints of n equal steps."""
    assert callable(quantile)
    return np.asarray(quantile((np.arange(n) + 0.5) / n))


def test_tail_mean_by_hand() -> None:
    """Of 1..10 the worst 20 % average 9.5, and the worst 25 % are 10, 9 and half of 8: 23 / 2.5."""
    ten = reserve(np.arange(1.0, 11.0))
    assert ten.tail_mean(0.8) == pytest.approx(9.5)
    assert ten.tail_mean(0.75) == pytest.approx((10 + 9 + 0.5 * 8) / 2.5)


def test_lognormal_measures() -> None:
    """LN(0, 1) at 99 %: value at risk 10.240474, tail mean 15.227960 (closed forms, exp(z) and Phi(1 - z)/0.01 * e^.5).

    A lattice of 200,000 quantiles misses the far tail by a known small amount, hence 0.2 %.
    """
    from_normal = np.exp(lattice(_normal_quantile, 200_000))
    assert reserve(from_normal).quantile(0.99) == pytest.approx(10.240474, rel=1e-3)
    assert reserve(from_normal).tail_mean(0.99) == pytest.approx(15.227960, rel=2e-3)


def test_normal_tail_means() -> None:
    """N(0, 1) tail means at 95 and 99 %: 2.062713 and 2.665214 (phi(z)/(1 - p)); lattice error below 0.1 %."""
    normal = reserve(lattice(_normal_quantile, 200_000))
    assert normal.tail_mean(0.95) == pytest.approx(2.062713, rel=1e-3)
    assert normal.tail_mean(0.99) == pytest.approx(2.665214, rel=1e-3)


def test_simulation_error_counts_draws_not_scenarios() -> None:
    """Ten draws of equal scenarios have the error of ten numbers: sd / sqrt(10)."""
    values = np.repeat(np.arange(10.0), 100)
    assert reserve(values).monte_carlo_error("medical") == pytest.approx(np.std(np.arange(10.0), ddof=1) / np.sqrt(10))


def test_band_and_parts() -> None:
    """The 90 % band of 0..100 is 5 to 95; the total adds the components; a missing one is refused with its reason."""
    both = ReserveDistribution(
        "x", {"medical": np.arange(101.0), "expense": np.ones(101)}, {"indemnity": "no indemnity_paid"}, 101
    )
    assert both.band(0.9, "medical") == pytest.approx((5.0, 95.0))
    assert both.mean("total") == pytest.approx(51.0)
    with pytest.raises(ValueError, match="indemnity is not in this reserve: no indemnity_paid"):
        both.scenarios("indemnity")
    with pytest.raises(ValueError, match="`part` must be one of medical, indemnity, expense, total; got 'cost'"):
        both.mean("cost")


def test_gain_by_hand() -> None:
    """Halving every scenario halves the band, and each figure follows by arithmetic."""
    before = reserve(np.arange(0.0, 200.0, 2.0))
    gain = compare(before, reserve(np.arange(0.0, 100.0)), "medical")
    assert gain.mean_change == pytest.approx(-49.5)
    assert gain.band_ratio[0.9] == pytest.approx(0.5)
    assert gain.tail_removed == pytest.approx((198 - 99) - (99 - 49.5))
    assert gain.price_of_certainty is None
    assert gain.reason == "dominates: cheaper on average and less tail"


def test_price_has_the_four_cases() -> None:
    """Dearer with less tail has a price; nothing moved changes nothing; more tail buys no certainty, however cheap."""
    assert price_of_certainty(30.0, 60.0, 1.0)[0] == pytest.approx(0.5)
    assert price_of_certainty(0.0, 0.0, 0.0) == (None, "changes nothing")
    assert price_of_certainty(-50.0, -1.0, 1.0)[0] is None
    assert price_of_certainty(-1.0, 60.0, 1.0) == (None, "less tail at a mean no different within simulation error")


def test_reserves_that_do_not_pair_are_refused() -> None:
    """Two reserves of different scenario counts have no scenario-by-scenario difference."""
    with pytest.raises(ValueError, match="must share scenarios"):
        compare(reserve(np.arange(10.0)), reserve(np.arange(20.0)), "medical")


def _normal_quantile(probability: np.ndarray) -> np.ndarray:
    return np.array([NormalDist().inv_cdf(p) for p in probability])
