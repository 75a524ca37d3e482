"""Paths worked out by hand from a few events: what the reader must make of them."""

import numpy as np
import pandas as pd
import pytest

from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.read import load_tables
from msk_reserves.claims.schema import Reading
from msk_reserves.claims.vocabulary import STATES, STILL_IN_STATE

START = pd.Timestamp("2024-01-01")
"""First day off work: day 0 of the worked examples. The injury is the day before, the valuation is day 400."""

Stay = tuple[str, int, float, str]


def day(number: int) -> str:
    """Return a day of the worked example as a date."""
    return str((START + pd.Timedelta(days=number)).date())


CLAIM: dict[str, object] = {
    "claim_id": "C-1",
    "injury_date": day(-1),
    "body_part": "knee",
    "weekly_benefit": 600.0,
    "waiting_days": 7.0,
    "retro_days": 14.0,
    "max_weeks": np.nan,
    "disability_start": day(0),
}


def events_of(events: str) -> pd.DataFrame:
    """Read events written as 'day event, day event'."""
    rows = [entry.split() for entry in events.split(",") if entry.strip()]
    dates = [day(int(row[0])) for row in rows]
    columns = {"claim_id": ["C-1"] * len(rows), "date": dates, "event": [row[1] for row in rows]}
    return pd.DataFrame(columns, dtype=object)


def book_of(events: str, *, off: bool = True, at: int = 400, options: Reading | None = None) -> ClaimBook:
    """Build the book of one claim from its events."""
    claims = pd.DataFrame([CLAIM if off else {**CLAIM, "disability_start": None}])
    return load_tables(claims, events=events_of(events), **(options or Reading())).as_of(day(at))


def stays(book: ClaimBook) -> list[Stay]:
    """Return the stays as (state, day entered, days, next state)."""
    spells = book.spells
    start = (START - pd.Timestamp("1970-01-01")).days
    moved = ["" if code == STILL_IN_STATE else STATES[code] for code in spells.next_state]
    entered = (spells.entered - start).tolist()
    return list(zip([STATES[code] for code in spells.state], entered, spells.days.tolist(), moved, strict=True))


def after_injury(book: ClaimBook) -> list[Stay]:
    """Return the stays after the day at work between the injury and the first day off."""
    first, *rest = stays(book)
    return rest if first[:3] == ("at_work", -1, 1.0) else [first, *rest]


def counted(book: ClaimBook) -> dict[str, int]:
    """Return how often each rule of the path was applied."""
    return {decision.rule: decision.count for decision in book.decisions if decision.rule != "arrangement_empty"}


