"""Laws of the random numbers behind futures."""

import numpy as np
from hypothesis import given, settings, strategies as st
from scipy import stats

from msk_reserves.episodes.payments import FEW, compound_of, count_of, waited_for
from msk_reserves.episodes.randomness import key_of, uniforms
from msk_reserves.episodes.systemic import SystemicRisk


def drawn(key: int, n: int, slot: int) -> np.ndarray:
    """Return the first n uniforms of a slot."""
    return uniforms(np.full(n, key, dtype=np.uint64), np.arange(n, dtype=np.uint64), slot)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**24 - 1))
@settings(max_examples=50, deadline=None)
def test_uniforms_lie_strictly_inside(key: int, slot: int) -> None:
    """No uniform is 0 or 1, whatever the key and slot."""
    values = drawn(key, 100, slot)
    assert ((values > 0) & (values < 1)).all()


def test_uniforms_are_uniform_and_uncorrelated() -> None:
    """Kolmogorov-Smirnov over 20 slots of 20,000 (false alarm 0.1 % in all), and no correlation between slots."""
    slots = np.array([drawn(key_of(1, "C-1"), 20_000, slot) for slot in range(20)])
    assert min(stats.kstest(values, "uniform").pvalue for values in slots) > 0.001 / 20
    between = np.corrcoef(slots)[np.triu_indices(20, 1)]
    assert np.abs(between).max() < stats.norm.isf(0.0005 / len(between)) / np.sqrt(20_000)


def test_streams_of_neighbouring_claims_are_unrelated() -> None:
    """Claims whose ids differ by one letter share no pattern (correlation bound at false alarm 0.1 %)."""
    claims = np.array([drawn(key_of(7, f"C-{n}"), 5_000, 0) for n in range(30)])
    between = np.corrcoef(claims)[np.triu_indices(30, 1)]
    assert np.abs(between).max() < stats.norm.isf(0.0005 / len(between)) / np.sqrt(5_000)


def test_more_scenarios_begin_with_the_same() -> None:
    """The first futures of a long run are those of a short one."""
    np.testing.assert_array_equal(drawn(5, 100, 3), drawn(5, 1_000, 3)[:100])
    risk = SystemicRisk()
    np.testing.assert_array_equal(risk.draw(10, seed=3), risk.draw(50, seed=3)[:10])


def test_keys_are_known_numbers() -> None:
    """The key is BLAKE2b of "seed:name", as the standard library computes it elsewhere (b2sum -l 64)."""
    assert key_of(7, "C-001") == int.from_bytes(bytes.fromhex("c700e2fb11083ce7"), "little")


def test_counts_are_poisson() -> None:
    """Probabilities of each count, by counting an even grid of uniforms, from zero up and from the mode outwards."""
    grid = (np.arange(20_000) + 0.5) / 20_000
    for rate in (0.003, 0.7, FEW, FEW + 0.1, 40.0):
        counts = np.array([count_of(rate, uniform) for uniform in grid])
        seen = np.bincount(counts, minlength=100) / len(grid)
        # Each count is an interval of uniforms: the grid counts its length within one step.
        np.testing.assert_allclose(seen, stats.poisson.pmf(np.arange(len(seen)), rate), atol=1.01 / len(grid))


def test_counts_end_at_the_edge_of_rounding() -> None:
    """The largest uniform number there is picks a finite count, however large the rate."""
    for rate in (1e-9, 3.0, FEW, 500.0, 2e6):
        assert count_of(rate, 1.0 - 2.0**-54) < rate + 60 * np.sqrt(rate) + 60


def test_waits_are_gamma() -> None:
    """Sums of exponential numbers are gamma, few or many of them (KS, false alarm 0.1 % in all, seeded)."""
    key = np.uint64(key_of(4, "C-1"))
    for count in (1, 5, 12, 13, 300):
        waits = [waited_for(count, key, scenario, 7) for scenario in range(5_000)]
        assert stats.kstest(waits, "gamma", args=(count,)).pvalue > 0.001 / 5


def test_compound_has_its_moments() -> None:
    """Mean and variance dispersion * mean, an atom exp(-2 mean / dispersion) at zero; 4.5 standard errors, seeded."""
    n, dispersion, key = 50_000, 1_000.0, np.uint64(key_of(1, "x"))
    for mean in (30.0, 900.0, 20_000.0):
        totals = np.array([compound_of(mean, dispersion, key, scenario, 0) for scenario in range(n)])
        variance = dispersion * mean
        assert abs(totals.mean() - mean) < 4.5 * np.sqrt(variance / n)
        fourth = stats.moment(totals, 4)
        assert abs(totals.var() - variance) < 4.5 * np.sqrt((fourth - variance**2) / n)
        atom = np.exp(-2 * mean / dispersion)
        assert abs((totals == 0).mean() - atom) <= 4.5 * np.sqrt(atom * (1 - atom) / n)


def test_compound_without_dispersion_is_the_mean() -> None:
    """No dispersion, no noise."""
    assert compound_of(2.0, 0.0, np.uint64(1), 0, 0) == 2.0


def test_systemic_factors_have_mean_one_and_their_deviation() -> None:
    """Means 1, coefficients of variation and correlation as stated; 4.5 standard errors, seeded."""
    risk = SystemicRisk(medical=0.2, indemnity=0.1, expense=0.05, correlation=0.5)
    factors = risk.draw(200_000, seed=11)
    deviation = np.array([0.2, 0.1, 0.05])
    assert (np.abs(factors.mean(axis=0) - 1) < 4.5 * deviation / np.sqrt(200_000)).all()
    np.testing.assert_allclose(factors.std(axis=0), deviation, rtol=0.02)
    correlation = np.corrcoef(np.log(factors).T)[np.triu_indices(3, 1)]
    np.testing.assert_allclose(correlation, 0.5, atol=0.01)
