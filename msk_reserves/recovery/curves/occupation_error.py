"""Errors of state occupation: the covariance of the Aalen-Johansen product, and how each claim pulls on it."""

from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.recovery.curves.histories import NO_MOVE, Histories, MoveCounts, weighed

LARGEST_TABLE = 2_000_000_000
"""Bytes the jackknife may take for products of moves over spans of days."""

_ROWS = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """The Aalen-Johansen product, step by step.

    Attributes
    ----------
    rates : increments of the cumulative intensities, rows summing to 0; shape (n_times, n_states, n_states).
    before : occupation just before each time; shape (n_times, n_states).
    gaps : days from the previous time (from the start for the first); shape (n_times,).
    """

    rates: Floats
    before: Floats
    gaps: Floats

    def pull(self, at_risk: Floats) -> Floats:
        """Return occupation over the weight at risk, what one move weighs; shape (n_times, n_states)."""
        return np.where(at_risk > 0, self.before / np.where(at_risk > 0, at_risk, 1.0), 0.0)

    def steps(self) -> Floats:
        """Return what a row (occupation, days in state) is multiplied by at each time; (n_times, 2 m, 2 m)."""
        n, m = self.before.shape
        step = np.zeros((n, 2 * m, 2 * m))
        step[:, :m, :m] = np.eye(m) + self.rates
        step[:, :m, m:] = self.gaps[:, None, None] * np.eye(m)
        step[:, m:, m:] = np.eye(m)
        return step


def product_covariance(product: Product, counts: MoveCounts, initial: Floats, *, aalen: bool) -> Floats:
    """Return the covariance of occupation and days in state after each time; shape (n_times + 1, 2 m, 2 m).

    With x = (p, days), C the covariance and A the step, C' = A'CA + D, D the covariance of p(t-) dA(t)
    (Andersen, Borgan, Gill & Keiding 1993, section IV.4.1). For the moves from h, with q = p/Y: the multinomial
    q^2 (diag of the moves - d d'/Y) (their 4.4.17 and 4.4.18), or with `aalen` the Poisson q^2 times the diagonal.
    """
    squared = (np.zeros_like(counts.at_risk), counts.moves) if aalen else (counts.at_risk, counts.moves)
    added = _added(product, product.pull(counts.at_risk), squared, aalen=aalen)
    return _swept(product.steps(), initial, added, None)


def _added(product: Product, pull: Floats, squared: tuple[Floats, Floats], *, aalen: bool = False) -> Floats:
    """Return what each time adds to the sum of squares; `squared` sums squared weights at risk and moving."""
    at_risk, moves = squared
    m = pull.shape[1]
    each = pull[:, :, None] ** 2 * moves
    added = -each - each.transpose(0, 2, 1)
    added[:, np.arange(m), np.arange(m)] += each.sum(axis=1) + each.sum(axis=2)
    if aalen:
        return added
    expected = pull[:, :, None] * product.rates
    seen = pull[:, :, None] * moves
    seen[:, np.arange(m), np.arange(m)] -= seen.sum(axis=2)
    turned = expected.transpose(0, 2, 1)
    crossed = turned @ seen
    added += turned @ (at_risk[:, :, None] * expected) - crossed - crossed.transpose(0, 2, 1)
    return added


