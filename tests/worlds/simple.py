"""A second, deliberately different generator: few mechanisms, other families, and a truth that is known.

Time off is a mixture of two gamma laws (none of the candidate families), care is a stream of visits whose rate decays
while the worker is off and lingers for two months after, a late award follows one long absence in four. Nothing here
was tuned to the library, nor the library to it.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

WEEK = 7
VALUATION = pd.Timestamp("2024-12-31")
FIRST_INJURY = pd.Timestamp("2020-01-01")
WAITING, RETRO, LIMIT_WEEKS = 7, 21, 400
COMPONENTS = ("medical", "indemnity", "expense")


@dataclass(frozen=True, slots=True, eq=False)
class SimpleWorld:
    """Tables known on the valuation date, and what was paid afterwards on the claims in them, by component."""

    claims: pd.DataFrame
    events: pd.DataFrame
    payments: pd.DataFrame
    unpaid: dict[str, float]


def simple_world(n_claims: int, seed: int, *, systemic_cv: float = 0.05, horizon_days: int = 3640) -> SimpleWorld:
    """Return a world of `n_claims` injuries; payments after the valuation carry one common factor a component.

    Parameters
    ----------
    n_claims : injuries over five years; those reported late are not in the tables.
    seed : reproduces the world.
    systemic_cv : coefficient of variation of the common factors, independent of each other.
    horizon_days : how long after the valuation payments count.
    """
    draw = np.random.default_rng(seed)
    days = (VALUATION - FIRST_INJURY).days
    injury = np.sort(draw.integers(0, days, n_claims))
    report = injury + np.floor(draw.exponential(6, n_claims)).astype(int)
    age = np.clip(draw.normal(41, 11, n_claims), 18, 70).round()
    back = draw.random(n_claims) < 0.45
    wage = np.round(draw.lognormal(6.9, 0.35, n_claims), 2)
    benefit = np.round(np.minimum(wage * 2 / 3, 1_200), 2)
    slow = draw.random(n_claims) < 0.22 + 0.08 * back
    off = np.where(slow, draw.gamma(2.0, 95.0, n_claims), draw.gamma(1.3, 18.0, n_claims))
    off = np.maximum(np.ceil(off * np.exp(0.012 * (age - 41))), 1).astype(int)
    frailty = draw.gamma(3.0, 1 / 3.0, n_claims)
    parts = [
        _visits(draw, injury, off, frailty),
        _benefits(injury, off, benefit),
        _awards(draw, injury, off, benefit),
        _case_management(injury, off),
    ]
    payments = pd.concat(parts, ignore_index=True)
    sigma = np.sqrt(np.log1p(systemic_cv**2))
    shock = dict(zip(COMPONENTS, np.exp(sigma * draw.standard_normal(3) - sigma**2 / 2), strict=True))
    known = report <= days
    workers = pd.DataFrame(
        {"injury": injury, "report": report, "off": off, "age": age, "back": back, "benefit": benefit, "known": known}
    )
    return _cut(payments, workers, days, shock, horizon_days)


def _visits(draw: np.random.Generator, injury: np.ndarray, off: np.ndarray, frailty: np.ndarray) -> pd.DataFrame:
    """Return medical payments: visits at a decaying rate while off, at a low one for 60 days after."""
    rows = []
    for claim, (start, length) in enumerate(zip(injury, off, strict=True)):
        week = np.arange(0, length + 60, WEEK)
        rate = np.where(week < length, 0.35 + 1.6 * np.exp(-week / 45), 0.25)
        visits = draw.poisson(rate)
        when = np.repeat(week, visits) + draw.integers(0, WEEK, visits.sum())
        cost = frailty[claim] * draw.lognormal(5.3, 0.9, len(when))
        rows.append((np.full(len(when), claim), start + when + draw.integers(10, 75, len(when)), cost))
    who, day, amount = (np.concatenate(column) for column in zip(*rows, strict=True))
    return pd.DataFrame({"claim": who, "day": day, "category": "physical_therapy", "amount": amount})


def _benefits(injury: np.ndarray, off: np.ndarray, benefit: np.ndarray) -> pd.DataFrame:
    """Return temporary total benefits, paid every two weeks and at the return for the days since."""
    rows = []
    for claim, (start, length) in enumerate(zip(injury, off, strict=True)):
        at = np.unique(np.r_[np.arange(14, length, 14), length])
        paid_days = np.where(at < RETRO, np.maximum(at - WAITING, 0), at)
        amount = benefit[claim] / WEEK * np.diff(np.minimum(paid_days, LIMIT_WEEKS * WEEK), prepend=0)
        rows.append((np.full(len(at), claim), start + at + 3, amount))
    who, day, amount = (np.concatenate(column) for column in zip(*rows, strict=True))
    frame = pd.DataFrame({"claim": who, "day": day, "category": "ttd", "amount": amount})
    return frame[frame["amount"] > 0]


def _awards(draw: np.random.Generator, injury: np.ndarray, off: np.ndarray, benefit: np.ndarray) -> pd.DataFrame:
    """Return awards: after one absence in four of more than 90 days, six payments in half a year from day 60 on."""
    awarded = np.flatnonzero((off > 90) & (draw.random(len(off)) < 0.25))
    weeks = draw.gamma(4.0, 8.0, len(awarded))
    claim = np.repeat(awarded, 6)
    month = np.tile(np.arange(6), len(awarded))
    amount = np.repeat(weeks * benefit[awarded] / 6, 6)
    day = injury[claim] + off[claim] + 60 + 30 * month
    return pd.DataFrame({"claim": claim, "day": day, "category": "ppd", "amount": amount})


def _case_management(injury: np.ndarray, off: np.ndarray) -> pd.DataFrame:
    """Return expense: $220 for every four weeks off."""
    months = off // 28
    claim = np.repeat(np.arange(len(off)), months)
    nth = np.concatenate([np.arange(1, n + 1) for n in months]) if months.sum() else np.array([], dtype=int)
    return pd.DataFrame(
        {"claim": claim, "day": injury[claim] + 28 * nth + 20, "category": "case_management", "amount": 220.0}
    )


def _cut(
    payments: pd.DataFrame, workers: pd.DataFrame, days: int, shock: dict[str, float], horizon_days: int
) -> SimpleWorld:
    """Return what is known on the valuation date, and what is paid after it on the claims known."""
    names = np.array([f"S{n:05d}" for n in range(len(workers))])
    injury, off, known = (workers[name].to_numpy() for name in ("injury", "off", "known"))
    component = payments["category"].map(
        {"physical_therapy": "medical", "ttd": "indemnity", "ppd": "indemnity", "case_management": "expense"}
    )
    later = (payments["day"] > days) & (payments["day"] <= days + horizon_days) & known[payments["claim"]]
    unpaid = {
        name: float(payments.loc[later & (component == name), "amount"].sum() * shock[name]) for name in COMPONENTS
    }
    paid = payments[(payments["day"] <= days) & known[payments["claim"]]]
    returned = known & (injury + off <= days)
    claims = pd.DataFrame(
        {
            "claim_id": names,
            "injury_date": _date(injury),
            "report_date": _date(workers["report"].to_numpy()),
            "disability_start": _date(injury),
            "body_part": np.where(workers["back"], "low_back", "knee"),
            "age": workers["age"].to_numpy(),
            "weekly_benefit": workers["benefit"].to_numpy(),
            "waiting_days": WAITING,
            "retro_days": RETRO,
            "max_weeks": LIMIT_WEEKS,
        }
    )[known]
    events = pd.DataFrame(
        {"claim_id": names[returned], "date": _date((injury + off)[returned]), "event": "return_to_work"}
    )
    started = pd.DataFrame({"claim_id": names[known], "date": _date(injury[known]), "event": "off_work"})
    return SimpleWorld(
        claims=claims.reset_index(drop=True),
        events=pd.concat([started, events], ignore_index=True),
        payments=pd.DataFrame(
            {
                "claim_id": names[paid["claim"]],
                "date": _date(paid["day"].to_numpy()),
                "category": paid["category"].to_numpy(),
                "amount": paid["amount"].round(2).to_numpy(),
            }
        ),
        unpaid=unpaid,
    )


def _date(day: np.ndarray) -> pd.Series:
    """Return calendar dates for days since the first injury date."""
    return pd.Series(FIRST_INJURY + pd.to_timedelta(day, unit="D"))
