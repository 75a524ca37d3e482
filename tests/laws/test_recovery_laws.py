"""Splines, mixture cures, covariates of the scale and strata: what must hold whatever the data."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest

from msk_reserves._checks import Floats
from msk_reserves.episodes.hazards import collected_by, exit_days_of
from msk_reserves.episodes.laws import laws_of
from msk_reserves.recovery.laws.cure import CURES, no_plateau
from msk_reserves.recovery.laws.families import FAMILIES, WEIBULL
from msk_reserves.recovery.laws.fit import LAWS, FittedFamily, fit_family, fit_law
from msk_reserves.recovery.laws.likelihood import evaluate, prepare
from msk_reserves.recovery.laws.piecewise import BY_YEAR
from msk_reserves.recovery.laws.spline import basis, basis_slope, fit_spline, log_days_at, rising, slopes
from msk_reserves.recovery.observations import grouped, observations
from msk_reserves.recovery.path.draws import LawDraws, RecoveryDraws, TransitionDraws, at_mark, law_draws
from msk_reserves.recovery.path.selection import fit_candidates

YEAR = 365.25
SPLINE_NAMES = ("rp0", "rp1", "rp2", "rp3")
# Newton stops with under 1e-8 of log-likelihood to gain: a parameter is then within 1.4e-4 standard errors of the
# maximum, here of about 0.1. The log-likelihood itself is flat there and agrees to 1e-10.
THETA_ATOL = 1e-4


def stays(n: int = 400, *, seed: int = 3, cured: float = 0.0, windows: bool = True) -> dict[str, Floats]:
    """Lognormal stays with entry, windows on a third, a share that never ends, censoring, and two covariates."""
    rng = np.random.default_rng(seed)
    design = np.column_stack([rng.standard_normal(n), rng.integers(0, 2, n)])
    t = np.exp(3.2 + design @ [0.3, -0.4] + 0.9 * rng.standard_normal(n))
    t[rng.random(n) < cured] = 1e6
    wide = np.where(rng.random(n) < 0.33, 7.0, 0.0) * windows
    end = np.where(wide > 0, 7.0 * np.ceil(t / 7.0), t)
    entry = np.where(rng.random(n) < 0.5, 5.0, 0.0)
    censor = rng.uniform(6, 900, n)
    exited = end <= censor
    days = np.where(exited, end, censor)
    keep = days > entry
    width = np.where(exited, wide, 0.0)
    full = {"days": days, "exited": exited.astype(float), "entry": entry, "interval": width, "design": design}
    return {name: column[keep] for name, column in full.items()}


def fitted(name: str, given: Mapping[str, npt.ArrayLike], **more: npt.ArrayLike) -> FittedFamily:
    """Fit a law to columns gathered by name, plateau or none."""
    full = dict(given) | more
    if name not in CURES:
        return fit_family(name, full.pop("days"), full.pop("exited"), names=None, **full)
    data = observations(full.pop("days"), full.pop("exited"), **full)
    return fit_law(name, data, ("x1", "x2")[: data.design.shape[1]])


def law_of(fit: FittedFamily) -> LawDraws:
    """Return the estimates as a single draw."""
    return law_draws(fit.family, fit.theta[None, :], fit.cuts)


def survival(fit: FittedFamily, days: Floats) -> Floats:
    """Return the survival of a stay whose covariates are zero."""
    law = law_of(fit)
    location = np.full(len(days), law.coefficients[0, 0] if law.constant else 0.0)
    return np.exp(-law.compute("accumulate", days, location, np.zeros(len(days), dtype=np.int64)))


@pytest.mark.parametrize("name", LAWS)
def test_exit_days_invert_the_cumulative_hazard(name: str) -> None:
    """Days at H(t) are t, and the hazard is the slope of H, for every law and early, late and beyond the data."""
    law = law_of(fitted(name, stays(300, cured=0.2)))
    days, draw = np.geomspace(0.5, 4000, 60), np.zeros(60, dtype=np.int64)
    location = np.full(60, (law.coefficients[0, 0] if law.constant else 0.0) + 0.2)
    collected = law.compute("accumulate", days, location, draw)
    # Where a mixture has left all but the last 1e-6 of its leavers, the days are lost in the digits of H.
    some = collected < -np.log(law.plateau[0]) - 1e-6 if law.plateau[0] > 0 else collected > 0
    assert some.sum() > 20
    found = law.compute("invert", collected[some], location[some], draw[some])
    np.testing.assert_allclose(found, days[some], rtol=1e-7)
    step = 1e-5 * days
    beside = [law.compute("accumulate", days + side * step, location, draw) for side in (1.0, -1.0)]
    pieces_apart = np.abs(days[:, None] - law.cuts).min(axis=1, initial=np.inf) > step
    slope = ((beside[0] - beside[1]) / (2 * step))[pieces_apart]
    rate = law.compute("rate", days, location, draw)[pieces_apart]
    np.testing.assert_allclose(rate, slope, rtol=1e-5, atol=1e-9)
    zero = np.zeros(1)
    assert law.compute("accumulate", zero, zero, draw[:1])[0] == 0.0


@pytest.mark.parametrize("name", ["rp2", "cure_weibull", "cure_lognormal", "cure_loglogistic"])
def test_the_inner_loop_agrees(name: str) -> None:
    """Hazards and days of the compiled loop are those of the draws, to 1e-5 and 1e-4 where a spline is read."""
    law = law_of(fitted(name, stays(cured=0.2)))
    zero = np.zeros(1, dtype=np.int64)
    move = TransitionDraws("off_work", "back_at_work", (0, 1), (law,), zero)
    compiled = laws_of(RecoveryDraws(None, 1, (move,)), 2)
    location = move.location(np.array([[0.5, 1.0]]))[0]
    for days in (1.0, 20.0, 90.0, 400.0, 1500.0):
        hazard = move.cumulative_hazard(np.array([days]), location, zero)
        assert collected_by(compiled, 0, 0, location[0], days) == pytest.approx(hazard[0], rel=1e-5)
        assert exit_days_of(compiled, 0, 0, location[0], 0.4, np.inf) == pytest.approx(
            move.exit_days(np.array([0.4]), location, zero)[0], rel=1e-4
        )


@pytest.mark.parametrize("name", LAWS)
def test_a_covariate_held_fixed_goes_into_the_constant(name: str) -> None:
    """With the first covariate taken in at a value, hazards are those of stays that have this value."""
    fit = fitted(name, stays(300, cured=0.2))
    held = at_mark(law_of(fit), 0.7)
    days, draw = np.geomspace(1.0, 1000.0, 10), np.zeros(10, dtype=np.int64)
    both = []
    for law, x in ((law_of(fit), np.array([0.7, 1.0])), (held, np.array([1.0]))):
        covariates = np.concatenate([np.ones(law.constant), x])
        both.append(law.compute("accumulate", days, np.full(10, law.coefficients[0] @ covariates), draw))
    np.testing.assert_allclose(both[0], both[1], rtol=1e-10)


def test_a_mixture_never_ends_beyond_its_plateau() -> None:
    """Hazards above -ln pi are never collected: infinite days, exactly the share pi of standard exponentials."""
    fit = fitted("cure_weibull", stays(cured=0.3))
    law, zero = law_of(fit), np.zeros(2, dtype=np.int64)
    edge = -np.log(fit.plateau)
    days = law.compute("invert", np.array([0.999 * edge, 1.001 * edge]), np.full(2, 3.0), zero)
    assert np.isfinite(days[0])
    assert days[1] == np.inf
    np.testing.assert_allclose(survival(fit, np.array([1e9])), fit.plateau, rtol=1e-9)


def test_a_spline_without_knots_is_a_weibull() -> None:
    """Log-likelihood, effects and survival of rp0 are the Weibull's, with windows, entry and weights."""
    data = stays()
    weights = np.linspace(0.5, 2.0, len(data["days"]))
    spline, weibull = fitted("rp0", data, weights=weights), fitted("weibull", data, weights=weights)
    np.testing.assert_allclose(spline.loglik, weibull.loglik, rtol=1e-9)
    np.testing.assert_allclose(spline.theta[2:], -weibull.theta[1:3] / weibull.scale, atol=THETA_ATOL)
    days = np.geomspace(0.1, 2000, 30)
    np.testing.assert_allclose(survival(spline, days), survival(weibull, days), atol=1e-5)


