"""Prices for claims to come: futures simulated once, every price, stop-loss, scope and guarantee read off them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, Integers, not_negative, one_of, positive, share, whole
from msk_reserves.certainty.measures import COST_OF_CAPITAL, RiskTransfer, capital, risk_transfer
from msk_reserves.certainty.redraws import PRICED, verdict
from msk_reserves.certainty.required import required_effect
from msk_reserves.certainty.runs import DRAWS, WITHIN, plan_with
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.cost.record import Cost
from msk_reserves.episodes.engine import run_blocks
from msk_reserves.episodes.plan import Plan
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.response import CareResponse, responding
from msk_reserves.episodes.scope import Scope
from msk_reserves.episodes.simulate import simulate_block
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.recovery.path.model import Recovery

HALF_YEAR = 182
"""Days to full duty that a guarantee promises when no other number is asked for."""

FARTHEST = 16.0
"""How many times the price without a refund one with a refund may be."""

NO_STOP = float("inf")
"""Attachment of a bundle without a stop-loss."""


@dataclass(frozen=True, slots=True, eq=False)
class _Layers:
    """Dollars in one scope of all claims: inside it, and above each attachment; and their means by claim."""

    inside: Floats
    excess: Floats
    inside_of_claim: Floats
    excess_of_claim: Floats

    def and_also(self, other: "_Layers") -> "_Layers":
        """Return both together, claims one after the other."""
        return _Layers(
            self.inside + other.inside,
            self.excess + other.excess,
            np.append(self.inside_of_claim, other.inside_of_claim),
            np.concatenate([self.excess_of_claim, other.excess_of_claim], axis=1),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Added:
    """What some claims add: the whole cost, claims late for the guarantee, layers by scope, and the claims' rows."""

    whole: Floats
    late: Floats
    scopes: Mapping[str, _Layers]
    rows: Integers


