"""What was not known on the date changes nothing: laws of `as_of` and of the path on random ledgers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves.claims.states import BASE_CODE, TWIN_CODE
from msk_reserves.claims.vocabulary import STATES
from tests.worlds.claim_files import assert_same_book, ledger_texts, load, summary_texts, typed

FIRST = pd.Timestamp("2023-01-01")
SEEDS = st.integers(0, 2**32 - 1)

FOLLOWS = {
    "at_work": ("modified_duty", "surgery", "attorney", "settlement", "close"),
    "off": ("modified_duty", "return_to_work", "surgery", "attorney", "mmi", "settlement", "close", "permanent_total"),
    "back": ("off_work", "modified_duty", "return_to_work", "surgery", "attorney", "close", "mmi", "death"),
}


def random_ledger(seed: int, n_claims: int = 8) -> dict[str, pd.DataFrame]:
    """Draw a sound ledger whose events and payments are recorded some days late, in the order they happened."""
    rng = np.random.default_rng(seed)
    claims, events, payments = [], [], []
    for number in range(n_claims):
        name = f"R-{rng.integers(1_000_000)}-{number}"
        injury = int(rng.integers(0, 200))
        start = injury + int(rng.integers(0, 6)) if rng.random() < 0.8 else None
        bundled = rng.random() < 0.3
        claims.append(
            {
                "claim_id": name,
                "injury_date": injury,
                "report_date": injury + int(rng.integers(0, 60)) if rng.random() < 0.7 else None,
                "disability_start": start,
                "body_part": rng.choice(["knee", "shoulder"]),
                "weekly_wage": float(rng.integers(300, 2000)),
                "jurisdiction": rng.choice(["CA", "TX", "FL"]),
                "arrangement": "bundle" if bundled else "ffs",
                "bundle_trigger_date": injury + int(rng.integers(0, 200)) if bundled else None,
                "bundle_price": 9000.0 if bundled else None,
                "grade": rng.choice(["a", "b"]) if rng.random() < 0.8 else None,
            }
        )
        events += _events_of(rng, name, injury, start)
        for _ in range(int(rng.integers(0, 5))):
            day = injury + int(rng.integers(0, 300))
            recorded = day + int(rng.integers(0, 30)) if rng.random() < 0.6 else None
            amount = round(rng.normal(500, 400), 2)
            category = str(rng.choice(["ttd", "facility", "legal"]))
            payments.append((name, day, category, amount, recorded))
    tables = {
        "claims": pd.DataFrame(claims),
        "events": pd.DataFrame(events, columns=["claim_id", "date", "event", "recorded_date"]),
        "payments": pd.DataFrame(payments, columns=["claim_id", "date", "category", "amount", "recorded_date"]),
    }
    for table in tables.values():
        for column in table:
            if str(column).endswith(("date", "start")):
                table[column] = FIRST + pd.to_timedelta(table[column].astype(float), unit="D")
    return tables


def _events_of(rng: np.random.Generator, name: str, injury: int, start: int | None) -> list[tuple[object, ...]]:
    """Draw the events of one claim."""
    phase, day, known = ("off" if start is not None else "at_work"), injury if start is None else start, 0
    rows: list[tuple[object, ...]] = []
    if start is not None and rng.random() < 0.7:
        rows.append((name, start, "off_work", None))
    for _ in range(int(rng.integers(0, 7))):
        day += int(rng.choice([0, 1, 5, 13, 14, 15, 40, 90]))
        event = str(rng.choice(FOLLOWS[phase]))
        known = max(known, day + int(rng.integers(0, 20)))
        rows.append((name, day, event, known))
        if event == "death":
            break
        phase = {"off_work": "off", "return_to_work": "back", "modified_duty": "back"}.get(event, phase)
        if phase == "back" and start is None:
            phase = "at_work"
    return rows


def known_by(table: pd.DataFrame, date: pd.Timestamp) -> pd.Series:
    """Whether each row had happened and been recorded by the evening of a date."""
    recorded = table["recorded_date"].fillna(table["date"])
    return (table["date"] <= date) & (recorded <= date)


def cut(tables: dict[str, pd.DataFrame], date: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Cut tables by hand to what was known on a date."""
    claims = tables["claims"]
    claims = claims[claims["report_date"].fillna(claims["injury_date"]) <= date].copy()
    later = claims["bundle_trigger_date"] > date
    claims.loc[later, "arrangement"] = "ffs"
    claims.loc[later, "bundle_trigger_date"] = pd.NaT
    claims.loc[later, "bundle_price"] = np.nan
    claims.loc[claims["disability_start"] > date, "disability_start"] = pd.NaT
    kept = {"claims": claims}
    for name in ("events", "payments"):
        table = tables[name][tables[name]["claim_id"].isin(claims["claim_id"])]
        kept[name] = table[known_by(table, date)]
    return kept


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, days=st.integers(60, 600))
def test_tables_cut_beforehand_give_the_same_book(seed: int, days: int) -> None:
    """`as_of` of the full tables equals `as_of` of tables cut to what was known on the date."""
    tables, date = random_ledger(seed), FIRST + pd.Timedelta(days=days)
    early = cut(tables, date)
    if len(early["claims"]):
        full = load(tables).as_of(date)
        assert_same_book(full, load(early).as_of(date), decisions=False)
        rules = {d.rule: d.count for d in full.decisions if d.rule != "trigger_to_come"}
        assert rules == {d.rule: d.count for d in load(early).as_of(date).decisions}


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, days=st.integers(60, 600))
def test_no_later_cell_changes_anything(seed: int, days: int) -> None:
    """Cells of rows not yet known, of claims not yet reported, and of dates to come can hold anything valid."""
    tables, date = random_ledger(seed), FIRST + pd.Timedelta(days=days)
    rng = np.random.default_rng(seed)
    other = {name: table.copy() for name, table in tables.items()}
    later = ~known_by(other["payments"], date)
    other["payments"].loc[later, "amount"] = rng.normal(0, 1e6, int(later.sum()))
    other["payments"].loc[later, "category"] = "ptd"
    other["events"] = other["events"][known_by(other["events"], date)]
    claims = other["claims"]
    unseen = claims["report_date"].fillna(claims["injury_date"]) > date
    claims.loc[unseen, ["weekly_wage", "body_part", "grade"]] = [1.0, "head", "z"]
    claims.loc[claims["bundle_trigger_date"] > date, "bundle_price"] = 1.0
    claims.loc[claims["disability_start"] > date, "disability_start"] += pd.Timedelta(days=400)
    if not unseen.all():
        assert_same_book(load(tables).as_of(date), load(other).as_of(date))


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, days=st.integers(60, 600))
def test_attorneys_split_stays_and_change_nothing_else(seed: int, days: int) -> None:
    """Joined again, the stays are those of a file without attorneys; once represented, always represented."""
    tables, date = random_ledger(seed), FIRST + pd.Timedelta(days=days)
    events = tables["events"]
    without = {**tables, "events": events[events["event"] != "attorney"]}
    if (tables["claims"]["report_date"].fillna(tables["claims"]["injury_date"]) > date).all():
        return
    book, bare = load(tables).as_of(date), load(without).as_of(date)
    joined = book.spells.joined()
    for name in joined.__slots__:
        np.testing.assert_array_equal(getattr(joined, name), getattr(bare.spells, name), err_msg=name)
    np.testing.assert_array_equal(BASE_CODE[book.position.state], bare.position.state)
    for name in ("days_in_state", "days_off", "days_off_before", "operated"):
        np.testing.assert_array_equal(getattr(book.position, name), getattr(bare.position, name), err_msg=name)
    assert book.state_counts() == bare.state_counts()
    began, spells = book.spells.began(), book.spells
    assert (spells.observed_from >= began).all()
    np.testing.assert_array_equal(
        np.bincount(spells.claim, spells.days - began), np.bincount(bare.spells.claim, bare.spells.days)
    )
    attorneys = events[(events["event"] == "attorney") & known_by(events, date)].groupby("claim_id")["date"].min()
    retained = book.claims["claim_id"].map(attorneys)
    np.testing.assert_array_equal(book.position.represented, retained.notna())
    begins = np.datetime64("1970-01-01") + (spells.entered + np.floor(began)).astype("timedelta64[D]")
    has_twin = TWIN_CODE[BASE_CODE[spells.state]] != BASE_CODE[spells.state]
    told = retained.to_numpy()[spells.claim]
    twin = BASE_CODE[spells.state] != spells.state
    assert not twin[np.isnat(told) | (begins < told)].any()
    assert twin[has_twin & (begins > told)].all()


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_the_order_of_rows_is_irrelevant(seed: int) -> None:
    """Shuffled tables give the same book, to the last bit."""
    tables = random_ledger(seed)
    shuffled = {name: table.sample(frac=1.0, random_state=seed) for name, table in tables.items()}
    assert_same_book(load(tables).as_of("2024-06-30"), load(shuffled).as_of("2024-06-30"))


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS)
def test_claims_do_not_touch_each_other(seed: int) -> None:
    """A claim's stays and dollars are the same with and without the other claims."""
    tables = random_ledger(seed)
    book = load(tables).as_of("2024-06-30")
    some = set(book.claims["claim_id"][::2])
    part = load({name: table[table["claim_id"].isin(some)] for name, table in tables.items()}).as_of("2024-06-30")
    rows = np.flatnonzero(book.claims["claim_id"].isin(some))
    stays = np.isin(book.spells.claim, rows)
    for name in ("state", "entered", "days", "next_state", "observed_from", "days_off_before", "operated"):
        np.testing.assert_array_equal(getattr(book.spells, name)[stays], getattr(part.spells, name))
    np.testing.assert_array_equal(book.paid.to_numpy()[rows], part.paid.to_numpy())


