"""Prices for claims to come: the futures are those of a forecast, and prices move what they must."""

from functools import cache

import numpy as np
import pytest

import msk_reserves as msk
from msk_reserves.certainty.measures import capital
from msk_reserves.certainty.pricing import NO_STOP, PricingFutures, frontier, pricing_futures
from tests.worlds.valued import ledger

SCOPES = {"medical": msk.Scope.of(["medical"]), "but drugs": msk.Scope.of(["medical"], exclusions=["pharmacy"])}
N = 60


@cache
def claims() -> msk.ClaimBook:
    """Return claims to come."""
    return msk.new_claims(ledger()[0], N, seed=2)


@cache
def futures(*, faster: bool = False) -> PricingFutures:
    """Return their futures."""
    _, recovery, cost = ledger()
    care = msk.CareResponse((msk.Effect("return", 2.0),), "scenario", "a test") if faster else None
    return msk.pricing_futures(
        claims(), recovery, cost, SCOPES, attachments=[20_000, 60_000], response=care, draws=100, scenarios=400, seed=3
    )


def test_new_claims_stand_at_the_end_of_their_waiting_period() -> None:
    """All are off work since their waiting days, fee for service, with nothing paid; the same seed draws the same."""
    made = claims()
    assert len(made) == N
    np.testing.assert_array_equal(made.position.days_in_state, made.column("waiting_days"))
    assert made.position.off_work().all()
    assert (made.claims["arrangement"] == "ffs").all()
    assert made.paid.to_numpy().sum() == 0.0
    again = msk.new_claims(ledger()[0], N, seed=2)
    assert made.claims.drop(columns="claim_id").equals(again.claims.drop(columns="claim_id"))
    assert "lost-time claims of the last 3 years" in made.assumptions[-1].value
    later = msk.new_claims(ledger()[0], 5, seed=2, days_off=30)
    assert set(later.position.days_in_state) == {30.0}


def test_a_profile_is_kept_and_a_thin_one_refused() -> None:
    """Every new claim has the values asked for; with too few models, or an unknown column, nothing is made up."""
    book = ledger()[0]
    some = msk.new_claims(book, 10, profile={"body_part": ["shoulder", "knee", "low_back"]}, years=9, seed=1)
    assert set(some.claims["body_part"]) <= {"shoulder", "knee", "low_back"}
    with pytest.raises(ValueError, match="at least 30 are needed"):
        msk.new_claims(book, 10, profile={"employer_id": ["E001"]})
    with pytest.raises(ValueError, match="'colour', which the claims do not have"):
        msk.new_claims(book, 10, profile={"colour": ["blue"]})


def test_exposure_gives_a_number_of_claims() -> None:
    """Twice the days give twice the claims; the count varies more than a Poisson number."""
    book = ledger()[0]
    year, two = msk.expected_claims(book, 365.0), msk.expected_claims(book, 730.0)
    assert two.mean == pytest.approx(2 * year.mean)
    assert year.variance > year.mean
    assert year.mean < msk.expected_claims(book, 365.0, lost_time=False).mean


@pytest.mark.parametrize(("scope", "attachment"), [("medical", 20_000.0), ("but drugs", NO_STOP)])
def test_a_price_read_off_is_the_one_of_a_forecast(scope: str, attachment: float) -> None:
    """The same seed and draws: what is owed at a price is the forecast's, scenario by scenario, with its refund too."""
    _, recovery, cost = ledger()
    exclusions = ("pharmacy",) if scope == "but drugs" else ()
    stop = None if np.isinf(attachment) else msk.StopLoss(attachment=attachment)
    bundle = msk.FixedPriceBundle(
        price=9_000.0, exclusions=exclusions, stop_loss=stop, refund=msk.Refund(share=0.2, not_back_by_days=182)
    )
    reserve = msk.forecast(claims(), recovery, cost, {"b": bundle}, scenarios=400, seed=3, ibnr=False).reserves["b"]
    found = futures().owed(9_000.0, scope, attachment, refund=0.2)
    np.testing.assert_allclose(found, reserve.scenarios(), rtol=1e-9)


