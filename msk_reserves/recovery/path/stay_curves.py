"""Curves without a law of the stays of a book: how long they last, and where they end."""

from dataclasses import replace

import numpy as np

from msk_reserves._checks import Booleans, Integers, one_of
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import STATES, STILL_IN_STATE
from msk_reserves.recovery.curves.curves import CumulativeIncidence, SurvivalCurve
from msk_reserves.recovery.curves.nonparametric import aalen_johansen, kaplan_meier
from msk_reserves.recovery.path.transitions import AtRisk, stays_at_risk, stays_of


def stay_curve(
    book: ClaimBook,
    state: str = "off_work",
    *,
    target: str | None = None,
    start: float | str = "auto",
    variance: str = "greenwood",
) -> SurvivalCurve:
    """Estimate how long stays of a book in a state last, whatever ends them.

    Parameters
    ----------
    book : ClaimBook
        The claims; each stay is seen from its left truncation on, one known to end in a window ends on its last day.
    state : str
        Name of the state; stays of represented workers in its twin are among them, on the same clock.
    target : str, optional
        A state moved to, if it is the only one: with others, the curve of one of them is refused.
    start : float or "auto"
        As in `kaplan_meier`; by default from the day on which ten are at risk.
    variance : str
        As in `kaplan_meier`.

    Returns
    -------
    SurvivalCurve

    Raises
    ------
    ValueError
        If nobody is seen in the state, no stay ended, or `target` is one of several ends.

    Examples
    --------
    >>> import msk_reserves as msk
    >>> book = msk.load_sample("shoulder").as_of("2022-06-30")
    >>> float(stay_curve(book)(28.0)) > float(stay_curve(book)(91.0)) > 0
    True
    """
    stays, ended = _seen(book, state)
    if target is not None:
        ends = sorted({STATES[int(code)] for code in stays.next_state[ended]})
        if ends != [one_of(target, ends, "target")]:
            raise ValueError(
                f"`target` cannot be one of several ends of {state} ({', '.join(ends)}): the others are not censoring, "
                f"and one less such a curve overstates the share gone to {target}. Use `exit_shares(book, {state!r})`"
            )
    return kaplan_meier(stays.days, ended, entry=stays.entry, start=start, variance=variance)


def exit_shares(
    book: ClaimBook, state: str = "off_work", *, start: float | str = "auto", variance: str = "delta"
) -> CumulativeIncidence:
    """Estimate, day by day of a stay, the share of stays of a book gone to each state.

    Parameters
    ----------
    book, state, start : as in `stay_curve`.
    variance : str
        As in `aalen_johansen`.

    Returns
    -------
    CumulativeIncidence
        A row a state moved to, by name; moves to a twin are moves to its state.

    Raises
    ------
    ValueError
        If nobody is seen in the state, or no stay ended.

    Examples
    --------
    >>> import msk_reserves as msk
    >>> shares = exit_shares(msk.load_sample("shoulder").as_of("2022-06-30"))
    >>> "modified_duty" in shares.labels
    True
    """
    stays, ended = _seen(book, state)
    # Code 0 is a stay still running; states count from 1.
    cause: Integers = np.where(ended, stays.next_state + 1, 0)
    curves = aalen_johansen(stays.days, cause, entry=stays.entry, start=start, variance=variance)
    return replace(curves, labels=tuple(STATES[code - 1] for code in curves.causes))


def _seen(book: ClaimBook, state: str) -> tuple[AtRisk, Booleans]:
    """Return the stays in a state and whether each ended: an attorney splits a stay and does not end it."""
    groups = stays_at_risk(stays_of(book))[0]
    one_of(state, [group.state for group in groups], "state")
    stays = next(group for group in groups if group.state == state)
    twin = STATES.index(stays.twin) if stays.twin else STILL_IN_STATE
    return stays, (stays.next_state != STILL_IN_STATE) & (stays.next_state != twin)
