"""Plans whose moves are laid down by hand, on claims that stand where the test says."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.vocabulary import STATE_CODE
from msk_reserves.episodes.laws import exits, laws_of
from msk_reserves.episodes.plan import Plan, make_plan
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.recovery.path.draws import RecoveryDraws, TransitionDraws, law_draws
from tests.worlds.valued import simple

N_DRAWS = 5

Moves = Mapping[tuple[str, str], tuple[str, tuple[float, ...]]]
"""Law and parameters, on the unconstrained scale, of each move (from, to)."""


def drawn_moves(moves: Moves, *, continuing: tuple[tuple[str, str], ...] = (), n_draws: int = N_DRAWS) -> RecoveryDraws:
    """Return draws that all hold the parameters given, without covariates."""
    each = tuple(
        TransitionDraws(
            *move,
            columns=(),
            laws=(law_draws(family, np.tile(theta, (n_draws, 1)), np.zeros(0)),),
            law_of_draw=np.zeros(n_draws, dtype=np.int64),
            continues=move in continuing,
        )
        for move, (family, theta) in moves.items()
    )
    return RecoveryDraws(None, n_draws, each)


def plan_of_moves(
    drawn: RecoveryDraws, *, state: str, age: float, n_claims: int, scenarios: int, horizon_days: float = 3640.0
) -> Plan:
    """Return a plan of claims that have all been in one state for `age` days, under moves laid down by hand."""
    book, recovery, cost = simple()
    plan = make_plan(book, recovery, cost, scenarios=40, seed=3, systemic=SystemicRisk(), horizon_days=horizon_days)
    plan = plan.of(np.arange(n_claims))
    ages: Floats = np.full(n_claims, age)
    return replace(
        plan,
        scenarios=scenarios,
        n_draws=drawn.n_draws,
        exits=exits(drawn),
        laws=laws_of(drawn, plan.design.shape[1]),
        state=np.full(n_claims, STATE_CODE[state]),
        days_in_state=ages,
        days_off=ages,
        days_off_before=np.zeros(n_claims),
    )
