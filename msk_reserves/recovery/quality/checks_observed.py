"""Checks of a recovery against what was seen: late exits, durations, calibration, groups, constancy of effects."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy import special

from msk_reserves._checks import Floats
from msk_reserves.claims.book import ClaimBook
from msk_reserves.recovery.observations import Observations
from msk_reserves.recovery.path.entry import entered
from msk_reserves.recovery.path.model import Recovery
from msk_reserves.recovery.path.selection import MANY_EVENTS, TAIL_STARTS
from msk_reserves.recovery.path.strata import within
from msk_reserves.recovery.path.transitions import AtRisk, Transition
from msk_reserves.recovery.quality.checks import (
    CAUTION,
    CHANCE,
    FAIL,
    MATERIAL,
    PASS,
    RATIO,
    SLOPE,
    Check,
    move_words,
    own_moves,
    words,
)
from msk_reserves.recovery.quality.cox_snell import CoxSnell
from msk_reserves.recovery.quality.group_check import GroupCheck
from msk_reserves.recovery.quality.judged import MOST_STAYS, JudgedStays, evenly, middle_days
from msk_reserves.recovery.quality.occupation_check import OccupationCheck
from msk_reserves.recovery.quality.proportionality import tested

_PROPORTIONAL = ("exponential", "weibull", "piecewise", "rp0", "rp1", "rp2", "rp3")


def _by_chance(chance: float, *, material: bool) -> str:
    """Return the outcome of a deviation with this chance."""
    if chance >= CHANCE[0]:
        return PASS
    return FAIL if chance < CHANCE[1] and material else CAUTION


def _outside(low: float, high: float) -> str:
    """Return the outcome of a ratio with these limits."""
    for outcome, distance in ((FAIL, RATIO[1]), (CAUTION, RATIO[0])):
        if low > 1 + distance or high < 1 - distance:
            return outcome
    return PASS


def _poisson_p(seen: Floats, expected: Floats) -> Floats:
    """Return twice the smaller tail of a Poisson count, at most 1."""
    below, above = special.pdtr(seen, expected), np.where(seen > 0, special.pdtrc(seen - 1, expected), 1.0)
    return np.asarray(np.minimum(2 * np.minimum(below, above), 1.0))


def tail_check(residuals: Sequence[CoxSnell]) -> Check:
    """Exits seen late against those expected, by move: reserves hang on the tail of a stay."""
    rows = []
    for one in residuals:
        late = [int(np.argmax(one.band == start)) for start in TAIL_STARTS]
        seen, expected = (np.cumsum(table[:, ::-1], axis=1)[:, ::-1][:, late] for table in (one.seen, one.expected))
        for place, target in enumerate(one.targets):
            rows += [
                (s, e, f"{words(one.state)} to {words(target)} after day {start:.0f}")
                for s, e, start in zip(seen[place], expected[place], TAIL_STARTS, strict=True)
                if e > 0
            ]
    chance = np.minimum(_poisson_p(np.array([r[0] for r in rows]), np.array([r[1] for r in rows])) * len(rows), 1.0)
    worst = int(np.argmin(chance))
    seen_, expected_, where = rows[worst]
    off = abs(seen_ / max(expected_, 1e-9) - 1)
    return Check(
        "exits late in a stay",
        f"{seen_:,.0f} seen, {expected_:,.1f} expected in {where}; "
        f"p {chance[worst]:.2g} after correction for {len(rows)} comparisons",
        f"p of {CHANCE[0]:g} or more; fails under {CHANCE[1]:g} when also {MATERIAL:.0%} off",
        "Poisson count, Bonferroni; levels are judgement",
        _by_chance(float(chance[worst]), material=off > MATERIAL),
    )


def band_check(residuals: Sequence[CoxSnell]) -> Check:
    """Exits off work, by state, against those expected, by band of days (Cox-Snell residuals)."""
    worst = min(residuals, key=lambda one: one.p_value)
    frame = worst.to_frame()
    frame = frame[frame["expected"] >= MANY_EVENTS]
    ratio = frame["ratio"].iloc[int((frame["ratio"] - 1).abs().argmax())] if len(frame) else 1.0
    chance = min(worst.p_value * len(residuals), 1.0)
    return Check(
        "exits off work by duration",
        f"p {chance:.2g} ({words(worst.state)}), seen over expected furthest from 1 in a band: {ratio:.2f}",
        f"p of {CHANCE[0]:g} or more; fails under {CHANCE[1]:g} when a band is {MATERIAL:.0%} off",
        "Cox-Snell residuals, chi-square over bands; levels are judgement",
        _by_chance(chance, material=abs(float(ratio) - 1) > MATERIAL),
    )


def calibration_checks(judged: Sequence[JudgedStays]) -> Iterator[Check]:
    """Return to work predicted against Aalen-Johansen, on average and in its spread."""
    order = {PASS: 0, CAUTION: 1, FAIL: 2}
    for horizon in judged[0].horizons.tolist():
        rows = []
        for one in judged:
            if one.watched_to(horizon):
                found = one.calibration(horizon)
                low, high = found.ratio_interval
                outcome = _outside(low, high)
                told = f"{found.observed_over_expected:.3f} ({low:.3f} to {high:.3f}) {words(one.state)}"
                rows.append((order[outcome], abs(found.observed_over_expected - 1), told, outcome))
        if rows:
            worst = max(rows)
            value = rows[0][2] if worst is rows[0] else f"{rows[0][2]}; worst {worst[2]}"
            yield Check(
                f"calibration at {horizon / 7:.0f} weeks",
                f"observed over expected returns {value}",
                f"95 % interval reaches 1 within {RATIO[0]:.0%}; fails wholly beyond {RATIO[1]:.0%}",
                "Aalen-Johansen with competing exits; levels are judgement",
                worst[3],
            )


def spread_of_predictions_checks(judged: JudgedStays, horizon: float) -> Iterator[Check]:
    """Slope, Brier skill and concordance of the first state's predictions."""
    weeks = f"at {horizon / 7:.0f} weeks, {words(judged.state)}"
    found = judged.calibration(horizon)
    low, high = found.slope_interval
    told = "predictions do not differ" if np.isnan(found.slope) else f"{found.slope:.2f} ({low:.2f} to {high:.2f})"
    yield Check(
        "calibration slope",
        f"{told} {weeks}",
        f"95 % interval reaches {SLOPE[0]:g} to {SLOPE[1]:g}",
        "pseudo-values (van Geloven and others 2022); limits are judgement",
        CAUTION if high < SLOPE[0] or low > SLOPE[1] else PASS,
    )
    scores = judged.brier()
    place = int(np.flatnonzero(judged.horizons == horizon)[0])
    skill, (low, high) = float(scores.skill[place]), (float(end[place]) for end in scores.skill_interval)
    yield Check(
        "Brier skill",
        f"{skill:.1%} ({low:.1%} to {high:.1%}) {weeks}",
        "above 0: better than one share for all; fails wholly below",
        "Graf and others 1999",
        PASS if skill > 0 else FAIL if high < 0 else CAUTION,
    )
    pairs = judged.concordance(horizon)
    yield Check(
        "concordance",
        f"{pairs.estimate:.3f} ({pairs.interval[0]:.3f} to {pairs.interval[1]:.3f}) {weeks}",
        "95 % interval reaches above 0.5",
        "Uno and others 2011; ranks claims, says nothing of levels",
        PASS if pairs.interval[1] > 0.5 else CAUTION,
    )


