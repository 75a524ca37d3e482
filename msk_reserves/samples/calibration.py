"""How well a synthetic world meets the published figures: a fit report, not a validation."""

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans, Floats
from msk_reserves.claims.vocabulary import CATEGORIES
from msk_reserves.samples.injuries import INJURY_NAMES
from msk_reserves.samples.settings import BASE_DAY
from msk_reserves.samples.world import World

CARE_DAYS = 1096
"""Medical is counted by date of service to 36 months from the injury, as the published figures are."""

# By injury type, among claims with more than 7 days off: share operated on, median days off, share still off at 180
# and at 365 days, mean medical in dollars of 2025. Hand calibration of marginals to published figures (Hunt 2024,
# Shields 2017, Groot 2016, Ohio BWC series, Steenstra 2015, WCRI 2025); types without one are judgement.
_INJURY_TARGETS = {
    "low_back_strain": (0.014, 23.0, 0.135, 0.075, 11_229.0),
    "lumbar_disc_radic_nonfusion": (0.300, 146.3, 0.436, 0.230, 32_633.0),
    "lumbar_fusion": (1.000, 600.7, 0.974, 0.815, 153_400.0),
    "rotator_cuff_tear": (0.883, 135.2, 0.373, 0.140, 43_079.0),
    "shoulder_strain_impingement": (0.105, 41.6, 0.141, 0.060, 13_189.0),
    "knee_meniscus_ligament": (0.672, 63.6, 0.151, 0.056, 20_084.0),
    "knee_sprain_contusion": (0.037, 24.3, 0.068, 0.031, 7_213.0),
    "knee_arthroplasty": (1.000, 147.2, 0.402, 0.157, 67_888.0),
    "carpal_tunnel": (0.729, 46.9, 0.098, 0.042, 13_922.0),
    "hand_wrist_soft_tissue": (0.211, 28.5, 0.075, 0.032, 9_255.0),
    "cervical_strain": (0.011, 32.7, 0.144, 0.077, 11_412.0),
    "cervical_radic_fusion": (0.594, 260.7, 0.624, 0.375, 73_650.0),
    "ankle_foot": (0.155, 38.2, 0.111, 0.042, 12_856.0),
    "elbow_epicondylitis_tendon": (0.217, 43.5, 0.134, 0.054, 11_513.0),
    "hip_thigh": (0.172, 45.4, 0.162, 0.071, 20_669.0),
}

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
}


def _care(world: World) -> Floats:
    """Medical of each claim by service within 36 months, in dollars of 2025 without the shocks, unseen care included."""
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
    for name in INJURY_NAMES:
        chosen = ((truth["injury_type"] == name) & (truth["first_days_off"] > 7)).to_numpy(dtype=np.bool_)
        n = int(chosen.sum())
        if n < 30:
            continue
        days = truth["first_days_off"].to_numpy(dtype=np.float64)[chosen]
        operated, median, half, year, mean = _INJURY_TARGETS[name]
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
        rows += [(f"{name}: {what}", value, aim - slack, aim + slack, source) for what, value, aim, slack in figures]
    return rows


def _band(share: float, n: int) -> float:
    """Three binomial standard errors and a tenth of the share."""
    return 0.1 * share + 3 * float(np.sqrt(max(share * (1 - share), 0.25 / n) / n))


def _portfolio(world: World, care: Floats) -> dict[str, float]:
    """Measure the figures of the whole portfolio, among claims with more than 7 days off unless the name says other."""
    truth, events = world.truth, world.tables["events"]
    days = truth["days_off"].to_numpy(dtype=np.float64)
    first = truth["first_days_off"].to_numpy(dtype=np.float64)
    injury = truth["injury_type"].to_numpy(dtype=object)
    lost = first > 7
    award = _with_payment(world, ("ppd", "settlement"))
    start = world.tables["claims"]["disability_start"]
    wait = (truth["attorney_date"] - start).dt.days.to_numpy(dtype=np.float64)
    represented = np.isfinite(wait)
    medical = np.sort(care[lost])
    seen = lost & (care > 0)
    shoulder = lost & np.isin(injury, ["rotator_cuff_tear", "shoulder_strain_impingement"])
    repaired = truth["surgical"].to_numpy(dtype=np.bool_) & (injury == "rotator_cuff_tear")
    recovery = first - (truth["surgery_date"] - start).dt.days.to_numpy(dtype=np.float64)
    back = (recovery <= 180) & ~truth["never_back"].to_numpy(dtype=np.bool_)
    low_back = lost & np.isin(injury, ["low_back_strain", "lumbar_disc_radic_nonfusion", "lumbar_fusion"])
    again, returned = _relapses(world)
    modified = truth["claim_id"].isin(events.loc[events["event"] == "modified_duty", "claim_id"]).to_numpy()
    closed, reopened = (
        truth["claim_id"].isin(events.loc[events["event"] == word, "claim_id"]).to_numpy() for word in ("close", "reopen")
    )
    strain, disc = (lost & (injury == name) for name in ("low_back_strain", "lumbar_disc_radic_nonfusion"))
    total = (truth["final_exit"] == "permanent_total").to_numpy(dtype=np.bool_)
    return {
        "mean days off, to 3,640 days": float(np.minimum(days[lost], 3640).mean()),
        "mean days off to 365, shoulder": float(np.minimum(first[shoulder], 365).mean()),
        "share of medical in the top 5 %": float(medical[int(0.95 * len(medical)) :].sum() / medical.sum()),
        "CV of medical": float(medical.std() / medical.mean()),
        "P(medical above 65,000), lumbar disc": float((care[disc] > 65_000).mean()),
        "P(medical above 65,000), low back strain": float((care[strain] > 65_000).mean()),
        "back within 180 days of cuff repair": float(back[repaired].mean()),
        "correlation log days, log medical": float(np.corrcoef(np.log(first[seen]), np.log(care[seen]))[0, 1]),
        "represented, all": float(represented[lost].mean()),
        "represented, no permanent award": float(represented[lost & ~award].mean()),
        "attorney after the first month": float((wait[represented] > 30).mean()),
        "permanent partial award, of cash claims": float(award[lost].mean()),
        "permanent total, of cash claims": float(total[lost].mean()),
        "relapse within 3 years, low back": float(again[low_back & returned].mean()),
        "days off in later spells, low back relapsers": float(1 - first[low_back & again].sum() / days[low_back & again].sum()),
        "modified duty after return": float(modified[lost & returned].mean()),
        "reopened, of closed lost-time claims": float(reopened[lost & closed].mean()),
    }


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
    Injury types with fewer than 30 claims off work for more than 7 days are left out.

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
    >>> list(calibration_report(generate_world(400, seed=1)).columns)
    ['target', 'simulated', 'lowest', 'highest', 'within', 'source']
    """
    care = _care(world)
    rows = [
        (name, value, *_PORTFOLIO_TARGETS[name])
        for name, value in _portfolio(world, care).items()
        if np.isfinite(value)
    ]
    rows += _by_injury(world.truth, care)
    report = pd.DataFrame(rows, columns=["target", "simulated", "lowest", "highest", "source"])
    report["within"] = report["simulated"].between(report["lowest"], report["highest"])
    return report[["target", "simulated", "lowest", "highest", "within", "source"]]
