"""How long it takes until a claim is reported, learned from claims that have been."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize

from msk_reserves._checks import Floats, Integers, not_negative, one_of, whole
from msk_reserves.recovery.laws.families import family_named

LAG_FAMILIES = ("exponential", "weibull", "lognormal", "loglogistic")
"""Laws tried for the days from injury to report."""

WITHIN = 7.0
"""AIC behind the best within which laws share the weight, as for stays."""

PRIOR_AT_RISK = 25.0
"""Claims at risk that the laws count on every day of the lag, beside those seen."""

FEW_AT_RISK = 0.1
"""Share of the claims at risk on a day below which a day without a report is not drawn but taken as estimated."""

TAIL_STARTS = (30, 90, 180, 365)
"""Days of the lag from which the reports seen are held against those a law expects."""

TAIL_TOLERANCE = 2.0
"""Standard deviations of that count by which a law may miss it, as for stays."""

LEAST_CLAIMS = 30
"""Claims a lag is fitted on, at least."""

LEAST_SHARE = 0.8
"""Share reported within the longest time watched below which a law is refused: the file would be too young to tell."""

_MOST_STEPS = 20

_SHOWN = (0, 7, 30, 90, 180, 365, 730)


class LagUnknownError(ValueError):
    """The claims cannot tell how long it takes until a claim is reported."""


@dataclass(frozen=True, slots=True, eq=False)
class LagLaw:
    """One law of the days from injury to report, by right-truncated maximum likelihood.

    Attributes
    ----------
    family : name of the location-scale family.
    location, log_scale : ln days = location + exp(log_scale) x w.
    covariance : of the free parameters, shape (1, 1) for the exponential, else (2, 2).
    log_likelihood : at the maximum.
    """

    family: str
    location: float
    log_scale: float
    covariance: Floats
    log_likelihood: float

    @property
    def aic(self) -> float:
        """Akaike's criterion."""
        return 2.0 * (len(self.covariance) - self.log_likelihood)

    def log_unreported(self, days: npt.ArrayLike, drawn: Floats | None = None) -> Floats:
        """Return ln of the share not reported after so many days.

        Parameters
        ----------
        days : days since the injury, shape (m,).
        drawn : draws of location and ln scale, shape (n_draws, 2); the estimate when not given.

        Returns
        -------
        numpy.ndarray
            Shape (m,), or (n_draws, m).
        """
        place = np.array([self.location, self.log_scale]) if drawn is None else drawn
        return _log_unreported(self.family, place[..., 0, None], place[..., 1, None], days).reshape(
            *place.shape[:-1], -1
        )

    def draw(self, n_draws: int, rng: np.random.Generator) -> Floats:
        """Draw location and ln scale from their normal approximation, shape (n_draws, 2)."""
        root = np.linalg.cholesky(self.covariance)
        free = rng.standard_normal((n_draws, 2))[:, : len(root)] @ root.T
        drawn: Floats = np.tile([self.location, self.log_scale], (n_draws, 1))
        drawn[:, : len(root)] += free
        return drawn


def _log_unreported(family: str, location: npt.ArrayLike, log_scale: npt.ArrayLike, days: npt.ArrayLike) -> Floats:
    """Return ln of the share not reported after so many days; the arguments broadcast."""
    with np.errstate(divide="ignore"):
        w = np.asarray((np.log(np.asarray(days, dtype=np.float64)) - location) / np.exp(log_scale), dtype=np.float64)
    value: Floats = np.where(np.isneginf(w), 0.0, family_named(family).log_survival(np.maximum(w, -700.0), np.zeros(1)))
    return value


