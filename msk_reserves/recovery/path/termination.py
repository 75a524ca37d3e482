"""Termination rates: exposure, exits and rates by duration and stratum, raw and smoothed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from msk_reserves._checks import Booleans, Floats, Integers, frozen, level as checked_level, one_of
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.states import STANDARD_STATES
from msk_reserves.claims.vocabulary import STATE_CODE, STATES, STILL_IN_STATE
from msk_reserves.recovery.curves.graduation import graduated_rates
from msk_reserves.recovery.laws.frailty import fit_variance, frailty_mean
from msk_reserves.recovery.laws.piecewise import CUT_WEEKS, exposure
from msk_reserves.recovery.observations import Observations, observations
from msk_reserves.recovery.path.transitions import observed_exits, stays_at_risk, stays_of

PERIODS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
"""Length in days of what a rate may be given for."""

_ROUNDS = 500


@dataclass(frozen=True, slots=True, eq=False)
class TerminationRates:
    """Rates at which stays end, by stratum and duration band.

    Attributes
    ----------
    title : what ends, in words.
    by : columns that make the strata.
    strata : values of those columns, one tuple a stratum.
    cuts : ends of the bands in days, the last band being open; shape (n_bands - 1,).
    exits, exposure : weighted exits and days at risk; shape (n_strata, n_bands). An exit known only to a window counts
        in each band with its probability at the rates of the table.
    smoothed : smoothed rate per day, same shape.
    credibility : weight of the cell's own experience in it, 0 to 1; same shape.
    period : what rates are printed for: "day", "week", "month" or "year".
    level : level of the confidence intervals of the raw rates.
    """

    title: str
    by: tuple[str, ...]
    strata: tuple[tuple[str, ...], ...]
    cuts: Floats
    exits: Floats
    exposure: Floats
    smoothed: Floats
    credibility: Floats
    period: str
    level: float

    def __post_init__(self) -> None:
        for array in (self.cuts, self.exits, self.exposure, self.smoothed, self.credibility):
            array.flags.writeable = False

    @property
    def rates(self) -> Floats:
        """Raw rates per day, exits over exposure (NaN without exposure); shape (n_strata, n_bands)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.where(self.exposure > 0, self.exits / self.exposure, np.nan))

    def interval(self) -> tuple[Floats, Floats]:
        """Return the exact confidence limits of the raw rates per day, each of shape (n_strata, n_bands).

        Chi-square quantiles of the Poisson count over the exposure (Garwood 1936, Biometrika 28, 437); with weights
        the weighted count stands for the count.
        """
        tail = 0.5 * (1.0 - self.level)
        with np.errstate(invalid="ignore", divide="ignore"):
            low = np.where(self.exits > 0, stats.gamma.ppf(tail, np.maximum(self.exits, 1e-12)), 0.0) / self.exposure
            high = stats.gamma.isf(tail, self.exits + 1.0) / self.exposure
        seen = self.exposure > 0
        return np.where(seen, low, 0.0), np.where(seen, high, np.inf)

    def loglik(self) -> float:
        """Return the log-likelihood of the raw rates for exits known to the day, days as the unit."""
        rates, seen = self.rates, self.exits > 0
        return float((self.exits[seen] * np.log(rates[seen])).sum() - self.exits.sum())

    def to_frame(self) -> pd.DataFrame:
        """Return a row a stratum and band.

        Columns: those of `by`; from_day and to_day; exits; exposure_days, exposure_years (of 365.25 days); rate, low
        and high (raw rate per period with its confidence interval); smoothed; credibility.
        """
        n_strata, n_bands = self.exits.shape
        labels = {
            name: np.repeat(np.array([one[place] for one in self.strata], dtype=object), n_bands)
            for place, name in enumerate(self.by)
        }
        days = PERIODS[self.period]
        low, high = self.interval()
        return pd.DataFrame(
            {
                **labels,
                "from_day": np.tile(np.concatenate([[0.0], self.cuts]), n_strata),
                "to_day": np.tile(np.concatenate([self.cuts, [np.inf]]), n_strata),
                "exits": self.exits.ravel(),
                "exposure_days": self.exposure.ravel(),
                "exposure_years": self.exposure.ravel() / PERIODS["year"],
                "rate": days * self.rates.ravel(),
                "low": days * low.ravel(),
                "high": days * high.ravel(),
                "smoothed": days * self.smoothed.ravel(),
                "credibility": self.credibility.ravel(),
            }
        )

    def _sentences(self) -> str:
        """What the table holds."""
        years = self.exposure.sum() / PERIODS["year"]
        return (
            f"{self.title}: {self.exits.sum():,.6g} exits in {years:,.1f} years at risk. "
            f"Rates per {self.period}, {self.level:.0%} confidence intervals of the raw rates."
        )

    def __repr__(self) -> str:
        table = self.to_frame().to_string(index=False, float_format=lambda x: f"{x:,.4g}")
        return f"{self._sentences()}\n{table}"

    def _repr_html_(self) -> str:
        table = self.to_frame().to_html(index=False, float_format=lambda x: f"{x:,.4g}")
        return f"<p>{self._sentences()}</p>{table}"


