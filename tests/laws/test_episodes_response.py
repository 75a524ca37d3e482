"""Laws of a response of care: what an effect does to every kind of law, and to nothing else."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import msk_reserves as msk
from msk_reserves.episodes.hazards import BY_ROW, PIECES, collected_by, exit_days_of, standing_of
from msk_reserves.episodes.plan import Plan, make_plan
from msk_reserves.episodes.response import ATTORNEY, COST, RETURN, TIME, CareResponse, Effect, responding
from msk_reserves.episodes.simulate import simulate_block
from msk_reserves.recovery.path.draws import TransitionDraws
from tests.worlds.valued import ledger

DAYS = (3.0, 40.0, 200.0, 900.0)


@cache
def plan_of(scenarios: int = 80) -> Plan:
    """Return a plan for the ledger book."""
    book, recovery, cost = ledger()
    scopes = msk.FixedPriceBundle(price=1.0).scopes()
    return make_plan(book, recovery, cost, scopes=scopes, scenarios=scenarios, seed=3, systemic=msk.SystemicRisk())


def scenario(*effects: Effect) -> CareResponse:
    """Return a scenario of some effects."""
    return CareResponse(effects, "scenario", "a test")


def base_of(move: TransitionDraws) -> str:
    """Return the move without attorneys."""
    return f"{move.origin.removesuffix('_represented')}>{move.target.removesuffix('_represented')}"


def collected(plan: Plan, exit_: int, draw: int, days: float) -> float:
    """Return the cumulative hazard of an exit for the first claim's covariates."""
    laws = plan.laws
    used = laws.coefficients[draw, exit_]
    location = standing_of(laws, exit_, draw, float(used[0] + used[1:] @ plan.design[0]))
    return float(collected_by(laws, exit_, draw, location, days))


@pytest.mark.parametrize("ratio", [0.5, 1.7, 4.0])
def test_a_hazard_ratio_multiplies_the_hazard_of_every_kind_of_law(ratio: float) -> None:
    """H(t) becomes ratio x H(t) on each move it acts on, of any family; on others and on no claim does it change.

    Tables are read by cubics, good to 1e-4 of a hazard; laws with a cured share are held to those who leave.
    """
    plan = plan_of()
    moved = responding(plan, scenario(Effect(RETURN, ratio)))
    kinds = set()
    for place, move in enumerate(plan.exits):
        acted = "back_at_work" in move.target or "modified_duty" in move.target
        acted &= not move.continues and move.origin.removesuffix("_represented") in (
            "off_work", "relapse", "after_surgery", "modified_duty",
        )  # fmt: skip
        for draw in range(0, plan.n_draws, 4):
            if plan.laws.plateau[draw, place] > 0:
                continue
            kinds.add(int(plan.laws.kind[draw, place]))
            for days in DAYS:
                before = collected(plan, place, draw, days)
                wanted = ratio * before if acted else before
                if 1e-8 < before < 100:
                    assert collected(moved, place, draw, days) == pytest.approx(wanted, rel=2e-4), (move, days)
    assert len(kinds) > 1


@pytest.mark.parametrize("ratio", [0.6, 1.5])
def test_a_time_ratio_stretches_days(ratio: float) -> None:
    """H(t) becomes H(t / ratio), of any family; at piece ends too."""
    plan = plan_of()
    moves = ("off_work>mmi", "after_surgery>back_at_work")
    moved = responding(plan, scenario(*(Effect(one, ratio, TIME) for one in moves)))
    for place, move in enumerate(plan.exits):
        if base_of(move) in moves:
            for draw in range(0, plan.n_draws, 4):
                for days in DAYS:
                    before = collected(plan, place, draw, days / ratio)
                    if 1e-8 < before < 100:
                        assert collected(moved, place, draw, days) == pytest.approx(before, rel=2e-4), (move, days)


def test_moved_laws_can_be_inverted() -> None:
    """Where a moved law has collected a hazard its inverse finds the day."""
    plan = responding(plan_of(), scenario(Effect(RETURN, 2.0), Effect("off_work>mmi", 0.7, TIME)))
    for place in range(len(plan.exits)):
        location = standing_of(plan.laws, place, 0, float(plan.laws.coefficients[0, place, 0]))
        hazard = collected_by(plan.laws, place, 0, location, 100.0)
        if 1e-6 < hazard < 50 and plan.laws.kind[0, place] != BY_ROW:
            assert exit_days_of(plan.laws, place, 0, location, hazard, np.inf) == pytest.approx(100.0, rel=1e-3)


