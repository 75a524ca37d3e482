"""Fitting what claims cost along their path, at either depth of the data."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from msk_reserves._checks import Booleans, Floats, one_of
from msk_reserves.claims.book import Assumption, ClaimBook, Decision
from msk_reserves.claims.vocabulary import CATEGORY_CODE, COMPONENTS
from msk_reserves.cost.benefits import accrued_decision, statutory_to_date
from msk_reserves.cost.cells import (
    KIND_OF_STATE,
    CellGrid,
    Window,
    banded_now,
    bundle_windows,
    exposure,
    marked_now,
    payment_cells,
)
from msk_reserves.cost.design import Design, build_design
from msk_reserves.cost.factor import ClaimFactor, fit_factor
from msk_reserves.cost.late import LatePayments
from msk_reserves.cost.ledger import fit_ledger
from msk_reserves.cost.rates import PaymentRates
from msk_reserves.cost.record import ACCOUNT_CATEGORIES, Cost, Trends
from msk_reserves.cost.relativities import relativity
from msk_reserves.cost.shares import category_shares
from msk_reserves.cost.summary import fit_summary


@dataclass(frozen=True, slots=True, eq=False)
class _Account:
    """What one account gave: its rates or the reason for none, its category mix, and what was done on the way."""

    rates: PaymentRates | None
    reason: str
    shares: Floats | None
    decisions: tuple[Decision, ...]
    assumptions: tuple[Assumption, ...] = ()


def fit_cost(
    book: ClaimBook,
    recovery: object | None = None,
    *,
    trends: Trends | None = None,
    late_payments: LatePayments | None = None,
    grid: CellGrid | None = None,
    min_claims: int = 50,
) -> Cost:
    """Fit payment rates along the path, relativities of claims and each claim's own level.

    With dated payments the rates are ratios of payments to days in each cell; from a summary they are a regression of
    totals to date on days to date. Either way open claims enter with what they have cost so far, never as if closed.

    Parameters
    ----------
    book : ClaimBook
        The claims.
    recovery : Recovery, optional
        The recovery model fitted to the same claims; named in the record. The rates rest on stays already seen.
    trends : Trends, optional
        Growth of prices; 3.5 % a year for medical and wages when not given, printed as an assumption.
    late_payments : LatePayments, optional
        What remains of benefits and expense late in a state where few payments show them, and how long death benefits
        are owed; judgements when not given, printed as assumptions. Nothing of a summary rests on them.
    grid : CellGrid, optional
        The cells of the fit; the model has one more bin where none begins at the end of death benefits.
    min_claims : int, optional
        Claims a level of a covariate needs for a relativity of its own.

    Returns
    -------
    Cost
        The fitted model; prints as sentences and tables.

    Raises
    ------
    ValueError
        If the book holds no claims.
    """
    if len(book) == 0:
        raise ValueError("`book` must hold at least one claim, got none")
    if not isinstance(late_payments, LatePayments | None):
        raise TypeError(f"`late_payments` must be a `LatePayments`, got {late_payments!r}")
    trend, cells, late = trends or Trends(), grid or CellGrid(), late_payments or LatePayments()
    design = build_design(book.claims, min_claims=min_claims)
    if book.payments is None:
        fitted = {name: _summary_account(name, book, trend, cells, design) for name in COMPONENTS}
    else:
        fitted = {name: _ledger_account(name, book, trend, cells, design, late) for name in COMPONENTS}
        cells = late.end_a_bin(cells)
    accounts = {name: account.rates for name, account in fitted.items()}
    decisions = tuple(decision for account in fitted.values() for decision in account.decisions)
    assumptions = tuple(assumption for account in fitted.values() for assumption in account.assumptions)
    return Cost(
        grid=cells,
        depth=book.depth,
        accounts=accounts,
        reasons={name: account.reason for name, account in fitted.items() if account.rates is None},
        factor=None if accounts["medical"] is None else _claim_factor(book, accounts["medical"], cells),
        shares={name: account.shares for name, account in fitted.items() if account.shares is not None},
        trends=trend,
        n_claims=len(book),
        beside="none" if recovery is None else str(recovery).splitlines()[0],
        assumptions=(*_common_assumptions(trend, accounts), *assumptions),
        decisions=(*decisions, accrued_decision(book)),
    )


def _ledger_account(
    name: str, book: ClaimBook, trends: Trends, grid: CellGrid, design: Design, late: LatePayments
) -> _Account:
    """Fit one account on dated payments."""
    payments = book.payments
    if payments is None:
        raise ValueError("`book` must be at ledger depth: it holds no dated payments")
    unit = _unit_dollars(name, book)
    window = (
        bundle_windows(book) if name == "medical" else Window(np.full(len(book), np.inf), np.full(len(book), np.inf))
    )
    inside = np.isin(payments.category, [CATEGORY_CODE[category] for category in ACCOUNT_CATEGORIES[name]])
    unseen = inside & (payments.day >= window.begins[payments.claim]) & (payments.day < window.ends[payments.claim])
    unusable = inside & ~np.isfinite(unit[payments.claim])
    kept = inside & ~unseen & ~unusable
    if not kept.any() or payments.amount[kept].sum() <= 0:
        return _Account(None, f"the ledger holds no {name} payments to fit rates on", None, ())
    growth = np.exp(trends.growth(name) * (book.valuation_day - payments.day[kept]))
    claim, amount = payments.claim[kept], payments.amount[kept] * growth
    cells = late.end_a_bin(grid)
    cell = payment_cells(book, cells)[kept]
    paid = sp.csr_array((amount / unit[claim], (claim, cell)), shape=(len(book), cells.n_cells))
    usable = np.isfinite(unit).astype(np.float64)
    until = late.death_days if name == "indemnity" else np.inf
    days = sp.csr_array(sp.diags_array(usable) @ exposure(book, cells, window, dead_until=until))
    rates = fit_ledger(name, (_unit_name(name), unit), book, days, paid, grid, design, late)
    decisions = [
        Decision(f"{name} payments in the fit", int(kept.sum()), f"{payments.amount[kept].sum():,.0f} dollars")
    ]
    back = np.minimum(payments.amount[kept], 0.0)
    if back.any():
        part = -back.sum() / (payments.amount[kept] - back).sum()
        meaning = (
            f"{-back.sum():,.0f} dollars, {part:.1%} of what was paid: the rates, and what is forecast by them, are "
            "net of voids and recoveries as they came"
        )
        decisions.append(Decision(f"{name} voids and recoveries", int((back < 0).sum()), meaning))
    if name == "medical":
        bundled = int(np.isfinite(window.begins).sum())
        lost = float(exposure(book, grid).sum() - exposure(book, grid, window).sum())
        meaning = (
            f"left the medical fit from the trigger to return or MMI: {lost:,.0f} days, {int(unseen.sum()):,} payments"
        )
        decisions.append(Decision("bundled claims", bundled, meaning))
    if unusable.any():
        meaning = "left out: the claim's weekly benefit is not known"
        decisions.append(Decision(f"{name} payments", int(unusable.sum()), meaning))
    shares = category_shares(cell, payments.category[kept], amount, cells)
    return _Account(rates, "", shares, tuple(decisions), late.assumptions(name))


def _summary_account(name: str, book: ClaimBook, trends: Trends, grid: CellGrid, design: Design) -> _Account:
    """Fit one account on totals to date."""
    paid = book.paid[name].to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(paid).any():
        return _Account(None, f"the claims carry no `{name}_paid`", None, ())
    missing = ~np.isfinite(paid)
    decisions = [Decision(f"claims without `{name}_paid`", int(missing.sum()), f"left out of the {name} fit")]
    assumptions = [
        Assumption(
            f"{name} dispersion", "half the variance at the average claim is lasting", "one total a claim cannot tell"
        )
    ]
    if name == "medical":
        bundled = _bundled(book)
        paid = np.where(bundled, np.nan, paid)
        decisions.append(Decision("bundled claims", int(bundled.sum()), "left out of the medical fit: care unseen"))
    if name == "indemnity":
        paid = (paid - statutory_to_date(book)) / _unit_dollars(name, book)
    else:
        paid = paid * _summary_level(name, book, trends)
    rates = fit_summary(name, _unit_name(name), book, exposure(book, grid), paid, grid, design)
    if rates.days.sum() == 0:
        return _Account(None, f"no claim with `{name}_paid` has days in any state", None, tuple(decisions))
    if np.nansum(paid) <= 0:
        source = "paid to date does not exceed the temporary total benefit the law owes for the days off"
        assumptions.append(Assumption(f"{name} beyond temporary total benefits", "none", source))
    unplaced = int(((np.nan_to_num(paid) != 0) & (rates.claim_expected == 0)).sum())
    decisions.append(Decision(f"{name} totals without days in a fitted cell", unplaced, "left out of the fit"))
    assumptions.append(_unseen_kinds(name, rates))
    later = "totals to date show nothing of times after a return that no claim has reached"
    assumptions.append(Assumption(f"{name} later after a return than any claim has been", "none", later))
    return _Account(rates, "", None, tuple(decisions), tuple(assumptions))


def _unseen_kinds(name: str, rates: PaymentRates) -> Assumption:
    """State which states pay nothing because too few claims were seen in them."""
    by_state = rates.rate.reshape(len(KIND_OF_STATE), -1).sum(axis=1) > 0
    words = "only states off work" if not by_state[KIND_OF_STATE > 0].any() else "states seen often enough"
    source = "too few claims with dated days in the other states; what they cost is in those seen"
    return Assumption(f"{name} is paid in", words, source)


def _claim_factor(book: ClaimBook, medical: PaymentRates, grid: CellGrid) -> ClaimFactor:
    """Fit each claim's own medical level, balanced among claims now in like cells."""
    position = book.position
    group = grid.group(position.state, marked_now(book), *banded_now(book))
    a_day = medical.rate[grid.cell(group, position.days_in_state)]
    kind = KIND_OF_STATE[position.state]
    operated = position.operated.astype(np.int64)
    labels = ((kind * 2 + operated) * grid.n_bands + group % grid.n_bands, kind * 2 + operated, kind)
    future = relativity(medical.relativities, book) * a_day
    return fit_factor(book, medical, future, labels)


