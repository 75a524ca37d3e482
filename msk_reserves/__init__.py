"""Reserves for workers' compensation musculoskeletal claims, under fee for service and under bundled contracts."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# The public names and the room each comes from. They are imported when first used, so that `import msk_reserves` does
# not pay for pandas, scipy and matplotlib; a test holds this list against the rooms.
_ROOM_OF = {
    "as_of_undated": "claims.tables",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module `msk_reserves` has no attribute {name!r}")
    return getattr(import_module(f"msk_reserves.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*_ROOM_OF, "__version__"])
