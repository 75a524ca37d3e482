"""One move between two states: the stays at risk of it, the laws fitted to them, and how sure they are."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.book import ClaimBook, Decision
from msk_reserves.claims.states import STANDARD_STATES, StateSpace
from msk_reserves.claims.vocabulary import STILL_IN_STATE
from msk_reserves.recovery.laws.fit import FittedFamily
from msk_reserves.recovery.laws.piecewise import BY_YEAR, Fading
from msk_reserves.recovery.laws.tilt import at_level
from msk_reserves.recovery.observations import Observations
from msk_reserves.recovery.path.draws import LawDraws, at_mark, law_draws, shut_where
from msk_reserves.recovery.path.employers import FactorDraws
from msk_reserves.recovery.path.external import ClaimHazards
from msk_reserves.recovery.path.selection import Candidate

EVENTS_PER_COVARIATE = 10
NORMAL_EVENTS = 50
"""From this many exits on, parameters are drawn from a normal law."""


@dataclass(frozen=True, slots=True, eq=False)
class Stays:
    """Stays of any space of states as the fits take them; every column has shape (n_stays,).

    Attributes
    ----------
    row : row of the design the stay is described by.
    state, next_state : codes into the names of the space; `STILL_IN_STATE` for a stay still running.
    days, entry, interval : days in the state, left truncation and window width.
    since : days from the start of the claim's path to that of the stay.
    weight : weight of the stay.
    """

    row: Integers
    state: Integers
    next_state: Integers
    days: Floats
    entry: Floats
    interval: Floats
    since: Floats
    weight: Floats


@dataclass(frozen=True, slots=True, eq=False)
class AtRisk:
    """The stays in one state and its twin as the fits use them; every column has shape (n_stays,).

    Attributes
    ----------
    state : name of the state; never that of a twin.
    space : the states.
    row : row of the design the stay is described by.
    days, entry, interval : days in the state, left truncation and window width.
    since : days from the start of the claim's path to that of the stay.
    next_state : code of the state moved to, or `STILL_IN_STATE`. Out of a state with a twin, moves to twins count as
        moves to their states; only the move to the own twin is apart.
    marked : whether the stay is in the twin.
    weight : weight of the stay.
    """

    state: str
    space: StateSpace
    row: Integers
    days: Floats
    entry: Floats
    interval: Floats
    since: Floats
    next_state: Integers
    marked: Booleans
    weight: Floats

    @property
    def twin(self) -> str:
        """The twin of the state, empty where there is none."""
        return self.space.twin_of.get(self.state, "")

    def exposure(self) -> float:
        """Days at risk in all, windows counted to their middle."""
        ended = np.where(self.next_state != STILL_IN_STATE, self.interval, 0.0)
        return float(self.weight @ np.maximum(self.days - 0.5 * ended - self.entry, 0.25))

    def exited(self, target: str) -> Booleans:
        """Whether each stay ended with the move to `target`."""
        moved: Booleans = self.next_state == self.space.names.index(target)
        return moved

    def exits(self, target: str) -> float:
        """Weight of the moves to `target`."""
        return float(self.weight @ self.exited(target))

    def targets(self) -> tuple[str, ...]:
        """States moved to, in code order."""
        codes = np.unique(self.next_state[self.next_state != STILL_IN_STATE])
        return tuple(self.space.names[int(code)] for code in codes)

    def at_risk_of(self, target: str) -> "AtRisk":
        """Return the stays at risk of a move: those not in the twin yet for the move to it, all for the others."""
        return self.of(~self.marked) if target == self.twin else self

    def forward(self) -> "AtRisk":
        """Return the stays with their days counted from the start of the claim's path."""
        return replace(
            self, days=self.days + self.since, entry=self.entry + self.since, since=np.zeros(len(self.since))
        )

    def of(self, rows: Booleans) -> "AtRisk":
        """Return some of the stays."""
        columns = {name: getattr(self, name) for name in AtRisk.__slots__}
        kept = {name: column[rows] for name, column in columns.items() if isinstance(column, np.ndarray)}
        return AtRisk(**(columns | kept))


