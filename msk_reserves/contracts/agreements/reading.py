"""Agreements as TOML files: terms in their order, each value with its source and status where it has them."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from msk_reserves.contracts.agreements.agreement import Agreement, Provenance, agreement_of
from msk_reserves.contracts.amounts import EpisodeTerm, PoolTerm
from msk_reserves.contracts.files import ContractFileError, read_contract, read_price_table
from msk_reserves.contracts.fixed_price import PriceTable, Refund, StopLoss
from msk_reserves.contracts.pipeline.limits import Corridor, GainLossLimit, MinimumRate, Sharing, TieredSharing
from msk_reserves.contracts.pipeline.outcomes import FeesAtRisk, Goal, Milestone
from msk_reserves.contracts.pipeline.pools import (
    AdministrativeLoad,
    CarriedLoss,
    Gainsharing,
    LowVolume,
    PostEpisode,
    RepaymentDefault,
    ReviewFee,
)
from msk_reserves.contracts.pipeline.quality import DiscountShift, QualityGate, QualityScale, Withhold
from msk_reserves.contracts.pipeline.spending import OutlierCap, PrepaidDefault
from msk_reserves.contracts.prices.bases import (
    AgreedPrice,
    AsBilled,
    BaseAndWarranty,
    CaseRate,
    FeeSchedule,
    FixedPrice,
    PerMember,
    TabledPrice,
)
from msk_reserves.contracts.prices.benchmark import (
    Baseline,
    Correction,
    Discount,
    Normalization,
    PriceTrend,
    RiskMultipliers,
)
from msk_reserves.contracts.services import EpisodeWindow
from msk_reserves.contracts.terms import Contract

TermKind = type[EpisodeTerm] | type[PoolTerm]

SHIPPED: tuple[TermKind, ...] = (
    AdministrativeLoad, AgreedPrice, AsBilled, BaseAndWarranty, Baseline, CarriedLoss, CaseRate, Correction,
    Corridor, Discount, DiscountShift, FeeSchedule, FeesAtRisk, FixedPrice, GainLossLimit, Gainsharing, LowVolume,
    Milestone, MinimumRate, Normalization, OutlierCap, PerMember, PostEpisode, PrepaidDefault, PriceTrend,
    QualityGate, QualityScale, Refund, RepaymentDefault, ReviewFee, RiskMultipliers, Sharing, StopLoss, TabledPrice,
    TieredSharing, Withhold,
)  # fmt: skip
"""Terms a file may have."""

KEYS = ("name", "type", "pooling", "timing", "lag_months", "true_ups", "trigger", "window", "sources", "term")
"""Keys of an agreement file."""

WORDS_OF_A_VALUE = {"value", "source", "status", "confidence"}
"""Keys of a value that says where it comes from."""


def kind_of(term: TermKind) -> str:
    """Return the word a file has for a kind of term: `OutlierCap` is `outlier_cap`.

    Examples
    --------
    >>> kind_of(OutlierCap)
    'outlier_cap'
    """
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in term.__name__).lstrip("_")


def preset_names() -> tuple[str, ...]:
    """Return the names of the contracts that come with the library.

    Examples
    --------
    >>> "team-track-3" in preset_names()
    True
    """
    return tuple(
        sorted(path.name.removesuffix(".toml") for path in _presets().iterdir() if path.name.endswith(".toml"))
    )


def read_agreement(
    source: str | Path,
    *,
    changes: Mapping[str, object] | None = None,
    terms: Mapping[str, TermKind] | None = None,
) -> Agreement:
    """Return the agreement of a TOML file, of a preset of that name, or of a fixed-price contract file.

    Parameters
    ----------
    source : a preset's name, `ffs`, or the path of a TOML file with `type` "agreement" or "fixed_price".
    changes : values to put in the place of the file's, by the place its term sheet gives them, such as
        `gain_loss_limit.gain`; the second term of a kind is `correction_2`. They are noted as assumptions.
    terms : kinds of terms of one's own, by the word the file has for them.

    Returns
    -------
    Agreement
        Its provenance lists every value that says where it comes from.

    Raises
    ------
    ContractFileError
        If the file is missing or not TOML, or with a line for every rule broken, each with file, key and value.

    Examples
    --------
    >>> read_agreement("team-track-3").name
    'TEAM, track 3'
    >>> read_agreement("team-track-2", changes={"gain_loss_limit.gain": 0.10}).terms[-2]
    GainLossLimit(gain=0.1, loss=0.05, base='')
    """
    if str(source) in preset_names():
        path = Path(str(_presets() / f"{source}.toml"))
    elif str(source) == "ffs" and not changes:
        return agreement_of(read_contract("ffs"))
    else:
        path = Path(source)
    if not path.is_file():
        known = ", ".join(preset_names())
        raise ContractFileError(f"the contract must be a preset ({known}), `ffs` or a TOML file; got {str(source)!r}")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContractFileError(f"{path}: not a TOML file: {error}") from error
    if values.get("type") == "fixed_price" and not changes:
        return agreement_of(read_contract(path))
    reader = _Reader(path, {**{kind_of(kind): kind for kind in SHIPPED}, **(terms or {})}, dict(changes or {}))
    return reader.agreement(values)


def read_terms(source: str | Path) -> Agreement | Contract:
    """Return what a file or preset holds for a forecast: an agreement, a fixed-price bundle, or fee for service.

    Parameters
    ----------
    source : a preset's name, `ffs`, or the path of a TOML file.

    Raises
    ------
    ContractFileError
        As `read_agreement` and `read_contract`.

    Examples
    --------
    >>> read_terms("ffs").name, read_terms("guaranteed-msk-bundle").name
    ('ffs', 'guaranteed MSK bundle')
    """
    if str(source) in preset_names():
        return read_agreement(source)
    if Path(source).is_file() and str(source) != "ffs":
        try:
            kind = tomllib.loads(Path(source).read_text(encoding="utf-8")).get("type")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError):
            kind = None
        if kind == "agreement":
            return read_agreement(source)
    return read_contract(source)


def _presets() -> Path:
    """Return the folder of presets."""
    return Path(str(files("msk_reserves.contracts").joinpath("presets")))


@dataclass(slots=True)
class _Reader:
    """One reading of one file: what is wrong and where values come from are collected on the way."""

    path: Path
    kinds: Mapping[str, TermKind]
    changes: dict[str, object]
    sources: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    provenance: list[Provenance] = field(default_factory=list)

    def agreement(self, values: Mapping[str, object]) -> Agreement:
        """Return the agreement the values are, or raise everything that is wrong with them."""
        self.wrong += [f"unknown key `{key}`; allowed: {', '.join(KEYS)}" for key in sorted(set(values) - set(KEYS))]
        if values.get("type") != "agreement":
            self.wrong.append(f"`type` must be 'agreement' or 'fixed_price', got {values.get('type')!r}")
        self._read_sources(values.get("sources", {}))
        hints = get_type_hints(Agreement)
        plain = ("name", "pooling", "timing", "lag_months", "true_ups", "trigger")
        found: dict[str, Any] = {
            key: self._value(values.get(key), hints[key], key) for key in plain if key in values or key in self.changes
        }
        found.setdefault("name", self.path.stem)
        if "window" in values:
            found["window"] = self._built(EpisodeWindow, values["window"], "window", "window")
        found["terms"] = self._terms(values.get("term", []))
        self.wrong += [f"`changes` names `{key}`, which the contract does not have" for key in self.changes]
        found["provenance"] = tuple(self.provenance)
        made = None if self.wrong else self._tried(lambda: Agreement(**found))
        if isinstance(made, Agreement):
            return made
        raise ContractFileError("\n".join(f"{self.path}: {one}" for one in self.wrong))

    def _read_sources(self, sources: object) -> None:
        """Keep the sources by their short names."""
        if isinstance(sources, dict) and all(isinstance(address, str) for address in sources.values()):
            self.sources = sources
        else:
            self.wrong.append(f"`sources` must be a table of short names and addresses, got {sources!r}")

    def _source(self, said: str) -> str:
        """Return a source with its short name, if it begins with one, replaced by the address."""
        for short, address in self.sources.items():
            if said == short or said.startswith(tuple(short + mark for mark in ":;, ")):
                return address + said[len(short) :]
        return said

    def _terms(self, given: object) -> tuple[EpisodeTerm | PoolTerm, ...]:
        """Return the terms that can be read."""
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            self.wrong.append(f"`term` must be a list of tables, each begun by [[term]], got {given!r}")
            return ()
        built = []
        for place, one in enumerate(given, start=1):
            values = dict(one)
            kind = values.pop("kind", None)
            if kind not in self.kinds:
                known = ", ".join(sorted(self.kinds))
                self.wrong.append(f"term {place}: `kind` must be one of {known}; got {kind!r}")
                continue
            before = sum(other.get("kind") == kind for other in given[: place - 1])
            key = str(kind) if not before else f"{kind}_{before + 1}"
            built.append(self._built(self.kinds[kind], values, f"term {place}: `{kind}`", key))
        return tuple(term for term in built if isinstance(term, EpisodeTerm | PoolTerm))

    def _built(self, kind: type, values: object, where: str, key: str) -> object:
        """Return a record of this kind from a table of its fields, None if something is wrong."""
        if not isinstance(values, dict):
            self.wrong.append(f"{where} must be a table, got {values!r}")
            return None
        if kind is TabledPrice and set(values) == {"table"}:
            beside = self.path.parent / str(values["table"])
            return self._tried(lambda: TabledPrice(read_price_table(beside)), where)
        known = {one.name: one for one in fields(kind)}
        values = {**values, **{name: None for name in known if f"{key}.{name}" in self.changes and name not in values}}
        before = len(self.wrong)
        self.wrong += [
            f"{where}: unknown key `{name}`; it may have {', '.join(known)}"
            for name in sorted(set(values) - set(known))
        ]
        missing = [
            name
            for name, one in known.items()
            if name not in values and one.default is MISSING and one.default_factory is MISSING
        ]
        self.wrong += [f"{where}: `{name}` is missing" for name in missing]
        hints = get_type_hints(kind)
        found = {name: self._value(values[name], hints[name], f"{key}.{name}") for name in known if name in values}
        return None if len(self.wrong) > before else self._tried(lambda: kind(**found), where)

    def _value(self, given: object, hint: object, key: str) -> object:
        """Return a value as the type its field has, and note where it comes from."""
        value = given
        if key in self.changes:
            value = self.changes.pop(key)
            self.provenance.append(Provenance(key, value, "set by the reader of the file", "assumption"))
        elif isinstance(given, dict) and "value" in given:
            value = given["value"]
            self._note(key, given)
        return self._tried(lambda: self._converted(value, hint, key))

    def _note(self, key: str, given: Mapping[str, object]) -> None:
        """Note where a value comes from."""
        allowed = ", ".join(sorted(WORDS_OF_A_VALUE))
        unknown = sorted(set(given) - WORDS_OF_A_VALUE)
        self.wrong += [f"unknown key `{key}.{name}`; a value has {allowed}" for name in unknown]
        said: dict[str, Any] = {name: given[name] for name in ("status", "confidence") if name in given}
        source = self._source(str(given.get("source", "")))
        noted = self._tried(lambda: Provenance(key, given["value"], source, **{"status": "", **said}))
        self.provenance += [noted] if isinstance(noted, Provenance) else []

    def _converted(self, value: object, hint: object, key: str) -> object:
        """Return a TOML value as a type, or raise `ValueError` with key and value."""
        parts = [part for part in get_args(hint) if part is not NoneType]
        origin = get_origin(hint)
        if origin is UnionType:
            return self._converted(value, parts[0], key)
        if hint is Goal:
            return self._built(Goal, value, f"`{key}`", key)
        if origin is tuple and isinstance(value, list):
            if parts[-1] is Ellipsis:
                return tuple(self._converted(one, parts[0], key) for one in value)
            if len(value) == len(parts):
                return tuple(self._converted(one, part, key) for one, part in zip(value, parts, strict=True))
        if origin is Mapping and isinstance(value, dict):
            return {name: self._converted(one, parts[1], f"{key}.{name}") for name, one in value.items()}
        words, fits = _PLAIN.get(hint, ("a list, or a table", lambda _: False))
        if not fits(value):
            raise ValueError(f"`{key}` must be {words}, got {value!r}")
        return float(value) if hint is float and isinstance(value, int) else value

    def _tried(self, made: Callable[[], object], where: str = "") -> object:
        """Return what is made, or keep what it says is wrong and return None."""
        try:
            return made()
        except (ValueError, TypeError, KeyError) as error:
            said = [f"{where}: {line}" if where else line for line in str(error).split("\n")]
            self.wrong += said
            return None


_PLAIN: Mapping[object, tuple[str, Callable[[object], bool]]] = {
    float: ("a number", lambda value: isinstance(value, int | float) and not isinstance(value, bool)),
    int: ("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool)),
    bool: ("true or false", lambda value: isinstance(value, bool)),
    str: ("words", lambda value: isinstance(value, str)),
    PriceTable: ("the name of a CSV file", lambda value: isinstance(value, str)),
}
"""What plain types are called, and what fits them."""
