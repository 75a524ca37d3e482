"""How many claims have happened and are not reported yet: counts by accident period, with their uncertainty."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from msk_reserves._checks import Floats, Integers, not_negative, whole
from msk_reserves.claims.as_of import day_numbers
from msk_reserves.claims.book import ClaimBook
from msk_reserves.reserves.report_lag import LagUnknownError, ReportLag, fit_report_lag

LARGEST_VARIATION = 1.0
"""Largest coefficient of variation of the rate of claims between accident periods that is thought possible."""

_VARIATIONS: Floats = np.geomspace(0.005, LARGEST_VARIATION, 64)

_DRAWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class AccidentPeriods:
    """Periods in which claims happened; every column has shape (n_periods,).

    Attributes
    ----------
    begins, ends : first day, and first day after; days since 1970-01-01.
    exposure : what claims arise from, in any unit.
    reported : claims of the period reported by the valuation date.
    basis : where the exposure comes from, in words.
    """

    begins: Integers
    ends: Integers
    exposure: Floats
    reported: Integers
    basis: str

    def __len__(self) -> int:
        return len(self.begins)


def accident_periods(book: ClaimBook) -> AccidentPeriods:
    """Cut the time to the valuation date into periods and count the reported claims of each.

    Periods are those of the book's exposure where it has one: the days after its last period count at that period's
    rate a day, and what happened before its first is taken as reported. Without one they are calendar quarters from the
    first injury on, and each day counts alike.

    Raises
    ------
    LagUnknownError
        If the exposure has gaps, overlaps, cells without a figure, or no period that had ended.
    """
    injury, until = book.claims["injury_day"].to_numpy(dtype=np.int64), book.valuation_day + 1
    if book.exposure is None:
        begins = _quarters(int(injury.min()), until)
        ends = np.append(begins[1:], until)
        exposure, basis = (ends - begins).astype(np.float64), "every day alike, no exposure was given; by quarter"
    else:
        begins, ends, exposure, basis = _given(book.exposure, until)
    reported = np.histogram(injury, bins=np.append(begins, until))[0]
    return AccidentPeriods(begins, ends, exposure, reported.astype(np.int64), basis)


def _quarters(first: int, until: int) -> Integers:
    """Return the first injury and the first day of every later calendar quarter before a day."""
    begin, end = (np.datetime64(day, "D").astype("datetime64[M]") for day in (first, until))
    months = np.arange(begin, end + 1)
    starts = months[(months.astype(np.int64) % 3) == 0].astype("datetime64[D]").astype(np.int64)
    begins: Integers = np.append(first, starts[(starts > first) & (starts < until)])
    return begins


def _given(table: pd.DataFrame, until: int) -> tuple[Integers, Integers, Floats, str]:
    """Return begin, end and exposure of each period given, carried on to the valuation date, and the basis in words."""
    column = "payroll" if table["payroll"].notna().all() else "full_time_equivalents"
    summed = table.groupby(["period_start", "period_end"], as_index=False)[column].sum(min_count=1)
    begins = day_numbers(summed["period_start"]).astype(np.int64)
    ends = day_numbers(summed["period_end"]).astype(np.int64) + 1
    exposure = summed[column].to_numpy(dtype=np.float64)
    if not len(summed) or table[column].isna().any() or not exposure[-1] > 0:
        raise LagUnknownError("the exposure given has no period that had ended, or periods without a figure")
    if (begins[1:] != ends[:-1]).any():
        raise LagUnknownError("the periods of the exposure given overlap, or leave days between them")
    basis = f"{column.replace('_', ' ')} by period"
    if ends[-1] < until:
        basis += f", the {until - ends[-1]:,} days since the last at its rate"
        later = exposure[-1] / (ends[-1] - begins[-1]) * (until - ends[-1])
        begins, ends, exposure = np.append(begins, ends[-1]), np.append(ends, until), np.append(exposure, later)
    return begins, ends, exposure, basis


def unreported_given(
    reported: npt.ArrayLike, share: npt.ArrayLike, *, shape: float = 0.0, rate: float = 0.0, exposure: float = 1.0
) -> tuple[Floats, Floats]:
    """Return size and probability of the negative binomial law of claims not yet reported, given those that are.

    Claims of a period are Poisson with mean L e and each is reported by now with probability G; L has a gamma prior.
    Given N reported, L is gamma with shape + N and rate + e G, and the unreported are negative binomial with

    size = shape + N, p = (rate + e G) / (rate + e), mean = size (1 - p) / p, variance = mean / p.

    Parameters
    ----------
    reported : claims reported, N.
    share : share reported by now, G.
    shape, rate : of the prior; 0 for a flat one, whose mean is the chain ladder's N (1 - G) / G.
    exposure : e.

    Examples
    --------
    >>> size, p = unreported_given(40, 0.8)
    >>> round(float(size * (1 - p) / p), 9), round(float(size * (1 - p) / p**2), 9)
    (10.0, 12.5)
    """
    not_negative(shape, "shape")
    not_negative(rate, "rate")
    g = np.asarray(share, dtype=np.float64)
    size = shape + np.asarray(reported, dtype=np.float64)
    return size, (rate + exposure * g) / (rate + exposure)


@dataclass(frozen=True, slots=True, eq=False)
class UnreportedClaims:
    """Claims that have happened by the valuation date and are not reported yet.

    Attributes
    ----------
    valuation_day : days since 1970-01-01.
    lag : how long it takes until a claim is reported.
    periods : accident periods, with exposure and reported claims.
    claims : rows of the book's claims that tell how late they were reported; shape (n_known,).
    lag_days : their days from injury to report, shape (n_known,).
    """

    valuation_day: int
    lag: ReportLag
    periods: AccidentPeriods
    claims: Integers
    lag_days: Integers

    def share_reported(self, share: Floats) -> Floats:
        """Return the mean share reported by the valuation date over the days of each period.

        `share` is by days since the injury, shape (..., n_days); the result has shape (..., n_periods).
        """
        summed = np.concatenate([np.zeros_like(share[..., :1]), np.cumsum(share, axis=-1)], axis=-1)
        last = self.valuation_day - self.periods.begins + 1
        first = self.valuation_day - self.periods.ends + 1
        within, most = share.shape[-1], share[..., -1:]
        inside: Floats = summed[..., np.minimum(last, within)] - summed[..., np.minimum(first, within)]
        beyond = np.maximum(last - np.maximum(first, within), 0)
        return (inside + beyond * most) / (last - first)

    def draw_rates(self, shares: Floats, rng: np.random.Generator) -> Floats:
        """Draw claims a unit of exposure for each period, reported or not, shape (n_draws, n_periods).

        Rates of periods are gamma about a common mean. The coefficient of variation between them and the mean are drawn
        from what the counts say of them (negative binomial; flat in the logarithm), then each period's rate given its
        own count: the credibility of Buhlmann and Straub, between a common rate and the period's own.

        Parameters
        ----------
        shares : drawn shares reported by days since the injury, shape (n_draws, n_days).
        rng : source of the draws.
        """
        reported, exposure = self.periods.reported, self.periods.exposure
        weight, mean, error = self._variations()
        chosen = rng.choice(len(_VARIATIONS), size=len(shares), p=weight)
        size = 1.0 / _VARIATIONS[chosen, None] ** 2
        common = mean[chosen, None] * np.exp(error[chosen, None] * rng.standard_normal((len(shares), 1)))
        seen = exposure * self.share_reported(shares)
        rates: Floats = rng.gamma(size + reported, 1.0 / (size / common + seen))
        return rates

    def _variations(self) -> tuple[Floats, Floats, Floats]:
        """Return, for each variation between periods: its probability, the common rate, and the error of its log."""
        seen = self.periods.exposure * self.share_reported(self.lag.share_reported())
        log_likelihood = np.empty(len(_VARIATIONS))
        mean, error = np.empty_like(log_likelihood), np.empty_like(log_likelihood)
        for place, variation in enumerate(_VARIATIONS):
            mean[place], error[place] = _common_rate(self.periods.reported, seen, variation)
            log_likelihood[place] = _log_likelihood(self.periods.reported, mean[place] * seen, variation)
            # Laplace: the common rate integrated out.
            log_likelihood[place] += np.log(error[place])
        weight = np.exp(log_likelihood - log_likelihood.max())
        return weight / weight.sum(), mean, error

    def prior(self) -> tuple[float, float]:
        """Return shape and rate of the gamma law of the periods' rates, at the mean of what the counts say."""
        weight, mean, _ = self._variations()
        size = 1.0 / float(weight @ _VARIATIONS**2)
        return size, size / float(weight @ mean)

    def expected_by_lag(self, shares: Floats, rates: Floats, edges: Integers) -> tuple[Floats, Floats]:
        """Return the claims not yet reported by how late they will be, and when they happened.

        Parameters
        ----------
        shares, rates : draws of one another, shapes (n_draws, n_days) and (n_draws, n_periods).
        edges : days of the lag at which the next band begins, ascending.

        Returns
        -------
        tuple of numpy.ndarray
            Expected claims, shape (n_draws, n_bands), and the mean day of their injuries over the draws, (n_bands,).
        """
        whole(len(shares), "n_draws", at_least=1)
        count, when = np.zeros((len(shares), len(edges) + 1)), np.zeros(len(edges) + 1)
        days = np.arange(min(shares.shape[1], self.valuation_day - int(self.periods.begins[0]) + 1))
        period = np.searchsorted(self.periods.begins, self.valuation_day - days, side="right") - 1
        a_day = rates * self.periods.exposure / (self.periods.ends - self.periods.begins)
        for first in range(0, len(shares), _DRAWS_AT_ONCE):
            rows = slice(first, first + _DRAWS_AT_ONCE)
            share = shares[rows]
            # Reported within the first days of a band, one column an edge.
            known = np.concatenate(
                [
                    np.zeros_like(share[:, :1]),
                    share[:, np.minimum(edges - 1, share.shape[1] - 1)],
                    np.ones_like(share[:, :1]),
                ],
                axis=1,
            )
            daily = a_day[rows][:, period]
            for band in range(len(edges) + 1):
                low, high = known[:, [band]], known[:, [band + 1]]
                late = daily * (high - np.clip(share[:, days], low, high))
                count[rows, band] = late.sum(axis=1)
                when[band] += float((late @ (self.valuation_day - days)).sum())
        total = count.sum(axis=0)
        return count, np.where(total > 0, when / np.maximum(total, 1e-300), float(self.valuation_day))

    def to_frame(self) -> pd.DataFrame:
        """Return one row an accident period: exposure, share and claims reported, and mean and error of those not.

        They hold at the estimated report lag and rates; what is not known of these widens the draws alone.
        """
        share = self.share_reported(self.lag.share_reported())
        shape, rate = self.prior()
        expected = np.empty((2, len(self.periods)))
        for place, (n, g, e) in enumerate(zip(self.periods.reported, share, self.periods.exposure, strict=True)):
            size, p = unreported_given(n, g, shape=shape, rate=rate, exposure=float(e))
            expected[:, place] = size * (1.0 - p) / p, np.sqrt(size * (1.0 - p)) / p
        columns = {
            "begins": self.periods.begins.astype("datetime64[D]").astype("datetime64[us]"),
            "exposure": self.periods.exposure,
            "share reported": share,
            "reported": self.periods.reported,
            "not reported, mean": expected[0],
            "not reported, sd": expected[1],
        }
        return pd.DataFrame(columns)

    def __repr__(self) -> str:
        table = self.to_frame()
        count = table["not reported, mean"].sum()
        return f"{count:,.1f} claims expected to be reported still, beside {table['reported'].sum():,} that are"

    def __str__(self) -> str:
        return (
            f"{self!r}\n{self.lag!r}\nexposure: {self.periods.basis}\n{self.to_frame().round(3).to_string(index=False)}"
        )


