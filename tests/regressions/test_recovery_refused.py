"""Past mistakes in what takes the place of laws that were refused."""

import numpy as np

from msk_reserves._checks import Floats
from msk_reserves.recovery.laws.likelihood import Evaluation
from msk_reserves.recovery.laws.newton import maximise
from msk_reserves.recovery.laws.piecewise import BY_YEAR
from msk_reserves.recovery.observations import observations
from msk_reserves.recovery.path.selection import fit_candidates


def test_rates_by_piece_take_the_place_of_a_refused_law() -> None:
    """A book asked to use one law, refused for its tail, once rested on a constant rate that missed the tail far more.

    Many leave at some 60 a hundred days, nearly nobody after day 100: a Weibull expects exits that never came.
    """
    rng = np.random.default_rng(4)
    days = rng.exponential(60.0, 4_000)
    stopped = np.where(days > 100.0, 100.0 + rng.exponential(20_000.0, 4_000), days)
    seen = np.minimum(stopped, 1_000.0)
    data = observations(np.maximum(seen, 0.5), stopped <= 1_000.0)
    found = fit_candidates(data, (), ("weibull",), "equal_within_7", fading=BY_YEAR)
    assert [(one.fit.family, one.weight > 0) for one in found] == [("weibull", False), ("piecewise", True)]
    assert "expects" in found[0].refused


def test_a_singular_information_that_cholesky_takes_is_no_error() -> None:
    """Rounding let Cholesky take a matrix of rank three in four dimensions, whose inverse then raised an error."""
    root = np.array([[3.0, 2.0, 1.0], [0.0, 0.0, 3.0], [-2.0, 2.0, 1.0], [-3.0, -1.0, 3.0]])
    hessian = -root @ root.T
    start = np.array([1.0, -2.0, 0.5, 3.0])

    def evaluate(theta: Floats) -> Evaluation:
        return Evaluation(float(0.5 * theta @ hessian @ theta), hessian @ theta, hessian)

    best = maximise(evaluate, lambda theta: evaluate(theta).loglik, start, np.full(4, 100.0))
    assert not best.converged
    assert best.reason == "the information is not positive definite"
