"""Layers of uncertainty: they add up, what is not there adds nothing, and a nested sample tells within from between."""

from functools import cache

import numpy as np
import pytest

import msk_reserves as msk
from msk_reserves.certainty.layers import (
    LAYERS,
    MODEL,
    PARAMETER,
    PROCESS,
    SYSTEMIC,
    UncertaintyLayers,
    lognormal_measures,
    nested_variance,
)
from msk_reserves.certainty.runs import plan_with
from msk_reserves.reserves.distribution import ReserveDistribution
from tests.worlds.valued import ledger

CONTRACTS: dict[str, msk.Contract | msk.Agreement] = {
    "ffs": msk.FeeForService(),
    "bundle": msk.FixedPriceBundle(price=9_000),
}
NO_RISK = msk.SystemicRisk(medical=0.0, indemnity=0.0, expense=0.0)


@cache
def layers(risk: msk.SystemicRisk | None = None) -> UncertaintyLayers:
    """Return the layers of the ledger book under two contracts."""
    book, recovery, cost = ledger()
    return msk.uncertainty_layers(book, recovery, cost, CONTRACTS, scenarios=400, draws=20, seed=3, systemic=risk)


def test_a_nested_sample_tells_within_from_between() -> None:
    """Theta ~ N(100, 10^2) and Y ~ N(theta, 30^2), 400 draws of 20: about 900 within and 100 between.

    The error of the first is 900 sqrt(2 / 7,600) = 15, of the second sqrt(2 / 399) (100 + 45) = 10: four of each (false
    alarm once in 8,000).
    """
    draw = np.random.default_rng(6)
    values = draw.normal(100, 10, (400, 1)) + draw.normal(0, 30, (400, 20))
    within, between = nested_variance(values.ravel(), 400)
    assert within == pytest.approx(900, abs=60)
    assert between == pytest.approx(100, abs=41)


def test_layers_add_up_to_the_whole() -> None:
    """What the layers add is the variance with all of them; with all of them the reserve is the usual one."""
    found = layers()
    for contract in ("ffs", "bundle"):
        for part in ("medical", "total"):
            whole = found.reserves[contract][MODEL].scenarios(part).var(ddof=1)
            assert sum(found.variance(contract, part).values()) == pytest.approx(whole)
    table = found.to_frame()
    assert table.groupby(["contract", "component"])["share"].sum().to_numpy() == pytest.approx(1.0)
    assert (table["simulation error"] >= 0).all()
    book, recovery, cost = ledger()
    worlds = msk.four_worlds(book, recovery, cost, CONTRACTS, scenarios=400, draws=20, seed=3)
    np.testing.assert_allclose(
        found.reserves["ffs"][MODEL].scenarios(), worlds.reserves["neither"].scenarios(), rtol=1e-12
    )


def test_a_layer_that_is_not_there_adds_nothing() -> None:
    """Without common factors the systemic layer is exactly zero, and more of them add variance on the same futures."""
    without = layers(NO_RISK)
    assert without.variance("ffs")[SYSTEMIC] == 0.0
    assert layers().variance("ffs")[SYSTEMIC] > 0.0
    assert layers().variance("ffs")[PROCESS] == without.variance("ffs")[PROCESS]
    large = layers(msk.SystemicRisk(medical=0.3, indemnity=0.3, expense=0.3))
    assert large.variance("ffs")[SYSTEMIC] > 9 * layers().variance("ffs")[SYSTEMIC]


def test_the_systemic_layer_is_that_of_its_factors() -> None:
    """One factor of CV 30 % on everything adds about 0.09 of the squared mean: within 4 errors of 400 scenarios.

    The relative error of a variance of 400 lognormal factors is 8 %, and 0.09 (1 + process) is the exact figure.
    """
    book, recovery, cost = ledger()
    risk = msk.SystemicRisk(medical=0.3, indemnity=0.3, expense=0.3, correlation=0.999)
    found = msk.uncertainty_layers(
        book, recovery, cost, {"ffs": msk.FeeForService()}, scenarios=400, draws=20, seed=3, systemic=risk
    )
    mean = found.reserves["ffs"][SYSTEMIC].mean()
    assert found.variance("ffs")[SYSTEMIC] == pytest.approx(0.09 * mean**2, rel=0.4)


