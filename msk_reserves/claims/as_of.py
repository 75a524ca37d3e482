"""The claims as they stood one evening: from the ledger known by then, or from a snapshot."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.book import Assumption, Decision, Payments
from msk_reserves.claims.cells import PLAIN_NUMBER, iso
from msk_reserves.claims.path import EVENT_CODE, IGNORED, OFF_CODES, walk
from msk_reserves.claims.representation import split_at_attorney
from msk_reserves.claims.schema import ReadingRules, calendar_day
from msk_reserves.claims.spells import Position, Spells
from msk_reserves.claims.statutes import statutory_rule
from msk_reserves.claims.vocabulary import CATEGORIES, COMPONENTS, STILL_IN_STATE

COMPONENT_OF: Integers = np.array([COMPONENTS.index(component) for component in CATEGORIES.values()], dtype=np.int64)

HALF_DAY = 0.5
"""Length given to a stay off work that began and ended on one day."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The parts of a book that depend on the date; `rows` are the rows of the tables that its claims come from."""

    rows: Integers
    claims: pd.DataFrame
    spells: Spells
    position: Position
    paid: pd.DataFrame
    payments: Payments | None
    decisions: tuple[Decision, ...]


def day_numbers(column: pd.Series) -> Floats:
    """Return a column of dates as days since 1970-01-01, NaN where empty."""
    stamps = column.to_numpy()
    days: Floats = np.where(
        np.isnat(stamps), np.nan, stamps.astype("datetime64[D]").astype(np.int64).astype(np.float64)
    )
    return days


def standing_claims(
    claims: pd.DataFrame, day: int | None, file_text: frozenset[str]
) -> tuple[pd.DataFrame, Integers, list[Decision]]:
    """Return the claims reported by `day` without what happened later, their rows in `claims`, and what was decided."""
    injury, report = day_numbers(claims["injury_date"]), day_numbers(claims["report_date"])
    reported = np.where(np.isnan(report), injury, report)
    rows = np.flatnonzero((reported <= day) if day is not None else np.ones(len(claims), dtype=np.bool_))
    if day is not None and not len(rows):
        raise ValueError(f"`date` must leave at least one reported claim, got {iso(day)}; give a later date")
    frame = claims.iloc[rows].reset_index(drop=True)
    decisions = []
    unsaid = frame["arrangement"].isna().to_numpy()
    if unsaid.any():
        decisions.append(Decision("arrangement_empty", int(unsaid.sum()), "claims without `arrangement`, taken as ffs"))
    arrangement = np.where(unsaid, "ffs", frame["arrangement"].to_numpy())
    if day is not None:
        later = day_numbers(frame["bundle_trigger_date"]) > day
        arrangement = np.where(later, "ffs", arrangement)
        frame["bundle_trigger_date"] = frame["bundle_trigger_date"].mask(later)
        frame["bundle_price"] = frame["bundle_price"].mask(later)
        frame["disability_start"] = frame["disability_start"].mask(day_numbers(frame["disability_start"]) > day)
        if later.any():
            decisions.append(
                Decision("trigger_to_come", int(later.sum()), "bundles not yet triggered, ffs on the date")
            )
    frame["arrangement"] = arrangement.astype(object)
    for name in frame.select_dtypes(object).columns:
        if name in file_text or frame[name].isna().all():
            frame[name] = _numbers_if_all(frame[name], decisions, from_file=name in file_text)
    start = day_numbers(frame["disability_start"])
    frame["injury_day"] = np.nan_to_num(injury[rows]).astype(np.int64)
    frame["report_day"] = np.nan_to_num(reported[rows]).astype(np.int64)
    frame["start_day"] = np.nan_to_num(np.where(np.isnan(start), injury[rows], start)).astype(np.int64)
    return frame, rows, decisions


STANDARD_TEXT = frozenset(("claim_id", "body_part", "jurisdiction", "arrangement"))


