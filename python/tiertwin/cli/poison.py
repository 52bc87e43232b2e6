"""``tiertwin study poison``: children that lie in the running plant, and what becomes of decisions."""

from __future__ import annotations

from pathlib import Path

import click

from tiertwin.cli.frame import Found, Told, framed, progress
from tiertwin.cli.tables import table

FOUND = ("lie", "liars", "precision", "recall", "f1", "f1_half", "f1_epochs", "delay_s", "delay_90_s")


@click.command("poison")
@click.argument("scenario", default="metro")
@click.option("--seeds", default=10, show_default=True, help="Number of seeds.")
@click.option("--first-seed", default=1, show_default=True, help="The first of them; the others follow it.")
@click.option("--epochs", default=120, show_default=True)
@click.option("--share", default=0.1, show_default=True, help="Of the children that lie.")
@click.option("--strength", default=2.0, show_default=True, help="Of a bias: the truth times 1 + strength.")
@click.option("--of", type=click.Choice(["device", "gateway"]), default="device", show_default=True, help="Who lies.")
@click.option("--lie", "lies", multiple=True, help="bias, replay, freeze, random, all; repeat [default: each of them].")
@click.option("--defence", "defences", multiple=True, help="bounds, median, evidence; repeat [default: all of them].")
@click.option("--jobs", type=int, help="Runs at a time [default: as many as there are cores].")
@click.option("--keep", type=click.Path(dir_okay=False, path_type=Path), help="Go on from this file, a line a run.")
@framed
def poison_command(
    scenario: str,
    seeds: int,
    first_seed: int,
    epochs: int,
    share: float,
    strength: float,
    of: str,
    lies: tuple[str, ...],
    defences: tuple[str, ...],
    jobs: int | None,
    keep: Path | None,
) -> Told:
    """Let some children lie: are they found, how soon, and what do decisions lose with and without a defence?"""
    from tiertwin.plant.liars import KINDS
    from tiertwin.study.poison import ALL, DEFENCES, poison_study
    from tiertwin.world import load

    wanted = range(first_seed, first_seed + seeds)
    kinds, against = lies or (*KINDS, ALL), defences or DEFENCES
    found = poison_study(load(scenario), wanted, epochs, share, strength, of, kinds, against, jobs, keep, progress)
    return {"scenario": scenario, **found}, _tell


def _tell(found: Found) -> None:
    click.echo(
        f"{found['scenario']}: {100 * found['share']:g} % of the children ({found['of']}s) lie; {found['seeds']} "
        f"seeds, {found['epochs']} epochs."
    )
    click.echo("loss: utility a task that the clean run has and this one has not, % of its size; half: of the 95 %")
    click.echo("interval, paired by seed. false_a_run: honest children in quarantine at any time.")
    click.echo(table(found["rows"], ("lie", "defence", "loss_percent", "loss_half", "false_a_run")))
    scored = [row for row in found["rows"] if "f1" in row]
    if scored:
        click.echo("\nEvidence: children found; epochs: by child and epoch. delay: from the first false report.")
        click.echo(table(scored, FOUND))
    if found["by_kind"]:
        click.echo("\nWhere all kinds lie at once:")
        click.echo(table(found["by_kind"], ("lie", "liars", "recall", "delay_s", "delay_90_s")))
