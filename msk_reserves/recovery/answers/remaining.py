"""How much longer each worker off work stays off: in the present spell, and over all spells to come."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, Integers, finite, level as checked_level, not_negative, whole
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.states import StateSpace
from msk_reserves.recovery.answers.answers import SEED, back_states, page, parameter_draws, printed
from msk_reserves.recovery.answers.grids import Grid, graded_grid
from msk_reserves.recovery.answers.paths import REPLICATES, claim_uniforms, joined_uniforms, simulate_paths
from msk_reserves.recovery.answers.renewal import Ahead, solve_renewal
from msk_reserves.recovery.answers.standing import Block, Standing, blocks, longest_seen, standing_of
from msk_reserves.recovery.laws.residual import DEFAULT_HORIZON, HALF_YEAR
from msk_reserves.recovery.path.draws import RecoveryDraws
from msk_reserves.recovery.path.model import Recovery

FIELDS = (
    "estimate",
    "confidence_low",
    "confidence_high",
    "prediction_low",
    "prediction_high",
    "beyond_data",
    "simulation_error",
)
"""What is known of each answer; NaN where it does not apply."""


@dataclass(frozen=True, slots=True, eq=False)
class RemainingDays:
    """Answers about the days off still to come, a column a claim.

    Attributes
    ----------
    claim_id, state : the claims and their states.
    days_in_state : days in the state so far, shape (n_claims,).
    answers : names of the answers: `days_remaining_...` of the present spell off work, `days_off_all_spells_...` with
        relapses, `still_off_in_<days>_days` in the present spell, `probability_back_...` at full duty.
    estimate : mean of the answer over parameter draws, shape (n_answers, n_claims).
    confidence_low, confidence_high : limits of a mean, quantile or probability; NaN for the days themselves.
    prediction_low, prediction_high : limits of the days themselves; NaN for means, quantiles and probabilities.
    beyond_data : share of the answer that comes from stays longer than any seen in their state.
    simulation_error : standard error of the estimate from the finite number of draws and paths.
    horizon_days, level : days that count at most; level of the intervals.
    draws, paths, seed : parameter draws, paths of each, and the seed.
    """

    claim_id: tuple[str, ...]
    state: tuple[str, ...]
    days_in_state: Floats
    answers: tuple[str, ...]
    estimate: Floats
    confidence_low: Floats
    confidence_high: Floats
    prediction_low: Floats
    prediction_high: Floats
    beyond_data: Floats
    simulation_error: Floats
    horizon_days: float
    level: float
    draws: int
    paths: int
    seed: int | None

    def of(self, answer: str) -> Floats:
        """Return the estimates of one answer, shape (n_claims,)."""
        if answer not in self.answers:
            raise ValueError(f"`answer` must be one of {', '.join(self.answers)}; got {answer!r}")
        return np.asarray(self.estimate[self.answers.index(answer)])

    def to_frame(self) -> pd.DataFrame:
        """Return a row a claim and answer, with confidence and prediction limits in columns of their own."""
        index = pd.MultiIndex.from_product([self.claim_id, self.answers], names=["claim_id", "answer"])
        return pd.DataFrame({name: getattr(self, name).T.ravel() for name in FIELDS}, index=index).reset_index()

    def wide(self) -> pd.DataFrame:
        """Return a row a claim: claim_id, state, days_in_state, and the estimate of each answer."""
        known = {"claim_id": self.claim_id, "state": self.state, "days_in_state": self.days_in_state}
        return pd.DataFrame(known | dict(zip(self.answers, self.estimate, strict=True)))

    def _sentences(self) -> list[str]:
        """What the numbers are."""
        late = self.beyond_data[self.answers.index("days_off_all_spells_mean")]
        most = f" (most: {late.max():.0%}, claim {self.claim_id[int(late.argmax())]})" if late.size else ""
        mean = float(late.mean()) if late.size else 0.0
        numbers = (
            f"Days off still to come of {len(self.claim_id):,} claims off work, to {self.horizon_days:,.0f} days from "
            f"today. Means, quantiles and probabilities with confidence intervals, days themselves with prediction "
            f"intervals, both at {self.level:.0%}: renewal equations under {self.draws:,} parameter draws; over all "
            f"spells quantiles and prediction from {self.paths:,} simulated paths each, seed {self.seed}."
        )
        beyond = f"From stays longer than any seen comes {mean:.1%} of the mean days off over all spells{most}."
        return [numbers, beyond]

    def __repr__(self) -> str:
        return printed(self._sentences(), self.to_frame(), 2)

    def _repr_html_(self) -> str:
        return page(self._sentences(), self.to_frame(), 2)


def remaining_days(
    recovery: Recovery,
    book: "ClaimBook | pd.DataFrame",
    *,
    claims: "str | Sequence[str] | None" = None,
    horizon_days: float = DEFAULT_HORIZON,
    quantiles: Sequence[float] = (0.5,),
    ahead: Sequence[float] = (),
    level: float = 0.9,
    draws: "int | RecoveryDraws" = 100,
    paths: int = 100,
    seed: int = SEED,
) -> RemainingDays:
    """Return how much longer each worker off work stays off, now and over all spells, each answer with its interval.

    Parameters
    ----------
    recovery : Recovery
        The fitted hazards.
    book : ClaimBook or pandas.DataFrame
        The claims; or a table of workers with `state`, `days_in_state`, the recovery's covariates and, if wanted,
        `claim_id`, `days_since_start` (needed where moves run on it or depend on how late a stay
        began) and `days_since_surgery`.
    claims : str or sequence of str, optional
        The claims asked about; all workers off work by default.
    horizon_days : float
        Days from today that count, half a year at least. There is no mean without a horizon.
    quantiles : sequence of float
        Quantiles wanted, in (0, 1).
    ahead : sequence of float
        Days from today at which the chance of being off still in the present spell is wanted.
    level : float
        Level of the intervals, in (0, 1).
    draws : int or RecoveryDraws
        Number of parameter draws; or draws made before, which then are not made again.
    paths : int
        Paths simulated with each draw, for quantiles and prediction over all spells.
    seed : int
        Seed of draws and paths.

    Returns
    -------
    RemainingDays
        With the answers

        - `days_remaining_mean`, `days_remaining_p50`, ... : days to the end of the present spell off work, which an
          operation or an attorney does not end; a quantile is infinite where it lies beyond the horizon.
        - `days_remaining` : the same days themselves: their median, with a prediction interval.
        - `days_off_all_spells_mean`, `days_off_all_spells_p50`, ..., `days_off_all_spells` : with relapses.
        - `still_off_in_<days>_days` : chance that the present spell goes on.
        - `probability_back_in_26_weeks` : chance of having been back at full duty within 182 days of today.
        - `probability_back_within_26_weeks_of_surgery` : within 182 days of the latest operation; NaN where there was
          none, or longer ago.

    Raises
    ------
    ValueError
        If the horizon is short of half a year, a day lies beyond it, or a claim is unknown or not off work.

    Notes
    -----
    The renewal equations of `recovery.renewal` for every claim and draw: estimates are means over the draws, confidence
    limits percentiles over them. A quantile is that of the draws together, and so is a prediction interval, which thus
    holds chance and parameters. Paths use nearly the same numbers in all draws, so that quantiles of one draw differ
    from those of another by the parameters.
    """
    horizon = finite(horizon_days, "horizon_days")
    if horizon < HALF_YEAR:
        raise ValueError(f"`horizon_days` must be half a year, {HALF_YEAR:g}, at least; got {horizon_days!r}")
    points = tuple(not_negative(day, "ahead") for day in ahead)
    if max(points, default=0.0) > horizon:
        raise ValueError(f"`ahead` must not lie beyond `horizon_days`, {horizon:g}; got {max(points):g}")
    asked = _Asked(
        space=recovery.space,
        grid=graded_grid(horizon, (*points, HALF_YEAR)),
        quantiles=tuple(checked_level(one, "quantiles") for one in quantiles),
        ahead=points,
        level=checked_level(level),
        paths=whole(paths, "paths", at_least=REPLICATES),
        seed=seed,
    )
    drawn = parameter_draws(recovery, draws, seed)
    standing = standing_of(recovery, book, recovery.space.off_work, claims)
    names = asked.names()
    found = np.full((len(FIELDS), len(names), len(standing)), np.nan)
    for block in blocks(standing, drawn, longest_seen(recovery), asked.grid):
        answers = _answer(block, standing, asked)
        for row, name in enumerate(names):
            found[:, row, block.which] = answers[name]
    found.flags.writeable = False
    return RemainingDays(
        claim_id=standing.claim_id,
        state=tuple(standing.states[int(code)] for code in standing.state),
        days_in_state=standing.days_in_state,
        answers=names,
        **dict(zip(FIELDS, found, strict=True)),
        horizon_days=horizon,
        level=asked.level,
        draws=drawn.n_draws,
        paths=asked.paths,
        seed=drawn.seed,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """What is asked of every block: states, grid, quantiles, days ahead, level of intervals, paths a draw, seed."""

    space: StateSpace
    grid: Grid
    quantiles: tuple[float, ...]
    ahead: tuple[float, ...]
    level: float
    paths: int
    seed: int

    def tails(self) -> tuple[float, float]:
        """The two levels between which an interval lies."""
        return 0.5 - 0.5 * self.level, 0.5 + 0.5 * self.level

    def names(self) -> tuple[str, ...]:
        """Names of the answers in order."""
        kinds = ("days_remaining", "days_off_all_spells")
        days = [f"{kind}{tail}" for kind in kinds for tail in ("_mean", *map(_label, self.quantiles), "")]
        still = [f"still_off_in_{day:g}_days" for day in self.ahead]
        return (*days, *still, "probability_back_in_26_weeks", "probability_back_within_26_weeks_of_surgery")


def _label(probability: float) -> str:
    """Return the ending of a quantile's name."""
    return f"_p{100 * probability:02.0f}"


