"""Plots of fit quality: what they return, what they draw, and what they refuse."""

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from msk_reserves.recovery.path.model import fit_recovery
from msk_reserves.recovery.quality.calibration import calibration
from msk_reserves.recovery.quality.scores import brier_score
from msk_reserves.recovery.quality.verdict import assess_recovery
from msk_reserves.report.quality_plots import (
    plot_brier,
    plot_calibration,
    plot_cox_snell,
    plot_predicted_and_observed,
)
from msk_reserves.report.sections import verdict_table
from msk_reserves.report.style import shown
from tests.worlds.recovery import recovery_book

BOOK = recovery_book(500, 31)
FOUND = assess_recovery(fit_recovery(BOOK, candidates=("lognormal", "weibull")), BOOK)
FIRST = FOUND.judged[0]

PLOTS: dict[str, Callable[[Axes | None], Axes]] = {
    "calibration": lambda ax: plot_calibration([FIRST.calibration(91.0), FIRST.calibration(182.0)], ax=ax),
    "calibration on one day": lambda ax: plot_calibration(FIRST.calibration(91.0), ax=ax),
    "residuals": lambda ax: plot_cox_snell(FOUND.residuals[0], ax=ax),
    "groups": lambda ax: plot_predicted_and_observed(FOUND.groups[0], ax=ax),
    "scores": lambda ax: plot_brier(FIRST.brier(), ax=ax),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_returns_named_axes(name: str) -> None:
    """Each plot returns axes with a title and a name on the horizontal axis, and shows as a PNG."""
    axes = PLOTS[name](None)
    assert axes.get_title(loc="left")
    assert axes.get_xlabel()
    assert axes.get_legend() is not None
    assert shown(axes).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_draws_on_the_axes_given(name: str) -> None:
    """Axes that are given are drawn on and returned."""
    mine = Figure().add_subplot()
    assert PLOTS[name](mine) is mine
    assert mine.has_data()


def test_points_of_calibration_are_the_groups() -> None:
    """One point a group, at predicted and observed."""
    found = FIRST.calibration(91.0)
    points = next(line for line in plot_calibration(found).lines if line.get_marker() == "o")
    np.testing.assert_allclose(np.asarray(points.get_xdata()), found.groups.predicted)
    np.testing.assert_allclose(np.asarray(points.get_ydata()), found.groups.share)


def test_equal_predictions_have_no_slope_in_the_legend() -> None:
    """Where predictions do not differ the legend names the ratio alone."""
    legend = plot_calibration(calibration([0.4] * 6, [1, 2, 3, 9, 9, 9], [1, 1, 1, 0, 0, 0], 5.0)).get_legend()
    assert legend is not None
    assert "slope" not in legend.get_texts()[0].get_text()


def test_the_curve_of_residuals_ends_where_few_are_left() -> None:
    """It is drawn while ten are at risk."""
    curve = FOUND.residuals[0].curve()
    line = plot_cox_snell(FOUND.residuals[0]).lines[0]
    assert float(np.max(line.get_xdata())) == curve.times[curve.at_risk >= 10].max()


def test_every_group_has_its_row() -> None:
    """Levels are named in their order; a day that was not compared is refused."""
    axes = plot_predicted_and_observed(FOUND.groups[0], horizon=91.0)
    names = [label.get_text() for label in axes.get_yticklabels()]
    expected = [level for _, day, levels, _ in FOUND.groups[0].parts if day == 91.0 for level in levels]
    assert names == [level.replace("_", " ") for level in expected]
    with pytest.raises(ValueError, match="`horizon` must be one of 91, 182, 364; got '100'"):
        plot_predicted_and_observed(FOUND.groups[0], horizon=100.0)


def test_scores_begin_at_nothing() -> None:
    """Both curves start at zero on the starting day."""
    scores = brier_score([[0.4, 0.5]] * 6, [1, 2, 3, 4, 5, 6], [1, 0, 1, 0, 1, 1], [2.5, 3.5])
    for line in plot_brier(scores).lines:
        assert (np.asarray(line.get_xdata())[0], np.asarray(line.get_ydata())[0]) == (0.0, 0.0)


def test_no_calibration_is_no_plot() -> None:
    """An empty list is refused."""
    with pytest.raises(ValueError, match="`found` must hold at least one calibration"):
        plot_calibration([])


def test_the_table_of_the_page_holds_every_check() -> None:
    """One row a check, all words."""
    table = verdict_table(FOUND)
    assert [row[0] for row in table.rows] == [one.name for one in FOUND.checks]
    assert table.words == (0, 1, 2, 3, 4)
