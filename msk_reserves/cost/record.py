"""What a fitted cost model holds, and how its uncertainty is drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from msk_reserves._checks import Floats, finite, whole
from msk_reserves.claims.book import Assumption, ClaimBook, Decision, Judged
from msk_reserves.claims.vocabulary import CATEGORIES, CATEGORY_CODE, COMPONENTS
from msk_reserves.cost.cells import CellGrid
from msk_reserves.cost.factor import ClaimFactor, describe
from msk_reserves.cost.rates import PaymentRates, rate_table
from msk_reserves.cost.relativities import relativity_draws

ACCOUNT_CATEGORIES: Mapping[str, tuple[str, ...]] = {
    component: tuple(name for name, of in CATEGORIES.items() if of == component and name not in ("bundle_fee", "ttd"))
    for component in COMPONENTS
}
"""Categories in each account: temporary total benefits follow from the path by law, bundle fees from a contract."""


@dataclass(frozen=True, slots=True)
class Trends(Judged):
    """Yearly growth of prices, and where it comes from.

    Attributes
    ----------
    medical : growth of medical payments for the same care, a year.
    wage : growth of wages, which expense follows, a year.
    source : where the figures come from.
    """

    medical: float = 0.035
    wage: float = 0.035
    source: str = "judgement: medical prices about 2.0 % a year and use of care 1.5 %, wages 3.5 %"

    def __post_init__(self) -> None:
        for name in ("medical", "wage"):
            if finite(getattr(self, name), name) <= -1:
                raise ValueError(f"`{name}` must be above -1 (0.035 for 3.5 % a year), got {getattr(self, name)!r}")

    def growth(self, account: str) -> float:
        """Return the growth of an account's price level, a day (continuous)."""
        yearly = {"medical": self.medical, "indemnity": 0.0, "expense": self.wage}[account]
        return float(np.log1p(yearly) / 365.25)


@dataclass(frozen=True, slots=True, eq=False)
class CostDraws:
    """Draws of a cost model's parameters.

    Attributes
    ----------
    rates : units a day by account, shape (n_draws, n_cells).
    coefficients : log relativities by account, shape (n_draws, n_columns).
    dispersion : variance over mean by account, in units.
    factor_table : quantiles of each claim's medical level on an even grid of -log(1 - u) from 0 to 16, for the claims
        the model was fitted to, shape (n_claims, 257).
    accounts : the fitted accounts.
    """

    rates: Mapping[str, Floats]
    coefficients: Mapping[str, Floats]
    dispersion: Mapping[str, float]
    factor_table: Floats
    accounts: Mapping[str, PaymentRates]

    def relativity(self, account: str, book: ClaimBook) -> Floats:
        """Return each claim's multiplier of the rates under each draw, shape (n_claims, n_draws)."""
        if account not in self.accounts:
            raise ValueError(f"`account` must be one of {', '.join(self.accounts)}, got {account!r}")
        return relativity_draws(self.accounts[account].relativities, self.coefficients[account], book)


