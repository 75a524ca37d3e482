"""What a difference in two shares by a day would mean for hazards, days and dollars, under one family or another."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import integrate, stats

from msk_reserves._checks import level, one_of, positive, share, whole

SHAPES: Mapping[str, Sequence[float]] = {
    "weibull": (0.7, 1.0, 1.3, 1.5, 2.0),
    "loglogistic": (1.5, 2.0, 2.5, 3.0),
    "lognormal": (0.6, 0.8, 1.0, 1.26),
}
"""Shapes of each family at which a difference is shown: k of the Weibull, beta of the log-logistic, sigma."""


def hazard_ratio(usual: float, programme: float) -> float:
    """Return the hazard ratio that takes one share gone by a day to another, ln(1 - p1) / ln(1 - p0).

    Parameters
    ----------
    usual, programme : shares gone by the same day of the same clock, in (0, 1).

    Notes
    -----
    Holds under proportional hazards whatever the baseline.

    Examples
    --------
    >>> round(hazard_ratio(0.585, 0.90), 2)
    2.62
    """
    return float(np.log1p(-level(programme, "programme")) / np.log1p(-level(usual, "usual")))


def share_gone(usual: float, ratio: float) -> float:
    """Return the share gone by a day under a hazard ratio, 1 - (1 - p0)^HR.

    Examples
    --------
    >>> round(share_gone(0.585, 2.618), 3)
    0.9
    """
    return float(1 - (1 - level(usual, "usual")) ** positive(ratio, "ratio"))


def time_ratio(usual: float, programme: float, family: str, shape: float) -> float:
    """Return the factor on days that takes one share gone by a day to another.

    Parameters
    ----------
    usual, programme : shares gone by the same day, in (0, 1).
    family : "weibull", "loglogistic" or "lognormal".
    shape : k, beta or sigma.

    Returns
    -------
    float
        Below 1 where days are shorter: HR^(-1/k); OR^(-1/beta), OR the ratio of the odds of being gone; or
        exp(-sigma dz), dz the difference of normal scores.

    Examples
    --------
    >>> round(1 / time_ratio(0.585, 0.90, "lognormal", 0.8), 2)
    2.35
    """
    one_of(family, SHAPES, "family")
    form, p0, p1 = positive(shape, "shape"), level(usual, "usual"), level(programme, "programme")
    if family == "weibull":
        return float(hazard_ratio(p0, p1) ** (-1 / form))
    if family == "loglogistic":
        return float((p1 / (1 - p1) / (p0 / (1 - p0))) ** (-1 / form))
    return float(np.exp(-form * (stats.norm.ppf(p1) - stats.norm.ppf(p0))))


def restricted_days(gone: float, by: float, family: str, shape: float, horizon: float = 730.0) -> float:
    """Return the mean days up to a horizon of the law of a family that has a share gone by a day.

    Parameters
    ----------
    gone : share gone, in (0, 1).
    by : the day.
    family : "weibull", "loglogistic" or "lognormal".
    shape : k, beta or sigma.
    horizon : days beyond it are not counted.

    Examples
    --------
    >>> [round(restricted_days(share, 182.5, "weibull", 1.0)) for share in (0.585, 0.90)]
    [201, 79]
    """
    one_of(family, SHAPES, "family")
    form, day = positive(shape, "shape"), positive(by, "by")
    p, end = level(gone, "gone"), positive(horizon, "horizon")
    if family == "weibull":
        law = stats.weibull_min(form, scale=day / (-np.log1p(-p)) ** (1 / form))
    elif family == "loglogistic":
        law = stats.fisk(form, scale=day / (p / (1 - p)) ** (1 / form))
    else:
        law = stats.lognorm(form, scale=day / np.exp(form * stats.norm.ppf(p)))
    return float(integrate.quad(law.sf, 0.0, end, limit=200)[0])


def implied_effects(usual: float, programme: float, by: float = 182.5, horizon: float = 730.0) -> pd.DataFrame:
    """Return what two shares gone by a day amount to under several families and shapes.

    Parameters
    ----------
    usual, programme : shares gone by the day, in (0, 1).
    by : the day.
    horizon : days beyond it are not counted.

    Returns
    -------
    pandas.DataFrame
        A row a family and shape: hazard ratio (one number under proportional hazards, of the Weibull only), time
        ratio, mean days up to the horizon before and after, and days saved. That the rows differ is the finding: a
        share by one day does not tell the days.

    Examples
    --------
    >>> found = implied_effects(0.585, 0.90)
    >>> found["days saved"].round().agg(["min", "max"]).tolist()
    [66.0, 157.0]
    """
    rows = []
    for family, shapes in SHAPES.items():
        for form in shapes:
            before, after = (restricted_days(p, by, family, form, horizon) for p in (usual, programme))
            ratio = hazard_ratio(usual, programme) if family == "weibull" else np.nan
            factor = time_ratio(usual, programme, family, form)
            rows.append((family, form, ratio, factor, before, after, before - after))
    columns = ["family", "shape", "hazard ratio", "time ratio", "days before", "days after", "days saved"]
    return pd.DataFrame(rows, columns=columns).set_index(["family", "shape"])


def exact_interval(probability: float, n: int, level_: float = 0.95) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a share seen among n, the count rounded to whole claims.

    Parameters
    ----------
    probability : share seen, in [0, 1].
    n : number of claims.
    level_ : of the interval.

    Examples
    --------
    >>> [round(edge, 3) for edge in exact_interval(0.9, 100)]
    [0.824, 0.951]
    """
    tail, size = (1 - level(level_, "level_")) / 2, whole(n, "n", at_least=1)
    seen = round(probability * size)
    low = stats.beta.ppf(tail, seen, size - seen + 1) if seen else 0.0
    high = stats.beta.ppf(1 - tail, seen + 1, size - seen) if seen < size else 1.0
    return float(low), float(high)


