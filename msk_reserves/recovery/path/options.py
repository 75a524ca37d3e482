"""What may be asked of a fit of the path."""

from collections.abc import Mapping
from typing import NamedTuple

from msk_reserves._checks import Floats, one_of
from msk_reserves.claims.book import Assumption
from msk_reserves.recovery.laws.fit import LAWS
from msk_reserves.recovery.path.covariates import Ask, Move
from msk_reserves.recovery.path.employer_fit import FRAILTIES
from msk_reserves.recovery.path.late import LateRates
from msk_reserves.recovery.path.mortality import Mortality, mortality_assumed
from msk_reserves.recovery.path.selection import WEIGHTINGS
from msk_reserves.recovery.path.tilts import AskLevels


class Asked(NamedTuple):
    """What was asked of a fit."""

    covariates: Ask | Mapping[Move, Ask]
    candidates: tuple[str, ...]
    weighting: str
    frailty: str | None
    strata: str | None = None
    shape: AskLevels = ()
    varying: AskLevels = ()
    late_rates: LateRates | None = None
    mortality: Mortality | None = None

    @property
    def late(self) -> LateRates:
        """What is assumed of late rates."""
        return self.late_rates or LateRates()

    def check(self) -> None:
        """Refuse options that are unknown, or that cannot be had together."""
        one_of(self.weighting, WEIGHTINGS, "weighting")
        if self.frailty is not None:
            one_of(self.frailty, FRAILTIES, "frailty")
        for name in self.candidates:
            one_of(name, LAWS, "candidates")
        if not isinstance(self.late_rates, LateRates | None):
            raise TypeError(f"`late_rates` must be a `LateRates`, as LateRates(by_year=0.7), got {self.late_rates!r}")
        if not isinstance(self.mortality, Mortality | None):
            raise TypeError(f"`mortality` must be a life table, as `life_table()`, got {self.mortality!r}")
        if not self.candidates:
            raise ValueError("`candidates` must name at least one law, got none")
        for name, asked in (("strata", self.strata), ("shape", self.shape), ("varying", self.varying)):
            if asked and self.frailty is not None:
                raise ValueError(
                    f"`{name}` must be left out with `frailty`, whose factor multiplies one plain law a move; got "
                    f"{asked!r} and {self.frailty!r}. Name the column in `covariates`, or leave `frailty` out"
                )

    def assumptions(self, deaths: Floats | None) -> tuple[Assumption, ...]:
        """Return what the fit assumes; of the deaths a day expected of its workers where states go on for life."""
        return (self.late.assumption(), *(() if deaths is None else (mortality_assumed(self.mortality, deaths),)))
