"""Laws of the answers for open claims: they add up, agree, and keep the two kinds of interval apart."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from msk_reserves.claims.book import ClaimBook
from msk_reserves.claims.vocabulary import OFF_WORK_STATES, STATE_CODE
from msk_reserves.recovery.answers.grids import graded_grid
from msk_reserves.recovery.answers.outlook import group_outlook
from msk_reserves.recovery.answers.prognosis import predicted_occupation, state_probabilities
from msk_reserves.recovery.answers.remaining import RemainingDays, remaining_days
from msk_reserves.recovery.answers.standing import blocks, longest_seen, standing_of
from msk_reserves.recovery.laws.families import FAMILIES
from msk_reserves.recovery.laws.residual import residual_mean, residual_quantile
from msk_reserves.recovery.path.draws import RecoveryDraws
from msk_reserves.recovery.path.mixture import present_stay
from msk_reserves.recovery.path.model import Recovery, fit_path, fit_recovery
from tests.worlds.employers import SPACE, employers_stays
from tests.worlds.recovery import recovery_book

AHEAD = (30.0, 182.0, 364.0)


@cache
def small() -> tuple[ClaimBook, Recovery, RecoveryDraws]:
    """A book of 900 claims, its recovery and 40 draws."""
    book = recovery_book(900, 4)
    recovery = fit_recovery(book, candidates=("weibull", "lognormal", "piecewise"))
    return book, recovery, recovery.draw(40, 1)


def off_work(n: int) -> list[str]:
    """The first claims off work."""
    book, _, _ = small()
    return [str(name) for name in book.claims["claim_id"][book.position.off_work()][:n]]


@cache
def answers() -> RemainingDays:
    """Remaining days of twelve claims."""
    book, recovery, draws = small()
    return remaining_days(
        recovery, book, claims=off_work(12), draws=draws, quantiles=(0.5, 0.9), ahead=AHEAD, horizon_days=1_820.0
    )


def test_probabilities_add_up_and_lie_in_their_intervals() -> None:
    """Over states to one; low <= high; the interval at 99.9 % of draws holds their mean. All open claims by default."""
    book, recovery, _ = small()
    found = state_probabilities(recovery, book, AHEAD, draws=recovery.draw(6, 2), level=0.999)
    open_claims = ~np.isin(book.position.state, [STATE_CODE["closed"], STATE_CODE["dead"]])
    assert found.claim_id == tuple(book.claims["claim_id"][open_claims])
    np.testing.assert_allclose(found.probability.sum(axis=2), 1.0, atol=1e-12)
    assert (found.confidence_low <= found.confidence_high).all()
    assert (found.confidence_low <= found.probability + 1e-12).all()
    assert (found.probability <= found.confidence_high + 1e-12).all()
    assert ((found.beyond_data >= 0) & (found.beyond_data <= 1 + 1e-9)).all()


def test_answers_do_not_depend_on_the_claims_beside() -> None:
    """A claim asked about alone has the answers it has in the book, in any order, to rounding."""
    book, recovery, draws = small()
    names = off_work(6)
    together = state_probabilities(recovery, book, AHEAD, claims=names, draws=draws)
    backwards = state_probabilities(recovery, book, AHEAD, claims=names[::-1], draws=draws)
    alone = state_probabilities(recovery, book, AHEAD, claims=names[2], draws=draws)
    np.testing.assert_allclose(backwards.probability[::-1], together.probability, atol=1e-12)
    mine = [together.states.index(name) for name in alone.states]
    np.testing.assert_allclose(alone.probability[0], together.probability[2][:, mine], atol=1e-12)
    single = remaining_days(
        recovery, book, claims=names[2], draws=draws, quantiles=(0.5, 0.9), ahead=AHEAD, horizon_days=1_820.0
    )
    np.testing.assert_allclose(single.estimate[:, 0], answers().estimate[:, 2], rtol=1e-9)
    np.testing.assert_allclose(single.prediction_high[:, 0], answers().prediction_high[:, 2], rtol=1e-9)


def test_a_table_made_by_hand_answers_as_the_book_does() -> None:
    """Given state, days in it and covariates of a claim, the answers are the claim's."""
    book, recovery, draws = small()
    name = off_work(1)[0]
    row = int(np.flatnonzero(book.claims["claim_id"] == name)[0])
    state = {code: key for key, code in STATE_CODE.items()}[int(book.position.state[row])]
    days = book.position.days_in_state[row]
    by_hand = book.claims.iloc[[row]].assign(state=state, days_in_state=days, days_since_start=days)
    one = state_probabilities(recovery, by_hand, AHEAD, draws=draws)
    two = state_probabilities(recovery, book, AHEAD, claims=name, draws=draws)
    np.testing.assert_array_equal(one.probability, two.probability)
    operated = by_hand.assign(state="after_surgery", days_since_surgery=[100.0]).drop(columns="claim_id")
    off = remaining_days(recovery, operated, draws=draws, ahead=(82.0,))
    assert off.claim_id == ("row 0",)
    assert off.state == ("after_surgery",)
    since = "probability_back_within_26_weeks_of_surgery"
    # Eighty-two days are left of the half year; the clock after an operation needs no column.
    again = remaining_days(recovery, operated.assign(state="relapse"), draws=draws)
    assert 0 < again.of(since)[0] < again.of("probability_back_in_26_weeks")[0]
    untold = operated.drop(columns="days_since_surgery").assign(days_in_state=100.0, days_since_start=100.0 + days)
    assert np.isfinite(remaining_days(recovery, untold, draws=draws).of(since)[0])
    assert np.isnan(remaining_days(recovery, untold.assign(state="relapse"), draws=draws).of(since)[0])