WORKED: list[tuple[str, str, list[Stay], dict[str, int]]] = [
    ("still off", "0 off_work", [("off_work", 0, 400.0, "")], {}),
    (
        "a return",
        "0 off_work, 40 return_to_work",
        [("off_work", 0, 40.0, "back_at_work"), ("back_at_work", 40, 360.0, "")],
        {},
    ),
    ("the first day off without its event", "", [("off_work", 0, 400.0, "")], {"implied_off_work": 1}),
    (
        "a relapse after exactly fourteen days",
        "0 off_work, 40 return_to_work, 54 off_work",
        [("off_work", 0, 40.0, "back_at_work"), ("back_at_work", 40, 14.0, "relapse"), ("relapse", 54, 346.0, "")],
        {},
    ),
    (
        "a return of thirteen days is none",
        "0 off_work, 40 return_to_work, 53 off_work, 90 return_to_work",
        [("off_work", 0, 90.0, "back_at_work"), ("back_at_work", 90, 310.0, "")],
        {"merged_returns": 1},
    ),
    (
        "two short returns in a row",
        "0 off_work, 10 modified_duty, 15 off_work, 20 modified_duty, 25 return_to_work, 30 off_work",
        [("off_work", 0, 400.0, "")],
        {"merged_returns": 2},
    ),
    (
        "modified duty and full duty together last long enough",
        "0 off_work, 10 modified_duty, 18 return_to_work, 25 off_work",
        [
            ("off_work", 0, 10.0, "modified_duty"),
            ("modified_duty", 10, 8.0, "back_at_work"),
            ("back_at_work", 18, 7.0, "relapse"),
            ("relapse", 25, 375.0, ""),
        ],
        {},
    ),
    (
        "closing between a short return and the next day off changes nothing",
        "0 off_work, 40 return_to_work, 42 close, 45 off_work",
        [("off_work", 0, 400.0, "")],
        {"merged_returns": 1, "closed_while_off": 1},
    ),
    (
        "surgery restarts the clock, twice",
        "0 off_work, 30 surgery, 50 surgery, 120 return_to_work",
        [
            ("off_work", 0, 30.0, "after_surgery"),
            ("after_surgery", 30, 20.0, "after_surgery"),
            ("after_surgery", 50, 70.0, "back_at_work"),
            ("back_at_work", 120, 280.0, ""),
        ],
        {},
    ),
    (
        "surgery on the first day off",
        "0 off_work, 0 surgery",
        [("after_surgery", 0, 400.0, "")],
        {"passed_through": 1},
    ),
    (
        "surgery at work moves nobody",
        "0 off_work, 40 return_to_work, 60 surgery",
        [("off_work", 0, 40.0, "back_at_work"), ("back_at_work", 40, 360.0, "")],
        {},
    ),
    (
        "surgery within a short return restarts the clock of the merged stay",
        "0 off_work, 40 return_to_work, 45 off_work, 45 surgery",
        [("off_work", 0, 45.0, "after_surgery"), ("after_surgery", 45, 355.0, "")],
        {"merged_returns": 1},
    ),
    (
        "off and back on one day",
        "0 off_work, 0 return_to_work",
        [("off_work", 0, 0.5, "back_at_work"), ("back_at_work", 0, 400.0, "")],
        {"half_day_stays": 1},
    ),
    (
        "off again and back on one day after a stable return",
        "0 off_work, 40 return_to_work, 100 return_to_work, 100 off_work",
        [
            ("off_work", 0, 40.0, "back_at_work"),
            ("back_at_work", 40, 60.0, "relapse"),
            ("relapse", 100, 0.5, "back_at_work"),
            ("back_at_work", 100, 300.0, ""),
        ],
        {"half_day_stays": 1},
    ),
    (
        "modified and full duty on one day",
        "0 off_work, 40 return_to_work, 40 modified_duty",
        [("off_work", 0, 40.0, "back_at_work"), ("back_at_work", 40, 360.0, "")],
        {"passed_through": 1},
    ),
    (
        "MMI and settlement on one day",
        "0 off_work, 200 settlement, 200 mmi",
        [("off_work", 0, 200.0, "settled"), ("settled", 200, 200.0, "")],
        {"passed_through": 1},
    ),
    ("closed while off work", "0 off_work, 50 close", [("off_work", 0, 400.0, "")], {"closed_while_off": 1}),
    (
        "closed and reopened",
        "0 off_work, 40 return_to_work, 100 close, 150 reopen",
        [
            ("off_work", 0, 40.0, "back_at_work"),
            ("back_at_work", 40, 60.0, "closed"),
            ("closed", 100, 50.0, "reopened"),
            ("reopened", 150, 250.0, ""),
        ],
        {},
    ),
    (
        "off work again out of a closed file",
        "0 off_work, 40 return_to_work, 100 close, 150 off_work, 160 reopen",
        [
            ("off_work", 0, 40.0, "back_at_work"),
            ("back_at_work", 40, 60.0, "closed"),
            ("closed", 100, 50.0, "relapse"),
            ("relapse", 150, 250.0, ""),
        ],
        {"no_move": 1},
    ),
    (
        "MMI, then back after all",
        "0 off_work, 200 mmi, 260 return_to_work",
        [("off_work", 0, 200.0, "mmi"), ("mmi", 200, 60.0, "back_at_work"), ("back_at_work", 260, 140.0, "")],
        {},
    ),
    (
        "a return from MMI interrupts no stay off work",
        "0 off_work, 200 mmi, 260 return_to_work, 265 off_work",
        [
            ("off_work", 0, 200.0, "mmi"),
            ("mmi", 200, 60.0, "back_at_work"),
            ("back_at_work", 260, 5.0, "relapse"),
            ("relapse", 265, 135.0, ""),
        ],
        {},
    ),
    (
        "MMI of a worker at work",
        "0 off_work, 40 return_to_work, 80 mmi",
        [("off_work", 0, 40.0, "back_at_work"), ("back_at_work", 40, 360.0, "")],
        {"mmi_at_work": 1},
    ),
    (
        "settled stays settled",
        "0 off_work, 100 settlement, 120 return_to_work, 140 off_work, 200 close",
        [("off_work", 0, 100.0, "settled"), ("settled", 100, 300.0, "")],
        {"after_settlement": 3},
    ),
    (
        "permanent total, then death",
        "0 off_work, 100 permanent_total, 300 death, 310 close",
        [("off_work", 0, 100.0, "permanent_total"), ("permanent_total", 100, 200.0, "dead"), ("dead", 300, 100.0, "")],
        {"after_death": 1},
    ),
    ("off work told twice", "0 off_work, 9 off_work", [("off_work", 0, 400.0, "")], {"already_off": 1}),
    (
        "an attorney during a stay: the twin, on the same clock",
        "0 off_work, 30 attorney, 90 return_to_work",
        [
            ("off_work", 0, 30.0, "off_work_represented"),
            ("off_work_represented", 0, 90.0, "back_at_work_represented"),
            ("back_at_work_represented", 90, 310.0, ""),
        ],
        {},
    ),
    (
        "an attorney before the first day off: represented at once",
        "-1 attorney, 0 off_work",
        [("off_work_represented", 0, 400.0, "")],
        {},
    ),
    (
        "an attorney on the day of a move: half a day after it, and the later event of two is none",
        "0 off_work, 40 return_to_work, 40 attorney, 60 attorney, 100 off_work",
        [
            ("off_work", 0, 40.0, "back_at_work"),
            ("back_at_work", 40, 0.5, "back_at_work_represented"),
            ("back_at_work_represented", 40, 60.0, "relapse_represented"),
            ("relapse_represented", 100, 300.0, ""),
        ],
        {"attorney_on_day_of_move": 1},
    ),
    (
        "a second operation of a represented worker, who settles",
        "0 off_work, 30 surgery, 40 attorney, 50 surgery, 80 mmi, 120 settlement",
        [
            ("off_work", 0, 30.0, "after_surgery"),
            ("after_surgery", 30, 10.0, "after_surgery_represented"),
            ("after_surgery_represented", 30, 20.0, "after_surgery_represented"),
            ("after_surgery_represented", 50, 30.0, "mmi_represented"),
            ("mmi_represented", 80, 40.0, "settled"),
            ("settled", 120, 280.0, ""),
        ],
        {},
    ),
    (
        "an attorney while the file is closed shows when the worker is off again",
        "0 off_work, 40 return_to_work, 100 close, 120 attorney, 150 off_work, 160 modified_duty",
        [
            ("off_work", 0, 40.0, "back_at_work"),
            ("back_at_work", 40, 60.0, "closed"),
            ("closed", 100, 50.0, "relapse_represented"),
            ("relapse_represented", 150, 10.0, "modified_duty_represented"),
            ("modified_duty_represented", 160, 240.0, ""),
        ],
        {},
    ),
    (
        "an attorney on the valuation date",
        "0 off_work, 400 attorney",
        [("off_work", 0, 400.0, "off_work_represented"), ("off_work_represented", 0, 400.0, "")],
        {},
    ),
    (
        "an attorney and a return on the valuation date: no half a day is left",
        "0 off_work, 400 attorney, 400 return_to_work",
        [("off_work", 0, 400.0, "back_at_work_represented"), ("back_at_work_represented", 400, 0.0, "")],
        {},
    ),
    (
        "modified duty before the first day off",
        "-1 modified_duty, 0 off_work",
        [("modified_duty", -1, 1.0, "off_work"), ("off_work", 0, 400.0, "")],
        {"passed_through": 0},
    ),
]


