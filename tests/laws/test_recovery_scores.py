"""What must hold of scores and concordance whatever the stays."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves._checks import Floats, Integers
from msk_reserves.recovery.curves.nonparametric import aalen_johansen
from msk_reserves.recovery.quality.censoring import watched
from msk_reserves.recovery.quality.concordance import Concordance, concordance
from msk_reserves.recovery.quality.scores import brier_score

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=25, deadline=None)


def some_stays(seed: int, n: int = 60) -> tuple[Floats, Integers, Floats]:
    """Return days (tied), exits (0 running, 1, 2) and risks (tied); some leave and somebody stays longest."""
    rng = np.random.default_rng(seed)
    days = rng.integers(1, 25, n).astype(np.float64)
    code = rng.choice([0, 1, 2], n, p=[0.3, 0.5, 0.2])
    days[:2], code[:2] = (1.0, 30.0), (1, 0)
    return days, code.astype(np.int64), rng.integers(0, 7, n).astype(np.float64)


@FEW
@given(seed=SEEDS)
def test_one_share_for_all_has_no_skill(seed: int) -> None:
    """The Aalen-Johansen share scores as the null does, and any other constant scores worse."""
    days, code, _ = some_stays(seed)
    share = float(aalen_johansen(days, code).at(10.0, 1))
    for moved in (0.0, 0.03, -0.03):
        scores = brier_score(np.full((len(days), 1), np.clip(share + moved, 0, 1)), days, code, [10.0])
        if moved == 0.0:
            assert scores.skill[0] == pytest.approx(0.0, abs=1e-12)
        else:
            assert scores.skill[0] < 0


@FEW
@given(seed=SEEDS)
def test_the_influences_are_those_of_the_jackknife(seed: int) -> None:
    """Share and error equal the Aalen-Johansen estimate with its infinitesimal-jackknife error; pulls sum to zero."""
    days, code, _ = some_stays(seed)
    curves = aalen_johansen(days, code, variance="infinitesimal_jackknife")
    for cause in curves.causes:
        share, pull = watched(days, code).share_gone(cause, 12.0)
        assert share == pytest.approx(float(curves.at(12.0, cause)), rel=1e-12)
        assert np.sqrt((pull**2).sum()) == pytest.approx(float(curves.standard_error_at(12.0, cause)), rel=1e-9)
        assert pull.sum() == pytest.approx(0.0, abs=1e-12)


@FEW
@given(seed=SEEDS, method=st.sampled_from(["harrell", "uno"]))
def test_reversed_risk_has_the_remaining_concordance(seed: int, method: str) -> None:
    """Concordance of minus the risk is one less that of the risk, with the same error."""
    days, code, risk = some_stays(seed)
    found = concordance(risk, days, code, method=method, truncation=15.0)
    other = concordance(-risk, days, code, method=method, truncation=15.0)
    assert found.estimate + other.estimate == pytest.approx(1.0, rel=1e-12)
    assert found.standard_error == pytest.approx(other.standard_error, rel=1e-9)


@FEW
@given(seed=SEEDS, method=st.sampled_from(["harrell", "uno"]))
def test_pairs_are_those_counted_one_by_one(seed: int, method: str) -> None:
    """Counting every pair in turn gives the same concordance, with entry (Harrell) and competing exits (Uno)."""
    days, code, risk = some_stays(seed, 40)
    rng = np.random.default_rng(seed + 1)
    entry = (
        np.where(rng.random(40) < 0.4, np.floor(days * rng.random(40)), 0.0) if method == "harrell" else np.zeros(40)
    )
    entry = np.where(entry < days, entry, 0.0)
    share = watched(days, code).still_watched(days) if method == "uno" else np.ones(40)
    right = pairs = 0.0
    for i in np.flatnonzero((code == 1) & (days <= 15)):
        for j in range(40):
            never = method == "uno" and code[j] == 2
            later = days[j] > days[i] or (days[j] == days[i] and code[j] != 1 and not never)
            weight = share[i] ** -2.0 if later else 1.0 / (share[i] * share[j])
            if (later and entry[j] < days[i]) or (never and days[j] <= days[i]):
                right += weight * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
                pairs += weight
    late = None if method == "uno" else entry
    found = concordance(risk, days, code, entry=late, method=method, truncation=15.0)
    assert found.pairs == pytest.approx(pairs, rel=1e-9)
    assert found.estimate == pytest.approx(right / pairs, rel=1e-9)


def _both(days: Floats, code: Integers, risk: Floats, weights: Floats) -> tuple[list[float], Concordance]:
    """Return the figures of a score and a concordance."""
    scores = brier_score((risk / 8)[:, None], days, code, [12.0], weights=weights)
    figures = [scores.score[0], scores.null[0], scores.score_error[0], scores.gain_error[0]]
    return [float(one) for one in figures], concordance(risk, days, code, weights=weights)


@FEW
@given(seed=SEEDS)
def test_a_weight_of_two_is_the_stay_twice_in_any_order(seed: int) -> None:
    """Scores, concordance and their errors do not tell a weight from repetition, nor one order from another."""
    days, code, risk = some_stays(seed)
    rng = np.random.default_rng(seed)
    weights = rng.integers(1, 4, len(days))
    repeated = rng.permutation(np.repeat(np.arange(len(days)), weights))
    scores, pairs = _both(days, code, risk, weights.astype(np.float64))
    again, others = _both(days[repeated], code[repeated], risk[repeated], np.ones(len(repeated)))
    np.testing.assert_allclose(scores, again, rtol=1e-10)
    np.testing.assert_allclose(
        [pairs.estimate, pairs.standard_error, pairs.pairs],
        [others.estimate, others.standard_error, others.pairs],
        rtol=1e-10,
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"entry": [0.0, 3.0, 0.0]}, "`entry` must not lie beyond `start`, 0: drop"),
        ({"start": 2.0}, "`days` must lie beyond `start`, 2: drop"),
        ({"predicted": [[1.2]] * 3}, r"`predicted` must lie in \[0, 1\], got 1.2"),
        ({"predicted": [0.5] * 3}, "`predicted` must have 2 dimension"),
        ({"predicted": [[0.5, 0.5]] * 3}, r"`predicted` must have shape \(3, 1\)"),
        ({"horizons": [0.0]}, "`horizons` must ascend from beyond `start`, 0"),
        ({"horizons": [40.0]}, "`horizon` must leave more than 5%"),
        ({"exited": [1, -1, 0]}, "`exited` must hold whole codes"),
        ({"exited": [1, 0]}, "one entry a stay"),
        ({"weights": [1.0, -1.0, 1.0]}, "`weights` must not be negative"),
    ],
)
def test_malformed_stays_are_not_scored(changed: dict[str, object], message: str) -> None:
    """Each defect has its sentence."""
    given_: dict[str, object] = {
        "predicted": [[0.5]] * 3,
        "days": [2.0, 5.0, 9.0],
        "exited": [1, 1, 0],
        "horizons": [4.0],
    }
    call: object = brier_score
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call(**(given_ | changed))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"method": "uno", "entry": [0.0, 1.0, 0.0]}, "`entry` must be absent with Uno's"),
        ({"entry": [2.0, 0.0, 0.0]}, "`days` must lie after `entry`"),
        ({"exited": [0, 0, 0]}, "no pair can be compared"),
        ({"method": "somers"}, "`method` must be one of"),
        ({"risk": [1.0, 2.0]}, "`risk` and `entry` must have one entry a stay"),
        (
            {"method": "uno", "risk": [1.0] * 60, "days": [*range(1, 61)], "exited": [0] * 58 + [1, 0]},
            "`truncation` must leave more than 5%",
        ),
    ],
)
def test_malformed_pairs_are_not_compared(changed: dict[str, object], message: str) -> None:
    """Each defect has its sentence."""
    given_: dict[str, object] = {"risk": [3.0, 2.0, 1.0], "days": [2.0, 5.0, 9.0], "exited": [1, 1, 0]}
    call: object = concordance
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call(**(given_ | changed))


def test_scores_show_themselves() -> None:
    """A sentence, a frame and a table."""
    days, code, _ = some_stays(3)
    scores = brier_score(np.full((len(days), 2), 0.4), days, code, [5.0, 12.0])
    assert "skill" in repr(scores)
    assert list(scores.to_frame()["days"]) == [5.0, 12.0]
    assert "<table" in scores._repr_html_()  # the notebook's own hook
    assert not scores.score.flags.writeable
    assert repr(concordance([2.0, 1.0], [1, 2], [1, 0])) == "concordance 1.0000 (error 0.0000, Harrell)"
