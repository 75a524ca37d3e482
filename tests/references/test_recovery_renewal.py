"""Occupation probabilities against matrix exponentials, quadrature of convolutions and the alternating process."""

import numpy as np
import pytest
from scipy import integrate
from scipy.linalg import expm

from msk_reserves._checks import Floats
from msk_reserves.recovery.answers.grids import graded_grid
from msk_reserves.recovery.answers.renewal import Ahead, solve_renewal
from msk_reserves.recovery.answers.stay_tables import KnownMove, known_stays
from tests.worlds.known_path import weibull_move

RATES = {
    ("off_work", "modified_duty"): 1 / 60,
    ("off_work", "back_at_work"): 1 / 50,
    ("off_work", "mmi"): 1 / 400,
    ("modified_duty", "back_at_work"): 1 / 40,
    ("modified_duty", "off_work"): 1 / 300,
    ("back_at_work", "off_work"): 1 / 200,
    ("off_work", "off_work_represented"): 1 / 150,
    ("off_work_represented", "back_at_work_represented"): 1 / 80,
    ("off_work_represented", "mmi"): 1 / 200,
    ("back_at_work_represented", "off_work_represented"): 1 / 150,
}
NAMES = tuple(dict.fromkeys(name for pair in RATES for name in pair))
DAYS = (100.0, 182.0, 728.0)


def solved(moves: list[KnownMove], state: str, age: float, cells: int, days: tuple[float, ...]) -> tuple[Ahead, Floats]:
    """Return the solution on a grid, and its values at some days, shape (n_states, n_days)."""
    grid = graded_grid(max(days), days, cells=cells)
    ahead = solve_renewal(grid, *known_stays(moves, grid, state=state, age=age))
    return ahead, ahead.occupation[:, [grid.at(day) for day in days], 0]


@pytest.mark.parametrize(("state", "age"), [("off_work", 0.0), ("off_work", 80.0), ("modified_duty", 5.0)])
def test_a_markov_chain_follows_its_matrix_exponential(state: str, age: float) -> None:
    """Constant rates, a clock that continues among them: exp(Qt) to 1e-6 after Richardson's extrapolation.

    scipy.linalg.expm is the oracle. The method is of second order, so that (4 fine - coarse) / 3 takes the leading
    term of its error out; what is left was at most 6e-7.
    """
    generator = np.zeros((len(NAMES), len(NAMES)))
    for (origin, target), rate in RATES.items():
        generator[NAMES.index(origin), NAMES.index(target)] = rate
    generator -= np.diag(generator.sum(axis=1))
    moves = [
        weibull_move(*pair, 1.0, 1.0 / rate, continues=pair == ("off_work", "off_work_represented"))
        for pair, rate in RATES.items()
    ]
    ahead, coarse = solved(moves, state, age, 150, DAYS)
    _, fine = solved(moves, state, age, 300, DAYS)
    better = (4.0 * fine - coarse) / 3.0
    for place, day in enumerate(DAYS):
        exact = expm(generator * day)[NAMES.index(state)]
        mine = [exact[NAMES.index(name)] for name in ahead.states]
        np.testing.assert_allclose(better[:, place], mine, atol=1e-6)
        np.testing.assert_allclose(coarse[:, place], mine, atol=1e-4)


def test_weibull_stays_with_one_relapse_equal_their_convolution() -> None:
    """Off work, back, relapsed for good: convolutions by adaptive quadrature, from day 30, to 5e-5."""
    (k1, b1), (k2, b2) = (0.8, 90.0), (1.3, 250.0)
    moves = [
        weibull_move("off_work", "back_at_work", k1, b1),
        weibull_move("back_at_work", "relapse", k2, b2),
    ]
    age = 30.0

    def density(u: float) -> float:
        """Of the end of the first stay, u days from today."""
        t = age + u
        return float(k1 / b1 * (t / b1) ** (k1 - 1) * np.exp((age / b1) ** k1 - (t / b1) ** k1))

    ahead, found = solved(moves, "off_work", age, 200, DAYS)
    for place, day in enumerate(DAYS):
        back = integrate.quad(lambda u, T=day: density(u) * np.exp(-(((T - u) / b2) ** k2)), 0.0, day, limit=200)[0]
        off = float(np.exp((age / b1) ** k1 - ((age + day) / b1) ** k1))
        exact = {"off_work": off, "back_at_work": back, "relapse": 1.0 - off - back}
        np.testing.assert_allclose(found[:, place], [exact[name] for name in ahead.states], atol=5e-5)


def test_two_alternating_states_have_their_closed_form() -> None:
    """Rates a out and b back: off with b/(a+b) + a/(a+b) exp(-(a+b) t) (Ross 1996, section 5.4)."""
    a, b = 1 / 60, 1 / 240
    moves = [
        weibull_move("off_work", "back_at_work", 1.0, 1.0 / a),
        weibull_move("back_at_work", "off_work", 1.0, 1.0 / b),
    ]
    days = np.array(DAYS)
    _, found = solved(moves, "off_work", 0.0, 300, DAYS)
    np.testing.assert_allclose(found[0], b / (a + b) + a / (a + b) * np.exp(-(a + b) * days), atol=2e-5)
