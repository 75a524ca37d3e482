"""From parsed tables to the checked, canonical frames: claims in the order of their ids, rows in the order of time."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.book import Decision, InputFile, SetAside
from msk_reserves.claims.columns import Table
from msk_reserves.claims.defects import ClaimDataError, Defect, Findings, rule_of
from msk_reserves.claims.path import PRIORITY
from msk_reserves.claims.schema import SNAPSHOT_COLUMNS, ReadingRules, columns_of
from msk_reserves.claims.sources import TextCells
from msk_reserves.claims.statutes import statutory_rule, weekly_benefit
from msk_reserves.claims.tables import ClaimTables

BENEFIT_COLUMNS = ("weekly_benefit", "waiting_days", "retro_days", "max_weeks")


def assemble(
    tables: Mapping[str, Table],
    owner: Mapping[str, Integers],
    inputs: tuple[InputFile, ...],
    rules: ReadingRules,
    found: Findings,
) -> ClaimTables:
    """Raise everything that was found, or set the claims concerned aside, and build the tables."""
    defects = list_defects(tables, found)
    whole = any(item.rows is None or item.table == "exposure" for item in found.items)
    if defects and (whole or rules.on_defect == "raise"):
        raise ClaimDataError(defects)
    claims = tables["claims"]
    kept = _kept_claims(claims, {defect.claim for defect in defects if defect.claim is not None})
    if not kept.any():
        raise ClaimDataError(defects)
    ids = [claims.ids.words[code] if code >= 0 else "" for code in claims.ids.codes.tolist()]
    rows = np.array(sorted(np.flatnonzero(kept).tolist(), key=ids.__getitem__), dtype=np.int64)
    position = np.full(len(claims) + 1, -1, dtype=np.int64)
    position[rows] = np.arange(len(rows))
    children = {
        name: _child_frame(table, position[owner[name]])
        for name, table in tables.items()
        if name not in {"claims", "exposure"}
    }
    frame, filled = _claims_frame(claims, rows, rules, ledger="events" in tables)
    return ClaimTables(
        depth="ledger" if "events" in tables else "summary",
        claims=frame,
        events=children.get("events"),
        payments=children.get("payments"),
        case_reserves=children.get("case_reserves"),
        scores=children.get("scores"),
        exposure=_exposure_frame(tables["exposure"]) if "exposure" in tables else None,
        rules=rules,
        decisions=_decisions(tables),
        inputs=inputs,
        set_aside=_set_aside(tables, defects, kept, {name: position[rows] for name, rows in owner.items()}),
        defects=tuple(defects),
        filled=filled,
        row_numbers=claims.sheet.row_numbers[rows],
        file_text=frozenset(
            name
            for name in claims.covariates
            if isinstance(cells := claims.sheet.columns[name], TextCells) and cells.from_file
        ),
    )


def list_defects(tables: Mapping[str, Table], found: Findings) -> list[Defect]:
    """Spell out every finding, in the order of tables, rows and columns."""
    defects = []
    for item in found.items:
        rule, remedy = rule_of(item.code)
        if item.rows is None:
            defects.append(Defect(item.code, item.table, item.column, None, None, rule, item.values[0], remedy))
            continue
        table = tables[item.table]
        names = table.ids.at(item.rows)
        numbers = table.sheet.row_numbers[item.rows].tolist()
        defects += [
            Defect(item.code, item.table, item.column, number, name or None, rule, value, remedy)
            for number, name, value in zip(numbers, names, item.values, strict=True)
        ]
    order = list(tables)
    return sorted(defects, key=lambda defect: (order.index(defect.table), defect.row or 0, defect.column, defect.code))


def _kept_claims(claims: Table, bad: set[str]) -> Booleans:
    """Whether each row of claims stays."""
    good = np.array([word not in bad for word in claims.ids.words] + [False], dtype=np.bool_)
    kept: Booleans = good[claims.ids.codes]
    return kept


def _set_aside(
    tables: Mapping[str, Table], defects: list[Defect], kept: Booleans, position: Mapping[str, Integers]
) -> SetAside:
    """Say which claims were set aside, the dollars on them and on rows of no known claim, and why."""
    if not defects:
        return SetAside()
    claims = tables["claims"]
    known = set(claims.ids.at(np.flatnonzero(~kept))) - {""}
    if "events" in tables:
        paid = 0.0
        if "payments" in tables:
            paid = float(np.nansum(tables["payments"].values["amount"][position["payments"] < 0]))
    else:
        paid = float(
            sum(np.nansum(claims.values[f"{name}_paid"][~kept]) for name in ("medical", "indemnity", "expense"))
        )
    reasons = Counter((defect.table, defect.column, defect.rule) for defect in defects)
    told = tuple(f"{table}, `{column}`: {rule} ({n:,})" for (table, column, rule), n in sorted(reasons.items()))
    return SetAside(tuple(sorted(known)), paid, told)


def _decisions(tables: Mapping[str, Table]) -> tuple[Decision, ...]:
    """List what was decided on whole columns while reading."""
    decisions = [
        Decision(
            f"{name}_columns_ignored", len(table.ignored), f"columns not of the data model: {', '.join(table.ignored)}"
        )
        for name, table in tables.items()
        if table.ignored
    ]
    claims = tables["claims"]
    unused = [name for name in SNAPSHOT_COLUMNS if name in claims.given] if "events" in tables else []
    if unused:
        meaning = f"columns of claims not used beside the ledger: {', '.join(unused)}"
        decisions.append(Decision("snapshot_columns_unused", len(unused), meaning))
    return tuple(decisions)


def _claims_frame(
    claims: Table, rows: Integers, rules: ReadingRules, *, ledger: bool
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Build the claims in canonical order, and which cells the statutory table filled."""
    columns = columns_of("claims", ledger=ledger, undated=rules.undated)
    frame: dict[str, object] = {"claim_id": np.array(claims.ids.at(rows), dtype=object)}
    for name, column in columns.items():
        if column.kind == "id" or (ledger and name in SNAPSHOT_COLUMNS):
            continue
        values = claims.values[name][rows]
        if column.kind == "date":
            frame[name] = dates(values)
        elif column.kind == "word":
            frame[name] = np.array([*column.words, None], dtype=object)[values.astype(np.int64)]
        else:
            frame[name] = values
    filled = _fill_benefits(frame)
    for name, values in claims.covariates.items():
        frame[name] = values.to_numpy()[rows]
    return pd.DataFrame(frame), pd.DataFrame(filled)


