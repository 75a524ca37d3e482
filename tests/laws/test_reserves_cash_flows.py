"""Laws of cash flows: they add up to the forecast, end where it ends, and are worth less the later they come."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import msk_reserves as msk
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.reserves.cash_flows import QUARTER
from tests.worlds.valued import simple

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


def test_what_pools_has_no_date() -> None:
    """An agreement is refused with its name; so is an empty set of contracts."""
    verb: Any = msk.cash_flows
    with pytest.raises(TypeError, match=r"`contracts\['shared'\]` must be a contract that does not pool"):
        verb(*simple(), {"shared": msk.read_agreement(msk.preset_names()[0])})
    with pytest.raises(ValueError, match="at least one claim and one contract"):
        verb(*simple(), {})
