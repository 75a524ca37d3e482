"""Stays of any declared states, as a table of rows in time: checked whole, then ready to be fitted."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.defects import ClaimDataError, Defect
from msk_reserves.claims.states import StateSpace
from msk_reserves.claims.vocabulary import STILL_IN_STATE
from msk_reserves.recovery.path.transitions import Stays

NEEDED = ("claim_id", "state", "start", "stop", "next_state")

NUMBERS = {"start": 0.0, "stop": 0.0, "observed_from": 0.0, "interval": 0.0, "weight": 1.0}
"""Columns of numbers, and what stands for one that is absent."""

UNKNOWN = -2
"""Code of a state that the space does not declare."""


def read_stays(table: pd.DataFrame, space: StateSpace) -> tuple[Stays, Integers]:
    """Check a table of stays and return them, with the cluster of each row.

    Parameters
    ----------
    table : pandas.DataFrame
        The columns `fit_path` describes.
    space : StateSpace
        The declared states.

    Returns
    -------
    tuple of Stays and numpy.ndarray
        The stays in the order claim, then time, `row` being the position in the table; and by position the employer of
        the row, or its claim where there is none.

    Raises
    ------
    ClaimDataError
        If anything is wrong with it; all defects are listed together.
    """
    absent = [name for name in NEEDED if name not in table.columns]
    if absent:
        raise ClaimDataError([_of_table(name, "the column is required", "absent", "add it") for name in absent])
    if not len(table):
        raise ClaimDataError([_of_table("", "the table must have at least one row", "none", "check the extract")])
    numbers = {name: _numbers(table, name, missing) for name, missing in NUMBERS.items()}
    state, following = _codes(table["state"], space), _codes(table["next_state"], space)
    claim = np.array(pd.factorize(table["claim_id"])[0], dtype=np.int64)
    order = np.lexsort((numbers["start"], claim))
    defects = [*_bad_cells(table, numbers, (state, following)), *_bad_moves(table, (state, following), space)]
    usable = claim >= 0
    usable &= np.isfinite(numbers["start"]) & np.isfinite(numbers["stop"]) & (state >= 0) & (following != UNKNOWN)
    defects += _bad_sequences(table, order[usable[order]], (claim, state, following), numbers)
    began = _stay_began(order, (claim, state, following), numbers["start"], space)
    defects += _bad_windows(table, order, numbers, began)
    if defects:
        defects.sort(key=lambda one: one.row or 0)
        raise ClaimDataError(defects)
    start, first = numbers["start"][order], _path_began(claim[order], numbers["start"][order])
    stays = Stays(
        row=order,
        state=state[order],
        next_state=following[order],
        days=numbers["stop"][order] - began,
        entry=np.maximum(numbers["observed_from"][order], start - began),
        interval=numbers["interval"][order],
        since=began - first,
        weight=numbers["weight"][order],
    )
    return stays, _clusters(table, claim)


def _of_table(column: str, rule: str, value: str, remedy: str) -> Defect:
    """Return a defect of the whole table."""
    return Defect("stays", "stays", column, None, None, rule, value, remedy)


def _of_rows(
    table: pd.DataFrame, column: str, wrong: Booleans | Integers, words: tuple[str, str], values: Floats | None = None
) -> Iterator[Defect]:
    """Yield a defect for each wrong row; the header is row 1."""
    rule, remedy = words
    for row in np.flatnonzero(wrong) if wrong.dtype == np.bool_ else wrong:
        claim = table["claim_id"].iloc[row]
        value = table[column].iloc[row] if values is None else f"{values[row]:g}"
        named = None if pd.isna(claim) else str(claim)
        yield Defect("stays", "stays", column, int(row) + 2, named, rule, str(value), remedy)


def _numbers(table: pd.DataFrame, name: str, missing: float) -> Floats:
    """Return a column of numbers, NaN where a cell holds none."""
    if name not in table.columns:
        return np.full(len(table), missing)
    values: Floats = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return values


def _codes(names: pd.Series, space: StateSpace) -> Integers:
    """Return the code of each name, `STILL_IN_STATE` where empty, `UNKNOWN` where the space has no such state."""
    code = {name: number for number, name in enumerate(space.names)}
    found = names.map(code).fillna(UNKNOWN).to_numpy(dtype=np.int64)
    empty = (names.isna() | (names == "")).to_numpy(dtype=np.bool_)
    return np.asarray(np.where(empty, STILL_IN_STATE, found), dtype=np.int64)


def _bad_cells(table: pd.DataFrame, numbers: dict[str, Floats], codes: tuple[Integers, Integers]) -> Iterator[Defect]:
    """Yield what is wrong with single cells."""
    state, following = codes
    yield from _of_rows(table, "claim_id", table["claim_id"].isna().to_numpy(), ("must not be empty", "fill it in"))
    declared = ("must be one of the declared states", "correct it, or declare the state in `space`")
    yield from _of_rows(table, "state", state < 0, declared)
    yield from _of_rows(table, "next_state", following == UNKNOWN, declared)
    for name, values in numbers.items():
        if name in table.columns:
            yield from _of_rows(table, name, ~np.isfinite(values), ("must be a finite number", "correct it"))
            if name not in {"start", "stop"}:
                yield from _of_rows(table, name, values < 0, ("must not be negative", "correct it"), values)
    late = numbers["stop"] <= numbers["start"]
    words = ("must lie after `start`", "give a stay that ended on its first day half a day")
    yield from _of_rows(table, "stop", late, words, numbers["stop"])


def _bad_moves(table: pd.DataFrame, codes: tuple[Integers, Integers], space: StateSpace) -> Iterator[Defect]:
    """Yield the moves that the space does not allow."""
    state, following = codes
    known = (state >= 0) & (following >= 0)
    allowed = np.array([[space.allows(a, b) for b in space.names] for a in space.names])
    wrong = known.copy()
    wrong[known] = ~allowed[state[known], following[known]]
    left = np.isin(state, [space.names.index(name) for name in space.absorbing])
    absorbing = ("the state is declared as never left", "correct the state, or take it out of `absorbing`")
    yield from _of_rows(table, "next_state", wrong & left, absorbing)
    second = np.isin(state, [space.names.index(twin) for _, twin in space.twins])
    first = np.isin(following, [space.names.index(base) for base, _ in space.twins])
    back = ("a twin leads to the twin of its target", "correct one of the two states")
    yield from _of_rows(table, "next_state", wrong & ~left & second & first, back)
    undeclared = ("the move is not among those declared", "correct it, or add the move to `moves` of `space`")
    yield from _of_rows(table, "next_state", wrong & ~left & ~(second & first), undeclared)


def _bad_sequences(
    table: pd.DataFrame, rows: Integers, codes: tuple[Integers, Integers, Integers], numbers: dict[str, Floats]
) -> Iterator[Defect]:
    """Yield where a row does not follow from the row of the claim before it."""
    claim, state, following = codes
    before, row = rows[:-1], rows[1:]
    same = claim[before] == claim[row]
    before, row = before[same], row[same]
    start, stop = numbers["start"], numbers["stop"]
    overlap = ("the rows of a claim must not overlap", "correct `start`, or `stop` of the row before")
    yield from _of_rows(table, "start", row[start[row] < stop[before]], overlap, start)
    gap = ("the rows of a claim must leave no gap", "add the row between, or give what follows its own `claim_id`")
    yield from _of_rows(table, "start", row[start[row] > stop[before]], gap, start)
    ended = following[before] != STILL_IN_STATE
    moved = ended & (state[row] != following[before])
    other = ("must be the state that the row before moved to", "correct one of the two")
    yield from _of_rows(table, "state", row[moved], other)
    unsaid = ~ended & (state[row] != state[before])
    silent = ("differs from the state of the row before, which moved nowhere", "fill in `next_state` there")
    yield from _of_rows(table, "state", row[unsaid], silent)


def _stay_began(
    order: Integers, codes: tuple[Integers, Integers, Integers], start: Floats, space: StateSpace
) -> Floats:
    """Return when the stay of each row began, in the order of time: rows without a move, and to a twin, go on."""
    claim, state, following = (column[order] for column in codes)
    goes_on = np.zeros(len(order), dtype=np.bool_)
    goes_on[1:] = claim[1:] == claim[:-1]
    onset = np.zeros(len(order), dtype=np.bool_)
    for base, twin in space.twins:
        onset |= (state == space.names.index(base)) & (following == space.names.index(twin))
    goes_on[1:] &= (following[:-1] == STILL_IN_STATE) | onset[:-1]
    first = np.maximum.accumulate(np.where(goes_on, 0, np.arange(len(order))))
    return np.asarray(start[order][first])


def _path_began(claim: Integers, start: Floats) -> Floats:
    """Return when the path of each row's claim began, of rows in the order claim, then time."""
    return np.asarray(start[np.searchsorted(claim, claim)])


def _bad_windows(table: pd.DataFrame, order: Integers, numbers: dict[str, Floats], began: Floats) -> Iterator[Defect]:
    """Yield the windows that reach back before their stay began."""
    wide = np.zeros(len(table), dtype=np.bool_)
    wide[order] = numbers["interval"][order] > numbers["stop"][order] - began
    words = ("the window must not be wider than the stay", "give at most the days of the stay")
    if "interval" in table.columns:
        yield from _of_rows(table, "interval", wide, words, numbers["interval"])


def _clusters(table: pd.DataFrame, claim: Integers) -> Integers:
    """Return the employer of each row as a number, or its claim where there is none."""
    if "employer_id" not in table.columns:
        return claim
    employer = np.array(pd.factorize(table["employer_id"])[0], dtype=np.int64)
    return np.where(employer < 0, employer.max(initial=-1) + 1 + claim, employer)
