"""One price per episode: the bundle of the main job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from msk_reserves._checks import Booleans, Floats, not_negative, positive, share, whole
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.contracts.amounts import EpisodeAmounts, EpisodeTerm
from msk_reserves.contracts.table import ALL
from msk_reserves.contracts.terms import Owed
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.scope import Scope, Window

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class StopLoss(EpisodeTerm):
    """Above `attachment` dollars of covered care an episode, the payer pays `share` of the excess, up to `limit`.

    Attributes
    ----------
    attachment : dollars of covered care from which the payer pays.
    share : the payer's part.
    limit : dollars of covered care above which the bearer pays again; never when None.

    Examples
    --------
    >>> StopLoss(attachment=114_000).excess(np.array([100_000.0, 120_000.0])).tolist()
    [0.0, 6000.0]
    >>> StopLoss(attachment=114_000, limit=200_000).excess(np.array([250_000.0])).tolist()
    [86000.0]
    """

    attachment: float
    share: float = 1.0
    limit: float | None = None

    def __post_init__(self) -> None:
        positive(self.attachment, "stop_loss.attachment")
        share(self.share, "stop_loss.share")
        if self.limit is not None and not positive(self.limit, "stop_loss.limit") > self.attachment:
            raise ValueError(
                f"`stop_loss.limit` must lie above the attachment of {self.attachment:,.0f}, got {self.limit!r}"
            )

    def excess(self, covered: Floats) -> Floats:
        """Return what the payer pays of covered dollars above the attachment."""
        top = np.inf if self.limit is None else self.limit
        paid: Floats = self.share * np.maximum(np.minimum(covered, top) - self.attachment, 0.0)
        return paid

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the amounts with the payer's part no longer counted against the price."""
        return amounts.counting(amounts.spending - self.excess(amounts.spending))

    def describe(self) -> str:
        """Return the layer."""
        upto = "" if self.limit is None else f" up to ${self.limit:,.0f}"
        return f"payer pays {self.share:.0%} of covered care above ${self.attachment:,.0f}{upto}"


