"""The audit log of a process: who was let in, who was refused and why, whose keys and rights changed.

One JSON object a line, appended, mode 0600. Each line has `chain`: SHA-256 of the chain before it and the line without
it, so that a line that was changed, taken out or put in shows (`verify`); the last lines may be cut off unseen, unless
their chain was noted elsewhere, as the process's own log does at its end. At `FILE_BYTES` the file becomes `.1`, `.2`,
…; `FILES` are kept. What is refused in a flood is counted and not written line by line (`Admission.entries`).
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tiertwin.errors import InputError
from tiertwin.wire.admission import Admission, Entry

FILE_BYTES, FILES = 4 << 20, 4
LOOK_NS = 1_000_000_000
START = "0" * 64  # chain before the first line


class Audit:
    """Appends to the audit log of a process.

    Parameters
    ----------
    path
        The file; it is gone on with when it is there, less a line that broke off.
    process
        Name of the process, in every line.
    """

    def __init__(self, path: Path, process: str) -> None:
        self._path, self._process = path, process
        self._next, self._unkept = 0, 0
        self._size, self.chain = _taken_up(path)

    def look(self, admission: Admission, now_ns: int, now_s: float) -> None:
        """Write what happened at the door since the last look, once a second."""
        if now_ns < self._next:
            return
        self._next = now_ns + LOOK_NS
        entries = admission.take_entries()
        if admission.unkept > self._unkept:
            entries.append(Entry("unkept", "", reason=f"{admission.unkept - self._unkept} more"))
            self._unkept = admission.unkept
        self.write([_fields(entry) for entry in entries], now_s)

    def write(self, lines: list[dict[str, Any]], now_s: float) -> None:
        """Append lines, each with `event` and what it is about."""
        if not lines:
            return
        if self._size > FILE_BYTES:
            self._turn_over()
        stamp = datetime.fromtimestamp(now_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        text = b"".join(self._line({"time": stamp, "process": self._process, **line}) for line in lines)
        descriptor = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, text)
        finally:
            os.close(descriptor)
        self._size += len(text)

    def _line(self, fields: dict[str, Any]) -> bytes:
        plain = msgspec.json.encode(fields)
        self.chain = link(self.chain, plain)
        return plain[:-1] + f',"chain":"{self.chain}"}}\n'.encode()

    def _turn_over(self) -> None:
        for number in range(FILES - 1, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path if number == 1 else self._path.with_name(f"{self._path.name}.{number - 1}")
            if newer.exists():
                newer.replace(older)
        self._size = 0


def link(chain: str, plain: bytes) -> str:
    """Return the chain after a line, from that before it and the line without its chain."""
    return hashlib.sha256(chain.encode() + plain).hexdigest()


def verify(path: Path, chain: str = "") -> tuple[int, str]:
    """Return how many lines a file has, and the chain after the last.

    Parameters
    ----------
    chain
        Before the first line: that after the last of the file before it. Without it the first line is believed.

    Raises
    ------
    InputError
        A line is not what was written; says which.
    """
    count = 0
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"no audit log to read: {error.strerror}", str(path)) from None
    for count, line in enumerate(lines, 1):
        plain, found = _split(line)
        if found is None or (chain and link(chain, plain) != found):
            raise InputError(f"line {count} is not what was written there, or a line before it is missing", str(path))
        chain = found
    return count, chain


def _split(line: bytes) -> tuple[bytes, str | None]:
    """Return a line without its chain, and that."""
    head, mark, tail = line.rpartition(b',"chain":"')
    if not mark or len(tail) != 66 or not tail.endswith(b'"}'):
        return line, None
    return head + b"}", tail[:64].decode("ascii", "replace")


def _taken_up(path: Path) -> tuple[int, str]:
    """Cut off a line that broke off with an earlier life; return the size of the file and the chain after its last."""
    try:
        content = path.read_bytes()
    except OSError:
        return 0, START
    size = content.rfind(b"\n") + 1
    if size < len(content):
        os.truncate(path, size)
    last = content[:size].rstrip(b"\n").rpartition(b"\n")[2]
    return size, _split(last)[1] or START


def _fields(entry: Entry) -> dict[str, Any]:
    found = {"event": entry.what, "who": entry.who, "address": entry.address, "reason": entry.reason}
    return {key: value for key, value in found.items() if value}