def fit_lag_law(family: str, lag: npt.ArrayLike, watched: npt.ArrayLike, *, interval: float = 1.0) -> LagLaw:
    """Fit a law of the days from injury to report to claims that have been reported.

    A claim is seen only if it was reported in time, so each counts given that: the likelihood is the product of
    g(lag) / G(watched), G the share reported by then and g its density (right truncation; Kalbfleisch and Lawless 1989,
    Journal of the American Statistical Association 84, section 2). Days given as whole numbers hold an interval each:
    (G(lag + 1) - G(lag)) / G(watched + 1).

    Parameters
    ----------
    family : "exponential", "weibull", "lognormal" or "loglogistic".
    lag : days from injury to report, shape (n_claims,).
    watched : days from injury to the valuation date, shape (n_claims,).
    interval : width of what a lag is known to; 0 for exact lags, which must then be above zero.

    Returns
    -------
    LagLaw
        With the inverse of the observed information as covariance.

    Raises
    ------
    ValueError
        If a lag is negative or longer than watched, or an exact one is zero.
    LagUnknownError
        If the likelihood has no maximum: the claims were not watched for long enough.

    Examples
    --------
    >>> law = fit_lag_law("exponential", [1, 2, 3, 5, 8, 13], [20, 10, 30, 15, 12, 40], interval=0.0)
    >>> round(float(np.exp(-law.location)), 6)
    0.146192
    """
    one_of(family, LAG_FAMILIES, "family")
    width = not_negative(interval, "interval")
    days, until = _checked(lag, watched, width)
    free = 1 if family == "exponential" else 2
    found = partial(_deviance, family, _counted(days), _counted(until), width)
    begin = np.array([np.log(np.mean(days) + max(width, 0.5)), 0.0])[:free]
    unknown = f"the days to report have no {family} law: the claims were not watched for long enough"
    # Near the maximum by the simplex, which needs no slope and cannot be thrown far off, then by Newton's steps.
    place = optimize.minimize(found, begin, method="Nelder-Mead", options={"xatol": 1e-2, "fatol": 1e-2}).x
    for _ in range(_MOST_STEPS):
        information, slope = _curvature(found, place), _slope(found, place)
        if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] <= 0 or abs(place[0]) > 30:
            raise LagUnknownError(unknown)
        step = np.linalg.solve(information, slope)
        place = place - step
        if np.abs(step).max() < 1e-7:
            location, log_scale = np.append(place, 0.0)[:2]
            covariance = np.asarray(np.linalg.inv(information))
            return LagLaw(family, float(location), float(log_scale), covariance, -found(place))
    raise LagUnknownError(unknown)


def _checked(lag: npt.ArrayLike, watched: npt.ArrayLike, width: float) -> tuple[Floats, Floats]:
    """Return lags and days watched as arrays, or raise `ValueError`."""
    days, until = np.asarray(lag, dtype=np.float64), np.asarray(watched, dtype=np.float64)
    if days.shape != until.shape or days.ndim != 1 or not len(days):
        raise ValueError(f"`lag` and `watched` must have the same shape (n_claims,), got {days.shape}, {until.shape}")
    wrong = ~((days >= 0) & (days <= until)) | ((days == 0) & (width == 0))
    if wrong.any():
        row = int(np.argmax(wrong))
        rule = "must lie above zero" if width == 0 else "must not be negative"
        raise ValueError(
            f"`lag` {rule} and not exceed `watched`: a claim seen was reported by then; row {row} has {days[row]:g} "
            f"and {until[row]:g}"
        )
    return days, until


def _counted(values: Floats) -> tuple[Floats, Integers]:
    """Return the different values and how often each comes."""
    different, counts = np.unique(values, return_counts=True)
    return different, counts


def _deviance(
    family: str, lags: tuple[Floats, Integers], watched: tuple[Floats, Integers], width: float, place: Floats
) -> float:
    """Return minus the log-likelihood."""
    location, log_scale = np.r_[place, 0.0][:2]
    unreported = partial(_log_unreported, family, location, log_scale)
    days, counts = lags
    if width:
        before, after = unreported(days), unreported(days + width)
        with np.errstate(divide="ignore"):
            seen = before + np.log(-np.expm1(after - before))
    else:
        w = (np.log(days) - location) / np.exp(log_scale)
        seen = family_named(family).log_density(w, np.zeros(1)) - log_scale - np.log(days)
    until, repeats = watched
    with np.errstate(divide="ignore"):
        in_time = np.log(-np.expm1(unreported(until + width)))
    value = float(in_time @ repeats - seen @ counts)
    return value if np.isfinite(value) else np.inf


def _slope(function: "partial[float]", place: Floats, step: float = 1e-5) -> Floats:
    """Return the slope by central differences."""
    moves = step * np.eye(len(place))
    return np.array([(function(place + move) - function(place - move)) / (2.0 * step) for move in moves])


