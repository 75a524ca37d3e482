"""Laws of the cost model: what units, rows, order and bundles may and may not change."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves.claims.book import ClaimBook, Payments
from msk_reserves.claims.vocabulary import CATEGORY_CODE, STATE_CODE, STATES
from msk_reserves.cost.benefits import accrued_unpaid, statutory_to_date
from msk_reserves.cost.cells import (
    CellGrid,
    Window,
    bundle_windows,
    exposure,
    marked,
    payment_cells,
    relapsed,
    relapsed_now,
    stay_days,
)
from msk_reserves.cost.credible import credible_rates
from msk_reserves.cost.factor import gamma_prior, merged_groups, posterior_moments
from msk_reserves.cost.fit import fit_cost
from msk_reserves.cost.late import LatePayments
from msk_reserves.cost.rates import PaymentRates
from msk_reserves.cost.record import ACCOUNT_CATEGORIES, Cost, Trends
from msk_reserves.episodes.systemic import SystemicRisk
from tests.worlds.paid_along_path import path_world

WORLD = path_world(600, 4)
COST = fit_cost(WORLD.book)
ROUNDING = 1e-9


def payments_of(book: ClaimBook) -> Payments:
    """Return the payments of a book known to have them."""
    assert book.payments is not None
    return book.payments


def medical_of(cost: Cost) -> PaymentRates:
    """Return the medical account of a cost known to have one."""
    medical = cost.accounts["medical"]
    assert medical is not None
    return medical


def with_payments(book: ClaimBook, category: str, amount: float, lag: int = 20) -> ClaimBook:
    """Return the book with one more payment a claim, `lag` days after its start, in time order within the claim."""
    old = payments_of(book)
    start = book.claims["start_day"].to_numpy()
    rows = np.arange(len(book))
    claim, day = np.r_[old.claim, rows], np.r_[old.day, np.minimum(start + lag, book.valuation_day)]
    order = np.lexsort((day, claim))
    code = np.r_[old.category, np.full(len(book), CATEGORY_CODE[category])]
    extra = Payments(claim[order], day[order], code[order], np.r_[old.amount, np.full(len(book), amount)][order])
    return replace(book, payments=extra)


def test_doubling_all_dollars_doubles_rates_and_leaves_levels() -> None:
    """Dollars have no natural size: rates, dispersion and draws scale, relativities and levels of claims stay."""
    payments = payments_of(WORLD.book)
    double = fit_cost(replace(WORLD.book, payments=replace(payments, amount=2 * payments.amount)))
    once, twice = medical_of(COST), medical_of(double)
    np.testing.assert_allclose(twice.rate, 2 * once.rate, rtol=ROUNDING)
    assert twice.dispersion == pytest.approx(2 * once.dispersion, rel=ROUNDING)
    np.testing.assert_allclose(twice.relativities.coefficients, once.relativities.coefficients, atol=ROUNDING)
    np.testing.assert_allclose(double.draw(5, 1).factor_table, COST.draw(5, 1).factor_table, rtol=1e-6)
    np.testing.assert_allclose(double.draw(5, 1).rates["medical"], 2 * COST.draw(5, 1).rates["medical"], rtol=ROUNDING)


def test_splitting_a_payment_changes_nothing() -> None:
    """A payment of one row or of two on the same day gives the same model, but for the mix's count of payments."""
    payments = payments_of(WORLD.book)
    twice = np.repeat(np.arange(len(payments)), 2)
    halves = Payments(payments.claim[twice], payments.day[twice], payments.category[twice], payments.amount[twice] / 2)
    split = fit_cost(replace(WORLD.book, payments=halves))
    np.testing.assert_allclose(medical_of(split).rate, medical_of(COST).rate, rtol=ROUNDING)
    assert medical_of(split).dispersion == pytest.approx(medical_of(COST).dispersion, rel=ROUNDING)
    np.testing.assert_allclose(split.draw(3, 1).rates["medical"], COST.draw(3, 1).rates["medical"], rtol=ROUNDING)


