"""Draws of the recovery model as the arrays the inner loop reads."""

import numpy as np
from scipy.interpolate import CubicSpline

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.vocabulary import STATE_CODE, STATES
from msk_reserves.episodes.arrays import Laws
from msk_reserves.episodes.hazards import (
    BY_ROW,
    FIRST_LOG_DAY,
    LAST_LOG_DAY,
    LOG,
    LOGISTIC,
    LONGEST,
    PIECES,
    SPLINE,
    TABLE,
)
from msk_reserves.recovery.laws.cure import CURES, is_cure
from msk_reserves.recovery.laws.families import BY_CLAIM, FAMILIES, Family
from msk_reserves.recovery.laws.piecewise import PIECEWISE, cumulative_at_cuts
from msk_reserves.recovery.laws.spline import is_spline
from msk_reserves.recovery.path.draws import LawDraws, RecoveryDraws, TransitionDraws

LOW, HIGH, NODES = -30.0, 7.0, 1024
"""Grid of ln h: from one exit in 10**13 to 1,100 expected exits."""

ROUGH = 96
"""Nodes at which a law is inverted exactly."""

EXACT = 384
"""Nodes at which the spline through them is put right; the spline through these is good to 1e-5."""

SHAPE_STEP = 0.01
"""Step of the grid of shapes Q between which a generalized gamma's table is read: good to 1e-7 beside exact ones."""

KINDS = {"weibull": LOG, "exponential": LOG, "loglogistic": LOGISTIC, "lognormal": TABLE, "gengamma": TABLE}


def exits(draws: RecoveryDraws) -> tuple[TransitionDraws, ...]:
    """Return every exit, those of one state in a row.

    Those whose days have to be searched for come last: once another exit is known, most need no search.
    """
    return tuple(exit_ for state in STATES for exit_ in sorted(draws.transitions_from(state), key=_searched))


def _searched(move: TransitionDraws) -> float:
    """Return the share of a move's draws from splines."""
    splines = np.array([is_spline(law.family) for law in move.laws])
    return float(splines[move.law_of_draw].mean())


def laws_of(draws: RecoveryDraws, n_columns: int) -> Laws:
    """Tabulate the draws of every exit.

    Parameters
    ----------
    draws : parameter draws of the recovery model.
    n_columns : columns of its design.

    Returns
    -------
    Laws
        The standardised law of each draw, which the families share as w = (ln t - location) / scale; rates of piecewise
        laws; and coefficients of the predictors.
    """
    every = exits(draws)
    laws = _without_laws(every, draws.n_draws, n_columns)._replace(entry_column=draws.entry_column)
    tables = [_standard(FAMILIES["lognormal"], np.zeros(1))]
    shaped: list[tuple[int, Integers, Floats]] = []
    for place, one in enumerate(every):
        for code, law in enumerate(one.laws):
            at = np.flatnonzero(one.law_of_draw == code)
            if not len(at):
                continue
            columns = np.array([*([0] * law.constant), *(1 + column for column in one.columns)], dtype=np.int64)
            laws.coefficients[at[:, None], place, columns] = law.coefficients[at]
            if law.family == PIECEWISE:
                pieces = len(law.cuts) + 1
                laws.cuts[place, : pieces - 1], laws.n_cuts[place] = law.cuts, pieces - 1
                laws.rate[at, place, :pieces] = law.rates[at]
                laws.reached[at, place, :pieces] = cumulative_at_cuts(law.rates[at], law.cuts)
                laws.kind[at, place] = PIECES
                continue
            if law.family == BY_CLAIM:
                laws.kind[at, place], laws.row[at, place] = BY_ROW, sum(map(len, tables))
                tables.append(_by_row(law))
                continue
            name = CURES[law.family].name if is_cure(law.family) else law.family
            laws.kind[at, place], laws.scale[at, place] = KINDS.get(name, SPLINE), law.scale[at]
            laws.plateau[at, place] = law.plateau[at]
            if name == "gengamma":
                shaped.append((place, at, law.shape[at]))
            elif is_spline(name):
                laws.row[at, place] = sum(map(len, tables)) + np.arange(len(at))
                tables.append(_spline(law, at))
    return laws._replace(table=np.vstack([*tables, *_shared(laws, shaped, sum(map(len, tables)))]))


def _shared(laws: Laws, shaped: list[tuple[int, Integers, Floats]], row: int) -> list[Floats]:
    """Return one table for each different shape of generalized gammas, and note from `row` on where each law finds it.

    Twins have the shapes of their states, and refits serve several draws.
    """
    if not shaped:
        return []
    shapes, which = np.unique(np.concatenate([shape for _, _, shape in shaped]), return_inverse=True)
    begin = 0
    for place, at, shape in shaped:
        laws.row[at, place] = row + which[begin : begin + len(shape)]
        begin += len(shape)
    return [_gamma(shapes)]


