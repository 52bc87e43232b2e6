"""The step of the ladder that gave an inner node's answer is counted where it is taken, not where it was asked."""

from __future__ import annotations

from support.inprocess import plan_of, world_of
from tiertwin.runtime.execute import host_of
from tiertwin.runtime.inprocess import InProcessRun
from tiertwin.runtime.plan import rhythm_of


class Nobody:
    """A pool without workers."""

    def __init__(self) -> None:
        self._asked: dict[tuple[str, int], int] = {}

    def start(self, node: str, ticket: int, requests: list[object]) -> None:
        self._asked[node, ticket] = len(requests)

    def answers(self, node: str, ticket: int) -> list[None]:
        return [None] * self._asked.pop((node, ticket))


def test_without_a_solver_it_is_the_greedy_one() -> None:
    plan, world = plan_of("metro"), world_of("metro")
    run = InProcessRun(host_of(plan, world, "hierarchical", Nobody()), world, rhythm_of(plan.scenario))  # type: ignore[arg-type]
    run.run_epoch(0)
    seen = run.observe()
    for inner in seen.inners.values():
        assert set(inner.steps) <= {6, 7, 8}
        assert inner.steps[6] > 0
    assert all(x is not None for x in seen.plans().values())
