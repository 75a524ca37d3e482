"""Step functions that estimators return: survival, cumulative hazard, cumulative incidence, each with its error."""

from collections.abc import Sequence
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


def _given(start: float) -> str:
    """Say from which day on a curve counts, if not from the first."""
    return f" (of those there beyond day {start:,.6g})" if start > 0 else ""


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
        seen = f"seen to {self.last_observed:,.6g}{_given(self.start)}"
        return f"Kaplan-Meier curve of {self.exits.sum():,.6g} exits, median {where}, {seen}"

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
        It takes rows for stays, so that the error is NaN for a curve with jackknife errors; `mean_time` of
        `state_occupation` has the jackknife's.

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
        error = float(np.sqrt(np.sum(after**2 * share))) if self.variance == "greenwood" else float("nan")
        return float(areas.sum()), error


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
    labels : what they are called.
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
    labels: tuple[str, ...]
    exits: Floats
    incidence: Floats
    survival: Floats
    standard_error: Floats
    variance: str
    start: float
    last_observed: float

    def __repr__(self) -> str:
        text = ", ".join(f"{name} {share:.4f}" for name, share in zip(self.labels, self.incidence[:, -1], strict=True))
        return f"Aalen-Johansen shares gone by day {self.times[-1]:,.6g}{_given(self.start)}: {text}"

    def _repr_html_(self) -> str:
        return _table(self.to_frame(), repr(self))

    def at(self, days: npt.ArrayLike, cause: int | str) -> Floats:
        """Return the share gone by `cause`, a code or a label, by `days`; NaN outside what was seen."""
        row = self._row(cause)
        t = np.asarray(days, dtype=np.float64)
        seen = (t >= self.start) & ((t <= self.last_observed) | (self.survival[-1] <= 1e-15))
        return np.asarray(np.where(seen, _at(self.times, self.incidence[row], 0.0, t), np.nan))

    def standard_error_at(self, days: npt.ArrayLike, cause: int | str) -> Floats:
        """Return the standard error of `at`."""
        return _at(self.times, self.standard_error[self._row(cause)], 0.0, days)

    def _row(self, cause: int | str) -> int:
        """Row of a cause, or an error that lists them."""
        if isinstance(cause, str):
            return self.labels.index(one_of(cause, self.labels, "cause"))
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