@dataclass(frozen=True, slots=True, eq=False)
class PricingFutures:
    """Futures of claims to come, reduced to what prices of bundles need.

    Attributes
    ----------
    claims : the claims, in the book's order.
    before : cost under fee for service by scenario, all claims; shape (n_scenarios,).
    left : the same under the bundle's care, where that differs.
    late : claims not at full duty by the guarantee's day, shape (n_scenarios,).
    scopes : what each scope holds.
    attachments : dollars of covered care an episode from which the payer pays again; infinite for no stop-loss.
    guarantee_days : days to full duty that a guarantee promises.
    response : how care differs under the bundle.
    """

    claims: pd.DataFrame
    before: Floats
    left: Floats
    late: Floats
    scopes: Mapping[str, _Layers]
    attachments: tuple[float, ...]
    guarantee_days: int
    response: CareResponse

    @property
    def n_claims(self) -> int:
        """Number of claims."""
        return len(self.claims)

    def without_price(self, scope: str, attachment: float = NO_STOP) -> Floats:
        """Return what the payer owes beside the price by scenario, all claims; shape (n_scenarios,)."""
        layers, place = self._at(scope, attachment)
        owed: Floats = self.left - layers.inside + layers.excess[place]
        return owed

    def owed(self, price: float, scope: str, attachment: float = NO_STOP, refund: float = 0.0) -> Floats:
        """Return what the payer owes at a price an episode by scenario, less what a missed guarantee returns.

        Parameters
        ----------
        price : dollars an episode.
        scope : name of a scope.
        attachment : one of `attachments`.
        refund : share of the price that returns if the worker is not at full duty by the guarantee's day.
        """
        paid = self.n_claims - share(refund, "refund") * self.late
        total: Floats = self.without_price(scope, attachment) + not_negative(price, "price") * paid
        return total

    def seller_pays(self, scope: str, attachment: float = NO_STOP) -> Floats:
        """Return what the seller pays for care by scenario, all claims."""
        layers, place = self._at(scope, attachment)
        paid: Floats = layers.inside - layers.excess[place]
        return paid

    def indifference_price(
        self, scope: str, attachment: float = NO_STOP, *, refund: float = 0.0, rate: float = COST_OF_CAPITAL
    ) -> float:
        """Return the price an episode at which mean plus cost of capital are those of fee for service, dollars.

        Parameters
        ----------
        scope, attachment, refund : the terms.
        rate : cost of a dollar of capital; 0 asks for means alone.

        Notes
        -----
        Without a refund the price does not touch the tail and the answer is a division; what returns moves the tail
        too, and the price is searched up to sixteen times that without. NaN where there is none.
        """
        wanted, free = _worth(self.before, not_negative(rate, "rate")), self.without_price(scope, attachment)
        plain = (wanted - _worth(free, rate)) / self.n_claims
        if refund == 0 or plain <= 0:
            return plain

        def gap(price: float) -> float:
            return wanted - _worth(self.owed(price, scope, attachment, refund), rate)

        found = required_effect(gap, 0.0, FARTHEST * plain)
        return float("nan") if found is None else found

    def risk_transfer(self, price: float, scope: str, attachment: float = NO_STOP) -> RiskTransfer:
        """Return the tests of risk transfer, and so of the seller's health, at a price an episode."""
        return risk_transfer(self.seller_pays(scope, attachment), positive(price, "price") * self.n_claims)

    def break_even(self, scope: str, attachment: float = NO_STOP, *, by: str) -> pd.DataFrame:
        """Return what the seller expects to pay an episode by segment: the price at which neither side gains.

        Parameters
        ----------
        scope, attachment : the terms.
        by : a column of the claims.
        """
        layers, place = self._at(scope, attachment)
        if by not in self.claims:
            raise ValueError(f"`by` names the column {by!r}, which the claims do not have")
        paid = layers.inside_of_claim - layers.excess_of_claim[place]
        frame = pd.DataFrame({"segment": self.claims[by].astype(str).to_numpy(), "paid": paid})
        found = frame.groupby("segment")["paid"].agg(["size", "mean", "std"])
        found.columns = pd.Index(["claims", "break-even price", "spread of claims' means"])
        return found

    def sweep(
        self,
        prices: Sequence[float],
        *,
        scopes: Sequence[str] | None = None,
        attachments: Sequence[float] | None = None,
        refunds: Sequence[float] = (0.0,),
        rate: float = COST_OF_CAPITAL,
    ) -> pd.DataFrame:
        """Return every combination of price, stop-loss, scope and refund: what it costs and what certainty it buys.

        Parameters
        ----------
        prices : dollars an episode.
        scopes, attachments : those the futures were made with; all of them when not given.
        refunds : shares of the price.
        rate : cost of a dollar of capital.

        Returns
        -------
        pandas.DataFrame
            A row a combination: mean and its change, tail (99 % mean less mean) and what of it is removed, the price of
            a dollar of tail where there is one, the verdict, mean plus cost of capital saved, the seller's mean margin
            and its chance of a loss. Dollars, all claims.
        """
        rows = []
        base, base_tail = float(self.before.mean()), capital(self.before)
        for scope in scopes or tuple(self.scopes):
            for attachment in attachments or self.attachments:
                free, cost = self.without_price(scope, attachment), self.seller_pays(scope, attachment)
                mean, tail = float(free.mean()), capital(free)
                for refund in refunds:
                    paid = self.n_claims - share(refund, "refund") * self.late
                    for price in prices:
                        if refund:
                            owed = free + price * paid
                            now, held = float(owed.mean()), capital(owed)
                        else:
                            now, held = mean + price * self.n_claims, tail
                        change, removed = now - base, base_tail - held
                        margin = price * paid - cost
                        found = verdict(change, removed)
                        a_dollar = change / removed if found == PRICED else np.nan
                        saved = -change + rate * removed
                        rows.append((
                            scope, attachment, refund, price, now, change, held, removed, a_dollar, found, saved,
                            float(margin.mean()), float((margin < 0).mean()),
                        ))  # fmt: skip
        columns = [
            "scope", "attachment", "refund", "price", "mean", "mean change", "tail", "tail removed",
            "price of a dollar of tail", "verdict", "saved with capital", "seller's margin", "seller loses",
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=columns)

    def _at(self, scope: str, attachment: float) -> tuple[_Layers, int]:
        """Return the layers of a scope and the place of an attachment."""
        layers = self.scopes[one_of(scope, self.scopes, "scope")]
        if attachment not in self.attachments:
            known = ", ".join(f"{one:,.0f}" for one in self.attachments)
            raise ValueError(f"`attachment` must be one the futures were made with ({known}), got {attachment!r}")
        return layers, self.attachments.index(attachment)


def _worth(owed: Floats, rate: float) -> float:
    """Return mean plus cost of capital."""
    return float(owed.mean()) + rate * capital(owed)


def frontier(swept: pd.DataFrame) -> pd.DataFrame:
    """Return the combinations of a sweep that no other is both cheaper and safer than, the cheapest first.

    Parameters
    ----------
    swept : as `PricingFutures.sweep` returns.

    Examples
    --------
    >>> rows = pd.DataFrame({"mean": [1.0, 2.0, 3.0], "tail": [9.0, 4.0, 5.0]})
    >>> frontier(rows)["mean"].tolist()
    [1.0, 2.0]
    """
    ordered = swept.sort_values(["mean", "tail"], kind="stable")
    best = ordered["tail"].cummin()
    kept = ordered["tail"].to_numpy() < np.append(np.inf, best.to_numpy()[:-1])
    return ordered[kept]


