"""``tiertwin study localise | quiet``: faults in the running plant, and how well twins find them; none, and alarms."""

from __future__ import annotations

import json
from typing import Any

import click

from tiertwin.cli.frame import Told, framed, progress
from tiertwin.cli.run import finite
from tiertwin.cli.tables import table

COLUMNS = (
    *("mix", "cases", "top1", "top1_low", "top3", "top3_low", "named", "detected", "delay_s"),
    *("hidden", "seen_top1", "seen_top3"),
)
IMPACT = ("answer", "tasks", "users", "gbps", "median", "within_10", "bias", "elsewhere")


@click.command("localise")
@click.argument("scenario", default="mixed")
@click.option("--cases", default=10, show_default=True, help="Cases of each mix.")
@click.option("--seed", default=1, show_default=True, help="Of cases and runs.")
@click.option("--loss", default=0.1, show_default=True, help="Share of telemetry lost.")
@click.option("--mix", "mixes", multiple=True, help="Mix of faults; repeat for several [default: all].")
@click.option("--jobs", type=int, help="Runs at a time [default: as many as there are cores].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def localise_command(
    scenario: str, cases: int, seed: int, loss: float, mixes: tuple[str, ...], jobs: int | None, as_json: bool
) -> None:
    """Inject faults into runs: are their causes found, how soon, and is what they cost foretold?"""
    from tiertwin.study.localise import FOR_S, LOOK_S, MIXES, localise_study
    from tiertwin.world import load

    wanted = mixes or tuple(MIXES)
    say = lambda text: click.echo(text, err=True)  # noqa: E731
    found = localise_study(load(scenario), cases, seed, loss, wanted, jobs, say)
    if as_json:
        click.echo(json.dumps(finite(found)))
        return
    click.echo(
        f"Faults of {FOR_S} s; causes as held {LOOK_S} s after the start. top1, top3: all true causes are the first,\n"
        "or among the first three (one more than there are, if that is more); low: of the 95 % interval (Wilson).\n"
        "named: all are held likelier than one half. delay: to the first alarm in which a true cause can show.\n"
        "hidden: cases with a fault behind another, such as a degraded link that is down; they count, but for seen_."
    )
    click.echo(table(found["rows"], COLUMNS))
    impact = found["impact"]
    floor = "–" if impact["floor"] is None else f"{impact['floor']:.3f}"
    many = f"{impact['lost_something']} of {impact['cases']}"
    click.echo(
        f"\nMore tasks lost than by chance ({impact['chance_tasks_per_s']:.1f} a second) in {many} cases.\n"
        f"Chance in the plant alone makes an error of tasks of {floor}: two runs without a fault differ by so much.\n"
        "tasks, users, gbps: foretold less lost, over all that was lost there; median, within_10: of single cases;\n"
        "bias: foretold over lost, less 1; elsewhere: foretold where nothing was lost, tasks/s. told: of true causes."
    )
    click.echo(table(impact["rows"], IMPACT))
    click.echo()
    tell_quiet(found["quiet"])


def tell_quiet(quiet: dict[str, Any]) -> None:
    """Print alarms of runs without faults."""
    click.echo(
        f"Without faults: {quiet['alarms']} alarms in {quiet['seconds']:.0f} s, {quiet['false_alarms_per_day']:.0f} a "
        f"day, at most {quiet['at_most_per_day']:.0f} (95 %, Poisson); causes named: {quiet['named']}, "
        f"{quiet['named_per_day']:.0f} a day, at most {quiet['named_at_most_per_day']:.0f}."
    )
    rows = [{"signal": name} | row for name, row in quiet["by_signal"].items()]
    click.echo(table(rows, ("signal", "alarms", "a_day", "at_most")))


@click.command("quiet")
@click.argument("scenario", default="mixed")
@click.option("--hours", default=1.0, show_default=True, help="Of the plant without faults, after it is warm.")
@click.option("--seed", default=1, show_default=True, help="Of the first run; the others follow it.")
@click.option("--loss", default=0.1, show_default=True, help="Share of telemetry lost.")
@click.option("--jobs", type=int, help="Runs at a time [default: as many as there are cores].")
@framed
def quiet_command(scenario: str, hours: float, seed: int, loss: float, jobs: int | None) -> Told:
    """False alarms a day: runs without faults, and what a day may have at most."""
    from tiertwin.study.quiet import quiet_study
    from tiertwin.world import load

    return quiet_study(load(scenario), hours, seed, loss, jobs, progress), tell_quiet
