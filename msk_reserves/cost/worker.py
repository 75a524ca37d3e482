"""An injured worker as the law sees one, and the stays of the path back to work that benefits are paid for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from msk_reserves._checks import not_negative, one_of
from msk_reserves.claims.schema import calendar_day
from msk_reserves.claims.statutes import JURISDICTIONS
from msk_reserves.claims.vocabulary import BODY_PARTS, OFF_WORK_STATES, STATES, with_represented
from msk_reserves.cost.life_table import SEXES

DEPENDENT_AGE = 18.0
"""Age below which a child is a dependant, where the rule does not say."""

MODIFIED_DUTY = with_represented("modified_duty")

FINAL_STATES = ("settled", "permanent_total", "dead")
"""States that end a permanent partial award."""


@dataclass(frozen=True, slots=True)
class InjuredWorker:
    """What the law asks of a worker.

    Attributes
    ----------
    jurisdiction : two-letter state, `FECA` or `LHWCA`.
    injury_date : day of the injury, which picks the rules.
    weekly_wage : average weekly wage before the injury, dollars.
    spendable_wage : the same after taxes; NaN where unknown.
    body_part : one of the body parts of the data model; a rating is of the part that its schedule names.
    age : years at injury; needed for what is paid for life or to an age.
    sex : "male", "female" or "" where unknown.
    spouse_age : years of the spouse at the injury; NaN without a spouse.
    spouse_sex : as `sex`.
    children : age of each child at the injury, years.
    """

    jurisdiction: str
    injury_date: str
    weekly_wage: float
    spendable_wage: float = np.nan
    body_part: str = "other"
    age: float = np.nan
    sex: str = ""
    spouse_age: float = np.nan
    spouse_sex: str = ""
    children: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        one_of(self.jurisdiction, JURISDICTIONS, "jurisdiction")
        one_of(self.body_part, BODY_PARTS, "body_part")
        calendar_day(self.injury_date, "injury_date")
        not_negative(self.weekly_wage, "weekly_wage")
        for name in ("sex", "spouse_sex"):
            one_of(getattr(self, name), (*SEXES, ""), name)
        for name in ("age", "spouse_age"):
            if not np.isnan(getattr(self, name)):
                not_negative(getattr(self, name), name)
        for age in self.children:
            not_negative(age, "children")

    @property
    def has_spouse(self) -> bool:
        """Whether there was a spouse at the injury."""
        return not np.isnan(self.spouse_age)

    def n_children(self, years: float = 0.0, limit_age: float = DEPENDENT_AGE) -> int:
        """Return how many children are below an age, years after the injury."""
        return sum(age + years < limit_age for age in self.children)


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay of a path.

    Attributes
    ----------
    state : a state of the path (see the data model).
    days : how long it lasts; infinite for the last stay, where benefits are then expectations over lives.
    earnings : dollars a week earned on modified duty.
    degree : degree of disability found while at modified duty, a share; needed where the law pays by it.
    """

    state: str
    days: float
    earnings: float = 0.0
    degree: float = np.nan

    def __post_init__(self) -> None:
        one_of(self.state, STATES, "state")
        if not self.days >= 0:
            raise ValueError(f"`days` must not be negative, got {self.days!r}")
        if np.isinf(self.days) and self.state in (*OFF_WORK_STATES, *MODIFIED_DUTY):
            raise ValueError(f"`days` of a stay in {self.state!r} must be finite: temporary benefits follow days")
        not_negative(self.earnings, "earnings")


def joined(stays: Sequence[Stay]) -> list[Stay]:
    """Return the stays with those that follow one another in one state, on the same terms, made one.

    Examples
    --------
    >>> joined([Stay("off_work", 3), Stay("off_work", 4), Stay("mmi", 5)])
    [Stay(state='off_work', days=7, earnings=0.0, degree=nan), Stay(state='mmi', days=5, earnings=0.0, degree=nan)]
    """
    together: list[Stay] = []
    for stay in stays:
        before = together[-1] if together else None
        same = before is not None and _on_the_same_terms(before, stay)
        if before is not None and same and np.isfinite(before.days) and before.state != "dead":
            together[-1] = replace(before, days=before.days + stay.days)
        else:
            together.append(stay)
    return together


def _on_the_same_terms(one: Stay, other: Stay) -> bool:
    """Say whether two stays differ in their days alone; an unknown degree is as unknown as another."""
    terms = (one.earnings, one.degree), (other.earnings, other.degree)
    return one.state == other.state and np.array_equal(*terms, equal_nan=True)


def starts(stays: Sequence[Stay], first_day: float) -> list[float]:
    """Return the day on which each stay begins, days since the injury.

    Raises
    ------
    ValueError
        If there is no stay, one after death, or one after a stay without end.
    """
    if not stays:
        raise ValueError("`stays` must hold at least one stay, got none")
    days = [not_negative(first_day, "first_day")]
    for place, stay in enumerate(stays[:-1]):
        if np.isinf(stay.days) or stay.state == "dead":
            raise ValueError(f"`stays` must end with the first without end or in death, got one after stay {place + 1}")
        days.append(days[-1] + stay.days)
    return days
