"""``tiertwin run``: a scenario, all policies, the KPI table."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tiertwin.model.deployment import Deployment
    from tiertwin.runtime.api import Result, Tree


MOST_SOLVERS = 16
EXIT_SIGNAL = 128  # plus the number of the signal, as shells have it
LEAST_WIDTH = 110  # columns of the KPI table: a narrower terminal wraps lines, but loses no name


@click.command()
@click.argument("scenario", default="germany50")
@click.option("--epochs", default=60, show_default=True, help="Base epochs to run; 60 span a day.")
@click.option("--seed", type=int, default=None, help="Seed of the world [default: the scenario's].")
@click.option(
    "--policy",
    "policies",
    multiple=True,
    help="Only this: hierarchical, edge-only, cloud-only, nearest, static, monolithic; repeatable [default: all].",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=None, help="Run directory [default: runs/<name>-s<seed>-NNN]."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json-interface.md).")
@click.option("--quiet", is_flag=True, help="No progress, no table.")
@click.option("--watch/--no-watch", default=None, help="Live view of the tree [default: on a terminal].")
@click.option(
    "--in-process", is_flag=True, help="All twins in this process, none in processes of their own; same event log."
)
@click.option(
    "--processes",
    default=None,
    metavar="LAYOUT",
    help="The twins of `hierarchical` as a tree of processes: 'node' (one a node), 'default', or e.g. device=2,edge=3 "
    "[default: as the scenario's `deployment:` says, else 'default'].",
)
@click.option(
    "--clock",
    type=click.Choice(["virtual", "real"]),
    default="virtual",
    show_default=True,
    help="real: the tree of processes runs as long as its epochs say, and goes on when a process is lost.",
)
@click.option(
    "--solvers", type=int, default=None, help="Workers of the solver pool of a tree of processes [default: 2]."
)
@click.option(
    "--jobs",
    type=int,
    default=None,
    metavar="N",
    help="So many of the policies other than `hierarchical` run at a time, each in a process of its own [default: as "
    "many as there are CPU cores].",
)
@click.option(
    "--metrics",
    type=click.IntRange(0, 65535),
    default=None,
    metavar="PORT",
    help="Serve Prometheus metrics of the tree at http://127.0.0.1:PORT/metrics while it runs (0: a free port; "
    "--clock real; docs/observation.md).",
)
@click.option(
    "--durable",
    is_flag=True,
    help="Twins keep logs: what they acknowledge survives kill -9 and power loss, and who comes back goes on from it "
    "(--clock real; docs/log-format.md).",
)
def run(
    scenario: str,
    epochs: int,
    seed: int | None,
    policies: tuple[str, ...],
    out: Path | None,
    as_json: bool,
    quiet: bool,
    watch: bool | None,
    in_process: bool,
    processes: str | None,
    clock: str,
    solvers: int | None,
    jobs: int | None,
    metrics: int | None,
    durable: bool,
) -> None:
    """Run SCENARIO and print the KPI table of all policies.

    SCENARIO is a built-in name (germany50, metro), a YAML file, or a topohub name such as sndlib/abilene.
    """
    from tiertwin.runtime.api import load, run_stored

    wanted = load(scenario)
    tree = tree_of(in_process, processes, clock == "real", solvers, wanted.deployment, policies)
    tree = with_durable(with_metrics(with_jobs(tree, jobs, in_process, policies), metrics), durable=durable)
    signal.signal(signal.SIGTERM, _terminated)
    show = not quiet and not as_json
    live = show and (sys.stderr.isatty() if watch is None else watch)
    from tiertwin.cli.watch import Lines, LiveView

    view: LiveView | Lines | None = LiveView() if live else Lines() if show else None
    try:
        result = run_stored(wanted, epochs, seed, policies or None, out, view, tree)
    except KeyboardInterrupt:
        if view is not None:
            view.close()
        click.echo("\nWhat was finished stays in the run directory; `tiertwin report RUN` reads it.", err=True)
        raise
    _tell(result, as_json, show)


def _terminated(number: int, frame: object) -> NoReturn:
    """SIGTERM ends in order, as Ctrl-C does: no process stays behind. Sent twice, it is heard once."""
    signal.signal(number, signal.SIG_IGN)
    sys.exit(EXIT_SIGNAL + number)


def tree_of(
    in_process: bool,
    processes: str | None,
    real_clock: bool,
    solvers: int | None,
    deployment: Deployment | None = None,
    policies: Sequence[str] = (),
) -> Tree | None:
    """Read the options about processes and the scenario's `deployment`; None: everything in this process.

    Only `hierarchical` runs as a tree; without it among `policies` (none: all) there is none.

    Raises
    ------
    InputError
        They contradict each other.
    """
    from tiertwin.errors import InputError
    from tiertwin.orchestrate.policies import HIERARCHICAL
    from tiertwin.runtime.api import Tree
    from tiertwin.runtime.processes import parse_processes

    if in_process and (processes is not None or real_clock):
        other = "--processes" if processes is not None else "--clock real"
        raise InputError(f"--in-process: the twins are in one process under the virtual clock; {other} says otherwise")
    if solvers is not None and not 1 <= solvers <= MOST_SOLVERS:
        raise InputError(f"--solvers: expected 1 … {MOST_SOLVERS}, got {solvers}")
    asked = "--processes" if processes is not None else "--clock real" if real_clock else None
    if policies and HIERARCHICAL not in policies:
        if asked is not None:
            raise InputError(f"{asked}: only the policy {HIERARCHICAL} runs as a tree; add it or leave out {asked}")
        return None
    if in_process:
        return None
    tree = Tree(real_clock=real_clock) if deployment is None else Tree.of(deployment, real_clock)
    if processes is not None:
        tree = replace(tree, processes=None if processes == "default" else parse_processes(processes))
    return tree if solvers is None else replace(tree, solvers=solvers)


def with_jobs(tree: Tree | None, jobs: int | None, in_process: bool, policies: Sequence[str]) -> Tree | None:
    """Say how many policies run at a time in processes of their own; several without a tree do so too.

    Raises
    ------
    InputError
        Nobody could run side by side.
    """
    from tiertwin.errors import InputError
    from tiertwin.runtime.api import Tree

    if jobs is not None and jobs < 1:
        raise InputError(f"--jobs: expected at least 1, got {jobs}")
    if in_process or len(policies) == 1:
        if jobs is not None and jobs > 1:
            why = "--in-process: everything is in this process" if in_process else f"only {policies[0]} is to run"
            raise InputError(f"--jobs {jobs}: nothing runs side by side here ({why}); leave it out")
        return tree
    return replace(Tree() if tree is None else tree, jobs=jobs)


def with_metrics(tree: Tree | None, port: int | None) -> Tree | None:
    """Ask for the metrics of a tree; InputError where there is none that could be looked at while it runs."""
    from tiertwin.errors import InputError

    if port is None:
        return tree
    if tree is None or not tree.real_clock:
        raise InputError(
            "--metrics: only a tree under the real clock can be looked at while it runs; add --clock real "
            "(under the virtual clock, `tiertwin inspect` shows what a run left)"
        )
    return replace(tree, metrics=port)


def with_durable(tree: Tree | None, *, durable: bool) -> Tree | None:
    """Have twins keep logs; InputError where a run must repeat bit for bit and nobody comes back."""
    from tiertwin.errors import InputError

    if not durable:
        return tree
    if tree is None or not tree.real_clock:
        raise InputError(
            "--durable: twins keep logs under the real clock only, where who is lost comes back; add --clock real"
        )
    return replace(tree, durable=True)


def _tell(result: Result, as_json: bool, show: bool) -> None:
    if as_json:
        click.echo(json.dumps(finite(result.to_json()), sort_keys=True, allow_nan=False))
    elif show:
        from rich.console import Console

        from tiertwin.report.tables import policy_table

        wide = shutil.get_terminal_size().columns if sys.stdout.isatty() else 140
        Console(width=max(wide, LEAST_WIDTH)).print(policy_table(result.to_json()))
        click.echo(f"log hash {result.log_hash}")
        click.echo(f"run directory {result.folder}: `tiertwin report {result.folder}` makes a page of it")


def finite(value: Any) -> Any:
    """Replace NaN and infinities by null: JSON has no word for them."""
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value.item() if hasattr(value, "item") else value
