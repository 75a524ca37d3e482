"""The verbs of the library from a shell: `msk-reserves forecast`, `demo`, `check-data`, `settle`."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from msk_reserves import __version__

COMMANDS = "msk_reserves.report.run"
"""The module behind most commands; loaded once the options are known to be right, since it loads everything else."""

SETTLING = "msk_reserves.report.settling"
"""The module behind `settle`, which needs neither models nor plots."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : the command and its options; those of the shell when not given.

    Returns
    -------
    int
        0 when done, 1 when `check-data` finds defects, 2 when something is wrong with what was given.
    """
    options = parser().parse_args(arguments)
    try:
        code: int = getattr(importlib.import_module(options.module), options.run)(options)
    except (ValueError, TypeError, OSError, ImportError) as error:
        print(f"msk-reserves: {error}", file=sys.stderr)
        return 2
    return code


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="msk-reserves", description="Reserves for workers' compensation musculoskeletal claims."
    )
    top.add_argument("--version", action="version", version=f"msk-reserves {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _forecast(commands.add_parser("forecast", help="what is owed on a book of claims, under each contract"))
    _demo(commands.add_parser("demo", help="the same on the claims that come with the library"))
    _check_data(commands.add_parser("check-data", help="what a book of claims holds, or all that is wrong with it"))
    _settle(commands.add_parser("settle", help="settle episodes that have ended, step by step"))
    return top


def _forecast(command: argparse.ArgumentParser) -> None:
    """Add the options of `forecast`."""
    _tables(command, date_required=True)
    command.add_argument(
        "--contract",
        action="append",
        default=[],
        metavar="ffs|PRESET|FILE.toml",
        help="value the claims under this contract; may be repeated; ffs is always there and first",
    )
    command.add_argument(
        "--in-force",
        metavar="FILE.toml",
        help="terms of the bundles claims are in already; a printed assumption if not",
    )
    command.add_argument(
        "--discount",
        nargs="+",
        type=float,
        metavar="RATE",
        help="tell when each dollar falls due, and its worth at spot rates of 1, 2, ... years (0.03 is 3 %%)",
    )
    _simulation(command, seed=20260101)
    command.set_defaults(run="run_forecast", module=COMMANDS)


def _demo(command: argparse.ArgumentParser) -> None:
    """Add the options of `demo`."""
    command.add_argument("--sample", default="portfolio", metavar="NAME", help="portfolio (default) or shoulder")
    _simulation(command, seed=7)
    command.set_defaults(run="run_demo", module=COMMANDS, discount=None)


def _check_data(command: argparse.ArgumentParser) -> None:
    """Add the options of `check-data`."""
    _tables(command, date_required=False)
    command.set_defaults(run="run_check_data", module=COMMANDS)


def _settle(command: argparse.ArgumentParser) -> None:
    """Add the options of `settle`."""
    command.add_argument("contract", metavar="CONTRACT", help="a preset such as team-track-3, ffs, or a TOML file")
    command.add_argument("episodes", metavar="EPISODES.csv", help="a row an episode: id, cost, what terms read")
    command.add_argument("--cells", metavar="FILE.csv", help="a row a price cell, joined to the episodes by `cell`")
    command.add_argument("--services", metavar="FILE.csv", help="a row a service; cost is then what the window covers")
    command.add_argument("--against", metavar="OTHER.csv", help="the other side's episodes: tell where both part")
    command.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="a value in place of the contract's; repeatable"
    )
    command.add_argument("--out", metavar="DIR", help="folder for the tables by episode, category, pool and account")
    command.set_defaults(run="run_settle", module=SETTLING)


def _tables(command: argparse.ArgumentParser, *, date_required: bool) -> None:
    """Add the options that name the tables."""
    command.add_argument("--claims", required=True, metavar="FILE", help="CSV or Parquet, one row a claim")
    for name, holds in (
        ("events", "dated events"),
        ("payments", "dated payments"),
        ("case-reserves", "the adjusters' estimates"),
        ("scores", "outcome scores"),
        ("exposure", "payroll or full-time equivalents by period"),
    ):
        command.add_argument(f"--{name}", metavar="FILE", help=f"CSV or Parquet, {holds}")
    when = command.add_mutually_exclusive_group(required=date_required)
    when.add_argument("--as-of", metavar="DATE", help="the valuation date, such as 2024-12-31")
    when.add_argument("--undated", action="store_true", help="the claims carry no dates (summary depth)")
    command.add_argument("--categories", metavar="FILE.csv", help="your payment codes: columns `code` and `category`")
    command.add_argument(
        "--on-defect",
        choices=("raise", "set_aside"),
        default="raise",
        help="stop at defects (default), or go on without the defective claims and say so in every result",
    )


def _simulation(command: argparse.ArgumentParser, *, seed: int) -> None:
    """Add the options of the simulation and its files."""
    command.add_argument("--scenarios", type=int, default=10_000, metavar="N", help="a multiple of 20; default 10000")
    command.add_argument("--seed", type=int, default=seed, metavar="N", help=f"reproduces every number; default {seed}")
    command.add_argument("--out", required=True, metavar="DIR", help="folder for the three files")
    command.add_argument(
        "--progress", action="store_true", default=None, help="show a progress bar while claims are simulated"
    )


if __name__ == "__main__":
    sys.exit(main())
