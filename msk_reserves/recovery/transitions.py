"""One move between two states: the stays at risk of it, the laws fitted to them, and how sure they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.book import ClaimBook, Decision
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE, STATES, STILL_IN_STATE
from msk_reserves.recovery.covariates import usable_columns
from msk_reserves.recovery.families import EXPONENTIAL
from msk_reserves.recovery.fit import FittedFamily, piecewise_to_data
from msk_reserves.recovery.observations import Observations
from msk_reserves.recovery.piecewise import default_cuts, merged_cuts
from msk_reserves.recovery.selection import FEW_EVENTS, Candidate, fit_candidates

EVENTS_PER_COVARIATE = 10
PRIOR_EVENTS = 2.0
"""Weight of the parent's rate for a transition with few exits, in exits."""

NORMAL_EVENTS = 50
"""From this many exits on, parameters are drawn from a normal law."""


@dataclass(frozen=True, slots=True, eq=False)
class AtRisk:
    """The stays in one state as the fits use them; every column has shape (n_stays,).

    Attributes
    ----------
    state : name of the state.
    claim : row of the claim.
    days, entry, interval : days in the state, left truncation and window width.
    next_state : code of the state moved to, or `STILL_IN_STATE`.
    """

    state: str
    claim: Integers
    days: Floats
    entry: Floats
    interval: Floats
    next_state: Integers

    def exposure(self) -> float:
        """Days at risk in all, windows counted to their middle."""
        ended = np.where(self.next_state != STILL_IN_STATE, self.interval, 0.0)
        return float(np.maximum(self.days - 0.5 * ended - self.entry, 0.25).sum())

    def exits(self, target: str) -> int:
        """Moves to `target`."""
        return int((self.next_state == STATE_CODE[target]).sum())

    def targets(self) -> tuple[str, ...]:
        """States moved to, in code order."""
        codes = np.unique(self.next_state[self.next_state != STILL_IN_STATE])
        return tuple(STATES[int(code)] for code in codes)


@dataclass(frozen=True, slots=True, eq=False)
class Transition:
    """A move between two states with its laws.

    Attributes
    ----------
    origin, target : names of the states.
    events : moves seen.
    exposure : days at risk of them.
    columns : columns of the book's design it uses.
    names : their names.
    candidates : the laws with weights.
    method : how parameters are drawn: "normal", "bootstrap" (refits under random weights of employers) or "gamma".
    data : the stays at risk.
    cluster : employer of each stay, or its claim; shape (n_stays,).
    prior : shape and rate (days) of the gamma prior of a thin transition, else empty.
    """

    origin: str
    target: str
    events: int
    exposure: float
    columns: tuple[int, ...]
    names: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    method: str
    data: Observations
    cluster: Integers
    prior: tuple[float, ...]

    @property
    def name(self) -> str:
        """The key of its random numbers."""
        return f"{self.origin}>{self.target}"

    def kept(self) -> tuple[Candidate, ...]:
        """Return the laws that carry weight."""
        return tuple(one for one in self.candidates if one.weight > 0)

    def __repr__(self) -> str:
        laws = ", ".join(f"{one.fit.family} {one.weight:.2f}" for one in self.kept())
        return f"{self.origin} to {self.target}: {self.events:,} moves in {self.exposure:,.0f} days, {laws}"


def stays_at_risk(book: ClaimBook) -> tuple[tuple[AtRisk, ...], tuple[Decision, ...]]:
    """Return the stays of a book by state, and the rules applied to those that need one.

    An exit on the first day counts as half a day; a stay that ended (or was last seen) no later than the day from
    which it could have been in the file tells nothing and is left out.
    """
    spells = book.spells
    days = np.array(spells.days)
    ended = spells.next_state != STILL_IN_STATE
    at_once = ended & (days <= 0) & (spells.observed_from <= 0)
    days[at_once] = 0.5
    width = np.where(at_once, 0.0, np.minimum(spells.interval, days))
    keep = days > spells.observed_from
    groups: list[AtRisk] = []
    for code in np.unique(spells.state[keep & (spells.state >= 0)]):
        rows = np.flatnonzero(keep & (spells.state == code))
        groups.append(
            AtRisk(
                state=STATES[int(code)],
                claim=spells.claim[rows],
                days=days[rows],
                entry=spells.observed_from[rows],
                interval=width[rows],
                next_state=spells.next_state[rows],
            )
        )
    decisions = (
        Decision("half a day", int(at_once.sum()), "stays that ended on their first day count as half a day"),
        Decision("unseen stay", int((~keep).sum()), "stays over before they could have been in the file are left out"),
    )
    return tuple(groups), tuple(one for one in decisions if one.count)


