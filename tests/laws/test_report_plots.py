"""Plots: what they return, what they draw, and what they leave alone."""

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from msk_reserves.recovery.curves.occupation import occupation_of_book
from msk_reserves.recovery.path.model import fit_recovery
from msk_reserves.report.claim_plot import plot_claim, plot_remaining_days
from msk_reserves.report.occupation_plot import plot_occupation
from msk_reserves.report.reserve_plots import plot_bands, plot_exceedance
from msk_reserves.report.style import DollarMarks, money, shown
from msk_reserves.report.survival_plot import plot_survival
from msk_reserves.reserves.distribution import BAND_LEVELS
from tests.worlds.forecasts import ledger_book, made_forecast, undated_book

RECOVERY = fit_recovery(ledger_book(), candidates=("weibull",), covariates=())
OFF_WORK = str(ledger_book().claims["claim_id"][ledger_book().position.off_work()].iloc[0])

PLOTS: dict[str, Callable[[Axes | None], Axes]] = {
    "bands": lambda ax: plot_bands(made_forecast(), ax=ax),
    "exceedance": lambda ax: plot_exceedance(made_forecast(), ax=ax),
    "exceedance of medical": lambda ax: plot_exceedance(made_forecast(), "medical", ax=ax),
    "survival": lambda ax: plot_survival(RECOVERY, ledger_book(), ax=ax),
    "survival without a model": lambda ax: plot_survival(None, undated_book(), ax=ax),
    "claim": lambda ax: plot_claim(made_forecast(), OFF_WORK, ax=ax),
    "occupation": lambda ax: plot_occupation(occupation_of_book(ledger_book()), ax=ax),
    "remaining days": lambda ax: plot_remaining_days(RECOVERY, ledger_book(), OFF_WORK, ax=ax),
}


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_returns_named_axes(name: str) -> None:
    """Each plot returns axes with a title and the unit on the horizontal axis, and shows as a PNG in a notebook."""
    axes = PLOTS[name](None)
    assert isinstance(axes, Axes)
    assert axes.get_title(loc="left")
    assert "dollars" in axes.get_xlabel() or "days" in axes.get_xlabel()
    assert shown(axes).startswith(b"\x89PNG")


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_draws_on_the_axes_given(name: str) -> None:
    """Axes that are given are drawn on and returned, and no other figure is made."""
    mine = Figure().add_subplot()
    assert PLOTS[name](mine) is mine
    assert mine.has_data()


def test_no_global_plotting_state() -> None:
    """Plotting does not load pyplot, so no backend is chosen and no figure is kept alive."""
    code = (
        "import sys\n"
        "from msk_reserves.report.style import shown\n"
        "from msk_reserves.report.reserve_plots import plot_bands\n"
        "from tests.worlds.forecasts import made_forecast\n"
        "shown(plot_bands(made_forecast()))\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "False"


def test_bands_have_the_width_of_the_reserve() -> None:
    """The bars of a component and contract span its bands, the widest first."""
    forecast = made_forecast()
    axes = plot_bands(forecast)
    drawn = [bar for bar in axes.patches if isinstance(bar, Rectangle)]
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in drawn[: len(BAND_LEVELS)]]
    expected = [forecast.reserves["ffs"].band(level, "medical") for level in reversed(BAND_LEVELS)]
    np.testing.assert_allclose(bars, expected)


def test_a_band_without_width_is_still_seen() -> None:
    """A component that is certain has a mark at its mean."""
    axes = plot_bands(made_forecast(certain="expense"))
    assert any(np.allclose(line.get_xdata(), 250_000.0) for line in axes.lines)


def test_a_missing_component_is_said_to_be_missing() -> None:
    """A component the data cannot show has words in place of a bar, in both plots of components."""
    forecast = made_forecast(undated_book(), missing={"expense": "not in the source"})
    for axes in (plot_bands(forecast), plot_claim(forecast, "U-001")):
        assert "not in any figure" in [text.get_text() for text in axes.texts]
    with pytest.raises(ValueError, match="expense is not in this reserve"):
        plot_exceedance(forecast, "expense")


