"""From dated events to stays in the states of the path back to work."""

from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.vocabulary import EVENTS, OFF_WORK_STATES, STATE_CODE, STATES, STILL_IN_STATE

EVENT_CODE = {name: code for code, name in enumerate(EVENTS)}

SAME_DAY_ORDER = (
    "reopen", "off_work", "surgery", "modified_duty", "return_to_work", "mmi",
    "settlement", "permanent_total", "death", "attorney", "close",
)  # fmt: skip
"""Order in which events of one claim on one day are taken."""

PRIORITY: Integers = np.array([SAME_DAY_ORDER.index(name) for name in EVENTS], dtype=np.int64)

AT_WORK, DEAD, CLOSED, REOPENED, SETTLED = (
    STATE_CODE[name] for name in ("at_work", "dead", "closed", "reopened", "settled")
)
OFF_CODES: Integers = np.array([STATE_CODE[name] for name in OFF_WORK_STATES], dtype=np.int64)
MOVERS = ("off_work", "modified_duty", "return_to_work", "mmi", "settlement", "permanent_total", "death")

NO_MOVE, OFF_AGAIN = -1, -2

IGNORED = {
    "already_off": "off_work events of workers already off work",
    "closed_while_off": "files closed while the worker was off work: not a return, the stay goes on",
    "after_settlement": "moves and closings after a settlement, which only permanent total and death end",
    "after_death": "events after death",
    "mmi_at_work": "maximum medical improvement of a worker at work: rated, not moved",
    "no_move": "events that change nothing: the worker is in that state already, or the file was not closed or open",
}
"""Reasons for which an event moves nobody, and what each means."""


def _moves() -> tuple[Integers, Integers]:
    """Build the table of moves (state held, event) → state, and of the reasons where there is none."""
    target = np.full((len(STATES), len(EVENTS)), NO_MOVE, dtype=np.int64)
    reason = np.full_like(target, list(IGNORED).index("no_move"))
    anywhere = {"settlement": "settled", "permanent_total": "permanent_total", "death": "dead"}
    for state, code in STATE_CODE.items():
        if state == "dead":
            reason[code] = list(IGNORED).index("after_death")
            continue
        ends = {"permanent_total", "death"} if state == "settled" else set(anywhere)
        for event in ends:
            target[code, EVENT_CODE[event]] = STATE_CODE[anywhere[event]]
        if state == "settled":
            reason[code] = list(IGNORED).index("after_settlement")
            continue
        target[code, EVENT_CODE["modified_duty"]] = STATE_CODE["modified_duty"]
        if state != "at_work":
            target[code, EVENT_CODE["return_to_work"]] = STATE_CODE["back_at_work"]
        if state in OFF_WORK_STATES:
            target[code, EVENT_CODE["surgery"]] = STATE_CODE["after_surgery"]
            reason[code, EVENT_CODE["off_work"]] = list(IGNORED).index("already_off")
        elif state != "permanent_total":
            target[code, EVENT_CODE["off_work"]] = OFF_AGAIN
        if state not in {"at_work", "back_at_work", "permanent_total"}:
            target[code, EVENT_CODE["mmi"]] = STATE_CODE["mmi"]
        elif state != "permanent_total":
            reason[code, EVENT_CODE["mmi"]] = list(IGNORED).index("mmi_at_work")
    # A move to the state already held is none; a second operation restarts the clock of `after_surgery`.
    here = (target == np.arange(len(STATES))[:, None]) & (np.arange(len(EVENTS)) != EVENT_CODE["surgery"])
    target[here] = NO_MOVE
    return target, reason


TARGET, REASON = _moves()


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """The stays of all claims, in the order claim, then time; shape (n_stays,) but for `counts`.

    Attributes
    ----------
    claim, state, entered, operated : claim, state, day of entry, whether operated on by then.
    left : day the stay ended, or the valuation day; of the same length.
    next_state : state moved to, or `STILL_IN_STATE`.
    days_off_before : days off work on the claim before the stay.
    counts : how often each rule was applied.
    """

    claim: Integers
    state: Integers
    entered: Integers
    operated: Booleans
    left: Integers
    next_state: Integers
    days_off_before: Floats
    counts: dict[str, int]


