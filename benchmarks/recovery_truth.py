"""Does the fitted path find a known one? Simulated worlds with relapse, late entry, a covariate and attorneys.

`python -m benchmarks.recovery_truth --repetitions 400 --processes 2` fits that many simulated files and counts how
often the 95 % interval of each effect holds the truth, and how far probabilities and mean days of open claims lie from
it on average. The result goes to docs/recovery_truth.md with date, machine and commit.
"""

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from msk_reserves._checks import Floats
from msk_reserves.claims.states import STANDARD_STATES
from msk_reserves.recovery.answers.prognosis import state_probabilities
from msk_reserves.recovery.answers.remaining import remaining_days
from msk_reserves.recovery.path.model import Recovery, fit_path
from msk_reserves.recovery.path.selection import CANDIDATES
from tests.worlds.attorneys import REPRESENTED, AttorneyWorld, future_stays, stays_seen

N_CLAIMS = 1_500
HORIZON = 728.0
AHEAD = (91.0, 182.0, 364.0)
DRAWS = 100
LEVEL = 0.9
FALSE_ALARM = 0.001
"""Chance that a right library is told wrong by a whole table."""

MATERIAL = {"probability": 0.005, "mean": 0.01}
"""Biases that no reserve would feel: half a point of a probability, a hundredth of a mean."""

LEAST = 0.01
"""States less probable than this are left out."""

LAWS = {"the law known": ("weibull",), "laws by default": CANDIDATES}
"""Laws tried; the first is that of the world, kept even where a check of its tail would refuse it."""

AGES = (14.0, 91.0, 182.0, 364.0)
OPEN = (
    *((state, age, 0.0) for state in ("off_work", "off_work" + REPRESENTED) for age in AGES),
    ("relapse", 91.0, 0.0),
    ("back_at_work", 182.0, 0.0),
)
"""Open claims asked about: state, days in it, covariate."""

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """An estimate with its limits."""

    estimate: float
    low: float
    high: float


def effects_found(recovery: Recovery, world: AttorneyWorld) -> dict[Key, Answer]:
    """Return the effect of the covariate and of an attorney on ln days to each move, with limits at 95 %."""
    matrix = recovery.design.matrix(pd.DataFrame({"x": [0.0, 1.0]}))
    unit = {"x": float(matrix[1, 0] - matrix[0, 0]), "represented": 1.0}
    found: dict[Key, Answer] = {}
    for origin, target, name in effects_true(world):
        move = recovery.transitions.get((str(origin), str(target)))
        fit = None if move is None else move.candidates[0].fit
        if fit is None or name not in fit.names:
            continue
        place, by = fit.names.index(str(name)), unit[str(name)]
        middle, error = float(fit.theta[place]) * by, float(fit.standard_error[place]) * by
        found[origin, target, name] = Answer(middle, middle - 1.959964 * error, middle + 1.959964 * error)
    return found


def effects_true(world: AttorneyWorld) -> dict[Key, float]:
    """Return the true effects."""
    truth: dict[Key, float] = {}
    for (origin, target), move in world.moves.items():
        truth[origin, target, "x"], truth[origin, target, "represented"] = move.x, move.represented
    for state, move in world.onsets.items():
        truth[state, state + REPRESENTED, "x"] = move.x
    return truth


def answers_found(recovery: Recovery, seed: int) -> dict[Key, Answer]:
    """Return what the fitted path says of the open claims: probabilities of states and mean days off, with limits."""
    who = pd.DataFrame(list(OPEN), columns=["state", "days_in_state", "x"])
    who["days_since_start"] = who["days_in_state"] + np.where(who["state"].str.startswith("off_work"), 0.0, 182.0)
    drawn = recovery.draw(DRAWS, seed)
    later = state_probabilities(recovery, who, AHEAD, level=LEVEL, draws=drawn)
    found: dict[Key, Answer] = {}
    limits = np.stack([later.probability, later.confidence_low, later.confidence_high])
    for claim, one in enumerate(OPEN):
        for day, ahead in enumerate(AHEAD):
            for code, state in enumerate(later.states):
                found["probability", one, ahead, state] = Answer(*map(float, limits[:, claim, day, code]))
    off = [one for one in OPEN if one[0] in STANDARD_STATES.off_work]
    rest = remaining_days(recovery, who, horizon_days=HORIZON, level=LEVEL, draws=drawn, paths=4)
    for name in ("days_remaining_mean", "days_off_all_spells_mean"):
        row = rest.answers.index(name)
        columns = (rest.estimate[row], rest.confidence_low[row], rest.confidence_high[row])
        for one, *values in zip(off, *columns, strict=True):
            found["mean", one, HORIZON, name] = Answer(*map(float, values))
    return found


