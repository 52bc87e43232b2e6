"""A folder of this host as the log's disk, and the twelve system calls it is made of.

The calls are an argument, so that tests can have the Nth of them fail, end the process in it, or run the very same code
over a model of a disk that loses what was not synced.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final, NoReturn

from tiertwin.runtime.disk import DiskFullError, DiskLostError

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
TEMPORARY: Final = ".tmp"


class Calls:
    """The operating system's, each as it is: OSError where it fails, nothing repeated, nothing hidden."""

    def make_folder(self, path: Path) -> None:
        """Make a folder and those above it, unless they are there; the owner's alone."""
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def open_folder(self, path: Path) -> int:
        """Open a folder to sync it."""
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def create(self, path: Path) -> int:
        """Open a new, empty file; one of that name is emptied."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)

    def open(self, path: Path) -> int:
        """Open a file that is there."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def close(self, descriptor: int) -> None:
        """Close; says nothing about what was written."""
        os.close(descriptor)

    def allocate(self, descriptor: int, size: int) -> None:
        """Reserve room for `size` bytes; those that were not there are zeros."""
        os.posix_fallocate(descriptor, 0, size)

    def write(self, descriptor: int, content: memoryview, offset: int) -> int:
        """Write some of the bytes; returns how many."""
        return os.pwrite(descriptor, content, offset)

    def sync_data(self, descriptor: int) -> None:
        """Return when the bytes are on the disk."""
        os.fdatasync(descriptor)

    def sync(self, descriptor: int) -> None:
        """Return when bytes and size, or the names in a folder, are on the disk."""
        os.fsync(descriptor)

    def rename(self, path: Path, new: Path) -> None:
        """Give a file another name; one that has it is replaced."""
        path.rename(new)

    def remove(self, path: Path) -> None:
        """Take a name away."""
        path.unlink()

    def names(self, path: Path) -> list[str]:
        """Return the names of the files in a folder."""
        return [entry.name for entry in os.scandir(path) if entry.is_file(follow_symlinks=False)]

    def read(self, path: Path) -> bytes:
        """Return a file's bytes."""
        return path.read_bytes()

    def free_bytes(self, descriptor: int) -> int:
        """Return how much room the file system has for us."""
        look = os.fstatvfs(descriptor)
        return look.f_bavail * look.f_frsize


class FileDisk:
    """See :class:`~tiertwin.runtime.disk.Disk`.

    Parameters
    ----------
    folder
        Made if it is not there, readable by its owner only. Temporary files in it are removed.
    calls
        The system's.

    Raises
    ------
    DiskFullError, DiskLostError
        It cannot be made.
    """

    def __init__(self, folder: Path, calls: Calls | None = None) -> None:
        self._folder = folder
        self._calls = calls or Calls()
        self._files: dict[str, int] = {}
        self._directory = -1
        try:
            self._calls.make_folder(folder)
            self._directory = self._calls.open_folder(folder)
            for name in self._calls.names(folder):
                if name.endswith(TEMPORARY):
                    self._calls.remove(folder / name)
        except OSError as error:
            self._fail("open", error, str(folder))
        self._sync_names()

    def names(self) -> list[str]:
        """See :class:`~tiertwin.runtime.disk.Disk`."""
        try:
            return sorted(self._calls.names(self._folder))
        except OSError as error:
            self._fail("list", error, str(self._folder))

    def read(self, name: str) -> bytes:
        """See :class:`~tiertwin.runtime.disk.Disk`."""
        try:
            return self._calls.read(self._folder / name)
        except OSError as error:
            self._fail("read", error, name)

    def create(self, name: str, content: memoryview | bytes, size: int) -> None:
        """See :class:`~tiertwin.runtime.disk.Disk`."""
        self._forget(name)
        temporary = self._folder / f"{name}{TEMPORARY}"
        try:
            self._files[name] = descriptor = self._calls.create(temporary)
            self._calls.allocate(descriptor, size)
            self._write_all(descriptor, content, 0)
        except OSError as error:
            self._give_up(name, temporary)
            self._fail("create", error, name)
        try:
            self._calls.sync(descriptor)
        except OSError as error:
            self._lost("sync", error, name)
        try:
            self._calls.rename(temporary, self._folder / name)
        except OSError as error:
            self._give_up(name, temporary)
            self._fail("rename", error, name)
        self._sync_names()

    def write(self, name: str, offset: int, content: memoryview | bytes) -> None:
        """See :class:`~tiertwin.runtime.disk.Disk`."""
        try:
            self._write_all(self._descriptor(name), content, offset)
        except OSError as error:
            self._fail("write", error, name)

    def sync(self, name: str) -> None:
        """See :class:`~tiertwin.runtime.disk.Disk`."""
        try:
            self._calls.sync_data(self._descriptor(name))
        except OSError as error:
            self._lost("sync", error, name)

    def rename(self, name: str, new: str) -> None:
        """See :class:`~tiertwin.runtime.disk.Disk`."""
        self._forget(name)
        try:
            self._calls.rename(self._folder / name, self._folder / new)
        except OSError as error:
            self._fail("rename", error, name)
        self._sync_names()

    def remove(self, name: str) -> None:
        """See :class:`~tiertwin.runtime.disk.Disk`; a name that is gone is no error."""
        self._forget(name)
        try:
            self._calls.remove(self._folder / name)
        except FileNotFoundError:
            return
        except OSError as error:
            self._fail("remove", error, name)
        self._sync_names()

    def free_bytes(self) -> int:
        """See :class:`~tiertwin.runtime.disk.Disk`."""
        try:
            return self._calls.free_bytes(self._directory)
        except OSError as error:
            self._fail("look at", error, str(self._folder))

    def close(self) -> None:
        """See :class:`~tiertwin.runtime.disk.Disk`."""
        for name in list(self._files):
            self._forget(name)
        if self._directory >= 0:
            self._calls.close(self._directory)
            self._directory = -1

    def _descriptor(self, name: str) -> int:
        if name not in self._files:
            self._files[name] = self._calls.open(self._folder / name)
        return self._files[name]

    def _forget(self, name: str) -> None:
        descriptor = self._files.pop(name, None)
        if descriptor is not None:
            self._calls.close(descriptor)

    def _give_up(self, name: str, temporary: Path) -> None:
        """Leave nothing behind of a file that could not be made; what stays is removed at the next start."""
        self._forget(name)
        try:
            self._calls.remove(temporary)
        except OSError:
            return

    def _write_all(self, descriptor: int, content: memoryview | bytes, offset: int) -> None:
        """Write every byte, however few a call takes."""
        rest = memoryview(content)
        while rest:
            done = self._calls.write(descriptor, rest, offset)
            if done == 0:
                raise OSError(errno.EIO, "nothing was written")
            rest, offset = rest[done:], offset + done

    def _sync_names(self) -> None:
        try:
            self._calls.sync(self._directory)
        except OSError as error:
            self._lost("sync", error, str(self._folder))

    def _fail(self, verb: str, error: OSError, name: str) -> NoReturn:
        if error.errno not in FULL:
            self._lost(verb, error, name)
        raise DiskFullError(
            f"log in {self._folder}: cannot {verb} {name}: {error.strerror}. Nothing is acknowledged as durable until "
            "there is room."
        ) from error

    def _lost(self, verb: str, error: OSError, name: str) -> NoReturn:
        raise DiskLostError(
            f"log in {self._folder}: cannot {verb} {name}: {error.strerror}. What the disk holds is unknown; the "
            "process ends and recovers from its log."
        ) from error