def _answer(block: Block, standing: Standing, asked: _Asked) -> dict[str, Floats]:
    """Return every answer for the claims of a block, shape (n_fields, n_claims)."""
    answers = _of_spell(block, asked)
    whole_path = solve_renewal(asked.grid, block.now, block.fresh)
    answers["days_off_all_spells_mean"] = _mean_days(block, whole_path, asked)
    answers |= _of_paths(block, standing, asked, answers["days_off_all_spells_mean"])
    arrived, within = _returns(block, asked)
    nodes = asked.grid.nodes[: len(arrived)]
    answers["probability_back_in_26_weeks"] = _over_draws(arrived[-1], asked, arrived[-1] - within[-1])
    left = HALF_YEAR - standing.days_since_surgery[block.which]
    by_then = np.full((len(FIELDS), len(left)), np.nan)
    for row in np.flatnonzero(left > 0):
        cell = min(int(np.searchsorted(nodes, left[row], side="right")) - 1, len(nodes) - 2)
        part = (left[row] - nodes[cell]) / (nodes[cell + 1] - nodes[cell])
        then, told = ((1.0 - part) * curve[cell, [row]] + part * curve[cell + 1, [row]] for curve in (arrived, within))
        by_then[:, [row]] = _over_draws(then, asked, then - told)
    answers["probability_back_within_26_weeks_of_surgery"] = by_then
    return answers


