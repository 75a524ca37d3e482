"""Laws of cash flows: they add up to the forecast, end where it ends, and are worth less the later they come."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

import msk_reserves as msk
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.reserves.cash_flows import QUARTER
from tests.worlds.valued import ledger, simple

SCENARIOS = 200
CONTRACTS: Mapping[str, msk.Contract] = {
    "ffs": msk.FeeForService(),
    "bundle": msk.FixedPriceBundle(price=9_000, stop_loss=msk.StopLoss(attachment=15_000)),
    "window": msk.FixedPriceBundle(price=9_000, window_days=120),
}


@pytest.fixture(scope="module")
def flows() -> msk.CashFlows:
    """Return the cash flows of a small book under three contracts."""
    return msk.cash_flows(*simple(), CONTRACTS, scenarios=SCENARIOS, seed=9)


def test_quarters_add_up_to_the_forecast(flows: msk.CashFlows) -> None:
    """Under every contract and for every component, scenario by scenario."""
    result = msk.forecast(*simple(), CONTRACTS, scenarios=SCENARIOS, seed=9, ibnr=False)
    for name, reserve in result.reserves.items():
        for part in COMPONENTS:
            nominal = flows.discounted(name).scenarios(part)
            np.testing.assert_allclose(nominal, reserve.scenarios(part), rtol=1e-9, atol=1e-3)
    assert flows.edges[-1] == result.manifest.horizon_days
    np.testing.assert_allclose(np.diff(flows.edges)[:-1], QUARTER)


@pytest.mark.parametrize("quarters", [1, 4])
def test_what_falls_due_by_a_day_is_what_a_forecast_to_that_day_owes(flows: msk.CashFlows, quarters: int) -> None:
    """Dollars of the first quarters are those of a forecast with that horizon, which counts another way.

    The futures are the same and the noise of payments is not: means differ by less than 4.5 errors of the paired
    difference (false alarm under 1e-4 over all).
    """
    short = msk.forecast(*simple(), scenarios=SCENARIOS, seed=9, horizon_days=quarters * QUARTER, ibnr=False)
    for place, part in enumerate(flows.components):
        here = flows.dollars["ffs"][place, :quarters].sum(axis=0)
        apart = here - short.reserves["fee for service"].scenarios(part)
        error = apart.reshape(flows.n_draws, -1).mean(axis=1).std(ddof=1) / np.sqrt(flows.n_draws)
        assert abs(apart.mean()) < 4.5 * error + 1e-6 * here.mean(), part


def test_a_price_falls_due_at_once(flows: msk.CashFlows) -> None:
    """Once the price is paid, a bundle owes no more medical in any later quarter than fee for service.

    In the first it owes the price of each claim taken over more, less the care of that quarter.
    """
    medical, others = flows.components.index("medical"), [flows.components.index(one) for one in COMPONENTS[1:]]
    for name in ("bundle", "window"):
        more = flows.dollars[name] - flows.dollars["ffs"]
        assert (more[medical, 1:].mean(axis=-1) <= 1e-6).all()
        assert more[medical, 0].mean() > 0
        np.testing.assert_allclose(more[others], 0.0, atol=1e-3)
    late = flows.middles > 120 + QUARTER
    np.testing.assert_allclose(flows.dollars["window"][medical, late], flows.dollars["ffs"][medical, late], atol=1e-3)


@settings(deadline=None, max_examples=25)
@given(rate=st.floats(0.0, 0.2), more=st.floats(0.001, 0.1))
def test_dearer_money_is_worth_less_later(flows: msk.CashFlows, rate: float, more: float) -> None:
    """No interest leaves the dollars as they are; a higher rate lowers worth and duration."""
    low, high = msk.DiscountCurve((rate,)), msk.DiscountCurve((rate + more,))
    worth = [flows.discounted("ffs", curve).mean() for curve in (msk.DiscountCurve((0.0,)), low, high)]
    assert worth[0] == pytest.approx(flows.discounted("ffs").mean(), rel=1e-12)
    assert worth[0] >= worth[1] > worth[2] > 0
    assert flows.duration("ffs", low) > flows.duration("ffs", high)


def test_what_pools_falls_due_when_it_is_settled() -> None:
    """Quarters of agreements add up to the forecast; what pools settle lies in the quarter of their settlement.

    In retrospect every other quarter is that of fee for service, and before, that of the price without more. Bundles in
    force settle too, failed bearers are in both.
    """
    book, recovery, cost = ledger()
    pools = book.claims[["claim_id"]].assign(pool=book.claims["body_part"], year="2025")
    terms = (msk.FixedPrice(9_000), msk.OutlierCap(30_000), msk.Refund(0.1, 90), msk.GainLossLimit(0.2, 0.2))
    credit = msk.Credit(0.3, 0.5, wrong_way=0.3)
    later = msk.AgreementOnClaims(
        msk.Agreement("later", terms, timing="retrospective", lag_months=6), episodes=pools, credit=credit
    )
    before = msk.AgreementOnClaims(msk.Agreement("before", terms), episodes=pools)
    own = msk.AgreementOnClaims(msk.Agreement("agreed", (msk.AgreedPrice(),), timing="retrospective"))
    contracts: dict[str, msk.Contract | msk.Agreement] = {
        "ffs": msk.FeeForService(),
        "later": later,
        "before": before,
        "bundle": msk.FixedPriceBundle(9_000),
    }
    result = msk.forecast(book, recovery, cost, contracts, scenarios=40, seed=4, in_force=own, ibnr=False)
    found = msk.cash_flows(book, recovery, cost, contracts, scenarios=40, seed=4, in_force=own)
    for name, reserve in result.reserves.items():
        for part in COMPONENTS:
            nominal = found.discounted(name).scenarios(part)
            np.testing.assert_allclose(nominal, reserve.scenarios(part), rtol=1e-9, atol=1e-3)
    # Half a year after the end of 2025 is 365 + 182.6 days after the end of 2024: in the sixth quarter.
    due = result.reconciliations["later"].at_settlement.sum(axis=1)
    medical = found.components.index("medical")
    more = (found.dollars["later"] - found.dollars["ffs"])[medical]
    np.testing.assert_allclose(more[5], due, atol=1e-3)
    np.testing.assert_allclose(np.delete(more, 5, axis=0), 0.0, atol=1e-3)
    # At the end of 2025, 365 days after the valuation, in the fourth.
    more = (found.dollars["before"] - found.dollars["bundle"])[medical]
    np.testing.assert_allclose(more[3], result.reconciliations["before"].at_settlement.sum(axis=1), atol=1e-3)
    np.testing.assert_allclose(np.delete(more, 3, axis=0), 0.0, atol=1e-3)


def test_days_of_settlements() -> None:
    """So many months after the pool's year, or that of the valuation; at once where that has passed; undated, the lag.

    From 30 June 2025 to the end of that year are 184 days, to that of 2026 549; six months are 182.625 days.
    """
    agreement = msk.Agreement("dated", (msk.FixedPrice(1.0),), timing="retrospective", lag_months=6)
    rows = pd.DataFrame({"episode_id": list("abc"), "cost": 1.0, "pool": "p", "year": ["2023", "2026", "all"]})
    found = msk.AgreementOnClaims(agreement, ended=rows).reconcile({}, 3)
    assert found is not None
    assert found.years == ("2023", "2026", "all")
    days = found.days_ahead(pd.Timestamp("2025-06-30"))
    assert days.tolist() == pytest.approx([0.0, 549 + 182.625, 184 + 182.625])
    assert found.days_ahead(None).tolist() == pytest.approx([182.625] * 3)


def test_nothing_to_tell_flows_of_is_refused() -> None:
    """An empty set of contracts is refused."""
    with pytest.raises(ValueError, match="at least one claim and one contract"):
        msk.cash_flows(*simple(), {})
