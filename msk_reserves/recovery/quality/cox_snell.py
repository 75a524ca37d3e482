"""Residuals of a fitted recovery: hazard collected until the exit, and exits seen against exits expected."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from msk_reserves._checks import Booleans, Floats, frozen
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import STILL_IN_STATE
from msk_reserves.recovery.curves.curves import CumulativeHazard
from msk_reserves.recovery.curves.nonparametric import nelson_aalen
from msk_reserves.recovery.path.mixture import all_exits
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.recovery.path.transitions import AtRisk, Transition, stays_at_risk, stays_of
from msk_reserves.recovery.quality.judged import middle_days, moves_from

BAND_WEEKS = (0.0, 4.0, 8.0, 13.0, 26.0, 52.0, 104.0)
"""Where bands of days in a state begin, weeks; the last is open."""

_CLAIMS_AT_ONCE = 4000


@dataclass(frozen=True, slots=True, eq=False)
class CoxSnell:
    """Cox-Snell residuals of the stays in one state, and its exits by band of days.

    Attributes
    ----------
    state : name of the state, its twin with it.
    targets : states moved to.
    residual : hazard of all moves collected from entry to the end of the stay or of observation; shape (n_stays,).
        Under the model it is exponential with mean 1, whatever the entry, censored where the stay is running. A stay
        in which an attorney was retained is two, the first censored then and the second entered then.
    exited : whether the stay ended; shape (n_stays,).
    band : first day of each band; shape (n_bands,).
    seen, expected : exits by move and band; shape (n_moves, n_bands).
    """

    state: str
    targets: tuple[str, ...]
    residual: Floats
    exited: Booleans
    band: Floats
    seen: Floats
    expected: Floats

    def curve(self) -> CumulativeHazard:
        """Return the Nelson-Aalen estimate of the residuals; under the model the diagonal."""
        return nelson_aalen(self.residual, self.exited)

    @property
    def z(self) -> Floats:
        """Exits seen less expected over the root of expected (Poisson), all moves together; shape (n_bands,)."""
        seen, expected = self.seen.sum(axis=0), self.expected.sum(axis=0)
        return np.where(expected > 0, (seen - expected) / np.sqrt(np.maximum(expected, 1e-12)), 0.0)

    @property
    def p_value(self) -> float:
        """Chance of deviations as large, from the sum of squared z over bands with five exits expected or more.

        The model fitted to the same stays deviates less: there it is an upper bound.
        """
        enough = self.expected.sum(axis=0) >= 5
        return float(special.chdtrc(int(enough.sum()), float((self.z[enough] ** 2).sum()))) if enough.any() else 1.0

    def to_frame(self) -> pd.DataFrame:
        """Return a row a band: from_day, to_day, seen, expected, ratio, z."""
        seen, expected = self.seen.sum(axis=0), self.expected.sum(axis=0)
        return pd.DataFrame(
            {
                "from_day": self.band,
                "to_day": np.append(self.band[1:], np.inf),
                "seen": seen,
                "expected": expected,
                "ratio": np.where(expected > 0, seen / np.maximum(expected, 1e-12), np.nan),
                "z": self.z,
            }
        )

    def __repr__(self) -> str:
        return (
            f"Exits from {self.state}: {self.seen.sum():,.0f} seen, {self.expected.sum():,.1f} expected, p of the "
            f"bands {self.p_value:.3g}\n{self.to_frame().to_string(index=False, float_format=lambda x: f'{x:,.2f}')}"
        )

    def _repr_html_(self) -> str:
        return f"<p>{repr(self).splitlines()[0]}</p>" + str(
            self.to_frame().to_html(index=False, float_format="{:,.2f}".format)
        )


def cox_snell(
    recovery: Recovery, book: ClaimBook, *, state: str = "off_work", band_days: Sequence[float] | None = None
) -> CoxSnell:
    """Return the Cox-Snell residuals of the stays in a state, and its exits seen and expected by band of days.

    Parameters
    ----------
    recovery : Recovery
        The model.
    book : ClaimBook
        The claims it is judged on.
    state : str
        A state the recovery has moves out of.
    band_days : sequence of float, optional
        First days of the bands, ascending; by default weeks 0, 4, 8, 13, 26, 52 and 104.

    Returns
    -------
    CoxSnell

    Raises
    ------
    ValueError
        If the state has no stays, or no moves in the recovery.

    Notes
    -----
    The residual of a stay seen from day e to day d is H(d) - H(e), H the cumulative hazard of all moves, each averaged
    over its laws (Cox and Snell, Journal of the Royal Statistical Society B 30 (1968) 248); of an exit known to a
    window it is its expectation there. Expected exits of a band are the hazard collected in it, a window counted to its
    middle, and exits seen less expected is a martingale with the variance of a Poisson count (Aalen 1978).
    """
    targets = tuple(dict.fromkeys(move.target for move in moves_from(recovery, state, marked=False)))
    if not targets:
        raise ValueError(f"`state` must have moves in the recovery; {state!r} has none")
    group = next((one for one in stays_at_risk(stays_of(book))[0] if one.state == state), None)
    if group is None:
        raise ValueError(f"`book` must hold stays in {state!r}, it has none")
    days = frozen(np.array(BAND_WEEKS) * 7 if band_days is None else band_days, "band_days")
    if not len(days) or (np.diff(days) <= 0).any() or days[0] < 0:
        raise ValueError(f"`band_days` must ascend from 0 or more, got {days.tolist()}")
    design = recovery.design.of_stays(book.claims, group.row, group.since)
    exited = group.next_state != STILL_IN_STATE
    if group.twin:
        exited &= ~group.exited(group.twin)
    residual, expected = np.zeros(len(group.days)), np.zeros((len(targets), len(days)))
    for marked in (False, True):
        rows = np.flatnonzero(group.marked == marked)
        for first in range(0, len(rows), _CLAIMS_AT_ONCE):
            some = rows[first : first + _CLAIMS_AT_ONCE]
            chosen = np.zeros(len(group.days), dtype=np.bool_)
            chosen[some] = True
            part = group.of(chosen)
            moves = moves_from(recovery, state, marked=marked)
            residual[some], more = _collected(moves, part, design[some], days)
            for move, row in zip(moves, more, strict=True):
                name = move.target if move.target in targets else recovery.space.base_of[move.target]
                expected[targets.index(name)] += row
    band = np.searchsorted(days, middle_days(group), side="left") - 1
    seen = np.array(
        [np.bincount(band[(band >= 0) & group.exited(target)], minlength=len(days)) for target in targets],
        dtype=np.float64,
    )
    for column in (residual, exited, seen, expected):
        column.flags.writeable = False
    return CoxSnell(state, targets, residual, exited, days, seen, expected)


def _collected(moves: Sequence[Transition], group: AtRisk, design: Floats, days: Floats) -> tuple[Floats, Floats]:
    """Return the residual of each stay, and the hazard collected by move and band over the stays."""
    entry, until = group.entry, middle_days(group)
    ended = group.next_state != STILL_IN_STATE
    if group.twin:
        ended &= ~group.exited(group.twin)
    lower = np.where(ended, np.maximum(group.days - group.interval, entry), group.days)
    edges = np.clip(np.append(days, np.inf)[None, :], entry[:, None], until[:, None])
    nodes = np.column_stack([edges, lower, group.days]) - entry[:, None]
    collected = all_exits(moves, design, (np.array(entry), entry + group.since), nodes)
    low, high = collected[:, :, -2].sum(axis=0), collected[:, :, -1].sum(axis=0)
    wide = ended & (high > low)
    gap = np.where(wide, high - low, 1.0)
    residual = np.where(wide, low + 1.0 - gap / np.expm1(np.minimum(gap, 700.0)), high)
    return residual, np.diff(collected[:, :, : len(days) + 1], axis=2).sum(axis=1)
