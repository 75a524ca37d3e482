"""The command `settle`: read a contract and episodes, settle, print every step, write the tables."""

import argparse
import tomllib
from pathlib import Path

import pandas as pd

from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.agreements.differing import where_they_differ
from msk_reserves.contracts.agreements.reading import read_agreement
from msk_reserves.contracts.agreements.settle import settle
from msk_reserves.contracts.agreements.settlement import Settlement
from msk_reserves.contracts.services import cost_of_services
from msk_reserves.contracts.table import EpisodeDataError, EpisodeTable, read_episodes, read_rows

TABLES = {
    "episodes.csv": "by_episode",
    "categories.csv": "by_category",
    "pools.csv": "by_pool",
    "accounts.csv": "by_account",
}
"""Files of a settlement and what makes them."""

SHOWN = 20
"""Differences printed."""


def run_settle(options: argparse.Namespace) -> int:
    """Settle actual episodes, print the terms and every step by pool, and write the tables where asked.

    Parameters
    ----------
    options : the options of `msk-reserves settle`.

    Returns
    -------
    int
        0: everything else is raised.
    """
    folder = None if options.out is None else _folder(options.out)
    agreement = read_agreement(options.contract, changes=_changes(options.set))
    cells = None if options.cells is None else read_rows(options.cells)
    settlement = settle(agreement, _episodes(options, agreement), cells=cells)
    other = None if options.against is None else settle(agreement, read_episodes(options.against), cells=cells)
    print(settlement)
    if other is not None:
        _tell(where_they_differ(settlement, other), options.against)
    if folder is not None:
        _write(settlement, folder)
    return 0


def _tell(found: pd.DataFrame, against: str) -> None:
    """Print where two settlements part."""
    if not len(found):
        print(f"\nnothing differs from {against}")
        return
    counts = ", ".join(
        f"{count:,} of {level} level" for level, count in found.groupby("level", sort=False).size().items()
    )
    shown = found.head(SHOWN).drop(columns="level").fillna("").to_string(index=False, float_format="{:,.2f}".format)
    print(f"\nfirst step that differs from {against} (second): {counts}\n{shown}")
    if len(found) > SHOWN:
        print(f"and {len(found) - SHOWN:,} more")


def _changes(given: list[str]) -> dict[str, object]:
    """Return the values to change, read as TOML, by their place."""
    found: dict[str, object] = {}
    for one in given:
        key, _, value = one.partition("=")
        try:
            found[key.strip()] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError as error:
            raise ValueError(f"`--set` must be KEY=VALUE with a TOML value, got {one!r}") from error
    return found


def _episodes(options: argparse.Namespace, agreement: Agreement) -> EpisodeTable:
    """Return the episodes, their cost from services where these are given."""
    if options.services is None:
        return read_episodes(options.episodes)
    if agreement.window is None:
        raise EpisodeDataError(f"`--services` needs a `window` in the contract; {agreement.name!r} has none")
    rows, services = read_rows(options.episodes), read_rows(options.services)
    clash = sorted({"cost", *(["post_cost"] if agreement.window.post_days else [])} & set(rows.columns))
    if clash:
        raise EpisodeDataError(f"{options.episodes}: `{clash[0]}` comes from `--services` too; leave one of them out")
    return EpisodeTable.of(cost_of_services(rows, services, agreement.window))


def _folder(out: str) -> Path:
    """Return the folder for the tables if they can be written there, else say why not."""
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"`--out` must be a folder, got the file {out!r}; name another")
    return folder


def _write(settlement: Settlement, folder: Path) -> None:
    """Write the tables, dollars unrounded."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in TABLES.items():
        getattr(settlement, table)().to_csv(folder / name, index=False)
    print(f"written to {folder}: {', '.join(TABLES)}")
