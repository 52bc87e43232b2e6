"""The log of one node: what goes in, what is durable, what is kept and what may go (R45–R50).

The formats and the verdicts are :mod:`tiertwin._core`'s (`docs/log-format.md`); here is the order of things. Whoever
owns a :class:`DurableLog` puts frames in, and has its work done (:mod:`~tiertwin.runtime.diskwork`) by one thread of
its choice, its own or a :class:`~tiertwin.runtime.diskthread.DiskThread`'s::

    log.append(peer, frame)                 # after it took effect; nothing is acknowledged yet
    while work := log.work():               # one at a time
        carry_out(disk, work)               # any thread; may raise DiskFullError (again later) or DiskLostError (end)
        log.done(work)                      # now log.durable_cursor(peer) may be acknowledged
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tiertwin import _core
from tiertwin.runtime.disk import Disk
from tiertwin.runtime.diskwork import (
    QUARANTINE,
    REFUSED,
    SEGMENT,
    SNAPSHOT,
    Commit,
    Drop,
    KeepSnapshot,
    Work,
    carry_out,
    segment_name,
    snapshot_name,
)

FLOOR_BYTES: Final = 64 << 20
GROUP_BYTES: Final = 1 << 20


@dataclass
class Found:
    """What recovery found, with the bytes it stands in: load what you need, then let it go.

    Attributes
    ----------
    verdict
        See `_core.LogRecovery`.
    news
        One line a thing that somebody should know: a tail that was cut, files that were put aside.
    """

    verdict: _core.LogRecovery
    segments: list[bytes] = field(default_factory=list)
    snapshot: bytes | None = None
    news: list[str] = field(default_factory=list)

    def load(self, peer: int, tables: list[_core.StateTable]) -> int:
        """Bring the tables of a peer's stream (0: our own) to what the log says; returns its cursor."""
        cursor, _, _ = self.verdict.replay(peer, tables, self.segments, self.snapshot)
        return cursor

    def unacked(self) -> list[bytes]:
        """Return own frames that the parent may not have made durable, in their order."""
        return [frame for _, frame in self.verdict.unacked(self.segments)]

    def waiting(self) -> list[bytes]:
        """Return spilled events that have no number yet; of the first one, some records may have."""
        return [frame for _, frame in self.verdict.waiting(self.segments)]


