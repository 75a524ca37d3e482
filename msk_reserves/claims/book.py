"""The claims as they stood on one evening: what every later room works from."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.spells import Position, Spells
from msk_reserves.claims.states import BASE_CODE
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class InputFile:
    """One table as it was read: its name, its origin, its rows and the SHA-256 of its content."""

    table: str
    origin: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One rule applied while reading the claims, and how often."""

    rule: str
    count: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something assumed, not measured: what, the value, where it comes from."""

    name: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Judged:
    """Figures that are judged, with defaults, and a field `source` that says by whom."""

    def whose(self) -> str:
        """Return the source, and not that of the defaults where one of the figures is another."""
        default = {one.name: one.default for one in fields(self)}
        now = {name: getattr(self, name) for name in default}
        changed = now != default and now["source"] == default["source"]
        return "given by the user" if changed else str(now["source"])


@dataclass(frozen=True, slots=True)
class SetAside:
    """Claims left out because their rows were defective: which, and the dollars paid on them."""

    claim_ids: tuple[str, ...] = ()
    paid: float = 0.0
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Payments:
    """The payments known on the valuation date; every column has shape (n_payments,).

    Attributes
    ----------
    claim : row of the claim in the book's `claims`.
    day : calendar day paid, days since 1970-01-01.
    category : code into `CATEGORY_NAMES`.
    amount : dollars; negative for voids and recoveries.
    """

    claim: Integers
    day: Integers
    category: Integers
    amount: Floats

    def __post_init__(self) -> None:
        for column in (self.claim, self.day, self.category, self.amount):
            column.flags.writeable = False

    def __len__(self) -> int:
        return len(self.claim)


@dataclass(frozen=True, slots=True, eq=False)
class ClaimBook:
    """Claims reported by one valuation date, with nothing in them that was learned later.

    Attributes
    ----------
    valuation_date : the date, or None for an undated book.
    valuation_day : the same as days since 1970-01-01 (0 for an undated book).
    depth : "summary" or "ledger".
    claims : one row a claim: the columns of the data model, then `injury_day`, `report_day`, `start_day` (first day
        off work, or the injury for a claim without; days since 1970-01-01, 0 where undated), `weekly_benefit`,
        `waiting_days`, `retro_days`, `max_weeks` (NaN where no limit), all filled in from the statutory table where the
        user gave none. Index 0..n-1, in the order of `claim_id`.
    spells : the stays behind the path so far.
    position : where each claim stands now.
    paid : dollars paid to date by component, NaN where the source does not say; columns medical, indemnity, expense.
    payments : the dated payments, or None at summary depth.
    decisions : the rules applied while reading, each with its count.
    assumptions : what was assumed while reading.
    inputs : the tables read, with their hashes.
    set_aside : the claims left out.
    exposure : what new claims arise from, by period, for the periods that had ended by the date; None where not given.
    """

    valuation_date: "pd.Timestamp | None"
    valuation_day: int
    depth: str
    claims: "pd.DataFrame"
    spells: Spells
    position: Position
    paid: "pd.DataFrame"
    payments: Payments | None
    decisions: tuple[Decision, ...]
    assumptions: tuple[Assumption, ...]
    inputs: tuple[InputFile, ...]
    set_aside: SetAside
    exposure: "pd.DataFrame | None" = None

    def __len__(self) -> int:
        return len(self.claims)

    def __repr__(self) -> str:
        when = "undated" if self.valuation_date is None else f"as of {self.valuation_date.date()}"
        off = int(self.position.off_work().sum())
        return f"{len(self):,} claims {when}, {self.depth} depth, {off:,} workers off work"

    def column(self, name: str) -> Floats:
        """Return a numeric column of `claims` as floats, shape (n_claims,)."""
        values: Floats = self.claims[name].to_numpy(dtype=np.float64, na_value=np.nan)
        return values

    def state_counts(self) -> Mapping[str, int]:
        """Count the claims by what they are now: off_work, modified_duty, back_at_work, other, closed."""
        groups = {**dict.fromkeys(OFF_WORK_STATES, "off_work"), "modified_duty": "modified_duty", "closed": "closed"}
        groups |= dict.fromkeys(("back_at_work", "at_work"), "back_at_work")
        counts = dict.fromkeys(("off_work", "modified_duty", "back_at_work", "other", "closed"), 0)
        for code, n in zip(*np.unique(self.position.state, return_counts=True), strict=True):
            counts[groups.get(STATES[int(BASE_CODE[code])], "other")] += int(n)
        return counts
