"""Tables of the fitted moves: their laws, and what covariates do to each."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from msk_reserves.recovery.laws.fit import FittedFamily
from msk_reserves.recovery.laws.piecewise import PIECEWISE
from msk_reserves.recovery.laws.spline import is_spline
from msk_reserves.recovery.path.covariates import CovariateDesign
from msk_reserves.recovery.path.selection import Candidate
from msk_reserves.recovery.path.strata import in_words
from msk_reserves.recovery.path.transitions import Transition

NORMAL_975 = 1.959963984540054
"""Quantile of the standard normal law at 97.5 %, for limits at 95 %."""


def what_was_fitted(moves: Sequence[Transition], weighting: str) -> list[str]:
    """Return sentences on how many moves were fitted, and which on the days since the path began."""
    own = [one for one in moves if not one.shared]
    seen = sum(one.events for one in own)
    ahead = [f"{one.origin} to {one.target}" for one in own if one.forward]
    clock = [f"On the days since the claim's path began, not on those in the stay: {', '.join(ahead)}."]
    return [f"Recovery fitted to {seen:,.0f} moves of {len(own)} kinds, weights {weighting}.", *clock[: len(ahead)]]


def moves_and_laws(moves: Sequence[Transition], design: CovariateDesign) -> pd.DataFrame:
    """Return a row a move and law, as `Recovery.to_frame` describes it."""
    rows = [
        {
            "from": move.origin,
            "to": move.target,
            **in_words(move, moves),
            "moves": round(move.events),
            "days_at_risk": round(move.exposure),
            "covariates": "" if move.hazards is not None else _used(move, design),
            "clock": "forward" if move.forward else "reset",
            "draws": move.method,
            "law": one.fit.title,
            "weight": one.weight,
            "aic": one.fit.aic,
            "note": _note(move, one),
        }
        for move in moves
        for one in move.candidates
        if not move.shared
    ]
    return pd.DataFrame(rows)


def _used(move: Transition, design: CovariateDesign) -> str:
    """Say how many of the columns it may use a move uses."""
    return f"{len(move.columns)} of {len({*move.columns, *design.columns_of(move.origin, move.target)})}"


def _note(move: Transition, law: Candidate) -> str:
    """Return what a law of a move rests on, or why it has no weight."""
    if move.hazards is not None:
        return "given by the user"
    return law.fit.reason if move.method == "gamma" else law.note()


def effects_of(moves: Sequence[Transition]) -> pd.DataFrame:
    """Return the effect of every covariate on every move, a row a law that carries weight.

    Parameters
    ----------
    moves : sequence of Transition
        The moves; those that share the laws of another are passed over.

    Returns
    -------
    pandas.DataFrame
        from, to, stratum (only where there are strata), law, weight, covariate, measure ("time ratio": what the days
        are multiplied by; "hazard ratio"; "scale ratio": what the scale of ln days is multiplied by; "hazard ratio per
        e-fold of days": what the hazard ratio is multiplied by when days are 2.718 times as many), ratio,
        standard_error (of its logarithm), lower and upper (limits at 95 %, exp(ln ratio -+ 1.96 errors)).
    """
    rows = [
        {
            "from": move.origin,
            "to": move.target,
            **in_words(move, moves),
            "law": one.fit.family,
            "weight": one.weight,
            "covariate": name,
            "measure": measure,
            "ratio": np.exp(effect),
            "standard_error": error,
            "lower": np.exp(effect - NORMAL_975 * error),
            "upper": np.exp(effect + NORMAL_975 * error),
        }
        for move in moves
        for one in (() if move.shared else move.kept())
        for name, measure, effect, error in _effects(move, one.fit)
    ]
    columns = ("law", "weight", "covariate", "measure", "ratio", "standard_error", "lower", "upper")
    where = ("from", "to", *(in_words(moves[0], moves) if moves else ()))
    return pd.DataFrame(rows, columns=pd.Index((*where, *columns)))


def _effects(move: Transition, fit: FittedFamily) -> Iterator[tuple[str, str, float, float]]:
    """Yield covariate, measure, effect on the log scale and its error."""
    for name in move.names:
        if name in fit.names:
            yield name, fit.measure, *_sum(fit, [fit.names.index(name)])
    for name in (move.names[column] for column in fit.tilt):
        if fit.family == PIECEWISE:
            for place, label in enumerate(fit.names):
                if label.startswith(f"{name} after day "):
                    yield label, fit.measure, *_sum(fit, [fit.names.index(name), place])
        else:
            place = next(at for at, one in enumerate(fit.names) if one in (f"slope {name}", f"log_scale {name}"))
            measure = "hazard ratio per e-fold of days" if is_spline(fit.family) else "scale ratio"
            yield name, measure, *_sum(fit, [place])


def _sum(fit: FittedFamily, places: list[int]) -> tuple[float, float]:
    """Return the sum of some estimates and its standard error."""
    return float(fit.theta[places].sum()), float(np.sqrt(fit.covariance[np.ix_(places, places)].sum()))
