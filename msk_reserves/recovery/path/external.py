"""Bring your own: any model with a cumulative hazard per claim takes the place of a move's laws."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from msk_reserves._checks import Floats, positive
from msk_reserves.claims.book import Assumption
from msk_reserves.recovery.laws.families import BY_CLAIM
from msk_reserves.recovery.path.draws import LawDraws

NODES: Floats = np.concatenate([[0.0], np.geomspace(0.25, 7280.0, 180)])
"""Days at which the hazard of a model is asked for: from six hours to twenty years, each 6 % after the last."""
NODES.flags.writeable = False

LAST_STRETCH = 0.75
"""Where a Cox baseline is held beyond the data, the share of the last day seen from which on its rate is taken."""


class TransitionModel(Protocol):
    """What a model must do to take the place of a move."""

    def cumulative_hazard(self, claims: pd.DataFrame, days: Floats) -> Floats:
        """Return the cumulative cause-specific hazard of each claim after so many days in the state.

        Parameters
        ----------
        claims : pandas.DataFrame
            One row a claim, the columns of a book's claims.
        days : numpy.ndarray, shape (n_days,)
            Days since the state was entered, ascending from 0.

        Returns
        -------
        numpy.ndarray, shape (n_claims, n_days)
            Zero at day 0, never falling, finite.
        """


class LifelinesRegression(Protocol):
    """What is used of a fitted regression of lifelines."""

    durations: npt.ArrayLike

    def predict_cumulative_hazard(self, claims: pd.DataFrame, *, times: Floats) -> pd.DataFrame:
        """Return cumulative hazards, a row a time and a column a claim."""


@dataclass(frozen=True, slots=True, eq=False)
class LifelinesModel:
    """A fitted lifelines regression as a `TransitionModel`; made by `from_lifelines`.

    Attributes
    ----------
    fitter : the regression.
    unit_days : days in the unit of its durations.
    held_from : day beyond which the hazard goes on at the rate of the stretch before; infinite for a law that goes on
        by itself.
    """

    fitter: LifelinesRegression
    unit_days: float
    held_from: float

    def __repr__(self) -> str:
        held = f", held at its last rate beyond day {self.held_from:,.0f}" if np.isfinite(self.held_from) else ""
        return f"lifelines {type(self.fitter).__name__}{held}"

    def cumulative_hazard(self, claims: pd.DataFrame, days: Floats) -> Floats:
        """Return the cumulative hazard of each claim, shape (n_claims, n_days)."""
        last = self.held_from
        first = LAST_STRETCH * last
        # A law of ln days is not asked about day 0, where nothing has been collected.
        inside = np.minimum(np.where(days > 0, days, NODES[1]), last)
        ends = [first, last] if np.isfinite(last) else []
        times, place = np.unique(np.concatenate([inside, ends]) / self.unit_days, return_inverse=True)
        found = self.fitter.predict_cumulative_hazard(claims.reset_index(drop=True), times=times)
        by_claim = np.asarray(found, dtype=np.float64).T[:, place]
        hazard = by_claim[:, : len(days)]
        if ends:
            rate = (by_claim[:, -1] - by_claim[:, -2]) / (last - first)
            hazard = hazard + rate[:, None] * np.maximum(days - last, 0.0)
        return np.asarray(np.where(days > 0, hazard, 0.0))


def from_lifelines(fitter: LifelinesRegression, *, unit_days: float = 1.0, extrapolate: bool = False) -> LifelinesModel:
    """Return a fitted lifelines regression as a model of a move.

    Parameters
    ----------
    fitter : fitted regression of lifelines
        One with `predict_cumulative_hazard`, of the days in the state until this move, other exits being ends of
        observation. It is asked with the columns of the claims.
    unit_days : float
        Days in the unit of its durations: 7 for weeks.
    extrapolate : bool
        A Cox regression with Breslow's baseline says nothing beyond the last day seen; lifelines then answers as if
        nobody left any more. True holds the rate of the last quarter of the days seen instead.

    Returns
    -------
    LifelinesModel

    Raises
    ------
    ValueError
        If `fitter` is not such a regression, or its baseline ends with the data and `extrapolate` is False.
    """
    if not hasattr(fitter, "predict_cumulative_hazard") or not hasattr(fitter, "durations"):
        raise ValueError(
            f"`fitter` must be a fitted lifelines regression with `predict_cumulative_hazard`, got {fitter!r}"
        )
    unit = positive(unit_days, "unit_days")
    if getattr(fitter, "baseline_estimation_method", "") != "breslow":
        return LifelinesModel(fitter, unit, np.inf)
    last = unit * float(np.max(np.asarray(fitter.durations, dtype=np.float64)))
    if not extrapolate:
        raise ValueError(
            f"`fitter` must have a hazard beyond day {last:,.0f}, where this Cox baseline ends; fit a parametric "
            "regression, or give `extrapolate=True` to hold the rate of the last quarter of the days seen"
        )
    return LifelinesModel(fitter, unit, last)


@dataclass(frozen=True, slots=True, eq=False)
class ClaimHazards:
    """Hazards of one move by claim, tabulated from a model.

    Attributes
    ----------
    label : what the model calls itself.
    claim_ids : the claims, sorted.
    rates : rate per day between `NODES`, the last going on for ever; shape (n_claims, n_nodes - 1).
    """

    label: str
    claim_ids: tuple[str, ...]
    rates: Floats

    def __post_init__(self) -> None:
        self.rates.flags.writeable = False

    def law(self, n_draws: int) -> LawDraws:
        """Return the hazards as a law whose location is the row of the claim, the same in every draw."""
        one, none = np.ones(n_draws), np.zeros((n_draws, 0))
        return LawDraws(BY_CLAIM, one[:, None], one, 0 * one, self.rates, np.array(NODES[1:-1]), none, 0 * one)

    def assumption(self, move: str) -> Assumption:
        """Return what is assumed by taking a move's hazards from outside."""
        value = f"hazards of {self.label}, as if they were known: without uncertainty of its parameters"
        return Assumption(f"move {move}", value, "given by the user")


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A column of a design that holds the row of each claim in a table of hazards."""

    move: str
    claim_ids: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The name of the column."""
        return (f"row in {self.move}",)

    @property
    def sources(self) -> tuple[str, ...]:
        """The column of the claims it is made from."""
        return ("claim_id",)

    @property
    def gaps(self) -> tuple[tuple[str, int], ...]:
        """Nothing: every claim must be in the table."""
        return ()

    def values(self, claims: pd.DataFrame) -> Floats:
        """Return the rows, shape (n_claims, 1).

        Raises
        ------
        ValueError
            If a claim is not in the table.
        """
        known = np.array(self.claim_ids)
        wanted = claims["claim_id"].astype(str).to_numpy(dtype=known.dtype.type)
        row = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        absent = known[row] != wanted
        if absent.any():
            raise ValueError(
                f"`claims` must be those the model of {self.move} was asked about; {str(wanted[absent][0])!r} is not "
                f"({int(absent.sum()):,} in all); call `with_transition` with this book"
            )
        return np.asarray(row[:, None], dtype=np.float64)

    def unseen(self, claims: pd.DataFrame) -> Mapping[str, int]:
        """Return nothing: a claim that is not in the table is refused."""
        del claims
        return {}


