"""Step functions that estimators return: survival, cumulative hazard, cumulative incidence, each with its error."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from msk_reserves._checks import Floats, finite, level, not_negative, one_of


def _at(times: Floats, values: Floats, before: float, days: npt.ArrayLike) -> Floats:
    """Return a right-continuous step function at `days`."""
    padded = np.concatenate([[before], values])
    return np.asarray(padded[np.searchsorted(times, np.asarray(days, dtype=np.float64), side="right")])


def _table(frame: pd.DataFrame, caption: str) -> str:
    """Return a frame as HTML, long ones by their first and last rows."""
    return f"<p>{caption}</p>" + str(frame.to_html(index=False, max_rows=12, float_format=lambda x: f"{x:.4g}"))


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalCurve:
    """Product-limit estimate of the share still in a state.

    Attributes
    ----------
    times : days on which someone left; shape (n_times,).
    at_risk : weighted number at risk just before each time.
    exits : weighted number who left at each time.
    survival : share staying beyond each time, given survival to `start`.
    standard_error : standard error of `survival`.
    variance : "greenwood" or "infinitesimal_jackknife".
    start : days from which the curve counts; 1 there.
    last_observed : the longest time seen, exits and running stays; the curve says nothing beyond.
    """

    times: Floats
    at_risk: Floats
    exits: Floats
    survival: Floats
    standard_error: Floats
    variance: str
    start: float
    last_observed: float

    def __repr__(self) -> str:
        middle = self.median()
        where = "not reached" if np.isinf(middle) else f"{middle:,.6g} days"
        return f"Kaplan-Meier curve of {self.exits.sum():,.6g} exits, median {where}, seen to {self.last_observed:,.6g}"

    def _repr_html_(self) -> str:
        return _table(self.to_frame(), repr(self))

    def __call__(self, days: npt.ArrayLike) -> Floats:
        """Return the share staying beyond `days`; NaN before `start` and after the last day seen."""
        t = np.asarray(days, dtype=np.float64)
        seen = (t >= self.start) & ((t <= self.last_observed) | (self._final() == 0.0))
        return np.asarray(np.where(seen, _at(self.times, self.survival, 1.0, t), np.nan))

    def _final(self) -> float:
        """The last value of the curve, 1 where nobody left."""
        return float(self.survival[-1]) if len(self.survival) else 1.0

    def to_frame(self, band_level: float = 0.95) -> pd.DataFrame:
        """Return a row a time: days, at_risk, exits, survival, standard_error, low, high."""
        low, high = self.band(band_level)
        columns = (self.times, self.at_risk, self.exits, self.survival, self.standard_error, low, high)
        names = ("days", "at_risk", "exits", "survival", "standard_error", "low", "high")
        return pd.DataFrame(dict(zip(names, columns, strict=True)))

    def band(self, band_level: float = 0.95, *, transform: str = "log-log") -> tuple[Floats, Floats]:
        """Return pointwise confidence limits of the curve at `times`.

        Parameters
        ----------
        band_level : float
            Confidence level in (0, 1).
        transform : {"log-log", "log", "plain"}
            Scale on which the limits are symmetric (Kalbfleisch & Prentice 2002, section 1.4).

        Returns
        -------
        low, high : numpy.ndarray
            Limits, shape (n_times,); NaN where the curve is at 0.
        """
        z = float(special.ndtri(0.5 + level(band_level, "band_level") / 2))
        one_of(transform, ("log-log", "log", "plain"), "transform")
        s, se = self.survival, self.standard_error
        with np.errstate(divide="ignore", invalid="ignore"):
            if transform == "plain":
                low, high = s - z * se, s + z * se
            elif transform == "log":
                low, high = s * np.exp(-z * se / s), s * np.exp(z * se / s)
            else:
                spread = z * se / (s * np.log(s))
                low, high = s ** np.exp(-spread), s ** np.exp(spread)
        unknown = (s <= 0) | np.isnan(se)
        limits = [np.where(unknown, np.nan, np.clip(np.where(s >= 1, 1.0, end), 0.0, 1.0)) for end in (low, high)]
        return limits[0], limits[1]

    def quantile(self, probability: float) -> float:
        """Return the first time by which at least `probability` have left; infinite where the curve stays above."""
        reached = self.survival <= 1.0 - level(probability, "probability") + 1e-12
        return float(self.times[np.argmax(reached)]) if reached.any() else float("inf")

    def median(self) -> float:
        """Return the median days, infinite where the curve stays above a half."""
        return self.quantile(0.5)

    def median_interval(self, band_level: float = 0.95, *, transform: str = "log-log") -> tuple[float, float]:
        """Return the times at which the band's ends fall to a half (Brookmeyer & Crowley, Biometrics 38 (1982) 29)."""
        ends: list[float] = []
        for limit in self.band(band_level, transform=transform):
            reached = (limit <= 0.5 + 1e-12) | (self.survival <= 0)
            ends.append(float(self.times[np.argmax(reached)]) if reached.any() else float("inf"))
        return ends[0], ends[1]

    def restricted_mean(self, horizon: float) -> tuple[float, float]:
        """Return the mean of min(days, horizon) beyond `start`, and its standard error.

        The variance sums [integral of S from t to the horizon]^2 d / (Y (Y - d)) over exit times t below the horizon.

        Raises
        ------
        ValueError
            If `horizon` lies beyond the last day seen while some are still in the state, or before `start`.
        """
        tau = not_negative(horizon, "horizon")
        if tau > self.last_observed and self._final() > 0:
            raise ValueError(
                f"`horizon` must not lie beyond the last day seen, {self.last_observed:g}; got {tau:g}. "
                "Fit a law (`fit_family`) to extrapolate"
            )
        if tau <= self.start:
            raise ValueError(f"`horizon` must lie after the curve's start, {self.start:g}; got {tau:g}")
        inside = self.times < tau
        ends = np.concatenate([[self.start], self.times[inside], [tau]])
        heights = np.concatenate([[1.0], self.survival[inside]])
        areas = heights * np.diff(ends)
        after = np.cumsum(areas[::-1])[::-1][1:]
        y, d = self.at_risk[inside], self.exits[inside]
        share = np.where(y > d, d / np.where(y > d, y * (y - d), 1.0), 0.0)
        return float(areas.sum()), float(np.sqrt(np.sum(after**2 * share)))


