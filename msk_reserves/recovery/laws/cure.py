"""Mixture cure: a share of the stays never ends, the others follow a location-scale law."""

from collections.abc import Mapping
from types import MappingProxyType

from msk_reserves.recovery.laws.families import LOGLOGISTIC, LOGNORMAL, WEIBULL, Family
from msk_reserves.recovery.observations import Observations

CURES: Mapping[str, Family] = MappingProxyType({f"cure_{one.name}": one for one in (WEIBULL, LOGNORMAL, LOGLOGISTIC)})
"""Names of the mixtures with the law of the stays that end."""

LEAST_BEYOND = 0.05
"""Share of the stays still observed after the last exit, below which a share that never ends is extrapolation."""

LONGEST_OVER_LAST = 1.5
"""How many times as long as the last exit the longest stay must have been observed."""


def is_cure(family: str) -> bool:
    """Whether a law of this name is a mixture cure."""
    return family in CURES


def beyond_last_exit(data: Observations) -> float:
    """Return the weighted share of stays observed for longer than the last exit took."""
    used = data.weights > 0
    last = float(data.days[data.exited & used].max())
    return float(data.weights[used & (data.days > last)].sum() / data.weights.sum())


def no_plateau(data: Observations) -> str:
    """Return why the stays do not show a share that never ends, or nothing where they do.

    Without a plateau, a flat end of the survival curve that is long and rests on many stays, the share is whatever the
    law of the others leaves over.

    Parameters
    ----------
    data : Observations
        The stays.

    Returns
    -------
    str
        The reason; empty where at least `LEAST_BEYOND` of the stays are observed beyond the last exit and the longest
        for more than `LONGEST_OVER_LAST` times as long.

    Examples
    --------
    >>> from msk_reserves.recovery.observations import observations
    >>> no_plateau(observations([1.0, 2.0, 2.5], [1, 1, 0]))
    'no plateau: the longest stay was observed to day 2.5, not beyond 1.5 times the last exit on day 2'
    """
    used = data.weights > 0
    last = float(data.days[data.exited & used].max())
    longest = float(data.days[used].max())
    share = beyond_last_exit(data)
    if share < LEAST_BEYOND:
        return f"no plateau: {share:.1%} of the stays were observed beyond the last exit, {LEAST_BEYOND:.0%} are needed"
    if longest <= LONGEST_OVER_LAST * last:
        return (
            f"no plateau: the longest stay was observed to day {longest:,.4g}, not beyond {LONGEST_OVER_LAST:g} times "
            f"the last exit on day {last:,.4g}"
        )
    return ""
