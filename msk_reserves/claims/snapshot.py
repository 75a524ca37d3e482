"""The claims of a summary table: one row a claim, its stay off work as long as `days_off`."""

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats
from msk_reserves.claims.as_of import View, day_numbers, observed_from, standing_claims
from msk_reserves.claims.schema import ReadingRules
from msk_reserves.claims.spells import Position, Spells
from msk_reserves.claims.vocabulary import COMPONENTS, STATE_CODE, STILL_IN_STATE

OFF_WORK, AT_WORK, BACK_AT_WORK = (STATE_CODE[name] for name in ("off_work", "at_work", "back_at_work"))


def snapshot_view(claims: pd.DataFrame, rules: ReadingRules, day: int | None, file_text: frozenset[str]) -> View:
    """Build the book's parts from one row a claim."""
    frame, rows, decisions = standing_claims(claims, day, file_text)
    days_off, returned = _column(frame, "days_off"), _column(frame, "returned") == 1
    stayed = returned & (days_off == 0)
    end = np.where(stayed, _column(frame, "injury_day"), clock_start(frame, rules) + days_off)
    since = np.zeros(len(frame)) if day is None else day - end
    operated = _column(frame, "operated") == 1
    position = Position(
        state=np.select([stayed, returned], [AT_WORK, BACK_AT_WORK], OFF_WORK).astype(np.int64),
        days_in_state=np.where(returned, since, days_off),
        days_off=days_off.copy(),
        operated=operated,
        represented=_column(frame, "represented") == 1,
        days_off_before=np.where(returned, days_off, 0.0),
        days_since_start=days_off + np.where(returned, since, 0.0),
    )
    paid = pd.DataFrame({name: _column(frame, f"{name}_paid") for name in COMPONENTS})
    return View(rows, frame, _spells(frame, position, rules, day), position, paid, None, tuple(decisions))


def _column(frame: pd.DataFrame, name: str) -> Floats:
    """Return a column as floats."""
    values: Floats = frame[name].to_numpy(dtype=np.float64)
    return values


def _spells(frame: pd.DataFrame, position: Position, rules: ReadingRules, day: int | None) -> Spells:
    """Lay out the stay off work of each claim and, where there are dates, the stay at work it is in now."""
    days_off, begin = position.days_off, clock_start(frame, rules)
    left_work = position.state != AT_WORK
    back = position.state == BACK_AT_WORK
    at_work = ~left_work | back
    away = _stays(
        left_work,
        state=np.full(len(frame), OFF_WORK),
        entered=begin,
        days=days_off,
        next_state=np.where(back, BACK_AT_WORK, STILL_IN_STATE),
        # A unit longer than the stay cannot reach back before its beginning.
        interval=np.where(back, np.minimum(rules.days_off_interval, days_off), 0.0),
        days_off_before=np.zeros(len(frame)),
        operated=np.zeros(len(frame), dtype=np.bool_),
    )
    working = _stays(
        at_work & (day is not None),
        state=position.state,
        entered=np.where(back, begin + days_off, _column(frame, "injury_day")),
        days=position.days_in_state,
        next_state=np.full(len(frame), STILL_IN_STATE),
        interval=np.zeros(len(frame)),
        days_off_before=position.days_off_before,
        operated=position.operated & back,
    )
    stays = pd.concat([away, working]).sort_values("claim", kind="stable")
    claim, state = stays["claim"].to_numpy(), stays["state"].to_numpy()
    entered = np.floor(stays["entered"].to_numpy())
    # A clock that starts after the waiting period has left that truncation behind.
    off = (state == OFF_WORK) & (rules.days_off_clock == "first_day_off")
    columns = {name: stays[name].to_numpy(copy=True) for name in stays}
    columns["entered"] = entered.astype(np.int64)
    before = columns["days_off_before"]
    return Spells(**columns, observed_from=observed_from(frame, rules, claim, entered, off, before))


def _stays(rows: Booleans, **columns: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> pd.DataFrame:
    """Lay out one stay for each claim chosen."""
    return pd.DataFrame({"claim": np.flatnonzero(rows), **{name: values[rows] for name, values in columns.items()}})


def clock_start(frame: pd.DataFrame, rules: ReadingRules) -> Floats:
    """Return the day on which `days_off` begins to count, shape (n_claims,)."""
    start = _column(frame, "start_day")
    if rules.days_off_clock == "after_waiting" and not rules.undated:
        start = start + np.nan_to_num(_column(frame, "waiting_days"))
    return start


def runs_past(claims: pd.DataFrame, rules: ReadingRules, day: int) -> Floats:
    """Return the last day that each summary row speaks of where it lies after `day`, else NaN; shape (n_claims,)."""
    dated = {name: day_numbers(claims[name]) for name in ("injury_date", "report_date", "disability_start")}
    start = np.where(np.isnan(dated["disability_start"]), dated["injury_date"], dated["disability_start"])
    frame = pd.DataFrame({"start_day": start, "waiting_days": claims["waiting_days"]})
    last: Floats = np.fmax.reduce([clock_start(frame, rules) + _column(claims, "days_off"), *dated.values()])
    return np.where(last > day, last, np.nan)
