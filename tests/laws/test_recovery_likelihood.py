"""Laws of maximum likelihood: units, weights, order, derivatives, windows, and what is refused."""

from operator import attrgetter

import numpy as np
import pytest

from msk_reserves._checks import Floats
from msk_reserves.recovery.laws.families import FAMILIES
from msk_reserves.recovery.laws.fit import FittedFamily, fit_family
from msk_reserves.recovery.laws.likelihood import evaluate, prepare
from msk_reserves.recovery.observations import observations

NAMES = ("exponential", "weibull", "lognormal", "loglogistic", "gengamma", "piecewise")
YEAR = 365.25


def fitted(name: str, **given: Floats) -> FittedFamily:
    """Fit a law to columns gathered by name."""
    more = {key: given[key] for key in ("entry", "interval", "weights", "design") if key in given}
    return fit_family(name, given["days"], given["exited"], names=None, **more)


def stays(n: int, seed: int = 1) -> dict[str, Floats]:
    """Weibull stays with entry, windows on a third, censoring and two covariates."""
    rng = np.random.default_rng(seed)
    design = np.column_stack([rng.standard_normal(n), rng.integers(0, 2, n)])
    t = np.exp(3.5 + design @ [0.3, -0.4] + 0.8 * np.log(rng.exponential(size=n)))
    entry = np.where(rng.random(n) < 0.5, 5.0, 0.0)
    censor = rng.uniform(6, 200, n)
    wide = np.where(rng.random(n) < 0.33, 7.0, 0.0)
    end = np.where(wide > 0, 7.0 * np.ceil(t / 7.0), t)
    exited = end <= censor
    days = np.where(exited, end, censor)
    keep = days > entry
    width = np.where(exited, wide, 0.0)
    full = {"days": days, "exited": exited.astype(float), "entry": entry, "interval": width, "design": design}
    return {name: column[keep] for name, column in full.items()}


