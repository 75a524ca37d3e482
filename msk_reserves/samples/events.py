"""The dated events of every life, when the payer learned of each, and the closing and reopening of files."""

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, Integers
from msk_reserves.samples.draws import Entries, lognormal, spread, stream
from msk_reserves.samples.endings import Endings
from msk_reserves.samples.first_stay import FirstStay
from msk_reserves.samples.settings import NEVER, Settings
from msk_reserves.samples.stays import MMI, PERMANENT_TOTAL, RETURN, Stays
from msk_reserves.samples.workers import Workers

QUIET_DAYS, QUIET_DAYS_SERIOUS = 230.0, 560.0
"""Median days without activity before a file is closed: longer where an award may still be due."""
SERIOUS_DAYS_OFF = 90

# On one date the order of the words below is the order in which things happen.
_ORDER = (
    "reopen", "attorney", "off_work", "surgery", "modified_duty", "return_to_work", "mmi", "permanent_total",
    "settlement", "death", "close",
)  # fmt: skip


def _dated(claim: Integers, day: Integers, event: str) -> pd.DataFrame:
    return pd.DataFrame({"claim": claim, "day": day, "event": event})


def _path_events(first: FirstStay, stays: Stays, endings: Endings) -> list[pd.DataFrame]:
    """Moves of the worker, operations and attorneys."""
    returns = stays.exit == RETURN
    modified = returns & (stays.modified_days > 0)
    full = returns & ~stays.fails
    frames = [
        _dated(stays.claim, stays.start_day, "off_work"),
        _dated(stays.claim[modified], stays.end_day[modified], "modified_duty"),
        _dated(stays.claim[full], stays.back_day[full], "return_to_work"),
        _dated(stays.claim[stays.exit == MMI], stays.end_day[stays.exit == MMI], "mmi"),
    ]
    total = stays.exit == PERMANENT_TOTAL
    frames.append(_dated(stays.claim[total], stays.end_day[total], "permanent_total"))
    for name, day in (("surgery", first.surgery_day), ("attorney", first.attorney_day)):
        claim = np.flatnonzero(day < NEVER)
        frames.append(_dated(claim, day[claim], name))
    claim = np.flatnonzero(endings.settlement_day < NEVER)
    frames.append(_dated(claim, endings.settlement_day[claim], "settlement"))
    # Deaths are noticed where something is still owed for life.
    noticed = (endings.death_day < NEVER) & (endings.exit != RETURN)
    claim = np.flatnonzero(noticed)
    frames.append(_dated(claim, endings.death_day[claim], "death"))
    return frames


def _signs_of_life(workers: Workers, stays: Stays, payments: Entries) -> tuple[Integers, Integers]:
    """Return claim and day of everything that keeps a file open: payments, notice, and each month off work."""
    away = stays.days + stays.modified_days
    row, place = spread(1 + away // 30)
    month = np.minimum(stays.start_day[row] + 30 * place, stays.back_day[row])
    claims = [payments.claim, np.arange(len(workers)), stays.claim[row], stays.claim]
    days = [payments.day, workers.report_day, month, stays.back_day]
    return np.concatenate(claims), np.concatenate(days)


def _quiet_days(workers: Workers, first: FirstStay, rng: np.random.Generator) -> Floats:
    """Draw how long a file stays quiet before it is closed, from what the payer knows of the claim."""
    serious = first.impaired | first.surgical | (first.days > SERIOUS_DAYS_OFF) | (first.attorney_day < NEVER)
    median = np.where(serious, QUIET_DAYS_SERIOUS, np.where(workers.lost_time, QUIET_DAYS, 45.0))
    return np.asarray(np.maximum(lognormal(rng, median, 0.3, len(workers)), 20))


def _file_events(
    workers: Workers, first: FirstStay, stays: Stays, payments: Entries, moves: pd.DataFrame, settings: Settings
) -> list[pd.DataFrame]:
    """Close a file after a quiet time, reopen it when something comes back."""
    rng = stream(settings.seed, "files")
    quiet = _quiet_days(workers, first, rng)
    claim, day = _signs_of_life(workers, stays, payments)
    claim = np.concatenate([claim, moves["claim"].to_numpy(dtype=np.int64)])
    day = np.concatenate([day, moves["day"].to_numpy(dtype=np.int64)])
    kept = day <= settings.end_day
    claim, day = claim[kept], day[kept]
    order = np.lexsort((day, claim))
    claim, day = claim[order], day[order]
    following = np.r_[np.where(claim[1:] == claim[:-1], day[1:], NEVER), NEVER]
    closes = np.flatnonzero((following - day > quiet[claim]) & (day + quiet[claim] <= settings.end_day))
    closed = day[closes] + np.rint(quiet[claim[closes]]).astype(np.int64)
    reopens = following[closes] < NEVER
    late = np.maximum(following[closes], closed + 1)
    return [_dated(claim[closes], closed, "close"), _dated(claim[closes][reopens], late[reopens], "reopen")]


def draw_events(
    workers: Workers, first: FirstStay, stays: Stays, endings: Endings, payments: Entries, settings: Settings
) -> pd.DataFrame:
    """Return every event up to the world's end: columns claim, day, event, recorded_day, releases_medical."""
    rng = stream(settings.seed, "events")
    moves = pd.concat(_path_events(first, stays, endings), ignore_index=True)
    files = _file_events(workers, first, stays, payments, moves, settings)
    events = pd.concat([moves, *files], ignore_index=True)
    events = events[events["day"] <= settings.end_day]
    events["rank"] = events["event"].map({name: rank for rank, name in enumerate(_ORDER)})
    events = events.sort_values(["claim", "day", "rank"], kind="stable", ignore_index=True)
    claim, day = events["claim"].to_numpy(dtype=np.int64), events["day"].to_numpy(dtype=np.int64)
    lag = np.minimum(np.floor(rng.exponential(2.5, len(events))), 10).astype(np.int64)
    by_payer = events["event"].isin(["close", "reopen", "settlement"]).to_numpy(dtype=np.bool_)
    events["recorded_day"] = np.maximum(day + np.where(by_payer, 0, lag), workers.report_day[claim])
    released = endings.releases_medical[claim].astype(float)
    events["releases_medical"] = np.where(events["event"] == "settlement", released, np.nan)
    return events.drop(columns="rank")
