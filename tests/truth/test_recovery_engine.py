"""The futures that reserves are made of and the renewal equations give the same days off and chances of return."""

import numpy as np
import pandas as pd
import pytest

import msk_reserves as msk
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE
from msk_reserves.episodes.plan import make_plan
from msk_reserves.episodes.walk import walk
from msk_reserves.recovery.answers.remaining import remaining_days

DATE, HORIZON = pd.Timestamp("2023-06-30"), 1_820.0


@pytest.mark.parametrize(
    ("levels", "laws", "scenarios"),
    [
        ("", ("weibull", "lognormal"), 2_000),
        ("strata", ("weibull", "lognormal"), 600),
        ("shape", ("weibull", "lognormal", "gengamma"), 600),
        ("varying", ("rp1", "piecewise"), 600),
    ],
)
def test_simulated_futures_agree_with_the_equations(levels: str, laws: tuple[str, ...], scenarios: int) -> None:
    """Claims of every state off work, attorneys among them, in many futures, four or more under each parameter draw.

    Mean days off in the present spell and over all spells, and the chance of full duty within 26 weeks, within 4.5
    simulation errors given the draws, and 0.4 % for the grid: of some 40 comparisons a right one would fail with
    probability 0.0003. So too where men and women have laws or shapes of their own, or effects that
    change with time. The seed is fixed.
    """
    world = msk.generate_world(1_000, seed=5, accident_years=range(2019, 2025))
    tables = world.cut(DATE)
    book = msk.load_tables(tables["claims"], events=tables["events"], payments=tables["payments"]).as_of(DATE)
    strata = "sex" if levels == "strata" else None
    shape, varying = ("sex" if levels == name else () for name in ("shape", "varying"))
    recovery = msk.fit_recovery(book, covariates=("age",), candidates=laws, strata=strata, shape=shape, varying=varying)
    assert any(one.cells or one.stratum for one in recovery.fitted) == bool(levels)
    cost = msk.fit_cost(book, recovery)
    plan = make_plan(
        book, recovery, cost, scenarios=scenarios, seed=2, systemic=msk.SystemicRisk(), horizon_days=HORIZON
    )
    codes = [STATE_CODE[name] for name in OFF_WORK_STATES]
    rows = np.concatenate([np.flatnonzero(plan.state == code)[:3] for code in codes])
    assert len(np.unique(plan.state[rows])) >= 5
    sums = walk(plan.of(rows))
    names = [plan.claim_ids[row] for row in rows]
    draws = recovery.draw(plan.n_draws, 2)
    answers = remaining_days(recovery, book, claims=names, draws=draws, paths=4, horizon_days=HORIZON)
    for values, answer in (
        (sums.days_to_leave, "days_remaining_mean"),
        (sums.days_off, "days_off_all_spells_mean"),
        ((sums.day_back <= 182.0).astype(float), "probability_back_in_26_weeks"),
    ):
        by_draw = values.reshape(len(rows), plan.n_draws, plan.per_draw)
        error = np.sqrt(by_draw.var(axis=2, ddof=1).mean(axis=1) / scenarios)
        expected = answers.of(answer)
        assert (np.abs(values.mean(axis=1) - expected) < 4.5 * error + 0.004 * expected).all(), answer
