"""Both sides of the table as rows of text and as plain figures: margins of bearers, and what is settled by pool."""

import math
from collections.abc import Mapping

from msk_reserves.contracts.agreements.bearer import BearerMargin
from msk_reserves.contracts.agreements.reconciliation import Reconciliation
from msk_reserves.report.sections import Table
from msk_reserves.reserves.forecast import Forecast

MOST_POOLS = 20
"""Pools shown of each contract on the page; the record of the forecast has all of them."""


def side_tables(forecast: Forecast) -> tuple[Table, ...]:
    """Return what bearers make and what is settled, a table each; none where nobody bears a risk.

    Parameters
    ----------
    forecast : the forecast.
    """
    bearers = [_margins(forecast.bearers)] if forecast.bearers else []
    return (*bearers, *(_pools(name, one) for name, one in forecast.reconciliations.items()))


def side_figures(forecast: Forecast) -> dict[str, object]:
    """Return the same as plain dictionaries, dollars unrounded; None for a figure that there is not.

    Parameters
    ----------
    forecast : the forecast.
    """
    bearers = {
        name: {figure: _or_none(value) for figure, value in one.to_frame()[name].items()}
        for name, one in forecast.bearers.items()
    }
    pools = {
        name: {
            "when": one.when(),
            "pools": {
                pool: {str(figure): _or_none(value) for figure, value in row.items()}
                for pool, row in one.to_frame().to_dict("index").items()
            },
        }
        for name, one in forecast.reconciliations.items()
    }
    return {"bearers": bearers, "reconciliations": pools}


def _margins(bearers: Mapping[str, BearerMargin]) -> Table:
    """Return a row a figure and a column a contract."""
    frames = {name: one.to_frame()[name] for name, one in bearers.items()}
    figures = list(next(iter(frames.values())).index)
    rows = tuple(
        (figure, *(_text(figure, float(frame[figure])) for frame in frames.values())) for figure in map(str, figures)
    )
    caption = "Who bears the risk of the claims taken over, on the same futures; dollars, before any default"
    return Table(caption, ("figure", *frames), rows)


def _pools(name: str, found: Reconciliation) -> Table:
    """Return a row a pool."""
    frame = found.to_frame()
    rows = tuple(
        (str(pool), *(_text(str(figure), float(value)) for figure, value in row.items()))
        for pool, row in frame.head(MOST_POOLS).iterrows()
    )
    more = len(frame) - MOST_POOLS
    caption = f"{name}: settled {found.when()}; means, and the 90 % band of what is due to the bearer, dollars"
    return Table(
        caption + (f"; {more:,} more pools" if more > 0 else ""), ("pool", *map(str, frame.columns)), rows, stacks=True
    )


def _text(figure: str, value: float) -> str:
    """Return a figure as text: chances as percentages, "none" for one that there is not."""
    if math.isnan(value):
        return "none"
    return f"{value:.1%}" if figure == "chance of a loss" else f"{value:,.0f}"


def _or_none(value: float) -> float | None:
    """Return the number, or None for one that there is not."""
    return None if math.isnan(value) else float(value)
