"""An agreement on the claims of a book: its terms applied to simulated futures, pools and all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.agreements.bearer import BearerMargin, Credit
from msk_reserves.contracts.agreements.futures import (
    Lines,
    SettledFutures,
    added_sums,
    episode_futures,
    line_sums,
    own_dollars,
    result_apart,
    settle_futures,
)
from msk_reserves.contracts.agreements.netting import pool_name
from msk_reserves.contracts.agreements.reconciliation import Reconciliation
from msk_reserves.contracts.amounts import BEARER, PAYER, Flow, accounts_of
from msk_reserves.contracts.fixed_price import admitted
from msk_reserves.contracts.table import WORDS, EpisodeDataError, EpisodeTable
from msk_reserves.contracts.terms import Owed, SumKey, Sums
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.scope import Scope, Window

if TYPE_CHECKING:
    import pandas as pd

Measure = Callable[[Episodes], Floats]
"""What gives a measure of every future of a block, shape (n_scenarios, n_claims); NaN where it is not measured."""


@dataclass(frozen=True, slots=True, eq=False)
class AgreementOnClaims:
    """An agreement, and what its terms read of the claims of a book: the contract that a forecast takes.

    An episode is a claim. Its cost is the care in scope from the trigger to the window's end; what a term reads
    otherwise is a column of `episodes`, of the claims themselves, of `cells`, or a measure of each future.

    Attributes
    ----------
    agreement : the terms.
    scope, exclusions : components or categories that count, and those that do not after all.
    window_days : length of an episode; when None that of the agreement's window, where that has no last day until
        return or maximum medical improvement.
    episodes : a row a claim by `claim_id`: `pool`, `year`, `category`, `cell` and what terms read; and of episodes that
        have begun `cost_so_far` (dollars of care in scope and window before the valuation, by whomever paid) and
        `day_back` where it is known.
    cells : figures of each price cell, joined by the column `cell`.
    ended : episodes of the same pools that ended before the valuation, as `settle` takes them.
    settled : dollars already paid to the bearer beside prices by pool, negative if by the bearer.
    measured : for each measure of the futures a function of a block.
    eligible : values a claim's columns must have; every claim that may be taken over when empty.
    credit : how likely the bearer is to fail, and what is then lost; it never fails when None.
    begun : whether its episodes are the claims in a bundle already; `forecast(in_force=...)` says so.

    Notes
    -----
    Retrospective: care is paid as billed, and the result of every pool is due in the end. Prospective: the price, less
    what has been paid of it, replaces the care in scope; what the terms add is due beside it.

    Examples
    --------
    >>> from msk_reserves import FixedPrice, GainLossLimit
    >>> shared = Agreement("shared", (FixedPrice(30_000), GainLossLimit(0.1, 0.1)), timing="retrospective")
    >>> str(AgreementOnClaims(shared).covered())
    'all medical until return or MMI'
    """

    agreement: Agreement
    scope: Sequence[str] = ("medical",)
    exclusions: Sequence[str] = ()
    window_days: int | None = None
    episodes: "pd.DataFrame | None" = None
    cells: "pd.DataFrame | None" = None
    ended: "pd.DataFrame | None" = None
    settled: Mapping[str, float] = field(default_factory=dict)
    measured: Mapping[str, Measure] = field(default_factory=dict)
    eligible: Mapping[str, Sequence[object]] = field(default_factory=dict)
    credit: Credit | None = None
    begun: bool = False

    def __post_init__(self) -> None:
        self.covered()
        if self.episodes is not None:
            if "claim_id" not in self.episodes.columns:
                raise ValueError("`episodes` needs the column `claim_id`, got " + ", ".join(map(str, self.episodes)))
            ids = self.episodes["claim_id"].astype(str)
            if ids.duplicated().any():
                raise ValueError(f"`episodes` has the claim {ids[ids.duplicated()].iloc[0]!r} twice; keep one row")

    @property
    def name(self) -> str:
        """Name by which results are keyed."""
        return self.agreement.name

    @property
    def stated(self) -> bool:
        """Whether its terms were given, which they were."""
        return True

    def covered(self) -> Scope:
        """Return the care that counts."""
        window = self.agreement.window
        days = window.last_day if self.window_days is None and window is not None else self.window_days
        return Scope.of(list(self.scope), exclusions=list(self.exclusions), window=Window(days))

    def scopes(self) -> tuple[Scope, ...]:
        """Return the one scope the engine must count."""
        return (self.covered(),)

    def admits(self, claims: "pd.DataFrame") -> Booleans:
        """Say which claims the conditions of `eligible` admit, shape (n_claims,).

        Raises
        ------
        ValueError
            If `eligible` names a column the claims do not have.
        """
        return admitted(self.eligible, claims)

    def rows(self, episodes: Episodes) -> Integers:
        """Return the places of the claims that are its episodes."""
        takeover = episodes.takeover
        mine = takeover.bundled if self.begun else takeover.eligible & self.admits(takeover.claims)
        return np.flatnonzero(mine)

    def table(self, episodes: Episodes) -> EpisodeTable:
        """Return its episodes in every future, numbers of the futures of shape (n_scenarios, n_episodes).

        Parameters
        ----------
        episodes : a block, with the scope counted.

        Raises
        ------
        EpisodeDataError
            If a column that a term reads is neither of the claims nor given, or a claim has no row in `episodes`.
        """
        rows = self.rows(episodes)
        known = self._known(episodes.takeover.claims.iloc[rows])
        numbers = {**known.numbers, **self._futures(episodes, rows, known)}
        words = {name: column for name, column in known.words.items() if name not in numbers}
        return self._complete(EpisodeTable(numbers, words), "`episodes`, `cells` or `measured`")

    def per_episode(self, episodes: Episodes) -> Owed:
        """Return what is owed on each claim by itself, and what must be added up over all; dollars.

        Parameters
        ----------
        episodes : a block, with the scope counted.
        """
        rows = self.rows(episodes)
        if not len(rows):
            return Owed(episodes.medical, episodes.indemnity, episodes.expense)
        table = self.table(episodes)
        amounts, priced_at_nothing = episode_futures(self.agreement, table)
        apart = result_apart(self.agreement, amounts)
        own = own_dollars(self.agreement, amounts, apart)
        so_far = table.number("cost_so_far")
        sums = line_sums(self.agreement, amounts, apart, outcome_apart=priced_at_nothing, so_far=so_far, own=own)
        target = np.full(len(episodes.takeover.claims), np.nan)
        target[rows] = amounts.target if amounts.target.ndim == 1 else amounts.target.mean(axis=0)
        paid = self._before(episodes, rows, amounts.target)
        medical = _changed(paid.medical, rows, own) if np.any(own) else paid.medical
        return Owed(medical, paid.indemnity, paid.expense, sums=sums, target=target)

    def before_settlement(self, episodes: Episodes) -> Owed:
        """Return what is paid before anything is settled: care as billed, or the price and the care it does not buy.

        Parameters
        ----------
        episodes : a block, with the scope counted.
        """
        rows = self.rows(episodes)
        if not len(rows) or self.agreement.timing == "retrospective":
            return Owed(episodes.medical, episodes.indemnity, episodes.expense)
        amounts, _ = episode_futures(self.agreement, self.table(episodes))
        return self._before(episodes, rows, amounts.target)

    def reconcile(self, sums: Sums, scenarios: int, random: np.random.Generator | None = None) -> Reconciliation | None:
        """Return what is settled in every future; None where no claim and no ended episode is under the agreement.

        Parameters
        ----------
        sums : those of `per_episode`, added up over all claims.
        scenarios : how many futures.
        random : in which futures the bearer fails; needed where `credit` is given.

        Raises
        ------
        ValueError
            If `settled` names a pool that is not there.
        """
        every = self.with_ended(sums)
        if not every:
            return None
        found = settle_futures(self.agreement, Lines.of(every, scenarios))
        lost = sorted(set(self.settled) - set(found.names))
        if lost:
            raise ValueError(f"`settled` names the pools {lost}; there are {', '.join(found.names)}")
        due = found.end.due - np.array([self.settled.get(name, 0.0) for name in found.names])
        aside = -accounts_of(found.end.final.flows, due.shape)[PAYER]
        flows, default = found.end.flows, np.zeros(due.shape)
        if self.credit is not None and random is not None:
            chance, dollars = self._default(self.credit, found, due)
            default = np.where(random.random(due.shape) < chance, dollars, 0.0)
            # A failed bearer's part is paid by the payer: dollars that come to it beside those due to it.
            flows = (*flows, Flow("default of the bearer", PAYER, BEARER, default))
        return Reconciliation(
            agreement=self.agreement,
            pool_names=found.names,
            episodes=found.episodes[0].copy(),
            target=found.target,
            result=found.end.final.amount + default,
            due=due + default,
            not_by_claim=due + default - found.own + aside,
            at_settlement=due + default + aside,
            years=found.years,
            flows=flows,
        )

    def margin(self, sums: Sums, scenarios: int, n_draws: int) -> BearerMargin | None:
        """Return the bearer's margin in every future; None where no episode is under the agreement.

        Parameters
        ----------
        sums : those of `per_episode`, added up over all claims.
        scenarios : how many futures.
        n_draws : parameter draws behind them.
        """
        every = self.with_ended(sums)
        if not every:
            return None
        lines = Lines.of(every, scenarios)
        found = settle_futures(self.agreement, lines)
        price, expected = found.target.sum(axis=1), float("nan")
        if self.credit is not None:
            chance, dollars = self._default(self.credit, found, found.end.due)
            expected = float((chance * dollars).sum(axis=1).mean())
        at = partial(_margin_at, self.agreement, lines)
        margin = accounts_of(found.end.flows, found.target.shape)[BEARER].sum(axis=1)
        return BearerMargin(self.name, float(found.episodes[0].sum()), price, margin, at, expected, n_draws)

    def _default(self, credit: Credit, found: SettledFutures, due: Floats) -> tuple[Floats, Floats]:
        """Return the chance that the bearer fails and what is then lost, by future and pool."""
        margin = accounts_of(found.end.flows, due.shape)[BEARER]
        owed = np.maximum(-due, 0.0)
        exposure = owed + found.left if self.agreement.timing == "prospective" else owed
        return credit.chances(margin), credit.lost(exposure)

    def with_ended(self, sums: Sums) -> dict[SumKey, Floats]:
        """Return the sums with the episodes that have ended: all of their care has been given."""
        if self.ended is None:
            return dict(sums)
        table = EpisodeTable.of(self.ended)
        if self.cells is not None and "cell" in table.words:
            table = table.joined(self.cells)
        amounts, outcome_apart = episode_futures(self.agreement, self._complete(table, "`ended`"))
        apart, nothing = result_apart(self.agreement, amounts), np.zeros(len(table))
        own = line_sums(
            self.agreement, amounts, apart, outcome_apart=outcome_apart, so_far=amounts.spending, own=nothing
        )
        return added_sums((sums, own))

    def settle(self, totals: Mapping[str, Floats]) -> Mapping[str, Floats]:
        """Return the totals unchanged: what is pooled is in the reconciliation."""
        return totals

    def describe(self) -> str:
        """Return the terms as a sentence."""
        terms = "; ".join(f"{term.title}: {term.describe()}" for term in self.agreement.terms)
        return f"{self.covered()}; {terms}; {self.agreement.settled_in_words()}"

    def pool_names(self, claims: "pd.DataFrame") -> tuple[str, ...]:
        """Return the pool and year of each claim as a reconciliation names them."""
        words = self._known(claims).words
        return tuple(pool_name(pool, year) for pool, year in zip(words["pool"], words["year"], strict=True))

    def _complete(self, table: EpisodeTable, where: str) -> EpisodeTable:
        """Return the table, or raise what its terms read and it has not."""
        missing = [
            f"the column `{name}` is missing; {why!r} reads it: give it in {where}"
            for name, why in self.agreement.needs().items()
            if name not in table
        ]
        if missing:
            raise EpisodeDataError("\n".join(missing))
        return table

    def _given(self, claims: "pd.DataFrame") -> "pd.DataFrame | None":
        """Return the rows of `episodes` for some claims."""
        if self.episodes is None:
            return None
        ids = claims["claim_id"].astype(str)
        known = self.episodes.set_index(self.episodes["claim_id"].astype(str))
        lost = sorted(set(ids) - set(known.index))
        if lost:
            raise EpisodeDataError(f"`episodes` has no row for the claims {lost[:5]}; add them, or narrow `eligible`")
        return known.loc[ids]

    def _before(self, episodes: Episodes, rows: Integers, price: Floats) -> Owed:
        """Return what is paid before anything is settled at these prices."""
        parts = {name: episodes.component(name) for name in COMPONENTS}
        if self.agreement.timing == "prospective":
            unpaid = np.maximum(price - self._paid_on_price(episodes, rows), 0.0)
            inside = episodes.inside(self.covered())
            for name in (name for name in COMPONENTS if self.covered().covers(name)):
                parts[name] = _changed(parts[name], rows, -inside[name][:, rows])
            if np.any(unpaid):
                parts["medical"] = _changed(parts["medical"], rows, unpaid)
        return Owed(parts["medical"], parts["indemnity"], parts["expense"])

    def _known(self, claims: "pd.DataFrame") -> EpisodeTable:
        """Return what is known of some claims' episodes whatever the future; their cost stands at nothing."""
        frame = claims[["claim_id"]].astype(str).rename(columns={"claim_id": "episode_id"}).reset_index(drop=True)
        given = self._given(claims)
        for name in dict.fromkeys((*WORDS[1:], "cost_so_far", "day_back", *self.agreement.needs())):
            for source in (given, claims):
                if source is not None and name in source.columns and name not in self.measured:
                    frame[name] = source[name].to_numpy()
                    break
        if "cost_so_far" not in frame:
            frame["cost_so_far"] = 0.0
        known = EpisodeTable.of(frame.assign(cost=0.0))
        if self.cells is None or "cell" not in known.words:
            return known
        return known.joined(self.cells[self.cells["cell"].astype(str).isin(set(known.words["cell"]))])

    def _futures(self, episodes: Episodes, rows: Integers, known: EpisodeTable) -> dict[str, Floats]:
        """Return the columns that differ from future to future, and those the book knows."""
        scope, takeover, needs = self.covered(), episodes.takeover, self.agreement.needs()
        inside = episodes.inside(scope)
        # Claims lie side by side in memory: taken out that way round, they do so afterwards.
        parts = [inside[name].T[rows].T for name in COMPONENTS if scope.covers(name)]
        found = {name: measure(episodes)[:, rows] for name, measure in self.measured.items()}
        found["cost"] = sum(parts[1:], start=parts[0] + known.filled("cost_so_far"))
        if "day_back" in needs:
            day = takeover.days_since_trigger[rows] + episodes.day_back[:, rows]
            told = known.number("day_back") if "day_back" in known else np.full(len(rows), np.nan)
            found["day_back"] = np.where(np.isnan(told), np.where(np.isfinite(day), day, np.nan), told)
        if "spent_by_seller" in needs and "spent_by_seller" not in known:
            found["spent_by_seller"] = known.number("cost_so_far")
        if "agreed_price" in needs and "agreed_price" not in known and "bundle_price" in takeover.claims:
            found["agreed_price"] = self._bundle_price(episodes, rows)
        return found

    def _bundle_price(self, episodes: Episodes, rows: Integers) -> Floats:
        """Return the price of the bundle each claim is in already, NaN for none."""
        price: Floats = episodes.takeover.claims["bundle_price"].to_numpy(dtype=np.float64, na_value=np.nan)[rows]
        return price

    def _paid_on_price(self, episodes: Episodes, rows: Integers) -> Floats | float:
        """Return what has been paid on the price of each claim."""
        if not self.begun:
            return 0.0
        return np.nan_to_num(self._bundle_price(episodes, rows)) - episodes.takeover.unpaid_price[rows]


def _margin_at(agreement: Agreement, lines: Lines, factor: float) -> Floats:
    """Return the bearer's margin with every price times a factor, shape (n_scenarios,)."""
    found = settle_futures(agreement, lines, factor=factor)
    margin: Floats = accounts_of(found.end.flows, found.target.shape)[BEARER].sum(axis=1)
    return margin


def _changed(dollars: Floats, rows: Integers, by: Floats) -> Floats:
    """Return the dollars of a block with those of some claims changed."""
    changed = dollars.copy(order="K")
    changed[:, rows] += by
    return changed
