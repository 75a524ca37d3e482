"""Applying contracts against the simulation that feeds them: `python -m benchmarks.contracts`.

Writes docs/contract_benchmarks.md: seconds for 10^7 futures of claims taken over, and memory of what is kept of pools.
"""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

import msk_reserves as msk
from msk_reserves.contracts.agreements.futures import added_sums
from msk_reserves.contracts.terms import Sums
from msk_reserves.episodes.engine import FUTURES_A_BLOCK
from msk_reserves.episodes.plan import Plan, make_plan
from msk_reserves.episodes.simulate import simulate_block

PAGE = Path(__file__).parents[1] / "docs" / "contract_benchmarks.md"
DATE = "2025-06-30"
SCENARIOS = 10_000
CLAIMS = 1_000
TURNS = 3


def columns_of(claims: pd.DataFrame, hospitals: int) -> pd.DataFrame:
    """Return everything the terms of the presets read, made up for each claim."""
    rng, size = np.random.default_rng(3), len(claims)
    means = {
        f"{level}_{year}": rng.uniform(9e3, 1.2e4, size) for level in ("regional", "national") for year in (1, 2, 3)
    }
    return claims[["claim_id"]].assign(
        pool=[f"hospital {place}" for place in rng.integers(0, hospitals, size)],
        category=rng.choice(["LEJR", "SHFFT", "fusion", "CABG", "bowel"], size),
        **means,
        prospective_trend=1.04,
        realised_trend=1.02,
        risk_multiplier=rng.uniform(0.8, 1.3, size),
        prospective_normalization=0.97,
        final_normalization=0.95,
        outlier_cap=60_000.0,
        baseline_episodes=40,
        quality_score=60.0,
        others_score=60.0,
        post_cost=rng.uniform(0.0, 2e3, size),
        post_limit=1.5e3,
    )


def contracts_of(columns: Mapping[int, pd.DataFrame]) -> dict[str, msk.Contract]:
    """Return the contracts that are timed; all count all medical until return or MMI."""
    team, withheld = msk.read_agreement("team-track-3"), msk.read_agreement("prometheus")
    return {
        "fixed price, stop-loss, refund": msk.FixedPriceBundle(
            12_000, stop_loss=msk.StopLoss(45_000), refund=msk.Refund(0.2, 182)
        ),
        "TEAM, track 3, one hospital": msk.AgreementOnClaims(team, episodes=columns[1]),
        "TEAM, track 3, ten hospitals": msk.AgreementOnClaims(team, episodes=columns[10]),
        "PROMETHEUS, each episode apart": msk.AgreementOnClaims(withheld, episodes=columns[1]),
    }


def plan_of() -> tuple[Plan, dict[str, msk.Contract]]:
    """Return the forecast of the shipped sample, and the contracts."""
    book = msk.load_sample("portfolio").as_of(DATE)
    recovery = msk.fit_recovery(book)
    cost = msk.fit_cost(book, recovery)
    contracts = contracts_of({hospitals: columns_of(book.claims, hospitals) for hospitals in (1, 10)})
    scopes = tuple(dict.fromkeys(scope for one in contracts.values() for scope in one.scopes()))
    plan = make_plan(book, recovery, cost, scopes=scopes, scenarios=SCENARIOS, seed=7, systemic=msk.SystemicRisk())
    return plan, contracts


def timed(plan: Plan, contracts: Mapping[str, msk.Contract]) -> tuple[dict[str, float], dict[str, Sums]]:
    """Return the processor's seconds for simulation and every contract over all blocks, and what is kept of each."""
    taken = np.resize(np.flatnonzero(plan.takeover.eligible), CLAIMS)
    spent = dict.fromkeys(("simulation", *contracts), 0.0)
    kept: dict[str, Sums] = {name: {} for name in contracts}
    size = FUTURES_A_BLOCK // plan.scenarios
    for start in range(0, len(taken), size):
        block = plan.of(taken[start : start + size])
        clock = time.process_time()
        episodes = simulate_block(block)
        spent["simulation"] += time.process_time() - clock
        for name, contract in contracts.items():
            clock = time.process_time()
            owed = contract.per_episode(episodes)
            kept[name] = added_sums((kept[name], owed.sums))
            spent[name] += time.process_time() - clock
    for name, contract in contracts.items():
        clock = time.process_time()
        if isinstance(contract, msk.AgreementOnClaims):
            contract.reconcile(kept[name], plan.scenarios)
        spent[name] += time.process_time() - clock
    return spent, kept


def page() -> str:
    """Measure and return the page."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    plan, contracts = plan_of()
    turns = [timed(plan, contracts) for _ in range(TURNS)]
    seconds = {name: [spent[name] for spent, _ in turns] for name in turns[0][0]}
    _, kept = turns[0]
    simulated = median(seconds["simulation"])
    lines = [
        "# Time and memory of contracts",
        "",
        f"Written by `python -m benchmarks.contracts` on {datetime.now(UTC).date()}, commit {commit.strip()},",
        f"{platform.machine()} with {os.cpu_count()} cores, Python {platform.python_version()},",
        (
            f"numpy {np.__version__}. {CLAIMS:,} claims of the sample `portfolio` that may be taken over "
            "(its own, repeated),"
        ),
        (
            f"{SCENARIOS:,} futures each, in blocks as a forecast makes them, on one core; medians of {TURNS} runs, "
            "the least"
        ),
        "and the most. Seconds are the processor's; those of a contract hold its terms in every block, sums added up,",
        "and the reconciliation in the end. What is kept is what is held between blocks: it grows with scenarios times",
        "pools, years and categories, not with claims.",
        "",
        "| step | seconds of processor | of the simulation | kept, MiB |",
        "|---|---|---|---|",
    ]
    for name, spent in seconds.items():
        between = f"{min(spent):.2f} to {max(spent):.2f}"
        size = sum(dollars.nbytes for dollars in kept[name].values()) / 2**20 if name in kept else 0.0
        held = f"{size:.1f}" if name in kept else ""
        lines.append(f"| {name} | {median(spent):.2f} ({between}) | {median(spent) / simulated:.1%} | {held} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    # One thread of BLAS and of the walk: a contract is compared with the simulation core by core.
    if os.environ.get("OMP_NUM_THREADS") != "1":
        os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        raise SystemExit(subprocess.run([sys.executable, "-m", "benchmarks.contracts"], check=False).returncode)
    text = page()
    print(text)
    PAGE.write_text(text, encoding="utf-8")
