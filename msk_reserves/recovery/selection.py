"""Which laws a transition keeps, and with what weight."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, one_of
from msk_reserves.recovery.families import EXPONENTIAL, FAMILIES, hazard, log_survival, moment
from msk_reserves.recovery.fit import FittedFamily, fit_to_data, piecewise_to_data
from msk_reserves.recovery.observations import Observations
from msk_reserves.recovery.piecewise import PIECEWISE, default_cuts, merged_cuts

CANDIDATES = ("weibull", "lognormal", "loglogistic", "gengamma", "piecewise")
"""Laws tried by default on transitions with at least `MANY_EVENTS` exits."""

FEW_CANDIDATES = ("weibull", "lognormal", "piecewise", "exponential")
"""Laws tried with fewer exits than that."""

MANY_EVENTS = 30
FEW_EVENTS = 10
WITHIN = 7.0
"""Laws whose AIC is within 7 of the best share the weight equally under `weighting="equal_within_7"`."""

WEIGHTINGS = ("equal_within_7", "bic", "single")
YEAR = 364.0
LONG_RUN = 3640.0
"""Ten years of 52 weeks: how far hazards are followed beyond the data."""

_STILL_THERE = 1e-3


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
        what = f"{len(self.fit.cuts) + 1} pieces" if self.fit.family == PIECEWISE else _missing_moment(self.fit)
        behind = "" if self.weight > 0 else "AIC too far behind"
        return "; ".join(part for part in (behind, what) if part)


def _missing_moment(fit: FittedFamily) -> str:
    """Return which of mean and variance a law lacks: harmless up to a horizon, but worth knowing."""
    family = FAMILIES[fit.family]
    if not np.isfinite(moment(family, 1, 0.0, fit.scale, fit.shape)):
        return "no finite mean"
    return "" if np.isfinite(moment(family, 2, 0.0, fit.scale, fit.shape)) else "no finite variance"


def fit_candidates(
    data: Observations, labels: tuple[str, ...], names: Sequence[str], weighting: str, *, to_work: bool
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
    to_work : bool
        Whether the move is back to work: then a hazard that rises after 52 weeks, beyond the last exit seen, is
        refused (the longer off work, the less likely the return).

    Returns
    -------
    tuple of Candidate
        At least one carries weight.
    """
    tried = tuple(names) if data.events >= MANY_EVENTS else _few(names)
    fits = [_fit(name, data, labels) for name in tried]
    refused = [_implausible(fit, data, to_work=to_work) for fit in fits]
    if all(refused):
        fits.append(fit_to_data(EXPONENTIAL, data, labels))
        refused.append("")
    weights = law_weights(fits, [not reason for reason in refused], weighting, data.events)
    return tuple(Candidate(*row) for row in zip(fits, weights.tolist(), refused, strict=True))


def _few(names: Sequence[str]) -> tuple[str, ...]:
    """Return the laws for few exits: those asked for among the simple ones, and the exponential."""
    return (*(name for name in FEW_CANDIDATES if name in names and name != "exponential"), "exponential")


def _fit(name: str, data: Observations, labels: tuple[str, ...]) -> FittedFamily:
    """Fit one law by name."""
    if name == PIECEWISE:
        return piecewise_to_data(data, labels, merged_cuts(data, default_cuts()))
    return fit_to_data(FAMILIES[name], data, labels)


def _implausible(fit: FittedFamily, data: Observations, *, to_work: bool) -> str:
    """Return why a law is refused, or nothing."""
    if not fit.converged:
        return f"not converged: {fit.reason}"
    if not to_work or fit.family == PIECEWISE:
        return ""
    p = 1 + data.design.shape[1]
    location = float(fit.theta[:p] @ np.concatenate([[1.0], np.average(data.design, axis=0, weights=data.weights)]))
    first = max(YEAR, float(data.days[data.exited].max()))
    ages = np.geomspace(first, max(LONG_RUN, 2 * first), 5)
    family = FAMILIES[fit.family]
    if log_survival(family, first, location, fit.scale, fit.shape) < np.log(_STILL_THERE):
        return ""
    rates = hazard(family, ages, location, fit.scale, fit.shape)
    if (np.diff(rates) > 1e-3 * rates[:-1]).any():
        return f"hazard of return rises after day {first:,.0f}, beyond the data"
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
