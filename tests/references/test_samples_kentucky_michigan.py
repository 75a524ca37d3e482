"""The mapping of the Kentucky and Michigan claims, held to figures that R computed from the same source.

R 4.2.2 with survival 3.5-3, `lm` and `glm`, on the data of Meyer, Viscusi and Durbin (1995): weeks of benefits with 182
as censoring, age in tens of years, upper extremity as the base body part, complete cases. Each figure is recomputed
here by lifelines or statsmodels from the mapped columns, so that a wrong column, unit or category shows.
"""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from lifelines import CoxPHFitter, KaplanMeierFitter

from msk_reserves.claims.tables import ClaimTables
from msk_reserves.samples.kentucky_michigan import kentucky_michigan_claims, load_kentucky_michigan, musculoskeletal

# R prints ten digits; the fits converge to about seven.
FIT_RTOL = 2e-5
SURVIVAL_RTOL = 1e-8
# The source ships its logs of weeks in single precision, and R used those.
LOG_RTOL = 1e-6

BODIES = ["head", "neck", "trunk", "low_back", "lower_extremity", "occupational_disease", "other"]

COUNTS_AND_MEDIANS = {
    "head": (260, 3),
    "neck": (122, 5),
    "upper_extremity": (2111, 4),
    "trunk": (816, 6),
    "low_back": (1872, 4),
    "lower_extremity": (1656, 4),
    "occupational_disease": (77, 5),
    "other": (236, 5),
}

COX = {
    "age10": -0.07283267649,
    "male": 0.05044207097,
    "married": -0.05347755885,
    "logwage": -0.186293125,
    "hosp": -0.8595056094,
    "head": 0.4668530044,
    "neck": -0.2366630032,
    "trunk": 0.03560993092,
    "low_back": -0.07840718816,
    "lower_extremity": 0.05043566777,
    "occupational_disease": -0.4980733441,
    "other": -0.04446461517,
    "ky": 0.2004924694,
}

LOG_MEDICAL = {
    "const": 5.241005989,
    "hosp": 2.201171911,
    "age10": 0.05696654409,
    "male": 0.1404723305,
    "head": -0.07802382503,
    "neck": 0.2418473092,
    "trunk": -0.07132614567,
    "low_back": -0.01079154824,
    "lower_extremity": -0.1385041816,
    "occupational_disease": 0.3567444215,
    "other": 0.1101432367,
}

GAMMA_MEDICAL = {
    "const": 5.767852148,
    "hosp": 2.031505439,
    "age10": 0.09002112491,
    "male": 0.1251684057,
    "head": -0.02012454929,
    "neck": 0.2807148757,
    "trunk": 0.06033861731,
    "low_back": 0.03870787874,
    "lower_extremity": -0.1516864391,
    "occupational_disease": 0.6759301764,
    "other": 0.1022170286,
}


@pytest.fixture(scope="module")
def claims() -> pd.DataFrame:
    """The mapped claims."""
    return kentucky_michigan_claims()


@pytest.fixture(scope="module")
def tables() -> ClaimTables:
    """The same, checked by the reader."""
    return load_kentucky_michigan()


def covariates(claims: pd.DataFrame) -> pd.DataFrame:
    """Return the covariates of the reference fits from the mapped columns, NaN where missing."""
    columns = {
        "age10": claims["age"] / 10,
        "male": claims["sex"].map({"M": 1.0, "F": 0.0}),
        "married": claims["married"],
        "logwage": np.log(claims["weekly_wage"]),
        "hosp": claims["hospitalised"].astype(float),
        "ky": (claims["jurisdiction"] == "KY").astype(float),
        **{body: (claims["injury_type"] == body).astype(float) for body in BODIES},
    }
    return pd.DataFrame(columns)


def survival(claims: pd.DataFrame) -> KaplanMeierFitter:
    """Return the Kaplan-Meier fit in weeks."""
    return KaplanMeierFitter().fit(claims["days_off"] / 7, claims["returned"])


def test_counts_and_medians_by_body_part(claims: pd.DataFrame) -> None:
    """Every class has the source's count and R's median weeks."""
    found = {name: (len(group), survival(group).median_survival_time_) for name, group in claims.groupby("injury_type")}
    assert found == COUNTS_AND_MEDIANS


def test_survival_of_all_claims(claims: pd.DataFrame) -> None:
    """Kaplan-Meier at 1, 4, 13, 52 and 156 weeks is R's."""
    expected = [0.7699300699, 0.4544055944, 0.1293706294, 0.03076923077, 0.01454545455]
    found = survival(claims).survival_function_at_times([1, 4, 13, 52, 156]).to_numpy()
    np.testing.assert_allclose(found, expected, rtol=SURVIVAL_RTOL)
    assert int((claims["returned"] == 0).sum()) == 86


