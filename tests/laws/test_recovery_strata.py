"""Laws of strata: each level has the law of its own claims, and no other."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from msk_reserves._checks import Floats
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.states import StateSpace
from msk_reserves.recovery.path.mixture import all_exits
from msk_reserves.recovery.path.model import Recovery, fit_path, fit_recovery
from msk_reserves.recovery.path.strata import level_columns
from msk_reserves.recovery.quality.cox_snell import cox_snell
from msk_reserves.recovery.quality.verdict import assess_recovery
from tests.worlds.recovery import recovery_book

SPACE = StateSpace(
    names=("ill", "well", "ill_insured", "well_insured"),
    off_work=("ill", "ill_insured"),
    working=("well", "well_insured"),
    twins=(("ill", "ill_insured"), ("well", "well_insured")),
    mark="insured",
)
LAWS = ("weibull", "lognormal", "piecewise")
MOVE = ("ill", "well")


def stays(sizes: Mapping[str, int], seed: int) -> pd.DataFrame:
    """Return first stays that end in recovery, some censored, whose shape depends on the region: a=0.7, others 1.5."""
    rng = np.random.default_rng(seed)
    region = np.repeat(list(sizes), list(sizes.values()))
    n = len(region)
    x = rng.standard_normal(n)
    shape = np.where(region == "a", 0.7, 1.5)
    days = np.maximum(80.0 * np.exp(0.3 * x) * rng.weibull(shape), 0.01)
    seen = rng.uniform(20, 400, n)
    target = ["well" if ended else None for ended in days <= seen]
    frame = {"claim_id": np.arange(n).astype(str), "state": "ill", "start": 0.0, "stop": np.minimum(days, seen)}
    return pd.DataFrame({**frame, "next_state": target, "x": x, "region": region})


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Two large regions, and a small one with few exits."""
    return stays({"a": 250, "b": 200, "c": 34}, seed=1).sample(frac=1.0, random_state=3).reset_index(drop=True)


@pytest.fixture(scope="module")
def recovery(table: pd.DataFrame) -> Recovery:
    """The path fitted by region; the small one is made to have fewer than thirty exits."""
    open_ = (table["region"] == "c") & (table["x"] > -0.5)
    return fit_path(
        table.assign(next_state=table["next_state"].where(~open_, None)),
        space=SPACE,
        covariates=["x"],
        candidates=LAWS,
        strata="region",
    )


def test_one_level_is_no_strata(table: pd.DataFrame) -> None:
    """A column with one level changes neither laws nor draws."""
    plain = fit_path(table, space=SPACE, covariates=["x"], candidates=LAWS)
    one = fit_path(table.assign(all="same"), space=SPACE, covariates=["x"], candidates=LAWS, strata="all")
    assert [move.name for move in one.fitted] == [move.name for move in plain.fitted]
    for ours, theirs in zip(one.draw(20, 4).moves, plain.draw(20, 4).moves, strict=True):
        for left, right in zip(ours.laws, theirs.laws, strict=True):
            np.testing.assert_array_equal(left.coefficients, right.coefficients)
            np.testing.assert_array_equal(left.scale, right.scale)


def test_a_stratum_has_the_law_of_its_own_claims(table: pd.DataFrame) -> None:
    """The laws of a level are those fitted to its claims alone, whatever the others do."""
    whole = fit_path(table, space=SPACE, covariates=[], candidates=LAWS, strata="region")
    for region in ("a", "b"):
        alone = fit_path(table[table["region"] == region], space=SPACE, covariates=[], candidates=LAWS)
        ours, theirs = whole.transitions[(*MOVE, region)], alone.transitions[MOVE]
        assert ours.events == theirs.events
        assert ours.exposure == pytest.approx(theirs.exposure)
        for left, right in zip(ours.candidates, theirs.candidates, strict=True):
            np.testing.assert_allclose(left.fit.theta, right.fit.theta, rtol=1e-9)
            assert left.weight == right.weight


def test_levels_with_few_exits_borrow_the_law_of_all(recovery: Recovery, table: pd.DataFrame) -> None:
    """The small level has the law fitted without strata, its own exits in the table, and the decisions say so."""
    small = recovery.transitions[(*MOVE, "c")]
    open_ = (table["region"] == "c") & (table["x"] > -0.5)
    plain = fit_path(
        table.assign(next_state=table["next_state"].where(~open_, None)),
        space=SPACE,
        covariates=["x"],
        candidates=LAWS,
    )
    for left, right in zip(small.candidates, plain.transitions[MOVE].candidates, strict=True):
        np.testing.assert_array_equal(left.fit.theta, right.fit.theta)
    assert 0 < small.events < 30
    assert sum(move.events for move in recovery.fitted) == plain.transitions[MOVE].events
    assert "ill to well: c" in next(one.meaning for one in recovery.decisions if one.rule == "stratum borrowed")
    assert set(recovery.to_frame()["stratum"]) == {"a", "b", "c"} == set(recovery.effects()["stratum"])
    assert "Strata of region" in repr(recovery)


