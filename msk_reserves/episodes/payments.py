"""From expected payments of a path to payments: a compound Poisson number for each future, compiled.

Its random numbers are counter-based like those of the path, so that nothing is set up or stored by claim, and a claim
that costs almost nothing takes one number a future.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.episodes import compiled, randomness
from msk_reserves.episodes.arrays import Sums
from msk_reserves.episodes.compiled import Compiled, inlined, kept
from msk_reserves.episodes.randomness import uniform_of

FACTOR_SLOT = 2**20
"""Slot of the random number behind a claim's own cost factor, beyond those of any path."""

PAYMENT_SLOT = 2**21
"""First slot of the random numbers behind payments."""

SLOTS_A_COMPONENT = 2**16
"""Slots of one component's payments: a future uses some dozens."""

FEW = 12.0
"""Expected number up to which a count is searched for from zero on; of more payments from the mode on."""

LEAST_CHANCE = 2.0**-60
"""Probability below which the search for a count ends: uniform numbers are 2**-53 apart."""


class Terms(NamedTuple):
    """What turns the expected payments of a block's claims into dollars; A components.

    Attributes
    ----------
    keys : keys of the claims' random numbers, shape (n_claims,).
    relativity : multiplier by claim and draw, shape (A, n_claims, n_draws).
    factor : quantile table of each claim's own factor, on an even grid of -ln(1 - u); shape (n_claims, n_nodes).
    largest : largest multiplier of a claim, by draw and its own factor, shape (A, n_claims).
    nodes_a_unit : nodes of that table a unit of -ln(1 - u).
    has_factor : whether a component takes that factor, shape (A,).
    dispersion : variance of a payment total over its mean, shape (A,).
    unit : dollars of the unit payments are counted in, shape (A, n_claims).
    systemic : common factors, shape (A, n_scenarios).
    """

    keys: npt.NDArray[np.uint64]
    relativity: npt.NDArray[np.float32]
    factor: Floats
    largest: Floats
    nodes_a_unit: float
    has_factor: Integers
    dispersion: Floats
    unit: Floats
    systemic: Floats


def _count(rate: float, uniform: float) -> int:
    """Return the Poisson number that a uniform number picks.

    Counts are ranked from zero up where few are expected, else from the mode outwards: either way a number lies below
    the sum of the probabilities of the counts up to its own.
    """
    # exp(-rate) is at least 1 - rate: claims that cost next to nothing need no exponential.
    if uniform <= 1.0 - rate:
        return 0
    if rate <= FEW:
        chance, count = math.exp(-rate), 0
        left = uniform - chance
        while left > 0.0 and chance > LEAST_CHANCE:
            count += 1
            chance *= rate / count
            left -= chance
        return count
    above = int(rate)
    up = math.exp(above * math.log(rate) - rate - math.lgamma(above + 1.0))
    below, down, left = above, up, uniform - up
    while left > 0.0 and max(up, down) > LEAST_CHANCE:
        above += 1
        up *= rate / above
        left -= up
        if left <= 0.0:
            return above
        down *= below / rate
        below -= 1
        left -= down
        if left <= 0.0:
            return below
    return int(rate)


def _waited(count: int, key: np.uint64, scenario: int, slot: int) -> float:
    """Return the sum of `count` standard exponential numbers.

    A few are the logarithm of a product of uniform numbers. Many are gamma by the squeeze of Marsaglia and Tsang (ACM
    Transactions on Mathematical Software 26 (2000) 363).
    """
    if count <= FEW:
        product = 1.0
        for one in range(count):
            product *= uniform_of(key, scenario, slot + one)
        return -math.log(product)
    d = count - 1.0 / 3.0
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        radius = math.sqrt(-2.0 * math.log(uniform_of(key, scenario, slot)))
        x = radius * math.cos(2.0 * math.pi * uniform_of(key, scenario, slot + 1))
        v = (1.0 + c * x) ** 3
        if v > 0.0 and math.log(uniform_of(key, scenario, slot + 2)) < 0.5 * x * x + d - d * v + d * math.log(v):
            return float(d * v)
        slot += 3


