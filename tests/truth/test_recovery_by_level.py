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
