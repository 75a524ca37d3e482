"""Levels of a column whose stays differ in shape, not only in length: what is true of each comes back."""

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.claims.states import StateSpace
from msk_reserves.recovery.path.model import fit_path

SPACE = StateSpace(names=("ill", "well"), off_work=("ill",), working=("well",))
SCALE, SLOPE = 80.0, 0.4


def stays(shapes: dict[str, float], n: int, seed: int) -> pd.DataFrame:
    """Return Weibull stays, `n` a level, with the level's shape and one covariate of ln days, a third of them late."""
    rng = np.random.default_rng(seed)
    level = np.repeat(list(shapes), n)
    x = rng.standard_normal(len(level))
    shape: Floats = np.repeat(list(shapes.values()), n)
    days = SCALE * np.exp(SLOPE * x) * rng.weibull(shape)
    entry = np.where(rng.random(len(level)) < 1 / 3, rng.uniform(0, 60, len(level)), 0.0)
    seen = entry + rng.uniform(20, 300, len(level))
    frame = pd.DataFrame({"claim_id": np.arange(len(level)).astype(str), "state": "ill", "start": 0.0, "x": x})
    frame = frame.assign(level=level, stop=np.minimum(days, seen), observed_from=entry)
    frame["next_state"] = ["well" if ended else None for ended in days <= seen]
    return frame[days > entry].reset_index(drop=True)


def test_the_shape_of_each_stratum_comes_back() -> None:
    """Shapes 0.7 and 1.6 and the effect 0.4 on ln days of two strata, each within 4.5 errors: four chances of 7e-6."""
    shapes = {"a": 0.7, "b": 1.6}
    table = stays(shapes, 1_500, seed=11)
    recovery = fit_path(table, space=SPACE, covariates=["x"], candidates=("weibull",), strata="level")
    unit = float(table["x"].std(ddof=0))
    for level, shape in shapes.items():
        fit = recovery.transitions["ill", "well", level].candidates[0].fit
        for name, true in (("log_scale", -np.log(shape)), ("x", SLOPE * unit)):
            place = fit.names.index(name)
            assert abs(fit.theta[place] - true) < 4.5 * fit.standard_error[place], (level, name)


def test_a_shape_by_level_comes_back() -> None:
    """Three shapes as covariates of ln scale: level effects, and that of x, within 4.5 errors; chances of 7e-6 each."""
    shapes = {"a": 0.7, "b": 1.6, "c": 1.0}
    table = stays(shapes, 1_500, seed=12)
    recovery = fit_path(table, space=SPACE, covariates=["x"], candidates=("weibull", "piecewise"), shape="level")
    (move,) = recovery.fitted
    assert [one.refused for one in move.candidates] == ["", "has no scale or slope for `shape` to move"]
    fit = move.candidates[0].fit
    (reference,) = [name for name in shapes if f"level is {name}" not in fit.names]
    true = {"log_scale": -np.log(shapes[reference]), "x": SLOPE * float(table["x"].std(ddof=0))}
    for name in set(shapes) - {reference}:
        true |= {f"log_scale level is {name}": np.log(shapes[reference] / shapes[name]), f"level is {name}": 0.0}
    for name, value in true.items():
        place = fit.names.index(name)
        assert abs(fit.theta[place] - value) < 4.5 * fit.standard_error[place], name
    frame = recovery.effects()
    shown = frame[(frame["measure"] == "scale ratio") & (frame["covariate"] != f"level is {reference}")]
    assert len(shown) == 2


def test_an_effect_that_turns_with_time_comes_back() -> None:
    """A level whose hazard is doubled to day 28 and halved after: piecewise effects by band within 4.5 errors.

    Exits are known to a window of a day; three chances of 7e-6.
    """
    rng = np.random.default_rng(5)
    n = 4_000
    level = np.where(np.arange(n) % 3 == 0, "a", "b")
    need = rng.standard_exponential(n) * 60.0
    early, late = np.where(level == "a", 2.0, 1.0), np.where(level == "a", 0.5, 1.0)
    days = np.where(need < 28 * early, need / early, 28 + (need - 28 * early) / late)
    days = np.ceil(days)
    seen = np.floor(rng.uniform(20, 400, n)) + 0.5
    table = pd.DataFrame({"claim_id": np.arange(n).astype(str), "state": "ill", "start": 0.0, "level": level})
    table = table.assign(stop=np.minimum(days, seen), interval=np.where(days <= seen, 1.0, 0.0))
    table["next_state"] = ["well" if ended else None for ended in days <= seen]
    recovery = fit_path(table, space=SPACE, covariates=[], candidates=("lognormal", "piecewise"), varying="level")
    (move,) = recovery.fitted
    assert move.candidates[0].refused == "its effects are the same at all times, against `varying`"
    frame = recovery.effects().set_index("covariate")
    for name, value in (("level is a", 2.0), ("level is a after day 28", 0.5), ("level is a after day 91", 0.5)):
        assert abs(np.log(frame.loc[name, "ratio"] / value)) < 4.5 * frame.loc[name, "standard_error"], name
