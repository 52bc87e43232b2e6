"""Whether a process of nodes is well, for whoever runs it: containers ask (`healthserver.py`), systemd is told.

    well     the loop came round within the last `STALLED_S`
    ready    well, and each node here has a session with its parent; the root has none to wait for

Both look at the loop itself and not at a thread beside it: a process whose loop hangs is not well, however alive its
threads are. Readiness may come and go; a process that is not ready decides by itself (P5) and should not be killed for
it. One that is not well should.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STALLED_S = 2.0
BEAT_S = 0.5  # between two looks at the nodes
LISTED = 5  # names of nodes in a line of status


@dataclass(frozen=True)
class Health:
    """How a process is.

    Parameters
    ----------
    process
        Its name.
    nodes
        How many it hosts.
    epoch
        Base epoch; -1: before the first.
    waiting
        Nodes that have no session with their parent.
    age_s
        Since the loop came round last; infinite before it began.
    """

    process: str
    nodes: int
    epoch: int
    waiting: tuple[str, ...]
    age_s: float

    @property
    def well(self) -> bool:
        """Whether the loop comes round."""
        return self.age_s <= STALLED_S

    @property
    def ready(self) -> bool:
        """Whether it is well and all its nodes have their parents."""
        return self.well and not self.waiting

    @property
    def text(self) -> str:
        """A line for people."""
        listed = ", ".join(self.waiting[:LISTED]) + (" and others" if len(self.waiting) > LISTED else "")
        where = f"{self.process}: {self.nodes} nodes, epoch {self.epoch}"
        if not self.well:
            return f"{where}, stalled for {self.age_s:.1f} s"
        return f"{where}, no parent yet: {listed}" if self.waiting else f"{where}, ready"


class Vitals:
    """What the loop says of itself and others ask for; `beat` and `health` may be called from different threads.

    Parameters
    ----------
    process, nodes
        Name, and how many nodes it hosts.
    """

    def __init__(self, process: str, nodes: int) -> None:
        self._process, self._nodes = process, nodes
        self._said: tuple[float, int, tuple[str, ...]] = (float("-inf"), -1, ())

    def due(self, now_s: float) -> bool:
        """Whether it is time to beat again."""
        return now_s - self._said[0] >= BEAT_S

    def beat(self, now_s: float, epoch: int, waiting: Sequence[str]) -> None:
        """The loop came round at `now_s` (monotonic)."""
        self._said = (now_s, epoch, tuple(waiting))

    def health(self, now_s: float) -> Health:
        """Return how the process is at `now_s`."""
        at, epoch, waiting = self._said
        return Health(self._process, self._nodes, epoch, waiting, now_s - at)


class Systemd:
    """What a unit of ``Type=notify`` is told: ready once, alive at each beat while well, its status, and its end.

    Without ``NOTIFY_SOCKET`` in the environment nothing is told (sd_notify(3)).

    Parameters
    ----------
    environment
        Of the process.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._path = environment.get("NOTIFY_SOCKET", "")
        self._ready, self._status = False, ""

    def look(self, health: Health) -> None:
        """Say what there is to say of the process now."""
        if not self._path:
            return
        lines = ["WATCHDOG=1"] if health.well else []
        if health.ready and not self._ready:
            self._ready = True
            lines.append("READY=1")
        if (status := health.text) != self._status:
            self._status = status
            lines.append(f"STATUS={status}")
        self._tell(lines)

    def ending(self) -> None:
        """Say that the process ends."""
        if self._path:
            self._tell(["STOPPING=1"])

    def _tell(self, lines: list[str]) -> None:
        if not lines:
            return
        path = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK) as link:
            try:
                link.sendto("\n".join(lines).encode(), path)
            except OSError:  # nobody listens any more, or its queue is full: the next beat says it again
                self._ready = self._ready and "READY=1" not in lines
                self._status = ""


def systemd() -> Systemd:
    """Return what this process's own environment names."""
    return Systemd(os.environ)
