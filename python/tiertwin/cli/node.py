"""``tiertwin node``: nodes of a deployment in the foreground, under the real clock, without a launcher."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tiertwin.runtime.environment import ONE_THREAD

if TYPE_CHECKING:
    from tiertwin.runtime.vitals import Vitals


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
@click.option(
    "--health",
    "health_port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Say at http://127.0.0.1:PORT/healthz whether the process is well, at /readyz whether its nodes have their "
    "parents (0: a free port, named in the log; on all interfaces with --listen-public).",
)
def node(names: tuple[str, ...], process: str | None, path: Path, listen_public: bool, health_port: int | None) -> None:
    """Host nodes of a deployment until SIGTERM or Ctrl-C; the log goes to standard error.

    A node that ran before comes back as its next life, at its old port, and is brought up to date by its neighbours.
    """
    if bool(names) == (process is not None):
        raise click.UsageError("say either --process or --name (once or more)")
    os.environ |= {key: os.environ.get(key, value) for key, value in ONE_THREAD.items()}  # before NumPy is loaded
    from tiertwin.runtime import logs
    from tiertwin.runtime.liveprocess import run_live
    from tiertwin.runtime.nodeconfig import node_config
    from tiertwin.runtime.vitals import Vitals

    title = process or (names[0] if len(names) == 1 else f"{names[0]}+{len(names) - 1}")
    config = node_config(path, title, names, time.time(), public=listen_public)
    hosted = config.twins.nodes if config.twins is not None else ()
    logs.start(title, hosted)
    vitals = Vitals(title, len(hosted))
    with _served(health_port, vitals, listen_public):
        run_live(config, None, vitals)


def _served(port: int | None, vitals: Vitals, public: bool) -> AbstractContextManager[Any]:
    """Answer probes at a port; without one, nothing."""
    if port is None:
        return nullcontext()
    from tiertwin.runtime import logs
    from tiertwin.runtime.healthserver import HealthServer

    server = HealthServer(port, lambda: vitals.health(time.monotonic()), public=public)
    logs.info("health", port=server.port)
    return server
