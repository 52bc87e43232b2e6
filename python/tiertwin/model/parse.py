"""From plain mappings to a `Scenario`: every mistake at once, each with its path, its value and what was expected."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from tiertwin.errors import InputError, suggest
from tiertwin.model.checks import Path, Problem, cross_problems
from tiertwin.model.scenario import Scenario

Lines = Mapping[Path, int]
MAX_PROBLEMS = 50
_ABSENT = object()
_HARMLESS: tuple[Any, ...] = (_ABSENT, "in-place-of-a-wrong-value", 1, {}, [])
_ROUNDS = 12  # a row that became a mapping has its own keys to mend

_EXPECTED = {
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "string_type": "text",
    "string_unicode": "valid UTF-8 text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "a mapping",
    "finite_number": "a finite number",
    "greater_than": "a number > {gt}",
    "greater_than_equal": "a number >= {ge}",
    "less_than": "a number < {lt}",
    "less_than_equal": "a number <= {le}",
    "string_pattern_mismatch": "text that matches {pattern}",
    "string_too_short": "at least {min_length} characters",
    "string_too_long": "at most {max_length} characters",
    "literal_error": "{expected}",
}
_KIND = {int: "integer", float: "number", str: "text", bool: "boolean", dict: "mapping", list: "list", tuple: "list"}


def parse_scenario(data: Any, where: str = "", lines: Lines | None = None, found: Sequence[Problem] = ()) -> Scenario:
    """Validate `data`, what a YAML file holds.

    Parameters
    ----------
    where
        File or source, for messages.
    lines
        Line of each path, where known.
    found
        Problems of what the data names (files), to be told with its own.

    Raises
    ------
    InputError
        With one line a mistake, in the order of the file where lines are known.
    """
    if not isinstance(data, Mapping):
        raise InputError(f"expected a mapping with the keys of a scenario, got {describe(data)}", where)
    problems, scenario = scenario_problems(data)
    problems = [*found, *problems]
    if problems or scenario is None:
        raise InputError(render(problems, lines or {}), where)
    return scenario


def scenario_problems(data: Mapping[str, Any]) -> tuple[list[Problem], Scenario | None]:
    """Return all problems of `data` and, where there are none, the scenario.

    Values that are refused are replaced by harmless ones, so that the checks between the others still run: a typing
    mistake in one link does not hide an unknown node in another, nor one in `devices`.
    """
    try:
        scenario = Scenario.model_validate(dict(data))
    except ValidationError as error:
        problems = [_translate(dict(row)) for row in error.errors(include_url=False) if not _echo(dict(row))]
        mended = _mended(data)
        bad = frozenset(path for path, _ in problems)
        return problems + (cross_problems(mended, bad) if mended is not None else []), None
    found = cross_problems(scenario)
    return found, None if found else scenario


def _echo(row: dict[str, Any]) -> bool:
    """Whether a list is called too short for want of the items that were refused."""
    return bool(row["type"] == "too_short") and len(row["input"]) >= row["ctx"]["min_length"]


def _mended(data: Any) -> Scenario | None:
    """Return the scenario with something in place of every value that was refused; None where nothing helps.

    A key is left out first, which an optional one can bear, then text, a number, a mapping and a list are tried.
    """
    held = _copied(data)
    tried: dict[Path, int] = {}
    for _ in range(_ROUNDS):
        try:
            return Scenario.model_validate(held)
        except ValidationError as error:
            for row in error.errors(include_url=False, include_context=False, include_input=False):
                attempt = tried.get(row["loc"], 0)
                tried[row["loc"]] = attempt + 1
                if attempt >= len(_HARMLESS) or not _put(held, row["loc"], _HARMLESS[attempt]):
                    return None
    return None


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list | tuple) else value


def _put(data: Any, path: Path, value: Any) -> bool:
    """Set (or, with `_ABSENT`, take out) the value at `path`; False where there is no such place."""
    try:
        for part in path[:-1]:
            data = data[part]
        if value is not _ABSENT:
            data[path[-1]] = _copied(value)
        elif isinstance(data, dict):
            data.pop(path[-1], None)
    except (KeyError, IndexError, TypeError):
        return False
    return True


def render(problems: Sequence[Problem], lines: Lines) -> list[str]:
    """Return one line a problem, ``line 12: devices.count: expected …``, at most `MAX_PROBLEMS`."""

    def line_of(path: Path) -> int:
        while path and path not in lines:
            path = path[:-1]
        return lines.get(path, 0)

    ordered = sorted(problems, key=lambda problem: line_of(problem[0]))
    rows = []
    for path, text in ordered[:MAX_PROBLEMS]:
        line = line_of(path)
        rows.append((f"line {line}: " if line else "") + (f"{path_text(path)}: " if path else "") + text)
    if len(ordered) > MAX_PROBLEMS:
        rows.append(f"and {len(ordered) - MAX_PROBLEMS} more")
    return rows


def path_text(path: Path) -> str:
    """Write a path as people do: ``classes[3].deadline_s``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def describe(value: Any) -> str:
    """Return a short form of a value with its kind, safe to print whatever it holds."""
    kind = _KIND.get(type(value), type(value).__name__)
    if value is None:
        return "null"
    if isinstance(value, dict | list | tuple):
        return f"a {kind} of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    shown = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return (shown if len(shown) <= 60 else shown[:57] + "…") + f" ({kind})"


def _translate(row: dict[str, Any]) -> Problem:
    path: Path = row["loc"]
    kind, context, value = row["type"], row.get("ctx", {}), row["input"]
    if kind == "extra_forbidden":
        return path, "unknown key" + suggest(str(path[-1]), _keys_at(path[:-1]))
    if kind == "missing":
        return path, "required, but missing"
    if kind == "value_error":
        return path, str(context["error"])
    if kind in {"too_long", "too_short"}:
        limit = f"at most {context.get('max_length')}" if kind == "too_long" else f"at least {context['min_length']}"
        return path, f"expected {limit} items, got {len(value) if hasattr(value, '__len__') else 'more'}"
    if kind in _EXPECTED:
        return path, f"expected {_EXPECTED[kind].format(**context)}, got {describe(value)}"
    return path, f"{row['msg']}, got {describe(value)}"


def _keys_at(path: Path) -> list[str]:
    """Return the keys known at `path` of a scenario."""
    model: Any = Scenario
    for part in path:
        if isinstance(part, str):
            field = model.model_fields.get(part) if model is not None else None
            model = _model_in(field.annotation) if field is not None else None
    return list(model.model_fields) if model is not None else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation
    for argument in typing.get_args(annotation):
        found = _model_in(argument)
        if found is not None:
            return found
    return None
