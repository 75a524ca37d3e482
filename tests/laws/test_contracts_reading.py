"""Agreement files: what they hold is what is built, and all that is wrong with one is said at once."""

from dataclasses import dataclass
from pathlib import Path

import pytest

import msk_reserves as msk
from msk_reserves.contracts.agreements.reading import SHIPPED, kind_of
from tests.worlds.settled import frame

SOUND = """
name = "shoulder savings"
type = "agreement"
pooling = "pool"
timing = "retrospective"
lag_months = { value = 6, source = "plan", status = "recalled", confidence = 0.9 }
true_ups = [12, 18]
trigger = "referral"

[sources]
plan = "the plan's letter"

[window]
last_day = 90
prorated = ["snf"]

[[term]]
kind = "fixed_price"
dollars = { value = 38_000, source = "plan: tier 2", status = "read" }

[[term]]
kind = "discount"
share = 0.02
by_category = { knee = 0.03 }

[[term]]
kind = "stop_loss"
attachment = 114_000

[[term]]
kind = "milestone"
dollars = 1_000
goal = { measure = "quickdash_gain", threshold = 10.8 }

[[term]]
kind = "corridor"
bands = [[0.0, 0.05, 1.0], [0.05, 0.1, 0.5]]

[[term]]
kind = "quality_gate"
at_least = 5
neutral = 50
"""

MISTAKES = [
    ('type = "agreement"', 'type = "bundle"', "`type` must be 'agreement' or 'fixed_price', got 'bundle'"),
    ('trigger = "referral"', 'triger = "referral"', "unknown key `triger`; allowed: name, type"),
    ('pooling = "pool"', 'pooling = "all"', "`pooling` must be one of pool, category, episode; got 'all'"),
    ("true_ups = [12, 18]", 'true_ups = ["later"]', "`true_ups` must be a number, got 'later'"),
    ("true_ups = [12, 18]", "true_ups = [3]", "`true_ups` must follow a retrospective settlement at 6 months"),
    ('status = "recalled", confidence', 'status = "read", confidence', "`lag_months.confidence` belongs to a recalled"),
    ('status = "read" }', 'status = "sure" }', "`fixed_price.dollars.status` must be one of read, secondary"),
    ('source = "plan: tier 2", ', "", "`fixed_price.dollars.source` must say where it is from"),
    ("value = 38_000, source", "value = 38_000, origin", "unknown key `fixed_price.dollars.origin`"),
    ('plan = "the plan\'s letter"', "plan = 7", "`sources` must be a table of short names and addresses"),
    ("last_day = 90", "last_day = 0", "`window.last_day` must not lie before the trigger, day 1, got 0"),
    ("last_day = 90", "last_day = 90\nfirst_day = 91", "`window.first_day` must not come after the last, 90, got 91"),
    ("last_day = 90", "last_days = 90", "window: unknown key `last_days`"),
    ('kind = "stop_loss"', 'kind = "stoploss"', "term 3: `kind` must be one of administrative_load"),
    ("attachment = 114_000", "", "term 3: `stop_loss`: `attachment` is missing"),
    ("attachment = 114_000", "attachment = 114_000\nlimit = 5", "`stop_loss.limit` must lie above the attachment"),
    ("attachment = 114_000", "attachment = true", "`stop_loss.attachment` must be a number, got True"),
    ("dollars = 1_000", "dollars = -5", "term 4: `milestone`: `milestone.dollars` must not be negative"),
    ("threshold = 10.8", "level = 10.8", "`milestone.goal`: unknown key `level`"),
    ("[0.05, 0.1, 0.5]", "[0.04, 0.1, 0.5]", "`corridor.bands` must not overlap"),
    ("[0.05, 0.1, 0.5]", "[0.05, 0.1]", "`corridor.bands` must be a list"),
    ("knee = 0.03", "knee = 3", "`discount.by_category.knee` must lie in [0, 1], got 3.0"),
    ("at_least = 5", 'at_least = 5\nmeasure = ""', "`quality_gate.measure` must name the score, got ''"),
    ("share = 0.02", "share = 0.02\n= 3", "not a TOML file"),
]


def written(folder: Path, text: str) -> Path:
    """Return the path of a contract file with this text."""
    path = folder / "contract.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_sound_file_is_the_agreement_it_says(tmp_path: Path) -> None:
    """Every key of the file is in the agreement, every sourced value in its provenance."""
    found = msk.read_agreement(written(tmp_path, SOUND))
    assert found.terms == (
        msk.FixedPrice(38_000.0),
        msk.Discount(0.02, {"knee": 0.03}),
        msk.StopLoss(114_000.0),
        msk.Milestone(msk.Goal("quickdash_gain", 10.8), 1_000.0),
        msk.Corridor(((0.0, 0.05, 1.0), (0.05, 0.1, 0.5))),
        msk.QualityGate(5.0, neutral=50.0),
    )
    assert (found.name, found.timing, found.lag_months, found.true_ups) == (
        "shoulder savings",
        "retrospective",
        6,
        (12, 18),
    )
    assert found.window == msk.EpisodeWindow(90, prorated=("snf",))
    assert [str(one) for one in found.provenance] == [
        "lag_months = 6: recalled, not confirmed (confidence 0.90); the plan's letter",
        "fixed_price.dollars = 38000: the source was read; the plan's letter: tier 2",
    ]


