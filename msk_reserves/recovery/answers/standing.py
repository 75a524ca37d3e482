"""Who is asked about, and the tables of their stays under parameter draws."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers, one_of
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import STATE_CODE, with_represented
from msk_reserves.recovery.answers.grids import Grid
from msk_reserves.recovery.answers.quick_hazards import QuickMove, collected_from, quickened
from msk_reserves.recovery.answers.stay_tables import Later, Move, Seen, Stay, stay_table, stepped_stays
from msk_reserves.recovery.path.draws import RecoveryDraws
from msk_reserves.recovery.path.entry import ENTRY_WEEKS, entered, entry_columns, entry_steps
from msk_reserves.recovery.path.mixture import all_exits
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.recovery.path.transitions import Transition

ROWS_AT_ONCE = 800
"""Claims times draws solved together: as many as stay near the processor."""

SURGERY_CODES: Integers = np.array([STATE_CODE[name] for name in with_represented("after_surgery")])


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """Claims with what is known of them today; every column has shape (n_claims,) unless said otherwise.

    Attributes
    ----------
    states : names of the states, in code order.
    claim_id : names of the claims.
    state : code into `states`.
    days_in_state : days in it so far.
    days_since_start : days since their paths began.
    days_since_surgery : days since the latest operation, NaN where there was none or its day is not known.
    design : covariates of the recovery, how late the stay at hand began among them; shape (n_claims, n_columns).
    entry_column : first column of these that says how late it began, -1 for none.
    """

    states: tuple[str, ...]
    claim_id: tuple[str, ...]
    state: Integers
    days_in_state: Floats
    days_since_start: Floats
    days_since_surgery: Floats
    design: Floats
    entry_column: int = -1

    def __post_init__(self) -> None:
        for column in (
            self.state, self.days_in_state, self.days_since_start, self.days_since_surgery, self.design,
        ):  # fmt: skip
            column.flags.writeable = False

    def __len__(self) -> int:
        return len(self.claim_id)

    def rows(self, which: Integers) -> "Standing":
        """Return some of the claims."""
        return Standing(
            self.states,
            tuple(self.claim_id[row] for row in which),
            self.state[which],
            self.days_in_state[which],
            self.days_since_start[which],
            self.days_since_surgery[which],
            self.design[which],
            self.entry_column,
        )

    def restarted(self, state: str, days_in_state: Floats, days_since_start: Floats) -> "Standing":
        """Return the same claims in a state, and at days in it and since their paths began, of one's choice."""
        code = np.full(len(self), self.states.index(one_of(state, self.states, "state")), dtype=np.int64)
        surgery = np.full(len(self), np.nan)
        design = entered(np.array(self.design), self.entry_column, days_since_start - days_in_state)
        return Standing(
            self.states, self.claim_id, code, days_in_state, days_since_start, surgery, design, self.entry_column
        )


def standing_of(
    recovery: Recovery,
    who: "ClaimBook | pd.DataFrame",
    among: Sequence[str],
    claims: "str | Sequence[str] | None" = None,
    *,
    asked_anyway: bool = False,
) -> Standing:
    """Return the claims of a book, or of a table of workers made up by hand, in some states.

    Parameters
    ----------
    recovery : Recovery
        Whose covariates are needed.
    who : ClaimBook or pandas.DataFrame
        A book; or a table with the columns `state`, `days_in_state`, the recovery's covariates and, if wanted,
        `claim_id`, `days_since_start` and `days_since_surgery`, a row a worker. Days since the worker's path began are
        needed where moves run on them or depend on how late a stay began, except in a state in which paths begin and
        which no move leads to.
    among : sequence of str
        The states answered for.
    claims : str or sequence of str, optional
        The claims asked about, all in those states by default.
    asked_anyway : bool
        Whether claims named may be in other states.

    Returns
    -------
    Standing

    Raises
    ------
    ValueError
        If a column is missing, a state or claim unknown, a day negative, or a claim asked about in another state.
    """
    if isinstance(who, pd.DataFrame):
        whole = _from_table(recovery, who)
    else:
        recovery.check_states_of_a_book()
        position = who.position
        whole = Standing(
            recovery.space.names,
            tuple(who.claims["claim_id"].astype(str)),
            np.array(position.state, dtype=np.int64),
            np.array(position.days_in_state, dtype=np.float64),
            np.array(position.days_since_start, dtype=np.float64),
            _since_surgery(who),
            recovery.design.matrix(who.claims, position.days_since_start - position.days_in_state),
            recovery.design.entry_column,
        )
    inside = np.isin(whole.state, [whole.states.index(name) for name in among])
    if claims is None:
        return whole.rows(np.flatnonzero(inside))
    row_of = {name: row for row, name in enumerate(whole.claim_id)}
    asked = [claims] if isinstance(claims, str) else list(claims)
    for name in asked:
        if name not in row_of:
            raise ValueError(f"`claims` must name claims of the book, such as {whole.claim_id[:3]}; got {name!r}")
        if not (asked_anyway or inside[row_of[name]]):
            state = whole.states[int(whole.state[row_of[name]])]
            raise ValueError(f"`claims` must be in one of {', '.join(among)}; {name!r} is in {state}")
    return whole.rows(np.array([row_of[name] for name in asked], dtype=np.int64))


