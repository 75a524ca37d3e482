"""A whole synthetic world: every claim from injury to the end of its life, and what was known on any date."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Unpack

import numpy as np
import pandas as pd

from msk_reserves._checks import one_of, whole
from msk_reserves.claims.vocabulary import CATEGORIES, COMPONENTS
from msk_reserves.samples.events import draw_events
from msk_reserves.samples.frames import (
    by_claim,
    claims_frame,
    draw_shocks,
    events_frame,
    exposure_frame,
    payments_frame,
    truth_frame,
)
from msk_reserves.samples.lives import draw_ledger, draw_lives
from msk_reserves.samples.settings import Settings, WorldOptions


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Synthetic claims whose whole lives are known.

    Attributes
    ----------
    settings : the terms the world was made on.
    tables : `claims`, `events` and `payments` in the columns of the data model, over the claims' whole lives.
    truth : one row a claim, what no payer sees: `chronic`, `surgical`, `impaired`, `never_back`, `impairment`,
        `surgery_date`, `attorney_date`, `first_days_off`, `days_off`, `care_level`, `employer_effect`,
        `log_time_ratio`, `final_exit`, `window_end`, `unseen_medical` (dollars of care that a bundle covered).
    unseen : the services that bundles covered, in the columns of `payments`.
    shocks : the factor of each calendar year: columns medical and indemnity, index year.
    exposure : dollars before the shocks by payment: columns claim, day, component, amount, shock, year. `shock` is
        empty, `medical` or `indemnity`; `year` sets the factor.
    """

    settings: Settings
    tables: Mapping[str, pd.DataFrame]
    truth: pd.DataFrame
    unseen: pd.DataFrame
    shocks: pd.DataFrame
    exposure: pd.DataFrame

    def __repr__(self) -> str:
        years = self.settings.accident_years
        return (
            f"{len(self.truth):,} synthetic claims of accident years {min(years)} to {max(years)}, followed to "
            f"{self.settings.end.date()}: {len(self.tables['payments']):,} payments"
        )

    def cut(self, date: str | pd.Timestamp) -> dict[str, pd.DataFrame]:
        """Return the tables as they were known on the evening of a date.

        Claims reported later, events and payments dated or recorded later, disabilities and bundles that began later
        are not in them.

        Parameters
        ----------
        date : str or pandas.Timestamp
            The evening of the view.

        Returns
        -------
        dict of pandas.DataFrame
            `claims`, `events` and `payments`.

        Examples
        --------
        >>> world = generate_world(40, seed=1)
        >>> sorted(world.cut("2021-12-31"))
        ['claims', 'events', 'payments']
        """
        evening = pd.Timestamp(date)
        claims = self.tables["claims"]
        claims = claims[claims["report_date"] <= evening].reset_index(drop=True)
        working = claims["disability_start"] > evening
        claims["disability_start"] = claims["disability_start"].mask(working)
        untouched = claims["bundle_trigger_date"] > evening
        claims["arrangement"] = claims["arrangement"].mask(untouched, "ffs")
        for column in ("bundle_trigger_date", "bundle_price"):
            claims[column] = claims[column].mask(untouched)
        known = {"claims": claims}
        for name, dates in (("events", ["date", "recorded_date"]), ("payments", ["date"])):
            table = self.tables[name]
            seen = (table[dates] <= evening).all(axis=1) & table["claim_id"].isin(claims["claim_id"])
            known[name] = table[seen].reset_index(drop=True)
        return known

    def unpaid(self, date: str | pd.Timestamp, horizon_days: int = 3640) -> pd.DataFrame:
        """Return what is still paid after a date on the claims reported by then.

        Parameters
        ----------
        date : str or pandas.Timestamp
            The valuation date.
        horizon_days : int, optional
            Payments more than this many days after the date are left out.

        Returns
        -------
        pandas.DataFrame
            Index `claim_id`, columns medical, indemnity, expense and total, dollars.

        Raises
        ------
        ValueError
            If the horizon lies beyond the days the world was followed.

        Examples
        --------
        >>> world = generate_world(40, seed=1)
        >>> bool((world.unpaid("2021-12-31")["total"].sum() > 0))
        True
        """
        day = _day(date)
        until = day + whole(horizon_days, "horizon_days", at_least=1)
        if until > self.settings.end_day:
            raise ValueError(
                f"`horizon_days` must end by {self.settings.end.date()}, the last day the world was followed to; "
                f"{horizon_days} days from {pd.Timestamp(date).date()} do not; raise `horizon_years`"
            )
        claims, payments = self.tables["claims"], self.tables["payments"]
        reported = claims.loc[claims["report_date"] <= pd.Timestamp(date), "claim_id"]
        later = payments[(payments["date"] > pd.Timestamp(date)) & (payments["date"] <= pd.Timestamp(until, unit="D"))]
        sums = later.groupby(["claim_id", later["category"].map(CATEGORIES)])["amount"].sum().unstack(fill_value=0.0)
        sums = sums.reindex(index=reported.to_list(), columns=list(COMPONENTS), fill_value=0.0).fillna(0.0)
        sums["total"] = sums.sum(axis=1)
        sums.index.name, sums.columns.name = "claim_id", None
        return sums

    def systemic_cv(self, date: str | pd.Timestamp, component: str, horizon_days: int = 3640) -> float:
        r"""Return the coefficient of variation of the calendar factor on a component's unpaid dollars.

        With w the shares of the future dollars exposed to the shock k of the calendar year y, and c_k the coefficient
        of variation of that shock, independent over years and shocks: the square root of the sum of w² c_k². Dollars
        that no shock touches (temporary benefits, benefits for life) count in the denominator alone. The factor of
        the year of the valuation is counted as unknown, as on the date part of that year is still to come.

        Parameters
        ----------
        date : str or pandas.Timestamp
            The valuation date.
        component : str
            "medical", "indemnity", "expense" or "total".
        horizon_days : int, optional
            As in `unpaid`.

        Returns
        -------
        float
            A coefficient of variation.

        Examples
        --------
        >>> world = generate_world(40, seed=1, medical_shock_cv=0.0, indemnity_shock_cv=0.0)
        >>> world.systemic_cv("2021-12-31", "medical")
        0.0
        """
        one_of(component, (*COMPONENTS, "total"), "component")
        day, report = _day(date), pd.DatetimeIndex(self.tables["claims"]["report_date"])
        reported = np.asarray(report <= pd.Timestamp(date))
        dollars = self.exposure
        kept = reported[dollars["claim"]] & (dollars["day"] > day) & (dollars["day"] <= day + horizon_days)
        if component != "total":
            kept &= dollars["component"] == component
        dollars = dollars[kept]
        total = float(dollars["amount"].sum())
        if total <= 0:
            return 0.0
        cv = {"medical": self.settings.medical_shock_cv, "indemnity": self.settings.indemnity_shock_cv}
        shocked = dollars[dollars["shock"] != ""]
        parts = shocked.groupby(["shock", "year"])["amount"].sum() / total
        scale = parts.index.get_level_values("shock").map(cv).to_numpy(dtype=np.float64)
        return float(np.sqrt(np.sum((parts.to_numpy(dtype=np.float64) * scale) ** 2)))


