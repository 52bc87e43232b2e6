"""The log of a process: one JSON object a line on standard error.

Every line has `time`, `level`, `process`, `tiers` (of the nodes here; none in a solver or the store) and `event`; from
the first epoch on `epoch`, that of the process or of the entry; a line about one node `node` and `tier`.
"""

from __future__ import annotations

import sys
import time
import traceback
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from tiertwin.runtime.roster import tiers_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_here: dict[str, Any] = {"process": "", "tiers": []}  # in every line: one process, one log


def start(process: str, nodes: Sequence[str] = ()) -> None:
    """Name the process and the tiers of its nodes in every line from now on; warnings of Python become lines, too."""
    _here.clear()
    _here.update(process=process, tiers=tiers_of(nodes))
    warnings.showwarning = _warned


def began(epoch: int) -> None:
    """Name the epoch in every line from now on."""
    _here["epoch"] = epoch


def _warned(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any) -> None:
    _line("warning", "python warning", {"reason": f"{category.__name__}: {message}", "where": f"{filename}:{lineno}"})


def info(event: str, /, **fields: Any) -> None:
    """Log something worth knowing."""
    _line("info", event, fields)


def warning(event: str, /, **fields: Any) -> None:
    """Log something that should not happen often."""
    _line("warning", event, fields)


def error(event: str, /, **fields: Any) -> None:
    """Log why something could not be done."""
    _line("error", event, fields)


def broke(failure: BaseException) -> None:
    """Log an exception nobody expected, with its trace in one field."""
    _line("error", "broke", {"reason": repr(failure), "trace": traceback.format_exception(failure)})


class LogFile:
    """The log of somebody whose standard error is a person's: same lines, in a file that is there once there is one.

    Parameters
    ----------
    path
        Where it is.
    process
        Whose it is.
    """

    def __init__(self, path: Path, process: str) -> None:
        self._path = path
        self._here = {"process": process, "tiers": []}

    def write(self, level: str, event: str, **fields: Any) -> None:
        """Log something; on a disk that takes nothing it is lost."""
        with suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(_text(level, self._here, event, fields))


def _line(level: str, event: str, fields: dict[str, Any]) -> None:
    sys.stderr.write(_text(level, _here, event, fields))
    sys.stderr.flush()


def _text(level: str, here: dict[str, Any], event: str, fields: dict[str, Any]) -> str:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() // 1_000_000 % 1000:03d}Z"
    own = {"time": stamp, "level": level, **here, "event": event}
    record = own | fields | own  # no field takes the place of what says whose line it is
    return msgspec.json.encode(record, enc_hook=str).decode() + "\n"
