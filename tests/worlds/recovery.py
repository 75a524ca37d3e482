"""Books with a known path back to work, made without the library's own generator."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.book import ClaimBook, SetAside
from msk_reserves.claims.spells import Position, Spells
from msk_reserves.claims.vocabulary import STATE_CODE, STILL_IN_STATE

AGE_EFFECT = 0.12
"""Rise of ln days off work with a decade of age."""

TARGETS = ("relapse", "modified_duty", "back_at_work", "mmi", "dead")


def _waits(rng: np.random.Generator, state: str, age: Floats) -> Mapping[str, Floats]:
    """Latent days to each move out of a state."""
    n = len(age)
    if state == "off_work":
        back = np.exp(3.4 + AGE_EFFECT * (age - 45) / 10 + 1.1 * rng.standard_normal(n))
        return {"back_at_work": back, "mmi": 700 * rng.weibull(1.2, n), "dead": rng.exponential(60_000, n)}
    if state == "relapse":
        return {"back_at_work": np.exp(4.0 + 0.9 * rng.standard_normal(n)), "mmi": rng.exponential(500, n)}
    if state == "modified_duty":
        return {"back_at_work": 45 * rng.weibull(1.1, n), "relapse": rng.exponential(400, n)}
    if state == "back_at_work":
        return {"relapse": rng.exponential(2_200, n)}
    return {}


def recovery_book(
    n_claims: int,
    seed: int,
    *,
    waiting: float = 3.0,
    interval: float = 0.0,
    seen: tuple[float, float] = (30, 1_400),
) -> ClaimBook:
    """Return a book of claims off work that return, relapse, plateau or die, seen for 30 to 1,400 days.

    Parameters
    ----------
    n_claims : claims that lost time.
    seed : reproduces the book.
    waiting : days off work that end without trace within this many days are not in the book.
    interval : width of the windows to which first stays off work are known (0: the day).
    seen : days a claim is followed, between these two.
    """
    rng = np.random.default_rng(seed)
    age = np.clip(rng.normal(45, 10, n_claims), 20, 70)
    left = rng.uniform(*seen, n_claims)
    state = np.full(n_claims, STATE_CODE["off_work"])
    since = np.zeros(n_claims)
    alive = np.ones(n_claims, dtype=bool)
    columns: list[Floats] = []
    names = {code: name for name, code in STATE_CODE.items()}
    for step in range(12):
        for code in np.unique(state[alive]):
            rows = np.flatnonzero(alive & (state == code))
            columns.append(_stay(rng, (names[int(code)], rows, step), (age, left, state), (waiting, interval)))
        latest = np.concatenate(columns)
        last = latest[latest[:, 7] == step]
        who = last[:, 0].astype(int)
        alive[:] = False
        moved = last[:, 4] != STILL_IN_STATE
        alive[who[moved]] = True
        since[who] = last[:, 3]
        left[who] -= last[:, 3]
        state[who[moved]] = last[moved, 4].astype(int)
    table = np.concatenate(columns)
    return _book(table[np.lexsort((table[:, 7], table[:, 0]))], age, state, rng)


def _stay(
    rng: np.random.Generator,
    where: tuple[str, Integers, int],
    claims: tuple[Floats, Floats, Integers],
    seen: tuple[float, float],
) -> Floats:
    """One stay of each claim in a state: claim, state, entered, days, next, entry, width, step."""
    state, rows, step = where
    age, left, _ = claims
    waits = _waits(rng, state, age[rows])
    days = np.ceil(np.min(list(waits.values()), axis=0)) if waits else np.full(len(rows), np.inf)
    first = np.argmin(list(waits.values()), axis=0) if waits else np.zeros(len(rows), dtype=int)
    targets = np.array([STATE_CODE[name] for name in waits] or [STILL_IN_STATE])[first]
    width = seen[1] if state == "off_work" else 0.0
    if width:
        days = width * np.ceil(days / width)
    running = days > left[rows]
    end = np.where(running, np.floor(left[rows]), days)
    entry = seen[0] if state == "off_work" else 0.0
    result = np.column_stack(
        [rows, np.full(len(rows), STATE_CODE[state]), np.zeros(len(rows)), end, np.where(running, -1, targets)]
    )
    extra = np.column_stack([np.full(len(rows), entry), np.where(running, 0.0, width), np.full(len(rows), step)])
    return np.concatenate([result, extra], axis=1)


def _book(table: Floats, age: Floats, state: Integers, rng: np.random.Generator) -> ClaimBook:
    """Assemble a book from stays."""
    n = len(age)
    # Stays follow one another on the claim's own clock.
    before = np.cumsum(table[:, 3]) - table[:, 3]
    first = np.searchsorted(table[:, 0], table[:, 0])
    spells = Spells(
        claim=table[:, 0].astype(np.int64),
        state=table[:, 1].astype(np.int64),
        entered=(before - before[first]).astype(np.int64),
        days=table[:, 3].copy(),
        next_state=table[:, 4].astype(np.int64),
        observed_from=table[:, 5].copy(),
        interval=table[:, 6].copy(),
        days_off_before=np.zeros(len(table)),
        operated=np.zeros(len(table), dtype=bool),
    )
    current = np.zeros(n)
    current[spells.claim] = spells.days
    position = Position(
        state=state.astype(np.int64),
        days_in_state=current,
        days_off=current.copy(),
        operated=np.zeros(n, dtype=bool),
        represented=np.zeros(n, dtype=bool),
        days_off_before=np.zeros(n),
        days_since_start=np.bincount(spells.claim, spells.days, n).astype(np.float64),
    )
    claims = pd.DataFrame(
        {
            "claim_id": [f"C{row:05d}" for row in range(n)],
            "age": age,
            "body_part": rng.choice(["shoulder", "low_back", "knee", "hip"], n, p=[0.4, 0.3, 0.295, 0.005]),
            "weekly_wage": np.exp(rng.normal(6.8, 0.4, n)),
            "arrangement": np.where(rng.random(n) < 0.1, "bundle", "ffs"),
            "employer_id": rng.integers(0, max(n // 8, 2), n).astype(str),
        }
    )
    paid = pd.DataFrame({"medical": np.zeros(n), "indemnity": np.zeros(n), "expense": np.zeros(n)})
    return ClaimBook(None, 0, "summary", claims, spells, position, paid, None, (), (), (), SetAside())
