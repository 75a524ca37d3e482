"""How uncertain equally likely dollars are: spread, nearness to the carried reserve, tail and what it costs to hold."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, finite, frozen, level, not_negative, positive
from msk_reserves.reserves.distribution import tail_mean

CAPITAL_LEVEL = 0.99
"""Capital is the tail mean beyond this level less the mean."""

COST_OF_CAPITAL = 0.06
"""What a dollar of capital costs a year, as Solvency II and most users of IFRS 17 take it."""

LEAST_DEFICIT = 0.01
"""Expected deficit over price from which a contract transfers risk by the first test."""

TEN = 0.1
"""Loss over price, and its probability, that the second test asks for."""


def _dollars(values: Floats, name: str = "values") -> Floats:
    """Return dollars by scenario, at least two of them."""
    dollars: Floats = frozen(values, name)
    if len(dollars) < 2:
        raise ValueError(f"`{name}` needs two scenarios or more, got {len(dollars)}")
    return dollars


def band_width(values: Floats, level_: float = 0.9) -> float:
    """Return the width of the equal-tailed band that holds a share `level_` of the values, dollars.

    Parameters
    ----------
    values : dollars by scenario, shape (n_scenarios,).
    level_ : share held, in (0, 1).

    Examples
    --------
    >>> band_width(np.arange(101.0), 0.9)
    90.0
    """
    tail = (1 - level(level_, "level_")) / 2
    low, high = np.quantile(_dollars(values), [tail, 1 - tail])
    return float(high - low)


def variation(values: Floats) -> float:
    """Return the coefficient of variation, standard deviation over mean; NaN where the mean is zero.

    Examples
    --------
    >>> round(variation(np.array([90.0, 110.0])), 4)
    0.1414
    """
    dollars = _dollars(values)
    mean = dollars.mean()
    return float(dollars.std(ddof=1) / mean) if mean else float("nan")


def hit_rate(values: Floats, within: float, *, carried: float | None = None) -> float:
    """Return the probability that the actual falls within a share of the carried reserve, P(|Y - R| <= within R).

    Parameters
    ----------
    values : dollars by scenario, shape (n_scenarios,).
    within : share of the carried reserve, 0.1 for 10 %.
    carried : the reserve held, dollars; the mean when not given.

    Examples
    --------
    >>> hit_rate(np.array([80.0, 95.0, 105.0, 120.0]), 0.1)
    0.5
    """
    dollars = _dollars(values)
    held = float(dollars.mean()) if carried is None else finite(carried, "carried")
    return float((np.abs(dollars - held) <= not_negative(within, "within") * abs(held) * (1 + 1e-12)).mean())


def chance_beyond(values: Floats, beyond: float, *, carried: float | None = None) -> float:
    """Return the probability that the actual exceeds the carried reserve by more than a share of it.

    Parameters
    ----------
    values : dollars by scenario, shape (n_scenarios,).
    beyond : share of the carried reserve, 0.25 for P(Y > 1.25 R).
    carried : the reserve held, dollars; the mean when not given.

    Examples
    --------
    >>> chance_beyond(np.array([80.0, 95.0, 105.0, 120.0]), 0.1)
    0.25
    """
    dollars = _dollars(values)
    held = float(dollars.mean()) if carried is None else finite(carried, "carried")
    return float((dollars - held > finite(beyond, "beyond") * abs(held)).mean())


def expected_deficiency(values: Floats, held: float) -> float:
    """Return the mean of what the actual exceeds the amount held by, E(Y - held)+, dollars.

    Parameters
    ----------
    values : dollars by scenario, shape (n_scenarios,).
    held : dollars held.

    Examples
    --------
    >>> expected_deficiency(np.array([80.0, 120.0]), 100.0)
    10.0
    """
    return float(np.maximum(_dollars(values) - finite(held, "held"), 0.0).mean())


def capital(values: Floats, probability: float = CAPITAL_LEVEL) -> float:
    """Return the tail mean less the mean, dollars: what must be held above the mean to stand the worst scenarios.

    Parameters
    ----------
    values : dollars by scenario, shape (n_scenarios,).
    probability : level beyond which scenarios are the worst.

    Examples
    --------
    >>> capital(np.arange(0.0, 100.0), 0.75)
    37.5
    """
    dollars = _dollars(values)
    return tail_mean(dollars, probability) - float(dollars.mean())


def capital_margin(capital_by_year: Sequence[float], *, rate: float = COST_OF_CAPITAL, discount: float = 0.0) -> float:
    """Return the cost of holding capital until it is released, c * sum of K_t / (1 + r)^(t + 1), dollars.

    Parameters
    ----------
    capital_by_year : dollars of capital at the start of each year.
    rate : cost of a dollar of capital a year, paid at the year's end.
    discount : interest a year.

    Returns
    -------
    float
        The risk adjustment by cost of capital (IFRS 17, B91; Solvency II directive, article 77).

    Examples
    --------
    >>> round(capital_margin([100.0, 60.0, 30.0, 10.0], rate=0.06, discount=0.03), 6)
    11.398935
    """
    held = frozen(capital_by_year, "capital_by_year")
    if finite(discount, "discount") <= -1:
        raise ValueError(f"`discount` must be above -1, got {discount!r}")
    paid = (1 + discount) ** -(np.arange(len(held)) + 1.0)
    return float(not_negative(rate, "rate") * (held * paid).sum())


def equivalent_level(values: Floats, margin: float) -> float:
    """Return the probability that mean plus margin suffices: the confidence level a risk adjustment amounts to.

    Examples
    --------
    >>> equivalent_level(np.arange(101.0), 25.0)
    0.7524...
    """
    dollars = _dollars(values)
    return float((dollars <= dollars.mean() + finite(margin, "margin")).mean())


def indifference_price(before: Floats, after_without_price: Floats, *, rate: float = COST_OF_CAPITAL) -> float:
    """Return the price at which mean plus cost of capital are the same under both contracts, dollars.

    Parameters
    ----------
    before : dollars by scenario under the contract left, shape (n_scenarios,).
    after_without_price : dollars under the contract entered, its price not counted, on the same scenarios.
    rate : cost of a dollar of capital over the time it is held; 0 asks for means alone.

    Returns
    -------
    float
        (mean + rate x capital) before less the same after: all prices together where several episodes are bought. A
        price moves the mean and not the capital, so that the equation is linear in it.

    Examples
    --------
    >>> indifference_price(np.array([0.0, 100.0]), np.array([10.0, 10.0]), rate=0.0)
    40.0
    """
    paired(before, after_without_price)
    cost = not_negative(rate, "rate")
    sides = [float(one.mean()) + cost * capital(one) for one in (before, after_without_price)]
    return sides[0] - sides[1]


def paired(before: Floats, after: Floats) -> None:
    """Refuse dollars that do not stand scenario by scenario beside one another.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if np.shape(before) != np.shape(after):
        raise ValueError(
            f"`before` and `after` must share scenarios; they have shapes {np.shape(before)} and {np.shape(after)}"
        )


