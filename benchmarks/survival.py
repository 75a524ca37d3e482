"""Time curves and fits of recovery beside lifelines and statsmodels on the same file: `python -m benchmarks.survival`.

Writes docs/survival_benchmarks.md. Every row is measured in one run, ours and the peer's in turn, as the least CPU time
of a few runs on one thread. `--slow` also runs what takes the peers minutes.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import (
    AalenJohansenFitter,
    KaplanMeierFitter,
    LogLogisticAFTFitter,
    LogNormalAFTFitter,
    NelsonAalenFitter,
    WeibullAFTFitter,
)
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.recovery.curves.nonparametric import aalen_johansen, kaplan_meier, nelson_aalen
from msk_reserves.recovery.curves.occupation import state_occupation
from msk_reserves.recovery.laws.fit import fit_family

PAGE = Path(__file__).parents[1] / "docs" / "survival_benchmarks.md"
CURVE_SIZES = (1_000, 10_000, 100_000, 1_000_000)
FIT_SIZES = (1_000, 10_000, 100_000)
SLOW_SECONDS = 10.0
"""Peers that would take longer than this at a size, judged from the size before, are left to `--slow`."""

COVARIATES = 8
CAUSES = 3

Task = Callable[[], object]


@dataclass(frozen=True)
class Stays:
    """Simulated stays in whole days: 40 % heavy-tailed, three causes of exit, 15 % censored, 23 % entered late."""

    days: Floats
    exited: Booleans
    entry: Floats
    design: Floats
    cause: Integers


def stays(n: int) -> Stays:
    """Draw `n` stays and keep those that could be seen."""
    rng = np.random.default_rng(20260101)
    design = rng.standard_normal((n, COVARIATES))
    slower = np.exp(design @ rng.normal(0, 0.2, COVARIATES))
    weibull, lognormal = 120 * rng.weibull(0.9, n), np.exp(4 + 1.3 * rng.standard_normal(n))
    days = np.minimum(np.ceil(slower * np.where(rng.random(n) < 0.6, weibull, lognormal)), 3_640.0)
    exited = rng.random(n) < 0.85
    entry = np.where(rng.random(n) < 0.23, np.floor(rng.random(n) * 200), 0.0)
    seen = days > entry
    cause = np.where(exited, rng.integers(1, CAUSES + 1, n), 0)
    return Stays(days[seen], exited[seen], entry[seen], design[seen], cause[seen])


def seconds(task: Task, budget: float = 0.5, most: int = 200) -> float:
    """Return the least CPU seconds of as many runs as fit into the budget, three at least unless one exceeds it."""
    best, spent, runs = np.inf, 0.0, 0
    while runs < most and (spent < budget or (runs < 3 and best < budget)):
        begin = time.process_time()
        task()
        took = time.process_time() - begin
        best, spent, runs = min(best, took), spent + took, runs + 1
    return float(best)


def curve_tasks(n: int) -> Mapping[tuple[str, str], tuple[Task, Task]]:
    """Return each curve with a peer's way to it, by (task, peer)."""
    data = stays(n)
    days, exited, entry, cause = data.days, data.exited, data.entry, data.cause
    flags = exited.astype(np.int64)

    def jittered(**options: object) -> Task:
        return lambda: AalenJohansenFitter(seed=1, **options).fit(days, cause, 1, entry=entry)

    kaplan, kaplan_entry = lambda: kaplan_meier(days, exited), lambda: kaplan_meier(days, exited, entry=entry)
    incidence, late = lambda: aalen_johansen(days, cause), lambda: aalen_johansen(days, cause, entry=entry)
    return {
        ("Kaplan-Meier, delayed entry", "lifelines"): (
            kaplan_entry,
            lambda: KaplanMeierFitter().fit(days, exited, entry=entry),
        ),
        ("Kaplan-Meier, delayed entry", "statsmodels"): (kaplan_entry, lambda: SurvfuncRight(days, flags, entry=entry)),
        ("Kaplan-Meier", "lifelines"): (kaplan, lambda: KaplanMeierFitter().fit(days, exited)),
        ("Kaplan-Meier", "statsmodels"): (kaplan, lambda: SurvfuncRight(days, flags)),
        ("Nelson-Aalen, delayed entry", "lifelines"): (
            lambda: nelson_aalen(days, exited, entry=entry),
            lambda: NelsonAalenFitter(nelson_aalen_smoothing=False).fit(days, exited, entry=entry),
        ),
        ("Aalen-Johansen, 3 causes", "statsmodels"): (incidence, lambda: CumIncidenceRight(days, cause)),
        ("Aalen-Johansen, 3 causes, delayed entry", "lifelines, 1 cause, no error"): (
            late,
            jittered(calculate_variance=False),
        ),
        ("Aalen-Johansen, 3 causes, delayed entry", "lifelines, 1 cause"): (late, jittered()),
        ("Aalen-Johansen, 3 causes, delayed entry, jackknife error", "lifelines, 1 cause"): (
            lambda: aalen_johansen(days, cause, entry=entry, variance="infinitesimal_jackknife"),
            jittered(),
        ),
    }


