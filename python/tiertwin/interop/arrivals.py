"""Traces of arrivals: the times in a file, read once when a scenario is loaded.

A CSV file with a column ``time_s``, or one time a line; blank lines and lines that begin with ``#`` are skipped. Times
are seconds from the start of the run, ≥ 0, ascending.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tiertwin.errors import InputError
from tiertwin.model.checks import Problem
from tiertwin.model.services import MAX_TRACE_TIMES

MAX_BYTES = 8 * 2**20
COLUMN = "time_s"
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_PLACEHOLDER = {"times_s": [0.0], "repeat_s": 1.0}


def with_traces(data: Any, folder: Path) -> tuple[Any, list[Problem]]:
    """Return a scenario's plain mapping with the times of its trace files in it, and what is wrong with the files.

    `folder` is where relative paths begin. Parts of the wrong shape are left to the checks of the model; a trace whose
    file cannot be read is replaced by one they have nothing to say against.
    """
    classes = data.get("classes") if isinstance(data, Mapping) else None
    problems: list[Problem] = []
    if not isinstance(classes, list | tuple):
        return data, problems
    rows = list(classes)
    for i, row in enumerate(rows):
        trace = row.get("trace") if isinstance(row, Mapping) else None
        name = trace.get("file") if isinstance(trace, Mapping) else None
        if not isinstance(trace, Mapping) or not isinstance(name, str) or not name or "times_s" in trace:
            continue
        try:
            kept = {key: value for key, value in trace.items() if key != "file"}
            rows[i] = {**row, "trace": {**kept, "times_s": read_times(folder / name)}}
        except InputError as error:
            problems.append((("classes", i, "trace", "file"), str(error)))
            rows[i] = {**row, "trace": _PLACEHOLDER}
    return {**data, "classes": rows}, problems


def read_times(path: Path) -> list[float]:
    """Return the times in the file at `path`.

    Raises
    ------
    InputError
        Naming the file, the line and what was expected.
    """
    times: list[float] = []
    for line, text in _cells(path):
        if _NUMBER.fullmatch(text) is None:
            raise _refused(path, line, f"expected a time in s, got {text[:40]!r}")
        time = float(text)
        if not 0.0 <= time < float("inf"):
            raise _refused(path, line, f"expected a time of 0 s or later, got {text[:40]}")
        if times and time < times[-1]:
            raise _refused(path, line, f"expected ascending times, got {text[:40]} after {times[-1]:g}; sort them")
        if len(times) == MAX_TRACE_TIMES:
            raise _refused(path, line, f"expected at most {MAX_TRACE_TIMES} times, got more; use a shorter period")
        times.append(time)
    if not times:
        raise InputError("expected at least one time, got none", str(path))
    return times


def _cells(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line, text) of every time."""
    column, width, begun = 0, 1, False
    for number, line in enumerate(_text(path).splitlines(), 1):
        if line.strip()[:1] in ("", "#"):
            continue
        cells = [cell.strip() for cell in _split(path, number, line)]
        if not begun and (COLUMN in cells or len(cells) > 1):
            if COLUMN not in cells:
                text = f"expected one time a line or a header with a column {COLUMN}, got {line.strip()[:60]!r}"
                raise _refused(path, number, text)
            column, width = cells.index(COLUMN), len(cells)
        elif len(cells) != width:
            raise _refused(path, number, f"expected {width} column{'s' if width > 1 else ''}, got {len(cells)}")
        else:
            yield number, cells[column]
        begun = True


def _split(path: Path, number: int, line: str) -> list[str]:
    try:
        return next(csv.reader([line]))
    except csv.Error as error:
        raise _refused(path, number, f"expected a row of a CSV file, got one with {error}") from None


def _text(path: Path) -> str:
    raw = b""
    try:
        regular = path.is_file()
        if regular:
            with path.open("rb") as file:
                raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"expected a readable file of times, got: {error.strerror or error}", str(path)) from None
    if not regular:
        got = "a folder" if path.is_dir() else "something else" if path.exists() else "nothing there"
        raise InputError(f"expected a file of times, got {got}", str(path))
    if len(raw) > MAX_BYTES:
        raise InputError(f"expected at most {MAX_BYTES // 2**20} MiB, got more", str(path))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refused(path, raw.count(b"\n", 0, error.start) + 1, "expected UTF-8 text; is it binary?") from None


def _refused(path: Path, line: int, text: str) -> InputError:
    return InputError(f"line {line}: {text}", str(path))
