"""One table of covariates for a whole book, known when a claim is reported and the same for every transition."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats

SMALLEST_LEVEL = 30
"""Levels of a category with fewer claims are pooled, and an indicator needs as many claims on each side."""

KNOWN_LATER = ("days_off", "returned", "medical_paid", "indemnity_paid", "expense_paid", "attorney", "represented")
"""Columns learned after the stay began: a fit on them would look into its own future."""

AUTOMATIC = ("arrangement", "age", "weekly_wage", "body_part")
"""Columns used by default, in the order in which a transition with few exits takes them."""


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
    """

    name: str
    column: str
    levels: tuple[str, ...] = ()
    logged: bool = False
    centre: float = 0.0
    unit: float = 1.0
    missing: int = 0

    def values(self, claims: pd.DataFrame) -> Floats:
        """Return the column for `claims`, shape (n_claims,)."""
        if self.levels:
            member = claims[self.column].astype(str).isin(self.levels).to_numpy(dtype=bool)
            return np.asarray(member.astype(np.float64))
        number = _numbers(claims[self.column], logged=self.logged)
        return np.where(np.isnan(number), 0.0, (number - self.centre) / self.unit)


@dataclass(frozen=True, slots=True)
class CovariateDesign:
    """The columns every transition chooses from.

    Attributes
    ----------
    terms : the columns in order.
    """

    terms: tuple[Term, ...]

    def __repr__(self) -> str:
        if not self.terms:
            return "no covariates"
        missing = {term.column: term.missing for term in self.terms if term.missing}
        text = ", ".join(self.names)
        return text + "".join(f"; {n:,} claims without {column} count as average" for column, n in missing.items())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(term.name for term in self.terms)

    def matrix(self, claims: pd.DataFrame) -> Floats:
        """Return the design of `claims`, shape (n_claims, n_columns), without the constant.

        Raises
        ------
        ValueError
            If a column the design was made from is absent.
        """
        absent = sorted({term.column for term in self.terms} - set(claims.columns))
        if absent:
            raise ValueError(f"`claims` must hold the columns the recovery was fitted on; missing {', '.join(absent)}")
        columns = [term.values(claims) for term in self.terms]
        return np.column_stack(columns) if columns else np.zeros((len(claims), 0))


def covariate_design(claims: pd.DataFrame, covariates: str | Sequence[str] = "auto") -> CovariateDesign:
    """Make the design of a book.

    Parameters
    ----------
    claims : pandas.DataFrame
        One row a claim.
    covariates : "auto" or sequence of str
        Columns to use. "auto" takes arrangement, age, weekly wage and body part where present. Age counts in decades
        and weekly wage in logs, both from their mean; other numbers in standard deviations; categories by level
        against the most frequent.

    Returns
    -------
    CovariateDesign

    Raises
    ------
    ValueError
        If a column is absent or is learned only after the stay began.

    Examples
    --------
    >>> covariate_design(pd.DataFrame({"age": [30.0, 50.0]})).matrix(pd.DataFrame({"age": [60.0]})).tolist()
    [[2.0]]
    """
    if isinstance(covariates, str):
        if covariates != "auto":
            raise ValueError(f"`covariates` must be 'auto' or a sequence of column names, got {covariates!r}")
        columns = [name for name in AUTOMATIC if name in claims.columns]
    else:
        columns = list(covariates)
        _check_columns(columns, claims)
    terms: list[Term] = []
    for name in columns:
        terms.extend(_terms(name, claims[name]))
    return CovariateDesign(tuple(terms))


def _check_columns(columns: list[str], claims: pd.DataFrame) -> None:
    """Refuse absent columns and those known only later."""
    for name in columns:
        if name in KNOWN_LATER:
            raise ValueError(f"`covariates` must be known when the stay begins; {name!r} is learned later")
        if name not in claims.columns:
            raise ValueError(f"`covariates` must name columns of the claims; there is no {name!r}")


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
    terms = [Term(f"{name} {level}", name, (level,), missing=missing) for level in large if level != reference]
    in_pool = int(sizes[list(pooled)].sum()) if pooled else 0
    if reference is not None and in_pool >= SMALLEST_LEVEL:
        terms.append(Term(f"{name} other", name, pooled, missing=missing))
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
        Column numbers. An indicator needs five exits with and five without; a column that the constant and the
        columns before it explain is left out.
    """
    chosen: list[int] = []
    basis = np.ones((len(design), 1))
    for column in range(design.shape[1]):
        if len(chosen) >= limit:
            break
        x = design[:, column]
        among = x[exited.astype(bool)]
        if np.isin(x, (0.0, 1.0)).all() and min(among.sum(), len(among) - among.sum()) < 5:
            continue
        residual = x - basis @ np.linalg.lstsq(basis, x, rcond=None)[0]
        if float(residual.std()) <= 1e-4 * max(float(x.std()), 1e-12):
            continue
        chosen.append(column)
        basis = np.column_stack([basis, x])
    return tuple(chosen)
