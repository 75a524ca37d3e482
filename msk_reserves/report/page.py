"""One page an actuary can file: figures, their price, their limits and what they were made from."""

import base64
import io
import os
import tempfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl
from jinja2 import Environment, StrictUndefined
from matplotlib.axes import Axes

from msk_reserves import __version__
from msk_reserves.certainty.four_worlds import FourWorlds
from msk_reserves.certainty.gain import CertaintyGain, certainty_gain
from msk_reserves.certainty.layers import UncertaintyLayers
from msk_reserves.certainty.sentences import three_sentences
from msk_reserves.cost.record import Cost
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.recovery.quality.verdict import RecoveryAssessment, assess_recovery
from msk_reserves.report.certainty_plots import plot_variation, plot_waterfall
from msk_reserves.report.certainty_sections import layer_table, world_tables
from msk_reserves.report.disclosures import disclosures
from msk_reserves.report.quality_plots import plot_calibration, plot_predicted_and_observed
from msk_reserves.report.reserve_plots import plot_bands, plot_exceedance
from msk_reserves.report.sections import (
    Table,
    closed_table,
    data_tables,
    gain_table,
    pairs,
    period_table,
    rate_tables,
    recovery_table,
    relativity_tables,
    reserve_tables,
    short_table,
    standing_table,
    terms_table,
    timing_tables,
    unreported_table,
    verdict_table,
)
from msk_reserves.report.sides import side_tables
from msk_reserves.report.survival_plot import plot_survival
from msk_reserves.reserves.cash_flows import CashFlows
from msk_reserves.reserves.discount import DiscountCurve
from msk_reserves.reserves.distribution import PARTS
from msk_reserves.reserves.forecast import Forecast

HASH_SALT = "msk-reserves"
"""Fixes the names inside an SVG, which are otherwise drawn at random: the same forecast gives the same bytes."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot ready to be shown: its data, what it shows in words, its size in CSS pixels, and its caption."""

    source: str
    alternative: str
    width: int
    height: int
    caption: str


