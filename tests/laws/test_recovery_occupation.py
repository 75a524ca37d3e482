"""Laws of state occupation: whatever the histories, and what is refused."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import msk_reserves as msk
from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.spells import Spells
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE, STILL_IN_STATE
from msk_reserves.recovery.curves import occupation_error
from msk_reserves.recovery.curves.curves import StateOccupation
from msk_reserves.recovery.curves.nonparametric import aalen_johansen, kaplan_meier
from msk_reserves.recovery.curves.occupation import clocked, occupation_of_book, state_occupation
from msk_reserves.recovery.path.stay_curves import exit_shares, stay_curve

FEW = settings(max_examples=25, deadline=None)
NAMES = np.array(["back", "duty", "off", "settled"])
VARIANCES = ("infinitesimal_jackknife", "delta", "aalen")


@dataclass(frozen=True)
class Rows:
    """Columns of `state_occupation`."""

    claim: Integers
    start: Floats
    stop: Floats
    origin: Integers
    target: Integers
    weights: Floats

    def estimate(self, **options: object) -> StateOccupation:
        """State occupation of these rows."""
        moved = np.where(self.target < 0, "", NAMES[self.target])
        call: Callable[..., StateOccupation] = state_occupation
        return call(
            self.claim,
            self.start,
            self.stop,
            NAMES[self.origin],
            moved,
            states=tuple(NAMES),
            **{"weights": self.weights, **options},
        )

    def take(self, rows: Integers) -> "Rows":
        """Some of the rows, in this order."""
        return Rows(
            self.claim[rows],
            self.start[rows],
            self.stop[rows],
            self.origin[rows],
            self.target[rows],
            self.weights[rows],
        )


def histories(seed: int, n: int) -> Rows:
    """Random claims that move among three states and settle, some entering late, some not seen for a while."""
    rng = np.random.default_rng(seed)
    rows = []
    for claim in range(n):
        day, state = (0.0, 2) if claim < 3 else (float(rng.integers(0, 6)), int(rng.integers(0, 3)))
        weight = float(rng.integers(1, 4))
        while day < 30 and state != 3:
            end = day + float(rng.integers(1, 9))
            target = int(rng.choice([other for other in (-1, 0, 1, 2, 3) if other != state]))
            rows.append((claim, day, end, state, target, weight))
            if target < 0:
                if rng.random() < 0.6:
                    break
                end, target = end + float(rng.integers(1, 4)), int(rng.integers(0, 3))
            day, state = end, target
    claims, starts, stops, origins, targets, weights = (np.array(column) for column in zip(*rows, strict=True))
    return Rows(claims, starts, stops, origins, targets, weights)


@FEW
@given(seed=st.integers(0, 10_000), n=st.integers(4, 30))
def test_shares_are_shares(seed: int, n: int) -> None:
    """On every day the shares lie in [0, 1] and sum to one, their covariances sum to zero, mean days to the span."""
    for variance in VARIANCES:
        shares = histories(seed, n).estimate(variance=variance)
        assert (shares.occupation >= 0).all()
        np.testing.assert_allclose(shares.occupation.sum(axis=1), 1.0, rtol=1e-12)
        np.testing.assert_allclose(shares.covariance.sum(axis=2), 0.0, atol=1e-12)
        np.testing.assert_allclose(shares.mean_days.sum(), shares.horizon - shares.start, rtol=1e-12)
        np.testing.assert_allclose(shares.mean_days_covariance.sum(axis=1), 0.0, atol=1e-9)
        assert (np.linalg.eigvalsh(shares.covariance) > -1e-10).all()


@FEW
@given(seed=st.integers(0, 10_000), n=st.integers(4, 30))
def test_weights_repeat_claims_and_order_does_not_matter(seed: int, n: int) -> None:
    """Whole weights give the shares, delta and Poisson errors of claims written out; shuffled rows give the same."""
    rows = histories(seed, n)
    times = rows.weights.astype(np.int64)
    out = rows.take(np.repeat(np.arange(len(times)), times))
    copy = np.concatenate([np.arange(k) for k in times])
    long = replace(out, claim=out.claim * 10 + copy, weights=np.ones(len(copy)))
    mixed = rows.take(np.random.default_rng(seed).permutation(len(times)))
    for variance in ("delta", "aalen"):
        once, often = rows.estimate(variance=variance), long.estimate(variance=variance)
        np.testing.assert_allclose(once.occupation, often.occupation, rtol=1e-10, atol=1e-13)
        np.testing.assert_allclose(once.covariance, often.covariance, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(once.mean_days_covariance, often.mean_days_covariance, rtol=1e-8, atol=1e-10)
    once, again = rows.estimate(), mixed.estimate()
    np.testing.assert_allclose(once.covariance, again.covariance, rtol=1e-9, atol=1e-13)


@FEW
@given(seed=st.integers(0, 10_000), n=st.integers(4, 30))
def test_the_unit_of_time_does_not_matter(seed: int, n: int) -> None:
    """Days in years give the same shares and errors, and mean times in years."""
    rows = histories(seed, n)
    days = rows.estimate()
    years = replace(rows, start=rows.start / 365.25, stop=rows.stop / 365.25).estimate()
    np.testing.assert_allclose(years.occupation, days.occupation, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(years.covariance, days.covariance, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(years.mean_days * 365.25, days.mean_days, rtol=1e-8)
    np.testing.assert_allclose(years.mean_days_covariance * 365.25**2, days.mean_days_covariance, rtol=1e-7, atol=1e-9)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(4, 12), given_state=st.booleans())
def test_jackknife_is_the_derivative_in_the_weights(seed: int, n: int, given_state: object) -> None:
    """The covariances are sums of squared derivatives in each claim's weight, here by differences."""
    rows = histories(seed, n)
    initial = "off" if given_state else None
    shares = rows.estimate(initial=initial)
    total, of_days = np.zeros_like(shares.covariance), np.zeros((4, 4))
    for claim in range(n):
        mine = rows.claim == claim
        step = 1e-5
        up, down = (
            replace(rows, weights=rows.weights * np.where(mine, 1 + sign * step, 1.0)).estimate(initial=initial)
            for sign in (1, -1)
        )
        pull = (up.occupation - down.occupation) / (2 * step)
        total += pull[:, :, None] * pull[:, None, :]
        pull_days = (up.mean_days - down.mean_days) / (2 * step)
        of_days += np.outer(pull_days, pull_days)
    np.testing.assert_allclose(shares.covariance, total, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(shares.mean_days_covariance, of_days, rtol=1e-5, atol=1e-7)


@FEW
@given(seed=st.integers(0, 10_000), n=st.integers(6, 60))
def test_competing_exits_are_a_special_case(seed: int, n: int) -> None:
    """One stay a claim gives `aalen_johansen`: shares, jackknife and delta errors; survival is `kaplan_meier`."""
    rng = np.random.default_rng(seed)
    days = rng.integers(1, 40, n).astype(np.float64)
    entry = np.floor(days * rng.random(n) * rng.integers(0, 2, n))
    days[:2], entry[:2] = 60.0, 0.0
    cause = rng.integers(0, 3, n)
    cause[:4] = (0, 0, 1, 2)
    weights = rng.integers(1, 4, n).astype(np.float64)
    rows = Rows(np.arange(n), entry, days, np.full(n, 2), np.array([-1, 0, 3])[cause], weights)
    for variance in ("infinitesimal_jackknife", "delta"):
        shares = rows.estimate(variance=variance)
        curves = aalen_johansen(days, cause, entry=entry, weights=weights, variance=variance)
        np.testing.assert_allclose(shares.occupation[:, [0, 3]].T, curves.incidence, rtol=1e-10, atol=1e-14)
        error = shares.standard_error[:, [0, 3]].T
        np.testing.assert_allclose(error, curves.standard_error, rtol=1e-6, atol=1e-9)
    alone = kaplan_meier(days, cause > 0, entry=entry, weights=weights, variance="infinitesimal_jackknife")
    shares = rows.estimate()
    np.testing.assert_allclose(shares.occupation[:, 2], alone.survival, rtol=1e-10)
    np.testing.assert_allclose(shares.standard_error[:, 2], alone.standard_error, rtol=1e-6, atol=1e-9)


def test_mean_time_of_two_states_is_the_restricted_mean() -> None:
    """Off work and back: mean days off work and their delta error are the restricted mean and Greenwood's."""
    rng = np.random.default_rng(4)
    days, exited = rng.integers(1, 60, 80).astype(np.float64), rng.random(80) < 0.7
    days[0], exited[0] = 70.0, False
    rows = Rows(np.arange(80), np.zeros(80), days, np.full(80, 2), np.where(exited, 0, -1), np.ones(80))
    shares = rows.estimate(variance="delta", horizon=45)
    mean, error = kaplan_meier(days, exited).restricted_mean(45)
    np.testing.assert_allclose(shares.mean_time_together("off"), [mean, error], rtol=1e-10)
    np.testing.assert_allclose(shares.mean_time_together(["off", "back"]), [45.0, 0.0], atol=1e-6)


@FEW
@given(seed=st.integers(0, 10_000), n=st.integers(6, 30))
def test_a_later_start_from_its_own_shares_goes_on_the_same_way(seed: int, n: int) -> None:
    """P(0, t) = P(0, s) P(s, t): from the shares estimated for day s, the estimate goes on as it would have."""
    rows = histories(seed, n)
    whole = rows.estimate(initial="off")
    middle = dict(zip(whole.states, whole(8.0).tolist(), strict=True))
    later = rows.estimate(initial=middle, start_time=8.0)
    days = np.arange(8.0, later.horizon + 1)
    np.testing.assert_allclose(later(days), whole(days), rtol=1e-9, atol=1e-12)


def test_a_landmark_keeps_those_seen_then() -> None:
    """At day 5 the landmark estimate is that of the claims then under observation, in the state asked for."""
    rows = histories(11, 40)
    seen = (rows.start <= 5) & (rows.stop > 5)
    for initial, chosen in ((None, seen), ("off", seen & (rows.origin == 2))):
        kept = rows.take(np.flatnonzero(np.isin(rows.claim, rows.claim[chosen])))
        ours = rows.estimate(start_time=5, landmark=True, initial=initial)
        alone = kept.estimate(start_time=5, initial=initial)
        np.testing.assert_allclose(ours.occupation, alone.occupation, rtol=1e-12)
        assert ours.n_claims == len(np.unique(rows.claim[chosen]))
    assert rows.estimate(start_time=5, landmark=True, initial="off")(5.0).tolist() == [0, 0, 1, 0]


def test_the_stays_of_a_book_lie_end_to_end() -> None:
    """Stays begin on the first day off work; entry and half days are respected, what cannot be followed is left out."""
    names = ["at_work", "off_work", "back_at_work", "relapse", "off_work", "modified_duty", "off_work", "back_at_work"]
    spells = Spells(
        claim=np.array([0, 0, 0, 0, 1, 1, 2, 2]),
        state=np.array([STATE_CODE[name] for name in names]),
        entered=np.array([90, 100, 130, 160, 50, 50, 10, 12]),
        days=np.array([10.0, 30, 30, 5, 0.5, 20, 2, 90]),
        next_state=np.array([1, 5, 2, STILL_IN_STATE, 4, STILL_IN_STATE, 5, STILL_IN_STATE]),
        observed_from=np.array([0.0, 3, 0, 0, 0, 0, 3, 0]),
        interval=np.zeros(8),
        days_off_before=np.zeros(8),
        operated=np.zeros(8, dtype=np.bool_),
    )
    rows = clocked(spells)
    assert occupation_of_book(spells).left_out == 1
    assert rows.start.tolist() == [3, 30, 60, 0, 0.5]
    assert rows.stop.tolist() == [30, 60, 65, 0.5, 20]
    assert rows.claim.tolist() == [0, 0, 0, 1, 1]


def test_a_book_is_followed_from_the_first_day_off_work() -> None:
    """On a shipped sample: all are off work at first, shares sum to one, and few are off work after a year."""
    book = msk.load_sample("shoulder").as_of("2022-06-30")
    shares = occupation_of_book(book, horizon=364)
    off = [name for name in OFF_WORK_STATES if name in shares.states]
    assert shares(shares.start)[[shares.states.index(name) for name in off]].sum() == pytest.approx(1.0)
    np.testing.assert_allclose(shares.occupation.sum(axis=1), 1.0, rtol=1e-9)
    assert 0 < float(shares.together(off)["share"].iloc[-1]) < 0.4
    assert "back_at_work" in repr(shares)
    assert "<table" in shares._repr_html_()  # the notebook's own hook
    table = shares.mean_time()
    assert ((table["low"] <= table["days"]) & (table["days"] <= table["high"])).all()
    assert np.isnan(shares(365.0)).all()
    assert not shares.occupation.flags.writeable


def test_curves_of_the_stays_of_a_book() -> None:
    """Shares by next state and the curve of all exits add to one; the curve of one of several exits is refused."""
    book = msk.load_sample("shoulder").as_of("2022-06-30")
    curve, shares = stay_curve(book), exit_shares(book)
    np.testing.assert_allclose(shares.incidence.sum(axis=0) + curve.survival, 1.0, rtol=1e-12)
    assert set(shares.labels) > {"after_surgery", "modified_duty", "back_at_work"}
    assert not any(name.endswith("_represented") for name in shares.labels)
    np.testing.assert_array_equal(
        shares.at([50.0], "modified_duty"), shares.at([50.0], STATE_CODE["modified_duty"] + 1)
    )
    assert "modified_duty 0." in repr(shares)
    assert f"beyond day {curve.start:g})" in repr(curve)
    # An attorney splits a stay in two rows; joined again, the stays give the same curve.
    whole = book.spells.joined()
    rows = whole.at_risk("off_work")
    rows = rows[whole.days[rows] > whole.observed_from[rows]]
    ended = whole.next_state[rows] != STILL_IN_STATE
    again = kaplan_meier(whole.days[rows], ended, entry=whole.observed_from[rows], start="auto")
    np.testing.assert_allclose(curve.survival, again.survival, rtol=1e-12)
    with pytest.raises(ValueError, match=r"one of several ends of off_work .* `exit_shares\(book, 'off_work'\)`"):
        stay_curve(book, target="back_at_work")
    with pytest.raises(ValueError, match="`state` must be one of"):
        stay_curve(book, "nowhere")


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"stop": [4, 4, 9]}, {}, "`stop` must lie after `start`; row 1"),
        ({"start": [-1, 4, 0]}, {}, "`start` must not be negative"),
        (
            {"start": [0, 3, 0]},
            {},
            "`claim` 'a' must be in one state at a time: it is off to day 4 and back from day 3",
        ),
        ({"from_state": ["off", "duty", "off"]}, {}, "must go on in the state it moved to"),
        ({"from_state": ["off", None, "off"]}, {}, "`from_state` must name a state; row 1"),
        ({"stop": [4, 9]}, {}, "`claim` must have one entry a row"),
        ({"weights": [1, -1, 1]}, {}, "`weights` must not be negative"),
        ({}, {"states": ["off"]}, "`states` must hold every state of the rows; back"),
        ({}, {"initial": "gone"}, "`initial` must be one of back, off"),
        ({}, {"initial": {"off": 0.5}}, "`initial` must sum to 1, got 0.5"),
        ({}, {"horizon": 10}, "not beyond the last day under observation, 9; got 10"),
        ({}, {"variance": "robust"}, "`variance` must be one of infinitesimal_jackknife, delta, aalen"),
        ({}, {"start_time": 6, "initial": "off", "landmark": True, "horizon": 8}, None),
        ({}, {"start_time": 6, "initial": "duty", "landmark": True}, "`initial` must be one of"),
    ],
)
def test_malformed_histories_are_refused(
    change: dict[str, object], options: dict[str, object], message: str | None
) -> None:
    """Each defect has its sentence."""
    columns: dict[str, object] = {
        "claim": ["a", "a", "b"],
        "start": [0, 4, 0],
        "stop": [4, 9, 9],
        "from_state": ["off", "back", "off"],
        "to_state": ["back", "", None],
    }
    call: Callable[..., StateOccupation] = state_occupation
    if message is None:
        assert call(**columns, **options).n_claims == 1
        return
    with pytest.raises(ValueError, match=message):
        call(**{**columns, **change}, **options)


def test_too_large_a_table_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the jackknife would take more memory than it may, the way out is named; the delta errors are free of it."""
    rows = histories(2, 20)
    monkeypatch.setattr(occupation_error, "LARGEST_TABLE", 1_000)
    with pytest.raises(ValueError, match="or use `variance='delta'`"):
        rows.estimate()
    assert rows.estimate(variance="delta").n_claims == 20


def test_a_start_without_anybody_is_refused() -> None:
    """A day between two claims' observation has no shares to start from; with shares given it has."""
    columns = (["a", "b"], [0, 6], [4, 9], ["off", "off"], ["back", "back"])
    with pytest.raises(ValueError, match=r"on day 5 there is nobody\. Give `initial`, or a day such as 6"):
        state_occupation(*columns, start_time=5)
    assert state_occupation(*columns, start_time=5, initial="off").initial.tolist() == [0, 1]