def test_rates_reproduce_what_was_paid() -> None:
    """Expected payments of the days seen equal payments, in all and by kind of state, at either depth."""
    for cost in (COST, fit_cost(path_world(600, 4, depth="summary").book)):
        medical = medical_of(cost)
        assert medical.claim_expected.sum() == pytest.approx(medical.claim_paid.sum(), rel=1e-6)
        assert (medical.rate >= 0).all()


def test_draws_are_keyed_by_seed_and_account() -> None:
    """A seed reproduces its draws; another differs; an account's draws do not depend on which others exist."""
    one, again, other = COST.draw(4, 7), COST.draw(4, 7), COST.draw(4, 8)
    np.testing.assert_array_equal(one.rates["medical"], again.rates["medical"])
    assert not np.array_equal(one.rates["medical"], other.rates["medical"])
    more = fit_cost(with_payments(with_payments(WORLD.book, "ppd", 50.0), "legal", 30.0))
    np.testing.assert_array_equal(more.draw(4, 7).rates["medical"], one.rates["medical"])
    assert set(more.draw(4, 7).rates) == {"medical", "indemnity", "expense"}


def test_relativity_draws_keep_the_mean() -> None:
    """Over many draws each claim's multiplier averages to the fitted one: uncertainty widens and does not move.

    4,000 draws of log standard deviation near 0.1 leave an error of 0.2 %; 1.5 % is more than six of them.
    """
    drawn = COST.draw(4_000, 3).relativity("medical", WORLD.book)
    fitted = COST.accounts["medical"]
    assert fitted is not None
    assert drawn.shape == (600, 4_000)
    expected = medical_of(COST).claim_expected / np.asarray(exposure(WORLD.book, COST.grid) @ fitted.rate)
    np.testing.assert_allclose(drawn.mean(axis=1), expected, rtol=0.015)


def test_levels_do_not_depend_on_which_claims_are_asked_for() -> None:
    """The table of some claims, in any order, holds the rows of the whole; a claim never seen gets the prior."""
    factor = COST.factor
    assert factor is not None
    rows = np.array([5, 3, 400])
    some = replace(WORLD.book, claims=WORLD.book.claims.iloc[rows].reset_index(drop=True))
    np.testing.assert_array_equal(factor.table(some), factor.inverse[rows])
    stranger = replace(some, claims=some.claims.assign(claim_id=["new", "newer", "newest"]))
    np.testing.assert_array_equal(factor.table(stranger)[1], factor.prior_inverse)


def test_balanced_levels_average_to_one_where_weighed() -> None:
    """The levels of all claims, weighed by expected payments from now on, average to 1."""
    factor = COST.factor
    assert factor is not None
    medical, position = medical_of(COST), WORLD.book.position
    group = COST.grid.group(position.state, position.operated, position.days_off_before, relapsed_now(WORLD.book))
    draws = COST.draw(2, 1)
    future = medical.rate[COST.grid.cell(group, position.days_in_state)]
    rho = medical.claim_expected / np.asarray(exposure(WORLD.book, COST.grid) @ medical.rate)
    assert np.average(factor.mean, weights=future * rho) == pytest.approx(1.0, rel=1e-9)
    assert (np.diff(draws.factor_table, axis=1) >= 0).all()


