"""The disk behind the log: one small interface, and its faults sorted into two kinds.

What the log asks of a disk, and in which order it asks, is the whole of its durability:

======================  ==============================================================================================
:meth:`Disk.create`     a file appears whole, with its final size, or not at all: temporary name, room for it, content,
                        ``fsync``, rename, ``fsync`` of the folder
:meth:`Disk.write`      bytes into a file that exists; on the disk only after :meth:`Disk.sync`
:meth:`Disk.sync`       ``fdatasync``, once a group; what it reports is final (R47)
:meth:`Disk.rename`,    one name, then ``fsync`` of the folder: names change in the order in which they were changed
:meth:`Disk.remove`
======================  ==============================================================================================

A disk without room (:class:`DiskFullError`) may be asked again: nothing was acknowledged. After any other fault
(:class:`DiskLostError`) nobody knows what is on the disk; the process has to end and begin with recovery, because a
second ``fsync`` may succeed although the pages of the first one are gone. The files of a folder are
:class:`~tiertwin.runtime.filedisk.FileDisk`.
"""

from __future__ import annotations

from typing import Protocol

from tiertwin.errors import OutputError


class DiskFullError(OutputError):
    """No room, or read-only for now: nothing was acknowledged, and the same may be tried again."""


class DiskLostError(OutputError):
    """What is on the disk is not known any more: the process has to end, and recovery to look (R47)."""


class Disk(Protocol):
    """One folder of files of one node. One thread at a time uses it; every call may raise the two errors above."""

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        ...

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        ...

    def create(self, name: str, content: memoryview | bytes, size: int) -> None:
        """Make a file of `size` bytes that begins with `content`, zeros behind it; synced, and so is its name.

        A file of that name is replaced. Interrupted at any point it leaves the new one, the old one or none.
        """
        ...

    def write(self, name: str, offset: int, content: memoryview | bytes) -> None:
        """Put bytes into a file; durable with the next :meth:`sync` of it."""
        ...

    def sync(self, name: str) -> None:
        """Return when all that was written to the file is durable. Any fault is :class:`DiskLostError`."""
        ...

    def rename(self, name: str, new: str) -> None:
        """Give a file another name, durably."""
        ...

    def remove(self, name: str) -> None:
        """Take a file away, durably."""
        ...

    def free_bytes(self) -> int:
        """Return how many bytes are left for us."""
        ...

    def close(self) -> None:
        """Release what is open; nothing is written."""
        ...
