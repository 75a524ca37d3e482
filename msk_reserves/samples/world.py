"""A whole synthetic world: every claim from injury to the end of its life, and what was known on any date."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Unpack

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats, Integers, one_of, whole
from msk_reserves.claims.vocabulary import CATEGORIES, CATEGORY_NAMES, COMPONENTS
from msk_reserves.samples.benefits_paid import draw_indemnity, draw_legal
from msk_reserves.samples.bundles import bundle_prices, covered, draw_bundle_fees
from msk_reserves.samples.care import care_level, draw_care
from msk_reserves.samples.draws import Entries, cents, joined, stream
from msk_reserves.samples.endings import Endings, draw_endings
from msk_reserves.samples.events import draw_events
from msk_reserves.samples.expense import draw_expense
from msk_reserves.samples.first_stay import FirstStay, draw_first_stay
from msk_reserves.samples.injuries import INJURY_NAMES, INJURY_TYPES
from msk_reserves.samples.settings import NEVER, Settings, WorldOptions
from msk_reserves.samples.stays import Stays, draw_stays
from msk_reserves.samples.workers import INDUSTRIES, JOB_DEMANDS, JURISDICTIONS, Workers, draw_workers

COMPONENT_OF = np.array([COMPONENTS.index(CATEGORIES[name]) for name in CATEGORY_NAMES])
"""Component code of each category code."""


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
        later = payments[
            (payments["date"] > pd.Timestamp(date)) & (payments["date"] <= pd.Timestamp(until, unit="D"))
        ]
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


def _dates(day: Integers) -> pd.Series:
    """Return days as dates, missing where the day never comes."""
    known = (day >= 0) & (day < NEVER)
    return pd.Series(np.where(known, day, 0).astype("datetime64[D]").astype("datetime64[ns]")).where(known)


def _years(day: Integers) -> Integers:
    """Return the calendar year of each day."""
    return day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def _shocks(settings: Settings) -> pd.DataFrame:
    """Draw the factor of every calendar year: independent lognormal, mean 1."""
    years = np.arange(1990, 2300)
    draws = stream(settings.seed, "shocks").standard_normal((2, len(years)))
    columns = {}
    for name, cv, score in zip(
        ("medical", "indemnity"), (settings.medical_shock_cv, settings.indemnity_shock_cv), draws, strict=True
    ):
        variance = np.log1p(cv**2)
        columns[name] = np.exp(np.sqrt(variance) * score - variance / 2)
    table = pd.DataFrame(columns, index=pd.Index(years, name="year"))
    return table.loc[min(settings.accident_years) : _years(np.array([settings.end_day]))[0]]


def _shocked(entries: Entries, shocks: pd.DataFrame) -> Floats:
    """Return the dollars of the entries with their calendar factor."""
    year = np.clip(_years(entries.shock_day), shocks.index[0], shocks.index[-1]) - int(shocks.index[0])
    factors = np.c_[np.ones(len(shocks)), shocks["medical"], shocks["indemnity"]]
    return cents(entries.amount * factors[year, entries.shock])


def _payments(entries: Entries, shocks: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Return entries as a payments table, in the order claim, then date."""
    return pd.DataFrame(
        {
            "claim_id": names.to_numpy()[entries.claim],
            "date": _dates(entries.day),
            "category": np.array(CATEGORY_NAMES, dtype=object)[entries.category],
            "amount": _shocked(entries, shocks),
            "service_date": _dates(entries.service_day),
            "units": entries.units,
        }
    )


def _exposure(entries: Entries) -> pd.DataFrame:
    """Return the dollars before the shocks, with the shock and the year that will multiply them."""
    kinds = np.array(["", "medical", "indemnity"], dtype=object)
    return pd.DataFrame(
        {
            "claim": entries.claim,
            "day": entries.day,
            "component": np.array(COMPONENTS, dtype=object)[COMPONENT_OF[entries.category]],
            "amount": entries.amount,
            "shock": kinds[entries.shock],
            "year": _years(entries.shock_day),
        }
    )


