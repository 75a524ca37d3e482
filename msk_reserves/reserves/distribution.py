"""Unpaid cost under one contract: a number for every scenario, and what to say of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, level, one_of
from msk_reserves.claims.vocabulary import COMPONENTS

PARTS = (*COMPONENTS, "total")
QUANTILES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995)
TAIL_LEVELS = (0.9, 0.95, 0.99)
BAND_LEVELS = (0.5, 0.75, 0.9, 0.95)


def tail_mean(values: Floats, probability: float) -> float:
    """Return the mean of the worst `1 - probability` of equally likely values, the largest ones.

    The value the probability cuts counts by the part of it beyond (Acerbi and Tasche 2002, Journal of Banking and
    Finance 26, definition 2.6).

    Parameters
    ----------
    values : equally likely values, shape (n,).
    probability : level in (0, 1).

    Examples
    --------
    >>> tail_mean(np.arange(1.0, 9.0), 0.75)
    7.5
    """
    ordered = np.sort(values)[::-1]
    worst = (1 - level(probability, "probability")) * len(ordered)
    whole = int(np.floor(worst + 1e-9))
    part_of_next = (worst - whole) * ordered[whole] if worst - whole > 1e-9 else 0.0
    return float((ordered[:whole].sum() + part_of_next) / worst)


@dataclass(frozen=True, slots=True, eq=False)
class ReserveDistribution:
    """The distribution of unpaid cost on reported claims, nominal dollars, in scenario order.

    Attributes
    ----------
    contract : name of the contract.
    totals : dollars by component, each of shape (n_scenarios,); a component the data cannot show is absent.
    missing : why a component is absent.
    n_draws : independent parameter draws, each behind the same number of scenarios in a row.

    Notes
    -----
    `total` adds the components that are there; where one is missing every table says so.
    """

    contract: str
    totals: Mapping[str, Floats]
    missing: Mapping[str, str]
    n_draws: int

    def __post_init__(self) -> None:
        for values in self.totals.values():
            values.flags.writeable = False

    def scenarios(self, part: str = "total") -> Floats:
        """Return the dollars of one component or of the total, shape (n_scenarios,).

        Raises
        ------
        ValueError
            If the part is unknown, or the data cannot show it.
        """
        one_of(part, PARTS, "part")
        if part == "total":
            total: Floats = np.sum(list(self.totals.values()), axis=0)
            return total
        if part in self.missing:
            raise ValueError(f"{part} is not in this reserve: {self.missing[part]}")
        return self.totals[part]

    def parts(self) -> tuple[str, ...]:
        """Return the components this reserve has, and `total`."""
        return (*self.totals, "total")

    def mean(self, part: str = "total") -> float:
        """Return the mean, dollars: the actuarial central estimate."""
        return float(self.scenarios(part).mean())

    def standard_deviation(self, part: str = "total") -> float:
        """Return the standard deviation over scenarios, dollars."""
        return float(self.scenarios(part).std(ddof=1))

    def quantile(self, probability: float, part: str = "total") -> float:
        """Return the dollars that unpaid cost does not exceed with this probability."""
        return float(np.quantile(self.scenarios(part), level(probability, "probability")))

    def band(self, level_: float = 0.9, part: str = "total") -> tuple[float, float]:
        """Return the equal-tailed predictive band that holds unpaid cost with probability `level_`, dollars."""
        tail = (1 - level(level_, "level_")) / 2
        low, high = np.quantile(self.scenarios(part), [tail, 1 - tail])
        return float(low), float(high)

    def tail_mean(self, probability: float, part: str = "total") -> float:
        """Return the mean of the worst `1 - probability` of scenarios, dollars (tail value at risk).

        See `tail_mean`.
        """
        return tail_mean(self.scenarios(part), probability)

    def monte_carlo_error(self, part: str = "total") -> float:
        """Return the standard error of the mean, dollars, by batches of one parameter draw each.

        Scenarios of one draw share its parameters, so the error of independent scenarios would be too small.
        """
        batches = self.scenarios(part).reshape(self.n_draws, -1).mean(axis=1)
        return float(batches.std(ddof=1) / np.sqrt(self.n_draws))

    def to_frame(self) -> pd.DataFrame:
        """Return the summary as a table, one row a component, dollars."""
        rows = {}
        for part in self.parts():
            low, high = self.band(0.9, part)
            rows[part] = {
                "mean": self.mean(part),
                "sd": self.standard_deviation(part),
                "5 %": low,
                "50 %": self.quantile(0.5, part),
                "95 %": high,
                "tail mean 95 %": self.tail_mean(0.95, part),
                "simulation error": self.monte_carlo_error(part),
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="component")

    def __repr__(self) -> str:
        low, high = self.band(0.9)
        return f"{self.contract}: mean {self.mean():,.0f} dollars, 90 % predictive band {low:,.0f} to {high:,.0f}"

    def _repr_html_(self) -> str:
        html: str = self.to_frame().style.format("{:,.0f}").set_caption(self.contract).to_html()
        return html
