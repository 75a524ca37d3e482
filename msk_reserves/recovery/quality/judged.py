"""Stays of one state beside what a recovery said of them, from a day on which all were under observation."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers, frozen, not_negative, one_of
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.spells import Spells
from msk_reserves.claims.states import BASE_CODE
from msk_reserves.claims.vocabulary import STATE_CODE, STILL_IN_STATE
from msk_reserves.recovery.path.mixture import present_stay
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.recovery.path.transitions import AtRisk, Stays, Transition, stays_at_risk
from msk_reserves.recovery.quality.calibration import Calibration, Observed, calibration, observed_shares
from msk_reserves.recovery.quality.censoring import Watched
from msk_reserves.recovery.quality.concordance import Concordance, concordance
from msk_reserves.recovery.quality.scores import BrierScores, brier_score

WEEK = 7.0
HORIZONS = (13 * WEEK, 26 * WEEK, 52 * WEEK)
"""Days since a stay began at which predictions are judged by default."""

MOST_STAYS = 20_000
"""Stays of a state judged at most, evenly spaced: a share then has an error of a third of a point."""

_NODES = 40
_CLAIMS_AT_ONCE = 2000


@dataclass(frozen=True, slots=True, eq=False)
class JudgedStays:
    """The stays of a state, and the predicted probability that each had ended by some moves by some days.

    Attributes
    ----------
    state : name of the state; that of its twin is one with it, retaining an attorney being no end of a stay.
    targets : the moves predicted, by the state moved to (or its twin).
    claim : row of the claim of each stay; shape (n_stays,).
    represented : whether an attorney had been retained by the day from which the stay is judged; shape (n_stays,).
    stays : days and exits, 1 for a move to one of `targets`, 2 for another; all watched from `stays.start`.
    left_out : stays over by that day, or seen only from later on.
    thinned : stays left out because 20,000 evenly spaced ones are enough.
    horizons : days of the predictions; shape (n_days,).
    predicted : probability of a move to one of `targets` by each day, given the stay lasted beyond `stays.start`;
        shape (n_stays, n_days).
    """

    state: str
    targets: tuple[str, ...]
    claim: Integers
    represented: Booleans
    stays: Watched
    left_out: int
    thinned: int
    horizons: Floats
    predicted: Floats

    def __repr__(self) -> str:
        gone = int((self.stays.exit == 1).sum())
        return (
            f"{len(self.stays):,} stays in {self.state} watched from day {self.stays.start:g} ({self.left_out:,} left "
            f"out), {gone:,} moves to {' or '.join(self.targets)}"
            + (f"; {self.thinned:,} more not needed" if self.thinned else "")
        )

    def calibration(self, horizon: float, *, groups: int = 10) -> Calibration:
        """Return the calibration of the predictions for one of `horizons`; see `calibration`."""
        share = self.predicted[:, self._place(horizon)]
        return calibration(share, self.stays.days, self.stays.exit, horizon, start=self.stays.start, groups=groups)

    def brier(self) -> BrierScores:
        """Return the Brier scores at `horizons`; see `brier_score`."""
        return brier_score(
            self.predicted, self.stays.days, self.stays.exit, self.horizons.tolist(), start=self.stays.start
        )

    def concordance(self, horizon: float) -> Concordance:
        """Return Uno's concordance of the predictions for one of `horizons` with the moves up to then."""
        share = self.predicted[:, self._place(horizon)]
        return concordance(share, self.stays.days, self.stays.exit, method="uno", truncation=horizon)

    def by_group(self, group: Integers, horizon: float) -> Observed:
        """Return predicted and observed shares for one of `horizons` by group, numbered from 0 without a gap."""
        return observed_shares(self.stays, self.predicted[:, self._place(horizon)], group, horizon, 1)

    def watched_to(self, horizon: float) -> bool:
        """Whether enough stays are watched to `horizon` for a score."""
        try:
            self.stays.inverse_weights(horizon)
        except ValueError:
            return False
        return True

    def _place(self, horizon: float) -> int:
        """Column of a horizon."""
        found = np.flatnonzero(self.horizons == horizon)
        if not len(found):
            raise ValueError(f"`horizon` must be one of {self.horizons.tolist()}, got {horizon}")
        return int(found[0])


