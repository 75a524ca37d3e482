"""What the law says of one benefit in one jurisdiction, and how it turns a rating into weeks or dollars."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from msk_reserves.claims.schema import Column
from msk_reserves.claims.statutes import JURISDICTIONS

BENEFITS = ("temporary_total", "temporary_partial", "permanent_partial", "permanent_total", "death")

FORMULAS = ("wage", "wage_loss", "benefit_less_earnings", "degree")

PARTS = ("arm", "leg", "shoulder", "elbow", "hand", "knee", "hip", "foot", "back", "whole")
"""What a schedule rates; `whole` is the person."""

CONFIDENCE = ("high", "medium", "low")

ALWAYS = -1e9
"""The day since when a rule without a date holds."""


@dataclass(frozen=True, slots=True)
class BenefitRule:
    """One step of one benefit of a jurisdiction, for injuries from a day on.

    Attributes
    ----------
    jurisdiction, benefit : whose law, and which of `BENEFITS`.
    effective_from : first day of injury it holds for, days since 1970-01-01; `ALWAYS` without a date.
    from_week : weeks of this benefit after which the step holds (a step-down); of a permanent partial benefit, weeks
        awarded from which it holds for the whole award (a tier).
    formula : "wage" (a share of the wage), "wage_loss" (a share of the wage lost), "benefit_less_earnings" (a share of
        the wage, less every dollar earned) or "degree" (a share of the wage times the degree of disability).
    rate : the share.
    wage_base : "gross", or "after_tax" for spendable earnings.
    wage_cap : weekly wage that counts at most, dollars; NaN for none, as in every limit below.
    spouse_rate, child_rate, rate_cap : what a spouse and each child add to the share, and the largest share.
    weekly_maximum, weekly_minimum : dollars a week; the minimum is not of partial benefits.
    minimum_wage_share : share of the wage above which the minimum does not lift the benefit.
    wage_share : share of the wage from which earnings are taken to find the loss.
    least_loss : share of the wage that must be lost before a loss counts.
    benefit_wage_share : share of the wage that the benefit may reach.
    weeks_factor : what the weeks of an award are multiplied by.
    waiting_days, retro_days : days off not paid at first, and days off from which on they are paid too.
    max_weeks : weeks paid at most; likewise `limit_years` since the injury, `limit_age` in years (of a death benefit
        the children's) and `limit_dollars`.
    burial : dollars at death.
    amounts_at : "injury" where minimum and maximum stay those of the injury's day, "payment" where they follow later
        rows.
    escalation_index : "fixed", "wages" or "prices": what the benefit grows with; empty for no growth.
    escalation : the fixed growth a year, or the most that an index may bring.
    escalation_from_year : years after the benefit began from which it grows.
    deduct_temporary : whether weeks of temporary total benefits are taken off the weeks of an award.
    confidence : "high", "medium" or "low".
    source, note : where the row comes from; what it assumes or leaves out.
    """

    jurisdiction: str
    benefit: str
    rate: float
    effective_from: float = ALWAYS
    from_week: float = 0.0
    formula: str = "wage"
    wage_base: str = "gross"
    wage_cap: float = np.nan
    spouse_rate: float = 0.0
    child_rate: float = 0.0
    rate_cap: float = np.nan
    weekly_maximum: float = np.nan
    weekly_minimum: float = np.nan
    minimum_wage_share: float = 1.0
    wage_share: float = 1.0
    least_loss: float = 0.0
    benefit_wage_share: float = np.nan
    weeks_factor: float = 1.0
    waiting_days: float = 0.0
    retro_days: float = np.nan
    max_weeks: float = np.nan
    limit_years: float = np.nan
    limit_age: float = np.nan
    limit_dollars: float = np.nan
    burial: float = 0.0
    amounts_at: str = "injury"
    escalation_index: str = ""
    escalation: float = np.nan
    escalation_from_year: float = 1.0
    deduct_temporary: float = 0.0
    confidence: str = "low"
    source: str = ""
    note: str = ""

    def __str__(self) -> str:
        share = f"{self.rate:.2%} of {'after-tax' if self.wage_base == 'after_tax' else 'gross'} wage"
        told = "by " + self.formula.replace("_", " ") if self.formula != "wage" else ""
        limits = [
            f"at most {self.weekly_maximum:,.2f} dollars a week" if np.isfinite(self.weekly_maximum) else "",
            f"at most {self.max_weeks:g} weeks" if np.isfinite(self.max_weeks) else "",
            f"from week {self.from_week:g}" if self.from_week else "",
        ]
        said = ", ".join(part for part in (share, told, *limits) if part)
        held = f"{day_in_words(self.effective_from)}; confidence {self.confidence}"
        return f"{self.jurisdiction} {self.benefit.replace('_', ' ')}: {said} ({held})"


@dataclass(frozen=True, slots=True)
class AwardRule:
    """One band of ratings of one part in a jurisdiction's permanent partial awards.

    Attributes
    ----------
    jurisdiction, part : whose law, and which of `PARTS`.
    effective_from : first day of injury it holds for, days since 1970-01-01.
    from_rating : rating in per cent above which the band begins.
    basis : "weeks" (paid at the weekly rate), "dollars" (a sum whatever the wage) or "wage_loss" (a share of the wage
        lost, for at most `weeks`).
    weeks_per_point, dollars_per_point : for each per cent of rating within the band.
    whole_rating : whether the band reached counts for every per cent, not only those within it.
    weeks : weeks of the band reached, whatever the rating.
    weekly_factor : where given, the weekly rate is multiplied by the rating and by this.
    young_factor : where given, weeks are multiplied by it at age 20 and younger, falling evenly to 1 at 60.
    pension_rate, pension_from, pension_wage_cap : where given, after the weeks a pension for life: this share of the
        wage, which counts to the cap, for each per cent of rating above `pension_from`; it grows as the permanent total
        benefit does.
    confidence, source, note : as in `BenefitRule`.
    """

    jurisdiction: str
    part: str
    basis: str
    effective_from: float = ALWAYS
    from_rating: float = 0.0
    weeks_per_point: float = np.nan
    dollars_per_point: float = np.nan
    whole_rating: float = 0.0
    weeks: float = np.nan
    weekly_factor: float = np.nan
    young_factor: float = np.nan
    pension_rate: float = np.nan
    pension_from: float = 0.0
    pension_wage_cap: float = np.nan
    confidence: str = "low"
    source: str = ""
    note: str = ""


def day_in_words(day: float) -> str:
    """Return since when a rule holds."""
    return "no date" if day == ALWAYS else f"from {np.datetime64(int(day), 'D')}"


_SHARE = Column("number", high=1.0)
_DOLLARS = Column("number", high=1e7)
_WEEKS = Column("number", high=5_200.0)
_TEXT = Column("text")
_FLAG = Column("flag")

RULE_COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "jurisdiction": Column("word", "required", words=JURISDICTIONS),
        "benefit": Column("word", "required", words=BENEFITS),
        "effective_from": Column("date"),
        "from_week": _WEEKS,
        "formula": Column("word", words=FORMULAS),
        "rate": Column("number", "required", high=1.0),
        "wage_base": Column("word", words=("gross", "after_tax")),
        "wage_cap": _DOLLARS,
        "spouse_rate": _SHARE,
        "child_rate": _SHARE,
        "rate_cap": _SHARE,
        "weekly_maximum": _DOLLARS,
        "weekly_minimum": _DOLLARS,
        "minimum_wage_share": Column("number", high=1_000.0),
        "wage_share": _SHARE,
        "least_loss": _SHARE,
        "benefit_wage_share": _SHARE,
        "weeks_factor": Column("number", above_zero=True, high=100.0),
        "waiting_days": Column("number", high=365.0, whole=True),
        "retro_days": Column("number", high=36_525.0, whole=True),
        "max_weeks": _WEEKS,
        "limit_years": Column("number", high=100.0),
        "limit_age": Column("number", high=120.0),
        "limit_dollars": _DOLLARS,
        "burial": _DOLLARS,
        "amounts_at": Column("word", words=("injury", "payment")),
        "escalation_index": Column("word", words=("fixed", "wages", "prices")),
        "escalation": Column("number", high=0.5),
        "escalation_from_year": Column("number", high=50.0, whole=True),
        "deduct_temporary": _FLAG,
        "confidence": Column("word", "required", words=CONFIDENCE),
        "source": _TEXT,
        "note": _TEXT,
    }
)
"""Columns of a table of benefit rules: the attributes of `BenefitRule`."""

AWARD_COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        "jurisdiction": Column("word", "required", words=JURISDICTIONS),
        "effective_from": Column("date"),
        "part": Column("word", "required", words=PARTS),
        "from_rating": Column("number", "required", high=100.0),
        "basis": Column("word", "required", words=("weeks", "dollars", "wage_loss")),
        "weeks_per_point": Column("number", high=100.0),
        "dollars_per_point": _DOLLARS,
        "whole_rating": _FLAG,
        "weeks": _WEEKS,
        "weekly_factor": Column("number", high=100.0),
        "young_factor": Column("number", low=0.0, high=100.0),
        "pension_rate": _SHARE,
        "pension_from": Column("number", high=100.0),
        "pension_wage_cap": _DOLLARS,
        "confidence": Column("word", "required", words=CONFIDENCE),
        "source": _TEXT,
        "note": _TEXT,
    }
)
"""Columns of a table of awards: the attributes of `AwardRule`."""
