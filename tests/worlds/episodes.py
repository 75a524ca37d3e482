"""Hand-made blocks of futures for the laws of contracts."""

import numpy as np
import pandas as pd

from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.episodes.record import Episodes, Takeover
from msk_reserves.episodes.scope import Scope


def make_episodes(
    seed: int, scopes: tuple[Scope, ...], *, n_scenarios: int = 40, n_claims: int = 6, bundled: int = 1
) -> Episodes:
    """Return random futures: the last `bundled` claims are in a bundle, the one before them may not be taken over."""
    draw = np.random.default_rng(seed)
    shape = (n_scenarios, n_claims)
    dollars = {name: draw.gamma(0.7, 20_000, shape) for name in COMPONENTS}
    in_scope = {
        scope: {name: dollars[name] * draw.uniform(0, 1, shape) * bool(scope.covers(name)) for name in COMPONENTS}
        for scope in scopes
    }
    is_bundled = np.arange(n_claims) >= n_claims - bundled
    eligible = np.arange(n_claims) < n_claims - bundled - 1
    price = np.where(is_bundled, 30_000.0, np.nan)
    claims = pd.DataFrame(
        {
            "claim_id": [f"C{i}" for i in range(n_claims)],
            "body_part": ["shoulder", "knee"] * (n_claims // 2),
            "bundle_price": price,
        }
    )
    return Episodes(
        takeover=Takeover(
            claims=claims,
            eligible=eligible,
            bundled=is_bundled,
            unpaid_price=np.where(is_bundled, 10_000.0, 0.0),
            days_since_trigger=np.where(is_bundled, 50.0, 0.0),
        ),
        medical=dollars["medical"],
        indemnity=dollars["indemnity"],
        expense=dollars["expense"],
        in_scope=in_scope,
        days_off=draw.exponential(100, shape),
        days_to_leave=draw.exponential(80, shape),
        day_back=np.where(draw.random(shape) < 0.8, draw.exponential(150, shape), np.inf),
    )


def some_claims(episodes: Episodes, rows: np.ndarray) -> Episodes:
    """Return the futures of some of the claims, as another block would hold them."""
    return Episodes(
        takeover=episodes.takeover.of(rows),
        medical=episodes.medical[:, rows],
        indemnity=episodes.indemnity[:, rows],
        expense=episodes.expense[:, rows],
        in_scope={
            scope: {name: dollars[:, rows] for name, dollars in parts.items()}
            for scope, parts in episodes.in_scope.items()
        },
        days_off=episodes.days_off[:, rows],
        days_to_leave=episodes.days_to_leave[:, rows],
        day_back=episodes.day_back[:, rows],
    )


def episodes_costing(
    costs: np.ndarray, scope: Scope, *, back: np.ndarray | None = None, begun: bool = False
) -> Episodes:
    """Return futures of claims whose medical care is known and all in scope.

    Parameters
    ----------
    costs : dollars, shape (n_scenarios, n_claims).
    scope : what counts.
    back : days to full duty, the same shape; at once when None.
    begun : whether the claims are in a bundle already, half of whose price of 52,000 is unpaid.
    """
    nothing, n_claims = np.zeros(costs.shape), costs.shape[1]
    claims = pd.DataFrame(
        {"claim_id": [f"C{i}" for i in range(n_claims)], "bundle_price": 52_000.0 if begun else np.nan}
    )
    return Episodes(
        takeover=Takeover(
            claims=claims,
            eligible=np.full(n_claims, not begun),
            bundled=np.full(n_claims, begun),
            unpaid_price=np.full(n_claims, 26_000.0 if begun else 0.0),
            days_since_trigger=np.full(n_claims, 50.0 if begun else 0.0),
        ),
        medical=costs.copy(),
        indemnity=nothing.copy(),
        expense=nothing.copy(),
        in_scope={scope: {name: costs if name == "medical" else nothing for name in COMPONENTS}},
        days_off=nothing.copy(),
        days_to_leave=nothing.copy(),
        day_back=nothing.copy() if back is None else back,
    )
