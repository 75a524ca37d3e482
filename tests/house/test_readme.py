"""The README runs and its figures hold; the docs name what the code has, and nothing that it has not."""

import ast
import re
import runpy
import shlex
from importlib import import_module
from pathlib import Path

import pytest

from msk_reserves.claims.benefit_rules import AWARD_COLUMNS, BENEFITS, FORMULAS, PARTS as RATED, RULE_COLUMNS
from msk_reserves.claims.schema import CHILDREN, CLAIMS, DERIVED, ENTRY_RULES
from msk_reserves.claims.vocabulary import BODY_PARTS, CATEGORIES, EVENTS, INSTRUMENTS, STATES
from msk_reserves.cli import parser
from msk_reserves.contracts.agreements.reading import SHIPPED, preset_names, read_agreement
from msk_reserves.contracts.files import KEYS, read_contract
from msk_reserves.reserves.distribution import PARTS
from msk_reserves.reserves.forecast import Forecast

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))

SCENARIOS = 800
"""Scenarios the example is run with instead of its own 10,000."""

ERRORS = 5.0
"""Simulation errors of this run by which a mean may differ from the README's: with some 200 batches one mean in a
million lies further off by chance, and the seed is fixed."""


def text_of(name: str) -> str:
    """Return a page."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """Return the code blocks of a page in one language ("" for none)."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text_of(name), flags=re.MULTILINE | re.DOTALL)
    return [code for said, code in fenced if said == language]


