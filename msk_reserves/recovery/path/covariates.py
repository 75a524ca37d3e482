"""One table of covariates for a whole book, known when a claim is reported, from which each move takes its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.vocabulary import STATES
from msk_reserves.recovery.path.entry import EntryTerm, entered
from msk_reserves.recovery.path.formula import formula_columns

SMALLEST_LEVEL = 30
"""Levels of a category with fewer claims are pooled, and an indicator needs as many claims on each side."""

LEAST_EXITS = 5
"""Exits an indicator needs with it and without."""

KNOWN_LATER = (
    "days_off", "returned", "medical_paid", "indemnity_paid", "expense_paid", "attorney", "represented", "operated",
    "releases_medical",
)  # fmt: skip
"""Columns learned after the stay began: a fit on them would look into its own future."""

AUTOMATIC = ("arrangement", "age", "injury_type", "body_part", "job_demand", "comorbidities", "weekly_wage")
"""Columns used by default, in the order in which a transition with few exits takes them: how care is paid, then what is
hurt and what is best documented to delay a return (age, heavy work, other illness), the wage last."""

NOT_AUTOMATIC: Mapping[str, str] = MappingProxyType(
    {
        "sex": "little effect beyond the others is documented",
        "jurisdiction": "acts through waiting period and benefit, which are modelled",
        "industry": "acts through job demand and wage",
        "employer_id": "too many levels; `frailty` shares what is common to an employer",
        "married": "little effect beyond the others is documented",
        "hospitalised": "known at the start only if it happened then",
    }
)
"""Columns of the data model left out by default, and why; `covariates` may name them."""

Move = tuple[str, str]
Ask = str | Sequence[str]


class Block(Protocol):
    """Columns of a design that belong together."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Columns of the claims they are made from."""

    @property
    def gaps(self) -> tuple[tuple[str, int], ...]:
        """Columns of the claims with missing values when the design was made, and in how many claims."""

    def values(self, claims: pd.DataFrame) -> Floats:
        """Return the columns for `claims`, shape (n_claims, n_columns)."""

    def unseen(self, claims: pd.DataFrame) -> Mapping[str, int]:
        """Return the levels of `claims` that the design does not know, with the number of claims of each."""


@dataclass(frozen=True, slots=True)
class Term:
    """One column of the design: membership in some levels of a category, or a centred number.

    Attributes
    ----------
    name : name in tables.
    column : column of the claims.
    levels : the levels that score 1; empty for a number.
    logged : whether the number's logarithm is taken.
    centre, unit : what is taken off the number, and what it is then divided by.
    missing : claims without a value when the design was made; they count as the mean, or the reference level.
    known : every level of the category when the design was made; empty for a number.
    """

    name: str
    column: str
    levels: tuple[str, ...] = ()
    logged: bool = False
    centre: float = 0.0
    unit: float = 1.0
    missing: int = 0
    known: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The name, as a row of one."""
        return (self.name,)

    @property
    def sources(self) -> tuple[str, ...]:
        """The column of the claims."""
        return (self.column,)

    @property
    def gaps(self) -> tuple[tuple[str, int], ...]:
        """The column of the claims and its missing values, if any."""
        return ((self.column, self.missing),) if self.missing else ()

    def values(self, claims: pd.DataFrame) -> Floats:
        """Return the column for `claims`, shape (n_claims, 1)."""
        if self.levels:
            member = claims[self.column].astype(str).isin(self.levels).to_numpy(dtype=bool)
            return np.asarray(member.astype(np.float64))[:, None]
        number = _numbers(claims[self.column], logged=self.logged)
        return np.where(np.isnan(number), 0.0, (number - self.centre) / self.unit)[:, None]

    def unseen(self, claims: pd.DataFrame) -> Mapping[str, int]:
        """Return the levels of a category that were not there when the design was made; they count as the reference."""
        if not self.known:
            return {}
        words = claims[self.column].dropna().astype(str)
        return {f"{self.column} {level}": int(n) for level, n in words[~words.isin(self.known)].value_counts().items()}


@dataclass(frozen=True, slots=True)
class CovariateDesign:
    """The columns the moves choose from.

    Attributes
    ----------
    terms : the columns in order, one or several a term.
    shared : how many of the terms serve every move without its own.
    own : terms that serve one move alone, as (move, number of the term).
    left_out : columns the claims have that are not used by default, with the reason.
    keys : columns behind those of the terms that no law multiplies, as the employer's number.
    """

    terms: tuple[Block, ...]
    shared: int
    own: tuple[tuple[Move, int], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    keys: tuple[Block, ...] = ()

    def __repr__(self) -> str:
        offered = {*range(self.shared), *(place for _, place in self.own)}
        read = [term for place, term in enumerate(self.terms) if place in offered]
        text = ", ".join(name for term in read for name in term.names) or "no covariates"
        missing = {column: n for term in self.terms for column, n in term.gaps}
        text += "".join(f"; {n:,} claims without {column} count as average" for column, n in missing.items())
        return text + "".join(f"; {column} not used: {reason}" for column, reason in self.left_out)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(name for term in self.terms for name in term.names)

    def columns_of(self, origin: str, target: str) -> tuple[int, ...]:
        """Return the numbers of the columns that a move may use, in the order in which it takes them."""
        mine = [term for move, term in self.own if move == (origin, target)]
        chosen = mine if mine or (origin, target) in {move for move, _ in self.own} else range(self.shared)
        starts = np.cumsum([0, *(len(term.names) for term in self.terms)])
        return tuple(int(column) for term in chosen for column in range(starts[term], starts[term + 1]))

    @property
    def entry_column(self) -> int:
        """Number of the first column of how late a stay began, -1 where there is none."""
        place = 0
        for term in self.terms:
            if isinstance(term, EntryTerm):
                return place
            place += len(term.names)
        return -1

    def matrix(self, claims: pd.DataFrame, since: Floats | None = None) -> Floats:
        """Return the design of `claims`, without the constant and with the keys; shape (n_claims, n_columns + n_keys).

        Parameters
        ----------
        claims : pandas.DataFrame
            A row a claim.
        since : numpy.ndarray, shape (n_claims,), optional
            Days from the start of each claim's path to that of the stay described, 0 by default.

        Raises
        ------
        ValueError
            If a column the design was made from is absent, or holds a level that a formula was not fitted on.
        """
        blocks = (*self.terms, *self.keys)
        absent = sorted({name for block in blocks for name in block.sources} - set(claims.columns))
        if absent:
            raise ValueError(f"`claims` must hold the columns the recovery was fitted on; missing {', '.join(absent)}")
        columns = [block.values(claims) for block in blocks]
        design: Floats = np.column_stack(columns) if columns else np.zeros((len(claims), 0))
        return design if since is None else entered(design, self.entry_column, since)

    def of_stays(self, claims: pd.DataFrame, row: Integers, since: Floats) -> Floats:
        """Return the design of stays: `row` is that of each one's claim, `since` as in `matrix`, by stay."""
        return entered(self.matrix(claims)[row], self.entry_column, since)

    def unseen(self, claims: pd.DataFrame) -> Mapping[str, int]:
        """Return the levels of `claims` that the design does not know and counts as the reference, by claims."""
        return {level: n for term in self.terms for level, n in term.unseen(claims).items()}