@settings(deadline=None, max_examples=60)
@given(st.floats(0.3, 8.0), st.floats(0.0, 1e5), st.floats(10.0, 1e5), st.floats(50.0, 5e3))
def test_posterior_lies_between_prior_and_claim(kappa: float, paid: float, expected: float, dispersion: float) -> None:
    """The level given payments lies between 1 and paid over expected."""
    mean, variance = posterior_moments(gamma_prior(kappa), np.array([paid]), np.array([expected]), dispersion)
    low, high = sorted((1.0, paid / expected))
    # Levels end at 50 times the mean, beyond which a gamma of shape 0.3 has less than 1e-5 of its mean.
    assert low * (1 - 1e-4) - 1e-9 <= mean[0] <= high * (1 + 1e-4) + 1e-9
    assert variance[0] >= 0


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.floats(0.0, 1e5))
def test_credibility_keeps_each_kinds_total(seed: int, dispersion: float) -> None:
    """Whatever the dispersion, the rates of every kind of state reproduce its payments; without any they are raw."""
    draw = np.random.default_rng(seed)
    grid = CellGrid((0.0, 30.0, 90.0), (28.0,))
    days = draw.exponential(1_000.0, grid.n_cells) * (draw.random(grid.n_cells) < 0.7)
    paid = days * draw.exponential(20.0, grid.n_cells)
    rates = credible_rates(paid, days, grid, dispersion)
    assert (rates >= 0).all()
    assert (rates @ days) == pytest.approx(paid.sum(), rel=ROUNDING)
    seen = days > 0
    np.testing.assert_allclose(credible_rates(paid, days, grid, 0.0)[seen], (paid / np.where(seen, days, 1))[seen])


@pytest.mark.parametrize(
    ("seen", "expected"),
    [([40, 40, 35, 5], [9.0, 0.1, 0.8, 0.8]), ([20, 20, 9, 5], [9.0, 0.45, 0.45, 0.45])],
)
def test_late_bins_that_few_claims_reached_are_one(seen: list[int], expected: list[float]) -> None:
    """From a year on, bins after the last that 30 claims reached share its rate; earlier ones keep theirs."""
    grid = CellGrid((0.0, 200.0, 400.0, 800.0), ())
    paid, days, counts = np.zeros(grid.shape), np.zeros(grid.shape), np.zeros(grid.shape, dtype=np.int64)
    mmi = STATE_CODE["mmi"]
    paid[mmi, 0, 0], days[mmi, 0, 0] = [9_000.0, 100.0, 700.0, 100.0], [1_000.0, 1_000.0, 500.0, 500.0]
    counts[mmi, 0, 0] = seen
    cells = paid.ravel(), days.ravel(), grid, 0.0
    shared = credible_rates(*cells, seen=counts.ravel()).reshape(grid.shape)[mmi, 0, 0]
    np.testing.assert_allclose(shared, expected)
    np.testing.assert_allclose(credible_rates(*cells).reshape(grid.shape)[mmi, 0, 0], [9.0, 0.1, 1.4, 0.2])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=200), st.lists(st.integers(0, 2), min_size=1, max_size=200))
def test_groups_are_never_small(fine: list[int], coarse: list[int]) -> None:
    """Every group but the remainder holds at least 30 claims, and every claim has one."""
    n = min(len(fine), len(coarse))
    labels = (np.array(fine[:n]) * 3 + np.array(coarse[:n]), np.array(coarse[:n]))
    counts = np.bincount(merged_groups(labels, n))
    assert counts.sum() == n
    assert (counts[:-1] >= 30).all()


def test_every_day_and_dollar_has_a_cell() -> None:
    """Exposure adds to the days of the stays, payments land in cells their claim has been in."""
    days = exposure(WORLD.book, COST.grid)
    assert days.sum() == pytest.approx(stay_days(WORLD.book.spells).sum(), rel=ROUNDING)
    cell, claim = payment_cells(WORLD.book, COST.grid), payments_of(WORLD.book).claim
    assert (days.toarray()[claim, cell] > 0).all()


def bundled_world() -> ClaimBook:
    """Return the book with its first hundred claims bundled 30 days after their start, and their fees paid."""
    claims = WORLD.book.claims.copy()
    claims.loc[:99, "arrangement"] = "bundle"
    trigger = pd.to_datetime(claims["start_day"] + 30, unit="D", origin="unix")
    claims["bundle_trigger_date"] = trigger.where(claims["arrangement"] == "bundle")
    return replace(WORLD.book, claims=claims)


