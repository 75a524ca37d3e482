"""How certainty depends on the number of claims: closed forms for a book of like claims under one common factor."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import not_negative, positive, share, whole

SIZES = (1, 10, 50, 100, 500, 1000)
"""Numbers of claims at which certainty is shown, beside the user's own."""


@dataclass(frozen=True, slots=True)
class LikeClaims:
    """Claims alike and independent of one another but for one factor they share; fee for service.

    The total of n claims is S times the sum of n independent costs, S of mean 1.

    Attributes
    ----------
    mean : dollars a claim.
    variation : coefficient of variation of one claim's cost, the common factor apart.
    systemic : coefficient of variation of the common factor.

    Examples
    --------
    >>> claims = LikeClaims(mean=60_000, variation=1.2, systemic=0.06)
    >>> round(claims.variation_of(1000), 4), round(claims.process_equals_systemic)
    (0.071, 401)
    """

    mean: float
    variation: float
    systemic: float

    def __post_init__(self) -> None:
        positive(self.mean, "mean")
        not_negative(self.variation, "variation")
        not_negative(self.systemic, "systemic")

    @classmethod
    def correlated(cls, mean: float, variation: float, correlation: float) -> "LikeClaims":
        """Return claims of which one varies by `variation` in all, and any two are correlated by `correlation`.

        The coefficient of variation of n of them is variation x sqrt[(1 + (n - 1) correlation) / n].

        Examples
        --------
        >>> round(LikeClaims.correlated(1.0, 1.5, 0.01).variation_of(100), 4)
        0.2116
        """
        shared = share(correlation, "correlation") * positive(variation, "variation") ** 2
        own = (1 - correlation) * variation**2 / (1 + shared)
        return cls(mean, float(np.sqrt(own)), float(np.sqrt(shared)))

    def variance(self, n: int) -> float:
        """Return the variance of the total of `n` claims, n^2 m^2 v + n sigma^2 (1 + v), dollars squared."""
        v, one = self.systemic**2, (self.mean * self.variation) ** 2
        return whole(n, "n", at_least=1) ** 2 * self.mean**2 * v + n * one * (1 + v)

    def total(self, n: int) -> float:
        """Return the mean of the total, dollars."""
        return whole(n, "n", at_least=1) * self.mean

    def variation_of(self, n: int) -> float:
        """Return the coefficient of variation of the total: its square is process / n + systemic."""
        return float(np.sqrt(self.variance(n)) / self.total(n))

    @property
    def process_equals_systemic(self) -> float:
        """Number of claims at which process and systemic risk are equal; more claims diversify little beyond it.

        Infinite without systemic risk.
        """
        v = self.systemic**2
        return self.variation**2 * (1 + v) / v if v > 0 else float("inf")


@dataclass(frozen=True, slots=True)
class LikeClaimsBundled:
    """The same claims under one price each, with care out of scope and a seller that may fail.

    The total of n claims is n P + [e + D l (1 - e)] S x (sum of costs): a share e of cost stays with the payer, and in
    the event D, common to all claims, a share l of the rest comes back.

    Attributes
    ----------
    claims : the claims under fee for service.
    price : dollars a claim.
    excluded : share of cost out of scope.
    default_probability : that the seller fails.
    returning : share of in-scope cost that comes back then.

    Examples
    --------
    >>> claims = LikeClaims(mean=60_000, variation=1.2, systemic=0.06)
    >>> sound = LikeClaimsBundled(claims, price=52_000, excluded=0.1)
    >>> failing = LikeClaimsBundled(claims, price=52_000, excluded=0.1, default_probability=0.02, returning=0.6)
    >>> round(sound.variation_of(1000), 4), round(failing.variation_of(1000), 4)
    (0.0073, 0.078)
    """

    claims: LikeClaims
    price: float
    excluded: float = 0.0
    default_probability: float = 0.0
    returning: float = 0.0

    def __post_init__(self) -> None:
        not_negative(self.price, "price")
        for name in ("excluded", "default_probability", "returning"):
            share(getattr(self, name), name)

    def _kept(self) -> tuple[float, float]:
        """Return first and second moment of the share of cost that the payer bears."""
        e, p = self.excluded, self.default_probability
        failed = e + self.returning * (1 - e)
        return (1 - p) * e + p * failed, (1 - p) * e**2 + p * failed**2

    def variance(self, n: int) -> float:
        """Return the variance of the total of `n` claims, dollars squared."""
        first, second = self._kept()
        total = self.claims.total(n)
        # Var(A X) = E A^2 Var X + Var A (E X)^2, in this order so that nothing cancels.
        return second * self.claims.variance(n) + (second - first**2) * total**2

    def total(self, n: int) -> float:
        """Return the mean of the total, dollars."""
        return whole(n, "n", at_least=1) * self.price + self._kept()[0] * self.claims.total(n)

    def variation_of(self, n: int) -> float:
        """Return the coefficient of variation of the total."""
        mean = self.total(n)
        return float(np.sqrt(self.variance(n)) / mean) if mean else float("nan")


def variation_by_size(*books: LikeClaims | LikeClaimsBundled, sizes: Sequence[int] = SIZES) -> pd.DataFrame:
    """Return the coefficient of variation of the total by number of claims, a column a book.

    Parameters
    ----------
    books : like claims under one contract each.
    sizes : numbers of claims.

    Examples
    --------
    >>> variation_by_size(LikeClaims(1.0, 1.5, 0.0), sizes=[1, 10, 100]).round(4)[0].tolist()
    [1.5, 0.4743, 0.15]
    """
    columns = [[one.variation_of(n) for n in sizes] for one in books]
    return pd.DataFrame(np.array(columns).T, index=pd.Index(list(sizes), name="claims"))
