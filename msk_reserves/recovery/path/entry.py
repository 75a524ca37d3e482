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


def entry_columns(first: int) -> frozenset[int]:
    """Return the numbers of the columns of a design that start at `first`; none for -1."""
    return frozenset(range(first, first + len(ENTRY_SCORES))) if first >= 0 else frozenset()


def entered(design: Floats, first: int, since: Floats) -> Floats:
    """Return rows of a design with their columns of how late the stay began, which start at `first`, filled in.

    Parameters
    ----------
    design : numpy.ndarray, shape (n_stays, n_columns)
        A row a stay.
    first : int
        The first of the columns; -1 where the design has none, which is then returned as it is.
    since : numpy.ndarray, shape (n_stays,)
        Days from the start of each path to that of the stay.

    Examples
    --------
    >>> entered(np.zeros((2, 4)), 1, np.array([0.0, 400.0])).tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 3.0, 1.0]]
    """
    if first < 0:
        return design
    filled = design.copy()
    filled[:, first : first + len(ENTRY_SCORES)] = np.array(ENTRY_SCORES).T[entry_steps(since)]
    return filled


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
