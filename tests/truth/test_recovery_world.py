"""A book made from known waits gives them back: effects, occupation, uncertainty, with days and with weeks."""

from dataclasses import replace

import numpy as np
import pytest

from msk_reserves.claims.vocabulary import STATE_CODE
from msk_reserves.recovery.answers.remaining import remaining_days
from msk_reserves.recovery.curves.nonparametric import kaplan_meier
from msk_reserves.recovery.path.mixture import all_exits
from msk_reserves.recovery.path.model import fit_recovery
from msk_reserves.recovery.path.sampling import draw_moves
from tests.worlds.recovery import AGE_EFFECT, recovery_book


@pytest.mark.parametrize("interval", [0.0, 7.0])
def test_the_law_of_returns_comes_back(interval: float) -> None:
    """Return is lognormal(3.4, 1.1) with an effect of age: within 4.5 errors, from days or from weeks."""
    book = recovery_book(6_000, 2, interval=interval)
    recovery = fit_recovery(book, candidates=("lognormal",), covariates=("age",))
    fit = recovery.transitions["off_work", "back_at_work"].candidates[0].fit
    names = list(fit.names)
    centre = float(book.claims["age"].mean())
    # Whole days are days rounded up: half a day more, a fiftieth of the median.
    constant = 3.4 + AGE_EFFECT * (centre - 45) / 10
    error = fit.standard_error
    assert abs(fit.theta[names.index("age, decades")] - AGE_EFFECT) < 4.5 * error[1]
    assert abs(fit.theta[0] - constant) < 4.5 * error[0] + 0.5 / 30
    assert abs(fit.scale - 1.1) < 4.5 * error[2] * 1.1 + 0.02


def test_the_fitted_stay_off_work_follows_the_product_limit_curve() -> None:
    """All-cause survival off work, averaged over claims, lies within 2 points of the curve of the stays."""
    book = recovery_book(3_000, 8)
    recovery = fit_recovery(book)
    rows = book.spells.at_risk("off_work")
    rows = rows[book.spells.days[rows] > 3]
    curve = kaplan_meier(book.spells.days[rows], book.spells.next_state[rows] >= 0, entry=np.full(len(rows), 3.0))
    ages = np.array([14.0, 30.0, 90.0, 182.0, 364.0])
    design = recovery.design.matrix(book.claims)[book.spells.claim[rows]]
    moves = recovery.transitions_from("off_work")
    clocks = np.full(len(rows), 3.0), np.full(len(rows), 3.0)
    fitted = np.exp(-all_exits(moves, design, clocks, ages[None, :] - 3.0).sum(axis=0)).mean(axis=0)
    np.testing.assert_allclose(fitted, curve(ages), atol=0.02)


def test_residual_time_of_workers_off_work_is_what_the_world_does() -> None:
    """Mean time still to go to a year, over first stays 40 days old, within 8 % of fresh waits."""
    book = recovery_book(3_000, 9)
    recovery = fit_recovery(book)
    state = np.full(len(book), STATE_CODE["off_work"])
    rng = np.random.default_rng(1)
    n = 400_000
    age = rng.choice(book.claims["age"].to_numpy(), n)
    waits = np.stack(
        [
            np.exp(3.4 + AGE_EFFECT * (age - 45) / 10 + 1.1 * rng.standard_normal(n)),
            700 * rng.weibull(1.2, n),
            rng.exponential(60_000, n),
        ]
    )
    stay = waits.min(axis=0)
    left = np.minimum(stay[stay > 40] - 40, 364.0)
    from_start = age[stay > 40]
    forty = np.full(len(book), 40.0)
    aged = replace(book, position=replace(book.position, state=state, days_in_state=forty, days_since_start=forty))
    near = np.flatnonzero(np.abs(book.claims["age"].to_numpy() - 45) < 5)
    asked = book.claims["claim_id"].iloc[near[:200]].tolist()
    answers = remaining_days(recovery, aged, claims=asked, horizon_days=364.0, draws=20, paths=4)
    expected = left[np.abs(from_start - 45) < 5].mean()
    assert answers.of("days_remaining_mean").mean() == pytest.approx(expected, rel=0.08)


def test_parameter_draws_spread_as_estimates_do() -> None:
    """The spread of a draw's age effect equals the spread of estimates over sixty books, within a third."""
    estimates, spreads = [], []
    for seed in range(60):
        recovery = fit_recovery(recovery_book(400, 100 + seed), candidates=("lognormal",), covariates=("age",))
        move = recovery.transitions["off_work", "back_at_work"]
        if move.candidates[0].weight == 0:
            # Refused for its tail, as a true law now and then is; others then take its place.
            continue
        draws = draw_moves((move,), 200, seed)[0]
        estimates.append(float(move.candidates[0].fit.theta[1]))
        spreads.append(float(draws.laws[0].coefficients[:, 1].std()))
    assert len(estimates) > 50
    # The standard deviation of some sixty numbers is itself uncertain by 9 %: a third is 3.6 of its errors.
    assert np.std(estimates) == pytest.approx(np.mean(spreads), rel=0.33)
    assert abs(np.mean(estimates) - AGE_EFFECT) < 4.5 * np.std(estimates) / np.sqrt(len(estimates))


def test_bootstrap_draws_spread_as_the_information_says() -> None:
    """On a move of some twenty exits, refits under random weights spread like the inverse information, within half."""
    for seed in range(30):
        recovery = fit_recovery(recovery_book(260, seed), candidates=("lognormal",))
        for move in recovery.fitted:
            if move.method != "bootstrap" or move.events < 18:
                continue
            one = move.kept()[0]
            draws = draw_moves((move,), 150, 1)[0]
            mine = draws.law_of_draw == 0
            spread = float(draws.laws[0].coefficients[mine, 0].std())
            assert spread == pytest.approx(float(one.fit.standard_error[0]), rel=0.5)
            return
    raise AssertionError("no move with 18 to 49 exits was made")
