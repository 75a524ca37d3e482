"""The fitted recovery of a book: every move seen, each with its laws."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from msk_reserves._checks import Integers
from msk_reserves.claims.book import Assumption, ClaimBook, Decision
from msk_reserves.claims.states import STANDARD_STATES, StateSpace
from msk_reserves.claims.vocabulary import STILL_IN_STATE
from msk_reserves.recovery.path.covariates import Ask, CovariateDesign, Move, covariate_design
from msk_reserves.recovery.path.draws import RecoveryDraws, check_draws
from msk_reserves.recovery.path.effects import effects_of, moves_and_laws, what_was_fitted
from msk_reserves.recovery.path.employer_fit import with_employers
from msk_reserves.recovery.path.employers import NOBODY, EmployerColumn, EmployerFrailty
from msk_reserves.recovery.path.entry import EntryTerm, entered
from msk_reserves.recovery.path.external import ClaimRow, TransitionModel, tabulated
from msk_reserves.recovery.path.late import LateRates
from msk_reserves.recovery.path.mixture import share_beyond
from msk_reserves.recovery.path.mortality import Mortality, mortality_of
from msk_reserves.recovery.path.moves import Choices, borrowed, fit_moves
from msk_reserves.recovery.path.options import Asked
from msk_reserves.recovery.path.refits import with_refits
from msk_reserves.recovery.path.replacement import keyed, replaced, with_twin, without_moves
from msk_reserves.recovery.path.sampling import draw_employers, draw_moves, point_draws
from msk_reserves.recovery.path.selection import CANDIDATES
from msk_reserves.recovery.path.stays import read_stays
from msk_reserves.recovery.path.strata import at_frequent_level, borrowing, one_stratum, told, with_strata
from msk_reserves.recovery.path.tilts import AskLevels, plain, with_levels
from msk_reserves.recovery.path.transitions import Stays, Transition, clusters, stays_at_risk, stays_of


@dataclass(frozen=True, slots=True, eq=False)
class Recovery:
    """Hazards of every move between states, fitted to one book.

    Attributes
    ----------
    fitted : the moves, in the order of the states' codes, those out of a twin behind those out of its state.
    design : the covariates they choose from.
    decisions : rules applied to the stays, with counts.
    weighting : how laws share the weight.
    beyond_data : by state, the share of the mean stay (counted to ten years, at average covariates) that lies
        beyond the longest stay seen, and so rests on the laws alone.
    space : the states.
    frailty : what is known of employers' factors on the return of their workers, None where they have none.
    assumed : what the fit rests on beside the stays: late rates, and mortality where states go on for life.
    """

    fitted: tuple[Transition, ...]
    design: CovariateDesign
    decisions: tuple[Decision, ...]
    weighting: str
    beyond_data: tuple[tuple[str, float], ...]
    space: StateSpace
    frailty: EmployerFrailty | None = None
    assumed: tuple[Assumption, ...] = ()

    @property
    def transitions(self) -> Mapping[tuple[str, ...], Transition]:
        """The moves by (from, to), or by (from, to, level) where strata have laws of their own."""
        level = [() if one.stratum is None else (one.stratum.level,) for one in self.fitted]
        return MappingProxyType(
            {(one.origin, one.target, *where): one for one, where in zip(self.fitted, level, strict=True)}
        )

    def check_states_of_a_book(self) -> None:
        """Refuse a recovery of declared states where those of a book are needed.

        Raises
        ------
        ValueError
            If the states are others.
        """
        if self.space != STANDARD_STATES:
            raise ValueError(
                "`recovery` must be fitted on the states of a book, by which benefits and care are paid, as "
                f"`fit_recovery(book)` does; it has the states {', '.join(self.space.names)}"
            )

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """What is assumed by the fit, and by moves whose hazards were given."""
        given = [(one.hazards, one.name) for one in self.fitted if one.hazards is not None and not one.shared]
        return (*self.assumed, *(hazards.assumption(name) for hazards, name in given))

    def assumptions_on(self, book: ClaimBook) -> tuple[Assumption, ...]:
        """Return what is assumed when the recovery is used on a book, levels it has not seen among it."""
        unseen = (
            Assumption(f"unseen level, {level}", f"{n:,} claims count as the most frequent level", "not in the fit")
            for level, n in self.design.unseen(book.claims).items()
        )
        return (*self.assumptions, *unseen)

    def with_transition(self, origin: str, target: str, model: TransitionModel, book: ClaimBook) -> "Recovery":
        """Return the recovery with a model of yours in the place of one move's laws.

        Parameters
        ----------
        origin, target : str
            The move, one that was seen; out of a twin the same hazards hold, even where its own were told apart.
        model : TransitionModel
            Anything with a method `cumulative_hazard(claims, days)`; `from_lifelines` makes one of a regression.
        book : ClaimBook
            The claims it is asked about, whose reserves can then be forecast.

        Returns
        -------
        Recovery
            The move has the same hazards in every draw: that the parameters of the model are not known exactly is not
            in any interval, which the assumptions say. It carries no employers' factor.

        Raises
        ------
        ValueError
            If the move was not seen, or the model's answer is no cumulative hazard.
        """
        name = f"{origin}>{target}"
        own = dict.fromkeys(one.base_name for one in self.fitted if not one.shared)
        if name not in own:
            seen = ", ".join(own)
            raise ValueError(f"`origin` and `target` must be a move that was fitted ({seen}), got {origin}>{target}")
        hazards = tabulated(model, book.claims)
        keys, place = keyed(self.design.keys, ClaimRow(name, hazards.claim_ids))
        column = len(self.design.names) + place
        joined, apart = with_twin(self.fitted, name, self.space)
        return replace(
            self,
            fitted=tuple(
                replaced(one, hazards, column) if one.name == name else one for one in one_stratum(joined, name)
            ),
            design=replace(self.design, keys=keys),
            frailty=without_moves(self.frailty, {name, *apart}),
        )

    def transitions_from(self, state: str) -> tuple[Transition, ...]:
        """Return the moves out of `state`."""
        return tuple(one for one in self.fitted if one.origin == state)

    def draw(self, n: int, seed: int) -> RecoveryDraws:
        """Draw parameters.

        Parameters
        ----------
        n : int
            Number of draws.
        seed : int
            Seed; each move's numbers are keyed by (seed, move), so that they do not depend on the other moves.

        Returns
        -------
        RecoveryDraws
            Each draw picks one law a move by its weight; parameters are drawn from a normal law on the unconstrained
            scale (50 exits or more), by refits under random weights of employers, or from a gamma posterior. The
            factors of employers are gamma given each draw of the laws.
        """
        check_draws(n, seed)
        if self.frailty is None:
            return RecoveryDraws(seed, n, draw_moves(self.fitted, n, seed), self.design.entry_column)
        carried = dict(zip(self.frailty.moves, self.frailty.carried, strict=True))
        factors = draw_employers(self.frailty, {one.name: one for one in self.fitted if not one.shared}, n, seed)
        return RecoveryDraws(seed, n, draw_moves(self.fitted, n, seed, carried, factors), self.design.entry_column)

    def point(self) -> RecoveryDraws:
        """Return the estimates of each move's best law as a single draw, without parameter uncertainty."""
        return RecoveryDraws(None, 1, point_draws(self.fitted), self.design.entry_column)

    def to_frame(self) -> pd.DataFrame:
        """Return a row a move and law.

        Returns
        -------
        pandas.DataFrame
            from, to, moves, days_at_risk, covariates, clock ("reset": days in the stay; "forward": days since the
            claim's path began), draws, law, weight, aic, note; where asked, stratum.
        """
        return moves_and_laws(self.fitted, self.design)

    def effects(self) -> pd.DataFrame:
        """Return the effect of every covariate on every move, a row a law that carries weight.

        Returns
        -------
        pandas.DataFrame
            from, to, stratum (where there are strata), law, weight, covariate, measure ("time ratio": what the days are
            multiplied by; "hazard ratio"; for `shape` and `varying` also "scale ratio" and "hazard ratio per e-fold of
            days"), ratio, standard_error (of its logarithm), lower and upper (limits at 95 %).
        """
        return effects_of(self.fitted)

    def _tables(self) -> list[pd.DataFrame]:
        """Return the moves with their laws and, where there are twins, what the mark does to each move."""
        effects = self.effects()
        marked = effects[effects["covariate"] == self.space.mark]
        return [self.to_frame(), marked] if len(marked) else [self.to_frame()]

    def _sentences(self) -> list[str]:
        """What was fitted, to what, and what rests on extrapolation."""
        lines = [*what_was_fitted(self.fitted, self.weighting), f"Covariates: {self.design!r}.", *told(self.design)]
        lines += [f"{one.meaning}: {one.count:,}." for one in self.decisions]
        if self.frailty is not None:
            lines.append(f"{self.frailty!r}.")
        lines += [f"Assumed, {one.name}: {one.value} ({one.source})." for one in self.assumptions]
        lines += [
            f"{share:.0%} of the mean stay in {state} (to ten years) lies beyond the longest seen."
            for state, share in self.beyond_data
            if share > 0.1
        ]
        return lines

    def __repr__(self) -> str:
        tables = [one.to_string(index=False, float_format=lambda x: f"{x:,.2f}") for one in self._tables()]
        return "\n".join([*self._sentences(), *tables])

    def _repr_html_(self) -> str:
        words = "".join(f"<p>{line}</p>" for line in self._sentences())
        tables = (str(one.to_html(index=False, float_format=lambda x: f"{x:,.2f}")) for one in self._tables())
        return words + "".join(tables)


