"""Levels of categories that change the shape of a law, or whose effect changes with the days in the state."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.recovery.laws.cure import is_cure
from msk_reserves.recovery.laws.families import EXPONENTIAL
from msk_reserves.recovery.laws.fit import Beside, FittedFamily, fit_law, piecewise_to_data
from msk_reserves.recovery.laws.piecewise import BY_YEAR, PIECEWISE, Fading, default_cuts, merged_cuts
from msk_reserves.recovery.laws.spline import is_spline, pivot
from msk_reserves.recovery.observations import Observations

BAND_ENDS = (28.0, 91.0, 182.0)
"""Days in the state at which an effect on piecewise rates may change: 4, 13 and 26 weeks."""

BAND_EXITS = 10
"""Exits that each level needs in each band of days, and the stays of no such level too; bands with fewer are one."""


class Tilt(NamedTuple):
    """Columns of the covariates, indicators of levels, that do more than multiply time or hazard.

    Attributes
    ----------
    shape : those that also move ln scale, or a spline's slope.
    varying : those whose effect on the hazard may change with the days in the state.
    """

    shape: tuple[int, ...] = ()
    varying: tuple[int, ...] = ()

    @property
    def columns(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(sorted({*self.shape, *self.varying}))


def cannot_carry(name: str, tilt: Tilt) -> str:
    """Return why a law cannot carry what is asked, or nothing."""
    if tilt.shape and name in {PIECEWISE, EXPONENTIAL.name}:
        return "has no scale or slope for `shape` to move"
    if tilt.varying and name != PIECEWISE and not is_spline(name):
        return "its effects are the same at all times, against `varying`"
    return ""


def fit_tilted(
    name: str, data: Observations, labels: tuple[str, ...], tilt: Tilt, *, fading: Fading = BY_YEAR
) -> FittedFamily:
    """Fit a law that can carry it with levels in its shape, or effects that change with time.

    Parameters
    ----------
    name : str
        One of `LAWS` that `cannot_carry` does not speak against.
    data : Observations
        The stays.
    labels : tuple of str
        Names of the covariates.
    tilt : Tilt
        Which of them do more.
    fading : Fading
        As in `fit_law`.

    Returns
    -------
    FittedFamily
        With `tilt` set. Location-scale laws: `ln days = x b + exp(g + z d) w`. Splines:
        `ln H = s(ln t) + x b + z d (ln t - m)`. Piecewise: `x b` and, from the second band of days on, a term of its
        own for each band and column.
    """
    if name == PIECEWISE:
        return _by_band(data, labels, tilt.varying, fading)
    columns = tilt.columns
    beside = Beside(data.design[:, list(columns)], tuple(f"log_scale {labels[place]}" for place in columns))
    return replace(fit_law(name, data, labels, fading=fading, beside=beside), tilt=columns)


def at_level(fit: FittedFamily, theta: Floats, level: Floats) -> Floats:
    """Return parameters of the plain law that holds at some values of the tilting columns.

    Parameters
    ----------
    fit : FittedFamily
        The law.
    theta : numpy.ndarray, shape (n_draws, n_parameters)
        Parameters, laid out as its estimates.
    level : numpy.ndarray, shape (n_tilt,)
        Values of the columns `fit.tilt`.

    Returns
    -------
    numpy.ndarray, shape (n_draws, n_plain)
        Laid out as those of a fit without `tilt`.
    """
    q = len(fit.tilt)
    if not q:
        return theta
    if fit.family == PIECEWISE:
        pieces, n_more = len(fit.cuts) + 1, q * len(fit.bands)
        more = theta[:, theta.shape[1] - n_more :].reshape(len(theta), q, len(fit.bands))
        by_band = np.concatenate([np.zeros((len(theta), 1)), np.einsum("q,nqb->nb", level, more)], axis=1)
        band = np.searchsorted(fit.bands, np.append(0.0, fit.cuts), side="right")
        return np.hstack([theta[:, :pieces] + by_band[:, band], theta[:, pieces : theta.shape[1] - n_more]])
    if is_spline(fit.family):
        curve, moved = np.array(theta[:, : len(fit.cuts)]), theta[:, -q:] @ level
        curve[:, 0] -= moved * pivot(np.log(fit.cuts))
        curve[:, 1] += moved
        return np.hstack([curve, theta[:, len(fit.cuts) : -q]])
    tail = theta.shape[1] - int("Q" in fit.names or is_cure(fit.family))
    scale = theta[:, tail - q - 1] + theta[:, tail - q : tail] @ level
    return np.hstack([theta[:, : tail - q - 1], scale[:, None], theta[:, tail:]])


def levels_of(fit: FittedFamily, design: Floats) -> list[tuple[Floats, Integers]]:
    """Return the values that the tilting columns take, with the rows of each; one, of no columns, without any."""
    if not fit.tilt:
        return [(np.zeros(0), np.arange(len(design), dtype=np.int64))]
    values, place = np.unique(design[:, list(fit.tilt)], axis=0, return_inverse=True)
    return [(values[code], np.flatnonzero(place.ravel() == code)) for code in range(len(values))]


def _by_band(data: Observations, labels: tuple[str, ...], columns: tuple[int, ...], fading: Fading) -> FittedFamily:
    """Fit piecewise rates with a term for each band of days after the first and each column."""
    cuts = merged_cuts(data, default_cuts())
    bands = _band_ends(data, columns, cuts)
    parts, band = cut_at_bands(data, bands)
    more = [parts.design[:, [column]] * (band[:, None] == 1 + np.arange(len(bands))) for column in columns]
    wider = replace(parts, design=np.hstack([parts.design, *more]))
    names = tuple(f"{labels[column]} after day {end:g}" for column in columns for end in bands)
    fit = piecewise_to_data(wider, (*labels, *names), cuts, fading=fading)
    return replace(fit, tilt=columns, bands=bands)


def _band_ends(data: Observations, columns: tuple[int, ...], cuts: Floats) -> Floats:
    """Return the ends of the bands, of `BAND_ENDS` those that are cuts and leave exits enough on both sides."""
    left, days = data.exited, data.days[data.exited]
    member = data.design[left][:, list(columns)] > 0
    sides = np.column_stack([member, ~member.any(axis=1)]) * data.weights[left][:, None]
    kept, last = [], 0.0
    for end in BAND_ENDS:
        inside, after = sides[(days > last) & (days <= end)].sum(axis=0), sides[days > end].sum(axis=0)
        if end in cuts and min(inside.min(), after.min()) >= BAND_EXITS:
            kept.append(end)
            last = end
    return np.array(kept)


def cut_at_bands(data: Observations, bands: Floats) -> tuple[Observations, Integers]:
    """Cut stays at the ends of bands and return the parts with the band of each.

    An exit known to a window that spans an end counts, window and all, in the band of its last day.
    """
    until, parts, codes = np.where(data.in_window, data.lower, data.days), [], []
    for band, (low, high) in enumerate(zip([0.0, *bands], [*bands, np.inf], strict=True)):
        last = (data.days > low) & (data.days <= high)
        start = np.maximum(data.entry, np.where(last, np.minimum(low, until), low))
        stop = np.where(last, data.days, np.minimum(until, high))
        here = last | ((data.days > high) & (stop > start))
        lower = np.where(last, data.lower, stop)
        columns = (stop, data.exited & last, start, lower, data.weights, data.design)
        parts.append(Observations(*(column[here] for column in columns)))
        codes.append(np.full(int(here.sum()), band, dtype=np.int64))
    joined = (np.concatenate([getattr(part, name) for part in parts]) for name in Observations.__slots__)
    return Observations(*joined), np.concatenate(codes)
