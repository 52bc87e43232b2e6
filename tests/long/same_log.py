"""The same event log with and without processes: 10 seeds and several layouts of metro, and germany50.

    python tests/long/same_log.py [--seeds 10] [--epochs 10] [--germany50-epochs 3] [--report FILE]

Prints a line a run and in the end one JSON object; keep it with the commit and the date.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.trees import log_hash

ROOT = Path(__file__).resolve().parents[2]
LAYOUTS: dict[str, Any] = {
    "default": "default",
    "lean": {"device": 1, "edge": 1, "fog": 1},
    "uneven": {"device": 3, "edge": 5, "fog": 2},
    "node": "node",
}


def main() -> int:
    """Compare; 1 when two logs differ."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=10)
    options.add_argument("--epochs", type=int, default=10)
    options.add_argument("--germany50-epochs", type=int, default=3)
    options.add_argument("--report", type=Path, help="write the JSON here too")
    asked = options.parse_args()
    rows = [row for seed in range(1, asked.seeds + 1) for row in compare("metro", seed, asked.epochs, list(LAYOUTS))]
    if asked.germany50_epochs:
        rows += compare("germany50", 1, asked.germany50_epochs, ["default", "lean"])
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    differ = [row for row in rows if not row["same"]]
    found = {
        "date": time.strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip(),
        "runs": len(rows),
        "differ": differ,
        "rows": rows,
    }
    text = json.dumps(found, indent=1)
    print(text)
    if asked.report is not None:
        asked.report.write_text(text + "\n")
    return 1 if differ else 0


def compare(name: str, seed: int, epochs: int, layouts: list[str]) -> list[dict[str, Any]]:
    """Run one seed in this process and in every layout."""
    here = log_hash(Path(), None, seed, epochs, name)
    rows = []
    for layout in layouts:
        with tempfile.TemporaryDirectory() as folder:
            there = log_hash(Path(folder), LAYOUTS[layout], seed, epochs, name)
        rows.append({"scenario": name, "seed": seed, "layout": layout, "epochs": epochs, "same": here == there})
        print(f"{name} seed {seed} {layout}: {'same' if here == there else 'DIFFERS'}", file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    sys.exit(main())
