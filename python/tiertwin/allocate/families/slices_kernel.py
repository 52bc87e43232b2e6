"""The kernel of slices: that of `fair.py` over the rows of `slices_rows.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tiertwin.allocate.families.fair import ITERATION_LIMIT, TOLERANCE, FairKernel
from tiertwin.allocate.families.slices import SliceProblem
from tiertwin.allocate.families.slices_answer import SliceAnswer, answer
from tiertwin.allocate.families.slices_rows import rows_of


class SliceAllocator(Protocol):
    """What solves this family: deterministic, limited by iterations and never by time."""

    name: str

    def allocate(
        self,
        problem: SliceProblem,
        *,
        start: SliceAnswer | None = None,
        iteration_limit: int = ITERATION_LIMIT,
        tolerance: float = TOLERANCE,
    ) -> SliceAnswer:
        """Return a feasible plan with its certificate; `start` is an answer to other data of the same structure."""


class SliceKernel:
    """The kernel of `fair.py` on the rows of `slices_rows.py`; at most `KEEPERS` slices keep of one resource."""

    name = "kernel"

    def allocate(
        self,
        problem: SliceProblem,
        *,
        start: SliceAnswer | None = None,
        iteration_limit: int = ITERATION_LIMIT,
        tolerance: float = TOLERANCE,
        stop: Callable[[], bool] | None = None,
    ) -> SliceAnswer:
        """Solve until the certified gap is at most `tolerance`, to the limit, or until `stop` says so.

        `stop` is asked before each iteration; the best feasible plan so far is the answer.
        """
        rows = rows_of(problem)
        lowered = rows.problem(problem)
        begin = None if start is None or start.inner is None else start.inner
        if begin is not None and (begin.x.size, begin.price.size) != (lowered.options.count, lowered.options.resources):
            begin = None
        found = FairKernel().allocate(
            lowered, start=begin, iteration_limit=iteration_limit, tolerance=tolerance, stop=stop
        )
        return answer(problem, found.x, rows.prices(problem, found.price), found.floor_price, found.iterations, found)
