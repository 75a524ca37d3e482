"""What would have to be true for the bundle to pay, and which assumption decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize

from msk_reserves._checks import finite

Assumptions = Mapping[str, float]
"""Assumptions by name."""


def required_effect(gain: Callable[[float], float], low: float, high: float) -> float | None:
    """Return the effect at which a gain is zero, None where it has one sign between the ends.

    Parameters
    ----------
    gain : dollars saved at an effect, continuous; called some twenty times.
    low, high : effects between which to look.

    Returns
    -------
    float or None

    Raises
    ------
    ValueError
        If the ends are not in order.

    Examples
    --------
    >>> round(required_effect(lambda saved: 9_500 * saved - 1_900, 0.0, 1.0), 6)
    0.2
    >>> required_effect(lambda saved: 9_500 * saved - 19_000, 0.0, 1.0) is None
    True
    """
    if finite(low, "low") >= finite(high, "high"):
        raise ValueError(f"`low` must be below `high` of {high!r}, got {low!r}")
    ends = gain(low), gain(high)
    for edge, value in zip((low, high), ends, strict=True):
        if value == 0:
            return float(edge)
    if ends[0] * ends[1] > 0:
        return None
    return float(optimize.brentq(gain, low, high, xtol=1e-10 * max(abs(low), abs(high), 1.0)))


@dataclass(frozen=True, slots=True, eq=False)
class Tornado:
    """What a gain becomes as each assumption moves between two values, the others held.

    Attributes
    ----------
    base : the gain with all assumptions as they are, dollars.
    bars : a row an assumption, the one that moves it most first: base value, low, high, gain at low, gain at high,
        swing, and the value at which the gain changes sign, NaN where it does not.
    """

    base: float
    bars: pd.DataFrame

    @property
    def decides(self) -> tuple[str, ...]:
        """Assumptions that can change the sign of the gain alone."""
        return tuple(self.bars.index[self.bars["flips at"].notna()])

    def __str__(self) -> str:
        told = ", ".join(f"{name} at {self.bars.at[name, 'flips at']:.3g}" for name in self.decides)
        ends = f"the decision turns with {told}" if told else "no assumption alone turns the decision"
        return f"gain {self.base:,.0f} dollars; {ends}\n{self.bars.to_string(float_format=lambda one: f'{one:,.4g}')}"

    def __repr__(self) -> str:
        return str(self)


def tornado(
    gain: Callable[[Assumptions], float], base: Assumptions, ranges: Mapping[str, tuple[float, float]]
) -> Tornado:
    """Move each assumption between two values, the others held, and see what the gain becomes.

    Parameters
    ----------
    gain : dollars gained under assumptions; continuous in each.
    base : all assumptions.
    ranges : low and high of those that move.

    Returns
    -------
    Tornado

    Raises
    ------
    ValueError
        If a range is of no assumption, or not in order.

    Examples
    --------
    >>> found = tornado(
    ...     lambda a: a["days saved"] * a["dollars a day"] - a["fee"],
    ...     {"days saved": 60.0, "dollars a day": 100.0, "fee": 5_000.0},
    ...     {"fee": (4_000.0, 5_500.0), "days saved": (0.0, 90.0)},
    ... )
    >>> found.base, found.decides, float(found.bars.at["days saved", "flips at"])
    (1000.0, ('days saved',), 50.0)
    """
    rows = {}
    held = {name: finite(value, name) for name, value in base.items()}
    for name, (low, high) in ranges.items():
        if name not in held:
            raise ValueError(f"`ranges` names {name!r}, which is no assumption; there are {', '.join(held)}")

        def moved(value: float, name: str = name) -> float:
            return float(gain(held | {name: value}))

        flips = required_effect(moved, low, high)
        ends = moved(low), moved(high)
        rows[name] = (held[name], low, high, *ends, abs(ends[1] - ends[0]), np.nan if flips is None else flips)
    columns = ["base", "low", "high", "gain at low", "gain at high", "swing", "flips at"]
    bars = pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis(index="assumption")
    return Tornado(float(gain(held)), bars.sort_values("swing", ascending=False, kind="stable"))
