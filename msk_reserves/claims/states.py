"""The states a path may take: which are off work, which are never left, which are twins on one clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from msk_reserves._checks import Integers
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, REPRESENTED, STATE_CODE, STATES, with_represented


@dataclass(frozen=True, slots=True)
class StateSpace:
    """A declared set of states and the moves between them.

    Attributes
    ----------
    names : the states, in code order.
    off_work : those in which the worker is off work.
    working : those in which the worker works; a hazard of moves into one that rises beyond the data is not believed.
    deaths : those whose rate of entry does not die out with time in a state, where few entries were seen.
    absorbing : those that nobody leaves.
    lifelong : those that go on until death, though a file of a few years may show no death.
    settled : those any state off work or lifelong may lead to, though a file of a few years may not show it.
    twins : pairs (state, twin). A worker marked once moves from a state to its twin on the same clock and never back:
        moves out of a twin lead to the twin of their target where there is one.
    mark : what the twins' workers have in common, the name of the covariate that tells a twin from its state.
    moves : the moves allowed between states that are not twins; None for all.

    Raises
    ------
    ValueError
        If the declaration contradicts itself; every contradiction is listed.

    Examples
    --------
    >>> space = StateSpace(("ill", "well", "dead"), off_work=("ill",), working=("well",), absorbing=("dead",))
    >>> space.allows("ill", "well"), space.allows("dead", "well")
    (True, False)
    """

    names: tuple[str, ...]
    off_work: tuple[str, ...] = ()
    working: tuple[str, ...] = ()
    deaths: tuple[str, ...] = ()
    absorbing: tuple[str, ...] = ()
    lifelong: tuple[str, ...] = ()
    settled: tuple[str, ...] = ()
    twins: tuple[tuple[str, str], ...] = ()
    mark: str = "represented"
    moves: tuple[tuple[str, str], ...] | None = None

    def __post_init__(self) -> None:
        wrong = list(_contradictions(self))
        if wrong:
            raise ValueError("the states contradict themselves: " + "; ".join(wrong))

    @property
    def twin_of(self) -> Mapping[str, str]:
        """The twin of each state that has one."""
        return MappingProxyType(dict(self.twins))

    @property
    def base_of(self) -> Mapping[str, str]:
        """The state each state is a twin of, itself for the others."""
        return MappingProxyType({name: name for name in self.names} | {twin: base for base, twin in self.twins})

    def continues(self, origin: str, target: str) -> bool:
        """Whether a move is to the twin, so that the clock of the stay goes on."""
        return (origin, target) in self.twins

    def allows(self, origin: str, target: str) -> bool:
        """Whether a move may happen."""
        if origin in self.absorbing or not {origin, target} <= set(self.names):
            return False
        if self.continues(origin, target):
            return True
        base, twin = self.base_of, self.twin_of
        if origin != base[origin] and target in twin:
            return False
        return self.moves is None or (base[origin], base[target]) in self.moves


GROUPS = ("off_work", "working", "deaths", "absorbing", "lifelong", "settled")
"""Fields of a space that name some of its states."""


def _contradictions(space: StateSpace) -> Iterator[str]:
    """Yield what is wrong with a declaration."""
    names = set(space.names)
    if len(names) != len(space.names) or not names or "" in names:
        yield "`names` must hold different, non-empty names"
    paired = [name for pair in space.twins for name in pair]
    said = {field: list(getattr(space, field)) for field in GROUPS}
    said |= {"twins": paired, "moves": [name for pair in space.moves or () for name in pair]}
    for field, used in said.items():
        unknown = sorted(set(used) - names)
        if unknown:
            yield f"`{field}` names {', '.join(map(repr, unknown))}, not in `names`"
    both = sorted(set(space.off_work) & set(space.working))
    if both:
        yield f"{', '.join(map(repr, both))} cannot be both in `off_work` and in `working`"
    if len(set(paired)) != len(paired):
        yield "`twins` must pair each state once, and a twin has no twin"
    yield from _wrong_pairs(space)


def _wrong_pairs(space: StateSpace) -> Iterator[str]:
    """Yield what is wrong with the twins and the moves of a declaration."""
    for base, twin in space.twins:
        for field in GROUPS:
            if (base in getattr(space, field)) != (twin in getattr(space, field)):
                yield f"{base!r} and its twin {twin!r} must both be in `{field}`, or neither"
        if base in space.absorbing:
            yield f"{base!r} is never left, so it cannot have a twin"
    second = {twin for _, twin in space.twins}
    for origin, target in space.moves or ():
        if origin in space.absorbing:
            yield f"`moves` leaves {origin!r}, which is in `absorbing`"
        if {origin, target} & second:
            yield f"`moves` names a twin in {origin!r} to {target!r}; the moves of twins follow from those of states"


STANDARD_STATES = StateSpace(
    names=STATES,
    off_work=OFF_WORK_STATES,
    working=with_represented("modified_duty", "back_at_work"),
    deaths=("dead",),
    absorbing=("dead",),
    lifelong=with_represented("mmi", "settled", "permanent_total"),
    settled=("settled",),
    twins=tuple(REPRESENTED.items()),
)
"""The states of a book, and of the reserves made from it."""

TWIN_CODE: Integers = np.array([STATE_CODE[REPRESENTED.get(name, name)] for name in STATES], dtype=np.int64)
"""Code of the twin of each state of a book, its own where there is none."""

BASE_CODE: Integers = np.array([STATE_CODE[STANDARD_STATES.base_of[name]] for name in STATES], dtype=np.int64)
"""Code of the state each state of a book is a twin of, its own where it is none."""

for _codes in (TWIN_CODE, BASE_CODE):
    _codes.flags.writeable = False
