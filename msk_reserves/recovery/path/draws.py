"""Parameter draws of a recovery: hazards as the simulation asks for them, element by element."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from msk_reserves._checks import Booleans, Floats, Integers, whole
from msk_reserves.recovery.laws.cure import CURES, is_cure
from msk_reserves.recovery.laws.families import BY_CLAIM, FAMILIES, Family, cumulative_hazard, days_at_hazard, hazard
from msk_reserves.recovery.laws.fit import FittedFamily
from msk_reserves.recovery.laws.piecewise import PIECEWISE, cumulative_at_cuts
from msk_reserves.recovery.laws.products import applied
from msk_reserves.recovery.laws.spline import basis, is_spline, log_cumulative_hazard, log_days_at, log_slope
from msk_reserves.recovery.laws.tilt import at_level, levels_of
from msk_reserves.recovery.path.employers import FactorDraws


@dataclass(frozen=True, slots=True, eq=False)
class LawDraws:
    """Draws of the parameters of one law; draws that use another law hold anything.

    Attributes
    ----------
    family : name of the law.
    coefficients : constant and coefficients of the location, or log hazard ratios without one; shape
        (n_draws, n_coefficients).
    scale, shape : shape (n_draws,).
    rates : rate per day by piece, shape (n_draws, n_pieces), or a row a claim; no columns for other laws.
    cuts : ends of the pieces, shape (n_pieces - 1,), or knots of a spline, in days.
    curve : coefficients of a spline of ln H, shape (n_draws, n_knots); no columns for other laws.
    plateau : share that never leaves by this move, zero but for a mixture cure; shape (n_draws,).
    """

    family: str
    coefficients: Floats
    scale: Floats
    shape: Floats
    rates: Floats
    cuts: Floats
    curve: Floats
    plateau: Floats

    def __post_init__(self) -> None:
        for array in (self.coefficients, self.scale, self.shape, self.rates, self.cuts, self.curve, self.plateau):
            array.flags.writeable = False

    @property
    def constant(self) -> int:
        """Number of constants among the coefficients: 1 where they move ln days, 0 where they are log hazard ratios."""
        return 0 if self.family in (PIECEWISE, BY_CLAIM) or is_spline(self.family) else 1

    def log_hazards(self, log_days: Floats, draws: Integers) -> Floats:
        """Return a spline's ln H less the location over a grid of ln days for some draws, shape (n_some, n_nodes)."""
        return np.asarray(self.curve[draws] @ basis(log_days, np.log(self.cuts)))

    def compute(self, action: str, value: Floats, location: Floats, draw: Integers) -> Floats:
        """Return the cumulative hazard ("accumulate"), hazard ("rate") or days ("invert") element by element."""
        if self.family == PIECEWISE:
            return _PIECEWISE[action](self, value, location, draw)
        if self.family == BY_CLAIM:
            return _PIECEWISE[action](self, value, np.zeros(len(value)), location.astype(np.int64))
        if is_spline(self.family):
            return _SPLINE[action](self, value, location, draw)
        family = CURES[self.family] if is_cure(self.family) else FAMILIES[self.family]
        scale = self.scale[draw] if family.free_scale else np.ones(())
        if is_cure(self.family):
            return _CURE[action](family, value, (location, scale), self.plateau[draw])
        return _LOCATION_SCALE[action](family, value, location, scale, self.shape[draw] if family.free_shape else 0.0)


def law_draws(family: str, theta: Floats, cuts: Floats) -> LawDraws:
    """Return draws on the unconstrained scale, shape (n_draws, n_parameters), as the numbers hazards need."""
    n = len(theta)
    one, none, no_columns = np.ones(n), np.zeros(n), np.zeros((n, 0))
    if family == PIECEWISE:
        pieces = len(cuts) + 1
        rates = np.exp(theta[:, :pieces])
        return LawDraws(family, np.array(theta[:, pieces:]), one, none, rates, np.array(cuts), no_columns, none)
    if is_spline(family):
        size = len(cuts)
        curve = np.array(theta[:, :size])
        return LawDraws(family, np.array(theta[:, size:]), one, none, no_columns, np.array(cuts), curve, none)
    law = CURES[family] if is_cure(family) else FAMILIES[family]
    tail = int(law.free_scale) + int(law.free_shape) + int(is_cure(family))
    p = theta.shape[1] - tail
    scale = np.exp(theta[:, p]) if law.free_scale else one
    shape = np.array(theta[:, -1]) if law.free_shape else none
    plateau = special.expit(theta[:, -1]) if is_cure(family) else none
    return LawDraws(family, np.array(theta[:, :p]), scale, shape, no_columns, np.zeros(0), no_columns, plateau)


