"""The one YAML loader: YAML 1.2 core values, and nothing that surprises or hides.

Numbers, `true`, `false`, `null` and text: `1e9` is a number, `yes`, `12:30` and `2024-01-01` are text. Refused, with
file and line: tags, anchors and aliases, repeated keys, keys that are not text, several documents, depth above 20,
more than 256 KiB, bytes that are not UTF-8 text, and a file with nothing in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tiertwin.errors import InputError

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_DIGITS = 400
Route = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds, and the line of every path in it (from 1)."""

    data: Any
    lines: dict[Route, int]


class _RefusedError(Exception):
    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")


class _Loader(yaml.SafeLoader):
    """SafeLoader with the resolvers of the YAML 1.2 core schema; `compose_node` refuses what we do not admit."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  PyYAML's own shape
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            raise _RefusedError(line, f"expected a value, got the alias *{event.anchor}; write the value out")
        if event.anchor is not None:
            raise _RefusedError(line, f"expected a value, got the anchor &{event.anchor}; anchors are not admitted")
        if event.tag is not None:
            raise _RefusedError(line, f"expected a plain value, got the tag {event.tag!r}; tags are not admitted")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _RefusedError(line, f"expected at most {MAX_DEPTH} levels, got more")
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


for _tag, _pattern, _first in (
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("int", r"^(?:[-+]?[0-9]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+0123456789."),
    ),
):
    # first match wins, so that `12` is an integer before it is a float
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def read_yaml(path: Path | str) -> Document:
    """Read the YAML file at `path`.

    Raises
    ------
    InputError
        Naming file, line and what was expected.
    """
    where = str(path)
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"expected a readable YAML file, got: {error.strerror or error}", where) from None
    return parse_yaml(raw, where)


def parse_yaml(raw: bytes, where: str = "") -> Document:
    """Parse bytes of YAML; see `read_yaml`."""
    if len(raw) > MAX_BYTES:
        raise InputError(f"expected at most {MAX_BYTES // 1024} KiB, got more; put bulk data beside it", where)
    text = _text(raw, where)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise _RefusedError(1, "expected a scenario, got nothing but blanks and comments")
        lines: dict[Route, int] = {}
        return Document(_build(node, (), lines), lines)
    except _RefusedError as error:
        raise InputError(str(error), where) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise InputError(
            f"line {line}: expected one YAML document, got: {error.problem or error.context}", where
        ) from None
    except yaml.YAMLError as error:
        raise InputError(f"expected YAML text, got: {str(error).splitlines()[0]}", where) from None
    finally:
        loader.dispose()


def _text(raw: bytes, where: str) -> str:
    if not raw.strip():
        raise InputError("expected a scenario, got an empty file", where)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"line {line}: expected UTF-8 text, got byte 0x{raw[error.start]:02x}; is it binary?", where
        ) from None
    odd = re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text)
    if odd:
        line = text.count("\n", 0, odd.start()) + 1
        raise InputError(
            f"line {line}: expected text, got control character U+{ord(odd.group()):04X}; is it binary?", where
        )
    return text


def _build(node: yaml.Node, route: Route, lines: dict[Route, int]) -> Any:
    line = node.start_mark.line + 1
    lines[route] = line
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, route, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*route, i), lines) for i, item in enumerate(node.value)]
    return _scalar(node, line)


def _mapping(node: yaml.MappingNode, route: Route, lines: dict[Route, int]) -> dict[str, Any]:
    built: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = key_node.value
        if not isinstance(key_node, yaml.ScalarNode) or not isinstance(_scalar(key_node, line), str):
            raise _RefusedError(
                line, f"expected text as a key, got {key if isinstance(key, str) else 'a collection'!r}"
            )
        if key in built:
            raise _RefusedError(
                line, f"expected every key once, got {key!r} again (first in line {lines[(*route, key)]})"
            )
        built[key] = _build(value_node, (*route, key), lines)
        lines[(*route, key)] = line
    return built


def _scalar(node: yaml.Node, line: int) -> Any:
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    value: str = node.value
    if kind == "null":
        return None
    if kind == "bool":
        return value[0] in "tT"
    if kind in {"int", "float"} and len(value) > MAX_DIGITS:
        raise _RefusedError(line, f"expected a number of at most {MAX_DIGITS} characters, got {len(value)}")
    if kind == "int":
        return int(value, 16) if value.startswith("0x") else int(value)
    if kind == "float":
        return float(value.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return value


def write_yaml(data: Mapping[str, Any]) -> str:
    """Return plain data as YAML that `read_yaml` reads back, keys in their order."""
    return str(yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, default_flow_style=None))
