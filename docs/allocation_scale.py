"""Write the section "How it grows" of docs/allocation.md: what `tiertwin study allocation-scale` finds here.

    python docs/allocation_scale.py [OPTIONS OF THE STUDY]

About a quarter of an hour on one core, most of it the peers'; --quick, for looking at, half a minute.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from tiertwin import __version__
from tiertwin.cli import main as tiertwin

PAGE = Path(__file__).parent / "allocation.md"
BEGIN, END = "<!-- docs/allocation_scale.py writes from here -->", "<!-- to here -->"
HEAD = """
`{command}`, each solver in a process of its own, with tiertwin
{version} on {machine}. CPU seconds of the solve alone, what can be built beforehand is; peak memory is that of the
whole process; the gap is the certified one, that of the peer is to our bound. `--json` prints the data of a plot.

| family | pairs | ours, CPU s | ours, MB | gap | steps | peer | peer, CPU s | peer, MB | peer's gap | ratio |
|---|---:|---:|---:|---:|---:|---|---:|---:|---:|---:|
"""


def count(pairs: int) -> str:
    """Digits in threes."""
    return f"{pairs:,}".replace(",", " ")


def line(row: dict[str, Any]) -> str:
    """One row of the table; how the peer ended where it did not finish."""
    ours = f"{row['ours_cpu_s']:.3g} | {row['ours_mb']:.0f} | {row['gap']:.1e} | {row['steps']}"
    if row["peer_ended"] != "finished":
        return f"| {row['family']} | {count(row['pairs'])} | {ours} | {row['peer']}: {row['peer_ended']} | | | | |"
    peer = f"{row['peer_cpu_s']:.3g} | {row['peer_mb']:.0f} | {row['peer_gap']:.1e} | {row['ratio']:.0f}"
    return f"| {row['family']} | {count(row['pairs'])} | {ours} | {row['peer']} | {peer} |"


def main() -> None:
    """Run the study and put its table into the page."""
    asked = ["study", "allocation-scale", *sys.argv[1:]]
    done = CliRunner().invoke(tiertwin, [*asked, "--json"])
    if done.exception is not None:
        raise done.exception
    rows = [json.loads(text) for text in done.output.splitlines()]
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    head = HEAD.format(version=__version__, machine=machine, command=" ".join(["tiertwin", *asked]))
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    table = "\n".join(line(row) for row in rows)
    PAGE.write_text(f"{before}{BEGIN}\n{head.lstrip()}{table}\n\n{END}{after}")


if __name__ == "__main__":
    main()
