"""What must hold of every synthetic world, whatever its seed."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.read import load_tables
from msk_reserves.samples.calibration import calibration_report
from msk_reserves.samples.injuries import COLUMNS, INJURY, INJURY_NAMES
from msk_reserves.samples.ship import write_tables
from msk_reserves.samples.world import World, generate_world

CUT = "2025-06-30"


@pytest.fixture(scope="module")
def world() -> World:
    """A world of moderate size."""
    return generate_world(1500, seed=20)


def book_of(tables: dict[str, pd.DataFrame], date: str) -> ClaimBook:
    """Read tables as a user would and look at them on a date."""
    return load_tables(tables["claims"], events=tables["events"], payments=tables["payments"]).as_of(date)


def same(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Whether two frames hold the same, cell by cell."""
    return bool(a.equals(b))


@pytest.mark.parametrize("view", ["whole lives", "2019-03-31", CUT])
def test_the_library_finds_nothing_wrong(world: World, view: str) -> None:
    """Whole lives and cuts pass every check of the reader, and nothing is set aside."""
    tables = dict(world.tables) if view == "whole lives" else world.cut(view)
    read = load_tables(tables["claims"], events=tables["events"], payments=tables["payments"])
    assert read.defects == ()
    assert len(read) == len(tables["claims"])


@pytest.mark.parametrize("date", ["2018-06-30", "2021-12-31", CUT])
def test_a_cut_says_what_the_whole_says_as_of_that_date(world: World, date: str) -> None:
    """The book as of a date is the same from the whole lives and from the tables cut on that date."""
    whole, cut = book_of(dict(world.tables), date), book_of(world.cut(date), date)
    assert whole.claims["claim_id"].tolist() == cut.claims["claim_id"].tolist()
    for name in ("claim", "state", "entered", "days", "next_state", "observed_from", "days_off_before", "operated"):
        np.testing.assert_array_equal(getattr(whole.spells, name), getattr(cut.spells, name), err_msg=name)
    pd.testing.assert_frame_equal(whole.paid, cut.paid)


def test_a_cut_knows_nothing_of_later(world: World) -> None:
    """No date of a cut lies after it, and a bundle that has not begun is fee for service."""
    known = world.cut("2021-12-31")
    evening = pd.Timestamp("2021-12-31")
    for table in known.values():
        for column in table.select_dtypes("datetime"):
            assert not (table[column] > evening).any()
    ffs = known["claims"]["arrangement"] == "ffs"
    assert known["claims"].loc[ffs, ["bundle_trigger_date", "bundle_price"]].isna().all(axis=None)
    assert known["claims"].loc[~ffs, ["bundle_trigger_date", "bundle_price"]].notna().all(axis=None)
    later = world.tables["claims"]["bundle_trigger_date"] > evening
    assert later.any()


@given(seed=st.integers(0, 2**31), n=st.integers(1, 60), medical_only=st.sampled_from([0.0, 0.25, 1.0]))
@settings(max_examples=15, deadline=None)
def test_small_worlds_stand(seed: int, n: int, medical_only: float) -> None:
    """Worlds of any small size, down to one claim without a day off, are made and read without a defect."""
    made = generate_world(n, seed=seed, accident_years=[2020], horizon_years=3, medical_only_share=medical_only)
    claims, payments = made.tables["claims"], made.tables["payments"]
    assert (claims["report_date"] >= claims["injury_date"]).all()
    assert not (claims["disability_start"] <= claims["injury_date"]).any()
    dated = payments.merge(claims[["claim_id", "injury_date"]], on="claim_id")
    assert (dated["date"] > dated["injury_date"]).all()
    assert not (dated["service_date"] < dated["injury_date"]).any()
    assert (payments["date"] <= made.settings.end).all()
    assert load_tables(claims, events=made.tables["events"], payments=payments).defects == ()


def test_the_same_seed_gives_the_same_world_to_the_byte(world: World, tmp_path: Path) -> None:
    """Two worlds of one seed are equal and write the same bytes; another seed gives another world."""
    again = generate_world(1500, seed=20)
    for name, table in world.tables.items():
        assert same(table, again.tables[name])
    assert not same(world.tables["claims"], generate_world(1500, seed=21).tables["claims"])
    for place, made in (("a", world), ("b", again)):
        write_tables(made.cut(CUT), tmp_path / place)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["claims.csv", "events.parquet", "payments.parquet"]
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_shipped_files_give_the_same_book(world: World, tmp_path: Path) -> None:
    """What is written and read back is what was cut."""
    known = world.cut(CUT)
    write_tables(known, tmp_path)
    read = load_tables(
        tmp_path / "claims.csv", events=tmp_path / "events.parquet", payments=tmp_path / "payments.parquet"
    )
    pd.testing.assert_frame_equal(read.as_of(CUT).paid, book_of(known, CUT).paid)


