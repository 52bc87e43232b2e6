"""What a log has done on its disk: files by name, groups to write and sync, snapshots to put there, files to remove.

Plain values that may go to another thread; :func:`carry_out` does them there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tiertwin import _core
from tiertwin.runtime.disk import Disk, DiskFullError

SEGMENT: Final = ".log"
SNAPSHOT: Final = ".snapshot"
QUARANTINE: Final = ".quarantine"
REFUSED: Final = "refused"  # while it is there, nothing beside it is believed


def segment_name(sequence: int) -> str:
    """Return the name of a segment."""
    return f"{sequence:012d}{SEGMENT}"


def snapshot_name(position: int) -> str:
    """Return the name of a snapshot."""
    return f"{position:018d}{SNAPSHOT}"


@dataclass(frozen=True)
class Commit:
    """A group to be written and synced."""

    group: _core.LogGroup
    floor_bytes: int


@dataclass(frozen=True)
class KeepSnapshot:
    """A snapshot to be put on disk; afterwards these files are not needed any more."""

    name: str
    content: bytes
    floor_bytes: int


@dataclass(frozen=True)
class Drop:
    """Files that are not needed any more, in the order in which they have to go."""

    names: tuple[str, ...]


Work = Commit | KeepSnapshot | Drop


def carry_out(disk: Disk, work: Work) -> None:
    """Do on the disk what is to be done; the same again after a :class:`DiskFullError` does no harm.

    Raises
    ------
    DiskFullError
        Less than the floor is left, or the disk says that it is full or read-only.
    DiskLostError
        Anything else: end the process.
    """
    if isinstance(work, Drop):
        for name in work.names:
            disk.remove(name)
        return
    need = len(work.group) if isinstance(work, Commit) else len(work.content)
    free = disk.free_bytes()
    if free < work.floor_bytes + need:
        raise DiskFullError(
            f"log: {free} bytes are left on the disk, less than the floor of {work.floor_bytes} and the {need} to be "
            "written. Nothing is acknowledged as durable until there is room."
        )
    if isinstance(work, KeepSnapshot):
        disk.create(work.name, work.content, len(work.content))
    else:
        _write(disk, work.group)


def _write(disk: Disk, group: _core.LogGroup) -> None:
    content = group.view()
    for sequence, offset, begin, size, segment_bytes in group.pieces:
        part = content[begin : begin + size]
        if segment_bytes:
            disk.create(segment_name(sequence), part, segment_bytes)
        else:
            disk.write(segment_name(sequence), offset, part)
            disk.sync(segment_name(sequence))
