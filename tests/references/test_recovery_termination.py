"""Termination rates against published piecewise fits, Poisson regression and a hand-made table."""

import numpy as np
import pandas as pd
import statsmodels.api as sm
from lifelines import datasets

from msk_reserves.recovery.path.termination import termination_rates

YEAR = 365.25
# Six significant digits are printed.
PRINTED_ATOL = 5e-7
# Iteratively reweighted least squares stops at a relative change of the deviance of 1e-8; rates agree to its root.
REGRESSION_RTOL = 1e-6


def gbsg() -> pd.DataFrame:
    """The German breast cancer study as stays in years, with a made delayed entry."""
    data = datasets.load_gbsg2()
    years = data["time"].to_numpy(dtype=np.float64) / YEAR
    entry = np.where(np.arange(len(years)) % 3 == 0, 0.4 * years, 0.0)
    return pd.DataFrame({"days": years, "exited": data["cens"], "entry": entry, "horTh": data["horTh"]})


def test_gbsg_by_year() -> None:
    """Exits, years at risk, rates and log-likelihood by cuts at 1, 2, 3 and 5 years (R survival's pyears, flexsurv)."""
    found = termination_rates(gbsg().drop(columns="entry"), cuts=[1, 2, 3, 5])
    assert found.exits.tolist() == [[56, 109, 59, 61, 14]]
    years = [651.886379, 529.082820, 385.955510, 455.485284, 89.568104]
    np.testing.assert_allclose(found.exposure[0], years, atol=PRINTED_ATOL)
    rates = [0.0859045, 0.2060169, 0.1528674, 0.1339231, 0.1563056]
    np.testing.assert_allclose(found.rates[0], rates, atol=PRINTED_ATOL)
    np.testing.assert_allclose(found.loglik(), -868.0869, atol=5e-5)


def test_lung_by_quarter_and_year() -> None:
    """Whole days at risk and deaths by cuts at 91, 182, 364 and 728: `pyears` with `tcut` (R 4.2.2, survival 3.5-3)."""
    data = datasets.load_lung()
    stays = pd.DataFrame({"days": data["time"].astype(float), "exited": data["status"]})
    found = termination_rates(stays, cuts=[91, 182, 364, 728])
    assert found.exits.tolist() == [[27, 39, 55, 38, 6]]
    assert found.exposure.tolist() == [[19_549, 16_643, 19_400, 12_542, 1_459]]


def test_rates_are_those_of_a_poisson_regression() -> None:
    """With delayed entry and strata: exits of stays split at the cuts on band x stratum, log link, offset ln days.

    The stays are split here one band at a time, and the regression is statsmodels' on 2,400 rows, not on the table.
    """
    stays, parts = gbsg(), []
    for start, end in ((0, 1), (1, 2), (2, 3), (3, 5), (5, np.inf)):
        at_risk = np.minimum(stays["days"], end) - np.maximum(stays["entry"], start)
        exited = (stays["exited"] == 1) & (stays["days"] > start) & (stays["days"] <= end)
        part = pd.DataFrame(
            {"at_risk": at_risk, "exited": exited.astype(float), "cell": stays["horTh"] + f"{start:.1f}"}
        )
        parts.append(part[at_risk > 0])
    rows = pd.concat(parts)
    cells = pd.get_dummies(rows["cell"]).astype(float)
    model = sm.GLM(rows["exited"], cells, family=sm.families.Poisson(), offset=np.log(rows["at_risk"]))
    fitted = model.fit(tol=1e-12)
    frame = termination_rates(stays, by="horTh", cuts=[1, 2, 3, 5], period="day").to_frame()
    by_cell = fitted.params[frame["horTh"] + frame["from_day"].astype(str)].to_numpy()
    np.testing.assert_allclose(frame["rate"], np.exp(by_cell), rtol=REGRESSION_RTOL)


def test_interval_of_three_exits() -> None:
    """Garwood's limits of a count of 3 at 95 %: .618672 and 8.767273 (Garwood 1936, table; chi-square tables / 2)."""
    table = pd.DataFrame({"days": [10.0] * 5, "exited": [1, 1, 1, 0, 0]})
    low, high = termination_rates(table, cuts=[20.0]).interval()
    np.testing.assert_allclose([low[0, 0] * 50, high[0, 0] * 50], [0.618672, 8.767273], atol=PRINTED_ATOL * 2)
    assert low[0, 1] == 0
    assert np.isinf(high[0, 1])


def test_windows_by_hand() -> None:
    """Six at risk, two leave in each of two weeks, windows of a week: rates ln(6/4)/7 and ln(4/2)/7 a day.

    The likelihood of windows is a product of binomial ones, so that survival is 4/6 and 2/4 exactly.
    """
    table = pd.DataFrame(
        {"days": [7.0, 7, 14, 14, 14, 14], "exited": [1, 1, 1, 1, 0, 0], "interval": [7.0, 7, 7, 7, 0, 0]}
    )
    found = termination_rates(table, cuts=[7.0, 14.0])
    np.testing.assert_allclose(found.rates[0, :2], [np.log(6 / 4) / 7, np.log(4 / 2) / 7], rtol=1e-7)
