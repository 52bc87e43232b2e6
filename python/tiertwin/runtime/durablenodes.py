"""The logs of all nodes of a process, and the one thread that touches their files (R4)."""

from __future__ import annotations

import select
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from tiertwin.runtime import logs
from tiertwin.runtime.disk import DiskFullError, DiskLostError
from tiertwin.runtime.diskthread import DiskThread
from tiertwin.runtime.diskwork import carry_out
from tiertwin.runtime.durablelog import FLOOR_BYTES, DurableLog
from tiertwin.runtime.durablenode import DurableNode
from tiertwin.runtime.filedisk import FileDisk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from tiertwin.runtime.disk import Disk
    from tiertwin.runtime.diskwork import Work
    from tiertwin.runtime.nodestate import StateFile
    from tiertwin.twin.effects import Keep
    from tiertwin.twin.events import Recovered, Synced
    from tiertwin.twin.twin import Twin

SEGMENT_BYTES: Final = 4 << 20  # of a node of a tree: there are many on a host, and each begins with a whole one
RETRY_NS: Final = 200_000_000  # between two tries on a full disk
DISK_S: Final = 1.5  # timeout `disk`: at the end, of what is under way
FOLDER: Final = ".log"  # behind the node's name, beside its state


def open_logs(folder: Path, nodes: Iterable[str], floor_bytes: int = FLOOR_BYTES) -> dict[str, tuple[DurableLog, Disk]]:
    """Open the logs of nodes: each recovers, and what was found is told.

    Raises
    ------
    DiskFullError, DiskLostError
        One can be neither read nor begun.
    """
    found: dict[str, tuple[DurableLog, Disk]] = {}
    for name in nodes:
        disk = FileDisk(folder / f"{name}{FOLDER}")
        log = DurableLog(disk, name, segment_bytes=SEGMENT_BYTES, floor_bytes=floor_bytes)
        for line in log.found.news:
            logs.warning("log", node=name, found=line)
        found[name] = log, disk
    return found


class DurableNodes:
    """Group commit for the nodes of a process: what came while a group was synced is the next one.

    Parameters
    ----------
    opened
        As :func:`open_logs` gives them.
    twins
        The nodes, made with their logs' streams.
    states
        Give the children their numbers.
    lost
        Called with a :class:`DiskLostError`: ends the process and does not return.
    """

    def __init__(
        self,
        opened: Mapping[str, tuple[DurableLog, Disk]],
        twins: Mapping[str, Twin],
        states: Mapping[str, StateFile],
        lost: Callable[[DiskLostError], None],
    ) -> None:
        self.nodes = {
            name: DurableNode(twins[name], log, disk, states[name].slot) for name, (log, disk) in opened.items()
        }
        self._of = {id(node.log): name for name, node in self.nodes.items()}
        self._lost = lost
        self._thread = DiskThread()
        self._busy: set[str] = set()
        self._again: dict[str, tuple[int, Work]] = {}  # on a full disk: when, and what

    @property
    def fd(self) -> int:
        """A descriptor that is readable while something is done."""
        return self._thread.fd

    def recover(self) -> list[tuple[str, Recovered]]:
        """Return what nodes are to be told before they start; see :meth:`DurableNode.recover`."""
        found = []
        for name, node in self.nodes.items():
            try:
                told = node.recover()
            except DiskLostError as error:
                self._lost(error)
                raise
            if told is not None:
                logs.info("log resumed", node=name, own=[node.log.stream, told.last], children=dict(told.streams))
                found.append((name, told))
        return found

    def keep(self, name: str, effect: Keep, now: int) -> None:
        """Put a frame into a node's log."""
        self.nodes[name].keep(effect, now)

    def next_ns(self) -> int | None:
        """When a full disk is tried again; None: none is full."""
        return min((at for at, _ in self._again.values()), default=None)

    def collect(self, now: int) -> list[tuple[str, Synced]]:
        """Return what nodes are to be told of what the disk has done since the last call."""
        told = []
        for log, work, fault in self._thread.collect():
            name = self._of[id(log)]
            node = self.nodes[name]
            if isinstance(fault, DiskFullError):
                if not node.full:
                    logs.error("degraded", node=name, reason=str(fault))
                node.without_room()
                self._again[name] = now + RETRY_NS, work
                continue
            if fault is not None:
                self._lost(fault)
                raise fault
            self._busy.discard(name)
            if node.full:
                logs.info("disk back", node=name)
            if (synced := node.done(work, now)) is not None:
                told.append((name, synced))
        return told

    def submit(self, now: int) -> None:
        """Have done what is to be done: one work a node at a time."""
        for name, node in self.nodes.items():
            if name in self._busy:
                again = self._again.get(name)
                if again is not None and again[0] <= now:
                    del self._again[name]
                    self._thread.submit(node.log, node.disk, again[1])
                continue
            node.note_settled()
            try:
                work = node.work(now)
            except DiskLostError as error:
                self._lost(error)
                raise
            if work is not None:
                self._busy.add(name)
                self._thread.submit(node.log, node.disk, work)

    def counters(self, name: str) -> Counter[str]:
        """What the log of a node counts."""
        node = self.nodes.get(name)
        return Counter() if node is None else node.counters

    def close(self, now: int) -> None:
        """Wait for what is under way, put the rest on disk and say that all is synced.

        A disk that does not answer within ``disk`` is left alone: what it was given was not acknowledged.
        """
        if not self._settled(now):
            logs.error("disk silent", seconds=DISK_S, nodes=sorted(self._busy - self._again.keys()))
            return
        self._thread.close()
        for name, node in self.nodes.items():
            if name not in self._again:
                _finish(node, now)
            node.disk.close()

    def _settled(self, now: int) -> bool:
        """Wait until nothing is under way any more; whether that came to be in time."""
        end = time.monotonic() + DISK_S
        while self._busy - self._again.keys():
            ready, _, _ = select.select([self._thread.fd], [], [], max(end - time.monotonic(), 0.0))
            if not ready:
                return False
            self.collect(now)
        return True


def _finish(node: DurableNode, now: int) -> None:
    try:
        while (work := node.log.work()) is not None:
            carry_out(node.disk, work)
            node.done(work, now)
    except DiskFullError as error:
        logs.error("degraded", node=node.twin.name, reason=str(error))
