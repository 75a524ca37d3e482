"""From what a seller says to a scenario of care: small weight, part of the effect, and the spread that leaves."""

import numpy as np

from msk_reserves._checks import level
from msk_reserves.certainty.implied import hazard_ratio
from msk_reserves.certainty.vendor_claims import NO_SELECTION, VendorClaim, transferred, vendor_claims
from msk_reserves.episodes.response import ATTORNEY, CareResponse, Effect, log_ratio_of

MOVES = {
    "return_after_surgery": ("after_surgery>back_at_work", "after_surgery>modified_duty"),
    "attorney": (ATTORNEY,),
}
"""Claims that a response can be made of, with what they act on."""

DRAWS = 4_000
"""Draws of a claim's prior from which the spread of its effect is taken."""


def vendor_response(
    *names: str,
    transfer: float = NO_SELECTION,
    weight: int | None = None,
    usual: float | None = None,
    seed: int = 20260101,
) -> CareResponse:
    """Return what a seller's published results would mean for care, as a scenario.

    Parameters
    ----------
    names : claims of the catalogue, "return_after_surgery" or "attorney".
    transfer : part of the log hazard ratio that is believed to be the programme's doing and not the choice of claims.
    weight : observations a claim counts as, at most 25; its own number, or 25 where it is not stated, when not given.
    usual : the share it is held against; the middle of the range stated when not given. Only with one name.
    seed : reproduces the spread.

    Returns
    -------
    CareResponse
        A scenario: hazard ratios ln(1 - p) / ln(1 - p0) to the power `transfer`, with the spread that p has as a beta
        law of that weight.

    Raises
    ------
    ValueError
        If a claim has no effect on moves, or `usual` is given for several.

    Examples
    --------
    >>> print(vendor_response("attorney").describe().split(";")[0])
    hazard ratio 0.363 on attorney (log sd 0.49)
    """
    if usual is not None and len(names) != 1:
        raise ValueError(f"`usual` is a share of one claim; got it for {len(names)} claims")
    effects: list[Effect] = []
    for name in names:
        if name not in MOVES:
            raise ValueError(f"{name!r} has no effect on moves; {', '.join(MOVES)} have")
        claim = vendor_claims()[name]
        ratio, spread = _effect(claim, transfer, weight, usual, seed)
        effects += [Effect(on, ratio, log_sd=spread) for on in MOVES[name]]
    counted = "their own numbers up to 25 claims" if weight is None else f"{weight} claims"
    return CareResponse(
        tuple(effects),
        "scenario" if effects else "none",
        f"published by a seller ({', '.join(names)}), counted as {counted}, {transfer:.0%} of the log ratio kept",
    )


def _effect(
    claim: VendorClaim, transfer: float, weight: int | None, usual: float | None, seed: int
) -> tuple[float, float]:
    """Return the hazard ratio of a claim and the standard deviation of its logarithm."""
    against = (claim.usual_low + claim.usual_high) / 2 if usual is None else level(usual, "usual")
    drawn = claim.prior(weight=weight).draw(DRAWS, seed)
    ratios = np.log1p(-drawn) / np.log1p(-against)
    _, spread = log_ratio_of(transferred(ratios, transfer))
    return float(transferred(hazard_ratio(against, claim.value), transfer)), spread
