"""The pricing script of the documentation runs as it stands, with fewer scenarios."""

import re
from pathlib import Path

import pandas as pd
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "pricing.md"


def test_the_script_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints prices, tests of risk transfer and the frontier, and writes a row for every bundle."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    short = code.replace("scenarios=10_000, draws=50", "scenarios=400, draws=20")
    assert short != code
    monkeypatch.chdir(tmp_path)
    exec(compile(short, str(PAGE), "exec"), {})
    told = capsys.readouterr().out
    assert "all medical, payer pays again above $50,000: worth $" in told
    assert "expected deficit" in told
    table = pd.read_csv(tmp_path / "prices.csv")
    assert len(table) == 36 * 3 * 2 * 2
    assert set(table["scope"]) == {"all medical", "but drugs"}
