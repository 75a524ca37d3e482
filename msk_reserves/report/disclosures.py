"""What an actuary must be able to read off a reserve report, line by line."""

from dataclasses import dataclass

import pandas as pd

from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import CATEGORIES
from msk_reserves.reserves.forecast import Forecast


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One line: what is disclosed, what holds here, and the standard that asks for it."""

    item: str
    statement: str
    basis: str


def disclosures(forecast: Forecast) -> tuple[Disclosure, ...]:
    """Return the disclosures of a forecast in the order of ASOP 43, with what the software cannot know said to be so.

    Parameters
    ----------
    forecast : the forecast.

    Notes
    -----
    Items follow Actuarial Standards of Practice 43 (unpaid claim estimates, sections 3.3 and 4.1), 20 (discounting),
    23 (data quality), 41 (communications) and 56 (modelling).
    """
    return (*_what_is_estimated(forecast), *_what_it_rests_on(forecast))


def _what_is_estimated(forecast: Forecast) -> tuple[Disclosure, ...]:
    """Return purpose, measure, and what the dollars are."""
    made = forecast.manifest
    known = [name for name in ("medical", "indemnity", "expense") if name not in _missing(forecast)]
    return (
        Disclosure(
            "Purpose",
            "to set what is owed on these claims under one contract beside what is owed under another. Intended use "
            "and users, the responsible actuary and the date of review are for whoever files this page to add",
            "ASOP 41; ASOP 43, 4.1",
        ),
        Disclosure(
            "Intended measure",
            "the mean over the simulated scenarios (an actuarial central estimate). Every other figure is labelled as "
            "the quantile, tail mean or standard deviation it is",
            "ASOP 43, 3.3.a",
        ),
        Disclosure(
            "Gross or net",
            "gross of reinsurance, deductibles, second-injury funds and of recoveries on claims above what is usual: "
            "negative payments, voids and recoveries, lower the rates, so that the figures are net of them as they "
            "came in the past. Whether a bundle's seller can pay is not modelled",
            "ASOP 43, 3.3.b and c",
        ),
        Disclosure(
            "Time value",
            "nominal dollars, undiscounted, without a risk margin; payments from the valuation date to "
            f"{made.horizon_days:,.0f} days after it. Nothing is held for payments beyond",
            "ASOP 20",
        ),
        Disclosure("Components", _components(known, forecast), "ASOP 43, 3.3.d"),
    )


def _what_it_rests_on(forecast: Forecast) -> tuple[Disclosure, ...]:
    """Return claims, dates, uncertainty, data and models."""
    return (
        Disclosure("Claims covered", covered_claims(forecast.book), "ASOP 43, 3.3.e"),
        Disclosure("Claims not yet reported", _unreported(forecast), "ASOP 43, 3.3.e"),
        Disclosure("Dates", _dates(forecast.book, forecast.manifest.as_of), "ASOP 43, 4.1"),
        Disclosure("Uncertainty", forecast.what_a_band_holds(), "ASOP 43, 3.6.8 and 4.1"),
        Disclosure(
            "Basis of the ranges",
            "equal-tailed quantiles of the same scenarios the mean is taken over; they are not limits of reasonable "
            "estimates and not confidence limits of the mean",
            "ASOP 43, 4.1",
        ),
        Disclosure(
            "Change from a prior estimate",
            "none shown: no earlier estimate was given to this run",
            "ASOP 43, 4.1",
        ),
        Disclosure(
            "Data",
            "taken as supplied and held against the rules of the data model; not audited and not reconciled to other "
            f"records. {_set_aside(forecast)}",
            "ASOP 23",
        ),
        Disclosure(
            "Models",
            "the methods, their assumptions with sources, and every rule applied to the data with its count are listed "
            "below. The same inputs, seed and versions give the same figures",
            "ASOP 56",
        ),
    )


def covered_claims(book: ClaimBook) -> str:
    """Return which claims are in the figures: how many, injured when, where, and in which part of the body."""
    claims = book.claims
    told = [f"{len(book):,} reported workers' compensation claims, lost-time and medical-only as supplied"]
    if book.valuation_date is not None and "injury_date" in claims.columns:
        dates = pd.to_datetime(claims["injury_date"])
        told.append(f"injured {dates.min().date()} to {dates.max().date()}")
    if "jurisdiction" in claims.columns:
        places = sorted(claims["jurisdiction"].dropna().astype(str).unique())
        if places:
            told.append(f"under the law of {', '.join(places)}")
    counts = claims["body_part"].value_counts()
    parts = [f"{str(name).replace('_', ' ')} {n:,}" for name, n in sorted(counts.items(), key=lambda one: -one[1])]
    told.append(f"body part {', '.join(parts)}")
    return "; ".join(told)


def _unreported(forecast: Forecast) -> str:
    """Return where claims not yet reported are."""
    if forecast.ibnr is None:
        return f"not in any figure: {forecast.ibnr_reason}"
    return f"{forecast.ibnr_reason}; {forecast.ibnr!r}"


def _missing(forecast: Forecast) -> dict[str, str]:
    """Return why components are absent, the same under every contract."""
    return dict(next(iter(forecast.reserves.values())).missing)


def _components(known: list[str], forecast: Forecast) -> str:
    """Return what the figures add up, with the payment categories of expense by name."""
    told = f"{', '.join(known)}; the total adds these"
    if "expense" in known:
        inside = ", ".join(name.replace("_", " ") for name, of in CATEGORIES.items() if of == "expense")
        told += f". Expense is what is allocated to a claim ({inside}); other cost of handling claims is not in"
    return told + "".join(f". {name} is not in any figure: {reason}" for name, reason in _missing(forecast).items())


def _dates(book: ClaimBook, as_of: str) -> str:
    """Return the dates of the estimate."""
    if book.valuation_date is None:
        return "the claims carry no dates: there is no valuation date, and prices are those of the claims' own time"
    return (
        f"valuation date {as_of}, taken as the accounting date too; nothing recorded after that evening is used, so "
        "the information date is the same"
    )


def _set_aside(forecast: Forecast) -> str:
    """Return what was left out for its defects."""
    away = forecast.set_aside
    if not away.claim_ids:
        return "No claim was set aside"
    return f"{len(away.claim_ids):,} claims with ${away.paid:,.0f} paid were set aside for defects and are in no figure"
