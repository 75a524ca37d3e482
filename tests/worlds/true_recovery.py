"""The recovery that `recovery_book` follows, with no estimate in it."""

from dataclasses import replace

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.book import ClaimBook
from msk_reserves.recovery.laws.families import EXPONENTIAL, LOGNORMAL, WEIBULL, Family
from msk_reserves.recovery.path.covariates import Term
from msk_reserves.recovery.path.model import Recovery, fit_recovery
from msk_reserves.recovery.path.selection import Candidate
from msk_reserves.recovery.path.transitions import Transition
from tests.worlds.recovery import AGE_EFFECT


def true_recovery(like: Recovery | ClaimBook, *, shift: float = 0.0, effect: float = AGE_EFFECT) -> Recovery:
    """Return the hazards that make the books of `recovery_book`.

    Parameters
    ----------
    like : a recovery on age alone whose laws are replaced, or a book to fit one to.
    shift : added to the mean of ln days until the first return, to make the recovery wrong.
    effect : of a decade of age on it.
    """
    if isinstance(like, ClaimBook):
        like = fit_recovery(like, candidates=("exponential",), covariates=("age",))
    age = like.design.terms[0]
    assert isinstance(age, Term)
    centre = age.centre
    back = np.array([3.4 + shift + effect * (centre - 45) / 10, effect, np.log(1.1)])
    laws = {
        ("off_work", "back_at_work"): (LOGNORMAL, back),
        ("off_work", "mmi"): (WEIBULL, np.array([np.log(700.0), np.log(1 / 1.2)])),
        ("off_work", "dead"): (EXPONENTIAL, np.log([60_000.0])),
        ("relapse", "back_at_work"): (LOGNORMAL, np.array([4.0, 0.0, np.log(0.9)])),
        ("relapse", "mmi"): (EXPONENTIAL, np.log([500.0])),
        ("modified_duty", "back_at_work"): (WEIBULL, np.array([np.log(45.0), np.log(1 / 1.1)])),
        ("modified_duty", "relapse"): (EXPONENTIAL, np.log([400.0])),
        ("back_at_work", "relapse"): (EXPONENTIAL, np.log([2_200.0])),
    }
    # Moves that only the population's mortality brings in do not exist in that world.
    return replace(
        like,
        fitted=tuple(
            _with_law(move, *laws[move.origin, move.target])
            for move in like.fitted
            if (move.origin, move.target) in laws
        ),
    )


def _with_law(move: Transition, family: Family, theta: Floats) -> Transition:
    """Return a move with one law of known parameters; the first effect, where there is one, is age's."""
    names = ("constant", *(["age, decades"] if family is LOGNORMAL else []))
    names += ("log_scale",) if family.free_scale else ()
    fit = replace(
        move.candidates[0].fit,
        family=family.name,
        names=names,
        theta=theta,
        covariance=np.eye(len(theta)) * 1e-12,
        converged=True,
        cuts=np.zeros(0),
    )
    columns = (0,) if family is LOGNORMAL else ()
    return replace(move, columns=columns, names=names[1 : 1 + len(columns)], candidates=(Candidate(fit, 1.0, ""),))
