"""The injury types of the generator: how often, how long, how dear, how often operated on."""

import csv
from collections.abc import Mapping
from importlib.resources import files
from types import MappingProxyType

import numpy as np

from msk_reserves._checks import Floats, Integers

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "share": "share of the lost-time claims",
        "surgery": "share operated on",
        "acute_median": "days off, acute and without operation: median of a lognormal",
        "acute_sigma": "its log standard deviation",
        "chronic_share": "share of the claims without operation that turn chronic",
        "chronic_median": "days off, chronic: median",
        "chronic_sigma": "its log standard deviation",
        "surgical_median": "days off, operated on: median",
        "surgical_sigma": "its log standard deviation",
        "never_back": "share that never returns, without operation",
        "never_back_surgical": "share that never returns, operated on",
        "medical_median": "medical without operation, dollars of 2025: median",
        "medical_median_surgical": "medical with operation, dollars of 2025: median",
        "award": "share with a permanent partial award, without operation",
        "award_surgical": "share with a permanent partial award, operated on",
        "impairment": "mean whole-person impairment of the impaired, a share",
        "attorney": "share represented",
        "relapse": "share off work again within three years of return (the generator's own)",
        "care_factor": "multiple of care that meets the medians without operation (the generator's own)",
        "care_factor_surgical": "the same, operated on (the generator's own)",
        "bundle_price": "0.95 of the mean care a bundle takes over, dollars of 2025 (the generator's own)",
        "target_surgery": "among claims off work for more than 7 days: share operated on",
        "target_median_days": "among the same: median days off",
        "target_off_at_180": "among the same: share still off at 180 days",
        "target_off_at_365": "among the same: share still off at 365 days",
        "target_mean_medical": "among the same: mean medical, dollars of 2025",
    }
)
"""The numeric columns of the table and their meaning.

The figures are a hand calibration of marginals to published ones: Steenstra 2015 and Turner 2008 (low back strains),
WCRI 2025 (large claims by diagnosis), Ohio BWC series (disc, fusion, cervical), Hunt 2024 and Shields 2017 (rotator
cuff), Groot 2016 (cruciate ligament), Finnish and Dutch series (arthroplasty), Newington 2021 (carpal tunnel); shares
of the types, other costs and types without a study are judgement.
"""


def _table() -> tuple[tuple[str, ...], tuple[str, ...], Mapping[str, Floats]]:
    """Read names, body parts and numeric columns of the table."""
    text = (files("msk_reserves.samples") / "data" / "injuries.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    columns = {name: np.array([float(row[name]) for row in rows]) for name in COLUMNS}
    for column in columns.values():
        column.flags.writeable = False
    return tuple(row["name"] for row in rows), tuple(row["body_part"] for row in rows), MappingProxyType(columns)


INJURY_NAMES, BODY_PART_OF, INJURY = _table()
"""Name and body part of each injury type, and its numbers by column, each of shape (n_injury_types,)."""

BODY_PARTS_MADE = tuple(dict.fromkeys(BODY_PART_OF))
"""The body parts the generator can make."""


def injury_code(name: str) -> int:
    """Return the row of an injury type.

    Examples
    --------
    >>> INJURY_NAMES[injury_code("rotator_cuff_tear")]
    'rotator_cuff_tear'
    """
    return INJURY_NAMES.index(name)


def of_injury(column: str, injury: Integers) -> Floats:
    """Return a column's value for each claim, shape (n_claims,)."""
    values: Floats = INJURY[column][injury]
    return values
