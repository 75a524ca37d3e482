"""Stays in the states of the path back to work, and where each claim stands now."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE, STATES, STILL_IN_STATE


@dataclass(frozen=True, slots=True, eq=False)
class Spells:
    """One row a stay in a state, in the order claim, then time.

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
    state : code into `STATES`.
    days_in_state : days since the state was entered.
    days_off : days off work so far, over all spells.
    operated : whether an operation has taken place.
    represented : whether an attorney has been retained.
    days_off_before : days off work before the current stay began.
    """

    state: Integers
    days_in_state: Floats
    days_off: Floats
    operated: Booleans
    represented: Booleans
    days_off_before: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).flags.writeable = False

    def __len__(self) -> int:
        return len(self.state)

    def off_work(self) -> Booleans:
        """Whether each worker is off work, shape (n_claims,)."""
        return np.isin(self.state, [STATE_CODE[name] for name in OFF_WORK_STATES])