def words(name: str) -> set[str]:
    """Return every word a page sets in code type."""
    return set(re.findall(r"`([^`\n]+)`", text_of(name)))


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Run the README's Python in an empty folder on fewer scenarios and return what it defined."""
    (code,) = blocks("README.md", "python")
    assert code.count("scenarios=10_000") == 1
    folder = tmp_path_factory.mktemp("readme")
    script = tmp_path_factory.mktemp("script") / "readme.py"
    script.write_text(code.replace("10_000", str(SCENARIOS)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        defined: dict[str, object] = runpy.run_path(str(script))
    defined["written"] = sorted(path.name for path in folder.iterdir())
    return defined


def demo_means() -> dict[tuple[str, str], float]:
    """Return the means of the README's table by contract and component."""
    (shown,) = re.findall(r"<!-- demo -->\n```\n(.*?)```\n<!-- /demo -->", text_of("README.md"), flags=re.DOTALL)
    found, contract = {}, ""
    # Claims not yet reported follow after a blank line, in a table of their own.
    for line in shown.split("\n\n")[0].splitlines():
        row = re.match(rf"(\S*)\s+({'|'.join(PARTS)})\s+([\d,]+)\s", line)
        if row is not None:
            contract = row[1] or contract
            found[contract, row[2]] = float(row[3].replace(",", ""))
    return found


def test_the_example_runs_and_writes(example: dict[str, object]) -> None:
    """The README's Python runs as it stands, but for the number of scenarios, and writes its report."""
    assert example["written"] == ["report.html"]
    assert isinstance(example["forecast"], Forecast)


def test_the_demo_table_holds(example: dict[str, object]) -> None:
    """The means under fee for service that the README shows are those the library computes."""
    forecast, shown = example["forecast"], demo_means()
    assert isinstance(forecast, Forecast)
    reserve = forecast.reserves["fee for service"]
    assert f"{len(forecast.book):,} reported claims" in text_of("README.md")
    for part in PARTS:
        distance = abs(shown["ffs", part] - reserve.mean(part)) / reserve.monte_carlo_error(part)
        assert distance < ERRORS, f"{part}: {shown['ffs', part]:,.0f} in README.md, now {reserve.mean(part):,.0f}"


def test_the_demo_table_adds_up() -> None:
    """Totals are the sums of their components, and a bundle of medical care leaves the others as they are."""
    shown = demo_means()
    assert set(shown) == {(contract, part) for contract in ("ffs", "bundle") for part in PARTS}
    for contract in ("ffs", "bundle"):
        assert shown[contract, "total"] == pytest.approx(sum(shown[contract, part] for part in PARTS[:-1]), abs=2)
    assert all(shown["ffs", part] == shown["bundle", part] for part in ("indemnity", "expense"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link of a page inside the repository leads to a file."""
    measured = {page.name for page in PAGES if page.name.endswith("benchmarks.md")}
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link]
    assert local or page.name in {"architecture.md", "coverage.md", "glossary.md", "prognosis.md"} | measured
    for link in local:
        assert (page.parent / link).exists(), f"{page.name} links to {link}"


def test_commands_shown_can_be_given() -> None:
    """Every command line of the pages is one the parser takes."""
    shown = "".join(code for name in ("README.md", "docs/command_line.md") for code in blocks(name, ""))
    commands = [line for line in shown.splitlines() if line.startswith("msk-reserves ")]
    assert len(commands) >= 6
    for line in commands:
        assert parser().parse_args(shlex.split(line)[1:]).run


def test_command_line_page_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    """The page of the command line names the commands and options there are, and no other."""
    page = text_of("docs/command_line.md")
    commands = re.findall(r"^## `(.+)`$", page, flags=re.MULTILINE)
    for command in ([], *([name] for name in commands)):
        with pytest.raises(SystemExit):
            parser().parse_args([*command, "--help"])
    helped = capsys.readouterr().out
    assert commands == re.findall(r"^    ([a-z][a-z-]*)(?: |$)", helped, flags=re.MULTILINE)
    options = r"(?<![\w-])--[a-z][a-z-]*"
    assert set(re.findall(options, page)) == set(re.findall(options, helped))


def test_data_model_page_names_everything() -> None:
    """The page of the data model names every table, column, word, state, entry rule and key of a contract."""
    columns = {name for table in CHILDREN.values() for name in table}
    names = {*CLAIMS, *DERIVED, *CHILDREN, *columns, *EVENTS, *CATEGORIES, *INSTRUMENTS, *STATES, *ENTRY_RULES}
    law = {*RULE_COLUMNS, *AWARD_COLUMNS, *BENEFITS, *FORMULAS, *RATED}
    assert (names | law | set(BODY_PARTS)) - words("docs/data_model.md") == set()
    (contract,) = blocks("docs/data_model.md", "toml")
    assert [key for key in KEYS if not re.search(rf"\b{key}\b", contract)] == []


def test_contract_shown_can_be_read(tmp_path: Path) -> None:
    """The contract file of the data model's page is one the library reads."""
    path = tmp_path / "shown.toml"
    path.write_text(blocks("docs/data_model.md", "toml")[0], encoding="utf-8")
    assert read_contract(path).name == "shoulder bundle"


def test_defaults_are_those_of_the_code() -> None:
    """Every constant in the methods' list of defaults has that value in the code."""
    rows = re.findall(r"^\| `(\w+(?:\.\w+)+)` \| (.+?) \| .+ \|$", text_of("docs/methods.md"), flags=re.MULTILINE)
    assert len(rows) > 30
    for place, value in rows:
        parts = place.split(".")
        # A large room has floors: the module is then a name further in.
        depth = 3 if len(parts) > 3 and (ROOT / "msk_reserves" / parts[0] / parts[1] / f"{parts[2]}.py").exists() else 2
        inside = parts[depth:]
        found: object = import_module(".".join(("msk_reserves", *parts[:depth])))
        for step, name in enumerate(inside):
            owner = found() if step and isinstance(found, type) else found
            found = getattr(owner, name)
        assert found == ast.literal_eval(value), f"`{place}` is {found!r}, the page says {value}"


def test_architecture_page_shows_the_rooms() -> None:
    """The architecture page lists every room with its caption."""
    page = text_of("docs/architecture.md")
    for folder in sorted((ROOT / "msk_reserves").iterdir()):
        if (folder / "__init__.py").exists():
            caption = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
            assert re.search(rf"{folder.name}/ +{re.escape(str(caption))}", page), folder.name


def test_contracts_page_names_every_term_and_preset(tmp_path: Path) -> None:
    """The page of contracts names every term and preset there is, its file can be read, its examples run."""
    page = text_of("docs/contracts.md")
    assert [term.__name__ for term in SHIPPED if not re.search(rf"\b{term.__name__}\b", page)] == []
    assert set(preset_names()) - words("docs/contracts.md") == set()
    path = tmp_path / "shown.toml"
    path.write_text(blocks("docs/contracts.md", "toml")[0], encoding="utf-8")
    assert read_agreement(path).name == "shoulder savings"
    (tmp_path / "episodes.csv").write_text("episode_id,cost,quality_score\na,30000,80\n", encoding="utf-8")
    for place, code in enumerate(blocks("docs/contracts.md", "python")):
        script = tmp_path / f"shown_{place}.py"
        script.write_text(code, encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path)
            runpy.run_path(str(script))