def test_a_single_law_gives_its_own_residual_time() -> None:
    """One move, one law, one draw at the estimates: mean, median and 90 % quantile are those of the law, to 1e-3."""
    book = recovery_book(600, 2)
    stays = replace(
        book.spells,
        next_state=np.where(book.spells.next_state == STATE_CODE["back_at_work"], STATE_CODE["back_at_work"], -1),
    )
    recovery = fit_recovery(replace(book, spells=stays), candidates=("lognormal",), covariates=())
    only = replace(recovery, fitted=(recovery.transitions["off_work", "back_at_work"],))
    worker = pd.DataFrame({"state": ["off_work"], "days_in_state": [60.0]})
    found = remaining_days(only, worker, draws=only.point(), quantiles=(0.5, 0.9), horizon_days=3_640.0)
    fit = only.fitted[0].kept()[0].fit
    law = FAMILIES[fit.family], 60.0, float(fit.theta[0]), fit.scale
    assert fit.family == "lognormal"
    mean = residual_mean(law[0], law[1], law[2], law[3], horizon=3_700.0)
    assert found.of("days_remaining_mean")[0] == pytest.approx(mean, rel=1e-3)
    for probability in (0.5, 0.9):
        exact = float(residual_quantile(law[0], law[1], probability, law[2], law[3]))
        assert found.of(f"days_remaining_p{100 * probability:.0f}")[0] == pytest.approx(exact, rel=1e-3)


def test_declared_states_and_employers_are_answered_for() -> None:
    """In states of one's own, workers of the quickest employers are back sooner than those of the slowest."""
    table, factor = employers_stays(60, 15, 0.5, 7)
    recovery = fit_path(table, space=SPACE, covariates=[], candidates=("weibull",), frailty="employer")
    slow, quick = (f"E{number:03d}" for number in (np.argmin(factor), np.argmax(factor)))
    workers = pd.DataFrame({"state": "off", "days_in_state": 20.0, "employer_id": [slow, quick, slow]})
    workers["days_since_start"] = 20.0
    found = state_probabilities(recovery, workers, [30.0, 90.0], draws=30, seed=1)
    at = found.states.index("back")
    assert (found.probability[1, :, at] > 1.2 * found.probability[0, :, at]).all()
    np.testing.assert_array_equal(found.probability[2], found.probability[0])
    turned = state_probabilities(recovery, workers.iloc[[1, 0]], [30.0, 90.0], draws=30, seed=1)
    np.testing.assert_allclose(turned.probability[::-1], found.probability[:2], atol=1e-12)
    days = remaining_days(recovery, workers, draws=recovery.draw(10, 1), paths=4, horizon_days=364.0)
    assert days.of("days_remaining_mean")[1] < days.of("days_remaining_mean")[0]
    assert days.of("probability_back_in_26_weeks")[1] > days.of("probability_back_in_26_weeks")[0]


def test_the_kinds_of_interval_are_never_mixed() -> None:
    """Means, quantiles and probabilities have confidence limits alone, days themselves prediction limits alone."""
    found = answers()
    for row, name in enumerate(found.answers):
        if name == "probability_back_within_26_weeks_of_surgery":
            continue
        outcome = name in {"days_remaining", "days_off_all_spells"}
        assert np.isnan(found.confidence_low[row]).all() == outcome, name
        assert np.isnan(found.prediction_low[row]).all() != outcome, name
    at = {name: row for row, name in enumerate(found.answers)}
    wide = found.prediction_high[at["days_remaining"]] - found.prediction_low[at["days_remaining"]]
    narrow = found.confidence_high[at["days_remaining_mean"]] - found.confidence_low[at["days_remaining_mean"]]
    assert (wide > narrow).all()