def _claims(workers: Workers, first: FirstStay, price: Floats) -> pd.DataFrame:
    """Return the claims table."""
    bundled = first.trigger_day < NEVER

    def words(names: tuple[str, ...], code: Integers) -> pd.Series:
        return pd.Series(np.array(names, dtype=object)[code])

    return pd.DataFrame(
        {
            "claim_id": [f"C{number:06d}" for number in range(1, len(workers) + 1)],
            "injury_date": _dates(workers.injury_day),
            "report_date": _dates(workers.report_day),
            "disability_start": _dates(first.start_day),
            "body_part": words(tuple(row.body_part for row in INJURY_TYPES), workers.injury),
            "injury_type": words(INJURY_NAMES, workers.injury),
            "age": workers.age,
            "sex": workers.sex.astype(object),
            "weekly_wage": workers.weekly_wage,
            "weekly_benefit": workers.weekly_benefit,
            "jurisdiction": words(JURISDICTIONS, workers.jurisdiction),
            "job_demand": words(JOB_DEMANDS, workers.job_demand),
            "industry": words(INDUSTRIES, workers.industry),
            "employer_id": [f"E{number:03d}" for number in workers.employer + 1],
            "comorbidities": workers.comorbidities,
            "arrangement": np.where(bundled, "bundle", "ffs").astype(object),
            "bundle_trigger_date": _dates(first.trigger_day),
            "bundle_price": price,
        }
    )


def _truth(
    workers: Workers, first: FirstStay, stays: Stays, endings: Endings, level: Floats, unseen: Floats, names: pd.Series
) -> pd.DataFrame:
    """Return what no payer sees, one row a claim."""
    exits = np.array(["return_to_work", "mmi", "settlement", "permanent_total", "death"], dtype=object)
    return pd.DataFrame(
        {
            "claim_id": names,
            "injury_type": np.array(INJURY_NAMES, dtype=object)[workers.injury],
            "lost_time": workers.lost_time,
            "chronic": first.chronic,
            "surgical": first.surgical,
            "impaired": first.impaired,
            "never_back": first.never_back,
            "impairment": first.impairment,
            "surgery_date": _dates(first.surgery_day),
            "attorney_date": _dates(first.attorney_day),
            "first_days_off": first.days,
            "days_off": np.bincount(stays.claim, stays.days, len(workers)),
            "care_level": level,
            "employer_effect": workers.employer_effect,
            "log_time_ratio": workers.log_time_ratio,
            "final_exit": exits[endings.exit],
            "window_end": _dates(endings.window_end),
            "unseen_medical": unseen,
        }
    )


def _events_table(events: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    """Return the events in the columns of the data model."""
    return pd.DataFrame(
        {
            "claim_id": names.to_numpy()[events["claim"]],
            "date": _dates(events["day"].to_numpy(dtype=np.int64)),
            "event": events["event"].astype(object),
            "recorded_date": _dates(events["recorded_day"].to_numpy(dtype=np.int64)),
            "releases_medical": events["releases_medical"],
        }
    )


def _kept(entries: Entries, settings: Settings, chosen: Booleans | None = None) -> Entries:
    """Keep the entries paid by the world's end, in the order claim, then day."""
    entries = entries.where(entries.day <= settings.end_day) if chosen is None else entries.where(chosen)
    return entries.where(np.lexsort((entries.category, entries.day, entries.claim)))


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
    workers = draw_workers(settings)
    first = draw_first_stay(workers, settings)
    stays = draw_stays(workers, first, settings.seed)
    endings = draw_endings(workers, first, stays, settings)
    level = care_level(workers, first, settings.seed)
    care = draw_care(workers, first, stays, endings, settings, level)
    hidden = covered(care, first, endings)
    seen = care.where(~hidden)
    price = bundle_prices(workers, first, settings)
    medical = joined([seen, draw_bundle_fees(price, first, settings)])
    pieces = [
        medical,
        draw_indemnity(workers, first, stays, endings, settings),
        draw_expense(workers, stays, medical, settings),
        draw_legal(workers, first, endings, settings),
    ]
    entries = _kept(joined(pieces), settings)
    unseen = _kept(care, settings, hidden)
    shocks = _shocks(settings)
    claims = _claims(workers, first, price)
    names = claims["claim_id"]
    events = draw_events(workers, first, stays, endings, entries, settings)
    unseen_by_claim = np.bincount(unseen.claim, _shocked(unseen, shocks), len(workers))
    tables = {
        "claims": claims,
        "events": _events_table(events, names),
        "payments": _payments(entries, shocks, names),
    }
    return World(
        settings=settings,
        tables=MappingProxyType(tables),
        truth=_truth(workers, first, stays, endings, level, unseen_by_claim, names),
        unseen=_payments(unseen, shocks, names),
        shocks=shocks,
        exposure=_exposure(entries),
    )


