"""The words a claim file may use: body parts, events, payment categories, states of the path."""

from collections.abc import Mapping
from types import MappingProxyType

BODY_PARTS = (
    "shoulder", "knee", "low_back", "neck", "hip", "elbow", "wrist_hand", "ankle_foot",
    "upper_extremity", "lower_extremity", "trunk", "head", "other",
)  # fmt: skip

EVENTS = (
    "off_work", "modified_duty", "return_to_work", "mmi", "settlement", "permanent_total", "death",
    "surgery", "attorney", "close", "reopen",
)  # fmt: skip

COMPONENTS = ("medical", "indemnity", "expense")

CATEGORIES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "facility", "surgeon", "anesthesia", "implant_dme", "imaging", "evaluation", "injection",
                "physical_therapy", "pharmacy", "opioid", "behavioral_health", "other_medical", "bundle_fee",
            ),
            "medical",
        ),
        **dict.fromkeys(
            ("ttd", "tpd", "ppd", "ptd", "settlement", "death_benefit", "vocational_rehabilitation"), "indemnity"
        ),
        **dict.fromkeys(("case_management", "bill_review", "network_fee", "legal", "other_expense"), "expense"),
    }
)  # fmt: skip
"""Component of each payment category."""

CATEGORY_NAMES = tuple(CATEGORIES)
CATEGORY_CODE: Mapping[str, int] = MappingProxyType({name: code for code, name in enumerate(CATEGORY_NAMES)})

INSTRUMENTS = ("quickdash", "odi", "koos_jr", "hoos_jr", "nprs")

REPRESENTED: Mapping[str, str] = MappingProxyType(
    {
        name: f"{name}_represented"
        for name in ("off_work", "relapse", "after_surgery", "modified_duty", "back_at_work", "mmi")
    }
)
"""The state a worker moves to from each of these on retaining an attorney: its twin, on the same clock."""

STATES = (
    "at_work", "off_work", "relapse", "after_surgery", "modified_duty", "back_at_work",
    "mmi", "settled", "permanent_total", "dead", "closed", "reopened", *REPRESENTED.values(),
)  # fmt: skip
"""States of the path, in code order.

`at_work` never left work (a medical-only claim so far); `relapse` is off work again after a stable return;
`after_surgery` is off work with the clock restarted at the operation; `closed` is a closed file of a worker who is
not off work, `reopened` the same file open again, whose cost is unlike that of the weeks after a return. The states of
represented workers come last.
"""

STATE_CODE: Mapping[str, int] = MappingProxyType({name: code for code, name in enumerate(STATES)})


def with_represented(*names: str) -> tuple[str, ...]:
    """Return states of the path followed by the twins they have."""
    return (*names, *(REPRESENTED[name] for name in names if name in REPRESENTED))


OFF_WORK_STATES = with_represented("off_work", "relapse", "after_surgery")
"""The states in which temporary total disability is owed."""

STILL_IN_STATE = -1
"""Code of `next_state` for a stay that had not ended at the valuation date."""