def repetition(seed: int, *, n_claims: int) -> tuple[dict[Key, Answer], dict[str, dict[Key, Answer]]]:
    """Simulate a file, fit it as a user would, and return effects and answers by the laws tried."""
    world = AttorneyWorld()
    stays = stays_seen(world, n_claims, seed)
    # One thread: the processes have a core each.
    with ThreadPoolExecutor(1) as executor:
        fitted = {
            name: fit_path(stays, covariates=["x"], candidates=laws, executor=executor) for name, laws in LAWS.items()
        }
    known = fitted["the law known"]
    alone = tuple(replace(move, candidates=(replace(move.candidates[0], weight=1.0),)) for move in known.fitted)
    fitted["the law known"] = replace(known, fitted=alone)
    return effects_found(known, world), {name: answers_found(one, seed) for name, one in fitted.items()}


def answers_true(one: tuple[str, float, float], *, paths: int) -> dict[Key, tuple[float, float]]:
    """Return the truth of one open claim by simulation of the world, with the simulation's error."""
    stays = future_stays(AttorneyWorld(), one, paths, HORIZON, seed=1)
    truth: dict[Key, tuple[float, float]] = {}
    for ahead in AHEAD:
        there = stays[(stays["start"] <= ahead) & (stays["stop"] > ahead)]
        for state, share in (there["state"].value_counts() / paths).items():
            truth["probability", one, ahead, state] = (float(share), float(np.sqrt(share * (1 - share) / paths)))
    if one[0] not in STANDARD_STATES.off_work:
        return truth
    off = stays["state"].isin(STANDARD_STATES.off_work)
    days = (stays["stop"] - stays["start"]).where(off, 0.0)
    # The present spell ends with the first stay that is not off work.
    first = off.groupby(stays["claim"]).cumprod().astype(bool)
    for name, counted in (("days_off_all_spells_mean", days), ("days_remaining_mean", days.where(first, 0.0))):
        total = counted.groupby(stays["claim"]).sum().to_numpy()
        truth["mean", one, HORIZON, name] = (float(total.mean()), float(total.std() / np.sqrt(paths)))
    return truth


def region(n: int, level: float, tests: int) -> tuple[int, int]:
    """Return the least and most times that a right interval may hold the truth, so many being tested together."""
    tail = FALSE_ALARM / tests / 2
    low, high = stats.binom.ppf([tail, 1 - tail], n, level)
    return int(low), int(high)


def effects_table(found: Sequence[Mapping[Key, Answer]], truth: Mapping[Key, float]) -> list[str]:
    """Return the table of effects as Markdown, and what it says."""
    n = len(found)
    low, high = region(n, 0.95, len(truth))
    lines = [
        "| move | effect of | truth | mean estimate | bias in errors | 95 % interval held |",
        "|---|---|---|---|---|---|",
    ]
    outside = 0
    for key, value in truth.items():
        mine = [one[key] for one in found if key in one]
        estimates = np.array([one.estimate for one in mine])
        held = sum(one.low <= value <= one.high for one in mine)
        error = float(estimates.std(ddof=1) / np.sqrt(len(mine)))
        outside += not region(len(mine), 0.95, len(truth))[0] <= held <= region(len(mine), 0.95, len(truth))[1]
        lines.append(
            f"| {key[0]} to {key[1]} | {key[2]} | {value:+.2f} | {estimates.mean():+.3f} | "
            f"{(estimates.mean() - value) / error:+.1f} | {held} of {len(mine)} |"
        )
    single = region(n, 0.95, 1)
    told = (
        f"Of {n} right 95 % intervals {single[0]} to {single[1]} hold the truth with probability 99.9 %, and all of "
        f"{len(truth)} effects lie between {low} and {high} with that probability. Outside of that: {outside}."
    )
    return [told, "", *lines]


