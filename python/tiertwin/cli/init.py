"""``tiertwin init``: a commented scenario to start from, or the JSON Schema that editors check it by."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import click

from tiertwin.errors import OutputError, UnknownNameError, suggest
from tiertwin.store.folder import writing

FILE = "scenario.yaml"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--like", metavar="NAME", help="Write this built-in scenario instead: a start for one of that kind.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a scenario instead.")
def init(folder: Path, like: str | None, schema: bool) -> None:
    """Write FOLDER/scenario.yaml, a small commented scenario; `tiertwin run FOLDER/scenario.yaml` runs it."""
    if schema:
        from tiertwin.model.scenario import scenario_schema

        click.echo(json.dumps(scenario_schema(), indent=2, ensure_ascii=False))
        return
    path = folder / FILE
    starter = files("tiertwin.cli").joinpath("starter.yaml")
    text = starter.read_text(encoding="utf-8") if like is None else _built_in(like)
    with writing("a scenario", path):
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise OutputError(f"Could not write a scenario to {path}: it is there already. Choose another folder.")
        path.write_text(text, encoding="utf-8")
    click.echo(f"{path} written. Next: tiertwin run {path}")


def _built_in(name: str) -> str:
    """Return a built-in scenario as YAML."""
    from tiertwin.interop.yaml_loader import write_yaml
    from tiertwin.world.builtin import builtin_names, builtin_scenario

    if name not in builtin_names():
        raise UnknownNameError(f"Unknown built-in scenario {name!r}{suggest(name, builtin_names())}")
    return write_yaml(builtin_scenario(name))
