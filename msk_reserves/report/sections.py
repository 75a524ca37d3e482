"""The tables of the page, as rows of text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves.certainty.gain import CertaintyGain
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.summary import summarise_data
from msk_reserves.cost.factor import describe
from msk_reserves.cost.rates import rate_table
from msk_reserves.cost.record import Cost
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.recovery.quality.verdict import RecoveryAssessment
from msk_reserves.reserves.cash_flows import CashFlows
from msk_reserves.reserves.discount import DiscountCurve
from msk_reserves.reserves.distribution import PARTS, ReserveDistribution
from msk_reserves.reserves.forecast import Forecast
from msk_reserves.reserves.late_reports import NotYetReported


@dataclass(frozen=True, slots=True)
class Table:
    """A table ready to be shown.

    Attributes
    ----------
    caption : what it shows, with the unit.
    columns : its headings.
    rows : its cells as text, one tuple a row.
    words : places of the columns that hold words; the others hold figures.
    stacks : whether narrow screens show each row as a card of its own; else the table scrolls.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)
    stacks: bool = False


HEADLINE = {
    "mean": "mean",
    "sd": "standard deviation",
    "5 %": "5 %",
    "50 %": "50 %",
    "95 %": "95 %",
    "tail mean 95 %": "tail mean 95 %",
    "simulation error": "simulation error",
}
"""Columns of the headline by those of a reserve's own table."""


def short_table(forecast: Forecast) -> Table:
    """Return the total under each contract in one line: the mean and the 90 % band."""
    rows = []
    for name, reserve in forecast.reserves.items():
        low, high = reserve.band(0.9)
        rows.append((name, *(f"{dollars:,.0f}" for dollars in (reserve.mean(), low, high, high - low))))
    columns = ("contract", "mean", "5 %", "95 %", "width of the 90 % band")
    return Table("Total unpaid cost, nominal dollars", columns, tuple(rows), stacks=True)


def reserve_tables(forecast: Forecast) -> tuple[Table, ...]:
    """Return a table for each contract: unpaid cost by component, whole dollars."""
    return tuple(_reserve_table(reserve, name) for name, reserve in forecast.reserves.items())


def closed_table(forecast: Forecast) -> Table:
    """Return the part of the reserves on files now closed by component, whole dollars."""
    n_closed = forecast.book.state_counts()["closed"]
    return _reserve_table(forecast.closed_files, f"Of this on {n_closed:,} files now closed, under every contract")


def unreported_table(found: NotYetReported) -> Table:
    """Return the reserve for claims not yet reported by component, whole dollars."""
    low, high = found.count_band()
    caption = f"Claims not yet reported ({low:,.0f} to {high:,.0f} with a chance of 90 %)"
    return _reserve_table(found.reserve, caption)


def period_table(found: NotYetReported) -> Table:
    """Return the accident periods of which something is still unreported, latest last, and the shares reported."""
    frame = found.unreported.to_frame()
    frame = frame[frame["not reported, mean"] >= 0.05]
    rows = tuple(
        (
            str(row[0].date()),
            f"{row[1]:,.0f}",
            f"{row[2]:.1%}",
            f"{row[3]:,}",
            f"{row[4]:,.1f}",
            f"{row[5]:,.1f}",
        )
        for row in frame.itertuples(index=False)
    )
    columns = ("period from", "exposure", "share reported", "reported", "not reported, mean", "standard deviation")
    caption = f"Claims by accident period; exposure: {found.unreported.periods.basis}"
    return Table(caption, columns, rows, stacks=True)


