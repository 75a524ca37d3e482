"""How long the main job takes and how much memory it needs: `make bench` writes docs/benchmarks.md.

Each row is a process of its own, so that peak memory is that row's. The inner loop is compiled before, on its first use
on a machine, and loaded from disk afterwards; that first use is a row of its own.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import msk_reserves as msk

SCENARIOS = (2_000, 10_000, 20_000)
DATE = "2025-06-30"
TURNS = 3


def first_use() -> dict[str, float]:
    """Forecast a few claims; on a machine's first use this compiles the inner loop."""
    book = msk.load_sample("shoulder").as_of("2020-06-30")
    recovery = msk.fit_recovery(book)
    cost = msk.fit_cost(book, recovery)
    started = time.perf_counter()
    msk.forecast(book, recovery, cost, scenarios=40, seed=1)
    return {"forecast": time.perf_counter() - started}


def main_job(scenarios: int) -> dict[str, float]:
    """Run the main job on the shipped sample and return seconds by step and peak memory in MiB."""
    steps = {}
    clock = time.perf_counter()

    def step(name: str) -> None:
        nonlocal clock
        now = time.perf_counter()
        steps[name], clock = now - clock, now

    book = msk.load_sample("portfolio").as_of(DATE)
    step("read")
    recovery = msk.fit_recovery(book)
    step("recovery")
    cost = msk.fit_cost(book, recovery)
    step("cost")
    contracts: dict[str, msk.Contract] = {"ffs": msk.FeeForService(), "bundle": msk.FixedPriceBundle(price=12_000)}
    msk.forecast(book, recovery, cost, contracts, scenarios=scenarios, seed=7)
    step("forecast")
    steps["memory"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    steps["claims"] = float(len(book))
    return steps


def in_own_process(*arguments: str) -> dict[str, float]:
    """Run one row in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.run", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    steps: dict[str, float] = json.loads(done.stdout)
    return steps


def page() -> str:
    """Measure every row and return the page."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    first = in_own_process("--row", "first")
    warm = in_own_process("--row", "first")
    # In turn, so that a machine that slows down does so for every row.
    turns = [{scenarios: in_own_process("--row", str(scenarios)) for scenarios in SCENARIOS} for _ in range(TURNS)]
    claims = turns[0][SCENARIOS[0]]["claims"]
    lines = [
        "# Time and memory of the main job",
        "",
        f"Written by `make bench` on {datetime.now(UTC).date()}, commit {commit.strip()}, {platform.machine()} with",
        f"{os.cpu_count()} cores, Python {platform.python_version()}. Sample `portfolio`, {claims:,.0f} claims,",
        f"two contracts; seconds of wall clock, medians of {TURNS} runs, and of forecasts the least and the most.",
        "",
        "| scenarios | read and check | fit recovery | fit cost | forecast | peak memory, MiB |",
        "|---|---|---|---|---|---|",
    ]
    for scenarios in SCENARIOS:
        row = {name: [turn[scenarios][name] for turn in turns] for name in turns[0][scenarios]}
        figures = " | ".join(f"{median(row[name]):.1f}" for name in ("read", "recovery", "cost", "forecast"))
        between = f"{min(row['forecast']):.1f} to {max(row['forecast']):.1f}"
        lines.append(f"| {scenarios:,} | {figures} ({between}) | {median(row['memory']):,.0f} |")
    lines += [
        "",
        f"A forecast of a few claims with 40 scenarios took {first['forecast']:.1f} s the first time, when the",
        f"inner loop may have had to be compiled, and {warm['forecast']:.1f} s the second.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Write the page, or run one of its rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row")
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks.md"))
    given = parser.parse_args()
    if given.row is not None:
        print(json.dumps(first_use() if given.row == "first" else main_job(int(given.row))))
        return
    text = page()
    print(text)
    given.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
