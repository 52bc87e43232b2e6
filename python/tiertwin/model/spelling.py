"""Small grammar of what people write on one line: fields with commas, names between quotation marks, numbers.

A name with one of ``, " @ = ;`` in it, or with spaces around it, stands between quotation marks, its own doubled.
"""

from __future__ import annotations

import json
from typing import Any

_MARKS = frozenset(',"@=;')


class NotThatError(ValueError):
    """A text that is not what was expected; whoever asked says what that was."""


def number(value: float) -> str:
    """Return the shortest text that reads back as the same number."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def row(*parts: str, words: bool = False) -> str:
    """Return fields with commas between, quoted where they must be; with `words` also where there is a space."""
    return ",".join(_in_quotes(part) if words and " " in part else _quoted(part) for part in parts)


def at(area: str | None) -> str:
    """Return ``@AREA``, or nothing."""
    return "" if area is None else f"@{_quoted(area)}"


def value_text(value: Any) -> str:
    """Return a number, flag, None or text so that `value_of` reads it back."""
    if not isinstance(value, str):
        return json.dumps(value)
    plain = not _MARKS & set(value) and value == value.strip() and value_of(value) == value
    return value if plain else _in_quotes(value)


def value_of(text: str) -> Any:
    """Read a number, true, false or null as JSON does, text between quotation marks; else text as it stands."""
    if text.startswith('"'):
        return _bare(text)
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if value is None or isinstance(value, str | int | float | bool) else text


def split(text: str, mark: str, most: int = -1) -> list[str]:
    """Split at a mark of one character that stands outside quotation marks, at most `most` times."""
    parts, quoted = [""], False
    for letter in text:
        quoted ^= letter == '"'
        if letter == mark and not quoted and (most < 0 or len(parts) <= most):
            parts.append("")
        else:
            parts[-1] += letter
    if quoted:
        raise NotThatError
    return parts


def fields(text: str, *counts: int) -> list[str]:
    """Return the fields of a row; NotThatError unless their number is one of `counts` and none is empty."""
    found = [_bare(part.strip()) for part in split(text, ",")]
    if len(found) not in counts or not all(found):
        raise NotThatError
    return found


def real(text: str) -> float:
    """Return a number; NotThatError if it is none."""
    try:
        return float(text)
    except ValueError as error:
        raise NotThatError from error


def times(text: str) -> float:
    """Return the factor of ``x2``; NotThatError if it is none."""
    if text[:1] not in ("x", "X", "×"):
        raise NotThatError
    return real(text[1:])


def _quoted(part: str) -> str:
    return _in_quotes(part) if _MARKS & set(part) or part != part.strip() else part


def _in_quotes(part: str) -> str:
    return '"' + part.replace('"', '""') + '"'


def _bare(part: str) -> str:
    if not part.startswith('"'):
        if '"' in part:
            raise NotThatError
        return part
    inner = part[1:-1]
    if len(part) < 2 or not part.endswith('"') or '"' in inner.replace('""', ""):
        raise NotThatError
    return inner.replace('""', '"')
