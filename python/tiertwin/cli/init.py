"""``tiertwin init``: a commented scenario to start from, the JSON Schema that editors use, or files to deploy."""

from __future__ import annotations

import json
import shutil
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiertwin.errors import OutputError, UnknownNameError, suggest
from tiertwin.store.folder import writing

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "scenario.yaml"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--like", metavar="NAME", help="Write this built-in scenario instead: a start for one of that kind.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a scenario instead.")
@click.option(
    "--deploy",
    type=click.Choice(("systemd", "compose")),
    help="Write units of systemd, or a compose file and a Dockerfile, that run the processes of --deployment.",
)
@click.option(
    "--deployment",
    type=click.Path(path_type=Path),
    help="With --deploy: the deployment.json that `tiertwin run --clock real` wrote.",
)
def init(folder: Path, like: str | None, schema: bool, deploy: str | None, deployment: Path | None) -> None:
    """Write FOLDER/scenario.yaml, a small commented scenario; `tiertwin run FOLDER/scenario.yaml` runs it."""
    if (deploy is None) != (deployment is None) or (deploy is not None and (like is not None or schema)):
        raise click.UsageError("say --deploy and --deployment together, and neither --like nor --schema")
    if deploy is not None and deployment is not None:
        _deploy(folder, deploy, deployment)
        return
    if schema:
        from tiertwin.model.scenario import scenario_schema

        click.echo(json.dumps(scenario_schema(), indent=2, ensure_ascii=False))
        return
    starter = files("tiertwin.cli").joinpath("starter.yaml")
    text = starter.read_text(encoding="utf-8") if like is None else _built_in(like)
    _write("a scenario", folder, {FILE: text})
    click.echo(f"{folder / FILE} written. Next: tiertwin run {folder / FILE}")


def _write(what: str, folder: Path, texts: Mapping[str, str]) -> None:
    """Write files into a folder; none of them if one is there."""
    with writing(what, folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name in texts:
            if (folder / name).exists():
                raise OutputError(
                    f"Could not write {what} to {folder / name}: it is there already. Choose another folder."
                )
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")


def _deploy(folder: Path, kind: str, path: Path) -> None:
    """Write what runs the processes of a deployment."""
    from tiertwin.runtime.deployfiles import deploy_files
    from tiertwin.runtime.deployment import read_deployment

    deployment = read_deployment(path)
    program = shutil.which("tiertwin", path=str(Path(sys.executable).parent)) or shutil.which("tiertwin") or "tiertwin"
    texts = deploy_files(kind, deployment, path.absolute(), program)
    _write("files to deploy", folder, texts)
    click.echo(f"{len(texts)} files written to {folder}; the first lines of {next(iter(texts))} say what to do next")


def _built_in(name: str) -> str:
    """Return a built-in scenario as YAML."""
    from tiertwin.interop.yaml_loader import write_yaml
    from tiertwin.world.builtin import builtin_names, builtin_scenario

    if name not in builtin_names():
        raise UnknownNameError(f"Unknown built-in scenario {name!r}{suggest(name, builtin_names())}")
    return write_yaml(builtin_scenario(name))
