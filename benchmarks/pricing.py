"""A sweep of prices on claims to come: `python -m benchmarks.pricing`.

Writes docs/pricing_benchmarks.md: seconds to simulate 1,000 new claims once and to read 2,000 bundles off them, and
what pricing one of these bundles by a forecast of its own takes.
"""

import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

import msk_reserves as msk

PAGE = Path(__file__).parents[1] / "docs" / "pricing_benchmarks.md"
CLAIMS, SCENARIOS = 1_000, 10_000
PRICES = np.linspace(5_000, 30_000, 200)
ATTACHMENTS = (25_000.0, 50_000.0, 75_000.0, 100_000.0)
SCOPES = {"all medical": msk.Scope.of(["medical"]), "but drugs": msk.Scope.of(["medical"], exclusions=["pharmacy"])}


def page() -> str:
    """Measure and return the page."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    book = msk.load_sample("portfolio").as_of("2025-06-30")
    recovery = msk.fit_recovery(book)
    cost = msk.fit_cost(book, recovery)
    claims = msk.new_claims(book, CLAIMS)
    # Compiles the inner loop, which happens once on a machine.
    msk.pricing_futures(claims, recovery, cost, SCOPES, draws=20, scenarios=80)
    steps: list[tuple[str, float, float]] = []
    wall, processor = time.perf_counter(), time.process_time()

    def noted(step: str) -> None:
        nonlocal wall, processor
        steps.append((step, time.perf_counter() - wall, time.process_time() - processor))
        wall, processor = time.perf_counter(), time.process_time()

    futures = msk.pricing_futures(claims, recovery, cost, SCOPES, attachments=ATTACHMENTS, scenarios=SCENARIOS)
    noted("simulate once, two scopes and five stop-losses (none among them)")
    swept = futures.sweep(list(PRICES))
    noted(f"read off {len(swept):,} bundles: 200 prices x 5 stop-losses x 2 scopes")
    bundle = msk.FixedPriceBundle(price=15_000, stop_loss=msk.StopLoss(attachment=50_000))
    contracts: dict[str, msk.Contract | msk.Agreement] = {"ffs": msk.FeeForService(), "bundle": bundle}
    msk.forecast(claims, recovery, cost, contracts, scenarios=SCENARIOS, ibnr=False)
    noted("one of them by a forecast of its own, with figures by claim")
    lines = [
        "# Time of a pricing sweep",
        "",
        f"Written by `python -m benchmarks.pricing` on {datetime.now(UTC).date()}, commit {commit.strip()},",
        f"{platform.machine()} with {os.cpu_count()} cores, Python {platform.python_version()},",
        f"numpy {np.__version__}.",
        f"{CLAIMS:,} new claims like those of the sample `portfolio`, {SCENARIOS:,} scenarios, one run;",
        f"load average of the machine {os.getloadavg()[0]:.1f}, so that seconds may be longer than on a free one,",
        "where two cores share the seconds of processor.",
        "",
        "| step | seconds | of processor |",
        "|---|---|---|",
        *(f"| {name} | {spent:.1f} | {used:.1f} |" for name, spent, used in steps),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
