"""How a run under the real clock waits for the epoch's reports, and what it does about those that never come."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from tiertwin.errors import ProcessError
from tiertwin.orchestrate.rhythm import Rhythm
from tiertwin.runtime import liverun, remoterun
from tiertwin.runtime.control import Collected
from tiertwin.runtime.liverun import LiveRun
from tiertwin.runtime.observed import Observation
from tiertwin.runtime.processes import ProcessPlan

BASE_S = 0.001


@dataclass
class Child:
    """A process as the launcher knows it; `script` holds what it says, a list a turn."""

    script: deque[list[int]]
    books: bool = False
    messages: deque[Collected] = field(default_factory=deque)

    def speak(self) -> None:
        for epoch in self.script.popleft() if self.script else ():
            books = ("books", epoch) if self.books else None
            self.messages.append(Collected([], Observation(epoch, 0), books, "truth"))


class Launcher:
    """The launcher, without processes."""

    def __init__(self, plan: Any, children: dict[str, Child]) -> None:
        self.plan, self.children = plan, children
        self.origin = time.time_ns()
        self.news: list[str] = []
        self.since: dict[str, int] = {}
        self.turns = 0

    def __enter__(self) -> Launcher:
        return self

    def turn(self, _timeout_ms: float) -> None:
        self.turns += 1
        for child in self.children.values():
            child.speak()

    def kill_overdue(self) -> list[str]:
        return []

    def was_there(self, name: str, at: int) -> bool:
        return self.since.get(name, 0) <= at


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make a run of a plant and an edge from what they say, turn by turn."""

    def make(plant: list[list[int]], edge: list[list[int]]) -> LiveRun:
        children = {"plant": Child(deque(plant), books=True), "edges-1": Child(deque(edge))}
        plan = SimpleNamespace(
            world=None,
            settings=SimpleNamespace(rhythm=Rhythm(base_epoch_s=BASE_S)),
            processes=[ProcessPlan("plant", ("plant-a",)), ProcessPlan("edges-1", ("edge-a",))],
            roster=SimpleNamespace(is_plant=lambda name: name.startswith("plant"), names=[]),
        )
        monkeypatch.setattr(remoterun, "Launcher", lambda plan: Launcher(plan, children))
        return LiveRun(plan)  # type: ignore[arg-type]

    monkeypatch.setattr(liverun, "GRACE_S", 0.05)
    monkeypatch.setattr(liverun, "PLANT_S", 0.3)
    return make


def test_everybody_told(live: Any) -> None:
    run = live([[0]], [[], [0]])
    run.run_epoch(0)
    assert run.plant_books() == (("books", 0), "truth")
    assert run.take_news() == []


def test_a_late_plant_is_waited_for_longer_than_a_late_twin(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liverun, "GRACE_S", -1.0)  # long over
    monkeypatch.setattr(liverun, "PLANT_S", 60.0)
    run = live([[], [], [], [0]], [])
    run.run_epoch(0)
    assert run.launcher.turns == 4
    assert run.plant_books() == (("books", 0), "truth")
    assert run.take_news() == ["timeout 'epoch': nothing of epoch 0 from edges-1"]


def test_an_epoch_slept_through_by_the_plant_is_told_and_the_run_goes_on(live: Any) -> None:
    run = live([[0], [], [3]], [[0], [1], [2], [3]])
    run.run_epoch(0)
    seen = run.observe()
    for epoch in (1, 2):
        run.run_epoch(epoch)
        assert run.plant_books() is None
        assert run.take_news() == [
            f"epoch {epoch}: the plant slept through it; what happened is in a later epoch's books"
        ]
        assert run.observe().epoch == epoch
        assert run.observe() is not seen
    run.run_epoch(3)
    assert run.plant_books() == (("books", 3), "truth")


def test_a_twin_that_slept_through_an_epoch_is_not_waited_for(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liverun, "GRACE_S", 3600.0)
    run = live([[0], [1]], [[1]])
    run.run_epoch(0)
    run.run_epoch(1)
    assert run.take_news() == []


def test_one_that_came_back_is_waited_for_from_its_next_epoch_on(live: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liverun, "GRACE_S", 3600.0)
    run = live([[0], [1]], [[], [], [1]])
    run.launcher.since["edges-1"] = run.launcher.origin + 1  # after the beginning of epoch 0
    run.run_epoch(0)
    assert run.launcher.turns == 1
    run.run_epoch(1)
    assert run.launcher.turns == 3
    assert run.take_news() == []


def test_what_was_seen_last_stands_when_nobody_tells(live: Any) -> None:
    run = live([[0], [2]], [[0], [2]])
    run.run_epoch(0)
    run.run_epoch(1)
    assert run.observe().epoch == 0


def test_a_silent_plant_ends_the_run_by_a_named_timeout(live: Any) -> None:
    run = live([], [[0]])
    with pytest.raises(ProcessError, match="timeout 'plant'"):
        run.run_epoch(0)


def test_a_plant_that_is_gone_ends_the_run(live: Any) -> None:
    run = live([], [[0]])
    del run.launcher.children["plant"]
    with pytest.raises(ProcessError, match="its process is gone"):
        run.run_epoch(0)