class DurableLog:
    """See the module. Opening it recovers, cuts, puts aside and syncs whatever has to be before anything is served.

    Parameters
    ----------
    disk
        The folder of this node's log. Used here only while opening; later by whoever carries work out.
    node
        Its name.
    draw
        Gives that many random bits: stream ids and salts.
    segment_bytes
        Of new segments.
    floor_bytes
        So much is left free on the disk.

    Raises
    ------
    DiskFullError, DiskLostError
        The log can be neither read nor begun.
    """

    def __init__(
        self,
        disk: Disk,
        node: str,
        *,
        draw: Callable[[int], int] = secrets.randbits,
        segment_bytes: int = _core.LOG_SEGMENT_BYTES,
        floor_bytes: int = FLOOR_BYTES,
    ) -> None:
        self._disk = disk
        self._node = node
        self._draw = draw
        self._segment_bytes = segment_bytes
        self._floor = floor_bytes
        self._snapshots: list[int] = []  # positions of those on disk
        self._starts: list[tuple[int, int, int, int]] = []  # of segments on disk before this life
        self._dropped = 0  # highest segment that is gone
        self._due: KeepSnapshot | None = None
        self._due_position = 0
        self._under_way: Work | None = None
        self._may_drop = False
        self._acked = 0
        self.found = self._recover()
        self._writer = self._begin()
        self._settle()

    # ------------------------------------------------------------------------------------------------------- opening
    def _recover(self) -> Found:
        names, earlier = self._disk.names(), []
        if REFUSED in names:
            self._put_aside(names)
            earlier, names = names, []
        segments = [name for name in names if name.endswith(SEGMENT)]
        snapshots = [name for name in names if name.endswith(SNAPSHOT)]
        read = [self._disk.read(name) for name in segments]
        kept = [self._disk.read(name) for name in snapshots]
        verdict = _core.recover_log(self._node, read, kept)
        found = Found(verdict, read, kept[verdict.snapshot] if verdict.snapshot >= 0 else None)
        if earlier:
            found.news.append("log refused by an earlier start; the rest of it put aside, begun anew")
        if verdict.action == "restart":
            culprit = segments[verdict.culprit] if verdict.culprit >= 0 else "the files"
            reason = f"{culprit}: {verdict.why}"
            self._disk.create(REFUSED, reason.encode(), len(reason.encode()))
            self._put_aside([*segments, *snapshots])
            found.news.append(f"log refused ({reason}); put aside, begun anew: neighbours send snapshots")
            return found
        for name, (fault, at) in zip(snapshots, verdict.snapshots, strict=True):
            if fault != "ok":
                self._disk.rename(name, self._aside(name))
                found.news.append(f"{name}: refused at byte {at} ({fault}) and put aside; the one before serves")
        self._snapshots = sorted(
            _core.log_header(content)["position"]
            for content, (fault, _) in zip(kept, verdict.snapshots, strict=True)
            if fault == "ok"
        )
        self._note_starts(read)
        if verdict.action == "resume":
            self._cut(segments[verdict.last_segment], found)
        self._acked = verdict.acked
        return found

    def _note_starts(self, read: list[bytes]) -> None:
        headers = sorted((_core.log_header(content) for content in read), key=lambda h: int(h["sequence"]))
        self._starts = [(h["sequence"], h["position"], h["next_number"], h["spilled"]) for h in headers]
        self._dropped = self._starts[0][0] - 1 if self._starts else 0

    def _cut(self, name: str, found: Found) -> None:
        """Make the last group durable, of which nobody knows, and zero what no acknowledgement rests on.

        It is written once more: a sync that failed in an earlier life left its pages clean, and the next sync would
        not write them.
        """
        verdict, end = found.verdict, found.verdict.end.offset
        content = found.segments[verdict.last_segment][verdict.last_group : end]
        dirty = verdict.dirty_end - end
        self._disk.write(name, verdict.last_group, content + bytes(dirty))
        self._disk.sync(name)
        if dirty:
            fault, _ = verdict.segments[verdict.last_segment]
            found.news.append(f"{name}: {dirty} bytes of an unfinished group cut at {end} ({fault})")

    def _put_aside(self, names: list[str]) -> None:
        for name in names:
            if name.endswith((SEGMENT, SNAPSHOT)):
                self._disk.rename(name, self._aside(name))
        self._disk.remove(REFUSED)

    def _aside(self, name: str) -> str:
        return f"{name}.{self._draw(32):08x}{QUARANTINE}"

    def _begin(self) -> _core.LogWriter:
        verdict = self.found.verdict
        resumed = verdict.action == "resume"
        stream = verdict.end.stream if resumed else self._draw(64) or 1
        end = verdict.end if resumed else None
        return _core.LogWriter(self._node, stream, self._draw(64), end, self._segment_bytes)

    def _settle(self) -> None:
        """Have the stream id, and that all so far is synced, on disk before anybody hears of either."""
        self._writer.mark()
        while (work := self.work()) is not None:
            carry_out(self._disk, work)
            self.done(work)

    # ------------------------------------------------------------------------------------------------------ putting in
    def forget(self) -> None:
        """Let go of the bytes that recovery found, once they are loaded."""
        self.found = Found(self.found.verdict, news=self.found.news)

    @property
    def resumed(self) -> bool:
        """Whether this is the log of an earlier life: peers may go on where they were."""
        return self.found.verdict.action == "resume"

    @property
    def stream(self) -> int:
        """Id of the own stream; the same as long as the log is."""
        return self._writer.end.stream

    def append(self, peer: int, frame: bytes | memoryview) -> int:
        """Put a frame in that a peer sent and that took effect here (or, of peer 0, that we numbered).

        Returns
        -------
        int
            Its position; durable when :attr:`durable` has come so far.

        Raises
        ------
        ValueError
            It is not what can come next of that peer: a gap, nothing new, or no frame.
        """
        return self._writer.append(peer, frame)

    def spill(self, frame: bytes | memoryview) -> int:
        """Put events in that have no number yet: a DELTA whose number counts spilled events from 1."""
        return self._writer.append(0, frame, event=True)

    def drain(self, frame: bytes | memoryview) -> int:
        """Put an own numbered frame in whose records are the oldest spilled events."""
        return self._writer.append(0, frame, from_spill=True)

    def snapshot(self, frames: list[tuple[int, bytes]]) -> None:
        """Have the present state kept, once all that was appended so far is durable.

        Parameters
        ----------
        frames
            (peer, SNAPSHOT frame) of all tables, as of exactly what was appended.
        """
        content = self._writer.snapshot(self._acked, frames)
        self._due_position = self._writer.appended
        self._due = KeepSnapshot(snapshot_name(self._due_position), content, self._floor)

    def acknowledged(self, number: int) -> None:
        """Tell that the parent has made our records up to `number` durable; what is behind it may be let go."""
        self._acked = max(self._acked, min(number, self._writer.durable_cursor(0)))
        self._may_drop = True

    def idle(self) -> None:
        """Nothing else is to be written for a while: have it said that all before is synced."""
        if not self._writer.in_flight:
            self._writer.mark()

    # ------------------------------------------------------------------------------------------------------ on the disk
    @property
    def full(self) -> bool:
        """Whether the open group is as large as a group should be: carry work out before more comes."""
        return self._writer.open_bytes >= GROUP_BYTES

    @property
    def idle_disk(self) -> bool:
        """Whether nothing is under way on the disk."""
        return self._under_way is None

    def work(self) -> Work | None:
        """Return what is to be done on the disk next, or None; nothing while something is under way."""
        if self._under_way is not None:
            return None
        if self._due is not None and self._writer.durable >= self._due_position:
            self._under_way = self._due
            return self._under_way
        if self._may_drop:
            self._may_drop = False
            if names := self._not_needed():
                self._under_way = Drop(names)
                return self._under_way
        if self._writer.open_records:
            self._under_way = Commit(self._writer.take(), self._floor)
        return self._under_way

    def done(self, work: Work) -> None:
        """Take note that it is done, synced and all."""
        if work is not self._under_way:
            raise ValueError("log: expected the work that was given out last; it is done once, in order")
        self._under_way = None
        if isinstance(work, Commit):
            self._writer.synced()
        elif isinstance(work, KeepSnapshot):
            self._snapshots = sorted({*self._snapshots, self._due_position})  # the same position is the same file
            self._due = None
            self._may_drop = True
        else:
            gone = [int(name.removesuffix(SEGMENT)) for name in work.names if name.endswith(SEGMENT)]
            self._dropped = max([self._dropped, *gone])
            self._snapshots = self._snapshots[-2:]

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the group that is still open: what has come since the last one went to the disk."""
        return self._writer.open_bytes

    @property
    def appended(self) -> int:
        """Position of the last record that was put in."""
        return self._writer.appended

    @property
    def durable(self) -> int:
        """Position of the last record that is durable."""
        return self._writer.durable

    def durable_cursor(self, peer: int) -> int:
        """Return what an ACK may call durable of a peer's stream; of peer 0: what may be forwarded of our own."""
        return self._writer.durable_cursor(peer)

    def durable_streams(self) -> dict[int, tuple[int, int]]:
        """Return (stream id, durable cursor) by peer, of all whose stream is known; without our own."""
        return {peer: (stream, cursor) for peer, stream, cursor in self._writer.durable_peers}

    def cursor(self, peer: int) -> int:
        """Return the highest number of a peer's stream that was put in."""
        return self._writer.end.cursor(peer)

    def peer_stream(self, peer: int) -> int:
        """Return the id of a peer's stream, as its HELLO or WELCOME in the log names it; 0 if none does."""
        return self._writer.end.stream_of(peer)

    def _not_needed(self) -> tuple[str, ...]:
        """Older snapshots than the last two, and segments behind the older one and behind what is still to be sent."""
        names = [snapshot_name(position) for position in self._snapshots[:-2]]
        if len(self._snapshots) < 2:
            return tuple(names)
        older = self._snapshots[-2]
        starts = [*self._starts, *self._writer.segments]
        for (sequence, *_), (_, position, next_number, spilled) in itertools.pairwise(starts):
            if sequence <= self._dropped:
                continue
            done = position <= older and next_number - 1 <= self._acked and spilled <= self._writer.durable_drained
            if not done or position > self._writer.durable:
                break
            names.append(segment_name(sequence))
        return tuple(names)
