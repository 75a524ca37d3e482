"""Every example in a docstring runs and prints what it says."""

import doctest
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

import msk_reserves

PACKAGE = Path(msk_reserves.__file__).parent
MODULES = sorted(
    ".".join(("msk_reserves", *path.relative_to(PACKAGE).with_suffix("").parts))
    for path in PACKAGE.rglob("*.py")
    if path.name != "__init__.py"
)


def finder(module: ModuleType) -> list[doctest.DocTest]:
    """Return the examples of a module."""
    return [test for test in doctest.DocTestFinder().find(module) if test.examples]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name: str) -> None:
    """The examples of one module print what they say."""
    module = import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    for example in finder(module):
        runner.run(example)
    assert runner.failures == 0


def test_there_are_examples() -> None:
    """The walk above sees examples, not an empty list."""
    assert sum(len(finder(import_module(name))) for name in MODULES) > 30
