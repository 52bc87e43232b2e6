"""``tiertwin study``: paired experiments over seeds, the study of scale, predictions against measured data."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import click

from tiertwin.cli.assure import forecast_command, life_command, nab_command, petshop_command, skab_command
from tiertwin.cli.fidelity import fidelity
from tiertwin.cli.frame import Found, Told, data_option, framed, progress
from tiertwin.cli.healing import guard_command, healing_command, maintenance_command, weather_command
from tiertwin.cli.localise import localise_command, quiet_command
from tiertwin.cli.poison import poison_command
from tiertwin.cli.run import finite
from tiertwin.cli.situations import interval_command, scenarios_command
from tiertwin.cli.tables import PERCENTILE, brief, spread, table


@click.group()
def study() -> None:
    """Compare policies over many seeds, with confidence intervals; hold predictions against measured data."""


OTHERS = (
    fidelity, forecast_command, life_command, localise_command, petshop_command, nab_command, skab_command,
    interval_command, scenarios_command, guard_command, healing_command, maintenance_command,
    weather_command, quiet_command, poison_command,
)  # fmt: skip
for command in OTHERS:
    study.add_command(command)


@study.command("policies")
@click.argument("scenario", default="germany50")
@click.option("--seeds", default=5, show_default=True, help="Number of seeds: 1, 2, …")
@click.option("--epochs", default=60, show_default=True)
@click.option(
    "--policy",
    "policies",
    multiple=True,
    help="Policies to compare with hierarchical; repeat for several [default: all that act].",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def policies_study(scenario: str, seeds: int, epochs: int, policies: tuple[str, ...], as_json: bool) -> None:
    """Every policy on every seed's world; prices of hierarchy and of telemetry."""
    from tiertwin.errors import InputError
    from tiertwin.orchestrate.policies import HIERARCHICAL, policy_names
    from tiertwin.runtime.plan import MONOLITHIC
    from tiertwin.study.compare import compare
    from tiertwin.world import load

    if seeds < 2:
        raise InputError(f"--seeds: expected at least 2 (an interval needs two worlds), got {seeds}")
    chosen = list(policies) or policy_names()
    if MONOLITHIC in chosen:
        raise InputError(f"--policy: {MONOLITHIC!r} plans and does not act; its price is printed below the table")
    if HIERARCHICAL not in chosen:
        chosen.insert(0, HIERARCHICAL)
    found = compare(load(scenario), range(1, seeds + 1), epochs, chosen, progress)
    price = {"hierarchy": vars(found.price_of_hierarchy), "telemetry": vars(found.price_of_telemetry)}
    if as_json:
        click.echo(json.dumps({"rows": found.rows(), "prices": price, "gaps": found.gaps, "seeds": found.seeds}))
        return
    click.echo(
        f"Means over {seeds} seeds with the half width of 95 % intervals (Student's t). difference: hierarchical minus"
    )
    click.echo("the policy, paired by seed; wins: seeds on which hierarchical is better. Units: docs/kpis.md.")
    click.echo(table(found.rows(), ("kpi", "policy", "mean", "half", "difference", "difference_half", "wins")))
    click.echo(f"price of hierarchy  {100 * found.price_of_hierarchy:.4f} % of S")
    click.echo(f"price of telemetry  {100 * found.price_of_telemetry:.4f} % of S")


@study.command("scale")
@click.option("--seconds", default=300.0, show_default=True, help="Time limit of the monolithic problem.")
@click.option("--quick", is_flag=True, help="Up to 10 000 groups only.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a size.")
def scale(seconds: float, quick: bool, as_json: bool) -> None:
    """Hierarchy against one monolithic problem, 1 000 to 100 000 groups."""
    from tiertwin.study.scale import SIZES, scale_study

    rows = []
    for row in scale_study(SIZES[:2] if quick else SIZES, monolithic_seconds=seconds):
        rows.append(row)
        if as_json:
            click.echo(json.dumps(row))
    if not as_json:
        click.echo(
            table(
                rows, ("groups", "hierarchical_s", "rounds", "certified_gap", "true_gap", "monolithic", "monolithic_s")
            )
        )