def _common_rate(reported: Integers, seen: Floats, variation: float) -> tuple[float, float]:
    """Return the rate that fits the counts of all periods best given the variation, and the error of its logarithm."""
    rate = max(float(reported.sum()), 0.5) / float(seen.sum())
    for _ in range(30):
        mean = rate * seen
        weight = 1.0 / (1.0 + variation**2 * mean)
        update = rate * np.exp(float((weight * (reported - mean)).sum() / (weight * mean).sum()))
        done, rate = abs(update - rate) < 1e-12 * rate, float(np.clip(update, 0.2 * rate, 5.0 * rate))
        if done:
            break
    mean = rate * seen
    return rate, float(1.0 / np.sqrt((mean / (1.0 + variation**2 * mean)).sum()))


def _log_likelihood(reported: Integers, mean: Floats, variation: float) -> float:
    """Return the negative binomial log-likelihood of the counts, less what does not depend on mean or variation."""
    size = variation**-2.0
    value = special.gammaln(size + reported) - special.gammaln(size) - reported * np.log(size)
    value += reported * np.log(mean) - (size + reported) * np.log1p(mean / size)
    return float(value.sum())


def claims_not_yet_reported(book: ClaimBook) -> UnreportedClaims:
    """Estimate how many claims have happened by the valuation date and are not reported yet.

    Parameters
    ----------
    book : ClaimBook
        The claims reported by its date.

    Returns
    -------
    UnreportedClaims
        The report lag, the accident periods, and what follows from both.

    Raises
    ------
    LagUnknownError
        If the book cannot tell: it carries no dates or no report dates, holds only claims open at a take-over, goes
        back too short a time, or its exposure has gaps.

    Examples
    --------
    >>> import msk_reserves as msk
    >>> claims_not_yet_reported(msk.load_sample("shoulder").as_of("2024-12-31")).lag.n_claims > 1000
    True
    """
    if book.valuation_date is None:
        raise LagUnknownError("the claims carry no dates")
    if any(one.name == "entry_rule" and one.value == "takeover" for one in book.assumptions):
        raise LagUnknownError("the file holds the claims open at a take-over, not all that were reported")
    known = book.claims["report_date"].notna().to_numpy() if "report_date" in book.claims else np.zeros(len(book), bool)
    if not known.any():
        raise LagUnknownError("the claims carry no report dates")
    rows = np.flatnonzero(known)
    injury, report = (book.claims[name].to_numpy(dtype=np.int64)[rows] for name in ("injury_day", "report_day"))
    lag = fit_report_lag(report - injury, book.valuation_day - injury)
    return UnreportedClaims(book.valuation_day, lag, accident_periods(book), rows, report - injury)
