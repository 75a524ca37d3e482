"""Write the synthetic samples and their cards: `python -m msk_reserves.samples.ship OUT_DIR`."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from msk_reserves.samples.calibration import calibration_report
from msk_reserves.samples.shipped import EXTRACT_DATE, FILES, SYNTHETIC_SAMPLES
from msk_reserves.samples.world import World, generate_world

CALLS: Mapping[str, str] = MappingProxyType(
    {
        "portfolio": "generate_world(6500, seed=7, accident_years=range(2019, 2026))",
        "shoulder": 'generate_world(1300, seed=11, accident_years=range(2019, 2026), body_parts=["shoulder"])',
    }
)
YEARS = range(2019, 2026)
"""Accident years of the samples; the last is cut at the date of the extract."""

LARGE_WORLD = (60_000, 1)
"""Claims and seed of the world behind the second fit report: large enough for the figures to settle."""

_COLUMNS = """\
| table | column | meaning, unit |
|---|---|---|
| claims | claim_id | text, unique |
| | injury_date, report_date | dates |
| | disability_start | first full day off work; empty: none so far |
| | body_part, injury_type | words; the injury type is the generator's own class |
| | age | years at injury |
| | sex | F, M |
| | weekly_wage, weekly_benefit | dollars a week; the benefit is the statutory one |
| | jurisdiction | two-letter state |
| | job_demand, industry, employer_id | words |
| | comorbidities | count, 0 to 3 |
| | arrangement, bundle_trigger_date, bundle_price | ffs or bundle; date; dollars of the trigger date |
| events | claim_id, date, event, recorded_date | what happened when, and when the payer learned of it |
| | releases_medical | settlements: 1 where medical care is released too |
| payments | claim_id, date, category, amount | paid when, for what, dollars; voids are negative |
| | service_date | medical: date of the service |
| | units | therapy: visits; case management: hours |
"""

_CARD = """\
# Sample `{name}`

**Synthetic.** Every claim in it was made up by a random number generator that was tuned by hand to published figures.
It is not industry experience, and nothing measured on it may be reported as such.

- Content: {claims:,} claims of accident years 2019 to 2025 (to the date below) reported by {date}, {events:,} events,
  {payments:,} payments, as known on the evening of {date}. Nothing that happened or was recorded later is in the
  files. {bundled:,} claims are in a bundle; the care a bundle covers is not among the payments.
- Units: dollars (nominal), days, years, dollars a week. Dates are ISO.
- Made by: `{call}.cut("{date}")`
  of `msk_reserves.samples.world`, written by `python -m msk_reserves.samples.ship`. The same call gives the whole lives
  and the truth behind them.
- Licence: BSD-3-Clause, as the library.

## Columns

{columns}
## Fit to published figures

Measured on the whole lives of this sample's claims, medical by service within 36 months in dollars of 2025. The
generator was tuned to these same figures, so the table says how well, not that the generator is right. Tolerances
widen with the noise of small groups.

{table}

{within} of {figures} figures are within tolerance. In a world of {large:,} claims of the whole mix it is
{large_within} of {large_figures}; outside there:

{misses}

Payments run ahead of the old industry pattern. The likely reason: musculoskeletal injuries alone lack the catastrophic
and lifetime claims that make up much of an accident year's late payments.
"""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3f}"


def _table(report: pd.DataFrame) -> str:
    """Return the fit report as a Markdown table."""
    lines = ["| figure | simulated | within tolerance from | to | within | source |", "|---|---|---|---|---|---|"]
    for row in report.itertuples(index=False):
        low, high = _number(row.lowest), _number(row.highest)
        verdict = "yes" if row.within else "**no**"
        lines.append(f"| {row.target} | {_number(row.simulated)} | {low} | {high} | {verdict} | {row.source} |")
    return "\n".join(lines)


def card(name: str, world: World, large: pd.DataFrame) -> str:
    """Return the card of a sample, given the fit report of a large world."""
    known = world.cut(EXTRACT_DATE)
    report = calibration_report(world)
    misses = "\n".join(
        f"- {row.target}: {_number(row.simulated)}, tolerance {_number(row.lowest)} to {_number(row.highest)}"
        for row in large[~large["within"]].itertuples(index=False)
    )
    return _CARD.format(
        name=name,
        date=EXTRACT_DATE,
        call=CALLS[name],
        columns=_COLUMNS,
        claims=len(known["claims"]),
        events=len(known["events"]),
        payments=len(known["payments"]),
        bundled=int((known["claims"]["arrangement"] == "bundle").sum()),
        table=_table(report),
        within=int(report["within"].sum()),
        figures=len(report),
        large=LARGE_WORLD[0],
        large_within=int(large["within"].sum()),
        large_figures=len(large),
        misses=misses or "- none",
    )


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write the tables of a cut: claims as CSV, which people read; events and payments as Parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, file in FILES.items():
        if file.endswith(".csv"):
            tables[name].to_csv(folder / file, index=False, lineterminator="\n")
        else:
            tables[name].to_parquet(folder / file, index=False, compression="zstd")


def ship(folder: Path) -> None:
    """Make both samples and write them with their cards."""
    worlds = {
        "portfolio": generate_world(6500, seed=7, accident_years=YEARS),
        "shoulder": generate_world(1300, seed=11, accident_years=YEARS, body_parts=["shoulder"]),
    }
    large = calibration_report(generate_world(LARGE_WORLD[0], seed=LARGE_WORLD[1]))
    for name in SYNTHETIC_SAMPLES:
        write_tables(worlds[name].cut(EXTRACT_DATE), folder / name)
        (folder / name / "CARD.md").write_text(card(name, worlds[name], large), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the folder from the command line and write the samples there."""
    parser = argparse.ArgumentParser(description="Write the synthetic samples and their cards.")
    parser.add_argument("folder", type=Path, metavar="OUT_DIR", help="where the folders of the samples go")
    ship(parser.parse_args(arguments).folder)


if __name__ == "__main__":
    main()
