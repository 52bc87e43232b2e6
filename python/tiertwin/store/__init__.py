"""The data repository: run directories, event log, history in DuckDB, as-of queries, replay checks.

The only package that imports duckdb, and only when a run is written or its history is read. Names resolve on first use,
so ``import tiertwin.store`` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tiertwin.lazy import resolver

if TYPE_CHECKING:
    from tiertwin.store.folder import new_run_folder
    from tiertwin.store.log import Difference, EventLog, ReplayCheck, ReplayReport, canonical
    from tiertwin.store.stored import StoredRun, open_run
    from tiertwin.store.table import Table
    from tiertwin.store.writer import RunWriter

_HOME = {
    "Difference": "log",
    "EventLog": "log",
    "ReplayCheck": "log",
    "ReplayReport": "log",
    "RunWriter": "writer",
    "StoredRun": "stored",
    "Table": "table",
    "canonical": "log",
    "new_run_folder": "folder",
    "open_run": "stored",
}
__all__ = [
    "Difference",
    "EventLog",
    "ReplayCheck",
    "ReplayReport",
    "RunWriter",
    "StoredRun",
    "Table",
    "canonical",
    "new_run_folder",
    "open_run",
]

if not TYPE_CHECKING:  # a type checker takes the names above, and no others
    __getattr__ = resolver(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted(__all__)
