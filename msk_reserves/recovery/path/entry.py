"""How late on a claim's path a stay began, as columns of the design that a move may use."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, Integers

ENTRY_WEEKS = (0, 13, 26, 52, 104)
"""Weeks since the path began from which a stay that begins counts as entered so late; in steps, so that stays that
begin later can be followed in five kinds."""

ENTRY_SCORES = ((0.0, 1.0, 1.0, 1.0, 1.0), (0.0, 1.0, 2.0, 3.0, 4.0), (0.0, 0.25, 0.5, 1.0, 2.0))
"""What each step scores, by shape of the effect: once and for all after a quarter, by doublings of it, by years."""

_ENTRY_NAMES = ("entered after 13 weeks", "entered late, doublings of 13 weeks", "entered late, years")


def entry_steps(since: Floats) -> Integers:
    """Return how late stays began, by the days from the start of the path, as the step of `ENTRY_WEEKS`.

    Examples
    --------
    >>> entry_steps(np.array([0.0, 91.0, 400.0, 5_000.0])).tolist()
    [0, 1, 3, 4]
    """
    return np.searchsorted(7.0 * np.array(ENTRY_WEEKS), since, side="right") - 1


@dataclass(frozen=True, slots=True)
class EntryTerm:
    """The columns of how late a stay began: of a claim's stays, not of the claim, so zero until they are filled in."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in the order of `ENTRY_SCORES`."""
        return _ENTRY_NAMES

    @property
    def sources(self) -> tuple[str, ...]:
        """No column of the claims."""
        return ()

    @property
    def gaps(self) -> tuple[tuple[str, int], ...]:
        """Nothing is missing."""
        return ()

    def values(self, claims: pd.DataFrame) -> Floats:
        """Return zeros, shape (n_claims, 3)."""
        return np.zeros((len(claims), len(ENTRY_SCORES)))

    def unseen(self, claims: pd.DataFrame) -> Mapping[str, int]:
        """Return nothing: there are no levels."""
        del claims
        return {}
