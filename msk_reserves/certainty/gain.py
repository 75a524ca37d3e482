"""What narrows from one contract to another on the same futures, and what that costs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats
from msk_reserves.certainty.measures import CAPITAL_LEVEL, band_width, capital, paired
from msk_reserves.certainty.redraws import (
    NO_CERTAINTY,
    NOTHING,
    PRICED,
    PairInterval,
    enough,
    pair_interval,
    redrawn,
    signed,
    verdict,
)
from msk_reserves.reserves.distribution import BAND_LEVELS, ReserveDistribution
from msk_reserves.reserves.forecast import Forecast

TOLD_APART = 2.0
"""Simulation errors that a change must be from zero to be told from it."""

ROUNDING = 1e-12
"""Share of the mean below which a tail removed is rounding."""


@dataclass(frozen=True, slots=True)
class ComponentGain:
    """The change from one reserve to another in one component; dollars unless said otherwise.

    Attributes
    ----------
    mean_before, mean_after : means under the two contracts.
    mean_change : after less before; positive where the second contract is dearer.
    mean_change_error : simulation error of that change, scenario by scenario on the same futures.
    band_narrowing : width before less width after, by level of the band.
    band_ratio : width after over width before, by level; NaN where the band before has no width.
    tail_removed : tail mean less mean at 99 %, before less after.
    tail_removed_error : simulation error of the tail removed.
    price_of_certainty : dollars of mean paid for a dollar of tail removed, or None.
    reason : what the price means, or why there is none.
    interval : mean change and tail removed under each parameter draw, None where a draw has too few scenarios.
    """

    mean_before: float
    mean_after: float
    mean_change: float
    mean_change_error: float
    band_narrowing: Mapping[float, float]
    band_ratio: Mapping[float, float]
    tail_removed: float
    tail_removed_error: float
    price_of_certainty: float | None
    reason: str
    interval: PairInterval | None


@dataclass(frozen=True, slots=True)
class CertaintyGain:
    """What the second contract makes more certain than the first, by component, and its price.

    Attributes
    ----------
    before, after : names of the contracts.
    components : the change in each component and in the total.
    n_claims : claims in the book; dollars depend on it, ratios hardly do.
    """

    before: str
    after: str
    components: Mapping[str, ComponentGain]
    n_claims: int

    @property
    def name(self) -> str:
        """Key of the comparison."""
        return f"{self.after} against {self.before}"

    def to_frame(self) -> pd.DataFrame:
        """Return the comparison as a table, one row a component, dollars and ratios."""
        rows = {
            part: {
                "mean before": gain.mean_before,
                "mean change": gain.mean_change,
                "90 % band narrower by": gain.band_narrowing[0.9],
                "90 % band ratio": gain.band_ratio[0.9],
                "tail removed (99 %)": gain.tail_removed,
                "price per dollar of tail": np.nan if gain.price_of_certainty is None else gain.price_of_certainty,
            }
            for part, gain in self.components.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis(index="component")

    def __str__(self) -> str:
        lines = [f"{self.name}, {self.n_claims:,} claims, the same futures:"]
        for part, gain in self.components.items():
            verb = "narrows" if gain.band_narrowing[0.9] >= 0 else "widens"
            lines.append(
                f"  {part}: 90 % band {verb} by ${abs(gain.band_narrowing[0.9]):,.0f} "
                f"(to {gain.band_ratio[0.9]:.1%} of its width); the mean changes by {signed(gain.mean_change)} "
                f"(simulation error ${gain.mean_change_error:,.0f}); {gain.reason}"
            )
            if gain.interval is not None:
                lines.append(f"    {gain.interval}")
        lines.append(
            "  What narrows here is moved to the bundle's seller, whose failure is not in these figures; "
            "care is assumed unchanged by the contract."
        )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        html: str = self.to_frame().style.format("{:,.2f}", na_rep="none").set_caption(self.name).to_html()
        return html


def certainty_gain(forecast: Forecast, before: str, after: str) -> CertaintyGain:
    """Compare the reserves of two contracts valued on the same futures.

    Parameters
    ----------
    forecast : the forecast that holds both.
    before, after : names of the contracts.

    Returns
    -------
    CertaintyGain
        The change of mean and bands in dollars and as a ratio, and the price of certainty, by component. Where the
        forecast has 200 scenarios or more behind each of 20 parameter draws or more, also the joint interval of mean
        change and tail removed over the draws, and the probability of each verdict.

    Raises
    ------
    ValueError
        If a contract is not in the forecast.
    """
    for argument, name in (("before", before), ("after", after)):
        if name not in forecast.reserves:
            raise ValueError(f"`{argument}` must be one of {', '.join(forecast.reserves)}; got {name!r}")
    first, second = forecast.reserves[before], forecast.reserves[after]
    components = {part: compare(first, second, part) for part in first.parts()}
    return CertaintyGain(before, after, components, len(forecast.book))


def compare(before: ReserveDistribution, after: ReserveDistribution, part: str) -> ComponentGain:
    """Compare two reserves on the same scenarios in one component.

    Parameters
    ----------
    before, after : reserves of one forecast.
    part : component, or `total`.

    Raises
    ------
    ValueError
        If the reserves do not share scenarios.
    """
    x, y = before.scenarios(part), after.scenarios(part)
    paired(x, y)
    if before.n_draws != after.n_draws:
        raise ValueError(
            f"`before` and `after` must share parameter draws; they have {before.n_draws:,} and {after.n_draws:,}"
        )
    narrowing, ratio = {}, {}
    for band_level in BAND_LEVELS:
        width_before, width_after = band_width(x, band_level), band_width(y, band_level)
        narrowing[band_level] = width_before - width_after
        ratio[band_level] = width_after / width_before if width_before > 0 else float("nan")
    change, removed = _pair(x, y).tolist()
    errors = (_batch_error(y - x, before.n_draws), _batch_error(_above(x) - _above(y), before.n_draws))
    price, reason = price_of_certainty(change, removed, errors[0], errors[1])
    interval = pair_interval(redrawn(_pair, (x, y), before.n_draws)) if enough(len(x), before.n_draws) else None
    return ComponentGain(
        mean_before=float(x.mean()),
        mean_after=float(y.mean()),
        mean_change=change,
        mean_change_error=errors[0],
        band_narrowing=narrowing,
        band_ratio=ratio,
        tail_removed=removed,
        tail_removed_error=errors[1],
        price_of_certainty=price,
        reason=reason,
        interval=interval,
    )


def _pair(before: Floats, after: Floats) -> Floats:
    """Return the change of the mean and the tail removed, zero where rounding is all that is left of it."""
    removed = capital(before) - capital(after)
    smallest = ROUNDING * float(np.abs(before).mean() + np.abs(after).mean())
    return np.array([float((after - before).mean()), removed if abs(removed) > smallest else 0.0])


def _above(values: Floats) -> Floats:
    """Return what each scenario adds to the tail mean less the mean: q + (Y - q)+ / (1 - p) - Y."""
    edge = np.quantile(values, CAPITAL_LEVEL)
    return np.asarray(edge + np.maximum(values - edge, 0.0) / (1 - CAPITAL_LEVEL) - values)


def price_of_certainty(
    mean_change: float, tail_removed: float, mean_error: float, tail_error: float = 0.0
) -> tuple[float | None, str]:
    """Return dollars of mean paid for a dollar of tail removed, and what that means.

    Parameters
    ----------
    mean_change : mean after less mean before, dollars.
    tail_removed : capital before less capital after, dollars.
    mean_error, tail_error : simulation errors of the two, dollars.

    Returns
    -------
    tuple
        The price, None unless tail is removed at a cost and the simulation shows it; and a sentence.

    Notes
    -----
    A ratio alone misleads: dearer and riskier would give a positive one too. So the price exists only where tail is
    removed and the mean rises.

    Examples
    --------
    >>> price_of_certainty(10.0, 40.0, 0.1)
    (0.25, 'each dollar of tail removed costs $0.25 of mean')
    >>> price_of_certainty(-10.0, 40.0, 0.1)[1]
    'dominates: cheaper on average and less tail'
    >>> price_of_certainty(10.0, -5.0, 0.1)[1]
    'buys no certainty: tail grows by $5'
    """
    found = verdict(mean_change, tail_removed)
    if found == NOTHING:
        return None, NOTHING
    if abs(tail_removed) < TOLD_APART * tail_error:
        return None, f"buys no certainty that {signed(tail_removed)} of tail with an error of ${tail_error:,.0f} shows"
    if found == NO_CERTAINTY:
        return None, f"{NO_CERTAINTY}: " + (f"tail grows by ${-tail_removed:,.0f}" if tail_removed else "no tail goes")
    if found == PRICED:
        price = mean_change / tail_removed
        return price, f"each dollar of tail removed costs ${price:,.2f} of mean"
    if mean_change > -TOLD_APART * mean_error:
        return None, "less tail at a mean no different within simulation error"
    return None, "dominates: cheaper on average and less tail"


def _batch_error(values: Floats, n_draws: int) -> float:
    """Return the standard error of a mean by batches of one parameter draw."""
    return float(values.reshape(n_draws, -1).mean(axis=1).std(ddof=1) / np.sqrt(n_draws))