def test_a_claim_leaves_by_the_law_of_its_stratum_alone(recovery: Recovery) -> None:
    """In every draw the moves of the other strata collect no hazard, and a level never seen is the most frequent."""
    claims = pd.DataFrame({"x": [0.5, 0.5, 0.5, 0.5], "region": ["a", "b", "c", "new"]})
    design, draws = recovery.design.matrix(claims), recovery.draw(30, 5)
    collected: list[Floats] = []
    for move in draws.moves:
        location = move.location(design)
        draw = np.tile(np.arange(30), len(claims))
        collected.append(move.cumulative_hazard(np.full(120, 90.0), location.ravel(), draw).reshape(4, 30))
    every = np.array(collected)
    at = [[move.stratum.level for move in recovery.fitted if move.stratum].index(level) for level in "abca"]
    own = every[at, np.arange(4)]
    assert (own > 0.01).all()
    np.testing.assert_array_equal(every.sum(axis=0), own)
    np.testing.assert_array_equal(own[0], own[3])
    assert recovery.design.unseen(claims) == {"region new": 1}
    clocks = (np.zeros(4), np.zeros(4))
    averaged = all_exits(recovery.fitted, design, clocks, np.array([[30.0, 90.0]]))
    np.testing.assert_array_equal(averaged.sum(axis=0), averaged[at, np.arange(4)])


def test_strata_that_cannot_be_had_are_refused(table: pd.DataFrame) -> None:
    """Absent columns, columns learned later, too many levels, and together with employers' factors."""
    with pytest.raises(ValueError, match="`strata` must name columns of the claims; there is no 'colour'"):
        fit_path(table, space=SPACE, strata="colour")
    with pytest.raises(ValueError, match="`strata` must be known when the stay begins; 'attorney' is learned later"):
        fit_path(table.assign(attorney="x"), space=SPACE, strata="attorney")
    with pytest.raises(ValueError, match="at most 60 levels; 'claim_id' has 484"):
        fit_path(table, space=SPACE, strata="claim_id")
    with pytest.raises(ValueError, match="`strata` must be left out with `frailty`"):
        fit_path(table, space=SPACE, strata="region", frailty="auto")


def test_small_levels_stand_together() -> None:
    """Levels with fewer than thirty claims are one, and each claim belongs to one column."""
    claims = pd.DataFrame({"state": ["A"] * 40 + ["B"] * 35 + ["C"] * 5 + ["D"] * 3 + [None] * 2})
    found = level_columns(claims, "state")
    assert found.levels == ("A", "B", "other")
    assert found.values(claims).sum(axis=0).tolist() == [42.0, 35.0, 8.0]
    assert found.gaps == (("state", 2),)


@pytest.fixture(scope="module")
def by_sex() -> tuple[ClaimBook, Recovery, Recovery]:
    """A book, its recovery by sex, and its recovery as a whole; piecewise rates alone, which follow their exits."""
    book = recovery_book(700, 21)
    sex = np.where(np.arange(len(book)) % 3 == 0, "f", "m")
    book = replace(book, claims=book.claims.assign(sex=sex))
    laws = ("piecewise",)
    return book, fit_recovery(book, candidates=laws, strata="sex"), fit_recovery(book, candidates=laws)


def test_checks_count_every_exit_once(by_sex: tuple[ClaimBook, Recovery, Recovery]) -> None:
    """Exits seen are those of the recovery without strata; as many are expected, by sex too, and a verdict is given."""
    book, recovery, plain = by_sex
    ours, theirs = cox_snell(recovery, book), cox_snell(plain, book)
    np.testing.assert_array_equal(ours.seen, theirs.seen)
    large = ours.seen.sum(axis=1) >= 60
    np.testing.assert_allclose(ours.expected.sum(axis=1)[large], ours.seen.sum(axis=1)[large], rtol=0.02)
    assert [check.name for check in assess_recovery(recovery, book).checks] == [
        check.name for check in assess_recovery(plain, book).checks
    ]


def test_a_model_of_ones_own_takes_the_place_of_all_strata(by_sex: tuple[ClaimBook, Recovery, Recovery]) -> None:
    """The move is then there once, for every claim."""
    book, recovery, _ = by_sex
    given = recovery.with_transition("off_work", "back_at_work", _Steady(), book)
    mine = [move for move in given.fitted if (move.origin, move.target) == ("off_work", "back_at_work")]
    assert len(mine) == 1
    assert mine[0].stratum is None
    assert mine[0].events == sum(
        move.events for move in recovery.fitted if (move.origin, move.target) == ("off_work", "back_at_work")
    )
    clocks = (np.zeros(len(book)), np.zeros(len(book)))
    collected = all_exits(mine, given.design.matrix(book.claims), clocks, np.array([[50.0]]))
    np.testing.assert_allclose(collected, 0.5, rtol=1e-3)


class _Steady:
    """One exit in a hundred days, whoever the claim."""

    def cumulative_hazard(self, claims: pd.DataFrame, days: Floats) -> Floats:
        """Return the hazard, a row a claim."""
        return np.tile(days / 100.0, (len(claims), 1))