def group_check(groups: Sequence[GroupCheck]) -> Check | None:
    """Return to work predicted against Aalen-Johansen, group by group."""
    rows = []
    for one in groups:
        frame = one.to_frame()
        frame = frame[frame["z"].notna() & (frame["stays"] >= MANY_EVENTS)]
        for row in frame.itertuples():
            level, by = words(str(row.level)), words(str(row.by))
            where = (
                f"{level if by in level else f'{by} {level}'} at {row.days / 7:.0f} weeks, {words(one.judged.state)}"
            )
            rows.append((abs(row.z), row.observed, row.predicted, where))
    if not rows:
        return None
    z, seen, expected, where = max(rows)
    chance = min(2 * float(special.ndtr(-z)) * len(rows), 1.0)
    return Check(
        "calibration by group",
        f"{seen:.1%} returned, {expected:.1%} expected: {where}; "
        f"p {chance:.2g} after correction for {len(rows)} comparisons",
        f"p of {CHANCE[0]:g} or more; fails under {CHANCE[1]:g} when also {100 * MATERIAL / 2:.0f} points off",
        "Aalen-Johansen by group, Bonferroni; levels are judgement",
        _by_chance(chance, material=abs(seen - expected) > MATERIAL / 2),
    )


def path_check(found: OccupationCheck | None, reason: str) -> Check:
    """Shares in every state along the path, predicted against Aalen-Johansen."""
    rule = f"p of {CHANCE[0]:g} or more; fails under {CHANCE[1]:g} when also {100 * MATERIAL / 4:.0f} points off"
    source = "landmark Aalen-Johansen (Putter and Spitoni 2018), Bonferroni; levels are judgement"
    name = "states along the path"
    if found is None:
        return Check(name, f"not judged: {reason}", rule, source, CAUTION)
    frame = found.to_frame()
    frame = frame[frame["z"].notna()]
    if not len(frame):
        return Check(name, "not judged: no state holds ten claims", rule, source, CAUTION)
    worst = frame.iloc[int(frame["z"].abs().argmax())]
    chance = min(2 * float(special.ndtr(-abs(worst["z"]))) * len(frame), 1.0)
    seen, expected = float(worst["observed"]), float(worst["predicted"])
    value = f"{seen:.1%} seen, {expected:.1%} expected {words(worst['state'])} after {worst['days'] / 7:.0f} weeks; "
    value += f"p {chance:.2g} after correction for {len(frame)} comparisons"
    return Check(name, value, rule, source, _by_chance(chance, material=abs(seen - expected) > MATERIAL / 4))


