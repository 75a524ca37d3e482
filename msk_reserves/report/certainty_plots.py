"""Certainty in pictures: what each cause changes, what the number of claims does, and which assumption decides."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from msk_reserves._checks import one_of
from msk_reserves.certainty.four_worlds import DEFAULT, MEASURES, NEITHER, FourWorlds
from msk_reserves.certainty.layers import UncertaintyLayers
from msk_reserves.certainty.like_claims import SIZES
from msk_reserves.certainty.measures import hit_rate
from msk_reserves.certainty.pricing import frontier
from msk_reserves.certainty.required import Tornado
from msk_reserves.report.style import (
    CONTRACT_COLOURS,
    GREY,
    GRID,
    INK,
    NOTE_SIZE,
    DollarMarks,
    axes_or_new,
    beside,
    colour_of,
    dollars_on_x,
    dress,
    legend,
    legend_above,
    line_of,
    money,
    note,
    percents_on,
    tint,
)
from msk_reserves.reserves.forecast import Forecast

BETTER, WORSE = CONTRACT_COLOURS[2], CONTRACT_COLOURS[1]
"""Colours of a fall and of a rise."""

TOLERANCES = np.linspace(0.0, 0.3, 121)
"""Shares of the carried reserve at which hit rates are drawn."""


def plot_waterfall(worlds: FourWorlds, measure: str = "mean", part: str = "total", *, ax: Axes | None = None) -> Axes:
    """Plot how a measure gets from fee for service to the bundle, cause by cause.

    Parameters
    ----------
    worlds : the four worlds and default.
    measure : "mean" or "tail" (tail mean beyond 99 % less mean); dollars both.
    part : component, or `total`.
    ax : axes to draw on; new ones in a figure of their own when not given.

    Returns
    -------
    matplotlib.axes.Axes
        Dollars across, steps down: falls in green to the left, rises in orange to the right.

    Raises
    ------
    ValueError
        If the measure is not in dollars, or the part is unknown.
    """
    of = MEASURES[one_of(measure, ("mean", "tail"), "measure")]
    split = worlds.split(measure, part)
    start, end = (of(worlds.reserves[name].scenarios(part)) for name in (NEITHER, DEFAULT))
    axes = axes_or_new(ax, height=3.0)
    names = [worlds.before, "transfer", "behaviour", "seller's default", worlds.after]
    axes.barh(0, start, height=0.6, color=tint(colour_of(0), 0.62))
    axes.barh(4, end, height=0.6, color=tint(colour_of(1), 0.62))
    at, furthest = start, max(start, end)
    for row, fall in enumerate((split.transfer, split.behaviour, split.default), start=1):
        axes.barh(row, -fall, left=at, height=0.6, color=BETTER if fall >= 0 else WORSE)
        axes.plot([at, at], [row - 1, row], color=GREY, linewidth=0.8)
        furthest = max(furthest, at, at - fall)
        beside(axes, (max(at, at - fall), row), f"{'-' if fall >= 0 else '+'}{money(abs(fall))}")
        at -= fall
    for row, value in ((0, start), (4, end)):
        beside(axes, (value, row), money(value))
    lowest = min(start, end, at, start - split.transfer, start - split.transfer - split.behaviour)
    reach = furthest - lowest
    # Steps small beside the whole would not be seen on an axis from zero: the end of the axis is said.
    left = 0.0 if lowest < 2 * reach else lowest - 0.5 * reach
    axes.set_xlim(left, furthest + 0.25 * (furthest - left))
    axes.set_ylim(4.5, -0.5)
    axes.set_yticks(range(5), names)
    axes.tick_params(axis="y", length=0)
    dollars_on_x(axes)
    what = "Mean" if measure == "mean" else "Tail mean (99 %) less mean"
    cut = "" if left == 0.0 else "; the axis does not begin at zero"
    dress(axes, title=f"{what}, {part}: from {worlds.before} to {worlds.after}", x=f"nominal dollars{cut}")
    taken = f"{worlds.taken_over:,} of {worlds.n_claims:,} claims taken over"
    note(axes, f"{taken}. Care: {worlds.response.describe()}.", below=0.27)
    return axes


def plot_variation(layers: UncertaintyLayers, part: str = "total", *, ax: Axes | None = None) -> Axes:
    """Plot the coefficient of variation of a book by its number of claims, under every contract.

    Parameters
    ----------
    layers : reserves by layer of uncertainty.
    part : component, or `total`.
    ax : axes to draw on; new ones in a figure of their own when not given.

    Returns
    -------
    matplotlib.axes.Axes
        Number of claims across and coefficient of variation up, both logarithmic; the book's own size as a line, and on
        each curve a dot where process equals what all claims share.
    """
    axes = axes_or_new(ax)
    sizes = np.unique(np.geomspace(SIZES[0], max(10 * SIZES[-1], 2 * layers.n_claims), 80).round().astype(np.int64))
    for place, name in enumerate(layers.reserves):
        values = np.array([layers.variation(name, int(n), part) for n in sizes])
        axes.plot(sizes, values, color=colour_of(place), linestyle=line_of(place), label=name)
        equal = layers.process_equals_common(name, part)
        if sizes[0] <= equal <= sizes[-1]:
            axes.plot([equal], [layers.variation(name, max(round(equal), 1), part)], "o", color=colour_of(place), ms=5)
    axes.axvline(layers.n_claims, color=GREY, linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    ticks = [one for one in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0) if low <= one <= high]
    percents_on(axes.yaxis, ticks)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:,.0f}"))
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.8)
    dress(
        axes,
        title=f"What more claims do to the uncertainty of the {part}",
        x="number of claims like these; the line is this book",
        y="standard deviation over mean of the dollars",
    )
    legend(axes)
    note(axes, "Dots: process risk equals what all claims share (systemic, parameter, model); more claims add little.")
    return axes


def plot_hit_rates(forecast: Forecast, part: str = "total", *, ax: Axes | None = None) -> Axes:
    """Plot, for every contract, the probability that the actual falls within a share of the carried reserve.

    Parameters
    ----------
    forecast : reserves under each contract; the carried reserve is the mean.
    part : component, or `total`.
    ax : axes to draw on; new ones in a figure of their own when not given.

    Returns
    -------
    matplotlib.axes.Axes
        Tolerance across, probability up.
    """
    axes = axes_or_new(ax)
    for place, (name, reserve) in enumerate(forecast.reserves.items()):
        values = reserve.scenarios(part)
        chances = [hit_rate(values, float(one)) for one in TOLERANCES]
        axes.plot(TOLERANCES, chances, color=colour_of(place), linestyle=line_of(place), label=name)
    axes.set_xlim(0.0, float(TOLERANCES[-1]))
    axes.set_ylim(0.0, 1.02)
    for axis in (axes.xaxis, axes.yaxis):
        percents_on(axis)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.8)
    dress(
        axes,
        title=f"Chance that the actual {part} falls within a distance of the carried reserve",
        x="distance, share of the carried reserve in dollars",
        y="probability",
    )
    legend(axes, at_bottom=True)
    return axes


def plot_tornado(found: Tornado, *, ax: Axes | None = None) -> Axes:
    """Plot what a gain becomes as each assumption moves between two values.

    Parameters
    ----------
    found : the assumptions moved, the one that moves the gain most first.
    ax : axes to draw on; new ones in a figure of their own when not given.

    Returns
    -------
    matplotlib.axes.Axes
        Dollars gained across, assumptions down; the value at either end beside its bar, and the gain of zero as a line.
    """
    bars = found.bars
    axes = axes_or_new(ax, height=1.6 + 0.42 * max(len(bars), 1))
    for row, name in enumerate(bars.index):
        for end in ("low", "high"):
            gain = float(bars.at[name, f"gain at {end}"])
            colour = BETTER if gain >= found.base else WORSE
            axes.barh(row, gain - found.base, left=found.base, height=0.55, color=tint(colour, 0.7))
            right = gain >= found.base
            axes.annotate(
                f"{bars.at[name, end]:,.5g}",
                (gain, row),
                xytext=(4 if right else -4, 0),
                textcoords="offset points",
                va="center",
                ha="left" if right else "right",
                fontsize=NOTE_SIZE,
                color=INK,
            )
    axes.axvline(found.base, color=INK, linewidth=0.9)
    axes.axvline(0.0, color=GREY, linewidth=0.8, linestyle=":")
    axes.margins(x=0.12)
    axes.set_yticks(range(len(bars)), [str(name) for name in bars.index])
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    dollars_on_x(axes)
    turns = f"turns with {', '.join(found.decides)}" if found.decides else "turns with no assumption alone"
    dress(axes, title=f"The decision {turns}", x="dollars gained; the full line is the base case, the dotted one zero")
    return axes


def plot_frontier(swept: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Plot what every bundle of a sweep costs and what tail it removes, and those that no other beats.

    Parameters
    ----------
    swept : as `PricingFutures.sweep` returns.
    ax : axes to draw on; new ones in a figure of their own when not given.

    Returns
    -------
    matplotlib.axes.Axes
        Change of the mean across and tail removed up, dollars; a colour a scope, the frontier as a line.
    """
    axes = axes_or_new(ax)
    for place, (scope, rows) in enumerate(swept.groupby("scope", sort=False)):
        axes.plot(
            rows["mean change"], rows["tail removed"], ".", color=tint(colour_of(place), 0.6), ms=4, label=str(scope)
        )
    best = frontier(swept)
    axes.plot(
        best["mean change"], best["tail removed"], color=INK, linewidth=1.2, label="no other is cheaper and safer"
    )
    axes.axvline(0.0, color=GREY, linewidth=0.8, linestyle=":")
    axes.axhline(0.0, color=GREY, linewidth=0.8, linestyle=":")
    dollars_on_x(axes)
    axes.yaxis.set_major_formatter(DollarMarks())
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.8)
    dress(
        axes,
        title=f"What certainty costs: {len(swept):,} bundles on the same futures",
        x="change of the mean against fee for service, dollars",
        y="tail removed (99 % mean less mean)",
    )
    legend_above(axes, axes.get_legend_handles_labels()[0])
    return axes
