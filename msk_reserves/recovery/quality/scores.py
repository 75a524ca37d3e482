"""Brier scores of predicted shares gone, with weights for the stays no longer watched."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from msk_reserves._checks import Floats, frozen
from msk_reserves.recovery.quality.censoring import Watched, watched

LIMIT = float(special.ndtri(0.975))
"""Standard errors to each side of a 95 % interval."""


@dataclass(frozen=True, slots=True, eq=False)
class BrierScores:
    """Mean squared distance between what was predicted and what happened, day by day; less is better.

    Attributes
    ----------
    days : the days asked for, ascending; shape (n_days,).
    score, null : score of the predictions, and of one share for all stays (Aalen-Johansen of the same stays).
    score_error, gain_error : standard errors of `score` and of `null - score`, the weights taken as known.
    watched : share still watched on each day.
    cause : code of the exit predicted.
    n_stays : stays judged.
    start : day to which survival is given.
    """

    days: Floats
    score: Floats
    null: Floats
    score_error: Floats
    gain_error: Floats
    watched: Floats
    cause: int
    n_stays: int
    start: float

    @property
    def skill(self) -> Floats:
        """One less the ratio of score to null: 0 says what one share for all says, 1 is certainty; shape (n_days,)."""
        return _ratio(self.null - self.score, self.null)

    @property
    def skill_interval(self) -> tuple[Floats, Floats]:
        """95 % confidence limits of `skill`, the null taken as known; each of shape (n_days,)."""
        width = LIMIT * self.gain_error
        gain = self.null - self.score
        return _ratio(gain - width, self.null), _ratio(gain + width, self.null)

    @property
    def integrated(self) -> float:
        """Mean of the score from `start` to the last day (integrated Brier score)."""
        return self._mean(self.score)

    @property
    def integrated_null(self) -> float:
        """The same of the null."""
        return self._mean(self.null)

    @property
    def integrated_skill(self) -> float:
        """One less their ratio, NaN where nobody left."""
        return 1.0 - self.integrated / self.integrated_null if self.integrated_null > 0 else float("nan")

    def _mean(self, values: Floats) -> float:
        """Integrate straight between the days asked for, from 0 on `start`, and divide by the length."""
        days = np.concatenate([[self.start], self.days])
        return float(np.trapezoid(np.concatenate([[0.0], values]), days) / (days[-1] - days[0]))

    def to_frame(self) -> pd.DataFrame:
        """Return a row a day: days, score, null, skill, skill_low, skill_high, watched."""
        low, high = self.skill_interval
        columns = (self.days, self.score, self.null, self.skill, low, high, self.watched)
        names = ("days", "score", "null", "skill", "skill_low", "skill_high", "watched")
        return pd.DataFrame(dict(zip(names, columns, strict=True)))

    def __repr__(self) -> str:
        return (
            f"Brier score {self.integrated:.4f} on average over days {self.start:g} to {self.days[-1]:g} "
            f"(one share for all {self.integrated_null:.4f}, skill {self.integrated_skill:.1%}), {self.n_stays:,} stays"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>" + str(self.to_frame().to_html(index=False, max_rows=12, float_format="{:.4g}".format))


def brier_score(
    predicted: npt.ArrayLike,
    days: npt.ArrayLike,
    exited: npt.ArrayLike,
    horizons: Sequence[float],
    *,
    cause: int = 1,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    start: float = 0.0,
) -> BrierScores:
    """Score predicted shares gone by some days.

    Parameters
    ----------
    predicted : array_like, shape (n_stays, n_days)
        Probability that the stay has ended by `cause` by each day, given that it lasted beyond `start`: one less
        survival where there is one kind of exit.
    days, exited : array_like, shape (n_stays,)
        Days when each stay ended or observation did; 0 for a stay still running, else the code of its exit.
    horizons : sequence of float
        The days asked for, ascending, beyond `start`.
    cause : int
        Code of the exit predicted; other exits are competing ones.
    entry : array_like, optional
        Left truncation, days; not beyond `start`. A stay seen only from later on is refused: those who left between
        could not have been seen, and a weight for them would need the law of entries. Leave such stays out.
    weights : array_like, optional
        Weights; whole weights count as repeated stays.
    start : float
        Day to which survival is given.

    Returns
    -------
    BrierScores

    Raises
    ------
    ValueError
        If stays are malformed, predictions lie outside [0, 1], a day lies not beyond `start` or is one on which fewer
        than 5 % are still watched.

    Notes
    -----
    With G the product-limit chance of still being watched,
    BS(t) = mean of 1{T <= t} (1{cause} - F)^2 / G(T-) + 1{T > t} F^2 / G(t) (Graf and others, Statistics in Medicine
    18 (1999) 2529; with competing exits Schoop and others, Biometrical Journal 53 (2011) 88). It takes ends of
    observation to be independent of the stay's length.

    Examples
    --------
    >>> scores = brier_score([[0.4]] * 6, [1, 2, 3, 4, 5, 6], [1, 0, 1, 0, 1, 1], [3.5])
    >>> round(float(scores.score[0]), 6)
    0.235
    """
    stays = watched(days, exited, entry=entry, weights=weights, start=start)
    shares = frozen(predicted, "predicted", ndim=2)
    grid = frozen(horizons, "horizons")
    if shares.shape != (len(stays), len(grid)) or not len(grid):
        raise ValueError(f"`predicted` must have shape {(len(stays), len(grid))} (stays, days), got {shares.shape}")
    if (shares < 0).any() or (shares > 1).any():
        raise ValueError(f"`predicted` must lie in [0, 1], got {shares.min():g} to {shares.max():g}")
    if (np.diff(grid) <= 0).any() or grid[0] <= stays.start:
        raise ValueError(f"`horizons` must ascend from beyond `start`, {stays.start:g}; got {grid.tolist()}")
    rows = np.array([_scored(stays, shares[:, place], float(day), cause) for place, day in enumerate(grid)])
    score, null, score_error, gain_error, still = (frozen(column, "predicted") for column in rows.T)
    return BrierScores(grid, score, null, score_error, gain_error, still, cause, len(stays), stays.start)


def _scored(stays: Watched, share: Floats, day: float, cause: int) -> tuple[float, ...]:
    """Return score, null, their errors and the share watched on one day."""
    weight = stays.inverse_weights(day)
    happened = ((stays.exit == cause) & (stays.days <= day)).astype(np.float64)
    total = float(stays.weights.sum())
    gone = float(stays.weights @ (weight * happened)) / total
    loss = weight * (happened - share) ** 2
    gain = weight * (happened - gone) ** 2 - loss
    score, better = float(stays.weights @ loss) / total, float(stays.weights @ gain) / total
    error = float(np.sqrt(stays.weights @ (loss - score) ** 2)) / total
    gain_error = float(np.sqrt(stays.weights @ (gain - better) ** 2)) / total
    on_day = float(stays.still_watched(np.array([np.nextafter(day, np.inf)]))[0])
    return score, score + better, error, gain_error, on_day


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part over whole, NaN where the whole is nothing."""
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)
