"""What a duration fit is given: exits and stays still running, each seen from its own entry, each exact or a window."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats, Integers, frozen


@dataclass(frozen=True, slots=True, eq=False)
class Observations:
    """Stays as a likelihood reads them; every column has shape (n_stays,).

    Attributes
    ----------
    days : days when the stay ended or observation did.
    exited : whether it ended.
    entry : days before which the stay could not have been seen (left truncation), 0 for none.
    lower : for an exit known only to its window, the window's left end, never before entry; else equal to `days`.
    weights : weight of the stay.
    design : covariates without the constant, shape (n_stays, n_covariates).
    """

    days: Floats
    exited: Booleans
    entry: Floats
    lower: Floats
    weights: Floats
    design: Floats

    def __len__(self) -> int:
        return len(self.days)

    def of(self, rows: Booleans) -> "Observations":
        """Return some of the stays."""
        some = Observations(*(getattr(self, name)[rows] for name in Observations.__slots__))
        for name in Observations.__slots__:
            getattr(some, name).flags.writeable = False
        return some

    @property
    def in_window(self) -> Booleans:
        """Whether the exit is known only to lie in (lower, days], shape (n_stays,)."""
        return self.exited & (self.lower < self.days)

    @property
    def events(self) -> float:
        """Weighted number of exits."""
        return float(self.weights[self.exited].sum())


def observations(
    days: npt.ArrayLike,
    exited: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    interval: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    design: npt.ArrayLike | None = None,
) -> Observations:
    """Check stays and return them as `Observations`.

    Parameters
    ----------
    days : array_like, shape (n_stays,)
        Days when the stay ended or observation did; above zero.
    exited : array_like, shape (n_stays,)
        Whether it ended (0/1 or booleans).
    entry : array_like, optional
        Left truncation, days; zero where absent.
    interval : array_like, optional
        Width w of the window (days - w, days] that holds an exit; zero, and by default, the exact day.
    weights : array_like, optional
        Weights, one where absent.
    design : array_like, shape (n_stays, n_covariates), optional
        Covariates without the constant.

    Returns
    -------
    Observations

    Raises
    ------
    ValueError
        If shapes differ, a stay is not longer than its entry, nobody exited, or a covariate is a combination of others.

    Examples
    --------
    >>> len(observations([7.0, 14.0], [1, 0], interval=[7.0, 7.0]))
    2
    """
    t = frozen(days, "days")
    n = len(t)
    start: Floats = np.zeros(n) if entry is None else frozen(entry, "entry")
    width: Floats = np.zeros(n) if interval is None else frozen(interval, "interval")
    weight: Floats = np.ones(n) if weights is None else frozen(weights, "weights")
    out = exit_flags(exited)
    for name, column in (("entry", start), ("interval", width), ("weights", weight), ("exited", out)):
        if len(column) != n:
            raise ValueError(f"`{name}` must have one entry a stay: `days` has {n}, got {len(column)}")
    x = frozen(np.zeros((n, 0)) if design is None else design, "design", ndim=2)
    if len(x) != n:
        raise ValueError(f"`design` must have one row a stay: `days` has {n}, got {len(x)}")
    _check_order(t, start, width, weight)
    if not (out & (weight > 0)).any():
        raise ValueError(f"`exited` must hold at least one exit with weight; all {n} stays are still running")
    _check_rank(x, weight)
    lower = np.where(out & (width > 0), np.maximum(t - width, start), t)
    return Observations(t, out, frozen(start, "entry"), frozen(lower, "interval"), frozen(weight, "weights"), x)


def exit_flags(exited: npt.ArrayLike) -> Booleans:
    """Return exit flags as booleans; codes of several causes are refused with the estimator that takes them."""
    codes = np.asarray(exited)
    if codes.ndim != 1:
        raise ValueError(f"`exited` must have 1 dimension, got shape {codes.shape}")
    if codes.dtype != np.bool_ and not ((codes == 0) | (codes == 1)).all():
        causes = [value for value in np.unique(codes).tolist() if value != 0]
        raise ValueError(
            f"`exited` must be 0 or 1, got the codes {causes[:6]}: with several causes of exit, one of them alone "
            "overstates its share (the others are not censoring); use `aalen_johansen(days, cause)`"
        )
    return np.array(codes, dtype=bool)


def _check_order(days: Floats, entry: Floats, interval: Floats, weights: Floats) -> None:
    """Refuse days at or before zero or entry, windows wider than the stay, negative weights."""
    rules = (
        (days <= 0, "days", "be above zero; give a stay that ended on its first day half a day", days),
        (entry < 0, "entry", "not be negative", entry),
        (days <= entry, "days", "lie after `entry`: a stay that ended by then could not have been seen; drop it", days),
        (interval < 0, "interval", "not be negative", interval),
        (interval > days, "interval", "not be wider than the stay", interval),
        (weights < 0, "weights", "not be negative", weights),
    )
    for broken, name, rule, values in rules:
        if broken.any():
            row = int(np.argmax(broken))
            raise ValueError(f"`{name}` must {rule}; entry {row} is {values[row]:g} ({int(broken.sum())} in all)")


def columns_beside(
    data: Observations, design: npt.ArrayLike | None, name: str, parameter: str
) -> tuple[Floats | None, tuple[str, ...]]:
    """Check covariates of a parameter other than the location; return them with their names, None for no columns."""
    if design is None:
        return None, ()
    columns = frozen(design, name, ndim=2)
    if len(columns) != len(data):
        raise ValueError(f"`{name}` must have one row a stay: `days` has {len(data)}, got {len(columns)}")
    if not columns.shape[1]:
        return None, ()
    _check_rank(columns, data.weights, name)
    return columns, tuple(f"{parameter} z{i + 1}" for i in range(columns.shape[1]))


def grouped(data: Observations) -> Observations:
    """Return the different stays with the sum of their weights, where whole or half days make them few; else `data`."""
    n, p = data.design.shape
    columns = [2.0 * data.days, 2.0 * data.entry, 2.0 * data.lower, data.exited.astype(np.float64), *data.design.T]
    found = _coded(columns, n, _MOST_CELLS) if n >= _GROUPED_FROM else None
    if found is None:
        return data
    code, digits = found
    weight: Floats = np.bincount(code, weights=data.weights).astype(np.float64)
    place = np.flatnonzero(weight)
    if len(place) > n / 2:
        return data
    days, entry, lower, exited, *design = _decoded(place, digits)
    table = np.column_stack(design) if p else np.zeros((len(days), 0))
    return Observations(0.5 * days, exited > 0, 0.5 * entry, 0.5 * lower, weight[weight > 0], table)


def alike(design: Floats) -> tuple[Floats, Integers]:
    """Return the different rows of a design, as columns (p, n_rows), and which of them each row is.

    Each row is one of its own where its columns are not whole numbers of few values.

    Examples
    --------
    >>> rows, code = alike(np.array([[1.0], [0.0]] * 10))
    >>> rows.tolist(), code[:3].tolist()
    ([[0.0, 1.0]], [1, 0, 1])
    """
    n = len(design)
    found = _coded(list(design.T), n, n // _STAYS_A_ROW)
    if found is None:
        return design.T, np.arange(n)
    code, digits = found
    place, which = np.unique(code, return_inverse=True) if digits else (np.zeros(1, dtype=np.int64), code)
    return np.array(_decoded(place, digits)).reshape(len(digits), len(place)), which


def _coded(columns: list[Floats], n: int, most: int) -> tuple[Integers, list[tuple[float, int]]] | None:
    """Return one number for each row of columns of whole numbers, with least value and number of values of each column.

    None where some are not whole or more than `most` rows could differ.
    """
    code, cells = np.zeros(n, dtype=np.int64), 1
    digits: list[tuple[float, int]] = []
    for column in columns:
        low, high = float(column.min()), float(column.max())
        size = int(min(high - low, 1e9)) + 1
        cells *= size
        if cells > most or (column[:_LOOK] % 1.0).any() or (column % 1.0).any():
            return None
        code = code * size + (column - low).astype(np.int64)
        digits.append((low, size))
    return code, digits


def _decoded(code: Integers, digits: list[tuple[float, int]]) -> list[Floats]:
    """Return the columns that rows were numbered by."""
    values: list[Floats] = []
    for low, size in reversed(digits):
        code, digit = np.divmod(code, size)
        values.append(low + digit.astype(np.float64))
    return values[::-1]


_GROUPED_FROM = 2_000
_MOST_CELLS = 1 << 24
_LOOK = 100
_STAYS_A_ROW = 8


def _check_rank(design: Floats, weights: Floats, name: str = "design") -> None:
    """Refuse a design whose columns, with the constant, are not independent."""
    p = design.shape[1]
    if not p:
        return
    used = design if (weights > 0).all() else design[weights > 0]
    # From the first row, from which a constant differs by exactly nothing; then from the mean, where that is far off.
    mean, gram = _moments(used, used[0] if len(used) else np.zeros(p))
    if (np.diag(gram) == 0).any():
        column = int(np.argmin(np.diag(gram)))
        raise ValueError(f"`{name}` must vary in every column; column {column} is constant")
    _, gram = _moments(used, mean)
    spread = np.sqrt(np.diag(gram))
    if float(np.linalg.eigvalsh(gram / np.outer(spread, spread))[0]) < 1e-10:
        raise ValueError(f"`{name}` must have independent columns; one of them is a combination of the others")


def _moments(design: Floats, origin: Floats) -> tuple[Floats, Floats]:
    """Return the column means and the sum of products of deviations from `origin`, a pass at a time."""
    total, gram = np.zeros(design.shape[1]), np.zeros((design.shape[1], design.shape[1]))
    for start in range(0, len(design), _ROWS_AT_ONCE):
        apart = design[start : start + _ROWS_AT_ONCE] - origin
        gram += apart.T @ apart
        total += np.ones(len(apart)) @ apart
    return origin + total / max(len(design), 1), gram


_ROWS_AT_ONCE = 8192
