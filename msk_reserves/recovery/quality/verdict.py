"""Whether a recovery may be used for reserving, and why."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from msk_reserves._checks import level, whole
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.part import part_of_book
from msk_reserves.recovery.path.model import Recovery, fit_recovery
from msk_reserves.recovery.path.selection import TAIL_STARTS
from msk_reserves.recovery.path.transitions import stays_at_risk, stays_of
from msk_reserves.recovery.quality.checks import (
    CAUTION,
    FAIL,
    PASS,
    Check,
    beyond_checks,
    events_checks,
    laws_check,
    moments_check,
    off_work,
    spread_check,
)
from msk_reserves.recovery.quality.checks_observed import (
    band_check,
    calibration_checks,
    group_check,
    path_check,
    proportionality_check,
    spread_of_predictions_checks,
    tail_check,
)
from msk_reserves.recovery.quality.cox_snell import CoxSnell, cox_snell
from msk_reserves.recovery.quality.group_check import GROUPS, GroupCheck, predicted_and_observed
from msk_reserves.recovery.quality.judged import (
    HORIZONS,
    JudgedStays,
    judged_stays,
    returns_from,
)
from msk_reserves.recovery.quality.occupation_check import OccupationCheck, occupation_check

LEAST_STAYS = 100
"""Stays of a state off work from which its predictions are judged."""


@dataclass(frozen=True, slots=True, eq=False)
class RecoveryAssessment:
    """The checks a recovery went through, and what they rest on.

    Attributes
    ----------
    checks : the checks, in the order of the table.
    judged : stays off work with their predictions, by state.
    groups : predicted and observed returns by group, in the same order.
    residuals : Cox-Snell residuals in the same order.
    path : predicted and observed shares in every state, None where they could not be compared.
    held_out : whether the claims are others than those the recovery was fitted to.
    """

    checks: tuple[Check, ...]
    judged: tuple[JudgedStays, ...]
    groups: tuple[GroupCheck, ...]
    residuals: tuple[CoxSnell, ...]
    path: OccupationCheck | None
    held_out: bool

    @property
    def outcome(self) -> str:
        """The worst outcome: "pass", "caution" or "fail"."""
        found = {one.outcome for one in self.checks}
        return next(outcome for outcome in (FAIL, CAUTION, PASS) if outcome in found)

    @property
    def verdict(self) -> str:
        """Whether the recovery may be used for reserving, in a sentence."""
        failed = [one.name for one in self.checks if one.outcome == FAIL]
        careful = [one.name for one in self.checks if one.outcome == CAUTION]
        where = "claims it had not seen" if self.held_out else "the claims it was fitted to"
        n = len(self.checks)
        if failed:
            more = f"; caution with {', '.join(careful)}" if careful else ""
            return f"Not to be reserved on as it is: {', '.join(failed)} fail of {n} checks on {where}{more}."
        if careful:
            return (
                f"May be reserved on with care: none of {n} checks on {where} fails, caution with {', '.join(careful)}."
            )
        return f"May be reserved on: all {n} checks on {where} pass."

    def to_frame(self) -> pd.DataFrame:
        """Return a row a check: check, value, rule, source, outcome."""
        return pd.DataFrame(
            {
                "check": [one.name for one in self.checks],
                "value": [one.value for one in self.checks],
                "rule": [one.rule for one in self.checks],
                "source": [one.source for one in self.checks],
                "outcome": [one.outcome for one in self.checks],
            }
        )

    def __repr__(self) -> str:
        width = max(len(one.name) for one in self.checks)
        return "\n".join([self.verdict, *(f"{one.outcome:8}{one.name:{width}}  {one.value}" for one in self.checks)])

    def _repr_html_(self) -> str:
        return f"<p>{escape(self.verdict)}</p>" + str(self.to_frame().to_html(index=False))


def assess_recovery(
    recovery: Recovery,
    book: ClaimBook,
    *,
    by: Sequence[str] = GROUPS,
    held_out: bool = False,
) -> RecoveryAssessment:
    """Check whether a recovery may be used for reserving.

    Parameters
    ----------
    recovery : Recovery
        The model.
    book : ClaimBook
        The claims to judge it on: those it was fitted to, or others with the same columns.
    by : sequence of str
        Columns of the claims by which predictions are compared, as in `predicted_and_observed`.
    held_out : bool
        Whether `book` holds other claims than the recovery was fitted to; it is printed with the verdict. On its own
        claims a model is right on average by construction, and only its shape, spread and tail are truly tested.

    Returns
    -------
    RecoveryAssessment
        One row a check with its value, its rule and the rule's source, and the verdict: a check that fails forbids the
        use, one that calls for caution must be explained by whoever uses it.

    Raises
    ------
    ValueError
        If fewer than 100 first stays off work can be judged, or the recovery has no return to work from there.

    Notes
    -----
    Predictions are judged for each state off work with 100 stays or more, at 13, 26 and 52 weeks where enough stays are
    watched so long.
    """
    if not returns_from(recovery, "off_work"):
        raise ValueError("`recovery` must have a move from off_work back to work; nobody returned in its data")
    groups = stays_at_risk(stays_of(book))[0]
    at_risk = {one.state: len(one.days) for one in groups}
    judged = [
        judged_stays(recovery, book, state=state)
        for state in off_work(recovery)
        if at_risk.get(state, 0) >= LEAST_STAYS and returns_from(recovery, state)
    ]
    judged = [one for one in judged if len(one.stays) >= LEAST_STAYS and one.watched_to(HORIZONS[0])]
    if not judged or judged[0].state != "off_work":
        raise ValueError(
            f"`book` must hold {LEAST_STAYS} first stays off work or more, watched for {HORIZONS[0] / 7:.0f} weeks, to "
            f"judge a recovery on; it has {at_risk.get('off_work', 0)}"
        )
    compared = [predicted_and_observed(one, book, by) for one in judged]
    residuals = [cox_snell(recovery, book, state=one.state) for one in judged]
    late = [
        cox_snell(recovery, book, state=state, band_days=(0.0, *TAIL_STARTS))
        for state in at_risk
        if recovery.transitions_from(state)
    ]
    path, no_path = _path(recovery, book, judged[0])
    half_year = HORIZONS[1] if judged[0].watched_to(HORIZONS[1]) else HORIZONS[0]
    found = [
        laws_check(recovery),
        *events_checks(recovery),
        *beyond_checks(recovery),
        spread_check(recovery, book),
        moments_check(recovery),
        *calibration_checks(judged),
        *spread_of_predictions_checks(judged[0], half_year),
        group_check(compared),
        path_check(path, no_path),
        band_check(residuals),
        tail_check(late),
        proportionality_check(recovery, book, groups),
    ]
    checks = tuple(one for one in found if one is not None)
    return RecoveryAssessment(checks, tuple(judged), tuple(compared), tuple(residuals), path, held_out)


def _path(recovery: Recovery, book: ClaimBook, judged: JudgedStays) -> tuple[OccupationCheck | None, str]:
    """Compare states along the path as far as stays are watched, or say why not."""
    days = [day for day in judged.horizons.tolist() if judged.watched_to(day)]
    try:
        return occupation_check(recovery, book, days), ""
    except ValueError as error:
        return None, str(error)


def assess_held_out(
    book: ClaimBook,
    fit: Callable[[ClaimBook], Recovery] = fit_recovery,
    *,
    share: float = 0.3,
    seed: int = 1,
    by: Sequence[str] = GROUPS,
) -> RecoveryAssessment:
    """Fit a recovery to some of the claims of a book and check it on the others.

    Parameters
    ----------
    book : ClaimBook
        All claims.
    fit : callable
        Makes a recovery of a book; by default `fit_recovery` as it is.
    share : float
        Share of the claims held out, in (0, 1).
    seed : int
        Which claims: a claim is held out by a hash of seed and `claim_id`, whatever other claims there are.
    by : sequence of str
        As in `assess_recovery`.

    Returns
    -------
    RecoveryAssessment
        Of the recovery of the claims kept; the one to reserve on is fitted to all.

    Raises
    ------
    ValueError
        If the claims held out are too few, or those kept cannot be fitted.
    """
    level(share, "share")
    key = whole(seed, "seed")
    size = 2.0**64
    drawn = np.array(
        [
            int.from_bytes(hashlib.blake2b(f"{key}:{name}".encode(), digest_size=8).digest(), "big") / size
            for name in book.claims["claim_id"].astype(str)
        ]
    )
    recovery = fit(part_of_book(book, np.flatnonzero(drawn >= share)))
    return assess_recovery(recovery, part_of_book(book, np.flatnonzero(drawn < share)), by=by, held_out=True)