def write_report(
    forecast: Forecast,
    path: str | Path,
    *,
    recovery: Recovery | None = None,
    cost: Cost | None = None,
    before: str | None = None,
    after: str | None = None,
    timed: tuple[CashFlows, DiscountCurve] | None = None,
    worlds: FourWorlds | None = None,
    layers: UncertaintyLayers | None = None,
) -> Path:
    """Write the report of a forecast as one HTML page that needs nothing beside it.

    Parameters
    ----------
    forecast : reserves under one or more contracts.
    path : where to write; replaced whole or not at all.
    recovery, cost : the models behind it, shown if given.
    before, after : contracts to compare; the first against each of the others when not given.
    timed : when the dollars fall due and at what rates they are discounted, shown if given.
    worlds, layers : who made the change and which uncertainty it is, shown if given.

    Returns
    -------
    pathlib.Path
        The page. The same forecast gives the same bytes.

    Raises
    ------
    ValueError
        If a contract is not in the forecast.
    """
    target = Path(path)
    text = report_html(
        forecast,
        recovery=recovery,
        cost=cost,
        before=before,
        after=after,
        timed=timed,
        worlds=worlds,
        layers=layers,
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".writing-", suffix=".html")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as page:
            page.write(text)
        Path(temporary).replace(target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return target


def report_html(
    forecast: Forecast,
    *,
    recovery: Recovery | None = None,
    cost: Cost | None = None,
    before: str | None = None,
    after: str | None = None,
    timed: tuple[CashFlows, DiscountCurve] | None = None,
    worlds: FourWorlds | None = None,
    layers: UncertaintyLayers | None = None,
) -> str:
    """Return the report of a forecast as HTML text; arguments as in `write_report`."""
    gains = comparisons(forecast, before, after)
    survival, no_survival = _survival(forecast, recovery)
    assessment, not_assessed = _assessed(forecast, recovery)
    folder = files("msk_reserves.report")
    house = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page = house.from_string((folder / "page.html").read_text(encoding="utf-8"))
    made = forecast.manifest
    return page.render(
        style=(folder / "page.css").read_text(encoding="utf-8"),
        forecast=forecast,
        made=made,
        version=__version__,
        short=short_table(forecast),
        reserves=(*reserve_tables(forecast), closed_table(forecast)),
        unreported=None if forecast.ibnr is None else (unreported_table(forecast.ibnr), period_table(forecast.ibnr)),
        timing=() if timed is None else timing_tables(*timed),
        gains=[
            (gain_table(forecast, gain), three_sentences(forecast, gain), [line.strip() for line in _told(gain)])
            for gain in gains
        ],
        worlds=None if worlds is None else (str(worlds).splitlines(), world_tables(worlds), _waterfall(worlds)),
        layers=None if layers is None else (str(layers).splitlines(), layer_table(layers), _variation(layers)),
        sides=side_tables(forecast),
        pooled=bool(forecast.reconciliations),
        pictures=_pictures(forecast),
        survival=survival,
        no_survival=no_survival,
        standing=(standing_table(forecast), terms_table(forecast)),
        data=data_tables(forecast.book),
        recovery=None if recovery is None else recovery_table(recovery),
        beyond=() if recovery is None else _beyond(recovery),
        verdict=not_assessed if assessment is None else assessment.verdict,
        checks=None if assessment is None else verdict_table(assessment),
        quality=() if assessment is None else _quality(assessment),
        rates=() if cost is None else rate_tables(cost),
        relativities=() if cost is None else relativity_tables(cost),
        absent=_absent(forecast),
        set_aside=forecast.set_aside,
        disclosures=disclosures(forecast),
        manifest=_manifest_tables(forecast),
    )


def _told(gain: CertaintyGain) -> list[str]:
    """Return a comparison line by line, without its heading."""
    return str(gain).splitlines()[1:]


def comparisons(forecast: Forecast, before: str | None = None, after: str | None = None) -> tuple[CertaintyGain, ...]:
    """Return what each contract narrows against the first, or against `before`; only `after` where it is given."""
    first = next(iter(forecast.reserves)) if before is None else before
    others = [name for name in forecast.reserves if name != first] if after is None else [after]
    return tuple(certainty_gain(forecast, first, name) for name in others)


def picture(axes: Axes, alternative: str, caption: str = "") -> Picture:
    """Return a plot as a picture inside the page, the same bytes for the same plot.

    Parameters
    ----------
    axes : the plot.
    alternative : what it shows, for readers who cannot see it.
    caption : what is printed beneath.
    """
    figure = axes.get_figure(root=True)
    if figure is None:
        raise ValueError("`axes` must be in a figure, got axes that were removed from theirs")
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": HASH_SALT, "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    width, height = figure.get_size_inches() * 96
    source = "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
    return Picture(source, alternative, round(width), round(height), caption)


def _pictures(forecast: Forecast) -> list[Picture]:
    """Return the plots of the reserves."""
    told = "; ".join(repr(reserve) for reserve in forecast.reserves.values())
    return [
        picture(
            plot_bands(forecast, with_note=False),
            f"Predictive bands of unpaid cost by component and contract. {told}",
            forecast.what_a_band_holds(),
        ),
        picture(
            plot_exceedance(forecast),
            f"Chance that total unpaid cost exceeds an amount, by contract. {told}",
            "Each curve ends where ten scenarios lie beyond it; its last part rests on few.",
        ),
    ]


def _waterfall(worlds: FourWorlds) -> Picture:
    """Return the waterfall of the mean."""
    return picture(plot_waterfall(worlds), f"Mean unpaid cost from one contract to the other, cause by cause. {worlds}")


def _variation(layers: UncertaintyLayers) -> Picture:
    """Return the curves of variation by number of claims."""
    return picture(plot_variation(layers), f"Standard deviation over mean by number of claims. {layers}")


def _survival(forecast: Forecast, recovery: Recovery | None) -> tuple[Picture | None, str]:
    """Return the plot of time off work, or why there is none."""
    try:
        axes = plot_survival(recovery, forecast.book)
    except ValueError as error:
        return None, str(error)
    caption = (
        "Share of workers still in their first stay off work; the band is a pointwise 95 % confidence interval of the "
        "observed curve, with stays counted from the day they could first have been in the file."
    )
    if recovery is not None:
        caption += " The dashed curve averages the fitted laws over the claims."
    return picture(axes, axes.get_title(loc="left"), caption), ""


def _assessed(forecast: Forecast, recovery: Recovery | None) -> tuple[RecoveryAssessment | None, str]:
    """Return the checks of the recovery on the claims of the forecast, or why there are none."""
    if recovery is None:
        return None, ""
    try:
        return assess_recovery(recovery, forecast.book), ""
    except ValueError as error:
        return None, f"The recovery model was not judged: {error}."


def _quality(found: RecoveryAssessment) -> list[Picture]:
    """Return the plots of predicted and observed returns of the first stay off work."""
    judged = found.judged[0]
    seen = [judged.calibration(day) for day in judged.horizons.tolist() if judged.watched_to(day)]
    told = "; ".join(repr(one) for one in seen)
    return [
        picture(plot_calibration(seen), f"Predicted and observed share returned by group of predicted risk. {told}"),
        picture(
            plot_predicted_and_observed(found.groups[0]),
            f"Predicted and observed share returned by group. {judged!r}",
            "Observed shares count stays watched from one common day, with competing exits; a prediction outside the "
            "interval in one group of twenty is chance.",
        ),
    ]


def _beyond(recovery: Recovery) -> tuple[str, ...]:
    """Say how far the recovery model speaks of more than was seen."""
    return tuple(
        f"{share:.0%} of the mean stay in {state.replace('_', ' ')} (to ten years) lies beyond the longest seen"
        for state, share in recovery.beyond_data
        if share > 0.1
    )


def _absent(forecast: Forecast) -> tuple[tuple[str, str], ...]:
    """Return what is in no figure, each with its reason."""
    missing = next(iter(forecast.reserves.values())).missing
    unreported = () if forecast.ibnr is not None else (("claims not yet reported (IBNR)", forecast.ibnr_reason),)
    return (*unreported, *((part, missing[part]) for part in PARTS if part in missing))


def _manifest_tables(forecast: Forecast) -> tuple[Table, ...]:
    """Return what the figures were made from."""
    made = forecast.manifest
    settings = {
        "valuation date": made.as_of,
        "seed": made.seed,
        "scenarios": f"{made.scenarios:,}",
        "parameter draws": f"{made.parameter_draws:,}",
        "horizon": f"{made.horizon_days:,.0f} days",
        **{f"version of {name}": value for name, value in made.versions.items()},
    }
    inputs = tuple((one.table, one.origin, f"{one.rows:,}", one.sha256) for one in made.inputs)
    assumptions = tuple((one.name.replace("_", " "), one.value, one.source) for one in made.assumptions)
    decisions = tuple((one.rule.replace("_", " "), one.meaning, f"{one.count:,}") for one in made.decisions)
    return (
        Table("Tables read", ("table", "origin", "rows", "SHA-256"), inputs, words=(0, 1, 3), stacks=True),
        pairs(settings, "Settings and versions", ("what", "value")),
        pairs(made.methods, "Methods", ("step", "method")),
        Table("Assumptions", ("assumption", "value", "source"), assumptions, words=(0, 1, 2), stacks=True),
        Table("Rules applied to the data", ("rule", "meaning", "count"), decisions, words=(0, 1), stacks=True),
    )
