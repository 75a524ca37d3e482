"""The lives of a world as the tables of the data model, and as the truth behind them."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.vocabulary import CATEGORIES, CATEGORY_NAMES, COMPONENTS
from msk_reserves.samples.draws import Entries, cents, stream
from msk_reserves.samples.injuries import BODY_PART_OF, INJURY_NAMES
from msk_reserves.samples.lives import Lives
from msk_reserves.samples.settings import NEVER, Settings
from msk_reserves.samples.workers import INDUSTRIES, JOB_DEMANDS, JURISDICTIONS

COMPONENT_OF = np.array([COMPONENTS.index(CATEGORIES[name]) for name in CATEGORY_NAMES])
"""Component code of each category code."""

EXITS = ("return_to_work", "mmi", "settlement", "permanent_total", "death")
"""Words of the ways a stay ends, in code order."""

SHOCK_NAMES = ("", "medical", "indemnity")
"""Words of the calendar shocks, in code order."""


def dates(day: Integers) -> pd.Series:
    """Return days since 1970-01-01 as dates, missing where the day never comes or there is none."""
    known = (day >= 0) & (day < NEVER)
    return pd.Series(np.where(known, day, 0).astype("datetime64[D]").astype("datetime64[ns]")).where(known)


def years(day: Integers) -> Integers:
    """Return the calendar year of each day."""
    return day.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def draw_shocks(settings: Settings) -> pd.DataFrame:
    """Draw the factor of every calendar year: independent lognormal, mean 1; index year."""
    # Drawn over a fixed span of years, so that a world of other years meets the same shocks.
    index = np.arange(1990, 2201)
    draws = stream(settings.seed, "shocks").standard_normal((2, len(index)))
    cvs = (settings.medical_shock_cv, settings.indemnity_shock_cv)
    columns = {}
    for name, cv, score in zip(SHOCK_NAMES[1:], cvs, draws, strict=True):
        variance = np.log1p(cv**2)
        columns[name] = np.exp(np.sqrt(variance) * score - variance / 2)
    table = pd.DataFrame(columns, index=pd.Index(index, name="year"))
    last = int(years(np.array([settings.end_day]))[0])
    return table.loc[min(settings.accident_years) : last]


def shocked(entries: Entries, shocks: pd.DataFrame) -> Floats:
    """Return the dollars of the entries with their calendar factor, shape (n_entries,)."""
    row = years(entries.shock_day) - int(shocks.index[0])
    factors = np.c_[np.ones(len(shocks)), shocks["medical"], shocks["indemnity"]]
    # A service may be paid for beyond the last year only if it took place within it, so every row exists.
    return cents(entries.amount * factors[row, entries.shock])


def by_claim(entries: Entries, shocks: pd.DataFrame, n_claims: int) -> Floats:
    """Return the dollars of the entries by claim, shape (n_claims,)."""
    return np.asarray(np.bincount(entries.claim, shocked(entries, shocks), n_claims), dtype=np.float64)


def claim_ids(n: int) -> npt.NDArray[np.object_]:
    """Return the names of `n` claims."""
    return np.array([f"C{number:06d}" for number in range(1, n + 1)], dtype=object)


def _words(names: tuple[str, ...], code: Integers) -> npt.NDArray[np.object_]:
    return np.array(names, dtype=object)[code]


def claims_frame(lives: Lives) -> pd.DataFrame:
    """Return the claims table."""
    workers, first = lives.workers, lives.first
    bundled = first.trigger_day < NEVER
    return pd.DataFrame(
        {
            "claim_id": claim_ids(len(lives)),
            "injury_date": dates(workers.injury_day),
            "report_date": dates(workers.report_day),
            "disability_start": dates(first.start_day),
            "body_part": _words(BODY_PART_OF, workers.injury),
            "injury_type": _words(INJURY_NAMES, workers.injury),
            "age": workers.age,
            "sex": workers.sex.astype(object),
            "weekly_wage": workers.weekly_wage,
            "weekly_benefit": workers.weekly_benefit,
            "jurisdiction": _words(JURISDICTIONS, workers.jurisdiction),
            "job_demand": _words(JOB_DEMANDS, workers.job_demand),
            "industry": _words(INDUSTRIES, workers.industry),
            "employer_id": [f"E{number:03d}" for number in workers.employer + 1],
            "comorbidities": workers.comorbidities,
            "arrangement": np.where(bundled, "bundle", "ffs").astype(object),
            "bundle_trigger_date": dates(first.trigger_day),
            "bundle_price": lives.price,
        }
    )


def events_frame(events: pd.DataFrame, n_claims: int) -> pd.DataFrame:
    """Return the drawn events in the columns of the data model."""
    return pd.DataFrame(
        {
            "claim_id": claim_ids(n_claims)[events["claim"]],
            "date": dates(events["day"].to_numpy(dtype=np.int64)),
            "event": events["event"].astype(object),
            "recorded_date": dates(events["recorded_day"].to_numpy(dtype=np.int64)),
            "releases_medical": events["releases_medical"],
        }
    )


def payments_frame(entries: Entries, shocks: pd.DataFrame, n_claims: int) -> pd.DataFrame:
    """Return entries as a payments table."""
    return pd.DataFrame(
        {
            "claim_id": claim_ids(n_claims)[entries.claim],
            "date": dates(entries.day),
            "category": np.array(CATEGORY_NAMES, dtype=object)[entries.category],
            "amount": shocked(entries, shocks),
            "service_date": dates(entries.service_day),
            "units": entries.units,
        }
    )


def exposure_frame(entries: Entries) -> pd.DataFrame:
    """Return the dollars before the shocks, with the shock and the year that multiply them."""
    return pd.DataFrame(
        {
            "claim": entries.claim,
            "day": entries.day,
            "component": np.array(COMPONENTS, dtype=object)[COMPONENT_OF[entries.category]],
            "amount": entries.amount,
            "shock": np.array(SHOCK_NAMES, dtype=object)[entries.shock],
            "year": years(entries.shock_day),
        }
    )


def truth_frame(lives: Lives, unseen: Floats) -> pd.DataFrame:
    """Return what no payer sees, one row a claim; `unseen` is the care that bundles covered, in dollars."""
    workers, first, stays = lives.workers, lives.first, lives.stays
    return pd.DataFrame(
        {
            "claim_id": claim_ids(len(lives)),
            "injury_type": _words(INJURY_NAMES, workers.injury),
            "lost_time": workers.lost_time,
            "chronic": first.chronic,
            "surgical": first.surgical,
            "impaired": first.impaired,
            "never_back": first.never_back,
            "impairment": first.impairment,
            "surgery_date": dates(first.surgery_day),
            "attorney_date": dates(first.attorney_day),
            "first_days_off": first.days,
            "days_off": np.bincount(stays.claim, stays.days, len(lives)).astype(np.int64),
            "care_level": lives.level,
            "employer_effect": workers.employer_effect,
            "log_time_ratio": workers.log_time_ratio,
            "final_exit": _words(EXITS, lives.endings.exit),
            "window_end": dates(lives.endings.window_end),
            "unseen_medical": unseen,
        }
    )
