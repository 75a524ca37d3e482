"""How moves become rarer beyond what is seen, which laws that refuses, and when thin moves happen."""

import numpy as np
import pandas as pd
import pytest

from msk_reserves.claims.states import StateSpace
from msk_reserves.recovery.laws.piecewise import (
    BY_DOUBLING,
    BY_YEAR,
    NEVER,
    Fading,
    cells_of,
    default_cuts,
    merged_cuts,
)
from msk_reserves.recovery.observations import Observations, observations
from msk_reserves.recovery.path.model import Recovery, fit_path
from msk_reserves.recovery.path.selection import fit_candidates

FADINGS = (NEVER, BY_YEAR, BY_DOUBLING)
SPACE = StateSpace(
    ("away", "working", "rated", "disabled", "dead"),
    off_work=("away",),
    working=("working",),
    lifelong=("rated", "disabled", "dead"),
    deaths=("dead",),
)


def exits_until(last: float, n: int = 400) -> Observations:
    """Return exits spread over days up to a last one, and as many stays that go on for twice as long."""
    days = np.concatenate([np.linspace(1.0, last, n), np.full(n, 2.0 * last)])
    return observations(days, np.repeat([1.0, 0.0], n))


@pytest.mark.parametrize("fading", [*FADINGS, Fading("by year", 0.8), Fading("by doubling", 0.25)])
def test_rates_beyond_the_exits_are_drawn_to_what_remains(fading: Fading) -> None:
    """Pieces that nobody reached have the rate of the piece before times what remains from middle to middle."""
    data = exits_until(700.0)
    cuts = merged_cuts(data, default_cuts())
    prior = cells_of(data, cuts, fading).prior
    ends = np.concatenate([[0.0], cuts, [cuts[-1] + 365.25]])
    middle = 0.5 * (ends[:-1] + ends[1:])
    beyond = np.flatnonzero(ends[:-1] >= 1_400.0)
    assert len(beyond) > 3
    rates = prior[0, beyond] / prior[1, beyond]
    pairs = zip(middle[beyond[:-1]], middle[beyond[1:]], strict=True)
    np.testing.assert_allclose(rates[1:] / rates[:-1], [fading.remains(*pair) for pair in pairs])


def test_a_law_may_rise_beyond_the_data_only_where_the_move_does_not_fade() -> None:
    """A Weibull law with a rising hazard is refused of what becomes rarer, and kept of what does not."""
    rng = np.random.default_rng(3)
    days = 400.0 * rng.weibull(1.6, 600)
    data = observations(np.minimum(days, 500.0), days <= 500.0)
    refused = {
        fading: fit_candidates(data, (), ("weibull", "piecewise"), "single", fading=fading)[0].refused
        for fading in FADINGS
    }
    assert not refused[NEVER]
    assert all("hazard rises after day" in refused[fading] for fading in FADINGS[1:])


def test_rates_by_piece_stand_back_behind_a_law_of_recovery() -> None:
    """Of returns they carry weight only where no law is plausible; of other moves they share it."""
    rng = np.random.default_rng(5)
    days = rng.lognormal(4.0, 1.0, 500)
    data = observations(np.minimum(days, 700.0), days <= 700.0)
    names = ("lognormal", "piecewise")
    weights = {
        fading: [one.weight for one in fit_candidates(data, (), names, "equal_within_7", fading=fading)]
        for fading in FADINGS
    }
    assert weights[BY_DOUBLING] == [1.0, 0.0]
    late = observations(np.r_[np.minimum(days, 60.0), np.linspace(900.0, 950.0, 80)], np.r_[days <= 60.0, np.ones(80)])
    alone = fit_candidates(late, (), ("exponential", "piecewise"), "equal_within_7", fading=BY_DOUBLING)
    assert [one.weight for one in alone] == [0.0, 1.0]


def workers(disabled: int) -> pd.DataFrame:
    """Return workers who return in the first 100 days, or are rated around day 400, or totally disabled at day 10."""
    rows = [(f"R{number:03d}", "away", 0.0, 1.0 + number % 100, "working") for number in range(120)]
    rows += [(f"M{number:03d}", "away", 0.0, 370.0 + number, "rated") for number in range(60)]
    rows += [(f"D{number:03d}", "away", 0.0, 10.0 + number, "disabled") for number in range(disabled)]
    return pd.DataFrame(rows, columns=["claim_id", "state", "start", "stop", "next_state"])


def collected(recovery: Recovery, target: str, until: float) -> float:
    """Return the hazard of a move from away collected up to a day."""
    (move,) = [one for one in recovery.point().moves if one.target == target]
    at = np.array([until])
    return float(move.cumulative_hazard(at, move.location(np.zeros((1, 3)))[:, 0], np.zeros(1, dtype=np.int64))[0])


def test_a_thin_end_of_being_off_work_comes_when_others_do() -> None:
    """Three total disabilities happen when ratings do, as often as seen; forty have days of their own."""
    thin, many = (fit_path(workers(n), space=SPACE, covariates=[], candidates=("piecewise",)) for n in (3, 40))
    early = {
        n: collected(one, "disabled", 60.0) / collected(one, "disabled", 500.0) for n, one in ((3, thin), (40, many))
    }
    rated = collected(thin, "rated", 60.0) / collected(thin, "rated", 500.0)
    assert early[3] < 0.1
    assert early[3] == pytest.approx(rated, abs=0.06)
    assert early[40] > 0.4
    share = collected(thin, "disabled", 430.0) / collected(thin, "rated", 430.0)
    assert share == pytest.approx(3 / 60, rel=0.15)