@pytest.mark.parametrize("name", NAMES)
def test_weight_two_is_the_stay_twice(name: str) -> None:
    """Doubling every second stay by weight or by writing it out gives the same fit."""
    data = stays(250)
    weights: Floats = np.asarray(1.0 + np.arange(len(data["days"])) % 2, dtype=np.float64)
    twice = {key: np.repeat(column, weights.astype(int), axis=0) for key, column in data.items()}
    once, out = fitted(name, **data, weights=weights), fitted(name, **twice)
    assert once.converged
    np.testing.assert_allclose(once.theta, out.theta, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(once.loglik, out.loglik, rtol=1e-9)
    np.testing.assert_allclose(once.covariance, out.covariance, rtol=2e-3, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_order_does_not_matter(name: str) -> None:
    """Shuffled stays give the same fit."""
    data = stays(250)
    order = np.random.default_rng(2).permutation(len(data["days"]))
    mixed = {key: column[order] for key, column in data.items()}
    one, two = fitted(name, **data), fitted(name, **mixed)
    np.testing.assert_allclose(one.theta, two.theta, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(one.loglik, two.loglik, rtol=1e-10)


@pytest.mark.parametrize("name", NAMES[1:5])
def test_days_or_years(name: str) -> None:
    """In years the constant falls by ln 365.25, the log-likelihood gains exits x ln 365.25, nothing else moves."""
    data = stays(300)
    data["interval"] = np.zeros_like(data["interval"])
    days = fitted(name, **data)
    scaled = {key: column / YEAR if key in {"days", "entry"} else column for key, column in data.items()}
    years = fitted(name, **scaled)
    shift = np.zeros(len(days.theta))
    shift[0] = np.log(YEAR)
    np.testing.assert_allclose(days.theta - shift, years.theta, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(years.loglik - days.loglik, data["exited"].sum() * np.log(YEAR), rtol=1e-9)


@pytest.mark.parametrize("name", list(FAMILIES))
def test_derivatives_are_those_of_the_value(name: str) -> None:
    """Gradient and Hessian equal central differences, with truncation, windows, some from zero, and weights."""
    data = stays(120)
    data["interval"] = np.where(data["interval"] > 0, np.minimum(data["days"], 28.0), 0.0)
    family = FAMILIES[name]
    rows = prepare(observations(**data, weights=np.linspace(0.5, 2, len(data["days"]))), 20.0)
    theta = np.array([0.6, 0.2, -0.3, *([-0.1] * family.free_scale), *([-0.7] * family.free_shape)])
    here = evaluate(family, rows, theta)
    for at in range(len(theta)):
        step = 1e-5 * np.eye(len(theta))[at]
        up, down = evaluate(family, rows, theta + step), evaluate(family, rows, theta - step)
        np.testing.assert_allclose(here.gradient[at], (up.loglik - down.loglik) / 2e-5, rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(here.hessian[at], (up.gradient - down.gradient) / 2e-5, rtol=1e-4, atol=2e-3)


def test_generalized_gamma_beats_its_members() -> None:
    """Its log-likelihood is at least that of the laws it contains."""
    for seed in range(5):
        data = stays(200, seed)
        whole = fitted("gengamma", **data)
        assert whole.converged
        for name in ("weibull", "lognormal", "exponential"):
            assert whole.loglik >= fitted(name, **data).loglik - 1e-6


def test_a_narrow_window_is_the_day() -> None:
    """The likelihood of a window of width w, divided by w, tends to the density."""
    data = stays(200)
    data["interval"] = np.zeros_like(data["interval"])
    exact = fitted("loglogistic", **data)
    data["interval"] = 1e-5 * data["exited"]
    narrow = fitted("loglogistic", **data)
    np.testing.assert_allclose(narrow.theta, exact.theta, atol=1e-5)
    np.testing.assert_allclose(narrow.loglik - data["exited"].sum() * np.log(1e-5), exact.loglik, atol=1e-3)


def test_a_window_reaches_no_further_back_than_entry() -> None:
    """An exit in (entry - 3, days] that was only visible from entry is one in (entry, days]."""
    wide = fit_family("weibull", [10.0, 20.0, 30.0], [1, 1, 1], entry=[5.0, 5.0, 5.0], interval=[8.0, 0.0, 0.0])
    cut = fit_family("weibull", [10.0, 20.0, 30.0], [1, 1, 1], entry=[5.0, 5.0, 5.0], interval=[5.0, 0.0, 0.0])
    np.testing.assert_allclose(wide.theta, cut.theta, rtol=1e-10)


def test_piecewise_rates_without_covariates_are_exits_over_exposure() -> None:
    """Rates are counts over days at risk; a piece with fewer than five exits has half an exit of prior as well.

    The prior's days are half an exit over the rate of the piece before, halved for each year between their middles.
    """
    data = stays(400)
    data["interval"] = np.zeros_like(data["interval"])
    data["design"] = np.zeros((len(data["days"]), 0))
    fit = fitted("piecewise", **data)
    ends = np.concatenate([[0.0], fit.cuts, [np.inf]])
    middle = np.r_[(ends[:-2] + ends[1:-1]) / 2, ends[-2] + 365.25 / 2]
    thin = 0
    for piece in range(len(fit.cuts) + 1):
        low, high = ends[piece], ends[piece + 1]
        exits = ((data["days"] > low) & (data["days"] <= high) & (data["exited"] == 1)).sum()
        days = np.clip(data["days"], low, high) - np.clip(data["entry"], low, high)
        prior = 0.0
        if exits < 5:
            thin += 1
            before = (data["exited"] == 1).sum() / (data["days"] - data["entry"]).sum()
            if piece:
                before = np.exp(fit.theta[piece - 1]) * 0.5 ** ((middle[piece] - middle[piece - 1]) / 365.25)
            prior = 0.5
        expected = (exits + prior) / (days.sum() + (prior / before if prior else 0.0))
        np.testing.assert_allclose(np.exp(fit.theta[piece]), expected, rtol=1e-6)
    assert 0 < thin < len(fit.cuts)


def test_an_unidentified_scale_is_not_called_converged() -> None:
    """Exits all on one day have no spread: the fit says that it did not converge."""
    fit = fit_family("lognormal", np.full(20, 30.0), np.ones(20))
    assert not fit.converged
    assert "not converged" in repr(fit)


def test_nothing_touches_the_global_generator() -> None:
    """Fitting leaves numpy's global state as it was."""
    state = attrgetter("get_state")(np.random)
    before = repr(state())
    fitted("gengamma", **stays(100))
    assert repr(state()) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"exited": [0, 0, 0]}, "`exited` must hold at least one exit with weight; all 3 stays are still running"),
        ({"days": [0.0, 2.0, 3.0]}, "`days` must be above zero; give a stay that ended on its first day half a day"),
        ({"days": [1.0, np.inf, 3.0]}, "`days` must be finite"),
        ({"entry": [0.0, 2.0, 0.0]}, "`days` must lie after `entry`"),
        ({"entry": [0.0, -2.0, 0.0]}, "`entry` must not be negative"),
        ({"interval": [0.0, 5.0, 0.0]}, "`interval` must not be wider than the stay"),
        ({"interval": [0.0, -5.0, 0.0]}, "`interval` must not be negative"),
        ({"weights": [1.0, -1.0, 1.0]}, "`weights` must not be negative"),
        ({"exited": [1, 2, 0]}, "use `aalen_johansen"),
        ({"exited": [1, 0]}, "`exited` must have one entry a stay"),
        ({"design": [[1.0], [1.0], [1.0]]}, "column 0 is constant"),
        ({"design": [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]}, "independent columns"),
        ({"design": [[1.0], [2.0]]}, "`design` must have one row a stay"),
        ({"design": [[1.0], [2.0], [4.0]], "names": ["a", "b"]}, "`names` must name the 1 column"),
        ({"family": "gompertz"}, "`family` must be one of exponential, weibull"),
    ],
)
def test_malformed_input_is_refused(change: dict[str, object], message: str) -> None:
    """Each defect has its sentence."""
    given: dict[str, object] = {"family": "weibull", "days": [1.0, 2.0, 3.0], "exited": [1, 1, 0]}
    call: object = fit_family
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call(**(given | change))
