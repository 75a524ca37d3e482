"""What is known of a claim at its start that makes its care dearer or cheaper, as columns of a regression."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats

AGE_EDGES = (30.0, 40.0, 50.0, 60.0)
_AGE_LABELS = np.array(["under 30", "30 to 39", "40 to 49", "50 to 59", "60 and over", "unknown"])
_POOLED = "(rare levels)"


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor: its reference level, the levels with a column, and whether the rare ones share a last column."""

    name: str
    reference: str
    levels: tuple[str, ...]
    pooled: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the factor's columns."""
        names = self.levels + ((_POOLED,) if self.pooled else ())
        return tuple(f"{self.name}: {level}" for level in names)


@dataclass(frozen=True, slots=True)
class Design:
    """The factors of the relativities, with the levels kept."""

    factors: tuple[Factor, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return tuple(name for factor in self.factors for name in factor.columns)

    def __str__(self) -> str:
        parts = [f"{f.name} ({len(f.columns) + 1} levels, reference {f.reference})" for f in self.factors]
        return ", ".join(parts) if parts else "no covariates"


def build_design(claims: pd.DataFrame, *, min_claims: int = 50) -> Design:
    """Choose levels of body part, age decade and arrangement; those with fewer than `min_claims` claims share one."""
    factors = []
    for name, labels in _labels(claims).items():
        levels, counts = np.unique(labels, return_counts=True)
        reference = str(levels[np.argmax(counts)])
        kept = tuple(str(v) for v, n in zip(levels, counts, strict=True) if n >= min_claims and v != reference)
        rare = int(counts[(counts < min_claims) & (levels != reference)].sum())
        if kept or rare >= min_claims:
            factors.append(Factor(name, reference, kept, rare >= min_claims))
    return Design(tuple(factors))


def design_matrix(design: Design, claims: pd.DataFrame) -> Floats:
    """Return the columns of `design` for `claims`, shape (n_claims, n_columns).

    A level the fit did not know counts as rare where the rare ones have a column, else as the reference.
    """
    labels = _labels(claims)
    blocks: list[Floats] = [np.zeros((len(claims), 0))]
    for factor in design.factors:
        values = labels[factor.name]
        block = (values[:, None] == np.array(factor.levels, dtype=str)[None, :]).astype(np.float64)
        if factor.pooled:
            rare = ~(block.any(axis=1) | (values == factor.reference))
            block = np.c_[block, rare.astype(np.float64)]
        blocks.append(block)
    matrix: Floats = np.concatenate(blocks, axis=1)
    return matrix


def _labels(claims: pd.DataFrame) -> dict[str, "np.ndarray[tuple[int, ...], np.dtype[np.str_]]"]:
    """Return each factor's label of each claim."""
    n = len(claims)
    age = claims["age"].to_numpy(dtype=np.float64, na_value=np.nan) if "age" in claims else np.full(n, np.nan)
    decade = np.where(np.isnan(age), len(_AGE_LABELS) - 1, np.searchsorted(AGE_EDGES, age, side="right"))
    arrangement = claims["arrangement"].to_numpy(dtype=str) if "arrangement" in claims else np.full(n, "ffs")
    return {
        "body part": claims["body_part"].to_numpy(dtype=str),
        "age": _AGE_LABELS[decade],
        "arrangement": arrangement,
    }
