"""Payment rates of the cost model, accumulated along a stay as the inner loop reads them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from msk_reserves._checks import Floats
from msk_reserves.cost.cells import CellGrid
from msk_reserves.cost.record import Cost, CostDraws
from msk_reserves.episodes.arrays import Money
from msk_reserves.episodes.scope import Scope


def money_of(cost: Cost, drawn: CostDraws, components: Sequence[str], scopes: Sequence[Scope]) -> Money:
    """Accumulate the rates of each group over its bins, by component and parameter draw.

    In a stay that began `u` days ago the expected payments so far, at the price level of the stay's first day, are
    `begin + rate * y(u)` of the bin of day u with y(u) = (exp(growth u) - 1) / growth, the days that a payment growing
    at `growth` a day is worth (y(u) = u without growth).

    Parameters
    ----------
    cost : the cost model.
    drawn : draws of its rates.
    components : the components it has, in the order wanted.
    scopes : what the contracts count.

    Raises
    ------
    ValueError
        If a scope needs categories that the claims do not carry.
    """
    grid = cost.grid
    growth = np.array([cost.growth(name) for name in components])
    # What one stay needs of all components lies side by side.
    n_draws = max(map(len, drawn.rates.values()), default=0)
    payments = np.zeros((n_draws, grid.n_groups, grid.n_bins, len(components), 2), dtype=np.float32)
    for place, name in enumerate(components):
        rate = drawn.rates[name].reshape(payments.shape[:3])
        # Payments go on without a jump where a bin ends.
        falls = rate[..., :-1] - rate[..., 1:]
        falls *= worth(np.array(grid.bin_edges[1:]), growth[place])
        payments[..., 1:, place, 0] = np.cumsum(falls, axis=-1, out=falls)
        payments[..., place, 1] = rate
    shares = np.zeros((len(scopes), len(components), grid.n_groups))
    for place, scope in enumerate(scopes):
        for component, name in enumerate(components):
            shares[place, component] = cost.share(name, scope.covers(name))
    growths, growth_of = np.unique(growth, return_inverse=True)
    return Money(
        payments=payments,
        growths=growths,
        growth_of=growth_of.astype(np.uint8),
        bin_of_day=_bin_of_day(grid),
        bands=np.array(grid.band_edges, dtype=np.float64),
        shares=shares,
        window_days=np.array(
            [-1 if scope.window.days is None else scope.window.days for scope in scopes], dtype=np.int64
        ),
        until=np.array([np.inf if scope.window.until is None else scope.window.until for scope in scopes]),
    )


def worth(days: Floats, growth: float) -> Floats:
    """Return the days that payments over the first `days` are worth when they grow at `growth` a day.

    Examples
    --------
    >>> worth(np.array([10.0]), 0.0).tolist(), worth(np.array([10.0]), 0.01).round(3).tolist()
    ([10.0], [10.517])
    """
    value: Floats = np.expm1(growth * days) / growth if growth else days
    return value


def _bin_of_day(grid: CellGrid) -> npt.NDArray[np.uint16]:
    """Return the bin of each whole day up to the last edge."""
    days = np.arange(int(grid.bin_edges[-1]) + 1)
    return np.asarray(np.searchsorted(np.array(grid.bin_edges), days, side="right") - 1, dtype=np.uint16)
