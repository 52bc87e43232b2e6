"""``tiertwin node``: nodes of a deployment in the foreground, under the real clock, without a launcher."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from tiertwin.runtime.environment import ONE_THREAD


@click.command()
@click.option("--name", "names", multiple=True, metavar="NODE", help="A node to host; repeatable.")
@click.option("--process", default=None, metavar="PROCESS", help="Host all nodes of this process, e.g. gateways-1.")
@click.option(
    "--deployment",
    "path",
    required=True,
    type=click.Path(path_type=Path),
    help="The deployment.json that `tiertwin run --clock real` wrote into its run directory.",
)
@click.option(
    "--listen-public", is_flag=True, help="Listen on all interfaces instead of the one address in the deployment."
)
def node(names: tuple[str, ...], process: str | None, path: Path, listen_public: bool) -> None:
    """Host nodes of a deployment until SIGTERM or Ctrl-C; the log goes to standard error.

    A node that ran before comes back as its next life, at its old port, and is brought up to date by its neighbours.
    """
    if bool(names) == (process is not None):
        raise click.UsageError("say either --process or --name (once or more)")
    os.environ |= {key: os.environ.get(key, value) for key, value in ONE_THREAD.items()}  # before NumPy is loaded
    from tiertwin.runtime import logs
    from tiertwin.runtime.liveprocess import run_live
    from tiertwin.runtime.nodeconfig import node_config

    title = process or (names[0] if len(names) == 1 else f"{names[0]}+{len(names) - 1}")
    config = node_config(path, title, names, time.time(), public=listen_public)
    logs.start(title, config.twins.nodes if config.twins is not None else ())
    run_live(config, None)
