"""Termination rates find rates that were put in, from truncated stays known to the week."""

import numpy as np
import pandas as pd
from scipy import stats

from msk_reserves.recovery.path.termination import termination_rates

RATES = np.array([0.03, 0.012, 0.004])
CUTS = np.array([28.0, 91.0])


def drawn(rng: np.random.Generator, n: int, *, weekly: bool) -> pd.DataFrame:
    """Stays of piecewise rates, seen if longer than a week, for at most 200 to 400 days."""
    hazard = rng.exponential(size=n)
    reached = np.concatenate([[0.0], np.cumsum(RATES[:2] * [28.0, 63.0])])
    piece = np.searchsorted(reached, hazard, side="right") - 1
    days = np.concatenate([[0.0], CUTS])[piece] + (hazard - reached[piece]) / RATES[piece]
    censored = 7.0 * np.round(rng.uniform(200, 400, n) / 7)
    end = 7.0 * np.ceil(days / 7) if weekly else days
    exited = end <= censored
    frame = pd.DataFrame({"days": np.where(exited, end, censored), "exited": exited.astype(int), "entry": 7.0})
    frame["interval"] = np.where(exited & weekly, 7.0, 0.0)
    return frame[frame["days"] > 7.0]


def test_weekly_windows_do_not_bias() -> None:
    """60,000 stays known to the week: each rate within 4.5 standard errors (false alarm 2e-5 in all)."""
    found = termination_rates(drawn(np.random.default_rng(5), 60_000, weekly=True), cuts=CUTS)
    error = found.rates[0] / np.sqrt(found.exits[0])
    assert (np.abs(found.rates[0] - RATES) < 4.5 * error).all(), found


def test_exact_intervals_cover() -> None:
    """90 % intervals of three rates in 100 small samples: at least as often as binomial chance allows (0.01 % each).

    Exact limits of a count cover more than their level, so only the lower side is a test.
    """
    rng, hits = np.random.default_rng(6), np.zeros(3)
    for _ in range(100):
        low, high = termination_rates(drawn(rng, 80, weekly=False), cuts=CUTS, level=0.9).interval()
        hits += (low[0] <= RATES) & (high[0] >= RATES)
    assert (hits >= stats.binom.ppf(1e-4, 100, 0.9)).all(), hits
