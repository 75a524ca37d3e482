"""Employers' own factor on the return of their workers: who they are, what is known of each, and draws of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from msk_reserves._checks import Floats, Integers, level as checked_level
from msk_reserves.recovery.laws.frailty import GammaVariance, frailty_mean

NOBODY = 0.0
"""Number of an employer whose factor is the average, as of a claim at average covariates."""

COLUMN = -1
"""Place of the employer's number in a design: the last."""

_LEAST_FACTOR = 1e-12


def employer_numbers(claims: pd.DataFrame) -> Floats:
    """Return a number for the employer of each claim, the same in every book; shape (n_claims,).

    A claim without an employer is one of its own, by its id or else its row.
    """
    given = claims["employer_id"]
    alone = "claim " + (claims["claim_id"] if "claim_id" in claims.columns else claims.index.to_series()).astype(str)
    names = ("employer " + given.astype(str)).where(given.notna(), alone)
    codes, different = pd.factorize(names)
    numbers = np.array([_number(name) for name in different], dtype=np.float64)
    return np.asarray(numbers[codes])


def _number(name: str) -> float:
    """Return a whole number that a double holds exactly, above zero, from a name."""
    return float(1 + int.from_bytes(hashlib.blake2b(name.encode(), digest_size=6).digest(), "big"))


@dataclass(frozen=True, slots=True)
class EmployerColumn:
    """The last column of a design: the number of each claim's employer, which no law multiplies."""

    @property
    def names(self) -> tuple[str, ...]:
        """The name of the column."""
        return ("employer",)

    @property
    def sources(self) -> tuple[str, ...]:
        """The column of the claims it is made from."""
        return ("employer_id",)

    @property
    def gaps(self) -> tuple[tuple[str, int], ...]:
        """Nothing: a claim without an employer is one of its own."""
        return ()

    def values(self, claims: pd.DataFrame) -> Floats:
        """Return the numbers, shape (n_claims, 1)."""
        return employer_numbers(claims)[:, None]

    def unseen(self, claims: pd.DataFrame) -> Mapping[str, int]:
        """Return nothing: a new employer's factor comes from the spread among employers."""
        del claims
        return {}


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """How one law of a move hangs on the employers' factors.

    Attributes
    ----------
    family : name of the law.
    hazard : cumulative hazard of the move by employer without the factor, shape (n_employers,).
    gradient : its derivative by the law's parameters, shape (n_employers, n_parameters).
    spread : what not knowing the factors adds to the covariance of the parameters.
    """

    family: str
    hazard: Floats
    gradient: Floats
    spread: Floats


@dataclass(frozen=True, slots=True, eq=False)
class EmployerFrailty:
    """One gamma factor an employer on the hazards of its workers' return.

    Attributes
    ----------
    variance : variance of the factor among employers, with its error and test.
    moves : names of the moves it multiplies.
    employers : id of each employer, a claim without one by its own id; sorted by `numbers`.
    numbers : number of each employer in the design, ascending; shape (n_employers,).
    claims, exits, hazard : claims, returns and the returns expected without the factor; shape (n_employers,).
    carried : laws of each move, in the order of `moves`.
    """

    variance: GammaVariance
    moves: tuple[str, ...]
    employers: tuple[str, ...]
    numbers: Floats
    claims: Integers
    exits: Floats
    hazard: Floats
    carried: tuple[tuple[Carried, ...], ...]

    def __post_init__(self) -> None:
        for array in (self.numbers, self.claims, self.exits, self.hazard):
            array.flags.writeable = False

    def to_frame(self, *, level: float = 0.9) -> pd.DataFrame:
        """Return a row an employer, most claims first.

        Columns: employer, claims, returns, expected (by the laws without the factor), credibility (weight of the
        employer's own returns over expected), factor (posterior mean) and low, high (credible interval at `level`,
        given the laws and the variance). A factor above one is a faster return.
        """
        tail = 0.5 * (1.0 - checked_level(level))
        theta = self.variance.theta
        shape, rate = 1.0 / theta + self.exits, 1.0 / theta + self.hazard
        frame = pd.DataFrame(
            {
                "employer": self.employers,
                "claims": self.claims,
                "returns": self.exits,
                "expected": self.hazard,
                "credibility": theta * self.hazard / (1.0 + theta * self.hazard),
                "factor": frailty_mean(theta, self.exits, self.hazard),
                "low": stats.gamma.ppf(tail, shape) / rate,
                "high": stats.gamma.isf(tail, shape) / rate,
            }
        )
        return frame.sort_values(["claims", "employer"], ascending=[False, True], ignore_index=True)

    def __repr__(self) -> str:
        return (
            f"Employers differ in how fast their workers return: variance {self.variance.theta:.3g} of a factor with "
            f"mean one on {len(self.moves)} kinds of moves (p {self.variance.p_value:.2g}), {len(self.employers):,} "
            f"employers with {self.exits.sum():,.6g} returns"
        )

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{self.to_frame().to_html(index=False, float_format=lambda x: f'{x:,.2f}')}"


