"""Laws of comparing groups: what must not matter, special cases, and what is refused."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from statsmodels.duration.survfunc import survdiff

from msk_reserves._checks import Floats, Integers
from msk_reserves.recovery.curves.comparison import log_rank_test, restricted_mean_difference
from msk_reserves.recovery.curves.gray import gray_test
from msk_reserves.recovery.curves.nonparametric import kaplan_meier

QUICK = settings(max_examples=40, deadline=None)


def sample(seed: int, n: int, groups: int) -> tuple[Floats, Integers, Integers, Floats]:
    """Days, cause, group and entry of random stays; each group has stays seen throughout and exits by both causes."""
    rng = np.random.default_rng(seed)
    days = rng.integers(1, 40, n).astype(np.float64)
    entry = np.floor(days * rng.random(n) * rng.integers(0, 2, n))
    cause, group = rng.integers(0, 3, n), np.arange(n) % groups
    first = np.arange(n) < 3 * groups
    entry[first] = 0.0
    days[:groups], cause[:groups] = 50.0, 0
    cause[groups : 2 * groups], cause[2 * groups : 3 * groups] = 1, 2
    return days, cause, group, entry


@QUICK
@given(
    seed=st.integers(0, 10_000), n=st.integers(12, 80), groups=st.integers(2, 4), rho=st.sampled_from([0.0, 0.5, 1.0])
)
def test_log_rank_equals_statsmodels(seed: int, n: int, groups: int, rho: float) -> None:
    """Without entry the statistic is that of statsmodels, in one stratum and in three."""
    days, cause, group, _ = sample(seed, n, groups)
    strata = np.random.default_rng(seed + 1).integers(0, 3, n)
    kind = {"weight_type": "fh", "fh_p": rho} if rho else {}
    for parts in (None, strata):
        try:
            with np.errstate(divide="ignore", invalid="ignore"):  # its logarithm of a curve that reaches zero
                theirs = survdiff(days, (cause > 0).astype(int), group, strata=parts, **kind)
        except np.linalg.LinAlgError:
            continue
        ours = log_rank_test(days, cause > 0, group, strata=parts, rho=rho)
        np.testing.assert_allclose([ours.statistic, ours.p_value], theirs, rtol=1e-8, atol=1e-9)


@QUICK
@given(seed=st.integers(0, 10_000), n=st.integers(12, 60), groups=st.integers(2, 4))
def test_what_does_not_matter(seed: int, n: int, groups: int) -> None:
    """Order, the names of groups and the unit of time change no statistic; observed and expected exits add up."""
    days, cause, group, entry = sample(seed, n, groups)
    rank = log_rank_test(days, cause > 0, group, entry=entry)
    gray = gray_test(days, cause, group, entry=entry)
    assert rank.observed.sum() == pytest.approx(rank.expected.sum())
    assert gray.scores.sum() == pytest.approx(0, abs=1e-9)
    order = np.random.default_rng(seed).permutation(n)
    names = np.array(["d", "b", "c", "a"])[group]
    again = log_rank_test(days[order] / 365.25, cause[order] > 0, names[order], entry=entry[order] / 365.25)
    np.testing.assert_allclose(again.statistic, rank.statistic, rtol=1e-8, atol=1e-9)
    again_gray = gray_test(days[order] / 365.25, cause[order], names[order], entry=entry[order] / 365.25)
    np.testing.assert_allclose(again_gray.statistic, gray.statistic, rtol=1e-8, atol=1e-9)


@QUICK
@given(seed=st.integers(0, 10_000), n=st.integers(12, 50))
def test_whole_weights_repeat_stays_and_strata_add_up(seed: int, n: int) -> None:
    """Weighted stays are stays written out; two copies of the data as strata double the statistic."""
    days, cause, group, entry = sample(seed, n, 2)
    times = np.random.default_rng(seed).integers(1, 4, n)
    once = log_rank_test(days, cause > 0, group, entry=entry, weights=times)
    long = [np.repeat(column, times) for column in (days, cause > 0, group, entry)]
    often = log_rank_test(*long[:3], entry=long[3])
    np.testing.assert_allclose(once.statistic, often.statistic, rtol=1e-8, atol=1e-9)
    twice = [np.tile(column, 2) for column in (days, cause, group, entry)]
    parts = np.repeat([0, 1], n)
    alone, both = (
        log_rank_test(columns[0], columns[1] > 0, columns[2], entry=columns[3], strata=strata).statistic
        for columns, strata in (((days, cause, group, entry), None), (twice, parts))
    )
    np.testing.assert_allclose(both, 2 * alone, rtol=1e-8, atol=1e-9)
    gray = gray_test(days, cause, group, entry=entry).statistic
    np.testing.assert_allclose(
        gray_test(*twice[:3], entry=twice[3], strata=parts).statistic, 2 * gray, rtol=1e-8, atol=1e-9
    )


@QUICK
@given(seed=st.integers(0, 10_000), n=st.integers(12, 50))
def test_robust_scores_are_derivatives_in_the_weights(seed: int, n: int) -> None:
    """A stay's robust score is what its weight adds to the score of the group, shares at risk held, by brute force."""
    days, cause, group, entry = sample(seed, n, 2)
    exited = cause > 0
    pull = np.zeros(n)
    for day in np.unique(days[exited]):
        at_risk = (entry < day) & (day <= days)
        left = exited & (days == day)
        apart = (group == 0) - at_risk[group == 0].sum() / at_risk.sum()
        pull += at_risk * apart * (left - left.sum() / at_risk.sum())
    ours = log_rank_test(days, exited, group, entry=entry, variance="robust")
    np.testing.assert_allclose(ours.statistic, pull.sum() ** 2 / (pull**2).sum(), rtol=1e-8, atol=1e-9)
    employer = np.arange(n) % 5
    sums = np.bincount(employer, pull)
    clustered = log_rank_test(days, exited, group, entry=entry, variance="robust", cluster=employer)
    np.testing.assert_allclose(clustered.statistic, pull.sum() ** 2 / (sums**2).sum(), rtol=1e-8, atol=1e-9)


