"""What a long study has come to so far, in a file: one that was stopped goes on where it was.

A line is one JSON object: what study it is of, which part of it, what that came to. Parts are known by what they were
asked, not by their order, so a study may be widened: more seeds, other arms. A torn last line, of a process that was
killed, is cut.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tiertwin.errors import InputError


class Kept:
    """Parts of a study that are done, by what was asked.

    Parameters
    ----------
    path
        The file; it need not be there yet. None: nothing is kept.
    study
        What all of its parts have in common, JSON values: a file of another study is refused.

    Raises
    ------
    InputError
        The file is of another study, or no such file at all.
    """

    def __init__(self, path: Path | None, study: dict[str, Any]) -> None:
        self._path, self._study = path, study
        self._told: dict[str, Any] = {}
        if path is not None and path.exists():
            self._read(path)

    def __contains__(self, part: Any) -> bool:
        return _key(part) in self._told

    def __getitem__(self, part: Any) -> Any:
        return self._told[_key(part)]

    def add(self, part: Any, told: Any) -> None:
        """Keep what a part came to (JSON values)."""
        self._told[_key(part)] = told
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"study": self._study, "part": part, "told": told}) + "\n")

    def _read(self, path: Path) -> None:
        whole = path.read_bytes()
        lines = whole[: whole.rfind(b"\n") + 1]
        for number, text in enumerate(lines.splitlines(), 1):
            study, part, told = self._line(text, f"{path}: line {number}")
            if study != self._study:
                raise InputError(
                    f"line {number}: expected a study of {self._study}, got {study}; name another file", str(path)
                )
            self._told[_key(part)] = told
        if len(lines) < len(whole):
            with path.open("r+b") as file:
                file.truncate(len(lines))

    @staticmethod
    def _line(text: bytes, where: str) -> tuple[Any, Any, Any]:
        try:
            line = json.loads(text)
            return line["study"], line["part"], line["told"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError("expected a line that a study has kept; name another file", where) from error


def _key(part: Any) -> str:
    return json.dumps(part, sort_keys=True)
