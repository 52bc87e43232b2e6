"""Traces of positions that lead users: files named in a scenario, found beside it when it is loaded.

They may be of any size, so they are not read here and not kept in a run directory: a run and its replay need the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tiertwin.model.checks import Problem


def with_positions(data: Any, folder: Path) -> tuple[Any, list[Problem]]:
    """Return a scenario's plain mapping with whole paths of its position traces, and which of them are no files.

    `folder` is where relative paths begin. Parts of the wrong shape are left to the checks of the model.
    """
    access = data.get("access") if isinstance(data, Mapping) else None
    problems: list[Problem] = []
    if not isinstance(access, Mapping) or not isinstance(crowds := access.get("crowds"), list | tuple):
        return data, problems
    rows = list(crowds)
    for i, row in enumerate(rows):
        trace = row.get("trace") if isinstance(row, Mapping) else None
        name = trace.get("file") if isinstance(trace, Mapping) else None
        if not isinstance(trace, Mapping) or not isinstance(name, str) or not name:
            continue
        path = (folder / name).absolute()
        if not path.is_file():
            problems.append((("access", "crowds", i, "trace", "file"), f"expected a file, got {str(path)!r}"))
        rows[i] = {**row, "trace": {**trace, "file": str(path)}}
    return {**data, "access": {**access, "crowds": rows}}, problems