def test_gray_without_competing_exits_is_close_to_the_log_rank_test() -> None:
    """With one cause and censoring alike in both groups the two tests ask the same and answer within 2 % here."""
    rng = np.random.default_rng(8)
    days, group = (
        np.ceil(rng.exponential(200, 4_000) * np.where(rng.random(4_000) < 0.5, 1.0, 1.1)),
        np.arange(4_000) % 2,
    )
    days = np.where(group == 1, np.ceil(days * 1.15), days)
    censor = rng.integers(50, 500, 4_000)
    seen, exited = np.minimum(days, censor), (days <= censor).astype(int)
    rank, gray = log_rank_test(seen, exited, group), gray_test(seen, exited, group)
    assert gray.statistic == pytest.approx(rank.statistic, rel=0.02)
    assert rank.statistic > 4


def test_a_difference_of_restricted_means_is_that_of_the_curves() -> None:
    """Means and errors come from each group's curve, from the day on which both are watched."""
    days, cause, group, entry = sample(3, 60, 3)
    compared = restricted_mean_difference(days, cause > 0, group, entry=entry, horizon=30)
    for place, name in enumerate(compared.groups):
        part = group == name
        curve = kaplan_meier(days[part], cause[part] > 0, entry=entry[part])
        mean, error = curve.restricted_mean(30)
        assert (compared.means[place], compared.standard_errors[place]) == (mean, error)
    table = compared.to_frame()
    np.testing.assert_allclose(table["high"] - table["low"], 2 * 1.959964 * table["standard_error"], rtol=1e-6)
    late = np.where(group == 1, np.maximum(entry, 4.0), entry)
    kept = days > late
    later = restricted_mean_difference(days[kept], (cause > 0)[kept], group[kept], entry=late[kept], horizon=30)
    assert later.start == 4.0
    part = kept & (group == 0)
    alone = kaplan_meier(days[part], (cause > 0)[part], entry=late[part], start=4.0)
    assert later.means[0] == pytest.approx(alone.restricted_mean(30)[0])


