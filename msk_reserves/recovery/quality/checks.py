"""The checks a recovery must stand before it is reserved on: what it rests on, before any prediction is compared."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.claims.book import ClaimBook
from msk_reserves.recovery.path.mixture import all_exits, grid_to
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.recovery.path.selection import FEW_EVENTS, LONG_RUN, MANY_EVENTS
from msk_reserves.recovery.path.transitions import NORMAL_EVENTS, Transition
from msk_reserves.recovery.quality.judged import evenly, moves_from, returns_from

PASS, CAUTION, FAIL = "pass", "caution", "fail"

BEYOND_DATA = (0.10, 0.50)
"""Share of the mean stay beyond the longest seen that calls for caution, and that fails."""

RATIO = (0.05, 0.10)
"""Distance of observed over expected from 1 that calls for caution, and that fails, once its interval lies outside."""

SLOPE = (0.80, 1.25)
"""Calibration slopes outside which caution is called for, once the interval lies outside."""

SPREAD = (0.10, 0.50)
"""Spread of the restricted mean stay over the laws kept that calls for caution, and that fails."""

CHANCE = (0.01, 0.001)
"""Chance, corrected for the number of comparisons, below which a deviation calls for caution, and may fail."""

MATERIAL = 0.20
"""Relative deviation of exits from which one that is no chance fails; half of it for shares."""

THIN_SHARE = 0.05
"""Share of exits in moves of fewer than ten that calls for caution."""

_SPREAD_CLAIMS = 200


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes
    ----------
    name : what is checked.
    value : what was found, and where it is worst.
    rule : when it passes, and when it fails.
    source : where the rule comes from.
    outcome : "pass", "caution" or "fail".
    """

    name: str
    value: str
    rule: str
    source: str
    outcome: str


def words(name: str) -> str:
    """Return a name of a state or column as words."""
    return name.replace("_", " ")


def move_words(move: Transition) -> str:
    """Return a move in words."""
    return f"{words(move.origin)} to {words(move.target)}" + (
        "" if move.stratum is None else f" ({move.stratum.level})"
    )


def own_moves(recovery: Recovery) -> tuple[Transition, ...]:
    """Return the moves with laws of their own: those out of twins have the laws of their states."""
    return tuple(move for move in recovery.fitted if not move.shared)


def off_work(recovery: Recovery) -> tuple[str, ...]:
    """Return the states off work that are no twins."""
    base = recovery.space.base_of
    return tuple(name for name in recovery.space.off_work if base[name] == name)


def laws_check(recovery: Recovery) -> Check:
    """Every move must keep a law that converged; a move whose laws were all refused rests on a constant rate."""
    fitted = own_moves(recovery)
    tried = [one.fit.converged for move in fitted for one in move.candidates]
    lost = [move for move in fitted if not all(one.fit.converged for one in move.kept())]
    constant = [
        move
        for move in fitted
        if move.events >= MANY_EVENTS and [one.fit.family for one in move.kept()] == ["exponential"]
    ]
    value = f"{sum(tried)} of {len(tried)} laws tried converged"
    if lost:
        value += f"; not that of {move_words(lost[0])}"
    elif constant:
        value += f"; {len(constant)} move(s) rest on a constant rate, {move_words(constant[0])} for one"
    return Check(
        "laws converged",
        value,
        f"every law kept converged; caution where {MANY_EVENTS} exits or more leave only a constant rate",
        "information positive definite, under 1e-6 of log-likelihood to gain (methods 2.3)",
        FAIL if lost else CAUTION if constant else PASS,
    )


def events_checks(recovery: Recovery) -> Iterator[Check]:
    """The return to work needs exits enough for a law; thin moves should be few of all."""
    targets = returns_from(recovery, "off_work")
    base = recovery.space.base_of
    back = sum(
        move.events
        for move in own_moves(recovery)
        if base[move.origin] == "off_work" and not move.continues and base[move.target] in targets
    )
    yield Check(
        "returns to work seen",
        f"{back:,.0f} out of the first stay off work",
        f"{NORMAL_EVENTS} or more; fails under {FEW_EVENTS}",
        "normal law of the estimates; least exits for a law (methods 2.4)",
        PASS if back >= NORMAL_EVENTS else CAUTION if back >= FEW_EVENTS else FAIL,
    )
    fitted = own_moves(recovery)
    thin = [move for move in fitted if move.events < FEW_EVENTS]
    share = sum(move.events for move in thin) / max(sum(move.events for move in fitted), 1)
    yield Check(
        "moves with few exits",
        f"{len(thin)} of {len(fitted)} moves have fewer than {FEW_EVENTS}, {share:.1%} of all exits",
        f"at most {THIN_SHARE:.0%} of exits",
        "judgement; their rates lean on kindred states",
        PASS if share <= THIN_SHARE else CAUTION,
    )