def pricing_futures(
    claims: ClaimBook,
    recovery: Recovery,
    cost: Cost,
    scopes: Mapping[str, Scope],
    *,
    attachments: Sequence[float] = (),
    guarantee_days: int = HALF_YEAR,
    response: CareResponse | None = None,
    scenarios: int = DRAWS * WITHIN,
    draws: int = DRAWS,
    seed: int = 20260101,
    systemic: SystemicRisk | None = None,
    executor: Executor | None = None,
) -> PricingFutures:
    """Simulate claims to come once, so that any number of bundles can be priced on the same futures.

    Parameters
    ----------
    claims : the claims, as `new_claims` makes them; all are taken over.
    recovery, cost : models fitted to claims like them.
    scopes : what bundles may cover, by name.
    attachments : dollars of covered care an episode at which a stop-loss may begin; none is always among them.
    guarantee_days : days to full duty that a guarantee promises.
    response : how care differs under the bundle; the same care when not given.
    scenarios : futures a claim, a multiple of `draws`.
    draws : parameter draws behind them.
    seed : reproduces every number.
    systemic : the systemic risk assumed; the printed default when not given.
    executor : any `concurrent.futures` executor; threads on all cores when not given.

    Returns
    -------
    PricingFutures

    Raises
    ------
    ValueError
        If there is no scope, or claims cannot be taken over.
    """
    if not scopes:
        raise ValueError("`scopes` is empty; name at least one, such as {'medical': Scope.of(['medical'])}")
    whole(guarantee_days, "guarantee_days", at_least=1)
    levels = (*sorted({positive(one, "attachments") for one in attachments}), NO_STOP)
    every = tuple(dict.fromkeys(scopes.values()))
    plan = plan_with(claims, recovery, cost, every, scenarios=scenarios, draws=draws, seed=seed, systemic=systemic)
    if not plan.takeover.eligible.all():
        raise ValueError(
            f"`claims` must all be off work or on modified duty and in no bundle; "
            f"{int((~plan.takeover.eligible).sum())} of {plan.n_claims} are not: make them by `new_claims`"
        )
    care = response or CareResponse()
    work = partial(_added, scopes=dict(scopes), attachments=levels, guarantee_days=guarantee_days)
    usual = _together(plan, work, executor)
    cared = _together(responding(plan, care), work, executor) if care.effects else usual
    return PricingFutures(
        claims=claims.claims,
        before=usual.whole,
        left=cared.whole,
        late=cared.late,
        scopes=cared.scopes,
        attachments=levels,
        guarantee_days=guarantee_days,
        response=care,
    )


def _added(plan: Plan, *, scopes: Mapping[str, Scope], attachments: tuple[float, ...], guarantee_days: int) -> _Added:
    """Simulate a block and reduce it."""
    episodes = simulate_block(plan)
    whole_cost = np.sum([episodes.component(name).sum(axis=1) for name in COMPONENTS], axis=0)
    layers = {name: _layers(episodes, scope, attachments) for name, scope in scopes.items()}
    late = (episodes.day_back > guarantee_days).sum(axis=1).astype(np.float64)
    return _Added(whole_cost, late, layers, np.zeros(0, dtype=np.int64))


def _layers(episodes: Episodes, scope: Scope, attachments: tuple[float, ...]) -> _Layers:
    """Return what a scope holds inside and above each attachment, by scenario and by claim."""
    covered = [dollars.T for name, dollars in episodes.inside(scope).items() if scope.covers(name)]
    # A claim's scenarios lie side by side: claims first, and one array for all attachments.
    inside = covered[0] if len(covered) == 1 else np.sum(covered, axis=0)
    n_claims, n_scenarios = inside.shape
    excess, of_claim = np.zeros((len(attachments), n_scenarios)), np.zeros((len(attachments), n_claims))
    above = np.empty_like(inside)
    for place, edge in enumerate(attachments):
        if np.isfinite(edge):
            np.subtract(inside, edge, out=above)
            np.maximum(above, 0.0, out=above)
            excess[place], of_claim[place] = above.sum(axis=0), above.mean(axis=1)
    return _Layers(inside.sum(axis=0), excess, inside.mean(axis=1), of_claim)


def _together(plan: Plan, work: "partial[_Added]", executor: Executor | None) -> _Added:
    """Run all blocks and put their results together, claims back in the book's order."""
    found: _Added | None = None
    for rows, block in run_blocks(plan, work, executor=executor, progress=False):
        if found is None:
            found = _Added(block.whole, block.late, block.scopes, rows)
            continue
        layers = {name: one.and_also(block.scopes[name]) for name, one in found.scopes.items()}
        found = _Added(found.whole + block.whole, found.late + block.late, layers, np.append(found.rows, rows))
    if found is None:
        raise ValueError("`claims` holds no claim")
    order = np.argsort(found.rows)
    ordered = {
        name: _Layers(one.inside, one.excess, one.inside_of_claim[order], one.excess_of_claim[:, order])
        for name, one in found.scopes.items()
    }
    return _Added(found.whole, found.late, ordered, found.rows[order])