def judged_stays(
    recovery: Recovery,
    book: ClaimBook,
    *,
    state: str = "off_work",
    targets: Sequence[str] | None = None,
    horizons: Sequence[float] = HORIZONS,
    start: float | str = "auto",
) -> JudgedStays:
    """Return the stays of one state with the predicted probability of some moves out of it.

    Parameters
    ----------
    recovery : Recovery
        The model.
    book : ClaimBook
        The claims it is judged on: those it was fitted to, or others with the same columns.
    state : str
        A state the recovery has moves out of.
    targets : sequence of str, optional
        States moved to that count as one exit; by default the return to work, full or on modified duty.
    horizons : sequence of float
        Days since the stay began, ascending.
    start : float or "auto"
        Day to which survival is given. "auto" takes the day of entry that leaves most stays to judge.

    Returns
    -------
    JudgedStays

    Raises
    ------
    ValueError
        If the state has no stays or no such move, or a horizon lies not beyond the start.

    Notes
    -----
    Stays seen only from later than the start on are left out: given survival to the start and entry independent of the
    length, those kept are like all. An exit known to a window counts at its middle. The probabilities are cumulative
    incidences under the cause-specific hazards, each move averaged over its laws; an attorney may be retained later.
    """
    known = list(dict.fromkeys(move.target for move in recovery.transitions_from(state) if not move.continues))
    wanted = returns_from(recovery, state) if targets is None else tuple(targets)
    for name in wanted:
        one_of(name, known, "targets")
    if not wanted:
        raise ValueError(f"`targets` must name moves out of {state!r}; the recovery has {', '.join(known) or 'none'}")
    group, claim, retained = _whole_stays(book, state)
    days = middle_days(group)
    if isinstance(start, str):
        one_of(start, ("auto",), "start")
    begin = _common_start(group.entry, days) if isinstance(start, str) else not_negative(start, "start")
    grid = frozen(horizons, "horizons")
    if not len(grid) or (np.diff(grid) <= 0).any() or grid[0] <= begin:
        raise ValueError(f"`horizons` must ascend from beyond the start, {begin:g}; got {grid.tolist()}")
    able = np.flatnonzero((days > begin) & (group.entry <= begin))
    if not len(able):
        raise ValueError(f"`start` must leave stays to judge; none is watched from day {begin:g} on")
    keep = able[evenly(len(able), MOST_STAYS)]
    codes = [STATE_CODE[name] for name in wanted]
    exits = np.where(group.next_state == STILL_IN_STATE, 0, np.where(np.isin(group.next_state, codes), 1, 2))
    stays = Watched(days[keep], exits[keep].astype(np.int64), np.ones(len(keep)), begin)
    represented = retained[keep] <= begin
    design = recovery.design.of_stays(book.claims, claim[keep], group.since[keep])
    predicted = _predicted(recovery, state, (design, represented, group.since[keep]), (begin, grid, wanted))
    for column in (predicted, represented):
        column.flags.writeable = False
    counts = (len(days) - len(able), len(able) - len(keep))
    return JudgedStays(state, wanted, claim[keep], represented, stays, *counts, grid, predicted)


