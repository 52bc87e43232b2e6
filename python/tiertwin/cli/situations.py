"""``tiertwin study scenarios | interval``: situations made up, judged on public data; how often a twin is told."""

from __future__ import annotations

import json

import click

from tiertwin.cli.run import finite
from tiertwin.cli.tables import table


@click.command("scenarios")
@click.option("--data", "folder", metavar="DIR", help="Folder with milan_hourly.npz [default: TIERTWIN_DATA].")
@click.option(
    "--method",
    "methods",
    multiple=True,
    help="replay, perturbation, independent, copula, boosted; repeat [default: core].",
)
@click.option("--split", "splits", multiple=True, help="time, surge; repeat [default: both].")
@click.option("--cells", type=int, help="Only the first so many of the 150.")
@click.option("--seed", default=1, show_default=True, help="Of what is made up.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def scenarios_command(
    folder: str | None, methods: tuple[str, ...], splits: tuple[str, ...], cells: int | None, seed: int, as_json: bool
) -> None:
    """Hours of 150 cells of Milan made up from history, held against real ones never seen."""
    from tiertwin.study.datafolder import data_file
    from tiertwin.study.scenarios import CORE, SPLITS, scenario_study

    path = data_file("milan_hourly.npz", folder)
    found = scenario_study(
        path, methods or CORE, splits or SPLITS, cells, seed, lambda text: click.echo(text, err=True)
    )
    if as_json:
        click.echo(json.dumps(finite(found)))
        return
    data = found["data"]
    click.echo(
        f"{data['cells']} cells, {data['days']} days. time: the last {data['test_days']} are judged; surge: the busiest"
    )
    click.echo(
        f"5 % of all hours. crps: given {data['given']} cells, of the others, over their mean. history: real rows."
    )
    fidelity = ("ks", "ks_worst", "correlation", "residual", "trained", "crps")
    click.echo(table(found["rows"], ("split", "method", *fidelity)))
    click.echo("\nnovelty: distance to the nearest real row, 1: as far as real rows are from each other")
    click.echo(table(found["rows"], ("split", "method", "novelty_10", "novelty", "novelty_90", "rejected_percent")))


@click.command("interval")
@click.argument("scenario", default="metro")
@click.option("--seeds", default=10, show_default=True, help="Number of seeds.")
@click.option("--first-seed", default=1, show_default=True, help="The first of them; the others follow it.")
@click.option("--epochs", default=60, show_default=True)
@click.option("--interval", "intervals", type=float, multiple=True, help="s; repeat [default: 0.1 0.5 1 5 10 30 60].")
@click.option(
    "--decisions",
    type=click.Choice(["both", "every epoch", "follow"]),
    default="both",
    show_default=True,
    help="Once an epoch, or once an interval.",
)
@click.option("--jobs", type=int, help="Runs at a time [default: as many as there are CPU cores].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def interval_command(
    scenario: str,
    seeds: int,
    first_seed: int,
    epochs: int,
    intervals: tuple[float, ...],
    decisions: str,
    jobs: int | None,
    as_json: bool,
) -> None:
    """How often telemetry comes: utility lost in the plant against bytes of the twins, paired by seed."""
    from tiertwin.study.interval import EVERY_EPOCH, FOLLOW, INTERVALS_S, interval_study
    from tiertwin.world import load

    found = interval_study(
        load(scenario),
        range(first_seed, first_seed + seeds),
        epochs,
        intervals or INTERVALS_S,
        (EVERY_EPOCH, FOLLOW) if decisions == "both" else (decisions,),
        jobs,
        lambda text: click.echo(text, err=True),
    )
    if as_json:
        click.echo(json.dumps(finite({"scenario": scenario, **found})))
        return
    click.echo(
        f"{scenario}: {seeds} seeds of {epochs} epochs of {found['base_epoch_s']:g} s; nothing decides more often than"
    )
    click.echo("once an epoch. regret: utility a task that the fastest interval has more, in percent of its size;")
    click.echo("behind_best: that the best has more. half: of the 95 % interval, paired by seed.")
    figures = ("regret_percent", "regret_half", "behind_best_percent", "behind_best_half", "missed_points")
    click.echo(
        table(found["rows"], ("interval_s", "decisions", *figures, "state_error", "bytes_an_epoch", "told_an_epoch"))
    )