def walk(
    events: tuple[Integers, Integers, Integers],
    injury_day: Integers,
    start_day: Floats,
    valuation_day: int,
    stable_days: float,
) -> Walk:
    """Walk every claim through its events up to the valuation day.

    Parameters
    ----------
    events : claim row, day and code into `EVENTS` of what is known, shapes (n_events,), in any order.
    injury_day : day of injury of each claim, shape (n_claims,).
    start_day : first day off work, NaN for a claim without; shape (n_claims,).
    valuation_day : last day known.
    stable_days : a return that lasts less is merged into the stay it interrupted.

    Returns
    -------
    Walk
        At least one stay a claim; the last of each is where the claim stands.

    Examples
    --------
    >>> off, back = EVENTS.index("off_work"), EVENTS.index("return_to_work")
    >>> rows = np.array([0, 0]), np.array([10, 40]), np.array([off, back])
    >>> stays = walk(rows, np.array([10]), np.array([10.0]), 100, 14)
    >>> [STATES[code] for code in stays.state], (stays.left - stays.entered).tolist()
    (['off_work', 'back_at_work'], [30, 60])
    """
    claim, day, event, implied = _ordered(events, start_day)
    merged, n_merged = _short_returns(claim, day, event, stable_days)
    kept = ~merged
    raw, ignored = _take(claim[kept], day[kept], event[kept], injury_day)
    counts = {"implied_off_work": implied, "merged_returns": n_merged, **ignored}
    return _tidy(raw, valuation_day, counts)


def _ordered(
    events: tuple[Integers, Integers, Integers], start_day: Floats
) -> tuple[Integers, Integers, Integers, int]:
    """Add an off_work event on each `disability_start` that has none, and put all in order."""
    claim, day, event = events
    off = event == EVENT_CODE["off_work"]
    started = ~np.isnan(start_day)
    told = np.zeros(len(start_day), dtype=np.bool_)
    told[claim[off & (day == start_day[claim])]] = True
    untold = np.flatnonzero(started & ~told)
    claim = np.concatenate([claim, untold])
    day = np.concatenate([day, start_day[untold].astype(np.int64)])
    event = np.concatenate([event, np.full(len(untold), EVENT_CODE["off_work"], dtype=np.int64)])
    order = np.lexsort((PRIORITY[event], day, claim))
    return claim[order], day[order], event[order], len(untold)


def _short_returns(claim: Integers, day: Integers, event: Integers, stable_days: float) -> tuple[Booleans, int]:
    """Mark the events of returns that were too short to count, with the off_work events that ended them.

    A return begins with the first of modified_duty and return_to_work after the worker was off, and is short if the
    next off_work comes less than `stable_days` later. Closing and reopening the file in between do not matter.
    """
    marked = np.zeros(len(claim), dtype=np.bool_)
    moving = np.flatnonzero(np.isin(event, [EVENT_CODE[name] for name in MOVERS]))
    code = event[moving]
    rated = np.zeros(len(moving), dtype=np.bool_)
    rated[1:] = (code[1:] == EVENT_CODE["mmi"]) & (code[:-1] == EVENT_CODE["return_to_work"])
    rated[1:] &= claim[moving[1:]] == claim[moving[:-1]]
    moving = moving[~rated]
    code = event[moving]
    back = np.isin(code, [EVENT_CODE["modified_duty"], EVENT_CODE["return_to_work"]])
    place = np.arange(len(moving))
    before = np.full(len(moving), -1, dtype=np.int64)
    before[1:] = np.maximum.accumulate(np.where(back, -1, place))[:-1]
    first_back = before + 1
    short = (code == EVENT_CODE["off_work"]) & (before >= 0) & (first_back < place)
    ends = np.flatnonzero(short)
    ends = ends[
        (claim[moving[ends]] == claim[moving[before[ends]]])
        & (code[before[ends]] == EVENT_CODE["off_work"])
        & (day[moving[ends]] - day[moving[first_back[ends]]] < stable_days)
    ]
    steps = np.zeros(len(moving) + 1, dtype=np.int64)
    np.add.at(steps, first_back[ends], 1)
    np.add.at(steps, ends + 1, -1)
    marked[moving[np.cumsum(steps)[:-1] > 0]] = True
    return marked, len(ends)


