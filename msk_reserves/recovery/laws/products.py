"""Products of tall tables in pieces too small for BLAS to hand out to other cores.

A fit makes tens of thousands of products of some thousand rows each. Shared between cores every one of them waits until
another core is free, on a busy machine several times as long as it takes; and moves fitted side by side wait for each
other. In pieces each core has its own work.
"""

from typing import Final

import numpy as np

from msk_reserves._checks import Floats

MATRIX_VECTOR: Final = 8_192
"""Most elements of a matrix times a vector in one piece: OpenBLAS shares larger ones (from 9,216)."""

MATRIX_MATRIX: Final = 250_000
"""Most multiplications of a product of two matrices in one piece: OpenBLAS shares larger ones (from 262,145)."""


def linear(coefficients: Floats, columns: Floats) -> Floats:
    """Return the sum of `columns`, shape (p, n), times coefficients, shape (p,); the result has shape (n,).

    Examples
    --------
    >>> linear(np.array([1.0, 10.0]), np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 2.0]])).tolist()
    [1.0, 12.0, 23.0]
    """
    p, n = columns.shape
    width = max(MATRIX_VECTOR // max(p, 1), 1)
    if n <= width:
        return np.asarray(coefficients @ columns)
    result = np.empty(n)
    whole = n - n % width
    np.matmul(coefficients, _pieces(columns, width), out=result[:whole].reshape(-1, width))
    np.matmul(coefficients, columns[:, whole:], out=result[whole:])
    return result


def summed(columns: Floats, weights: Floats) -> Floats:
    """Return the sums over n of `columns`, shape (p, n), times weights, shape (n,); the result has shape (p,).

    Examples
    --------
    >>> summed(np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 2.0]]), np.array([1.0, 1.0, 2.0])).tolist()
    [9.0, 5.0]
    """
    p, n = columns.shape
    width = max(MATRIX_VECTOR // max(p, 1), 1)
    if n <= width:
        return np.asarray(columns @ weights)
    whole = n - n % width
    parts = np.matmul(_pieces(columns, width), weights[:whole].reshape(-1, width, 1))
    return np.asarray(parts.sum(axis=0)[:, 0] + columns[:, whole:] @ weights[whole:])


def crossed(left: Floats, right: Floats) -> Floats:
    """Return left right', of shapes (p, n) and (q, n).

    Examples
    --------
    >>> crossed(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 2.0]])).tolist()
    [[6.0, 6.0]]
    """
    (p, n), q = left.shape, len(right)
    width = max(MATRIX_MATRIX // max(p * q, 1), 1)
    if n <= width:
        return np.asarray(left @ right.T)
    whole = n - n % width
    parts = np.matmul(_pieces(left, width), _pieces(right, width).transpose(0, 2, 1))
    return np.asarray(parts.sum(axis=0) + left[:, whole:] @ right[:, whole:].T)


def applied(rows: Floats, coefficients: Floats) -> Floats:
    """Return rows, shape (n, p), times coefficients, shape (p, q); the result has shape (n, q).

    Examples
    --------
    >>> applied(np.array([[1.0, 0.0], [2.0, 1.0]]), np.array([[1.0, 2.0], [10.0, 20.0]])).tolist()
    [[1.0, 2.0], [12.0, 24.0]]
    """
    (n, p), q = rows.shape, coefficients.shape[1]
    width = max(min(MATRIX_VECTOR // max(p, 1), MATRIX_MATRIX // max(p * q, 1)), 1)
    if n <= width:
        return np.asarray(rows @ coefficients)
    result = np.empty((n, q))
    number = n // width
    whole = number * width
    np.matmul(rows[:whole].reshape(number, width, p), coefficients, out=result[:whole].reshape(number, width, q))
    np.matmul(rows[whole:], coefficients, out=result[whole:])
    return result


def _pieces(columns: Floats, width: int) -> Floats:
    """Return a view of as many whole pieces as there are, shape (n_pieces, p, width)."""
    p, n = columns.shape
    number = n // width
    return columns[:, : number * width].reshape(p, number, width).transpose(1, 0, 2)
