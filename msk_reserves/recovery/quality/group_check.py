"""Predicted shares gone against Aalen-Johansen, group by group of the claims."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from msk_reserves._checks import Integers
from msk_reserves.claims.book import ClaimBook
from msk_reserves.recovery.path.covariates import KNOWN_LATER
from msk_reserves.recovery.quality.calibration import Observed
from msk_reserves.recovery.quality.judged import JudgedStays

REPRESENTED_COLUMN = "represented"

AGE_CUTS = (30.0, 40.0, 50.0, 60.0)
"""Where groups of age part, years."""

GROUPS = ("body_part", "age", "arrangement", REPRESENTED_COLUMN)
"""By what predicted and observed returns are compared by default."""

SMALLEST_GROUP = 30
"""Stays below which levels of a category are shown as one."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupCheck:
    """Predicted and observed shares gone by group.

    Attributes
    ----------
    judged : the stays.
    parts : (covariate, horizon, levels, shares) of each comparison.
    """

    judged: JudgedStays
    parts: tuple[tuple[str, float, tuple[str, ...], Observed], ...]

    def to_frame(self) -> pd.DataFrame:
        """Return a row a group and day: by, level, days, then as `Observed.to_frame`."""
        frames = []
        for by, horizon, levels, shares in self.parts:
            frame = shares.to_frame()
            frame.insert(0, "days", horizon)
            frame.insert(0, "level", list(levels))
            frame.insert(0, "by", by)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def __repr__(self) -> str:
        table = self.to_frame().to_string(index=False, float_format=lambda x: f"{x:.3f}")
        return f"{self.judged!r}\n{table}"

    def _repr_html_(self) -> str:
        return f"<p>{self.judged!r}</p>" + str(self.to_frame().to_html(index=False, float_format="{:.3f}".format))


def predicted_and_observed(judged: JudgedStays, book: ClaimBook, by: Sequence[str] = GROUPS) -> GroupCheck:
    """Hold predicted shares gone against Aalen-Johansen, group by group.

    Parameters
    ----------
    judged : JudgedStays
        Stays of `book` with predictions.
    book : ClaimBook
        Their claims.
    by : sequence of str
        Columns of the claims; those the book lacks are passed over unless none is left. Ages are cut at 30, 40, 50 and
        60, other numbers at their quartiles; levels with fewer than 30 stays are shown as one. "represented" stands for
        whether an attorney had been retained by the day from which stays are judged.

    Returns
    -------
    GroupCheck

    Raises
    ------
    ValueError
        If no column is there, or one is learned only after the stay began: who has an attorney by now, say, has had to
        stay long enough to retain one, so that the share seen among them is none that could have been predicted.
    """
    for name in by:
        if name in KNOWN_LATER and name != REPRESENTED_COLUMN:
            raise ValueError(f"`by` must be known when the stay begins; {name!r} is learned later")
    columns = [name for name in by if name in book.claims.columns or name == REPRESENTED_COLUMN]
    if not columns:
        raise ValueError(f"`by` must name columns of the claims; there is none of {', '.join(by)}")
    parts = []
    for name in columns:
        if name == REPRESENTED_COLUMN:
            values = pd.Series(np.where(judged.represented, "represented", "not represented"))
        else:
            values = book.claims[name].iloc[judged.claim]
        levels, group = _levels(name, values)
        parts += [(name, float(day), levels, judged.by_group(group, float(day))) for day in judged.horizons]
    return GroupCheck(judged, tuple(parts))


def _levels(name: str, values: pd.Series) -> tuple[tuple[str, ...], Integers]:
    """Return the names of the groups of a column, and the group of each stay."""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if numeric:
        number = np.asarray(pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan))
        cuts = np.array(AGE_CUTS) if name == "age" else np.unique(np.nanquantile(number, (0.25, 0.5, 0.75)))
        place = np.searchsorted(cuts, number, side="right")
        inner = [f"{low:g} to {high:g}" for low, high in pairwise(cuts.tolist())]
        names = np.array([f"under {cuts[0]:g}", *inner, f"{cuts[-1]:g} and over", "unknown"])
        words = names[np.where(np.isnan(number), len(names) - 1, place)]
        order = [one for one in names if (words == one).any()]
    else:
        words = values.astype(str).where(values.notna(), "unknown").to_numpy(dtype=str)
        kinds, sizes = np.unique(words, return_counts=True)
        small = kinds[sizes < SMALLEST_GROUP]
        words = np.where(np.isin(words, small), "other", words) if len(small) > 1 else words
        kinds, sizes = np.unique(words, return_counts=True)
        order = kinds[np.argsort(-sizes, kind="stable")].tolist()
    codes = {str(one): place for place, one in enumerate(order)}
    return tuple(codes), np.array([codes[str(word)] for word in words], dtype=np.int64)