def fit_recovery(
    book: ClaimBook,
    *,
    covariates: Ask | Mapping[Move, Ask] = "auto",
    candidates: Sequence[str] = CANDIDATES,
    weighting: str = "equal_within_7",
    frailty: str | None = None,
    strata: str | None = None,
    shape: AskLevels = (),
    varying: AskLevels = (),
    late_rates: LateRates | None = None,
    mortality: Mortality | None = None,
    replace_moves: Mapping[Move, TransitionModel] = MappingProxyType({}),
    executor: Executor | None = None,
) -> Recovery:
    """Fit the time in each state of the path back to work.

    Every move seen from one state to another gets its own cause-specific hazard, with exits to other states as ends of
    observation, left truncation and windows respected. It runs on the clock of the stay, which restarts on entry, with
    an effect of how late the stay began where that fits better; or on the days since the claim's path began.

    Parameters
    ----------
    book : ClaimBook
        The claims as of a valuation date.
    covariates : "auto", sequence of str, formula, or mapping
        Columns of the claims, a formula such as "body_part + np.log(weekly_wage)", or one of these by move, as in
        `covariate_design`. A move takes columns in order while it has ten exits for each.
    candidates : sequence of str
        Laws tried on moves with 30 exits or more, as in `fit_family`; a mixture cure only where the stays show a
        plateau. With 10 to 29: those of Weibull, lognormal, piecewise asked for, and the exponential. With fewer: a
        constant rate with a gamma prior worth half an exit at the rate of the same move from kindred states.
    weighting : {"equal_within_7", "bic", "single"}
        How plausible laws share the weight.
    frailty : {None, "employer", "auto"}
        Whether one factor an employer multiplies the hazards of its workers' return. "auto" takes it where 20 employers
        have two claims or more and their spread is significant at 5 %; "employer" asks for it. Moves of return then
        have the laws with proportional hazards: Weibull and piecewise.
    strata : str, optional
        A column, as "jurisdiction", each level of which has baseline hazards and effects of its own in every move of
        which it shows 30 exits; its other moves have the law fitted to all levels, which the decisions say. At most 60
        levels; not together with `frailty`.
    shape : str, sequence of str, or mapping of moves to these
        Columns of categories whose levels move ln scale, or a spline's slope, besides the location; laws without either
        are refused. Levels with fewer than 30 exits of a move stay with the most frequent.
    varying : str, sequence of str, or mapping of moves to these
        Columns of categories whose effect on the hazard may change with the days in the state: piecewise rates let it
        differ by 4, 13 and 26 weeks, splines along ln days; other laws are refused.
    late_rates : LateRates, optional
        What remains of rates by piece late in a state, where too few exits show them; half when not given.
    mortality : Mortality, optional
        A life table, as `life_table()`, for states that go on for life, worth two deaths; rounded figures of the
        population when not given.
    replace_moves : mapping of moves (from, to) to models
        Models of yours that take the place of a move's laws, as in `Recovery.with_transition`.
    executor : concurrent.futures.Executor, optional
        Fits moves side by side; threads on all cores when not given. Results do not depend on it.

    Returns
    -------
    Recovery

    Raises
    ------
    ValueError
        If no stay ended, an option is unknown, a column cannot be used so, or `frailty="employer"` and the book cannot
        show it.
    """
    if not (book.spells.next_state != STILL_IN_STATE).any():
        raise ValueError(f"`book` must hold at least one stay that ended; all {len(book.spells):,} are still running")
    described = (book.claims, clusters(book.claims))
    asked = Asked(covariates, tuple(candidates), weighting, frailty, strata, shape, varying, late_rates, mortality)
    recovery = _fitted_to(stays_of(book), STANDARD_STATES, described, asked, executor)
    for (origin, target), model in replace_moves.items():
        recovery = recovery.with_transition(origin, target, model, book)
    return recovery


