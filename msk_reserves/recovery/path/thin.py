"""Moves seen so rarely that their level is borrowed, from kindred states and between a state and its twin."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from msk_reserves._checks import Booleans, Integers
from msk_reserves.recovery.laws.families import EXPONENTIAL
from msk_reserves.recovery.laws.fit import FittedFamily, piecewise_to_data
from msk_reserves.recovery.laws.piecewise import Fading, default_cuts, exposure, merged_cuts
from msk_reserves.recovery.observations import Observations
from msk_reserves.recovery.path.draws import law_draws
from msk_reserves.recovery.path.selection import Candidate
from msk_reserves.recovery.path.transitions import AtRisk, Transition, ends_otherwise, observed_exits

PRIOR_EVENTS = 0.5
"""Weight of the parent's rate for a transition with few exits, in exits."""

KNOWN_EVENTS = 2.0
"""The same where the parent is no kindred state but known from elsewhere, as the mortality of a population."""

_LEAST_RATE = 1e-8
"""Least rate a day of a parent, one in 270,000 years: a prior must not say that a move is impossible."""


def fit_thin(
    group: AtRisk,
    target: str,
    groups: Sequence[AtRisk],
    cluster: Integers,
    *,
    fading: Fading,
    parent: float | None = None,
) -> Transition:
    """Fit a move seen fewer than ten times: a constant rate, drawn toward its parent's by a gamma prior.

    Deaths have that rate for good; for other moves piecewise rates take its place where they converge, brought to the
    same level. How often such a move happens it borrows from its parent, by default the same move out of kindred
    states; when it happens is its own, but that all moves that end being off work other than by a return happen at the
    same time: when recovery has come to its end, whatever it has come to.
    """
    events, exposure = group.exits(target), group.exposure()
    worth = PRIOR_EVENTS if parent is None else KNOWN_EVENTS
    parent = _parent_rate(group, target, groups) if parent is None else parent
    shape, rate = worth + events, worth / parent + exposure
    theta = np.array([-np.log(shape / rate)])
    loglik = -events * float(theta[0]) - exposure * shape / rate
    fit = FittedFamily(
        family=EXPONENTIAL.name,
        names=("constant",),
        theta=theta,
        covariance=np.array([[1.0 / shape]]),
        loglik=loglik,
        aic=2.0 - 2.0 * loglik,
        events=events,
        converged=True,
        reason=f"gamma prior of {worth:g} exits at {parent:.3g} a day",
        cuts=np.zeros(0),
    )
    pieces = None if target in group.space.deaths else _when(group, target, fit, fading)
    alone = (Candidate(fit, 1.0, ""),)
    changing = alone if pieces is None else (Candidate(fit, 0.0, "does not change"), Candidate(pieces, 1.0, ""))
    return Transition(
        origin=group.state,
        target=target,
        events=events,
        exposure=exposure,
        columns=(),
        names=(),
        candidates=changing,
        method="gamma",
        data=observed_exits(group, group.exited(target), np.zeros((len(group.days), 0))),
        cluster=cluster[group.row],
        prior=(shape, rate),
        continues=target == group.twin,
        fading=fading,
    )


def _when(group: AtRisk, target: str, constant: FittedFamily, fading: Fading) -> FittedFamily | None:
    """Return rates by piece that expect as many exits as a constant rate, nothing where they do not converge."""
    alike = observed_exits(group, _at_that_time(group, target), np.zeros((len(group.days), 0)))
    pieces = piecewise_to_data(alike, (), merged_cuts(alike, default_cuts()), fading=fading)
    if not pieces.converged:
        return None
    level = np.log(np.exp(-constant.theta[0]) * group.exposure() / alike.events)
    # What the exits of other moves tell of the time tells nothing of the level.
    spread = constant.covariance[0, 0] if alike.events > constant.events else 0.0
    return replace(
        pieces,
        theta=pieces.theta + level,
        covariance=pieces.covariance + spread * np.eye(len(pieces.theta)),
        events=constant.events,
        reason=constant.reason,
    )


def _at_that_time(group: AtRisk, target: str) -> Booleans:
    """Return the exits that show when a move happens: its own, or all that end being off work without a return."""
    if not ends_otherwise(group, target):
        return group.exited(target)
    alike = [other for other in group.targets() if ends_otherwise(group, other)]
    return np.asarray(np.any([group.exited(other) for other in alike], axis=0))


def unseen(group: AtRisk, groups: Sequence[AtRisk]) -> tuple[str, ...]:
    """Return the settled states that nobody was seen to reach from a state, though from kindred states some were."""
    space = group.space
    if group.state in space.settled or group.state not in (*space.off_work, *space.lifelong):
        return ()
    kin = _kin(group, groups)
    return tuple(
        target
        for target in space.settled
        if not group.exits(target) and space.allows(group.state, target) and sum(one.exits(target) for one in kin) > 0
    )