def odds_ratio(usual: float, programme: float) -> float:
    """Return the odds ratio of two probabilities.

    Examples
    --------
    >>> round(odds_ratio(0.35, 0.06), 3)
    0.119
    """
    p0, p1 = level(usual, "usual"), level(programme, "programme")
    return p1 / (1 - p1) / (p0 / (1 - p0))


def e_value(risk_ratio: float) -> float:
    """Return how strong an unmeasured cause of both choice and outcome would have to be to explain a risk ratio away.

    Parameters
    ----------
    risk_ratio : of the outcome; one below 1 is taken the other way round.

    Notes
    -----
    RR + sqrt(RR (RR - 1)), VanderWeele and Ding, Annals of Internal Medicine 167 (2017) 268.

    Examples
    --------
    >>> round(e_value(0.10 / 0.42), 2)
    7.87
    """
    ratio = positive(risk_ratio, "risk_ratio")
    above = max(ratio, 1 / ratio)
    return float(above + np.sqrt(above * (above - 1)))


def explained_by_engagement(
    usual: float, programme: float, engaged_usual: float, engaged_programme: float
) -> tuple[float, float]:
    """Return the shares back of the engaged and of the others that would explain two shares by engagement alone.

    Parameters
    ----------
    usual, programme : shares back at work.
    engaged_usual, engaged_programme : shares engaged in their care.

    Returns
    -------
    tuple
        Of the engaged and of the others; an upper bound of what engagement does, since all of the difference is put
        down to it.

    Examples
    --------
    >>> [round(one, 2) for one in explained_by_engagement(0.585, 0.90, 0.215, 0.946)]
    [0.92, 0.49]
    """
    low, high = level(engaged_usual, "engaged_usual"), level(engaged_programme, "engaged_programme")
    if high <= low:
        raise ValueError(f"`engaged_programme` must be above `engaged_usual` of {low}, got {high}")
    gain = (level(programme, "programme") - level(usual, "usual")) / (high - low)
    others = usual - gain * low
    return others + gain, others


def passing_share(mean_change: float, sd: float, threshold: float) -> float:
    """Return the share of patients whose score improves by a threshold or more, changes being normal.

    Parameters
    ----------
    mean_change : mean improvement, points.
    sd : standard deviation of improvements, points.
    threshold : points that count as improved.

    Examples
    --------
    >>> [round(passing_share(mean, 20.0, 10.8), 2) for mean in (10.5, 21.0)]
    [0.49, 0.69]
    """
    return float(stats.norm.sf((threshold - mean_change) / positive(sd, "sd")))


def saving_of_closing(ratio: float, closed: float) -> float:
    """Return the share of cost saved when part of the gap to a cheaper payer closes, c (1 - 1 / ratio).

    Examples
    --------
    >>> [round(saving_of_closing(1.67, part), 3) for part in (1.0, 0.25, 0.5)]
    [0.401, 0.1, 0.201]
    """
    return share(closed, "closed") * (1 - 1 / positive(ratio, "ratio"))
