"""Time the estimators and fits of recovery beside lifelines and statsmodels on one simulated file."""

import time
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter, LogLogisticAFTFitter, LogNormalAFTFitter, WeibullAFTFitter
from statsmodels.duration.survfunc import CumIncidenceRight

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.recovery.fit import fit_family
from msk_reserves.recovery.nonparametric import aalen_johansen, kaplan_meier

STAYS = 100_000
COVARIATES = 8


def stays(n: int) -> tuple[Floats, Booleans, Floats, Floats, Integers]:
    """Whole days, exits, entry after a waiting period, covariates and cause of `n` stays at most."""
    rng = np.random.default_rng(20260101)
    design = rng.standard_normal((n, COVARIATES))
    days = np.ceil(np.exp(3.5 + design @ rng.normal(0, 0.2, COVARIATES) + rng.standard_normal(n)))
    censor = rng.integers(8, 600, n).astype(np.float64)
    entry = np.where(rng.random(n) < 0.5, 3.0, 7.0)
    seen = np.minimum(days, censor) > entry
    exited = days <= censor
    cause = np.where(exited, rng.integers(1, 3, n), 0)
    return np.minimum(days, censor)[seen], exited[seen], entry[seen], design[seen], cause[seen]


def seconds(task: Callable[[], object], repeats: int = 3) -> float:
    """Return the least CPU seconds of a few runs."""
    best = np.inf
    for _ in range(repeats):
        begin = time.process_time()
        task()
        best = min(best, time.process_time() - begin)
    return float(best)


def tasks(n: int) -> Mapping[str, tuple[Callable[[], object], Callable[[], object] | None]]:
    """Return each task with the peer's way to do it, None where there is none."""
    days, exited, entry, design, cause = stays(n)
    frame = pd.DataFrame(design, columns=[f"x{i}" for i in range(COVARIATES)]).assign(days=days, exited=exited, e=entry)

    def regression(fitter: type) -> Callable[[], object]:
        return lambda: fitter().fit(frame, "days", "exited", entry_col="e")

    def ours(name: str) -> Callable[[], object]:
        return lambda: fit_family(name, days, exited, entry=entry, design=design)

    return {
        "Kaplan-Meier, entry": (
            lambda: kaplan_meier(days, exited, entry=entry),
            lambda: KaplanMeierFitter().fit(days, exited, entry=entry),
        ),
        "Aalen-Johansen, entry": (lambda: aalen_johansen(days, cause, entry=entry), None),
        "Aalen-Johansen": (lambda: aalen_johansen(days, cause), lambda: CumIncidenceRight(days, cause)),
        "Weibull, entry, 8 covariates": (ours("weibull"), regression(WeibullAFTFitter)),
        "lognormal, entry, 8 covariates": (ours("lognormal"), regression(LogNormalAFTFitter)),
        "log-logistic, entry, 8 covariates": (ours("loglogistic"), regression(LogLogisticAFTFitter)),
        "generalized gamma, entry, 8 covariates": (ours("gengamma"), None),
        "piecewise, entry, 8 covariates": (ours("piecewise"), None),
    }


def measure(n: int = STAYS) -> pd.DataFrame:
    """Return a row a task: our seconds, the peer's (NaN where there is none), and their ratio."""
    rows = []
    for name, (own, peer) in tasks(n).items():
        mine, theirs = seconds(own), float("nan") if peer is None else seconds(peer, 1)
        rows.append({"task": name, "seconds": mine, "peer_seconds": theirs, "ratio": theirs / mine})
    return pd.DataFrame(rows)


if __name__ == "__main__":
    print(measure().to_string(index=False, float_format=lambda x: f"{x:.3g}"))
