"""A move whose hazards come from outside the fit."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from msk_reserves.claims.states import StateSpace
from msk_reserves.recovery.laws.families import BY_CLAIM
from msk_reserves.recovery.laws.fit import FittedFamily
from msk_reserves.recovery.path.covariates import Block
from msk_reserves.recovery.path.employers import EmployerFrailty
from msk_reserves.recovery.path.external import ClaimHazards, ClaimRow
from msk_reserves.recovery.path.selection import Candidate
from msk_reserves.recovery.path.transitions import Transition


def replaced(move: Transition, hazards: ClaimHazards, column: int) -> Transition:
    """Return a move that has tabulated hazards for its law; `column` of the design holds each claim's row in them."""
    fit = FittedFamily(
        family=BY_CLAIM,
        names=("row",),
        theta=np.ones(1),
        covariance=np.zeros((1, 1)),
        loglik=np.nan,
        aic=np.nan,
        events=move.events,
        converged=True,
        reason=hazards.label,
        cuts=np.zeros(0),
    )
    candidate = Candidate(fit, 1.0, "")
    return replace(
        move,
        columns=(column,),
        names=(),
        candidates=(candidate,),
        method="given",
        prior=(),
        mark=None,
        forward=False,
        hazards=hazards,
        factors=None,
        cells=(),
        refits=(),
    )


def keyed(keys: tuple[Block, ...], row: ClaimRow) -> tuple[tuple[Block, ...], int]:
    """Return the keys of a design with a table's rows among them, and their place; the employer's number stays last."""
    tables = [one for one in keys if isinstance(one, ClaimRow)]
    others = tuple(one for one in keys if not isinstance(one, ClaimRow))
    moves = [one.move for one in tables]
    place = moves.index(row.move) if row.move in moves else len(moves)
    return (*tables[:place], row, *tables[place + 1 :], *others), place


def with_twin(
    fitted: Sequence[Transition], name: str, space: StateSpace
) -> tuple[tuple[Transition, ...], tuple[str, ...]]:
    """Return the moves, that of one name out of a twin sharing its laws even where it was fitted apart.

    The names that moves out of the twin had while apart come second.
    """
    mine = [one for one in fitted if one.base_name == name]
    twins = {(space.twin_of.get(one.origin), space.twin_of.get(one.target, one.target)) for one in mine}
    apart = [one for one in fitted if not one.shared and (one.origin, one.target) in twins]
    own = {one.stratum.level if one.stratum is not None else "": one.name for one in mine if not one.shared}
    first = next(iter(own.values()))
    joined = tuple(
        replace(one, shared=own.get("" if one.stratum is None else one.stratum.level, first)) if one in apart else one
        for one in fitted
    )
    return joined, tuple(one.name for one in apart)


def without_moves(frailty: EmployerFrailty | None, names: Collection[str]) -> EmployerFrailty | None:
    """Return what is known of employers, its factor no longer on some moves; what these told of them stays."""
    if frailty is None or not any(move in names for move in frailty.moves):
        return frailty
    kept = [place for place, move in enumerate(frailty.moves) if move not in names]
    return replace(
        frailty,
        moves=tuple(frailty.moves[place] for place in kept),
        carried=tuple(frailty.carried[place] for place in kept),
    )
