"""Levels of a column of the claims with baseline hazards of their own, where each shows exits enough."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats
from msk_reserves.claims.book import Decision
from msk_reserves.recovery.path.covariates import SMALLEST_LEVEL, CovariateDesign, check_columns
from msk_reserves.recovery.path.selection import MANY_EVENTS
from msk_reserves.recovery.path.transitions import AtRisk, Stratum, Transition

MOST_LEVELS = 60
"""Most levels a stratifying column may have: as many as there are jurisdictions, and room for some more."""

OTHER = "other"
"""Name under which the levels with fewer than `SMALLEST_LEVEL` claims stand."""

Pair = tuple[Transition, Transition | None]
"""A move out of a state, and out of its twin where it has one."""


@dataclass(frozen=True, slots=True)
class StrataColumns:
    """Columns that say to which level of a column a claim belongs, each claim to one.

    Attributes
    ----------
    column : column of the claims.
    levels : its levels, the most frequent first; those with few claims are one, `OTHER`.
    pooled : the levels that stand under `OTHER`.
    missing : claims without a value when the design was made; they count as the most frequent level.
    stratifies : whether the levels have laws of their own.
    """

    column: str
    levels: tuple[str, ...]
    pooled: tuple[str, ...]
    missing: int
    stratifies: bool = True

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(f"{self.column} is {level}" for level in self.levels)

    @property
    def sources(self) -> tuple[str, ...]:
        """The column of the claims."""
        return (self.column,)

    @property
    def gaps(self) -> tuple[tuple[str, int], ...]:
        """The column of the claims and its missing values, if any."""
        return ((self.column, self.missing),) if self.missing else ()

    def values(self, claims: pd.DataFrame) -> Floats:
        """Return the columns for `claims`, shape (n_claims, n_levels); levels not known count as the most frequent."""
        words = claims[self.column].astype(str)
        flags = [words.isin(self.pooled if level == OTHER else [level]).to_numpy(dtype=bool) for level in self.levels]
        member = np.column_stack(flags).astype(np.float64)
        member[:, 0] += member.sum(axis=1) == 0
        return member

    def unseen(self, claims: pd.DataFrame) -> Mapping[str, int]:
        """Return the levels of `claims` that were not there when the design was made, with their claims."""
        words = claims[self.column].dropna().astype(str)
        unknown = words[~words.isin([*self.levels, *self.pooled])]
        return {f"{self.column} {level}": int(n) for level, n in unknown.value_counts().items()}


def level_columns(claims: pd.DataFrame, name: str, argument: str = "strata") -> StrataColumns:
    """Return the columns of the levels of a category.

    Parameters
    ----------
    claims : pandas.DataFrame
        One row a claim.
    name : str
        The column.
    argument : str
        The argument by which it was asked for.

    Returns
    -------
    StrataColumns

    Raises
    ------
    ValueError
        If it is absent, learned only after the stay began, or has more than `MOST_LEVELS` levels.

    Examples
    --------
    >>> level_columns(pd.DataFrame({"sex": ["m"] * 40 + ["f"] * 30}), "sex").levels
    ('m', 'f')
    """
    check_columns((name,), claims, argument)
    words = claims[name].dropna().astype(str)
    sizes = words.value_counts(sort=False).sort_index().sort_values(ascending=False, kind="stable")
    if not len(sizes):
        raise ValueError(f"`{argument}` must name a column with values; {name!r} is empty. Leave it out")
    if len(sizes) > MOST_LEVELS:
        raise ValueError(
            f"`{argument}` must name a column of at most {MOST_LEVELS} levels; {name!r} has {len(sizes):,}. Put "
            "its values in bands (`pandas.cut`), or name it in `covariates`"
        )
    large = [str(level) for level, n in sizes.items() if n >= SMALLEST_LEVEL and level != OTHER]
    pooled = tuple(str(level) for level in sizes.index if level not in large)
    return StrataColumns(name, (*large, *([OTHER] if pooled else [])), pooled, int(claims[name].isna().sum()))


def with_strata(design: CovariateDesign, claims: pd.DataFrame, name: str | None) -> CovariateDesign:
    """Return the design with the columns of the strata behind the others: no law multiplies them."""
    return design if name is None else replace(design, terms=(*design.terms, level_columns(claims, name)))


def _of_design(design: CovariateDesign) -> tuple[int, StrataColumns] | None:
    """Return the first column of the strata and what they are, None where there are none."""
    place = 0
    for term in design.terms:
        if isinstance(term, StrataColumns) and term.stratifies:
            return place, term
        place += len(term.names)
    return None


def at_frequent_level(design: CovariateDesign, matrix: Floats) -> Floats:
    """Return a matrix of the design with every row of the most frequent levels: no claim is partly of several."""
    result, first = matrix.copy(), 0
    for term in design.terms:
        if isinstance(term, StrataColumns):
            result[:, first : first + len(term.levels)] = 0.0
            result[:, first] = 1.0
        first += len(term.names)
    return result


def fit_by_stratum(
    group: AtRisk, target: str, design: tuple[CovariateDesign, Floats], fit: Callable[[AtRisk], Pair]
) -> tuple[Pair, ...]:
    """Fit a move in each stratum that shows `MANY_EVENTS` exits or more, and once for all others.

    Parameters
    ----------
    group : AtRisk
        The stays at risk.
    target : str
        The state moved to.
    design : tuple of CovariateDesign and numpy.ndarray
        The design and its matrix.
    fit : callable
        Fits the move to some of the stays.

    Returns
    -------
    tuple of pairs
        One pair a stratum with a law of its own; last, where some have none, the law of the stays of all strata, which
        those then borrow. A single pair without a stratum where no level has exits enough, or there is but one.
    """
    found = _of_design(design[0])
    if found is None or len(found[1].levels) == 1:
        return (fit(group),)
    first, strata = found
    place = design[1][np.ix_(group.row, np.arange(first, first + len(strata.levels)))].argmax(axis=1)
    parts = [place == code for code in range(len(strata.levels))]
    own = [code for code, part in enumerate(parts) if group.of(part).exits(target) >= MANY_EVENTS]
    if not own:
        return (fit(group),)
    pairs = []
    for code in own:
        others = tuple(first + other for other in range(len(parts)) if other != code)
        pairs.append(_within(fit(group.of(parts[code])), Stratum(strata.levels[code], others)))
    if len(own) < len(parts):
        rest = ~np.isin(place, own)
        label = ", ".join(strata.levels[code] for code in range(len(parts)) if code not in own)
        pair = _within(fit(group), Stratum(label, tuple(first + code for code in own), borrows=True))
        pairs.append(_counted(pair, group, target, rest))
    return tuple(pairs)


def _within(pair: Pair, stratum: Stratum) -> Pair:
    """Return a move and that out of the twin as they are in one stratum."""
    own, there = replace(pair[0], stratum=stratum), pair[1]
    if there is None:
        return own, None
    return own, replace(there, stratum=stratum, shared=own.name if there.shared else "")


def _counted(pair: Pair, group: AtRisk, target: str, rest: Booleans) -> Pair:
    """Return a pair with the exits and days of the strata that use it, not of all that its law was fitted to."""
    own, there = pair
    apart = there is not None and not there.shared
    counted = [
        None
        if one is None
        else _with_counts(one, group.of(rest & (group.marked == marked) if apart else rest).at_risk_of(target), target)
        for one, marked in ((own, False), (there, True))
    ]
    return counted[0] or own, counted[1]


def _with_counts(move: Transition, group: AtRisk, target: str) -> Transition:
    """Return a move with the exits and days of some stays."""
    return replace(move, events=group.exits(target), exposure=group.exposure())


def borrowing(fitted: Iterable[Transition], strata: str | None) -> tuple[Decision, ...]:
    """Say which levels have too few exits of a move for a law of their own."""
    thin = [one for one in fitted if one.stratum is not None and one.stratum.borrows and not one.shared]
    if not thin:
        return ()
    told = "; ".join(f"{one.origin} to {one.target}: {one.stratum.level}" for one in thin if one.stratum is not None)
    meaning = f"moves of which levels of {strata} with fewer than {MANY_EVENTS} exits have the law of all levels"
    return (Decision("stratum borrowed", len(thin), f"{meaning} ({told})"),)


def within(group: AtRisk, move: Transition, design: Floats) -> AtRisk:
    """Return the stays of a group that belong to the stratum of a move, all where it has none."""
    if move.stratum is None:
        return group
    return group.of(~(design[np.ix_(group.row, np.array(move.stratum.shut))] > 0).any(axis=1))


def one_stratum(fitted: Sequence[Transition], name: str) -> tuple[Transition, ...]:
    """Return the moves with that of one name, out of a state and out of its twin, once and not by stratum."""
    kept: list[Transition] = []
    for one in fitted:
        if one.base_name == name and one.stratum is not None:
            if any(other.base_name == name and other.origin == one.origin for other in kept):
                continue
            shared = name if one.shared else ""
            same = [other for other in fitted if other.base_name == name and other.origin == one.origin]
            events, exposure = (sum(getattr(other, what) for other in same) for what in ("events", "exposure"))
            kept.append(replace(one, stratum=None, shared=shared, events=events, exposure=exposure))
        else:
            kept.append(one)
    return tuple(kept)


def in_words(move: Transition, fitted: Sequence[Transition]) -> dict[str, str]:
    """Return the cell of a table that says which stratum a move is of, nothing where no move has strata."""
    if all(one.stratum is None for one in fitted):
        return {}
    return {"stratum": "all" if move.stratum is None else move.stratum.level}


def told(design: CovariateDesign) -> tuple[str, ...]:
    """Return sentences on the columns of levels."""
    blocks = [term for term in design.terms if isinstance(term, StrataColumns)]
    strata = [f"Strata of {one.column}." for one in blocks if one.stratifies]
    return (*strata, *(f"Shape, or effects over time, by {one.column}." for one in blocks if not one.stratifies))