def _curvature(function: "partial[float]", place: Floats, step: float = 1e-4) -> Floats:
    """Return the matrix of second derivatives by central differences."""
    size = len(place)
    moves = step * np.eye(size)
    found: Floats = np.empty((size, size))
    for i in range(size):
        for j in range(size):
            corners = [a * b * function(place + a * moves[i] + b * moves[j]) for a in (1.0, -1.0) for b in (1.0, -1.0)]
            found[i, j] = sum(corners) / (4.0 * step**2)
    symmetric: Floats = 0.5 * (found + found.T)
    return symmetric


@dataclass(frozen=True, slots=True, eq=False)
class ReportLag:
    """The share of claims reported within each number of days, and how well it is known.

    Seen backwards in time, a claim leaves the reported on the day of its report. The chance q(s) that a claim reported
    within s days was reported on the last of them is drawn from the claims that could tell, each day by itself, toward
    the laws of `laws`.

    Attributes
    ----------
    laws : the laws with weight, best first; they rule where few claims tell and alone beyond the longest time watched.
    reported : claims reported so many days after the injury, shape (n_days,).
    at_risk : claims watched for so many days and reported within them, shape (n_days,).
    """

    laws: tuple[LagLaw, ...]
    reported: Integers
    at_risk: Integers

    def __post_init__(self) -> None:
        self.reported.flags.writeable = False
        self.at_risk.flags.writeable = False

    @property
    def n_claims(self) -> int:
        """Claims the lag was learned from."""
        return int(self.reported.sum())

    def share_reported(self) -> Floats:
        """Return the estimated share of claims reported within 0, 1, 2, ... days of the injury, shape (n_days,)."""
        laws: Floats = np.array([_last_day(law.log_unreported(self._ends())) for law in self.laws])
        prior = laws.mean(axis=0)
        at_risk, reported = self._evidence()
        return _shares((PRIOR_AT_RISK * prior + reported) / (PRIOR_AT_RISK + at_risk))

    def draw(self, n_draws: int, rng: np.random.Generator) -> Floats:
        """Draw the share reported within 0, 1, 2, ... days, shape (n_draws, n_days).

        The laws take turns, each with drawn parameters. Given one, q(s) is beta: the posterior of a beta process (Hjort
        1990, Annals of Statistics 18, section 4) in reversed time. Where under a tenth of the claims are at risk and
        none was reported, it is as estimated: one claim more or less of those few would stand for many.
        """
        whole(n_draws, "n_draws", at_least=1)
        at_risk, reported = self._evidence()
        shares = np.empty((n_draws, len(self.reported)))
        for place, law in enumerate(self.laws):
            mine = np.arange(place, n_draws, len(self.laws))
            drawn = law.draw(len(mine), rng)
            prior = np.clip(_last_day(law.log_unreported(self._ends(), drawn)), 1e-12, 1.0 - 1e-12)
            q = rng.beta(PRIOR_AT_RISK * prior + reported, PRIOR_AT_RISK * (1.0 - prior) + at_risk - reported)
            estimate = PRIOR_AT_RISK * prior / (PRIOR_AT_RISK + at_risk)
            shares[mine] = _shares(np.where((at_risk < FEW_AT_RISK * self.n_claims) & (reported == 0), estimate, q))
        return shares

    def to_frame(self) -> pd.DataFrame:
        """Return the share reported within some numbers of days: as estimated, by the laws, by the claims alone."""
        shown = [day for day in _SHOWN if day < len(self.reported)]
        laws = np.mean([-np.expm1(law.log_unreported(self._ends()[:-1])) for law in self.laws], axis=0)
        seen = self.reported / np.maximum(self.at_risk, 1)
        alone = _shares(np.r_[seen, 0.0])
        columns = {"estimate": self.share_reported()[shown], "laws": laws[shown], "claims alone": alone[shown]}
        return pd.DataFrame(columns, index=pd.Index(shown, name="days"))

    def __repr__(self) -> str:
        share = self.to_frame()["estimate"]
        told = ", ".join(f"{value:.1%} within {day} days" for day, value in share.items())
        return f"days to report of {self.n_claims:,} claims ({', '.join(law.family for law in self.laws)}): {told}"

    def _ends(self) -> Floats:
        """Return the end of each day of the lag, and of all that is beyond."""
        return np.append(np.arange(1.0, len(self.reported) + 1.0), np.inf)

    def _evidence(self) -> tuple[Floats, Floats]:
        """Return claims at risk and reported on each day and, none, beyond."""
        return np.append(self.at_risk, 0.0), np.append(self.reported, 0.0)