def placed(fit: FittedFamily, theta: Floats, design: Floats) -> tuple[tuple[LawDraws, Integers, Floats], ...]:
    """Return the plain laws that parameters of a fit are for stays, with the stays of each and their locations.

    Parameters
    ----------
    fit : FittedFamily
        The law.
    theta : numpy.ndarray, shape (n_draws, n_parameters)
        Parameters, laid out as its estimates.
    design : numpy.ndarray, shape (n_stays, n_covariates)
        The covariates of the fit.

    Returns
    -------
    tuple of (LawDraws, rows of the stays, locations of shape (n_rows, n_draws))
    """
    found = []
    for level, rows in levels_of(fit, design):
        law = law_draws(fit.family, at_level(fit, theta, level), fit.cuts)
        location = applied(design[rows] if fit.tilt else design, law.coefficients[:, law.constant :].T)
        found.append((law, rows, location + law.coefficients[:, 0] if law.constant else location))
    return tuple(found)


def collected(parts: tuple[tuple[LawDraws, Integers, Floats], ...], days: Floats, among: Booleans) -> Floats:
    """Return the cumulative hazard by `days` of some of the stays that were `placed`, shape (n_among, n_draws)."""
    result = np.empty((len(days), parts[0][2].shape[1]))
    for law, rows, location in parts:
        some = among[rows]
        at = rows[some]
        draw = np.tile(np.arange(result.shape[1]), len(at))
        found = law.compute("accumulate", np.repeat(days[at], result.shape[1]), location[some].ravel(), draw)
        result[at] = found.reshape(len(at), result.shape[1])
    return result[among]


def at_mark(law: LawDraws, mark: float) -> LawDraws:
    """Return draws with the first covariate held at `mark` and taken into the constant, curve or rates."""
    constant = law.constant
    moved = mark * law.coefficients[:, constant]
    rest = np.delete(law.coefficients, constant, axis=1)
    if constant:
        rest[:, 0] += moved
        return replace(law, coefficients=rest)
    if is_spline(law.family):
        curve = np.array(law.curve)
        curve[:, 0] += moved
        return replace(law, coefficients=rest, curve=curve)
    return replace(law, coefficients=rest, rates=law.rates * np.exp(moved)[:, None])


SHUT = 200.0
"""Log hazard ratio, with a minus, or standardised location of ln days, of claims that a move is not open to: one chance
in 10**87 a day."""


def shut_where(law: LawDraws, n: int) -> LawDraws:
    """Return draws with `n` more columns, each 1 where the move is shut and 0 elsewhere: there it has no hazard."""
    closing = SHUT * law.scale if law.constant else np.full(len(law.scale), -SHUT)
    return replace(law, coefficients=np.column_stack([law.coefficients, *([closing] * n)]))


