"""``tiertwin report RUN``: one self-contained HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from tiertwin.store import open_run


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it; default RUN/report.html."
)
def report(run: Path, out: Path | None) -> None:
    """Make one HTML page of RUN: map, KPIs, policies compared, certificate, time series.

    The page needs no network and no other file. A run that was interrupted gets a page too, which says what is missing.
    """
    from tiertwin.report.page import write

    with open_run(run) as opened:
        path = write(opened, out or run / "report.html")
        size = path.stat().st_size
        click.echo(f"{path} ({size / 1e6:.1f} MB)" if size >= 1e6 else f"{path} ({size / 1e3:.0f} kB)")
        for warning in opened.warnings:
            click.echo(f"Note: {warning}", err=True)
