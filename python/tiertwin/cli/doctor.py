"""``tiertwin doctor RUN``: what is wrong with a running tree, in plain words."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--wait", default=2.0, show_default=True, type=click.FloatRange(0.1, 60.0), help="Longest wait, s.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object (docs/doctor.md).")
def doctor(run: Path, wait: float, as_json: bool) -> int:
    """Look at the tree that runs in the run directory RUN (or at a deployment) and say what is wrong.

    Connects to every node as an observer. Exit code 0: nothing is wrong; 1: something is.
    """
    from tiertwin.cli import EXIT_NO
    from tiertwin.runtime.examine import examine
    from tiertwin.store.folder import finite

    found = examine(run, wait)
    if as_json:
        click.echo(json.dumps(finite(found.to_json()), ensure_ascii=False, allow_nan=False))
    else:
        click.echo(found.diagnosis.to_text())
    return 0 if found.diagnosis.healthy else EXIT_NO