def test_the_reference_subset_of_4105_claims(claims: pd.DataFrame) -> None:
    """The reference calls neck, upper extremity and low back together musculoskeletal: 4,105 claims."""
    subset = claims[claims["body_part"].isin(["neck", "upper_extremity", "low_back"])]
    assert len(subset) == 4105
    found = survival(subset).survival_function_at_times([1, 4, 13, 52]).to_numpy()
    np.testing.assert_allclose(found, [0.7588306943, 0.4404384896, 0.1310596833, 0.03142509135], rtol=SURVIVAL_RTOL)


def test_cox_regression(claims: pd.DataFrame) -> None:
    """Cox coefficients with Efron ties are R's, on R's 6,822 complete cases (industry known too)."""
    frame = covariates(claims).assign(weeks=claims["days_off"] / 7, returned=claims["returned"])
    frame = frame[claims["industry"].notna()].dropna()
    assert len(frame) == 6822
    fit = CoxPHFitter().fit(frame, "weeks", "returned", fit_options={"precision": 1e-9})
    np.testing.assert_allclose(fit.params_[list(COX)].to_numpy(), list(COX.values()), rtol=FIT_RTOL)
    assert fit.log_likelihood_ == pytest.approx(-52534.54372, abs=1e-3)


def medical(claims: pd.DataFrame, below: float) -> pd.DataFrame:
    """Return covariates and positive medical below a bound, complete cases."""
    frame = covariates(claims)[[name for name in LOG_MEDICAL if name != "const"]].assign(paid=claims["medical_paid"])
    return sm.add_constant(frame[(frame["paid"] > 0) & (frame["paid"] < below)].dropna())


def test_regression_of_log_medical(claims: pd.DataFrame) -> None:
    """Least squares on the log of positive medical gives R's coefficients and residual deviation."""
    frame = medical(claims, np.inf)
    fit = sm.OLS(np.log(frame["paid"]), frame[list(LOG_MEDICAL)]).fit()
    assert len(frame) == 6924
    np.testing.assert_allclose(fit.params.to_numpy(), list(LOG_MEDICAL.values()), rtol=FIT_RTOL)
    assert np.sqrt(fit.scale) == pytest.approx(1.029527281, rel=FIT_RTOL)


def test_gamma_regression_of_medical(claims: pd.DataFrame) -> None:
    """A gamma model with log link on medical below 100,000 dollars gives R's coefficients and Pearson dispersion."""
    frame = medical(claims, 100_000)
    family = sm.families.Gamma(sm.families.links.Log())
    fit = sm.GLM(frame["paid"], frame[list(GAMMA_MEDICAL)], family=family).fit(tol=1e-12)
    assert len(frame) == 6920
    np.testing.assert_allclose(fit.params.to_numpy(), list(GAMMA_MEDICAL.values()), rtol=1e-4)
    assert fit.scale == pytest.approx(5.334828411, rel=1e-4)


def test_the_natural_experiment(claims: pd.DataFrame) -> None:
    """The published difference in differences of log duration in Kentucky and Michigan: 0.191 and 0.192."""
    for state, expected in (("KY", 0.1906012007), ("MI", 0.1919906326)):
        rows = claims[claims["jurisdiction"] == state]
        design = pd.DataFrame(
            {
                "const": 1.0,
                "after": rows["afchnge"],
                "high": rows["highearn"],
                "both": rows["afchnge"] * rows["highearn"],
            }
        )
        fit = sm.OLS(np.log(rows["days_off"] / 7), design).fit()
        assert fit.params["both"] == pytest.approx(expected, rel=LOG_RTOL)


def test_nothing_is_repaired(claims: pd.DataFrame) -> None:
    """Odd values stay as given: quarter weeks, zero medical, missing covariates, an age of 98."""
    assert (claims["days_off"] == 1.75).any()
    assert int((claims["medical_paid"] == 0).sum()) > 0
    assert claims["age"].max() == 98
    assert int(claims["age"].isna().sum()) == 4
    assert int(claims["sex"].isna().sum()) == 16
    assert int(claims["industry"].isna().sum()) == 25
    assert claims["claim_id"].iloc[[0, -1]].tolist() == ["KM-00001", "KM-07150"]


def test_the_reader_takes_all_of_it(tables: ClaimTables) -> None:
    """All 7,150 claims pass the library's own checks, undated, at summary depth, with medical and nothing else paid."""
    book = tables.as_of(None)
    assert (len(book), book.depth) == (7150, "summary")
    assert book.paid["medical"].sum() == pytest.approx(tables.claims["medical_paid"].sum())
    assert book.paid["indemnity"].isna().all()
    assert (book.claims["waiting_days"] == 7).all()
    assert (book.claims["retro_days"] == 14).all()


def test_the_musculoskeletal_view(tables: ClaimTables) -> None:
    """Head injuries and occupational diseases leave, are counted, and leave a book that still works."""
    view = musculoskeletal(tables)
    counts = {decision.rule: decision.count for decision in view.decisions if "left out" in decision.meaning}
    assert counts == {"head_injuries": 260, "occupational_diseases": 77}
    assert len(view.as_of(None)) == len(view.claims) == 7150 - 260 - 77
    with pytest.raises(ValueError, match="occupational_disease"):
        musculoskeletal(tables.claims.drop(columns="occupational_disease"))
