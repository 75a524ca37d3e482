"""Laws of required effects and tornados on any linear gain."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import msk_reserves as msk

AMOUNTS = st.floats(1.0, 1e5)


@given(AMOUNTS, AMOUNTS)
@settings(max_examples=60, deadline=None)
def test_the_required_effect_is_where_the_gain_is_zero(saved: float, fee: float) -> None:
    """Fee over saving, where it lies within the range; None beyond it."""
    found = msk.required_effect(lambda effect: saved * effect - fee, 0.0, 1.0)
    if fee > saved:
        assert found is None
    else:
        assert found == pytest.approx(fee / saved, abs=1e-8)


@given(AMOUNTS, AMOUNTS, st.floats(0.1, 0.9))
@settings(max_examples=40, deadline=None)
def test_a_tornado_tells_what_moves_the_gain_and_what_turns_it(saved: float, fee: float, step: float) -> None:
    """Bars fall in length, an assumption that does nothing has none, and at a flip the gain is zero."""
    base = {"saved": saved, "fee": fee, "idle": 1.0}
    ranges = {name: ((1 - step) * value, (1 + step) * value) for name, value in base.items()}
    found = msk.tornado(lambda a: a["saved"] - a["fee"], base, ranges)
    assert found.base == pytest.approx(saved - fee)
    assert (np.diff(found.bars["swing"]) <= 0).all()
    assert found.bars.at["idle", "swing"] == 0.0
    for name in found.decides:
        if name != "idle":
            at = base | {name: float(found.bars.at[name, "flips at"])}
            assert at["saved"] - at["fee"] == pytest.approx(0.0, abs=1e-4)
    assert ("turns with" in str(found)) == bool(found.decides)


def test_ranges_of_no_assumption_are_refused() -> None:
    """A range that is not in order, and one of a name that is not there."""
    with pytest.raises(ValueError, match="`ranges` names 'fees', which is no assumption; there are fee"):
        msk.tornado(lambda a: a["fee"], {"fee": 1.0}, {"fees": (0.0, 1.0)})
    with pytest.raises(ValueError, match="`low` must be below `high`"):
        msk.required_effect(lambda effect: effect, 1.0, 1.0)
