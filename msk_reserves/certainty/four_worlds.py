"""Four worlds of care and contract, with default: what each cause does to mean, variance and tail, and what is left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, one_of
from msk_reserves.certainty.gain import ComponentGain, compare
from msk_reserves.certainty.measures import capital
from msk_reserves.certainty.redraws import enough, joint_interval, redrawn, signed
from msk_reserves.certainty.splits import WorldSplit, euler_shares, split_worlds, tail_shares
from msk_reserves.contracts.agreements.bearer import Credit
from msk_reserves.episodes.response import CareResponse
from msk_reserves.reserves.distribution import ReserveDistribution

NEITHER, TRANSFER, BEHAVIOUR, BOTH, DEFAULT = WORLDS = ("neither", "transfer", "behaviour", "both", "default")
"""Fee for service in care and contract; the bundle's contract; its care; both; both, and its seller may fail."""


def _mean(values: Floats) -> float:
    return float(values.mean())


def _variance(values: Floats) -> float:
    return float(values.var(ddof=1))


MEASURES: Mapping[str, Callable[[Floats], float]] = {"mean": _mean, "variance": _variance, "tail": capital}
"""What is split: the mean, the variance, and the tail mean beyond 99 % less the mean."""


@dataclass(frozen=True, slots=True, eq=False)
class FourWorlds:
    """The same claims on the same random numbers in four worlds of care and contract, and with the seller's default.

    Attributes
    ----------
    before, after : names of the contracts.
    reserves : the reserve in each world; `neither`, `transfer`, `behaviour`, `both` and `default`.
    causes : dollars by cause in the last world, which add up to its total; each of shape (n_scenarios,).
    response : how care differs.
    credit : how likely the seller is to fail, None for one that does not.
    n_claims, taken_over : claims in the book, and those the second contract takes over.
    """

    before: str
    after: str
    reserves: Mapping[str, ReserveDistribution]
    causes: Mapping[str, Floats]
    response: CareResponse
    credit: Credit | None
    n_claims: int
    taken_over: int

    def split(self, measure: str = "variance", part: str = "total") -> WorldSplit:
        """Return what a measure falls by, by cause: transfer and behaviour by Shapley, and the seller's default.

        Parameters
        ----------
        measure : "mean", "variance" or "tail" (tail mean beyond 99 % less mean).
        part : component, or `total`.
        """
        of = MEASURES[one_of(measure, MEASURES, "measure")]
        return split_worlds(*(of(self.reserves[name].scenarios(part)) for name in WORLDS))

    def gain(self, part: str = "total", *, world: str = DEFAULT) -> ComponentGain:
        """Return what narrows from fee-for-service care and contract to another world, and its price."""
        return compare(self.reserves[NEITHER], self.reserves[one_of(world, WORLDS, "world")], part)

    def to_frame(self, part: str = "total", *, level: float = 0.9) -> pd.DataFrame:
        """Return what each measure falls by, by cause, with its interval over parameter draws.

        Parameters
        ----------
        part : component, or `total`.
        level : of the intervals, which are NaN where a draw has fewer than 200 scenarios.

        Returns
        -------
        pandas.DataFrame
            One row a measure and cause: fall, low, high, and the fall as a share of the measure under fee for service.
            The fall is that of the whole forecast; its interval is where the fall lies once parameters are known, so
            that of variance and tail it leaves out what not knowing them adds.
        """
        reserves = [self.reserves[name] for name in WORLDS]
        dollars = [one.scenarios(part) for one in reserves]
        told = enough(len(dollars[0]), reserves[0].n_draws)
        rows = []
        for measure, of in MEASURES.items():
            falls = _falls(of, *dollars)
            edges = [(np.nan, np.nan)] * len(falls)
            if told:

                def statistic(*worlds: Floats, of: Callable[[Floats], float] = of) -> Floats:
                    return _falls(of, *worlds)

                drawn = redrawn(statistic, dollars, reserves[0].n_draws, jointly=False)
                edges = [joint_interval(column[:, None], level)[0] for column in drawn.T]
            whole = of(dollars[0])
            for cause, fall, (low, high) in zip((*WORLDS[1:3], DEFAULT, "together"), falls, edges, strict=True):
                rows.append((measure, cause, fall, low, high, fall / whole if whole else np.nan))
        columns = ["measure", "cause", "fall", "low", "high", "share"]
        return pd.DataFrame(rows, columns=columns).set_index(["measure", "cause"])

    def remaining(self) -> pd.DataFrame:
        """Return what is left in the last world by cause: mean, and Euler shares of its variance and of its tail."""
        table = {
            "mean": {name: float(one.mean()) for name, one in self.causes.items()},
            "share of variance": euler_shares(self.causes),
            "share of tail": tail_shares(self.causes),
        }
        return pd.DataFrame(table).rename_axis(index="cause").sort_values("share of variance", ascending=False)

    def __str__(self) -> str:
        table = self.to_frame()
        taken = f"{self.taken_over:,} of {self.n_claims:,} claims taken over"
        lines = [
            f"{self.after} against {self.before}: {taken}, the same random numbers in every world",
            f"  care: {self.response.describe()}",
            f"  seller: {'never fails in these figures' if self.credit is None else self.credit.describe()}",
        ]
        names = {"mean": "the mean", "variance": "the variance", "tail": "the tail (99 % mean less mean)"}
        for measure, name in names.items():
            causes = (TRANSFER, BEHAVIOUR, DEFAULT, "together")
            told = ", ".join(_told(measure, cause, table.loc[(measure, cause)]) for cause in causes)
            lines.append(f"  {name} falls by {told}")
        left = self.remaining()["share of variance"].head(3)
        lines.append("  left of the variance: " + ", ".join(f"{name} {share:.0%}" for name, share in left.items()))
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)


def _falls(of: Callable[[Floats], float], *worlds: Floats) -> Floats:
    """Return what a measure falls by through transfer, behaviour and default, and together."""
    found = split_worlds(*(of(one) for one in worlds))
    return np.array([found.transfer, found.behaviour, found.default, found.whole])


def _told(measure: str, cause: str, row: "pd.Series[float]") -> str:
    """Return a fall as words: dollars, of a variance its share."""
    fall = f"{row['share']:+.1%}" if measure == "variance" else signed(float(row["fall"]))
    return f"{fall} {'together' if cause == 'together' else f'by {cause}'}"
