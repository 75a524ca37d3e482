"""What a synthetic world is told: size, years, shares, trends and the calendar shocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd

from msk_reserves._checks import not_negative, one_of, positive, share, whole
from msk_reserves.samples.injuries import BODY_PARTS_MADE

BASE_DAY = 20_089
"""1 January 2025 in days since 1970-01-01: the price level of every dollar constant of the generator."""

NEVER = 10_000_000
"""A day that never comes."""


class WorldOptions(TypedDict, total=False):
    """The keyword arguments of `generate_world`, as type checkers see them; `Settings` holds meaning and defaults."""

    accident_years: Sequence[int]
    bundled_share: float
    body_parts: Sequence[str] | None
    medical_shock_cv: float
    indemnity_shock_cv: float
    medical_trend: float
    wage_trend: float
    horizon_years: int
    medical_only_share: float
    bundle_time_ratio: float


@dataclass(frozen=True, slots=True)
class Settings:
    """The terms of one synthetic world.

    Attributes
    ----------
    n_claims : claims in the world, reported or not.
    seed : seed of every random stream.
    accident_years : calendar years of injury, consecutive or not.
    bundled_share : share of the lost-time claims that enter a bundle.
    body_parts : the body parts to draw from, or None for the whole musculoskeletal mix.
    medical_shock_cv, indemnity_shock_cv : coefficient of variation of the factor every calendar year draws.
    medical_trend, wage_trend : yearly growth of medical prices, and of wages and all dollars that are not care.
    horizon_years : years after the last accident year for which lives are followed.
    medical_only_share : share of the claims without a day off work.
    bundle_time_ratio : factor on the days off that remain when a bundle begins (below 1: faster recovery).
    """

    n_claims: int
    seed: int
    accident_years: Sequence[int] = range(2018, 2025)
    bundled_share: float = 0.08
    body_parts: Sequence[str] | None = None
    medical_shock_cv: float = 0.05
    indemnity_shock_cv: float = 0.04
    medical_trend: float = 0.035
    wage_trend: float = 0.035
    horizon_years: int = 12
    medical_only_share: float = 0.25
    bundle_time_ratio: float = 0.9

    def __post_init__(self) -> None:
        whole(self.n_claims, "n_claims", at_least=1)
        whole(self.seed, "seed")
        whole(self.horizon_years, "horizon_years", at_least=1)
        years = [whole(year, "accident_years", at_least=1990) for year in self.accident_years]
        if not years:
            raise ValueError("`accident_years` must name at least one year, got none")
        if max(years) + self.horizon_years > 2200:
            raise ValueError(f"`accident_years` must end, with the horizon, by 2200; got {max(years)}")
        for name in ("bundled_share", "medical_only_share"):
            share(getattr(self, name), name)
        for name in ("medical_shock_cv", "indemnity_shock_cv", "medical_trend", "wage_trend"):
            not_negative(getattr(self, name), name)
        positive(self.bundle_time_ratio, "bundle_time_ratio")
        if self.body_parts is not None:
            if not self.body_parts:
                raise ValueError(
                    "`body_parts` must name at least one body part, or be None for the whole mix; got none"
                )
            for part in self.body_parts:
                one_of(part, BODY_PARTS_MADE, "body_parts")

    @property
    def end_day(self) -> int:
        """The last day any life is followed to, days since 1970-01-01."""
        return int(np.datetime64(f"{max(self.accident_years) + self.horizon_years}-12-31").astype(int))

    @property
    def end(self) -> pd.Timestamp:
        """The same as a date."""
        return pd.Timestamp(self.end_day, unit="D")
