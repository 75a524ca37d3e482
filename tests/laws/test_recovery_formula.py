"""Laws of covariates by formula: the same columns for any book, and refusals that say what to do."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from msk_reserves.recovery.path.covariates import AUTOMATIC, NOT_AUTOMATIC, covariate_design, usable_columns
from msk_reserves.recovery.path.formula import formula_columns
from msk_reserves.recovery.path.model import fit_recovery
from tests.worlds.recovery import recovery_book

FORMULA = "body_part + np.log(weekly_wage) + bs(age, df=4) + C(arrangement):center(age)"


def test_a_later_book_gets_the_same_columns() -> None:
    """Levels, knots and centres are those of the first book: a part of the book has its rows, and so after pickling."""
    claims = recovery_book(500, 2).claims
    design = covariate_design(claims, FORMULA)
    again = pickle.loads(pickle.dumps(design))  # a round trip of our own bytes
    whole = design.matrix(claims)
    part = claims[claims["body_part"] == "knee"].iloc[5:40]
    np.testing.assert_array_equal(again.matrix(part), whole[part.index])
    numbers = ~np.isin(whole, (0.0, 1.0)).all(axis=0)
    np.testing.assert_allclose(whole[:, numbers].mean(axis=0), 0.0, atol=1e-12)
    assert len(design.names) == whole.shape[1] == 10


def test_a_formula_of_plain_columns_is_the_list_of_them() -> None:
    """`age + weekly_wage` gives the fit of the two columns up to their units."""
    book = recovery_book(700, 5)
    by_list = fit_recovery(book, covariates=["age"], candidates=("weibull",)).transitions["off_work", "back_at_work"]
    by_formula = fit_recovery(book, covariates="age", candidates=("weibull",)).transitions["off_work", "back_at_work"]
    one, two = by_list.candidates[0].fit, by_formula.candidates[0].fit
    np.testing.assert_allclose(one.loglik, two.loglik, atol=1e-5)
    np.testing.assert_allclose(one.theta[1], 10 * two.theta[1], rtol=1e-3)


def test_a_move_may_have_its_own_formula() -> None:
    """The move named takes its own columns, the rest the default ones, and the table says how many each used."""
    book = recovery_book(900, 4)
    move = ("off_work", "back_at_work")
    recovery = fit_recovery(book, covariates={move: "np.log(weekly_wage) + age"}, candidates=("weibull",))
    assert recovery.transitions[move].names == ("np.log(weekly_wage)", "age")
    assert "np.log(weekly_wage)" not in recovery.transitions["back_at_work", "relapse"].names
    frame = recovery.to_frame()
    mine = frame[(frame["from"] == "off_work") & (frame["to"] == "back_at_work")]
    assert set(mine["covariates"]) == {"2 of 2"}
    draws = recovery.draw(4, 1)
    assert draws.transitions_from("off_work")[0].location(recovery.design.matrix(book.claims)).shape == (900, 4)


def test_missing_values_count_as_average_and_are_counted() -> None:
    """A missing age is the mean age, a missing body part the most frequent, and the record says how many."""
    claims = recovery_book(300, 1).claims
    holes = claims.assign(
        age=claims["age"].where(claims.index > 4), body_part=claims["body_part"].where(claims.index > 6)
    )
    design = covariate_design(holes, "age + body_part")
    assert "5 claims without age count as average" in repr(design)
    assert "7 claims without body_part count as average" in repr(design)
    matrix = design.matrix(holes)
    place = list(design.names).index("age")
    np.testing.assert_allclose(matrix[:5, place], 0.0, atol=1e-12)


@pytest.mark.parametrize(
    ("formula", "match"),
    [
        ("age + medical_paid", "must be known when the stay begins; 'medical_paid'"),
        ("np.log(days_off)", "must be known when the stay begins; 'days_off'"),
        ("age + horoscope", "`horoscope` is not present"),
        ("np.log(", "must be a formula such as"),
        ("age ~ body_part", "without a left side"),
        ("0 + age", "leave the constant alone"),
        ("1", "at least one column"),
        ("np.log(age - 45)", "missing or infinite in"),
        ("np.logg(age)", "fails"),
    ],
)
def test_formulas_that_will_not_do(formula: str, match: str) -> None:
    """Each refusal names the rule and what came."""
    claims = recovery_book(200, 1).claims.assign(medical_paid=1.0, days_off=2.0)
    with pytest.raises(ValueError, match=match):
        covariate_design(claims, formula)


def test_new_levels_are_refused_by_a_formula_and_counted_by_a_list() -> None:
    """A formula names the level it has not seen; a list counts its claims as the reference and tells how many."""
    claims = recovery_book(300, 1).claims
    other = claims.assign(body_part=np.where(claims.index < 3, "elbow", claims["body_part"]))
    with pytest.raises(ValueError, match="got body_part elbow; pool them"):
        formula_columns("body_part", claims).values(other)
    design = covariate_design(claims, ["body_part"])
    assert design.unseen(other) == {"body_part elbow": 3}
    assert design.unseen(claims) == {}
    assert (design.matrix(other)[:3] == 0).all()


def test_a_recovery_says_what_it_has_not_seen() -> None:
    """Used on another book, levels that were not in the fit are among the assumptions, with their claims."""
    book = recovery_book(300, 1)
    recovery = fit_recovery(book, covariates=["body_part"], candidates=("weibull",))
    words = np.where(book.claims.index < 3, "elbow", book.claims["body_part"])
    *always, assumed = recovery.assumptions_on(replace(book, claims=book.claims.assign(body_part=words)))
    assert assumed.name == "unseen level, body_part elbow"
    assert assumed.value.startswith("3 claims")
    assert list(recovery.assumptions_on(book)) == always == list(recovery.assumptions)


def test_the_default_says_what_it_leaves_out() -> None:
    """Columns of the data model that are there and not used are printed with the reason; none is in both lists."""
    claims = recovery_book(200, 1).claims.assign(sex="F", industry="retail")
    design = covariate_design(claims)
    assert dict(design.left_out) == {name: NOT_AUTOMATIC[name] for name in ("sex", "industry", "employer_id")}
    assert "industry not used: acts through job demand and wage" in repr(design)
    assert covariate_design(claims, ["age"]).left_out == ()
    assert not set(AUTOMATIC) & set(NOT_AUTOMATIC)
    assert isinstance(design.matrix(pd.concat([claims, claims])), np.ndarray)


def test_a_contrast_without_exits_is_left_out() -> None:
    """An indicator that the columns before it explain among the exits, though not among all stays, is not estimated."""
    rng = np.random.default_rng(1)
    exited = rng.random(400) < 0.5
    first = rng.random(400) < 0.3
    # Sixty more stays have the second indicator without the first, and none of them left.
    second = first | (~exited & (np.cumsum(~exited) <= 60))
    design = np.column_stack([first, second]).astype(float)
    assert usable_columns(design, exited.astype(float), 10) == (0,)
    assert usable_columns(design[:, ::-1], exited.astype(float), 10) == (0,)