def made(variances: tuple[float, float, float, float], mean: float = 100.0) -> UncertaintyLayers:
    """Return layers of a book of 50 claims whose variances are the ones given, up to and with each layer."""
    unit = np.random.default_rng(1).normal(size=1_000)
    unit = (unit - unit.mean()) / unit.std(ddof=1)
    reserves = {
        layer: ReserveDistribution("x", {"medical": mean + np.sqrt(up_to) * unit}, {}, 20)
        for layer, up_to in zip(LAYERS, np.cumsum(variances), strict=True)
    }
    return UncertaintyLayers({"x": reserves}, 50, NO_RISK)


def test_only_process_risk_falls_with_the_number_of_claims() -> None:
    """Variances 90, 36, 12 and 16 of a mean of 100 on 50 claims: process 0.45 a claim, common 0.0064, equal at 70.3."""
    found = made((90.0, 36.0, 12.0, 16.0))
    assert found.variance("x") == pytest.approx(dict(zip(LAYERS, (90.0, 36.0, 12.0, 16.0), strict=True)))
    assert found.variation("x", 50) == pytest.approx(np.sqrt(154) / 100)
    assert found.variation("x", 1) == pytest.approx(np.sqrt(0.45 + 0.0064))
    assert found.process_equals_common("x") == pytest.approx(0.45 / 0.0064)
    sizes = found.by_size()
    assert list(sizes.index) == [1, 10, 50, 100, 500, 1000]
    assert (np.diff(sizes["x"]) < 0).all()
    assert sizes["x"].iloc[-1] > 0.08
    assert "process 58%, systemic 23%, parameter 8%, model 10%" in found.statement("x")
    assert made((90.0, 0.0, 0.0, 0.0)).process_equals_common("x") == pytest.approx(np.inf)
    assert "no number of claims" in made((90.0, 0.0, 0.0, 0.0)).statement("x")


@pytest.mark.parametrize(
    ("cv", "near"), [(0.05, 0.9547), (0.10, 0.6855), (0.20, 0.3866), (0.30, 0.2653), (0.50, 0.1640)]
)
def test_measures_by_size_are_those_of_a_lognormal(cv: float, near: float) -> None:
    """Chances within 10 % as printed to four decimals; band and tail of a sample of the law, to 1 %.

    The error of a tail mean of 400,000 is below 0.5 %: two of them.
    """
    found = lognormal_measures(1_000.0, cv)
    assert found["actual within 10%"] == pytest.approx(near, abs=6e-5)
    sigma = np.sqrt(np.log1p(cv**2))
    sample = 1_000.0 * np.exp(sigma * np.random.default_rng(3).standard_normal(400_000) - sigma**2 / 2)
    low, high = np.quantile(sample, [0.05, 0.95])
    assert found["90% band, width"] == pytest.approx(high - low, rel=0.01)
    assert found["tail mean less mean, 99%"] == pytest.approx(msk.capital(sample), rel=0.02)


def test_certainty_in_dollars_grows_with_the_book_and_in_ratios_shrinks() -> None:
    """More claims: wider in dollars, nearer to the mean in shares; a total without spread is always hit."""
    table = made((90.0, 36.0, 12.0, 16.0)).measures_by_size("x")
    assert list(table.index) == [1, 10, 50, 100, 500, 1000]
    assert (np.diff(table["90% band, width"]) > 0).all()
    assert (np.diff(table["actual within 10%"]) > 0).all()
    assert table.at[50, "mean"] == pytest.approx(100.0)
    assert lognormal_measures(5.0, 0.0)["actual within 5%"] == 1.0
    assert lognormal_measures(5.0, 0.0)["tail mean less mean, 99%"] == pytest.approx(0.0, abs=1e-9)


def test_what_cannot_be_told_is_refused() -> None:
    """No contract, an unknown one, an unknown part."""
    book, recovery, cost = ledger()
    with pytest.raises(ValueError, match="`contracts` is empty"):
        msk.uncertainty_layers(book, recovery, cost, {})
    with pytest.raises(ValueError, match="`contract` must be one of x"):
        made((1.0, 0.0, 0.0, 0.0)).variance("y")
    with pytest.raises(ValueError, match="`part` must be one of"):
        made((1.0, 0.0, 0.0, 0.0)).variation("x", 10, "cost")


def test_a_plan_has_the_draws_asked_for() -> None:
    """Draws and scenarios a draw are as stated, and the layer of laws rests on draws of laws."""
    book, recovery, cost = ledger()
    plan = plan_with(book, recovery, cost, (), scenarios=600, draws=30, seed=1)
    assert (plan.n_draws, plan.per_draw, len(plan.systemic)) == (30, 20, 600)
    assert layers().reserves["ffs"][PARAMETER].n_draws == 20
    assert layers().reserves["ffs"][PROCESS].n_draws == 1