def _numbers_if_all(column: pd.Series, decisions: list[Decision], *, from_file: bool) -> pd.Series:
    """Turn a text covariate into numbers if every cell of these claims is one, so that later claims do not matter."""
    if column.name in STANDARD_TEXT:
        return column
    words = column.dropna()
    numeric = sum(bool(PLAIN_NUMBER.fullmatch(word)) for word in words) if from_file else 0
    if numeric < len(words):
        if numeric:
            meaning = f"numbers in the further column `{column.name}`, which also holds text and is taken as text"
            decisions.append(Decision(f"{column.name}_of_numbers_and_text", numeric, meaning))
        return column
    return pd.Series([np.nan if word is None else float(word) for word in column], index=column.index, dtype=np.float64)


def ledger_view(
    claims: pd.DataFrame,
    events: pd.DataFrame,
    payments: pd.DataFrame | None,
    rules: ReadingRules,
    day: int,
    file_text: frozenset[str],
) -> View:
    """Build the book's parts from the events and payments known by the evening of `day`."""
    frame, rows, decisions = standing_claims(claims, day, file_text)
    place = np.full(len(claims), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    happened = _known(events, place, day)
    owner, code = place[happened["claim"]], happened["event"]
    start = day_numbers(frame["disability_start"])
    injury = frame["injury_day"].to_numpy()
    stays = walk((owner, happened["day"], code), injury, start, day, rules.stable_days)
    off = np.isin(stays.state, OFF_CODES)
    ended = stays.next_state != STILL_IN_STATE
    days = (stays.left - stays.entered).astype(np.float64)
    zero = off & ended & (days == 0)
    observed = observed_from(frame, rules, stays.claim, stays.entered.astype(np.float64), off, stays.days_off_before)
    spells = Spells(
        claim=stays.claim,
        state=stays.state,
        entered=stays.entered,
        days=np.where(zero, HALF_DAY, days),
        next_state=stays.next_state,
        observed_from=observed,
        interval=np.zeros(len(days)),
        days_off_before=stays.days_off_before,
        operated=stays.operated,
    )
    retained = np.full(len(frame), np.inf)
    np.minimum.at(retained, owner[code == EVENT_CODE["attorney"]], happened["day"][code == EVENT_CODE["attorney"]])
    spells, same_day = split_at_attorney(spells, retained)
    last = spells.next_state == STILL_IN_STATE
    knife = np.zeros(len(frame), dtype=np.bool_)
    knife[owner[code == EVENT_CODE["surgery"]]] = True
    position = Position(
        state=spells.state[last],
        days_in_state=spells.days[last],
        days_off=(spells.days_off_before + np.where(np.isin(spells.state, OFF_CODES), spells.days, 0.0))[last],
        operated=knife,
        represented=np.isfinite(retained),
        days_off_before=spells.days_off_before[last],
        days_since_start=(spells.since_start() + spells.days)[last],
    )
    frame["releases_medical"] = _released(happened, owner, len(frame))
    counts = {**stays.counts, "half_day_stays": int(zero.sum()), "attorney_on_day_of_move": same_day}
    paid, known = _paid(payments, place, day, len(frame))
    return View(rows, frame, spells, position, paid, known, (*decisions, *_path_decisions(counts, rules)))


def _known(table: pd.DataFrame, place: Integers, day: int) -> dict[str, Any]:
    """Return the columns of a dated table for what was known on `day` of the claims then reported."""
    claim = table["claim"].to_numpy()
    kept = (table["known_day"].to_numpy() <= day) & (place[claim] >= 0)
    return {name: table[name].to_numpy()[kept] for name in table.columns}


def _released(happened: dict[str, Any], owner: Integers, n_claims: int) -> Floats:
    """Return whether the last settlement known to say so releases medical, NaN where unknown."""
    released = np.full(n_claims, np.nan)
    said = ~np.isnan(happened["releases_medical"])
    # Rows are in the order of time within a claim, so the last one written stands.
    released[owner[said]] = happened["releases_medical"][said]
    return released


def _paid(
    payments: pd.DataFrame | None, place: Integers, day: int, n_claims: int
) -> tuple[pd.DataFrame, Payments | None]:
    """Return the dollars paid by component, and the payments themselves."""
    if payments is None:
        return pd.DataFrame(np.full((n_claims, 3), np.nan), columns=list(COMPONENTS)), None
    known = _known(payments, place, day)
    owner, amount = place[known["claim"]], known["amount"]
    cell = owner * len(COMPONENTS) + COMPONENT_OF[known["category"]]
    sums = np.bincount(cell, weights=amount, minlength=n_claims * len(COMPONENTS)).reshape(n_claims, len(COMPONENTS))
    return pd.DataFrame(sums, columns=list(COMPONENTS)), Payments(owner, known["day"], known["category"], amount)


def observed_from(
    frame: pd.DataFrame, rules: ReadingRules, claim: Integers, entered: Floats, off: Booleans, off_before: Floats
) -> Floats:
    """Return the days in each stay before which its claim could not have been in the file.

    A late entry of the claim (report, take-over, trigger) truncates every stay begun before it; the waiting period
    truncates only the uninterrupted days off at the beginning.
    """
    start = frame["start_day"].to_numpy(dtype=np.float64)
    late = np.full(len(frame), -np.inf)
    waiting = start + np.nan_to_num(frame["waiting_days"].to_numpy(dtype=np.float64))
    if rules.entry_rule == "report":
        late = frame["report_day"].to_numpy(dtype=np.float64)
    elif rules.takeover_date is not None:
        late = np.full(len(frame), float(calendar_day(rules.takeover_date, "takeover_date")))
    elif rules.entry_rule == "trigger":
        late = np.nan_to_num(day_numbers(frame["bundle_trigger_date"]), nan=-np.inf)
    if rules.entry_rule in {"none", "report"}:
        waiting = np.full(len(frame), -np.inf)
    first_run = off & (off_before == entered - start[claim])
    entry = np.maximum(late[claim], np.where(first_run, waiting[claim], -np.inf))
    observed: Floats = np.maximum(entry - entered, 0.0)
    return observed


def _path_decisions(counts: dict[str, int], rules: ReadingRules) -> list[Decision]:
    """Name the rules that shaped the path, each with its count."""
    meanings = {
        "implied_off_work": "claims off work from `disability_start` without an off_work event on that day",
        "merged_returns": f"returns of less than {rules.stable_days:g} days, merged into the stay they interrupted",
        "half_day_stays": "stays off work that began and ended on one day, given half a day",
        "attorney_on_day_of_move": "attorneys retained on the day of a move, taken as half a day after it",
        "passed_through": "states passed through within one day, left out of the path",
        **IGNORED,
    }
    return [Decision(rule, counts[rule], meaning) for rule, meaning in meanings.items() if counts[rule]]


def assumptions_of(
    frame: pd.DataFrame, filled: pd.DataFrame, rules: ReadingRules, depth: str
) -> tuple[Assumption, ...]:
    """Say what the book assumes: entry into the file, the clock, the statutory rows in use."""
    meaning = {
        "waiting": "a claim enters the file when its waiting period is over",
        "none": "every claim is in the file from its first day",
        "report": "a claim enters the file when it is reported",
        "takeover": f"the file began on {rules.takeover_date} with the claims then open",
        "trigger": "a bundled claim enters the file at its trigger, any other after its waiting period",
    }
    made = [Assumption("entry_rule", rules.entry_rule, meaning[rules.entry_rule])]
    if depth == "summary":
        made.append(Assumption("days_off_clock", rules.days_off_clock, "option of the reading"))
        if rules.days_off_interval:
            made.append(Assumption("days_off_interval", f"{rules.days_off_interval:g} days", "option of the reading"))
    used = filled.any(axis=1).to_numpy()
    codes = sorted(set(frame["jurisdiction"].to_numpy()[used]))
    for name in filled.columns:
        n = int(filled[name].sum())
        if n:
            made.append(Assumption(f"{name}_from_statute", f"{n:,} claims", "statutory table of the package"))
    weak = [code for code in codes if statutory_rule(code).confidence == "low"]
    if weak:
        made.append(Assumption("statutory_rows_of_low_confidence", ", ".join(weak), "statutory table of the package"))
    return tuple(made)
