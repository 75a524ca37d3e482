"""One claim under each contract: what it may still cost, and how long the worker may stay off."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.states import BASE_CODE
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATES
from msk_reserves.recovery.path.mixture import grid_to, present_stay
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.report.style import (
    GREY,
    GRID,
    INK,
    axes_or_new,
    beside,
    colour_of,
    dollars_on_x,
    dress,
    legend,
    legend_above,
    money,
    note,
    tint,
)
from msk_reserves.reserves.distribution import PARTS
from msk_reserves.reserves.forecast import HORIZON_DAYS, Forecast
from msk_reserves.reserves.reduce import CLAIM_FIGURES, HALF_YEAR


def plot_claim(forecast: Forecast, claim_id: str, *, ax: Axes | None = None, with_note: bool = True) -> Axes:
    """Plot what one claim may still cost by component under each contract, and say when the worker may be back.

    Parameters
    ----------
    forecast : the forecast the claim is in.
    claim_id : the claim.
    ax : axes to draw on; new ones in a figure of their own when not given.
    with_note : whether to print below what the bands contain.

    Returns
    -------
    matplotlib.axes.Axes
        A bar from the 5 % to the 95 % quantile, a tick at the median and a dot at the mean for each component and
        contract; the title gives the days off still to come.

    Raises
    ------
    ValueError
        If the forecast has no such claim.
    """
    row = row_of(forecast.book, claim_id)
    names = list(forecast.reserves)
    axes = axes_or_new(ax, height=2.1 + 0.42 * len(PARTS) * max(len(names), 2) / 2)
    step = 0.78 / len(names)
    missing = next(iter(forecast.reserves.values())).missing
    for line, part in enumerate(PARTS):
        if part in missing:
            axes.text(0.01, line, "not in any figure", transform=axes.get_yaxis_transform(), va="center", color=GREY)
            continue
        for place in range(len(names)):
            figures = dict(zip(CLAIM_FIGURES, forecast.claims[place, PARTS.index(part), row].tolist(), strict=True))
            _fan(axes, figures, place=place, y=line + (place - (len(names) - 1) / 2) * step, height=0.8 * step)
    for edge in range(len(PARTS) - 1):
        axes.axhline(edge + 0.5, color=GRID, linewidth=0.8)
    axes.set_ylim(len(PARTS) - 0.5, -0.5)
    axes.set_yticks(range(len(PARTS)), PARTS)
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.0) if low < 0 else 0.0, high + 0.14 * (high - min(low, 0.0)))
    dollars_on_x(axes)
    dress(axes, title=_title(forecast, row), x="nominal dollars; bar 5 % to 95 %, tick median, dot mean")
    axes.tick_params(axis="y", length=0)
    handles = [Line2D([], [], color=tint(colour_of(i), 0.55), linewidth=6, label=name) for i, name in enumerate(names)]
    legend_above(axes, handles)
    if with_note:
        note(axes, forecast.what_a_band_holds(), below=0.2)
    return axes


def plot_remaining_days(recovery: Recovery, book: ClaimBook, claim_id: str, *, ax: Axes | None = None) -> Axes:
    """Plot how much longer the worker of one claim may stay in the present stay off work, given the days so far.

    Parameters
    ----------
    recovery : the model.
    book : the claims.
    claim_id : a claim whose worker is off work.
    ax : axes to draw on; new ones in a figure of their own when not given.

    Returns
    -------
    matplotlib.axes.Axes
        The chance of being off still, by days from the valuation date; shaded between the 5 % and 95 % and, darker,
        between the 25 % and 75 % quantiles, with the median marked. Laws are averaged by weight; parameters are at
        their estimates.

    Raises
    ------
    ValueError
        If there is no such claim, or its worker is not off work.
    """
    row = row_of(book, claim_id)
    state = STATES[int(book.position.state[row])]
    if state not in OFF_WORK_STATES:
        raise ValueError(f"`claim_id` must be a claim whose worker is off work; {claim_id!r} is {state}")
    days = grid_to(HORIZON_DAYS)
    clocks = book.position.days_in_state[[row]], book.position.days_since_start[[row]]
    design = recovery.design.matrix(book.claims.iloc[[row]], clocks[1] - clocks[0])
    still = present_stay(recovery.fitted, state, design, clocks, days)[0][0]
    with np.errstate(divide="ignore"):
        gone = np.minimum(-np.log(still), 745.0)
    # Without a move out of the state there is no curve to fall: every quantile is the horizon.
    at = {p: float(np.interp(-np.log1p(-p), gone, days)) for p in (0.05, 0.25, 0.5, 0.75, 0.95)}
    axes = axes_or_new(ax, height=3.0)
    for low, high, strength in ((0.05, 0.95, 0.22), (0.25, 0.75, 0.5)):
        inside = np.unique(np.r_[at[low], days[(days > at[low]) & (days < at[high])], at[high]])
        name = f"middle {high - low:.0%} of ends"
        share = np.interp(inside, days, still)
        axes.fill_between(inside, 0, share, color=tint(colour_of(0), strength), linewidth=0, label=name)
    axes.plot(days, still, color=colour_of(0), linewidth=1.6)
    axes.plot([at[0.5]] * 2, [0, np.interp(at[0.5], days, still)], color=INK, label=f"median, {at[0.5]:,.0f} days")
    axes.set_xlim(0, min(float(HORIZON_DAYS), 1.35 * at[0.95]))
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, symbol=" %"))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    so_far = f"{book.position.days_in_state[row]:,.0f} days in the present stay so far"
    dress(axes, title=f"Claim {claim_id}: {so_far}", x="days from the valuation date", y="still in this stay")
    legend(axes)
    return axes


def row_of(book: ClaimBook, claim_id: str) -> int:
    """Return the row of a claim in the book, or raise `ValueError` that says what the ids look like."""
    ids = book.claims["claim_id"]
    rows = np.flatnonzero((ids == claim_id).to_numpy(dtype=np.bool_))
    if not len(rows):
        few = ", ".join(repr(one) for one in ids.iloc[:3])
        raise ValueError(f"`claim_id` must be one of the book's {len(ids):,} claims ({few}, ...); got {claim_id!r}")
    return int(rows[0])


def _title(forecast: Forecast, row: int) -> str:
    """Return who the worker is, where, and when back."""
    claim = forecast.book.claims.iloc[row]
    state = STATES[int(forecast.book.position.state[row])].replace("_", " ")
    told = f"Claim {claim['claim_id']}, {str(claim['body_part']).replace('_', ' ')}, {state}"
    here = int(BASE_CODE[forecast.book.position.state[row]])
    if not forecast.book.position.off_work()[row] and STATES[here] != "modified_duty":
        return told
    mean, median, back = forecast.workers[row]
    chance = f"{back:.0%} back at full duty within {HALF_YEAR // 7} weeks"
    if STATES[here] == "modified_duty":
        return f"{told}: {chance}"
    return f"{told}: {median:,.0f} days more (median; mean {mean:,.0f}), {chance}"


def _fan(ax: Axes, figures: dict[str, float], *, place: int, y: float, height: float) -> None:
    """Draw quantiles and mean of one component under one contract."""
    low, middle, high = figures["p05"], figures["p50"], figures["p95"]
    colour = colour_of(place)
    ax.barh(y, high - low, left=low, height=height, color=tint(colour, 0.4), linewidth=0)
    ax.plot([middle, middle], [y - height / 2, y + height / 2], color=colour, linewidth=2.0, solid_capstyle="butt")
    ax.plot([figures["mean"]], [y], "o", color=colour, markersize=4.5, markeredgecolor="white", markeredgewidth=0.8)
    beside(ax, (max(high, figures["mean"]), y), money(figures["mean"]), apart=6.0)
