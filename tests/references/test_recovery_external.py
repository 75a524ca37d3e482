"""A regression of lifelines in the place of a move, against the library's own fit of the same law."""

import warnings

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter, LogNormalAFTFitter, WeibullAFTFitter

import msk_reserves as msk
from msk_reserves._checks import Floats
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import STATE_CODE
from msk_reserves.episodes.plan import make_plan
from msk_reserves.episodes.walk import walk
from msk_reserves.recovery.path.draws import TransitionDraws
from msk_reserves.recovery.path.external import LifelinesRegression, from_lifelines
from msk_reserves.recovery.path.model import fit_recovery
from tests.worlds.recovery import recovery_book
from tests.worlds.valued import simple

OFF, BACK = "off_work", "back_at_work"
# Two optimisers stop where parameters agree to some 1e-4, and hazards between nodes 6 % apart are straight lines.
FIT_RTOL = 4e-3
# The same futures under estimates (lifelines) and under draws around them: a mean shifts by half their variance.
FORECAST_RTOL = 0.03


def regression(kind: type, book: ClaimBook, covariate: str) -> LifelinesRegression:
    """Fit a regression on one covariate to the stays off work of a book, as a lifelines user would."""
    stays = book.spells.state == STATE_CODE[OFF]
    back = book.spells.next_state[stays] == STATE_CODE[BACK]
    frame = pd.DataFrame({"days": book.spells.days[stays], "back": back.astype(int)})
    frame["entry"] = book.spells.observed_from[stays]
    frame[covariate] = book.claims[covariate].to_numpy()[book.spells.claim[stays]]
    frame = frame[frame["days"] > frame["entry"]]
    fitter = kind()
    with warnings.catch_warnings():
        # Its advice on convergence and its divisions are not what is tested.
        warnings.simplefilter("ignore")
        fitter.fit(frame, "days", "back", entry_col="entry", formula=covariate)
    found: LifelinesRegression = fitter
    return found


def collected(move: TransitionDraws, design: Floats, days: Floats) -> Floats:
    """Return cumulative hazards in the first draw, shape (n_claims, n_days)."""
    location, draw = move.location(design)[:, 0], np.zeros(len(design), dtype=np.int64)
    return np.column_stack([move.cumulative_hazard(np.full(len(design), day), location, draw) for day in days])


@pytest.mark.parametrize(("kind", "name"), [(WeibullAFTFitter, "weibull"), (LogNormalAFTFitter, "lognormal")])
def test_a_lifelines_regression_is_our_fit_of_the_same_law(kind: type, name: str) -> None:
    """Weibull and lognormal on age with delayed entry, exits to the day: the same hazard claim by claim."""
    book = recovery_book(800, 4)
    own = fit_recovery(book, covariates=["age"], candidates=(name,))
    ours, fit = own.transitions[OFF, BACK], own.transitions[OFF, BACK].candidates[0].fit
    assert fit.family == name
    law = TransitionDraws(OFF, BACK, ours.columns, (ours.law(fit, fit.theta[None, :]),), np.zeros(1, dtype=np.int64))
    recovery = own.with_transition(OFF, BACK, from_lifelines(regression(kind, book, "age")), book)
    theirs = next(one for one in recovery.point().transitions_from(OFF) if one.target == BACK)
    days = np.array([3.0, 10.0, 45.0, 200.0, 900.0, 3_000.0])
    found = collected(theirs, recovery.design.matrix(book.claims), days)
    np.testing.assert_allclose(found, collected(law, own.design.matrix(book.claims), days), rtol=FIT_RTOL)


def test_the_forecast_agrees() -> None:
    """Days until the worker leaves being off work, on the same futures: means by claim and in all agree."""
    book, _, cost = simple()
    own = fit_recovery(book, covariates=["age"], candidates=("weibull",))
    assert [one.fit.family for one in own.transitions[OFF, BACK].kept()] == ["weibull"]
    theirs = own.with_transition(OFF, BACK, from_lifelines(regression(WeibullAFTFitter, book, "age")), book)
    off = np.flatnonzero(book.position.state == STATE_CODE[OFF])[:60]
    means = []
    for recovery in (own, theirs):
        plan = make_plan(book, recovery, cost, scenarios=400, seed=3, systemic=msk.SystemicRisk())
        means.append(walk(plan.of(off)).days_to_leave.mean(axis=1))
    np.testing.assert_allclose(means[1].mean(), means[0].mean(), rtol=FORECAST_RTOL)
    np.testing.assert_allclose(means[1], means[0], rtol=4 * FORECAST_RTOL)


def test_a_cox_regression_ends_with_the_data() -> None:
    """Breslow's baseline is refused beyond the last day seen; held, its hazard goes on at its last rate."""
    book = recovery_book(500, 4)
    cox = regression(CoxPHFitter, book, "age")
    with pytest.raises(ValueError, match="where this Cox baseline ends"):
        from_lifelines(cox)
    model = from_lifelines(cox, extrapolate=True)
    last = model.held_from
    days = np.array([0.0, 0.75 * last, last, last + 0.25 * last, last + 0.5 * last])
    hazard = model.cumulative_hazard(book.claims.iloc[:5], days)
    step = hazard[:, 2] - hazard[:, 1]
    np.testing.assert_allclose(hazard[:, 3] - hazard[:, 2], step, rtol=1e-9)
    np.testing.assert_allclose(hazard[:, 4] - hazard[:, 3], step, rtol=1e-9)
    assert "held at its last rate" in repr(model)
    with pytest.raises(ValueError, match="fitted lifelines regression"):
        from_lifelines(WeibullAFTFitter())


def test_weeks_are_weeks() -> None:
    """A regression of weeks answers for days through `unit_days`."""
    book = recovery_book(400, 4)
    daily = regression(WeibullAFTFitter, book, "age")
    days = np.array([0.0, 7.0, 70.0])
    weekly = from_lifelines(daily, unit_days=7.0).cumulative_hazard(book.claims.iloc[:3], 7.0 * days)
    np.testing.assert_allclose(weekly, from_lifelines(daily).cumulative_hazard(book.claims.iloc[:3], days))
