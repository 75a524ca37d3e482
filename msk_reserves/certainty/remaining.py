"""What a contract leaves to the payer, by cause: claims it does not take over, care excluded or late, and so on."""

from collections.abc import Mapping

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.contracts.fixed_price import FixedPriceBundle
from msk_reserves.contracts.terms import Contract, Owed
from msk_reserves.episodes.record import Episodes, Takeover
from msk_reserves.episodes.scope import Scope

OTHERS = "claims not taken over"
INDEMNITY, EXPENSE, MEDICAL = "indemnity", "expense", "medical"
EXCLUDED, LATE, EXCESS, PRICE = "care excluded", "care after the window", "above the stop-loss", "price less refunds"


def taken_over(contract: Contract, takeover: Takeover) -> Booleans:
    """Say which claims a contract takes over on the valuation date, shape (n_claims,)."""
    admits = getattr(contract, "admits", None)
    if admits is not None:
        admitted: Booleans = takeover.eligible & admits(takeover.claims)
        return admitted
    return takeover.eligible if contract.scopes() else np.zeros(len(takeover.eligible), dtype=np.bool_)


def whole_window(contract: Contract) -> tuple[Scope, ...]:
    """Return all medical inside a bundle's window, which tells what it excludes from what comes later."""
    if not isinstance(contract, FixedPriceBundle):
        return ()
    return (Scope.of(["medical"], window=contract.covered().window),)


def causes_of(contract: Contract, owed: Owed, episodes: Episodes) -> Mapping[str, Floats]:
    """Return what is owed by cause, summed over the claims of a block.

    Parameters
    ----------
    contract : the terms.
    owed : what they leave to the payer.
    episodes : the futures.

    Returns
    -------
    Mapping
        Dollars by cause that add up to all that is owed, each of shape (n_scenarios,). Of a fixed price medical is
        told apart: excluded inside the window, after it, above the stop-loss, and the price less what comes back.
    """
    taken = np.flatnonzero(taken_over(contract, episodes.takeover))
    rest = np.setdiff1d(np.arange(episodes.shape[1]), taken)

    def over(values: Floats, rows: Integers) -> Floats:
        return np.asarray(values[:, rows].sum(axis=1))

    found = {OTHERS: np.sum([over(owed.component(name), rest) for name in COMPONENTS], axis=0)}
    found |= {INDEMNITY: over(owed.indemnity, taken), EXPENSE: over(owed.expense, taken)}
    if not isinstance(contract, FixedPriceBundle):
        return found | {MEDICAL: over(owed.medical, taken)}
    inside = episodes.inside(contract.covered())
    in_window = over(episodes.inside(whole_window(contract)[0])["medical"], taken)
    medical, in_scope = over(episodes.medical, taken), over(inside["medical"], taken)
    excess = np.zeros(episodes.shape[0])
    if contract.stop_loss is not None:
        excess = over(contract.stop_loss.excess(np.sum([inside[name] for name in COMPONENTS], axis=0)), taken)
    found[EXCLUDED], found[LATE], found[EXCESS] = in_window - in_scope, medical - in_window, excess
    found[PRICE] = over(owed.medical, taken) - (medical - in_scope) - excess
    return found
