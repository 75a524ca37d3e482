"""Claims not yet reported against numbers worked out elsewhere: laws of the lag, the product limit, the counts."""

import numpy as np
import pytest

from msk_reserves.reserves.report_lag import LagUnknownError, fit_lag_law, fit_report_lag
from msk_reserves.reserves.unreported import unreported_given


def test_an_exponential_lag_under_right_truncation() -> None:
    """Six lags: the rate solves n / r - sum(d) = sum(c exp(-r c) / (1 - exp(-r c))), by bisection with pencil and R.

    Without the truncation it would be 6 / 32 = 0.1875. The tolerance is the printed precision of the root.
    """
    law = fit_lag_law("exponential", [1, 2, 3, 5, 8, 13], [20, 10, 30, 15, 12, 40], interval=0.0)
    assert np.exp(-law.location) == pytest.approx(0.14619212, abs=1e-6)


def test_whole_days_of_a_geometric_lag() -> None:
    """Days rounded down of an exponential lag are geometric: watched for ever the rate is ln(1 + n / sum of days).

    The days 0, 1, 1, 2, 4 have the mean 1.6, so the rate is ln(1 + 1 / 1.6) = 0.4855078; the tolerance is that of the
    search.
    """
    law = fit_lag_law("exponential", [0, 1, 1, 2, 4], [10_000] * 5)
    assert np.exp(-law.location) == pytest.approx(np.log(1 + 1 / 1.6), rel=1e-6)


def test_many_claims_speak_for_themselves() -> None:
    """The claims alone give the chain ladder of the triangle of reports, worked by hand.

    Claims of three days, watched for 2, 1 and 0 days more: reported (400, 300, 100), (500, 300) and (450). The factors
    are 1 + 600 / 900 from day 0 to 1 and 1 + 100 / 700 to day 2, so that 0.525 are reported on day 0 and 0.875 within
    one day, but for the claim added. Ratios of whole numbers: the tolerance is that of rounding.
    """
    counts = {(0, 2): 400, (1, 2): 300, (2, 2): 100, (0, 1): 500, (1, 1): 300, (0, 0): 450}
    lag = np.repeat([pair[0] for pair in counts], list(counts.values()))
    watched = np.repeat([pair[1] for pair in counts], list(counts.values()))
    # One claim more, reported at once and watched for long, so that the file is old enough for laws to be fitted.
    found = fit_report_lag(np.r_[lag, 0], np.r_[watched, 400])
    assert found.reported[:3].tolist() == [1351, 600, 100]
    assert found.at_risk[:3].tolist() == [1351, 1501, 801]
    alone = found.to_frame()["claims alone"]
    assert alone[0] == pytest.approx((1 - 600 / 1501) * (1 - 100 / 801), rel=1e-12)
    assert 0.9 < found.share_reported()[1] / (1 - 100 / 801) < 1.0


def test_counts_given_a_flat_prior() -> None:
    """Forty reported at a share of 0.8: mean N (1 - G) / G = 10, variance N (1 - G) / G^2 = 12.5, exactly."""
    size, p = unreported_given(40, 0.8)
    assert float(size * (1 - p) / p) == pytest.approx(10.0, rel=1e-12)
    assert float(size * (1 - p) / p**2) == pytest.approx(12.5, rel=1e-12)


def test_counts_given_a_prior() -> None:
    """Prior of shape 4 and rate 2 at exposure 3, two reported at a share of one half.

    By hand: size 6, p = (2 + 1.5) / 5 = 0.7, mean 6 x 0.3 / 0.7 = 2.571429: between the prior's 2 x 1.5 = 3 and the
    chain ladder's 2.
    """
    size, p = unreported_given(2, 0.5, shape=4.0, rate=2.0, exposure=3.0)
    assert float(size) == 6.0
    assert float(p) == pytest.approx(0.7, rel=1e-12)
    assert float(size * (1 - p) / p) == pytest.approx(18 / 7, rel=1e-12)


def test_a_file_too_young_is_refused() -> None:
    """Lags spread evenly over the short time watched say nothing of how many are still to come."""
    watched = np.tile(np.arange(5, 45), 10)
    lag = (watched * np.linspace(0.0, 1.0, 400)).astype(int)
    with pytest.raises(LagUnknownError, match="within the 44 days that the file goes back"):
        fit_report_lag(lag, watched)
