"""Days and payments of represented workers fall in cells by the same clock as those of any other worker."""

import numpy as np
import pandas as pd
import pytest

from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.read import load_tables
from msk_reserves.claims.states import BASE_CODE
from msk_reserves.claims.vocabulary import STATE_CODE, STATES
from msk_reserves.cost.cells import CellGrid, bundle_windows, exposure, payment_cells
from msk_reserves.episodes.takeover import takeover, window_open
from msk_reserves.samples.world import generate_world

DATE = pd.Timestamp("2023-06-30")


@pytest.fixture(scope="module")
def books() -> tuple[ClaimBook, ClaimBook]:
    """A book, and the book of the same file without its attorneys."""
    tables = generate_world(400, seed=8).cut(DATE)
    events = tables["events"]
    without = events[events["event"] != "attorney"]
    both = [load_tables(tables["claims"], events=each, payments=tables["payments"]) for each in (events, without)]
    return both[0].as_of(DATE), both[1].as_of(DATE)


def test_twins_share_the_clock_of_their_states(books: tuple[ClaimBook, ClaimBook]) -> None:
    """Days and payments by cell, twins joined with their states, are those of the file without attorneys.

    But for the settled: an attorney tells what a settlement is worth, and has a band there.
    """
    book, bare = books
    assert (BASE_CODE[book.spells.state] != book.spells.state).sum() > 50
    grid, n = CellGrid(), len(book)
    days, plain = (exposure(one, grid, bundle_windows(one)).toarray().reshape(n, len(STATES), -1) for one in books)
    joined, settled = np.zeros_like(days), STATE_CODE["settled"]
    for code, base in enumerate(BASE_CODE):
        joined[:, base] += days[:, code]
    others = np.arange(len(STATES)) != settled
    np.testing.assert_allclose(joined[:, others], plain[:, others], atol=1e-9)
    np.testing.assert_allclose(joined[:, settled].sum(axis=1), plain[:, settled].sum(axis=1), atol=1e-9)
    a_state = grid.n_cells // len(STATES)
    cell, expected = payment_cells(book, grid), payment_cells(bare, grid)
    joint = BASE_CODE[cell // a_state] * a_state + cell % a_state
    elsewhere = expected // a_state != settled
    np.testing.assert_array_equal(joint[elsewhere], expected[elsewhere])
    np.testing.assert_array_equal(joint[~elsewhere] // a_state, settled)


def test_an_attorney_changes_no_one_s_standing(books: tuple[ClaimBook, ClaimBook]) -> None:
    """Who may be taken over, whose window is open and what the figures count do not depend on attorneys."""
    book, bare = books
    np.testing.assert_array_equal(takeover(book).eligible, takeover(bare).eligible)
    np.testing.assert_array_equal(window_open(book), window_open(bare))
    assert book.state_counts() == bare.state_counts()
    assert repr(book) == repr(bare)
