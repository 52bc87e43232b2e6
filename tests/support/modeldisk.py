"""A model of a disk under the product's own `FileDisk`: what was synced survives a power cut, of the rest any part.

`ModelCalls` stands where the operating system's calls stand. Behind them a file is an inode with two contents, what
programs see and what is on the platter; names are two tables likewise. `power_cut` lets of the unsynced writes any
sectors survive, torn within one, and of the unsynced names any; `kill` keeps all, as the page cache does.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tiertwin.runtime.filedisk import Calls

SECTOR = 512
FOLDER = 1_000_000  # descriptors of folders are from here on


class Killed(BaseException):
    """The process ended in a call; nothing of it may run on."""


@dataclass
class Inode:
    """A file: its bytes as programs see them, as the platter has them, and the writes that are on the way."""

    seen: bytearray = field(default_factory=bytearray)
    platter: bytearray = field(default_factory=bytearray)
    dirty: list[tuple[int, bytes]] = field(default_factory=list)

    def sync(self) -> None:
        """What is dirty goes out; what a failed sync called clean does not (PostgreSQL, 2018)."""
        self.platter.extend(bytes(len(self.seen) - len(self.platter)))
        for offset, written in self.dirty:
            self.platter[offset : offset + len(written)] = written
        self.dirty.clear()

    def lose(self, random: Random) -> None:
        """Power is gone: the size may or may not have come through, and any sectors of what was written."""
        content = bytearray(self.platter)
        if len(self.seen) > len(content) and random.random() < 0.5:
            content.extend(bytes(len(self.seen) - len(content)))
        for offset, written in self.dirty:
            at = 0
            while at < len(written):
                run = min(len(written) - at, SECTOR - (offset + at) % SECTOR)
                if random.random() < 0.5:
                    torn = random.randrange(run) if random.random() < 0.2 else run
                    part = written[at : at + torn][: max(0, len(content) - offset - at)]
                    content[offset + at : offset + at + len(part)] = part
                at += run
        self.seen, self.platter = bytearray(content), content
        self.dirty.clear()


class ModelCalls(Calls):
    """The calls of :class:`~tiertwin.runtime.filedisk.Calls` over inodes; `room` bytes in all.

    `before` is asked before every call that changes something, with the call's name; it may raise.
    """

    def __init__(self, room: int = 1 << 40) -> None:
        self.room = room
        self.inodes: dict[int, Inode] = {}
        self.seen: dict[str, int] = {}
        self.durable: dict[str, int] = {}
        self.changes: list[tuple[str, str | None, int]] = []  # (name gone or "", name there, inode)
        self.open_files: dict[int, int] = {}
        self.fail_sync_once = False
        self.synced_data = 0
        self._next = 1

    def before(self, call: str) -> None:
        """Let a test count calls, or have one fail."""

    def die_in(self, calls: int) -> None:
        """Have the process end in the call after so many."""
        left = calls

        def before(_call: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                self.before = lambda _call: None  # type: ignore[method-assign]
                raise Killed

        self.before = before  # type: ignore[method-assign]

    # ------------------------------------------------------------------------------------------------------- the calls
    def make_folder(self, path: Path) -> None:
        del path

    def open_folder(self, path: Path) -> int:
        del path
        return FOLDER

    def create(self, path: Path) -> int:
        self.before("create")
        self._next += 1
        self.inodes[self._next] = Inode()
        self._change("", path.name, self._next)
        return self._descriptor(self._next)

    def open(self, path: Path) -> int:
        if path.name not in self.seen:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
        return self._descriptor(self.seen[path.name])

    def close(self, descriptor: int) -> None:
        self.open_files.pop(descriptor, None)

    def allocate(self, descriptor: int, size: int) -> None:
        self.before("allocate")
        inode = self._inode(descriptor)
        grown = max(0, size - len(inode.seen))
        if grown > self.free_bytes(0):
            raise OSError(errno.ENOSPC, "no space left on device")
        inode.seen.extend(bytes(grown))

    def write(self, descriptor: int, content: memoryview, offset: int) -> int:
        self.before("write")
        inode = self._inode(descriptor)
        inode.seen[offset : offset + len(content)] = content
        inode.dirty.append((offset, bytes(content)))
        return len(content)

    def sync_data(self, descriptor: int) -> None:
        self.before("sync_data")
        inode = self._inode(descriptor)
        if self.fail_sync_once:
            self.fail_sync_once = False
            inode.dirty.clear()  # the pages are clean now, and their writes are lost
            raise OSError(errno.EIO, "input/output error")
        inode.sync()
        self.synced_data += 1

    def sync(self, descriptor: int) -> None:
        self.before("sync")
        if descriptor == FOLDER:
            self.durable = dict(self.seen)
            self.changes.clear()
        else:
            self._inode(descriptor).sync()

    def rename(self, path: Path, new: Path) -> None:
        self.before("rename")
        self._change(path.name, new.name, self.seen[path.name])

    def remove(self, path: Path) -> None:
        self.before("remove")
        if path.name not in self.seen:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
        self._change(path.name, None, 0)

    def names(self, path: Path) -> list[str]:
        del path
        return list(self.seen)

    def read(self, path: Path) -> bytes:
        return bytes(self.inodes[self.seen[path.name]].seen)

    def free_bytes(self, descriptor: int) -> int:
        del descriptor
        return self.room - sum(len(self.inodes[inode].seen) for inode in set(self.seen.values()))

    # ---------------------------------------------------------------------------------------------------------- faults
    def kill(self) -> None:
        """The process is gone, the page cache stays."""
        self.open_files.clear()

    def power_cut(self, random: Random) -> None:
        """Only what was synced is sure; of names that were changed since, any change may be there."""
        self.kill()
        for inode in self.inodes.values():
            inode.lose(random)
        for gone, there, inode_id in self.changes:
            if random.random() < 0.5:
                self.durable.pop(gone, None)
                if there is not None:
                    self.durable[there] = inode_id
        self.changes.clear()
        self.seen = dict(self.durable)
        self.inodes = {inode: self.inodes[inode] for inode in set(self.seen.values())}

    def flip(self, random: Random) -> str | None:
        """Turn one bit of a file over, on the platter; returns its name."""
        names = [name for name in sorted(self.seen) if self.inodes[self.seen[name]].seen]
        if not names:
            return None
        name = random.choice(names)
        inode = self.inodes[self.seen[name]]
        used = len(inode.seen.rstrip(b"\0")) or 1
        at = random.randrange(used)
        inode.seen[at] ^= 1 << random.randrange(8)
        inode.platter[at : at + 1] = inode.seen[at : at + 1]
        return name

    def _descriptor(self, inode: int) -> int:
        self._next += 1
        self.open_files[self._next] = inode
        return self._next

    def _inode(self, descriptor: int) -> Inode:
        return self.inodes[self.open_files[descriptor]]

    def _change(self, gone: str, there: str | None, inode: int) -> None:
        self.seen.pop(gone, None)
        if there is not None:
            self.seen[there] = inode
        self.changes.append((gone, there, inode))
