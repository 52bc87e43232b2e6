"""The event log of a run: canonical JSON, one event a line, folded into one BLAKE2b-256 hash; and its replay check.

The hash is the run's fingerprint. Same seed, scenario, wheel and CPU model ⇒ the same bytes. So a line holds no wall
time, process number, port, path or version: what may differ between two identical runs stays out (law 8).

A canonical line is JSON with sorted keys, no spaces, UTF-8, floats by ``repr`` (shortest text that reads back to the
same bits) and one ``\\n`` at its end. NaN and infinity are refused: JSON has no word for them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tiertwin.store.folder import writing

if TYPE_CHECKING:
    from tiertwin.store.stored import StoredRun

HASH_BYTES = 32
_FLUSH_BYTES = 1 << 20  # an epoch of a large run is flushed in pieces of this size


def _plain(value: Any) -> Any:
    """Numpy scalars and arrays as Python values; anything else is a mistake of the caller."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"expected JSON values or numpy arrays in an event, got {type(value).__name__}: {value!r}")


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False, default=_plain, check_circular=False
)


def canonical(event: Mapping[str, Any]) -> bytes:
    """Return the canonical line of `event`, newline included.

    Raises
    ------
    ValueError
        A number is NaN or infinite.
    TypeError
        A value is not JSON.
    """
    try:
        return _ENCODER.encode(event).encode() + b"\n"
    except ValueError as error:
        raise ValueError(f"an event holds finite numbers only: {error}, in {dict(event)!r:.300}") from None


def new_hash() -> hashlib.blake2b:
    """Return the running hash of an event log, with nothing folded in."""
    return hashlib.blake2b(digest_size=HASH_BYTES)


class EventLog:
    """Writes canonical lines to a file and folds them into the log hash.

    Lines reach the operating system at :meth:`flush`, once an epoch: a killed process loses at most the epoch it was
    in, and never leaves a line that reads as something else.

    Parameters
    ----------
    path
        File to create; None hashes only.

    Raises
    ------
    OutputError
        The file cannot be written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._hash = new_hash()
        self._pending = bytearray()
        self._descriptor = -1
        self.count = 0
        if path is not None:
            with writing("the event log", path):
                self._descriptor = os.open(
                    path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o644
                )

    @property
    def log_hash(self) -> str:
        """Hash over all lines written so far, hex."""
        return self._hash.hexdigest()

    def write(self, event: Mapping[str, Any]) -> None:
        """Append one event."""
        line = canonical(event)
        self._hash.update(line)
        self.count += 1
        if self._path is not None:
            self._pending += line
            if len(self._pending) > _FLUSH_BYTES:
                self.flush()

    def flush(self) -> None:
        """Hand all lines to the operating system."""
        if self._path is None or not self._pending:
            return
        with writing("the event log", self._path):
            while self._pending:
                written = os.write(self._descriptor, self._pending)
                del self._pending[:written]

    def close(self) -> None:
        """Flush and close; may be called twice."""
        try:
            self.flush()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close without writing what is pending (the disk is full)."""
        self._pending.clear()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield the complete lines of a log, newline included; a torn last line is left out."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line


@dataclass(frozen=True, slots=True)
class Difference:
    """The first event in which two logs differ.

    Parameters
    ----------
    number
        Its position, from 0.
    recorded, replayed
        The two events; None where one log had ended.
    path
        Path of the first key whose value differs, such as ``load[3]``; empty if one log had ended.
    """

    number: int
    recorded: dict[str, Any] | None
    replayed: dict[str, Any] | None
    path: str


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay found: the same log, or the first event that differs."""

    identical: bool
    log_hash: str
    recorded_hash: str
    events: int
    recorded_events: int
    difference: Difference | None = None


class ReplayCheck:
    """Takes the events of a replay, as an :class:`EventLog` does, and compares them with a stored run on the way.

    An interrupted run is compared up to its last complete line: what the replay adds after it is no difference.
    """

    def __init__(self, run: StoredRun) -> None:
        self._open_ended = run.status != "complete"
        self._recorded = run.lines()
        self._ended = False
        self._recorded_hash = new_hash()
        self._hash = new_hash()
        self._difference: Difference | None = None
        self._recorded_events = 0
        self.count = 0

    @property
    def log_hash(self) -> str:
        """Hash over the events taken so far, hex."""
        return self._hash.hexdigest()

    @property
    def differs(self) -> bool:
        """True once an event differed: the rest of the replay can be spared."""
        return self._difference is not None

    def write(self, event: Mapping[str, Any]) -> None:
        """Compare one event with the recorded one."""
        line = canonical(event)
        recorded = self._next()
        if recorded is None and self._open_ended:
            return
        self._hash.update(line)
        if self._difference is None and line != recorded:
            self._difference = _difference(self.count, recorded, line)
        self.count += 1

    def report(self) -> ReplayReport:
        """Return the outcome, after the last event of the replay."""
        replayed = self.count
        rest = self._next()
        if rest is not None and self._difference is None:
            self._difference = _difference(replayed, rest, None)
        while rest is not None:
            rest = self._next()
        return ReplayReport(
            identical=self._difference is None,
            log_hash=self.log_hash,
            recorded_hash=self._recorded_hash.hexdigest(),
            events=replayed,
            recorded_events=self._recorded_events,
            difference=self._difference,
        )

    def _next(self) -> bytes | None:
        line = next(self._recorded, None)
        if line is not None:
            self._recorded_hash.update(line)
            self._recorded_events += 1
        return line


def _difference(number: int, recorded: bytes | None, replayed: bytes | None) -> Difference:
    one = None if recorded is None else json.loads(recorded)
    two = None if replayed is None else json.loads(replayed)
    path = "" if one is None or two is None else _first_path(one, two)
    return Difference(number, one, two, path)


def _first_path(one: Any, two: Any, path: str = "") -> str:
    """Path of the first value in which two JSON values differ."""
    if isinstance(one, dict) and isinstance(two, dict):
        for key in sorted(one.keys() | two.keys()):
            here = f"{path}.{key}" if path else key
            if key not in one or key not in two:
                return here
            if one[key] != two[key]:
                return _first_path(one[key], two[key], here)
    elif isinstance(one, list) and isinstance(two, list):
        for index, (left, right) in enumerate(zip_longest(one, two)):
            if left != right:
                return _first_path(left, right, f"{path}[{index}]")
    return path
