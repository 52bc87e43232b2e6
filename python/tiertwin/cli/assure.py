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


@click.command("life")
@click.option("--data", "folder", metavar="DIR", help="Folder with cmapss_fd001_train.zip [default: TIERTWIN_DATA].")
@click.option("--method", "methods", multiple=True, help="kernel, boosted; repeat [default: kernel].")
@click.option("--folds", default=5, show_default=True)
@click.option("--seed", default=1, show_default=True, help="Of the folds and the cuts.")
@click.option("--plant", is_flag=True, help="Foretell failures of parts of the plant instead; needs no data.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def life_command(
    folder: str | None, methods: tuple[str, ...], folds: int, seed: int, plant: bool, as_json: bool
) -> None:
    """Remaining life of NASA's simulated turbofans (FD001), with 90 % intervals and probabilities of failure."""
    if plant:
        _part_lives(seed, as_json)
        return
    from tiertwin.study.datafolder import data_file
    from tiertwin.study.life import HORIZONS, life_study

    path = data_file("cmapss_fd001_train.zip", folder)
    found = life_study(path, methods or ("kernel",), folds, seed, told=lambda text: click.echo(text, err=True))
    if as_json:
        click.echo(json.dumps(finite(found)))
        return
    data = found["data"]
    click.echo(
        f"{data['engines']} engines in {data['folds']} folds (seed {data['seed']}), {data['cuts']} cuts each, life up "
        f"to {data['cap']:g} cycles, intervals of {100 * data['level']:g} %."
    )
    figures = ("rmse", "rmse_low", "rmse_high", "mae", "coverage", "coverage_below_cap", "width")
    click.echo(table(found["rows"], ("method", *figures)))
    click.echo("\nBrier scores of failure within so many cycles; base: always the share in the training folds.")
    scores = [f"{kind}_{w:g}" for w in HORIZONS for kind in ("brier", "base")]
    click.echo(table(found["rows"], ("method", *scores)))


def _part_lives(seed: int, as_json: bool) -> None:
    from tiertwin.study.partlife import part_life_study

    found = part_life_study(seed=seed)
    if as_json:
        click.echo(json.dumps(finite(found)))
        return
    data = found["data"]
    click.echo(f"{data['parts']} parts over {data['days']} days (seed {data['seed']}), half of them learned from:")
    click.echo(
        f"{data['lives_learned']} lives; {data['lives_reported']} of the others cut at {data['cuts']} measurements."
    )
    click.echo("brier: of the probability; base: of always saying the share that failed.")
    click.echo(table(found["rows"], ("lead_days", "method", "precision", "recall", "f1", "brier", "base")))
