"""Expected payments and days added up along simulated stays."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Booleans, Floats, Integers
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE
from msk_reserves.episodes.plan import TAKEOVER_STATES, Plan

OFF_WORK = np.isin(np.arange(len(STATE_CODE)), [STATE_CODE[name] for name in OFF_WORK_STATES])
IN_WINDOW = np.isin(np.arange(len(STATE_CODE)), [STATE_CODE[name] for name in TAKEOVER_STATES])
BACK = STATE_CODE["back_at_work"]

Elements = npt.NDArray[np.int64] | slice


@dataclass(frozen=True, slots=True, eq=False)
class Stay:
    """Part of a future spent in one state; every array has one element a future.

    Attributes
    ----------
    state : code of the state, the same for all.
    group : group of the cost cells.
    draw : parameter draw.
    began, ended : days in the state at the start and at the end.
    time : days from the valuation to the start.
    window_open : whether the episode until return or MMI was still running.
    triggered : days from the trigger of the bundle in force to the valuation; 0 without one.
    """

    state: int
    group: Integers
    draw: Integers
    began: Floats
    ended: Floats
    time: Floats
    window_open: Booleans
    triggered: Floats

    def take(self, rows: Integers, *, ended: Floats) -> "Stay":
        """Return one stay for each of `rows`, with ends of their own."""
        return Stay(
            self.state,
            self.group[rows],
            self.draw[rows],
            self.began[rows],
            ended,
            self.time[rows],
            self.window_open[rows],
            self.triggered[rows],
        )


class Sums:
    """Accumulators of a block, one element a future, in the order claim, then scenario.

    Expected payments leave out the multipliers of claim, draw and scenario, which the last step applies.
    """

    def __init__(self, plan: Plan, n_claims: int) -> None:
        size = n_claims * plan.scenarios
        self.plan = plan
        self.expected = {name: np.zeros(size) for name in plan.tables}
        self.scoped = [{name: np.zeros(size) for name in plan.tables} for _ in plan.scopes]
        self.scoped_days_off = [np.zeros(size) for _ in plan.scopes]
        self.days_off = np.zeros(size)
        self.days_to_leave = np.zeros(size)
        self.day_back = np.full(size, np.inf)

    def reset(self, where: Elements) -> None:
        """Forget everything added to some futures."""
        for sums in (self.expected, *self.scoped):
            for values in sums.values():
                values[where] = 0.0
        for values in (*self.scoped_days_off, self.days_off, self.days_to_leave):
            values[where] = 0.0
        self.day_back[where] = np.inf

    def add(self, where: Elements, stay: Stay, *, repeat: int = 1) -> None:
        """Add a stay to the futures `where`; with `repeat` each element of the stay serves so many futures in a row."""
        for name in self.plan.tables:
            paid = self._payments(name, stay, stay.ended)
            self.expected[name][where] += _repeated(paid, repeat)
            self._add_scoped(name, where, stay, paid, repeat)
        if OFF_WORK[stay.state]:
            self.days_off[where] += _repeated(stay.ended - stay.began, repeat)
        for index, scope in enumerate(self.plan.scopes):
            if OFF_WORK[stay.state] and scope.covers("indemnity"):
                covered = self._covered_end(stay, scope.window.days) - stay.began
                self.scoped_days_off[index][where] += _repeated(covered, repeat)

    def _add_scoped(self, name: str, where: Elements, stay: Stay, paid: Floats, repeat: int) -> None:
        """Add the part of the payments inside each scope's categories and window."""
        for index, scope in enumerate(self.plan.scopes):
            share = self.plan.shares[name][index]
            if not share.any() or (scope.window.days is None and not IN_WINDOW[stay.state]):
                continue
            if scope.window.days is None:
                inside = paid * stay.window_open
            else:
                inside = self._payments(name, stay, self._covered_end(stay, scope.window.days))
            self.scoped[index][name][where] += _repeated(inside * share[stay.group], repeat)

    def _covered_end(self, stay: Stay, window_days: int | None) -> Floats:
        """Return the days in the state at which the window closes within this stay."""
        if window_days is None:
            return np.where(stay.window_open & IN_WINDOW[stay.state], stay.ended, stay.began)
        return np.clip(stay.began + window_days - stay.triggered - stay.time, stay.began, stay.ended)

    def _payments(self, name: str, stay: Stay, ended: Floats) -> Floats:
        """Return the expected payments of one component from the start of the stay to `ended`."""
        table = self.plan.tables[name]
        n_groups, n_bins = table.rate.shape[1:]
        base = (stay.draw * n_groups + stay.group) * n_bins
        edges = np.asarray(self.plan.grid.bin_edges[1:], dtype=np.float64)

        def accumulated(days: Floats) -> Floats:
            bin_ = np.searchsorted(edges, days, side="right")
            worth = np.expm1(table.growth * days) / table.growth if table.growth else days
            cell = base + bin_
            gathered: Floats = table.start.ravel()[cell] + table.rate.ravel()[cell] * (worth - table.edge[bin_])
            return gathered

        paid = accumulated(ended) - accumulated(stay.began)
        if table.growth:
            # The table counts from the first day of the stay; bring that day's price level to the calendar.
            paid *= np.exp(table.growth * (stay.time - stay.began))
        return paid


def _repeated(values: Floats, repeat: int) -> Floats:
    """Return each value `repeat` times in a row."""
    return values if repeat == 1 else np.repeat(values, repeat)
