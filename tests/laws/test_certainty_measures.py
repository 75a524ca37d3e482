"""Laws of risk measures and splits on any scenarios."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import msk_reserves as msk
from msk_reserves.certainty.measures import (
    band_width,
    capital,
    chance_beyond,
    expected_deficiency,
    hit_rate,
    variation,
)

SEEDS = st.integers(0, 10**6)
LIFTS = st.floats(-1e5, 1e6)


def costs(seed: int, n: int = 60) -> np.ndarray:
    """Return dollars by scenario."""
    return np.asarray(np.random.default_rng(seed).lognormal(9.0, 1.0, n))


@given(SEEDS, LIFTS)
@settings(max_examples=40, deadline=None)
def test_a_certain_amount_moves_the_mean_and_nothing_else(seed: int, lift: float) -> None:
    """Width and capital stay; what is held rises by as much for the same deficiency."""
    cost = costs(seed)
    assert band_width(cost + lift) == pytest.approx(band_width(cost), rel=1e-9)
    assert capital(cost + lift) == pytest.approx(capital(cost), rel=1e-9, abs=1e-6)
    assert expected_deficiency(cost + lift, 1e4 + lift) == pytest.approx(expected_deficiency(cost, 1e4), abs=1e-5)


@given(SEEDS, st.floats(0.1, 10.0))
@settings(max_examples=40, deadline=None)
def test_measures_scale_with_the_currency(seed: int, factor: float) -> None:
    """Dollars scale; ratios and probabilities stay."""
    cost = costs(seed)
    assert capital(factor * cost) == pytest.approx(factor * capital(cost))
    assert variation(factor * cost) == pytest.approx(variation(cost))
    assert hit_rate(factor * cost, 0.2) == hit_rate(cost, 0.2)
    assert chance_beyond(factor * cost, 0.25) == chance_beyond(cost, 0.25)


@given(SEEDS, st.floats(1e-7, 1e-5), LIFTS)
@settings(max_examples=40, deadline=None)
def test_certainty_equivalents_add_what_is_certain_and_exceed_the_mean(seed: int, a: float, lift: float) -> None:
    """A price adds as it is; aversion grows the figure, from the mean on."""
    cost = costs(seed)
    most = float(cost.max())
    one = msk.certainty_equivalent(cost, a, most=most)
    assert msk.certainty_equivalent(cost + lift, a, most=most + lift) == pytest.approx(one + lift, rel=1e-9, abs=1e-3)
    assert one >= cost.mean() * (1 - 1e-9)
    assert msk.certainty_equivalent(cost, 1.5 * a, most=most) >= one * (1 - 1e-9)


@given(SEEDS, st.floats(0.0, 2.0))
@settings(max_examples=40, deadline=None)
def test_wang_prices_begin_at_the_mean_and_grow(seed: int, loading: float) -> None:
    """Without a loading the price is the mean; with one it is more, and never above the worst scenario."""
    cost = costs(seed)
    assert msk.wang_price(cost, 0.0) == pytest.approx(cost.mean())
    assert cost.mean() * (1 - 1e-9) <= msk.wang_price(cost, loading) <= cost.max() * (1 + 1e-9)
    assert msk.wang_price(cost, loading + 0.1) >= msk.wang_price(cost, loading)


@given(SEEDS, st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_shares_add_up(seed: int, n: int) -> None:
    """Euler shares of variance and tail add to one, Shapley shares to the whole change."""
    draw = np.random.default_rng(seed)
    parts = {f"part {place}": draw.lognormal(size=80) for place in range(n)}
    assert sum(msk.euler_shares(parts).values()) == pytest.approx(1.0)
    assert sum(msk.tail_shares(parts, 0.9).values()) == pytest.approx(1.0)
    names = list(parts)
    every = [frozenset(name for bit, name in enumerate(names) if code >> bit & 1) for code in range(2**n)]
    values = {one: float(draw.normal()) for one in every}
    assert sum(msk.shapley(values).values()) == pytest.approx(values[every[-1]] - values[every[0]])


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_a_cause_that_never_changes_anything_has_no_share(seed: int) -> None:
    """Shapley's null player; a part that is certain has no share of variance or tail."""
    draw = np.random.default_rng(seed)
    with_out = {frozenset(): float(draw.normal()), frozenset({"a"}): float(draw.normal())}
    values = with_out | {one | {"idle"}: value for one, value in with_out.items()}
    assert msk.shapley(values)["idle"] == pytest.approx(0.0, abs=1e-12)
    parts = {"a": draw.lognormal(size=80), "certain": np.full(80, 3.0)}
    assert msk.euler_shares(parts)["certain"] == pytest.approx(0.0, abs=1e-12)
    assert msk.tail_shares(parts, 0.9)["certain"] == pytest.approx(0.0, abs=1e-12)