def test_exceedance_falls_and_ends_at_ten_scenarios() -> None:
    """Each curve falls from left to right, and its last point has ten scenarios beyond it."""
    forecast = made_forecast()
    axes = plot_exceedance(forecast)
    for line, reserve in zip(axes.lines[::2], forecast.reserves.values(), strict=True):
        dollars, chance = np.asarray(line.get_xdata()), np.asarray(line.get_ydata())
        assert (np.diff(dollars) >= 0).all()
        assert (np.diff(chance) < 0).all()
        assert (reserve.scenarios() > dollars[-1]).sum() == 10


def test_areas_of_the_states_fill_the_plot() -> None:
    """The areas of all states stack up to one, and the days named with them to the span."""
    shares = occupation_of_book(ledger_book())
    axes = plot_occupation(shares)
    tops = [np.asarray(path.vertices)[:, 1].max() for area in axes.collections for path in area.get_paths()]
    assert max(tops) == pytest.approx(1.0)
    legend = axes.get_legend()
    assert legend is not None
    days = [float(text.get_text().split(", ")[1].split(" ")[0].replace(",", "")) for text in legend.get_texts()]
    assert sum(days) == pytest.approx(shares.horizon - shares.start, abs=0.05 * len(days) + 1e-9)


def test_names_are_printed_as_they_are() -> None:
    """Dollar signs in the names of contracts are no formulas."""
    axes = plot_bands(made_forecast(names=("a $x_1$ b", "bundle $38k or $40k")))
    legend = axes.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["a $x_1$ b", "bundle $38k or $40k"]
    assert not any(text.get_parse_math() for text in legend.get_texts())
    shown(axes)


@pytest.mark.parametrize("n_contracts", [1, 3, 7])
def test_any_number_of_contracts(n_contracts: int) -> None:
    """One contract, or more than there are colours, can be drawn."""
    names = tuple(f"contract number {place}" for place in range(n_contracts))
    forecast = made_forecast(names=names)
    for axes in (plot_bands(forecast), plot_exceedance(forecast), plot_claim(forecast, OFF_WORK)):
        shown(axes)


def test_bands_are_said_to_be_predictive() -> None:
    """What the bands hold is printed with the bands, and left out where the page prints it."""
    forecast = made_forecast()
    said = forecast.what_a_band_holds()
    told = " ".join(" ".join(text.get_text().split()) for text in plot_bands(forecast).texts)
    assert said in told
    silent = " ".join(text.get_text() for text in plot_bands(forecast, with_note=False).texts)
    assert "predictive" not in silent


def test_unknown_claims_and_parts_are_refused() -> None:
    """A claim or component that is not there is named, and so are the ones that are."""
    with pytest.raises(ValueError, match=r"`claim_id` must be one of the book's .* got 'nobody'"):
        plot_claim(made_forecast(), "nobody")
    with pytest.raises(ValueError, match="`part` must be one of medical"):
        plot_exceedance(made_forecast(), "legal")
    back = str(ledger_book().claims["claim_id"][~ledger_book().position.off_work()].iloc[0])
    with pytest.raises(ValueError, match="`claim_id` must be a claim whose worker is off work"):
        plot_remaining_days(RECOVERY, ledger_book(), back)


def test_marks_of_one_axis_look_alike() -> None:
    """All marks of an axis have the same unit and as many decimals as their distance needs."""
    assert DollarMarks().format_ticks([0.0, 800_000.0, 1_600_000.0]) == ["$0", "$0.8M", "$1.6M"]
    assert DollarMarks().format_ticks([-500.0, 0.0, 500.0]) == ["-$500", "$0", "$500"]
    assert DollarMarks()(2_000_000.0) == money(2_000_000.0) == "$2.00M"
