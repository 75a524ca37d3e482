"""Stays in the states of the path back to work, and where each claim stands now."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.states import BASE_CODE, TWIN_CODE
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE, STATES, STILL_IN_STATE


@dataclass(frozen=True, slots=True, eq=False)
class Spells:
    """One row a stay in a state, in the order claim, then time.

    A stay during which an attorney was retained is two rows, in the state and in its twin: `entered` is the same,
    `days` of both count on the clock of the stay, and the second is observed from the days at which the first ended.

    Attributes
    ----------
    claim : row of the claim in the book's `claims`; shape (n_spells,).
    state : code into `STATES`; shape (n_spells,).
    entered : calendar day of entry, days since 1970-01-01 (0 on the claim's own clock where the book is undated).
    days : days in the state when the stay ended or observation did; shape (n_spells,).
    next_state : code of the state moved to, or `STILL_IN_STATE`.
    observed_from : days in the state before which the claim could not have been in the file (left truncation).
    interval : 0 where `days` is exact, else the width w of the interval (days - w, days] that holds the exit.
    days_off_before : days off work on this claim before the stay began.
    operated : whether an operation had taken place when the stay began.
    """

    claim: Integers
    state: Integers
    entered: Integers
    days: Floats
    next_state: Integers
    observed_from: Floats
    interval: Floats
    days_off_before: Floats
    operated: Booleans

    def __post_init__(self) -> None:
        shapes = {field.name: np.shape(getattr(self, field.name)) for field in fields(self)}
        if len(set(shapes.values())) != 1 or len(shapes["claim"]) != 1:
            raise ValueError(f"every column of `Spells` must have the same shape (n_spells,), got {shapes}")
        for field in fields(self):
            getattr(self, field.name).flags.writeable = False

    def __len__(self) -> int:
        return len(self.claim)

    def __repr__(self) -> str:
        ended = int((self.next_state != STILL_IN_STATE).sum())
        return f"{len(self):,} stays of {len(np.unique(self.claim)):,} claims, {ended:,} ended"

    def at_risk(self, state: str) -> npt.NDArray[np.int64]:
        """Return the rows of the stays in `state`, shape (n_at_risk,)."""
        return np.flatnonzero(self.state == STATE_CODE[state])

    def since_start(self) -> Floats:
        """Return the days from the beginning of each claim's first stay to that of the stay, shape (n_spells,)."""
        start = np.full(int(self.claim.max(initial=-1)) + 1, np.iinfo(np.int64).max)
        np.minimum.at(start, self.claim, self.entered)
        since: Floats = (self.entered - start[self.claim]).astype(np.float64)
        return since

    def began(self) -> Floats:
        """Return the days in the stay at which each row begins: 0, or when an attorney was retained in it.

        Returns
        -------
        numpy.ndarray, shape (n_spells,)
        """
        began = np.zeros(len(self))
        goes_on = self._goes_on()
        began[goes_on] = self.days[np.flatnonzero(goes_on) - 1]
        return began

    def joined(self) -> "Spells":
        """Return the stays as if nobody had retained an attorney: twins count as their states, split stays as one."""
        goes_on = self._goes_on()
        first = np.flatnonzero(~goes_on)
        last = np.append(first[1:], len(self)) - 1
        ended = self.next_state[last] != STILL_IN_STATE
        return Spells(
            claim=self.claim[first],
            state=BASE_CODE[self.state[first]],
            entered=self.entered[first],
            days=self.days[last],
            next_state=np.where(ended, BASE_CODE[self.next_state[last]], STILL_IN_STATE),
            observed_from=self.observed_from[first],
            interval=self.interval[last],
            days_off_before=self.days_off_before[first],
            operated=self.operated[first],
        )

    def _goes_on(self) -> Booleans:
        """Whether each row continues the one before it in the twin of its state."""
        goes_on = np.zeros(len(self), dtype=np.bool_)
        twin = TWIN_CODE[self.state[:-1]]
        goes_on[1:] = (self.claim[1:] == self.claim[:-1]) & (self.state[1:] == twin) & (twin == self.next_state[:-1])
        goes_on[1:] &= twin != self.state[:-1]
        return goes_on

    def transitions(self) -> dict[tuple[str, str], int]:
        """Count the moves seen, by (from, to)."""
        moved = self.next_state != STILL_IN_STATE
        pairs, counts = np.unique(np.c_[self.state[moved], self.next_state[moved]], axis=0, return_counts=True)
        return {(STATES[a], STATES[b]): int(n) for (a, b), n in zip(pairs, counts, strict=True)}


@dataclass(frozen=True, slots=True, eq=False)
class Position:
    """Where each claim stands on the valuation date; every column has shape (n_claims,).

    Attributes
    ----------
    state : code into `STATES`; of a represented worker the twin, where the state has one.
    days_in_state : days since the state was entered.
    days_off : days off work so far, over all spells.
    operated : whether an operation has taken place.
    represented : whether an attorney has been retained.
    days_off_before : days off work before the current stay began.
    days_since_start : days since the first stay of the claim began.
    """

    state: Integers
    days_in_state: Floats
    days_off: Floats
    operated: Booleans
    represented: Booleans
    days_off_before: Floats
    days_since_start: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).flags.writeable = False

    def __len__(self) -> int:
        return len(self.state)

    def off_work(self) -> Booleans:
        """Whether each worker is off work, shape (n_claims,)."""
        return np.isin(self.state, [STATE_CODE[name] for name in OFF_WORK_STATES])
