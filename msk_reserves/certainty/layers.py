"""Layers of uncertainty: process, systemic, parameter and model, told apart by freezing the later ones in turn."""

from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd
from scipy import stats

from msk_reserves._checks import Floats, not_negative, one_of, positive, whole
from msk_reserves.certainty.like_claims import SIZES
from msk_reserves.certainty.runs import DRAWS, WITHIN, add_up, plan_with, run_rows, scopes_of, settled
from msk_reserves.claims.book import ClaimBook
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.fixed_price import InForce
from msk_reserves.contracts.terms import Contract
from msk_reserves.cost.record import Cost, CostDraws
from msk_reserves.episodes.laws import exits, laws_of
from msk_reserves.episodes.money import money_of
from msk_reserves.episodes.plan import Plan
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.recovery.path.selection import Candidate
from msk_reserves.reserves.distribution import PARTS, ReserveDistribution
from msk_reserves.reserves.pooled import check_components, on_claims

WITHIN_MEAN = (0.05, 0.1, 0.2)
"""Shares of the mean within which an actual counts as near it."""

PROCESS, SYSTEMIC, PARAMETER, MODEL = LAYERS = ("process", "systemic", "parameter", "model")
"""Chance with everything known; what moves all claims; parameters not known; which law is right not known."""


def nested_variance(values: Floats, n_draws: int) -> tuple[float, float]:
    """Return the variance within draws of the parameters and that between them, chance taken out.

    Parameters
    ----------
    values : dollars by scenario, those of one draw in a row; shape (n_scenarios,).
    n_draws : draws behind them.

    Returns
    -------
    tuple
        Mean variance within a draw; variance of the draws' means less that within over the scenarios of a draw. The
        second may be negative where it is small.

    Examples
    --------
    >>> nested_variance(np.array([0.0, 2.0, 10.0, 12.0]), 2)
    (2.0, 49.0)
    """
    rows = values.reshape(whole(n_draws, "n_draws", at_least=2), -1)
    within = float(rows.var(axis=1, ddof=1).mean())
    return within, float(rows.mean(axis=1).var(ddof=1)) - within / rows.shape[1]


def lognormal_measures(mean: float, variation: float) -> dict[str, float]:
    """Return measures of certainty of a lognormal total, in closed form.

    Parameters
    ----------
    mean : dollars.
    variation : standard deviation over mean.

    Returns
    -------
    dict
        Coefficient of variation; width of the 90 % band, capital (tail mean beyond 99 % less mean), dollars; and the
        probability of an actual within 5, 10 and 20 % of the mean. A few claims are more skewed than that.

    Examples
    --------
    >>> round(lognormal_measures(1.0, 0.1)["actual within 10%"], 4)
    0.6855
    """
    sigma = float(np.sqrt(np.log1p(not_negative(variation, "variation") ** 2)))
    middle = positive(mean, "mean") * np.exp(-(sigma**2) / 2)
    edge = stats.norm.ppf(0.95)
    found = {
        "coefficient of variation": variation,
        "90% band, width": float(middle * 2 * np.sinh(edge * sigma)),
        "tail mean less mean, 99%": float(mean * (stats.norm.cdf(sigma - stats.norm.ppf(0.99)) / 0.01 - 1)),
    }
    for within in WITHIN_MEAN:
        if sigma == 0:
            found[f"actual within {within:.0%}"] = 1.0
            continue
        ends = stats.norm.cdf((np.log1p([-within, within]) + sigma**2 / 2) / sigma)
        found[f"actual within {within:.0%}"] = float(ends[1] - ends[0])
    return found


