"""What may be asked of a fit of the path."""

from collections.abc import Mapping
from typing import NamedTuple

from msk_reserves._checks import one_of
from msk_reserves.recovery.laws.fit import LAWS
from msk_reserves.recovery.path.covariates import Ask, Move
from msk_reserves.recovery.path.employer_fit import FRAILTIES
from msk_reserves.recovery.path.selection import WEIGHTINGS


class Asked(NamedTuple):
    """What was asked of a fit."""

    covariates: Ask | Mapping[Move, Ask]
    candidates: tuple[str, ...]
    weighting: str
    frailty: str | None
    strata: str | None

    def check(self) -> None:
        """Refuse options that are unknown, or that cannot be had together."""
        one_of(self.weighting, WEIGHTINGS, "weighting")
        if self.frailty is not None:
            one_of(self.frailty, FRAILTIES, "frailty")
        for name in self.candidates:
            one_of(name, LAWS, "candidates")
        if not self.candidates:
            raise ValueError("`candidates` must name at least one law, got none")
        if self.strata is not None and self.frailty is not None:
            raise ValueError(
                f"`strata` must be left out with `frailty`, whose factor multiplies one law a move; got "
                f"{self.strata!r} and {self.frailty!r}. Name the column in `covariates`, or leave `frailty` out"
            )
