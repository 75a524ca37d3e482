"""Laws of models brought along: asked once a claim, checked, the same in every draw, and said in the assumptions."""

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import msk_reserves as msk
from msk_reserves._checks import Floats
from msk_reserves.claims.book import ClaimBook
from msk_reserves.episodes.hazards import collected_by, exit_days_of
from msk_reserves.episodes.laws import exits, laws_of
from msk_reserves.recovery.path.external import NODES, tabulated
from msk_reserves.recovery.path.mixture import all_exits
from msk_reserves.recovery.path.model import Recovery, fit_recovery
from msk_reserves.recovery.path.transitions import stays_at_risk, stays_of
from msk_reserves.recovery.quality.checks_observed import fitted_on
from tests.worlds.recovery import recovery_book

MOVE = ("off_work", "back_at_work")


@dataclass(frozen=True)
class Rising:
    """H = (age / 45) (days / 60)^power, from day `first`; what a user might write."""

    power: float = 1.5
    first: float = 0.0

    def cumulative_hazard(self, claims: pd.DataFrame, days: Floats) -> Floats:
        """Return the hazard of each claim."""
        collected = (np.maximum(days - self.first, 0.0) / 60.0) ** self.power
        age: Floats = claims["age"].to_numpy(dtype=np.float64)
        return np.outer(age / 45.0, collected)


@cache
def replaced_book() -> tuple[ClaimBook, Recovery]:
    """A book and its recovery with a model for the return to full duty."""
    book = recovery_book(400, 4)
    return book, fit_recovery(book, candidates=("weibull",), replace_moves={MOVE: Rising()})


def test_draws_answer_as_the_model_does() -> None:
    """At the nodes exactly, between them within what a straight line leaves; in every draw alike; days invert."""
    book, recovery = replaced_book()
    draws = recovery.draw(7, 1)
    move = next(one for one in draws.transitions_from("off_work") if one.target == MOVE[1])
    location = move.location(recovery.design.matrix(book.claims))
    assert location.shape == (400, 7)
    days = np.array([NODES[30], NODES[120], 20.0, 333.0])
    truth = Rising().cumulative_hazard(book.claims, days)
    for place, day in enumerate(days):
        for draw in (0, 6):
            which = np.full(400, draw)
            found = move.cumulative_hazard(np.full(400, day), location[:, draw], which)
            np.testing.assert_allclose(found, truth[:, place], rtol=1e-9 if place < 2 else 1e-3)
            np.testing.assert_allclose(move.exit_days(found, location[:, draw], which), day, rtol=1e-9)


@pytest.mark.parametrize("first", [0.0, 30.0])
def test_the_inner_loop_answers_as_the_draws_do(first: float) -> None:
    """Hazards and days of the compiled loop are those of the draws, also where nothing happens for 30 days."""
    book = recovery_book(60, 4)
    recovery = fit_recovery(book, candidates=("weibull",), covariates=[], replace_moves={MOVE: Rising(0.8, first)})
    draws, design = recovery.draw(3, 1), recovery.design.matrix(book.claims)
    laws, every = laws_of(draws, design.shape[1]), exits(draws)
    place = next(row for row, one in enumerate(every) if (one.origin, one.target) == MOVE)
    location = every[place].location(design)[:, 1]
    for row in (0, 17, 59):
        inside = laws.coefficients[1, place, 0] + design[row] @ laws.coefficients[1, place, 1:]
        assert inside == location[row]
        for hazard in (0.01, 0.5, 3.0):
            days = exit_days_of(laws, place, 1, inside, hazard, np.inf)
            known = every[place].exit_days(np.array([hazard]), np.array([inside]), np.ones(1, dtype=np.int64))[0]
            assert days == pytest.approx(known, rel=2e-3)
            assert collected_by(laws, place, 1, inside, days) == pytest.approx(hazard, rel=2e-2)


def test_the_other_moves_stay_as_they_were() -> None:
    """Only the move named changes, its share in the present stay follows the model, and the record says so."""
    book, recovery = replaced_book()
    plain = fit_recovery(book, candidates=("weibull",))
    for a, b in zip(plain.fitted, recovery.fitted, strict=True):
        if (a.origin, a.target) != MOVE:
            np.testing.assert_array_equal(a.kept()[0].fit.theta, b.kept()[0].fit.theta)
    design = recovery.design.matrix(book.claims)
    escaped = all_exits([recovery.transitions[MOVE]], design, (np.zeros(400), np.zeros(400)), NODES[None, :9])
    np.testing.assert_allclose(escaped[0], Rising().cumulative_hazard(book.claims, NODES[:9]), atol=1e-9)
    *_, assumed = recovery.assumptions
    assert assumed.name == "move off_work>back_at_work"
    assert "without uncertainty of its parameters" in repr(recovery)
    assert all(one.source != "given by the user" for one in plain.assumptions)
    assert "Rising(power=1.5, first=0.0)" in set(recovery.to_frame()["law"])
    assert repr(pickle.loads(pickle.dumps(recovery))) == repr(recovery)  # a round trip of our own bytes


