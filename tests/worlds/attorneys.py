"""Paths with relapse, covariate, late entry and attorneys, whose every hazard is known; made without the library."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers

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
    ("off_work", "back_at_work"): Move(0.9, 60.0, 0.30, 0.50),
    ("off_work", "mmi"): Move(1.5, 300.0, 0.0, -0.30),
    ("back_at_work", "relapse"): Move(0.9, 300.0, -0.25, 0.0),
    ("back_at_work", "closed"): Move(1.3, 250.0, 0.0, 0.60),
    ("relapse", "back_at_work"): Move(0.85, 80.0, 0.20, 0.40),
    ("relapse", "mmi"): Move(1.2, 300.0),
    ("mmi", "settled"): Move(1.4, 200.0, 0.0, -0.50),
}
"""The moves of an unrepresented worker; a represented one makes the same between twins. Hazards of return decline."""

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
    began = pd.DataFrame(
        {"claim": np.arange(n_claims), "state": "off_work", "start": 0.0, "age": 0.0, "represented": False}
    )
    return _seen(_paths(world, began, x, ends, rng), ends, entry, x)


def future_stays(
    world: AttorneyWorld, now: tuple[str, float, float], n: int, horizon: float, seed: int
) -> pd.DataFrame:
    """Return what comes of one worker, many times over.

    Parameters
    ----------
    world : the laws.
    now : state, days in it, and covariate.
    n : futures.
    horizon : days ahead.
    seed : reproduces them.

    Returns
    -------
    pandas.DataFrame
        claim (the future), state, start, stop: stays from today on.
    """
    state, age, x = now
    holding = pd.DataFrame(
        {
            "claim": np.arange(n),
            "state": state.removesuffix(REPRESENTED),
            "start": 0.0,
            "age": age,
            "represented": state.endswith(REPRESENTED),
        }
    )
    ends = np.full(n, horizon)
    stays = _paths(world, holding, np.full(n, x), ends, np.random.default_rng(seed))
    return stays.assign(stop=stays["stop"].clip(upper=horizon))[["claim", "state", "start", "stop"]]


def _paths(
    world: AttorneyWorld, holding: pd.DataFrame, x: Floats, ends: Floats, rng: np.random.Generator
) -> pd.DataFrame:
    """Follow claims from where they stand to the days on which each ends."""
    rows: list[pd.DataFrame] = []
    while len(holding):
        following: list[pd.DataFrame] = []
        for state, part in holding.groupby("state"):
            made = _stays(world, str(state), part, x, rng)
            made = made[made["start"] < ends[made["claim"]]]
            rows.append(made)
            moved = made[made["next_state"].notna() & (made["stop"] < ends[made["claim"]]) & ~made["goes_on"]]
            if len(moved):
                names = moved["next_state"].str.removesuffix(REPRESENTED)
                following.append(moved.assign(state=names, start=moved["stop"], age=0.0)[list(holding)])
        holding = pd.concat(following) if following else holding.iloc[:0]
    return pd.concat(rows).sort_values(["claim", "start"], kind="stable")


def _stays(world: AttorneyWorld, state: str, part: pd.DataFrame, x: Floats, rng: np.random.Generator) -> pd.DataFrame:
    """Follow the stays in one state to their end, in two rows where an attorney is retained."""
    targets = [target for origin, target in world.moves if origin == state]
    own, age, marked = x[part["claim"]], part["age"].to_numpy(), part["represented"].to_numpy()
    onset = np.full(len(part), np.inf)
    if state in world.onsets:
        law = world.onsets[state]
        onset = np.where(marked, np.inf, _wait(law, law.x * own, age, rng))
    first, moved = _first_move(world, state, (own, marked, age), rng)
    retained = onset < first
    since = np.where(retained, onset, age)
    later, moved_later = _first_move(world, state, (own, np.ones(len(part), dtype=np.bool_), since), rng)
    start = part["start"].to_numpy() - age
    twin = state in world.onsets
    one = part.assign(
        state=np.where(marked & twin, state + REPRESENTED, state),
        stop=start + np.where(retained, onset, first),
        next_state=np.where(retained, state + REPRESENTED, _named(world, targets, moved, marked)),
        goes_on=retained,
        began=start,
    )
    two = part[retained].assign(
        state=state + REPRESENTED,
        start=(start + onset)[retained],
        stop=(start + later)[retained],
        next_state=_named(world, targets, moved_later, retained)[retained],
        goes_on=False,
        began=start[retained],
        represented=True,
    )
    return pd.concat([one, two])


def _wait(law: Move, shift: Floats, age: Floats, rng: np.random.Generator) -> Floats:
    """Draw the days in a state at a move, given none by `age`."""
    return law.days(law.hazard(age, shift) + rng.standard_exponential(len(age)), shift)


def _first_move(
    world: AttorneyWorld, state: str, who: tuple[Floats, Booleans, Floats], rng: np.random.Generator
) -> tuple[Floats, Integers]:
    """Draw the days in a state at the first move out of it, infinite where there is none, and its target's place."""
    x, represented, age = who
    moves = [move for (origin, _), move in world.moves.items() if origin == state]
    days = np.full((len(moves) + 1, len(age)), np.inf)
    for place, move in enumerate(moves):
        days[place] = _wait(move, move.x * x + move.represented * represented, age, rng)
    first = days.min(axis=0)
    return first, np.where(np.isinf(first), len(moves), np.argmin(days, axis=0))


def _named(world: AttorneyWorld, targets: list[str], codes: Integers, represented: Booleans) -> npt.NDArray[np.object_]:
    """Return the names of targets, those of twins for represented workers."""
    plain = np.array([*targets, None], dtype=object)
    twins = np.array([name + REPRESENTED if name in world.onsets else name for name in targets] + [None], dtype=object)
    return np.where(represented, twins[codes], plain[codes])


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
