"""Plans whose moves are laid down by hand, on claims that stand where the test says."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.vocabulary import STATE_CODE
from msk_reserves.episodes.laws import exits, laws_of
from msk_reserves.episodes.plan import Plan, make_plan
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.recovery.answers.stay_tables import KnownMove
from msk_reserves.recovery.path.draws import RecoveryDraws, TransitionDraws, law_draws
from tests.worlds.valued import simple

N_DRAWS = 5

WHERE = (
    ("off_work", 0.0, 0.0),
    ("off_work", 75.0, 75.0),
    ("off_work", 20.0, 400.0),
    ("off_work_represented", 30.0, 90.0),
    ("modified_duty", 0.0, 50.0),
    ("back_at_work", 0.0, 150.0),
    ("relapse", 30.0, 300.0),
    ("mmi", 10.0, 1_000.0),
)
"""States, days in them and days since the start of the path from which a known process is followed."""

Moves = Mapping[tuple[str, str], tuple[str, tuple[float, ...]]]
"""Law and parameters, on the unconstrained scale, of each move (from, to)."""


MOVES: Moves = {
    ("off_work", "back_at_work"): ("lognormal", (4.0, 0.2)),
    ("off_work", "modified_duty"): ("weibull", (4.6, -0.2)),
    ("off_work", "mmi"): ("loglogistic", (6.4, -0.5)),
    ("off_work", "off_work_represented"): ("weibull", (4.8, 0.3)),
    ("off_work_represented", "back_at_work_represented"): ("gengamma", (4.9, 0.1, 0.6)),
    ("off_work_represented", "mmi_represented"): ("exponential", (6.0,)),
    ("modified_duty", "back_at_work"): ("weibull", (3.6, 0.1)),
    ("modified_duty", "relapse"): ("lognormal", (5.0, 0.2)),
    ("back_at_work", "relapse"): ("weibull", (6.8, 0.3)),
    ("back_at_work", "closed"): ("weibull", (4.5, -0.3)),
    ("back_at_work_represented", "settled"): ("weibull", (5.5, -0.2)),
    ("relapse", "back_at_work"): ("lognormal", (4.2, 0.0)),
    ("relapse", "relapse_represented"): ("exponential", (5.5,)),
    ("relapse_represented", "settled"): ("lognormal", (5.6, -0.1)),
    ("mmi", "settled"): ("exponential", (5.8,)),
    ("mmi_represented", "settled"): ("weibull", (5.4, -0.1)),
    ("closed", "reopened"): ("exponential", (8.0,)),
}
"""A known process with relapses, twins and a law of every family, without covariates."""

ONSETS = tuple(move for move in MOVES if move[1] == f"{move[0]}_represented")

FORWARD = (
    *ONSETS,
    ("off_work", "mmi"),
    ("off_work_represented", "mmi_represented"),
    ("relapse_represented", "settled"),
    ("mmi", "settled"),
    ("mmi_represented", "settled"),
    ("back_at_work", "closed"),
)
"""Those of its moves that may be put on the clock of the path: attorneys, improvement, settlement, closure."""


def drawn_moves(
    moves: Moves,
    *,
    continuing: Collection[tuple[str, str]] = (),
    forward: Collection[tuple[str, str]] = (),
    n_draws: int = N_DRAWS,
) -> RecoveryDraws:
    """Return draws that all hold the parameters given, without covariates."""
    each = tuple(
        TransitionDraws(
            *move,
            columns=(),
            laws=(law_draws(family, np.tile(theta, (n_draws, 1)), np.zeros(0)),),
            law_of_draw=np.zeros(n_draws, dtype=np.int64),
            continues=move in continuing,
            forward=move in forward,
        )
        for move, (family, theta) in moves.items()
    )
    return RecoveryDraws(None, n_draws, each)


def _known(move: TransitionDraws) -> KnownMove:
    """Return a move as the renewal equations take it."""

    def hazard(days: Floats) -> Floats:
        flat, location = days.ravel(), move.laws[0].coefficients[0, 0]
        draw = np.zeros(len(flat), dtype=np.int64)
        return move.cumulative_hazard(flat, np.full(len(flat), location), draw).reshape(days.shape)

    return KnownMove(move.origin, move.target, hazard, move.continues, move.forward)


def known_moves(forward: Collection[tuple[str, str]] = ()) -> list[KnownMove]:
    """Return the process of `MOVES` as the renewal equations take it."""
    return [_known(move) for move in drawn_moves(MOVES, continuing=ONSETS, forward=forward, n_draws=1).moves]


def plan_of_moves(
    drawn: RecoveryDraws,
    *,
    state: str,
    ages: tuple[float, float],
    n_claims: int,
    scenarios: int,
    horizon_days: float = 3640.0,
) -> Plan:
    """Return a plan of claims all alike under moves laid down by hand: their state, days in it and in the path."""
    book, recovery, cost = simple()
    plan = make_plan(book, recovery, cost, scenarios=40, seed=3, systemic=SystemicRisk(), horizon_days=horizon_days)
    plan = plan.of(np.arange(n_claims))
    days: Floats = np.full(n_claims, ages[0])
    return replace(
        plan,
        scenarios=scenarios,
        n_draws=drawn.n_draws,
        exits=exits(drawn),
        laws=laws_of(drawn, plan.design.shape[1]),
        state=np.full(n_claims, STATE_CODE[state]),
        days_in_state=days,
        days_since_start=np.full(n_claims, ages[1]),
        days_off=days,
        band_days=np.zeros(n_claims),
        band_last=np.zeros(n_claims, dtype=np.bool_),
    )
