"""Predicted shares gone against what was seen: by group of predicted risk, and as a line."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from msk_reserves._checks import Floats, Integers, frozen, positive, whole
from msk_reserves.recovery.quality.censoring import Watched, watched
from msk_reserves.recovery.quality.scores import LIMIT

_STEPS = 50
_SMALL = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Predicted and observed shares gone of some groups; every column has shape (n_groups,).

    Attributes
    ----------
    stays : weighted stays.
    exits : weighted exits by the cause that were seen by the day.
    predicted : mean prediction.
    share : Aalen-Johansen share gone; NaN where nobody in the group was watched so long.
    standard_error : infinitesimal-jackknife error of `share`; 0 where nobody or everybody left.
    """

    stays: Floats
    exits: Floats
    predicted: Floats
    share: Floats
    standard_error: Floats

    @property
    def interval(self) -> tuple[Floats, Floats]:
        """95 % confidence limits of `share`, symmetric in ln(-ln(1 - share)); each of shape (n_groups,)."""
        f = self.share
        inside = (f > 0) & (f < 1) & (self.standard_error > 0)
        hazard = -np.log1p(-np.where(inside, f, 0.5))
        width = LIMIT * self.standard_error / ((1 - np.where(inside, f, 0.5)) * hazard)
        ends = (-np.expm1(-hazard * np.exp(-width)), -np.expm1(-hazard * np.exp(width)))
        return np.where(inside, ends[0], np.nan), np.where(inside, ends[1], np.nan)

    @property
    def z(self) -> Floats:
        """Observed less predicted, over the error that `share` would have were the prediction true; shape (n_groups,).

        The error is that of as many stays watched throughout as give the observed share its own error.
        """
        f, p = self.share, self.predicted
        inside = (f > 0) & (f < 1) & (self.standard_error > 0)
        spread = np.where(inside, f * (1 - f), 1.0)
        worth = np.where(inside, spread / np.where(inside, self.standard_error, 1.0) ** 2, self.stays)
        return np.where(np.isnan(f), np.nan, (f - p) * np.sqrt(worth / np.maximum(p * (1 - p), 1e-12)))

    def to_frame(self) -> pd.DataFrame:
        """Return a row a group: stays, exits, predicted, observed, standard_error, low, high, z."""
        low, high = self.interval
        columns = (self.stays, self.exits, self.predicted, self.share, self.standard_error, low, high, self.z)
        names = ("stays", "exits", "predicted", "observed", "standard_error", "low", "high", "z")
        return pd.DataFrame(dict(zip(names, columns, strict=True)))


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """How predicted shares gone by one day agree with what was seen.

    Attributes
    ----------
    horizon : the day.
    start : day to which survival is given.
    cause : code of the exit predicted.
    overall : all stays as one group.
    groups : groups of like predicted risk, from the lowest.
    intercept, intercept_error : shift of ln(-ln(1 - share)) that makes the predictions right on average; 0 is best.
    slope, slope_error : what the predictions' differences on that scale must be multiplied by; 1 is best, less says
        that they are spread too far. NaN where all predictions are the same.
    """

    horizon: float
    start: float
    cause: int
    overall: Observed
    groups: Observed
    intercept: float
    intercept_error: float
    slope: float
    slope_error: float

    @property
    def observed_over_expected(self) -> float:
        """Observed share gone over the mean prediction: above 1, more left than was said."""
        return float(self.overall.share[0] / self.overall.predicted[0])

    @property
    def ratio_interval(self) -> tuple[float, float]:
        """95 % confidence limits of `observed_over_expected`, the predictions taken as known, on the log scale."""
        share = float(self.overall.share[0])
        if not share > 0:
            return 0.0, float("inf")
        width = LIMIT * float(self.overall.standard_error[0]) / share
        return self.observed_over_expected * np.exp(-width), self.observed_over_expected * np.exp(width)

    @property
    def slope_interval(self) -> tuple[float, float]:
        """95 % confidence limits of `slope`."""
        return self.slope - LIMIT * self.slope_error, self.slope + LIMIT * self.slope_error

    @property
    def group_p_value(self) -> float:
        """Chance of group deviations as large, from the sum of squared z on as many degrees of freedom.

        Predictions fitted to the same stays deviate less: there it is an upper bound.
        """
        z = self.groups.z[~np.isnan(self.groups.z)]
        return float(special.chdtrc(len(z), float((z**2).sum()))) if len(z) else float("nan")

    def to_frame(self) -> pd.DataFrame:
        """Return a row a group of predicted risk, as `Observed.to_frame`."""
        return self.groups.to_frame()

    def __repr__(self) -> str:
        low, high = self.ratio_interval
        return (
            f"Share gone by day {self.horizon:g} of {self.overall.stays[0]:,.6g} stays beyond day {self.start:g}: "
            f"predicted {self.overall.predicted[0]:.4f}, observed {self.overall.share[0]:.4f} "
            f"(ratio {self.observed_over_expected:.3f}, 95 % interval {low:.3f} to {high:.3f}), slope {self.slope:.2f} "
            f"(error {self.slope_error:.2f})"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>" + str(self.to_frame().to_html(index=False, float_format="{:.4g}".format))


def calibration(
    predicted: npt.ArrayLike,
    days: npt.ArrayLike,
    exited: npt.ArrayLike,
    horizon: float,
    *,
    cause: int = 1,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    start: float = 0.0,
    groups: int = 10,
) -> Calibration:
    """Hold predicted shares gone by one day against what was seen, with competing exits and censoring.

    Parameters
    ----------
    predicted : array_like, shape (n_stays,)
        Probability that the stay has ended by `cause` by `horizon`, given that it lasted beyond `start`.
    days, exited : array_like, shape (n_stays,)
        Days when each stay ended or observation did; 0 for a stay still running, else the code of its exit.
    horizon : float
        The day, beyond `start`.
    cause, entry, weights, start : as in `brier_score`.
    groups : int
        Groups of like predicted risk, as equal as ties let them be.

    Returns
    -------
    Calibration

    Raises
    ------
    ValueError
        If stays are malformed, a prediction lies outside [0, 1], or nobody was watched to the day.

    Notes
    -----
    Observed shares are Aalen-Johansen's. Intercept and slope solve an estimating equation of the stays' pseudo-values
    on ln(-ln(1 - predicted)), the same link, independent working errors and a sandwich error (van Geloven and others,
    BMJ 377 (2022) e069249). Pseudo-values are infinitesimal-jackknife ones.

    Examples
    --------
    >>> found = calibration([0.25] * 4 + [0.75] * 4, [1, 9, 9, 9, 1, 2, 3, 9], [1, 0, 0, 0, 1, 1, 1, 0], 5.0)
    >>> found.groups.share.tolist(), round(found.slope, 6)
    ([0.25, 0.75], 1.0)
    """
    stays = watched(days, exited, entry=entry, weights=weights, start=start)
    share = frozen(predicted, "predicted")
    if len(share) != len(stays):
        raise ValueError(f"`predicted` must have one entry a stay: `days` has {len(stays)}, got {len(share)}")
    if (share < 0).any() or (share > 1).any():
        raise ValueError(f"`predicted` must lie in [0, 1], got {share.min():g} to {share.max():g}")
    if positive(horizon, "horizon") <= stays.start:
        raise ValueError(f"`horizon` must lie beyond `start`, {stays.start:g}; got {horizon:g}")
    gone, pull = stays.share_gone(cause, horizon)
    if np.isnan(gone):
        raise ValueError(f"`horizon` must not lie beyond the last day watched, {stays.days.max():g}; got {horizon:g}")
    pseudo = gone + float(stays.weights.sum()) * pull
    scale = np.log(-np.log1p(-np.clip(share, _SMALL, 1 - _SMALL)))
    shift = _line(pseudo, np.ones((len(scale), 1)), scale, stays.weights)
    both = np.column_stack([np.ones(len(scale)), scale])
    level = np.zeros(len(scale))
    varies = float(np.ptp(scale[stays.weights > 0])) > 1e-9
    line = _line(pseudo, both, level, stays.weights, start=np.array([0.0, 1.0])) if varies else np.full((2, 2), np.nan)
    return Calibration(
        horizon=float(horizon),
        start=stays.start,
        cause=cause,
        overall=observed_shares(stays, share, np.zeros(len(stays), dtype=np.int64), horizon, cause),
        groups=observed_shares(stays, share, risk_groups(share, stays.weights, groups), horizon, cause),
        intercept=float(shift[0, 0]),
        intercept_error=float(shift[1, 0]),
        slope=float(line[0, 1]),
        slope_error=float(line[1, 1]),
    )


def risk_groups(predicted: Floats, weights: Floats, groups: int) -> Integers:
    """Return the group of like predictions of each stay, 0 for the lowest; equal predictions share one group."""
    n = whole(groups, "groups", at_least=1)
    _, place = np.unique(predicted, return_inverse=True)
    mass = np.bincount(place, weights)
    middle = (np.cumsum(mass) - 0.5 * mass) / mass.sum()
    found = np.minimum((n * middle).astype(np.int64), n - 1)[place]
    return np.asarray(np.unique(found, return_inverse=True)[1].astype(np.int64))


def observed_shares(stays: Watched, predicted: Floats, group: Integers, horizon: float, cause: int) -> Observed:
    """Return predicted and observed shares gone by `horizon`, group by group (numbered from 0, none empty)."""
    rows = np.zeros((5, int(group.max()) + 1))
    order = np.argsort(group, kind="stable")
    for code, mine in enumerate(np.split(order, np.flatnonzero(np.diff(group[order])) + 1)):
        part = Watched(stays.days[mine], stays.exit[mine], stays.weights[mine], stays.start)
        gone, pull = part.share_gone(cause, horizon)
        weight = part.weights
        seen = float(weight @ ((part.exit == cause) & (part.days <= horizon)))
        mean = float(weight @ predicted[mine] / max(float(weight.sum()), 1e-300))
        rows[:, code] = weight.sum(), seen, mean, gone, np.sqrt(weight @ pull**2)
    for row in rows:
        row.flags.writeable = False
    return Observed(*rows)


def _line(pseudo: Floats, design: Floats, offset: Floats, weights: Floats, start: Floats | None = None) -> Floats:
    """Return estimates and sandwich errors, shape (2, n_columns), of share = 1 - exp(-exp(offset + design b)).

    Gauss-Newton steps on least squares, halved while they do not help; NaN where they do not settle.
    """
    b = np.zeros(design.shape[1]) if start is None else start

    def at(point: Floats) -> tuple[Floats, Floats]:
        """Return residuals and slopes."""
        hazard = np.exp(np.clip(offset + design @ point, -50.0, 50.0))
        return pseudo + np.expm1(-hazard), hazard * np.exp(-hazard)

    for _ in range(_STEPS):
        residual, slope = at(b)
        x = design * slope[:, None]
        curvature = x.T @ (x * weights[:, None])
        if np.linalg.cond(curvature) > 1 / _SMALL:
            return np.full((2, len(b)), np.nan)
        step = np.linalg.solve(curvature, x.T @ (weights * residual))
        loss = float(weights @ residual**2)
        while float(weights @ at(b + step)[0] ** 2) > loss * (1 + 1e-12) and np.abs(step).max() > _SMALL:
            step = 0.5 * step
        b = b + step
        if np.abs(step).max() < 1e-9:
            residual, slope = at(b)
            x = design * slope[:, None]
            bread = np.linalg.inv(x.T @ (x * weights[:, None]))
            meat = x.T @ (x * (weights * residual**2)[:, None])
            return np.stack([b, np.sqrt(np.diag(bread @ meat @ bread))])
    return np.full((2, len(b)), np.nan)
