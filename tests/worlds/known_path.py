"""A known clock-reset process with relapse, an operation and an attorney, and an exact simulation of it."""

from collections.abc import Sequence

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.recovery.answers.stay_tables import KnownMove

WEIBULL = {
    ("off_work", "back_at_work"): (0.8, 90.0),
    ("off_work", "modified_duty"): (1.0, 120.0),
    ("off_work", "after_surgery"): (1.4, 260.0),
    ("off_work", "mmi"): (1.6, 700.0),
    ("after_surgery", "modified_duty"): (1.8, 140.0),
    ("after_surgery", "back_at_work"): (1.5, 220.0),
    ("modified_duty", "back_at_work"): (1.2, 60.0),
    ("modified_duty", "relapse"): (0.9, 300.0),
    ("back_at_work", "relapse"): (0.7, 1_500.0),
    ("relapse", "back_at_work"): (0.9, 70.0),
    ("relapse", "mmi"): (1.0, 400.0),
    ("off_work_represented", "back_at_work"): (0.8, 200.0),
    ("off_work_represented", "mmi"): (1.4, 500.0),
    ("off_work", "off_work_represented"): (1.1, 200.0),
}
"""Shape and scale in days of each cause-specific hazard (t / scale) ** shape."""

CONTINUES = {("off_work", "off_work_represented")}
OFF = ("off_work", "off_work_represented", "after_surgery", "relapse")
STATES = tuple(dict.fromkeys(name for pair in WEIBULL for name in pair))


def weibull_move(origin: str, target: str, shape: float, scale: float, *, continues: bool = False) -> KnownMove:
    """Return a move with the cumulative hazard (t / scale) ** shape."""

    def collected(days: Floats) -> Floats:
        return np.asarray((days / scale) ** shape)

    return KnownMove(origin, target, collected, continues)


def faster(move: KnownMove, factor: float) -> KnownMove:
    """Return a move made in time that runs `factor` times as fast."""

    def collected(days: Floats) -> Floats:
        return move.cumulative_hazard(factor * days)

    return KnownMove(move.origin, move.target, collected, move.continues)


def known_moves() -> list[KnownMove]:
    """Return the process as the renewal equations take it."""
    return [weibull_move(*pair, *law, continues=pair in CONTINUES) for pair, law in WEIBULL.items()]


def simulate_known(
    rng: np.random.Generator, start: tuple[str, float], n: int, days: Sequence[float]
) -> tuple[Integers, Floats]:
    """Simulate paths exactly from a state and the days in it.

    Returns
    -------
    numpy.ndarray, numpy.ndarray
        State (a number into `STATES`) at each day, shape (n_days, n); days off until the last, shape (n,).
    """
    horizon = max(days)
    state, clock = np.full(n, STATES.index(start[0])), np.full(n, start[1])
    time, off = np.zeros(n), np.zeros(n)
    seen = np.zeros((len(days), n), dtype=np.int64)
    alive = np.arange(n)
    while len(alive):
        soonest, target, goes_on = (
            np.full(len(alive), np.inf),
            np.full(len(alive), -1),
            np.zeros(len(alive), dtype=bool),
        )
        for (origin, name), (shape, scale) in WEIBULL.items():
            here = np.flatnonzero(state[alive] == STATES.index(origin))
            begun = clock[alive[here]]
            collected = (begun / scale) ** shape + rng.standard_exponential(len(here))
            wait = scale * collected ** (1.0 / shape) - begun
            first = here[wait < soonest[here]]
            soonest[first], target[first] = wait[wait < soonest[here]], STATES.index(name)
            goes_on[first] = (origin, name) in CONTINUES
        until = np.minimum(time[alive] + soonest, horizon)
        for row, day in enumerate(days):
            inside = (time[alive] <= day) & ((day < until) | (until >= horizon))
            seen[row, alive[inside]] = state[alive[inside]]
        counts = np.isin(state[alive], [STATES.index(name) for name in OFF])
        off[alive] += np.where(counts, until - time[alive], 0.0)
        clock[alive] = np.where(goes_on, clock[alive] + soonest, 0.0)
        moved = (until < horizon) & (target >= 0)
        time[alive] = until
        state[alive[moved]] = target[moved]
        alive = alive[moved]
    return seen, off
