"""Laws of employers' factors: nothing without a spread, shared by an employer's claims, the same in the engine."""

import pickle
from functools import cache

import numpy as np
import pandas as pd
import pytest

from msk_reserves.claims.book import ClaimBook
from msk_reserves.episodes.laws import exits, laws_of
from msk_reserves.recovery.laws.frailty import frailty_mean
from msk_reserves.recovery.path.employers import employer_numbers
from msk_reserves.recovery.path.model import Recovery, fit_path, fit_recovery
from tests.worlds.employers import SPACE, employers_stays
from tests.worlds.recovery import recovery_book

LAWS = ("weibull", "piecewise")


@cache
def world() -> tuple[pd.DataFrame, Recovery]:
    """Stays of 60 employers and their recovery with factors."""
    table, _ = employers_stays(60, 15, 0.5, 7)
    return table, fit_path(table, space=SPACE, covariates="illness + heavy", candidates=LAWS, frailty="employer")


@cache
def booked() -> tuple[ClaimBook, Recovery]:
    """A book whose employers are made to differ: days back to work are those of slow and quick employers."""
    book = recovery_book(900, 4)
    claims = book.claims.copy()
    rank = np.argsort(np.argsort(book.spells.days[np.searchsorted(book.spells.claim, np.arange(900))]))
    noise = np.random.default_rng(1).permutation(900)
    claims["employer_id"] = [f"E{number:02d}" for number in (rank + noise) // 45]
    object.__setattr__(book, "claims", claims)
    return book, fit_recovery(book, candidates=LAWS, frailty="employer")


def test_doubled_weights_are_doubled_claims() -> None:
    """Weight two on every stay gives variance, factors and laws of the same claims written twice."""
    table, _ = employers_stays(30, 12, 0.6, 2)
    twice = pd.concat([table, table.assign(claim_id="again " + table["claim_id"])])
    one, two = (
        fit_path(stays, space=SPACE, covariates=["illness"], candidates=("piecewise",), frailty="employer")
        for stays in (table.assign(weight=2.0), twice)
    )
    assert one.frailty is not None
    assert two.frailty is not None
    np.testing.assert_allclose(one.frailty.variance.theta, two.frailty.variance.theta, rtol=1e-6)
    np.testing.assert_allclose(one.frailty.exits, two.frailty.exits)
    for a, b in zip(one.fitted, two.fitted, strict=True):
        np.testing.assert_allclose(a.kept()[0].fit.theta, b.kept()[0].fit.theta, atol=1e-5)


def test_without_a_spread_nothing_changes() -> None:
    """Where "auto" takes no factor the moves are those fitted without it, and the record says why."""
    table, _ = employers_stays(30, 8, 0.0, 5)
    plain = fit_path(table, space=SPACE, covariates=["illness"], candidates=LAWS)
    auto = fit_path(table, space=SPACE, covariates=["illness"], candidates=LAWS, frailty="auto")
    assert auto.frailty is None
    assert auto.design.keys == ()
    assert "employers with a factor of their own (" in repr(auto)
    for a, b in zip(plain.fitted, auto.fitted, strict=True):
        np.testing.assert_array_equal(a.kept()[0].fit.theta, b.kept()[0].fit.theta)


def test_draws_of_factors_follow_the_laws_drawn() -> None:
    """Factors average their posterior mean and are smaller where a drawn law is faster; the same seed repeats."""
    table, recovery = world()
    frailty = recovery.frailty
    assert frailty is not None
    draws = recovery.draw(400, 3)
    design = recovery.design.matrix(table)
    (move,) = [one for one in draws.moves if (one.origin, one.target) == ("off", "back")]
    assert move.factors is not None
    log_factor = move.factors.log_factor
    mean = frailty_mean(frailty.variance.theta, frailty.exits, frailty.hazard)
    # Monte Carlo error of a mean of 400 draws of at most 45 % spread, at 4.5 errors of the worst of 60.
    np.testing.assert_allclose(np.exp(log_factor).mean(axis=1), mean, rtol=0.12)
    days = np.full(400, 60.0)
    average = np.concatenate([np.zeros((1, design.shape[1] - 1)), np.zeros((1, 1))], axis=1)
    hazard = move.cumulative_hazard(days, move.location(average)[0], np.arange(400))
    # Independent draws would show a correlation of this size once in 100,000 times.
    assert np.corrcoef(np.log(hazard), log_factor.mean(axis=0))[0, 1] < -0.22
    again = recovery.draw(400, 3).moves[draws.moves.index(move)].factors
    assert again is not None
    np.testing.assert_array_equal(again.log_factor, log_factor)


def test_claims_of_an_employer_share_its_factor_and_new_ones_have_the_spread() -> None:
    """A new employer's claims share one draw, two new employers differ, and their spread is the fitted variance."""
    table, recovery = world()
    frailty = recovery.frailty
    assert frailty is not None
    move = next(one for one in recovery.draw(2_000, 1).moves if one.factors is not None)
    assert move.factors is not None
    new = table.iloc[:4].assign(employer_id=["new", "new", "other", None])
    factor = np.exp(move.factors.of(recovery.design.matrix(new)))
    np.testing.assert_array_equal(factor[0], factor[1])
    assert not np.allclose(factor[0], factor[2])
    assert not np.allclose(factor[2], factor[3])
    np.testing.assert_allclose(factor[0].mean(), 1.0, atol=4.5 * np.sqrt(frailty.variance.theta / 2_000))
    np.testing.assert_allclose(factor[0].var(), frailty.variance.theta, rtol=0.5)
    point = recovery.point().moves[0].factors
    assert point is not None
    assert (point.of(recovery.design.matrix(new)) == 0).all()
    assert len(set(employer_numbers(table))) == table["employer_id"].nunique()


def test_the_inner_loop_has_the_same_predictors() -> None:
    """Coefficients times design plus slope times log factor, as the inner loop adds them, are the draws' locations."""
    book, recovery = booked()
    assert recovery.frailty is not None
    draws = recovery.draw(6, 2)
    design = recovery.design.matrix(book.claims)
    laws = laws_of(draws, design.shape[1])
    with_factor = 0
    for place, one in enumerate(exits(draws)):
        inside = laws.coefficients[:, place, 0] + design @ laws.coefficients[:, place, 1:].T
        if one.factors is not None:
            inside = inside + laws.shared[:, place] * one.factors.of(design)
            with_factor += 1
        np.testing.assert_allclose(inside, one.location(design), rtol=1e-9, atol=1e-9)
    assert with_factor >= 2
    assert (laws.shared[:, [one.factors is None for one in exits(draws)]] == 0).all()


def test_a_factor_multiplies_the_hazard() -> None:
    """Twice the factor is twice the cumulative hazard, whichever law carries it."""
    _, recovery = booked()
    design = np.zeros((2, len(recovery.design.names) + 1))
    numbers = recovery.frailty.numbers if recovery.frailty is not None else np.zeros(2)
    design[:, -1] = numbers[:2]
    for one in recovery.draw(20, 4).moves:
        if one.factors is None:
            continue
        location, draw = one.location(design), np.arange(20)
        ratio = one.cumulative_hazard(np.full(20, 50.0), location[0], draw) / one.cumulative_hazard(
            np.full(20, 50.0), location[1], draw
        )
        log_factor = one.factors.of(design)
        np.testing.assert_allclose(np.log(ratio), log_factor[0] - log_factor[1], atol=1e-9)


def test_it_prints_and_travels() -> None:
    """The record prints what was found, the table has a row an employer, and all of it survives pickling."""
    _, recovery = world()
    twin = pickle.loads(pickle.dumps(recovery))  # a round trip of our own bytes
    assert repr(twin) == repr(recovery)
    assert "Employers differ in how fast their workers return" in repr(recovery)
    assert recovery.frailty is not None
    frame = recovery.frailty.to_frame(level=0.8)
    assert len(frame) == 60
    assert (frame["low"] < frame["factor"]).all()
    assert (frame["factor"] < frame["high"]).all()
    assert ((frame["credibility"] > 0) & (frame["credibility"] < 1)).all()
    own = frame["returns"] / frame["expected"]
    np.testing.assert_allclose(frame["factor"], 1 + frame["credibility"] * (own - 1), rtol=1e-9)


def test_books_that_cannot_show_it_are_refused() -> None:
    """Without employers, or with too few of two claims, `frailty="employer"` says so; unknown words are refused."""
    book, _ = booked()
    table, _ = employers_stays(10, 8, 0.4, 1)
    with pytest.raises(ValueError, match="10 employers have two claims or more, and 20 are needed"):
        fit_path(table, space=SPACE, frailty="employer")
    with pytest.raises(ValueError, match="have no `employer_id`"):
        fit_path(table.drop(columns="employer_id"), space=SPACE, frailty="employer")
    with pytest.raises(ValueError, match="`frailty` must be one of"):
        fit_recovery(book, frailty="worker")
    auto = fit_path(table, space=SPACE, candidates=LAWS, frailty="auto")
    assert auto.frailty is None
    assert "10 employers have two claims or more" in repr(auto)