def _from_table(recovery: Recovery, table: pd.DataFrame) -> Standing:
    """Read workers from a table made by hand."""
    for name in ("state", "days_in_state"):
        if name not in table.columns:
            raise ValueError(f"a table of workers must hold the column {name!r}; it has {', '.join(table.columns)}")
    names = recovery.space.names
    unknown = sorted(set(table["state"]) - set(names))
    if unknown:
        raise ValueError(f"`state` must be one of {', '.join(names)}; got {', '.join(map(repr, unknown))}")
    days = table["days_in_state"].to_numpy(dtype=np.float64)
    if not np.isfinite(days).all() or (days < 0).any():
        raise ValueError("`days_in_state` must be finite and not negative in every row")
    named = table["claim_id"].astype(str) if "claim_id" in table.columns else [f"row {row}" for row in range(len(days))]
    since = np.full(len(days), np.nan)
    if "days_since_surgery" in table.columns:
        since = table["days_since_surgery"].to_numpy(dtype=np.float64, na_value=np.nan)
    state = np.array([names.index(name) for name in table["state"]], dtype=np.int64)
    # The clock of the state after an operation is the time since the latest one.
    after = table["state"].isin(with_represented("after_surgery")).to_numpy(dtype=np.bool_)
    since = np.where(np.isnan(since) & after, days, since)
    started = _since_start(recovery, table, days)
    design = recovery.design.matrix(table, started - days)
    column = recovery.design.entry_column
    return Standing(names, tuple(named), state, np.array(days), started, np.array(since), design, column)


def _since_start(recovery: Recovery, table: pd.DataFrame, days: Floats) -> Floats:
    """Read the days since each worker's path began, those in the state where the path began with the present stay."""
    if "days_since_start" in table.columns:
        started = table["days_since_start"].to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = np.flatnonzero(~(np.isfinite(started) & (started >= days)))
        if len(wrong):
            row = int(wrong[0])
            raise ValueError(
                "`days_since_start` must be finite and not less than `days_in_state` in every row; got "
                f"{started[row]:g} beside {days[row]:g} days in the state in row {row}"
            )
        return np.array(started)
    late = entry_columns(recovery.design.entry_column)
    running = next((move for move in recovery.fitted if move.forward or late.intersection(move.columns)), None)
    entered = {move.target for move in recovery.fitted if not move.continues}
    entered |= {move.target for move in recovery.fitted if move.continues and move.origin in entered}
    unknown = sorted(set(table["state"]) & entered)
    if running is not None and unknown:
        raise ValueError(
            f"a table of workers must hold the column 'days_since_start', the days since each worker's first stay "
            f"began, as the move {running.origin} to {running.target} "
            f"{'runs on them' if running.forward else 'depends on how late a stay began'} and {', '.join(unknown)} may "
            f"be entered later; it has {', '.join(table.columns)}. Add the column"
        )
    return np.array(days)