def timing_tables(flows: CashFlows, curve: DiscountCurve) -> tuple[Table, ...]:
    """Return nominal and discounted figures side by side, and the mean dollars of each year ahead by contract."""
    both = flows.side_by_side(curve)
    cells = [[f"{value:,.0f}" for value in row] for row in both.to_numpy()]
    rows = tuple((*name, *row) for name, row in zip(both.index, cells, strict=True))
    n_scenarios = next(iter(flows.dollars.values())).shape[-1]
    caption = f"Unpaid cost of reported claims, nominal and at its worth today; {n_scenarios:,} scenarios, {curve}"
    worth = Table(caption, ("contract", "component", *both.columns), rows, words=(0, 1), stacks=True)
    years = []
    for name in flows.dollars:
        table = flows.by_quarter(name, curve).drop(columns="from day")
        table = table.groupby((np.arange(len(table)) // 4) + 1).sum()
        years += [
            (name, str(year), *(f"{value:,.0f}" for value in row))
            for year, row in zip(table.index, table.to_numpy(), strict=True)
        ]
    columns = ("contract", "year ahead", *table.columns)
    return worth, Table("Mean dollars by year ahead", columns, tuple(years), words=(0,), stacks=True)


def _reserve_table(reserve: ReserveDistribution, name: str) -> Table:
    """Return one reserve by component."""
    frame = reserve.to_frame()
    rows = []
    for part in PARTS:
        if part in frame.index:
            rows.append((part, *(f"{frame.at[part, column]:,.0f}" for column in HEADLINE)))
        else:
            rows.append((part, "not in any figure", *[""] * (len(HEADLINE) - 1)))
    caption = f"{name}: unpaid cost, nominal dollars"
    return Table(caption, ("component", *HEADLINE.values()), tuple(rows), stacks=True)


def gain_table(forecast: Forecast, gain: CertaintyGain) -> Table:
    """Return what one contract narrows against another, by component, and what that costs."""
    columns = (
        "component", "mean change", "simulation error of it", "90 % band before, width", "narrower by",
        "width after / before", "tail removed (99 %)", "its simulation error", "price per dollar of tail",
    )  # fmt: skip
    rows = []
    for part, one in gain.components.items():
        low, high = forecast.reserves[gain.before].band(0.9, part)
        rows.append(
            (
                part,
                f"{one.mean_change:+,.0f}",
                f"{one.mean_change_error:,.0f}",
                f"{high - low:,.0f}",
                f"{one.band_narrowing[0.9]:,.0f}",
                f"{one.band_ratio[0.9]:.1%}" if np.isfinite(one.band_ratio[0.9]) else "none",
                f"{one.tail_removed:,.0f}",
                f"{one.tail_removed_error:,.0f}",
                "none" if one.price_of_certainty is None else f"{one.price_of_certainty:,.2f}",
            )
        )
    caption = f"{gain.name}: {gain.n_claims:,} claims, the same futures; dollars"
    return Table(caption, columns, tuple(rows), stacks=True)


def standing_table(forecast: Forecast) -> Table:
    """Return where the claims stand, and what each contract makes of them."""
    counts = forecast.book.state_counts()
    rows = [(name.replace("_", " "), f"{n:,}") for name, n in counts.items()]
    rows.append(("all reported claims", f"{len(forecast.book):,}"))
    return Table("Claims on the valuation date", ("worker or file", "claims"), tuple(rows))


def terms_table(forecast: Forecast) -> Table:
    """Return how many claims each contract values under its own terms."""
    n, bundled = len(forecast.book), forecast.bundled
    rows = tuple(
        (
            name,
            forecast.manifest.contracts.get(name, ""),
            f"{forecast.taken_over[name]:,}",
            f"{bundled:,}",
            f"{n - forecast.taken_over[name] - bundled:,}",
        )
        for name in forecast.reserves
    )
    columns = ("contract", "terms", "claims under its terms", "in a bundle already", "fee for service")
    return Table("Contracts, and the claims each of them values", columns, rows, words=(0, 1), stacks=True)


def data_tables(book: ClaimBook) -> tuple[Table, ...]:
    """Return the summary of the claims: states, exposure, paid, missing values."""
    summary = summarise_data(book)
    return (
        of_frame(summary.claims_by_state, "Claims by state", {"share": "{:.1%}"}),
        of_frame(summary.exposure, "Stays and days at risk by state"),
        of_frame(summary.paid, "Paid to date, dollars"),
        of_frame(summary.missing, "Empty cells of the claims table", {"share": "{:.1%}"}),
    )


def recovery_table(recovery: Recovery) -> Table:
    """Return a row a move: how often it was seen, the laws that carry weight, and those left out with the reason."""
    columns = ("from", "to", "moves", "days at risk", "clock", "laws and weights", "left out", "parameters drawn")
    rows = []
    for (origin, target), move in recovery.to_frame().groupby(["from", "to"], sort=False):
        kept = move[move["weight"] > 0]
        out = move[move["weight"] <= 0]
        rows.append(
            (
                str(origin).replace("_", " "),
                str(target).replace("_", " "),
                f"{move['moves'].iloc[0]:,}",
                f"{move['days_at_risk'].iloc[0]:,}",
                str(move["clock"].iloc[0]),
                "; ".join(_law(*one) for one in zip(kept["law"], kept["weight"], kept["note"], strict=True)),
                "; ".join(f"{', '.join(laws)}: {note}" for note, laws in out.groupby("note", sort=False)["law"]),
                str(move["draws"].iloc[0]),
            )
        )
    caption = "Moves between states, and the laws of the days before each"
    return Table(caption, columns, tuple(rows), words=(0, 1, 4, 5, 6, 7), stacks=True)


def _law(name: str, weight: float, note: str) -> str:
    """Return a law with its weight and what there is to say of it."""
    return f"{name} {weight:.2f}" + (f" ({note})" if note else "")


def verdict_table(found: RecoveryAssessment) -> Table:
    """Return the checks of a recovery with what was found, the outcome and the rule."""
    rows = tuple((one.name, one.outcome, one.value, one.rule, one.source) for one in found.checks)
    columns = ("check", "outcome", "found", "passes with", "source of the rule")
    return Table("Checks of the recovery model", columns, rows, words=(0, 1, 2, 3, 4), stacks=True)


def rate_tables(cost: Cost) -> tuple[Table, ...]:
    """Return the payment rates of each account of a cost model, by kind of state and days in it."""
    tables = []
    for name, account in cost.accounts.items():
        if account is not None:
            # Many bins, few states: a row a bin fits a page that is printed.
            rates = rate_table(account, cost.grid).T
            tables.append(of_frame(rates, f"{name}: {account.unit} a day, by state and days in it"))
    return tuple(tables)


def relativity_tables(cost: Cost) -> tuple[Table, ...]:
    """Return what moves a claim's rates: its relativities by account, and the spread of its own medical level."""
    tables = []
    for name, account in cost.accounts.items():
        if account is not None and account.relativities.design.columns:
            tables.append(of_frame(account.relativities.table(), f"{name}: relativities, 90 % interval"))
    if cost.factor is not None:
        tables.append(of_frame(describe(cost.factor), "Medical level of claims, 1 on average"))
    return tuple(tables)


def of_frame(frame: pd.DataFrame, caption: str, formats: Mapping[str, str] | None = None) -> Table:
    """Return a frame as a table, its index first; figures with what precision they need, unknown ones empty.

    Parameters
    ----------
    frame : the table.
    caption : what it shows.
    formats : format of a column, by its name.
    """
    chosen = dict(formats or {})
    columns = (str(frame.index.name or ""), *(str(name).replace("_", " ") for name in frame.columns))
    cells = [[_cell(value, chosen.get(str(name))) for value in frame[name]] for name in frame.columns]
    rows = tuple((_label(label), *(column[place] for column in cells)) for place, label in enumerate(frame.index))
    return Table(caption, columns, rows)


def _label(label: object) -> str:
    """Return the name of a row as text; a year keeps its look."""
    return f"{label:g}" if isinstance(label, float) else str(label).replace("_", " ")


def _cell(value: object, form: str | None) -> str:
    """Return a value as text: whole numbers with separators, others to three digits or whole dollars."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return str(value)
    number = float(value)
    if not np.isfinite(number):
        return ""
    if form is not None:
        return form.format(number)
    if isinstance(value, int | np.integer) or abs(number) >= 1000:
        return f"{number:,.0f}"
    if 0 < abs(number) < 0.001:
        return "<0.001" if number > 0 else ">-0.001"
    return f"{number:,.3g}"


def pairs(values: Mapping[str, object], caption: str, columns: Sequence[str]) -> Table:
    """Return names and values as a table of two columns of words."""
    rows = tuple((str(name), str(value)) for name, value in values.items())
    return Table(caption, tuple(columns), rows, words=(0, 1))
