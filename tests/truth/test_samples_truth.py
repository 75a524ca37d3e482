"""The synthetic worlds do what they say: benefits by statute, bundles, attorneys, shocks, calibration."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from msk_reserves.claims.statutes import statutory_rule
from msk_reserves.claims.vocabulary import CATEGORIES
from msk_reserves.samples.calibration import calibration_report
from msk_reserves.samples.frames import draw_shocks
from msk_reserves.samples.settings import Settings
from msk_reserves.samples.world import World, generate_world


@pytest.fixture(scope="module")
def world() -> World:
    """A world large enough for shares to settle, and for a few of everything rare."""
    return generate_world(8000, seed=5)


def owed(days: int, weekly: float, waiting: float, retro: float, weeks: float) -> float:
    """Return temporary total benefits day by day, as a clerk would count them."""
    if days <= waiting:
        return 0.0
    compensable = [day for day in range(1, days + 1) if day > waiting or days >= retro]
    limit = len(compensable) if np.isnan(weeks) else round(7 * weeks)
    return min(len(compensable), limit) * weekly / 7


def test_temporary_benefits_are_the_statute_of_days_off(world: World) -> None:
    """On every claim the ttd payments add up to what the law owes for all its days off, to the cent."""
    claims = world.tables["claims"]
    payments = world.tables["payments"]
    paid = payments[payments["category"] == "ttd"].groupby("claim_id")["amount"].sum()
    done = world.truth[world.truth["days_off"].between(1, 900)]
    rows = claims.set_index("claim_id").loc[done["claim_id"]].head(2500)
    for claim, days in zip(rows.itertuples(), done["days_off"], strict=False):
        rule = statutory_rule(str(claim.jurisdiction))
        retro = np.inf if np.isnan(rule.retro_days) else rule.retro_days
        expected = owed(int(days), float(claim.weekly_benefit), rule.waiting_days, retro, rule.max_weeks)
        assert paid.get(claim.Index, 0.0) == pytest.approx(expected, abs=0.02), claim.Index


def test_benefits_are_paid_soon_after_they_accrue(world: World) -> None:
    """The last temporary benefit of a claim comes within three weeks of the end of its days off, or of the report."""
    events, payments, claims = (world.tables[name] for name in ("events", "payments", "claims"))
    moves = ["modified_duty", "return_to_work", "mmi", "settlement", "permanent_total"]
    once = world.truth[(world.truth["days_off"] == world.truth["first_days_off"]) & (world.truth["days_off"] > 30)]
    short = once.loc[once["days_off"] < 7 * 100, "claim_id"]
    ended = events[events["event"].isin(moves)].groupby("claim_id")["date"].min().reindex(short)
    last = payments[payments["category"] == "ttd"].groupby("claim_id")["date"].max().reindex(short)
    due = np.maximum(ended, claims.set_index("claim_id")["report_date"].reindex(short))
    assert (last - due).dt.days.dropna().between(0, 21).all()


def test_days_off_in_the_events_are_the_truth(world: World) -> None:
    """Days between each off_work event and the next move of the worker add up to the truth's days off."""
    moves = ["off_work", "modified_duty", "return_to_work", "mmi", "settlement", "permanent_total", "death"]
    events = world.tables["events"]
    events = events[events["event"].isin(moves)].reset_index(drop=True)
    gap = (events["date"].shift(-1) - events["date"]).dt.days
    off = (events["event"] == "off_work") & (events["claim_id"] == events["claim_id"].shift(-1))
    days = gap[off].groupby(events["claim_id"][off]).sum()
    truth = world.truth.set_index("claim_id")["days_off"]
    complete = events.groupby("claim_id")["date"].max() < world.settings.end
    names = complete.index[complete]
    pd.testing.assert_series_equal(days.reindex(names).astype(np.int64), truth.reindex(names), check_names=False)


def test_bundles_hide_their_care_and_cost_their_price(world: World) -> None:
    """No covered service is among the payments, all are among the unseen, and the fees add up to the price."""
    claims = world.tables["claims"].set_index("claim_id")
    bundled = claims[claims["arrangement"] == "bundle"]
    assert len(bundled) == round(0.08 * world.truth["lost_time"].sum())
    end = world.truth.set_index("claim_id")["window_end"].fillna(world.settings.end)
    services = world.tables["payments"]
    services = services[services["claim_id"].isin(bundled.index) & services["service_date"].notna()]
    inside = (services["service_date"] >= services["claim_id"].map(bundled["bundle_trigger_date"])) & (
        services["service_date"] < services["claim_id"].map(end)
    )
    assert not inside.any()
    assert len(services) > 1000
    payments = world.tables["payments"]
    fees = payments[payments["category"] == "bundle_fee"].groupby("claim_id")["amount"].sum()
    paid = fees.reindex(bundled.index).fillna(0.0)
    np.testing.assert_allclose(paid, bundled["bundle_price"], atol=0.005)
    assert set(world.unseen["claim_id"]) <= set(bundled.index)
    assert world.truth["unseen_medical"].sum() == pytest.approx(world.unseen["amount"].sum())


def test_the_bundle_shortens_what_remains_by_its_ratio() -> None:
    """In two worlds that differ in the ratio alone, days off after the trigger differ by exactly that ratio."""
    plain, faster = (generate_world(2000, seed=9, bundled_share=0.3, bundle_time_ratio=ratio) for ratio in (1.0, 0.7))
    trigger = plain.tables["claims"]["bundle_trigger_date"]
    bundled = trigger.notna() & ~plain.truth["never_back"]
    assert trigger.equals(faster.tables["claims"]["bundle_trigger_date"])
    start = plain.tables["claims"]["disability_start"]
    since = (trigger - start).dt.days[bundled]
    before, after = (made.truth["first_days_off"][bundled] - since for made in (plain, faster))
    # Days are rounded to whole ones in both worlds.
    assert (after - 0.7 * before).abs().max() <= 0.86
    np.testing.assert_array_equal(plain.truth["first_days_off"][~bundled], faster.truth["first_days_off"][~bundled])


