"""What covariates do to each move: time ratios or hazard ratios with their errors."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from msk_reserves.recovery.path.strata import in_words
from msk_reserves.recovery.path.transitions import Transition

NORMAL_975 = 1.959963984540054
"""Quantile of the standard normal law at 97.5 %, for limits at 95 %."""


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
        are multiplied by, or "hazard ratio"), ratio, standard_error (of its logarithm), lower and upper (limits at
        95 %, exp(ln ratio -+ 1.96 errors)).
    """
    rows = []
    for move in moves:
        for one in () if move.shared else move.kept():
            for name in move.names:
                if name not in one.fit.names:
                    continue
                place = one.fit.names.index(name)
                effect, error = float(one.fit.theta[place]), float(one.fit.standard_error[place])
                rows.append(
                    {
                        "from": move.origin,
                        "to": move.target,
                        **in_words(move, moves),
                        "law": one.fit.family,
                        "weight": one.weight,
                        "covariate": name,
                        "measure": one.fit.measure,
                        "ratio": np.exp(effect),
                        "standard_error": error,
                        "lower": np.exp(effect - NORMAL_975 * error),
                        "upper": np.exp(effect + NORMAL_975 * error),
                    }
                )
    columns = ("law", "weight", "covariate", "measure", "ratio", "standard_error", "lower", "upper")
    where = ("from", "to", *(in_words(moves[0], moves) if moves else ()))
    return pd.DataFrame(rows, columns=pd.Index((*where, *columns)))
