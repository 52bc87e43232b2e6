"""The node's part of the ladder: what to do with the answer of a solver of masters, and without one.

Steps S1 to S3 are the solver's (masterkernel.py, master.py). Here: its answer, checked again → S6 greedy → S7 the last
good answer of this shape, clipped → S8 the zero points.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from tiertwin.allocate.messages import MasterAnswer, MasterRequest
from tiertwin.allocate.nodemath import faults, greedy, settle, zero_answer

SLACK = 1e-4  # largest relative overdraft of a solver's answer that is repaired; of the other steps' any is
LAST_GOOD = 7


class MasterLadder:
    """What served a node's master problems, and its last good answers. One owner."""

    def __init__(self) -> None:
        self._good: dict[tuple[int | bool, ...], MasterAnswer] = {}
        self.taken: set[int] = set()  # steps since `begin`
        self.counts: Counter[int] = Counter()  # answers by the step that made them

    def begin(self) -> None:
        """Forget which steps were taken: a data version begins."""
        self.taken.clear()

    def forget(self) -> None:
        """Forget the last good answers: other children."""
        self._good.clear()

    def admit(self, request: MasterRequest, answer: MasterAnswer | None) -> MasterAnswer:
        """Take the solver's answer, or walk down."""
        key = (*request.shape, bool(np.isinf(request.quota).any()))
        last = self._good.get(key)
        rungs: list[Callable[[], MasterAnswer | None]] = [
            lambda: answer,
            lambda: None if faults(request) else greedy(request),
            lambda: (
                None
                if last is None
                else MasterAnswer(last.r, last.price, last.weight, last.value, LAST_GOOD, "last good")
            ),
        ]
        for position, rung in enumerate(rungs):
            offer = rung()
            if offer is None or offer.weight.shape != request.level.shape:
                continue
            admitted = settle(request, offer, slack=SLACK if position == 0 else 1.0, optimal=np.inf)
            if admitted is not None:
                if position == 0:
                    self._good[key] = admitted
                return self._counted(admitted)
        return self._counted(zero_answer(request))

    def _counted(self, answer: MasterAnswer) -> MasterAnswer:
        self.taken.add(answer.step)
        self.counts[answer.step] += 1
        return answer
