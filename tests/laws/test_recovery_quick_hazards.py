"""Tabulated hazards are those of the laws."""

import numpy as np

from msk_reserves.recovery.answers.quick_hazards import collected_from, quickened
from msk_reserves.recovery.path.draws import TransitionDraws, law_draws


def test_tabulated_hazards_are_those_of_the_laws() -> None:
    """Generalized gammas beside Weibulls, at entry and later, over five decades of days: survival within 2e-5.

    A cubic through nodes 0.075 apart is of third order or better; where H is below 1e-4 it bends more and matters less.
    """
    rng = np.random.default_rng(1)
    n = 60
    shape = np.concatenate([np.linspace(-1.5, 1.5, n - 3), [0.0, 1e-6, 1.0]])
    theta = np.column_stack([rng.normal(3.5, 1.0, n), rng.normal(0.0, 0.3, n), shape])
    weibull = law_draws("weibull", theta[:, :2], np.zeros(0))
    gamma = law_draws("gengamma", theta, np.zeros(0))
    move = TransitionDraws("off_work", "back_at_work", (), (weibull, gamma), (np.arange(n) % 3 > 0).astype(np.int64))
    draw = np.arange(n)
    location = move.location(np.zeros((1, 0)))[0]
    ahead = np.concatenate([[0.0], np.geomspace(0.1, 10_000, 40)])
    for age in (0.0, 45.0):
        ages = np.full(n, age)
        quick = collected_from(quickened(move), ages, ahead, location, draw)
        days = ages + ahead[:, None]
        exact = move.cumulative_hazard(days.ravel(), np.tile(location, len(ahead)), np.tile(draw, len(ahead)))
        exact = exact.reshape(days.shape)
        began = exact[0]
        alive = exact < 600.0
        off = np.abs(np.exp(-quick) - np.exp(began - exact))
        assert off[alive].max() < 2e-5
        early = (age == 0.0) & (exact > 1e-4) & (exact < 0.1)
        np.testing.assert_allclose(quick[early], exact[early], rtol=3e-4)
        np.testing.assert_array_equal(quick[0], 0.0)