def fit_path(
    stays: pd.DataFrame,
    *,
    space: StateSpace = STANDARD_STATES,
    covariates: Ask | Mapping[Move, Ask] = "auto",
    candidates: Sequence[str] = CANDIDATES,
    weighting: str = "equal_within_7",
    frailty: str | None = None,
    strata: str | None = None,
    shape: AskLevels = (),
    varying: AskLevels = (),
    late_rates: LateRates | None = None,
    mortality: Mortality | None = None,
    executor: Executor | None = None,
) -> Recovery:
    """Fit the time in each of your own states from a table of stays.

    Parameters
    ----------
    stays : pandas.DataFrame
        A row a stay, or a part of one: `claim_id`; `state`; `start` and `stop`, days on the claim's own clock;
        `next_state`, the state moved to at `stop`, empty for none. A row that moved nowhere may be followed by another
        in the same state, so that covariates can change within a stay; the clock of the stay goes on there and on a
        move to a twin, and starts again on any other. Optional: `observed_from`, days in the stay before which it could
        not have been in the file; `interval`, width w of the window (stop - w, stop] that holds the move; `weight`;
        `employer_id`; and covariates, as they were when the row began.
    space : StateSpace
        The declared states; those of a book by default.
    covariates, candidates, weighting, frailty, strata, shape, varying, late_rates, mortality, executor : optional
        As in `fit_recovery`, of the columns of `stays`.

    Returns
    -------
    Recovery
        By the rules of `fit_recovery`. Reserves can be made only of one on the states of a book.

    Raises
    ------
    ClaimDataError
        If the table has defects: all of them, as states not declared, moves not allowed, rows that overlap, leave a gap
        or do not follow from the row before, stays that end before they begin, and states left that are never left.
    ValueError
        If no row moved, or an option is unknown.

    Examples
    --------
    >>> well = StateSpace(("ill", "well"), off_work=("ill",), working=("well",))
    >>> rows = [("A", "ill", 0, 9, "well"), ("A", "well", 9, 40, None), ("B", "ill", 0, 25, None)]
    >>> table = pd.DataFrame(rows, columns=["claim_id", "state", "start", "stop", "next_state"])
    >>> fit_path(table, space=well).fitted[0].events
    1.0
    """
    rows, cluster = read_stays(stays, space)
    if not (rows.next_state != STILL_IN_STATE).any():
        raise ValueError(f"`stays` must hold at least one stay that ended; all {len(stays):,} are still running")
    asked = Asked(covariates, tuple(candidates), weighting, frailty, strata, shape, varying, late_rates, mortality)
    return _fitted_to(rows, space, (stays, cluster), asked, executor)