def _without_laws(every: tuple[TransitionDraws, ...], n_draws: int, n_columns: int) -> Laws:
    """Return the moves between states, and arrays for their laws to be filled in."""
    width = max([len(law.cuts) for one in every for law in one.laws], default=0)
    origin = np.array([STATE_CODE[one.origin] for one in every])
    shape = (n_draws, len(every))
    return Laws(
        first=np.array([(origin < code).sum() for code in range(len(STATES))]),
        last=np.array([(origin <= code).sum() for code in range(len(STATES))]),
        target=np.array([STATE_CODE[one.target] for one in every], dtype=np.uint8),
        continues=np.array([one.continues for one in every], dtype=np.bool_),
        forward=np.array([one.forward for one in every], dtype=np.bool_),
        kind=np.zeros(shape, dtype=np.uint8),
        scale=np.ones(shape),
        row=np.zeros(shape, dtype=np.uint32),
        plateau=np.zeros(shape),
        table=np.zeros((0, NODES)),
        low=LOW,
        step=(HIGH - LOW) / (NODES - 1),
        cuts=np.full((len(every), width), np.inf),
        n_cuts=np.zeros(len(every), dtype=np.uint8),
        reached=np.full((*shape, width + 1), np.inf),
        rate=np.zeros((*shape, width + 1)),
        coefficients=np.zeros((n_draws, len(every), 1 + n_columns)),
        entry_column=-1,
        shared=np.array([one.factor_slope() for one in every]).reshape(shape[::-1]).T.copy(),
    )


def _by_row(law: LawDraws) -> Floats:
    """Return ln days over the grid of ln h for each row of a law tabulated by claim, shape (n_rows, NODES)."""
    n, hazard = len(law.rates), np.exp(np.linspace(LOW, HIGH, NODES))
    row = np.repeat(np.arange(n), NODES)
    with np.errstate(divide="ignore", invalid="ignore"):
        days = law.compute("invert", np.tile(hazard, n), row.astype(np.float64), row).reshape(n, NODES)
        # Where the hazard never gets that far the rate is zero and so is what is left to collect.
        log_days = np.log(np.where(np.isnan(days), np.inf, days))
    # A table increases from node to node; a stretch without hazard is a step of it.
    return np.maximum.accumulate(np.clip(log_days, -LONGEST, LONGEST), axis=1)


def _spline(law: LawDraws, at: Integers) -> Floats:
    """Return ln h less the location over a grid of ln days for some draws, shape (n_some, NODES)."""
    return law.log_hazards(np.linspace(FIRST_LOG_DAY, LAST_LOG_DAY, NODES), at)


def _gamma(shapes: Floats) -> Floats:
    """Return the tables of generalized gammas: between shapes on a grid, by the cubic through the four around each."""
    place = shapes / SHAPE_STEP
    base = np.floor(place).astype(np.int64)
    x = (place - base)[:, None]
    around = base[:, None] + np.arange(-1, 3)
    nodes, which = np.unique(around, return_inverse=True)
    table, which = _standard(FAMILIES["gengamma"], nodes * SHAPE_STEP), which.reshape(around.shape)
    inner = ((x + 1) * (x - 2) * (x - 1) * table[which[:, 1]] - (x + 1) * (x - 2) * x * table[which[:, 2]]) / 2
    outer = ((x + 1) * (x - 1) * x * table[which[:, 3]] - (x - 2) * (x - 1) * x * table[which[:, 0]]) / 6
    return np.asarray(inner + outer)


def _standard(family: Family, shape: Floats) -> Floats:
    """Return w over the grid of ln h for each shape, shape (n_shapes, NODES).

    A generalized gamma is slow to invert and quick to evaluate: it is inverted at some nodes, and the cubic spline
    through these is put right by a Newton step at more nodes.
    """
    grid = np.linspace(LOW, HIGH, NODES)
    rough, nodes = np.linspace(LOW, HIGH, ROUGH), np.linspace(LOW, HIGH, EXACT)
    each = shape[:, None]
    first = CubicSpline(rough, np.broadcast_to(family.inverse_hazard(np.exp(rough), each), (len(shape), ROUGH)), axis=1)
    with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="ignore"):
        off = np.log(-family.log_survival(first(nodes), each)) - nodes
    step = off * first(nodes, 1)
    right = first(nodes) - np.where(np.isfinite(step) & (np.abs(step) < 0.1), step, 0.0)
    return np.asarray(CubicSpline(nodes, right, axis=1)(grid))
