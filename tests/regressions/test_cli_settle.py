"""`msk-reserves settle`: what it prints and writes, and that everything wrong ends in one message and code 2."""

from pathlib import Path

import pandas as pd
import pytest

from msk_reserves.cli import main
from tests.worlds.settled import frame


def saved(folder: Path, name: str, table: pd.DataFrame) -> str:
    """Write a table and return its path."""
    table.to_csv(folder / name, index=False)
    return str(folder / name)


def test_settle_prints_every_step_and_writes_the_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A preset with cells prints its term sheet, steps and accounts, and writes four tables that agree."""
    episodes = frame([27_000.0, 25_000.0], cell="470", category="LEJR", quality_score=50, risk_multiplier=1.0)
    episodes = episodes.assign(baseline_episodes=48, post_cost=0, post_limit=0, pool=["001", "002"])
    factors = ("prospective_trend", "realised_trend", "prospective_normalization", "final_normalization")
    means = {f"{level}_{year}": [26_000] for level in ("regional", "national") for year in (1, 2, 3)}
    cells = pd.DataFrame({"cell": ["470"], **means, **{name: [1.0] for name in factors}, "outlier_cap": [60_000]})
    out = tmp_path / "out"
    given = [saved(tmp_path, "episodes.csv", episodes), "--cells", saved(tmp_path, "cells.csv", cells)]
    assert main(["settle", "team-track-3", *given, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "TEAM, track 3" in shown
    assert "not confirmed" in shown
    assert "quality scale" in shown
    assert sorted(path.name for path in out.iterdir()) == [
        "accounts.csv",
        "categories.csv",
        "episodes.csv",
        "pools.csv",
    ]
    pools = pd.read_csv(out / "pools.csv", dtype={"pool": str})
    # 25,480 less 27,000, eased by 5 %; 25,480 less 25,000, cut by 5 %.
    assert pools["pool"].tolist() == ["001", "002"]
    assert pools["result"].tolist() == pytest.approx([-1_444, 456])
    assert pd.read_csv(out / "episodes.csv")["result"].tolist() == pytest.approx([-1_444, 456])


def test_cost_may_come_from_services(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With services, an episode costs what the window covers; without a window they cannot be used."""
    rows = pd.DataFrame({"episode_id": ["a"], "schedule": [10_000]})
    columns = ["episode_id", "category", "from_day", "to_day", "dollars"]
    services = pd.DataFrame([("a", "facility", 1, 1, 5_000), ("a", "therapy", 31, 31, 700)], columns=columns)
    files = [saved(tmp_path, "rows.csv", rows), "--services", saved(tmp_path, "services.csv", services)]
    assert main(["settle", "surgical-fixed-price", *files]) == 0
    assert "1,500.00" in capsys.readouterr().out
    assert main(["settle", "ffs", *files]) == 2
    assert "`--services` needs a `window`" in capsys.readouterr().err


def test_a_value_is_set_from_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--set` takes a TOML value by its place; what is no value is one message."""
    files = [saved(tmp_path, "episodes.csv", frame([8_000.0], schedule=10_000))]
    assert main(["settle", "surgical-fixed-price", *files, "--set", "fee_schedule.share=0.9"]) == 0
    shown = capsys.readouterr().out
    assert "fee_schedule.share = 0.9: an assumption; set by the reader of the file" in shown
    assert "1,000.00" in shown
    assert main(["settle", "surgical-fixed-price", *files, "--set", "fee_schedule.share"]) == 2
    assert "`--set` must be KEY=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("contract", "text", "said"),
    [
        ("team", "episode_id,cost\na,1\n", "the contract must be a preset"),
        ("ffs", None, "there is no file"),
        ("ffs", "", "not a CSV file"),
        ("ffs", "episode_id,cost\na,-1\nb,\n", "row 1: `cost` must not be negative"),
        ("provencare", "episode_id,cost\na,1\n", "the column `elements_met` is missing; 'quality gate' reads it"),
    ],
)
def test_what_is_wrong_is_one_message(
    contract: str, text: str | None, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code 2, the message on the error stream, nothing on the other."""
    path = tmp_path / "episodes.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    assert main(["settle", contract, str(path), "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert not shown.out
    assert not (tmp_path / "out").exists()


def test_two_sides_are_told_where_they_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--against` names the first step that differs, or says that nothing does."""
    ours = saved(tmp_path, "ours.csv", frame([8_000.0, 5_000.0], schedule=10_000))
    theirs = saved(tmp_path, "theirs.csv", frame([8_000.0, 5_400.0], schedule=10_000))
    assert main(["settle", "surgical-fixed-price", ours, "--against", theirs]) == 0
    shown = capsys.readouterr().out
    assert "first step that differs" in shown
    assert "5,000.00" in shown
    assert "5,400.00" in shown
    assert main(["settle", "surgical-fixed-price", ours, "--against", ours]) == 0
    assert "nothing differs from" in capsys.readouterr().out