def evenly(n: int, most: int) -> Integers:
    """Return evenly spaced places among `n`, at most `most` of them."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))


def returns_from(recovery: Recovery, state: str) -> tuple[str, ...]:
    """Return the states at work that `state` is left for."""
    targets = dict.fromkeys(move.target for move in recovery.transitions_from(state))
    return tuple(name for name in targets if name in recovery.space.working)


def moves_from(recovery: Recovery, state: str, *, marked: bool) -> tuple[Transition, ...]:
    """Return the moves that end a stay in `state`, or (`marked`) in its twin; those seen in one alone serve both."""
    own = [move for move in recovery.transitions_from(state) if not move.continues]
    if not marked:
        return tuple(own)
    base, twin = recovery.space.base_of, recovery.space.twin_of.get(state, "")
    there = recovery.transitions_from(twin)
    known = {base[move.target] for move in there}
    return (*there, *(move for move in own if move.target not in known))


def middle_days(group: AtRisk) -> Floats:
    """Return the days of the stays, an exit known to a window at the window's middle but after entry."""
    ended = group.next_state != STILL_IN_STATE
    if group.twin:
        # The day an attorney was retained is known, whatever is known of the exit that follows.
        ended &= ~group.exited(group.twin)
    days = np.where(ended, group.days - 0.5 * group.interval, group.days)
    return np.where(days > group.entry, days, group.days)


def _whole_stays(book: ClaimBook, state: str) -> tuple[AtRisk, Integers, Floats]:
    """Return the stays of a state, twins joined to it, their claims, and the day in each an attorney was retained by.

    The day is 0 where the stay began represented and infinite where it has not been so.
    """
    spells = book.spells
    joined = spells.joined()
    n = len(joined)
    every = Stays(
        row=np.arange(n, dtype=np.int64),
        state=joined.state,
        next_state=joined.next_state,
        days=joined.days,
        entry=joined.observed_from,
        interval=joined.interval,
        since=joined.since_start(),
        weight=np.ones(n),
    )
    group = next((one for one in stays_at_risk(every)[0] if one.state == state), None)
    if group is None:
        raise ValueError(f"`book` must hold stays in {state!r}, it has none")
    return group, joined.claim[group.row], _retained(spells, n)[group.row]


def _retained(spells: Spells, n: int) -> Floats:
    """Return by joined stay the days in it at which an attorney was retained; shape (n,)."""
    began = spells.began()
    place = np.cumsum(began == 0) - 1
    in_twin = spells.state != BASE_CODE[spells.state]
    retained = np.full(n, np.inf)
    retained[place[in_twin]] = began[in_twin]
    return retained


def _common_start(entry: Floats, days: Floats) -> float:
    """Return the entry day from which most stays are watched; the earliest at a tie."""
    at = np.unique(entry)
    entered = np.searchsorted(np.sort(entry), at, side="right")
    over = np.searchsorted(np.sort(days), at, side="right")
    return float(at[np.argmax(entered - over)])


def _predicted(
    recovery: Recovery, state: str, who: tuple[Floats, Booleans, Floats], asked: tuple[float, Floats, Sequence[str]]
) -> Floats:
    """Return the probability of moves to `asked` states by each day given survival to the start, (n_stays, n_days)."""
    design, represented, since = who
    begin, horizons, targets = asked
    far = float(horizons[-1]) - begin
    nodes = np.unique(np.concatenate([far * np.linspace(0.0, 1.0, _NODES) ** 2, horizons - begin]))
    at = np.searchsorted(nodes, horizons - begin)
    twin = recovery.space.twin_of.get(state, "")
    result = np.zeros((len(design), len(horizons)))
    for marked, name in ((False, state), (True, twin if recovery.transitions_from(twin) else state)):
        rows = np.flatnonzero(represented == marked)
        for first in range(0, len(rows), _CLAIMS_AT_ONCE):
            some = rows[first : first + _CLAIMS_AT_ONCE]
            clocks = np.full(len(some), begin), since[some] + begin
            _, gone = present_stay(recovery.fitted, name, design[some], clocks, nodes)
            for target, share in gone.items():
                if recovery.space.base_of[target] in targets:
                    result[some] += share[:, at]
    return np.clip(result, 0.0, 1.0)
