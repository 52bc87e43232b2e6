"""``tiertwin study``: paired experiments over seeds, and the study of scale."""

from __future__ import annotations

import json
from typing import Any

import click

from tiertwin.cli.run import finite


@click.group()
def study() -> None:
    """Compare policies over many seeds, with confidence intervals."""


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
    found = compare(load(scenario), range(1, seeds + 1), epochs, chosen, lambda text: click.echo(text, err=True))
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


@study.command("fidelity")
@click.option(
    "--topology",
    "topologies",
    multiple=True,
    default=("sndlib/germany50",),
    show_default=True,
    metavar="NAME",
    help="A topohub name; repeatable, or several with commas between.",
)
@click.option("--loads", default="0.3,0.6,0.8,0.9", show_default=True, metavar="LOADS", help="Of the busiest link.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    help="common: 10 Mb/s everywhere; each: every link at the load. Repeatable [default: both].",
)
@click.option(
    "--size", "sizes", multiple=True, help="Packet sizes: fixed, exponential, imix; repeatable [default: all]."
)
@click.option(
    "--traffic", multiple=True, default=("poisson",), show_default=True, help="poisson, on-off (bursty); repeatable."
)
@click.option("--flows", default=1000, show_default=True, help="Random pairs of nodes a scene.")
@click.option("--buffer", type=int, default=None, help="Packets that may wait at a link [default: any number].")
@click.option("--seconds", default=300.0, show_default=True, help="Modelled seconds of each run of the truth.")
@click.option("--window", default=100.0, show_default=True, help="Modelled seconds of telemetry to calibrate on.")
@click.option("--seed", default=1, show_default=True)
@click.option("--signs/--no-signs", default=True, show_default=True, help="Ask for the direction of changes too.")
@click.option(
    "--ns3",
    type=float,
    default=None,
    metavar="SECONDS",
    help="Play so many modelled seconds of each scene in ns-3 too (extra `fidelity`, g++).",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object: what was asked, and a row a scene.")
def fidelity(ns3: float | None, as_json: bool, topologies: tuple[str, ...], loads: str, **asked: Any) -> None:
    """How true the twin's performance model is to packets: errors, intervals, directions (docs/fidelity.md)."""
    import tempfile
    from pathlib import Path

    from tiertwin.study.fidelity import RULES, SIZES, Wanted, described, fidelity_study
    from tiertwin.study.ns3 import Ns3

    asked["rules"], asked["sizes"] = asked["rules"] or RULES, asked["sizes"] or SIZES
    asked["window_s"] = asked.pop("window")
    names = tuple(name for given in topologies for name in given.split(",") if name)
    wanted = Wanted(topologies=names, loads=_numbers("--loads", loads), **asked)
    wanted.check()

    def told(text: str) -> None:
        click.echo(text, err=True)

    with tempfile.TemporaryDirectory(prefix="tiertwin-ns3-") as folder:
        program = None if ns3 is None else Ns3(Path(folder))
        rows = fidelity_study(wanted, program, 0.0 if ns3 is None else ns3, told)
    if as_json:
        click.echo(json.dumps({"asked": described(wanted) | {"ns3_seconds": ns3}, "rows": finite(rows)}))
        return
    names = ("topology", "rule", "size", "traffic", "load")
    shown = ("floor_pct", "mean_pct", "wait_pct", "p99_pct", "loss_points", "coverage_pct", "calibrated_mean_pct")
    more = [c for c in ("sign_agreement", "ns3_equal_pct", "ns3_mean_pct") if any(c in row for row in rows)]
    click.echo(
        "Mean absolute errors over flows (%), of the total loss (points); floor: what sampling leaves in the truth."
    )
    click.echo(table(rows, (*names, *shown, *more)))


def _numbers(option: str, text: str) -> tuple[float, ...]:
    from tiertwin.errors import InputError

    try:
        return tuple(float(word) for word in text.split(",") if word)
    except ValueError:
        raise InputError(f"{option}: expected numbers with commas between, got {text!r}") from None


def table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    """Plain text, columns aligned, numbers to four digits."""
    cells = [list(columns)]
    for row in rows:
        cells.append(
            [
                "" if row.get(c) is None else f"{row[c]:.4g}" if isinstance(row[c], float) else str(row[c])
                for c in columns
            ]
        )
    width = [max(len(line[k]) for line in cells) for k in range(len(columns))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, width, strict=True)).rstrip() for line in cells)
