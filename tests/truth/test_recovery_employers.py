"""Employers' factors are found again from truncated stays, with honest intervals and few false alarms."""

import numpy as np
import pytest
from scipy import stats

from msk_reserves.recovery.path.model import Recovery, fit_path
from tests.worlds.employers import SPACE, employers_stays

COVARIATES = "illness + heavy"


def fitted(n: int, claims: int, variance: float, seed: int, week: float = 0.0, frailty: str = "auto") -> Recovery:
    """Fit a world of employers."""
    table, _ = employers_stays(n, claims, variance, seed, week=week)
    return fit_path(table, space=SPACE, covariates=COVARIATES, candidates=("weibull", "piecewise"), frailty=frailty)


@pytest.mark.parametrize("week", [0.0, 7.0])
def test_variance_factors_and_effects_come_back(week: float) -> None:
    """200 employers of 15 claims, variance .4, first days unseen, to the day or the week.

    ln variance and the effect of illness on two moves lie within 4.5 standard errors (false alarm 1e-5 each); the 90 %
    intervals of the factors hold the truth as often as chance allows (1e-4); where these fail the fit is wrong.
    """
    table, factor = employers_stays(200, 15, 0.4, 11, week=week)
    laws = ("weibull", "piecewise")
    recovery = fit_path(table, space=SPACE, covariates=COVARIATES, candidates=laws, frailty="employer")
    frailty = recovery.frailty
    assert frailty is not None
    assert abs(np.log(frailty.variance.theta / 0.4)) < 4.5 * frailty.variance.log_error
    assert frailty.variance.log_error < 0.25
    assert frailty.variance.p_value < 1e-20
    frame = frailty.to_frame().set_index("employer").sort_index()
    truth = factor[[int(name[1:]) for name in frame.index]]
    hits = int(((frame["low"] <= truth) & (frame["high"] >= truth)).sum())
    low, high = stats.binom.ppf([5e-5, 1 - 5e-5], len(truth), 0.9)
    assert low <= hits <= high, hits
    assert np.corrcoef(np.log(truth), np.log(frame["factor"]))[0, 1] > 0.85
    for target in ("back", "light"):
        (one,) = [one for one in recovery.transitions["off", target].candidates if one.fit.family == "piecewise"]
        place = one.fit.names.index("illness")
        assert abs(one.fit.theta[place] + 0.3) < 4.5 * one.fit.standard_error[place]


def test_without_the_factor_the_effects_shrink() -> None:
    """A hazard ratio that ignores the factor is drawn toward one; given the factor it is right (false alarm 1e-5)."""
    table, _ = employers_stays(100, 60, 0.8, 3)
    both = [
        fit_path(table, space=SPACE, covariates=COVARIATES, candidates=("piecewise",), frailty=frailty)
        for frailty in (None, "employer")
    ]
    fits = [one.transitions["off", "back"].candidates[0].fit for one in both]
    place = fits[0].names.index("heavy")
    assert fits[0].theta[place] > fits[1].theta[place] + fits[1].standard_error[place]
    assert abs(fits[1].theta[place] + 0.4) < 4.5 * fits[1].standard_error[place]


def test_false_alarms_are_as_rare_as_stated() -> None:
    """Twelve worlds without a factor: "auto" takes one in at most three (false alarm of this test .2 %)."""
    taken = [fitted(40, 10, 0.0, seed).frailty is not None for seed in range(12)]
    assert sum(taken) <= stats.binom.ppf(0.998, 12, 0.05)
