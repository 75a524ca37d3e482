"""What a fit assumes where stays cannot tell may be given: it moves the answer, and is printed with its source."""

import numpy as np
import pandas as pd
import pytest

from msk_reserves.claims.states import StateSpace
from msk_reserves.cost.life_table import LifeTable, life_table
from msk_reserves.recovery.path.late import LateRates
from msk_reserves.recovery.path.model import Recovery, fit_path
from msk_reserves.recovery.path.mortality import AT_FORTY, GROWTH, Mortality, mortality_of

SPACE = StateSpace(
    ("away", "working", "rated", "dead"),
    off_work=("away",),
    working=("working",),
    lifelong=("rated", "dead"),
    deaths=("dead",),
)


def workers() -> pd.DataFrame:
    """Return workers who come back within 100 days or are rated at 300, half of them away again within a year."""
    rows: list[tuple[object, ...]] = []
    for number in range(160):
        name, back = f"W{number:03d}", 1.0 + number % 100
        if number % 8 == 0:
            rows += [(name, "away", 0.0, 300.0, "rated", 40.0), (name, "rated", 300.0, 900.0, None, 40.0)]
            continue
        relapse = back + 5.0 + 2.0 * number if number % 2 else None
        rows.append((name, "away", 0.0, back, "working", 40.0))
        rows.append((name, "working", back, relapse or 900.0, "away" if relapse else None, 40.0))
        if relapse:
            rows.append((name, "away", relapse, 900.0, None, 40.0))
    return pd.DataFrame(rows, columns=["claim_id", "state", "start", "stop", "next_state", "age"])


def fitted(late_rates: LateRates | None = None, mortality: Mortality | None = None) -> Recovery:
    """Fit rates by piece."""
    return fit_path(
        workers(), space=SPACE, covariates=[], candidates=("piecewise",), late_rates=late_rates, mortality=mortality
    )


def late(recovery: Recovery, origin: str, target: str) -> float:
    """Return the hazard of a move collected from the third to the ninth year."""
    (move,) = [one for one in recovery.point().transitions_from(origin) if one.target == target]
    location, none = move.location(np.zeros((2, 4)))[:, 0], np.zeros(2, dtype=np.int64)
    ends = move.cumulative_hazard(np.array([1_096.0, 3_287.0]), location, none)
    return float(ends[1] - ends[0])


@pytest.mark.parametrize(
    ("doubling", "move", "other"),
    [
        (0, ("working", "away"), ("away", "working")),
        (1, ("away", "working"), ("working", "away")),
    ],
)
def test_the_more_remains_of_late_rates_the_more_happens_late(
    doubling: int, move: tuple[str, str], other: tuple[str, str]
) -> None:
    """Relapses by year and returns by doubling, each by its own figure alone; the default is a half."""
    figures = {part: (0.5, part) if doubling else (part, 0.5) for part in (0.2, 0.5, 0.9)}
    recovery = {part: fitted(LateRates(*both)) for part, both in figures.items()}
    hazards = [late(one, *move) for one in recovery.values()]
    assert hazards[0] < 0.7 * hazards[1]
    assert hazards[1] < 0.7 * hazards[2]
    np.testing.assert_allclose([late(one, *other) for one in recovery.values()], late(fitted(), *other), rtol=1e-12)
    assert late(recovery[0.5], *move) == late(fitted(), *move)


def gompertz(factor: float = 1.0, last: int = 119) -> LifeTable:
    """Return the default law as a life table of whole ages, so many times as deadly."""
    force = factor * AT_FORTY * np.exp(GROWTH * (np.arange(last + 1) + 0.5 - 40.0))
    return LifeTable(0, -np.expm1(-force), -np.expm1(-force), "Gompertz's law")


def test_a_life_table_takes_the_place_of_the_population_s() -> None:
    """Gompertz's law as a table gives what the law does; a table twice as deadly gives twice the deaths."""
    aged = pd.DataFrame({"age": [25.0, 40.0, 61.5, np.nan]})
    law, table = mortality_of(aged), mortality_of(aged, gompertz())
    assert law is not None
    assert table is not None
    # A year's mean hazard is that of its middle to 1 part in 24 of .095 squared.
    np.testing.assert_allclose(table, law, rtol=1e-3)
    rates = [late(fitted(mortality=one), "rated", "dead") for one in (None, gompertz(2.0))]
    # Of two prior deaths and none seen in a few hundred days.
    assert 1.8 * rates[0] < rates[1] < 2.0 * rates[0]


def test_a_life_table_is_asked_by_sex() -> None:
    """Men, women and those of unknown sex, by the Social Security Administration's table of 2017."""
    aged = pd.DataFrame({"age": [50.0] * 3, "sex": pd.array(["M", "F", pd.NA], dtype="string")})
    deaths = mortality_of(aged, life_table())
    alive = life_table().survival(50.0, ["male", "female", ""], 10.0)
    assert deaths is not None
    np.testing.assert_allclose(np.exp(-3_652.5 * deaths), alive, rtol=1e-12)
    assert deaths[0] > deaths[2] > deaths[1]


def test_a_life_table_that_ends_too_soon_is_refused() -> None:
    """Nobody of forty lives ten years by a table that ends at 45."""
    with pytest.raises(ValueError, match="`mortality` must reach 10 years beyond the oldest worker; nobody of age 40"):
        fitted(mortality=gompertz(last=45))


def test_what_is_assumed_is_printed_with_whose_it_is() -> None:
    """Defaults say that they are judgements, figures of the user's that they are given, or whatever source is named."""
    assert "fall to 50% a year" in repr(fitted())
    assert "(judgement: the hazard of reopening halves yearly" in repr(fitted())
    assert "population mortality, 0.2% a year at 40" in repr(fitted())
    own = fitted(LateRates(by_year=0.8), life_table().scaled(1.5))
    assert "fall to 80% a year; those of return to work to 50%" in repr(own)
    assert "being off work, stay (given by the user)." in repr(own)
    a_year = -np.log(life_table().scaled(1.5).survival(40.0, "", 10.0)) / 10.0
    assert f"a life table, {a_year:.2%} a year of these workers on average over 10 years" in repr(own)
    assert "(given by the user: period life table 2017" in repr(own)
    assert LateRates(by_year=0.8, source="our own runoff").assumption().source == "our own runoff"
    assert [one.name for one in own.assumptions] == [
        "late rates of moves between states",
        "deaths in states that go on for life",
    ]
    without = fit_path(workers().drop(columns="age"), space=SPACE, covariates=[], candidates=("piecewise",))
    assert [one.name for one in without.assumptions] == ["late rates of moves between states"]


@pytest.mark.parametrize("wrong", [0.0, -0.5, 1.5, np.nan, "half"])
def test_parts_that_remain_lie_between_nothing_and_all(wrong: float) -> None:
    """Nothing cannot remain of a rate that is drawn to it, and a rate does not rise."""
    with pytest.raises(ValueError, match=r"`by_doubling` must (lie above 0|be a finite number)"):
        LateRates(by_doubling=wrong)


def test_other_things_in_their_place_are_refused() -> None:
    """A bare number and a bare table are told what to be."""
    fit: object = fit_path
    assert callable(fit)
    with pytest.raises(TypeError, match=r"`late_rates` must be a `LateRates`, as LateRates\(by_year=0.7\), got 0.7"):
        fit(workers(), space=SPACE, late_rates=0.7)
    with pytest.raises(TypeError, match=r"`mortality` must be a life table, as `life_table\(\)`, got \[0\.01\]"):
        fit(workers(), space=SPACE, mortality=[0.01])