@dataclass(frozen=True, slots=True)
class Refund(EpisodeTerm):
    """If the worker is not back at full duty within `not_back_by_days` of the trigger, `share` of the price returns.

    Examples
    --------
    >>> Refund(share=0.2, not_back_by_days=182)
    Refund(share=0.2, not_back_by_days=182)
    """

    share: float
    not_back_by_days: int

    def __post_init__(self) -> None:
        share(self.share, "refund.share")
        whole(self.not_back_by_days, "refund.not_back_by_days", at_least=1)

    def needs(self) -> tuple[str, ...]:
        """Return the column of days from the trigger to full duty, blank for a worker not back."""
        return ("day_back",)

    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the amounts with the share of the price paid back."""
        # A blank day is that of a worker not back: no comparison with it is true, so that it counts as late.
        late = ~(amounts.table.number("day_back") <= self.not_back_by_days)
        return amounts.paying(-np.where(late, self.share * amounts.target, 0.0))

    def describe(self) -> str:
        """Return the guarantee."""
        return f"{self.share:.0%} of the price back if not at full duty in {self.not_back_by_days} days"


@dataclass(frozen=True, slots=True)
class PriceTable:
    """A price for each combination of values of some columns of the claims.

    Attributes
    ----------
    columns : the columns, in the order of each key of `prices`.
    prices : dollars by combination of values.

    Examples
    --------
    >>> table = PriceTable(("body_part",), {("shoulder",): 38_000.0})
    >>> table.prices[("shoulder",)]
    38000.0
    """

    columns: tuple[str, ...]
    prices: Mapping[tuple[str, ...], float]

    def __post_init__(self) -> None:
        for key, dollars in self.prices.items():
            if len(key) != len(self.columns):
                raise ValueError(f"`price_table` has the key {key!r}, which needs a value for each of {self.columns}")
            not_negative(dollars, f"price_table[{', '.join(key)}]")

    def of(self, claims: "pd.DataFrame") -> Floats:
        """Return the price of each claim, NaN where the table has none; shape (n_claims,)."""
        for column in self.columns:
            if column not in claims.columns:
                raise ValueError(f"`price_table` names the column {column!r}, which the claims do not have")
        keys = zip(*(claims[column].astype(str) for column in self.columns), strict=True)
        return np.array([self.prices.get(key, np.nan) for key in keys], dtype=np.float64)


def admitted(eligible: Mapping[str, Sequence[object]], claims: "pd.DataFrame") -> Booleans:
    """Say which claims have one of the values that each column must have, shape (n_claims,).

    Parameters
    ----------
    eligible : values by column; every claim is admitted when empty.
    claims : a row a claim.

    Raises
    ------
    ValueError
        If a column is named that the claims do not have.
    """
    found = np.ones(len(claims), dtype=np.bool_)
    for column, values in eligible.items():
        if column not in claims.columns:
            raise ValueError(f"`eligible` names the column {column!r}, which the claims do not have")
        found &= claims[column].isin(list(values)).to_numpy(dtype=np.bool_)
    return found


@dataclass(frozen=True, slots=True)
class FixedPriceBundle:
    """One price buys the care in scope from the trigger to the window's end.

    Attributes
    ----------
    price : dollars an episode, dollars by `claim_id`, or a `PriceTable`.
    scope : components or categories covered.
    exclusions : components or categories not covered after all.
    window_days : length of the episode; None until return to full duty or maximum medical improvement.
    stop_loss : the payer's part of very dear episodes, or None.
    refund : the guarantee on return to work, or None.
    eligible : values a claim's columns must have to be taken over; every claim that may be when empty.
    name : name by which results are keyed.

    Notes
    -----
    A claim is taken over on the valuation date if the worker is off work or on modified duty, the claim is not settled
    and not in a bundle, and `eligible` admits it; every other claim stays fee for service. The price, less what the
    stop-loss adds and the refund returns, counts as medical.

    Examples
    --------
    >>> FixedPriceBundle(price=38_000).describe()
    'one price of $38,000 an episode buys all medical until return or MMI; no stop-loss; no refund'
    """

    price: float | Mapping[str, float] | PriceTable
    scope: Sequence[str] = ("medical",)
    exclusions: Sequence[str] = ()
    window_days: int | None = None
    stop_loss: StopLoss | None = None
    refund: Refund | None = None
    eligible: Mapping[str, Sequence[object]] = field(default_factory=dict)
    name: str = "bundle"

    def __post_init__(self) -> None:
        if isinstance(self.price, Mapping):
            for claim, dollars in self.price.items():
                not_negative(dollars, f"price[{claim!r}]")
        elif not isinstance(self.price, PriceTable):
            not_negative(self.price, "price")
        self.covered()

    def covered(self) -> Scope:
        """Return the care the price buys."""
        return Scope.of(list(self.scope), exclusions=list(self.exclusions), window=Window(self.window_days))

    def scopes(self) -> tuple[Scope, ...]:
        """Return the one scope the engine must count."""
        return (self.covered(),)

    def admits(self, claims: "pd.DataFrame") -> Booleans:
        """Say which claims the bundle's own conditions admit, shape (n_claims,).

        Raises
        ------
        ValueError
            If `eligible` names a column the claims do not have.
        """
        return admitted(self.eligible, claims)

    def prices(self, claims: "pd.DataFrame") -> Floats:
        """Return the price of each claim, NaN where a price by claim names none; shape (n_claims,)."""
        if isinstance(self.price, PriceTable):
            return self.price.of(claims)
        if not isinstance(self.price, Mapping):
            return np.full(len(claims), float(self.price))
        return np.array([self.price.get(claim, np.nan) for claim in claims["claim_id"]], dtype=np.float64)

    def per_episode(self, episodes: Episodes) -> Owed:
        """Return the price for the claims taken over, fee for service for the rest; shape (n_scenarios, n_claims)."""
        takeover = episodes.takeover
        taken = takeover.eligible & self.admits(takeover.claims)
        price = self.prices(takeover.claims)
        if np.isnan(price[taken]).any():
            missing = list(takeover.claims["claim_id"][taken & np.isnan(price)][:5])
            raise ValueError(
                f"`price` names no price for the eligible claims {missing}; add them, or narrow `eligible`"
            )
        return self.owed(episodes, taken, np.where(taken, price, 0.0), np.zeros(len(taken)), price=price)

    def owed(self, episodes: Episodes, taken: Booleans, unpaid: Floats, elapsed: Floats, *, price: Floats) -> Owed:
        """Return what is owed where the bundle holds for the claims `taken`, with `unpaid` of its price still to pay.

        Parameters
        ----------
        episodes : the futures.
        taken : claims under the bundle, shape (n_claims,).
        unpaid : dollars of the price still to be paid, shape (n_claims,).
        elapsed : days from the trigger to the valuation, shape (n_claims,).
        price : the whole price, of which a refund is a share; shape (n_claims,).
        """
        if not taken.any():
            return Owed(episodes.medical, episodes.indemnity, episodes.expense)
        inside = episodes.inside(self.covered())
        medical, indemnity, expense = (
            np.where(taken, episodes.component(name) - inside[name], episodes.component(name)) for name in COMPONENTS
        )
        rows, bought = np.flatnonzero(taken), np.broadcast_to(unpaid, medical.shape)
        spending = np.sum(
            [inside[name].T[rows].sum(axis=0) for name in COMPONENTS if self.covered().covers(name)], axis=0
        )
        back: Floats = np.zeros(1)
        if self.stop_loss is not None:
            excess = np.where(taken, self.stop_loss.excess(np.sum([inside[name] for name in COMPONENTS], axis=0)), 0.0)
            bought, spending = bought + excess, spending - excess.sum(axis=1)
        if self.refund is not None:
            # A deadline that has passed before the valuation has been settled: nothing more comes back.
            late = (episodes.day_back + elapsed > self.refund.not_back_by_days) & (
                elapsed < self.refund.not_back_by_days
            )
            returned = np.where(taken & late, self.refund.share * np.nan_to_num(price), 0.0)
            bought, back = bought - returned, returned.sum(axis=1)
        counted = {"price": price[rows].sum(), "refund": back, "spending": spending, "episodes": len(rows)}
        sums = {(ALL, ALL, ALL, name): np.array(dollars, np.float64, ndmin=1) for name, dollars in counted.items()}
        return Owed(medical + bought, indemnity, expense, sums=sums)

    def settle(self, totals: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return the totals unchanged: nothing is pooled."""
        return totals

    def describe(self) -> str:
        """Return the terms as a sentence."""
        if isinstance(self.price, PriceTable):
            price = f"a price by {', '.join(self.price.columns)}"
        elif isinstance(self.price, Mapping):
            price = "a price by claim"
        else:
            price = f"one price of ${self.price:,.0f} an episode"
        stop = "no stop-loss" if self.stop_loss is None else self.stop_loss.describe()
        refund = "no refund" if self.refund is None else self.refund.describe()
        only = "".join(f"; only {name} in {', '.join(map(str, values))}" for name, values in self.eligible.items())
        return f"{price} buys {self.covered()}; {stop}; {refund}{only}"


