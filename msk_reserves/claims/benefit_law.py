"""The benefit rules of all jurisdictions by date of injury: the package's, and a user's rows in their place."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from msk_reserves.claims.benefit_rules import (
    ALWAYS,
    AWARD_COLUMNS,
    RULE_COLUMNS,
    AwardRule,
    BenefitRule,
    day_in_words,
)
from msk_reserves.claims.columns import Table
from msk_reserves.claims.law_checks import check_awards, check_rules
from msk_reserves.claims.plain_table import read_plain_table
from msk_reserves.claims.schema import Column, calendar_day
from msk_reserves.claims.sources import Source
from msk_reserves.claims.statutes import statutory_table

Rule = TypeVar("Rule", BenefitRule, AwardRule)

Key = tuple[str, str]
"""Jurisdiction with benefit, or with part."""


STALE_DAYS = 400.0
"""Days after which amounts that change every year are taken as old."""


class BenefitWarning(UserWarning):
    """A rule of low confidence was used, or one from long before or from after the day of the injury."""


@dataclass(frozen=True, slots=True, eq=False)
class BenefitLaw:
    """What the law of every jurisdiction says of every benefit, by date of injury.

    Attributes
    ----------
    rules : by jurisdiction and benefit, the steps of all dates, earliest first.
    awards : by jurisdiction and part, the bands of all dates, earliest first.
    """

    rules: Mapping[Key, tuple[BenefitRule, ...]]
    awards: Mapping[Key, tuple[AwardRule, ...]]

    def __str__(self) -> str:
        def count(rules: Iterable[Sequence[BenefitRule | AwardRule]]) -> str:
            every = [rule for steps in rules for rule in steps]
            low = sum(rule.confidence == "low" for rule in every)
            return f"{len(every):,} ({low:,} of low confidence)"

        places = len({jurisdiction for jurisdiction, _ in self.rules})
        return (
            f"Benefit law of {places} jurisdictions: {count(self.rules.values())} rules of benefits, "
            f"{count(self.awards.values())} bands of awards"
        )

    def steps(
        self, jurisdiction: str, benefit: str, injury_date: "str | pd.Timestamp", *, warn: bool = True
    ) -> tuple[BenefitRule, ...]:
        """Return the steps of a benefit for an injury of a day, by the week from which each holds.

        The rules are the latest that were in force on that day, or the earliest there are.

        Parameters
        ----------
        jurisdiction : str
            Two-letter state, `FECA` or `LHWCA`.
        benefit : str
            One of `BENEFITS`.
        injury_date : date
            Day of the injury.
        warn : bool
            Whether to warn of low confidence, of an injury before the earliest rule, and of old amounts.

        Raises
        ------
        ValueError
            If there is no rule.

        Examples
        --------
        >>> for step in benefit_law().steps("OH", "temporary_total", "2025-03-01"):
        ...     print(step)
        OH temporary total: 72.00% of gross wage, at most 1,231.00 dollars a week (from 2025-01-01; confidence high)
        OH temporary total: 66.67% of gross wage, at most 1,231.00 dollars a week, from week 12 (from 2025-01-01;
        confidence high)
        """
        found = in_force(self.rules.get((jurisdiction, benefit), ()), calendar_day(injury_date, "injury_date"))
        if not found:
            raise ValueError(
                f"there is no rule of {benefit!r} for {jurisdiction!r}; give one by `benefit_law(rules=...)`"
            )
        if warn:
            warn_of(cautions(found, injury_date))
        return found

    def rules_frame(self) -> pd.DataFrame:
        """Return all rules of benefits as a frame, a row each, that `benefit_law(rules=...)` takes back.

        Examples
        --------
        >>> frame = benefit_law().rules_frame()
        >>> frame["jurisdiction"].nunique(), list(frame.columns[:3])
        (53, ['jurisdiction', 'benefit', 'rate'])
        """
        return _frame(BenefitRule, self.rules.values())

    def awards_frame(self) -> pd.DataFrame:
        """Return all bands of awards as a frame, a row each, that `benefit_law(awards=...)` takes back."""
        return _frame(AwardRule, self.awards.values())

    def bands(self, jurisdiction: str, part: str, injury_date: "str | pd.Timestamp") -> tuple[AwardRule, ...]:
        """Return the bands of ratings by which a part is awarded for an injury of a day; none where no row says it."""
        return in_force(self.awards.get((jurisdiction, part), ()), calendar_day(injury_date, "injury_date"))


def benefit_law(rules: Source | None = None, awards: Source | None = None) -> BenefitLaw:
    """Return the benefit law of the package, with rows of one's own in the place of its rows.

    The temporary total benefit of each jurisdiction is that of `statutory_rule`, where no row says more. Rows given
    take the place of all rows of the same jurisdiction, benefit (or part) and date; rows of another date add to them.

    Parameters
    ----------
    rules : path of a CSV or Parquet file, or pandas.DataFrame, optional
        Columns as the attributes of `BenefitRule`; needed are `jurisdiction`, `benefit`, `rate` and `confidence`.
    awards : the same, optional
        Columns as the attributes of `AwardRule`; needed are `jurisdiction`, `part`, `from_rating`, `basis` and
        `confidence`.

    Raises
    ------
    ClaimDataError
        If anything is wrong with a table; it lists everything that is.

    Examples
    --------
    >>> import pandas as pd
    >>> own = pd.DataFrame({"jurisdiction": ["TX"], "benefit": ["temporary_total"], "effective_from": ["2026-10-01"],
    ...                     "rate": [0.7], "weekly_maximum": [1300.0], "confidence": ["high"]})
    >>> law = benefit_law(own)
    >>> [law.steps("TX", "temporary_total", day)[0].weekly_maximum for day in ("2025-11-01", "2026-11-01")]
    [1271.0, 1300.0]
    """
    law = _package_law()
    mine = () if rules is None else _records(BenefitRule, _read(rules, "benefit_rules"))
    mine_awards = () if awards is None else _records(AwardRule, _read(awards, "award_rules"))
    return BenefitLaw(_replaced(law.rules, _grouped(mine)), _replaced(law.awards, _grouped(mine_awards)))


def in_force(rules: tuple[Rule, ...], day: float) -> tuple[Rule, ...]:
    """Return the rules of the latest date not after a day, or of the earliest date."""
    dates = [rule.effective_from for rule in rules]
    past = [date for date in dates if date <= day]
    held = max(past) if past else min(dates, default=ALWAYS)
    return tuple(rule for rule in rules if rule.effective_from == held)


def cautions(rules: Sequence[BenefitRule | AwardRule], injury_date: "str | pd.Timestamp") -> tuple[str, ...]:
    """Return what must be said of rules used for an injury of a day, a sentence each."""
    said: dict[str, None] = {}
    for rule in rules:
        what = rule.benefit if isinstance(rule, BenefitRule) else f"award for {rule.part}"
        name = f"{rule.jurisdiction} {what.replace('_', ' ')}"
        if rule.confidence == "low":
            said[f"{name}: of low confidence ({rule.source or 'no source'}); give your own row"] = None
        late = calendar_day(injury_date, "injury_date") - rule.effective_from
        held = day_in_words(rule.effective_from)
        dated = rule.effective_from != ALWAYS and isinstance(rule, BenefitRule) and np.isfinite(rule.weekly_maximum)
        if late < 0:
            said[f"{name}: no rule as old as the injury, one {held} is used"] = None
        elif dated and late > STALE_DAYS:
            said[f"{name}: the maximum is one {held}, long before the injury; give the row of its day"] = None
    return tuple(said)


def _frame(
    kind: type[BenefitRule] | type[AwardRule], rules: Iterable[Sequence[BenefitRule | AwardRule]]
) -> pd.DataFrame:
    """Return rules as a frame, days as dates and what is not said as empty cells."""
    rows = [rule for steps in rules for rule in steps]
    frame = pd.DataFrame({field.name: [getattr(rule, field.name) for rule in rows] for field in fields(kind)})
    days = frame["effective_from"].where(frame["effective_from"] != ALWAYS)
    frame["effective_from"] = pd.to_datetime(days, unit="D")
    texts = frame.columns[[frame[name].dtype == object for name in frame.columns]]
    return frame.assign(**{name: frame[name].replace("", None) for name in texts})


def warn_of(sentences: Iterable[str]) -> None:
    """Warn of each of some cautions, where a public verb was called."""
    for sentence in sentences:
        warnings.warn(sentence, BenefitWarning, stacklevel=3)


@cache
def _package_law() -> BenefitLaw:
    """Read the tables of the package, over the temporary total benefit of `statutory_table`."""
    read = {}
    for name in ("benefit_rules", "award_rules"):
        with as_file(files("msk_reserves.claims") / f"{name}.csv") as path:
            read[name] = _read(path, name)
    plain = _grouped(_plain_temporary_total())
    rules = _replaced(plain, _grouped(_records(BenefitRule, read["benefit_rules"])))
    return BenefitLaw(rules, _grouped(_records(AwardRule, read["award_rules"])))


def _plain_temporary_total() -> tuple[BenefitRule, ...]:
    """Return the rules of `statutory_table` as rules of benefits."""
    return tuple(
        BenefitRule(
            jurisdiction=code,
            benefit="temporary_total",
            rate=rule.rate,
            effective_from=float(calendar_day(_first_day(rule.maximum_effective), "maximum_effective")),
            wage_base="after_tax" if rule.wage_base == "after_tax" else "gross",
            weekly_maximum=rule.weekly_maximum,
            weekly_minimum=rule.weekly_minimum,
            minimum_wage_share=rule.minimum_wage_share,
            waiting_days=rule.waiting_days,
            retro_days=rule.retro_days,
            max_weeks=rule.max_weeks,
            confidence=rule.confidence,
            source=rule.source,
            note=rule.note,
        )
        for code, rule in statutory_table().items()
    )


def _first_day(date: str) -> str:
    """Return the first day of a year or a month, or the day itself."""
    return date + {4: "-01-01", 7: "-01"}.get(len(date), "")


def _grouped(rules: Sequence[Rule]) -> dict[Key, tuple[Rule, ...]]:
    """Return rules by jurisdiction and benefit or part, in order of date and start."""
    groups: dict[Key, list[Rule]] = {}
    for rule in rules:
        groups.setdefault((rule.jurisdiction, _subject(rule)), []).append(rule)
    return {
        key: tuple(sorted(group, key=lambda rule: (rule.effective_from, _start(rule)))) for key, group in groups.items()
    }


def _replaced(
    law: Mapping[Key, tuple[Rule, ...]], own: Mapping[Key, tuple[Rule, ...]]
) -> Mapping[Key, tuple[Rule, ...]]:
    """Return a law with rules of some dates in the place of those it has of the same dates."""
    rules = [
        rule for key, steps in law.items() for rule in steps if rule.effective_from not in _dates(own.get(key, ()))
    ]
    for steps in own.values():
        rules.extend(steps)
    return MappingProxyType(_grouped(rules))


def _dates(rules: Sequence[BenefitRule | AwardRule]) -> set[float]:
    """Return the dates that rules start on."""
    return {rule.effective_from for rule in rules}


def _subject(rule: BenefitRule | AwardRule) -> str:
    """Return the benefit or part that a rule is of."""
    return rule.benefit if isinstance(rule, BenefitRule) else rule.part


def _start(rule: BenefitRule | AwardRule) -> float:
    """Return the week or rating from which a rule holds."""
    return rule.from_week if isinstance(rule, BenefitRule) else rule.from_rating


def _read(source: Source, name: str) -> Table:
    """Read a table of rules, named in its defects by its file."""
    told = Path(source).name if isinstance(source, str | Path) else name
    columns = RULE_COLUMNS if name == "benefit_rules" else AWARD_COLUMNS
    return read_plain_table(source, told, columns, check=check_rules if name == "benefit_rules" else check_awards)


def _records(kind: type[Rule], table: Table) -> tuple[Rule, ...]:
    """Return a record of every row; an empty cell has the record's usual value."""
    columns = RULE_COLUMNS if kind is BenefitRule else AWARD_COLUMNS
    rows: list[dict[str, Any]] = [{} for _ in range(len(table))]
    for field in fields(kind):
        cells = _cells(table, field.name, columns[field.name])
        for row, cell in zip(rows, cells, strict=True):
            if cell is not None:
                row[field.name] = cell
    return tuple(kind(**row) for row in rows)


def _cells(table: Table, name: str, column: Column) -> list[float | str | None]:
    """Return the cells of a column, None where empty."""
    if column.kind == "text":
        texts = table.texts.get(name)
        return [None] * len(table) if texts is None else [word or None for word in texts.at(np.arange(len(table)))]
    values = table.values[name].tolist()
    if column.kind == "word":
        return [None if code < 0 else column.words[code] for code in values]
    return [None if np.isnan(value) else value for value in values]