def _last_day(log_unreported: Floats) -> Floats:
    """Return q(s) of a law, from ln of its share not reported at the end of each day, the last being infinity."""
    share: Floats = -np.expm1(log_unreported)
    before = np.concatenate([np.zeros_like(share[..., :1]), share[..., :-1]], axis=-1)
    q: Floats = (share - before) / share
    return q


def _shares(q: Floats) -> Floats:
    """Return the share reported by the end of each day: the product of 1 - q over all later days."""
    later: Floats = np.cumprod(1.0 - q[..., :0:-1], axis=-1, dtype=np.float64)[..., ::-1]
    return later


def fit_report_lag(lag: npt.ArrayLike, watched: npt.ArrayLike) -> ReportLag:
    """Learn from reported claims how long it takes until a claim is reported.

    Parameters
    ----------
    lag : whole days from injury to report, shape (n_claims,).
    watched : whole days from injury to the valuation date, shape (n_claims,).

    Returns
    -------
    ReportLag
        The share reported by days since the injury.

    Raises
    ------
    ValueError
        If a lag is negative or longer than watched.
    LagUnknownError
        If there are fewer than 30 claims, all were reported on the day of the injury, or the claims were watched for
        too short a time.

    Examples
    --------
    >>> lag = np.arange(300) % 30
    >>> fit_report_lag(lag, lag + 100).share_reported()[[0, 29]].round(2).tolist()
    [0.02, 0.99]
    """
    days, until = _checked(lag, watched, 1.0)
    if len(days) < LEAST_CLAIMS:
        raise LagUnknownError(f"{len(days)} claims tell when they were reported, fewer than {LEAST_CLAIMS}")
    if not days.any():
        raise LagUnknownError("every claim was reported on the day of the injury, so no lag can be learned")
    longest = int(until.max())
    reported = np.bincount(days.astype(np.int64), minlength=longest + 1)
    watched_out = np.cumsum(np.bincount(until.astype(np.int64), minlength=longest + 1))
    # Watched for s days or more and reported within s: all reported by then, less those watched for less than s days.
    at_risk = np.cumsum(reported) - np.append(0, watched_out[:-1])
    laws = _laws(days, until)
    if not laws:
        raise LagUnknownError(
            f"within the {longest:,} days that the file goes back too few claims are reported to tell how many are not"
        )
    return ReportLag(_kept(laws, reported, at_risk), reported.astype(np.int64), at_risk.astype(np.int64))


def _laws(days: Floats, until: Floats) -> list[LagLaw]:
    """Fit every law that has a maximum and says that most claims are reported within the longest time watched."""
    longest, laws = float(until.max()), []
    for family in LAG_FAMILIES:
        try:
            law = fit_lag_law(family, days, until)
        except LagUnknownError:
            continue
        if -np.expm1(law.log_unreported([longest + 1.0])[0]) >= LEAST_SHARE:
            laws.append(law)
    return laws


def _kept(laws: list[LagLaw], reported: Integers, at_risk: Integers) -> tuple[LagLaw, ...]:
    """Return the laws with weight, best first: near the best AIC among those that miss the late reports least.

    The many early reports rule a likelihood, and the few late ones what is still to come. Where every law misses more
    than it may, those within one standard deviation of the least stay.
    """
    worst = np.array([_missed(law, reported, at_risk) for law in laws])
    most = max(TAIL_TOLERANCE, float(worst.min()) + 1.0)
    allowed = [law for law, missed in zip(laws, worst, strict=True) if missed <= most]
    best = min(law.aic for law in allowed)
    return tuple(sorted((law for law in allowed if law.aic <= best + WITHIN), key=lambda law: law.aic))


def _missed(law: LagLaw, reported: Integers, at_risk: Integers) -> float:
    """Return by how many standard deviations late reports miss what a law expects of them, the most over the starts."""
    q = _last_day(law.log_unreported(np.arange(1.0, len(reported) + 1.0)))
    missed = 0.0
    for start in TAIL_STARTS:
        expected, seen = float(at_risk[start:] @ q[start:]), float(reported[start:].sum())
        missed = max(missed, abs(seen - expected) / np.sqrt(max(expected, 1.0)))
    return missed
