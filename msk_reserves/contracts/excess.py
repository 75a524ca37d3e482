"""Cover above a retention on each claim, by a reinsurer or a fund: gross, recoverable and net on the same futures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from msk_reserves._checks import Floats, not_negative, one_of, positive, share
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.contracts.terms import Owed
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.scope import Scope


@dataclass(frozen=True, slots=True, eq=False)
class SpecificExcess:
    """What is left to the payer of each claim when someone else bears its cost above a retention.

    Of a claim that has cost P so far and costs F from now on, the other side bears from now on

    share x (min(max(P + F - retention, 0), limit) - min(max(P - retention, 0), limit)),

    taken from its components in proportion to what each still costs. Everything else is fee for service. Valued beside
    `FeeForService`, the one is net, the other gross, and the difference is recoverable. What has been paid above the
    retention and not yet been recovered is in neither.

    Attributes
    ----------
    retention : dollars of a claim that stay with the payer.
    paid : dollars paid so far on each claim of the book, by `claim_id`; `of` reads them from a book.
    limit : dollars above the retention that are covered.
    cover : share of them that is.
    components : components that count.
    name : name by which results are keyed.

    Examples
    --------
    >>> SpecificExcess(500_000, {}, limit=1_000_000).describe()
    'medical, indemnity, expense of each claim above $500,000 are recoverable, up to $1,000,000'
    """

    retention: float
    paid: Mapping[str, float] = field(repr=False)
    limit: float = np.inf
    cover: float = 1.0
    components: Sequence[str] = COMPONENTS
    name: str = "net of excess cover"

    def __post_init__(self) -> None:
        not_negative(self.retention, "retention")
        share(self.cover, "cover")
        if self.limit != np.inf:
            positive(self.limit, "limit")
        if not len(self.components):
            raise ValueError("`components` must name at least one component, got none")
        for component in self.components:
            one_of(component, COMPONENTS, "components")

    @classmethod
    def of(
        cls,
        book: ClaimBook,
        retention: float,
        *,
        limit: float = np.inf,
        cover: float = 1.0,
        components: Sequence[str] = COMPONENTS,
        name: str = "net of excess cover",
    ) -> "SpecificExcess":
        """Return the cover of the claims of a book, with what has been paid on each; arguments as the attributes.

        Raises
        ------
        ValueError
            If what has been paid on a claim is not known in a component that counts.
        """
        dollars = book.paid[list(components)].to_numpy(dtype=np.float64, na_value=np.nan)
        unknown = np.isnan(dollars).any(axis=1)
        ids = book.claims["claim_id"].to_numpy()
        if unknown.any():
            raise ValueError(
                f"`book` must say what was paid by {', '.join(components)}; {int(unknown.sum()):,} claims do not, "
                f"{ids[unknown][0]} among them. Name the `components` that are known"
            )
        paid = dict(zip(ids.tolist(), dollars.sum(axis=1).tolist(), strict=True))
        return cls(retention, paid, limit, cover, tuple(components), name)

    def scopes(self) -> tuple[Scope, ...]:
        """Return no scope: nothing needs counting apart."""
        return ()

    def per_episode(self, episodes: Episodes) -> Owed:
        """Return what is left of each claim net of the cover.

        Raises
        ------
        ValueError
            If what has been paid on a claim is not given.
        """
        ids = episodes.takeover.claims["claim_id"].tolist()
        unknown = [one for one in ids if one not in self.paid]
        if unknown:
            raise ValueError(f"`paid` must hold every claim of the book; it lacks {unknown[0]!r}")
        so_far = np.array([self.paid[one] for one in ids], dtype=np.float64)
        counted = np.sum([episodes.component(name) for name in self.components], axis=0)
        borne = self.cover * (self._above(so_far + counted) - self._above(so_far))
        left = 1.0 - np.divide(borne, counted, out=np.zeros_like(counted), where=counted > 0)
        net = {name: episodes.component(name) * (left if name in self.components else 1.0) for name in COMPONENTS}
        return Owed(net["medical"], net["indemnity"], net["expense"])

    def _above(self, cost: Floats) -> Floats:
        """Return the dollars of a claim's cost above the retention, within the limit."""
        return np.clip(cost - self.retention, 0.0, self.limit)

    def settle(self, totals: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return the totals unchanged."""
        return totals

    def describe(self) -> str:
        """Return the terms as a sentence."""
        limit = "" if np.isinf(self.limit) else f", up to ${self.limit:,.0f}"
        part = "" if self.cover == 1.0 else f" to {self.cover:.0%}"
        return f"{', '.join(self.components)} of each claim above ${self.retention:,.0f} are recoverable{part}{limit}"
