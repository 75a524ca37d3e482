"""Where open claims will stand: the probability of each state at later dates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, level as checked_level
from msk_reserves.claims.book import ClaimBook
from msk_reserves.recovery.answers.answers import (
    SEED,
    days_asked,
    in_words,
    open_states,
    page,
    parameter_draws,
    printed,
)
from msk_reserves.recovery.answers.grids import graded_grid
from msk_reserves.recovery.answers.renewal import solve_renewal
from msk_reserves.recovery.answers.standing import blocks, longest_seen, standing_of
from msk_reserves.recovery.path.draws import RecoveryDraws
from msk_reserves.recovery.path.model import Recovery


@dataclass(frozen=True, slots=True, eq=False)
class StateProbabilities:
    """The probability of each state of claims at later dates, with confidence intervals.

    Attributes
    ----------
    claim_id : the claims.
    days_ahead : days from today, shape (n_days,).
    states : states any of the claims may be in.
    probability : shape (n_claims, n_days, n_states); over states they add up to one.
    confidence_low, confidence_high : limits of each probability, of the same shape.
    beyond_data : share of each probability in stays longer than any seen in the state, of the same shape.
    level : level of the intervals.
    draws, seed : parameter draws behind them, and their seed.
    """

    claim_id: tuple[str, ...]
    days_ahead: Floats
    states: tuple[str, ...]
    probability: Floats
    confidence_low: Floats
    confidence_high: Floats
    beyond_data: Floats
    level: float
    draws: int
    seed: int | None

    def to_frame(self) -> pd.DataFrame:
        """Return a row a claim, day and state: probability, confidence_low, confidence_high, beyond_data."""
        index = pd.MultiIndex.from_product(
            [self.claim_id, self.days_ahead, self.states], names=["claim_id", "days_ahead", "state"]
        )
        columns = {name: getattr(self, name).ravel() for name in _PROBABILITY_COLUMNS}
        return pd.DataFrame(columns, index=index).reset_index()

    def wide(self) -> pd.DataFrame:
        """Return the probabilities alone, a row a claim and day and a column a state."""
        index = pd.MultiIndex.from_product([self.claim_id, self.days_ahead], names=["claim_id", "days_ahead"])
        return pd.DataFrame(self.probability.reshape(-1, len(self.states)), index=index, columns=list(self.states))

    def _sentences(self) -> list[str]:
        """What the numbers are."""
        late = (self.probability * self.beyond_data).sum(axis=2)
        mean, most = (float(late.mean()), float(late.max())) if late.size else (0.0, 0.0)
        numbers = (
            f"Probability of each state of {len(self.claim_id):,} claims, {in_words(self.days_ahead)} ahead, by "
            f"renewal equations. Confidence intervals at {self.level:.0%} from {self.draws:,} parameter draws, seed "
            f"{self.seed}."
        )
        beyond = f"In stays longer than any seen in their state: {mean:.1%} on average, {most:.1%} at most."
        return [numbers, beyond]

    def __repr__(self) -> str:
        return printed(self._sentences(), self.wide(), 3)

    def _repr_html_(self) -> str:
        return page(self._sentences(), self.wide(), 3)


_PROBABILITY_COLUMNS = ("probability", "confidence_low", "confidence_high", "beyond_data")


def state_probabilities(
    recovery: Recovery,
    book: "ClaimBook | pd.DataFrame",
    ahead: Sequence[float],
    *,
    claims: "str | Sequence[str] | None" = None,
    level: float = 0.9,
    draws: "int | RecoveryDraws" = 200,
    seed: int = SEED,
) -> StateProbabilities:
    """Return the probability of each state of the path at later dates, with a confidence interval for each.

    Parameters
    ----------
    recovery : Recovery
        The fitted hazards.
    book : ClaimBook or pandas.DataFrame
        The claims; or a table of workers with `state`, `days_in_state`, the recovery's covariates and, where moves run
        on it or depend on how late a stay began, `days_since_start`.
    ahead : sequence of float
        Days from today.
    claims : str or sequence of str, optional
        The claims asked about; all that are neither closed nor dead by default.
    level : float
        Level of the confidence intervals, in (0, 1).
    draws : int or RecoveryDraws
        Number of parameter draws; or draws made before, which then are not made again.
    seed : int
        Seed of the draws.

    Returns
    -------
    StateProbabilities
        The probability is the mean over the draws, the limits are percentiles over them.

    Raises
    ------
    ValueError
        If a day is not positive, or a claim unknown.

    Notes
    -----
    Given the state and the days in it, the renewal equations of `recovery.renewal` are solved for every claim and draw.
    The intervals hold the uncertainty of the parameters and of the laws, by their weights; they say where the
    probability may lie, not what will happen.
    """
    days = days_asked(ahead)
    sure = checked_level(level)
    drawn = parameter_draws(recovery, draws, seed)
    standing = standing_of(recovery, book, open_states(recovery.space), claims, asked_anyway=True)
    grid = graded_grid(float(days[-1]), days.tolist())
    at = [grid.at(float(day)) for day in days]
    names = recovery.space.names
    shape = (len(standing), len(days), len(names))
    found = {name: np.zeros(shape) for name in _PROBABILITY_COLUMNS}
    for block in blocks(standing, drawn, longest_seen(recovery), grid):
        solved = solve_renewal(grid, block.now, block.fresh)
        codes = [names.index(name) for name in solved.states]
        chance = np.moveaxis(block.by_claim(solved.occupation[:, at]), 0, 2)
        late = np.moveaxis(block.by_claim(solved.late[:, at]), 0, 2)
        answers = _summaries(np.moveaxis(chance, 0, 1), np.moveaxis(late, 0, 1), sure)
        for name, values in zip(_PROBABILITY_COLUMNS, answers, strict=True):
            found[name][np.ix_(block.which, np.arange(len(days)), np.array(codes))] = values
    possible = np.flatnonzero(found["probability"].any(axis=(0, 1)))
    return StateProbabilities(
        claim_id=standing.claim_id,
        days_ahead=days,
        states=tuple(names[code] for code in possible),
        **{name: values[:, :, possible] for name, values in found.items()},
        level=sure,
        draws=drawn.n_draws,
        seed=drawn.seed,
    )


def _summaries(chance: Floats, late: Floats, level: float) -> tuple[Floats, ...]:
    """Return mean, limits and the share beyond the data of probabilities whose last axis are draws."""
    mean = chance.mean(axis=-1)
    low, high = np.quantile(chance, [0.5 - 0.5 * level, 0.5 + 0.5 * level], axis=-1)
    beyond = np.divide(late.mean(axis=-1), mean, out=np.zeros_like(mean), where=mean > 0)
    return mean, low, high, beyond


def predicted_occupation(
    recovery: Recovery,
    book: "ClaimBook | pd.DataFrame",
    ahead: Sequence[float],
    *,
    state: str = "off_work",
    days_in_state: float = 0.0,
    days_since_start: float | None = None,
    claims: "str | Sequence[str] | None" = None,
) -> tuple[tuple[str, ...], Floats]:
    """Return the probability of each state of every claim, had it just stopped work, at the estimates.

    Parameters
    ----------
    recovery, book, ahead, claims
        As in `state_probabilities`; every claim of the book counts, whatever its state today.
    state : str
        State at the start.
    days_in_state : float
        Days in it at the start: with more than none, what is predicted for those who stayed so long.
    days_since_start : float, optional
        Days since the path began at the start, by default those in the state.

    Returns
    -------
    tuple of str, numpy.ndarray
        The states, and probabilities of shape (n_claims, n_days, n_states). Their mean over claims is what
        Aalen-Johansen occupation estimates from the stays (its landmark version where `days_in_state` is not 0).

    Notes
    -----
    Parameters are at their estimates, the laws of each move averaged by weight.
    """
    days, names = days_asked(ahead), recovery.space.names
    today = standing_of(recovery, book, names, claims)
    n = len(today)
    begun = np.full(n, days_in_state, dtype=np.float64)
    standing = today.restarted(state, begun, begun if days_since_start is None else np.full(n, days_since_start))
    grid = graded_grid(float(days[-1]), days.tolist())
    at = [grid.at(float(day)) for day in days]
    found = np.zeros((n, len(days), len(names)))
    for block in blocks(standing, recovery, longest_seen(recovery), grid):
        solved = solve_renewal(grid, block.now, block.fresh)
        codes = [names.index(name) for name in solved.states]
        found[np.ix_(block.which, np.arange(len(days)), np.array(codes))] = solved.occupation[:, at].transpose(2, 1, 0)
    possible = np.flatnonzero(found.any(axis=(0, 1)))
    return tuple(names[code] for code in possible), found[:, :, possible]
