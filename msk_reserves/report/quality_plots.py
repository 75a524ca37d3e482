"""How well a recovery agrees with what was seen: calibration, residuals, groups, Brier scores."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator, PercentFormatter

from msk_reserves._checks import one_of
from msk_reserves.recovery.quality.calibration import Calibration
from msk_reserves.recovery.quality.cox_snell import CoxSnell
from msk_reserves.recovery.quality.group_check import GroupCheck
from msk_reserves.recovery.quality.scores import LIMIT, BrierScores
from msk_reserves.report.style import (
    CONTRACT_COLOURS,
    GREY,
    GRID,
    INK,
    NOTE_SIZE,
    TICK_SIZE,
    axes_or_new,
    colour_of,
    dress,
    legend_above,
    note,
    tint,
)

MARKERS = ("o", "s", "^", "D")
"""Marks of the horizons in their order, so that a print in grey still tells them apart."""

FEWEST_AT_RISK = 10.0
"""A curve of residuals is drawn while so many are at risk: beyond, it says nothing."""

ROW_INCHES = 0.27
"""Height of a group's row."""


def plot_calibration(found: Calibration | Sequence[Calibration], *, ax: Axes | None = None) -> Axes:
    """Plot observed shares gone against predicted ones, by group of predicted risk.

    Parameters
    ----------
    found : one calibration, or several days of the same stays.
    ax : axes to draw on; new ones in a figure of their own when not given.

    Returns
    -------
    matplotlib.axes.Axes
        A point a group with its 95 % interval, the diagonal on which predictions are right, and the ratio of observed
        to expected in the legend.

    Raises
    ------
    ValueError
        If there is no calibration.
    """
    several = [found] if isinstance(found, Calibration) else list(found)
    if not several:
        raise ValueError("`found` must hold at least one calibration, got none")
    axes = axes_or_new(ax, height=4.8)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1.0, zorder=1)
    handles = []
    for place, one in enumerate(several):
        colour, mark = colour_of(place), MARKERS[place % len(MARKERS)]
        low, high = one.groups.interval
        known = ~np.isnan(low)
        x, y = one.groups.predicted, one.groups.share
        axes.vlines(x[known], low[known], high[known], color=tint(colour, 0.55), linewidth=1.3, zorder=2)
        axes.plot(x, y, mark, color=colour, markersize=5, markeredgecolor="white", markeredgewidth=0.6, zorder=3)
        label = f"{one.horizon / 7:.0f} weeks: observed {one.observed_over_expected:.3f} of expected"
        if not np.isnan(one.slope):
            label += f", slope {one.slope:.2f}"
        handles.append(Line2D([], [], color=colour, marker=mark, linestyle="", markersize=5, label=label))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        axis.set_major_locator(MultipleLocator(0.2))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    stays = several[0].overall.stays[0]
    dress(
        axes,
        title=f"Share returned of {stays:,.6g} stays, by predicted risk",
        x="predicted",
        y="observed (Aalen-Johansen), 95 % interval",
    )
    legend_above(axes, handles)
    return axes


def plot_cox_snell(found: CoxSnell, *, ax: Axes | None = None) -> Axes:
    """Plot the cumulative hazard of Cox-Snell residuals against the diagonal it should follow.

    Parameters
    ----------
    found : residuals of the stays in one state.
    ax : axes to draw on; new ones in a figure of their own when not given.

    Returns
    -------
    matplotlib.axes.Axes
        The Nelson-Aalen curve of the residuals with its pointwise 95 % band, as far as ten stays are at risk, and a
        note with the exits seen and expected by band of days.
    """
    curve = found.curve()
    shown = curve.at_risk >= FEWEST_AT_RISK
    x = np.r_[0.0, curve.times[shown]]
    y, error = np.r_[0.0, curve.hazard[shown]], np.r_[0.0, curve.standard_error[shown]]
    axes = axes_or_new(ax, height=4.6)
    colour = CONTRACT_COLOURS[0]
    # Symmetric on the log scale, as hazards are positive.
    factor = np.exp(LIMIT * error / np.maximum(y, 1e-12))
    axes.fill_between(x, y / factor, y * factor, step="post", color=tint(colour, 0.28), linewidth=0)
    axes.step(x, y, where="post", color=colour, linewidth=1.6)
    end = float(x[-1]) * 1.03
    axes.plot([0, end], [0, end], color=INK, linewidth=1.0, linestyle="--")
    axes.set_xlim(0, end)
    axes.set_ylim(0, max(end, float(y[-1]) * 1.05))
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    dress(
        axes,
        title=f"{_named(found.state)}: residuals of {len(found.residual):,} stays, {int(found.exited.sum()):,} ended",
        x="hazard collected by the model until the end of a stay (residual)",
        y="cumulative hazard of the residuals",
    )
    handles = [
        Line2D([], [], color=colour, linewidth=1.6, label="Nelson-Aalen, 95 % band"),
        Line2D([], [], color=INK, linestyle="--", linewidth=1.0, label="if the model holds"),
    ]
    legend_above(axes, handles)
    frame = found.to_frame()
    told = "; ".join(
        f"{row.from_day / 7:.0f}{'+' if np.isinf(row.to_day) else f' to {row.to_day / 7:.0f}'}: {row.seen:,.0f} of "
        f"{row.expected:,.0f}"
        for row in frame.itertuples()
    )
    note(axes, f"Exits seen of exits expected, by weeks in the state: {told}. p {found.p_value:.2g}.", below=0.16)
    return axes


