"""Which levels of categories a move carries in its shape, or with an effect that changes with the days in the state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.claims.book import Decision
from msk_reserves.recovery.laws.tilt import Tilt
from msk_reserves.recovery.path.covariates import CovariateDesign, Move, check_columns, check_move
from msk_reserves.recovery.path.selection import MANY_EVENTS
from msk_reserves.recovery.path.strata import MOST_LEVELS, StrataColumns, level_columns
from msk_reserves.recovery.path.transitions import NORMAL_EVENTS, AtRisk, Cell, Transition

Columns = str | Sequence[str]
AskLevels = Columns | Mapping[Move, Columns]
"""Columns for every move, or by move (from, to)."""


def _named(ask: Columns) -> tuple[str, ...]:
    """Return names of columns."""
    return (ask,) if isinstance(ask, str) else tuple(ask)


def _of_move(ask: AskLevels, move: Move) -> tuple[str, ...]:
    """Return the columns asked for a move."""
    return _named(ask.get(move, ()) if isinstance(ask, Mapping) else ask)


@dataclass(frozen=True, slots=True)
class Levels:
    """What was asked, and where the design holds the levels.

    Attributes
    ----------
    shape, varying : columns asked, for every move or by move.
    blocks : first column of the design and the levels, by column asked.
    """

    shape: AskLevels = ()
    varying: AskLevels = ()
    blocks: tuple[tuple[int, StrataColumns], ...] = ()

    def _asked(self, move: Move) -> tuple[tuple[int, StrataColumns], ...]:
        """Return the blocks asked for a move."""
        names = {*_of_move(self.shape, move), *_of_move(self.varying, move)}
        return tuple(one for one in self.blocks if one[1].column in names)

    def of_any(self, move: Move) -> bool:
        """Whether anything was asked for a move."""
        return bool(self._asked(move))

    def carried(self, group: AtRisk, target: str, design: Floats) -> tuple[int, ...]:
        """Return the columns of levels with 30 exits of a move or more; none where the others, or all, have too few."""
        chosen: list[int] = []
        exits = group.weight * group.exited(target)
        if exits.sum() < NORMAL_EVENTS:
            return ()
        for first, block in self._asked((group.state, target)):
            by_level = exits @ design[np.ix_(group.row, np.arange(first, first + len(block.levels)))]
            large = [code for code in range(1, len(block.levels)) if by_level[code] >= MANY_EVENTS]
            if exits.sum() - by_level[large].sum() >= MANY_EVENTS:
                chosen += [first + code for code in large]
        return tuple(chosen)

    def tilt(self, move: Move, columns: Sequence[int], offset: int) -> Tilt:
        """Return which of the columns a move uses do more than multiply; their places begin at `offset`."""
        roles = []
        for ask in (self.shape, self.varying):
            names = _of_move(ask, move)
            inside = [
                range(first + 1, first + len(block.levels)) for first, block in self.blocks if block.column in names
            ]
            roles.append(tuple(offset + at for at, one in enumerate(columns) if any(one in span for span in inside)))
        return Tilt(*roles)

    def cells(self, move: Move, columns: Sequence[int], offset: int) -> tuple[Cell, ...]:
        """Return the cells into which the levels that a move carries divide the claims."""
        by_block: list[list[tuple[tuple[int, ...], tuple[int, ...]]]] = []
        for first, block in self._asked(move):
            span = range(first, first + len(block.levels))
            mine = [one for one in columns if one in span[1:]]
            if mine:
                alone = [((offset + columns.index(one),), tuple(c for c in span if c != one)) for one in mine]
                by_block.append([((), tuple(mine)), *alone])
        return tuple(
            Cell(tuple(place for on, _ in parts for place in on), tuple(column for _, shut in parts for column in shut))
            for parts in (product(*by_block) if by_block else ())
        )


NO_LEVELS = Levels()
"""Nothing asked."""


def with_levels(
    design: CovariateDesign, claims: pd.DataFrame, asked: tuple[AskLevels, AskLevels], states: Sequence[str]
) -> tuple[CovariateDesign, Levels]:
    """Return the design with the columns of the levels behind the others, and where they are.

    Raises
    ------
    ValueError
        If a column asked for is absent, learned only after the stay began, a number, or has too many levels.
    """
    terms, blocks = design.terms, list[tuple[int, StrataColumns]]()
    seen: set[str] = set()
    for argument, ask in zip(("shape", "varying"), asked, strict=True):
        if isinstance(ask, Mapping):
            for move in ask:
                check_move(move, states, argument)
        for name in [name for one in (ask.values() if isinstance(ask, Mapping) else (ask,)) for name in _named(one)]:
            if name in seen:
                continue
            seen.add(name)
            check_columns((name,), claims, argument)
            if pd.api.types.is_numeric_dtype(claims[name]) and not pd.api.types.is_bool_dtype(claims[name]):
                raise ValueError(
                    f"`{argument}` must name columns of categories; {name!r} holds numbers. Put them in bands "
                    "(`pandas.cut`) as words"
                )
            block = replace(level_columns(claims, name, argument), stratifies=False)
            blocks.append((sum(len(term.names) for term in terms), block))
            terms = (*terms, block)
    n_cells = int(np.prod([len(block.levels) for _, block in blocks]))
    if n_cells > MOST_LEVELS:
        raise ValueError(
            f"`shape` and `varying` must make at most {MOST_LEVELS} combinations of levels; {', '.join(sorted(seen))} "
            f"make {n_cells:,}. Pool levels, or ask for fewer columns"
        )
    return replace(design, terms=terms), Levels(*asked, tuple(blocks))


def plain(fitted: Sequence[Transition], levels: Levels) -> tuple[Decision, ...]:
    """Say in which moves no level of what was asked for `shape` or `varying` has exits enough, or no law carries it."""
    without = [
        f"{one.origin} to {one.target}"
        for one in fitted
        if levels.of_any((one.origin, one.target)) and not one.cells and not one.shared and one.hazards is None
    ]
    if not without:
        return ()
    meaning = (
        f"moves too rare, or of no plausible law, for what was asked of `shape` or `varying` ({'; '.join(without)})"
    )
    return (Decision("plain shape", len(without), meaning),)
