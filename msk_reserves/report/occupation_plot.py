"""Where claims stand, day by day: shares in each state, stacked."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from msk_reserves._checks import Floats
from msk_reserves.claims.vocabulary import REPRESENTED
from msk_reserves.recovery.curves.curves import StateOccupation
from msk_reserves.report.style import CONTRACT_COLOURS, GREY, axes_or_new, dress, legend_above, tint
from msk_reserves.report.survival_plot import TICK_STEPS

MOST_TICKS = 8

SMALLEST_SHARE = 0.01
"""States that never hold this share are drawn together as the last of the stack."""


def plot_occupation(shares: StateOccupation, *, ax: Axes | None = None) -> Axes:
    """Plot the shares of claims in each state, one area a state, with the mean days in each.

    Parameters
    ----------
    shares : state occupation, as `occupation_of_book` or `state_occupation` estimates it.
    ax : axes to draw on; new ones in a figure of their own when not given.

    Returns
    -------
    matplotlib.axes.Axes
        Areas from the first state at the bottom to the last at the top. States of represented workers are drawn with
        their states, and small ones together.
    """
    names, heights, days = _areas(shares)
    grid = np.concatenate([[shares.start], shares.times, [shares.horizon]])
    axes = axes_or_new(ax)
    tops = np.cumsum(heights, axis=1)
    handles = []
    for place, name in enumerate(names):
        again = place >= len(CONTRACT_COLOURS)
        # A colour comes again paler and two places on, away from its first use in the stack.
        colour = GREY if name == "others" else CONTRACT_COLOURS[(place + 2 * again) % len(CONTRACT_COLOURS)]
        fill = tint(colour, 0.4 if again else 0.75)
        low, high = (np.append(edge, edge[-1]) for edge in (tops[:, place] - heights[:, place], tops[:, place]))
        axes.fill_between(grid, low, high, step="post", color=fill, linewidth=0.5, edgecolor="white")
        handles.append(Patch(color=fill, label=f"{name.replace('_', ' ')}, {days[place]:,.1f} days"))
    axes.set_xlim(shares.start, shares.horizon)
    step = next((days for days in TICK_STEPS if shares.horizon <= MOST_TICKS * days), TICK_STEPS[-1])
    axes.set_xticks([mark for mark in np.arange(0, shares.horizon + 1, step) if mark >= shares.start])
    axes.set_ylim(0, 1)
    axes.set_yticks(np.linspace(0, 1, 6), [f"{share:.0f} %" for share in np.linspace(0, 100, 6)])
    dress(
        axes,
        title=f"Where {shares.n_claims:,} claims stand from day {shares.start:,.0f} on, and mean days in each state",
        x="days since the first day off work" if "off_work" in shares.states else "days",
        y="share of claims",
    )
    legend_above(axes, handles)
    return axes


def _areas(shares: StateOccupation) -> tuple[list[str], Floats, Floats]:
    """Return the names drawn, their shares at the start and after each move, and the mean days in each."""
    base = {twin: name for name, twin in REPRESENTED.items() if name in shares.states}
    every = np.concatenate([shares.initial[None], shares.occupation])
    names = list(dict.fromkeys(base.get(name, name) for name in shares.states))
    of = np.array([names.index(base.get(name, name)) for name in shares.states])
    fold = (of[:, None] == np.arange(len(names))).astype(np.float64)
    heights, days = every @ fold, shares.mean_days @ fold
    large = heights.max(axis=0) >= SMALLEST_SHARE
    if (~large).sum() < 2:
        return names, heights, days
    kept = [name for name, shown in zip(names, large, strict=True) if shown]
    small = ~large
    return (
        [*kept, "others"],
        np.concatenate([heights[:, large], heights[:, small].sum(axis=1, keepdims=True)], axis=1),
        np.append(days[large], days[small].sum()),
    )
