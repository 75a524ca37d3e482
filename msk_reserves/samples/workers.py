"""Who is hurt, where, when and how: one row a claim, fixed at the injury."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.statutes import statutory_rule, weekly_benefit
from msk_reserves.samples.draws import cents, lognormal, stream, whole_days
from msk_reserves.samples.injuries import BODY_PART_OF, INJURY, injury_code
from msk_reserves.samples.settings import BASE_DAY, Settings

JURISDICTIONS = ("CA", "TX", "PA", "NJ", "IL", "NY", "OH", "FL", "WI", "MA", "NC", "GA")
JURISDICTION_SHARE = (0.18, 0.12, 0.08, 0.06, 0.09, 0.11, 0.08, 0.11, 0.04, 0.04, 0.05, 0.04)
# Attorney share by state against the countrywide one: 13-14 % in Wisconsin and Texas, 40 % in California, 49-52 % in
# New Jersey and Illinois against a median of 30 % (WCRI, 36 months).
ATTORNEY_RATIO = np.array([1.2, 0.42, 1.0, 1.5, 1.5, 1.0, 1.0, 1.0, 0.42, 1.0, 0.9, 0.9])

JOB_DEMANDS = ("sedentary", "light", "medium", "heavy", "very_heavy")
JOB_DEMAND_SHARE = (0.10, 0.20, 0.35, 0.25, 0.10)
JOB_DEMAND_EFFECT = np.array([-0.20, -0.10, 0.0, 0.12, 0.20])

INDUSTRIES = ("construction", "health_care", "manufacturing", "public", "retail", "services", "transport")
INDUSTRY_SHARE = (0.12, 0.18, 0.17, 0.10, 0.14, 0.15, 0.14)
INDUSTRY_WAGE = np.array([1.20, 1.0, 1.10, 1.05, 0.75, 0.85, 1.10])

EMPLOYERS = 160
EMPLOYER_SD = 0.20
COMORBIDITY_EFFECT = 0.12
MEAN_LOG_TIME_RATIO = -0.10
"""Mean of the log time ratio over claims: below zero, since attorneys, who prolong what remains, come on top."""
CENTRE = MEAN_LOG_TIME_RATIO - 0.12
"""Constant of the log time ratio; the rest of its mean comes from comorbidities, work and wage."""
MEDIAN_WAGE = 1_080.0
COVARIATE_SD = 0.28
"""Standard deviation of the log time ratio over claims; taken out of the durations' own spread (see `days_off`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Workers:
    """The claims at the injury; every column has shape (n_claims,).

    Attributes
    ----------
    injury_day, report_day : days since 1970-01-01.
    injury : code of the injury type.
    lost_time : whether the injury costs a full day of work at all.
    age : years. sex : F or M. weekly_wage, weekly_benefit : dollars a week.
    jurisdiction, job_demand, industry : rows of the tuples above. employer : number of the employer.
    comorbidities : count, 0 to 3.
    waiting_days, retro_days, max_weeks : the law's, NaN where it has none.
    log_time_ratio : effect of age, work, health, wage and employer on the log of days off.
    employer_effect : the part of it that is the employer's.
    """

    injury_day: Integers
    report_day: Integers
    injury: Integers
    lost_time: Booleans
    age: Integers
    sex: npt.NDArray[np.str_]
    weekly_wage: Floats
    weekly_benefit: Floats
    jurisdiction: Integers
    job_demand: Integers
    industry: Integers
    employer: Integers
    comorbidities: Integers
    waiting_days: Floats
    retro_days: Floats
    max_weeks: Floats
    log_time_ratio: Floats
    employer_effect: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).flags.writeable = False

    def __len__(self) -> int:
        return len(self.injury)


def _injury_days(settings: Settings, rng: np.random.Generator) -> Integers:
    """Draw days of injury, uniform over the accident years, in order of time."""
    starts = np.array([np.datetime64(f"{year}-01-01").astype(int) for year in settings.accident_years])
    ends = np.array([np.datetime64(f"{year + 1}-01-01").astype(int) for year in settings.accident_years])
    year = rng.integers(len(starts), size=settings.n_claims)
    lengths = (ends - starts)[year]
    return np.sort(starts[year] + np.floor(rng.random(settings.n_claims) * lengths).astype(np.int64))


