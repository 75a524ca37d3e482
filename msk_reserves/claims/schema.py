"""The columns of each table, what a cell may hold, and the options of a reading."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypedDict

import pandas as pd

from msk_reserves._checks import not_negative, one_of
from msk_reserves.claims.statutes import JURISDICTIONS
from msk_reserves.claims.vocabulary import BODY_PARTS, CATEGORIES, COMPONENTS, EVENTS, INSTRUMENTS

TABLES = ("claims", "events", "payments", "case_reserves", "scores", "exposure")

ENTRY_RULES = ("waiting", "none", "report", "takeover", "trigger")
"""From when on a stay could have been in the file; see `load_tables`."""

SCORE_LIMITS: Mapping[str, float] = MappingProxyType({name: 10.0 if name == "nprs" else 100.0 for name in INSTRUMENTS})
"""Highest score of each instrument; the lowest is 0."""

COVARIATES = frozenset(
    ("sex", "injury_type", "job_demand", "industry", "employer_id", "comorbidities", "married", "hospitalised")
)
"""Covariates the data model names: never taken for a misspelling."""

DERIVED = ("injury_day", "report_day", "start_day")
"""Columns the book adds; a user's column may not carry these names."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    kind : "id", "date", "number", "flag" (0 or 1), "word" (one of `words`) or "text".
    need : "required" (column present, no cell empty), "present" (column present) or "optional".
    low, high : limits of a number.
    above_zero : whether zero itself is refused.
    whole : whether fractions are refused.
    words : the allowed words, in code order.
    """

    kind: str
    need: str = "optional"
    low: float = 0.0
    high: float = float("inf")
    above_zero: bool = False
    whole: bool = False
    words: tuple[str, ...] = ()


ID = Column("id", "required")
DATE = Column("date")
DAY_OF = Column("date", "required")
MOST = 1e12
"""Dollars, units or weeks beyond which a number is not believed."""

AMOUNT = Column("number", high=MOST)
ABOVE_ZERO = Column("number", above_zero=True, high=MOST)
DAYS_OFF = Column("number", high=36_525.0)
FLAG = Column("flag")

CLAIMS: Mapping[str, Column] = MappingProxyType(
    {
        "claim_id": ID,
        "injury_date": DAY_OF,
        "report_date": DATE,
        "disability_start": DATE,
        "body_part": Column("word", "required", words=BODY_PARTS),
        "age": Column("number", high=110.0),
        "weekly_wage": ABOVE_ZERO,
        "weekly_benefit": ABOVE_ZERO,
        "jurisdiction": Column("word", words=JURISDICTIONS),
        "arrangement": Column("word", words=("ffs", "bundle")),
        "bundle_trigger_date": DATE,
        "bundle_price": ABOVE_ZERO,
        "waiting_days": Column("number", high=365.0, whole=True),
        "retro_days": Column("number", high=36_525.0, whole=True),
        "max_weeks": ABOVE_ZERO,
        "days_off": DAYS_OFF,
        "returned": FLAG,
        "medical_paid": AMOUNT,
        "indemnity_paid": AMOUNT,
        "expense_paid": AMOUNT,
        "operated": FLAG,
        "represented": FLAG,
        "releases_medical": FLAG,
    }
)

SNAPSHOT_COLUMNS = (
    "days_off", "returned", "medical_paid", "indemnity_paid", "expense_paid",
    "operated", "represented", "releases_medical",
)  # fmt: skip
"""Columns that say how a claim stood on the day of the extract: used at summary depth only."""

CHILDREN: Mapping[str, Mapping[str, Column]] = MappingProxyType(
    {
        "events": {
            "claim_id": ID,
            "date": DAY_OF,
            "event": Column("word", "required", words=EVENTS),
            "recorded_date": DATE,
            "releases_medical": FLAG,
        },
        "payments": {
            "claim_id": ID,
            "date": DAY_OF,
            "category": Column("word", "required", words=tuple(CATEGORIES)),
            "amount": Column("number", "required", low=-MOST, high=MOST),
            "service_date": DATE,
            "units": AMOUNT,
            "billed": AMOUNT,
            "recorded_date": DATE,
        },
        "case_reserves": {
            "claim_id": ID,
            "date": DAY_OF,
            "component": Column("word", "required", words=COMPONENTS),
            "outstanding": Column("number", "required", high=MOST),
            "recorded_date": DATE,
        },
        "scores": {
            "claim_id": ID,
            "date": DAY_OF,
            "instrument": Column("word", "required", words=INSTRUMENTS),
            "score": Column("number", "required", low=float("-inf")),
            "recorded_date": DATE,
        },
        "exposure": {
            "period_start": DAY_OF,
            "period_end": DAY_OF,
            "payroll": AMOUNT,
            "full_time_equivalents": AMOUNT,
        },
    }
)


def columns_of(table: str, *, ledger: bool, undated: bool) -> dict[str, Column]:
    """Return the columns of `table` with what this depth and this dating need of them."""
    if table != "claims":
        return dict(CHILDREN[table])
    columns = dict(CLAIMS)
    if undated:
        columns["injury_date"] = DATE
    if not ledger:
        columns["days_off"] = replace(DAYS_OFF, need="required")
        columns["returned"] = Column("flag", "required")
        columns["medical_paid"] = replace(AMOUNT, need="present")
    return columns


class Reading(TypedDict, total=False):
    """Options of `load_tables` and `read_sql`, by keyword."""

    categories: Mapping[str, str]
    events_map: Mapping[str, str]
    on_defect: str
    undated: bool
    days_off_interval: float
    days_off_clock: str
    entry_rule: str
    takeover_date: "str | pd.Timestamp | None"
    stable_days: float


@dataclass(frozen=True, slots=True)
class ReadingRules:
    """The options of a reading, checked once; their meaning is in `load_tables`."""

    categories: Mapping[str, str] = field(default_factory=dict)
    events_map: Mapping[str, str] = field(default_factory=dict)
    on_defect: str = "raise"
    undated: bool = False
    days_off_interval: float = 0.0
    days_off_clock: str = "first_day_off"
    entry_rule: str = "waiting"
    takeover_date: "str | pd.Timestamp | None" = None
    stable_days: float = 14.0

    def __post_init__(self) -> None:
        for name, allowed in (("categories", tuple(CATEGORIES)), ("events_map", EVENTS)):
            for code, ours in getattr(self, name).items():
                one_of(ours, allowed, f"{name}[{code!r}]")
        one_of(self.on_defect, ("raise", "set_aside"), "on_defect")
        one_of(self.days_off_clock, ("first_day_off", "after_waiting"), "days_off_clock")
        one_of(self.entry_rule, ENTRY_RULES, "entry_rule")
        not_negative(self.days_off_interval, "days_off_interval")
        not_negative(self.stable_days, "stable_days")
        if (self.entry_rule == "takeover") != (self.takeover_date is not None):
            raise ValueError(
                "`takeover_date` must be given with `entry_rule='takeover'` and only then, "
                f"got entry_rule={self.entry_rule!r}, takeover_date={self.takeover_date!r}"
            )
        if self.undated and self.entry_rule in {"report", "takeover", "trigger"}:
            raise ValueError(
                f"`entry_rule` {self.entry_rule!r} needs dates; an undated table takes 'waiting' or 'none'"
            )
        if self.takeover_date is not None:
            calendar_day(self.takeover_date, "takeover_date")

    def words_map(self, column: str) -> Mapping[str, str]:
        """Return the user's words for ours in `column`."""
        return {"category": self.categories, "event": self.events_map}.get(column, {})


def calendar_day(date: "str | pd.Timestamp", name: str) -> int:
    """Return a date as days since 1970-01-01, or raise `ValueError` naming the argument."""
    try:
        stamp = pd.Timestamp(dt.date.fromisoformat(date) if isinstance(date, str) else date)
    except (ValueError, TypeError) as problem:
        raise ValueError(f"`{name}` must be a date such as '2025-06-30', got {date!r}") from problem
    if isinstance(date, int | float) or pd.isna(stamp) or stamp.tzinfo is not None or stamp != stamp.normalize():
        raise ValueError(f"`{name}` must be a date without time of day or time zone, got {date!r}")
    return int((stamp - pd.Timestamp("1970-01-01")).days)