def _since_surgery(book: ClaimBook) -> Floats:
    """Return the days since each claim's latest operation, NaN where there was none or the book has no dates."""
    since = np.full(len(book), np.nan)
    spells = book.spells
    after = np.isin(spells.state, SURGERY_CODES)
    if book.valuation_date is not None:
        latest = np.full(len(book), -np.inf)
        np.maximum.at(latest, spells.claim[after], spells.entered[after].astype(np.float64))
        since = np.where(np.isfinite(latest), book.valuation_day - latest, np.nan)
    now: Booleans = np.isin(book.position.state, SURGERY_CODES)
    return np.where(now, book.position.days_in_state, since)


def longest_seen(recovery: Recovery) -> Seen:
    """Return the longest seen in each state that was left, on the clocks of its moves; beyond it laws alone speak."""
    stays: dict[str, float] = {}
    paths: dict[str, float] = {}
    for move in recovery.fitted:
        longest = paths if move.forward else stays
        longest[move.origin] = max(longest.get(move.origin, 0.0), float(move.data.days.max()))
    return Seen(stays, paths)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some claims of one state with the tables of their stays; rows of the tables are claims times draws.

    Attributes
    ----------
    which : rows of the claims in the standing.
    now : the stay at hand.
    fresh : stays that begin later, by state.
    n_draws : draws of each claim, consecutive rows.
    """

    which: Integers
    now: Stay
    fresh: dict[str, Later]
    n_draws: int

    def by_claim(self, values: Floats) -> Floats:
        """Return values whose last axis are rows with claims and draws apart, shape (..., n_claims, n_draws)."""
        return values.reshape(*values.shape[:-1], len(self.which), self.n_draws)


def blocks(standing: Standing, source: "RecoveryDraws | Recovery", seen: Seen, grid: Grid) -> Iterator[Block]:
    """Tabulate the stays of all claims, a few hundred rows at a time.

    Parameters
    ----------
    standing : Standing
        The claims.
    source : RecoveryDraws or Recovery
        Parameter draws, each a row of every claim; or a recovery for its estimates, laws averaged by weight, one row.
    seen : Seen
        Longest seen by state.
    grid : Grid
        Days ahead.
    """
    n_draws = 1 if isinstance(source, Recovery) else source.n_draws
    step = max(ROWS_AT_ONCE // n_draws, 1)
    quick = () if isinstance(source, Recovery) else tuple(quickened(move) for move in source.moves)
    for code in np.unique(standing.state):
        state = standing.states[int(code)]
        mine = np.flatnonzero(standing.state == code)
        # Alike in the tables they need: those of the steps in which stays may begin, or by how long they have lasted.
        order = standing.days_in_state if standing.entry_column < 0 else standing.days_since_start
        mine = mine[np.argsort(order[mine], kind="stable")]
        for first in range(0, len(mine), step):
            which = mine[first : first + step]
            few = standing.rows(which)
            if isinstance(source, Recovery):
                later, now = _estimated(state, _reachable(state, source.fitted), few, grid)
            else:
                later, now = _drawn(state, quick, few, grid, n_draws)
            shape = (len(grid.nodes), len(which) * n_draws)
            days, started = (np.repeat(one, n_draws) for one in (few.days_in_state, few.days_since_start))
            late = seen.late(state, days + grid.nodes[:, None], started + grid.nodes[:, None])
            fresh = stepped_stays(later, grid, seen, started)
            yield Block(which, stay_table(state, now, shape, late), fresh, n_draws)


class _Directed(Protocol):
    """What leads from one state to another, and the columns of the design that it uses."""

    @property
    def origin(self) -> str: ...

    @property
    def target(self) -> str: ...

    @property
    def columns(self) -> tuple[int, ...]: ...


Directed = TypeVar("Directed", bound=_Directed)


def _reachable(state: str, moves: Sequence[Directed]) -> tuple[Directed, ...]:
    """Return the moves that may be made by a claim found in a state."""
    reached: list[str] = [state]
    found: list[Directed] = []
    for name in reached:
        for move in moves:
            if move.origin == name:
                found.append(move)
                if move.target not in reached:
                    reached.append(move.target)
    return tuple(found)


def _steps_ahead(few: Standing, moves: Iterable[_Directed], grid: Grid) -> tuple[int, ...]:
    """Return the steps in which stays of some claims may begin later, -1 alone where no move depends on them."""
    late = entry_columns(few.entry_column)
    if not any(late.intersection(move.columns) for move in moves):
        return (-1,)
    first, last = entry_steps(np.array([few.days_since_start.min(), few.days_since_start.max() + grid.nodes[-1]]))
    return tuple(range(int(first), int(last) + 1))


def _begun_in(few: Standing, step: int) -> Floats:
    """Return the design of stays that begin in a step."""
    weeks = np.full(len(few), 7.0 * ENTRY_WEEKS[step])
    return few.design if step < 0 else entered(few.design, few.entry_column, weeks)


def _drawn(
    state: str, quick: Sequence[QuickMove], few: Standing, grid: Grid, n_draws: int
) -> tuple[dict[int, list[Move]], list[Move]]:
    """Return the moves of fresh stays by step, and those of the stay at hand, of some claims in every draw."""
    claim, draw = np.repeat(np.arange(len(few)), n_draws), np.tile(np.arange(n_draws), len(few))
    age, started = few.days_in_state[claim], few.days_since_start[claim]
    moves = _reachable(state, [one.move for one in quick])
    held = {state, *(move.target for move in moves if move.origin == state and move.continues)}
    now: list[Move] = []
    later: dict[int, list[Move]] = {step: [] for step in _steps_ahead(few, moves, grid)}
    late = entry_columns(few.entry_column)
    for one in quick:
        move = one.move
        if move not in moves:
            continue
        by_claim = move.location(few.design)
        location = by_claim.ravel()
        if move.forward:
            further = collected_from(one, started, grid.nodes, location, draw)
            ahead = Move(move.origin, move.target, further, move.continues, forward=True)
            for each in later.values():
                each.append(ahead)
            now += [ahead] if move.origin in held else []
            continue
        fresh: Move | None = None
        for step, each in later.items():
            if late.intersection(move.columns):
                begun = move.location(_begun_in(few, step))
                fresh = Move(move.origin, move.target, _anew(one, begun, grid), move.continues)
            fresh = fresh or Move(move.origin, move.target, _anew(one, by_claim, grid), move.continues)
            each.append(fresh)
        if move.origin in held:
            further = collected_from(one, age, grid.nodes, location, draw)
            now.append(Move(move.origin, move.target, further, move.continues))
    return later, now


def _anew(one: QuickMove, by_claim: Floats, grid: Grid) -> Floats:
    """Return the cumulative hazard of a move in fresh stays, given locations by claim and draw, (n_nodes, n_rows)."""
    n_claims, n_draws = by_claim.shape
    # Where no covariate tells claims apart the hazard is the same for all of them.
    apart = 1 if (by_claim == by_claim[0]).all() else n_claims
    draw = np.tile(np.arange(n_draws), apart)
    fresh = collected_from(one, np.zeros(len(draw)), grid.nodes, by_claim[:apart].ravel(), draw)
    return np.tile(fresh, (1, n_claims // apart))


def _estimated(
    state: str, moves: Sequence[Transition], few: Standing, grid: Grid
) -> tuple[dict[int, list[Move]], list[Move]]:
    """Return the same at the estimates, laws averaged by weight."""
    ahead, late = grid.nodes[None, :], entry_columns(few.entry_column)

    def collected(some: Sequence[Transition], design: Floats, age: Floats) -> list[Move]:
        """Return moves of stays that have lasted for `age` days."""
        found = all_exits(some, design, (age, few.days_since_start), ahead)
        pairs = zip(some, found, strict=True)
        return [Move(one.origin, one.target, values.T, one.continues, one.forward) for one, values in pairs]

    held = {state, *(move.target for move in moves if move.origin == state and move.continues)}
    zero, later = np.zeros(len(few)), dict[int, list[Move]]()
    for step in _steps_ahead(few, moves, grid):
        # What does not depend on the step is one and the same in all.
        own = [not later or bool(late.intersection(move.columns)) for move in moves]
        anew = iter(
            collected([move for move, mine in zip(moves, own, strict=True) if mine], _begun_in(few, step), zero)
        )
        before = next(iter(later.values()), [])
        later[step] = [next(anew) if mine else before[place] for place, mine in enumerate(own)]
    return later, collected([move for move in moves if move.origin in held], few.design, few.days_in_state)
