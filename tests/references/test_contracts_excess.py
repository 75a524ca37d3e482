"""Excess cover of single claims, worked by hand."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import msk_reserves as msk
from msk_reserves.claims.vocabulary import COMPONENTS
from msk_reserves.episodes.record import Takeover
from tests.worlds.valued import ledger


def futures(*rows: tuple[float, float, float]) -> msk.Episodes:
    """Return one future of some claims A, B, C ...: dollars of medical, indemnity and expense of each."""
    n = len(rows)
    dollars = np.array(rows, dtype=np.float64)[None, :, :]
    none = np.zeros(n)
    return msk.Episodes(
        takeover=Takeover(
            claims=pd.DataFrame({"claim_id": list("ABCDEF")[:n]}),
            eligible=none > 0, bundled=none > 0, unpaid_price=none, days_since_trigger=none,
        ),
        medical=dollars[..., 0].copy(), indemnity=dollars[..., 1].copy(), expense=dollars[..., 2].copy(),
        in_scope={}, days_off=none[None], days_to_leave=none[None], day_back=none[None],
    )  # fmt: skip


def test_what_is_recoverable_by_hand() -> None:
    """Retention 500,000 and cover of 150,000 above it.

    A has cost 400,000 and will 300,000: 700,000 is 200,000 above, of which 150,000 is covered: half of what is to
    come stays. B has cost 600,000, of which 100,000 is covered already: 50,000 of its next 100,000 are. C stays below.
    D costs nothing more. Exact but for rounding.
    """
    excess = msk.SpecificExcess(500_000, {"A": 4e5, "B": 6e5, "C": 1e5, "D": 9e5}, limit=150_000)
    gross = futures((200_000, 80_000, 20_000), (100_000, 0, 0), (300_000, 50_000, 0), (0, 0, 0))
    net = excess.per_episode(gross)
    np.testing.assert_allclose(net.medical[0], [100_000, 50_000, 300_000, 0])
    np.testing.assert_allclose(net.indemnity[0], [40_000, 0, 50_000, 0])
    np.testing.assert_allclose(net.expense[0], [10_000, 0, 0, 0])


def test_a_share_and_some_components() -> None:
    """Above 100,000 of medical alone 80 % are covered: 250,000 to come on 50,000 paid leave 250,000 - 0.8 x 200,000."""
    excess = msk.SpecificExcess(100_000, {"A": 5e4}, cover=0.8, components=["medical"])
    net = excess.per_episode(futures((250_000, 70_000, 5_000)))
    assert [float(net.component(name)[0, 0]) for name in COMPONENTS] == pytest.approx([90_000, 70_000, 5_000])
    assert excess.describe() == "medical of each claim above $100,000 are recoverable to 80%"


def test_net_lies_between_nothing_and_gross() -> None:
    """On a book: a low retention leaves less than a high one, none above what a claim can cost leaves all."""
    book, recovery, cost = ledger()
    contracts: dict[str, msk.Contract] = {"gross": msk.FeeForService()}
    contracts |= {f"{r}": msk.SpecificExcess.of(book, r) for r in (0.0, 50_000.0, 200_000.0, 1e12)}
    result = msk.forecast(book, recovery, cost, contracts, scenarios=200, seed=3, ibnr=False)
    found = result.reserves
    kept = [found[name].scenarios() for name in ("50000.0", "200000.0", "gross")]
    assert (kept[0] <= kept[1] + 1e-6).all()
    assert (kept[1] <= kept[2] + 1e-6).all()
    assert found["50000.0"].mean() < 0.9 * found["gross"].mean()
    np.testing.assert_allclose(found["1000000000000.0"].scenarios(), found["gross"].scenarios(), rtol=1e-12)
    # Nothing is left but what claims in bundles, whose terms stand, still cost.
    bundled = (book.claims["arrangement"] == "bundle").to_numpy()
    assert found["0.0"].mean() == pytest.approx(result.claims[0, -1, bundled, 0].sum(), rel=1e-9)


def test_covers_that_cannot_be_are_refused() -> None:
    """Each says the argument, the rule and what came."""
    made: Any = msk.SpecificExcess
    for given, message in (
        ({"retention": -1.0}, "`retention` must not be negative, got -1"),
        ({"limit": 0.0}, "`limit` must be above zero, got 0"),
        ({"cover": 1.5}, r"`cover` must lie in \[0, 1\], got 1.5"),
        ({"components": []}, "`components` must name at least one component"),
    ):
        with pytest.raises(ValueError, match=message):
            made(**({"retention": 1.0, "paid": {}} | given))
    with pytest.raises(ValueError, match="`paid` must hold every claim of the book; it lacks 'A'"):
        msk.SpecificExcess(1.0, {}).per_episode(futures((1.0, 1.0, 1.0)))