@pytest.mark.parametrize(("events", "expected", "counts"), [case[1:] for case in WORKED], ids=[c[0] for c in WORKED])
def test_a_path_worked_by_hand(events: str, expected: list[Stay], counts: dict[str, int]) -> None:
    """Events give the stays worked out by hand, and each rule applied is counted."""
    book = book_of(events)
    assert after_injury(book) == expected
    assert counted(book) == {rule: n for rule, n in counts.items() if n}


def test_the_order_of_rows_does_not_matter() -> None:
    """Events of one day are taken in a fixed order, whatever the order of their rows."""
    for _, events, expected, _ in WORKED:
        backwards = ",".join(reversed(events.split(",")))
        assert after_injury(book_of(backwards)) == expected


def test_a_medical_only_claim_is_at_work_from_the_injury() -> None:
    """A claim without `disability_start` is at work, through modified duty or not."""
    assert stays(book_of("", off=False)) == [("at_work", -1, 401.0, "")]
    assert stays(book_of("29 modified_duty", off=False)) == [
        ("at_work", -1, 30.0, "modified_duty"),
        ("modified_duty", 29, 371.0, ""),
    ]


def test_the_dead_stay_dead() -> None:
    """Death ends the last stay off work and begins one in which only death benefits are paid."""
    book = book_of("0 off_work, 100 death")
    assert after_injury(book) == [("off_work", 0, 100.0, "dead"), ("dead", 100, 300.0, "")]
    assert STATES[int(book.position.state[0])] == "dead"
    assert book.position.days_off[0] == 100


