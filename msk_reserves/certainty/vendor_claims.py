"""What sellers of bundles say of their programmes: a catalogue with provenance, and priors of small stated weight."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd
from scipy import stats

from msk_reserves._checks import Floats, level, share, whole
from msk_reserves.episodes.randomness import generator

MOST_WEIGHT = 25
"""Observations that a published programme result may count as, whatever its own number."""

NO_SELECTION = 0.5
"""Largest belief that a published difference is the programme's doing and not the choice of claims."""


@dataclass(frozen=True, slots=True)
class VendorClaim:
    """A published programme result: a scenario with its provenance, never an estimate.

    Attributes
    ----------
    name : key in the catalogue.
    statement : what is said.
    kind : "probability", "ratio" or "scale" (dollars).
    value : the programme's figure.
    usual_low, usual_high : what it is held against.
    clock : from when it counts, and for how long.
    population : whom it is about.
    n : claims behind it, None where it is not said.
    source, status : where it stands, and what was found when it was looked up.
    supported, not_supported : what other sources bear out, and what they do not.
    use : what it may be a scenario of.
    """

    name: str
    statement: str
    kind: str
    value: float
    usual_low: float
    usual_high: float
    clock: str
    population: str
    n: int | None
    source: str
    status: str
    supported: str
    not_supported: str
    use: str

    def __str__(self) -> str:
        return (
            f"{self.name}: {self.statement} ({self.clock}; {self.population}; n {self.n or 'not stated'}). "
            f"Source: {self.source}; {self.status}. Supported: {self.supported}. Not supported: {self.not_supported}. "
            f"Use: {self.use}."
        )

    def prior(self, *, weight: int | None = None) -> "RatePrior":
        """Return what the claim counts as in an estimate of the same probability.

        Parameters
        ----------
        weight : observations it counts as; its own number, at most 25, when not given.

        Raises
        ------
        ValueError
            If the claim is no probability, or the weight is more than 25.
        """
        if self.kind != "probability":
            raise ValueError(f"{self.name} is a {self.kind}, not a probability: it has no beta prior")
        least = MOST_WEIGHT if self.n is None else min(self.n, MOST_WEIGHT)
        counted = least if weight is None else whole(weight, "weight", at_least=0)
        if counted > MOST_WEIGHT:
            raise ValueError(f"`weight` must be at most {MOST_WEIGHT} observations, got {counted}")
        return RatePrior(counted * self.value, counted * (1 - self.value))


@dataclass(frozen=True, slots=True)
class RatePrior:
    """A beta law of a probability, as numbers of successes and failures that it counts as.

    Attributes
    ----------
    successes, failures : its two parameters.

    Examples
    --------
    >>> after = RatePrior(22.5, 2.5).updated(successes=60, trials=100)
    >>> round(after.mean, 3), [round(edge, 3) for edge in after.interval(0.9)]
    (0.66, [0.589, 0.728])
    """

    successes: float
    failures: float

    @property
    def weight(self) -> float:
        """Observations it counts as."""
        return self.successes + self.failures

    @property
    def mean(self) -> float:
        """Mean probability; NaN where it counts as nothing."""
        return self.successes / self.weight if self.weight else float("nan")

    def updated(self, *, successes: int, trials: int) -> "RatePrior":
        """Return the law once data of one's own has been seen: the claim shrinks toward it as it grows.

        Raises
        ------
        ValueError
            If there are more successes than trials.
        """
        seen = whole(successes, "successes")
        if seen > whole(trials, "trials"):
            raise ValueError(f"`successes` must not exceed `trials` of {trials}, got {successes}")
        return RatePrior(self.successes + seen, self.failures + trials - seen)

    def interval(self, level_: float = 0.9) -> tuple[float, float]:
        """Return the equal-tailed interval of the probability."""
        tail = (1 - level(level_, "level_")) / 2
        low, high = stats.beta(self._positive()[0], self._positive()[1]).ppf([tail, 1 - tail])
        return float(low), float(high)

    def draw(self, n: int, seed: int) -> Floats:
        """Return draws of the probability, shape (n,)."""
        drawn: Floats = generator(seed, "rate prior").beta(*self._positive(), whole(n, "n", at_least=1))
        return drawn

    def _positive(self) -> tuple[float, float]:
        """Return the parameters, refused where the law counts as nothing on one side."""
        if self.successes <= 0 or self.failures <= 0:
            raise ValueError(
                f"a prior of {self.successes:g} successes and {self.failures:g} failures has no interval; give it a "
                "weight or data"
            )
        return self.successes, self.failures


@dataclass(frozen=True, slots=True, eq=False)
class VendorCatalogue(Mapping[str, VendorClaim]):
    """The published programme results, by name."""

    claims: Mapping[str, VendorClaim]

    def __getitem__(self, name: str) -> VendorClaim:
        if name not in self.claims:
            raise KeyError(f"no vendor claim {name!r}; there are {', '.join(self.claims)}")
        return self.claims[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.claims)

    def __len__(self) -> int:
        return len(self.claims)

    def to_frame(self) -> pd.DataFrame:
        """Return the catalogue as a table, a row a claim."""
        rows = [{name: getattr(one, name) for name in VendorClaim.__slots__} for one in self.claims.values()]
        return pd.DataFrame(rows).set_index("name")

    def __repr__(self) -> str:
        return f"{len(self.claims)} vendor claims: {', '.join(self.claims)}"


@cache
def vendor_claims() -> VendorCatalogue:
    """Return what sellers of bundles have published, each with clock, population, source and what bears it out.

    Examples
    --------
    >>> vendor_claims()["return_after_surgery"].value, vendor_claims()["fragmentation"].use
    (0.9, 'none')
    """
    text = files("msk_reserves.certainty").joinpath("vendor_claims.csv").read_text(encoding="utf-8")
    return VendorCatalogue({row["name"]: _claim(row) for row in csv.DictReader(text.splitlines())})


def _claim(row: Mapping[str, str]) -> VendorClaim:
    """Return one row of the catalogue."""
    return VendorClaim(
        name=row["name"],
        statement=row["statement"],
        kind=row["kind"],
        value=float(row["value"]),
        usual_low=float(row["usual_low"]),
        usual_high=float(row["usual_high"]),
        clock=row["clock"],
        population=row["population"],
        n=int(row["n"]) if row["n"] else None,
        source=row["source"],
        status=row["status"],
        supported=row["supported"],
        not_supported=row["not_supported"],
        use=row["use"],
    )


def transferred(effect: Floats | float, transfer: float = NO_SELECTION) -> Floats:
    """Return a ratio with part of its logarithm: what is believed to be the programme's doing.

    Parameters
    ----------
    effect : hazard, time or cost ratios.
    transfer : part of the log ratio kept, from 0 (all of it the choice of claims) to 1 (none of it).

    Examples
    --------
    >>> float(transferred(4.0, 0.5))
    2.0
    """
    ratios: Floats = np.asarray(effect, dtype=np.float64) ** share(transfer, "transfer")
    return ratios
