"""Laws of the nonparametric estimators: whatever the data, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves._checks import Floats, Integers
from msk_reserves.recovery.curves.nonparametric import aalen_johansen, kaplan_meier, nelson_aalen
from msk_reserves.recovery.curves.occupation import state_occupation

JACKKNIFE = "infinitesimal_jackknife"
QUICK = settings(max_examples=60, deadline=None)


def sample(seed: int, n: int, *, whole: bool) -> tuple[Floats, Integers, Floats, Floats]:
    """Days, cause, entry and weight of random stays, the first two of which are at risk throughout."""
    rng = np.random.default_rng(seed)
    days = rng.integers(1, 40, n).astype(np.float64) if whole else rng.exponential(20, n) + 0.1
    entry = np.floor(days * rng.random(n) * rng.integers(0, 2, n))
    entry = np.where(entry < days, entry, 0.0)
    days[:2], entry[:2] = max(60.0, float(days.max()) + 1), 0.0
    cause = rng.integers(0, 3, n)
    cause[:2] = 0
    cause[2:4] = (1, 2)
    return days, cause, entry, rng.integers(1, 4, n).astype(np.float64)


def brute_force(days: Floats, cause: Integers, entry: Floats, weights: Floats) -> tuple[list[float], list[float]]:
    """Survival and incidence of cause 1 by looking at everyone at every time."""
    survival, incidence = [1.0], [0.0]
    for time in sorted(set(days[cause > 0].tolist())):
        at_risk = sum(w for t, e, w in zip(days, entry, weights, strict=True) if e < time <= t)
        gone = sum(w for t, c, w in zip(days, cause, weights, strict=True) if t == time and c > 0)
        back = sum(w for t, c, w in zip(days, cause, weights, strict=True) if t == time and c == 1)
        incidence.append(incidence[-1] + survival[-1] * back / at_risk)
        survival.append(survival[-1] * (1 - gone / at_risk))
    return survival[1:], incidence[1:]


@QUICK
@given(seed=st.integers(0, 10_000), n=st.integers(6, 60), whole=st.booleans())
def test_estimators_agree_with_brute_force(seed: int, n: int, whole: object) -> None:
    """Counting by index or by sorting gives what a walk over all stays gives."""
    stays = sample(seed, n, whole=bool(whole))
    days, cause, entry, weights = stays
    curves = aalen_johansen(days, cause, entry=entry, weights=weights)
    survival, incidence = brute_force(*stays)
    np.testing.assert_allclose(curves.survival, survival, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(curves.at(curves.times, 1), incidence, rtol=1e-12, atol=1e-15)
    alone = kaplan_meier(days, cause > 0, entry=entry, weights=weights)
    np.testing.assert_allclose(alone.survival, survival, rtol=1e-12, atol=1e-15)


@QUICK
@given(seed=st.integers(0, 10_000), n=st.integers(6, 60))
def test_shares_add_to_one(seed: int, n: int) -> None:
    """Survival and the shares gone by each cause sum to one; survival never rises, shares never fall."""
    days, cause, entry, weights = sample(seed, n, whole=True)
    curves = aalen_johansen(days, cause, entry=entry, weights=weights)
    np.testing.assert_allclose(curves.survival + curves.incidence.sum(axis=0), 1.0, rtol=1e-12)
    assert (np.diff(curves.survival) <= 0).all()
    assert (np.diff(curves.incidence, axis=1) >= 0).all()


@QUICK
@given(seed=st.integers(0, 10_000), n=st.integers(6, 40))
def test_weights_are_repeated_stays(seed: int, n: int) -> None:
    """Whole weights give the estimates, Greenwood and delta errors of the stays written out."""
    days, cause, entry, weights = sample(seed, n, whole=True)
    times = weights.astype(np.int64)
    once = aalen_johansen(days, cause, entry=entry, weights=weights)
    out = aalen_johansen(np.repeat(days, times), np.repeat(cause, times), entry=np.repeat(entry, times))
    np.testing.assert_allclose(once.incidence, out.incidence, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(once.standard_error, out.standard_error, rtol=1e-9, atol=1e-12)
    curve = kaplan_meier(days, cause > 0, entry=entry, weights=weights)
    long = kaplan_meier(np.repeat(days, times), np.repeat(cause > 0, times), entry=np.repeat(entry, times))
    np.testing.assert_allclose(curve.standard_error, long.standard_error, rtol=1e-9)


@QUICK
@given(seed=st.integers(0, 10_000), n=st.integers(6, 40))
def test_order_and_unit_do_not_matter(seed: int, n: int) -> None:
    """Shuffled stays give the same curve; days in years give the same survival at times divided by 365.25."""
    days, cause, entry, weights = sample(seed, n, whole=True)
    curve = kaplan_meier(days, cause > 0, entry=entry, weights=weights)
    order = np.random.default_rng(seed + 1).permutation(n)
    mixed = kaplan_meier(days[order], cause[order] > 0, entry=entry[order], weights=weights[order])
    np.testing.assert_allclose(mixed.survival, curve.survival, rtol=1e-12)
    years = kaplan_meier(days / 365.25, cause > 0, entry=entry / 365.25, weights=weights)
    np.testing.assert_allclose(years.times, curve.times / 365.25, rtol=1e-12)
    np.testing.assert_allclose(years.survival, curve.survival, rtol=1e-12)


@QUICK
@given(seed=st.integers(0, 10_000), n=st.integers(8, 30))
def test_jackknife_is_the_derivative_in_the_weights(seed: int, n: int) -> None:
    """The error is the root sum of squared derivatives of the share in each stay's weight, here by differences."""
    days, cause, entry, weights = sample(seed, n, whole=True)
    curves = aalen_johansen(days, cause, entry=entry, weights=weights, variance=JACKKNIFE)
    total = np.zeros_like(curves.incidence)
    for row in range(n):
        step = 1e-4 * np.eye(n)[row]
        up, down = (
            aalen_johansen(days, cause, entry=entry, weights=moved, variance=JACKKNIFE).incidence
            for moved in (weights + step, weights - step)
        )
        total += (weights[row] * (up - down) / 2e-4) ** 2
    np.testing.assert_allclose(curves.standard_error, np.sqrt(total), rtol=1e-5, atol=1e-7)