@dataclass(frozen=True, slots=True, eq=False)
class UncertaintyLayers:
    """Reserves with more and more uncertainty in them, on the same random numbers.

    Attributes
    ----------
    reserves : by contract and layer: with process alone, with systemic too, with parameters too, with laws too.
    n_claims : claims in the book.
    systemic : the systemic risk assumed.
    """

    reserves: Mapping[str, Mapping[str, ReserveDistribution]]
    n_claims: int
    systemic: SystemicRisk

    def variance(self, contract: str, part: str = "total") -> dict[str, float]:
        """Return what each layer adds to the variance of a reserve, dollars squared; chance may make one negative."""
        found, before = {}, 0.0
        for layer, reserve in self._of(contract).items():
            now = float(reserve.scenarios(part).var(ddof=1))
            found[layer], before = now - before, now
        return found

    def to_frame(self) -> pd.DataFrame:
        """Return what each layer adds to the variance of each reserve.

        Returns
        -------
        pandas.DataFrame
            One row a contract, part and layer: variance added, its simulation error, the share of the whole, and the
            standard deviation up to and with the layer.
        """
        rows = []
        for contract, reserves in self.reserves.items():
            for part in reserves[MODEL].parts():
                added = self.variance(contract, part)
                whole_ = sum(added.values())
                before = None
                for layer, reserve in reserves.items():
                    error = _error(reserve, before, part)
                    share = added[layer] / whole_ if whole_ > 0 else 0.0
                    sd = reserve.standard_deviation(part)
                    rows.append((contract, part, layer, added[layer], error, share, sd))
                    before = reserve
        columns = ["contract", "component", "layer", "variance", "simulation error", "share", "sd up to it"]
        return pd.DataFrame(rows, columns=columns).set_index(["contract", "component", "layer"])

    def variation(self, contract: str, n: int, part: str = "total") -> float:
        """Return the coefficient of variation of a book of `n` claims like these.

        Process risk falls with the number of claims; the others, common to all, do not: CV^2(n) = process / n + common.
        """
        process, common = self._per_claim(contract, part)
        return float(np.sqrt(process / whole(n, "n", at_least=1) + common))

    def process_equals_common(self, contract: str, part: str = "total") -> float:
        """Return the number of claims at which process risk and what all claims share are equal; infinite without."""
        process, common = self._per_claim(contract, part)
        return process / common if common > 0 else float("inf")

    def by_size(self, part: str = "total", sizes: tuple[int, ...] = SIZES) -> pd.DataFrame:
        """Return the coefficient of variation by number of claims, one column a contract; the book's own size too."""
        every = sorted({*sizes, self.n_claims})
        columns = {name: [self.variation(name, n, part) for n in every] for name in self.reserves}
        return pd.DataFrame(columns, index=pd.Index(every, name="claims"))

    def measures_by_size(self, contract: str, part: str = "total", sizes: tuple[int, ...] = SIZES) -> pd.DataFrame:
        """Return measures of certainty by number of claims like these, and the book's own, as `lognormal_measures`.

        Parameters
        ----------
        contract, part : which reserve.
        sizes : numbers of claims.
        """
        a_claim = self._of(contract)[MODEL].mean(part) / self.n_claims
        every = sorted({*sizes, self.n_claims})
        rows = [lognormal_measures(n * a_claim, self.variation(contract, n, part)) for n in every]
        table = pd.DataFrame(rows, index=pd.Index(every, name="claims"))
        table.insert(0, "mean", [n * a_claim for n in every])
        return table

    def statement(self, contract: str, part: str = "total") -> str:
        """Say in words what a band of a reserve contains, and how much of it each layer is."""
        added = self.variance(contract, part)
        whole_ = sum(added.values())
        told = ", ".join(f"{name} {added[name] / whole_ if whole_ > 0 else 0:.0%}" for name in LAYERS)
        equal = self.process_equals_common(contract, part)
        number = f"{equal:,.0f} claims like these" if np.isfinite(equal) else "no number of claims"
        return (
            f"{contract}, {part}: of the variance of a predictive band {told}; process risk equals what all claims "
            f"share at {number}, the book has {self.n_claims:,}"
        )

    def __str__(self) -> str:
        return "\n".join(self.statement(name) for name in self.reserves)

    def __repr__(self) -> str:
        return str(self)

    def _of(self, contract: str) -> Mapping[str, ReserveDistribution]:
        """Return the reserves of one contract by layer."""
        return self.reserves[one_of(contract, self.reserves, "contract")]

    def _per_claim(self, contract: str, part: str) -> tuple[float, float]:
        """Return squared coefficients of variation: of process for one claim, and of what all claims share."""
        one_of(part, PARTS, "part")
        mean = self._of(contract)[MODEL].mean(part)
        added = self.variance(contract, part)
        if mean == 0:
            return float("nan"), float("nan")
        common = max(sum(added[name] for name in LAYERS[1:]), 0.0)
        return added[PROCESS] * self.n_claims / mean**2, common / mean**2


def _error(reserve: ReserveDistribution, before: ReserveDistribution | None, part: str) -> float:
    """Return the simulation error of the variance a layer adds, scenario by scenario and by batches of a draw."""
    centred = [np.square(one.scenarios(part) - one.mean(part)) for one in (reserve, before) if one is not None]
    change = centred[0] - centred[1] if len(centred) == 2 else centred[0]
    # Scenarios of frozen parameters are independent; of drawn ones those of a draw are not.
    batches = change.reshape(reserve.n_draws, -1).mean(axis=1) if reserve.n_draws > 1 else change
    return float(batches.std(ddof=1) / np.sqrt(len(batches)))