def _swept(steps: Floats, initial: Floats, added: Floats, crossed: "_Groups | None") -> Floats:
    """Carry the sum of squares through the steps; with groups, the cross products of past and present pulls too."""
    n, m = len(steps), added.shape[1]
    result = np.zeros((n + 1, 2 * m, 2 * m))
    result[0, :m, :m] = initial
    held = np.zeros((m, 2 * m))
    for k in range(n):
        step = steps[k]
        now = step.T @ result[k] @ step
        now[:m, :m] += added[k]
        if crossed is not None:
            held += crossed.joined[k]
            mixed = step.T @ (held.T @ crossed.common[k] + crossed.movers[k])
            now[:, :m] += mixed
            now[:m, :] += mixed.T
            held = held @ step
            held[:, :m] += crossed.gained[k]
        result[k + 1] = now
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Sums over claims at each time.

    Attributes
    ----------
    joined : weight times pull so far of those who come to be at risk in each state, less of those who leave.
    common : the pull at this time of one more claim at risk in each state.
    movers : outer product of pull so far and pull of the move, over those who move.
    gained : weight times pull at this time, over those at risk in each state.
    """

    joined: Floats
    common: Floats
    movers: Floats
    gained: Floats


def jackknife_covariance(product: Product, counts: MoveCounts, rows: Histories, begin: Floats) -> Floats:
    """Return the sum over claims of squared pulls on occupation and days in state; shape (n_times + 1, 2 m, 2 m).

    The pull of claim i follows U' = UA + e, e the derivative of p(t-) dA(t) in the weight of i. While claims stay in h,
    e is the same function of time for all of them, so that a pull differs from that function by what only the steps
    carry on; it is needed one claim at a time only where a row begins or ends. The sum of squares obeys a recursion of
    its own in sums over those at risk in each state. `begin` holds the pull of each claim on the initial shares,
    shape (n_claims, m).
    """
    n, m = product.before.shape
    steps, pull = product.steps(), product.pull(counts.at_risk)
    common = -pull[:, :, None] * product.rates
    shared = np.zeros((n + 1, m, 2 * m))
    for k in range(n):
        shared[k + 1] = shared[k] @ steps[k]
        shared[k + 1, :, :m] += common[k]
    walk = _Walk(_spans(steps, m, int((counts.past - counts.first).max(initial=1))), shared, steps, common, pull)
    at_start, before, at_end = _walked(walk, counts, rows, begin)
    live = counts.past > counts.first
    joined = _summed(counts.first, rows.origin, live, rows.weights[:, None] * at_start, n, m)
    joined -= _summed(counts.past, rows.origin, live, rows.weights[:, None] * at_end, n, m)
    square = weighed(rows, (counts.first, counts.past), n, rows.weights**2)
    moved = np.flatnonzero(rows.target != NO_MOVE)
    last, origin, target = counts.past[moved] - 1, rows.origin[moved], rows.target[moved]
    weight = rows.weights[moved] * pull[last, origin]
    outer = weight[:, None] * before[moved]
    every = np.ones(len(moved), dtype=np.bool_)
    movers = _summed(last, target, every, outer, n, m) - _summed(last, origin, every, outer, n, m)
    seen = pull[:, :, None] * square[1]
    seen[:, np.arange(m), np.arange(m)] -= seen.sum(axis=2)
    groups = _Groups(joined, common, movers.transpose(0, 2, 1), square[0][:, :, None] * common + seen)
    return _swept(steps, begin.T @ begin, _added(product, pull, square), groups)


def _summed(at: Integers, state: Integers, chosen: Booleans, values: Floats, n: int, m: int) -> Floats:
    """Return sums of rows of values by time and state, shape (n, m, 2 m); times past the last are left out."""
    cell = at[chosen] * m + state[chosen]
    picked = values[chosen]
    sums = [np.bincount(cell, picked[:, column], (n + 1) * m) for column in range(2 * m)]
    return np.stack(sums, axis=1).astype(np.float64, copy=False).reshape(n + 1, m, 2 * m)[:n]


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """What carries one claim's pull along: spans of 1, 2, 4, ... steps, the pull shared by a state, single steps."""

    spans: tuple[Floats, ...]
    shared: Floats
    steps: Floats
    common: Floats
    pull: Floats

    def carried(self, values: Floats, first: Integers, past: Integers) -> Floats:
        """Return rows (n, 2 m) carried from before time `first` to before time `past` with nothing added."""
        m = values.shape[1] // 2
        result, at = np.array(values), np.array(first)
        for level, span in enumerate(self.spans):
            due = np.flatnonzero(((past - first) >> level) & 1)
            for block in range(0, len(due), _ROWS):
                some = due[block : block + _ROWS]
                ahead = np.einsum("ni,nij->nj", result[some, :m], span[at[some]])
                result[some, :m] = ahead[:, :m]
                result[some, m:] += ahead[:, m:]
            at[due] += 1 << level
        return result


def _spans(steps: Floats, m: int, longest: int) -> tuple[Floats, ...]:
    """Return products of 1, 2, 4, ... steps beginning at each time, their upper rows only; refuse too large a table."""
    levels = max(1, longest.bit_length())
    size = levels * len(steps) * m * 2 * m * 8
    if size > LARGEST_TABLE:
        raise ValueError(
            f"`variance`='infinitesimal_jackknife' would take {size / 1e9:.1f} GB for {len(steps):,} different times "
            f"of moves among {m} states; round days to whole ones, or use `variance='delta'`"
        )
    spans = [np.ascontiguousarray(steps[:, :m, :])]
    for level in range(1, levels):
        short, half = spans[-1], 1 << (level - 1)
        left, right = short[: len(short) - half], short[half:]
        ahead = left[:, :, :m] @ right
        ahead[:, :, m:] += left[:, :, m:]
        spans.append(ahead)
    return tuple(spans)


def _walked(walk: _Walk, counts: MoveCounts, rows: Histories, begin: Floats) -> tuple[Floats, Floats, Floats]:
    """Return each row's pull where it starts, before its last time at risk and after it; shape (n_rows, 2 m)."""
    m = begin.shape[1]
    held = np.concatenate([begin, np.zeros_like(begin)], axis=1)
    at = np.zeros(len(begin), dtype=np.int64)
    at_start, before, at_end = (np.zeros((len(rows), 2 * m)) for _ in range(3))
    new = np.append(True, rows.claim[1:] != rows.claim[:-1])
    place = np.arange(len(rows))
    rank = place - np.maximum.accumulate(np.where(new, place, 0))
    for k in range(int(rank.max(initial=0)) + 1):
        some = np.flatnonzero((rank == k) & (counts.past > counts.first))
        who, first, past = rows.claim[some], counts.first[some], counts.past[some]
        state, weight = rows.origin[some], rows.weights[some][:, None]
        at_start[some] = walk.carried(held[who], at[who], first)
        apart = at_start[some] - weight * walk.shared[first, state]
        before[some] = walk.carried(apart, first, past - 1) + weight * walk.shared[past - 1, state]
        after = np.einsum("ni,nij->nj", before[some], walk.steps[past - 1])
        after[:, :m] += weight * walk.common[past - 1, state]
        target = rows.target[some]
        moved = np.flatnonzero(target != NO_MOVE)
        gain = weight[moved, 0] * walk.pull[past[moved] - 1, state[moved]]
        after[moved, target[moved]] += gain
        after[moved, state[moved]] -= gain
        at_end[some], held[who], at[who] = after, after, past
    return at_start, before, at_end
