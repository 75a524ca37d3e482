"""First exits of the walk against the hazards themselves, for laws of many pieces and stays under way."""

import numpy as np
import pytest

from msk_reserves._checks import Floats
from msk_reserves.claims.vocabulary import STATE_CODE
from msk_reserves.episodes.paths import simulate_paths
from msk_reserves.recovery.path.draws import RecoveryDraws, TransitionDraws, law_draws

TARGETS = ("back_at_work", "mmi", "settled", "dead")
CUTS = np.linspace(40.0, 2_000.0, 50)
AHEAD = (90.0, 365.0, 1_500.0)
N_CLAIMS, SCENARIOS = 10, 2_000


def rates(seed: int) -> Floats:
    """Return rates a day by move and piece, of very different sizes; shape (4, 51)."""
    rng = np.random.default_rng(seed)
    level = np.array([3e-3, 5e-4, 1e-4, 1e-5])
    return np.asarray(level[:, None] * rng.lognormal(0.0, 0.8, (4, len(CUTS) + 1)))


def incidence(rate: Floats, ages: Floats, days: float) -> Floats:
    """Return the probability of having left by each move within some days, by summing over stretches of one rate each.

    Every move is at its own age when the days begin.
    """
    ends = np.concatenate([[days], *(CUTS - age for age in ages)])
    ends = np.unique(ends[(ends > 0) & (ends <= days)])
    left, share, start = 1.0, np.zeros(len(rate)), 0.0
    for end in ends:
        middle = 0.5 * (start + end)
        now = np.array([one[np.searchsorted(CUTS, age + middle)] for one, age in zip(rate, ages, strict=True)])
        stays = left * np.exp(-now.sum() * (end - start))
        share += now / now.sum() * (left - stays)
        left, start = stays, end
    return share


@pytest.mark.parametrize("forward", [(), ("mmi", "dead")])
@pytest.mark.parametrize(("age", "since_start"), [(0.0, 0.0), (137.3, 137.3), (400.0, 1_100.7), (1_234.5, 1_234.5)])
def test_the_first_exit_is_the_one_the_hazards_make(age: float, since_start: float, forward: tuple[str, ...]) -> None:
    """The shares that have left by each move lie within 4.5 simulation errors of the cumulative incidence.

    96 shares are compared; a right walk fails once in 1,500 times, and the seeds are fixed.
    """
    rate = rates(3)
    moves = tuple(
        TransitionDraws(
            "off_work",
            target,
            (),
            (law_draws("piecewise", np.log(one)[None, :], CUTS),),
            np.zeros(1, dtype=np.int64),
            forward=target in forward,
        )
        for target, one in zip(TARGETS, rate, strict=True)
    )
    (found,) = simulate_paths(
        RecoveryDraws(None, 1, moves),
        np.zeros((N_CLAIMS, 0)),
        claim_ids=tuple(f"C-{row}" for row in range(N_CLAIMS)),
        state=np.full(N_CLAIMS, STATE_CODE["off_work"]),
        days_in_state=np.full(N_CLAIMS, age),
        days_since_start=np.full(N_CLAIMS, since_start),
        days_ahead=AHEAD,
        scenarios=SCENARIOS,
        seed=2,
    )
    ages = np.array([since_start if target in forward else age for target in TARGETS])
    for place, days in enumerate(AHEAD):
        wanted = incidence(rate, ages, days)
        seen = np.array([(found.state[:, :, place] == STATE_CODE[target]).mean() for target in TARGETS])
        error = np.sqrt(np.maximum(wanted * (1.0 - wanted), 1.0 / (N_CLAIMS * SCENARIOS)) / (N_CLAIMS * SCENARIOS))
        assert (np.abs(seen - wanted) <= 4.5 * error).all(), (days, seen, wanted)