@dataclass(frozen=True, slots=True)
class Stratum:
    """A level of a stratifying column, or several, that a move's laws hold for.

    Attributes
    ----------
    level : name of the level, or of all.
    shut : columns of the design that say of a claim that it belongs elsewhere: there the move has no hazard.
    borrows : whether the laws are those of all levels, its own exits being too few.
    """

    level: str
    shut: tuple[int, ...]
    borrows: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """Claims for which a law with levels in its shape, or with effects that change with time, is one plain law.

    Attributes
    ----------
    on : places among the laws' covariates of the indicators that are 1.
    shut : columns of the design that say of a claim that it belongs elsewhere.
    """

    on: tuple[int, ...]
    shut: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Transition:
    """A move between two states with its laws.

    Attributes
    ----------
    origin, target : names of the states.
    events : moves seen.
    exposure : days at risk of them.
    columns : columns of the design it uses.
    names : names of the laws' covariates: the mark of the twins, where `mark` is not None, then those of `columns`.
    candidates : the laws with weights.
    method : how parameters are drawn: "normal", "bootstrap" (refits under random weights of employers) or "gamma";
        "given" where they come from outside and are not.
    data : the stays at risk.
    cluster : employer of each stay, or its claim; shape (n_stays,).
    prior : shape and rate (days) of the gamma prior of a thin transition, else empty.
    mark : 1 for a move out of a twin and 0 out of its state, fitted together with the mark as the first covariate;
        None where the laws have no such covariate.
    shared : for a move out of a twin, the name of the move out of its state whose laws it has; else empty.
    continues : whether the clock goes on, the move being to the twin.
    forward : whether the hazard runs on the days since the claim's path began (clock forward), those in `data` too,
        and not on the days in the stay (clock reset).
    borrows : whether so few exits tell a state from its twin that they are drawn toward each other.
    fading : how the move becomes rarer with the time in the state.
    factors : expected factors of employers on the hazard, None where there are none.
    hazards : hazards by claim from a model of the user's, in the place of laws; None for a fitted move.
    stratum : the level of the stratifying column that the laws hold for, None where they hold for all.
    cells : the cells of claims by which the laws differ in more than their covariates multiply; often none.
    cell : the one of them that this is of, None while all are together.
    refits : of a "bootstrap" move the parameters of each law kept under random weights, shape (n_refits,
        n_parameters) each.
    """

    origin: str
    target: str
    events: float
    exposure: float
    columns: tuple[int, ...]
    names: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    method: str
    data: Observations
    cluster: Integers
    prior: tuple[float, ...]
    mark: float | None = None
    shared: str = ""
    continues: bool = False
    forward: bool = False
    factors: FactorDraws | None = None
    hazards: ClaimHazards | None = None
    borrows: bool = False
    fading: Fading = BY_YEAR
    stratum: Stratum | None = None
    cells: tuple[Cell, ...] = ()
    cell: Cell | None = None
    refits: tuple[Floats, ...] = ()

    @property
    def name(self) -> str:
        """The key of its random numbers, the same for moves that share their laws."""
        place = "" if self.stratum is None else f" in {self.stratum.level}"
        return self.shared or f"{self.origin}>{self.target}{place}"

    @property
    def base_name(self) -> str:
        """The same for all strata of a move."""
        return self.name if self.stratum is None else self.name.removesuffix(f" in {self.stratum.level}")

    @property
    def read(self) -> tuple[int, ...]:
        """Columns of the design that draws read: those of the covariates, and those that shut the move elsewhere."""
        return (*self.columns, *self.shut)

    @property
    def shut(self) -> tuple[int, ...]:
        """Columns of the design that shut the move."""
        return tuple(column for one in (self.stratum, self.cell) if one is not None for column in one.shut)

    def opened(self) -> "tuple[Transition, ...]":
        """Return the move in each of its cells, between which claims are divided, or itself."""
        return tuple(replace(self, cells=(), cell=cell) for cell in self.cells) or (self,)

    def law(self, fit: FittedFamily, theta: Floats) -> LawDraws:
        """Return draws of one law's parameters, shape (n_draws, n_parameters), as they hold for this move."""
        if self.hazards is not None:
            return self.hazards.law(len(theta))
        level = np.array([float(self.cell is not None and place in self.cell.on) for place in fit.tilt])
        law = law_draws(fit.family, at_level(fit, theta, level), fit.cuts)
        law = law if self.mark is None else at_mark(law, self.mark)
        return shut_where(law, len(self.shut)) if self.shut else law

    def kept(self) -> tuple[Candidate, ...]:
        """Return the laws that carry weight."""
        return tuple(one for one in self.candidates if one.weight > 0)

    def __repr__(self) -> str:
        laws = ", ".join(f"{one.fit.family} {one.weight:.2f}" for one in self.kept())
        where = "" if self.stratum is None else f" ({self.stratum.level})"
        return f"{self.origin} to {self.target}{where}: {self.events:,.6g} moves in {self.exposure:,.0f} days, {laws}"