def test_at_the_indifference_price_both_are_worth_the_same() -> None:
    """Mean plus cost of capital are those of fee for service, with a refund and without; means alone without a rate."""
    made = futures()
    for refund in (0.0, 0.2):
        price = made.indifference_price("medical", 60_000.0, refund=refund, rate=0.06)
        owed = made.owed(price, "medical", 60_000.0, refund)
        before = made.before.mean() + 0.06 * capital(made.before)
        assert owed.mean() + 0.06 * capital(owed) == pytest.approx(before, rel=1e-7)
    plain = made.indifference_price("medical", rate=0.0)
    assert plain == pytest.approx(made.seller_pays("medical").mean() / N)
    assert made.indifference_price("medical") > plain


def test_a_sweep_has_what_each_combination_is() -> None:
    """Prices move the mean alone; lower stop-losses leave more to the payer and a safer seller; refunds cost it."""
    made = futures()
    found = made.sweep([8_000.0, 10_000.0], refunds=[0.0, 0.2])
    assert len(found) == 2 * 3 * 2 * 2
    row = found[(found["scope"] == "medical") & (found["attachment"] == 20_000) & (found["refund"] == 0)]
    assert np.ptp(row["tail"]) == 0.0
    assert float(np.diff(row["mean"])[0]) == pytest.approx(2_000.0 * N)
    owed = made.owed(8_000.0, "medical", 20_000.0)
    assert float(row["mean"].iloc[0]) == pytest.approx(owed.mean())
    assert float(row["tail"].iloc[0]) == pytest.approx(capital(owed))
    plain = found[(found["refund"] == 0) & (found["price"] == 8_000) & (found["scope"] == "medical")]
    assert (np.diff(plain["mean"]) <= 0).all()
    assert (np.diff(plain["seller's margin"]) <= 0).all()
    with_, without = (found[found["refund"] == one]["seller's margin"].to_numpy() for one in (0.2, 0.0))
    assert (with_ < without).all()
    kept = frontier(found)
    assert (np.diff(kept["mean"]) > 0).all()
    assert (np.diff(kept["tail"]) < 0).all()


def test_segments_weigh_to_the_whole() -> None:
    """Break-even prices by body part, weighed by claims, are the mean of what the seller pays."""
    made = futures()
    table = made.break_even("medical", 60_000.0, by="body_part")
    mean = float((table["claims"] * table["break-even price"]).sum()) / N
    assert mean == pytest.approx(made.seller_pays("medical", 60_000.0).mean() / N)
    assert table["claims"].sum() == N


def test_care_that_is_faster_is_on_the_bundles_side_only() -> None:
    """Fee for service keeps its cost; under the bundle fewer miss the guarantee, and the payer would pay more."""
    usual, cared = futures(), futures(faster=True)
    np.testing.assert_array_equal(usual.before, cared.before)
    assert cared.late.mean() < usual.late.mean()
    assert cared.indifference_price("medical") > usual.indifference_price("medical")
    assert (
        cared.risk_transfer(12_000.0, "medical").chance_of_loss
        <= usual.risk_transfer(12_000.0, "medical").chance_of_loss
    )


def test_what_was_not_simulated_is_refused() -> None:
    """An attachment or scope the futures were not made with, claims that are not off work, no scope at all."""
    book, recovery, cost = ledger()
    with pytest.raises(ValueError, match="`attachment` must be one the futures were made with"):
        futures().owed(1.0, "medical", 30_000.0)
    with pytest.raises(ValueError, match="`scope` must be one of medical"):
        futures().owed(1.0, "expense")
    with pytest.raises(ValueError, match="`by` names the column 'colour'"):
        futures().break_even("medical", by="colour")
    with pytest.raises(ValueError, match="make them by `new_claims`"):
        pricing_futures(book, recovery, cost, SCOPES, draws=20, scenarios=80)
    with pytest.raises(ValueError, match="`scopes` is empty"):
        pricing_futures(claims(), recovery, cost, {})
