"""Laws of lives and of payments for life."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from msk_reserves.claims.defects import ClaimDataError
from msk_reserves.cost.life_table import LifeTable, life_table, read_life_table
from msk_reserves.cost.lifetime import lifetime_payments, present_value

AGES = st.floats(0.0, 119.0)
SEX = st.sampled_from(["male", "female", ""])
YEARS = st.floats(0.0, 130.0)


@settings(deadline=None, max_examples=60)
@given(AGES, SEX, YEARS, YEARS)
def test_survival_falls_and_its_parts_multiply(age: float, sex: str, one: float, other: float) -> None:
    """Survival never rises, and living twice is living first and living on."""
    table = life_table()
    few, many = sorted((one, other))
    early, late = table.survival(age, sex, [few, many])
    assert 0.0 <= late <= early <= 1.0
    if sex and age + few <= table.last_age:
        assert late == pytest.approx(early * float(table.survival(age + few, sex, many - few)), abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(AGES, SEX, YEARS, YEARS)
def test_years_lived_add_up_and_are_the_integral_of_survival(age: float, sex: str, one: float, other: float) -> None:
    """Years lived in two stretches add, and lie between the survival at either end."""
    table = life_table()
    few, many = sorted((one, other))
    first, second, both = (float(table.years_lived(age, sex, a, b)) for a, b in ((0, few), (few, many), (0, many)))
    assert first + second == pytest.approx(both, abs=1e-9)
    start, end = table.survival(age, sex, [few, many])
    assert end * (many - few) - 1e-9 <= second <= start * (many - few) + 1e-9


@settings(deadline=None, max_examples=40)
@given(st.floats(18.0, 100.0), SEX, st.floats(0.0, 0.1), st.floats(0.01, 0.1))
def test_expectation_exceeds_the_payments_up_to_the_expected_death(
    age: float, sex: str, growth: float, more: float
) -> None:
    """With escalation the expectation is more than is paid to the expected age at death, and grows with it."""
    table = life_table()
    expected = float(table.years_lived(age, sex, 0.0, np.inf))
    whole = int(expected)
    steep = growth + more
    certain = sum((1 + steep) ** k for k in range(whole)) + (expected - whole) * (1 + steep) ** whole
    paid = lifetime_payments(table, age, sex, escalation=steep).sum()
    assert paid >= certain - 1e-9
    assert paid > lifetime_payments(table, age, sex, escalation=growth).sum()


@settings(deadline=None, max_examples=40)
@given(st.floats(18.0, 100.0), SEX, st.floats(-0.05, 0.1))
def test_the_same_interest_undoes_escalation(age: float, sex: str, growth: float) -> None:
    """Payments that grow as fast as money are worth the years lived."""
    table = life_table()
    paid = lifetime_payments(table, age, sex, escalation=growth)
    expected = float(table.years_lived(age, sex, 0.0, np.inf)) / (1 + growth) ** 0.5
    assert present_value(paid, growth) == pytest.approx(expected, rel=1e-9)


def test_impaired_lives_are_shorter_and_certain_death_stays_certain() -> None:
    """Scaled deaths never exceed one."""
    scaled = life_table().scaled(3.0)
    assert float(scaled.male.max()) == 1.0
    assert float(scaled.years_lived(40.0, "male", 0, np.inf)) < float(life_table().years_lived(40.0, "male", 0, np.inf))


def test_every_defect_of_a_life_table_is_told_at_once(tmp_path: Path) -> None:
    """An age left out, a probability above one, text and an empty cell: four defects, with file and row."""
    path = tmp_path / "lives.csv"
    path.write_text("age,male,female\n60,0.01,0.01\n62,1.5,0.01\n63,x,\n", encoding="utf-8")
    with pytest.raises(ClaimDataError) as raised:
        read_life_table(path, source="test")
    told = {(defect.code, defect.row, defect.column, defect.value) for defect in raised.value.defects}
    assert told == {
        ("age_not_next", 3, "age", "62.0"),
        ("too_large", 3, "male", "1.5"),
        ("text_for_number", 4, "male", "'x'"),
        ("empty_cell", 4, "female", "an empty cell"),
    }


def test_a_table_read_is_the_table_written() -> None:
    """A frame of the package's own figures gives the package's own answers."""
    own = life_table()
    frame = pd.DataFrame({"age": np.arange(120), "male": own.male, "female": own.female})
    read = read_life_table(frame, source="a copy")
    assert float(read.survival(40.3, "", 22.2)) == float(own.survival(40.3, "", 22.2))
    assert "a copy" in str(read)


def test_impossible_questions_are_refused() -> None:
    """Ages outside the table, unknown sexes, negative years and unequal columns are refused by name."""
    table = life_table()
    with pytest.raises(ValueError, match="`age` must lie in the life table, 0 to 119, got 130"):
        table.survival(130.0, "male", 1.0)
    with pytest.raises(ValueError, match="`sex` must be male, female or empty, got 'M'"):
        table.survival(30.0, "M", 1.0)
    with pytest.raises(ValueError, match="years from now must not be negative"):
        table.survival(30.0, "male", -1.0)
    with pytest.raises(ValueError, match="`male` and `female` must have the same ages, got 1 and 2"):
        LifeTable(0, np.array([0.5]), np.array([0.5, 0.5]), "test")
    with pytest.raises(ValueError, match="`escalation` must be above -1"):
        lifetime_payments(table, 30.0, "male", escalation=-1.0)