def _day(date: str | pd.Timestamp) -> int:
    """Return a date as days since 1970-01-01."""
    return int(pd.Timestamp(date).to_datetime64().astype("datetime64[D]").astype(int))


def generate_world(n_claims: int = 6000, *, seed: int, **options: Unpack[WorldOptions]) -> World:
    """Make a synthetic world of workers' compensation musculoskeletal claims.

    Acute, chronic and surgical injuries, modified duty, relapse, late recurrence, attorneys, awards, settlements,
    lingering and lifelong care, calendar-year shocks, report and payment lags; calibrated to published targets (see
    `calibration_report`). It is made up: nothing in it is industry experience.

    Parameters
    ----------
    n_claims : int, optional
        Claims in the world.
    seed : int
        Seed of every random stream; each purpose has its own stream.
    **options
        The other terms of `Settings`: `accident_years`, `bundled_share`, `body_parts`, `medical_shock_cv`,
        `indemnity_shock_cv`, `medical_trend`, `wage_trend`, `horizon_years`, `medical_only_share`,
        `bundle_time_ratio`.

    Returns
    -------
    World
        Tables, truth and the views `cut`, `unpaid`, `systemic_cv`.

    Raises
    ------
    ValueError
        If a term is out of range.

    Examples
    --------
    >>> generate_world(100, seed=1, accident_years=[2020]).truth["lost_time"].sum() > 50
    np.True_
    """
    settings = Settings(n_claims=n_claims, seed=seed, **options)
    lives = draw_lives(settings)
    entries, unseen = draw_ledger(lives)
    shocks = draw_shocks(settings)
    events = draw_events(lives.workers, lives.first, lives.stays, lives.endings, entries, settings)
    tables = {
        "claims": claims_frame(lives),
        "events": events_frame(events, n_claims),
        "payments": payments_frame(entries, shocks, n_claims),
    }
    return World(
        settings=settings,
        tables=MappingProxyType(tables),
        truth=truth_frame(lives, by_claim(unseen, shocks, n_claims)),
        unseen=payments_frame(unseen, shocks, n_claims),
        shocks=shocks,
        exposure=exposure_frame(entries),
    )
