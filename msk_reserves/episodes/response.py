"""How care under a bundle differs: effects on moves, attorneys and cost, applied to a plan before its futures run."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline

from msk_reserves._checks import Floats, Integers, not_negative, one_of, positive
from msk_reserves.claims.book import Assumption
from msk_reserves.claims.vocabulary import COMPONENTS, OFF_WORK_STATES, REPRESENTED
from msk_reserves.episodes.arrays import Laws
from msk_reserves.episodes.hazards import BY_ROW, FIRST_LOG_DAY, LAST_LOG_DAY, LOG, LOGISTIC, PIECES, SPLINE, TABLE
from msk_reserves.episodes.plan import Plan
from msk_reserves.episodes.randomness import generator
from msk_reserves.recovery.path.draws import TransitionDraws

HAZARD, TIME, COST = "hazard", "time", "cost"
"""Kinds of effects: a factor on the hazard of moves, on the days before them, or on payments."""

RETURN, ATTORNEY = "return", "attorney"
"""Names for groups of moves: back to modified or full duty from a state off work or on modified duty; retaining an
attorney."""

ORIGINS = ("none", "scenario", "evidence")
"""Where a response comes from: none is assumed, it is a scenario, or claims were compared."""

_BASE = {twin: state for state, twin in REPRESENTED.items()}
_BACK = ("back_at_work", "modified_duty")
_FROM = (*OFF_WORK_STATES, "modified_duty")


@dataclass(frozen=True, slots=True)
class Effect:
    """One factor by which care under a bundle differs, with how well it is known.

    Attributes
    ----------
    on : "return", "attorney", a move as "after_surgery>back_at_work" (its twins with an attorney go with it), or for
        cost a component.
    ratio : the factor, above zero: a hazard ratio above 1 and a time ratio below 1 are faster, a cost ratio below 1
        cheaper.
    kind : "hazard", "time" or "cost".
    log_sd : standard deviation of its logarithm; one draw for each draw of the parameters.

    Examples
    --------
    >>> Effect("return", 1.6, log_sd=0.2).draw(2, seed=1).shape
    (2,)
    """

    on: str
    ratio: float
    kind: str = HAZARD
    log_sd: float = 0.0

    def __post_init__(self) -> None:
        one_of(self.kind, (HAZARD, TIME, COST), "kind")
        positive(self.ratio, "ratio")
        not_negative(self.log_sd, "log_sd")
        if self.kind == COST:
            one_of(self.on, COMPONENTS, "on")
        elif self.on not in {RETURN, ATTORNEY} and self.on.count(">") != 1:
            raise ValueError(f"`on` must be {RETURN!r}, {ATTORNEY!r} or a move as 'origin>target', got {self.on!r}")

    def draw(self, n: int, seed: int) -> Floats:
        """Return the log factor under each parameter draw, shape (n,); the same for the same seed, `on` and kind."""
        if self.log_sd == 0:
            return np.full(n, np.log(self.ratio))
        normal = generator(seed, f"response {self.kind} {self.on}").standard_normal(n)
        return np.asarray(np.log(self.ratio) + self.log_sd * normal)

    def describe(self) -> str:
        """Return the effect as a phrase."""
        spread = f" (log sd {self.log_sd:.2g})" if self.log_sd else ""
        return f"{self.kind} ratio {self.ratio:.3g} on {self.on}{spread}"


@dataclass(frozen=True, slots=True)
class CareResponse:
    """How care of claims taken over by a bundle differs from care under fee for service; never part of a contract.

    Attributes
    ----------
    effects : factors, one for each thing they act on.
    origin : "none", "scenario" or "evidence".
    source : where the figures come from; printed with every result.

    Examples
    --------
    >>> CareResponse().describe()
    'care is the same under every contract'
    >>> faster = CareResponse((Effect("return", 1.6, log_sd=0.2),), "scenario", "judgement")
    >>> faster.describe()
    'hazard ratio 1.6 on return (log sd 0.2); scenario: judgement'
    """

    effects: tuple[Effect, ...] = ()
    origin: str = "none"
    source: str = "assumed"

    def __post_init__(self) -> None:
        one_of(self.origin, ORIGINS, "origin")
        if (self.origin == "none") != (not self.effects):
            raise ValueError(
                f"`origin` must be 'none' where there is no effect and only there; got {self.origin!r} with "
                f"{len(self.effects)} effects"
            )
        named = [(one.kind == COST, one.on) for one in self.effects]
        if len(set(named)) < len(named):
            raise ValueError(f"`effects` acts twice on the same thing: {', '.join(one.on for one in self.effects)}")

    def describe(self) -> str:
        """Return the response as a phrase."""
        if not self.effects:
            return "care is the same under every contract"
        return f"{'; '.join(one.describe() for one in self.effects)}; {self.origin}: {self.source}"

    def assumption(self) -> Assumption:
        """Return the response as it is printed."""
        return Assumption("care under the bundle", self.describe(), f"{self.origin}: {self.source}")


def responding(plan: Plan, response: CareResponse) -> Plan:
    """Return a plan whose claims recover and cost as under a response, on the same random numbers.

    Parameters
    ----------
    plan : futures under fee-for-service care.
    response : how care differs; for all claims of the plan, from the valuation date on.

    Raises
    ------
    ValueError
        If an effect acts on a move that no claim can make, on a component that the data cannot show, on a model of the
        user's own; or if a time ratio is uncertain on a move with rates by piece, whose cuts all draws share.

    Notes
    -----
    A hazard ratio is exact: it moves the log hazard ratio of rates and splines, the location of a Weibull by -scale
    times its logarithm, and the table of any other law along ln h. Of a law with a cured share it is the ratio among
    those who leave by the move at all. A time ratio moves the location, or stretches pieces and splines.
    """
    laws, relativity = plan.laws, dict(plan.relativity)
    for effect in response.effects:
        factor = effect.draw(plan.n_draws, plan.seed)
        if effect.kind == COST:
            if effect.on not in relativity:
                raise ValueError(f"{effect.describe()}: {effect.on} is not in the claims: {plan.missing[effect.on]}")
            relativity[effect.on] = (relativity[effect.on] * np.exp(factor)).astype(np.float32)
            continue
        places = [place for place, move in enumerate(plan.exits) if _acts_on(effect.on, move)]
        if not places:
            raise ValueError(f"{effect.describe()}: no claim can make that move; moves are {_moves(plan)}")
        if np.any(factor):
            for place in places:
                laws = _with_factor(laws, place, effect, factor)
    return replace(plan, laws=laws, relativity=relativity)


def _moves(plan: Plan) -> str:
    """List the moves a response may act on."""
    return ", ".join(dict.fromkeys(f"{_base(move.origin)}>{_base(move.target)}" for move in plan.exits))


def _base(state: str) -> str:
    """Return the state without its attorney."""
    return _BASE.get(state, state)


def _acts_on(on: str, move: TransitionDraws) -> bool:
    """Say whether an effect acts on a move."""
    origin, target = _base(move.origin), _base(move.target)
    if on == ATTORNEY:
        return move.continues
    if on == RETURN:
        return not move.continues and origin in _FROM and target in _BACK
    return on == f"{origin}>{target}" and not move.continues


def _with_factor(laws: Laws, place: int, effect: Effect, factor: Floats) -> Laws:
    """Return the laws with a log factor on one exit, by draw."""
    kinds = laws.kind[:, place]
    if (kinds == BY_ROW).any():
        raise ValueError(f"{effect.describe()}: that move has a model of your own; change it there")
    return _hazard(laws, place, factor) if effect.kind == HAZARD else _time(laws, place, factor, effect)


def _hazard(laws: Laws, place: int, factor: Floats) -> Laws:
    """Return the laws with the hazard of an exit times e^factor."""
    kinds, coefficients = laws.kind[:, place], laws.coefficients.copy()
    rates = (kinds == PIECES) | (kinds == SPLINE)
    coefficients[rates, place, 0] += factor[rates]
    weibull = kinds == LOG
    coefficients[weibull, place, 0] -= laws.scale[weibull, place] * factor[weibull]
    laws, others = laws._replace(coefficients=coefficients), np.flatnonzero((kinds == LOGISTIC) | (kinds == TABLE))
    if not len(others):
        return laws
    nodes = laws.low + laws.step * np.arange(laws.table.shape[1], dtype=np.float64)
    rows = np.array(
        [_logistic(nodes) if kinds[one] == LOGISTIC else laws.table[laws.row[one, place]] for one in others]
    )
    kind = laws.kind.copy()
    kind[others, place] = TABLE
    return _with_rows(laws, place, others, _shifted(nodes, rows, factor[others]))._replace(kind=kind)


def _time(laws: Laws, place: int, factor: Floats, effect: Effect) -> Laws:
    """Return the laws with the days before an exit times e^factor."""
    kinds, coefficients = laws.kind[:, place], laws.coefficients.copy()
    located = (kinds == LOG) | (kinds == LOGISTIC) | (kinds == TABLE)
    coefficients[located, place, 0] += factor[located]
    laws = laws._replace(coefficients=coefficients)
    splines, pieces = np.flatnonzero(kinds == SPLINE), np.flatnonzero(kinds == PIECES)
    if len(splines):
        nodes = np.linspace(FIRST_LOG_DAY, LAST_LOG_DAY, laws.table.shape[1])
        rows = _shifted(nodes, laws.table[laws.row[splines, place]], factor[splines])
        laws = _with_rows(laws, place, splines, rows)
    if len(pieces):
        if effect.log_sd > 0:
            raise ValueError(
                f"{effect.describe()}: rates by piece take a time ratio only without log_sd; give a hazard ratio"
            )
        cuts, rate = laws.cuts.copy(), laws.rate.copy()
        cuts[place] *= np.exp(factor[0])
        rate[pieces, place] /= np.exp(factor[0])
        laws = laws._replace(cuts=cuts, rate=rate)
    return laws


def _with_rows(laws: Laws, place: int, draws: Integers, rows: Floats) -> Laws:
    """Return the laws with tables of their own for some draws of an exit."""
    row = laws.row.copy()
    row[draws, place] = len(laws.table) + np.arange(len(draws))
    return laws._replace(row=row, table=np.vstack([laws.table, rows]))


def _logistic(log_hazard: Floats) -> Floats:
    """Return ln(e^h - 1) over ln h."""
    hazard = np.exp(log_hazard)
    return np.asarray(hazard + np.log(-np.expm1(-hazard)))


def _shifted(nodes: Floats, rows: Floats, by: Floats) -> Floats:
    """Return each row read at its nodes less `by`; beyond its ends a row goes on straight."""
    result = np.empty_like(rows)
    for place, (row, shift) in enumerate(zip(rows, by, strict=True)):
        at = nodes - shift
        inside = np.clip(at, nodes[0], nodes[-1])
        slopes = np.where(at < nodes[0], row[1] - row[0], row[-1] - row[-2]) / (nodes[1] - nodes[0])
        result[place] = CubicSpline(nodes, row)(inside) + (at - inside) * slopes
    return result


def log_ratio_of(draws: Floats) -> tuple[float, float]:
    """Return the median of ratios and the standard deviation of their logarithm, as an `Effect` takes them.

    Examples
    --------
    >>> log_ratio_of(np.exp(np.array([-1.0, 0.0, 1.0])))
    (1.0, 1.0)
    """
    logs = np.log(draws)
    return float(np.exp(np.median(logs))), float(logs.std(ddof=1))
