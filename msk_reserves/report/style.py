"""The house style of every plot, in one place."""

import io
import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib import colors
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

CONTRACT_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Colours of the contracts in their order: those of Okabe and Ito (2008) that tell apart for every kind of sight."""

CONTRACT_LINES = ("-", "--", "-.", ":")
"""Line styles in the same order, so that a print in grey still tells the contracts apart."""

INK = "#1f1f1f"
GREY = "#5f5f5f"
GRID = "#e4e4e4"

WIDTH = 5.6
"""Width of a figure, inches: half of a desktop page, and still legible when a telephone shrinks it."""

TITLE_CHARACTERS, NOTE_CHARACTERS = 54, 84
"""Characters a line of a title and of a note, so that neither is wider than the axes."""

TITLE_SIZE, LABEL_SIZE, TICK_SIZE, NOTE_SIZE = 10.5, 9.5, 9.0, 7.5


class ShownAxes(Axes):
    """Axes that show their figure at the end of a notebook cell without any plotting backend."""

    def _repr_png_(self) -> bytes:
        """Return the figure these axes are in as a PNG."""
        return shown(self)


def shown(ax: Axes) -> bytes:
    """Return the figure of some axes as a PNG, twice as fine as a screen.

    Raises
    ------
    ValueError
        If the axes are in no figure any more.
    """
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("`ax` must be in a figure; these axes were removed from theirs")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=192)
    return buffer.getvalue()


def axes_or_new(ax: Axes | None, *, height: float = 3.7) -> Axes:
    """Return the axes given, or axes in a new figure that no global state knows of.

    Parameters
    ----------
    ax : axes to draw on, or None for new ones.
    height : height of a new figure, inches.
    """
    if ax is not None:
        return ax
    return Figure(figsize=(WIDTH, height), layout="constrained").add_subplot(axes_class=ShownAxes)


def dress(ax: Axes, *, title: str, x: str, y: str = "") -> None:
    """Give axes their title and labels and the house's quiet frame.

    Parameters
    ----------
    ax : the axes.
    title : what is shown, as a sentence.
    x, y : what the axes measure, with the unit.
    """
    _title(ax, textwrap.fill(title, TITLE_CHARACTERS), pad=6)
    ax.set_xlabel(x, loc="left", fontsize=LABEL_SIZE, color=INK, parse_math=False)
    ax.set_ylabel(y, fontsize=LABEL_SIZE, color=INK, parse_math=False)
    ax.tick_params(labelsize=TICK_SIZE, colors=INK, length=3)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(GREY)


def legend(ax: Axes, *, at_bottom: bool = False) -> None:
    """Name what is on the axes, in the corner that curves which fall leave free, dollar signs as they are."""
    handles = ax.get_legend_handles_labels()[0]
    if at_bottom:
        _plain(ax.legend(handles=handles, frameon=False, fontsize=TICK_SIZE, loc="lower left"))
    else:
        _plain(ax.legend(handles=handles, frameon=False, fontsize=TICK_SIZE, loc="upper right"))


def legend_above(ax: Axes, handles: Sequence[Artist]) -> None:
    """Name what is on the axes between them and their title, where no bar can run into it.

    Parameters
    ----------
    ax : the axes, already dressed.
    handles : one labelled handle a name.
    """
    longest = max(len(str(handle.get_label())) for handle in handles)
    columns = int(np.clip(NOTE_CHARACTERS // (longest + 8), 1, len(handles)))
    rows = -(-len(handles) // columns)
    shown = ax.legend(
        handles=handles,
        frameon=False,
        fontsize=TICK_SIZE,
        ncols=columns,
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        borderaxespad=0.2,
        borderpad=0.1,
    )
    _plain(shown)
    _title(ax, ax.get_title(loc="left"), pad=6 + 15 * rows)


def _title(ax: Axes, text: str, *, pad: float) -> None:
    """Put the title above the axes, `pad` points away."""
    ax.set_title(text, loc="left", fontsize=TITLE_SIZE, color=INK, fontweight="bold", parse_math=False, pad=pad)


def _plain(shown: Legend) -> None:
    """Print a legend's names in ink and as they are."""
    for text in shown.get_texts():
        text.set_parse_math(False)
        text.set_color(INK)