@dataclass(frozen=True, slots=True, eq=False)
class FactorDraws:
    """Draws of the employers' factors.

    Attributes
    ----------
    numbers : known employers, ascending; shape (n_employers,).
    log_factor : ln of the factor, shape (n_employers, n_draws).
    theta : variance of the factor among employers, for those not known; shape (n_draws,).
    seed : seed of theirs; None where the factor of an unknown employer is one.
    """

    numbers: Floats
    log_factor: Floats
    theta: Floats
    seed: int | None

    def __post_init__(self) -> None:
        for array in (self.numbers, self.log_factor, self.theta):
            array.flags.writeable = False

    def of(self, design: Floats) -> Floats:
        """Return ln of the factor of each claim's employer in each draw, shape (n_claims, n_draws).

        An employer that was not in the fit has a draw from the spread among employers, keyed by its number, so that its
        claims share it.
        """
        different, place = np.unique(design[:, COLUMN], return_inverse=True)
        row = np.minimum(np.searchsorted(self.numbers, different), len(self.numbers) - 1)
        known = self.numbers[row] == different
        values = np.where(known[:, None], self.log_factor[row], 0.0)
        for one in np.flatnonzero(~known & (different != NOBODY)):
            if self.seed is not None:
                values[one] = self._new(different[one])
        return np.asarray(values[place.ravel()])

    def _new(self, number: float) -> Floats:
        """Return draws for an employer that was not in the fit, shape (n_draws,)."""
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([self.seed or 0, int(number)])))
        return np.log(np.maximum(rng.gamma(1.0 / self.theta, self.theta), _LEAST_FACTOR))


def point_factors(frailty: EmployerFrailty) -> FactorDraws:
    """Return the posterior means of the factors as a single draw, one for an employer that was not in the fit."""
    mean = frailty_mean(frailty.variance.theta, frailty.exits, frailty.hazard)
    return FactorDraws(frailty.numbers, np.log(mean)[:, None], np.full(1, frailty.variance.theta), None)


def draw_factors(frailty: EmployerFrailty, hazard: Floats, rng: np.random.Generator, seed: int) -> FactorDraws:
    """Draw the factors given each employer's exits and its hazard under each draw of the laws.

    Parameters
    ----------
    frailty : EmployerFrailty
        What is known of the employers.
    hazard : numpy.ndarray, shape (n_employers, n_draws)
        Cumulative hazard of each employer without the factor.
    rng, seed : source of these numbers, and seed for employers that were not in the fit.

    Returns
    -------
    FactorDraws
        Gamma with shape 1/theta + D and rate 1/theta + H; ln theta is normal, held within three standard errors.
    """
    n = hazard.shape[1]
    error = frailty.variance.log_error if np.isfinite(frailty.variance.log_error) else 0.0
    theta = frailty.variance.theta * np.exp(error * np.clip(rng.standard_normal(n), -3.0, 3.0))
    factor = rng.gamma(1.0 / theta + frailty.exits[:, None]) / (1.0 / theta + hazard)
    return FactorDraws(frailty.numbers, np.log(np.maximum(factor, _LEAST_FACTOR)), theta, seed)
