"""A contract as its terms in their order, checked and readable as a term sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msk_reserves._checks import not_negative, one_of
from msk_reserves.contracts.amounts import CATEGORY, PRICE, STAGES, EpisodeTerm, PoolTerm, Term, all_hold, rule
from msk_reserves.contracts.fixed_price import FixedPriceBundle, PriceTable
from msk_reserves.contracts.pipeline.quality import DiscountShift
from msk_reserves.contracts.pipeline.spending import PrepaidDefault
from msk_reserves.contracts.prices.bases import AsBilled, CaseRate, FixedPrice, PriceBase, TabledPrice
from msk_reserves.contracts.prices.benchmark import ColumnFactor, Correction, Discount
from msk_reserves.contracts.services import EpisodeWindow
from msk_reserves.contracts.terms import Contract, FeeForService

POOLING = ("pool", "category", "episode")
"""Over what results are netted before the terms of a pool: all its episodes, each category, or nothing."""

TIMINGS = ("prospective", "retrospective")
"""Whether the price is paid to the bearer before the care, or care is paid as billed and the difference after."""

STATUSES = {
    "read": "the source was read",
    "secondary": "an unofficial second source only",
    "recalled": "recalled, not confirmed",
    "assumption": "an assumption",
}
"""What stands behind a value of a contract."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a value of a contract comes from.

    Attributes
    ----------
    key : the value's place, such as `quality_scale.gain_at_risk`.
    value : what stands there.
    source : where from.
    status : a word of `STATUSES`.
    confidence : of a value that is recalled, in (0, 1]; None otherwise.
    """

    key: str
    value: object
    source: str
    status: str
    confidence: float | None = None

    def __post_init__(self) -> None:
        all_hold(
            lambda: one_of(self.status, STATUSES, f"{self.key}.status"),
            lambda: rule(holds=bool(self.source), sentence=f"`{self.key}.source` must say where it is from, got ''"),
            lambda: rule(
                holds=(self.confidence is not None) == (self.status == "recalled"),
                sentence=f"`{self.key}.confidence` belongs to a recalled value only, got {self.confidence!r}",
            ),
            lambda: rule(
                holds=self.confidence is None or 0 < self.confidence <= 1,
                sentence=f"`{self.key}.confidence` must lie in (0, 1], got {self.confidence!r}",
            ),
        )

    def __str__(self) -> str:
        sure = "" if self.confidence is None else f" (confidence {self.confidence:.2f})"
        return f"{self.key} = {self.value}: {STATUSES[self.status]}{sure}; {self.source}"


@dataclass(frozen=True, slots=True)
class Agreement:
    """A contract between a payer and one who bears the risk: a price and terms, in the order in which they apply.

    Attributes
    ----------
    name : by which results are known.
    terms : the price's base and factors, then terms of an episode, of a category, of a pool, and last ones.
    pooling : over what results are netted: `pool` (all episodes of a pool and year), `category`, or `episode`.
    timing : `prospective` or `retrospective`.
    lag_months : from the end of the year to the settlement; of a retrospective contract.
    true_ups : later settlements, months after the end of the year.
    trigger : what begins an episode, in words.
    window : how long it lasts and what it covers, for `cost_of_services`; None where the cost is given.
    provenance : where values come from.

    Raises
    ------
    ValueError
        If the terms are not in an order that can be applied, or contradict each other; a line for every rule broken.

    Examples
    --------
    >>> from msk_reserves import StopLoss
    >>> print(Agreement("shoulder", (FixedPrice(38_000), StopLoss(114_000)), pooling="episode"))
    shoulder
      price       fixed price: $38,000 an episode
      1           stop loss: payer pays 100% of covered care above $114,000
      netted      each episode apart
      settled     prospective: the price is paid before the care
    """

    name: str
    terms: Sequence[Term]
    pooling: str = "pool"
    timing: str = "prospective"
    lag_months: float = 0.0
    true_ups: tuple[float, ...] = ()
    trigger: str = ""
    window: EpisodeWindow | None = None
    provenance: tuple[Provenance, ...] = field(default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(self.terms))
        all_hold(
            lambda: rule(holds=bool(self.name.strip()), sentence=f"`name` must be a word or words, got {self.name!r}"),
            lambda: one_of(self.pooling, POOLING, "pooling"),
            lambda: one_of(self.timing, TIMINGS, "timing"),
            lambda: not_negative(self.lag_months, "lag_months"),
            self._check_true_ups,
            self._check_order,
            self._check_price,
            self._check_pairs,
        )

    @property
    def price(self) -> tuple[EpisodeTerm, ...]:
        """The base of the price and its factors."""
        return tuple(term for term in self.terms if isinstance(term, EpisodeTerm) and term.stage == PRICE)

    @property
    def of_episodes(self) -> tuple[EpisodeTerm, ...]:
        """Terms of each episode, the price among them."""
        return tuple(term for term in self.terms if isinstance(term, EpisodeTerm))

    def of_pools(self, stage: int) -> tuple[PoolTerm, ...]:
        """Return the terms on sums that act in a stage."""
        return tuple(term for term in self.terms if isinstance(term, PoolTerm) and term.stage == stage)

    def needs(self) -> Mapping[str, str]:
        """Return the columns the terms read, each with the first term that does."""
        found: dict[str, str] = {}
        for term in self.terms:
            for column in term.needs():
                found.setdefault(column, term.title)
        return found

    def _check_true_ups(self) -> None:
        """Refuse true-ups that do not follow the settlement."""
        dates = [self.lag_months, *self.true_ups]
        rule(
            holds=dates == sorted(set(dates)) and not (self.true_ups and self.timing == "prospective"),
            sentence=f"`true_ups` must follow a retrospective settlement at {self.lag_months:g} months, in order, "
            f"got {list(self.true_ups)} of a {self.timing} contract",
        )

    def _check_order(self) -> None:
        """Refuse terms out of the order of their stages."""
        for term in self.terms:
            rule(holds=isinstance(term, EpisodeTerm | PoolTerm), sentence=f"`terms` must be terms, got {term!r}")
        for before, after in zip(self.terms, self.terms[1:], strict=False):
            rule(
                holds=before.stage <= after.stage,
                sentence=f"`terms`: {after.title!r} ({STAGES[after.stage]}) must not come after {before.title!r} "
                f"({STAGES[before.stage]}); the order is {', '.join(STAGES)}",
            )

    def _check_price(self) -> None:
        """Refuse a contract without one base of its price in the first place."""
        bases = [term.title for term in self.terms if isinstance(term, PriceBase)]
        rule(
            holds=len(bases) == 1 and isinstance(self.terms[0], PriceBase),
            sentence=f"`terms` must begin with the one base of the price, got {bases or 'none'}",
        )

    def _check_pairs(self) -> None:
        """Refuse terms that lack the one they act on."""
        multiplied: set[str] = set()
        for term in self.terms:
            if isinstance(term, ColumnFactor):
                multiplied.add(term.column)
            if isinstance(term, Correction):
                rule(
                    holds=term.prospective in multiplied,
                    sentence=f"`correction` needs a factor {term.prospective!r} before it, got {sorted(multiplied)}",
                )
        pools = self.of_pools(DiscountShift.stage)
        shifts = [place for place, term in enumerate(pools) if isinstance(term, DiscountShift)]
        discounted = any(isinstance(term, Discount) for term in self.terms)
        rule(
            holds=not shifts or (shifts == [0] and discounted),
            sentence="`discount_shift` needs a `discount` in the price and must be the first term of the pool",
        )
        rule(
            holds=self.timing == "prospective" or not any(isinstance(term, PrepaidDefault) for term in self.terms),
            sentence="`prepaid_default` needs a price paid before the care, got a retrospective contract",
        )
        rule(
            holds=self.pooling != "episode" or not self.of_pools(CATEGORY),
            sentence="`pooling` 'episode' nets nothing, so that no term of a category can apply",
        )

    def __str__(self) -> str:
        window = "" if self.window is None else self.window.describe()
        rows = [("trigger", self.trigger), ("window", window)]
        labels = ["price", *[""] * len(self.price)]
        rows += [(label, f"{one.title}: {one.describe()}") for label, one in zip(labels, self.price, strict=False)]
        rest = [term for term in self.terms if term.stage != PRICE]
        rows += [(str(place), f"{term.title}: {term.describe()}") for place, term in enumerate(rest, start=1)]
        netted = {"pool": "all episodes of a pool and year", "category": "the episodes of each category"}
        rows.append(("netted", netted.get(self.pooling, "each episode apart")))
        rows.append(("settled", self.settled_in_words()))
        sheet = [self.name, *(f"  {label:<11} {words}" for label, words in rows if words)]
        doubtful = [one for one in self.provenance if one.status != "read"]
        if doubtful:
            sheet += ["  not confirmed", *(f"    {one}" for one in doubtful)]
        return "\n".join(sheet)

    def settled_in_words(self) -> str:
        """Return when money moves, in words."""
        if self.timing == "prospective":
            return "prospective: the price is paid before the care"
        later = "".join(f", again at {months:g}" for months in self.true_ups)
        return f"retrospective: the difference {self.lag_months:g} months after the year{later}; care is paid as billed"


def agreement_of(contract: Agreement | Contract) -> Agreement:
    """Return a contract of the reserving side as the agreement it is, or an agreement unchanged.

    Parameters
    ----------
    contract : an `Agreement`, a `FixedPriceBundle` with one price or a price table, or `FeeForService`.

    Raises
    ------
    ValueError
        If the contract is of another kind, or prices by claim.

    Examples
    --------
    >>> [term.title for term in agreement_of(FixedPriceBundle(38_000)).terms]
    ['fixed price']
    """
    if isinstance(contract, Agreement):
        return contract
    if isinstance(contract, FeeForService):
        return Agreement(contract.name, (AsBilled(),), pooling="episode", timing="retrospective")
    if not isinstance(contract, FixedPriceBundle):
        raise TypeError(f"`contract` must be an Agreement, FixedPriceBundle or FeeForService, got {contract!r}")
    if isinstance(contract.price, PriceTable):
        base: PriceBase = TabledPrice(contract.price)
    elif isinstance(contract.price, Mapping):
        base = CaseRate("episode_id", contract.price)
    else:
        base = FixedPrice(contract.price)
    extras = tuple(term for term in (contract.stop_loss, contract.refund) if term is not None)
    covered = str(contract.covered())
    return Agreement(contract.name, (base, *extras), pooling="episode", timing="prospective", trigger=f"buys {covered}")
