"""The three files of a forecast: figures for machines, figures by claim, the page for readers."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from msk_reserves.certainty.gain import CertaintyGain
from msk_reserves.claims.vocabulary import STATE_CODE
from msk_reserves.cost.record import Cost
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.report.page import comparisons, report_html
from msk_reserves.report.sides import side_figures
from msk_reserves.reserves.cash_flows import CashFlows
from msk_reserves.reserves.discount import DiscountCurve
from msk_reserves.reserves.distribution import PARTS, QUANTILES, TAIL_LEVELS, ReserveDistribution
from msk_reserves.reserves.forecast import Forecast
from msk_reserves.reserves.late_reports import NotYetReported

RESERVES, CLAIMS, REPORT = "reserves.json", "claims.csv", "report.html"

CASH_FLOWS = "cash_flows.csv"

JSON_BAND = 0.9
"""Level of the bands compared in the file of figures."""


def write_results(
    forecast: Forecast,
    out_dir: str | Path,
    *,
    recovery: Recovery | None = None,
    cost: Cost | None = None,
    timed: tuple[CashFlows, DiscountCurve] | None = None,
) -> dict[str, Path]:
    """Write `reserves.json`, `claims.csv` and `report.html`: all of them, or none.

    Parameters
    ----------
    forecast : the forecast.
    out_dir : the folder, made if it is not there; files of these names in it are replaced.
    recovery, cost : the models, shown in the report if given.
    timed : when the dollars fall due, and at what rates they are discounted; then `cash_flows.csv` is written too.

    Returns
    -------
    dict
        The path of each file by its name.

    Raises
    ------
    ValueError
        If `out_dir` is a file, or holds a folder by the name of one of the files.
    """
    folder = place_for_results(out_dir)
    contents = {
        RESERVES: json.dumps(results(forecast), indent=2, allow_nan=False, ensure_ascii=False) + "\n",
        CLAIMS: claims_csv(forecast),
        REPORT: report_html(forecast, recovery=recovery, cost=cost, timed=timed),
    }
    if timed is not None:
        contents[CASH_FLOWS] = cash_flows_csv(*timed)
    _write_together(folder, contents)
    return {name: folder / name for name in contents}


def place_for_results(out_dir: str | Path) -> Path:
    """Return the folder for the results if they can be written there, else say why not.

    Raises
    ------
    ValueError
        If `out_dir` is a file, or holds a folder by the name of one of the files.
    """
    folder = Path(out_dir)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"`out_dir` must be a folder, got the file {str(folder)!r}; name another")
    for name in (RESERVES, CLAIMS, REPORT, CASH_FLOWS):
        if (folder / name).is_dir():
            raise ValueError(f"`out_dir` holds a folder called {name!r}; remove it or name another `out_dir`")
    return folder


def results(forecast: Forecast) -> dict[str, object]:
    """Return the figures of a forecast as plain dictionaries, dollars unrounded.

    Parameters
    ----------
    forecast : the forecast.

    Returns
    -------
    dict
        As the data model lays down. `open_claims` counts the claims whose worker is alive and whose file is not
        closed; a component the data cannot show is None, with the reason under `missing`.
    """
    made = forecast.manifest
    state = forecast.book.position.state
    done = np.isin(state, [STATE_CODE["closed"], STATE_CODE["dead"]])
    return {
        "as_of": made.as_of,
        "seed": made.seed,
        "scenarios": made.scenarios,
        "open_claims": int((~done).sum()),
        "claims": dict(forecast.book.state_counts()),
        "set_aside": {"claims": len(forecast.set_aside.claim_ids), "paid": float(forecast.set_aside.paid)},
        "reserves": {name: _reserve(reserve) for name, reserve in forecast.reserves.items()},
        "closed_files": {"claims": forecast.book.state_counts()["closed"]} | _reserve(forecast.closed_files),
        "ibnr": None if forecast.ibnr is None else dict.fromkeys(forecast.reserves, _unreported(forecast.ibnr)),
        "ibnr_reason": forecast.ibnr_reason,
        "certainty": {gain.name: _gain(gain) for gain in comparisons(forecast)},
        **side_figures(forecast),
        "manifest": made.to_dict(),
    }


def claims_csv(forecast: Forecast) -> str:
    """Return the figures by claim, contract and component as CSV, dollars unrounded.

    Claims on which nothing may be paid any more, and nothing is expected, are left out.
    """
    table = forecast.claim_table()
    expected = np.abs(forecast.claims).sum(axis=(0, 1, 3)) > 0
    kept = forecast.book.claims["claim_id"].to_numpy()[expected | (forecast.book.position.state != STATE_CODE["dead"])]
    text: str = table[table["claim_id"].isin(kept)].to_csv(index=False, lineterminator="\n")
    return text


def cash_flows_csv(flows: CashFlows, curve: DiscountCurve) -> str:
    """Return the mean dollars by contract, quarter ahead and component, and their worth today, as CSV, unrounded."""
    frames = []
    for name in flows.dollars:
        table = (
            flows.by_quarter(name).reset_index().melt(["quarter", "from day"], var_name="component", value_name="mean")
        )
        table.insert(0, "contract", name)
        table["discounted"] = table["mean"] * curve.factor(flows.middles)[table["quarter"].to_numpy() - 1]
        frames.append(table.rename(columns={"from day": "from_day"}))
    text: str = pd.concat(frames, ignore_index=True).to_csv(index=False, lineterminator="\n")
    return text


def _reserve(reserve: ReserveDistribution) -> dict[str, object]:
    """Return one reserve by component."""
    components: dict[str, object] = {}
    for part in PARTS:
        if part in reserve.missing:
            components[part] = None
            continue
        # One pass over the sorted scenarios for all quantiles; the same definition as `ReserveDistribution.quantile`.
        found = np.quantile(reserve.scenarios(part), QUANTILES).tolist()
        components[part] = {
            "mean": reserve.mean(part),
            "sd": reserve.standard_deviation(part),
            "quantiles": {f"{level:g}": value for level, value in zip(QUANTILES, found, strict=True)},
            "tail_mean": {f"{level:g}": reserve.tail_mean(level, part) for level in TAIL_LEVELS},
            "monte_carlo_error": reserve.monte_carlo_error(part),
        }
    told: dict[str, object] = {"components": components}
    return told | ({"missing": dict(reserve.missing)} if reserve.missing else {})


def _unreported(found: NotYetReported) -> dict[str, object]:
    """Return the reserve for claims not yet reported, and their number."""
    levels = np.quantile(found.counts, QUANTILES).tolist()
    quantiles = {f"{level:g}": value for level, value in zip(QUANTILES, levels, strict=True)}
    number = {"mean": float(found.counts.mean()), "sd": float(found.counts.std(ddof=1)), "quantiles": quantiles}
    return _reserve(found.reserve) | {"claims": number}


def _gain(gain: CertaintyGain) -> dict[str, object]:
    """Return one comparison by component."""
    level = f"{JSON_BAND:g}"
    return {
        part: {
            "mean_change": one.mean_change,
            "mean_change_error": one.mean_change_error,
            "band_narrowing": {level: one.band_narrowing[JSON_BAND]},
            "band_ratio": {level: _number(one.band_ratio[JSON_BAND])},
            "tail_removed": one.tail_removed,
            "tail_removed_error": one.tail_removed_error,
            "price_of_certainty": one.price_of_certainty,
            "reason": one.reason,
        }
        for part, one in gain.components.items()
    }


def _number(value: float) -> float | None:
    """Return a number, None where there is none."""
    return value if np.isfinite(value) else None


def _write_together(folder: Path, contents: Mapping[str, str]) -> None:
    """Write every file beside its place, and only when all are there put them in it."""
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as temporary:
            for name, text in contents.items():
                (Path(temporary) / name).write_text(text, encoding="utf-8", newline="\n")
            for name in contents:
                (Path(temporary) / name).replace(folder / name)
    except BaseException:
        for one in made:
            if not any(one.iterdir()):
                one.rmdir()
        raise
