"""Every move out of a state fitted, and of its twin beside it."""

import os
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.book import Decision
from msk_reserves.claims.states import StateSpace
from msk_reserves.recovery.observations import Observations
from msk_reserves.recovery.path.baseline import Baseline, baseline_of, differ_in_shape, entry_effect
from msk_reserves.recovery.path.covariates import CovariateDesign, usable_columns
from msk_reserves.recovery.path.late import LateRates
from msk_reserves.recovery.path.selection import FEW_EVENTS, fit_candidates
from msk_reserves.recovery.path.strata import Pair, fit_by_stratum
from msk_reserves.recovery.path.thin import PRIOR_EVENTS, beside, fit_thin, fit_unseen, unseen
from msk_reserves.recovery.path.tilts import NO_LEVELS, Levels
from msk_reserves.recovery.path.transitions import (
    EVENTS_PER_COVARIATE,
    NORMAL_EVENTS,
    AtRisk,
    Transition,
    observed_exits,
)


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """What the fits of one book share: covariates by row and which a move may use, employers, laws, weighting.

    `mortality` is the deaths a day expected of each row in states that go on for life, None where no age is known;
    `late` is what is assumed of moves late in a state.
    """

    design: Floats
    covariates: CovariateDesign
    cluster: Integers
    candidates: Sequence[str]
    weighting: str
    mortality: Floats | None
    late: LateRates
    levels: Levels = NO_LEVELS


def fit_moves(groups: Sequence[AtRisk], choices: Choices, executor: Executor | None = None) -> tuple[Transition, ...]:
    """Fit every move out of every state, and out of its twin where anybody has been in a twin.

    No fit depends on another, so that it does not matter how many are made at a time: by threads on all cores, if no
    executor is given.
    """
    asked = [(group, target) for group in groups for target in _targets(group, choices)]
    # The largest first: a large one begun last would be waited for alone.
    asked.sort(key=lambda one: -len(one[0].days))
    pool = ThreadPoolExecutor(os.cpu_count() or 1) if executor is None else nullcontext(executor)
    with pool as workers:
        found = list(workers.map(partial(_fit_move, groups, choices), *zip(*asked, strict=True)))
    fitted: list[Transition] = []
    for group in groups:
        never = [
            fit_unseen(group, target, groups, choices.cluster, fading=choices.late.of(group, target))
            for target in unseen(group, groups)
        ]
        pairs = [(one, _in_twin(one, one, group) if _has_twin(group, groups) else None) for one in never]
        pairs += [pair for (of, _), some in zip(asked, found, strict=True) if of is group for pair in some]
        fitted += [*(own for own, _ in pairs), *(there for _, there in pairs if there is not None)]
    return tuple(fitted)


def _targets(group: AtRisk, choices: Choices) -> tuple[str, ...]:
    """Return the states that a state is left for, deaths of the population among them where it goes on for life."""
    lifelong = choices.mortality is not None and group.state in group.space.lifelong
    return tuple(dict.fromkeys((*group.targets(), *(group.space.deaths if lifelong else ()))))


def _fit_move(groups: Sequence[AtRisk], choices: Choices, group: AtRisk, target: str) -> tuple[Pair, ...]:
    """Fit a move out of a state, and out of its twin, in each stratum with laws of its own."""
    described = choices.covariates, choices.design
    return fit_by_stratum(group, target, described, partial(_fit_pair, target, groups, choices))


def _fit_pair(target: str, groups: Sequence[AtRisk], choices: Choices, group: AtRisk) -> Pair:
    """Fit a move out of a state, and out of its twin where anybody has been in a twin: apart where shapes differ.

    The move to the twin has no other beside it.
    """
    baseline = baseline_of(group.at_risk_of(target), target)
    if not _has_twin(group, groups):
        return fit_transition(group, target, groups, choices, baseline), None
    if differ_in_shape(group, target, baseline):
        sides = [group.of(~group.marked), group.of(group.marked)]
        alone, other = (fit_transition(side, target, groups, choices, baseline_of(side, target)) for side in sides)
        return alone, replace(other, origin=group.twin, target=group.space.twin_of.get(target, target))
    both = fit_transition(group, target, groups, choices, baseline)
    own = beside(both, group, marked=False)
    if both.continues:
        return own, None
    return own, _in_twin(both, beside(both, group, marked=True), group)


def _has_twin(group: AtRisk, groups: Sequence[AtRisk]) -> bool:
    """Say whether a state has a twin that somebody may reach: one that nobody has been in is reached by moves to it."""
    return bool(group.twin) and any(one.marked.any() for one in groups)


def _in_twin(both: Transition, there: Transition, group: AtRisk) -> Transition:
    """Return a move fitted to a state and its twin together as it is out of the twin."""
    target, mark = group.space.twin_of.get(both.target, both.target), None if both.mark is None else 1.0
    return replace(there, origin=group.twin, target=target, mark=mark, shared=both.name)


