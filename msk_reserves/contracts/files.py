"""Contract files: TOML in, terms out, with every mistake named by file, key, rule and value."""

import csv
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from msk_reserves._checks import not_negative, whole
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
    """Check the keys of a fixed-price contract and build it, every mistake of the file named at once."""
    wrong = [f"unknown key `{key}`; allowed: {', '.join(KEYS)}" for key in sorted(set(values) - set(KEYS))]
    if values.get("type") != "fixed_price":
        wrong.append(f"`type` must be 'fixed_price', got {values.get('type')!r}")
    if ("price" in values) == ("price_table" in values):
        wrong.append("give exactly one of `price` and `price_table`")
    found = {}
    for part, read in _PARTS.items():
        try:
            found[part] = read(path, values)
        except (TypeError, ValueError) as error:
            wrong += str(error).split("\n")
    if not wrong:
        try:
            return FixedPriceBundle(**found)
        except ValueError as error:
            wrong.append(str(error))
    raise ContractFileError("\n".join(f"{path}: {one}" for one in wrong))


def _price(path: Path, values: Mapping[str, object]) -> float | PriceTable:
    """Return the price, or the table of prices beside the contract file."""
    if "price_table" not in values:
        return not_negative(_number(values.get("price", 0.0), "price"), "price")
    return read_price_table(path.parent / str(values["price_table"]))


def read_price_table(table: Path) -> PriceTable:
    """Return the prices of a CSV file: a column `price`, and one or more columns of the claims.

    Raises
    ------
    ValueError
        If there is no such file, or rows of it are not prices; every defect has a line.
    """
    if not table.is_file():
        raise ValueError(f"`price_table` names {str(table)!r}, which is not a file")
    with table.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.reader(lines))
    if not rows or "price" not in rows[0] or len(rows[0]) < 2:
        raise ValueError(f"{table}: needs a column `price` and at least one column of the claims")
    place = rows[0].index("price")
    prices: dict[tuple[str, ...], float] = {}
    wrong = []
    for number, row in enumerate(rows[1:], start=2):
        key = tuple(cell for at, cell in enumerate(row) if at != place)
        if len(row) != len(rows[0]):
            wrong.append(f"{table}: row {number} has {len(row)} cells, the header has {len(rows[0])}")
        elif key in prices:
            wrong.append(f"{table}: row {number} names {key!r} a second time")
        else:
            try:
                prices[key] = not_negative(float(row[place]), "price")
            except ValueError:
                wrong.append(f"{table}: row {number}: `price` must be a number of dollars, got {row[place]!r}")
    if wrong:
        raise ValueError("\n".join(wrong))
    return PriceTable(tuple(name for name in rows[0] if name != "price"), prices)


def _name(path: Path, values: Mapping[str, object]) -> str:
    """Return the contract's name, the file's stem where it has none."""
    name = values.get("name", path.stem)
    if not isinstance(name, str) or not name.strip():
        raise TypeError(f"`name` must be a word or words, got {name!r}")
    return name


def _number(value: object, key: str) -> float:
    """Return a TOML number as a float."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"`{key}` must be a number, got {value!r}")
    return float(value)


def _whole(value: object, key: str) -> int:
    """Return a TOML whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"`{key}` must be a whole number, got {value!r}")
    return value


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
    return whole(_whole(values["window_days"], "window_days"), "window_days", at_least=1)


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
    terms = _table(value, "stop_loss", {"attachment": True, "share": False, "limit": False})
    attachment = _number(terms["attachment"], "stop_loss.attachment")
    limit = _number(terms["limit"], "stop_loss.limit") if "limit" in terms else None
    return StopLoss(attachment, _number(terms.get("share", 1.0), "stop_loss.share"), limit)


def _refund(value: object) -> Refund | None:
    """Return the guarantee."""
    if value is None:
        return None
    terms = _table(value, "refund", {"share": True, "not_back_by_days": True})
    days = _whole(terms["not_back_by_days"], "refund.not_back_by_days")
    return Refund(_number(terms["share"], "refund.share"), days)


def _eligible(value: object) -> Mapping[str, tuple[object, ...]]:
    """Return the conditions a claim must meet to be taken over."""
    if not isinstance(value, dict):
        raise TypeError(f"`eligible` must be a table of columns and lists of values, got {value!r}")
    for column, values in value.items():
        if not isinstance(values, list) or not values:
            raise TypeError(f"`eligible.{column}` must be a list of values, got {values!r}")
    return {column: tuple(values) for column, values in value.items()}


_PARTS: Mapping[str, Callable[[Path, Mapping[str, object]], Any]] = {
    "price": _price,
    "scope": lambda _, values: _words(values.get("scope", ["medical"]), "scope"),
    "exclusions": lambda _, values: _words(values.get("exclusions", []), "exclusions"),
    "window_days": lambda _, values: _window(values),
    "stop_loss": lambda _, values: _stop_loss(values.get("stop_loss")),
    "refund": lambda _, values: _refund(values.get("refund")),
    "eligible": lambda _, values: _eligible(values.get("eligible", {})),
    "name": _name,
}
"""How each term of a fixed-price bundle is read from a file."""
