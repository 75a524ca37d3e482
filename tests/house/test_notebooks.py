"""Every notebook runs from a fresh kernel to its end without an error or a warning."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.rglob("*.ipynb"))

SECONDS_A_CELL = 300
"""Far more than any cell takes: a limit only for a kernel that hangs."""

KERNEL = "this-python"

# nbformat's functions carry no types.
read: Callable[..., Any] = nbformat.read
code_cell: Callable[..., Any] = nbformat.v4.new_code_cell


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name a kernel that is the Python of these tests, in folders of its own.

    matplotlib's too: a list of fonts kept by another environment names files this one may not have.
    """
    spec = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": KERNEL,
        "language": "python",
    }
    folder = tmp_path / "jupyter" / "kernels" / KERNEL
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    places = {
        "JUPYTER_PATH": "jupyter",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "IPYTHONDIR": "ipython",
        "MPLCONFIGDIR": "fonts",
    }
    for variable, place in places.items():
        monkeypatch.setenv(variable, str(tmp_path / place))
    return KERNEL


def test_the_notebooks_are_found() -> None:
    """The tests below see the notebooks, numbered in the order a newcomer reads them."""
    numbers = [int(path.name[:2]) for path in NOTEBOOKS if path.name[2] == "_"]
    assert len(numbers) == len(NOTEBOOKS)
    assert numbers == sorted(set(numbers))
    assert len(NOTEBOOKS) >= 2
    assert {path.name for path in FOLDER.iterdir()} - {".ipynb_checkpoints"} == {path.name for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path: Path, kernel: str, tmp_path: Path) -> None:
    """A notebook runs to its end in an empty folder, every warning an error."""
    notebook = read(path, as_version=4)
    nbformat.validate(notebook)
    strict = code_cell("import warnings\n\nwarnings.simplefilter('error')")
    notebook.cells.insert(0, strict)
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=SECONDS_A_CELL, kernel_name=kernel, resources=place).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) > 5
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    spoken = [output.text for cell in code for output in cell.outputs if output.get("name") == "stderr"]
    assert not spoken


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_outputs_are_of_one_run(path: Path) -> None:
    """What a reader sees without running was produced in order, without errors, and names no folder of a machine."""
    notebook = read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert outputs
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert str(FOLDER.parent) not in json.dumps(notebook)
