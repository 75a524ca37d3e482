"""The full path with defaults on books of the sample generator: `python -m benchmarks.path`.

Writes docs/path_benchmarks.md: seconds of one `fit_recovery` a size, one move at a time and side by side on all cores.
"""

import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

import msk_reserves as msk

PAGE = Path(__file__).parents[1] / "docs" / "path_benchmarks.md"
SIZES = (10_000, 30_000, 100_000)
VALUATION = pd.Timestamp("2025-06-30")


def book_of(n_claims: int) -> msk.ClaimBook:
    """Return a generated book as of the valuation date."""
    tables = msk.generate_world(n_claims, seed=7).cut(VALUATION)
    return msk.load_tables(tables["claims"], events=tables["events"], payments=tables["payments"]).as_of(VALUATION)


def row(n_claims: int) -> str:
    """Fit one book and return its line of the table."""
    book, spent = book_of(n_claims), list[str]()
    for threads in (1, os.cpu_count() or 1):
        wall, processor = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(threads) as executor:
            recovery = msk.fit_recovery(book, executor=executor)
        spent += [f"{time.perf_counter() - wall:.1f}", f"{time.process_time() - processor:.1f}"]
    fitted = [one for one in recovery.fitted if not one.shared]
    laws = sum(len(one.candidates) for one in fitted)
    sizes = (f"{size:,}" for size in (n_claims, len(book.spells), len(fitted), laws))
    return "| " + " | ".join((*sizes, *spent)) + " |"


def page() -> str:
    """Measure every size and return the page."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    msk.fit_recovery(book_of(1_000))
    lines = [
        "# Time of the full path",
        "",
        f"Written by `python -m benchmarks.path` on {datetime.now(UTC).date()}, commit {commit.strip()},",
        f"{platform.machine()} with {os.cpu_count()} cores, Python {platform.python_version()},",
        f"numpy {np.__version__}.",
        "`fit_recovery(book)` with defaults on books of the sample generator, moves one at a time",
        "(`ThreadPoolExecutor(1)`) and side by side on all cores, as by default; one run each.",
        "",
        "| claims | stays | moves | laws tried | one at a time, s | of processor | side by side, s | of processor |",
        "|---|---|---|---|---|---|---|---|",
        *(row(n) for n in SIZES),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    # One thread of BLAS: it would share what little it does between cores that have moves of their own to fit.
    if os.environ.get("OMP_NUM_THREADS") != "1":
        os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        raise SystemExit(subprocess.run([sys.executable, "-m", "benchmarks.path"], check=False).returncode)
    PAGE.write_text(page(), encoding="utf-8")