def proportionality_check(recovery: Recovery, book: ClaimBook, groups: Sequence[AtRisk]) -> Check | None:
    """Whether effects of covariates drift, in moves that keep a law with proportional hazards."""
    rows: list[tuple[float, str]] = []
    by_claim = recovery.design.matrix(book.claims)
    source = [" and ".join(term.sources) or "how late it began" for term in recovery.design.terms for _ in term.names]
    for move in own_moves(recovery):
        group = fitted_on(recovery, move, groups)
        if group is None or not move.names or not any(one.fit.family in _PROPORTIONAL for one in move.kept()):
            continue
        marks = [group.space.mark] if move.mark is not None else []
        columns: dict[str, list[int]] = {}
        of_place = [*marks, *(source[column] for column in move.columns)]
        for place, name in enumerate(of_place):
            columns.setdefault(name, []).append(place)
        modelled = {of_place[place] for one in move.kept() for place in one.fit.tilt}
        try:
            at_risk = within(group, move, by_claim)
            design = entered(by_claim[at_risk.row], recovery.design.entry_column, at_risk.since)
            found = tested(_stays_of(at_risk, recovery.space.base_of, move, design), move.names, columns, "log")
        except ValueError:
            continue
        rows += [
            (float(p), f"{words(name)} in {move_words(move)}")
            for name, p in zip(found.names[:-1], found.p_value[:-1], strict=True)
            if not np.isnan(p) and name not in modelled
        ]
    if not rows:
        return None
    least, where = min(rows)
    chance = min(least * len(rows), 1.0)
    drifting = sum(p * len(rows) < CHANCE[0] for p, _ in rows)
    return Check(
        "effects constant over time",
        f"{drifting} of {len(rows)} effects drift; least p {chance:.2g} after correction, {where}",
        f"p of {CHANCE[0]:g} or more; never fails by itself, as groups are checked above",
        "score test with log days (Grambsch and Therneau 1994), Bonferroni",
        PASS if chance >= CHANCE[0] else CAUTION,
    )


def fitted_on(recovery: Recovery, move: Transition, groups: Sequence[AtRisk]) -> AtRisk | None:
    """Return the stays at risk that a move was fitted to: of the state, its twin, or both; None where there are none.

    Where the twin's move has laws of its own, each was fitted to its own side.
    """
    space = recovery.space
    group = next((one for one in groups if one.state == space.base_of[move.origin]), None)
    if group is None:
        return None
    if move.origin == group.twin:
        return group.of(group.marked)
    if move.continues:
        return group.of(~group.marked)
    arrived = space.twin_of.get(move.target, move.target)
    beside = [one for one in own_moves(recovery) if (one.origin, one.target) == (group.twin, arrived)]
    # A stratum may tell them apart where another does not.
    apart = any(one.stratum is None or one.stratum == move.stratum for one in beside)
    return group.of(~group.marked) if apart else group


def _stays_of(group: AtRisk, base_of: Mapping[str, str], move: Transition, design: Floats) -> Observations:
    """Return the stays at risk of a move as its test reads them, on its clock, evenly thinned where they are many.

    `design` has a row a stay.
    """
    group = group.forward() if move.forward else group
    chosen = evenly(len(group.days), MOST_STAYS)
    days = middle_days(group)[chosen]
    x = design[np.ix_(chosen, np.array(move.columns, dtype=np.int64))]
    if move.mark is not None:
        x = np.column_stack([group.marked[chosen], x])
    target = move.target if move.continues else base_of[move.target]
    return Observations(days, group.exited(target)[chosen], group.entry[chosen], days, group.weight[chosen], x)
