"""``tiertwin study weather | guard | healing | maintenance``: loops that act, on measured fades and in the plant."""

from __future__ import annotations

import json
from pathlib import Path

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


@click.command("healing")
@click.argument("scenario", default="mixed")
@click.option("--seeds", default=20, show_default=True, help="Number of seeds.")
@click.option("--first-seed", default=1, show_default=True)
@click.option("--faults", default=1, show_default=True, help="Of a seed, one after the other.")
@click.option("--loss", default=0.1, show_default=True, help="Share of telemetry lost.")
@click.option("--jobs", type=int, help="Runs at a time [default: as many as there are cores].")
@click.option("--keep", type=click.Path(dir_okay=False, path_type=Path), help="Go on from this file, a line a seed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def healing_command(
    scenario: str,
    seeds: int,
    first_seed: int,
    faults: int,
    loss: float,
    jobs: int | None,
    keep: Path | None,
    as_json: bool,
) -> None:
    """Heal faults of the running plant: restoration by stage and traffic lost, beside rules without a twin."""
    from tiertwin.study.healing import healing_study
    from tiertwin.study.healingfigures import FIGURES, STAGES
    from tiertwin.world import load

    chosen = range(first_seed, first_seed + seeds)
    found = healing_study(load(scenario), chosen, faults, loss, jobs, keep, lambda text: click.echo(text, err=True))
    if as_json:
        click.echo(json.dumps(finite({"scenario": scenario, **found})))
        return
    click.echo(f"{scenario}: {seeds} seeds, {faults} faults each; means ± half of their 95 % intervals (Student's t).")
    click.echo(
        "none: no healing; alarms: no twin, around links in alarm; rules: no twin, a book of rules; twin: named, "
        "tried, guarded; told: true causes."
    )
    for figures in (FIGURES, STAGES):
        rows = [
            {"healing": row["healing"]} | {f: f"{row[f]:.4g} ± {row[f'{f}_half']:.2g}" for f in figures}
            for row in found["rows"]
        ]
        click.echo(table(rows, ("healing", *figures)) + "\n")
    click.echo("Paired differences; percent: of the mean of what it is compared with; claimed: by the survey.")
    differences = [
        {"healing": row["healing"], "less": row["less"]}
        | {f: f"{row[f]:.4g} ± {row[f'{f}_half']:.2g}" for f in FIGURES}
        | {
            f"{f}_%": f"{row[f'{f}_percent']:.3g} (claimed {row[f'{f}_claimed']:g})"
            for f in ("restoration_s", "outages")
        }
        for row in found["differences"]
    ]
    claimed = ("restoration_s_%", "outages_%")
    click.echo(table(differences, ("healing", "less", *FIGURES, *claimed)))
    click.echo("\nGuard: " + " · ".join(f"{what} {count}" for what, count in found["guard"].items()))


@click.command("maintenance")
@click.option("--seeds", default=20, show_default=True, help="Number of seeds.")
@click.option("--first-seed", default=1, show_default=True)
@click.option("--parts", default=60, show_default=True, help="Of a seed; a third of them is reported.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def maintenance_command(seeds: int, first_seed: int, parts: int, as_json: bool) -> None:
    """Play a year of parts that wear: unplanned outages by who says when to go there, calendar, alarm or forecast."""
    from tiertwin.study.maintained import FIGURES, HORIZON_DAYS, maintained_study

    chosen = range(first_seed, first_seed + seeds)
    found = maintained_study(chosen, parts, lambda text: click.echo(text, err=True))
    if as_json:
        click.echo(json.dumps(finite(found)))
        return
    click.echo(
        f"{seeds} seeds of {parts} parts over {HORIZON_DAYS} days; a part and year, ± half of the 95 % interval."
    )
    rows = [
        {"way": row["way"]} | {f: f"{row[f]:.4g} ± {row[f'{f}_half']:.2g}" for f in FIGURES} for row in found["rows"]
    ]
    click.echo(table(rows, ("way", *FIGURES)))
    click.echo("\nPaired differences; percent of unplanned, and as claimed by the survey, without a source:")
    rows = [
        {"way": row["way"], "less": row["less"]}
        | {f: f"{row[f]:.4g} ± {row[f'{f}_half']:.2g}" for f in FIGURES}
        | {"unplanned_%": f"{row['unplanned_percent']:.3g}", "claimed_%": row["claimed_percent"]}
        for row in found["differences"]
    ]
    click.echo(table(rows, ("way", "less", *FIGURES, "unplanned_%", "claimed_%")))