def _take(
    claim: Integers, day: Integers, event: Integers, injury_day: Integers
) -> tuple[tuple[Integers, Integers, Integers, Booleans], dict[str, int]]:
    """Take the k-th event of every claim at once, k = 1, 2, …, and note each state entered."""
    n = len(injury_day)
    first = np.searchsorted(claim, np.arange(n))
    count = np.searchsorted(claim, np.arange(n), side="right") - first
    busiest = np.argsort(-count, kind="stable")
    held = np.full(n, AT_WORK, dtype=np.int64)
    closed, operated, ever_off = (np.zeros(n, dtype=np.bool_) for _ in range(3))
    entries = [(np.arange(n), held.copy(), injury_day.astype(np.int64), operated.copy())]
    ignored = np.zeros(len(IGNORED), dtype=np.int64)
    for k in range(int(count.max(initial=0))):
        who = busiest[: int(np.searchsorted(-count[busiest], -k, side="left"))]
        what = event[first[who] + k]
        state = held[who]
        target = TARGET[state, what]
        again = np.where(ever_off[who], STATE_CODE["relapse"], STATE_CODE["off_work"])
        target = np.where(target == OFF_AGAIN, again, target)
        off = np.isin(state, OFF_CODES)
        moves = target >= 0
        closes = (what == EVENT_CODE["close"]) & ~closed[who] & ~off & (state != DEAD) & (state != SETTLED)
        reopens = (what == EVENT_CODE["reopen"]) & closed[who]
        operated[who[(what == EVENT_CODE["surgery"]) & (state != DEAD)]] = True
        shown = np.where(moves, target, np.where(closes, CLOSED, REOPENED))
        held[who] = np.where(moves, target, state)
        closed[who] = (closed[who] | closes) & ~(moves | reopens)
        ever_off[who] |= np.isin(held[who], OFF_CODES)
        seen = moves | closes | reopens
        entries.append((who[seen], shown[seen], day[first[who] + k][seen], operated[who][seen]))
        silent = ~seen & (what != EVENT_CODE["surgery"]) & (what != EVENT_CODE["attorney"])
        reason = REASON[state, what]
        reason = np.where((what == EVENT_CODE["close"]) & off, list(IGNORED).index("closed_while_off"), reason)
        ignored += np.bincount(reason[silent], minlength=len(IGNORED))
    who, state, entered, knife = (np.concatenate(column) for column in zip(*entries, strict=True))
    order = np.argsort(who, kind="stable")
    counts = dict(zip(IGNORED, ignored.tolist(), strict=True))
    return (who[order], state[order], entered[order], knife[order]), counts


def _tidy(raw: tuple[Integers, Integers, Integers, Booleans], valuation_day: int, counts: dict[str, int]) -> Walk:
    """Close each stay where the next begins, and drop states passed through on one day."""
    claim, state, entered, operated = raw
    off = np.isin(state, OFF_CODES)
    last, left = _ends(claim, entered, valuation_day)
    # Off work and operated on the same day is one move, into recovery from surgery.
    through = (left == entered) & ~last & (~off | np.append(off[1:], False))
    kept = ~through
    counts["passed_through"] = int((through & (state != AT_WORK)).sum())
    claim, state, entered, operated = claim[kept], state[kept], entered[kept], operated[kept]
    same = np.zeros(len(claim), dtype=np.bool_)
    same[1:] = (claim[1:] == claim[:-1]) & (state[1:] == state[:-1]) & ~np.isin(state[1:], OFF_CODES)
    claim, state, entered, operated = claim[~same], state[~same], entered[~same], operated[~same]
    last, left = _ends(claim, entered, valuation_day)
    next_state = np.where(last, STILL_IN_STATE, np.append(state[1:], STILL_IN_STATE))
    length = np.where(np.isin(state, OFF_CODES), left - entered, 0).astype(np.float64)
    total = np.cumsum(length) - length
    begins = np.flatnonzero(np.append(True, claim[1:] != claim[:-1]))
    before = total - np.repeat(total[begins], np.diff(np.append(begins, len(claim))))
    return Walk(claim, state, entered, operated, left, next_state, before, counts)


def _ends(claim: Integers, entered: Integers, valuation_day: int) -> tuple[Booleans, Integers]:
    """Return which stay is the last of its claim, and the day each ends."""
    last = np.append(claim[1:] != claim[:-1], True)
    left = np.where(last, valuation_day, np.append(entered[1:], valuation_day))
    return last, left
