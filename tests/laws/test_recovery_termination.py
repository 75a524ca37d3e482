"""Laws of termination rates: doubling, order, additivity, and smoothing between a cell's own rate and its parent's."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves.recovery.curves.graduation import graduated_rates
from msk_reserves.recovery.path.termination import TerminationRates, termination_rates
from tests.worlds.recovery import recovery_book


def table(seed: int, n: int = 400) -> pd.DataFrame:
    """Stays of three strata, some entered late, some known to the week."""
    rng = np.random.default_rng(seed)
    days = np.ceil(rng.exponential(60, n) / 7) * 7
    stratum = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    weekly = rng.random(n) < 0.5
    frame = pd.DataFrame({"days": days, "exited": (rng.random(n) < 0.8).astype(int), "stratum": stratum})
    frame["interval"] = np.where(weekly, 7.0, 0.0)
    frame["entry"] = np.where(rng.random(n) < 0.3, 3.0, 0.0)
    return frame


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_doubled_weights_are_doubled_stays_in_any_order(seed: int) -> None:
    """Weight two on every stay gives the table of the file written twice, shuffled."""
    frame = table(seed)
    twice = pd.concat([frame, frame]).sample(frac=1.0, random_state=seed)
    one = termination_rates(frame.assign(weight=2.0), by="stratum")
    two = termination_rates(twice, by="stratum")
    np.testing.assert_allclose(one.exits, two.exits, atol=1e-6)
    np.testing.assert_allclose(one.exposure, two.exposure, rtol=1e-6)
    np.testing.assert_allclose(one.smoothed, two.smoothed, rtol=1e-4)


def test_strata_add_up_where_exits_are_known_to_the_day() -> None:
    """Exits and days of the strata sum to those of all stays together; days do not depend on the unit of rates."""
    frame = table(1).drop(columns="interval")
    apart, together = termination_rates(frame, by="stratum"), termination_rates(frame)
    np.testing.assert_allclose(apart.exits.sum(axis=0), together.exits[0])
    np.testing.assert_allclose(apart.exposure.sum(axis=0), together.exposure[0])
    weekly, yearly = (termination_rates(frame, period=name).to_frame() for name in ("week", "year"))
    np.testing.assert_allclose(yearly["rate"], weekly["rate"] * 365.25 / 7, rtol=1e-12)


def test_smoothed_rates_lie_between_parent_and_own() -> None:
    """With much exposure the smoothed rates are the raw ones; with strata alike they are the parent's."""
    exits, days = np.array([9_000.0, 4_000.0, 7_000.0, 1_000.0]) * 1e3, np.full(4, 1e8)
    rates, credibility = graduated_rates(exits, days)
    np.testing.assert_allclose(rates, exits / days, rtol=0.01)
    assert (credibility > 0.98).all()
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"days": rng.exponential(50, 3_000), "exited": 1, "stratum": rng.choice(list("abcd"), 3_000)})
    found = termination_rates(frame, by="stratum", cuts=[7, 28, 91])
    spread = np.ptp(found.smoothed, axis=0) / found.smoothed.mean(axis=0)
    assert (spread < 0.5 * np.ptp(found.rates, axis=0) / found.rates.mean(axis=0)).all()


def test_a_book_and_its_moves() -> None:
    """Exits to each state sum to exits to any, with the exposure unchanged; missing values are a stratum."""
    book = recovery_book(600, 3)
    every = termination_rates(book)
    parts = [termination_rates(book, to=name) for name in ("back_at_work", ["mmi", "dead"])]
    np.testing.assert_allclose(sum(one.exits for one in parts), every.exits)
    np.testing.assert_allclose(parts[0].exposure, every.exposure)
    assert float(every.to_frame()["from_day"].iloc[0]) == 0.0
    assert "off_work to any state" in repr(every)
    assert "<table" in every._repr_html_()


BOOK = recovery_book(200, 3)


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda: termination_rates(BOOK, cuts=[7.0, 7.0]), "`cuts` must rise"),
        (lambda: termination_rates(BOOK, period="fortnight"), "`period` must be"),
        (lambda: termination_rates(BOOK, by="industry"), "there is no 'industry'"),
        (lambda: termination_rates(BOOK, "asleep"), "`state` must be"),
        (lambda: termination_rates(BOOK, "permanent_total"), "none has been in"),
        (lambda: termination_rates(BOOK, to="settled"), "none ended so"),
        (lambda: termination_rates(BOOK, level=95.0), "`level` must lie"),
        (lambda: termination_rates(table(1), to="mmi"), "go with a book"),
        (lambda: termination_rates(table(1)[["days"]]), "must have the column 'exited'"),
    ],
)
def test_bad_questions_are_refused(ask: Callable[[], TerminationRates], match: str) -> None:
    """Each refusal names the argument."""
    with pytest.raises(ValueError, match=match):
        ask()