def _fitted_to(
    stays: Stays,
    space: StateSpace,
    described: tuple[pd.DataFrame, Integers],
    asked: Asked,
    executor: Executor | None,
) -> Recovery:
    """Fit every move of checked stays, described by rows of a table with the employer of each."""
    asked.check()
    groups, decisions = stays_at_risk(stays, space)
    table, cluster = described
    design = covariate_design(table, asked.covariates, space.names)
    if stays.since.any():
        design = replace(design, terms=(*design.terms, EntryTerm()))
    design, levels = with_levels(
        with_strata(design, table, asked.strata), table, (asked.shape, asked.varying), space.names
    )
    matrix = design.matrix(table)
    deaths = mortality_of(table, asked.mortality)
    laws = asked.candidates, asked.weighting
    choices = Choices(matrix, design, cluster, *laws, deaths, asked.late, levels)
    fitted = fit_moves(groups, choices, executor)
    decisions = (*decisions, *borrowed(fitted, space), *borrowing(fitted, asked.strata), *plain(fitted, levels))
    employers = None
    if asked.frailty is not None:
        fitted, employers, decision = with_employers(fitted, space, described, laws, asked.frailty)
        decisions = (*decisions, decision)
    if employers is not None:
        design = replace(design, keys=(EmployerColumn(),))
        # The average stay is nobody's in particular.
        matrix = np.column_stack([matrix, np.full(len(matrix), NOBODY)])
    matrix = at_frequent_level(design, matrix)
    beyond = tuple(
        (group.state, share_beyond(fitted, group, entered(matrix[group.row], design.entry_column, group.since)))
        for group in groups
        if group.targets()
    )
    fitted, assumed = with_refits(fitted, executor), asked.assumptions(deaths if space.lifelong else None)
    return Recovery(fitted, design, decisions, asked.weighting, beyond, space, employers, assumed)
