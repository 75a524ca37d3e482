"""Parameter draws of a recovery: hazards as the simulation asks for them, element by element."""

from dataclasses import dataclass, replace

import numpy as np

from msk_reserves._checks import Floats, Integers, whole
from msk_reserves.recovery.families import FAMILIES, cumulative_hazard, days_at_hazard, hazard
from msk_reserves.recovery.piecewise import PIECEWISE, cumulative_at_cuts


@dataclass(frozen=True, slots=True, eq=False)
class LawDraws:
    """Draws of the parameters of one law; draws that use another law hold anything.

    Attributes
    ----------
    family : name of the law.
    coefficients : constant and coefficients of the location, or log hazard ratios; shape (n_draws, n_coefficients).
    scale, shape : shape (n_draws,).
    rates : rate per day by piece, shape (n_draws, n_pieces); no columns for location-scale laws.
    cuts : ends of the pieces; shape (n_pieces - 1,).
    """

    family: str
    coefficients: Floats
    scale: Floats
    shape: Floats
    rates: Floats
    cuts: Floats

    def __post_init__(self) -> None:
        for array in (self.coefficients, self.scale, self.shape, self.rates, self.cuts):
            array.flags.writeable = False


def law_draws(family: str, theta: Floats, cuts: Floats) -> LawDraws:
    """Return draws on the unconstrained scale, shape (n_draws, n_parameters), as the numbers hazards need."""
    n = len(theta)
    if family == PIECEWISE:
        pieces = len(cuts) + 1
        rates = np.exp(theta[:, :pieces])
        return LawDraws(family, np.array(theta[:, pieces:]), np.ones(n), np.zeros(n), rates, np.array(cuts))
    law = FAMILIES[family]
    tail = int(law.free_scale) + int(law.free_shape)
    p = theta.shape[1] - tail
    scale = np.exp(theta[:, p]) if law.free_scale else np.ones(n)
    shape = np.array(theta[:, -1]) if law.free_shape else np.zeros(n)
    return LawDraws(family, np.array(theta[:, :p]), scale, shape, np.zeros((n, 0)), np.zeros(0))


def at_mark(law: LawDraws, mark: float) -> LawDraws:
    """Return draws with the first covariate held at `mark` and taken into the constant, or into the rates."""
    constant = 0 if law.family == PIECEWISE else 1
    moved = mark * law.coefficients[:, constant]
    rest = np.delete(law.coefficients, constant, axis=1)
    if constant:
        rest[:, 0] += moved
        return replace(law, coefficients=rest)
    return replace(law, coefficients=rest, rates=law.rates * np.exp(moved)[:, None])


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
    """

    origin: str
    target: str
    columns: tuple[int, ...]
    laws: tuple[LawDraws, ...]
    law_of_draw: Integers
    continues: bool = False

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
            constant = 0 if law.family == PIECEWISE else 1
            result[:, at] = law.coefficients[at, 0] if constant else 0.0
            # Column by column: a matrix product would round differently with the number of claims beside it.
            for column in range(used.shape[1]):
                result[:, at] += used[:, [column]] * law.coefficients[at, constant + column]
        return result

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
            return _compute(law, action, value, location, draw)
        result = np.empty(len(value))
        for code, law in enumerate(self.laws):
            at = np.flatnonzero(codes == code)
            if len(at):
                result[at] = _compute(law, action, value[at], location[at], draw[at])
        return result


def _compute(law: LawDraws, action: str, value: Floats, location: Floats, draw: Integers) -> Floats:
    """Compute one law on a group of elements."""
    if law.family == PIECEWISE:
        return _PIECEWISE[action](law, value, location, draw)
    family = FAMILIES[law.family]
    scale = law.scale[draw] if family.free_scale else 1.0
    shape = law.shape[draw] if family.free_shape else 0.0
    return _LOCATION_SCALE[action](family, value, location, scale, shape)


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


_LOCATION_SCALE = {"accumulate": cumulative_hazard, "rate": hazard, "invert": days_at_hazard}
_PIECEWISE = {"accumulate": _piecewise_accumulate, "rate": _piecewise_rate, "invert": _piecewise_invert}


@dataclass(frozen=True, slots=True, eq=False)
class RecoveryDraws:
    """Parameter draws of all moves of a recovery.

    Attributes
    ----------
    seed : the seed, with which each move's own numbers are keyed; None for the estimates themselves.
    n_draws : number of draws.
    moves : draws of each move.
    """

    seed: int | None
    n_draws: int
    moves: tuple[TransitionDraws, ...]

    def __repr__(self) -> str:
        return f"{self.n_draws:,} parameter draws of {len(self.moves)} moves, seed {self.seed}"

    def transitions_from(self, state: str) -> tuple[TransitionDraws, ...]:
        """Return the moves out of `state`, none if it was never left."""
        return tuple(one for one in self.moves if one.origin == state)


def check_draws(n: int, seed: int) -> None:
    """Refuse a number of draws below one or a negative seed."""
    whole(n, "n", at_least=1)
    whole(seed, "seed")
