"""Prediction intervals of open claims hold what then happens, on average over claims of one age."""

import numpy as np
import pytest

from tests.worlds.prognosis import judge_book, placed

AGES = (14.0, 91.0)
BOOKS = 10


def test_places_of_outcomes_are_uniform_whatever_the_atoms() -> None:
    """Outcomes drawn like the sample, half of them equal to its largest value: mean 1/2, variance 1/12 (4.5 errors)."""
    rng = np.random.default_rng(2)
    sample = np.minimum(rng.exponential(size=(4_000, 60)), 0.7)
    place = placed(sample, np.minimum(rng.exponential(size=4_000), 0.7), rng)
    assert abs(place.mean() - 0.5) < 4.5 / np.sqrt(12 * 4_000)
    assert place.var() == pytest.approx(1 / 12, abs=4.5 * np.sqrt(1 / 180 / 4_000))


def test_outcomes_fall_evenly_in_their_predictions() -> None:
    """Days off in the present spell and over all spells, of 40 claims 2 and 13 weeks old in each of ten books.

    A book is one cluster, as its claims share the parameters: the mean place over books is within 5 of its own errors
    of a half (t with 9 degrees of freedom: 0.0007 each), and 90 % intervals hold 82 to 98 % of the claims (5
    binomial errors). Days off over all claims and numbers in states: within 5 errors as well.
    """
    books = [
        judge_book(seed, AGES, n_fitted=600, n_claims=40, draws=25, paths=8, candidates=("weibull", "lognormal"))
        for seed in range(BOOKS)
    ]
    for age in range(len(AGES)):
        judged = [book[age] for book in books]
        for kind in ("spell", "all_spells"):
            places = np.array([getattr(one, kind) for one in judged])
            means = places.mean(axis=1)
            assert abs(means.mean() - 0.5) < 5.0 * means.std(ddof=1) / np.sqrt(BOOKS), (kind, AGES[age])
            assert 0.82 < ((places > 0.05) & (places < 0.95)).mean() < 0.98, (kind, AGES[age])
        counts = np.array([one.counts for one in judged])
        assert (np.abs(counts.mean(axis=0) - 0.5) < 5.0 * counts.std(axis=0, ddof=1) / np.sqrt(BOOKS)).all()
        bias = np.array([one.bias for one in judged])
        assert abs(bias.mean()) < 5.0 * bias.std(ddof=1) / np.sqrt(BOOKS)