def test_jackknife_of_survival_equals_greenwood_without_entry() -> None:
    """Without entry and weights the two errors of a survival curve are the same number."""
    rng = np.random.default_rng(3)
    days, exited = rng.integers(1, 50, 200), rng.random(200) < 0.7
    days[:1], exited[:1] = 60, False
    greenwood = kaplan_meier(days, exited).standard_error
    jackknife = kaplan_meier(days, exited, variance="infinitesimal_jackknife").standard_error
    np.testing.assert_allclose(jackknife, greenwood, rtol=1e-9)


def test_an_early_collapse_is_refused_and_a_start_cures_it() -> None:
    """When the few at risk first all leave, the curve would stay at zero: refused by day, answered from a start."""
    rng = np.random.default_rng(5)
    days = np.concatenate([[5.0], 20 + rng.integers(1, 40, 60)])
    entry = np.concatenate([[0.0], np.full(60, 10.0)])
    exited = np.ones(61, dtype=bool)
    with pytest.raises(ValueError, match="`entry` leaves 1 at risk on day 5"):
        kaplan_meier(days, exited, entry=entry)
    curve = kaplan_meier(days, exited, entry=entry, start="auto")
    assert curve.start == 10.0  # nobody was watched between day 5 and day 10
    assert np.isnan(curve(8.0))
    assert curve(10.0) == 1.0
    np.testing.assert_allclose(curve.survival, kaplan_meier(days[1:], exited[1:]).survival, rtol=1e-12)


def test_several_causes_are_sent_to_the_right_estimator() -> None:
    """Codes of more than one cause are refused with the estimator that takes them."""
    with pytest.raises(ValueError, match=r"use `aalen_johansen\(days, cause\)`"):
        kaplan_meier([1, 2, 3], [1, 2, 0])
    with pytest.raises(ValueError, match=r"use `aalen_johansen\(days, cause\)`"):
        nelson_aalen([1, 2, 3], [1, 2, 0])


@pytest.mark.parametrize(
    ("days", "exited", "options", "message"),
    [
        ([1, 2], [0, 0], {}, "`exited` must hold at least one exit"),
        ([1, 2], [1], {}, "one entry a stay"),
        ([1, -2], [1, 0], {}, "`days` must not be negative"),
        ([1, 2], [1, 0], {"entry": [1, 0]}, "`days` must lie after `entry`"),
        ([1, 2], [1, 0], {"weights": [1, -1]}, "`weights` must not be negative"),
        ([1, 2], [1, 0], {"weights": [1, np.nan]}, "`weights` must be finite"),
        ([1, 2], [1, 0], {"start": "early"}, "`start` must be one of auto"),
        ([1, 2], [1, 0], {"start": "auto"}, "needs a day with 10 at risk"),
        ([1, 2], [1, 0], {"variance": "robust"}, "`variance` must be one of"),
        ([[1, 2]], [1, 0], {}, "1 dimension"),
        ([1, 2], [1, 0], {"weights": [1, 0.5]}, "not whole are no counts of stays: give `variance='infinitesimal_jac"),
    ],
)
def test_malformed_stays_are_refused(days: object, exited: object, options: dict[str, object], message: str) -> None:
    """Each defect has its sentence."""
    call: object = kaplan_meier
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call(days, exited, **options)


def test_curves_do_not_speak_beyond_their_data() -> None:
    """A horizon beyond the last day seen is refused; the curve is NaN there."""
    curve = kaplan_meier([2, 4, 6], [1, 1, 0])
    with pytest.raises(ValueError, match="`horizon` must not lie beyond the last day seen, 6"):
        curve.restricted_mean(7)
    assert np.isnan(curve(6.5))
    assert curve.restricted_mean(6)[0] == pytest.approx(2 + 2 * 2 / 3 + 2 / 3)
    with pytest.raises(ValueError, match="`cause` must be one of 1, 2"):
        aalen_johansen([1, 2], [1, 2]).at(1, 3)
    with pytest.raises(ValueError, match="whole codes"):
        aalen_johansen([1, 2], [1.5, 2])


