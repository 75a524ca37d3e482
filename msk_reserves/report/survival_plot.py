"""Time off work as it was seen and as it was fitted, with those at risk beneath."""

import numpy as np
from matplotlib.axes import Axes

from msk_reserves._checks import Booleans, Floats, Integers, level, positive
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import STILL_IN_STATE
from msk_reserves.recovery.curves.curves import SurvivalCurve
from msk_reserves.recovery.curves.nonparametric import kaplan_meier
from msk_reserves.recovery.path.mixture import present_stay
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.report.style import (
    CONTRACT_COLOURS,
    GREY,
    GRID,
    INK,
    TICK_SIZE,
    axes_or_new,
    dress,
    legend,
    tint,
)

TICK_STEPS = (7, 14, 28, 56, 91, 182, 364, 728, 1456)
"""Distances of the marks under a curve, days: whole weeks, so that they fall on the field's own milestones."""

MODEL_CLAIMS, MODEL_DAYS = 1000, 121
"""Claims and days at which the fitted curve is worked out: its error is below the line's width."""


def plot_survival(
    recovery: Recovery | None,
    book: ClaimBook,
    *,
    ax: Axes | None = None,
    band_level: float = 0.95,
    horizon_days: float = 728.0,
) -> Axes:
    """Plot the share of workers still in the first stay off work, seen and fitted, with those at risk beneath.

    Parameters
    ----------
    recovery : the model fitted to the book, or None for the observed curve alone.
    book : the claims.
    ax : axes to draw on; new ones in a figure of their own when not given.
    band_level : level of the confidence band of the observed curve.
    horizon_days : last day shown; shorter if the claims are not seen so long.

    Returns
    -------
    matplotlib.axes.Axes
        Kaplan-Meier curve with delayed entry and its pointwise band, the average over the claims of the fitted curves,
        and a line of text with the number at risk.

    Raises
    ------
    ValueError
        If no first stay off work has been seen to end.
    """
    level(band_level, "band_level")
    positive(horizon_days, "horizon_days")
    claim, days, ended, entry = first_stays(book)
    seen = kaplan_meier(days, ended, entry=entry, start="auto")
    # Nobody is under observation before the earliest entry: what the curve says is said of those still off then.
    begin = max(seen.start, float(entry.min()))
    end = min(horizon_days, seen.last_observed)
    axes = axes_or_new(ax)
    _observed(axes, seen, band_level, end)
    if recovery is not None and recovery.transitions_from("off_work"):
        grid = np.linspace(begin, end, MODEL_DAYS)
        share = fitted_share(recovery, book, claim[days > begin], grid)
        axes.plot(grid, share, color=CONTRACT_COLOURS[1], linestyle="--", linewidth=1.6, label="fitted, average claim")
    ticks = _marks(end)
    axes.set_xticks(ticks)
    axes.set_xlim(0, end)
    axes.set_ylim(0, 1.02)
    axes.set_yticks(np.linspace(0, 1, 6), [f"{share:.0f} %" for share in np.linspace(0, 100, 6)])
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    given = "" if begin == 0 else f", of those off for more than {begin:,.0f} days"
    dress(
        axes,
        title=f"Still off work{given}: {int(ended.sum()):,} first stays ended, {int((~ended).sum()):,} running",
        x="days since the stay began",
        y="share still off work",
    )
    _risk_table(axes, ticks, entry, days)
    legend(axes)
    return axes


def first_stays(book: ClaimBook) -> tuple[Integers, Floats, Booleans, Floats]:
    """Return the first stay off work of each claim, less those over before they could have been in the file.

    Parameters
    ----------
    book : the claims.

    Returns
    -------
    tuple of numpy.ndarray
        Row of the claim, days, whether the stay ended, and the days before which it could not have been seen.

    Raises
    ------
    ValueError
        If none has ended.
    """
    spells = book.spells.joined()
    rows = spells.at_risk("off_work")
    rows = rows[np.unique(spells.claim[rows], return_index=True)[1]]
    rows = rows[spells.days[rows] > spells.observed_from[rows]]
    ended = spells.next_state[rows] != STILL_IN_STATE
    if not ended.any():
        raise ValueError(f"`book` holds no first stay off work that ended; {len(rows):,} are running")
    return spells.claim[rows], spells.days[rows], ended, spells.observed_from[rows]


def fitted_share(recovery: Recovery, book: ClaimBook, claims: Integers, days: Floats) -> Floats:
    """Return the fitted share still in the first stay off work, averaged over claims.

    Parameters
    ----------
    recovery : the model.
    book : the claims it was fitted to.
    claims : rows of the claims to average over; evenly spaced ones are taken where there are many.
    days : ascending days, the first of them the day from which the share counts.

    Returns
    -------
    numpy.ndarray
        Shares, 1 on the first of `days`; the laws of each move are averaged by their weights.
    """
    chosen = claims[np.unique(np.linspace(0, len(claims) - 1, MODEL_CLAIMS).astype(np.int64))]
    design = recovery.design.matrix(book.claims)[chosen]
    begun = np.full(len(chosen), days[0])
    # The first stay off work is that in which the path begins.
    staying, _ = present_stay(recovery.fitted, "off_work", design, (begun, begun), days - days[0])
    share: Floats = staying.mean(axis=0)
    return share


def _observed(ax: Axes, seen: SurvivalCurve, band_level: float, end: float) -> None:
    """Draw the observed curve and its band as steps."""
    low, high = seen.band(band_level)
    times = np.r_[seen.start, seen.times, max(end, seen.last_observed)]
    values = np.r_[1.0, seen.survival, seen.survival[-1]]
    low, high = (np.r_[1.0, limit, limit[-1]] for limit in (low, high))
    shade, name = tint(CONTRACT_COLOURS[0], 0.28), f"{band_level:.0%} band"
    ax.fill_between(times, low, high, step="post", color=shade, linewidth=0, label=name)
    ax.step(times, values, where="post", color=CONTRACT_COLOURS[0], linewidth=1.6, label="observed (Kaplan-Meier)")


def _marks(end: float) -> Integers:
    """Return the days marked on the axis: at most eight steps of whole weeks."""
    step = next((one for one in TICK_STEPS if end / one <= 8), TICK_STEPS[-1])
    marks: Integers = np.arange(0, int(end) + 1, step, dtype=np.int64)
    return marks


def _risk_table(ax: Axes, ticks: Integers, entry: Floats, days: Floats) -> None:
    """Print under each mark how many stays were under observation just after that day."""
    where = ax.get_xaxis_transform()
    told = "number at risk (a stay counts from the day it could first be in the file)"
    ax.text(0, -0.235, told, transform=where, fontsize=TICK_SIZE, color=GREY, va="top", ha="left")
    for tick in ticks:
        at_risk = int(((entry <= tick) & (days > tick)).sum())
        ax.text(tick, -0.31, f"{at_risk:,}", transform=where, fontsize=TICK_SIZE, color=INK, va="top", ha="center")