def _returns(block: Block, asked: _Asked) -> tuple[Floats, Floats]:
    """Return the chance of having been back at full duty, and its part from stays no longer than seen.

    Both have the shape (n_nodes to half a year, n_claims, n_draws).
    """
    nodes, back = asked.grid.at(HALF_YEAR) + 1, back_states(asked.space)
    solved = solve_renewal(asked.grid, block.now, block.fresh, stop_at=back, nodes=nodes)
    arrived = block.by_claim(solved.begun_in(back))
    stays = (block.now, *block.fresh.values())
    if not any(stay.ever_late(nodes) for stay in stays):
        return arrived, arrived
    fresh = {name: stay.within_data() for name, stay in block.fresh.items()}
    told = solve_renewal(asked.grid, block.now.within_data(), fresh, stop_at=back, nodes=nodes)
    return arrived, block.by_claim(told.begun_in(back))


def _of_spell(block: Block, asked: _Asked) -> dict[str, Floats]:
    """Return what is asked of the present spell off work."""
    grid, off = asked.grid, asked.space.off_work
    spell = solve_renewal(grid, block.now, block.fresh, stop_at=[name for name in asked.space.names if name not in off])
    still = block.by_claim(spell.of(off))
    late = block.by_claim(spell.late_of(off))
    answers = {"days_remaining_mean": _mean_days(block, spell, asked)}
    together, late_together = still.mean(axis=2), late.mean(axis=2)
    share = np.divide(late_together, together, out=np.zeros_like(together), where=together > 0)
    for probability in asked.quantiles:
        middle = _crossing(grid.nodes, together, probability)
        each = _crossing(grid.nodes, still.reshape(len(still), -1), probability).reshape(still.shape[1:])
        answers[f"days_remaining{_label(probability)}"] = _quantile_rows(middle, each, asked, _at(grid, share, middle))
    middle, low, high = (_crossing(grid.nodes, together, one) for one in (0.5, *asked.tails()))
    answers["days_remaining"] = _prediction(middle, low, high, _at(grid, share, middle))
    for day in asked.ahead:
        node = grid.at(day)
        answers[f"still_off_in_{day:g}_days"] = _over_draws(still[node], asked, late[node])
    return answers