def covariate_design(
    claims: pd.DataFrame, covariates: Ask | Mapping[Move, Ask] = "auto", states: Sequence[str] = STATES
) -> CovariateDesign:
    """Make the design of a book.

    Parameters
    ----------
    claims : pandas.DataFrame
        One row a claim.
    covariates : "auto", sequence of str, formula, or mapping
        A sequence names columns to use. "auto" takes those of arrangement, age, injury type, body part, job demand,
        comorbidities and weekly wage that are present. Age counts in decades and weekly wage in logs, both from their
        mean; other numbers in standard deviations; categories by level against the most frequent. Any other string is a
        formula, as in `formula_columns`. A mapping gives some moves, (from, to), their own; the rest take "auto". The
        twin of a state takes what its state does.
    states : sequence of str
        States that moves may name.

    Returns
    -------
    CovariateDesign

    Raises
    ------
    ValueError
        If a column is absent or is learned only after the stay began, or a formula cannot be read.

    Examples
    --------
    >>> covariate_design(pd.DataFrame({"age": [30.0, 50.0]})).matrix(pd.DataFrame({"age": [60.0]})).tolist()
    [[2.0]]
    >>> covariate_design(pd.DataFrame({"age": [30.0, 50.0, 60.0]}), "age + np.log(age)")
    age, np.log(age)
    """
    by_move = covariates if isinstance(covariates, Mapping) else {}
    every: Ask = "auto" if isinstance(covariates, Mapping) else covariates
    terms = _asked(claims, every)
    shared, own = len(terms), list[tuple[Move, int]]()
    for move, ask in by_move.items():
        check_move(move, states)
        mine = _asked(claims, ask)
        if not mine:
            raise ValueError(f"`covariates` must give {move} a column that varies; leave the move out for the default")
        own += [(move, len(terms) + place) for place in range(len(mine))]
        terms += mine
    automatic = every == "auto"
    left_out = tuple((name, why) for name, why in NOT_AUTOMATIC.items() if automatic and name in claims.columns)
    return CovariateDesign(tuple(terms), shared, tuple(own), left_out)


def check_move(move: object, states: Sequence[str], argument: str = "covariates") -> None:
    """Refuse a key of the mapping that is not a move between two states."""
    if not (isinstance(move, tuple) and len(move) == 2 and all(name in states for name in move)):
        raise ValueError(f"`{argument}` must be keyed by moves such as ('off_work', 'back_at_work'), got {move!r}")


