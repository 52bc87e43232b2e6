"""One node and its log: what the twin wants kept goes in, what is on disk is told to it, and a next life begins there.

    twin.handle(…) ── Keep ──▸ DurableNode.keep ──▸ log ──▸ disk (somebody else's thread)
    twin.handle(Synced) ◂── DurableNode.synced ◂── log.done

Kept are the streams upwards: those of the children, and our own. What goes down are queries and leases, which a new
life decides anew. While the disk is full, frames go on taking effect and wait for room; beyond `HELD_BYTES` a child's
are not kept any more, and once there is room again its tables go into the log as they are then.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import TYPE_CHECKING, Final

from tiertwin import _core
from tiertwin.runtime import diskwork
from tiertwin.runtime.disk import DiskLostError
from tiertwin.twin.events import Recovered, Synced

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiertwin.runtime.disk import Disk
    from tiertwin.runtime.diskwork import Work
    from tiertwin.runtime.durablelog import DurableLog
    from tiertwin.twin.effects import Keep
    from tiertwin.twin.twin import Neighbour, Twin

SNAPSHOT_BYTES: Final = 4 << 20  # of frames between two snapshots of the log
HELD_BYTES: Final = 8 << 20  # of frames that wait for room on a full disk
QUIET_NS: Final = 500_000_000  # without a frame: it is said that all before is synced
OK, DEGRADED = 1, 2  # states in heartbeats
_HELLO, _STREAM_AT = 1, 48  # kind of the frame that names a stream, and where it does


class DurableNode:
    """See the module. Owned by the loop; the disk is somebody else's while work is under way.

    Parameters
    ----------
    twin
        Made with ``durable`` and, for its stream upwards, the id :attr:`DurableLog.stream`.
    log, disk
        The node's own.
    slot
        Gives the number of a child in the log; the same in every life.
    """

    def __init__(self, twin: Twin, log: DurableLog, disk: Disk, slot: Callable[[str], int]) -> None:
        self.twin, self.log, self.disk = twin, log, disk
        self._slots = {child.name: slot(child.name) for child in twin.children}
        self._behind: set[str] = set()
        self._since_snapshot = 0
        self._appended_at = 0
        self._settled = 0
        self.full = False
        self.counters: Counter[str] = Counter()

    # -- a next life ---------------------------------------------------------------------------------------------------
    def recover(self) -> Recovered | None:
        """Bring the twin's tables to what the log says; None: it begins anew. Before any session.

        Raises
        ------
        DiskLostError
            The log is of other tables than these. It is marked as refused: the next start begins anew.
        """
        if not self.log.resumed:
            self.counters["log_begun"] += 1
            return None
        found, parent = self.log.found, self.twin.parent
        self.counters["log_resumed"] += 1
        try:
            streams = {child.name: self._loaded(child, slot) for child, slot in self._known() if self.log.cursor(slot)}
            last = 0 if parent is None else found.load(0, parent.peer.out_tables)
            frames = [] if parent is None else found.unacked()
        except (_core.CoreRefusedError, ValueError) as error:
            raise self._refused(f"its tables are not those of this tree ({error})") from error
        self.log.forget()
        return Recovered(streams, last, frames)

    def _loaded(self, child: Neighbour, slot: int) -> tuple[int, int]:
        """Bring a child's tables up to date; of a stream at cursor 0 nothing is there yet but its name."""
        cursor, expected = self.log.found.load(slot, child.peer.in_tables), self.log.cursor(slot)
        if cursor != expected:
            raise ValueError(f"tables of {child.name} as of {cursor}, the log ends at {expected}")
        return self.log.peer_stream(slot), cursor

    def _refused(self, reason: str) -> DiskLostError:
        """Mark the log, so that the next start puts it aside, and return what ends this one."""
        self.disk.create(diskwork.REFUSED, reason.encode(), len(reason.encode()))
        return DiskLostError(
            f"log of {self.twin.name}: {reason}. It is put aside at the next start, which begins a new stream; "
            "neighbours send snapshots."
        )

    def _known(self) -> list[tuple[Neighbour, int]]:
        return [(child, self._slots[child.name]) for child in self.twin.children]

    # -- what goes in --------------------------------------------------------------------------------------------------
    def keep(self, effect: Keep, now: int) -> None:
        """Put a frame into the log.

        Raises
        ------
        ValueError
            It is not what can come next: a mistake of ours, after which nothing may be acknowledged (R51).
        """
        frame = effect.frame
        if not effect.peer:
            self._append(0, frame, now)
        elif not self._known_stream(effect.peer, frame) and not self._too_much(effect.peer):
            self._append(self._slots[effect.peer], frame, now)

    def _append(self, slot: int, frame: bytes | memoryview, now: int) -> None:
        self.log.append(slot, frame)
        self.counters["log_frames"] += 1
        self.counters["log_bytes"] += len(frame)
        self._since_snapshot += len(frame)
        self._appended_at = now

    def _known_stream(self, child: str, frame: bytes | memoryview) -> bool:
        """Whether it is a HELLO that names the stream that the log has already."""
        if frame[3] != _HELLO:
            return False
        (stream,) = struct.unpack_from("<Q", frame, _STREAM_AT)
        return bool(stream == self.log.peer_stream(self._slots[child]))

    def _too_much(self, child: str) -> bool:
        """Whether a child's frames cannot be kept for now: the disk is full, and so is what waits for it."""
        if self.full and self.log.waiting_bytes > HELD_BYTES:
            self._behind.add(child)
        if child not in self._behind:
            return False
        self.counters["log_left_out"] += 1
        return True

    def _catch_up(self, now: int) -> None:
        """Put the tables of those whose frames were left out into the log, as they are now."""
        behind, self._behind = self._behind, set()
        for child, slot in self._known():
            peer = child.peer
            if child.name not in behind or peer.cursor <= self.log.cursor(slot):
                continue
            if peer.peer_stream_id != self.log.peer_stream(slot):
                self._append(slot, _hello(peer.peer_stream_id), now)
            for frame in _core.encode_snapshot(peer.in_tables, peer.cursor, 1):
                self._append(slot, frame, now)

    # -- the disk ------------------------------------------------------------------------------------------------------
    def work(self, now: int) -> Work | None:
        """Return what is to be done on the disk next, or None.

        Raises
        ------
        DiskLostError
            Our log has lost numbers that the parent has: they must not be given again (R8).
        """
        parent = self.twin.parent
        if parent is not None and parent.peer.outdone and self.log.idle_disk:
            raise self._refused(f"{parent.name} has more of our stream than it")
        if self._since_snapshot >= SNAPSHOT_BYTES and not self.full and not self._behind:
            self.snapshot(now)
        if now - self._appended_at >= QUIET_NS:
            self.log.idle()
        return self.log.work()

    def done(self, work: Work, now: int) -> Synced | None:
        """Take note that work is done; return what the twin is to be told."""
        self.log.done(work)
        if self.full:
            self._with_room(now)
        if isinstance(work, diskwork.KeepSnapshot):
            self.counters["log_snapshots"] += 1
        if not isinstance(work, diskwork.Commit):
            return None
        self.counters["log_groups"] += 1
        return self.synced()

    def synced(self) -> Synced:
        """Return what is on disk."""
        found = self.log.durable_streams()
        streams = {name: found[slot] for name, slot in self._slots.items() if slot in found}
        return Synced(streams, self.log.durable_cursor(0))

    def without_room(self) -> None:
        """The disk is full: nothing is acknowledged as durable, deciding goes on, neighbours hear of it (P13)."""
        if not self.full:
            self.counters["disk_full"] += 1
            self.full = True
            self._tell(DEGRADED)

    def _with_room(self, now: int) -> None:
        self.full = False
        self.counters["disk_back"] += 1
        self._tell(OK)
        self._catch_up(now)

    def _tell(self, health: int) -> None:
        for neighbour in self.twin.neighbours.values():
            neighbour.peer.health = health

    def note_settled(self) -> None:
        """Let go of what the parent has made durable."""
        parent = self.twin.parent
        if parent is not None and parent.peer.settled > self._settled:
            self._settled = parent.peer.settled
            self.log.acknowledged(self._settled)

    # -- snapshots -----------------------------------------------------------------------------------------------------
    def snapshot(self, now: int) -> bool:
        """Have the tables kept as they are; False: not now, for what they hold is not all in the log."""
        known, parent = self._known(), self.twin.parent
        if any(self._apart(child, slot) for child, slot in known) or not self._all_numbered(now):
            return False
        held = [(slot, child.peer.in_tables, child.peer.cursor) for child, slot in known]
        if parent is not None:
            held.append((0, parent.peer.out_tables, parent.peer.last))
        self.log.snapshot(
            [(slot, frame) for slot, tables, at in held if at for frame in _core.encode_snapshot(tables, at, 1)]
        )
        self._since_snapshot = 0
        return True

    def _apart(self, child: Neighbour, slot: int) -> bool:
        """Whether a child's tables and the log are not at the same number of the same stream."""
        stream, cursor = self.log.peer_stream(slot), self.log.cursor(slot)
        return (stream, cursor) != (child.peer.peer_stream_id, child.peer.cursor)

    def _all_numbered(self, now: int) -> bool:
        """Number what waits in our own tables while the parent is away; False: it is there, and credit is missing."""
        parent = self.twin.parent
        if parent is None or not any(table.dirty_count for table in parent.peer.out_tables):
            return True
        if parent.peer.attached:
            return False
        parent.peer.number_pending()
        for frame in parent.peer.take_unlogged():
            self._append(0, frame, now)
        return True


def _hello(stream: int) -> bytes:
    """A frame that names a stream."""
    return _core.encode_hello(1, 1, 1, stream, 1, 0, 0, 0, 0, incarnation=1)
