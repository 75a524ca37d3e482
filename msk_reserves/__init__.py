"""Reserves for workers' compensation musculoskeletal claims, under fee for service and under bundled contracts."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from msk_reserves.certainty.gain import CertaintyGain as CertaintyGain, certainty_gain as certainty_gain
    from msk_reserves.claims.benefit_law import (
        BenefitLaw as BenefitLaw,
        BenefitWarning as BenefitWarning,
        benefit_law as benefit_law,
    )
    from msk_reserves.claims.benefit_rules import AwardRule as AwardRule, BenefitRule as BenefitRule
    from msk_reserves.claims.book import Assumption as Assumption, ClaimBook as ClaimBook, Decision as Decision
    from msk_reserves.claims.defects import ClaimDataError as ClaimDataError
    from msk_reserves.claims.read import load_tables as load_tables, read_sql as read_sql
    from msk_reserves.claims.spells import Spells as Spells
    from msk_reserves.claims.states import STANDARD_STATES as STANDARD_STATES, StateSpace as StateSpace
    from msk_reserves.claims.statutes import statutory_rule as statutory_rule, weekly_benefit as weekly_benefit
    from msk_reserves.claims.summary import summarise_data as summarise_data
    from msk_reserves.claims.tables import ClaimTables as ClaimTables
    from msk_reserves.contracts.agreements.agreement import (
        Agreement as Agreement,
    )
    from msk_reserves.contracts.agreements.settle import (
        settle as settle,
    )
    from msk_reserves.contracts.agreements.settlement import (
        Settlement as Settlement,
        true_up as true_up,
    )
    from msk_reserves.contracts.amounts import (
        EpisodeAmounts as EpisodeAmounts,
        EpisodeTerm as EpisodeTerm,
        Pool as Pool,
        PoolTerm as PoolTerm,
    )
    from msk_reserves.contracts.files import (
        ContractFileError as ContractFileError,
        read_contract as read_contract,
        read_in_force as read_in_force,
    )
    from msk_reserves.contracts.fixed_price import (
        FixedPriceBundle as FixedPriceBundle,
        InForce as InForce,
        PriceTable as PriceTable,
        Refund as Refund,
        StopLoss as StopLoss,
    )
    from msk_reserves.contracts.pipeline.limits import (
        Corridor as Corridor,
        GainLossLimit as GainLossLimit,
        MinimumRate as MinimumRate,
        Sharing as Sharing,
    )
    from msk_reserves.contracts.pipeline.outcomes import (
        FeesAtRisk as FeesAtRisk,
        Goal as Goal,
        Milestone as Milestone,
    )
    from msk_reserves.contracts.pipeline.pools import (
        AdministrativeLoad as AdministrativeLoad,
        CarriedLoss as CarriedLoss,
        Gainsharing as Gainsharing,
        LowVolume as LowVolume,
        PostEpisode as PostEpisode,
        RepaymentDefault as RepaymentDefault,
        ReviewFee as ReviewFee,
        expected_default_loss as expected_default_loss,
    )
    from msk_reserves.contracts.pipeline.quality import (
        DiscountShift as DiscountShift,
        QualityGate as QualityGate,
        QualityScale as QualityScale,
        Withhold as Withhold,
        composite_score as composite_score,
    )
    from msk_reserves.contracts.pipeline.spending import (
        OutlierCap as OutlierCap,
        PrepaidDefault as PrepaidDefault,
    )
    from msk_reserves.contracts.prices.bases import (
        AsBilled as AsBilled,
        BaseAndWarranty as BaseAndWarranty,
        CaseRate as CaseRate,
        FeeSchedule as FeeSchedule,
        FixedPrice as FixedPrice,
        PerMember as PerMember,
    )
    from msk_reserves.contracts.prices.benchmark import (
        Baseline as Baseline,
        Correction as Correction,
        Discount as Discount,
        Normalization as Normalization,
        PriceTrend as PriceTrend,
        RiskMultipliers as RiskMultipliers,
    )
    from msk_reserves.contracts.table import (
        EpisodeDataError as EpisodeDataError,
        EpisodeTable as EpisodeTable,
        read_cells as read_cells,
        read_episodes as read_episodes,
    )
    from msk_reserves.contracts.terms import Contract as Contract, FeeForService as FeeForService, Owed as Owed
    from msk_reserves.cost.award import Award as Award, permanent_partial_award as permanent_partial_award
    from msk_reserves.cost.benefits import temporary_total as temporary_total
    from msk_reserves.cost.censored import mean_cost as mean_cost
    from msk_reserves.cost.compensation_rate import compensation_rate as compensation_rate
    from msk_reserves.cost.fit import fit_cost as fit_cost
    from msk_reserves.cost.indemnity import Indemnity as Indemnity, indemnity as indemnity
    from msk_reserves.cost.late import LatePayments as LatePayments
    from msk_reserves.cost.life_table import (
        LifeTable as LifeTable,
        life_table as life_table,
        read_life_table as read_life_table,
    )
    from msk_reserves.cost.lifetime import (
        lifetime_payments as lifetime_payments,
        macaulay_duration as macaulay_duration,
        present_value as present_value,
    )
    from msk_reserves.cost.record import Cost as Cost, Trends as Trends
    from msk_reserves.cost.spliced import SplicedSeverity as SplicedSeverity
    from msk_reserves.cost.spliced_fit import fit_spliced as fit_spliced
    from msk_reserves.cost.worker import InjuredWorker as InjuredWorker, Stay as Stay
    from msk_reserves.episodes.record import Episodes as Episodes
    from msk_reserves.episodes.scope import Scope as Scope, Window as Window
    from msk_reserves.episodes.systemic import SystemicRisk as SystemicRisk
    from msk_reserves.recovery.answers.outlook import GroupOutlook as GroupOutlook, group_outlook as group_outlook
    from msk_reserves.recovery.answers.prognosis import (
        StateProbabilities as StateProbabilities,
        predicted_occupation as predicted_occupation,
        state_probabilities as state_probabilities,
    )
    from msk_reserves.recovery.answers.remaining import RemainingDays as RemainingDays, remaining_days as remaining_days
    from msk_reserves.recovery.curves.comparison import (
        log_rank_test as log_rank_test,
        restricted_mean_difference as restricted_mean_difference,
    )
    from msk_reserves.recovery.curves.gray import gray_test as gray_test
    from msk_reserves.recovery.curves.nonparametric import (
        aalen_johansen as aalen_johansen,
        kaplan_meier as kaplan_meier,
        nelson_aalen as nelson_aalen,
    )
    from msk_reserves.recovery.curves.occupation import (
        occupation_of_book as occupation_of_book,
        state_occupation as state_occupation,
    )
    from msk_reserves.recovery.laws.fit import fit_family as fit_family
    from msk_reserves.recovery.laws.residual import (
        conditional_survival as conditional_survival,
        residual_mean as residual_mean,
        residual_quantile as residual_quantile,
    )
    from msk_reserves.recovery.path.employers import EmployerFrailty as EmployerFrailty
    from msk_reserves.recovery.path.external import TransitionModel as TransitionModel, from_lifelines as from_lifelines
    from msk_reserves.recovery.path.late import LateRates as LateRates
    from msk_reserves.recovery.path.model import (
        Recovery as Recovery,
        fit_path as fit_path,
        fit_recovery as fit_recovery,
    )
    from msk_reserves.recovery.path.stay_curves import exit_shares as exit_shares, stay_curve as stay_curve
    from msk_reserves.recovery.path.termination import (
        TerminationRates as TerminationRates,
        termination_rates as termination_rates,
    )
    from msk_reserves.recovery.quality.calibration import Calibration as Calibration, calibration as calibration
    from msk_reserves.recovery.quality.concordance import Concordance as Concordance, concordance as concordance
    from msk_reserves.recovery.quality.cox_snell import CoxSnell as CoxSnell, cox_snell as cox_snell
    from msk_reserves.recovery.quality.group_check import (
        GroupCheck as GroupCheck,
        predicted_and_observed as predicted_and_observed,
    )
    from msk_reserves.recovery.quality.judged import JudgedStays as JudgedStays, judged_stays as judged_stays
    from msk_reserves.recovery.quality.occupation_check import (
        OccupationCheck as OccupationCheck,
        occupation_check as occupation_check,
    )
    from msk_reserves.recovery.quality.proportionality import (
        Proportionality as Proportionality,
        proportionality as proportionality,
    )
    from msk_reserves.recovery.quality.scores import BrierScores as BrierScores, brier_score as brier_score
    from msk_reserves.recovery.quality.verdict import (
        RecoveryAssessment as RecoveryAssessment,
        assess_held_out as assess_held_out,
        assess_recovery as assess_recovery,
    )
    from msk_reserves.report.claim_plot import plot_claim as plot_claim
    from msk_reserves.report.files import write_results as write_results
    from msk_reserves.report.occupation_plot import plot_occupation as plot_occupation
    from msk_reserves.report.page import write_report as write_report
    from msk_reserves.report.quality_plots import (
        plot_brier as plot_brier,
        plot_calibration as plot_calibration,
        plot_cox_snell as plot_cox_snell,
        plot_predicted_and_observed as plot_predicted_and_observed,
    )
    from msk_reserves.report.reserve_plots import plot_bands as plot_bands, plot_exceedance as plot_exceedance
    from msk_reserves.report.survival_plot import plot_survival as plot_survival
    from msk_reserves.reserves.distribution import ReserveDistribution as ReserveDistribution
    from msk_reserves.reserves.forecast import Forecast as Forecast, forecast as forecast
    from msk_reserves.samples.calibration import calibration_report as calibration_report
    from msk_reserves.samples.kentucky_michigan import musculoskeletal as musculoskeletal
    from msk_reserves.samples.shipped import load_sample as load_sample
    from msk_reserves.samples.world import World as World, generate_world as generate_world

__version__ = "0.1.0"

# Names are imported when first used, so that `import msk_reserves` does not pay for pandas, scipy and matplotlib.
_HOME = {
    "load_tables": "claims.read",
    "read_sql": "claims.read",
    "ClaimTables": "claims.tables",
    "ClaimBook": "claims.book",
    "Assumption": "claims.book",
    "Decision": "claims.book",
    "ClaimDataError": "claims.defects",
    "summarise_data": "claims.summary",
    "Spells": "claims.spells",
    "StateSpace": "claims.states",
    "STANDARD_STATES": "claims.states",
    "statutory_rule": "claims.statutes",
    "weekly_benefit": "claims.statutes",
    "benefit_law": "claims.benefit_law",
    "BenefitLaw": "claims.benefit_law",
    "BenefitWarning": "claims.benefit_law",
    "BenefitRule": "claims.benefit_rules",
    "AwardRule": "claims.benefit_rules",
    "generate_world": "samples.world",
    "World": "samples.world",
    "calibration_report": "samples.calibration",
    "load_sample": "samples.shipped",
    "musculoskeletal": "samples.kentucky_michigan",
    "kaplan_meier": "recovery.curves.nonparametric",
    "nelson_aalen": "recovery.curves.nonparametric",
    "aalen_johansen": "recovery.curves.nonparametric",
    "stay_curve": "recovery.path.stay_curves",
    "exit_shares": "recovery.path.stay_curves",
    "state_occupation": "recovery.curves.occupation",
    "occupation_of_book": "recovery.curves.occupation",
    "log_rank_test": "recovery.curves.comparison",
    "restricted_mean_difference": "recovery.curves.comparison",
    "gray_test": "recovery.curves.gray",
    "fit_family": "recovery.laws.fit",
    "fit_recovery": "recovery.path.model",
    "fit_path": "recovery.path.model",
    "Recovery": "recovery.path.model",
    "remaining_days": "recovery.answers.remaining",
    "RemainingDays": "recovery.answers.remaining",
    "state_probabilities": "recovery.answers.prognosis",
    "StateProbabilities": "recovery.answers.prognosis",
    "group_outlook": "recovery.answers.outlook",
    "GroupOutlook": "recovery.answers.outlook",
    "predicted_occupation": "recovery.answers.prognosis",
    "conditional_survival": "recovery.laws.residual",
    "residual_mean": "recovery.laws.residual",
    "residual_quantile": "recovery.laws.residual",
    "brier_score": "recovery.quality.scores",
    "BrierScores": "recovery.quality.scores",
    "concordance": "recovery.quality.concordance",
    "Concordance": "recovery.quality.concordance",
    "EmployerFrailty": "recovery.path.employers",
    "LateRates": "recovery.path.late",
    "TransitionModel": "recovery.path.external",
    "from_lifelines": "recovery.path.external",
    "TerminationRates": "recovery.path.termination",
    "termination_rates": "recovery.path.termination",
    "calibration": "recovery.quality.calibration",
    "Calibration": "recovery.quality.calibration",
    "cox_snell": "recovery.quality.cox_snell",
    "CoxSnell": "recovery.quality.cox_snell",
    "judged_stays": "recovery.quality.judged",
    "JudgedStays": "recovery.quality.judged",
    "GroupCheck": "recovery.quality.group_check",
    "predicted_and_observed": "recovery.quality.group_check",
    "proportionality": "recovery.quality.proportionality",
    "Proportionality": "recovery.quality.proportionality",
    "occupation_check": "recovery.quality.occupation_check",
    "OccupationCheck": "recovery.quality.occupation_check",
    "assess_recovery": "recovery.quality.verdict",
    "assess_held_out": "recovery.quality.verdict",
    "RecoveryAssessment": "recovery.quality.verdict",
    "fit_cost": "cost.fit",
    "Cost": "cost.record",
    "Trends": "cost.record",
    "LatePayments": "cost.late",
    "temporary_total": "cost.benefits",
    "compensation_rate": "cost.compensation_rate",
    "Award": "cost.award",
    "permanent_partial_award": "cost.award",
    "Indemnity": "cost.indemnity",
    "indemnity": "cost.indemnity",
    "InjuredWorker": "cost.worker",
    "Stay": "cost.worker",
    "LifeTable": "cost.life_table",
    "life_table": "cost.life_table",
    "read_life_table": "cost.life_table",
    "lifetime_payments": "cost.lifetime",
    "present_value": "cost.lifetime",
    "macaulay_duration": "cost.lifetime",
    "mean_cost": "cost.censored",
    "SplicedSeverity": "cost.spliced",
    "fit_spliced": "cost.spliced_fit",
    "Episodes": "episodes.record",
    "Scope": "episodes.scope",
    "Window": "episodes.scope",
    "SystemicRisk": "episodes.systemic",
    "Contract": "contracts.terms",
    "FeeForService": "contracts.terms",
    "Owed": "contracts.terms",
    "FixedPriceBundle": "contracts.fixed_price",
    "InForce": "contracts.fixed_price",
    "PriceTable": "contracts.fixed_price",
    "Refund": "contracts.fixed_price",
    "StopLoss": "contracts.fixed_price",
    "ContractFileError": "contracts.files",
    "read_contract": "contracts.files",
    "read_in_force": "contracts.files",
    "Agreement": "contracts.agreements.agreement",
    "settle": "contracts.agreements.settle",
    "Settlement": "contracts.agreements.settlement",
    "true_up": "contracts.agreements.settlement",
    "EpisodeAmounts": "contracts.amounts",
    "EpisodeTerm": "contracts.amounts",
    "Pool": "contracts.amounts",
    "PoolTerm": "contracts.amounts",
    "Corridor": "contracts.pipeline.limits",
    "GainLossLimit": "contracts.pipeline.limits",
    "MinimumRate": "contracts.pipeline.limits",
    "Sharing": "contracts.pipeline.limits",
    "FeesAtRisk": "contracts.pipeline.outcomes",
    "Goal": "contracts.pipeline.outcomes",
    "Milestone": "contracts.pipeline.outcomes",
    "AdministrativeLoad": "contracts.pipeline.pools",
    "CarriedLoss": "contracts.pipeline.pools",
    "Gainsharing": "contracts.pipeline.pools",
    "LowVolume": "contracts.pipeline.pools",
    "PostEpisode": "contracts.pipeline.pools",
    "RepaymentDefault": "contracts.pipeline.pools",
    "ReviewFee": "contracts.pipeline.pools",
    "expected_default_loss": "contracts.pipeline.pools",
    "DiscountShift": "contracts.pipeline.quality",
    "QualityGate": "contracts.pipeline.quality",
    "QualityScale": "contracts.pipeline.quality",
    "Withhold": "contracts.pipeline.quality",
    "composite_score": "contracts.pipeline.quality",
    "OutlierCap": "contracts.pipeline.spending",
    "PrepaidDefault": "contracts.pipeline.spending",
    "AsBilled": "contracts.prices.bases",
    "BaseAndWarranty": "contracts.prices.bases",
    "CaseRate": "contracts.prices.bases",
    "FeeSchedule": "contracts.prices.bases",
    "FixedPrice": "contracts.prices.bases",
    "PerMember": "contracts.prices.bases",
    "Baseline": "contracts.prices.benchmark",
    "Correction": "contracts.prices.benchmark",
    "Discount": "contracts.prices.benchmark",
    "Normalization": "contracts.prices.benchmark",
    "PriceTrend": "contracts.prices.benchmark",
    "RiskMultipliers": "contracts.prices.benchmark",
    "EpisodeDataError": "contracts.table",
    "EpisodeTable": "contracts.table",
    "read_cells": "contracts.table",
    "read_episodes": "contracts.table",
    "ReserveDistribution": "reserves.distribution",
    "Forecast": "reserves.forecast",
    "forecast": "reserves.forecast",
    "CertaintyGain": "certainty.gain",
    "certainty_gain": "certainty.gain",
    "write_report": "report.page",
    "write_results": "report.files",
    "plot_bands": "report.reserve_plots",
    "plot_exceedance": "report.reserve_plots",
    "plot_survival": "report.survival_plot",
    "plot_occupation": "report.occupation_plot",
    "plot_calibration": "report.quality_plots",
    "plot_cox_snell": "report.quality_plots",
    "plot_predicted_and_observed": "report.quality_plots",
    "plot_brier": "report.quality_plots",
    "plot_claim": "report.claim_plot",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module `msk_reserves` has no attribute {name!r}")
    return getattr(import_module(f"msk_reserves.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*_HOME, "__version__"])
