"""The log of a process: one JSON object a line on standard error.

Every line has `time`, `level`, `process`, `tiers` (of the nodes here; none in a solver or the store) and `event`; from
the first epoch on `epoch`, that of the process or of the entry; a line about one node `node` and `tier`.
"""

from __future__ import annotations

import sys
import time
import traceback
import warnings
from typing import TYPE_CHECKING, Any

import msgspec

from tiertwin.runtime.roster import tiers_of

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def _line(level: str, event: str, fields: dict[str, Any]) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() // 1_000_000 % 1000:03d}Z"
    own = {"time": stamp, "level": level, **_here, "event": event}
    record = own | fields | own  # no field takes the place of what says whose line it is
    sys.stderr.write(msgspec.json.encode(record, enc_hook=str).decode() + "\n")
    sys.stderr.flush()
