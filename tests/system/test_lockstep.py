"""Many parts in step do what one host does, to the last bit, however the nodes are dealt out."""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import Any

import pytest

from support.inprocess import MASTERS, plan_of, world_of
from tiertwin.runtime.control import BeginEpoch, Collect, Done, Message, Open
from tiertwin.runtime.execute import host_of, make_run
from tiertwin.runtime.host import ORIGIN, SECOND, SolveHere, in_log_order
from tiertwin.runtime.lockstep import Lockstep
from tiertwin.runtime.part import LockstepPart
from tiertwin.runtime.processes import ProcessPlan, lay_out
from tiertwin.runtime.roster import Roster

pytestmark = pytest.mark.system

EPOCHS = 3


class Mail:
    """Frames between parts of one test process."""

    def __init__(self) -> None:
        self._letters: dict[str, list[tuple[str, str, bytes]]] = {}
        self._home: dict[str, str] = {}

    def carrier(self, part: str, nodes: tuple[str, ...]) -> Carrier:
        self._home |= dict.fromkeys(nodes, part)
        self._letters[part] = []
        return Carrier(self, part)

    def post(self, sender: str, receiver: str, frame: bytes) -> None:
        self._letters[self._home[receiver]].append((sender, receiver, frame))

    def fetch(self, part: str) -> list[tuple[str, str, bytes]]:
        taken, self._letters[part] = self._letters[part], []
        assert taken, f"{part} waits for a frame that nobody sent"
        return taken


class Carrier:
    def __init__(self, mail: Mail, part: str) -> None:
        self._mail, self._part = mail, part

    def send(self, sender: str, receiver: str, frame: bytes) -> None:
        self._mail.post(sender, receiver, frame)

    def receive(self) -> list[tuple[str, str, bytes]]:
        return self._mail.fetch(self._part)


class Local:
    """A part in this process: asked and answered at once."""

    def __init__(self, part: LockstepPart) -> None:
        self.part = part
        self._answers: deque[Any] = deque()

    def tell(self, message: Message) -> None:
        act = {"Open": self.part.open, "BeginEpoch": self.part.begin_epoch, "Go": self.part.go}
        self._answers.append(act[type(message).__name__](message))  # type: ignore[operator]

    def done(self) -> Done:
        done = self._answers.popleft()
        assert isinstance(done, Done)
        return done


def log_of_parts(name: str, seed: int, layout: list[ProcessPlan]) -> list[dict[str, Any]]:
    plan, world = plan_of(name, EPOCHS, seed), world_of(name)
    mail = Mail()
    locals_ = {
        p.name: Local(
            LockstepPart(
                host_of(plan, world, "hierarchical", SolveHere(MASTERS), p.nodes), mail.carrier(p.name, p.nodes)
            )
        )
        for p in layout
    }
    step = Lockstep(locals_, {node: p.name for p in layout for node in p.nodes})
    step.tell_all(Open())
    step.run_until(ORIGIN)
    lines = []
    for epoch in range(EPOCHS):
        start, end = ORIGIN + epoch * SECOND, ORIGIN + (epoch + 1) * SECOND
        step.tell_all(BeginEpoch(epoch, start, end))
        step.run_until(end)
        found = [local.part.collect(Collect(end)) for local in locals_.values()]
        lines += in_log_order([line for c in found for line in c.records])
    return lines


@lru_cache
def log_of_one(name: str, seed: int) -> list[dict[str, Any]]:
    run = make_run(plan_of(name, EPOCHS, seed), world_of(name), "hierarchical", MASTERS)
    lines = []
    for epoch in range(EPOCHS):
        run.run_epoch(epoch)
        lines += run.take_records()
    return lines


@pytest.mark.parametrize("processes", [None, {"device": 1, "edge": 1, "fog": 1}, {"device": 3, "edge": 5}, "node"])
def test_the_log_does_not_depend_on_who_hosts_whom(processes: Any) -> None:
    layout = lay_out(Roster(world_of("metro")), processes)
    assert log_of_parts("metro", 7, layout) == log_of_one("metro", 7)


@pytest.mark.parametrize("seed", [1, 2])
def test_nor_on_the_seed(seed: int) -> None:
    layout = lay_out(Roster(world_of("metro")), None)
    assert log_of_parts("metro", seed, layout) == log_of_one("metro", seed)


def test_plant_and_twins_may_share_a_process() -> None:
    roster = Roster(world_of("metro"))
    half = len(roster.names) // 2
    layout = [ProcessPlan("a", tuple(roster.names[:half])), ProcessPlan("b", tuple(roster.names[half:]))]
    assert log_of_parts("metro", 7, layout) == log_of_one("metro", 7)
