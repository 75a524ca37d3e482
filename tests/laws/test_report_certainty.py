"""Certainty in pictures and in sentences: what they return, and that they say what the figures say."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import msk_reserves as msk
from msk_reserves.certainty.four_worlds import WORLDS, FourWorlds
from msk_reserves.certainty.layers import LAYERS, UncertaintyLayers
from msk_reserves.report.page import report_html
from msk_reserves.report.style import shown
from msk_reserves.reserves.distribution import ReserveDistribution
from tests.worlds.forecasts import made_forecast

COST = np.random.default_rng(1).gamma(20.0, 5e4, 400)


def reserve(values: np.ndarray) -> ReserveDistribution:
    """Return a reserve of medical alone."""
    return ReserveDistribution("x", {"medical": np.array(values)}, {}, 20)


def worlds() -> FourWorlds:
    """Return worlds in which a price takes half of the cost, care a tenth, and a failing seller gives some back."""
    dollars = (COST, 0.5 * COST + 6e5, 0.9 * COST, 0.45 * COST + 6e5, 0.45 * COST + 6.2e5)
    reserves = {name: reserve(one) for name, one in zip(WORLDS, dollars, strict=True)}
    response = msk.vendor_response("attorney")
    return FourWorlds("ffs", "bundle", reserves, {"care": dollars[4]}, response, None, 50, 20)


def layers() -> UncertaintyLayers:
    """Return layers each of which widens the reserve."""
    centred = COST - COST.mean()
    widths = dict(zip(LAYERS, (0.7, 0.8, 0.95, 1.0), strict=True))
    by_layer = {name: reserve(COST.mean() + width * centred) for name, width in widths.items()}
    return UncertaintyLayers({"ffs": by_layer, "bundle": by_layer}, 50, msk.SystemicRisk())


def decision() -> msk.Tornado:
    """Return a decision that two assumptions turn."""
    base, ranges = {"saved": 10.0, "fee": 8.0}, {"saved": (5.0, 15.0), "fee": (6.0, 12.0)}
    return msk.tornado(lambda a: a["saved"] - a["fee"], base, ranges)


def sweep() -> pd.DataFrame:
    """Return a sweep of six bundles, three of them beaten by others."""
    return pd.DataFrame(
        {
            "scope": ["medical", "but drugs"] * 3,
            "mean": [10.0, 11.0, 12.0, 13.0, 14.0, 15.0],
            "tail": [9.0, 9.5, 6.0, 7.0, 2.0, 3.0],
            "mean change": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0],
            "tail removed": [1.0, 0.5, 4.0, 3.0, 8.0, 7.0],
        }
    )


PLOTS: dict[str, Callable[[Axes | None], Axes]] = {
    "waterfall": lambda ax: msk.plot_waterfall(worlds(), ax=ax),
    "waterfall of the tail": lambda ax: msk.plot_waterfall(worlds(), "tail", "medical", ax=ax),
    "variation": lambda ax: msk.plot_variation(layers(), ax=ax),
    "hit rates": lambda ax: msk.plot_hit_rates(made_forecast(), ax=ax),
    "frontier": lambda ax: msk.plot_frontier(sweep(), ax=ax),
    "tornado": lambda ax: msk.plot_tornado(decision(), ax=ax),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_returns_its_axes(name: str) -> None:
    """New axes have a title and a unit and show as a PNG; axes that are given are drawn on and returned."""
    axes = PLOTS[name](None)
    assert axes.get_title(loc="left")
    assert "dollars" in axes.get_xlabel() or "claims" in axes.get_xlabel()
    assert shown(axes).startswith(b"\x89PNG")
    mine = Figure().add_subplot()
    assert PLOTS[name](mine) is mine


def test_the_steps_of_a_waterfall_are_the_split() -> None:
    """Each step begins where the one before ended, and the last one ends at the bundle's mean."""
    found, axes = worlds(), msk.plot_waterfall(worlds())
    bars = [one for one in axes.patches if isinstance(one, Rectangle)]
    split = found.split("mean")
    steps = [bar.get_width() for bar in bars[2:]]
    np.testing.assert_allclose(steps, [-split.transfer, -split.behaviour, -split.default])
    assert bars[-1].get_x() + bars[-1].get_width() == pytest.approx(found.reserves["default"].mean())
    with pytest.raises(ValueError, match="`measure` must be one of mean, tail"):
        msk.plot_waterfall(found, "variance")


def test_the_curve_of_variation_passes_through_the_book() -> None:
    """At the book's own size the curve has the variation of the reserve."""
    axes = msk.plot_variation(layers())
    x, y = (np.asarray(one, dtype=np.float64) for one in axes.lines[0].get_data())
    own = float(np.exp(np.interp(np.log(50), np.log(x), np.log(y))))
    assert own == pytest.approx(COST.std(ddof=1) / COST.mean(), rel=5e-3)


def test_the_line_of_a_frontier_holds_what_no_other_beats() -> None:
    """Three of six: each dearer one removes more tail."""
    line = msk.plot_frontier(sweep()).lines[2]
    np.testing.assert_array_equal(line.get_xdata(), [0.0, 2.0, 4.0])
    np.testing.assert_array_equal(line.get_ydata(), [1.0, 4.0, 8.0])


def test_three_sentences_say_what_the_figures_say() -> None:
    """Finding, price and caveat hold the figures of the comparison, and open the report's section."""
    forecast = made_forecast()
    gain = msk.certainty_gain(forecast, "ffs", "bundle")
    told = msk.three_sentences(forecast, gain)
    total = gain.components["total"]
    assert f"${abs(total.band_narrowing[0.9]):,.0f} narrower" in told.finding
    assert f"{abs(total.mean_change):,.0f}" in told.price
    assert f"{total.tail_removed_error:,.0f}" in told.price
    assert total.reason in told.price
    assert f"{forecast.taken_over['bundle']} of {len(forecast.book)} claims are taken over" in told.caveat
    assert "the seller fails" in told.caveat
    page = report_html(forecast)
    assert all(sentence.split("$")[0] in page for sentence in told)


def test_the_page_tells_who_made_the_change_where_it_is_known() -> None:
    """With worlds and layers the page has their sentences, tables and pictures; without them no such section."""
    forecast = made_forecast()
    plain, told = report_html(forecast), report_html(forecast, worlds=worlds(), layers=layers())
    headings = ("Contract, care, and the seller", "Which uncertainty it is")
    assert all(one not in plain and one in told for one in headings)
    assert told.count("data:image/svg+xml") == plain.count("data:image/svg+xml") + 2
    split = worlds().split("mean")
    assert f"{split.transfer:+,.0f}" in told
    assert "share of the variance" in told
    assert "process risk equals what all claims share" in told
    assert told == report_html(forecast, worlds=worlds(), layers=layers())