@dataclass(frozen=True, slots=True, eq=False)
class Cost:
    """Payment rates along the path, relativities and levels of claims: what care, benefits and handling cost.

    The expected payments of a claim in an account are its relativity times the sum over cells of rate times days, and
    for medical times the claim's own level.

    Attributes
    ----------
    grid : the cells.
    depth : "ledger" or "summary".
    accounts : fitted rates by component, None where the claims cannot tell.
    reasons : why an account is None.
    factor : levels of the claims given their medical payments so far, or None without a medical account.
    shares : share of each category in each account's payments by group of cells, shape (n_groups, n_categories), in
        the order of the vocabulary; empty at summary depth.
    trends : growth of prices.
    n_claims : claims fitted on.
    beside : the recovery model fitted beside it, in words; the rates do not depend on it.
    assumptions, decisions : what was assumed, and what was done to the data, with counts.
    """

    grid: CellGrid
    depth: str
    accounts: Mapping[str, PaymentRates | None]
    reasons: Mapping[str, str]
    factor: ClaimFactor | None
    shares: Mapping[str, Floats]
    trends: Trends
    n_claims: int
    beside: str
    assumptions: tuple[Assumption, ...]
    decisions: tuple[Decision, ...]

    def growth(self, account: str) -> float:
        """Return the growth of an account's price level, a day."""
        return self.trends.growth(account)

    def share(self, account: str, categories: Sequence[str]) -> Floats:
        """Return the share of an account's payments in some categories, by group of cells, shape (n_groups,).

        Raises
        ------
        ValueError
            If a category is unknown, or only some of an account's are named and the claims carry no categories.
        """
        unknown = [name for name in categories if name not in CATEGORIES]
        if unknown:
            raise ValueError(f"`categories` must be payment categories, got {unknown[0]!r}")
        named = set(categories) & set(ACCOUNT_CATEGORIES[account])
        if account in self.shares:
            inside = [CATEGORY_CODE[name] for name in sorted(named)]
            share: Floats = self.shares[account][:, inside].sum(axis=1)
            return share
        if named and named != set(ACCOUNT_CATEGORIES[account]):
            left_out = sorted(set(ACCOUNT_CATEGORIES[account]) - named)
            raise ValueError(
                f"`categories` must name all {account} categories or none where payments are known only as totals; "
                f"{', '.join(left_out)} left out; give dated payments to price a narrower scope"
            )
        return np.full(self.grid.n_groups, float(bool(named)))

    def draw(self, n_draws: int, seed: int) -> CostDraws:
        """Draw the parameters: rates by Bayesian bootstrap over claims, relativities normal, keyed by seed and account.

        Parameters
        ----------
        n_draws : draws.
        seed : reproduces them; one account's draws do not depend on the others.
        """
        whole(n_draws, "n_draws", at_least=1)
        whole(seed, "seed")
        fitted = {name: account for name, account in self.accounts.items() if account is not None}
        rates, coefficients = {}, {}
        for name, account in fitted.items():
            stream = COMPONENTS.index(name)
            rates[name] = account.evidence.draw(n_draws, np.random.default_rng([seed, stream, 0]))
            coefficients[name] = _normal_draws(account, n_draws, np.random.default_rng([seed, stream, 1]))
        table = np.ones((self.n_claims, 257)) if self.factor is None else self.factor.inverse
        dispersion = {name: account.dispersion for name, account in fitted.items()}
        return CostDraws(rates, coefficients, dispersion, table, fitted)

    def __repr__(self) -> str:
        known = [name for name, account in self.accounts.items() if account is not None]
        return f"cost of {self.n_claims:,} claims at {self.depth} depth: {', '.join(known) or 'no account'}"

    def __str__(self) -> str:
        lines = [repr(self)]
        for name, account in self.accounts.items():
            if account is None:
                lines.append(f"\n{name}: not fitted, {self.reasons[name]}")
                continue
            lines.append(f"\n{account}")
            lines.append(f"{account.unit} a day:\n{rate_table(account, self.grid).T.round(2).to_string()}")
            if account.relativities.design.columns:
                lines.append(f"{account.relativities.table().round(2).to_string()}")
        if self.factor is not None:
            lines.append(f"\n{self.factor.prior}\n{describe(self.factor).round(2)}")
        lines += [f"assumed: {a.name}: {a.value} ({a.source})" for a in self.assumptions]
        lines += [f"done: {d.rule}: {d.count:,} ({d.meaning})" for d in self.decisions]
        return "\n".join(lines)


def _normal_draws(account: PaymentRates, n_draws: int, rng: np.random.Generator) -> Floats:
    """Draw log relativities from their normal approximation, shape (n_draws, n_columns)."""
    values, vectors = np.linalg.eigh(account.relativities.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normal = rng.standard_normal((n_draws, len(values)))
    draws: Floats = account.relativities.coefficients + normal @ root.T
    return draws