@pytest.mark.parametrize("name", ["rp1", "rp3", "cure_lognormal", "cure_weibull"])
def test_more_parameters_never_fit_worse(name: str) -> None:
    """A spline is at least as likely as the Weibull it contains, a mixture as its law without cure."""
    data = stays(cured=0.25)
    inner = "weibull" if name not in CURES else CURES[name].name
    assert fitted(name, data).loglik >= fitted(inner, data).loglik - 1e-8


@pytest.mark.parametrize("name", CURES)
def test_a_share_of_nothing_is_the_law_itself(name: str) -> None:
    """As pi goes to zero, value, gradient and Hessian are those of the law without cure."""
    data, family = stays(), CURES[name]
    rows = prepare(observations(data.pop("days"), data.pop("exited"), **data), 20.0)
    theta = np.array([0.4, 0.2, -0.3, -0.1])
    mixed, plain = evaluate(family, rows, np.append(theta, -45.0), cured=True), evaluate(family, rows, theta)
    np.testing.assert_allclose(mixed.loglik, plain.loglik, rtol=1e-12)
    np.testing.assert_allclose(mixed.gradient[:-1], plain.gradient, rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(mixed.hessian[:-1, :-1], plain.hessian, rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(mixed.gradient[-1], 0.0, atol=1e-12)


def test_the_normaliser_of_late_entry_keeps_those_who_never_end() -> None:
    """A stay entered late adds ln S(e) with S = pi + (1 - pi) S_u: by hand for one open stay, and for one exit."""
    family, theta = WEIBULL, np.array([0.0, 0.0, np.log(0.4 / 0.6)])
    both = observations([2.0, 3.0], [1, 0], entry=[1.0, 1.0])
    rows = prepare(both, 1.0)
    mixture = 0.4 + 0.6 * np.exp(-np.array([1.0, 3.0]))
    by_hand = np.log(0.6 * np.exp(-2.0)) + np.log(mixture[1]) - 2 * np.log(mixture[0])
    np.testing.assert_allclose(evaluate(family, rows, theta, cured=True).loglik, by_hand, rtol=1e-12)


@pytest.mark.parametrize("name", [*CURES, "gengamma", "weibull"])
def test_derivatives_with_covariates_everywhere(name: str) -> None:
    """Central differences confirm gradient and Hessian with covariates in location, scale and cured share."""
    data = stays(150, cured=0.2)
    data["interval"] = np.where(data["interval"] > 0, np.minimum(data["days"], 28.0), 0.0)
    cured = name in CURES
    family = CURES[name] if cured else FAMILIES[name]
    design = data["design"]
    rows = prepare(
        observations(data.pop("days"), data.pop("exited"), weights=np.linspace(0.5, 2, len(design)), **data),
        20.0,
        shape_design=design,
        cure_design=design[:, :1] if cured else None,
    )
    theta = np.array([0.5, 0.2, -0.3, -0.1, 0.15, -0.2, *([-0.8, 0.4] if cured else [-0.7] * family.free_shape)])
    here = evaluate(family, rows, theta, cured=cured)
    for at in range(len(theta)):
        step = 1e-5 * np.eye(len(theta))[at]
        up, down = (evaluate(family, rows, theta + side * step, cured=cured) for side in (1.0, -1.0))
        np.testing.assert_allclose(here.gradient[at], (up.loglik - down.loglik) / 2e-5, rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(here.hessian[at], (up.gradient - down.gradient) / 2e-5, rtol=1e-4, atol=2e-3)


@pytest.mark.parametrize("name", [*SPLINE_NAMES, *CURES])
def test_weights_and_order(name: str) -> None:
    """Doubling by weight or by writing the stay out twice is the same, and order does not matter."""
    data = stays(300, cured=0.25)
    n = len(data["days"])
    weights = 1.0 + np.arange(n) % 2
    rows = np.random.default_rng(5).permutation(np.repeat(np.arange(n), weights.astype(int)))
    once = fitted(name, data, weights=weights)
    twice = fitted(name, {key: column[rows] for key, column in data.items()})
    assert once.converged
    np.testing.assert_allclose(once.cuts, twice.cuts, rtol=1e-12)
    np.testing.assert_allclose(once.loglik, twice.loglik, rtol=1e-9)
    np.testing.assert_allclose(once.theta, twice.theta, rtol=1e-3, atol=5 * THETA_ATOL)


@pytest.mark.parametrize("name", [name for name in LAWS if name != "piecewise"])
def test_the_unit_of_time_does_not_matter(name: str) -> None:
    """In years the log-likelihood gains exits x ln 365.25, relative 1e-8, and a location falls by ln 365.25."""
    data = stays(300, cured=0.25, windows=False)
    scaled = {key: column / YEAR if key in {"days", "entry"} else column for key, column in data.items()}
    days, years = fitted(name, data), fitted(name, scaled)
    gained = data["exited"].sum() * np.log(YEAR)
    np.testing.assert_allclose(years.loglik - gained, days.loglik, rtol=1e-8)
    ages = np.geomspace(1.0, 1000.0, 20)
    np.testing.assert_allclose(survival(days, ages), survival(years, ages / YEAR), atol=2e-5)
    if name not in SPLINE_NAMES:
        np.testing.assert_allclose(days.theta[0] - years.theta[0], np.log(YEAR), rtol=1e-5)


def test_narrow_windows_are_exact_days() -> None:
    """A window of a hundred-thousandth of a day says what the day says, for a spline and a mixture."""
    data = stays(300, cured=0.25, windows=False)
    width = np.where(data["exited"] > 0, 1e-5, 0.0)
    for name in ("rp2", "cure_weibull"):
        exact, narrow = fitted(name, data), fitted(name, data, interval=width)
        gained = data["exited"].sum() * np.log(1e-5)
        np.testing.assert_allclose(narrow.loglik - gained, exact.loglik, atol=1e-3)


@pytest.mark.parametrize("name", ["weibull", "lognormal", "loglogistic"])
def test_two_strata_are_two_fits(name: str) -> None:
    """Own constant and own scale by stratum, nothing shared: log-likelihoods add up, and so do estimates."""
    data = stays(400)
    flag = data["design"][:, 1]
    bare = {key: column for key, column in data.items() if key != "design"}
    whole = fitted(name, bare, strata=flag)
    alone = [fitted(name, {key: column[flag == level] for key, column in bare.items()}) for level in (0.0, 1.0)]
    np.testing.assert_allclose(whole.loglik, sum(one.loglik for one in alone), rtol=1e-9)
    assert whole.names == ("constant", "stratum 1.0", "log_scale", "log_scale stratum 1.0")
    apart = [whole.theta[0], whole.theta[0] + whole.theta[1], whole.theta[2], whole.theta[2] + whole.theta[3]]
    expected = [alone[0].theta[0], alone[1].theta[0], alone[0].theta[1], alone[1].theta[1]]
    np.testing.assert_allclose(apart, expected, atol=5 * THETA_ATOL)
    by_hand = fitted(name, bare | {"design": flag[:, None]}, shape_design=flag[:, None])
    np.testing.assert_allclose(by_hand.theta, whole.theta, atol=THETA_ATOL)


def test_a_stratified_spline_without_knots_is_two_weibulls() -> None:
    """The slope's covariate of a spline without inner knots gives each stratum its own Weibull."""
    data = stays(400)
    flag = data.pop("design")[:, 1]
    alone = [fitted("weibull", {key: column[flag == level] for key, column in data.items()}) for level in (0.0, 1.0)]
    np.testing.assert_allclose(fitted("rp0", data, strata=flag).loglik, sum(one.loglik for one in alone), rtol=1e-9)


@pytest.mark.parametrize("name", ["weibull", "gengamma", "rp2", "cure_weibull"])
def test_a_shape_without_columns_is_none(name: str) -> None:
    """No columns of the scale, or columns without effect, are the law with one scale."""
    data = stays(300, cured=0.25)
    n = len(data["days"])
    plain = fitted(name, data)
    if name != "cure_weibull":
        empty = fitted(name, data, shape_design=np.zeros((n, 0)))
        np.testing.assert_allclose(empty.theta, plain.theta, atol=THETA_ATOL)
        varied = fitted(name, data, shape_design=data["design"])
        assert varied.loglik >= plain.loglik - 1e-8
        with pytest.raises(ValueError, match="`shape_design` must vary in every column; column 0 is constant"):
            fitted(name, data, shape_design=np.ones((n, 1)))


def test_natural_splines_are_straight_outside() -> None:
    """The basis has straight ends, a slope that is its derivative, and curves that rise are inverted everywhere."""
    knots = np.array([0.0, 0.7, 1.5, 4.0])
    x = np.linspace(-3, 9, 400)
    numeric = (basis(x + 1e-6, knots) - basis(x - 1e-6, knots)) / 2e-6
    np.testing.assert_allclose(basis_slope(x, knots), numeric, atol=1e-6)
    for outside in (x[x < 0], x[x > 4.0]):
        assert np.ptp(basis_slope(outside, knots), axis=1).max() < 1e-12
    curve = rising(np.array([[-3.0, 1.0, 0.4, -0.3]]), np.array([-3.0, 1.0, 0.0, 0.0]), knots)
    assert (slopes(curve, knots) > 0).all()
    np.testing.assert_allclose(
        log_days_at(np.repeat(curve, 400, axis=0), knots, (curve @ basis(x, knots))[0]), x, atol=1e-9
    )


def test_a_spline_that_falls_is_refused() -> None:
    """Exits in two bursts far apart: a cumulative hazard that falls between them is no law, and the fit says so."""
    rng = np.random.default_rng(1)
    days = np.concatenate([rng.uniform(1.0, 1.2, 40), rng.uniform(900, 1000, 40)])
    data = observations(days, np.ones(80))
    knots = np.array([1.0, 1.1, 950.0, 1000.0])
    fit = fit_spline(data, knots, np.array([-3.0, 0.5, 0.0, 0.0]))
    assert not fit.converged
    tied = fit_law("rp2", observations(np.r_[np.full(60, 1.0), 2.0, 3.0], np.ones(62)), ())
    assert not tied.converged
    assert "knots coincide" in tied.reason


def test_cure_needs_a_plateau() -> None:
    """At least 5 % observed beyond the last exit and one for longer than 1.5 times it; else refused with the reason."""
    exits = np.linspace(1.0, 100.0, 95)
    few = observations(np.r_[exits, np.full(4, 400.0)], np.r_[np.ones(95), np.zeros(4)])
    assert "4.0% of the stays were observed beyond the last exit" in no_plateau(few)
    short = observations(np.r_[exits, np.full(20, 150.0)], np.r_[np.ones(95), np.zeros(20)])
    assert "not beyond 1.5 times the last exit on day 100" in no_plateau(short)
    long = observations(np.r_[exits, np.full(20, 151.0)], np.r_[np.ones(95), np.zeros(20)])
    assert not no_plateau(long)
    with pytest.raises(ValueError, match="`family` must not be 'cure_weibull' for these stays: no plateau"):
        fit_family("cure_weibull", few.days, few.exited)
    names = ("weibull", "cure_weibull")
    refused = fit_candidates(few, (), names, "equal_within_7", fading=BY_YEAR)[1]
    assert refused.weight == 0.0
    assert refused.note().startswith("no plateau")
    assert fit_candidates(long, (), names, "equal_within_7", fading=BY_YEAR)[1].fit.converged


def test_few_exits_leave_laws_untried_with_the_reason() -> None:
    """With 20 exits, laws that need 30 stay in the list with that reason and no weight."""
    rng = np.random.default_rng(2)
    data = observations(rng.exponential(50, 25), np.r_[np.ones(20), np.zeros(5)])
    found = fit_candidates(data, (), ("weibull", "rp1", "gengamma"), "equal_within_7", fading=BY_YEAR)
    notes = {one.fit.family: one.note() for one in found}
    assert notes["rp1"] == notes["gengamma"] == "needs 30 exits, there are 20"
    assert sum(one.weight for one in found) == pytest.approx(1.0)


def test_grouping_stays_changes_nothing() -> None:
    """Equal stays are one with the sum of their weights: fewer rows, the same totals, half days and flags kept."""
    rng = np.random.default_rng(8)
    n = 6000
    days = np.maximum(np.round(rng.lognormal(3, 0.5, n) * 2) / 2, 4.0)
    data = observations(
        days,
        rng.integers(0, 2, n),
        entry=rng.choice([0.0, 3.0], n),
        weights=rng.random(n),
        design=rng.integers(0, 2, (n, 1)),
    )
    fewer = grouped(data)
    assert len(fewer) < n / 4
    np.testing.assert_allclose(fewer.weights.sum(), data.weights.sum(), rtol=1e-12)
    for column in ("days", "entry", "lower", "exited"):
        few, all_ = (one.weights @ getattr(one, column) for one in (fewer, data))
        np.testing.assert_allclose(few, all_, rtol=1e-12)
    np.testing.assert_allclose(fewer.weights @ fewer.design, data.weights @ data.design, rtol=1e-12)
    theta = np.array([0.1, 0.3, -0.2])
    few, all_ = (evaluate(WEIBULL, prepare(one, 20.0), theta).loglik for one in (fewer, data))
    np.testing.assert_allclose(few, all_, rtol=1e-12)
    assert grouped(observations(rng.random(3000) + 1, np.ones(3000))).days.shape == (3000,)


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("piecewise", {"strata": [0, 1, 0, 1]}, "need a law with a scale or slope; 'piecewise' has neither"),
        ("exponential", {"shape_design": [[1.0], [2.0], [3.0], [5.0]]}, "'exponential' has neither"),
        ("weibull", {"cure_design": [[1.0], [2.0], [3.0], [5.0]]}, "`cure_design` needs a mixture cure"),
        ("weibull", {"strata": [0, 1]}, "`strata` must have one label a stay"),
        ("weibull", {"shape_design": [[1.0]]}, "`shape_design` must have one row a stay"),
    ],
)
def test_covariates_of_what_a_law_lacks_are_refused(name: str, given: dict[str, npt.ArrayLike], message: str) -> None:
    """Each has its sentence."""
    with pytest.raises(ValueError, match=message):
        fitted(name, {"days": [1.0, 2.0, 3.0, 4.0], "exited": [1, 1, 1, 0]}, **given)


def test_a_law_is_what_its_draws_say() -> None:
    """Simulated from its own draws, a fitted spline's exits collect standard exponential hazard."""
    law = law_of(fitted("rp2", stays()))
    wanted = np.random.default_rng(4).exponential(size=200)
    draw, location = np.zeros(200, dtype=np.int64), np.full(200, 0.3)
    days = law.compute("invert", wanted, location, draw)
    np.testing.assert_allclose(law.compute("accumulate", days, location, draw), wanted, rtol=1e-9)
