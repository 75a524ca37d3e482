"""Risk measures, risk-transfer tests and prices against closed forms, published figures and sums by hand."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

import msk_reserves as msk
from msk_reserves.certainty.measures import (
    band_width,
    capital,
    capital_margin,
    chance_beyond,
    equivalent_level,
    expected_deficiency,
    hit_rate,
    variation,
)
from msk_reserves.contracts.fixed_price import StopLoss
from msk_reserves.reserves.distribution import tail_mean

N = 400_000


def lattice(quantile: Callable[[np.ndarray], np.ndarray], n: int = N) -> np.ndarray:
    """Return the quantiles of a law at the midpoints of n equal steps: its far tail is cut, hence the tolerances."""
    return np.asarray(quantile((np.arange(n) + 0.5) / n))


def lognormal(variation_: float) -> np.ndarray:
    """Return quantiles of a lognormal cost of mean 1 and a coefficient of variation."""
    sigma = np.sqrt(np.log1p(variation_**2))
    return lattice(stats.lognorm(s=sigma, scale=np.exp(-(sigma**2) / 2)).ppf)


def test_tail_means_of_normal_and_gamma_costs() -> None:
    """N(0, 1) at 99.5 %: 2.891949 = phi(z) / 0.005; Gamma(4, 2500) at 99 %: 25,112.79 and 28,410.68.

    The gamma tail mean is k theta (1 - F_{k+1}(q)) / 0.01. A lattice cuts the worst four in a million: 0.1 %.
    """
    assert tail_mean(lattice(stats.norm.ppf), 0.995) == pytest.approx(2.891949, rel=1e-3)
    gamma = lattice(stats.gamma(a=4, scale=2500).ppf)
    assert float(np.quantile(gamma, 0.99)) == pytest.approx(25_112.79, rel=1e-4)
    assert tail_mean(gamma, 0.99) == pytest.approx(28_410.68, rel=1e-4)
    assert capital(gamma) == pytest.approx(28_410.68 - 10_000, rel=2e-4)


@pytest.mark.parametrize(
    ("cv", "normal", "lognormal_"),
    [
        (0.05, 0.9545, 0.9547),
        (0.10, 0.6827, 0.6855),
        (0.20, 0.3829, 0.3866),
        (0.30, 0.2611, 0.2653),
        (0.50, 0.1585, 0.1640),
    ],
)
def test_hit_rates_within_ten_per_cent(cv: float, normal: float, lognormal_: float) -> None:
    """P(|Y - R| <= R / 10) is 2 Phi(0.1 / cv) - 1 for a normal cost, and F(1.1) - F(0.9) for a lognormal one.

    The figures are printed to four decimals.
    """
    assert hit_rate(lattice(stats.norm(loc=1.0, scale=cv).ppf), 0.1) == pytest.approx(normal, abs=6e-5)
    assert hit_rate(lognormal(cv), 0.1) == pytest.approx(lognormal_, abs=6e-5)


def test_spread_of_a_normal_cost() -> None:
    """Of N(100, 10) a 90 % band is 32.897 wide (2 x 1.644854 x 10), and the chance beyond 125 is 0.62 %.

    E(Y - 110)+ = 10 (phi(1) - 0.158655) = 0.8331547. A lattice is good to 1e-4.
    """
    cost = lattice(stats.norm(loc=100.0, scale=10.0).ppf)
    assert band_width(cost, 0.9) == pytest.approx(32.897, rel=1e-4)
    assert variation(cost) == pytest.approx(0.1, rel=1e-4)
    assert chance_beyond(cost, 0.25) == pytest.approx(0.0062097, rel=1e-3)
    assert expected_deficiency(cost, 110.0) == pytest.approx(0.8331547, rel=1e-4)
    assert equivalent_level(cost, 16.44854) == pytest.approx(0.95, abs=1e-5)


def test_cost_of_capital_by_hand() -> None:
    """6 % on 100, 60, 30 and 10, paid at the end of each year and discounted at 3 %: 11.398935.

    6 / 1.03 + 3.6 / 1.0609 + 1.8 / 1.092727 + 0.6 / 1.12550881.
    """
    assert capital_margin([100.0, 60.0, 30.0, 10.0], discount=0.03) == pytest.approx(11.398935, abs=5e-7)


def test_certainty_equivalents() -> None:
    """Gamma(4, 2500) with a = 1e-4: -(4 / a) ln(0.75) = 11,507.2829, and a lattice of the law cut at 60,000 agrees.

    Beyond 60,000 lie 2e-5 of its exponential mean: e^-18 (1 + 18 + 162 + 972).
    """
    assert msk.gamma_certainty_equivalent(4, 2500, 1e-4) == pytest.approx(11_507.2829, abs=5e-5)
    gamma = lattice(stats.gamma(a=4, scale=2500).ppf)
    assert msk.certainty_equivalent(gamma, 1e-4, most=60_000.0) == pytest.approx(11_507.2829, rel=5e-4)


@pytest.mark.parametrize(("loading", "price"), [(0.25, 37_049.12), (0.5, 45_251.90)])
def test_wang_prices_of_a_lognormal_cost(loading: float, price: float) -> None:
    """LN(10, 0.8): exp(10 + 0.8 loading + 0.32) = 37,049.12 and 45,251.90; the lattice misses 0.1 % in the far tail."""
    cost = lattice(stats.lognorm(s=0.8, scale=np.exp(10.0)).ppf)
    assert msk.wang_price(cost, loading) == pytest.approx(price, rel=2e-3)


@pytest.mark.parametrize(
    ("price", "deficit", "chance"),
    [(1.0, 0.0595, 0.470), (1.05, 0.0373, 0.344), (1.10, 0.0225, 0.238), (1.20, 0.0073, 0.097)],
)
def test_risk_transfer_of_a_lognormal_loss(price: float, deficit: float, chance: float) -> None:
    """A loss of mean 1 and CV 15 %: expected deficits 5.95, 3.73, 2.25, 0.73 %, losses in 47.0, 34.4, 23.8, 9.7 %.

    The call on a lognormal, and its survival; printed to the last digit shown. At 1.20 the first test fails.
    """
    found = msk.risk_transfer(lognormal(0.15), price)
    assert found.expected_deficit == pytest.approx(deficit, abs=6e-5)
    assert found.chance_of_loss == pytest.approx(chance, abs=6e-4)
    assert found.by_deficit == (price < 1.2)


def four_costs() -> np.ndarray:
    """Return the discrete cost 25,000 (50 %), 45,000 (30 %), 90,000 (15 %), 200,000 (5 %) as 20 like scenarios."""
    return np.repeat([25_000.0, 45_000.0, 90_000.0, 200_000.0], [10, 6, 3, 1])


def test_fixed_price_of_a_discrete_cost() -> None:
    """Mean 49,500 and sd 41,046 by claim; above 100,000 the payer bears 5,000 (sd 21,794); price 52,000.

    The payer's mean is 57,000 and its sd 53.1 % of fee for service; of 200 claims 11.40 million and 0.308. All by hand:
    the variance of the cost is 1,684.75 million, of the excess 475 million.
    """
    cost = four_costs()
    excess = StopLoss(attachment=100_000).excess(cost)
    bundle = 52_000 + excess
    assert cost.mean() == pytest.approx(49_500)
    assert cost.std() == pytest.approx(41_046, abs=0.5)
    assert (cost - excess).mean() == pytest.approx(44_500)
    assert (cost - excess).std() == pytest.approx(25_588, abs=0.5)
    assert excess.std() == pytest.approx(21_794, abs=0.5)
    assert bundle.mean() == pytest.approx(57_000)
    assert bundle.std() / cost.std() == pytest.approx(0.531, abs=5e-4)
    assert 200 * bundle.mean() == pytest.approx(11.40e6)
    assert np.sqrt(200) * bundle.std() == pytest.approx(0.308e6, abs=500)
    assert np.sqrt(200) * cost.std() == pytest.approx(0.580e6, abs=500)


def test_indifference_price_without_capital_is_what_the_seller_expects_to_pay() -> None:
    """49,500 less the excess of 5,000 is 44,500; the price of 52,000 leaves the seller 7,500.

    A refund of a fifth of the price in one of ten cases costs 1,040, in 41.5 of a hundred 4,316.
    """
    cost = four_costs()
    excess = StopLoss(attachment=100_000).excess(cost)
    assert msk.indifference_price(cost, excess, rate=0.0) == pytest.approx(44_500)
    assert 52_000 - msk.indifference_price(cost, excess, rate=0.0) == pytest.approx(7_500)
    refund = msk.Refund(share=0.2, not_back_by_days=182)
    assert refund.share * 52_000 * 0.10 == pytest.approx(1_040)
    assert refund.share * 52_000 * 0.415 == pytest.approx(4_316)


def test_indifference_price_with_capital_by_hand() -> None:
    """Worst 5 % stand for the tail: capital 150,500 before, 95,000 after (200,000 - 49,500; 100,000 - 5,000).

    At 99 % the twenty scenarios have only the worst one: the same. 44,500 + 0.06 x 55,500 = 47,830.
    """
    cost = four_costs()
    assert msk.indifference_price(cost, StopLoss(attachment=100_000).excess(cost), rate=0.06) == pytest.approx(47_830)


def test_default_of_a_prepaid_seller() -> None:
    """Of 44,500 expected 18,000 is spent: 26,500 x 2 % x 60 % = 318."""
    cost = four_costs()
    expected = float((cost - StopLoss(attachment=100_000).excess(cost)).mean())
    loss = msk.expected_default_loss(expected - 18_000, probability=0.02, loss_given_default=0.6)
    assert loss == pytest.approx(318.0)
