"""The run directory: its files, its status, and the errors of writing it.

::

    scenario.json    the resolved scenario, world included
    run.json         format, seed, policies, settings: with the scenario, all that a replay needs
    versions.json    program, interpreter, packages and machine (never part of the log hash)
    events.jsonl     one event a line (tiertwin.store.log)
    history.duckdb   KPIs, beliefs, decisions, links (tiertwin.store.history)
    result.json      the object `tiertwin run --json` prints; only a complete run has it
    status.json      running, complete or interrupted, and why

``status.json`` has a fixed size and is overwritten in place: a full disk can still be told. A writer holds a lock on
it, which the kernel drops however the writer ends; so *running* without a lock reads as *interrupted*.
"""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tiertwin.errors import OutputError

SCENARIO, RUN, VERSIONS, EVENTS = "scenario.json", "run.json", "versions.json", "events.jsonl"
HISTORY, RESULT, STATUS = "history.duckdb", "result.json", "status.json"
FORMAT = 1  # of the whole directory; raised when an older reader would misread it
_STATUS_BYTES = 1024
_PACKAGES = ("numpy", "networkx", "cvxpy", "clarabel", "highspy", "pyzmq", "msgspec", "pydantic", "duckdb", "topohub")

_ADVICE = {
    errno.ENOSPC: "the disk is full. Free some space or write elsewhere with --out",
    errno.EDQUOT: "your disk quota is used up. Free some space or write elsewhere with --out",
    errno.EROFS: "the file system is read-only. Write elsewhere with --out",
    errno.EACCES: "permission denied. Write elsewhere with --out, or ask its owner for write permission",
    errno.EPERM: "not permitted. Write elsewhere with --out, or ask its owner for write permission",
    errno.ENOTDIR: "a part of that path is a file, not a folder. Choose another folder with --out",
    errno.EEXIST: "it is there already. Choose a new folder with --out",
    errno.ENAMETOOLONG: "that path is too long. Choose a shorter one with --out",
    errno.EFBIG: "the file would exceed the size limit of this process (ulimit -f). Raise it or write less",
}


def output_error(what: str, path: Path, error: OSError) -> OutputError:
    """Return the OutputError that says what could not be written, where, why and what to do."""
    advice = _ADVICE.get(error.errno or 0, error.strerror or str(error))
    made = OutputError(f"Could not write {what} to {path}: {advice}.")
    made.errno = error.errno
    return made


@contextlib.contextmanager
def writing(what: str, path: Path) -> Iterator[None]:
    """Turn an OSError inside the block into an OutputError about `what` at `path`."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        raise output_error(what, path, error) from error


def write_json(path: Path, value: Any, what: str) -> None:
    """Write `value` as indented JSON, whole or not at all: a reader never sees half a file."""
    text = json.dumps(finite(value), indent=1, ensure_ascii=False, allow_nan=False)
    temporary = path.with_name(path.name + ".part")
    with writing(what, path):
        try:
            with temporary.open("w", encoding="utf-8") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def finite(value: Any) -> Any:
    """Return `value` as plain JSON: numpy as Python values, NaN and infinity as null (JSON has no word for them)."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"expected JSON values or numpy arrays, got {type(value).__name__}: {value!r}")


def make_folder(folder: Path) -> None:
    """Create the folder of a run; an empty one may be there.

    Raises
    ------
    OutputError
        It cannot be made, is a file, or holds something.
    """
    with writing("a run", folder):
        folder.mkdir(parents=True, exist_ok=True)
        held = sorted(os.listdir(folder))
    if held:
        kind = "holds a run already" if RUN in held else f"is not empty ({', '.join(held[:3])}…)"
        raise OutputError(f"Could not write a run to {folder}: it {kind}. Choose a new folder with --out.")


def new_run_folder(name: str, seed: int, base: str | Path = "runs") -> Path:
    """Create and return the first free folder ``<base>/<name>-s<seed>-001``, ``-002``, ….

    Raises
    ------
    OutputError
        `base` cannot be written.
    """
    base = Path(base)
    with writing("a run", base):
        base.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            folder = base / f"{name}-s{seed}-{number:03d}"
            try:
                folder.mkdir()
            except FileExistsError:
                number += 1
            else:
                return folder


def versions() -> dict[str, str]:
    """Return what a run depends on besides scenario and seed: program, interpreter, packages, machine."""
    from importlib import metadata  # noqa: PLC0415  takes 30 ms, a run pays it once

    from tiertwin import __version__  # noqa: PLC0415  no import cycle at load time

    found = {"tiertwin": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return {**found, "system": f"{sys.platform} {platform.machine()}", "cpu": _cpu_model()}


def _cpu_model() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith(("model name", "Model")):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


class StatusFile:
    """The writer's side of ``status.json``: fixed size, overwritten in place, locked while the writer lives."""

    def __init__(self, path: Path) -> None:
        with writing("the status of the run", path):
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            _lock(self._descriptor)
        self._path = path
        self.write("running")

    def write(self, state: str, reason: str = "") -> None:
        """Set the state; needs no free space after the first time."""
        while True:
            text = json.dumps({"format": FORMAT, "state": state, "reason": reason}, ensure_ascii=True)
            if len(text) < _STATUS_BYTES:
                break
            reason = reason[: len(reason) * 3 // 4]
        with writing("the status of the run", self._path):
            os.pwrite(self._descriptor, text.ljust(_STATUS_BYTES - 1).encode() + b"\n", 0)

    def close(self) -> None:
        """Release the lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def read_status(path: Path) -> tuple[str, str]:
    """Return (state, reason); a run whose writer is gone without a word is ``interrupted``."""
    try:
        with path.open("rb") as file:
            held: Mapping[str, Any] = json.loads(file.read())
            state, reason = str(held["state"]), str(held.get("reason", ""))
            if state == "running" and not _is_locked(file.fileno()):
                return "interrupted", "the program ended without closing the run (killed, or the machine went down)"
    except (OSError, ValueError, KeyError, TypeError):
        return "interrupted", f"{STATUS} is missing or not readable"
    return state, reason


def _lock(descriptor: int) -> None:
    import fcntl  # noqa: PLC0415  POSIX only, like the program

    with contextlib.suppress(OSError):  # a file system without locks: the run reads as interrupted until it is complete
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_locked(descriptor: int) -> bool:
    import fcntl  # noqa: PLC0415

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
