"""What a dollar paid later is worth today: a curve of spot rates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats, finite

YEAR = 365.25
"""Days of a year of a spot rate."""


@dataclass(frozen=True, slots=True)
class DiscountCurve:
    """Spot rates of interest by years to payment.

    Attributes
    ----------
    rates : rate a year of a payment in 1, 2, 3, ... years, with yearly compounding; between them in proportion to the
        time, before the first and beyond the last as these are. One rate alone serves every time.
    source : where the rates come from; printed with what they give.

    Raises
    ------
    ValueError
        If there is no rate, or one is not above -1.

    Examples
    --------
    >>> DiscountCurve((0.04,)).factor([0.0, 365.25, 730.5]).round(6).tolist()
    [1.0, 0.961538, 0.924556]
    >>> DiscountCurve((0.03, 0.05)).rate([0.5 * 365.25, 1.5 * 365.25, 9e9]).tolist()
    [0.03, 0.04, 0.05]
    """

    rates: Sequence[float]
    source: str = "given by the user"

    def __post_init__(self) -> None:
        if isinstance(self.rates, int | float) or not len(self.rates):
            raise ValueError(f"`rates` must hold at least one rate, as in (0.03,), got {self.rates!r}")
        for rate in self.rates:
            if finite(rate, "rates") <= -1:
                raise ValueError(f"`rates` must be above -1 (0.03 for 3 % a year), got {rate!r}")
        object.__setattr__(self, "rates", tuple(float(rate) for rate in self.rates))

    def rate(self, days: npt.ArrayLike) -> Floats:
        """Return the spot rate of payments after so many days, in the shape of `days`."""
        years = np.asarray(days, dtype=np.float64) / YEAR
        return np.asarray(np.interp(years, np.arange(1.0, len(self.rates) + 1.0), self.rates))

    def factor(self, days: npt.ArrayLike) -> Floats:
        """Return what a dollar paid after so many days is worth today, in the shape of `days`."""
        factor: Floats = (1.0 + self.rate(days)) ** (-np.asarray(days, dtype=np.float64) / YEAR)
        return factor

    def __str__(self) -> str:
        told = ", ".join(f"{rate:.2%}" for rate in self.rates[:10])
        more = f" and {len(self.rates) - 10} more" if len(self.rates) > 10 else ""
        years = "a year" if len(self.rates) == 1 else f"a year for payments in 1 to {len(self.rates)} years"
        return f"{told}{more} {years} ({self.source})"
