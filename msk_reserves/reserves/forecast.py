"""The main job: every claim that may still cost something, simulated once and valued under every contract."""

from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd

from msk_reserves._checks import Floats, one_of, whole
from msk_reserves.claims.book import Assumption, ClaimBook, SetAside
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.contracts.agreements.agreement import Agreement
from msk_reserves.contracts.agreements.bearer import BearerMargin
from msk_reserves.contracts.agreements.futures import added_sums
from msk_reserves.contracts.agreements.on_claims import AgreementOnClaims
from msk_reserves.contracts.agreements.reconciliation import Reconciliation
from msk_reserves.contracts.fixed_price import InForce
from msk_reserves.contracts.terms import Contract, FeeForService, Sums
from msk_reserves.cost.record import Cost
from msk_reserves.episodes.engine import run_blocks
from msk_reserves.episodes.plan import Plan, make_plan
from msk_reserves.episodes.systemic import SystemicRisk
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.reserves.distribution import PARTS, ReserveDistribution
from msk_reserves.reserves.late_reports import LateReports, NotYetReported, ask_late_reports, reserve_unreported
from msk_reserves.reserves.manifest import Manifest, valuation, versions
from msk_reserves.reserves.pooled import (
    IN_FORCE,
    Run,
    assumptions_of,
    check_components,
    in_force_on,
    on_claims,
    settle_pools,
    share_pools,
)
from msk_reserves.reserves.reduce import CLAIM_FIGURES, WORKER_FIGURES, reduce_block

HORIZON_DAYS = 3640
"""520 weeks: how far medical care is followed when no other horizon is asked for."""

