"""Do bands hold what they say? Simulated portfolios whose future is known, forecast as a user would.

`python -m benchmarks.coverage --portfolios 400` values that many portfolios of each world, counts how often the 90 %
band of the total held what came, and writes the result with date, machine and commit to docs/coverage.md.
"""

import argparse
import os
import platform
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

import msk_reserves as msk
from msk_reserves.claims.vocabulary import COMPONENTS
from tests.worlds.simple import VALUATION, simple_world

PARTS = (*COMPONENTS, "total")
SCENARIOS = 2_000
N_CLAIMS = 2_000
HORIZON_DAYS = 3640


@dataclass(frozen=True, slots=True)
class Outcome:
    """One portfolio: what came, and where it fell in the forecast, by part."""

    actual: dict[str, float]
    mean: dict[str, float]
    transform: dict[str, float]


def judge(
    book: msk.ClaimBook, unpaid: dict[str, float], risk: msk.SystemicRisk, seed: int, trends: msk.Trends
) -> Outcome:
    """Fit, forecast and place the truth in the forecast."""
    recovery = msk.fit_recovery(book)
    cost = msk.fit_cost(book, recovery, trends=trends)
    result = msk.forecast(
        book, recovery, cost, scenarios=SCENARIOS, seed=seed, systemic=risk, horizon_days=HORIZON_DAYS
    )
    reserve = result.reserves["fee for service"]
    actual = {**unpaid, "total": sum(unpaid.values())}
    return Outcome(
        actual=actual,
        mean={part: reserve.mean(part) for part in PARTS},
        transform={part: float((reserve.scenarios(part) < actual[part]).mean()) for part in PARTS},
    )


def from_simple(seed: int, *, n_claims: int) -> Outcome:
    """Judge one portfolio of the second generator; its own systemic risk is stated to the model."""
    world = simple_world(n_claims, seed, systemic_cv=0.05, horizon_days=HORIZON_DAYS)
    book = msk.load_tables(world.claims, events=world.events, payments=world.payments).as_of(VALUATION)
    risk = msk.SystemicRisk(medical=0.05, indemnity=0.05, expense=0.05, correlation=0.0, source="the world's own")
    return judge(book, world.unpaid, risk, seed, msk.Trends(medical=0.0, wage=0.0, source="the world's own"))


def from_sample(seed: int, *, n_claims: int) -> Outcome:
    """Judge one portfolio of the sample generator; its own systemic risk is stated to the model."""
    date = pd.Timestamp("2025-06-30")
    world = msk.generate_world(n_claims, seed=seed)
    tables = world.cut(date)
    book = msk.load_tables(tables["claims"], events=tables["events"], payments=tables["payments"]).as_of(date)
    unpaid = world.unpaid(date, HORIZON_DAYS)
    cv = {name: world.systemic_cv(date, name) for name in COMPONENTS}
    risk = msk.SystemicRisk(**cv, correlation=0.0, source="the world's own")
    return judge(book, {name: float(unpaid[name].sum()) for name in COMPONENTS}, risk, seed, msk.Trends())


WORLDS: dict[str, Callable[..., Outcome]] = {"sample generator": from_sample, "second generator": from_simple}


def report(name: str, outcomes: list[Outcome], n_claims: int) -> str:
    """Return the result of one world as Markdown."""
    n = len(outcomes)
    low, high = stats.binom.ppf([0.0005, 0.9995], n, 0.9)
    lines = [
        f"## {name.capitalize()}: {n} portfolios of about {n_claims:,} claims",
        "",
        f"Of {n} portfolios a right 90 % band holds between {low:.0f} and {high:.0f} with probability 99.9 %.",
        "",
        "| part | 90 % band held | 50 % band held | actual, $1,000 | forecast, $1,000 | bias | in standard errors |",
        "|---|---|---|---|---|---|---|",
    ]
    for part in PARTS:
        u = np.array([one.transform[part] for one in outcomes])
        actual = np.array([one.actual[part] for one in outcomes])
        mean = np.array([one.mean[part] for one in outcomes])
        error = (mean - actual).mean() / ((mean - actual).std(ddof=1) / np.sqrt(n))
        held = [int(((u >= tail) & (u <= 1 - tail)).sum()) for tail in (0.05, 0.25)]
        lines.append(
            f"| {part} | {held[0]} | {held[1]} | {actual.mean() / 1e3:,.0f} | {mean.mean() / 1e3:,.0f} "
            f"| {mean.mean() / actual.mean() - 1:+.1%} | {error:+.1f} |"
        )
    lines += ["", "How many actual amounts fell into each tenth of their forecast:", ""]
    for part in PARTS:
        deciles = np.histogram([one.transform[part] for one in outcomes], bins=10, range=(0, 1))[0]
        lines.append(f"- {part}: {', '.join(map(str, deciles))}")
    lines.append("")
    return "\n".join(lines)


def main() -> None:
    """Run the study and write its result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portfolios", type=int, default=400)
    parser.add_argument("--claims", type=int, default=N_CLAIMS)
    parser.add_argument("--world", choices=WORLDS, action="append")
    parser.add_argument("--first-seed", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=Path("docs/coverage.md"))
    given = parser.parse_args()
    asked = f"--portfolios {given.portfolios}" + "".join(f' --world "{name}"' for name in given.world or ())
    started = time.time()
    seeds = range(given.first_seed, given.first_seed + given.portfolios)
    sections = []
    with ProcessPoolExecutor(given.processes) as pool:
        for name in given.world or WORLDS:
            outcomes = list(pool.map(partial(WORLDS[name], n_claims=given.claims), seeds, chunksize=2))
            sections.append(report(name, outcomes, given.claims))
            print(sections[-1], flush=True)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    head = [
        "# Coverage of the bands",
        "",
        f"Written by `python -m benchmarks.coverage {asked}` on {datetime.now(UTC).date()},",
        f"commit {commit.strip()}, {platform.machine()} with {os.cpu_count()} cores,",
        f"Python {platform.python_version()}, {SCENARIOS:,} scenarios each, {time.time() - started:,.0f} seconds.",
        "",
        "Each portfolio is generated, cut at its date, fitted and forecast as a user would; what came then is",
        "placed in the forecast. The world's own systemic risk and trend are stated to the model. Nothing was tuned",
        "to the second generator.",
        "",
    ]
    given.out.write_text("\n".join([*head, *sections]), encoding="utf-8")


if __name__ == "__main__":
    main()