@dataclass(frozen=True, slots=True)
class RiskTransfer:
    """Whether a price buys the transfer of risk: two tests of reinsurance, of the seller's result.

    Attributes
    ----------
    expected_deficit : mean of loss above price, over price (expected reinsurer deficit).
    chance_of_loss : probability that the seller loses.
    chance_of_ten : probability that the seller loses a tenth of the price or more.
    """

    expected_deficit: float
    chance_of_loss: float
    chance_of_ten: float

    @property
    def by_deficit(self) -> bool:
        """Whether the expected deficit is 1 % of the price or more."""
        return self.expected_deficit >= LEAST_DEFICIT

    @property
    def by_ten_ten(self) -> bool:
        """Whether a loss of 10 % or more has a probability of 10 % or more."""
        return self.chance_of_ten >= TEN

    def __str__(self) -> str:
        deficit, ten = ("passes" if one else "fails" for one in (self.by_deficit, self.by_ten_ten))
        return (
            f"expected deficit {self.expected_deficit:.2%} of the price ({deficit} at {LEAST_DEFICIT:.0%}); the seller "
            f"loses in {self.chance_of_loss:.1%} of scenarios, a tenth of the price or more in "
            f"{self.chance_of_ten:.1%} ({ten} 10-10)"
        )


def risk_transfer(losses: Floats, price: float) -> RiskTransfer:
    """Test whether a price transfers risk to the seller, as a reinsurance contract is tested (SSAP 62R, ASC 944-20).

    Parameters
    ----------
    losses : what the seller pays by scenario, present value, dollars; shape (n_scenarios,).
    price : what the seller receives, present value, dollars.

    Returns
    -------
    RiskTransfer
        Expected deficit E(loss - price)+ / price, and the chances of a loss and of a loss of a tenth. They are a test
        of the seller's health too: a price that leaves it with a large deficit makes its failure likely.

    Examples
    --------
    >>> print(risk_transfer(np.array([80.0, 90.0, 100.0, 130.0]), 100.0))
    expected deficit 7.50% of the price (passes at 1%); the seller loses in 25.0% of scenarios, a tenth of the price or
    more in 25.0% (passes 10-10)
    """
    paid, received = _dollars(losses, "losses"), positive(price, "price")
    return RiskTransfer(
        expected_deficit=float(np.maximum(paid - received, 0.0).mean() / received),
        chance_of_loss=float((paid > received).mean()),
        chance_of_ten=float((paid >= (1 + TEN) * received * (1 - 1e-12)).mean()),
    )
