"""Who made the change and who carries what remains: Shapley and Euler."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np

from msk_reserves._checks import Floats, level
from msk_reserves.certainty.measures import CAPITAL_LEVEL
from msk_reserves.reserves.distribution import tail_mean

MOST_CAUSES = 12
"""Causes a Shapley split takes: with each more, twice as many worlds are needed."""


def shapley(values: Mapping[frozenset[str], float]) -> dict[str, float]:
    """Split what all causes together change into one share for each, whatever their order.

    Parameters
    ----------
    values : a number for every set of causes at work, the empty one among them.

    Returns
    -------
    dict
        Each cause's share: the mean over all orders of what it adds to the causes before it. They add up to the value
        of all causes less that of none (Shapley 1953, in Contributions to the Theory of Games II, 307).

    Raises
    ------
    ValueError
        If a set of causes is missing, or there are more than twelve causes.

    Examples
    --------
    >>> one, two = frozenset({"transfer"}), frozenset({"behaviour"})
    >>> shapley({frozenset(): 100.0, one: 30.0, two: 64.0, one | two: 18.0})
    {'behaviour': -24.0, 'transfer': -58.0}
    """
    causes = sorted(set().union(*values))
    n = len(causes)
    if n > MOST_CAUSES:
        raise ValueError(f"`values` has {n} causes; a Shapley split takes at most {MOST_CAUSES}")
    sets = [frozenset(one) for size in range(n + 1) for one in combinations(causes, size)]
    missing = [one for one in sets if one not in values]
    if missing:
        first = ", ".join(sorted(missing[0])) or "no cause"
        raise ValueError(f"`values` needs a number for each of {len(sets)} sets of causes; there is none for {first}")
    shares = dict.fromkeys(causes, 0.0)
    for one in sets:
        for cause in set(causes) - one:
            weight = factorial(len(one)) * factorial(n - len(one) - 1) / factorial(n)
            shares[cause] += weight * (values[one | {cause}] - values[one])
    return shares


def euler_shares(parts: Mapping[str, Floats]) -> dict[str, float]:
    """Return each part's share of the variance of the sum, Cov(part, sum) / Var(sum).

    Parameters
    ----------
    parts : dollars by scenario that add up to the total, each of shape (n_scenarios,).

    Returns
    -------
    dict
        Shares that add up to 1; negative for a part that hedges the rest. All zero where the total is certain.

    Raises
    ------
    ValueError
        If there is no part, or they do not share scenarios.

    Examples
    --------
    >>> shares = euler_shares({"medical": np.array([1.0, 2.0]), "indemnity": np.array([3.0, 6.0])})
    >>> {name: round(share, 6) for name, share in shares.items()}
    {'medical': 0.25, 'indemnity': 0.75}
    """
    total = _sum(parts)
    centred = total - total.mean()
    variance = float(centred @ centred)
    return {name: float(one @ centred) / variance if variance > 0 else 0.0 for name, one in parts.items()}


def tail_shares(parts: Mapping[str, Floats], probability: float = CAPITAL_LEVEL) -> dict[str, float]:
    """Return each part's share of the tail mean less the mean: what it has more in the total's worst scenarios.

    Parameters
    ----------
    parts : dollars by scenario that add up to the total, each of shape (n_scenarios,).
    probability : level beyond which scenarios are the worst.

    Returns
    -------
    dict
        Shares that add up to 1 (Tasche 1999, the Euler principle for expected shortfall). All zero where no scenario is
        worse than another.

    Raises
    ------
    ValueError
        If there is no part, or they do not share scenarios.

    Examples
    --------
    >>> tail_shares({"a": np.arange(100.0), "b": np.zeros(100)}, 0.75)
    {'a': 1.0, 'b': 0.0}
    """
    total = _sum(parts)
    worst = (1 - level(probability, "probability")) * len(total)
    order = np.argsort(-total, kind="stable")
    counted = np.clip(worst - np.arange(len(total)), 0.0, 1.0)
    held = tail_mean(total, probability) - float(total.mean())
    if held <= 1e-12 * abs(float(total.mean())):
        return dict.fromkeys(parts, 0.0)
    return {
        name: (float(counted @ np.asarray(one)[order]) / worst - float(one.mean())) / held
        for name, one in parts.items()
    }


def _sum(parts: Mapping[str, Floats]) -> Floats:
    """Return the total of parts that share scenarios."""
    shapes = {np.shape(one) for one in parts.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ValueError(f"`parts` must be arrays of one shape (n_scenarios,), got {sorted(shapes)}")
    return np.asarray(np.sum(list(parts.values()), axis=0))


@dataclass(frozen=True, slots=True)
class WorldSplit:
    """What a measure fell by from fee for service to a bundle, by cause; dollars or their squares.

    Attributes
    ----------
    transfer : by moving cost to the seller.
    behaviour : by care that goes otherwise.
    default : by the seller's failure; zero or below where it brings risk back.
    """

    transfer: float
    behaviour: float
    default: float

    @property
    def whole(self) -> float:
        """The fall in all."""
        return self.transfer + self.behaviour + self.default


def split_worlds(neither: float, transfer: float, behaviour: float, both: float, defaulting: float) -> WorldSplit:
    """Split the fall of a measure over four worlds and the seller's default.

    Parameters
    ----------
    neither, transfer, behaviour, both : the measure under fee-for-service care and contract, under the bundle's
        contract only, under its care only, and under both.
    defaulting : under both, with the seller's default.

    Returns
    -------
    WorldSplit
        Transfer and behaviour by Shapley of the first four; default is what it takes from the last world, since a
        seller can fail only where something was bought.

    Examples
    --------
    >>> split_worlds(100.0, 30.0, 64.0, 18.0, 25.0)
    WorldSplit(transfer=58.0, behaviour=24.0, default=-7.0)
    """
    shares = shapley(
        {
            frozenset(): neither,
            frozenset({"transfer"}): transfer,
            frozenset({"behaviour"}): behaviour,
            frozenset({"transfer", "behaviour"}): both,
        }
    )
    return WorldSplit(-shares["transfer"], -shares["behaviour"], both - defaulting)
