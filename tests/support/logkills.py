"""A process with a log, started and killed again and again: what it had acknowledged must be there each time."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

CHILD = Path(__file__).parent / "durable_child.py"


@dataclass
class Cycles:
    """What the lives told."""

    records: int = 0  # acknowledged over all lives
    lost: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)


def cycles(folder: Path, count: int, seed: int) -> Cycles:
    """Start and kill -9 a process so many times, each after a random number of acknowledgements and a random moment."""
    random, out, acked = Random(seed), Cycles(), 0
    for cycle in range(count):
        words = [sys.executable, str(CHILD), str(folder / "log")]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            left = random.randrange(1, 60)
            kill = threading.Timer(random.random() * 0.004, process.send_signal, (signal.SIGKILL,))
            for line in process.stdout:
                word, _, rest = line.strip().partition(" ")
                if word == "start":
                    out.starts.append(int(rest))
                    if int(rest) < acked:
                        out.lost.append(f"cycle {cycle}: {acked} acknowledged, {rest} found")
                elif word == "ack":
                    acked = int(rest)
                    left -= 1
                    if left == 0:
                        kill.start()
                elif word in ("news", "lost", "full"):
                    out.news.append(f"cycle {cycle}: {line.strip()}")
            if kill.ident is not None:
                kill.join()
            code, error = process.wait(), process.stderr.read()
            if code != -signal.SIGKILL:
                out.lost.append(f"cycle {cycle}: ended by itself with {code}: {error[-500:]}")
    out.records = acked
    return out
