"""What a move's hazard runs on, and whether a state and its twin have one baseline: told by rates by piece."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.recovery.laws.piecewise import BY_YEAR, cells_of, default_cuts, fit_cells, merged_cuts
from msk_reserves.recovery.path.entry import ENTRY_SCORES, entry_steps
from msk_reserves.recovery.path.selection import FEW_EVENTS, MANY_EVENTS
from msk_reserves.recovery.path.transitions import AtRisk, observed_exits


class Baseline(NamedTuple):
    """What a move's hazard depends on besides covariates.

    Attributes
    ----------
    forward : whether it runs on the days since the path began (clock forward) and not on those in the stay (clock
        reset).
    late : on the clock of the stay, the shape of the effect of how late the stay began, a row of `ENTRY_SCORES`; -1 for
        none.
    """

    forward: bool = False
    late: int = -1


def baseline_of(group: AtRisk, target: str) -> Baseline:
    """Choose what a move's hazard runs on.

    Parameters
    ----------
    group : AtRisk
        The stays at risk of it.
    target : str
        The state moved to.

    Returns
    -------
    Baseline
        That of the least AIC of rates by piece: of the days in the stay; of these times an effect of how late the stay
        began; or of the days since the path began. Recovery is counted from the injury, the relapse or the operation
        that it recovers from, so that a return to work never runs forward. The onset of a mark seen too rarely to tell
        does, since it leaves the stay as it is. Deaths depend on neither.
    """
    space = group.space
    if target in space.deaths or not group.since.any():
        return Baseline()
    if group.exits(target) < FEW_EVENTS:
        return Baseline(forward=target == group.twin)
    lates = range(-1, len(ENTRY_SCORES))
    known = dict(zip((Baseline(late=late) for late in lates), _aics(group, target, lates), strict=True))
    if target not in space.working:
        (known[Baseline(forward=True)],) = _aics(group.forward(), target)
    return min(known, key=known.__getitem__)


def differ_in_shape(group: AtRisk, target: str, baseline: Baseline) -> bool:
    """Say whether a state and its twin need baseline hazards of their own, not one times the effect of the mark.

    Parameters
    ----------
    group : AtRisk
        The stays in both.
    target : str
        The state moved to.
    baseline : Baseline
        What the hazard of both together runs on.

    Returns
    -------
    bool
        Whether rates by piece of each have a lesser AIC together than those of both with the mark as a covariate; never
        with fewer than `MANY_EVENTS` exits on a side.
    """
    sides = group.of(group.marked), group.of(~group.marked)
    if target == group.twin or min(side.exits(target) for side in sides) < MANY_EVENTS:
        return False
    forward, late = baseline
    apart, together = ([one.forward() if forward else one for one in some] for some in (sides, (group,)))
    (joint,) = _aics(together[0], target, (late,))
    return sum(_aic_alone(one, target, late) for one in apart) < joint


def _aic_alone(side: AtRisk, target: str, late: int) -> float:
    """Return the AIC of one side with the effect of late entry; without, where no stay that began late ended."""
    (known,) = _aics(side, target, (late,))
    return known if np.isfinite(known) else _aics(side, target)[0]


def entry_effect(group: AtRisk, late: int) -> Floats:
    """Return the column of how late each stay began, by the shape of its effect; shape (n_stays,)."""
    return np.array(ENTRY_SCORES[late])[entry_steps(group.since)]


def _aics(group: AtRisk, target: str, lates: Sequence[int] = (-1,)) -> tuple[float, ...]:
    """Return the AIC of rates by piece for each effect of how late the stay began; infinite if not converged.

    The mark is a covariate where it varies. Stays are told apart by the mark and the step of lateness alone, so that
    what is fitted is a table of some pieces by those few kinds.
    """
    kinds: Floats = np.column_stack([group.marked, entry_steps(group.since)]).astype(np.float64)
    data = observed_exits(group, group.exited(target), kinds)
    cells = cells_of(data, merged_cuts(data, default_cuts()), BY_YEAR)
    mark, step = cells.design
    found = []
    for late in lates:
        columns = [mark] if mark.any() and not mark.all() else []
        columns += [np.array(ENTRY_SCORES[late])[step.astype(np.int64)]] if late >= 0 else []
        best, ruled = fit_cells(replace(cells, design=np.array(columns).reshape(len(columns), len(mark))))
        found.append(2.0 * ruled - 2.0 * best.loglik if best.converged else np.inf)
    return tuple(found)