def clusters(claims: pd.DataFrame) -> Integers:
    """Return the employer of each claim as a number, a claim without one being its own; shape (n_claims,)."""
    n = len(claims)
    if "employer_id" not in claims.columns:
        return np.arange(n, dtype=np.int64)
    codes = np.array(pd.factorize(claims["employer_id"])[0], dtype=np.int64)
    unknown = codes < 0
    codes[unknown] = codes.max(initial=-1) + 1 + np.arange(int(unknown.sum()))
    return codes


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """What the fits of one book share: design by claim with its names, employers, laws asked for, weighting."""

    design: Floats
    names: tuple[str, ...]
    cluster: Integers
    candidates: Sequence[str]
    weighting: str


def fit_transition(group: AtRisk, target: str, groups: Sequence[AtRisk], choices: Choices) -> Transition:
    """Fit one move; the fewer the exits, the simpler the law."""
    exited = group.next_state == STATE_CODE[target]
    events = int(exited.sum())
    if events < FEW_EVENTS:
        return _thin(group, target, groups, choices)
    design = choices.design[group.claim]
    columns = usable_columns(design, exited.astype(np.float64), events // EVENTS_PER_COVARIATE - 1)
    names = tuple(choices.names[column] for column in columns)
    data = observed_exits(group, exited, design[:, list(columns)])
    found = fit_candidates(data, names, choices.candidates, choices.weighting, target=target)
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
        cluster=choices.cluster[group.claim],
        prior=(),
    )


def observed_exits(group: AtRisk, exited: Booleans, design: Floats) -> Observations:
    """Return the stays with one kind of exit as the event and every other as the end of observation."""
    other = (group.next_state != STILL_IN_STATE) & ~exited
    # Another exit inside a window is known only to its end, and ended the risk somewhere in it: its middle.
    days = np.where(other, group.days - 0.5 * group.interval, group.days)
    days = np.where(days > group.entry, days, group.days)
    width = np.where(exited, group.interval, 0.0)
    lower = np.where(width > 0, np.maximum(days - width, group.entry), days)
    columns = (days, exited, np.array(group.entry), lower, np.ones(len(days)), np.ascontiguousarray(design))
    for column in columns:
        column.flags.writeable = False
    return Observations(*columns)


def _thin(group: AtRisk, target: str, groups: Sequence[AtRisk], choices: Choices) -> Transition:
    """Fit a move seen fewer than ten times: a constant rate, drawn toward its parent's by a gamma prior.

    Deaths have that rate for good; for other moves piecewise rates that decline take its place where they converge.
    """
    events, exposure = group.exits(target), group.exposure()
    parent = _parent_rate(group, target, groups)
    shape, rate = PRIOR_EVENTS + events, PRIOR_EVENTS / parent + exposure
    theta = np.array([-np.log(shape / rate)])
    loglik = -events * float(theta[0]) - exposure * shape / rate
    fit = FittedFamily(
        family=EXPONENTIAL.name,
        names=("constant",),
        theta=theta,
        covariance=np.array([[1.0 / shape]]),
        loglik=loglik,
        aic=2.0 - 2.0 * loglik,
        events=float(events),
        converged=True,
        reason=f"gamma prior of {PRIOR_EVENTS:g} exits at {parent:.3g} a day",
        cuts=np.zeros(0),
    )
    exited = group.next_state == STATE_CODE[target]
    data = observed_exits(group, exited, np.zeros((len(exited), 0)))
    candidates: tuple[Candidate, ...] = (Candidate(fit, 1.0, ""),)
    if target != "dead":
        pieces = piecewise_to_data(data, (), merged_cuts(data, default_cuts()))
        if pieces.converged:
            candidates = (Candidate(fit, 0.0, "does not decline"), Candidate(pieces, 1.0, ""))
    return Transition(
        origin=group.state,
        target=target,
        events=events,
        exposure=exposure,
        columns=(),
        names=(),
        candidates=candidates,
        method="gamma",
        data=data,
        cluster=choices.cluster[group.claim],
        prior=(shape, rate),
    )


def _parent_rate(group: AtRisk, target: str, groups: Sequence[AtRisk]) -> float:
    """Return the rate of the same move out of kindred states (the off-work ones, or the others), else its own."""
    off = group.state in OFF_WORK_STATES
    kin = [one for one in groups if one.state != group.state and (one.state in OFF_WORK_STATES) == off]
    moves = sum(one.exits(target) for one in kin)
    if moves:
        return moves / sum(one.exposure() for one in kin)
    return group.exits(target) / group.exposure()
