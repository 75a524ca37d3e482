"""State occupation: which share of claims is in which state on each day, and how long they stay there."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats, not_negative, one_of, share
from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.spells import Spells
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATES
from msk_reserves.recovery.curves.counting import read_only, refuse_fractions
from msk_reserves.recovery.curves.curves import StateOccupation
from msk_reserves.recovery.curves.histories import NO_MOVE, Histories, MoveCounts, count_moves, histories
from msk_reserves.recovery.curves.occupation_error import Product, jackknife_covariance, product_covariance

VARIANCES = ("infinitesimal_jackknife", "delta", "aalen")


def state_occupation(
    claim: npt.ArrayLike,
    start: npt.ArrayLike,
    stop: npt.ArrayLike,
    from_state: npt.ArrayLike,
    to_state: npt.ArrayLike,
    *,
    initial: str | Mapping[str, float] | None = None,
    start_time: float | None = None,
    horizon: float | None = None,
    landmark: bool = False,
    weights: npt.ArrayLike | None = None,
    states: Sequence[str] | None = None,
    variance: str = "infinitesimal_jackknife",
) -> StateOccupation:
    """Estimate which share of claims is in which state, day by day, and the mean days in each.

    Parameters
    ----------
    claim, start, stop, from_state, to_state : array_like, shape (n_rows,)
        One row a stay under observation: at risk in `from_state` in (start, stop], moved to `to_state` at `stop`, or
        not seen to move where that is None, NaN or "". A claim may enter late, in any state, leave, and come back.
    initial : str, mapping or None
        State all are in at `start_time`, or shares by state; None takes the shares of those under observation then.
    start_time : float, optional
        Day the estimate starts from; by default the first day on which anybody is under observation.
    horizon : float, optional
        Day it ends at; by default the last day anybody was under observation.
    landmark : bool
        Keep only claims under observation at `start_time` (and in `initial`, where that is a state): right for paths
        that remember how they came to be where they are, at the price of fewer claims.
    weights : array_like, optional
        Weights, one where absent; whole weights are repeated claims in the "delta" and "aalen" errors.
    states : sequence of str, optional
        All states in the order wanted.
    variance : {"infinitesimal_jackknife", "delta", "aalen"}
        Errors from each claim's pull on the estimate (what R's `survfit` prints); from the Markov product with
        multinomial increments; or with Poisson increments. Only the first holds when claims remember their past.

    Returns
    -------
    StateOccupation

    Raises
    ------
    ValueError
        If rows are malformed or contradict, nobody is under observation at `start_time`, or `horizon` lies beyond the
        last day anybody was.

    Notes
    -----
    p(t) = p(s) times the product of I + dA(u) over s < u <= t, dA_hj = d_hj / Y_h (Aalen & Johansen, Scand. J. Statist.
    5 (1978) 141). From the shares observed at the start, and with censoring that does not depend on the path, it holds
    whether or not the path is Markov (Datta & Satten, Statist. Probab. Lett. 55 (2001) 403); from one state, or with
    entry that depends on the state, it supposes it is, unless `landmark` (Putter & Spitoni, SMMR 27 (2018) 2081).

    Examples
    --------
    >>> shares = state_occupation([1, 1, 2], [0, 4, 0], [4, 9, 9], ["off", "back", "off"], ["back", "", ""])
    >>> shares(5.0).tolist()
    [0.5, 0.5]
    >>> shares.mean_time()[["state", "days"]].to_dict("list")
    {'state': ['back', 'off'], 'days': [2.5, 6.5]}
    """
    rows = histories(claim, start, stop, from_state, to_state, weights=weights, states=states)
    return occupation_of(rows, initial, start_time, horizon, landmark=landmark, variance=variance)


def occupation_of_book(
    book: ClaimBook | Spells,
    *,
    initial: str | Mapping[str, float] | None = None,
    start_time: float | None = None,
    horizon: float | None = None,
    landmark: bool = False,
    variance: str = "infinitesimal_jackknife",
) -> StateOccupation:
    """Estimate state occupation from the stays of a book, on the clock of days since the first day off work.

    Parameters
    ----------
    book : ClaimBook or Spells
        Its stays, laid end to end from each claim's first stay off work, each seen from its left truncation on; a stay
        known to have ended in a window ended on its last day. Left out, and counted as such: claims that never lost
        time, and those back before the first day on which they could have been in the file, which are in it for
        another reason.
    initial, start_time, horizon, landmark, variance : as in `state_occupation`.

    Returns
    -------
    StateOccupation
        Over the states that occur, in the order of the vocabulary.

    Raises
    ------
    ValueError
        As in `state_occupation`; also if no claim was off work.

    Examples
    --------
    >>> import msk_reserves as msk
    >>> shares = occupation_of_book(msk.load_sample("shoulder").as_of("2022-06-30"), horizon=364)
    >>> shares.start, round(float(shares(shares.start).sum()), 9)
    (3.0, 1.0)
    """
    spells = book if isinstance(book, Spells) else book.spells
    rows = clocked(spells)
    shares = occupation_of(rows, initial, start_time, horizon, landmark=landmark, variance=variance)
    return replace(shares, left_out=len(np.unique(spells.claim)) - shares.n_claims)


def clocked(spells: Spells) -> Histories:
    """Return stays as histories on the clock of days since the first day off work."""
    off = np.isin(spells.state, [STATES.index(name) for name in OFF_WORK_STATES])
    claims, first = np.unique(spells.claim[off], return_index=True)
    if not len(claims):
        raise ValueError("`book` must hold at least one stay off work, got none")
    begin = np.flatnonzero(off)[first]
    place = np.minimum(np.searchsorted(claims, spells.claim), len(claims) - 1)
    known = (claims[place] == spells.claim) & (np.arange(len(spells)) >= begin[place])
    origin = (spells.entered - spells.entered[begin[place]]).astype(np.float64)
    stop = origin + spells.days
    # A half day given to a stay that began and ended on one day is taken from the stay that follows.
    previous = np.append(0.0, stop[:-1])
    follows = np.append(False, known[:-1] & (spells.claim[1:] == spells.claim[:-1]))
    start = origin + spells.observed_from
    start = np.where(follows, np.maximum(start, np.minimum(previous, stop)), start)
    seen = known & (stop > start)
    # Who was back before the file could have held the claim is in it for another reason, such as a later stay.
    of_claim, first_seen = np.unique(spells.claim[seen], return_index=True)
    followed = of_claim[off[np.flatnonzero(seen)[first_seen]]]
    seen &= np.isin(spells.claim, followed)
    rows = Histories(
        tuple(STATES),
        claim=place[seen],
        start=start[seen],
        stop=stop[seen],
        origin=spells.state[seen],
        target=np.where(spells.next_state[seen] == spells.state[seen], NO_MOVE, spells.next_state[seen]),
        weights=np.ones(int(seen.sum())),
    )
    return _occurring(rows)


def _occurring(rows: Histories) -> Histories:
    """Return the histories over the states that occur in them."""
    used = np.union1d(rows.origin, rows.target[rows.target != NO_MOVE])
    code = np.full(len(rows.states) + 1, NO_MOVE)
    code[used] = np.arange(len(used))
    return Histories(
        tuple(rows.states[int(old)] for old in used),
        rows.claim,
        rows.start,
        rows.stop,
        code[rows.origin],
        code[rows.target],
        rows.weights,
    )


def occupation_of(
    rows: Histories,
    initial: str | Mapping[str, float] | None,
    start_time: float | None,
    horizon: float | None,
    *,
    landmark: bool,
    variance: str,
) -> StateOccupation:
    """Estimate state occupation from checked histories; arguments as in `state_occupation`."""
    one_of(variance, VARIANCES, "variance")
    if variance != "infinitesimal_jackknife":
        refuse_fractions(rows.weights, "give `variance='infinitesimal_jackknife'`")
    if isinstance(initial, str):
        one_of(initial, rows.states, "initial")
    first, last = float(rows.start.min()), float(rows.stop.max())
    begin = first if start_time is None else max(not_negative(start_time, "start_time"), first)
    end = last if horizon is None else not_negative(horizon, "horizon")
    if end > last or end <= begin:
        raise ValueError(
            f"`horizon` must lie after day {begin:g}, the start, and not beyond the last day under observation, "
            f"{last:g}; got {end:g}"
        )
    rows = rows.between(begin, end)
    if landmark:
        rows = _at_landmark(rows, begin, initial)
    shares, pulls, spread = _initial(rows, begin, initial)
    counts = count_moves(rows)
    product = _product(counts, shares, begin)
    if variance == "infinitesimal_jackknife":
        both = jackknife_covariance(product, counts, rows, pulls)
    else:
        both = product_covariance(product, counts, spread, aalen=variance == "aalen")
    return _record(rows, (counts, product), both, (shares, begin, end, variance))


def _at_landmark(rows: Histories, begin: float, initial: str | Mapping[str, float] | None) -> Histories:
    """Return the histories of the claims under observation at the start, in the state asked for."""
    there = rows.start == begin
    if isinstance(initial, str):
        there &= rows.origin == rows.states.index(initial)
    if not there.any():
        where = f" in {initial}" if isinstance(initial, str) else ""
        raise ValueError(f"`landmark` needs a claim under observation{where} on day {begin:g}; there is none")
    return rows.rows(np.isin(rows.claim, rows.claim[there]))


def _initial(rows: Histories, begin: float, initial: str | Mapping[str, float] | None) -> tuple[Floats, Floats, Floats]:
    """Return the shares at the start, each claim's pull on them, and their multinomial covariance."""
    m = len(rows.states)
    pulls = np.zeros((int(rows.claim.max()) + 1, m))
    if initial is not None:
        given = {initial: 1.0} if isinstance(initial, str) else dict(initial)
        shares = np.zeros(m)
        for name, value in given.items():
            shares[rows.states.index(one_of(name, rows.states, "initial"))] = share(value, f"initial[{name!r}]")
        if abs(shares.sum() - 1) > 1e-9:
            raise ValueError(f"`initial` must sum to 1, got {shares.sum():g}")
        return shares, pulls, np.zeros((m, m))
    there = np.flatnonzero((rows.start == begin) & (rows.weights > 0))
    if not len(there):
        raise ValueError(
            f"`start_time` must be a day with somebody under observation; on day {begin:g} there is nobody. Give "
            f"`initial`, or a day such as {rows.start.min():g}"
        )
    weight = rows.weights[there]
    total = weight.sum()
    shares = np.bincount(rows.origin[there], weight, m) / total
    pulls[rows.claim[there]] = (np.eye(m)[rows.origin[there]] - shares) * weight[:, None] / total
    return shares, pulls, (np.diag(shares) - np.outer(shares, shares)) / total


