"""Price cells from baseline episodes: means by year, caps, and limits of the days after."""

import numpy as np
import pandas as pd

from msk_reserves._checks import level, not_negative
from msk_reserves.contracts.amounts import all_hold
from msk_reserves.contracts.table import EpisodeDataError


def price_cells(
    baseline: pd.DataFrame, *, percentile: float = 0.99, floor_percentile: float = 0.01, deviations: float = 3.0
) -> pd.DataFrame:
    """Return the figures of each price cell from the episodes of the baseline years.

    Parameters
    ----------
    baseline : a row an episode: `cell`, `year`, `cost`, and `post_cost` where the days after the window are watched.
    percentile : of a cell's costs, all years together, at which an episode is capped.
    floor_percentile : of a cell's costs, for contracts with a floor; it does not change the means.
    deviations : standard deviations above the mean of `post_cost` at which its limit lies.

    Returns
    -------
    pandas.DataFrame
        A row a cell: `cell`, `outlier_cap`, `outlier_floor`, `baseline_episodes`, `regional_1`, `regional_2`, ...
        (means of capped cost by year, the oldest first) and, with `post_cost`, `post_limit`.

    Raises
    ------
    EpisodeDataError
        If a column is missing, dollars are blank or negative, or a cell has no episode in one of the years.
    ValueError
        If a percentile does not lie between 0 and 1.

    Notes
    -----
    Percentiles interpolate linearly between order statistics; the standard deviation has n - 1 below.

    Examples
    --------
    >>> rows = {"cell": ["470"] * 4, "year": [2022, 2022, 2023, 2023], "cost": [10_000, 20_000, 30_000, 40_000]}
    >>> price_cells(pd.DataFrame(rows), percentile=0.5)[["outlier_cap", "regional_1", "regional_2"]].values.tolist()
    [[25000.0, 15000.0, 25000.0]]
    """
    all_hold(
        lambda: level(percentile, "percentile"),
        lambda: level(floor_percentile, "floor_percentile"),
        lambda: not_negative(deviations, "deviations"),
    )
    money = ["cost", *(["post_cost"] if "post_cost" in baseline.columns else [])]
    rows = _checked(baseline, money)
    by_cell = rows.groupby("cell", sort=False)
    found = pd.DataFrame(
        {
            "outlier_cap": by_cell["cost"].quantile(percentile),
            "outlier_floor": by_cell["cost"].quantile(floor_percentile),
            "baseline_episodes": by_cell.size(),
        }
    )
    capped = rows.assign(cost=np.minimum(rows["cost"], rows["cell"].map(found["outlier_cap"])))
    means = capped.pivot_table(index="cell", columns="year", values="cost", aggfunc="mean", sort=True)
    empty = [(cell, year) for cell, year in means.stack(future_stack=True).pipe(lambda s: s[s.isna()]).index]
    if empty:
        raise EpisodeDataError("\n".join(f"the cell {cell!r} has no episode in {year}" for cell, year in empty))
    means.columns = [f"regional_{place}" for place in range(1, len(means.columns) + 1)]
    found = found.join(means)
    if "post_cost" in money:
        found["post_limit"] = by_cell["post_cost"].mean() + deviations * by_cell["post_cost"].std(ddof=1)
    return found.rename_axis("cell").reset_index()


def _checked(baseline: pd.DataFrame, money: list[str]) -> pd.DataFrame:
    """Return the columns that count, or raise a line for everything that is wrong with them."""
    wrong = [f"the column `{name}` is missing" for name in ("cell", "year", "cost") if name not in baseline.columns]
    if wrong:
        raise EpisodeDataError("\n".join(wrong))
    rows = baseline[["cell", "year", *money]].assign(cell=baseline["cell"].astype(str))
    for name in money:
        rows[name] = pd.to_numeric(rows[name], errors="coerce")
        bad = np.flatnonzero(~(rows[name] >= 0))
        wrong += [f"row {row + 1}: `{name}` must be dollars, got {baseline[name].iloc[row]}" for row in bad]
    if wrong:
        raise EpisodeDataError("\n".join(wrong))
    return rows