def test_shocks_have_mean_one_and_the_stated_spread() -> None:
    """Over 400 worlds' shocks of one year the mean is 1 and the CV the stated one (0.1 % false alarms, two sides)."""
    terms = [Settings(n_claims=1, seed=seed, medical_shock_cv=0.2) for seed in range(400)]
    draws = [draw_shocks(settings)["medical"].loc[2026] for settings in terms]
    assert abs(np.mean(draws) - 1) < 3.3 * 0.2 / 20
    # The CV of a sample CV is about 1/sqrt(2n), a little more for a skewed law.
    assert abs(np.std(draws) / 0.2 - 1) < 3.3 * 1.3 / np.sqrt(800)


@pytest.mark.parametrize("component", ["medical", "indemnity", "expense", "total"])
def test_the_stated_systemic_cv_is_that_of_redrawn_shocks(world: World, component: str) -> None:
    """Redrawing the shocks 4,000 times over the world's own future dollars gives the stated CV within 5 %.

    The standard error of the CV is 1.1 %, so a right answer fails less than once in 10,000.
    """
    day = int(pd.Timestamp("2025-06-30").to_datetime64().astype("datetime64[D]").astype(int))
    dollars = world.exposure
    reported = (world.tables["claims"]["report_date"] <= "2025-06-30").to_numpy()
    kept = reported[dollars["claim"]] & dollars["day"].between(day + 1, day + 3640)
    future = dollars[kept & ((dollars["component"] == component) | (component == "total"))]
    rng = np.random.default_rng(1)
    total = np.full(4000, future.loc[future["shock"] == "", "amount"].sum())
    for name, cv in (("medical", 0.05), ("indemnity", 0.04)):
        sigma = np.sqrt(np.log1p(cv**2))
        for amount in future[future["shock"] == name].groupby("year")["amount"].sum().to_numpy():
            total += amount * np.exp(sigma * rng.standard_normal(4000) - sigma**2 / 2)
    assert world.systemic_cv("2025-06-30", component) == pytest.approx(total.std() / total.mean(), rel=0.05)


def test_the_past_does_not_tell_the_end() -> None:
    """While off work, early care goes with the claim's frailty and not with how long the worker will stay off.

    Among acute low back strains off for more than 60 days, log care in the first 28 days is regressed on the care
    level and on the log of days off: given the level, the slope on days off is zero (4 standard errors).
    """
    big = generate_world(
        20_000, seed=12, body_parts=["low_back"], bundled_share=0.0, medical_trend=0.0, horizon_years=2
    )
    truth, claims = big.truth, big.tables["claims"].set_index("claim_id")
    chosen = truth[(truth["injury_type"] == "low_back_strain") & ~truth["surgical"] & ~truth["chronic"]]
    chosen = chosen[chosen["first_days_off"] > 60].set_index("claim_id")
    services = big.tables["payments"].dropna(subset="service_date")
    since = (services["service_date"] - services["claim_id"].map(claims["disability_start"])).dt.days
    early = services[since.between(0, 28)].groupby("claim_id")["amount"].sum().reindex(chosen.index)
    seen = (early > 0).to_numpy()
    design = np.c_[np.ones(seen.sum()), np.log(chosen["care_level"])[seen], np.log(chosen["first_days_off"])[seen]]
    outcome = np.log(early[seen].to_numpy())
    slopes, residual, *_ = np.linalg.lstsq(design, outcome, rcond=None)
    variance = residual[0] / (seen.sum() - 3) * np.linalg.inv(design.T @ design)
    assert seen.sum() > 400
    assert abs(slopes[2]) < 4 * np.sqrt(variance[2, 2])
    assert slopes[1] > 0.5


def test_attorneys_come_late_and_lengthen_what_remains(world: World) -> None:
    """Most attorneys come after the first month, and represented claims are longer at the median."""
    truth = world.truth.set_index("claim_id")
    start = world.tables["claims"].set_index("claim_id")["disability_start"]
    wait = (truth["attorney_date"] - start).dt.days.dropna()
    assert (wait > 30).mean() > 0.55
    off = truth[truth["first_days_off"] > 30]
    represented = off["attorney_date"].notna()
    assert off.loc[represented, "first_days_off"].median() > 1.3 * off.loc[~represented, "first_days_off"].median()


def test_the_published_figures_are_met(world: World) -> None:
    """Nine figures in ten are within tolerance; the paid pattern is not among them, and the cards say so."""
    report = calibration_report(world).set_index("target")
    pattern = report.index.str.startswith("paid by")
    assert len(report) > 80
    assert report.loc[~pattern, "within"].mean() > 0.9


def test_components_share_the_dollars_as_published(world: World) -> None:
    """Medical, indemnity and expense take 41, 44 and 15 % of a lost-time claim (WCRI, 18 states), within ten points."""
    parts: Mapping[str, float] = {"medical": 0.41, "indemnity": 0.44, "expense": 0.15}
    payments = world.tables["payments"]
    share = payments.groupby(payments["category"].map(CATEGORIES))["amount"].sum() / payments["amount"].sum()
    for name, expected in parts.items():
        assert share[name] == pytest.approx(expected, abs=0.10)
