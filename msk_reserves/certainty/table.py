"""Every measure of certainty under two contracts, side by side, with where its change may lie."""

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, not_negative
from msk_reserves.certainty.measures import (
    COST_OF_CAPITAL,
    band_width,
    capital,
    chance_beyond,
    expected_deficiency,
    hit_rate,
    paired,
)
from msk_reserves.certainty.redraws import enough, joint_interval, redrawn
from msk_reserves.reserves.distribution import BAND_LEVELS, ReserveDistribution

WITHIN = (0.05, 0.1, 0.2)
"""Shares of the carried reserve within which the actual counts as hit."""

BEYOND = 0.25
"""Share of the carried reserve beyond which the actual is adverse."""

DOLLARS, RATIO, CHANCE = "dollars", "ratio", "probability"

MEASURES = {
    "mean": DOLLARS,
    "standard deviation": DOLLARS,
    "coefficient of variation": RATIO,
    **{f"{one:.0%} band, width": DOLLARS for one in BAND_LEVELS},
    "90% band, width over mean": RATIO,
    **{f"actual within {one:.0%} of carried": CHANCE for one in WITHIN},
    f"actual more than {BEYOND:.0%} above carried": CHANCE,
    "expected deficiency": DOLLARS,
    "tail mean less mean, 99%": DOLLARS,
    "tail mean over mean, 99%": RATIO,
    "cost of capital a year": DOLLARS,
}
"""What is measured, with its unit."""


def certainty_measures(
    before: ReserveDistribution,
    after: ReserveDistribution,
    part: str = "total",
    *,
    rate: float = COST_OF_CAPITAL,
    level: float = 0.9,
) -> pd.DataFrame:
    """Return every measure of certainty under two contracts, the change, and its interval over parameter draws.

    Parameters
    ----------
    before, after : reserves of one forecast.
    part : component, or `total`.
    rate : cost of a dollar of capital a year.
    level : of the interval of each change.

    Returns
    -------
    pandas.DataFrame
        One row a measure: unit, before, after, change (after less before), low and high. The carried reserve is the
        mean of each contract. The interval is over parameter draws, measure by measure, with chance within a draw
        taken out; NaN where a draw has fewer than 200 scenarios. It is where the change lies once parameters are known,
        while the change itself also holds what not knowing them adds to spread and tail.

    Raises
    ------
    ValueError
        If the reserves do not share scenarios and draws.

    Examples
    --------
    >>> cost = np.random.default_rng(1).gamma(4, 2500, 4_000)
    >>> x, y = (ReserveDistribution("", {"medical": one}, {}, 20) for one in (cost, 0.1 * cost + 9_000))
    >>> found = certainty_measures(x, y)
    >>> float(found.at["90% band, width", "after"] / found.at["90% band, width", "before"])
    0.1...
    """
    x, y = before.scenarios(part), after.scenarios(part)
    paired(x, y)
    if before.n_draws != after.n_draws:
        raise ValueError(
            f"`before` and `after` must share parameter draws; they have {before.n_draws:,} and {after.n_draws:,}"
        )
    cost = not_negative(rate, "rate")
    carried = (float(x.mean()), float(y.mean()))

    def change(one: Floats, other: Floats) -> Floats:
        return _figures(other, carried[1], cost) - _figures(one, carried[0], cost)

    first, second = _figures(x, carried[0], cost), _figures(y, carried[1], cost)
    edges = [(np.nan, np.nan)] * len(MEASURES)
    if enough(len(x), before.n_draws):
        moved = redrawn(change, (x, y), before.n_draws, jointly=False)
        edges = [joint_interval(column[:, None], level)[0] for column in moved.T]
    return pd.DataFrame(
        {
            "unit": list(MEASURES.values()),
            "before": first,
            "after": second,
            "change": second - first,
            "low": [low for low, _ in edges],
            "high": [high for _, high in edges],
        },
        index=pd.Index(list(MEASURES), name="measure"),
    )


def _figures(values: Floats, carried: float, rate: float) -> Floats:
    """Return every measure, in the order of `MEASURES`."""
    mean, spread, held = float(values.mean()), float(values.std(ddof=1)), capital(values)
    widths = [band_width(values, one) for one in BAND_LEVELS]
    over = np.array([spread, widths[BAND_LEVELS.index(0.9)], mean + held]) / (mean or np.nan)
    return np.array(
        [
            mean,
            spread,
            over[0],
            *widths,
            over[1],
            *(hit_rate(values, one, carried=carried) for one in WITHIN),
            chance_beyond(values, BEYOND, carried=carried),
            expected_deficiency(values, carried),
            held,
            over[2],
            rate * held,
        ]
    )