def test_the_position_adds_up_the_days_off() -> None:
    """Days off count every stay off work; those before the current stay are told apart."""
    book = book_of("0 off_work, 30 surgery, 50 return_to_work, 100 off_work, 90 attorney")
    position = book.position
    assert STATES[int(position.state[0])] == "relapse_represented"
    assert (position.days_in_state[0], position.days_off_before[0], position.days_off[0]) == (300, 50, 350)
    assert position.operated[0]
    assert position.represented[0]
    assert book.spells.days_off_before.tolist() == [0, 0, 30, 50, 50, 50]
    assert book.spells.operated.tolist() == [False, False, True, True, True, True]


BUNDLED = {"arrangement": "bundle", "bundle_price": 9e3}


@pytest.mark.parametrize(
    ("options", "claim", "expected"),
    [
        # Stays: off work from day 0, after surgery from day 3, back from day 40.
        ({"entry_rule": "none"}, {}, [0, 0, 0]),
        ({"entry_rule": "waiting"}, {}, [7, 4, 0]),
        ({"entry_rule": "report"}, {"report_date": day(60)}, [60, 57, 20]),
        ({"entry_rule": "takeover", "takeover_date": day(50)}, {}, [50, 47, 10]),
        ({"entry_rule": "takeover", "takeover_date": day(-20)}, {}, [7, 4, 0]),
        ({"entry_rule": "trigger"}, {}, [7, 4, 0]),
        ({"entry_rule": "trigger"}, {"bundle_trigger_date": day(30), **BUNDLED}, [30, 27, 0]),
        ({"entry_rule": "trigger"}, {"bundle_trigger_date": day(401), **BUNDLED}, [7, 4, 0]),
    ],
)
def test_the_entry_rule_sets_the_left_truncation(
    options: Reading, claim: dict[str, object], expected: list[float]
) -> None:
    """A stay is seen from the day its claim could have been in the file, and the rule is told."""
    rows = pd.DataFrame([{**CLAIM, **claim}])
    events = events_of("0 off_work, 3 surgery, 40 return_to_work")
    book = load_tables(rows, events=events, **options).as_of(day(400))
    assert book.spells.observed_from[1:].tolist() == expected
    assert (book.assumptions[0].name, book.assumptions[0].value) == ("entry_rule", options["entry_rule"])


