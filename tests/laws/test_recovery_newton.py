"""A climb ends at a maximum that the data tell, or says why not."""

import numpy as np
import pytest

from msk_reserves._checks import Floats
from msk_reserves.recovery.laws.likelihood import Evaluation
from msk_reserves.recovery.laws.newton import Optimum, maximise


def climbed(curvature: float, last: float = 0.0) -> Optimum:
    """Climb a parabola of one parameter that may be 100 at most; its variance is one over the curvature."""

    def evaluate(theta: Floats) -> Evaluation:
        return Evaluation(-0.5 * curvature * float(theta @ theta), -curvature * theta, np.array([[-curvature]]))

    return maximise(evaluate, lambda theta: evaluate(theta).loglik, np.array([3.0]), np.array([100.0]), last=last)


def test_a_maximum_that_the_data_tell_is_reached() -> None:
    """A parabola has its top after one step."""
    best = climbed(4.0)
    assert best.converged
    assert best.theta[0] == pytest.approx(0.0, abs=1e-12)
    assert best.covariance[0, 0] == pytest.approx(0.25)


def test_a_parameter_less_sure_than_its_bound_is_not_converged() -> None:
    """A standard error of 1,000 where 100 counts as having run off: draws would be of anything."""
    best = climbed(1e-6)
    assert not best.converged
    assert best.reason == "parameter 0 could be anything: standard error 1e+03"


@pytest.mark.parametrize(("curvature", "ended"), [(2e-4, "last gain 0.0009"), (1e-6, "parameter 0 could be anything")])
def test_a_climb_that_ends_at_a_small_promise_is_judged_alike(curvature: float, ended: str) -> None:
    """A step that promises less than a thousandth ends a climb where the data tell the parameter, not on a ridge."""
    best = climbed(curvature, last=1e-3)
    assert best.converged == ended.startswith("last gain")
    assert best.reason.startswith(ended)