def fit_unseen(
    group: AtRisk, target: str, groups: Sequence[AtRisk], cluster: Integers, *, fading: Fading
) -> Transition:
    """Return a move that was never seen as kindred states show it, at the level that `PRIOR_EVENTS` and none seen give.

    The rates by piece of the kindred states' stays together are multiplied by `prior exits / (prior exits + expected)`,
    the mean of a gamma factor of mean one given that the expected exits did not come.
    """
    kin = _joined([one for one in _kin(group, groups) if one.state != target])
    exits = observed_exits(kin, kin.exited(target), np.zeros((len(kin.days), 0)))
    pieces = piecewise_to_data(exits, (), merged_cuts(exits, default_cuts()), fading=fading)
    data = observed_exits(group, group.exited(target), np.zeros((len(group.days), 0)))
    level = _level(pieces, data, 0.0)
    spread = np.diag(np.full(len(pieces.theta), 1.0 / PRIOR_EVENTS))
    reason = f"never seen; {PRIOR_EVENTS:g} exits at the rates of kindred states"
    fit = replace(
        pieces,
        theta=pieces.theta + level,
        covariance=pieces.covariance + spread,
        events=0.0,
        # The likelihood of the kindred stays says nothing of these.
        loglik=np.nan,
        aic=np.nan,
        reason=reason,
    )
    exposure = group.exposure()
    return Transition(
        origin=group.state,
        target=target,
        events=0.0,
        exposure=exposure,
        columns=(),
        names=(),
        candidates=(Candidate(fit, 1.0, ""),),
        method="gamma",
        data=data,
        cluster=cluster[group.row],
        prior=(PRIOR_EVENTS, PRIOR_EVENTS * kin.exposure() / exits.events + exposure),
        fading=fading,
    )


def _kin(group: AtRisk, groups: Sequence[AtRisk]) -> list[AtRisk]:
    """Return the stays in kindred states: off work, at work, for life, or none of these, as the state is."""
    space = group.space

    def kind(state: str) -> tuple[bool, ...]:
        return state in space.off_work, state in space.working, state in space.lifelong

    return [one for one in groups if one.state != group.state and kind(one.state) == kind(group.state)]


def _joined(groups: Sequence[AtRisk]) -> AtRisk:
    """Return the stays of several states as those of the first."""
    first = groups[0]
    return AtRisk(
        state=first.state,
        space=first.space,
        row=np.concatenate([one.row for one in groups]),
        days=np.concatenate([one.days for one in groups]),
        entry=np.concatenate([one.entry for one in groups]),
        interval=np.concatenate([one.interval for one in groups]),
        since=np.concatenate([one.since for one in groups]),
        next_state=np.concatenate([one.next_state for one in groups]),
        marked=np.concatenate([one.marked for one in groups]),
        weight=np.concatenate([one.weight for one in groups]),
    )


def beside(fitted: Transition, group: AtRisk, *, marked: bool) -> Transition:
    """Return a thin move as it is out of a state alone or out of its twin; any other as it was.

    The laws of both together are brought to each side's own level, `(prior exits + exits) / (prior exits + expected)`:
    the mean of a gamma factor of mean one that is worth `PRIOR_EVENTS` exits.
    """
    side = group.marked == marked
    if fitted.method != "gamma" or fitted.continues or not group.marked.any() or group.marked.all():
        return fitted
    data = fitted.data.of(side)
    events, exposure = float(data.weights @ data.exited), group.of(side).exposure()
    together = fitted.prior[0] / fitted.prior[1]
    candidates = tuple(
        replace(one, fit=replace(one.fit, theta=one.fit.theta + _level(one.fit, data, events)))
        for one in fitted.candidates
    )
    return replace(
        fitted,
        events=events,
        exposure=exposure,
        candidates=candidates,
        data=data,
        cluster=fitted.cluster[side],
        prior=(PRIOR_EVENTS + events, PRIOR_EVENTS / together + exposure),
        borrows=True,
    )


def _level(fit: FittedFamily, data: Observations, events: float) -> float:
    """Return what brings a law without covariates to the level of some stays: added to ln rates, off a location."""
    law = law_draws(fit.family, fit.theta[None, :], fit.cuts)
    none = np.zeros(len(data), dtype=np.int64)
    place = np.full(len(data), law.coefficients[0, 0] if law.constant else 0.0)
    later = law.compute("accumulate", data.days, place, none)
    expected = float(data.weights @ (later - law.compute("accumulate", data.entry, place, none)))
    level = float(np.log((PRIOR_EVENTS + events) / (PRIOR_EVENTS + expected)))
    return -level if law.constant else level


def _parent_rate(group: AtRisk, target: str, groups: Sequence[AtRisk]) -> float:
    """Return the rate of the same move out of kindred states, but for the state it leads to; else its own."""
    kin = [one for one in _kin(group, groups) if one.state != target]
    if target == group.twin:
        return _onset_rate(group, kin)
    moves = sum(one.exits(target) for one in kin)
    if moves:
        return moves / sum(one.exposure() for one in kin)
    return group.exits(target) / group.exposure()


def _onset_rate(group: AtRisk, kin: Sequence[AtRisk]) -> float:
    """Return the rate of moves to the twin expected of the stays at the rates by days since the start of their kin.

    What two states have in common of the moves to their twins is the onset, not the state it leads to; and it is told
    by how long ago the path began, which differs between the two.
    """
    cuts = default_cuts()
    exits, days = np.zeros(len(cuts) + 1), np.zeros(len(cuts) + 1)
    for one in [each.at_risk_of(each.twin).forward() for each in kin if each.twin]:
        out = one.exited(one.twin)
        exits += np.bincount(np.searchsorted(cuts, one.days[out]), one.weight[out], minlength=len(exits))
        days += one.weight @ exposure(one.entry, one.days, cuts)
    if not exits.any():
        return group.exits(group.twin) / group.exposure()
    rates = exits / np.maximum(days, 1.0)
    at_risk = group.weight @ exposure(group.entry + group.since, group.days + group.since, cuts)
    return float(max(at_risk @ rates / at_risk.sum(), _LEAST_RATE))
