"""Contract files: TOML in, terms out, with every mistake named by file, key, rule and value."""

import csv
import tomllib
from collections.abc import Mapping
from pathlib import Path

from msk_reserves.contracts.fixed_price import FixedPriceBundle, InForce, PriceTable, Refund, StopLoss
from msk_reserves.contracts.terms import Contract, FeeForService

KEYS = (
    "name", "type", "price", "price_table", "scope", "exclusions", "window_end", "window_days", "stop_loss", "refund",
    "eligible",
)  # fmt: skip
"""Keys of a fixed-price contract file."""


class ContractFileError(ValueError):
    """A contract file that cannot be read; the message names file, key, rule and value."""


def read_contract(source: str | Path) -> Contract:
    """Return the contract a TOML file holds, or the preset of that name.

    Parameters
    ----------
    source : path of a TOML file, or `ffs`.

    Returns
    -------
    Contract
        Its name is the file's `name`, else the file's stem.

    Raises
    ------
    ContractFileError
        If the file is missing, is not TOML, lacks a key, has one that is unknown, or breaks a rule.

    Examples
    --------
    >>> read_contract("ffs").name
    'ffs'
    """
    if str(source) == "ffs":
        return FeeForService(name="ffs")
    path = Path(source)
    return _fixed_price(path, _load(path))


def read_in_force(source: str | Path) -> InForce:
    """Return the terms of bundles already in force from a TOML file; the price is each claim's own and may be left out.

    Raises
    ------
    ContractFileError
        As `read_contract`.
    """
    path = Path(source)
    values = _load(path)
    values.setdefault("price", 0.0)
    return InForce(_fixed_price(path, values), stated=True)


def _load(path: Path) -> dict[str, object]:
    """Read a TOML file."""
    if not path.is_file():
        raise ContractFileError(f"`--contract` must be `ffs` or a TOML file; there is no file {str(path)!r}")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContractFileError(f"{path}: not a TOML file: {error}") from error


def _fixed_price(path: Path, values: Mapping[str, object]) -> FixedPriceBundle:
    """Check the keys of a fixed-price contract and build it."""
    unknown = sorted(set(values) - set(KEYS))
    if unknown:
        raise ContractFileError(f"{path}: unknown key `{unknown[0]}`; allowed: {', '.join(KEYS)}")
    if values.get("type") != "fixed_price":
        raise ContractFileError(f"{path}: `type` must be 'fixed_price', got {values.get('type')!r}")
    if ("price" in values) == ("price_table" in values):
        raise ContractFileError(f"{path}: give exactly one of `price` and `price_table`")
    try:
        return FixedPriceBundle(
            price=_price(path, values),
            scope=_words(values.get("scope", ["medical"]), "scope"),
            exclusions=_words(values.get("exclusions", []), "exclusions"),
            window_days=_window(values),
            stop_loss=_stop_loss(values.get("stop_loss")),
            refund=_refund(values.get("refund")),
            eligible=_eligible(values.get("eligible", {})),
            name=str(values.get("name", path.stem)),
        )
    except ContractFileError:
        raise
    except (TypeError, ValueError) as error:
        raise ContractFileError(f"{path}: {error}") from error


def _price(path: Path, values: Mapping[str, object]) -> float | PriceTable:
    """Return the price, or the table of prices beside the contract file."""
    if "price" in values:
        return _number(values["price"], "price")
    table = path.parent / str(values["price_table"])
    if not table.is_file():
        raise ContractFileError(f"{path}: `price_table` names {str(table)!r}, which is not a file")
    with table.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.reader(lines))
    if not rows or "price" not in rows[0] or len(rows[0]) < 2:
        raise ContractFileError(f"{table}: needs a column `price` and at least one column of the claims")
    price = rows[0].index("price")
    columns = tuple(name for name in rows[0] if name != "price")
    prices: dict[tuple[str, ...], float] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]):
            raise ContractFileError(f"{table}: row {number} has {len(row)} cells, the header has {len(rows[0])}")
        key = tuple(cell for place, cell in enumerate(row) if place != price)
        if key in prices:
            raise ContractFileError(f"{table}: row {number} names {key!r} a second time")
        try:
            prices[key] = float(row[price])
        except ValueError as error:
            raise ContractFileError(f"{table}: row {number}: `price` must be a number, got {row[price]!r}") from error
    return PriceTable(columns, prices)


def _number(value: object, key: str) -> float:
    """Return a TOML number as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"`{key}` must be a number, got {value!r}")
    return float(value)


def _words(value: object, key: str) -> tuple[str, ...]:
    """Return a TOML list of words."""
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise TypeError(f"`{key}` must be a list of words, got {value!r}")
    return tuple(value)


def _window(values: Mapping[str, object]) -> int | None:
    """Return the length of the window, None until return or MMI."""
    if "window_days" not in values:
        if values.get("window_end", "return_or_mmi") != "return_or_mmi":
            raise ValueError(f"`window_end` must be 'return_or_mmi', got {values['window_end']!r}")
        return None
    if "window_end" in values:
        raise ValueError("give `window_end` or `window_days`, not both")
    days = values["window_days"]
    if isinstance(days, bool) or not isinstance(days, int):
        raise TypeError(f"`window_days` must be a whole number, got {days!r}")
    return days


def _table(value: object, key: str, allowed: Mapping[str, bool]) -> Mapping[str, object]:
    """Return a TOML table after checking its keys; `allowed` says which are required."""
    if not isinstance(value, dict):
        raise TypeError(f"`{key}` must be a table with {', '.join(allowed)}, got {value!r}")
    unknown = sorted(set(value) - set(allowed))
    if unknown:
        raise ValueError(f"unknown key `{key}.{unknown[0]}`; `{key}` may have {', '.join(allowed)}")
    for name, required in allowed.items():
        if required and name not in value:
            raise ValueError(f"`{key}.{name}` is missing")
    return value


def _stop_loss(value: object) -> StopLoss | None:
    """Return the stop-loss."""
    if value is None:
        return None
    terms = _table(value, "stop_loss", {"attachment": True, "share": False})
    attachment = _number(terms["attachment"], "stop_loss.attachment")
    return StopLoss(attachment, _number(terms.get("share", 1.0), "stop_loss.share"))


def _refund(value: object) -> Refund | None:
    """Return the guarantee."""
    if value is None:
        return None
    terms = _table(value, "refund", {"share": True, "not_back_by_days": True})
    days = terms["not_back_by_days"]
    if isinstance(days, bool) or not isinstance(days, int):
        raise TypeError(f"`refund.not_back_by_days` must be a whole number, got {days!r}")
    return Refund(_number(terms["share"], "refund.share"), days)


def _eligible(value: object) -> Mapping[str, tuple[object, ...]]:
    """Return the conditions a claim must meet to be taken over."""
    if not isinstance(value, dict):
        raise TypeError(f"`eligible` must be a table of columns and lists of values, got {value!r}")
    for column, values in value.items():
        if not isinstance(values, list) or not values:
            raise TypeError(f"`eligible.{column}` must be a list of values, got {values!r}")
    return {column: tuple(values) for column, values in value.items()}
