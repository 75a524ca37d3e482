"""The commands of the shell: read, fit, forecast, write, and say what is happening."""

import argparse
import csv
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from msk_reserves._checks import whole
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.defects import ClaimDataError
from msk_reserves.claims.read import load_tables
from msk_reserves.claims.summary import summarise_data
from msk_reserves.claims.tables import ClaimTables
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.agreements.reading import read_terms
from msk_reserves.contracts.files import read_contract, read_in_force
from msk_reserves.contracts.fixed_price import InForce
from msk_reserves.contracts.terms import Contract
from msk_reserves.cost.fit import fit_cost
from msk_reserves.episodes.plan import draws_for
from msk_reserves.recovery.path.model import fit_recovery
from msk_reserves.report.files import place_for_results, write_results
from msk_reserves.report.page import comparisons
from msk_reserves.reserves.cash_flows import cash_flows
from msk_reserves.reserves.discount import DiscountCurve
from msk_reserves.reserves.forecast import forecast
from msk_reserves.samples.shipped import EXTRACT_DATE, load_sample

FLOW_SCENARIOS = 2_000
"""Scenarios that cash flows are told of, at most."""


def run_forecast(options: argparse.Namespace) -> int:
    """Read claims and contracts, forecast, print and write.

    Parameters
    ----------
    options : the options of `msk-reserves forecast`.

    Returns
    -------
    int
        0: everything else is raised.
    """
    contracts = contracts_of(options.contract)
    in_force = None if options.in_force is None else read_in_force(options.in_force)
    with step("claims read and checked"):
        book = tables_of(options).as_of(options.as_of)
    _value(book, contracts, options, in_force=in_force)
    return 0


def run_demo(options: argparse.Namespace) -> int:
    """Forecast the shipped sample under fee for service and the shipped bundle, print and write.

    Parameters
    ----------
    options : the options of `msk-reserves demo`.
    """
    with step(f"sample {options.sample!r} read and checked"):
        book = load_sample(options.sample).as_of(EXTRACT_DATE)
    contracts = contracts_of([demo_bundle()])
    _value(book, contracts, options, in_force=None)
    return 0


def run_check_data(options: argparse.Namespace) -> int:
    """Print what the tables hold, or everything that is wrong with them.

    Parameters
    ----------
    options : the options of `msk-reserves check-data`.

    Returns
    -------
    int
        1 if a defect was found, set aside or not, else 0.
    """
    try:
        tables = tables_of(options)
        print(tables.check())
        if options.as_of is not None or options.undated:
            print(summarise_data(tables.as_of(options.as_of)))
    except ClaimDataError as error:
        print(error, file=sys.stderr)
        return 1
    return 1 if tables.defects else 0


def contracts_of(sources: list[str]) -> dict[str, Contract | Agreement]:
    """Return the contracts by name, fee for service first whether named or not.

    Raises
    ------
    ValueError
        If two contracts have the same name.
    """
    contracts: dict[str, Contract | Agreement] = {"ffs": read_contract("ffs")}
    for source in sources:
        if source == "ffs":
            continue
        one = read_terms(source)
        if one.name in contracts:
            raise ValueError(
                f"`--contract` names must differ; {source!r} is another {one.name!r}. Give it a `name` of its own"
            )
        contracts[one.name] = one
    return contracts


def demo_bundle() -> str:
    """Return the path of the contract that comes with the samples."""
    return str(files("msk_reserves_sample_data") / "bundle.toml")


def tables_of(options: argparse.Namespace) -> ClaimTables:
    """Return the tables the options name, read and checked."""
    given = {name: getattr(options, name) for name in ("events", "payments", "case_reserves", "scores", "exposure")}
    for name, source in {"claims": options.claims, **given}.items():
        if source is not None and not Path(source).is_file():
            raise ValueError(f"`--{name.replace('_', '-')}` must be a CSV or Parquet file; there is no file {source!r}")
    categories = {} if options.categories is None else categories_of(Path(options.categories))
    return load_tables(
        options.claims, **given, categories=categories, on_defect=options.on_defect, undated=options.undated
    )


def categories_of(path: Path) -> dict[str, str]:
    """Return the user's payment codes and our categories from a CSV file with the columns `code` and `category`.

    Raises
    ------
    ValueError
        If the file, a column or a cell is missing, or a code comes twice.
    """
    if not path.is_file():
        raise ValueError(f"`--categories` must be a CSV file; there is no file {str(path)!r}")
    with path.open(newline="", encoding="utf-8-sig") as lines:
        rows = list(csv.reader(lines))
    if not rows or sorted(rows[0]) != ["category", "code"]:
        raise ValueError(f"{path}: needs the columns `code` and `category`, got {rows[0] if rows else 'nothing'}")
    code, category = rows[0].index("code"), rows[0].index("category")
    mapping: dict[str, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 2 or not all(row):
            raise ValueError(f"{path}: row {number} must hold a code and a category, got {row}")
        if row[code] in mapping:
            raise ValueError(f"{path}: row {number} names the code {row[code]!r} a second time; keep one")
        mapping[row[code]] = row[category]
    return mapping


def _value(
    book: ClaimBook,
    contracts: dict[str, Contract | Agreement],
    options: argparse.Namespace,
    *,
    in_force: InForce | None,
) -> None:
    """Fit, forecast, print the table and what certainty costs, write the files."""
    check_settings(options)
    with step("recovery fitted"):
        recovery = fit_recovery(book)
    with step("cost fitted"):
        cost = fit_cost(book, recovery)
    with step(f"{len(book):,} claims forecast, {options.scenarios:,} scenarios, {len(contracts)} contracts"):
        found = forecast(
            book,
            recovery,
            cost,
            contracts,
            scenarios=options.scenarios,
            seed=options.seed,
            in_force=in_force,
            progress=options.progress,
        )
    print(found)
    for gain in comparisons(found):
        print(f"\n{gain}")
    timed = None
    if options.discount is not None:
        curve, fewer = DiscountCurve(tuple(options.discount)), min(options.scenarios, FLOW_SCENARIOS)
        with step(f"cash flows of {fewer:,} scenarios"):
            flows = cash_flows(
                book, recovery, cost, contracts, scenarios=fewer, seed=options.seed,
                in_force=in_force, progress=options.progress,
            )  # fmt: skip
        timed = flows, curve
        print(f"\nWorth today at {curve}, {fewer:,} scenarios:")
        print(flows.side_by_side(curve).to_string(float_format=lambda value: f"{value:,.0f}"))
    with step("files written"):
        written = write_results(found, options.out, recovery=recovery, cost=cost, timed=timed)
    print()
    for path in written.values():
        print(path)


def check_settings(options: argparse.Namespace) -> None:
    """Refuse before the work what the forecast or the writing would refuse after it.

    Raises
    ------
    ValueError
        If the scenarios, the seed or the folder will not do.
    """
    whole(options.seed, "seed")
    draws_for(options.scenarios)
    if options.discount is not None:
        DiscountCurve(tuple(options.discount))
    place_for_results(options.out)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Say on the error stream how long a step took."""
    began = time.perf_counter()
    yield
    print(f"{name} in {time.perf_counter() - began:.1f} s", file=sys.stderr)
