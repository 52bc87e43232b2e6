"""A tree of processes with logs, killed again and again: what was acknowledged to a child must be there each time."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from support.processes import until
from support.trees import Live
from tiertwin.runtime.chaos.ledger import Tail


@dataclass
class Killed:
    """What became of the kills."""

    kills: int = 0
    resumed: int = 0  # logs that a next life went on from
    compared: int = 0  # acknowledged levels that were looked for in them
    records: int = 0  # acknowledged as durable, over all streams
    lost: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # what logs said of themselves


class Promises:
    """Highest level acknowledged as durable, by (child, parent, stream), as the children heard it."""

    def __init__(self, live: Live) -> None:
        self._tail = Tail(live.folder, "*.jsonl")
        self.levels: dict[tuple[str, str, int], int] = {}
        self._later: list[dict[str, Any]] = []

    def until(self, at: int) -> dict[tuple[str, str, int], int]:
        """Return the levels that were known at a time, ns since 1970."""
        lines, self._later = [*self._later, *self._tail.lines()], []
        for line in lines:
            if line["at"] > at:
                self._later.append(line)
                continue
            stream, durable, _ = line["durable"]
            key = line["node"], line["peer"], stream
            self.levels[key] = max(self.levels.get(key, 0), durable)
        return self.levels


def kill_at_random(live: Live, names: Iterable[str], random: Random) -> int:
    """Kill processes at a random moment of an epoch; return when they were gone, ns since 1970."""
    victims = [live.known[name] for name in names]
    timers = [threading.Timer(random.random(), victim.signal, (signal.SIGKILL,)) for victim in victims]
    for timer in timers:
        timer.start()
    for timer in timers:
        timer.join()
    until(lambda: not any(victim.alive for victim in victims), "the killed ones are gone")
    return time.time_ns()


def cycles(live: Live, victims: Iterable[tuple[str, ...]], seed: int) -> Killed:
    """Kill each of `victims` (processes at once); compare what their next lives begin with to what they promised."""
    random, out, promises = Random(seed), Killed(), Promises(live)
    logs = Tail(live.run.launcher.plan.folder / "logs", "*.log")
    list(logs.lines())
    home = live.run.launcher.home
    for names in victims:
        gone = kill_at_random(live, names, random)
        promised = dict(promises.until(gone))
        out.kills += len(names)
        missing = {node for node, process in home.items() if process in names}

        def returned(missing: set[str] = missing, promised: dict[tuple[str, str, int], int] = promised) -> bool:
            for line in logs.lines():
                if line["event"] == "log resumed":
                    missing.discard(line["node"])
                    _compare(line, promised, out)
                elif line["event"] == "log":
                    out.told.append(f"{line['node']}: {line['found']}")
            return not missing

        live.until(returned, f"the nodes of {' and '.join(names)} go on from their logs")
    out.records = sum(promises.until(time.time_ns()).values())
    return out


def _compare(line: dict[str, Any], promised: dict[tuple[str, str, int], int], out: Killed) -> None:
    out.resumed += 1
    for child, (stream, cursor) in line["children"].items():
        level = promised.get((child, line["node"], stream), 0)
        out.compared += level > 0
        if cursor < level:
            out.lost.append(f"{line['node']}: acknowledged {level} to {child}, recovered {cursor}")
