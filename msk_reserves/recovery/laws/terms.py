"""ln S and ln f of a standardised law with the derivatives a likelihood needs, for each kind of third parameter."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from msk_reserves._checks import Floats
from msk_reserves.recovery.laws.families import Family
from msk_reserves.recovery.laws.generalized_gamma import Interpolated, interpolated

SHAPE_STEP = 1e-4
"""Step of the central differences by Q."""

ROWS_A_NODE = 2.0
"""Rows for each node from which a generalized gamma is read from a table: its incomplete gamma ratios are slow."""

_NODE_STEP = 0.05
_LEAST_NODES = 64

Six = tuple[Floats, Floats, Floats, Floats, Floats, Floats]
"""A value, its first two derivatives by w, its first by the third parameter, the mixed one, the second by the third."""


@dataclass(frozen=True, slots=True, eq=False)
class LawTerms:
    """ln S and ln f as functions of w and of the logit of the cured share."""

    survival: Callable[[Floats, Floats], Six]
    density: Callable[[Floats, Floats], Six]


def terms_of(
    family: Family, shape: float, reach: tuple[float, float], n: int, *, cured: bool, derivatives: bool = True
) -> LawTerms:
    """Return the terms of a law at shape Q for `n` rows whose w lie within `reach`; by Q zero without `derivatives`."""
    if family.free_shape:
        return _shaped(family, shape, reach, n, derivatives=derivatives)
    zero = np.zeros(())

    def survival(w: Floats, _logit: Floats) -> Six:
        return (*family.survival_terms(w, zero), zero, zero, zero)

    def density(w: Floats, _logit: Floats) -> Six:
        return (*family.density_terms(w, zero), zero, zero, zero)

    def mixed_survival(w: Floats, logit: Floats) -> Six:
        return _mixed(*family.survival_terms(w, zero), logit)

    def mixed_density(w: Floats, logit: Floats) -> Six:
        cure = special.expit(logit)
        value, first, second = family.density_terms(w, zero)
        return value + special.log_expit(-logit), first, second, -cure, zero, -cure * special.expit(-logit)

    return LawTerms(mixed_survival, mixed_density) if cured else LawTerms(survival, density)


def _mixed(value: Floats, first: Floats, second: Floats, logit: Floats) -> Six:
    """Return ln(pi + (1 - pi) S) with its derivatives by w and by r = logit pi.

    With u = (1 - pi) S / (pi + (1 - pi) S), the chance that a stay which has lasted so long will end, and a = ln S:
    by w u a' and u a'' + u (1 - u) a' a'; by r 1 - u - pi; mixed -u (1 - u) a'; by r twice u (1 - u) - pi (1 - pi).
    """
    cure, ends = special.expit(logit), special.expit(-logit)
    u = special.expit(value - logit)
    doubt = u * special.expit(logit - value)
    mixture = np.logaddexp(special.log_expit(logit), value + special.log_expit(-logit))
    return (
        mixture,
        u * first,
        u * second + doubt * first * first,
        (1.0 - u) - cure,
        -doubt * first,
        doubt - cure * ends,
    )


def _shaped(family: Family, shape: float, reach: tuple[float, float], n: int, *, derivatives: bool) -> LawTerms:
    """Return terms with derivatives by Q as central differences of those at Q - step, Q and Q + step."""
    at = [np.array(shape + side * SHAPE_STEP) for side in ((-1.0, 0.0, 1.0) if derivatives else (0.0,))]
    low, high = reach
    nodes = max((high - low) / _NODE_STEP, _LEAST_NODES)
    # Where the reach is not finite, neither is the number of nodes.
    if not ROWS_A_NODE * nodes < n:
        return LawTerms(
            lambda w, _logit: _differences([family.survival_terms(w, q) for q in at]),
            lambda w, _logit: _differences([family.density_terms(w, q) for q in at]),
        )
    grid = np.linspace(low, high, int(nodes))
    tables = [
        [interpolated(grid, *terms(grid, q)) for q in at] for terms in (family.survival_terms, family.density_terms)
    ]

    def read(table: list[Interpolated], w: Floats) -> Six:
        return _differences([one(w) for one in table])

    return LawTerms(lambda w, _logit: read(tables[0], w), lambda w, _logit: read(tables[1], w))


def _differences(three: list[tuple[Floats, Floats, Floats]]) -> Six:
    """Return value and derivatives by w at the middle Q, with differences by Q, which are zero for one Q alone."""
    if len(three) == 1:
        zero = np.zeros(())
        return (*three[0], zero, zero, zero)
    (below, below_first, _), (value, first, second), (above, above_first, _) = three
    width = 2.0 * SHAPE_STEP
    return (
        value,
        first,
        second,
        (above - below) / width,
        (above_first - below_first) / width,
        (above - 2.0 * value + below) / SHAPE_STEP**2,
    )
