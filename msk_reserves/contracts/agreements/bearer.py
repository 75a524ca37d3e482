"""The other side of the table: the bearer's margin on the same futures, its ruin, its prices, and its default."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata

from msk_reserves._checks import Floats, level, not_negative, share
from msk_reserves.contracts.amounts import all_hold, rule
from msk_reserves.contracts.table import ALL
from msk_reserves.contracts.terms import Sums

RUIN_CHANCES = (0.05, 0.01)
"""Chances of ruin at which a price is shown."""

TAIL = 0.95
"""Level beyond which the mean of the bearer's worst margins is shown."""

FARTHEST_FACTOR = 64.0
"""By how much a price is raised or lowered at most in search of one that will do."""

PRECISION = 1e-8
"""Share of a price to which one is sought: a cent of a million."""


@dataclass(frozen=True, slots=True)
class Credit:
    """How likely a bearer is to fail, what is then lost, and how far it fails when its losses are large.

    Attributes
    ----------
    probability : that it fails before it has given all care or repaid all debts.
    loss_given_default : the share of what it then owes that is not recovered.
    collateral : dollars held against it for each pool.
    wrong_way : correlation of what makes it fail with its loss on these episodes, in [0, 1).

    Notes
    -----
    With Z the normal score of the bearer's loss among all futures, the chance of failure in a future is
    Phi((Phi^-1(p) + rho Z) / sqrt(1 - rho^2)) (Vasicek 2002, Risk 15(12)), whose mean is p. What is lost is LGD x
    max(exposure - collateral, 0). The exposure under a price paid before is the care that counts and is still to be
    given, and what the bearer then owes beside; in retrospect it is what the bearer owes.

    Examples
    --------
    >>> Credit(0.02, 0.6, wrong_way=0.5).chances(np.array([[-10.0], [0.0], [10.0]])).round(4).tolist()
    [[0.0349], [0.0089], [0.0017]]
    """

    probability: float
    loss_given_default: float
    collateral: float = 0.0
    wrong_way: float = 0.0

    def __post_init__(self) -> None:
        all_hold(
            lambda: share(self.probability, "credit.probability"),
            lambda: share(self.loss_given_default, "credit.loss_given_default"),
            lambda: not_negative(self.collateral, "credit.collateral"),
            lambda: rule(
                holds=0 <= self.wrong_way < 1,
                sentence=f"`credit.wrong_way` must lie in [0, 1), got {self.wrong_way!r}",
            ),
        )

    def chances(self, margin: Floats) -> Floats:
        """Return the chance of failure in each future, by pool; shape (n_scenarios, n_pools).

        Parameters
        ----------
        margin : the bearer's margin, dollars, the same shape.
        """
        if self.wrong_way == 0 or self.probability in (0.0, 1.0):
            return np.full(margin.shape, self.probability)
        score = ndtri((rankdata(-margin, axis=0) - 0.5) / len(margin))
        found: Floats = ndtr((ndtri(self.probability) + self.wrong_way * score) / np.sqrt(1 - self.wrong_way**2))
        return found

    def lost(self, exposure: Floats) -> Floats:
        """Return what is lost if it fails, dollars."""
        dollars: Floats = self.loss_given_default * np.maximum(exposure - self.collateral, 0.0)
        return dollars

    def describe(self) -> str:
        """Return the assumption as a phrase."""
        held = f", ${self.collateral:,.0f} held against each pool" if self.collateral else ""
        return (
            f"fails with probability {self.probability:.2%}, loss given default {self.loss_given_default:.0%}{held}; "
            f"correlation with its loss {self.wrong_way:g}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class BearerMargin:
    """What the bearer of a contract's risk makes on the episodes it takes over, on the futures of the reserve.

    Attributes
    ----------
    contract : its name.
    episodes : how many.
    price : sum of the target prices, dollars, shape (n_scenarios,).
    margin : what it receives less what it pays, before any default; dollars, shape (n_scenarios,).
    at : the margin with every price times a factor, shape (n_scenarios,).
    default_loss : expected loss of the payer by its default, dollars; NaN where no `Credit` is given.
    n_draws : independent parameter draws behind the scenarios.
    """

    contract: str
    episodes: float
    price: Floats
    margin: Floats
    at: Callable[[float], Floats]
    default_loss: float
    n_draws: int

    def __post_init__(self) -> None:
        self.margin.flags.writeable = False

    def mean(self) -> float:
        """Return the mean margin, dollars."""
        return float(self.margin.mean())

    def standard_deviation(self) -> float:
        """Return the standard deviation of the margin over scenarios, dollars."""
        return float(self.margin.std(ddof=1))

    def simulation_error(self) -> float:
        """Return the standard error of the mean margin, dollars, by batches of one parameter draw each."""
        batches = self.margin.reshape(self.n_draws, -1).mean(axis=1)
        return float(batches.std(ddof=1) / np.sqrt(self.n_draws))

    def chance_of_ruin(self, capital: float = 0.0) -> float:
        """Return the probability of a loss beyond its capital; of any loss without one.

        Parameters
        ----------
        capital : dollars it can lose.
        """
        return float((self.margin < -not_negative(capital, "capital")).mean())

    def mean_loss(self) -> float:
        """Return the mean loss where there is one, dollars; 0 where there is none."""
        losses = self.margin[self.margin < 0]
        return float(-losses.mean()) if len(losses) else 0.0

    def tail_mean(self, probability: float = TAIL) -> float:
        """Return the mean of the worst `1 - probability` of margins, dollars; negative a loss."""
        worst = max(round((1 - level(probability, "probability")) * len(self.margin)), 1)
        return float(np.sort(self.margin)[:worst].mean())

    def price_of_an_episode(self) -> float:
        """Return the mean target price of an episode, dollars."""
        return float(self.price.mean() / self.episodes)

    def break_even_price(self) -> float:
        """Return the mean price of an episode at which the mean margin is nothing, dollars.

        Every price is multiplied by one factor and the terms are applied anew. NaN where no factor within 64 will do:
        the mean is never a loss, as without downside, or always one; or prices cannot be changed after the fact.
        """

        def mean_at(factor: float) -> float:
            return float(self.at(factor).mean())

        try:
            low, high = self._between(lambda margin: float(margin.mean()) >= 0)
            factor = high if mean_at(high) == 0 else brentq(mean_at, low, high, xtol=PRECISION)
        except RepricingError:
            return float("nan")
        return float(factor) * self.price_of_an_episode()

    def price_at_ruin(self, chance: float, capital: float = 0.0) -> float:
        """Return the least mean price of an episode at which a loss beyond the capital has at most this probability.

        Parameters
        ----------
        chance : of ruin, in (0, 1).
        capital : dollars it can lose.
        """
        level(chance, "chance")
        least = -not_negative(capital, "capital")

        def enough(margin: Floats) -> bool:
            return float((margin < least).mean()) <= chance

        try:
            low, high = self._between(enough)
            while high - low > PRECISION * high:
                middle = (low + high) / 2
                low, high = (low, middle) if enough(self.at(middle)) else (middle, high)
        except RepricingError:
            return float("nan")
        return high * self.price_of_an_episode()

    def to_frame(self) -> pd.DataFrame:
        """Return the figures as a table, one row a figure: dollars, but for counts and chances."""
        rows = {
            "episodes": self.episodes,
            "price of an episode": self.price_of_an_episode(),
            "margin": self.mean(),
            "simulation error": self.simulation_error(),
            "standard deviation": self.standard_deviation(),
            "chance of a loss": self.chance_of_ruin(),
            "mean loss where there is one": self.mean_loss(),
            f"mean of the worst {1 - TAIL:.0%}": self.tail_mean(),
            "break-even price of an episode": self.break_even_price(),
            **{f"price at {chance:.0%} chance of a loss": self.price_at_ruin(chance) for chance in RUIN_CHANCES},
            "expected loss by its default": self.default_loss,
        }
        return pd.DataFrame({self.contract: rows}).rename_axis(index="bearer")

    def __repr__(self) -> str:
        return (
            f"bearer of {self.contract}: {self.episodes:,.0f} episodes at {self.price_of_an_episode():,.0f} dollars, "
            f"mean margin {self.mean():,.0f} (simulation error {self.simulation_error():,.0f}), chance of a loss "
            f"{self.chance_of_ruin():.1%}, of {self.mean_loss():,.0f} on average"
        )

    def _repr_html_(self) -> str:
        table = self.to_frame()
        shown = table[self.contract].map("{:,.0f}".format)
        chance = "chance of a loss"
        shown[chance] = f"{table.loc[chance, self.contract]:.1%}"
        html: str = shown.to_frame().to_html()
        return html

    def _between(self, enough: Callable[[Floats], bool]) -> tuple[float, float]:
        """Return two factors of which only the higher is enough, the nearest to the agreed price.

        A limit in shares of the price ends losses at no price at all: so the search begins at the agreed one.

        Raises
        ------
        RepricingError
            If there are none within the farthest factor, or prices cannot be changed.
        """
        low = high = 1.0
        while enough(self.at(low)):
            low, high = low / 2, low
            if low < 1 / FARTHEST_FACTOR:
                raise RepricingError(f"every price of {self.contract!r} is enough")
        while not enough(self.at(high)):
            low, high = high, 2 * high
            if high > FARTHEST_FACTOR:
                raise RepricingError(f"no price of {self.contract!r} is enough")
        return low, high


class RepricingError(ValueError):
    """A price that cannot be changed once its episodes have been added up, or of which none will do."""


def bundle_margin(contract: str, sums: Sums, scenarios: int, n_draws: int) -> BearerMargin | None:
    """Return the margin of the seller of a fixed-price bundle; None where it takes over no claim.

    Parameters
    ----------
    contract : its name.
    sums : prices, refunds and spending that counts, added up over all claims taken over.
    scenarios : how many futures.
    n_draws : parameter draws behind them.
    """
    if not sums:
        return None
    price, refund, spending, episodes = (
        np.broadcast_to(sums[ALL, ALL, ALL, name], scenarios) for name in ("price", "refund", "spending", "episodes")
    )
    at = partial(_linear, price - refund, spending)
    return BearerMargin(contract, float(episodes[0]), price, at(1.0), at, float("nan"), n_draws)


def _linear(price: Floats, spending: Floats, factor: float) -> Floats:
    """Return the margin of a price, less what comes back of it, times a factor."""
    return factor * price - spending
