"""Workers off work whose employers bring them back at different speeds."""

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.claims.states import StateSpace

SPACE = StateSpace(("off", "light", "back", "settled"), off_work=("off",), working=("light", "back"))


def employers_stays(
    n_employers: int, claims: int, variance: float, seed: int, *, week: float = 0.0
) -> tuple[pd.DataFrame, Floats]:
    """Return stays of workers off work, and the factor of each employer on the hazards of their return.

    Weibull days (shape .8) to full duty and to light duty, shared factor; light duty to full duty, shared too;
    settlement without it; two covariates; stays of seven days or less are not in the file.

    Parameters
    ----------
    n_employers, claims : employers, and claims of each.
    variance : of the factor, gamma with mean one.
    seed : reproduces the stays.
    week : width of the windows to which stays off work are known (0: the day).
    """
    rng = np.random.default_rng(seed)
    factor = rng.gamma(1 / variance, variance, n_employers) if variance else np.ones(n_employers)
    employer = np.repeat(np.arange(n_employers), claims)
    n = len(employer)
    illness, heavy = rng.standard_normal(n), rng.integers(0, 2, n)
    pull = factor[employer] * np.exp(-0.3 * illness - 0.4 * heavy)
    back = 45 * (rng.exponential(size=n) / pull) ** 1.25
    light = 90 * (rng.exponential(size=n) / pull) ** 1.25
    settled = rng.exponential(400, n)
    seen = rng.uniform(60, 700, n)
    days = np.minimum(np.minimum(back, light), settled)
    target = np.where(days == back, "back", np.where(days == light, "light", "settled"))
    end = week * np.ceil(days / week) if week else days
    frame = pd.DataFrame(
        {
            "claim_id": [f"C{row:05d}" for row in range(n)],
            "state": "off",
            "start": 0.0,
            "stop": np.minimum(end, seen),
            "next_state": pd.Series(target, dtype=object).where(end <= seen, None),
            "observed_from": 7.0,
            "interval": np.where(end <= seen, week, 0.0),
            "employer_id": [f"E{number:03d}" for number in employer],
            "illness": illness,
            "heavy": heavy,
        }
    )
    on = frame[(frame["next_state"] == "light") & (frame["stop"] > 7.0)]
    more = 60 * rng.exponential(size=len(on)) / factor[employer[on.index]]
    left = seen[on.index] - on["stop"].to_numpy()
    second = on.assign(
        state="light",
        start=on["stop"],
        stop=on["stop"] + np.minimum(more, left),
        next_state=pd.Series("back", index=on.index, dtype=object).where(more <= left, None),
        observed_from=0.0,
        interval=0.0,
    )
    table = pd.concat([frame[frame["stop"] > 7.0], second[second["stop"] > second["start"]]])
    return table.sort_values(["claim_id", "start"], kind="stable").reset_index(drop=True), factor