def _common_assumptions(trends: Trends, accounts: dict[str, PaymentRates | None]) -> tuple[Assumption, ...]:
    """Return what every fit assumes."""
    found = [
        Assumption("medical trend", f"{trends.medical:.2%} a year", trends.whose()),
        Assumption("wage trend", f"{trends.wage:.2%} a year, followed by expense", trends.whose()),
    ]
    if accounts["medical"] is not None:
        source = "a claim's level is estimated on its medical payments"
        found.append(Assumption("level of indemnity and expense given medical payments", "unchanged", source))
    return tuple(found)


def _unit_name(account: str) -> str:
    """Return the unit an account is measured in."""
    one_of(account, COMPONENTS, "account")
    return "weekly benefits" if account == "indemnity" else "dollars"


def _unit_dollars(account: str, book: ClaimBook) -> Floats:
    """Return the dollars of one unit for each claim, NaN where not known, shape (n_claims,)."""
    if account != "indemnity":
        return np.ones(len(book))
    benefit = book.column("weekly_benefit")
    unit: Floats = np.where(benefit > 0, benefit, np.nan)
    return unit


def _bundled(book: ClaimBook) -> Booleans:
    """Whether each claim is in a bundle whose price has fallen due."""
    if "arrangement" not in book.claims:
        return np.zeros(len(book), dtype=np.bool_)
    bundled: Booleans = np.asarray((book.claims["arrangement"] == "bundle").to_numpy(dtype=np.bool_))
    return bundled


def _summary_level(account: str, book: ClaimBook, trends: Trends) -> Floats:
    """Return what lifts each claim's total to prices of the valuation date: paid, taken as midway through its days off.

    Shape (n_claims,); 1 for an undated book.
    """
    if book.valuation_date is None:
        return np.ones(len(book))
    midway = book.column("start_day") + book.position.days_off / 2.0
    level: Floats = np.exp(trends.growth(account) * np.maximum(book.valuation_day - midway, 0.0))
    return level
