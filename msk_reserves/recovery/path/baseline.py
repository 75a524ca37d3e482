"""What a move's hazard runs on, and whether a state and its twin have one baseline: told by rates by piece."""

from typing import NamedTuple

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.recovery.laws.fit import piecewise_to_data
from msk_reserves.recovery.laws.piecewise import default_cuts, merged_cuts
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
    known = {Baseline(late=late): _aic(group, target, late) for late in range(-1, len(ENTRY_SCORES))}
    if target not in space.working:
        known[Baseline(forward=True)] = _aic(group.forward(), target)
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
    return sum(_aic(one, target, late) for one in apart) < _aic(together[0], target, late)


def entry_effect(group: AtRisk, late: int) -> Floats:
    """Return the column of how late each stay began, by the shape of its effect; shape (n_stays,)."""
    return np.array(ENTRY_SCORES[late])[entry_steps(group.since)]


def _aic(group: AtRisk, target: str, late: int = -1) -> float:
    """Return the AIC of rates by piece, with the mark as a covariate where it varies; infinite if not converged."""
    columns = {}
    if group.marked.any() and not group.marked.all():
        columns[group.space.mark] = group.marked.astype(np.float64)
    if late >= 0:
        columns["late"] = entry_effect(group, late)
    none = np.zeros((len(group.days), 0))
    design: Floats = np.column_stack(list(columns.values())) if columns else none
    data = observed_exits(group, group.exited(target), design)
    fit = piecewise_to_data(data, tuple(columns), merged_cuts(data, default_cuts()))
    return fit.aic if fit.converged else np.inf
