"""Weekly benefits by hand: one case for each way in which a law makes a benefit of a wage."""

import numpy as np
import pytest

from msk_reserves.claims.benefit_law import benefit_law
from msk_reserves.claims.statutes import statutory_table
from msk_reserves.cost.compensation_rate import NET_SHARE, compensation_rate

pytestmark = pytest.mark.filterwarnings("ignore::msk_reserves.claims.benefit_law.BenefitWarning")

CENT = 0.005
"""Worked to the cent."""


def rate(jurisdiction: str, benefit: str, day: str, wage: float, **worker: float) -> float:
    """Return the weekly benefit of the first step of a benefit."""
    return float(compensation_rate(benefit_law().steps(jurisdiction, benefit, day)[0], wage, **worker))


@pytest.mark.parametrize(
    ("jurisdiction", "day", "wage", "worker", "dollars"),
    [
        ("CA", "2026-02-01", 900.0, {}, 600.00),  # 2/3 x 900
        ("CA", "2026-02-01", 3000.0, {}, 1764.11),  # 2/3 x 3,000 = 2,000, over the maximum of 2026
        ("CA", "2025-02-01", 3000.0, {}, 1680.29),  # the maximum of 2025
        ("CA", "2025-02-01", 300.0, {}, 252.03),  # 2/3 x 300 = 200, under the minimum of 2025
        ("CA", "2025-02-01", 200.0, {}, 200.00),  # the minimum does not exceed the wage
        ("MA", "2025-11-01", 1000.0, {}, 600.00),  # 60 %
        ("NJ", "2025-02-01", 1000.0, {}, 700.00),  # 70 %
        ("VA", "2022-01-10", 3000.0, {}, 1195.00),  # the maximum of July 2021
        ("VA", "2024-08-01", 3000.0, {}, 1410.00),  # that of July 2024
        ("MI", "2019-05-01", 200.0, {}, 123.20),  # 80 % of 154, no minimum
        ("KY", "2023-05-01", 3000.0, {}, 1118.43),  # 110 % of 1,016.75
        ("AL", "2020-08-01", 3000.0, {}, 920.00),  # the maximum of July 2020
        ("AL", "2020-08-01", 300.0, {}, 253.00),  # 200, under the minimum of July 2020
        ("OR", "2023-08-01", 3000.0, {}, 1723.49),  # 133 % of 1,295.86
        ("CT", "2021-11-01", 4000.0, {}, 1446.00),  # 75 % of 3,080, over the maximum of October 2021
        ("IA", "2025-08-01", 5000.0, {}, 2350.00),  # 80 % of 3,850, over 200 % of 1,174.98
        ("TX", "2025-11-01", 1000.0, {}, 700.00),  # 70 %
        ("TX", "2024-12-01", 2000.0, {}, 1219.00),  # 1,400, over the maximum of the year to September 2025
        ("ID", "2025-02-01", 1000.0, {}, 670.00),  # 67 %
        ("PA", "2025-02-01", 900.0, {}, 673.50),  # 2/3 x 900 = 600, lifted to half of 1,347
        ("PA", "2025-02-01", 700.0, {}, 630.00),  # half of 1,347, but no more than 90 % of 700
        ("GA", "2024-02-01", 2000.0, {}, 800.00),  # a flat maximum
        ("AZ", "2023-02-01", 2000.0, {}, 773.90),  # two thirds of 5,030.32 a month at most
        ("NV", "2023-08-01", 2000.0, {}, 1173.27),  # 150 % of the state average, a month's wage in weeks
        ("WA", "2024-08-01", 1000.0, {}, 600.00),  # 60 % single
        ("WA", "2024-08-01", 1000.0, {"spouse": 1, "children": 3}, 710.00),  # 60 + 5 + 3 x 2 %
        ("WA", "2024-08-01", 1000.0, {"spouse": 1, "children": 8}, 750.00),  # 60 + 5 + 16 = 81, at most 75 %
        ("FECA", "2024-02-01", 1200.0, {}, 800.00),  # 2/3
        ("FECA", "2024-02-01", 1200.0, {"children": 2}, 900.00),  # 3/4 with dependants, not more for two
        ("MI", "2025-02-01", 1000.0, {"spendable_wage": 800.0}, 640.00),  # 80 % of 800 after taxes
        ("MI", "2025-02-01", 1000.0, {}, 616.00),  # 80 % of 770, the assumed net
        ("CT", "2024-11-01", 1000.0, {"spendable_wage": 800.0}, 600.00),  # 75 % of 800
        ("IA", "2024-08-01", 1000.0, {"spendable_wage": 750.0}, 600.00),  # 80 % of 750
        ("LHWCA", "2023-11-01", 3000.0, {}, 1926.58),  # 2,000, over 200 % of 963.29
        ("LHWCA", "2023-11-01", 600.0, {}, 481.65),  # 400, under 50 % of 963.29
    ],
)  # fmt: skip
def test_temporary_total(jurisdiction: str, day: str, wage: float, worker: dict[str, float], dollars: float) -> None:
    """A share of gross or spendable wage, by dependants, between minimum and maximum of the day of injury."""
    assert rate(jurisdiction, "temporary_total", day, wage, **worker) == pytest.approx(dollars, abs=2 * CENT)


