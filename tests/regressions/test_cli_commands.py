"""The command line: what it writes, and that everything wrong ends in one message and a code, never a traceback."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from msk_reserves import __version__
from msk_reserves.cli import COMMANDS, main
from tests.worlds.simple import VALUATION, simple_world

AS_OF = str(VALUATION.date())

BUNDLE = """\
name = "knee bundle"
type = "fixed_price"
price = 9_000
refund = { share = 0.2, not_back_by_days = 182 }
"""


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with small tables and a contract."""
    folder = tmp_path_factory.mktemp("tables")
    world = simple_world(150, 21)
    for name in ("claims", "events", "payments"):
        getattr(world, name).to_csv(folder / f"{name}.csv", index=False, date_format="%Y-%m-%d")
    (folder / "bundle.toml").write_text(BUNDLE, encoding="utf-8")
    return folder


def named(folder: Path, *more: str) -> list[str]:
    """Return the options that name the tables, and further ones."""
    found = (f"--{name}={folder / name}.csv" for name in ("claims", "events", "payments"))
    return [*found, *more]


def test_forecast_writes_its_files(tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`forecast` prints the reserves and writes its files; `ffs` comes first though only others were named."""
    out = tmp_path / "out"
    contracts = ["--contract", str(tables / "bundle.toml"), "--contract", "guaranteed-msk-bundle"]
    options = ["--as-of", AS_OF, *contracts, "--scenarios", "40", "--seed", "7", "--discount", "0.03", "0.04"]
    assert main(["forecast", *named(tables), *options, "--out", str(out)]) == 0
    shown = capsys.readouterr()
    assert sorted(one.name for one in out.iterdir()) == ["cash_flows.csv", "claims.csv", "report.html", "reserves.json"]
    found = json.loads((out / "reserves.json").read_text(encoding="utf-8"))
    assert list(found["reserves"]) == ["ffs", "knee bundle", "guaranteed MSK bundle"]
    assert (found["as_of"], found["seed"], found["scenarios"]) == (AS_OF, 7, 40)
    assert list(found["certainty"]) == ["knee bundle against ffs", "guaranteed MSK bundle against ffs"]
    assert "guaranteed MSK bundle: " in shown.out
    assert set(found["bearers"]) == {"knee bundle", "guaranteed MSK bundle"}
    margin = found["bearers"]["guaranteed MSK bundle"]
    # What the payer pays more than under fee for service, the seller makes.
    more = [found["reserves"][name]["components"]["total"]["mean"] for name in ("guaranteed MSK bundle", "ffs")]
    assert margin["margin"] == pytest.approx(more[0] - more[1])
    assert margin["expected loss by its default"] is None
    assert found["reconciliations"]["guaranteed MSK bundle"]["pools"]["all"]["episodes"] == margin["episodes"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Both sides of the table" in page
    assert f"{margin['margin']:,.0f}" in page
    assert f"{found['reserves']['ffs']['components']['total']['mean']:,.0f}" in shown.out
    assert "knee bundle against ffs" in shown.out
    assert str(out / "report.html") in shown.out
    assert "recovery fitted in" in shown.err
    due = pd.read_csv(out / "cash_flows.csv").groupby(["contract", "component"])[["mean", "discounted"]].sum()
    for name in ("ffs", "knee bundle"):
        for part, figures in found["reserves"][name]["components"].items():
            assert due.loc[(name, part), "mean"] == pytest.approx(figures["mean"], rel=1e-9)
            assert 0.8 * figures["mean"] < due.loc[(name, part), "discounted"] < figures["mean"]
    assert "Worth today at 3.00%, 4.00% a year for payments in 1 to 2 years" in shown.out
    means = pd.read_csv(out / "claims.csv").groupby(["contract", "component"])["mean"].sum()
    for name, reserve in found["reserves"].items():
        for part, figures in reserve["components"].items():
            assert means[name, part] == pytest.approx(figures["mean"], rel=1e-9)


def test_slips_are_found_before_the_work(
    tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong number of scenarios, or a file where the folder should be, is said before anything is fitted."""

    def fit(_book: object) -> None:
        raise AssertionError("fitted")

    monkeypatch.setattr(importlib.import_module(COMMANDS), "fit_recovery", fit)
    file = broken(tmp_path, "file", "")
    for more in (["--scenarios", "50", "--out", str(tmp_path / "out")], ["--out", file]):
        assert main(["forecast", *named(tables), "--as-of", AS_OF, *more]) == 2
    told = capsys.readouterr().err
    assert "`scenarios` must be a multiple of 20, got 50" in told
    assert "`out_dir` must be a folder" in told


def test_same_seed_same_files(tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same command writes the same bytes."""
    for name in ("one", "two"):
        options = ["--as-of", AS_OF, "--scenarios", "40", "--out", str(tmp_path / name)]
        assert main(["forecast", *named(tables), *options]) == 0
    capsys.readouterr()
    for file in ("claims.csv", "report.html", "reserves.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def broken(folder: Path, name: str, text: str) -> str:
    """Write a file and return its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("price = ", "not a TOML file"),
        (BUNDLE.replace("price", "prize"), "unknown key `prize`"),
        (BUNDLE.replace("9_000", "-1"), "`price` must not be negative, got -1"),
        (BUNDLE.replace('"knee bundle"', '"ffs"'), "another 'ffs'"),
    ],
)
def test_a_bad_contract_is_one_message(
    tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], toml: str, said: str
) -> None:
    """A contract file that cannot be used is named with what is wrong; the code is 2 and nothing is written."""
    contract = broken(tmp_path, "bad.toml", toml)
    options = ["--as-of", AS_OF, "--contract", contract, "--out", str(tmp_path / "out")]
    assert main(["forecast", *named(tables), *options]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (["--contract", "nowhere.toml"], "there is no file 'nowhere.toml'"),
        (["--in-force", "nowhere.toml"], "there is no file 'nowhere.toml'"),
        (["--claims", "nowhere.csv"], "`--claims` must be a CSV or Parquet file; there is no file 'nowhere.csv'"),
        (["--categories", "nowhere.csv"], "`--categories` must be a CSV file"),
        (["--as-of", "31.12.2024"], "31.12.2024"),
        (["--as-of", "1999-01-01"], "at least one reported claim"),
        (["--scenarios", "50"], "`scenarios` must be a multiple of 20, got 50"),
        (["--scenarios", "-20"], "`scenarios` must be a whole number"),
        (["--seed", "-1"], "`seed` must be a whole number"),
    ],
)
def test_a_wrong_value_is_one_message(
    tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changed: list[str], said: str
) -> None:
    """What is wrong with a value is said in one message; the code is 2 and nothing is written."""
    out = tmp_path / "out"
    assert main(["forecast", *named(tables), "--as-of", AS_OF, "--out", str(out), *changed]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["fly"], "invalid choice: 'fly'"),
        (["forecast"], "--claims"),
        (["forecast", "--claims", "c.csv", "--out", "o"], "one of the arguments --as-of --undated is required"),
        (["forecast", "--claims", "c.csv", "--as-of", AS_OF, "--undated", "--out", "o"], "not allowed with"),
        (["forecast", "--claims", "c.csv", "--as-of", AS_OF], "--out"),
        (["forecast", "--claims", "c.csv", "--as-of", AS_OF, "--out", "o", "--scenarios", "many"], "invalid int value"),
        (["demo"], "--out"),
        (["check-data", "--claims", "c.csv", "--on-defect", "repair"], "invalid choice: 'repair'"),
    ],
)
def test_wrong_options_are_explained(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    """Options that do not parse end with code 2 and the option's name."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert said in capsys.readouterr().err


def test_an_unknown_sample_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sample that is not shipped is refused with the names of those that are."""
    assert main(["demo", "--sample", "atlantis", "--out", str(tmp_path / "out")]) == 2
    assert "must be one of portfolio, shoulder" in capsys.readouterr().err


def test_check_data_prints_the_summary(tables: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Sound tables: what was read and decided, the book's summary, and code 0."""
    assert main(["check-data", *named(tables), "--as-of", AS_OF]) == 0
    told = capsys.readouterr().out
    assert "no defect" in told
    assert "Claims by state" in told


def test_check_data_prints_every_defect(tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Defects of two tables are all named, on the error stream, and the code is 1, set aside or not."""
    claims = pd.read_csv(tables / "claims.csv", dtype=str)
    claims.loc[3, "age"] = "-4"
    claims.loc[5, "body_part"] = "kneee"
    claims.to_csv(tmp_path / "claims.csv", index=False)
    options = ["check-data", *named(tables), "--claims", str(tmp_path / "claims.csv"), "--as-of", AS_OF]
    assert main(options) == 1
    told = capsys.readouterr().err
    assert "2 defects" in told
    assert "row 5" in told
    assert "row 7" in told
    assert main([*options, "--on-defect", "set_aside"]) == 1
    assert "2 claims set aside" in capsys.readouterr().out


def test_a_users_own_codes(tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Payment codes are mapped by a file; without it each unknown code is a defect that names it."""
    payments = pd.read_csv(tables / "payments.csv", dtype=str)
    payments["category"] = payments["category"].replace("ttd", "IND-01")
    payments.to_csv(tmp_path / "payments.csv", index=False)
    options = ["check-data", *named(tables), "--payments", str(tmp_path / "payments.csv")]
    assert main(options) == 1
    assert "IND-01" in capsys.readouterr().err
    mapping = broken(tmp_path, "map.csv", "code,category\nIND-01,ttd\n")
    assert main([*options, "--categories", mapping]) == 0
    capsys.readouterr()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs the columns `code` and `category`, got nothing"),
        ("code,component\nA,ttd\n", "needs the columns `code` and `category`"),
        ("code,category\nA,ttd\nA,ppd\n", "row 3 names the code 'A' a second time"),
        ("code,category\nA\n", "row 2 must hold a code and a category"),
    ],
)
def test_a_bad_mapping_is_one_message(
    tables: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    """A file of codes that cannot be used is named with its row."""
    mapping = broken(tmp_path, "map.csv", text)
    assert main(["check-data", *named(tables), "--categories", mapping]) == 2
    assert said in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the version and ends well."""
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"msk-reserves {__version__}\n"


def test_wrong_options_load_nothing_heavy() -> None:
    """Options are read before numpy, pandas or matplotlib are loaded, so a slip is answered at once."""
    code = (
        "import sys\n"
        "from msk_reserves.cli import main\n"
        "try:\n"
        "    main(['forecast'])\n"
        "except SystemExit:\n"
        "    print(sorted({'numpy', 'pandas', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]"
