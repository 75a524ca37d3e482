"""What the answers for open claims have in common: who is open, draws, days asked for, and how records print."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, positive, whole
from msk_reserves.claims.states import STANDARD_STATES, StateSpace
from msk_reserves.claims.vocabulary import with_represented
from msk_reserves.recovery.path.draws import RecoveryDraws
from msk_reserves.recovery.path.model import Recovery

SEED = 20260101
_SHOWN = 12
"""Rows of a table that a record prints."""


def open_states(space: StateSpace) -> tuple[str, ...]:
    """Return the states whose claims are answered for when none are named: neither closed nor never left."""
    return tuple(name for name in space.names if name != "closed" and name not in space.absorbing)


def back_states(space: StateSpace) -> tuple[str, ...]:
    """Return the states that count as a return: full duty, or those in which the worker works of a declared space."""
    return with_represented("back_at_work") if space == STANDARD_STATES else space.working


def parameter_draws(recovery: Recovery, draws: "int | RecoveryDraws", seed: int) -> RecoveryDraws:
    """Return draws made before, or make so many."""
    whole(seed, "seed")
    return draws if isinstance(draws, RecoveryDraws) else recovery.draw(whole(draws, "draws", at_least=1), seed)


def days_asked(ahead: Sequence[float]) -> Floats:
    """Return days ahead in order, each once."""
    days = np.unique([positive(day, "ahead") for day in ahead])
    if not len(days):
        raise ValueError("`ahead` must hold at least one day, got none")
    return days


def in_words(days: Floats) -> str:
    """Return days in words."""
    return ", ".join(f"{day:,g}" for day in days) + (" day" if len(days) == 1 and days[0] == 1 else " days")


def printed(sentences: list[str], table: pd.DataFrame, digits: int) -> str:
    """Return sentences and the head of a table as text."""
    shown = table.head(_SHOWN).to_string(float_format=lambda x: f"{x:,.{digits}f}")
    more = [f"... {len(table) - _SHOWN:,} more rows"] if len(table) > _SHOWN else []
    return "\n".join([*sentences, shown, *more])


def page(sentences: list[str], table: pd.DataFrame, digits: int) -> str:
    """Return the same as HTML."""
    more = f"<p>{len(table) - _SHOWN:,} more rows</p>" if len(table) > _SHOWN else ""
    shown = str(table.head(_SHOWN).to_html(float_format=lambda x: f"{x:,.{digits}f}"))
    return "".join(f"<p>{line}</p>" for line in sentences) + shown + more
