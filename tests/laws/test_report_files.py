"""The files: the keys the data model lays down, the figures of the forecast, all written or none."""

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.report.files import CASH_FLOWS, CLAIMS, REPORT, RESERVES, claims_csv, results, write_results
from msk_reserves.reserves.discount import DiscountCurve
from msk_reserves.reserves.distribution import PARTS, QUANTILES, TAIL_LEVELS
from tests.worlds.forecasts import made_flows, made_forecast, undated_book

NUMBER, WHOLE, TEXT = "number", "whole", "text"

COMPONENT = {
    "mean": NUMBER,
    "sd": NUMBER,
    "quantiles": {f"{level:g}": NUMBER for level in QUANTILES},
    "tail_mean": {f"{level:g}": NUMBER for level in TAIL_LEVELS},
    "monte_carlo_error": NUMBER,
}
CLAIMS_COUNTED = {"mean": NUMBER, "sd": NUMBER, "quantiles": COMPONENT["quantiles"]}
GAIN = {
    "mean_change": NUMBER,
    "mean_change_error": NUMBER,
    "band_narrowing": {"0.9": NUMBER},
    "band_ratio": {"0.9": NUMBER},
    "tail_removed": NUMBER,
    "tail_removed_error": NUMBER,
    "price_of_certainty": NUMBER,
    "reason": TEXT,
}
SHAPE = {
    "as_of": TEXT,
    "seed": WHOLE,
    "scenarios": WHOLE,
    "open_claims": WHOLE,
    "claims": dict.fromkeys(("off_work", "modified_duty", "back_at_work", "other", "closed"), WHOLE),
    "set_aside": {"claims": WHOLE, "paid": NUMBER},
    "reserves": {name: {"components": dict.fromkeys(PARTS, COMPONENT)} for name in ("ffs", "bundle")},
    "closed_files": {"claims": WHOLE, "components": dict.fromkeys(PARTS, COMPONENT)},
    "ibnr": {
        name: {"components": dict.fromkeys(PARTS, COMPONENT), "claims": CLAIMS_COUNTED} for name in ("ffs", "bundle")
    },
    "ibnr_reason": TEXT,
    "certainty": {"bundle against ffs": dict.fromkeys(PARTS, GAIN)},
    "bearers": {},
    "reconciliations": {},
}
NULL_ALLOWED = ("price_of_certainty", "0.9")


def differences(found: object, shape: object, where: str = "") -> Iterator[str]:
    """Yield where a value departs from a shape."""
    if isinstance(shape, dict):
        if not isinstance(found, dict) or list(found) != list(shape):
            yield f"{where}: {found!r} has other keys than {list(shape)}"
            return
        for key, one in shape.items():
            yield from differences(found[key], one, f"{where}/{key}")
    elif found is None:
        if shape is not None and where.rsplit("/", 1)[-1] not in NULL_ALLOWED:
            yield f"{where}: null"
    elif shape == TEXT:
        if not isinstance(found, str) or not found:
            yield f"{where}: {found!r} is no text"
    elif isinstance(found, bool) or not isinstance(found, int if shape == WHOLE else (int, float)):
        yield f"{where}: {found!r} is no {shape}"
    elif not math.isfinite(found):
        yield f"{where}: {found!r} is not finite"


def strict(text: str) -> dict[str, object]:
    """Return JSON that holds no NaN or infinity."""

    def refuse(word: str) -> float:
        raise AssertionError(f"{word} in JSON")

    values: dict[str, object] = json.loads(text, parse_constant=refuse)
    return values


def test_keys_are_those_of_the_data_model(tmp_path: Path) -> None:
    """`reserves.json` has exactly the keys laid down, with a manifest at the end."""
    written = write_results(made_forecast(), tmp_path)
    found = strict(written[RESERVES].read_text(encoding="utf-8"))
    manifest = found.pop("manifest")
    assert list(differences(found, SHAPE)) == []
    assert isinstance(manifest, dict)
    assert {"versions", "inputs", "methods", "assumptions"} <= set(manifest)
    assert all(len(one["sha256"]) == 64 for one in manifest["inputs"])


def test_figures_are_those_of_the_forecast(tmp_path: Path) -> None:
    """Every figure in the file is the forecast's own, unrounded."""
    forecast = made_forecast()
    write_results(forecast, tmp_path)
    found = json.loads((tmp_path / RESERVES).read_text(encoding="utf-8"))
    for name, reserve in forecast.reserves.items():
        for part in PARTS:
            told = found["reserves"][name]["components"][part]
            assert told["mean"] == reserve.mean(part)
            assert told["sd"] == reserve.standard_deviation(part)
            assert told["monte_carlo_error"] == reserve.monte_carlo_error(part)
            assert told["quantiles"] == {f"{level:g}": reserve.quantile(level, part) for level in QUANTILES}
            assert told["tail_mean"] == {f"{level:g}": reserve.tail_mean(level, part) for level in TAIL_LEVELS}
    gain = found["certainty"]["bundle against ffs"]["medical"]
    widths = [np.diff(forecast.reserves[name].band(0.9, "medical"))[0] for name in ("ffs", "bundle")]
    assert gain["band_narrowing"]["0.9"] == pytest.approx(widths[0] - widths[1], rel=1e-12)
    assert gain["band_ratio"]["0.9"] == pytest.approx(widths[1] / widths[0], rel=1e-12)
    assert sum(found["claims"].values()) == len(forecast.book)
    assert 0 < found["open_claims"] <= len(forecast.book) - found["claims"]["closed"]


