"""State occupation against exact fractions and against R's errors."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd

from msk_reserves.recovery.curves.curves import StateOccupation
from msk_reserves.recovery.curves.occupation import state_occupation

# R prints seven significant digits; the published figures are rounded there.
PRINTED = 6e-7

# Ten claims: (claim, from day, to day, state, state moved to). T temporary total, M modified duty, R returned, C
# closed; claims 1, 2 and 3 leave observation with their last move, 7 and 9 enter late, 4 and 3 go back.
PATHS = (
    (1, 0, 2, "T", "R"), (2, 0, 3, "T", "M"), (2, 3, 6, "M", "R"), (3, 0, 3, "T", "M"), (3, 3, 5, "M", "T"),
    (3, 5, 9, "T", "R"), (4, 0, 4, "T", "R"), (4, 4, 7, "R", "T"), (4, 7, 10, "T", ""), (5, 0, 5, "T", ""),
    (6, 0, 6, "T", "C"), (7, 1, 4, "T", "M"), (7, 4, 8, "M", "R"), (7, 8, 12, "R", ""), (8, 0, 8, "T", "C"),
    (9, 2, 9, "T", "R"), (9, 9, 12, "R", ""), (10, 0, 12, "T", ""),
)  # fmt: skip

F = Fraction
# The product worked by hand in fractions, equal to R's survfit (survival 3.5-3): day, then shares in T, M, R, C.
SHARES = {
    2: (F(8, 9), F(0), F(1, 9), F(0)),
    3: (F(56, 81), F(16, 81), F(1, 9), F(0)),
    4: (F(40, 81), F(8, 27), F(17, 81), F(0)),
    5: (F(16, 27), F(16, 81), F(17, 81), F(0)),
    6: (F(64, 135), F(8, 81), F(25, 81), F(16, 135)),
    7: (F(317, 405), F(8, 81), F(0), F(16, 135)),
    8: (F(1268, 2025), F(0), F(8, 81), F(557, 2025)),
    9: (F(634, 2025), F(0), F(278, 675), F(557, 2025)),
}


def paths(variance: str = "infinitesimal_jackknife") -> StateOccupation:
    """The ten claims."""
    claim, start, stop, origin, target = (list(column) for column in zip(*PATHS, strict=True))
    return state_occupation(claim, start, stop, origin, target, states=("T", "M", "R", "C"), variance=variance)


def test_paths_with_relapse_are_exact() -> None:
    """Shares of ten claims with late entry, relapse and ties, day by day, in fractions worked by hand."""
    shares = paths()
    assert shares.times.tolist() == list(SHARES)
    for day, row in SHARES.items():
        np.testing.assert_allclose(shares(float(day)), [float(share) for share in row], rtol=1e-14, atol=1e-15)
    assert shares(1.9).tolist() == [1, 0, 0, 0]
    assert shares(12.0).tolist() == shares(9.0).tolist()
    assert shares.moves.tolist() == [[0, 3, 4, 2], [1, 0, 2, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


def test_mean_times_of_the_paths_are_exact() -> None:
    """Mean days in each state to day 12 are the areas under the fractions."""
    days = [0, *SHARES, 12]
    heights = [(F(1), F(0), F(0), F(0)), *SHARES.values()]
    area = [
        sum((F(later - day) * row[state] for day, later, row in zip(days[:-1], days[1:], heights, strict=True)), F(0))
        for state in range(4)
    ]
    assert sum(area) == 12
    np.testing.assert_allclose(paths().mean_days, [float(one) for one in area], rtol=1e-14)


# Errors of the shares in T, M, R and C on days 2 to 9: `survfit(Surv(t0, t1, event) ~ 1, id = id, istate = from)` of
# R 4.2.2, survival 3.5-3, with every claim once, and with the weights below.
WEIGHTS = (1, 2, 1, 1, 3, 1, 1, 2, 1, 2)
ERRORS = (
    (0.104756560176, 0.0, 0.104756560176, 0.0), (0.146256273638, 0.125841919794, 0.104756560176, 0.0),
    (0.156402664623, 0.144912072936, 0.130769550484, 0.0), (0.154416979747, 0.125841919794, 0.130769550484, 0.0),
    (0.161819993119, 0.094001874892, 0.146256273638, 0.110766115827),
    (0.137522739676, 0.094001874892, 0.0, 0.110766115827), (0.177937902113, 0.0, 0.094001874892, 0.167417369259),
    (0.178843242541, 0.0, 0.187734852405, 0.167417369259),
)  # fmt: skip
WEIGHTED_SHARES = (
    (0.928571428571, 0.0, 0.071428571429, 0.0), (0.729591836735, 0.198979591837, 0.071428571429, 0.0),
    (0.596938775510, 0.265306122449, 0.137755102041, 0.0), (0.663265306122, 0.198979591837, 0.137755102041, 0.0),
    (0.568513119534, 0.066326530612, 0.270408163265, 0.094752186589),
    (0.838921282799, 0.066326530612, 0.0, 0.094752186589), (0.599229487713, 0.0, 0.066326530612, 0.334443981674),
    (0.359537692628, 0.0, 0.306018325698, 0.334443981674),
)  # fmt: skip
WEIGHTED_ERRORS = (
    (0.071063205496, 0.0, 0.071063205496, 0.0), (0.145357462829, 0.134169202324, 0.071063205496, 0.0),
    (0.162215000690, 0.144362715513, 0.095929277517, 0.0), (0.154202327016, 0.134169202324, 0.095929277517, 0.0),
    (0.167065148856, 0.065894614578, 0.145357462829, 0.092618229966),
    (0.111377093081, 0.065894614578, 0.0, 0.092618229966), (0.203811046333, 0.0, 0.065894614578, 0.202286142318),
    (0.204231543471, 0.0, 0.168340859342, 0.202286142318),
)  # fmt: skip


def test_paths_with_relapse_have_the_errors_of_r() -> None:
    """Relapse, late entry and ties, each claim one influence over all its rows; twelve digits printed."""
    np.testing.assert_allclose(paths().standard_error, ERRORS, atol=1e-12)


def test_paths_with_weights_have_the_shares_and_errors_of_r() -> None:
    """A claim of weight two is one claim that counts double, not two: the jackknife squares its weight."""
    claim, start, stop, origin, target = (list(column) for column in zip(*PATHS, strict=True))
    weights = [WEIGHTS[one - 1] for one in claim]
    found = state_occupation(claim, start, stop, origin, target, states=("T", "M", "R", "C"), weights=weights)
    np.testing.assert_allclose([found(float(day)) for day in range(2, 10)], WEIGHTED_SHARES, atol=1e-12)
    np.testing.assert_allclose(found.standard_error, WEIGHTED_ERRORS, atol=1e-12)


def test_gammopathy_and_malignancy_before_death() -> None:
    """1,384 patients (Kyle 2002; `survival::mgus2`) alive without and with a malignancy by 10, 20 and 30 years.

    `survfit(Surv(t0, t1, event) ~ 1, id = id)` of R 4.2.2, survival 3.5-3, and its mean months in each state of the
    first 240. The nine found to have a malignancy in the month they died count as deaths there too.
    """
    data = pd.read_csv(Path(__file__).parent / "mgus2.csv")
    ill = (data["pstat"] == 1) & (data["ptime"] < data["futime"])
    ended = np.where(data["death"] == 1, "dead", "")
    first = pd.DataFrame({"start": 0, "stop": data["ptime"].where(ill, data["futime"])})
    first = first.assign(origin="without", target=np.where(ill, "with", ended))
    second = pd.DataFrame({"start": data["ptime"], "stop": data["futime"], "origin": "with", "target": ended})[ill]
    rows = pd.concat([first, second])
    columns = (rows[name] for name in ("start", "stop", "origin", "target"))
    shares = state_occupation(rows.index, *columns, states=("without", "with", "dead"), horizon=240)
    by_state = [
        [0.4044601279067, 0.0120267339061, 0.583513138187],
        [0.1761583079220, 0.0114890821233, 0.812352609955],
    ]
    np.testing.assert_allclose(shares([120.0, 240.0]), by_state, rtol=1e-11)
    errors = [
        [0.0139022743130, 0.00317854308121, 0.0139365175233],
        [0.0145404896903, 0.00506526436025, 0.0147958700243],
    ]
    np.testing.assert_allclose(shares.standard_error_at([120.0, 240.0]), errors, rtol=1e-9)
    np.testing.assert_allclose(shares.mean_days, [110.58889942043, 2.94032248513, 126.47077809443], rtol=1e-11)


def test_first_move_has_the_errors_of_one_share() -> None:
    """After the first move, 1 of 9, every error but the Poisson one is the binomial sqrt(8/9 1/9 / 9), by hand."""
    binomial, poisson = np.sqrt(8 / 9**3), np.sqrt(1 / 9**2)
    for variance, error in (("infinitesimal_jackknife", binomial), ("delta", binomial), ("aalen", poisson)):
        np.testing.assert_allclose(paths(variance).standard_error[0], [error, 0, error, 0], rtol=1e-12)


def test_competing_exits_with_entry_and_their_errors() -> None:
    """Twelve claims off work, back or settled: fractions by hand, jackknife errors of R survfit (survival 3.5-3)."""
    entry = [0, 0, 0, 0, 1, 1, 2, 0, 4, 0, 0, 5]
    days = [2, 3, 3, 3, 5, 5, 6, 8, 8, 12, 12, 15]
    cause = [1, 1, 2, 0, 1, 1, 2, 0, 1, 0, 2, 0]
    target = [("", "back", "settled")[code] for code in cause]
    shares = state_occupation(range(12), entry, days, ["off"] * 12, target, states=("off", "back", "settled"))
    rows = {
        2: (F(8, 9), F(1, 9), F(0)),
        3: (F(56, 81), F(17, 81), F(8, 81)),
        5: (F(40, 81), F(11, 27), F(8, 81)),
        6: (F(100, 243), F(11, 27), F(44, 243)),
        8: (F(80, 243), F(119, 243), F(44, 243)),
        12: (F(160, 729), F(119, 243), F(212, 729)),
    }
    for day, row in rows.items():
        np.testing.assert_allclose(shares(float(day)), [float(share) for share in row], rtol=1e-14, atol=1e-15)
    back = shares.standard_error_at([2.0, 3.0, 5.0, 8.0])[:, 1]
    np.testing.assert_allclose(back, [0.1047566, 0.1307696, 0.1520351, 0.1527308], atol=PRINTED)
    settled = shares.standard_error_at([3.0, 6.0, 12.0])[:, 2]
    np.testing.assert_allclose(settled, [0.0940019, 0.1144707, 0.1446322], atol=PRINTED)