@study.command("allocation-scale")
@click.option("--pairs", "sizes", type=int, multiple=True, help="Pairs of user and node, rising; repeat for several.")
@click.option("--family", "families", type=click.Choice(["pf", "lp"]), multiple=True, help="[default: both]")
@click.option("--seconds", default=300.0, show_default=True, help="Time limit of the peer's process.")
@click.option("--quick", is_flag=True, help="Up to 10 000 pairs only.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a family and size: the data of a plot.")
def allocation_scale_command(
    sizes: tuple[int, ...], families: tuple[str, ...], seconds: float, quick: bool, as_json: bool
) -> None:
    """Fair shares and weighted throughput: time, memory and gap as the problem grows, beside cvxpy."""
    from tiertwin.errors import InputError
    from tiertwin.study.allocation_scale import SIZES, allocation_scale

    if any(pairs < 1 for pairs in sizes) or list(sizes) != sorted(sizes):
        raise InputError(f"--pairs: expected rising numbers >= 1, got {', '.join(map(str, sizes))}")
    chosen = sizes or (SIZES[:2] if quick else SIZES)
    rows = []
    for row in allocation_scale(chosen, families=families or ("pf", "lp"), peer_seconds=seconds):
        rows.append(row)
        if as_json:
            click.echo(json.dumps(finite(row)))
    if as_json:
        return
    ours = ("family", "pairs", "ours_cpu_s", "ours_mb", "gap", "steps")
    click.echo("CPU seconds of the solve, peak memory of the process; gap: certified, and of the peer to our bound.")
    click.echo(table(rows, (*ours, "peer", "peer_ended", "peer_cpu_s", "peer_mb", "peer_gap", "ratio")))


@study.command("handover")
@data_option("ucc5g_traces.csv.gz")
@click.option("--horizon", "horizons", type=int, multiple=True, help="Whole seconds ahead; repeat [default: 1 2 5].")
@click.option("--train", default=0.667, show_default=True, help="Share of the drives to learn from, the earliest ones.")
@click.option("--resamples", default=1000, show_default=True, help="Of the bootstrap over drives.")
@framed
def handover(data: str | None, horizons: tuple[int, ...], train: float, resamples: int) -> Told:
    """Predict handovers and next cells of real 5G drives."""
    from tiertwin.study.datafolder import data_file
    from tiertwin.study.handover import handover_study

    path = data_file("ucc5g_traces.csv.gz", data)
    return handover_study(path, horizons or (1, 2, 5), train, resamples), _tell_handovers


def _tell_handovers(found: Found) -> None:
    drives, rest = found["training_drives"], found["reported_drives"]
    click.echo(f"{len(rest)} drives from {rest[0]} on; learned from the {len(drives)} before. {PERCENTILE}")
    click.echo("\nA handover within the horizon, at every sample:")
    figures = ("precision", "recall", "f1", "ours_more", "time_error_s")
    click.echo(table([spread(row, figures) for row in found["alarms"]], ("horizon_s", "method", *figures)))
    click.echo("\nThe next cell, known the horizon before:")
    rates = ("hit_rate", "ours_more", "ping_pong_hit_rate", "other_hit_rate")
    click.echo(table([spread(row, rates) for row in found["next_cell"]], ("horizon_s", "method", *rates)))
    first = found["next_cell"][0]
    click.echo(
        f"\n{first['handovers']} handovers; ping-pongs {first['ping_pong_share']['value']:.3f} of them; next cell met "
        f"in a drive before: {first['next_cell_seen_in_training']['value']:.3f}"
    )


@study.command("rain")
@click.option(
    "--train-days", default=5, show_default=True, help="Days for the wet-antenna constant; the rest is reported."
)
@click.option("--resamples", default=1000, show_default=True, help="Of the bootstrap over links.")
@framed
def rain(train_days: int, resamples: int) -> Told:
    """Predict rain fades of 500 measured microwave links (extra: fidelity)."""
    from tiertwin.study.rain import example_folder, measured_links, rain_study

    found = rain_study(measured_links(example_folder()), train_days, resamples)
    return found, partial(_tell_rain, train_days)


def _tell_rain(train_days: int, found: Found) -> None:
    click.echo(
        f"{found['links_compared']} of {found['links']} links, {found['steps']} wet steps of 5 minutes after day "
        f"{train_days}, mean fade {found['mean_measured_db']:.2f} dB. {PERCENTILE}"
    )
    figures = ("correlation", "bias_db", "rmse_db")
    click.echo(table([spread(row, figures) for row in found["rows"]], ("prediction", *figures)))
    own, low = found["link_correlation"], found["link_correlation"]["quantiles_10_90"]
    click.echo(f"\ncorrelation by link  {brief(own['median'])} in the median, {low[0]:.3f} … {low[1]:.3f} (10 … 90 %)")
    click.echo("bias by link, dB     " + " · ".join(f"{v:.2f}" for v in found["link_bias_quantiles_10_50_90_db"]))
    click.echo(f"wet antenna, dB      {found['wet_antenna_db']:.2f}\n")
    click.echo(table(found["by_band"], ("band_ghz", "links", "measured_db", *figures)))


