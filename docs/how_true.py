"""Write docs/how-true-is-the-twin.md: run every study of fidelity and put what it prints under what it asks.

    python docs/how_true.py [--quick]

Needs everything a study needs: the extra ``fidelity`` (ns-3, measured microwave links), g++, and the folder of data
named by TIERTWIN_DATA. What is missing is said in its section. About a quarter of an hour on one core; --quick, for
looking at, a minute.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from tiertwin import __version__
from tiertwin.cli import main as tiertwin

PAGE = Path(__file__).parent / "how-true-is-the-twin.md"
TOPOLOGIES = "sndlib/germany50,sndlib/abilene,topozoo/Geant2012"

HEAD = """# How true is the twin?

A twin is worth what its predictions are worth. This page holds them against what happened: in the plant, in ns-3, and
in measured data. Every table is printed by the command above it; all of it is written by `python docs/how_true.py`,
here with tiertwin {version} on {machine}. Which phenomena the plant has at all stands in
[plant.md](plant.md#modelled-abstracted-not-modelled), how the model works in
[performance-model.md](performance-model.md), the studies of data in [studies.md](studies.md).

Columns of `study fidelity`, means over flows in % unless said otherwise:

| column | |
|---|---|
| `floor_pct` | error that sampling leaves in the true means, from batches of each flow |
| `mean_pct`, `p99_pct` | absolute error of the mean and of the 99th percentile of delay |
| `wait_pct` | of the time in queues alone, sum over sum: propagation hides nothing |
| `loss_points` | of the whole network's loss, points |
| `coverage_pct`, `p99_coverage_pct` | flows whose mean, p99 lies in the nominal 90 % interval, widened by sampling |
| `calibrated_…` | the same after one window of telemetry with another seed |
| `textbook_mean` | the best of M/M/1, M/G/1 and G/G/1, link by link (`tiertwin.study.textbook`), at means |
| `textbook_…_pct` | its error; of waits and p99 that of the best at them. Chosen with the truth in hand |
| `sign_agreement` | share of changes of more than 2 % whose direction is right |
| `ns3_equal_pct` | packets with the very delay that ns-3 gives them, or lost in both |
| `ns3_mean_pct`, `ns3_textbook_…` | as `mean_pct` and `textbook_…`, against ns-3, of a short run |

A true mean is what packets waited plus what the mean size takes to be sent: which sizes happened to be drawn is
known, and nobody's error. What is left is the luck of arrivals.
"""


@dataclass(frozen=True)
class Section:
    """A question, the command that answers it, and what to think of the answer."""

    title: str
    words: tuple[str, ...]
    quick: tuple[str, ...]
    prose: str


FIDELITY = ("study", "fidelity", "--topology")
SHORT = ("--loads", "0.6", "--rule", "each", "--size", "fixed", "--seconds", "5", "--window", "5")
BURSTY = ("--traffic", "poisson,on-off", "--no-signs")
SECTIONS = (
    Section(
        "The plant's packets against ns-3",
        (*FIDELITY, TOPOLOGIES, "--loads", "0.9", "--buffer", "20", "--seconds", "60", "--no-signs", "--ns3", "10"),
        (*FIDELITY, "sndlib/abilene", *SHORT, "--buffer", "20", "--no-signs", "--ns3", "1"),
        "Given the same arrivals, every packet has the delay that ns-3 gives it, to the nanosecond, and the same\n"
        "packets are lost. So the plant is taken as the truth below. Most of `ns3_mean_pct` is sampling: ten seconds.",
    ),
    Section(
        "The performance model against packets",
        (*FIDELITY, TOPOLOGIES, "--seconds", "400", "--window", "200", "--no-signs"),
        (*FIDELITY, "sndlib/abilene", *SHORT, "--no-signs"),
        "None of these topologies was used to fit the model's coefficients. Ten and more flows a link. Errors of one\n"
        "scene have one sign, so intervals hold more than nine in ten flows of some scenes and fewer of others.",
    ),
    Section(
        "The direction of changes",
        (*FIDELITY, TOPOLOGIES, "--loads", "0.6", "--seconds", "100"),
        (*FIDELITY, "sndlib/abilene", *SHORT),
        "All flows a tenth less or a twentieth more, one link slower or faster, one flow doubled, one at a time.",
    ),
    Section(
        "Where it is not sure of itself",
        (*FIDELITY, "sndlib/germany50", "--loads", "0.6,0.8", "--flows", "100", *BURSTY, "--seconds", "400"),
        (*FIDELITY, "sndlib/abilene", *SHORT, "--flows", "30", *BURSTY),
        "Two or three flows a link, and flows that send twice their rate half of the time: predictions carry the flag\n"
        "`low_confidence`, and this is why.",
    ),
    Section(
        "Handovers of real drives",
        ("study", "handover"),
        ("study", "handover", "--resamples", "50"),
        "Drives reported here were not learned from. Most alarms are false, and nobody knows when within the horizon.",
    ),
    Section(
        "Rain on measured microwave links",
        ("study", "rain"),
        ("study", "rain", "--resamples", "50"),
        "Less is predicted than was measured, more so the higher the band: wet antennas, and peaks that 5-minute\n"
        "means smooth.",
    ),
    Section(
        "Acting on old samples",
        ("study", "alignment"),
        ("study", "alignment", "--seeds", "3"),
        "Of a random walk there is nothing to predict. Of a day there is.",
    ),
)


def run(words: Sequence[str]) -> str:
    """Return what a command prints, or why it cannot."""
    print("tiertwin", *words, file=sys.stderr, flush=True)
    done = CliRunner().invoke(tiertwin, list(words), env={"COLUMNS": "200"})
    return done.stdout.rstrip() if done.exit_code == 0 else f"not measured here: {done.output.strip()}"


def page(quick: bool) -> str:
    """Return the whole page."""
    parts = [HEAD.format(version=__version__, machine=f"{platform.machine()}, Python {platform.python_version()}")]
    for section in SECTIONS:
        words = section.quick if quick else section.words
        parts.append(f"## {section.title}\n\n```\n$ tiertwin {' '.join(words)}\n{run(words)}\n```\n\n{section.prose}\n")
    return "\n".join(parts)


def main() -> None:
    """Write the page; with --quick, print it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="small scenes, printed instead of written")
    if options.parse_args().quick:
        print(page(quick=True))
    else:
        PAGE.write_text(page(quick=False))


if __name__ == "__main__":
    main()
