"""``tiertwin inspect RUN``: what a run holds, from its directory."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import click

from tiertwin.errors import InputError, UnknownNameError, suggest
from tiertwin.store import StoredRun, Table, open_run
from tiertwin.store.folder import finite

LEAST_WIDTH = 134  # columns of the table of a running tree


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--links", is_flag=True, help="Loads and utilisations of the plant's links, fullest first.")
@click.option("--twin", metavar="NAME", help="What this twin believed, with the age of each value.")
@click.option("--at", "epoch", type=int, metavar="EPOCH", help="At the end of this epoch; default the last one.")
@click.option("--policy", metavar="NAME", help="Of this policy; default the first of the run.")
@click.option("--rows", type=click.IntRange(1), default=40, show_default=True, help="Rows printed at most.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of tables, with all rows.")
def inspect(
    run: Path, links: bool, twin: str | None, epoch: int | None, policy: str | None, rows: int, as_json: bool
) -> None:
    """Show a run: how it ended, its KPIs; with --links its link loads; with --twin what a twin believed.

    Of a tree that runs under the real clock: how each node stands now, and what was counted so far.
    """
    if not (links or twin or policy or epoch is not None) and is_running(run):
        _show_running(run, rows, as_json)
        return
    with open_run(run) as opened:
        chosen = _policy(opened, policy)
        when = _epoch(opened, chosen, epoch)
        tables: dict[str, tuple[str, Table]] = {}
        if links:
            tables["links"] = (f"Links at the end of epoch {when}, {chosen}", _links(opened, chosen, when))
        if twin:
            tables["beliefs"] = _beliefs(opened, chosen, twin, when)
        if as_json:
            at = {"policy": chosen, "at_epoch": when} if tables else {}
            held = _head(opened) | at | {name: table.to_dicts() for name, (_, table) in tables.items()}
            if not tables:
                held["kpis"] = opened.summary().to_dicts()
            click.echo(json.dumps(finite(held), ensure_ascii=False, allow_nan=False))
            return
        _print(opened, tables, rows)


def is_running(run: Path) -> bool:
    """Whether a tree runs in this directory now; imports what only a running one needs if there may be one."""
    if not (run / "deployment.json").is_file():
        return False
    from tiertwin.runtime.lookout import state_of
    from tiertwin.runtime.treefile import running_processes

    return any(state_of(process) != "gone" for process in running_processes(run))


def _show_running(run: Path, rows: int, as_json: bool) -> None:
    from tiertwin.runtime.examine import examine

    found = examine(run)
    if as_json:
        click.echo(json.dumps(finite(found.to_json()), ensure_ascii=False, allow_nan=False))
        return
    from rich.console import Console

    click.echo(found.diagnosis.head)
    wide = shutil.get_terminal_size().columns if sys.stdout.isatty() else LEAST_WIDTH
    console = Console(highlight=False, width=max(wide, LEAST_WIDTH))
    console.print(Table(found.columns()).rich("", rows))
    if counted := found.counters():
        console.print(Table(counted).rich("Counted so far (docs/counters.md says what each means)", rows))
    if not found.diagnosis.healthy:
        click.echo(f"Something is wrong: `tiertwin doctor {run}` says what.")


def _policy(run: StoredRun, policy: str | None) -> str:
    chosen = policy or run.policies[0]
    if chosen not in run.policies:
        raise UnknownNameError(f"unknown policy {chosen!r} in this run{suggest(chosen, run.policies)}", "--policy")
    return chosen


def _epoch(run: StoredRun, policy: str, epoch: int | None) -> int:
    last = run.last_epoch(policy)
    if epoch is None:
        return last
    if not 0 <= epoch <= last:
        kept = f"0 to {last}" if last >= 0 else "none"
        raise InputError(f"expected an epoch this run holds for {policy} ({kept}), got {epoch}", "--at")
    return epoch


def _links(run: StoredRun, policy: str, epoch: int) -> Table:
    held = run.links(policy, epoch)
    if not len(held):
        raise InputError(f"the run holds no link loads of {policy} at epoch {epoch}", str(run.folder))
    used = list(held["utilisation"])
    fullest = sorted(range(len(used)), key=lambda row: -used[row])
    names = [name for name in held.columns if name not in {"policy", "epoch"}]
    ordered = held.take(fullest)
    return Table({name: ordered[name] for name in names})


def _beliefs(run: StoredRun, policy: str, twin: str, epoch: int) -> tuple[str, Table]:
    t = run.time_of(twin, epoch, policy)
    believed = run.as_of(twin, -1 if t is None else t, policy)  # an unknown twin is refused here
    if t is None:
        raise InputError(f"{twin} had learned nothing by the end of epoch {epoch} under {policy}", str(run.folder))
    when = f"its newest belief is of t = {t / 1e9:.3f} s, and so are the ages"
    return f"What {twin} believed at the end of epoch {epoch}, {policy} ({when})", believed


def _head(run: StoredRun) -> dict[str, Any]:
    return {
        "folder": str(run.folder),
        "scenario": run.scenario.get("name"),
        "seed": run.seed,
        "status": run.status,
        "reason": run.reason,
        "log_hash": run.log_hash,
        "events": run.event_count,
        "last_epoch": run.last_epoch(),
        "policies": run.policies,
    }


def _print(run: StoredRun, tables: dict[str, tuple[str, Table]], rows: int) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    ended = run.status if not run.reason else f"{run.status}: {run.reason}"
    click.echo(f"{run.scenario.get('name', '?')} · seed {run.seed} · {run.last_epoch() + 1} epochs · {ended}")
    click.echo(f"log {run.log_hash} · {run.event_count} events")
    if run.recorded_hash not in (None, run.log_hash):
        click.echo(f"The result names another log ({run.recorded_hash}): events.jsonl was changed.", err=True)
    click.echo()
    if not tables:
        from tiertwin.report.tables import kpi_table

        console.print(kpi_table(run))
    for title, table in tables.values():
        console.print(table.rich(title, rows))
    for warning in run.warnings:
        click.echo(f"Note: {warning}", err=True)