def test_ids_are_sorted_as_text() -> None:
    """The book's order is that of the ids as text: C-10 comes before C-2."""
    book = load(typed(ledger_texts())).as_of("2024-12-31")
    assert list(book.claims["claim_id"]) == ["C-1", "C-10", "C-2", "C-3"]
    assert list(book.claims.index) == [0, 1, 2, 3]


def test_what_is_recorded_late_is_known_late() -> None:
    """A settlement of 1 February, recorded on the 10th, is unknown on the 9th; a report hides the claim before it."""
    tables = load(typed(ledger_texts()))
    before, after = (tables.as_of(date) for date in ("2024-02-09", "2024-02-10"))
    assert [STATES[book.position.state[3]] for book in (before, after)] == ["relapse", "settled"]
    assert np.isnan(before.claims["releases_medical"][3])
    assert after.claims["releases_medical"][3] == 1
    assert list(tables.as_of("2023-03-19").claims["claim_id"]) == ["C-1", "C-3"]


def test_a_bundle_not_yet_triggered_is_fee_for_service() -> None:
    """Before its trigger a bundled claim is fee for service and has no price."""
    tables = load(typed(ledger_texts()))
    early, late = tables.as_of("2023-02-28").claims.iloc[0], tables.as_of("2023-03-01").claims.iloc[0]
    assert (early["arrangement"], late["arrangement"]) == ("ffs", "bundle")
    assert np.isnan(early["bundle_price"])
    assert late["bundle_price"] == 38000


def test_paid_is_what_was_known_by_component() -> None:
    """Payments count from the day they are recorded; a component without any is zero at ledger depth."""
    tables = load(typed(ledger_texts()))
    assert tables.as_of("2023-03-15").paid.to_numpy()[-1].tolist() == [0.0, 1200.0, 0.0]
    assert tables.as_of("2023-04-01").paid.to_numpy()[-1].tolist() == [17500.25, 1200.0, 0.0]


def test_dates_and_their_absence_are_refused() -> None:
    """An undated table takes None, a dated one a date; before the first report there is no book."""
    dated = load(typed(ledger_texts()))
    for date, message in ((None, "must be a date"), ("June", "must be a date such as"), ("2020-01-01", "at least one")):
        with pytest.raises(ValueError, match=message):
            dated.as_of(date)
    undated = load(typed(summary_texts()), undated=True)
    with pytest.raises(ValueError, match="these tables are undated"):
        undated.as_of("2024-01-01")
    assert undated.as_of(None).valuation_date is None