def test_bundled_care_leaves_the_medical_fit() -> None:
    """Days and payments from the trigger to the return leave; a bundle's fee, however large, changes no rate."""
    book = bundled_world()
    window = bundle_windows(book)
    assert np.isfinite(window.begins).sum() == 100
    seen, every = exposure(book, COST.grid, window), exposure(book, COST.grid)
    lost = np.asarray((every - seen).sum(axis=1)).ravel()
    off = WORLD.book.position.days_off
    inside = np.clip(off[:100] - 30.0, 0.0, None)
    np.testing.assert_allclose(lost[:100], inside)
    assert (lost[100:] == 0).all()
    without, fee = fit_cost(book), fit_cost(with_payments(book, "bundle_fee", 40_000.0, lag=30))
    np.testing.assert_array_equal(medical_of(fee).rate, medical_of(without).rate)
    assert any(decision.rule == "bundled claims" and decision.count == 100 for decision in without.decisions)


def test_an_open_window_ends_with_the_claim() -> None:
    """A window that never closes takes the days after its begin and no more."""
    begins = np.full(600, np.inf)
    begins[0] = WORLD.book.claims.loc[0, "start_day"]
    seen = exposure(WORLD.book, COST.grid, Window(begins, np.full(600, np.inf)))
    assert seen[[0], :].sum() == 0
    assert seen[[1], :].sum() > 0


def test_shares_cover_the_account() -> None:
    """The shares of all categories of an account add to 1 in every group, those of none to 0."""
    assert COST.share("medical", ACCOUNT_CATEGORIES["medical"]) == pytest.approx(np.ones(COST.grid.n_groups))
    assert (COST.share("medical", ()) == 0).all()
    half = COST.share("medical", ("facility",))
    assert ((half > 0.3) & (half < 0.7)).all()


def test_summary_refuses_to_split_what_it_cannot_see() -> None:
    """Totals carry no categories: the whole account has share 1, a part of it is an error that says so."""
    cost = fit_cost(path_world(600, 4, depth="summary").book)
    assert (cost.share("medical", ACCOUNT_CATEGORIES["medical"]) == 1).all()
    with pytest.raises(ValueError, match="`categories` must name all medical categories or none"):
        cost.share("medical", ("facility",))
    assert cost.reasons["indemnity"] == "the claims carry no `indemnity_paid`"
    assert cost.accounts["indemnity"] is None


def test_missing_totals_are_left_out_and_counted() -> None:
    """An unknown total is neither zero nor an average: its claim leaves the fit, and the count says so."""
    book = path_world(600, 4, depth="summary").book
    paid = book.paid.copy()
    paid.loc[:9, "medical"] = np.nan
    cost = fit_cost(replace(book, paid=paid), trends=Trends(0.0, 0.0, "none"))
    assert medical_of(cost).claim_paid.sum() == pytest.approx(paid["medical"].sum())
    assert any(d.rule == "claims without `medical_paid`" and d.count == 10 for d in cost.decisions)


def test_indemnity_of_a_summary_is_what_exceeds_the_statute() -> None:
    """Paid exactly what the law owes, nothing is left to a rate; ten weekly benefits more a claim are found."""
    book = path_world(600, 4, depth="summary").book
    owed = statutory_to_date(book)
    exact = fit_cost(replace(book, paid=book.paid.assign(indemnity=owed))).accounts["indemnity"]
    assert exact is not None
    assert (exact.rate == 0).all()
    more = fit_cost(replace(book, paid=book.paid.assign(indemnity=owed + 7_000.0))).accounts["indemnity"]
    assert more is not None
    assert more.claim_expected.sum() == pytest.approx(10.0 * 600, rel=1e-6)


