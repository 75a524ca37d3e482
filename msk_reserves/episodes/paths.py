"""Where workers will be: simulated paths without money, on given days ahead."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats, Integers, frozen, whole
from msk_reserves.claims.vocabulary import STATES
from msk_reserves.episodes import arrays, compiled, exits, hazards, randomness
from msk_reserves.episodes.arrays import Claims, Laws, PathStates, Room
from msk_reserves.episodes.compiled import Compiled, kept
from msk_reserves.episodes.engine import FUTURES_A_BLOCK
from msk_reserves.episodes.exits import MOST_STAYS, next_exit_of, prepare_exits
from msk_reserves.episodes.laws import laws_of
from msk_reserves.episodes.randomness import keys_of
from msk_reserves.episodes.states import PATH_STATES
from msk_reserves.episodes.walk import claims_where, room_of
from msk_reserves.recovery.path import entry
from msk_reserves.recovery.path.draws import RecoveryDraws


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedPaths:
    """Futures of some claims at given days ahead.

    Attributes
    ----------
    rows : rows of the claims among those asked for, shape (n_claims,).
    days_ahead : shape (n_days,).
    state : code into `STATES` of the state each worker is in, shape (n_claims, n_scenarios, n_days).
    days_off : days off work up to then, of the same shape.
    """

    rows: Integers
    days_ahead: Floats
    state: npt.NDArray[np.int8]
    days_off: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        for array in (self.rows, self.days_ahead, self.state, self.days_off):
            array.flags.writeable = False

    def occupation(self) -> Floats:
        """Return the share of the futures in each state, shape (n_claims, n_days, n_states)."""
        shares = [(self.state == code).mean(axis=1) for code in range(len(STATES))]
        return np.moveaxis(np.array(shares), 0, -1)


def simulate_paths(
    draws: RecoveryDraws,
    design: Floats,
    *,
    claim_ids: tuple[str, ...],
    state: Integers,
    days_in_state: Floats,
    days_since_start: Floats,
    days_ahead: npt.ArrayLike,
    scenarios: int,
    seed: int,
) -> Iterator[SimulatedPaths]:
    """Simulate paths from where claims stand, a block of claims at a time.

    They are the paths of a forecast with the same draws, seed and number of scenarios, up to its horizon.

    Parameters
    ----------
    draws : parameter draws, each of which serves as many scenarios in a row.
    design : covariates as the recovery model's design makes them, shape (n_claims, n_columns).
    claim_ids : names the claims' random numbers are keyed by.
    state : codes into `STATES`, shape (n_claims,).
    days_in_state : days in it so far, shape (n_claims,).
    days_since_start : days since the claim's path began, shape (n_claims,).
    days_ahead : days from the valuation date, increasing, above 0; shape (n_days,).
    scenarios : futures a claim, a multiple of the number of draws.
    seed : reproduces everything.

    Yields
    ------
    SimulatedPaths
        The next claims.

    Raises
    ------
    ValueError
        If the days do not increase from above 0, or the scenarios are not a multiple of the draws.
    """
    days = frozen(days_ahead, "days_ahead")
    if not len(days) or days[0] <= 0 or (np.diff(days) <= 0).any():
        raise ValueError(f"`days_ahead` must increase from above 0, got {days[:5]}")
    if whole(scenarios, "scenarios", at_least=1) % draws.n_draws:
        raise ValueError(f"`scenarios` must be a multiple of the {draws.n_draws} draws, got {scenarios}")
    laws = laws_of(draws, design.shape[1])
    keys = keys_of(seed, claim_ids)
    size = max(FUTURES_A_BLOCK // scenarios, 1)
    for start in range(0, len(keys), size):
        rows = np.arange(start, min(start + size, len(keys)))
        shape = (len(rows), scenarios, len(days))
        held, days_off = np.zeros(shape, dtype=np.int8), np.zeros(shape, dtype=np.float32)
        clocks = days_in_state[rows], days_since_start[rows]
        few = claims_where(keys[rows], state[rows], clocks, design[rows], draws.moves)
        room = room_of(laws)
        trace_block(PATH_STATES, laws, few, room, days, held, days_off, scenarios // draws.n_draws)
        yield SimulatedPaths(rows, days, held, days_off)


def _trace(stamp: int) -> Compiled:
    """Return the loop over a block; `stamp` is what `kept` tells its parts by."""

    def trace(
        states: PathStates,
        laws: Laws,
        claims: Claims,
        room: Room,
        days: Floats,
        held: npt.NDArray[np.int8],
        days_off: npt.NDArray[np.float32],
        per_draw: int,
    ) -> int:
        """Follow every future of a block and note the state held, and days off so far, on each day asked for."""
        end = days[len(days) - 1]
        for draw in range(held.shape[1] // per_draw):
            for claim in range(len(claims.keys)):
                prepare_exits(laws, claims, room, (claim, draw), end)
                for scenario in range(draw * per_draw, (draw + 1) * per_draw):
                    place = (claim, scenario, draw)
                    state, began, time, off, asked = claims.state[claim], claims.began[claim], 0.0, 0.0, 0
                    for moves in range(MOST_STAYS + 1):
                        stay = (state, began, moves)
                        lasted, chosen = next_exit_of(laws, claims, room, place, stay, (end - time, end))
                        while asked < len(days) and (chosen < 0 or days[asked] < time + lasted):
                            held[claim, scenario, asked] = state
                            days_off[claim, scenario, asked] = off
                            if states.off_work[state]:
                                days_off[claim, scenario, asked] = off + days[asked] - time
                            asked += 1
                        if chosen < 0:
                            break
                        time += lasted
                        if states.off_work[state]:
                            off += lasted
                        began = began + lasted if laws.continues[chosen] else 0.0
                        state = laws.target[chosen]
        return stamp

    return trace


trace_block = kept(_trace, arrays, compiled, entry, exits, hazards, randomness)
