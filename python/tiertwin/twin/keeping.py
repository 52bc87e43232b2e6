"""What of a twin's sessions goes into its log, and how far the root is known to have got (R10, R11).

The twin says what is to be kept (:class:`~tiertwin.twin.effects.Keep`) and hears what is on disk
(:class:`~tiertwin.twin.events.Synced`); between the two, nothing of its own stream leaves.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tiertwin import _core
from tiertwin.twin.effects import Keep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiertwin.twin.twin import Neighbour

HELLO, DELTA, SNAPSHOT = 1, 3, 5  # kinds of frames (docs/wire-format.md)
SWAPPED = _core.PEER_EVENTS["swapped"]
CHUNK_AT = 40  # offset of a SNAPSHOT's chunk number, u32
MARKS = 256  # reports that the root may be behind; of older ones every other is forgotten


class Keeping:
    """Frames of children that took effect, in an order in which a log takes them.

    A snapshot goes in when it is whole: its chunks change nothing before the last one, and a session may break off.
    """

    def __init__(self) -> None:
        self._chunks: dict[str, list[bytes]] = {}

    def of_frame(self, child: str, received: _core.Received, frame: bytes | memoryview) -> list[Keep]:
        """Return what is to be kept of a frame that `child` sent."""
        if not received.accepted or received.kind not in (HELLO, DELTA, SNAPSHOT):
            return []
        if received.kind != SNAPSHOT:
            return [Keep(child, frame)]
        chunks = self._chunks.setdefault(child, [])
        if bytes(frame[CHUNK_AT : CHUNK_AT + 4]) == bytes(4):
            chunks.clear()
        chunks.append(bytes(frame))
        return [Keep(child, chunk) for chunk in self._chunks.pop(child)] if SWAPPED in received.events else []


class RootMarks:
    """Which numbers of children are in which number of our own stream: what the root has of ours, it has of theirs."""

    def __init__(self) -> None:
        self._marks: deque[tuple[int, dict[str, tuple[int, int]]]] = deque()

    def note(self, last: int, children: Sequence[Neighbour]) -> None:
        """All that children told so far is in our stream up to number `last`."""
        held = {child.name: (child.peer.peer_stream_id, child.peer.cursor) for child in children}
        if self._marks and self._marks[-1][0] == last:
            self._marks.pop()
        self._marks.append((last, held))
        if len(self._marks) > MARKS:
            self._marks = deque(list(self._marks)[::2])

    def reached(self, number: int) -> dict[str, tuple[int, int]]:
        """Return (stream, number) of each child that is in our stream up to `number`; older marks are forgotten."""
        while len(self._marks) > 1 and self._marks[1][0] <= number:
            self._marks.popleft()
        return self._marks[0][1] if self._marks and self._marks[0][0] <= number else {}