def plot_predicted_and_observed(check: GroupCheck, *, horizon: float | None = None, ax: Axes | None = None) -> Axes:
    """Plot predicted and observed shares gone by one day, group by group.

    Parameters
    ----------
    check : the comparison by group.
    horizon : the day; the middle one of those compared when not given.
    ax : axes to draw on; new ones in a figure of their own when not given.

    Returns
    -------
    matplotlib.axes.Axes
        A row a group: the observed share with its 95 % interval, the prediction, and the number of stays.

    Raises
    ------
    ValueError
        If the day was not compared.
    """
    days = [f"{day:g}" for day in check.judged.horizons]
    chosen = float(check.judged.horizons[len(days) // 2]) if horizon is None else horizon
    one_of(f"{chosen:g}", days, "horizon")
    parts = [(by, levels, shares) for by, day, levels, shares in check.parts if day == chosen]
    rows = sum(len(levels) + 1 for _, levels, _ in parts)
    axes = axes_or_new(ax, height=1.3 + ROW_INCHES * rows)
    seen, said = CONTRACT_COLOURS[0], CONTRACT_COLOURS[1]
    names: list[tuple[float, str]] = []
    y = 0.0
    for by, levels, shares in parts:
        axes.text(0.0, y, f" {by.replace('_', ' ')}", fontsize=TICK_SIZE, color=INK, fontweight="bold", va="center")
        y += 1
        low, high = shares.interval
        at = y + np.arange(len(levels))
        known = ~np.isnan(low)
        axes.hlines(at[known], low[known], high[known], color=tint(seen, 0.5), linewidth=3.0)
        axes.plot(shares.share, at, "o", color=seen, markersize=5, markeredgecolor="white", markeredgewidth=0.6)
        axes.plot(shares.predicted, at, "|", color=said, markersize=11, markeredgewidth=2.0)
        for place, level in enumerate(levels):
            names.append((float(at[place]), level.replace("_", " ")))
            count = f"{shares.stays[place]:,.0f}"
            axes.text(1.015, at[place], count, fontsize=NOTE_SIZE + 0.5, color=GREY, va="center")
        y += len(levels)
    axes.text(1.015, -0.9, "stays", fontsize=NOTE_SIZE + 0.5, color=GREY, va="center")
    axes.set_yticks([place for place, _ in names], [name for _, name in names])
    axes.set_ylim(y - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes.xaxis.set_major_locator(MultipleLocator(0.2))
    axes.grid(visible=True, axis="x", color=GRID, linewidth=0.8)
    judged = check.judged
    since = "" if judged.stays.start == 0 else f" (beyond day {judged.stays.start:g})"
    dress(axes, title=f"{_named(judged.state)}: returned within {chosen / 7:.0f} weeks{since}", x="share returned")
    handles = [
        Line2D([], [], color=seen, marker="o", markersize=5, label="observed (Aalen-Johansen), 95 % interval"),
        Line2D([], [], color=said, marker="|", markersize=11, markeredgewidth=2.0, linestyle="", label="predicted"),
    ]
    legend_above(axes, handles)
    return axes


def plot_brier(scores: BrierScores, *, ax: Axes | None = None) -> Axes:
    """Plot Brier scores day by day beside those of one share for all.

    Parameters
    ----------
    scores : the scores.
    ax : axes to draw on; new ones in a figure of their own when not given.

    Returns
    -------
    matplotlib.axes.Axes
        Both curves from the starting day on, the first with its pointwise 95 % interval; the skill over all days.
    """
    axes = axes_or_new(ax)
    days = np.r_[scores.start, scores.days]
    model, null = np.r_[0.0, scores.score], np.r_[0.0, scores.null]
    own, other = CONTRACT_COLOURS[0], GREY
    width = np.r_[0.0, LIMIT * scores.score_error]
    axes.fill_between(days, model - width, model + width, color=tint(own, 0.28), linewidth=0)
    axes.plot(days, null, color=other, linestyle="--", linewidth=1.4)
    axes.plot(days, model, color=own, linewidth=1.6, marker="o", markersize=3.5)
    axes.set_xlim(scores.start, float(days[-1]) * 1.02)
    axes.set_ylim(0, 1.15 * float(max(null.max(), (model + width).max())))
    axes.grid(visible=True, color=GRID, linewidth=0.8)
    skill = f"{100 * scores.integrated_skill:.1f} %"
    dress(
        axes,
        title=f"Brier score, {scores.n_stays:,} stays: skill {skill} to day {days[-1]:,.0f}",
        x="days since the stay began",
        y="mean squared error of the predicted share",
    )
    handles = [
        Line2D([], [], color=own, marker="o", markersize=3.5, label="predictions, 95 % interval"),
        Line2D([], [], color=other, linestyle="--", label="one share for all"),
    ]
    legend_above(axes, handles)
    return axes


def _named(state: str) -> str:
    """Return a state as the first words of a title."""
    return state.replace("_", " ").capitalize()