def termination_rates(
    stays: ClaimBook | pd.DataFrame,
    state: str | None = None,
    *,
    to: str | Sequence[str] | None = None,
    by: str | Sequence[str] = (),
    cuts: npt.ArrayLike | None = None,
    period: str = "week",
    level: float = 0.95,
) -> TerminationRates:
    """Tabulate the rates at which stays end, by duration and stratum.

    Parameters
    ----------
    stays : ClaimBook or pandas.DataFrame
        A book, or a table with a row a stay: `days` and `exited` (0 or 1), and where known `entry` (left truncation),
        `interval` (width of the window before `days` that holds the exit), `weight`, as in `observations`.
    state : str, optional
        State whose stays are tabulated, "off_work" by default, those in its twin with them; only for a book.
    to : str or sequence of str, optional
        Exits counted, by the state moved to (all by default); other exits end the exposure. Only for a book.
    by : str or sequence of str
        Columns of the claims (of the table) that make the strata; a missing value is the stratum "missing".
    cuts : array_like, optional
        Ends of the bands in days, the last band being open; default 1, 2, 4, 8, 13, 26, 52, 78, 104, 156, 260 weeks.
    period : {"day", "week", "month", "year"}
        What rates are printed for.
    level : float
        Level of the confidence intervals.

    Returns
    -------
    TerminationRates

    Raises
    ------
    ValueError
        If nobody exited, cuts do not rise from above zero, or a state, column or period is unknown.

    Notes
    -----
    With exits known to the day the raw rates are the exponentials of the coefficients of a Poisson regression of exits
    on band and stratum with the log of exposure as offset (Holford 1980, Biometrics 36, 299; Laird and Olivier 1981).
    With windows they maximise the likelihood of the windows (expected exits and exposure, repeated to convergence).
    Smoothed rates: of all strata together by `graduated_rates`; times a factor a stratum by gamma credibility; and
    each cell drawn from there toward its own exits by gamma credibility, both variances estimated from the table.

    Examples
    --------
    >>> table = pd.DataFrame({"days": [3.0, 5.0, 9.0, 14.0], "exited": [1, 1, 1, 0]})
    >>> found = termination_rates(table, cuts=[7.0], period="day")
    >>> found.exits.tolist(), found.exposure.tolist()
    ([[2.0, 1.0]], [[22.0, 9.0]])
    """
    one_of(period, PERIODS, "period")
    checked_level(level)
    ends = _checked_cuts(cuts)
    columns = (by,) if isinstance(by, str) else tuple(by)
    if isinstance(stays, ClaimBook):
        data, labels, title = _from_book(stays, "off_work" if state is None else state, to, columns)
    else:
        if state is not None or to is not None:
            raise ValueError(f"`state` and `to` go with a book; a table holds the exits counted, got {state!r}, {to!r}")
        data, labels, title = _from_table(stays, columns)
    codes, strata = _strata(labels, len(data))
    exits, days = _counted(data, codes, ends, len(strata))
    smoothed, credibility = _smoothed(exits, days)
    return TerminationRates(title, columns, strata, ends, exits, days, smoothed, credibility, period, float(level))


def _checked_cuts(cuts: npt.ArrayLike | None) -> Floats:
    """Return the ends of the bands."""
    if cuts is None:
        return 7.0 * np.array(CUT_WEEKS, dtype=np.float64)
    ends = np.array(frozen(cuts, "cuts"))
    if (ends <= 0).any() or (np.diff(ends) <= 0).any():
        raise ValueError(f"`cuts` must rise from above zero, got {ends.tolist()}")
    return ends


def _from_book(
    book: ClaimBook, state: str, to: str | Sequence[str] | None, by: tuple[str, ...]
) -> tuple[Observations, pd.DataFrame, str]:
    """Return the stays of a book in one state, with the columns that make strata."""
    one_of(state, STATES, "state")
    targets = STATES if to is None else ((to,) if isinstance(to, str) else tuple(to))
    for name in targets:
        one_of(name, STATES, "to")
    absent = [name for name in by if name not in book.claims.columns]
    if absent:
        raise ValueError(f"`by` must name columns of the claims; there is no {absent[0]!r}")
    base = STANDARD_STATES.base_of[state]
    groups = [one for one in stays_at_risk(stays_of(book))[0] if one.state == base]
    if not groups or not (state == base or groups[0].marked.any()):
        raise ValueError(f"`state` must be one the book's claims have been in; none has been in {state!r}")
    group = groups[0] if state == base else groups[0].of(groups[0].marked)
    # Out of a state with a twin, moves to twins are moves to their states; the move to its own twin ends no stay.
    ends = [name for name in targets if name != group.twin]
    ends = [STANDARD_STATES.base_of[name] for name in ends] if group.twin else ends
    exited = np.isin(group.next_state, [STATE_CODE[name] for name in ends]) & (group.next_state != STILL_IN_STATE)
    if not exited.any():
        raise ValueError(f"`to` must hold an exit seen; of {len(exited):,} stays in {state} none ended so")
    words = "any state" if to is None else " or ".join(targets)
    data = observed_exits(group, exited, np.zeros((len(exited), 0)))
    return data, book.claims.iloc[group.row][list(by)], f"{state} to {words}"


