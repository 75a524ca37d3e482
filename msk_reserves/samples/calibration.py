"""How well a synthetic world meets the published figures: a fit report, not a validation."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from msk_reserves._checks import Booleans, Floats
from msk_reserves.claims.vocabulary import CATEGORIES
from msk_reserves.samples.injuries import INJURY, INJURY_NAMES
from msk_reserves.samples.settings import BASE_DAY
from msk_reserves.samples.world import World

CARE_DAYS = 1096
"""Medical is counted by date of service to 36 months from the injury, as the published figures are."""

_TARGETS = ("target_surgery", "target_median_days", "target_off_at_180", "target_off_at_365", "target_mean_medical")

# Figure, lowest and highest value within tolerance, source.
_PORTFOLIO_TARGETS = {
    "mean days off, to 3,640 days": (127.0, 150.0, "NCCI temporary disability, accident years 2007-2012: 127-143"),
    "mean days off to 365, shoulder": (113.0, 133.0, "NCCI 2023, shoulder at 12 months: 123"),
    "share of medical in the top 5 %": (0.26, 0.34, "WCRI 2024, 36 months: 0.28"),
    "CV of medical": (1.25, 1.90, "derived from WCRI 2024: 1.45"),
    "P(medical above 65,000), lumbar disc": (0.09, 0.17, "WCRI 2025, 36 months: 0.13"),
    "P(medical above 65,000), low back strain": (0.005, 0.025, "WCRI 2025, 36 months, strains: 0.01"),
    "back within 180 days of cuff repair": (0.53, 0.64, "Shields 2017 and return rates: 0.55-0.62"),
    "correlation log days, log medical": (0.43, 0.65, "judgement 0.45; Kentucky and Michigan claims 0.63"),
    "represented, all": (0.29, 0.39, "WCRI, more than 7 days: 0.34"),
    "represented, no permanent award": (0.10, 0.22, "WCRI, temporary disability only: 0.14"),
    "attorney after the first month": (0.62, 0.80, "Milliman: 0.70"),
    "permanent partial award, of cash claims": (0.28, 0.40, "NCCI 2001, cash cases: 0.34"),
    "permanent total, of cash claims": (0.003, 0.012, "NCCI 2001, with fatal: 0.01"),
    "relapse within 3 years, low back": (0.13, 0.21, "New Hampshire, Spine 2006: 0.172"),
    "days off in later spells, low back relapsers": (0.55, 0.80, "New Hampshire, Spine 2006: 0.69"),
    "modified duty after return": (0.25, 0.40, "BLS: a third of cases by 2022"),
    "reopened, of closed lost-time claims": (0.02, 0.08, "judgement: 0.03-0.05"),
    "paid by 12 months": (0.17, 0.27, "CAS loss reserve data, all claims of accident years 1988-97: 0.22"),
    "paid by 24 months": (0.44, 0.54, "the same: 0.49"),
    "paid by 36 months": (0.60, 0.69, "the same: 0.65"),
    "paid by 60 months": (0.75, 0.85, "the same: 0.80"),
}

_OF_ONE_PART = (
    "mean days off to 365, shoulder",
    "back within 180 days of cuff repair",
    "modified duty after return",
    "relapse within 3 years, low back",
    "days off in later spells, low back relapsers",
    "P(medical above 65,000), lumbar disc",
    "P(medical above 65,000), low back strain",
)
"""The figures that mean the same in a world of one body part; the others are those of the whole mix."""


def _care(world: World) -> Floats:
    """Medical of each claim by service within 36 months, unseen care included, in dollars of 2025 without shocks."""
    claims = world.tables["claims"]
    payments = pd.concat([world.tables["payments"], world.unseen], ignore_index=True)
    medical = (payments["category"].map(CATEGORIES) == "medical") & payments["service_date"].notna()
    payments = payments[medical]
    row = pd.Index(claims["claim_id"]).get_indexer(payments["claim_id"])
    day = payments["service_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    injured = claims["injury_date"].to_numpy().astype("datetime64[D]").astype(np.int64)
    factor = world.shocks["medical"].reindex(payments["service_date"].dt.year).to_numpy(dtype=np.float64)
    real = payments["amount"].to_numpy(dtype=np.float64) / factor
    real = real / (1 + world.settings.medical_trend) ** ((day - BASE_DAY) / 365.25)
    early = day - injured[row] <= CARE_DAYS
    return np.asarray(np.bincount(row[early], real[early], len(claims)), dtype=np.float64)


def _by_injury(truth: pd.DataFrame, care: Floats) -> list[tuple[str, float, float, float, str]]:
    """Compare each injury type with its five targets; the tolerance widens with the noise of small groups."""
    rows = []
    for code, name in enumerate(INJURY_NAMES):
        chosen = ((truth["injury_type"] == name) & (truth["first_days_off"] > 7)).to_numpy(dtype=np.bool_)
        n = int(chosen.sum())
        if n < 30:
            continue
        days = truth["first_days_off"].to_numpy(dtype=np.float64)[chosen]
        operated, median, half, year, mean = (float(INJURY[target][code]) for target in _TARGETS)
        seen = care[chosen]
        noise = 3 * float(seen.std()) / np.sqrt(n)
        spread = 3 * 1.25 * float(np.log(days).std()) / np.sqrt(n)
        figures = [
            ("share operated on", float(truth["surgical"][chosen].mean()), operated, _band(operated, n)),
            ("median days off", float(np.median(days)), median, median * (0.15 + spread)),
            ("still off at 180 days", float((days > 180).mean()), half, 0.02 + _band(half, n)),
            ("still off at 365 days", float((days > 365).mean()), year, 0.02 + _band(year, n)),
            ("mean medical", float(seen.mean()), mean, 0.12 * mean + noise),
        ]
        source = "calibration of the injury types"
        rows += [
            (
                f"{name}: {what}",
                value,
                max(aim - slack, 0.0),
                min(aim + slack, 1.0) if aim <= 1 else aim + slack,
                source,
            )
            for what, value, aim, slack in figures
        ]
    return rows


def _band(share: float, n: int) -> float:
    """Three binomial standard errors and a tenth of the share."""
    return 0.1 * share + 3 * float(np.sqrt(max(share * (1 - share), 0.25 / n) / n))


def _days_figures(world: World) -> dict[str, float]:
    """Measure days off and the return to work."""
    truth = world.truth
    days, first = (truth[name].to_numpy(dtype=np.float64) for name in ("days_off", "first_days_off"))
    injury, lost = truth["injury_type"].to_numpy(dtype=object), first > 7
    shoulder = lost & np.isin(injury, ["rotator_cuff_tear", "shoulder_strain_impingement"])
    repaired = truth["surgical"].to_numpy(dtype=np.bool_) & (injury == "rotator_cuff_tear")
    start = world.tables["claims"]["disability_start"]
    recovery = first - (truth["surgery_date"] - start).dt.days.to_numpy(dtype=np.float64)
    back = (recovery <= 180) & ~truth["never_back"].to_numpy(dtype=np.bool_)
    low_back = lost & np.isin(injury, ["low_back_strain", "lumbar_disc_radic_nonfusion", "lumbar_fusion"])
    again, returned = _relapses(world)
    relapsed = low_back & again
    later = 1 - _mean(first[relapsed]) / _mean(days[relapsed])
    return {
        "mean days off, to 3,640 days": _mean(np.minimum(days[lost], 3640)),
        "mean days off to 365, shoulder": _mean(np.minimum(first[shoulder], 365)),
        "back within 180 days of cuff repair": _mean(back[repaired]),
        "relapse within 3 years, low back": _mean(again[low_back & returned]),
        "days off in later spells, low back relapsers": later,
        "modified duty after return": _mean(_ever(world, "modified_duty")[lost & returned]),
    }


def _medical_figures(world: World, care: Floats) -> dict[str, float]:
    """Measure the distribution of medical and how it goes with days off."""
    first = world.truth["first_days_off"].to_numpy(dtype=np.float64)
    injury, lost = world.truth["injury_type"].to_numpy(dtype=object), first > 7
    medical = np.sort(care[lost])
    seen = lost & (care > 0)
    strain, disc = (lost & (injury == name) for name in ("low_back_strain", "lumbar_disc_radic_nonfusion"))
    return {
        "share of medical in the top 5 %": float(medical[int(0.95 * len(medical)) :].sum() / medical.sum()),
        "CV of medical": float(medical.std() / medical.mean()),
        "P(medical above 65,000), lumbar disc": _mean(care[disc] > 65_000),
        "P(medical above 65,000), low back strain": _mean(care[strain] > 65_000),
        "correlation log days, log medical": float(np.corrcoef(np.log(first[seen]), np.log(care[seen]))[0, 1]),
    }


def _administrative_figures(world: World) -> dict[str, float]:
    """Measure attorneys, awards, permanent totals and reopened files."""
    truth = world.truth
    lost = truth["first_days_off"].to_numpy(dtype=np.float64) > 7
    award = _with_payment(world, ("ppd", "settlement"))
    wait = (truth["attorney_date"] - world.tables["claims"]["disability_start"]).dt.days.to_numpy(dtype=np.float64)
    represented = np.isfinite(wait)
    return {
        "represented, all": _mean(represented[lost]),
        "represented, no permanent award": _mean(represented[lost & ~award]),
        "attorney after the first month": _mean(wait[represented] > 30),
        "permanent partial award, of cash claims": _mean(award[lost]),
        "permanent total, of cash claims": _mean((truth["final_exit"] == "permanent_total").to_numpy()[lost]),
        "reopened, of closed lost-time claims": _mean(_ever(world, "reopen")[lost & _ever(world, "close")]),
    }


def _development_figures(world: World) -> dict[str, float]:
    """Measure how much of all dollars is paid by the end of each of the first years, by accident year."""
    dollars = world.exposure
    injured = world.tables["claims"]["injury_date"].dt.year.to_numpy(dtype=np.int64)
    year = pd.to_datetime(dollars["day"], unit="D").dt.year.to_numpy(dtype=np.int64)
    age = year - injured[dollars["claim"]] + 1
    amount = dollars["amount"].to_numpy(dtype=np.float64)
    return {f"paid by {12 * n} months": float(amount[age <= n].sum() / amount.sum()) for n in (1, 2, 3, 5)}


def _ever(world: World, event: str) -> Booleans:
    """Whether each claim ever had an event."""
    events = world.tables["events"]
    return np.asarray(world.truth["claim_id"].isin(events.loc[events["event"] == event, "claim_id"]), dtype=np.bool_)


def _mean(values: npt.ArrayLike) -> float:
    """Return the mean, NaN of nothing."""
    array = np.asarray(values, dtype=np.float64)
    return float(array.mean()) if array.size else float("nan")


def _with_payment(world: World, categories: tuple[str, ...]) -> Booleans:
    """Whether each claim is ever paid in one of the categories."""
    payments = world.tables["payments"]
    paid = payments.loc[payments["category"].isin(categories), "claim_id"]
    return np.asarray(world.truth["claim_id"].isin(paid), dtype=np.bool_)


def _relapses(world: World) -> tuple[Booleans, Booleans]:
    """Whether each claim was off work again within three years of a full return, and whether it ever returned."""
    events = world.tables["events"]
    names = world.truth["claim_id"]
    back = events[events["event"] == "return_to_work"].groupby("claim_id")["date"].min()
    off = events[events["event"] == "off_work"]
    since = (off["date"] - off["claim_id"].map(back)).dt.days
    again = off.loc[(since > 0) & (since <= 1095), "claim_id"]
    return np.asarray(names.isin(again), dtype=np.bool_), np.asarray(names.isin(back.index), dtype=np.bool_)


def calibration_report(world: World) -> pd.DataFrame:
    """Compare a world with the published figures that its generator was tuned to.

    The generator was tuned by hand to these same figures, so this says how well, not whether the generator is right.
    Days off, medical and awards are measured among claims off work for more than 7 days; injury types with fewer than
    30 of them are left out, and so are, in a world of some body parts only, the figures of the whole mix.

    Parameters
    ----------
    world : World
        A world of any size; some thousand claims for the figures to settle.

    Returns
    -------
    pandas.DataFrame
        One row a figure: `target`, `simulated`, `lowest` and `highest` value within tolerance, `within`, `source`.

    Examples
    --------
    >>> from msk_reserves.samples.world import generate_world
    >>> list(calibration_report(generate_world(400, seed=1)).columns)
    ['target', 'simulated', 'lowest', 'highest', 'within', 'source']
    """
    care = _care(world)
    figures = _days_figures(world) | _medical_figures(world, care) | _administrative_figures(world)
    figures |= _development_figures(world)
    whole_mix = world.settings.body_parts is None
    rows = [
        (name, value, *_PORTFOLIO_TARGETS[name])
        for name, value in figures.items()
        if np.isfinite(value) and (whole_mix or name in _OF_ONE_PART)
    ]
    rows += _by_injury(world.truth, care)
    report = pd.DataFrame(rows, columns=["target", "simulated", "lowest", "highest", "source"])
    report["within"] = report["simulated"].between(report["lowest"], report["highest"])
    return report[["target", "simulated", "lowest", "highest", "within", "source"]]
