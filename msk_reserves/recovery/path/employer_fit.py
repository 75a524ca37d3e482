"""Fits the employers' factor: laws of return given each employer's factor, and the factors given the laws, in turn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.book import Decision
from msk_reserves.claims.states import StateSpace
from msk_reserves.recovery.laws.families import FAMILIES
from msk_reserves.recovery.laws.fit import FittedFamily, fit_to_data, piecewise_to_data
from msk_reserves.recovery.laws.frailty import GammaVariance, fit_variance, frailty_loglik, frailty_mean
from msk_reserves.recovery.laws.piecewise import PIECEWISE, default_cuts, exposure, fit_piecewise, merged_cuts
from msk_reserves.recovery.observations import Observations
from msk_reserves.recovery.path.draws import TransitionDraws, law_draws
from msk_reserves.recovery.path.employers import Carried, EmployerFrailty, employer_numbers, point_factors
from msk_reserves.recovery.path.selection import Candidate, law_weights, tail_misfit
from msk_reserves.recovery.path.transitions import NORMAL_EVENTS, Transition

FRAILTIES = ("employer", "auto")
"""What `frailty` may be besides None."""

LEAST_EMPLOYERS = 20
"""Employers with two claims or more that a book needs for the spread among employers to be estimated."""

SIGNIFICANCE = 0.05
"""Level of the likelihood-ratio test from which on `frailty="auto"` keeps the factor."""

CARRIERS = ("weibull", "piecewise")
"""Laws of return under a factor: those with proportional hazards, whose location can take its logarithm."""

_JUST_BEFORE = 1.0 - 1e-12
_ROUNDS = 40
_TOLERANCE = 1e-3
_STEP = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class _Move:
    """One move under the factor: its stays, cut into pieces, and their employers.

    Attributes
    ----------
    data : the stays; middle : days at an exit, to the middle of its window, or when last seen; shape (n_stays,).
    member : row of each stay's employer.
    cuts, at_risk : ends of the pieces, and days of each stay in each; shape (n_stays, n_pieces).
    """

    data: Observations
    middle: Floats
    member: Integers
    cuts: Floats
    at_risk: Floats

    def hazard(self, theta: Floats) -> Floats:
        """Return the weighted cumulative hazard of each stay at piecewise rates, shape (n_stays,)."""
        pieces = self.at_risk.shape[1]
        by_day = self.at_risk @ np.exp(theta[:pieces])
        return np.asarray(self.data.weights * by_day * np.exp(self.data.design @ theta[pieces:]))

    def log_rates(self, theta: Floats) -> float:
        """Return the weighted sum of the log hazards at the exits."""
        left, pieces = self.data.exited, self.at_risk.shape[1]
        piece = np.searchsorted(self.cuts, self.middle[left], side="left")
        return float(self.data.weights[left] @ (theta[piece] + self.data.design[left] @ theta[pieces:]))

    def split(self, factor: Floats, *, windows: bool) -> Observations:
        """Return the stays so that any law can be fitted given the factors, shape (n_employers,).

        Survival until the exit counts with the factor as weight, and the exit itself on its own, entered just before,
        so that it adds its log hazard. Exits in a window keep it, or count at its middle.
        """
        data, left = self.data, self.data.exited
        stayed = np.zeros(len(data), dtype=bool)
        lower = data.lower[left] if windows else self.middle[left]
        columns = (
            np.concatenate([self.middle, data.days[left] if windows else self.middle[left]]),
            np.concatenate([stayed, np.ones(int(left.sum()), dtype=bool)]),
            np.concatenate([data.entry, _JUST_BEFORE * self.middle[left]]),
            np.concatenate([self.middle, lower]),
            np.concatenate([data.weights * factor[self.member], data.weights[left]]),
            np.concatenate([data.design, data.design[left]]),
        )
        return Observations(*columns)


def with_employers(
    fitted: tuple[Transition, ...],
    space: StateSpace,
    described: tuple[pd.DataFrame, Integers],
    laws: tuple[Sequence[str], str],
    asked: str,
) -> tuple[tuple[Transition, ...], EmployerFrailty | None, Decision]:
    """Fit the employers' factor where a book supports it, or say why not.

    Parameters
    ----------
    fitted, space : the moves fitted without it, and the states.
    described : the table of the claims and the employer of each as a number from zero.
    laws : laws asked for and how they share the weight.
    asked : "employer" or "auto".

    Returns
    -------
    tuple
        The moves, those of return fitted again where there is a factor; what is known of the employers; the decision.

    Raises
    ------
    ValueError
        If "employer" is asked for and the book cannot show how employers differ.
    """
    reason = supported(described[0], fitted, space)
    if reason and asked == "employer":
        raise ValueError(f"`frailty` must be None or 'auto' for this book: {reason}")
    if not reason:
        renewed, frailty, variance = share_frailty(fitted, space, described, laws)
        if variance.theta == 0.0:
            reason = "no spread among employers is found beyond chance"
        elif asked == "auto" and variance.p_value > SIGNIFICANCE:
            reason = f"the spread among employers may be chance (p {variance.p_value:.2g})"
        elif frailty is not None:
            several = int((frailty.claims > 1).sum())
            return (
                renewed,
                frailty,
                Decision("frailty", several, "employers of two claims or more with a factor of their own"),
            )
    return fitted, None, Decision("frailty", 0, f"employers with a factor of their own ({reason})")


def supported(table: pd.DataFrame, fitted: Sequence[Transition], space: StateSpace) -> str:
    """Return why a book cannot show how employers differ, or nothing."""
    if "employer_id" not in table.columns:
        return "the claims have no `employer_id`"
    several = int((table["employer_id"].value_counts() > 1).sum())
    if several < LEAST_EMPLOYERS:
        return f"{several} employers have two claims or more, and {LEAST_EMPLOYERS} are needed"
    if not _returns(fitted, space):
        return f"no move of return has {NORMAL_EVENTS} exits"
    return ""


def _returns(fitted: Sequence[Transition], space: StateSpace) -> list[Transition]:
    """Return the moves that a factor multiplies: to work, out of states off work or at work, with exits enough."""
    from_ = (*space.off_work, *space.working)
    return [
        one
        for one in fitted
        # Retaining an attorney while at work leads to a state at work, but is no return.
        if not (one.shared or one.continues)
        and one.target in space.working
        and one.origin in from_
        and one.events >= NORMAL_EVENTS
    ]


def share_frailty(
    fitted: Sequence[Transition],
    space: StateSpace,
    described: tuple[pd.DataFrame, Integers],
    laws: tuple[Sequence[str], str],
) -> tuple[tuple[Transition, ...], EmployerFrailty | None, GammaVariance]:
    """Return the moves with those of return fitted given the factor, the employers, None without variance, and that."""
    table, cluster = described
    chosen = _returns(fitted, space)
    moves = [_prepared(one) for one in chosen]
    n = int(cluster.max()) + 1
    exits = sum((_by_employer(move, move.data.weights * move.data.exited, n) for move in moves), np.zeros(n))
    variance, factor = _alternate(moves, exits, n)
    if variance.theta == 0.0:
        return tuple(fitted), None, variance
    refitted = [_again(one, move, factor, laws) for one, move in zip(chosen, moves, strict=True)]
    carried, hazard = _carried(refitted, moves, (variance.theta, exits))
    again = {one.name: _widened(found, more) for one, found, more in zip(chosen, refitted, carried, strict=True)}
    order, numbers = _ordered(table, cluster)
    frailty = EmployerFrailty(
        variance=variance,
        moves=tuple(one.name for one in chosen),
        employers=tuple(order["name"]),
        numbers=numbers,
        claims=order["claims"].to_numpy(dtype=np.int64),
        exits=exits[order.index],
        hazard=hazard[order.index],
        carried=tuple(
            tuple(replace(one, hazard=one.hazard[order.index], gradient=one.gradient[order.index]) for one in each)
            for each in carried
        ),
    )
    factors = point_factors(frailty)
    renewed = tuple(
        replace(one, candidates=again[one.name], factors=factors) if one.name in again else one for one in fitted
    )
    return renewed, frailty, variance


def _widened(candidates: tuple[Candidate, ...], carried: tuple[Carried, ...]) -> tuple[Candidate, ...]:
    """Return the laws with the covariance that not knowing the factors leaves them."""
    more = iter(carried)
    return tuple(
        replace(one, fit=replace(one.fit, covariance=one.fit.covariance + next(more).spread)) if one.weight > 0 else one
        for one in candidates
    )


def _ordered(table: pd.DataFrame, cluster: Integers) -> tuple[pd.DataFrame, Floats]:
    """Return name and claims of the employers in the order of their numbers in the design, indexed by cluster."""
    alone = table["claim_id"] if "claim_id" in table.columns else table.index.to_series()
    name = table["employer_id"].where(table["employer_id"].notna(), alone).astype(str)
    frame = pd.DataFrame({"cluster": cluster, "name": name.to_numpy(), "number": employer_numbers(table)})
    grouped = frame.groupby("cluster").agg(name=("name", "first"), number=("number", "first"), claims=("name", "size"))
    grouped = grouped.sort_values("number")
    return grouped, grouped["number"].to_numpy(dtype=np.float64)


def _prepared(move: Transition) -> _Move:
    """Cut the stays of a move into pieces."""
    data = move.data
    middle = np.where(data.in_window, 0.5 * (data.lower + data.days), data.days)
    cuts = merged_cuts(data, default_cuts())
    return _Move(data, middle, move.cluster, cuts, exposure(data.entry, middle, cuts))


def _by_employer(move: _Move, values: Floats, n: int) -> Floats:
    """Return sums of a value of each stay by employer."""
    return np.asarray(np.bincount(move.member, weights=values, minlength=n), dtype=np.float64)


def _alternate(moves: Sequence[_Move], exits: Floats, n: int) -> tuple[GammaVariance, Floats]:
    """Return the variance and the expected factors, piecewise rates and factors being updated in turn.

    The EM algorithm of Klein (1992) and Nielsen and others (1992), with the level of all rates estimated along with the
    variance: left to the rates alone it would creep.
    """
    thetas = [fit_piecewise(move.data, move.cuts)[0].theta for move in moves]
    start = _loglik(moves, thetas, (0.0, exits), n)
    before, variance, factor = start, GammaVariance(0.0, np.inf, 1.0, 0.0), np.ones(n)
    for _ in range(_ROUNDS):
        hazard = _hazards(moves, thetas, n)
        variance = fit_variance(exits, hazard, scaled=True)
        if variance.theta == 0.0:
            break
        for theta, move in zip(thetas, moves, strict=True):
            theta[: move.at_risk.shape[1]] += np.log(variance.scale)
        here = _loglik(moves, thetas, (variance.theta, exits), n)
        factor = frailty_mean(variance.theta, exits, variance.scale * hazard)
        if abs(here - before) < _TOLERANCE:
            break
        before = here
        thetas = [
            np.array(fit_piecewise(move.split(factor, windows=False), move.cuts, theta)[0].theta)
            for move, theta in zip(moves, thetas, strict=True)
        ]
    gain = max(_loglik(moves, thetas, (variance.theta, exits), n) - start, 0.0) if variance.theta else 0.0
    return replace(variance, gain=gain), factor


def _hazards(moves: Sequence[_Move], thetas: Sequence[Floats], n: int) -> Floats:
    """Return the cumulative hazard of all moves by employer, shape (n_employers,)."""
    each = (_by_employer(move, move.hazard(theta), n) for move, theta in zip(moves, thetas, strict=True))
    return sum(each, np.zeros(n))


def _loglik(moves: Sequence[_Move], thetas: Sequence[Floats], given: tuple[float, Floats], n: int) -> float:
    """Return the marginal log-likelihood of all moves at piecewise rates."""
    variance, exits = given
    known = sum(move.log_rates(theta) for move, theta in zip(moves, thetas, strict=True))
    return known + float(frailty_loglik(variance, exits, _hazards(moves, thetas, n)).sum())


def _again(one: Transition, move: _Move, factor: Floats, laws: tuple[Sequence[str], str]) -> tuple[Candidate, ...]:
    """Fit the laws of a move that can carry a factor, given the factors."""
    asked, weighting = laws
    data = move.split(factor, windows=True)
    fits, refused = [], []
    for name in [law for law in CARRIERS if law in asked] or [PIECEWISE]:
        if name == PIECEWISE:
            fits.append(piecewise_to_data(move.split(factor, windows=False), one.names, move.cuts, fading=one.fading))
            refused.append("" if fits[-1].converged else f"not converged: {fits[-1].reason}")
            continue
        fits.append(fit_to_data(FAMILIES[name], data, one.names))
        refused.append(_refused(fits[-1], data))
    if all(refused):
        fits.append(piecewise_to_data(move.split(factor, windows=False), one.names, move.cuts, fading=one.fading))
        refused.append("")
    weights = law_weights(fits, [not reason for reason in refused], weighting, one.events)
    return tuple(Candidate(*row) for row in zip(fits, weights.tolist(), refused, strict=True))


def _refused(fit: FittedFamily, data: Observations) -> str:
    """Return why a Weibull law of return is not believed, or nothing."""
    if not fit.converged:
        return f"not converged: {fit.reason}"
    return "hazard of return rises for ever" if fit.scale < 1.0 else tail_misfit(fit, data)


def _carried(
    candidates: Sequence[tuple[Candidate, ...]], moves: Sequence[_Move], given: tuple[float, Floats]
) -> tuple[list[tuple[Carried, ...]], Floats]:
    """Return how each law of each move hangs on the factors, and the hazard of the heaviest laws by employer."""
    theta, exits = given
    n = len(exits)
    parts = [
        [(one.fit, *_slopes(one.fit, move, n)) for one in each if one.weight > 0]
        for each, move in zip(candidates, moves, strict=True)
    ]
    hazard = sum((rows[0][1] for rows in parts), np.zeros(n))
    # Var(Z) given the data: what Louis (1982) takes off the information of the laws.
    unknown = (1.0 / theta + exits) / (1.0 / theta + hazard) ** 2
    return [
        tuple(Carried(fit.family, h, slope, _spread(fit.covariance, slope, unknown)) for fit, h, slope in rows)
        for rows in parts
    ], hazard


def _slopes(fit: FittedFamily, move: _Move, n: int) -> tuple[Floats, Floats]:
    """Return the cumulative hazard of a move by employer, and its derivatives by the law's parameters."""
    here = _by_employer(move, _stay_hazard(fit, move, fit.theta), n)
    slopes = np.empty((n, len(fit.theta)))
    for place in range(len(fit.theta)):
        moved = np.zeros(len(fit.theta))
        moved[place] = _STEP
        above, below = (_stay_hazard(fit, move, fit.theta + sign * moved) for sign in (1.0, -1.0))
        slopes[:, place] = _by_employer(move, (above - below) / (2.0 * _STEP), n)
    return here, slopes