def borrowed(fitted: Sequence[Transition], space: StateSpace) -> tuple[Decision, ...]:
    """Say which moves out of a twin are too rare to be told from those out of its state, and which were never seen."""
    alike = [one.shared.replace(">", " to ") for one in fitted if one.shared and one.borrows]
    never = [f"{one.origin} to {one.target}" for one in fitted if not one.events and one.target in space.settled]
    told = (
        (
            f"{space.mark} borrowed",
            alike,
            f"moves so rare that how workers {space.mark} differ is drawn toward no difference",
        ),
        ("never seen", never, "settlements never seen from a state are taken from kindred states, at a lower level"),
    )
    return tuple(Decision(name, len(some), f"{meaning} ({', '.join(some)})") for name, some, meaning in told if some)


def fit_transition(
    group: AtRisk, target: str, groups: Sequence[AtRisk], choices: Choices, baseline: Baseline
) -> Transition:
    """Fit one move by what its hazard runs on; the fewer the exits, the simpler the law.

    A state and its twin are fitted together, the mark being the first covariate; where few exits tell it, it is drawn
    toward no difference.
    """
    group = group.at_risk_of(target)
    group = group.forward() if baseline.forward else group
    if group.exits(target) < FEW_EVENTS:
        parent, fading = _mortality(group, target, choices), choices.late.of(group, target)
        fitted = fit_thin(group, target, groups, choices.cluster, fading=fading, parent=parent)
    else:
        fitted = _fit_many(group, target, choices, baseline.late)
    return replace(fitted, forward=baseline.forward)


def _fit_many(group: AtRisk, target: str, choices: Choices, late: int) -> Transition:
    """Fit a move seen often enough for covariates, of stays at risk of it with their days on its clock."""
    events, exited = group.exits(target), group.exited(target)
    tilting = choices.levels.carried(group, target, choices.design)
    design, columns, names = _offered(group, target, choices, (late, tilting))
    usable = usable_columns(design, exited.astype(np.float64), int(events // EVENTS_PER_COVARIATE) - 1 - len(tilting))
    fading = choices.late.of(group, target)
    borrows = 0 not in usable and bool(group.marked.any()) and not bool(group.marked.all())
    usable = (0, *usable) if borrows else usable
    columns, names = tuple(columns[place] for place in usable if place), tuple(names[place] for place in usable)
    data = observed_exits(group, exited, design[:, list(usable)])
    cluster = choices.cluster[group.row]
    if borrows:
        data, cluster = _toward_alike(data), np.concatenate([cluster, cluster])
    move, offset = (group.state, target), len(names) - len(columns)
    found = fit_candidates(
        data,
        names,
        choices.candidates,
        choices.weighting,
        fading=fading,
        tilt=choices.levels.tilt(move, columns, offset),
        marked=0 in usable,
    )
    return Transition(
        origin=group.state,
        target=target,
        events=events,
        exposure=group.exposure(),
        columns=columns,
        names=names,
        candidates=found,
        method="normal" if events >= NORMAL_EVENTS else "bootstrap",
        data=data,
        cluster=cluster,
        prior=(),
        mark=0.0 if 0 in usable else None,
        continues=target == group.twin,
        borrows=borrows,
        fading=fading,
        cells=choices.levels.cells(move, columns, offset) if any(one.weight and one.fit.tilt for one in found) else (),
    )


def _mortality(group: AtRisk, target: str, choices: Choices) -> float | None:
    """Return the population's deaths a day at the ages of a state that goes on for life, None for other moves."""
    if choices.mortality is None or group.state not in group.space.lifelong or target not in group.space.deaths:
        return None
    return float(np.average(choices.mortality[group.row], weights=group.days - group.entry))


def _offered(
    group: AtRisk, target: str, choices: Choices, first: tuple[int, tuple[int, ...]]
) -> tuple[Floats, tuple[int, ...], tuple[str, ...]]:
    """Return the columns a move may use, in order, with their numbers in the design and names.

    The mark is first, then how late the stay began, then the columns that do more than multiply.
    """
    late, tilting = first
    covariates = choices.covariates
    numbers = (*tilting, *covariates.columns_of(group.state, target))
    parts = [group.marked[:, None], choices.design[np.ix_(group.row, np.array(numbers, dtype=np.int64))]]
    if late >= 0:
        parts.insert(1, entry_effect(group, late)[:, None])
        numbers = (covariates.entry_column + late, *numbers)
    names = (group.space.mark, *(covariates.names[number] for number in numbers))
    return np.column_stack(parts).astype(np.float64), (-1, *numbers), names


def _toward_alike(data: Observations) -> Observations:
    """Add every stay once more with the other mark, at weights that make `PRIOR_EVENTS` exits.

    Exits that count for both marks alike say that the mark makes no difference; where one side shows next to none of
    its own, they keep its hazard from nothing.
    """
    share = PRIOR_EVENTS / data.events
    other = data.design.copy()
    other[:, 0] = 1.0 - other[:, 0]
    twice = {name: np.concatenate([getattr(data, name)] * 2) for name in ("days", "exited", "entry", "lower")}
    weights = np.concatenate([data.weights, share * data.weights])
    added = Observations(**twice, weights=weights, design=np.concatenate([data.design, other]))
    for name in Observations.__slots__:
        getattr(added, name).flags.writeable = False
    return added
