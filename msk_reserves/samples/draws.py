"""Random streams, one a purpose, and the ledger entries every writer hands on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.vocabulary import CATEGORY_CODE

NO_SHOCK, MEDICAL_SHOCK, INDEMNITY_SHOCK = 0, 1, 2
NO_DAY = -1


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Return the generator of one purpose, so that a change to one part of a world leaves the other parts' draws."""
    key = hashlib.blake2b(purpose.encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(key, "little")])


def lognormal(rng: np.random.Generator, median: npt.ArrayLike, sigma: npt.ArrayLike, n: int) -> Floats:
    """Draw `n` lognormal values of the stated medians and log standard deviations."""
    return np.asarray(median * np.exp(np.asarray(sigma) * rng.standard_normal(n)), dtype=np.float64)


def whole_days(days: npt.ArrayLike, *, at_least: int = 0) -> Integers:
    """Round days to whole ones, not below the stated number."""
    return np.maximum(np.rint(np.asarray(days, dtype=np.float64)), at_least).astype(np.int64)


def spread(counts: Integers) -> tuple[Integers, Integers]:
    """Return, for counts of entries by row, the row of each entry and its place within the row."""
    row = np.repeat(np.arange(len(counts)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    return row, np.arange(len(row)) - first


def cents(amount: npt.ArrayLike) -> Floats:
    """Round dollars to cents."""
    return np.asarray(np.round(np.asarray(amount, dtype=np.float64), 2), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Payments before the calendar shocks; every column has shape (n_entries,).

    Attributes
    ----------
    claim : row of the claim in the world.
    day : day paid, days since 1970-01-01.
    category : code into `CATEGORY_NAMES`.
    amount : dollars.
    service_day : day of the service, `NO_DAY` where there is none.
    units : visits or hours, NaN where there are none.
    shock : which calendar shock multiplies the amount.
    shock_day : the day whose calendar year sets that shock.
    """

    claim: Integers
    day: Integers
    category: Integers
    amount: Floats
    service_day: Integers
    units: Floats
    shock: Integers
    shock_day: Integers

    def __len__(self) -> int:
        return len(self.claim)

    def where(self, chosen: Booleans | Integers) -> "Entries":
        """Return the chosen entries."""
        return Entries(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def in_order(self) -> "Entries":
        """Return the entries in the order claim, day, category."""
        return self.where(np.lexsort((self.category, self.day, self.claim)))


def paid(claim: Integers, day: Integers, category: str, amount: Floats, *, shock: int = NO_SHOCK) -> Entries:
    """Return entries of one category without a service, shocked by their day of payment."""
    n = len(claim)
    return Entries(
        claim=claim,
        day=day,
        category=np.full(n, CATEGORY_CODE[category]),
        amount=amount,
        service_day=np.full(n, NO_DAY),
        units=np.full(n, np.nan),
        shock=np.full(n, shock),
        shock_day=day,
    )


def joined(pieces: Sequence[Entries]) -> Entries:
    """Put entries one after the other."""
    return Entries(*(np.concatenate([getattr(piece, field.name) for piece in pieces]) for field in fields(Entries)))
