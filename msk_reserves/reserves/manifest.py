"""What a result was made from, so that it can be made again."""

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version

from msk_reserves import __version__
from msk_reserves.claims.book import Assumption, ClaimBook, Decision, InputFile

LIBRARIES = ("numpy", "pandas", "scipy")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Inputs with their hashes, seed, versions, methods and assumptions behind a result.

    Attributes
    ----------
    as_of : valuation date, or "undated".
    seed, scenarios, parameter_draws, horizon_days : settings of the simulation.
    versions : of this library, Python and the numerical libraries.
    inputs : the tables read.
    methods : name of each method used, by what it does.
    contracts : terms in words, by name.
    assumptions : what was assumed, with its source.
    decisions : rules applied while reading, with their counts.
    """

    as_of: str
    seed: int
    scenarios: int
    parameter_draws: int
    horizon_days: float
    versions: Mapping[str, str]
    inputs: tuple[InputFile, ...]
    methods: Mapping[str, str]
    contracts: Mapping[str, str]
    assumptions: tuple[Assumption, ...]
    decisions: tuple[Decision, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the manifest as plain dictionaries and lists."""
        return {
            "as_of": self.as_of,
            "seed": self.seed,
            "scenarios": self.scenarios,
            "parameter_draws": self.parameter_draws,
            "horizon_days": self.horizon_days,
            "versions": dict(self.versions),
            "inputs": [asdict(one) for one in self.inputs],
            "methods": dict(self.methods),
            "contracts": dict(self.contracts),
            "assumptions": [asdict(one) for one in self.assumptions],
            "decisions": [asdict(one) for one in self.decisions],
        }


def versions() -> dict[str, str]:
    """Return the versions of this library, Python and the numerical libraries in use."""
    ours = {"msk_reserves": __version__, "python": platform.python_version()}
    return ours | {name: version(name) for name in LIBRARIES}


def valuation(book: ClaimBook) -> str:
    """Return the valuation date in words."""
    return "undated" if book.valuation_date is None else str(book.valuation_date.date())
