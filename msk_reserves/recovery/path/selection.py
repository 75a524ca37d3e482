"""Which laws a transition keeps, and with what weight."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, one_of
from msk_reserves.recovery.laws.cure import is_cure, no_plateau
from msk_reserves.recovery.laws.families import EXPONENTIAL, FAMILIES, moment
from msk_reserves.recovery.laws.fit import FittedFamily, fit_law, fit_to_data, unfitted
from msk_reserves.recovery.laws.piecewise import PIECEWISE, Fading
from msk_reserves.recovery.laws.spline import is_spline, log_slope
from msk_reserves.recovery.laws.tilt import Tilt, at_level, cannot_carry, fit_tilted
from msk_reserves.recovery.observations import Observations
from msk_reserves.recovery.path.draws import collected, law_draws, placed

CANDIDATES = ("weibull", "lognormal", "loglogistic", "gengamma", "rp1", "rp2", "cure_weibull", "piecewise")
"""Laws tried by default on transitions with at least `MANY_EVENTS` exits."""

FEW_CANDIDATES = ("weibull", "lognormal", "piecewise", "exponential")
"""Laws tried with fewer exits than that."""

MANY_EVENTS = 30
FEW_EVENTS = 10
WITHIN = 7.0
"""Laws whose AIC is within 7 of the best share the weight equally under `weighting="equal_within_7"`."""

PLAIN = Tilt()
"""Covariates that do no more than multiply time or hazard."""

WEIGHTINGS = ("equal_within_7", "bic", "single")
YEAR = 364.0
LONG_RUN = 3640.0
"""Ten years of 52 weeks: how far hazards are followed beyond the data."""

_STILL_THERE = 1e-3

TAIL_STARTS = (91.0, 182.0, 364.0, 728.0)
"""Days in the state from which on a law must agree with the exits seen: reserves hang on the tail of a stay."""

TAIL_TOLERANCE = 2.0
"""Standard deviations of a Poisson count by which seen and expected exits of a tail may differ."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A fitted law, the weight it carries, and why where that is nothing.

    Attributes
    ----------
    fit : the law.
    weight : share of parameter draws that use it.
    refused : reason the law was refused, empty for a plausible one.
    """

    fit: FittedFamily
    weight: float
    refused: str

    def note(self) -> str:
        """Return the reason for a weight of zero, or what the law rests on."""
        if self.refused:
            return self.refused
        behind = "" if self.weight > 0 else "AIC too far behind"
        return "; ".join(part for part in (behind, _rests_on(self.fit)) if part)


def _rests_on(fit: FittedFamily) -> str:
    """Return what a law is beyond its name: its pieces, its tail, the share it never ends, the moments it lacks."""
    if fit.family == PIECEWISE:
        return f"{len(fit.cuts) + 1} pieces"
    if is_spline(fit.family):
        size = len(fit.cuts)
        tail = float(log_slope(fit.theta[:size], np.log(fit.cuts), np.log(fit.cuts[-1:]))[0])
        return f"Weibull tail of shape {tail:.2f} beyond day {fit.cuts[-1]:,.0f}"
    if is_cure(fit.family):
        return f"{fit.plateau:.1%} never end"
    family = FAMILIES[fit.family]
    # Harmless up to a horizon, but worth knowing.
    if not np.isfinite(moment(family, 1, 0.0, fit.scale, fit.shape)):
        return "no finite mean"
    return "" if np.isfinite(moment(family, 2, 0.0, fit.scale, fit.shape)) else "no finite variance"


def fit_candidates(
    data: Observations,
    labels: tuple[str, ...],
    names: Sequence[str],
    weighting: str,
    *,
    fading: Fading,
    tilt: Tilt = PLAIN,
    marked: bool = False,
) -> tuple[Candidate, ...]:
    """Fit the laws a transition can bear and weigh them.

    Parameters
    ----------
    data : Observations
        Stays at risk.
    labels : tuple of str
        Names of the covariates.
    names : sequence of str
        Laws asked for.
    weighting : {"equal_within_7", "bic", "single"}
        Equal weight to laws within 7 of the best AIC; weights by exp(-BIC/2); or the best AIC alone.
    fading : Fading
        How piecewise rates fall where too few exits show them. Of a move that becomes rarer, a law whose hazard rises
        after 52 weeks, beyond the last exit seen, is refused.
    tilt : Tilt
        Covariates that also move the shape, or whose effect changes with time. Laws that cannot carry them are refused;
        where no other is plausible either, the laws without follow.
    marked : bool
        Whether the first covariate marks the twin of a state: tails are then checked in each of the two.

    Returns
    -------
    tuple of Candidate
        At least one carries weight.
    """
    many = data.events >= MANY_EVENTS
    tried = tuple(names) if many else _few(names)
    left = () if many else tuple(name for name in names if name not in tried)
    fits: list[FittedFamily] = []
    for name in tried:
        known = {fit.family: fit for fit in fits if fit.converged}
        plain = tilt == PLAIN
        fits.append(_fit(name, data, labels, fading, known) if plain else _tilted(name, data, labels, fading, tilt))
    sides = [data.design[:, 0] == mark for mark in (0.0, 1.0)] if marked else []
    parts = [data, *(data.of(side) for side in sides if data.weights[side & data.exited].any())]
    refused = [_implausible(fit, parts, fading) for fit in fits]
    if all(refused) and tilt != PLAIN:
        told = [
            Candidate(fit, 0.0, f"with `shape` or `varying`: {why}") for fit, why in zip(fits, refused, strict=True)
        ]
        again = fit_candidates(data, labels, names, weighting, fading=fading, marked=marked)
        return (*told, *again)
    if all(refused) and PIECEWISE not in tried:
        # Rates by piece follow the exits seen; a constant rate, the last resort, would not.
        fits.append(_fit(PIECEWISE, data, labels, fading, {}))
        refused.append(_implausible(fits[-1], parts, fading))
    if all(refused):
        fits.append(fit_to_data(EXPONENTIAL, data, labels))
        refused.append("")
    if fading.kind == "by doubling":
        refused = _behind_laws(fits, refused)
    weights = law_weights(fits, [not reason for reason in refused], weighting, data.events)
    few = f"needs {MANY_EVENTS} exits, there are {data.events:,.6g}"
    return (
        *(Candidate(*row) for row in zip(fits, weights.tolist(), refused, strict=True)),
        *(Candidate(unfitted(name, data, few), 0.0, few) for name in left),
    )


def _behind_laws(fits: Sequence[FittedFamily], refused: Sequence[str]) -> list[str]:
    """Return the reasons with rates by piece refused where a law is plausible.

    Of late returns there are few: rates that each rest on some of them are so uncertain that stays last longer under
    them on average than under any rate.
    """
    laws = any(not why and fit.family != PIECEWISE for fit, why in zip(fits, refused, strict=True))
    behind = "stands back behind a law of recovery" if laws else ""
    return [why or (behind if fit.family == PIECEWISE else "") for fit, why in zip(fits, refused, strict=True)]


def _few(names: Sequence[str]) -> tuple[str, ...]:
    """Return the laws for few exits: those asked for among the simple ones, and the exponential."""
    return (*(name for name in FEW_CANDIDATES if name in names and name != "exponential"), "exponential")


def _fit(
    name: str, data: Observations, labels: tuple[str, ...], fading: Fading, known: Mapping[str, FittedFamily]
) -> FittedFamily:
    """Fit one law by name; a mixture cure only where the stays show a plateau."""
    reason = no_plateau(data) if is_cure(name) else ""
    return unfitted(name, data, reason) if reason else fit_law(name, data, labels, fading=fading, known=known)


def _tilted(name: str, data: Observations, labels: tuple[str, ...], fading: Fading, tilt: Tilt) -> FittedFamily:
    """Fit one law by name with levels that do more than multiply, if it can carry them."""
    reason = cannot_carry(name, tilt) or (no_plateau(data) if is_cure(name) else "")
    return unfitted(name, data, reason) if reason else fit_tilted(name, data, labels, tilt, fading=fading)


def _implausible(fit: FittedFamily, parts: Sequence[Observations], fading: Fading) -> str:
    """Return why a law is refused, or nothing; the first part is all the stays, others are some of them."""
    data = parts[0]
    if not fit.converged:
        return fit.reason if not len(fit.theta) else f"not converged: {fit.reason}"
    if fit.family == PIECEWISE:
        return ""
    misfit = next(filter(None, (tail_misfit(fit, part) for part in parts)), "")
    if misfit or fading.kind == "never":
        return misfit
    law = law_draws(fit.family, at_level(fit, fit.theta[None, :], np.zeros(len(fit.tilt))), fit.cuts)
    place = float(law.coefficients[0] @ np.concatenate([np.ones(law.constant), _means(data)]))
    first = max(YEAR, float(data.days[data.exited].max()))
    ages = np.geomspace(first, max(LONG_RUN, 2 * first), 5)
    draw, location = np.zeros(5, dtype=np.int64), np.full(5, place)
    if law.compute("accumulate", ages, location, draw)[0] > -np.log(_STILL_THERE):
        return ""
    rates = law.compute("rate", ages, location, draw)
    if (np.diff(rates) > 1e-3 * rates[:-1]).any():
        return f"hazard rises after day {first:,.0f}, beyond the data"
    return ""


def _means(data: Observations) -> Floats:
    """Return the weighted means of the covariates."""
    return np.asarray(np.average(data.design, axis=0, weights=data.weights))


def tail_misfit(fit: FittedFamily, data: Observations) -> str:
    """Return where a law expects far more or fewer exits in the tail than were seen, or nothing.

    The likelihood of a law with few parameters is ruled by the many early exits; what is still open is ruled by the
    late ones. Beyond each of `TAIL_STARTS` and beyond the last exit the exits seen are held against the hazard
    collected by the stays at risk.
    """
    last = float(data.days[data.exited].max())
    data = data.of(data.days > min(TAIL_STARTS[0], last))
    parts = placed(fit, fit.theta[None, :], data.design)
    whole = collected(parts, data.days, data.days > 0)[:, 0]
    for start in (*TAIL_STARTS, last):
        begun = np.maximum(data.entry, start)
        late = data.days > begun
        before = collected(parts, begun, late)[:, 0]
        expected = float(data.weights[late] @ (whole[late] - before))
        seen = float(data.weights[data.exited & late].sum())
        if abs(seen - expected) > TAIL_TOLERANCE * np.sqrt(max(expected, 1.0)):
            return f"expects {expected:,.1f} exits after day {start:,.0f}, {seen:,.0f} were seen"
    return ""


def law_weights(fits: Sequence[FittedFamily], plausible: Sequence[bool], weighting: str, events: float) -> Floats:
    """Return the weight of each law, shape (n_laws,), summing to one over plausible laws.

    Raises
    ------
    ValueError
        If `weighting` is unknown or no law is plausible.
    """
    one_of(weighting, WEIGHTINGS, "weighting")
    kept = np.asarray(plausible, dtype=bool)
    if not kept.any():
        raise ValueError("`plausible` must hold at least one law")
    aic = np.where(kept, [fit.aic for fit in fits], np.inf)
    if weighting == "single":
        share = (np.arange(len(fits)) == int(np.argmin(aic))).astype(np.float64)
    elif weighting == "bic":
        penalty = np.array([len(fit.theta) for fit in fits]) * (np.log(max(events, 1.0)) - 2.0)
        bic = np.where(kept, aic + penalty, np.inf)
        share = np.exp(-0.5 * (bic - bic.min()))
    else:
        share = (aic <= aic.min() + WITHIN).astype(np.float64)
    return np.asarray(share / share.sum())
