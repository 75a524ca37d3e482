"""Published programme results as hazards, days, odds and dollars: closed forms worked out beside the code."""

import numpy as np
import pytest

import msk_reserves as msk
from msk_reserves.certainty.implied import (
    exact_interval,
    explained_by_engagement,
    hazard_ratio,
    odds_ratio,
    passing_share,
    restricted_days,
    saving_of_closing,
    share_gone,
    time_ratio,
)
from msk_reserves.certainty.vendor_claims import RatePrior, transferred

RETURN = msk.vendor_claims()["return_after_surgery"]
USUAL = (0.55, 0.585, 0.62)


def test_hazard_ratios_of_ninety_per_cent_back() -> None:
    """Ln 0.10 / ln(1 - p0): 2.88, 2.62 and 2.38 at 55, 58.5 and 62 %; 2.65 at 58 %."""
    assert [round(hazard_ratio(p, RETURN.value), 2) for p in USUAL] == [2.88, 2.62, 2.38]
    assert hazard_ratio(0.58, 0.90) == pytest.approx(2.654, abs=1e-3)
    assert share_gone(0.585, hazard_ratio(0.585, 0.90)) == pytest.approx(0.90)


@pytest.mark.parametrize(
    ("family", "shape", "most", "least"),
    [
        ("weibull", 0.7, 4.54, 3.45),
        ("weibull", 1.0, 2.88, 2.38),
        ("weibull", 1.3, 2.26, 1.95),
        ("weibull", 1.5, 2.03, 1.78),
        ("weibull", 2.0, 1.70, 1.54),
        ("loglogistic", 1.5, 3.79, 3.12),
        ("loglogistic", 2.0, 2.71, 2.35),
        ("loglogistic", 2.5, 2.22, 1.98),
        ("loglogistic", 3.0, 1.95, 1.77),
        ("lognormal", 0.6, 2.00, 1.80),
        ("lognormal", 0.8, 2.52, 2.18),
        ("lognormal", 1.0, 3.18, 2.65),
    ],
)
def test_how_much_faster_by_family(family: str, shape: float, most: float, least: float) -> None:
    """Days divided by HR^(1/k), OR^(1/beta) with OR 7.36 to 5.52, exp(sigma dz) with dz 1.156 to 0.976.

    Held against hand figures of two decimals, so that the last may be off by one.
    """
    assert 1 / time_ratio(0.55, 0.90, family, shape) == pytest.approx(most, abs=0.0101)
    assert 1 / time_ratio(0.62, 0.90, family, shape) == pytest.approx(least, abs=0.0101)


def test_time_ratios_of_a_lognormal() -> None:
    """58 to 90 %: 0.42, 0.34 and 0.26 at sigma 0.8, 1 and 1.26; odds ratios 7.36, 6.38 and 5.52."""
    assert [round(time_ratio(0.58, 0.90, "lognormal", s), 2) for s in (0.8, 1.0, 1.26)] == [0.42, 0.34, 0.26]
    assert [round(odds_ratio(p, 0.90), 2) for p in USUAL] == [7.36, 6.38, 5.52]


@pytest.mark.parametrize(
    ("family", "shape", "before", "after"),
    [
        ("weibull", 1.0, 201, 79),
        ("weibull", 1.5, 179, 95),
        ("weibull", 2.0, 173, 107),
        ("loglogistic", 2.0, 210, 91),
        ("loglogistic", 3.0, 193, 106),
    ],
)
def test_days_up_to_two_years(family: str, shape: float, before: int, after: int) -> None:
    """Mean days to 730 that have 58.5 and 90 % gone by day 182.5; for k = 1 it is (1 - exp(-730 r)) / r by hand.

    Hand figures are whole days; one may be off by rounding.
    """
    assert restricted_days(0.585, 182.5, family, shape) == pytest.approx(before, abs=1.0)
    assert restricted_days(0.90, 182.5, family, shape) == pytest.approx(after, abs=1.0)


def test_one_day_does_not_tell_the_days_saved() -> None:
    """Over the shapes of the table (k and beta 1 to 3) the days saved lie between 66 and 122: by a factor of two."""
    found = msk.implied_effects(0.585, 0.90)["days saved"]
    among = [found[("weibull", k)] for k in (1.0, 1.5, 2.0)] + [found[("loglogistic", b)] for b in (2.0, 3.0)]
    assert min(among) == pytest.approx(66, abs=1.0)
    assert max(among) == pytest.approx(122, abs=1.0)


@pytest.mark.parametrize(
    ("n", "low", "high", "least", "most"),
    [
        (30, 0.735, 0.979, 1.51, 4.39),
        (50, 0.782, 0.967, 1.73, 3.87),
        (100, 0.824, 0.951, 1.97, 3.43),
        (200, 0.850, 0.938, 2.16, 3.16),
        (400, 0.866, 0.928, 2.29, 2.99),
    ],
)
def test_sampling_error_that_is_not_published(n: int, low: float, high: float, least: float, most: float) -> None:
    """Exact 95 % limits of 90 % of n claims, and the hazard ratios from 58.5 % at them.

    Tolerances are half of the last digit of the hand figures, and what that makes in the hazard ratio.
    """
    edges = exact_interval(0.90, n)
    assert edges == pytest.approx((low, high), abs=6e-4)
    assert [hazard_ratio(0.585, edge) for edge in edges] == pytest.approx([least, most], abs=0.03)