def _stay_hazard(fit: FittedFamily, move: _Move, theta: Floats) -> Floats:
    """Return the weighted hazard each stay collects between entry and the middle of its exit, shape (n_stays,)."""
    data = move.data
    if fit.family == PIECEWISE:
        return move.hazard(theta)
    alone = TransitionDraws(
        "", "", tuple(range(data.design.shape[1])), (law_draws(fit.family, theta[None, :], fit.cuts),), np.zeros(1, int)
    )
    location, draw = alone.location(data.design)[:, 0], np.zeros(len(data), dtype=np.int64)
    until = alone.cumulative_hazard(move.middle, location, draw)
    return np.asarray(data.weights * (until - alone.cumulative_hazard(data.entry, location, draw)))


def _spread(covariance: Floats, slope: Floats, unknown: Floats) -> Floats:
    """Return what not knowing the factors adds to a covariance: (I - V)^-1 - I^-1 with V = sum of Var(Z) g g'.

    I is the information given the factors (Louis 1982, Journal of the Royal Statistical Society B 44, 226).
    """
    root = np.linalg.cholesky(covariance)
    lost = root.T @ (slope.T * unknown) @ slope @ root
    values, vectors = np.linalg.eigh(0.5 * (lost + lost.T))
    # A share of information of one or more is lost only by rounding or by a law that is off its maximum.
    share = np.clip(values, 0.0, 0.999)
    turned = root @ vectors
    return np.asarray((turned * (share / (1.0 - share))) @ turned.T)