PATHS_METHOD = (
    "semi-Markov paths with clocks that restart on entry, but for attorneys, simulated as the first of independent "
    "latent exits; payments compound Poisson around the expected cost of the path"
)


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Unpaid cost of the reported claims of one book under several contracts, on the same futures.

    Attributes
    ----------
    book : the claims.
    reserves : the distribution under each contract, by its name.
    claims : figures by claim, contract and part; shape (n_contracts, 4, n_claims, 5), parts and figures in the order of
        `PARTS` and `CLAIM_FIGURES`.
    workers : remaining days off (mean, median) and chance of full duty within 26 weeks, NaN for workers who are neither
        off work nor on modified duty; shape (n_claims, 3).
    taken_over : claims valued under each contract's own terms; the rest stay fee for service or in their bundle.
    bundled : claims in a bundle already.
    systemic : the systemic risk assumed.
    closed_files : the part of every reserve that is on files now closed: late bills, and what follows if they are
        reopened. None of them is taken over, so that it is the same under every contract.
    ibnr : the reserve for claims not yet reported, in none of the others; None where there is none.
    ibnr_reason : why there is none, or that it stands apart.
    manifest : what the result was made from.
    reconciliations : what agreements settle by pool in every future, by the contract's name; that of an agreement in
        force as `in force`. A pool's result is in the reserve, and shown by claim by target price.
    bearers : margin of those who bear the risk of bundles and agreements, keyed alike, on the same futures.
    """

    book: ClaimBook
    reserves: Mapping[str, ReserveDistribution]
    claims: Floats
    workers: Floats
    taken_over: Mapping[str, int]
    bundled: int
    systemic: SystemicRisk
    closed_files: ReserveDistribution
    ibnr: NotYetReported | None
    ibnr_reason: str
    manifest: Manifest
    reconciliations: Mapping[str, Reconciliation] = field(default_factory=dict)
    bearers: Mapping[str, BearerMargin] = field(default_factory=dict)

    @property
    def set_aside(self) -> SetAside:
        """Claims left out for their defects."""
        return self.book.set_aside

    def with_unreported(self, contract: str) -> ReserveDistribution:
        """Return the distribution of unpaid cost of all claims that have happened, reported or not, under a contract.

        The dollars of both are added scenario by scenario.

        Raises
        ------
        ValueError
            If the contract is not in the forecast, or claims not yet reported are not.
        """
        one_of(contract, self.reserves, "contract")
        if self.ibnr is None:
            raise ValueError(f"claims not yet reported are not in this forecast: {self.ibnr_reason}")
        reported, unreported = self.reserves[contract], self.ibnr.reserve
        totals = {name: reported.scenarios(name) + unreported.scenarios(name) for name in reported.totals}
        return ReserveDistribution(f"{contract}, reported or not", totals, reported.missing, reported.n_draws)

    def claim_table(self) -> pd.DataFrame:
        """Return one row a claim, contract and component, in the columns of `claims.csv`.

        Remaining days and the chance of return are empty for workers who are neither off work nor on modified duty.
        """
        parts = [part for part in PARTS if part == "total" or part in next(iter(self.reserves.values())).totals]
        frames = []
        for place, contract in enumerate(self.reserves):
            for part in parts:
                frame = pd.DataFrame(self.claims[place, PARTS.index(part)], columns=list(CLAIM_FIGURES))
                frame.insert(0, "claim_id", self.book.claims["claim_id"].to_numpy())
                frame.insert(1, "contract", contract)
                frame.insert(2, "component", part)
                for column, name in enumerate(WORKER_FIGURES):
                    frame[name] = self.workers[:, column]
                frames.append(frame)
        table = pd.concat(frames, ignore_index=True)
        return table.sort_values(["claim_id", "contract"], kind="stable", ignore_index=True)

    def to_frame(self) -> pd.DataFrame:
        """Return the summary of every contract, one row a contract and component, dollars."""
        return pd.concat({name: reserve.to_frame() for name, reserve in self.reserves.items()}, names=["contract"])

    def __str__(self) -> str:
        counts = ", ".join(f"{n:,} {name.replace('_', ' ')}" for name, n in self.book.state_counts().items() if n)
        lines = [
            f"Unpaid cost of {len(self.book):,} reported claims, {self.manifest.as_of}: {counts}",
            self.to_frame().to_string(float_format=lambda value: f"{value:,.0f}"),
            self.what_a_band_holds(),
        ]
        lines += [
            f"{name}: {self.taken_over[name]:,} claims under its terms, {self.bundled:,} in a bundle already, "
            f"{len(self.book) - self.taken_over[name] - self.bundled:,} fee for service"
            for name in self.reserves
        ]
        n_closed = self.book.state_counts()["closed"]
        lines.append(f"of this on {n_closed:,} {self.closed_files!r} (late bills and reopenings, under every contract)")
        lines += [repr(one) for one in (*self.reconciliations.values(), *self.bearers.values())]
        if self.set_aside.claim_ids:
            lines.append(f"set aside: {len(self.set_aside.claim_ids):,} claims, paid ${self.set_aside.paid:,.0f}")
        missing = next(iter(self.reserves.values())).missing
        lines += [f"{name} is not in any figure: {reason}" for name, reason in missing.items()]
        lines += self._unreported_lines()
        return "\n".join(lines)

    def _unreported_lines(self) -> list[str]:
        """Return what is printed of claims not yet reported."""
        if self.ibnr is None:
            return [f"claims not yet reported are not in any figure: {self.ibnr_reason}"]
        low, high = self.ibnr.count_band()
        told = f"{self.ibnr.counts.mean():,.1f} expected, 90 % predictive band {low:,.0f} to {high:,.0f}"
        return [
            f"\nClaims not yet reported, in none of the figures above and the same under every contract: {told}",
            self.ibnr.reserve.to_frame().to_string(float_format=lambda value: f"{value:,.0f}"),
            *(repr(self.with_unreported(name)) for name in self.reserves),
        ]

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        html: str = self.to_frame().style.format("{:,.0f}").set_caption(self.what_a_band_holds()).to_html()
        return html

    def what_a_band_holds(self) -> str:
        """Say in words what the bands contain."""
        return (
            "Bands are predictive: they hold process, parameter, family (model weights) and systemic uncertainty "
            f"({self.systemic.assumption().value}), nominal dollars to {self.manifest.horizon_days:,.0f} days ahead. "
            "Simulation error is the standard error of the mean."
        )


def forecast(
    book: ClaimBook,
    recovery: Recovery,
    cost: Cost,
    contracts: Mapping[str, Contract | Agreement] | None = None,
    *,
    scenarios: int = 10_000,
    seed: int = 20260101,
    systemic: SystemicRisk | None = None,
    in_force: InForce | AgreementOnClaims | None = None,
    horizon_days: float = HORIZON_DAYS,
    ibnr: bool = True,
    executor: Executor | None = None,
    progress: bool | None = None,
) -> Forecast:
    """Simulate every reported claim to its end and value it under every contract.

    Parameters
    ----------
    book : the claims as of the valuation date.
    recovery, cost : models fitted to claims; usually to the same book.
    contracts : terms by the name results are keyed by; fee for service alone when not given. An `Agreement` counts all
        medical and finds what its terms read among the claims' columns; `AgreementOnClaims` says otherwise.
    scenarios : futures a claim, a multiple of 20; each draw of the parameters serves 20.
    seed : reproduces every number.
    systemic : the systemic risk assumed; the printed default when not given.
    in_force : terms of the bundles claims are already in, or the agreement they are under; the printed assumption when
        not given.
    horizon_days : how far ahead payments count.
    ibnr : whether to estimate claims not yet reported, on a line of their own, where the book can tell.
    executor : any `concurrent.futures` executor; threads on all cores when not given.
    progress : whether to show a bar; in notebooks only when not given.

    Returns
    -------
    Forecast
        Reserves by contract, figures by claim, and the manifest.

    Raises
    ------
    ValueError
        If there is no claim, no contract, or `scenarios` is not a multiple of 20.
    """
    if not len(book):
        raise ValueError("`book` holds no claim reported by its valuation date; there is nothing to forecast")
    recovery.check_states_of_a_book()
    given = {"fee for service": FeeForService()} if contracts is None else contracts
    terms = {name: on_claims(one) for name, one in given.items()}
    if not terms:
        raise ValueError("`contracts` is empty; give at least one, such as {'fee for service': FeeForService()}")
    whole(seed, "seed")
    risk = systemic or SystemicRisk()
    own = in_force_on(in_force, book) if isinstance(in_force, AgreementOnClaims) else in_force or InForce()
    scopes = tuple(dict.fromkeys(scope for one in (*terms.values(), own) for scope in one.scopes()))
    unreported_of = partial(ask_late_reports, book, cost, scenarios=scenarios, seed=seed, systemic=risk)
    planned = partial(make_plan, book, recovery, cost, scenarios=scenarios, seed=seed, systemic=risk)
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(unreported_of, horizon_days=horizon_days) if ibnr else None
        plan = planned(scopes=scopes, horizon_days=horizon_days)
        late, unreported, reason = (None, None, "not asked for") if asked is None else asked.result()
    check_components({**terms, IN_FORCE: own}, plan.missing)
    run = _run(plan, tuple(terms.values()), own, late, executor, progress=progress)
    reconciliations, bearers = settle_pools(run.totals, run.sums, terms, own, plan)
    share_pools(run, reconciliations, terms, own, plan)
    for array in (run.claims, run.workers):
        array.flags.writeable = False
    reserves = {}
    for place, (name, contract) in enumerate(terms.items()):
        by_component = dict(zip(COMPONENTS, run.totals[place], strict=True))
        settled = contract.settle({part: by_component[part] for part in COMPONENTS if part in plan.components})
        reserves[name] = ReserveDistribution(name, settled, plan.missing, plan.n_draws)
    found = None if unreported is None else reserve_unreported(unreported, run.unreported, plan)
    return Forecast(
        book=book,
        reserves=reserves,
        claims=run.claims,
        workers=run.workers,
        taken_over={name: _taken_over(contract, plan) for name, contract in terms.items()},
        bundled=int(plan.takeover.bundled.sum()),
        systemic=risk,
        closed_files=_closed_files(run.closed, plan),
        ibnr=found,
        ibnr_reason=reason,
        manifest=_manifest(book, recovery, cost, terms, own, risk, plan, found),
        reconciliations=reconciliations,
        bearers=bearers,
    )


def _run(
    plan: Plan,
    contracts: tuple[Contract, ...],
    in_force: InForce | AgreementOnClaims,
    late: LateReports | None,
    executor: Executor | None,
    *,
    progress: bool | None,
) -> Run:
    """Run the blocks and put their results together in a fixed order."""
    totals = np.zeros((len(contracts), len(COMPONENTS), plan.scenarios))
    claims = np.empty((len(contracts), len(PARTS), plan.n_claims, len(CLAIM_FIGURES)))
    workers = np.empty((plan.n_claims, len(WORKER_FIGURES)))
    closed, unreported = (np.zeros((size, plan.scenarios)) for size in (len(COMPONENTS), len(COMPONENTS) + 1))
    targets = np.empty((len(contracts) + 1, plan.n_claims))
    sums: list[Sums] = [{} for _ in targets]
    work = partial(reduce_block, contracts=contracts, in_force=in_force, late=late)
    for rows, block in run_blocks(plan, work, executor=executor, progress=progress):
        totals += block.totals
        claims[:, :, rows] = block.claims
        workers[rows] = block.workers
        closed += block.closed
        unreported += block.unreported
        targets[:, rows] = block.targets
        sums = [added_sums(pair) for pair in zip(sums, block.sums, strict=True)]
    return Run(totals, claims, workers, targets, tuple(sums), closed, unreported)


def _closed_files(totals: Floats, plan: Plan) -> ReserveDistribution:
    """Return the part of the reserves on files now closed."""
    kept = {name: totals[place].copy() for place, name in enumerate(COMPONENTS) if name in plan.components}
    return ReserveDistribution("files now closed", kept, plan.missing, plan.n_draws)


def _taken_over(contract: Contract, plan: Plan) -> int:
    """Count the claims a contract takes over on the valuation date."""
    admits = getattr(contract, "admits", None)
    if admits is None:
        return int(plan.takeover.eligible.sum()) if contract.scopes() else 0
    return int((plan.takeover.eligible & admits(plan.takeover.claims)).sum())


def _manifest(
    book: ClaimBook,
    recovery: Recovery,
    cost: Cost,
    contracts: Mapping[str, Contract],
    in_force: InForce | AgreementOnClaims,
    risk: SystemicRisk,
    plan: Plan,
    ibnr: NotYetReported | None,
) -> Manifest:
    """Collect what the forecast was made from."""
    assumptions = [*book.assumptions, *recovery.assumptions_on(book), *cost.assumptions, risk.assumption()]
    if plan.takeover.bundled.any():
        source = "contract file" if in_force.stated else "assumed: no terms of the bundles in force were given"
        assumptions.append(Assumption("bundles in force", in_force.describe(), source))
    assumptions += assumptions_of(contracts, in_force)
    if ibnr is not None:
        assumptions += ibnr.assumptions()
    return Manifest(
        as_of=valuation(book),
        seed=plan.seed,
        scenarios=plan.scenarios,
        parameter_draws=plan.n_draws,
        horizon_days=plan.horizon_days,
        versions=versions(),
        inputs=book.inputs,
        methods=_methods(recovery, cost) | ({} if ibnr is None else {"claims not yet reported": ibnr.method()}),
        contracts={name: contract.describe() for name, contract in contracts.items()},
        assumptions=tuple(assumptions),
        decisions=(*book.decisions, *recovery.decisions, *cost.decisions),
    )


def _methods(recovery: Recovery, cost: Cost) -> dict[str, str]:
    """Name the method of each step, with the laws that carry weight."""
    laws = recovery.to_frame()
    used = laws[laws["weight"] > 0]
    words = [f"{row.law} {row.weight:.2f}" for row in used.itertuples()]
    moves = used["from"] + " to " + used["to"] + ": " + pd.Series(words, index=used.index)
    return {
        "recovery": f"cause-specific hazards, weights {recovery.weighting}; " + "; ".join(moves),
        "cost": f"payment rates by state, time in state and covariates, quasi-Poisson; {cost!r}",
        "paths": PATHS_METHOD,
    }
