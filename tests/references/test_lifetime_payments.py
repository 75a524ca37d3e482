"""Payments for life against a published table, a published example and discounting by hand."""

import numpy as np
import pytest

from msk_reserves._checks import Floats
from msk_reserves.cost.life_table import LifeTable, life_table
from msk_reserves.cost.lifetime import lifetime_payments, macaulay_duration, present_value

# Life expectancy printed with the period life table 2017 in the 2020 Trustees Report of the Social Security
# Administration: age, male, female.
PRINTED = [
    (0, 75.97, 80.96), (10, 66.57, 71.50), (20, 56.85, 61.63), (30, 47.65, 51.97), (35, 43.10, 47.20),
    (40, 38.56, 42.47), (45, 34.06, 37.80), (50, 29.67, 33.23), (55, 25.50, 28.81), (60, 21.58, 24.56),
    (65, 17.89, 20.45), (70, 14.39, 16.54), (75, 11.14, 12.92), (80, 8.28, 9.68), (85, 5.89, 6.95),
    (90, 4.05, 4.78), (95, 2.81, 3.31), (100, 2.12, 2.42),
]  # fmt: skip
SURVIVORS = {30: 97229, 50: 92082, 65: 79795, 80: 50573, 90: 18070}
"""Men alive of 100,000 born, printed in the same table."""

HUNDREDTH = 0.0075
"""Two digits are printed; and infants die early in their first year, which adds 0.0024 years at age 0."""

# Male deaths a year at ages 36 to 119, period life table 2000 of the same administration (2020 Trustees Report).
MALE_2000 = [
    0.001892, 0.002040, 0.002203, 0.002383, 0.002579, 0.002793, 0.003030, 0.003294, 0.003580, 0.003903, 0.004243,
    0.004567, 0.004863, 0.005153, 0.005468, 0.005844, 0.006297, 0.006843, 0.007478, 0.008197, 0.008980, 0.009811,
    0.010683, 0.011619, 0.012657, 0.013826, 0.015123, 0.016563, 0.018153, 0.019916, 0.021849, 0.023934, 0.026173,
    0.028593, 0.031321, 0.034324, 0.037463, 0.040709, 0.044174, 0.048084, 0.052541, 0.057481, 0.062945, 0.069017,
    0.075762, 0.083293, 0.091720, 0.101117, 0.111477, 0.122763, 0.134943, 0.148003, 0.161949, 0.176799, 0.192574,
    0.209288, 0.226949, 0.245551, 0.265080, 0.284596, 0.303869, 0.322652, 0.340690, 0.357724, 0.375611, 0.394391,
    0.414111, 0.434816, 0.456557, 0.479385, 0.503354, 0.528522, 0.554948, 0.582695, 0.611830, 0.642422, 0.674543,
    0.708270, 0.743683, 0.780868, 0.819911, 0.860906, 0.903952, 0.949149,
]  # fmt: skip


@pytest.mark.parametrize("sex", ["male", "female"])
def test_life_expectancies_are_those_printed(sex: str) -> None:
    """Years lived from the package's table are the expectancies printed beside it, which typing errors would move."""
    ages = np.array([row[0] for row in PRINTED], dtype=np.float64)
    printed = [row[1 if sex == "male" else 2] for row in PRINTED]
    np.testing.assert_allclose(life_table().years_lived(ages, sex, 0.0, np.inf), printed, atol=HUNDREDTH)


def test_survivors_are_those_printed() -> None:
    """The share of men alive at an age is the number printed, over 100,000."""
    ages = np.array(list(SURVIVORS), dtype=np.float64)
    np.testing.assert_allclose(
        life_table().survival(0.0, "male", ages), np.array(list(SURVIVORS.values())) / 1e5, atol=6e-6
    )


def dies_at(years: int) -> Floats:
    """Deaths a year of someone who lives a stated number of years, no more and no less."""
    return np.append(np.zeros(years - 1), 1.0)


def test_payments_up_to_the_expected_death_in_the_example_of_sherman_and_diss() -> None:
    """5,000 a year, 40 years to live: 200,000 without inflation, 1,689,000 at 9 %: 5,000 (1.09^40 - 1) / 0.09."""
    certain = LifeTable(36, dies_at(40), dies_at(40), "forty years for certain")
    paid = [
        lifetime_payments(certain, 36.0, "male", 5_000.0, escalation=growth, whole_year_of_death=True)[:40].sum()
        for growth in (0.0, 0.09)
    ]
    np.testing.assert_allclose(paid, [200_000.0, 1_689_412.0], rtol=1e-6)


def test_expectation_over_all_years_of_death_in_the_example_of_sherman_and_diss() -> None:
    """The expectation is 2,879,000, not 1,689,000: the man of the table of 2000 who has 40 years to live.

    The paper (section 8) weighs cumulative payments through each year of death, a whole year's in the last, by the male
    table of 2000; its man is 35.9 years old with 40 years to live. In the table of 2000 as revised since, the one at
    hand, 40 years are left at 36.16: the age is found from the life expectancy. Tolerance: what the revision may do,
    a quarter of a per cent.
    """
    table = LifeTable(36, np.array(MALE_2000), np.array(MALE_2000), "period life table 2000, men")
    ages = np.linspace(36.0, 37.0, 1001)
    age = float(ages[np.argmin(np.abs(table.years_lived(ages, "male", 0.0, np.inf) - 40.0))])
    paid = lifetime_payments(table, age, "male", 5_000.0, escalation=0.09, whole_year_of_death=True)
    assert paid.sum() == pytest.approx(2_879_000, rel=2.5e-3)


def test_discounting_by_hand() -> None:
    """1,000 a year for three years at 4 %: 980.58 + 942.87 + 906.60, and the mean time of these."""
    assert present_value([1000.0] * 3, 0.04) == pytest.approx(2_830.0487, abs=5e-5)
    assert macaulay_duration([1000.0] * 3, 0.04) == pytest.approx(1.473860, abs=5e-7)
    by_curve = 100 / 1.02**0.5 + 200 / 1.03**1.5
    assert present_value([100.0, 200.0], [0.02, 0.03]) == pytest.approx(by_curve, rel=1e-12)
