"""The log of a process: one JSON object a line on standard error, with process, and node and epoch where they apply."""

from __future__ import annotations

import sys
import time
import traceback
from typing import Any

import msgspec

_process = ""


def start(process: str) -> None:
    """Name the process in every line from now on."""
    global _process  # noqa: PLW0603  one process, one log
    _process = process


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


def _line(level: str, event: str, fields: dict[str, Any]) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() // 1_000_000 % 1000:03d}Z"
    own = {"time": stamp, "level": level, "process": _process, "event": event}
    record = own | fields | own  # no field takes the place of what says whose line it is
    sys.stderr.write(msgspec.json.encode(record, enc_hook=str).decode() + "\n")
    sys.stderr.flush()