def test_attorneys_by_hand() -> None:
    """6 % against 35 to 40 %: risk ratios 0.171 to 0.150, odds ratios 0.119 to 0.096, differences 0.29 to 0.34.

    Times the causal 7,700 to 12,400 dollars (WCRI 2024): 2,233 to 4,216 dollars a claim.
    """
    claim = msk.vendor_claims()["attorney"]
    usual = (claim.usual_low, claim.usual_high)
    assert [round(claim.value / p, 3) for p in usual] == [0.171, 0.150]
    assert [round(odds_ratio(p, claim.value), 3) for p in usual] == [0.119, 0.096]
    fewer = [p - claim.value for p in usual]
    assert [round(fewer[0] * 7_700), round(fewer[1] * 12_400)] == [2_233, 4_216]


def test_engagement_is_on_the_way_to_return() -> None:
    """0.90 = p + 0.946 d and 0.585 = p + 0.215 d: engaged 0.923, others 0.49; odds ratios 117 to 41."""
    engaged, others = explained_by_engagement(0.585, 0.90, 0.215, 0.946)
    assert engaged == pytest.approx(0.923, abs=5e-4)
    assert others == pytest.approx(0.492, abs=5e-4)
    assert [round(odds_ratio(p, 0.946)) for p in (0.13, 0.30)] == [117, 41]
    with pytest.raises(ValueError, match="`engaged_programme` must be above `engaged_usual`"):
        explained_by_engagement(0.5, 0.9, 0.9, 0.5)


def test_twice_the_points_is_not_twice_the_patients() -> None:
    """Normal changes of sd 20: of means 10.5, 16, 21 and 26 points 49, 60, 69.5 and 78 % gain 10.8 or more.

    15.9 or more 39, 50, 60 and 69 %. Closing the shoulder's gap of 67 % saves 40.1 %, a quarter 10.0, half 20.1 %.
    """
    means = (10.5, 16.0, 21.0, 26.0)
    assert [passing_share(m, 20.0, 10.8) for m in means] == pytest.approx([0.49, 0.60, 0.695, 0.78], abs=0.006)
    assert [passing_share(m, 20.0, 15.9) for m in means] == pytest.approx([0.39, 0.50, 0.60, 0.69], abs=0.006)
    gap = msk.vendor_claims()["shoulder_gap"].value
    assert [round(saving_of_closing(gap, c), 3) for c in (1.0, 0.25, 0.5)] == [0.401, 0.1, 0.201]


def test_e_values() -> None:
    """RR + sqrt(RR (RR - 1)): 3.9 to 7.263 and 1.8 to 3.0 (VanderWeele and Ding 2017); 0.10 / 0.42 to 7.87."""
    assert msk.e_value(3.9) == pytest.approx(7.263, abs=5e-4)
    assert msk.e_value(1.8) == pytest.approx(3.0)
    assert msk.e_value(0.10 / 0.42) == pytest.approx(7.87, abs=5e-3)
    assert msk.e_value(1 / 3.9) == pytest.approx(msk.e_value(3.9))


def test_a_claim_of_unknown_number_counts_as_twenty_five() -> None:
    """Beta(22.5, 2.5); with 58 of 100 of one's own it is (22.5 + 58) / 125 = 0.644, with 580 of 1,000 0.588."""
    prior = RETURN.prior()
    assert (prior.successes, prior.failures) == pytest.approx((22.5, 2.5))
    assert prior.updated(successes=58, trials=100).mean == pytest.approx(0.644)
    assert prior.updated(successes=580, trials=1_000).mean == pytest.approx(602.5 / 1_025)
    drawn = prior.draw(4_000, seed=3)
    # The standard deviation of a beta (22.5, 2.5) is 0.0588: four errors of the mean of 4,000.
    assert drawn.mean() == pytest.approx(0.9, abs=4 * 0.0588 / np.sqrt(4_000))


def test_half_of_the_logarithm_is_kept_at_most_by_default() -> None:
    """Of a hazard ratio of 2.62 half the logarithm is 1.62; nothing is 1, all is the ratio itself."""
    assert float(transferred(2.62)) == pytest.approx(np.sqrt(2.62))
    assert float(transferred(2.62, 0.0)) == 1.0
    assert float(transferred(2.62, 1.0)) == pytest.approx(2.62)


def test_every_claim_has_its_provenance() -> None:
    """Clock, population, source, status, what is borne out and what is not: all are said, and no number is made up."""
    frame = msk.vendor_claims().to_frame()
    assert len(frame) == len(msk.vendor_claims()) == 8
    words = ["statement", "clock", "population", "source", "status", "supported", "not_supported", "use"]
    assert (frame[words].apply(lambda column: column.str.len()) > 3).all(axis=None)
    assert frame["n"].notna().sum() == 1
    assert "n not stated" in str(RETURN)
    with pytest.raises(KeyError, match="no vendor claim 'cure'"):
        _ = msk.vendor_claims()["cure"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (msk.vendor_claims()["fragmentation"].prior, "is a ratio, not a probability"),
        (lambda: RETURN.prior(weight=100), "`weight` must be at most 25"),
        (lambda: RETURN.prior(weight=0).interval(), "give it a weight or data"),
        (lambda: RatePrior(1, 1).updated(successes=3, trials=2), "`successes` must not exceed"),
        (lambda: time_ratio(0.5, 0.9, "gamma", 1.0), "`family` must be one of"),
        (lambda: hazard_ratio(0.5, 1.0), "`programme` must lie strictly between"),
        (lambda: transferred(2.0, 1.5), "`transfer` must lie in"),
    ],
)
def test_what_cannot_be_said_is_refused(call: object, message: str) -> None:
    """A scale is no probability, and a claim may not outweigh data."""
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call()
