"""The injury types of the generator: how often, how long, how dear, how often operated on."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from msk_reserves._checks import Floats


class InjuryType(NamedTuple):
    """One injury type; days are days off work, dollars are those of 2025.

    The first block holds published or judged figures (the sample cards name the sources behind each); the last four
    columns are the generator's own: `relapse` is the chance of a relapse within three years of return, the two care
    factors scale care so that medians of medical per claim meet the figures before them, and `bundle_price` is 0.95
    of the mean care a bundle takes over.
    """

    name: str
    body_part: str
    share: float
    surgery: float
    acute_median: float
    acute_sigma: float
    chronic_share: float
    chronic_median: float
    chronic_sigma: float
    surgical_median: float
    surgical_sigma: float
    never_back: float
    never_back_surgical: float
    medical_median: float
    medical_median_surgical: float
    award: float
    award_surgical: float
    impairment: float
    attorney: float
    relapse: float
    care_factor: float
    care_factor_surgical: float
    bundle_price: float


# fmt: off
INJURY_TYPES = (
    InjuryType("low_back_strain", "low_back", .24, .01, 11, 1.05, .115, 150, 1., 210, .8, .04, .45, 5200, 75000, .12, .75, .05, .26, .17, 1, 1, 9000),
    InjuryType("lumbar_disc_radic_nonfusion", "low_back", .065, .30, 60, 1.05, .22, 260, .9, 190, .75, .10, .28, 13000, 52000, .45, .85, .09, .52, .17, 1, 1, 25000),
    InjuryType("lumbar_fusion", "low_back", .02, 1., 1, 1, 0, 1, 1, 480, .65, 0., .62, 1, 135000, 0., .97, .18, .66, .17, 1, 1, 110000),
    InjuryType("rotator_cuff_tear", "shoulder", .09, .88, 50, 1., .15, 190, .8, 130, .75, .06, .09, 9500, 41000, .35, .80, .07, .40, .10, 1, 1, 33000),
    InjuryType("shoulder_strain_impingement", "shoulder", .075, .10, 26, 1.05, .10, 180, .9, 125, .72, .03, .09, 6500, 33000, .15, .65, .04, .28, .10, 1, 1, 9000),
    InjuryType("knee_meniscus_ligament", "knee", .105, .66, 30, 1., .10, 170, .9, 72, .8, .03, .05, 6000, 21500, .20, .65, .04, .26, .08, 1, 1, 15000),
    InjuryType("knee_sprain_contusion", "knee", .06, .03, 16, 1., .06, 140, .9, 75, .8, .02, .08, 3800, 24000, .06, .60, .03, .18, .08, 1, 1, 4500),
    InjuryType("knee_arthroplasty", "knee", .008, 1., 1, 1, 0, 1, 1, 125, .65, 0., .18, 1, 62000, 0., .95, .16, .42, .06, 1, 1, 50000),
    InjuryType("carpal_tunnel", "wrist_hand", .045, .72, 25, 1., .10, 150, .9, 48, .8, .02, .05, 4500, 14500, .20, .60, .03, .36, .07, 1, 1, 10000),
    InjuryType("hand_wrist_soft_tissue", "wrist_hand", .10, .18, 16, 1., .06, 140, .9, 60, .8, .02, .05, 3600, 16500, .10, .50, .03, .18, .06, 1, 1, 5500),
    InjuryType("cervical_strain", "neck", .045, .01, 20, 1.05, .14, 170, 1., 200, .8, .05, .40, 6200, 80000, .14, .80, .06, .36, .13, 1, 1, 9000),
    InjuryType("cervical_radic_fusion", "neck", .017, .60, 70, 1.05, .25, 260, .9, 240, .75, .12, .40, 15000, 92000, .50, .95, .14, .58, .13, 1, 1, 60000),
    InjuryType("ankle_foot", "ankle_foot", .08, .14, 24, 1., .07, 150, .9, 115, .7, .02, .07, 4800, 30000, .12, .70, .05, .20, .07, 1, 1, 9000),
    InjuryType("elbow_epicondylitis_tendon", "elbow", .03, .20, 24, 1., .10, 160, .9, 100, .75, .03, .05, 4600, 21000, .15, .60, .03, .28, .08, 1, 1, 8000),
    InjuryType("hip_thigh", "hip", .02, .15, 25, 1.05, .10, 170, .9, 135, .75, .03, .15, 6000, 52000, .15, .75, .09, .30, .08, 1, 1, 15000),
)
# fmt: on

INJURY_NAMES = tuple(injury.name for injury in INJURY_TYPES)
BODY_PARTS_MADE = tuple(dict.fromkeys(injury.body_part for injury in INJURY_TYPES))
"""The body parts the generator can make."""

INJURY: Mapping[str, Floats] = MappingProxyType(
    {
        field: np.array([getattr(injury, field) for injury in INJURY_TYPES], dtype=np.float64)
        for field in InjuryType._fields
        if field not in {"name", "body_part"}
    }
)
"""The numeric columns, each of shape (n_injury_types,)."""
