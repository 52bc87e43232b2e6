"""An hour of a durable tree of 15 processes and its plant at 2 000 updates/s with faults (T10).

    python tests/long/soak.py [--minutes 60] [--rate 2000] [--spacing 20] [--seed 1] [--json FILE]

Devices of metro report so often that together they make --rate reports a second; what each tier really applied is
measured and printed. Faults of `tiertwin chaos` come at least --spacing seconds apart; some processes are never ended,
so that their memory is seen over the whole time. Prints what broke, and of each life of a process the slope of its
memory (least squares after the warm-up), descriptors and threads gained; acknowledgement and age in the first and last
third. Status 1 if a promise broke. Keep the output with commit, date and load.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support.soaking import soak  # noqa: E402
from tiertwin.cli.tables import table  # noqa: E402
from tiertwin.runtime.chaos.report import COLUMNS  # noqa: E402

LIFE = ("process", "seconds", "rss_mb", "rss_mb_h", "descriptors", "descriptors_more", "threads", "threads_more")


def main() -> int:
    """Run it, print it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=60.0)
    options.add_argument("--rate", type=float, default=2000.0, help="reports of devices a second")
    options.add_argument("--spacing", type=float, default=20.0, help="least seconds between two faults")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--json", type=Path, help="write the report here, too")
    asked = options.parse_args()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    about = {"date": time.strftime("%Y-%m-%d"), "commit": commit.stdout.strip(), "load_before": os.getloadavg()}

    def tell(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        found = soak(Path(folder), 60 * asked.minutes, asked.rate, asked.spacing, asked.seed, tell)
    found = {**about, "minutes": asked.minutes, "rate": asked.rate, **found, "load_after": os.getloadavg()}
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")
    print(table(found["rows"], COLUMNS), "", table(found["lives"], LIFE), sep="\n")
    for name in ("date", "commit", "load_before", "load_after", "played", "promises", "broken", "skipped", "counted"):
        print(f"{name}: {found[name]}")
    for name in ("applied_per_s", "applied", "ack_p99_ms", "root_age_max_ms"):
        print(f"{name}: {found[name]}")
    return 0 if found["held"] else 1


if __name__ == "__main__":
    sys.exit(main())