@dataclass(frozen=True, slots=True, eq=False)
class CumulativeHazard:
    """Nelson-Aalen estimate: expected number of exits by each time of someone always at risk.

    Attributes
    ----------
    times, at_risk, exits : as in `SurvivalCurve`.
    hazard : cumulative hazard; shape (n_times,).
    standard_error : square root of the sum of d / Y^2.
    start, last_observed : as in `SurvivalCurve`.
    """

    times: Floats
    at_risk: Floats
    exits: Floats
    hazard: Floats
    standard_error: Floats
    start: float
    last_observed: float

    def __repr__(self) -> str:
        return f"Nelson-Aalen estimate from {self.exits.sum():,.6g} exits, seen to {self.last_observed:,.6g} days"

    def _repr_html_(self) -> str:
        return _table(self.to_frame(), repr(self))

    def __call__(self, days: npt.ArrayLike) -> Floats:
        """Return the cumulative hazard at `days`; NaN outside what was seen."""
        t = np.asarray(days, dtype=np.float64)
        seen = (t >= self.start) & (t <= self.last_observed)
        return np.asarray(np.where(seen, _at(self.times, self.hazard, 0.0, t), np.nan))

    def to_frame(self) -> pd.DataFrame:
        """Return a row a time: days, at_risk, exits, hazard, standard_error."""
        columns = (self.times, self.at_risk, self.exits, self.hazard, self.standard_error)
        names = ("days", "at_risk", "exits", "hazard", "standard_error")
        return pd.DataFrame(dict(zip(names, columns, strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class CumulativeIncidence:
    """Aalen-Johansen estimate of the share that has left by each cause.

    Attributes
    ----------
    times, at_risk : as in `SurvivalCurve`.
    causes : the codes of the causes, in the order of the rows below.
    exits : weighted exits by cause; shape (n_causes, n_times).
    incidence : share gone by each cause at each time; shape (n_causes, n_times).
    survival : share still in the state; 1 less the sum over causes.
    standard_error : standard error of `incidence`.
    variance : "delta" or "infinitesimal_jackknife".
    start, last_observed : as in `SurvivalCurve`.
    """

    times: Floats
    at_risk: Floats
    causes: tuple[int, ...]
    exits: Floats
    incidence: Floats
    survival: Floats
    standard_error: Floats
    variance: str
    start: float
    last_observed: float

    def __repr__(self) -> str:
        shares: Mapping[int, float] = dict(zip(self.causes, self.incidence[:, -1], strict=True))
        text = ", ".join(f"cause {cause} {share:.4f}" for cause, share in shares.items())
        return f"Aalen-Johansen shares gone by day {self.times[-1]:,.6g}: {text}"

    def _repr_html_(self) -> str:
        return _table(self.to_frame(), repr(self))

    def at(self, days: npt.ArrayLike, cause: int) -> Floats:
        """Return the share gone by `cause` by `days`; NaN outside what was seen."""
        row = self._row(cause)
        t = np.asarray(days, dtype=np.float64)
        seen = (t >= self.start) & ((t <= self.last_observed) | (self.survival[-1] <= 1e-15))
        return np.asarray(np.where(seen, _at(self.times, self.incidence[row], 0.0, t), np.nan))

    def standard_error_at(self, days: npt.ArrayLike, cause: int) -> Floats:
        """Return the standard error of `at`."""
        return _at(self.times, self.standard_error[self._row(cause)], 0.0, days)

    def _row(self, cause: int) -> int:
        """Row of a cause, or an error that lists them."""
        if cause not in self.causes:
            raise ValueError(f"`cause` must be one of {', '.join(map(str, self.causes))}; got {finite(cause, 'cause')}")
        return self.causes.index(cause)

    def to_frame(self) -> pd.DataFrame:
        """Return a row a time: days, at_risk, survival, then incidence and standard error by cause."""
        frame = pd.DataFrame({"days": self.times, "at_risk": self.at_risk, "survival": self.survival})
        for row, cause in enumerate(self.causes):
            frame[f"incidence_{cause}"] = self.incidence[row]
            frame[f"standard_error_{cause}"] = self.standard_error[row]
        return frame
