"""Predictions for open claims of a known world beside what then happened to them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE, STILL_IN_STATE
from msk_reserves.recovery.answers.grids import graded_grid
from msk_reserves.recovery.answers.paths import independent_uniforms, joined_uniforms, simulate_paths
from msk_reserves.recovery.answers.standing import blocks, longest_seen, standing_of
from msk_reserves.recovery.path.model import Recovery, fit_recovery
from tests.worlds.recovery import recovery_book

HORIZON = 1_092.0
"""Three years of 52 weeks: within what the fitted claims were seen, some of them."""

AT = (182.0, 364.0)
FOLLOWED = 4_000.0
COUNTED = ("off_work", "back_at_work", "relapse", "mmi")


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """One simulated book: claims of one age, each place of an outcome in its prediction, uniform if that is right.

    Attributes
    ----------
    spell, all_spells : places of the days off of each claim, in the present spell and over all; shape (n_claims,).
    counts : places of the numbers in each state of `COUNTED` at each day of `AT`, shape (n_days, n_states).
    total : place of the days off of all claims together.
    bias : mean predicted less actual days off over all spells, a claim.
    actual : mean actual days off, a claim.
    """

    spell: Floats
    all_spells: Floats
    counts: Floats
    total: float
    bias: float
    actual: float


def judge_book(
    seed: int,
    ages: Sequence[float],
    *,
    n_fitted: int,
    n_claims: int,
    draws: int,
    paths: int,
    candidates: tuple[str, ...],
) -> list[Judged]:
    """Fit a book and judge its predictions for fresh claims that are still in their first stay at each age.

    Parameters
    ----------
    seed : of the book fitted; the claims judged come from another stream.
    ages : days off so far.
    n_fitted, n_claims : claims fitted on, and claims judged at each age.
    draws, paths : parameter draws, and futures of each.
    candidates : laws of the fits.
    """
    recovery = fit_recovery(recovery_book(n_fitted, seed), candidates=candidates)
    later = recovery_book(50 * n_claims, 1_000_000 + seed, seen=(FOLLOWED, FOLLOWED + 1))
    first = later.spells.at_risk("off_work")
    judged = []
    for age in ages:
        rows = later.spells.claim[first[later.spells.days[first] > age]][:n_claims]
        judged.append(_judge(recovery, later, (np.asarray(rows), age, seed), (draws, paths)))
    return judged


def _judge(recovery: Recovery, later: ClaimBook, who: tuple[Integers, float, int], size: tuple[int, int]) -> Judged:
    """Place what happened to some claims after an age in its prediction."""
    rows, age, seed = who
    rng = np.random.default_rng([seed, int(age)])
    spell, off, states = _happened(later, rows, age)
    table = later.claims.iloc[rows].assign(state="off_work", days_in_state=age)
    standing = standing_of(recovery, table, OFF_WORK_STATES)
    grid = graded_grid(HORIZON, AT)
    shape = (len(rows), size[0] * size[1])
    days, first = np.empty(shape), np.empty(shape)
    counts = np.zeros((len(AT), len(COUNTED), shape[1]))
    for block in blocks(standing, recovery.draw(size[0], seed), longest_seen(recovery), grid):
        uniforms = joined_uniforms([independent_uniforms(seed, standing.claim_id[row], *size) for row in block.which])
        walked = simulate_paths(grid, block.now, block.fresh, uniforms, counted=OFF_WORK_STATES, days=AT)
        days[block.which] = walked.days.reshape(len(block.which), -1)
        first[block.which] = walked.first_days.reshape(len(block.which), -1)
        for column, name in enumerate(COUNTED):
            here = walked.state == walked.states.index(name)
            counts[:, column] += here.reshape(len(AT), len(block.which), -1).sum(axis=1)
    numbers = np.array([[(row == STATE_CODE[name]).sum() for name in COUNTED] for row in states])
    return Judged(
        spell=placed(first, spell, rng),
        all_spells=placed(days, off, rng),
        counts=placed(counts.reshape(-1, shape[1]), numbers.ravel().astype(float), rng).reshape(numbers.shape),
        total=float(placed(days.sum(axis=0, keepdims=True), np.array([off.sum()]), rng)[0]),
        bias=float(days.mean() - off.mean()),
        actual=float(off.mean()),
    )


def _happened(later: ClaimBook, rows: Integers, age: float) -> tuple[Floats, Floats, Integers]:
    """Return days off of each claim after an age, in the present spell and in all, and states at the days of `AT`."""
    spells = later.spells
    spell, off = np.zeros(len(rows)), np.zeros(len(rows))
    states = np.zeros((len(AT), len(rows)), dtype=np.int64)
    off_codes = [STATE_CODE[name] for name in OFF_WORK_STATES]
    for place, claim in enumerate(rows):
        own = np.flatnonzero(spells.claim == claim)
        begin = np.maximum(spells.entered[own] - age, 0.0)
        # The last stay goes on: nobody is followed for less than the horizon.
        last = spells.next_state[own] == STILL_IN_STATE
        end = np.where(last, np.inf, spells.entered[own] + spells.days[own] - age)
        inside = np.maximum(np.minimum(end, HORIZON) - begin, 0.0)
        off[place] = inside[np.isin(spells.state[own], off_codes)].sum()
        spell[place] = inside[0]
        for day, at in enumerate(AT):
            states[day, place] = spells.state[own][(begin <= at) & (at < end)][-1]
    return spell, off, states


def placed(sample: Floats, outcome: Floats, rng: np.random.Generator) -> Floats:
    """Return the place of each outcome in its row of a sample, at random within what equals it (atoms)."""
    below = (sample < outcome[:, None]).sum(axis=1)
    equal = (sample == outcome[:, None]).sum(axis=1)
    return np.asarray((below + rng.random(len(outcome)) * (equal + 1)) / (sample.shape[1] + 1))