@dataclass(frozen=True, slots=True, eq=False)
class StateOccupation:
    """Aalen-Johansen estimate of the shares of claims in each state.

    Attributes
    ----------
    states : names of the states.
    times : days on which somebody moved; shape (n_times,).
    occupation : shares in each state from each time on; shape (n_times, n_states).
    covariance : covariance of the shares at each time; shape (n_times, n_states, n_states).
    at_risk : weight seen in each state just before each time; shape (n_times, n_states).
    moves : weight of the moves seen, from and to; shape (n_states, n_states).
    initial : shares at `start`; shape (n_states,).
    initial_covariance : their covariance, 0 where they were given; shape (n_states, n_states).
    mean_days : mean days in each state from `start` to `horizon`; shape (n_states,).
    mean_days_covariance : their covariance; shape (n_states, n_states).
    variance : "infinitesimal_jackknife", "delta" or "aalen".
    start, horizon : days between which the estimate speaks.
    n_claims : claims seen between them.
    left_out : claims of a book that are not followed.
    """

    states: tuple[str, ...]
    times: Floats
    occupation: Floats
    covariance: Floats
    at_risk: Floats
    moves: Floats
    initial: Floats
    initial_covariance: Floats
    mean_days: Floats
    mean_days_covariance: Floats
    variance: str
    start: float
    horizon: float
    n_claims: int
    left_out: int

    @property
    def standard_error(self) -> Floats:
        """Standard errors of `occupation`, shape (n_times, n_states)."""
        # A share that cannot vary may have a variance a rounding below zero.
        return np.sqrt(np.maximum(np.diagonal(self.covariance, axis1=1, axis2=2), 0.0))

    def __repr__(self) -> str:
        last = self.occupation[-1] if len(self.times) else self.initial
        largest = np.argsort(-last, kind="stable")[:4]
        text = ", ".join(f"{self.states[code]} {last[code]:.4f}" for code in largest)
        out = f" ({self.left_out:,} left out)" if self.left_out else ""
        return (
            f"Shares of {self.n_claims:,} claims{out} among {len(self.states)} states, day {self.start:,.6g} to "
            f"{self.horizon:,.6g}, {self.moves.sum():,.6g} moves; at the end {text}"
        )

    def _repr_html_(self) -> str:
        return _table(self.to_frame(), repr(self))

    def _place(self, days: npt.ArrayLike) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Return how many times have passed on each day, and whether the estimate speaks of it."""
        t = np.asarray(days, dtype=np.float64)
        return np.asarray(np.searchsorted(self.times, t, side="right")), (t >= self.start) & (t <= self.horizon)

    def __call__(self, days: npt.ArrayLike) -> Floats:
        """Return the shares on `days`, shape (..., n_states); NaN before `start` and after `horizon`."""
        place, seen = self._place(days)
        shares = np.concatenate([self.initial[None], self.occupation])[place]
        return np.where(seen[..., None], shares, np.nan)

    def standard_error_at(self, days: npt.ArrayLike) -> Floats:
        """Return the standard errors of the shares on `days`, shape (..., n_states)."""
        place, seen = self._place(days)
        every = np.concatenate([np.diagonal(self.initial_covariance)[None], self.standard_error**2])
        return np.where(seen[..., None], np.sqrt(every[place]), np.nan)

    def _codes(self, states: str | Sequence[str]) -> list[int]:
        """Return the codes of one state or several, or an error that lists them."""
        wanted = [states] if isinstance(states, str) else list(states)
        return [self.states.index(one_of(name, self.states, "states")) for name in wanted]

    def together(self, states: str | Sequence[str], band_level: float = 0.95) -> pd.DataFrame:
        """Return the share in any of some states: days, share, standard_error, low, high.

        Limits are symmetric on the logit scale: a pointwise confidence interval of the share, not of one claim.

        Raises
        ------
        ValueError
            If a name is not a state or the level not in (0, 1).
        """
        z = float(special.ndtri(0.5 + level(band_level, "band_level") / 2))
        codes = self._codes(states)
        p = self.occupation[:, codes].sum(axis=1)
        error = np.sqrt(np.maximum(self.covariance[:, codes][:, :, codes].sum(axis=(1, 2)), 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            odds, spread = np.log(p / (1 - p)), z * error / (p * (1 - p))
        inside = (p > 0) & (p < 1)
        low, high = (
            np.where(inside, special.expit(odds + sign * np.where(inside, spread, 0.0)), np.nan) for sign in (-1, 1)
        )
        return pd.DataFrame({"days": self.times, "share": p, "standard_error": error, "low": low, "high": high})

    def mean_time(self, band_level: float = 0.95) -> pd.DataFrame:
        """Return mean days in each state between `start` and `horizon`: state, days, standard_error, low, high.

        Limits are a confidence interval of the mean, symmetric and cut at 0 and the length of the span.
        """
        z = float(special.ndtri(0.5 + level(band_level, "band_level") / 2))
        error = np.sqrt(np.diagonal(self.mean_days_covariance))
        span = self.horizon - self.start
        low, high = (np.clip(self.mean_days + sign * z * error, 0.0, span) for sign in (-1, 1))
        return pd.DataFrame(
            {"state": self.states, "days": self.mean_days, "standard_error": error, "low": low, "high": high}
        )

    def mean_time_together(self, states: str | Sequence[str]) -> tuple[float, float]:
        """Return the mean days in any of some states between `start` and `horizon`, and its standard error."""
        codes = self._codes(states)
        variance = self.mean_days_covariance[np.ix_(codes, codes)].sum()
        return float(self.mean_days[codes].sum()), float(np.sqrt(max(variance, 0.0)))

    def to_frame(self) -> pd.DataFrame:
        """Return a row a time: days, then by state the number at risk, the share and its standard error."""
        frame = pd.DataFrame({"days": self.times})
        errors = self.standard_error
        for code, name in enumerate(self.states):
            frame[f"at_risk_{name}"] = self.at_risk[:, code]
            frame[name] = self.occupation[:, code]
            frame[f"standard_error_{name}"] = errors[:, code]
        return frame


def degrees_and_p(degrees: int, p_value: float) -> str:
    """Return degrees of freedom and p as the end of a sentence."""
    return f"{degrees} degree{'s' if degrees > 1 else ''} of freedom, p = {p_value:.3g}"