def _fill_benefits(frame: dict[str, object]) -> dict[str, Booleans]:
    """Fill weekly benefit and waiting rule from the statutory table where the cell is empty and the law is known."""
    codes = np.asarray(frame["jurisdiction"], dtype=object)
    lawful = np.array([code is not None for code in codes], dtype=np.bool_)
    known, place = np.unique(codes[lawful].astype(str), return_inverse=True)
    filled = {}
    for name in BENEFIT_COLUMNS:
        values: Floats = np.array(frame[name], dtype=np.float64)
        empty = np.isnan(values) & lawful
        if name == "weekly_benefit":
            empty &= ~np.isnan(np.asarray(frame["weekly_wage"], dtype=np.float64))
            wage = np.asarray(frame["weekly_wage"], dtype=np.float64)[empty]
            values[empty] = weekly_benefit(wage, codes[empty].astype(str)) if empty.any() else wage
        else:
            law = np.full(len(values), np.nan)
            law[lawful] = np.array([getattr(statutory_rule(str(code)), name) for code in known], dtype=np.float64)[
                place
            ]
            values[empty] = law[empty]
        frame[name] = values
        filled[name] = empty
    return filled


def _child_frame(table: Table, position: Integers) -> pd.DataFrame:
    """Build a table of dated rows: claim position, day, day known and its own columns, for the claims kept."""
    name = table.sheet.table
    kept = position >= 0
    day = table.values["date"][kept]
    known = np.fmax(day, table.values["recorded_date"][kept])
    frame: dict[str, Floats | Integers] = {
        "claim": position[kept],
        "day": day.astype(np.int64),
        "known_day": known.astype(np.int64),
    }
    for column, spec in columns_of(name, ledger=True, undated=False).items():
        if column in {"claim_id", "date", "recorded_date"}:
            continue
        values = table.values[column][kept]
        frame[column] = values.astype(np.int64) if spec.kind == "word" else values
    keys = {**frame, "event": PRIORITY[frame["event"].astype(np.int64)]} if name == "events" else dict(frame)
    order = _order(keys.pop("claim"), keys.pop("day"), [*list(keys.values())[1:], keys["known_day"]])
    return pd.DataFrame({column: values[order] for column, values in frame.items()})


def _order(claim: Floats | Integers, day: Floats | Integers, ties: list[Floats | Integers]) -> Integers:
    """Return the order by claim, then day, then the other columns, which are sorted only where the first two tie."""
    first = day.min(initial=0)
    key = claim.astype(np.int64) * int(day.max(initial=0) - first + 1) + (day - first).astype(np.int64)
    order = np.argsort(key, kind="stable")
    equal = key[order][1:] == key[order][:-1]
    tied = np.flatnonzero(np.append(False, equal) | np.append(equal, False))[: len(order)]
    rows = order[tied]
    order[tied] = rows[np.lexsort((*(column[rows] for column in reversed(ties)), key[rows]))]
    return order


def _exposure_frame(table: Table) -> pd.DataFrame:
    """Build the exposure in the order of its periods."""
    frame = pd.DataFrame(
        {
            "period_start": dates(table.values["period_start"]),
            "period_end": dates(table.values["period_end"]),
            "payroll": table.values["payroll"],
            "full_time_equivalents": table.values["full_time_equivalents"],
        }
    )
    return frame.sort_values(list(frame.columns), kind="stable", ignore_index=True)


def dates(days: Floats) -> "np.ndarray[tuple[int], np.dtype[np.datetime64]]":
    """Return days since 1970-01-01 as dates, NaT where NaN."""
    stamps = np.where(np.isnan(days), 0, days).astype(np.int64).astype("datetime64[D]").astype("datetime64[us]")
    stamps[np.isnan(days)] = np.datetime64("NaT")
    return stamps