def _from_table(stays: pd.DataFrame, by: tuple[str, ...]) -> tuple[Observations, pd.DataFrame, str]:
    """Return the stays of a table, with the columns that make strata."""
    for name in ("days", "exited", *by):
        if name not in stays.columns:
            raise ValueError(f"`stays` must have the column {name!r}; it has {', '.join(map(str, stays.columns))}")
    given = {name: stays[name].to_numpy() if name in stays.columns else None for name in ("entry", "interval")}
    weights = stays["weight"].to_numpy() if "weight" in stays.columns else None
    data = observations(stays["days"].to_numpy(), stays["exited"].to_numpy(), weights=weights, **given)
    return data, stays[list(by)], "Stays"


def _strata(labels: pd.DataFrame, n: int) -> tuple[Integers, tuple[tuple[str, ...], ...]]:
    """Return the stratum of each stay and the values of each stratum, sorted."""
    if labels.shape[1] == 0:
        return np.zeros(n, dtype=np.int64), ((),)
    words = labels.astype(object).where(labels.notna(), "missing").astype(str)
    keys = pd.MultiIndex.from_frame(words)
    codes, found = pd.factorize(keys, sort=True)
    return np.asarray(codes, dtype=np.int64), tuple(tuple(map(str, one)) for one in found)


def _counted(data: Observations, codes: Integers, cuts: Floats, n_strata: int) -> tuple[Floats, Floats]:
    """Return exits and days at risk by stratum and band."""
    shape = (n_strata, len(cuts) + 1)
    window = data.in_window
    exits, days = np.zeros(shape), np.zeros(shape)
    known = data.exited & ~window
    np.add.at(exits, (codes[known], np.searchsorted(cuts, data.days[known], side="left")), data.weights[known])
    at_risk = exposure(data.entry, np.where(window, data.lower, data.days), cuts) * data.weights[:, None]
    np.add.at(days, codes, at_risk)
    if not window.any():
        return exits, days
    return _with_windows(data, codes, cuts, (exits, days))


def _with_windows(
    data: Observations, codes: Integers, cuts: Floats, known: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Add exits known to windows: where in them they lie is expected at the rates that result (EM algorithm)."""
    window: Booleans = data.in_window
    cells = np.column_stack([codes[window], data.lower[window], data.days[window]])
    different, place = np.unique(cells, axis=0, return_inverse=True)
    weight = np.bincount(place.ravel(), weights=data.weights[window])
    stratum = different[:, 0].astype(np.int64)
    inside = exposure(different[:, 1], different[:, 2], cuts)
    shares = inside / inside.sum(axis=1, keepdims=True)
    exits, days = known[0].copy(), known[1].copy()
    np.add.at(exits, stratum, weight[:, None] * shares)
    np.add.at(days, stratum, 0.5 * weight[:, None] * inside)
    rate = np.maximum(exits, 1e-12)[stratum] / np.maximum(days, 1e-12)[stratum]
    for _ in range(_ROUNDS):
        share, time = _expected(rate, inside)
        before = rate
        exits, days = known[0].copy(), known[1].copy()
        np.add.at(exits, stratum, weight[:, None] * share)
        np.add.at(days, stratum, weight[:, None] * time)
        rate = np.maximum(exits, 1e-12)[stratum] / np.maximum(days, 1e-12)[stratum]
        if (np.abs(rate - before) <= 1e-10 * before + 1e-14).all():
            break
    return exits, days


def _expected(rate: Floats, inside: Floats) -> tuple[Floats, Floats]:
    """Return the chance that an exit known to a window lies in each band, and the days spent there before it."""
    collected = np.cumsum(rate * inside, axis=1)
    start = np.exp(-(collected - rate * inside))
    leaving = start * -np.expm1(-rate * inside)
    total = -np.expm1(-collected[:, -1:])
    time = (leaving / rate - inside * np.exp(-collected[:, -1:])) / total
    return leaving / total, np.maximum(time, 0.0)


def _smoothed(exits: Floats, days: Floats) -> tuple[Floats, Floats]:
    """Return smoothed rates per day and the credibility of each cell's own experience, shape (n_strata, n_bands)."""
    level, credibility = graduated_rates(exits.sum(axis=0), days.sum(axis=0))
    if len(exits) == 1:
        return level[None, :], credibility[None, :]
    expected = days * level
    stratum = fit_variance(exits.sum(axis=1), expected.sum(axis=1), scaled=False)
    factor = frailty_mean(stratum.theta, exits.sum(axis=1), expected.sum(axis=1))
    expected = expected * factor[:, None]
    seen = days > 0
    cell = fit_variance(exits[seen], expected[seen], scaled=False)
    own = frailty_mean(cell.theta, exits, expected)
    return level * factor[:, None] * own, cell.theta * expected / (1.0 + cell.theta * expected)
