"""From plain mappings to a `Scenario`: every mistake at once, each with its path, its value and what was expected."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from tiertwin.errors import InputError, suggest
from tiertwin.model.checks import Problem, cross_problems
from tiertwin.model.scenario import Scenario

Path = tuple[str | int, ...]
Lines = Mapping[Path, int]
MAX_PROBLEMS = 50

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

    Sections with a mistake are replaced by their defaults so that the checks between the other sections still run:
    a typing mistake in `devices` does not hide an unknown node in `topology.links`.
    """
    try:
        scenario = Scenario.model_validate(dict(data))
    except ValidationError as error:
        problems = [_translate(dict(row)) for row in error.errors(include_url=False)]
        bad = {str(path[0]) for path, _ in problems}
        kept = {key: value for key, value in data.items() if key not in bad}
        kept.setdefault("name", "unnamed")
        kept.setdefault("topology", {"builtin": "none"})
        return problems + cross_problems(Scenario.model_validate(kept), bad), None
    found = cross_problems(scenario, set())
    return found, None if found else scenario


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
