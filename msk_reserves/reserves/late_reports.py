"""What claims not yet reported will cost: late-reported claims of the book stand for them, future by future."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from msk_reserves._checks import Floats, Integers
from msk_reserves.claims.book import Assumption, ClaimBook
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.cost.record import Cost
from msk_reserves.episodes.payments import FEW, LEAST_CHANCE
from msk_reserves.episodes.plan import Plan, draws_for
from msk_reserves.episodes.randomness import generator, keys_of, uniforms
from msk_reserves.episodes.record import Episodes
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.episodes.takeover import takeover
from msk_reserves.reserves.distribution import ReserveDistribution
from msk_reserves.reserves.report_lag import LEAST_CLAIMS, LagUnknownError
from msk_reserves.reserves.unreported import UnreportedClaims, claims_not_yet_reported

LAG_BANDS = (8, 31, 91, 366)
"""Days from injury to report at which the next band begins: a claim costs what claims reported as late do."""

LEAST_HORIZON = 1826.0
"""Days ahead below which nothing is said: what stand-ins were paid over years would be counted as if paid by then."""

LATE_SLOT = 2**22
"""First slot of the random numbers behind claims not yet reported, beyond those of paths and payments."""

NAME = "claims not yet reported"

APART = "claims not yet reported are a line of their own and in no reserve of reported claims"


@dataclass(frozen=True, slots=True, eq=False)
class LateReports:
    """How many unreported claims each reported claim stands for, and at what prices, by parameter draw.

    In each scenario the unreported claims that a reported claim stands for are Poisson in number, independent of those
    of the others: so a block of claims needs nothing of the other blocks.

    Attributes
    ----------
    band : band of each claim's days to report, -1 for a claim that stands for none; shape (n_claims,).
    a_weight : unreported claims of each band for one unit of weight, shape (n_draws, n_bands). The weights of claims
        are exponential and drawn anew for each draw: the Bayesian bootstrap (Rubin 1981, Annals of Statistics 9).
    paid : dollars paid so far by component, zero for a claim that stands for none; shape (n_claims, 3).
    growth : what brings a claim's dollars to the prices of an unreported one, shape (n_claims, 3).
    systemic : common factor of what is to be paid, shape (n_scenarios, 3).
    """

    band: Integers
    a_weight: Floats
    paid: Floats
    growth: Floats
    systemic: Floats

    def totals(self, rows: Integers, keys: npt.NDArray[np.uint64], episodes: Episodes) -> Floats:
        """Return what the unreported claims cost that some claims stand for, and their number.

        Parameters
        ----------
        rows : rows of the claims of `episodes` in the book.
        keys : keys of their random numbers.
        episodes : their futures.

        Returns
        -------
        numpy.ndarray
            Dollars by component and, last, the number of claims; shape (4, n_scenarios).
        """
        n_scenarios, n_draws = len(self.systemic), len(self.a_weight)
        kept = np.flatnonzero(self.band[rows] >= 0)
        weight = weights(keys[kept], n_draws)
        per_draw = n_scenarios // n_draws
        expected = per_draw * self.a_weight.T[self.band[rows[kept]]] * weight
        times = _poisson(expected, keys[kept])
        claim, draw = np.nonzero(times)
        repeats = times[claim, draw]
        claim, draw = np.repeat(claim, repeats), np.repeat(draw, repeats)
        nth = np.arange(len(claim)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        place = uniforms(keys[kept][claim], draw.astype(np.uint64), (LATE_SLOT + 2 + nth).astype(np.uint64))
        scenario = draw * per_draw + (place * per_draw).astype(np.int64)
        here = kept[claim]
        found = np.empty((len(COMPONENTS) + 1, n_scenarios))
        found[-1] = np.bincount(scenario, minlength=n_scenarios)
        for part, name in enumerate(COMPONENTS):
            own = self.paid[rows[here], part] * self.systemic[scenario, part]
            value = self.growth[rows[here], part] * (own + episodes.component(name)[scenario, here])
            found[part] = np.bincount(scenario, weights=value, minlength=n_scenarios)
        return found


def weights(keys: npt.NDArray[np.uint64], n_draws: int) -> Floats:
    """Return the exponential weight of each claim under each draw, shape (n_claims, n_draws)."""
    return -np.log(_grid(keys, n_draws, LATE_SLOT))


def _grid(keys: npt.NDArray[np.uint64], n_draws: int, slot: int) -> Floats:
    """Return one uniform number a claim and draw, shape (n_claims, n_draws)."""
    draw = np.tile(np.arange(n_draws, dtype=np.uint64), len(keys))
    return uniforms(np.repeat(keys, n_draws), draw, slot).reshape(len(keys), n_draws)


def _poisson(expected: Floats, keys: npt.NDArray[np.uint64]) -> Integers:
    """Return Poisson numbers by the inverse of their law at one uniform number each, shape (n_claims, n_draws)."""
    uniform, none = _grid(keys, expected.shape[1], LATE_SLOT + 1), np.exp(-expected)
    counts = np.zeros(expected.shape, dtype=np.int64)
    many = (uniform > none) & (expected > FEW)
    counts[many] = np.maximum(np.ceil(special.pdtrik(uniform[many], expected[many])), 1.0)
    # Most expect next to nothing: chances of one, two, ... are taken off until nothing is left.
    place = np.flatnonzero((uniform > none) & (expected <= FEW))
    mean, chance = expected.ravel()[place], none.ravel()[place]
    left, number = uniform.ravel()[place] - chance, 0
    while len(place):
        number += 1
        chance *= mean / number
        left -= chance
        counts.flat[place] = number
        more = (left > 0.0) & (chance > LEAST_CHANCE)
        place, mean, chance, left = place[more], mean[more], chance[more], left[more]
    return counts


@dataclass(frozen=True, slots=True, eq=False)
class NotYetReported:
    """The reserve for claims not yet reported, beside those for reported claims and in none of them.

    Attributes
    ----------
    reserve : its distribution, scenario by scenario the same futures as the reported claims' reserves; fee for service
        whatever the contract, since no claim is taken over before it is reported.
    counts : claims not yet reported, by scenario.
    unreported : report lag and accident periods behind the counts.
    """

    reserve: ReserveDistribution
    counts: Floats
    unreported: UnreportedClaims

    def __post_init__(self) -> None:
        self.counts.flags.writeable = False

    def count_band(self, level_: float = 0.9) -> tuple[float, float]:
        """Return the equal-tailed predictive band of the number of claims."""
        low, high = np.quantile(self.counts, [(1 - level_) / 2, (1 + level_) / 2])
        return float(low), float(high)

    def assumptions(self) -> tuple[Assumption, ...]:
        """Return what was assumed, as it is printed."""
        source = "what they have cost and will, at the prices of a later injury, stands for what the unreported will"
        return (
            Assumption("exposure of claims not yet reported", self.unreported.periods.basis, "the book"),
            Assumption("cost of claims not yet reported", "as of claims of the book reported as late", source),
            Assumption("claims not yet reported under a contract", "fee for service", "none is taken over unreported"),
        )

    def method(self) -> str:
        """Return how they were estimated, in words."""
        return (
            "right-truncated days from injury to report; Poisson counts by accident period with gamma rates; cost of "
            f"reported claims with as long a lag; {self.unreported.lag!r}"
        )

    def __repr__(self) -> str:
        low, high = self.count_band()
        return (
            f"{NAME}: {self.counts.mean():,.1f} claims expected, 90 % predictive band {low:,.0f} to {high:,.0f}; "
            f"mean {self.reserve.mean():,.0f} dollars"
        )


def late_reports(
    book: ClaimBook, cost: Cost, *, scenarios: int, seed: int, systemic: SystemicRisk
) -> tuple[LateReports, UnreportedClaims]:
    """Prepare the claims not yet reported of a forecast.

    Parameters
    ----------
    book : the claims.
    cost : the cost model, for its trends.
    scenarios, seed, systemic : those of the forecast, whose draws, random numbers and common factors they share.

    Raises
    ------
    LagUnknownError
        If the book cannot tell how many are not reported yet, or too few claims can stand for them.
    """
    n_draws, keys = draws_for(scenarios), keys_of(seed, tuple(book.claims["claim_id"]))
    unreported = claims_not_yet_reported(book)
    rng = generator(seed, NAME)
    shares = unreported.lag.draw(n_draws, rng)
    rates = unreported.draw_rates(shares, rng)
    known = [name for name in COMPONENTS if cost.accounts[name] is not None]
    paid = np.zeros((len(book), len(COMPONENTS)))
    for name in known:
        paid[:, COMPONENTS.index(name)] = book.paid[name].to_numpy(dtype=np.float64, na_value=np.nan)
    lag = np.full(len(book), -1, dtype=np.int64)
    lag[unreported.claims] = unreported.lag_days
    usable = (lag >= 0) & np.isfinite(paid).all(axis=1) & ~takeover(book).bundled
    if usable.sum() < LEAST_CLAIMS:
        raise LagUnknownError(f"only {int(usable.sum())} claims out of a bundle tell both their lag and what was paid")
    edges = _edges(lag[usable])
    band = np.where(usable, np.searchsorted(edges, lag, side="right"), -1)
    expected, when = unreported.expected_by_lag(shares, rates, edges)
    weight = np.zeros_like(expected)
    for one in range(len(edges) + 1):
        weight[:, one] = weights(keys[band == one], n_draws).sum(axis=0)
    later = when[np.maximum(band, 0)] - book.column("injury_day")
    # The benefits of a later injury are those of higher wages.
    yearly = np.array([cost.trends.growth("medical"), cost.trends.growth("expense"), cost.trends.growth("expense")])
    return (
        LateReports(
            band=band,
            a_weight=expected / np.maximum(weight, 1e-300),
            paid=np.where(usable[:, None], paid, 0.0),
            growth=np.exp(later[:, None] * yearly),
            systemic=systemic.draw(scenarios, seed),
        ),
        unreported,
    )


def _edges(lag: Integers) -> Integers:
    """Return where bands of the lag begin: a band of too few claims is one with the band before it."""
    kept: list[int] = []
    for edge, following in zip(LAG_BANDS, (*LAG_BANDS[1:], np.inf), strict=True):
        before = ((lag >= (kept[-1] if kept else 0)) & (lag < edge)).sum()
        inside = ((lag >= edge) & (lag < following)).sum()
        if before >= LEAST_CLAIMS and inside >= LEAST_CLAIMS:
            kept.append(edge)
    return np.array(kept, dtype=np.int64)


def ask_late_reports(
    book: ClaimBook, cost: Cost, *, scenarios: int, seed: int, systemic: SystemicRisk, horizon_days: float
) -> tuple[LateReports | None, UnreportedClaims | None, str]:
    """Prepare the claims not yet reported as `late_reports` does, or say why the book cannot tell of them."""
    if horizon_days < LEAST_HORIZON:
        near = f"what they cost within {horizon_days:,.0f} days is not known, only within {LEAST_HORIZON:,.0f} and more"
        return None, None, near
    try:
        return *late_reports(book, cost, scenarios=scenarios, seed=seed, systemic=systemic), APART
    except LagUnknownError as error:
        return None, None, str(error)


def reserve_unreported(unreported: UnreportedClaims, found: Floats, plan: Plan) -> NotYetReported:
    """Return the reserve for claims not yet reported from what `LateReports.totals` found over all blocks."""
    totals = {name: found[place].copy() for place, name in enumerate(COMPONENTS) if name in plan.components}
    return NotYetReported(ReserveDistribution(NAME, totals, plan.missing, plan.n_draws), found[-1].copy(), unreported)
