"""Reserves of several contracts on one axis: their bands, and the chance that they do not suffice."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from msk_reserves._checks import one_of
from msk_reserves.report.style import (
    GREY,
    GRID,
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
from msk_reserves.reserves.distribution import BAND_LEVELS, PARTS, ReserveDistribution
from msk_reserves.reserves.forecast import Forecast

FEWEST_BEYOND = 10
"""Scenarios that must lie beyond the end of an exceedance curve: with fewer its end is noise."""

CHANCES = (1.0, 0.5, 0.25, 0.1, 0.05, 0.01, 0.005, 0.001, 0.0005, 0.0001)
"""Marks on the scale of probabilities."""

SHADES = dict(zip(BAND_LEVELS, (0.95, 0.62, 0.38, 0.2), strict=True))
"""Share of the contract's colour in each band, the narrowest the strongest."""


def plot_bands(forecast: Forecast, *, ax: Axes | None = None, with_note: bool = True) -> Axes:
    """Plot mean and predictive bands of every contract on one axis, by component and in total.

    Parameters
    ----------
    forecast : reserves under each contract.
    ax : axes to draw on; new ones in a figure of their own when not given.
    with_note : whether to print below what the bands contain.

    Returns
    -------
    matplotlib.axes.Axes
        Dollars across, components down; bands of 50, 75, 90 and 95 %, the narrower the darker, the mean in white.
    """
    names = list(forecast.reserves)
    axes = axes_or_new(ax, height=1.9 + 0.42 * len(PARTS) * max(len(names), 2) / 2)
    step = 0.78 / len(names)
    for row, part in enumerate(PARTS):
        for place, reserve in enumerate(forecast.reserves.values()):
            y = row + (place - (len(names) - 1) / 2) * step
            if part not in reserve.missing:
                _bands_of(axes, reserve, part, place=place, y=y, height=0.86 * step)
            elif place == 0:
                axes.text(0.01, row, "not in any figure", transform=axes.get_yaxis_transform(), va="center", color=GREY)
    for edge in range(len(PARTS) - 1):
        axes.axhline(edge + 0.5, color=GRID, linewidth=0.8)
    axes.set_ylim(len(PARTS) - 0.5, -0.5)
    axes.set_yticks(range(len(PARTS)), PARTS)
    low, high = axes.get_xlim()
    # Room on the right for the last figure of a mean, which stands beside its band.
    axes.set_xlim(min(low, 0.0) if low < 0 else 0.0, high + 0.14 * (high - min(low, 0.0)))
    dollars_on_x(axes)
    levels = ", ".join(f"{level:.0%}"[:-1] for level in BAND_LEVELS)
    dress(
        axes,
        title=f"Unpaid cost of {len(forecast.book):,} reported claims, {forecast.manifest.as_of}",
        x=f"nominal dollars; predictive bands of {levels} %, mean in white",
    )
    axes.tick_params(axis="y", length=0)
    if len(names) > 1:
        handles = [Patch(color=tint(colour_of(place), 0.62), label=name) for place, name in enumerate(names)]
        legend_above(axes, handles)
    if with_note:
        note(axes, forecast.what_a_band_holds(), below=0.2)
    return axes


def _bands_of(ax: Axes, reserve: ReserveDistribution, part: str, *, place: int, y: float, height: float) -> None:
    """Draw the nested bands of one component of one reserve, its mean, and the mean in figures."""
    colour = colour_of(place)
    for level in reversed(BAND_LEVELS):
        low, high = reserve.band(level, part)
        ax.barh(y, high - low, left=low, height=height, color=tint(colour, SHADES[level]), linewidth=0)
    mean = reserve.mean(part)
    end = reserve.band(BAND_LEVELS[-1], part)[1]
    # A band without width would vanish; its mean still stands in the contract's colour.
    ax.plot([mean, mean], [y - height / 2, y + height / 2], color=colour, linewidth=3.2, solid_capstyle="butt")
    ax.plot([mean, mean], [y - height / 2, y + height / 2], color="white", linewidth=1.4, solid_capstyle="butt")
    beside(ax, (end, y), money(mean))


def plot_exceedance(forecast: Forecast, part: str = "total", *, ax: Axes | None = None) -> Axes:
    """Plot, for every contract, the chance that unpaid cost exceeds an amount.

    Parameters
    ----------
    forecast : reserves under each contract.
    part : `medical`, `indemnity`, `expense` or `total`.
    ax : axes to draw on; new ones in a figure of their own when not given.

    Returns
    -------
    matplotlib.axes.Axes
        Dollars across, probability up on a logarithmic scale, down to ten scenarios; the mean is a dot on its curve.

    Raises
    ------
    ValueError
        If the part is unknown, or the data cannot show it.
    """
    one_of(part, PARTS, "part")
    axes = axes_or_new(ax)
    smallest = 1.0
    for place, (name, reserve) in enumerate(forecast.reserves.items()):
        ordered = np.sort(reserve.scenarios(part))
        last = FEWEST_BEYOND / len(ordered)
        smallest = min(smallest, last)
        chance = np.geomspace(0.995, last, 240)
        axes.plot(
            np.quantile(ordered, 1 - chance), chance, color=colour_of(place), linestyle=line_of(place), label=name
        )
        mean = reserve.mean(part)
        above = float(np.clip((ordered > mean).mean(), last, 1.0))
        axes.plot([mean], [above], "o", color=colour_of(place), markersize=5)
    axes.set_yscale("log")
    ticks = [chance for chance in CHANCES if chance >= 0.99 * smallest]
    percents_on(axes.yaxis, ticks)
    axes.set_ylim(smallest, 1.05)
    dollars_on_x(axes)
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.8)
    dress(
        axes,
        title=f"Chance that {_of(part)} unpaid cost exceeds an amount, {forecast.manifest.as_of}",
        x="nominal dollars; the dot marks the mean",
        y="probability of exceeding",
    )
    legend(axes, at_bottom=True)
    return axes


def _of(part: str) -> str:
    """Return the part as an adjective."""
    return "total" if part == "total" else part