def test_the_stable_return_is_an_option() -> None:
    """With `stable_days=0` every return counts; the default is fourteen days."""
    events = "0 off_work, 40 return_to_work, 45 off_work"
    assert len(after_injury(book_of(events, options={"stable_days": 0.0}))) == 3
    assert len(after_injury(book_of(events))) == 1


def test_a_claim_seen_before_its_disability_is_at_work() -> None:
    """Before the first day off the worker is at work; the view does not know what comes."""
    book = book_of("0 off_work", at=-1)
    assert stays(book) == [("at_work", -1, 0.0, "")]
    assert book.claims["disability_start"].isna().all()


def test_a_user_may_give_the_waiting_rule_without_a_jurisdiction() -> None:
    """Benefit and waiting rule given, no statute is used and no limit is set."""
    book = book_of("")
    assert book.claims[["weekly_benefit", "waiting_days", "retro_days"]].to_numpy().tolist() == [[600.0, 7.0, 14.0]]
    assert np.isnan(book.column("max_weeks")[0])
    assert [assumption.name for assumption in book.assumptions] == ["entry_rule"]


def test_days_off_at_summary_depth() -> None:
    """One row a claim: off work for `days_off`, then back at work until the snapshot."""
    claims = pd.DataFrame(
        {
            "claim_id": ["A", "B", "C"],
            "injury_date": [day(-1)] * 3,
            "disability_start": [day(0), day(0), None],
            "body_part": ["knee"] * 3,
            "weekly_wage": [900.0] * 3,
            "jurisdiction": ["TX"] * 3,
            "days_off": [21.0, 100.0, 0.0],
            "returned": [1, 0, 1],
            "medical_paid": [1.0, 2.0, np.nan],
        }
    )
    book = load_tables(claims, days_off_interval=7.0).as_of(day(200))
    assert stays(book) == [
        ("off_work", 0, 21.0, "back_at_work"),
        ("back_at_work", 21, 179.0, ""),
        ("off_work", 0, 100.0, ""),
        ("at_work", -1, 201.0, ""),
    ]
    assert book.spells.observed_from.tolist() == [7, 0, 7, 0]
    assert book.spells.interval.tolist() == [7, 0, 0, 0]
    assert [STATES[code] for code in book.position.state] == ["back_at_work", "off_work", "at_work"]
    assert book.position.days_in_state.tolist() == [179, 100, 201]
    assert np.isnan(book.paid["indemnity"]).all()
    assert book.paid["medical"].tolist()[:2] == [1.0, 2.0]

    late = load_tables(claims, days_off_clock="after_waiting").as_of(day(200))
    assert stays(late)[:2] == [("off_work", 7, 21.0, "back_at_work"), ("back_at_work", 28, 172.0, "")]
    assert late.spells.observed_from.tolist() == [0, 0, 0, 0]

    undated = claims.drop(columns=["injury_date", "disability_start"])
    bare = load_tables(undated, undated=True, days_off_clock="after_waiting", days_off_interval=28.0).as_of(None)
    assert bare.valuation_date is None
    assert bare.spells.days.tolist() == [21, 100]
    assert bare.spells.interval.tolist() == [21, 0]
    assert bare.spells.entered.tolist() == [0, 0]
    assert bare.spells.observed_from.tolist() == [0, 0]
    assert bare.position.days_in_state.tolist() == [0, 100, 0]
