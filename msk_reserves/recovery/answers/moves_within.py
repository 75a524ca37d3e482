"""Numbers that enter states in a cell, some of them from states entered in the same cell: sparse linear systems."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Factored:
    """Factors of one less the shares that go on at once, the same pattern in every cell and row.

    Attributes
    ----------
    lower : (state, state eliminated before it, factor) in the order of elimination; factors of shape (n_cells, n_rows).
    upper : (state, state eliminated after it, entry over the pivot) in the opposite order.
    inverse : one over the pivot of each state.
    """

    lower: tuple[tuple[int, int, Floats], ...]
    upper: tuple[tuple[int, int, Floats], ...]
    inverse: Mapping[int, Floats]

    def solved(self, cell: int, known: Floats) -> Floats:
        """Return all that enter each state in a cell, given those from elsewhere; both of shape (n_states, n_rows)."""
        found = known.copy()
        for row, column, factor in self.lower:
            found[row] -= factor[cell] * found[column]
        for row, one in self.inverse.items():
            found[row] *= one[cell]
        for row, column, factor in self.upper:
            found[row] -= factor[cell] * found[column]
        return found


def factored(n_states: int, n_cells: int, shares: Mapping[tuple[int, int], Floats]) -> Factored:
    """Factor the systems `entered = known + shares @ entered`.

    Parameters
    ----------
    n_states, n_cells : int
        Number of states, and of cells.
    shares : mapping of (int, int) to numpy.ndarray, shape (n_cells, n_rows)
        What goes to the first state, within the cell, of one that enters the second.

    Returns
    -------
    Factored

    Notes
    -----
    Gaussian elimination. What leaves a state is at most what entered it, so that the columns of the matrix are
    diagonally dominant, and no order needs pivoting; states with fewest moves come first.

    Examples
    --------
    >>> half = np.array([[0.5]])
    >>> factored(2, 1, {(1, 0): half, (0, 1): half}).solved(0, np.array([[1.0], [0.0]])).round(6).tolist()
    [[1.333333], [0.666667]]
    """
    matrix = {place: -share for place, share in shares.items()}
    waiting = set(range(n_states))
    lower: list[tuple[int, int, Floats]] = []
    upper: list[tuple[int, int, Floats]] = []
    inverse: dict[int, Floats] = {}
    one = np.ones((n_cells, 1))
    while waiting:
        pivot = min(waiting, key=lambda state: sum(state in place for place in matrix))
        waiting.discard(pivot)
        inverse[pivot] = 1.0 / (one + matrix.pop((pivot, pivot), 0.0))
        column = {row: matrix.pop((row, pivot)) for row in waiting if (row, pivot) in matrix}
        after = {other: matrix.pop((pivot, other)) * inverse[pivot] for other in waiting if (pivot, other) in matrix}
        for row, value in column.items():
            lower.append((row, pivot, value * inverse[pivot]))
            for other, entry in after.items():
                # The diagonal is kept less the one of the matrix itself.
                matrix[row, other] = matrix.get((row, other), 0.0) - value * entry
        upper += [(pivot, other, entry) for other, entry in after.items()]
    return Factored(tuple(lower), tuple(reversed(upper)), inverse)