def note(ax: Axes, text: str, *, below: float = 0.17) -> None:
    """Print a small note under the axes; `below` is the distance from them as a share of their height."""
    wrapped = textwrap.fill(text, NOTE_CHARACTERS)
    place = ax.transAxes
    ax.text(0.0, -below, wrapped, transform=place, fontsize=NOTE_SIZE, color=GREY, va="top", parse_math=False)


class DollarMarks(FuncFormatter):
    """Marks in dollars, thousands or millions, all of one axis alike."""

    def __init__(self) -> None:
        super().__init__(lambda value, _place: money(value))

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the marks of an axis."""
        marks = np.asarray(values, dtype=np.float64)
        largest = float(np.abs(marks).max(initial=0.0))
        unit, letter = _unit(largest)
        apart = float(np.diff(marks).min()) / unit if len(marks) > 1 else 1.0
        decimals = next((n for n in range(4) if abs(apart * 10**n - round(apart * 10**n)) < 1e-6), 4)
        told = [f"{'-' if mark < 0 else ''}${abs(mark) / unit:,.{decimals}f}{letter}" for mark in marks]
        return ["$0" if mark == 0 else text for mark, text in zip(marks, told, strict=True)]


def dollars_on_x(ax: Axes) -> None:
    """Mark the horizontal axis in dollars, thousands or millions."""
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.xaxis.set_major_formatter(DollarMarks())
    ax.grid(visible=True, axis="x", color=GRID, linewidth=0.8)


def percents_on(axis: Axis, ticks: Sequence[float] = ()) -> None:
    """Mark an axis of shares in per cent; at `ticks` only where they are given, as on a logarithmic one."""
    if len(ticks):
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _place: f"{100 * value:.4g} %"))


def beside(ax: Axes, place: tuple[float, float], text: str, *, apart: float = 4.0) -> None:
    """Write a figure to the right of the end of a bar, `apart` in points."""
    ax.annotate(
        text,
        place,
        xytext=(apart, 0),
        textcoords="offset points",
        va="center",
        fontsize=NOTE_SIZE + 0.5,
        color=INK,
        parse_math=False,
    )


def money(dollars: float) -> str:
    """Return dollars in three digits: 950 as $950, 38,000 as $38.0k, 1,234,000 as $1.23M.

    Parameters
    ----------
    dollars : an amount.

    Examples
    --------
    >>> money(950), money(38_000), money(1_234_000), money(-2_500_000_000)
    ('$950', '$38.0k', '$1.23M', '-$2,500M')
    """
    size = abs(dollars)
    unit, letter = _unit(size)
    decimals = 0 if unit == 1.0 else max(2 - int(np.floor(np.log10(size / unit))), 0)
    sign = "-" if dollars < 0 and size >= 0.5 else ""
    return f"{sign}${size / unit:,.{decimals}f}{letter}"


def _unit(dollars: float) -> tuple[float, str]:
    """Return the unit an amount is shown in, and its letter."""
    if dollars >= 1e6:
        return 1e6, "M"
    return (1e3, "k") if dollars >= 1e3 else (1.0, "")


def tint(colour: str, share: float) -> tuple[float, float, float]:
    """Mix a colour with white; `share` is the part of the colour, so nothing need be transparent.

    Examples
    --------
    >>> tint("#000000", 0.0)
    (1.0, 1.0, 1.0)
    """
    red, green, blue = colors.to_rgb(colour)
    return 1 - share * (1 - red), 1 - share * (1 - green), 1 - share * (1 - blue)


def colour_of(place: int) -> str:
    """Return the colour of the contract in this place."""
    return CONTRACT_COLOURS[place % len(CONTRACT_COLOURS)]


def line_of(place: int) -> str:
    """Return the line style of the contract in this place."""
    return CONTRACT_LINES[place % len(CONTRACT_LINES)]