def occupation_tasks(n: int) -> Mapping[tuple[str, str], tuple[Task, None]]:
    """Return state occupation of claims that go back to work and off again, which no peer in Python estimates."""
    rng = np.random.default_rng(1)
    lengths = np.ceil(rng.exponential([60.0, 300.0, 60.0], (n, 3)))
    end = np.ceil(rng.uniform(30, 1_000, n))[:, None]
    stop = np.cumsum(lengths, axis=1)
    start = stop - lengths
    claim, place = np.nonzero(start < end)
    names = np.array(["off", "back", "off again", "back again", ""])
    target = names[np.where(stop <= end, [1, 2, 3], 4)][claim, place]
    columns = (claim, start[claim, place], np.minimum(stop, end)[claim, place], names[place], target)
    return {
        ("State occupation with relapse, jackknife error", "none"): (lambda: state_occupation(*columns), None),
        ("State occupation with relapse, delta error", "none"): (
            lambda: state_occupation(*columns, variance="delta"),
            None,
        ),
    }


def fit_tasks(n: int) -> Mapping[tuple[str, str], tuple[Task, Task | None]]:
    """Return each fit with eight covariates and delayed entry with a peer's way to it, None where there is none."""
    data = stays(n)
    frame = pd.DataFrame(data.design, columns=[f"x{i}" for i in range(COVARIATES)])
    frame = frame.assign(days=data.days, exited=data.exited, entry=data.entry)

    def ours(name: str) -> Task:
        return lambda: fit_family(name, data.days, data.exited, entry=data.entry, design=data.design)

    def theirs(fitter: type) -> Task:
        return lambda: fitter().fit(frame, "days", "exited", entry_col="entry")

    return {
        ("Weibull", "lifelines"): (ours("weibull"), theirs(WeibullAFTFitter)),
        ("lognormal", "lifelines"): (ours("lognormal"), theirs(LogNormalAFTFitter)),
        ("log-logistic", "lifelines"): (ours("loglogistic"), theirs(LogLogisticAFTFitter)),
        ("generalized gamma", "none"): (ours("gengamma"), None),
        ("piecewise", "none"): (ours("piecewise"), None),
    }


def measure(
    tasks: Callable[[int], Mapping[tuple[str, str], tuple[Task, Task | None]]], sizes: tuple[int, ...], *, slow: bool
) -> pd.DataFrame:
    """Return a row a task, peer and size: our seconds and the peer's, NaN where there is none or it was too slow."""
    rows: list[dict[str, object]] = []
    before: dict[tuple[str, str], float] = {}
    for n in sizes:
        for (task, peer), (own, other) in tasks(n).items():
            mine = seconds(own)
            theirs = float("nan")
            if other is not None and (slow or before.get((task, peer), 0.0) * 10 <= SLOW_SECONDS):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    theirs = seconds(other, budget=0.2, most=20)
            before[task, peer] = np.inf if np.isnan(theirs) else theirs
            rows.append({"task": task, "peer": peer, "stays": n, "seconds": mine, "peer_seconds": theirs})
    return pd.DataFrame(rows)


def in_words(value: float) -> str:
    """Return seconds with three digits and a unit."""
    if not value < np.inf:
        return "-"
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"


def table(measured: pd.DataFrame) -> list[str]:
    """Return the lines of a table: a row a task and peer, by size ours / peer's (ratio), and how both grow at last."""
    sizes = sorted(set(measured["stays"]))
    heads = ["task", "peer", *(f"{n:,} stays" for n in sizes), "growth for ten times the stays"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for (task, peer), group in measured.groupby(["task", "peer"], sort=False):
        own, other = group["seconds"].to_numpy(), group["peer_seconds"].to_numpy()
        cells = [
            f"{in_words(a)}" + (f" / {in_words(b)} ({b / a:.3g}x)" if np.isfinite(b) else "")
            for a, b in zip(own, other, strict=True)
        ]
        growth = f"{own[-1] / own[-2]:.3g}x" + (
            f" / {other[-1] / other[-2]:.3g}x" if np.isfinite(other[-2:]).all() else ""
        )
        lines.append("| " + " | ".join([str(task), str(peer), *cells, growth]) + " |")
    return lines


def page(*, slow: bool) -> str:
    """Measure everything and return the page."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    lines = [
        "# Time of curves and fits",
        "",
        f"Written by `python -m benchmarks.survival{' --slow' if slow else ''}` on {datetime.now(UTC).date()}, commit",
        f"{commit.strip()}, {platform.machine()} with {os.cpu_count()} cores, Python {platform.python_version()},",
        f"numpy {np.__version__}. Least CPU time of a few runs, ours / the peer's (the peer's over ours), on the same",
        "stays in whole days: three causes, 15 % censored, 23 % entered late. Curves come with standard errors. A peer",
        "that would take more than ten seconds at a size is left out unless asked for.",
        "",
        "## Curves",
        "",
        *table(measure(curve_tasks, CURVE_SIZES, slow=slow)),
        "",
        "lifelines moves tied days apart at random before it estimates Aalen-Johansen; here nothing is moved.",
        "",
        "## State occupation, claims with up to three stays each",
        "",
        *table(measure(occupation_tasks, FIT_SIZES, slow=slow)),
        "",
        "## Fits with eight covariates and delayed entry",
        "",
        *table(measure(fit_tasks, FIT_SIZES, slow=slow)),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slow", action="store_true", help="also what takes the peers minutes")
    PAGE.write_text(page(slow=parser.parse_args().slow), encoding="utf-8")


if __name__ == "__main__":
    # One thread: the comparison is of work, not of cores.
    if os.environ.get("OMP_NUM_THREADS") != "1":
        os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        raise SystemExit(
            subprocess.run([sys.executable, "-m", "benchmarks.survival", *sys.argv[1:]], check=False).returncode
        )
    main()
