"""``tiertwin study localise``: faults in the running plant, and how well twins find them."""

from __future__ import annotations

import json

import click

from tiertwin.cli.run import finite
from tiertwin.cli.tables import table

COLUMNS = ("mix", "cases", "top1", "top3", "named", "detected", "delay_s", "impact_error", "impact_within_10", "lost")


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
        "or among the first three (one more than there are, if that is more). named: all are held likelier than one\n"
        "half. delay: to the first alarm in which a true cause can show. impact_error: predicted less true share of\n"
        "tasks lost at the sites touched, absolute mean; impact_within_10: cases in which it is at most 0.1."
    )
    click.echo(table(found["rows"], COLUMNS))
    quiet = found["quiet"]
    by = ", ".join(f"{name} {count:.0f}" for name, count in quiet["by_signal_per_day"].items()) or "none"
    click.echo(
        f"Without faults: {quiet['alarms']} alarms in {quiet['seconds']} s, "
        f"{quiet['false_alarms_per_day']:.0f} a day ({by})."
    )
