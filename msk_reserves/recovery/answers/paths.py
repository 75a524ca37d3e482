"""Simulated paths on tables of stays, for what no equation of one variable gives: total days over several spells."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.recovery.answers.grids import Grid
from msk_reserves.recovery.answers.stay_parts import Part, part_exits, part_of
from msk_reserves.recovery.answers.stay_tables import Later, Stay, SteppedStay
from msk_reserves.recovery.path.entry import entry_steps
from msk_reserves.recovery.path.randomness import keyed_generator

MOST_STAYS = 25
"""Moves a path may make; the last stay then lasts to the horizon, as in the simulation of reserves."""

REPLICATES = 4
"""Parts into which the paths of a claim fall, to see the error of simulation."""

_NOW, _ENDED = -2, -1


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """What was added up along simulated paths.

    Attributes
    ----------
    days : days in the states counted, up to the horizon; shape (n_rows, n_paths).
    first_days : the same until those states are first left.
    state : code into `states` of the state at each day asked for, shape (n_days, n_rows, n_paths).
    states : names.
    """

    days: Floats
    first_days: Floats
    state: Integers
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Uniforms:
    """Uniform numbers of paths.

    Attributes
    ----------
    first : those of the stay at hand, shape (n_rows, n_paths).
    later : those of each step, shape (n_steps, 3, n_rows or 1, n_paths): of the duration, of the target, and of the
        duration on the clock of the path.
    """

    first: Floats
    later: Floats


def claim_uniforms(seed: int, claim_id: str, n_draws: int, n_paths: int) -> Uniforms:
    """Return the uniform numbers of one claim: nearly the same for all draws, so that draws differ by parameters.

    The first stay takes one number from each of `n_paths` equal parts of (0, 1), shifted within the parts by draw;
    later stays take the same numbers in all draws. Every `REPLICATES`-th path is a sample spread as evenly, so that
    their differences show the error of simulation. Answers of one claim do not depend on which others are asked for.
    """
    rng = keyed_generator(seed, f"paths of {claim_id}")
    part = np.argsort(np.arange(n_paths) // REPLICATES + rng.random(n_paths))
    shift = (rng.permutation(n_draws)[:, None] + rng.random((n_draws, n_paths))) / n_draws
    return Uniforms((part + shift) / n_paths, _later_uniforms(rng, 1, n_paths))


def independent_uniforms(seed: int, claim_id: str, n_draws: int, n_paths: int) -> Uniforms:
    """Return uniform numbers of one claim that are independent in all draws and paths, for sums over claims."""
    rng = keyed_generator(seed, f"futures of {claim_id}")
    return Uniforms(rng.random((n_draws, n_paths)), _later_uniforms(rng, n_draws, n_paths))


def _later_uniforms(rng: np.random.Generator, n_rows: int, n_paths: int) -> Floats:
    """Return the numbers of all steps; those of the path's clock come last, so that the others are as without it."""
    shape = (n_rows, n_paths)
    return np.concatenate([rng.random((MOST_STAYS, 2, *shape)), rng.random((MOST_STAYS, 1, *shape))], axis=1)