def test_accrued_benefits_are_bounded_and_current() -> None:
    """Nothing paid yet: at most eight weekly benefits, only for workers off work or back within 56 days."""
    accrued = accrued_unpaid(WORLD.book)
    position = WORLD.book.position
    lately = position.off_work() | (position.days_in_state <= 56)
    owed = statutory_to_date(WORLD.book)
    np.testing.assert_allclose(accrued, np.where(lately, np.minimum(owed, 5_600.0), 0.0))
    assert accrued.max() == 5_600.0
    assert accrued_unpaid(with_payments(WORLD.book, "ttd", 1e6)).sum() == 0.0
    settled = replace(position, state=np.full(600, STATE_CODE["settled"]))
    assert accrued_unpaid(replace(WORLD.book, position=settled)).sum() == 0.0


def test_model_prints_and_refuses() -> None:
    """The model says what it assumed and did; an empty book and an impossible trend are named."""
    text = str(COST)
    for words in ("dollars a day", "assumed: medical trend: 3.50% a year", "done: medical payments in the fit"):
        assert words in text
    assert repr(COST) == "cost of 600 claims at ledger depth: medical"
    with pytest.raises(ValueError, match="`medical` must be above -1"):
        Trends(medical=-1.0)
    with pytest.raises(ValueError, match="`account` must be one of medical"):
        COST.draw(1, 1).relativity("expense", WORLD.book)
    empty = replace(WORLD.book, claims=pd.DataFrame(columns=WORLD.book.claims.columns))
    with pytest.raises(ValueError, match="`book` must hold at least one claim"):
        fit_cost(empty)


def test_what_a_fit_assumes_of_late_payments_may_be_given() -> None:
    """Death benefits of 300 weeks end a bin there; the figure and whose it is are printed; other things are refused."""
    book = with_payments(WORLD.book, "ppd", 50.0)
    own = fit_cost(book, late_payments=LatePayments(expense=0.9, death_weeks=300))
    assert 2_100.0 in own.grid.bin_edges
    assert set(own.grid.bin_edges) - set(COST.grid.bin_edges) == {2_100.0}
    told = {one.name: (one.value, one.source) for one in own.assumptions}
    assert told["death benefits"] == ("owed for 300 weeks from the death", "given by the user")
    assert told["benefits late in a state, where few payments show them"][1].startswith("judgement")
    assert "assumed: death benefits: owed for 300 weeks from the death (given by the user)" in str(own)
    fit: object = fit_cost
    assert callable(fit)
    with pytest.raises(TypeError, match=r"`late_payments` must be a `LatePayments`, got 0\.5"):
        fit(WORLD.book, late_payments=0.5)


def test_voids_and_recoveries_are_told() -> None:
    """Negative payments are counted, with their dollars and share; what is forecast is net of them."""
    payments = WORLD.book.payments
    assert payments is not None
    amount = payments.amount.copy()
    amount[:3] = [-100.0, -50.0, -25.0]
    changed = replace(payments, amount=amount)
    told = {one.rule: one for one in fit_cost(replace(WORLD.book, payments=changed)).decisions}
    found = told["medical voids and recoveries"]
    assert found.count == 3
    assert found.meaning.startswith(f"175 dollars, {175 / amount[amount > 0].sum():.1%} of what was paid")
    assert "medical voids and recoveries" not in {one.rule for one in COST.decisions}