def test_remaining_days_are_ordered_as_they_must_be() -> None:
    """All spells hold the present one; quantiles rise; the chance of being off still falls; confidence holds means."""
    found = answers()
    assert (found.of("days_off_all_spells_mean") >= found.of("days_remaining_mean") - 1e-9).all()
    assert (found.of("days_remaining_p90") > found.of("days_remaining_p50")).all()
    still = np.array([found.of(f"still_off_in_{day:g}_days") for day in AHEAD])
    assert (np.diff(still, axis=0) <= 0).all()
    np.testing.assert_array_equal(found.of("days_remaining"), found.of("days_remaining_p50"))
    at = found.answers.index("days_remaining_mean")
    assert (found.confidence_low[at] < found.estimate[at]).all()
    assert (found.estimate[at] < found.confidence_high[at]).all()
    assert (found.simulation_error[at] > 0).all()


def test_simulated_days_off_agree_with_the_equations() -> None:
    """The median over all spells lies where the present spell's survival and relapses put it: paths of one draw."""
    book, recovery, draws = small()
    one = replace(draws, n_draws=1, moves=recovery.point().moves, seed=None)
    found = remaining_days(recovery, book, claims=off_work(4), draws=one, paths=4_000, horizon_days=1_820.0)
    outlook = [
        group_outlook(recovery, book, [1_820.0], claims=name, draws=one, paths=4_000, horizon_days=1_820.0)
        for name in off_work(4)
    ]
    for row, group in enumerate(outlook):
        mean, error = group.days_off[0], group.days_off[3]
        assert abs(mean - found.of("days_off_all_spells_mean")[row]) < 4.5 * error + 0.002 * mean
        high = found.prediction_high[found.answers.index("days_off_all_spells"), row]
        assert group.days_off[2] == pytest.approx(high, rel=0.1)


def test_a_group_is_the_sum_of_its_claims() -> None:
    """Expected numbers are sums of probabilities within 4.5 simulation errors, and add up to the claims."""
    book, recovery, draws = small()
    names = off_work(30)
    group = group_outlook(recovery, book, AHEAD, claims=names, draws=draws, paths=40, horizon_days=364.0)
    each = state_probabilities(recovery, book, AHEAD, claims=names, draws=draws)
    np.testing.assert_allclose(group.expected.sum(axis=1), 30.0, atol=1e-9)
    for column, name in enumerate(group.states):
        sums = each.probability[:, :, each.states.index(name)].sum(axis=0)
        assert (np.abs(group.expected[:, column] - sums) < 4.5 * group.simulation_error[:, column] + 0.05).all(), name
    assert (group.prediction_low <= group.prediction_high).all()
    assert (group.prediction_high == np.round(group.prediction_high)).all()
    off = np.isin(group.states, OFF_WORK_STATES)
    assert group.days_off[0] < 30 * 364
    assert (group.expected[:, off].sum(axis=1)[:-1] > group.expected[:, off].sum(axis=1)[1:]).all()
    wider = group_outlook(recovery, book, AHEAD, claims=names, draws=draws, paths=40, horizon_days=364.0, level=0.99)
    assert (wider.prediction_low <= group.prediction_low).all()
    assert (wider.prediction_high >= group.prediction_high).all()


def test_predicted_occupation_starts_where_it_is_told() -> None:
    """Every claim from its first day off, adding up to one; a later start leaves more of them off work."""
    book, recovery, _ = small()
    states, chance = predicted_occupation(recovery, book, AHEAD)
    assert chance.shape == (900, 3, len(states))
    np.testing.assert_allclose(chance.sum(axis=2), 1.0, atol=1e-12)
    _, later = predicted_occupation(recovery, book, AHEAD, days_in_state=91.0)
    at = states.index("off_work")
    assert (later[:, :, at].mean(axis=0) > chance[:, :, at].mean(axis=0)).all()


def running_forward() -> tuple[ClaimBook, Recovery]:
    """The small book, relapse to improvement, improvement to settlement and onset on the clock of the path."""
    book, recovery, _ = small()
    ends = ("mmi", "settled")
    fitted = tuple(replace(one, forward=one.continues or one.target in ends) for one in recovery.fitted)
    return book, replace(recovery, fitted=fitted)