@pytest.mark.parametrize(("sound", "changed", "said"), MISTAKES, ids=[said[:40] for *_, said in MISTAKES])
def test_a_mistake_is_named(sound: str, changed: str, said: str, tmp_path: Path) -> None:
    """One mistake in a sound file is named with file, key, rule and value."""
    assert SOUND.count(sound) >= 1
    with pytest.raises(msk.ContractFileError) as caught:
        msk.read_agreement(written(tmp_path, SOUND.replace(sound, changed, 1)))
    assert said in str(caught.value)
    assert all(line.startswith(str(tmp_path)) for line in str(caught.value).split("\n"))


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    """A file with several mistakes has a line for each."""
    text = SOUND
    some = [MISTAKES[place] for place in (1, 3, 6, 10, 13, 17, 19, 21)]
    for sound, changed, _ in some:
        text = text.replace(sound, changed, 1)
    with pytest.raises(msk.ContractFileError) as caught:
        msk.read_agreement(written(tmp_path, text))
    lines = str(caught.value).split("\n")
    assert len(lines) == len(some)
    assert all(sum(said in line for line in lines) == 1 for *_, said in some)


def test_an_unknown_contract_is_told_the_presets() -> None:
    """A name that is neither a file nor a preset is answered with the presets there are."""
    with pytest.raises(msk.ContractFileError, match=r"must be a preset .*team-track-3.*; got 'team'"):
        msk.read_agreement("team")


def test_other_contract_files_are_read_too(tmp_path: Path) -> None:
    """`ffs` and a fixed-price contract file are agreements for settling."""
    text = 'type = "fixed_price"\nprice = 9_000\nstop_loss = { attachment = 20_000 }\n'
    found = msk.read_agreement(written(tmp_path, text))
    assert msk.settle(found, frame([5_000, 30_000])).result.tolist() == [4_000 - 11_000]
    assert msk.settle(msk.read_agreement("ffs"), frame([5_000])).by_account()["payer"].tolist() == [-5_000]


def test_a_price_table_stands_beside_the_contract(tmp_path: Path) -> None:
    """`tabled_price` reads the table of a fixed-price bundle, and names a table that is not there."""
    (tmp_path / "prices.csv").write_text("body_part,price\nknee,9000\nshoulder,12000\n", encoding="utf-8")
    text = 'type = "agreement"\npooling = "episode"\n[[term]]\nkind = "tabled_price"\ntable = "prices.csv"\n'
    found = msk.settle(msk.read_agreement(written(tmp_path, text)), frame([1, 1], body_part=["shoulder", "knee"]))
    assert found.by_episode()["price after tabled price"].tolist() == [12_000, 9_000]
    with pytest.raises(msk.ContractFileError, match=r"term 1: `tabled_price`: .*which is not a file"):
        msk.read_agreement(written(tmp_path, text.replace("prices.csv", "none.csv")))


def test_values_are_changed_by_their_place(tmp_path: Path) -> None:
    """A changed value stands in the agreement and is noted; a default can be changed too, an unknown place not."""
    path = written(tmp_path, SOUND)
    changes = {"fixed_price.dollars": 40_000, "stop_loss.limit": 300_000, "lag_months": 9}
    found = msk.read_agreement(path, changes=changes)
    assert found.terms[0] == msk.FixedPrice(40_000.0)
    assert found.terms[2] == msk.StopLoss(114_000.0, limit=300_000.0)
    assert found.lag_months == 9
    assert {one.key: one.status for one in found.provenance} == dict.fromkeys(changes, "assumption")
    team = msk.read_agreement("team-track-3", changes={"correction_2.limit": 0.07})
    assert [term.limit for term in team.terms if isinstance(term, msk.Correction)] == [0.03, 0.07]
    with pytest.raises(
        msk.ContractFileError, match=r"`changes` names `sharing.gain`, which the contract does not have"
    ):
        msk.read_agreement(path, changes={"sharing.gain": 1})
    with pytest.raises(msk.ContractFileError, match=r"`fixed_price.dollars` must be a number, got 'dear'"):
        msk.read_agreement(path, changes={"fixed_price.dollars": "dear"})


@dataclass(frozen=True)
class Tithe(msk.PoolTerm):
    """A share of a gain is not paid."""

    share: float

    def apply(self, pool: msk.Pool) -> msk.Pool:
        """Return the rest of what is owed."""
        return pool.owing((1.0 - self.share) * pool.amount)

    def describe(self) -> str:
        """Return the words."""
        return f"{self.share:.0%} is given away"


def test_a_file_may_have_a_term_of_ones_own(tmp_path: Path) -> None:
    """A class given by name is read like the terms that come with the library."""
    text = 'type = "agreement"\n[[term]]\nkind = "fixed_price"\ndollars = 100\n[[term]]\nkind = "tithe"\nshare = 0.1\n'
    found = msk.read_agreement(written(tmp_path, text), terms={"tithe": Tithe})
    assert msk.settle(found, frame([80.0])).result == pytest.approx([18.0])


def test_every_term_can_stand_in_a_file() -> None:
    """Every kind of term the front door offers has a word of its own in files."""
    words = [kind_of(kind) for kind in SHIPPED]
    assert len(set(words)) == len(words)
    offered = {getattr(msk, name) for name in dir(msk)}
    terms = {one for one in offered if isinstance(one, type) and issubclass(one, msk.EpisodeTerm | msk.PoolTerm)}
    assert terms - {msk.EpisodeTerm, msk.PoolTerm} <= set(SHIPPED)
