"""The stays off work of a whole life: how each ends, modified duty after it, relapse and late recurrence."""

from dataclasses import dataclass, fields

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.samples.draws import lognormal, stream, whole_days
from msk_reserves.samples.first_stay import FirstStay
from msk_reserves.samples.injuries import of_injury
from msk_reserves.samples.workers import JURISDICTIONS, Workers

RETURN, MMI, SETTLEMENT, PERMANENT_TOTAL, DEATH = range(5)
"""How a stay off work ends."""

MODIFIED_SHARE = 1 / 3
MODIFIED_FAILS = 0.10
NEVER_BACK_AFTER_RELAPSE = 0.06
LATE_RECURRENCE = 0.045
"""Chance that something comes back long after a return with no relapse; its hazard halves every year."""
RECURRENCE_DISABLES = 0.3
PERMANENT_TOTAL_SHARE = 0.07
SETTLES_WHILE_OFF = 0.20
MAXIMUM_STAYS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Stays:
    """One row a stay off work, in the order claim, then time.

    Attributes
    ----------
    claim : row of the claim; shape (n_stays,).
    start_day : first day of the stay, days since 1970-01-01.
    days : days off work, at least 1.
    exit : how it ends, one of the codes above.
    modified_days : days of modified duty after it, 0 for none.
    fails : whether that modified duty ends in the next stay rather than at full duty.
    days_before : days off work in earlier stays of the claim.
    last : whether it is the claim's last stay.
    recurrence_claim, recurrence_day : late recurrences that need care without a day off; shape (n_recurrences,).
    """

    claim: Integers
    start_day: Integers
    days: Integers
    exit: Integers
    modified_days: Integers
    fails: Booleans
    days_before: Integers
    last: Booleans
    recurrence_claim: Integers
    recurrence_day: Integers

    def __post_init__(self) -> None:
        for field in fields(self):
            getattr(self, field.name).flags.writeable = False

    def __len__(self) -> int:
        return len(self.claim)

    @property
    def end_day(self) -> Integers:
        """The day the stay ends, shape (n_stays,)."""
        return self.start_day + self.days

    @property
    def back_day(self) -> Integers:
        """The day modified duty ends too, shape (n_stays,)."""
        return self.start_day + self.days + self.modified_days


def _exits(never_back: Booleans, represented: Booleans, settles: Booleans, rng: np.random.Generator) -> Integers:
    """Draw how each stay ends."""
    n = len(never_back)
    draw = rng.random(n)
    exit_ = np.where(never_back, MMI, RETURN)
    exit_ = np.where(never_back & (draw < PERMANENT_TOTAL_SHARE), PERMANENT_TOTAL, exit_)
    settled = never_back & represented & settles & (draw > 1 - SETTLES_WHILE_OFF)
    exit_ = np.where(settled, SETTLEMENT, exit_)
    return np.where(rng.random(n) < 0.0004, DEATH, exit_)


def may_settle(workers: Workers) -> Booleans:
    """Whether indemnity can be settled where the claim is: not in Texas; shape (n_claims,)."""
    return np.asarray(workers.jurisdiction != JURISDICTIONS.index("TX"), dtype=np.bool_)


@dataclass(slots=True, eq=False)
class _Round:
    """The stays of one round: first stays, then first relapses, and so on."""

    claim: Integers
    start_day: Integers
    days: Integers
    exit: Integers
    modified_days: Integers
    fails: Booleans


def _relapse_days(workers: Workers, first: FirstStay, claim: Integers, rng: np.random.Generator) -> Integers:
    """Draw days off in a relapse: longer than most first stays, and kin to them."""
    kin = 0.4 * first.score[claim] + workers.log_time_ratio[claim]
    return whole_days(lognormal(rng, 52.0 * np.exp(kin), 1.0, len(claim)), at_least=1)


