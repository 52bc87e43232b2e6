"""``tiertwin replay RUN``: the same seed and scenario again, event by event against the stored log."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tiertwin.cli import EXIT_NO

if TYPE_CHECKING:
    from tiertwin.store import Difference, ReplayReport


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def replay(run: Path, as_json: bool) -> int:
    """Run RUN again from its scenario and seed and compare the event logs.

    Identical logs are promised for one wheel on one CPU model; elsewhere the first event that differs is named. An
    interrupted run is compared as far as it goes. Exit code 1 if a difference is found.
    """
    from tiertwin.runtime.api import replay as run_again

    report: ReplayReport = run_again(run)
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False))
    else:
        _print(run, report)
    return 0 if report.identical else EXIT_NO


def _print(run: Path, report: ReplayReport) -> None:
    if report.identical:
        click.echo(f"Identical: {report.recorded_events} events, log {report.log_hash}")
        return
    click.echo(f"Different: recorded log {report.recorded_hash}, replayed {report.log_hash}")
    if report.difference is not None:
        _print_difference(report.difference)
    click.echo(f"Another wheel or CPU model may round differently: {run / 'versions.json'} says what made the run.")


def _print_difference(found: Difference) -> None:
    where = f" at {found.path}" if found.path else ""
    click.echo(f"First difference: event {found.number}{where}")
    for name, event in (("recorded", found.recorded), ("replayed", found.replayed)):
        text = "the log had ended" if event is None else json.dumps(event, sort_keys=True, ensure_ascii=False)
        click.echo(f"  {name}: {_clip(text)}")


def _clip(text: str, width: int = 400) -> str:
    return text if len(text) <= width else f"{text[:width]}… ({len(text)} characters)"