@pytest.mark.parametrize(
    ("jurisdiction", "wage", "later", "dollars"),
    [("OH", 900.0, 12.0, [648.0, 600.0]), ("ID", 2000.0, 52.0, [972.0, 723.6])],
)
def test_steps_down(jurisdiction: str, wage: float, later: float, dollars: list[float]) -> None:
    """Ohio pays 72 % for 12 weeks, then two thirds; Idaho's maximum falls from 90 to 67 % of 1,080 after a year."""
    steps = benefit_law().steps(jurisdiction, "temporary_total", "2025-02-01")
    np.testing.assert_allclose([compensation_rate(step, wage) for step in steps], dollars, atol=CENT)
    assert [step.from_week for step in steps] == [0.0, later]


@pytest.mark.parametrize(
    ("jurisdiction", "wage", "worker", "dollars"),
    [
        ("PA", 900.0, {"earnings": 300.0}, 400.00),  # 2/3 x (900 - 300)
        ("TX", 1000.0, {"earnings": 600.0}, 280.00),  # 70 % x 400
        ("FL", 1000.0, {"earnings": 400.0}, 320.00),  # 80 % x (800 - 400)
        ("FL", 1000.0, {"earnings": 850.0}, 0.00),  # more than 80 % of the wage earned
        ("GA", 1500.0, {"earnings": 100.0}, 533.00),  # 2/3 x 1,400 = 933.33, at most 533
        ("MD", 1000.0, {"earnings": 400.0}, 300.00),  # half of the loss
        ("WA", 1000.0, {"earnings": 960.0}, 0.00),  # a loss of 4 % does not count
        ("WA", 1000.0, {"earnings": 900.0}, 80.00),  # 80 % x 100
        ("NV", 900.0, {"earnings": 250.0}, 350.00),  # 600 less 250
        ("NY", 900.0, {"degree": 0.5}, 300.00),  # 600 x half disabled
        ("NJ", 900.0, {"earnings": 100.0}, 0.00),  # none by statute
        ("MI", 1000.0, {"earnings": 500.0, "spendable_wage": 800.0}, 320.00),  # 80 % x (800 - 500 x 0.8)
        ("MA", 1000.0, {"earnings": 0.0}, 450.00),  # 60 % of the loss, at most 75 % of 600
    ],
)  # fmt: skip
def test_temporary_partial(jurisdiction: str, wage: float, worker: dict[str, float], dollars: float) -> None:
    """A share of the wages lost, of the benefit less earnings, or by degree."""
    assert rate(jurisdiction, "temporary_partial", "2025-11-01", wage, **worker) == pytest.approx(dollars, abs=CENT)


def test_net_share_is_that_of_the_statutory_table() -> None:
    """Where spendable pay is not known, the engine and the table of temporary total benefits assume one net share."""
    for rule in statutory_table().values():
        if rule.wage_base == "after_tax":
            assert rule.gross_rate == pytest.approx(rule.rate * NET_SHARE, rel=1e-6)
