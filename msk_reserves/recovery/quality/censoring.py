"""Stays judged from a common day: the chance that they are still watched, and how each pulls on a share gone."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats, Integers, frozen, not_negative

LEAST_WATCHED = 0.05
"""Share still watched below which a weight, its inverse, is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """Stays that all were under observation from one common day; every column has shape (n_stays,).

    Attributes
    ----------
    days : days when the stay ended or observation did, beyond `start`.
    exit : 0 for a stay still running, else the code of its exit.
    weights : weight of the stay; whole weights count as repeated stays.
    start : the common day.
    """

    days: Floats
    exit: Integers
    weights: Floats
    start: float

    def __len__(self) -> int:
        return len(self.days)

    def still_watched(self, at: Floats) -> Floats:
        """Return the chance that observation lasts to just before each of `at`, given that the stay does.

        The product-limit curve of the ends of observation. At a tie the exit comes first and has left the risk set, so
        that weighting exits by the inverse gives the Aalen-Johansen shares back exactly.
        """
        ends, place = np.unique(self.days, return_inverse=True)
        running = self.exit == 0
        lost = np.bincount(place[running], self.weights[running], len(ends))
        gone = np.bincount(place[~running], self.weights[~running], len(ends))
        at_risk = np.cumsum((lost + gone)[::-1])[::-1] - gone
        left = np.where(at_risk > 0, 1.0 - lost / np.where(at_risk > 0, at_risk, 1.0), 1.0)
        curve = np.concatenate([[1.0], np.cumprod(np.maximum(left, 0.0))])
        return np.asarray(curve[np.searchsorted(ends, at, side="left")])

    def inverse_weights(self, horizon: float) -> Floats:
        """Return one over the chance of being watched so long, for stays whose standing on `horizon` is known; else 0.

        Raises
        ------
        ValueError
            If fewer than 5 % would still be watched on that day.
        """
        known = (self.exit > 0) | (self.days > horizon)
        share = self.still_watched(np.where(self.days > horizon, np.nextafter(horizon, np.inf), self.days))
        weight = np.where(known, 1.0 / np.maximum(share, 1e-300), 0.0)
        # The weights of those whose standing is known stand for all, unless nobody was watched so long.
        whole = self.weights @ weight >= (1.0 - 1e-9) * self.weights.sum()
        if not whole or float(share[known].min()) <= LEAST_WATCHED:
            raise ValueError(
                f"`horizon` must leave more than {LEAST_WATCHED:.0%} of stays still watched, day {horizon:g} does not; "
                "choose an earlier day"
            )
        return weight

    def share_gone(self, cause: int, horizon: float) -> tuple[float, Floats]:
        """Return the share gone by `cause` by `horizon` (Aalen-Johansen), and how each stay pulls on it.

        Returns
        -------
        share : float
            NaN where nobody was watched so long and some were left.
        influence : numpy.ndarray, shape (n_stays,)
            Derivative of the share by the weight of each stay; times the total weight and added to the share, a
            pseudo-value (infinitesimal jackknife).
        """
        used = self.weights > 0
        early = used & (self.exit > 0) & (self.days <= horizon)
        if not (used & (self.days >= horizon)).any() and not (early & (self.days == self.days[used].max())).any():
            return float("nan"), np.full(len(self), np.nan)
        times, place = np.unique(self.days[early], return_inverse=True)
        if not len(times):
            return 0.0, np.zeros(len(self))
        ordered = np.argsort(self.days, kind="stable")
        beyond = np.concatenate([np.cumsum(self.weights[ordered][::-1])[::-1], [0.0]])
        at_risk = beyond[np.searchsorted(self.days[ordered], times, side="left")]
        exits = np.bincount(place, self.weights[early], len(times))
        mine = np.bincount(place, self.weights[early] * (self.exit[early] == cause), len(times))
        left = at_risk - exits
        inverse = np.where(left > 1e-12 * at_risk, 1.0 / np.where(left > 0, left, 1.0), 0.0)
        before = np.concatenate([[1.0], np.cumprod(1.0 - exits / at_risk)[:-1]])
        step = before * mine / at_risk
        gone, pulled, hazard = (
            np.concatenate([[0.0], np.cumsum(one)]) for one in (step, step / at_risk, exits / at_risk * inverse)
        )
        moved = np.concatenate([[0.0], np.cumsum(hazard[:-1] * step)])
        end = np.searchsorted(times, self.days, side="right")
        last = np.maximum(end - 1, 0)
        shift = hazard[end] - np.where(early, inverse[last], 0.0)
        own = np.where(early & (self.exit == cause), (before / at_risk)[last], 0.0)
        return float(gone[-1]), np.asarray(own - pulled[end] + moved[end] + (gone[-1] - gone[end]) * shift)


def watched(
    days: npt.ArrayLike,
    exited: npt.ArrayLike,
    *,
    entry: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    start: float = 0.0,
) -> Watched:
    """Check stays to be judged from a common day.

    Parameters
    ----------
    days, exited : array_like, shape (n_stays,)
        Days when each stay ended or observation did; 0 for a stay still running, else the code of its exit.
    entry : array_like, optional
        Days before which a stay could not have been seen; not beyond `start`.
    weights : array_like, optional
        Weights, one where absent.
    start : float
        Day to which survival is given.

    Returns
    -------
    Watched

    Raises
    ------
    ValueError
        If shapes differ, codes are no whole numbers of zero and more, a stay was over by `start` or seen only from
        later on: whether those who left between the two would have been in the file is not known, and a weight for
        them would need the law of entries.

    Examples
    --------
    >>> len(watched([2.0, 3.0], [1, 0]))
    2
    """
    t = frozen(days, "days")
    code = np.asarray(exited)
    weight: Floats = np.ones(len(t)) if weights is None else frozen(weights, "weights")
    begin: Floats = np.zeros(len(t)) if entry is None else frozen(entry, "entry")
    first = not_negative(start, "start")
    if not len(t) or not len(t) == len(code) == len(weight) == len(begin):
        raise ValueError(
            f"`days`, `exited`, `entry` and `weights` must have one entry a stay and at least one stay, got "
            f"{len(t)}, {len(code)}, {len(begin)}, {len(weight)}"
        )
    if code.ndim != 1 or (code.dtype.kind not in "iub" and (code != np.floor(code)).any()) or code.min() < 0:
        raise ValueError("`exited` must hold whole codes: 0 for a stay still running, else the kind of exit")
    if (weight < 0).any() or not weight.sum() > 0:
        raise ValueError(f"`weights` must not be negative and not all zero, got a smallest of {weight.min():g}")
    for broken, name, rule, values in (
        (t <= first, "days", f"lie beyond `start`, {first:g}: drop the stays over by then", t),
        (begin > first, "entry", f"not lie beyond `start`, {first:g}: drop the stays seen only from later on", begin),
    ):
        if broken.any():
            row = int(np.argmax(broken))
            raise ValueError(f"`{name}` must {rule}; entry {row} is {values[row]:g} ({int(broken.sum())} in all)")
    return Watched(t, code.astype(np.int64), weight, first)
