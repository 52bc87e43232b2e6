"""``tiertwin study fidelity``: the twin's performance model against packets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from tiertwin.cli.run import finite
from tiertwin.cli.tables import table

if TYPE_CHECKING:
    from collections.abc import Sequence


OPTIONAL = ("sign_agreement", "ns3_equal_pct", "ns3_mean_pct", "ns3_textbook_mean_pct")  # columns, where asked for


@click.command(epilog="Options marked with … may be repeated, or be given several values with commas between.")
@click.option(
    "--topology", "topologies", multiple=True, default=("sndlib/germany50",), show_default=True, help="topohub names …"
)
@click.option(
    "--loads", multiple=True, default=("0.3,0.6,0.8,0.9",), show_default=True, help="Loads of the busiest link …"
)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    default=("common,each",),
    show_default=True,
    help="common: 10 Mb/s everywhere; each: every link at the load …",
)
@click.option(
    "--size", "sizes", multiple=True, default=("fixed,exponential,imix",), show_default=True, help="Packet sizes …"
)
@click.option("--traffic", multiple=True, default=("poisson",), show_default=True, help="poisson, or on-off (bursty) …")
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
def fidelity(ns3: float | None, window: float, as_json: bool, **asked: Any) -> None:
    """Hold the twin's performance model against packets: errors, intervals, directions of changes.

    docs/how-true-is-the-twin.md shows what it prints, and says what the columns are.
    """
    import tempfile
    from pathlib import Path

    from tiertwin.study.fidelity import Wanted, described, fidelity_study
    from tiertwin.study.ns3 import Ns3

    for name in ("topologies", "rules", "sizes", "traffic"):
        asked[name] = _words(asked[name])
    asked["loads"] = _numbers("--loads", _words(asked["loads"]))
    wanted = Wanted(**asked, window_s=window)
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
    shown = ("floor_pct", "mean_pct", "wait_pct", "p99_pct", "loss_points", "coverage_pct", "p99_coverage_pct")
    books = ("calibrated_mean_pct", "textbook_mean", "textbook_mean_pct", "textbook_wait_pct", "textbook_p99_pct")
    more = [c for c in OPTIONAL if any(c in row for row in rows)]
    click.echo(
        "Mean absolute errors over flows (%), of the total loss (points); floor: what sampling leaves in the truth."
    )
    click.echo(table(rows, (*names, *shown, *books, *more)))


def _words(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for text in given for word in text.split(",") if word.strip()))


def _numbers(option: str, words: Sequence[str]) -> tuple[float, ...]:
    from tiertwin.errors import InputError

    try:
        return tuple(map(float, words))
    except ValueError:
        raise InputError(f"{option}: expected numbers with commas between, got {','.join(words)!r}") from None