def _product(counts: MoveCounts, shares: Floats, begin: float) -> Product:
    """Multiply the shares through the moves."""
    m = len(shares)
    at_risk = counts.at_risk[:, :, None]
    rates = counts.moves / np.where(at_risk > 0, at_risk, 1.0)
    rates[:, np.arange(m), np.arange(m)] -= rates.sum(axis=2)
    before = np.empty((len(rates), m))
    for k, rate in enumerate(rates):
        before[k] = shares
        shares = np.maximum(shares + shares @ rate, 0.0)
    return Product(rates, before, np.diff(counts.times, prepend=begin))


def _record(
    rows: Histories,
    estimate: tuple[MoveCounts, Product],
    both: Floats,
    how: tuple[Floats, float, float, str],
) -> StateOccupation:
    """Put the estimate together; `both` is the covariance of shares and days in state after each time."""
    counts, product = estimate
    shares, begin, end, variance = how
    m = len(shares)
    every = np.concatenate([shares[None], product.before[1:], np.zeros((min(1, len(counts.times)), m))])
    if len(counts.times):
        every[-1] = np.maximum(product.before[-1] + product.before[-1] @ product.rates[-1], 0.0)
    last = end - (counts.times[-1] if len(counts.times) else begin)
    spans = np.append(product.gaps, last)
    carry = np.concatenate([last * np.eye(m), np.eye(m)])
    return StateOccupation(
        states=rows.states,
        times=read_only(counts.times),
        occupation=read_only(every[1:].copy()),
        covariance=read_only(both[1:, :m, :m].copy()),
        at_risk=read_only(counts.at_risk),
        moves=read_only(counts.moves.sum(axis=0)),
        initial=read_only(shares),
        initial_covariance=read_only(both[0, :m, :m].copy()),
        mean_days=read_only(spans @ every),
        mean_days_covariance=read_only(carry.T @ both[-1] @ carry),
        variance=variance,
        start=begin,
        horizon=end,
        n_claims=len(np.unique(rows.claim)),
        left_out=0,
    )