def joined_uniforms(parts: Sequence[Uniforms]) -> Uniforms:
    """Return the uniform numbers of several claims as one, claims in order, draws within."""
    later = [np.repeat(one.later, len(one.first) // one.later.shape[2], axis=2) for one in parts]
    return Uniforms(np.concatenate([one.first for one in parts]), np.concatenate(later, axis=2))


@dataclass(frozen=True, slots=True, eq=False)
class _Sampled:
    """A table of stays laid out for sampling.

    Attributes
    ----------
    places : states in which the stay may be held.
    held : probability of being in each place or one before it, shape (n_places, n_rows, n_nodes).
    still : the last of them padded to a power of two with -1, shape (n_rows, width).
    targets : codes of the states in which the next stay begins.
    left : probability of having left by each target or an earlier one, shape (n_targets, n_rows, n_nodes).
    """

    places: Integers
    held: Floats
    still: Floats
    targets: Integers
    left: Floats


def _sampled(stay: Stay, code: Mapping[str, int]) -> _Sampled:
    """Lay a table out for sampling."""
    n_nodes, n_rows = stay.held.shape[1:]
    held = np.ascontiguousarray(np.cumsum(stay.held, axis=0).transpose(0, 2, 1))
    still = np.full((n_rows, 1 << (n_nodes - 1).bit_length()), -1.0)
    still[:, :n_nodes] = held[-1]
    left = np.ascontiguousarray(np.cumsum(stay.left, axis=0).transpose(0, 2, 1))
    places, targets = (
        np.array([code[name] for name in names], dtype=np.int64) for names in (stay.places, stay.targets)
    )
    return _Sampled(places, held, still, targets, left)


def _exits(table: _Sampled, nodes: Floats, row: Integers, uniforms: tuple[Floats, Floats]) -> tuple[Floats, Integers]:
    """Return days to the end of each stay and the state moved to, infinite and -1 where it outlasts the grid."""
    still, width = table.still.ravel(), table.still.shape[1]
    cell = np.zeros(len(row), dtype=np.int64)
    step = width >> 1
    while step:
        cell += step * (still[row * width + cell + step] >= uniforms[0])
        step >>= 1
    days, target = np.full(len(row), np.inf), np.full(len(row), -1, dtype=np.int64)
    ends = np.flatnonzero(cell < len(nodes) - 1)
    if not len(ends) or not len(table.targets):
        return days, target
    at, who = cell[ends], row[ends]
    before, after = still[who * width + at], still[who * width + at + 1]
    # An even number below the survival at the start of the cell is spread evenly over the cell.
    part = (before - uniforms[0][ends]) / np.where(before > after, before - after, 1.0)
    days[ends] = nodes[at] + np.clip(part, 0.0, 1.0) * (nodes[at + 1] - nodes[at])
    flat = table.left.reshape(len(table.targets), -1)
    place = who * len(nodes) + at
    wanted = uniforms[1][ends] * (flat[-1, place + 1] - flat[-1, place])
    chosen = np.zeros(len(ends), dtype=np.int64)
    for one in flat[:-1]:
        chosen += one[place + 1] - one[place] <= wanted
    target[ends] = table.targets[chosen]
    return days, target


def _places(table: _Sampled, nodes: Floats, row: Integers, clock: Floats, uniform: Floats) -> Integers:
    """Return in which of its places each running stay is held when its clock, counted from today, shows some days."""
    if len(table.places) == 1:
        return np.full(len(row), table.places[0])
    at = np.clip(np.searchsorted(nodes, clock, side="right") - 1, 0, len(nodes) - 2)
    part = (clock - nodes[at]) / (nodes[at + 1] - nodes[at])
    before, after = table.held[:, row, at], table.held[:, row, at + 1]
    held = before + part * (after - before)
    return np.asarray(table.places[(held[:-1] <= uniform * held[-1]).sum(axis=0)])


@dataclass(slots=True, eq=False)
class _Walk:
    """Paths under way; every array has one entry a path but `seen`, (n_days, n_paths).

    `time` is when the present stay, or part of one, began; `clock` when the clock of the stay did.
    """

    row: Integers
    held: Integers
    time: Floats
    clock: Floats
    total: Floats
    first: Floats
    unbroken: Booleans
    seen: Integers


def simulate_paths(
    grid: Grid,
    now: Stay,
    fresh: Mapping[str, Later],
    uniforms: Uniforms,
    *,
    counted: Collection[str],
    days: Sequence[float] = (),
) -> Paths:
    """Simulate paths of each row from the stay at hand to the end of the grid.

    Parameters
    ----------
    grid : Grid
        Days ahead.
    now, fresh : Stay, mapping of str to Stay, ForwardStay or SteppedStay
        Tables of the stay at hand and of those that begin later.
    uniforms : Uniforms
        Numbers in (0, 1).
    counted : collection of str
        States whose days are added up.
    days : sequence of float
        Days ahead at which the state is wanted.

    Returns
    -------
    Paths

    Raises
    ------
    ValueError
        If a stay may be held both in a state that counts and in one that does not.
    """
    stays = (now, *fresh.values())
    states = tuple(dict.fromkeys(name for one in stays for name in (*one.places, *one.targets)))
    code = {name: number for number, name in enumerate(states)}
    counts = {number: states[number] in counted for number in range(len(states))}
    counts[_NOW] = _counts(now, counted)
    counts |= {code[stay.entry]: _counts(stay, counted) for stay in fresh.values() if _is_tabled(stay)}
    tables = _tables(now, fresh, code)
    stepped = {code[name]: one for one in fresh.values() if isinstance(one, SteppedStay) for name in _laid_out(one)}
    n_rows, n_paths = uniforms.first.shape
    n = n_rows * n_paths
    zero = np.zeros(n)
    row, start = np.repeat(np.arange(n_rows), n_paths), np.full(n, _NOW, dtype=np.int64)
    seen = np.tile(start, (len(days), 1))
    walk = _Walk(row, start, zero, zero.copy(), zero.copy(), zero.copy(), np.ones(n, dtype=np.bool_), seen)
    alive = np.arange(n)
    for step in range(MOST_STAYS + 1):
        following = np.full(n, _ENDED, dtype=np.int64)
        for number in np.unique(walk.held[alive]).tolist():
            who = alive[walk.held[alive] == number]
            for kind, some in _by_step(stepped.get(number), walk, who):
                numbers = _numbers(uniforms, step, some)
                table = tables.get((number, kind)) if step < MOST_STAYS else None
                following[some] = _stay_on(walk, some, grid, (number, table, counts[number]), numbers, days)
        walk.held = following
        alive = np.flatnonzero(following != _ENDED)
        if not len(alive):
            break
    shape = (n_rows, n_paths)
    return Paths(walk.total.reshape(shape), walk.first.reshape(shape), walk.seen.reshape(len(days), *shape), states)


def _is_tabled(stay: Later) -> bool:
    """Whether a stay is sampled whole, from its table, and not place by place."""
    return isinstance(stay.kinds[0] if isinstance(stay, SteppedStay) else stay, Stay)


def _laid_out(stay: Later) -> tuple[str, ...]:
    """Return the states under which a stay's tables are kept: where it begins, or each of its places."""
    return (stay.entry,) if _is_tabled(stay) else stay.places


def _tables(now: Stay, fresh: Mapping[str, Later], code: Mapping[str, int]) -> dict[tuple[int, int], _Sampled | Part]:
    """Lay all tables out for sampling, by number of the state and step in which the stay began, -1 for any."""
    tables: dict[tuple[int, int], _Sampled | Part] = {(_NOW, -1): _sampled(now, code)}
    for stay in fresh.values():
        steps, kinds = (stay.steps, stay.kinds) if isinstance(stay, SteppedStay) else ((-1,), (stay,))
        for step, one in zip(steps, kinds, strict=True):
            if isinstance(one, Stay):
                tables.setdefault((code[one.entry], step), _sampled(one, code))
            else:
                parts = zip(one.places, one.moves, strict=True)
                tables |= {(code[name], step): part_of(moves, code) for name, moves in parts}
    return tables


def _by_step(stay: SteppedStay | None, walk: _Walk, who: Integers) -> Iterator[tuple[int, Integers]]:
    """Yield paths in one state by the step in which their stay began, all at once where it does not matter."""
    if stay is None:
        yield -1, who
        return
    began = entry_steps(stay.since_start[walk.row[who]] + walk.clock[who])
    for step in stay.steps:
        some = who[began == step]
        if len(some):
            yield step, some


def _stay_on(
    walk: _Walk,
    who: Integers,
    grid: Grid,
    where: tuple[int, _Sampled | Part | None, bool],
    uniforms: tuple[Floats, Floats, Floats],
    days: Sequence[float],
) -> Integers:
    """Let paths in one state stay there and note what is counted; return the state each moves to."""
    number, table, counts = where
    horizon, began = float(grid.nodes[-1]), walk.time[who]
    lasts, target = np.full(len(who), np.inf), np.full(len(who), _ENDED, dtype=np.int64)
    stays_on = np.zeros(len(who), dtype=np.bool_)
    if isinstance(table, Part):
        lasts, target, stays_on = part_exits(table, grid.nodes, walk.row[who], (walk.clock[who], began), uniforms)
    elif table is not None:
        lasts, target = _exits(table, grid.nodes, walk.row[who], uniforms[:2])
    until = np.minimum(began + lasts, horizon)
    if counts:
        walk.total[who] += until - began
        walk.first[who] += np.where(walk.unbroken[who], until - began, 0.0)
    else:
        walk.unbroken[who] = False
    for place, day in enumerate(days):
        inside = np.flatnonzero((began <= day) & ((day < until) | (until >= horizon)))
        held = np.full(len(inside), number)
        if isinstance(table, _Sampled):
            held = _places(table, grid.nodes, walk.row[who[inside]], day - began[inside], uniforms[1][inside])
        walk.seen[place, who[inside]] = held
    walk.time[who] = until
    walk.clock[who] = np.where(stays_on, walk.clock[who], until)
    return np.where(until < horizon, target, _ENDED)


def _numbers(uniforms: Uniforms, step: int, who: Integers) -> tuple[Floats, Floats, Floats]:
    """Return the numbers of one step of some paths."""
    n_paths = uniforms.first.shape[1]
    row, path = np.divmod(who, n_paths)
    at = min(step, MOST_STAYS - 1)
    mine = np.zeros_like(row) if uniforms.later.shape[2] == 1 else row
    duration = uniforms.first[row, path] if step == 0 else uniforms.later[at, 0, mine, path]
    return duration, uniforms.later[at, 1, mine, path], uniforms.later[at, 2, mine, path]


def _counts(stay: Later, counted: Collection[str]) -> bool:
    """Return whether the days of a stay count, or raise `ValueError` if only some of its places do."""
    inside = {place in counted for place in stay.places}
    if len(inside) > 1:
        raise ValueError(f"`counted` must hold all or none of the states a stay is held in, {', '.join(stay.places)}")
    return inside.pop()