def answers_table(
    found: Sequence[Mapping[Key, Answer]], truth: Mapping[Key, tuple[float, float]], kind: str
) -> list[str]:
    """Return what the answers of one kind say as Markdown: bias of each group, coverage, and what lies outside."""
    keys = [key for key, (value, _) in truth.items() if key[0] == kind and value >= LEAST]
    rows = [_judged(found, key, truth[key]) for key in keys]
    table = pd.DataFrame(rows).assign(
        claim=[_claim_words(key) for key in keys], answer=[f"{key[3]} in {key[2]:g} days" for key in keys]
    )
    low, high = region(len(found), LEVEL, len(keys))
    worst = float(stats.norm.isf(FALSE_ALARM / len(keys) / 2))
    relative = table["truth"] if kind == "mean" else 1.0
    biased = (table["score"].abs() > worst) & ((table["bias"] / relative).abs() > MATERIAL[kind])
    missed = (table["held"] < low) | (table["held"] > high)
    share = table["held"] / len(found)
    told = (
        f"{len(keys)} answers. Bias: largest {table['bias'].abs().max():.4f}, "
        f"root mean square {np.sqrt((table['bias'] ** 2).mean()):.4f}; larger than {worst:.1f} errors and than "
        f"{MATERIAL[kind]:g}{' of the mean' if kind == 'mean' else ''}: {int(biased.sum())}. {LEVEL:.0%} confidence "
        f"intervals held the truth {share.mean():.1%} of the time, the worst {share.min():.1%}; right ones would all "
        f"hold it {low} to {high} times of {len(found)} with probability 99.9 %, outside: {int(missed.sum())}."
    )
    shown = table[biased | missed] if len(keys) > 40 else table
    lines = ["| claim | answer | truth | mean estimate | bias in errors | interval held |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {row.claim} | {row.answer} | {row.truth:.4g} | {row.truth + row.bias:.4g} | {row.score:+.1f} | {row.held} |"
        for row in shown.itertuples()
    ]
    return [told, "", *(lines if len(shown) else [])]


def _judged(found: Sequence[Mapping[Key, Answer]], key: Key, truth: tuple[float, float]) -> dict[str, float]:
    """Return bias, its size in errors and how often the interval held, of one answer."""
    mine = [one.get(key, Answer(0.0, 0.0, 0.0)) for one in found]
    estimates: Floats = np.array([one.estimate for one in mine])
    error = float(np.hypot(estimates.std(ddof=1) / np.sqrt(len(mine)), truth[1]))
    bias = float(estimates.mean() - truth[0])
    held = sum(one.low <= truth[0] <= one.high for one in mine)
    return {"truth": truth[0], "bias": bias, "score": bias / error, "held": held}


def _claim_words(key: Key) -> str:
    """Return an open claim in words."""
    state, age, _ = key[1] if isinstance(key[1], tuple) else ("", 0.0, 0.0)
    return f"{state}, day {age:g}"


def main() -> None:
    """Run the study and write its result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=400)
    parser.add_argument("--claims", type=int, default=N_CLAIMS)
    parser.add_argument("--truth-paths", type=int, default=500_000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs/recovery_truth.md"))
    given = parser.parse_args()
    # The study takes long enough for the repository to move on under it.
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True).stdout
    started = time.time()
    seeds = range(given.first_seed, given.first_seed + given.repetitions)
    with ProcessPoolExecutor(given.processes) as pool:
        parts = pool.map(partial(answers_true, paths=given.truth_paths), OPEN)
        truth = {key: value for part in parts for key, value in part.items()}
        done = list(pool.map(partial(repetition, n_claims=given.claims), seeds, chunksize=2))
    sections = ["## Effects", "", *effects_table([effects for effects, _ in done], effects_true(AttorneyWorld())), ""]
    for name in LAWS:
        answers = [by_laws[name] for _, by_laws in done]
        for kind, title in (("probability", "Probabilities of states"), ("mean", "Mean days off")):
            sections += [f"## {title} of open claims, {name}", "", *answers_table(answers, truth, kind), ""]
    head = [
        "# The path against a known truth",
        "",
        f"Written by `python -m benchmarks.recovery_truth --repetitions {given.repetitions}` on",
        f"{datetime.now(UTC).date()}, commit {commit.strip()}, {platform.machine()} with {os.cpu_count()} cores,",
        f"Python {platform.python_version()}, {time.time() - started:,.0f} seconds. The method is in",
        "[methods.md](methods.md), section 2.",
        "",
        f"Each repetition simulates {given.claims:,} claims with Weibull laws, relapse, a covariate, three in ten",
        "coming into the file late, and attorneys retained on the way, and fits them as a user would. The truth of",
        f"open claims is the world's own, from {given.truth_paths:,} paths. Days off count {HORIZON:g} days ahead.",
        "",
    ]
    given.out.write_text("\n".join([*head, *sections]), encoding="utf-8")
    print("\n".join(sections))


if __name__ == "__main__":
    # One thread of BLAS likewise.
    if os.environ.get("OMP_NUM_THREADS") != "1":
        os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        again = [sys.executable, "-m", "benchmarks.recovery_truth", *sys.argv[1:]]
        raise SystemExit(subprocess.run(again, check=False).returncode)
    main()
