"""`docs/scenario-reference.md` lists every key of a scenario with its type, default and meaning.

The tables are made from the models. To write them anew: ``python tests/unit/model/test_scenario_reference.py``.
"""

from __future__ import annotations

import inspect
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from tiertwin.model.scenario import Scenario

PAGE = Path(__file__).resolve().parents[3] / "docs" / "scenario-reference.md"
MARK = "<!-- tables: made from the models by tests/unit/model/test_scenario_reference.py -->"


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in typing.get_args(annotation) for model in models_in(argument)]


def bounds(field: Any) -> str:
    """The bounds of a field in words, from its JSON schema."""
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    options = [field, *field.get("anyOf", [])]
    found = [f"{sign} {option[key]:g}" for key, sign in signs.items() for option in options if key in option]
    if "enum" in field:
        found.append(" or ".join(field["enum"]))
    return ", ".join(found)


def default_of(field: Any) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "required"
    if value is None:
        return "see text"
    if isinstance(value, BaseModel) and set(map(type, value.model_dump().values())) == {int}:
        return "`{" + ", ".join(f"{key}: {item}" for key, item in value.model_dump().items()) + "}`"
    if isinstance(value, BaseModel) or (isinstance(value, tuple) and value and isinstance(value[0], BaseModel)):
        return "as below"
    if isinstance(value, tuple):
        return "`[" + ", ".join(item if isinstance(item, str) else f"{item:g}" for item in value) + "]`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`" if value != "" else "empty"


def tables() -> str:
    """Return a table for each part of a scenario, outermost first."""
    rows: list[str] = []
    queue: list[tuple[str, type[BaseModel]]] = [("", Scenario)]
    for path, model in queue:
        schema = model.model_json_schema()["properties"]
        title = f"`{path}`" if path else "Top level"
        rows += [f"## {title}", "", " ".join((model.__doc__ or "").split()), ""]
        rows += ["| key | default | bounds | meaning |", "|---|---|---|---|"]
        for name, field in model.model_fields.items():
            inner = models_in(field.annotation)
            text = " ".join((field.description or (inner[0].__doc__ if inner else "") or "").split())
            rows.append(f"| `{name}` | {default_of(field)} | {bounds(schema[name])} | {text.replace('|', '/')} |")
            if inner and inner[0] not in [seen for _, seen in queue]:
                many = typing.get_origin(field.annotation) is tuple
                queue.append((f"{path}.{name}".lstrip(".") + ("[]" if many else ""), inner[0]))
        rows.append("")
    return "\n".join(rows)


def test_the_reference_is_that_of_the_models():
    head, _, body = PAGE.read_text(encoding="utf-8").partition(MARK)
    assert head, f"{PAGE} has lost its mark"
    assert body.strip() == tables().strip(), "run python tests/unit/model/test_scenario_reference.py to write it anew"


if __name__ == "__main__":
    before = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    PAGE.write_text(f"{before}{MARK}\n\n{tables().strip()}\n", encoding="utf-8")
