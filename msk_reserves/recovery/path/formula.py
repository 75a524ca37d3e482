"""Covariates by formula: columns of the claims, functions of them and interactions, made again for any later book."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from formulaic import Formula, ModelSpec
from formulaic.errors import FormulaicError, FormulaicWarning

from msk_reserves._checks import Floats


@dataclass(frozen=True, slots=True, eq=False)
class FormulaColumns:
    """Columns of a design made by a formula.

    Attributes
    ----------
    formula : the formula as it was given.
    spec : what formulaic keeps to make the same columns again: levels, centres, knots.
    names : names of the columns.
    centre : what is taken off each column, its mean where it is not an indicator; shape (n_columns,).
    sources : columns of the claims it reads.
    fill : the value that stands for a missing one, by column: the mean, or the most frequent level.
    levels : levels of each category it reads, when the design was made.
    gaps : columns with missing values then, and in how many claims.
    """

    formula: str
    spec: ModelSpec
    names: tuple[str, ...]
    centre: Floats
    sources: tuple[str, ...]
    fill: tuple[tuple[str, object], ...]
    levels: tuple[tuple[str, tuple[str, ...]], ...]
    gaps: tuple[tuple[str, int], ...]

    def values(self, claims: pd.DataFrame) -> Floats:
        """Return the columns for `claims`, shape (n_claims, n_columns).

        Raises
        ------
        ValueError
            If a level was not there when the formula was fitted, or a value comes out missing or infinite.
        """
        new = self._new_levels(claims)
        if new:
            raise ValueError(
                f"`claims` must hold only levels that {self.formula!r} was fitted on, got {', '.join(new)}; pool them "
                "or fit on a book that has them"
            )
        matrix = _evaluated(self.formula, self.spec, _filled(claims, self.fill))
        return np.asarray(_without_constant(matrix)[1] - self.centre)

    def unseen(self, claims: pd.DataFrame) -> Mapping[str, int]:
        """Return nothing: a level that the formula does not know is refused."""
        del claims
        return {}

    def _new_levels(self, claims: pd.DataFrame) -> list[str]:
        """Return the levels of `claims` that are new, as column and level."""
        found = []
        for column, known in self.levels:
            words = claims[column].dropna().astype(str)
            found += [f"{column} {level}" for level in sorted(set(words) - set(known))]
        return found


def formula_columns(formula: str, claims: pd.DataFrame) -> FormulaColumns:
    """Read a formula and make its columns for a book.

    Parameters
    ----------
    formula : str
        Names of columns and functions of them, joined by `+`, `:` and `*` (Wilkinson and Rogers 1973): words are
        categories, `C(x)` makes a number one, `np.log(x)`, `bs(x, df=4)`, `center(x)`, `poly(x, 2)` and whatever else
        formulaic knows may be used. The constant belongs to the law and is left out.
    claims : pandas.DataFrame
        One row a claim. A missing value counts as the mean of its column, or its most frequent level.

    Returns
    -------
    FormulaColumns
        What makes the same columns again for another book: the same levels, centres and knots.

    Raises
    ------
    ValueError
        If the formula cannot be read, has a left side or no constant, names something that is not there, makes no
        column, or gives a value that is missing or infinite.

    Examples
    --------
    >>> claims = pd.DataFrame({"age": [30.0, 50.0], "body_part": ["knee", "neck"]})
    >>> made = formula_columns("body_part + np.log(age)", claims)
    >>> made.names
    ('body_part[T.neck]', 'np.log(age)')
    >>> made.values(claims).round(3).tolist()
    [[0.0, -0.255], [1.0, 0.255]]
    """
    _check_formula(formula)
    # What a formula reads is known once it is evaluated; until then, whatever column it may mean.
    may_read = tuple(str(name) for name in claims.columns if str(name) in formula)
    matrix = _evaluated(formula, None, _filled(claims, _fills(claims, may_read)[0]))
    sources = tuple(name for name in may_read if name in matrix.model_spec.required_variables)
    fill, gaps, levels = _fills(claims, sources)
    names, values = _without_constant(matrix)
    if not names:
        raise ValueError(f"`covariates` must make at least one column, got the formula {formula!r}")
    indicator = np.isin(values, (0.0, 1.0)).all(axis=0)
    centre = np.where(indicator, 0.0, values.mean(axis=0))
    centre.flags.writeable = False
    return FormulaColumns(formula, matrix.model_spec, names, centre, sources, fill, levels, gaps)


def _check_formula(formula: str) -> None:
    """Refuse what is no formula, or one with a left side or without a constant."""
    try:
        read = Formula(formula)
    except FormulaicError as error:
        raise ValueError(
            f"`covariates` must be a formula such as 'body_part + np.log(weekly_wage)': {error}"
        ) from error
    if hasattr(read, "lhs"):
        raise ValueError(f"`covariates` must be a formula without a left side, got {formula!r}")
    if not any(str(term) == "1" for term in read):
        raise ValueError(f"`covariates` must leave the constant alone, which belongs to the law; got {formula!r}")


def _fills(
    claims: pd.DataFrame, columns: tuple[str, ...]
) -> tuple[tuple[tuple[str, object], ...], tuple[tuple[str, int], ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """Return what stands for a missing value, how many are missing, and the levels of categories."""
    fill, gaps, levels = list[tuple[str, object]](), list[tuple[str, int]](), list[tuple[str, tuple[str, ...]]]()
    for name in columns:
        values, missing = claims[name], int(claims[name].isna().sum())
        if missing:
            gaps.append((name, missing))
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            fill.append((name, float(pd.to_numeric(values).mean())))
            continue
        words = values.dropna().astype(str)
        fill.append((name, words.mode().iloc[0] if len(words) else "missing"))
        levels.append((name, tuple(sorted(set(words)))))
    return tuple(fill), tuple(gaps), tuple(levels)


def _filled(claims: pd.DataFrame, fill: tuple[tuple[str, object], ...]) -> pd.DataFrame:
    """Return the columns a formula reads, none missing, categories as words."""
    columns = {}
    for name, value in fill:
        given = claims[name]
        if isinstance(value, float):
            columns[name] = pd.to_numeric(given).astype(np.float64).fillna(value)
        else:
            columns[name] = given.astype(object).where(given.notna(), value).astype(str)
    return pd.DataFrame(columns, index=claims.index)


def _evaluated(formula: str, spec: ModelSpec | None, claims: pd.DataFrame) -> pd.DataFrame:
    """Return the columns as formulaic makes them, anew or by `spec`; its warnings are errors here."""
    maker = Formula(formula) if spec is None else spec
    try:
        with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
            warnings.simplefilter("error", FormulaicWarning)
            matrix = maker.get_model_matrix(claims, context={"np": np}, na_action="ignore")
    except (FormulaicError, FormulaicWarning, ValueError) as error:
        raise ValueError(f"`covariates` must be a formula these claims can fill; {formula!r} fails: {error}") from error
    wrong = ~np.isfinite(matrix.to_numpy(dtype=np.float64))
    if wrong.any():
        column = matrix.columns[int(np.argmax(wrong.any(axis=0)))]
        n = int(wrong.any(axis=1).sum())
        raise ValueError(f"`covariates` must give finite numbers; {column!r} is missing or infinite in {n:,} claims")
    return matrix


def _without_constant(matrix: pd.DataFrame) -> tuple[tuple[str, ...], Floats]:
    """Return names and values of the columns but the constant."""
    kept = [name for name in matrix.columns if name != "Intercept"]
    return tuple(map(str, kept)), matrix[kept].to_numpy(dtype=np.float64)
