"""From services to the cost of an episode: what falls into the window, whole or by its days."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, whole
from msk_reserves.contracts.amounts import all_hold, rule
from msk_reserves.contracts.table import EpisodeDataError

SERVICE_COLUMNS = ("episode_id", "category", "from_day", "to_day", "dollars")
"""Columns of a table of services."""


@dataclass(frozen=True, slots=True)
class EpisodeWindow:
    """The days an episode lasts and the services it covers.

    Days are counted by the clock of the contract, such as the day of discharge as day 1; services before the trigger
    have smaller numbers.

    Attributes
    ----------
    last_day : the last day covered; None where each episode has its own, in the column `last_day`.
    first_day : the first day covered; None for everything up to the last.
    clock : what day 1 is, in words.
    prorated : categories of services that count by their days inside; others count whole by their first day.
    covered : categories covered; all when empty.
    excluded : categories not covered after all.
    post_days : days after the window that are watched.

    Examples
    --------
    >>> EpisodeWindow(30, clock="day of discharge", prorated=("snf",)).describe()
    'to day 30, the day of discharge being day 1; snf by days inside'
    """

    last_day: int | None = None
    first_day: int | None = None
    clock: str = "day of the trigger"
    prorated: tuple[str, ...] = ()
    covered: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    post_days: int = 0

    def __post_init__(self) -> None:
        all_hold(
            lambda: rule(
                holds=self.last_day is None or self.last_day >= 1,
                sentence=f"`window.last_day` must not lie before the trigger, day 1, got {self.last_day!r}",
            ),
            lambda: rule(
                holds=self.first_day is None or self.last_day is None or self.first_day <= self.last_day,
                sentence=f"`window.first_day` must not come after the last, {self.last_day!r}, got {self.first_day!r}",
            ),
            lambda: whole(self.post_days, "window.post_days"),
            lambda: rule(
                holds=not set(self.covered) & set(self.excluded),
                sentence=f"`window.excluded` names what is covered: {sorted(set(self.covered) & set(self.excluded))}",
            ),
        )

    def describe(self) -> str:
        """Return the window as a phrase."""
        end = "to return or MMI" if self.last_day is None else f"to day {self.last_day}"
        start = "" if self.first_day is None else f"from day {self.first_day} "
        words = [f"{start}{end}, the {self.clock} being day 1"]
        words += [f"{', '.join(self.prorated)} by days inside"] if self.prorated else []
        words += [f"only {', '.join(self.covered)}"] if self.covered else []
        words += [f"without {', '.join(self.excluded)}"] if self.excluded else []
        return "; ".join(words)


def days_inside(from_day: Floats, to_day: Floats, first: Floats | float, last: Floats | float) -> Floats:
    """Return the share of the days of each service that lie from `first` to `last`, both counted; shape (n_services,).

    Examples
    --------
    >>> float(days_inside(np.array([13.0]), np.array([42.0]), -np.inf, 30.0)[0])
    0.6
    """
    inside = np.minimum(to_day, last) - np.maximum(from_day, first) + 1.0
    part: Floats = np.clip(inside, 0.0, None) / (to_day - from_day + 1.0)
    return part


def cost_of_services(episodes: pd.DataFrame, services: pd.DataFrame, window: EpisodeWindow) -> pd.DataFrame:
    """Return the episodes with the cost of their services in the window.

    Parameters
    ----------
    episodes : a row an episode, `episode_id` and, where the window has no last day, `last_day`.
    services : a row a service: `episode_id`, `category`, `from_day` and `to_day` (both counted), `dollars`.
    window : the days and categories covered.

    Returns
    -------
    pandas.DataFrame
        The episodes with `cost`, dollars in the window, and with `post_cost`, those of the days after it, where the
        window watches them.

    Raises
    ------
    EpisodeDataError
        If a column is missing, a service is of no episode here, ends before it begins, or has negative dollars.

    Examples
    --------
    >>> episodes = pd.DataFrame({"episode_id": ["a"]})
    >>> stay = {"episode_id": ["a"], "category": ["snf"], "from_day": [13], "to_day": [42], "dollars": [13_500]}
    >>> cost_of_services(episodes, pd.DataFrame(stay), EpisodeWindow(30, prorated=("snf",)))["cost"].tolist()
    [8100.0]
    """
    _check(episodes, services, window)
    ids = list(episodes["episode_id"].astype(str))
    place = services["episode_id"].astype(str).map({one: row for row, one in enumerate(ids)}).to_numpy(dtype=np.int64)
    last = np.full(len(ids), window.last_day) if window.last_day is not None else episodes["last_day"].to_numpy()
    end = last.astype(np.float64)[place]
    start = -np.inf if window.first_day is None else float(window.first_day)
    dollars = _covered(services, window) * services["dollars"].to_numpy(dtype=np.float64)

    def total(first: Floats | float, until: Floats) -> Floats:
        parts = dollars * _share(services, window, first, until)
        return np.bincount(place, weights=parts, minlength=len(ids)).astype(np.float64)

    found = episodes.assign(cost=total(start, end))
    return found.assign(post_cost=total(end + 1.0, end + window.post_days)) if window.post_days else found


def _share(services: pd.DataFrame, window: EpisodeWindow, first: Floats | float, last: Floats) -> Floats:
    """Return the part of each service inside the days."""
    start, end = (services[name].to_numpy(dtype=np.float64) for name in ("from_day", "to_day"))
    whole_ones = ((start >= first) & (start <= last)).astype(np.float64)
    by_days = services["category"].isin(window.prorated).to_numpy(dtype=np.bool_)
    return np.where(by_days, days_inside(start, end, first, last), whole_ones)


def _covered(services: pd.DataFrame, window: EpisodeWindow) -> Floats:
    """Return 1 for services of a category that is covered, else 0."""
    category = services["category"]
    inside = category.isin(window.covered) if window.covered else pd.Series(data=True, index=services.index)
    counts: Floats = (inside & ~category.isin(window.excluded)).to_numpy(dtype=np.float64)
    return counts


def _check(episodes: pd.DataFrame, services: pd.DataFrame, window: EpisodeWindow) -> None:
    """Refuse tables that cannot be joined, every defect a line."""
    own = ["episode_id", *(["last_day"] if window.last_day is None else [])]
    wrong = [f"the column `{name}` of the episodes is missing" for name in own if name not in episodes.columns]
    wrong += [f"services: the column `{name}` is missing" for name in SERVICE_COLUMNS if name not in services.columns]
    if wrong:
        raise EpisodeDataError("\n".join(wrong))
    numbers = {name: pd.to_numeric(services[name], errors="coerce") for name in SERVICE_COLUMNS[2:]}
    rules = {
        "`episode_id` is of no episode": ~services["episode_id"].astype(str).isin(episodes["episode_id"].astype(str)),
        "`to_day` must not come before `from_day`": numbers["to_day"] < numbers["from_day"],
        "`dollars` must not be negative": numbers["dollars"] < 0,
        **{f"`{name}` must be a number": column.isna() for name, column in numbers.items()},
    }
    for sentence, broken in rules.items():
        rows = np.flatnonzero(broken.to_numpy(dtype=np.bool_))
        wrong += [f"services, row {int(row) + 1}: {sentence}" for row in rows]
    if wrong:
        raise EpisodeDataError("\n".join(wrong))
