"""Laws of stays whose clock goes on, and of hazards and their inverses in the inner loop."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from msk_reserves._checks import Floats
from msk_reserves.episodes.arrays import Laws
from msk_reserves.episodes.hazards import FIRST_LOG_DAY, LAST_LOG_DAY, LOG, SPLINE, collected_by, exit_days_of
from msk_reserves.episodes.laws import NODES, laws_of
from msk_reserves.episodes.walk import walk
from tests.worlds.moves import Moves, drawn_moves, plan_of_moves

OFF, TWIN, BACK = "off_work", "relapse", "back_at_work"
LOG_DAYS = np.linspace(FIRST_LOG_DAY, LAST_LOG_DAY, NODES)
ONSET = ((OFF, TWIN),)
"""The inner loop knows states by number: a relapse serves as the twin of being off work here."""


def moves_with_twin(family: str, theta: tuple[float, ...]) -> Moves:
    """Return one law for going back to work, from off work and from its twin, with an onset every 25 days or so."""
    return {(OFF, BACK): (family, theta), (OFF, TWIN): ("weibull", (3.2, 0.2)), (TWIN, BACK): (family, theta)}


def days_off(moves: Moves, continuing: tuple[tuple[str, str], ...], age: float = 0.0) -> Floats:
    """Return simulated days until the worker is back, 20,000 futures of workers off work for `age` days."""
    plan = plan_of_moves(
        drawn_moves(moves, continuing=continuing),
        state=OFF,
        ages=(age, age),
        n_claims=10,
        scenarios=2_000,
        horizon_days=1e6,
    )
    days: Floats = walk(plan).days_to_leave.ravel()
    return days


def test_an_exponential_stay_does_not_know_its_clock() -> None:
    """Without memory it makes no difference whether the clock goes on: the same days, future by future."""
    moves = moves_with_twin("exponential", (4.0,))
    np.testing.assert_allclose(days_off(moves, ONSET), days_off(moves, ()), rtol=1e-9)


@pytest.mark.parametrize(
    ("family", "theta"),
    [("weibull", (4.0, -0.6)), ("loglogistic", (3.6, -0.9)), ("lognormal", (3.5, 0.1)), ("gengamma", (3.7, 0.0, 0.6))],
)
@pytest.mark.parametrize("age", [0.0, 60.0])
def test_a_twin_like_its_state_changes_nothing(family: str, theta: tuple[float, ...], age: float) -> None:
    """An onset after which the same law goes on leaves the time to the exit as it was (KS, false alarm 0.01 %)."""
    moves = moves_with_twin(family, theta)
    days = days_off(moves, ONSET, age)
    exit_ = drawn_moves(moves).transitions_from(OFF)[0]
    where, draw = np.full(len(days), theta[0]), np.zeros(len(days), dtype=np.int64)
    began = exit_.cumulative_hazard(np.full(len(days), age), where, draw)
    waited = exit_.cumulative_hazard(age + days, where, draw) - began
    assert stats.kstest(waited, "expon").pvalue > 1e-4


def test_a_clock_that_restarts_is_told_apart() -> None:
    """The comparison above sees it when the clock restarts at the onset."""
    moves = moves_with_twin("weibull", (4.0, -0.6))
    waited = np.exp((np.log(days_off(moves, ())) - 4.0) / np.exp(-0.6))
    assert stats.kstest(waited, "expon").pvalue < 1e-10


def a_law(kind: int, *, plateau: float = 0.0) -> Laws:
    """Return one exit with a law of a kind: Weibull, log-logistic, lognormal, pieces, spline in the order of kinds."""
    moves: Moves = {(OFF, BACK): ("lognormal", (0.0, 0.2))}
    laws = laws_of(drawn_moves(moves, n_draws=1), 0)
    # A spline whose slope changes smoothly from 0.8 to 1.4 around twenty days.
    bent = 1.1 * LOG_DAYS + 0.3 * np.log(np.cosh(LOG_DAYS - 3.0)) - 4.0
    table = np.vstack([laws.table, bent]) if kind == SPLINE else laws.table
    return laws._replace(
        kind=np.array([[kind]]),
        scale=np.array([[1.0 if kind == SPLINE else 1.3]]),
        row=np.array([[len(table) - 1]]),
        table=table,
        plateau=np.array([[plateau]]),
        cuts=np.array([[10.0, 50.0, 400.0]]),
        n_cuts=np.array([3]),
        reached=np.array([[[0.0, 0.3, 0.9, 2.65]]]),
        rate=np.array([[[0.03, 0.015, 0.005, 0.001]]]),
    )


@pytest.mark.parametrize("plateau", [0.0, 0.35])
@pytest.mark.parametrize("kind", range(5))
def test_hazards_and_days_are_inverse(kind: int, plateau: float) -> None:
    """Days at a hazard have collected that hazard, within 1e-8 of it, for every kind of law with a plateau or none."""
    laws, location = a_law(kind, plateau=plateau), 0.4
    most = -np.log(plateau) if plateau else 20.0
    for hazard in np.r_[np.geomspace(1e-8, 0.1, 40), np.linspace(0.11, 0.98 * most, 60)]:
        days = exit_days_of(laws, 0, 0, location, hazard, np.inf)
        assert collected_by(laws, 0, 0, location, days) == pytest.approx(hazard, rel=1e-8)
    assert collected_by(laws, 0, 0, location, 0.0) == 0.0
    if plateau:
        assert exit_days_of(laws, 0, 0, location, 1.001 * most, np.inf) == np.inf


def test_a_plateau_keeps_its_share_for_ever() -> None:
    """Survival flattens at the plateau: S = p + (1 - p) S of those who can leave, here by Weibull at 5 times."""
    plain, plateaued = a_law(LOG), a_law(LOG, plateau=0.35)
    for days in (1.0, 10.0, 100.0, 1_000.0, 1e6):
        susceptible = np.exp(-collected_by(plain, 0, 0, 2.0, days))
        assert np.exp(-collected_by(plateaued, 0, 0, 2.0, days)) == pytest.approx(0.35 + 0.65 * susceptible, rel=1e-12)


def test_a_share_of_the_futures_stays_on_the_plateau() -> None:
    """Of 20,000 futures the share on a plateau of 0.3 never leaves (4.5 standard errors, seeded)."""
    moves = moves_with_twin("weibull", (4.0, -0.6))
    plan = plan_of_moves(
        drawn_moves(moves, continuing=ONSET),
        state=TWIN,
        ages=(0.0, 0.0),
        n_claims=10,
        scenarios=2_000,
        horizon_days=1e6,
    )
    plateau = np.zeros_like(plan.laws.plateau)
    plateau[:, plan.laws.first[plan.state[0]]] = 0.3
    sums = walk(replace(plan, laws=plan.laws._replace(plateau=plateau)))
    share = (sums.days_to_leave == 1e6).mean()
    assert abs(share - 0.3) < 4.5 * np.sqrt(0.3 * 0.7 / sums.days_to_leave.size)


def test_a_straight_spline_is_a_weibull() -> None:
    """With ln H = -3 + 0.8 ln t + xb, the spline's days are the Weibull's of scale 1/0.8 and location (3 - xb)/0.8."""
    spline, weibull = a_law(SPLINE), a_law(LOG)._replace(scale=np.array([[1 / 0.8]]))
    spline = spline._replace(table=(0.8 * LOG_DAYS - 3.0)[None, :], row=np.array([[0]]))
    for effect in (-0.7, 0.0, 0.9):
        for hazard in (1e-6, 0.2, 1.0, 5.0):
            days = exit_days_of(spline, 0, 0, effect, hazard, np.inf)
            assert days == pytest.approx(exit_days_of(weibull, 0, 0, (3.0 - effect) / 0.8, hazard, np.inf), rel=1e-10)