def stays_of(book: ClaimBook) -> Stays:
    """Return the stays of a book."""
    spells = book.spells
    return Stays(
        row=spells.claim,
        state=spells.state,
        next_state=spells.next_state,
        days=spells.days,
        entry=spells.observed_from,
        interval=spells.interval,
        since=spells.since_start(),
        weight=np.ones(len(spells)),
    )


def stays_at_risk(stays: Stays, space: StateSpace = STANDARD_STATES) -> tuple[tuple[AtRisk, ...], tuple[Decision, ...]]:
    """Return stays by state, twins with their states, and the rules applied to those that need one.

    An exit on the first day counts as half a day; a stay that ended (or was last seen) no later than the day from
    which it could have been in the file tells nothing and is left out.
    """
    days = np.array(stays.days)
    ended = stays.next_state != STILL_IN_STATE
    at_once = ended & (days <= 0) & (stays.entry <= 0)
    days[at_once] = 0.5
    width = np.where(at_once, 0.0, np.minimum(stays.interval, days))
    keep = days > stays.entry
    base = np.array([space.names.index(space.base_of[name]) for name in space.names])
    paired = np.isin(base, [space.names.index(name) for name in space.twin_of])
    onset = ended & (stays.state == base[stays.state]) & (base[stays.next_state] == stays.state)
    onset &= stays.next_state != stays.state
    as_base = ended & paired[stays.state] & ~onset
    target = np.where(as_base, base[stays.next_state], stays.next_state)
    groups: list[AtRisk] = []
    for code in np.unique(base[stays.state[keep]]):
        rows = np.flatnonzero(keep & (base[stays.state] == code))
        groups.append(
            AtRisk(
                state=space.names[int(code)],
                space=space,
                row=stays.row[rows],
                days=days[rows],
                entry=stays.entry[rows],
                interval=width[rows],
                since=stays.since[rows],
                next_state=target[rows],
                marked=stays.state[rows] != code,
                weight=stays.weight[rows],
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


def ends_otherwise(group: AtRisk, target: str) -> bool:
    """Say whether a move ends being off work other than by a return or a death."""
    space = group.space
    return group.state in space.off_work and target not in (*space.off_work, *space.working, *space.deaths)


def observed_exits(group: AtRisk, exited: Booleans, design: Floats) -> Observations:
    """Return the stays with one kind of exit as the event and every other as the end of observation."""
    other = (group.next_state != STILL_IN_STATE) & ~exited
    # Another exit inside a window is known only to its end, and ended the risk somewhere in it: its middle.
    days = np.where(other, group.days - 0.5 * group.interval, group.days)
    days = np.where(days > group.entry, days, group.days)
    width = np.where(exited, group.interval, 0.0)
    lower = np.where(width > 0, np.maximum(days - width, group.entry), days)
    columns = (days, exited, np.array(group.entry), lower, np.array(group.weight), np.ascontiguousarray(design))
    for column in columns:
        column.flags.writeable = False
    return Observations(*columns)