def _round(claim: Integers, start: Integers, days: Integers, exit_: Integers, rng: np.random.Generator) -> _Round:
    """Draw the modified duty that follows each return of one round."""
    n = len(claim)
    modified = (exit_ == RETURN) & (rng.random(n) < MODIFIED_SHARE)
    fails = modified & (rng.random(n) < MODIFIED_FAILS)
    stay = lognormal(rng, 28.0, 0.7, n) * np.where(fails, rng.random(n), 1.0)
    return _Round(claim, start, days, exit_, np.where(modified, whole_days(stay, at_least=3), 0), fails)


def _again(
    made: _Round, workers: Workers, number: int, rng: np.random.Generator
) -> tuple[Integers, Integers, Integers, Integers]:
    """Draw who is off work again and when, and who needs care again without a day off."""
    n = len(made.claim)
    returned = (made.exit == RETURN) & ~made.fails
    back = made.start_day + made.days + made.modified_days
    chance = of_injury("relapse", workers.injury[made.claim]) * (1.0 if number == 0 else 1.6)
    gap = lognormal(rng, 150.0, 1.0, n)
    relapses = returned & (rng.random(n) < chance) & (gap <= 1095)
    late = returned & ~relapses & (rng.random(n) < LATE_RECURRENCE)
    disabled = rng.random(n) < RECURRENCE_DISABLES
    since = np.where(relapses, whole_days(gap, at_least=2), whole_days(200 + rng.exponential(365.25 / np.log(2), n)))
    again = np.flatnonzero(made.fails | relapses | (late & disabled))
    start = np.where(made.fails, back, back + since)[again]
    care = np.flatnonzero(late & ~disabled)
    return made.claim[again], start, made.claim[care], (back + since)[care]


def draw_stays(workers: Workers, first: FirstStay, seed: int) -> Stays:
    """Draw every stay off work of every lost-time claim."""
    rng = stream(seed, "stays")
    settles = may_settle(workers)
    claim = np.flatnonzero(workers.lost_time)
    start, days, never_back = first.start_day[claim], first.days[claim], first.never_back[claim]
    rounds: list[_Round] = []
    care: list[tuple[Integers, Integers]] = []
    for number in range(MAXIMUM_STAYS):
        represented = first.attorney_day[claim] < start + days
        made = _round(claim, start, days, _exits(never_back, represented, settles[claim], rng), rng)
        if number == MAXIMUM_STAYS - 1:
            made.fails = np.zeros(len(claim), dtype=bool)
        rounds.append(made)
        claim, start, care_claim, care_day = _again(made, workers, number, rng)
        care.append((care_claim, care_day))
        days = _relapse_days(workers, first, claim, rng)
        never_back = rng.random(len(claim)) < NEVER_BACK_AFTER_RELAPSE
    return _stays(rounds, care)


def _stays(rounds: list[_Round], care: list[tuple[Integers, Integers]]) -> Stays:
    """Put the rounds in the order claim, then time."""
    claim = np.concatenate([made.claim for made in rounds])
    start = np.concatenate([made.start_day for made in rounds])
    order = np.lexsort((start, claim))

    def column(name: str) -> Integers:
        return np.concatenate([getattr(made, name) for made in rounds])[order]

    claim, days = claim[order], column("days")
    first = np.r_[True, claim[1:] != claim[:-1]][: len(claim)]
    earlier = np.cumsum(days) - days
    return Stays(
        claim=claim,
        start_day=start[order],
        days=days,
        exit=column("exit"),
        modified_days=column("modified_days"),
        fails=column("fails").astype(np.bool_),
        days_before=earlier - np.maximum.accumulate(np.where(first, earlier, 0)),
        last=np.r_[claim[1:] != claim[:-1], True][: len(claim)],
        recurrence_claim=np.concatenate([pair[0] for pair in care]),
        recurrence_day=np.concatenate([pair[1] for pair in care]),
    )


def score_of_care(first: FirstStay, correlation: float, seed: int) -> Floats:
    """Draw the standard normal score of each claim's care, correlated with that of its days off."""
    own = stream(seed, "care score").standard_normal(len(first.score))
    return np.asarray(correlation * first.score + np.sqrt(1 - correlation**2) * own, dtype=np.float64)
