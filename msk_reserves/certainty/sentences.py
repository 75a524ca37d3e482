"""A comparison in three sentences: the finding, its price, its caveat."""

from typing import NamedTuple

from msk_reserves.certainty.gain import CertaintyGain, ComponentGain
from msk_reserves.certainty.measures import hit_rate
from msk_reserves.certainty.redraws import signed
from msk_reserves.certainty.splits import euler_shares
from msk_reserves.reserves.distribution import ReserveDistribution
from msk_reserves.reserves.forecast import Forecast

NEAR = 0.1
"""Share of the carried reserve that counts as near it in the finding."""


class Findings(NamedTuple):
    """A comparison as a chief actuary reads it."""

    finding: str
    price: str
    caveat: str


def three_sentences(forecast: Forecast, gain: CertaintyGain) -> Findings:
    """Say what one contract makes more certain than another, what that costs, and what must not be read into it.

    Parameters
    ----------
    forecast : the reserves compared.
    gain : the comparison.

    Returns
    -------
    Findings
        Three sentences on the total.
    """
    before, after = (forecast.reserves[name] for name in (gain.before, gain.after))
    total = gain.components["total"]
    return Findings(_finding(gain, total, before, after), _price(total), _caveat(forecast, gain, after))


def _finding(gain: CertaintyGain, total: ComponentGain, before: ReserveDistribution, after: ReserveDistribution) -> str:
    """Say how much narrower the band is, in dollars and at this number of claims."""
    near = [hit_rate(one.scenarios(), NEAR) for one in (before, after)]
    width = total.band_narrowing[0.9]
    verb = "narrower" if width >= 0 else "wider"
    return (
        f"With {gain.after} the 90 % band of what these {gain.n_claims:,} claims still cost is ${abs(width):,.0f} "
        f"{verb} than with {gain.before} ({total.band_ratio[0.9]:.1%} of its width), and the actual lies within "
        f"{NEAR:.0%} of the carried reserve with probability {near[1]:.1%}, before {near[0]:.1%}."
    )


def _price(total: ComponentGain) -> str:
    """Say what it costs, as a pair, and how sure that is."""
    chances = ""
    if total.interval is not None:
        told = [f"{name} {chance:.0%}" for name, chance in total.interval.chances.items() if chance >= 0.005]
        chances = f" Over the parameters: {', '.join(told)}."
    share = f" ({total.mean_change / total.mean_before:+.1%})" if total.mean_before else ""
    errors = f"simulation errors ${total.mean_change_error:,.0f} and ${total.tail_removed_error:,.0f}"
    return (
        f"The mean changes by {signed(total.mean_change)}{share} and the tail (worst 1 % less mean) by "
        f"{signed(-total.tail_removed)} ({errors}): {total.reason}.{chances}"
    )


def _caveat(forecast: Forecast, gain: CertaintyGain, after: ReserveDistribution) -> str:
    """Say what is left, of whom, and what the figures leave out."""
    shares = euler_shares(after.totals)
    most = max(shares, key=lambda name: shares[name])
    taken = forecast.taken_over[gain.after]
    return (
        f"{taken:,} of {gain.n_claims:,} claims are taken over; of the variance left {most} is {shares[most]:.0%}; "
        "that the seller fails and that care changes are not in these figures, and the systemic risk is a judgement."
    )
