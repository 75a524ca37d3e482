"""Closed forms of like claims under a fixed price, and splits by hand."""

import numpy as np
import pytest

import msk_reserves as msk

CLAIMS = msk.LikeClaims(mean=60_000, variation=1.2, systemic=0.06)
"""Costs of mean 60,000 and CV 1.2, one common factor of CV 6 %."""

SOUND = msk.LikeClaimsBundled(CLAIMS, price=52_000, excluded=0.10)
FAILING = msk.LikeClaimsBundled(CLAIMS, price=52_000, excluded=0.10, default_probability=0.02, returning=0.6)


@pytest.mark.parametrize(
    ("n", "before", "after"),
    [(1, 1.2037, 0.1245), (100, 0.1344, 0.0139), (1_000, 0.0710, 0.0073), (10_000, 0.0612, 0.0063)],
)
def test_variation_by_number_of_claims(n: int, before: float, after: float) -> None:
    """sqrt(1.44 x 1.0036 / n + 0.0036), times 6,000 / 58,000 under the bundle; printed to four decimals."""
    assert CLAIMS.variation_of(n) == pytest.approx(before, abs=6e-5)
    assert SOUND.variation_of(n) == pytest.approx(after, abs=6e-5)
    assert 1 - SOUND.variance(n) / CLAIMS.variance(n) == pytest.approx(0.99)
    assert SOUND.variation_of(n) / CLAIMS.variation_of(n) == pytest.approx(0.1034, abs=6e-5)


def test_at_a_thousand_claims_systemic_risk_is_most_of_what_is_left() -> None:
    """Of 0.0710 the common factor alone is 0.0600 and chance 0.0380; they are equal at 401 claims."""
    alone = msk.LikeClaims(60_000, 0.0, 0.06).variation_of(1_000)
    chance = np.sqrt(CLAIMS.variation_of(1_000) ** 2 - alone**2)
    assert alone == pytest.approx(0.0600)
    assert chance == pytest.approx(0.0380, abs=6e-5)
    assert CLAIMS.process_equals_systemic == pytest.approx(1.44 * 1.0036 / 0.0036)


@pytest.mark.parametrize(("n", "times"), [(1, 2.19), (100, 33.5), (1_000, 115.0)])
def test_a_common_default_undoes_certainty_at_scale(n: int, times: float) -> None:
    """The seller fails for all at once (2 %, 60 % returns): variance 2.19, 33.5 and 115 times that without.

    At a thousand claims the bundle varies more than fee for service, 0.0780 against 0.0710.
    """
    assert FAILING.variance(n) / SOUND.variance(n) == pytest.approx(times, rel=5e-3)
    assert FAILING.variation_of(1_000) == pytest.approx(0.0780, abs=6e-5)
    assert FAILING.variation_of(1_000) > CLAIMS.variation_of(1_000)


@pytest.mark.parametrize(
    ("correlation", "expected"),
    [
        (0.0, (1.5, 0.4743, 0.15, 0.0474, 0.015)),
        (0.01, (1.5, 0.4952, 0.2116, 0.1572, 0.1507)),
    ],
)
def test_diversification_of_correlated_claims(correlation: float, expected: tuple[float, ...]) -> None:
    """CV 1.5 a claim: 1.5 sqrt[(1 + (n - 1) r) / n] at n = 1, 10, 100, 1,000, 10,000."""
    book = msk.LikeClaims.correlated(1.0, 1.5, correlation)
    found = msk.variation_by_size(book, sizes=[1, 10, 100, 1_000, 10_000])[0]
    np.testing.assert_allclose(found, expected, atol=6e-5)


def test_more_correlated_claims_end_higher() -> None:
    """At a correlation of 0.02: 0.2173 at 1,000 and 0.2127 at 10,000 claims."""
    book = msk.LikeClaims.correlated(1.0, 1.5, 0.02)
    np.testing.assert_allclose([book.variation_of(1_000), book.variation_of(10_000)], [0.2173, 0.2127], atol=6e-5)


def test_split_of_four_worlds_by_hand() -> None:
    """Variances 100, 30, 64 and 18: transfer (70 + 46) / 2 = 58, behaviour (36 + 12) / 2 = 24, together 82.

    A default that brings back 9 is -9.
    """
    found = msk.split_worlds(100.0, 30.0, 64.0, 18.0, 27.0)
    assert (found.transfer, found.behaviour, found.default) == (58.0, 24.0, -9.0)
    assert found.whole == pytest.approx(100.0 - 27.0)


def test_shapley_of_a_glove_game() -> None:
    """A left glove and two right ones are worth 1 a pair: 2/3 to the left, 1/6 to each right (Shapley 1953)."""
    every = [frozenset(one) for one in ("", "l", "r", "s", "lr", "ls", "rs", "lrs")]
    found = msk.shapley({one: float("l" in one and bool(one & {"r", "s"})) for one in every})
    assert found == pytest.approx({"l": 2 / 3, "r": 1 / 6, "s": 1 / 6})


def test_euler_shares_by_hand() -> None:
    """Parts (0, 2) and (0, 6): covariances as 1 to 3; in the worst half of the sum they are 1 and 3 above means."""
    parts = {"a": np.array([0.0, 2.0]), "b": np.array([0.0, 6.0])}
    assert msk.euler_shares(parts) == pytest.approx({"a": 0.25, "b": 0.75})
    assert msk.tail_shares(parts, 0.5) == pytest.approx({"a": 0.25, "b": 0.75})
