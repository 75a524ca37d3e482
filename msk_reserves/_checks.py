"""Argument checks every room shares."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


def frozen(values: npt.ArrayLike, name: str, *, dtype: npt.DTypeLike = np.float64, ndim: int = 1) -> npt.NDArray[Any]:
    """Return `values` as a read-only array of the stated rank, or say what is wrong.

    Parameters
    ----------
    values : array_like
        What to freeze; copied, so that the caller's own array stays as it was.
    name : str
        The argument as the caller knows it, for the error sentence.
    dtype : dtype, optional
        Type of the result.
    ndim : int, optional
        Rank the result must have.

    Returns
    -------
    numpy.ndarray
        A read-only copy.

    Raises
    ------
    ValueError
        If the rank differs or a number is not finite.

    Examples
    --------
    >>> frozen([1, 2], "days").flags.writeable
    False
    """
    array = np.array(values, dtype=dtype)
    if array.ndim != ndim:
        raise ValueError(f"`{name}` must have {ndim} dimension(s), got shape {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        where = int(np.argmin(np.isfinite(array).ravel()))
        raise ValueError(f"`{name}` must be finite; entry {where} is {array.ravel()[where]}")
    array.flags.writeable = False
    return array


def finite(value: float, name: str) -> float:
    """Return `value` as a float if it is a finite number, else raise `ValueError` naming the argument."""
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not np.isfinite(value):
        raise ValueError(f"`{name}` must be a finite number, got {value!r}")
    return float(value)


def not_negative(value: float, name: str) -> float:
    """Return `value` as a float if it is finite and at least zero, else raise `ValueError`."""
    if finite(value, name) < 0:
        raise ValueError(f"`{name}` must not be negative, got {value!r}")
    return float(value)


def positive(value: float, name: str) -> float:
    """Return `value` as a float if it is finite and above zero, else raise `ValueError`."""
    if finite(value, name) <= 0:
        raise ValueError(f"`{name}` must be above zero, got {value!r}")
    return float(value)


def share(value: float, name: str) -> float:
    """Return `value` as a float if it lies in [0, 1], else raise `ValueError`."""
    if not 0 <= finite(value, name) <= 1:
        raise ValueError(f"`{name}` must lie in [0, 1], got {value!r}")
    return float(value)


def level(value: float, name: str = "level") -> float:
    """Return `value` as a float if it lies strictly between 0 and 1, else raise `ValueError`."""
    if not 0 < finite(value, name) < 1:
        raise ValueError(f"`{name}` must lie strictly between 0 and 1 (0.9 for 90 %), got {value!r}")
    return float(value)


def whole(value: int, name: str, *, at_least: int = 0) -> int:
    """Return `value` as an int if it is a whole number not below `at_least`, else raise `ValueError`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < at_least:
        raise ValueError(f"`{name}` must be a whole number of at least {at_least}, got {value!r}")
    return int(value)


def one_of(value: str, allowed: Iterable[str], name: str) -> str:
    """Return `value` if it is one of `allowed`, else raise `ValueError` that lists them."""
    choices: Sequence[str] = list(allowed)
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {', '.join(choices)}; got {value!r}")
    return value
