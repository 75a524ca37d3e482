"""A world of known hazards gives its effects back: covariate, late entry, relapse, attorneys retained on the way."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from msk_reserves.recovery.laws.fit import fit_family
from msk_reserves.recovery.path.model import Recovery, fit_path
from tests.worlds.attorneys import MOVES, ONSETS, REPRESENTED, AttorneyWorld, stays_seen


def scores(recovery: Recovery, world: AttorneyWorld) -> Mapping[tuple[str, str, str], float]:
    """Return (estimate - truth) / error of every effect on ln days: of x on all moves, of an attorney where fitted."""
    unit = recovery.design.matrix(pd.DataFrame({"x": [0.0, 1.0]}))
    scale = float(unit[1, 0] - unit[0, 0])
    found: dict[tuple[str, str, str], float] = {}
    laws = dict(world.moves) | {(state, state + REPRESENTED): law for state, law in world.onsets.items()}
    for (origin, target), law in laws.items():
        fit = recovery.transitions[origin, target].candidates[0].fit
        for name, truth in (("x", law.x), ("represented", law.represented)):
            if name in fit.names:
                place = fit.names.index(name)
                by = scale if name == "x" else 1.0
                error = float(fit.standard_error[place]) * by
                found[origin, target, name] = (float(fit.theta[place]) * by - truth) / error
    return found


def test_every_effect_comes_back() -> None:
    """Seven moves and four onsets with 18 effects, none further off than 4.5 errors (false alarm 1 in 8,000)."""
    world = AttorneyWorld()
    recovery = fit_path(stays_seen(world, 4_000, seed=11), covariates=["x"], candidates=("weibull",))
    found = scores(recovery, world)
    assert len(found) == 2 * len(MOVES) + len(ONSETS)
    assert max(map(abs, found.values())) < 4.5, found
    # The effects are there to be found: a recovery that saw none would be told apart.
    seen = recovery.effects()
    strong = seen[(seen["covariate"] == "represented") & (np.log(seen["ratio"]).abs() > 6 * seen["standard_error"])]
    assert len(strong) >= 3


def test_an_attorney_who_changes_nothing_is_found_to_change_nothing() -> None:
    """Without an effect none is found (4.5 errors, 7 moves: 1 in 21,000); "ever represented" would find a large one."""
    idle = {move: replace(law, represented=0.0) for move, law in MOVES.items()}
    world = AttorneyWorld(moves=idle, late=0.0)
    stays = stays_seen(world, 3_000, seed=12)
    recovery = fit_path(stays, covariates=["x"], candidates=("weibull",))
    found = scores(recovery, world)
    assert max(abs(score) for (_, _, name), score in found.items() if name == "represented") < 4.5
    first = (
        stays[stays["state"].isin(["off_work", "off_work" + REPRESENTED])]
        .groupby("claim_id")
        .agg(days=("stop", "last"), moved=("next_state", "last"), ever=("state", "nunique"), x=("x", "first"))
    )
    returned = first["moved"].fillna("").str.startswith("back_at_work").to_numpy()
    ever = (first["ever"] > 1).to_numpy().astype(np.float64)
    naive = fit_family("weibull", first["days"], returned, design=np.column_stack([ever, first["x"]]))
    assert naive.theta[1] > 6 * naive.standard_error[1]