def test_claims_it_was_not_asked_about_are_refused() -> None:
    """Another book needs its own call; the order of claims does not matter."""
    book, recovery = replaced_book()
    turned = book.claims.iloc[::-1]
    np.testing.assert_array_equal(recovery.design.matrix(turned), recovery.design.matrix(book.claims)[::-1])
    other = book.claims.assign(claim_id="new " + book.claims["claim_id"])
    with pytest.raises(ValueError, match="call `with_transition` with this book"):
        recovery.design.matrix(other)
    again = recovery.with_transition(*MOVE, Rising(), replace(book, claims=other))
    assert again.design.matrix(other).shape[0] == 400


class Nothing:
    """No model."""

    def __getattr__(self, name: str) -> Callable[[pd.DataFrame, Floats], Floats]:
        raise AttributeError(name)


@dataclass(frozen=True)
class Wrong:
    """A model that answers with what it is given."""

    answer: str

    def cumulative_hazard(self, claims: pd.DataFrame, days: Floats) -> Floats:
        """Return a wrong answer."""
        right = np.repeat(days[None, :], len(claims), axis=0) / 100.0
        return {"shape": right.T, "falls": np.sin(right), "start": right + 1.0}[self.answer]


@pytest.mark.parametrize(
    ("answer", "match"), [("shape", "a row a claim"), ("falls", "never fall"), ("start", "begin at zero")]
)
def test_answers_that_are_no_hazard_are_refused(answer: str, match: str) -> None:
    """Each refusal says the rule and the claim."""
    with pytest.raises(ValueError, match=match):
        tabulated(Wrong(answer), recovery_book(20, 1).claims)


def test_moves_never_seen_and_things_that_are_no_model_are_refused() -> None:
    """The errors list the moves that were fitted, and say what a model must have."""
    book, recovery = replaced_book()
    with pytest.raises(ValueError, match="must be a move that was fitted"):
        recovery.with_transition("off_work", "settled", Rising(), book)
    with pytest.raises(TypeError, match="must have a method `cumulative_hazard"):
        recovery.with_transition(*MOVE, Nothing(), book)


def test_a_twin_fitted_apart_is_replaced_with_its_state() -> None:
    """The same hazards hold out of the twin, whatever it had of its own; replacing the twin's alone leaves the state's.

    Without it represented workers of the shipped sample would go on to leave by the laws that were told apart.
    """
    book = msk.load_sample("shoulder").as_of("2025-06-30")
    fitted = fit_recovery(book, candidates=("weibull",), covariates=())
    twin = ("off_work_represented", "back_at_work_represented")
    assert not fitted.transitions[twin].shared
    recovery = fitted.with_transition(*MOVE, Rising(), book)
    assert recovery.transitions[twin].shared == "off_work>back_at_work"
    assert {move.name for move in recovery.fitted} == {move.name for move in fitted.fitted} - {">".join(twin)}
    design, zero = recovery.design.matrix(book.claims.iloc[:5]), np.zeros(5)
    pair = [recovery.transitions[move] for move in (MOVE, twin)]
    one, two = all_exits(pair, design, (zero, zero), np.array([[30.0, 200.0]]))
    np.testing.assert_array_equal(one, two)
    assert len(recovery.assumptions) == len(fitted.assumptions) + 1
    own = fitted.with_transition(*twin, Rising(), book)
    assert own.transitions[MOVE].hazards is None
    assert own.transitions[twin].hazards is not None


def test_retaining_an_attorney_at_work_is_no_return() -> None:
    """A factor of the employer multiplies returns of represented workers too, but not the move to their state."""
    book = msk.load_sample("shoulder").as_of("2025-06-30")
    frailty = fit_recovery(book, covariates=(), frailty="employer").frailty
    assert frailty is not None
    assert "back_at_work>back_at_work_represented" not in frailty.moves
    assert "modified_duty_represented>back_at_work_represented" in frailty.moves


def test_effects_are_tested_on_the_stays_they_were_fitted_to() -> None:
    """A state and its twin fitted apart are each held against its own stays, with how late these began; else both."""
    book = msk.load_sample("shoulder").as_of("2025-06-30")
    recovery = fit_recovery(book, candidates=("weibull",), covariates=())
    groups = stays_at_risk(stays_of(book))[0]
    twin = recovery.transitions["off_work_represented", "back_at_work_represented"]
    own, there, both, onset = (
        fitted_on(recovery, move, groups)
        for move in (
            recovery.transitions[MOVE],
            twin,
            recovery.transitions["off_work", "mmi"],
            recovery.transitions["off_work", "off_work_represented"],
        )
    )
    assert own is not None
    assert there is not None
    assert both is not None
    assert onset is not None
    assert not own.marked.any()
    assert there.marked.all()
    assert len(both.days) == len(own.days) + len(there.days)
    assert len(onset.days) == len(own.days)
    assert there.exits("back_at_work") == twin.events