def tabulated(model: TransitionModel, claims: pd.DataFrame) -> ClaimHazards:
    """Ask a model for the hazard of every claim.

    Parameters
    ----------
    model : TransitionModel
        The model.
    claims : pandas.DataFrame
        One row a claim, with `claim_id`.

    Returns
    -------
    ClaimHazards

    Raises
    ------
    TypeError
        If `model` has no method `cumulative_hazard`.
    ValueError
        If its answer has another shape, is not finite, does not begin at zero or falls.
    """
    if not callable(getattr(model, "cumulative_hazard", None)):
        raise TypeError(f"`model` must have a method `cumulative_hazard(claims, days)`, got {type(model).__name__}")
    order = claims["claim_id"].astype(str).sort_values(kind="stable").index
    asked = claims.loc[order]
    hazard = np.asarray(model.cumulative_hazard(asked, np.array(NODES)), dtype=np.float64)
    if hazard.shape != (len(asked), len(NODES)):
        shape = (len(asked), len(NODES))
        raise ValueError(f"`model` must answer a row a claim and a column a day, {shape}, got {hazard.shape}")
    steps = np.diff(hazard, axis=1)
    rules = (
        (~np.isfinite(hazard).all(axis=1), "be finite"),
        (np.abs(hazard[:, 0]) > 1e-9, "begin at zero"),
        (steps.min(axis=1) < -1e-9, "never fall"),
    )
    for broken, rule in rules:
        if broken.any():
            first = asked["claim_id"].iloc[int(np.argmax(broken))]
            raise ValueError(f"`model` must answer hazards that {rule}; those of claim {first!r} do not")
    rates = np.maximum(steps, 0.0) / np.diff(NODES)
    return ClaimHazards(repr(model), tuple(asked["claim_id"].astype(str)), rates)
