"""``tiertwin study weather | guard``: what loops that act are worth, on measured fades and in the plant."""

from __future__ import annotations

import json

import click

from tiertwin.cli.run import finite
from tiertwin.cli.tables import PERCENTILE, spread, table


@click.command("weather")
@click.option("--train-days", default=5, show_default=True, help="Days to learn from; the rest is reported.")
@click.option("--load", default=0.35, show_default=True, help="Of each link, share of its densest rate.")
@click.option("--reaction", default=10.0, show_default=True, help="Seconds from trouble to another way.")
@click.option("--resamples", default=1000, show_default=True, help="Of the bootstrap over days and links.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def weather_command(train_days: int, load: float, reaction: float, resamples: int, as_json: bool) -> None:
    """Go round and step down before measured links fade: outages with and without the loop (extra: fidelity)."""
    from tiertwin.study.rain import example_folder
    from tiertwin.study.weather import weather_study
    from tiertwin.study.weatherdata import measured_fades
    from tiertwin.study.weatherplay import Traffic

    def tell(text: str) -> None:
        click.echo(text, err=True)

    traffic = Traffic(load=load, reaction_s=reaction)
    found = weather_study(measured_fades(example_folder()), train_days, traffic, resamples, tell)
    if as_json:
        click.echo(json.dumps(finite(found)))
        return
    first, last = found["days"]
    click.echo(f"{found['links']} links, days {first} to {last}, load {load:g}, reaction {reaction:g} s. {PERCENTILE}")
    click.echo(
        "outage: link minutes in which nothing passes; lost: million packets of 1250 bytes; less: than reactive on"
    )
    click.echo(
        "any loss; unplanned: times traffic was caught; pre, falls: sent round, stepped down ahead; false: without"
    )
    click.echo("need.")
    figures = ("outage_min", "lost_mpackets", "outage_less", "lost_less")
    counts = ("unplanned", "pre", "false", "falls", "false_falls")
    click.echo(table([spread(row, figures) for row in found["rows"]], ("policy", *figures, *counts)))
    click.echo("\nOutage by day:")
    click.echo(table(found["by_day"], tuple(found["by_day"][0])))
    click.echo(
        "\nDeepest fade of the coming 5 minutes, where 3 dB or more are about; below_90: its bound of 90 % held."
    )
    click.echo(table(found["forecasts"], ("loop", "acts_from", "rmse_db", "persistence_rmse_db", "below_90")))


@click.command("guard")
@click.argument("scenario", default="metro")
@click.option("--cases", default=270, show_default=True, help="Faults, one a plant: seeds from --first-seed on.")
@click.option("--first-seed", default=1, show_default=True)
@click.option("--mistaken", default=0.2, show_default=True, help="Share in which the twin believes a wrong cause.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def guard_command(scenario: str, cases: int, first_seed: int, mistaken: float, as_json: bool) -> None:
    """Let the guard act on faults of the plant; what was applied against the same plant without it."""
    from tiertwin.study.guard import guard_study
    from tiertwin.world import load, resolve

    world = resolve(load(scenario))
    found = guard_study(world, cases, first_seed, mistaken, tell=lambda text: click.echo(text, err=True))
    if as_json:
        click.echo(json.dumps(finite({"scenario": scenario, **found})))
        return
    click.echo(f"{scenario}: {cases} faults, {found['applied']} acted on, {found['rolled_back']} of them rolled back.")
    click.echo("worse: utility a task, while in force, below that of the same plant without the action.")
    names = (
        *("worse_share", "predicted_worse_share", "worse_when_right", "worse_when_mistaken", "sign_agreement", "brier"),
        *("gain_mean", "predicted_gain_mean", "harm_prevented", "gain_forgone", "undone_after_s", "inflation"),
    )
    click.echo(table([{"figure": name, "value": found[name]} for name in names], ("figure", "value")))
    click.echo("\nP(worse) as predicted, and the share that was worse:")
    click.echo(table(found["calibration"], ("from", "to", "applied", "predicted", "worse")))
    click.echo("\nRefused: " + " · ".join(f"{reason} {count}" for reason, count in found["refused"].items()))
