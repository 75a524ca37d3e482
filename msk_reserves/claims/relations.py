"""The rules that hold between columns and between tables: orders of dates, events in a possible sequence."""

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.cells import empty_cells, iso
from msk_reserves.claims.columns import Table
from msk_reserves.claims.defects import Findings, Told
from msk_reserves.claims.schema import SCORE_LIMITS
from msk_reserves.claims.vocabulary import EVENTS, INSTRUMENTS

BUNDLE = 1
"""Code of `bundle` among the words of `arrangement`."""

LONGEST_PREPAYMENT = 365
"""Days by which a service may follow its payment."""


def blank(table: Table, name: str) -> Booleans:
    """Whether each cell of a column is empty in the source, unusable cells not counted; shape (n_rows,)."""
    cells = table.sheet.columns.get(name)
    return np.ones(len(table), dtype=np.bool_) if cells is None else empty_cells(cells)


def _late(values: Floats, name: str, other: Floats) -> list[str]:
    """Show two dates that stand in the wrong order."""
    return [Told(f"{iso(value)} with `{name}` {iso(limit)}") for value, limit in zip(values, other, strict=True)]


def check_claims(claims: Table, found: Findings) -> None:
    """Check the rules between the columns of claims."""
    values, note = claims.values, found.cells
    codes = claims.ids.codes
    copies = np.bincount(codes[codes >= 0], minlength=len(claims.ids.words))
    doubled = np.flatnonzero((codes >= 0) & (np.append(copies, 0)[codes] > 1))
    note("duplicate_claim", "claims", "claim_id", doubled, claims.ids.at(doubled))
    injury = values["injury_date"]
    for name, code in (
        ("report_date", "report_before_injury"),
        ("disability_start", "start_before_injury"),
        ("bundle_trigger_date", "trigger_before_injury"),
    ):
        rows = np.flatnonzero(values[name] < injury)
        note(code, "claims", name, rows, _late(values[name][rows], "injury_date", injury[rows]))
    _check_bundles(claims, found)
    _check_benefits(claims, found)


def _check_bundles(claims: Table, found: Findings) -> None:
    """Check that trigger and price go with a bundle, and a bundle with both."""
    bundled = claims.values["arrangement"] == BUNDLE
    unbundled = ~bundled & (~blank(claims, "arrangement") <= (claims.values["arrangement"] == 0))
    for name, needed, alone in (
        ("bundle_trigger_date", "bundle_without_trigger", "trigger_without_bundle"),
        ("bundle_price", "bundle_without_price", "price_without_bundle"),
    ):
        rows = np.flatnonzero(bundled & blank(claims, name))
        found.cells(needed, "claims", name, rows, [Told("an empty cell")] * len(rows))
        rows = np.flatnonzero(unbundled & ~np.isnan(claims.values[name]))
        shown = claims.values[name][rows].tolist()
        found.cells(alone, "claims", name, rows, [iso(day) for day in shown] if "date" in name else shown)


def _check_benefits(claims: Table, found: Findings) -> None:
    """Check that each claim's weekly benefit and waiting rule can be known."""
    if not claims.sheet.columns:
        return
    named = set(claims.sheet.columns)
    if not named & {"weekly_wage", "weekly_benefit"}:
        found.whole("missing_column", "claims", "weekly_wage", "neither `weekly_wage` nor `weekly_benefit`")
    else:
        rows = np.flatnonzero(blank(claims, "weekly_wage") & blank(claims, "weekly_benefit"))
        found.cells("no_wage", "claims", "weekly_wage", rows, [Told("two empty cells")] * len(rows))
    told = ~blank(claims, "weekly_benefit") & ~blank(claims, "waiting_days")
    told &= {"retro_days", "max_weeks"} <= named
    if "jurisdiction" not in named and not told.any():
        found.whole("missing_column", "claims", "jurisdiction", "no `jurisdiction`, and no waiting rule")
    else:
        rows = np.flatnonzero(blank(claims, "jurisdiction") & ~told)
        found.cells("no_jurisdiction", "claims", "jurisdiction", rows, [Told("an empty cell")] * len(rows))


def owners(child: Table, claims: Table) -> Integers:
    """Return the row in claims (the first, where an id is doubled) that each row belongs to, -1 for none."""
    place: dict[str, int] = {}
    for row, code in enumerate(claims.ids.codes.tolist()):
        if code >= 0:
            place.setdefault(claims.ids.words[code], row)
    rows = np.array([place.get(word, -1) for word in child.ids.words] + [-1], dtype=np.int64)
    return rows[child.ids.codes]


