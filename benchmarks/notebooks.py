"""Run every notebook from a fresh kernel and keep what it shows: `make notebooks`, after figures have moved."""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
KERNEL = "this-python"

# nbformat's functions carry no types.
read: Callable[..., Any] = nbformat.read
write: Callable[..., None] = nbformat.write


def main() -> None:
    """Run the notebooks in order, each in an empty folder."""
    with tempfile.TemporaryDirectory() as place:
        kernel = Path(place) / "kernels" / KERNEL
        kernel.mkdir(parents=True)
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": command, "display_name": KERNEL, "language": "python"}
        (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
        # A list of fonts kept by another environment names files this one may not have.
        os.environ |= {"JUPYTER_PATH": place, "MPLCONFIGDIR": str(Path(place) / "fonts")}
        for path in sorted(FOLDER.glob("*.ipynb")):
            run(path)


def run(path: Path) -> None:
    """Run one notebook and write it back with its outputs, its own kernel's name kept."""
    notebook = read(path, as_version=4)
    named = dict(notebook.metadata)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(notebook, timeout=600, kernel_name=KERNEL, resources={"metadata": {"path": folder}})
        client.execute()
    notebook.metadata.update(named)
    for cell in notebook.cells:
        # When a cell ran says nothing to a reader and would change on every run.
        cell.metadata.pop("execution", None)
    write(notebook, path)
    print(path.name)


if __name__ == "__main__":
    main()
