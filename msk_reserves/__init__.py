"""Reserves for workers' compensation musculoskeletal claims, under fee for service and under bundled contracts."""

from importlib import import_module
from typing import TYPE_CHECKING

from msk_reserves._names import NAMES

if TYPE_CHECKING:
    from msk_reserves.certainty.four_worlds import FourWorlds as FourWorlds
    from msk_reserves.certainty.gain import CertaintyGain as CertaintyGain, certainty_gain as certainty_gain
    from msk_reserves.certainty.implied import e_value as e_value, implied_effects as implied_effects
    from msk_reserves.certainty.layers import (
        UncertaintyLayers as UncertaintyLayers,
        nested_variance as nested_variance,
        uncertainty_layers as uncertainty_layers,
    )
    from msk_reserves.certainty.like_claims import (
        LikeClaims as LikeClaims,
        LikeClaimsBundled as LikeClaimsBundled,
        variation_by_size as variation_by_size,
    )
    from msk_reserves.certainty.measures import (
        RiskTransfer as RiskTransfer,
        band_width as band_width,
        capital as capital,
        capital_margin as capital_margin,
        chance_beyond as chance_beyond,
        equivalent_level as equivalent_level,
        expected_deficiency as expected_deficiency,
        hit_rate as hit_rate,
        indifference_price as indifference_price,
        risk_transfer as risk_transfer,
        variation as variation,
    )
    from msk_reserves.certainty.new_claims import (
        Frequency as Frequency,
        expected_claims as expected_claims,
        new_claims as new_claims,
    )
    from msk_reserves.certainty.pricing import (
        PricingFutures as PricingFutures,
        frontier as frontier,
        pricing_futures as pricing_futures,
    )
    from msk_reserves.certainty.redraws import PairInterval as PairInterval
    from msk_reserves.certainty.required import (
        Tornado as Tornado,
        required_effect as required_effect,
        tornado as tornado,
    )
    from msk_reserves.certainty.sentences import three_sentences as three_sentences
    from msk_reserves.certainty.splits import (
        WorldSplit as WorldSplit,
        euler_shares as euler_shares,
        shapley as shapley,
        split_worlds as split_worlds,
        tail_shares as tail_shares,
    )
    from msk_reserves.certainty.table import certainty_measures as certainty_measures
    from msk_reserves.certainty.utility import (
        certainty_equivalent as certainty_equivalent,
        gamma_certainty_equivalent as gamma_certainty_equivalent,
        wang_price as wang_price,
    )
    from msk_reserves.certainty.vendor_claims import (
        RatePrior as RatePrior,
        VendorClaim as VendorClaim,
        vendor_claims as vendor_claims,
    )
    from msk_reserves.certainty.vendor_response import vendor_response as vendor_response
    from msk_reserves.certainty.worlds import four_worlds as four_worlds
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
    from msk_reserves.contracts.agreements.bearer import BearerMargin as BearerMargin, Credit as Credit
    from msk_reserves.contracts.agreements.differing import where_they_differ as where_they_differ
    from msk_reserves.contracts.agreements.on_claims import AgreementOnClaims as AgreementOnClaims
    from msk_reserves.contracts.agreements.ratchet import (
        Ratchet as Ratchet,
        SavingRegion as SavingRegion,
        simulate_ratchet as simulate_ratchet,
    )
    from msk_reserves.contracts.agreements.reading import (
        preset_names as preset_names,
        read_agreement as read_agreement,
    )
    from msk_reserves.contracts.agreements.rebasing import (
        Rebasing as Rebasing,
        break_even_saving as break_even_saving,
        margin_by_year as margin_by_year,
    )
    from msk_reserves.contracts.agreements.reconciliation import Reconciliation as Reconciliation
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
    from msk_reserves.contracts.cells import price_cells as price_cells
    from msk_reserves.contracts.excess import SpecificExcess as SpecificExcess
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
        TieredSharing as TieredSharing,
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
        AgreedPrice as AgreedPrice,
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
    from msk_reserves.contracts.services import EpisodeWindow as EpisodeWindow, cost_of_services as cost_of_services
    from msk_reserves.contracts.table import (
        EpisodeDataError as EpisodeDataError,
        EpisodeTable as EpisodeTable,
        read_episodes as read_episodes,
        read_rows as read_rows,
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
    from msk_reserves.episodes.response import CareResponse as CareResponse, Effect as Effect
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
    from msk_reserves.report.certainty_plots import (
        plot_frontier as plot_frontier,
        plot_hit_rates as plot_hit_rates,
        plot_tornado as plot_tornado,
        plot_variation as plot_variation,
        plot_waterfall as plot_waterfall,
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
    from msk_reserves.reserves.cash_flows import CashFlows as CashFlows, cash_flows as cash_flows
    from msk_reserves.reserves.discount import DiscountCurve as DiscountCurve
    from msk_reserves.reserves.distribution import ReserveDistribution as ReserveDistribution
    from msk_reserves.reserves.forecast import Forecast as Forecast, forecast as forecast
    from msk_reserves.reserves.late_reports import NotYetReported as NotYetReported
    from msk_reserves.reserves.report_lag import ReportLag as ReportLag, fit_report_lag as fit_report_lag
    from msk_reserves.reserves.unreported import (
        UnreportedClaims as UnreportedClaims,
        claims_not_yet_reported as claims_not_yet_reported,
    )
    from msk_reserves.samples.calibration import calibration_report as calibration_report
    from msk_reserves.samples.kentucky_michigan import musculoskeletal as musculoskeletal
    from msk_reserves.samples.shipped import load_sample as load_sample
    from msk_reserves.samples.world import World as World, generate_world as generate_world

__version__ = "0.1.0"

# Names are imported when first used, so that `import msk_reserves` does not pay for pandas, scipy and matplotlib.
_HOME = {name: module for module, names in NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module `msk_reserves` has no attribute {name!r}")
    return getattr(import_module(f"msk_reserves.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*_HOME, "__version__"])