def test_no_response_is_the_same_plan() -> None:
    """Without an effect, and with factors of one, every future is the same to the last bit."""
    plan = plan_of()
    rows = np.flatnonzero(plan.takeover.eligible)[:6]
    same = scenario(Effect(RETURN, 1.0), Effect(ATTORNEY, 1.0), Effect("medical", 1.0, COST))
    first = simulate_block(plan.of(rows))
    for response in (CareResponse(), same):
        other = simulate_block(responding(plan, response).of(rows))
        for name in ("medical", "indemnity", "expense", "days_off", "day_back"):
            np.testing.assert_array_equal(getattr(first, name), getattr(other, name))


def test_faster_returns_shorten_days_and_cost_factors_scale_cost() -> None:
    """On the same random numbers the mean days off fall; a medical factor of a half halves expected medical."""
    plan = plan_of(400)
    plan = plan.of(np.flatnonzero(plan.takeover.eligible))
    before = simulate_block(plan)
    faster = simulate_block(responding(plan, scenario(Effect(RETURN, 2.0))))
    assert faster.days_off.mean() < 0.9 * before.days_off.mean()
    assert (faster.day_back <= 182).mean() > (before.day_back <= 182).mean()
    cheaper = simulate_block(responding(plan, scenario(Effect("medical", 0.5, COST))))
    np.testing.assert_array_equal(cheaper.days_off, before.days_off)
    np.testing.assert_array_equal(cheaper.expense, before.expense)
    # Compound Poisson noise is drawn anew around half the mean; its relative error here is below 3 %.
    assert cheaper.medical.mean() / before.medical.mean() == pytest.approx(0.5, abs=0.05)
    none = simulate_block(responding(plan, scenario(Effect(ATTORNEY, 1e-6))))
    assert none.indemnity.mean() <= before.indemnity.mean()


def test_uncertain_effects_differ_by_draw_and_are_known_by_their_seed() -> None:
    """Draws have the stated spread of the logarithm: 4,000 of them to 4 % (3.6 errors of a standard deviation)."""
    effect = Effect(RETURN, 1.5, log_sd=0.3)
    drawn = effect.draw(4_000, seed=5)
    assert drawn.std() == pytest.approx(0.3, rel=0.04)
    assert drawn.mean() == pytest.approx(np.log(1.5), abs=4 * 0.3 / np.sqrt(4_000))
    np.testing.assert_array_equal(drawn, effect.draw(4_000, seed=5))
    assert (drawn != replace(effect, on="off_work>mmi").draw(4_000, seed=5)).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Effect("return", 0.0), "`ratio` must be above zero"),
        (lambda: Effect("return", 1.0, "odds"), "`kind` must be one of"),
        (lambda: Effect("surgery", 1.0), "`on` must be 'return', 'attorney' or a move"),
        (lambda: Effect("return", 0.9, COST), "`on` must be one of medical"),
        (lambda: CareResponse((Effect("return", 1.5),)), "`origin` must be 'none' where there is no effect"),
        (lambda: CareResponse((), "evidence"), "`origin` must be 'none' where there is no effect"),
        (lambda: scenario(Effect(RETURN, 1.5), Effect(RETURN, 0.5, TIME)), "acts twice on the same thing"),
        (
            lambda: responding(plan_of(), scenario(Effect("dead>off_work", 1.5))),
            "no claim can make that move; moves are",
        ),
    ],
)
def test_effects_on_nothing_are_refused(make: object, message: str) -> None:
    """A factor of zero, an unknown kind, a move nobody makes."""
    assert callable(make)
    with pytest.raises(ValueError, match=message):
        make()


def test_an_uncertain_time_ratio_of_pieces_is_refused() -> None:
    """All draws share the ends of pieces, so that they stretch by one number or not at all."""
    plan = plan_of()
    place = next(
        p for p in range(len(plan.exits)) if (plan.laws.kind[:, p] == PIECES).any() and not plan.exits[p].continues
    )
    move = plan.exits[place]
    name = f"{move.origin.removesuffix('_represented')}>{move.target.removesuffix('_represented')}"
    with pytest.raises(ValueError, match="give a hazard ratio"):
        responding(plan, scenario(Effect(name, 1.5, TIME, log_sd=0.1)))
