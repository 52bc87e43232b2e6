"""``tiertwin init``: a commented scenario to start from, or the JSON Schema that editors check it by."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import click

from tiertwin.errors import OutputError
from tiertwin.store.folder import writing

FILE = "scenario.yaml"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a scenario instead.")
def init(folder: Path, schema: bool) -> None:
    """Write FOLDER/scenario.yaml, a small commented scenario; `tiertwin run FOLDER/scenario.yaml` runs it."""
    if schema:
        from tiertwin.model.scenario import scenario_schema

        click.echo(json.dumps(scenario_schema(), indent=2, ensure_ascii=False))
        return
    path = folder / FILE
    text = files("tiertwin.cli").joinpath("starter.yaml").read_text(encoding="utf-8")
    with writing("a scenario", path):
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            raise OutputError(f"Could not write a scenario to {path}: it is there already. Choose another folder.")
        path.write_text(text, encoding="utf-8")
    click.echo(f"{path} written. Next: tiertwin run {path}")