def test_answers_follow_the_days_since_the_path_began() -> None:
    """Where moves run on them they change the answers of stays that are not the first; the book's own are used."""
    book, recovery = running_forward()
    draws = recovery.draw(20, 1)
    assert any(move.forward for move in draws.moves)
    worker = book.claims.iloc[[0, 0]].assign(
        claim_id=["A", "B"], state="relapse", days_in_state=30.0, days_since_start=[30.0, 900.0]
    )
    found = state_probabilities(recovery, worker, AHEAD, draws=draws)
    np.testing.assert_allclose(found.probability.sum(axis=2), 1.0, atol=1e-12)
    assert np.abs(found.probability[0] - found.probability[1]).max() > 0.01
    row = int(np.flatnonzero(book.position.state == STATE_CODE["relapse"])[0])
    own = book.claims.iloc[[row]].assign(
        state="relapse",
        days_in_state=book.position.days_in_state[row],
        days_since_start=book.position.days_since_start[row],
    )
    name = str(book.claims["claim_id"].iloc[row])
    by_hand, of_book = (
        state_probabilities(recovery, who, AHEAD, claims=name, draws=draws).probability for who in (own, book)
    )
    np.testing.assert_array_equal(by_hand, of_book)
    states, estimated = predicted_occupation(recovery, own, AHEAD, state="relapse", days_since_start=500.0)
    np.testing.assert_allclose(estimated.sum(axis=2), 1.0, atol=1e-12)
    _, sooner = predicted_occupation(recovery, own, AHEAD, state="relapse")
    assert np.abs(estimated - sooner).max() > 0.005
    assert "relapse" in states


def test_the_present_stay_is_the_same_in_tables_and_curves() -> None:
    """Still in the stay, of a relapse some days into its path: the table at the estimates and `present_stay`, 1e-10."""
    book, recovery = running_forward()
    days, since = np.array([10.0, 10.0, 90.0]), np.array([40.0, 800.0, 300.0])
    worker = book.claims.iloc[:3].assign(state="relapse", days_in_state=days, days_since_start=since)
    grid = graded_grid(364.0)
    (block,) = blocks(standing_of(recovery, worker, ["relapse"]), recovery, longest_seen(recovery), grid)
    held = np.empty((3, len(grid.nodes)))
    held[block.which] = block.now.held.sum(axis=0).T
    staying, _ = present_stay(recovery.fitted, "relapse", recovery.design.matrix(worker), (days, since), grid.nodes)
    np.testing.assert_allclose(held, staying, atol=1e-10)
    assert np.abs(staying[0] - staying[1]).max() > 0.01


def test_simulated_days_off_agree_with_the_equations_where_moves_run_on_the_path() -> None:
    """Paths and equations give the same mean days off over all spells, as far as the paths can tell."""
    book, recovery = running_forward()
    draws = recovery.draw(20, 1)
    names = off_work(8)
    days = remaining_days(recovery, book, claims=names, draws=draws, paths=100, horizon_days=1_820.0)
    group = group_outlook(recovery, book, AHEAD, claims=names, draws=draws, paths=100, horizon_days=1_820.0)
    mean, _, _, error = group.days_off
    assert mean == pytest.approx(days.of("days_off_all_spells_mean").sum(), abs=4.0 * error + 5.0)
    each = state_probabilities(recovery, book, AHEAD, claims=names, draws=draws)
    for column, name in enumerate(each.states):
        chance = each.probability[:, :, column].sum(axis=0)
        expected = group.expected[:, group.states.index(name)] if name in group.states else 0.0
        np.testing.assert_allclose(expected, chance, atol=0.12)


def test_a_table_says_when_paths_began_where_it_must() -> None:
    """Known of workers in the stay in which paths begin; of others the column is asked for, and checked."""
    _, recovery = running_forward()
    draws = recovery.draw(4, 1)
    worker = small()[0].claims.iloc[[0]].assign(state="off_work", days_in_state=30.0)
    told = worker.assign(days_since_start=30.0)
    one, two = (state_probabilities(recovery, who, AHEAD, draws=draws).probability for who in (worker, told))
    np.testing.assert_array_equal(one, two)
    with pytest.raises(ValueError, match=r"must hold the column 'days_since_start'.* relapse may be entered later"):
        state_probabilities(recovery, worker.assign(state="relapse"), AHEAD, draws=draws)
    with pytest.raises(ValueError, match="not less than `days_in_state` in every row; got 29 beside 30 days"):
        state_probabilities(recovery, told.assign(days_since_start=29.0), AHEAD, draws=draws)


