"""An inner node that begins anew among neighbours that go on: what was meant for its last life does not concern it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.inprocess import cut_off, started


@pytest.mark.parametrize("name", ["fog-1", "cloud-1"])
def test_without_its_memory_it_hears_its_children_and_decides(name: str) -> None:
    run = started("metro")
    twin = run.twins[name]
    fresh: Any = twin.controller.fork()
    for epoch in range(2):
        run.run_epoch(epoch)
    twin.controller = fresh
    for epoch in range(2, 5):
        run.run_epoch(epoch)
    assert fresh.committed == 4


def test_it_answers_no_question_before_it_has_heard_all_its_children() -> None:
    run = started("metro")
    root: Any = run.twins["cloud-1"].controller
    root._rhythm = replace(root._rhythm, warm_target_gap=0.0, max_rounds_warm=3)  # it asks in every epoch
    fog = run.twins["fog-1"]
    fresh: Any = fog.controller.fork()
    for epoch in range(2):
        run.run_epoch(epoch)
    fog.controller = fresh
    cut_off(run, "edge-centre")
    for epoch in range(2, 4):
        run.run_epoch(epoch)
    assert fresh.committed < 0  # without a bound there is no plan
    assert root.committed == 3  # nobody waits for it
    cut_off(run, "edge-centre", heal=True)
    for epoch in range(4, 9):
        run.run_epoch(epoch)
    assert fresh.committed == 8
