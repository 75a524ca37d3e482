"""Blocks of claims, dealt to workers and handed back in order."""

import builtins
import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import nullcontext
from typing import TypeVar

import numpy as np
from tqdm import tqdm

from msk_reserves._checks import Integers
from msk_reserves.episodes.plan import Plan

Result = TypeVar("Result")

FUTURES_A_BLOCK = 2**18
"""Futures a block: enough to make its set-up cheap, few enough to keep its arrays to some tens of megabytes."""

SCOPES_A_BLOCK = 16
"""Scopes that blocks of that size have room for; more make them smaller."""

IN_FLIGHT = 8
"""Blocks handed out ahead of the one being added: enough to keep workers busy, few enough to keep memory flat."""


def blocks(plan: Plan) -> Iterator[Integers]:
    """Deal a plan's claims into blocks of about equal numbers of futures, like claims together.

    Parameters
    ----------
    plan : the forecast.

    Yields
    ------
    numpy.ndarray
        Rows of the claims of one block.
    """
    # Claims of a kind together: most contracts have nothing to do on most blocks then.
    ordered = np.lexsort((plan.state, plan.takeover.bundled))
    # Many scopes, as cash flows ask for, make a future large.
    size = max(FUTURES_A_BLOCK // (plan.scenarios * max(len(plan.scopes) // SCOPES_A_BLOCK, 1)), 1)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def run_blocks(
    plan: Plan, work: Callable[[Plan], Result], *, executor: Executor | None = None, progress: bool | None = None
) -> Iterator[tuple[Integers, Result]]:
    """Apply a pure function to every block and yield rows and result in a fixed order.

    Parameters
    ----------
    plan : the forecast.
    work : what to do with the plan of one block; a module-level function or a partial of one, so that other processes
        can receive it.
    executor : any `concurrent.futures` executor, a Dask client's among them; threads on all cores when not given.
    progress : whether to show a bar; in notebooks only when not given.

    Yields
    ------
    tuple
        Rows of the block, and what `work` returned for it.
    """
    shown = hasattr(builtins, "__IPYTHON__") if progress is None else progress
    waiting = list(blocks(plan))
    pool = ThreadPoolExecutor(os.cpu_count() or 1) if executor is None else nullcontext(executor)
    with pool as workers, tqdm(total=plan.n_claims, unit="claim", disable=not shown) as bar:
        ahead: deque[tuple[Integers, Future[Result]]] = deque()
        for rows in waiting:
            ahead.append((rows, workers.submit(work, plan.of(rows))))
            if len(ahead) >= IN_FLIGHT:
                yield _next(ahead, bar)
        while ahead:
            yield _next(ahead, bar)


def _next(ahead: "deque[tuple[Integers, Future[Result]]]", bar: "tqdm[None]") -> tuple[Integers, Result]:
    """Wait for the oldest block and count it."""
    rows, future = ahead.popleft()
    result = future.result()
    bar.update(len(rows))
    return rows, result