@dataclass(frozen=True, slots=True, eq=False)
class TransitionDraws:
    """Draws of one move's hazard.

    Attributes
    ----------
    origin, target : names of the states.
    columns : columns of the book's design that the location uses.
    laws : the laws drawn from.
    law_of_draw : which of them each draw uses; shape (n_draws,).
    continues : whether the clock of the stay goes on after the move, as on retaining an attorney; else it restarts.
    forward : whether days count from the start of the claim's path (clock forward) and not from that of the stay.
    factors : factors of employers on the hazard, None where there are none.
    """

    origin: str
    target: str
    columns: tuple[int, ...]
    laws: tuple[LawDraws, ...]
    law_of_draw: Integers
    continues: bool = False
    forward: bool = False
    factors: FactorDraws | None = None

    def __post_init__(self) -> None:
        self.law_of_draw.flags.writeable = False

    def __repr__(self) -> str:
        counts = np.bincount(self.law_of_draw, minlength=len(self.laws))
        parts = ", ".join(f"{law.family} {n}" for law, n in zip(self.laws, counts, strict=True))
        return f"{self.origin} to {self.target}, {len(self.law_of_draw)} draws: {parts}"

    def location(self, design: Floats) -> Floats:
        """Return the location of ln days, or the log hazard ratio, of each claim in each draw.

        Parameters
        ----------
        design : numpy.ndarray, shape (n_claims, n_columns)
            The book's whole design, as `CovariateDesign.matrix` makes it.

        Returns
        -------
        numpy.ndarray, shape (n_claims, n_draws)
        """
        used = design[:, list(self.columns)]
        result = np.empty((len(design), len(self.law_of_draw)))
        for code, law in enumerate(self.laws):
            at = np.flatnonzero(self.law_of_draw == code)
            constant, coefficients = law.constant, law.coefficients[at].T
            value = np.zeros((len(design), len(at))) + (coefficients[0] if constant else 0.0)
            # Column by column: a matrix product would round differently with the number of claims beside it.
            for column, effect in zip(used.T, coefficients[constant:], strict=True):
                value += column[:, None] * effect
            result[:, at] = value
        if self.factors is not None:
            result += self.factor_slope() * self.factors.of(design)
        return result

    def factor_slope(self) -> Floats:
        """Return what the location gains by one of a log factor on the hazard, by draw; shape (n_draws,).

        A factor Z on the hazard is ln Z in a log hazard ratio and -scale x ln Z in the location of a Weibull law.
        Without factors the slope is zero.
        """
        slope = np.zeros(len(self.law_of_draw))
        for code, law in enumerate(self.laws):
            at = np.flatnonzero(self.law_of_draw == code)
            if self.factors is not None:
                slope[at] = -law.scale[at] if law.family in FAMILIES else 1.0
        return slope

    def cumulative_hazard(self, days: Floats, location: Floats, draw: Integers) -> Floats:
        """Return the hazard collected in the first `days` of a stay; every argument has shape (m,)."""
        return self._by_law("accumulate", days, location, draw)

    def hazard(self, days: Floats, location: Floats, draw: Integers) -> Floats:
        """Return the hazard per day at `days` > 0; every argument has shape (m,)."""
        return self._by_law("rate", days, location, draw)

    def exit_days(self, accumulated: Floats, location: Floats, draw: Integers) -> Floats:
        """Return the days at which a stay has collected `accumulated`; infinite when it never does."""
        return self._by_law("invert", accumulated, location, draw)

    def _by_law(self, action: str, value: Floats, location: Floats, draw: Integers) -> Floats:
        """Sort elements by the law of their draw and compute each group at once."""
        codes = self.law_of_draw[draw] if len(self.laws) > 1 else np.zeros(0, dtype=np.int64)
        if len(self.laws) == 1 or (len(codes) and (codes == codes[0]).all()):
            law = self.laws[int(codes[0]) if len(codes) else 0]
            return law.compute(action, value, location, draw)
        result = np.empty(len(value))
        for code, law in enumerate(self.laws):
            at = np.flatnonzero(codes == code)
            if len(at):
                result[at] = law.compute(action, value[at], location[at], draw[at])
        return result


def _piecewise_accumulate(law: LawDraws, days: Floats, location: Floats, draw: Integers) -> Floats:
    """Return e^location times the cumulative baseline."""
    piece = np.searchsorted(law.cuts, days, side="left")
    flat = draw * law.rates.shape[1] + piece
    left = np.concatenate([[0.0], law.cuts])[piece]
    start = cumulative_at_cuts(law.rates, law.cuts).ravel()[flat]
    return np.asarray(np.exp(location) * (start + law.rates.ravel()[flat] * (days - left)))


def _piecewise_rate(law: LawDraws, days: Floats, location: Floats, draw: Integers) -> Floats:
    """Return e^location times the rate of the piece."""
    piece = np.searchsorted(law.cuts, days, side="left")
    return np.asarray(np.exp(location) * law.rates.ravel()[draw * law.rates.shape[1] + piece])


def _piecewise_invert(law: LawDraws, accumulated: Floats, location: Floats, draw: Integers) -> Floats:
    """Return the days, by bisecting each draw's own table of cumulative hazards at the cuts."""
    with np.errstate(over="ignore"):
        wanted = accumulated * np.exp(-location)
    pieces = law.rates.shape[1]
    width = 1 << (pieces - 1).bit_length()
    table = np.full((len(law.rates), width), np.inf)
    table[:, :pieces] = cumulative_at_cuts(law.rates, law.cuts)
    flat, base = table.ravel(), draw * width
    piece = np.zeros(len(wanted), dtype=np.int64)
    step = width >> 1
    while step:
        piece += step * (flat[base + piece + step] <= wanted)
        step >>= 1
    left = np.concatenate([[0.0], law.cuts])[piece]
    with np.errstate(over="ignore"):
        return np.asarray(left + (wanted - flat[base + piece]) / law.rates.ravel()[draw * pieces + piece])


