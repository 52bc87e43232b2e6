"""``tiertwin chaos``: faults on a scenario's own tree of processes, and which promises held."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

import click

from tiertwin.cli.tables import table

EXIT_BROKEN, EXIT_INTERRUPTED = 1, 130
LEVELS = ("info", "warning", "error")


@click.command()
@click.argument("scenario", default="metro")
@click.option("--minutes", type=click.FloatRange(min=0.0, min_open=True), help="Begin faults for so long.")
@click.option("--faults", type=click.IntRange(min=1), help="Play so many [default: each kind at each tier once].")
@click.option("--seed", default=1, show_default=True, help="Of the plan of faults: the same seed, the same plan.")
@click.option("--only", metavar="KIND,…", help="Only these kinds (docs/chaos.md lists them).")
@click.option("--durable/--no-durable", default=True, show_default=True, help="Twins keep logs.")
@click.option("--processes", metavar="LAYOUT", help="As for `tiertwin run`, e.g. device=1,edge=2.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep logs and state here [default: a temporary folder, kept if a promise broke].",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--log-level",
    type=click.Choice(LEVELS),
    default="info",
    show_default=True,
    help="Of what is told meanwhile: every fault, what broke and what is skipped, or nothing.",
)
def chaos(
    scenario: str,
    minutes: float | None,
    faults: int | None,
    seed: int,
    only: str | None,
    durable: bool,
    processes: str | None,
    out: Path | None,
    as_json: bool,
    log_level: str,
) -> int:
    """Play faults on SCENARIO as a tree of processes under the real clock, and say which promises held.

    Processes are killed, paused, stopped, their disks fail, strangers knock, and, for root, the network is cut. Exit
    code 0: every promise held; 1: one broke.
    """
    from tiertwin.cli.run import _terminated
    from tiertwin.errors import InputError
    from tiertwin.runtime.api import load
    from tiertwin.runtime.chaos.plan import chosen
    from tiertwin.runtime.chaos.run import Asked, play
    from tiertwin.runtime.chaos.tree import Wanted
    from tiertwin.runtime.processes import parse_processes

    if minutes is not None and faults is not None:
        raise InputError("--minutes and --faults: each says how much is played; give one of them")
    layout = None if processes is None else parse_processes(processes)
    wanted = Wanted(load(scenario), processes=layout, durable=durable)
    asked = Asked(chosen(only), seed, faults, None if minutes is None else 60 * minutes)
    signal.signal(signal.SIGTERM, _terminated)

    def tell(text: str) -> None:
        loud = "BROKEN" in text or "NOT WELL" in text or text.startswith("SKIPPED")
        if log_level == "info" or (log_level == "warning" and loud):
            click.echo(text, err=True)

    folder = Path(tempfile.mkdtemp(prefix="tiertwin-chaos-")) if out is None else out
    found: dict[str, Any] = {}
    try:
        found = play(wanted, asked, folder, tell)
    finally:
        if out is None and (found.get("held") or not found):
            shutil.rmtree(folder, ignore_errors=True)
    found = {"scenario": scenario, "durable": durable, **found}
    if not found["held"] or out is not None:
        found["folder"] = str(folder)
    _print(found, as_json=as_json)
    if found["interrupted"]:
        return EXIT_INTERRUPTED
    return 0 if found["held"] else EXIT_BROKEN


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    from tiertwin.runtime.chaos.report import COLUMNS

    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(table(found["rows"], COLUMNS))
    counted = found["counted"]
    click.echo(
        f"\n{found['played']} faults, seed {found['seed']}; {counted['levels_compared']} levels acknowledged as "
        f"durable looked for in logs, digests compared {counted['compared']} times."
    )
    for name, why in found["skipped"].items():
        click.echo(f"SKIPPED {name}: {why}")
    for text in found["broken"]:
        click.echo(f"BROKEN {text}")
    held = " ".join(name for name, well in found["promises"].items() if well)
    click.echo(f"Held: {held or 'none'}" + ("" if found["held"] else f"; logs and state are in {found['folder']}"))
