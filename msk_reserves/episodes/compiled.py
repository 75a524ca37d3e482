"""How functions of the inner loop are compiled, and when a compiled loop kept on disk is still the right one."""

import inspect
import zlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

from numba import njit

Compiled = Callable[..., Any]

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False, "fastmath": {"contract"}}
"""The loop allocates nothing, so the counting of references to arrays, three quarters of its time, is left out. A
product and a sum may be one instruction with one rounding; nothing else of the arithmetic is loosened."""


def inlined(function: Compiled) -> Compiled:
    """Compile a function into the loop itself: a call would count references to every array it is handed."""
    done: Compiled = njit(**OPTIONS, inline="always")(function)
    return done


def kept(build: Callable[[int], Compiled], *parts: ModuleType) -> Compiled:
    """Compile a loop and keep the result on disk, so that only the first run on a machine waits for it.

    The compiler looks for changes in the file of the loop alone, but keeps results apart by what a function closes
    over. The loop therefore closes over a number made of the text of all its parts.

    Parameters
    ----------
    build : returns the loop, given that number.
    parts : modules whose functions are inlined into it.
    """
    text = "".join(inspect.getsource(part) for part in parts)
    done: Compiled = njit(**OPTIONS, cache=True)(build(zlib.crc32(text.encode())))
    return done