@dataclass(frozen=True, slots=True)
class InForce:
    """The terms of the bundles that claims are already in: the price of each claim is its own.

    Attributes
    ----------
    terms : scope, window, stop-loss and refund; its price and eligibility do not count.
    stated : whether a contract file gave the terms, or they are the printed assumption.

    Examples
    --------
    >>> InForce().stated
    False
    """

    terms: FixedPriceBundle = field(default_factory=lambda: FixedPriceBundle(price=0.0, name="in force"))
    stated: bool = False

    @property
    def name(self) -> str:
        """Name by which results are keyed."""
        return self.terms.name

    def scopes(self) -> tuple[Scope, ...]:
        """Return the one scope the engine must count."""
        return self.terms.scopes()

    def per_episode(self, episodes: Episodes) -> Owed:
        """Return what is owed on the claims in a bundle: the unpaid price and what the bundle does not cover."""
        takeover = episodes.takeover
        price = takeover.claims["bundle_price"].to_numpy(dtype=np.float64, na_value=np.nan)
        elapsed = takeover.days_since_trigger
        return self.terms.owed(episodes, takeover.bundled, takeover.unpaid_price, elapsed, price=price)

    def settle(self, totals: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return the totals unchanged."""
        return totals

    def describe(self) -> str:
        """Return the terms as a sentence."""
        covered = f"the price agreed for each claim buys {self.terms.covered()}"
        extras = self.terms.describe().split("; ", 1)[1] if self.stated else "no stop-loss; no refund"
        return f"{covered}; {extras}"
