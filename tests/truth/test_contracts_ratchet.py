"""Simulated ratchets against the moments that sums of gamma costs have."""

import numpy as np
import pytest

import msk_reserves as msk

WEIGHTS = (0.17, 0.33, 0.50)
SCENARIOS = 20_000
FAR = 5.0
"""Standard errors by which a mean may miss: one in two million by chance, and the seeds are fixed."""


@pytest.mark.parametrize("own_share", [0.0, 0.4, 1.0])
def test_prices_without_limits_are_right_on_average_and_vary_as_baselines_do(own_share: float) -> None:
    """Mean margins are those without chance; their variance is that of the year's cost and of the baseline.

    Without limits the margin is linear in the means of years, which do not depend on each other: with n own and N
    regional episodes of coefficient of variation c, Var = (1-d)^2 sum w^2 c^2 (a^2/n + (1-a)^2/N) + (1-x)^2 c^2/n in
    the first year, whose baseline years lie before the saving x.
    """
    region = msk.SavingRegion(saving=0.05, region_share=0.25, own_episodes=150, region_episodes=2_000, spread=0.9)
    rebasing = msk.Rebasing(WEIGHTS, own_share=own_share)
    found = msk.simulate_ratchet(rebasing, region, discount=0.02, scenarios=SCENARIOS, seed=11)
    for who in ("saver", "bystander"):
        margin = found.margins[who]
        expected = msk.margin_by_year(rebasing, saving=0.05, discount=0.02, region_share=0.25, saver=who == "saver")
        errors = margin.std(axis=0) / np.sqrt(SCENARIOS)
        assert (np.abs(margin.mean(axis=0) - expected) < FAR * errors).all()
    means = 0.81 * np.sum(np.square(WEIGHTS)) * (own_share**2 / 150 + (1 - own_share) ** 2 / 2_000)
    variance = 0.98**2 * means + 0.95**2 * 0.81 / 150
    # The variance of 20,000 nearly normal numbers has a relative error of sqrt(2 / 20,000) = 1 %.
    assert found.margins["saver"][:, 0].var() == pytest.approx(variance, rel=FAR * 0.01)


def test_what_moves_all_costs_of_a_year_is_the_regions_affair() -> None:
    """A price by the region as it turns out follows a common factor; one from past years leaves it with the bearer."""
    region = msk.SavingRegion(saving=0.0, own_episodes=10**6, region_episodes=10**6, common_spread=0.05)
    follows, past = (
        msk.simulate_ratchet(one, region, discount=0.0, scenarios=2_000, seed=5).margins["saver"].std(axis=0)
        for one in (msk.Rebasing(retrospective_limit=np.inf), msk.Rebasing())
    )
    assert (follows < 0.005).all()
    assert (past > 0.05).all()


def test_terms_of_a_pool_apply_to_every_year() -> None:
    """A limit of loss holds in every history and year; the same luck without it goes further."""
    region = msk.SavingRegion(saving=0.0, own_episodes=40)
    plain, limited = (
        msk.simulate_ratchet(msk.Rebasing(), region, discount=0.02, terms=terms, scenarios=500, seed=2)
        for terms in ((), (msk.Sharing(0.5, 0.5), msk.GainLossLimit(0.05, 0.05)))
    )
    price = plain.prices["saver"]
    np.testing.assert_allclose(
        limited.margins["saver"], np.clip(0.5 * plain.margins["saver"], -0.05 * price, 0.05 * price), atol=1e-12
    )
    assert "mean margin by year" in repr(limited)
    assert limited.to_frame().loc[("saver", "all"), "margin"] == pytest.approx(
        limited.margins["saver"].sum(axis=1).mean()
    )
    with pytest.raises(ValueError, match=r"'quality gate' reads \('quality_score',\), which no year has"):
        msk.simulate_ratchet(msk.Rebasing(), region, discount=0.02, terms=(msk.QualityGate(5.0),))
    with pytest.raises(ValueError, match=r"`region\.own_episodes` must be a whole number of at least 1, got 0"):
        msk.SavingRegion(saving=0.1, own_episodes=0)