def test_shocks_touch_dollars_only(world: World) -> None:
    """Another size of shock changes amounts, by exactly the factor of their year, and nothing else."""
    calm = generate_world(1500, seed=20, medical_shock_cv=0.0, indemnity_shock_cv=0.0)
    assert same(calm.tables["claims"], world.tables["claims"])
    assert same(calm.tables["events"], world.tables["events"])
    factor = np.ones(len(world.exposure))
    for name in ("medical", "indemnity"):
        chosen = (world.exposure["shock"] == name).to_numpy()
        factor[chosen] = world.shocks[name].reindex(world.exposure["year"][chosen]).to_numpy()
    before, after = (made.tables["payments"]["amount"].to_numpy() for made in (calm, world))
    np.testing.assert_allclose(after, before * factor, atol=0.0051)
    untouched = world.tables["payments"]["category"].isin(["ttd", "tpd", "ptd", "case_management"])
    np.testing.assert_array_equal(before[untouched], after[untouched])


def test_unpaid_is_what_is_paid_in_the_window(world: World) -> None:
    """Unpaid dollars are those of reported claims, after the date, within the horizon; claims with none are there."""
    date, horizon = pd.Timestamp("2022-06-30"), 700
    unpaid = world.unpaid(date, horizon)
    reported = world.tables["claims"].loc[world.tables["claims"]["report_date"] <= date, "claim_id"]
    payments = world.tables["payments"]
    window = payments[(payments["date"] > date) & (payments["date"] <= date + pd.Timedelta(days=horizon))]
    expected = window.loc[window["claim_id"].isin(reported), "amount"].sum()
    assert unpaid.index.tolist() == reported.tolist()
    assert unpaid["total"].sum() == pytest.approx(expected)
    assert unpaid[["medical", "indemnity", "expense"]].to_numpy().sum() == pytest.approx(expected)
    assert (unpaid["total"] == 0).any()


def test_files_are_closed_only_when_nobody_is_off_work(world: World) -> None:
    """Between being off work and the end of it no file is closed, and a file is reopened before anything happens."""
    off: set[str] = set()
    closed: set[str] = set()
    ends = {"modified_duty", "return_to_work", "mmi", "settlement", "permanent_total", "death"}
    for row in world.tables["events"].itertuples(index=False):
        if row.event == "close":
            assert row.claim_id not in off | closed
            closed.add(row.claim_id)
        elif row.event == "reopen":
            closed.discard(row.claim_id)
        else:
            assert row.claim_id not in closed
        if row.event == "off_work":
            off.add(row.claim_id)
        elif row.event in ends:
            off.discard(row.claim_id)


def test_voids_take_back_what_was_paid(world: World) -> None:
    """Every negative payment has its earlier positive twin."""
    payments = world.tables["payments"]
    key = ["claim_id", "category", "service_date"]
    voids = payments[payments["amount"] < 0].assign(amount=lambda table: -table["amount"])
    assert len(voids) > 20
    twins = voids.merge(payments[payments["amount"] > 0], on=[*key, "amount"], suffixes=("", "_paid"))
    assert (twins["date_paid"] < twins["date"]).groupby([twins[name] for name in (*key, "amount")]).any().all()
    assert len(twins.drop_duplicates([*key, "amount", "date"])) >= len(voids.drop_duplicates([*key, "amount", "date"]))


def test_body_parts_are_those_asked_for() -> None:
    """A world of shoulders holds shoulders, and its fit report leaves out the figures of the whole mix."""
    shoulders = generate_world(400, seed=3, body_parts=["shoulder"])
    assert set(shoulders.tables["claims"]["body_part"]) == {"shoulder"}
    named = calibration_report(shoulders)["target"]
    assert named.str.contains("shoulder|cuff|rotator|modified").all()


def test_the_injury_table_is_complete() -> None:
    """Every documented column is there for every type, shares are shares, and the types make up the whole."""
    assert set(INJURY) == set(COLUMNS)
    assert all(len(column) == len(INJURY_NAMES) for column in INJURY.values())
    assert INJURY["share"].sum() == pytest.approx(1.0)
    for name in ("surgery", "chronic_share", "never_back", "award", "attorney", "relapse"):
        assert ((INJURY[name] >= 0) & (INJURY[name] <= 1)).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_claims": 0}, "`n_claims` must be a whole number of at least 1, got 0"),
        ({"seed": -1}, "`seed` must be a whole number"),
        ({"accident_years": []}, "`accident_years` must name at least one year"),
        ({"bundled_share": 1.5}, r"`bundled_share` must lie in \[0, 1\], got 1.5"),
        ({"medical_shock_cv": -0.1}, "`medical_shock_cv` must not be negative"),
        ({"bundle_time_ratio": 0.0}, "`bundle_time_ratio` must be above zero"),
        ({"body_parts": ["spleen"]}, "`body_parts` must be one of low_back"),
        ({"body_parts": []}, "`body_parts` must name at least one body part"),
        ({"horizon_years": 500}, "`accident_years` must end, with the horizon, by 2200"),
    ],
)
def test_terms_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    """Each term says what it may be and what came."""
    with pytest.raises(ValueError, match=message):
        generate_world(**({"n_claims": 10, "seed": 1} | options))


def test_a_horizon_beyond_the_world_is_refused(world: World) -> None:
    """Unpaid dollars are not given where the world was not followed."""
    with pytest.raises(ValueError, match="`horizon_days` must end by 2036-12-31"):
        world.unpaid("2030-01-01")
    with pytest.raises(ValueError, match="`component` must be one of"):
        world.systemic_cv(CUT, "legal")
