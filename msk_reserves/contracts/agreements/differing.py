"""Where two settlements of the same episodes part: the first step at which each episode or pool differs."""

import numpy as np
import pandas as pd

from msk_reserves._checks import not_negative
from msk_reserves.contracts.agreements.settlement import Settlement

HALF_A_CENT = 0.005
"""Dollars by which amounts may differ without being told: rounding to cents."""

ABSENT = "not among the others"
"""What is said of an episode or pool that one side does not have."""

WORDS = ["episode_id", "pool", "year", "category"]
"""Columns of episodes that are no steps."""


def where_they_differ(first: Settlement, second: Settlement, *, tolerance: float = HALF_A_CENT) -> pd.DataFrame:
    """Return the first step at which each episode, category and pool of two settlements differs.

    What follows a step that differs differs too, so that only the first is told: it is where payer and bearer must
    look. An episode's part of the result of a pool is no step of its own.

    Parameters
    ----------
    first, second : settlements, such as the payer's and the provider's, of one contract or of two.
    tolerance : dollars by which amounts may differ.

    Returns
    -------
    pandas.DataFrame
        A row for each that differs: `level` (episode, category or pool), `name`, `step`, the `first` and the `second`
        amount there, and the result each side comes to (`result_first`, `result_second`; missing for a
        category).
        Episodes come first, in the order of the first settlement.

    Raises
    ------
    ValueError
        If the tolerance is negative.

    Examples
    --------
    >>> from msk_reserves import FixedPriceBundle, settle
    >>> ours, theirs = (pd.DataFrame({"episode_id": ["a", "b"], "cost": [9.0, last]}) for last in (7.0, 6.0))
    >>> found = where_they_differ(settle(FixedPriceBundle(10), ours), settle(FixedPriceBundle(10), theirs))
    >>> found[["level", "name", "step", "first", "second"]].values.tolist()[0]
    ['episode', 'b', 'cost', 7.0, 6.0]
    """
    not_negative(tolerance, "tolerance")
    tables = {
        "episode": [one.by_episode().drop(columns=WORDS[1:]).set_index("episode_id") for one in (first, second)],
        "category": [one.by_category().set_index("category") for one in (first, second)],
        "pool": [one.by_pool().set_index("pool") for one in (first, second)],
    }
    split = {"result"} if "episode" not in (first.agreement.pooling, second.agreement.pooling) else set()
    skipped = {"episode": split, "category": set[str](), "pool": set[str]()}
    found = [_differing(level, ours, theirs, skipped[level], tolerance) for level, (ours, theirs) in tables.items()]
    return pd.concat(found, ignore_index=True)


def _differing(
    level: str, first: pd.DataFrame, second: pd.DataFrame, skipped: set[str], tolerance: float
) -> pd.DataFrame:
    """Return the rows of one level that differ, with the first step at which they do."""
    both = [name for name in first.index if name in second.index]
    steps = [step for step in first.columns if step in second.columns and step not in skipped]
    ours, theirs = (table.loc[both, steps].to_numpy(dtype=np.float64) for table in (first, second))
    apart = ~np.isclose(ours, theirs, rtol=0.0, atol=tolerance, equal_nan=True)
    rows = np.flatnonzero(apart.any(axis=1))
    at = apart[rows].argmax(axis=1) if len(rows) else rows
    differing = pd.DataFrame(
        {
            "level": level,
            "name": [both[row] for row in rows],
            "step": [steps[step] for step in at],
            "first": ours[rows, at],
            "second": theirs[rows, at],
        }
    )
    alone = [name for name in [*first.index, *second.index] if (name in first.index) != (name in second.index)]
    missing = pd.DataFrame({"level": level, "name": alone, "step": ABSENT, "first": np.nan, "second": np.nan})
    parts = [part for part in (differing, missing) if len(part)]
    told = pd.concat(parts, ignore_index=True) if parts else differing
    for side, table in (("result_first", first), ("result_second", second)):
        result = table["result"] if "result" in table.columns else pd.Series(dtype=np.float64)
        told[side] = result.reindex(told["name"]).to_numpy(dtype=np.float64)
    return told
