"""Children that hang, are interrupted while they end, or end by themselves: what the launcher does about it."""

from __future__ import annotations

import time
from collections import Counter, deque
from types import SimpleNamespace
from typing import Any

import pytest

from tiertwin import _core
from tiertwin.errors import OutputError, ProcessError, TiertwinError
from tiertwin.runtime import keeper, launcher
from tiertwin.runtime.children import end_all
from tiertwin.runtime.control import Connect, Linked, Ready
from tiertwin.runtime.keeper import Keeper
from tiertwin.runtime.launcher import Launcher
from tiertwin.runtime.nodestate import PlaceTakenError
from tiertwin.runtime.pool import PoolFront
from tiertwin.runtime.supervisor import RESTARTS


class FakeChild:
    """Ends when it is killed, not when it is asked to."""

    def __init__(self, name: str, interrupts: int = 0) -> None:
        self.name, self.killed, self._interrupts = name, 0, interrupts
        self.pid, self.code = 2**31 - 1, -9
        self.messages: deque[Any] = deque()
        self.heard: list[Any] = []

    def tell(self, message: Any) -> None:
        self.heard.append(message)

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


class Log:
    """A log and a register that remember."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.entered: list[tuple[str, int]] = []

    def write(self, level: str, event: str, *, child: str = "", **_: object) -> None:
        if event:
            self.told.append((event, child))

    def enter(self, name: str, pid: int) -> None:
        self.entered.append((name, pid))

    def give_up(self, name: str, why: str) -> None:
        self.told.append(("given up", name))


class Kept:
    """A keeper of an edge process and a solver, and the clock it goes by."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(keeper, "time", SimpleNamespace(monotonic=lambda: self.now, time_ns=lambda: 7))
        self.children: dict[str, FakeChild] = {"edges": FakeChild("edges"), "solver-1": FakeChild("solver-1")}
        self.log = Log()
        register = SimpleNamespace(enter=self.log.enter, give_up=self.log.give_up, write=lambda: None)
        self.keeper = Keeper(
            ["edges"],
            ["solver-1"],
            self.children,  # type: ignore[arg-type]
            self.start,
            Connect({}, 5),
            register,  # type: ignore[arg-type]
            self.log,  # type: ignore[arg-type]
        )

    def start(self, name: str) -> Any:
        self.children[name] = FakeChild(name)
        return self.children[name]

    def lose(self, name: str, code: int = -9, error: TiertwinError | None = None) -> None:
        child = self.children.pop(name)
        child.code = code
        self.keeper.lost(child, error or ProcessError(f"process {name} is gone"))  # type: ignore[arg-type]

    def later(self) -> None:
        self.now += 10.0  # longer than any pause
        self.keeper.turn()


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    return Kept(monkeypatch)


@pytest.mark.parametrize("name", ["edges", "solver-1"])
def test_who_ends_by_itself_is_started_again_and_is_back_when_it_says_so(kept: Kept, name: str) -> None:
    kept.lose(name)
    kept.keeper.turn()
    assert name not in kept.children
    kept.later()
    child = kept.children[name]
    assert not kept.keeper.was_there(name, 10)
    child.messages += [Ready({}), Linked()]
    kept.keeper.greet(child)  # type: ignore[arg-type]
    assert child.heard == ([Connect({}, 5)] if name == "edges" else [])
    assert kept.keeper.was_there(name, 10)
    assert not kept.keeper.was_there(name, 6)  # an epoch that began before is not its own
    assert [event for event, _ in kept.log.told] == ["lost", "restart", "back"]
    assert kept.log.entered == [(name, child.pid)]


def test_who_ends_at_every_start_is_given_up(kept: Kept) -> None:
    for _ in range(RESTARTS):
        kept.lose("solver-1")
        kept.later()
    kept.lose("solver-1")
    kept.later()
    assert "solver-1" not in kept.children
    assert kept.keeper.news[-1].startswith(
        "process solver-1 is degraded, and not started again: it was started again 5"
    )
    assert kept.keeper.counters == {"processes lost": 6, "solvers started again": 5, "processes degraded": 1}


@pytest.mark.parametrize("code", [0, -15, 143, 142])
def test_twins_that_were_asked_to_end_stay_away(kept: Kept, code: int) -> None:
    kept.lose("edges", code)
    kept.later()
    assert "edges" not in kept.children
    assert kept.log.told == [("lost", "edges"), ("given up", "edges"), ("degraded", "edges")]


def test_whose_place_is_taken_stays_away(kept: Kept) -> None:
    kept.lose("edges")
    kept.later()
    kept.lose("edges", 2, PlaceTakenError("node 'edge-a' runs already, in the process with pid 9"))
    kept.later()
    assert "edges" not in kept.children
    assert "its place is taken (node 'edge-a' runs already, in the process with pid 9)" in kept.keeper.news[-1]


def test_the_plant_is_told_and_not_started_again(kept: Kept) -> None:
    kept.children["plant"] = FakeChild("plant")
    kept.lose("plant")
    kept.later()
    assert kept.keeper.news == ["process plant is gone"]
    assert "plant" not in kept.children


def test_who_cannot_be_started_is_tried_again_as_often(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(name: str) -> Any:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(kept.keeper, "_start", full)
    kept.lose("edges")
    for _ in range(RESTARTS + 1):
        kept.later()
    assert sum("could not be started" in news for news in kept.keeper.news) == RESTARTS
    assert "is degraded" in kept.keeper.news[-1]


def test_a_disk_that_is_full_ends_nothing(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> None:
        raise OutputError("deployment: no space left")

    monkeypatch.setattr(kept.keeper._register, "write", full)
    kept.lose("edges")
    kept.later()
    assert "edges" in kept.children
    assert "deployment: no space left" in kept.keeper.news


# -------------------------------------------------------------------------------------------------------- who is late
def launcher_of(kept: Kept, front: PoolFront) -> Launcher:
    """A launcher that has nothing but a pool and its keeper."""
    made = Launcher.__new__(Launcher)
    made._front, made._ending, made._counters, made._keeper = front, set(), Counter(), kept.keeper
    made.children = kept.children  # type: ignore[assignment]
    made.plan = SimpleNamespace(solvers=1)  # type: ignore[assignment]
    return made


def front_of() -> PoolFront:
    return PoolFront(["solver-1"], lambda peer, frame: True, time.monotonic)


@pytest.mark.parametrize("name", ["edges", "solver-1"])
def test_who_was_started_again_and_never_arrives_is_killed_once(kept: Kept, name: str) -> None:
    made = launcher_of(kept, front_of())
    kept.lose(name)
    kept.later()
    kept.now += launcher.START_S - 5
    assert made.kill_overdue() == []  # it may take its time
    kept.now += 6
    assert made.kill_overdue() == [name]
    assert made.kill_overdue() == []
    assert kept.children[name].killed == 1
    assert made.counted()["solvers killed"] == (name == "solver-1")


def test_one_that_is_paused_while_it_starts_is_not_dead(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "stat_of", lambda pid: ("T", 1))
    made = launcher_of(kept, front_of())
    kept.lose("edges")
    kept.later()
    kept.now += launcher.START_S + 1
    assert made.kill_overdue() == []


def test_an_idle_solver_is_not_late(kept: Kept) -> None:
    front = front_of()
    front.take("solver-1", _core.encode_hello(1, 1, 0, 1, 1, 0, 0, 0, 0, 1))
    made = launcher_of(kept, front)
    kept.now += 10 * launcher.START_S
    assert made.kill_overdue() == []
