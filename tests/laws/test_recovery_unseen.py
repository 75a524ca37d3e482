"""A settlement never seen from a state is possible: as in kindred states, at the level that none seen leaves."""

import numpy as np
import pandas as pd
import pytest

from msk_reserves.claims.states import StateSpace
from msk_reserves.recovery.path.model import Recovery, fit_path
from msk_reserves.recovery.path.thin import PRIOR_EVENTS

SPACE = StateSpace(
    ("away", "rated", "disabled", "settled"),
    off_work=("away",),
    lifelong=("rated", "disabled", "settled"),
    settled=("settled",),
)
RATED, DISABLED = 60, 12


def stays(*, settles: bool) -> pd.DataFrame:
    """Return workers off work for 100 days; some are then rated and settle after a year, some stay disabled."""
    rows: list[tuple[str, str, float, float, str | None]] = []
    for number in range(RATED + DISABLED):
        name, rated = f"C{number:03d}", number < RATED
        rows.append((name, "away", 0.0, 100.0, "rated" if rated else "disabled"))
        if rated:
            rows.append((name, "rated", 100.0, 465.0 + 5.0 * number, "settled" if settles else None))
        else:
            rows.append((name, "disabled", 100.0, 900.0, None))
    return pd.DataFrame(rows, columns=["claim_id", "state", "start", "stop", "next_state"])


def expected(recovery: Recovery, origin: str, days: float) -> float:
    """Return the hazard of settlement collected in the first days in a state."""
    move = next(one for one in recovery.point().moves if (one.origin, one.target) == (origin, "settled"))
    at = np.array([days])
    return float(move.cumulative_hazard(at, move.location(np.zeros((1, 3)))[:, 0], np.zeros(1, dtype=np.int64))[0])


def test_none_seen_leaves_the_share_of_a_gamma_prior() -> None:
    """The expected settlements of the stays watched are those at the kindred rates times prior / (prior + expected)."""
    recovery = fit_path(stays(settles=True), space=SPACE, covariates=[], candidates=("piecewise",))
    kindred, watched = expected(recovery, "rated", 800.0), expected(recovery, "disabled", 800.0)
    share = PRIOR_EVENTS / (PRIOR_EVENTS + DISABLED * kindred)
    assert watched == pytest.approx(share * kindred, rel=0.02)
    assert watched > 0


def test_what_no_kindred_state_shows_stays_impossible() -> None:
    """Where nobody settled from a kindred state there is no such move; nor is one added to states that settle."""
    recovery = fit_path(stays(settles=False), space=SPACE, covariates=[], candidates=("piecewise",))
    assert not [one for one in recovery.fitted if one.target == "settled"]
    seen = fit_path(stays(settles=True), space=SPACE, covariates=[], candidates=("piecewise",))
    assert [one.origin for one in seen.fitted if one.target == "settled"] == ["rated", "disabled"]
