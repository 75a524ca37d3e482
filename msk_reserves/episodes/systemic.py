"""What moves all claims at once: the systemic risk assumption, and its draws."""

from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, not_negative
from msk_reserves.claims.book import Assumption, Judged
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.episodes.randomness import generator


@dataclass(frozen=True, slots=True)
class SystemicRisk(Judged):
    """Common factors of mean 1 on all unpaid dollars of a component, one a scenario.

    Attributes
    ----------
    medical, indemnity, expense : coefficient of variation of each component's lognormal factor.
    correlation : correlation of the factors' logarithms, the same for each pair.
    source : where the figures come from; printed wherever a band is.

    Examples
    --------
    >>> SystemicRisk().medical, SystemicRisk(medical=0.0, indemnity=0.0, expense=0.0).draw(3, seed=1).tolist()[0]
    (0.05, [1.0, 1.0, 1.0])
    """

    medical: float = 0.05
    indemnity: float = 0.04
    expense: float = 0.05
    correlation: float = 0.5
    source: str = "judgement: fee schedules, inflation, benefit law and attorney climate together"

    def __post_init__(self) -> None:
        for name in COMPONENTS:
            not_negative(getattr(self, name), name)
        if not 0 <= self.correlation < 1:
            raise ValueError(f"`correlation` must lie in [0, 1), got {self.correlation!r}")

    def draw(self, scenarios: int, seed: int) -> Floats:
        """Return the factors, shape (scenarios, 3), in the order medical, indemnity, expense.

        The first factors of a longer draw are those of a shorter one.
        """
        normal = generator(seed, "systemic").standard_normal((scenarios, 4))
        common, own = normal[:, :1], normal[:, 1:]
        joint = np.sqrt(self.correlation) * common + np.sqrt(1 - self.correlation) * own
        sigma = np.sqrt(np.log1p(np.square([self.medical, self.indemnity, self.expense])))
        factors: Floats = np.exp(sigma * joint - sigma**2 / 2)
        return factors

    def assumption(self) -> Assumption:
        """Return the assumption as it is printed."""
        value = (
            f"coefficient of variation {self.medical:.1%} medical, {self.indemnity:.1%} indemnity, "
            f"{self.expense:.1%} expense; correlation {self.correlation:g}"
        )
        return Assumption("systemic risk", value, self.whose())