def test_tests_print_as_sentences() -> None:
    """Each result says what was compared, the statistic, its degrees of freedom and p."""
    days, cause, group, _ = sample(1, 40, 3)
    rank = log_rank_test(days, cause > 0, group, strata=np.arange(40) % 2)
    assert repr(rank).startswith("Log-rank test of 3 groups within 2 strata: chi-squared ")
    assert "on 2 degrees of freedom, p = " in repr(rank)
    assert list(rank.to_frame()) == ["group", "observed", "expected"]
    gray = gray_test(days, cause, np.where(group == 0, "bundle", "ffs"), of_cause=2)
    assert "share gone by cause 2: chi-squared" in repr(gray)
    assert "1 degree of freedom" in repr(gray)
    compared = restricted_mean_difference(days, cause > 0, group, horizon=30)
    assert "95 % confidence" in repr(compared)
    assert "<table" in compared._repr_html_()  # the notebook's own hook


@pytest.mark.parametrize(
    ("call", "arguments", "options", "message"),
    [
        (log_rank_test, ([1, 2], [1, 1], ["a", "a"]), {}, "`group` must name two groups or more, got a"),
        (log_rank_test, ([1, 2], [1, 1], ["a"]), {}, "`group` must have one entry a stay"),
        (log_rank_test, ([1, 2], [1, 2], ["a", "b"]), {}, r"use `aalen_johansen\(days, cause\)`"),
        (log_rank_test, ([1, 2], [1, 1], ["a", "b"]), {"weights": [1, 0.5]}, "give `variance='robust'`"),
        (log_rank_test, ([1, 2], [1, 1], ["a", "b"]), {"cluster": [1, 1]}, "`cluster` needs `variance='robust'`"),
        (log_rank_test, ([1, 2], [1, 1], ["a", "b"]), {"variance": "exact"}, "`variance` must be one of"),
        (log_rank_test, ([2, 2], [1, 0], [1.0, np.nan]), {}, "`group` must be known for every stay; row 1"),
        (log_rank_test, ([2, 2], [1, 0], ["a", None]), {}, "`group` must be known for every stay; row 1"),
        (log_rank_test, ([1, 9], [1, 0], ["a", "b"]), {"entry": [0, 5]}, "two groups at risk"),
        (gray_test, ([1, 2], [1, 2], ["a", "b"]), {"of_cause": 3}, r"somebody left \(1, 2\); got 3"),
        (gray_test, ([1, 2], [1, -2], ["a", "b"]), {}, "negative codes"),
        (
            gray_test,
            ([3, 9, 8, 9], [1, 1, 1, 0], ["a", "a", "b", "b"]),
            {"entry": [0, 4, 0, 0]},
            "group a that all left by day 3",
        ),
        (
            restricted_mean_difference,
            ([1, 2, 3], [1, 1, 0], ["a", "b", "b"]),
            {"horizon": 4},
            "beyond the last day seen",
        ),
        (restricted_mean_difference, ([1, 2], [1], ["a", "b"]), {"horizon": 1}, "`exited` must have one entry"),
        (
            restricted_mean_difference,
            ([1, 2], [1, 1], ["a", "b"]),
            {"horizon": 1, "weights": [1, 0.5]},
            r"not whole are no counts of stays: compare `state_occupation\(...\).mean_time\(\)` of the groups",
        ),
    ],
)
def test_what_cannot_be_compared_is_refused(
    call: Callable[..., object], arguments: tuple[object, ...], options: dict[str, object], message: str
) -> None:
    """Each defect has its sentence."""
    with pytest.raises(ValueError, match=message):
        call(*arguments, **options)
