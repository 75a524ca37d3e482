"""Contract files: what they hold is what is built, and all that is wrong with one is said at once."""

from pathlib import Path

import pytest

from msk_reserves.contracts.files import ContractFileError, read_contract, read_in_force
from msk_reserves.contracts.fixed_price import FixedPriceBundle, PriceTable, Refund, StopLoss

SOUND = """
name = "shoulder bundle"
type = "fixed_price"
price = 38_000
scope = ["medical"]
exclusions = ["opioid"]
window_days = 180
stop_loss = { attachment = 114_000, share = 0.8 }
refund = { share = 0.2, not_back_by_days = 182 }
eligible = { body_part = ["shoulder"] }
"""

MISTAKES = [
    ("price = 38_000", "price = -1", "`price` must not be negative"),
    ("price = 38_000", 'price = "38k"', "`price` must be a number, got '38k'"),
    ("price = 38_000", "price = nan", "`price` must be a finite number"),
    ("price = 38_000", "", "give exactly one of `price` and `price_table`"),
    ("price = 38_000", 'price_table = "nowhere.csv"', "which is not a file"),
    ('type = "fixed_price"', "", "`type` must be 'fixed_price', got None"),
    ('scope = ["medical"]', "scope = [1]", "`scope` must be a list of words"),
    ('scope = ["medical"]', 'scope = ["surgery"]', "got 'surgery'"),
    ('exclusions = ["opioid"]', 'exclusions = ["medical"]', "covers nothing"),
    ("window_days = 180", "window_days = 0", "`window_days` must be a whole number of at least 1"),
    ("window_days = 180", "window_days = 1.5", "`window_days` must be a whole number"),
    ("window_days = 180", 'window_end = "never"', "`window_end` must be 'return_or_mmi'"),
    ("window_days = 180", 'window_days = 1\nwindow_end = "return_or_mmi"', "not both"),
    ("share = 0.8", "share = 1.8", "`stop_loss.share`"),
    ("attachment = 114_000, ", "", "`stop_loss.attachment` is missing"),
    ("not_back_by_days = 182", "not_back_by_days = 18.2", "`refund.not_back_by_days` must be a whole number"),
    ("share = 0.2", 'share = 0.2, on = "time"', "unknown key `refund.on`"),
    ('body_part = ["shoulder"]', 'body_part = "shoulder"', "`eligible.body_part` must be a list"),
    ('name = "shoulder bundle"', "name = 7", "`name` must be a word or words, got 7"),
    ('name = "shoulder bundle"', 'nmae = "shoulder bundle"', "unknown key `nmae`"),
]


def written(folder: Path, text: str) -> Path:
    """Return the path of a contract file with this text."""
    path = folder / "contract.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sound_file_is_the_contract_it_says(tmp_path: Path) -> None:
    """Every key of the file is a term of the contract."""
    assert read_contract(written(tmp_path, SOUND)) == FixedPriceBundle(
        price=38_000.0,
        exclusions=("opioid",),
        window_days=180,
        stop_loss=StopLoss(114_000.0, 0.8),
        refund=Refund(0.2, 182),
        eligible={"body_part": ("shoulder",)},
        name="shoulder bundle",
    )
    assert read_in_force(written(tmp_path, SOUND.replace("price = 38_000", ""))).stated


@pytest.mark.parametrize(("sound", "changed", "said"), MISTAKES)
def test_a_mistake_is_named(sound: str, changed: str, said: str, tmp_path: Path) -> None:
    """One mistake in a sound file is named with its key, rule and value."""
    assert sound in SOUND
    with pytest.raises(ContractFileError) as caught:
        read_contract(written(tmp_path, SOUND.replace(sound, changed)))
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    """A file with several mistakes has a line for each."""
    text = SOUND
    some = [MISTAKES[place] for place in (0, 5, 6, 9, 13, 15, 17, 18)]
    for sound, changed, _ in some:
        text = text.replace(sound, changed)
    with pytest.raises(ContractFileError) as caught:
        read_contract(written(tmp_path, text))
    lines = str(caught.value).split("\n")
    assert len(lines) == len(some)
    for _, _, said in some:
        assert any(said in line for line in lines), said


def test_a_price_table_names_each_bad_row(tmp_path: Path) -> None:
    """All bad rows of a table of prices are named; a good one gives a price to each combination."""
    table = tmp_path / "prices.csv"
    text = SOUND.replace("price = 38_000", 'price_table = "prices.csv"')
    table.write_text("body_part,price\nshoulder,1\nshoulder,2\nknee,x\nhip,inf\nneck,-1\nelbow\n", encoding="utf-8")
    with pytest.raises(ContractFileError) as caught:
        read_contract(written(tmp_path, text))
    assert [f"row {row}" in line for row, line in zip(range(3, 8), str(caught.value).split("\n"), strict=True)] == [
        True
    ] * 5
    table.write_text("body_part,price\nshoulder,41000\nknee,20000\n", encoding="utf-8")
    contract = read_contract(written(tmp_path, text))
    assert isinstance(contract, FixedPriceBundle)
    assert contract.price == PriceTable(("body_part",), {("shoulder",): 41_000.0, ("knee",): 20_000.0})


def test_what_is_no_contract_file_is_refused(tmp_path: Path) -> None:
    """A missing file and one that is not TOML are named."""
    with pytest.raises(ContractFileError, match="there is no file"):
        read_contract(tmp_path / "none.toml")
    with pytest.raises(ContractFileError, match="not a TOML file"):
        read_contract(written(tmp_path, "price = = 3"))