def check_child(child: Table, claims: Table, owner: Integers, found: Findings) -> None:
    """Check a table of dated rows against the claims they belong to."""
    name = child.sheet.table
    if claims.sheet.columns and child.ids.words:
        rows = np.flatnonzero((owner < 0) & (child.ids.codes >= 0))
        found.cells("unknown_claim", name, "claim_id", rows, child.ids.at(rows))
    injury = np.append(claims.values["injury_date"], np.nan)[owner]
    day, recorded = child.values["date"], child.values["recorded_date"]
    dated = ["service_date"] if name == "payments" else []
    for column in [] if name == "scores" else ["date", *dated]:
        values = child.values[column]
        rows = np.flatnonzero(values < injury)
        found.cells("before_injury", name, column, rows, _late(values[rows], "injury_date", injury[rows]))
    rows = np.flatnonzero(recorded < day)
    found.cells("recorded_before", name, "recorded_date", rows, _late(recorded[rows], "date", day[rows]))
    if name == "events":
        _check_sequence(child, claims, owner, found)
    if name == "payments":
        service = child.values["service_date"]
        rows = np.flatnonzero(service - day > LONGEST_PREPAYMENT)
        found.cells("service_after_payment", name, "service_date", rows, _late(service[rows], "date", day[rows]))
    if name == "scores":
        _check_scores(child, found)


def _check_scores(scores: Table, found: Findings) -> None:
    """Check each score against the scale of its instrument."""
    limits = np.array([SCORE_LIMITS[name] for name in INSTRUMENTS] + [np.inf])
    instrument, score = scores.values["instrument"].astype(np.int64), scores.values["score"]
    rows = np.flatnonzero((score < 0) | (score > limits[instrument]))
    shown = [
        Told(f"{score[row]:g} on {INSTRUMENTS[instrument[row]] if instrument[row] >= 0 else 'no scale'}")
        for row in rows
    ]
    found.cells("score_range", "scores", "score", rows, shown)


def check_exposure(exposure: Table, found: Findings) -> None:
    """Check the periods of exposure."""
    start, end = exposure.values["period_start"], exposure.values["period_end"]
    rows = np.flatnonzero(end < start)
    found.cells("end_before_period", "exposure", "period_end", rows, _late(end[rows], "period_start", start[rows]))
    if exposure.sheet.columns and not {"payroll", "full_time_equivalents"} & set(exposure.sheet.columns):
        found.whole("no_exposure_measure", "exposure", "", f"columns {', '.join(exposure.sheet.columns)}")


def _first_day(owner: Integers, day: Floats, chosen: Booleans, n_claims: int) -> Floats:
    """Return the first day of the chosen events by claim, infinite where there is none; shape (n_claims + 1,)."""
    first = np.full(n_claims + 1, np.inf)
    chosen = chosen & (owner >= 0) & ~np.isnan(day)
    np.minimum.at(first, owner[chosen], day[chosen])
    return first


def _check_sequence(events: Table, claims: Table, owner: Integers, found: Findings) -> None:
    """Check that the events of each claim can have happened in the order given."""
    day, event, n = events.values["date"], events.values["event"].astype(np.int64), len(claims)
    start = np.append(claims.values["disability_start"], np.nan)[owner]
    known = (owner >= 0) & (event >= 0)

    def those(*names: str) -> Booleans:
        chosen: Booleans = known & np.isin(event, [EVENTS.index(name) for name in names])
        return chosen

    def note(code: str, bad: Booleans, other: Floats | None = None, name: str = "") -> None:
        rows = np.flatnonzero(bad)
        shown = [
            Told(
                f"{EVENTS[event[row]]} on {'no usable date' if np.isnan(day[row]) else iso(day[row])}"
                + ("" if other is None else f", {name} {iso(other[row])}")
            )
            for row in rows
        ]
        found.cells(code, "events", "event", rows, shown)

    death = _first_day(owner, day, those("death"), n)[owner]
    moves = those("off_work", "modified_duty", "return_to_work", "mmi", "surgery", "permanent_total", "death")
    note("after_death", moves & (day > death), death, "death on")
    away = np.fmin(_first_day(owner, day, those("off_work", "modified_duty"), n)[owner], start)
    note("return_without_off", those("return_to_work") & (day < away))
    note("off_before_start", those("off_work") & (day < start), start, "disability_start")
    note(
        "end_before_start",
        those("mmi", "settlement", "permanent_total", "death") & (day < start),
        start,
        "disability_start",
    )
    undated = np.append(blank(claims, "disability_start"), [False])[owner]
    note("no_disability_start", those("off_work") & undated)
    note("reopen_without_close", those("reopen") & (day < _first_day(owner, day, those("close"), n)[owner]))
    released = ~np.isnan(events.values["releases_medical"]) & known & ~those("settlement")
    note("release_without_settlement", released)