def test_errors_of_propensity_weights_are_the_jackknife_s_or_none() -> None:
    """Weights that are no counts leave shares as they are, and no error that takes them for repeated stays."""
    days, cause, entry, weights = sample(5, 40, whole=True)
    half = 0.5 * weights
    one, other = (kaplan_meier(days, cause > 0, entry=entry, weights=w, variance=JACKKNIFE) for w in (weights, half))
    np.testing.assert_allclose(other.survival, one.survival, rtol=1e-12)
    np.testing.assert_allclose(other.standard_error, one.standard_error, rtol=1e-9)
    mean, error = other.restricted_mean(30)
    assert mean == pytest.approx(kaplan_meier(days, cause > 0, entry=entry, weights=weights).restricted_mean(30)[0])
    assert np.isnan(error)
    assert np.isnan(nelson_aalen(days, cause > 0, weights=half).standard_error).all()
    assert np.isfinite(nelson_aalen(days, cause > 0, weights=half).hazard).all()
    with pytest.raises(ValueError, match="no counts of stays: give `variance='infinitesimal_jackknife'`"):
        aalen_johansen(days, cause, weights=half)
    with pytest.raises(ValueError, match="no counts of stays: give `variance='infinitesimal_jackknife'`"):
        state_occupation(range(40), entry, days, ["off"] * 40, [""] * 40, weights=half, variance="delta")


def test_tables_show_themselves() -> None:
    """Every curve has a sentence, a frame and an HTML table."""
    curve, rates = kaplan_meier([2, 4, 6], [1, 1, 0]), nelson_aalen([2, 4, 6], [1, 1, 0])
    curves = aalen_johansen([2, 4, 6], [1, 2, 0])
    assert "median 4 days" in repr(curve)
    assert list(curve.to_frame()["at_risk"]) == [3, 2]
    assert "cause 1 0.3333" in repr(curves)
    assert "incidence_2" in curves.to_frame()
    for one in (curve, rates, curves):
        assert "<table" in one._repr_html_()  # the notebook's own hook
        assert not one.times.flags.writeable


@QUICK
@given(seed=st.integers(0, 10_000), n=st.integers(8, 60), whole=st.booleans())
def test_jackknife_is_the_sum_over_stays(seed: int, n: int, whole: object) -> None:
    """The cumulated moments give what adding the squares stay by stay and time by time gives."""
    days, cause, entry, weights = sample(seed, n, whole=bool(whole))
    curves = aalen_johansen(days, cause, entry=entry, weights=weights, variance="infinitesimal_jackknife")
    y, left = curves.at_risk, curves.exits.sum(axis=0)
    before = np.concatenate([[1.0], curves.survival[:-1]])
    total = np.zeros_like(curves.incidence)
    for stay in range(n):
        log_survival = 0.0
        pull = np.zeros(len(curves.causes))
        for place, time in enumerate(curves.times):
            at_risk = float(entry[stay] < time <= days[stay])
            moved = float(days[stay] == time) * (cause[stay] == np.array(curves.causes))
            rate = curves.exits[:, place] / y[place]
            pull += before[place] * (log_survival * rate + (moved - at_risk * rate) / y[place])
            if left[place] < y[place]:
                log_survival -= (moved.sum() - at_risk * left[place] / y[place]) / (y[place] - left[place])
            total[:, place] += (weights[stay] * pull) ** 2
    np.testing.assert_allclose(curves.standard_error, np.sqrt(total), rtol=1e-7, atol=1e-10)


def test_days_that_nobody_was_watched_on_are_refused() -> None:
    """A curve cannot be carried over days on which nobody was at risk: refused by day, answered from a start."""
    days, exited, entry = [3.0, 4.0, 20.0, 25.0], [1, 0, 1, 0], [0.0, 0.0, 10.0, 10.0]
    with pytest.raises(ValueError, match=r"nobody at risk after day 4, .* `start=10`"):
        kaplan_meier(days, exited, entry=entry)
    curve = kaplan_meier(days, exited, entry=entry, start=10)
    assert curve.survival.tolist() == [0.5]
    assert curve.restricted_mean(25)[0] == pytest.approx(10 + 5 / 2)


def test_a_curve_begins_where_somebody_is_first_watched() -> None:
    """After a waiting period the curve is given that the stay lasted as long; what lies before is not claimed."""
    curve = kaplan_meier([5, 9, 12], [1, 1, 0], entry=[3, 3, 7])
    assert curve.start == 3.0
    assert np.isnan(curve(2.0))
    assert curve(3.0) == 1.0
    assert kaplan_meier([5, 9, 12], [1, 1, 0], entry=[3, 0, 7]).start == 0.0