def beyond_checks(recovery: Recovery) -> Iterator[Check]:
    """How much of the mean stay rests on the laws alone."""
    for name, off in (("off work", True), ("in other states", False)):
        shares = [(share, state) for state, share in recovery.beyond_data if (state in recovery.space.off_work) == off]
        if shares:
            worst, state = max(shares)
            outcome = PASS if worst <= BEYOND_DATA[0] else CAUTION if worst <= BEYOND_DATA[1] or not off else FAIL
            yield Check(
                f"mean stay {name} beyond the data",
                f"{worst:.0%} at most ({words(state)})",
                f"at most {BEYOND_DATA[0]:.0%}" + (f"; fails above {BEYOND_DATA[1]:.0%}" if off else ""),
                "share of the answer that no claim has shown; the tenth is this library's flag, the rest judgement",
                outcome,
            )


def spread_check(recovery: Recovery, book: ClaimBook) -> Check:
    """How far the mean stay off work moves with the law chosen, one move at a time: the error of the model itself."""
    rows = []
    for state in off_work(recovery):
        moves = moves_from(recovery, state, marked=False)
        if moves:
            means = _mean_stays(moves, *_some_stays(recovery, book, state))
            rows.append(((max(means) - min(means)) / means[0], min(means), max(means), words(state), len(means)))
    spread, low, high, state, n = max(rows)
    single = sum(
        len(move.kept()) == 1 for name in off_work(recovery) for move in moves_from(recovery, name, marked=False)
    )
    return Check(
        "spread over laws",
        f"mean stay {low:,.0f} to {high:,.0f} days ({spread:.0%}) over {n - 1} choices of a law in {state}; {single} "
        "move(s) off work keep one law, of whose error this says nothing",
        f"at most {SPREAD[0]:.0%} of the mean; fails above {SPREAD[1]:.0%}",
        "restricted to ten years; model error as in Sweeting and others 2023, levels are judgement",
        PASS if spread <= SPREAD[0] else CAUTION if spread <= SPREAD[1] else FAIL,
    )


def _some_stays(recovery: Recovery, book: ClaimBook, state: str) -> tuple[Floats, Floats]:
    """Return the design of evenly spaced stays in a state, and the days from the start of the path to each.

    Where there is none, they are those of evenly spaced claims had they begun with it.
    """
    spells = book.spells
    rows = spells.at_risk(state)
    if not len(rows):
        claims = evenly(len(book), _SPREAD_CLAIMS)
        return recovery.design.matrix(book.claims.iloc[claims]), np.zeros(len(claims))
    chosen = rows[evenly(len(rows), _SPREAD_CLAIMS)]
    since = spells.since_start()[chosen]
    return recovery.design.matrix(book.claims.iloc[spells.claim[chosen]], since), since


def _mean_stays(moves: tuple[Transition, ...], design: Floats, started: Floats) -> list[float]:
    """Return the mean stay to ten years as weighted, then with each law kept of each move in turn alone.

    The stays begin `started` days into the paths.
    """
    days, clocks = grid_to(LONG_RUN), (np.zeros(len(design)), started)

    def escaped(one: Transition) -> Floats:
        """Return -ln of the chance to escape one move, (n_claims, n_days)."""
        return np.asarray(all_exits((one,), design, clocks, days[None, :])[0])

    parts = [escaped(move) for move in moves]
    total = np.sum(parts, axis=0)
    kept = [total]
    for move, part in zip(moves, parts, strict=True):
        if len(move.kept()) > 1:
            alone = (replace(move, candidates=(replace(one, weight=1.0),)) for one in move.kept())
            kept += [total - part + escaped(one) for one in alone]
    return [float(np.trapezoid(np.exp(-one), days, axis=1).mean()) for one in kept]


def moments_check(recovery: Recovery) -> Check:
    """Whether the mean stay off work, and its variance, exist: they do if they do of one of its moves alone."""
    lacking: dict[str, list[str]] = {"no finite mean": [], "no finite variance": []}
    for state in off_work(recovery):
        moves = moves_from(recovery, state, marked=False)
        # What moments a model of the user's has is not known.
        notes = [[one.note() for one in move.kept()] if move.hazards is None else ["no finite mean"] for move in moves]
        # A law without a mean has no variance either.
        for lack, told_as in (("no finite mean", "no finite mean"), ("no finite variance", "no finite")):
            if moves and all(any(told_as in note for note in laws) for laws in notes):
                lacking[lack].append(words(state))
                break
    told = [f"{lack}: {', '.join(states)}" for lack, states in lacking.items() if states]
    return Check(
        "moments exist",
        "; ".join(told) or "mean and variance of the stay exist in every state off work",
        "the mean stay exists without a horizon; answers are restricted to one all the same",
        "methods 2.2",
        CAUTION if lacking["no finite mean"] else PASS,
    )