def uncertainty_layers(
    book: ClaimBook,
    recovery: Recovery,
    cost: Cost,
    contracts: Mapping[str, Contract | Agreement],
    *,
    scenarios: int = DRAWS * WITHIN,
    draws: int = DRAWS,
    seed: int = 20260101,
    systemic: SystemicRisk | None = None,
    in_force: InForce | None = None,
    executor: Executor | None = None,
) -> UncertaintyLayers:
    """Value the claims four times on the same random numbers, each time with one more layer of uncertainty.

    Parameters
    ----------
    book : the claims as of the valuation date.
    recovery, cost : models fitted to claims; usually to the same book.
    contracts : terms by name.
    scenarios : futures a claim, a multiple of `draws`.
    draws : parameter draws of the last two layers, a multiple of 5 up to 500.
    seed : reproduces every number.
    systemic : the systemic risk assumed; the printed default when not given.
    in_force : terms of the bundles claims are already in.
    executor : any `concurrent.futures` executor; threads on all cores when not given.

    Returns
    -------
    UncertaintyLayers
        Process: estimates of the best law of each move, no common factors. Systemic: these factors too. Parameter:
        draws of the parameters of the best laws, and of the cost model. Model: the laws drawn by their weights too.

    Raises
    ------
    ValueError
        If there is no contract, or `scenarios` and `draws` do not fit.
    """
    if not contracts:
        raise ValueError("`contracts` is empty; give at least one, such as {'fee for service': FeeForService()}")
    recovery.check_states_of_a_book()
    terms = {name: on_claims(one) for name, one in contracts.items()}
    own = in_force or InForce()
    scopes, risk = scopes_of((*terms.values(), own), ()), systemic or SystemicRisk()
    size = {"scenarios": scenarios, "draws": draws, "seed": seed}
    last = plan_with(book, recovery, cost, scopes, **size, systemic=risk)
    check_components({**terms, "in_force": own}, last.missing)
    best = plan_with(book, _best_laws(recovery), cost, scopes, **size, systemic=risk)
    known = _frozen(last, recovery, cost, book)
    plans = {
        PROCESS: replace(known, systemic=np.ones_like(known.systemic)),
        SYSTEMIC: known,
        PARAMETER: best,
        MODEL: last,
    }
    work = partial(add_up, contracts=tuple(terms.values()), in_force=own)
    found: dict[str, dict[str, ReserveDistribution]] = {name: {} for name in terms}
    for layer, plan in plans.items():
        owed, _ = settled(terms, own, plan, run_rows(plan, np.arange(plan.n_claims), work, executor))
        for name, dollars in zip(terms, owed, strict=True):
            found[name][layer] = ReserveDistribution(name, dollars, plan.missing, plan.n_draws)
    return UncertaintyLayers(found, last.n_claims, risk)


def _best_laws(recovery: Recovery) -> Recovery:
    """Return the recovery with the best law of each move only (least AIC of those that carry weight)."""
    alone: dict[int, tuple[Candidate, ...]] = {}
    fitted = []
    for move in recovery.fitted:
        kept = move.kept()
        if not kept:
            fitted.append(move)
            continue
        best = min(kept, key=lambda one: one.fit.aic)
        # One tuple for all moves that share their laws: they share the draws by it.
        laws = alone.setdefault(
            id(move.candidates), tuple(replace(one, weight=float(one is best)) for one in move.candidates)
        )
        # Refits are by law among those that carry weight.
        refits = tuple(one for law, one in zip(kept, move.refits, strict=False) if law is best)
        fitted.append(replace(move, candidates=laws, refits=refits))
    return replace(recovery, fitted=tuple(fitted))


def _frozen(plan: Plan, recovery: Recovery, cost: Cost, book: ClaimBook) -> Plan:
    """Return a plan with the estimates in the place of all draws."""
    moves = recovery.point()
    accounts = {name: one for name, one in cost.accounts.items() if one is not None}
    drawn = CostDraws(
        rates={name: one.rate[None, :] for name, one in accounts.items()},
        coefficients={name: one.relativities.coefficients[None, :] for name, one in accounts.items()},
        dispersion=dict(plan.dispersion),
        factor_table=plan.factor,
        accounts=accounts,
    )
    return replace(
        plan,
        n_draws=1,
        exits=exits(moves),
        laws=laws_of(moves, plan.design.shape[1]),
        money=money_of(cost, drawn, plan.components, plan.scopes),
        relativity={name: drawn.relativity(name, book).astype(np.float32) for name in plan.components},
    )