def _injuries(settings: Settings, rng: np.random.Generator) -> Integers:
    """Draw the injury types in the calibration's shares, among the body parts asked for."""
    wanted = np.array([settings.body_parts is None or part in settings.body_parts for part in BODY_PART_OF])
    weights = INJURY["share"] * wanted
    return rng.choice(len(weights), size=settings.n_claims, p=weights / weights.sum())


def _ages(injury: Integers, rng: np.random.Generator) -> Integers:
    """Draw ages at injury, 18 to 70; joints are replaced late in a working life."""
    arthroplasty = injury == injury_code("knee_arthroplasty")
    centre = np.where(arthroplasty, 57.0, 42.0)
    width = np.where(arthroplasty, 6.0, 12.0)
    return np.clip(np.rint(centre + width * rng.standard_normal(len(injury))), 18, 70).astype(np.int64)


def age_effect(age: npt.ArrayLike) -> Floats:
    """Return the log time ratio of age: 1.2 % a year to 40, 0.4 % a year after, zero at 40 (judgement on NCCI 2013)."""
    years = np.asarray(age, dtype=np.float64) - 40
    effect: Floats = np.log(1.012) * np.minimum(years, 0) + np.log(1.004) * np.maximum(years, 0)
    return effect


def draw_workers(settings: Settings) -> Workers:
    """Draw every claim as it stands on the day of injury and the day of first notice."""
    rng = stream(settings.seed, "workers")
    n = settings.n_claims
    injury_day = _injury_days(settings, rng)
    injury = _injuries(settings, rng)
    age = _ages(injury, rng)
    job_demand = rng.choice(len(JOB_DEMANDS), size=n, p=JOB_DEMAND_SHARE)
    industry = rng.choice(len(INDUSTRIES), size=n, p=INDUSTRY_SHARE)
    jurisdiction = rng.choice(len(JURISDICTIONS), size=n, p=JURISDICTION_SHARE)
    comorbidities = np.minimum(rng.poisson(0.25 + 0.02 * np.maximum(age - 30, 0)), 3)
    # A few large employers and many small ones, as in any book.
    sizes = 1 / np.arange(2, EMPLOYERS + 2)
    employer = rng.choice(EMPLOYERS, size=n, p=sizes / sizes.sum())
    employer_effect = (EMPLOYER_SD * rng.standard_normal(EMPLOYERS))[employer]
    level = MEDIAN_WAGE * (1 + settings.wage_trend) ** ((injury_day - BASE_DAY) / 365.25)
    relative_wage = INDUSTRY_WAGE[industry] * lognormal(rng, 1.0, 0.38, n)
    wage = cents(np.maximum(level * relative_wage, 250.0))
    rules = [statutory_rule(code) for code in JURISDICTIONS]
    return Workers(
        injury_day=injury_day,
        report_day=injury_day + whole_days(np.minimum(lognormal(rng, 4.0, 1.4, n), 730)),
        injury=injury,
        lost_time=rng.random(n) >= settings.medical_only_share,
        age=age,
        sex=np.where(rng.random(n) < 0.40, "F", "M"),
        weekly_wage=wage,
        weekly_benefit=cents(weekly_benefit(wage, np.array(JURISDICTIONS)[jurisdiction])),
        jurisdiction=jurisdiction,
        job_demand=job_demand,
        industry=industry,
        employer=employer,
        comorbidities=comorbidities.astype(np.int64),
        waiting_days=np.array([rule.waiting_days for rule in rules])[jurisdiction],
        retro_days=np.array([rule.retro_days for rule in rules])[jurisdiction],
        max_weeks=np.array([rule.max_weeks for rule in rules])[jurisdiction],
        log_time_ratio=CENTRE
        + age_effect(age)
        + JOB_DEMAND_EFFECT[job_demand]
        + COMORBIDITY_EFFECT * comorbidities
        + 0.10 * np.log(relative_wage)
        + employer_effect,
        employer_effect=employer_effect,
    )
