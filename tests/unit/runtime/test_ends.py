"""Children that hang or are interrupted while they end: what the launcher does about it."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from tiertwin import _core
from tiertwin.runtime import launcher
from tiertwin.runtime.children import end_all
from tiertwin.runtime.launcher import Launcher
from tiertwin.runtime.pool import PoolFront


class FakeChild:
    """Ends when it is killed, not when it is asked to."""

    def __init__(self, name: str, interrupts: int = 0) -> None:
        self.name, self.killed, self._interrupts = name, 0, interrupts

    def stop(self) -> None:
        pass

    def kill(self) -> None:
        self.killed += 1

    def reap(self, until: float) -> bool:
        if self._interrupts:
            self._interrupts -= 1
            raise KeyboardInterrupt
        return self.killed > 0


def test_who_does_not_stop_is_killed_and_named() -> None:
    held = [FakeChild("fogs"), FakeChild("edges")]
    assert end_all(held) == ["fogs", "edges"]  # type: ignore[arg-type]
    assert [child.killed for child in held] == [1, 1]


def test_a_second_interruption_leaves_no_child_behind() -> None:
    held = [FakeChild("fogs"), FakeChild("edges", interrupts=1), FakeChild("cloud")]
    with pytest.raises(KeyboardInterrupt):
        end_all(held)  # type: ignore[arg-type]
    assert all(child.killed for child in held)


def pool_of(front: PoolFront, since: float) -> tuple[Launcher, FakeChild]:
    """A launcher that has nothing but one solver, started `since` seconds ago."""
    made = Launcher.__new__(Launcher)
    child = FakeChild("solver-1")
    made._front, made._ending, made._counters = front, set(), Counter()
    made._solver_since = {"solver-1": time.monotonic() - since}
    made.children = {"solver-1": child}  # type: ignore[dict-item]
    made._write_deployment = lambda: None  # type: ignore[method-assign]
    return made, child


def front_of() -> PoolFront:
    return PoolFront(["solver-1"], lambda peer, frame: True, time.monotonic)


def test_a_solver_that_never_arrives_is_killed_once() -> None:
    made, child = pool_of(front_of(), launcher.START_S + 1)
    assert made.kill_overdue_solvers() == ["solver-1"]
    assert made.kill_overdue_solvers() == []
    assert child.killed == 1
    assert made.counted() == {"solvers killed": 1, "served": 0, "waiting": 0}


def test_a_solver_may_take_its_time_to_start() -> None:
    made, child = pool_of(front_of(), launcher.START_S - 5)
    assert made.kill_overdue_solvers() == []
    assert child.killed == 0


def test_an_idle_solver_is_not_late() -> None:
    front = front_of()
    front.take("solver-1", _core.encode_hello(1, 1, 0, 1, 1, 0, 0, 0, 0, 1))
    made, child = pool_of(front, 10 * launcher.START_S)
    assert made.kill_overdue_solvers() == []
    assert child.killed == 0


def test_a_solver_that_ends_again_and_again_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = pool_of(front_of(), 0.0)
    made._ended, made.lost = {}, []
    started: list[str] = []
    monkeypatch.setattr(made, "_spawn_solver", started.append)
    for _ in range(launcher.RESTARTS):
        made._replace_solver("solver-1")
    assert started == ["solver-1"] * (launcher.RESTARTS - 1)
    assert made.lost == ["solver-1 ended 5 times within 60 s and is not started again"]