def _compound(mean: float, dispersion: float, key: np.uint64, scenario: int, slot: int) -> float:
    """Draw the total of a Poisson number of exponential payments with a given mean.

    The total has variance `dispersion * mean` and an atom at zero: the compound Poisson case of the Tweedie family
    (Jorgensen and Paes de Souza 1994, Scandinavian Actuarial Journal, section 2) with exponential severities. Without
    dispersion it is the mean.
    """
    if dispersion <= 0.0 or mean <= 0.0:
        return mean
    severity = 0.5 * dispersion
    count = count_of(mean / severity, uniform_of(key, scenario, slot))
    if count == 0:
        return 0.0
    return float(severity * waited_for(count, key, scenario, slot + 1))


def _own_factor(terms: Terms, claim: int, scenario: int) -> float:
    """Draw a claim's own cost factor given what has been paid on it."""
    place = -math.log(uniform_of(terms.keys[claim], scenario, FACTOR_SLOT)) * terms.nodes_a_unit
    lower = min(int(place), terms.factor.shape[1] - 2)
    before, after = terms.factor[claim, lower], terms.factor[claim, lower + 1]
    return float(before + (after - before) * min(place - lower, 1.0))


def _mark_costly(terms: Terms, expected: Floats, costly: Booleans, place: tuple[int, int], slot: int) -> None:
    """Mark the futures of a component and claim that the largest factors may leave a payment.

    All of them without a branch, which runs in vector registers. The others, most of a book, pay nothing, whatever
    their factors, which need not be drawn.
    """
    component, claim = place
    key, most = terms.keys[claim], 2.0 / terms.dispersion[component] * terms.largest[component, claim]
    for scenario in range(len(expected)):
        costly[scenario] = not uniform_of(key, scenario, slot) <= 1.0 - expected[scenario] * most


def _paid(terms: Terms, place: tuple[int, int, int], scenario: int, slot: int, expected: float) -> float:
    """Draw the dollars that a future pays of what is expected of it."""
    component, claim, draw = place
    mean = expected * terms.relativity[component, claim, draw]
    if terms.has_factor[component]:
        mean *= own_factor_of(terms, claim, scenario)
    units = compound_of(mean, terms.dispersion[component], terms.keys[claim], scenario, slot)
    return float(units * terms.unit[component, claim] * terms.systemic[component, scenario])


def _pay_marked(
    terms: Terms, sums: Sums, costly: Booleans, place: tuple[int, int, int], slot: int, expected: Floats
) -> None:
    """Put what the marked futures of a component, claim and draw pay, and nothing for the others, in the sums."""
    component, claim, draw = place
    per_draw = len(expected) // terms.relativity.shape[2]
    for scenario in range(draw * per_draw, (draw + 1) * per_draw):
        paid = 0.0
        if costly[scenario]:
            paid = paid_of(terms, place, scenario, slot, expected[scenario])
        for scope in range(len(sums.scoped)):
            inside = sums.scoped[scope, component, claim]
            if inside[scenario] > 0.0:
                inside[scenario] *= paid / expected[scenario]
        expected[scenario] = paid


def _pay(stamp: int) -> Compiled:
    """Return the loop over a block; `stamp` is what `kept` tells its parts by."""

    def pay(terms: Terms, sums: Sums, costly: Booleans) -> int:
        """Replace expected payments by payments in dollars, and scopes' shares of the first by those of the second.

        `costly` is room for a mark by future of a claim.
        """
        for component in range(len(terms.dispersion)):
            slot = PAYMENT_SLOT + component * SLOTS_A_COMPONENT
            for claim in range(len(terms.keys)):
                expected = sums.expected[component, claim]
                mark_costly(terms, expected, costly, (component, claim), slot)
                for draw in range(terms.relativity.shape[2]):
                    pay_marked(terms, sums, costly, (component, claim, draw), slot, expected)
        return stamp

    return pay


count_of = inlined(_count)
waited_for = inlined(_waited)
compound_of = inlined(_compound)
own_factor_of = inlined(_own_factor)
mark_costly = inlined(_mark_costly)
paid_of = inlined(_paid)
pay_marked = inlined(_pay_marked)
pay_block = kept(_pay, compiled, randomness)
