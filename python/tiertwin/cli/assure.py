"""``tiertwin study forecast | life``: what the models of assurance are worth on public data."""

from __future__ import annotations

import json

import click

from tiertwin.cli.run import finite
from tiertwin.cli.tables import table


@click.command("forecast")
@click.option("--data", "folder", metavar="DIR", help="Folder with milan_hourly.npz [default: TIERTWIN_DATA].")
@click.option(
    "--method", "methods", multiple=True, help="naive, holt-winters, ridge, kriging, boosted; repeat [default: core]."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def forecast_command(folder: str | None, methods: tuple[str, ...], as_json: bool) -> None:
    """Traffic of 150 cells of Milan, a day and an hour ahead, with 90 % bands."""
    from tiertwin.study.datafolder import data_file
    from tiertwin.study.forecast import CORE, forecast_study

    path = data_file("milan_hourly.npz", folder)
    found = forecast_study(path, methods or CORE, lambda text: click.echo(text, err=True))
    if as_json:
        click.echo(json.dumps(finite(found)))
        return
    data = found["data"]
    click.echo(
        f"Last {data['test_days']} of {data['days']} days, {data['cells']} cells; weekly naive NMAE "
        f"{found['weekly_naive_nmae']:.4f}. day: made at 0 h for 24 hours; hour: for the next; ratio: to the naive."
    )
    figures = ("nmae", "ratio", "coverage", "coverage_cells_10", "coverage_cells_90", "width")
    click.echo(table(found["rows"], ("method", "ahead", *figures)))