def test_missing_components_are_null_with_a_reason() -> None:
    """A component the data cannot show is null, its reason beside it; nothing is made up for it."""
    found = results(made_forecast(undated_book(), missing={"expense": "the source does not say"}))
    told = found["reserves"]
    assert isinstance(told, dict)
    for one in told.values():
        assert one["components"]["expense"] is None
        assert one["missing"] == {"expense": "the source does not say"}
        assert one["components"]["total"]["mean"] > 0
    assert found["as_of"] == "undated"
    assert found["set_aside"] == {"claims": 1, "paid": undated_book().set_aside.paid}


def test_a_band_without_width_has_no_ratio() -> None:
    """Where the band had no width before there is no ratio: null, never NaN."""
    found = results(made_forecast(certain="indemnity"))
    text = json.dumps(found, allow_nan=False)
    told = strict(text)["certainty"]
    assert isinstance(told, dict)
    assert told["bundle against ffs"]["indemnity"]["band_ratio"] == {"0.9": None}


def test_cash_flows_are_written_when_they_are_given(tmp_path: Path) -> None:
    """A row for each contract, quarter and component, which add up; the page has both sides and the years."""
    forecast, curve = made_forecast(), DiscountCurve((0.04,))
    flows = made_flows(forecast)
    written = write_results(forecast, tmp_path, timed=(flows, curve))
    assert list(written) == [RESERVES, CLAIMS, REPORT, CASH_FLOWS]
    table = pd.read_csv(written[CASH_FLOWS])
    assert list(table) == ["contract", "quarter", "from_day", "component", "mean", "discounted"]
    assert len(table) == 2 * 6 * len(PARTS)
    sums = table.groupby(["contract", "component"])[["mean", "discounted"]].sum()
    page = written[REPORT].read_text(encoding="utf-8")
    for name in forecast.reserves:
        for part in PARTS:
            nominal, worth = flows.discounted(name), flows.discounted(name, curve)
            assert sums.loc[(name, part)].tolist() == pytest.approx([nominal.mean(part), worth.mean(part)], rel=1e-9)
            assert f"{worth.mean(part):,.0f}" in page
    first_year = flows.by_quarter("bundle")["total"].head(4).sum()
    assert f"{first_year:,.0f}" in page
    assert "4.00% a year (given by the user)" in page


def test_claims_csv_holds_every_claim_that_may_cost() -> None:
    """A row for each claim, contract and component, columns as laid down, figures unrounded."""
    forecast = made_forecast()
    table = pd.read_csv(io.StringIO(claims_csv(forecast)), float_precision="round_trip")
    columns = ["claim_id", "contract", "component", "mean", "sd", "p05", "p50", "p95"]
    assert list(table) == [*columns, "days_remaining_mean", "days_remaining_p50", "probability_back_in_26_weeks"]
    assert len(table) == len(forecast.book) * 2 * len(PARTS)
    means = table[table["contract"] == "bundle"].pivot_table(index="claim_id", columns="component", values="mean")
    expected = forecast.claims[1, :, :, 0]
    for place, part in enumerate(PARTS):
        assert means[part].to_numpy().tolist() == expected[place].tolist()
    off = table.groupby("claim_id")["days_remaining_mean"].first().notna().to_numpy()
    assert off.sum() == sum(forecast.book.state_counts()[name] for name in ("off_work", "modified_duty"))


def test_missing_components_are_not_in_claims_csv() -> None:
    """A component that is not there has no rows."""
    forecast = made_forecast(undated_book(), missing={"expense": "the source does not say"})
    table = pd.read_csv(io.StringIO(claims_csv(forecast)))
    assert set(table["component"]) == {*COMPONENTS, "total"} - {"expense"}


@pytest.mark.parametrize("fails_at", [1, 2])
def test_nothing_is_written_when_a_step_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int) -> None:
    """A failure while the files are written leaves no new file and no folder."""
    count = iter(range(10))
    write = Path.write_text

    def fail(self: Path, text: str, encoding: str | None = None, newline: str | None = None) -> int:
        if next(count) == fails_at:
            raise OSError("no space left")
        return write(self, text, encoding=encoding, newline=newline)

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(OSError, match="no space left"):
        write_results(made_forecast(names=("ffs",)), tmp_path / "new" / "out")
    assert list(tmp_path.iterdir()) == []


def test_old_files_stand_when_a_step_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of an earlier run are as they were after a run that failed."""
    write_results(made_forecast(seed=1), tmp_path)
    before = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    assert set(before) == {RESERVES, CLAIMS, REPORT}

    def fail(self: Path, _text: str, encoding: str | None = None, newline: str | None = None) -> int:
        raise OSError(f"{self.name} {encoding} {newline}")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(OSError, match=RESERVES):
        write_results(made_forecast(seed=2), tmp_path)
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == before


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    """A file where the folder should be, or a folder where a file should be, is refused before any work."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="`out_dir` must be a folder, got the file"):
        write_results(made_forecast(), tmp_path / "file")
    (tmp_path / CLAIMS).mkdir()
    with pytest.raises(ValueError, match=r"`out_dir` holds a folder called 'claims\.csv'"):
        write_results(made_forecast(), tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == [CLAIMS, "file"]