@given(st.floats(0.1, 3.0), st.floats(0.0, 0.3), st.floats(0.0, 0.9), st.integers(1, 5_000))
@settings(max_examples=60, deadline=None)
def test_ratios_do_not_know_the_number_of_claims(cv: float, systemic: float, excluded: float, n: int) -> None:
    """Without default a bundle leaves e^2 of the variance at every number of claims."""
    claims = msk.LikeClaims(60_000, cv, systemic)
    bundle = msk.LikeClaimsBundled(claims, 52_000, excluded)
    assert bundle.variance(n) == pytest.approx(excluded**2 * claims.variance(n))
    assert claims.variation_of(n) <= claims.variation_of(1) * (1 + 1e-12)


def test_closed_forms_agree_with_a_simulation() -> None:
    """Moments of 40,000 simulated books of 20 claims with exclusions and a common default lie within 5 %.

    The default strikes 5 % of books; the relative error of the variance is below 2 %, so a false alarm is below 1 %.
    """
    draw = np.random.default_rng(4)
    claims = msk.LikeClaims(1.0, 0.8, 0.1)
    bundle = msk.LikeClaimsBundled(claims, 0.9, excluded=0.2, default_probability=0.05, returning=0.5)
    cost = draw.gamma(1 / 0.64, 0.64, (40_000, 20)).sum(axis=1) * draw.gamma(100.0, 0.01, 40_000)
    kept = np.where(draw.random(40_000) < 0.05, 0.2 + 0.5 * 0.8, 0.2)
    total = 20 * 0.9 + kept * cost
    assert total.mean() == pytest.approx(bundle.total(20), rel=0.005)
    assert total.var() == pytest.approx(bundle.variance(20), rel=0.05)
    assert cost.var() == pytest.approx(claims.variance(20), rel=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: msk.certainty_equivalent(costs(1), 1e-5), "without a limit on what may be owed"),
        (lambda: msk.certainty_equivalent(costs(1, 5_000), 1e-2, most=1e9), "of the exponential mean"),
        (lambda: msk.gamma_certainty_equivalent(4, 2_500, 4e-4), "is infinite from there on"),
        (lambda: msk.indifference_price(costs(1), costs(1, 61)), "must share scenarios"),
        (lambda: msk.shapley({frozenset(): 1.0, frozenset({"a", "b"}): 2.0}), "there is none for a"),
        (lambda: msk.euler_shares({"a": costs(1), "b": costs(1, 61)}), "must be arrays of one shape"),
        (lambda: msk.euler_shares({}), "must be arrays of one shape"),
        (lambda: msk.risk_transfer(costs(1), 0.0), "`price` must be above zero"),
        (lambda: band_width(np.ones(1)), "needs two scenarios or more"),
        (lambda: msk.LikeClaims(60_000, 1.2, -0.1), "`systemic` must not be negative"),
        (lambda: msk.LikeClaimsBundled(msk.LikeClaims(1, 1, 0), 1, excluded=2), "`excluded` must lie in"),
        (lambda: msk.LikeClaims(60_000, 1.2, 0.1).variance(0), "`n` must be a whole number"),
    ],
)
def test_what_has_no_answer_is_refused(call: object, message: str) -> None:
    """The sentence says what is wrong and, where a figure is infinite, why."""
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call()


def test_scenarios_at_the_limit_are_a_mass_and_no_accident() -> None:
    """Where a stop-loss makes all dear scenarios alike the exponential mean may rest on them."""
    cost = np.minimum(costs(3, 5_000), 5e4)
    assert msk.certainty_equivalent(cost, 1e-3, most=5e4) < 5e4
