"""What is assumed of moves late in a state, where too few of them are seen to tell."""

from dataclasses import dataclass

from msk_reserves._checks import finite
from msk_reserves.claims.book import Assumption, Judged
from msk_reserves.recovery.laws.piecewise import DECLINE, NEVER, Fading
from msk_reserves.recovery.path.transitions import AtRisk, ends_otherwise


@dataclass(frozen=True, slots=True)
class LateRates(Judged):
    """What remains of the rates of moves where too few exits show them, and beyond the longest stay seen.

    It rules rates by piece, drawn toward what remains of the rate before; other laws go on as they are. Deaths do not
    become rarer, nor do the other ends of being off work: nobody is off work for ever.

    Attributes
    ----------
    by_year : what remains of a rate after a year; 1 for all of it.
    by_doubling : of a rate of return to work, what remains when the days off double.
    source : where the figures come from; printed with them.

    Examples
    --------
    >>> LateRates(by_year=0.7).assumption().source
    'given by the user'
    """

    by_year: float = DECLINE
    by_doubling: float = DECLINE
    source: str = (
        "judgement: the hazard of reopening halves yearly; that of a log-logistic law goes with 1 / days in the end"
    )

    def __post_init__(self) -> None:
        for name in ("by_year", "by_doubling"):
            if not 0 < finite(getattr(self, name), name) <= 1:
                raise ValueError(
                    f"`{name}` must lie above 0 and not exceed 1, what remains of a rate (0.5 for a half, 1 for all of "
                    f"it), got {getattr(self, name)!r}"
                )

    def of(self, group: AtRisk, target: str) -> Fading:
        """Say how a move becomes rarer the longer the stay: deaths do not, nor what else ends being off work.

        Recovery becomes less likely the longer a worker is off, but nobody is off work for ever: who does not recover
        reaches medical improvement, settles or is totally disabled.
        """
        space = group.space
        if target in space.deaths or ends_otherwise(group, target):
            return NEVER
        if group.state in space.off_work and target in space.working:
            return Fading("by doubling", self.by_doubling)
        return Fading("by year", self.by_year)

    def assumption(self) -> Assumption:
        """Return the assumption as it is printed."""
        value = (
            f"where too few exits were seen, and beyond the longest stay, piecewise rates fall to {self.by_year:.0%} a "
            f"year; those of return to work to {self.by_doubling:.0%} when the days off double; those of deaths, and "
            "of what else ends being off work, stay"
        )
        return Assumption("late rates of moves between states", value, self.whose())
