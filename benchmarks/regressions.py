"""Time parametric regressions with eight covariates and delayed entry beside lifelines, on one simulated file a size.

Run as `python -m benchmarks.regressions [--sizes N ...] [--peer-largest N]`. Times are CPU seconds of one process, the
least of a few runs; both sides start from what they take (arrays, a data frame) and end with estimates, errors and
log-likelihood. The second table fits the generalized gamma, and the two laws it contains, in twelve settings.
"""

import argparse
import itertools
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from lifelines import GeneralizedGammaRegressionFitter, LogLogisticAFTFitter, LogNormalAFTFitter, WeibullAFTFitter
from lifelines.exceptions import ConvergenceError

from msk_reserves._checks import Booleans, Floats
from msk_reserves.recovery.laws.fit import FittedFamily, fit_family

SIZES = (1_000, 10_000, 100_000, 1_000_000)
SHAPE_SIZES = (1_000, 10_000, 100_000)
COVARIATES = 8
SHAPE_PEER_LARGEST = 1_000
"""Largest size at which lifelines' generalized gamma regression is tried: it is slow where it does not fail."""

LAWS = ("weibull", "lognormal", "loglogistic", "gengamma", "rp2")


class Stays(NamedTuple):
    """Whole days, exits, entry and covariates of the stays that were seen."""

    days: Floats
    exited: Booleans
    entry: Floats
    design: Floats

    def fit(self, name: str) -> FittedFamily:
        """Fit a law with this library."""
        return fit_family(name, self.days, self.exited, entry=self.entry, design=self.design)

    def frame(self) -> pd.DataFrame:
        """Return the same as lifelines takes it."""
        names = [f"x{i}" for i in range(COVARIATES)]
        return pd.DataFrame(self.design, columns=pd.Index(names)).assign(
            days=self.days, exited=self.exited, e=self.entry
        )


def stays(n: int, *, standardised: bool = True, late: bool = True) -> Stays:
    """Return stays from a mixture of a Weibull and a lognormal, 23 % of them entered late."""
    rng = np.random.default_rng(20260101)
    design = rng.standard_normal((n, COVARIATES))
    noise = np.where(rng.random(n) < 0.6, np.log(rng.exponential(size=n)) / 0.9, 1.3 * rng.standard_normal(n))
    days = np.ceil(np.exp(3.4 + design @ rng.normal(0, 0.15, COVARIATES) + noise))
    censor = rng.integers(10, 1200, n).astype(np.float64)
    entry = np.where(rng.random(n) < 0.23, rng.integers(1, 40, n), 0.0) * late
    seen = np.minimum(days, censor) > entry
    columns = design if standardised else 40.0 + 12.0 * design
    return Stays(np.minimum(days, censor)[seen], (days <= censor)[seen], entry[seen], columns[seen])


def seconds(task: Callable[[], float], repeats: int) -> tuple[float, float]:
    """Return the least CPU seconds of a few runs, and the log-likelihood reached."""
    best, loglik = np.inf, float("nan")
    for _ in range(repeats):
        begin = time.process_time()
        loglik = task()
        best = min(best, time.process_time() - begin)
    return float(best), loglik


def with_lifelines(name: str, frame: pd.DataFrame) -> float:
    """Return the log-likelihood lifelines reaches, NaN where it gives up or has no such law."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if name == "weibull":
                return float(WeibullAFTFitter().fit(frame, "days", "exited", entry_col="e").log_likelihood_)
            if name == "lognormal":
                return float(LogNormalAFTFitter().fit(frame, "days", "exited", entry_col="e").log_likelihood_)
            if name == "loglogistic":
                return float(LogLogisticAFTFitter().fit(frame, "days", "exited", entry_col="e").log_likelihood_)
            if name == "gengamma":
                location = " + ".join(f"x{i}" for i in range(COVARIATES))
                fitter = GeneralizedGammaRegressionFitter()
                regressors = {"mu_": location, "sigma_": "1", "lambda_": "1"}
                fitter.fit(frame, "days", "exited", entry_col="e", regressors=regressors)
                return float(fitter.log_likelihood_)
        except (ConvergenceError, ValueError, np.linalg.LinAlgError):
            return float("nan")
    return float("nan")


def _loglik(data: Stays, name: str) -> float:
    """Fit a law here and return its log-likelihood."""
    return data.fit(name).loglik


def measure(sizes: tuple[int, ...] = SIZES, peer_largest: int = 1_000_000) -> pd.DataFrame:
    """Return a row a law and size: seconds here and there, their ratio, and how much log-likelihood is gained."""
    rows = []
    for n, name in itertools.product(sizes, LAWS):
        data = stays(n)
        mine, here = seconds(partial(_loglik, data, name), 3)
        theirs, there = float("nan"), float("nan")
        if n <= (min(peer_largest, SHAPE_PEER_LARGEST) if name == "gengamma" else peer_largest) and name != "rp2":
            frame = data.frame()
            theirs, there = seconds(partial(with_lifelines, name, frame), 1)
        rows.append(
            {
                "law": name,
                "stays": n,
                "seconds": mine,
                "lifelines": theirs,
                "ratio": theirs / mine,
                "gained": here - there,
            }
        )
    return pd.DataFrame(rows)


def shapes(sizes: tuple[int, ...] = SHAPE_SIZES) -> pd.DataFrame:
    """Return a row a setting of the generalized gamma: converged, seconds, log-likelihood over its better member."""
    rows = []
    for n, standardised, late in itertools.product(sizes, (False, True), (False, True)):
        data = stays(n, standardised=standardised, late=late)
        spent, loglik = seconds(partial(_loglik, data, "gengamma"), 1)
        inner = max(data.fit(name).loglik for name in ("weibull", "lognormal"))
        rows.append(
            {
                "stays": n,
                "covariates": "standardised" if standardised else "raw",
                "entry": "late" if late else "none",
                "converged": data.fit("gengamma").converged,
                "seconds": spent,
                "over_members": loglik - inner,
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--peer-largest", type=int, default=1_000_000)
    asked = parser.parse_args()
    print(measure(tuple(asked.sizes), asked.peer_largest).to_string(index=False, float_format=lambda x: f"{x:.4g}"))
    small = tuple(n for n in SHAPE_SIZES if n in asked.sizes)
    print(shapes(small).to_string(index=False, float_format=lambda x: f"{x:.4g}"))


if __name__ == "__main__":
    main()
