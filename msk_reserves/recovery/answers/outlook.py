"""What a group of claims will do together: how many in each state at later dates, and its days off in all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, level as checked_level, positive, whole
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
from msk_reserves.recovery.answers.paths import independent_uniforms, joined_uniforms, simulate_paths
from msk_reserves.recovery.answers.renewal import solve_renewal
from msk_reserves.recovery.answers.standing import Standing, blocks, longest_seen, standing_of
from msk_reserves.recovery.path.draws import RecoveryDraws
from msk_reserves.recovery.path.model import Recovery


@dataclass(frozen=True, slots=True, eq=False)
class GroupOutlook:
    """How many claims of a group will be in each state, and how many days off it will have, with prediction intervals.

    Attributes
    ----------
    n_claims : claims in the group.
    days_ahead : days from today, shape (n_days,).
    states : states any of them may be in.
    expected : expected number in each state, shape (n_days, n_states).
    prediction_low, prediction_high : limits of the number itself, of the same shape.
    simulation_error : standard error of `expected` from the number of scenarios, of the same shape.
    beyond_data : share of each in stays longer than any seen in the state, of the same shape.
    days_off : days off work of the group from today to the horizon: mean, prediction_low, prediction_high,
        simulation_error; shape (4,).
    horizon_days, level : horizon of the days off; level of the intervals.
    draws, paths, seed : parameter draws, futures of each, and the seed.
    """

    n_claims: int
    days_ahead: Floats
    states: tuple[str, ...]
    expected: Floats
    prediction_low: Floats
    prediction_high: Floats
    simulation_error: Floats
    beyond_data: Floats
    days_off: Floats
    horizon_days: float
    level: float
    draws: int
    paths: int
    seed: int | None

    def to_frame(self) -> pd.DataFrame:
        """Return a row a day and state: expected, prediction_low, prediction_high, simulation_error, beyond_data."""
        index = pd.MultiIndex.from_product([self.days_ahead, self.states], names=["days_ahead", "state"])
        columns = {name: getattr(self, name).ravel() for name in _GROUP_COLUMNS}
        return pd.DataFrame(columns, index=index).reset_index()

    def _sentences(self) -> list[str]:
        """What the numbers are."""
        mean, low, high, error = self.days_off
        numbers = (
            f"{self.n_claims:,} claims, {in_words(self.days_ahead)} ahead. Prediction intervals at {self.level:.0%} of "
            f"the numbers themselves, chance and parameters together: {self.draws:,} parameter draws with "
            f"{self.paths:,} futures each, seed {self.seed}."
        )
        off = (
            f"Days off work of the group in the next {self.horizon_days:,.0f} days: {mean:,.0f} expected (simulation "
            f"error {error:,.0f}), prediction interval {low:,.0f} to {high:,.0f}."
        )
        return [
            numbers,
            off,
            f"In stays longer than any seen: at most {self._most_beyond():.1%} of the claims at a day.",
        ]

    def _most_beyond(self) -> float:
        """Share of the claims in stays longer than any seen, at the day where it is largest."""
        return float((self.beyond_data * self.expected).sum(axis=1).max() / self.n_claims)

    def __repr__(self) -> str:
        return printed(self._sentences(), self.to_frame(), 1)

    def _repr_html_(self) -> str:
        return page(self._sentences(), self.to_frame(), 1)


_GROUP_COLUMNS = ("expected", "prediction_low", "prediction_high", "simulation_error", "beyond_data")


def group_outlook(
    recovery: Recovery,
    book: "ClaimBook | pd.DataFrame",
    ahead: Sequence[float],
    *,
    claims: "str | Sequence[str] | None" = None,
    horizon_days: float = 3640.0,
    level: float = 0.9,
    draws: "int | RecoveryDraws" = 200,
    paths: int = 10,
    seed: int = SEED,
) -> GroupOutlook:
    """Return how many claims of a group will be in each state at later dates, with prediction intervals.

    Parameters
    ----------
    recovery, book, ahead, claims, draws, seed
        As in `state_probabilities`.
    horizon_days : float
        Days from today to which days off work are counted.
    level : float
        Level of the prediction intervals, in (0, 1).
    paths : int
        Futures of the group simulated with each parameter draw.

    Returns
    -------
    GroupOutlook
        In each scenario all claims share one parameter draw; given it their futures are independent.

    Raises
    ------
    ValueError
        If a day is not positive or lies beyond the horizon, or no claim is asked about.
    """
    days = days_asked(ahead)
    horizon = positive(horizon_days, "horizon_days")
    if days[-1] > horizon:
        raise ValueError(f"`ahead` must not lie beyond `horizon_days`, {horizon:g}; got {days[-1]:g}")
    sure, n_paths = checked_level(level), whole(paths, "paths", at_least=1)
    drawn = parameter_draws(recovery, draws, seed)
    standing = standing_of(recovery, book, open_states(recovery.space), claims, asked_anyway=True)
    if not len(standing):
        raise ValueError("`book` must hold at least one claim in the states asked about, got none")
    states = recovery.space.names
    grid, longest = graded_grid(horizon, days.tolist()), longest_seen(recovery)
    counts = np.zeros((len(days), len(states), drawn.n_draws, n_paths))
    off = np.zeros((drawn.n_draws, n_paths))
    for block in blocks(standing, drawn, longest, grid):
        names = [standing.claim_id[row] for row in block.which]
        uniforms = joined_uniforms([independent_uniforms(seed, name, drawn.n_draws, n_paths) for name in names])
        walked = simulate_paths(
            grid, block.now, block.fresh, uniforms, counted=recovery.space.off_work, days=days.tolist()
        )
        by_claim = (len(names), drawn.n_draws, n_paths)
        off += walked.days.reshape(by_claim).sum(axis=0)
        for code, name in enumerate(walked.states):
            here = walked.state == code
            counts[:, states.index(name)] += here.reshape(len(days), *by_claim).sum(axis=1)
    beyond = np.zeros((len(days), len(states)))
    at = [grid.at(float(day)) for day in days]
    for block in blocks(standing, recovery, longest, grid):
        solved = solve_renewal(grid, block.now, block.fresh)
        for row, name in enumerate(solved.states):
            beyond[:, states.index(name)] += solved.late[row, at].sum(axis=-1)
    return _outlook(standing, days, (counts, off, beyond), (horizon, sure), drawn)


def _outlook(
    standing: Standing,
    days: Floats,
    sums: tuple[Floats, Floats, Floats],
    asked: tuple[float, float],
    drawn: RecoveryDraws,
) -> GroupOutlook:
    """Summarise the scenarios of a group."""
    counts, off, beyond = sums
    horizon, level = asked
    possible = np.flatnonzero(counts.any(axis=(0, 2, 3)))
    counts = counts[:, possible]
    tails = [0.5 - 0.5 * level, 0.5 + 0.5 * level]
    expected = counts.mean(axis=(2, 3))
    low, high = np.quantile(counts.reshape(*expected.shape, -1), tails, axis=-1, method="closest_observation")
    share = np.divide(beyond[:, possible], expected, out=np.zeros_like(expected), where=expected > 0)
    return GroupOutlook(
        n_claims=len(standing),
        days_ahead=days,
        states=tuple(standing.states[code] for code in possible),
        expected=expected,
        prediction_low=low,
        prediction_high=high,
        simulation_error=_error_of_mean(counts),
        beyond_data=np.minimum(share, 1.0),
        days_off=np.array([off.mean(), *np.quantile(off, tails), float(_error_of_mean(off))]),
        horizon_days=horizon,
        level=level,
        draws=drawn.n_draws,
        paths=off.shape[1],
        seed=drawn.seed,
    )


def _error_of_mean(values: Floats) -> Floats:
    """Return the standard error of a mean over draws (last axis but one) and paths, draws being what is independent."""
    by_draw = values.mean(axis=-1)
    if by_draw.shape[-1] == 1:
        return np.asarray(values.std(axis=-1)[..., 0] / np.sqrt(values.shape[-1]))
    return np.asarray(by_draw.std(axis=-1, ddof=1) / np.sqrt(by_draw.shape[-1]))
