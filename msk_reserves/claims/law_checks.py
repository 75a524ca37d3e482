"""What may be wrong between the cells of a table of benefit rules or awards."""

import numpy as np

from msk_reserves._checks import Booleans, Floats
from msk_reserves.claims.columns import Table
from msk_reserves.claims.defects import Findings, Told


def check_rules(table: Table, found: Findings) -> None:
    """Note rules given twice, steps without a first, and limits that contradict each other."""
    column = table.values
    _check_keys(table, "benefit", "from_week", found)
    _note(table, "weekly_minimum", column["weekly_minimum"] > column["weekly_maximum"], "minimum_above_maximum", found)
    _note(table, "retro_days", column["retro_days"] < column["waiting_days"], "retro_before_waiting", found)
    _note(table, "rate_cap", column["rate_cap"] < column["rate"], "cap_below_rate", found)
    fixed = (column["escalation_index"] == 0) & table.missing("escalation")
    found.cells("fixed_without_rate", table.sheet.table, "escalation", np.flatnonzero(fixed), _empty(fixed))


def check_awards(table: Table, found: Findings) -> None:
    """Note bands given twice, bands without a first, and awards of nothing."""
    _check_keys(table, "part", "from_rating", found)
    nothing = table.values["basis"] != 2
    for name in ("weeks_per_point", "dollars_per_point", "weeks", "weekly_factor"):
        nothing = nothing & table.missing(name)
    found.cells("award_of_nothing", table.sheet.table, "basis", np.flatnonzero(nothing), _empty(nothing))


def _check_keys(table: Table, subject: str, start: str, found: Findings) -> None:
    """Note rules of one jurisdiction, subject, date and start given twice, and those whose first step is missing."""
    columns = [table.values[name] for name in ("jurisdiction", subject, "effective_from", start)]
    keys = np.nan_to_num(np.column_stack(columns).astype(np.float64), nan=0.0)
    usable = (keys[:, 0] >= 0) & (keys[:, 1] >= 0)
    _, first, place = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    again = usable & (first[place.ravel()] != np.arange(len(keys)))
    found.cells("rule_twice", table.sheet.table, start, np.flatnonzero(again), keys[again, 3].tolist())
    _, version = np.unique(keys[:, :3], axis=0, return_inverse=True)
    lowest: Floats = np.full(int(version.max()) + 1, np.inf)
    np.minimum.at(lowest, version.ravel(), keys[:, 3])
    headless = usable & (keys[:, 3] == lowest[version.ravel()]) & (keys[:, 3] > 0)
    found.cells("no_first_step", table.sheet.table, start, np.flatnonzero(headless), keys[headless, 3].tolist())


def _note(table: Table, name: str, wrong: Booleans, code: str, found: Findings) -> None:
    """Note the cells of a column where something is wrong."""
    rows = np.flatnonzero(wrong)
    found.cells(code, table.sheet.table, name, rows, table.values[name][rows].tolist())


def _empty(wrong: Booleans) -> list[Told]:
    """Return what is shown of empty cells."""
    return [Told("empty cells")] * int(wrong.sum())
