"""Do the answers for open claims hold what they say? Fresh claims of a known world, predicted and then followed.

`python -m benchmarks.prognosis_truth --books 100` fits that many simulated books, predicts the days off of claims that
are 2, 13, 26 and 52 weeks into their first stay and the numbers in each state, places what happened in the predictions,
and writes the result with date, machine and commit to docs/prognosis.md.
"""

import argparse
import os
import platform
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.recovery.path.selection import CANDIDATES
from tests.worlds.prognosis import AT, COUNTED, HORIZON, Judged, judge_book

AGES = (14.0, 91.0, 182.0, 364.0)
N_FITTED, N_CLAIMS, DRAWS, PATHS = 1_500, 40, 50, 20


def days_table(books: Sequence[Sequence[Judged]]) -> list[str]:
    """Return the table of days off, a row an age and kind."""
    lines = [
        "| weeks off | days off | claims | mean place | in its errors | 90 % interval held | predicted / actual |",
        "|---|---|---|---|---|---|---|",
    ]
    for age, judged in zip(AGES, zip(*books, strict=True), strict=True):
        for name, kind in (("present spell", "spell"), ("all spells", "all_spells")):
            places = [getattr(one, kind) for one in judged if len(getattr(one, kind))]
            mean, error = clustered(np.array([one.mean() for one in places]))
            every = np.concatenate(places)
            held = ((every > 0.05) & (every < 0.95)).mean()
            actual = np.array([one.actual for one in judged])
            ratio = f"{1 + np.mean([one.bias for one in judged]) / actual.mean():.3f}" if kind == "all_spells" else ""
            row = f"{age / 7:.0f} | {name} | {len(every):,} | {mean:.3f} | {(mean - 0.5) / error:+.1f}"
            lines.append(f"| {row} | {held:.1%} | {ratio} |")
    return lines


def counts_table(books: Sequence[Sequence[Judged]]) -> list[str]:
    """Return the table of numbers in each state, a row an age and day ahead."""
    lines = [
        f"| weeks off so far | weeks ahead | {' | '.join(COUNTED)} |",
        f"|---|---|{'---|' * len(COUNTED)}",
    ]
    for age, judged in zip(AGES, zip(*books, strict=True), strict=True):
        for place, day in enumerate(AT):
            cells = []
            for column in range(len(COUNTED)):
                at = np.array([one.counts[place, column] for one in judged])
                mean, error = clustered(at)
                cells.append(f"{mean:.3f} ({(mean - 0.5) / error:+.1f}), {((at > 0.05) & (at < 0.95)).mean():.0%}")
            lines.append(f"| {age / 7:.0f} | {day / 7:.0f} | {' | '.join(cells)} |")
    return lines


def clustered(values: Floats) -> tuple[float, float]:
    """Return the mean over books and its standard error."""
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))


def main() -> None:
    """Run the study and write its result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--books", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("docs/prognosis.md"))
    given = parser.parse_args()
    started = time.time()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    judge = partial(
        judge_book, ages=AGES, n_fitted=N_FITTED, n_claims=N_CLAIMS, draws=DRAWS, paths=PATHS, candidates=CANDIDATES
    )
    with ProcessPoolExecutor(given.processes) as pool:
        books = list(pool.map(judge, range(given.first_seed, given.first_seed + given.books)))
    text = [
        "# Answers for open claims against what happened",
        "",
        f"Written by `python -m benchmarks.prognosis_truth --books {given.books}` on {datetime.now(UTC).date()},",
        f"commit {commit.strip()}, {platform.machine()} with {os.cpu_count()} cores,",
        f"Python {platform.python_version()}, {time.time() - started:,.0f} seconds.",
        "",
        f"Each of {given.books} books of {N_FITTED:,} claims is fitted with the default laws. Fresh claims of the",
        f"same world, up to {N_CLAIMS} of each age and book, are predicted from {DRAWS} parameter draws with {PATHS}",
        f"futures each and then followed for {HORIZON:,.0f} days. The place of an outcome in its prediction is uniform",
        "if the prediction is right: its mean is a half. Outcomes equal to many predicted ones (nobody in a state, off",
        "work to the end) are placed at random among them. A book is one cluster: its claims share the parameters.",
        "",
        "## Days off of one claim",
        "",
        *days_table(books),
        "",
        "## Number of the claims of one age and book in each state",
        "",
        "Mean place (in its errors), and how often the 90 % interval held.",
        "",
        *counts_table(books),
        "",
    ]
    given.out.write_text("\n".join(text), encoding="utf-8")
    print("\n".join(text))


if __name__ == "__main__":
    main()
