"""The two pure steps of a settlement: amounts of each episode, then amounts of each pool; and what a term is."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.contracts.table import EpisodeDataError, EpisodeTable

PRICE, EPISODE, CATEGORY, POOL, LAST = range(5)
"""Stages in which terms act: target price, spending of an episode, a category, a pool, and what comes last."""

STAGES = ("price", "episode", "category", "pool", "last")
"""Names of the stages."""

PAYER, BEARER, PROVIDERS, DEADWEIGHT = ACCOUNTS = ("payer", "bearer", "providers", "deadweight")
"""Who may pay and receive: the payer, the bearer of the risk, those who give care, and what buys no care."""

MEASURED = " measured"
"""What the count of episodes with a measure is called beside the measure's sum."""


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """Dollars that leave one account and enter another.

    Attributes
    ----------
    name : what for.
    source, into : accounts.
    dollars : from `source` to `into`, shape (..., n_pools); negative the other way.
    """

    name: str
    source: str
    into: str
    dollars: Floats


@dataclass(frozen=True, slots=True, eq=False)
class EpisodeAmounts:
    """What is known of each episode's money; arrays of dollars, shape (..., n_episodes).

    Attributes
    ----------
    table : the episodes' columns.
    target : the target price so far.
    undiscounted : the target price without its discount.
    spending : what of the cost counts against the price.
    outcome : payments for outcomes to the bearer less refunds by it; they bypass the pool.
    """

    table: EpisodeTable
    target: Floats
    undiscounted: Floats
    spending: Floats
    outcome: Floats

    @classmethod
    def opening(cls, table: EpisodeTable) -> "EpisodeAmounts":
        """Return the amounts before any term: all of the cost counts, and nothing is priced."""
        cost = table.filled("cost")
        none = np.zeros_like(cost)
        return cls(table, target=none, undiscounted=none, spending=cost, outcome=none)

    def based(self, dollars: Floats) -> "EpisodeAmounts":
        """Return the same with this target price."""
        return replace(self, target=dollars, undiscounted=dollars)

    def times(self, factor: Floats | float) -> "EpisodeAmounts":
        """Return the same with the target price multiplied."""
        return replace(self, target=self.target * factor, undiscounted=self.undiscounted * factor)

    def discounted(self, discount: Floats | float) -> "EpisodeAmounts":
        """Return the same with the target price discounted."""
        return replace(self, target=self.target * (1.0 - discount))

    def counting(self, spending: Floats) -> "EpisodeAmounts":
        """Return the same with this spending counted."""
        return replace(self, spending=spending)

    def paying(self, dollars: Floats) -> "EpisodeAmounts":
        """Return the same with these dollars paid to the bearer for the outcome."""
        return replace(self, outcome=self.outcome + dollars)


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Sums over the episodes of each category or pool; arrays of shape (..., n_groups).

    Attributes
    ----------
    names : of the groups.
    target, undiscounted, spending, outcome : sums of `EpisodeAmounts`, dollars.
    episodes : how many.
    sums : further sums the terms asked for.
    amount : what the payer owes the bearer so far, negative what the bearer owes; dollars.
    flows : payments to and from third accounts.
    """

    names: tuple[str, ...]
    target: Floats
    undiscounted: Floats
    spending: Floats
    outcome: Floats
    episodes: Floats
    sums: Mapping[str, Floats]
    amount: Floats
    flows: tuple[Flow, ...] = field(default=())

    def owing(self, amount: Floats) -> "Pool":
        """Return the same with this amount owed to the bearer."""
        return replace(self, amount=amount)

    def repriced(self, target: Floats) -> "Pool":
        """Return the same at another target price, what is owed moved by as much."""
        return replace(self, target=target, amount=self.amount + (target - self.target))

    def passing(self, name: str, source: str, into: str, dollars: Floats) -> "Pool":
        """Return the same with a payment that does not change what payer and bearer owe each other."""
        return replace(self, flows=(*self.flows, Flow(name, source, into, dollars)))

    def mean(self, measure: str, neutral: float | None = None) -> Floats:
        """Return the mean of a measure over the episodes that have it, shape (..., n_groups).

        Parameters
        ----------
        measure : a column for which the term's `sums` called `averaged`.
        neutral : what a group without any counts as.

        Raises
        ------
        EpisodeDataError
            If a group has none and no neutral value is agreed.
        """
        count = self.sums[measure + MEASURED]
        found = np.divide(self.sums[measure], count, out=np.full_like(count, np.nan), where=count > 0)
        if neutral is not None:
            return np.where(np.isnan(found), neutral, found)
        if np.isnan(found).any():
            place = int(np.argmax(np.isnan(found).reshape(-1, len(self.names)).any(axis=0)))
            raise EpisodeDataError(
                f"no episode of {self.names[place]!r} has the measure `{measure}`; fill it in, or agree a neutral value"
            )
        return found


class Term(ABC):
    """One term of a contract: what it reads, what it does, how it reads in a term sheet."""

    __slots__ = ()

    stage: ClassVar[int]

    @property
    def title(self) -> str:
        """The term's kind in words: `OutlierCap` is "outlier cap"."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(self).__name__).lower()

    def needs(self) -> tuple[str, ...]:
        """Return the columns of the episodes it reads."""
        return ()

    @abstractmethod
    def describe(self) -> str:
        """Return the term as a phrase of a term sheet."""