@study.command("attributes")
@click.argument("scenario", default="mixed")
@click.option("--seeds", default=20, show_default=True, help="Number of seeds.")
@click.option("--first-seed", default=1, show_default=True, help="The first of them; the others follow it.")
@click.option("--epochs", default=60, show_default=True)
@click.option("--share", "shares", type=float, multiple=True, help="Of all bytes; repeat [default: .02 .05 .1 .2 .4].")
@click.option("--selection", "selections", multiple=True, help="Of those with a budget; repeat [default: all of them].")
@click.option("--jobs", type=int, help="Runs at a time [default: as many as there are CPU cores].")
@click.option("--keep", type=click.Path(dir_okay=False, path_type=Path), help="Go on from this file, a line a run.")
@framed
def attributes(
    scenario: str,
    seeds: int,
    first_seed: int,
    epochs: int,
    shares: tuple[float, ...],
    selections: tuple[str, ...],
    jobs: int | None,
    keep: Path | None,
) -> Told:
    """Bytes told against utility lost, for several ways to choose what is told."""
    from tiertwin.study.attributes import BUDGETED, SHARES, attribute_study
    from tiertwin.world import load

    found = attribute_study(
        load(scenario),
        range(first_seed, first_seed + seeds),
        epochs,
        shares or SHARES,
        selections or BUDGETED,
        jobs,
        keep,
        progress,
    )
    return {"scenario": scenario, **found}, partial(_tell_attributes, seeds, epochs)


def _tell_attributes(seeds: int, epochs: int, found: Found) -> None:
    click.echo(
        f"{found['scenario']}: {found['attributes']} attributes, {seeds} seeds of {epochs} epochs. bytes: of gateways, "
        "asking"
    )
    click.echo(
        "included, in percent of telling all. regret: utility a task that telling all has more, in percent of its"
    )
    click.echo("size. ahead: utility that worth has more than the arm. half: of the 95 % interval, paired by seed.")
    figures = ("bytes_percent", "regret_percent", "regret_half", "missed_points", "missed_half")
    ahead = ("worth_ahead_percent", "worth_ahead_half")
    click.echo(table(found["rows"], ("selection", "budget_percent", *figures, *ahead)))


@study.command("alignment")
@click.option("--seeds", default=20, show_default=True, help="Number of synthetic worlds: seeds 1, 2, …")
@click.option("--rows", default=40, show_default=True, help="Cells of a world.")
@click.option("--delay", "delays", type=float, multiple=True, help="Mean collection delay, s; repeat [default: 0.5 3].")
@click.option("--lead", "leads", type=int, multiple=True, help="Hours ahead, Milan; repeat [default: 0 1 3].")
@click.option("--alpha", default=1.0, show_default=True, help="Of the alpha-fair utility.")
@click.option("--only", type=click.Choice(["synthetic", "milan"]), help="One of the two parts.")
@click.option("--run", "scenario", metavar="SCENARIO", help="In a running tree of this scenario instead.")
@click.option("--epochs", default=60, show_default=True, help="Of that run.")
@framed
def alignment(
    seeds: int,
    rows: int,
    delays: tuple[float, ...],
    leads: tuple[int, ...],
    alpha: float,
    only: str | None,
    scenario: str | None,
    epochs: int,
) -> Told:
    """Regret of acting on late samples, with and without predicting them forward."""
    if scenario is not None:
        return _aligned_runs(scenario, seeds, epochs)
    from tiertwin.study.alignment import alignment_study
    from tiertwin.study.datafolder import DataMissingError
    from tiertwin.study.milan import milan_study

    found: list[dict[str, Any]] = []
    left_out = ""
    if only != "milan":
        found += alignment_study(range(1, seeds + 1), rows, delays or (0.5, 3.0), alpha)
    if only != "synthetic":
        try:
            found += milan_study(leads or (0, 1, 3), alpha)
        except DataMissingError as error:
            if only == "milan":
                raise
            left_out = str(error)
    return {"rows": found, "left_out": left_out}, _tell_alignment


def _tell_alignment(found: Found) -> None:
    columns = ("world", "belief", "error_percent", "age_s", "clock_ms", "regret", "capacity_percent")
    click.echo("error: of the belief; age: when the decision acts; clock: what is wrong with the stamps used; regret:")
    click.echo(
        "utility lost for each unit of demand; capacity: what it is worth; won: less regret than with the newest"
    )
    click.echo("value, paired, half of its 95 % interval (Student's t) over worlds, or over groups of cells (Milan).")
    click.echo(table(found["rows"], (*columns, "won", "won_half", "won_percent")))
    if found["left_out"]:
        click.echo(f"Milan left out. {found['left_out']}", err=True)


def _aligned_runs(scenario: str, seeds: int, epochs: int) -> Told:
    from tiertwin.study.alignedruns import aligned_runs
    from tiertwin.world import load

    rows = aligned_runs(load(scenario), range(1, seeds + 1), epochs, progress)
    return {"scenario": scenario, "seeds": seeds, "epochs": epochs, "rows": rows}, _tell_aligned_runs


def _tell_aligned_runs(found: Found) -> None:
    asked = f"{found['scenario']}, {found['epochs']} epochs, {found['seeds']} seeds"
    click.echo(f"{asked}: means with half of their 95 % intervals (Student's t).")
    click.echo("known: every group's true mean rate, that no twin has; to_known, to_hold: minus those, paired by seed.")
    click.echo(
        table(found["rows"], ("kpi", "demand", "mean", "half", "to_known", "to_known_half", "to_hold", "to_hold_half"))
    )
