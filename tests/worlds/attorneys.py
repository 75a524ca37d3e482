"""Paths with relapse, covariate, late entry and attorneys, whose every hazard is known; made without the library."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

REPRESENTED = "_represented"


@dataclass(frozen=True, slots=True)
class Move:
    """A Weibull law of the days to one move.

    Attributes
    ----------
    shape, scale : of the days of an unrepresented worker with x = 0.
    x : rise of ln days with the covariate.
    represented : rise of ln days with an attorney.
    """

    shape: float
    scale: float
    x: float = 0.0
    represented: float = 0.0

    def hazard(self, days: Floats, shift: Floats) -> Floats:
        """Return the cumulative hazard after `days` where ln days are moved by `shift`."""
        return (days / (self.scale * np.exp(shift))) ** self.shape

    def days(self, hazard: Floats, shift: Floats) -> Floats:
        """Return the days at which the cumulative hazard is reached."""
        return self.scale * np.exp(shift) * hazard ** (1.0 / self.shape)


MOVES: Mapping[tuple[str, str], Move] = {
    ("off_work", "back_at_work"): Move(1.2, 60.0, 0.30, 0.50),
    ("off_work", "mmi"): Move(1.5, 300.0, 0.0, -0.30),
    ("back_at_work", "relapse"): Move(0.9, 300.0, -0.25, 0.0),
    ("back_at_work", "closed"): Move(1.3, 250.0, 0.0, 0.60),
    ("relapse", "back_at_work"): Move(1.1, 80.0, 0.20, 0.40),
    ("relapse", "mmi"): Move(1.2, 300.0),
    ("mmi", "settled"): Move(1.4, 200.0, 0.0, -0.50),
}
"""The moves of an unrepresented worker; a represented one makes the same between twins."""

ONSETS: Mapping[str, Move] = {
    "off_work": Move(1.0, 250.0, -0.30),
    "back_at_work": Move(0.8, 900.0),
    "relapse": Move(1.0, 400.0),
    "mmi": Move(1.0, 300.0),
}
"""The days to retaining an attorney, by state."""


@dataclass(frozen=True, slots=True)
class AttorneyWorld:
    """A world of paths.

    Attributes
    ----------
    moves, onsets : laws of the moves and of retaining an attorney.
    late : share of the claims that come into the file only some days after they began.
    follow_up : claims are followed from the first to the second number of days.
    """

    moves: Mapping[tuple[str, str], Move] = field(default_factory=lambda: MOVES)
    onsets: Mapping[str, Move] = field(default_factory=lambda: ONSETS)
    late: float = 0.3
    follow_up: tuple[float, float] = (200.0, 1_200.0)


def stays_seen(world: AttorneyWorld, n_claims: int, seed: int) -> pd.DataFrame:
    """Return the stays of claims as rows in time, as far as they are in the file.

    Parameters
    ----------
    world : the laws.
    n_claims : claims that went off work.
    seed : reproduces them.

    Returns
    -------
    pandas.DataFrame
        claim_id, state, start, stop, next_state, observed_from, x; a stay with an attorney retained in it is two rows.
    """
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(n_claims)
    ends = rng.uniform(*world.follow_up, n_claims)
    entry = np.where(rng.random(n_claims) < world.late, rng.uniform(0, 90, n_claims), 0.0)
    rows: list[pd.DataFrame] = []
    holding = pd.DataFrame({"claim": np.arange(n_claims), "state": "off_work", "start": 0.0, "represented": False})
    while len(holding):
        following: list[pd.DataFrame] = []
        for state, part in holding.groupby("state"):
            made = _stays(world, str(state), part, x, rng)
            rows.append(made)
            moved = made[made["next_state"].notna() & (made["stop"] < ends[made["claim"]]) & ~made["goes_on"]]
            if len(moved):
                names = moved["next_state"].str.removesuffix(REPRESENTED)
                following.append(moved.assign(state=names, start=moved["stop"])[list(holding)])
        holding = pd.concat(following) if following else holding.iloc[:0]
    stays = pd.concat(rows).sort_values(["claim", "start"], kind="stable")
    return _seen(stays, ends, entry, x)


def _stays(world: AttorneyWorld, state: str, part: pd.DataFrame, x: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """Follow the stays in one state to their end, in two rows where an attorney is retained."""
    targets = [target for origin, target in world.moves if origin == state]
    moves = [world.moves[state, target] for target in targets]
    own, n = x[part["claim"]], len(part)
    marked = part["represented"].to_numpy()
    onset = np.full(n, np.inf)
    if state in world.onsets:
        law = world.onsets[state]
        onset = np.where(marked, np.inf, law.days(rng.standard_exponential(n), law.x * own))
    exits = np.full((len(moves) + 1, n), np.inf)
    for place, move in enumerate(moves):
        exits[place] = move.days(rng.standard_exponential(n), move.x * own + move.represented * marked)
    retained = onset < exits.min(axis=0)
    later = np.full((len(moves) + 1, n), np.inf)
    for place, move in enumerate(moves):
        shift = move.x * own + move.represented
        waited = np.where(retained, move.hazard(np.where(retained, onset, 0.0), shift), 0.0)
        later[place] = move.days(waited + rng.standard_exponential(n), shift)
    names = np.array([*targets, None], dtype=object)
    first = np.where(retained, onset, exits.min(axis=0))
    chosen, after = np.argmin(exits, axis=0), np.argmin(later, axis=0)
    chosen, after = (
        np.where(np.isinf(days.min(axis=0)), len(moves), at) for days, at in ((exits, chosen), (later, after))
    )
    start = part["start"].to_numpy()
    twin = {name for pair in world.moves for name in pair if name in world.onsets}

    def named(codes: npt.NDArray[np.int64], represented: npt.NDArray[np.bool_]) -> list[str | None]:
        return [
            name + REPRESENTED if mark and name in twin else name
            for name, mark in zip(names[codes], represented, strict=True)
        ]

    here = np.array([state + REPRESENTED if mark and state in twin else state for mark in marked], dtype=object)
    following = np.array(named(chosen, marked), dtype=object)
    following[retained] = state + REPRESENTED
    one = part.assign(state=here, stop=start + first, next_state=following, goes_on=retained, began=start)
    two = part[retained].assign(
        state=state + REPRESENTED,
        start=(start + onset)[retained],
        stop=(start + later.min(axis=0))[retained],
        next_state=named(after[retained], np.ones(int(retained.sum()), dtype=np.bool_)),
        goes_on=False,
        began=start[retained],
        represented=True,
    )
    return pd.concat([one, two])


def _seen(stays: pd.DataFrame, ends: Floats, entry: Floats, x: Floats) -> pd.DataFrame:
    """Cut the stays at the end of observation and leave out those over before the claim came into the file."""
    last, first = ends[stays["claim"]], entry[stays["claim"]]
    stays = stays[(stays["start"] < last) & (stays["stop"] > first)]
    last, first = ends[stays["claim"]], entry[stays["claim"]]
    running = stays["stop"] >= last
    return pd.DataFrame(
        {
            "claim_id": [f"W{claim:06d}" for claim in stays["claim"]],
            "state": stays["state"],
            "start": stays["start"],
            "stop": np.minimum(stays["stop"], last),
            "next_state": stays["next_state"].where(~running),
            "observed_from": np.maximum(first - stays["began"], 0.0),
            "x": x[stays["claim"]],
        }
    ).reset_index(drop=True)
