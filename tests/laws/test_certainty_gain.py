"""Laws of the comparison of two reserves on the same scenarios."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves.certainty.gain import ComponentGain, compare, price_of_certainty
from msk_reserves.certainty.redraws import joint_interval, pair_interval, redrawn, verdict, without_noise
from msk_reserves.certainty.table import certainty_measures
from msk_reserves.reserves.distribution import ReserveDistribution
from tests.worlds.forecasts import made_forecast

SEEDS = st.integers(0, 10**6)
DRAWS, WITHIN = 20, 200


def scenarios(seed: int) -> np.ndarray:
    """Return dollars by scenario whose mean differs by parameter draw."""
    draw = np.random.default_rng(seed)
    level = draw.lognormal(12.0, 0.1, (DRAWS, 1))
    return np.asarray((level * draw.lognormal(0.0, 0.4, (DRAWS, WITHIN))).ravel())


def between(before: np.ndarray, after: np.ndarray) -> ComponentGain:
    """Return the gain from one reserve to another."""
    pair = [ReserveDistribution(name, {"medical": one}, {}, DRAWS) for name, one in (("x", before), ("y", after))]
    return compare(pair[0], pair[1], "medical")


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_a_contract_that_moves_nothing_changes_nothing(seed: int) -> None:
    """Every figure is exactly zero, in the whole and under every draw."""
    before = scenarios(seed)
    gain = between(before, before.copy())
    assert (gain.mean_change, gain.mean_change_error, gain.tail_removed, gain.tail_removed_error) == (0, 0, 0, 0)
    assert set(gain.band_narrowing.values()) == {0.0}
    assert (gain.price_of_certainty, gain.reason) == (None, "changes nothing")
    assert gain.interval is not None
    assert not gain.interval.pairs.any()
    assert gain.interval.chances["changes nothing"] == 1.0
    assert (gain.interval.mean_change, gain.interval.tail_removed, gain.interval.price) == ((0, 0), (0, 0), None)


@given(SEEDS, st.floats(1.0, 1e6), st.floats(0.1, 0.9))
@settings(max_examples=15, deadline=None)
def test_a_price_moves_the_mean_and_nothing_else(seed: int, price: float, kept: float) -> None:
    """Bands, tail and their intervals are those without the price; the mean change and its interval rise by it."""
    before = scenarios(seed)
    free, priced = between(before, kept * before), between(before, kept * before + price)
    assert priced.mean_change == pytest.approx(free.mean_change + price)
    assert priced.tail_removed == pytest.approx(free.tail_removed, rel=1e-9)
    assert priced.band_narrowing == pytest.approx(dict(free.band_narrowing), rel=1e-9, abs=1e-3)
    assert free.interval is not None
    assert priced.interval is not None
    np.testing.assert_allclose(
        priced.interval.pairs, free.interval.pairs + np.array([price, 0.0]), rtol=1e-7, atol=1e-3
    )


@given(SEEDS, st.floats(1.0, 1e5))
@settings(max_examples=15, deadline=None)
def test_a_price_alone_buys_no_certainty(seed: int, price: float) -> None:
    """Dollars added in every scenario remove no tail, whatever rounding leaves of it."""
    before = scenarios(seed)
    gain = between(before, before + price)
    assert gain.price_of_certainty is None
    assert "buys no certainty" in gain.reason
    assert gain.interval is not None
    assert gain.interval.chances["buys no certainty"] == 1.0


@given(SEEDS, st.floats(0.05, 0.9), st.floats(0.01, 0.05))
@settings(max_examples=15, deadline=None)
def test_a_lower_stop_loss_removes_more_tail_and_a_narrower_scope_less(seed: int, place: float, step: float) -> None:
    """What is kept above an attachment, and a share kept of every scenario, are monotone in both."""
    before = scenarios(seed)
    low, high = np.quantile(before, [place, place + step])
    lower, higher = (between(before, np.minimum(before, edge)) for edge in (low, high))
    assert lower.tail_removed >= higher.tail_removed - 1e-6
    wide, narrow = (between(before, (1 - share) * before) for share in (place + step, place))
    assert wide.tail_removed >= narrow.tail_removed
    assert all(wide.band_narrowing[one] >= narrow.band_narrowing[one] for one in wide.band_narrowing)


@given(SEEDS)
@settings(max_examples=25, deadline=None)
def test_taking_out_noise_keeps_the_centre_and_never_widens(seed: int) -> None:
    """The mean stays, no direction gains spread, and without noise nothing changes."""
    draw = np.random.default_rng(seed)
    found, noise = draw.normal(size=(40, 2)) * [1.0, 1e3], draw.normal(size=(40, 2)) * [0.5, 1e3]
    kept = without_noise(found, noise)
    np.testing.assert_allclose(kept.mean(axis=0), found.mean(axis=0), atol=1e-9)
    spread = np.cov(found.T / [[1.0], [1e3]]) - np.cov(kept.T / [[1.0], [1e3]])
    assert np.linalg.eigvalsh(spread).min() > -1e-9
    np.testing.assert_allclose(without_noise(found, np.zeros_like(noise)), found, rtol=1e-6, atol=1e-9)


@given(SEEDS, st.sampled_from([0.5, 0.8, 0.9]))
@settings(max_examples=25, deadline=None)
def test_joint_intervals_hold_their_share_of_draws(seed: int, level: float) -> None:
    """At least the share asked for lies inside both at once; a figure that never changes costs nothing."""
    draw = np.random.default_rng(seed)
    figures = np.column_stack([draw.normal(size=200), draw.normal(size=200), np.full(200, 7.0)])
    (a, b), (c, d), (e, f) = joint_interval(figures, level)
    inside = (figures[:, 0] >= a) & (figures[:, 0] <= b) & (figures[:, 1] >= c) & (figures[:, 1] <= d)
    assert inside.mean() >= level - 0.01
    assert (e, f) == (7.0, 7.0)
    alone = joint_interval(figures[:, :1], level)[0]
    assert a <= alone[0] <= alone[1] <= b


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
@settings(max_examples=60, deadline=None)
def test_a_price_exists_only_where_tail_is_removed_at_a_cost(change: float, removed: float) -> None:
    """Four verdicts, one price, and no bare negative figure ever."""
    price, reason = price_of_certainty(change, removed, 0.0)
    assert (price is not None) == (verdict(change, removed) == "has a price")
    assert price is None or price > 0
    assert reason


def test_the_chances_of_verdicts_are_shares_of_draws() -> None:
    """One draw of four each: priced, dominating, without certainty, nothing."""
    found = pair_interval(np.array([[1.0, 2.0], [-1.0, 2.0], [1.0, -2.0], [0.0, 0.0]]))
    assert set(found.chances.values()) == {0.25}
    assert found.price == (0.5, 0.5)
    assert "buys no certainty 25%" in str(found)


def test_tail_within_its_simulation_error_has_no_price() -> None:
    """Two errors are needed to tell a tail removed from none."""
    assert price_of_certainty(10.0, 15.0, 1.0, 10.0)[0] is None
    assert price_of_certainty(10.0, 25.0, 1.0, 10.0)[0] == pytest.approx(0.4)


def test_intervals_need_draws_and_scenarios_behind_them() -> None:
    """With few scenarios a draw there is no interval over draws, and asking for one says what is needed."""
    before = scenarios(1)
    with pytest.raises(ValueError, match="20 draws with 200 scenarios each are the least"):
        redrawn(lambda x, y: np.array([x.mean() - y.mean()]), (before, before), 200)
    with pytest.raises(ValueError, match="must share scenarios"):
        redrawn(lambda x, y: np.array([x.mean() - y.mean()]), (before, before[:-1]), DRAWS)
    with pytest.raises(ValueError, match="must share parameter draws; they have 20 and 40"):
        compare(
            ReserveDistribution("x", {"medical": before}, {}, 20),
            ReserveDistribution("y", {"medical": before}, {}, 40),
            "medical",
        )
    assert made_forecast().reserves["ffs"].n_draws == 20


@given(SEEDS)
@settings(max_examples=5, deadline=None)
def test_every_measure_of_nothing_moved_is_unchanged(seed: int) -> None:
    """Each change is exactly zero, and so are the ends of its interval."""
    before = scenarios(seed)
    pair = [ReserveDistribution(name, {"medical": before.copy()}, {}, DRAWS) for name in ("x", "y")]
    found = certainty_measures(pair[0], pair[1])
    assert not found[["change", "low", "high"]].to_numpy().any()
    assert found.at["actual within 20% of carried", "before"] >= found.at["actual within 5% of carried", "before"]


def test_measures_of_a_price_alone() -> None:
    """A price moves the mean and the ratios to it; dollars of spread and tail stay as they were, in every draw."""
    before = scenarios(2)
    costs = {"x": before, "y": before + 1e6}
    x, y = (ReserveDistribution(name, {"medical": one}, {}, DRAWS) for name, one in costs.items())
    found = certainty_measures(x, y)
    dollars = found[(found["unit"] == "dollars") & (found.index != "mean")]
    np.testing.assert_allclose(dollars[["change", "low", "high"]], 0.0, atol=1e-5)
    assert found.at["mean", "change"] == pytest.approx(1e6)
    assert found.at["coefficient of variation", "high"] < 0
    x, y = (ReserveDistribution(name, {"medical": one}, {}, 400) for name, one in costs.items())
    assert certainty_measures(x, y)[["low", "high"]].isna().all(axis=None)
