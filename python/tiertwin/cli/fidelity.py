"""``tiertwin study fidelity``: the twin's performance model against packets."""

from __future__ import annotations

import json
from typing import Any

import click

from tiertwin.cli.run import finite
from tiertwin.cli.tables import table


@click.command()
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
