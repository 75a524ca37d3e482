"""Small worlds fitted once for the laws of forecasts."""

from functools import cache

import pandas as pd

import msk_reserves as msk
from tests.worlds.simple import VALUATION, simple_world

LEDGER_DATE = pd.Timestamp("2024-12-31")


@cache
def ledger() -> tuple[msk.ClaimBook, msk.Recovery, msk.Cost]:
    """Return a book of the sample generator with the models fitted to it."""
    tables = msk.generate_world(700, seed=5).cut(LEDGER_DATE)
    book = msk.load_tables(tables["claims"], events=tables["events"], payments=tables["payments"]).as_of(LEDGER_DATE)
    recovery = msk.fit_recovery(book)
    return book, recovery, msk.fit_cost(book, recovery)


@cache
def simple() -> tuple[msk.ClaimBook, msk.Recovery, msk.Cost]:
    """Return a book of the second generator, whose workers only ever go back to work, with the models fitted to it."""
    world = simple_world(900, 11)
    book = msk.load_tables(world.claims, events=world.events, payments=world.payments).as_of(VALUATION)
    recovery = msk.fit_recovery(book)
    return book, recovery, msk.fit_cost(book, recovery)