def _spline_accumulate(law: LawDraws, days: Floats, location: Floats, draw: Integers) -> Floats:
    """Return exp(location + s(ln days)), zero at day zero."""
    with np.errstate(divide="ignore"):
        log_days = np.log(days)
    inside = np.where(np.isneginf(log_days), 0.0, log_days)
    log_h = location + log_cumulative_hazard(law.curve[draw], np.log(law.cuts), inside)
    return np.asarray(np.where(np.isneginf(log_days), 0.0, np.exp(log_h)))


def _spline_rate(law: LawDraws, days: Floats, location: Floats, draw: Integers) -> Floats:
    """Return H s'(ln days) / days."""
    slope = log_slope(law.curve[draw], np.log(law.cuts), np.log(days))
    return np.asarray(_spline_accumulate(law, days, location, draw) * slope / days)


def _spline_invert(law: LawDraws, accumulated: Floats, location: Floats, draw: Integers) -> Floats:
    """Return the days at which s(ln days) = ln of the accumulated hazard less the location; zero for none."""
    some = accumulated > 0
    log_h = np.log(np.where(some, accumulated, 1.0)) - location
    with np.errstate(over="ignore"):
        return np.asarray(np.where(some, np.exp(log_days_at(law.curve[draw], np.log(law.cuts), log_h)), 0.0))


def _cure_accumulate(family: Family, days: Floats, law: tuple[Floats, Floats], plateau: Floats) -> Floats:
    """Return -ln[pi + (1 - pi) S], exact near day zero, where it is small."""
    return np.asarray(-np.log1p((1.0 - plateau) * np.expm1(-cumulative_hazard(family, days, *law))))


def _cure_rate(family: Family, days: Floats, law: tuple[Floats, Floats], plateau: Floats) -> Floats:
    """Return h (1 - pi) S / (pi + (1 - pi) S)."""
    ending = (1.0 - plateau) * np.exp(-cumulative_hazard(family, days, *law))
    return np.asarray(hazard(family, days, *law) * ending / (plateau + ending))


def _cure_invert(family: Family, accumulated: Floats, law: tuple[Floats, Floats], plateau: Floats) -> Floats:
    """Return the days, infinite where the accumulated hazard is more than -ln pi: the stay never ends."""
    fallen = -np.expm1(-accumulated) / (1.0 - plateau)
    ends = fallen < 1.0
    among = -np.log1p(-np.where(ends, fallen, 0.5))
    return np.asarray(np.where(ends, days_at_hazard(family, among, *law), np.inf))


_LOCATION_SCALE = {"accumulate": cumulative_hazard, "rate": hazard, "invert": days_at_hazard}
_PIECEWISE = {"accumulate": _piecewise_accumulate, "rate": _piecewise_rate, "invert": _piecewise_invert}
_SPLINE = {"accumulate": _spline_accumulate, "rate": _spline_rate, "invert": _spline_invert}
_CURE = {"accumulate": _cure_accumulate, "rate": _cure_rate, "invert": _cure_invert}


@dataclass(frozen=True, slots=True, eq=False)
class RecoveryDraws:
    """Parameter draws of all moves of a recovery.

    Attributes
    ----------
    seed : the seed, with which each move's own numbers are keyed; None for the estimates themselves.
    n_draws : number of draws.
    moves : draws of each move.
    entry_column : first column of the design that says how late a stay began, -1 for none.
    """

    seed: int | None
    n_draws: int
    moves: tuple[TransitionDraws, ...]
    entry_column: int = -1

    def __repr__(self) -> str:
        return f"{self.n_draws:,} parameter draws of {len(self.moves)} moves, seed {self.seed}"

    def transitions_from(self, state: str) -> tuple[TransitionDraws, ...]:
        """Return the moves out of `state`, none if it was never left."""
        return tuple(one for one in self.moves if one.origin == state)


def check_draws(n: int, seed: int) -> None:
    """Refuse a number of draws below one or a negative seed."""
    whole(n, "n", at_least=1)
    whole(seed, "seed")
