"""All claims walked at once give what a step-by-step walk of each gives."""

import numpy as np
from hypothesis import given, settings, strategies as st

from msk_reserves.claims.path import MOVERS, SAME_DAY_ORDER, walk
from msk_reserves.claims.vocabulary import EVENTS, OFF_WORK_STATES, STATES, STILL_IN_STATE

MOVES = {"modified_duty": "modified_duty", "return_to_work": "back_at_work", "mmi": "mmi"}
ENDS = {"settlement": "settled", "permanent_total": "permanent_total", "death": "dead"}


def short_returns(events: list[tuple[int, str]]) -> set[int]:
    """Return the places of events that make up returns of less than fourteen days."""
    dropped: set[int] = set()
    run: list[int] = []
    before = previous = ""
    for place, (day, event) in enumerate(events):
        rated = event == "mmi" and previous == "return_to_work"
        previous = event if event in MOVERS else previous
        if event in {"modified_duty", "return_to_work"}:
            run.append(place)
        elif event in MOVERS and not rated:
            if event == before == "off_work" and run and day - events[run[0]][0] < 14:
                dropped |= {*run, place}
            before, run = event, []
    return dropped


def one_path(events: list[tuple[int, str]], injury: int, start: int | None, today: int) -> list[tuple[str, int, int]]:
    """Walk one claim step by step, as a clerk would: (state, day entered, day left) of each stay."""
    if start is not None and (start, "off_work") not in events:
        events = [*events, (start, "off_work")]
    events = sorted(events, key=lambda event: (event[0], SAME_DAY_ORDER.index(event[1])))
    dropped = short_returns(events)
    state, closed, ever_off = "at_work", False, False
    path: list[tuple[str, int]] = [(state, injury)]
    for day, event in [event for place, event in enumerate(events) if place not in dropped]:
        new = next_state(state, event, ever_off=ever_off)
        if new:
            state, closed = new, False
            path.append((state, day))
        elif event == "close" and not closed and state not in {*OFF_WORK_STATES, "settled", "dead"}:
            closed = True
            path.append(("closed", day))
        elif event == "reopen" and closed:
            closed = False
            path.append(("reopened", day))
        ever_off |= state in OFF_WORK_STATES
    return stays_of(path, today)


def next_state(state: str, event: str, *, ever_off: bool) -> str:
    """Return the state an event moves to, or '' for none."""
    off = state in OFF_WORK_STATES
    if state == "dead" or (state == "settled" and event not in {"permanent_total", "death"}):
        return ""
    if event == "off_work":
        return "" if off or state == "permanent_total" else ("relapse" if ever_off else "off_work")
    if event == "surgery":
        return "after_surgery" if off else ""
    if (event == "return_to_work" and state == "at_work") or (
        event == "mmi" and state in {"at_work", "back_at_work", "permanent_total"}
    ):
        return ""
    new = {**MOVES, **ENDS}.get(event, "")
    return "" if new == state else new


def stays_of(path: list[tuple[str, int]], today: int) -> list[tuple[str, int, int]]:
    """Turn states with their days of entry into stays."""
    kept: list[tuple[str, int]] = []
    for place, (state, day) in enumerate(path):
        after, leaves = path[place + 1] if place + 1 < len(path) else ("", -1)
        passed = leaves == day and (state not in OFF_WORK_STATES or after in OFF_WORK_STATES)
        again = kept and kept[-1][0] == state and state not in OFF_WORK_STATES
        if not passed and not again:
            kept.append((state, day))
    ends = [day for _, day in kept[1:]] + [today]
    return [(state, day, end) for (state, day), end in zip(kept, ends, strict=True)]


@settings(max_examples=300, deadline=None)
@given(
    claims=st.lists(
        st.tuples(
            st.lists(st.tuples(st.integers(0, 60), st.sampled_from(EVENTS)), max_size=12),
            st.one_of(st.none(), st.integers(0, 30)),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_the_walk_agrees_with_a_clerk(claims: list[tuple[list[tuple[int, str]], int | None]]) -> None:
    """All claims at once give the stays of a step-by-step walk, on sequences however odd."""
    flat = [(row, day, EVENTS.index(event)) for row, (events, _) in enumerate(claims) for day, event in events]
    columns = np.array(flat, dtype=np.int64).reshape(-1, 3).T
    start = np.array([np.nan if day is None else day for _, day in claims])
    injury = np.zeros(len(claims), dtype=np.int64)
    got = walk((columns[0], columns[1], columns[2]), injury, start, 100, 14.0)
    for row, (events, day) in enumerate(claims):
        mine = got.claim == row
        stays = [
            (STATES[state], int(entered), int(left))
            for state, entered, left in zip(got.state[mine], got.entered[mine], got.left[mine], strict=True)
        ]
        assert stays == one_path(events, 0, day, 100)
        assert got.next_state[mine].tolist() == [STATES.index(state) for state, _, _ in stays[1:]] + [STILL_IN_STATE]
        off = [end - begin if state in OFF_WORK_STATES else 0 for state, begin, end in stays]
        assert got.days_off_before[mine].tolist() == (np.cumsum(off) - off).tolist()
