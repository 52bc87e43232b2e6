"""A process of the tree, watched: ``python -m tiertwin.runtime.chaos.child FOLDER [NAMESPACE PROCESS,…]``.

Into FOLDER goes, as ``PID-K.jsonl``, what each session with another process holds, whenever that changes. Where FOLDER
has NODE.full or NODE.eio, the disk of that node's log has no room, or its next sync fails. The processes named are put
into a network NAMESPACE. Apart from that it is `tiertwin.runtime.child`.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tiertwin.runtime import child
from tiertwin.runtime.chaos.network import enter, file_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tiertwin.runtime.childconfig import ChildConfig
    from tiertwin.twin.twin import Neighbour

FILE_BYTES = 8 << 20  # then a new file begins, and whoever reads may remove the old one


class Told:
    """The file into which a process tells what its sessions hold; a line is written whole, at once.

    Parameters
    ----------
    folder
        Where the files are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._count, self._written = folder, 0, 0
        self._file = self._opened()

    def _opened(self) -> Any:
        return (self._folder / f"{os.getpid()}-{self._count}.jsonl").open("ab", buffering=0)

    def write(self, lines: list[dict[str, Any]]) -> None:
        """Write some lines."""
        if self._written > FILE_BYTES:
            self._file.close()
            self._count, self._written = self._count + 1, 0
            self._file = self._opened()
        content = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        self._written += len(content)
        self._file.write(content)


def held(neighbour: Neighbour) -> tuple[int, ...]:
    """Return what a line is written for when it changes."""
    peer = neighbour.peer
    return peer.state, peer.cursor, peer.last, peer.peer_stream_id, peer.durable_out


def session(neighbour: Neighbour) -> dict[str, Any]:
    """Return what a line says of a session."""
    peer = neighbour.peer
    return {
        "state": peer.state,
        "in": [peer.peer_stream_id, peer.cursor, peer.in_digest],
        "out": [peer.stream_id, peer.last, peer.out_digest],
        "durable": peer.durable_out,
        "term": peer.term,
        "alarms": peer.counters()["alarms.digest"],
    }


def watch(
    folder: Path,
    process: str,
    held: Callable[[Neighbour], tuple[Any, ...]] = held,
    session: Callable[[Neighbour], dict[str, Any]] = session,
) -> None:
    """Have the host of this process tell what its sessions hold."""
    from tiertwin.runtime.livehost import LiveHost  # noqa: PLC0415  solvers have none

    turn, told, life = LiveHost.turn, Told(folder), os.getpid()
    seen: dict[tuple[str, str], tuple[Any, ...]] = {}

    def watched(self: LiveHost, now: int) -> int | None:
        ended = turn(self, now)
        lines = []
        for name, twin in self.twins.items():
            for neighbour in twin.neighbours.values():
                if neighbour.name in self.twins:
                    continue
                key = held(neighbour)
                if seen.get((name, neighbour.name)) != key:
                    seen[name, neighbour.name] = key
                    where = {"process": process, "life": life, "node": name, "peer": neighbour.name, "at": now}
                    lines.append(where | session(neighbour))
        if lines:
            told.write(lines)
        return ended

    LiveHost.turn = watched  # type: ignore[method-assign]


def spoil(folder: Path) -> None:
    """Have the disk of a node's log fail as files in FOLDER say: NODE.full no room, NODE.eio the next sync fails."""
    from tiertwin.runtime.filedisk import FileDisk  # noqa: PLC0415  solvers have none

    free, sync = FileDisk.free_bytes, FileDisk.sync

    def free_bytes(self: FileDisk) -> int:
        node = self._folder.name.removesuffix(".log")
        return 0 if (folder / f"{node}.full").exists() else free(self)

    def synced(self: FileDisk, name: str) -> None:
        failing = folder / f"{self._folder.name.removesuffix('.log')}.eio"
        if failing.exists():
            failing.unlink()
            self._lost("sync", OSError(errno.EIO, "input/output error"), name)
        sync(self, name)

    FileDisk.free_bytes = free_bytes  # type: ignore[method-assign]
    FileDisk.sync = synced  # type: ignore[method-assign]


def main() -> int:
    """Run the child as it is, watched."""
    folder = Path(sys.argv[1])
    namespace, names = (sys.argv[2], sys.argv[3].split(",")) if len(sys.argv) > 3 else ("", [])
    wanted = child.role_of

    def role_of(config: ChildConfig) -> Callable[[ChildConfig, child.Pipe], None]:
        if config.twins is not None and config.twins.live is not None:
            watch(folder, config.process)
            spoil(folder)
        if config.process in names:
            enter(file_of(namespace))
        return wanted(config)

    child.role_of = role_of
    return child.main()


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # as the child itself
