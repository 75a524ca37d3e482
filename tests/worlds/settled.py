"""Episodes and agreements for settlements worked out by hand."""

from collections.abc import Sequence

import pandas as pd

import msk_reserves as msk


def frame(costs: Sequence[float], **columns: object) -> pd.DataFrame:
    """Return episodes with these costs and further columns, one value for all or one each."""
    ids = [f"e{place}" for place in range(1, len(costs) + 1)]
    return pd.DataFrame({"episode_id": ids, "cost": [float(cost) for cost in costs], **columns})


def pooled(target: float, *terms: msk.EpisodeTerm | msk.PoolTerm) -> msk.Agreement:
    """Return a retrospective agreement with one target price an episode."""
    return msk.Agreement("worked", (msk.FixedPrice(target), *terms), timing="retrospective", lag_months=6)


def steps(settlement: msk.Settlement) -> dict[str, float]:
    """Return the amounts of the only pool after each step."""
    (row,) = settlement.by_pool().drop(columns=["pool", "due"]).to_dict("records")
    return {str(name): float(value) for name, value in row.items()}


def episode(settlement: msk.Settlement) -> dict[str, float]:
    """Return the amounts of the only episode after each step."""
    (row,) = settlement.by_episode().drop(columns=["episode_id", "pool", "year", "category"]).to_dict("records")
    return {str(name): float(value) for name, value in row.items()}