class EpisodeTerm(Term):
    """A term that acts on each episode alone; the stage is `EPISODE` unless the term is part of a price."""

    __slots__ = ()

    stage: ClassVar[int] = EPISODE

    @abstractmethod
    def apply(self, amounts: EpisodeAmounts) -> EpisodeAmounts:
        """Return the amounts after the term."""

    def details(self, amounts: EpisodeAmounts) -> Mapping[str, Floats]:
        """Return intermediate figures worth showing before the term's result, by name; shape (..., n_episodes)."""
        del amounts
        return {}


class PoolTerm(Term):
    """A term that acts on sums over the episodes of a category or a pool.

    A term of one's own needs `apply` and `describe`; `needs` and `sums` if it reads more than dollars.
    """

    __slots__ = ()

    stage: ClassVar[int] = POOL

    def sums(self, table: EpisodeTable) -> Mapping[str, Floats]:
        """Return what it needs added up, by name; shape (n_episodes,)."""
        del table
        return {}

    @abstractmethod
    def apply(self, pool: Pool) -> Pool:
        """Return the pool after the term."""


def accounts_of(flows: Iterable[Flow], shape: tuple[int, ...]) -> dict[str, Floats]:
    """Return what each account receives less what it pays by these flows, each of this shape.

    Examples
    --------
    >>> paid = Flow("price", PAYER, BEARER, np.array([5.0]))
    >>> {name: dollars.tolist() for name, dollars in accounts_of([paid], (1,)).items() if dollars.any()}
    {'payer': [-5.0], 'bearer': [5.0]}
    """
    balance = {name: np.zeros(shape) for name in ACCOUNTS}
    for flow in flows:
        balance[flow.source] -= flow.dollars
        balance[flow.into] += flow.dollars
    return balance


def averaged(table: EpisodeTable, measure: str) -> dict[str, Floats]:
    """Return the two sums of which `Pool.mean` is the ratio, blanks left out."""
    column = table.number(measure)
    return {measure: np.nan_to_num(column), measure + MEASURED: (~np.isnan(column)).astype(np.float64)}


def all_hold(*checks: Callable[[], object]) -> None:
    """Run every check and raise one `ValueError` with a line for each that fails."""
    wrong = []
    for check in checks:
        try:
            check()
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise ValueError("\n".join(wrong))


def rule(*, holds: bool, sentence: str) -> None:
    """Raise `ValueError` with the sentence unless the rule holds."""
    if not holds:
        raise ValueError(sentence)


def percent(value: float) -> str:
    """Return a share as a percentage for a term sheet."""
    return f"{100 * value:.4g}%"