def _of_paths(block: Block, standing: Standing, asked: _Asked, mean: Floats) -> dict[str, Floats]:
    """Return quantiles and prediction of the days off over all spells, from simulated paths."""
    names = [standing.claim_id[row] for row in block.which]
    numbers = [claim_uniforms(asked.seed, name, block.n_draws, asked.paths) for name in names]
    walked = simulate_paths(asked.grid, block.now, block.fresh, joined_uniforms(numbers), counted=asked.space.off_work)
    days = np.sort(walked.days.reshape(len(names), block.n_draws, asked.paths), axis=2)
    beyond = mean[FIELDS.index("beyond_data")]
    levels = (*asked.quantiles, 0.5, *asked.tails())
    together = np.quantile(days.reshape(len(names), -1), levels, axis=1)
    part = walked.days.reshape(len(names), block.n_draws, asked.paths)
    replicates = [
        np.quantile(part[:, :, one::REPLICATES].reshape(len(names), -1), levels, axis=1) for one in range(REPLICATES)
    ]
    noise = np.std(replicates, axis=0, ddof=1) / np.sqrt(REPLICATES)
    answers = {}
    for row, probability in enumerate(asked.quantiles):
        each = np.quantile(days, probability, axis=2)
        found = _quantile_rows(together[row], each, asked, beyond)
        found[-1] = np.hypot(found[-1], noise[row])
        answers[f"days_off_all_spells{_label(probability)}"] = found
    answers["days_off_all_spells"] = _prediction(together[-3], together[-2], together[-1], beyond)
    answers["days_off_all_spells"][-1] = noise[-3]
    return answers


def _mean_days(block: Block, solved: Ahead, asked: _Asked) -> Floats:
    """Return the mean days off work to the horizon."""
    days, late = (
        block.by_claim(np.tensordot(asked.grid.weights, curve, axes=1))
        for curve in (solved.of(asked.space.off_work), solved.late_of(asked.space.off_work))
    )
    return _over_draws(days, asked, late)


def _over_draws(values: Floats, asked: _Asked, late: Floats) -> Floats:
    """Return the fields of a mean or probability known by claim and draw, `late` being its part beyond the data."""
    mean = values.mean(axis=1)
    low, high = np.quantile(values, asked.tails(), axis=1)
    beyond = np.divide(late.mean(axis=1), mean, out=np.zeros_like(mean), where=mean > 0)
    none = np.full_like(mean, np.nan)
    return np.array([mean, low, high, none, none, np.clip(beyond, 0.0, 1.0), _error(values)])


def _quantile_rows(middle: Floats, each: Floats, asked: _Asked, beyond: Floats) -> Floats:
    """Return the fields of a quantile, `each` being those of the draws."""
    # Limits are draws themselves: between a number and infinity there is nothing to interpolate.
    low = np.quantile(each, asked.tails()[0], axis=1, method="lower")
    high = np.quantile(each, asked.tails()[1], axis=1, method="higher")
    none = np.full_like(middle, np.nan)
    return np.array([middle, low, high, none, none, beyond, _error(each)])


def _prediction(middle: Floats, low: Floats, high: Floats, beyond: Floats) -> Floats:
    """Return the fields of days themselves."""
    none = np.full_like(middle, np.nan)
    return np.array([middle, none, none, low, high, beyond, none])


def _error(values: Floats) -> Floats:
    """Return the standard error of a mean over draws; NaN from a single draw, or where a draw has no finite value."""
    found = np.full(len(values), np.nan)
    finite_rows = np.isfinite(values).all(axis=1)
    if values.shape[1] > 1:
        found[finite_rows] = values[finite_rows].std(axis=1, ddof=1) / np.sqrt(values.shape[1])
    return found


def _at(grid: Grid, curve: Floats, days: Floats) -> Floats:
    """Return the value of each column of a curve at a day of its own, that of the horizon beyond."""
    cell = np.clip(np.searchsorted(grid.nodes, days), 0, len(grid.nodes) - 1)
    return np.asarray(curve[cell, np.arange(curve.shape[1])])


def _crossing(nodes: Floats, still: Floats, probability: float) -> Floats:
    """Return where each column of a survival curve falls to 1 - `probability`, infinite where it does not.

    Between nodes the hazard is taken as constant, as in the tables of stays.
    """
    reached = still <= 1.0 - probability
    at = np.maximum(np.argmax(reached, axis=0), 1)
    column: Integers = np.arange(still.shape[1])
    with np.errstate(divide="ignore"):
        high, low = np.log(still[at - 1, column]), np.log(np.maximum(still[at, column], 1e-300))
    part = np.where(high > low, (high - np.log1p(-probability)) / np.where(high > low, high - low, 1.0), 1.0)
    found = nodes[at - 1] + np.clip(part, 0.0, 1.0) * (nodes[at] - nodes[at - 1])
    return np.where(reached.any(axis=0), found, np.inf)
