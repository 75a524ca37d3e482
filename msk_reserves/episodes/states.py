"""Which states of the path count as what to the inner loop."""

import numpy as np

from msk_reserves._checks import Booleans
from msk_reserves.claims.states import BASE_CODE
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATES
from msk_reserves.cost.cells import ORIGIN_MARK, REPRESENTED
from msk_reserves.episodes.arrays import PathStates

TAKEOVER_STATES = ("off_work", "relapse", "after_surgery", "modified_duty")
"""States in which an episode may be taken over, and whose end closes a window until return or MMI."""


def states_among(names: tuple[str, ...]) -> Booleans:
    """Say of each state whether it, or the state it is the twin of, is among `names`; shape (n_states,).

    Examples
    --------
    >>> int(states_among(("closed",)).sum())
    1
    """
    found: Booleans = np.array([STATES[base] in names for base in BASE_CODE])
    found.flags.writeable = False
    return found


IN_WINDOW = states_among(TAKEOVER_STATES)

PATH_STATES = PathStates(
    off_work=states_among(OFF_WORK_STATES),
    in_window=IN_WINDOW,
    back=states_among(("back_at_work",)),
    operated=states_among(("after_surgery",)),
    relapse=states_among(("relapse",)),
    settled=states_among(("settled",)),
    represented=REPRESENTED,
    origin_mark=ORIGIN_MARK,
)
"""The states of the path as the inner loop reads them."""
