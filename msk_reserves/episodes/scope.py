"""Which care a contract counts, and for how long: what the engine is asked to add up."""

from dataclasses import dataclass

from msk_reserves._checks import positive, whole
from msk_reserves.claims.vocabulary import CATEGORIES, COMPONENTS

BUNDLE_FEE = "bundle_fee"

FOR_EVER = 10**6
"""Days of a window that nothing but the horizon closes."""


@dataclass(frozen=True, slots=True)
class Window:
    """How long an episode lasts from its trigger.

    Attributes
    ----------
    days : length in days, or None for an episode that ends when the worker first leaves being off work or on modified
        duty (back at full duty, maximum medical improvement, settlement, permanent total disability or death).
    until : days ahead of the valuation date at which it closes whatever else holds it open; None for never. Contracts
        leave it alone: it tells when what they count falls due.

    Examples
    --------
    >>> Window(), Window(days=180)
    (Window(days=None, until=None), Window(days=180, until=None))
    """

    days: int | None = None
    until: float | None = None

    def __post_init__(self) -> None:
        if self.days is not None:
            whole(self.days, "window_days", at_least=1)
        if self.until is not None:
            positive(self.until, "until")

    def __str__(self) -> str:
        told = "until return or MMI" if self.days is None else f"for {self.days} days"
        return told if self.until is None else f"{told}, by {self.until:g} days ahead"


@dataclass(frozen=True, slots=True)
class Scope:
    """The categories of payment an episode covers, within a window.

    Attributes
    ----------
    categories : payment categories of the data model, sorted.
    window : how long they are covered.

    Examples
    --------
    >>> scope = Scope.of(["medical"], exclusions=["opioid"])
    >>> "facility" in scope.categories, "opioid" in scope.categories
    (True, False)
    """

    categories: tuple[str, ...]
    window: Window = Window()

    @classmethod
    def of(cls, covered: list[str], *, exclusions: list[str] | None = None, window: Window | None = None) -> "Scope":
        """Return the scope of some components or categories less the excluded ones.

        Parameters
        ----------
        covered : components (`medical`, `indemnity`, `expense`) or categories.
        exclusions : components or categories taken out again.
        window : how long; until return or MMI when not given.

        Raises
        ------
        ValueError
            If a name is neither a component nor a category, or nothing is left.
        """
        left = _expand(covered, "scope") - _expand(exclusions or [], "exclusions") - {BUNDLE_FEE}
        if not left:
            raise ValueError(f"`scope` {covered} less `exclusions` {exclusions} covers nothing; name what is covered")
        return cls(tuple(sorted(left)), window or Window())

    def covers(self, component: str) -> tuple[str, ...]:
        """Return the covered categories of one component."""
        return tuple(name for name in self.categories if CATEGORIES[name] == component)

    def __str__(self) -> str:
        words = []
        for component in COMPONENTS:
            every = {name for name, of in CATEGORIES.items() if of == component} - {BUNDLE_FEE}
            covered = set(self.covers(component))
            if covered == every:
                words.append(f"all {component}")
            elif len(every - covered) <= len(covered):
                words.append(f"{component} but {', '.join(sorted(every - covered))}")
            elif covered:
                words.append(", ".join(sorted(covered)))
        return f"{'; '.join(words)} {self.window}"


def _expand(names: list[str], argument: str) -> set[str]:
    """Replace each component by its categories."""
    expanded: set[str] = set()
    for name in names:
        if name in COMPONENTS:
            expanded |= {category for category, of in CATEGORIES.items() if of == name}
        elif name in CATEGORIES:
            expanded.add(name)
        else:
            raise ValueError(
                f"`{argument}` must name components ({', '.join(COMPONENTS)}) or payment categories "
                f"({', '.join(CATEGORIES)}); got {name!r}"
            )
    return expanded


ALL_CARE = Scope.of(list(COMPONENTS), window=Window(days=FOR_EVER))
"""Every payment of every component, however long after the trigger."""
