"""Tables of the page on certainty: who made the change, what is left, and which uncertainty it is."""

import numpy as np

from msk_reserves.certainty.four_worlds import FourWorlds
from msk_reserves.certainty.layers import UncertaintyLayers
from msk_reserves.report.sections import Table


def world_tables(worlds: FourWorlds) -> tuple[Table, Table]:
    """Return what each cause takes from mean, variance and tail, and what is left by cause.

    Parameters
    ----------
    worlds : the four worlds and default.
    """
    split = worlds.to_frame()
    rows = []
    for (measure, cause), row in split.iterrows():
        unit = 1e-6 if measure == "variance" else 1.0
        edges = ("", "") if np.isnan(row["low"]) else (f"{unit * row['low']:+,.0f}", f"{unit * row['high']:+,.0f}")
        rows.append((str(measure), str(cause), f"{unit * row['fall']:+,.0f}", *edges, f"{row['share']:+.1%}"))
    falls = Table(
        f"What {worlds.after} takes from {worlds.before}, by cause; dollars, of the variance 10^6 dollars squared",
        ("measure", "cause", "falls by", "5 %", "95 %", "share of the measure before"),
        tuple(rows),
        words=(0, 1),
        stacks=True,
    )
    left = tuple(
        (str(cause), f"{row['mean']:,.0f}", f"{row['share of variance']:.1%}", f"{row['share of tail']:.1%}")
        for cause, row in worlds.remaining().iterrows()
    )
    columns = ("cause", "mean, dollars", "share of variance", "share of tail (99 %)")
    return falls, Table(f"What {worlds.after} leaves to the payer, by cause", columns, left, stacks=True)


def layer_table(layers: UncertaintyLayers) -> Table:
    """Return what each layer of uncertainty adds to the variance of every reserve, total alone.

    Parameters
    ----------
    layers : reserves by layer.
    """
    table = layers.to_frame().xs("total", level="component")
    rows = tuple(
        (str(contract), str(layer), f"{row['share']:.1%}", f"{row['sd up to it']:,.0f}")
        for (contract, layer), row in table.iterrows()
    )
    columns = ("contract", "layer", "share of the variance", "standard deviation up to it, dollars")
    return Table("What a band holds, layer by layer", columns, rows, words=(0, 1), stacks=True)