def test_records_say_what_they_hold() -> None:
    """Level, draws, seed, horizon and the share beyond the data are printed; tables have the two kinds of columns."""
    book, recovery, draws = small()
    each = state_probabilities(recovery, book, AHEAD, claims=off_work(3), draws=draws)
    group = group_outlook(recovery, book, AHEAD, claims=off_work(3), draws=draws, paths=4)
    for record, words in (
        (each, ("90%", "40 parameter draws", "seed 1", "Confidence", "longer than any seen")),
        (group, ("90%", "40 parameter draws", "seed 1", "Prediction", "3,640 days", "simulation error")),
        (answers(), ("90%", "40 parameter draws", "seed 1", "1,820 days", "stays longer than any seen")),
    ):
        for word in words:
            assert word in repr(record), word
            assert word in record._repr_html_(), word
    assert len(each.to_frame()) == 3 * 3 * len(each.states)
    assert {"confidence_low", "confidence_high", "beyond_data"} < set(each.to_frame())
    assert {"prediction_low", "prediction_high", "beyond_data", "simulation_error"} < set(group.to_frame())
    table = answers().to_frame()
    assert {"confidence_low", "prediction_low", "beyond_data", "simulation_error"} < set(table)
    assert len(table) == 12 * len(answers().answers)
    assert list(answers().wide()["claim_id"]) == off_work(12)


def test_workers_off_work_are_answered_for_and_others_refused() -> None:
    """All of them by default, in the book's order; a book without any has an empty answer; who is at work is named."""
    book, recovery, draws = small()
    few = replace(draws, n_draws=1, moves=recovery.point().moves)
    found = remaining_days(recovery, book, draws=few, paths=4)
    assert list(found.claim_id) == book.claims["claim_id"][book.position.off_work()].tolist()
    position = replace(book.position, state=np.full(len(book), STATE_CODE["mmi"]))
    nobody = remaining_days(recovery, replace(book, position=position), draws=few, paths=4)
    assert nobody.estimate.shape == (len(found.answers), 0)
    assert "0 claims off work" in repr(nobody)
    at_work = book.claims["claim_id"][~book.position.off_work()].iloc[0]
    anyone = state_probabilities(recovery, book, AHEAD, claims=at_work, draws=few)
    assert anyone.claim_id == (at_work,)
    with pytest.raises(ValueError, match=rf"{at_work}.* is in"):
        remaining_days(recovery, book, claims=at_work, draws=few)


def test_what_cannot_be_answered_is_refused() -> None:
    """Unknown claims and states, days out of range, a horizon too short, levels and counts out of range."""
    book, recovery, draws = small()
    one = off_work(1)
    with pytest.raises(ValueError, match="`claims` must name claims of the book"):
        state_probabilities(recovery, book, AHEAD, claims="nobody", draws=draws)
    with pytest.raises(ValueError, match="`ahead` must be above zero"):
        state_probabilities(recovery, book, [0.0], claims=one, draws=draws)
    with pytest.raises(ValueError, match="`ahead` must hold at least one day"):
        state_probabilities(recovery, book, [], claims=one, draws=draws)
    with pytest.raises(ValueError, match="`horizon_days` must be half a year"):
        remaining_days(recovery, book, claims=one, draws=draws, horizon_days=100.0)
    with pytest.raises(ValueError, match="`horizon_days` must be a finite number"):
        remaining_days(recovery, book, claims=one, draws=draws, horizon_days=np.inf)
    with pytest.raises(ValueError, match="must not lie beyond `horizon_days`"):
        remaining_days(recovery, book, claims=one, draws=draws, horizon_days=200.0, ahead=(300.0,))
    with pytest.raises(ValueError, match="must not lie beyond `horizon_days`"):
        group_outlook(recovery, book, [400.0], claims=one, draws=draws, horizon_days=364.0)
    with pytest.raises(ValueError, match="`level` must lie strictly between 0 and 1"):
        state_probabilities(recovery, book, AHEAD, claims=one, draws=draws, level=90)
    with pytest.raises(ValueError, match="`answer` must be one of"):
        answers().of("weeks_remaining")
    worker = pd.DataFrame({"state": ["asleep"], "days_in_state": [3.0]})
    with pytest.raises(ValueError, match=r"`state` must be one of .* got 'asleep'"):
        state_probabilities(recovery, worker, AHEAD, draws=draws)
    with pytest.raises(ValueError, match="must hold the column 'days_in_state'"):
        state_probabilities(recovery, worker[["state"]], AHEAD, draws=draws)
    with pytest.raises(ValueError, match="`days_in_state` must be finite"):
        state_probabilities(recovery, worker.assign(state="off_work", days_in_state=-1.0), AHEAD, draws=draws)