def _asked(claims: pd.DataFrame, ask: Ask) -> list[Block]:
    """Return the terms of one request."""
    if isinstance(ask, str) and ask != "auto":
        block = formula_columns(ask, claims)
        check_columns(block.sources, claims)
        return [block]
    columns = [name for name in AUTOMATIC if name in claims.columns] if isinstance(ask, str) else list(ask)
    check_columns(columns, claims)
    terms: list[Block] = []
    for name in columns:
        terms.extend(_terms(name, claims[name]))
    return terms


def check_columns(columns: Sequence[str], claims: pd.DataFrame, argument: str = "covariates") -> None:
    """Refuse absent columns and those known only later."""
    for name in columns:
        if name in KNOWN_LATER:
            raise ValueError(f"`{argument}` must be known when the stay begins; {name!r} is learned later")
        if name not in claims.columns:
            raise ValueError(f"`{argument}` must name columns of the claims; there is no {name!r}")


def _terms(name: str, values: pd.Series) -> list[Term]:
    """Return the terms of one column."""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return _number(name, values) if numeric else _category(name, values)


def _numbers(values: pd.Series, *, logged: bool) -> Floats:
    """Return a numeric column as floats, logged if asked; NaN where missing or where the log does not exist."""
    number: Floats = np.asarray(pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan))
    if not logged:
        return number
    return np.log(np.where(number > 0, number, np.nan))


def _number(name: str, values: pd.Series) -> list[Term]:
    """Return a centred number, nothing if it does not vary."""
    logged = name == "weekly_wage"
    number = _numbers(values, logged=logged)
    known = number[~np.isnan(number)]
    if len(known) < 2 or float(known.std()) == 0.0:
        return []
    unit = 10.0 if name == "age" else 1.0 if logged else float(known.std())
    label = {"age": "age, decades", "weekly_wage": "log weekly wage"}.get(name, name)
    return [Term(label, name, (), logged, float(known.mean()), unit, int(np.isnan(number).sum()))]


def _category(name: str, values: pd.Series) -> list[Term]:
    """Return a term for each level but the most frequent, rare levels pooled, the larger first."""
    missing = int(values.isna().sum())
    sizes = (
        values.dropna().astype(str).value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    )
    large = [str(level) for level, n in sizes.items() if n >= SMALLEST_LEVEL and level != "other"]
    pooled = tuple(str(level) for level, n in sizes.items() if n < SMALLEST_LEVEL or level == "other")
    reference = large[0] if large else None
    known = tuple(map(str, sizes.index))
    terms = [
        Term(f"{name} {level}", name, (level,), missing=missing, known=known) for level in large if level != reference
    ]
    in_pool = int(sizes[list(pooled)].sum()) if pooled else 0
    if reference is not None and in_pool >= SMALLEST_LEVEL:
        terms.append(Term(f"{name} other", name, pooled, missing=missing, known=known))
    return terms


def usable_columns(design: Floats, exited: Floats, limit: int) -> tuple[int, ...]:
    """Return the columns a transition can carry: in order, up to `limit`, each with exits on both sides.

    Parameters
    ----------
    design : numpy.ndarray, shape (n_stays, n_columns)
        Design of the stays at risk.
    exited : numpy.ndarray of bool, shape (n_stays,)
        Which of them made the move.
    limit : int
        Largest number of columns.

    Returns
    -------
    tuple of int
        Column numbers. An indicator needs five exits with and five without, also given the columns before it: what it
        adds among the exits must weigh as much as that. A column that the constant and the columns before it explain is
        left out.
    """
    left = exited.astype(bool)
    indicator = ((design == 0.0) | (design == 1.0)).all(axis=0)
    marked = design[left].sum(axis=0)
    enough = ~indicator | (np.minimum(marked, left.sum() - marked) >= LEAST_EXITS)
    every, ended = _spread(design), _spread(design[left])
    least = 1e-8 * np.diag(every) + 1e-20 * (design**2).sum(axis=0)
    chosen: list[int] = []
    for column in np.flatnonzero(enough).tolist():
        if len(chosen) >= limit:
            break
        # Five exits on one side of an even contrast add up to half of five squares.
        few = indicator[column] and ended[column, column] < 0.5 * LEAST_EXITS
        if few or every[column, column] <= least[column]:
            continue
        chosen.append(column)
        every, ended = _unexplained(every, column, 0.0), _unexplained(ended, column, least[column])
    return tuple(chosen)


def _spread(design: Floats) -> Floats:
    """Return sums of products of the columns about their means."""
    apart = design - design.mean(axis=0) if len(design) else design
    return np.asarray(apart.T @ apart)


def _unexplained(spread: Floats, column: int, least: float) -> Floats:
    """Return sums of products of what one column leaves of the others; all of them where it varies by no more."""
    if spread[column, column] <= least:
        return spread
    return np.asarray(spread - np.outer(spread[:, column], spread[column]) / spread[column, column])