@pytest.mark.parametrize("weeks", [100.0, 300.0, 520.0, np.inf])
def test_where_death_benefits_end_moves_nothing_else(weeks: float) -> None:
    """At every day in every state but the dead's benefits the rates, and their draws, are those of any other end."""
    book = with_payments(WORLD.book, "ppd", 50.0)
    default, own = fit_cost(book), fit_cost(book, late_payments=LatePayments(death_weeks=weeks))
    days = np.append(np.arange(0.0, 4_000.0, 50.0), 7.0 * min(weeks, 700.0) - 0.5)
    alive = np.flatnonzero(np.arange(len(STATES)) != STATE_CODE["dead"])
    drawn = [one.draw(8, 3) for one in (default, own)]
    for account in ("medical", "indemnity"):
        states = alive if account == "indemnity" else np.arange(len(STATES))
        groups = (states[:, None] * 2 * own.grid.n_bands + np.arange(2 * own.grid.n_bands)).ravel()
        found = []
        for one, draws in zip((default, own), drawn, strict=True):
            rates, cell = one.accounts[account], one.grid.cell(groups[:, None], days)
            assert rates is not None
            found.append((rates.rate[cell], draws.rates[account][:, cell], rates.dispersion, rates.claim_expected))
        for before, after in zip(*found, strict=True):
            np.testing.assert_allclose(before, after, rtol=1e-12)


def test_figures_of_ones_own_are_not_the_library_s_judgement() -> None:
    """Trends and systemic risk other than the defaults are given by the user, but for a source that is named."""
    assert fit_cost(WORLD.book, trends=Trends(medical=0.06)).assumptions[0].source == "given by the user"
    assert Trends(0.06, 0.03, "fee schedule").whose() == "fee schedule"
    assert Trends().whose().startswith("judgement")
    assert SystemicRisk(medical=0.1).assumption().source == "given by the user"


def test_a_part_dearer_where_seen_is_dearer_where_not() -> None:
    """A band three times as dear as all in early bins has that level late, where it was hardly seen."""
    grid = CellGrid((0.0, 200.0, 400.0), (28.0,))
    paid, days = np.zeros(grid.shape), np.zeros(grid.shape)
    mmi = STATE_CODE["mmi"]
    days[mmi, 0, :2] = [[9_000.0, 9_000.0, 9_000.0], [1_000.0, 1_000.0, 0.0]]
    paid[mmi, 0, :2] = [[7_000.0, 7_000.0, 3_500.0], [3_000.0, 3_000.0, 0.0]]
    rates = credible_rates(paid.ravel(), days.ravel(), grid, 1e-6).reshape(grid.shape)[mmi, 0]
    np.testing.assert_allclose(rates[1], [3.0, 3.0, 3.0 * 3_500.0 / 9_000.0], rtol=1e-6)


@pytest.mark.parametrize(("origin", "expected"), [("off_work", [True]), ("mmi", [False]), ("settled", [False])])
def test_deaths_are_told_apart_by_where_they_came(origin: str, expected: list[bool]) -> None:
    """A death while off work is marked whether or not there was an operation; one after the way has ended is not."""
    columns = WORLD.book.spells
    two = {name: np.array(getattr(columns, name)[:2]) for name in type(columns).__slots__}
    two |= {"claim": np.zeros(2, dtype=np.int64), "operated": np.array([True, True])}
    two["state"] = np.array([STATE_CODE[origin], STATE_CODE["dead"]])
    assert marked(type(columns)(**two))[1:].tolist() == expected


def test_what_follows_a_relapse_is_a_band_of_its_own() -> None:
    """From the relapse on, and on its claim alone, stays that are not off work lie in the last band."""
    names = ["off_work", "back_at_work", "relapse", "back_at_work", "off_work", "back_at_work"]
    columns = WORLD.book.spells
    six = {name: np.array(getattr(columns, name)[:6]) for name in type(columns).__slots__}
    six |= {"claim": np.array([0, 0, 0, 0, 1, 1]), "state": np.array([STATE_CODE[name] for name in names])}
    spells = type(columns)(**six | {"days_off_before": np.zeros(6)})
    assert relapsed(spells).tolist() == [False, False, True, True, False, False]
    band = COST.grid.group(spells.state, 0, spells.days_off_before, relapsed(spells)) % COST.grid.n_bands
    assert band.tolist() == [0, 0, 0, COST.grid.n_bands - 1, 0, 0]
