"""Stays of workers who retain an attorney: in the twin of each state from that day on."""

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.spells import Spells
from msk_reserves.claims.states import TWIN_CODE
from msk_reserves.claims.vocabulary import STILL_IN_STATE

SAME_DAY = 0.5
"""Days after a move at which an attorney retained on the day of the move counts as retained."""


def split_at_attorney(spells: Spells, retained: Floats) -> tuple[Spells, int]:
    """Move workers to the twins of their states from the day an attorney was retained.

    Parameters
    ----------
    spells : Spells
        The stays without regard to attorneys, in the order claim, then time.
    retained : numpy.ndarray, shape (n_claims,)
        Calendar day on which each claim's worker was first represented, infinite for the others.

    Returns
    -------
    tuple of Spells and int
        The stay that holds the day in two rows; every later one in the twin of its state where there is one; and the
        number of stays in which an attorney was retained on the day they began, taken as half a day later.

    Notes
    -----
    The clock of the stay goes on, so the second row is a stay observed from the days at which the first ended. The day
    of a move belongs to the stay it begins: the move itself is that of a worker not yet represented. A stay begun on
    the valuation date has no half a day, and is in the twin whole.
    """
    day = retained[spells.claim]
    entered = spells.entered.astype(np.float64)
    after = entered > day
    held = (entered <= day) & np.append(after[1:] | (spells.claim[1:] != spells.claim[:-1]), [True])
    held &= np.isfinite(day)
    has_twin = TWIN_CODE[spells.state] != spells.state
    same_day = held & (entered == day)
    onset = np.where(same_day, SAME_DAY, np.where(held, day - entered, 0.0))
    split = held & has_twin & ~(same_day & (spells.days <= SAME_DAY))
    state = np.where(after | (held & ~split), TWIN_CODE[spells.state], spells.state)
    row = np.repeat(np.arange(len(spells)), 1 + split)
    second = np.append(False, row[1:] == row[:-1])
    first = np.append(second[1:], [False])
    columns = {name: getattr(spells, name)[row] for name in Spells.__slots__}
    state = np.where(second, TWIN_CODE[state[row]], state[row])
    following = np.append(state[1:], [STILL_IN_STATE])
    ended = first | (columns["next_state"] != STILL_IN_STATE)
    observed = columns["observed_from"]
    columns |= {
        "state": state,
        "days": np.where(first, onset[row], columns["days"]),
        "next_state": np.where(ended, following, STILL_IN_STATE),
        "observed_from": np.where(second, np.maximum(onset[row], observed), observed),
    }
    return Spells(**columns), int((same_day & split).sum())
