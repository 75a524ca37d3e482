"""The cost model finds what it should in claims simulated from its own assumptions, without bias."""

from dataclasses import replace

import numpy as np
import pytest

from msk_reserves._checks import Floats
from msk_reserves.cost.fit import fit_cost
from msk_reserves.cost.record import Cost, Trends
from msk_reserves.cost.relativities import relativity
from tests.worlds.paid_along_path import PAYMENT_SIZE, PathWorld, path_world

NO_TREND = Trends(0.0, 0.0, "the simulated world has none")
WORLDS = 16
DAYS_AFTER = 700.0
FALSE_ALARM = 4.0
"""Standard errors allowed: each check of a mean cries wolf once in 16,000 times."""


def expected_future(world: PathWorld, cost: Cost) -> tuple[Floats, Floats, float]:
    """Return true and fitted expected payments of the claims off work, and the drawn error of their sum."""
    medical = cost.accounts["medical"]
    assert medical is not None
    rows = world.off_work()
    days = world.future_days(rows, DAYS_AFTER, cost.grid)
    true = world.relativity[rows] * (world.future_days(rows, DAYS_AFTER) @ world.rates)
    fitted = relativity(medical.relativities, world.book)[rows] * (days @ medical.rate)
    draws = cost.draw(100, seed=5)
    by_draw = (draws.rates["medical"] @ days.T) * draws.relativity("medical", world.book)[rows].T
    return true, fitted, float(by_draw.sum(axis=1).std())


@pytest.mark.parametrize("depth", ["ledger", "summary"])
def test_expected_future_is_unbiased_and_its_error_honest(depth: str) -> None:
    """Over 16 worlds the fitted future of open claims is right on average, and its error is as large as drawn.

    The open claims are those with the longest absences, so any leaning on closed claims would show. The errors are
    in units of the drawn standard error: a chi-squared of 16 degrees of freedom over 16 lies in [0.22, 2.58] but for
    one time in a thousand.
    """
    ratios, scores = [], []
    for seed in range(WORLDS):
        world = path_world(4_000, 100 + seed, depth=depth)
        true, fitted, error = expected_future(world, fit_cost(world.book, trends=NO_TREND))
        ratios.append(fitted.sum() / true.sum())
        scores.append((fitted.sum() - true.sum()) / error)
    standard_error = np.std(ratios, ddof=1) / np.sqrt(WORLDS)
    assert abs(np.mean(ratios) - 1.0) < FALSE_ALARM * standard_error
    assert standard_error < 0.02
    assert 0.22 < np.mean(np.square(scores)) < 2.58


def test_closed_claims_alone_would_mislead() -> None:
    """In these worlds claims that ended cost far less than those still open will: the trap the fit must not fall in."""
    world = path_world(4_000, 100)
    off = world.off_work()
    future = (world.relativity * world.level)[off] * (world.future_days(off, DAYS_AFTER) @ world.rates)
    paid = world.book.paid["medical"].to_numpy()
    ended = paid[~world.book.position.off_work()]
    assert ended.mean() < 0.75 * (paid[off] + future).mean()


def test_claim_levels_sort_costly_from_cheap_claims() -> None:
    """Within fifths of the estimated level, the true level averages to the estimate, within 10 %.

    A fifth holds 1,600 claims of standard deviation at most 1, so the average's own error is 2.5 % of 1. The kernel is
    Poisson in units of the dispersion, the payments are not, which moves the lowest fifth by some per cent.
    """
    world = path_world(8_000, 31)
    factor = fit_cost(world.book, trends=NO_TREND).factor
    assert factor is not None
    for rows in np.array_split(np.argsort(factor.mean), 5):
        assert world.level[rows].mean() == pytest.approx(factor.mean[rows].mean(), rel=0.10, abs=0.03)
    assert np.corrcoef(factor.mean, world.level)[0, 1] > 0.85


def test_credibility_does_not_move_the_total() -> None:
    """Over 16 worlds the true future, levels included, is on average what the balanced levels say."""
    ratios = []
    for seed in range(WORLDS):
        world = path_world(2_000, 300 + seed)
        cost = fit_cost(world.book, trends=NO_TREND)
        assert cost.factor is not None
        true, fitted, _ = expected_future(world, cost)
        rows = world.off_work()
        ratios.append((true * world.level[rows]).sum() / (fitted * cost.factor.mean[rows]).sum())
    assert abs(np.mean(ratios) - 1.0) < FALSE_ALARM * np.std(ratios, ddof=1) / np.sqrt(WORLDS)


def test_dispersion_and_relativity_are_found() -> None:
    """Exponential payments of mean s arriving at random have dispersion 2 s; knees cost 0.7 / 1.2 of shoulders."""
    world = path_world(8_000, 77)
    medical = fit_cost(world.book, trends=NO_TREND).accounts["medical"]
    assert medical is not None
    # About 200,000 payments: the ratio's own error is below 1 %, the cut of the largest squares costs up to 3 %.
    assert medical.dispersion == pytest.approx(2 * PAYMENT_SIZE, rel=0.05)
    found = medical.relativities.table().loc["body part: knee"]
    assert found["low"] * 0.95 < 0.7 / 1.2 < found["high"] * 1.05


def test_trend_is_taken_out_of_old_payments() -> None:
    """Payments deflated by their date and fitted with the trend give the rates of payments without."""
    world = path_world(3_000, 9)
    payments = world.book.payments
    assert payments is not None
    yearly = 0.05
    years = (world.book.valuation_day - payments.day) / 365.25
    cheaper = replace(payments, amount=payments.amount * (1 + yearly) ** -years)
    plain = fit_cost(world.book, trends=NO_TREND).accounts["medical"]
    trended = fit_cost(replace(world.book, payments=cheaper), trends=Trends(yearly, 0.0, "test")).accounts["medical"]
    assert plain is not None
    assert trended is not None
    np.testing.assert_allclose(trended.rate, plain.rate, rtol=1e-9)
