"""Predicted state occupation against Aalen-Johansen: the whole path, not the first stay alone."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, frozen, whole
from msk_reserves.claims.book import ClaimBook
from msk_reserves.recovery.answers.prognosis import predicted_occupation
from msk_reserves.recovery.curves.occupation import occupation_of_book
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.recovery.quality.judged import HORIZONS, evenly, judged_stays
from msk_reserves.recovery.quality.scores import LIMIT

PREDICTED_CLAIMS = 500
"""Claims, evenly spaced, whose predictions are averaged by default."""


@dataclass(frozen=True, slots=True, eq=False)
class OccupationCheck:
    """Shares of workers in each state some days after the first day off work, predicted and seen.

    Attributes
    ----------
    states : the states, twins apart.
    days : the days; shape (n_days,).
    predicted, observed : shares of those off work on `start`; shape (n_days, n_states).
    standard_error : of their difference: that of Aalen-Johansen, and that of averaging over some claims only.
    start : day on which all were in their first stay off work, without an attorney.
    n_claims : claims seen.
    """

    states: tuple[str, ...]
    days: Floats
    predicted: Floats
    observed: Floats
    standard_error: Floats
    start: float
    n_claims: int

    @property
    def z(self) -> Floats:
        """Observed less predicted, in standard errors; NaN where fewer than ten claims are expected or seen."""
        enough = self.n_claims * np.maximum(self.predicted, self.observed) >= 10
        known = enough & (self.standard_error > 0)
        return np.where(known, (self.observed - self.predicted) / np.where(known, self.standard_error, 1.0), np.nan)

    def to_frame(self) -> pd.DataFrame:
        """Return a row a day and state: days, state, predicted, observed, standard_error, low, high, z."""
        n = len(self.states)
        width = LIMIT * self.standard_error.ravel()
        seen = self.observed.ravel()
        return pd.DataFrame(
            {
                "days": np.repeat(self.days, n),
                "state": list(self.states) * len(self.days),
                "predicted": self.predicted.ravel(),
                "observed": seen,
                "standard_error": self.standard_error.ravel(),
                "low": np.maximum(seen - width, 0.0),
                "high": np.minimum(seen + width, 1.0),
                "z": self.z.ravel(),
            }
        )

    def __repr__(self) -> str:
        table = self.to_frame().to_string(index=False, float_format=lambda x: f"{x:.3f}")
        return f"States of {self.n_claims:,} claims off work on day {self.start:g}, predicted and seen\n{table}"

    def _repr_html_(self) -> str:
        return f"<p>{repr(self).splitlines()[0]}</p>" + str(
            self.to_frame().to_html(index=False, float_format="{:.3f}".format)
        )


def occupation_check(
    recovery: Recovery,
    book: ClaimBook,
    horizons: Sequence[float] = HORIZONS,
    *,
    most_claims: int = PREDICTED_CLAIMS,
) -> OccupationCheck:
    """Hold predicted state occupation against Aalen-Johansen on the claims of a book.

    Parameters
    ----------
    recovery : Recovery
        The model.
    book : ClaimBook
        The claims.
    horizons : sequence of float
        Days since the first day off work, ascending.
    most_claims : int
        Claims, evenly spaced, whose predictions are averaged at most; the error of doing so is in the standard error.

    Returns
    -------
    OccupationCheck

    Raises
    ------
    ValueError
        As `judged_stays`; also if nobody is seen so long.

    Notes
    -----
    Both are given the first stay off work lasted beyond the day from which most such stays are watched, unrepresented
    then: the landmark version of the Aalen-Johansen product, which is right for paths that are not Markov (Putter and
    Spitoni, Statistical Methods in Medical Research 27 (2018) 2081), against the renewal equations at the estimates.
    """
    judged = judged_stays(recovery, book, horizons=horizons)
    start, days = judged.stays.start, frozen(horizons, "horizons")
    seen = occupation_of_book(book, initial="off_work", start_time=start, landmark=True)
    if seen.horizon < days[-1]:
        raise ValueError(f"`horizons` must not lie beyond the last day seen, {seen.horizon:g}; got {days[-1]:g}")
    there = np.unique(judged.claim[~judged.represented])
    chosen = there[evenly(len(there), whole(most_claims, "most_claims", at_least=2))]
    names = book.claims["claim_id"].to_numpy()[chosen].tolist()
    ahead = (days - start).tolist()
    states, chance = predicted_occupation(recovery, book, ahead, days_in_state=start, claims=names)
    every = tuple(dict.fromkeys((*seen.states, *states)))
    place = np.searchsorted(seen.times, days, side="right") - 1
    predicted, observed, error = (np.zeros((len(days), len(every))) for _ in range(3))
    left = 1.0 - len(chosen) / len(there)
    for column, name in enumerate(every):
        if name in states:
            mine = chance[:, :, states.index(name)]
            predicted[:, column] = mine.mean(axis=0)
            error[:, column] = left * mine.var(axis=0) / len(chosen)
        if name in seen.states:
            row = seen.states.index(name)
            observed[:, column] = seen.occupation[place, row]
            error[:, column] += seen.standard_error[place, row] ** 2
    error = np.sqrt(error)
    for table in (predicted, observed, error):
        table.flags.writeable = False
    return OccupationCheck(every, days, predicted, observed, error, start, seen.n_claims)
